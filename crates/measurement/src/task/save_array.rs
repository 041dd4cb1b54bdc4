//! `exopy_hqc_legacy.SaveArrayTask`: a whole array in a file of its own, as text or as `.npy`.
//!
//! Every call writes the whole file; one of the same name that an earlier call of the run wrote is replaced. Text is that
//! of `numpy.savetxt`, below the header and the names of the fields. A complex field of a table is two columns; a complex
//! array without fields is written as numpy does, ` (1.0+2.0j)`.

use expr::{Array, Value};

use super::{
    Field, Kind, Resume, Shape, Task, Text, npy,
    parts::{Parts, numbers, shape},
    saved_values::{HEADER, comment},
    savetxt,
    target::{CompiledTarget, FILENAME, Making, Target},
};
use crate::{
    check::{Check, Expect, Prepare},
    program::{At, Compiled, CompiledTemplate, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy_hqc_legacy.SaveArrayTask",
    summary: "Saves an array in a file of its own, which is written anew with each call.",
    fields: &[
        Field {
            name: "folder",
            default: "",
            doc: "text; the folder of the file; made if it is missing; empty for `default_path`",
        },
        FILENAME,
        HEADER,
        Field {
            name: "target_array",
            default: "",
            doc: "expression; the array",
        },
        Field {
            name: "mode",
            default: "Text file",
            doc: "`Text file`, or `Binary file` for numpy's `.npy`, which has no header",
        },
    ],
    entries: &[],
    shape: Shape::Leaf,
    waits: Some(&[]),
    pool: None,
    resume: Resume::Redo,
    build: |fields| {
        Box::new(SaveArray {
            target: Target::read(fields, "", Making::Any),
            header: fields.text("header", ""),
            array: fields.text("target_array", ""),
            mode: match fields.choice("mode", &["Text file", "Binary file"]) {
                "Binary file" => Mode::Binary,
                _ => Mode::Text,
            },
        })
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Text,
    Binary,
}

#[derive(Debug)]
struct SaveArray {
    target: Target,
    header: Text,
    array: Text,
    mode: Mode,
}

impl Task for SaveArray {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        Vec::new()
    }

    fn check(&self, check: &mut Check<'_>) {
        self.target.check(check);
        check.format("header", &self.header);
        let array = check.evaluate("target_array", &self.array, Expect::Array);
        match self.mode {
            Mode::Text => {
                if let Some(Err(why)) = array.map(|array| text(&array)) {
                    check.error_at("target_array", why, &self.array, None);
                }
            }
            Mode::Binary => {
                if let Some(name) = as_npy(&self.target.filename.text) {
                    let message = format!("the file will be called `{name}`: it is no text");
                    check.warning_at("file_ext", message, &self.target.filename);
                }
                if !self.header.text.is_empty() {
                    check.warning_at("header", "a binary file has no header", &self.header);
                }
            }
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        let mut filename = self.target.filename.clone();
        if self.mode == Mode::Binary
            && let Some(name) = as_npy(&filename.text)
        {
            filename.text = name;
        }
        Box::new(Saving {
            target: self.target.prepare_named(prepare, &filename),
            header: prepare.template("header", &self.header),
            array: prepare.formula("target_array", &self.array),
            mode: self.mode,
        })
    }
}

struct Saving {
    target: CompiledTarget,
    header: CompiledTemplate,
    array: Compiled,
    mode: Mode,
}

impl Work for Saving {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let array = at.evaluate(&self.array)?;
        let mut path = self.target.path(at)?;
        let content = match self.mode {
            Mode::Text => {
                let text = text(&array).map_err(|why| at.fail(why))?;
                format!("{}{text}", comment(&at.format(&self.header)?)).into_bytes()
            }
            Mode::Binary => {
                if !path.ends_with(".npy") {
                    path.push_str(".npy");
                }
                npy::bytes(&array).ok_or_else(|| at.fail(no_array(&array)))?
            }
        };
        at.bench()
            .write_file(at.task, &path, &content)
            .map(drop)
            .map_err(|why| at.fail(why))
    }
}

fn no_array(value: &Value) -> String {
    format!("TypeError: `target_array` should be an array, not {}", value.repr())
}

/// Another file name for one that ends in another extension of three letters.
fn as_npy(filename: &str) -> Option<String> {
    let (stem, extension) = filename.rsplit_once('.')?;
    (extension.chars().count() == 3 && extension != "npy").then(|| format!("{stem}.npy"))
}

/// The names of fields and the numbers.
fn text(array: &Value) -> Result<String, String> {
    match array {
        Value::Record(record) => {
            let wrong = |why: String| format!("TypeError: `target_array`: {why}");
            let parts = Parts::of(array).map_err(wrong)?;
            let Parts::Fields(fields) = &parts else {
                return Err(no_array(array));
            };
            let name = |(name, is_complex): &(String, bool)| match is_complex {
                true => format!("{name}_re\t{name}_im"),
                false => name.clone(),
            };
            let names: Vec<String> = fields.iter().map(name).collect();
            let columns = parts.split(array).map_err(wrong)?;
            if record.fields.iter().any(|(_, column)| column.shape().len() > 1) {
                return Err(wrong("its fields have several dimensions".to_owned()));
            }
            let columns: Vec<Vec<f64>> = columns.iter().map(numbers).collect();
            Ok(format!("{}\n{}", names.join("\t"), savetxt::lines(&columns)))
        }
        Value::Array(values) => {
            let width = match *shape(array) {
                [_] => 1,
                [_, width] => width,
                ref more => {
                    let count = more.len();
                    return Err(format!(
                        "ValueError: `target_array` has {count} dimensions: a text file can hold one or two"
                    ));
                }
            };
            let cells: Vec<String> = match &**values {
                Array::Complex(data) => data.iter().map(|item| complex(item.re, item.im)).collect(),
                Array::Str { .. } => return Err("TypeError: `target_array` holds texts, not numbers".to_owned()),
                Array::Bool(_) | Array::Int(_) | Array::Float(_) => numbers(array).into_iter().map(cell).collect(),
            };
            let lines = cells.chunks(width.max(1)).map(|row| format!("{}\n", row.join("\t")));
            Ok(lines.collect())
        }
        other => Err(no_array(other)),
    }
}

fn cell(number: f64) -> String {
    let mut text = String::with_capacity(25);
    savetxt::push(&mut text, number);
    text
}

fn complex(re: f64, im: f64) -> String {
    format!(" ({}+{}j)", cell(re), cell(im)).replace("+-", "-")
}
