//! Tasks and drivers written in Python, in measurements that the program performs.

mod station;

use std::{fs, process::Output};

use station::Station;

/// A task, and an instrument, in a module beside the measurement.
const MODULE: &str = r#"
from measurand import Task

class Ratio(Task):
    above = '1.0'
    below = '1.0'
    digits = 3
    entries = {'ratio': 1.0}

    def check(self):
        if self.evaluate(self.below) == 0:
            self.error('`below` is 0')

    def perform(self, value=None):
        above = self.evaluate(self.above) if value is None else value
        self.write('ratio', round(above / self.evaluate(self.below), self.digits))
        self.log(self.format('above is {f_x}'))

class Twice(Task):
    needs_instrument = True
    entries = {'voltage': 0.0}

    def perform(self, value=None):
        self.instrument.set('voltage', 2 * self.instrument.get('voltage'))
        self.write('voltage', self.instrument.get('voltage'))

class Patient(Task):
    def perform(self, value=None):
        import os
        print('patient', os.getpid())
        while self.sleep(0.01):
            pass

class Fatal(Task):
    def perform(self, value=None):
        import os
        os._exit(3)

class Source:
    def __init__(self, address):
        self.address = address
        self.function = 'VOLT'
        self.voltage = 0.25

    def off(self):
        print('off from', self.voltage)
        self.voltage = 0.0
"#;

/// Without the variable it is the `python3` of the machine.
fn interpreter() -> Vec<String> {
    let python = std::env::var("MEASURAND_PYTHON").ok();
    python.map_or_else(Vec::new, |python| vec!["--python".to_owned(), python])
}

/// A station with the module.
fn station() -> Station {
    let station = Station::new();
    fs::write(station.path().join("bench.py"), MODULE).expect("the folder can be written to");
    station
}

fn performed(station: &Station, children: &str, arguments: &[&str]) -> (Output, String) {
    let file = station.measurement("m", children);
    let interpreter = interpreter();
    let mut all = vec!["run", "--plain"];
    all.extend(interpreter.iter().map(String::as_str));
    all.extend(arguments);
    let file = file.display().to_string();
    all.push(&file);
    let output = station.run(&all);
    let words = [output.stdout.clone(), output.stderr.clone()].concat();
    let words = String::from_utf8_lossy(&words).into_owned();
    (output, words)
}

const FORMULA: &str = "
    [[children_0]]
        task_id = exopy.FormulaTask
        name = f
        formulas = \"[('x', '2.0')]\"
";

#[test]
fn a_task_in_python_evaluates_and_writes() {
    let station = station();
    let children = format!(
        "{FORMULA}
    [[children_1]]
        task_id = python:bench.Ratio
        name = r
        above = {{f_x}} + 1
        below = 4.0
        digits = 2
    [[children_2]]
        task_id = exopy.LogTask
        name = l
        message = the ratio is {{r_ratio}}
"
    );
    let (output, words) = performed(&station, &children, &[]);
    assert!(output.status.success(), "{words}");
    assert!(words.contains("above is 2.0"), "{words}");
    assert!(words.contains("the ratio is 0.75"), "{words}");
}

/// What is said of a file with this task behind the formula, which is not performed.
fn complaints(task: &str) -> String {
    let station = station();
    let file = station.measurement("m", &format!("{FORMULA}\n    [[children_1]]\n        name = r\n{task}"));
    let mut all = vec!["run".to_owned(), "--plain".to_owned(), file.display().to_string()];
    all.extend(interpreter());
    let output = station.run(&all.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(!output.status.success());
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn its_check_is_part_of_the_check() {
    for (task, words) in [
        ("task_id = python:bench.Ratio\nbelow = 0.0\n", "`below` is 0"),
        (
            "task_id = python:bench.Ratio\nbelow = {nothing}\n",
            "there is no entry `nothing`",
        ),
        (
            "task_id = python:bench.Ratio\ndigits = many\n",
            "`many` is not a literal of Python",
        ),
        (
            "task_id = python:bench.Ration\n",
            "`bench` has no `Ration`; did you mean `Ratio`?",
        ),
        ("task_id = python:bench.Source\n", "`Source` is not a `measurand.Task`"),
        ("task_id = python:bank.Ratio\n", "there is no module `bank`"),
    ] {
        let said = complaints(task);
        assert!(said.contains(words), "{task}: {said}");
    }
}

#[test]
fn it_uses_the_instrument_that_the_file_selects() {
    let station = station();
    let profiles = station.path().join("profiles");
    fs::create_dir_all(&profiles).expect("the folder can be written to");
    let profile = "driver = python:bench.Source\naddress = TCPIP::192.168.0.10::5025::SOCKET\nsafe = off\n";
    fs::write(profiles.join("vi.instr.ini"), profile).expect("the folder can be written to");
    let children = "
    [[children_0]]
        task_id = python:bench.Twice
        name = t
        selected_instrument = \"('vi', '', '', None)\"
    [[children_1]]
        task_id = exopy_hqc_legacy.SetDCVoltageTask
        name = v
        selected_instrument = \"('vi', '', '', None)\"
        target_value = {t_voltage} + 1
    [[children_2]]
        task_id = exopy.LogTask
        name = l
        message = {t_voltage} then {v_voltage}
";
    let (output, words) = performed(&station, children, &["--profiles", "profiles"]);
    assert!(output.status.success(), "{words}");
    assert!(words.contains("0.5 then 1.5"), "{words}");

    // A failure brings the safe state about.
    let failing = format!("{children}    [[children_3]]\n        task_id = python:bench.Fatal\n        name = f\n");
    let (output, words) = performed(&station, &failing, &["--profiles", "profiles"]);
    assert!(!output.status.success(), "{words}");
    assert!(
        words.contains("its Python process is gone: it ended with status 3"),
        "{words}"
    );
    assert!(words.contains("off from 1.5"), "{words}");
}

/// A run with a task that waits to be stopped, and the process that the task lives in.
fn patient(station: &Station) -> (station::Run, i32) {
    let children = "
    [[children_0]]
        task_id = python:bench.Patient
        name = p
";
    let file = station.measurement("m", children);
    let interpreter = interpreter();
    let mut run = station.start(&file, &interpreter.iter().map(String::as_str).collect::<Vec<_>>());
    let printed = |event: &serde_json::Value| event["message"].as_str()?.strip_prefix("patient ")?.parse().ok();
    let event = run.until("a print", |event| printed(event).is_some());
    let host = printed(&event).expect("it is the number of a process");
    (run, host)
}

#[test]
fn a_task_is_told_to_stop() {
    let station = station();
    let (run, host) = patient(&station);
    station::signal(i32::try_from(run.child.id()).expect("a small number"), "INT");
    let finished = run.finish();
    assert_eq!(finished.outcome(), "Interrupted", "{:?}", finished.events);
    station::await_death(host);
}

#[test]
fn no_python_outlives_the_process_that_performs() {
    let station = station();
    let (run, host) = patient(&station);
    station::signal(run.performer(), "KILL");
    let finished = run.finish();
    assert_eq!(finished.outcome(), "Failed", "{:?}", finished.events);
    station::await_death(host);
}
