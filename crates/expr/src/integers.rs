//! Python's integers where they leave 64 bits: exact, and correctly rounded where they become floats.
//!
//! The short way for numbers that fit is in [`crate::operators`]; here everything is a `BigInt` and every size is checked
//! before it is computed.

use std::borrow::Cow;

use num_bigint::{BigInt, Sign};
use num_traits::{One, Signed, ToPrimitive, Zero};

use crate::floats;
use crate::limits;
use crate::numpy::BinaryOp;
use crate::{Error, ErrorKind, Scalar, Value};

/// Digits that Python prints and reads at most.
const MAX_DIGITS: usize = 4300;

/// The integer in a value, bool included.
pub(crate) fn integer(value: &Value) -> Option<Cow<'_, BigInt>> {
    match value {
        Value::Bool(b) => Some(Cow::Owned(BigInt::from(u8::from(*b)))),
        Value::Int(i) | Value::Scalar(Scalar::Int(i)) => Some(Cow::Owned(BigInt::from(*i))),
        Value::BigInt(big) => Some(Cow::Borrowed(big)),
        _ => None,
    }
}

/// The nearest float; none when it is too large.
pub(crate) fn to_f64(number: &BigInt) -> Option<f64> {
    let magnitude = number.magnitude();
    let bits = magnitude.bits();
    // 11 bits below the 53 of a float stay to round by; the lowest stands for all that was cut off.
    let shift = bits.saturating_sub(64);
    let mut top = (magnitude >> shift).to_u64()?;
    if shift > 0 && magnitude.trailing_zeros().is_some_and(|zeros| zeros < shift) {
        top |= 1;
    }
    let float = floats::scale(top as f64, i32::try_from(shift).ok()?);
    if float.is_infinite() {
        return None;
    }
    Some(if number.is_negative() { -float } else { float })
}

/// [`to_f64`] with Python's error.
pub(crate) fn to_float(number: &BigInt) -> Result<f64, Error> {
    to_f64(number).ok_or_else(|| Error::new(ErrorKind::OverflowError, "int too large to convert to float"))
}

/// The integer part of a float.
pub(crate) fn from_f64(number: f64) -> Result<BigInt, Error> {
    if number.is_nan() {
        return Err(Error::new(ErrorKind::ValueError, "cannot convert float NaN to integer"));
    }
    if number.is_infinite() {
        return Err(Error::new(
            ErrorKind::OverflowError,
            "cannot convert float infinity to integer",
        ));
    }
    let (mantissa, exponent) = floats::decompose(number.trunc());
    let magnitude = BigInt::from(mantissa);
    Ok(if exponent >= 0 {
        magnitude << exponent
    } else {
        magnitude >> -exponent
    })
}

/// `left op right`.
pub(crate) fn binary(operator: BinaryOp, left: &BigInt, right: &BigInt) -> Result<Value, Error> {
    let bits = left.bits().max(right.bits());
    Ok(Value::int(match operator {
        BinaryOp::Add => {
            limits::int_bits(bits + 1)?;
            left + right
        }
        BinaryOp::Sub => {
            limits::int_bits(bits + 1)?;
            left - right
        }
        BinaryOp::Mul => {
            limits::int_bits(left.bits() + right.bits())?;
            // Products of long numbers take longer than their length.
            limits::work(usize::try_from(left.bits().min(right.bits()) / 64 * (bits / 64) / 32).unwrap_or(usize::MAX))?;
            left * right
        }
        BinaryOp::Div => return true_divide(left, right).map(Value::Float),
        BinaryOp::FloorDiv => divide(left, right)?.0,
        BinaryOp::Mod => divide(left, right)?.1,
        BinaryOp::Pow => return power(left, right),
        BinaryOp::BitAnd => left & right,
        BinaryOp::BitOr => left | right,
        BinaryOp::BitXor => left ^ right,
        BinaryOp::LeftShift => {
            if right.is_negative() {
                return Err(Error::new(ErrorKind::ValueError, "negative shift count"));
            }
            if left.is_zero() {
                return Ok(Value::Int(0));
            }
            let count = right.to_u64().unwrap_or(u64::MAX);
            limits::int_bits(left.bits().saturating_add(count))?;
            left << count
        }
        BinaryOp::RightShift => {
            if right.is_negative() {
                return Err(Error::new(ErrorKind::ValueError, "negative shift count"));
            }
            match right.to_u64().filter(|count| *count <= left.bits()) {
                Some(count) => left >> count,
                None => BigInt::from(if left.is_negative() { -1 } else { 0 }),
            }
        }
        BinaryOp::MatMul => {
            let message = "unsupported operand type(s) for @: 'int' and 'int'";
            return Err(Error::new(ErrorKind::TypeError, message));
        }
    }))
}

/// Quotient towards minus infinity and the rest, which has the sign of `right`.
pub(crate) fn divide(left: &BigInt, right: &BigInt) -> Result<(BigInt, BigInt), Error> {
    if right.is_zero() {
        return Err(Error::new(
            ErrorKind::ZeroDivisionError,
            "integer division or modulo by zero",
        ));
    }
    limits::work(usize::try_from(left.bits() / 64 * (right.bits() / 64) / 16).unwrap_or(usize::MAX))?;
    let (quotient, rest) = (left / right, left % right);
    if !rest.is_zero() && rest.is_negative() != right.is_negative() {
        return Ok((quotient - 1, rest + right));
    }
    Ok((quotient, rest))
}

/// `left / right`, rounded once.
pub(crate) fn true_divide(left: &BigInt, right: &BigInt) -> Result<f64, Error> {
    if right.is_zero() {
        return Err(Error::new(ErrorKind::ZeroDivisionError, "division by zero"));
    }
    if left.is_zero() {
        // `0 / -5` is `-0.0`.
        return Ok(if right.is_negative() { -0.0 } else { 0.0 });
    }
    let too_large = || {
        Error::new(
            ErrorKind::OverflowError,
            "integer division result too large for a float",
        )
    };
    let negative = left.is_negative() != right.is_negative();
    let (a, b) = (left.magnitude(), right.magnitude());
    // A quotient of 66 bits or 67; below the normal floats fewer, so that nothing is rounded twice.
    let mut shift = i64::try_from(b.bits()).unwrap_or(i64::MAX) - i64::try_from(a.bits()).unwrap_or(0) + 66;
    shift = shift.min(1074 + 2);
    let (quotient, rest) = if shift >= 0 {
        let shifted = a << shift.unsigned_abs();
        (&shifted / b, !(&shifted % b).is_zero())
    } else {
        let divisor = b << shift.unsigned_abs();
        (a / &divisor, !(a % &divisor).is_zero())
    };
    // The last bit stands for the rest: `to_f64` rounds as if all of it were there.
    let mut quotient = BigInt::from_biguint(Sign::Plus, quotient) << 1;
    if rest {
        quotient += 1;
    }
    let shift = shift + 1;
    let result = round_scaled(&quotient, shift).ok_or_else(too_large)?;
    Ok(if negative { -result } else { result })
}

/// `number * 2**-shift`, rounded once also below the normal floats.
fn round_scaled(number: &BigInt, shift: i64) -> Option<f64> {
    let bits = i64::try_from(number.bits()).ok()?;
    // The lowest place of the result: 53 bits, and not below 2**-1074.
    let place = (bits - shift - 53).max(-1074);
    let drop = place + shift;
    let kept = if drop > 0 {
        let half = BigInt::one() << (drop - 1);
        let mask = (BigInt::one() << drop) - 1;
        let rest = number & &mask;
        let mut kept = number >> drop;
        if rest > half || (rest == half && kept.bit(0)) {
            kept += 1;
        }
        kept
    } else {
        number << -drop
    };
    let result = floats::scale(kept.to_u64()? as f64, i32::try_from(place).ok()?);
    result.is_finite().then_some(result)
}

fn power(base: &BigInt, exponent: &BigInt) -> Result<Value, Error> {
    if exponent.is_negative() {
        return floats::power(to_float(base)?, to_float(exponent)?);
    }
    if exponent.is_zero() || base.is_one() {
        return Ok(Value::Int(1));
    }
    if base.is_zero() {
        return Ok(Value::Int(0));
    }
    if base.magnitude().is_one() {
        return Ok(Value::Int(if exponent.bit(0) { -1 } else { 1 }));
    }
    let count = exponent.to_u32().unwrap_or(u32::MAX);
    limits::int_bits((base.bits() - 1).saturating_mul(u64::from(count)))?;
    let words = usize::try_from(base.bits().saturating_mul(u64::from(count)) / 64).unwrap_or(usize::MAX);
    limits::work(words.saturating_mul(words) / 64)?;
    Ok(Value::int(base.pow(count)))
}

/// Decimal digits, as many as Python prints.
pub(crate) fn to_text(number: &BigInt) -> Result<String, Error> {
    // A digit is 3.32 bits; what is clearly too long is not converted.
    if number.bits() > (MAX_DIGITS as u64 + 1) * 10 / 3 {
        return Err(too_many_digits("conversion"));
    }
    // Long division for each digit: the time grows with the square.
    let words = usize::try_from(number.bits() / 64).unwrap_or(usize::MAX);
    limits::work(words * words / 4)?;
    let text = number.to_string();
    if text.trim_start_matches('-').len() > MAX_DIGITS {
        return Err(too_many_digits("conversion"));
    }
    Ok(text)
}

fn too_many_digits(what: &str) -> Error {
    let message = format!("Exceeds the limit ({MAX_DIGITS} digits) for integer string {what}; use hex() instead");
    Error::new(ErrorKind::ValueError, message)
}

/// `int(text, base)`: underscores between digits, a prefix that fits the base, blanks around; base 0 goes by the prefix.
pub(crate) fn parse(text: &str, base: u32) -> Result<Value, Error> {
    let invalid = || {
        Error::new(
            ErrorKind::ValueError,
            format!(
                "invalid literal for int() with base {base}: {}",
                Value::str(text).repr()
            ),
        )
    };
    let trimmed = text.trim_matches(|c: char| c.is_whitespace());
    let (negative, digits) = match trimmed.as_bytes().first() {
        Some(b'-') => (true, &trimmed[1..]),
        Some(b'+') => (false, &trimmed[1..]),
        _ => (false, trimmed),
    };
    let lower = digits.to_ascii_lowercase();
    let prefixed = match lower.get(..2) {
        Some("0x") => 16,
        Some("0o") => 8,
        Some("0b") => 2,
        _ => 0,
    };
    let has_prefix = prefixed != 0 && (base == 0 || base == prefixed);
    let radix = match (has_prefix, base) {
        (true, _) => prefixed,
        (false, 0) => 10,
        (false, base) => base,
    };
    let body = if has_prefix {
        lower[2..].strip_prefix('_').unwrap_or(&lower[2..])
    } else {
        &*lower
    };
    let well_placed = !body.starts_with('_') && !body.ends_with('_') && !body.contains("__");
    let plain: String = body
        .chars()
        .filter(|c| *c != '_')
        .map(|c| {
            c.to_digit(10)
                .and_then(|digit| char::from_digit(digit, 10))
                .unwrap_or(c)
        })
        .collect();
    let valid = !plain.is_empty() && well_placed && plain.chars().all(|c| c.is_digit(radix));
    if !valid
        || (base == 0
            && !has_prefix
            && plain.len() > 1
            && plain.starts_with('0')
            && !plain.trim_matches('0').is_empty())
    {
        return Err(invalid());
    }
    if !radix.is_power_of_two() && plain.len() > MAX_DIGITS {
        return Err(too_many_digits("conversion"));
    }
    limits::elements(plain.len())?;
    limits::int_bits(plain.len() as u64 * u64::from(radix.ilog2() + 1))?;
    let magnitude = BigInt::parse_bytes(plain.as_bytes(), radix).ok_or_else(invalid)?;
    Ok(Value::int(if negative { -magnitude } else { magnitude }))
}
