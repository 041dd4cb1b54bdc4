//! `exopy_hqc_legacy.LoadArrayTask`: an array from a file, text or HDF5 as its interface says.

use expr::{Array, Dict, Value};
use ndarray::{Axis, Slice};

use super::{
    Field, Fields, InterfaceKind, Interfaced, Kind, Resume, Shape, Task,
    csv::{Format, stand_in},
    target::{CompiledTarget, FILENAME, Making, Target},
};
use crate::{
    check::{Check, Prepare},
    names::EntryId,
    program::{At, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy_hqc_legacy.LoadArrayTask",
    summary: "Loads an array from a file.",
    fields: &[
        Field {
            name: "folder",
            default: "",
            doc: "text; the folder of the file; empty for `default_path`",
        },
        FILENAME,
        Field {
            name: "selected_format",
            default: "",
            doc: "`CSV` or `H5PY`, for Exopy's form; the interface decides",
        },
    ],
    entries: &[("array", "a table with named fields, or with H5PY a dict of arrays")],
    shape: Shape::Leaf,
    waits: None,
    pool: None,
    resume: Resume::Redo,
    build: |fields| {
        Box::new(Load {
            target: Target::read(fields, "", Making::Any),
            interface: fields.interface_of(
                "exopy_hqc_legacy.LoadArrayTask",
                &[
                    (&CSV, Reader::csv as fn(&mut Fields<'_>) -> Reader),
                    (&H5PY, |_| Reader::Hdf5),
                ],
            ),
        })
    },
};

pub(crate) static CSV: InterfaceKind = InterfaceKind {
    id: "exopy_hqc_legacy.CSVLoadInterface",
    of: "exopy_hqc_legacy.LoadArrayTask",
    summary: "Lines of numbers, with the names of the columns above them.",
    fields: &[
        Field {
            name: "delimiter",
            default: "<tab>",
            doc: "what parts the columns; empty for any blanks",
        },
        Field {
            name: "comments",
            default: "#",
            doc: "what a comment begins with",
        },
        Field {
            name: "names",
            default: "True",
            doc: "whether the first line has the names; blanks in them become `_`, and `()[]-+…` are left out",
        },
        Field {
            name: "c_names",
            default: "[]",
            doc: "list of names for the checks, when the file is not there yet",
        },
    ],
};

pub(crate) static H5PY: InterfaceKind = InterfaceKind {
    id: "exopy_hqc_legacy.H5PYLoadInterface",
    of: "exopy_hqc_legacy.LoadArrayTask",
    summary: "The datasets of an HDF5 file, without rows that were not written.",
    fields: &[Field {
        name: "swmr",
        default: "True",
        doc: "kept for Exopy: a file that is being written can always be read here",
    }],
};

/// How a file is read.
#[derive(Clone, Debug)]
enum Reader {
    Csv {
        format: Format,
        /// Names for the checks.
        names: Vec<String>,
    },
    Hdf5,
}

impl Reader {
    fn csv(fields: &mut Fields<'_>) -> Self {
        Reader::Csv {
            format: Format {
                delimiter: fields.text("delimiter", "\t").text,
                comments: fields.text("comments", "#").text,
                has_names: fields.flag("names", true),
            },
            names: fields.texts("c_names"),
        }
    }

    fn read(&self, at: &At<'_>, path: &str) -> Result<Value, String> {
        match self {
            Reader::Csv { format, .. } => {
                let bytes = at.bench().read_file(path)?;
                let text = String::from_utf8_lossy(&bytes);
                format
                    .read(text.strip_prefix('\u{feff}').unwrap_or(&text))
                    .map_err(|why| format!("{why} (in `{path}`)"))
            }
            Reader::Hdf5 => {
                let (datasets, calls) = at.bench().read_hdf5(path)?;
                let written = |(name, value)| (Value::from(name), written(value, calls));
                let items = datasets
                    .into_iter()
                    .map(|(name, value): (String, Value)| written((name, value)));
                Ok(Value::Dict(std::sync::Arc::new(Dict { items: items.collect() })))
            }
        }
    }
}

/// The rows that were written: of a file that Exopy is writing there are more than calls. A file of one call may have
/// lost its first dimension, so it is left as it is.
fn written(value: Value, calls: Option<i64>) -> Value {
    let Some(calls) = calls
        .and_then(|calls| usize::try_from(calls).ok())
        .filter(|calls| *calls > 1)
    else {
        return value;
    };
    let Value::Array(array) = &value else { return value };
    if array.shape().first().is_none_or(|rows| *rows <= calls) {
        return value;
    }
    let rows = Slice::from(..calls);
    Value::from(match &**array {
        Array::Bool(data) => Array::Bool(data.slice_axis(Axis(0), rows).to_owned()),
        Array::Int(data) => Array::Int(data.slice_axis(Axis(0), rows).to_owned()),
        Array::Float(data) => Array::Float(data.slice_axis(Axis(0), rows).to_owned()),
        Array::Complex(data) => Array::Complex(data.slice_axis(Axis(0), rows).to_owned()),
        Array::Str { width, data } => Array::Str {
            width: *width,
            data: data.slice_axis(Axis(0), rows).to_owned(),
        },
    })
}

#[derive(Debug)]
struct Load {
    target: Target,
    interface: Interfaced<Reader>,
}

impl Task for Load {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        let array = match &self.interface {
            Interfaced::Known(Reader::Csv { names, .. }) if !names.is_empty() => stand_in(names),
            Interfaced::Known(_) | Interfaced::Unknown | Interfaced::Absent => {
                stand_in(&["var1".to_owned(), "var2".to_owned()])
            }
        };
        vec![("array".to_owned(), array)]
    }

    fn check(&self, check: &mut Check<'_>) {
        if let Interfaced::Absent = self.interface {
            check.error("-interface", "the task has no interface, so nobody knows how to read").hint = Some(
                "add a section `[interface]` with `interface_id = exopy_hqc_legacy.LoadArrayTask:exopy_hqc_legacy.CSVLoadInterface`"
                    .to_owned(),
            );
        }
        let Some(path) = self.target.path(check) else { return };
        if !check.surroundings.is_file(&path) {
            let message = format!("there is no file `{path}`: something must make it before this task is performed");
            check.warning_at("file", message, &self.target.filename);
            return;
        }
        match self.interface.known() {
            Some(Reader::Csv { format, names }) if names.is_empty() => {
                let Some(beginning) = check.surroundings.beginning(&path) else {
                    return;
                };
                let text = String::from_utf8_lossy(&beginning);
                let names = format.header(text.strip_prefix('\u{feff}').unwrap_or(&text));
                if !names.is_empty() {
                    check.set("array", stand_in(&names));
                } else if let Ok(grid) = format.read(&text) {
                    check.set("array", grid);
                }
            }
            Some(Reader::Hdf5) => {
                if let Some(names) = check.surroundings.datasets(&path) {
                    let items = names
                        .into_iter()
                        .map(|name| (Value::from(name), Value::from(vec![1.0; 5])));
                    check.set(
                        "array",
                        Value::Dict(std::sync::Arc::new(Dict { items: items.collect() })),
                    );
                }
            }
            Some(Reader::Csv { .. }) | None => (),
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Loading {
            target: self.target.prepare(prepare),
            reader: self.interface.known().cloned(),
            array: prepare.entry("array"),
        })
    }
}

struct Loading {
    target: CompiledTarget,
    reader: Option<Reader>,
    array: Option<EntryId>,
}

impl Work for Loading {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let Some(reader) = &self.reader else {
            return Err(at.fail("the task has no interface, so nobody knows how to read"));
        };
        let path = self.target.path(at)?;
        let array = reader.read(at, &path).map_err(|why| at.fail(why))?;
        if let Some(entry) = self.array {
            at.write(entry, array);
        }
        Ok(())
    }
}
