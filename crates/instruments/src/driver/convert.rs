//! PyMeasure's declarations of properties → a driver file.
//!
//! A declaration is what `Instrument.control(...)` was given, as JSON: commands, values, whether they are a map, the check,
//! the cast, the separator. What PyMeasure does with them is said here once, in the words of driver files; the vectors of its
//! own tests hold both to the same bytes. What a class does around its commands (a prefix before all of them, the channel
//! that some firmware wants elsewhere) is code in PyMeasure and a table here.
//!
//! Deliberately absent: `get_process`, `set_process` and `preprocess_reply`, which are Python code; such a property needs a
//! driver written by hand.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use toml::Table;
use toml::Value as Toml;

use super::number;
use super::template::Template;

/// One property as PyMeasure declares it.
#[derive(Clone, Debug, Deserialize)]
pub struct Declaration {
    pub get_command: Option<String>,
    pub set_command: Option<String>,
    #[serde(default)]
    pub values: Values,
    /// Whether `values` are names or positions on the wire.
    #[serde(default)]
    pub map: bool,
    pub check: Option<Check>,
    pub cast: Cast,
    #[serde(rename = "sep")]
    pub separator: String,
    #[serde(default, rename = "maxsplit")]
    pub most_splits: Option<i64>,
    /// Whether the instrument answers a set, or is asked for its errors after it.
    #[serde(default)]
    pub check_set: bool,
    /// Whether `values` may be replaced while the program runs; they are then no limits.
    #[serde(default)]
    pub dynamic: bool,
}

/// How a value is checked against `values`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// `strict_range`
    Range,
    /// `strict_discrete_set`
    Set,
    /// `truncated_range`
    Clamp,
    /// `truncated_discrete_set`
    CeilSet,
}

/// What each part of an answer becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cast {
    Float,
    Int,
    Bool,
    Str,
    FloatOrStr,
}

/// A list, or pairs in the order in which they were declared: of two names for one thing the first is read back.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    List(Vec<Toml>),
    Pairs(Vec<(String, Toml)>),
}

impl Default for Values {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

/// What classes of PyMeasure put before each command.
const PREFIXES: [(&str, &str); 9] = [
    ("AFG3152CChannel", "source{ch}:"),
    ("KeysightDSOXChannel", ":channel{ch}:"),
    ("LeCroyT3DSO1204Channel", "C{ch}:"),
    ("OphirBase", "$"),
    ("PSChannel", "INST:SEL CH{ch};"),
    ("Racal1992", " "),
    ("Sound_Channel", "SOUR:TEL:MOD:SOUN:{ch}:"),
    ("TeledyneMAUIChannel", "C{ch}:"),
    ("TeledyneOscilloscopeChannel", "C{ch}:"),
];

/// Commands that have the channel elsewhere than the others of their class, and no prefix.
const ELSEWHERE: [(&str, &str, &str); 2] = [
    ("C{ch}:", "BWL %s", "BWL C{ch},%s"),
    ("C{ch}:", "PACU %s", "PACU %s,C{ch}"),
];

/// The driver file of a class with these properties.
///
/// # Errors
/// Where a property is declared in a way that no driver file has; the words name it.
pub fn driver_file(class: &str, properties: &[(&str, &Declaration)]) -> Result<String, String> {
    let mut signals = Table::new();
    let mut arguments = Table::new();
    let prefix = PREFIXES
        .iter()
        .find(|(name, _)| *name == class)
        .map_or("", |(_, prefix)| *prefix);
    for (name, declaration) in properties {
        let signal = signal(declaration, prefix).map_err(|words| format!("`{name}` of `{class}`: {words}"))?;
        signals.insert((*name).to_owned(), Toml::Table(signal));
        let commands = [
            declaration.get_command.as_deref(),
            declaration.set_command.as_deref(),
            Some(prefix),
        ];
        for named in commands
            .into_iter()
            .flatten()
            .filter_map(|command| Template::parse(&braces(command)).ok())
        {
            // Another property is known by itself; whatever else a class fills in is given by the user.
            let given = |named: &&str| properties.iter().all(|(property, _)| property != named);
            for named in named.names().filter(given) {
                arguments.insert(named.to_owned(), Toml::Table(Table::new()));
            }
        }
    }
    let mut file = Table::new();
    file.insert("id".to_owned(), text(format!("pymeasure.{}", class.to_lowercase())));
    file.insert("title".to_owned(), text(class));
    file.insert("source".to_owned(), text("PyMeasure's declarations"));
    if !arguments.is_empty() {
        file.insert("argument".to_owned(), Toml::Table(arguments));
    }
    file.insert("signal".to_owned(), Toml::Table(signals));
    toml::to_string(&file).map_err(|error| error.to_string())
}

fn signal(declared: &Declaration, prefix: &str) -> Result<Table, String> {
    let mut signal = Table::new();
    if let Some(get) = &declared.get_command {
        // Only the commands of sets are templates in PyMeasure.
        signal.insert(
            "get".to_owned(),
            text(prefix.to_owned() + &braces(&get.replace('%', "%%"))),
        );
    }
    if let Some(set) = &declared.set_command {
        signal.insert("set".to_owned(), text(set_command(set, prefix)));
        if declared.check_set {
            signal.insert("acknowledge".to_owned(), Toml::Array(Vec::new()));
        }
    }
    signal.insert("type".to_owned(), text(kind(declared)));
    match declared.most_splits {
        Some(0) => {}
        most => {
            signal.insert("split".to_owned(), text(&declared.separator));
            if let Some(most) = most.filter(|most| *most > 0) {
                signal.insert("split_most".to_owned(), Toml::Integer(most));
            }
        }
    }
    domain(declared, &mut signal)?;
    Ok(signal)
}

fn set_command(set: &str, prefix: &str) -> String {
    let elsewhere = ELSEWHERE
        .iter()
        .find(|(of, command, _)| *of == prefix && *command == set);
    match elsewhere {
        Some((_, _, command)) => (*command).to_owned(),
        None => prefix.to_owned() + &braces(set),
    }
}

/// Whether words can be values: some are declared, or nothing is and the command takes any text.
fn kind(declared: &Declaration) -> &'static str {
    let has_words = match &declared.values {
        Values::List(values) => values.iter().any(Toml::is_str),
        Values::Pairs(_) => false,
    };
    let takes_text = declared.set_command.as_ref().is_some_and(|set| set.contains("%s"));
    let is_open = declared.values == Values::default();
    match declared.cast {
        Cast::Float | Cast::Int if has_words || (is_open && takes_text) => "float or text",
        Cast::Float => "float",
        Cast::Int => "int",
        Cast::Bool => "bool",
        Cast::Str => "text",
        Cast::FloatOrStr => "float or text",
    }
}

fn domain(declared: &Declaration, signal: &mut Table) -> Result<(), String> {
    let values = match &declared.values {
        Values::Pairs(pairs) if declared.map => {
            let pairs = pairs
                .iter()
                .map(|(key, wire)| Toml::Array(vec![of_key(key), wire.clone()]));
            signal.insert("map".to_owned(), Toml::Array(pairs.collect()));
            beyond(declared, signal);
            return Ok(());
        }
        // Checked against the keys, as Python's `in` does.
        Values::Pairs(pairs) => pairs.iter().map(|(key, _)| of_key(key)).collect(),
        Values::List(values) => values.clone(),
    };
    if values.is_empty() {
        return Ok(());
    }
    if declared.map {
        signal.insert("index".to_owned(), Toml::Array(values));
        beyond(declared, signal);
        return Ok(());
    }
    match declared.check {
        Some(Check::Set | Check::CeilSet) if !declared.dynamic => {
            signal.insert("choices".to_owned(), Toml::Array(values));
        }
        Some(Check::Range | Check::Clamp) if !declared.dynamic => {
            let number = |value: &Toml| value.as_float().or_else(|| value.as_integer().map(as_float));
            let numbers: Option<Vec<f64>> = values.iter().map(number).collect();
            let numbers = numbers.ok_or("its range is not of numbers")?;
            let least = numbers.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1));
            let most = numbers.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            for (key, found) in [("min", least), ("max", most)] {
                if let Some((at, _)) = found {
                    signal.insert(key.to_owned(), values[at].clone());
                }
            }
        }
        Some(Check::Range | Check::Set | Check::Clamp | Check::CeilSet) | None => return Ok(()),
    }
    beyond(declared, signal);
    Ok(())
}

fn beyond(declared: &Declaration, signal: &mut Table) {
    let word = match declared.check {
        Some(Check::Clamp) => "clamp",
        Some(Check::CeilSet) => "next",
        Some(Check::Range | Check::Set) | None => return,
    };
    signal.insert("beyond".to_owned(), text(word));
}

/// JSON has made text of Python's keys.
fn of_key(key: &str) -> Toml {
    match key {
        "True" => Toml::Boolean(true),
        "False" => Toml::Boolean(false),
        _ => match (key.parse::<i64>(), number::parse(key)) {
            (Ok(integer), _) if integer.to_string() == key => Toml::Integer(integer),
            (_, Some(float)) if number::shortest(float) == key => Toml::Float(float),
            _ => text(key),
        },
    }
}

/// Braces that are not a name stand for themselves.
fn braces(command: &str) -> String {
    let mut result = String::new();
    let mut rest = command;
    while let Some(at) = rest.find(['{', '}']) {
        result.push_str(&rest[..at]);
        let name = rest[at..]
            .strip_prefix('{')
            .and_then(|inside| inside.split_once('}'))
            .map(|(name, _)| name);
        let is_name = |name: &&str| {
            let mut characters = name.chars();
            characters.next().is_some_and(char::is_alphabetic) && characters.all(|c| c.is_alphanumeric() || c == '_')
        };
        if let Some(name) = name.filter(is_name) {
            result.push_str(&rest[at..at + name.len() + 2]);
            rest = &rest[at + name.len() + 2..];
        } else {
            result.push_str(&rest[at..=at].repeat(2));
            rest = &rest[at + 1..];
        }
    }
    result + rest
}

fn text(text: impl Into<String>) -> Toml {
    Toml::String(text.into())
}

#[expect(clippy::cast_precision_loss, reason = "limits of instruments")]
fn as_float(integer: i64) -> f64 {
    integer as f64
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Ordered;
        impl<'de> Visitor<'de> for Ordered {
            type Value = Values;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list or a table of values")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Values, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Values::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Values, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = entries.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Values::Pairs(pairs))
            }
        }
        deserializer.deserialize_any(Ordered)
    }
}
