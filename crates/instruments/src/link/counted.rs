//! Reading a connection by counted bytes, for the protocols whose messages have headers with lengths.
//!
//! Long payloads cost one copy, out of a buffer that stays in the processor's cache, and few system calls.

use super::{Deadline, Fault, Wire, tcp::TcpWire};

/// A connection read by counted bytes, for the protocols that have headers.
pub(crate) struct Counted {
    pub(crate) wire: TcpWire,
    buffer: Vec<u8>,
    start: usize,
}

impl Counted {
    pub(crate) fn new(wire: TcpWire) -> Self {
        Self {
            wire,
            buffer: Vec::with_capacity(1 << 16),
            start: 0,
        }
    }

    /// The next bytes, few of them: a header.
    pub(crate) fn header<const N: usize>(&mut self, deadline: Deadline) -> Result<[u8; N], Fault> {
        while self.buffer.len() - self.start < N {
            self.fill(deadline)?;
        }
        let mut header = [0; N];
        header.copy_from_slice(&self.buffer[self.start..self.start + N]);
        self.start += N;
        Ok(header)
    }

    /// Appends the next bytes, however many.
    pub(crate) fn append(&mut self, mut count: usize, into: &mut Vec<u8>, deadline: Deadline) -> Result<(), Fault> {
        loop {
            let ready = (self.buffer.len() - self.start).min(count);
            into.extend_from_slice(&self.buffer[self.start..self.start + ready]);
            self.start += ready;
            count -= ready;
            if count == 0 {
                return Ok(());
            }
            self.fill(deadline)?;
        }
    }

    /// Drops the next bytes.
    pub(crate) fn skip(&mut self, mut count: u64, deadline: Deadline) -> Result<(), Fault> {
        loop {
            let ready = (self.buffer.len() - self.start).min(usize::try_from(count).unwrap_or(usize::MAX));
            self.start += ready;
            count -= ready as u64;
            if count == 0 {
                return Ok(());
            }
            self.fill(deadline)?;
        }
    }

    fn fill(&mut self, deadline: Deadline) -> Result<(), Fault> {
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        } else if self.buffer.len() == self.buffer.capacity() {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.wire.receive(&mut self.buffer, deadline)
    }
}
