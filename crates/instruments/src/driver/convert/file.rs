//! A driver file in the making, and its text.
//!
//! The text is for people who go on with it by hand: keys in the order in which one reads them, values on one line, what was
//! left out named below. Deliberately absent: reading (see [`crate::driver::Driver::parse`]).

use std::fmt::{self, Write};

use toml::{Table, Value as Toml};

use super::super::{number, template::Template};

/// Keys of a signal in the order in which they are written; what is not here comes before the examples.
const ORDER: [&str; 10] = [
    "doc", "unit", "get", "set", "type", "map", "index", "choices", "min", "max",
];

/// What will be a driver file.
pub(super) struct File {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) source: String,
    /// The table `[link]` as text; none where nothing is known of it.
    pub(super) link: &'static str,
    pub(super) arguments: Vec<(String, Table)>,
    pub(super) signals: Vec<(String, Table)>,
    /// What was not converted, and why.
    pub(super) left_out: Vec<(String, String)>,
}

impl File {
    pub(super) fn new(id: String, title: String, source: String) -> Self {
        Self {
            id,
            title,
            source,
            link: "",
            arguments: Vec::new(),
            signals: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Another signal is known by itself; whatever else commands name is given by the user.
    pub(super) fn name_arguments(&mut self) {
        let mut names: Vec<String> = Vec::new();
        for command in self.signals.iter().flat_map(|(_, signal)| commands(signal)) {
            let Ok(template) = Template::parse(&command) else {
                continue;
            };
            names.extend(template.names().map(str::to_owned));
        }
        for name in names {
            let is_known = self.arguments.iter().any(|(known, _)| *known == name)
                || self.signals.iter().any(|(signal, _)| *signal == name);
            if !is_known {
                self.arguments.push((name, Table::new()));
            }
        }
    }
}

fn commands(signal: &Table) -> Vec<String> {
    let mut found = Vec::new();
    let mut pending: Vec<&Toml> = [signal.get("get"), signal.get("set")].into_iter().flatten().collect();
    while let Some(value) = pending.pop() {
        match value {
            Toml::String(command) => found.push(command.clone()),
            Toml::Array(items) => pending.extend(items),
            Toml::Table(cases) => pending.extend(cases.values()),
            Toml::Integer(_) | Toml::Float(_) | Toml::Boolean(_) | Toml::Datetime(_) => {}
        }
    }
    found
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "id = {}", quoted(&self.id))?;
        writeln!(f, "title = {}", quoted(&self.title))?;
        writeln!(f, "source = {}", quoted(&self.source))?;
        f.write_str(self.link)?;
        for (kind, tables) in [("argument", &self.arguments), ("signal", &self.signals)] {
            for (name, table) in tables {
                writeln!(f, "\n[{kind}.{}]", key(name))?;
                write_table(f, table)?;
            }
        }
        if !self.left_out.is_empty() {
            writeln!(f, "\n# Not converted:")?;
        }
        for (name, why) in &self.left_out {
            writeln!(f, "# {name}: {}", why.replace('\n', " "))?;
        }
        Ok(())
    }
}

fn write_table(f: &mut fmt::Formatter<'_>, table: &Table) -> fmt::Result {
    let is_ordered = |name: &str| name == "example" || ORDER.contains(&name);
    let others = table.keys().map(String::as_str).filter(|name| !is_ordered(name));
    for name in ORDER.into_iter().chain(others).chain(["example"]) {
        if let Some(value) = table.get(name) {
            writeln!(f, "{} = {}", key(name), inline(value))?;
        }
    }
    Ok(())
}

fn inline(value: &Toml) -> String {
    match value {
        Toml::String(text) => quoted(text),
        Toml::Integer(integer) => integer.to_string(),
        Toml::Float(float) => number::shortest(*float),
        Toml::Boolean(truth) => truth.to_string(),
        Toml::Datetime(date) => quoted(&date.to_string()),
        Toml::Array(items) => format!("[{}]", joined(items.iter().map(inline))),
        Toml::Table(table) => {
            // An example reads value first.
            let first = ["value", "write", "read"].into_iter();
            let first: Vec<_> = first.filter_map(|name| table.get_key_value(name)).collect();
            let others = table
                .iter()
                .filter(|(name, _)| !first.iter().any(|(known, _)| known == name));
            let pairs = first
                .iter()
                .copied()
                .chain(others)
                .map(|(name, value)| format!("{} = {}", key(name), inline(value)));
            match joined(pairs) {
                empty if empty.is_empty() => "{}".to_owned(),
                pairs => format!("{{ {pairs} }}"),
            }
        }
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn key(name: &str) -> String {
    let is_bare = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if is_bare { name.to_owned() } else { quoted(name) }
}

/// In single quotes where that spares signs to be escaped.
fn quoted(text: &str) -> String {
    let is_plain = !text.contains(['\'', '\n']) && !text.chars().any(char::is_control);
    if is_plain && text.contains(['"', '\\']) {
        return format!("'{text}'");
    }
    let mut quoted = String::from("\"");
    for sign in text.chars() {
        match sign {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => {
                write!(quoted, "\\u{:04X}", u32::from(control)).ok(); // A string has room.
            }
            other => quoted.push(other),
        }
    }
    quoted + "\""
}
