//! What a growing file holds, as whoever opens it says it.
//!
//! A [`Layout`] is kept in the record of a run, so that a broken run can find its file again: two equal layouts with
//! the same rows make the same bytes.

use serde::{Deserialize, Serialize};

/// A file: its datasets and what is said about all of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    pub datasets: Vec<Dataset>,
    /// Attributes of the file. `count_calls` is added to them: the number of rows.
    pub attributes: Vec<(String, Attribute)>,
    /// A growing dataset of a single row loses its first dimension when the file is finished.
    pub squeeze: bool,
}

/// A dataset of a growing file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    /// `data/current`: groups and name.
    pub path: String,
    pub element: Element,
    /// Shape of what one row holds; empty for a scalar.
    pub cell: Vec<usize>,
    pub rows: Rows,
    /// Compressed when the file is finished; rows are written as they are, so that each can be read at once.
    pub gzip: bool,
}

/// The numbers that a dataset holds, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Element {
    Int64,
    Float16,
    Float32,
    Float64,
}

/// How a dataset is filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rows {
    /// It grows by one row with each call: shape `(rows, *cell)`.
    Appended,
    /// Its shape is `(*dims, *cell)` from the beginning; it is zero, and calls fill it in C order of `dims`.
    Within(Vec<u64>),
    /// It holds these elements, `cell` in shape and made by [`Element::bytes`]; no row is added to it.
    Constant(Vec<u8>),
}

/// The value of an attribute, as h5py writes and reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Attribute {
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    Texts(Vec<String>),
}
