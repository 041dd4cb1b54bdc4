//! A saved value as plain columns of real numbers: a table is parted into its fields, a complex value into `<label>_re`
//! and `<label>_im`.
//!
//! How a value is parted is decided by the first one and stays: a file has its columns for good.

use expr::{Array, Scalar, Value};
use ndarray::ArrayD;

/// How the values of a label are parted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Parts {
    Real,
    Complex,
    /// The fields of a table, and whether each is complex.
    Fields(Vec<(String, bool)>),
}

impl Parts {
    /// How `value` is parted.
    ///
    /// # Errors
    /// Why it cannot be saved as numbers.
    pub(crate) fn of(value: &Value) -> Result<Self, String> {
        match value {
            Value::Record(record) => {
                let field = |(name, column): &(std::sync::Arc<str>, Array)| match column {
                    Array::Str { .. } => Err(format!("its field `{name}` is of texts, not of numbers")),
                    other => Ok((name.to_string(), matches!(other, Array::Complex(_)))),
                };
                record
                    .fields
                    .iter()
                    .map(field)
                    .collect::<Result<_, _>>()
                    .map(Parts::Fields)
            }
            Value::Complex(_) | Value::Scalar(Scalar::Complex(_)) => Ok(Parts::Complex),
            Value::Array(array) => match &**array {
                Array::Complex(_) => Ok(Parts::Complex),
                Array::Bool(_) | Array::Int(_) | Array::Float(_) => Ok(Parts::Real),
                Array::Str { .. } => Err("it is an array of texts, not of numbers".to_owned()),
            },
            other if other.as_f64().is_some() => Ok(Parts::Real),
            other => Err(format!("{} is no number", other.repr())),
        }
    }

    /// The names of the columns.
    pub(crate) fn names(&self, label: &str) -> Vec<String> {
        let two = |name: String| [format!("{name}_re"), format!("{name}_im")];
        match self {
            Parts::Real => vec![label.to_owned()],
            Parts::Complex => two(label.to_owned()).into(),
            Parts::Fields(fields) => fields
                .iter()
                .flat_map(|(field, is_complex)| {
                    let name = format!("{label}_{field}");
                    if *is_complex { two(name).into() } else { vec![name] }
                })
                .collect(),
        }
    }

    /// The columns of a later value.
    ///
    /// # Errors
    /// It is not of the kind of the first.
    pub(crate) fn split(&self, value: &Value) -> Result<Vec<Value>, String> {
        match (self, value) {
            (Parts::Fields(fields), Value::Record(record)) => {
                let mut parts = Vec::with_capacity(fields.len());
                for (name, is_complex) in fields {
                    let column = record
                        .field(name)
                        .ok_or_else(|| format!("it has no field `{name}` any more"))?;
                    one(&Value::from(column.clone()), *is_complex, &mut parts)?;
                }
                Ok(parts)
            }
            (Parts::Fields(_), other) => Err(format!("it was a table at first and is {} now", other.kind())),
            (Parts::Real | Parts::Complex, Value::Record(_)) => {
                Err("it was no table at first and is one now".to_owned())
            }
            (Parts::Real | Parts::Complex, value) => {
                let mut parts = Vec::with_capacity(2);
                one(value, *self == Parts::Complex, &mut parts)?;
                Ok(parts)
            }
        }
    }

    /// What is left with a file, to know it again.
    pub(crate) fn note(&self) -> Value {
        match self {
            Parts::Real => Value::from("real"),
            Parts::Complex => Value::from("complex"),
            Parts::Fields(fields) => Value::list(
                fields
                    .iter()
                    .map(|(name, is_complex)| Value::tuple(vec![Value::from(name.as_str()), Value::Bool(*is_complex)]))
                    .collect(),
            ),
        }
    }

    pub(crate) fn from_note(note: &Value) -> Option<Self> {
        match note {
            Value::List(fields) => {
                let field = |field: &Value| match field {
                    Value::Tuple(pair) => match pair.as_slice() {
                        [Value::Str(name), Value::Bool(is_complex)] => Some((name.to_string(), *is_complex)),
                        _ => None,
                    },
                    _ => None,
                };
                fields.iter().map(field).collect::<Option<_>>().map(Parts::Fields)
            }
            other => match other.as_str()? {
                "real" => Some(Parts::Real),
                "complex" => Some(Parts::Complex),
                _ => None,
            },
        }
    }
}

/// The shape of a plain column's value; empty for a scalar.
pub(crate) fn shape(value: &Value) -> &[usize] {
    match value {
        Value::Array(array) => array.shape(),
        _ => &[],
    }
}

/// The numbers of a plain column's value, in the order of the last dimension first.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(array) => match &**array {
            Array::Bool(data) => data.iter().map(|item| f64::from(u8::from(*item))).collect(),
            Array::Int(data) => data.iter().map(|item| *item as f64).collect(),
            Array::Float(data) => data.iter().copied().collect(),
            Array::Complex(_) | Array::Str { .. } => Vec::new(),
        },
        other => other.as_f64().into_iter().collect(),
    }
}

fn one(value: &Value, is_complex: bool, parts: &mut Vec<Value>) -> Result<(), String> {
    match (Parts::of(value)?, is_complex) {
        (Parts::Real, false) => parts.push(value.clone()),
        (Parts::Real, true) => {
            let zeros = match value {
                Value::Array(array) => Value::from(Array::Float(ArrayD::zeros(array.shape()))),
                _ => Value::Float(0.0),
            };
            parts.extend([value.clone(), zeros]);
        }
        (Parts::Complex, true) => match value {
            Value::Array(array) => {
                if let Array::Complex(data) = &**array {
                    parts.push(Array::Float(data.mapv(|item| item.re)).into());
                    parts.push(Array::Float(data.mapv(|item| item.im)).into());
                }
            }
            Value::Complex(number) | Value::Scalar(Scalar::Complex(number)) => {
                parts.extend([Value::Float(number.re), Value::Float(number.im)]);
            }
            _ => (),
        },
        (Parts::Complex, false) => return Err("it was real at first and is complex now".to_owned()),
        (Parts::Fields(_), _) => return Err("a table in a table cannot be saved".to_owned()),
    }
    Ok(())
}
