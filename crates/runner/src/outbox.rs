//! What the child has to say, on its way to the parent.
//!
//! Saying is appending to a buffer; a thread of its own writes. It is woken at most once a millisecond, so that a burst of
//! records does not cost a system call each. When the parent does not read, the buffer fills up to its limit and whoever
//! says more waits: log records and lossless updates are never dropped, and memory is bounded. When the parent is gone,
//! words go nowhere and nobody waits.

use std::{
    io::Write,
    os::unix::net::UnixStream,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use protocol::{Event, Level, Numbered};

/// Whoever has more to say than this waits until the parent has read.
const LIMIT: usize = 4 * 1024 * 1024;

/// How long the writing thread gathers words before it looks again.
const GATHER: Duration = Duration::from_millis(1);

pub(crate) struct Outbox {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    buffer: Vec<u8>,
    seq: u64,
    /// Whether the thread waits to be woken.
    idle: bool,
    writing: bool,
    /// Whether there is a word in the buffer that somebody waits for.
    urgent: bool,
    gone: bool,
    closed: bool,
}

impl Outbox {
    pub(crate) fn open(mut stream: UnixStream) -> std::io::Result<(Arc<Self>, JoinHandle<()>)> {
        let outbox = Arc::new(Self {
            state: Mutex::new(State {
                buffer: Vec::new(),
                seq: 0,
                idle: false,
                writing: false,
                urgent: false,
                gone: false,
                closed: false,
            }),
            changed: Condvar::new(),
        });
        let shared = outbox.clone();
        let thread = std::thread::Builder::new()
            .name("outbox".to_owned())
            .spawn(move || shared.write_to(&mut stream))?;
        Ok((outbox, thread))
    }

    /// Says something; waits while the parent is far behind.
    pub(crate) fn say(&self, event: Event) {
        self.say_at(now_us(), event);
    }

    pub(crate) fn say_at(&self, time_us: i64, event: Event) {
        let mut state = self.state();
        while state.buffer.len() > LIMIT && !state.gone {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.gone {
            return;
        }
        state.seq += 1;
        state.urgent |= is_urgent(&event);
        let numbered = Numbered {
            seq: state.seq,
            time_us,
            event,
        };
        let buffer = &mut state.buffer;
        if let Err(error) = protocol::append(buffer, &numbered) {
            // A value longer than any message may be: the parent hears of it instead.
            let event = Event::Log {
                level: Level::Error,
                target: "measurand".to_owned(),
                message: format!("not sent: {error}"),
            };
            let numbered = Numbered {
                seq: state.seq,
                time_us,
                event,
            };
            protocol::append(&mut state.buffer, &numbered).expect("a short record fits in a message");
        }
        if state.idle || state.urgent {
            state.idle = false;
            self.changed.notify_all();
        }
    }

    /// Waits until everything said so far is with the operating system, or the parent is gone.
    pub(crate) fn flush(&self) {
        let mut state = self.state();
        while !(state.gone || state.buffer.is_empty() && !state.writing) {
            state.idle = false;
            self.changed.notify_all();
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends the thread once everything is written.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    fn write_to(&self, stream: &mut UnixStream) {
        let mut batch = Vec::new();
        loop {
            let mut state = self.state();
            while state.buffer.is_empty() {
                if state.closed || state.gone {
                    return;
                }
                state.idle = true;
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.idle = false;
            state.urgent = false;
            state.writing = true;
            std::mem::swap(&mut state.buffer, &mut batch);
            drop(state);
            self.changed.notify_all();

            let result = stream.write_all(&batch);
            batch.clear();
            batch.shrink_to(LIMIT);

            let mut state = self.state();
            state.writing = false;
            if result.is_err() {
                state.gone = true;
                state.buffer = Vec::new();
            }
            let finished = state.closed || state.gone;
            drop(state);
            self.changed.notify_all();
            if !finished {
                self.gather();
            }
        }
    }

    /// Lets words come together; whoever waits for them to be written ends it.
    fn gather(&self) {
        let state = self.state();
        if !state.urgent && state.buffer.len() < LIMIT / 4 {
            let waited = self.changed.wait_timeout(state, GATHER);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether somebody waits for this word: everything but what comes in streams.
fn is_urgent(event: &Event) -> bool {
    !matches!(
        event,
        Event::Log { .. } | Event::Values(_) | Event::Progress { .. } | Event::At { .. }
    )
}

/// Microseconds since 1970-01-01 UTC.
pub(crate) fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
