//! USBTMC with the subclass USB488: messages in the bulk transfers of a USB device.
//!
//! ```text
//! write: message, tag ──────────────► bulk out
//! read:  request, tag, most ────────► bulk out
//!        piece of answer, tag, END ◄─ bulk in     … until END
//! ```
//!
//! What the transfers look like is in [`frame`], how they get there in [`usb`]; in between is the protocol alone, which is
//! tested without a device. Specifications: USBTMC 1.0 and USB488 1.0.
//!
//! Deliberately absent: locks (a device belongs to the program that has opened it), remote and local.

mod frame;
mod usb;

use std::time::Duration;

use super::{Deadline, Extent, Fault, Link, LinkError, LinkSettings};
use crate::Interrupter;
use frame::{HEADER, Part, Tag};

/// How often a device is asked whether it has finished clearing, or for its status byte.
const GLANCE: Duration = Duration::from_millis(5);

/// Longer messages go in several transfers.
const LONGEST_PIECE: usize = 1 << 20;

/// Enough for all answers but blocks, which are asked for in larger pieces from then on.
const FIRST_PIECE: usize = 4096;

/// Requests to the control endpoint (USBTMC 1.0, table 15; USB488, table 9).
mod request {
    pub(super) const ABORT_OUTPUT: u8 = 1;
    pub(super) const ABORT_INPUT: u8 = 3;
    pub(super) const CHECK_ABORT_INPUT: u8 = 4;
    pub(super) const CLEAR: u8 = 5;
    pub(super) const CHECK_CLEAR: u8 = 6;
    pub(super) const CAPABILITIES: u8 = 7;
    pub(super) const STATUS_BYTE: u8 = 128;
}

/// What a request came to (USBTMC 1.0, table 16).
const SUCCESS: u8 = 1;
const PENDING: u8 = 2;

/// A device by its numbers, as resource names have them.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub(crate) vendor: u16,
    pub(crate) product: u16,
    pub(crate) serial: String,
    pub(crate) interface: u8,
}

/// Transfers to and from one device.
pub(crate) trait Pipes: Send {
    /// One transfer out.
    fn send(&mut self, bytes: Vec<u8>, deadline: Deadline) -> Result<(), Fault>;

    /// One transfer in, of so many bytes at most; they are appended.
    fn receive(&mut self, most: usize, into: &mut Vec<u8>, deadline: Deadline) -> Result<(), Fault>;

    /// A request of the class to the control endpoint, and its answer.
    fn control(
        &mut self,
        request: u8,
        target: Target,
        value: u16,
        length: u16,
        deadline: Deadline,
    ) -> Result<Vec<u8>, Fault>;

    /// What comes unasked; nothing where the device has no way for it.
    fn notification(&mut self, deadline: Deadline) -> Option<Result<Vec<u8>, Fault>>;

    /// Makes the output usable again after a clear.
    fn clear_halt(&mut self) -> Result<(), Fault>;
}

/// Whom a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Interface,
    Output,
    Input,
}

pub(crate) fn open(
    device: &Device,
    settings: &LinkSettings,
    interrupter: &Interrupter,
) -> Result<UsbtmcLink<usb::UsbPipes>, Fault> {
    let pipes = usb::UsbPipes::open(device, interrupter)?;
    Ok(UsbtmcLink::new(pipes, settings, interrupter))
}

pub(crate) struct UsbtmcLink<P> {
    pipes: P,
    tag: Tag,
    interrupter: Interrupter,
    timeout: Duration,
    write_termination: Vec<u8>,
    read_termination: Vec<u8>,
    answer_limit: usize,
    takes_triggers: bool,
}

impl<P: Pipes> UsbtmcLink<P> {
    pub(crate) fn new(mut pipes: P, settings: &LinkSettings, interrupter: &Interrupter) -> Self {
        /// Where the capabilities of USB488 stand, and which of them is the trigger.
        const AT: usize = 14;
        const TRIGGER: u8 = 1;
        let deadline = Deadline::after(settings.open_timeout);
        let capabilities = pipes.control(request::CAPABILITIES, Target::Interface, 0, 24, deadline);
        // A device that does not tell has none.
        let capabilities = capabilities.unwrap_or_default();
        Self {
            pipes,
            tag: Tag::FIRST,
            interrupter: interrupter.clone(),
            timeout: settings.timeout,
            write_termination: settings.write_termination.clone().unwrap_or_default(),
            read_termination: settings.read_termination().to_vec(),
            answer_limit: settings.answer_limit,
            takes_triggers: capabilities.get(AT).is_some_and(|has| has & TRIGGER != 0),
        }
    }

    fn next_tag(&mut self) -> Tag {
        self.tag = self.tag.next();
        self.tag
    }

    fn send(&mut self, tag: Tag, frame: Vec<u8>, deadline: Deadline) -> Result<(), Fault> {
        let sent = self.pipes.send(frame, deadline);
        if sent.is_err() {
            self.abort(request::ABORT_OUTPUT, Target::Output, tag).ok(); // The first failure is the one to tell.
        }
        sent
    }

    fn read_answer(&mut self, extent: Extent, answer: &mut Vec<u8>, deadline: Deadline) -> Result<(), Fault> {
        let mut room = FIRST_PIECE;
        loop {
            if answer.len() > self.answer_limit {
                return Err(Fault::TooLong(self.answer_limit));
            }
            let most = match extent {
                Extent::Bytes(count) => count.saturating_sub(answer.len()).min(room),
                Extent::Message | Extent::Block | Extent::BareBlock => room,
            };
            if most == 0 {
                return Ok(());
            }
            let tag = self.next_tag();
            self.send(tag, frame::request(tag, most), deadline)?;
            let before = answer.len();
            let part = self.read_piece(tag, most, answer, deadline).inspect_err(|_| {
                self.abort(request::ABORT_INPUT, Target::Input, tag).ok(); // As above.
            })?;
            match (part, extent) {
                (Part::Last, Extent::Bytes(count)) if answer.len() < count => {
                    return Err(Fault::Protocol(format!("its answer ends before {count} bytes")));
                }
                (Part::Last, _) => return Ok(()),
                (Part::Some, _) if answer.len() == before => {
                    return Err(Fault::Protocol("it sends pieces of nothing".to_owned()));
                }
                (Part::Some, _) => room = LONGEST_PIECE,
            }
        }
    }

    /// One piece: its header, and its payload in as many transfers as it comes in.
    fn read_piece(&mut self, tag: Tag, most: usize, answer: &mut Vec<u8>, deadline: Deadline) -> Result<Part, Fault> {
        let mut received = Vec::new();
        self.pipes.receive(HEADER + most, &mut received, deadline)?;
        let (size, part) = frame::answer(&received, tag)?;
        if size > most {
            return Err(Fault::Protocol(format!(
                "{size} bytes came where {most} were asked for"
            )));
        }
        while received.len() < HEADER + size {
            let before = received.len();
            self.pipes.receive(HEADER + size - before, &mut received, deadline)?;
            if received.len() == before {
                break;
            }
        }
        let payload = &received[HEADER..];
        answer.extend_from_slice(&payload[..payload.len().min(size)]);
        match payload.len() < size {
            true => Err(Fault::Protocol(format!(
                "a piece of {size} bytes has {}",
                payload.len()
            ))),
            false => Ok(part),
        }
    }

    /// Tells the device that a transfer was given up, so that the next begins with its header.
    fn abort(&mut self, request: u8, target: Target, tag: Tag) -> Result<(), Fault> {
        const PATIENCE: Duration = Duration::from_millis(500);
        if self.interrupter.is_interrupted() {
            return Err(Fault::Interrupted);
        }
        let deadline = Deadline::after(PATIENCE);
        let told = self
            .pipes
            .control(request, target, u16::from(tag.number()), 2, deadline)?;
        if told.first() != Some(&SUCCESS) || target != Target::Input {
            return Ok(());
        }
        loop {
            self.pipes.receive(FIRST_PIECE, &mut Vec::new(), deadline)?;
            let told = self.pipes.control(request::CHECK_ABORT_INPUT, target, 0, 8, deadline)?;
            if told.first() != Some(&PENDING) {
                return Ok(());
            }
        }
    }

    /// The status byte: in the answer of the request, or as a notification where the device has a way for those.
    fn status(&mut self, deadline: Deadline) -> Result<u8, Fault> {
        /// 0 and 1 are those of service requests.
        const TAG: u8 = 2;
        const ANSWERED: u8 = 0x80;
        let told = self
            .pipes
            .control(request::STATUS_BYTE, Target::Interface, u16::from(TAG), 3, deadline)?;
        let &[SUCCESS, _, byte] = &told[..] else {
            return Err(Fault::Protocol(format!("`{told:?}` is no answer of a status byte")));
        };
        loop {
            match self.pipes.notification(deadline) {
                None => return Ok(byte),
                Some(told) => {
                    if let &[kind, byte, ..] = &told?[..]
                        && kind == ANSWERED | TAG
                    {
                        return Ok(byte);
                    }
                }
            }
        }
    }
}

impl<P: Pipes> Link for UsbtmcLink<P> {
    fn write(&mut self, messages: &[&[u8]]) -> Result<(), LinkError> {
        let deadline = Deadline::after(self.timeout);
        for message in messages {
            let bytes = [message, self.write_termination.as_slice()].concat();
            let count = bytes.len().div_ceil(LONGEST_PIECE);
            for (at, piece) in bytes.chunks(LONGEST_PIECE).enumerate() {
                let part = if at + 1 == count { Part::Last } else { Part::Some };
                let tag = self.next_tag();
                self.send(tag, frame::message(tag, piece, part), deadline)?;
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
        /// There is something to be read away first.
        const HAS_INPUT: u8 = 1;
        let deadline = Deadline::after(self.timeout);
        let told = self.pipes.control(request::CLEAR, Target::Interface, 0, 1, deadline)?;
        if told.first() != Some(&SUCCESS) {
            return Err(Fault::Refused("the instrument does not clear".to_owned()).into());
        }
        loop {
            let told = self
                .pipes
                .control(request::CHECK_CLEAR, Target::Interface, 0, 2, deadline)?;
            match told[..] {
                [PENDING, input, ..] if input & HAS_INPUT != 0 => {
                    self.pipes.receive(FIRST_PIECE, &mut Vec::new(), deadline)?;
                }
                [PENDING, ..] => {
                    if !self.interrupter.wait(deadline.left()?.min(GLANCE)) {
                        return Err(Fault::Interrupted.into());
                    }
                }
                _ => break,
            }
        }
        Ok(self.pipes.clear_halt()?)
    }

    fn status_byte(&mut self) -> Result<u8, LinkError> {
        Ok(self.status(Deadline::after(self.timeout))?)
    }

    fn trigger(&mut self) -> Result<(), LinkError> {
        if !self.takes_triggers {
            return Err(Fault::Unsupported("a trigger: the instrument says that it has none").into());
        }
        let tag = self.next_tag();
        Ok(self.send(tag, frame::trigger(tag), Deadline::after(self.timeout))?)
    }

    fn wait_for_service_request(&mut self, patience: Duration) -> Result<u8, LinkError> {
        const REQUESTED: u8 = 0x40;
        const NOTIFIED: u8 = 0x81;
        let deadline = Deadline::after(patience);
        loop {
            match self.pipes.notification(deadline) {
                Some(told) => {
                    if let &[NOTIFIED, byte, ..] = &told?[..] {
                        return Ok(byte);
                    }
                }
                None => {
                    let byte = self.status(deadline)?;
                    if byte & REQUESTED != 0 {
                        return Ok(byte);
                    }
                    if !self.interrupter.wait(deadline.left()?.min(GLANCE)) {
                        return Err(Fault::Interrupted.into());
                    }
                }
            }
        }
    }

    fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }
}

#[cfg(test)]
mod tests;
