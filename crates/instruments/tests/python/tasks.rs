//! Tasks written in Python, with a program that answers what they ask.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use instruments::{
    device::{Device, DeviceError, Reason},
    driver::Value,
    python::{Ask, Field, Severity, Task, TaskSide},
};

use super::{Bench, options, text};

/// A program with formulas that are entries or numbers.
#[derive(Default)]
struct Program {
    entries: BTreeMap<String, Value>,
    said: Vec<String>,
    flag: Arc<AtomicBool>,
}

impl TaskSide for Program {
    fn evaluate(&mut self, formula: &str) -> Result<Value, String> {
        let number = formula.parse().map(Value::Float);
        number.map_err(|_| format!("`{formula}` is no number"))
    }

    fn format(&mut self, text: &str) -> Result<String, String> {
        Ok(text.replace("{above}", "a formula"))
    }

    fn read(&mut self, name: &str) -> Result<Value, String> {
        match name {
            "flag" => Ok(Value::Bool(self.flag.load(Ordering::SeqCst))),
            _ => Ok(Value::Floats(vec![1.0, 2.0])),
        }
    }

    fn write(&mut self, entry: &str, value: Value) -> Result<(), String> {
        self.entries.insert(entry.to_owned(), value);
        Ok(())
    }

    fn log(&mut self, text: &str) {
        self.said.push(text.to_owned());
    }

    fn sleep(&mut self, time: Duration) -> bool {
        if time > Duration::from_millis(100) {
            self.said.push(format!("sleeps {time:?}"));
        } else {
            thread::yield_now();
        }
        false
    }

    fn stopping(&mut self) -> bool {
        true
    }

    fn instrument(&mut self, ask: Ask) -> Result<Value, String> {
        self.said.push(format!("{ask:?}"));
        match ask {
            Ask::Get { parameter, .. } if parameter == "nothing" => Err("there is no `nothing`".to_owned()),
            Ask::Get { .. } => Ok(Value::Float(1.5)),
            Ask::Call { .. } => Ok(text("called")),
            Ask::Query(question) => Ok(Value::Text(question.replace('?', " 1"))),
            Ask::Set { .. } | Ask::Write(_) => Ok(Value::None),
        }
    }

    fn problem(&mut self, severity: Severity, message: &str) {
        self.said.push(format!("{severity:?}: {message}"));
    }
}

fn task(bench: &Bench, class: &str) -> Task {
    let class = format!("ratio.{class}");
    Task::open("ratio", &class, &options(), &bench.hosts, bench.interrupter.clone()).expect("it is there")
}

#[test]
fn a_class_says_what_it_is() {
    let bench = Bench::new();
    let class = task(&bench, "Ratio").describe().expect("it says");
    let field = |name: &str, default: &str, doc: &str| Field {
        name: name.to_owned(),
        default: default.to_owned(),
        doc: doc.to_owned(),
    };
    assert_eq!(class.doc, "The ratio of two formulas.");
    assert_eq!(
        class.fields,
        [
            field("above", "1.0", "what is divided"),
            field("below", "1.0", "by what"),
            field("digits", "3", ""),
        ]
    );
    let entries = [("ratio", Value::Float(1.0)), ("process", Value::Int(0))];
    assert_eq!(class.entries, entries.map(|(name, value)| (name.to_owned(), value)));
    assert!(!class.needs_instrument);
    assert!(task(&bench, "Probe").describe().expect("it says").needs_instrument);
}

#[test]
fn it_evaluates_and_writes_its_entries() {
    let bench = Bench::new();
    let mut ratio = task(&bench, "Ratio");
    let mut program = Program::default();
    let fields = [("above", "2.0"), ("below", "3.0"), ("digits", "2")];
    assert_eq!(ratio.check(&fields, &mut program), Ok(()));
    assert_eq!(ratio.perform(&fields, &Value::None, &mut program), Ok(()));
    assert_eq!(program.entries["ratio"], Value::Float(0.67));
    assert_eq!(program.said, ["done with a formula"]);
    // The value of a loop around it.
    assert_eq!(ratio.perform(&fields, &Value::Float(9.0), &mut program), Ok(()));
    assert_eq!(program.entries["ratio"], Value::Float(3.0));
}

#[test]
fn its_check_reports_or_raises() {
    let bench = Bench::new();
    let mut ratio = task(&bench, "Ratio");
    let mut program = Program::default();
    let checked = ratio.check(&[("below", "0"), ("digits", "12")], &mut program);
    assert_eq!(checked, Ok(()));
    assert_eq!(program.said, ["Error: `below` is 0", "Warning: nobody needs 12 digits"]);
    let error = ratio.check(&[("below", "x")], &mut program).unwrap_err();
    let words = "`ratio`: Error: `x` is no number; raised at ";
    assert!(
        error.message.starts_with(words) && error.message.contains("in `check`"),
        "{}",
        error.message
    );
    let error = ratio.check(&[("digits", "many")], &mut program).unwrap_err();
    let words = "`ratio`: ValueError: `many` is not a literal of Python, but field `digits` needs one";
    assert_eq!(error.message, words);
}

#[test]
fn it_asks_for_instruments_and_all_else() {
    let bench = Bench::new();
    let mut program = Program::default();
    let error = task(&bench, "Probe")
        .perform(&[], &Value::None, &mut program)
        .unwrap_err();
    assert_eq!(error.reason, Reason::Failed);
    assert!(error.message.contains("`nonsense` is no number"), "{}", error.message);
    let said = [
        "Set { parameter: \"voltage\", value: Float(1.5), at: [(\"channel\", Int(2))] }",
        "Get { parameter: \"voltage\", at: [] }",
        "1.5",
        "Call { method: \"ramp\", arguments: [Int(1), List([Float(2.0)])], at: [] }",
        "called",
        "Write(\"VOLT 1\")",
        "Query(\"VOLT?\")",
        "VOLT 1",
        "[1.0, 2.0]",
        "True",
        "sleeps 250ms",
        "False",
        "Get { parameter: \"nothing\", at: [] }",
        "caught: there is no `nothing`",
    ];
    assert_eq!(program.said, said);
}

#[test]
fn it_keeps_what_it_has_until_its_process_ends() {
    let bench = Bench::new();
    let mut counter = task(&bench, "Counter");
    let mut program = Program::default();
    for count in 1..4 {
        assert_eq!(counter.perform(&[], &Value::None, &mut program), Ok(()));
        assert_eq!(program.entries["count"], Value::Int(count));
    }
    let error = task(&bench, "Fatal")
        .perform(&[], &Value::None, &mut program)
        .unwrap_err();
    let words = "`ratio`: its Python process is gone: it ended with status 5";
    assert_eq!(error, DeviceError::new(Reason::Lost, words));
    assert_eq!(counter.perform(&[], &Value::None, &mut program), Ok(()));
    assert_eq!(program.entries["count"], Value::Int(1));
}

#[test]
fn two_tasks_and_an_instrument_do_not_wait_for_each_other() {
    let bench = Bench::new();
    let flag = Arc::new(AtomicBool::new(false));
    let waiting = {
        let mut waiter = task(&bench, "Waiter");
        let mut program = Program {
            flag: Arc::clone(&flag),
            ..Program::default()
        };
        thread::spawn(move || waiter.perform(&[], &Value::None, &mut program))
    };
    let mut program = Program::default();
    let mut ratio = task(&bench, "Ratio");
    let mut source = bench.source();
    assert_eq!(ratio.perform(&[], &Value::None, &mut program), Ok(()));
    // An instrument that hangs must not take tasks down.
    assert_ne!(source.get("process", &[]), Ok(program.entries["process"].clone()));
    flag.store(true, Ordering::SeqCst);
    assert_eq!(waiting.join().expect("no panic"), Ok(()));
}

#[test]
fn a_thread_left_behind_disturbs_nothing() {
    let bench = Bench::new();
    let mut straggler = task(&bench, "Straggler");
    let mut program = Program::default();
    assert_eq!(straggler.perform(&[], &Value::None, &mut program), Ok(()));
    // In `check` the task may ask again, and so may its thread.
    assert_eq!(straggler.check(&[], &mut program), Ok(()));
    assert_eq!(program.said, ["too late"]);
}

#[test]
fn an_interrupter_ends_it_with_its_process() {
    let bench = Bench::new();
    let mut endless = task(&bench, "Endless");
    let interrupter = bench.interrupter.clone();
    let interrupting = thread::spawn(move || interrupter.interrupt());
    let error = endless.perform(&[], &Value::None, &mut Program::default()).unwrap_err();
    interrupting.join().expect("no panic");
    assert_eq!(error.reason, Reason::Interrupted);
}

#[test]
fn what_is_no_task_is_refused() {
    let bench = Bench::new();
    let opened = Task::open("t", "plain.Source", &options(), &bench.hosts, bench.interrupter.clone());
    let error = opened.err().expect("it is none");
    assert_eq!(error.message, "`t`: `Source` is not a `measurand.Task`");
}
