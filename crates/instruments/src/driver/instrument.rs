//! A driver performed on a wire: sets with their conditions, ramps, pauses, acknowledgements, read-back and error queries.
//!
//! What a limit or a command depends on is read from the instrument when it is not known; what is set or read is known from
//! then on. Everything that takes time goes through the wire, whose pauses and answers an operator can interrupt, so that a
//! ramp stops at once. Deliberately absent: opening links and trying again, which are [`crate::Session`]'s.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::number;
use super::signal::{Garbled, Refusal, Signal};
use super::template::Names;
use super::value::Value;
use super::{AskErrors, Driver, ErrorQuery, Step, Wait};
use crate::Extent;

/// What carries messages; tests play transcripts instead of an instrument.
pub trait Wire {
    type Error;

    /// Sends one message.
    ///
    /// # Errors
    /// It cannot be sent.
    fn write(&mut self, message: &str) -> Result<(), Self::Error>;

    /// The next answer.
    ///
    /// # Errors
    /// There is none in time.
    fn read(&mut self) -> Result<Vec<u8>, Self::Error>;

    /// Sends commands and a question, together where the link can, and returns the answer.
    ///
    /// # Errors
    /// They cannot be sent, or there is no answer in time.
    fn query(&mut self, commands: &[String], question: &str, extent: Extent) -> Result<Vec<u8>, Self::Error>;

    /// Waits.
    ///
    /// # Errors
    /// The wait was interrupted.
    fn pause(&mut self, time: Duration) -> Result<(), Self::Error>;
}

/// An instrument that is spoken to as its driver says.
pub struct Instrument<W> {
    driver: Arc<Driver>,
    wire: W,
    known: Names,
}

/// Why something did not happen.
#[derive(Debug, PartialEq)]
pub enum Failure<E> {
    /// Nothing was sent.
    Refused(Refusal),
    Unknown {
        what: &'static str,
        name: String,
    },
    /// Another signal does not have the value that this one needs.
    Requires {
        signal: String,
        other: String,
        needed: Value,
        found: Value,
    },
    Garbled(Garbled),
    /// The value that is read back is not the one that was set.
    NotTaken {
        signal: String,
        set: Value,
        read: Value,
    },
    /// The answer to a set is not one that says that it was taken.
    NotAcknowledged {
        signal: String,
        answer: String,
    },
    /// The instrument's own complaint.
    Complaint {
        after: String,
        answer: String,
    },
    /// What an action waits for did not come.
    TooLate {
        action: String,
        answer: String,
    },
    Wire(E),
}

/// So many signals may depend on each other in a row; more are a circle.
const DEEPEST: u8 = 8;

impl<W: Wire> Instrument<W> {
    /// Arguments have their defaults until [`Self::give`].
    pub fn new(driver: Arc<Driver>, wire: W) -> Self {
        let default = |argument: &super::Argument| Some((argument.name.clone(), argument.default.clone()?));
        let known = driver.arguments.iter().filter_map(default).collect();
        Self { driver, wire, known }
    }

    pub fn driver(&self) -> &Arc<Driver> {
        &self.driver
    }

    pub fn wire(&mut self) -> &mut W {
        &mut self.wire
    }

    /// Gives an argument its value (the channel). What was known of signals is forgotten: it was another channel's.
    ///
    /// # Errors
    /// There is no such argument, or this is none of its values.
    pub fn give(&mut self, argument: &str, value: Value) -> Result<(), Failure<W::Error>> {
        let driver = Arc::clone(&self.driver);
        let found = driver.arguments.iter().find(|known| known.name == argument);
        let found = found.ok_or_else(|| unknown("argument", argument))?;
        if !found.choices.is_empty() && !found.choices.iter().any(|choice| choice.same(&value)) {
            let reason = format!("`{value}` is none of its values");
            return Err(Failure::Refused(Refusal::Value {
                signal: argument.to_owned(),
                reason,
            }));
        }
        if self.known.get(argument).is_some_and(|known| *known == value) {
            return Ok(());
        }
        self.forget();
        self.known.insert(argument.to_owned(), value);
        Ok(())
    }

    /// Forgets what was set and read, arguments excepted: somebody else may have had the instrument.
    pub fn forget(&mut self) {
        let arguments = &self.driver.arguments;
        self.known
            .retain(|name, _| arguments.iter().any(|argument| argument.name == *name));
    }

    /// The value that an argument has, or a signal is known to have.
    pub fn known(&self, name: &str) -> Option<&Value> {
        self.known.get(name)
    }

    /// Reads a signal.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn get(&mut self, signal: &str) -> Result<Value, Failure<W::Error>> {
        let driver = Arc::clone(&self.driver);
        self.read(find(&driver, signal)?, DEEPEST)
    }

    /// Sets a signal, through its ramp where it has one.
    ///
    /// # Errors
    /// See [`Failure`]; a ramp that is interrupted leaves the signal where it is.
    pub fn set(&mut self, signal: &str, value: &Value) -> Result<(), Failure<W::Error>> {
        let driver = Arc::clone(&self.driver);
        let signal = find(&driver, signal)?;
        self.prepare(signal)?;
        // Judged before the first step of a ramp.
        let last = signal.commands(value, &self.known).map_err(Failure::Refused)?;
        let (Some(ramp), Some(to)) = (signal.ramp, value.number()) else {
            return self.send(signal, value, &last);
        };
        let Some(from) = self.read(signal, DEEPEST)?.number() else {
            return self.send(signal, value, &last);
        };
        let (steps, pause) = ramp.steps(from, to);
        for step in steps {
            self.wire.pause(pause).map_err(Failure::Wire)?;
            if step == to {
                self.send(signal, value, &last)?;
            } else {
                let commands = signal
                    .commands(&Value::Float(step), &self.known)
                    .map_err(Failure::Refused)?;
                self.write_all(&commands)?;
            }
        }
        Ok(())
    }

    /// Performs an action, and waits for its end where the driver says how.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn act(&mut self, action: &str) -> Result<(), Failure<W::Error>> {
        let driver = Arc::clone(&self.driver);
        let found = driver.action(action).ok_or_else(|| unknown("action", action))?;
        for template in &found.send {
            let refused = |reason| {
                Failure::Refused(Refusal::Value {
                    signal: action.to_owned(),
                    reason,
                })
            };
            let command = template.fill(None, &self.known).map_err(refused)?;
            self.wire.write(&command).map_err(Failure::Wire)?;
        }
        match &found.wait {
            Some(wait) => self.wait(action, wait),
            None => Ok(()),
        }
    }

    /// Sends what the driver says for the beginning, and brings the initial state about.
    ///
    /// # Errors
    /// The first failure; what comes after it is not done.
    pub fn open(&mut self) -> Result<(), Failure<W::Error>> {
        let driver = Arc::clone(&self.driver);
        self.write_all(&driver.link.open)?;
        driver.initial.iter().try_for_each(|step| self.step(step))
    }

    /// Brings the safe state about as far as possible: a step that fails does not keep the others from being done.
    pub fn make_safe(&mut self) -> Vec<Failure<W::Error>> {
        let driver = Arc::clone(&self.driver);
        let steps = driver.safe.iter();
        steps.filter_map(|step| self.step(step).err()).collect()
    }

    /// Sends what the driver says for the end.
    ///
    /// # Errors
    /// It cannot be sent.
    pub fn close(&mut self) -> Result<(), Failure<W::Error>> {
        let driver = Arc::clone(&self.driver);
        self.write_all(&driver.link.close)
    }

    fn step(&mut self, step: &Step) -> Result<(), Failure<W::Error>> {
        match step {
            Step::Set { signal, value } => self.set(signal, value),
            Step::Act { action } => self.act(action),
        }
    }

    fn read(&mut self, signal: &Signal, depth: u8) -> Result<Value, Failure<W::Error>> {
        self.learn(signal.query_needs(), depth)?;
        let question = signal.query(&self.known).map_err(Failure::Refused)?;
        let answer = self
            .wire
            .query(&[], &question, signal.extent())
            .map_err(Failure::Wire)?;
        let value = signal.value(&answer, &self.known).map_err(Failure::Garbled)?;
        self.known.insert(signal.name.clone(), value.clone());
        let driver = Arc::clone(&self.driver);
        if let Some(error) = &driver.link.error
            && error.when == AskErrors::Always
        {
            self.ask_for_errors(error, &question)?;
        }
        Ok(value)
    }

    /// Sees to all that a set needs: other signals known, conditions met.
    fn prepare(&mut self, signal: &Signal) -> Result<(), Failure<W::Error>> {
        for (other, needed) in &signal.requires {
            // What was set may not be what is: conditions protect, so they are asked.
            let driver = Arc::clone(&self.driver);
            let found = self.read(find(&driver, other)?, DEEPEST)?;
            if !found.same(needed) {
                return Err(Failure::Requires {
                    signal: signal.name.clone(),
                    other: other.clone(),
                    needed: needed.clone(),
                    found,
                });
            }
        }
        self.learn(signal.set_needs(), DEEPEST)
    }

    fn learn<'n>(&mut self, names: impl Iterator<Item = &'n str>, depth: u8) -> Result<(), Failure<W::Error>> {
        let driver = Arc::clone(&self.driver);
        for name in names {
            let signal = driver.signal(name).filter(|signal| signal.can_get());
            if let Some(signal) = signal.filter(|_| depth > 0 && !self.known.contains_key(name)) {
                self.read(signal, depth - 1)?;
            }
        }
        Ok(())
    }

    fn send(&mut self, signal: &Signal, value: &Value, commands: &[String]) -> Result<(), Failure<W::Error>> {
        let verified = match signal.verify {
            Some(tolerance) if signal.acknowledge.is_none() && signal.settle.is_none() => {
                let question = signal.query(&self.known).map_err(Failure::Refused)?;
                Some((
                    tolerance,
                    self.wire
                        .query(commands, &question, signal.extent())
                        .map_err(Failure::Wire)?,
                ))
            }
            _ => {
                self.write_all(commands)?;
                self.acknowledge(signal, commands.len())?;
                if let Some(time) = signal.settle {
                    self.wire.pause(time).map_err(Failure::Wire)?;
                }
                match signal.verify {
                    Some(tolerance) => {
                        let question = signal.query(&self.known).map_err(Failure::Refused)?;
                        Some((
                            tolerance,
                            self.wire
                                .query(&[], &question, signal.extent())
                                .map_err(Failure::Wire)?,
                        ))
                    }
                    None => None,
                }
            }
        };
        let mut now = value.clone();
        if let Some((tolerance, answer)) = verified {
            now = signal.value(&answer, &self.known).map_err(Failure::Garbled)?;
            if !tolerance.allows(value, &now) {
                let (signal, set) = (signal.name.clone(), value.clone());
                return Err(Failure::NotTaken { signal, set, read: now });
            }
        }
        self.known.insert(signal.name.clone(), now);
        let driver = Arc::clone(&self.driver);
        match &driver.link.error {
            Some(error) if error.when != AskErrors::Never => self.ask_for_errors(error, &commands.join("; ")),
            _ => Ok(()),
        }
    }

    /// Each command has its answer.
    fn acknowledge(&mut self, signal: &Signal, count: usize) -> Result<(), Failure<W::Error>> {
        if signal.acknowledge.is_none() {
            return Ok(());
        }
        for _ in 0..count {
            let answer = self.wire.read().map_err(Failure::Wire)?;
            if signal.is_acknowledged(&answer) == Some(false) {
                let answer = String::from_utf8_lossy(&answer).trim().to_owned();
                return Err(Failure::NotAcknowledged {
                    signal: signal.name.clone(),
                    answer,
                });
            }
        }
        Ok(())
    }

    fn ask_for_errors(&mut self, error: &ErrorQuery, after: &str) -> Result<(), Failure<W::Error>> {
        let answer = self
            .wire
            .query(&[], &error.query, Extent::Message)
            .map_err(Failure::Wire)?;
        let answer = String::from_utf8_lossy(&answer).trim().to_owned();
        if means(&error.ok, answer.split(',').next().unwrap_or_default()) {
            Ok(())
        } else {
            Err(Failure::Complaint {
                after: after.to_owned(),
                answer,
            })
        }
    }

    fn wait(&mut self, action: &str, wait: &Wait) -> Result<(), Failure<W::Error>> {
        let mut waited = Duration::ZERO;
        loop {
            let answer = self
                .wire
                .query(&[], &wait.query, Extent::Message)
                .map_err(Failure::Wire)?;
            let answer = String::from_utf8_lossy(&answer).trim().to_owned();
            if means(&wait.until, &answer) {
                return Ok(());
            }
            if waited >= wait.timeout {
                return Err(Failure::TooLate {
                    action: action.to_owned(),
                    answer,
                });
            }
            self.wire.pause(wait.every).map_err(Failure::Wire)?;
            // An interval of nothing would never end.
            waited += wait.every.max(Duration::from_millis(1));
        }
    }

    fn write_all(&mut self, commands: &[String]) -> Result<(), Failure<W::Error>> {
        commands
            .iter()
            .try_for_each(|command| self.wire.write(command).map_err(Failure::Wire))
    }
}

fn find<'d, E>(driver: &'d Driver, signal: &str) -> Result<&'d Signal, Failure<E>> {
    driver.signal(signal).ok_or_else(|| unknown("signal", signal))
}

/// Whether an answer is this value: numbers by value, words exactly.
fn means(value: &Value, text: &str) -> bool {
    match value.number() {
        Some(wanted) => number::parse(text) == Some(wanted),
        None => value.to_string() == text.trim(),
    }
}

fn unknown<E>(what: &'static str, name: &str) -> Failure<E> {
    Failure::Unknown {
        what,
        name: name.to_owned(),
    }
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "{refusal}"),
            Self::Unknown { what, name } => write!(f, "the driver has no {what} `{name}`"),
            Self::Requires {
                signal,
                other,
                needed,
                found,
            } => {
                write!(
                    f,
                    "`{signal}` can only be set while `{other}` is `{needed}`; it is `{found}`"
                )
            }
            Self::Garbled(garbled) => write!(f, "{garbled}"),
            Self::NotTaken { signal, set, read } => {
                write!(f, "`{signal}` was set to `{set}`, but the instrument says `{read}`")
            }
            Self::NotAcknowledged { signal, answer } => write!(f, "`{signal}` was not taken: the answer is {answer:?}"),
            Self::Complaint { after, answer } => write!(f, "after `{after}` the instrument says {answer:?}"),
            Self::TooLate { action, answer } => {
                write!(f, "`{action}` did not end in time: the last answer is {answer:?}")
            }
            Self::Wire(error) => write!(f, "{error}"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> Error for Failure<E> {}

#[cfg(test)]
mod tests;
