//! How a run ended, and the words for an end that the engine brought about or suffered: errors of the key `engine`.
//!
//! What tasks and hooks did wrong comes with its own words.

use protocol::Outcome;

use crate::ladder::Rung;

/// How the measurement itself ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) outcome: Outcome,
    pub(crate) errors: Vec<(String, String)>,
}

pub(crate) fn engine_error(text: impl Into<String>) -> (String, String) {
    ("engine".to_owned(), text.into())
}

pub(crate) fn killed_before() -> Ending {
    let errors = vec![engine_error("killed by the operator before the measurement began")];
    Ending {
        outcome: Outcome::Interrupted,
        errors,
    }
}

/// How a killed run ended: the error says how far the ladder was climbed.
pub(crate) fn killed(rung: Rung, mut errors: Vec<(String, String)>, how: Option<&str>) -> Ending {
    let mut text = "killed by the operator: ".to_owned();
    match (rung, how) {
        (Rung::Ask, None) => text.push_str("it ended when asked"),
        (Rung::Ask, Some(how)) => text.push_str(&format!("its process died when asked to stop: {how}")),
        (Rung::Terminate, None) => text.push_str("it ended while its process was being terminated"),
        (Rung::Terminate, Some(how)) => {
            text.push_str(&format!("it did not end when asked, its process was terminated: {how}"));
        }
        (Rung::Kill, None) => text.push_str("it ended while its process was being killed"),
        (Rung::Kill, Some(how)) => {
            text.push_str(&format!(
                "it ended neither when asked nor when terminated, its process was killed: {how}"
            ));
        }
    }
    errors.push(engine_error(text));
    Ending {
        outcome: Outcome::Interrupted,
        errors,
    }
}
