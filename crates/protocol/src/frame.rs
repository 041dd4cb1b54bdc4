//! Frames on a byte stream: the length as a little-endian `u32`, then that many bytes of postcard.
//!
//! A reader never trusts a length: it takes what is there piece by piece, so a broken length costs no memory.

use std::{
    fmt,
    io::{self, Read},
};

use serde::{Serialize, de::DeserializeOwned};

/// The longest frame that is written or read, in bytes: a value of a hundred megabytes passes, a torn length does not.
pub const MAX_FRAME: usize = 1 << 30;

/// Appends a frame to a buffer.
///
/// # Errors
/// The message is longer than a frame may be; the buffer is then as it was.
pub fn append<T: Serialize>(buffer: &mut Vec<u8>, message: &T) -> Result<(), FrameError> {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; 4]);
    let mut extended = postcard::to_extend(message, std::mem::take(buffer)).map_err(FrameError::Malformed)?;
    let length = extended.len() - start - 4;
    if length > MAX_FRAME {
        extended.truncate(start);
        *buffer = extended;
        return Err(FrameError::TooLong(length));
    }
    extended[start..start + 4].copy_from_slice(&(length as u32).to_le_bytes());
    *buffer = extended;
    Ok(())
}

/// Reads frames.
pub struct FrameReader<R> {
    stream: R,
    /// Bytes `start..end` were read and not used yet; what is behind `end` is room.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// Room for the events of about a millisecond.
const USUAL: usize = 64 * 1024;

impl<R: Read> FrameReader<R> {
    pub fn new(stream: R) -> Self {
        Self {
            stream,
            buffer: vec![0; USUAL],
            start: 0,
            end: 0,
        }
    }

    /// The next message; nothing when the stream ended between two frames.
    ///
    /// # Errors
    /// The stream failed, ended inside a frame, or holds something else than frames.
    pub fn read<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        if !self.fill(4)? {
            return if self.start == self.end {
                Ok(None)
            } else {
                Err(FrameError::Torn)
            };
        }
        let length = self.length().expect("four bytes were asked for");
        if length > MAX_FRAME {
            return Err(FrameError::TooLong(length));
        }
        if !self.fill(4 + length)? {
            return Err(FrameError::Torn);
        }
        let body = &self.buffer[self.start + 4..self.start + 4 + length];
        let message = postcard::from_bytes(body).map_err(FrameError::Malformed)?;
        self.start += 4 + length;
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            // The room for one large value is not held for the rest of the run.
            if self.buffer.len() > 16 * USUAL {
                self.buffer = vec![0; USUAL];
            }
        }
        Ok(Some(message))
    }

    /// Whether a whole frame is here, so that the next one comes without waiting.
    pub fn has_next(&self) -> bool {
        self.length().is_some_and(|length| self.end - self.start - 4 >= length)
    }

    fn length(&self) -> Option<usize> {
        let header = self.buffer[self.start..self.end].first_chunk::<4>()?;
        Some(u32::from_le_bytes(*header) as usize)
    }

    /// Makes `wanted` bytes available; false when the stream ends before.
    fn fill(&mut self, wanted: usize) -> Result<bool, FrameError> {
        while self.end - self.start < wanted {
            if self.start > 0 && (self.start == self.end || self.start + wanted > self.buffer.len()) {
                self.buffer.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
            if self.end == self.buffer.len() {
                // Doubling with what really came, so that a broken length costs no memory.
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
            match self.stream.read(&mut self.buffer[self.end..]) {
                Ok(0) => return Ok(false),
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Err(FrameError::Stream(error)),
            }
        }
        Ok(true)
    }
}

/// Why no message could be read or written.
#[derive(Debug)]
pub enum FrameError {
    Stream(io::Error),
    /// The stream ended inside a frame: its writer died.
    Torn,
    TooLong(usize),
    Malformed(postcard::Error),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::Stream(_) => write!(f, "the connection failed"),
            FrameError::Torn => write!(f, "the connection ended in the middle of a message"),
            FrameError::TooLong(length) => write!(f, "a message of {length} bytes is longer than any may be"),
            FrameError::Malformed(_) => write!(f, "a message is malformed"),
        }
    }
}

impl std::error::Error for FrameError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            FrameError::Stream(error) => Some(error),
            FrameError::Malformed(error) => Some(error),
            FrameError::Torn | FrameError::TooLong(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Command;

    fn frames(messages: &[Command]) -> Vec<u8> {
        let mut buffer = Vec::new();
        for message in messages {
            append(&mut buffer, message).expect("short enough");
        }
        buffer
    }

    #[test]
    fn what_was_written_is_read_and_the_end_is_seen() {
        let buffer = frames(&[Command::Pause, Command::Stop]);
        let mut reader = FrameReader::new(buffer.as_slice());
        assert_eq!(reader.read().expect("a frame"), Some(Command::Pause));
        assert!(reader.has_next());
        assert_eq!(reader.read().expect("a frame"), Some(Command::Stop));
        assert_eq!(reader.read::<Command>().expect("the end"), None);
    }

    #[test]
    fn a_torn_stream_is_an_error_wherever_it_is_torn() {
        let buffer = frames(&[Command::Hello {
            version: 1,
            token: [7; 16],
        }]);
        for length in 1..buffer.len() {
            let mut reader = FrameReader::new(&buffer[..length]);
            assert!(
                matches!(reader.read::<Command>(), Err(FrameError::Torn)),
                "torn after {length} bytes"
            );
        }
    }

    #[test]
    fn a_length_beyond_all_measure_is_refused_and_costs_nothing() {
        let mut reader = FrameReader::new([0xff_u8; 64].as_slice());
        assert!(matches!(
            reader.read::<Command>(),
            Err(FrameError::TooLong(0xffff_ffff))
        ));
    }
}
