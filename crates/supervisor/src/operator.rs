//! What the operator holds: a handle to ask the run for a pause, its resumption, a stop or its end.
//!
//! Asking never waits for the run and may be done from anywhere, a signal's thread and a viewer included; the answer can
//! be waited for with [`Operator::ask`], but not from a viewer, which runs on the thread that would give it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
        mpsc::sync_channel,
    },
    time::Duration,
};

use crate::{
    event::EngineState,
    inbox::{Request, Sender},
    verb::{Refusal, Verb},
};

/// Asks what an engine performs.
#[derive(Clone, Debug)]
pub struct Operator {
    sender: Sender,
    state: StateCell,
    name: Arc<str>,
}

/// How long the loop of a run may take to answer: a viewer may keep it from it.
const PATIENCE: Duration = Duration::from_secs(5);

impl Operator {
    pub(crate) fn new(sender: Sender, state: StateCell) -> Self {
        Self {
            sender,
            state,
            name: Arc::from("the operator"),
        }
    }

    /// The same under a name, which goes on record with what is asked: `a key in the terminal`.
    #[must_use]
    pub fn named(&self, name: &str) -> Self {
        Self {
            name: Arc::from(name),
            ..self.clone()
        }
    }

    /// Holds all tasks at their next checkpoint. What cannot be done is said in the run's log.
    pub fn pause(&self) {
        self.tell(Verb::Pause);
    }

    pub fn resume(&self) {
        self.tell(Verb::Resume);
    }

    /// Ends the measurement at its next checkpoint; post hooks are run.
    pub fn stop(&self) {
        self.tell(Verb::Stop);
    }

    /// Ends the measurement whatever it does, without hooks: ask, terminate, kill. Asking again climbs at once.
    pub fn kill(&self) {
        self.tell(Verb::Kill);
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// The run cannot do it now, or nothing is performed.
    pub fn ask(&self, verb: Verb) -> Result<(), Refusal> {
        let (answer, answered) = sync_channel(1);
        self.sender.ask(Request {
            verb,
            by: self.name.clone(),
            answer: Some(answer),
        });
        answered.recv_timeout(PATIENCE).unwrap_or(Err(Refusal::NoAnswer))
    }

    pub fn state(&self) -> EngineState {
        self.state.get()
    }

    fn tell(&self, verb: Verb) {
        self.sender.ask(Request {
            verb,
            by: self.name.clone(),
            answer: None,
        });
    }
}

/// The engine's state where other threads can read it; only the loop writes it.
#[derive(Clone, Debug)]
pub(crate) struct StateCell(Arc<AtomicU8>);

impl StateCell {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU8::new(EngineState::Stopped as u8)))
    }

    pub(crate) fn get(&self) -> EngineState {
        EngineState::ALL[usize::from(self.0.load(Ordering::Acquire))]
    }

    pub(crate) fn set(&self, state: EngineState) {
        self.0.store(state as u8, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_read_as_it_was_written() {
        let cell = StateCell::new();
        for state in EngineState::ALL {
            cell.set(state);
            assert_eq!(cell.get(), state);
        }
    }
}
