//! `measurand.SetParameterTask`: any parameter of any instrument gets a value.
//!
//! With `step` it goes there in steps, from where the instrument says that it is. Embedded in a loop the task takes the
//! loop's value. A stop ends it after any step, and the entry has what was set last.

use expr::Value;

use super::{
    Field, Fields, Kind, Resume, Shape, Task, Text,
    instrument::{SELECTED, Target, write},
    place::{CompiledPlace, PARAMETER, PLACE, Place, check_named},
    ramp::Ramp,
};
use crate::{
    check::{Check, Expect, Prepare},
    instrument::{Ask, InstrumentId, Where},
    names::EntryId,
    program::{At, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "measurand.SetParameterTask",
    summary: "Sets a parameter of any instrument, in steps if `step` says so.",
    fields: &[
        SELECTED,
        PARAMETER,
        Field {
            name: "value",
            default: "",
            doc: "expression; not used in a loop that the task is embedded in",
        },
        PLACE,
        Field {
            name: "step",
            default: "0.0",
            doc: "the size of a step, 0 for a single one",
        },
        Field {
            name: "delay",
            default: "0.01",
            doc: "seconds between two steps",
        },
        Field {
            name: "settle",
            default: "0.0",
            doc: "seconds to wait after the value is set",
        },
    ],
    entries: &[("value", "the value set")],
    shape: Shape::Setter,
    waits: None,
    pool: None,
    resume: Resume::Restore,
    build: |fields| Box::new(SetParameter::new(fields)),
};

#[derive(Debug)]
struct SetParameter {
    parameter: Text,
    value: Text,
    place: Place,
    ramp: Ramp,
    settle_secs: f64,
}

impl SetParameter {
    fn new(fields: &mut Fields<'_>) -> Self {
        Self {
            parameter: fields.text("parameter", ""),
            value: fields.text("value", ""),
            place: Place::read(fields),
            ramp: Ramp {
                step: fields.number("step", 0.0),
                delay: fields.number("delay", 0.01),
                decimals: None,
            },
            settle_secs: fields.number("settle", 0.0),
        }
    }
}

impl Task for SetParameter {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![("value".to_owned(), Value::Float(1.0))]
    }

    fn check(&self, check: &mut Check<'_>) {
        check_named(check, "parameter", &self.parameter);
        self.place.check(check);
        let expect = if self.ramp.step == 0.0 {
            Expect::Anything
        } else {
            Expect::Real
        };
        if let Some(value) = Target::check_as(check, "value", &self.value, expect) {
            check.set("value", value);
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Setting {
            parameter: self.parameter.text.trim().to_owned(),
            instrument: prepare.instrument(),
            target: Target::prepare(prepare, "value", &self.value),
            place: self.place.prepare(prepare),
            ramp: self.ramp,
            settle_secs: self.settle_secs,
            entry: prepare.entry("value"),
        })
    }

    fn seconds(&self, _check: &mut Check<'_>) -> f64 {
        self.settle_secs.max(0.0)
    }
}

struct Setting {
    parameter: String,
    instrument: Option<InstrumentId>,
    target: Target,
    place: CompiledPlace,
    ramp: Ramp,
    settle_secs: f64,
    entry: Option<EntryId>,
}

impl Work for Setting {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let place = self.place.values(at)?;
        let target = self.target.value(at)?;
        if self.ramp.step != 0.0 {
            self.go_near(at, &place, &target)?;
        }
        self.set(at, &place, &target)?;
        write(at, self.entry, target);
        at.sleep(self.settle_secs)
    }
}

impl Setting {
    fn go_near(&self, at: &At<'_>, place: Where<'_>, target: &Value) -> Result<(), Exit> {
        let now = at.ask(self.instrument, place, Ask::Get(&self.parameter))?;
        let now = at.number(&now)?;
        let step = |next| self.set(at, place, &Value::Float(next));
        let gone = self.ramp.approach(at, now, at.number(target)?, step);
        gone.map(drop).map_err(|(last, exit)| {
            write(at, self.entry, Value::Float(last));
            exit
        })
    }

    fn set(&self, at: &At<'_>, place: Where<'_>, value: &Value) -> Result<(), Exit> {
        at.ask(self.instrument, place, Ask::Set(&self.parameter, value))
            .map(drop)
    }
}
