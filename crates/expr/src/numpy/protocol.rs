//! What Python itself asks of a value: is it true, what is in it, what do `abs`, `round`, `int` and `float` make of it.

use std::sync::Arc;

use num_bigint::BigInt;
use num_complex::Complex64;
use num_traits::FromPrimitive;

use super::array::{type_error, value_error};
use super::kind::index_of;
use super::operand::{array_of, as_complex, as_float};
use super::print::is_row;
use super::{Arguments, BinaryOp, CompareOp, Function, elementwise, operators, rounding};
use crate::error::ErrorKind;
use crate::{Array, Error, RecordArray, Scalar, Value};

/// Functions of numpy that are Python's own questions.
pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name {
        "isscalar" => |arguments| {
            let call = super::call::Call::bind("isscalar", arguments, "element!")?;
            let scalar = super::operand::scalar_of(call.value("element")).is_some();
            Ok(Value::Bool(
                scalar || matches!(call.value("element"), Value::BigInt(_) | Value::Bytes(_)),
            ))
        },
        _ => return None,
    })
}

/// What a loop over the value sees.
pub(crate) fn iterate(value: &Value) -> Result<Vec<Value>, Error> {
    match value {
        Value::Array(array) => {
            let Some((length, rest)) = array.dims().split_first() else {
                return Err(type_error("iteration over a 0-d array"));
            };
            if rest.is_empty() {
                return Ok(array.elements().into_iter().map(Value::Scalar).collect());
            }
            let size: usize = rest.iter().product();
            let row = |i: usize| {
                array
                    .gather(rest, &(i * size..(i + 1) * size).collect::<Vec<_>>())
                    .into_array_value()
            };
            Ok((0..*length).map(row).collect())
        }
        Value::Record(record) if is_row(record) => Ok(record
            .fields
            .iter()
            .map(|(_, cell)| Value::Scalar(cell.element(0)))
            .collect()),
        Value::Record(record) => Ok(rows(record)),
        Value::Scalar(Scalar::Str(text)) => Ok(text.chars().map(|c| Value::str(c.to_string())).collect()),
        other => Err(type_error(format!("'{}' object is not iterable", other.type_name()))),
    }
}

fn rows(record: &RecordArray) -> Vec<Value> {
    let count = record.fields.first().map_or(0, |(_, column)| column.count());
    let row = |i: usize| {
        let cell = |(name, column): &(Arc<str>, Array)| (Arc::clone(name), Array::of_scalar(&column.element(i)));
        Value::Record(Arc::new(RecordArray {
            fields: record.fields.iter().map(cell).collect(),
        }))
    };
    (0..count).map(row).collect()
}

/// `bool(value)`.
#[inline]
pub(crate) fn truthy(value: &Value) -> Result<bool, Error> {
    match value {
        Value::Scalar(Scalar::Bool(flag)) => Ok(*flag),
        Value::Scalar(scalar) => Ok(Array::of_scalar(scalar).bools()[0]),
        Value::Array(array) => match array.count() {
            0 => Err(value_error(
                "The truth value of an empty array is ambiguous. Use `array.size > 0` to check that an array is not empty.",
            )),
            1 => Ok(array.bools()[0]),
            _ => Err(value_error(
                "The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()",
            )),
        },
        Value::Record(record) if record.fields.first().is_none_or(|(_, column)| column.count() == 1) => Ok(true),
        _ => Err(value_error(
            "The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()",
        )),
    }
}

/// `item in container`.
pub(crate) fn contains(container: &Value, item: &Value) -> Result<bool, Error> {
    match container {
        Value::Array(_) => match operators::compare(CompareOp::Eq, container, item)? {
            Value::Array(equal) => Ok(equal.bools().contains(&true)),
            Value::Scalar(Scalar::Bool(equal)) => Ok(equal),
            _ => Ok(false),
        },
        Value::Scalar(Scalar::Str(text)) => match item.as_str() {
            Some(part) => Ok(text.contains(part)),
            None => Err(type_error(format!(
                "'in <string>' requires string as left operand, not {}",
                item.type_name()
            ))),
        },
        Value::Record(_) => Err(Error::new(
            ErrorKind::NotSupported,
            "`in` on a record array; take one of its fields",
        )),
        other => Err(type_error(format!(
            "argument of type '{}' is not iterable",
            other.type_name()
        ))),
    }
}

/// Python's builtin `name` where its first argument is numpy's; `None` where the language does it.
pub(crate) fn builtin(name: &str, arguments: &Arguments) -> Option<Result<Value, Error>> {
    let (first, rest) = arguments.positional.split_first()?;
    if !super::is_numpy(first) || (!arguments.keywords.is_empty() && name != "round") {
        return None;
    }
    let text = matches!(first, Value::Scalar(Scalar::Str(_)));
    Some(match (name, rest) {
        ("abs", []) => match array_of(first) {
            Ok(array) if !text => elementwise::magnitude(&array).map(Array::into_value),
            Ok(_) => Err(type_error("bad operand type for abs(): 'numpy.str_'")),
            Err(error) => Err(error),
        },
        ("round", []) => {
            let digits = arguments
                .keywords
                .iter()
                .find(|(name, _)| &**name == "ndigits")
                .map(|(_, value)| value);
            round(first, digits.filter(|value| !matches!(value, Value::None)))
        }
        ("round", [Value::None]) => round(first, None),
        ("round", [digits]) => round(first, Some(digits)),
        ("int", []) if !text => single(first).and_then(|scalar| to_int(&scalar)),
        ("float", []) if !text => single(first).map(|scalar| Value::Float(as_float(&scalar))),
        ("complex", []) if !text => single(first).map(|scalar| Value::Complex(as_complex(&scalar))),
        ("complex", [im]) if !text => single(first).and_then(|re| {
            let im = single(im)?;
            Ok(Value::Complex(
                as_complex(&re) + Complex64::new(0.0, 1.0) * as_complex(&im),
            ))
        }),
        ("bool", []) => truthy(first).map(Value::Bool),
        ("len", []) => first.len().map(|length| Value::Int(length as i64)),
        ("divmod", [other]) => elementwise::divmod(first, other),
        ("pow", [exponent]) => operators::binary(BinaryOp::Pow, first, exponent),
        ("pow", [exponent, modulus]) => Err(type_error(format!(
            "unsupported operand type(s) for ** or pow(): '{}', '{}', '{}'",
            first.type_name(),
            exponent.type_name(),
            modulus.type_name()
        ))),
        _ => return None,
    })
}

/// The one element that Python can make a number of.
fn single(value: &Value) -> Result<Scalar, Error> {
    let array = array_of(value)?;
    if !array.dims().is_empty() {
        return Err(type_error(
            "only 0-dimensional arrays can be converted to Python scalars",
        ));
    }
    let element = array.element(0);
    if let Scalar::Str(text) = &element {
        let number = super::array::parse_float(text).ok_or_else(|| {
            value_error(format!(
                "could not convert string to float: {}",
                super::print::quoted(text)
            ))
        })?;
        return Ok(Scalar::Float(number));
    }
    Ok(element)
}

/// `int(scalar)`, of any size.
fn to_int(scalar: &Scalar) -> Result<Value, Error> {
    let x = match scalar {
        Scalar::Int(number) => return Ok(Value::Int(*number)),
        other => as_float(other),
    };
    if x.is_nan() {
        return Err(value_error("cannot convert float NaN to integer"));
    }
    BigInt::from_f64(x.trunc())
        .map(Value::int)
        .ok_or_else(|| Error::new(ErrorKind::OverflowError, "cannot convert float infinity to integer"))
}

fn round(value: &Value, digits: Option<&Value>) -> Result<Value, Error> {
    match (value, digits) {
        (Value::Scalar(scalar @ (Scalar::Float(_) | Scalar::Int(_))), Some(digits)) => {
            let rounded = rounding::rounded(&Array::of_scalar(scalar), index_of(digits)?)?;
            Ok(rounded.into_value())
        }
        (Value::Scalar(Scalar::Int(number)), None) => Ok(Value::Int(*number)),
        (Value::Scalar(Scalar::Float(x)), None) => to_int(&Scalar::Float(x.round_ties_even())),
        (other, _) => {
            let name = if matches!(other, Value::Array(_)) {
                "numpy.ndarray"
            } else {
                other.type_name()
            };
            Err(type_error(format!("type {name} doesn't define __round__ method")))
        }
    }
}
