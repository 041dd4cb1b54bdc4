//! How something is ended: ask, terminate, kill, each with its patience. Asking again climbs at once.
//!
//! Held as data, so that a run that is killed, a child that is to end and a child that lost its voice climb the same
//! rungs.

use std::time::Duration;

/// A rung of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rung {
    /// With a word.
    Ask,
    /// With a signal that can be caught, to the whole process group.
    Terminate,
    /// With a signal that cannot.
    Kill,
}

impl Rung {
    pub(crate) fn next(self) -> Option<Rung> {
        match self {
            Rung::Ask => Some(Rung::Terminate),
            Rung::Terminate => Some(Rung::Kill),
            Rung::Kill => None,
        }
    }

    /// How long a killed run has at this rung.
    pub(crate) fn patience(self) -> Duration {
        match self {
            // A task between two checkpoints needs milliseconds; who kills does not want to wait for more.
            Rung::Ask => Duration::from_millis(300),
            Rung::Terminate => Duration::from_millis(500),
            // Only a process inside the kernel (a hung network disk) outlives this.
            Rung::Kill => Duration::from_secs(2),
        }
    }
}

/// How long a child that is asked to shut down may take to close what it has open.
pub(crate) const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(1);
