//! `--events`: every event as one JSON object a line, in a file or on standard output.
//!
//! A thread of its own writes, so that what is there is written at once and in large pieces when much is there. The room
//! between is bounded: with a reader that does not read, the run's viewer waits, and with `--lossless` the loop does; the
//! second Ctrl-C gives a reader up that does not move.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use supervisor::RunEvent;

use crate::complaint::Complaint;

/// Where events go.
pub(crate) struct EventStream {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    pending: Mutex<Pending>,
    moved: Condvar,
}

#[derive(Default)]
struct Pending {
    text: String,
    phase: Phase,
    patience: Patience,
}

/// How long a reader is waited for.
#[derive(Clone, Copy, Debug, Default)]
enum Patience {
    #[default]
    Endless,
    Short,
}

/// A reader that is alive takes something within this time.
const SHORT: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Open,
    /// Nothing more comes: what is there is written.
    Closing,
    /// All is written.
    Closed,
    /// Nobody takes them, so they are dropped.
    GivenUp,
    Failed(io::Error),
}

/// Enough for a second of a million events; more than that is the reader's to catch up with.
const ROOM: usize = 32 << 20;

/// Lets the events of a run go although nobody reads them.
#[derive(Clone)]
pub(crate) struct GiveUp(Arc<Shared>);

impl EventStream {
    /// Writes to `path`, which is replaced; `-` is standard output.
    pub(crate) fn open(path: &Path) -> Result<EventStream, Complaint> {
        let failed = |error: io::Error| Complaint::of_file("write events to", path, &error);
        let mut sink: Box<dyn Write + Send> = if path == Path::new("-") {
            Box::new(io::stdout())
        } else {
            Box::new(File::create(path).map_err(failed)?)
        };
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        // It ends with the stream; a writer that hangs in a reader that does not read ends with the process.
        std::thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || own.write(&mut *sink))
            .map_err(failed)?;
        Ok(EventStream { shared })
    }

    pub(crate) fn push(&self, event: &RunEvent) {
        let is_stuck = |pending: &Pending| pending.text.len() > ROOM && matches!(pending.phase, Phase::Open);
        let mut pending = self.shared.wait_while(is_stuck);
        match pending.phase {
            Phase::Open => {
                let was_empty = pending.text.is_empty();
                event.write_json(&mut pending.text);
                pending.text.push('\n');
                if was_empty {
                    self.shared.moved.notify_all();
                }
            }
            Phase::Closing | Phase::Closed | Phase::GivenUp | Phase::Failed(_) => (),
        }
    }

    pub(crate) fn give_up(&self) -> GiveUp {
        GiveUp(Arc::clone(&self.shared))
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// It could not be written; a reader that went away is no error.
    pub(crate) fn close(self) -> io::Result<()> {
        self.end();
        match std::mem::replace(&mut self.shared.lock().phase, Phase::Closed) {
            Phase::Failed(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            Phase::Failed(_) | Phase::Open | Phase::Closing | Phase::Closed | Phase::GivenUp => Ok(()),
        }
    }

    fn end(&self) {
        let mut pending = self.shared.lock();
        if matches!(pending.phase, Phase::Open) {
            pending.phase = Phase::Closing;
            self.shared.moved.notify_all();
        }
        drop(pending);
        drop(
            self.shared
                .wait_while(|pending| matches!(pending.phase, Phase::Closing)),
        );
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.end();
    }
}

impl GiveUp {
    pub(crate) fn give_up(&self) {
        self.0.lock().patience = Patience::Short;
        self.0.moved.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while this is true and gives the reader up when patience is short.
    fn wait_while(&self, is_stuck: impl Fn(&Pending) -> bool) -> MutexGuard<'_, Pending> {
        let mut pending = self.lock();
        while is_stuck(&pending) {
            let waited = match pending.patience {
                Patience::Endless => (self.moved.wait(pending).unwrap_or_else(PoisonError::into_inner), false),
                Patience::Short => {
                    let waited = self
                        .moved
                        .wait_timeout(pending, SHORT)
                        .unwrap_or_else(PoisonError::into_inner);
                    (waited.0, waited.1.timed_out())
                }
            };
            pending = waited.0;
            if waited.1 && is_stuck(&pending) {
                pending.phase = Phase::GivenUp;
            }
        }
        pending
    }

    fn write(&self, sink: &mut dyn Write) {
        let mut text = String::new();
        loop {
            let mut pending = self.lock();
            while pending.text.is_empty() {
                match pending.phase {
                    Phase::Open => pending = self.moved.wait(pending).unwrap_or_else(PoisonError::into_inner),
                    Phase::Closing => {
                        pending.phase = Phase::Closed;
                        self.moved.notify_all();
                        return;
                    }
                    Phase::Closed | Phase::GivenUp | Phase::Failed(_) => return,
                }
            }
            std::mem::swap(&mut text, &mut pending.text);
            drop(pending);
            self.moved.notify_all();
            if let Err(error) = sink.write_all(text.as_bytes()).and_then(|()| sink.flush()) {
                self.lock().phase = Phase::Failed(error);
                self.moved.notify_all();
                return;
            }
            text.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use supervisor::{RunState, What};

    use super::*;

    #[test]
    fn all_events_are_in_the_file_when_it_is_closed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("events.jsonl");
        let events = EventStream::open(&path).expect("a file");
        for seq in 1..=10_000 {
            events.push(&RunEvent {
                seq,
                time_us: 0,
                what: What::State(RunState::Running),
            });
        }
        events.close().expect("room on the disk");
        let text = std::fs::read_to_string(&path).expect("the file");
        assert_eq!(text.lines().count(), 10_000);
        let last = text.lines().last().expect("a line");
        assert_eq!(
            last,
            r#"{"seq":10000,"time":"1970-01-01T00:00:00.000000Z","type":"state","state":"Running"}"#
        );
    }
}
