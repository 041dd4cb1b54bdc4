//! `exopy.ConditionalTask`: children under a condition.

use expr::Value;

use super::{Field, Fields, Kind, Resume, Shape, Task, Text};
use crate::{
    check::{Check, Expect, Prepare},
    program::{At, Compiled, Exit, Work},
    tree::TaskId,
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy.ConditionalTask",
    summary: "Performs its children if a condition is true.",
    fields: &[Field {
        name: "condition",
        default: "",
        doc: "expression; its truth decides, as in Python",
    }],
    entries: &[],
    shape: Shape::Children,
    waits: None,
    pool: None,
    resume: Resume::Redo,
    build: |fields| Box::new(Conditional::new(fields)),
};

#[derive(Debug)]
struct Conditional {
    condition: Text,
}

impl Conditional {
    fn new(fields: &mut Fields<'_>) -> Self {
        Self {
            condition: fields.text("condition", ""),
        }
    }
}

impl Task for Conditional {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        Vec::new()
    }

    fn check(&self, check: &mut Check<'_>) {
        check.evaluate("condition", &self.condition, Expect::Anything);
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        let condition = prepare.formula("condition", &self.condition);
        Box::new(If {
            condition,
            children: prepare.children(),
        })
    }
}

struct If {
    condition: Compiled,
    children: Vec<TaskId>,
}

impl Work for If {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        // A run that was broken off inside goes on inside, whatever the condition would say now.
        if at.resumes_inside() || at.is_true(&self.condition)? {
            at.perform_all(&self.children)
        } else {
            Ok(())
        }
    }
}
