//! An array as `numpy.save` writes it: the format `.npy`, version 1.0, or 3.0 when a field has a name beyond Latin-1.
//!
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>. Always in C order, little endian.

use std::fmt::Write;

use expr::{Array, RecordArray, Value};

/// The bytes of the file; nothing for what is no array.
pub(crate) fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Array(array) => {
            let mut bytes = header(&format!("'{}'", descr(array)), array.shape());
            let items = items(array);
            for index in 0..array.size() {
                push(&mut bytes, array, index, &items);
            }
            Some(bytes)
        }
        Value::Record(record) => Some(table(record)),
        _ => None,
    }
}

fn table(record: &RecordArray) -> Vec<u8> {
    let field = |(name, column): &(std::sync::Arc<str>, Array)| {
        format!("({}, '{}')", Value::from(&**name).repr(), descr(column))
    };
    let fields: Vec<String> = record.fields.iter().map(field).collect();
    let shape = record.fields.first().map_or(&[0][..], |(_, column)| column.shape());
    let mut bytes = header(&format!("[{}]", fields.join(", ")), shape);
    let columns: Vec<(&Array, Items<'_>)> = record
        .fields
        .iter()
        .map(|(_, column)| (column, items(column)))
        .collect();
    for index in 0..shape.iter().product() {
        for (column, items) in &columns {
            push(&mut bytes, column, index, items);
        }
    }
    bytes
}

fn header(descr: &str, shape: &[usize]) -> Vec<u8> {
    let mut text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (");
    for (number, length) in shape.iter().enumerate() {
        let before = if number > 0 { " " } else { "" };
        let after = if number + 1 < shape.len() || shape.len() == 1 {
            ","
        } else {
            ""
        };
        write!(text, "{before}{length}{after}").expect("a String takes any text");
    }
    text.push_str("), }");
    if let Some(rows) = shape.first() {
        // Room for the number of rows to grow to the longest there is.
        text.push_str(&" ".repeat(21 - rows.to_string().len().min(21)));
    }
    let latin: Option<Vec<u8>> = text
        .chars()
        .map(|letter| u8::try_from(u32::from(letter)).ok())
        .collect();
    let (version, mut body) = match latin {
        Some(body) if body.len() < 60_000 => (1, body),
        Some(body) => (2, body),
        None => (3, text.into_bytes()),
    };
    let head = if version == 1 { 10 } else { 12 };
    let padded = (head + body.len() + 1).next_multiple_of(64) - head;
    body.resize(padded - 1, b' ');
    body.push(b'\n');
    let mut bytes = vec![0x93, b'N', b'U', b'M', b'P', b'Y', version, 0];
    if version == 1 {
        bytes.extend(u16::try_from(padded).unwrap_or(u16::MAX).to_le_bytes());
    } else {
        bytes.extend(u32::try_from(padded).unwrap_or(u32::MAX).to_le_bytes());
    }
    bytes.extend(body);
    bytes
}

fn descr(array: &Array) -> String {
    match array {
        Array::Bool(_) => "|b1".to_owned(),
        Array::Int(_) => "<i8".to_owned(),
        Array::Float(_) => "<f8".to_owned(),
        Array::Complex(_) => "<c16".to_owned(),
        Array::Str { width, .. } => format!("<U{width}"),
    }
}

/// The elements of an array in C order.
enum Items<'a> {
    Bool(Vec<&'a bool>),
    Int(Vec<&'a i64>),
    Float(Vec<&'a f64>),
    Complex(Vec<[f64; 2]>),
    Str(Vec<&'a str>),
}

fn items(array: &Array) -> Items<'_> {
    match array {
        Array::Bool(data) => Items::Bool(data.iter().collect()),
        Array::Int(data) => Items::Int(data.iter().collect()),
        Array::Float(data) => Items::Float(data.iter().collect()),
        Array::Complex(data) => Items::Complex(data.iter().map(|item| [item.re, item.im]).collect()),
        Array::Str { data, .. } => Items::Str(data.iter().map(|item| &**item).collect()),
    }
}

fn push(bytes: &mut Vec<u8>, array: &Array, index: usize, items: &Items<'_>) {
    match items {
        Items::Bool(items) => bytes.push(u8::from(*items[index])),
        Items::Int(items) => bytes.extend(items[index].to_le_bytes()),
        Items::Float(items) => bytes.extend(items[index].to_le_bytes()),
        Items::Complex(items) => items[index].iter().for_each(|part| bytes.extend(part.to_le_bytes())),
        Items::Str(items) => {
            let width = match array {
                Array::Str { width, .. } => *width,
                Array::Bool(_) | Array::Int(_) | Array::Float(_) | Array::Complex(_) => 0,
            };
            let letters = items[index].chars().map(u32::from).chain(std::iter::repeat(0));
            letters
                .take(width)
                .for_each(|letter| bytes.extend(letter.to_le_bytes()));
        }
    }
}
