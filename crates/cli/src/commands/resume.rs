//! `measurand resume`: lets a paused run go on, or performs a broken one from where it was.

use std::path::Path;

use supervisor::ControlError;

use super::{control, run};
use crate::{complaint::Complaint, exit::Exit, terminal::Stream};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A paused run (its process id, name, id, `name_id` or file; none if there is only one), or the record of a broken one
    #[arg(value_name = "RUN")]
    run: Option<String>,
    #[command(flatten)]
    manner: run::Manner,
}

pub(crate) fn resume(args: &Args) -> Result<Exit, Complaint> {
    let record = args.run.as_deref().map(Path::new);
    let is_record = |path: &&Path| path.extension().is_some_and(|extension| extension == "record") && path.is_file();
    if let Some(record) = record.filter(is_record) {
        return run::go_on(record, &args.manner);
    }
    match (&args.run, supervisor::send(args.run.as_deref(), control::Verb::Resume)) {
        (_, Ok(said)) => {
            Stream::Output.write(&format!("{said}\n"));
            Ok(Exit::Completed)
        }
        (Some(name), Err(ControlError::NothingRuns | ControlError::NoSuchRun { .. } | ControlError::NoFolder(_))) => {
            run::go_on(&crate::records_of::resolve_run(name)?, &args.manner)
        }
        (None, Err(error @ ControlError::NothingRuns)) => Err(Complaint::new("cannot resume a run")
            .because(&error)
            .hint("`measurand resume last` goes on with the last run, if it broke off")),
        (name, Err(_)) => control::tell(control::Verb::Resume, name.as_deref()),
    }
}
