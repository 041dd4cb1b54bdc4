//! `'%.3f V' % value`: formatting with the percent sign.

use num_bigint::BigInt;

use crate::text::format_spec::{FloatStyle, float_text, group_digits};
use crate::{Error, ErrorKind, Scalar, Value};
use crate::{integers, limits, text};

/// One `%…x` of a format.
#[derive(Debug, Default)]
struct Conversion {
    alternate: bool,
    zero: bool,
    left: bool,
    blank: bool,
    plus: bool,
    width: usize,
    precision: Option<usize>,
}

fn error(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error::new(kind, message)
}

/// The values that the conversions take, one after the other.
struct Values<'v> {
    all: &'v Value,
    next: usize,
}

impl Values<'_> {
    fn take(&mut self) -> Result<Value, Error> {
        let value = match self.all {
            Value::Tuple(items) => items.get(self.next).cloned(),
            other if self.next == 0 => Some(other.clone()),
            _ => None,
        };
        self.next += 1;
        value.ok_or_else(|| error(ErrorKind::TypeError, "not enough arguments for format string"))
    }

    fn take_size(&mut self) -> Result<i64, Error> {
        let value = self.take()?;
        if !value.is_integral() {
            return Err(error(ErrorKind::TypeError, "* wants int"));
        }
        value
            .as_i64()
            .ok_or_else(|| error(ErrorKind::OverflowError, "Python int too large to convert to C int"))
    }
}

/// `format % values`.
pub(crate) fn format(format: &str, all: &Value) -> Result<String, Error> {
    let mut values = Values { all, next: 0 };
    let mut out = String::new();
    let mut used_keys = false;
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let incomplete = || error(ErrorKind::ValueError, "incomplete format");
        let mut keyed = None;
        if rest.starts_with('(') {
            let Value::Dict(dict) = all else {
                return Err(error(ErrorKind::TypeError, "format requires a mapping"));
            };
            let end = closing(rest).ok_or_else(|| error(ErrorKind::ValueError, "incomplete format key"))?;
            let key = Value::str(&rest[1..end]);
            let found = dict.items.iter().find(|(other, _)| *other == key);
            keyed = Some(found.ok_or_else(|| error(ErrorKind::KeyError, key.repr()))?.1.clone());
            used_keys = true;
            rest = &rest[end + 1..];
        }
        if keyed.is_none() && rest.starts_with('%') {
            out.push('%');
            rest = &rest[1..];
            continue;
        }
        let mut conversion = Conversion::default();
        rest = conversion.read(rest, &mut values)?;
        let letter = rest.chars().next().ok_or_else(incomplete)?;
        rest = &rest[letter.len_utf8()..];
        let value = match keyed {
            Some(value) => value,
            None => values.take()?,
        };
        let piece = conversion.apply(letter, &value, format.len() - rest.len() - 1)?;
        limits::elements(piece.len())?;
        out.push_str(&piece);
    }
    out.push_str(rest);
    let all_used = match all {
        Value::Tuple(items) => values.next >= items.len(),
        Value::Dict(_) | Value::List(_) | Value::Range(_) | Value::Array(_) | Value::Record(_) | Value::Bytes(_) => {
            true
        }
        _ => used_keys || values.next > 0,
    };
    if all_used {
        Ok(out)
    } else {
        Err(error(
            ErrorKind::TypeError,
            "not all arguments converted during string formatting",
        ))
    }
}

/// Where the bracket closes that `text` begins with.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

impl Conversion {
    /// Flags, width, precision; what comes after them.
    fn read<'f>(&mut self, mut rest: &'f str, values: &mut Values<'_>) -> Result<&'f str, Error> {
        loop {
            match rest.as_bytes().first() {
                Some(b'#') => self.alternate = true,
                Some(b'0') => self.zero = true,
                Some(b'-') => self.left = true,
                Some(b' ') => self.blank = true,
                Some(b'+') => self.plus = true,
                _ => break,
            }
            rest = &rest[1..];
        }
        if let Some(after) = rest.strip_prefix('*') {
            let width = values.take_size()?;
            self.left |= width < 0;
            self.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
            rest = after;
        } else {
            (self.width, rest) = number(rest)?;
        }
        limits::elements(self.width)?;
        if let Some(after) = rest.strip_prefix('.') {
            let precision = if let Some(after) = after.strip_prefix('*') {
                rest = after;
                usize::try_from(values.take_size()?).unwrap_or(0)
            } else {
                let (precision, after) = number(after)?;
                rest = after;
                precision
            };
            limits::elements(precision)?;
            self.precision = Some(precision);
        }
        Ok(rest.strip_prefix(['l', 'h', 'L']).unwrap_or(rest))
    }

    fn apply(&self, letter: char, value: &Value, index: usize) -> Result<String, Error> {
        if let 's' | 'r' | 'a' = letter {
            limits::written(value)?;
        }
        match letter {
            's' => Ok(self.cut(&value.to_string())),
            'r' => Ok(self.cut(&value.repr())),
            'a' => Ok(self.cut(&text::ascii(&value.repr()))),
            'c' => self.character(value),
            'd' | 'i' | 'u' => {
                let number = self.whole(letter, value)?;
                Ok(self.number(number < BigInt::ZERO, "", &integers::to_text(&number)?.replace('-', "")))
            }
            'o' | 'x' | 'X' => {
                let wanted = integers::integer(value).ok_or_else(|| {
                    let message = format!("%{letter} format: an integer is required, not {}", value.type_name());
                    error(ErrorKind::TypeError, message)
                })?;
                let (prefix, digits) = match letter {
                    'o' => ("0o", format!("{:o}", wanted.magnitude())),
                    'x' => ("0x", format!("{:x}", wanted.magnitude())),
                    _ => ("0X", format!("{:X}", wanted.magnitude())),
                };
                let prefix = if self.alternate { prefix } else { "" };
                Ok(self.number(*wanted < BigInt::ZERO, prefix, &digits))
            }
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
                let number = real(value)?;
                let precision = self.precision.unwrap_or(6);
                let style = FloatStyle::of(letter).unwrap_or(FloatStyle::General);
                let body = float_text(number.abs(), style, precision, self.alternate);
                let body = if letter.is_uppercase() {
                    body.to_uppercase()
                } else {
                    body
                };
                // The precision is spent: what is left are flags and width.
                let flags = Conversion {
                    precision: None,
                    ..*self
                };
                Ok(flags.number(number.is_sign_negative() && !number.is_nan(), "", &body))
            }
            other => {
                let shown = if ('!'..='~').contains(&other) { other } else { '?' };
                let message = format!(
                    "unsupported format character '{shown}' (0x{:x}) at index {index}",
                    u32::from(other)
                );
                Err(error(ErrorKind::ValueError, message))
            }
        }
    }

    fn whole(&self, letter: char, value: &Value) -> Result<BigInt, Error> {
        match value {
            Value::Float(number) | Value::Scalar(Scalar::Float(number)) => integers::from_f64(*number),
            Value::Scalar(Scalar::Bool(b)) => Ok(BigInt::from(u8::from(*b))),
            other => integers::integer(other)
                .map(std::borrow::Cow::into_owned)
                .ok_or_else(|| {
                    let message = format!("%{letter} format: a real number is required, not {}", value.type_name());
                    error(ErrorKind::TypeError, message)
                }),
        }
    }

    fn character(&self, value: &Value) -> Result<String, Error> {
        if let Some(text) = value.as_str() {
            let mut characters = text.chars();
            if let (Some(only), None) = (characters.next(), characters.next()) {
                return Ok(self.pad(String::from(only)));
            }
            return Err(error(ErrorKind::TypeError, "%c requires int or char"));
        }
        if !value.is_integral() {
            return Err(error(ErrorKind::TypeError, "%c requires int or char"));
        }
        let code = value
            .as_i64()
            .and_then(|code| u32::try_from(code).ok())
            .and_then(char::from_u32);
        let code = code.ok_or_else(|| error(ErrorKind::OverflowError, "%c arg not in range(0x110000)"))?;
        Ok(self.pad(String::from(code)))
    }

    fn cut(&self, text: &str) -> String {
        self.pad(match self.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text.to_owned(),
        })
    }

    fn pad(&self, text: String) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        let blanks = " ".repeat(missing);
        if self.left { text + &blanks } else { blanks + &text }
    }

    fn number(&self, negative: bool, prefix: &str, digits: &str) -> String {
        let sign = match (negative, self.plus, self.blank) {
            (true, _, _) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        };
        let least = self.precision.unwrap_or(0).saturating_sub(digits.len());
        let mut digits = format!("{}{digits}", "0".repeat(least));
        if self.zero && !self.left {
            let room = self.width.saturating_sub(sign.len() + prefix.len());
            digits = group_digits(&digits, None, room);
        }
        self.pad(format!("{sign}{prefix}{digits}"))
    }
}

/// Digits at the start of a format.
fn number(text: &str) -> Result<(usize, &str), Error> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    if length == 0 {
        return Ok((0, text));
    }
    let number = text[..length]
        .parse()
        .map_err(|_| error(ErrorKind::ValueError, "width too big"))?;
    Ok((number, &text[length..]))
}

fn real(value: &Value) -> Result<f64, Error> {
    match value {
        Value::BigInt(big) => integers::to_float(big),
        Value::Str(_) | Value::Scalar(Scalar::Complex(_) | Scalar::Str(_)) => Err(not_real(value)),
        other => other.as_f64().ok_or_else(|| not_real(value)),
    }
}

fn not_real(value: &Value) -> Error {
    error(
        ErrorKind::TypeError,
        format!("must be real number, not {}", value.type_name()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_float_is_rounded_from_its_exact_value() {
        let format = |text: &str, number: f64| format(text, &Value::Float(number)).unwrap();
        assert_eq!(format("%.2f", 2.675), "2.67");
        assert_eq!(format("%8.3e|", 12345.678), "1.235e+04|");
        assert_eq!(format("%g", 1e-5), "1e-05");
    }
}
