//! A run as a display shows it: a fold over its updates, and nothing else.
//!
//! It holds what is true now (state, values, running loops, where the run is) and the last lines of the log. Its size
//! does not grow with the length of a run.

use std::{
    collections::{HashMap, VecDeque},
    path::PathBuf,
    sync::Arc,
};

use measurement::Severity;
use protocol::{Doing, Level, Outcome, Value};

use crate::{
    engine::Facts,
    event::{RunEvent, RunState, Update, What},
};

/// What is known of a run.
#[derive(Clone, Debug, Default)]
pub struct View {
    pub facts: Option<Facts>,
    /// The state, until there is an outcome.
    pub state: Option<RunState>,
    pub outcome: Option<Outcome>,
    /// By task path, `unhandled`, `engine` or the hook; known with the outcome.
    pub errors: Vec<(String, String)>,
    /// Paths of all entries, by id.
    pub entries: Arc<[Arc<str>]>,
    /// Loops that run, the outer before the inner.
    pub loops: Vec<LoopView>,
    /// The last lines of the log, oldest first.
    pub log: VecDeque<LogLine>,
    /// Errors and warnings found in the measurement.
    pub problem_counts: (usize, usize),
    /// Where the run has been for a while, the last word of each task, until something else happens there.
    pub at: Vec<At>,
    /// Every log file of the run, in the order of their days.
    pub log_files: Vec<PathBuf>,
    pub saved_file: Option<PathBuf>,
    /// When the run was first heard of, and last, in microseconds since 1970-01-01 UTC.
    pub began_us: Option<i64>,
    pub last_us: i64,
    values: Vec<Option<Value>>,
    ids: HashMap<Arc<str>, u32>,
    /// Since when the run is held.
    held_since_us: Option<i64>,
}

/// A loop that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoopView {
    pub task: String,
    /// The iteration that began last, from 1.
    pub index: u64,
    pub total: Option<u64>,
    /// When the first known iteration of this pass began, pauses taken out, and which it was.
    began_us: i64,
    first: u64,
    /// When the last iteration began.
    at_us: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub time_us: i64,
    pub level: Level,
    pub target: String,
    pub message: String,
}

/// Where a thread of the run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    pub task: String,
    pub doing: Doing,
    /// For how long, when it was said.
    pub millis: u64,
}

/// Lines of the log that are kept.
const LINES: usize = 200;

/// Tasks at which threads can be at once in a display.
const THREADS: usize = 16;

/// A loop beside the one that goes on is over when it has been silent for this long.
const SILENCE_US: i64 = 2_000_000;

impl View {
    /// Takes an update in.
    pub fn fold(&mut self, update: &Update) {
        match update {
            Update::Event(event) => self.fold_event(event),
            Update::Started { entries, values, files } => {
                self.ids = entries
                    .iter()
                    .enumerate()
                    .map(|(id, entry)| (Arc::clone(entry), id as u32))
                    .collect();
                self.entries = Arc::clone(entries);
                self.values = vec![None; entries.len()];
                for (id, value) in values {
                    self.set(*id, value);
                }
                self.log_files.push(files.log_file.clone());
                self.saved_file = Some(files.saved_file.clone());
            }
            Update::At { task, doing, millis } => {
                self.at.retain(|at| at.task != *task);
                if self.at.len() == THREADS {
                    self.at.remove(0);
                }
                self.at.push(At {
                    task: task.clone(),
                    doing: *doing,
                    millis: *millis,
                });
            }
            Update::LogFile(path) => self.log_files.push(path.clone()),
        }
    }

    fn fold_event(&mut self, event: &RunEvent) {
        self.began_us.get_or_insert(event.time_us);
        self.last_us = self.last_us.max(event.time_us);
        match &event.what {
            What::Run {
                name,
                id,
                file,
                default_path,
                ..
            } => {
                self.facts = Some(Facts {
                    name: name.clone(),
                    id: id.clone(),
                    file: file.clone(),
                    default_path: default_path.clone(),
                });
            }
            What::State(state) => self.change_state(*state, event.time_us),
            What::Log { level, target, message } => {
                if self.log.len() == LINES {
                    self.log.pop_front();
                }
                self.log.push_back(LogLine {
                    time_us: event.time_us,
                    level: *level,
                    target: target.clone(),
                    message: message.clone(),
                });
            }
            What::Value { entry, value } => {
                // Something moved, so nothing that was said to take long is known to do so still.
                self.at.clear();
                if let Some(id) = self.ids.get(entry) {
                    self.set(*id, value);
                }
            }
            What::Progress { task, index, total } => {
                self.at.clear();
                self.progress(task, *index, *total, event.time_us);
            }
            What::Problem { severity, .. } => match severity {
                Severity::Error => self.problem_counts.0 += 1,
                Severity::Warning => self.problem_counts.1 += 1,
            },
            What::Finished { outcome, errors } => {
                self.state = None;
                self.outcome = Some(*outcome);
                self.errors = errors.clone();
                self.at.clear();
            }
        }
    }

    fn set(&mut self, id: u32, value: &Value) {
        if let Some(slot) = self.values.get_mut(id as usize) {
            *slot = Some(value.clone());
        }
    }

    /// The last known value of an entry.
    pub fn value(&self, id: u32) -> Option<&Value> {
        self.values.get(id as usize)?.as_ref()
    }

    /// The last known value of an entry by its full path.
    pub fn value_of(&self, entry: &str) -> Option<&Value> {
        self.value(self.id_of(entry)?)
    }

    pub fn id_of(&self, entry: &str) -> Option<u32> {
        self.ids.get(entry).copied()
    }

    /// Entries with a known value, in the order of the tree.
    pub fn values(&self) -> impl Iterator<Item = (&Arc<str>, &Value)> {
        self.entries
            .iter()
            .zip(&self.values)
            .filter_map(|(entry, value)| Some((entry, value.as_ref()?)))
    }

    fn change_state(&mut self, state: RunState, time_us: i64) {
        self.state = Some(state);
        match state {
            RunState::Paused => {
                self.held_since_us.get_or_insert(time_us);
            }
            RunState::Running => {
                if let Some(since) = self.held_since_us.take() {
                    for running in &mut self.loops {
                        running.began_us += time_us - since;
                        running.at_us += time_us - since;
                    }
                }
            }
            RunState::Ready | RunState::Pausing | RunState::Resuming | RunState::Stopping => (),
        }
    }

    fn progress(&mut self, task: &str, index: u64, total: Option<u64>, time_us: i64) {
        self.loops.retain(|other| {
            is_inside(task, &other.task)
                || (other.task == task)
                || (is_inside(&other.task, task) && time_us - other.at_us < SILENCE_US.max(other.usual_us()))
                || (!is_inside(&other.task, task) && !other.is_at_end() && time_us - other.at_us < SILENCE_US)
        });
        match self.loops.iter_mut().find(|running| running.task == task) {
            Some(running) => {
                if index <= running.index {
                    running.began_us = time_us;
                    running.first = index;
                }
                running.index = index;
                running.total = total;
                running.at_us = time_us;
            }
            None => {
                let running = LoopView {
                    task: task.to_owned(),
                    index,
                    total,
                    began_us: time_us,
                    first: index,
                    at_us: time_us,
                };
                let inner = self.loops.iter().position(|other| is_inside(&other.task, task));
                self.loops.insert(inner.unwrap_or(self.loops.len()), running);
            }
        }
    }
}

impl LoopView {
    /// How long the loop still needs at `now_us`, in microseconds, if its iterations go on as they did; nothing before
    /// the second one begins, or when nobody knows how many there are. Pauses that last are not taken out.
    pub fn left_us(&self, now_us: i64) -> Option<u64> {
        let done = self.index.checked_sub(self.first).filter(|done| *done > 0)?;
        let to_do = (self.total?.checked_sub(self.index)? + 1) as f64;
        let one = (self.at_us - self.began_us).max(0) as f64 / done as f64;
        let left = one * to_do - (now_us - self.at_us).max(0) as f64;
        // A negative number becomes 0: it should be over any moment.
        Some(left as u64)
    }

    fn is_at_end(&self) -> bool {
        self.total.is_some_and(|total| self.index >= total)
    }

    /// What an iteration took so far, and some patience.
    fn usual_us(&self) -> i64 {
        let done = i64::try_from(self.index.saturating_sub(self.first))
            .unwrap_or(i64::MAX)
            .max(1);
        (self.at_us - self.began_us) / done * 4
    }
}

/// Whether `task` is below `other` in the tree.
fn is_inside(task: &str, other: &str) -> bool {
    task.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::RunFiles;

    fn at(second: i64, what: What) -> Update {
        Update::Event(RunEvent {
            seq: 1,
            time_us: second * 1_000_000,
            what,
        })
    }

    fn progress(second: i64, task: &str, index: u64, total: u64) -> Update {
        at(
            second,
            What::Progress {
                task: task.into(),
                index,
                total: Some(total),
            },
        )
    }

    fn folded(updates: &[Update]) -> View {
        let mut view = View::default();
        for update in updates {
            view.fold(update);
        }
        view
    }

    #[test]
    fn a_loop_tells_what_is_left_of_it() {
        let view = folded(&[
            progress(0, "root/a", 1, 10),
            progress(10, "root/a", 2, 10),
            progress(20, "root/a", 3, 10),
        ]);
        let outer = &view.loops[0];
        assert_eq!(outer.left_us(20_000_000), Some(80_000_000));
        assert_eq!(outer.left_us(25_000_000), Some(75_000_000));
        assert_eq!(outer.left_us(900_000_000), Some(0));
    }

    #[test]
    fn a_pause_counts_for_nothing() {
        let view = folded(&[
            progress(0, "root/a", 1, 3),
            at(5, What::State(RunState::Paused)),
            at(105, What::State(RunState::Running)),
            progress(110, "root/a", 2, 3),
        ]);
        assert_eq!(view.loops[0].left_us(110_000_000), Some(20_000_000));
    }

    #[test]
    fn loops_are_shown_from_the_outer_to_the_inner_and_go_when_they_are_over() {
        let mut view = folded(&[
            progress(0, "root/a/b", 1, 2),
            progress(0, "root/a", 1, 2),
            progress(1, "root/a/b", 2, 2),
            progress(2, "root/a", 2, 2),
        ]);
        let names = |view: &View| {
            view.loops
                .iter()
                .map(|running| running.task.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&view), ["root/a", "root/a/b"]);
        view.fold(&progress(3, "root/c", 1, 5));
        assert_eq!(names(&view), ["root/c"]);
    }

    #[test]
    fn values_are_known_by_id_and_by_path_and_the_log_is_bounded() {
        let entries: Arc<[Arc<str>]> = Arc::new(["root/x".into(), "root/y".into()]);
        let mut view = folded(&[
            Update::Started {
                entries,
                values: vec![(0, Value::Int(1)), (7, Value::Int(0))],
                files: RunFiles {
                    log_file: "a.log".into(),
                    saved_file: "a.meas.ini".into(),
                    record: None,
                },
            },
            at(
                1,
                What::Value {
                    entry: "root/y".into(),
                    value: Value::Int(5),
                },
            ),
        ]);
        let json = |value: Option<&Value>| {
            let mut out = String::new();
            value.expect("known").write_json(&mut out);
            out
        };
        assert_eq!(json(view.value(0)), "1");
        assert_eq!(json(view.value_of("root/y")), "5");
        assert!(view.value_of("root/z").is_none());
        for i in 0..1000 {
            view.fold(&at(
                i,
                What::Log {
                    level: Level::Info,
                    target: "t".into(),
                    message: i.to_string(),
                },
            ));
        }
        assert_eq!(view.log.len(), LINES);
        assert_eq!(view.log.back().map(|line| line.message.as_str()), Some("999"));
    }
}
