//! How numpy words its values: aligned columns, eight digits, lines of 75, and `...` where there are more than a thousand.
//!
//! The digits of a float are the shortest that read back as the same float, as in Rust's own formatting; beyond the
//! precision they are rounded from the exact value. Deliberately absent: print options; a formula cannot set any.

use std::fmt::Write as _;

use num_complex::Complex64;

use super::index::edges;
use super::kind::{Kind, dtype_text};
use crate::{Array, RecordArray, Scalar, Value};

const LINE_WIDTH: usize = 75;
const PRECISION: usize = 8;
const SUMMARISE_BEYOND: usize = 1000;
const EDGE_ITEMS: usize = 3;

/// `str(value)` as numpy words it.
pub(crate) fn str(value: &Value) -> String {
    match value {
        Value::Scalar(scalar) => scalar_str(scalar),
        Value::Array(array) if array.dims().is_empty() => scalar_str(&array.element(0)),
        Value::Array(array) => body(array, " ", 0, 0),
        Value::Record(record) if is_row(record) => row_text(record),
        Value::Record(record) => record_body(record, " ", 0, 0),
        _ => String::new(),
    }
}

/// `repr(value)` as numpy words it.
pub(crate) fn repr(value: &Value) -> String {
    match value {
        Value::Scalar(scalar) => scalar_repr(scalar),
        Value::Array(array) => {
            let width = dtype_text(array);
            let dtype = if array.kind() == Kind::Str {
                format!("'{width}'")
            } else {
                width
            };
            let implied = array.kind() != Kind::Str && array.count() > 0;
            framed(
                body(array, ", ", "array(".len(), 1),
                array.dims(),
                (!implied).then_some(dtype),
            )
        }
        Value::Record(record) if is_row(record) => {
            format!("np.void({}, dtype={})", row_text(record), record_dtype(record))
        }
        Value::Record(record) => {
            let rows = record.fields.first().map_or(0, |(_, column)| column.count());
            framed(
                record_body(record, ", ", "array(".len(), 1),
                &[rows],
                Some(record_dtype(record)),
            )
        }
        _ => String::new(),
    }
}

/// `array(…)` around the elements, with what they do not say by themselves.
fn framed(body: String, dims: &[usize], dtype: Option<String>) -> String {
    let count: usize = dims.iter().product();
    let mut extras = Vec::new();
    if (count == 0 && dims != [0]) || count > SUMMARISE_BEYOND {
        extras.push(format!("shape={}", python_shape(dims)));
    }
    extras.extend(dtype.map(|dtype| format!("dtype={dtype}")));
    if extras.is_empty() {
        return format!("array({body})");
    }
    let text = format!("array({body},");
    let extra = format!("{})", extras.join(", "));
    let last_line = text.chars().rev().take_while(|c| *c != '\n').count();
    let gap = if last_line + extra.chars().count() + 1 > LINE_WIDTH {
        "\n      "
    } else {
        " "
    };
    format!("{text}{gap}{extra}")
}

/// `(2, 3)`: a shape as Python prints a tuple.
pub(super) fn python_shape(dims: &[usize]) -> String {
    match dims {
        [one] => format!("({one},)"),
        _ => format!(
            "({})",
            dims.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// `str` of a scalar, which is also the text that an array of text makes of it.
pub(super) fn scalar_str(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Bool(true) => "True".to_owned(),
        Scalar::Bool(false) => "False".to_owned(),
        Scalar::Int(number) => number.to_string(),
        Scalar::Float(number) => float_text(*number),
        Scalar::Complex(number) => complex_text(*number),
        Scalar::Str(text) => text.to_string(),
    }
}

fn scalar_repr(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Bool(true) => "np.True_".to_owned(),
        Scalar::Bool(false) => "np.False_".to_owned(),
        Scalar::Int(number) => format!("np.int64({number})"),
        Scalar::Float(number) => format!("np.float64({})", float_text(*number)),
        Scalar::Complex(number) => {
            let text = complex_text(*number);
            format!("np.complex128({})", text.trim_start_matches('(').trim_end_matches(')'))
        }
        Scalar::Str(text) => format!("np.str_({})", quoted(text)),
    }
}

/// `repr(float)`: the shortest digits; powers of ten below 1e-4 and from 1e16 on.
pub(super) fn float_text(x: f64) -> String {
    if x.is_nan() {
        return "nan".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf".to_owned() } else { "-inf".to_owned() };
    }
    if x != 0.0 && (x.abs() < 1e-4 || x.abs() >= 1e16) {
        let text = format!("{x:e}");
        let (digits, exponent) = text.split_once('e').expect("the format has an exponent");
        let power: i32 = exponent.parse().expect("the exponent is a small int");
        return format!("{digits}e{}{:02}", if power < 0 { '-' } else { '+' }, power.abs());
    }
    let text = format!("{x}");
    if text.contains('.') { text } else { format!("{text}.0") }
}

fn complex_text(z: Complex64) -> String {
    let short = |x: f64| {
        float_text(x)
            .strip_suffix(".0")
            .map_or_else(|| float_text(x), str::to_owned)
    };
    if z.re == 0.0 && z.re.is_sign_positive() {
        return format!("{}j", short(z.im));
    }
    let sign = if z.im.is_nan() || z.im.is_sign_positive() {
        "+"
    } else {
        ""
    };
    format!("({}{sign}{}j)", short(z.re), short(z.im))
}

/// `repr(str)`.
pub(super) fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if (c as u32) < 0x20 || (0x7f..0xa0).contains(&(c as u32)) => {
                write!(out, "\\x{:02x}", c as u32).expect("a String takes everything");
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// The elements in their brackets; `prefix` columns stand before them and `suffix` after.
fn body(array: &Array, separator: &str, prefix: usize, suffix: usize) -> String {
    if array.count() == 0 {
        return "[]".to_owned();
    }
    let summarised = array.count() > SUMMARISE_BEYOND;
    let shown = if summarised {
        edges(array, EDGE_ITEMS)
    } else {
        array.clone()
    };
    let words = words(&shown);
    layout(
        &words,
        array.dims(),
        shown.dims(),
        summarised,
        separator,
        prefix,
        suffix,
    )
}

fn record_body(record: &RecordArray, separator: &str, prefix: usize, suffix: usize) -> String {
    let rows = record.fields.first().map_or(0, |(_, column)| column.count());
    if rows == 0 {
        return "[]".to_owned();
    }
    let summarised = rows > SUMMARISE_BEYOND;
    let columns: Vec<Vec<String>> = record
        .fields
        .iter()
        .map(|(_, column)| {
            if summarised {
                words(&edges(column, EDGE_ITEMS))
            } else {
                words(column)
            }
        })
        .collect();
    let shown = columns.first().map_or(0, Vec::len);
    let row = |i: usize| {
        let cells: Vec<&str> = columns.iter().map(|column| column[i].as_str()).collect();
        if let [one] = cells[..] {
            format!("({one},)")
        } else {
            format!("({})", cells.join(", "))
        }
    };
    let rows_text: Vec<String> = (0..shown).map(row).collect();
    layout(&rows_text, &[rows], &[shown], summarised, separator, prefix, suffix)
}

/// `(1.0, 2.0)`: a row of a record array.
fn row_text(record: &RecordArray) -> String {
    let cells: Vec<String> = record
        .fields
        .iter()
        .map(|(_, cell)| match cell.element(0) {
            Scalar::Str(text) => quoted(&text),
            other => scalar_str(&other),
        })
        .collect();
    if let [one] = &cells[..] {
        format!("({one},)")
    } else {
        format!("({})", cells.join(", "))
    }
}

/// Whether a record array is one row of another: its fields have no dimension.
pub(super) fn is_row(record: &RecordArray) -> bool {
    record
        .fields
        .first()
        .is_some_and(|(_, column)| column.dims().is_empty())
}

/// `[('a', '<f8'), …]`.
pub(super) fn record_dtype(record: &RecordArray) -> String {
    let code = |column: &Array| match column {
        Array::Bool(_) => "?".to_owned(),
        Array::Int(_) => "<i8".to_owned(),
        Array::Float(_) => "<f8".to_owned(),
        Array::Complex(_) => "<c16".to_owned(),
        Array::Str { width, .. } => format!("<U{width}"),
    };
    let fields: Vec<String> = record
        .fields
        .iter()
        .map(|(name, column)| format!("({}, '{}')", quoted(name), code(column)))
        .collect();
    format!("[{}]", fields.join(", "))
}

/// Every element as its word, padded so that columns align.
fn words(array: &Array) -> Vec<String> {
    match array {
        Array::Bool(data) => {
            let yes = if array.dims().is_empty() { "True" } else { " True" };
            data.iter()
                .map(|flag| if *flag { yes } else { "False" }.to_owned())
                .collect()
        }
        Array::Int(data) => {
            let width = data.iter().map(|x| x.to_string().len()).max().unwrap_or(0);
            data.iter().map(|x| format!("{x:>width$}")).collect()
        }
        Array::Float(data) => {
            let data: Vec<f64> = data.iter().copied().collect();
            let format = FloatFormat::fit(&data, false);
            data.iter().map(|x| format.word(*x)).collect()
        }
        Array::Complex(data) => {
            let re: Vec<f64> = data.iter().map(|z| z.re).collect();
            let im: Vec<f64> = data.iter().map(|z| z.im).collect();
            let (re_format, im_format) = (FloatFormat::fit(&re, false), FloatFormat::fit(&im, true));
            let word = |(re, im): (&f64, &f64)| {
                let im = im_format.word(*im);
                let bare = im.trim_end();
                format!("{}{bare}j{}", re_format.word(*re), &im[bare.len()..])
            };
            re.iter().zip(&im).map(word).collect()
        }
        Array::Str { data, .. } => data.iter().map(|text| quoted(text)).collect(),
    }
}

/// How the floats of one array are written, so that their points stand below each other.
struct FloatFormat {
    exponential: bool,
    /// Digits after the point, in exponential form.
    precision: usize,
    exponent_digits: usize,
    pad_left: usize,
    pad_right: usize,
    signed: bool,
}

impl FloatFormat {
    fn fit(data: &[f64], signed: bool) -> FloatFormat {
        let finite: Vec<f64> = data.iter().copied().filter(|x| x.is_finite()).collect();
        let sizes = finite.iter().map(|x| x.abs()).filter(|x| *x > 0.0);
        let largest = sizes.clone().fold(f64::NEG_INFINITY, f64::max);
        let smallest = sizes.fold(f64::INFINITY, f64::min);
        let exponential = smallest.is_finite() && (largest >= 1e8 || smallest < 0.0001 || largest / smallest > 1000.0);
        let mut format = FloatFormat {
            exponential,
            precision: 0,
            exponent_digits: 0,
            pad_left: 0,
            pad_right: 0,
            signed,
        };
        for x in &finite {
            if exponential {
                let (mantissa, exponent) = scientific(*x);
                let (whole, fraction) = mantissa.split_once('.').unwrap_or((&mantissa, ""));
                format.precision = format.precision.max(fraction.len());
                format.exponent_digits = format
                    .exponent_digits
                    .max(exponent.unsigned_abs().to_string().len().max(2));
                format.pad_left = format
                    .pad_left
                    .max(whole.len() + usize::from(signed && x.is_sign_positive()));
            } else {
                let (whole, fraction) = positional(*x);
                format.pad_left = format
                    .pad_left
                    .max(whole.len() + usize::from(signed && x.is_sign_positive()));
                format.pad_right = format.pad_right.max(fraction.len());
            }
        }
        if exponential {
            format.pad_right = format.exponent_digits + 2 + format.precision;
        }
        if finite.len() != data.len() {
            let offset = format.pad_right + 1;
            let negative = signed || data.contains(&f64::NEG_INFINITY);
            let room = (3 + usize::from(negative))
                .saturating_sub(offset)
                .max(3_usize.saturating_sub(offset));
            format.pad_left = format.pad_left.max(room);
        }
        format
    }

    fn word(&self, x: f64) -> String {
        let plus = if self.signed && (x.is_nan() || x.is_sign_positive()) {
            "+"
        } else {
            ""
        };
        if !x.is_finite() {
            let name = if x.is_nan() {
                "nan"
            } else if x > 0.0 {
                "inf"
            } else {
                "-inf"
            };
            let width = self.pad_left + self.pad_right + 1;
            return format!("{:>width$}", format!("{plus}{name}"));
        }
        let (whole, rest) = if self.exponential {
            let text = format!("{x:.*e}", self.precision);
            let (mantissa, exponent) = text.split_once('e').expect("the format has an exponent");
            let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
            let power: i32 = exponent.parse().expect("the exponent is a small int");
            let sign = if power < 0 { '-' } else { '+' };
            (
                whole.to_owned(),
                format!("{fraction}e{sign}{:0width$}", power.abs(), width = self.exponent_digits),
            )
        } else {
            let (whole, fraction) = positional(x);
            (whole, format!("{fraction:<width$}", width = self.pad_right))
        };
        format!("{:>width$}.{rest}", format!("{plus}{whole}"), width = self.pad_left)
    }
}

/// The digits before and after the point, at most eight after it and no zeros at the end.
fn positional(x: f64) -> (String, String) {
    let mut text = format!("{x}");
    if text
        .split_once('.')
        .is_some_and(|(_, fraction)| fraction.len() > PRECISION)
    {
        text = format!("{x:.PRECISION$}");
    }
    match text.split_once('.') {
        Some((whole, fraction)) => (whole.to_owned(), fraction.trim_end_matches('0').to_owned()),
        None => (text, String::new()),
    }
}

/// The mantissa, at most eight digits after its point and no zeros at the end, and the power of ten.
fn scientific(x: f64) -> (String, i32) {
    let mut text = format!("{x:e}");
    if text
        .split_once('.')
        .is_some_and(|(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count() > PRECISION)
    {
        text = format!("{x:.PRECISION$e}");
    }
    let (mantissa, exponent) = text.split_once('e').expect("the format has an exponent");
    let mantissa = if mantissa.contains('.') {
        mantissa.trim_end_matches('0')
    } else {
        mantissa
    };
    (
        mantissa.to_owned(),
        exponent.parse().expect("the exponent is a small int"),
    )
}

/// Words in nested brackets, wrapped as numpy wraps.
struct Layout<'a> {
    words: &'a [String],
    dims: &'a [usize],
    shown: &'a [usize],
    summarised: bool,
    separator: &'a str,
}

fn layout(
    words: &[String],
    dims: &[usize],
    shown: &[usize],
    summarised: bool,
    separator: &str,
    prefix: usize,
    suffix: usize,
) -> String {
    let layout = Layout {
        words,
        dims,
        shown,
        summarised,
        separator,
    };
    layout.block(0, 0, &" ".repeat(prefix + 1), LINE_WIDTH.saturating_sub(suffix))
}

impl Layout<'_> {
    /// The block of axis `axis` whose first word is `first`.
    fn block(&self, axis: usize, first: usize, indent: &str, width: usize) -> String {
        if axis == self.dims.len() {
            return self.words[first].clone();
        }
        let stride: usize = self.shown[axis + 1..].iter().product();
        let cut = self.summarised && self.dims[axis] > 2 * EDGE_ITEMS;
        let items = (0..self.shown[axis]).map(|i| (i, first + i * stride));
        let bare = self.separator.trim_end();
        let mut text = String::new();
        if axis + 1 == self.dims.len() {
            let room = width.saturating_sub(bare.chars().count().max(1));
            let mut line = indent.to_owned();
            let last = self.shown[axis].saturating_sub(1);
            for (i, word) in items {
                if cut && i == EDGE_ITEMS {
                    extend_line(&mut text, &mut line, "...", room, indent);
                    line.push_str(self.separator);
                }
                extend_line(&mut text, &mut line, &self.words[word], room, indent);
                if i != last {
                    line.push_str(self.separator);
                }
            }
            text.push_str(&line);
        } else {
            let inner = format!("{indent} ");
            let gap = format!("{bare}{}", "\n".repeat(self.dims.len() - axis - 1));
            for (i, word) in items {
                if i > 0 {
                    text.push_str(&gap);
                }
                if cut && i == EDGE_ITEMS {
                    text.push_str(indent);
                    text.push_str("...");
                    text.push_str(&gap);
                }
                text.push_str(indent);
                text.push_str(&self.block(axis + 1, word, &inner, width.saturating_sub(1)));
            }
        }
        format!("[{}]", text.get(indent.len()..).unwrap_or(""))
    }
}

/// The word on this line, or on the next where it would not fit.
fn extend_line(text: &mut String, line: &mut String, word: &str, room: usize, indent: &str) {
    let columns = line.chars().count();
    if columns + word.chars().count() > room && columns > indent.len() {
        text.push_str(line.trim_end());
        text.push('\n');
        indent.clone_into(line);
    }
    line.push_str(word);
}
