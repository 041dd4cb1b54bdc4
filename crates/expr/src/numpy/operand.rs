//! A value as an array: what `np.asarray` makes of numbers, texts, and lists of lists.
//!
//! Deliberately absent: arrays of objects. Where numpy would make one, the value is refused by name.

use std::borrow::Cow;
use std::sync::Arc;

use num_complex::Complex64;

use super::array::{big_to_float, count_of, value_error};
use super::kind::{Kind, kind_of};
use super::print;
use crate::error::ErrorKind;
use crate::{Array, Error, Scalar, Value};

/// The array that numpy makes of a value; an array is borrowed.
pub(super) fn array_of(value: &Value) -> Result<Cow<'_, Array>, Error> {
    match value {
        Value::Array(array) => Ok(Cow::Borrowed(array)),
        Value::Scalar(scalar) => Ok(Cow::Owned(Array::of_scalar(scalar))),
        Value::Bool(flag) => Ok(Cow::Owned(Array::of_bools(&[], vec![*flag]))),
        Value::Int(number) => Ok(Cow::Owned(Array::of_ints(&[], vec![*number]))),
        Value::Float(number) => Ok(Cow::Owned(Array::of_floats(&[], vec![*number]))),
        Value::Complex(number) => Ok(Cow::Owned(Array::of_complexes(&[], vec![*number]))),
        Value::Str(text) => Ok(Cow::Owned(Array::of_texts(&[], vec![Arc::clone(text)]))),
        Value::List(_) | Value::Tuple(_) | Value::Range(_) => nested(value).map(Cow::Owned),
        other => Err(no_array(other)),
    }
}

/// A value as a numpy scalar, where it is a single one.
pub(super) fn scalar_of(value: &Value) -> Option<Scalar> {
    Some(match value {
        Value::Scalar(scalar) => scalar.clone(),
        Value::Bool(flag) => Scalar::Bool(*flag),
        Value::Int(number) => Scalar::Int(*number),
        Value::Float(number) => Scalar::Float(*number),
        Value::Complex(number) => Scalar::Complex(*number),
        Value::Str(text) => Scalar::Str(Arc::clone(text)),
        _ => return None,
    })
}

/// The values of a sequence, one level deep; `None` for what is no sequence.
pub(super) fn items_of(value: &Value) -> Option<Cow<'_, [Value]>> {
    match value {
        Value::List(items) | Value::Tuple(items) => Some(Cow::Borrowed(items)),
        Value::Range(range) => {
            let span = if range.step > 0 {
                i128::from(range.stop) - i128::from(range.start)
            } else {
                i128::from(range.start) - i128::from(range.stop)
            };
            let step = i128::from(range.step).abs().max(1);
            let count = usize::try_from(((span + step - 1) / step).max(0)).ok()?;
            count_of(&[count]).ok()?;
            let at = |i: i64| Value::Int(range.start.wrapping_add(range.step.wrapping_mul(i)));
            Some(Cow::Owned((0..i64::try_from(count).ok()?).map(at).collect()))
        }
        _ => None,
    }
}

fn no_array(value: &Value) -> Error {
    let what = match value {
        Value::Record(_) => "a record array where a plain array is meant; take one of its fields",
        Value::BigInt(_) => "an int beyond int64 in an array",
        Value::Bytes(_) => "arrays of bytes",
        _ => {
            return Error::new(
                ErrorKind::NotSupported,
                format!("arrays of objects (`{}`)", value.type_name()),
            );
        }
    };
    Error::new(ErrorKind::NotSupported, what)
}

/// The shape of nested sequences and their leaves, in C order.
struct Leaves {
    dims: Vec<usize>,
    flat: Vec<Scalar>,
    /// The room that numpy keeps for the text of what is already numpy's.
    room: usize,
}

fn nested(value: &Value) -> Result<Array, Error> {
    let Leaves { dims, flat, .. } = leaves(value)?;
    Ok(of_elements(&dims, flat))
}

fn leaves(value: &Value) -> Result<Leaves, Error> {
    let mut dims = Vec::new();
    find_dims(value, &mut dims)?;
    count_of(&dims)?;
    let mut leaves = Leaves {
        dims,
        flat: Vec::new(),
        room: 0,
    };
    collect(value, 0, &mut leaves)?;
    Ok(leaves)
}

/// `np.array(value, dtype=str)`: the text of each element as it stands, an int among floats included.
pub(super) fn texts_of(value: &Value) -> Result<Array, Error> {
    let Leaves { dims, flat, room } = leaves(value)?;
    let texts: Vec<Arc<str>> = flat.iter().map(|x| Arc::from(print::scalar_str(x))).collect();
    let widest = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    Ok(Array::of_texts_of_width(&dims, texts, widest.max(room).max(1)))
}

/// `np.array(value, dtype=…)` of Python's own numbers: what does not fit is an error, unlike in a cast of an array.
pub(super) fn checked(value: &Value, kind: Kind) -> Result<(), Error> {
    if matches!(value, Value::Array(_) | Value::Record(_)) || !matches!(kind, Kind::Int | Kind::Float) {
        return Ok(());
    }
    for x in &leaves(value)?.flat {
        match (x, kind) {
            (Scalar::Complex(_), Kind::Int) => {
                return Err(super::array::type_error(
                    "int() argument must be a string, a bytes-like object or a real number, not 'complex'",
                ));
            }
            (Scalar::Complex(_), _) => {
                return Err(super::array::type_error(
                    "float() argument must be a string or a real number, not 'complex'",
                ));
            }
            (Scalar::Float(x), Kind::Int) if x.is_nan() => {
                return Err(value_error("cannot convert float NaN to integer"));
            }
            (Scalar::Float(x), Kind::Int) if x.is_infinite() => {
                return Err(Error::new(
                    ErrorKind::OverflowError,
                    "cannot convert float infinity to integer",
                ));
            }
            (Scalar::Float(x), Kind::Int) if x.abs() >= 9.3e18 => {
                return Err(Error::new(
                    ErrorKind::OverflowError,
                    "Python int too large to convert to C long",
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The shape along the first elements; [`collect`] finds out whether the rest agrees.
fn find_dims(value: &Value, dims: &mut Vec<usize>) -> Result<(), Error> {
    if dims.len() > super::array::MOST_DIMENSIONS {
        return Err(Error::new(
            ErrorKind::NotSupported,
            "arrays of objects (nested too deeply)",
        ));
    }
    if let Value::Array(array) = value {
        dims.extend_from_slice(array.dims());
        return Ok(());
    }
    if let Value::Range(_) = value
        && items_of(value).is_none()
    {
        return Err(Error::new(
            ErrorKind::LimitError,
            "the range has more than 10 million elements",
        ));
    }
    let Some(items) = items_of(value) else { return Ok(()) };
    dims.push(items.len());
    match items.first() {
        Some(first) => find_dims(first, dims),
        None => Ok(()),
    }
}

fn collect(value: &Value, depth: usize, leaves: &mut Leaves) -> Result<(), Error> {
    if let Value::Array(array) = value {
        if array.dims() != &leaves.dims[depth.min(leaves.dims.len())..] {
            return Err(ragged(leaves, depth));
        }
        leaves.room = leaves.room.max(array.text_width());
        leaves.flat.extend(array.elements());
        return Ok(());
    }
    if let Some(items) = items_of(value) {
        if depth >= leaves.dims.len() || leaves.dims[depth] != items.len() {
            return Err(ragged(leaves, depth));
        }
        return items.iter().try_for_each(|item| collect(item, depth + 1, leaves));
    }
    if depth != leaves.dims.len() {
        return Err(ragged(leaves, depth));
    }
    let leaf = scalar_of(value).ok_or_else(|| no_array(value))?;
    if let Value::Scalar(scalar) = value {
        leaves.room = leaves.room.max(Array::of_scalar(scalar).text_width());
    }
    leaves.flat.push(leaf);
    Ok(())
}

fn ragged(leaves: &Leaves, depth: usize) -> Error {
    let known = &leaves.dims[..depth.min(leaves.dims.len())];
    let text = match known {
        [one] => format!("({one},)"),
        _ => format!(
            "({})",
            known.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        ),
    };
    value_error(format!(
        "setting an array element with a sequence. The requested array has an inhomogeneous shape after {} dimensions. The detected shape was {text} + inhomogeneous part.",
        known.len()
    ))
}

/// Elements of any kinds as an array of the kind that holds them all; of no elements, floats.
pub(super) fn of_elements(dims: &[usize], flat: Vec<Scalar>) -> Array {
    let kind_of_scalar = |scalar: &Scalar| kind_of(&Value::Scalar(scalar.clone())).expect("a scalar has a kind");
    match flat.iter().map(kind_of_scalar).max().unwrap_or(Kind::Float) {
        Kind::Bool => Array::of_bools(dims, flat.iter().map(|x| matches!(x, Scalar::Bool(true))).collect()),
        Kind::Int => Array::of_ints(dims, flat.iter().map(as_int).collect()),
        Kind::Float => Array::of_floats(dims, flat.iter().map(as_float).collect()),
        Kind::Complex => Array::of_complexes(dims, flat.iter().map(as_complex).collect()),
        Kind::Str => {
            // numpy reserves for a number the room that its kind can need.
            let width = |x: &Scalar| match x {
                Scalar::Str(text) => text.chars().count(),
                other => Array::of_scalar(other).text_width(),
            };
            let widest = flat.iter().map(width).max().unwrap_or(1).max(1);
            let texts = flat.iter().map(|x| Arc::from(print::scalar_str(x))).collect();
            Array::of_texts_of_width(dims, texts, widest)
        }
    }
}

pub(super) fn as_int(x: &Scalar) -> i64 {
    match x {
        Scalar::Bool(flag) => i64::from(*flag),
        Scalar::Int(number) => *number,
        Scalar::Float(number) => super::array::truncated(*number),
        Scalar::Complex(number) => super::array::truncated(number.re),
        Scalar::Str(_) => 0,
    }
}

pub(super) fn as_float(x: &Scalar) -> f64 {
    match x {
        Scalar::Bool(flag) => f64::from(u8::from(*flag)),
        Scalar::Int(number) => *number as f64,
        Scalar::Float(number) => *number,
        Scalar::Complex(number) => number.re,
        Scalar::Str(_) => f64::NAN,
    }
}

pub(super) fn as_complex(x: &Scalar) -> Complex64 {
    match x {
        Scalar::Complex(number) => *number,
        other => Complex64::new(as_float(other), 0.0),
    }
}

/// A number as a float where Python would take one; big ints too.
pub(super) fn float_of(value: &Value) -> Result<f64, Error> {
    match value {
        Value::BigInt(number) => big_to_float(number),
        Value::Array(array) if array.dims().is_empty() && array.kind() < Kind::Complex => Ok(array.floats()[0]),
        other => match scalar_of(other) {
            Some(scalar) if !matches!(scalar, Scalar::Str(_) | Scalar::Complex(_)) => Ok(as_float(&scalar)),
            _ => Err(super::array::type_error(format!(
                "must be real number, not {}",
                other.type_name()
            ))),
        },
    }
}
