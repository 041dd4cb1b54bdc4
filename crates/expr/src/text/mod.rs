//! Values as text: `str` and `repr`, the `%` operator, `format` and `str.format`.

pub(crate) mod format_spec;
pub(crate) mod percent;
pub(crate) mod replacement;

use std::fmt::{self, Write};

use crate::numpy;
use crate::{Value, complex, floats, integers};

/// Python's `str(value)`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Str(text) => f.write_str(text),
            Value::Scalar(_) | Value::Array(_) | Value::Record(_) => f.write_str(&numpy::str(self)),
            other => f.write_str(&other.repr()),
        }
    }
}

impl Value {
    /// Python's `repr(value)`. A set is in its order of insertion; an int of too many digits to print is in hexadecimal.
    pub fn repr(&self) -> String {
        let mut text = String::new();
        write_repr(self, &mut text);
        text
    }
}

fn write_repr(value: &Value, out: &mut String) {
    match value {
        Value::None => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Int(number) => write!(out, "{number}").expect("a String takes any text"),
        Value::BigInt(big) => match integers::to_text(big) {
            Ok(text) => out.push_str(&text),
            Err(_) => write!(out, "{:#x}", **big).expect("a String takes any text"),
        },
        Value::Float(number) => out.push_str(&floats::python_float_repr(*number)),
        Value::Complex(number) => out.push_str(&complex::repr(*number)),
        Value::Str(text) => write_str(text, out),
        Value::Bytes(bytes) => write_bytes(bytes, out),
        Value::List(items) => write_items("[", items, "]", out),
        Value::Tuple(items) => write_items("(", items, if items.len() == 1 { ",)" } else { ")" }, out),
        Value::Set(set) if set.items.is_empty() => out.push_str("set()"),
        Value::Set(set) => write_items("{", &set.items, "}", out),
        Value::Dict(dict) => {
            out.push('{');
            for (index, (key, value)) in dict.items.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write_repr(key, out);
                out.push_str(": ");
                write_repr(value, out);
            }
            out.push('}');
        }
        Value::Range(range) => {
            write!(out, "range({}, {}", range.start, range.stop).expect("a String takes any text");
            if range.step != 1 {
                write!(out, ", {}", range.step).expect("a String takes any text");
            }
            out.push(')');
        }
        Value::Slice(slice) => {
            let parts = [slice.start.clone(), slice.stop.clone(), slice.step.clone()];
            write_items("slice(", &parts, ")", out);
        }
        Value::Ellipsis => out.push_str("Ellipsis"),
        Value::Function(function) => out.push_str(&function.repr()),
        Value::Scalar(_) | Value::Array(_) | Value::Record(_) => out.push_str(&numpy::repr(value)),
    }
}

fn write_items(open: &str, items: &[Value], close: &str, out: &mut String) {
    out.push_str(open);
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index > 0 { ", " } else { "" });
        write_repr(item, out);
    }
    out.push_str(close);
}

/// A text in quotes: single ones unless only they are inside.
fn write_str(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            _ if c == quote => {
                out.push('\\');
                out.push(c);
            }
            _ if is_printable(c) => out.push(c),
            _ => write_escape(c, out),
        }
    }
    out.push(quote);
}

fn write_escape(c: char, out: &mut String) {
    let code = u32::from(c);
    match code {
        0..=0xff => write!(out, "\\x{code:02x}"),
        0x100..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    }
    .expect("a String takes any text");
}

/// `ascii(text)`: the repr with everything beyond ASCII escaped.
pub(crate) fn ascii(repr: &str) -> String {
    let mut out = String::with_capacity(repr.len());
    for c in repr.chars() {
        if c.is_ascii() {
            out.push(c)
        } else {
            write_escape(c, &mut out)
        }
    }
    out
}

/// Python's `str.isprintable` for one character.
pub(crate) fn is_printable(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\0'..'\u{a1}' | '\u{ad}' => false,
        _ if c.is_whitespace() => false,
        // Rust escapes what it does not print; a combining mark only at the start of a text, hence the letter before it.
        _ => {
            let mut buffer = [0; 5];
            buffer[0] = b'a';
            let length = 1 + c.encode_utf8(&mut buffer[1..]).len();
            let text = std::str::from_utf8(&buffer[..length]).unwrap_or("a");
            text.escape_debug().count() == 2
        }
    }
}

fn write_bytes(bytes: &[u8], out: &mut String) {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        '"'
    } else {
        '\''
    };
    out.push('b');
    out.push(quote);
    for byte in bytes {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'\\' => out.push_str("\\\\"),
            b' '..=b'~' if char::from(*byte) == quote => {
                out.push('\\');
                out.push(quote);
            }
            b' '..=b'~' => out.push(char::from(*byte)),
            _ => write!(out, "\\x{byte:02x}").expect("a String takes any text"),
        }
    }
    out.push(quote);
}
