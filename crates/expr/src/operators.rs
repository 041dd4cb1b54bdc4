//! Binary and unary operators: numbers first and short, then what Python's other types do with `+ * % | & - ^`.
//!
//! Where an operand is numpy's, numpy decides; only plain arithmetic on `np.float64` is done here, because loops over
//! arrays of set points are made of it.

use std::sync::Arc;

use num_complex::Complex64;

use crate::numpy::{self, BinaryOp, UnaryOp};
use crate::{Dict, Error, ErrorKind, Scalar, Set, Value};
use crate::{compare, complex, distinct, floats, integers, limits, text};

/// `left op right`.
#[inline]
pub(crate) fn binary(operator: BinaryOp, left: &Value, right: &Value) -> Result<Value, Error> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "an int beside a float is rounded to a float, as Python does"
    )]
    match (left, right) {
        (Value::Float(a), Value::Float(b)) => float(operator, *a, *b),
        (Value::Int(a), Value::Int(b)) => int(operator, *a, *b),
        (Value::Float(a), Value::Int(b)) => float(operator, *a, *b as f64),
        (Value::Int(a), Value::Float(b)) => float(operator, *a as f64, *b),
        (Value::Scalar(Scalar::Float(a)), Value::Float(b) | Value::Scalar(Scalar::Float(b)))
        | (Value::Float(a), Value::Scalar(Scalar::Float(b))) => numpy_float(operator, *a, *b, left, right),
        (Value::Scalar(Scalar::Float(a)), Value::Int(b)) => numpy_float(operator, *a, *b as f64, left, right),
        (Value::Int(a), Value::Scalar(Scalar::Float(b))) => numpy_float(operator, *a as f64, *b, left, right),
        _ => general(operator, left, right),
    }
}

#[inline]
fn numpy_float(operator: BinaryOp, a: f64, b: f64, left: &Value, right: &Value) -> Result<Value, Error> {
    let result = match operator {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a / b,
        BinaryOp::Pow => a.powf(b),
        _ => return numpy::binary(operator, left, right),
    };
    Ok(Value::Scalar(Scalar::Float(result)))
}

#[inline]
fn float(operator: BinaryOp, a: f64, b: f64) -> Result<Value, Error> {
    let by_zero = |message: &str| Err(Error::new(ErrorKind::ZeroDivisionError, message));
    Ok(Value::Float(match operator {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div if b == 0.0 => return by_zero("float division by zero"),
        BinaryOp::Div => a / b,
        BinaryOp::FloorDiv if b == 0.0 => return by_zero("float floor division by zero"),
        BinaryOp::FloorDiv => floats::divide(a, b).0,
        BinaryOp::Mod if b == 0.0 => return by_zero("float modulo"),
        BinaryOp::Mod => floats::modulo(a, b),
        BinaryOp::Pow => return floats::power(a, b),
        BinaryOp::MatMul
        | BinaryOp::BitAnd
        | BinaryOp::BitOr
        | BinaryOp::BitXor
        | BinaryOp::LeftShift
        | BinaryOp::RightShift => return Err(unsupported(operator, &Value::Float(a), &Value::Float(b))),
    }))
}

#[inline]
fn int(operator: BinaryOp, a: i64, b: i64) -> Result<Value, Error> {
    let short = match operator {
        BinaryOp::Add => a.checked_add(b),
        BinaryOp::Sub => a.checked_sub(b),
        BinaryOp::Mul => a.checked_mul(b),
        BinaryOp::Div => return divide(a, b),
        BinaryOp::FloorDiv => floor_divide(a, b),
        BinaryOp::Mod if b != 0 && b != -1 => {
            let rest = a % b;
            Some(if rest != 0 && (rest < 0) != (b < 0) {
                rest + b
            } else {
                rest
            })
        }
        BinaryOp::Pow => u32::try_from(b).ok().and_then(|exponent| a.checked_pow(exponent)),
        BinaryOp::BitAnd => Some(a & b),
        BinaryOp::BitOr => Some(a | b),
        BinaryOp::BitXor => Some(a ^ b),
        BinaryOp::RightShift if b >= 0 => Some(a >> b.min(63)),
        BinaryOp::Mod | BinaryOp::LeftShift | BinaryOp::RightShift | BinaryOp::MatMul => None,
    };
    match short {
        Some(result) => Ok(Value::Int(result)),
        None => integers::binary(operator, &a.into(), &b.into()),
    }
}

fn floor_divide(a: i64, b: i64) -> Option<i64> {
    let quotient = a.checked_div(b)?;
    Some(if a % b != 0 && (a < 0) != (b < 0) {
        quotient - 1
    } else {
        quotient
    })
}

fn divide(a: i64, b: i64) -> Result<Value, Error> {
    /// Below it every int is a float.
    const EXACT: u64 = 1 << 53;
    if b != 0 && a.unsigned_abs() <= EXACT && b.unsigned_abs() <= EXACT {
        #[expect(clippy::cast_precision_loss, reason = "both are exact")]
        return Ok(Value::Float(a as f64 / b as f64));
    }
    integers::true_divide(&a.into(), &b.into()).map(Value::Float)
}

#[inline(never)]
fn general(operator: BinaryOp, left: &Value, right: &Value) -> Result<Value, Error> {
    // `'%s' % array` is formatting, and repeating a list by a numpy integer is Python's too.
    if let (BinaryOp::Mod, Value::Str(format)) = (operator, left) {
        return text::percent::format(format, right).map(Value::from);
    }
    if numpy::is_numpy(left) || numpy::is_numpy(right) {
        if let (BinaryOp::Mul, Some(repeated)) = (operator, repetition(left, right)) {
            return repeated;
        }
        if let (Value::Complex(a), Value::Scalar(Scalar::Float(b))) = (left, right) {
            // `np.float64` is a float: `complex` itself takes it.
            if let Some(result) = complex_binary(operator, *a, Complex64::new(*b, 0.0)) {
                return result;
            }
        }
        limits::work(crate::eval::weight(left) + crate::eval::weight(right))?;
        return numpy::binary(operator, left, right);
    }
    if let (Some(a), Some(b)) = (integers::integer(left), integers::integer(right)) {
        if let (Value::Bool(a), Value::Bool(b)) = (left, right) {
            match operator {
                BinaryOp::BitAnd => return Ok(Value::Bool(*a & *b)),
                BinaryOp::BitOr => return Ok(Value::Bool(*a | *b)),
                BinaryOp::BitXor => return Ok(Value::Bool(*a ^ *b)),
                _ => {}
            }
        }
        return match (left.as_i64(), right.as_i64()) {
            (Some(a), Some(b)) => int(operator, a, b),
            _ => integers::binary(operator, &a, &b),
        };
    }
    let is_real = |value: &Value| value.is_real();
    if is_real(left) && is_real(right) {
        return match operator {
            BinaryOp::Add
            | BinaryOp::Sub
            | BinaryOp::Mul
            | BinaryOp::Div
            | BinaryOp::FloorDiv
            | BinaryOp::Mod
            | BinaryOp::Pow => float(operator, real(left)?, real(right)?),
            _ => Err(unsupported(operator, left, right)),
        };
    }
    if let (Some(a), Some(b)) = (complex_of(left), complex_of(right)) {
        return complex_binary(operator, a?, b?).unwrap_or_else(|| Err(unsupported(operator, left, right)));
    }
    match operator {
        BinaryOp::Add => concatenate(left, right),
        BinaryOp::Mul => repetition(left, right).unwrap_or_else(|| Err(unsupported(operator, left, right))),
        BinaryOp::BitOr | BinaryOp::BitAnd | BinaryOp::BitXor | BinaryOp::Sub => sets(operator, left, right),
        _ => Err(unsupported(operator, left, right)),
    }
}

fn real(value: &Value) -> Result<f64, Error> {
    match value {
        Value::BigInt(big) => integers::to_float(big),
        other => Ok(other.as_f64().unwrap_or(f64::NAN)),
    }
}

/// The number as a complex one, if it is a number of Python.
fn complex_of(value: &Value) -> Option<Result<Complex64, Error>> {
    match value {
        Value::Complex(number) => Some(Ok(*number)),
        Value::Bool(_) | Value::Int(_) | Value::BigInt(_) | Value::Float(_) => {
            Some(real(value).map(|re| Complex64::new(re, 0.0)))
        }
        _ => None,
    }
}

fn complex_binary(operator: BinaryOp, a: Complex64, b: Complex64) -> Option<Result<Value, Error>> {
    let result = match operator {
        BinaryOp::Add => Ok(a + b),
        BinaryOp::Sub => Ok(a - b),
        BinaryOp::Mul => Ok(complex::multiply(a, b)),
        BinaryOp::Div => complex::divide(a, b),
        BinaryOp::Pow => complex::power(a, b),
        _ => return None,
    };
    Some(result.map(Value::Complex))
}

fn concatenate(left: &Value, right: &Value) -> Result<Value, Error> {
    match (left, right) {
        (Value::Str(a), Value::Str(b)) => {
            limits::elements(a.len() + b.len())?;
            Ok(Value::str([&**a, &**b].concat()))
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            limits::elements(a.len() + b.len())?;
            Ok(Value::Bytes([&**a, &**b].concat().into()))
        }
        (Value::List(a), Value::List(b)) => {
            limits::elements(a.len() + b.len())?;
            Ok(Value::list([&***a, &***b].concat()))
        }
        (Value::Tuple(a), Value::Tuple(b)) => {
            limits::elements(a.len() + b.len())?;
            Ok(Value::tuple([&***a, &***b].concat()))
        }
        (Value::Str(_), _) => {
            let message = format!("can only concatenate str (not \"{}\") to str", right.type_name());
            Err(Error::new(ErrorKind::TypeError, message))
        }
        (Value::List(_) | Value::Tuple(_), _) => {
            let kind = left.type_name();
            let message = format!("can only concatenate {kind} (not \"{}\") to {kind}", right.type_name());
            Err(Error::new(ErrorKind::TypeError, message))
        }
        _ => Err(unsupported(BinaryOp::Add, left, right)),
    }
}

/// `sequence * count` or `count * sequence`; none if neither is a sequence.
fn repetition(left: &Value, right: &Value) -> Option<Result<Value, Error>> {
    let is_sequence = |value: &Value| {
        matches!(
            value,
            Value::Str(_) | Value::Scalar(Scalar::Str(_)) | Value::Bytes(_) | Value::List(_) | Value::Tuple(_)
        )
    };
    let is_count = |value: &Value| !numpy::is_numpy(value) || matches!(value, Value::Scalar(Scalar::Int(_)));
    let (sequence, count) = match (is_sequence(left), is_sequence(right)) {
        (true, _) if is_count(right) => (left, right),
        (false, true) if is_count(left) => (right, left),
        _ => return None,
    };
    if !count.is_integral() {
        let message = format!("can't multiply sequence by non-int of type '{}'", count.type_name());
        return Some(Err(Error::new(ErrorKind::TypeError, message)));
    }
    let count = match count.as_i64() {
        Some(count) => usize::try_from(count).unwrap_or(0),
        None => {
            let message = "cannot fit 'int' into an index-sized integer";
            return Some(Err(Error::new(ErrorKind::OverflowError, message)));
        }
    };
    Some(repeat(sequence, count))
}

fn repeat(sequence: &Value, count: usize) -> Result<Value, Error> {
    let length = match sequence {
        Value::Str(text) | Value::Scalar(Scalar::Str(text)) => text.len(),
        other => other.len()?,
    };
    limits::elements(length.saturating_mul(count))?;
    let count = if length == 0 { 0 } else { count };
    Ok(match sequence {
        Value::Str(text) | Value::Scalar(Scalar::Str(text)) => Value::str(text.repeat(count)),
        Value::Bytes(bytes) => Value::Bytes(bytes.repeat(count).into()),
        Value::List(items) => Value::list(repeated(items, count)),
        Value::Tuple(items) => Value::tuple(repeated(items, count)),
        other => other.clone(),
    })
}

fn repeated(items: &[Value], count: usize) -> Vec<Value> {
    std::iter::repeat_n(items, count).flatten().cloned().collect()
}

fn sets(operator: BinaryOp, left: &Value, right: &Value) -> Result<Value, Error> {
    match (left, right) {
        (Value::Set(a), Value::Set(b)) => {
            limits::work((a.items.len() + b.items.len()) * 2)?;
            limits::elements(a.items.len() + b.items.len())?;
            let items = match operator {
                BinaryOp::BitAnd => distinct::common(&a.items, &b.items, true)?,
                BinaryOp::Sub => distinct::common(&a.items, &b.items, false)?,
                BinaryOp::BitOr => [a.items.clone(), distinct::common(&b.items, &a.items, false)?].concat(),
                _ => [
                    distinct::common(&a.items, &b.items, false)?,
                    distinct::common(&b.items, &a.items, false)?,
                ]
                .concat(),
            };
            Ok(Value::Set(Arc::new(Set { items })))
        }
        (Value::Dict(a), Value::Dict(b)) if operator == BinaryOp::BitOr => {
            limits::elements(a.items.len() + b.items.len())?;
            let items = distinct::keyed([&*a.items, &*b.items].concat())?;
            Ok(Value::Dict(Arc::new(Dict { items })))
        }
        _ => Err(unsupported(operator, left, right)),
    }
}

fn unsupported(operator: BinaryOp, left: &Value, right: &Value) -> Error {
    let sign = match operator {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::FloorDiv => "//",
        BinaryOp::Mod => "%",
        BinaryOp::Pow => "** or pow()",
        BinaryOp::MatMul => "@",
        BinaryOp::BitAnd => "&",
        BinaryOp::BitOr => "|",
        BinaryOp::BitXor => "^",
        BinaryOp::LeftShift => "<<",
        BinaryOp::RightShift => ">>",
    };
    let message = format!(
        "unsupported operand type(s) for {sign}: '{}' and '{}'",
        left.type_name(),
        right.type_name()
    );
    Error::new(ErrorKind::TypeError, message)
}

/// `op value`.
pub(crate) fn unary(operator: UnaryOp, value: &Value) -> Result<Value, Error> {
    match (operator, value) {
        (UnaryOp::Neg, Value::Float(number)) => Ok(Value::Float(-number)),
        (UnaryOp::Neg, Value::Complex(number)) => Ok(Value::Complex(-number)),
        (UnaryOp::Pos, Value::Float(_) | Value::Complex(_)) => Ok(value.clone()),
        (_, Value::Scalar(_) | Value::Array(_) | Value::Record(_)) => {
            limits::work(crate::eval::weight(value))?;
            numpy::unary(operator, value)
        }
        _ => {
            let Some(number) = integers::integer(value) else {
                let sign = match operator {
                    UnaryOp::Neg => "-",
                    UnaryOp::Pos => "+",
                    UnaryOp::Invert => "~",
                };
                let message = format!("bad operand type for unary {sign}: '{}'", value.type_name());
                return Err(Error::new(ErrorKind::TypeError, message));
            };
            Ok(Value::int(match operator {
                UnaryOp::Neg => -number.into_owned(),
                UnaryOp::Pos => number.into_owned(),
                UnaryOp::Invert => !number.into_owned(),
            }))
        }
    }
}

/// `item in container`.
pub(crate) fn contains(container: &Value, item: &Value) -> Result<bool, Error> {
    limits::work(container.len().unwrap_or(0) / 4)?;
    match container {
        Value::List(items) | Value::Tuple(items) => Ok(items.iter().any(|other| compare::same_or_equal(other, item))),
        Value::Set(set) => {
            distinct::hash(item)?;
            Ok(set.items.iter().any(|other| compare::same_or_equal(other, item)))
        }
        Value::Dict(dict) => {
            distinct::hash(item)?;
            Ok(dict.items.iter().any(|(key, _)| compare::same_or_equal(key, item)))
        }
        Value::Str(text) | Value::Scalar(Scalar::Str(text)) => match item.as_str() {
            Some(part) => Ok(text.contains(part)),
            None => {
                let message = format!(
                    "'in <string>' requires string as left operand, not {}",
                    item.type_name()
                );
                Err(Error::new(ErrorKind::TypeError, message))
            }
        },
        Value::Bytes(bytes) => match item {
            Value::Bytes(part) => Ok(part.is_empty() || bytes.windows(part.len()).any(|window| *window == **part)),
            other if other.is_integral() => match other.as_i64().and_then(|byte| u8::try_from(byte).ok()) {
                Some(byte) => Ok(bytes.contains(&byte)),
                None => Err(Error::new(ErrorKind::ValueError, "byte must be in range(0, 256)")),
            },
            _ => {
                let message = format!("a bytes-like object is required, not '{}'", item.type_name());
                Err(Error::new(ErrorKind::TypeError, message))
            }
        },
        Value::Range(range) => Ok(match (item.as_i64(), item.as_f64()) {
            (Some(number), _) => range.contains(number),
            // A whole float is found by its value.
            (None, Some(number)) if number == number.trunc() && number.abs() < 9e18 => range.contains(number as i64),
            _ => false,
        }),
        Value::Array(_) | Value::Record(_) => numpy::contains(container, item),
        other => {
            let message = format!("argument of type '{}' is not iterable", other.type_name());
            Err(Error::new(ErrorKind::TypeError, message))
        }
    }
}
