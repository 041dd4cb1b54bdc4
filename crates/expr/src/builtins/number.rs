//! Builtins on numbers: `abs`, `round`, `divmod`, `pow`, and numbers in other spellings.

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};

use crate::numpy::{Arguments, BinaryOp, Function};
use crate::parameters::{index, numpys, one, parameters, type_error, value_error};
use crate::{Error, ErrorKind, Scalar, Value};
use crate::{complex, floats, integers, limits, operators};

pub(super) fn function(name: &str) -> Option<Function> {
    let function: Function = match name {
        "abs" => abs,
        "round" => round,
        "divmod" => divmod,
        "pow" => pow,
        "hex" => |arguments| based("hex", "0x", arguments, |digits| format!("{digits:x}")),
        "oct" => |arguments| based("oct", "0o", arguments, |digits| format!("{digits:o}")),
        "bin" => |arguments| based("bin", "0b", arguments, |digits| format!("{digits:b}")),
        "ord" => ord,
        "chr" => chr,
        _ => return None,
    };
    Some(function)
}

fn abs(arguments: Arguments) -> Result<Value, Error> {
    if let Some(result) = numpys("abs", &arguments) {
        return result;
    }
    let value = one("abs", arguments)?;
    match &value {
        Value::Float(number) => Ok(Value::Float(number.abs())),
        Value::Complex(number) => complex::length(*number).map(Value::Float),
        other => match integers::integer(other) {
            Some(number) => Ok(Value::int(number.abs())),
            None => Err(type_error(format!(
                "bad operand type for abs(): '{}'",
                value.type_name()
            ))),
        },
    }
}

fn round(arguments: Arguments) -> Result<Value, Error> {
    if let Some(result) = numpys("round", &arguments) {
        return result;
    }
    let [number, digits] = parameters("round", arguments, ["number", "ndigits"], 1)?;
    let (number, digits) = (number.unwrap_or_default(), digits.unwrap_or_default());
    let digits = match &digits {
        Value::None => None,
        // Beyond 64 bits every number is itself, or nothing.
        Value::BigInt(big) => Some(if big.is_negative() { i64::MIN } else { i64::MAX }),
        other => Some(index(other)?),
    };
    match (&number, digits) {
        (Value::Float(number), None) => integers::from_f64(half_even(*number)).map(Value::int),
        (Value::Float(number), Some(digits)) => floats::round(*number, digits).map(Value::Float),
        (other, digits) => match integers::integer(other) {
            Some(whole) => Ok(match digits {
                Some(digits) if digits < 0 => Value::int(round_int(&whole, digits)),
                _ => Value::int(whole.into_owned()),
            }),
            None => Err(type_error(format!(
                "type {} doesn't define __round__ method",
                number.type_name()
            ))),
        },
    }
}

fn half_even(number: f64) -> f64 {
    number.round_ties_even()
}

/// To a multiple of a power of ten, half to even.
fn round_int(number: &BigInt, digits: i64) -> BigInt {
    // 10**301030 has the million bits that no integer exceeds.
    let Some(places) = u32::try_from(digits.unsigned_abs())
        .ok()
        .filter(|places| *places <= 301_031)
    else {
        return BigInt::ZERO;
    };
    if u64::from(places) * 3 > number.bits() + 3 {
        return BigInt::ZERO;
    }
    let unit = BigInt::from(10).pow(places);
    let magnitude = BigInt::from(number.magnitude().clone());
    let (mut quotient, rest) = (&magnitude / &unit, &magnitude % &unit);
    let twice = rest * 2;
    if twice > unit || twice == unit && quotient.bit(0) {
        quotient += 1;
    }
    let rounded = quotient * unit;
    if number.is_negative() { -rounded } else { rounded }
}

fn divmod(arguments: Arguments) -> Result<Value, Error> {
    if arguments.positional.iter().any(crate::numpy::is_numpy)
        && let Some(result) = crate::numpy::builtin("divmod", &arguments)
    {
        return result;
    }
    let [left, right] = parameters("divmod", arguments, ["", ""], 2)?;
    let (left, right) = (left.unwrap_or_default(), right.unwrap_or_default());
    if !left.is_real() || !right.is_real() {
        let (left, right) = (left.type_name(), right.type_name());
        return Err(type_error(format!(
            "unsupported operand type(s) for divmod(): '{left}' and '{right}'"
        )));
    }
    let quotient = operators::binary(BinaryOp::FloorDiv, &left, &right).map_err(|error| match error.kind {
        ErrorKind::ZeroDivisionError if !left.is_integral() || !right.is_integral() => {
            Error::new(error.kind, "float divmod()")
        }
        _ => error,
    })?;
    let rest = match (&left, &right) {
        (Value::Float(_), _) | (_, Value::Float(_)) => {
            let (left, right) = (crate::parameters::real(&left)?, crate::parameters::real(&right)?);
            Value::Float(floats::divide(left, right).1)
        }
        _ => operators::binary(BinaryOp::Mod, &left, &right)?,
    };
    Ok(Value::tuple(vec![quotient, rest]))
}

fn pow(arguments: Arguments) -> Result<Value, Error> {
    let [base, exponent, modulus] = parameters("pow", arguments, ["base", "exp", "mod"], 2)?;
    let (base, exponent) = (base.unwrap_or_default(), exponent.unwrap_or_default());
    let Some(modulus) = modulus.filter(|modulus| !matches!(modulus, Value::None)) else {
        return operators::binary(BinaryOp::Pow, &base, &exponent);
    };
    if crate::numpy::is_numpy(&base) || crate::numpy::is_numpy(&exponent) {
        return Err(type_error(
            "unsupported operand type(s) for ** or pow() of three arguments",
        ));
    }
    let (Some(base), Some(exponent), Some(modulus)) = (
        integers::integer(&base),
        integers::integer(&exponent),
        integers::integer(&modulus),
    ) else {
        return Err(type_error(
            "pow() 3rd argument not allowed unless all arguments are integers",
        ));
    };
    if modulus.is_zero() {
        return Err(value_error("pow() 3rd argument cannot be 0"));
    }
    let words = |number: &BigInt| usize::try_from(number.bits() / 64 + 1).unwrap_or(usize::MAX);
    let cost = words(&modulus)
        .saturating_mul(words(&modulus))
        .saturating_mul(words(&exponent))
        .saturating_mul(4);
    limits::work(cost)?;
    let (base, exponent) = if exponent.is_negative() {
        let magnitude = modulus.abs();
        let inverse = base
            .modinv(&magnitude)
            .ok_or_else(|| value_error("base is not invertible for the given modulus"))?;
        (inverse, -exponent.into_owned())
    } else {
        (base.into_owned(), exponent.into_owned())
    };
    // `modpow` gives the rest the sign of the modulus, as Python does.
    Ok(Value::int(base.modpow(&exponent, &modulus)))
}

fn based(
    name: &str,
    prefix: &str,
    arguments: Arguments,
    write: fn(&num_bigint::BigUint) -> String,
) -> Result<Value, Error> {
    let value = one(name, arguments)?;
    let Some(number) = integers::integer(&value) else {
        return Err(type_error(format!(
            "'{}' object cannot be interpreted as an integer",
            value.type_name()
        )));
    };
    let sign = if number.is_negative() { "-" } else { "" };
    Ok(Value::str(format!("{sign}{prefix}{}", write(number.magnitude()))))
}

fn ord(arguments: Arguments) -> Result<Value, Error> {
    let value = one("ord", arguments)?;
    let length = match &value {
        Value::Str(text) | Value::Scalar(Scalar::Str(text)) => {
            let mut characters = text.chars();
            if let (Some(only), None) = (characters.next(), characters.next()) {
                return Ok(Value::Int(i64::from(u32::from(only))));
            }
            text.chars().count()
        }
        Value::Bytes(bytes) => match &**bytes {
            [only] => return Ok(Value::Int(i64::from(*only))),
            more => more.len(),
        },
        other => {
            return Err(type_error(format!(
                "ord() expected string of length 1, but {} found",
                other.type_name()
            )));
        }
    };
    Err(type_error(format!(
        "ord() expected a character, but string of length {length} found"
    )))
}

fn chr(arguments: Arguments) -> Result<Value, Error> {
    let value = one("chr", arguments)?;
    let code = match &value {
        Value::BigInt(_) => {
            return Err(Error::new(
                ErrorKind::OverflowError,
                "Python int too large to convert to C int",
            ));
        }
        other => index(other)?,
    };
    let found = code.to_u32().filter(|code| *code < 0x11_0000);
    let code = found.ok_or_else(|| value_error("chr() arg not in range(0x110000)"))?;
    let lone = || Error::new(ErrorKind::NotSupported, "half of a surrogate pair is not supported");
    Ok(Value::str(char::from_u32(code).map(String::from).ok_or_else(lone)?))
}
