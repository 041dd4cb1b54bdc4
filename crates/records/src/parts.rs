//! The payloads of the rarer frames.

use expr::Value;
use serde::{Deserialize, Serialize};

use crate::packed;

/// A round of a loop begins.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Begin {
    pub(crate) total: Option<u64>,
    pub(crate) values: Option<RoundValues>,
}

/// What a loop goes through.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum RoundValues {
    /// The same as in its last round on record.
    Same,
    New(LoopValues),
}

/// The values of one round of a loop.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoopValues {
    /// The entry `loop_values`.
    #[serde(with = "packed::field")]
    pub array: Value,
    /// The values one by one where the array does not hold them: a range, or a list of anything.
    pub values: Option<Value>,
}

impl LoopValues {
    /// The value of iteration `index`, from 0.
    pub fn value(&self, index: usize) -> Option<Value> {
        match self.values.as_ref().unwrap_or(&self.array) {
            Value::List(values) => values.get(index).cloned(),
            Value::Range(range) => {
                let value = i128::from(range.start) + i128::from(range.step) * index as i128;
                i64::try_from(value).ok().map(Value::Int)
            }
            Value::Array(array) => match &**array {
                expr::Array::Float(array) => Some(Value::Scalar(expr::Scalar::Float(*array.get([index].as_slice())?))),
                expr::Array::Bool(_) | expr::Array::Int(_) | expr::Array::Complex(_) | expr::Array::Str { .. } => None,
            },
            _ => None,
        }
    }

    /// Whether both are the same to the last bit, as far as that is quick to say.
    pub(crate) fn equals(&self, other: &LoopValues) -> bool {
        let same_array = match (&self.array, &other.array) {
            (Value::Array(one), Value::Array(two)) => match (&**one, &**two) {
                (expr::Array::Float(one), expr::Array::Float(two)) => {
                    one.shape() == two.shape()
                        && one
                            .iter()
                            .zip(two.iter())
                            .all(|(one, two)| one.to_bits() == two.to_bits())
                }
                _ => false,
            },
            _ => false,
        };
        let same_values = match (&self.values, &other.values) {
            (None, None) => true,
            (Some(Value::Range(one)), Some(Value::Range(two))) => {
                return one.start == two.start && one.stop == two.stop && one.step == two.step;
            }
            _ => false,
        };
        same_array && same_values
    }
}

/// A data file that a task is about to open.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OpenedFile {
    pub task: u32,
    /// The path as the task asked for it.
    pub asked: String,
    /// Where the file is.
    pub path: String,
    pub content: FileContent,
    /// What the task left with it.
    pub notes: Value,
}

/// What a data file begins with, so that it can be made again if the process died before it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileContent {
    Text {
        header: Vec<u8>,
    },
    /// The layout, as the writer of HDF5 files understands it.
    Hdf5 {
        layout: Vec<u8>,
    },
    /// It is written as a whole each time.
    Whole,
}

/// How far a data file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileAt {
    /// Length of a text file; 0 for others.
    pub bytes: u64,
    /// Rows appended.
    pub rows: u64,
}

/// A step of a file that does not fit into [`pack`].
pub(crate) const FAR: u32 = u32::MAX;

/// A step of a file in a row: 24 bits of bytes, 8 of rows.
pub(crate) fn pack(from: FileAt, to: FileAt) -> Option<u32> {
    let bytes = to.bytes.checked_sub(from.bytes)?;
    let rows = to.rows.checked_sub(from.rows)?;
    (bytes < 0xFF_FFFF && rows < 0xFF).then_some((bytes as u32) << 8 | rows as u32)
}

pub(crate) fn unpack(step: u32, from: FileAt) -> FileAt {
    FileAt {
        bytes: from.bytes + u64::from(step >> 8),
        rows: from.rows + u64::from(step & 0xFF),
    }
}

/// An entry written in the background, for the iteration in which that work was started.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Late {
    pub(crate) entry: u32,
    pub(crate) table: u32,
    /// The row, from 0; it may not be complete yet.
    pub(crate) row: u64,
    #[serde(with = "packed::field")]
    pub(crate) value: Value,
}

/// A row of an array with fields.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Patch {
    pub(crate) entry: u32,
    pub(crate) row: u64,
    pub(crate) numbers: Vec<f64>,
}
