//! The exit status, which scripts rely on.
//!
//! In order of weight, so that of several files the highest counts.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// It did what it was asked to.
    Completed = 0,
    /// A task failed, or the child died.
    Failed = 1,
    /// The command line, or a file that cannot be read or built.
    Unusable = 2,
    /// The checks refused the measurement; nothing was performed.
    Refused = 3,
    /// The operator ended it.
    Interrupted = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}
