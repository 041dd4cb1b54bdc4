//! The mini-language behind `format(value, '>+10,.3f')`: fill, alignment, sign, grouping, precision, type.

use num_bigint::BigInt;
use num_complex::Complex64;

use crate::{Array, Error, ErrorKind, Scalar, Value};
use crate::{floats, integers, limits};

/// How the digits of a float are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FloatStyle {
    /// `1.500000e+00`
    Exponent,
    /// `1.500000`
    Fixed,
    /// `1.5`, exponent where it is shorter.
    General,
    /// As `General` with at least one digit after the point: what a precision without a type means.
    GeneralWithPoint,
}

impl FloatStyle {
    pub(crate) fn of(letter: char) -> Option<FloatStyle> {
        match letter.to_ascii_lowercase() {
            'e' => Some(FloatStyle::Exponent),
            'f' => Some(FloatStyle::Fixed),
            'g' | 'n' => Some(FloatStyle::General),
            _ => None,
        }
    }
}

/// A float of no sign as text.
pub(crate) fn float_text(number: f64, style: FloatStyle, precision: usize, alternate: bool) -> String {
    if !number.is_finite() {
        return floats::short(number.abs());
    }
    let mut text = match style {
        FloatStyle::Fixed => format!("{number:.precision$}"),
        FloatStyle::Exponent => {
            let (_, digits, point) = floats::rounded(number, precision.saturating_add(1));
            floats::scientific(&digits, if number == 0.0 { 1 } else { point })
        }
        FloatStyle::General | FloatStyle::GeneralWithPoint => {
            return general(number, style, precision.max(1), alternate);
        }
    };
    if alternate && precision == 0 {
        let at = text.find('e').unwrap_or(text.len());
        text.insert(at, '.');
    }
    text
}

fn general(number: f64, style: FloatStyle, precision: usize, alternate: bool) -> String {
    let (_, mut digits, mut point) = floats::rounded(number, precision);
    if number == 0.0 {
        point = 1;
    }
    if !alternate {
        digits.truncate(digits.trim_end_matches('0').len().max(1));
    }
    let with_point = style == FloatStyle::GeneralWithPoint;
    let limit = i64::try_from(precision).unwrap_or(i64::MAX) - i64::from(with_point);
    let text = if point <= -4 || i64::from(point) > limit {
        floats::scientific(&digits, point)
    } else {
        floats::positional(&digits, point)
    };
    let has_exponent = text.contains('e');
    match (text.contains('.'), alternate, with_point) {
        (false, _, true) if !has_exponent => text + ".0",
        (false, true, _) => match text.split_once('e') {
            Some((mantissa, exponent)) => format!("{mantissa}.e{exponent}"),
            None => text + ".",
        },
        _ => text,
    }
}

/// `digits` with a separator after each group, and zeros before them until all is `least` long.
pub(crate) fn group_digits(digits: &str, separator: Option<(char, usize)>, least: usize) -> String {
    let Some((separator, size)) = separator else {
        return format!("{}{digits}", "0".repeat(least.saturating_sub(digits.len())));
    };
    let mut reversed = Vec::new();
    let mut source = digits.bytes().rev().peekable();
    let mut group = 0;
    while source.peek().is_some() || reversed.len() < least {
        if group == size {
            reversed.push(separator as u8);
            group = 0;
        }
        reversed.push(source.next().unwrap_or(b'0'));
        group += 1;
    }
    reversed.iter().rev().map(|byte| char::from(*byte)).collect()
}

#[derive(Clone, Debug)]
struct Spec {
    fill: char,
    align: Option<char>,
    sign: Option<char>,
    no_negative_zero: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    letter: Option<char>,
}

fn value_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::ValueError, message)
}

impl Spec {
    fn parse(text: &str, kind: &str, numeric: bool) -> Result<Spec, Error> {
        let characters: Vec<char> = text.chars().collect();
        let mut at = 0;
        let is_align = |c: Option<&char>| c.is_some_and(|c| "<>=^".contains(*c));
        let mut spec = Spec {
            fill: ' ',
            align: None,
            sign: None,
            no_negative_zero: false,
            alternate: false,
            zero: false,
            width: 0,
            grouping: None,
            precision: None,
            letter: None,
        };
        let mut filled = false;
        if is_align(characters.get(1)) {
            spec.fill = characters[0];
            spec.align = Some(characters[1]);
            filled = true;
            at = 2;
        } else if is_align(characters.first()) {
            spec.align = Some(characters[0]);
            at = 1;
        }
        let take = |wanted: &str, at: &mut usize| {
            let found = characters.get(*at).copied().filter(|c| wanted.contains(*c));
            *at += usize::from(found.is_some());
            found
        };
        spec.sign = take(" +-", &mut at);
        spec.no_negative_zero = take("z", &mut at).is_some();
        spec.alternate = take("#", &mut at).is_some();
        if !filled && take("0", &mut at).is_some() {
            spec.fill = '0';
            spec.zero = true;
            if spec.align.is_none() && numeric {
                spec.align = Some('=');
            }
        }
        let digits = |at: &mut usize| -> Result<Option<usize>, Error> {
            let start = *at;
            while characters.get(*at).is_some_and(char::is_ascii_digit) {
                *at += 1;
            }
            if start == *at {
                return Ok(None);
            }
            let text: String = characters[start..*at].iter().collect();
            let number = text
                .parse()
                .map_err(|_| value_error("Too many decimal digits in format string"))?;
            limits::elements(number)?;
            Ok(Some(number))
        };
        spec.width = digits(&mut at)?.unwrap_or(0);
        let grouped = |at: &mut usize| {
            let found = characters.get(*at).copied().filter(|c| ",_".contains(*c));
            *at += usize::from(found.is_some());
            found
        };
        spec.grouping = grouped(&mut at);
        if let (Some(first), Some(second)) = (spec.grouping, grouped(&mut at)) {
            return Err(value_error(if first == second {
                format!("Cannot specify '{first}' with '{second}'.")
            } else {
                "Cannot specify both ',' and '_'.".to_owned()
            }));
        }
        if characters.get(at) == Some(&'.') {
            at += 1;
            spec.precision = Some(digits(&mut at)?.ok_or_else(|| value_error("Format specifier missing precision"))?);
        }
        if characters.len() > at + 1 {
            return Err(value_error(format!(
                "Invalid format specifier '{text}' for object of type '{kind}'"
            )));
        }
        spec.letter = characters.get(at).copied();
        spec.check_grouping()?;
        Ok(spec)
    }

    fn check_grouping(&self) -> Result<(), Error> {
        let Some(grouping) = self.grouping else { return Ok(()) };
        match self.letter {
            None | Some('d' | 'e' | 'f' | 'g' | 'E' | 'G' | '%' | 'F') => Ok(()),
            Some('b' | 'o' | 'x' | 'X') if grouping == '_' => Ok(()),
            Some(letter) => Err(value_error(format!("Cannot specify '{grouping}' with '{letter}'."))),
        }
    }

    fn unknown(&self, kind: &str) -> Error {
        let letter = self.letter.unwrap_or(' ');
        value_error(format!("Unknown format code '{letter}' for object of type '{kind}'"))
    }

    fn sign_text(&self, negative: bool) -> &'static str {
        match (negative, self.sign) {
            (true, _) => "-",
            (false, Some('+')) => "+",
            (false, Some(' ')) => " ",
            _ => "",
        }
    }

    /// Sign, prefix and digits in the width; `rest` follows the digits and is not grouped.
    fn number(&self, sign: &str, prefix: &str, digits: &str, rest: &str) -> String {
        let size = if matches!(self.letter, Some('b' | 'o' | 'x' | 'X')) {
            4
        } else {
            3
        };
        let zeros = self.fill == '0' && self.align == Some('=');
        let least = if zeros {
            self.width.saturating_sub(sign.len() + prefix.len() + rest.len())
        } else {
            0
        };
        let digits = if digits.is_empty() {
            String::new()
        } else {
            group_digits(digits, self.grouping.map(|separator| (separator, size)), least)
        };
        let length = sign.len() + prefix.len() + digits.len() + rest.len();
        let padding: String = std::iter::repeat_n(self.fill, self.width.saturating_sub(length)).collect();
        match self.align {
            Some('=') => format!("{sign}{prefix}{padding}{digits}{rest}"),
            align => self.pad(format!("{sign}{prefix}{digits}{rest}"), align.unwrap_or('>')),
        }
    }

    fn pad(&self, text: String, align: char) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        let fill = |count: usize| std::iter::repeat_n(self.fill, count).collect::<String>();
        match align {
            '<' => text + &fill(missing),
            '^' => fill(missing / 2) + &text + &fill(missing - missing / 2),
            _ => fill(missing) + &text,
        }
    }
}

/// `format(value, spec)`.
pub(crate) fn format(value: &Value, text: &str) -> Result<String, Error> {
    if text.is_empty() {
        limits::written(value)?;
        return Ok(value.to_string());
    }
    match value {
        Value::Str(content) | Value::Scalar(Scalar::Str(content)) => string(content, text),
        Value::Bool(b) | Value::Scalar(Scalar::Bool(b)) => int(&BigInt::from(u8::from(*b)), text, "bool"),
        Value::Int(number) | Value::Scalar(Scalar::Int(number)) => int(&BigInt::from(*number), text, "int"),
        Value::BigInt(big) => int(big, text, "int"),
        Value::Float(number) | Value::Scalar(Scalar::Float(number)) => {
            let spec = Spec::parse(text, "float", true)?;
            float(*number, &spec, "float")
        }
        Value::Complex(number) | Value::Scalar(Scalar::Complex(number)) => complex(*number, text),
        Value::Array(array) if array.shape().is_empty() => format(&first(array), text),
        other => {
            let message = format!("unsupported format string passed to {}.__format__", other.type_name());
            Err(Error::new(ErrorKind::TypeError, message))
        }
    }
}

fn first(array: &Array) -> Value {
    array.first().unwrap_or_default()
}

fn string(content: &str, text: &str) -> Result<String, Error> {
    let spec = Spec::parse(text, "str", false)?;
    if !matches!(spec.letter, None | Some('s')) {
        return Err(spec.unknown("str"));
    }
    if let Some(sign) = spec.sign {
        let name = if sign == ' ' { "Space" } else { "Sign" };
        return Err(value_error(format!("{name} not allowed in string format specifier")));
    }
    if spec.no_negative_zero {
        return Err(value_error(
            "Negative zero coercion (z) not allowed in string format specifier",
        ));
    }
    if spec.alternate {
        return Err(value_error("Alternate form (#) not allowed in string format specifier"));
    }
    if spec.align == Some('=') {
        return Err(value_error("'=' alignment not allowed in string format specifier"));
    }
    if let Some(grouping) = spec.grouping {
        return Err(value_error(format!("Cannot specify '{grouping}' with 's'.")));
    }
    let content = match spec.precision {
        Some(precision) => content.chars().take(precision).collect(),
        None => content.to_owned(),
    };
    let align = spec.align.unwrap_or('<');
    Ok(spec.pad(content, align))
}

fn int(number: &BigInt, text: &str, kind: &str) -> Result<String, Error> {
    let spec = Spec::parse(text, kind, true)?;
    if let Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') = spec.letter {
        return float(integers::to_float(number)?, &spec, "int");
    }
    if !matches!(spec.letter, None | Some('b' | 'c' | 'd' | 'n' | 'o' | 'x' | 'X')) {
        return Err(spec.unknown(kind));
    }
    if spec.precision.is_some() {
        return Err(value_error("Precision not allowed in integer format specifier"));
    }
    if spec.no_negative_zero {
        return Err(value_error(
            "Negative zero coercion (z) not allowed in format specifier with integer presentation type",
        ));
    }
    if spec.letter == Some('c') {
        return character(number, &spec);
    }
    let magnitude = number.magnitude();
    let (prefix, digits) = match spec.letter {
        Some('b') => ("0b", format!("{magnitude:b}")),
        Some('o') => ("0o", format!("{magnitude:o}")),
        Some('x') => ("0x", format!("{magnitude:x}")),
        Some('X') => ("0X", format!("{magnitude:X}")),
        _ => ("", integers::to_text(number)?.replace('-', "")),
    };
    let prefix = if spec.alternate { prefix } else { "" };
    Ok(spec.number(spec.sign_text(*number < BigInt::ZERO), prefix, &digits, ""))
}

fn character(number: &BigInt, spec: &Spec) -> Result<String, Error> {
    if spec.sign.is_some() {
        return Err(value_error("Sign not allowed with integer format specifier 'c'"));
    }
    if spec.alternate {
        return Err(value_error(
            "Alternate form (#) not allowed with integer format specifier 'c'",
        ));
    }
    let code = u32::try_from(number).ok().and_then(char::from_u32);
    let code = code.ok_or_else(|| Error::new(ErrorKind::OverflowError, "%c arg not in range(0x110000)"))?;
    let align = spec
        .align
        .filter(|align| *align != '=')
        .unwrap_or(if spec.align.is_some() { '>' } else { '<' });
    Ok(spec.pad(code.to_string(), align))
}

fn float(number: f64, spec: &Spec, kind: &str) -> Result<String, Error> {
    let (text, percent) = match spec.letter {
        None => (plain_float(number, spec, FloatStyle::GeneralWithPoint), ""),
        Some('%') => (
            float_text(
                (number * 100.0).abs(),
                FloatStyle::Fixed,
                spec.precision.unwrap_or(6),
                spec.alternate,
            ),
            "%",
        ),
        Some(letter) => {
            let style = FloatStyle::of(letter)
                .filter(|_| letter != 'N')
                .ok_or_else(|| spec.unknown(kind))?;
            let text = float_text(number.abs(), style, spec.precision.unwrap_or(6), spec.alternate);
            (
                if letter.is_uppercase() {
                    text.to_uppercase()
                } else {
                    text
                },
                "",
            )
        }
    };
    let vanished = spec.no_negative_zero && !text.bytes().any(|byte| byte.is_ascii_digit() && byte != b'0');
    let negative = number.is_sign_negative() && !number.is_nan() && !(vanished && number.is_finite());
    let whole = text.bytes().take_while(u8::is_ascii_digit).count();
    // `inf` and `nan` have no digits: nothing of them is grouped.
    let (digits, rest) = text.split_at(whole);
    let rest = format!("{rest}{percent}");
    Ok(spec.number(spec.sign_text(negative), "", digits, &rest))
}

/// A float without a type: its shortest text, or so many digits.
fn plain_float(number: f64, spec: &Spec, style: FloatStyle) -> String {
    match spec.precision {
        Some(precision) => float_text(number.abs(), style, precision, spec.alternate),
        None if style == FloatStyle::GeneralWithPoint => floats::python_float_repr(number.abs()),
        None => floats::short(number.abs()),
    }
}

fn complex(number: Complex64, text: &str) -> Result<String, Error> {
    let spec = Spec::parse(text, "complex", true)?;
    if spec.zero || spec.fill == '0' {
        return Err(value_error("Zero padding is not allowed in complex format specifier"));
    }
    if spec.align == Some('=') {
        return Err(value_error(
            "'=' alignment flag is not allowed in complex format specifier",
        ));
    }
    let plain = spec.letter.is_none();
    let style = match spec.letter {
        None => FloatStyle::General,
        Some('%') => return Err(spec.unknown("complex")),
        Some(letter) => FloatStyle::of(letter).ok_or_else(|| spec.unknown("complex"))?,
    };
    let part = |number: f64, sign: Option<char>| {
        let text = if plain {
            plain_float(number, &spec, style)
        } else {
            float_text(number.abs(), style, spec.precision.unwrap_or(6), spec.alternate)
        };
        let text = if spec.letter.is_some_and(char::is_uppercase) {
            text.to_uppercase()
        } else {
            text
        };
        let bare = Spec {
            width: 0,
            sign,
            ..spec.clone()
        };
        let whole = text.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = text.split_at(whole);
        bare.number(
            bare.sign_text(number.is_sign_negative() && !number.is_nan()),
            "",
            digits,
            rest,
        )
    };
    let no_real = plain && number.re == 0.0 && number.re.is_sign_positive();
    let body = if no_real {
        format!("{}j", part(number.im, spec.sign))
    } else {
        let body = format!("{}{}j", part(number.re, spec.sign), part(number.im, Some('+')));
        if plain { format!("({body})") } else { body }
    };
    Ok(spec.pad(body, spec.align.unwrap_or('>')))
}
