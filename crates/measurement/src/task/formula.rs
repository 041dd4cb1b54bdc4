//! `exopy.FormulaTask`: values computed from other entries.

use expr::Value;

use super::{Field, Kind, Resume, Shape, Task, Text};
use crate::{
    check::{Check, Expect, Prepare},
    names::EntryId,
    program::{At, Compiled, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy.FormulaTask",
    summary: "Computes values; a formula sees the results of those before it.",
    fields: &[Field {
        name: "formulas",
        default: "[]",
        doc: "list of (name, expression); {entry} is the value of an entry",
    }],
    entries: &[("…", "one for each formula")],
    shape: Shape::Leaf,
    waits: Some(&[]),
    pool: None,
    resume: Resume::Redo,
    build: |fields| {
        Box::new(Formulas {
            formulas: fields.pairs("formulas"),
        })
    },
};

#[derive(Debug)]
struct Formulas {
    formulas: Vec<(String, Text)>,
}

impl Task for Formulas {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        self.formulas
            .iter()
            .map(|(name, _)| (name.clone(), Value::Float(1.0)))
            .collect()
    }

    fn check(&self, check: &mut Check<'_>) {
        for (name, text) in &self.formulas {
            if let Some(value) = check.evaluate(name, text, Expect::Anything) {
                check.set(name, value);
            }
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        let compile = |(name, text): &(String, Text)| (prepare.formula(name, text), prepare.entry(name));
        Box::new(Compute(self.formulas.iter().map(compile).collect()))
    }
}

struct Compute(Vec<(Compiled, Option<EntryId>)>);

impl Work for Compute {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        for (formula, entry) in &self.0 {
            let value = at.evaluate(formula)?;
            if let Some(entry) = entry {
                at.write(*entry, value);
            }
        }
        Ok(())
    }
}
