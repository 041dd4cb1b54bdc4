//! `exopy_hqc_legacy.ArrayFindValueTask`: where an array has a value.

use std::sync::LazyLock;

use expr::{Formula, Value};

use super::{
    Field, Kind, Resume, Shape, Task, Text,
    array_extrema::{COLUMN_NAME, Column, CompiledColumn, TARGET_ARRAY},
    linspace::{evaluate, formula},
};
use crate::{
    check::{Check, Expect, Prepare},
    names::EntryId,
    program::{At, Compiled, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy_hqc_legacy.ArrayFindValueTask",
    summary: "Finds the first place of a value in an array, to 1e-12; fails if it is not there.",
    fields: &[
        TARGET_ARRAY,
        COLUMN_NAME,
        Field {
            name: "value",
            default: "",
            doc: "expression; the value",
        },
    ],
    entries: &[("index", "index of the value, from 0")],
    shape: Shape::Leaf,
    waits: Some(&[]),
    pool: None,
    resume: Resume::Redo,
    build: |fields| {
        Box::new(FindValue {
            column: Column::read(fields),
            value: fields.text("value", ""),
        })
    },
};

static PLACES: LazyLock<Formula> = LazyLock::new(|| formula("np.where(np.abs({array} - {value}) < 1e-12)[0]"));
static FIRST: LazyLock<Formula> = LazyLock::new(|| formula("{places}[0]"));

#[derive(Debug)]
struct FindValue {
    column: Column,
    value: Text,
}

impl Task for FindValue {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![("index".to_owned(), Value::Int(0))]
    }

    fn check(&self, check: &mut Check<'_>) {
        self.column.check(check);
        check.evaluate("value", &self.value, Expect::Anything);
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Find {
            column: self.column.prepare(prepare),
            value: prepare.formula("value", &self.value),
            index: prepare.entry("index"),
        })
    }
}

struct Find {
    column: CompiledColumn,
    value: Compiled,
    index: Option<EntryId>,
}

impl Work for Find {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let array = self.column.values(at)?;
        let value = at.evaluate(&self.value)?;
        let places = evaluate(&PLACES, &[("array", &array), ("value", &value)]).map_err(|why| at.fail(why))?;
        if places.is_empty().unwrap_or(true) {
            return Err(at.fail(format!("ValueError: {value} is not in the array {array}")));
        }
        let index = evaluate(&FIRST, &[("places", &places)]).map_err(|why| at.fail(why))?;
        if let Some(entry) = self.index {
            at.write(entry, index);
        }
        Ok(())
    }
}
