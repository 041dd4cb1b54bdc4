//! A SCPI command in its parts: `CALCulate2:DATA? FDATA` → `CALC DATA`, 2, a question, `FDATA`.

use super::super::pattern::canonical;
use crate::driver::answer::unquoted;

/// A command in its parts.
pub(super) struct Header {
    /// In capitals and short forms.
    pub(super) words: Vec<String>,
    /// Those behind the words; 1 where there is none.
    pub(super) numbers: Vec<i64>,
    pub(super) asks: bool,
    /// Without quotes.
    pub(super) arguments: Vec<String>,
}

impl Header {
    pub(super) fn parse(command: &str) -> Self {
        let command = command.trim();
        let (header, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let asks = header.ends_with('?');
        let header = canonical(header.trim_end_matches('?'));
        let (mut words, mut numbers) = (Vec::new(), Vec::new());
        for part in header.split(':') {
            let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
            words.push(letters.to_owned());
            numbers.push(part[letters.len()..].parse().unwrap_or(1));
        }
        Self {
            words,
            numbers,
            asks,
            arguments: arguments(rest),
        }
    }

    /// The words, for a `match`.
    pub(super) fn words(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }

    pub(super) fn argument(&self, at: usize) -> &str {
        self.arguments.get(at).map_or("", String::as_str)
    }
}

/// What stands between commas that are not in quotes.
fn arguments(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quote = None;
    for character in text.chars() {
        match (quote, character) {
            (None, ',') => {
                parts.push(String::new());
                continue;
            }
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(character);
        }
    }
    parts.iter().map(|part| unquoted(part.trim()).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::Header;

    #[test]
    fn a_command_is_taken_apart() {
        let header = Header::parse("CALCulate2:PARameter:DEFine:EXTended 'Ch2:S21','S21'");
        assert_eq!(header.words(), ["CALC", "PAR", "DEF", "EXT"]);
        assert_eq!(header.numbers, [2, 1, 1, 1]);
        assert_eq!(header.arguments, ["Ch2:S21", "S21"]);
        assert!(!header.asks && Header::parse("calc:data? SDATA").asks);
    }
}
