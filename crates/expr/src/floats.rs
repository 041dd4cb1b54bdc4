//! Floats as CPython computes and prints them: `//`, `%`, `**`, the shortest text that reads back the same.

use num_complex::Complex64;

use crate::{Error, ErrorKind, Value};

/// `repr(number)`: `0.1`, `2.0`, `1e-05`, `1e+16`, `nan`, `-inf`.
pub(crate) fn python_float_repr(number: f64) -> String {
    let mut text = short(number);
    if number.is_finite() && !text.contains(['.', 'e']) {
        text.push_str(".0");
    }
    text
}

/// The shortest digits without `.0`, as complex numbers print their parts.
pub(crate) fn short(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    let (negative, digits, point) = shortest(number);
    let sign = if negative { "-" } else { "" };
    let body = if point > -4 && point <= 16 {
        positional(&digits, point)
    } else {
        scientific(&digits, point)
    };
    format!("{sign}{body}")
}

/// Sign, shortest digits and the place of the point: `0.d₁d₂… · 10^point`.
pub(crate) fn shortest(number: f64) -> (bool, String, i32) {
    split(&format!("{:e}", number.abs()), number.is_sign_negative())
}

/// The same with exactly `count` digits, at least one, correctly rounded.
pub(crate) fn rounded(number: f64, count: usize) -> (bool, String, i32) {
    split(
        &format!("{:.*e}", count.max(1) - 1, number.abs()),
        number.is_sign_negative(),
    )
}

fn split(text: &str, negative: bool) -> (bool, String, i32) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    (negative, mantissa.replace('.', ""), exponent + 1)
}

/// Digits with the point `point` places after the start.
pub(crate) fn positional(digits: &str, point: i32) -> String {
    let length = digits.len();
    match usize::try_from(point) {
        Err(_) | Ok(0) => format!("0.{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
        Ok(whole) if whole >= length => format!("{digits}{}", "0".repeat(whole - length)),
        Ok(whole) => format!("{}.{}", &digits[..whole], &digits[whole..]),
    }
}

/// One digit, point, the rest, exponent of two digits or more.
pub(crate) fn scientific(digits: &str, point: i32) -> String {
    let exponent = point - 1;
    let sign = if exponent < 0 { '-' } else { '+' };
    let (first, rest) = digits.split_at(1);
    let dot = if rest.is_empty() { "" } else { "." };
    format!("{first}{dot}{rest}e{sign}{:02}", exponent.unsigned_abs())
}

/// `float(text)`: Python's spelling, underscores and blanks included; none if it is no number.
pub(crate) fn parse(text: &str) -> Option<f64> {
    let trimmed = text.trim_matches(|c: char| c.is_whitespace());
    let unsigned = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    let special = match unsigned.to_ascii_lowercase().as_str() {
        "inf" | "infinity" => Some(f64::INFINITY),
        "nan" => Some(f64::NAN),
        _ => None,
    };
    if let Some(special) = special {
        return Some(if trimmed.starts_with('-') { -special } else { special });
    }
    let bytes = unsigned.as_bytes();
    let numeric = bytes
        .iter()
        .all(|byte| byte.is_ascii_digit() || b"._eE+-".contains(byte));
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let underscores_fit = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'_')
        .all(|(at, _)| digit(at.checked_sub(1)) && digit(Some(at + 1)));
    if !numeric || !underscores_fit || unsigned.starts_with(['+', '-']) {
        return None;
    }
    trimmed.replace('_', "").parse().ok()
}

/// `left // right` and `left % right`.
pub(crate) fn divide(left: f64, right: f64) -> (f64, f64) {
    let mut rest = left % right;
    let mut quotient = (left - rest) / right;
    if rest == 0.0 {
        // The rest has the sign of the divisor, zero too.
        rest = 0.0_f64.copysign(right);
    } else if (right < 0.0) != (rest < 0.0) {
        rest += right;
        quotient -= 1.0;
    }
    let floor = if quotient == 0.0 {
        0.0_f64.copysign(left / right)
    } else {
        let floor = quotient.floor();
        if quotient - floor > 0.5 { floor + 1.0 } else { floor }
    };
    (floor, rest)
}

/// `left % right` alone: what it says of infinities does not pass through the quotient.
pub(crate) fn modulo(left: f64, right: f64) -> f64 {
    let rest = left % right;
    if rest == 0.0 {
        0.0_f64.copysign(right)
    } else if (right < 0.0) != (rest < 0.0) {
        rest + right
    } else {
        rest
    }
}

/// `base ** exponent`: complex for the root of a negative number.
pub(crate) fn power(base: f64, exponent: f64) -> Result<Value, Error> {
    if base == 0.0 && exponent < 0.0 {
        let message = "0.0 cannot be raised to a negative power";
        return Err(Error::new(ErrorKind::ZeroDivisionError, message));
    }
    if base < 0.0 && base.is_finite() && exponent.is_finite() && exponent != exponent.floor() {
        return crate::complex::power(Complex64::new(base, 0.0), Complex64::new(exponent, 0.0)).map(Value::Complex);
    }
    let result = base.powf(exponent);
    if result.is_infinite() && base.is_finite() && exponent.is_finite() {
        return Err(Error::new(
            ErrorKind::OverflowError,
            "(34, 'Numerical result out of range')",
        ));
    }
    Ok(Value::Float(result))
}

/// `round(number, digits)`: through the decimal text, half to even.
pub(crate) fn round(number: f64, digits: i64) -> Result<f64, Error> {
    // Beyond these there is nothing left to round, or nothing left.
    if !number.is_finite() || number == 0.0 || digits > 323 {
        return Ok(number);
    }
    let zero = 0.0_f64.copysign(number);
    if digits < -308 {
        return Ok(zero);
    }
    let digits = i32::try_from(digits).unwrap_or(0);
    let result = match usize::try_from(digits) {
        Ok(digits) => format!("{number:.digits$}").parse().unwrap_or(number),
        Err(_) => {
            let (_, _, point) = shortest(number);
            let kept = point + digits;
            if kept > 0 {
                let kept = usize::try_from(kept).unwrap_or(1);
                format!("{number:.*e}", kept - 1).parse().unwrap_or(number)
            } else if kept == 0 && number.abs() > 5.0 * 10f64.powi(point - 1) {
                10f64.powi(point).copysign(number)
            } else {
                zero
            }
        }
    };
    if f64::is_infinite(result) {
        return Err(Error::new(
            ErrorKind::OverflowError,
            "rounded value too large to represent",
        ));
    }
    Ok(result)
}

/// `number * 2**exponent`, rounded once.
pub(crate) fn scale(number: f64, exponent: i32) -> f64 {
    // Three steps reach from the largest float to the smallest; the last one alone may round.
    let mut number = number;
    let mut exponent = exponent;
    while exponent > 1023 && number != 0.0 && number.is_finite() {
        number *= 2f64.powi(1023);
        exponent -= 1023;
    }
    while exponent < -969 && number != 0.0 && number.abs() > 2f64.powi(-52) {
        number *= 2f64.powi(-969);
        exponent += 969;
    }
    number * 2f64.powi(exponent.max(-1074))
}

/// Mantissa with sign, and exponent: `number == mantissa * 2**exponent`.
pub(crate) fn decompose(number: f64) -> (i64, i32) {
    let bits = number.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32;
    let fraction = (bits & ((1 << 52) - 1)) as i64;
    let (mantissa, exponent) = if exponent == 0 {
        (fraction, -1074)
    } else {
        (fraction | (1 << 52), exponent - 1075)
    };
    (if number.is_sign_negative() { -mantissa } else { mantissa }, exponent)
}
