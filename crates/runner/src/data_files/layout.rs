//! What tasks say of an HDF5 file, in the words of its writer; values as its numbers, and numbers as values.

use std::borrow::Cow;

use expr::{Array, Value};
use measurement::{Attribute, Dataset, Datasets, Element, Hdf5, Rows};
use ndarray::{ArrayD, IxDyn};
use records::hdf5::{self, Cells};

/// The layout of the file.
///
/// # Errors
/// A constant is no number.
pub(super) fn layout(file: &Hdf5) -> Result<hdf5::Layout, String> {
    Ok(hdf5::Layout {
        datasets: file.datasets.iter().map(dataset).collect::<Result<_, _>>()?,
        attributes: file
            .attributes
            .iter()
            .map(|(name, value)| (name.clone(), attribute(value)))
            .collect(),
        squeeze: file.squeeze,
    })
}

fn dataset(dataset: &Dataset) -> Result<hdf5::Dataset, String> {
    let element = match dataset.element {
        Element::Int64 => hdf5::Element::Int64,
        Element::Float16 => hdf5::Element::Float16,
        Element::Float32 => hdf5::Element::Float32,
        Element::Float64 => hdf5::Element::Float64,
    };
    Ok(hdf5::Dataset {
        path: dataset.path.clone(),
        element,
        cell: dataset.cell.clone(),
        rows: match &dataset.rows {
            Rows::Appended => hdf5::Rows::Appended,
            Rows::Within(dims) => hdf5::Rows::Within(dims.iter().map(|length| *length as u64).collect()),
            Rows::Constant(value) => {
                let numbers = Numbers::of(value).ok_or_else(|| format!("`{}` holds no numbers", dataset.path))?;
                hdf5::Rows::Constant(element.bytes(numbers.cells()))
            }
        },
        gzip: dataset.gzip,
    })
}

fn attribute(value: &Attribute) -> hdf5::Attribute {
    match value {
        Attribute::Text(text) => hdf5::Attribute::Text(text.clone()),
        Attribute::Int(number) => hdf5::Attribute::Int(*number),
        Attribute::Bool(flag) => hdf5::Attribute::Bool(*flag),
    }
}

/// The numbers of a value in C order.
pub(super) enum Numbers<'v> {
    Float(Cow<'v, [f64]>),
    Int(Cow<'v, [i64]>),
}

impl<'v> Numbers<'v> {
    /// Nothing for what is neither a number nor an array of them.
    pub(super) fn of(value: &'v Value) -> Option<Self> {
        match value {
            Value::Array(array) => match &**array {
                Array::Float(data) => Some(Numbers::Float(
                    data.as_slice()
                        .map_or_else(|| data.iter().copied().collect(), Cow::Borrowed),
                )),
                Array::Int(data) => Some(Numbers::Int(
                    data.as_slice()
                        .map_or_else(|| data.iter().copied().collect(), Cow::Borrowed),
                )),
                Array::Bool(data) => Some(Numbers::Int(data.iter().map(|item| i64::from(*item)).collect())),
                Array::Complex(_) | Array::Str { .. } => None,
            },
            other => match other.as_i64() {
                Some(number) => Some(Numbers::Int(Cow::Owned(vec![number]))),
                None => other.as_f64().map(|number| Numbers::Float(Cow::Owned(vec![number]))),
            },
        }
    }

    pub(super) fn cells(&self) -> Cells<'_> {
        match self {
            Numbers::Float(numbers) => Cells::Float(numbers),
            Numbers::Int(numbers) => Cells::Int(numbers),
        }
    }
}

/// The datasets of a file, and how many calls filled it.
pub(super) fn values(contents: hdf5::Contents) -> (Datasets, Option<i64>) {
    let calls = calls(&contents);
    let value = |(path, array): (String, hdf5::Array)| Some((path, value(array)?));
    (contents.datasets.into_iter().filter_map(value).collect(), calls)
}

/// The attribute `count_calls`, if the file has one.
pub(super) fn calls(contents: &hdf5::Contents) -> Option<i64> {
    contents.attributes.iter().find_map(|(name, value)| match value {
        hdf5::Attribute::Int(calls) if name == "count_calls" => Some(*calls),
        _ => None,
    })
}

/// Nothing for a file that has not as many numbers as its shape says.
fn value(array: hdf5::Array) -> Option<Value> {
    fn shaped<T>(shape: &[usize], numbers: Vec<T>) -> Option<ArrayD<T>> {
        ArrayD::from_shape_vec(IxDyn(shape), numbers).ok()
    }
    let shape = &array.shape;
    Some(Value::from(match array.numbers {
        hdf5::Numbers::Int(numbers) => Array::Int(shaped(shape, numbers)?),
        hdf5::Numbers::Float(numbers) => Array::Float(shaped(shape, numbers)?),
        hdf5::Numbers::Complex(numbers) => Array::Complex(shaped(shape, numbers)?),
        hdf5::Numbers::Bool(numbers) => Array::Bool(shaped(shape, numbers)?),
    }))
}
