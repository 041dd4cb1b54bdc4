//! How an instrument writes its answers, learnt from an example: `+4.5000E+00` has a sign, four decimals and an exponent.
//!
//! A number gets more digits than the example has where it needs them: what was set can be read back exactly.

use crate::driver::{answer::unquoted, number, signal::Signal};

/// The looks of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Looks {
    /// What stands around the value: words, quotes, units.
    before: String,
    after: String,
    /// Of each value, the last for all that follow.
    figures: Vec<Figure>,
    separator: String,
}

/// How a number is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Figure {
    /// As Python does.
    #[default]
    Shortest,
    Integer,
    Fixed {
        plus: bool,
        decimals: usize,
    },
    Exponent {
        plus: bool,
        decimals: usize,
        letter: char,
        digits: usize,
        plus_in_exponent: bool,
    },
}

impl Looks {
    /// Those of a signal's answers.
    pub(super) fn of(signal: &Signal, example: Option<&str>) -> Self {
        let separator = signal
            .answer
            .split
            .as_ref()
            .map_or(",", |split| split.separator.as_str());
        let Some(example) = example.map(str::trim) else {
            let quote = if signal.answer.unquote { "\"" } else { "" };
            return Self {
                before: format!("{}{}{quote}", signal.answer.prefix, "0".repeat(signal.answer.skip)),
                after: format!("{quote}{}", signal.answer.suffix),
                figures: Vec::new(),
                separator: separator.to_owned(),
            };
        };
        let body = signal.answer.stripped(example).unwrap_or(example);
        let body = if signal.answer.unquote { unquoted(body) } else { body };
        let at = example.find(body).unwrap_or(0);
        let parts = match signal.answer.split {
            Some(_) => body.split(separator).collect(),
            None => vec![body],
        };
        Self {
            before: example[..at].to_owned(),
            after: example[at + body.len()..].to_owned(),
            figures: parts.into_iter().map(Figure::of).collect(),
            separator: separator.to_owned(),
        }
    }

    /// What stands between before and after in `answer`.
    pub(super) fn body<'a>(&self, answer: &'a str) -> &'a str {
        let answer = answer.trim();
        let answer = answer.strip_prefix(self.before.as_str()).unwrap_or(answer);
        answer.strip_suffix(self.after.as_str()).unwrap_or(answer)
    }

    pub(super) fn separator(&self) -> &str {
        &self.separator
    }

    /// An answer of these values, the numbers among them written as the example's.
    pub(super) fn answer<'v>(&self, values: impl Iterator<Item = Written<'v>>) -> String {
        let mut text = self.before.clone();
        for (at, value) in values.enumerate() {
            if at > 0 {
                text.push_str(&self.separator);
            }
            let figure = self
                .figures
                .get(at)
                .or(self.figures.last())
                .copied()
                .unwrap_or_default();
            match value {
                Written::Text(word) => text.push_str(word),
                Written::Number(number) => text.push_str(&figure.write(number)),
                Written::Integer(number) => text.push_str(&figure.or_integer().write(number)),
            }
        }
        text + &self.after
    }
}

/// A value of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Written<'v> {
    Text(&'v str),
    Number(f64),
    /// Without a fraction, as long as no example says otherwise.
    Integer(f64),
}

impl Figure {
    fn of(text: &str) -> Self {
        let text = text.trim();
        let plus = text.starts_with('+');
        if number::parse(text).is_none() {
            return Self::Shortest;
        }
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], Some((&text[at..=at], &text[at + 1..]))),
            None => (text, None),
        };
        let decimals = mantissa.split_once('.').map(|(_, decimals)| decimals.len());
        match (exponent, decimals) {
            (Some((letter, power)), decimals) => Self::Exponent {
                plus,
                decimals: decimals.unwrap_or(0),
                letter: letter.chars().next().unwrap_or('E'),
                digits: power.trim_start_matches(['+', '-']).len(),
                plus_in_exponent: power.starts_with(['+', '-']),
            },
            (None, Some(decimals)) => Self::Fixed { plus, decimals },
            (None, None) if plus => Self::Fixed { plus, decimals: 0 },
            (None, None) => Self::Integer,
        }
    }

    fn or_integer(self) -> Self {
        match self {
            Self::Shortest => Self::Integer,
            Self::Integer | Self::Fixed { .. } | Self::Exponent { .. } => self,
        }
    }

    pub(super) fn write(self, number: f64) -> String {
        if !number.is_finite() {
            // SCPI's "not a number", and its infinities.
            return match (number.is_nan(), number > 0.0) {
                (true, _) => "9.91E+37".to_owned(),
                (false, true) => "9.9E+37".to_owned(),
                (false, false) => "-9.9E+37".to_owned(),
            };
        }
        let sign = |plus: bool| if plus && number >= 0.0 { "+" } else { "" };
        match self {
            Self::Shortest => number::shortest(number),
            Self::Integer => format!("{number}"),
            Self::Fixed { plus, decimals } => {
                let decimals = decimals.max(decimals_of(&format!("{number}")));
                format!("{}{number:.decimals$}", sign(plus))
            }
            Self::Exponent {
                plus,
                decimals,
                letter,
                digits,
                plus_in_exponent,
            } => {
                let shortest = format!("{number:e}");
                let mantissa = shortest.split('e').next().unwrap_or_default();
                let decimals = decimals.max(decimals_of(mantissa));
                let text = format!("{number:.decimals$e}");
                let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
                let power: i32 = power.parse().unwrap_or(0);
                let power_sign = match (power < 0, plus_in_exponent) {
                    (true, _) => "-",
                    (false, true) => "+",
                    (false, false) => "",
                };
                format!(
                    "{}{mantissa}{letter}{power_sign}{:0digits$}",
                    sign(plus),
                    power.unsigned_abs()
                )
            }
        }
    }
}

fn decimals_of(text: &str) -> usize {
    text.split_once('.').map_or(0, |(_, decimals)| decimals.len())
}

#[cfg(test)]
mod tests {
    use super::Figure;

    #[test]
    fn numbers_look_as_the_example_and_lose_nothing() {
        let check = |example: &str, number: f64, expected: &str| {
            assert_eq!(Figure::of(example).write(number), expected, "{example}");
        };
        check("+4.5000E+00", 0.25, "+2.5000E-01");
        check("+4.5000E+00", -0.123_456_789, "-1.23456789E-01");
        check("+4.50000000000E+009", 4.5e9, "+4.50000000000E+009");
        check("4500.5000", 0.5, "0.5000");
        check("4500.5000", 0.123_456, "0.123456");
        check("+201", 51.0, "+51");
        check("4500000000", 5e9, "5000000000");
        check("4.5E9", 1e9, "1.0E9");
        check("CONT", 1.5, "1.5");
    }
}
