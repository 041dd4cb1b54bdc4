//! `python:module.Task`: a task that is a class of Python, performed in a process of its own.
//!
//! The class says which entries it has; its fields are what stands in the file. While it is performed it may ask for
//! values, entries and its instrument, and its waits end as those of any task.

use std::{collections::HashMap, time::Duration};

use expr::{Braces, Formula, Template, Value};

use super::{Field, Fields, Kind, Resume, Shape, Task, Text, instrument::SELECTED};
use crate::{
    bench::Signal,
    check::{Check, Expect, Prepare},
    instrument::{Ask, InstrumentId, Unanswered, Where},
    names::EntryId,
    program::{At, Exit, Work},
    python::{PythonCall, PythonClass, PythonSide},
};

/// What the ids of such tasks begin with.
pub(crate) const PREFIX: &str = "python:";

pub(crate) static KIND: Kind = Kind {
    id: "python:module.Task",
    summary: "A task written in Python: a class that descends from `measurand.Task`.",
    fields: &[
        SELECTED,
        Field {
            name: "python",
            default: "",
            doc: "an interpreter, or the folder of a virtual environment; by default that of `--python`",
        },
        Field {
            name: "…",
            default: "",
            doc: "the attributes of the class",
        },
    ],
    entries: &[("…", "the `entries` of the class")],
    shape: Shape::Setter,
    waits: None,
    pool: None,
    resume: Resume::Redo,
    build: |fields| Box::new(InPython::new(fields)),
};

#[derive(Debug)]
struct InPython {
    class: String,
    fields: Vec<(String, String)>,
    described: PythonClass,
}

impl InPython {
    fn new(fields: &mut Fields<'_>) -> Self {
        let (class, texts, described) = fields.python_class();
        Self {
            class,
            fields: texts,
            described,
        }
    }

    fn call<'c>(&'c self, value: Option<&'c Value>) -> PythonCall<'c> {
        PythonCall {
            class: &self.class,
            fields: &self.fields,
            value,
        }
    }
}

impl Task for InPython {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        self.described.entries.clone()
    }

    fn check(&self, check: &mut Check<'_>) {
        if self.described.needs_instrument {
            check.instrument(&[]);
        }
        let surroundings = check.surroundings;
        let checked = surroundings.check_python(&self.call(None), &mut Checking { check });
        if let Err(message) = checked {
            check.error("-check", message);
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        let own = |(name, _): &(String, Value)| Some((name.clone(), prepare.entry(name)?));
        Box::new(Performing {
            class: self.class.clone(),
            fields: self.fields.clone(),
            instrument: prepare.instrument(),
            own: self.described.entries.iter().filter_map(own).collect(),
            visible: prepare.visible(),
        })
    }
}

/// The side of the program while a task is checked.
struct Checking<'c, 'a> {
    check: &'c mut Check<'a>,
}

impl PythonSide for Checking<'_, '_> {
    fn evaluate(&mut self, formula: &str) -> Result<Value, String> {
        let value = self
            .check
            .evaluate("check", &Text::of_nowhere(formula), Expect::Anything);
        value.ok_or_else(|| format!("`{formula}` has no value"))
    }

    fn format(&mut self, text: &str) -> Result<String, String> {
        let formatted = self.check.format("check", &Text::of_nowhere(text));
        formatted.ok_or_else(|| format!("`{text}` has references that mean nothing"))
    }

    fn read(&mut self, name: &str) -> Result<Value, String> {
        self.evaluate(&format!("{{{name}}}"))
    }

    fn write(&mut self, entry: &str, value: Value) -> Result<(), String> {
        self.check.set(entry, value);
        Ok(())
    }

    fn log(&mut self, _text: &str) {}

    fn sleep(&mut self, _time: Duration) -> Signal {
        Signal::Go
    }

    fn checkpoint(&mut self) -> Signal {
        Signal::Go
    }

    fn ask(&mut self, _at: Where<'_>, _ask: Ask<'_>) -> Result<Value, String> {
        Err("no instrument is open while a measurement is checked".to_owned())
    }

    fn problem(&mut self, is_error: bool, message: &str) {
        let problem = self.check.error("", message);
        if !is_error {
            problem.severity = crate::problem::Severity::Warning;
        }
    }
}

struct Performing {
    class: String,
    fields: Vec<(String, String)>,
    instrument: Option<InstrumentId>,
    own: HashMap<String, EntryId>,
    /// All names that formulas of the task can use.
    visible: HashMap<String, EntryId>,
}

impl Work for Performing {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let call = PythonCall {
            class: &self.class,
            fields: &self.fields,
            value: at.value,
        };
        let performed = at
            .bench()
            .perform_python(at.task, &call, &mut Performed { task: self, at });
        performed.map_err(|why| match why {
            Unanswered::Stopped => Exit::Stopped,
            Unanswered::Failed(message) => at.fail(message),
        })
    }
}

/// The side of the program while a task is performed.
struct Performed<'p, 'a> {
    task: &'p Performing,
    at: &'p At<'a>,
}

impl Performed<'_, '_> {
    fn values<'r>(&self, names: impl Iterator<Item = &'r str>) -> Result<Vec<Value>, String> {
        let entry = |name: &str| {
            let found = self.task.visible.get(name).copied();
            found.ok_or_else(|| format!("KeyError: there is no entry `{name}`"))
        };
        let entries: Vec<EntryId> = names.map(entry).collect::<Result<_, _>>()?;
        let mut values = vec![Value::None; entries.len()];
        self.at.bench().read(&entries, &mut values);
        Ok(values)
    }
}

impl PythonSide for Performed<'_, '_> {
    fn evaluate(&mut self, formula: &str) -> Result<Value, String> {
        let formula = Formula::parse(formula, Braces::References).map_err(|error| error.to_string())?;
        let values = self.values(formula.references().iter().map(|reference| reference.name.as_str()))?;
        formula.eval(&values).map_err(|error| error.to_string())
    }

    fn format(&mut self, text: &str) -> Result<String, String> {
        let template = Template::parse(text).map_err(|error| error.to_string())?;
        let values = self.values(template.references().iter().map(|reference| reference.name.as_str()))?;
        Ok(template.format(&values))
    }

    fn read(&mut self, name: &str) -> Result<Value, String> {
        let mut values = self.values(std::iter::once(name))?;
        Ok(values.pop().unwrap_or(Value::None))
    }

    fn write(&mut self, entry: &str, value: Value) -> Result<(), String> {
        let id = self.task.own.get(entry);
        let id = id.ok_or_else(|| format!("the task has no entry `{entry}`: name it in `entries`"))?;
        self.at.write(*id, value);
        Ok(())
    }

    fn log(&mut self, text: &str) {
        self.at.bench().log(self.at.task, text);
    }

    fn sleep(&mut self, time: Duration) -> Signal {
        if self.at.stoppable() {
            self.at.bench().sleep(self.at.task, time)
        } else {
            self.at.bench().sleep_through(self.at.task, time);
            Signal::Go
        }
    }

    fn checkpoint(&mut self) -> Signal {
        if self.at.stoppable() {
            self.at.bench().checkpoint(self.at.task)
        } else {
            Signal::Go
        }
    }

    fn ask(&mut self, place: Where<'_>, ask: Ask<'_>) -> Result<Value, String> {
        let instrument = self.task.instrument.ok_or("no instrument is selected")?;
        let answer = self.at.bench().ask(self.at.task, instrument, place, ask);
        answer.map_err(|why| match why {
            Unanswered::Stopped => "the run is being stopped".to_owned(),
            Unanswered::Failed(message) => message,
        })
    }

    fn problem(&mut self, is_error: bool, message: &str) {
        let kind = if is_error { "error" } else { "warning" };
        self.log(&format!("{kind}: {message}"));
    }
}
