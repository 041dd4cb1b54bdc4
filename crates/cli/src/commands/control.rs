//! `measurand pause|resume|stop|kill`: a word to a run of another terminal.

use std::time::SystemTime;

use supervisor::{ControlError, RunningRun};

pub(crate) use supervisor::Verb;

use crate::{
    complaint::Complaint,
    exit::Exit,
    quantity::duration,
    terminal::{Stream, harmless},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which run, if there are several: its process id, name, id, `name_id` or file
    #[arg(value_name = "RUN")]
    run: Option<String>,
}

pub(crate) fn control(verb: Verb, args: &Args) -> Result<Exit, Complaint> {
    tell(verb, args.run.as_deref())
}

/// Tells a run, the only one if none is named.
pub(crate) fn tell(verb: Verb, run: Option<&str>) -> Result<Exit, Complaint> {
    match supervisor::send(run, verb) {
        Ok(said) => {
            Stream::Output.write(&format!("{said}\n"));
            Ok(Exit::Completed)
        }
        // The run is there and says no: that is no wrong command line.
        Err(error @ ControlError::Refused(_)) => {
            Complaint::new(error.to_string()).print();
            Ok(Exit::Failed)
        }
        Err(ControlError::Ambiguous(running)) => Err(several(verb, &running)),
        Err(ControlError::NoSuchRun { wanted, running }) => Err(Complaint::new(format!(
            "no run is called `{wanted}`; these run:{}",
            table(&running)
        ))),
        Err(error) => Err(Complaint::new(format!("cannot {} a run", verb.name())).because(&error)),
    }
}

fn several(verb: Verb, running: &[RunningRun]) -> Complaint {
    let first = running.first().map(|run| run.pid).unwrap_or_default();
    Complaint::new(format!("several measurements run:{}", table(running)))
        .hint(format!("say which: `measurand {} {first}`", verb.name()))
}

/// A line for each run, each after an end of line.
fn table(running: &[RunningRun]) -> String {
    let row = |run: &RunningRun| {
        let since = SystemTime::now().duration_since(run.started).unwrap_or_default();
        [
            run.pid.to_string(),
            harmless(&format!("{}_{}", run.name, run.id)),
            run.state.name().to_owned(),
            format!("for {}", duration(since.as_secs_f64())),
            harmless(&run.file),
        ]
    };
    let rows: Vec<[String; 5]> = running.iter().map(row).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("\n  {}", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
