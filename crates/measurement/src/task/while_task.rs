//! `exopy.WhileTask`: children as long as a condition is true.

use expr::Value;

use super::{Field, Fields, Kind, Resume, Shape, Task, Text};
use crate::{
    bench::Signal,
    check::{Check, Expect, Prepare},
    names::EntryId,
    program::{At, Compiled, Exit, Work},
    tree::TaskId,
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy.WhileTask",
    summary: "Performs its children again and again as long as a condition is true.",
    fields: &[Field {
        name: "condition",
        default: "",
        doc: "expression, evaluated before each iteration",
    }],
    entries: &[("index", "number of the iteration, from 1")],
    shape: Shape::Children,
    waits: false,
    pool: None,
    resume: Resume::Redo,
    build: |fields| Box::new(While::new(fields)),
};

#[derive(Debug)]
struct While {
    condition: Text,
}

impl While {
    fn new(fields: &mut Fields<'_>) -> Self {
        Self {
            condition: fields.text("condition", ""),
        }
    }
}

impl Task for While {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![("index".to_owned(), Value::Int(1))]
    }

    fn check(&self, check: &mut Check<'_>) {
        check.evaluate("condition", &self.condition, Expect::Anything);
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Again {
            condition: prepare.formula("condition", &self.condition),
            index: prepare.entry("index"),
            children: prepare.children(),
        })
    }

    fn rounds(&self, _check: &mut Check<'_>) -> Option<f64> {
        None
    }
}

struct Again {
    condition: Compiled,
    index: Option<EntryId>,
    children: Vec<TaskId>,
}

impl Work for Again {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        at.in_loop(None, || {
            for index in 1.. {
                if let Some(entry) = self.index {
                    at.write(entry, Value::Int(index));
                }
                if !at.is_true(&self.condition)? || at.bench().checkpoint(at.task) == Signal::Stop {
                    break;
                }
                match at.perform_all(&self.children) {
                    Ok(()) | Err(Exit::Continue) => (),
                    Err(Exit::Break) => break,
                    Err(failed @ Exit::Failed(_)) => return Err(failed),
                }
            }
            Ok(())
        })
    }
}
