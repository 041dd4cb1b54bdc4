//! A record in the formats that other tools read.
//!
//! ```text
//! CSV, Parquet           a table of rows for each loop               export/csv.rs  export/parquet.rs  (export/flat.rs)
//! HDF5, netCDF-4, Zarr   one n-dimensional dataset ([`Dataset`])     export/arrays.rs  export/zarr.rs
//! ```
//!
//! Whatever is written is written aside, made durable and renamed: nobody ever sees half an export, and what existed stays
//! until its successor is whole. Deliberately absent: choosing columns or rows, which the tools that read this do better.

mod arrays;
pub(crate) mod aside;
mod csv;
mod flat;
mod parquet;
mod zarr;

use std::{
    collections::HashSet,
    fmt, io,
    path::{Path, PathBuf},
};

use crate::{
    dataset::Dataset,
    names,
    table::{Facts, Table},
};

/// A format to export to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Hdf5,
    Netcdf,
    Zarr,
    Parquet,
}

/// What becomes of a file that is already there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    Refuse,
    Overwrite,
}

/// Why nothing, or not all, was exported.
#[derive(Debug)]
pub enum ExportError {
    /// It is there, and was not to be overwritten.
    Exists(PathBuf),
    /// No loop of the run has a row.
    NothingMeasured,
    /// The format cannot hold this.
    Unfit(String),
    Io {
        path: PathBuf,
        source: io::Error,
    },
}

impl Format {
    pub const ALL: [Format; 5] = [Format::Csv, Format::Hdf5, Format::Netcdf, Format::Zarr, Format::Parquet];

    pub fn name(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Hdf5 => "hdf5",
            Format::Netcdf => "netcdf",
            Format::Zarr => "zarr",
            Format::Parquet => "parquet",
        }
    }

    pub fn extension(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Hdf5 => "h5",
            Format::Netcdf => "nc",
            Format::Zarr => "zarr",
            Format::Parquet => "parquet",
        }
    }

    /// The line of Python that opens such a file.
    pub fn python(self, path: &Path) -> String {
        let path = python_text(&path.to_string_lossy());
        match self {
            Format::Csv => format!("pandas.read_csv({path})"),
            Format::Hdf5 => format!("h5py.File({path})"),
            Format::Netcdf => format!("xarray.open_dataset({path}, engine=\"h5netcdf\")"),
            Format::Zarr => format!("xarray.open_zarr({path})"),
            Format::Parquet => format!("pandas.read_parquet({path})"),
        }
    }
}

/// Writes one table.
type WriteTable = fn(&Table, &Facts, &mut dyn io::Write) -> io::Result<()>;

/// Writes the tables to `path`, of formats of one table a file also to files beside it: `<stem>.<loop>.<extension>`. The
/// table with the most loops around its rows gets `path` itself. Returns what was written.
///
/// # Errors
/// There is nothing to write, a file exists, or one cannot be written.
pub fn export(
    tables: &[Table],
    facts: &Facts,
    format: Format,
    path: &Path,
    existing: Existing,
) -> Result<Vec<PathBuf>, ExportError> {
    let one_for_each: Option<WriteTable> = match format {
        Format::Csv => Some(csv::write),
        Format::Parquet => Some(parquet::write),
        Format::Zarr | Format::Hdf5 | Format::Netcdf => None,
    };
    if tables.iter().all(Table::is_empty) {
        return Err(ExportError::NothingMeasured);
    }
    let Some(write) = one_for_each else {
        let dataset = Dataset::of(tables, facts);
        match format {
            Format::Zarr => zarr::write(&dataset, path, existing)?,
            Format::Hdf5 | Format::Netcdf | Format::Csv | Format::Parquet => {
                arrays::write(&dataset, format, path, existing)?;
            }
        }
        return Ok(vec![path.to_owned()]);
    };
    let files = files(tables, path);
    for (_, path) in &files {
        aside::refuse(path, existing)?;
    }
    for (table, path) in &files {
        aside::file(path, existing, |out| write(table, facts, out))?;
    }
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

/// Which table goes to which file, the main one first.
fn files<'a>(tables: &'a [Table], path: &Path) -> Vec<(&'a Table, PathBuf)> {
    let mut filled: Vec<&Table> = tables.iter().filter(|table| !table.is_empty()).collect();
    filled.sort_by_key(|table| std::cmp::Reverse((table.axes.len(), table.len())));
    let main = filled.first().map(|table| table.path.as_str());
    filled.retain(|table| Some(table.path.as_str()) == main || !table.columns.is_empty());
    let wanted: Vec<(&str, &str)> = filled.iter().map(|table| (table.name(), table.path.as_str())).collect();
    let names = names::unique(&wanted, &mut HashSet::new());
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let beside = |name: &str| match extension.as_ref() {
        "" => path.with_file_name(format!(
            "{}.{name}",
            path.file_name().unwrap_or_default().to_string_lossy()
        )),
        extension => path.with_extension(format!("{name}.{extension}")),
    };
    let named = filled.into_iter().zip(names).enumerate();
    named
        .map(|(at, (table, name))| (table, if at == 0 { path.to_owned() } else { beside(&name) }))
        .collect()
}

/// The text as a literal of Python.
fn python_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExportError::Exists(path) => write!(f, "`{}` exists already", path.display()),
            ExportError::NothingMeasured => f.write_str("nothing is measured yet"),
            ExportError::Unfit(why) => f.write_str(why),
            ExportError::Io { path, .. } => write!(f, "cannot write `{}`", path.display()),
        }
    }
}

impl std::error::Error for ExportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ExportError::Io { source, .. } => Some(source),
            ExportError::Exists(_) | ExportError::NothingMeasured | ExportError::Unfit(_) => None,
        }
    }
}
