//! The command line. Each command describes its own arguments in its own file; here they are put together.

use clap::{Args, Parser, Subcommand};
use measurement::Overrides;

use crate::commands::{
    check, completions, control, convert, drivers, export, instruments, man, outline, plot, resume, run, runs, show,
    simulate, tasks,
};

/// Runs laboratory measurements from files that Exopy wrote.
#[derive(Debug, Parser)]
#[command(
    name = "measurand",
    version,
    propagate_version = true,
    infer_subcommands = false,
    max_term_width = 110
)]
#[command(
    after_help = "Exit status of run and check: 0 completed, 1 failed while performing, 2 usage or a file that cannot \
                        be read or built, 3 refused by the checks, 4 interrupted by the operator."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check measurements, then perform them, each in turn
    Run(run::Args),
    /// Show all problems of measurements, with file, line and caret
    Check(check::Args),
    /// Show the tree of a measurement: entries, points, estimated duration
    Outline(outline::Args),
    /// Hold a running measurement where it is
    Pause(control::Args),
    /// Let a paused measurement go on, or perform a broken run from where it was
    Resume(resume::Args),
    /// End a running measurement as soon as it can release everything
    Stop(control::Args),
    /// End a running measurement at once; no hook runs after that
    Kill(control::Args),
    /// Show what a run measured, while it goes on or afterwards
    Show(show::Args),
    /// Draw what a run measured
    Plot(plot::Args),
    /// Write what a run measured as CSV, HDF5, netCDF, Zarr or Parquet
    Export(export::Args),
    /// List the runs, the newest first
    Runs(runs::Args),
    /// Show what is connected, and talk to instruments by hand
    Instruments(instruments::Args),
    /// Show the instruments that can be driven, or check a driver file
    Drivers(drivers::Args),
    /// Serve simulated instruments on this machine
    Simulate(simulate::Args),
    /// Show every task and interface: fields, defaults, entries
    Tasks(tasks::Args),
    /// Rewrite a file in today's form
    Convert(convert::Args),
    /// Print the completions for a shell
    Completions(completions::Args),
    /// Print the manual, or write its pages to a folder
    Man(man::Args),
}

/// What the command line changes in a file's measurement.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Changes {
    /// Use this folder instead of the file's `default_path`; `run` creates it if it is missing
    #[arg(long, value_name = "DIR")]
    pub(crate) default_path: Option<String>,
    /// Use this name instead of the file's
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Use this id instead of the file's
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Replace the expression of a definition or formula: -D params_n=5 (repeatable)
    #[arg(short = 'D', value_name = "ENTRY=EXPR", value_parser = definition)]
    pub(crate) definitions: Vec<(String, String)>,
}

impl Changes {
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            name: self.name.clone(),
            id: self.id.clone(),
            default_path: self.default_path.clone(),
            expressions: self.definitions.clone(),
        }
    }
}

fn definition(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((entry, expression)) if !entry.trim().is_empty() && !expression.trim().is_empty() => {
            Ok((entry.trim().to_owned(), expression.trim().to_owned()))
        }
        Some(_) | None => Err("it should be ENTRY=EXPR, as in `-D params_n=5`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_description_of_the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_definition_is_split_at_its_first_equals_sign() {
        assert_eq!(
            definition("a_b = {x} == 2"),
            Ok(("a_b".to_owned(), "{x} == 2".to_owned()))
        );
        assert!(definition("a_b").is_err());
        assert!(definition("=2").is_err());
        assert!(definition("a=").is_err());
    }
}
