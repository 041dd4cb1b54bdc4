//! Numbers as text, digit for digit as Python writes them: that is what Exopy's and PyMeasure's drivers put on the wire.
//!
//! Deliberately absent: `n` (locale) and `%` (percent) of Python's format language, which no command uses.

/// `str(float)`: the shortest digits that give the number back.
pub(crate) fn shortest(number: f64) -> String {
    if !number.is_finite() {
        return not_finite(number);
    }
    // Rust's `{:e}` has the shortest digits too; only their layout differs.
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..16).contains(&exponent) {
        return format!("{mantissa}e{}", two_digits(exponent));
    }
    let plain = format!("{number}");
    if plain.contains('.') {
        plain
    } else {
        format!("{plain}.0")
    }
}

/// `%e`: one digit, the point, `precision` digits and an exponent of at least two.
pub(crate) fn exponent(number: f64, precision: usize) -> String {
    if !number.is_finite() {
        return not_finite(number);
    }
    let text = format!("{number:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{mantissa}e{}", two_digits(exponent.parse().unwrap_or(0)))
}

/// `%f`.
pub(crate) fn fixed(number: f64, precision: usize) -> String {
    if number.is_finite() {
        format!("{number:.precision$}")
    } else {
        not_finite(number)
    }
}

/// `%g`: `precision` digits, with an exponent where the number is very small or needs more digits than that.
pub(crate) fn general(number: f64, precision: usize, zeros: Zeros) -> String {
    if !number.is_finite() {
        return not_finite(number);
    }
    let digits = precision.max(1);
    let text = format!("{number:.*e}", digits - 1);
    let power: i32 = text
        .split_once('e')
        .and_then(|(_, power)| power.parse().ok())
        .unwrap_or(0);
    let limit = i32::try_from(digits).unwrap_or(i32::MAX);
    if power < -4 || power >= limit {
        let text = exponent(number, digits - 1);
        let (mantissa, power) = text.split_once('e').unwrap_or((&text, "+00"));
        return format!("{}e{power}", zeros.of(mantissa));
    }
    let decimals = usize::try_from(limit - 1 - power).unwrap_or(0);
    zeros.of(&fixed(number, decimals)).to_owned()
}

/// What becomes of the zeros at the end of `%g`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zeros {
    Dropped,
    /// `%#g`.
    Kept,
}

impl Zeros {
    fn of(self, digits: &str) -> &str {
        match self {
            Self::Dropped if digits.contains('.') => digits.trim_end_matches('0').trim_end_matches('.'),
            Self::Dropped | Self::Kept => digits,
        }
    }
}

fn two_digits(exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{:02}", exponent.unsigned_abs())
}

fn not_finite(number: f64) -> String {
    let word = match (number.is_nan(), number > 0.0) {
        (true, _) => "nan",
        (false, true) => "inf",
        (false, false) => "-inf",
    };
    word.to_owned()
}

/// The number that an answer's text is, as Python's `float` takes it, but without underscores.
pub(crate) fn parse(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Zeros, exponent, general, shortest};

    #[test]
    fn numbers_are_written_as_python_writes_them() {
        let check = |written: String, expected: &str| assert_eq!(written, expected);
        check(shortest(4.5), "4.5");
        check(shortest(1e-5), "1e-05");
        check(shortest(1e16), "1e+16");
        check(shortest(123_456_789_012_345.0), "123456789012345.0");
        check(shortest(-10.0), "-10.0");
        check(shortest(0.0001), "0.0001");
        check(exponent(12.5, 3), "1.250e+01");
        check(general(1e-5, 6, Zeros::Dropped), "1e-05");
        check(general(100_000.0, 6, Zeros::Dropped), "100000");
        check(general(1e6, 6, Zeros::Dropped), "1e+06");
        check(general(999_999.5, 6, Zeros::Dropped), "1e+06");
        check(general(0.5, 3, Zeros::Kept), "0.500");
    }
}
