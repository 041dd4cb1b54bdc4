//! The tasks that read one number of an instrument: `MeasDCVoltageTask`, and what LaBEQ's package reads.
//!
//! Each of them waits for the sources, then for `wait_time`, and asks one question. LaBEQ's resistances may say how a
//! Keithley 2400 is to source before. Where a driver has no parameter of the name and Python's drivers have a method, that
//! is a profile's business, not of this file.

use expr::Value;

use super::{
    Field, Fields, InterfaceKind, Interfaced, Kind, Resume, Shape, Task,
    instrument::{SELECTED, SOURCES, WAIT_TIME, write},
};
use crate::{
    check::{Check, Prepare},
    instrument::{Ask, InstrumentId},
    names::EntryId,
    problem::Severity,
    program::{At, Exit, Work},
};

macro_rules! reading {
    ($kind:ident, $reading:ident, $id:literal, $parameter:literal, $entry:literal, $summary:literal, $doc:literal) => {
        pub(crate) static $kind: Kind = Kind {
            id: $id,
            summary: $summary,
            fields: &[SELECTED, WAIT_TIME],
            entries: &[($entry, $doc)],
            shape: Shape::Leaf,
            waits: Some(SOURCES),
            pool: None,
            resume: Resume::Redo,
            build: |fields| Box::new(Measure::new(fields, &$reading)),
        };

        static $reading: Reading = Reading {
            kind: &$kind,
            parameter: $parameter,
            entry: $entry,
            interface: None,
        };
    };
}

reading!(
    DC_VOLTAGE,
    OF_DC_VOLTAGE,
    "exopy_hqc_legacy.MeasDCVoltageTask",
    "voltage_dc",
    "voltage",
    "Measures a DC voltage.",
    "the voltage measured, in volts"
);
reading!(
    LABEQ_DC_VOLTAGE,
    OF_LABEQ_DC_VOLTAGE,
    "labeq_exopy.MeasDCVoltageTask",
    "voltage_dc",
    "voltageDC",
    "Measures a DC voltage.",
    "the voltage measured, in volts"
);
reading!(
    LABEQ_DC_CURRENT,
    OF_LABEQ_DC_CURRENT,
    "labeq_exopy.MeasDCCurrentTask",
    "current_dc",
    "currentDC",
    "Measures a DC current.",
    "the current measured, in amperes"
);
reading!(
    LABEQ_AC_VOLTAGE,
    OF_LABEQ_AC_VOLTAGE,
    "labeq_exopy.MeasACVoltageTask",
    "voltage_ac",
    "voltageAC",
    "Measures an AC voltage.",
    "the voltage measured, in volts"
);
reading!(
    LABEQ_AC_CURRENT,
    OF_LABEQ_AC_CURRENT,
    "labeq_exopy.MeasACCurrentTask",
    "current_ac",
    "currentAC",
    "Measures an AC current.",
    "the current measured, in amperes"
);
reading!(
    LABEQ_MEAN,
    OF_LABEQ_MEAN,
    "labeq_exopy.MeasMeanTask",
    "mean",
    "mean",
    "Measures the mean of what an oscilloscope shows.",
    "the mean measured"
);
reading!(
    LABEQ_MEAN_EARLIER,
    OF_LABEQ_MEAN_EARLIER,
    "labeq_exopy.measMean",
    "mean",
    "mean",
    "Measures the mean of what an oscilloscope shows: `MeasMeanTask` as it was called at first.",
    "the mean measured"
);

pub(crate) static LABEQ_TWO_WIRES: Kind = Kind {
    id: "labeq_exopy.MeasTwoResistanceTask",
    summary: "Measures a resistance with two wires.",
    fields: &[SELECTED, WAIT_TIME],
    entries: &[("two_resistance", "the resistance measured, in ohms")],
    shape: Shape::Leaf,
    waits: Some(SOURCES),
    pool: None,
    resume: Resume::Redo,
    build: |fields| Box::new(Measure::new(fields, &OF_LABEQ_TWO_WIRES)),
};

pub(crate) static LABEQ_FOUR_WIRES: Kind = Kind {
    id: "labeq_exopy.MeasFourResistanceTask",
    summary: "Measures a resistance with four wires.",
    fields: &[SELECTED, WAIT_TIME],
    entries: &[("four_resistance", "the resistance measured, in ohms")],
    shape: Shape::Leaf,
    waits: Some(SOURCES),
    pool: None,
    resume: Resume::Redo,
    build: |fields| Box::new(Measure::new(fields, &OF_LABEQ_FOUR_WIRES)),
};

pub(crate) static TWO_WIRES_OF_2400: InterfaceKind = InterfaceKind {
    id: "labeq_exopy.Keithley2400MeasTwoResistanceInterface",
    of: "labeq_exopy.MeasTwoResistanceTask",
    summary: "Says how a Keithley 2400 sources while it measures.",
    fields: SOURCING,
};

pub(crate) static FOUR_WIRES_OF_2400: InterfaceKind = InterfaceKind {
    id: "labeq_exopy.Keithley2400MeasFourResistanceInterface",
    of: "labeq_exopy.MeasFourResistanceTask",
    summary: "Says how a Keithley 2400 sources while it measures.",
    fields: SOURCING,
};

const SOURCING: &[Field] = &[
    Field {
        name: "source_mode",
        default: "Manual",
        doc: "`Auto` for the instrument's own choice, or `Manual`",
    },
    Field {
        name: "source_type",
        default: "",
        doc: "if manual: `Voltage`, `Current`, or empty for what it is",
    },
    Field {
        name: "curr_comp",
        default: "0.0",
        doc: "amperes; the limit of the current while a voltage is sourced",
    },
    Field {
        name: "volt_comp",
        default: "0.0",
        doc: "volts; the limit of the voltage while a current is sourced",
    },
];

static OF_LABEQ_TWO_WIRES: Reading = Reading {
    kind: &LABEQ_TWO_WIRES,
    parameter: "resistance",
    entry: "two_resistance",
    interface: Some(&TWO_WIRES_OF_2400),
};

static OF_LABEQ_FOUR_WIRES: Reading = Reading {
    kind: &LABEQ_FOUR_WIRES,
    parameter: "resistance_4w",
    entry: "four_resistance",
    interface: Some(&FOUR_WIRES_OF_2400),
};

/// What differs between the tasks.
#[derive(Debug)]
struct Reading {
    kind: &'static Kind,
    parameter: &'static str,
    entry: &'static str,
    interface: Option<&'static InterfaceKind>,
}

/// How an instrument sources while it measures: parameters and what they are set to.
type Sourcing = Vec<(&'static str, Value)>;

fn sourcing(fields: &mut Fields<'_>) -> Sourcing {
    let limits = [fields.number("curr_comp", 0.0), fields.number("volt_comp", 0.0)];
    match fields.choice("source_mode", &["Manual", "Auto"]) {
        "Auto" => vec![("resistance_mode", Value::from("AUTO"))],
        _ => {
            let mut sets = vec![("resistance_mode", Value::from("MAN"))];
            match fields.choice("source_type", &["", "Voltage", "Current"]) {
                "Voltage" => sets.extend([
                    ("function", Value::from("VOLT")),
                    ("current_limit", Value::Float(limits[0])),
                ]),
                "Current" => sets.extend([
                    ("function", Value::from("CURR")),
                    ("voltage_limit", Value::Float(limits[1])),
                ]),
                _ => {}
            }
            sets
        }
    }
}

#[derive(Debug)]
struct Measure {
    reading: &'static Reading,
    wait_secs: f64,
    sourcing: Interfaced<Sourcing>,
}

impl Measure {
    fn new(fields: &mut Fields<'_>, reading: &'static Reading) -> Self {
        let read: fn(&mut Fields<'_>) -> Sourcing = sourcing;
        let known: Vec<_> = reading.interface.iter().map(|kind| (*kind, read)).collect();
        Self {
            reading,
            wait_secs: fields.number("wait_time", 0.0),
            sourcing: fields.interface_of(reading.kind.id, &known),
        }
    }
}

impl Task for Measure {
    fn kind(&self) -> Option<&'static Kind> {
        Some(self.reading.kind)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![(self.reading.entry.to_owned(), Value::Float(1.0))]
    }

    fn check(&self, check: &mut Check<'_>) {
        check.instrument(&[self.reading.parameter]);
        let sourcing = self.sourcing.known().map_or(&[][..], Vec::as_slice);
        let missing: Vec<&str> = sourcing
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| !check.instrument_has(name))
            .collect();
        if !missing.is_empty() {
            // Exopy does not notice: its drivers take any attribute.
            let message = format!(
                "the interface sets `{}`, which this instrument does not have: it is left as it is",
                missing.join("`, `")
            );
            check.error("-interface", message).severity = Severity::Warning;
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Measuring {
            parameter: self.reading.parameter,
            instrument: prepare.instrument(),
            wait_secs: self.wait_secs,
            sourcing: self.sourcing.known().cloned().unwrap_or_default(),
            entry: prepare.entry(self.reading.entry),
        })
    }

    fn seconds(&self, _check: &mut Check<'_>) -> f64 {
        self.wait_secs.max(0.0)
    }
}

struct Measuring {
    parameter: &'static str,
    instrument: Option<InstrumentId>,
    wait_secs: f64,
    sourcing: Sourcing,
    entry: Option<EntryId>,
}

impl Work for Measuring {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        at.sleep(self.wait_secs)?;
        for (parameter, value) in &self.sourcing {
            let has = |instrument| at.bench().instrument_has(instrument, parameter);
            if self.instrument.is_none_or(has) {
                at.ask(self.instrument, &[], Ask::Set(parameter, value))?;
            }
        }
        let value = at.ask(self.instrument, &[], Ask::Get(self.parameter))?;
        write(at, self.entry, value);
        Ok(())
    }
}
