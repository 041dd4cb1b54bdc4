//! One thing of an instrument that can be set or read: value → commands, answer → value. Pure.
//!
//! ```text
//! set:  value ─domain→ wire's value ─scale→ number ─template→ command(s)
//! get:  answer ─strip, split→ text ─type or domain→ number ─scale→ value
//! ```
//!
//! What other signals must be known (limits, names in commands) is said by [`Signal::set_needs`] and [`Signal::query_needs`]; who performs the driver
//! sees to it. Deliberately absent: sending, waiting, and the memory of what was set ([`super::Instrument`]).

use std::fmt;
use std::time::Duration;

use super::answer::{Answer, array, decoded, integer, unquoted};
use super::domain::{Bound, Domain};
use super::number;
use super::template::{Names, Template};
use super::value::Value;
use crate::Extent;
use crate::block;

/// One signal of a driver.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    pub name: String,
    /// What it is, for users.
    pub doc: String,
    pub unit: Option<String>,
    pub kind: Kind,
    pub domain: Domain,
    pub(crate) get: Option<Template>,
    pub(crate) set: Setting,
    pub(crate) answer: Answer,
    pub(crate) conversion: Conversion,
    /// Times what is read: an instrument that answers in Hz is set in GHz.
    pub(crate) read_scale: Option<Bound>,
    /// How far the value that is read back may be from the one that was set; none: it is not read back.
    pub verify: Option<Tolerance>,
    pub ramp: Option<Ramp>,
    /// Values that other signals must have before this one is set.
    pub requires: Vec<(String, Value)>,
    /// What the instrument answers to a set; anything at all where the list is empty.
    pub(crate) acknowledge: Option<Vec<String>>,
    /// The pause after a set.
    pub settle: Option<Duration>,
    /// What driver files show of themselves; the contract test holds them to it.
    pub examples: Vec<Example>,
}

/// The commands of a set.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Setting {
    /// It can only be read.
    Never,
    Commands(Vec<Template>),
    /// Each value has its own commands.
    Cases(Vec<(Value, Vec<Template>)>),
}

impl Setting {
    pub(crate) fn templates(&self) -> impl Iterator<Item = &Template> {
        let (commands, cases) = match self {
            Self::Never => (None, None),
            Self::Commands(commands) => (Some(commands), None),
            Self::Cases(cases) => (None, Some(cases)),
        };
        let of_cases = cases.into_iter().flatten().flat_map(|(_, commands)| commands);
        commands.into_iter().flatten().chain(of_cases)
    }

    /// What is sent for `value`, which is judged before its name on the wire is known.
    fn of(&self, value: &Value) -> Result<&[Template], String> {
        match self {
            Self::Never => Ok(&[]),
            Self::Commands(commands) => Ok(commands),
            Self::Cases(cases) => {
                let case = cases.iter().find(|(case, _)| case.same(value));
                let (_, commands) = case.ok_or_else(|| format!("`{value}` has no command"))?;
                Ok(commands)
            }
        }
    }
}

/// What the text of an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    pub element: Element,
    pub shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    Float,
    Int,
    Bool,
    Text,
    /// A number where it is one, else a word (`MAX`).
    FloatOrText,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One value; several where `split` finds several.
    Scalar,
    /// A list, even of one.
    List,
}

/// `value = wire * scale + offset`, or its reciprocal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Conversion {
    pub(crate) scale: f64,
    pub(crate) offset: f64,
    pub(crate) transform: Transform,
}

/// Named conversions, applied to the wire's number before scale and offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transform {
    Identity,
    /// The wire has `1 / value`.
    Reciprocal,
    /// The wire has `10 * log10(value)`.
    Decibel,
}

/// How near a value must come back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    Absolute(f64),
    Relative(f64),
}

/// How a signal goes from one value to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ramp {
    /// Units per second.
    pub rate: f64,
    /// Units.
    pub step: f64,
}

/// One value and how it looks on the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    pub value: Value,
    /// The commands of a set.
    pub write: Vec<String>,
    /// The answer of a get.
    pub read: Option<String>,
    /// What else is known: channel, arguments, other signals.
    pub names: Names,
}

/// Why a value is not set or read; nothing was sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    CannotSet { signal: String },
    CannotGet { signal: String },
    Value { signal: String, reason: String },
}

/// An answer that does not mean what the driver says.
#[derive(Clone, Debug, PartialEq)]
pub struct Garbled {
    pub signal: String,
    pub expected: String,
    pub received: String,
}

/// So much of a block that is none is shown.
const SHOWN_OF_BLOCK: usize = 40;

impl Signal {
    pub fn can_set(&self) -> bool {
        self.set != Setting::Never
    }

    pub fn can_get(&self) -> bool {
        self.get.is_some()
    }

    /// The commands that set `value`.
    ///
    /// # Errors
    /// Where the signal cannot be set, the value is not one of its values, or a name is not known.
    pub fn commands(&self, value: &Value, names: &Names) -> Result<Vec<String>, Refusal> {
        if !self.can_set() {
            return Err(Refusal::CannotSet {
                signal: self.name.clone(),
            });
        }
        self.written(value, names).map_err(|reason| self.refused(reason))
    }

    fn written(&self, value: &Value, names: &Names) -> Result<Vec<String>, String> {
        let wire = match value {
            Value::List(values) => {
                let wire: Result<_, _> = values.iter().map(|value| self.to_wire(value, names)).collect();
                Value::List(wire?)
            }
            _ => self.to_wire(value, names)?,
        };
        let commands = self.set.of(value)?;
        commands
            .iter()
            .map(|command| command.fill(Some(&wire), names))
            .collect()
    }

    fn to_wire(&self, value: &Value, names: &Names) -> Result<Value, String> {
        match (self.kind.element, value) {
            (Element::Float | Element::Int, Value::Text(text)) if self.domain_has_no_words() => {
                return Err(format!("`{text}` is text, not a number"));
            }
            (Element::Int, Value::Float(float)) if float.fract() != 0.0 => {
                return Err(format!("`{value}` is not an integer"));
            }
            _ => {}
        }
        let wire = self.domain.to_wire(value, names)?;
        match (self.conversion.is_identity(), wire.number()) {
            (false, Some(number)) => Ok(Value::Float(self.conversion.to_wire(number))),
            _ => Ok(wire),
        }
    }

    fn domain_has_no_words(&self) -> bool {
        match &self.domain {
            Domain::Any => true,
            Domain::Range { words, .. } => words.is_empty(),
            Domain::Choices { .. } | Domain::Map { .. } | Domain::Index { .. } => false,
        }
    }

    /// The command whose answer is the value.
    ///
    /// # Errors
    /// Where the signal cannot be read, or a name is not known.
    pub fn query(&self, names: &Names) -> Result<String, Refusal> {
        let template = self.get.as_ref();
        let template = template.ok_or_else(|| Refusal::CannotGet {
            signal: self.name.clone(),
        })?;
        template.fill(None, names).map_err(|reason| self.refused(reason))
    }

    /// What an answer means. Its end of message may be there or not.
    ///
    /// # Errors
    /// Where it is not what the driver says.
    pub fn value(&self, answer: &[u8], names: &Names) -> Result<Value, Garbled> {
        let value = self.as_read(answer)?;
        let Some(scale) = &self.read_scale else {
            return Ok(value);
        };
        let scaled = |scale: Value| Some(Value::Float(value.number()? * scale.number()?));
        let garbled = |expected: String| Garbled {
            signal: self.name.clone(),
            expected,
            received: decoded(answer),
        };
        let scale = scale.value(names).map_err(garbled)?;
        scaled(scale).ok_or_else(|| garbled("a number".to_owned()))
    }

    fn as_read(&self, answer: &[u8]) -> Result<Value, Garbled> {
        if let Some((number, order)) = self.answer.block {
            let numbers = block::content(answer).and_then(|content| block::decode(content, number, order));
            let numbers = numbers.map_err(|error| Garbled {
                signal: self.name.clone(),
                expected: format!("a block of numbers ({error})"),
                received: decoded(&answer[..answer.len().min(SHOWN_OF_BLOCK)]),
            })?;
            return Ok(Value::Floats(
                numbers.into_iter().map(|number| self.measured(number)).collect(),
            ));
        }
        let text = decoded(answer);
        self.read(&text).map_err(|expected| Garbled {
            signal: self.name.clone(),
            expected,
            received: text.clone(),
        })
    }

    fn read(&self, text: &str) -> Result<Value, String> {
        let text = self.answer.stripped(text)?;
        let text = if self.answer.unquote { unquoted(text) } else { text };
        let parts: Vec<&str> = match &self.answer.split {
            None => vec![text],
            Some(split) => match split.most {
                None => text.split(split.separator.as_str()).collect(),
                Some(most) => text.splitn(most + 1, split.separator.as_str()).collect(),
            },
        };
        if !self.answer.fields.is_empty() && parts.len() != self.answer.fields.len() {
            return Err(format!("{} values", self.answer.fields.len()));
        }
        let mut values: Vec<Value> = parts.iter().map(|part| self.element(part)).collect::<Result<_, _>>()?;
        match (self.kind.shape, values.pop()) {
            (Shape::Scalar, Some(only)) if values.is_empty() => Ok(only),
            (_, Some(last)) => {
                values.push(last);
                Ok(array(values))
            }
            (_, None) => Ok(Value::List(values)),
        }
    }

    fn element(&self, text: &str) -> Result<Value, String> {
        let text = if self.answer.unquote { unquoted(text) } else { text };
        if let Some(bit) = self.answer.bit {
            let number = number::parse(text).ok_or("an integer")?;
            #[expect(clippy::cast_possible_truncation, reason = "saturates, and has no such bit then")]
            let is_set = (number as i64) >> bit & 1;
            return self
                .domain
                .of_wire(&is_set.to_string())
                .map(|value| value.unwrap_or(Value::Bool(is_set == 1)));
        }
        if let Some(value) = self.domain.of_wire(text)? {
            return Ok(value);
        }
        let number = number::parse(text);
        match (self.kind.element, number) {
            (Element::Float | Element::FloatOrText, Some(number)) => Ok(Value::Float(self.measured(number))),
            (Element::Float, None) => Err("a number".to_owned()),
            (Element::FloatOrText, None) | (Element::Text, _) => Ok(Value::Text(text.to_owned())),
            (Element::Int, Some(number)) if self.conversion.is_identity() => integer(text, number),
            (Element::Int, Some(number)) => integer("", self.conversion.of_wire(number)),
            (Element::Int, None) => Err("an integer".to_owned()),
            (Element::Bool, Some(number)) => Ok(Value::Bool(number != 0.0)),
            (Element::Bool, None) => match text.trim().to_ascii_uppercase().as_str() {
                "ON" | "TRUE" => Ok(Value::Bool(true)),
                "OFF" | "FALSE" => Ok(Value::Bool(false)),
                _ => Err("a truth value (1, 0, ON or OFF)".to_owned()),
            },
        }
    }

    fn measured(&self, number: f64) -> f64 {
        if self.answer.overload.contains(&number) {
            f64::NAN
        } else {
            self.conversion.of_wire(number)
        }
    }

    /// How far its answer goes.
    pub fn extent(&self) -> Extent {
        match self.answer.block {
            Some(_) => Extent::Block,
            None => Extent::Message,
        }
    }

    /// Other signals and arguments that must be known before it is read.
    pub fn query_needs(&self) -> impl Iterator<Item = &str> {
        let in_command = self.get.iter().flat_map(Template::names);
        in_command.chain(self.read_scale.as_ref().and_then(Bound::signal))
    }

    /// Other signals and arguments that must be known before it is set.
    pub fn set_needs(&self) -> impl Iterator<Item = &str> {
        let in_commands = self.set.templates().flat_map(Template::names);
        in_commands.chain(self.domain.signals())
    }

    /// Whether `answer` to a set says that it was taken; none where no answer is due.
    pub fn is_acknowledged(&self, answer: &[u8]) -> Option<bool> {
        let accepted = self.acknowledge.as_ref()?;
        let text = decoded(answer);
        let text = text.trim();
        Some(accepted.is_empty() || accepted.iter().any(|word| word == text))
    }

    /// Whether the signal does what the example says; if not, the words for the author of the driver.
    ///
    /// # Errors
    /// What it does instead.
    pub fn shows(&self, example: &Example) -> Result<(), String> {
        let name = &self.name;
        if !example.write.is_empty() {
            let written = self
                .commands(&example.value, &example.names)
                .map_err(|e| e.to_string())?;
            if written != example.write {
                return Err(format!(
                    "`{name}` at `{}` writes {written:?}, not {:?}",
                    example.value, example.write
                ));
            }
        }
        if let Some(answer) = &example.read {
            let value = self
                .value(answer.as_bytes(), &example.names)
                .map_err(|e| e.to_string())?;
            if !value.same(&example.value) {
                return Err(format!(
                    "`{name}` reads {answer:?} as `{value}`, not `{}`",
                    example.value
                ));
            }
        }
        Ok(())
    }

    fn refused(&self, reason: String) -> Refusal {
        Refusal::Value {
            signal: self.name.clone(),
            reason,
        }
    }
}

impl Conversion {
    pub(crate) const IDENTITY: Self = Self {
        scale: 1.0,
        offset: 0.0,
        transform: Transform::Identity,
    };

    fn is_identity(self) -> bool {
        self == Self::IDENTITY
    }

    fn to_wire(self, value: f64) -> f64 {
        let plain = (value - self.offset) / self.scale;
        match self.transform {
            Transform::Identity => plain,
            Transform::Reciprocal => plain.recip(),
            Transform::Decibel => 10.0 * plain.log10(),
        }
    }

    fn of_wire(self, wire: f64) -> f64 {
        let plain = match self.transform {
            Transform::Identity => wire,
            Transform::Reciprocal => wire.recip(),
            Transform::Decibel => 10.0_f64.powf(wire / 10.0),
        };
        plain * self.scale + self.offset
    }
}

impl Tolerance {
    /// Whether what was read back is what was set.
    pub fn allows(self, set: &Value, read: &Value) -> bool {
        match (set.number(), read.number()) {
            (Some(set), Some(read)) => match self {
                Self::Absolute(most) => (set - read).abs() <= most,
                Self::Relative(most) => (set - read).abs() <= most * set.abs(),
            },
            _ => set.same(read),
        }
    }
}

impl Ramp {
    /// The values on the way, the last of which is `to`, and the pause before each but the first.
    pub fn steps(self, from: f64, to: f64) -> (impl Iterator<Item = f64>, Duration) {
        let distance = to - from;
        // A step that is too small for the distance would never end: a million points are a day.
        let count = (distance.abs() / self.step).ceil().clamp(1.0, 1e6);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped above")]
        let last = count as u32;
        let values = (1..=last).map(move |at| {
            if at == last {
                to
            } else {
                from + distance * f64::from(at) / count
            }
        });
        let pause = Duration::try_from_secs_f64(distance.abs() / count / self.rate).unwrap_or(Duration::MAX);
        (values, pause)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CannotSet { signal } => write!(f, "`{signal}` can only be read"),
            Self::CannotGet { signal } => write!(f, "`{signal}` can only be set"),
            Self::Value { signal, reason } => write!(f, "`{signal}`: {reason}"),
        }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Garbled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            signal,
            expected,
            received,
        } = self;
        write!(f, "`{signal}`: expected {expected}, received {received:?}")
    }
}

impl std::error::Error for Garbled {}

#[cfg(test)]
mod tests;
