//! The functions that Exopy takes from `math`: real numbers only, an error where there is no real result.

use num_traits::ToPrimitive;

use crate::integers;
use crate::numpy::{Arguments, Function};
use crate::parameters::{one, parameters, real, value_error};
use crate::{Error, ErrorKind, Value};

/// The function under its bare name.
pub(super) fn function(name: &str) -> Option<Function> {
    let function: Function = match name {
        "cos" => |a| bounded("cos", a, f64::cos),
        "sin" => |a| bounded("sin", a, f64::sin),
        "tan" => |a| bounded("tan", a, f64::tan),
        "acos" => |a| bounded("acos", a, f64::acos),
        "asin" => |a| bounded("asin", a, f64::asin),
        "atan" => |a| bounded("atan", a, f64::atan),
        "sqrt" => |a| bounded("sqrt", a, f64::sqrt),
        "tanh" => |a| bounded("tanh", a, f64::tanh),
        "exp" => |a| growing("exp", a, f64::exp),
        "cosh" => |a| growing("cosh", a, f64::cosh),
        "sinh" => |a| growing("sinh", a, f64::sinh),
        "log10" => |a| logarithm(&one("log10", a)?, f64::log10).map(Value::Float),
        "log" => log,
        "atan2" => |a| {
            let [y, x] = parameters("atan2", a, ["", ""], 2)?;
            let (y, x) = (real(&y.unwrap_or_default())?, real(&x.unwrap_or_default())?);
            Ok(Value::Float(y.atan2(x)))
        },
        _ => return None,
    };
    Some(function)
}

/// The function of one float without its errors: the caller goes the long way when the result is not finite.
pub(super) fn float_function(name: &str) -> Option<fn(f64) -> f64> {
    let function: fn(f64) -> f64 = match name {
        "cos" => f64::cos,
        "sin" => f64::sin,
        "tan" => f64::tan,
        "acos" => f64::acos,
        "asin" => f64::asin,
        "atan" => f64::atan,
        "sqrt" => f64::sqrt,
        "tanh" => f64::tanh,
        "exp" => f64::exp,
        "cosh" => f64::cosh,
        "sinh" => f64::sinh,
        "log10" => f64::log10,
        "log" => f64::ln,
        _ => return None,
    };
    Some(function)
}

fn domain_error() -> Error {
    value_error("math domain error")
}

/// A function that grows beyond every bound only where it is not defined.
fn bounded(name: &str, arguments: Arguments, compute: fn(f64) -> f64) -> Result<Value, Error> {
    let number = real(&one(name, arguments)?)?;
    let result = compute(number);
    if result.is_nan() && !number.is_nan() || result.is_infinite() && number.is_finite() {
        return Err(domain_error());
    }
    Ok(Value::Float(result))
}

/// A function that gets too large for a float.
fn growing(name: &str, arguments: Arguments, compute: fn(f64) -> f64) -> Result<Value, Error> {
    let number = real(&one(name, arguments)?)?;
    let result = compute(number);
    if result.is_infinite() && number.is_finite() {
        return Err(Error::new(ErrorKind::OverflowError, "math range error"));
    }
    Ok(Value::Float(result))
}

/// The logarithm of a float, or of an int that may be too large to be one.
fn logarithm(value: &Value, compute: fn(f64) -> f64) -> Result<f64, Error> {
    if let Value::BigInt(big) = value {
        if **big <= 0.into() {
            return Err(domain_error());
        }
        if integers::to_f64(big).is_none() {
            // 64 bits carry all the digits; the rest is a power of two.
            let shift = big.bits() - 64;
            let top = (&**big >> shift).to_f64().unwrap_or(f64::MAX);
            return Ok(compute(top) + compute(2.0) * shift as f64);
        }
    }
    let number = real(value)?;
    if number <= 0.0 {
        return Err(domain_error());
    }
    Ok(compute(number))
}

fn log(arguments: Arguments) -> Result<Value, Error> {
    let [number, base] = parameters("log", arguments, ["", ""], 1)?;
    let numerator = logarithm(&number.unwrap_or_default(), f64::ln)?;
    let Some(base) = base else {
        return Ok(Value::Float(numerator));
    };
    let denominator = logarithm(&base, f64::ln)?;
    if denominator == 0.0 {
        return Err(Error::new(ErrorKind::ZeroDivisionError, "float division by zero"));
    }
    Ok(Value::Float(numerator / denominator))
}
