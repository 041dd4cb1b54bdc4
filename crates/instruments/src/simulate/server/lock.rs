//! Who may use an instrument alone, among the clients of VXI-11 or HiSLIP.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use super::super::stand::Stand;

/// A lock that one client at most holds.
#[derive(Default)]
pub(super) struct Lock {
    holder: Mutex<Option<u32>>,
    last: AtomicU32,
}

impl Lock {
    /// A number for a client that nobody else has.
    pub(super) fn client(&self) -> u32 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Whether the client holds it now, after waiting so long.
    pub(super) fn take(&self, client: u32, patience: Duration, stand: &Stand) -> bool {
        /// How often a lock is looked at.
        const GLANCE: Duration = Duration::from_millis(2);
        let until = Instant::now() + patience;
        loop {
            {
                let mut holder = self.holder.lock().unwrap_or_else(PoisonError::into_inner);
                if holder.is_none() {
                    *holder = Some(client);
                    return true;
                }
                if *holder == Some(client) {
                    return false;
                }
            }
            if Instant::now() >= until || !stand.wait(GLANCE) {
                return false;
            }
        }
    }

    /// Whether another client holds it, after waiting so long.
    pub(super) fn keeps_out(&self, client: u32, patience: Duration, stand: &Stand) -> bool {
        let free = |holder: &Option<u32>| holder.is_none_or(|holder| holder == client);
        if free(&self.holder.lock().unwrap_or_else(PoisonError::into_inner)) {
            return false;
        }
        // Whoever gets it has waited long enough, and needs it no longer than the call.
        if self.take(client, patience, stand) {
            self.release(client);
            return false;
        }
        true
    }

    /// Whether the client held it.
    pub(super) fn release(&self, client: u32) -> bool {
        let mut holder = self.holder.lock().unwrap_or_else(PoisonError::into_inner);
        let held = *holder == Some(client);
        if held {
            *holder = None;
        }
        held
    }
}
