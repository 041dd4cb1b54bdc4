//! Devices of pyvisa-sim: what its YAML files say, and the conversation they make.
//!
//! ```text
//! message ─► parts between delimiters ─► dialogues ─► getters ─► registers ─► error queues ─► setters ─► channels
//!                                                                                 nothing fits ─► command_error
//! ```
//!
//! The order, the conversions and what is an error are pyvisa-sim's (version 0.7), because files were written by trying
//! them there: each part has an answer of its own, a number that a property does not take falls through to the next setter.
//! Deliberately absent: `bases`, which pyvisa-sim refuses too.

mod file;
mod held;
mod phrase;
mod yaml;

use std::{collections::BTreeMap, time::Duration};

use super::{
    behaviour::{Behaviour, Ends},
    random::Random,
};
use held::{Held, Specs};
use phrase::Phrase;

pub use file::{Script, ScriptError};

/// A device of a file.
#[derive(Clone, Debug)]
pub(super) struct Device {
    pub(super) ends: Ends,
    delimiter: Vec<u8>,
    part: Part,
    channels: Vec<Channels>,
    command_error: Answer,
    registers: Vec<Register>,
    queues: Vec<Queue>,
    pub(super) random: Random,
}

/// What is said; nothing where a file gives no `r`.
type Answer = Option<String>;

/// Dialogues and properties: those of a device, or of its channels.
#[derive(Clone, Debug, Default)]
struct Part {
    dialogues: BTreeMap<String, Answer>,
    getters: BTreeMap<String, Getter>,
    setters: Vec<Setter>,
    properties: BTreeMap<String, Property>,
}

#[derive(Clone, Debug)]
struct Getter {
    property: String,
    answer: Answer,
}

#[derive(Clone, Debug)]
struct Setter {
    property: String,
    phrase: Phrase,
    answer: Answer,
    error: Answer,
}

#[derive(Clone, Debug)]
struct Property {
    specs: Option<Specs>,
    initial: Held,
    /// By channel; those of a device have no name.
    now: BTreeMap<Option<String>, Held>,
}

/// Equal channels.
#[derive(Clone, Debug)]
struct Channels {
    part: Part,
    ids: Vec<String>,
    /// Whether commands name the channel; else a property of the device says which is meant.
    are_named: bool,
    selected: Option<String>,
}

#[derive(Clone, Debug)]
struct Register {
    query: String,
    bits: BTreeMap<String, i64>,
    value: i64,
}

#[derive(Clone, Debug)]
struct Queue {
    query: String,
    texts: BTreeMap<String, String>,
    default: String,
    waiting: Vec<String>,
}

/// What comes of one part of a message.
enum Match {
    Answer(Answer),
    Nothing,
    /// A channel has the command, but does not take the value.
    Refused,
    /// pyvisa-sim raises an exception here: a value of a kind that its answer cannot have.
    Broken,
}

impl Behaviour for Device {
    fn ends(&self) -> Ends {
        self.ends.clone()
    }

    fn hear(&mut self, message: &[u8], _: Duration) -> Vec<Vec<u8>> {
        if message.is_empty() {
            return Vec::new();
        }
        let text = String::from_utf8_lossy(message).into_owned();
        let delimiter = String::from_utf8_lossy(&self.delimiter).into_owned();
        let parts: Vec<&str> = match delimiter.is_empty() {
            true => vec![&text],
            false => text.split(&delimiter).collect(),
        };
        let mut answers = Vec::new();
        for part in parts {
            match self.find(part) {
                Match::Answer(answer) => answers.extend(answer.map(String::into_bytes)),
                Match::Nothing | Match::Refused => answers.extend(self.failed().map(String::into_bytes)),
                Match::Broken => {
                    answers.clear();
                    answers.extend(self.failed().map(String::into_bytes));
                    break;
                }
            }
        }
        answers
    }

    fn status_byte(&self, has_answer: bool) -> u8 {
        if has_answer { 0x10 } else { 0 }
    }

    fn complain(&mut self, code: i32, message: &str) {
        for queue in &mut self.queues {
            queue.waiting.push(format!("{code}, {message}"));
        }
    }

    /// Its answers are what the file says.
    fn mislead(&mut self, _: f64) {}
}

impl Device {
    fn find(&mut self, query: &str) -> Match {
        if let Some(answer) = self.part.dialogues.get(query) {
            return answered(answer.clone(), &mut self.random);
        }
        if let Some(getter) = self.part.getters.get(query) {
            let held = self.part.held(&getter.property, None);
            return got(getter, held, &mut self.random);
        }
        if let Some(register) = self.registers.iter_mut().find(|register| register.query == query) {
            return Match::Answer(Some(std::mem::take(&mut register.value).to_string()));
        }
        if let Some(queue) = self.queues.iter_mut().find(|queue| queue.query == query) {
            let next = if queue.waiting.is_empty() {
                queue.default.clone()
            } else {
                queue.waiting.remove(0)
            };
            return Match::Answer(Some(next));
        }
        for at in 0..self.part.setters.len() {
            let setter = &self.part.setters[at];
            let Some(found) = setter.phrase.find(query) else {
                continue;
            };
            let (answer, error) = (setter.answer.clone(), setter.error.clone());
            let property = setter.property.clone();
            let takes_any = self.part.properties.get(&property).is_some_and(Property::takes_any);
            let value = match found.only() {
                Some(value) => value.clone(),
                // A list or a dictionary, of which only its text can be held.
                None if takes_any => Held::Text(found.text()),
                None => return Match::Broken,
            };
            match self.part.set(&property, None, value) {
                Ok(()) => return Match::Answer(answer),
                Err(()) if error.is_some() => return Match::Answer(error),
                Err(()) => {}
            }
        }
        self.find_in_channels(query)
    }

    fn find_in_channels(&mut self, query: &str) -> Match {
        for at in 0..self.channels.len() {
            let meant = match self.channels[at].are_named {
                true => None,
                false => match self.part.held("selected_channel", None) {
                    Some(held) => Some(held),
                    None => return Match::Broken,
                },
            };
            match self.channels[at].find(query, meant.as_ref(), &mut self.random) {
                // An empty answer counts as none there.
                Match::Answer(Some(answer)) if answer.is_empty() => {}
                Match::Nothing => {}
                Match::Answer(answer) => return Match::Answer(answer),
                refused @ (Match::Refused | Match::Broken) => return refused,
            }
        }
        Match::Nothing
    }

    /// The answer to what is no command, which registers and queues hear of.
    fn failed(&mut self) -> Answer {
        const KIND: &str = "command_error";
        for register in &mut self.registers {
            register.value |= register.bits.get(KIND).copied().unwrap_or(0);
        }
        for queue in &mut self.queues {
            let text = queue.texts.get(KIND).cloned();
            queue.waiting.extend(text);
        }
        self.command_error.clone()
    }
}

impl Channels {
    fn find(&mut self, query: &str, meant: Option<&Held>, random: &mut Random) -> Match {
        match meant {
            Some(meant) => {
                let id = self
                    .ids
                    .iter()
                    .find(|id| matches!(meant, Held::Text(meant) if meant == *id));
                let Some(id) = id.cloned() else {
                    return Match::Nothing;
                };
                self.selected = Some(id);
                if let Some(answer) = self.part.dialogues.get(query) {
                    return answered(answer.clone(), random);
                }
                if let Some(getter) = self.part.getters.get(query) {
                    return got(
                        getter,
                        self.part.held(&getter.property, self.selected.as_deref()),
                        random,
                    );
                }
            }
            None => {
                for id in self.ids.clone() {
                    let named = |template: &str| template.replace("{ch_id}", &id).replace("{{", "{").replace("}}", "}");
                    self.selected = Some(id.clone());
                    // Of two that are the same for this channel the last counts.
                    if let Some((_, answer)) = self.part.dialogues.iter().rfind(|(known, _)| named(known) == query) {
                        return answered(answer.clone(), random);
                    }
                    if let Some((_, getter)) = self.part.getters.iter().rfind(|(known, _)| named(known) == query) {
                        return got(getter, self.part.held(&getter.property, Some(&id)), random);
                    }
                }
            }
        }
        self.set(query)
    }

    fn set(&mut self, query: &str) -> Match {
        for at in 0..self.part.setters.len() {
            let setter = &self.part.setters[at];
            let Some(found) = setter.phrase.find(query) else {
                continue;
            };
            let (property, answer, error) = (setter.property.clone(), setter.answer.clone(), setter.error.clone());
            let text = match found.named("ch_id") {
                Some(id) => {
                    self.selected = Some(id);
                    match found.first() {
                        Some(value) => value.to_string(),
                        None => return Match::Broken,
                    }
                }
                None => found.text(),
            };
            let selected = self.selected.clone();
            return match self.part.set(&property, selected.as_deref(), Held::Text(text)) {
                Ok(()) => Match::Answer(answer),
                Err(()) if error.is_some() => Match::Answer(error),
                Err(()) => Match::Refused,
            };
        }
        Match::Nothing
    }
}

impl Property {
    fn takes_any(&self) -> bool {
        self.specs.as_ref().is_none_or(Specs::is_text)
    }
}

impl Part {
    fn held(&self, property: &str, channel: Option<&str>) -> Option<Held> {
        let property = self.properties.get(property)?;
        let now = property.now.get(&channel.map(str::to_owned));
        Some(now.unwrap_or(&property.initial).clone())
    }

    /// Fails where the property does not take the value.
    fn set(&mut self, property: &str, channel: Option<&str>, value: Held) -> Result<(), ()> {
        let property = self.properties.get_mut(property).ok_or(())?;
        let value = match &property.specs {
            Some(specs) => specs.judged(&value)?,
            None => value,
        };
        property.now.insert(channel.map(str::to_owned), value);
        Ok(())
    }
}

fn answered(answer: Answer, random: &mut Random) -> Match {
    match answer {
        Some(text) if text.contains("RANDOM") => randomly(&text, random),
        other => Match::Answer(other),
    }
}

fn got(getter: &Getter, held: Option<Held>, random: &mut Random) -> Match {
    match (&getter.answer, held) {
        (Some(text), _) if text.contains("RANDOM") => randomly(text, random),
        (Some(text), Some(held)) => match held.formatted(text) {
            Some(text) => Match::Answer(Some(text)),
            None => Match::Broken,
        },
        (None, _) | (_, None) => Match::Broken,
    }
}

/// `{RANDOM(0, 10.5, 5):.2f}`: so many numbers between the first two.
fn randomly(text: &str, random: &mut Random) -> Match {
    let parse = || {
        let (before, rest) = text.split_once("RANDOM(")?;
        let (inside, after) = rest.split_once(')')?;
        let numbers: Option<Vec<f64>> = inside.split(", ").map(|number| number.parse().ok()).collect();
        match numbers?.as_slice() {
            [low, high, count] if before.contains('{') => Some((*low, *high, *count, format!("{before}{after}"))),
            _ => None,
        }
    };
    let Some((low, high, count, format)) = parse() else {
        return Match::Broken;
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let count = count.clamp(0.0, 1e6) as usize;
    let number = |_| Held::Float(low + (high - low) * random.uniform()).formatted(&format);
    let numbers: Option<Vec<String>> = (0..count).map(number).collect();
    numbers.map_or(Match::Broken, |numbers| Match::Answer(Some(numbers.join(", "))))
}
