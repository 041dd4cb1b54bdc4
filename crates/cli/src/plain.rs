//! The plain output of a run: its lines, written by a thread of their own, so that no run ever waits for a reader.
//!
//! When the reader is too slow for what is logged, the oldest lines that wait are left out and counted: all of them are
//! in the log file.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use supervisor::{Update, View};

use crate::{
    telling,
    terminal::{Paint, Stream},
};

/// Lines that wait to be written.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    lines: VecDeque<String>,
    left_out: usize,
}

/// About as many lines as a terminal's scrollback holds.
const MOST_LINES: usize = 10_000;

impl Backlog {
    pub(crate) fn push(&mut self, line: String) {
        if self.lines.len() == MOST_LINES {
            self.lines.pop_front();
            self.left_out += 1;
        }
        self.lines.push_back(line);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// All that waits, as one text.
    pub(crate) fn take(&mut self, paint: Paint) -> String {
        let mut text = String::new();
        if self.left_out > 0 {
            let words = format!("… {} lines are left out here; the log file has them", self.left_out);
            text.push_str(&paint.faint(&words));
            text.push('\n');
            self.left_out = 0;
        }
        text.extend(self.lines.drain(..));
        text
    }
}

/// A run's lines on their way to a stream.
pub(crate) struct Plain {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
    paint: Paint,
    view: View,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    moved: Condvar,
}

#[derive(Default)]
struct Waiting {
    backlog: Backlog,
    is_closing: bool,
}

impl Plain {
    pub(crate) fn open(stream: Stream) -> Plain {
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        let paint = stream.paint();
        let writer = std::thread::Builder::new()
            .name("plain".to_owned())
            .spawn(move || own.write(stream, paint))
            .ok();
        Plain {
            shared,
            writer,
            paint,
            view: View::default(),
        }
    }

    pub(crate) fn fold(&mut self, update: &Update) {
        self.view.fold(update);
        let Update::Event(event) = update else { return };
        if let Some(line) = telling::lines(event, self.paint) {
            self.shared.lock().backlog.push(line);
            self.shared.moved.notify_all();
        }
    }

    /// Writes what waits and returns what the run looked like at its end.
    pub(crate) fn close(mut self) -> View {
        self.end();
        std::mem::take(&mut self.view)
    }

    fn end(&mut self) {
        self.shared.lock().is_closing = true;
        self.shared.moved.notify_all();
        if let Some(writer) = self.writer.take() {
            writer.join().ok(); // A writer that panicked has said so.
        }
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, stream: Stream, paint: Paint) {
        loop {
            let mut waiting = self.lock();
            while waiting.backlog.is_empty() {
                if waiting.is_closing {
                    return;
                }
                waiting = self.moved.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
            let text = waiting.backlog.take(paint);
            drop(waiting);
            stream.write(&text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_is_bounded_and_says_what_it_left_out() {
        let mut backlog = Backlog::default();
        for i in 0..MOST_LINES + 2 {
            backlog.push(format!("{i}\n"));
        }
        let text = backlog.take(Paint::Plain);
        assert!(
            text.starts_with("… 2 lines are left out here; the log file has them\n2\n3\n"),
            "{}",
            &text[..80]
        );
        assert!(backlog.is_empty());
        assert_eq!(backlog.take(Paint::Plain), "");
    }
}
