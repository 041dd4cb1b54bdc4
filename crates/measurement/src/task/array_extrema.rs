//! `exopy_hqc_legacy.ArrayExtremaTask`: where an array has its largest or smallest value, and which.

use std::sync::LazyLock;

use expr::{Array, Formula, Value};

use super::{
    Field, Fields, Kind, Resume, Shape, Task, Text,
    linspace::{evaluate, formula},
};
use crate::{
    check::{Check, Expect, Prepare},
    names::EntryId,
    program::{At, Compiled, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy_hqc_legacy.ArrayExtremaTask",
    summary: "Finds the largest value of an array, or the smallest, or both; the first of several, and NaN before all.",
    fields: &[
        TARGET_ARRAY,
        COLUMN_NAME,
        Field {
            name: "mode",
            default: "Max",
            doc: "`Max`, `Min` or `Max & min`",
        },
    ],
    entries: &[
        ("max_ind", "index of the largest value, from 0"),
        ("max_value", "the largest value"),
        ("min_ind", "index of the smallest value, with `Min` and `Max & min`"),
        ("min_value", "the smallest value"),
    ],
    shape: Shape::Leaf,
    waits: Some(&[]),
    pool: None,
    resume: Resume::Redo,
    build: |fields| {
        let mode = fields.choice("mode", &["Max", "Min", "Max & min"]);
        Box::new(Extrema {
            column: Column::read(fields),
            extrema: match mode {
                "Min" => vec![&MIN],
                "Max & min" => vec![&MAX, &MIN],
                _ => vec![&MAX],
            },
        })
    },
};

/// The field `target_array`.
pub(crate) const TARGET_ARRAY: Field = Field {
    name: "target_array",
    default: "",
    doc: "expression; the array",
};

/// The field `column_name`.
pub(crate) const COLUMN_NAME: Field = Field {
    name: "column_name",
    default: "",
    doc: "field of the array in which to look, if it has named fields",
};

/// One extremum.
#[derive(Debug)]
struct Extremum {
    index: &'static str,
    value: &'static str,
    default: f64,
    find: LazyLock<Formula>,
}

static MAX: Extremum = Extremum {
    index: "max_ind",
    value: "max_value",
    default: 2.0,
    find: LazyLock::new(|| formula("np.argmax({array})")),
};

static MIN: Extremum = Extremum {
    index: "min_ind",
    value: "min_value",
    default: 1.0,
    find: LazyLock::new(|| formula("np.argmin({array})")),
};

static ITEM: LazyLock<Formula> = LazyLock::new(|| formula("{array}[{index}]"));

#[derive(Debug)]
struct Extrema {
    column: Column,
    extrema: Vec<&'static Extremum>,
}

impl Task for Extrema {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        let entries = |extremum: &&Extremum| {
            [
                (extremum.index.to_owned(), Value::Int(0)),
                (extremum.value.to_owned(), Value::Float(extremum.default)),
            ]
        };
        self.extrema.iter().flat_map(entries).collect()
    }

    fn check(&self, check: &mut Check<'_>) {
        self.column.check(check);
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        let entries =
            |extremum: &&'static Extremum| (*extremum, prepare.entry(extremum.index), prepare.entry(extremum.value));
        Box::new(Find {
            column: self.column.prepare(prepare),
            extrema: self.extrema.iter().map(entries).collect(),
        })
    }
}

struct Find {
    column: CompiledColumn,
    extrema: Vec<(&'static Extremum, Option<EntryId>, Option<EntryId>)>,
}

impl Work for Find {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let array = self.column.values(at)?;
        for (extremum, index_entry, value_entry) in &self.extrema {
            let index = evaluate(&extremum.find, &[("array", &array)]).map_err(|why| at.fail(why))?;
            let value = evaluate(&ITEM, &[("array", &array), ("index", &index)]).map_err(|why| at.fail(why))?;
            for (entry, value) in [(index_entry, index), (value_entry, value)] {
                if let Some(entry) = entry {
                    at.write(*entry, value);
                }
            }
        }
        Ok(())
    }
}

/// An array of one dimension, or a field of one with named fields: what is searched.
#[derive(Debug)]
pub(crate) struct Column {
    array: Text,
    name: Text,
}

impl Column {
    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            array: fields.text("target_array", ""),
            name: fields.text("column_name", ""),
        }
    }

    /// The array is blamed, as by Exopy under the task as a whole.
    pub(crate) fn check(&self, check: &mut Check<'_>) {
        let Some(array) = check.evaluate("target_array", &self.array, Expect::Array) else {
            return;
        };
        let Err(message) = select(&array, &self.name.text) else {
            return;
        };
        let path = check.node().error_path().to_owned();
        let blamed = if self.name.text.is_empty() {
            &self.array
        } else {
            &self.name
        };
        check.error_at("column_name", message, blamed, None).path = path;
    }

    pub(crate) fn prepare(&self, prepare: &Prepare<'_>) -> CompiledColumn {
        CompiledColumn {
            array: prepare.formula("target_array", &self.array),
            name: self.name.text.clone(),
        }
    }
}

pub(crate) struct CompiledColumn {
    array: Compiled,
    name: String,
}

impl CompiledColumn {
    pub(crate) fn values(&self, at: &At<'_>) -> Result<Value, Exit> {
        select(&at.evaluate(&self.array)?, &self.name).map_err(|message| at.fail(message))
    }
}

fn select(array: &Value, name: &str) -> Result<Value, String> {
    match array {
        Value::Record(record) => {
            let names: Vec<String> = record.fields.iter().map(|(name, _)| format!("`{name}`")).collect();
            if name.is_empty() {
                return Err(format!(
                    "the array has named fields, choose one as `column_name`: {}",
                    names.join(", ")
                ));
            }
            let field: Option<&Array> = record.field(name);
            field
                .map(|field| Value::from(field.clone()))
                .ok_or_else(|| format!("the array has no field `{name}`, its fields are {}", names.join(", ")))
        }
        Value::Array(_) if !name.is_empty() => Err(format!("the array has no named fields, so there is no `{name}`")),
        Value::Array(values) if values.shape().len() != 1 => Err(format!(
            "the array should have one dimension, not {}",
            values.shape().len()
        )),
        Value::Array(_) => Ok(array.clone()),
        other => Err(format!(
            "TypeError: `target_array` should be an array, not {}",
            other.repr()
        )),
    }
}
