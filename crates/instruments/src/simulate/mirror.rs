//! An instrument made from its driver: each command that the driver would send is understood, each question answered so
//! that the driver reads what it set.
//!
//! ```text
//! message ─► whole, or its parts between `;` ─► code of the model ─► the driver's commands and questions
//!                                                                 ─► *IDN? and what everybody answers
//!                                                                 ─► -113,"Undefined header"
//! ```
//!
//! What a driver file cannot say (ramps, traces) is the code of a model: a [`Quirk`] sees each command first. Deliberately
//! absent: limits that depend on the state; a driver refuses those itself.

use std::{collections::BTreeMap, time::Duration};

use super::{
    behaviour::{Behaviour, Ends, Reply},
    pattern::{Found, Pattern, Takes},
    state::{Raw, State, of_case},
    status::Status,
};
use crate::{
    block,
    driver::{
        Domain, Driver, Element, Names, Signal, Value,
        answer::decoded,
        signal::Setting,
        template::{Part, Template},
    },
};

/// The code of one model.
pub(super) trait Quirk: Send {
    /// Signals that the model has more than its driver: a driver file of them.
    fn more(&self) -> &'static str {
        ""
    }

    /// What it sends after the answers to each message.
    fn follows(&self) -> Option<Vec<u8>> {
        None
    }

    /// The answer to a command; none where the driver knows it.
    fn hear(&mut self, command: &str, state: &mut State, now: Duration) -> Option<Reply>;
}

/// An instrument made from its driver.
pub(super) struct Mirror {
    state: State,
    questions: Vec<Question>,
    commands: Vec<Command>,
    /// What actions and the driver's first and last words send.
    known: Vec<Pattern>,
    /// What actions wait for: question and answer.
    awaited: Vec<(Pattern, String)>,
    status: Status,
    quirk: Option<Box<dyn Quirk>>,
    ends: Ends,
    misled_by: f64,
}

struct Question {
    pattern: Pattern,
    /// All signals with this question.
    signals: Vec<usize>,
}

struct Command {
    pattern: Pattern,
    signal: usize,
    effect: Effect,
    /// The factor of the unit behind the value.
    unit: f64,
}

enum Effect {
    /// What stands in the hole is set.
    Value,
    /// The command means this value.
    Case(Value),
    /// It belongs to a set of several commands, another of which counts.
    Nothing,
}

impl Mirror {
    pub(super) fn new(mut driver: Driver, quirk: Option<Box<dyn Quirk>>, seed: u64) -> Self {
        if let Some(quirk) = &quirk {
            extend(&mut driver, quirk.more());
        }
        let takes = |name: &str| takes_of(&driver, name);
        let link = &driver.link;
        let plain = |text: &String| Pattern::new(&Template::literal(text), &Takes::Text, takes);
        let mut known: Vec<Pattern> = link.open.iter().chain(&link.close).map(plain).collect();
        let mut awaited = Vec::new();
        for action in &driver.actions {
            let sent = action.send.iter();
            known.extend(sent.map(|template| Pattern::new(template, &Takes::Text, takes)));
            let wait = action.wait.as_ref();
            awaited.extend(wait.map(|wait| (plain(&wait.query), wait.until.to_string())));
        }
        let ends = Ends {
            of_messages: link.write_end.clone().into_bytes(),
            // Where a driver says nothing the instrument must, or nobody would see the end.
            of_answers: match link.read_end.as_bytes() {
                b"" => b"\n".to_vec(),
                end => end.to_vec(),
            },
        };
        let status = Status::new(identity(&driver), link.error.as_ref());
        let (questions, commands) = (questions(&driver), commands(&driver));
        Self {
            state: State::new(driver, seed),
            questions,
            commands,
            known,
            awaited,
            status,
            quirk,
            ends,
            misled_by: 0.0,
        }
    }

    pub(super) fn state(&mut self) -> &mut State {
        &mut self.state
    }

    /// Takes one command; None where there is none such.
    fn perform(&mut self, command: &str, now: Duration) -> Option<Reply> {
        let quirk = self
            .quirk
            .as_mut()
            .and_then(|quirk| quirk.hear(command, &mut self.state, now));
        if quirk.is_some() {
            return quirk;
        }
        // Registers and identity are everybody's, whatever a driver calls them.
        if command.starts_with('*')
            && let Some(reply) = self.status.hear(command)
        {
            return Some(reply);
        }
        // A question may look like a set of something that is no value: `C?` and `C{}`.
        match (self.set(command), self.ask(command)) {
            (Some(Reply::Error(..)) | None, Some(answer)) => return Some(answer),
            (Some(reply), _) => return Some(reply),
            (None, None) => {}
        }
        if command.eq_ignore_ascii_case("*RST") {
            self.state.reset();
            return Some(Reply::Silence);
        }
        if let Some(reply) = self.status.hear(command) {
            return Some(reply);
        }
        if let Some((_, answer)) = self.awaited.iter().find(|(pattern, _)| pattern.find(command).is_some()) {
            return Some(Reply::text(answer));
        }
        let is_known = self.known.iter().any(|pattern| pattern.find(command).is_some());
        is_known.then_some(Reply::Silence)
    }

    fn set(&mut self, command: &str) -> Option<Reply> {
        let mut fitting: Vec<(&Command, Found)> = self
            .commands
            .iter()
            .filter_map(|known| Some((known, known.pattern.find(command)?)))
            .collect();
        // What sets something first, then what is written exactly so, then what says most.
        fitting.sort_by_key(|(known, _)| {
            let is_exact = known.pattern.is_exactly(command);
            let sets_nothing = matches!(known.effect, Effect::Nothing);
            (sets_nothing, !is_exact, std::cmp::Reverse(known.pattern.literal))
        });
        let mut refused = None;
        for (known, found) in fitting {
            let signal = &self.state.driver().signals[known.signal];
            let names = self.state.names(&found.names);
            let raw = match &known.effect {
                Effect::Nothing => Ok(None),
                Effect::Case(value) => Ok(Some(of_case(signal, value))),
                Effect::Value => self
                    .state
                    .judged(known.signal, &found.values)
                    .map(|raw| raw.map(|raw| scaled(raw, signal, unit(known, &found), &names, self.misled_by))),
            };
            match raw {
                Ok(raw) => {
                    let reply = acknowledgement(signal, command);
                    let at = known.signal;
                    if let Some(raw) = raw {
                        self.state.hold_by(at, &names, raw);
                    }
                    return Some(reply);
                }
                Err((code, words)) => refused = refused.or(Some(Reply::Error(code, words))),
            }
        }
        refused
    }

    fn ask(&mut self, command: &str) -> Option<Reply> {
        let fitting = self
            .questions
            .iter()
            .filter_map(|question| Some((question, question.pattern.find(command)?)));
        let (question, found) =
            fitting.max_by_key(|(question, _)| (question.pattern.is_exactly(command), question.pattern.literal))?;
        let names = self.state.names(&found.names);
        let answer = self.state.answer(&question.signals, &names)?;
        Some(Reply::Bytes(answer))
    }
}

impl Behaviour for Mirror {
    fn ends(&self) -> Ends {
        self.ends.clone()
    }

    fn hear(&mut self, message: &[u8], now: Duration) -> Vec<Vec<u8>> {
        let text = decoded(message);
        let whole = text.trim();
        if whole.is_empty() {
            return Vec::new();
        }
        if let Some(reply) = self.perform(whole, now) {
            let mut answers = self.replied(reply);
            answers.extend(self.quirk.as_ref().and_then(|quirk| quirk.follows()));
            return answers;
        }
        let mut answers: Vec<Vec<u8>> = Vec::new();
        let mut path = String::new();
        let parts = if self.ends.of_messages.is_empty() {
            self.unended(whole)
        } else {
            parts(whole)
        };
        for part in parts {
            // A command without a colon goes on where the one before it stood: `:SOUR:LEV 1;RANG 10`.
            let within = format!("{path}{part}");
            let reply = match self.perform(part, now) {
                Some(reply) => Some(reply),
                None if !path.is_empty() && !part.starts_with([':', '*']) => self.perform(&within, now),
                None => None,
            };
            match reply {
                Some(reply) => answers.extend(self.replied(reply)),
                None => self.complain(-113, "Undefined header"),
            }
            let header = part.split_whitespace().next().unwrap_or_default();
            if let Some(at) = header.rfind(':').filter(|_| !header.starts_with('*')) {
                path = header[..=at].to_owned();
            }
        }
        // What one message asks is answered in one.
        if answers.is_empty() {
            answers
        } else {
            vec![answers.join(&b';')]
        }
    }

    fn status_byte(&self, has_answer: bool) -> u8 {
        self.status.byte(has_answer)
    }

    fn complain(&mut self, code: i32, message: &str) {
        self.status.complain(code, message);
    }

    fn mislead(&mut self, by: f64) {
        self.misled_by = by;
    }
}

impl Mirror {
    /// Commands that nothing ends: each goes as far as it is understood.
    fn unended<'m>(&self, message: &'m str) -> Vec<&'m str> {
        let is_known = |text: &str| {
            let commands = self.commands.iter().map(|command| &command.pattern);
            let questions = self.questions.iter().map(|question| &question.pattern);
            commands.chain(questions).any(|pattern| pattern.find(text).is_some())
        };
        let mut parts = Vec::new();
        let mut rest = message;
        while !rest.is_empty() {
            let ends = rest.char_indices().map(|(at, character)| at + character.len_utf8());
            let end = ends.rev().find(|end| is_known(&rest[..*end])).unwrap_or(rest.len());
            parts.push(&rest[..end]);
            rest = &rest[end..];
        }
        parts
    }

    fn replied(&mut self, reply: Reply) -> Vec<Vec<u8>> {
        match reply {
            Reply::Silence => Vec::new(),
            Reply::Text(text) => vec![text.into_bytes()],
            Reply::Bytes(bytes) => vec![bytes],
            Reply::Lines(lines) => lines,
            Reply::Error(code, words) => {
                self.status.complain(code, words);
                Vec::new()
            }
        }
    }
}

/// The commands between the semicolons that stand neither in quotes nor in a block.
fn parts(message: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quote) = (0, None);
    for (at, character) in message.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            // What follows is a block, to the end as far as is known here.
            (None, '#') if matches!(block::header(&message.as_bytes()[at..]), Ok(Some(_))) => break,
            (None, ';') => {
                parts.push(&message[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&message[start..]);
    parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

/// What `*IDN?` answers: as the driver expects it, else maker and model of its id.
fn identity(driver: &Driver) -> String {
    match driver.link.idn.first() {
        Some(pattern) => pattern.replace('*', "0"),
        None => {
            let (maker, model) = driver.id.split_once('.').unwrap_or(("", &driver.id));
            let maker = maker.replace('_', " ").to_uppercase();
            format!("{maker},{},0,simulated", model.to_uppercase())
        }
    }
}

/// Adds the signals and arguments of another driver file, as far as the driver has none of their names.
fn extend(driver: &mut Driver, more: &str) {
    // Most have nothing more; what they have is held to be right by a test.
    let Ok(more) = Driver::parse(more) else {
        return;
    };
    for signal in more.signals {
        if driver.signal(&signal.name).is_none() {
            driver.signals.push(signal);
        }
    }
    for argument in more.arguments {
        if driver.arguments.iter().all(|known| known.name != argument.name) {
            driver.arguments.push(argument);
        }
    }
}

/// Each question once, with all signals that ask it.
fn questions(driver: &Driver) -> Vec<Question> {
    let takes = |name: &str| takes_of(driver, name);
    let mut questions: Vec<Question> = Vec::new();
    for (at, signal) in driver.signals.iter().enumerate() {
        let Some(get) = &signal.get else {
            continue;
        };
        let asks_it = |question: &&mut Question| driver.signals[question.signals[0]].get.as_ref() == Some(get);
        match questions.iter_mut().find(asks_it) {
            Some(question) => question.signals.push(at),
            None => questions.push(Question {
                pattern: Pattern::new(get, &Takes::Text, takes),
                signals: vec![at],
            }),
        }
    }
    questions
}

fn commands(driver: &Driver) -> Vec<Command> {
    let takes = |name: &str| takes_of(driver, name);
    let of_signal = |(at, signal): (usize, &Signal)| {
        let command = |(template, effect): (Template, Effect)| Command {
            pattern: Pattern::new(&template, &takes_value(signal), takes),
            signal: at,
            effect,
            unit: unit_behind(&template),
        };
        effects(signal).into_iter().map(command).collect::<Vec<_>>()
    };
    driver.signals.iter().enumerate().flat_map(of_signal).collect()
}

/// The templates of a set, and what each of them does.
fn effects(signal: &Signal) -> Vec<(Template, Effect)> {
    match &signal.set {
        Setting::Never => Vec::new(),
        Setting::Commands(commands) => {
            let has_value = commands.iter().any(|command| command.places() > 0);
            let effect = |command: &Template| {
                if command.places() > 0 || !has_value {
                    Effect::Value
                } else {
                    Effect::Nothing
                }
            };
            commands
                .iter()
                .map(|command| (command.clone(), effect(command)))
                .collect()
        }
        Setting::Cases(cases) => {
            let mut effects = Vec::new();
            for (value, commands) in cases {
                let others = || {
                    cases
                        .iter()
                        .filter(|(other, _)| other != value)
                        .flat_map(|(_, commands)| commands)
                };
                // Of several commands, the last that no other value has.
                let counts = commands
                    .iter()
                    .rposition(|command| others().all(|other| other != command));
                for (at, command) in commands.iter().enumerate() {
                    if Some(at) != counts {
                        effects.push((command.clone(), Effect::Nothing));
                        continue;
                    }
                    effects.push((command.clone(), Effect::Case(value.clone())));
                    effects.extend(switched(command).map(|other| (other, Effect::Case(value.clone()))));
                }
            }
            effects
        }
    }
}

/// `OUTP 1` for `OUTP ON`, and the other way round.
fn switched(command: &Template) -> Option<Template> {
    const WORDS: [(&str, &str); 4] = [(" ON", " 1"), (" OFF", " 0"), (" 1", " ON"), (" 0", " OFF")];
    let parts: Vec<Part<'_>> = command.parts().collect();
    let Some(Part::Text(last)) = parts.last() else {
        return None;
    };
    let (word, other) = WORDS.iter().find(|(word, _)| last.ends_with(word))?;
    let text: Option<String> = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => Some(text.replace('{', "{{").replace('}', "}}").replace('%', "%%")),
            Part::Name(name) => Some(format!("{{{name}}}")),
            Part::Value(_) => None,
        })
        .collect();
    Template::parse(&format!("{}{other}", text?.strip_suffix(word)?)).ok()
}

fn takes_of(driver: &Driver, name: &str) -> Takes {
    let Some(argument) = driver.arguments.iter().find(|argument| argument.name == name) else {
        return Takes::Text;
    };
    if !argument.choices.is_empty() {
        return Takes::Words(argument.choices.iter().map(ToString::to_string).collect());
    }
    let of_examples = driver.signals.iter().flat_map(|signal| &signal.examples);
    let example = of_examples.filter_map(|example| example.names.get(name)).next();
    match argument.default.as_ref().or(example) {
        Some(Value::Int(_)) => Takes::Index,
        _ => Takes::Text,
    }
}

fn takes_value(signal: &Signal) -> Takes {
    match (&signal.domain, signal.kind.element) {
        (Domain::Any | Domain::Index { .. }, Element::Float | Element::Int) => Takes::Number,
        (Domain::Range { words, .. }, Element::Float | Element::Int) if words.is_empty() => Takes::Number,
        _ => Takes::Text,
    }
}

/// What a unit behind the value makes of it: `{}NS` is set in nanoseconds and read in seconds.
fn unit_behind(template: &Template) -> f64 {
    let mut parts = template.parts().skip_while(|part| !matches!(part, Part::Value(_)));
    match (parts.next(), parts.next()) {
        (Some(Part::Value(_)), Some(Part::Text(unit))) => factor(unit.trim()).unwrap_or(1.0),
        _ => 1.0,
    }
}

/// SCPI's units with a prefix; in those of frequencies `M` is mega.
fn factor(unit: &str) -> Option<f64> {
    Some(match unit.to_ascii_uppercase().as_str() {
        "PS" => 1e-12,
        "NS" | "NV" | "NA" => 1e-9,
        "US" | "UV" | "UA" => 1e-6,
        "MS" | "MV" | "MA" => 1e-3,
        "KHZ" => 1e3,
        "MHZ" => 1e6,
        "GHZ" => 1e9,
        _ => return None,
    })
}

/// What the unit in a command makes of its value.
fn unit(known: &Command, found: &Found) -> f64 {
    let named = found.names.get("unit").and_then(|unit| factor(unit));
    named.unwrap_or(known.unit)
}

/// As the question will answer it.
fn scaled(raw: Raw, signal: &Signal, unit: f64, names: &Names, misled_by: f64) -> Raw {
    match raw {
        Raw::Number(number) => {
            let number = number + misled_by;
            let scale = signal.read_scale.as_ref().and_then(|scale| scale.value(names).ok());
            let factor = scale.and_then(|scale| scale.number()).map_or(unit, f64::recip);
            #[expect(clippy::float_cmp, reason = "no factor at all")]
            if factor == 1.0 {
                return Raw::Number(number);
            }
            // Factors are decimal: what is beyond the digits of a double is theirs.
            Raw::Number(format!("{:.14e}", number * factor).parse().unwrap_or(number * factor))
        }
        Raw::Text(_) | Raw::Several(_) => raw,
    }
}

/// Some instruments answer each command: by the word that the driver waits for, or by the command's first letter.
fn acknowledgement(signal: &Signal, command: &str) -> Reply {
    match &signal.acknowledge {
        None => Reply::Silence,
        Some(words) => match words.first() {
            Some(word) => Reply::text(word),
            None => Reply::Text(command.chars().take(1).collect()),
        },
    }
}

/// Names with one of them set.
pub(super) fn with(names: &Names, name: &str, value: i64) -> Names {
    let mut names = names.clone();
    names.insert(name.to_owned(), Value::Int(value));
    names
}

/// No names but the defaults.
pub(super) fn defaults(state: &State) -> Names {
    state.names(&BTreeMap::new())
}

#[cfg(test)]
mod tests;
