//! What a process prints, as whole lines: a thread for each pipe.
//!
//! What is printed and what is said on the connection come on different ways. So that a run is over only when all that
//! was printed in it is known, a pipe can be fenced: what is in it at that moment is read, then a sign is given. Lines
//! come as many at a time as were there, so that a flood costs a message for every 64 KiB.

use std::{
    io::{self, PipeReader, PipeWriter, Read, Write},
    os::fd::AsFd,
    thread,
};

use crate::{
    inbox::{Closed, Message, Sender},
    platform::{self, Readable},
    process::{News, ProcessId},
};

/// Which pipe of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pipe {
    Out,
    Err,
}

/// Asks the thread of a pipe for a sign; the thread ends with it.
#[derive(Debug)]
pub(crate) struct Fence(PipeWriter);

impl Fence {
    /// Asks for the sign; nothing when none will come, since the pipe has just ended.
    pub(crate) fn ask(&mut self) -> Option<()> {
        self.0.write_all(b"f").ok()
    }
}

/// The longest line, in bytes; longer ones are cut in pieces.
const LINE: usize = 64 * 1024;

/// What a pipe can hold at most: a sign waits for no more than this, however fast it is filled again.
const PIPE: usize = 1024 * 1024;

/// Starts the thread that reads a pipe.
pub(crate) fn listen(
    id: ProcessId,
    pipe: Pipe,
    stream: impl Read + AsFd + Send + 'static,
    sender: &Sender,
) -> io::Result<Fence> {
    let (asked, fence) = io::pipe()?;
    let sender = sender.clone();
    let listener = Listener {
        id,
        pipe,
        stream,
        asked,
        sender,
        lines: Lines::default(),
        buffer: vec![0; LINE],
    };
    // Whatever ends it, nobody is there to be told.
    thread::Builder::new()
        .name("pipe".into())
        .spawn(move || listener.listen().ok())?;
    Ok(Fence(fence))
}

struct Listener<S> {
    id: ProcessId,
    pipe: Pipe,
    stream: S,
    asked: PipeReader,
    sender: Sender,
    lines: Lines,
    buffer: Vec<u8>,
}

enum Heard {
    Bytes(usize),
    End,
}

impl<S: Read + AsFd> Listener<S> {
    fn listen(mut self) -> Result<(), Closed> {
        loop {
            match platform::wait_for_either(&self.stream, &self.asked) {
                Readable::First => {
                    if let Heard::End = self.hear()? {
                        return self.say(News::PipeEnded(self.pipe));
                    }
                }
                Readable::Second => {
                    // The process is not listened to any more.
                    if !matches!(self.asked.read(&mut [0]), Ok(1)) {
                        return Ok(());
                    }
                    let mut heard = 0;
                    while heard < PIPE && platform::is_readable(&self.stream) {
                        match self.hear()? {
                            Heard::Bytes(read) => heard += read,
                            Heard::End => return self.say(News::PipeEnded(self.pipe)),
                        }
                    }
                    self.say_rest()?;
                    self.say(News::Fenced)?;
                }
            }
        }
    }

    fn hear(&mut self) -> Result<Heard, Closed> {
        match self.stream.read(&mut self.buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Heard::Bytes(0)),
            // A pipe that cannot be read has ended.
            Ok(0) | Err(_) => {
                self.say_rest()?;
                Ok(Heard::End)
            }
            Ok(read) => {
                if let Some(text) = self.lines.add(&self.buffer[..read]) {
                    self.say(News::Lines(self.pipe, text))?;
                }
                Ok(Heard::Bytes(read))
            }
        }
    }

    fn say_rest(&mut self) -> Result<(), Closed> {
        match self.lines.rest() {
            Some(text) => self.say(News::Lines(self.pipe, text)),
            None => Ok(()),
        }
    }

    fn say(&self, news: News) -> Result<(), Closed> {
        self.sender.send(Message::Process(self.id, news))
    }
}

/// Cuts a stream of bytes into lines.
#[derive(Debug, Default)]
struct Lines {
    /// Whole lines up to `start`, the beginning of one from there.
    bytes: Vec<u8>,
    start: usize,
}

impl Lines {
    /// The lines that are whole now, if any.
    fn add(&mut self, mut chunk: &[u8]) -> Option<String> {
        while !chunk.is_empty() {
            let room = LINE - (self.bytes.len() - self.start);
            let end = chunk.iter().position(|byte| *byte == b'\n');
            match end {
                Some(end) if end <= room => {
                    self.bytes.extend_from_slice(&chunk[..=end]);
                    chunk = &chunk[end + 1..];
                }
                _ if chunk.len() > room => {
                    self.bytes.extend_from_slice(&chunk[..room]);
                    self.bytes.push(b'\n');
                    chunk = &chunk[room..];
                }
                _ => {
                    self.bytes.extend_from_slice(chunk);
                    break;
                }
            }
            self.start = self.bytes.len();
        }
        if self.start == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&self.bytes[..self.start]).into_owned();
        self.bytes.drain(..self.start);
        self.start = 0;
        Some(text)
    }

    /// What came after the last end of line.
    fn rest(&mut self) -> Option<String> {
        if self.bytes.is_empty() {
            return None;
        }
        self.bytes.push(b'\n');
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        self.bytes.clear();
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8], expected: &[&str]) {
        let mut found = Vec::new();
        let mut lines = Lines::default();
        let mut take = |text: String| found.extend(text.lines().map(str::to_owned));
        input
            .chunks(LINE)
            .filter_map(|chunk| lines.add(chunk))
            .for_each(&mut take);
        lines.rest().into_iter().for_each(take);
        assert_eq!(found, expected);
    }

    #[test]
    fn lines_are_whole_whatever_they_hold() {
        check(b"", &[]);
        check(b"one\ntwo\r\n\nlast", &["one", "two", "", "last"]);
        check(b"\xff\n", &["\u{fffd}"]);
    }

    #[test]
    fn a_line_without_end_is_cut_in_pieces() {
        let piece = "x".repeat(LINE);
        check("x".repeat(2 * LINE + 1).as_bytes(), &[&piece, &piece, "x"]);
        check(format!("{piece}\nnext\n").as_bytes(), &[&piece, "next"]);
    }

    #[test]
    fn bytes_that_come_one_by_one_make_the_same_lines() {
        let mut lines = Lines::default();
        let made: Vec<String> = b"ab\nc\n".iter().filter_map(|byte| lines.add(&[*byte])).collect();
        assert_eq!(made, ["ab\n", "c\n"]);
        assert_eq!(lines.rest(), None);
    }
}
