//! `measurand.ReadParametersTask`: any parameters of any instrument, one after the other, each in an entry of its own.

use expr::Value;

use super::{
    Field, Fields, Kind, Resume, Shape, Task,
    instrument::{SELECTED, SOURCES, WAIT_TIME, write},
    place::{CompiledPlace, PLACE, Place},
};
use crate::{
    check::{Check, Prepare},
    instrument::{Ask, InstrumentId},
    names::EntryId,
    program::{At, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "measurand.ReadParametersTask",
    summary: "Reads parameters of any instrument.",
    fields: &[
        SELECTED,
        Field {
            name: "parameters",
            default: "[]",
            doc: "list of their names in the driver, as `measurand drivers MODEL` shows them",
        },
        Field {
            name: "labels",
            default: "[]",
            doc: "list of names of the entries, one for each parameter; empty for the parameters' own",
        },
        PLACE,
        WAIT_TIME,
    ],
    entries: &[("…", "what was read, for each parameter")],
    shape: Shape::Leaf,
    waits: Some(SOURCES),
    pool: None,
    resume: Resume::Redo,
    build: |fields| Box::new(ReadParameters::new(fields)),
};

#[derive(Debug)]
struct ReadParameters {
    parameters: Vec<String>,
    labels: Vec<String>,
    place: Place,
    wait_secs: f64,
}

impl ReadParameters {
    fn new(fields: &mut Fields<'_>) -> Self {
        Self {
            parameters: fields.texts("parameters"),
            labels: fields.texts("labels"),
            place: Place::read(fields),
            wait_secs: fields.number("wait_time", 0.0),
        }
    }

    /// The name of the entry of each parameter.
    fn names(&self) -> &[String] {
        if self.labels.len() == self.parameters.len() {
            &self.labels
        } else {
            &self.parameters
        }
    }
}

impl Task for ReadParameters {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        let names = self.names().iter();
        names.map(|name| (name.clone(), Value::Float(1.0))).collect()
    }

    fn check(&self, check: &mut Check<'_>) {
        let (count, labels) = (self.parameters.len(), self.labels.len());
        if count == 0 {
            check.error("-parameters", "`parameters` is empty: nothing is read");
        }
        if labels != 0 && labels != count {
            check.error("-labels", format!("there are {labels} labels for {count} parameters"));
        }
        let names = self.names();
        let is_twice = |(at, name): &(usize, &String)| names[..*at].contains(name);
        if let Some((_, name)) = names.iter().enumerate().find(is_twice) {
            let hint = "give each a name of its own by `labels`";
            check.error("-labels", format!("two entries are called `{name}`")).hint = Some(hint.to_owned());
        }
        let parameters: Vec<&str> = self.parameters.iter().map(String::as_str).collect();
        check.instrument(&parameters);
        self.place.check(check);
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        let entries = self.names().iter().map(|name| prepare.entry(name));
        Box::new(Reading {
            parameters: self.parameters.iter().cloned().zip(entries).collect(),
            instrument: prepare.instrument(),
            place: self.place.prepare(prepare),
            wait_secs: self.wait_secs,
        })
    }

    fn seconds(&self, _check: &mut Check<'_>) -> f64 {
        self.wait_secs.max(0.0)
    }
}

struct Reading {
    parameters: Vec<(String, Option<EntryId>)>,
    instrument: Option<InstrumentId>,
    place: CompiledPlace,
    wait_secs: f64,
}

impl Work for Reading {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        at.sleep(self.wait_secs)?;
        let place = self.place.values(at)?;
        for (parameter, entry) in &self.parameters {
            let value = at.ask(self.instrument, &place, Ask::Get(parameter))?;
            write(at, *entry, value);
        }
        Ok(())
    }
}
