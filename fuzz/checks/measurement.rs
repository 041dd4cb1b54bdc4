//! What must hold of any bytes that are read as a measurement: it is read or refused, checked, outlined and performed,
//! and none of it panics or runs away. The text that would cross to the performing process describes the same tree.
//!
//! The bench is not `DryBench`: that one keeps every update and lets formulas take their time, so an input with a thousand
//! large arrays would be a finding about the bench. This one keeps values only and stops after a while, as an operator does.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use expr::Value;
use measurement::{
    Bench, Database, EntryId, Measurement, Outline, Overrides, Pools, Program, Signal, Source, Surroundings, TaskId,
    file::File, is_old,
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
}

impl Impatient<'_> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bench for Impatient<'_> {
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

    fn log(&self, _task: TaskId, _message: &str) {}

    fn now(&self) -> Duration {
        self.state().clock
    }

    fn loop_begins(&self, _task: TaskId, _total: Option<u64>) {}

    fn loop_ends(&self, _task: TaskId) {}
}
