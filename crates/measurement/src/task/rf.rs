//! `SetRFFrequencyTask`, `SetRFPowerTask` and `SetRFPhaseTask`: what a microwave source puts out.
//!
//! A frequency and a phase go to the driver in the unit of the task, which is said beside them (`unit`, `phase_unit`), and
//! the entry has them in that unit; a network analyser is set in hertz, and the entry then is in hertz, as in Exopy. With
//! `auto_start` the output is switched on first, by a network analyser last. Embedded in a loop each of them takes the
//! loop's value, whatever the interface.

use expr::Value;

use super::{
    Field, Fields, Interfaced, Kind, Resume, Shape, Task, Text,
    instrument::{SELECTED, Target, write},
    rf_channel::{
        Channel, FREQUENCY_ANAPICO, FREQUENCY_SYNTH_HD, PNA_FREQUENCY, PNA_POWER, POWER_ANAPICO, POWER_SYNTH_HD,
    },
};
use crate::{
    check::{Check, Prepare},
    instrument::{Ask, InstrumentId},
    names::EntryId,
    program::{At, Exit, Work},
};

pub(crate) static FREQUENCY: Kind = Kind {
    id: "exopy_hqc_legacy.SetRFFrequencyTask",
    summary: "Sets the frequency of an RF source.",
    fields: &[
        SELECTED,
        Field {
            name: "frequency",
            default: "",
            doc: "expression, in `unit`; not used in a loop that the task is embedded in",
        },
        Field {
            name: "unit",
            default: "GHz",
            doc: "`GHz`, `MHz`, `kHz` or `Hz`",
        },
        AUTO_START,
    ],
    entries: &[
        ("frequency", "the frequency set, in `unit`"),
        ("unit", "the unit of the frequency"),
    ],
    shape: Shape::Setter,
    waits: None,
    pool: None,
    resume: Resume::Restore,
    build: |fields| {
        let anapico: fn(&mut Fields<'_>) -> Channel = Channel::anapico;
        let known = [
            (&FREQUENCY_ANAPICO, anapico),
            (&FREQUENCY_SYNTH_HD, Channel::synth_hd),
            (&PNA_FREQUENCY, Channel::pna_frequency),
        ];
        Box::new(SetRf {
            quantity: &OF_FREQUENCY,
            value: fields.text("frequency", ""),
            unit: Some(unit(fields, &FREQUENCY_UNITS)),
            auto_start: fields.flag("auto_start", false),
            channel: fields.interface_of(FREQUENCY.id, &known),
        })
    },
};

pub(crate) static POWER: Kind = Kind {
    id: "exopy_hqc_legacy.SetRFPowerTask",
    summary: "Sets the power of an RF source.",
    fields: &[
        SELECTED,
        Field {
            name: "power",
            default: "",
            doc: "expression, in dBm; not used in a loop that the task is embedded in",
        },
        AUTO_START,
    ],
    entries: &[("power", "the power set, in dBm")],
    shape: Shape::Setter,
    waits: None,
    pool: None,
    resume: Resume::Restore,
    build: |fields| {
        let anapico: fn(&mut Fields<'_>) -> Channel = Channel::anapico;
        let known = [
            (&POWER_ANAPICO, anapico),
            (&POWER_SYNTH_HD, Channel::synth_hd),
            (&PNA_POWER, Channel::pna_power),
        ];
        Box::new(SetRf {
            quantity: &OF_POWER,
            value: fields.text("power", ""),
            unit: None,
            auto_start: fields.flag("auto_start", false),
            channel: fields.interface_of(POWER.id, &known),
        })
    },
};

pub(crate) static PHASE: Kind = Kind {
    id: "exopy_hqc_legacy.SetRFPhaseTask",
    summary: "Sets the phase of an RF source.",
    fields: &[
        SELECTED,
        Field {
            name: "phase",
            default: "",
            doc: "expression, in `unit`; not used in a loop that the task is embedded in",
        },
        Field {
            name: "unit",
            default: "Deg",
            doc: "`Deg` or `Rad`",
        },
        AUTO_START,
    ],
    entries: &[("phase", "the phase set, in `unit`"), ("unit", "the unit of the phase")],
    shape: Shape::Setter,
    waits: None,
    pool: None,
    resume: Resume::Restore,
    build: |fields| {
        Box::new(SetRf {
            quantity: &OF_PHASE,
            value: fields.text("phase", ""),
            unit: Some(unit(fields, &PHASE_UNITS)),
            auto_start: fields.flag("auto_start", false),
            channel: fields.interface_of(PHASE.id, &[]),
        })
    },
};

const AUTO_START: Field = Field {
    name: "auto_start",
    default: "False",
    doc: "whether the output is switched on, too",
};

/// What differs between the tasks.
#[derive(Debug)]
struct Quantity {
    kind: &'static Kind,
    /// Of the field, the entry and the parameter.
    name: &'static str,
    default: Value,
    /// What a driver calls the unit.
    unit: &'static str,
}

static OF_FREQUENCY: Quantity = Quantity {
    kind: &FREQUENCY,
    name: "frequency",
    default: Value::Float(1.0),
    unit: "unit",
};

static OF_POWER: Quantity = Quantity {
    kind: &POWER,
    name: "power",
    default: Value::Int(-10),
    unit: "unit",
};

static OF_PHASE: Quantity = Quantity {
    kind: &PHASE,
    name: "phase",
    default: Value::Float(0.0),
    unit: "phase_unit",
};

/// A unit as files, drivers and hertz know it.
#[derive(Debug)]
struct Unit {
    /// In files.
    name: &'static str,
    /// For drivers.
    argument: &'static str,
    /// So many of an analyser's units.
    factor: f64,
}

const fn known(name: &'static str, argument: &'static str, factor: f64) -> Unit {
    Unit { name, argument, factor }
}

static FREQUENCY_UNITS: [Unit; 4] = [
    known("GHz", "GHz", 1e9),
    known("MHz", "MHz", 1e6),
    known("kHz", "kHz", 1e3),
    known("Hz", "Hz", 1.0),
];

static PHASE_UNITS: [Unit; 2] = [known("Deg", "DEG", 1.0), known("Rad", "RAD", 1.0)];

fn unit(fields: &mut Fields<'_>, units: &'static [Unit]) -> &'static Unit {
    let names: Vec<&'static str> = units.iter().map(|unit| unit.name).collect();
    let chosen = fields.choice("unit", &names);
    units.iter().find(|unit| unit.name == chosen).unwrap_or(&units[0])
}

#[derive(Debug)]
struct SetRf {
    quantity: &'static Quantity,
    value: Text,
    unit: Option<&'static Unit>,
    auto_start: bool,
    channel: Interfaced<Channel>,
}

impl SetRf {
    fn is_analyser(&self) -> bool {
        matches!(self.channel.known(), Some(Channel::Analyser { .. }))
    }

    fn place(&self) -> Vec<(&'static str, Value)> {
        let mut place = self.channel.known().map_or_else(Vec::new, Channel::place);
        if let Some(unit) = self.unit.filter(|_| !self.is_analyser()) {
            place.push((self.quantity.unit, Value::from(unit.argument)));
        }
        place
    }

    /// What a value is multiplied with before it is set.
    fn factor(&self) -> Option<f64> {
        let factor = self.unit.map(|unit| unit.factor);
        factor.filter(|factor| self.is_analyser() && *factor != 1.0)
    }
}

impl Task for SetRf {
    fn kind(&self) -> Option<&'static Kind> {
        Some(self.quantity.kind)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        let value = (self.quantity.name.to_owned(), self.quantity.default.clone());
        let unit = self.unit.map(|unit| ("unit".to_owned(), Value::from(unit.name)));
        std::iter::once(value).chain(unit).collect()
    }

    fn check(&self, check: &mut Check<'_>) {
        if self.auto_start && !self.is_analyser() {
            check.instrument(&[self.quantity.name, "output"]);
        } else {
            check.instrument(&[self.quantity.name]);
        }
        if let Some(value) = Target::check(check, self.quantity.name, &self.value) {
            check.set(self.quantity.name, scaled(&value, self.factor()));
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        let instrument = prepare.instrument();
        Box::new(Setting {
            quantity: self.quantity,
            instrument,
            target: Target::prepare(prepare, self.quantity.name, &self.value),
            factor: self.factor(),
            place: self.place(),
            start: match (self.auto_start, self.is_analyser()) {
                (false, _) => Start::Never,
                (true, false) => Start::Before,
                (true, true) => Start::After,
            },
            on: Value::from("ON"),
            entry: prepare.entry(self.quantity.name),
        })
    }
}

struct Setting {
    quantity: &'static Quantity,
    instrument: Option<InstrumentId>,
    target: Target,
    factor: Option<f64>,
    place: Vec<(&'static str, Value)>,
    start: Start,
    on: Value,
    entry: Option<EntryId>,
}

/// When the output is switched on.
#[derive(PartialEq, Eq)]
enum Start {
    Never,
    Before,
    /// If the instrument has an output to switch: some network analysers have none.
    After,
}

impl Work for Setting {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let start = || at.ask(self.instrument, &self.place, Ask::Set("output", &self.on));
        if self.start == Start::Before {
            start()?;
        }
        let value = self.target.value(at)?;
        at.number(&value)?;
        let value = scaled(&value, self.factor);
        at.ask(self.instrument, &self.place, Ask::Set(self.quantity.name, &value))?;
        write(at, self.entry, value);
        let has_output = |id| at.bench().instrument_has(id, "output");
        if self.start == Start::After && self.instrument.is_some_and(has_output) {
            start()?;
        }
        Ok(())
    }
}

fn scaled(value: &Value, factor: Option<f64>) -> Value {
    match (factor, value.as_f64()) {
        (Some(factor), Some(number)) => Value::Float(number * factor),
        _ => value.clone(),
    }
}
