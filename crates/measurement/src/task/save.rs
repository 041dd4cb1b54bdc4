//! `exopy_hqc_legacy.SaveTask`: a line of text for each call, a row of a table, or both.
//!
//! A file begins with its header and the labels; a line is Python's `str` of each value. Unlike Exopy's, which truncated
//! its file after `array_size` lines and began anew, this one goes on in the same file as long as the file name stays.
//! Rows of the table that were not written yet are NaN, not whatever memory held.
//!
//! What a run that goes on must know: which path was asked for and how long the table is (the notes of the file), how
//! many lines there are (its rows), and the table (an entry). Without a file the first row of NaN is where the table
//! goes on.

use std::sync::{Arc, Mutex, PoisonError};

use expr::{Array, RecordArray, Value};
use ndarray::{ArrayD, IxDyn};

use super::{
    Field, Kind, Resume, Shape, Task, Text,
    saved_values::{CompiledValues, HEADER, SAVED_VALUES, SavedValues, comment, push},
    target::{CompiledTarget, FILENAME, FOLDER, Making, Target},
};
use crate::{
    check::{Check, Expect, Prepare},
    names::EntryId,
    program::{At, Compiled, CompiledTemplate, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy_hqc_legacy.SaveTask",
    summary: "Saves values: a line of a text file for each call, a row of a table, or both.",
    fields: &[
        Field {
            name: "saving_target",
            default: "File",
            doc: "`File`, `Array` or `File and array`",
        },
        FOLDER,
        FILENAME,
        HEADER,
        Field {
            name: "array_size",
            default: "",
            doc: "expression; rows of the table; after as many the table, and the file if its name is another, begin anew",
        },
        SAVED_VALUES,
    ],
    entries: &[(
        "array",
        "the table, with the labels as fields and NaN where nothing was saved yet; absent when only a file is written",
    )],
    shape: Shape::Leaf,
    waits: Some(&[]),
    pool: None,
    resume: Resume::Redo,
    build: |fields| {
        Box::new(Save {
            into: match fields.choice("saving_target", &["File", "Array", "File and array"]) {
                "Array" => Into::Array,
                "File and array" => Into::Both,
                _ => Into::File,
            },
            target: Target::read(fields, "{default_path}", Making::Below),
            header: fields.text("header", ""),
            array_size: fields.text("array_size", ""),
            values: SavedValues::read(fields, "saved_values"),
        })
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Into {
    File,
    Array,
    Both,
}

impl Into {
    fn file(self) -> bool {
        self != Into::Array
    }

    fn array(self) -> bool {
        self != Into::File
    }
}

#[derive(Debug)]
struct Save {
    into: Into,
    target: Target,
    header: Text,
    array_size: Text,
    values: SavedValues,
}

impl Task for Save {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        if self.into.array() {
            vec![("array".to_owned(), Value::from(vec![1.0]))]
        } else {
            Vec::new()
        }
    }

    fn check(&self, check: &mut Check<'_>) {
        if self.into.file() {
            self.target.check(check);
            check.format("header", &self.header);
        }
        if !self.array_size.text.is_empty() {
            if let Some(size) = check.evaluate("array_size", &self.array_size, Expect::Real)
                && let Err(message) = length(&size)
            {
                check.error_at("array_size", message, &self.array_size, None);
            }
        } else if self.into.array() {
            check
                .error_at("array_size", "the table has no size", &self.array_size, None)
                .hint = Some("set `array_size` to the number of rows that will be saved".to_owned());
        }
        let Some(values) = self.values.check(check) else {
            return;
        };
        if self.into.array() {
            for (number, (label, value)) in values.iter().enumerate() {
                if value.as_f64().is_none() {
                    let message = format!(
                        "`{label}` should be a real number to stand in a table, not {}",
                        value.repr()
                    );
                    self.values.refuse(check, number, message);
                }
            }
            let column = |(label, _): &(String, Value)| (label.clone(), vec![0.0, 1.0]);
            check.set("array", table(values.iter().map(column)));
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Saving {
            target: self.into.file().then(|| self.target.prepare(prepare)),
            header: prepare.template("header", &self.header),
            array_size: Some(&self.array_size)
                .filter(|size| !size.text.is_empty())
                .map(|size| prepare.formula("array_size", size)),
            values: self.values.prepare(prepare),
            array: prepare.entry("array").filter(|_| self.into.array()),
            open: Mutex::default(),
        })
    }
}

struct Saving {
    /// Where the file goes, if there is one.
    target: Option<CompiledTarget>,
    header: CompiledTemplate,
    array_size: Option<Compiled>,
    values: CompiledValues,
    /// The table, if there is one.
    array: Option<EntryId>,
    open: Mutex<Option<Open>>,
}

/// What is being written.
struct Open {
    /// The path that was asked for, which is not always the file's.
    path: String,
    /// Lines after which the table, and the name of the file, are looked at anew.
    length: Option<u64>,
    /// Lines written since.
    lines: u64,
    line: String,
}

impl Work for Saving {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.is_none() {
            *open = self.restored(at)?;
        }
        let is_full = |open: &Open| open.length.is_some_and(|length| open.lines >= length);
        if open.as_ref().is_none_or(is_full) {
            *open = Some(self.begin(at, open.take())?);
        }
        let open = open.as_mut().expect("it was just opened");
        let mut row = Vec::with_capacity(if self.array.is_some() {
            self.values.values.len()
        } else {
            0
        });
        open.line.clear();
        for (number, value) in self.values.values.iter().enumerate() {
            let label = &value.field;
            let value = at.evaluate(value)?;
            if self.target.is_some() {
                open.line.push_str(if number > 0 { "\t" } else { "" });
                push(&mut open.line, &value);
            }
            if self.array.is_some() {
                row.push(value.as_f64().ok_or_else(|| {
                    at.fail(format!(
                        "TypeError: `{label}` should be a real number to stand in a table, not {}",
                        value.repr()
                    ))
                })?);
            }
        }
        if self.target.is_some() {
            open.line.push('\n');
            at.bench()
                .append_text(at.task, open.line.as_bytes(), 1)
                .map_err(|why| at.fail(why))?;
        }
        if let Some(array) = self.array {
            let line = open.lines as usize;
            at.bench().write_row(array, line, &row).map_err(|why| at.fail(why))?;
        }
        open.lines += 1;
        Ok(())
    }
}

impl Saving {
    /// What a broken run had open, when this one goes on.
    fn restored(&self, at: &At<'_>) -> Result<Option<Open>, Exit> {
        if self.target.is_some() {
            let Some(file) = at.bench().data_file(at.task) else {
                return Ok(None);
            };
            let (path, length) = match &file.notes {
                Value::Tuple(notes) => match notes.as_slice() {
                    [path, length] => (
                        path.to_string(),
                        length.as_i64().and_then(|length| u64::try_from(length).ok()),
                    ),
                    _ => (file.path.clone(), None),
                },
                _ => (file.path.clone(), None),
            };
            // A file that is full stays so until the next call looks at its name anew.
            let lines = match length {
                Some(length) if length > 0 && file.rows > 0 => (file.rows - 1) % length + 1,
                Some(_) | None => file.rows,
            };
            return Ok(Some(Open {
                path,
                length,
                lines,
                line: String::new(),
            }));
        }
        let (Some(array), Some(length)) = (self.array, self.length(at)?) else {
            return Ok(None);
        };
        let mut table = [Value::None];
        at.bench().read(&[array], &mut table);
        let labels = self.values.labels(at)?;
        let lines = filled(&table[0], &labels, length);
        Ok(lines.filter(|lines| *lines < length).map(|lines| Open {
            path: String::new(),
            length: Some(length),
            lines,
            line: String::new(),
        }))
    }

    /// A new table; and a new file, unless the one that was written so far is the one asked for.
    fn begin(&self, at: &At<'_>, before: Option<Open>) -> Result<Open, Exit> {
        let length = self.length(at)?;
        let labels = self.values.labels(at)?;
        let mut path = String::new();
        if let Some(target) = &self.target {
            path = target.path(at)?;
            if before.is_none_or(|before| before.path != path) {
                let header = format!("{}{}\n", comment(&at.format(&self.header)?), labels.join("\t"));
                let count = length.and_then(|length| i64::try_from(length).ok()).unwrap_or(-1);
                let notes = Value::tuple(vec![Value::from(path.as_str()), Value::Int(count)]);
                at.bench()
                    .create_text(at.task, &path, header.as_bytes(), notes)
                    .map_err(|why| at.fail(why))?;
            }
        }
        if let Some(array) = self.array {
            let Some(rows) = length.and_then(|length| usize::try_from(length).ok()) else {
                return Err(at.fail("ValueError: the table has no size: `array_size` is empty or negative"));
            };
            at.write(
                array,
                table(labels.into_iter().map(|label| (label, vec![f64::NAN; rows]))),
            );
        }
        Ok(Open {
            path,
            length,
            lines: 0,
            line: String::new(),
        })
    }

    /// Nothing for a file that never ends.
    fn length(&self, at: &At<'_>) -> Result<Option<u64>, Exit> {
        match &self.array_size {
            Some(size) => length(&at.evaluate(size)?).map_err(|message| at.fail(message)),
            None => Ok(None),
        }
    }
}

/// More rows than this are a slip.
const MOST_ROWS: f64 = 1e8;

/// As many lines as `size` says; a negative number is none that would ever be reached.
fn length(size: &Value) -> Result<Option<u64>, String> {
    match size.as_f64() {
        Some(rows) if rows < 0.0 => Ok(None),
        Some(rows) if rows > 0.0 && rows <= MOST_ROWS && rows.fract() == 0.0 => Ok(Some(rows as u64)),
        Some(_) | None => Err(format!(
            "ValueError: `array_size` should be a whole number up to {MOST_ROWS:e}, not {}",
            size.repr()
        )),
    }
}

fn table(columns: impl Iterator<Item = (String, Vec<f64>)>) -> Value {
    let column = |(label, values): (String, Vec<f64>)| {
        let data = ArrayD::from_shape_vec(IxDyn(&[values.len()]), values).expect("a line is as long as its values");
        (Arc::from(label), Array::Float(data))
    };
    Value::from(RecordArray {
        fields: columns.map(column).collect(),
    })
}

/// How many rows of a table that this task would write are filled; nothing if it is another.
fn filled(table: &Value, labels: &[String], length: u64) -> Option<u64> {
    let Value::Record(record) = table else { return None };
    let names = record.fields.iter().map(|(name, _)| &**name);
    if record.len() as u64 != length || !names.eq(labels.iter().map(String::as_str)) {
        return None;
    }
    let mut last = 0;
    for (_, column) in &record.fields {
        let Array::Float(data) = column else { return None };
        let rows = (1..).zip(data.iter());
        last = last.max(
            rows.filter(|(_, value)| !value.is_nan())
                .last()
                .map_or(0, |(row, _)| row),
        );
    }
    Some(last)
}
