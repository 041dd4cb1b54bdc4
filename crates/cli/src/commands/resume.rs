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
    let Some(name) = &args.run else {
        return control::tell(control::Verb::Resume, None);
    };
    let record = Path::new(name);
    if record.extension().is_some_and(|extension| extension == "record") && record.is_file() {
        return run::go_on(record, &args.manner);
    }
    match supervisor::send(Some(name), control::Verb::Resume) {
        Ok(said) => {
            Stream::Output.write(&format!("{said}\n"));
            Ok(Exit::Completed)
        }
        Err(ControlError::NothingRuns | ControlError::NoSuchRun { .. } | ControlError::NoFolder(_)) => {
            run::go_on(&crate::records_of::resolve_run(name)?, &args.manner)
        }
        Err(_) => control::tell(control::Verb::Resume, Some(name)),
    }
}
