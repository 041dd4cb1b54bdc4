//! Values in JSON, as events carry them: what JSON cannot hold is tagged, and the same tags are read back.
//!
//! Floats are always recognisable as such (`2.0`, `1e-05`); arrays and tuples are lists and come back as lists. A function
//! is `null`: it is no datum.

use std::fmt::Write;

use num_complex::Complex64;

use crate::floats;
use crate::numpy;
use crate::{Array, Dict, Error, ErrorKind, Range, Scalar, Set, Value};

/// Lists within lists that are read.
const MAX_DEPTH: usize = 250;

impl Value {
    /// The value as JSON.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out);
        out
    }

    /// Appends the value as JSON.
    pub fn write_json(&self, out: &mut String) {
        match self {
            Value::None | Value::Ellipsis | Value::Function(_) => out.push_str("null"),
            Value::Bool(b) | Value::Scalar(Scalar::Bool(b)) => out.push_str(if *b { "true" } else { "false" }),
            Value::Int(number) | Value::Scalar(Scalar::Int(number)) => {
                write!(out, "{number}").expect("a String takes any text");
            }
            Value::BigInt(big) => write!(out, "{big}").expect("a String takes any text"),
            Value::Float(number) | Value::Scalar(Scalar::Float(number)) => write_float(*number, out),
            Value::Complex(number) | Value::Scalar(Scalar::Complex(number)) => write_complex(*number, out),
            Value::Str(text) | Value::Scalar(Scalar::Str(text)) => write_text(text, out),
            Value::Bytes(bytes) => {
                out.push_str("{\"__bytes__\":");
                write_list(bytes.iter(), out, |byte, out| {
                    write!(out, "{byte}").expect("a String takes any text")
                });
                out.push('}');
            }
            Value::List(items) | Value::Tuple(items) => write_list(items.iter(), out, Value::write_json),
            Value::Dict(dict) => {
                out.push_str("{\"__dict__\":");
                write_list(dict.items.iter(), out, |(key, value), out| {
                    write_list([key, value].into_iter(), out, Value::write_json);
                });
                out.push('}');
            }
            Value::Set(set) => {
                let mut items: Vec<(String, &Value)> = set.items.iter().map(|item| (item.repr(), item)).collect();
                items.sort_by(|(a, _), (b, _)| a.cmp(b));
                out.push_str("{\"__set__\":");
                write_list(items.iter(), out, |(_, item), out| item.write_json(out));
                out.push('}');
            }
            Value::Range(range) => {
                let Range { start, stop, step } = **range;
                write!(out, "{{\"__range__\":[{start},{stop},{step}]}}").expect("a String takes any text");
            }
            Value::Slice(slice) => {
                write_list(
                    [&slice.start, &slice.stop, &slice.step].into_iter(),
                    out,
                    Value::write_json,
                );
            }
            Value::Array(array) => write_array(array, out),
            Value::Record(record) => {
                out.push_str("{\"__record__\":{");
                for (index, (name, data)) in record.fields.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    write_text(name, out);
                    out.push(':');
                    write_array(data, out);
                }
                out.push_str("}}");
            }
        }
    }

    /// Reads what [`Value::to_json`] writes; a tagged record array comes back as a dict of lists.
    pub fn from_json(text: &str) -> Result<Value, Error> {
        let mut reader = Reader { text, position: 0 };
        let value = reader.value(0)?;
        reader.blanks();
        if reader.position < text.len() {
            Err(reader.error("text after the value"))
        } else {
            Ok(value)
        }
    }
}

fn write_list<T>(items: impl Iterator<Item = T>, out: &mut String, write: impl Fn(T, &mut String)) {
    out.push('[');
    for (index, item) in items.enumerate() {
        out.push_str(if index > 0 { "," } else { "" });
        write(item, out);
    }
    out.push(']');
}

fn write_float(number: f64, out: &mut String) {
    if number.is_finite() {
        out.push_str(&floats::python_float_repr(number));
    } else {
        write!(out, "{{\"__float__\":\"{}\"}}", floats::short(number)).expect("a String takes any text");
    }
}

fn write_complex(number: Complex64, out: &mut String) {
    out.push_str("{\"__complex__\":");
    write_list([number.re, number.im].into_iter(), out, write_float);
    out.push('}');
}

fn write_array(array: &Array, out: &mut String) {
    match array {
        Array::Float(data) if data.ndim() == 1 => write_list(data.iter(), out, |number, out| write_float(*number, out)),
        _ if array.shape().is_empty() => array.first().unwrap_or_default().write_json(out),
        // Rows of an array, down to its scalars.
        _ => match numpy::iterate(&Value::from(array.clone())) {
            Ok(rows) => write_list(rows.iter(), out, Value::write_json),
            Err(_) => out.push_str("null"),
        },
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\x1f' | '\x7f' => write!(out, "\\u{:04x}", u32::from(c)).expect("a String takes any text"),
            _ => out.push(c),
        }
    }
    out.push('"');
}

struct Reader<'t> {
    text: &'t str,
    position: usize,
}

impl Reader<'_> {
    fn error(&self, message: &str) -> Error {
        Error::new(
            ErrorKind::ValueError,
            format!("JSON: {message} at byte {}", self.position),
        )
    }

    fn rest(&self) -> &str {
        &self.text[self.position..]
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.position += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.position += word.len();
        }
        found
    }

    fn expect(&mut self, word: &str) -> Result<(), Error> {
        self.blanks();
        if self.take(word) {
            Ok(())
        } else {
            Err(self.error(&format!("expected `{word}`")))
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Error> {
        if depth > MAX_DEPTH {
            return Err(self.error("nested too deep"));
        }
        self.blanks();
        match self.rest().bytes().next() {
            Some(b'"') => self.string().map(Value::from),
            Some(b'[') => self.list(depth).map(Value::list),
            Some(b'{') => self.object(depth),
            _ if self.take("null") => Ok(Value::None),
            _ if self.take("true") => Ok(Value::Bool(true)),
            _ if self.take("false") => Ok(Value::Bool(false)),
            _ => self.number(),
        }
    }

    fn number(&mut self) -> Result<Value, Error> {
        let length = self
            .rest()
            .bytes()
            .take_while(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte))
            .count();
        let text = &self.rest()[..length];
        let value = if text.contains(['.', 'e', 'E']) {
            text.parse().ok().map(Value::Float)
        } else {
            match text.parse() {
                Ok(small) => Some(Value::Int(small)),
                Err(_) => text.parse().ok().map(Value::int),
            }
        };
        let value = value.ok_or_else(|| self.error("expected a value"))?;
        self.position += length;
        Ok(value)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Value>, Error> {
        self.expect("[")?;
        let mut items = Vec::new();
        self.blanks();
        if self.take("]") {
            return Ok(items);
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.blanks();
            if self.take("]") {
                return Ok(items);
            }
            self.expect(",")?;
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Error> {
        self.expect("{")?;
        let mut items = Vec::new();
        self.blanks();
        while !self.take("}") {
            if !items.is_empty() {
                self.expect(",")?;
                self.blanks();
            }
            let key = self.string()?;
            self.expect(":")?;
            items.push((Value::from(key), self.value(depth + 1)?));
            self.blanks();
        }
        if let [(Value::Str(tag), content)] = &*items
            && let Some(value) = tagged(tag, content)
        {
            return Ok(value);
        }
        Ok(Value::Dict(Dict { items }.into()))
    }

    fn string(&mut self) -> Result<String, Error> {
        self.expect("\"")?;
        let mut out = String::new();
        loop {
            let Some(next) = self.rest().chars().next() else {
                return Err(self.error("a text without end"));
            };
            self.position += next.len_utf8();
            match next {
                '"' => return Ok(out),
                '\\' => out.push(self.escape()?),
                other => out.push(other),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Error> {
        let Some(next) = self.rest().chars().next() else {
            return Err(self.error("a text without end"));
        };
        self.position += next.len_utf8();
        Ok(match next {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'b' => '\x08',
            'f' => '\x0c',
            'u' => {
                let first = self.code()?;
                if (0xd800..0xdc00).contains(&first) && self.take("\\u") {
                    let second = self.code()?;
                    let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400);
                    let code = low.map(|low| 0x1_0000 + ((first - 0xd800) << 10) + low);
                    return code
                        .and_then(char::from_u32)
                        .ok_or_else(|| self.error("half of a character"));
                }
                char::from_u32(first).ok_or_else(|| self.error("half of a character"))?
            }
            other => other,
        })
    }

    fn code(&mut self) -> Result<u32, Error> {
        let digits = self
            .rest()
            .get(..4)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let code = code.ok_or_else(|| self.error("expected four hexadecimal digits"))?;
        self.position += 4;
        Ok(code)
    }
}

/// The value of an object with one key, if the key is a tag and the content fits it.
fn tagged(tag: &str, content: &Value) -> Option<Value> {
    let items = match content {
        Value::List(items) => &***items,
        _ => &[],
    };
    Some(match tag {
        "__float__" => Value::Float(match content.as_str()? {
            "nan" => f64::NAN,
            "inf" => f64::INFINITY,
            "-inf" => f64::NEG_INFINITY,
            _ => return None,
        }),
        "__complex__" => match items {
            [re, im] => Value::Complex(Complex64::new(re.as_f64()?, im.as_f64()?)),
            _ => return None,
        },
        "__range__" => match items {
            [start, stop, step] => {
                let step = step.as_i64().filter(|step| *step != 0)?;
                Value::Range(
                    Range {
                        start: start.as_i64()?,
                        stop: stop.as_i64()?,
                        step,
                    }
                    .into(),
                )
            }
            _ => return None,
        },
        "__bytes__" => {
            let byte = |item: &Value| u8::try_from(item.as_i64()?).ok();
            Value::Bytes(items.iter().map(byte).collect::<Option<Vec<u8>>>()?.into())
        }
        "__set__" => Value::Set(Set { items: items.to_vec() }.into()),
        "__dict__" => {
            let pair = |item: &Value| match item {
                Value::List(pair) => match &***pair {
                    [key, value] => Some((key.clone(), value.clone())),
                    _ => None,
                },
                _ => None,
            };
            Value::Dict(
                Dict {
                    items: items.iter().map(pair).collect::<Option<_>>()?,
                }
                .into(),
            )
        }
        "__record__" => content.clone(),
        _ => return None,
    })
}
