//! Where everything in a growing file is: a function of its layout and the number of its rows, and of nothing else.
//!
//! Space is given out in one order, from the beginning of the file to its end, and never taken back. That is why a file
//! that was cut back and went on has the same bytes as one that was never disturbed.

use std::io;

use super::{
    Dataset, Element, Layout, Rows,
    grid::Grid,
    head::{Counted, Head, Object},
    message::{Kind, MAX_RANK, Storage},
    tree::{Chunk, Growth, Tree},
};

/// The places of a file with so many rows.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) head: Head,
    /// The datasets that get rows, in their order.
    pub(crate) series: Vec<Series>,
    /// For each constant dataset that has a value where it is, and its bytes.
    pub(crate) constants: Vec<(u64, Vec<u8>)>,
    pub(crate) space: Space,
}

/// A dataset that gets rows.
#[derive(Debug)]
pub(crate) struct Series {
    /// Its position in the layout.
    pub(crate) number: usize,
    pub(crate) element: Element,
    /// Elements of a row.
    pub(crate) cell: u64,
    /// Rows for which there is room; nothing if it grows.
    pub(crate) room: Option<u64>,
    pub(crate) grid: Grid,
    pub(crate) tree: Tree,
}

/// The end of what is given out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Space {
    pub(crate) end: u64,
}

impl Space {
    pub(crate) fn take(&mut self, bytes: u64) -> u64 {
        let at = self.end;
        self.end = (at + bytes).next_multiple_of(8);
        at
    }
}

impl Plan {
    /// A file without rows.
    ///
    /// # Errors
    /// A path is no path or is there twice, a shape is impossible, or a constant has the wrong size.
    pub(crate) fn new(layout: &Layout) -> io::Result<Self> {
        let shapes = layout.datasets.iter().map(Shape::of).collect::<io::Result<Vec<_>>>()?;
        let objects: Vec<Object<'_>> = layout
            .datasets
            .iter()
            .zip(&shapes)
            .map(|(set, shape)| shape.object(set))
            .collect();
        let mut head = Head::new(&objects, &layout.attributes, Counted::Yes)?;

        let mut space = Space { end: 0 };
        space.take(head.bytes.len() as u64);
        let (mut series, mut constants) = (Vec::new(), Vec::new());
        for (number, (dataset, shape)) in layout.datasets.iter().zip(shapes).enumerate() {
            let address = match (&dataset.rows, shape.grid) {
                (Rows::Constant(bytes), _) => {
                    let address = space.take(bytes.len() as u64);
                    constants.push((address, bytes.clone()));
                    // What has no bytes has no place.
                    if bytes.is_empty() { continue } else { address }
                }
                (Rows::Appended | Rows::Within(_), grid) => {
                    let grid = grid.expect("only constants have none");
                    let tree = match shape.dims.is_empty() {
                        true => {
                            let bytes = grid.bytes();
                            Tree::whole(Chunk {
                                address: space.take(bytes),
                                bytes: bytes as u32,
                                unfiltered: 0,
                            })
                        }
                        false => Tree::new(&grid, &mut |bytes| space.take(bytes)),
                    };
                    let root = tree.root();
                    let (element, cell, room) = (dataset.element, shape.cell, shape.room);
                    series.push(Series {
                        number,
                        element,
                        cell,
                        room,
                        grid,
                        tree,
                    });
                    root
                }
            };
            let at = head.marks[number].address;
            head.bytes[at..at + 8].copy_from_slice(&address.to_le_bytes());
        }
        Ok(Self {
            head,
            series,
            constants,
            space,
        })
    }

    /// Gives out the space of the rows from none to `rows`, in the order in which appending them would.
    pub(crate) fn advance(&mut self, rows: u64) {
        while let Some(row) = self
            .series
            .iter()
            .map(Series::opening_row)
            .min()
            .filter(|row| *row < rows)
        {
            for number in 0..self.series.len() {
                while self.series[number].opening_row() == row {
                    self.open_chunk(number);
                }
            }
        }
        for series in &self.series {
            let at = self.head.marks[series.number].address;
            self.head.bytes[at..at + 8].copy_from_slice(&series.tree.root().to_le_bytes());
        }
        self.set_rows(rows);
    }

    /// Gives out the next chunk of a series and says what must be written when its data is.
    pub(crate) fn open_chunk(&mut self, number: usize) -> (u64, Growth) {
        let series = &mut self.series[number];
        let bytes = series.grid.bytes();
        let address = self.space.take(bytes);
        let chunk = Chunk {
            address,
            bytes: bytes as u32,
            unfiltered: 0,
        };
        (
            address,
            series
                .tree
                .push(&series.grid, chunk, &mut |bytes| self.space.take(bytes)),
        )
    }

    /// Puts the number of rows into the head.
    pub(crate) fn set_rows(&mut self, rows: u64) {
        let bytes = rows.to_le_bytes();
        for series in self.series.iter().filter(|series| series.room.is_none()) {
            let at = self.head.marks[series.number].dims;
            self.head.bytes[at..at + 8].copy_from_slice(&bytes);
        }
        let at = self.count();
        self.head.bytes[at..at + 8].copy_from_slice(&bytes);
    }

    /// Where the number of rows is.
    pub(crate) fn count(&self) -> usize {
        self.head.count.expect("a growing file counts its rows")
    }

    /// The part of the head that changes with every row.
    pub(crate) fn window(&self) -> std::ops::Range<usize> {
        let growing = self.series.iter().filter(|series| series.room.is_none());
        let first = growing.map(|series| self.head.marks[series.number].dims).min();
        first.unwrap_or(self.count())..self.count() + 8
    }
}

impl Series {
    /// The row that needs a chunk which is not there yet.
    fn opening_row(&self) -> u64 {
        // Rows without elements need none.
        if self.cell == 0 {
            return u64::MAX;
        }
        self.grid.first(self.tree.chunks().len() as u64) / self.cell
    }
}

/// The dimensions of a dataset, before any row.
pub(crate) struct Shape {
    pub(crate) dims: Vec<u64>,
    pub(crate) cell: u64,
    pub(crate) room: Option<u64>,
    /// None for constants.
    pub(crate) grid: Option<Grid>,
}

impl Shape {
    fn of(dataset: &Dataset) -> io::Result<Self> {
        let refused = |why: &str| io::Error::new(io::ErrorKind::InvalidInput, format!("`{}` {why}", dataset.path));
        let cell: Vec<u64> = dataset.cell.iter().map(|dim| *dim as u64).collect();
        let elements = product(&cell).ok_or_else(|| refused("is too large"))?;
        let (first, room) = match &dataset.rows {
            Rows::Appended => (vec![0], None),
            Rows::Within(dims) => (
                dims.clone(),
                Some(product(dims).ok_or_else(|| refused("is too large"))?),
            ),
            Rows::Constant(bytes) => {
                if elements.checked_mul(dataset.element.size() as u64) != Some(bytes.len() as u64) {
                    return Err(refused("is a constant of another size than its shape"));
                }
                (Vec::new(), None)
            }
        };
        let dims = [first, cell].concat();
        if dims.len() > MAX_RANK {
            return Err(refused("has too many dimensions"));
        }
        let size = dataset.element.size() as u64;
        // A scalar cannot have chunks; it is as long as a single one.
        let cut: &[u64] = if dims.is_empty() { &[1] } else { &dims };
        let grid = match dataset.rows {
            Rows::Constant(_) => None,
            Rows::Appended | Rows::Within(_) => {
                Some(Grid::new(cut, room.is_none(), elements, size).ok_or_else(|| refused("is too large"))?)
            }
        };
        Ok(Self {
            dims,
            cell: elements,
            room,
            grid,
        })
    }

    fn object<'a>(&self, dataset: &'a Dataset) -> Object<'a> {
        let element = dataset.element.size() as u64;
        Object {
            path: &dataset.path,
            kind: kind(dataset.element),
            dims: self.dims.clone(),
            grows: matches!(dataset.rows, Rows::Appended),
            storage: match &self.grid {
                Some(grid) if !self.dims.is_empty() => Storage::Chunked {
                    chunk: grid.shape().to_vec(),
                    element,
                },
                _ => Storage::Whole(self.cell * element),
            },
            deflate: false,
            attributes: Vec::new(),
            texts: &[],
        }
    }
}

fn product(dims: &[u64]) -> Option<u64> {
    dims.iter().try_fold(1u64, |product, dim| product.checked_mul(*dim))
}

pub(crate) fn kind(element: Element) -> Kind {
    match element {
        Element::Int64 => Kind::Int64,
        Element::Float16 => Kind::Float16,
        Element::Float32 => Kind::Float32,
        Element::Float64 => Kind::Float64,
    }
}
