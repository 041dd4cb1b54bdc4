//! `measurand export`: the record of a run in a format that other tools read.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use records::{Existing, ExportError, Format};

use crate::{
    complaint::Complaint,
    exit::Exit,
    quantity::counted,
    records_of::{read_run, resolve_run},
    terminal::{Stream, harmless},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its record, or `name_id`, the name (of its latest run), `last`, or the beginning of one of these
    #[arg(value_name = "RUN")]
    run: String,
    /// The format; by default what the name after `-o` ends with
    #[arg(long, value_enum, value_name = "FORMAT", required_unless_present = "output")]
    to: Option<To>,
    /// The file to write; by default the record's name with another ending, beside the record
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite what exists
    #[arg(long)]
    overwrite: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum To {
    /// A table for each loop, as text
    Csv,
    /// One dataset with dimension scales, for h5py, MATLAB, Igor, Origin …
    Hdf5,
    /// netCDF-4: one dataset with dimensions and coordinates, for xarray
    Netcdf,
    /// The same as a folder of chunks
    Zarr,
    /// A table for each loop, for pandas, polars, DuckDB …
    Parquet,
}

impl To {
    fn format(self) -> Format {
        match self {
            To::Csv => Format::Csv,
            To::Hdf5 => Format::Hdf5,
            To::Netcdf => Format::Netcdf,
            To::Zarr => Format::Zarr,
            To::Parquet => Format::Parquet,
        }
    }
}

pub(crate) fn export(args: &Args) -> Result<Exit, Complaint> {
    let record = resolve_run(&args.run)?;
    let format = format(args)?;
    let output = args
        .output
        .clone()
        .unwrap_or_else(|| record.with_extension(format.extension()));
    let reading = read_run(&record)?;
    let existing = if args.overwrite {
        Existing::Overwrite
    } else {
        Existing::Refuse
    };
    let written = records::export(&reading.tables, &reading.facts, format, &output, existing)
        .map_err(|error| complaint(&error, &record))?;
    let rows: usize = reading.tables.iter().map(records::Table::len).max().unwrap_or(0);
    let mut text = String::new();
    for path in &written {
        text.push_str(&format!("wrote {}\n", harmless(&path.to_string_lossy())));
    }
    text.push_str(&format!(
        "{}; in Python: {}\n",
        counted(rows, "row"),
        format.python(&output)
    ));
    Stream::Output.write(&text);
    Ok(Exit::Completed)
}

fn format(args: &Args) -> Result<Format, Complaint> {
    if let Some(to) = args.to {
        return Ok(to.format());
    }
    let output = args.output.as_deref().unwrap_or(Path::new(""));
    let ending = output.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let named = Format::ALL
        .into_iter()
        .find(|format| ending == format.extension() || ending == format.name())
        .or(match ending.as_str() {
            "hdf" => Some(Format::Hdf5),
            "nc4" | "cdf" => Some(Format::Netcdf),
            _ => None,
        });
    named.ok_or_else(|| {
        Complaint::new(format!("`{}` does not say which format is wanted", output.display()))
            .hint("name it: --to csv, hdf5, netcdf, zarr or parquet")
    })
}

fn complaint(error: &ExportError, record: &Path) -> Complaint {
    let complaint = Complaint::new(format!("cannot export `{}`", record.display())).because(error);
    match error {
        ExportError::Exists(_) => complaint.hint("--overwrite replaces it, -o FILE writes elsewhere"),
        ExportError::NothingMeasured | ExportError::Unfit(_) | ExportError::Io { .. } => complaint,
    }
}
