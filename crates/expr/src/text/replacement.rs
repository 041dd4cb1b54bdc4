//! `'{:.3f} {name}'.format(value, name=…)`: replacement fields of `str.format`.

use crate::numpy::Arguments;
use crate::text::format_spec;
use crate::{Error, ErrorKind, Value};
use crate::{attributes, limits, subscript, text};

fn value_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::ValueError, message)
}

/// Whether fields are counted or numbered by hand: one text does one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Numbering {
    Undecided,
    Automatic(usize),
    Manual,
}

struct Replacement<'a> {
    arguments: &'a Arguments,
    numbering: Numbering,
}

/// `text.format(*positional, **keywords)`.
pub(crate) fn format(text: &str, arguments: &Arguments) -> Result<String, Error> {
    Replacement {
        arguments,
        numbering: Numbering::Undecided,
    }
    .run(text, 2)
}

impl Replacement<'_> {
    fn run(&mut self, text: &str, depth: u32) -> Result<String, Error> {
        if depth == 0 {
            return Err(value_error("Max string recursion exceeded"));
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            out.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if rest.starts_with(brace) {
                out.push_str(brace);
                rest = &rest[1..];
                continue;
            }
            if brace == "}" {
                return Err(value_error("Single '}' encountered in format string"));
            }
            if rest.is_empty() {
                return Err(value_error("Single '{' encountered in format string"));
            }
            let end = closing(rest).ok_or_else(|| value_error("expected '}' before end of string"))?;
            let piece = self.field(&rest[..end], depth)?;
            limits::elements(piece.len())?;
            out.push_str(&piece);
            rest = &rest[end + 1..];
        }
        out.push_str(rest);
        Ok(out)
    }

    fn field(&mut self, field: &str, depth: u32) -> Result<String, Error> {
        // A bracketed index may hold any of the separators.
        let mut in_index = false;
        let end = field.find(|c| {
            match c {
                '[' => in_index = true,
                ']' => in_index = false,
                _ => {}
            }
            !in_index && (c == ':' || c == '!')
        });
        let (name, after) = field.split_at(end.unwrap_or(field.len()));
        if name.contains('{') {
            return Err(value_error("unexpected '{' in field name"));
        }
        let value = self.value(name)?;
        let (conversion, spec) = match after.strip_prefix('!') {
            None => (None, after.strip_prefix(':').unwrap_or("")),
            Some(conversion) => {
                let letter = conversion
                    .chars()
                    .next()
                    .ok_or_else(|| value_error("end of string while looking for conversion specifier"))?;
                let after = &conversion[letter.len_utf8()..];
                match after.strip_prefix(':') {
                    Some(spec) => (Some(letter), spec),
                    None if after.is_empty() => (Some(letter), ""),
                    None => return Err(value_error("expected ':' after conversion specifier")),
                }
            }
        };
        if conversion.is_some() {
            limits::written(&value)?;
        }
        let value = match conversion {
            None => value,
            Some('s') => Value::str(value.to_string()),
            Some('r') => Value::str(value.repr()),
            Some('a') => Value::str(text::ascii(&value.repr())),
            Some(other) => return Err(value_error(format!("Unknown conversion specifier '{other}'"))),
        };
        let spec = if spec.contains(['{', '}']) {
            self.run(spec, depth - 1)?
        } else {
            spec.to_owned()
        };
        format_spec::format(&value, &spec)
    }

    /// `name.attribute[index]…`
    fn value(&mut self, field: &str) -> Result<Value, Error> {
        let end = field.find(['.', '[']).unwrap_or(field.len());
        let (name, mut rest) = field.split_at(end);
        let mut value = self.argument(name)?;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                if end == 0 {
                    return Err(value_error("Empty attribute in format string"));
                }
                value = attributes::attribute(&value, &after[..end])?;
                rest = &after[end..];
            } else {
                let after = rest
                    .strip_prefix('[')
                    .ok_or_else(|| value_error("Only '.' or '[' may follow ']' in format field specifier"))?;
                let end = after
                    .find(']')
                    .ok_or_else(|| value_error("Missing ']' in format string"))?;
                let index = &after[..end];
                if index.is_empty() {
                    return Err(value_error("Empty attribute in format string"));
                }
                let index = match index.parse::<i64>() {
                    Ok(number) if index.bytes().all(|byte| byte.is_ascii_digit()) => Value::Int(number),
                    _ => Value::str(index),
                };
                value = subscript::subscript(&value, &index)?;
                rest = &after[end + 1..];
            }
        }
        Ok(value)
    }

    fn argument(&mut self, name: &str) -> Result<Value, Error> {
        let index = if name.is_empty() {
            let index = match self.numbering {
                Numbering::Undecided => 0,
                Numbering::Automatic(next) => next,
                Numbering::Manual => {
                    let message = "cannot switch from manual field specification to automatic field numbering";
                    return Err(value_error(message));
                }
            };
            self.numbering = Numbering::Automatic(index + 1);
            index
        } else if name.bytes().all(|byte| byte.is_ascii_digit()) {
            if let Numbering::Automatic(_) = self.numbering {
                let message = "cannot switch from automatic field numbering to manual field specification";
                return Err(value_error(message));
            }
            self.numbering = Numbering::Manual;
            name.parse()
                .map_err(|_| value_error("Too many decimal digits in format string"))?
        } else {
            let found = self.arguments.keywords.iter().find(|(keyword, _)| **keyword == *name);
            let missing = || Error::new(ErrorKind::KeyError, Value::str(name).repr());
            return found.map(|(_, value)| value.clone()).ok_or_else(missing);
        };
        self.arguments.positional.get(index).cloned().ok_or_else(|| {
            let message = format!("Replacement index {index} out of range for positional args tuple");
            Error::new(ErrorKind::IndexError, message)
        })
    }
}

/// Where the field ends whose content `text` begins with.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1;
    for (at, c) in text.char_indices() {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}
