//! `exopy.SleepTask`: waiting for a time.
//!
//! Stop ends a sleep at once and pause holds what is left of it, unless the task is not stoppable.

use std::time::Duration;

use expr::Value;

use super::{Field, Fields, Kind, Resume, Shape, Task, Text};
use crate::{
    check::{Check, Expect, Prepare},
    names::EntryId,
    program::{At, Compiled, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy.SleepTask",
    summary: "Sleeps; a stop ends it at once, a pause holds what is left.",
    fields: &[Field {
        name: "time",
        default: "",
        doc: "expression; seconds, not negative",
    }],
    entries: &[("time", "the time slept, in seconds")],
    shape: Shape::Leaf,
    waits: None,
    pool: None,
    resume: Resume::Redo,
    build: |fields| Box::new(Sleep::new(fields)),
};

#[derive(Debug)]
struct Sleep {
    time: Text,
}

impl Sleep {
    fn new(fields: &mut Fields<'_>) -> Self {
        Self {
            time: fields.text("time", ""),
        }
    }
}

impl Task for Sleep {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![("time".to_owned(), Value::Int(1))]
    }

    fn check(&self, check: &mut Check<'_>) {
        let Some(time) = check.evaluate("time", &self.time, Expect::Real) else {
            return;
        };
        if time.as_f64().is_some_and(|seconds| seconds < 0.0) {
            let place = self.time.place(None);
            let problem = check.error("", format!("the sleep time is negative: {time} s"));
            problem.place = place.map(|span| (span.start, span.end)).or(problem.place);
        }
        check.set("time", time);
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Wait {
            time: prepare.formula("time", &self.time),
            entry: prepare.entry("time"),
        })
    }

    fn seconds(&self, check: &mut Check<'_>) -> f64 {
        check
            .get("time")
            .and_then(Value::as_f64)
            .filter(|seconds| seconds.is_finite())
            .unwrap_or(0.0)
    }
}

struct Wait {
    time: Compiled,
    entry: Option<EntryId>,
}

impl Work for Wait {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let time = at.evaluate(&self.time)?;
        if let Some(entry) = self.entry {
            at.write(entry, time.clone());
        }
        let seconds = time.as_f64().filter(|_| time.is_real());
        let Some(seconds) = seconds else {
            return Err(at.fail(format!(
                "TypeError: a sleep takes a number of seconds, not {}",
                time.kind()
            )));
        };
        let time = Duration::try_from_secs_f64(seconds).map_err(|_| {
            at.fail(format!(
                "ValueError: cannot sleep for {seconds} s: it must be a non-negative, finite time"
            ))
        })?;
        if at.stoppable() {
            // Whether it was cut short or not, the next checkpoint knows that the run stops.
            let _ = at.bench().sleep(at.task, time);
        } else {
            at.bench().sleep_through(at.task, time);
        }
        Ok(())
    }
}
