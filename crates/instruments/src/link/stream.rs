//! Messages in a stream of bytes, told apart by their terminations: plain TCP connections and serial lines.
//!
//! What comes behind an answer is kept for the next read, as it would stay in the socket: two questions in one message have
//! two answers.

use std::time::Duration;

use memchr::{memchr, memmem};

use super::{Deadline, Extent, Fault, Link, LinkError, LinkSettings, Wire};
use crate::block::{Header, header};

/// Room for an answer that is not known to be long.
const USUAL: usize = 4096;

pub(crate) struct StreamLink<W> {
    wire: W,
    timeout: Duration,
    write_termination: Vec<u8>,
    read_termination: Vec<u8>,
    answer_limit: usize,
    outgoing: Vec<u8>,
    /// Received behind the last answer.
    pending: Vec<u8>,
}

impl<W: Wire> StreamLink<W> {
    pub(crate) fn new(wire: W, settings: &LinkSettings) -> Self {
        Self {
            wire,
            timeout: settings.timeout,
            write_termination: settings.write_termination.clone().unwrap_or_else(|| b"\n".to_vec()),
            read_termination: settings.read_termination().to_vec(),
            answer_limit: settings.answer_limit,
            outgoing: Vec::new(),
            pending: Vec::new(),
        }
    }

    fn message(&mut self, answer: &mut Vec<u8>, deadline: Deadline) -> Result<(), Fault> {
        if self.read_termination.is_empty() {
            return Err(Fault::Unsupported(
                "an end of answers: set a read termination, or read a number of bytes",
            ));
        }
        let (end, next) = self.termination(answer, 0, deadline)?;
        self.cut(answer, end, next);
        Ok(())
    }

    fn block(&mut self, answer: &mut Vec<u8>, extent: Extent, deadline: Deadline) -> Result<(), Fault> {
        /// More than this behind a block is not its termination.
        const LONGEST_TRAIL: usize = 16;
        let found = loop {
            match header(answer).map_err(Fault::Block)? {
                Some(found) => break found,
                None => self.more(answer, USUAL, deadline)?,
            }
        };
        let Header::Definite { start, length } = found else {
            return self.message(answer, deadline);
        };
        let total = start + length;
        if total > self.answer_limit {
            return Err(Fault::TooLong(self.answer_limit));
        }
        let (end, next) = match (extent, self.read_termination.is_empty()) {
            (Extent::BareBlock, _) | (_, true) => {
                self.at_least(answer, total, deadline)?;
                (total, total)
            }
            (_, false) => {
                self.at_least(answer, total + self.read_termination.len(), deadline)?;
                self.termination(answer, total, deadline)?
            }
        };
        if end - total > LONGEST_TRAIL {
            return Err(Fault::Protocol(format!("{} bytes follow the block", end - total)));
        }
        self.cut(answer, total, next);
        Ok(())
    }

    fn at_least(&mut self, answer: &mut Vec<u8>, count: usize, deadline: Deadline) -> Result<(), Fault> {
        while answer.len() < count {
            self.more(answer, count - answer.len(), deadline)?;
        }
        Ok(())
    }

    /// Where the first termination behind `from` begins and ends.
    fn termination(&mut self, answer: &mut Vec<u8>, from: usize, deadline: Deadline) -> Result<(usize, usize), Fault> {
        let length = self.read_termination.len();
        let mut searched = from;
        loop {
            let found = match self.read_termination.as_slice() {
                [byte] => memchr(*byte, &answer[searched..]),
                several => memmem::find(&answer[searched..], several),
            };
            if let Some(found) = found {
                return Ok((searched + found, searched + found + length));
            }
            searched = from.max((answer.len() + 1).saturating_sub(length));
            // Long answers grow in steps of their own size, so that few calls read them.
            self.more(answer, answer.len().max(USUAL), deadline)?;
        }
    }

    fn more(&mut self, answer: &mut Vec<u8>, room: usize, deadline: Deadline) -> Result<(), Fault> {
        if answer.len() >= self.answer_limit {
            return Err(Fault::TooLong(self.answer_limit));
        }
        answer.reserve(room);
        self.wire.receive(answer, deadline)
    }

    /// Ends the answer at `end`, and keeps what is behind `next`.
    fn cut(&mut self, answer: &mut Vec<u8>, end: usize, next: usize) {
        self.pending.extend_from_slice(&answer[next..]);
        answer.truncate(end);
    }
}

impl<W: Wire> Link for StreamLink<W> {
    fn write(&mut self, messages: &[&[u8]]) -> Result<(), LinkError> {
        self.outgoing.clear();
        for message in messages {
            self.outgoing.extend_from_slice(message);
            self.outgoing.extend_from_slice(&self.write_termination);
        }
        Ok(self.wire.send(&self.outgoing, Deadline::after(self.timeout))?)
    }

    fn read(&mut self, extent: Extent, answer: &mut Vec<u8>) -> Result<(), LinkError> {
        let deadline = Deadline::after(self.timeout);
        answer.clear();
        answer.append(&mut self.pending);
        let read = match extent {
            Extent::Message => self.message(answer, deadline),
            Extent::Block | Extent::BareBlock => self.block(answer, extent, deadline),
            Extent::Bytes(count) if count > self.answer_limit => Err(Fault::TooLong(self.answer_limit)),
            Extent::Bytes(count) => self
                .at_least(answer, count, deadline)
                .map(|()| self.cut(answer, count, count)),
        };
        read.map_err(|fault| fault.having(answer))
    }

    fn clear(&mut self) -> Result<(), LinkError> {
        self.pending.clear();
        Ok(self.wire.discard()?)
    }

    fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }
}
