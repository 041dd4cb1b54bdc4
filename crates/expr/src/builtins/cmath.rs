//! `cm`: the functions of `cmath`, on complex numbers.
//!
//! Results agree with CPython's to about 1e-13; near the edges of the floats less, since the scalings that it does there are
//! absent. Infinities follow the formulas, not the tables of the C standard.

use num_complex::Complex64;

use crate::complex;
use crate::numpy::{Arguments, Function};
use crate::parameters::{one, parameters, real, value_error};
use crate::{Error, ErrorKind, Scalar, Value};

/// `cm.pi` and the like.
pub(super) fn constant(name: &str) -> Option<Value> {
    Some(match name {
        "pi" => Value::Float(std::f64::consts::PI),
        "e" => Value::Float(std::f64::consts::E),
        "tau" => Value::Float(std::f64::consts::TAU),
        "inf" => Value::Float(f64::INFINITY),
        "nan" => Value::Float(f64::NAN),
        "infj" => Value::Complex(Complex64::new(0.0, f64::INFINITY)),
        "nanj" => Value::Complex(Complex64::new(0.0, f64::NAN)),
        _ => return None,
    })
}

/// `cm.sqrt` and the like.
pub(super) fn function(name: &str) -> Option<Function> {
    let function: Function = match name {
        "sqrt" => |a| apply("sqrt", a, sqrt),
        "exp" => |a| apply("exp", a, |z| polar(z.re.exp(), z.im)),
        "log" => log,
        "log10" => |a| {
            let z = logarithm(number(&one("log10", a)?)?)?;
            Ok(Value::Complex(z / std::f64::consts::LN_10))
        },
        "sin" => |a| {
            apply("sin", a, |z| {
                Complex64::new(z.re.sin() * z.im.cosh(), z.re.cos() * z.im.sinh())
            })
        },
        "cos" => |a| {
            apply("cos", a, |z| {
                Complex64::new(z.re.cos() * z.im.cosh(), -(z.re.sin() * z.im.sinh()))
            })
        },
        "tan" => |a| apply("tan", a, |z| minus_i(tanh(times_i(z)))),
        "sinh" => |a| {
            apply("sinh", a, |z| {
                Complex64::new(z.re.sinh() * z.im.cos(), z.re.cosh() * z.im.sin())
            })
        },
        "cosh" => |a| {
            apply("cosh", a, |z| {
                Complex64::new(z.re.cosh() * z.im.cos(), z.re.sinh() * z.im.sin())
            })
        },
        "tanh" => |a| apply("tanh", a, tanh),
        "asin" => |a| apply("asin", a, |z| minus_i(asinh(times_i(z)))),
        "acos" => |a| apply("acos", a, acos),
        "atan" => |a| apply_checked("atan", a, |z| atanh(times_i(z)).map(minus_i)),
        "asinh" => |a| apply("asinh", a, asinh),
        "acosh" => |a| apply("acosh", a, acosh),
        "atanh" => |a| apply_checked("atanh", a, atanh),
        "phase" => |a| Ok(Value::Float(number(&one("phase", a)?)?.arg())),
        "polar" => |a| {
            let z = number(&one("polar", a)?)?;
            Ok(Value::tuple(vec![
                Value::Float(complex::length(z)?),
                Value::Float(z.arg()),
            ]))
        },
        "rect" => |a| {
            let [length, angle] = parameters("rect", a, ["", ""], 2)?;
            Ok(Value::Complex(polar(
                real(&length.unwrap_or_default())?,
                real(&angle.unwrap_or_default())?,
            )))
        },
        "isfinite" => |a| test("isfinite", a, |z| z.re.is_finite() && z.im.is_finite()),
        "isinf" => |a| test("isinf", a, |z| z.re.is_infinite() || z.im.is_infinite()),
        "isnan" => |a| test("isnan", a, |z| z.re.is_nan() || z.im.is_nan()),
        "isclose" => is_close,
        _ => return None,
    };
    Some(function)
}

fn number(value: &Value) -> Result<Complex64, Error> {
    match value {
        Value::Complex(number) | Value::Scalar(Scalar::Complex(number)) => Ok(*number),
        other => real(other).map(|re| Complex64::new(re, 0.0)),
    }
}

fn domain_error() -> Error {
    value_error("math domain error")
}

fn apply(name: &str, arguments: Arguments, compute: fn(Complex64) -> Complex64) -> Result<Value, Error> {
    let z = number(&one(name, arguments)?)?;
    checked(z, compute(z))
}

fn apply_checked(
    name: &str,
    arguments: Arguments,
    compute: fn(Complex64) -> Result<Complex64, Error>,
) -> Result<Value, Error> {
    let z = number(&one(name, arguments)?)?;
    checked(z, compute(z)?)
}

fn checked(z: Complex64, result: Complex64) -> Result<Value, Error> {
    if z.is_finite() && !result.is_finite() {
        return Err(Error::new(ErrorKind::OverflowError, "math range error"));
    }
    Ok(Value::Complex(result))
}

fn test(name: &str, arguments: Arguments, holds: fn(Complex64) -> bool) -> Result<Value, Error> {
    Ok(Value::Bool(holds(number(&one(name, arguments)?)?)))
}

fn polar(length: f64, angle: f64) -> Complex64 {
    // At angle zero the imaginary part is zero with its sign, however long.
    if angle == 0.0 {
        return Complex64::new(length, length * angle);
    }
    Complex64::new(length * angle.cos(), length * angle.sin())
}

fn times_i(z: Complex64) -> Complex64 {
    Complex64::new(-z.im, z.re)
}

fn minus_i(z: Complex64) -> Complex64 {
    Complex64::new(z.im, -z.re)
}

fn sqrt(z: Complex64) -> Complex64 {
    if z.re == 0.0 && z.im == 0.0 {
        return Complex64::new(0.0, z.im);
    }
    let (re, im) = (z.re.abs() / 8.0, z.im.abs());
    let half = 2.0 * (re + re.hypot(im / 8.0)).sqrt();
    let other = im / (2.0 * half);
    if z.re >= 0.0 {
        Complex64::new(half, other.copysign(z.im))
    } else {
        Complex64::new(other, half.copysign(z.im))
    }
}

fn logarithm(z: Complex64) -> Result<Complex64, Error> {
    if z.re == 0.0 && z.im == 0.0 {
        return Err(domain_error());
    }
    let (re, im) = (z.re.abs(), z.im.abs());
    let length = re.hypot(im);
    let real = if (0.71..=1.73).contains(&length) {
        // Near the unit circle the logarithm is small: no digit may be lost to the hypotenuse.
        let (large, small) = (re.max(im), re.min(im));
        ((large - 1.0) * (large + 1.0) + small * small).ln_1p() / 2.0
    } else {
        length.ln()
    };
    Ok(Complex64::new(real, z.im.atan2(z.re)))
}

fn log(arguments: Arguments) -> Result<Value, Error> {
    let [z, base] = parameters("log", arguments, ["", ""], 1)?;
    let numerator = logarithm(number(&z.unwrap_or_default())?)?;
    let Some(base) = base else {
        return Ok(Value::Complex(numerator));
    };
    complex::divide(numerator, logarithm(number(&base)?)?)
        .map(Value::Complex)
        .map_err(|_| domain_error())
}

fn tanh(z: Complex64) -> Complex64 {
    if z.re.abs() > 350.0 {
        let imaginary = 4.0 * z.im.sin() * z.im.cos() * (-2.0 * z.re.abs()).exp();
        return Complex64::new(1.0_f64.copysign(z.re), imaginary);
    }
    let (tx, ty) = (z.re.tanh(), z.im.tan());
    let cx = 1.0 / z.re.cosh();
    let txty = tx * ty;
    let denominator = 1.0 + txty * txty;
    Complex64::new(tx * (1.0 + ty * ty) / denominator, ty / denominator * cx * cx)
}

fn asinh(z: Complex64) -> Complex64 {
    let s1 = sqrt(Complex64::new(1.0 + z.im, -z.re));
    let s2 = sqrt(Complex64::new(1.0 - z.im, z.re));
    Complex64::new(
        (s1.re * s2.im - s2.re * s1.im).asinh(),
        z.im.atan2(s1.re * s2.re - s1.im * s2.im),
    )
}

fn acos(z: Complex64) -> Complex64 {
    let s1 = sqrt(Complex64::new(1.0 - z.re, -z.im));
    let s2 = sqrt(Complex64::new(1.0 + z.re, z.im));
    Complex64::new(2.0 * s1.re.atan2(s2.re), (s2.re * s1.im - s2.im * s1.re).asinh())
}

fn acosh(z: Complex64) -> Complex64 {
    let s1 = sqrt(Complex64::new(z.re - 1.0, z.im));
    let s2 = sqrt(Complex64::new(z.re + 1.0, z.im));
    Complex64::new((s1.re * s2.re + s1.im * s2.im).asinh(), 2.0 * s1.im.atan2(s2.re))
}

fn atanh(z: Complex64) -> Result<Complex64, Error> {
    // The left half is the mirror of the right one, where the formula holds.
    if z.re < 0.0 || z.re == 0.0 && z.re.is_sign_negative() {
        return atanh(-z).map(|result| -result);
    }
    let ay = z.im.abs();
    if z.re == 1.0 && ay == 0.0 {
        return Err(domain_error());
    }
    let square = (1.0 - z.re) * (1.0 - z.re) + ay * ay;
    let re = (4.0 * z.re / square).ln_1p() / 4.0;
    let im = -(-2.0 * z.im).atan2((1.0 - z.re) * (1.0 + z.re) - ay * ay) / 2.0;
    Ok(Complex64::new(re, im))
}

fn is_close(arguments: Arguments) -> Result<Value, Error> {
    let [a, b, relative, absolute] = parameters("isclose", arguments, ["a", "b", "rel_tol", "abs_tol"], 2)?;
    let (a, b) = (number(&a.unwrap_or_default())?, number(&b.unwrap_or_default())?);
    let tolerance = |value: Option<Value>, default: f64| value.map_or(Ok(default), |value| real(&value));
    let (relative, absolute) = (tolerance(relative, 1e-9)?, tolerance(absolute, 0.0)?);
    if relative < 0.0 || absolute < 0.0 {
        return Err(value_error("tolerances must be non-negative"));
    }
    if a == b {
        return Ok(Value::Bool(true));
    }
    if !a.is_finite() || !b.is_finite() {
        return Ok(Value::Bool(false));
    }
    let distance = (a - b).norm();
    let close = distance <= relative * b.norm() || distance <= relative * a.norm() || distance <= absolute;
    Ok(Value::Bool(close))
}
