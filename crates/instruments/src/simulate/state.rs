//! What a simulated instrument remembers: for each question of its driver what its answer is made of.
//!
//! The key is the question as it is asked, channel included, so that two signals with one question share what is behind it,
//! and two channels do not. Deliberately absent: what the numbers mean; they are kept as they go over the wire.

use std::collections::BTreeMap;

use super::{
    figure::{Looks, Written},
    pattern::canonical,
    random::Random,
};
use crate::{
    block,
    driver::{
        Domain, Driver, Element, Names, Signal, Value,
        answer::unquoted,
        number,
        signal::{Setting, Transform},
    },
};

/// The memory of one instrument.
pub(super) struct State {
    driver: Driver,
    looks: Vec<Looks>,
    held: BTreeMap<String, Held>,
    /// Where signals rest: what the driver calls safe, and what others require.
    resting: BTreeMap<String, Value>,
    noise: BTreeMap<String, f64>,
    noise_of_readings: f64,
    random: Random,
}

/// What is behind a question, and which signal put it there.
#[derive(Clone, Debug)]
struct Held {
    raw: Raw,
    by: usize,
}

/// Values as they go over the wire.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Raw {
    Number(f64),
    Text(String),
    Several(Vec<Raw>),
}

/// A value that a signal does not take, as SCPI numbers the error.
pub(super) type Refused = (i32, &'static str);

impl State {
    pub(super) fn new(driver: Driver, seed: u64) -> Self {
        let example = |signal: &Signal| signal.examples.iter().find_map(|example| example.read.clone());
        let looks = driver
            .signals
            .iter()
            .map(|signal| Looks::of(signal, example(signal).as_deref()))
            .collect();
        let mut resting = BTreeMap::new();
        for (signal, value) in driver.signals.iter().flat_map(|signal| &signal.requires) {
            resting.insert(signal.clone(), value.clone());
        }
        for step in &driver.safe {
            if let crate::driver::Step::Set { signal, value } = step {
                resting.insert(signal.clone(), value.clone());
            }
        }
        Self {
            driver,
            looks,
            held: BTreeMap::new(),
            resting,
            noise: BTreeMap::new(),
            noise_of_readings: 0.0,
            random: Random::new(seed),
        }
    }

    /// Where a signal is in the beginning; whether it takes that.
    pub(super) fn begin_at(&mut self, signal: &str, value: &Value) -> bool {
        let takes = self
            .driver
            .signal(signal)
            .is_some_and(|signal| wire(signal, value).is_some());
        self.resting.insert(signal.to_owned(), value.clone());
        takes
    }

    pub(super) fn driver(&self) -> &Driver {
        &self.driver
    }

    /// The standard deviation of all numbers that are only read.
    pub(super) fn set_noise_of_readings(&mut self, sigma: f64) {
        self.noise_of_readings = sigma;
    }

    /// The standard deviation of one signal; whether there is such a signal.
    pub(super) fn set_noise(&mut self, signal: &str, sigma: f64) -> bool {
        self.noise.insert(signal.to_owned(), sigma);
        self.driver.signal(signal).is_some()
    }

    pub(super) fn noise_of_readings(&self) -> f64 {
        self.noise_of_readings
    }

    pub(super) fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// As it was switched on.
    pub(super) fn reset(&mut self) {
        self.held.clear();
    }

    /// The names of a command with those that it leaves to defaults, and to what is held of other signals.
    pub(super) fn names(&self, found: &BTreeMap<String, String>) -> Names {
        let mut names: Names = self
            .driver
            .arguments
            .iter()
            .filter_map(|argument| Some((argument.name.clone(), argument.default.clone()?)))
            .collect();
        for (name, text) in found {
            let argument = self.driver.arguments.iter().find(|argument| argument.name == *name);
            let choice = argument.and_then(|argument| {
                let mut choices = argument.choices.iter();
                choices.find(|choice| choice.to_string().eq_ignore_ascii_case(text))
            });
            names.insert(name.clone(), choice.cloned().unwrap_or_else(|| plain(text)));
        }
        names
    }

    /// The answer to the question of these signals, any of which may have put there what is behind it.
    pub(super) fn answer(&mut self, signals: &[usize], names: &Names) -> Option<Vec<u8>> {
        let first = *signals.first()?;
        let held = self.behind(first, names);
        let by = if signals.contains(&held.by) { held.by } else { first };
        let sigma = self.sigma(by);
        let raw = if sigma > 0.0 {
            self.noisy(&held.raw, sigma)
        } else {
            held.raw
        };
        let signal = &self.driver.signals[by];
        if let Some((number, order)) = signal.answer.block {
            let numbers: Vec<f64> = raw.numbers();
            let content = block::encode_numbers(&numbers, number, order).ok()?;
            return Some(block::encode(b"", &content));
        }
        let is_integer = signal.kind.element == Element::Int;
        let written = |raw: &'_ Raw| match raw {
            Raw::Number(number) if is_integer => Some(Written::Integer(*number)),
            Raw::Number(number) => Some(Written::Number(*number)),
            Raw::Text(_) | Raw::Several(_) => None,
        };
        let looks = &self.looks[by];
        let text = match &raw {
            Raw::Several(parts) => looks.answer(parts.iter().map(|part| match part {
                Raw::Text(text) => Written::Text(text),
                _ => written(part).unwrap_or(Written::Text("")),
            })),
            Raw::Text(text) => looks.answer([Written::Text(text)].into_iter()),
            Raw::Number(_) => looks.answer(written(&raw).into_iter()),
        };
        Some(text.into_bytes())
    }

    /// What a signal is at, as the wire has it.
    pub(super) fn raw(&mut self, signal: &str, names: &Names) -> Option<Raw> {
        let at = self.position(signal)?;
        Some(self.behind(at, names).raw)
    }

    /// The number that a signal is at, or 0.
    pub(super) fn number(&mut self, signal: &str, names: &Names) -> f64 {
        self.raw(signal, names).and_then(|raw| raw.single()).unwrap_or(0.0)
    }

    /// The text that a signal is at, or nothing.
    pub(super) fn text(&mut self, signal: &str, names: &Names) -> String {
        match self.raw(signal, names) {
            Some(Raw::Text(text)) => text,
            Some(Raw::Number(number)) => number::shortest(number),
            Some(Raw::Several(_)) | None => String::new(),
        }
    }

    /// Puts something behind the question of a signal.
    pub(super) fn hold(&mut self, signal: &str, names: &Names, raw: Raw) {
        if let Some(at) = self.position(signal) {
            self.hold_by(at, names, raw);
        }
    }

    pub(super) fn hold_by(&mut self, by: usize, names: &Names, raw: Raw) {
        let key = self.key(by, names);
        self.held.insert(key, Held { raw, by });
    }

    /// What stands in the hole of a signal's command, judged by its domain; nothing for a word like `MAX`, which leaves a
    /// number where it is.
    pub(super) fn judged(&self, at: usize, texts: &[String]) -> Result<Option<Raw>, Refused> {
        let signal = &self.driver.signals[at];
        if let (Domain::Range { words, .. }, Element::Float | Element::Int) = (&signal.domain, signal.kind.element)
            && let [text] = texts
            && words.iter().any(|word| word.to_string().eq_ignore_ascii_case(text))
        {
            return Ok(None);
        }
        let mut raws = Vec::new();
        for text in texts {
            raws.push(of_text(signal, text)?);
        }
        match (raws.pop(), raws.is_empty()) {
            (Some(only), true) => Ok(Some(only)),
            (Some(last), false) => {
                raws.push(last);
                Ok(Some(Raw::Several(raws)))
            }
            (None, _) => Err((-109, "Missing parameter")),
        }
    }

    fn position(&self, signal: &str) -> Option<usize> {
        self.driver.signals.iter().position(|known| known.name == signal)
    }

    fn behind(&mut self, at: usize, names: &Names) -> Held {
        let key = self.key(at, names);
        if let Some(held) = self.held.get(&key) {
            return held.clone();
        }
        let raw = self.initial(at);
        let held = Held { raw, by: at };
        self.held.insert(key, held.clone());
        held
    }

    /// Some instruments have a command that chooses the channel which all others mean.
    fn key(&self, at: usize, names: &Names) -> String {
        let signal = &self.driver.signals[at];
        let mut known = names.clone();
        for needed in signal.query_needs() {
            if !known.contains_key(needed) {
                known.insert(needed.to_owned(), Value::Int(1));
            }
        }
        let question = match signal.query(&known) {
            Ok(question) => canonical(&question),
            Err(_) => format!("{} {names:?}", signal.name),
        };
        if signal.name == "channel" {
            return question;
        }
        let chosen = self
            .driver
            .signal("channel")
            .filter(|chosen| chosen.can_set() && chosen.can_get());
        let chosen = chosen.and_then(|chosen| chosen.query(names).ok());
        match chosen.and_then(|question| self.held.get(&canonical(&question))) {
            Some(held) => format!("{question} of {:?}", held.raw),
            None => question,
        }
    }

    fn sigma(&self, at: usize) -> f64 {
        let signal = &self.driver.signals[at];
        let is_reading = !signal.can_set() && matches!(signal.domain, Domain::Any | Domain::Range { .. });
        let of_reading = if is_reading { self.noise_of_readings } else { 0.0 };
        self.noise.get(&signal.name).copied().unwrap_or(of_reading)
    }

    fn noisy(&mut self, raw: &Raw, sigma: f64) -> Raw {
        match raw {
            Raw::Number(number) => Raw::Number(number + sigma * self.random.normal()),
            Raw::Text(_) => raw.clone(),
            Raw::Several(parts) => Raw::Several(parts.iter().map(|part| self.noisy(part, sigma)).collect()),
        }
    }

    fn initial(&self, at: usize) -> Raw {
        let signal = &self.driver.signals[at];
        if let Some(raw) = self.resting.get(&signal.name).and_then(|value| wire(signal, value)) {
            return raw;
        }
        let example = signal.examples.iter().find(|example| example.read.is_some());
        if let Some(answer) = example.and_then(|example| example.read.as_deref()) {
            return self.of_answer(at, answer);
        }
        let of_example = signal.examples.first().and_then(|example| wire(signal, &example.value));
        of_example.unwrap_or_else(|| of_domain(signal))
    }

    fn of_answer(&self, at: usize, answer: &str) -> Raw {
        let signal = &self.driver.signals[at];
        let looks = &self.looks[at];
        let body = looks.body(answer);
        let is_word =
            signal.kind.element == Element::Text || !matches!(signal.domain, Domain::Any | Domain::Range { .. });
        let raw = |text: &str| match number::parse(text) {
            Some(number) if !is_word => Raw::Number(number),
            Some(_) | None => Raw::Text(text.trim().to_owned()),
        };
        match signal.answer.split {
            Some(_) => Raw::Several(body.split(looks.separator()).map(raw).collect()),
            None => raw(body),
        }
    }
}

impl Raw {
    /// The number that it is, or says.
    fn single(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => number::parse(text),
            Self::Several(_) => None,
        }
    }

    pub(super) fn numbers(&self) -> Vec<f64> {
        match self {
            Self::Number(number) => vec![*number],
            Self::Text(_) => Vec::new(),
            Self::Several(parts) => parts.iter().flat_map(Self::numbers).collect(),
        }
    }
}

/// What the wire has for a value; none where the signal does not take it.
fn wire(signal: &Signal, value: &Value) -> Option<Raw> {
    if let (Setting::Cases(_), Domain::Any) = (&signal.set, &signal.domain) {
        return Some(raw(value));
    }
    match value {
        Value::List(values) => Some(Raw::Several(
            values.iter().filter_map(|value| wire(signal, value)).collect(),
        )),
        Value::Floats(numbers) => Some(Raw::Several(numbers.iter().copied().map(Raw::Number).collect())),
        _ => {
            let wire = signal.domain.to_wire(value, &Names::new()).ok()?;
            let conversion = signal.conversion;
            if let (true, Some(number)) = (conversion.transform == Transform::Identity, wire.number()) {
                let number = Value::Float((number - conversion.offset) / conversion.scale);
                if conversion.scale != 1.0 || conversion.offset != 0.0 {
                    return Some(raw(&number));
                }
            }
            match signal.domain {
                Domain::Map { .. } => Some(Raw::Text(wire.to_string())),
                Domain::Any | Domain::Range { .. } | Domain::Choices { .. } | Domain::Index { .. } => Some(raw(&wire)),
            }
        }
    }
}

pub(super) fn of_case(signal: &Signal, value: &Value) -> Raw {
    let raw = wire(signal, value).unwrap_or_else(|| raw(value));
    match (signal.answer.bit, raw.single()) {
        // It stands in a register, where it is read.
        (Some(bit), Some(number)) => Raw::Text((number * f64::from(bit).exp2()).to_string()),
        _ => raw,
    }
}

fn raw(value: &Value) -> Raw {
    match value.number() {
        Some(number) => Raw::Number(number),
        None => Raw::Text(value.to_string()),
    }
}

/// Where an instrument begins of which the driver shows nothing.
fn of_domain(signal: &Signal) -> Raw {
    let first = match &signal.domain {
        Domain::Any => None,
        Domain::Range { bounds, .. } => {
            let zero = Value::Float(0.0);
            let fixed = |bound: &Option<crate::driver::Bound>| match bound {
                Some(crate::driver::Bound::Fixed(value)) => Some(value.clone()),
                _ => None,
            };
            [Some(zero), fixed(&bounds.min), fixed(&bounds.max)]
                .into_iter()
                .flatten()
                .find_map(|value| wire(signal, &value))
        }
        Domain::Choices { values, .. } | Domain::Index { values, .. } => {
            values.first().and_then(|value| wire(signal, value))
        }
        Domain::Map { pairs, .. } => pairs.first().map(|(_, wire)| Raw::Text(wire.to_string())),
    };
    first.unwrap_or_else(|| match signal.kind.element {
        Element::Float | Element::Int | Element::Bool | Element::FloatOrText => Raw::Number(0.0),
        Element::Text => Raw::Text(String::new()),
    })
}

/// The wire's value of a text, as the domain has it.
fn of_text(signal: &Signal, text: &str) -> Result<Raw, Refused> {
    const ILLEGAL: Refused = (-224, "Illegal parameter value");
    const OUT_OF_RANGE: Refused = (-222, "Data out of range");
    let bare = unquoted(text);
    let same = |value: &Value| match (value.number(), value) {
        (Some(number), _) => truth(bare).or_else(|| number::parse(bare)) == Some(number),
        (None, value) => value.to_string().trim().eq_ignore_ascii_case(bare),
    };
    match &signal.domain {
        Domain::Map { pairs, .. } => {
            let pair = pairs.iter().find(|(_, wire)| same(wire));
            // A number that the map calls by its text: `10E-3`.
            let by_number = || {
                let numbers = |wire: &Value| number::parse(&wire.to_string());
                let wanted = number::parse(bare)?;
                pairs.iter().find(|(_, wire)| numbers(wire) == Some(wanted))
            };
            let (_, wire) = pair.or_else(by_number).ok_or(ILLEGAL)?;
            return Ok(Raw::Text(wire.to_string()));
        }
        Domain::Choices { values, .. } => {
            return values.iter().find(|value| same(value)).map(raw).ok_or(ILLEGAL);
        }
        Domain::Index { values, first, .. } => {
            let position = number::parse(bare).ok_or(ILLEGAL)?;
            #[expect(clippy::cast_precision_loss, reason = "positions are small")]
            let (first, last) = (*first as f64, (*first as f64) + values.len() as f64);
            return match position >= first && position < last {
                true => Ok(Raw::Number(position)),
                false => Err(OUT_OF_RANGE),
            };
        }
        Domain::Any | Domain::Range { .. } => {}
    }
    match signal.kind.element {
        Element::Text => Ok(Raw::Text(bare.to_owned())),
        Element::FloatOrText => Ok(number::parse(bare).map_or_else(|| Raw::Text(bare.to_owned()), Raw::Number)),
        Element::Bool => truth(bare)
            .or_else(|| number::parse(bare))
            .map(Raw::Number)
            .ok_or(ILLEGAL),
        Element::Float | Element::Int => number::parse(bare).map(Raw::Number).ok_or((-104, "Data type error")),
    }
}

fn truth(text: &str) -> Option<f64> {
    match text.to_ascii_uppercase().as_str() {
        "ON" | "TRUE" => Some(1.0),
        "OFF" | "FALSE" => Some(0.0),
        _ => None,
    }
}

fn plain(text: &str) -> Value {
    match (text.parse(), number::parse(text)) {
        (Ok(integer), _) => Value::Int(integer),
        (Err(_), Some(float)) => Value::Float(float),
        (Err(_), None) => Value::Text(text.to_owned()),
    }
}
