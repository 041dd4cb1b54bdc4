//! A task written in Python: a class that descends from `measurand.Task`.
//!
//! It is made once and performed as often as the measurement does; what it keeps in itself it has until its process ends.
//! While it is checked or performed it asks the program for values, entries and instruments: [`TaskSide`]. Each task has a
//! thread of its process, so that two in background pools do not wait for each other. Instruments of the same environment
//! live elsewhere.

use std::time::Duration;

use super::{
    frame::{Frame, Verb},
    host::{Hosts, Nature},
    object::Link,
    options::Options,
};
use crate::{Interrupter, device::DeviceError, driver::Value};

/// What a task can ask while it is checked or performed. The words of errors are raised in its code.
pub trait TaskSide {
    /// The value of a formula.
    ///
    /// # Errors
    /// It has none; the words are for users.
    fn evaluate(&mut self, formula: &str) -> Result<Value, String>;

    /// A text with its formulas replaced by their values.
    ///
    /// # Errors
    /// One of them has no value.
    fn format(&mut self, text: &str) -> Result<String, String>;

    /// The value of an entry of the database.
    ///
    /// # Errors
    /// There is none of this name.
    fn read(&mut self, name: &str) -> Result<Value, String>;

    /// Gives an entry of the task its value.
    ///
    /// # Errors
    /// It has none of this name.
    fn write(&mut self, entry: &str, value: Value) -> Result<(), String>;

    fn log(&mut self, text: &str);

    /// Waits; false, at once, if the run is to stop.
    fn sleep(&mut self, time: Duration) -> bool;

    /// Whether the run is to stop.
    fn stopping(&mut self) -> bool;

    /// What is to be done with the instrument of the task.
    ///
    /// # Errors
    /// There is none, or it fails.
    fn instrument(&mut self, ask: Ask) -> Result<Value, String>;

    /// What is wrong, said while it is checked.
    fn problem(&mut self, severity: Severity, message: &str);
}

/// What a task wants from its instrument.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    Get {
        parameter: String,
        at: Vec<(String, Value)>,
    },
    Set {
        parameter: String,
        value: Value,
        at: Vec<(String, Value)>,
    },
    Call {
        method: String,
        arguments: Vec<Value>,
        at: Vec<(String, Value)>,
    },
    Write(String),
    Query(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

/// What a class says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskClass {
    pub doc: String,
    pub fields: Vec<Field>,
    /// What it leaves in the database, with the values before it is performed.
    pub entries: Vec<(String, Value)>,
    pub needs_instrument: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    /// As in a file.
    pub default: String,
    pub doc: String,
}

/// A task that is there.
pub struct Task {
    link: Link,
    timeout: Duration,
}

impl Task {
    /// Makes a task, whose name is for messages: `class` is `module.Task`.
    ///
    /// # Errors
    /// There is no such interpreter or class, or it is no task.
    pub fn open(
        name: &str,
        class: &str,
        options: &Options,
        hosts: &Hosts,
        interrupter: Interrupter,
    ) -> Result<Self, DeviceError> {
        let mut link = Link::new(name, class, Nature::Task, options, hosts, interrupter);
        link.connect()?;
        Ok(Self {
            link,
            timeout: options.timeout,
        })
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// Its process does not answer.
    pub fn describe(&mut self) -> Result<TaskClass, DeviceError> {
        let described = self.link.ask(Verb::Describe, |_| {}, 0)?;
        let mut class = TaskClass::default();
        let Value::List(parts) = described else {
            return Ok(class);
        };
        if let [
            Value::Text(doc),
            Value::List(fields),
            Value::List(entries),
            Value::Bool(needs),
        ] = parts.as_slice()
        {
            class.doc.clone_from(doc);
            class.needs_instrument = *needs;
            class.fields = fields.iter().filter_map(field).collect();
            class.entries = entries.iter().filter_map(entry).collect();
        }
        Ok(class)
    }

    /// Checks it with these fields, which are texts as in a file.
    ///
    /// # Errors
    /// What it raises, or its process does not answer in time.
    pub fn check(&mut self, fields: &[(&str, &str)], side: &mut dyn TaskSide) -> Result<(), DeviceError> {
        self.converse(Verb::Check, fields, &Value::None, Some(self.timeout), side)
    }

    /// Performs it, however long it takes; an interrupter ends it with its process. `value` is that of a loop around it.
    ///
    /// # Errors
    /// What it raises, or its process ends.
    pub fn perform(
        &mut self,
        fields: &[(&str, &str)],
        value: &Value,
        side: &mut dyn TaskSide,
    ) -> Result<(), DeviceError> {
        self.converse(Verb::Perform, fields, value, None, side)
    }

    fn converse(
        &mut self,
        verb: Verb,
        fields: &[(&str, &str)],
        value: &Value,
        timeout: Option<Duration>,
        side: &mut dyn TaskSide,
    ) -> Result<(), DeviceError> {
        let arguments = |frame: &mut Frame| write_arguments(frame, fields, value);
        let mut answering = |asked: &str, arguments: Vec<Value>| answer(asked, arguments, side);
        let done = self.link.converse(verb, arguments, 2, timeout, &mut answering);
        done.map(drop)
    }
}

fn write_arguments(frame: &mut Frame, fields: &[(&str, &str)], value: &Value) {
    let count = u32::try_from(fields.len()).expect("a task has few fields");
    frame.map(count);
    for (name, text) in fields {
        frame.text(name).text(text);
    }
    frame.value(value);
}

fn field(described: &Value) -> Option<Field> {
    let Value::List(parts) = described else {
        return None;
    };
    let [Value::Text(name), Value::Text(default), Value::Text(doc)] = parts.as_slice() else {
        return None;
    };
    Some(Field {
        name: name.clone(),
        default: default.clone(),
        doc: doc.clone(),
    })
}

fn entry(described: &Value) -> Option<(String, Value)> {
    let Value::List(parts) = described else {
        return None;
    };
    let [Value::Text(name), value] = parts.as_slice() else {
        return None;
    };
    Some((name.clone(), value.clone()))
}

/// Answers what a task asks.
fn answer(asked: &str, mut arguments: Vec<Value>, side: &mut dyn TaskSide) -> Result<Value, String> {
    match (asked, arguments.as_mut_slice()) {
        ("evaluate", [Value::Text(formula)]) => side.evaluate(formula),
        ("format", [Value::Text(text)]) => side.format(text).map(Value::Text),
        ("read", [Value::Text(name)]) => side.read(name),
        ("write", [Value::Text(entry), value]) => {
            let value = std::mem::replace(value, Value::None);
            side.write(entry, value).map(|()| Value::None)
        }
        ("log", [Value::Text(text)]) => {
            side.log(text);
            Ok(Value::None)
        }
        ("sleep", [Value::Float(secs)]) => match Duration::try_from_secs_f64(secs.max(0.0)) {
            Ok(time) => Ok(Value::Bool(side.sleep(time))),
            Err(_) => Err(format!("nobody sleeps {secs} s")),
        },
        ("stopping", []) => Ok(Value::Bool(side.stopping())),
        ("error", [Value::Text(words)]) => {
            side.problem(Severity::Error, words);
            Ok(Value::None)
        }
        ("warning", [Value::Text(words)]) => {
            side.problem(Severity::Warning, words);
            Ok(Value::None)
        }
        _ => side.instrument(instrument(asked, &arguments)?),
    }
}

fn instrument(asked: &str, arguments: &[Value]) -> Result<Ask, String> {
    Ok(match (asked, arguments) {
        ("get", [Value::Text(parameter), at]) => Ask::Get {
            parameter: parameter.clone(),
            at: place(at)?,
        },
        ("set", [Value::Text(parameter), value, at]) => Ask::Set {
            parameter: parameter.clone(),
            value: value.clone(),
            at: place(at)?,
        },
        ("call", [Value::Text(method), Value::List(arguments), at]) => Ask::Call {
            method: method.clone(),
            arguments: arguments.clone(),
            at: place(at)?,
        },
        ("send", [Value::Text(command)]) => Ask::Write(command.clone()),
        ("query", [Value::Text(question)]) => Ask::Query(question.clone()),
        _ => return Err(format!("`{asked}` cannot be asked with these arguments")),
    })
}

/// Where in an instrument: pairs of a name and a value.
fn place(at: &Value) -> Result<Vec<(String, Value)>, String> {
    let Value::List(pairs) = at else {
        return Err("where it is must be names with values".to_owned());
    };
    let pairs = pairs.iter().map(entry).collect::<Option<Vec<_>>>();
    pairs.ok_or_else(|| "where it is must be names with values".to_owned())
}
