//! What the script tells of a class of Python → a driver file.
//!
//! Each property comes with what its own library wrote and read for it. A signal goes into the file only if this engine
//! writes the same bytes and reads the same value; all others are named with the reason, so that nobody takes a driver for
//! complete that is not.
//!
//! Deliberately absent: running Python, which is the command line's.

use serde::Deserialize;
use toml::{Table, Value as Toml};

use super::super::Driver;
use super::file::File;
use super::{Declaration, signal, text};

/// Prints a [`Class`] as JSON; started in an interpreter that has the library, with the class as its argument.
pub const SCRIPT: &str = include_str!("extract.py");

/// How it is reached nobody declares.
const LINK: &str = "
[link]
# Keep those that it has.
gpib = {}
usb = {}
vxi11 = {}
";

/// What a class declares of its instrument.
#[derive(Clone, Debug, Deserialize)]
pub struct Class {
    library: String,
    version: String,
    /// `pymeasure.instruments.keithley.Keithley2400`
    class: String,
    properties: Vec<Property>,
    /// Names and why they are no data.
    skipped: Vec<(String, String)>,
}

#[derive(Clone, Debug, Deserialize)]
struct Property {
    name: String,
    doc: Option<String>,
    unit: Option<String>,
    /// What the class puts before and behind each command.
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    suffix: String,
    scale: Option<f64>,
    offset: Option<f64>,
    read_scale: Option<f64>,
    skip: Option<i64>,
    #[serde(default)]
    unquote: bool,
    least: Option<f64>,
    channel: Option<Toml>,
    /// What the instrument calls its channels of this kind.
    group: Option<String>,
    placeholder: Option<String>,
    #[serde(default)]
    examples: Vec<Performed>,
    #[serde(flatten)]
    declared: Declaration,
}

/// What the library itself did.
#[derive(Clone, Debug, Deserialize)]
struct Performed {
    value: Toml,
    #[serde(default)]
    write: Vec<String>,
    asked: Option<String>,
    read: Option<String>,
}

impl Class {
    /// Reads what the script printed.
    ///
    /// # Errors
    /// It is something else.
    pub fn parse(json: &str) -> Result<Self, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    /// How many properties it has, data or code.
    pub fn size(&self) -> usize {
        self.properties.len() + self.skipped.len()
    }

    /// Its driver file, and how many signals that has.
    pub fn driver_file(&self) -> (String, usize) {
        let (id, title) = self.names();
        let source = format!(
            "the declarations of {}'s `{}` ({})",
            self.library, self.class, self.version
        );
        let mut file = File::new(id, title, source);
        file.link = LINK;
        file.left_out = self.skipped.clone();
        for property in &self.properties {
            match self.converted(property, &file.signals) {
                Ok((name, signal)) => file.signals.push((name, signal)),
                Err(why) => file.left_out.push((property.name.clone(), why)),
            }
        }
        file.name_arguments();
        let count = file.signals.len();
        (file.to_string(), count)
    }

    /// `keithley.2400` and its title.
    fn names(&self) -> (String, String) {
        let mut parts = self.class.rsplit('.');
        let class = parts.next().unwrap_or_default();
        let maker = parts.next().unwrap_or_default().to_lowercase();
        let bare = maker.replace('_', "");
        let model = class.to_lowercase();
        let model = model
            .strip_prefix(&bare)
            .filter(|rest| !rest.is_empty())
            .unwrap_or(&model);
        (format!("{maker}.{model}"), class.to_owned())
    }

    /// A signal that is held to all that the library did.
    fn converted(&self, property: &Property, taken: &[(String, Table)]) -> Result<(String, Table), String> {
        let is_taken = |name: &str| taken.iter().any(|(known, _)| known == name);
        let mut name = property.name.clone();
        if is_taken(&name) {
            name = format!("{}_{name}", property.group.as_deref().unwrap_or("channel"));
        }
        if is_taken(&name) {
            return Err("another property has its name".to_owned());
        }
        let mut signal = property.signal()?;
        let mut examples = Vec::new();
        for performed in &property.examples {
            examples.push(property.held(&name, &signal, performed)?);
        }
        match one_example(&mut examples) {
            _ if examples.is_empty() => {}
            Some(example) => {
                signal.insert("example".to_owned(), Toml::Table(example));
            }
            None => {
                let examples = examples.into_iter().map(Toml::Table).collect();
                signal.insert("example".to_owned(), Toml::Array(examples));
            }
        }
        Ok((name, signal))
    }
}

/// All of them as one, where they are of one value.
fn one_example(examples: &mut [Table]) -> Option<Table> {
    let (first, others) = examples.split_first()?;
    let mut one = first.clone();
    for other in others {
        if other.get("value") != first.get("value") {
            return None;
        }
        one.extend(other.clone());
    }
    Some(one)
}

impl Property {
    fn signal(&self) -> Result<Table, String> {
        let mut signal = signal(&self.declared, &self.prefix)?;
        if !self.suffix.is_empty() {
            for key in ["get", "set"] {
                if let Some(Toml::String(command)) = signal.get_mut(key) {
                    command.push_str(&self.suffix);
                }
            }
        }
        if self.declared.most_splits.is_none() && self.examples.iter().all(|example| !example.value.is_array()) {
            // The library splits all answers; those that have one value are not lists.
            signal.remove("split");
        }
        let texts = [("doc", &self.doc), ("unit", &self.unit)];
        for (key, value) in texts {
            if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
                signal.insert(key.to_owned(), text(value));
            }
        }
        let numbers = [
            ("scale", self.scale.filter(|scale| *scale != 1.0)),
            ("offset", self.offset.filter(|offset| *offset != 0.0)),
            ("read_scale", self.read_scale.filter(|scale| *scale != 1.0)),
            ("min", self.least),
        ];
        for (key, value) in numbers {
            if let Some(value) = value {
                signal.insert(key.to_owned(), Toml::Float(value));
            }
        }
        if let Some(skip) = self.skip {
            signal.insert("skip".to_owned(), Toml::Integer(skip));
        }
        if self.unquote {
            signal.insert("unquote".to_owned(), Toml::Boolean(true));
        }
        if signal.get("type").and_then(Toml::as_str) == Some("float") {
            // What a signal is unless it says otherwise.
            signal.remove("type");
        }
        Ok(signal)
    }

    /// The example for the file, if this engine does the same.
    fn held(&self, name: &str, signal: &Table, performed: &Performed) -> Result<Table, String> {
        let mut example = Table::new();
        example.insert("value".to_owned(), performed.value.clone());
        if let [write] = &performed.write[..] {
            example.insert("write".to_owned(), text(write));
        } else if !performed.write.is_empty() {
            let writes = performed.write.iter().map(text).collect();
            example.insert("write".to_owned(), Toml::Array(writes));
        }
        if let Some(read) = &performed.read {
            example.insert("read".to_owned(), text(read));
        }
        if let (Some(name), Some(channel)) = (&self.placeholder, &self.channel) {
            let with = Table::from_iter([(name.clone(), channel.clone())]);
            example.insert("with".to_owned(), Toml::Table(with));
        }
        let mut tried = signal.clone();
        tried.insert("example".to_owned(), Toml::Table(example.clone()));
        let mut file = File::new("a.b".to_owned(), "a".to_owned(), String::new());
        file.signals.push((name.to_owned(), tried));
        file.name_arguments();
        let driver = Driver::parse(&file.to_string()).map_err(|problems| {
            let words = problems.iter().map(ToString::to_string).collect::<Vec<_>>();
            words.join("; ")
        })?;
        let found = driver.signal(name).ok_or("it is lost on the way")?;
        let names = found.examples.first().map(|example| example.names.clone());
        if let Some(asked) = &performed.asked {
            let query = found
                .query(&names.unwrap_or_default())
                .map_err(|refusal| refusal.to_string())?;
            if query != *asked {
                return Err(format!("it asks {asked:?}, and would here ask {query:?}"));
            }
        }
        Ok(example)
    }
}

#[cfg(test)]
mod tests {
    use super::Class;
    use crate::driver::{Driver, Names, Value};

    const TOLD: &str = r#"{
        "library": "PyMeasure", "version": "1.0", "class": "lab.acme.AcmeX1",
        "properties": [
            {"name": "level", "doc": "level", "unit": "V", "get_command": "LEV?", "set_command": "LEV %g", "sep": ",",
             "cast": "float", "check": "range", "values": [-2, 2], "prefix": ":CH1:", "placeholder": null,
             "examples": [{"value": 0.5, "write": [":CH1:LEV 0.5"]}, {"value": 0.5, "read": "0.5", "asked": ":CH1:LEV?"}]},
            {"name": "mode", "get_command": "MODE?", "set_command": "MODE {}", "style": "braces", "sep": ",", "maxsplit": 0,
             "cast": "str", "map": true, "values": {"fast": "0", "slow": "1"},
             "examples": [{"value": "fast", "write": ["MODE 0"]}]},
            {"name": "odd", "get_command": "ODD?", "set_command": "ODD %d", "sep": ",", "cast": "int",
             "examples": [{"value": 2, "write": ["ODD 4"]}]}
        ],
        "skipped": [["buffer", "it is a Python method"]]
    }"#;

    #[test]
    fn a_class_becomes_a_file_that_does_the_same_and_names_what_it_lacks() {
        let class = Class::parse(TOLD).expect("what the script prints");
        let (file, count) = class.driver_file();
        assert_eq!((class.size(), count), (4, 2), "{file}");
        let driver = Driver::parse(&file).expect("a driver file");
        assert_eq!(driver.id, "acme.x1");
        let level = driver.signal("level").expect("it is data");
        let written = level.commands(&Value::Float(0.25), &Names::new());
        assert_eq!(written, Ok(vec![":CH1:LEV 0.25".to_owned()]));
        assert!(level.commands(&Value::Int(3), &Names::new()).is_err());
        assert!(
            file.contains("example = { value = 0.5, write = \":CH1:LEV 0.5\", read = \"0.5\" }"),
            "{file}"
        );
        assert!(file.contains("# buffer: it is a Python method"), "{file}");
        assert!(file.contains("# odd: `odd` at `2` writes"), "{file}");
    }
}
