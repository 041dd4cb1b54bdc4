//! How the rows of a table are laid out: values of known kind and shape packed one behind the other.
//!
//! A number takes its eight bytes and nothing else. What is neither a number nor an array of numbers stands in the layout
//! as long as it stays the same: the path of a data file, say. A column that goes on changing otherwise is written as any
//! value, with its length. Numbers of Python and of numpy are
//! different kinds, so that a run that goes on computes with exactly what it had.

use std::sync::Arc;

use expr::{Array, Scalar, Value};
use ndarray::{ArrayD, IxDyn};
use num_complex::Complex64;
use serde::{Deserialize, Serialize};

use crate::packed;

/// A column that changed its kind or shape this often is no longer worth a layout.
const PATIENCE: u8 = 3;

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Cell {
    Bool,
    Int,
    Float,
    Complex,
    NumpyBool,
    NumpyInt,
    NumpyFloat,
    NumpyComplex,
    BoolArray(Vec<u32>),
    IntArray(Vec<u32>),
    FloatArray(Vec<u32>),
    ComplexArray(Vec<u32>),
    /// The same value in every row.
    Constant(Constant),
    /// Any value, with its length.
    Any,
}

/// A value that stands in the layout.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Constant(#[serde(with = "packed::field")] Value);

impl Constant {
    /// Whether a value is this one, as far as that is quick to say.
    fn is(&self, value: &Value) -> bool {
        match (&self.0, value) {
            (Value::None, Value::None) => true,
            (Value::Str(own), Value::Str(other)) => own == other,
            (Value::List(own), Value::List(other)) | (Value::Tuple(own), Value::Tuple(other)) => {
                Arc::ptr_eq(own, other)
            }
            (Value::Array(own), Value::Array(other)) => Arc::ptr_eq(own, other),
            (Value::Dict(own), Value::Dict(other)) => Arc::ptr_eq(own, other),
            (Value::Record(own), Value::Record(other)) => Arc::ptr_eq(own, other),
            _ => false,
        }
    }
}

impl PartialEq for Constant {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.0)
    }
}

impl Eq for Constant {}

impl Cell {
    /// The tightest cell for a value.
    pub(crate) fn of(value: &Value) -> Cell {
        let shape = |array: &Array| -> Vec<u32> { array.shape().iter().map(|n| *n as u32).collect() };
        match value {
            Value::Bool(_) => Cell::Bool,
            Value::Int(_) => Cell::Int,
            Value::Float(_) => Cell::Float,
            Value::Complex(_) => Cell::Complex,
            Value::Scalar(Scalar::Bool(_)) => Cell::NumpyBool,
            Value::Scalar(Scalar::Int(_)) => Cell::NumpyInt,
            Value::Scalar(Scalar::Float(_)) => Cell::NumpyFloat,
            Value::Scalar(Scalar::Complex(_)) => Cell::NumpyComplex,
            Value::Array(array) => match &**array {
                Array::Bool(_) => Cell::BoolArray(shape(array)),
                Array::Int(_) => Cell::IntArray(shape(array)),
                Array::Float(_) => Cell::FloatArray(shape(array)),
                Array::Complex(_) => Cell::ComplexArray(shape(array)),
                Array::Str { .. } => Cell::Constant(Constant(value.clone())),
            },
            Value::None
            | Value::BigInt(_)
            | Value::Str(_)
            | Value::Bytes(_)
            | Value::List(_)
            | Value::Tuple(_)
            | Value::Dict(_)
            | Value::Set(_)
            | Value::Range(_)
            | Value::Slice(_)
            | Value::Ellipsis
            | Value::Scalar(Scalar::Str(_))
            | Value::Record(_)
            | Value::Function(_) => Cell::Constant(Constant(value.clone())),
        }
    }

    pub(crate) fn is_array(&self) -> bool {
        matches!(
            self,
            Cell::BoolArray(_) | Cell::IntArray(_) | Cell::FloatArray(_) | Cell::ComplexArray(_)
        )
    }

    /// Bytes that a value takes; none for a constant and for any value.
    pub(crate) fn size(&self) -> usize {
        let elements = |shape: &[u32]| shape.iter().map(|n| *n as usize).product::<usize>();
        match self {
            Cell::Bool | Cell::NumpyBool => 1,
            Cell::Int | Cell::Float | Cell::NumpyInt | Cell::NumpyFloat => 8,
            Cell::Complex | Cell::NumpyComplex => 16,
            Cell::BoolArray(shape) => elements(shape),
            Cell::IntArray(shape) | Cell::FloatArray(shape) => 8 * elements(shape),
            Cell::ComplexArray(shape) => 16 * elements(shape),
            Cell::Constant(_) | Cell::Any => 0,
        }
    }

    /// Appends a value; false if it is of another kind or shape, and then nothing whole was appended.
    #[inline]
    pub(crate) fn put(&self, value: &Value, out: &mut Vec<u8>) -> bool {
        match (self, value) {
            (Cell::Float, Value::Float(number)) | (Cell::NumpyFloat, Value::Scalar(Scalar::Float(number))) => {
                out.extend_from_slice(&number.to_le_bytes());
            }
            (Cell::Int, Value::Int(number)) | (Cell::NumpyInt, Value::Scalar(Scalar::Int(number))) => {
                out.extend_from_slice(&number.to_le_bytes());
            }
            (Cell::Bool, Value::Bool(truth)) | (Cell::NumpyBool, Value::Scalar(Scalar::Bool(truth))) => {
                out.push(u8::from(*truth));
            }
            (Cell::Complex, Value::Complex(number)) | (Cell::NumpyComplex, Value::Scalar(Scalar::Complex(number))) => {
                put_complex(*number, out);
            }
            (Cell::Constant(constant), value) => return constant.is(value),
            (_, Value::Array(array)) => return self.put_array(array, out),
            _ => return false,
        }
        true
    }

    fn put_array(&self, array: &Array, out: &mut Vec<u8>) -> bool {
        let same = |shape: &[u32], array: &[usize]| shape.iter().map(|n| *n as usize).eq(array.iter().copied());
        match (self, array) {
            (Cell::FloatArray(shape), Array::Float(array)) if same(shape, array.shape()) => {
                match array.as_slice().filter(|_| cfg!(target_endian = "little")) {
                    Some(numbers) => out.extend_from_slice(bytemuck::cast_slice(numbers)),
                    None => out.extend(array.iter().flat_map(|number| number.to_le_bytes())),
                }
            }
            (Cell::IntArray(shape), Array::Int(array)) if same(shape, array.shape()) => {
                match array.as_slice().filter(|_| cfg!(target_endian = "little")) {
                    Some(numbers) => out.extend_from_slice(bytemuck::cast_slice(numbers)),
                    None => out.extend(array.iter().flat_map(|number| number.to_le_bytes())),
                }
            }
            (Cell::BoolArray(shape), Array::Bool(array)) if same(shape, array.shape()) => {
                out.extend(array.iter().map(|truth| u8::from(*truth)));
            }
            (Cell::ComplexArray(shape), Array::Complex(array)) if same(shape, array.shape()) => {
                array.iter().for_each(|number| put_complex(*number, out));
            }
            _ => return false,
        }
        true
    }

    /// The value in `bytes`, which are as many as [`Cell::size`] says; nothing for any value.
    pub(crate) fn get(&self, bytes: &[u8]) -> Option<Value> {
        let array = |shape: &[u32]| IxDyn(&shape.iter().map(|n| *n as usize).collect::<Vec<_>>());
        Some(match self {
            Cell::Bool => Value::Bool(*bytes.first()? != 0),
            Cell::NumpyBool => Value::Scalar(Scalar::Bool(*bytes.first()? != 0)),
            Cell::Int => Value::Int(int(bytes)),
            Cell::NumpyInt => Value::Scalar(Scalar::Int(int(bytes))),
            Cell::Float => Value::Float(float(bytes)),
            Cell::NumpyFloat => Value::Scalar(Scalar::Float(float(bytes))),
            Cell::Complex => Value::Complex(complex(bytes)),
            Cell::NumpyComplex => Value::Scalar(Scalar::Complex(complex(bytes))),
            Cell::BoolArray(shape) => {
                let data = bytes.iter().map(|byte| *byte != 0).collect();
                Value::from(Array::Bool(ArrayD::from_shape_vec(array(shape), data).ok()?))
            }
            Cell::IntArray(shape) => {
                let data = if cfg!(target_endian = "little") {
                    bytemuck::allocation::pod_collect_to_vec(bytes)
                } else {
                    bytes.chunks_exact(8).map(int).collect()
                };
                Value::from(Array::Int(ArrayD::from_shape_vec(array(shape), data).ok()?))
            }
            Cell::FloatArray(shape) => {
                let data = if cfg!(target_endian = "little") {
                    bytemuck::allocation::pod_collect_to_vec(bytes)
                } else {
                    bytes.chunks_exact(8).map(float).collect()
                };
                Value::from(Array::Float(ArrayD::from_shape_vec(array(shape), data).ok()?))
            }
            Cell::ComplexArray(shape) => {
                let data = bytes.chunks_exact(16).map(complex).collect();
                Value::from(Array::Complex(ArrayD::from_shape_vec(array(shape), data).ok()?))
            }
            Cell::Constant(constant) => constant.0.clone(),
            Cell::Any => return None,
        })
    }
}

fn put_complex(number: Complex64, out: &mut Vec<u8>) {
    out.extend_from_slice(&number.re.to_le_bytes());
    out.extend_from_slice(&number.im.to_le_bytes());
}

fn eight(bytes: &[u8]) -> [u8; 8] {
    bytes
        .get(..8)
        .and_then(|bytes| bytes.try_into().ok())
        .unwrap_or_default()
}

fn int(bytes: &[u8]) -> i64 {
    i64::from_le_bytes(eight(bytes))
}

fn float(bytes: &[u8]) -> f64 {
    f64::from_le_bytes(eight(bytes))
}

fn complex(bytes: &[u8]) -> Complex64 {
    Complex64::new(float(bytes), bytes.get(8..).map_or(0.0, float))
}

/// How the rows of a table are laid out, from one place of the record on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Layout {
    /// For each column of the table.
    pub(crate) cells: Vec<Cell>,
    /// Tasks whose data files are written in this loop: how far each got stands behind the cells.
    pub(crate) files: Vec<u32>,
}

/// Bytes that say how far a file got in one row.
pub(crate) const STEP: usize = 4;

impl Layout {
    /// Bytes of a row without parts that vary.
    pub(crate) fn size(&self) -> usize {
        self.cells.iter().map(Cell::size).sum::<usize>() + STEP * self.files.len()
    }
}

/// Finds layouts for rows as they come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fitting {
    pub(crate) layout: Option<Layout>,
    /// How often each column changed.
    changes: Vec<u8>,
}

impl Fitting {
    /// Makes a layout that these values fit.
    pub(crate) fn fit<'v>(&mut self, values: impl Iterator<Item = &'v Value>, files: Vec<u32>) -> &Layout {
        let old = self.layout.take().map(|layout| layout.cells);
        let mut cells = Vec::new();
        for (position, value) in values.enumerate() {
            if self.changes.len() <= position {
                self.changes.push(0);
            }
            let mut cell = Cell::of(value);
            if let Some(before) = old.as_ref().and_then(|old| old.get(position))
                && *before != cell
            {
                self.changes[position] += 1;
                if *before == Cell::Any || self.changes[position] >= PATIENCE {
                    cell = Cell::Any;
                }
            }
            cells.push(cell);
        }
        self.layout.insert(Layout { cells, files })
    }
}
