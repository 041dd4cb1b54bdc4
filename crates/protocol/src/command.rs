//! What the parent says.

use serde::{Deserialize, Serialize};

/// What only the parent of a child knows, so that nobody else can command it.
pub type Token = [u8; 16];

/// A word from parent to child.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// The first word; anything else, or a wrong token, ends the connection.
    Hello { version: u16, token: Token },
    /// Perform a measurement; refused while another is performed.
    Perform(Box<Request>),
    /// Hold all tasks at their next checkpoint, sleeps where they are.
    Pause,
    /// Let them go on.
    Resume,
    /// End the measurement at the next checkpoint, sleeps at once, and release everything.
    Stop,
    /// End the process, after stopping what is performed.
    Shutdown,
}

/// A measurement to perform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The measurement's file, name, id and `default_path` included.
    pub text: String,
    /// `YYYY-MM-DD`, the entry `meas_date`.
    pub date: String,
    /// `HH-MM-SS`, the entry `meas_time`.
    pub time: String,
    pub checks: Checks,
    /// Entries whose values are sent as they change.
    pub observe: Observe,
    /// Whether every single update of them is sent, the loop waiting for the reader, or the latest now and then.
    pub lossless: bool,
    /// Whether the final value of every entry is wanted, observed or not.
    pub all_values: bool,
    pub on_existing: OnExisting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Checks {
    Run,
    /// Perform although the checks may fail; definitions are evaluated all the same.
    Skip,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Observe {
    All,
    /// Full paths of entries.
    Only(Vec<String>),
}

/// What happens to files that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnExisting {
    /// The new file is called `stem-1.ext`, said in the log.
    Rename,
    /// The run fails before it begins.
    Refuse,
    Overwrite,
}
