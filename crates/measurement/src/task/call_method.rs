//! `measurand.CallMethodTask`: a method of any instrument, with the values of expressions.
//!
//! What is a method depends on the driver: an action of a driver file, what the code of a model adds, a method of a class
//! of Python's.

use expr::Value;

use super::{
    Field, Fields, Kind, Resume, Shape, Task, Text,
    instrument::{SELECTED, write},
    place::{CompiledPlace, PLACE, Place, check_named},
};
use crate::{
    check::{Check, Expect, Prepare},
    instrument::{Ask, InstrumentId},
    names::EntryId,
    program::{At, Compiled, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "measurand.CallMethodTask",
    summary: "Calls a method of any instrument.",
    fields: &[
        SELECTED,
        Field {
            name: "method",
            default: "",
            doc: "its name in the driver, as `measurand drivers MODEL` shows it",
        },
        Field {
            name: "arguments",
            default: "",
            doc: "expression; a list or a tuple of them, or the only one; empty for none",
        },
        PLACE,
    ],
    entries: &[("result", "what the method returned")],
    shape: Shape::Leaf,
    waits: None,
    pool: None,
    resume: Resume::Redo,
    build: |fields| Box::new(CallMethod::new(fields)),
};

#[derive(Debug)]
struct CallMethod {
    method: Text,
    arguments: Option<Text>,
    place: Place,
}

impl CallMethod {
    fn new(fields: &mut Fields<'_>) -> Self {
        let arguments = fields.text("arguments", "");
        Self {
            method: fields.text("method", ""),
            arguments: (!arguments.text.trim().is_empty()).then_some(arguments),
            place: Place::read(fields),
        }
    }
}

impl Task for CallMethod {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![("result".to_owned(), Value::Float(1.0))]
    }

    fn check(&self, check: &mut Check<'_>) {
        check_named(check, "method", &self.method);
        self.place.check(check);
        if let Some(arguments) = &self.arguments {
            check.evaluate("arguments", arguments, Expect::Anything);
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        let arguments = self.arguments.as_ref();
        Box::new(Calling {
            method: self.method.text.trim().to_owned(),
            instrument: prepare.instrument(),
            arguments: arguments.map(|arguments| prepare.formula("arguments", arguments)),
            place: self.place.prepare(prepare),
            entry: prepare.entry("result"),
        })
    }
}

struct Calling {
    method: String,
    instrument: Option<InstrumentId>,
    arguments: Option<Compiled>,
    place: CompiledPlace,
    entry: Option<EntryId>,
}

impl Work for Calling {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let place = self.place.values(at)?;
        let arguments = self
            .arguments
            .as_ref()
            .map(|arguments| at.evaluate(arguments))
            .transpose()?;
        let arguments = match &arguments {
            None => &[][..],
            Some(Value::List(several) | Value::Tuple(several)) => several.as_slice(),
            Some(only) => std::slice::from_ref(only),
        };
        let result = at.ask(self.instrument, &place, Ask::Call(&self.method, arguments))?;
        write(at, self.entry, result);
        Ok(())
    }
}
