//! Commands with places for values: `:SOUR:LEV {:.5e}` or `:SOUR:LEV %.5e`, and `{ch}` for what has a name.
//!
//! Both of Python's styles are read, because the drivers that laboratories already have are written in them. A template is
//! parsed once, when the driver file is read, so that a wrong one is a problem with a place and not a failed measurement.
//! `{{` and `%%` are the signs themselves. Deliberately absent: attributes, indices and nested fields of `str.format`.

use std::collections::BTreeMap;

use super::number::{self, Zeros};
use super::value::Value;

/// What the names in templates stand for: the channel, arguments and the known values of other signals.
pub type Names = BTreeMap<String, Value>;

/// A command in which values have places.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    /// The value that is set, or the next one of a list.
    Value(Format),
    Name(String, Format),
}

/// What stands where in a command, for those who take commands apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Part<'t> {
    Text(&'t str),
    /// A value, whose digits have this base; none where it is a character.
    Value(Option<u32>),
    Name(&'t str),
}

/// How one value is written.
#[derive(Clone, Debug, PartialEq)]
struct Format {
    kind: Kind,
    uppercase: bool,
    precision: Option<usize>,
    width: usize,
    fill: char,
    align: Align,
    /// What stands before a number that is not negative: nothing, `+` or a space.
    plus: Option<char>,
    alternate: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `{}`, `%s`
    Plain,
    /// `{:d}`: an integer, or a number without a fraction
    Integer,
    /// `%d`: as Python, the fraction is cut off
    Truncated,
    Fixed,
    Exponent,
    General,
    Hexadecimal,
    Octal,
    Binary,
    /// `%c`: the character of this number, or a text of one character
    Character,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Align {
    Left,
    Right,
    Centre,
    /// Zeros between the sign and the digits.
    AfterSign,
}

impl Template {
    /// Reads a template; a refusal is the words for its author.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text.chars().peekable();
        while let Some(next) = rest.next() {
            let piece = match next {
                '{' | '}' | '%' if rest.peek() == Some(&next) => {
                    rest.next();
                    plain.push(next);
                    continue;
                }
                '{' => braces(&mut rest)?,
                '}' => return Err("`}` without `{`; the sign itself is written `}}`".to_owned()),
                '%' => Piece::Value(percent(&mut rest)?),
                other => {
                    plain.push(other);
                    continue;
                }
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(piece);
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { pieces })
    }

    /// A command in which nothing has a place.
    pub(crate) fn literal(text: &str) -> Self {
        Self {
            pieces: vec![Piece::Text(text.to_owned())],
        }
    }

    /// The command for `value`; lists and arrays fill the places one by one where there are several.
    pub(crate) fn fill(&self, value: Option<&Value>, names: &Names) -> Result<String, String> {
        let several = match value {
            Some(Value::List(values)) if self.places() > 1 => {
                if values.len() != self.places() {
                    return Err(format!("{} values for {} places", values.len(), self.places()));
                }
                Some(values)
            }
            _ => None,
        };
        let mut next = 0;
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Name(name, format) => {
                    let known = names.get(name).ok_or_else(|| format!("`{name}` is not known"))?;
                    text.push_str(&format.write(known)?);
                }
                Piece::Value(format) => {
                    let place = match several {
                        Some(values) => values.get(next),
                        None => value,
                    };
                    next += 1;
                    let place = place.ok_or("there is no value to write")?;
                    text.push_str(&format.write(place)?);
                }
            }
        }
        Ok(text)
    }

    /// How many values the command takes.
    pub(crate) fn places(&self) -> usize {
        let is_value = |piece: &&Piece| matches!(piece, Piece::Value(_));
        self.pieces.iter().filter(is_value).count()
    }

    /// What it is made of, in its order.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        self.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => Part::Text(text),
            Piece::Name(name, _) => Part::Name(name),
            Piece::Value(format) => Part::Value(match format.kind {
                Kind::Hexadecimal => Some(16),
                Kind::Octal => Some(8),
                Kind::Binary => Some(2),
                Kind::Character => None,
                Kind::Plain | Kind::Integer | Kind::Truncated | Kind::Fixed | Kind::Exponent | Kind::General => {
                    Some(10)
                }
            }),
        })
    }

    /// What must be known for the command.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Name(name, _) => Some(name.as_str()),
            Piece::Text(_) | Piece::Value(_) => None,
        })
    }
}

type Characters<'t> = std::iter::Peekable<std::str::Chars<'t>>;

/// What stands between `{` and `}`.
fn braces(rest: &mut Characters<'_>) -> Result<Piece, String> {
    let mut field = String::new();
    loop {
        match rest.next() {
            Some('}') => break,
            Some(other) => field.push(other),
            None => return Err("`{` without `}`; the sign itself is written `{{`".to_owned()),
        }
    }
    let (name, spec) = field.split_once(':').unwrap_or((&field, ""));
    let format = brace_format(spec)?;
    if name.is_empty() {
        return Ok(Piece::Value(format));
    }
    let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_numeric());
    if is_name {
        Ok(Piece::Name(name.to_owned(), format))
    } else {
        Err(format!("`{{{name}}}` is not a name"))
    }
}

/// `[[fill]align][sign][#][0][width][.precision][type]`
fn brace_format(spec: &str) -> Result<Format, String> {
    let mut format = Format::plain();
    let mut rest: Characters<'_> = spec.chars().peekable();
    let align = |c: char| match c {
        '<' => Some(Align::Left),
        '>' => Some(Align::Right),
        '^' => Some(Align::Centre),
        '=' => Some(Align::AfterSign),
        _ => None,
    };
    let second = spec.chars().nth(1).and_then(align);
    if let (Some(fill), Some(found)) = (spec.chars().next(), second) {
        (format.fill, format.align) = (fill, found);
        rest.next();
        rest.next();
    } else if let Some(found) = rest.peek().copied().and_then(align) {
        format.align = found;
        rest.next();
    }
    flags(&mut format, &mut rest);
    sizes(&mut format, &mut rest)?;
    match rest.next() {
        None if format.precision.is_some() => {
            return Err(format!("`{{:{spec}}}` does not say how: end it with `f`, `e` or `g`"));
        }
        None => {}
        Some('d') => format.kind = Kind::Integer,
        Some(letter) => format.of_letter(letter).ok_or_else(|| unknown(letter))?,
    }
    match rest.next() {
        None => Ok(format),
        Some(letter) => Err(format!("`{letter}` after the format `{spec}`")),
    }
}

/// What stands after `%`.
fn percent(rest: &mut Characters<'_>) -> Result<Format, String> {
    let mut format = Format::plain();
    flags(&mut format, rest);
    sizes(&mut format, rest)?;
    let letter = rest.next().ok_or("`%` at the end; the sign itself is written `%%`")?;
    match letter {
        'd' | 'i' | 'u' => format.kind = Kind::Truncated,
        'c' => format.kind = Kind::Character,
        _ => format.of_letter(letter).ok_or_else(|| unknown(letter))?,
    }
    if matches!(format.kind, Kind::Plain | Kind::Character) && format.align == Align::AfterSign {
        // As in Python, zeros fill numbers only.
        (format.fill, format.align) = (' ', Align::Right);
    }
    Ok(format)
}

fn unknown(letter: char) -> String {
    format!("no format `{letter}`; there are s, d, f, e, g, x, o, b (`%%` is a percent sign)")
}

fn flags(format: &mut Format, rest: &mut Characters<'_>) {
    while let Some(flag) = rest.next_if(|c| matches!(c, '+' | ' ' | '-' | '#' | '0')) {
        match flag {
            '+' => format.plus = Some('+'),
            ' ' => format.plus = format.plus.or(Some(' ')),
            '#' => format.alternate = true,
            '0' if format.align == Align::Right => (format.fill, format.align) = ('0', Align::AfterSign),
            '-' => (format.fill, format.align) = (' ', Align::Left),
            _ => {}
        }
    }
}

fn sizes(format: &mut Format, rest: &mut Characters<'_>) -> Result<(), String> {
    format.width = digits(rest)?.unwrap_or(0);
    if rest.next_if_eq(&'.').is_some() {
        format.precision = Some(digits(rest)?.unwrap_or(0));
    }
    Ok(())
}

/// No command has a number of more digits than this.
const MOST_DIGITS: usize = 400;

fn digits(rest: &mut Characters<'_>) -> Result<Option<usize>, String> {
    let mut text = String::new();
    while let Some(digit) = rest.next_if(char::is_ascii_digit) {
        text.push(digit);
    }
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse() {
        Ok(count) if count <= MOST_DIGITS => Ok(Some(count)),
        _ => Err(format!("`{text}` digits are too many")),
    }
}

impl Format {
    fn plain() -> Self {
        Self {
            kind: Kind::Plain,
            uppercase: false,
            precision: None,
            width: 0,
            fill: ' ',
            align: Align::Right,
            plus: None,
            alternate: false,
        }
    }

    /// The letters that both styles share.
    fn of_letter(&mut self, letter: char) -> Option<()> {
        self.kind = match letter.to_ascii_lowercase() {
            's' => Kind::Plain,
            'f' => Kind::Fixed,
            'e' => Kind::Exponent,
            'g' => Kind::General,
            'x' => Kind::Hexadecimal,
            'o' => Kind::Octal,
            'b' => Kind::Binary,
            _ => return None,
        };
        self.uppercase = letter.is_ascii_uppercase();
        Some(())
    }

    fn write(&self, value: &Value) -> Result<String, String> {
        let text = match self.kind {
            Kind::Plain => match (value, self.precision) {
                (Value::Text(text), Some(longest)) => text.chars().take(longest).collect(),
                _ => self.signed(value.to_string(), value.number()),
            },
            Kind::Character => character(value).ok_or_else(|| format!("`{value}` is not a character"))?,
            _ => {
                let number = value
                    .number()
                    .ok_or_else(|| format!("`{value}` is {}, not a number", value.kind()))?;
                self.signed(self.digits(value, number)?, Some(number))
            }
        };
        let text = if self.uppercase { text.to_uppercase() } else { text };
        Ok(self.padded(text))
    }

    fn digits(&self, value: &Value, number: f64) -> Result<String, String> {
        let precision = self.precision.unwrap_or(6);
        let zeros = if self.alternate { Zeros::Kept } else { Zeros::Dropped };
        Ok(match self.kind {
            Kind::Fixed => number::fixed(number, precision),
            Kind::Exponent => number::exponent(number, precision),
            Kind::General => number::general(number, precision, zeros),
            Kind::Plain | Kind::Character | Kind::Integer => self.integer(value, number, 10)?,
            Kind::Truncated => self.integer(value, number.trunc(), 10)?,
            Kind::Hexadecimal => self.integer(value, number, 16)?,
            Kind::Octal => self.integer(value, number, 8)?,
            Kind::Binary => self.integer(value, number, 2)?,
        })
    }

    fn integer(&self, value: &Value, number: f64, base: u8) -> Result<String, String> {
        // Beyond this a double has gaps, and no instrument counts so far.
        const LARGEST: f64 = 9_007_199_254_740_992.0;
        let integer = match value {
            Value::Int(integer) => *integer,
            _ if number.fract() != 0.0 || number.abs() > LARGEST || !number.is_finite() => {
                return Err(format!("`{value}` is not an integer"));
            }
            #[expect(clippy::cast_possible_truncation, reason = "just checked")]
            _ => number as i64,
        };
        let sign = if integer < 0 { "-" } else { "" };
        let size = integer.unsigned_abs();
        Ok(match base {
            16 => format!("{sign}{size:x}"),
            8 => format!("{sign}{size:o}"),
            2 => format!("{sign}{size:b}"),
            _ => {
                let least = self.precision.unwrap_or(0);
                format!("{sign}{size:0least$}")
            }
        })
    }

    fn signed(&self, text: String, number: Option<f64>) -> String {
        match self.plus {
            Some(plus) if number.is_some() && !text.starts_with('-') => format!("{plus}{text}"),
            _ => text,
        }
    }

    fn padded(&self, text: String) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        if missing == 0 {
            return text;
        }
        let fill = |count: usize| String::from(self.fill).repeat(count);
        match self.align {
            Align::Left => text + &fill(missing),
            Align::Right => fill(missing) + &text,
            Align::Centre => fill(missing / 2) + &text + &fill(missing - missing / 2),
            Align::AfterSign => {
                let sign = text.find(|c: char| !matches!(c, '+' | '-' | ' ')).unwrap_or(0);
                format!("{}{}{}", &text[..sign], fill(missing), &text[sign..])
            }
        }
    }
}

fn character(value: &Value) -> Option<String> {
    match value {
        Value::Int(code) => char::from_u32(u32::try_from(*code).ok()?).map(String::from),
        Value::Text(text) if text.chars().count() == 1 => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, Template};
    use crate::driver::Value;

    fn filled(template: &str, value: Value) -> String {
        let names = Names::from([("ch".to_owned(), Value::Int(2))]);
        match Template::parse(template) {
            Ok(template) => template.fill(Some(&value), &names).unwrap_or_else(|e| format!("! {e}")),
            Err(problem) => format!("? {problem}"),
        }
    }

    #[test]
    fn values_are_written_in_both_styles() {
        let check = |template: &str, value: Value, expected: &str| assert_eq!(filled(template, value), expected);
        check(":LEV {}", Value::Float(1e-5), ":LEV 1e-05");
        check(":LEV %g", Value::Float(1e-5), ":LEV 1e-05");
        check(":LEV {:.3e}", Value::Float(0.25), ":LEV 2.500e-01");
        check("S{:+E}E", Value::Float(1.5), "S+1.500000E+00E");
        check("OFST %.2EV", Value::Float(1.0), "OFST 1.00E+00V");
        check("C{ch}:X %d", Value::Float(7.9), "C2:X 7");
        check(
            "X {:d}",
            Value::Float(7.9),
            "X ! `7.9` is not an integer".trim_start_matches("X "),
        );
        check(
            "%05.1f|%-4d|",
            Value::List(vec![Value::Float(-2.0), Value::Int(3)]),
            "-02.0|3   |",
        );
        check("{:>4}{{}}%%", Value::Text("a".into()), "   a{}%");
        check("%d", Value::Bool(true), "1");
        check("%s", Value::Bool(true), "True");
        check("{:04x}", Value::Int(255), "00ff");
        check("%c%c", Value::List(vec![Value::Int(65), Value::Text("b".into())]), "Ab");
        check("%c", Value::Text("ab".into()), "! `ab` is not a character");
        check("%04s", Value::Text("ab".into()), "  ab");
        check("%g", Value::Text("MAX".into()), "! `MAX` is text, not a number");
        check("{wave}", Value::Int(1), "! `wave` is not known");
    }

    #[test]
    fn wrong_templates_are_refused_with_words() {
        let check = |template: &str, expected: &str| assert_eq!(filled(template, Value::Int(1)), expected);
        check("50 %", "? `%` at the end; the sign itself is written `%%`");
        check("{:.3}", "? `{:.3}` does not say how: end it with `f`, `e` or `g`");
        check("{:", "? `{` without `}`; the sign itself is written `{{`");
        check("{a.b}", "? `{a.b}` is not a name");
        check(
            "%q",
            "? no format `q`; there are s, d, f, e, g, x, o, b (`%%` is a percent sign)",
        );
        check("{:99999f}", "? `99999` digits are too many");
    }
}
