//! What the tasks that save take: an ordered list of labels and expressions, and the lines above the data.

use std::fmt::Write;

use expr::{Scalar, Value};

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

/// Appends Python's `str` of a value. Most are floats, whose text is the shortest that reads back the same in Python and
/// in Rust: between the sizes at which Python takes an exponent, they are written here without a text of their own.
pub(crate) fn push(line: &mut String, value: &Value) {
    match value {
        Value::Float(number) | Value::Scalar(Scalar::Float(number))
            if *number == 0.0 || (1e-4..1e16).contains(&number.abs()) =>
        {
            write!(line, "{number:?}")
        }
        Value::Int(number) | Value::Scalar(Scalar::Int(number)) => write!(line, "{number}"),
        other => write!(line, "{other}"),
    }
    .expect("a String takes any text");
}

/// A header as text files have it; nothing for none.
pub(crate) fn comment(header: &str) -> String {
    if header.is_empty() {
        return String::new();
    }
    header.split('\n').map(|line| format!("# {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_way_ends_where_the_long_one_does() {
        let edges = [
            0.0,
            1e-4,
            1e16,
            0.1,
            1.0 / 3.0,
            5e-324,
            123456789.0,
            f64::MAX,
            f64::NAN,
            f64::INFINITY,
        ];
        for edge in edges {
            for number in [edge, edge.next_down(), edge.next_up(), -edge, edge * 7.0] {
                for value in [Value::Float(number), Value::Scalar(Scalar::Float(number))] {
                    let mut text = String::new();
                    push(&mut text, &value);
                    assert_eq!(text, value.to_string());
                }
            }
        }
        let mut text = String::new();
        push(&mut text, &Value::Scalar(Scalar::Int(-7)));
        assert_eq!(text, Value::Scalar(Scalar::Int(-7)).to_string());
    }
}
