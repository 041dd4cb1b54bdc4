//! `exopy_qcircuits.SmartSaveTask`: an HDF5 file in the shape of the loops around it.
//!
//! The group `data` has a dataset for each value, with a dimension for each `LoopTask` around the task, the outermost
//! first; calls fill it from the beginning. The group `parameters` has what was swept: for each of these loops a dataset
//! of the loop's name, which holds the parameter of that name or else the values of the loop, and after them the other
//! parameters, which Exopy leaves out.

use std::sync::{Mutex, PoisonError};

use expr::{Array, Value};
use ndarray::{ArrayD, IxDyn};

use super::{
    Field, Kind, Resume, Shape, Task, Text,
    parts::{Parts, numbers, shape},
    save_hdf5::{HDF5_HEADER, Style, datasets, from_notes, row, to_notes},
    saved_values::{CompiledValues, SAVED_VALUES, SavedValues},
    target::{CompiledTarget, FILENAME, FOLDER, Making, Target},
};
use crate::{
    bench::{Attribute, Dataset, Element, Hdf5, Rows},
    check::{Check, Prepare},
    names::EntryId,
    program::{At, CompiledTemplate, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy_qcircuits.SmartSaveTask",
    summary: "Saves numbers and arrays in an HDF5 file, in datasets with a dimension for each loop around the task.",
    fields: &[
        FOLDER,
        FILENAME,
        HDF5_HEADER,
        SAVED_VALUES,
        Field {
            name: "saved_parameters",
            default: "[]",
            doc: "list of (label, expression), evaluated once; one labelled as a loop stands for its values",
        },
        Field {
            name: "datatype",
            default: "float16",
            doc: "`float16`, which has three digits, `float32` or `float64`",
        },
    ],
    entries: &[("file", "None")],
    shape: Shape::Leaf,
    waits: Some(&[]),
    pool: None,
    resume: Resume::Redo,
    build: |fields| {
        Box::new(SmartSave {
            target: Target::read(fields, "{default_path}", Making::Below),
            header: fields.text("header", ""),
            values: SavedValues::read(fields, "saved_values"),
            parameters: SavedValues::read(fields, "saved_parameters"),
            element: match fields.choice("datatype", &["float16", "float32", "float64"]) {
                "float32" => Element::Float32,
                "float64" => Element::Float64,
                _ => Element::Float16,
            },
        })
    },
};

#[derive(Debug)]
struct SmartSave {
    target: Target,
    header: Text,
    values: SavedValues,
    parameters: SavedValues,
    element: Element,
}

impl Task for SmartSave {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![("file".to_owned(), Value::None)]
    }

    fn check(&self, check: &mut Check<'_>) {
        self.target.check(check);
        check.format("header", &self.header);
        for values in [&self.values, &self.parameters] {
            for (number, (label, value)) in values.check(check).unwrap_or_default().iter().enumerate() {
                if let Err(why) = Parts::of(value) {
                    values.refuse(check, number, format!("`{label}` cannot be saved: {why}"));
                }
            }
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Saving {
            target: self.target.prepare(prepare),
            header: prepare.template("header", &self.header),
            values: self.values.prepare(prepare),
            parameters: self.parameters.prepare(prepare),
            loops: prepare.loops_around(),
            element: self.element,
            open: Mutex::default(),
        })
    }
}

struct Saving {
    target: CompiledTarget,
    header: CompiledTemplate,
    values: CompiledValues,
    parameters: CompiledValues,
    /// The loops around, the outermost first.
    loops: Vec<LoopAround>,
    element: Element,
    open: Mutex<Option<Open>>,
}

/// A loop that makes a dimension.
#[derive(Clone, Debug)]
pub(crate) struct LoopAround {
    pub(crate) name: String,
    pub(crate) point_number: EntryId,
    pub(crate) loop_values: EntryId,
}

struct Open {
    parts: Vec<Parts>,
    /// The shapes of the plain columns.
    cells: Vec<Vec<usize>>,
    /// Whether it was said that an array does not fit.
    complained: bool,
}

impl Work for Saving {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let values = self.values.values(at)?;
        if open.is_none() {
            *open = match at.bench().data_file(at.task) {
                Some(file) => Open::from_notes(&file.notes),
                None => None,
            };
        }
        if open.is_none() {
            *open = Some(self.begin(at, &values)?);
        }
        let open = open.as_mut().expect("it was just opened");
        let labels = self.values.values.iter().map(|value| value.field.as_str());
        let mut row = row(&open.parts, labels, &values).map_err(|why| at.fail(why))?;
        for (value, cell) in row.iter_mut().zip(&open.cells) {
            if shape(value) != cell.as_slice() {
                if !open.complained {
                    open.complained = true;
                    let message = format!(
                        "an array has the shape {:?} instead of {cell:?}: it is cut, or filled up with NaN; said once",
                        shape(value)
                    );
                    at.bench().log(at.task, &message);
                }
                *value = fitted(value, cell);
            }
        }
        at.bench().append_hdf5(at.task, &row).map_err(|why| at.fail(why))
    }
}

impl Saving {
    fn begin(&self, at: &At<'_>, values: &[Value]) -> Result<Open, Exit> {
        let mut all = self.parameters(at)?;
        let rows = Rows::Within(self.dims(at)?);
        let style = Style {
            group: "data/",
            element: self.element,
            rows: &rows,
            gzip: true,
        };
        let labels = self.values.labels(at)?;
        let (parts, data) = datasets(&labels, values, &style).map_err(|why| at.fail(why))?;
        let cells: Vec<Vec<usize>> = data.iter().map(|dataset| dataset.cell.clone()).collect();
        all.extend(data);
        let order = self
            .loops
            .iter()
            .map(|around| Value::from(around.name.as_str()))
            .collect();
        let file = Hdf5 {
            datasets: all,
            attributes: vec![
                ("header".to_owned(), Attribute::Text(at.format(&self.header)?)),
                (
                    "parameters_order".to_owned(),
                    Attribute::Text(Value::list(order).repr()),
                ),
            ],
            squeeze: false,
        };
        let open = Open {
            parts,
            cells,
            complained: false,
        };
        at.bench()
            .create_hdf5(at.task, &self.target.path(at)?, &file, open.to_notes())
            .map_err(|why| at.fail(why))?;
        Ok(open)
    }

    fn dims(&self, at: &At<'_>) -> Result<Vec<usize>, Exit> {
        let entries: Vec<EntryId> = self.loops.iter().map(|around| around.point_number).collect();
        let mut numbers = vec![Value::None; entries.len()];
        at.bench().read(&entries, &mut numbers);
        let number = |number: &Value| number.as_i64().and_then(|number| usize::try_from(number).ok());
        numbers
            .iter()
            .map(number)
            .collect::<Option<_>>()
            .ok_or_else(|| at.fail("a loop around has no number of points"))
    }

    /// What was swept, and the other parameters.
    fn parameters(&self, at: &At<'_>) -> Result<Vec<Dataset>, Exit> {
        let labels = self.parameters.labels(at)?;
        let values = self.parameters.values(at)?;
        let mut found: Vec<(String, Value)> = Vec::new();
        for around in &self.loops {
            let given = labels.iter().position(|label| *label == around.name);
            let value = match given {
                Some(number) => values[number].clone(),
                None => {
                    let mut value = [Value::None];
                    at.bench().read(&[around.loop_values], &mut value);
                    let [value] = value;
                    value
                }
            };
            found.push((around.name.clone(), value));
        }
        for (label, value) in labels.into_iter().zip(values) {
            if !found.iter().any(|(known, _)| *known == label) {
                found.push((label, value));
            }
        }
        let mut all: Vec<Dataset> = Vec::new();
        for (label, value) in found {
            let refuse = |why: String| at.fail(format!("TypeError: the parameter `{label}` cannot be saved: {why}"));
            let parts = Parts::of(&value).map_err(refuse)?;
            let columns = parts.split(&value).map_err(refuse)?;
            for (name, column) in parts.names(&label).into_iter().zip(columns) {
                all.push(Dataset {
                    path: format!("parameters/{name}"),
                    element: element(&column),
                    cell: shape(&column).to_vec(),
                    rows: Rows::Constant(column),
                    gzip: false,
                });
            }
        }
        Ok(all)
    }
}

impl Open {
    fn to_notes(&self) -> Value {
        let cell = |cell: &Vec<usize>| Value::list(cell.iter().map(|length| Value::Int(*length as i64)).collect());
        Value::tuple(vec![
            to_notes(&self.parts),
            Value::list(self.cells.iter().map(cell).collect()),
        ])
    }

    fn from_notes(notes: &Value) -> Option<Self> {
        let Value::Tuple(notes) = notes else { return None };
        let [parts, cells] = notes.as_slice() else { return None };
        let length = |length: &Value| length.as_i64().and_then(|length| usize::try_from(length).ok());
        let cell = |cell: &Value| cell.iterate().ok()?.iter().map(length).collect::<Option<Vec<usize>>>();
        Some(Self {
            parts: from_notes(parts)?,
            cells: cells.iterate().ok()?.iter().map(cell).collect::<Option<_>>()?,
            complained: false,
        })
    }
}

fn element(value: &Value) -> Element {
    match value {
        Value::Array(array) => match &**array {
            Array::Bool(_) | Array::Int(_) => Element::Int64,
            Array::Float(_) | Array::Complex(_) | Array::Str { .. } => Element::Float64,
        },
        other if other.as_i64().is_some() => Element::Int64,
        _ => Element::Float64,
    }
}

/// The numbers of an array, in another shape: cut, or filled up with NaN.
fn fitted(value: &Value, cell: &[usize]) -> Value {
    let mut values = numbers(value);
    values.resize(cell.iter().product(), f64::NAN);
    match ArrayD::from_shape_vec(IxDyn(cell), values) {
        Ok(data) if !cell.is_empty() => Array::Float(data).into(),
        Ok(data) => Value::Float(data.first().copied().unwrap_or(f64::NAN)),
        Err(_) => value.clone(),
    }
}
