//! Performing without a laboratory, and estimating without performing.
//!
//! [`DryBench`] has a clock that only sleeps move, keeps every update, and does a pool's work at once in the thread that
//! asks: the same tree gives the same trace every time. [`Outline`] only multiplies: how often each task is performed
//! and how long it takes at least, with the entries as the check left them.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use expr::Value;

use crate::{
    bench::{Bench, DataFile, Hdf5, Pools, Signal},
    check::{Check, Checked, Surroundings},
    names::EntryId,
    program::Program,
    tree::{TaskId, Tree},
};

/// A bench of values, a clock that only sleeps move, and what was said.
pub struct DryBench<'a> {
    program: &'a Program,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    values: Vec<Value>,
    updates: Vec<(EntryId, Value)>,
    log: Vec<String>,
    clock: Duration,
    checkpoints: usize,
    limit: usize,
    failures: Vec<String>,
}

/// What happened on a dry bench.
#[derive(Debug)]
pub struct DryRun {
    /// By [`EntryId`], at the end.
    pub values: Vec<Value>,
    /// Every update in order.
    pub updates: Vec<(EntryId, Value)>,
    pub log: Vec<String>,
    /// The time that was slept.
    pub time: Duration,
    /// Whether the limit of checkpoints ended it.
    pub cut_short: bool,
    /// What tasks in pools raised.
    pub failures: Vec<String>,
}

impl<'a> DryBench<'a> {
    /// A bench on which `program` passes at most `limit` checkpoints; `values` are those that its check left.
    pub fn new(program: &'a Program, values: Vec<Value>, limit: usize) -> Self {
        Self {
            program,
            state: Mutex::new(State {
                values,
                limit,
                ..State::default()
            }),
        }
    }

    pub fn finish(self) -> DryRun {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        DryRun {
            values: state.values,
            updates: state.updates,
            log: state.log,
            time: state.clock,
            cut_short: state.checkpoints > state.limit,
            failures: state.failures,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bench for DryBench<'_> {
    fn read(&self, entries: &[EntryId], into: &mut [Value]) {
        let state = self.state();
        for (entry, value) in entries.iter().zip(into) {
            *value = state.values[entry.index()].clone();
        }
    }

    fn write(&self, entry: EntryId, value: Value) {
        let mut state = self.state();
        state.values[entry.index()] = value.clone();
        state.updates.push((entry, value));
    }

    fn checkpoint(&self, _task: TaskId) -> Signal {
        let mut state = self.state();
        state.checkpoints += 1;
        if state.checkpoints > state.limit {
            Signal::Stop
        } else {
            Signal::Go
        }
    }

    fn passes(&self, _task: TaskId) {}

    fn sleep(&self, task: TaskId, time: Duration) -> Signal {
        self.sleep_through(task, time);
        Signal::Go
    }

    fn sleep_through(&self, _task: TaskId, time: Duration) {
        let mut state = self.state();
        state.clock = state.clock.saturating_add(time);
    }

    fn start(&self, task: TaskId, _pool: &str, value: Option<&Value>) -> Result<(), String> {
        if let Err(failure) = self.program.perform_work(task, value, self) {
            let mut state = self.state();
            state.failures.push(failure.to_string());
            // As a failing thread does: everything else stops.
            state.limit = 0;
        }
        Ok(())
    }

    fn wait(&self, _task: TaskId, _pools: &Pools) -> Result<(), String> {
        Ok(())
    }

    fn write_row(&self, entry: EntryId, row: usize, numbers: &[f64]) -> Result<(), String> {
        let mut state = self.state();
        state.values[entry.index()]
            .set_row(row, numbers)
            .map_err(|error| error.to_string())?;
        let value = state.values[entry.index()].clone();
        state.updates.push((entry, value));
        Ok(())
    }

    fn data_file(&self, _task: TaskId) -> Option<DataFile> {
        None
    }

    fn create_text(&self, _task: TaskId, path: &str, _header: &[u8], _notes: Value) -> Result<DataFile, String> {
        Err(format!("a dry run opens no file: `{path}`"))
    }

    fn append_text(&self, _task: TaskId, _text: &[u8], _rows: u64) -> Result<(), String> {
        Err("a dry run opens no file".to_owned())
    }

    fn create_hdf5(&self, _task: TaskId, path: &str, _file: &Hdf5, _notes: Value) -> Result<DataFile, String> {
        Err(format!("a dry run opens no file: `{path}`"))
    }

    fn append_hdf5(&self, _task: TaskId, _values: &[Value]) -> Result<(), String> {
        Err("a dry run opens no file".to_owned())
    }

    fn close_file(&self, _task: TaskId) -> Result<(), String> {
        Ok(())
    }

    fn write_file(&self, _task: TaskId, path: &str, _content: &[u8]) -> Result<String, String> {
        Err(format!("a dry run opens no file: `{path}`"))
    }

    fn read_file(&self, path: &str) -> Result<Vec<u8>, String> {
        Err(format!("a dry run opens no file: `{path}`"))
    }

    fn read_hdf5(&self, path: &str) -> Result<(Vec<(String, Value)>, Option<i64>), String> {
        Err(format!("a dry run opens no file: `{path}`"))
    }

    fn log(&self, _task: TaskId, message: &str) {
        self.state().log.push(message.to_owned());
    }

    fn now(&self) -> Duration {
        self.state().clock
    }

    fn loop_begins(&self, _task: TaskId, _total: Option<u64>) {}

    fn loop_ends(&self, _task: TaskId) {}
}

/// A tree as a list, with what can be known of it without performing it.
#[derive(Debug)]
pub struct Outline {
    pub lines: Vec<OutlineLine>,
    /// Iterations of the innermost loops together; nothing when a `WhileTask` decides.
    pub points: Option<f64>,
    /// Seconds that the tasks sleep together, one after the other; nothing likewise.
    pub seconds: Option<f64>,
}

/// A task of an [`Outline`].
#[derive(Debug)]
pub struct OutlineLine {
    pub depth: usize,
    pub task: TaskId,
    /// Iterations of a loop each time it is performed.
    pub rounds: Option<f64>,
    /// Its own entries, by full path.
    pub entries: Vec<String>,
    /// Names that it can refer to.
    pub visible: Vec<String>,
}

impl Outline {
    pub fn of(tree: &Tree, checked: &Checked, surroundings: &dyn Surroundings) -> Outline {
        let mut check = Check::resume(tree, checked.values.clone(), surroundings);
        let mut lines = Vec::new();
        for (depth, task) in tree.walk() {
            let node = tree.node(task);
            check.current = task;
            let entries = tree
                .entries_of(task)
                .into_iter()
                .map(|(_, id)| tree.database().entry(id).path.clone());
            lines.push(OutlineLine {
                depth,
                task,
                rounds: node.task.rounds(&mut check),
                entries: entries.collect(),
                visible: tree
                    .database()
                    .visible(node.scope)
                    .into_iter()
                    .map(str::to_owned)
                    .collect(),
            });
        }
        let (points, seconds, _) = weigh(tree, &mut check, TaskId::ROOT);
        Outline { lines, points, seconds }
    }
}

/// Points and seconds of a task and all below it, and whether there is a loop among them.
fn weigh(tree: &Tree, check: &mut Check<'_>, task: TaskId) -> (Option<f64>, Option<f64>, bool) {
    let node = tree.node(task);
    check.current = task;
    let rounds = node.task.rounds(check);
    let own = node.task.seconds(check);
    let is_loop = node
        .kind()
        .is_some_and(|kind| matches!(kind.id, "exopy.LoopTask" | "exopy.WhileTask"));
    let mut points = Some(0.0);
    let mut seconds = Some(0.0);
    let mut has_loop = false;
    for child in node.embedded.iter().chain(&node.children) {
        let (child_points, child_seconds, child_has_loop) = weigh(tree, check, *child);
        points = points.zip(child_points).map(|(a, b)| a + b);
        seconds = seconds.zip(child_seconds).map(|(a, b)| a + b);
        has_loop |= child_has_loop;
    }
    if is_loop && !has_loop {
        points = Some(1.0);
    }
    // Nothing times an unknown number of rounds is still nothing.
    let times = |each: Option<f64>| match (rounds, each) {
        (_, Some(0.0)) => Some(0.0),
        (Some(rounds), Some(each)) => Some(rounds * each),
        (None, _) | (_, None) => None,
    };
    (
        times(points),
        times(seconds).map(|seconds| seconds + own),
        has_loop || is_loop,
    )
}
