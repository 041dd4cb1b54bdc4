//! The values that entries hold and formulas compute: Python's, and numpy's with their kind kept.
//!
//! Everything large is behind an `Arc`: a clone costs a count. A number of Python and a scalar of numpy are different
//! values that compare equal, as there: `1.0` divides by zero with an error, `np.float64(1.0)` with infinity.
//! Iterators are absent: what Python computes lazily (`zip`, `map`, a generator, the keys of a dict) is a list here.

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};
use num_bigint::BigInt;
use num_complex::Complex64;
use num_traits::ToPrimitive;
use serde::{Deserialize, Serialize};

use crate::function::Function;
use crate::limits::{self, MAX_ELEMENTS};
use crate::numpy;
use crate::received;
use crate::{Error, ErrorKind};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub enum Value {
    #[default]
    None,
    Bool(bool),
    Int(i64),
    /// An int that does not fit in an `i64`; one that fits is always [`Value::Int`].
    #[serde(deserialize_with = "received::big")]
    BigInt(Arc<BigInt>),
    Float(f64),
    Complex(Complex64),
    Str(Arc<str>),
    Bytes(Arc<[u8]>),
    #[serde(deserialize_with = "received::nested")]
    List(Arc<Vec<Value>>),
    #[serde(deserialize_with = "received::nested")]
    Tuple(Arc<Vec<Value>>),
    #[serde(deserialize_with = "received::nested")]
    Dict(Arc<Dict>),
    #[serde(deserialize_with = "received::nested")]
    Set(Arc<Set>),
    #[serde(deserialize_with = "received::range")]
    Range(Arc<Range>),
    #[serde(deserialize_with = "received::nested")]
    Slice(Arc<Slice>),
    Ellipsis,
    /// A numpy scalar.
    Scalar(Scalar),
    #[serde(deserialize_with = "received::array")]
    Array(Arc<Array>),
    #[serde(deserialize_with = "received::record")]
    Record(Arc<RecordArray>),
    /// A function, a type, or a method of an object.
    Function(Function),
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
    Str {
        width: usize,
        data: ArrayD<Arc<str>>,
    },
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
#[derive(Clone, Debug, Serialize, Deserialize)]
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

impl Value {
    /// A Python str.
    pub fn str(text: impl Into<Arc<str>>) -> Self {
        Value::Str(text.into())
    }

    /// A Python list.
    pub fn list(items: Vec<Value>) -> Self {
        Value::List(Arc::new(items))
    }

    /// A Python tuple.
    pub fn tuple(items: Vec<Value>) -> Self {
        Value::Tuple(Arc::new(items))
    }

    /// A Python int of any size; one that fits becomes [`Value::Int`].
    pub fn int(number: BigInt) -> Self {
        match number.to_i64() {
            Some(small) => Value::Int(small),
            None => Value::BigInt(Arc::new(number)),
        }
    }

    /// The type as a message to a user names it, with dtype and shape of an array: `int`, `numpy.ndarray[float64][2, 3]`.
    pub fn kind(&self) -> String {
        match self {
            Value::Array(array) => {
                let shape: Vec<String> = array.shape().iter().map(usize::to_string).collect();
                format!("numpy.ndarray[{}][{}]", array.dtype(), shape.join(", "))
            }
            Value::Record(record) => {
                let names: Vec<&str> = record.fields.iter().map(|(name, _)| &**name).collect();
                format!("numpy.recarray[{}][{}]", names.join(", "), record.len())
            }
            other => other.type_name().to_owned(),
        }
    }

    /// The name of the class as Python's messages write it.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Value::None => "NoneType",
            Value::Bool(_) => "bool",
            Value::Int(_) | Value::BigInt(_) => "int",
            Value::Float(_) => "float",
            Value::Complex(_) => "complex",
            Value::Str(_) => "str",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "list",
            Value::Tuple(_) => "tuple",
            Value::Dict(_) => "dict",
            Value::Set(_) => "set",
            Value::Range(_) => "range",
            Value::Slice(_) => "slice",
            Value::Ellipsis => "ellipsis",
            Value::Scalar(Scalar::Bool(_)) => "numpy.bool",
            Value::Scalar(Scalar::Int(_)) => "numpy.int64",
            Value::Scalar(Scalar::Float(_)) => "numpy.float64",
            Value::Scalar(Scalar::Complex(_)) => "numpy.complex128",
            Value::Scalar(Scalar::Str(_)) => "numpy.str_",
            Value::Array(_) => "numpy.ndarray",
            Value::Record(_) => "numpy.recarray",
            Value::Function(function) => function.type_name(),
        }
    }

    /// Python's `bool(value)`; an array of several elements is a `ValueError`.
    pub fn truthy(&self) -> Result<bool, Error> {
        Ok(match self {
            Value::None => false,
            Value::Bool(b) => *b,
            Value::Int(i) => *i != 0,
            Value::BigInt(_) => true,
            Value::Float(f) => *f != 0.0,
            Value::Complex(c) => c.re != 0.0 || c.im != 0.0,
            Value::Str(s) => !s.is_empty(),
            Value::Bytes(b) => !b.is_empty(),
            Value::List(items) | Value::Tuple(items) => !items.is_empty(),
            Value::Dict(dict) => !dict.items.is_empty(),
            Value::Set(set) => !set.items.is_empty(),
            Value::Range(range) => !range.is_empty(),
            Value::Slice(_) | Value::Ellipsis | Value::Function(_) => true,
            Value::Scalar(_) | Value::Array(_) | Value::Record(_) => return numpy::truthy(self),
        })
    }

    /// Whether Python's `numbers.Real` holds it: bool, int, float, `np.int64`, `np.float64`, and not `np.bool_`.
    pub fn is_real(&self) -> bool {
        self.is_integral() || matches!(self, Value::Float(_) | Value::Scalar(Scalar::Float(_)))
    }

    /// Whether Python's `numbers.Integral` holds it: bool, int, `np.int64`.
    pub fn is_integral(&self) -> bool {
        matches!(
            self,
            Value::Bool(_) | Value::Int(_) | Value::BigInt(_) | Value::Scalar(Scalar::Int(_))
        )
    }

    /// A real number, or an array of no dimensions that holds one; nothing for text and complex numbers.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Bool(b) | Value::Scalar(Scalar::Bool(b)) => Some(f64::from(u8::from(*b))),
            #[expect(
                clippy::cast_precision_loss,
                reason = "rounding to the nearest float is what Python's float() does"
            )]
            Value::Int(i) | Value::Scalar(Scalar::Int(i)) => Some(*i as f64),
            Value::BigInt(big) => crate::integers::to_f64(big),
            Value::Float(f) | Value::Scalar(Scalar::Float(f)) => Some(*f),
            Value::Array(array) if array.shape().is_empty() => array.first().and_then(|item| item.as_f64()),
            _ => None,
        }
    }

    /// An integer that fits, bool included; nothing for a float, even a whole one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Bool(b) => Some(i64::from(*b)),
            Value::Int(i) | Value::Scalar(Scalar::Int(i)) => Some(*i),
            Value::Array(array) if array.shape().is_empty() => array.first().and_then(|item| item.as_i64()),
            _ => None,
        }
    }

    /// The text of a str or `np.str_`.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) | Value::Scalar(Scalar::Str(text)) => Some(text),
            _ => None,
        }
    }

    /// Python's `len(value)`.
    pub fn len(&self) -> Result<usize, Error> {
        Ok(match self {
            Value::Str(text) | Value::Scalar(Scalar::Str(text)) => text.chars().count(),
            Value::Bytes(bytes) => bytes.len(),
            Value::List(items) | Value::Tuple(items) => items.len(),
            Value::Dict(dict) => dict.items.len(),
            Value::Set(set) => set.items.len(),
            Value::Range(range) => range.len(),
            Value::Record(record) => record.len(),
            Value::Array(array) => match array.shape().first() {
                Some(rows) => *rows,
                None => return Err(Error::new(ErrorKind::TypeError, "len() of unsized object")),
            },
            other => {
                return Err(Error::new(
                    ErrorKind::TypeError,
                    format!("object of type '{}' has no len()", other.type_name()),
                ));
            }
        })
    }

    /// Whether `len(value)` is 0; a value without a length is an error.
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len()? == 0)
    }

    /// Whether a loop can run over the value.
    pub fn is_iterable(&self) -> bool {
        match self {
            Value::Array(array) => !array.shape().is_empty(),
            other => other.len().is_ok(),
        }
    }

    /// The elements that a loop over the value sees: rows or numpy scalars of an array, keys of a dict, characters of a text.
    pub fn iterate(&self) -> Result<Vec<Value>, Error> {
        Ok(match self {
            Value::List(items) | Value::Tuple(items) => items.to_vec(),
            Value::Str(text) | Value::Scalar(Scalar::Str(text)) => characters(text),
            Value::Bytes(bytes) => bytes.iter().map(|byte| Value::Int(i64::from(*byte))).collect(),
            Value::Dict(dict) => dict.items.iter().map(|(key, _)| key.clone()).collect(),
            Value::Set(set) => set.items.clone(),
            Value::Range(range) => {
                if range.len() > MAX_ELEMENTS {
                    return Err(limits::exceeded(format!("more than {MAX_ELEMENTS} elements")));
                }
                range.iter().map(Value::Int).collect()
            }
            Value::Array(_) | Value::Record(_) => return numpy::iterate(self),
            other => {
                let message = format!("'{}' object is not iterable", other.type_name());
                return Err(Error::new(ErrorKind::TypeError, message));
            }
        })
    }

    /// [`Value::iterate`] within an evaluation, counted.
    pub(crate) fn items(&self) -> Result<Vec<Value>, Error> {
        if let Ok(length) = self.len() {
            limits::work(length)?;
            limits::elements(length)?;
        }
        self.iterate()
    }
}

fn characters(text: &str) -> Vec<Value> {
    let mut buffer = [0; 4];
    text.chars().map(|c| Value::str(&*c.encode_utf8(&mut buffer))).collect()
}

impl Range {
    /// The number of elements; more than memory can hold is `usize::MAX`.
    pub fn len(&self) -> usize {
        let (start, stop, step) = (i128::from(self.start), i128::from(self.stop), i128::from(self.step));
        let count = if step > 0 {
            (stop - start + step - 1) / step
        } else {
            (start - stop - step - 1) / -step
        };
        usize::try_from(count.max(0)).unwrap_or(usize::MAX)
    }

    /// Whether a loop over it does nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index`, which is below [`Range::len`].
    pub(crate) fn get(&self, index: usize) -> i64 {
        // Within the bounds of the range, which are `i64`: nothing is cut off.
        (i128::from(self.start) + i128::from(self.step) * index as i128) as i64
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = i64> + '_ {
        (0..self.len()).map(|index| self.get(index))
    }

    pub(crate) fn contains(&self, number: i64) -> bool {
        let offset = i128::from(number) - i128::from(self.start);
        let step = i128::from(self.step);
        offset % step == 0 && offset / step >= 0 && ((offset / step) as u128) < self.len() as u128
    }
}

impl Value {
    /// Sets one row of an array with fields, a number for each field; copies the array only if somebody else holds it.
    ///
    /// # Errors
    /// It is another value, has no such row, or has other fields than float ones.
    pub fn set_row(&mut self, row: usize, numbers: &[f64]) -> Result<(), Error> {
        let refuse = |message: String| Err(Error::new(ErrorKind::ValueError, message));
        let kind = self.kind();
        let Value::Record(record) = self else {
            return refuse(format!("a row can be set in an array with fields only, not in {kind}"));
        };
        if row >= record.len() || numbers.len() != record.fields.len() {
            let (rows, fields) = (record.len(), record.fields.len());
            return refuse(format!(
                "row {row} of {} numbers in an array of {rows} rows of {fields}",
                numbers.len()
            ));
        }
        for ((name, field), number) in Arc::make_mut(record).fields.iter_mut().zip(numbers) {
            match field {
                Array::Float(array) => array[[row]] = *number,
                Array::Bool(_) | Array::Int(_) | Array::Complex(_) | Array::Str { .. } => {
                    return refuse(format!("the field `{name}` holds no floats"));
                }
            }
        }
        Ok(())
    }
}

impl Array {
    /// Lengths along each dimension.
    pub fn shape(&self) -> &[usize] {
        match self {
            Array::Bool(data) => data.shape(),
            Array::Int(data) => data.shape(),
            Array::Float(data) => data.shape(),
            Array::Complex(data) => data.shape(),
            Array::Str { data, .. } => data.shape(),
        }
    }

    /// The number of elements.
    pub fn size(&self) -> usize {
        self.shape().iter().product()
    }

    /// numpy's name of the element type: `float64`, `<U3`.
    pub fn dtype(&self) -> String {
        match self {
            Array::Bool(_) => "bool".into(),
            Array::Int(_) => "int64".into(),
            Array::Float(_) => "float64".into(),
            Array::Complex(_) => "complex128".into(),
            Array::Str { width, .. } => format!("<U{width}"),
        }
    }

    /// The first element as a scalar.
    pub(crate) fn first(&self) -> Option<Value> {
        Some(Value::Scalar(match self {
            Array::Bool(data) => Scalar::Bool(*data.first()?),
            Array::Int(data) => Scalar::Int(*data.first()?),
            Array::Float(data) => Scalar::Float(*data.first()?),
            Array::Complex(data) => Scalar::Complex(*data.first()?),
            Array::Str { data, .. } => Scalar::Str(data.first()?.clone()),
        }))
    }
}

impl RecordArray {
    /// The number of records.
    pub fn len(&self) -> usize {
        self.fields
            .first()
            .map_or(0, |(_, data)| data.shape().first().copied().unwrap_or(0))
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The column called `name`.
    pub fn field(&self, name: &str) -> Option<&Array> {
        self.fields
            .iter()
            .find(|(field, _)| &**field == name)
            .map(|(_, data)| data)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Value::Float(value)
    }
}

impl From<Complex64> for Value {
    fn from(value: Complex64) -> Self {
        Value::Complex(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::str(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::str(value)
    }
}

impl From<Vec<f64>> for Value {
    fn from(values: Vec<f64>) -> Self {
        Array::Float(line(values)).into()
    }
}

impl From<Vec<i64>> for Value {
    fn from(values: Vec<i64>) -> Self {
        Array::Int(line(values)).into()
    }
}

impl From<Vec<bool>> for Value {
    fn from(values: Vec<bool>) -> Self {
        Array::Bool(line(values)).into()
    }
}

impl From<Vec<Complex64>> for Value {
    fn from(values: Vec<Complex64>) -> Self {
        Array::Complex(line(values)).into()
    }
}

impl From<Array> for Value {
    fn from(array: Array) -> Self {
        Value::Array(Arc::new(array))
    }
}

impl From<RecordArray> for Value {
    fn from(record: RecordArray) -> Self {
        Value::Record(Arc::new(record))
    }
}

/// A one-dimensional array.
fn line<T>(values: Vec<T>) -> ArrayD<T> {
    ArrayD::from_shape_vec(IxDyn(&[values.len()]), values).expect("a vector has as many elements as it is long")
}
