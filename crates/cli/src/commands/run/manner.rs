//! How a run is performed and watched: what `run` and `resume` have in common on the command line.

use std::path::{Path, PathBuf};

use crate::laboratory::Reach;

/// How a run is performed and watched, whether it begins or goes on.
#[derive(Debug, clap::Args)]
pub(crate) struct Manner {
    /// Perform although the checks fail (what Exopy calls forced enqueueing)
    #[arg(long)]
    pub(super) skip_checks: bool,
    /// Send the values of matching entries, as in `root/**` (repeatable); default: what the file's monitor displays
    #[arg(long, value_name = "GLOB")]
    pub(super) observe: Vec<String>,
    /// Send every single update of the observed entries, in order; the loop then waits for the reader
    #[arg(long)]
    pub(super) lossless: bool,
    /// Write every event as one JSON object a line; `-` is standard output, the display is then on standard error
    #[arg(long, value_name = "FILE")]
    pub(super) events: Option<PathBuf>,
    /// Write the final value of every entry as one JSON object by entry path, whatever the outcome
    #[arg(long, value_name = "FILE")]
    pub(super) values_out: Option<PathBuf>,
    /// What to do about data files that exist
    #[arg(long, value_name = "WHAT", default_value = "rename")]
    pub(super) on_existing: Existing,
    /// Seconds after which what was measured is on the disk, whatever happens to the power
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = interval)]
    pub(super) flush_interval: u32,
    /// What may be taken for granted when a run goes on (repeatable)
    #[arg(long, value_name = "WHAT")]
    pub(super) assume: Vec<Assumption>,
    /// No live display: lines only, as when the output is no terminal
    #[arg(long)]
    pub(super) plain: bool,
    /// Perform with simulated instruments, made from the driver files, instead of the real ones
    #[arg(long, help_heading = "Instruments")]
    pub(super) simulate: bool,
    /// Rehearse so many times faster: all waits are shorter, and simulated instruments quicker
    #[arg(long, value_name = "TIMES", requires = "simulate", help_heading = "Instruments",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) speed: Option<u32>,
    /// Write what the simulated instruments are told and answer, a line a message
    #[arg(long, value_name = "FILE", requires = "simulate", help_heading = "Instruments")]
    pub(super) transcript: Option<PathBuf>,
    #[command(flatten)]
    pub(super) reach: Reach,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Assumption {
    /// Data files that are gone are not coming back: begin new ones
    NewFiles,
}

/// Milliseconds of a number of seconds.
fn interval(text: &str) -> Result<u32, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.001..=86_400.0).contains(&seconds) => Ok((seconds * 1000.0) as u32),
        Ok(_) | Err(_) => Err("it should be a number of seconds from 0.001 to 86400".to_owned()),
    }
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Existing {
    /// Name the new file `stem-1.ext`, said in the log
    Rename,
    /// Fail before anything is performed
    Refuse,
    /// Replace the file
    Overwrite,
}

impl Manner {
    pub(super) fn events_on_output(&self) -> bool {
        self.events.as_deref() == Some(Path::new("-"))
    }
}
