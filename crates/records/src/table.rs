//! What a run measured, as tables: one for each loop, with a row for each of its iterations.
//!
//! This is what a record is read into and what every export and plot is made from. Nothing here knows how it is stored.

use num_complex::Complex64;

/// The rows of one loop; of the root, which is performed once, a single row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Path of the loop's task: `root/outer/inner`; `root` for what is in no loop.
    pub path: String,
    /// The loops around a row, from the outermost to the table's own; empty for the root.
    pub axes: Vec<Axis>,
    /// Every entry that tasks of this loop write, tasks of loops inside it excepted.
    pub columns: Vec<Column>,
    /// When each row was complete, microseconds since 1970-01-01 UTC, to about 10 ms.
    pub times_us: Vec<i64>,
}

impl Table {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.times_us.len()
    }

    pub fn is_empty(&self) -> bool {
        self.times_us.is_empty()
    }

    /// The name of the loop's task, the last part of its path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// A loop around the rows of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// Path of the loop's task.
    pub path: String,
    /// Iterations that the loop announced, the most of all its rounds; nothing for a `WhileTask`.
    pub total: Option<u64>,
    /// For each row the iteration of this loop, from 0.
    pub index: Vec<u32>,
    /// For each row the value of this loop; nothing for a `WhileTask`.
    pub value: Option<Column>,
}

impl Axis {
    /// The name of the loop's task, the last part of its path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// One value for each row.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// `f_a`: the last part of the entry's path.
    pub name: String,
    /// Full path of the entry: `root/loop/f_a`; a field of a record array has its name behind: `root/loop/p_trace.freq`.
    pub path: String,
    /// Shape of one cell: empty for a scalar, `[101]` for a trace of 101 points.
    pub cell: Vec<usize>,
    /// Rows times the elements of a cell, cell by cell, each in C order.
    pub data: Data,
    /// `V`, where known.
    pub unit: Option<String>,
}

/// The elements of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    Bool(Vec<bool>),
    Int(Vec<i64>),
    /// Missing elements are NaN.
    Float(Vec<f64>),
    Complex(Vec<Complex64>),
    /// Texts, and every value that is neither a number nor an array of numbers, as Python's `str` shows it.
    Text(Vec<String>),
}

impl Data {
    pub fn len(&self) -> usize {
        match self {
            Data::Bool(data) => data.len(),
            Data::Int(data) => data.len(),
            Data::Float(data) => data.len(),
            Data::Complex(data) => data.len(),
            Data::Text(data) => data.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What is known of a run beside its rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Name of the measurement.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Facts in the order in which they are shown and exported as attributes: `start`, `end`, `outcome`, `host`,
    /// `measurand_version`, `file`, `measurement` (the text of the file) …; texts as people read them.
    pub items: Vec<(String, String)>,
}
