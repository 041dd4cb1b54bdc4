//! The values of a run's entries, and which of their updates the parent wants.
//!
//! An update of an entry that nobody observes is a lock and a move. One that is observed is marked, and the spy takes the
//! latest of all that are marked now and then; when every update is wanted, they gather here in order and are handed on
//! in batches.

use std::sync::{Mutex, MutexGuard, PoisonError};

use measurement::EntryId;
use protocol::{Event, Value};

use crate::outbox::{Outbox, now_us};

/// Updates are handed on when this many came together, or when the spy or a log record comes by.
const BATCH: usize = 512;

/// How the updates of an entry are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    Unwatched,
    /// The latest value now and then.
    Latest,
    /// Every update, in order.
    Every,
}

pub(crate) struct Store {
    state: Mutex<State>,
}

struct State {
    values: Vec<Value>,
    watch: Vec<Watch>,
    /// Entries whose latest value was not sent yet.
    marked: Vec<bool>,
    marks: Vec<u32>,
    updates: Vec<(u32, Value)>,
}

impl Store {
    /// `values` and `watch` by entry.
    pub(crate) fn new(values: Vec<Value>, watch: Vec<Watch>) -> Self {
        let marked = vec![false; values.len()];
        Self {
            state: Mutex::new(State {
                values,
                watch,
                marked,
                marks: Vec::new(),
                updates: Vec::new(),
            }),
        }
    }

    #[inline]
    pub(crate) fn read(&self, entries: &[EntryId], into: &mut [Value]) {
        let state = self.state();
        for (entry, value) in entries.iter().zip(into) {
            *value = state.values[entry.index()].clone();
        }
    }

    #[inline]
    pub(crate) fn write(&self, entry: EntryId, value: Value, outbox: &Outbox) {
        let index = entry.index();
        let mut state = self.state();
        let old = std::mem::replace(&mut state.values[index], value);
        if state.watch[index] != Watch::Unwatched {
            state.note(index, outbox);
        }
        drop(state);
        // An array is freed after the lock.
        drop(old);
    }

    /// Writes two entries under one lock.
    #[inline]
    pub(crate) fn write_both(&self, first: (EntryId, Value), second: (EntryId, Value), outbox: &Outbox) {
        let (one, other) = (first.0.index(), second.0.index());
        let mut state = self.state();
        let old_one = std::mem::replace(&mut state.values[one], first.1);
        if state.watch[one] != Watch::Unwatched {
            state.note(one, outbox);
        }
        let old_other = std::mem::replace(&mut state.values[other], second.1);
        if state.watch[other] != Watch::Unwatched {
            state.note(other, outbox);
        }
        drop(state);
        drop((old_one, old_other));
    }

    /// Sets a row of the array with fields that an entry holds.
    pub(crate) fn write_row(&self, entry: EntryId, row: usize, numbers: &[f64], outbox: &Outbox) -> Result<(), String> {
        let index = entry.index();
        let mut state = self.state();
        state.values[index]
            .set_row(row, numbers)
            .map_err(|error| error.to_string())?;
        if state.watch[index] != Watch::Unwatched {
            state.note(index, outbox);
        }
        Ok(())
    }

    /// Sends what is observed and was not sent yet.
    pub(crate) fn send(&self, outbox: &Outbox) {
        let mut state = self.state();
        state.hand_on(outbox);
        let marks = std::mem::take(&mut state.marks);
        let mut latest = Vec::with_capacity(marks.len());
        for index in marks {
            state.marked[index as usize] = false;
            latest.push((index, state.values[index as usize].clone()));
        }
        drop(state);
        if !latest.is_empty() {
            outbox.say(Event::Values(latest));
        }
    }

    /// Sends the updates that gathered, so that what is said next comes after them.
    pub(crate) fn send_updates(&self, outbox: &Outbox) {
        self.state().hand_on(outbox);
    }

    /// Uses the values of all entries, by entry; nobody writes any meanwhile.
    #[inline]
    pub(crate) fn with_all<T>(&self, use_them: impl FnOnce(&[Value]) -> T) -> T {
        use_them(&self.state().values)
    }

    /// The value of an entry now.
    pub(crate) fn get(&self, entry: EntryId) -> Value {
        self.state().values[entry.index()].clone()
    }

    /// The values of all entries, or of the observed ones.
    pub(crate) fn snapshot(&self, only_observed: bool) -> Vec<(u32, Value)> {
        let state = self.state();
        let watched = |index: usize| !only_observed || state.watch[index] != Watch::Unwatched;
        let values = state.values.iter().enumerate().filter(|(index, _)| watched(*index));
        values.map(|(index, value)| (index as u32, value.clone())).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note(&mut self, index: usize, outbox: &Outbox) {
        match self.watch[index] {
            Watch::Unwatched => (),
            Watch::Latest => {
                if !self.marked[index] {
                    self.marked[index] = true;
                    self.marks.push(index as u32);
                }
            }
            Watch::Every => {
                self.updates.push((index as u32, self.values[index].clone()));
                if self.updates.len() >= BATCH {
                    self.hand_on(outbox);
                }
            }
        }
    }

    /// Under the lock, so that updates keep their order whichever thread hands them on.
    fn hand_on(&mut self, outbox: &Outbox) {
        if !self.updates.is_empty() {
            let updates = std::mem::replace(&mut self.updates, Vec::with_capacity(BATCH));
            outbox.say_at(now_us(), Event::Values(updates));
        }
    }
}
