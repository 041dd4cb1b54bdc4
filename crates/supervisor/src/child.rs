//! The child as the parent sees it: how it is started, greeted, told things, and how its end is known.
//!
//! ```text
//! Greeting ─ Hello, Ready ─► Idle ─ Perform ─► Busy ─ Ready ─► Settling (what it printed comes) ─► Idle
//!     └────────┬──────────────┴─────────────────┴─────────────────┘
//!              ▼ its stream ended, or it made no sense
//!           Silent (its process is waited for, then terminated, then killed) ─► gone
//! ```
//!
//! The child is handed a listening socket as its standard input, and the parent has connected to it before the child
//! exists: the backlog holds the connection, so nobody waits for anybody and no name is left in a folder. The end of the
//! stream is the end of the child; its process, and what it still printed, is waited for only to say how it died.

use std::{
    fs::{self, Permissions},
    io::{self, Write},
    os::{
        fd::OwnedFd,
        unix::{
            fs::PermissionsExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::Path,
    process::{self, Command as Program, Stdio},
    thread,
    time::{Duration, Instant},
};

use protocol::{Command, Event, FrameError, FrameReader, Numbered, Token, VERSION, append};

use crate::{
    inbox::{Message, Sender},
    ladder::Rung,
    platform,
    process::{LINGER, News, Process, ProcessId},
    runtime_dir::runtime_dir,
};

/// A child process and the connection to it.
#[derive(Debug)]
pub(crate) struct Child {
    process: Process,
    stream: UnixStream,
    stage: Stage,
    /// The number that its next event must have.
    next_seq: u64,
    /// When it was last heard.
    heard_at: Instant,
    /// How many measurements it was given.
    given: u64,
    /// Whether it said anything since the last of them.
    has_answered: bool,
}

/// How a child went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) how: String,
    /// It had performed before, and never said a word about the measurement that it was given last: it was dead, or as
    /// good as dead, when that was sent.
    pub(crate) was_unheard: bool,
}

#[derive(Debug)]
enum Stage {
    Greeting {
        until: Instant,
    },
    Idle,
    Busy,
    /// It is done; signs are still to come from this many of its pipes.
    Settling {
        signs: usize,
    },
    /// It will say no more. `fault` is what it is to blame for, besides dying.
    Silent {
        fault: Option<String>,
        rung: Rung,
        until: Instant,
    },
    Gone,
}

/// A child that was started must answer in this time, on a machine that is busy with something else too.
const GREETING: Duration = Duration::from_secs(10);

/// A child that does not read what it is told is broken.
const WRITING: Duration = Duration::from_secs(5);

/// A process that left the child's group may go on to print into its pipes; it is listened to no longer than this.
const STRANGERS: Duration = Duration::from_secs(2);

/// How many events are passed on at once, so that a slow viewer holds up no more than these.
const BATCH: usize = 64;

impl Child {
    /// Starts `program __runner` and says Hello to it, without waiting for the answer.
    ///
    /// # Errors
    /// There is no place for its socket, or it cannot be started.
    pub(crate) fn start(program: &Path, id: ProcessId, sender: &Sender) -> Result<Child, String> {
        let (listener, stream) = connection(id)?;
        let token = platform::token().map_err(|error| format!("there is no source of random numbers: {error}"))?;
        let mut command = Program::new(program);
        command
            .arg("__runner")
            .env("MEASURAND_TOKEN", hex(&token))
            .stdin(Stdio::from(OwnedFd::from(listener)));
        let reading = stream.try_clone();
        let failed = |error: io::Error| format!("`{}` cannot be started: {error}", program.display());
        let process = Process::start(id, command, sender).map_err(failed)?;
        let sender = sender.clone();
        reading
            .and_then(|reading| {
                thread::Builder::new()
                    .name("events".into())
                    .spawn(move || read_events(id, reading, &sender))
            })
            .map_err(failed)?;
        stream.set_write_timeout(Some(WRITING)).map_err(failed)?;
        let now = Instant::now();
        let stage = Stage::Greeting { until: now + GREETING };
        let mut child = Child {
            process,
            stream,
            stage,
            next_seq: 1,
            heard_at: now,
            given: 0,
            has_answered: false,
        };
        child.tell(&Command::Hello {
            version: VERSION,
            token,
        });
        Ok(child)
    }

    /// The operating system's number of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub(crate) fn id(&self) -> ProcessId {
        self.process.id()
    }

    /// Whether it waits for a measurement.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.stage, Stage::Idle)
    }

    /// Whether it is of no use any more, although that may not have been said yet.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.stage, Stage::Silent { .. } | Stage::Gone) || self.process.has_ended()
    }

    /// Sends it a word. A child that cannot be told anything is ended; that is learnt as its death.
    pub(crate) fn tell(&mut self, command: &Command) {
        if matches!(self.stage, Stage::Silent { .. } | Stage::Gone) {
            return;
        }
        if matches!(command, Command::Perform(_)) {
            self.stage = Stage::Busy;
            self.given += 1;
            self.has_answered = false;
        }
        let mut frame = Vec::new();
        match append(&mut frame, command) {
            Err(error) => self.blame(format!("it could not be told what to do: {error}")),
            Ok(()) => match self.stream.write_all(&frame) {
                Ok(()) => (),
                // It has died, and its death says more.
                Err(error) if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => (),
                Err(error) => self.blame(format!("it could not be told what to do: {error}")),
            },
        }
    }

    pub(crate) fn terminate(&self) {
        self.process.terminate();
    }

    pub(crate) fn kill(&self) {
        self.process.kill();
    }

    /// Ends it at once, and waits so long for its death.
    pub(crate) fn kill_and_wait(&self, patience: Duration) {
        self.process.kill();
        self.process.wait(patience);
    }

    /// Takes note of what its process did; true when it waits for a measurement from now on.
    pub(crate) fn hear_process(&mut self, news: &News, now: Instant) -> bool {
        self.heard_at = now;
        self.process.hear(news, now);
        if matches!(news, News::Ended(_)) {
            // What it started has nobody to work for now.
            self.process.kill();
        }
        match (&mut self.stage, news) {
            // A pipe that ends gives no sign.
            (Stage::Settling { signs }, News::Fenced | News::PipeEnded(_)) => {
                *signs = signs.saturating_sub(1);
                self.settle()
            }
            _ => false,
        }
    }

    fn settle(&mut self) -> bool {
        let is_settled = matches!(self.stage, Stage::Settling { signs: 0 });
        if is_settled {
            self.stage = Stage::Idle;
        }
        is_settled
    }

    /// Takes note of what it said; true when it waits for a measurement from now on.
    pub(crate) fn hear_event(&mut self, event: &Numbered, now: Instant) -> bool {
        self.heard_at = now;
        self.has_answered = true;
        self.next_seq = event.seq + 1;
        match (&event.event, &self.stage) {
            (Event::Hello { version, refused, .. }, Stage::Greeting { .. }) => {
                if let Some(why) = refused {
                    self.blame(format!("it refuses to work: {why}"));
                } else if *version != VERSION {
                    self.blame(format!("it speaks version {version} of the protocol, not {VERSION}"));
                }
                false
            }
            (Event::Ready, Stage::Greeting { .. }) => {
                self.stage = Stage::Idle;
                true
            }
            (Event::Ready, Stage::Busy) => {
                self.stage = Stage::Settling {
                    signs: self.process.fence(),
                };
                self.settle()
            }
            _ => false,
        }
    }

    /// How many events are missing before this one.
    pub(crate) fn missing_before(&self, event: &Numbered) -> u64 {
        event.seq.saturating_sub(self.next_seq)
    }

    /// Takes note of the end of its stream.
    pub(crate) fn hear_end(&mut self, why: Option<String>, now: Instant) {
        self.heard_at = now;
        match (why, &self.stage) {
            (_, Stage::Silent { .. } | Stage::Gone) => (),
            (Some(why), _) => self.blame(why),
            (None, _) => self.fall_silent(None, now),
        }
    }

    /// Ends a child that does what it must not.
    fn blame(&mut self, fault: String) {
        self.terminate();
        let now = Instant::now();
        self.stage = Stage::Silent {
            fault: Some(fault),
            rung: Rung::Terminate,
            until: now + Rung::Terminate.patience(),
        };
    }

    fn fall_silent(&mut self, fault: Option<String>, now: Instant) {
        self.stage = Stage::Silent {
            fault,
            rung: Rung::Ask,
            until: now + Rung::Ask.patience(),
        };
    }

    /// When [`Child::look`] is to be called if nothing is heard until then.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match (&self.stage, self.process.lingers_until()) {
            (Stage::Gone, _) => None,
            // What it said before its end still comes, as fast as viewers take it; what a stranger prints into its pipes
            // need not.
            (Stage::Silent { .. }, Some(until)) => Some(until.max(self.heard_at + LINGER).min(until + STRANGERS)),
            (_, Some(until)) => Some(until.max(self.heard_at + LINGER)),
            (Stage::Greeting { until } | Stage::Silent { until, .. }, None) => Some(*until),
            (Stage::Idle | Stage::Busy | Stage::Settling { .. }, None) => None,
        }
    }

    /// Looks whether it is gone, and with which words, and climbs the ladder if it is time.
    pub(crate) fn look(&mut self, now: Instant) -> Option<Gone> {
        let is_due = self.deadline().is_some_and(|deadline| now >= deadline);
        let has_ended = self.process.end().is_some();
        match &mut self.stage {
            Stage::Gone => None,
            Stage::Silent { fault, .. } if has_ended && (is_due || !self.process.has_open_pipes()) => {
                let fault = fault.take();
                Some(self.gone(fault))
            }
            _ if has_ended && is_due => Some(self.gone(None)),
            Stage::Greeting { .. } if is_due => {
                self.blame(format!("it did not answer within {} s", GREETING.as_secs()));
                None
            }
            Stage::Silent { fault, rung, until } if is_due && !has_ended => match rung.next() {
                Some(next) => {
                    *rung = next;
                    *until = now + next.patience();
                    if next == Rung::Kill {
                        self.process.kill()
                    } else {
                        self.process.terminate()
                    }
                    None
                }
                None => {
                    let fault = fault.take();
                    Some(self.gone(fault))
                }
            },
            Stage::Greeting { .. } | Stage::Idle | Stage::Busy | Stage::Settling { .. } | Stage::Silent { .. } => None,
        }
    }

    fn gone(&mut self, fault: Option<String>) -> Gone {
        self.stage = Stage::Gone;
        let mut words = "the process that performs the measurement ".to_owned();
        match (fault, self.process.end()) {
            (Some(fault), Some(end)) => words.push_str(&format!("failed: {fault} ({end})")),
            (Some(fault), None) => words.push_str(&format!("failed: {fault} (and it does not die)")),
            (None, Some(end)) => words.push_str(&format!("died: {end}")),
            (None, None) => words.push_str("closed its connection and does not die"),
        }
        let last_words = self.process.last_words();
        if !last_words.is_empty() {
            words.push_str("; the last lines of its standard error:\n");
            words.push_str(&last_words);
        }
        Gone {
            how: words,
            was_unheard: self.given > 1 && !self.has_answered,
        }
    }
}

/// A listening socket for a child and the connection to it, whose name is gone already.
fn connection(id: ProcessId) -> Result<(UnixListener, UnixStream), String> {
    let folder = runtime_dir().map_err(|error| error.to_string())?;
    let path = folder.join(format!("child-{}-{}", process::id(), id.0));
    let failed = |error: io::Error| format!("the socket `{}` cannot be used: {error}", path.display());
    // What a process of the same id left behind.
    fs::remove_file(&path).ok();
    let listener = UnixListener::bind(&path).map_err(failed)?;
    let connected = fs::set_permissions(&path, Permissions::from_mode(0o600)).and_then(|()| UnixStream::connect(&path));
    // Nobody else is to find it, connected or not.
    fs::remove_file(&path).ok();
    Ok((listener, connected.map_err(failed)?))
}

fn hex(token: &Token) -> String {
    token.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_events(id: ProcessId, stream: UnixStream, sender: &Sender) {
    let mut reader = FrameReader::new(stream);
    let why = loop {
        match reader.read::<Numbered>() {
            Ok(None) | Err(FrameError::Torn | FrameError::Stream(_)) => break None,
            Err(error @ (FrameError::TooLong(_) | FrameError::Malformed(_))) => {
                break Some(format!("what it says is not understood: {error}"));
            }
            Ok(Some(first)) => {
                let mut events = vec![first];
                while events.len() < BATCH && reader.has_next() {
                    match reader.read::<Numbered>() {
                        Ok(Some(event)) => events.push(event),
                        // Said again by the next look at the stream.
                        Ok(None) | Err(_) => break,
                    }
                }
                if sender.send(Message::Events(id, events)).is_err() {
                    return;
                }
            }
        }
    };
    // The engine may be gone.
    sender.send(Message::StreamEnded(id, why)).ok();
}
