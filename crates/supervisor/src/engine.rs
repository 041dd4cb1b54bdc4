//! The engine: keeps a child ready, performs one measurement after another in it, and replaces it when it dies.
//!
//! Nothing here decides what a run does (see `run.rs`) or says what happened (see `chronicle.rs`); there is no queue and
//! no file of a measurement: a [`Job`] comes ready.

use std::{
    fmt,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use measurement::{Hook, Problem};
use protocol::{Command, Event, Outcome, Request, Value};

use crate::{
    child::{Child, Gone},
    event::{EngineState, Update},
    inbox::{Inbox, Message, Sender},
    ladder::{Rung, SHUTDOWN_PATIENCE},
    operator::{Operator, StateCell},
    performance::Performance,
    pipe::Pipe,
    process::{News, ProcessId},
    verb::Refusal,
};

/// What viewers and hooks are told about a measurement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub name: String,
    pub id: String,
    /// As the user named it.
    pub file: String,
    pub default_path: String,
}

/// A measurement to perform.
#[derive(Clone, Debug)]
pub struct Job {
    pub request: Request,
    pub facts: Facts,
    /// What reading and checking found, each with its line in the file; they are said as events.
    pub problems: Vec<(Problem, Option<usize>)>,
    pub pre_hooks: Vec<Hook>,
    pub post_hooks: Vec<Hook>,
}

/// How a run ended and what is left of it.
#[derive(Clone, Debug)]
pub struct Report {
    pub outcome: Outcome,
    /// By task path, `unhandled`, `engine`, `pre-hook <id>` or `post-hook <id>`.
    pub errors: Vec<(String, String)>,
    /// The last value of every entry that is known, if the request wanted all of them.
    pub values: Vec<(Arc<str>, Value)>,
    pub log_file: Option<PathBuf>,
    pub saved_file: Option<PathBuf>,
    /// The record of the run, if one is kept.
    pub record: Option<PathBuf>,
    /// Points on record, if the child lived to say so.
    pub points: Option<u64>,
    /// What the child's own check found.
    pub problems: Vec<Problem>,
}

/// Why there is no child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineError {
    /// It could not be started.
    Start(String),
    /// It died, or was ended, before it was ready.
    Died(String),
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EngineError::Start(why) | EngineError::Died(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for EngineError {}

/// Performs measurements, one at a time, in a child process. Dropping it ends the child.
#[derive(Debug)]
pub struct Engine {
    program: PathBuf,
    pub(crate) inbox: Inbox,
    pub(crate) state: StateCell,
    pub(crate) child: Option<Child>,
    next_id: u64,
    /// What a child printed while nothing was performed; it is logged with the next run.
    early: Vec<(Pipe, String)>,
}

/// Instruments that are silent too have their time-outs, ramps take theirs.
const SAFE_PATIENCE: Duration = Duration::from_secs(60);

/// Bytes kept of what is printed between two runs.
const EARLY: usize = 64 * 1024;

impl Engine {
    /// `program` is started as `program __runner`.
    pub fn new(program: PathBuf) -> Engine {
        Engine {
            program,
            inbox: Inbox::new(),
            state: StateCell::new(),
            child: None,
            next_id: 1,
            early: Vec::new(),
        }
    }

    pub fn operator(&self) -> Operator {
        Operator::new(self.inbox.sender(), self.state.clone())
    }

    pub fn state(&self) -> EngineState {
        self.state.get()
    }

    /// Starts the child, so that the first measurement need not wait for it; nothing when there is one.
    ///
    /// # Errors
    /// It cannot be started, or dies before it is ready.
    pub fn warm(&mut self) -> Result<(), EngineError> {
        self.need_child()?;
        while self.child.as_ref().is_some_and(|child| !child.is_idle()) {
            let deadline = self.child.as_ref().and_then(Child::deadline);
            self.hear_between_runs(deadline);
            if let Some(gone) = self.look_at_child() {
                return Err(EngineError::Died(gone.how));
            }
        }
        Ok(())
    }

    /// Performs a measurement, from its hooks before to its hooks after. Every update is given to `viewer`, on this
    /// thread; the run waits for it.
    pub fn perform(&mut self, job: Job, viewer: &mut dyn FnMut(Update)) -> Report {
        // What was said since the last run.
        while let Some(message) = self.inbox.receive(Some(Instant::now())) {
            self.hear(message);
            self.look_at_child();
        }
        self.inbox.accept_requests();
        self.state.set(EngineState::Running);
        let report = Performance::new(self, job, viewer).perform();
        self.inbox.refuse_requests();
        self.rest();
        report
    }

    /// Lets a new child bring instruments to their safe states that a dead one had open; what could not be done.
    pub(crate) fn make_safe(&mut self, request: &Request, instruments: &[String]) -> Vec<String> {
        if let Err(error) = self.warm() {
            return vec![error.to_string()];
        }
        let Some(child) = &mut self.child else {
            return vec!["no process can be had".to_owned()];
        };
        child.tell(&Command::MakeSafe(Box::new(request.clone()), instruments.to_vec()));
        let until = Instant::now() + SAFE_PATIENCE;
        loop {
            let Some(message) = self.inbox.receive(Some(until)) else {
                self.discard_child();
                return vec![format!("not done within {} s", SAFE_PATIENCE.as_secs())];
            };
            let answer = match &message {
                Message::Events(_, events) => events.iter().find_map(|numbered| match &numbered.event {
                    Event::MadeSafe(problems) => Some(problems.clone()),
                    _ => None,
                }),
                Message::Asked(_) | Message::Process(..) | Message::StreamEnded(..) => None,
            };
            self.hear(message);
            if let Some(problems) = answer {
                return problems;
            }
            if let Some(gone) = self.look_at_child() {
                return vec![gone.how];
            }
        }
    }

    /// Ends the child: it is asked to close what it has open, then terminated, then killed.
    pub fn shutdown(mut self) {
        self.end_child();
    }

    fn end_child(&mut self) {
        let Some(child) = &mut self.child else { return };
        self.state.set(EngineState::ShuttingDown);
        child.tell(&Command::Shutdown);
        let (mut rung, mut until) = (Rung::Ask, Instant::now() + SHUTDOWN_PATIENCE);
        while let Some(child) = &self.child {
            let now = Instant::now();
            if now >= until {
                match rung.next() {
                    Some(Rung::Kill) => child.kill(),
                    Some(Rung::Terminate | Rung::Ask) => child.terminate(),
                    // It hangs inside the operating system, where nothing reaches it.
                    None => break,
                }
                rung = rung.next().unwrap_or(Rung::Kill);
                until = now + rung.patience();
            }
            let deadline = child.deadline().map_or(until, |deadline| deadline.min(until));
            self.hear_between_runs(Some(deadline));
            self.look_at_child();
        }
        self.child = None;
        self.state.set(EngineState::Stopped);
    }

    /// Ends the child at once: it is not trusted with another run.
    pub(crate) fn discard_child(&mut self) {
        if let Some(child) = self.child.take() {
            // What the next child opens must be free; a process that hangs inside the operating system is left behind.
            child.kill_and_wait(Rung::Kill.patience());
        }
    }

    /// Makes sure that there is a living child, ready or not.
    pub(crate) fn need_child(&mut self) -> Result<(), EngineError> {
        if self.child.as_ref().is_some_and(Child::is_lost) {
            self.discard_child();
        }
        if self.child.is_none() {
            let id = self.new_id();
            self.child = Some(Child::start(&self.program, id, &self.inbox.sender()).map_err(EngineError::Start)?);
        }
        Ok(())
    }

    pub(crate) fn new_id(&mut self) -> ProcessId {
        let id = ProcessId(self.next_id);
        self.next_id += 1;
        id
    }

    pub(crate) fn sender(&self) -> Sender {
        self.inbox.sender()
    }

    pub(crate) fn take_early(&mut self) -> Vec<(Pipe, String)> {
        std::mem::take(&mut self.early)
    }

    /// How the child went, if it is gone now.
    pub(crate) fn look_at_child(&mut self) -> Option<Gone> {
        let gone = self.child.as_mut()?.look(Instant::now())?;
        self.child = None;
        self.rest();
        Some(gone)
    }

    fn hear_between_runs(&mut self, until: Option<Instant>) {
        if let Some(message) = self.inbox.receive(until) {
            self.hear(message);
        }
        self.rest();
    }

    /// Takes note of what happened while nothing is performed.
    fn hear(&mut self, message: Message) {
        let now = Instant::now();
        let of_child = |id: ProcessId| move |child: &&mut Child| child.id() == id;
        match message {
            Message::Asked(request) => request.answer(Err(Refusal::NothingRuns)),
            Message::Process(id, news) => {
                let Some(child) = self.child.as_mut().filter(of_child(id)) else {
                    return;
                };
                child.hear_process(&news, now);
                if let News::Lines(pipe, text) = news
                    && self.early.iter().map(|(_, text)| text.len()).sum::<usize>() < EARLY
                {
                    self.early.push((pipe, text));
                }
            }
            Message::Events(id, events) => {
                let Some(child) = self.child.as_mut().filter(of_child(id)) else {
                    return;
                };
                for event in &events {
                    child.hear_event(event, now);
                }
            }
            Message::StreamEnded(id, why) => {
                if let Some(child) = self.child.as_mut().filter(of_child(id)) {
                    child.hear_end(why, now);
                }
            }
        }
    }

    /// The state between runs; that of a run is the run's.
    fn rest(&mut self) {
        if !self.inbox.accepts_requests() && self.state.get() != EngineState::ShuttingDown {
            let state = if self.child.is_some() {
                EngineState::Waiting
            } else {
                EngineState::Stopped
            };
            self.state.set(state);
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.end_child();
    }
}
