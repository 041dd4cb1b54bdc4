//! Declarations of PyMeasure and QCoDeS → a driver file.
//!
//! ```text
//! a class of Python ─extract.py→ Class ─┐
//! a vector of PyMeasure's tests ────────┴→ Declaration → signal of a driver file
//! ```
//!
//! A declaration is what `Instrument.control(...)` was given, as JSON: commands, values, whether they are a map, the check,
//! the cast, the separator. What PyMeasure does with them is said here once, in the words of driver files; the vectors of its
//! own tests hold both to the same bytes. What a class does around its commands (a prefix before all of them, the channel
//! that some firmware wants elsewhere) is code in PyMeasure and a table here.
//!
//! Deliberately absent: `get_process`, `set_process` and `preprocess_reply`, which are Python code. The script says of them
//! what it finds by trying (a factor, quotes); any other such property is named and needs a driver written by hand.

mod class;
mod file;
mod values;

use serde::Deserialize;
use toml::Table;
use toml::Value as Toml;

use super::number;

pub use class::{Class, SCRIPT};
pub use values::Values;

/// One property as PyMeasure declares it, or one parameter as QCoDeS does.
#[derive(Clone, Debug, Deserialize)]
pub struct Declaration {
    /// How values stand in the command of a set.
    #[serde(default)]
    pub style: Style,
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

/// Python's two ways to write a value into a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// `%g`; braces are names alone. PyMeasure's.
    #[default]
    Percent,
    /// `{:g}`. QCoDeS's.
    Braces,
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

/// What classes of PyMeasure put before each command.
const PREFIXES: [(&str, &str); 12] = [
    ("AFG3152CChannel", "source{ch}:"),
    ("DPSeriesMotorController", "@0"),
    ("KeysightDSOXChannel", ":channel{ch}:"),
    ("LeCroyT3DSO1204Channel", "C{ch}:"),
    ("MKS937B", "@253"),
    ("MKS974B", "@253"),
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
    let mut file = file::File::new(
        format!("pymeasure.{}", class.to_lowercase()),
        class.to_owned(),
        "PyMeasure's declarations".to_owned(),
    );
    let prefix = PREFIXES
        .iter()
        .find(|(name, _)| *name == class)
        .map_or("", |(_, prefix)| *prefix);
    for (name, declaration) in properties {
        let mut signal = signal(declaration, prefix).map_err(|words| format!("`{name}` of `{class}`: {words}"))?;
        if declaration.set_command.is_none() && declaration.cast == Cast::Float && !signal.contains_key("map") {
            // What is no number stays text there.
            signal.insert("type".to_owned(), text("float or text"));
        }
        file.signals.push(((*name).to_owned(), signal));
    }
    file.name_arguments();
    Ok(file.to_string())
}

/// The keys of a signal.
fn signal(declared: &Declaration, prefix: &str) -> Result<Table, String> {
    let mut signal = Table::new();
    if let Some(get) = &declared.get_command {
        // Only the commands of sets are templates.
        let get = get.replace('%', "%%");
        let get = match declared.style {
            Style::Percent => braces(&get),
            Style::Braces => get,
        };
        signal.insert("get".to_owned(), text(prefix.to_owned() + &get));
    }
    if let Some(set) = &declared.set_command {
        let set = match declared.style {
            Style::Percent => set_command(set, prefix),
            Style::Braces => prefix.to_owned() + &set.replace('%', "%%").replace("{0", "{"),
        };
        signal.insert("set".to_owned(), set_by_case(declared, &set).unwrap_or(text(set)));
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

/// A command for each value, where their names on the wire have the channel in them: `CN{ch}`.
fn set_by_case(declared: &Declaration, set: &str) -> Option<Toml> {
    let Values::Pairs(pairs) = &declared.values else {
        return None;
    };
    let has_name = |wire: &Toml| {
        wire.as_str()
            .is_some_and(|wire| wire.contains('{') && braces(wire) == wire)
    };
    if !declared.map || !set.contains("%s") || !pairs.iter().any(|(_, wire)| has_name(wire)) {
        return None;
    }
    let cases = pairs.iter().map(|(key, wire)| {
        let wire = wire.as_str().map_or_else(|| wire.to_string(), str::to_owned);
        let case = match of_key(key) {
            Toml::Boolean(truth) => truth.to_string(),
            _ => key.clone(),
        };
        (case, text(set.replace("%s", &wire)))
    });
    Some(Toml::Table(cases.collect()))
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
        // The cast is of what is read; a fraction may be set all the same.
        Cast::Int if takes_text && has_fractions(declared) => "float",
        Cast::Float => "float",
        Cast::Int => "int",
        Cast::Bool => "bool",
        Cast::Str => "text",
        Cast::FloatOrStr => "float or text",
    }
}

fn has_fractions(declared: &Declaration) -> bool {
    match &declared.values {
        Values::List(values) => values.iter().any(Toml::is_float),
        Values::Pairs(_) => false,
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
            let number = |value: &Toml| match value {
                Toml::Boolean(truth) => Some(f64::from(u8::from(*truth))),
                _ => value.as_float().or_else(|| value.as_integer().map(as_float)),
            };
            let numbers: Option<Vec<f64>> = values.iter().map(number).collect();
            let numbers = numbers.ok_or("its range is not of numbers")?;
            let least = numbers.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1));
            let most = numbers.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            for (key, found) in [("min", least), ("max", most)] {
                if let Some((at, _)) = found {
                    let limit = match &values[at] {
                        Toml::Boolean(truth) => Toml::Integer(i64::from(*truth)),
                        other => other.clone(),
                    };
                    signal.insert(key.to_owned(), limit);
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

/// Braces that are not a name stand for themselves. In the commands of a channel's channel the outer channel has two pairs
/// of them.
fn braces(command: &str) -> String {
    let mut result = String::new();
    let mut rest = command;
    while let Some(at) = rest.find(['{', '}']) {
        result.push_str(&rest[..at]);
        rest = &rest[at..];
        let inside = rest.trim_start_matches('{');
        let pairs = rest.len() - inside.len();
        let name = inside.split_once('}').map(|(name, _)| name);
        let mut characters = name.unwrap_or_default().chars();
        let is_name =
            characters.next().is_some_and(char::is_alphabetic) && characters.all(|c| c.is_alphanumeric() || c == '_');
        let behind = name.and_then(|name| inside[name.len()..].strip_prefix(&"}".repeat(pairs)));
        match (name, behind) {
            (Some(name), Some(behind)) if is_name && pairs > 0 => {
                result.push_str(&format!("{{{name}}}"));
                rest = behind;
            }
            _ => {
                result.push_str(&rest[..1].repeat(2));
                rest = &rest[1..];
            }
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
