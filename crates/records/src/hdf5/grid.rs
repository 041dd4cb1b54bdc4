//! How a dataset is cut into chunks, so that filling it in C order fills one chunk after another.
//!
//! A chunk is whole in its last dimensions, a piece of one dimension, and one wide in those before. Its elements then
//! follow each other in the file as they do in the dataset, and the order of the chunks is that of their keys in the
//! tree: rows are appended at one place, and the tree grows at its end only.

/// What a chunk holds at most: little enough to be no waste in a file of a few rows, enough to be read at the disk's
/// speed.
const CHUNK_BYTES: u64 = 32 * 1024;

/// The same where one row alone is larger, so that large arrays do not fall into too many pieces.
const LARGE_CHUNK_BYTES: u64 = 1024 * 1024;

/// Stands for the length of a dimension without limit, divided by what a row holds.
const ENDLESS: u64 = 1 << 62;

/// The chunks of one dataset.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    chunk: Vec<u64>,
    /// Bytes of an element.
    element: u64,
    /// Chunks that lie along each dimension.
    counts: Vec<u64>,
    /// Elements of a chunk.
    pub(crate) len: u64,
    /// Elements along the dimension that is cut, all of those after it included, and chunks in it.
    line: u64,
    chunks_per_line: u64,
}

/// Where an element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Number of the chunk in C order.
    pub(crate) chunk: u64,
    /// Elements before it in the chunk.
    pub(crate) before: u64,
    /// Elements from it to the end of what the chunk holds of the dataset.
    pub(crate) room: u64,
}

impl Grid {
    /// A dataset of shape `dims`, at least one dimension, whose rows are `cell` elements; if it `grows`, the first of
    /// `dims` says nothing. Nothing if it is too large for any file.
    pub(crate) fn new(dims: &[u64], grows: bool, cell: u64, element: u64) -> Option<Self> {
        let mut dims: Vec<u64> = dims.iter().map(|&dim| dim.max(1)).collect();
        if grows {
            let row = dims[1..]
                .iter()
                .try_fold(1u64, |product, dim| product.checked_mul(*dim))?;
            dims[0] = ENDLESS / row.checked_mul(element)?;
        }
        let all = dims.iter().try_fold(element, |product, dim| product.checked_mul(*dim));
        if dims[0] == 0 || all.is_none_or(|all| all > ENDLESS) {
            return None;
        }

        let limit = if cell.checked_mul(element)? > CHUNK_BYTES {
            LARGE_CHUNK_BYTES
        } else {
            CHUNK_BYTES
        } / element;
        let mut chunk = vec![1; dims.len()];
        let (mut inner, mut axis) = (1, 0);
        for (at, dim) in dims.iter().enumerate().rev() {
            axis = at;
            chunk[at] = (*dim).min((limit / inner).max(1));
            if chunk[at] < *dim {
                break;
            }
            inner *= dim;
        }
        if chunk[axis] == dims[axis] {
            inner /= dims[axis];
        }
        let counts: Vec<u64> = dims
            .iter()
            .zip(&chunk)
            .map(|(dim, chunk)| dim.div_ceil(*chunk))
            .collect();
        Some(Self {
            element,
            len: chunk[axis] * inner,
            line: dims[axis] * inner,
            chunks_per_line: counts[axis],
            chunk,
            counts,
        })
    }

    pub(crate) fn shape(&self) -> &[u64] {
        &self.chunk
    }

    /// Bytes of a chunk.
    pub(crate) fn bytes(&self) -> u64 {
        self.len * self.element
    }

    pub(crate) fn place(&self, element: u64) -> Place {
        let (line, along) = (element / self.line, element % self.line);
        let (piece, before) = (along / self.len, along % self.len);
        let held = self.len.min(self.line - piece * self.len);
        Place {
            chunk: line * self.chunks_per_line + piece,
            before,
            room: held - before,
        }
    }

    /// The first element of a chunk.
    pub(crate) fn first(&self, chunk: u64) -> u64 {
        chunk / self.chunks_per_line * self.line + chunk % self.chunks_per_line * self.len
    }

    /// The place of a chunk in the dataset: the index of its first element.
    pub(crate) fn corner(&self, mut chunk: u64) -> Vec<u64> {
        let mut corner = vec![0; self.chunk.len()];
        for at in (0..corner.len()).rev() {
            // The first dimension takes what is left, so that the place after the last chunk has a name too.
            let along = if at == 0 { chunk } else { chunk % self.counts[at] };
            corner[at] = along * self.chunk[at];
            chunk /= self.counts[at];
        }
        corner
    }

    /// A corner behind every chunk there can be.
    pub(crate) fn beyond(&self) -> Vec<u64> {
        let mut corner = vec![0; self.chunk.len()];
        corner[0] = ENDLESS / self.chunk[0] * self.chunk[0];
        corner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_lie_in_a_row() {
        let grid = Grid::new(&[0], true, 1, 8).expect("small");
        assert_eq!(grid.shape(), [4096]);
        assert_eq!(
            grid.place(4097),
            Place {
                chunk: 1,
                before: 1,
                room: 4095
            }
        );
        assert_eq!(grid.first(3), 3 * 4096);
        assert_eq!(grid.corner(3), [3 * 4096]);
    }

    #[test]
    fn every_element_has_its_place_in_c_order() {
        for dims in [
            vec![3, 5],
            vec![2, 3, 5000],
            vec![7, 4097],
            vec![4, 3, 70_000],
            vec![1],
            vec![9000, 3],
        ] {
            let cell = dims[1..].iter().product();
            for grows in [false, true] {
                let grid = Grid::new(&dims, grows, cell, 8).expect("small");
                let (mut element, mut chunk) = (0, 0);
                while element < dims.iter().product() {
                    let place = grid.place(element);
                    assert_eq!((place.chunk, place.before), (chunk, 0), "{dims:?} {grows} {element}");
                    assert_eq!(grid.first(chunk), element);
                    // The corner of the chunk is the place of the element in the dataset.
                    let mut rest = element;
                    for (at, dim) in dims.iter().enumerate().rev() {
                        let index = if at == 0 { rest } else { rest % dim };
                        assert_eq!(grid.corner(chunk)[at], index, "{dims:?} {grows} {element}");
                        rest /= dim;
                    }
                    element += place.room;
                    chunk += 1;
                }
            }
        }
    }
}
