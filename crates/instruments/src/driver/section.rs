//! A table of a driver file, read key by key; whatever is wrong is gathered and reading goes on.
//!
//! Each reader names the keys that it knows, so that a slip of the finger is a problem with the nearest known key, never a
//! setting that silently does nothing.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, nearest};
use super::template::Template;
use super::value::Value;

/// A table and its name in complaints.
pub(crate) struct Section<'a> {
    table: &'a DeTable<'a>,
    pub(crate) name: String,
    pub(crate) place: Range<usize>,
}

/// A value of the file and where it stands.
pub(crate) type Item<'a> = &'a Spanned<DeValue<'a>>;

/// All problems found so far.
#[derive(Default)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, place: Range<usize>, message: impl Into<String>) {
        self.hinted(place, message, None);
    }

    pub(crate) fn hinted(&mut self, place: Range<usize>, message: impl Into<String>, hint: Option<String>) {
        self.0.push(Problem {
            message: message.into(),
            place,
            hint,
        });
    }
}

impl<'a> Section<'a> {
    pub(crate) fn new(table: &'a DeTable<'a>, name: impl Into<String>, place: Range<usize>) -> Self {
        Self {
            table,
            name: name.into(),
            place,
        }
    }

    /// The table that `item` is.
    pub(crate) fn of(item: Item<'a>, name: impl Into<String>, problems: &mut Problems) -> Option<Self> {
        match item.get_ref() {
            DeValue::Table(table) => Some(Self::new(table, name, item.span())),
            other => {
                problems.add(
                    item.span(),
                    format!("`{}` must be a table, not {}", name.into(), kind(other)),
                );
                None
            }
        }
    }

    /// Complains of all keys but these.
    pub(crate) fn knows(&self, known: &[&str], problems: &mut Problems) {
        for (key, _) in self.table.iter() {
            let written: &str = key.get_ref();
            if !known.contains(&written) {
                let hint = match nearest(written, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known are {}", known.join(", ")),
                };
                problems.hinted(
                    key.span(),
                    format!("`{}` has no key `{written}`", self.name),
                    Some(hint),
                );
            }
        }
    }

    /// The entries in the order of the file.
    pub(crate) fn entries(&self) -> Vec<(&'a str, Range<usize>, Item<'a>)> {
        let mut entries: Vec<_> = self
            .table
            .iter()
            .map(|(key, item)| (&**key.get_ref(), key.span(), item))
            .collect();
        entries.sort_by_key(|(_, place, _)| place.start);
        entries
    }

    pub(crate) fn item(&self, key: &str) -> Option<Item<'a>> {
        self.table.get(key)
    }

    /// Where the value of `key` stands, else the section.
    pub(crate) fn place_of(&self, key: &str) -> Range<usize> {
        self.item(key).map_or(self.place.clone(), Spanned::span)
    }

    pub(crate) fn text(&self, key: &str, problems: &mut Problems) -> Option<String> {
        let item = self.item(key)?;
        match item.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            other => self.wrong(key, item, "text", other, problems),
        }
    }

    pub(crate) fn number(&self, key: &str, problems: &mut Problems) -> Option<f64> {
        let item = self.item(key)?;
        match value(item, problems).and_then(|value| value.number()) {
            Some(number) if number.is_finite() => Some(number),
            _ => self.wrong(key, item, "a number", item.get_ref(), problems),
        }
    }

    pub(crate) fn integer(
        &self,
        key: &str,
        range: std::ops::RangeInclusive<i64>,
        problems: &mut Problems,
    ) -> Option<i64> {
        let item = self.item(key)?;
        match value(item, problems) {
            Some(Value::Int(integer)) if range.contains(&integer) => Some(integer),
            _ => {
                let (low, high) = (range.start(), range.end());
                self.wrong(
                    key,
                    item,
                    &format!("an integer from {low} to {high}"),
                    item.get_ref(),
                    problems,
                )
            }
        }
    }

    pub(crate) fn truth(&self, key: &str, problems: &mut Problems) -> Option<bool> {
        let item = self.item(key)?;
        match item.get_ref() {
            DeValue::Boolean(truth) => Some(*truth),
            other => self.wrong(key, item, "true or false", other, problems),
        }
    }

    /// `"100 ms"`, `"2 s"`, `"1 min"`.
    pub(crate) fn duration(&self, key: &str, problems: &mut Problems) -> Option<Duration> {
        let text = self.text(key, problems)?;
        let parsed = parse_duration(&text);
        if parsed.is_none() {
            problems.add(
                self.place_of(key),
                format!("`{key}` must be a time such as `100 ms` or `2 s`, not `{text}`"),
            );
        }
        parsed
    }

    /// One of some words.
    pub(crate) fn word<T: Copy>(&self, key: &str, words: &[(&str, T)], problems: &mut Problems) -> Option<T> {
        let text = self.text(key, problems)?;
        let found = words
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, meaning)| *meaning);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let hint = match nearest(&text, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known are {}", known.join(", ")),
            };
            problems.hinted(self.place_of(key), format!("`{key}` is not `{text}`"), Some(hint));
        }
        found
    }

    /// A list, or one alone.
    pub(crate) fn items(&self, key: &str) -> Option<Vec<Item<'a>>> {
        let item = self.item(key)?;
        Some(match item.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![item],
        })
    }

    pub(crate) fn values(&self, key: &str, problems: &mut Problems) -> Option<Vec<Value>> {
        let items = self.items(key)?;
        Some(items.into_iter().filter_map(|item| value(item, problems)).collect())
    }

    pub(crate) fn texts(&self, key: &str, problems: &mut Problems) -> Option<Vec<String>> {
        let items = self.items(key)?;
        let text = |item: Item<'a>| match item.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            other => self.wrong(key, item, "text or a list of texts", other, problems),
        };
        Some(items.into_iter().filter_map(text).collect())
    }

    /// One command or several.
    pub(crate) fn templates(&self, key: &str, prefix: &str, problems: &mut Problems) -> Option<Vec<Template>> {
        let items = self.items(key)?;
        Some(
            items
                .into_iter()
                .filter_map(|item| template(key, item, prefix, problems))
                .collect(),
        )
    }

    fn wrong<T>(
        &self,
        key: &str,
        item: Item<'a>,
        wanted: &str,
        found: &DeValue<'_>,
        problems: &mut Problems,
    ) -> Option<T> {
        problems.add(
            item.span(),
            format!("`{key}` of `{}` must be {wanted}, not {}", self.name, kind(found)),
        );
        None
    }
}

/// The command that `item` is.
pub(crate) fn template(key: &str, item: Item<'_>, prefix: &str, problems: &mut Problems) -> Option<Template> {
    let DeValue::String(text) = item.get_ref() else {
        problems.add(
            item.span(),
            format!("`{key}` must be a command, not {}", kind(item.get_ref())),
        );
        return None;
    };
    match Template::parse(&format!("{prefix}{text}")) {
        Ok(template) => Some(template),
        Err(words) => {
            problems.add(item.span(), format!("`{key}`: {words}"));
            None
        }
    }
}

/// The value that `item` is.
pub(crate) fn value(item: Item<'_>, problems: &mut Problems) -> Option<Value> {
    let out_of_range = |text: &str| format!("`{text}` is too large");
    match item.get_ref() {
        DeValue::String(text) => Some(Value::Text(text.to_string())),
        DeValue::Boolean(truth) => Some(Value::Bool(*truth)),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(integer) => Some(Value::Int(integer)),
            Err(_) => {
                problems.add(item.span(), out_of_range(integer.as_str()));
                None
            }
        },
        DeValue::Float(float) => match float.as_str().parse() {
            Ok(float) => Some(Value::Float(float)),
            Err(_) => {
                problems.add(item.span(), out_of_range(float.as_str()));
                None
            }
        },
        DeValue::Array(items) => {
            let values = items.iter().map(|item| value(item, problems)).collect::<Option<_>>();
            values.map(Value::List)
        }
        other @ (DeValue::Datetime(_) | DeValue::Table(_)) => {
            problems.add(item.span(), format!("{} is not a value", kind(other)));
            None
        }
    }
}

pub(crate) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a truth value",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| c != '.' && !c.is_ascii_digit())?;
    let number: f64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim() {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * unit).ok()
}
