//! The values that entries hold and formulas compute: Python's, and numpy's with their kind kept.
//!
//! Everything large is behind an `Arc`: a clone costs a count. A number of Python and a scalar of numpy are different
//! values that compare equal, as there: `1.0` divides by zero with an error, `np.float64(1.0)` with infinity.

use std::sync::Arc;

use ndarray::ArrayD;
use num_bigint::BigInt;
use num_complex::Complex64;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub enum Value {
    #[default]
    None,
    Bool(bool),
    Int(i64),
    /// An int that does not fit in an `i64`; one that fits is always [`Value::Int`].
    BigInt(Arc<BigInt>),
    Float(f64),
    Complex(Complex64),
    Str(Arc<str>),
    Bytes(Arc<[u8]>),
    List(Arc<Vec<Value>>),
    Tuple(Arc<Vec<Value>>),
    Dict(Arc<Dict>),
    Set(Arc<Set>),
    Range(Arc<Range>),
    Slice(Arc<Slice>),
    Ellipsis,
    /// A numpy scalar.
    Scalar(Scalar),
    Array(Arc<Array>),
    Record(Arc<RecordArray>),
}

/// A numpy scalar: `np.bool_`, `np.int64`, `np.float64`, `np.complex128`, `np.str_`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Scalar {
    Bool(bool),
    Int(i64),
    Float(f64),
    Complex(Complex64),
    Str(Arc<str>),
}

/// A numpy array of any shape, zero dimensions included.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Array {
    Bool(ArrayD<bool>),
    Int(ArrayD<i64>),
    Float(ArrayD<f64>),
    Complex(ArrayD<Complex64>),
    /// `<U{width}`; elements are shorter or equal.
    Str { width: usize, data: ArrayD<Arc<str>> },
}

/// A one-dimensional array with named fields, all of the same length, in order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordArray {
    pub fields: Vec<(Arc<str>, Array)>,
}

/// A dict in the order of insertion.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Dict {
    pub items: Vec<(Value, Value)>,
}

/// A set; elements are distinct by Python's equality.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Set {
    pub items: Vec<Value>,
}

/// `range(start, stop, step)`; `step` is never 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    pub start: i64,
    pub stop: i64,
    pub step: i64,
}

/// `start:stop:step` inside a subscript.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Slice {
    pub start: Value,
    pub stop: Value,
    pub step: Value,
}
