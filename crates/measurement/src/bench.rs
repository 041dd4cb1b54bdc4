//! Everything a task may touch while it is performed.
//!
//! The process that runs measurements has the real implementation, with a clock, threads and a log file; [`crate::DryBench`]
//! has none of them. A run pauses and stops in here and nowhere else: at [`Bench::checkpoint`] and in the waits.

use std::time::Duration;

use expr::Value;

use crate::{
    instrument::{Ask, InstrumentId, Unanswered, Where},
    names::EntryId,
    python::{PythonCall, PythonSide},
    tree::TaskId,
};

/// What a checkpoint answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Go on.
    Go,
    /// The run is being stopped: return without doing more.
    Stop,
}

/// The pools that a task waits for before it is performed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pools {
    All,
    /// Only these.
    Only(Vec<String>),
    /// All but these.
    AllBut(Vec<String>),
}

impl Pools {
    pub fn contains(&self, pool: &str) -> bool {
        match self {
            Pools::All => true,
            Pools::Only(pools) => pools.iter().any(|name| name == pool),
            Pools::AllBut(pools) => pools.iter().all(|name| name != pool),
        }
    }
}

/// The values of a round of a loop.
#[derive(Clone, Copy, Debug)]
pub struct RoundValues<'v> {
    /// The entry `loop_values`.
    pub array: &'v Value,
    /// The values where the array does not hold them as they are: a range, or a list.
    pub values: Option<&'v Value>,
}

/// A data file that a task has open.
#[derive(Clone, Debug)]
pub struct DataFile {
    /// Where it is: not always where the task asked for, because nothing that exists is overwritten unless asked.
    pub path: String,
    /// Rows appended so far: lines of a text file, its header excepted, or rows of the datasets.
    pub rows: u64,
    /// What the task left with it to know again when a broken run goes on.
    pub notes: Value,
}

/// The numbers that a dataset of an HDF5 file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    Int64,
    Float16,
    Float32,
    Float64,
}

/// A dataset of a new HDF5 file.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// `data/current`: groups and name.
    pub path: String,
    pub element: Element,
    /// Shape of the value of one row; empty for a scalar.
    pub cell: Vec<usize>,
    pub rows: Rows,
    pub gzip: bool,
}

/// How a dataset is filled.
#[derive(Clone, Debug)]
pub enum Rows {
    /// It grows by one row with each call: shape `(rows, *cell)`.
    Appended,
    /// Its shape is `(*dims, *cell)` from the beginning, and calls fill it in C order of `dims`.
    Within(Vec<usize>),
    /// It holds this value, which is `cell` in shape, and no row is added to it.
    Constant(Value),
}

/// A new HDF5 file. The attribute `count_calls` of the file is kept by whoever writes it.
#[derive(Clone, Debug)]
pub struct Hdf5 {
    pub datasets: Vec<Dataset>,
    /// Attributes of the file: texts, ints and bools.
    pub attributes: Vec<(String, Attribute)>,
    /// A growing dataset that got one row, or none, loses its first dimension when the file is closed.
    pub squeeze: bool,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    Text(String),
    Int(i64),
    Bool(bool),
}

/// The datasets of an HDF5 file, by their paths.
pub type Datasets = Vec<(String, Value)>;

pub trait Bench: Sync {
    /// The current values of `entries`, in their order; both slices have the same length.
    fn read(&self, entries: &[EntryId], into: &mut [Value]);

    fn write(&self, entry: EntryId, value: Value);

    /// Writes two entries, the first one first: what a loop does for each of its points, at the price of one.
    fn write_both(&self, first: (EntryId, Value), second: (EntryId, Value)) {
        self.write(first.0, first.1);
        self.write(second.0, second.1);
    }

    /// Says where the run is; returns at once unless the run is paused, then when it goes on or stops.
    fn checkpoint(&self, task: TaskId) -> Signal;

    /// Says where the run is without asking whether to go on: for tasks that must not be stopped.
    fn passes(&self, task: TaskId);

    /// Sleeps; a pause holds what is left of the time, a stop ends it.
    fn sleep(&self, task: TaskId, time: Duration) -> Signal;

    /// Sleeps through pauses and stops, for tasks that must not be stopped.
    fn sleep_through(&self, task: TaskId, time: Duration);

    /// Performs the work of `task` in the background as a member of `pool`; waits first for the task's own earlier work.
    ///
    /// # Errors
    /// A thread cannot be had, or waiting would never end.
    fn start(&self, task: TaskId, pool: &str, value: Option<&Value>) -> Result<(), String>;

    /// Waits until nothing is at work in `pools`; the asking thread's own work does not count.
    ///
    /// # Errors
    /// Everybody waits for everybody: it would never end.
    fn wait(&self, task: TaskId, pools: &Pools) -> Result<(), String>;

    /// Sets row `row` of the array with fields that `entry` holds, one number for each field, without a copy of the rest.
    ///
    /// # Errors
    /// The entry holds something else, or has no such row.
    fn write_row(&self, entry: EntryId, row: usize, numbers: &[f64]) -> Result<(), String>;

    /// The data file that `task` has open. One that a broken run had open is open again when the run goes on, cut back
    /// to the rows on record.
    fn data_file(&self, task: TaskId) -> Option<DataFile>;

    /// Opens a new text file for `task`, which begins with `header`; missing folders are made. What the task had open
    /// is closed.
    ///
    /// # Errors
    /// It cannot be made, or exists and must not be touched.
    fn create_text(&self, task: TaskId, path: &str, header: &[u8], notes: Value) -> Result<DataFile, String>;

    /// Appends to the text file that `task` has open: `rows` lines, which are with the operating system when this
    /// returns.
    ///
    /// # Errors
    /// They cannot be written.
    fn append_text(&self, task: TaskId, text: &[u8], rows: u64) -> Result<(), String>;

    /// Opens a new HDF5 file for `task`, as [`Bench::create_text`] does.
    ///
    /// # Errors
    /// It cannot be made, or exists and must not be touched.
    fn create_hdf5(&self, task: TaskId, path: &str, file: &Hdf5, notes: Value) -> Result<DataFile, String>;

    /// Adds a row to every dataset of the HDF5 file that `task` has open, constants excepted, one value for each in
    /// their order.
    ///
    /// # Errors
    /// A value has another shape or kind than its dataset, there is no room for another row, or the disk is full.
    fn append_hdf5(&self, task: TaskId, values: &[Value]) -> Result<(), String>;

    /// Closes what `task` has open; what is open at the end of the run is closed then.
    ///
    /// # Errors
    /// The last of it cannot be written.
    fn close_file(&self, task: TaskId) -> Result<(), String>;

    /// Writes a whole file; the next time this task writes to the same `path` the file is replaced as a whole. Missing
    /// folders are made. Returns where it is.
    ///
    /// # Errors
    /// It cannot be written, or exists and must not be touched.
    fn write_file(&self, task: TaskId, path: &str, content: &[u8]) -> Result<String, String>;

    /// The content of a file.
    ///
    /// # Errors
    /// It cannot be read.
    fn read_file(&self, path: &str) -> Result<Vec<u8>, String>;

    /// The datasets of an HDF5 file with their paths, and the attribute `count_calls` of the file if it has one.
    ///
    /// # Errors
    /// It cannot be read, or holds something else than numbers.
    fn read_hdf5(&self, path: &str) -> Result<(Datasets, Option<i64>), String>;

    /// Asks something of an instrument. A stop ends what is under way; a task that is not stoppable is answered
    /// all the same.
    ///
    /// # Errors
    /// The run is being stopped, or the instrument does not do it.
    fn ask(&self, task: TaskId, instrument: InstrumentId, at: Where<'_>, ask: Ask<'_>) -> Result<Value, Unanswered>;

    /// The same, though the run is being stopped: to bring to an end what was begun.
    ///
    /// # Errors
    /// The instrument does not do it.
    fn ask_through(
        &self,
        task: TaskId,
        instrument: InstrumentId,
        at: Where<'_>,
        ask: Ask<'_>,
    ) -> Result<Value, Unanswered> {
        self.ask(task, instrument, at, ask)
    }

    /// Whether an instrument has a parameter or a method of this name.
    fn instrument_has(&self, instrument: InstrumentId, name: &str) -> bool;

    /// Makes `task` the user of an instrument; says whether another was, or nobody.
    fn takes_over(&self, task: TaskId, instrument: InstrumentId) -> bool;

    /// Performs a task that is written in Python, which may ask `side` meanwhile.
    ///
    /// # Errors
    /// The run is being stopped, the task raised, or its process is gone.
    fn perform_python(&self, task: TaskId, call: &PythonCall<'_>, side: &mut dyn PythonSide) -> Result<(), Unanswered>;

    /// A message of a task, for the measurement's log.
    fn log(&self, task: TaskId, message: &str);

    /// Time since some moment before the run.
    fn now(&self) -> Duration;

    /// A loop begins its round: `total` iterations, or nobody knows how many.
    fn loop_begins(&self, task: TaskId, total: Option<u64>);

    /// The values of the round that begins go on record; not asked for a loop that goes on in the middle of a round.
    ///
    /// # Errors
    /// The record cannot be written.
    fn record_round(&self, task: TaskId, total: Option<u64>, values: Option<RoundValues<'_>>) -> Result<(), String>;

    /// An iteration of a loop is complete: it goes on record with what its tasks wrote. `is_left` says that the loop was
    /// left by a break.
    ///
    /// # Errors
    /// The record cannot be written.
    fn record_iteration(&self, task: TaskId, is_left: bool) -> Result<(), String>;

    /// A task is complete that stands outside of the innermost loops.
    ///
    /// # Errors
    /// The record cannot be written.
    fn record_done(&self, task: TaskId) -> Result<(), String>;

    fn loop_ends(&self, task: TaskId);
}
