//! Methods of numbers.

use num_bigint::BigInt;
use num_traits::One;

use crate::numpy::{Arguments, Function};
use crate::parameters::{one, type_error, value_error};
use crate::{Error, ErrorKind, Scalar, Value};
use crate::{floats, integers};

pub(super) fn int_method(name: &str) -> Option<Function> {
    let function: Function = match name {
        "bit_length" => |arguments| {
            Ok(Value::Int(
                i64::try_from(int("bit_length", arguments)?.bits()).unwrap_or(i64::MAX),
            ))
        },
        "bit_count" => |arguments| {
            let ones = int("bit_count", arguments)?
                .magnitude()
                .iter_u64_digits()
                .map(u64::count_ones)
                .sum::<u32>();
            Ok(Value::Int(i64::from(ones)))
        },
        "conjugate" => |arguments| int("conjugate", arguments).map(Value::int),
        "as_integer_ratio" => |arguments| {
            Ok(Value::tuple(vec![
                Value::int(int("as_integer_ratio", arguments)?),
                Value::Int(1),
            ]))
        },
        _ => return None,
    };
    Some(function)
}

fn int(name: &str, arguments: Arguments) -> Result<BigInt, Error> {
    let value = one(name, arguments)?;
    let number = integers::integer(&value).map(std::borrow::Cow::into_owned);
    number.ok_or_else(|| type_error(format!("descriptor '{name}' requires a 'int' object")))
}

pub(super) fn float_method(name: &str) -> Option<Function> {
    let function: Function = match name {
        "is_integer" => |arguments| {
            let number = float("is_integer", arguments)?;
            Ok(Value::Bool(number.is_finite() && number == number.trunc()))
        },
        "conjugate" => |arguments| one("conjugate", arguments),
        "hex" => |arguments| Ok(Value::str(hexadecimal(float("hex", arguments)?))),
        "as_integer_ratio" => |arguments| ratio(float("as_integer_ratio", arguments)?),
        _ => return None,
    };
    Some(function)
}

pub(super) fn float_type_method(name: &str) -> Option<Function> {
    if name == "fromhex" {
        return Some(|arguments| {
            let text = one("fromhex", arguments)?;
            let text = text
                .as_str()
                .ok_or_else(|| type_error("bad argument type for built-in operation"))?;
            from_hexadecimal(text).map(Value::Float)
        });
    }
    float_method(name)
}

fn float(name: &str, arguments: Arguments) -> Result<f64, Error> {
    match one(name, arguments)? {
        Value::Float(number) | Value::Scalar(Scalar::Float(number)) => Ok(number),
        other => {
            let message = format!(
                "descriptor '{name}' for 'float' objects doesn't apply to a '{}' object",
                other.type_name()
            );
            Err(type_error(message))
        }
    }
}

pub(super) fn complex_method(name: &str) -> Option<Function> {
    let function: Function = match name {
        "conjugate" => |arguments| match one("conjugate", arguments)? {
            Value::Complex(number) => Ok(Value::Complex(number.conj())),
            other => Err(type_error(format!(
                "descriptor 'conjugate' requires a 'complex' object, not '{}'",
                other.type_name()
            ))),
        },
        _ => return None,
    };
    Some(function)
}

/// `0x1.8000000000000p+1`
fn hexadecimal(number: f64) -> String {
    if !number.is_finite() {
        return floats::short(number);
    }
    let sign = if number.is_sign_negative() { "-" } else { "" };
    if number == 0.0 {
        return format!("{sign}0x0.0p+0");
    }
    let bits = number.to_bits();
    let (fraction, exponent) = (bits & ((1 << 52) - 1), ((bits >> 52) & 0x7ff) as i64);
    let (lead, exponent) = if exponent == 0 {
        (0, -1022)
    } else {
        (1, exponent - 1023)
    };
    let plus = if exponent < 0 { '-' } else { '+' };
    format!("{sign}0x{lead}.{fraction:013x}p{plus}{}", exponent.abs())
}

fn from_hexadecimal(text: &str) -> Result<f64, Error> {
    let invalid = || value_error("invalid hexadecimal floating-point string");
    let trimmed = text.trim();
    let (negative, body) = match trimmed.strip_prefix('-') {
        Some(body) => (true, body),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let lower = body.to_ascii_lowercase();
    if let "inf" | "infinity" | "nan" = &*lower {
        return floats::parse(trimmed).ok_or_else(invalid);
    }
    let body = lower.strip_prefix("0x").unwrap_or(&lower);
    let (mantissa, exponent) = body.split_once('p').unwrap_or((body, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.len() > 1000 || digits.starts_with(['+', '-']) {
        return Err(invalid());
    }
    let mantissa = BigInt::parse_bytes(digits.as_bytes(), 16).ok_or_else(invalid)?;
    let exponent: i64 = exponent.parse().map_err(|_| invalid())?;
    // Four bits for each digit after the point; beyond these exponents nothing is left, or too much.
    let shift = exponent.clamp(-10_000, 10_000) - 4 * fraction.len() as i64;
    let number = if shift >= 0 {
        integers::to_f64(&(mantissa << shift))
    } else {
        integers::true_divide(&mantissa, &(BigInt::one() << -shift)).ok()
    };
    let number = number.ok_or_else(|| {
        Error::new(
            ErrorKind::OverflowError,
            "hexadecimal value too large to represent as a float",
        )
    })?;
    Ok(if negative { -number } else { number })
}

fn ratio(number: f64) -> Result<Value, Error> {
    if !number.is_finite() {
        let (kind, what) = if number.is_nan() {
            (ErrorKind::ValueError, "NaN")
        } else {
            (ErrorKind::OverflowError, "Infinity")
        };
        return Err(Error::new(kind, format!("cannot convert {what} to integer ratio")));
    }
    let (mantissa, exponent) = floats::decompose(number);
    let zeros = if mantissa == 0 { 0 } else { mantissa.trailing_zeros() };
    let (mantissa, exponent) = (BigInt::from(mantissa >> zeros), exponent + zeros as i32);
    let pair = match (mantissa == BigInt::ZERO, exponent >= 0) {
        (true, _) => (BigInt::ZERO, BigInt::one()),
        (false, true) => (mantissa << exponent, BigInt::one()),
        (false, false) => (mantissa, BigInt::one() << -exponent),
    };
    Ok(Value::tuple(vec![Value::int(pair.0), Value::int(pair.1)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_floats_read_back() {
        for number in [1.0, -0.1, 5e-324, f64::MAX, 3.5e-310] {
            assert_eq!(from_hexadecimal(&hexadecimal(number)).unwrap(), number);
        }
    }
}
