//! Everything a task may touch while it is performed.
//!
//! The process that runs measurements has the real implementation, with a clock, threads and a log file; [`crate::DryBench`]
//! has none of them. A run pauses and stops in here and nowhere else: at [`Bench::checkpoint`] and in the waits.

use std::time::Duration;

use expr::Value;

use crate::{names::EntryId, tree::TaskId};

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

    /// A message of a task, for the measurement's log.
    fn log(&self, task: TaskId, message: &str);

    /// Time since some moment before the run.
    fn now(&self) -> Duration;

    /// A loop begins its round: `total` iterations, or nobody knows how many.
    fn loop_begins(&self, task: TaskId, total: Option<u64>);

    fn loop_ends(&self, task: TaskId);
}
