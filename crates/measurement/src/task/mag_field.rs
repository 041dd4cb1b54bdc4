//! `ApplyMagFieldTask`, `ApplyMagFieldAndDropTask` and `MeasMagFieldTask`: superconducting magnets with a persistent switch.
//!
//! ```text
//! heater off ─► leads to the field of the magnet ─► heater on ─► wait ─┐
//! heater on  ──────────────────────────────────────────────────────────┴─► to the field ─► heater off ─► wait ─► leads to 0
//! ```
//!
//! What a magnet must have, whatever drives it: the parameters `heater` (`ON`, `OFF`), `persistent_field`, `field_rate`,
//! `target_field` and `activity` (`Hold`, `To set point`), and the methods `sweep_to_field(field, rate)`, which begins and says
//! how many seconds it takes, `is_at_field()` and `magnet_is_at(field)`. Without a rate the leads go as fast as they may.
//!
//! A sweep that is stopped is held where it is. One that takes a minute longer than it should is held too, the switch is
//! closed, and the task fails. In Exopy's last version none of this could run: its jobs could not be made, the words for the
//! heater differed between task and driver, and holding was refused. The leads go to zero at their own rate, and that is not
//! left behind as the rate of the next sweep.

use expr::Value;

use super::{
    Field, Fields, Kind, Resume, Shape, Task, Text,
    instrument::{SELECTED, SOURCES, Target, WAIT_TIME, write},
};
use crate::{
    check::{Check, Prepare},
    instrument::{Ask, InstrumentId},
    names::EntryId,
    program::{At, Exit, Work},
};

pub(crate) static APPLY: Kind = Kind {
    id: "exopy_hqc_legacy.ApplyMagFieldTask",
    summary: "Brings a magnet to a field and waits until it is there.",
    fields: &[
        SELECTED,
        FIELD,
        RATE,
        Field {
            name: "auto_stop_heater",
            default: "True",
            doc: "whether the switch is closed then and the leads go to zero",
        },
        Field {
            name: "post_switch_wait",
            default: "30.0",
            doc: "seconds to wait after the heater of the switch was turned on or off",
        },
    ],
    entries: ENTRIES,
    shape: Shape::Setter,
    waits: None,
    pool: Some("instr"),
    resume: Resume::Restore,
    build: |fields| Box::new(Apply::new(fields, Way::AndWait)),
};

pub(crate) static APPLY_AND_DROP: Kind = Kind {
    id: "exopy_hqc_legacy.ApplyMagFieldAndDropTask",
    summary: "Sends a magnet, whose switch must be open, on its way to a field and does not wait.",
    fields: &[SELECTED, FIELD, RATE],
    entries: ENTRIES,
    shape: Shape::Setter,
    waits: None,
    pool: Some("instr"),
    resume: Resume::Restore,
    build: |fields| Box::new(Apply::new(fields, Way::AndDrop)),
};

pub(crate) static MEASURE: Kind = Kind {
    id: "exopy_hqc_legacy.MeasMagFieldTask",
    summary: "Reads the field of a magnet.",
    fields: &[SELECTED, WAIT_TIME],
    entries: &[("field", "the field of the magnet, in tesla")],
    shape: Shape::Leaf,
    waits: Some(SOURCES),
    pool: None,
    resume: Resume::Redo,
    build: |fields| Box::new(Measure::new(fields)),
};

const FIELD: Field = Field {
    name: "field",
    default: "",
    doc: "expression; tesla; not used in a loop that the task is embedded in",
};

const RATE: Field = Field {
    name: "rate",
    default: "0.01",
    doc: "tesla in a minute",
};

const ENTRIES: &[(&str, &str)] = &[("field", "the field applied, in tesla")];

/// So much longer than it should a sweep may take, in seconds: Exopy's.
const GRACE: f64 = 60.0;

/// How often a sweep of the leads is looked at, in seconds.
const OF_LEADS: f64 = 1.0;

/// How often a sweep of the magnet is looked at, in seconds.
const OF_MAGNET: f64 = 5.0;

#[derive(Clone, Copy, Debug)]
enum Way {
    AndWait,
    AndDrop,
}

#[derive(Debug)]
struct Apply {
    way: Way,
    field: Text,
    rate: f64,
    switch: Switch,
}

/// What becomes of the persistent switch.
#[derive(Clone, Copy, Debug)]
struct Switch {
    is_closed_after: bool,
    wait: f64,
}

impl Apply {
    fn new(fields: &mut Fields<'_>, way: Way) -> Self {
        Self {
            way,
            field: fields.text("field", ""),
            rate: fields.number("rate", 0.01),
            switch: Switch {
                is_closed_after: fields.flag("auto_stop_heater", true),
                wait: fields.number("post_switch_wait", 30.0),
            },
        }
    }
}

impl Task for Apply {
    fn kind(&self) -> Option<&'static Kind> {
        Some(match self.way {
            Way::AndWait => &APPLY,
            Way::AndDrop => &APPLY_AND_DROP,
        })
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![("field".to_owned(), Value::Float(0.01))]
    }

    fn check(&self, check: &mut Check<'_>) {
        check.instrument(match self.way {
            Way::AndWait => &[
                "heater",
                "persistent_field",
                "sweep_to_field",
                "is_at_field",
                "magnet_is_at",
            ],
            Way::AndDrop => &["heater", "field_rate", "target_field", "activity"],
        });
        if self.rate <= 0.0 {
            let message = format!("at {} T/min no field is ever reached", self.rate);
            check.error("-rate", message);
        }
        if let Some(field) = Target::check(check, "field", &self.field) {
            check.set("field", field);
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        let going = Going {
            instrument: prepare.instrument(),
            target: Target::prepare(prepare, "field", &self.field),
            rate: Value::Float(self.rate),
            switch: self.switch,
            entry: prepare.entry("field"),
        };
        match self.way {
            Way::AndWait => Box::new(going),
            Way::AndDrop => Box::new(Dropped(going)),
        }
    }
}

struct Going {
    instrument: Option<InstrumentId>,
    target: Target,
    rate: Value,
    switch: Switch,
    entry: Option<EntryId>,
}

/// How a sweep ended.
enum Ended {
    There,
    /// A minute later than it should it was still not there.
    Late,
}

impl Work for Going {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let target = self.target.value(at)?;
        at.number(&target)?;
        if !self.heater_is_on(at)? {
            let persistent = self.persistent(at)?;
            match self.sweep(at, &persistent, &Value::None, OF_LEADS)? {
                Ended::There => {}
                Ended::Late => return Err(at.fail(format!("ValueError: the leads did not get to {persistent} T"))),
            }
            self.set(at, "heater", "ON")?;
            at.sleep(self.switch.wait)?;
        }
        if !self.is_true(at, "magnet_is_at", std::slice::from_ref(&target))?
            && let Ended::Late = self.sweep(at, &target, &self.rate, OF_MAGNET)?
        {
            self.set(at, "heater", "OFF")?;
            write(at, self.entry, self.persistent(at)?);
            return Err(at.fail(format!("ValueError: the magnet did not get to {target} T")));
        }
        write(at, self.entry, target);
        if !self.switch.is_closed_after {
            return Ok(());
        }
        self.set(at, "heater", "OFF")?;
        at.sleep(self.switch.wait)?;
        match self.sweep(at, &Value::Int(0), &Value::None, OF_LEADS)? {
            Ended::There => Ok(()),
            Ended::Late => Err(at.fail("ValueError: the leads did not get to 0 T")),
        }
    }
}

impl Going {
    /// Goes to a field and waits until it is there. Whatever keeps it from getting there, the sweep is held.
    fn sweep(&self, at: &At<'_>, field: &Value, rate: &Value, look_every: f64) -> Result<Ended, Exit> {
        let arguments = [field.clone(), rate.clone()];
        let swept = self.begin_and_wait(at, &arguments, look_every);
        if let Ok(Ended::There) = swept {
            return swept;
        }
        // What is to be told is why the sweep ended; that holding failed too would hide it.
        if let Some(instrument) = self.instrument {
            let hold = Value::from("Hold");
            let asked = Ask::Set("activity", &hold);
            at.bench().ask_through(at.task, instrument, &[], asked).ok();
        }
        swept
    }

    fn begin_and_wait(&self, at: &At<'_>, arguments: &[Value], look_every: f64) -> Result<Ended, Exit> {
        let expected = at.ask(self.instrument, &[], Ask::Call("sweep_to_field", arguments))?;
        let expected = at.number(&expected)?;
        let begun = at.bench().now();
        let gone = || at.bench().now().saturating_sub(begun).as_secs_f64();
        loop {
            let left = expected - gone();
            if left <= 0.0 {
                break;
            }
            at.sleep(left.min(look_every))?;
            at.go_on()?;
        }
        // Measured from here: a pause of the run is nobody's delay.
        let late_from = at.bench().now();
        loop {
            if self.is_true(at, "is_at_field", &[])? {
                return Ok(Ended::There);
            }
            if at.bench().now().saturating_sub(late_from).as_secs_f64() > GRACE {
                return Ok(Ended::Late);
            }
            at.sleep(OF_LEADS)?;
            at.go_on()?;
        }
    }

    fn heater_is_on(&self, at: &At<'_>) -> Result<bool, Exit> {
        let heater = at.ask(self.instrument, &[], Ask::Get("heater"))?;
        // Python's drivers may say `On`, as Exopy's did.
        Ok(heater.to_string().eq_ignore_ascii_case("on"))
    }

    fn persistent(&self, at: &At<'_>) -> Result<Value, Exit> {
        at.ask(self.instrument, &[], Ask::Get("persistent_field"))
    }

    fn is_true(&self, at: &At<'_>, method: &str, arguments: &[Value]) -> Result<bool, Exit> {
        let answer = at.ask(self.instrument, &[], Ask::Call(method, arguments))?;
        answer.truthy().map_err(|error| at.fail(error.to_string()))
    }

    fn set(&self, at: &At<'_>, parameter: &str, word: &str) -> Result<(), Exit> {
        at.ask(self.instrument, &[], Ask::Set(parameter, &Value::from(word)))
            .map(drop)
    }
}

struct Dropped(Going);

impl Work for Dropped {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let Self(going) = self;
        if !going.heater_is_on(at)? {
            return Err(at.fail("ValueError: the heater of the switch must be on"));
        }
        let target = going.target.value(at)?;
        at.number(&target)?;
        at.ask(going.instrument, &[], Ask::Set("field_rate", &going.rate))?;
        at.ask(going.instrument, &[], Ask::Set("target_field", &target))?;
        going.set(at, "activity", "To set point")?;
        write(at, going.entry, target);
        Ok(())
    }
}

#[derive(Debug)]
struct Measure {
    wait_time: f64,
}

impl Measure {
    fn new(fields: &mut Fields<'_>) -> Self {
        Self {
            wait_time: fields.number("wait_time", 0.0),
        }
    }
}

impl Task for Measure {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&MEASURE)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![("field".to_owned(), Value::Float(1.0))]
    }

    fn check(&self, check: &mut Check<'_>) {
        check.instrument(&["persistent_field"]);
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Reading {
            instrument: prepare.instrument(),
            wait_time: self.wait_time,
            entry: prepare.entry("field"),
        })
    }

    fn seconds(&self, _check: &mut Check<'_>) -> f64 {
        self.wait_time
    }
}

struct Reading {
    instrument: Option<InstrumentId>,
    wait_time: f64,
    entry: Option<EntryId>,
}

impl Work for Reading {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        at.sleep(self.wait_time)?;
        let field = at.ask(self.instrument, &[], Ask::Get("persistent_field"))?;
        write(at, self.entry, field);
        Ok(())
    }
}
