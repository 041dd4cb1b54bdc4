//! Ending a call to an instrument from another thread, at once.
//!
//! A link registers its connections; [`Interrupter::interrupt`] shuts them down, which wakes whoever waits on them without
//! any cost to the calls themselves (waiting on a second descriptor would add a system call to each). What was under way
//! ends with [`Fault::Interrupted`](crate::Fault::Interrupted), and so does every later call, until
//! [`Interrupter::rearm`]. The connection is lost by this, rightly: half an answer may be on its way.
//!
//! Links that have no connection to shut down (serial lines, shared adapters) look at the flag while they wait.

use std::{
    collections::BTreeMap,
    net::{Shutdown, TcpStream},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The handle, cheap to clone and to send to another thread.
#[derive(Clone, Debug, Default)]
pub struct Interrupter {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    asked: AtomicBool,
    watched: Mutex<Watched>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct Watched {
    next: u64,
    connections: BTreeMap<u64, TcpStream>,
}

impl Interrupter {
    /// Ends what is under way, and every later call until [`Self::rearm`].
    pub fn interrupt(&self) {
        let watched = self.watched();
        self.shared.asked.store(true, Ordering::SeqCst);
        for connection in watched.connections.values() {
            connection.shutdown(Shutdown::Both).ok(); // One that is closed already needs no shutting.
        }
        self.shared.bell.notify_all();
    }

    /// Lets later calls happen again; connections that were shut down stay so.
    pub fn rearm(&self) {
        self.shared.asked.store(false, Ordering::SeqCst);
    }

    /// Whether calls end at once.
    pub fn is_interrupted(&self) -> bool {
        self.shared.asked.load(Ordering::SeqCst)
    }

    /// Waits, or returns false at once when interrupted.
    pub(crate) fn wait(&self, patience: Duration) -> bool {
        let asked = |_: &mut Watched| !self.is_interrupted();
        let waited = self.shared.bell.wait_timeout_while(self.watched(), patience, asked);
        drop(waited);
        !self.is_interrupted()
    }

    /// Shuts this connection down when asked to, until the guard is dropped.
    pub(crate) fn watch(&self, connection: TcpStream) -> Watch {
        let mut watched = self.watched();
        if self.is_interrupted() {
            connection.shutdown(Shutdown::Both).ok(); // As in `interrupt`.
        }
        let key = watched.next;
        watched.next += 1;
        watched.connections.insert(key, connection);
        Watch {
            interrupter: self.clone(),
            key,
        }
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        // A map that a panicking thread left is whole: each change is one insertion or removal.
        self.shared.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection is watched as long as this lives.
#[derive(Debug)]
pub(crate) struct Watch {
    interrupter: Interrupter,
    key: u64,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.interrupter.watched().connections.remove(&self.key);
    }
}
