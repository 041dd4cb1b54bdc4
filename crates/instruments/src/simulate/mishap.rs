//! Faults on demand: what a simulated instrument does wrong, and when.
//!
//! ```text
//! WHAT [VALUE] [on TEXT] [at N | after N | after TIME] [for N | for TIME]
//!
//! silent                  no answers
//! late TIME               answers so much later
//! garbage                 answers of random bytes
//! close                   the connection is closed instead of an answer
//! cut [N]                 the first N bytes of an answer (half of it), then the connection is closed
//! flood                   bytes without end
//! gone TIME               all connections are closed, and none is taken for so long
//! error CODE,"TEXT"       an entry in the queue of errors
//! off NUMBER              numbers that are set come back wrong by this
//! ```
//!
//! Messages are counted per instrument, over all its connections, and with `on TEXT` only those with this text: `LEV?` is in
//! `:SOURce:LEVel?`. Without a
//! time or a number it is so from the first message to the last. Deliberately absent: chance; what is tested must come
//! again.

use std::{fmt, str::FromStr, time::Duration};

use super::pattern::canonical;

/// A fault of an instrument.
#[derive(Clone, Debug, PartialEq)]
pub struct Mishap {
    pub what: What,
    /// Only messages with this text.
    pub on: Option<String>,
    pub from: From,
    pub lasts: Lasts,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Silent,
    Late(Duration),
    Garbage,
    Close,
    /// After so many bytes of the answer; after half of it.
    Cut(Option<usize>),
    Flood,
    Gone(Duration),
    Error {
        code: i32,
        text: String,
    },
    Off(f64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum From {
    /// This message, the first is 1.
    Message(u64),
    Time(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lasts {
    Messages(u64),
    Time(Duration),
    Forever,
}

/// A mishap that counts.
#[derive(Debug)]
pub(super) struct Armed {
    pub(super) mishap: Mishap,
    heard: u64,
    struck: u64,
    since: Option<Duration>,
}

impl Mishap {
    /// From the first message to the last.
    pub fn new(what: What) -> Self {
        Self {
            what,
            on: None,
            from: From::Message(1),
            lasts: Lasts::Forever,
        }
    }
}

impl Armed {
    pub(super) fn new(mishap: Mishap) -> Self {
        Self {
            mishap,
            heard: 0,
            struck: 0,
            since: None,
        }
    }

    /// Counts a message, so long after the beginning; whether this one is struck.
    pub(super) fn strikes(&mut self, message: &[u8], now: Duration) -> bool {
        if !self.mishap.on.as_ref().is_none_or(|text| mentions(message, text)) {
            return false;
        }
        self.heard += 1;
        let has_begun = match self.mishap.from {
            From::Message(first) => self.heard >= first,
            From::Time(time) => now >= time,
        };
        if !has_begun {
            return false;
        }
        let since = *self.since.get_or_insert(now);
        let goes_on = match self.mishap.lasts {
            Lasts::Messages(count) => self.struck < count,
            Lasts::Time(time) => now < since + time,
            Lasts::Forever => true,
        };
        self.struck += u64::from(goes_on);
        goes_on
    }
}

/// Whether a message has this text in it, each as it is written or in SCPI's short form.
fn mentions(message: &[u8], text: &str) -> bool {
    let message = String::from_utf8_lossy(message);
    message.contains(text) || canonical(&message).contains(&canonical(text))
}

/// Why a text is no mishap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MishapError {
    reason: String,
}

impl fmt::Display for MishapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for MishapError {}

impl FromStr for Mishap {
    type Err = MishapError;

    fn from_str(text: &str) -> Result<Self, MishapError> {
        let wrong = |reason: String| MishapError { reason };
        let words = words(text);
        let mut words = words.iter().map(String::as_str).peekable();
        let kind = words.next().unwrap_or_default();
        let mut value = || words.next_if(|word| !KEYWORDS.contains(word));
        let what = match kind {
            "silent" => What::Silent,
            "garbage" => What::Garbage,
            "close" => What::Close,
            "flood" => What::Flood,
            "late" => What::Late(time(value().unwrap_or_default()).map_err(wrong)?),
            "gone" => What::Gone(time(value().unwrap_or_default()).map_err(wrong)?),
            "cut" => What::Cut(match value() {
                Some(count) => Some(whole(count).map_err(wrong)?),
                None => None,
            }),
            "off" => {
                let number = value().and_then(|number| number.parse().ok());
                What::Off(number.ok_or_else(|| wrong("`off` needs a number, as in `off 0.5`".to_owned()))?)
            }
            "error" => {
                let (code, text) = value().and_then(|error| error.split_once(',')).unwrap_or_default();
                let code = code.trim().parse();
                What::Error {
                    code: code.map_err(|_| {
                        wrong("`error` needs code and text, as in `error -222,\"Data out of range\"`".to_owned())
                    })?,
                    text: text.trim().trim_matches('"').to_owned(),
                }
            }
            _ => return Err(wrong(format!("`{kind}` is no fault: there are {KINDS}"))),
        };
        let mut mishap = Self::new(what);
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| wrong(format!("nothing follows `{word}`")))?;
            match word {
                "on" => mishap.on = Some(value.to_owned()),
                "at" => {
                    mishap.from = From::Message(whole(value).map_err(wrong)?.max(1) as u64);
                    mishap.lasts = Lasts::Messages(1);
                }
                "after" => {
                    mishap.from = match whole(value) {
                        Ok(count) => From::Message(count as u64 + 1),
                        Err(_) => From::Time(time(value).map_err(wrong)?),
                    }
                }
                "for" => {
                    mishap.lasts = match whole(value) {
                        Ok(count) => Lasts::Messages(count as u64),
                        Err(_) => Lasts::Time(time(value).map_err(wrong)?),
                    }
                }
                _ => return Err(wrong(format!("`{word}` should be one of `on`, `at`, `after`, `for`"))),
            }
        }
        Ok(mishap)
    }
}

const KEYWORDS: [&str; 4] = ["on", "at", "after", "for"];
const KINDS: &str = "silent, late TIME, garbage, close, cut [BYTES], flood, gone TIME, error CODE,\"TEXT\", off NUMBER";

/// Words, with blanks inside quotes.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote) = (String::new(), None);
    for character in text.chars() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => word.push(character),
            (None, '"' | '\'') => quote = Some(character),
            (None, _) if character.is_whitespace() => {
                words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()))
            }
            (None, _) => word.push(character),
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

fn whole(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("`{text}` is no whole number"))
}

/// `500ms`, `2s`, `1.5min`.
fn time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time, as in `500ms` or `2s`");
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
    let factor = match &text[digits..] {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "min" => 60.0,
        _ => return Err(wrong()),
    };
    let number: f64 = text[..digits].parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number * factor).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Armed, From, Lasts, Mishap, What};

    #[test]
    fn mishaps_are_read() {
        let check = |text: &str, what: What, on: Option<&str>, from: From, lasts: Lasts| {
            let on = on.map(str::to_owned);
            assert_eq!(text.parse(), Ok(Mishap { what, on, from, lasts }), "{text}");
        };
        let first = From::Message(1);
        check("silent", What::Silent, None, first, Lasts::Forever);
        check("silent after 10", What::Silent, None, From::Message(11), Lasts::Forever);
        check("close at 3", What::Close, None, From::Message(3), Lasts::Messages(1));
        check(
            "cut 7 on 'CURV?' for 2",
            What::Cut(Some(7)),
            Some("CURV?"),
            first,
            Lasts::Messages(2),
        );
        let second = Duration::from_secs(1);
        check(
            "gone 1s after 1s",
            What::Gone(second),
            None,
            From::Time(second),
            Lasts::Forever,
        );
        check("late 1s for 1s", What::Late(second), None, first, Lasts::Time(second));
        let error = What::Error {
            code: -222,
            text: "Data out of range".to_owned(),
        };
        check(
            "error '-222,Data out of range' at 1",
            error,
            None,
            first,
            Lasts::Messages(1),
        );
    }

    #[test]
    fn what_is_no_mishap_is_refused_with_words() {
        let check = |text: &str, expected: &str| {
            let error = text.parse::<Mishap>().expect_err("no mishap");
            assert!(error.to_string().starts_with(expected), "{error}");
        };
        check("", "`` is no fault: there are silent,");
        check("late", "`` is no time, as in `500ms`");
        check("silent after", "nothing follows `after`");
        check("silent maybe 3", "`maybe` should be one of");
        check("off x", "`off` needs a number");
    }

    #[test]
    fn messages_are_counted() {
        let mut armed = Armed::new("close on X after 1 for 2".parse().expect("a mishap"));
        let mut strikes = |message: &str| armed.strikes(message.as_bytes(), Duration::ZERO);
        let struck: Vec<bool> = ["X1", "Y", "X2", "Y", "X3", "X4"]
            .into_iter()
            .map(&mut strikes)
            .collect();
        assert_eq!(struck, [false, false, true, false, true, false]);
    }
}
