//! An object of Python as an instrument.
//!
//! It is made when it is first used, and made again after its process has ended. A call that may have been performed is
//! not performed again: its error says what happened, and the next call finds the object made anew.

use std::{
    collections::BTreeSet,
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{
    frame::{Frame, Reply, Verb},
    host::{Host, Hosts, Nature},
    lane::{Answering, Broken, Lane},
    options::Options,
};
use crate::{
    Interrupter,
    device::{At, Device, DeviceError, Reason},
    driver::Value,
};

/// Importing a library from a slow disk and connecting take this long at least, whatever a call may take.
const LEAST_FOR_OPENING: Duration = Duration::from_secs(60);

/// Whoever opens the same instrument again finds it closed, unless closing takes longer.
const FOR_CLOSING: Duration = Duration::from_secs(1);

/// Opens an instrument, whose name is for messages: `class` is `module.Class`, any function that returns an object, or
/// `pyvisa` for a resource of PyVISA.
///
/// # Errors
/// There is no such interpreter or class, or the object cannot be made.
pub fn open(
    name: &str,
    class: &str,
    options: &Options,
    hosts: &Hosts,
    interrupter: Interrupter,
) -> Result<Box<dyn Device>, DeviceError> {
    Ok(Box::new(Object::open(name, class, options, hosts, interrupter)?))
}

/// An open object.
pub struct Object {
    link: Mutex<Link>,
    safe: String,
}

/// What can be read, set or called of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// `ch1.voltage`
    pub name: String,
    /// `parameter` (read and set), `reading`, `setting` or `method`
    pub kind: String,
    /// Empty where the library does not say it.
    pub unit: String,
    pub doc: String,
}

impl Object {
    /// As [`open`].
    ///
    /// # Errors
    /// As those of [`open`].
    pub fn open(
        name: &str,
        class: &str,
        options: &Options,
        hosts: &Hosts,
        interrupter: Interrupter,
    ) -> Result<Self, DeviceError> {
        let mut link = Link::new(name, class, Nature::Instrument, options, hosts, interrupter);
        link.connect()?;
        Ok(Self {
            link: Mutex::new(link),
            safe: options.safe.clone(),
        })
    }

    /// All that it has a name for; nothing is read from the instrument.
    ///
    /// # Errors
    /// Its process does not answer.
    pub fn describe(&mut self) -> Result<Vec<Described>, DeviceError> {
        let described = self.link().ask(Verb::Describe, |_| {}, 0)?;
        let texts = |value: &Value| match value {
            Value::List(parts) => parts.iter().map(Value::to_string).collect(),
            _ => Vec::new(),
        };
        let Value::List(all) = described else {
            return Ok(Vec::new());
        };
        let each = all.iter().filter_map(|one| {
            let [name, kind, unit, doc] = texts(one).try_into().ok()?;
            Some(Described { name, kind, unit, doc })
        });
        Ok(each.collect())
    }

    fn link(&mut self) -> &mut Link {
        // Each exchange leaves the link whole, or without a lane.
        self.link.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Device for Object {
    fn has(&self, name: &str) -> bool {
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(link.say(Verb::Has, name), Ok(Value::Bool(true)))
    }

    fn get(&mut self, parameter: &str, at: At<'_>) -> Result<Value, DeviceError> {
        let arguments = |frame: &mut Frame| {
            frame.text(parameter).at(at);
        };
        self.link().ask(Verb::Get, arguments, 2)
    }

    fn set(&mut self, parameter: &str, value: &Value, at: At<'_>) -> Result<(), DeviceError> {
        let arguments = |frame: &mut Frame| {
            frame.text(parameter).at(at).value(value);
        };
        self.link().ask(Verb::Set, arguments, 3).map(drop)
    }

    fn call(&mut self, method: &str, arguments: &[Value], at: At<'_>) -> Result<Value, DeviceError> {
        let arguments = |frame: &mut Frame| {
            frame.text(method).at(at).values(arguments);
        };
        self.link().ask(Verb::Call, arguments, 3)
    }

    fn write(&mut self, command: &str) -> Result<(), DeviceError> {
        self.link().say(Verb::Write, command).map(drop)
    }

    fn query(&mut self, question: &str) -> Result<String, DeviceError> {
        let answer = self.link().say(Verb::Query, question)?;
        Ok(answer.to_string())
    }

    /// Asking is the library's affair; nothing was asked.
    fn identity(&self) -> Option<&str> {
        None
    }

    /// Nothing of what it was set to is remembered here.
    fn forget(&mut self) {}

    fn has_safe_state(&self) -> bool {
        !self.safe.is_empty()
    }

    fn make_safe(&mut self) -> Vec<DeviceError> {
        if self.safe.is_empty() {
            return Vec::new();
        }
        let safe = self.safe.clone();
        self.call(&safe, &[], &[]).err().into_iter().collect()
    }

    fn close(&mut self) -> Result<(), DeviceError> {
        self.link().close()
    }
}

/// The way to one object, which is there or not.
pub(super) struct Link {
    name: String,
    class: String,
    nature: Nature,
    options: Options,
    hosts: Hosts,
    interrupter: Interrupter,
    key: u64,
    lane: Option<Lane>,
    /// Kept when a lane is interrupted while nothing happens: the object is still there.
    host: Option<Arc<Host>>,
    frame: Frame,
    /// Types that have no like on our side and were spoken of.
    told: BTreeSet<String>,
}

impl Link {
    pub(super) fn new(
        name: &str,
        class: &str,
        nature: Nature,
        options: &Options,
        hosts: &Hosts,
        interrupter: Interrupter,
    ) -> Self {
        Self {
            name: name.to_owned(),
            class: class.to_owned(),
            nature,
            options: options.clone(),
            hosts: hosts.clone(),
            interrupter,
            key: hosts.new_key(),
            lane: None,
            host: None,
            frame: Frame::default(),
            told: BTreeSet::new(),
        }
    }

    /// One request within the time of a call.
    pub(super) fn ask(&mut self, verb: Verb, arguments: impl Fn(&mut Frame), count: u32) -> Result<Value, DeviceError> {
        let timeout = Some(self.options.timeout);
        self.converse(verb, arguments, count, timeout, &mut |_, _| {
            Err("nothing is being performed".to_owned())
        })
    }

    /// A request with a text.
    fn say(&mut self, verb: Verb, text: &str) -> Result<Value, DeviceError> {
        let arguments = |frame: &mut Frame| {
            frame.text(text);
        };
        self.ask(verb, arguments, 1)
    }

    /// One request, and whatever it asks in between.
    pub(super) fn converse(
        &mut self,
        verb: Verb,
        arguments: impl Fn(&mut Frame),
        count: u32,
        timeout: Option<Duration>,
        answering: Answering<'_>,
    ) -> Result<Value, DeviceError> {
        let mut is_again = false;
        loop {
            if self.interrupter.is_interrupted() {
                return Err(self.error(Reason::Interrupted, "interrupted"));
            }
            self.connect()?;
            let Some(lane) = &mut self.lane else {
                return Err(self.error(Reason::Lost, "it is not connected"));
            };
            lane.set_timeout(timeout)
                .map_err(|error| DeviceError::new(Reason::Lost, error.to_string()))?;
            arguments(self.frame.begin(verb, count));
            match lane.exchange(&mut self.frame, &self.interrupter, answering) {
                Ok(reply) => return self.settle(reply),
                // Whatever was not taken may be sent to the next process.
                Err(Broken::NotSent) if !is_again => {
                    self.lane = None;
                    is_again = true;
                }
                Err(broken) => return Err(self.broken(&broken)),
            }
        }
    }

    /// Makes the object, if it is not there.
    pub(super) fn connect(&mut self) -> Result<(), DeviceError> {
        if self.lane.as_ref().is_some_and(Lane::is_alive) {
            return Ok(());
        }
        self.lane = None;
        if self.interrupter.is_interrupted() {
            return Err(self.error(Reason::Interrupted, "interrupted"));
        }
        let place = self.options.place(self.nature, self.key);
        let kept = self.host.take();
        let failed = |error: io::Error| {
            let interpreter = place.interpreter.display();
            self.error(
                Reason::Lost,
                format!("Python (`{interpreter}`) cannot be started: {error}"),
            )
        };
        let host = match kept.filter(|host| !host.has_ended()) {
            Some(host) => host,
            None => self.hosts.at(&place).map_err(failed)?,
        };
        let timeout = Some(self.options.timeout.max(LEAST_FOR_OPENING));
        let reached = Lane::new(&host, &self.name, &self.interrupter)
            .and_then(|mut lane| lane.set_timeout(timeout).map(|()| lane));
        let mut lane = reached.map_err(|error| match host.end() {
            Some(how) => failed(io::Error::other(how)),
            None => failed(error),
        })?;
        self.write_opening();
        let opened = lane.exchange(&mut self.frame, &self.interrupter, &mut |_, _| {
            Err("nothing is being performed".to_owned())
        });
        let opened = opened.map_err(|broken| match broken {
            Broken::NotSent => host.end().map_or(broken, Broken::Ended),
            _ => broken,
        });
        self.host = Some(host);
        let reply = opened.map_err(|broken| self.broken(&broken))?;
        self.settle(reply).map_err(|error| match error.reason {
            // There is no such class, or it does not want to be made like this.
            Reason::Failed => DeviceError::new(Reason::Lost, error.message),
            Reason::Interrupted | Reason::Refused | Reason::Lost => error,
        })?;
        self.lane = Some(lane);
        Ok(())
    }

    fn write_opening(&mut self) {
        let options = &self.options;
        let texts = [
            ("class", &self.class),
            ("name", &self.name),
            ("address", &options.address),
            ("args", &options.arguments),
            ("kwargs", &options.keywords),
            ("close", &options.close),
        ];
        let key = i64::try_from(self.key).expect("nobody opens so many");
        let frame = self.frame.begin(Verb::Open, 2).int(key).map(texts.len() as u32 + 2);
        for (name, text) in texts {
            frame.text(name).text(text);
        }
        frame.text("is_task").value(&Value::Bool(self.nature == Nature::Task));
        let folders = options
            .folders
            .iter()
            .map(|folder| Value::Text(folder.display().to_string()));
        frame.text("paths").values(&folders.collect::<Vec<_>>());
    }

    /// Closes the object if it is there.
    fn close(&mut self) -> Result<(), DeviceError> {
        if !self.lane.as_ref().is_some_and(Lane::is_alive) {
            self.lane = None;
            return Ok(());
        }
        let closed = self.ask(Verb::Close, |_| {}, 0);
        self.lane = None;
        self.host = None;
        closed.map(drop)
    }

    fn settle(&mut self, reply: Reply) -> Result<Value, DeviceError> {
        if let Some(lane) = &mut self.lane {
            for kind in std::mem::take(&mut lane.opaque) {
                if !self.told.contains(&kind) {
                    let words = format!("a `{kind}` has no like outside Python: it becomes the text of its `repr`");
                    self.hosts.log()(&self.name, &words);
                    self.told.insert(kind);
                }
            }
        }
        match reply {
            Reply::Done(value) => Ok(value),
            Reply::Refused(words) => Err(self.error(Reason::Refused, words)),
            Reply::Raised { kind, words, places } => {
                let mut message = format!("{kind}: {words}");
                for (index, place) in places.iter().rev().enumerate() {
                    message.push_str(if index == 0 { "; raised at " } else { ", called at " });
                    message.push_str(place);
                }
                Err(self.error(Reason::Failed, message))
            }
            Reply::Asked { verb, .. } => Err(self.error(Reason::Failed, format!("nobody answers `{verb}`"))),
        }
    }

    fn broken(&mut self, broken: &Broken) -> DeviceError {
        self.lane = None;
        let reason = match broken {
            Broken::Interrupted => Reason::Interrupted,
            Broken::NotSent | Broken::TooLate(_) | Broken::Ended(_) | Broken::Closed | Broken::Garbled(_) => {
                Reason::Lost
            }
        };
        self.error(reason, broken)
    }

    fn error(&self, reason: Reason, what: impl fmt::Display) -> DeviceError {
        DeviceError::new(reason, format!("`{}`: {what}", self.name))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(lane) = &mut self.lane {
            self.frame.begin(Verb::Close, 0);
            lane.tell(&mut self.frame, FOR_CLOSING);
        }
    }
}
