//! `exopy.LogTask`: a line in the measurement's log.

use expr::Value;

use super::{Field, Kind, Resume, Shape, Task, Text};
use crate::{
    check::{Check, Prepare},
    names::EntryId,
    program::{At, CompiledTemplate, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy.LogTask",
    summary: "Writes a message to the log.",
    fields: &[Field {
        name: "message",
        default: "",
        doc: "text; {entry} is replaced by the value of an entry",
    }],
    entries: &[("message", "the message as it was written")],
    shape: Shape::Leaf,
    waits: Some(&[]),
    pool: None,
    resume: Resume::Redo,
    build: |fields| {
        Box::new(Log {
            message: fields.text("message", ""),
        })
    },
};

#[derive(Debug)]
struct Log {
    message: Text,
}

impl Task for Log {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![("message".to_owned(), Value::from(""))]
    }

    fn check(&self, check: &mut Check<'_>) {
        if let Some(message) = check.format("message", &self.message) {
            check.set("message", Value::from(message.as_str()));
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Say {
            message: prepare.template("message", &self.message),
            entry: prepare.entry("message"),
        })
    }
}

struct Say {
    message: CompiledTemplate,
    entry: Option<EntryId>,
}

impl Work for Say {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let message = at.format(&self.message)?;
        if let Some(entry) = self.entry {
            at.write(entry, Value::from(message.as_str()));
        }
        at.bench().log(at.task, &message);
        Ok(())
    }
}
