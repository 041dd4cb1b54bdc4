//! Text → tokens with their places. Python's tokens, and `{entry}` as one token where braces are references.
//!
//! Escapes of string literals are resolved and numbers are converted here; `\N{…}` is absent (it needs the table of
//! Unicode's names), and so are f-strings: their braces would be entry references.

use std::sync::Arc;

use num_bigint::BigInt;
use num_complex::Complex64;
use num_traits::Num;

use crate::{Error, ErrorKind, Span, Value};

/// What braces mean in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Braces {
    /// `{name}` is an entry; the name is verbatim, blanks and all. Formulas.
    References,
    /// `{1: 2}` is a dict and `{1}` a set. Definitions, which see no entry.
    Displays,
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum TokenKind {
    /// An identifier or a keyword.
    Name(Arc<str>),
    /// What stands between the braces of a reference.
    Entry(String),
    Number(Value),
    Str(String),
    Bytes(Vec<u8>),
    Operator(&'static str),
    /// What is no token; nothing after it is read.
    Invalid(Error),
    End,
}

/// Longest first: `**` before `*`.
const OPERATORS: [&str; 38] = [
    "**=", "//=", "...", "<<=", ">>=", "**", "//", "<<", ">>", "<=", ">=", "==", "!=", "->", ":=", "+=", "-=", "*=",
    "/=", "%=", "+", "-", "*", "/", "%", "@", "&", "|", "^", "~", "<", ">", "(", ")", "[", "]", ",", ":",
];

pub(crate) fn syntax_error(message: impl Into<String>, start: usize, end: usize) -> Error {
    Error::new(ErrorKind::SyntaxError, message).at(Span { start, end })
}

/// Reads one token after the other.
pub(crate) struct Lexer<'t> {
    text: &'t str,
    position: usize,
    /// Brackets that are open; inside them a line break is a blank.
    open: usize,
    braces: Braces,
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(text: &'t str, braces: Braces) -> Lexer<'t> {
        Lexer {
            text,
            position: 0,
            open: 0,
            braces,
        }
    }

    /// The next token; `End` for ever after the last.
    pub(crate) fn next(&mut self) -> Token {
        self.token().unwrap_or_else(|error| {
            let span = error.span.unwrap_or_default();
            self.position = self.text.len();
            Token {
                kind: TokenKind::Invalid(error),
                span,
            }
        })
    }

    fn rest(&self) -> &str {
        &self.text[self.position..]
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.position + ahead).copied().unwrap_or(0)
    }

    fn error(&self, message: impl Into<String>, start: usize) -> Error {
        syntax_error(message, start, self.position.max(start))
    }

    fn token(&mut self) -> Result<Token, Error> {
        self.skip_blanks()?;
        let start = self.position;
        let kind = self.kind()?;
        Ok(Token {
            kind,
            span: Span {
                start,
                end: self.position,
            },
        })
    }

    fn skip_blanks(&mut self) -> Result<(), Error> {
        loop {
            match self.byte(0) {
                b' ' | b'\t' | b'\x0c' => self.position += 1,
                b'\n' | b'\r' => {
                    if self.open == 0 && self.position > 0 && !self.only_blank_so_far() && !self.only_blank_left() {
                        return Err(self.error("invalid syntax: a line break outside of brackets", self.position));
                    }
                    self.position += 1;
                }
                b'#' => self.position += self.rest().find('\n').unwrap_or(self.rest().len()),
                b'\\' if self.byte(1) == b'\n' => self.position += 2,
                b'\\' if self.byte(1) == b'\r' && self.byte(2) == b'\n' => self.position += 3,
                _ => return Ok(()),
            }
        }
    }

    fn only_blank_so_far(&self) -> bool {
        self.text[..self.position].trim().is_empty()
    }

    fn only_blank_left(&self) -> bool {
        self.rest()
            .lines()
            .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
    }

    fn kind(&mut self) -> Result<TokenKind, Error> {
        let Some(first) = self.rest().chars().next() else {
            return Ok(TokenKind::End);
        };
        let digit_after_dot = first == '.' && self.byte(1).is_ascii_digit();
        if first.is_ascii_digit() || digit_after_dot {
            return self.number();
        }
        if first == '"' || first == '\'' {
            return self.string("", self.position);
        }
        if first == '_' || first.is_alphabetic() {
            return self.name();
        }
        if first == '{' || first == '}' {
            return self.brace(first);
        }
        if first == '!' && self.byte(1) != b'=' || first == '$' || first == '?' || first == '`' || first == ';' {
            return Err(syntax_error(
                format!("invalid syntax: `{first}`"),
                self.position,
                self.position + 1,
            ));
        }
        if first == '=' && self.byte(1) != b'=' {
            self.position += 1;
            return Ok(TokenKind::Operator("="));
        }
        for operator in OPERATORS {
            if self.rest().starts_with(operator) {
                self.position += operator.len();
                match operator {
                    "(" | "[" => self.open += 1,
                    ")" | "]" => self.open = self.open.saturating_sub(1),
                    _ => {}
                }
                return Ok(TokenKind::Operator(operator));
            }
        }
        if first == '.' {
            self.position += 1;
            return Ok(TokenKind::Operator("."));
        }
        let message = format!(
            "invalid character `{}` (U+{:04X})",
            first.escape_default(),
            u32::from(first)
        );
        Err(syntax_error(message, self.position, self.position + first.len_utf8()))
    }

    fn brace(&mut self, brace: char) -> Result<TokenKind, Error> {
        let start = self.position;
        if self.braces == Braces::Displays {
            self.position += 1;
            return Ok(TokenKind::Operator(if brace == '{' {
                self.open += 1;
                "{"
            } else {
                self.open = self.open.saturating_sub(1);
                "}"
            }));
        }
        if brace == '}' {
            return Err(syntax_error("unmatched `}`", start, start + 1));
        }
        let Some(length) = self.rest().find('}') else {
            return Err(syntax_error("`{` was never closed", start, start + 1));
        };
        let name = self.text[start + 1..start + length].to_owned();
        self.position += length + 1;
        if name.is_empty() {
            let message = "`{}` names no entry: braces are entry references here; write `dict()` for an empty dict";
            return Err(self.error(message, start));
        }
        if let Some(inner) = name.find('{') {
            let at = start + 1 + inner;
            return Err(syntax_error("`{` inside an entry reference", at, at + 1));
        }
        Ok(TokenKind::Entry(name))
    }

    fn name(&mut self) -> Result<TokenKind, Error> {
        let start = self.position;
        let length = self
            .rest()
            .find(|c: char| !(c == '_' || c.is_alphanumeric()))
            .unwrap_or(self.rest().len());
        self.position += length;
        let name = &self.text[start..self.position];
        if length <= 2 && matches!(self.byte(0), b'"' | b'\'') {
            let prefix = name.to_ascii_lowercase();
            if matches!(&*prefix, "r" | "u" | "b" | "br" | "rb") {
                return self.string(&prefix, start);
            }
            if matches!(&*prefix, "f" | "fr" | "rf") {
                let message = match self.braces {
                    Braces::References => {
                        "f-strings are not available: braces are always entry references; use `'%.3f' % {entry}` or \
                         `format({entry}, '.3f')`"
                    }
                    Braces::Displays => "f-strings are not available; use `'%.3f' % value` or `format(value, '.3f')`",
                };
                return Err(self.error(message, start));
            }
        }
        Ok(TokenKind::Name(name.into()))
    }

    fn digits(&mut self, valid: fn(u8) -> bool) -> Result<(), Error> {
        while valid(self.byte(0)) || self.byte(0) == b'_' {
            if self.byte(0) == b'_' && !valid(self.byte(1)) {
                return Err(self.error("invalid decimal literal", self.position));
            }
            self.position += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<TokenKind, Error> {
        let start = self.position;
        let radix = match (self.byte(0), self.byte(1).to_ascii_lowercase()) {
            (b'0', b'x') => 16,
            (b'0', b'o') => 8,
            (b'0', b'b') => 2,
            _ => 10,
        };
        if radix != 10 {
            self.position += 2;
            let digits_start = self.position;
            self.digits(|byte| byte.is_ascii_alphanumeric())?;
            let digits = self.text[digits_start..self.position].replace('_', "");
            let number = BigInt::from_str_radix(&digits, radix)
                .map_err(|_| self.error(format!("invalid digit in a number of base {radix}"), start))?;
            return Ok(TokenKind::Number(Value::int(number)));
        }
        self.digits(|byte| byte.is_ascii_digit())?;
        let mut whole = true;
        if self.byte(0) == b'.' {
            whole = false;
            self.position += 1;
            if self.byte(0) == b'_' {
                return Err(self.error("invalid decimal literal", start));
            }
            self.digits(|byte| byte.is_ascii_digit())?;
        }
        let sign = usize::from(matches!(self.byte(1), b'+' | b'-'));
        if self.byte(0).eq_ignore_ascii_case(&b'e') && self.byte(1 + sign).is_ascii_digit() {
            whole = false;
            self.position += 1 + sign;
            self.digits(|byte| byte.is_ascii_digit())?;
        }
        let digits = self.text[start..self.position].replace('_', "");
        let imaginary = self.byte(0).eq_ignore_ascii_case(&b'j');
        if imaginary {
            self.position += 1;
        }
        self.number_ends(start)?;
        if imaginary || !whole {
            let number: f64 = digits
                .parse()
                .map_err(|_| self.error("invalid decimal literal", start))?;
            let value = if imaginary {
                Value::Complex(Complex64::new(0.0, number))
            } else {
                Value::Float(number)
            };
            return Ok(TokenKind::Number(value));
        }
        if digits.len() > 1 && digits.starts_with('0') && digits.bytes().any(|digit| digit != b'0') {
            let message =
                "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers";
            return Err(self.error(message, start));
        }
        if digits.len() > 4300 {
            return Err(self.error("exceeds the limit (4300 digits) for integer literals", start));
        }
        let number = match digits.parse::<i64>() {
            Ok(small) => Value::Int(small),
            Err(_) => Value::int(
                digits
                    .parse()
                    .map_err(|_| self.error("invalid decimal literal", start))?,
            ),
        };
        Ok(TokenKind::Number(number))
    }

    /// A number may touch a keyword (`1if x else 2`) and nothing else that is a letter.
    fn number_ends(&self, start: usize) -> Result<(), Error> {
        let rest = self.rest();
        let touches = rest.starts_with(|c: char| c == '_' || c.is_alphanumeric());
        let keyword = ["if", "else", "and", "or", "in", "is", "not", "for"]
            .iter()
            .any(|word| rest.starts_with(word));
        if touches && !keyword {
            Err(self.error("invalid decimal literal", start))
        } else {
            Ok(())
        }
    }

    fn string(&mut self, prefix: &str, start: usize) -> Result<TokenKind, Error> {
        let quote = char::from(self.byte(0));
        let triple: String = [quote; 3].iter().collect();
        let delimiter = if self.rest().starts_with(&triple) {
            triple
        } else {
            quote.to_string()
        };
        self.position += delimiter.len();
        let (raw, bytes) = (prefix.contains('r'), prefix.contains('b'));
        let mut text = String::new();
        let mut octets = Vec::new();
        loop {
            if self.rest().starts_with(&delimiter) {
                self.position += delimiter.len();
                break;
            }
            let Some(next) = self.rest().chars().next() else {
                return Err(syntax_error("unterminated string literal", start, start + 1));
            };
            if next == '\n' && delimiter.len() == 1 {
                return Err(syntax_error("unterminated string literal", start, start + 1));
            }
            self.position += next.len_utf8();
            if next == '\\' && raw {
                self.raw_escape(&mut text, &mut octets);
            } else if next == '\\' {
                self.escape(bytes, &mut text, &mut octets)?;
            } else if bytes && !next.is_ascii() {
                return Err(self.error(
                    "bytes can only contain ASCII literal characters",
                    self.position - next.len_utf8(),
                ));
            } else {
                push(next, bytes, &mut text, &mut octets);
            }
        }
        Ok(if bytes {
            TokenKind::Bytes(octets)
        } else {
            TokenKind::Str(text)
        })
    }

    /// In a raw string a backslash stands for itself and still protects the quote after it.
    fn raw_escape(&mut self, text: &mut String, octets: &mut Vec<u8>) {
        text.push('\\');
        octets.push(b'\\');
        if let Some(next) = self.rest().chars().next() {
            self.position += next.len_utf8();
            text.push(next);
            let mut buffer = [0; 4];
            octets.extend_from_slice(next.encode_utf8(&mut buffer).as_bytes());
        }
    }

    fn escape(&mut self, bytes: bool, text: &mut String, octets: &mut Vec<u8>) -> Result<(), Error> {
        let start = self.position - 1;
        let Some(next) = self.rest().chars().next() else {
            return Ok(());
        };
        self.position += next.len_utf8();
        let plain = match next {
            '\n' => return Ok(()),
            '\r' => {
                if self.byte(0) == b'\n' {
                    self.position += 1;
                }
                return Ok(());
            }
            '\\' | '\'' | '"' => next,
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            '0'..='7' => {
                let length = (1..3)
                    .take_while(|ahead| matches!(self.byte(ahead - 1), b'0'..=b'7'))
                    .count();
                let digits = &self.text[self.position - 1..self.position + length];
                let code = u32::from_str_radix(digits, 8).map_err(|_| self.error("invalid octal escape", start))?;
                self.position += length;
                if bytes {
                    octets.push((code & 0xff) as u8);
                    return Ok(());
                }
                char::from_u32(code).ok_or_else(|| self.error("invalid octal escape", start))?
            }
            'x' => {
                let code = self.hexadecimal(2, start)?;
                if bytes {
                    octets.push((code & 0xff) as u8);
                    return Ok(());
                }
                char::from_u32(code).ok_or_else(|| self.error("invalid \\x escape", start))?
            }
            'u' | 'U' if !bytes => {
                let code = self.hexadecimal(if next == 'u' { 4 } else { 8 }, start)?;
                char::from_u32(code).ok_or_else(|| self.error("this escape is no Unicode character", start))?
            }
            'N' if !bytes => {
                let error = Error::new(
                    ErrorKind::NotSupported,
                    "`\\N{…}` is not supported: write the character itself",
                );
                return Err(error.at(Span {
                    start,
                    end: self.position,
                }));
            }
            other => {
                push('\\', bytes, text, octets);
                if bytes && !other.is_ascii() {
                    return Err(self.error("bytes can only contain ASCII literal characters", start));
                }
                other
            }
        };
        push(plain, bytes, text, octets);
        Ok(())
    }

    fn hexadecimal(&mut self, count: usize, start: usize) -> Result<u32, Error> {
        let digits = self
            .text
            .as_bytes()
            .get(self.position..self.position + count)
            .unwrap_or_default();
        let valid = digits.len() == count && digits.iter().all(u8::is_ascii_hexdigit);
        let code = std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match code {
            Some(code) if valid => {
                self.position += count;
                Ok(code)
            }
            _ => Err(self.error("truncated escape in a string literal", start)),
        }
    }
}

fn push(next: char, bytes: bool, text: &mut String, octets: &mut Vec<u8>) {
    if bytes {
        // Only ASCII comes here: the caller has refused the rest.
        octets.push(next as u8);
    } else {
        text.push(next);
    }
}
