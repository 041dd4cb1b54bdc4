//! The instruments that a run has open: who uses which, and what becomes of them when the run ends.
//!
//! ```text
//! ask ─► device (one at a time) ─► gate: may it begin? ─► driver ─► answer
//! stop ─► a moment of grace ─► what stoppable tasks still wait for is cut off
//! end ─► safe states if the run failed ─► closed
//! ```
//!
//! A stop lets a call that is under way end by itself, because half a message confuses an instrument; one that takes longer
//! is cut off. Tasks that are not stoppable, and safe states, are never cut off.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use instruments::{
    Interrupter,
    device::{Device, Driven, DrivenBy, Reason},
    driver::Pause,
    python::{self, Hosts},
};
use measurement::{Ask, InstrumentId, Selected, TaskId, Unanswered, Where};
use protocol::Value;

use crate::{
    control::Control,
    instrument_value::{of_device, to_device},
    laboratory::{Found, Laboratory},
    live_bench::lock,
};

/// How long a call may go on after a stop.
const GRACE: Duration = Duration::from_millis(200);

/// Nobody used the instrument yet.
const NOBODY: u32 = u32::MAX;

/// The open instruments of a run, in the order of the tree's.
pub(crate) struct Rack {
    slots: Vec<Slot>,
    control: Arc<Control>,
}

struct Slot {
    name: String,
    /// Nothing before it is opened and after it is closed.
    device: Mutex<Option<Box<dyn Device>>>,
    gate: Arc<Gate>,
    owner: AtomicU32,
    /// What is known of the instrument may be wrong: the operator had the run paused.
    is_stale: AtomicBool,
}

/// Whether calls of an instrument may be cut off.
struct Gate {
    interrupter: Interrupter,
    under_way: Mutex<UnderWay>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum UnderWay {
    Nothing,
    Stoppable,
    Unstoppable,
}

/// An instrument that was opened, for the record.
pub(crate) struct Opened {
    pub(crate) name: String,
    pub(crate) driver: String,
    pub(crate) address: String,
    pub(crate) identity: Option<String>,
    pub(crate) has_safe_state: bool,
}

/// A pause of a run: true when the whole time passed, false when it is being stopped.
pub(crate) type Sleep = Arc<dyn Fn(Duration) -> bool + Send + Sync>;

impl Rack {
    pub(crate) fn new(instruments: &[Selected], control: Arc<Control>) -> Self {
        let slot = |selected: &Selected| Slot {
            name: selected.profile.clone(),
            device: Mutex::new(None),
            gate: Arc::new(Gate {
                interrupter: Interrupter::default(),
                under_way: Mutex::new(UnderWay::Nothing),
            }),
            owner: AtomicU32::new(NOBODY),
            is_stale: AtomicBool::new(false),
        };
        Self {
            slots: instruments.iter().map(slot).collect(),
            control,
        }
    }

    pub(crate) fn control(&self) -> &Arc<Control> {
        &self.control
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Opens one instrument.
    ///
    /// # Errors
    /// It cannot be found or opened, or the run is being stopped.
    pub(crate) fn open(
        &self,
        instrument: InstrumentId,
        laboratory: &Laboratory,
        selected: &Selected,
        hosts: &Hosts,
        sleep: Sleep,
    ) -> Result<Opened, Unanswered> {
        let slot = &self.slots[instrument.index()];
        let found = laboratory.find(selected).map_err(Unanswered::Failed)?;
        let gate = slot.gate.clone();
        let pause: Pause = Arc::new(move |time| {
            if *lock(&gate.under_way) == UnderWay::Stoppable {
                sleep(time)
            } else {
                thread::sleep(time);
                true
            }
        });
        let device = self.guarded(slot, true, || open(&found, hosts, &slot.gate.interrupter, pause))?;
        let opened = Opened {
            name: found.name.clone(),
            driver: match &found.driven_by {
                DrivenBy::File(driver) => driver.id.clone(),
                DrivenBy::Python(class) => format!("python:{class}"),
            },
            address: found.resource.as_ref().map(ToString::to_string).unwrap_or_default(),
            identity: device.identity().map(str::to_owned),
            has_safe_state: device.has_safe_state(),
        };
        *lock(&slot.device) = Some(device);
        Ok(opened)
    }

    /// Asks something of an instrument; `stoppable` says whether a stop may cut it off.
    pub(crate) fn ask(
        &self,
        instrument: InstrumentId,
        stoppable: bool,
        at: Where<'_>,
        ask: Ask<'_>,
    ) -> Result<Value, Unanswered> {
        let slot = &self.slots[instrument.index()];
        let mut device = lock(&slot.device);
        let Some(device) = device.as_mut() else {
            return Err(Unanswered::Failed(format!("`{}` is not open", slot.name)));
        };
        if slot.is_stale.swap(false, Ordering::Relaxed) {
            device.forget();
        }
        let given: Vec<(&str, instruments::driver::Value)> =
            at.iter().map(|(name, value)| (*name, to_device(value))).collect();
        let at = given.as_slice();
        self.guarded(slot, stoppable, || match ask {
            Ask::Get(parameter) => device.get(parameter, at).map(of_device),
            Ask::Set(parameter, value) => device.set(parameter, &to_device(value), at).map(|()| Value::None),
            Ask::Call(method, arguments) => {
                let arguments: Vec<_> = arguments.iter().map(to_device).collect();
                device.call(method, &arguments, at).map(of_device)
            }
            Ask::Write(command) => device.write(command).map(|()| Value::None),
            Ask::Query(question) => device.query(question).map(Value::from),
        })
    }

    /// Does something with an instrument that a stop may end.
    fn guarded<T>(
        &self,
        slot: &Slot,
        stoppable: bool,
        act: impl FnOnce() -> Result<T, instruments::device::DeviceError>,
    ) -> Result<T, Unanswered> {
        {
            let mut under_way = lock(&slot.gate.under_way);
            if stoppable && self.control.is_stopping() {
                return Err(Unanswered::Stopped);
            }
            if slot.gate.interrupter.is_interrupted() {
                slot.gate.interrupter.rearm();
            }
            *under_way = if stoppable {
                UnderWay::Stoppable
            } else {
                UnderWay::Unstoppable
            };
        }
        let result = act();
        *lock(&slot.gate.under_way) = UnderWay::Nothing;
        result.map_err(|error| match error.reason {
            Reason::Interrupted => Unanswered::Stopped,
            Reason::Refused | Reason::Lost | Reason::Failed => Unanswered::Failed(error.message),
        })
    }

    pub(crate) fn has(&self, instrument: InstrumentId, name: &str) -> bool {
        let device = lock(&self.slots[instrument.index()].device);
        device.as_ref().is_some_and(|device| device.has(name))
    }

    /// Makes a task the user of an instrument; says whether another was.
    pub(crate) fn takes_over(&self, task: TaskId, instrument: InstrumentId) -> bool {
        self.slots[instrument.index()].owner.swap(task.0, Ordering::Relaxed) != task.0
    }

    /// What is known of the instruments may be wrong from here on.
    pub(crate) fn forget(&self) {
        for slot in &self.slots {
            slot.is_stale.store(true, Ordering::Relaxed);
            slot.owner.store(NOBODY, Ordering::Relaxed);
        }
    }

    /// Cuts off what stoppable tasks still wait for, a moment after a stop; returns when the run is over.
    pub(crate) fn cut_after_stop(&self) {
        if !self.control.wait_for_stop() {
            return;
        }
        thread::sleep(GRACE);
        for slot in &self.slots {
            let under_way = lock(&slot.gate.under_way);
            if *under_way == UnderWay::Stoppable {
                slot.gate.interrupter.interrupt();
            }
        }
    }

    /// Brings the declared safe states about, as far as possible; what could not be done.
    pub(crate) fn make_safe(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for slot in &self.slots {
            let mut device = lock(&slot.device);
            let Some(device) = device.as_mut().filter(|device| device.has_safe_state()) else {
                continue;
            };
            let made = self.guarded(slot, false, || Ok(device.make_safe()));
            problems.extend(made.unwrap_or_default().into_iter().map(|error| error.message));
        }
        problems
    }

    /// The same by a thread that cannot wait for whoever holds an instrument.
    pub(crate) fn make_safe_if_free(&self) {
        for slot in &self.slots {
            if let Ok(mut device) = slot.device.try_lock()
                && let Some(device) = device.as_mut()
            {
                // Nobody is left to tell.
                device.make_safe();
            }
        }
    }

    /// Closes all; what could not be said to an instrument at the end.
    pub(crate) fn close(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for slot in &self.slots {
            let Some(mut device) = lock(&slot.device).take() else {
                continue;
            };
            if let Err(Unanswered::Failed(problem)) = self.guarded(slot, false, || device.close()) {
                problems.push(problem);
            }
        }
        problems
    }
}

/// Opens an instrument, whatever drives it.
pub(crate) fn open(
    found: &Found,
    hosts: &Hosts,
    interrupter: &Interrupter,
    pause: Pause,
) -> Result<Box<dyn Device>, instruments::device::DeviceError> {
    match (&found.driven_by, &found.resource) {
        (DrivenBy::File(driver), Some(resource)) => {
            let driven = Driven::open(
                &found.name,
                driver.clone(),
                resource.clone(),
                &found.settings,
                found.boards.clone(),
                interrupter.clone(),
                pause,
            )?;
            Ok(Box::new(driven))
        }
        (DrivenBy::File(_), None) => Err(instruments::device::DeviceError::new(
            Reason::Refused,
            format!("`{}` has no address", found.name),
        )),
        (DrivenBy::Python(class), _) => python::open(&found.name, class, &found.python, hosts, interrupter.clone()),
    }
}
