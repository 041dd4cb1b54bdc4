//! A process with pipes, as a child and a hook are: what it prints and its end become messages.
//!
//! Three threads per process, two for its pipes and one for its end, each of which blocks and nothing else; no polling.
//! A process that ended stays a zombie until its [`Process`] is dropped: so long its id cannot be given to another, and
//! its group can be signalled without hitting a stranger.

use std::{
    collections::VecDeque,
    fmt, io,
    process::{self, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use crate::{
    inbox::{Message, Sender},
    pipe::{Fence, Pipe, listen},
    platform,
};

/// Tells the processes of one engine apart; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProcessId(pub(crate) u64);

/// What a process does that others learn.
#[derive(Clone, Debug)]
pub(crate) enum News {
    /// Whole lines, each with its end.
    Lines(Pipe, String),
    /// All that was in the pipe when [`Process::fence`] was called is said.
    Fenced,
    PipeEnded(Pipe),
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
    out: PipeState,
    err: PipeState,
    last_words: VecDeque<String>,
    /// Closed when it has ended.
    ended: mpsc::Receiver<()>,
    /// Its end lets the waiter take the zombie away.
    _zombie: mpsc::Sender<()>,
}

/// One of its pipes.
#[derive(Debug)]
enum PipeState {
    Open(Fence),
    Ended,
}

impl PipeState {
    fn fence(&mut self) -> Option<()> {
        match self {
            PipeState::Open(fence) => fence.ask(),
            PipeState::Ended => None,
        }
    }
}

/// After the end of a process, its pipes may be held open by what it started.
pub(crate) const LINGER: Duration = Duration::from_millis(100);

/// Lines of its standard error that are kept for the message about its death.
const LAST_WORDS: usize = 20;

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
        let mut process = Process {
            id,
            pid,
            end: None,
            ended_at: None,
            out: PipeState::Ended,
            err: PipeState::Ended,
            last_words: VecDeque::new(),
            ended,
            _zombie: zombie,
        };
        // From here on an error drops `process`, which kills what was started.
        let waiting = sender.clone();
        thread::Builder::new()
            .name("wait".into())
            .spawn(move || wait(id, child, alive, &waiting, &may_go))?;
        if let Some(out) = out {
            process.out = PipeState::Open(listen(id, Pipe::Out, out, sender)?);
        }
        if let Some(err) = err {
            process.err = PipeState::Open(listen(id, Pipe::Err, err, sender)?);
        }
        Ok(process)
    }

    /// Asks for a sign behind all that is in the pipes now; says of how many pipes one will come.
    pub(crate) fn fence(&mut self) -> usize {
        [&mut self.out, &mut self.err]
            .into_iter()
            .filter_map(|pipe| pipe.fence())
            .count()
    }

    /// Takes note of what it did.
    pub(crate) fn hear(&mut self, news: &News, now: Instant) {
        match news {
            News::Lines(Pipe::Out, _) | News::Fenced => (),
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
            News::PipeEnded(Pipe::Out) => self.out = PipeState::Ended,
            News::PipeEnded(Pipe::Err) => self.err = PipeState::Ended,
            News::Ended(end) => {
                self.end = Some(*end);
                self.ended_at = Some(now);
            }
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
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
        matches!(self.out, PipeState::Open(_)) || matches!(self.err, PipeState::Open(_))
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
