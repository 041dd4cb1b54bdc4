//! Ctrl-C and the signals that end programs, as requests to the run: the first Ctrl-C stops it, the second kills it;
//! SIGTERM and SIGHUP stop it. After any of them no further measurement begins.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};
use supervisor::Operator;

use crate::{complaint::Complaint, events::GiveUp};

/// How often the operator interrupted, and whom to tell.
#[derive(Clone)]
pub(crate) struct Interruption {
    operator: Operator,
    events: Option<GiveUp>,
    times: Arc<AtomicUsize>,
}

impl Interruption {
    /// Listens to the signals from now on.
    pub(crate) fn listen(operator: Operator, events: Option<GiveUp>) -> Result<Interruption, Complaint> {
        let interruption = Interruption {
            operator,
            events,
            times: Arc::default(),
        };
        let failed = |error: std::io::Error| Complaint::new("cannot listen to signals").because(&error);
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(failed)?;
        let own = interruption.clone();
        // It ends with the process.
        let listen = move || {
            for signal in signals.forever() {
                match signal {
                    SIGINT => own.interrupt(),
                    _ => own.stop(),
                }
            }
        };
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(listen)
            .map_err(failed)?;
        Ok(interruption)
    }

    /// Stops what runs; the second time kills it.
    pub(crate) fn interrupt(&self) {
        match self.times.fetch_add(1, Ordering::AcqRel) {
            0 => self.operator.named("Ctrl-C").stop(),
            _ => {
                self.operator.kill();
                if let Some(events) = &self.events {
                    events.give_up();
                }
            }
        }
    }

    pub(crate) fn has_come(&self) -> bool {
        self.times.load(Ordering::Acquire) > 0
    }

    pub(crate) fn operator(&self) -> &Operator {
        &self.operator
    }

    fn stop(&self) {
        self.times.fetch_max(1, Ordering::AcqRel);
        self.operator.named("a signal").stop();
    }
}
