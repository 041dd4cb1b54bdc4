//! `exopy.DefinitionTask`: constants of a measurement.
//!
//! They are evaluated when the measurement is checked, without references to other entries; performing does nothing.

use expr::Value;

use super::{Field, Kind, Resume, Shape, Task, Text};
use crate::{
    check::{Check, Prepare},
    program::{At, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy.DefinitionTask",
    summary: "Defines constants for the other tasks; evaluated before the run, without references.",
    fields: &[Field {
        name: "definitions",
        default: "[]",
        doc: "list of (name, expression); braces make dicts and sets here, as in Python",
    }],
    entries: &[("…", "one for each definition")],
    shape: Shape::Leaf,
    waits: None,
    pool: None,
    resume: Resume::Skip,
    build: |fields| {
        Box::new(Definition {
            definitions: fields.pairs("definitions"),
        })
    },
};

#[derive(Debug)]
struct Definition {
    definitions: Vec<(String, Text)>,
}

impl Task for Definition {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        self.definitions
            .iter()
            .map(|(name, _)| (name.clone(), Value::Float(1.0)))
            .collect()
    }

    fn check(&self, check: &mut Check<'_>) {
        for (name, text) in &self.definitions {
            if let Some(value) = check.define(name, text) {
                check.set(name, value);
            }
        }
    }

    fn prepare(&self, _prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Nothing)
    }
}

struct Nothing;

impl Work for Nothing {
    fn perform(&self, _at: &At<'_>) -> Result<(), Exit> {
        Ok(())
    }
}
