//! Files of pyvisa-sim: devices by their names, and resources that are such a device.

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
};

use super::{
    Answer, Channels, Device, Getter, Part, Property, Queue, Register, Setter,
    held::{Held, Specs},
    phrase::Phrase,
    yaml::{self, Node},
};
use crate::simulate::{behaviour::Ends, random::Random};

/// A device of pyvisa-sim that stands at a resource.
#[derive(Clone, Debug)]
pub struct Script {
    /// As the file names it: `GPIB0::8::INSTR`.
    pub resource: String,
    pub(in crate::simulate) name: String,
    pub(in crate::simulate) device: Device,
}

/// Why a file is none of pyvisa-sim.
#[derive(Debug)]
pub enum ScriptError {
    Io {
        path: PathBuf,
        cause: io::Error,
    },
    Yaml {
        path: PathBuf,
        words: String,
    },
    /// It is YAML, but no devices.
    Device {
        path: PathBuf,
        words: String,
    },
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, .. } => write!(f, "`{}` cannot be read", path.display()),
            Self::Yaml { path, words } => write!(f, "`{}` is no YAML: {words}", path.display()),
            Self::Device { path, words } => write!(f, "`{}` describes no devices: {words}", path.display()),
        }
    }
}

impl std::error::Error for ScriptError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { cause, .. } => Some(cause),
            Self::Yaml { .. } | Self::Device { .. } => None,
        }
    }
}

impl Script {
    /// The devices of a file, in the order of its resources.
    ///
    /// # Errors
    /// It cannot be read, or describes no devices.
    pub fn read(path: &Path) -> Result<Vec<Self>, ScriptError> {
        let of_file = |words: String| ScriptError::Device {
            path: path.to_owned(),
            words,
        };
        let root = load(path)?;
        let mut scripts = Vec::new();
        for (resource, said) in root.get("resources").map(Node::entries).unwrap_or_default() {
            let name = said.get("device").and_then(Node::text).unwrap_or_default();
            let other = match said.get("filename").and_then(Node::text) {
                Some(file) => Some(load(&path.with_file_name(file))?),
                None => None,
            };
            let devices = other.as_ref().unwrap_or(&root).get("devices");
            let found = devices.and_then(|devices| devices.get(name));
            let found =
                found.ok_or_else(|| of_file(format!("`{resource}` is the device `{name}`, which is not there")))?;
            let device = device(found, resource, said);
            scripts.push(Self {
                resource: resource.clone(),
                name: name.to_owned(),
                device: device.map_err(|words| of_file(format!("device `{name}`: {words}")))?,
            });
        }
        if scripts.is_empty() {
            return Err(of_file("it has no `resources`".to_owned()));
        }
        Ok(scripts)
    }

    /// What ends a message to it, and what ends its answers.
    pub fn ends(&self) -> (&[u8], &[u8]) {
        (&self.device.ends.of_messages, &self.device.ends.of_answers)
    }
}

fn load(path: &Path) -> Result<Node, ScriptError> {
    let text = std::fs::read_to_string(path).map_err(|cause| ScriptError::Io {
        path: path.to_owned(),
        cause,
    })?;
    let root = yaml::parse(&text).map_err(|words| ScriptError::Yaml {
        path: path.to_owned(),
        words,
    })?;
    match root.get("spec").and_then(Node::text) {
        Some("1.0" | "1.1") => Ok(root),
        other => Err(ScriptError::Device {
            path: path.to_owned(),
            words: format!("its `spec` is `{}`, not 1.0 or 1.1", other.unwrap_or_default()),
        }),
    }
}

fn device(node: &Node, resource: &str, said: &Node) -> Result<Device, String> {
    if node.get("bases").is_some_and(|bases| !bases.items().is_empty()) {
        return Err("`bases` are not understood".to_owned());
    }
    let error = node.get("error");
    let kind = kind(resource);
    let eom = node.get("eom").and_then(|eom| eom.get(&kind));
    let end = |key: &str| match eom.and_then(|eom| eom.get(key)).and_then(Node::text) {
        Some(end) => bytes(end.trim_matches(' ')).into_bytes(),
        None => b"\n".to_vec(),
    };
    let mut channels = Vec::new();
    for (name, node) in node.get("channels").map(Node::entries).unwrap_or_default() {
        let of_resource = said
            .get("channel_ids")
            .and_then(|ids| ids.get(name))
            .filter(|ids| !ids.items().is_empty());
        let ids = of_resource
            .or_else(|| node.get("ids"))
            .map(Node::items)
            .unwrap_or_default();
        channels.push(Channels {
            part: part(node).map_err(|words| format!("channels `{name}`: {words}"))?,
            ids: ids.iter().filter_map(|id| id.text().map(str::to_owned)).collect(),
            are_named: node.get("can_select").and_then(Node::text) != Some("False"),
            selected: None,
        });
    }
    let command_error = match error {
        Some(Node::Text(text)) => Some(bytes(text)),
        Some(error) => {
            let response = error.get("response").and_then(|response| response.get("command_error"));
            response.and_then(Node::text).map(bytes)
        }
        None => None,
    };
    Ok(Device {
        ends: Ends {
            of_messages: end("q"),
            of_answers: end("r"),
        },
        delimiter: node
            .get("delimiter")
            .and_then(Node::text)
            .unwrap_or(";")
            .as_bytes()
            .to_vec(),
        part: part(node)?,
        channels,
        command_error,
        registers: of_errors(error, "status_register")
            .map(register)
            .collect::<Result<_, _>>()?,
        queues: of_errors(error, "error_queue").map(queue).collect::<Result<_, _>>()?,
        random: Random::new(0),
    })
}

/// Interface and class of a resource, as the keys of `eom` say them: `GPIB INSTR`.
fn kind(resource: &str) -> String {
    let upper = resource.to_ascii_uppercase();
    let interface: String = upper.chars().take_while(char::is_ascii_alphabetic).collect();
    const OTHERS: [&str; 6] = ["SOCKET", "RAW", "INTFC", "BACKPLANE", "MEMACC", "SERVANT"];
    let last = upper.rsplit("::").next();
    let class = last.filter(|class| OTHERS.contains(class)).unwrap_or("INSTR");
    format!("{interface} {class}")
}

fn part(node: &Node) -> Result<Part, String> {
    let mut part = Part::default();
    for dialogue in node.get("dialogues").map(Node::items).unwrap_or_default() {
        let query = query(dialogue).ok_or("a dialogue has no `q`")?;
        part.dialogues.insert(query, answer(dialogue, "r"));
    }
    for (name, property) in node.get("properties").map(Node::entries).unwrap_or_default() {
        let wrong = |words: String| format!("property `{name}`: {words}");
        let specs = property.get("specs").filter(|specs| !specs.entries().is_empty());
        let specs = specs.map(Specs::read).transpose().map_err(wrong)?;
        let default = property.get("default").and_then(Node::text).unwrap_or_default();
        let initial = Held::Text(default.to_owned());
        let initial = match &specs {
            Some(specs) => specs
                .judged(&initial)
                .map_err(|()| wrong(format!("it does not take its default `{default}`")))?,
            None => initial,
        };
        if let Some(getter) = property.get("getter") {
            let query = query(getter).ok_or_else(|| wrong("its getter has no `q`".to_owned()))?;
            let (property, answer) = (name.clone(), getter.get("r").and_then(Node::text));
            let answer = answer.map(|answer| answer.trim_matches(' ').to_owned());
            part.getters.insert(query, Getter { property, answer });
        }
        if let Some(setter) = property.get("setter") {
            let query = setter.get("q").and_then(Node::text);
            let query = query.ok_or_else(|| wrong("its setter has no `q`".to_owned()))?;
            part.setters.push(Setter {
                property: name.clone(),
                phrase: Phrase::parse(query.trim_matches(' ')).map_err(wrong)?,
                answer: answer(setter, "r"),
                error: answer(setter, "e"),
            });
        }
        let now = BTreeMap::new();
        part.properties.insert(name.clone(), Property { specs, initial, now });
    }
    Ok(part)
}

fn query(node: &Node) -> Option<String> {
    node.get("q")
        .and_then(Node::text)
        .map(|query| bytes(query.trim_matches(' ')))
}

fn answer(node: &Node, key: &str) -> Answer {
    node.get(key)
        .and_then(Node::text)
        .map(|answer| bytes(answer.trim_matches(' ')))
}

fn of_errors<'n>(error: Option<&'n Node>, key: &str) -> impl Iterator<Item = &'n Node> {
    let list = error.and_then(|error| error.get(key));
    list.map(Node::items).unwrap_or_default().iter()
}

fn register(node: &Node) -> Result<Register, String> {
    let mut bits = BTreeMap::new();
    for (name, value) in node.entries().iter().filter(|(name, _)| name != "q") {
        let value = value.text().and_then(|value| value.trim().parse().ok());
        bits.insert(
            name.clone(),
            value.ok_or_else(|| format!("`{name}` of a status register is no integer"))?,
        );
    }
    let query = node
        .get("q")
        .and_then(Node::text)
        .ok_or("a status register has no `q`")?;
    Ok(Register {
        query: bytes(query),
        bits,
        value: 0,
    })
}

fn queue(node: &Node) -> Result<Queue, String> {
    let text = |key: &str| node.get(key).and_then(Node::text).map(bytes);
    let texts = node
        .entries()
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "q" | "default" | "strict"));
    Ok(Queue {
        query: text("q").ok_or("an error queue has no `q`")?,
        texts: texts
            .filter_map(|(name, node)| Some((name.clone(), bytes(node.text()?))))
            .collect(),
        default: text("default").ok_or("an error queue has no `default`")?,
        waiting: Vec::new(),
    })
}

/// `\r` and `\n` written out mean the characters.
fn bytes(text: &str) -> String {
    text.replace("\\r", "\r").replace("\\n", "\n")
}
