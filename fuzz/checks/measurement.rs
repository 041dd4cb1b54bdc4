//! What must hold of any bytes that are read as a measurement: it is read or refused, checked, outlined and performed,
//! and none of it panics or runs away. The text that would cross to the performing process describes the same tree.
//!
//! The bench is not `DryBench`: that one keeps every update and lets formulas take their time, so an input with a thousand
//! large arrays would be a finding about the bench. This one keeps values only, forgets what is written to files, and stops
//! after a while, as an operator does.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use expr::Value;
use measurement::{
    Ask, Bench, DataFile, Database, EntryId, Hdf5, InstrumentId, Measurement, Outline, Overrides, Pools, Program,
    PythonCall, PythonSide, RoundValues, Signal, Source, Surroundings, TaskId, Unanswered, Where, file::File, is_old,
};

/// Checkpoints that a measurement passes before it is stopped.
const CHECKPOINTS: usize = 2000;
/// Time after which it is stopped likewise.
const PATIENCE: Duration = Duration::from_secs(1);

/// # Panics
/// Something does not hold.
pub(crate) fn check(bytes: &[u8]) {
    let overrides = Overrides {
        name: Some("fuzzed".to_owned()),
        id: Some("001".to_owned()),
        default_path: Some("/data".to_owned()),
        expressions: vec![("n".to_owned(), "3".to_owned())],
    };
    read(bytes, &overrides);
    read(bytes, &Overrides::default());
}

fn read(bytes: &[u8], overrides: &Overrides) {
    let measurement = match Measurement::read(bytes, "stem", overrides) {
        Ok(measurement) => measurement,
        Err(problems) => {
            assert!(!problems.is_empty(), "a measurement is refused without a reason");
            return;
        }
    };
    let facts = measurement.facts("2026-11-22", "10-00-00");
    let checked = measurement.tree.check(&facts, &Folders);
    for problem in measurement.problems.iter().chain(&checked.problems) {
        if let Some((start, end)) = problem.place {
            assert!(
                start <= end && end <= measurement.source().len(),
                "{problem:?} lies outside of the file"
            );
        }
        measurement.line_col(problem);
    }
    for shown in measurement.monitor.shown() {
        shown.words(|entry| checked.values.get(entry.index()));
    }
    Outline::of(&measurement.tree, &checked, &Folders);
    same_behind_the_wall(&measurement);
    if measurement.is_built() {
        let program = measurement.tree.prepare();
        perform(&program, checked.values);
        let values = measurement.tree.define(&facts, &Folders);
        perform(&program, values);
    }
}

/// The performing process reads [`Measurement::text`] anew and must find what was found here.
fn same_behind_the_wall(measurement: &Measurement) {
    // Parts of an old file that are no measurement stay as they were, and may look like one when the rest is of today.
    if File::parse(measurement.text()).is_ok_and(|file| is_old(&file)) {
        return;
    }
    let there = match Measurement::read(measurement.text().as_bytes(), "stem", &Overrides::default()) {
        Ok(there) => there,
        Err(problems) => panic!(
            "the text of a measurement cannot be read: {problems:?}\n{}",
            measurement.text()
        ),
    };
    let paths = |measurement: &Measurement| {
        measurement
            .tree
            .nodes()
            .iter()
            .map(|node| node.path.clone())
            .collect::<Vec<_>>()
    };
    let entries = |database: &Database| {
        database
            .entries()
            .iter()
            .map(|entry| entry.path.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(paths(measurement), paths(&there), "other tasks behind the wall");
    assert_eq!(
        entries(measurement.tree.database()),
        entries(there.tree.database()),
        "other entries behind the wall"
    );
}

fn perform(program: &Program, values: Vec<Value>) {
    let state = State {
        values,
        clock: Duration::ZERO,
        checkpoints: 0,
        open: HashMap::new(),
    };
    let bench = Impatient {
        program,
        deadline: Instant::now() + PATIENCE,
        state: Mutex::new(state),
    };
    // Whether it fails is not asked here.
    program.perform(&bench).ok();
}

struct Folders;

impl Surroundings for Folders {
    fn folder(&self, path: &str) -> Result<(), String> {
        if path.starts_with('/') {
            Ok(())
        } else {
            Err("there is no such folder".to_owned())
        }
    }

    fn folder_or_made(&self, path: &str) -> Result<(), String> {
        self.folder(path)
    }

    fn is_file(&self, path: &str) -> bool {
        path.ends_with(".dat")
    }

    fn beginning(&self, path: &str) -> Option<Vec<u8>> {
        // Whatever was made up as a path is as good as any other text.
        Some(path.replace('/', "\n").into_bytes())
    }

    fn datasets(&self, path: &str) -> Option<Vec<String>> {
        Some(path.split('/').map(str::to_owned).collect())
    }
}

/// A bench whose operator stops the run when it has seen enough.
struct Impatient<'a> {
    program: &'a Program,
    deadline: Instant,
    state: Mutex<State>,
}

struct State {
    values: Vec<Value>,
    clock: Duration,
    checkpoints: usize,
    open: HashMap<TaskId, DataFile>,
}

impl Impatient<'_> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Impatient<'_> {
    fn create(&self, task: TaskId, path: &str, notes: Value) -> DataFile {
        let path = path.to_owned();
        let file = DataFile { path, rows: 0, notes };
        self.state().open.insert(task, file.clone());
        file
    }

    fn append(&self, task: TaskId, rows: u64) -> Result<(), String> {
        let mut state = self.state();
        let file = state.open.get_mut(&task).ok_or("the task has no file open")?;
        file.rows += rows;
        Ok(())
    }
}

impl Bench for Impatient<'_> {
    /// Instruments take whatever they are told, and answer 0; what polls one for ever is stopped.
    fn ask(&self, task: TaskId, _instrument: InstrumentId, _at: Where<'_>, ask: Ask<'_>) -> Result<Value, Unanswered> {
        if self.checkpoint(task) == Signal::Stop {
            return Err(Unanswered::Stopped);
        }
        Ok(match ask {
            Ask::Get(_) | Ask::Call(..) => Value::Float(0.0),
            Ask::Set(..) | Ask::Write(_) => Value::None,
            Ask::Query(_) => Value::from("0"),
        })
    }

    fn instrument_has(&self, _instrument: InstrumentId, _name: &str) -> bool {
        true
    }

    fn takes_over(&self, _task: TaskId, _instrument: InstrumentId) -> bool {
        true
    }

    fn perform_python(
        &self,
        _task: TaskId,
        call: &PythonCall<'_>,
        _side: &mut dyn PythonSide,
    ) -> Result<(), Unanswered> {
        Err(Unanswered::Failed(format!("there is no Python for `{}`", call.class)))
    }

    fn read(&self, entries: &[EntryId], into: &mut [Value]) {
        let state = self.state();
        for (entry, value) in entries.iter().zip(into) {
            *value = state.values[entry.index()].clone();
        }
    }

    fn write(&self, entry: EntryId, value: Value) {
        self.state().values[entry.index()] = value;
    }

    fn checkpoint(&self, _task: TaskId) -> Signal {
        let mut state = self.state();
        state.checkpoints += 1;
        if state.checkpoints > CHECKPOINTS || Instant::now() > self.deadline {
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
        self.program
            .perform_work(task, value, self)
            .map_err(|failure| failure.to_string())
    }

    fn wait(&self, _task: TaskId, _pools: &Pools) -> Result<(), String> {
        Ok(())
    }

    fn write_row(&self, entry: EntryId, row: usize, numbers: &[f64]) -> Result<(), String> {
        self.state().values[entry.index()]
            .set_row(row, numbers)
            .map_err(|error| error.to_string())
    }

    fn data_file(&self, task: TaskId) -> Option<DataFile> {
        self.state().open.get(&task).cloned()
    }

    fn create_text(&self, task: TaskId, path: &str, _header: &[u8], notes: Value) -> Result<DataFile, String> {
        Ok(self.create(task, path, notes))
    }

    fn append_text(&self, task: TaskId, _text: &[u8], rows: u64) -> Result<(), String> {
        self.append(task, rows)
    }

    fn create_hdf5(&self, task: TaskId, path: &str, _file: &Hdf5, notes: Value) -> Result<DataFile, String> {
        Ok(self.create(task, path, notes))
    }

    fn append_hdf5(&self, task: TaskId, _values: &[Value]) -> Result<(), String> {
        self.append(task, 1)
    }

    fn close_file(&self, task: TaskId) -> Result<(), String> {
        self.state().open.remove(&task);
        Ok(())
    }

    fn write_file(&self, _task: TaskId, path: &str, _content: &[u8]) -> Result<String, String> {
        Ok(path.to_owned())
    }

    fn read_file(&self, path: &str) -> Result<Vec<u8>, String> {
        Folders
            .beginning(path)
            .ok_or_else(|| format!("there is no file `{path}`"))
    }

    fn read_hdf5(&self, path: &str) -> Result<(Vec<(String, Value)>, Option<i64>), String> {
        Ok((vec![(path.to_owned(), Value::from(vec![1.0, 2.0]))], Some(1)))
    }

    fn log(&self, _task: TaskId, _message: &str) {}

    fn now(&self) -> Duration {
        self.state().clock
    }

    fn loop_begins(&self, _task: TaskId, _total: Option<u64>) {}

    fn record_round(&self, _task: TaskId, _total: Option<u64>, _values: Option<RoundValues<'_>>) -> Result<(), String> {
        Ok(())
    }

    fn record_iteration(&self, _task: TaskId, _is_left: bool) -> Result<(), String> {
        Ok(())
    }

    fn record_done(&self, _task: TaskId) -> Result<(), String> {
        Ok(())
    }

    fn loop_ends(&self, _task: TaskId) {}
}
