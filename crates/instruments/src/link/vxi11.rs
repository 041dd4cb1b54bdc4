//! VXI-11 (TCP/IP Instrument Protocol, VXIbus Consortium, revision 1.0): remote procedures of an instrument.
//!
//! The instrument has its own time-out in each call; ours is a little longer, so that it is the instrument that says what
//! it waited for. Deliberately absent: the interrupt channel, on which the instrument would call back, through whatever
//! firewall stands between; a service request is seen in the status byte instead, looked at every few milliseconds. The
//! abort channel: an [`Interrupter`] ends the connection, which ends the instrument's work for it as well.

mod discovery;
mod rpc;

use std::time::Duration;

pub use discovery::discover;

use self::rpc::{PORTMAPPER_PORT, Program, Results, Rpc};
use super::{Deadline, Extent, Fault, Link, LinkError, LinkSettings, milliseconds, tcp::TcpWire};
use crate::Interrupter;

/// The core channel of VXI-11.
const CORE: Program = Program {
    number: 0x0006_07AF,
    version: 1,
};

/// How much longer than the instrument's own time-out its reply is waited for.
const GRACE: Duration = Duration::from_millis(500);

/// How often the status byte is looked at for a service request.
const GLANCE: Duration = Duration::from_millis(5);

const WAIT_FOR_LOCK: u32 = 1;
const END: u32 = 8;
const TERMINATED: u32 = 128;

/// The procedures, by their numbers.
mod procedure {
    pub(super) const CREATE_LINK: u32 = 10;
    pub(super) const WRITE: u32 = 11;
    pub(super) const READ: u32 = 12;
    pub(super) const READ_STATUS: u32 = 13;
    pub(super) const TRIGGER: u32 = 14;
    pub(super) const CLEAR: u32 = 15;
    pub(super) const LOCK: u32 = 18;
    pub(super) const UNLOCK: u32 = 19;
    pub(super) const DESTROY_LINK: u32 = 23;
}

pub(crate) struct Vxi11Link {
    rpc: Rpc,
    link: u32,
    /// The longest piece of a message that it takes.
    longest_write: usize,
    timeout: Duration,
    interrupter: Interrupter,
    write_termination: Vec<u8>,
    read_termination: Vec<u8>,
    /// The instrument is to end its answers at this character too.
    read_until: Option<u8>,
    answer_limit: usize,
    message: Vec<u8>,
}

impl Vxi11Link {
    pub(crate) fn open(
        host: &str,
        device: &str,
        port: Option<u16>,
        settings: &LinkSettings,
        interrupter: &Interrupter,
    ) -> Result<Self, LinkError> {
        let deadline = Deadline::after(settings.open_timeout);
        let port = match port {
            Some(port) => port,
            None => {
                let portmapper = TcpWire::connect(host, PORTMAPPER_PORT, deadline, interrupter)?;
                rpc::port_of(portmapper, CORE, deadline)?
            }
        };
        let wire = TcpWire::connect(host, port, deadline, interrupter)?;
        let mut rpc = Rpc::new(wire, CORE, settings.answer_limit.saturating_add(1024));
        let mut results = rpc.call(
            procedure::CREATE_LINK,
            |arguments| {
                arguments.number(std::process::id());
                arguments.number(0); // Without a lock,
                arguments.number(0); // hence without patience for it.
                arguments.bytes(device.as_bytes());
            },
            deadline,
        )?;
        check(&mut results, settings.open_timeout)?;
        let link = results.number()?;
        results.number()?; // The port of the abort channel.
        // Instruments that say 0 mean that they do not care.
        let longest_write = match results.number()? as usize {
            0 => 1 << 20,
            longest => longest.max(64),
        };
        Ok(Self {
            rpc,
            link,
            longest_write,
            timeout: settings.timeout,
            interrupter: interrupter.clone(),
            write_termination: settings.write_termination.clone().unwrap_or_default(),
            read_termination: settings.read_termination().to_vec(),
            read_until: settings
                .read_termination
                .as_ref()
                .and_then(|ending| ending.last().copied()),
            answer_limit: settings.answer_limit,
            message: Vec::new(),
        })
    }

    fn write_piece(&mut self, from: usize, to: usize, deadline: Deadline) -> Result<usize, Fault> {
        let (link, waited, timeout) = (self.link, self.timeout, milliseconds(deadline.left()?));
        let (piece, whole) = (&self.message[from..to], to == self.message.len());
        let mut results = self.rpc.call(
            procedure::WRITE,
            |arguments| {
                for word in [link, timeout, timeout, WAIT_FOR_LOCK | if whole { END } else { 0 }] {
                    arguments.number(word);
                }
                arguments.bytes(piece);
            },
            grace(deadline),
        )?;
        check(&mut results, waited)?;
        match results.number()? as usize {
            0 => Err(Fault::Protocol("it takes nothing of a message".to_owned())),
            taken => Ok(taken.min(to - from)),
        }
    }

    /// Appends a piece of an answer; whether it was the last.
    fn read_piece(&mut self, count: usize, answer: &mut Vec<u8>, deadline: Deadline) -> Result<Reason, Fault> {
        const CHARACTER: u32 = 2;
        const ENDED: u32 = 4;
        let (link, waited, timeout) = (self.link, self.timeout, milliseconds(deadline.left()?));
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let (flags, until) = match self.read_until {
            Some(until) => (WAIT_FOR_LOCK | TERMINATED, u32::from(until)),
            None => (WAIT_FOR_LOCK, 0),
        };
        let mut results = self.rpc.call(
            procedure::READ,
            |arguments| {
                for word in [link, count, timeout, timeout, flags, until] {
                    arguments.number(word);
                }
            },
            grace(deadline),
        )?;
        check(&mut results, waited)?;
        let reason = results.number()?;
        answer.extend_from_slice(results.bytes()?);
        Ok(match reason & (CHARACTER | ENDED) {
            0 => Reason::Full,
            CHARACTER => Reason::Character,
            _ => Reason::End,
        })
    }

    fn read_answer(&mut self, extent: Extent, answer: &mut Vec<u8>, deadline: Deadline) -> Result<(), Fault> {
        /// Answers are asked for in pieces of this size, which most are shorter than.
        const PIECE: usize = 1 << 20;
        loop {
            if answer.len() > self.answer_limit {
                return Err(Fault::TooLong(self.answer_limit));
            }
            let wanted = match extent {
                Extent::Bytes(count) => count.saturating_sub(answer.len()).min(PIECE),
                Extent::Message | Extent::Block | Extent::BareBlock => PIECE,
            };
            if wanted == 0 {
                return Ok(());
            }
            let before = answer.len();
            let reason = self.read_piece(wanted, answer, deadline)?;
            match (reason, extent) {
                (Reason::Full, _) if answer.len() == before => {
                    return Err(Fault::Protocol("it sends pieces of nothing".to_owned()));
                }
                (Reason::End, Extent::Bytes(count)) if answer.len() < count => {
                    return Err(Fault::Protocol(format!("its answer ends before {count} bytes")));
                }
                (Reason::End, _) => return Ok(()),
                // Within a block the character is a byte as any other.
                (Reason::Character, Extent::Message) => return Ok(()),
                (Reason::Character | Reason::Full, _) => {}
            }
        }
    }

    /// A procedure that takes only the link, flags and time-outs.
    fn simple(&mut self, procedure: u32) -> Result<Results<'_>, Fault> {
        let deadline = Deadline::after(self.timeout);
        let (link, waited, timeout) = (self.link, self.timeout, milliseconds(self.timeout));
        let mut results = self.rpc.call(
            procedure,
            |arguments| {
                for word in [link, WAIT_FOR_LOCK, timeout, timeout] {
                    arguments.number(word);
                }
            },
            grace(deadline),
        )?;
        check(&mut results, waited)?;
        Ok(results)
    }
}

/// Why a piece of an answer ends.
#[derive(Clone, Copy)]
enum Reason {
    Full,
    Character,
    End,
}

impl Link for Vxi11Link {
    fn write(&mut self, messages: &[&[u8]]) -> Result<(), LinkError> {
        let deadline = Deadline::after(self.timeout);
        for message in messages {
            self.message.clear();
            self.message.extend_from_slice(message);
            self.message.extend_from_slice(&self.write_termination);
            let mut sent = 0;
            while sent < self.message.len() {
                let end = self.message.len().min(sent + self.longest_write);
                sent += self.write_piece(sent, end, deadline)?;
            }
        }
        Ok(())
    }

    fn read(&mut self, extent: Extent, answer: &mut Vec<u8>) -> Result<(), LinkError> {
        let deadline = Deadline::after(self.timeout);
        answer.clear();
        let read = self.read_answer(extent, answer, deadline);
        read.map_err(|fault| fault.having(answer))?;
        if extent == Extent::Message && answer.ends_with(&self.read_termination) {
            answer.truncate(answer.len() - self.read_termination.len());
        }
        Ok(())
    }

    fn clear(&mut self) -> Result<(), LinkError> {
        self.simple(procedure::CLEAR)?;
        Ok(())
    }

    fn status_byte(&mut self) -> Result<u8, LinkError> {
        let status = self.simple(procedure::READ_STATUS)?.number()?;
        Ok(status.to_be_bytes()[3])
    }

    fn trigger(&mut self) -> Result<(), LinkError> {
        self.simple(procedure::TRIGGER)?;
        Ok(())
    }

    fn lock(&mut self, patience: Duration) -> Result<(), LinkError> {
        let (link, waited, timeout) = (self.link, patience, milliseconds(patience));
        let mut results = self.rpc.call(
            procedure::LOCK,
            |arguments| {
                for word in [link, WAIT_FOR_LOCK, timeout] {
                    arguments.number(word);
                }
            },
            grace(Deadline::after(patience)),
        )?;
        Ok(check(&mut results, waited)?)
    }

    fn unlock(&mut self) -> Result<(), LinkError> {
        let (link, waited) = (self.link, self.timeout);
        let deadline = grace(Deadline::after(waited));
        let mut results = self
            .rpc
            .call(procedure::UNLOCK, |arguments| arguments.number(link), deadline)?;
        Ok(check(&mut results, waited)?)
    }

    fn wait_for_service_request(&mut self, patience: Duration) -> Result<u8, LinkError> {
        const REQUESTED: u8 = 0x40;
        let deadline = Deadline::after(patience);
        loop {
            let status = self.status_byte()?;
            if status & REQUESTED != 0 {
                return Ok(status);
            }
            if !self.interrupter.wait(deadline.left()?.min(GLANCE)) {
                return Err(Fault::Interrupted.into());
            }
        }
    }

    fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }
}

impl Drop for Vxi11Link {
    fn drop(&mut self) {
        /// A courtesy: an instrument that is gone is not waited for.
        const PATIENCE: Duration = Duration::from_millis(100);
        if !self.interrupter.is_interrupted() {
            let link = self.link;
            let farewell = |arguments: &mut rpc::Arguments<'_>| arguments.number(link);
            // Closing the connection has the same effect in the end.
            self.rpc
                .call(procedure::DESTROY_LINK, farewell, Deadline::after(PATIENCE))
                .ok();
        }
    }
}

fn grace(deadline: Deadline) -> Deadline {
    Deadline {
        at: deadline.at + GRACE,
        timeout: deadline.timeout,
    }
}

/// The error that every result begins with, in the words of the standard (table B.2), after so long.
fn check(results: &mut Results<'_>, waited: Duration) -> Result<(), Fault> {
    let words = match results.number()? {
        0 => return Ok(()),
        8 => return Err(Fault::Unsupported("this operation, says the instrument")),
        11 => return Err(Fault::Locked),
        15 => return Err(Fault::TimedOut(waited)),
        // A server that was started again, or lost its instrument: a new link may be of use.
        4 => return Err(Fault::Protocol("it does not know this link".to_owned())),
        17 => return Err(Fault::Protocol("I/O error of the instrument's server".to_owned())),
        1 => "syntax error",
        3 => "device not accessible",
        5 => "parameter error",
        6 => "channel not established",
        9 => "out of resources",
        12 => "no lock held by this link",
        21 => "invalid address",
        23 => "aborted",
        29 => "channel already established",
        other => return Err(Fault::Refused(format!("VXI-11 error {other}"))),
    };
    Err(Fault::Refused(words.to_owned()))
}
