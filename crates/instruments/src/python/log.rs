//! What a process of Python prints, line by line, in the program's log.
//!
//! A thread takes what comes, whatever comes: bytes that are no text, lines without an end, more than anybody can read. The
//! last lines are kept, since they say why the process ended.

use std::{
    collections::VecDeque,
    io::{PipeReader, Read},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Takes a line: who printed it (names of instruments) and what.
pub type Log = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// A line beyond this is cut in two.
const LONGEST_LINE: usize = 4000;
/// Lines that are logged at once, and in each second after; what is more is counted only.
const MOST_AT_ONCE: f64 = 500.0;
const MOST_PER_SEC: f64 = 100.0;
/// A fault of compiled code prints as many, and some of our own functions.
const LAST_LINES: usize = 20;

/// What was printed.
#[derive(Default)]
pub(crate) struct Printed {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    last: VecDeque<String>,
    has_ended: bool,
}

impl Printed {
    /// The last lines, once all has come that the process printed; `patience` bounds the wait, because its children may
    /// live on and keep the pipe open.
    pub(crate) fn last_words(&self, patience: Duration) -> Vec<String> {
        let state = self.state();
        let waited = self.ended.wait_timeout_while(state, patience, |state| !state.has_ended);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.last.iter().cloned().collect()
    }

    /// Takes lines until the pipe ends; `who` is asked for each.
    pub(crate) fn take_all(&self, mut pipe: PipeReader, log: &Log, who: &dyn Fn() -> String) {
        let mut measure = Measure::new(Instant::now());
        let mut line = Vec::new();
        let mut chunk = [0; 8192];
        while let Ok(count @ 1..) = pipe.read(&mut chunk) {
            for piece in chunk[..count].split_inclusive(|byte| *byte == b'\n') {
                line.extend_from_slice(piece);
                while line.len() > LONGEST_LINE {
                    let rest = line.split_off(LONGEST_LINE);
                    self.take(&line, &mut measure, log, who);
                    line = rest;
                }
                if line.last() == Some(&b'\n') {
                    self.take(&line, &mut measure, log, who);
                    line.clear();
                }
            }
        }
        if !line.is_empty() {
            self.take(&line, &mut measure, log, who);
        }
        if let Some(words) = measure.left_out() {
            log(&who(), &words);
        }
        self.state().has_ended = true;
        self.ended.notify_all();
    }

    fn take(&self, line: &[u8], measure: &mut Measure, log: &Log, who: &dyn Fn() -> String) {
        let text = String::from_utf8_lossy(line);
        let text: String = text.trim_end().chars().map(visible).collect();
        if text.is_empty() {
            return;
        }
        if measure.allows(Instant::now()) {
            if let Some(words) = measure.left_out() {
                log(&who(), &words);
            }
            log(&who(), &text);
        }
        let mut state = self.state();
        if state.last.len() == LAST_LINES {
            state.last.pop_front();
        }
        state.last.push_back(text);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Lines that a panicking thread left are whole: each change is one push.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How much is logged of a flood.
struct Measure {
    allowance: f64,
    since: Instant,
    left_out: u64,
}

impl Measure {
    fn new(now: Instant) -> Self {
        Self {
            allowance: MOST_AT_ONCE,
            since: now,
            left_out: 0,
        }
    }

    fn allows(&mut self, now: Instant) -> bool {
        let secs = now.duration_since(self.since).as_secs_f64();
        self.since = now;
        self.allowance = (self.allowance + secs * MOST_PER_SEC).min(MOST_AT_ONCE);
        if self.allowance < 1.0 {
            self.left_out += 1;
            return false;
        }
        self.allowance -= 1.0;
        true
    }

    fn left_out(&mut self) -> Option<String> {
        let count = std::mem::take(&mut self.left_out);
        (count > 0).then(|| format!("({count} lines more were printed)"))
    }
}

/// Characters that would move the cursor of a terminal are shown as nothing.
fn visible(character: char) -> char {
    if character.is_control() && character != '\t' {
        '\u{fffd}'
    } else {
        character
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn printed(content: &[u8]) -> (Vec<String>, Vec<String>) {
        let (reader, mut writer) = std::io::pipe().expect("a pipe");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log: Log = {
            let lines = Arc::clone(&lines);
            Arc::new(move |who, line| lines.lock().unwrap().push(format!("{who}: {line}")))
        };
        let content = content.to_vec();
        let writing = std::thread::spawn(move || writer.write_all(&content).expect("a reader"));
        let printed = Printed::default();
        printed.take_all(reader, &log, &|| "vi".to_owned());
        writing.join().expect("it writes");
        let lines = lines.lock().unwrap().clone();
        (lines, printed.last_words(Duration::ZERO))
    }

    #[test]
    fn lines_are_logged_with_the_name_of_the_instrument() {
        let (lines, last) = printed(b"one\n\ntwo");
        assert_eq!(lines, ["vi: one", "vi: two"]);
        assert_eq!(last, ["one", "two"]);
    }

    #[test]
    fn what_is_no_text_is_shown_as_such() {
        assert_eq!(printed(b"a\xff\x1b[2Jb\n").0, ["vi: a\u{fffd}\u{fffd}[2Jb"]);
    }

    #[test]
    fn a_flood_is_counted_and_its_end_is_kept() {
        let text: String = (0..20_000).map(|i| format!("{i}\n")).collect();
        let (lines, last) = printed(text.as_bytes());
        assert!(lines.len() < 2000, "{}", lines.len());
        let counted = |line: &&String| line.ends_with("lines more were printed)");
        assert!(lines.iter().any(|line| counted(&line)));
        assert_eq!(last.last().map(String::as_str), Some("19999"));
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let (lines, _) = printed(&[b'x'; 10_000]);
        assert_eq!(
            lines.iter().map(|line| line.len() - 4).collect::<Vec<_>>(),
            [4000, 4000, 2000]
        );
    }
}
