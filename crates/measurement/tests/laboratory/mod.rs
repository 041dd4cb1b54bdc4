//! What the tests of tasks with instruments share: a laboratory that has everything, and one task performed on a dry bench.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of this")]

use expr::{Braces, Formula, Value};
use measurement::{DryBench, DryRun, Measurement, Overrides, Surroundings};

/// Instruments that have everything.
pub struct Laboratory;

impl Surroundings for Laboratory {
    fn folder(&self, _path: &str) -> Result<(), String> {
        Ok(())
    }

    fn folder_or_made(&self, _path: &str) -> Result<(), String> {
        Ok(())
    }

    fn is_file(&self, _path: &str) -> bool {
        false
    }

    fn beginning(&self, _path: &str) -> Option<Vec<u8>> {
        None
    }

    fn datasets(&self, _path: &str) -> Option<Vec<String>> {
        None
    }
}

/// A task with its instrument: `¶` parts fields.
pub fn measurement(task: &str) -> Measurement {
    let selected = "selected_instrument = \"('X', 'some.Driver', 'VisaGPIB', None)\"";
    let mut text = String::from("name = M\nid = 1\n[root_task]\ntask_id = exopy.ComplexTask\ndefault_path = /data\n");
    for line in task.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let line = line.replace(
            '@',
            &format!("{selected} ¶ parallel = {{}} ¶ task_id = exopy_hqc_legacy."),
        );
        text.push_str(&line.replace(" ¶ ", "\n"));
        text.push('\n');
    }
    let measurement = Measurement::read(text.as_bytes(), "m", &Overrides::default())
        .unwrap_or_else(|problems| panic!("{problems:?}\n{text}"));
    assert!(measurement.is_built(), "{:?}\n{text}", measurement.problems);
    measurement
}

/// What a task did, and what it left in its entries.
pub struct Done {
    pub run: DryRun,
    pub outcome: Result<(), String>,
    pub measurement: Measurement,
}

impl Done {
    /// The value of an entry of the task `t`, as Python shows it.
    pub fn entry(&self, name: &str) -> String {
        let database = self.measurement.tree.database();
        let path = format!("root/t_{name}");
        let index = database.entries().iter().position(|entry| entry.path == path);
        self.run.values[index.unwrap_or_else(|| panic!("no entry {path}"))].repr()
    }
}

/// Performs a task with these answers of its instrument; the run stops at so many checkpoints.
pub fn perform_until(checkpoints: usize, task: &str, answers: &[(&str, Vec<Value>)]) -> Done {
    let measurement = measurement(task);
    let checked = measurement.tree.check(&[], &Laboratory);
    let problems: Vec<_> = checked.problems.iter().filter(|problem| problem.is_error()).collect();
    assert!(problems.is_empty(), "{problems:?}");
    let program = measurement.tree.prepare();
    let bench = answers.iter().fold(
        DryBench::new(&program, checked.values, checkpoints),
        |bench, (question, answers)| bench.with_answers(&format!("0: {question}"), answers.iter().cloned()),
    );
    let outcome = program.perform(&bench).map_err(|failure| failure.message.clone());
    Done {
        run: bench.finish(),
        outcome,
        measurement,
    }
}

pub fn perform(task: &str, answers: &[(&str, Vec<Value>)]) -> Done {
    perform_until(100_000, task, answers)
}

/// The values of expressions of Python.
pub fn python(expressions: &str) -> Vec<Value> {
    let value = |text: &str| {
        let formula = Formula::parse(text, Braces::References).expect("a formula");
        formula.eval(&[]).expect("a value")
    };
    expressions.split(" ; ").map(value).collect()
}

/// What was asked, without the number of the instrument.
pub fn asked(done: &Done) -> Vec<&str> {
    done.run
        .asked
        .iter()
        .map(|asked| asked.trim_start_matches("0: "))
        .collect()
}

/// The messages of the errors that a check finds.
pub fn errors(task: &str) -> Vec<String> {
    let measurement = measurement(task);
    let checked = measurement.tree.check(&[], &Laboratory);
    let errors = checked.problems.iter().filter(|problem| problem.is_error());
    errors.map(|problem| problem.message.clone()).collect()
}
