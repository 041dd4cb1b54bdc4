//! `exopy_hqc_legacy.GetDCVoltageTask`: the voltage that a DC source is set to.
//!
//! The source must be one of voltage, which is asked when another task used it before. Nothing is measured, and nothing is
//! waited for: unless the file says so the task asks while sources are on their way.

use expr::Value;

use super::{
    Field, Kind, Resume, Shape, Task,
    instrument::{SELECTED, needs_function, write},
};
use crate::{
    check::{Check, Prepare},
    instrument::{Ask, InstrumentId},
    names::EntryId,
    program::{At, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy_hqc_legacy.GetDCVoltageTask",
    summary: "Asks a DC voltage source for the voltage that it is set to.",
    fields: FIELDS,
    entries: &[("voltage", "the voltage of the source, in volts")],
    shape: Shape::Leaf,
    waits: None,
    pool: None,
    resume: Resume::Redo,
    build: |_| Box::new(GetDc),
};

const FIELDS: &[Field] = &[SELECTED];

#[derive(Debug)]
struct GetDc;

impl Task for GetDc {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![("voltage".to_owned(), Value::Float(0.01))]
    }

    fn check(&self, check: &mut Check<'_>) {
        check.instrument(&["voltage"]);
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Asking {
            instrument: prepare.instrument(),
            entry: prepare.entry("voltage"),
        })
    }
}

struct Asking {
    instrument: Option<InstrumentId>,
    entry: Option<EntryId>,
}

impl Work for Asking {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        needs_function(at, self.instrument, &[], "VOLT")?;
        let voltage = at.ask(self.instrument, &[], Ask::Get("voltage"))?;
        write(at, self.entry, Value::Float(at.number(&voltage)?));
        Ok(())
    }
}
