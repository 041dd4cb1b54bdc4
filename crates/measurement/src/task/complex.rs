//! Tasks in order: `exopy.ComplexTask`, and the root of every measurement.

use expr::Value;

use super::{Fields, Kind, Resume, Shape, Task, Text};
use crate::{
    check::{Check, Prepare},
    program::{At, Exit, Work},
    tree::TaskId,
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy.ComplexTask",
    summary: "Performs its children in their order.",
    fields: &[],
    entries: &[],
    shape: Shape::Children,
    waits: None,
    pool: None,
    resume: Resume::Redo,
    build: |_| Box::new(Complex),
};

#[derive(Debug)]
struct Complex;

impl Task for Complex {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        Vec::new()
    }

    fn check(&self, _check: &mut Check<'_>) {}

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(InOrder(prepare.children()))
    }
}

/// The root: a complex task that knows where files go.
#[derive(Debug)]
struct Root {
    default_path: Text,
}

pub(crate) fn build_root(fields: &mut Fields<'_>) -> Box<dyn Task> {
    Box::new(Root {
        default_path: fields.text("default_path", ""),
    })
}

impl Task for Root {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        Vec::new()
    }

    fn check(&self, check: &mut Check<'_>) {
        let path = self.default_path.text.as_str();
        check.set("default_path", Value::from(path));
        let (message, hint) = match (path, check.surroundings.folder(path)) {
            ("", _) => (
                "there is no `default_path` to write to".to_owned(),
                "name a folder with `--default-path`",
            ),
            (path, Err(why)) => (
                format!("`default_path` = `{path}`: {why}"),
                "make the folder, or name another with `--default-path`",
            ),
            (_, Ok(())) => return,
        };
        let place = self.default_path.place(None);
        let problem = check.error("", message);
        problem.hint = Some(hint.to_owned());
        problem.place = place.map(|span| (span.start, span.end)).or(problem.place);
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(InOrder(prepare.children()))
    }
}

struct InOrder(Vec<TaskId>);

impl Work for InOrder {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        at.perform_all(&self.0)
    }
}
