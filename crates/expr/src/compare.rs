//! `==`, `<`, `in`, `is`: comparisons as Python does them, and the stable sort that is made of `<`.
//!
//! [`PartialEq`] for [`Value`] is Python's `==` made one bool: arrays are equal when shape and all elements are.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_complex::Complex64;

use crate::limits;
use crate::numpy::{self, CompareOp};
use crate::syntax::Comparison;
use crate::value::Array;
use crate::{Error, ErrorKind, Scalar, Value};
use crate::{integers, operators};

/// Up to here an int is exactly a float.
const EXACT: u64 = 1 << 53;

/// One comparison of a chain; with arrays, elementwise.
#[inline]
pub(crate) fn compare(comparison: Comparison, left: &Value, right: &Value) -> Result<Value, Error> {
    if let Comparison::Values(operator) = comparison {
        match (left, right) {
            (Value::Float(a), Value::Float(b)) => return Ok(Value::Bool(holds(operator, a.partial_cmp(b)))),
            (Value::Int(a), Value::Int(b)) => return Ok(Value::Bool(holds(operator, Some(a.cmp(b))))),
            #[expect(clippy::cast_precision_loss, reason = "such ints are exact")]
            (Value::Float(a), Value::Int(b)) if b.unsigned_abs() <= EXACT => {
                return Ok(Value::Bool(holds(operator, a.partial_cmp(&(*b as f64)))));
            }
            #[expect(clippy::cast_precision_loss, reason = "such ints are exact")]
            (Value::Scalar(Scalar::Float(a)), Value::Int(b)) if b.unsigned_abs() <= EXACT => {
                return Ok(Value::Scalar(Scalar::Bool(holds(
                    operator,
                    a.partial_cmp(&(*b as f64)),
                ))));
            }
            (Value::Scalar(Scalar::Float(a)), Value::Float(b)) => {
                return Ok(Value::Scalar(Scalar::Bool(holds(operator, a.partial_cmp(b)))));
            }
            _ => {}
        }
    }
    compare_general(comparison, left, right)
}

fn compare_general(comparison: Comparison, left: &Value, right: &Value) -> Result<Value, Error> {
    Ok(Value::Bool(match comparison {
        Comparison::In => operators::contains(right, left)?,
        Comparison::NotIn => !operators::contains(right, left)?,
        Comparison::Is => identical(left, right),
        Comparison::IsNot => !identical(left, right),
        Comparison::Values(operator) => return compare_values(operator, left, right),
    }))
}

/// `left op right` for the six operators of value.
pub(crate) fn compare_values(operator: CompareOp, left: &Value, right: &Value) -> Result<Value, Error> {
    // `np.str_` compares as the str that it is, unless with an array.
    let is_text = |value: &Value| matches!(value, Value::Scalar(Scalar::Str(_)));
    let is_foreign = |value: &Value| numpy::is_numpy(value) && !is_text(value);
    if is_foreign(left) || is_foreign(right) {
        limits::work(crate::eval::weight(left) + crate::eval::weight(right))?;
        return numpy::compare(operator, left, right);
    }
    Ok(Value::Bool(match operator {
        CompareOp::Eq => equal(left, right),
        CompareOp::NotEq => !equal(left, right),
        CompareOp::Less | CompareOp::LessEq | CompareOp::Greater | CompareOp::GreaterEq => {
            ordered(operator, left, right)?
        }
    }))
}

fn holds(operator: CompareOp, ordering: Option<Ordering>) -> bool {
    match operator {
        CompareOp::Eq => ordering == Some(Ordering::Equal),
        CompareOp::NotEq => ordering != Some(Ordering::Equal),
        CompareOp::Less => ordering == Some(Ordering::Less),
        CompareOp::LessEq => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
        CompareOp::Greater => ordering == Some(Ordering::Greater),
        CompareOp::GreaterEq => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        equal(self, other)
    }
}

/// Python's `==` as one answer.
pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    if let (Some(a), Some(b)) = (Number::of(left), Number::of(right)) {
        return a.equals(&b);
    }
    if !limits::may_go_on() {
        return false;
    }
    let all = |a: &[Value], b: &[Value]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_or_equal(a, b));
    match (left, right) {
        (Value::None, Value::None) | (Value::Ellipsis, Value::Ellipsis) => true,
        (Value::Str(a) | Value::Scalar(Scalar::Str(a)), Value::Str(b) | Value::Scalar(Scalar::Str(b))) => a == b,
        (Value::Bytes(a), Value::Bytes(b)) => a == b,
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => all(a, b),
        (Value::Set(a), Value::Set(b)) => {
            a.items.len() == b.items.len()
                && a.items
                    .iter()
                    .all(|item| b.items.iter().any(|other| equal(item, other)))
        }
        (Value::Dict(a), Value::Dict(b)) => {
            a.items.len() == b.items.len()
                && a.items.iter().all(|(key, value)| {
                    b.items
                        .iter()
                        .any(|(other, other_value)| equal(key, other) && same_or_equal(value, other_value))
                })
        }
        (Value::Range(a), Value::Range(b)) => {
            let length = a.len();
            length == b.len() && (length == 0 || a.start == b.start && (length == 1 || a.step == b.step))
        }
        (Value::Slice(a), Value::Slice(b)) => a.start == b.start && a.stop == b.stop && a.step == b.step,
        (Value::Array(a), Value::Array(b)) => arrays_equal(a, b),
        (Value::Record(a), Value::Record(b)) => {
            a.fields.len() == b.fields.len()
                && a.fields
                    .iter()
                    .zip(&b.fields)
                    .all(|((name, a), (other, b))| name == other && arrays_equal(a, b))
        }
        (Value::Function(a), Value::Function(b)) => a == b,
        _ => false,
    }
}

fn arrays_equal(left: &Array, right: &Array) -> bool {
    match (left, right) {
        (Array::Bool(a), Array::Bool(b)) => a == b,
        (Array::Int(a), Array::Int(b)) => a == b,
        (Array::Float(a), Array::Float(b)) => a == b,
        (Array::Complex(a), Array::Complex(b)) => a == b,
        (Array::Str { data: a, .. }, Array::Str { data: b, .. }) => a == b,
        _ => {
            let of = |array: &Array| numpy::iterate(&Value::from(array.clone())).unwrap_or_default();
            left.shape() == right.shape() && left.shape().first().is_some_and(|rows| *rows == 0)
                || left.shape() == right.shape() && !left.shape().is_empty() && of(left) == of(right)
        }
    }
}

/// What containers ask of their elements: the same object is equal to itself, `nan` too.
pub(crate) fn same_or_equal(left: &Value, right: &Value) -> bool {
    equal(left, right)
}

/// Python's `is`. Equal small values are one object here, as most are there.
pub(crate) fn identical(left: &Value, right: &Value) -> bool {
    use std::sync::Arc;
    match (left, right) {
        (Value::None, Value::None) | (Value::Ellipsis, Value::Ellipsis) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::BigInt(a), Value::BigInt(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
        (Value::Complex(a), Value::Complex(b)) => a == b,
        (Value::Str(a), Value::Str(b)) => a == b,
        (Value::Scalar(_), Value::Scalar(_)) => left.type_name() == right.type_name() && equal(left, right),
        (Value::Bytes(a), Value::Bytes(b)) => a == b,
        (Value::List(a), Value::List(b)) => Arc::ptr_eq(a, b),
        (Value::Tuple(a), Value::Tuple(b)) => Arc::ptr_eq(a, b) || a.is_empty() && b.is_empty(),
        (Value::Dict(a), Value::Dict(b)) => Arc::ptr_eq(a, b),
        (Value::Set(a), Value::Set(b)) => Arc::ptr_eq(a, b),
        (Value::Range(a), Value::Range(b)) => Arc::ptr_eq(a, b),
        (Value::Array(a), Value::Array(b)) => Arc::ptr_eq(a, b),
        (Value::Record(a), Value::Record(b)) => Arc::ptr_eq(a, b),
        (Value::Function(a), Value::Function(b)) => a == b,
        _ => false,
    }
}

/// A number to compare exactly: no int is rounded to meet a float.
enum Number<'v> {
    Int(i64),
    Big(&'v BigInt),
    Float(f64),
    Complex(Complex64),
}

impl<'v> Number<'v> {
    fn of(value: &'v Value) -> Option<Number<'v>> {
        Some(match value {
            Value::Bool(b) | Value::Scalar(Scalar::Bool(b)) => Number::Int(i64::from(*b)),
            Value::Int(i) | Value::Scalar(Scalar::Int(i)) => Number::Int(*i),
            Value::BigInt(big) => Number::Big(big),
            Value::Float(f) | Value::Scalar(Scalar::Float(f)) => Number::Float(*f),
            Value::Complex(c) | Value::Scalar(Scalar::Complex(c)) => Number::Complex(*c),
            _ => return None,
        })
    }

    fn equals(&self, other: &Number<'_>) -> bool {
        match (self, other) {
            (Number::Complex(a), Number::Complex(b)) => a == b,
            (Number::Complex(a), b) | (b, Number::Complex(a)) => {
                a.im == 0.0 && Number::Float(a.re).order(b) == Some(Ordering::Equal)
            }
            (a, b) => a.order(b) == Some(Ordering::Equal),
        }
    }

    fn order(&self, other: &Number<'_>) -> Option<Ordering> {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => Some(a.cmp(b)),
            (Number::Float(a), Number::Float(b)) => a.partial_cmp(b),
            (Number::Big(a), Number::Big(b)) => Some(a.cmp(b)),
            (Number::Int(a), Number::Big(b)) => Some(BigInt::from(*a).cmp(b)),
            (Number::Big(a), Number::Int(b)) => Some((*a).cmp(&BigInt::from(*b))),
            (Number::Int(a), Number::Float(b)) => order_small_float(*a, *b),
            (Number::Big(a), Number::Float(b)) => order_int_float(a, *b),
            (Number::Float(a), Number::Int(b)) => order_small_float(*b, *a).map(Ordering::reverse),
            (Number::Float(a), Number::Big(b)) => order_int_float(b, *a).map(Ordering::reverse),
            (Number::Complex(_), _) | (_, Number::Complex(_)) => None,
        }
    }
}

fn order_small_float(int: i64, float: f64) -> Option<Ordering> {
    #[expect(clippy::cast_precision_loss, reason = "such ints are exact")]
    if int.unsigned_abs() <= EXACT {
        return (int as f64).partial_cmp(&float);
    }
    order_int_float(&BigInt::from(int), float)
}

fn order_int_float(int: &BigInt, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    match integers::from_f64(float) {
        Ok(whole) => Some(match int.cmp(&whole) {
            // What the float has after the point decides.
            Ordering::Equal => 0.0_f64.partial_cmp(&float.fract())?,
            unequal => unequal,
        }),
        Err(_) => Some(if float > 0.0 { Ordering::Less } else { Ordering::Greater }),
    }
}

fn ordered(operator: CompareOp, left: &Value, right: &Value) -> Result<bool, Error> {
    if let (Some(a), Some(b)) = (Number::of(left), Number::of(right))
        && !matches!((&a, &b), (Number::Complex(_), _) | (_, Number::Complex(_)))
    {
        return Ok(holds(operator, a.order(&b)));
    }
    match (left, right) {
        (Value::Str(a) | Value::Scalar(Scalar::Str(a)), Value::Str(b) | Value::Scalar(Scalar::Str(b))) => {
            Ok(holds(operator, Some(a.cmp(b))))
        }
        (Value::Bytes(a), Value::Bytes(b)) => Ok(holds(operator, Some(a.cmp(b)))),
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            for (a, b) in a.iter().zip(b.iter()) {
                if !same_or_equal(a, b) {
                    return compare_values(operator, a, b)?.truthy();
                }
            }
            Ok(holds(operator, Some(a.len().cmp(&b.len()))))
        }
        (Value::Set(a), Value::Set(b)) => {
            let within = |a: &[Value], b: &[Value]| a.iter().all(|item| b.iter().any(|other| equal(item, other)));
            let (below, above) = (within(&a.items, &b.items), within(&b.items, &a.items));
            Ok(match operator {
                CompareOp::Less => below && !above,
                CompareOp::LessEq => below,
                CompareOp::Greater => above && !below,
                _ => above,
            })
        }
        _ => {
            let sign = match operator {
                CompareOp::Less => "<",
                CompareOp::LessEq => "<=",
                CompareOp::Greater => ">",
                CompareOp::GreaterEq => ">=",
                CompareOp::Eq => "==",
                CompareOp::NotEq => "!=",
            };
            let (left, right) = (left.type_name(), right.type_name());
            let message = format!("'{sign}' not supported between instances of '{left}' and '{right}'");
            Err(Error::new(ErrorKind::TypeError, message))
        }
    }
}

/// `left < right` as sorting asks it.
pub(crate) fn less(left: &Value, right: &Value) -> Result<bool, Error> {
    compare_values(CompareOp::Less, left, right)?.truthy()
}

/// Sorts by `<` alone, stable; an order that contradicts itself (`nan`) leaves some order and no panic.
pub(crate) fn sort(items: Vec<(Value, Value)>) -> Result<Vec<(Value, Value)>, Error> {
    /// Below it insertion is faster, and what `nan` does is what CPython's sort does to short lists.
    const SHORT: usize = 64;
    limits::work(items.len() * (items.len().max(2).ilog2() as usize))?;
    if items.len() < SHORT {
        return insertion_sort(items);
    }
    let mut left = items;
    let right = left.split_off(left.len() / 2);
    merge(sort(left)?, sort(right)?)
}

fn insertion_sort(mut items: Vec<(Value, Value)>) -> Result<Vec<(Value, Value)>, Error> {
    // CPython begins with the run that is already in order, a descending one reversed.
    let mut sorted = 1.min(items.len());
    if items.len() > 1 && less(&items[1].0, &items[0].0)? {
        sorted = 2;
        while sorted < items.len() && less(&items[sorted].0, &items[sorted - 1].0)? {
            sorted += 1;
        }
        items[..sorted].reverse();
    } else if items.len() > 1 {
        sorted = 2;
        while sorted < items.len() && !less(&items[sorted].0, &items[sorted - 1].0)? {
            sorted += 1;
        }
    }
    for next in sorted..items.len() {
        let (mut low, mut high) = (0, next);
        while low < high {
            let middle = usize::midpoint(low, high);
            if less(&items[next].0, &items[middle].0)? {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        items[low..=next].rotate_right(1);
    }
    Ok(items)
}

fn merge(left: Vec<(Value, Value)>, right: Vec<(Value, Value)>) -> Result<Vec<(Value, Value)>, Error> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some((a, _)), Some((b, _))) = (left.peek(), right.peek()) {
        let from = if less(b, a)? { &mut right } else { &mut left };
        merged.extend(from.next());
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}
