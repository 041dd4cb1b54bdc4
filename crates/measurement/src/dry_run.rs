//! Performing without a laboratory, and estimating without performing.
//!
//! [`DryBench`] has a clock that only sleeps move, keeps every update, and does a pool's work at once in the thread that
//! asks: the same tree gives the same trace every time. Its files are in memory. [`Outline`] only multiplies: how often
//! each task is performed and how long it takes at least, with the entries as the check left them.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use expr::Value;

use crate::{
    bench::{Bench, DataFile, Hdf5, Pools, RoundValues, Signal},
    check::{Check, Checked, Surroundings},
    instrument::{Ask, InstrumentId, Unanswered, Where},
    names::EntryId,
    program::Program,
    python::{PythonCall, PythonSide},
    task::Kind,
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
    asked: Vec<String>,
    answers: BTreeMap<String, VecDeque<Value>>,
    /// What parameters were set to, by instrument, place and name.
    parameters: BTreeMap<String, Value>,
    owners: BTreeMap<InstrumentId, TaskId>,
    files: BTreeMap<String, DryFile>,
    open: HashMap<TaskId, DataFile>,
    /// By task and path: what it wrote whole, and where.
    whole: HashMap<(TaskId, String), String>,
}

/// A file on a dry bench.
#[derive(Clone, Debug)]
pub enum DryFile {
    Bytes(Vec<u8>),
    /// An HDF5 file: what it was made as, and the values of every row.
    Hdf5(Box<Hdf5>, Vec<Vec<Value>>),
}

impl DryFile {
    /// The text of a file; empty for an HDF5 file.
    pub fn text(&self) -> String {
        match self {
            DryFile::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            DryFile::Hdf5(..) => String::new(),
        }
    }
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
    /// What instruments were asked, in order: `0: set voltage 1.5`, with their place behind: `at channel=2`.
    pub asked: Vec<String>,
    /// What tasks in pools raised.
    pub failures: Vec<String>,
    /// By path, at the end.
    pub files: BTreeMap<String, DryFile>,
    /// What tasks had open at the end.
    pub open: HashMap<TaskId, DataFile>,
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

    /// With files that are there before the run.
    #[must_use]
    pub fn with_files(self, files: impl IntoIterator<Item = (String, DryFile)>) -> Self {
        self.state().files.extend(files);
        self
    }

    /// With what an instrument answers to a question (`0: get voltage`), the first one first and the last one for ever.
    /// Where nothing is said a parameter has the value that it was set to, or 0.
    #[must_use]
    pub fn with_answers(self, question: &str, answers: impl IntoIterator<Item = Value>) -> Self {
        let answers = answers.into_iter().collect();
        self.state().answers.insert(question.to_owned(), answers);
        self
    }

    /// With a file that `task` had open when an earlier run broke.
    #[must_use]
    pub fn with_open(self, task: TaskId, file: DataFile) -> Self {
        self.state().open.insert(task, file);
        self
    }

    pub fn finish(self) -> DryRun {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        DryRun {
            values: state.values,
            updates: state.updates,
            log: state.log,
            time: state.clock,
            cut_short: state.checkpoints > state.limit,
            asked: state.asked,
            failures: state.failures,
            files: state.files,
            open: state.open,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn create(&mut self, task: TaskId, path: &str, new: DryFile, notes: Value) -> DataFile {
        let path = self.free(path);
        self.files.insert(path.clone(), new);
        let file = DataFile { path, rows: 0, notes };
        self.open.insert(task, file.clone());
        file
    }

    /// The path, or one beside it that no file has.
    fn free(&self, path: &str) -> String {
        let dot = path.rfind('.').filter(|dot| !path[*dot..].contains('/'));
        let (stem, extension) = path.split_at(dot.unwrap_or(path.len()));
        let beside = (1..).map(|number| format!("{stem}-{number}{extension}"));
        std::iter::once(path.to_owned())
            .chain(beside)
            .find(|path| !self.files.contains_key(path))
            .expect("there are more numbers than files")
    }

    fn opened(&mut self, task: TaskId) -> Result<(&mut DryFile, &mut u64), String> {
        let open = self.open.get_mut(&task).ok_or("the task has no file open")?;
        let file = self.files.get_mut(&open.path).ok_or("the open file is gone")?;
        Ok((file, &mut open.rows))
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

    fn ask(&self, _task: TaskId, instrument: InstrumentId, at: Where<'_>, ask: Ask<'_>) -> Result<Value, Unanswered> {
        let mut state = self.state();
        let mut place = format!("{}:", instrument.0);
        let mut asked = format!("{place} {ask}");
        for (name, value) in at {
            let words = format!(" at {name}={value}");
            asked.push_str(&words);
            place.push_str(&words);
        }
        state.asked.push(asked.clone());
        if let Some(answers) = state.answers.get_mut(&asked) {
            let next = if answers.len() > 1 {
                answers.pop_front()
            } else {
                answers.front().cloned()
            };
            return match next {
                Some(Value::None) | None => Err(Unanswered::Failed(format!("no answer to `{asked}`"))),
                Some(value) => Ok(value),
            };
        }
        Ok(match ask {
            Ask::Get(parameter) => {
                let known = state.parameters.get(&format!("{place} {parameter}"));
                known.cloned().unwrap_or(Value::Float(0.0))
            }
            Ask::Set(parameter, value) => {
                state.parameters.insert(format!("{place} {parameter}"), value.clone());
                Value::None
            }
            Ask::Query(_) => Value::from(""),
            Ask::Call(..) | Ask::Write(_) => Value::None,
        })
    }

    fn perform_python(
        &self,
        _task: TaskId,
        call: &PythonCall<'_>,
        _side: &mut dyn PythonSide,
    ) -> Result<(), Unanswered> {
        Err(Unanswered::Failed(format!(
            "there is no Python to perform `{}`",
            call.class
        )))
    }

    /// What it was said to answer, it has.
    fn instrument_has(&self, instrument: InstrumentId, name: &str) -> bool {
        let state = self.state();
        let begins = [
            format!("{}: get {name}", instrument.0),
            format!("{}: call {name}", instrument.0),
        ];
        state
            .answers
            .keys()
            .any(|question| begins.iter().any(|begin| question.starts_with(begin)))
    }

    fn takes_over(&self, task: TaskId, instrument: InstrumentId) -> bool {
        self.state().owners.insert(instrument, task) != Some(task)
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

    fn data_file(&self, task: TaskId) -> Option<DataFile> {
        self.state().open.get(&task).cloned()
    }

    fn create_text(&self, task: TaskId, path: &str, header: &[u8], notes: Value) -> Result<DataFile, String> {
        Ok(self.state().create(task, path, DryFile::Bytes(header.to_vec()), notes))
    }

    fn append_text(&self, task: TaskId, text: &[u8], rows: u64) -> Result<(), String> {
        let mut state = self.state();
        match state.opened(task)? {
            (DryFile::Bytes(bytes), count) => {
                bytes.extend_from_slice(text);
                *count += rows;
                Ok(())
            }
            (DryFile::Hdf5(..), _) => Err("the open file is no text file".to_owned()),
        }
    }

    fn create_hdf5(&self, task: TaskId, path: &str, file: &Hdf5, notes: Value) -> Result<DataFile, String> {
        let new = DryFile::Hdf5(Box::new(file.clone()), Vec::new());
        Ok(self.state().create(task, path, new, notes))
    }

    fn append_hdf5(&self, task: TaskId, values: &[Value]) -> Result<(), String> {
        let mut state = self.state();
        match state.opened(task)? {
            (DryFile::Hdf5(_, rows), count) => {
                rows.push(values.to_vec());
                *count += 1;
                Ok(())
            }
            (DryFile::Bytes(_), _) => Err("the open file is no HDF5 file".to_owned()),
        }
    }

    fn close_file(&self, task: TaskId) -> Result<(), String> {
        self.state().open.remove(&task);
        Ok(())
    }

    fn write_file(&self, task: TaskId, path: &str, content: &[u8]) -> Result<String, String> {
        let mut state = self.state();
        let asked = (task, path.to_owned());
        let path = match state.whole.get(&asked) {
            Some(known) => known.clone(),
            None => state.free(path),
        };
        state.whole.insert(asked, path.clone());
        state.files.insert(path.clone(), DryFile::Bytes(content.to_vec()));
        Ok(path)
    }

    fn read_file(&self, path: &str) -> Result<Vec<u8>, String> {
        match self.state().files.get(path) {
            Some(DryFile::Bytes(bytes)) => Ok(bytes.clone()),
            Some(DryFile::Hdf5(..)) => Err(format!("`{path}` is an HDF5 file")),
            None => Err(format!("there is no file `{path}`")),
        }
    }

    fn read_hdf5(&self, path: &str) -> Result<(Vec<(String, Value)>, Option<i64>), String> {
        match self.state().files.get(path) {
            // Scalars as lists of what was written: enough for what a task does with them.
            Some(DryFile::Hdf5(file, rows)) => {
                let column = |(number, dataset): (usize, &crate::bench::Dataset)| {
                    let values = rows
                        .iter()
                        .filter_map(|row| row.get(number)?.as_f64())
                        .collect::<Vec<_>>();
                    (dataset.path.clone(), Value::from(values))
                };
                let datasets = file.datasets.iter().enumerate().map(column).collect();
                Ok((datasets, i64::try_from(rows.len()).ok()))
            }
            Some(DryFile::Bytes(_)) => Err(format!("`{path}` is no HDF5 file")),
            None => Err(format!("there is no file `{path}`")),
        }
    }

    fn log(&self, _task: TaskId, message: &str) {
        self.state().log.push(message.to_owned());
    }

    fn now(&self) -> Duration {
        self.state().clock
    }

    fn loop_begins(&self, _task: TaskId, _total: Option<u64>) {}

    fn loop_ends(&self, _task: TaskId) {}

    fn record_round(&self, _task: TaskId, _total: Option<u64>, _values: Option<RoundValues<'_>>) -> Result<(), String> {
        Ok(())
    }

    fn record_iteration(&self, _task: TaskId, _is_left: bool) -> Result<(), String> {
        Ok(())
    }

    fn record_done(&self, _task: TaskId) -> Result<(), String> {
        Ok(())
    }
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
    let is_loop = node.kind().is_some_and(Kind::is_loop);
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
