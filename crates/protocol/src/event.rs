//! What the child says.

use expr::Value;
use measurement::Problem;
use serde::{Deserialize, Serialize};

/// An event with its number, from 1 in each child without gaps, and when it was sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Numbered {
    pub seq: u64,
    /// Microseconds since 1970-01-01 UTC.
    pub time_us: i64,
    pub event: Event,
}

/// A word from child to parent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    /// The answer to [`crate::Command::Hello`]; `refused` says why the child will not work for this parent.
    Hello {
        version: u16,
        pid: u32,
        refused: Option<String>,
    },
    /// Waiting for a measurement.
    Ready,
    /// What the child's own check found; errors mean that nothing is performed and `Finished` follows.
    Problems(Vec<Problem>),
    /// The first task may start: what there is, and the observed values before anything ran.
    Started {
        /// Full paths of all entries; [`Event::Values`] names an entry by its position here.
        entries: Vec<String>,
        values: Vec<(u32, Value)>,
        /// The log file of the run.
        log_file: String,
        /// The copy of the measurement beside it.
        saved_file: String,
        /// The record of the run, if one is kept.
        record: Option<String>,
    },
    Log {
        level: Level,
        target: String,
        message: String,
    },
    /// Updates of observed entries: every one in order when lossless, else the latest of each that changed.
    Values(Vec<(u32, Value)>),
    /// Iteration `index` of a running loop, of `total` if anybody knows.
    Progress {
        task: String,
        index: u64,
        total: Option<u64>,
    },
    /// A thread of the run has been at the same task for a while: which, what it does there, and for how long.
    At { task: String, doing: Doing, millis: u64 },
    /// These instruments are open and have a declared safe state: whoever survives this process sees to it.
    Opened(Vec<String>),
    /// They are closed, in whatever state they should be.
    Released,
    /// The answer to [`crate::Command::MakeSafe`]: what could not be done.
    MadeSafe(Vec<String>),
    /// All tasks are held.
    Paused,
    /// They go on.
    Resumed,
    /// The measurement ended and everything it held is released.
    Finished {
        outcome: Outcome,
        /// By task path, `unhandled` or `engine`.
        errors: Vec<(String, String)>,
        /// The final value of every entry, if they were wanted.
        values: Vec<(u32, Value)>,
        /// Points on record: iterations of the innermost loops.
        points: u64,
    },
    /// The measurement's log is complete: no `Log` of it follows.
    LogClosed,
    /// No `Values` of the measurement follow.
    ValuesClosed,
    /// The log goes on in another file: it is a new day.
    LogFile(String),
    /// A command that cannot be obeyed now, with the reason.
    Refused { command: String, why: String },
    /// The last word: the process ends.
    Closing,
}

/// What a thread does that has not moved for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Doing {
    Working,
    Sleeping,
    /// For the end of other tasks.
    Waiting,
    Held,
}

/// Python's levels, as the log files of Exopy name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    Debug,
    Info,
    Warning,
    Error,
    Critical,
}

impl Level {
    pub fn name(self) -> &'static str {
        match self {
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warning => "WARNING",
            Level::Error => "ERROR",
            Level::Critical => "CRITICAL",
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    Completed,
    Failed,
    /// By the operator.
    Interrupted,
    /// It never began.
    Skipped,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Completed => "Completed",
            Outcome::Failed => "Failed",
            Outcome::Interrupted => "Interrupted",
            Outcome::Skipped => "Skipped",
        }
    }
}
