//! `exopy_hqc_legacy.SaveFileTask`: lines of text, or blocks of lines where there are arrays.
//!
//! Scalars alone make a line of Python's `str` of each. If a value of the first call is an array, each call appends a
//! block: a line for each of its items, scalars repeated, numbers as `numpy.savetxt` writes them. Two-dimensional arrays
//! are written row after row, with one-dimensional ones repeated along the rows. A complex array is two columns, where
//! Exopy drops its imaginary part. When the name of the file changes, a new one is begun.

use std::sync::{Mutex, PoisonError};

use expr::Value;

use super::{
    Kind, Resume, Shape, Task, Text,
    parts::{Parts, numbers, shape},
    saved_values::{CompiledValues, HEADER, SAVED_VALUES, SavedValues, comment, push},
    savetxt,
    target::{CompiledTarget, FILENAME, FOLDER, Making, Target},
};
use crate::{
    check::{Check, Prepare},
    program::{At, CompiledTemplate, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy_hqc_legacy.SaveFileTask",
    summary: "Saves numbers and arrays in a text file: a line for each call, or a block of lines if there are arrays.",
    fields: &[FOLDER, FILENAME, HEADER, SAVED_VALUES],
    entries: &[("file", "None")],
    shape: Shape::Leaf,
    waits: Some(&[]),
    pool: None,
    resume: Resume::Redo,
    build: |fields| {
        Box::new(SaveFile {
            target: Target::read(fields, "{default_path}", Making::Below),
            header: fields.text("header", ""),
            values: SavedValues::read(fields, "saved_values"),
        })
    },
};

#[derive(Debug)]
struct SaveFile {
    target: Target,
    header: Text,
    values: SavedValues,
}

impl Task for SaveFile {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![("file".to_owned(), Value::None)]
    }

    fn check(&self, check: &mut Check<'_>) {
        self.target.check(check);
        check.format("header", &self.header);
        let Some(values) = self.values.check(check) else {
            return;
        };
        if !values.iter().any(|(_, value)| is_array(value)) {
            return;
        }
        for (number, (label, value)) in values.iter().enumerate() {
            if let Err(why) = Parts::of(value) {
                self.values.refuse(
                    check,
                    number,
                    format!("`{label}` cannot be saved beside an array: {why}"),
                );
            }
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Saving {
            target: self.target.prepare(prepare),
            header: prepare.template("header", &self.header),
            values: self.values.prepare(prepare),
            open: Mutex::default(),
        })
    }
}

struct Saving {
    target: CompiledTarget,
    header: CompiledTemplate,
    values: CompiledValues,
    open: Mutex<Option<Open>>,
}

struct Open {
    /// The name that was asked for, by which a change is noticed.
    filename: String,
    labels: Vec<String>,
    layout: Layout,
}

/// What the lines of a file are.
#[derive(Debug, PartialEq)]
enum Layout {
    /// `str` of each value.
    Line,
    /// Numbers; whether a label's value is an array, and how it is parted.
    Block(Vec<(bool, Parts)>),
}

impl Work for Saving {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let filename = self.target.filename(at)?;
        let values = self.values.values(at)?;
        if open.is_none() {
            *open = self.restored(at)?;
        }
        if open.as_ref().is_none_or(|open| open.filename != filename) {
            *open = Some(self.begin(at, filename, &values)?);
        }
        let open = open.as_ref().expect("it was just opened");
        let (text, rows) = open.text(&values).map_err(|why| at.fail(why))?;
        at.bench()
            .append_text(at.task, text.as_bytes(), rows)
            .map_err(|why| at.fail(why))
    }
}

impl Saving {
    fn restored(&self, at: &At<'_>) -> Result<Option<Open>, Exit> {
        let Some(file) = at.bench().data_file(at.task) else {
            return Ok(None);
        };
        let Value::Tuple(notes) = &file.notes else {
            return Ok(None);
        };
        let [filename, layout] = notes.as_slice() else {
            return Ok(None);
        };
        Ok(Layout::from_note(layout).map(|layout| Open {
            filename: filename.to_string(),
            // Only messages want them.
            labels: self.values.values.iter().map(|value| value.field.clone()).collect(),
            layout,
        }))
    }

    fn begin(&self, at: &At<'_>, filename: String, values: &[Value]) -> Result<Open, Exit> {
        let labels = self.values.labels(at)?;
        let layout = Layout::of(&labels, values).map_err(|why| at.fail(why))?;
        let columns: Vec<String> = match &layout {
            Layout::Line => labels.clone(),
            Layout::Block(parts) => labels
                .iter()
                .zip(parts)
                .flat_map(|(label, (_, parts))| parts.names(label))
                .collect(),
        };
        let header = format!("{}{}\n", comment(&at.format(&self.header)?), columns.join("\t"));
        let notes = Value::tuple(vec![Value::from(filename.as_str()), layout.note()]);
        at.bench()
            .create_text(at.task, &self.target.path(at)?, header.as_bytes(), notes)
            .map_err(|why| at.fail(why))?;
        Ok(Open {
            filename,
            labels,
            layout,
        })
    }
}

impl Layout {
    fn of(labels: &[String], values: &[Value]) -> Result<Self, String> {
        if !values.iter().any(is_array) {
            return Ok(Layout::Line);
        }
        let parts = labels.iter().zip(values).map(|(label, value)| {
            Parts::of(value)
                .map(|parts| (is_array(value), parts))
                .map_err(|why| format!("TypeError: `{label}` cannot be saved beside an array: {why}"))
        });
        parts.collect::<Result<_, _>>().map(Layout::Block)
    }

    fn note(&self) -> Value {
        match self {
            Layout::Line => Value::None,
            Layout::Block(parts) => Value::list(
                parts
                    .iter()
                    .map(|(is_array, parts)| Value::tuple(vec![Value::Bool(*is_array), parts.note()]))
                    .collect(),
            ),
        }
    }

    fn from_note(note: &Value) -> Option<Self> {
        let Value::List(items) = note else {
            return matches!(note, Value::None).then_some(Layout::Line);
        };
        let part = |item: &Value| match item {
            Value::Tuple(pair) => match pair.as_slice() {
                [Value::Bool(is_array), parts] => Some((*is_array, Parts::from_note(parts)?)),
                _ => None,
            },
            _ => None,
        };
        items.iter().map(part).collect::<Option<_>>().map(Layout::Block)
    }
}

impl Open {
    /// The lines of one call.
    fn text(&self, values: &[Value]) -> Result<(String, u64), String> {
        match &self.layout {
            Layout::Line => {
                if let Some(at) = values.iter().position(is_array) {
                    return Err(format!(
                        "TypeError: `{}` was no array in the first call and is one now: the file has a line for each call",
                        self.labels[at]
                    ));
                }
                let mut line = String::with_capacity(16 * values.len());
                for (number, value) in values.iter().enumerate() {
                    line.push_str(if number > 0 { "\t" } else { "" });
                    push(&mut line, value);
                }
                line.push('\n');
                Ok((line, 1))
            }
            Layout::Block(parts) => {
                let mut columns = Vec::new();
                for ((label, value), (was_array, parts)) in self.labels.iter().zip(values).zip(parts) {
                    if is_array(value) != *was_array {
                        let (then, now) = if *was_array { ("an", "none") } else { ("no", "one") };
                        return Err(format!(
                            "TypeError: `{label}` was {then} array in the first call and is {now} now"
                        ));
                    }
                    let split = parts
                        .split(value)
                        .map_err(|why| format!("TypeError: `{label}`: {why}"))?;
                    columns.extend(split.into_iter().map(|column| (label.as_str(), column)));
                }
                let block = block(&columns)?;
                let rows = block.first().map_or(0, Vec::len) as u64;
                Ok((savetxt::lines(&block), rows))
            }
        }
    }
}

/// Columns brought to one length.
fn block(columns: &[(&str, Value)]) -> Result<Vec<Vec<f64>>, String> {
    let mut line: Option<(&str, usize)> = None;
    let mut grid: Option<(&str, [usize; 2])> = None;
    for (label, column) in columns {
        match *shape(column) {
            [] => (),
            [length] => match line {
                Some((first, known)) if known != length => {
                    return Err(format!(
                        "ValueError: `{first}` has {known} items and `{label}` {length}: arrays of one file must be of one length"
                    ));
                }
                Some(_) => (),
                None => line = Some((label, length)),
            },
            [rows, width] => match grid {
                Some((first, known)) if known != [rows, width] => {
                    return Err(format!(
                        "ValueError: `{first}` has the shape {known:?} and `{label}` [{rows}, {width}]: arrays of one file must be of one shape"
                    ));
                }
                Some(_) => (),
                None => grid = Some((label, [rows, width])),
            },
            ref more => {
                return Err(format!(
                    "ValueError: `{label}` has {} dimensions: a text file can hold two; save it in an HDF5 file",
                    more.len()
                ));
            }
        }
    }
    if let (Some((label, length)), Some((other, [rows, _]))) = (line, grid)
        && length != rows
    {
        return Err(format!(
            "ValueError: `{label}` has {length} items and `{other}` {rows} rows: there should be an item for each row"
        ));
    }
    let (rows, width) = match (line, grid) {
        (_, Some((_, [rows, width]))) => (rows, width),
        (Some((_, length)), None) => (length, 1),
        (None, None) => (1, 1),
    };
    let fill = |(_, column): &(&str, Value)| {
        let values = numbers(column);
        match shape(column).len() {
            0 => vec![values[0]; rows * width],
            1 => values.iter().flat_map(|value| vec![*value; width]).collect(),
            _ => values,
        }
    };
    Ok(columns.iter().map(fill).collect())
}

/// An array without dimensions is written as the number that it holds.
fn is_array(value: &Value) -> bool {
    match value {
        Value::Array(array) => !array.shape().is_empty(),
        Value::Record(_) => true,
        _ => false,
    }
}
