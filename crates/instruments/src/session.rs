//! An open instrument: its link, the words every instrument knows, and what happens when the connection is lost.
//!
//! ```text
//! call ─► link ─► done
//!          └─► lost, silent, garbled ─► open again and repeat, at most 3 tries in all ─► SessionError
//! ```
//!
//! A lost connection is opened again and the command repeated, as Exopy did, with a pause when nobody is there any more;
//! after a time-out too, since a late answer on the old connection would be taken for the next one. Where repeating does harm, [`Session::set_tries`] says 1. What an
//! operator interrupts, another client locks or the link does not have is not tried again.
//!
//! Deliberately absent: what a command means, and which values it takes.

use std::{error::Error, fmt, time::Duration};

use crate::{
    BlockError, Extent, Fault, Interrupter, Link, LinkError, LinkSettings, Resource, block,
    block::{ByteOrder, Number},
    link,
};

/// How often Exopy tried.
const TRIES: u32 = 3;

/// An open instrument.
pub struct Session {
    name: String,
    resource: Resource,
    settings: LinkSettings,
    interrupter: Interrupter,
    link: Option<Box<dyn Link>>,
    tries: u32,
    reopened: u64,
    answer: Vec<u8>,
}

/// What `*IDN?` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub manufacturer: String,
    pub model: String,
    pub serial: String,
    pub firmware: String,
}

/// One entry of an instrument's error queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstrumentError {
    pub code: i32,
    pub message: String,
}

/// How the numbers of an answer are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberFormat {
    /// Written out, with this between them.
    Ascii { separator: u8 },
    /// In a block.
    Binary { number: Number, order: ByteOrder },
}

/// A call that failed: of which instrument, where, with which command, and why.
#[derive(Debug)]
pub struct SessionError {
    pub instrument: String,
    pub address: String,
    /// None if the instrument could not even be opened.
    pub command: Option<String>,
    pub tries: u32,
    pub cause: Box<SessionFault>,
}

/// Why a call failed.
#[derive(Debug)]
pub enum SessionFault {
    Link(LinkError),
    Block(BlockError),
    /// The answer came, but is not what was asked for.
    Unreadable {
        expected: &'static str,
        answer: String,
    },
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            instrument, address, ..
        } = self;
        match &self.command {
            None => write!(f, "`{instrument}` at `{address}` could not be opened")?,
            Some(command) => write!(f, "`{instrument}` at `{address}` failed at `{command}`")?,
        }
        match self.tries {
            1 => Ok(()),
            tries => write!(f, " in {tries} tries"),
        }
    }
}

impl fmt::Display for SessionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SessionFault::Link(error) => write!(f, "{error}"),
            SessionFault::Block(error) => write!(f, "{error}"),
            SessionFault::Unreadable { expected, answer } => write!(f, "its answer `{answer}` is not {expected}"),
        }
    }
}

impl Error for SessionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.cause.as_ref())
    }
}

impl Error for SessionFault {}

impl Session {
    /// Opens an instrument, whose name is for messages.
    ///
    /// # Errors
    /// It cannot be opened, in as many tries as Exopy made.
    pub fn open(
        name: &str,
        resource: Resource,
        settings: LinkSettings,
        interrupter: Interrupter,
    ) -> Result<Self, SessionError> {
        let mut session = Self {
            name: name.to_owned(),
            resource,
            settings,
            interrupter,
            link: None,
            tries: TRIES,
            reopened: 0,
            answer: Vec::new(),
        };
        session.attempt(None, |_, _| Ok(()))?;
        session.reopened = 0;
        Ok(session)
    }

    /// Sends a command.
    ///
    /// # Errors
    /// It cannot be sent.
    pub fn write(&mut self, command: &str) -> Result<(), SessionError> {
        self.write_bytes(command.as_bytes())
    }

    /// Sends a message that is no text: a block behind its command, see [`block::encode`].
    ///
    /// # Errors
    /// It cannot be sent.
    pub fn write_bytes(&mut self, message: &[u8]) -> Result<(), SessionError> {
        self.attempt(Some(message), |link, _| link.write(&[message]))
    }

    /// The next answer, without blanks and line ends around it.
    ///
    /// # Errors
    /// There is none in time. A read alone is not tried again: nobody would ask for its answer.
    pub fn read(&mut self) -> Result<String, SessionError> {
        let tries = std::mem::replace(&mut self.tries, 1);
        let read = self.attempt(Some(b"(read)"), |link, answer| link.read(Extent::Message, answer));
        self.tries = tries;
        read.map(|()| self.text())
    }

    /// Asks, and returns the answer without blanks and line ends around it.
    ///
    /// # Errors
    /// The question cannot be sent, or there is no answer in time.
    pub fn query(&mut self, command: &str) -> Result<String, SessionError> {
        self.set_and_query(&[], command)
    }

    /// Sends commands and a question, all at once where the link can, and returns the answer.
    ///
    /// # Errors
    /// They cannot be sent, or there is no answer in time.
    pub fn set_and_query(&mut self, commands: &[&str], question: &str) -> Result<String, SessionError> {
        self.ask(commands, question, Extent::Message)?;
        Ok(self.text())
    }

    /// Asks for an answer of any extent, and lends it as it was received.
    ///
    /// # Errors
    /// The question cannot be sent, or there is no such answer in time.
    pub fn query_bytes(&mut self, question: &str, extent: Extent) -> Result<&[u8], SessionError> {
        self.ask(&[], question, extent)?;
        Ok(&self.answer)
    }

    /// Asks for a block, and lends its content.
    ///
    /// # Errors
    /// The question cannot be sent, or there is no block in time.
    pub fn query_block(&mut self, question: &str) -> Result<&[u8], SessionError> {
        self.ask(&[], question, Extent::Block)?;
        match block::content(&self.answer) {
            Ok(content) => Ok(content),
            Err(error) => Err(self.error(Some(question.as_bytes()), 1, SessionFault::Block(error))),
        }
    }

    /// Asks for an array.
    ///
    /// # Errors
    /// The question cannot be sent, or there is no such array in time.
    pub fn query_numbers(&mut self, question: &str, format: NumberFormat) -> Result<Vec<f64>, SessionError> {
        let extent = match format {
            NumberFormat::Ascii { .. } => Extent::Message,
            NumberFormat::Binary { .. } => Extent::Block,
        };
        self.ask(&[], question, extent)?;
        let numbers = match format {
            NumberFormat::Ascii { separator } => block::parse_numbers(&self.answer, separator),
            NumberFormat::Binary { number, order } => {
                block::content(&self.answer).and_then(|content| block::decode(content, number, order))
            }
        };
        numbers.map_err(|error| self.error(Some(question.as_bytes()), 1, SessionFault::Block(error)))
    }

    /// Asks who it is (`*IDN?`). Parts that it does not say are empty.
    ///
    /// # Errors
    /// It does not answer in time.
    pub fn identify(&mut self) -> Result<Identity, SessionError> {
        let answer = self.query("*IDN?")?;
        let mut parts = answer.splitn(4, ',').map(|part| part.trim().to_owned());
        let mut next = || parts.next().unwrap_or_default();
        Ok(Identity {
            manufacturer: next(),
            model: next(),
            serial: next(),
            firmware: next(),
        })
    }

    /// Waits until all commands are done (`*OPC?`), no longer than the time-out.
    ///
    /// # Errors
    /// They are not done in time, or it answers something else than 1.
    pub fn wait_until_complete(&mut self) -> Result<(), SessionError> {
        let answer = self.query("*OPC?")?;
        match answer.trim_start_matches('+') {
            "1" => Ok(()),
            _ => Err(self.unreadable("*OPC?", "1")),
        }
    }

    /// The event status register (`*ESR?`), which reading clears.
    ///
    /// # Errors
    /// It does not answer a number in time.
    pub fn event_status(&mut self) -> Result<u8, SessionError> {
        let answer = self.query("*ESR?")?;
        let number = answer.trim_start_matches('+').parse();
        number.map_err(|_| self.unreadable("*ESR?", "a number from 0 to 255"))
    }

    /// The error queue (`SYST:ERR?`), read until it is empty.
    ///
    /// # Errors
    /// It does not answer as SCPI says in time.
    pub fn errors(&mut self) -> Result<Vec<InstrumentError>, SessionError> {
        /// SCPI queues are shorter; one that never empties is not read for ever.
        const LONGEST_QUEUE: usize = 64;
        let mut errors = Vec::new();
        while errors.len() < LONGEST_QUEUE {
            let answer = self.query("SYST:ERR?")?;
            let (code, message) = answer.split_once(',').unwrap_or((&answer, ""));
            match code.trim().trim_start_matches('+').parse() {
                Ok(0) => break,
                Ok(code) => errors.push(InstrumentError {
                    code,
                    message: message.trim().trim_matches('"').to_owned(),
                }),
                Err(_) => return Err(self.unreadable("SYST:ERR?", "a number and a message")),
            }
        }
        Ok(errors)
    }

    /// Device clear; see [`Link::clear`].
    ///
    /// # Errors
    /// The instrument does not confirm it within the time-out.
    pub fn clear(&mut self) -> Result<(), SessionError> {
        self.attempt(Some(b"(device clear)"), |link, _| link.clear())
    }

    /// The status byte: the link's, or the answer to `*STB?` where the link has none.
    ///
    /// # Errors
    /// It is not there in time.
    pub fn status_byte(&mut self) -> Result<u8, SessionError> {
        let mut status = 0;
        let read = self.attempt(Some(b"(status byte)"), |link, _| {
            status = link.status_byte()?;
            Ok(())
        });
        match read {
            Ok(()) => Ok(status),
            Err(error) if error.is_unsupported() => {
                let answer = self.query("*STB?")?;
                let number = answer.trim_start_matches('+').parse();
                number.map_err(|_| self.unreadable("*STB?", "a number from 0 to 255"))
            }
            Err(error) => Err(error),
        }
    }

    /// Triggers: by the link, or by `*TRG` where the link cannot.
    ///
    /// # Errors
    /// The trigger cannot be sent.
    pub fn trigger(&mut self) -> Result<(), SessionError> {
        match self.attempt(Some(b"(trigger)"), |link, _| link.trigger()) {
            Err(error) if error.is_unsupported() => self.write("*TRG"),
            done => done,
        }
    }

    /// Keeps other clients from the instrument; see [`Link::lock`].
    ///
    /// # Errors
    /// The link has no locks, or another client holds it.
    pub fn lock(&mut self, patience: Duration) -> Result<(), SessionError> {
        self.attempt(Some(b"(lock)"), |link, _| link.lock(patience))
    }

    /// Lets other clients use the instrument again.
    ///
    /// # Errors
    /// The link has no locks, or this session holds none.
    pub fn unlock(&mut self) -> Result<(), SessionError> {
        self.attempt(Some(b"(unlock)"), |link, _| link.unlock())
    }

    /// Waits until the instrument asks for service and returns its status byte. Not tried again: waiting has its own time.
    ///
    /// # Errors
    /// The link has no service requests, or none came in time.
    pub fn wait_for_service_request(&mut self, patience: Duration) -> Result<u8, SessionError> {
        let tries = std::mem::replace(&mut self.tries, 1);
        let mut status = 0;
        let waited = self.attempt(Some(b"(service request)"), |link, _| {
            status = link.wait_for_service_request(patience)?;
            Ok(())
        });
        self.tries = tries;
        waited.map(|()| status)
    }

    /// The time-out of later calls, in each try.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.settings.timeout = timeout;
        if let Some(link) = &mut self.link {
            link.set_timeout(timeout);
        }
    }

    /// How often a call is tried, at least once.
    pub fn set_tries(&mut self, tries: u32) {
        self.tries = tries.max(1);
    }

    /// How often the connection was lost and opened again.
    pub fn reopened(&self) -> u64 {
        self.reopened
    }

    /// Where it is.
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    fn ask(&mut self, commands: &[&str], question: &str, extent: Extent) -> Result<(), SessionError> {
        let only = [question.as_bytes()];
        let several: Vec<&[u8]>;
        let messages = match commands {
            [] => only.as_slice(),
            _ => {
                several = commands.iter().map(|command| command.as_bytes()).chain(only).collect();
                several.as_slice()
            }
        };
        self.attempt(Some(question.as_bytes()), |link, answer| {
            link.write(messages)?;
            link.read(extent, answer)
        })
    }

    /// Does something with the link, which is opened if there is none; again if that may help.
    fn attempt(
        &mut self,
        command: Option<&[u8]>,
        mut action: impl FnMut(&mut dyn Link, &mut Vec<u8>) -> Result<(), LinkError>,
    ) -> Result<(), SessionError> {
        let mut tried = 0;
        loop {
            tried += 1;
            let error = match self.once(&mut action) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let lost = is_lost(&error.fault);
            if lost {
                self.link = None;
            }
            if !lost || tried >= self.tries || self.interrupter.is_interrupted() {
                return Err(self.error(command, tried, SessionFault::Link(error)));
            }
            // One that was there and is not starts again, perhaps: it gets as long as opening may take.
            // It may still take connections, only to close them.
            let is_starting = match error.fault {
                Fault::Connect(_) => true,
                Fault::Closed | Fault::Io(_) => tried > 1,
                _ => false,
            };
            if command.is_some() && is_starting {
                self.interrupter.wait(self.settings.open_timeout);
            }
        }
    }

    fn once(
        &mut self,
        action: &mut impl FnMut(&mut dyn Link, &mut Vec<u8>) -> Result<(), LinkError>,
    ) -> Result<(), LinkError> {
        if self.interrupter.is_interrupted() {
            return Err(Fault::Interrupted.into());
        }
        let link = match &mut self.link {
            Some(link) => link,
            none => {
                let opened = link::open(&self.resource, &self.settings, &self.interrupter)?;
                self.reopened += 1;
                none.insert(opened)
            }
        };
        action(link.as_mut(), &mut self.answer)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(self.answer.trim_ascii()).into_owned()
    }

    fn unreadable(&self, command: &str, expected: &'static str) -> SessionError {
        let answer = self.answer.trim_ascii().escape_ascii().to_string();
        self.error(
            Some(command.as_bytes()),
            1,
            SessionFault::Unreadable { expected, answer },
        )
    }

    fn error(&self, command: Option<&[u8]>, tries: u32, cause: SessionFault) -> SessionError {
        /// Enough to recognise a command by; blocks go on for megabytes.
        const SHOWN: usize = 80;
        SessionError {
            instrument: self.name.clone(),
            address: self.resource.to_string(),
            command: command.map(|command| command[..command.len().min(SHOWN)].escape_ascii().to_string()),
            tries,
            cause: Box::new(cause),
        }
    }
}

impl SessionError {
    fn is_unsupported(&self) -> bool {
        matches!(self.cause.as_ref(), SessionFault::Link(error) if matches!(error.fault, Fault::Unsupported(_)))
    }

    /// Whether an [`Interrupter`] ended it.
    pub fn is_interrupted(&self) -> bool {
        matches!(self.cause.as_ref(), SessionFault::Link(error) if matches!(error.fault, Fault::Interrupted))
    }
}

/// Whether the connection is of no use any more, and a new one may be.
fn is_lost(fault: &Fault) -> bool {
    match fault {
        Fault::Connect(_)
        | Fault::TimedOut(_)
        | Fault::Closed
        | Fault::Interrupted
        | Fault::Io(_)
        | Fault::TooLong(_)
        | Fault::Protocol(_)
        | Fault::Block(_) => true,
        Fault::Refused(_) | Fault::Locked | Fault::Unsupported(_) => false,
    }
}
