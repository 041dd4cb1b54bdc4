//! What the tasks that use instruments ask of them, on a dry bench; the order is Exopy's.

use expr::Value;
use measurement::{DryBench, DryRun, Measurement, Overrides, Surroundings};

/// Instruments that have everything.
struct Laboratory;

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

/// The selection of the instrument `Vg1`, the only one.
const SELECTED: &str = "selected_instrument = \"('Vg1', 'some.Driver', 'VisaGPIB', None)\"";

/// A measurement of these tasks; `@Set` stands for the id of a task of the package with its instrument, `¶` parts fields.
fn measurement(tasks: &str) -> Measurement {
    let mut text = String::from("name = M\nid = 1\n[root_task]\ntask_id = exopy.ComplexTask\ndefault_path = /data\n");
    for line in tasks.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let line = line.replace('@', &format!("{SELECTED} ¶ task_id = exopy_hqc_legacy."));
        text.push_str(&line.replace(" ¶ ", "\n"));
        text.push('\n');
    }
    let measurement = Measurement::read(text.as_bytes(), "m", &Overrides::default())
        .unwrap_or_else(|problems| panic!("{problems:?}\n{text}"));
    assert!(measurement.is_built(), "{:?}\n{text}", measurement.problems);
    measurement
}

/// Performs the tasks with these answers of the instrument.
fn perform(tasks: &str, answers: &[(&str, &[Value])]) -> DryRun {
    let measurement = measurement(tasks);
    let checked = measurement.tree.check(&[], &Laboratory);
    let problems: Vec<_> = checked.problems.iter().filter(|problem| problem.is_error()).collect();
    assert!(problems.is_empty(), "{problems:?}");
    let program = measurement.tree.prepare();
    let bench = answers.iter().fold(
        DryBench::new(&program, checked.values, 10_000),
        |bench, (question, answers)| bench.with_answers(question, answers.iter().cloned()),
    );
    program.perform(&bench).unwrap_or_else(|failure| panic!("{failure}"));
    bench.finish()
}

#[test]
fn a_source_goes_in_steps() {
    let run = perform(
        "[[children_0]] ¶ @SetDCVoltageTask ¶ name = g ¶ target_value = 1.0 ¶ back_step = 0.4 ¶ parallel = {}",
        &[("0: get function", &[Value::from("VOLT")])],
    );
    let expected = [
        "0: get function",
        "0: get voltage",
        "0: set voltage 0.4",
        "0: set voltage 0.8",
        "0: set voltage 1.0",
    ];
    assert_eq!(run.asked, expected);
    assert_eq!(run.time.as_secs_f64(), 0.01, "nothing is waited before the last step");
}

#[test]
fn a_source_in_a_loop_takes_the_values_of_the_loop() {
    let run = perform(
        "[[children_0]] ¶ task_id = exopy.LoopTask ¶ name = L
         [[[interface]]] ¶ interface_id = exopy.LoopTask:exopy.IterableLoopInterface ¶ iterable = '[1, 2.5]'
         [[[task]]] ¶ @SetDCVoltageTask ¶ target_value = ''
         [[[[interface]]]] ¶ channel = '(2, 1)'
         interface_id = exopy_hqc_legacy.SetDCVoltageTask:exopy_hqc_legacy.MultiChannelVoltageSourceInterface",
        &[],
    );
    let expected = [
        "0: get voltage at channel=(2, 1)",
        "0: set voltage 1 at channel=(2, 1)",
        "0: get voltage at channel=(2, 1)",
        "0: set voltage 2.5 at channel=(2, 1)",
    ];
    assert_eq!(run.asked, expected);
}
