//! Tasks written in Python: what they are, and how they are checked and performed, each with a thread of a process of
//! Python of its own.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use instruments::{
    Interrupter,
    device::Reason,
    python::{self, Hosts, Options, TaskSide},
};
use measurement::{Ask, Catalog, PythonCall, PythonClass, PythonSide, Signal, TaskId, Unanswered};
use protocol::Value;

use crate::{
    instrument_value::{of_device, to_device},
    live_bench::lock,
};

/// How classes of Python are found, and the processes that they are in.
pub struct PythonTasks {
    hosts: Hosts,
    python: Option<PathBuf>,
    folders: Vec<PathBuf>,
    /// Tasks that were performed already keep what they are.
    tasks: Mutex<HashMap<TaskId, Arc<Mutex<python::Task>>>>,
    /// What ends those that are under way.
    under_way: Mutex<Vec<Interrupter>>,
}

impl PythonTasks {
    pub(crate) fn new(setup: &protocol::Laboratory, hosts: Hosts) -> Self {
        Self {
            hosts,
            python: setup.python.as_ref().map(PathBuf::from),
            folders: setup.modules.iter().map(PathBuf::from).collect(),
            tasks: Mutex::default(),
            under_way: Mutex::default(),
        }
    }

    /// For looking at a file: what Python prints goes to standard error.
    pub fn for_reading(setup: &protocol::Laboratory) -> Self {
        Self::new(
            setup,
            Hosts::new(Arc::new(|name: &str, line: &str| eprintln!("{name}: {line}"))),
        )
    }

    fn options(&self, fields: &[(String, String)]) -> Options {
        let field = |name: &str| fields.iter().find(|(key, value)| key == name && !value.is_empty());
        let python = field("python")
            .map(|(_, path)| PathBuf::from(path))
            .or_else(|| self.python.clone());
        Options {
            python: python.unwrap_or_default(),
            folders: self.folders.clone(),
            ..Options::default()
        }
    }

    fn open(
        &self,
        name: &str,
        call: &PythonCall<'_>,
        isolated: bool,
        interrupter: Interrupter,
    ) -> Result<python::Task, String> {
        let options = Options {
            isolated,
            ..self.options(call.fields)
        };
        python::Task::open(name, call.class, &options, &self.hosts, interrupter).map_err(|error| error.message)
    }

    /// Lets a task check itself.
    ///
    /// # Errors
    /// What it raised.
    pub(crate) fn check(&self, call: &PythonCall<'_>, side: &mut dyn PythonSide) -> Result<(), String> {
        let mut task = self.open(call.class, call, false, Interrupter::default())?;
        let checked = task.check(&texts(call), &mut Side { side });
        checked.map_err(|error| error.message)
    }

    /// Performs a task.
    ///
    /// # Errors
    /// What it raised, or the run is being stopped.
    pub(crate) fn perform(
        &self,
        task: TaskId,
        path: &str,
        stoppable: bool,
        call: &PythonCall<'_>,
        side: &mut dyn PythonSide,
    ) -> Result<(), Unanswered> {
        let interrupter = Interrupter::default();
        let known = lock(&self.tasks).get(&task).cloned();
        let performed = match known {
            Some(known) => known,
            None => {
                // The end of another's process must not be that of a task which nothing stops.
                let alone = !stoppable;
                let made = self.open(path, call, alone, interrupter.clone());
                let made = Arc::new(Mutex::new(made.map_err(Unanswered::Failed)?));
                lock(&self.tasks).insert(task, made.clone());
                if stoppable {
                    lock(&self.under_way).push(interrupter);
                }
                made
            }
        };
        let value = call.value.map_or(instruments::driver::Value::None, to_device);
        let result = lock(&performed).perform(&texts(call), &value, &mut Side { side });
        result.map_err(|error| match error.reason {
            Reason::Interrupted => Unanswered::Stopped,
            Reason::Refused | Reason::Lost | Reason::Failed => Unanswered::Failed(error.message),
        })
    }

    /// Ends all that is under way, with its processes.
    pub(crate) fn interrupt(&self) {
        lock(&self.under_way).iter().for_each(Interrupter::interrupt);
    }
}

impl Catalog for PythonTasks {
    fn describe(&self, class: &str, fields: &[(String, String)]) -> Result<PythonClass, String> {
        let call = PythonCall {
            class,
            fields,
            value: None,
        };
        let mut task = self.open(class, &call, false, Interrupter::default())?;
        let described = task.describe().map_err(|error| error.message)?;
        let entries = described
            .entries
            .into_iter()
            .map(|(name, value)| (name, of_device(value)));
        Ok(PythonClass {
            doc: described.doc,
            entries: entries.collect(),
            needs_instrument: described.needs_instrument,
        })
    }
}

fn texts<'c>(call: &PythonCall<'c>) -> Vec<(&'c str, &'c str)> {
    let fields = call.fields.iter();
    fields.map(|(name, text)| (name.as_str(), text.as_str())).collect()
}

/// A measurement's side, in the words of the host.
struct Side<'s> {
    side: &'s mut dyn PythonSide,
}

impl TaskSide for Side<'_> {
    fn evaluate(&mut self, formula: &str) -> Result<instruments::driver::Value, String> {
        self.side.evaluate(formula).map(|value| to_device(&value))
    }

    fn format(&mut self, text: &str) -> Result<String, String> {
        self.side.format(text)
    }

    fn read(&mut self, name: &str) -> Result<instruments::driver::Value, String> {
        self.side.read(name).map(|value| to_device(&value))
    }

    fn write(&mut self, entry: &str, value: instruments::driver::Value) -> Result<(), String> {
        self.side.write(entry, of_device(value))
    }

    fn log(&mut self, text: &str) {
        self.side.log(text);
    }

    fn sleep(&mut self, time: Duration) -> bool {
        self.side.sleep(time) == Signal::Go
    }

    fn stopping(&mut self) -> bool {
        self.side.checkpoint() == Signal::Stop
    }

    fn instrument(&mut self, ask: python::Ask) -> Result<instruments::driver::Value, String> {
        type At = Vec<(String, instruments::driver::Value)>;
        let place =
            |at: At| -> Vec<(String, Value)> { at.into_iter().map(|(name, value)| (name, of_device(value))).collect() };
        let (at, answer): (Vec<(String, Value)>, _) = match ask {
            python::Ask::Get { parameter, at } => (place(at), Asked::Get(parameter)),
            python::Ask::Set { parameter, value, at } => (place(at), Asked::Set(parameter, of_device(value))),
            python::Ask::Call { method, arguments, at } => (
                place(at),
                Asked::Call(method, arguments.into_iter().map(of_device).collect()),
            ),
            python::Ask::Write(command) => (Vec::new(), Asked::Write(command)),
            python::Ask::Query(question) => (Vec::new(), Asked::Query(question)),
        };
        let at: Vec<(&str, Value)> = at.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let answer = match &answer {
            Asked::Get(parameter) => self.side.ask(&at, Ask::Get(parameter)),
            Asked::Set(parameter, value) => self.side.ask(&at, Ask::Set(parameter, value)),
            Asked::Call(method, arguments) => self.side.ask(&at, Ask::Call(method, arguments)),
            Asked::Write(command) => self.side.ask(&at, Ask::Write(command)),
            Asked::Query(question) => self.side.ask(&at, Ask::Query(question)),
        };
        answer.map(|value| to_device(&value))
    }

    fn problem(&mut self, severity: python::Severity, message: &str) {
        self.side.problem(severity == python::Severity::Error, message);
    }
}

/// What a task asks of its instrument, with values of measurements.
enum Asked {
    Get(String),
    Set(String, Value),
    Call(String, Vec<Value>),
    Write(String),
    Query(String),
}
