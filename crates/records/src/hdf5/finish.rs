//! The last form of a growing file: compressed, and without a dimension that turned out to have a single row.
//!
//! Both change what the head says, so the file is written once more beside itself. Compressing each chunk as soon as it
//! is full would change the file under those who have it open: what their copy of the tree points to could not be used
//! again, and a file that is smaller in the end would be larger on the way.

use std::{
    fs::File,
    io::{self, Write},
    os::unix::fs::{FileExt, MetadataExt},
    path::Path,
};

use flate2::{Compression, write::ZlibEncoder};

use super::{
    Dataset, Layout, Rows,
    aside::Aside,
    grid::Grid,
    head::{Counted, DEFLATE_LEVEL, Head, Object},
    message::{END_OF_FILE, Storage},
    plan::{Plan, Series, Space, kind},
    tree::{Chunk, Tree},
};

/// Whether the file of this many rows has another form when it is finished.
pub(crate) fn changes_form(layout: &Layout, rows: u64) -> bool {
    layout
        .datasets
        .iter()
        .any(|dataset| match Form::of(layout, dataset, rows) {
            Form::Same | Form::Scalar => false,
            Form::Compressed | Form::Squeezed => true,
        })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Same,
    Compressed,
    /// The row alone, in one piece. A file without rows keeps its shape: no row was measured.
    Squeezed,
    /// A single number, which is in one piece from the beginning.
    Scalar,
}

impl Form {
    fn of(layout: &Layout, dataset: &Dataset, rows: u64) -> Self {
        match &dataset.rows {
            Rows::Constant(_) => Form::Same,
            Rows::Appended if layout.squeeze && rows == 1 => Form::Squeezed,
            Rows::Within(dims) if dims.is_empty() && dataset.cell.is_empty() => Form::Scalar,
            Rows::Appended | Rows::Within(_) if dataset.gzip => Form::Compressed,
            Rows::Appended | Rows::Within(_) => Form::Same,
        }
    }
}

/// Writes the finished form of the file `from`, which `plan` describes, and puts it at `path`.
pub(crate) fn rewrite(from: &File, path: &Path, layout: &Layout, plan: &Plan, rows: u64) -> io::Result<()> {
    // Where somebody moved the file away, there is nothing to take the place of.
    let (mine, there) = (from.metadata()?, path.metadata()?);
    if (mine.dev(), mine.ino()) != (there.dev(), there.ino()) {
        let message = format!(
            "`{}` is another file now; what was measured is where it was moved",
            path.display()
        );
        return Err(io::Error::other(message));
    }

    let mut head = describe(layout, plan, rows)?;
    let mut space = Space { end: 0 };
    space.take(head.bytes.len() as u64);
    let aside = Aside::create(path)?;
    let to = aside.file()?;

    let mut constants = plan.constants.iter();
    let mut series = plan.series.iter();
    for (number, dataset) in layout.datasets.iter().enumerate() {
        let address = match (&dataset.rows, Form::of(layout, dataset, rows)) {
            (Rows::Constant(_), _) => {
                let (_, bytes) = constants.next().expect("a place for each constant");
                write_whole(&to, &mut space, bytes)?
            }
            (Rows::Appended | Rows::Within(_), form) => {
                let series = series.next().expect("a series for each dataset that gets rows");
                match form {
                    Form::Squeezed | Form::Scalar => write_whole(&to, &mut space, &elements(from, series)?)?,
                    Form::Compressed | Form::Same => Some(copy_chunks(from, &to, &mut space, series, form)?),
                }
            }
        };
        if let Some(address) = address {
            let at = head.marks[number].address;
            head.bytes[at..at + 8].copy_from_slice(&address.to_le_bytes());
        }
    }

    head.bytes[END_OF_FILE..END_OF_FILE + 8].copy_from_slice(&space.end.to_le_bytes());
    to.write_all_at(&head.bytes, 0)?;
    to.set_len(space.end)?;
    to.sync_all()?;
    aside.replace()
}

/// The head of the finished file, without addresses.
fn describe(layout: &Layout, plan: &Plan, rows: u64) -> io::Result<Head> {
    let mut objects = Vec::new();
    for (number, dataset) in layout.datasets.iter().enumerate() {
        let form = Form::of(layout, dataset, rows);
        let size = dataset.element.size() as u64;
        let cell: Vec<u64> = dataset.cell.iter().map(|dim| *dim as u64).collect();
        let series = plan.series.iter().find(|series| series.number == number);
        let chunked = series.filter(|_| matches!(form, Form::Same | Form::Compressed));
        let dims = match &dataset.rows {
            Rows::Appended if form != Form::Squeezed => [vec![rows], cell].concat(),
            Rows::Within(dims) => [dims.clone(), cell].concat(),
            Rows::Appended | Rows::Constant(_) => cell,
        };
        objects.push(Object {
            path: &dataset.path,
            kind: kind(dataset.element),
            grows: chunked.is_some_and(|series| series.room.is_none()),
            storage: match chunked {
                Some(series) => Storage::Chunked {
                    chunk: series.grid.shape().to_vec(),
                    element: size,
                },
                None => Storage::Whole(dims.iter().product::<u64>() * size),
            },
            dims,
            deflate: form == Form::Compressed,
            attributes: Vec::new(),
            texts: &[],
        });
    }
    let mut head = Head::new(&objects, &layout.attributes, Counted::Yes)?;
    let at = head.count.expect("asked for");
    head.bytes[at..at + 8].copy_from_slice(&rows.to_le_bytes());
    Ok(head)
}

/// Where the bytes are; what has none has no place.
fn write_whole(to: &File, space: &mut Space, bytes: &[u8]) -> io::Result<Option<u64>> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let address = space.take(bytes.len() as u64);
    to.write_all_at(bytes, address)?;
    Ok(Some(address))
}

/// The elements of the only row of a dataset; zero if it was not measured.
fn elements(from: &File, series: &Series) -> io::Result<Vec<u8>> {
    let size = series.element.size() as u64;
    let mut bytes = vec![0; (series.cell * size) as usize];
    let mut done = 0;
    while done < bytes.len() {
        let place = series.grid.place(done as u64 / size);
        let piece = ((place.room * size) as usize).min(bytes.len() - done);
        let chunk = series.tree.chunks()[place.chunk as usize];
        from.read_exact_at(&mut bytes[done..done + piece], chunk.address + place.before * size)?;
        done += piece;
    }
    Ok(bytes)
}

/// Returns the root of the new tree.
fn copy_chunks(from: &File, to: &File, space: &mut Space, series: &Series, form: Form) -> io::Result<u64> {
    let grid: &Grid = &series.grid;
    let mut tree = Tree::new(grid, &mut |bytes| space.take(bytes));
    let mut bytes = vec![0; grid.bytes() as usize];
    for chunk in series.tree.chunks() {
        from.read_exact_at(&mut bytes, chunk.address)?;
        let packed = match form {
            Form::Compressed => Some(deflate(&bytes)?).filter(|packed| packed.len() < bytes.len()),
            Form::Same | Form::Squeezed | Form::Scalar => None,
        };
        // What does not become smaller is left as it is, which the tree says of this chunk.
        let unfiltered = u32::from(form == Form::Compressed && packed.is_none());
        let written = packed.as_deref().unwrap_or(&bytes);
        let address = space.take(written.len() as u64);
        to.write_all_at(written, address)?;
        let chunk = Chunk {
            address,
            bytes: written.len() as u32,
            unfiltered,
        };
        // The nodes are written when all is known.
        tree.push(grid, chunk, &mut |bytes| space.take(bytes));
    }
    for (address, bytes) in tree.nodes(grid) {
        to.write_all_at(&bytes, address)?;
    }
    Ok(tree.root())
}

fn deflate(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::new(DEFLATE_LEVEL));
    encoder.write_all(bytes)?;
    encoder.finish()
}
