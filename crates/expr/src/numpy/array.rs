//! What all of numpy's side builds on: an array's elements as a flat slice of the kind that is wanted, and back.
//!
//! Every array made here lies in C order without gaps, so a shape and a flat list of elements say everything; views are
//! deliberately absent (a value never changes, so nobody can tell). Rearranging is [`Array::gather`]: which element of the
//! old array stands at each place of the new one. The count of elements is checked before anything is allocated.

use std::borrow::Cow;
use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};
use num_bigint::BigInt;
use num_complex::Complex64;
use num_traits::ToPrimitive;

use super::kind::{Dtype, Kind};
use super::print;
use crate::error::ErrorKind;
use crate::{Array, Error, Scalar, Value};

/// The most elements that a formula may make: 80 MB of floats.
pub(super) const MOST_ELEMENTS: usize = 10_000_000;
/// numpy's own limit.
pub(super) const MOST_DIMENSIONS: usize = 64;

/// `ValueError: message`.
pub(super) fn value_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::ValueError, message)
}

/// `TypeError: message`.
pub(super) fn type_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::TypeError, message)
}

/// The number of elements of a shape that is about to be made.
pub(super) fn count_of(dims: &[usize]) -> Result<usize, Error> {
    if dims.len() > MOST_DIMENSIONS {
        return Err(value_error(format!(
            "maximum supported dimension for an ndarray is currently {MOST_DIMENSIONS}, found {}",
            dims.len()
        )));
    }
    let mut count = 1_usize;
    for dim in dims.iter().filter(|dim| **dim > 0) {
        count = count
            .checked_mul(*dim)
            .filter(|count| *count <= MOST_ELEMENTS)
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::LimitError,
                    format!(
                        "an array of shape {} has more than 10 million elements",
                        shape_text(dims)
                    ),
                )
            })?;
    }
    Ok(if dims.contains(&0) { 0 } else { count })
}

/// `(2,)`, `(2,3)`: a shape as numpy's error messages write it.
pub(super) fn shape_text(dims: &[usize]) -> String {
    match dims {
        [one] => format!("({one},)"),
        _ => format!(
            "({})",
            dims.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        ),
    }
}

/// The flat elements of an array, in C order.
fn flat<T: Clone>(data: &ArrayD<T>) -> Cow<'_, [T]> {
    match data.as_slice() {
        Some(slice) => Cow::Borrowed(slice),
        None => Cow::Owned(data.iter().cloned().collect()),
    }
}

/// Elements in a shape; the caller has counted them.
fn shaped<T>(dims: &[usize], data: Vec<T>) -> ArrayD<T> {
    ArrayD::from_shape_vec(IxDyn(dims), data).expect("as many elements as the shape says, counted by the caller")
}

fn picked<T: Clone>(data: &ArrayD<T>, dims: &[usize], indices: &[usize]) -> ArrayD<T> {
    let old = flat(data);
    shaped(dims, indices.iter().map(|index| old[*index].clone()).collect())
}

impl Array {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Array::Bool(_) => Kind::Bool,
            Array::Int(_) => Kind::Int,
            Array::Float(_) => Kind::Float,
            Array::Complex(_) => Kind::Complex,
            Array::Str { .. } => Kind::Str,
        }
    }

    pub(super) fn dims(&self) -> &[usize] {
        match self {
            Array::Bool(data) => data.shape(),
            Array::Int(data) => data.shape(),
            Array::Float(data) => data.shape(),
            Array::Complex(data) => data.shape(),
            Array::Str { data, .. } => data.shape(),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.dims().iter().product()
    }

    pub(super) fn of_bools(dims: &[usize], data: Vec<bool>) -> Array {
        Array::Bool(shaped(dims, data))
    }

    pub(super) fn of_ints(dims: &[usize], data: Vec<i64>) -> Array {
        Array::Int(shaped(dims, data))
    }

    pub(super) fn of_floats(dims: &[usize], data: Vec<f64>) -> Array {
        Array::Float(shaped(dims, data))
    }

    pub(super) fn of_complexes(dims: &[usize], data: Vec<Complex64>) -> Array {
        Array::Complex(shaped(dims, data))
    }

    /// Texts, as wide as the longest.
    pub(super) fn of_texts(dims: &[usize], data: Vec<Arc<str>>) -> Array {
        let width = data.iter().map(|text| text.chars().count()).max().unwrap_or(0).max(1);
        Array::Str {
            width,
            data: shaped(dims, data),
        }
    }

    /// Texts of a width that is known, longer ones cut.
    pub(super) fn of_texts_of_width(dims: &[usize], data: Vec<Arc<str>>, width: usize) -> Array {
        let cut = |text: Arc<str>| match text.char_indices().nth(width) {
            Some((end, _)) => Arc::from(&text[..end]),
            None => text,
        };
        Array::Str {
            width,
            data: shaped(dims, data.into_iter().map(cut).collect()),
        }
    }

    /// A zero-dimensional array.
    pub(super) fn of_scalar(scalar: &Scalar) -> Array {
        match scalar {
            Scalar::Bool(flag) => Array::of_bools(&[], vec![*flag]),
            Scalar::Int(number) => Array::of_ints(&[], vec![*number]),
            Scalar::Float(number) => Array::of_floats(&[], vec![*number]),
            Scalar::Complex(number) => Array::of_complexes(&[], vec![*number]),
            Scalar::Str(text) => Array::of_texts(&[], vec![Arc::clone(text)]),
        }
    }

    /// An array full of `value`, of its kind.
    pub(super) fn full(dims: &[usize], value: &Scalar) -> Result<Array, Error> {
        let count = count_of(dims)?;
        Ok(match value {
            Scalar::Bool(flag) => Array::of_bools(dims, vec![*flag; count]),
            Scalar::Int(number) => Array::of_ints(dims, vec![*number; count]),
            Scalar::Float(number) => Array::of_floats(dims, vec![*number; count]),
            Scalar::Complex(number) => Array::of_complexes(dims, vec![*number; count]),
            Scalar::Str(text) => {
                Array::of_texts_of_width(dims, vec![Arc::clone(text); count], text.chars().count().max(1))
            }
        })
    }

    /// What numpy fills new arrays of a kind with: False, 0, 0.0, 0j, ''.
    pub(super) fn zero(kind: Kind) -> Scalar {
        match kind {
            Kind::Bool => Scalar::Bool(false),
            Kind::Int => Scalar::Int(0),
            Kind::Float => Scalar::Float(0.0),
            Kind::Complex => Scalar::Complex(Complex64::new(0.0, 0.0)),
            Kind::Str => Scalar::Str(Arc::from("")),
        }
    }

    /// The truth of every element.
    pub(super) fn bools(&self) -> Cow<'_, [bool]> {
        match self {
            Array::Bool(data) => flat(data),
            Array::Int(data) => data.iter().map(|x| *x != 0).collect(),
            Array::Float(data) => data.iter().map(|x| *x != 0.0).collect(),
            Array::Complex(data) => data.iter().map(|x| x.re != 0.0 || x.im != 0.0).collect(),
            Array::Str { data, .. } => data.iter().map(|x| !x.is_empty()).collect(),
        }
    }

    /// Every element as an int, as C casts; texts are 0 (cast them with [`Array::cast`]).
    pub(super) fn ints(&self) -> Cow<'_, [i64]> {
        match self {
            Array::Bool(data) => data.iter().map(|x| i64::from(*x)).collect(),
            Array::Int(data) => flat(data),
            Array::Float(data) => data.iter().map(|x| truncated(*x)).collect(),
            Array::Complex(data) => data.iter().map(|x| truncated(x.re)).collect(),
            Array::Str { data, .. } => Cow::Owned(vec![0; data.len()]),
        }
    }

    /// Every element as a float; a complex number loses its imaginary part, texts are NaN.
    pub(super) fn floats(&self) -> Cow<'_, [f64]> {
        match self {
            Array::Bool(data) => data.iter().map(|x| f64::from(u8::from(*x))).collect(),
            Array::Int(data) => data.iter().map(|x| *x as f64).collect(),
            Array::Float(data) => flat(data),
            Array::Complex(data) => data.iter().map(|x| x.re).collect(),
            Array::Str { data, .. } => Cow::Owned(vec![f64::NAN; data.len()]),
        }
    }

    pub(super) fn complexes(&self) -> Cow<'_, [Complex64]> {
        match self {
            Array::Complex(data) => flat(data),
            other => other.floats().iter().map(|x| Complex64::new(*x, 0.0)).collect(),
        }
    }

    /// Every element as text: text itself, or `str(element)`.
    pub(super) fn texts(&self) -> Cow<'_, [Arc<str>]> {
        match self {
            Array::Str { data, .. } => flat(data),
            other => (0..other.count())
                .map(|i| Arc::from(print::scalar_str(&other.element(i))))
                .collect(),
        }
    }

    /// The element at a flat index.
    pub(super) fn element(&self, index: usize) -> Scalar {
        match self {
            Array::Bool(data) => Scalar::Bool(flat(data)[index]),
            Array::Int(data) => Scalar::Int(flat(data)[index]),
            Array::Float(data) => Scalar::Float(flat(data)[index]),
            Array::Complex(data) => Scalar::Complex(flat(data)[index]),
            Array::Str { data, .. } => Scalar::Str(Arc::clone(&flat(data)[index])),
        }
    }

    /// Every element, as numpy scalars.
    pub(super) fn elements(&self) -> Vec<Scalar> {
        match self {
            Array::Bool(data) => data.iter().map(|x| Scalar::Bool(*x)).collect(),
            Array::Int(data) => data.iter().map(|x| Scalar::Int(*x)).collect(),
            Array::Float(data) => data.iter().map(|x| Scalar::Float(*x)).collect(),
            Array::Complex(data) => data.iter().map(|x| Scalar::Complex(*x)).collect(),
            Array::Str { data, .. } => data.iter().map(|x| Scalar::Str(Arc::clone(x))).collect(),
        }
    }

    /// The array whose flat element `i` is this array's `indices[i]`; indices are in range.
    pub(super) fn gather(&self, dims: &[usize], indices: &[usize]) -> Array {
        match self {
            Array::Bool(data) => Array::Bool(picked(data, dims, indices)),
            Array::Int(data) => Array::Int(picked(data, dims, indices)),
            Array::Float(data) => Array::Float(picked(data, dims, indices)),
            Array::Complex(data) => Array::Complex(picked(data, dims, indices)),
            Array::Str { width, data } => Array::Str {
                width: *width,
                data: picked(data, dims, indices),
            },
        }
    }

    /// The same elements in another shape of as many.
    pub(super) fn with_dims(&self, dims: &[usize]) -> Array {
        match self {
            Array::Bool(data) => Array::Bool(shaped(dims, flat(data).into_owned())),
            Array::Int(data) => Array::Int(shaped(dims, flat(data).into_owned())),
            Array::Float(data) => Array::Float(shaped(dims, flat(data).into_owned())),
            Array::Complex(data) => Array::Complex(shaped(dims, flat(data).into_owned())),
            Array::Str { width, data } => Array::Str {
                width: *width,
                data: shaped(dims, flat(data).into_owned()),
            },
        }
    }

    /// `array.astype(dtype)`.
    pub(super) fn cast(&self, dtype: impl Into<Dtype>) -> Result<Array, Error> {
        let dtype = dtype.into();
        let dims = self.dims();
        if let Array::Str { data, .. } = self
            && dtype.kind != Kind::Str
        {
            return parsed(data, dims, dtype.kind);
        }
        Ok(match dtype.kind {
            Kind::Bool => Array::of_bools(dims, self.bools().into_owned()),
            Kind::Int => Array::of_ints(dims, self.ints().into_owned()),
            Kind::Float => Array::of_floats(dims, self.floats().into_owned()),
            Kind::Complex => Array::of_complexes(dims, self.complexes().into_owned()),
            Kind::Str => {
                let width = dtype.width.unwrap_or_else(|| self.text_width());
                Array::of_texts_of_width(dims, self.texts().into_owned(), width)
            }
        })
    }

    /// How wide numpy makes the text of this array's elements.
    pub(super) fn text_width(&self) -> usize {
        match self {
            Array::Bool(_) => 5,
            Array::Int(_) => 21,
            Array::Float(_) => 32,
            Array::Complex(_) => 64,
            Array::Str { width, .. } => *width,
        }
    }

    /// The value of an operation: a result without dimensions is a scalar.
    pub(super) fn into_value(self) -> Value {
        if self.dims().is_empty() {
            Value::Scalar(self.element(0))
        } else {
            Value::Array(Arc::new(self))
        }
    }

    /// An array also without dimensions.
    pub(super) fn into_array_value(self) -> Value {
        Value::Array(Arc::new(self))
    }
}

/// `(long) x` as x86-64 does it: everything out of range is the smallest int.
pub(super) fn truncated(x: f64) -> i64 {
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x) {
        x as i64
    } else {
        i64::MIN
    }
}

/// A numpy scalar as Python's own value.
pub(super) fn to_python(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Bool(flag) => Value::Bool(*flag),
        Scalar::Int(number) => Value::Int(*number),
        Scalar::Float(number) => Value::Float(*number),
        Scalar::Complex(number) => Value::Complex(*number),
        Scalar::Str(text) => Value::Str(Arc::clone(text)),
    }
}

/// A big int as the float that Python makes of it.
pub(super) fn big_to_float(number: &BigInt) -> Result<f64, Error> {
    number
        .to_f64()
        .filter(|x| x.is_finite())
        .ok_or_else(|| Error::new(ErrorKind::OverflowError, "int too large to convert to float"))
}

/// A float from text, as Python's `float()` reads it.
pub(super) fn parse_float(text: &str) -> Option<f64> {
    let bare = text.trim();
    let unsigned = bare.strip_prefix(['+', '-']).unwrap_or(bare);
    let word = unsigned.to_ascii_lowercase();
    let plausible = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        || matches!(word.as_str(), "inf" | "infinity" | "nan");
    if plausible {
        bare.replace('_', "").parse().ok()
    } else {
        None
    }
}

fn parsed(data: &ArrayD<Arc<str>>, dims: &[usize], kind: Kind) -> Result<Array, Error> {
    Ok(match kind {
        Kind::Bool => Array::of_bools(dims, data.iter().map(|text| !text.is_empty()).collect()),
        Kind::Int => {
            let read = |text: &Arc<str>| {
                text.trim().parse::<i64>().map_err(|_| {
                    value_error(format!(
                        "invalid literal for int() with base 10: {}",
                        print::quoted(text)
                    ))
                })
            };
            Array::of_ints(dims, data.iter().map(read).collect::<Result<_, _>>()?)
        }
        Kind::Float => {
            let read = |text: &Arc<str>| {
                parse_float(text)
                    .ok_or_else(|| value_error(format!("could not convert string to float: {}", print::quoted(text))))
            };
            Array::of_floats(dims, data.iter().map(read).collect::<Result<_, _>>()?)
        }
        Kind::Complex => {
            let read = |text: &Arc<str>| {
                text.trim_matches(['(', ')'])
                    .parse()
                    .map_err(|_| value_error("complex() arg is a malformed string"))
            };
            Array::of_complexes(dims, data.iter().map(read).collect::<Result<_, _>>()?)
        }
        Kind::Str => Array::of_texts(dims, data.iter().cloned().collect()),
    })
}
