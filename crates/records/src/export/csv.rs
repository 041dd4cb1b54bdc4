//! CSV: a header and a line a row, as pandas, polars, spreadsheets and `numpy.genfromtxt` read it.
//!
//! Times are ISO 8601 in UTC. A cell of an array is a JSON list, so that a row stays a line:
//! `pandas.read_csv(file, converters={"trace": json.loads})`. What was not measured is `NaN`. Deliberately absent: facts
//! and units, for which CSV has no place; every other format has them.

use std::io::{self, Write};

use super::flat::{Elements, Flat, columns};
use crate::table::{Facts, Table};

pub(super) fn write(table: &Table, _facts: &Facts, out: &mut dyn Write) -> io::Result<()> {
    let columns = columns(table);
    let mut line = String::new();
    for column in &columns {
        push_text(&mut line, &column.name);
        line.push(',');
    }
    end(&mut line, out)?;
    for row in 0..table.len() {
        for column in &columns {
            push_cell(&mut line, column, row);
            line.push(',');
        }
        end(&mut line, out)?;
    }
    Ok(())
}

/// Writes the line without its last comma.
fn end(line: &mut String, out: &mut dyn Write) -> io::Result<()> {
    line.pop();
    line.push('\n');
    out.write_all(line.as_bytes())?;
    line.clear();
    Ok(())
}

fn push_cell(line: &mut String, column: &Flat<'_>, row: usize) {
    if column.cell.is_empty() {
        push_element(line, column.elements, row, Dialect::Frame);
    } else {
        let mut list = String::new();
        push_list(
            &mut list,
            column.elements,
            column.cell,
            row * column.cell.iter().product::<usize>(),
        );
        push_text(line, &list);
    }
}

/// The cell that starts at an element as nested JSON lists.
fn push_list(list: &mut String, elements: Elements<'_>, cell: &[usize], first: usize) {
    let [length, inner @ ..] = cell else {
        return push_element(list, elements, first, Dialect::Json);
    };
    let stride = inner.iter().product::<usize>();
    list.push('[');
    for at in 0..*length {
        if at > 0 {
            list.push_str(", ");
        }
        push_list(list, elements, inner, first + at * stride);
    }
    list.push(']');
}

/// What reads an element: a data frame, or Python's `json`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Frame,
    Json,
}

fn push_element(line: &mut String, elements: Elements<'_>, at: usize, dialect: Dialect) {
    let mut float = |value: f64| match value {
        value if value.is_infinite() && dialect == Dialect::Json => {
            line.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
        }
        value => line.push_str(&format!("{value:?}")),
    };
    match elements {
        Elements::Index(data) => line.push_str(&data[at].to_string()),
        Elements::TimeUs(data) => line.push_str(&time(data[at])),
        Elements::Bool(data) => line.push_str(if data[at] { "true" } else { "false" }),
        Elements::Int(data) => line.push_str(&data[at].to_string()),
        Elements::Float(data) => float(data[at]),
        Elements::Re(data) => float(data[at].re),
        Elements::Im(data) => float(data[at].im),
        Elements::Text(data) => match dialect {
            Dialect::Frame => push_text(line, &data[at]),
            Dialect::Json => line.push_str(&serde_json::Value::from(data[at].as_str()).to_string()),
        },
    }
}

fn time(time_us: i64) -> String {
    match jiff::Timestamp::from_microsecond(time_us) {
        Ok(time) => format!("{time:.6}"),
        Err(_) => String::new(), // Years beyond 9999 were not measured.
    }
}

fn push_text(line: &mut String, text: &str) {
    if text.contains([',', '"', '\n', '\r'])
        || text.starts_with(char::is_whitespace)
        || text.ends_with(char::is_whitespace)
    {
        line.push('"');
        line.push_str(&text.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(text);
    }
}
