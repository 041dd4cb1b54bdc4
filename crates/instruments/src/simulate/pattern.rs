//! Commands taken apart: a driver's template read backwards, `:SOUR:LEV {}` and `:sour:level 4.5` → `4.5`.
//!
//! Words are compared as SCPI does: in any case, long (`LEVel`) or short (`LEV`), with or without a colon in front.
//! What fits a hole is judged by its kind here and by its signal later. Deliberately absent: SCPI's brackets for what may
//! be left out; templates of drivers have none.

use std::collections::BTreeMap;

use crate::driver::template::{Part, Template};

/// A template to compare with.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    tokens: Vec<Token>,
    /// As it is written, to tell `C?` from `c?`.
    text: String,
    /// How many characters are not left to holes: of two patterns that fit, the one that says more is meant.
    pub(super) literal: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// Letters, in capitals, and in SCPI's short form.
    Word {
        long: String,
        short: String,
    },
    Sign(char),
    /// Blanks; they may be absent behind a value: `4.5 GHz`.
    Blank {
        is_needed: bool,
    },
    Value(Takes),
    Name(String, Takes),
}

/// What may stand in a hole.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Takes {
    Number,
    /// Digits, or nothing at all: channel 1 need not be named.
    Index,
    Text,
    Words(Vec<String>),
}

/// What stood in the holes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Found {
    pub(super) values: Vec<String>,
    /// Holes that were left empty are absent.
    pub(super) names: BTreeMap<String, String>,
}

impl Pattern {
    /// What a value and a name may be is asked for.
    pub(super) fn new(template: &Template, value: &Takes, name: impl Fn(&str) -> Takes) -> Self {
        let mut tokens = Vec::new();
        let mut text = String::new();
        let mut literal = 0;
        for part in template.parts() {
            match part {
                Part::Text(plain) => {
                    literal += plain.len();
                    text.push_str(plain);
                    tokenize(plain, &mut tokens);
                }
                Part::Value(Some(10)) => tokens.push(Token::Value(value.clone())),
                // Digits of another base, or a character: whoever reads it knows.
                Part::Value(_) => tokens.push(Token::Value(Takes::Text)),
                Part::Name(named) => tokens.push(Token::Name(named.to_owned(), name(named))),
            }
        }
        if let Some(Token::Sign(':')) = tokens.first() {
            tokens.remove(0);
        }
        Self { tokens, text, literal }
    }

    /// What stands in the holes of `command`, if this is its pattern.
    pub(super) fn find(&self, command: &str) -> Option<Found> {
        let command = command.trim();
        let command = command.strip_prefix(':').unwrap_or(command);
        let mut found = Found::default();
        fits(&self.tokens, command, &mut found).then_some(found)
    }

    /// Whether `command` is written as the template is, in each letter.
    pub(super) fn is_exactly(&self, command: &str) -> bool {
        self.text == command
    }
}

/// A command in capitals and short forms: the same for all ways to write it.
pub(super) fn canonical(command: &str) -> String {
    let mut tokens = Vec::new();
    let command = command.trim();
    tokenize(command.strip_prefix(':').unwrap_or(command), &mut tokens);
    let mut text = String::new();
    for token in tokens {
        match token {
            Token::Word { short, .. } => text.push_str(&short),
            Token::Sign(sign) => text.push(sign),
            Token::Blank { .. } => text.push(' '),
            Token::Value(_) | Token::Name(..) => {}
        }
    }
    text
}

/// The short form of a SCPI keyword: four letters, three where the fourth is a vowel; keywords of four are short already.
fn short(word: &str) -> String {
    let is_vowel = |letter: Option<char>| matches!(letter, Some('A' | 'E' | 'I' | 'O' | 'U'));
    let length = match word.chars().count() {
        0..=4 => return word.to_owned(),
        _ if is_vowel(word.chars().nth(3)) => 3,
        _ => 4,
    };
    word.chars().take(length).collect()
}

fn tokenize(text: &str, tokens: &mut Vec<Token>) {
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if next.is_ascii_alphabetic() {
            let (word, after) = rest.split_at(letters(rest));
            let long = word.to_ascii_uppercase();
            let short = short(&long);
            tokens.push(Token::Word { long, short });
            rest = after;
        } else if next.is_whitespace() {
            let is_needed = matches!(tokens.last(), Some(Token::Word { .. } | Token::Sign(_)));
            tokens.push(Token::Blank { is_needed });
            rest = rest.trim_start();
        } else {
            tokens.push(Token::Sign(next));
            rest = &rest[next.len_utf8()..];
        }
    }
}

/// How long the word at the beginning is.
fn letters(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len())
}

fn fits(tokens: &[Token], text: &str, found: &mut Found) -> bool {
    let Some((token, later)) = tokens.split_first() else {
        return text.is_empty();
    };
    match token {
        Token::Blank { is_needed } => {
            let rest = text.trim_start();
            let is_there = rest.len() < text.len() || rest.is_empty();
            (is_there || !is_needed) && fits(later, rest, found)
        }
        Token::Sign(sign) => text.strip_prefix(*sign).is_some_and(|rest| fits(later, rest, found)),
        Token::Word { long, short: brief } => {
            let (word, rest) = text.split_at(letters(text));
            let word = word.to_ascii_uppercase();
            if !word.is_empty() && (word == *long || short(&word) == *brief) && fits(later, rest, found) {
                return true;
            }
            // Letters of a value may follow without a blank: `E1r1`, `i2;c1;Volt?`.
            let before_hole = matches!(later.first(), Some(Token::Value(_) | Token::Name(..)));
            let is_begun = text
                .get(..long.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(long));
            before_hole && is_begun && fits(later, &text[long.len()..], found)
        }
        Token::Value(takes) => lengths(takes, text, later.is_empty()).into_iter().any(|length| {
            found.values.push(text[..length].trim().to_owned());
            let is_right = length > 0 && fits(later, &text[length..], found);
            if !is_right {
                found.values.pop();
            }
            is_right
        }),
        Token::Name(name, takes) => lengths(takes, text, later.is_empty()).into_iter().any(|length| {
            let before = found.names.get(name).cloned();
            if length > 0 {
                found.names.insert(name.clone(), text[..length].trim().to_owned());
            }
            let is_right = fits(later, &text[length..], found);
            if !is_right {
                match before {
                    Some(value) => found.names.insert(name.clone(), value),
                    None => found.names.remove(name),
                };
            }
            is_right
        }),
    }
}

/// How many bytes a hole may take, the likeliest first.
fn lengths(takes: &Takes, text: &str, is_last: bool) -> Vec<usize> {
    match takes {
        Takes::Number => number(text).into_iter().collect(),
        Takes::Index => {
            let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            vec![digits]
        }
        Takes::Text if is_last => vec![text.len()],
        Takes::Text => text
            .char_indices()
            .map(|(at, _)| at)
            .skip(1)
            .chain([text.len()])
            .collect(),
        Takes::Words(words) => {
            let mut fitting: Vec<usize> = words
                .iter()
                .filter(|word| {
                    text.get(..word.len())
                        .is_some_and(|begin| begin.eq_ignore_ascii_case(word))
                })
                .map(String::len)
                .collect();
            fitting.sort_unstable_by(|a, b| b.cmp(a));
            fitting
        }
    }
}

/// How long the number at the beginning is, if there is one.
fn number(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let whole = digits(at);
    at += whole;
    let mut fraction = 0;
    if bytes.get(at) == Some(&b'.') {
        fraction = digits(at + 1);
        at += 1 + fraction;
    }
    if whole + fraction == 0 {
        return None;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let power = digits((at + 1 + sign).min(bytes.len()));
        if power > 0 {
            at += 1 + sign + power;
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::{Pattern, Takes, canonical};
    use crate::driver::template::Template;

    fn found(template: &str, command: &str) -> String {
        let template = Template::parse(template).expect("a template");
        let takes = |name: &str| match name {
            "unit" => Takes::Words(vec!["GHz".to_owned(), "Hz".to_owned()]),
            "prefix" => Takes::Text,
            _ => Takes::Index,
        };
        let value = if command.contains('\'') {
            Takes::Text
        } else {
            Takes::Number
        };
        match Pattern::new(&template, &value, takes).find(command) {
            Some(found) => format!("{:?} {:?}", found.values, found.names),
            None => "-".to_owned(),
        }
    }

    #[test]
    fn commands_are_taken_apart() {
        let check = |template: &str, command: &str, expected: &str| assert_eq!(found(template, command), expected);
        check(":SOURce:LEVel {}", "sour:lev -1.5e-3", r#"["-1.5e-3"] {}"#);
        check(":SOURce:LEVel {}", ":SOURce:LEVel", "-");
        check(":OUTP?", "OUTPUT?", "[] {}");
        check("FREQ {}{unit}", "FREQ 4.5GHz", r#"["4.5"] {"unit": "GHz"}"#);
        check("FREQ:STAR {} GHz", "freq:start 4.5GHz", r#"["4.5"] {}"#);
        check("S{:+E}E", "S+1.500000E+00E", r#"["+1.500000E+00"] {}"#);
        check("SENS{channel}:X?", "SENSe12:X?", r#"[] {"channel": "12"}"#);
        check("SENS{channel}:X?", "SENSe:X?", "[] {}");
        check("{prefix}Volt {}", "i2;c1;Volt 1.25", r#"["1.25"] {"prefix": "i2;c1;"}"#);
        check("SEL{channel} '{}'", "SEL1 'Ch1:S21'", r#"["Ch1:S21"] {"channel": "1"}"#);
        check("E1r1", "E1r1", "[] {}");
        check("f{:.4f}", "f4500.5000", r#"["4500.5000"] {}"#);
        check("f{:.4f}", "f?", "-");
    }

    #[test]
    fn all_ways_to_write_a_command_are_one() {
        assert_eq!(canonical(":SOURce:LEVel?"), canonical("sour:level?"));
        assert_eq!(canonical("SENSe1:SWEep:Type?"), canonical("SENS1:SWE:TYPE?"));
        assert_ne!(canonical("C1:X?"), canonical("C2:X?"));
    }
}
