//! Functions of one element: `np.sin`, `np.floor`, `np.isnan`, and the named forms of the operators.
//!
//! A number in gives a numpy scalar out, a list or an array gives an array. Of bools, numpy computes the mathematical ones
//! in float16, which there is not here.

use num_complex::Complex64;

use super::array::type_error;
use super::call::Call;
use super::kind::{Kind, unsupported_dtype};
use super::loops::{Ufunc, unsupported_input};
use super::operand::array_of;
use super::operators::{arithmetic, compare_arrays};
use super::{Arguments, CompareOp, Function, arithmetic as binary, loops};
use crate::{Array, Error, Scalar, Value};

/// The function called `np.<name>`.
pub(super) fn function(name: &str) -> Option<Function> {
    mathematical(name)
        .or_else(|| keeping_kind(name))
        .or_else(|| of_two(name))
        .or_else(|| test(name))
}

macro_rules! math {
    ($name:literal, $f:expr) => {
        |arguments| math($name, arguments, $f, None)
    };
    ($name:literal, $f:expr, $complex:expr) => {
        |arguments| math($name, arguments, $f, Some($complex))
    };
}

const LN_2: f64 = std::f64::consts::LN_2;

fn mathematical(name: &str) -> Option<Function> {
    Some(match name {
        "sin" => math!("sin", f64::sin, Complex64::sin),
        "cos" => math!("cos", f64::cos, Complex64::cos),
        "tan" => math!("tan", f64::tan, Complex64::tan),
        "arcsin" | "asin" => math!("arcsin", f64::asin, Complex64::asin),
        "arccos" | "acos" => math!("arccos", f64::acos, Complex64::acos),
        "arctan" | "atan" => math!("arctan", f64::atan, Complex64::atan),
        "sinh" => math!("sinh", f64::sinh, Complex64::sinh),
        "cosh" => math!("cosh", f64::cosh, Complex64::cosh),
        "tanh" => math!("tanh", f64::tanh, Complex64::tanh),
        "arcsinh" | "asinh" => math!("arcsinh", f64::asinh, Complex64::asinh),
        "arccosh" | "acosh" => math!("arccosh", f64::acosh, Complex64::acosh),
        "arctanh" | "atanh" => math!("arctanh", f64::atanh, Complex64::atanh),
        "exp" => math!("exp", f64::exp, complex_exp),
        "exp2" => math!("exp2", f64::exp2, |z| complex_exp(z * LN_2)),
        "expm1" => math!("expm1", f64::exp_m1, |z| complex_exp(z) - 1.0),
        "log" => math!("log", f64::ln, Complex64::ln),
        "log2" => math!("log2", f64::log2, |z| z.ln() / LN_2),
        "log10" => math!("log10", f64::log10, |z| z.ln() / std::f64::consts::LN_10),
        "log1p" => math!("log1p", f64::ln_1p, |z| (z + 1.0).ln()),
        "sqrt" => math!("sqrt", f64::sqrt, complex_sqrt),
        "cbrt" => math!("cbrt", f64::cbrt),
        "fabs" => math!("fabs", f64::abs),
        "degrees" => math!("degrees", to_degrees),
        "rad2deg" => math!("rad2deg", to_degrees),
        "radians" => math!("radians", to_radians),
        "deg2rad" => math!("deg2rad", to_radians),
        "rint" => math!("rint", f64::round_ties_even, |z| Complex64::new(
            z.re.round_ties_even(),
            z.im.round_ties_even()
        )),
        "spacing" => math!("spacing", |x| if x.is_sign_negative() {
            x.next_down() - x
        } else {
            x.next_up() - x
        }),
        _ => return None,
    })
}

// numpy multiplies by one constant; Rust's own conversions round it differently.
fn to_degrees(x: f64) -> f64 {
    x * (180.0 / std::f64::consts::PI)
}

fn to_radians(x: f64) -> f64 {
    x * (std::f64::consts::PI / 180.0)
}

pub(super) fn complex_exp(z: Complex64) -> Complex64 {
    if z.im == 0.0 {
        Complex64::new(z.re.exp(), z.im)
    } else {
        z.exp()
    }
}

/// The root without the detour over an angle, which would cost digits.
pub(super) fn complex_sqrt(z: Complex64) -> Complex64 {
    if z.re == 0.0 && z.im == 0.0 {
        return Complex64::new(0.0, z.im);
    }
    if !z.re.is_finite() || !z.im.is_finite() {
        return z.sqrt();
    }
    if z.re >= 0.0 {
        let t = ((z.re + z.re.hypot(z.im)) * 0.5).sqrt();
        Complex64::new(t, z.im / (2.0 * t))
    } else {
        let t = ((-z.re + z.re.hypot(z.im)) * 0.5).sqrt();
        Complex64::new(z.im.abs() / (2.0 * t), t.copysign(z.im))
    }
}

macro_rules! keep {
    ($name:literal, $($part:tt)*) => {
        |arguments| keep($name, arguments, &Keep { $($part)* })
    };
}

/// What a function that keeps the kind does to each kind it knows; `narrow` names what numpy makes of bools.
struct Keep {
    bool: Result<fn(bool) -> bool, &'static str>,
    int: fn(i64) -> i64,
    float: fn(f64) -> f64,
    complex: Option<fn(Complex64) -> Complex64>,
}

fn keeping_kind(name: &str) -> Option<Function> {
    Some(match name {
        "floor" => keep!("floor", bool: Ok(|x| x), int: |x| x, float: f64::floor, complex: None),
        "ceil" => keep!("ceil", bool: Ok(|x| x), int: |x| x, float: f64::ceil, complex: None),
        "trunc" | "fix" => keep!("trunc", bool: Ok(|x| x), int: |x| x, float: f64::trunc, complex: None),
        "square" => {
            keep!("square", bool: Err("int8"), int: |x| x.wrapping_mul(x), float: |x| x * x, complex: Some(|z| z * z))
        }
        "sign" => {
            keep!("sign", bool: Err(""), int: i64::signum, float: |x| if x == 0.0 { 0.0 } else if x.is_nan() { x } else { x.signum() }, complex: Some(complex_sign))
        }
        "negative" => keep!("negative", bool: Err(""), int: i64::wrapping_neg, float: |x| -x, complex: Some(|z| -z)),
        "positive" => keep!("positive", bool: Err(""), int: |x| x, float: |x| x, complex: Some(|z| z)),
        "conjugate" | "conj" => {
            keep!("conjugate", bool: Err("int8"), int: |x| x, float: |x| x, complex: Some(|z| z.conj()))
        }
        "reciprocal" => {
            keep!("reciprocal", bool: Err("int8"), int: |x| if x == 0 { i64::MIN } else { 1 / x }, float: |x| 1.0 / x, complex: Some(|z| binary::complex_quotient(Complex64::new(1.0, 0.0), z)))
        }
        "absolute" | "abs" => absolute,
        "invert" | "bitwise_not" | "bitwise_invert" => |arguments| {
            super::operators::unary(
                super::UnaryOp::Invert,
                Call::bind("invert", arguments, SIGNATURE)?.value("x"),
            )
        },
        _ => return None,
    })
}

fn complex_sign(z: Complex64) -> Complex64 {
    let size = z.norm();
    if size == 0.0 {
        Complex64::new(0.0, 0.0)
    } else {
        Complex64::new(z.re / size, z.im / size)
    }
}

macro_rules! two {
    ($ufunc:ident) => {
        |arguments| two(&binary::$ufunc, arguments)
    };
}

macro_rules! compared {
    ($name:literal, $op:ident) => {
        |arguments| {
            let call = Call::bind($name, arguments, PAIR)?;
            compare_arrays(
                CompareOp::$op,
                &*operand($name, call.value("x1"))?,
                &*operand($name, call.value("x2"))?,
            )
            .map(Array::into_value)
        }
    };
}

macro_rules! logical {
    ($name:literal, $f:expr) => {
        |arguments| {
            let call = Call::bind($name, arguments, PAIR)?;
            let (l, r) = (operand($name, call.value("x1"))?, operand($name, call.value("x2"))?);
            let shared = loops::Shared::of(&l, &r)?;
            Ok(Array::of_bools(&shared.dims, shared.pairs(&l.bools(), &r.bools()).map($f)).into_value())
        }
    };
}

fn of_two(name: &str) -> Option<Function> {
    Some(match name {
        "add" => two!(ADD),
        "subtract" => two!(SUBTRACT),
        "multiply" => two!(MULTIPLY),
        "divide" | "true_divide" => two!(DIVIDE),
        "floor_divide" => two!(FLOOR_DIVIDE),
        "remainder" | "mod" => two!(REMAINDER),
        "fmod" => two!(FMOD),
        "power" | "pow" => two!(POWER),
        "float_power" => two!(FLOAT_POWER),
        "bitwise_and" => two!(BITWISE_AND),
        "bitwise_or" => two!(BITWISE_OR),
        "bitwise_xor" => two!(BITWISE_XOR),
        "left_shift" | "bitwise_left_shift" => two!(LEFT_SHIFT),
        "right_shift" | "bitwise_right_shift" => two!(RIGHT_SHIFT),
        "maximum" => two!(MAXIMUM),
        "minimum" => two!(MINIMUM),
        "fmax" => two!(FMAX),
        "fmin" => two!(FMIN),
        "arctan2" | "atan2" => two!(ARCTAN2),
        "hypot" => two!(HYPOT),
        "copysign" => two!(COPYSIGN),
        "nextafter" => two!(NEXTAFTER),
        "heaviside" => two!(HEAVISIDE),
        "logaddexp" => two!(LOGADDEXP),
        "gcd" => two!(GCD),
        "lcm" => two!(LCM),
        "divmod" => |arguments| {
            let call = Call::bind("divmod", arguments, PAIR)?;
            divmod(call.value("x1"), call.value("x2"))
        },
        "equal" => compared!("equal", Eq),
        "not_equal" => compared!("not_equal", NotEq),
        "less" => compared!("less", Less),
        "less_equal" => compared!("less_equal", LessEq),
        "greater" => compared!("greater", Greater),
        "greater_equal" => compared!("greater_equal", GreaterEq),
        "logical_and" => logical!("logical_and", |l, r| l && r),
        "logical_or" => logical!("logical_or", |l, r| l || r),
        "logical_xor" => logical!("logical_xor", |l, r| l != r),
        _ => return None,
    })
}

/// `divmod`, of which at least one side is numpy's.
pub(super) fn divmod(left: &Value, right: &Value) -> Result<Value, Error> {
    let (l, r) = (operand("divmod", left)?, operand("divmod", right)?);
    let quotient = binary::FLOOR_DIVIDE.apply(&l, &r)?.into_value();
    let rest = binary::REMAINDER.apply(&l, &r)?.into_value();
    Ok(Value::Tuple(std::sync::Arc::new(vec![quotient, rest])))
}

macro_rules! tested {
    ($name:literal, $float:expr) => {
        |arguments| tested($name, arguments, $float)
    };
}

fn test(name: &str) -> Option<Function> {
    Some(match name {
        "isnan" => tested!("isnan", f64::is_nan),
        "isinf" => tested!("isinf", f64::is_infinite),
        "isfinite" => |arguments| {
            let call = Call::bind("isfinite", arguments, SIGNATURE)?;
            let array = numbers("isfinite", call.value("x"))?;
            let data = match &*array {
                Array::Float(data) => data.iter().map(|x| x.is_finite()).collect(),
                Array::Complex(data) => data.iter().map(|z| z.re.is_finite() && z.im.is_finite()).collect(),
                other => vec![true; other.count()],
            };
            Ok(Array::of_bools(array.dims(), data).into_value())
        },
        "signbit" => |arguments| {
            let call = Call::bind("signbit", arguments, SIGNATURE)?;
            let array = numbers("signbit", call.value("x"))?;
            if array.kind() > Kind::Float {
                return Err(unsupported_input("signbit"));
            }
            Ok(Array::of_bools(
                array.dims(),
                array.floats().iter().map(|x| x.is_sign_negative()).collect(),
            )
            .into_value())
        },
        "logical_not" => |arguments| {
            let call = Call::bind("logical_not", arguments, SIGNATURE)?;
            let array = operand("logical_not", call.value("x"))?;
            Ok(Array::of_bools(array.dims(), array.bools().iter().map(|x| !x).collect()).into_value())
        },
        _ => return None,
    })
}

const SIGNATURE: &str = "x! out * where dtype casting order subok";
const PAIR: &str = "x1! x2! out * where dtype casting order subok";

/// The argument of a ufunc; what would be an object has no such method.
pub(super) fn operand<'a>(name: &str, value: &'a Value) -> Result<std::borrow::Cow<'a, Array>, Error> {
    match value {
        Value::None | Value::BigInt(_) | Value::Dict(_) | Value::Set(_) | Value::Function(_) => {
            Err(type_error(format!(
                "loop of ufunc does not support argument 0 of type {} which has no callable {name} method",
                value.type_name()
            )))
        }
        other => array_of(other),
    }
}

/// The argument of a ufunc that knows numbers only.
fn numbers<'a>(name: &str, value: &'a Value) -> Result<std::borrow::Cow<'a, Array>, Error> {
    let array = operand(name, value)?;
    if array.kind() == Kind::Str {
        Err(unsupported_input(name))
    } else {
        Ok(array)
    }
}

fn bind(name: &'static str, arguments: Arguments) -> Result<Call, Error> {
    let given = arguments.positional.len();
    if given == 0 || given > 2 {
        return Err(type_error(format!(
            "{name}() takes from 1 to 2 positional arguments but {given} were given"
        )));
    }
    let call = Call::bind(name, arguments, SIGNATURE)?;
    call.refuse(&["where", "dtype"])?;
    Ok(call)
}

fn math(
    name: &'static str,
    arguments: Arguments,
    f: fn(f64) -> f64,
    complex: Option<fn(Complex64) -> Complex64>,
) -> Result<Value, Error> {
    if let ([Value::Float(x) | Value::Scalar(Scalar::Float(x))], []) =
        (&arguments.positional[..], &arguments.keywords[..])
    {
        return Ok(Value::Scalar(Scalar::Float(f(*x))));
    }
    let call = bind(name, arguments)?;
    let array = numbers(name, call.value("x"))?;
    crate::limits::work(array.count())?;
    let dims = array.dims();
    Ok(match (&*array, complex) {
        (Array::Bool(_), _) => return Err(unsupported_dtype("float16")),
        (Array::Complex(data), Some(complex)) => Array::of_complexes(dims, data.iter().map(|z| complex(*z)).collect()),
        (Array::Complex(_), None) => return Err(unsupported_input(name)),
        _ => Array::of_floats(dims, array.floats().iter().map(|x| f(*x)).collect()),
    }
    .into_value())
}

fn keep(name: &'static str, arguments: Arguments, functions: &Keep) -> Result<Value, Error> {
    if let ([Value::Float(x) | Value::Scalar(Scalar::Float(x))], []) =
        (&arguments.positional[..], &arguments.keywords[..])
    {
        return Ok(Value::Scalar(Scalar::Float((functions.float)(*x))));
    }
    let call = bind(name, arguments)?;
    let array = numbers(name, call.value("x"))?;
    crate::limits::work(array.count())?;
    let dims = array.dims();
    Ok(match (&*array, functions.bool, functions.complex) {
        (Array::Bool(data), Ok(f), _) => Array::of_bools(dims, data.iter().map(|x| f(*x)).collect()),
        (Array::Bool(_), Err(""), _) => return Err(without_bools(name)),
        (Array::Bool(_), Err(narrow), _) => return Err(unsupported_dtype(narrow)),
        (Array::Int(data), ..) => Array::of_ints(dims, data.iter().map(|x| (functions.int)(*x)).collect()),
        (Array::Float(data), ..) => Array::of_floats(dims, data.iter().map(|x| (functions.float)(*x)).collect()),
        (Array::Complex(data), _, Some(f)) => Array::of_complexes(dims, data.iter().map(|z| f(*z)).collect()),
        (Array::Complex(_), _, None) | (Array::Str { .. }, ..) => return Err(unsupported_input(name)),
    }
    .into_value())
}

fn without_bools(name: &str) -> Error {
    if name == "negative" {
        return type_error(
            "The numpy boolean negative, the `-` operator, is not supported, use the `~` operator or the logical_not function instead.",
        );
    }
    type_error(format!(
        "ufunc '{name}' did not contain a loop with signature matching types <class 'numpy.dtypes.BoolDType'> -> None"
    ))
}

fn absolute(arguments: Arguments) -> Result<Value, Error> {
    let call = bind("absolute", arguments)?;
    magnitude(&*numbers("absolute", call.value("x"))?).map(Array::into_value)
}

/// `abs`, element by element.
pub(super) fn magnitude(array: &Array) -> Result<Array, Error> {
    let dims = array.dims();
    Ok(match array {
        Array::Bool(_) => array.clone(),
        Array::Int(data) => Array::of_ints(dims, data.iter().map(|x| x.wrapping_abs()).collect()),
        Array::Float(data) => Array::of_floats(dims, data.iter().map(|x| x.abs()).collect()),
        Array::Complex(data) => Array::of_floats(dims, data.iter().map(|z| z.re.hypot(z.im)).collect()),
        Array::Str { .. } => return Err(unsupported_input("absolute")),
    })
}

fn two(ufunc: &'static Ufunc, arguments: Arguments) -> Result<Value, Error> {
    let given = arguments.positional.len();
    if !(2..=3).contains(&given) {
        return Err(type_error(format!(
            "{}() takes from 2 to 3 positional arguments but {given} were given",
            ufunc.name
        )));
    }
    let call = Call::bind(ufunc.name, arguments, PAIR)?;
    call.refuse(&["where", "dtype"])?;
    let (l, r) = (
        operand(ufunc.name, call.value("x1"))?,
        operand(ufunc.name, call.value("x2"))?,
    );
    arithmetic(ufunc, &l, &r).map(Array::into_value)
}

fn tested(name: &'static str, arguments: Arguments, f: fn(f64) -> bool) -> Result<Value, Error> {
    let call = bind(name, arguments)?;
    let array = numbers(name, call.value("x"))?;
    let data = match &*array {
        Array::Float(data) => data.iter().map(|x| f(*x)).collect(),
        Array::Complex(data) => data.iter().map(|z| f(z.re) || f(z.im)).collect(),
        other => vec![false; other.count()],
    };
    Ok(Array::of_bools(array.dims(), data).into_value())
}
