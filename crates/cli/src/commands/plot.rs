//! `measurand plot`: a picture of a run, as a file.

use std::path::PathBuf;

use records::{Choice, Dataset, Existing, ExportError, Figure, PlotError};

use crate::{
    complaint::Complaint,
    exit::Exit,
    records_of::{read_run, resolve_run},
    terminal::{Stream, harmless},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its record, or `name_id`, the name (of its latest run), `last`, or the beginning of one of these
    #[arg(value_name = "RUN")]
    run: String,
    #[command(flatten)]
    axes: Axes,
    /// The picture: its name ends with .png or .svg; by default `name_id.png` beside the record
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite what exists
    #[arg(long)]
    overwrite: bool,
}

/// What is drawn over what; also of `measurand show`.
#[derive(Debug, clap::Args)]
pub(crate) struct Axes {
    /// What is to the right: a loop's value, or anything measured; by default the innermost loop's value
    #[arg(long, value_name = "NAME")]
    x: Option<String>,
    /// What is upwards, several times for several lines; of a map the loop that is upwards. Of complex numbers the
    /// magnitude, unless it is re(NAME), im(NAME) or phase(NAME)
    #[arg(long, value_name = "NAME")]
    y: Vec<String>,
    /// What the colours of a map are, over two loops
    #[arg(long, value_name = "NAME")]
    z: Option<String>,
}

impl Axes {
    pub(crate) fn choice(&self) -> Choice {
        Choice {
            x: self.x.clone(),
            y: self.y.clone(),
            z: self.z.clone(),
        }
    }
}

pub(crate) fn plot(args: &Args) -> Result<Exit, Complaint> {
    let record = resolve_run(&args.run)?;
    let reading = read_run(&record)?;
    let failed = || Complaint::new(format!("cannot draw `{}`", record.display()));
    let dataset = Dataset::of(&reading.tables, &reading.facts);
    let figure = Figure::of(&dataset, &args.axes.choice()).map_err(|error| match error {
        PlotError::Unknown { .. } | PlotError::Unfit(_) | PlotError::NoNumbers => failed()
            .because(&error)
            .hint(format!("`measurand show {}` lists what there is", args.run)),
    })?;
    let output = args.output.clone().unwrap_or_else(|| record.with_extension("png"));
    let existing = if args.overwrite {
        Existing::Overwrite
    } else {
        Existing::Refuse
    };
    records::draw(&figure, &output, existing).map_err(|error| match error {
        ExportError::Exists(_) => failed()
            .because(&error)
            .hint("--overwrite replaces it, -o FILE writes elsewhere"),
        ExportError::NothingMeasured | ExportError::Unfit(_) | ExportError::Io { .. } => failed().because(&error),
    })?;
    Stream::Output.write(&format!("wrote {}\n", harmless(&output.to_string_lossy())));
    Ok(Exit::Completed)
}
