//! Complex numbers as CPython computes and prints them: quotients, powers, `(1+2j)`.

use num_complex::Complex64;

use crate::floats;
use crate::{Error, ErrorKind};

/// `repr(number)`: `1j`, `(1+2j)`, `(-0-1j)`.
pub(crate) fn repr(number: Complex64) -> String {
    let imaginary = floats::short(number.im);
    if number.re == 0.0 && number.re.is_sign_positive() {
        return format!("{imaginary}j");
    }
    let sign = if imaginary.starts_with('-') { "" } else { "+" };
    format!("({}{sign}{imaginary}j)", floats::short(number.re))
}

/// `left / right`, scaled by the larger part of the divisor so that nothing overflows on the way.
pub(crate) fn divide(left: Complex64, right: Complex64) -> Result<Complex64, Error> {
    if right.re == 0.0 && right.im == 0.0 {
        return Err(Error::new(ErrorKind::ZeroDivisionError, "complex division by zero"));
    }
    Ok(quotient(left, right))
}

fn quotient(left: Complex64, right: Complex64) -> Complex64 {
    let (re, im) = (right.re.abs(), right.im.abs());
    if re >= im {
        let ratio = right.im / right.re;
        let denominator = right.re + right.im * ratio;
        Complex64::new(
            (left.re + left.im * ratio) / denominator,
            (left.im - left.re * ratio) / denominator,
        )
    } else if im >= re {
        let ratio = right.re / right.im;
        let denominator = right.re * ratio + right.im;
        Complex64::new(
            (left.re * ratio + left.im) / denominator,
            (left.im * ratio - left.re) / denominator,
        )
    } else {
        Complex64::new(f64::NAN, f64::NAN)
    }
}

pub(crate) fn multiply(left: Complex64, right: Complex64) -> Complex64 {
    Complex64::new(
        left.re * right.re - left.im * right.im,
        left.re * right.im + left.im * right.re,
    )
}

/// `base ** exponent`: by multiplication for whole exponents up to 100, else through the polar form.
pub(crate) fn power(base: Complex64, exponent: Complex64) -> Result<Complex64, Error> {
    let zero_division = || Error::new(ErrorKind::ZeroDivisionError, "0.0 to a negative or complex power");
    let whole = exponent.im == 0.0 && exponent.re == exponent.re.floor() && exponent.re.abs() <= 100.0;
    let result = if whole {
        let count = exponent.re.abs() as u32;
        let power = by_squaring(base, count);
        if exponent.re > 0.0 {
            power
        } else if power.re == 0.0 && power.im == 0.0 {
            return Err(zero_division());
        } else {
            quotient(Complex64::new(1.0, 0.0), power)
        }
    } else if base.re == 0.0 && base.im == 0.0 {
        if exponent.im != 0.0 || exponent.re < 0.0 {
            return Err(zero_division());
        }
        Complex64::new(0.0, 0.0)
    } else {
        let modulus = base.re.hypot(base.im);
        let mut length = modulus.powf(exponent.re);
        let angle = base.im.atan2(base.re);
        let mut phase = angle * exponent.re;
        if exponent.im != 0.0 {
            length /= (angle * exponent.im).exp();
            phase += exponent.im * modulus.ln();
        }
        Complex64::new(length * phase.cos(), length * phase.sin())
    };
    if result.re.is_infinite() || result.im.is_infinite() {
        return Err(Error::new(ErrorKind::OverflowError, "complex exponentiation"));
    }
    Ok(result)
}

fn by_squaring(base: Complex64, count: u32) -> Complex64 {
    let mut result = Complex64::new(1.0, 0.0);
    let mut square = base;
    let mut mask = 1;
    while mask <= count {
        if count & mask != 0 {
            result = multiply(result, square);
        }
        mask <<= 1;
        square = multiply(square, square);
    }
    result
}

/// `abs(number)`, an error where the length of a finite number is too large.
pub(crate) fn length(number: Complex64) -> Result<f64, Error> {
    let length = number.re.hypot(number.im);
    if length.is_infinite() && number.re.is_finite() && number.im.is_finite() {
        return Err(Error::new(ErrorKind::OverflowError, "absolute value too large"));
    }
    Ok(length)
}
