//! A process with pipes, as a child and a hook are: what it prints and its end become messages.
//!
//! Three threads per process, two for its pipes and one for its end, each of which blocks and nothing else; no polling.
//! A process that ended stays a zombie until its [`Process`] is dropped: so long its id cannot be given to another, and
//! its group can be signalled without hitting a stranger.

use std::{
    collections::VecDeque,
    fmt,
    io::{self, Read},
    process::{self, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    inbox::{Message, Sender},
    platform,
};

/// Tells the processes of one engine apart; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProcessId(pub(crate) u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pipe {
    Out,
    Err,
}

/// What a process does that others learn.
#[derive(Clone, Debug)]
pub(crate) enum News {
    /// Whole lines, each with its end.
    Lines(Pipe, String),
    PipeEnded,
    Ended(End),
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Exited(i32),
    Signal(i32),
    /// The operating system does not say.
    Unknown,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Exited(code) => write!(f, "exited with status {code}"),
            End::Signal(number) => match platform::signal_name(*number) {
                Some(name) => write!(f, "killed by {name}"),
                None => write!(f, "killed by signal {number}"),
            },
            End::Unknown => write!(f, "ended, nobody knows how"),
        }
    }
}

/// A process that was started.
#[derive(Debug)]
pub(crate) struct Process {
    id: ProcessId,
    pid: u32,
    end: Option<End>,
    ended_at: Option<Instant>,
    open_pipes: u8,
    last_words: VecDeque<String>,
    is_abandoned: Arc<AtomicBool>,
    /// Closed when it has ended.
    ended: mpsc::Receiver<()>,
    /// Its end lets the waiter take the zombie away.
    _zombie: mpsc::Sender<()>,
}

/// After the end of a process, its pipes may be held open by what it started.
pub(crate) const LINGER: Duration = Duration::from_millis(100);

/// Lines of its standard error that are kept for the message about its death.
const LAST_WORDS: usize = 20;

/// The longest line, in bytes; longer ones are cut in pieces.
const LINE: usize = 64 * 1024;

impl Process {
    /// Starts a command, in a process group of its own.
    ///
    /// # Errors
    /// It cannot be started, or its threads cannot.
    pub(crate) fn start(id: ProcessId, mut command: Command, sender: &Sender) -> io::Result<Process> {
        platform::in_own_group(&mut command);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        // The command holds what it gave to the process, a listener say, whose end must be the process's end.
        drop(command);
        let pid = child.id();
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (zombie, may_go) = mpsc::channel();
        let (alive, ended) = mpsc::channel();
        let process = Process {
            id,
            pid,
            end: None,
            ended_at: None,
            open_pipes: u8::from(out.is_some()) + u8::from(err.is_some()),
            last_words: VecDeque::new(),
            is_abandoned: Arc::default(),
            ended,
            _zombie: zombie,
        };
        // From here on an error drops `process`, which kills what was started.
        let waiting = sender.clone();
        thread::Builder::new()
            .name("wait".into())
            .spawn(move || wait(id, child, alive, &waiting, &may_go))?;
        if let Some(out) = out {
            process.listen(Pipe::Out, out, sender)?;
        }
        if let Some(err) = err {
            process.listen(Pipe::Err, err, sender)?;
        }
        Ok(process)
    }

    fn listen(&self, pipe: Pipe, stream: impl Read + Send + 'static, sender: &Sender) -> io::Result<()> {
        let (id, sender, is_abandoned) = (self.id, sender.clone(), Arc::clone(&self.is_abandoned));
        thread::Builder::new()
            .name("pipe".into())
            .spawn(move || {
                // The engine is gone, or the process is not listened to any more: nothing is left to do.
                read_lines(stream, |text| {
                    if is_abandoned.load(Ordering::Acquire) {
                        return false;
                    }
                    sender.send(Message::Process(id, News::Lines(pipe, text))).is_ok()
                });
                sender.send(Message::Process(id, News::PipeEnded)).ok();
            })
            .map(drop)
    }

    /// Takes note of what it did.
    pub(crate) fn hear(&mut self, news: &News, now: Instant) {
        match news {
            News::Lines(Pipe::Out, _) => (),
            News::Lines(Pipe::Err, text) => {
                for line in text
                    .lines()
                    .rev()
                    .take(LAST_WORDS)
                    .collect::<Vec<_>>()
                    .into_iter()
                    .rev()
                {
                    if self.last_words.len() == LAST_WORDS {
                        self.last_words.pop_front();
                    }
                    self.last_words.push_back(line.to_owned());
                }
            }
            News::PipeEnded => self.open_pipes = self.open_pipes.saturating_sub(1),
            News::Ended(end) => {
                self.end = Some(*end);
                self.ended_at = Some(now);
            }
        }
    }

    pub(crate) fn id(&self) -> ProcessId {
        self.id
    }

    pub(crate) fn end(&self) -> Option<End> {
        self.end
    }

    /// When its end counts although a pipe is still open.
    pub(crate) fn lingers_until(&self) -> Option<Instant> {
        self.ended_at.map(|ended_at| ended_at + LINGER)
    }

    pub(crate) fn has_open_pipes(&self) -> bool {
        self.open_pipes > 0
    }

    /// The last lines of its standard error; empty when it said nothing.
    pub(crate) fn last_words(&self) -> String {
        self.last_words
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.end.is_some() || platform::has_ended(self.pid)
    }

    /// Waits for its end, so long, without taking note of it.
    pub(crate) fn wait(&self, patience: Duration) {
        // Nothing is ever sent: the channel closes, or the time is over.
        self.ended.recv_timeout(patience).ok();
    }

    pub(crate) fn terminate(&self) {
        platform::terminate_group(self.pid);
    }

    pub(crate) fn kill(&self) {
        platform::kill_group(self.pid);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.is_abandoned.store(true, Ordering::Release);
        if self.end.is_none() {
            self.kill();
        }
    }
}

fn wait(
    id: ProcessId,
    mut child: process::Child,
    alive: mpsc::Sender<()>,
    sender: &Sender,
    may_go: &mpsc::Receiver<()>,
) {
    let end = platform::wait(child.id()).unwrap_or(End::Unknown);
    drop(alive);
    if sender.send(Message::Process(id, News::Ended(end))).is_ok() {
        // Only ever ends: when the process is dropped.
        may_go.recv().ok();
    }
    // It has ended; the status was read before.
    child.wait().ok();
}

/// Hands over whole lines, all that came at once together, until the stream ends or nobody wants them.
fn read_lines(mut stream: impl Read, mut take: impl FnMut(String) -> bool) {
    let mut buffer = vec![0; LINE];
    let mut lines = Lines::default();
    loop {
        let text = match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => lines.add(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // A pipe that cannot be read has ended.
            Err(_) => break,
        };
        if text.is_some_and(|text| !take(text)) {
            return;
        }
    }
    if let Some(text) = lines.rest() {
        take(text);
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
        read_lines(input, |text| {
            found.extend(text.lines().map(str::to_owned));
            true
        });
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
