//! What LaBEQ's package sets: sources, their limits and ranges.
//!
//! Its drivers answer `"success"` to most of this, and that is what its entries hold; here they hold what was set. A task
//! that needs a source of volts or of amperes makes it one first, where the driver has a `function`: a driver that guards
//! it (a Yokogawa's may change at level 0 with the output off only) then refuses.

use expr::Value;

use super::{
    Field, Fields, Kind, Resume, Shape, Task, Text,
    instrument::{SELECTED, SOURCES, Target, WAIT_TIME, first_known, make_function, write},
};
use crate::{
    check::{Check, Expect, Prepare},
    instrument::{Ask, InstrumentId},
    names::EntryId,
    program::{At, Exit, Work},
};

pub(crate) static SOURCE_VOLTAGE: Kind = Kind {
    id: "labeq_exopy.SourceDCVoltageTask",
    summary: "Sources a DC voltage.",
    fields: &[SELECTED, WAIT_TIME, value("source_v", "expression, in volts")],
    entries: &[("source_voltage_dc", "the voltage set, in volts")],
    shape: Shape::Setter,
    waits: Some(SOURCES),
    pool: None,
    resume: Resume::Restore,
    build: |fields| Set::build(fields, &SOURCE_VOLTAGE, "source_v", "source_voltage_dc", VOLTAGE),
};

pub(crate) static SOURCE_CURRENT: Kind = Kind {
    id: "labeq_exopy.SourceDCCurrentTask",
    summary: "Sources a DC current.",
    fields: &[SELECTED, WAIT_TIME, value("source_c", "expression, in amperes")],
    entries: &[("source_current_dc", "the current set, in amperes")],
    shape: Shape::Setter,
    waits: Some(SOURCES),
    pool: None,
    resume: Resume::Restore,
    build: |fields| Set::build(fields, &SOURCE_CURRENT, "source_c", "source_current_dc", CURRENT),
};

pub(crate) static VOLTAGE_COMPLIANCE: Kind = Kind {
    id: "labeq_exopy.SetVoltageComplianceTask",
    summary: "Limits the voltage of a source of current.",
    fields: &[SELECTED, value("comp_v", "expression, in volts")],
    entries: &[("comp_v", "the limit set, in volts")],
    shape: Shape::Setter,
    waits: None,
    pool: None,
    resume: Resume::Restore,
    build: |fields| Set::build(fields, &VOLTAGE_COMPLIANCE, "comp_v", "comp_v", VOLTAGE_LIMIT),
};

pub(crate) static CURRENT_COMPLIANCE: Kind = Kind {
    id: "labeq_exopy.SetCurrentComplianceTask",
    summary: "Limits the current of a source of voltage.",
    fields: &[SELECTED, value("comp_c", "expression, in amperes")],
    entries: &[("comp_c", "the limit set, in amperes")],
    shape: Shape::Setter,
    waits: None,
    pool: None,
    resume: Resume::Restore,
    build: |fields| Set::build(fields, &CURRENT_COMPLIANCE, "comp_c", "comp_c", CURRENT_LIMIT),
};

pub(crate) static RANGE: Kind = Kind {
    id: "labeq_exopy.SetRange",
    summary: "Sets the range of a meter or a source.",
    fields: &[SELECTED, value("range_val", "expression, in volts")],
    entries: &[("range_val", "the range set, in volts")],
    shape: Shape::Setter,
    waits: None,
    pool: None,
    resume: Resume::Restore,
    build: |fields| Set::build(fields, &RANGE, "range_val", "range_val", ANY_RANGE),
};

pub(crate) static YOKO_RANGE: Kind = Kind {
    id: "labeq_exopy.SetRangeTaskYoko",
    summary: "Makes a Yokogawa GS200 a source of volts or amperes and sets its range.",
    fields: &[
        SELECTED,
        WAIT_TIME,
        FUNCTION,
        value(
            "set_range_val",
            "expression, in volts or amperes; or `MIN` or `MAX`, which is what empty means",
        ),
    ],
    entries: &[("set_range_val", "the range set")],
    shape: Shape::Setter,
    waits: Some(SOURCES),
    pool: None,
    resume: Resume::Restore,
    build: |fields| {
        let sets = match fields.choice("func_v", &["Voltage", "Current", "Both"]) {
            "Current" => CURRENT_RANGE,
            "Both" => BOTH_RANGES,
            _ => VOLTAGE_RANGE,
        };
        Set::build(fields, &YOKO_RANGE, "set_range_val", "set_range_val", sets)
    },
};

pub(crate) static YOKO_COMPLIANCE: Kind = Kind {
    id: "labeq_exopy.SetComplianceTaskYoko",
    summary: "Limits the voltage or the current of a Yokogawa GS200.",
    fields: &[
        SELECTED,
        Field {
            name: "func_v",
            default: "Voltage",
            doc: "what is limited: `Voltage` or `Current`",
        },
        value("set_limit_val", "expression, in volts or amperes"),
    ],
    entries: &[("set_limit_val", "the limit set")],
    shape: Shape::Setter,
    waits: None,
    pool: None,
    resume: Resume::Restore,
    build: |fields| {
        let sets = match fields.choice("func_v", &["Voltage", "Current"]) {
            "Current" => CURRENT_LIMIT,
            _ => VOLTAGE_LIMIT,
        };
        Set::build(fields, &YOKO_COMPLIANCE, "set_limit_val", "set_limit_val", sets)
    },
};

const fn value(name: &'static str, doc: &'static str) -> Field {
    Field { name, default: "", doc }
}

const FUNCTION: Field = Field {
    name: "func_v",
    default: "Voltage",
    doc: "`Voltage`, `Current` or `Both`, one after the other",
};

/// A parameter that is set, and what the instrument has to be a source of.
#[derive(Debug)]
struct OneSet {
    function: Option<&'static str>,
    /// The first of these that the instrument has.
    parameters: &'static [&'static str],
}

const fn set(function: Option<&'static str>, parameters: &'static [&'static str]) -> OneSet {
    OneSet { function, parameters }
}

const VOLTAGE: &[OneSet] = &[set(Some("VOLT"), &["voltage"])];
const CURRENT: &[OneSet] = &[set(Some("CURR"), &["current"])];
const VOLTAGE_LIMIT: &[OneSet] = &[set(None, &["voltage_limit"])];
const CURRENT_LIMIT: &[OneSet] = &[set(None, &["current_limit"])];
const ANY_RANGE: &[OneSet] = &[set(None, &["range", "voltage_range"])];
const VOLTAGE_RANGE: &[OneSet] = &[set(Some("VOLT"), &["range", "voltage_range"])];
const CURRENT_RANGE: &[OneSet] = &[set(Some("CURR"), &["range", "current_range"])];
const BOTH_RANGES: &[OneSet] = &[
    set(Some("VOLT"), &["range", "voltage_range"]),
    set(Some("CURR"), &["range", "current_range"]),
];

#[derive(Debug)]
struct Set {
    kind: &'static Kind,
    field: &'static str,
    entry: &'static str,
    sets: &'static [OneSet],
    value: Text,
    wait_secs: f64,
}

impl Set {
    fn build(
        fields: &mut Fields<'_>,
        kind: &'static Kind,
        field: &'static str,
        entry: &'static str,
        sets: &'static [OneSet],
    ) -> Box<dyn Task> {
        Box::new(Self {
            kind,
            field,
            entry,
            sets,
            value: fields.text(field, ""),
            wait_secs: fields.number("wait_time", 0.0),
        })
    }

    /// The word that the range of a Yokogawa may be.
    fn word(&self) -> Option<&'static str> {
        if self.kind.id != YOKO_RANGE.id {
            return None;
        }
        match self.value.text.trim() {
            "" | "MAX" | "max" => Some("MAX"),
            "MIN" | "min" => Some("MIN"),
            _ => None,
        }
    }
}

impl Task for Set {
    fn kind(&self) -> Option<&'static Kind> {
        Some(self.kind)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![(self.entry.to_owned(), Value::Float(1.0))]
    }

    fn check(&self, check: &mut Check<'_>) {
        for set in self.sets {
            let parameter = first_known(check, set.parameters);
            check.instrument(&[parameter]);
        }
        if let Some(word) = self.word().filter(|_| !check.is_embedded()) {
            check.set(self.entry, Value::from(word));
        } else if let Some(value) = Target::check_as(check, self.field, &self.value, Expect::Real) {
            check.set(self.entry, value);
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        let word = self.word().filter(|_| !prepare.is_embedded());
        Box::new(Setting {
            sets: self.sets,
            instrument: prepare.instrument(),
            word: word.map(Value::from),
            target: Target::prepare(prepare, self.field, &self.value),
            wait_secs: self.wait_secs,
            entry: prepare.entry(self.entry),
        })
    }

    fn seconds(&self, _check: &mut Check<'_>) -> f64 {
        self.wait_secs.max(0.0)
    }
}

struct Setting {
    sets: &'static [OneSet],
    instrument: Option<InstrumentId>,
    word: Option<Value>,
    target: Target,
    wait_secs: f64,
    entry: Option<EntryId>,
}

impl Work for Setting {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        at.sleep(self.wait_secs)?;
        let value = match &self.word {
            Some(word) => word.clone(),
            None => self.target.value(at)?,
        };
        for set in self.sets {
            if let Some(function) = set.function {
                make_function(at, self.instrument, function)?;
            }
            let has = |name: &&&str| self.instrument.is_some_and(|id| at.bench().instrument_has(id, name));
            let parameter = set.parameters.iter().find(has).or(set.parameters.last());
            let parameter = parameter.copied().unwrap_or_default();
            at.ask(self.instrument, &[], Ask::Set(parameter, &value))?;
        }
        write(at, self.entry, value);
        Ok(())
    }
}
