//! What a record is about: the first frame of it, JSON for people and for later versions.

use serde::{Deserialize, Serialize};

/// Version of the format; a record of another version is refused.
pub const FORMAT: u32 = 1;

/// The measurement as its rows need it, and what was known when the run began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    pub format: u32,
    pub run: RunFacts,
    pub tasks: Vec<TaskFacts>,
    /// Full paths of all entries.
    pub entries: Vec<String>,
    /// Units of entries, where known.
    pub units: Vec<(u32, String)>,
    /// The root's, then one for each loop in the order of the file.
    pub tables: Vec<TableFacts>,
}

/// What was known when the run began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFacts {
    pub name: String,
    pub id: String,
    /// The file as the user named it.
    pub file: String,
    /// The text of the measurement, as it was performed.
    pub text: String,
    pub default_path: String,
    pub host: String,
    pub user: String,
    /// Version of this program.
    pub version: String,
    /// Microseconds since 1970-01-01 UTC.
    pub started_us: i64,
    /// Problems that the checks left: warnings, or errors of a run that was asked for in spite of them.
    pub remarks: Vec<String>,
}

/// A task of the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFacts {
    pub path: String,
    pub parent: Option<u32>,
    /// The task whose background this task is performed in; its own work, if it has a pool. 0: the run itself.
    pub works_in: u32,
    /// The background that this task is called from.
    pub called_in: u32,
    /// The table of the innermost loop around it.
    pub table: u32,
}

/// The table of a loop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFacts {
    pub task: u32,
    /// The table of the loop around it.
    pub parent: Option<u32>,
    /// Entries with a value in each row.
    pub columns: Vec<u32>,
    pub entries: LoopEntries,
    /// Whether no loop is inside it: its rows are the points of the run, and nothing inside one is on record alone.
    pub is_innermost: bool,
    /// Whether the loop has values; a `WhileTask` has none.
    pub has_values: bool,
}

/// A loop's own entries, which are not columns because they follow from the number of the row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoopEntries {
    pub point_number: Option<u32>,
    pub index: Option<u32>,
    pub value: Option<u32>,
    pub loop_values: Option<u32>,
}

/// Something that happened to the run, with its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub time_us: i64,
    #[serde(flatten)]
    pub what: What,
}

impl Mark {
    pub(crate) fn is_resumption(&self) -> bool {
        matches!(self.what, What::Resumed { .. })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// An instrument was opened: what drives it, where it is, and what it says that it is.
    Instrument {
        name: String,
        driver: String,
        address: String,
        identity: Option<String>,
    },
    /// All tasks were held.
    Paused { by: String },
    /// They went on.
    WentOn { by: String },
    /// The run was asked to end.
    StopAsked { by: String },
    /// The process before this one ended without finishing the run; another went on.
    Resumed {
        host: String,
        user: String,
        version: String,
        /// Words about what was cut off.
        cut: Option<String>,
    },
    /// Every task is complete; what is left is to close the data files.
    Closing,
    /// The run ended in an orderly way: an outcome, and errors by task path.
    Ended {
        outcome: String,
        errors: Vec<(String, String)>,
    },
}
