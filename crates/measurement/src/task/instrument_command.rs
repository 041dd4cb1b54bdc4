//! `measurand.InstrumentCommandTask`: a command or a question, sent as it is.
//!
//! For what a driver has no name for. References in braces are replaced by their values, as in any text of a measurement;
//! a brace of the instrument's own language therefore cannot be sent. A run that goes on after a break does not send
//! again what was sent before: nobody but the user knows whether that would be right.

use expr::Value;

use super::{
    Field, Fields, Kind, Resume, Shape, Task, Text,
    instrument::{SELECTED, write},
};
use crate::{
    check::{Check, Prepare},
    instrument::{Ask, InstrumentId},
    names::EntryId,
    program::{At, CompiledTemplate, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "measurand.InstrumentCommandTask",
    summary: "Sends a command or a question to any instrument as it is.",
    fields: &[
        SELECTED,
        Field {
            name: "command",
            default: "",
            doc: "text; references in braces are replaced by their values",
        },
        Field {
            name: "expects",
            default: "Nothing",
            doc: "the answer: `Nothing`, `Number`, `Numbers` with commas between them, or `Text`",
        },
    ],
    entries: &[("answer", "a number, an array or a text, if one is expected")],
    shape: Shape::Leaf,
    waits: None,
    pool: None,
    resume: Resume::Redo,
    build: |fields| Box::new(InstrumentCommand::new(fields)),
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expects {
    Nothing,
    Number,
    Numbers,
    Text,
}

#[derive(Debug)]
struct InstrumentCommand {
    command: Text,
    expects: Expects,
}

impl InstrumentCommand {
    fn new(fields: &mut Fields<'_>) -> Self {
        Self {
            command: fields.text("command", ""),
            expects: match fields.choice("expects", &["Nothing", "Number", "Numbers", "Text"]) {
                "Number" => Expects::Number,
                "Numbers" => Expects::Numbers,
                "Text" => Expects::Text,
                _ => Expects::Nothing,
            },
        }
    }
}

impl Task for InstrumentCommand {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        let answer = match self.expects {
            Expects::Nothing => return Vec::new(),
            Expects::Number => Value::Float(1.0),
            Expects::Numbers => Value::from(vec![0.0, 1.0]),
            Expects::Text => Value::from(""),
        };
        vec![("answer".to_owned(), answer)]
    }

    fn check(&self, check: &mut Check<'_>) {
        check.instrument(&[]);
        let Some(command) = check.format("command", &self.command) else {
            return;
        };
        if command.trim().is_empty() {
            check.error("-command", "`command` is empty");
        } else if command.trim_end().ends_with('?') && self.expects == Expects::Nothing {
            let message = "this looks like a question, whose answer nobody reads";
            check.warning_at("command", message, &self.command).hint = Some("write `expects = Number`".to_owned());
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Sending {
            instrument: prepare.instrument(),
            command: prepare.template("command", &self.command),
            expects: self.expects,
            entry: prepare.entry("answer"),
        })
    }
}

struct Sending {
    instrument: Option<InstrumentId>,
    command: CompiledTemplate,
    expects: Expects,
    entry: Option<EntryId>,
}

impl Work for Sending {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let command = at.format(&self.command)?;
        if self.expects == Expects::Nothing {
            at.ask(self.instrument, &[], Ask::Write(&command))?;
            return Ok(());
        }
        let answer = at.ask(self.instrument, &[], Ask::Query(&command))?;
        let text = answer.to_string();
        let number = |part: &str| {
            let number: Result<f64, _> = part.trim().parse();
            number.map_err(|_| at.fail(format!("ValueError: the answer to `{command}` is no number: {part:?}")))
        };
        let answer = match self.expects {
            Expects::Nothing | Expects::Text => answer,
            Expects::Number => Value::Float(number(&text)?),
            Expects::Numbers => Value::from(text.split(',').map(number).collect::<Result<Vec<f64>, _>>()?),
        };
        write(at, self.entry, answer);
        Ok(())
    }
}
