//! `object[index]` for Python's sequences and dicts; arrays are numpy's.

use crate::{Error, ErrorKind, Range, Scalar, Slice, Value};
use crate::{compare, distinct, limits, numpy};

/// `object[index]`.
pub(crate) fn subscript(object: &Value, index: &Value) -> Result<Value, Error> {
    match (object, index) {
        (Value::Scalar(Scalar::Str(text)), _) => subscript(&Value::Str(text.clone()), index),
        (Value::Array(_) | Value::Record(_) | Value::Scalar(_), _) => {
            limits::work(crate::eval::weight(index))?;
            numpy::subscript(object, index)
        }
        (Value::Dict(dict), key) => {
            distinct::hash(key)?;
            limits::work(dict.items.len() / 4)?;
            match dict.items.iter().find(|(other, _)| compare::equal(other, key)) {
                Some((_, value)) => Ok(value.clone()),
                None => {
                    limits::written(key)?;
                    Err(Error::new(ErrorKind::KeyError, key.repr()))
                }
            }
        }
        (Value::List(_) | Value::Tuple(_) | Value::Str(_) | Value::Bytes(_) | Value::Range(_), Value::Slice(slice)) => {
            sliced(object, slice)
        }
        (Value::List(_) | Value::Tuple(_) | Value::Str(_) | Value::Bytes(_) | Value::Range(_), _) => {
            element(object, index)
        }
        _ => {
            let message = format!("'{}' object is not subscriptable", object.type_name());
            Err(Error::new(ErrorKind::TypeError, message))
        }
    }
}

fn element(object: &Value, index: &Value) -> Result<Value, Error> {
    let kind = match object {
        Value::Str(_) => "string",
        Value::Bytes(_) => "index",
        Value::Range(_) => "range object",
        other => other.type_name(),
    };
    if !index.is_integral() && !matches!(index, Value::Array(_)) {
        let message = match object {
            Value::Str(_) => format!("string indices must be integers, not '{}'", index.type_name()),
            Value::Bytes(_) => format!("byte indices must be integers or slices, not {}", index.type_name()),
            other => format!(
                "{} indices must be integers or slices, not {}",
                other.type_name(),
                index.type_name()
            ),
        };
        return Err(Error::new(ErrorKind::TypeError, message));
    }
    let out_of_range = || Error::new(ErrorKind::IndexError, format!("{kind} index out of range"));
    let Some(index) = index.as_i64() else {
        return Err(match index {
            Value::Array(_) => Error::new(
                ErrorKind::TypeError,
                "only integer scalar arrays can be converted to a scalar index",
            ),
            _ => Error::new(ErrorKind::IndexError, "cannot fit 'int' into an index-sized integer"),
        });
    };
    let ascii = matches!(object, Value::Str(text) if text.is_ascii());
    let length = match object {
        Value::Str(text) if ascii => text.len(),
        other => other.len()?,
    };
    let from_end = if index < 0 {
        index.checked_add_unsigned(length as u64).unwrap_or(-1)
    } else {
        index
    };
    let place = usize::try_from(from_end)
        .ok()
        .filter(|place| *place < length)
        .ok_or_else(out_of_range)?;
    Ok(match object {
        Value::List(items) | Value::Tuple(items) => items[place].clone(),
        Value::Bytes(bytes) => Value::Int(i64::from(bytes[place])),
        Value::Range(range) => Value::Int(range.get(place)),
        Value::Str(text) if ascii => Value::str(&text[place..=place]),
        Value::Str(text) => Value::str(text.chars().nth(place).map(String::from).unwrap_or_default()),
        _ => return Err(out_of_range()),
    })
}

/// The places that a slice takes from a sequence, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) start: i64,
    pub(crate) stop: i64,
    pub(crate) step: i64,
    pub(crate) count: usize,
}

/// `slice.indices(length)`.
pub(crate) fn places(slice: &Slice, length: usize) -> Result<Places, Error> {
    let bound = |value: &Value| -> Result<Option<i64>, Error> {
        match value {
            Value::None => Ok(None),
            // What does not fit is beyond any sequence.
            Value::BigInt(big) => Ok(Some(if **big < 0.into() { i64::MIN } else { i64::MAX })),
            other if other.is_integral() => Ok(other.as_i64()),
            _ => {
                let message = "slice indices must be integers or None or have an __index__ method";
                Err(Error::new(ErrorKind::TypeError, message))
            }
        }
    };
    // The smallest step has no opposite.
    let step = bound(&slice.step)?.unwrap_or(1).max(-i64::MAX);
    if step == 0 {
        return Err(Error::new(ErrorKind::ValueError, "slice step cannot be zero"));
    }
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let (lowest, highest) = if step < 0 { (-1, length - 1) } else { (0, length) };
    let clamp = |bound: i64| {
        let bound = if bound < 0 { bound.saturating_add(length) } else { bound };
        bound.clamp(lowest, highest)
    };
    let start = bound(&slice.start)?.map_or(if step < 0 { highest } else { lowest }, clamp);
    let stop = bound(&slice.stop)?.map_or(if step < 0 { lowest } else { highest }, clamp);
    let count = Range { start, stop, step }.len();
    Ok(Places {
        start,
        stop,
        step,
        count,
    })
}

fn sliced(object: &Value, slice: &Slice) -> Result<Value, Error> {
    let places = places(slice, object.len()?)?;
    if let Value::Range(range) = object {
        let at = |place: i64| {
            let value = i128::from(range.start) + i128::from(range.step) * i128::from(place);
            i64::try_from(value).map_err(|_| limits::exceeded("a range beyond 64 bits".to_owned()))
        };
        let step = range
            .step
            .checked_mul(places.step)
            .ok_or_else(|| limits::exceeded("a range beyond 64 bits".into()))?;
        let range = Range {
            start: at(places.start)?,
            stop: at(places.stop)?,
            step,
        };
        return Ok(Value::Range(range.into()));
    }
    limits::elements(places.count)?;
    let taken = Range {
        start: places.start,
        stop: places.stop,
        step: places.step,
    };
    let taken = taken
        .iter()
        .map(|place| usize::try_from(place).expect("a slice is within its sequence"));
    Ok(match object {
        Value::List(items) => Value::list(taken.map(|place| items[place].clone()).collect()),
        Value::Tuple(items) => Value::tuple(taken.map(|place| items[place].clone()).collect()),
        Value::Bytes(bytes) => Value::Bytes(taken.map(|place| bytes[place]).collect()),
        Value::Str(text) if text.is_ascii() => {
            let bytes = text.as_bytes();
            Value::str(taken.map(|place| char::from(bytes[place])).collect::<String>())
        }
        Value::Str(text) => {
            let characters: Vec<char> = text.chars().collect();
            Value::str(taken.map(|place| characters[place]).collect::<String>())
        }
        other => other.clone(),
    })
}
