//! Values of signals: what a measurement sets and what an instrument answers.
//!
//! They are few because instruments know few. Numbers compare by value, as in Python (`1`, `1.0` and `true` are the same
//! choice), because driver files and measurements write them as it comes. Deliberately absent: arithmetic.

use std::fmt;

use super::number;

/// A value on our side of a driver.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// Several values of one answer, or the arguments of one command.
    List(Vec<Value>),
    /// The numbers of a block or of an array.
    Floats(Vec<f64>),
    /// Nothing: what a method without a result returns.
    None,
    /// Real and imaginary part.
    Complex(f64, f64),
    /// An array of any shape: what Python's drivers return.
    Array(Box<Array>),
}

/// Numbers in C order.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub elements: Elements,
}

/// The numbers of an [`Array`], as many as the product of its shape.
#[derive(Clone, Debug, PartialEq)]
pub enum Elements {
    Bool(Vec<bool>),
    Int(Vec<i64>),
    Float(Vec<f64>),
    /// Real and imaginary parts.
    Complex(Vec<(f64, f64)>),
}

impl Value {
    /// The number that this is, a truth value counting as 0 or 1.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Bool(truth) => Some(f64::from(u8::from(*truth))),
            #[expect(clippy::cast_precision_loss, reason = "no instrument has integers beyond 2^53")]
            Self::Int(integer) => Some(*integer as f64),
            Self::Float(float) => Some(*float),
            Self::Text(_) | Self::List(_) | Self::Floats(_) | Self::None | Self::Complex(..) | Self::Array(_) => None,
        }
    }

    /// Whether both mean the same: numbers by value, all else exactly.
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(ours), Self::List(theirs)) => {
                ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| a.same(b))
            }
            (Self::Floats(numbers), Self::List(values)) | (Self::List(values), Self::Floats(numbers)) => {
                let pairs = || numbers.iter().zip(values);
                numbers.len() == values.len() && pairs().all(|(number, value)| value.number() == Some(*number))
            }
            _ => match (self.number(), other.number()) {
                (Some(ours), Some(theirs)) => ours == theirs,
                _ => self == other,
            },
        }
    }

    /// What the type is called in driver files and complaints.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a truth value",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Floats(_) | Self::Array(_) => "an array",
            Self::None => "nothing",
            Self::Complex(..) => "a complex number",
        }
    }
}

/// As Python's `str` writes it, which is what Exopy and PyMeasure send.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
            Self::Int(integer) => write!(f, "{integer}"),
            Self::Float(float) => f.write_str(&number::shortest(*float)),
            Self::Text(text) => f.write_str(text),
            Self::List(values) => {
                let parts: Vec<String> = values.iter().map(ToString::to_string).collect();
                f.write_str(&parts.join(","))
            }
            Self::Floats(numbers) => {
                let parts: Vec<String> = numbers.iter().map(|n| number::shortest(*n)).collect();
                f.write_str(&parts.join(","))
            }
            Self::None => f.write_str("None"),
            Self::Complex(re, im) => write!(
                f,
                "({}{}{}j)",
                number::shortest(*re),
                sign(*im),
                number::shortest(im.abs())
            ),
            Self::Array(array) => write!(f, "array of shape {:?}", array.shape),
        }
    }
}

fn sign(number: f64) -> char {
    if number.is_sign_negative() { '-' } else { '+' }
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn numbers_are_the_same_by_value_and_text_exactly() {
        let check = |a: Value, b: Value, expected: bool| assert_eq!(a.same(&b), expected, "{a:?} {b:?}");
        check(Value::Int(1), Value::Float(1.0), true);
        check(Value::Bool(true), Value::Int(1), true);
        check(Value::Text("1".into()), Value::Int(1), false);
        check(Value::Text("on".into()), Value::Text("ON".into()), false);
        check(
            Value::List(vec![Value::Int(1)]),
            Value::List(vec![Value::Float(1.0)]),
            true,
        );
    }
}
