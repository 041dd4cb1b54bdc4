//! `SetDCVoltageTask` and `SetDCCurrentTask`: a DC source goes to a value, in steps where the file says so.
//!
//! As in Exopy the way begins where the instrument is, not where it should be: each performance asks for the present value
//! first. The source must be one of voltage, or of current, which is asked when another task used it before. A step is
//! followed by `delay`, the last one by nothing. Embedded in a loop the task takes the loop's value, with any interface
//! (Exopy forgot to since 2021, except for one of them).

use expr::Value;

use super::{
    Field, Fields, InterfaceKind, Interfaced, Kind, Resume, Shape, Task, Text,
    instrument::{SELECTED, Target, needs_function},
    ramp::Ramp,
};
use crate::{
    check::{Check, Prepare},
    instrument::{Ask, InstrumentId, Where},
    names::EntryId,
    program::{At, Exit, Work},
};

pub(crate) static VOLTAGE: Kind = Kind {
    id: "exopy_hqc_legacy.SetDCVoltageTask",
    summary: "Sets a DC voltage source, in steps if `back_step` says so.",
    fields: &[
        SELECTED,
        TARGET,
        Field {
            name: "back_step",
            default: "0.0",
            doc: "volts; the size of a step, 0 for a single one",
        },
        Field {
            name: "safe_max",
            default: "0.0",
            doc: "volts; the largest value that is set, whatever its sign; 0 for any",
        },
        Field {
            name: "safe_delta",
            default: "0.0",
            doc: "volts; the longest way that is gone; 0 for any",
        },
        DELAY,
    ],
    entries: &[("voltage", "the voltage set, in volts")],
    shape: Shape::Setter,
    waits: None,
    pool: Some("instr"),
    resume: Resume::Restore,
    build: |fields| Box::new(SetDc::new(fields, &VOLTS)),
};

pub(crate) static CURRENT: Kind = Kind {
    id: "exopy_hqc_legacy.SetDCCurrentTask",
    summary: "Sets a DC current source, in steps if `back_step` says so.",
    fields: &[
        SELECTED,
        TARGET,
        Field {
            name: "back_step",
            default: "0.0",
            doc: "amperes; the size of a step, 0 for a single one",
        },
        Field {
            name: "safe_max",
            default: "0.0",
            doc: "amperes; the largest value that is set, whatever its sign; 0 for any",
        },
        DELAY,
    ],
    entries: &[("current", "the current set, in amperes")],
    shape: Shape::Setter,
    waits: None,
    pool: Some("instr"),
    resume: Resume::Restore,
    build: |fields| Box::new(SetDc::new(fields, &AMPERES)),
};

/// One of several sources in a rack.
pub(crate) static MULTI_CHANNEL: InterfaceKind = InterfaceKind {
    id: "exopy_hqc_legacy.MultiChannelVoltageSourceInterface",
    of: "exopy_hqc_legacy.SetDCVoltageTask",
    summary: "Sets one channel of a source that has several.",
    fields: &[Field {
        name: "channel",
        default: "(1, 1)",
        doc: "module and channel",
    }],
};

const TARGET: Field = Field {
    name: "target_value",
    default: "",
    doc: "expression; not used in a loop that the task is embedded in",
};

const DELAY: Field = Field {
    name: "delay",
    default: "0.01",
    doc: "seconds between two steps",
};

/// What differs between volts and amperes.
#[derive(Debug)]
struct Quantity {
    kind: &'static Kind,
    parameter: &'static str,
    function: &'static str,
    /// Nearer than this is there.
    near: f64,
    /// Decimals that steps are rounded to.
    decimals: usize,
}

static VOLTS: Quantity = Quantity {
    kind: &VOLTAGE,
    parameter: "voltage",
    function: "VOLT",
    near: 1e-12,
    decimals: 9,
};

static AMPERES: Quantity = Quantity {
    kind: &CURRENT,
    parameter: "current",
    function: "CURR",
    near: 1e-9,
    decimals: 6,
};

#[derive(Debug)]
struct SetDc {
    quantity: &'static Quantity,
    target: Text,
    way: Way,
    channel: Interfaced<Value>,
}

/// How a source goes from one value to another.
#[derive(Clone, Copy, Debug)]
struct Way {
    step: f64,
    most: f64,
    farthest: f64,
    delay: f64,
}

impl SetDc {
    fn new(fields: &mut Fields<'_>, quantity: &'static Quantity) -> Self {
        let channel = |fields: &mut Fields<'_>| {
            let default = Value::tuple(vec![Value::Int(1), Value::Int(1)]);
            fields.value("channel").unwrap_or(default)
        };
        Self {
            quantity,
            target: fields.text("target_value", ""),
            way: Way {
                step: fields.number("back_step", 0.0),
                most: fields.number("safe_max", 0.0),
                farthest: fields.number("safe_delta", 0.0),
                delay: fields.number("delay", 0.01),
            },
            channel: fields.interface_of(quantity.kind.id, &[(&MULTI_CHANNEL, channel)]),
        }
    }
}

impl Task for SetDc {
    fn kind(&self) -> Option<&'static Kind> {
        Some(self.quantity.kind)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![(self.quantity.parameter.to_owned(), Value::Float(0.01))]
    }

    fn check(&self, check: &mut Check<'_>) {
        check.instrument(&[self.quantity.parameter]);
        let Some(value) = Target::check(check, "target_value", &self.target) else {
            return;
        };
        if let Some(number) = value.as_f64()
            && self.way.is_beyond(number)
        {
            let message = self.way.too_far(number);
            check.error_at("target_value", message, &self.target, None);
        }
        check.set(self.quantity.parameter, value);
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Going {
            quantity: self.quantity,
            instrument: prepare.instrument(),
            target: Target::prepare(prepare, "target_value", &self.target),
            way: self.way,
            channel: self.channel.known().cloned(),
            entry: prepare.entry(self.quantity.parameter),
        })
    }
}

struct Going {
    quantity: &'static Quantity,
    instrument: Option<InstrumentId>,
    target: Target,
    way: Way,
    channel: Option<Value>,
    entry: Option<EntryId>,
}

impl Work for Going {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let channel = self.channel.clone().map(|channel| [("channel", channel)]);
        let place: Where<'_> = channel.as_ref().map_or(&[], |channel| channel);
        needs_function(at, self.instrument, place, self.quantity.function)?;
        let now = at.ask(self.instrument, place, Ask::Get(self.quantity.parameter))?;
        let now = at.number(&now)?;
        let target = self.target.value(at)?;
        let value = at.number(&target)?;
        if self.way.farthest != 0.0 && (now - value).abs() > self.way.farthest {
            let farthest = self.way.farthest;
            let message = format!("ValueError: from {now} to {value} is farther than `safe_delta` allows ({farthest})");
            return Err(at.fail(message));
        }
        if !value.is_finite() {
            return Err(at.fail(format!("ValueError: cannot go to {value}")));
        }
        if self.way.is_beyond(value) {
            return Err(at.fail(format!("ValueError: {}", self.way.too_far(value))));
        }
        if (now - value).abs() < self.quantity.near {
            self.write(at, target);
            return Ok(());
        }
        if self.way.step == 0.0 {
            self.write(at, target.clone());
            return self.set(at, place, &target);
        }
        let ramp = Ramp {
            step: self.way.step,
            delay: self.way.delay,
            decimals: Some(self.quantity.decimals),
        };
        let step = |next| self.set(at, place, &Value::Float(next));
        let stopped_at = |last: f64| self.write(at, Value::Float(last));
        let last = match ramp.approach(at, now, value, step) {
            Ok(last) => last,
            Err((last, exit)) => {
                stopped_at(last);
                return Err(exit);
            }
        };
        self.set(at, place, &target).inspect_err(|_| stopped_at(last))?;
        self.write(at, target);
        Ok(())
    }
}

impl Going {
    fn set(&self, at: &At<'_>, place: Where<'_>, value: &Value) -> Result<(), Exit> {
        at.ask(self.instrument, place, Ask::Set(self.quantity.parameter, value))
            .map(drop)
    }

    fn write(&self, at: &At<'_>, value: Value) {
        if let Some(entry) = self.entry {
            at.write(entry, value);
        }
    }
}

impl Way {
    fn is_beyond(&self, value: f64) -> bool {
        self.most != 0.0 && self.most < value.abs()
    }

    fn too_far(&self, value: f64) -> String {
        format!("{value} is beyond `safe_max` ({})", self.most)
    }
}
