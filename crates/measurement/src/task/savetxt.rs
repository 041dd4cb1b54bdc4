//! Numbers as `numpy.savetxt` writes them by default: `%.18e`, parted by tabs.

use std::fmt::Write;

/// Appends `%.18e` of C: as Rust's, with two digits of the exponent at least and its sign.
pub(crate) fn push(text: &mut String, number: f64) {
    if number.is_nan() {
        text.push_str("nan");
        return;
    }
    if number.is_infinite() {
        text.push_str(if number < 0.0 { "-inf" } else { "inf" });
        return;
    }
    let start = text.len();
    write!(text, "{number:.18e}").expect("a String takes any text");
    let mark = start + text[start..].find('e').expect("an exponent was asked for");
    let exponent: i32 = text[mark + 1..].parse().expect("an exponent is a number");
    text.truncate(mark);
    let sign = if exponent < 0 { '-' } else { '+' };
    write!(text, "e{sign}{:02}", exponent.unsigned_abs()).expect("a String takes any text");
}

/// Lines of columns, all of the same length.
pub(crate) fn lines(columns: &[Vec<f64>]) -> String {
    let rows = columns.first().map_or(0, Vec::len);
    let mut text = String::with_capacity(rows * columns.len() * 26);
    for row in 0..rows {
        for (number, column) in columns.iter().enumerate() {
            if number > 0 {
                text.push('\t');
            }
            push(&mut text, column[row]);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_c_writes_them() {
        for (number, expected) in [
            (0.3, "2.999999999999999889e-01"),
            (2.0, "2.000000000000000000e+00"),
            (-1e300, "-1.000000000000000053e+300"),
            (-0.0, "-0.000000000000000000e+00"),
            // A tie of the last digit goes to the even one.
            (2f64.powi(-28), "3.725290298461914062e-09"),
            (5e-324, "4.940656458412465442e-324"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            let mut text = String::new();
            push(&mut text, number);
            assert_eq!(text, expected);
        }
    }
}
