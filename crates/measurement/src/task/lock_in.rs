//! `exopy_hqc_legacy.LockInMeasureTask`: what a lock-in amplifier shows.
//!
//! Two values that belong together are read in one question, so that both are of one moment.

use expr::Value;

use super::{
    Field, Fields, Kind, Resume, Shape, Task,
    instrument::{SELECTED, SOURCES, write},
};
use crate::{
    check::{Check, Prepare},
    instrument::{Ask, InstrumentId},
    names::EntryId,
    program::{At, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy_hqc_legacy.LockInMeasureTask",
    summary: "Reads a lock-in amplifier.",
    fields: &[
        SELECTED,
        Field {
            name: "mode",
            default: "X",
            doc: "`X`, `Y`, `X&Y`, `Amp`, `Phase` or `Amp&Phase`",
        },
        Field {
            name: "waiting_time",
            default: "0.0",
            doc: "seconds to wait before",
        },
    ],
    entries: &[
        ("x", "in volts, if `mode` has it"),
        ("y", "in volts, if `mode` has it"),
        ("amplitude", "in volts, if `mode` has it"),
        ("phase", "in degrees, if `mode` has it"),
    ],
    shape: Shape::Leaf,
    waits: Some(SOURCES),
    pool: None,
    resume: Resume::Redo,
    build: |fields| Box::new(LockIn::new(fields)),
};

/// What is read, and how.
#[derive(Debug)]
struct Mode {
    name: &'static str,
    parameter: &'static str,
    entries: &'static [&'static str],
}

static MODES: [Mode; 6] = [
    mode("X", "x", &["x"]),
    mode("Y", "y", &["y"]),
    mode("X&Y", "xy", &["x", "y"]),
    mode("Amp", "amplitude", &["amplitude"]),
    mode("Phase", "phase", &["phase"]),
    mode("Amp&Phase", "amplitude_and_phase", &["amplitude", "phase"]),
];

const fn mode(name: &'static str, parameter: &'static str, entries: &'static [&'static str]) -> Mode {
    Mode {
        name,
        parameter,
        entries,
    }
}

#[derive(Debug)]
struct LockIn {
    mode: &'static Mode,
    wait_secs: f64,
}

impl LockIn {
    fn new(fields: &mut Fields<'_>) -> Self {
        let names = MODES.each_ref().map(|mode| mode.name);
        let chosen = fields.choice("mode", &names);
        Self {
            mode: MODES.iter().find(|mode| mode.name == chosen).unwrap_or(&MODES[0]),
            wait_secs: fields.number("waiting_time", 0.0),
        }
    }
}

impl Task for LockIn {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        let entries = self.mode.entries.iter();
        entries.map(|entry| ((*entry).to_owned(), Value::Float(1.0))).collect()
    }

    fn check(&self, check: &mut Check<'_>) {
        check.instrument(&[self.mode.parameter]);
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Reading {
            mode: self.mode,
            instrument: prepare.instrument(),
            wait_secs: self.wait_secs,
            entries: self.mode.entries.iter().map(|entry| prepare.entry(entry)).collect(),
        })
    }

    fn seconds(&self, _check: &mut Check<'_>) -> f64 {
        self.wait_secs.max(0.0)
    }
}

struct Reading {
    mode: &'static Mode,
    instrument: Option<InstrumentId>,
    wait_secs: f64,
    entries: Vec<Option<EntryId>>,
}

impl Work for Reading {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        at.sleep(self.wait_secs)?;
        let value = at.ask(self.instrument, &[], Ask::Get(self.mode.parameter))?;
        if let [entry] = self.entries[..] {
            write(at, entry, value);
            return Ok(());
        }
        let parts = value.iterate().unwrap_or_default();
        if parts.len() != self.entries.len() {
            let expected = self.entries.len();
            let message = format!(
                "ValueError: expected {expected} values from the instrument, not {}",
                value.repr()
            );
            return Err(at.fail(message));
        }
        for (entry, part) in self.entries.iter().zip(parts) {
            // Of an array the parts are numpy's numbers; Exopy gives Python's.
            let part = part.as_f64().map_or(part, Value::Float);
            write(at, *entry, part);
        }
        Ok(())
    }
}
