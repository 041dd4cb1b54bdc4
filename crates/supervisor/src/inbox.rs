//! The one inbox of the engine's loop: everything that can happen is a [`Message`].
//!
//! Two lanes under one lock. What processes say is bounded: who has more to say waits, so a gigabyte of output costs no
//! memory. What the operator asks overtakes it and never waits, so that a kill is obeyed under any flood; it is taken only
//! while something is performed, so that no request reaches the run after the one it was meant for.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc::SyncSender},
    time::Instant,
};

use protocol::Numbered;

use crate::{
    process::{News, ProcessId},
    verb::{Refusal, Verb},
};

/// What can happen to an engine.
#[derive(Debug)]
pub(crate) enum Message {
    Asked(Request),
    /// A process, child or hook, printed something or ended.
    Process(ProcessId, News),
    /// What a child said, in its order.
    Events(ProcessId, Vec<Numbered>),
    /// A child will say no more; with the reason when it is another than its death.
    StreamEnded(ProcessId, Option<String>),
}

/// A request of the operator.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) verb: Verb,
    /// Who asks, for the record of the run.
    pub(crate) by: Arc<str>,
    /// Who waits for the answer, if anybody does.
    pub(crate) answer: Option<SyncSender<Result<(), Refusal>>>,
}

impl Request {
    pub(crate) fn answer(self, result: Result<(), Refusal>) {
        if let Some(answer) = self.answer {
            // Who asked may have lost patience.
            answer.try_send(result).ok();
        }
    }
}

/// Messages that may wait. Each is at most a frame of events or 64 KiB of text.
const ROOM: usize = 32;

#[derive(Debug)]
struct Lanes {
    requests: VecDeque<Request>,
    accepts_requests: bool,
    messages: VecDeque<Message>,
    is_open: bool,
}

#[derive(Debug)]
struct Shared {
    lanes: Mutex<Lanes>,
    arrived: Condvar,
    room: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Lanes> {
        // Nothing that panics runs under the lock; the queues are whole in any case.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The receiving side, owned by the loop.
#[derive(Debug)]
pub(crate) struct Inbox(Arc<Shared>);

/// A sending side.
#[derive(Clone, Debug)]
pub(crate) struct Sender(Arc<Shared>);

/// The engine is gone: nobody reads any more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closed;

impl Inbox {
    pub(crate) fn new() -> Self {
        let lanes = Lanes {
            requests: VecDeque::new(),
            accepts_requests: false,
            messages: VecDeque::with_capacity(ROOM),
            is_open: true,
        };
        Inbox(Arc::new(Shared {
            lanes: Mutex::new(lanes),
            arrived: Condvar::new(),
            room: Condvar::new(),
        }))
    }

    pub(crate) fn sender(&self) -> Sender {
        Sender(Arc::clone(&self.0))
    }

    pub(crate) fn accept_requests(&self) {
        self.0.lock().accepts_requests = true;
    }

    pub(crate) fn accepts_requests(&self) -> bool {
        self.0.lock().accepts_requests
    }

    /// From now on there is nothing to be asked; what waits is refused.
    pub(crate) fn refuse_requests(&self) {
        let mut lanes = self.0.lock();
        lanes.accepts_requests = false;
        for request in lanes.requests.drain(..) {
            request.answer(Err(Refusal::NothingRuns));
        }
    }

    /// The next message, or nothing when `until` passed before one came.
    pub(crate) fn receive(&self, until: Option<Instant>) -> Option<Message> {
        let mut lanes = self.0.lock();
        loop {
            if let Some(request) = lanes.requests.pop_front() {
                return Some(Message::Asked(request));
            }
            if let Some(message) = lanes.messages.pop_front() {
                self.0.room.notify_one();
                return Some(message);
            }
            lanes = match until {
                None => self.0.arrived.wait(lanes).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let patience = until.checked_duration_since(Instant::now())?;
                    self.0
                        .arrived
                        .wait_timeout(lanes, patience)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.refuse_requests();
        self.0.lock().is_open = false;
        self.0.room.notify_all();
    }
}

impl Sender {
    /// Waits for room, unless it is a request.
    pub(crate) fn send(&self, message: Message) -> Result<(), Closed> {
        let mut lanes = self.0.lock();
        while lanes.is_open && lanes.messages.len() >= ROOM {
            lanes = self.0.room.wait(lanes).unwrap_or_else(PoisonError::into_inner);
        }
        if !lanes.is_open {
            return Err(Closed);
        }
        lanes.messages.push_back(message);
        self.0.arrived.notify_one();
        Ok(())
    }

    pub(crate) fn ask(&self, request: Request) {
        let mut lanes = self.0.lock();
        if lanes.is_open && lanes.accepts_requests {
            lanes.requests.push_back(request);
            self.0.arrived.notify_one();
        } else {
            request.answer(Err(Refusal::NothingRuns));
        }
    }
}
