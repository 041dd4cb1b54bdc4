//! What `+ - * / // % ** @ & | ^ << >>`, the signs and the comparisons do to numpy values.
//!
//! Ints wrap and divisions by zero give infinities, as in numpy, whose warnings are deliberately absent. Two scalars, or a
//! scalar and a number, take the short way at the top of [`binary`].

use std::borrow::Cow;
use std::sync::Arc;

use super::arithmetic::{
    ADD, BITWISE_AND, BITWISE_OR, BITWISE_XOR, DIVIDE, FLOOR_DIVIDE, LEFT_SHIFT, MULTIPLY, POWER, REMAINDER,
    RIGHT_SHIFT, SUBTRACT,
};
use super::array::{big_to_float, count_of, type_error, value_error};
use super::kind::Kind;
use super::loops::{Shared, Ufunc, scalar_kind, unsupported_input};
use super::operand::{array_of, scalar_of};
use super::{BinaryOp, CompareOp, UnaryOp, linalg};
use crate::error::ErrorKind;
use crate::{Array, Error, Scalar, Value};

/// `left op right`, at least one of them numpy's.
#[inline]
pub(crate) fn binary(op: BinaryOp, left: &Value, right: &Value) -> Result<Value, Error> {
    let floats = match (left, right) {
        (Value::Scalar(Scalar::Float(l)), Value::Scalar(Scalar::Float(r)) | Value::Float(r))
        | (Value::Float(l), Value::Scalar(Scalar::Float(r))) => Some((*l, *r)),
        (Value::Scalar(Scalar::Float(l)), Value::Int(r)) => Some((*l, *r as f64)),
        (Value::Int(l), Value::Scalar(Scalar::Float(r))) => Some((*l as f64, *r)),
        _ => None,
    };
    if let Some((l, r)) = floats {
        let result = match op {
            BinaryOp::Add => l + r,
            BinaryOp::Sub => l - r,
            BinaryOp::Mul => l * r,
            BinaryOp::Div => l / r,
            _ => return general(op, left, right),
        };
        return Ok(Value::Scalar(Scalar::Float(result)));
    }
    general(op, left, right)
}

/// `op value`.
pub(crate) fn unary(op: UnaryOp, value: &Value) -> Result<Value, Error> {
    if let (UnaryOp::Neg, Value::Scalar(Scalar::Float(number))) = (op, value) {
        return Ok(Value::Scalar(Scalar::Float(-number)));
    }
    if let Value::Scalar(Scalar::Str(_)) = value {
        let sign = match op {
            UnaryOp::Neg => "-",
            UnaryOp::Pos => "+",
            UnaryOp::Invert => "~",
        };
        return Err(type_error(format!("bad operand type for unary {sign}: 'numpy.str_'")));
    }
    let array = array_of(value)?;
    let dims = array.dims();
    crate::limits::work(array.count())?;
    let result = match (op, &*array) {
        (UnaryOp::Neg, Array::Bool(_)) => {
            return Err(type_error(
                "The numpy boolean negative, the `-` operator, is not supported, use the `~` operator or the logical_not function instead.",
            ));
        }
        (UnaryOp::Pos, Array::Bool(_)) => {
            return Err(type_error(
                "ufunc 'positive' did not contain a loop with signature matching types <class 'numpy.dtypes.BoolDType'> -> None",
            ));
        }
        (UnaryOp::Pos, Array::Int(_) | Array::Float(_) | Array::Complex(_)) => array.into_owned(),
        (UnaryOp::Neg, Array::Int(data)) => Array::of_ints(dims, data.iter().map(|x| x.wrapping_neg()).collect()),
        (UnaryOp::Neg, Array::Float(data)) => Array::of_floats(dims, data.iter().map(|x| -x).collect()),
        (UnaryOp::Neg, Array::Complex(data)) => Array::of_complexes(dims, data.iter().map(|x| -x).collect()),
        (UnaryOp::Invert, Array::Bool(data)) => Array::of_bools(dims, data.iter().map(|x| !x).collect()),
        (UnaryOp::Invert, Array::Int(data)) => Array::of_ints(dims, data.iter().map(|x| !x).collect()),
        (UnaryOp::Neg, Array::Str { .. }) => return Err(unsupported_input("negative")),
        (UnaryOp::Pos, Array::Str { .. }) => return Err(unsupported_input("positive")),
        (UnaryOp::Invert, Array::Float(_) | Array::Complex(_) | Array::Str { .. }) => {
            return Err(unsupported_input("invert"));
        }
    };
    Ok(result.into_value())
}

/// `left op right`, element by element.
pub(crate) fn compare(op: CompareOp, left: &Value, right: &Value) -> Result<Value, Error> {
    let equality = matches!(op, CompareOp::Eq | CompareOp::NotEq);
    // A `np.float64` is a float, to which Python's complex numbers compare by themselves.
    if let (Value::Complex(z), Value::Scalar(Scalar::Float(x)), true) = (left, right, equality) {
        return Ok(Value::Bool((z.re == *x && z.im == 0.0) == (op == CompareOp::Eq)));
    }
    if let (Some(l), Some(r)) = (scalar_of(left), scalar_of(right))
        && let (Some(l), Some(r)) = (real_of(&l), real_of(&r))
    {
        return Ok(Value::Scalar(Scalar::Bool(holds(op, &l, &r))));
    }
    let is_text = |value: &Value| matches!(value, Value::Scalar(Scalar::Str(_)));
    let is_plain = |value: &Value| !matches!(value, Value::Array(_));
    if (is_text(left) && is_plain(right)) || (is_text(right) && is_plain(left)) {
        return compare_texts(op, left, right);
    }
    let (l, r) = match (comparable(left, right), comparable(right, left)) {
        (Some(l), Some(r)) => (l?, r?),
        _ if equality => return Ok(nothing_equals(op, left, right)),
        _ => {
            return Err(type_error(format!(
                "'{}' not supported between instances of '{}' and '{}'",
                sign(op),
                element_name(left),
                element_name(right)
            )));
        }
    };
    compare_arrays(op, &l, &r).map(Array::into_value)
}

/// A `np.str_` is a str, and compares as one.
fn compare_texts(op: CompareOp, left: &Value, right: &Value) -> Result<Value, Error> {
    match (left.as_str(), right.as_str(), op) {
        (Some(l), Some(r), _) => Ok(Value::Bool(holds(op, &l, &r))),
        (.., CompareOp::Eq) => Ok(Value::Bool(false)),
        (.., CompareOp::NotEq) => Ok(Value::Bool(true)),
        _ => Err(type_error(format!(
            "'{}' not supported between instances of '{}' and '{}'",
            sign(op),
            left.type_name(),
            right.type_name()
        ))),
    }
}

/// Elementwise comparison of arrays that are there.
pub(super) fn compare_arrays(op: CompareOp, l: &Array, r: &Array) -> Result<Array, Error> {
    let shared = Shared::of(l, r)?;
    let data = match (l.kind(), r.kind()) {
        (Kind::Str, Kind::Str) => shared.pairs(&l.texts(), &r.texts()).map(|l, r| holds(op, &l, &r)),
        (Kind::Str, _) | (_, Kind::Str) => match op {
            CompareOp::Eq => vec![false; shared.dims.iter().product()],
            CompareOp::NotEq => vec![true; shared.dims.iter().product()],
            CompareOp::Less | CompareOp::LessEq | CompareOp::Greater | CompareOp::GreaterEq => {
                return Err(type_error(format!(
                    "ufunc '{}' did not contain a loop with signature matching types (<class 'numpy.dtypes.{}'>, <class 'numpy.dtypes.{}'>) -> None",
                    compare_name(op),
                    l.kind().class(),
                    r.kind().class()
                )));
            }
        },
        (Kind::Complex, _) | (_, Kind::Complex) => shared.pairs(&l.complexes(), &r.complexes()).map(|l, r| match op {
            CompareOp::Eq => l == r,
            CompareOp::NotEq => l != r,
            // A complex number with a NaN is in no order.
            _ if l.re.is_nan() || l.im.is_nan() || r.re.is_nan() || r.im.is_nan() => false,
            _ => holds(op, &(l.re, l.im), &(r.re, r.im)),
        }),
        (Kind::Float, _) | (_, Kind::Float) => shared.pairs(&l.floats(), &r.floats()).map(|l, r| holds(op, &l, &r)),
        (Kind::Int, _) | (_, Kind::Int) => shared.pairs(&l.ints(), &r.ints()).map(|l, r| holds(op, &l, &r)),
        (Kind::Bool, Kind::Bool) => shared.pairs(&l.bools(), &r.bools()).map(|l, r| holds(op, &l, &r)),
    };
    Ok(Array::of_bools(&shared.dims, data))
}

#[inline]
fn holds<T: PartialOrd>(op: CompareOp, left: &T, right: &T) -> bool {
    match op {
        CompareOp::Eq => left == right,
        CompareOp::NotEq => left != right,
        CompareOp::Less => left < right,
        CompareOp::LessEq => left <= right,
        CompareOp::Greater => left > right,
        CompareOp::GreaterEq => left >= right,
    }
}

fn sign(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => "==",
        CompareOp::NotEq => "!=",
        CompareOp::Less => "<",
        CompareOp::LessEq => "<=",
        CompareOp::Greater => ">",
        CompareOp::GreaterEq => ">=",
    }
}

fn compare_name(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => "equal",
        CompareOp::NotEq => "not_equal",
        CompareOp::Less => "less",
        CompareOp::LessEq => "less_equal",
        CompareOp::Greater => "greater",
        CompareOp::GreaterEq => "greater_equal",
    }
}

/// A real scalar as a float where that is exact enough to compare as numpy does; ints among themselves go the long way.
fn real_of(scalar: &Scalar) -> Option<f64> {
    match scalar {
        Scalar::Float(number) => Some(*number),
        Scalar::Int(number) if number.unsigned_abs() < 1 << 53 => Some(*number as f64),
        _ => None,
    }
}

/// The array to compare with, where the value can be one. A big int stands where it lies among all ints.
fn comparable<'a>(value: &'a Value, other: &Value) -> Option<Result<Cow<'a, Array>, Error>> {
    match value {
        Value::BigInt(_) if array_of(other).is_ok_and(|array| array.kind() == Kind::Bool) => Some(Err(Error::new(
            ErrorKind::OverflowError,
            "Python int too large to convert to C long",
        ))),
        Value::BigInt(number) => {
            let negative = number.sign() == num_bigint::Sign::Minus;
            let exact = array_of(other).is_ok_and(|array| array.kind() >= Kind::Float);
            let far = if negative { f64::NEG_INFINITY } else { f64::INFINITY };
            let number = if exact {
                big_to_float(number).unwrap_or(far)
            } else {
                far
            };
            Some(Ok(Cow::Owned(Array::of_floats(&[], vec![number]))))
        }
        Value::Record(_) => Some(array_of(value)),
        Value::List(_) | Value::Tuple(_) | Value::Range(_) => Some(array_of(value)),
        Value::Array(_) | Value::Scalar(_) => Some(array_of(value)),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Complex(_) | Value::Str(_) => Some(array_of(value)),
        _ => None,
    }
}

/// `==` with something that no element can equal.
fn nothing_equals(op: CompareOp, left: &Value, right: &Value) -> Value {
    let different = op == CompareOp::NotEq;
    for side in [left, right] {
        if let Value::Array(array) = side {
            return Array::of_bools(array.dims(), vec![different; array.count()]).into_value();
        }
    }
    Value::Bool(different)
}

fn ufunc(op: BinaryOp) -> Option<&'static Ufunc> {
    Some(match op {
        BinaryOp::Add => &ADD,
        BinaryOp::Sub => &SUBTRACT,
        BinaryOp::Mul => &MULTIPLY,
        BinaryOp::Div => &DIVIDE,
        BinaryOp::FloorDiv => &FLOOR_DIVIDE,
        BinaryOp::Mod => &REMAINDER,
        BinaryOp::Pow => &POWER,
        BinaryOp::BitAnd => &BITWISE_AND,
        BinaryOp::BitOr => &BITWISE_OR,
        BinaryOp::BitXor => &BITWISE_XOR,
        BinaryOp::LeftShift => &LEFT_SHIFT,
        BinaryOp::RightShift => &RIGHT_SHIFT,
        BinaryOp::MatMul => return None,
    })
}

fn general(op: BinaryOp, left: &Value, right: &Value) -> Result<Value, Error> {
    if let Some(result) = with_sequence(op, left, right).or_else(|| with_text(op, left, right)) {
        return result;
    }
    // A `np.float64` is a float, with which Python's complex numbers compute by themselves.
    if let (Value::Complex(_), Value::Scalar(Scalar::Float(number))) = (left, right) {
        return crate::operators::binary(op, left, &Value::Float(*number));
    }
    if let (Some(l), Some(r)) = (scalar_of(left), scalar_of(right)) {
        let complex = matches!(l, Scalar::Complex(_)) || matches!(r, Scalar::Complex(_));
        if op == BinaryOp::MatMul || (complex && matches!(op, BinaryOp::FloorDiv | BinaryOp::Mod)) {
            return Err(unsupported_operands(op, left.type_name(), right.type_name()));
        }
        let negative_power = op == BinaryOp::Pow
            && matches!((&l, &r), (Scalar::Int(_) | Scalar::Bool(_), Scalar::Int(exponent)) if *exponent < 0);
        if let Some(ufunc) = ufunc(op)
            && !negative_power
            && let Some(result) = ufunc.apply_scalars(&l, &r)
        {
            return Ok(Value::Scalar(result));
        }
    }
    let l = side(op, left, right, left)?;
    let r = side(op, left, right, right)?;
    match ufunc(op) {
        None => linalg::matmul(&l, &r).map(Array::into_value),
        Some(ufunc) => arithmetic(ufunc, &l, &r).map(Array::into_value),
    }
}

/// A binary operation of arrays with what numpy refuses or does in its own way.
pub(super) fn arithmetic(ufunc: &Ufunc, l: &Array, r: &Array) -> Result<Array, Error> {
    let both = |kind| l.kind() == kind && r.kind() == kind;
    if ufunc.name == "add" && both(Kind::Str) {
        let shared = Shared::of(l, r)?;
        let texts = shared
            .pairs(&l.texts(), &r.texts())
            .map(|l, r| Arc::from(format!("{l}{r}")));
        return Ok(Array::of_texts_of_width(
            &shared.dims,
            texts,
            l.text_width() + r.text_width(),
        ));
    }
    if ufunc.name == "subtract" && both(Kind::Bool) {
        return Err(type_error(
            "numpy boolean subtract, the `-` operator, is not supported, use the bitwise_xor, the `^` operator, or the logical_xor function instead.",
        ));
    }
    if ufunc.name == "multiply" && l.kind().max(r.kind()) == Kind::Str && l.kind().min(r.kind()) <= Kind::Int {
        return Err(type_error(
            "The 'out' kwarg is necessary when using the string multiply ufunc directly. Use numpy.strings.multiply to multiply strings without specifying 'out'.",
        ));
    }
    if ufunc.name == "power"
        && l.kind() == Kind::Bool
        && r.dims().is_empty()
        && r.kind() == Kind::Int
        && r.ints()[0] == 2
    {
        // numpy squares bools in int8.
        return Err(super::kind::unsupported_dtype("int8"));
    }
    if ufunc.name == "power" && l.kind().max(r.kind()) == Kind::Int && r.ints().iter().any(|exponent| *exponent < 0) {
        return Err(value_error("Integers to negative integer powers are not allowed."));
    }
    ufunc.apply(l, r)
}

/// One operand as an array, or numpy's refusal of the pair.
fn side<'a>(op: BinaryOp, left: &Value, right: &Value, value: &'a Value) -> Result<Cow<'a, Array>, Error> {
    match value {
        Value::BigInt(number) => {
            let other = if std::ptr::eq(value, left) { right } else { left };
            if array_of(other)?.kind() < Kind::Float && op != BinaryOp::Div {
                return Err(Error::new(
                    ErrorKind::OverflowError,
                    "Python int too large to convert to C long",
                ));
            }
            Ok(Cow::Owned(Array::of_floats(&[], vec![big_to_float(number)?])))
        }
        Value::None
        | Value::Bytes(_)
        | Value::Dict(_)
        | Value::Set(_)
        | Value::Slice(_)
        | Value::Ellipsis
        | Value::Function(_) => Err(unsupported_operands(op, element_name(left), element_name(right))),
        other => array_of(other),
    }
}

fn unsupported_operands(op: BinaryOp, left: &str, right: &str) -> Error {
    let sign = match op {
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
    type_error(format!(
        "unsupported operand type(s) for {sign}: '{left}' and '{right}'"
    ))
}

/// The Python class of a value's elements: what numpy's errors name once it has fallen back to objects.
fn element_name(value: &Value) -> &'static str {
    let kind = match value {
        Value::Array(array) => array.kind(),
        Value::Scalar(scalar) => scalar_kind(scalar),
        other => return other.type_name(),
    };
    match kind {
        Kind::Bool => "bool",
        Kind::Int => "int",
        Kind::Float => "float",
        Kind::Complex => "complex",
        Kind::Str => "str",
    }
}

/// `np.int64(2) * [1, 2]` repeats as Python does; other scalars cannot.
fn with_sequence(op: BinaryOp, left: &Value, right: &Value) -> Option<Result<Value, Error>> {
    let (scalar, sequence) = match (left, right) {
        (Value::Scalar(Scalar::Str(text)), Value::Int(times))
        | (Value::Int(times), Value::Scalar(Scalar::Str(text)))
            if op == BinaryOp::Mul =>
        {
            return with_sequence(op, &Value::Scalar(Scalar::Int(*times)), &Value::Str(Arc::clone(text)));
        }
        (Value::Scalar(scalar), sequence) | (sequence, Value::Scalar(scalar)) if op == BinaryOp::Mul => {
            (scalar, sequence)
        }
        _ => return None,
    };
    let text = match sequence {
        Value::List(_) | Value::Tuple(_) | Value::Bytes(_) => None,
        Value::Str(text) | Value::Scalar(Scalar::Str(text)) => Some(text),
        _ => return None,
    };
    let Scalar::Int(times) = scalar else {
        let name = Value::Scalar(scalar.clone());
        return Some(Err(type_error(format!(
            "can't multiply sequence by non-int of type '{}'",
            name.type_name()
        ))));
    };
    let times = usize::try_from(*times).unwrap_or(0);
    let checked = |length: usize| {
        let count = length.saturating_mul(times);
        count_of(&[count]).and_then(crate::limits::elements)
    };
    Some(match (sequence, text) {
        (_, Some(text)) => checked(text.len()).map(|()| Value::Str(Arc::from(text.repeat(times)))),
        (Value::List(items), _) => checked(items.len()).map(|()| Value::List(Arc::new(repeated(items, times)))),
        (Value::Tuple(items), _) => checked(items.len()).map(|()| Value::Tuple(Arc::new(repeated(items, times)))),
        (Value::Bytes(bytes), _) => checked(bytes.len()).map(|()| Value::Bytes(Arc::from(bytes.repeat(times)))),
        _ => return None,
    })
}

fn repeated(items: &[Value], times: usize) -> Vec<Value> {
    items.iter().cycle().take(items.len() * times).cloned().collect()
}

/// A `np.str_` is a str.
fn with_text(op: BinaryOp, left: &Value, right: &Value) -> Option<Result<Value, Error>> {
    let text = |value: &Value| match value {
        Value::Str(text) | Value::Scalar(Scalar::Str(text)) => Some(Arc::clone(text)),
        _ => None,
    };
    if !matches!(left, Value::Scalar(Scalar::Str(_))) && !matches!(right, Value::Scalar(Scalar::Str(_))) {
        return None;
    }
    match (op, text(left), text(right)) {
        (BinaryOp::Add, Some(l), Some(r)) => Some(Ok(Value::Str(Arc::from(format!("{l}{r}"))))),
        (BinaryOp::Mod, Some(_), _) => Some(Err(Error::new(
            ErrorKind::NotSupported,
            "`%` of a `np.str_`; take `str()` of it",
        ))),
        (BinaryOp::Add, Some(_), None) if !matches!(right, Value::Array(_)) => Some(Err(type_error(format!(
            "can only concatenate str (not \"{}\") to str",
            right.type_name()
        )))),
        (_, Some(_), Some(_)) => Some(Err(unsupported_operands(op, left.type_name(), right.type_name()))),
        _ => None,
    }
}
