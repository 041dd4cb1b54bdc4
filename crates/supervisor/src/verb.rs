//! What an operator can ask of a run, and the words when it cannot be done.

use std::fmt;

/// What an operator can ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Pause,
    Resume,
    Stop,
    Kill,
}

impl Verb {
    pub fn name(self) -> &'static str {
        match self {
            Verb::Pause => "pause",
            Verb::Resume => "resume",
            Verb::Stop => "stop",
            Verb::Kill => "kill",
        }
    }
}

/// Why something is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No run is there to be asked.
    NothingRuns,
    /// The run is in a state in which the request makes no sense.
    Impossible { verb: Verb, why: &'static str },
    /// The child said something that cannot happen now; it is ignored.
    Unexpected { event: &'static str, state: &'static str },
    /// The loop of the run did not take the request up in time.
    NoAnswer,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NothingRuns => write!(f, "no measurement is performed"),
            Refusal::Impossible { verb, why } => write!(f, "cannot {}: {why}", verb.name()),
            Refusal::Unexpected { event, state } => {
                write!(f, "the child said `{event}` in the state `{state}`, which is ignored")
            }
            Refusal::NoAnswer => write!(f, "the run does not answer"),
        }
    }
}

impl std::error::Error for Refusal {}
