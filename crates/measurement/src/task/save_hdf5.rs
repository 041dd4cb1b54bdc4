//! `exopy_hqc_legacy.SaveFileHDF5Task`: a dataset for each value, and a row in each for every call.
//!
//! The file is that of Exopy for those who read it: datasets at its root, the attributes `header`, `count_calls`,
//! `reshape_loop` and `ordered_keys`. It is right at every moment, not only when it is closed: there are as many rows as
//! there were calls, so `calls_estimation` and `swmr` change nothing. A complex value is two datasets.

use std::sync::{Mutex, PoisonError};

use expr::Value;

use super::{
    Field, Kind, Resume, Shape, Task, Text,
    parts::{Parts, shape},
    saved_values::{CompiledValues, SAVED_VALUES, SavedValues},
    target::{CompiledTarget, FILENAME, FOLDER, Making, Target},
};
use crate::{
    bench::{Attribute, Dataset, Element, Hdf5, Rows},
    check::{Check, Expect, Prepare},
    program::{At, Compiled, CompiledTemplate, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy_hqc_legacy.SaveFileHDF5Task",
    summary: "Saves numbers and arrays in an HDF5 file: a dataset for each value, with a row for each call.",
    fields: &[
        FOLDER,
        FILENAME,
        HDF5_HEADER,
        SAVED_VALUES,
        Field {
            name: "datatype",
            default: "int",
            doc: "`int`, `float16`, `float32` or `float64`; `int` cuts off what is behind the point",
        },
        Field {
            name: "compression",
            default: "None",
            doc: "`None` or `gzip`",
        },
        Field {
            name: "calls_estimation",
            default: "1",
            doc: "expression; how many calls there will be, which need not be known here",
        },
        Field {
            name: "reshape_loop",
            default: "False",
            doc: "whether the rows fill an array of the shape `shape_loop`, the last dimension first",
        },
        Field {
            name: "shape_loop",
            default: "()",
            doc: "expression; numbers of calls along each dimension, with `reshape_loop`",
        },
        Field {
            name: "swmr",
            default: "True",
            doc: "kept for Exopy: a file that is being written can always be read here",
        },
        Field {
            name: "new_file",
            default: "False",
            doc: "whether each call begins a new file",
        },
        Field {
            name: "skip_checks",
            default: "False",
            doc: "whether to leave file and values unchecked, when they are not there before the run",
        },
    ],
    entries: &[("file", "None")],
    shape: Shape::Leaf,
    waits: Some(&[]),
    pool: None,
    resume: Resume::Redo,
    build: |fields| {
        Box::new(SaveHdf5 {
            target: Target::read(fields, "{default_path}", Making::Below),
            header: fields.text("header", ""),
            values: SavedValues::read(fields, "saved_values"),
            element: match fields.choice("datatype", &["int", "float16", "float32", "float64"]) {
                "float16" => Element::Float16,
                "float32" => Element::Float32,
                "float64" => Element::Float64,
                _ => Element::Int64,
            },
            gzip: fields.choice("compression", &["None", "gzip"]) == "gzip",
            calls_estimation: fields.text("calls_estimation", "1"),
            shape_loop: match fields.flag("reshape_loop", false) {
                true => Some(fields.text("shape_loop", "()")),
                false => None,
            },
            files: match fields.flag("new_file", false) {
                true => Files::OneForEachCall,
                false => Files::One,
            },
            checked: !fields.flag("skip_checks", false),
        })
    },
};

/// The field `header` of an HDF5 file.
pub(crate) const HDF5_HEADER: Field = Field {
    name: "header",
    default: "",
    doc: "text; the attribute `header` of the file",
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Files {
    One,
    OneForEachCall,
}

#[derive(Debug)]
struct SaveHdf5 {
    target: Target,
    header: Text,
    values: SavedValues,
    element: Element,
    gzip: bool,
    calls_estimation: Text,
    /// The shape to fill, with `reshape_loop`.
    shape_loop: Option<Text>,
    files: Files,
    checked: bool,
}

impl Task for SaveHdf5 {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![("file".to_owned(), Value::None)]
    }

    fn check(&self, check: &mut Check<'_>) {
        check.evaluate("calls_estimation", &self.calls_estimation, Expect::Real);
        if let Some(text) = &self.shape_loop
            && let Some(shape) = check.evaluate("shape_loop", text, Expect::Anything)
            && let Err(why) = dims(&shape)
        {
            check.error_at("shape_loop", why, text, None);
        }
        if !self.checked {
            return;
        }
        self.target.check(check);
        check.format("header", &self.header);
        for (number, (label, value)) in self.values.check(check).unwrap_or_default().iter().enumerate() {
            if let Err(why) = Parts::of(value) {
                self.values
                    .refuse(check, number, format!("`{label}` cannot be saved: {why}"));
            }
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Saving {
            target: self.target.prepare(prepare),
            header: prepare.template("header", &self.header),
            values: self.values.prepare(prepare),
            element: self.element,
            gzip: self.gzip,
            shape_loop: self.shape_loop.as_ref().map(|text| prepare.formula("shape_loop", text)),
            files: self.files,
            parts: Mutex::default(),
        })
    }
}

struct Saving {
    target: CompiledTarget,
    header: CompiledTemplate,
    values: CompiledValues,
    element: Element,
    gzip: bool,
    shape_loop: Option<Compiled>,
    files: Files,
    /// How the values are parted in the file that is open.
    parts: Mutex<Option<Vec<Parts>>>,
}

impl Work for Saving {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let mut open = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let values = self.values.values(at)?;
        if open.is_none() {
            *open = at.bench().data_file(at.task).and_then(|file| from_notes(&file.notes));
        }
        if open.is_none() || self.files == Files::OneForEachCall {
            *open = Some(self.begin(at, &values)?);
        }
        let parts = open.as_ref().expect("it was just opened");
        let labels = self.values.values.iter().map(|value| value.field.as_str());
        let row = row(parts, labels, &values).map_err(|why| at.fail(why))?;
        at.bench().append_hdf5(at.task, &row).map_err(|why| at.fail(why))
    }
}

impl Saving {
    fn begin(&self, at: &At<'_>, values: &[Value]) -> Result<Vec<Parts>, Exit> {
        let rows = match &self.shape_loop {
            Some(shape) => Rows::Within(dims(&at.evaluate(shape)?).map_err(|why| at.fail(why))?),
            None => Rows::Appended,
        };
        let labels = self.values.labels(at)?;
        let style = Style {
            group: "",
            element: self.element,
            rows: &rows,
            gzip: self.gzip,
        };
        let (parts, datasets) = datasets(&labels, values, &style).map_err(|why| at.fail(why))?;
        let keys = datasets
            .iter()
            .map(|dataset| Value::from(dataset.path.as_str()))
            .collect();
        let file = Hdf5 {
            attributes: vec![
                ("header".to_owned(), Attribute::Text(at.format(&self.header)?)),
                ("reshape_loop".to_owned(), Attribute::Bool(self.shape_loop.is_some())),
                ("ordered_keys".to_owned(), Attribute::Text(Value::list(keys).repr())),
            ],
            datasets,
            squeeze: self.shape_loop.is_none(),
        };
        at.bench()
            .create_hdf5(at.task, &self.target.path(at)?, &file, to_notes(&parts))
            .map_err(|why| at.fail(why))?;
        Ok(parts)
    }
}

/// What the datasets of a file have in common.
pub(crate) struct Style<'a> {
    /// `data/`, or nothing for the root.
    pub(crate) group: &'a str,
    pub(crate) element: Element,
    pub(crate) rows: &'a Rows,
    pub(crate) gzip: bool,
}

/// The datasets that hold these values, and how the values are parted into them.
pub(crate) fn datasets(
    labels: &[String],
    values: &[Value],
    style: &Style<'_>,
) -> Result<(Vec<Parts>, Vec<Dataset>), String> {
    let mut all = Vec::with_capacity(labels.len());
    let mut datasets: Vec<Dataset> = Vec::with_capacity(labels.len());
    for (label, value) in labels.iter().zip(values) {
        let parts = Parts::of(value).map_err(|why| format!("TypeError: `{label}` cannot be saved: {why}"))?;
        let columns = parts
            .split(value)
            .map_err(|why| format!("TypeError: `{label}`: {why}"))?;
        for (name, column) in parts.names(label).into_iter().zip(columns) {
            let path = format!("{}{name}", style.group);
            if datasets.iter().any(|known| known.path == path) {
                return Err(format!("ValueError: there are two datasets `{path}`"));
            }
            datasets.push(Dataset {
                path,
                element: style.element,
                cell: shape(&column).to_vec(),
                rows: style.rows.clone(),
                gzip: style.gzip,
            });
        }
        all.push(parts);
    }
    Ok((all, datasets))
}

/// The values of a call, one for each dataset.
pub(crate) fn row<'l>(
    parts: &[Parts],
    labels: impl Iterator<Item = &'l str>,
    values: &[Value],
) -> Result<Vec<Value>, String> {
    let mut row = Vec::with_capacity(values.len());
    for ((parts, label), value) in parts.iter().zip(labels).zip(values) {
        row.extend(
            parts
                .split(value)
                .map_err(|why| format!("TypeError: `{label}`: {why}"))?,
        );
    }
    Ok(row)
}

pub(crate) fn to_notes(parts: &[Parts]) -> Value {
    Value::list(parts.iter().map(Parts::note).collect())
}

pub(crate) fn from_notes(notes: &Value) -> Option<Vec<Parts>> {
    match notes {
        Value::List(notes) => notes.iter().map(Parts::from_note).collect(),
        _ => None,
    }
}

/// The numbers along each dimension.
fn dims(shape: &Value) -> Result<Vec<usize>, String> {
    let wrong = || format!("`shape_loop` should be a tuple of whole numbers, not {}", shape.repr());
    let items = shape.iterate().map_err(|_| wrong())?;
    let number = |item: &Value| item.as_i64().and_then(|number| usize::try_from(number).ok());
    items.iter().map(number).collect::<Option<_>>().ok_or_else(wrong)
}
