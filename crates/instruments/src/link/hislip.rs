//! HiSLIP (IVI-6.1, version 1.0): messages on one connection, control on another.
//!
//! ```text
//! synchronous   Initialize → InitializeResponse    Data, DataEnd ⇄    Trigger →    DeviceClearComplete ⇄
//! asynchronous  AsyncInitialize → …Response    AsyncLock, AsyncStatusQuery, AsyncDeviceClear ⇄    AsyncServiceRequest ←
//! ```
//!
//! Every message of ours has a number, and an answer has that of the message it answers: late answers to what was given up
//! are dropped. Deliberately absent: overlapped mode's several answers at once, though servers that insist on it are
//! understood; encryption and credentials of version 2.0.

use std::time::Duration;

use super::{
    Deadline, Extent, Fault, Link, LinkError, LinkSettings, Wire, counted::Counted, milliseconds, tcp::TcpWire,
};
use crate::Interrupter;

/// Version 1.0.
const VERSION: u32 = 0x0100;
/// Of 65536 vendors, one that is nobody's.
const VENDOR: u32 = u32::from_be_bytes([0, 0, b'M', b'D']);
const FIRST_MESSAGE: u32 = 0xffff_ff00;
/// The number of a message that answers none in particular.
const ANY_MESSAGE: u32 = 0xffff_ffff;
/// Until the server says otherwise.
const LONGEST_PAYLOAD: u64 = 1 << 20;

/// The kinds of messages, by their numbers (IVI-6.1, table 4).
mod kind {
    pub(super) const INITIALIZE: u8 = 0;
    pub(super) const INITIALIZE_RESPONSE: u8 = 1;
    pub(super) const FATAL_ERROR: u8 = 2;
    pub(super) const ERROR: u8 = 3;
    pub(super) const ASYNC_LOCK: u8 = 4;
    pub(super) const ASYNC_LOCK_RESPONSE: u8 = 5;
    pub(super) const DATA: u8 = 6;
    pub(super) const DATA_END: u8 = 7;
    pub(super) const DEVICE_CLEAR_COMPLETE: u8 = 8;
    pub(super) const DEVICE_CLEAR_ACKNOWLEDGE: u8 = 9;
    pub(super) const TRIGGER: u8 = 12;
    pub(super) const ASYNC_MAXIMUM_MESSAGE_SIZE: u8 = 15;
    pub(super) const ASYNC_MAXIMUM_MESSAGE_SIZE_RESPONSE: u8 = 16;
    pub(super) const ASYNC_INITIALIZE: u8 = 17;
    pub(super) const ASYNC_INITIALIZE_RESPONSE: u8 = 18;
    pub(super) const ASYNC_DEVICE_CLEAR: u8 = 19;
    pub(super) const ASYNC_SERVICE_REQUEST: u8 = 20;
    pub(super) const ASYNC_STATUS_QUERY: u8 = 21;
    pub(super) const ASYNC_STATUS_RESPONSE: u8 = 22;
    pub(super) const ASYNC_DEVICE_CLEAR_ACKNOWLEDGE: u8 = 23;
}

pub(crate) struct HislipLink {
    messages: Counted,
    control: Counted,
    longest_payload: usize,
    timeout: Duration,
    write_termination: Vec<u8>,
    read_termination: Vec<u8>,
    answer_limit: usize,
    outgoing: Vec<u8>,
    /// Numbers of the next message and of the last one.
    next: u32,
    last: u32,
    overlapped: bool,
    /// An answer was read whole since the last message.
    delivered: bool,
    /// What is left of a piece of an answer of which only some bytes were wanted.
    rest: Option<Rest>,
    /// A service request that came while something else was waited for.
    requested: Option<u8>,
}

/// What is left of a piece.
struct Rest {
    length: usize,
    ends: bool,
}

/// What a message says before its payload.
#[derive(Clone, Copy, Debug)]
struct Header {
    kind: u8,
    control: u8,
    parameter: u32,
    length: u64,
}

impl HislipLink {
    pub(crate) fn open(
        host: &str,
        device: &str,
        port: u16,
        settings: &LinkSettings,
        interrupter: &Interrupter,
    ) -> Result<Self, LinkError> {
        let deadline = Deadline::after(settings.open_timeout);
        let mut messages = Counted::new(TcpWire::connect(host, port, deadline, interrupter)?);
        send(
            &mut messages,
            Header::new(kind::INITIALIZE, VERSION << 16 | VENDOR),
            device.as_bytes(),
            deadline,
        )?;
        let session = expect(&mut messages, kind::INITIALIZE_RESPONSE, deadline)?;
        messages.skip(session.length, deadline)?;

        let mut control = Counted::new(TcpWire::connect(host, port, deadline, interrupter)?);
        let number = session.parameter & 0xffff;
        send(&mut control, Header::new(kind::ASYNC_INITIALIZE, number), &[], deadline)?;
        let vendor = expect(&mut control, kind::ASYNC_INITIALIZE_RESPONSE, deadline)?;
        control.skip(vendor.length, deadline)?;

        let header = Header::new(kind::ASYNC_MAXIMUM_MESSAGE_SIZE, 0);
        send(&mut control, header, &LONGEST_PAYLOAD.to_be_bytes(), deadline)?;
        let size = expect(&mut control, kind::ASYNC_MAXIMUM_MESSAGE_SIZE_RESPONSE, deadline)?;
        let longest = match size.length {
            8 => u64::from_be_bytes(control.header(deadline)?),
            length => {
                control.skip(length, deadline)?;
                LONGEST_PAYLOAD
            }
        };
        Ok(Self {
            messages,
            control,
            longest_payload: usize::try_from(longest.clamp(64, LONGEST_PAYLOAD)).unwrap_or(64),
            timeout: settings.timeout,
            write_termination: settings.write_termination.clone().unwrap_or_default(),
            read_termination: settings.read_termination().to_vec(),
            answer_limit: settings.answer_limit,
            outgoing: Vec::new(),
            next: FIRST_MESSAGE,
            last: FIRST_MESSAGE,
            overlapped: session.control & 1 != 0,
            delivered: false,
            rest: None,
            requested: None,
        })
    }

    /// The number of a message that is sent now, and whether an answer was delivered since the one before.
    fn number(&mut self) -> (u32, u8) {
        self.last = self.next;
        self.next = self.next.wrapping_add(2);
        (self.last, u8::from(std::mem::take(&mut self.delivered)))
    }

    fn read_answer(&mut self, extent: Extent, answer: &mut Vec<u8>, deadline: Deadline) -> Result<(), Fault> {
        loop {
            let piece = match self.rest.take() {
                Some(rest) => rest,
                None => self.next_piece(deadline)?,
            };
            if answer.len() + piece.length > self.answer_limit {
                return Err(Fault::TooLong(self.answer_limit));
            }
            let wanted = match extent {
                Extent::Bytes(count) => piece.length.min(count - answer.len()),
                Extent::Message | Extent::Block | Extent::BareBlock => piece.length,
            };
            self.messages.append(wanted, answer, deadline)?;
            if wanted < piece.length {
                self.rest = Some(Rest {
                    length: piece.length - wanted,
                    ends: piece.ends,
                });
            } else if piece.ends {
                self.delivered = true;
            }
            match extent {
                Extent::Bytes(count) if answer.len() == count => return Ok(()),
                Extent::Bytes(count) if piece.ends => {
                    return Err(Fault::Protocol(format!("its answer ends before {count} bytes")));
                }
                Extent::Message | Extent::Block | Extent::BareBlock if piece.ends => return Ok(()),
                Extent::Message | Extent::Block | Extent::BareBlock | Extent::Bytes(_) => {}
            }
        }
    }

    /// The next piece of an answer to the last message; answers to earlier ones are dropped.
    fn next_piece(&mut self, deadline: Deadline) -> Result<Rest, Fault> {
        loop {
            let header = Header::receive(&mut self.messages, deadline)?;
            match header.kind {
                kind::DATA | kind::DATA_END if self.answers(header) => {
                    return Ok(Rest {
                        length: usize::try_from(header.length).map_err(|_| Fault::TooLong(self.answer_limit))?,
                        ends: header.kind == kind::DATA_END,
                    });
                }
                // Also Interrupted, which says that an answer was dropped over there.
                _ => self.messages.skip(header.length, deadline)?,
            }
        }
    }

    fn answers(&self, header: Header) -> bool {
        self.overlapped || header.parameter == self.last || header.parameter == ANY_MESSAGE
    }

    /// What a request on the control connection is answered with.
    fn ask(&mut self, request: Header, payload: &[u8], expected: u8, deadline: Deadline) -> Result<Header, Fault> {
        send(&mut self.control, request, payload, deadline)?;
        loop {
            let header = Header::receive(&mut self.control, deadline)?;
            self.control.skip(header.length, deadline)?;
            match header.kind {
                kind if kind == expected => return Ok(header),
                kind::ASYNC_SERVICE_REQUEST => self.requested = Some(header.control),
                // Answers to what was given up, and AsyncInterrupted.
                _ => {}
            }
        }
    }
}

impl Link for HislipLink {
    fn write(&mut self, messages: &[&[u8]]) -> Result<(), LinkError> {
        self.outgoing.clear();
        self.rest = None;
        for message in messages {
            let whole = [message, self.write_termination.as_slice()].concat();
            let mut left = whole.as_slice();
            loop {
                let (piece, rest) = left.split_at(left.len().min(self.longest_payload));
                let (number, delivered) = self.number();
                let header = Header {
                    kind: if rest.is_empty() { kind::DATA_END } else { kind::DATA },
                    control: delivered,
                    parameter: number,
                    length: piece.len() as u64,
                };
                self.outgoing.extend_from_slice(&header.bytes());
                self.outgoing.extend_from_slice(piece);
                left = rest;
                if left.is_empty() {
                    break;
                }
            }
        }
        Ok(self.messages.wire.send(&self.outgoing, Deadline::after(self.timeout))?)
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
        let deadline = Deadline::after(self.timeout);
        let request = Header::new(kind::ASYNC_DEVICE_CLEAR, 0);
        let features = self.ask(request, &[], kind::ASYNC_DEVICE_CLEAR_ACKNOWLEDGE, deadline)?;
        if let Some(rest) = self.rest.take() {
            self.messages.skip(rest.length as u64, deadline)?;
        }
        let complete = Header {
            control: features.control,
            ..Header::new(kind::DEVICE_CLEAR_COMPLETE, 0)
        };
        send(&mut self.messages, complete, &[], deadline)?;
        loop {
            let header = Header::receive(&mut self.messages, deadline)?;
            self.messages.skip(header.length, deadline)?;
            if header.kind == kind::DEVICE_CLEAR_ACKNOWLEDGE {
                self.overlapped = header.control & 1 != 0;
                break;
            }
        }
        (self.next, self.last, self.delivered) = (FIRST_MESSAGE, FIRST_MESSAGE, false);
        Ok(())
    }

    fn status_byte(&mut self) -> Result<u8, LinkError> {
        let request = Header {
            control: u8::from(std::mem::take(&mut self.delivered)),
            ..Header::new(kind::ASYNC_STATUS_QUERY, self.last)
        };
        let deadline = Deadline::after(self.timeout);
        let status = self.ask(request, &[], kind::ASYNC_STATUS_RESPONSE, deadline)?;
        Ok(status.control)
    }

    fn trigger(&mut self) -> Result<(), LinkError> {
        let (number, delivered) = self.number();
        let header = Header {
            control: delivered,
            ..Header::new(kind::TRIGGER, number)
        };
        let deadline = Deadline::after(self.timeout);
        Ok(send(&mut self.messages, header, &[], deadline)?)
    }

    fn lock(&mut self, patience: Duration) -> Result<(), LinkError> {
        let request = Header {
            control: 1,
            ..Header::new(kind::ASYNC_LOCK, milliseconds(patience))
        };
        let deadline = Deadline::after(patience + self.timeout);
        match self.ask(request, &[], kind::ASYNC_LOCK_RESPONSE, deadline)?.control {
            1 => Ok(()),
            0 => Err(Fault::Locked.into()),
            _ => Err(Fault::Refused("a lock that is held already".to_owned()).into()),
        }
    }

    fn unlock(&mut self) -> Result<(), LinkError> {
        let deadline = Deadline::after(self.timeout);
        let request = Header::new(kind::ASYNC_LOCK, self.last);
        match self.ask(request, &[], kind::ASYNC_LOCK_RESPONSE, deadline)?.control {
            1 | 2 => Ok(()),
            _ => Err(Fault::Refused("no lock held by this link".to_owned()).into()),
        }
    }

    fn wait_for_service_request(&mut self, patience: Duration) -> Result<u8, LinkError> {
        let deadline = Deadline::after(patience);
        loop {
            if let Some(status) = self.requested.take() {
                return Ok(status);
            }
            let header = Header::receive(&mut self.control, deadline)?;
            self.control.skip(header.length, deadline)?;
            if header.kind == kind::ASYNC_SERVICE_REQUEST {
                self.requested = Some(header.control);
            }
        }
    }

    fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }
}

impl Header {
    const SIZE: usize = 16;

    fn new(kind: u8, parameter: u32) -> Self {
        Self {
            kind,
            control: 0,
            parameter,
            length: 0,
        }
    }

    fn bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..2].copy_from_slice(b"HS");
        bytes[2] = self.kind;
        bytes[3] = self.control;
        bytes[4..8].copy_from_slice(&self.parameter.to_be_bytes());
        bytes[8..].copy_from_slice(&self.length.to_be_bytes());
        bytes
    }

    /// The next header; the errors that the other side may send at any time are errors.
    fn receive(connection: &mut Counted, deadline: Deadline) -> Result<Header, Fault> {
        /// An explanation is not longer.
        const LONGEST_WORDS: u64 = 4096;
        let bytes: [u8; Self::SIZE] = connection.header(deadline)?;
        let [b'H', b'S', kind, control, p0, p1, p2, p3, length @ ..] = bytes else {
            return Err(Fault::Protocol(format!(
                "`{}` begins no HiSLIP message",
                bytes.escape_ascii()
            )));
        };
        let header = Header {
            kind,
            control,
            parameter: u32::from_be_bytes([p0, p1, p2, p3]),
            length: u64::from_be_bytes(length),
        };
        if kind == kind::FATAL_ERROR || kind == kind::ERROR {
            let mut words = Vec::new();
            let length = header.length.min(LONGEST_WORDS);
            connection.append(usize::try_from(length).unwrap_or(0), &mut words, deadline)?;
            connection.skip(header.length - length, deadline)?;
            let words = String::from_utf8_lossy(&words).trim().to_owned();
            return Err(match kind {
                kind::FATAL_ERROR => Fault::Protocol(format!("fatal error {control} of HiSLIP, `{words}`")),
                _ => Fault::Refused(format!("error {control} of HiSLIP, `{words}`")),
            });
        }
        Ok(header)
    }
}

fn send(connection: &mut Counted, mut header: Header, payload: &[u8], deadline: Deadline) -> Result<(), Fault> {
    header.length = payload.len() as u64;
    let message = [header.bytes().as_slice(), payload].concat();
    connection.wire.send(&message, deadline)
}

/// The next message, which must be of this kind.
fn expect(connection: &mut Counted, kind: u8, deadline: Deadline) -> Result<Header, Fault> {
    let header = Header::receive(connection, deadline)?;
    match header.kind == kind {
        true => Ok(header),
        false => Err(Fault::Protocol(format!(
            "message {} came instead of {kind}",
            header.kind
        ))),
    }
}
