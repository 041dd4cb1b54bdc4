//! `exopy.BreakTask` and `exopy.ContinueTask`: leaving a loop, or its iteration, under a condition.
//!
//! They act on the nearest loop around, however deep inside it they stand. They cannot reach out of a task that runs in
//! the background of a pool: what is around it goes on without it.

use expr::Value;

use super::{Field, Fields, Kind, Resume, Shape, Task, Text};
use crate::{
    check::{Check, Expect, Prepare},
    program::{At, Compiled, Exit, Work},
};

const FIELDS: &[Field] = &[Field {
    name: "condition",
    default: "",
    doc: "expression; acts when it is true",
}];

pub(crate) static BREAK: Kind = Kind {
    id: "exopy.BreakTask",
    summary: "Leaves the nearest loop around if a condition is true.",
    fields: FIELDS,
    entries: &[],
    shape: Shape::Leaf,
    waits: None,
    pool: None,
    resume: Resume::Redo,
    build: |fields| Box::new(LoopException::new(fields, &BREAK, || Exit::Break)),
};

pub(crate) static CONTINUE: Kind = Kind {
    id: "exopy.ContinueTask",
    summary: "Goes on with the next iteration of the nearest loop around if a condition is true.",
    fields: FIELDS,
    entries: &[],
    shape: Shape::Leaf,
    waits: None,
    pool: None,
    resume: Resume::Redo,
    build: |fields| Box::new(LoopException::new(fields, &CONTINUE, || Exit::Continue)),
};

#[derive(Debug)]
struct LoopException {
    kind: &'static Kind,
    condition: Text,
    exit: fn() -> Exit,
}

impl LoopException {
    fn new(fields: &mut Fields<'_>, kind: &'static Kind, exit: fn() -> Exit) -> Self {
        Self {
            kind,
            condition: fields.text("condition", ""),
            exit,
        }
    }
}

impl Task for LoopException {
    fn kind(&self) -> Option<&'static Kind> {
        Some(self.kind)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        Vec::new()
    }

    fn check(&self, check: &mut Check<'_>) {
        check.evaluate("condition", &self.condition, Expect::Anything);
        let mut here = check.node();
        loop {
            if let Some(pool) = &here.pool {
                let message = format!(
                    "`{}` runs in the background of pool `{pool}`: no loop around it can be reached",
                    here.path
                );
                check.error("-parent", message).hint = Some("remove the pool from `parallel`".to_owned());
                return;
            }
            let Some(parent) = here.parent else { break };
            let embedded = check
                .tree
                .node(parent)
                .embedded
                .is_some_and(|task| std::ptr::eq(check.tree.node(task), here));
            here = check.tree.node(parent);
            // The embedded task is performed before the loop's own handling begins.
            if !embedded
                && here
                    .kind()
                    .is_some_and(|kind| matches!(kind.id, "exopy.LoopTask" | "exopy.WhileTask"))
            {
                return;
            }
        }
        check.error("-parent", "there is no loop around this task").hint =
            Some("put it inside a LoopTask or a WhileTask".to_owned());
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Leave {
            condition: prepare.formula("condition", &self.condition),
            exit: self.exit,
        })
    }
}

struct Leave {
    condition: Compiled,
    exit: fn() -> Exit,
}

impl Work for Leave {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        if at.is_true(&self.condition)? {
            Err((self.exit)())
        } else {
            Ok(())
        }
    }
}
