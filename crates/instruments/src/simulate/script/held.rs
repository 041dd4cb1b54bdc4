//! What a property of pyvisa-sim holds: a number or a text, of the type that its specs say, converted as Python does.

use std::fmt;

use super::yaml::Node;
use crate::driver::{Names, Value, number, template::Template};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Held {
    Int(i64),
    Float(f64),
    Text(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Int,
    Float,
    Text,
}

/// What a property takes.
#[derive(Clone, Debug)]
pub(super) struct Specs {
    of: Type,
    min: Option<Held>,
    max: Option<Held>,
    valid: Vec<Held>,
}

impl Specs {
    /// # Errors
    /// The words say what of the file makes no sense.
    pub(super) fn read(node: &Node) -> Result<Self, String> {
        let of = match node.get("type").and_then(Node::text) {
            Some("float") => Type::Float,
            Some("int") => Type::Int,
            Some("str") => Type::Text,
            other => {
                return Err(format!(
                    "the type is `{}`, not float, int or str",
                    other.unwrap_or_default()
                ));
            }
        };
        let converted = |node: &Node| {
            let text = node.text().unwrap_or_default();
            let held = of.convert(&Held::Text(text.to_owned()));
            held.map_err(|()| format!("`{text}` is not of the property's type"))
        };
        Ok(Self {
            of,
            min: node.get("min").map(converted).transpose()?,
            max: node.get("max").map(converted).transpose()?,
            valid: match node.get("valid") {
                Some(valid) => valid.items().iter().map(converted).collect::<Result<_, _>>()?,
                None => Vec::new(),
            },
        })
    }

    pub(super) fn is_text(&self) -> bool {
        self.of == Type::Text
    }

    /// The value in the property's type, if it takes it.
    pub(super) fn judged(&self, value: &Held) -> Result<Held, ()> {
        let value = self.of.convert(value)?;
        let is_below = self.min.as_ref().is_some_and(|min| value.less_than(min));
        let is_above = self.max.as_ref().is_some_and(|max| max.less_than(&value));
        let is_other = !self.valid.is_empty() && !self.valid.contains(&value);
        if is_below || is_above || is_other {
            Err(())
        } else {
            Ok(value)
        }
    }
}

impl Type {
    fn convert(self, value: &Held) -> Result<Held, ()> {
        Ok(match (self, value) {
            (Self::Int, Held::Int(number)) => Held::Int(*number),
            #[expect(clippy::cast_possible_truncation, reason = "cut off, as Python does")]
            (Self::Int, Held::Float(number)) => Held::Int(*number as i64),
            (Self::Int, Held::Text(text)) => Held::Int(text.trim().parse().map_err(|_| ())?),
            #[expect(clippy::cast_precision_loss, reason = "as Python does")]
            (Self::Float, Held::Int(number)) => Held::Float(*number as f64),
            (Self::Float, Held::Float(number)) => Held::Float(*number),
            (Self::Float, Held::Text(text)) => Held::Float(number::parse(text).ok_or(())?),
            (Self::Text, value) => Held::Text(value.to_string()),
        })
    }
}

impl Held {
    /// `str.format` with it as the only argument; none where Python raises.
    pub(super) fn formatted(&self, format: &str) -> Option<String> {
        let is_integer = |spec: &str| spec.ends_with(['d', 'x', 'X', 'o', 'b']);
        let spec = format
            .split_once("{:")
            .and_then(|(_, rest)| rest.split_once('}'))
            .map_or("", |(spec, _)| spec);
        let value = match self {
            Self::Float(_) if is_integer(spec) => return None,
            Self::Int(_) | Self::Float(_) if spec.ends_with('s') => return None,
            Self::Int(number) => Value::Int(*number),
            Self::Float(number) => Value::Float(*number),
            Self::Text(text) => Value::Text(text.clone()),
        };
        let template = Template::parse(&format.replace('%', "%%")).ok()?;
        if template.places() > 1 {
            return None;
        }
        template.fill(Some(&value), &Names::new()).ok()
    }

    fn less_than(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(ours), Self::Int(theirs)) => ours < theirs,
            (Self::Float(ours), Self::Float(theirs)) => ours < theirs,
            (Self::Text(ours), Self::Text(theirs)) => ours < theirs,
            // Both were converted to one type.
            _ => false,
        }
    }
}

/// As Python's `str`.
impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => write!(f, "{number}"),
            Self::Float(number) => f.write_str(&number::shortest(*number)),
            Self::Text(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Held;

    #[test]
    fn answers_are_formatted_as_python_does() {
        let check = |held: Held, format: &str, expected: Option<&str>| {
            assert_eq!(held.formatted(format).as_deref(), expected, "{format}");
        };
        check(Held::Float(100.0), "{:.2f}", Some("100.00"));
        check(Held::Float(100.0), "{}", Some("100.0"));
        check(Held::Float(5.0), "{:d}", None);
        check(Held::Int(5), "{:02.0f} %", Some("05 %"));
        check(Held::Text("P6V".to_owned()), "{}", Some("P6V"));
        check(Held::Text("P6V".to_owned()), "{:.2f}", None);
        check(Held::Text("x".to_owned()), "{val}", None);
    }
}
