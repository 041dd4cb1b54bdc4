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
    waits: None,
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
        let resumed = at.resumed_loop();
        if resumed.as_ref().is_some_and(|resumed| resumed.is_left) {
            return Ok(());
        }
        if resumed.is_none() {
            let recorded = at.bench().record_round(at.task, None, None);
            recorded.map_err(|message| at.fail(message))?;
        }
        let first = resumed.map_or(1, |resumed| resumed.rounds as i64 + 1);
        at.in_loop(None, || {
            for index in first.. {
                if let Some(entry) = self.index {
                    at.write(entry, Value::Int(index));
                }
                let goes_on = at.resumes_inside() || at.is_true(&self.condition)?;
                if !goes_on || at.bench().checkpoint(at.task) == Signal::Stop {
                    break;
                }
                match at.perform_all(&self.children) {
                    Ok(()) | Err(Exit::Continue) => at.record_iteration(false)?,
                    Err(Exit::Break) => {
                        at.record_iteration(true)?;
                        break;
                    }
                    Err(exit @ (Exit::Failed(_) | Exit::Stopped)) => return Err(exit),
                }
            }
            Ok(())
        })
    }
}
