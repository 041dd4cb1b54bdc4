//! How the text of an answer is taken apart, before it is known what it means.

use super::value::Value;
use crate::block::{ByteOrder, Number};

/// How an answer is taken apart.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Answer {
    /// Dropped from the beginning; must be there.
    pub prefix: String,
    /// Dropped from the end where it is.
    pub suffix: String,
    /// Characters dropped after that from the beginning.
    pub skip: usize,
    /// Quotes around the text are dropped.
    pub unquote: bool,
    pub split: Option<Split>,
    /// One bit of an integer.
    pub bit: Option<u8>,
    /// Numbers that mean that there is no number: overload.
    pub overload: Vec<f64>,
    /// Names and units of several values.
    pub fields: Vec<Field>,
    /// The answer is a block of such numbers.
    pub block: Option<(Number, ByteOrder)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    pub separator: String,
    /// At most so many times.
    pub most: Option<usize>,
}

/// One of several values of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub name: String,
    pub unit: Option<String>,
}

impl Answer {
    pub(crate) fn stripped<'t>(&self, text: &'t str) -> Result<&'t str, String> {
        // Some end their answers with NUL, as C does.
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        let text = text
            .strip_prefix(self.prefix.as_str())
            .ok_or_else(|| format!("an answer that begins with `{}`", self.prefix))?;
        let text = text.strip_suffix(self.suffix.as_str()).unwrap_or(text);
        if self.skip == 0 {
            return Ok(text);
        }
        let start = text.char_indices().nth(self.skip).map(|(at, _)| at);
        start
            .map(|at| &text[at..])
            .ok_or_else(|| format!("more than {} characters", self.skip))
    }
}

/// Numbers alone are an array.
pub(crate) fn array(values: Vec<Value>) -> Value {
    let float = |value: &Value| match value {
        Value::Float(float) => Some(*float),
        _ => None,
    };
    let numbers: Option<Vec<f64>> = values.iter().map(float).collect();
    numbers.map_or(Value::List(values), Value::Floats)
}

/// Instruments answer in ASCII; what is beyond is a unit's sign in Latin-1, or noise that must not be lost.
pub(crate) fn decoded(answer: &[u8]) -> String {
    match std::str::from_utf8(answer) {
        Ok(text) => text.to_owned(),
        Err(_) => answer.iter().map(|byte| char::from(*byte)).collect(),
    }
}

pub(crate) fn integer(text: &str, number: f64) -> Result<Value, String> {
    if let Ok(integer) = text.trim().parse() {
        return Ok(Value::Int(integer));
    }
    #[expect(clippy::cast_precision_loss, reason = "the bounds of i64")]
    let fits = number >= i64::MIN as f64 && number < i64::MAX as f64;
    if number.fract() == 0.0 && fits {
        #[expect(clippy::cast_possible_truncation, reason = "just checked")]
        return Ok(Value::Int(number as i64));
    }
    Err("an integer".to_owned())
}

/// Without the quotes around all of it; `"a","b"` has none.
pub(crate) fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inside = |quote: char| {
        let inside = text.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inside.contains(quote)).then_some(inside)
    };
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}
