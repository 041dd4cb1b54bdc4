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
    /// Who asks for what is said next: `key p in the terminal`, for the record of the run.
    AskedBy(String),
    /// Hold all tasks at their next checkpoint, sleeps where they are.
    Pause,
    /// Let them go on.
    Resume,
    /// End the measurement at the next checkpoint, sleeps at once, and release everything.
    Stop,
    /// Bring these instruments of a measurement to their safe states, because the process that had them open died.
    MakeSafe(Box<Request>, Vec<String>),
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
    pub recording: Recording,
    /// How often what was measured is synced to the disk, in milliseconds.
    pub flush_ms: u32,
    /// The file as the user named it, for the record.
    pub file: String,
    pub laboratory: Laboratory,
    /// So many times shorter are all waits: for rehearsals with simulated instruments. 1 is as the file says.
    pub speed: u32,
}

/// Where the instruments of a measurement are, and what drives them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Laboratory {
    /// Folders of profiles; the first that has one counts.
    pub profiles: Vec<String>,
    /// Folders of driver files.
    pub drivers: Vec<String>,
    /// VISA resource names by profile, which come before what the profile says.
    pub addresses: Vec<(String, String)>,
    /// The interpreter of drivers and tasks in Python that name none.
    pub python: Option<String>,
    /// Prologix adapters, each of which makes a GPIB bus.
    pub adapters: Vec<String>,
    /// Folders in which their modules are looked for first: that of the measurement's file.
    pub modules: Vec<String>,
}

/// Whether a record of the run is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recording {
    Off,
    New,
    /// Go on with the run of this record.
    GoOn {
        record: String,
        assume: Assume,
    },
}

/// What may be taken for granted when a run goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assume {
    /// Data files on record that are gone are not waited for: new ones are begun.
    pub new_files: bool,
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
