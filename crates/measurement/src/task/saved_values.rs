//! What the tasks that save take: an ordered list of labels and expressions, and the lines above the data.

use expr::Value;

use super::{Field, Fields, Text};
use crate::{
    check::{Check, Expect, Prepare},
    program::{At, Compiled, CompiledTemplate, Exit},
};

/// The field `saved_values`.
pub(crate) const SAVED_VALUES: Field = Field {
    name: "saved_values",
    default: "[]",
    doc: "list of (label, expression); a label is a text, all of them differ; their order is that of the columns",
};

/// The field `header` of a text file.
pub(crate) const HEADER: Field = Field {
    name: "header",
    default: "",
    doc: "text; written above the data, `# ` before each of its lines",
};

/// Labels and expressions of a task.
#[derive(Debug)]
pub(crate) struct SavedValues(Vec<(Text, Text)>);

impl SavedValues {
    pub(crate) fn read(fields: &mut Fields<'_>, key: &str) -> Self {
        Self(fields.labelled(key))
    }

    /// The labels and values, unless one of them cannot be had.
    pub(crate) fn check(&self, check: &mut Check<'_>) -> Option<Vec<(String, Value)>> {
        let mut found: Vec<(String, Value)> = Vec::with_capacity(self.0.len());
        for (number, (label, text)) in self.0.iter().enumerate() {
            let name = check.under(&format!("label_{number}"), |check| check.format("label", label));
            let field = name.as_deref().unwrap_or(&label.text);
            let value = check.under(&format!("entry_{number}"), |check| {
                check.evaluate(field, text, Expect::Anything)
            });
            if let (Some(name), Some(value)) = (name, value) {
                if found.iter().any(|(known, _)| *known == name) {
                    let message = format!("two labels are `{name}`: all labels must be different");
                    check.under(&format!("label_{number}"), |check| {
                        check.error_at("label", message, label, None);
                    });
                }
                found.push((name, value));
            }
        }
        (found.len() == self.0.len()).then_some(found)
    }

    /// Says that the value of a label cannot be saved.
    pub(crate) fn refuse(&self, check: &mut Check<'_>, number: usize, message: String) {
        check.under(&format!("entry_{number}"), |check| {
            check.error_at("entry", message, &self.0[number].1, None);
        });
    }

    pub(crate) fn prepare(&self, prepare: &Prepare<'_>) -> CompiledValues {
        CompiledValues {
            labels: self
                .0
                .iter()
                .map(|(label, _)| prepare.template("label", label))
                .collect(),
            values: self
                .0
                .iter()
                .map(|(label, text)| prepare.formula(&label.text, text))
                .collect(),
        }
    }
}

/// Labels and expressions, made ready.
pub(crate) struct CompiledValues {
    labels: Vec<CompiledTemplate>,
    pub(crate) values: Vec<Compiled>,
}

impl CompiledValues {
    pub(crate) fn labels(&self, at: &At<'_>) -> Result<Vec<String>, Exit> {
        self.labels.iter().map(|label| at.format(label)).collect()
    }

    pub(crate) fn values(&self, at: &At<'_>) -> Result<Vec<Value>, Exit> {
        self.values.iter().map(|value| at.evaluate(value)).collect()
    }
}

/// A header as text files have it; nothing for none.
pub(crate) fn comment(header: &str) -> String {
    if header.is_empty() {
        return String::new();
    }
    header.split('\n').map(|line| format!("# {line}\n")).collect()
}
