//! `RunAWGTask`: a waveform generator is started or stopped, or its sequence goes on.
//!
//! The field `switch` is a word, not an expression: `On`, `Off`, `Event` or `Rearm`. Exopy asked for events without end until
//! the sequence was at its beginning; here a stop ends that.

use expr::Value;

use super::{
    Field, Fields, Kind, Resume, Shape, Task, Text,
    instrument::{SELECTED, write},
};
use crate::{
    check::{Check, Prepare},
    instrument::{Ask, InstrumentId},
    names::EntryId,
    program::{At, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy_hqc_legacy.RunAWGTask",
    summary: "Starts or stops a waveform generator, or lets its sequence go on.",
    fields: &[
        SELECTED,
        Field {
            name: "switch",
            default: "Off",
            doc: "`On`, `Off`, `Event`, or `Rearm`: events until the sequence is at its beginning; no quotes",
        },
        Field {
            name: "delay",
            default: "0.0",
            doc: "seconds to wait: before it stops, for an event, until a long sequence runs",
        },
    ],
    entries: &[("output", "1 after On, 0 after Off")],
    shape: Shape::Leaf,
    waits: None,
    pool: None,
    resume: Resume::Restore,
    build: |fields| Box::new(RunAwg::new(fields)),
};

/// A sequence needs a moment to go on: so many seconds between two events.
const BETWEEN_EVENTS: f64 = 0.01;

#[derive(Debug)]
struct RunAwg {
    text: Text,
    switch: Option<Switch>,
    delay: f64,
}

#[derive(Clone, Copy, Debug)]
enum Switch {
    On,
    Off,
    Event,
    Rearm,
}

impl Switch {
    fn of(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "on" | "1" => Self::On,
            "off" | "0" => Self::Off,
            "event" => Self::Event,
            "rearm" => Self::Rearm,
            _ => return None,
        })
    }
}

impl RunAwg {
    fn new(fields: &mut Fields<'_>) -> Self {
        let text = fields.text("switch", "Off");
        Self {
            switch: Switch::of(&text.text),
            text,
            delay: fields.number("delay", 0.0),
        }
    }
}

impl Task for RunAwg {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![("output".to_owned(), Value::Int(0))]
    }

    fn check(&self, check: &mut Check<'_>) {
        check.instrument(match self.switch {
            Some(Switch::On) => &["event", "run", "running"],
            Some(Switch::Off) => &["stop", "running"],
            Some(Switch::Event) => &["event"],
            Some(Switch::Rearm) => &["event", "sequence_position"],
            None => &[],
        });
        if self.switch.is_none() {
            let message = format!("`switch` is On, Off, Event or Rearm, not `{}`", self.text.text);
            check.error_at("switch", message, &self.text, None);
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Switching {
            instrument: prepare.instrument(),
            word: self.text.text.clone(),
            switch: self.switch,
            delay: self.delay,
            entry: prepare.entry("output"),
        })
    }

    fn seconds(&self, _check: &mut Check<'_>) -> f64 {
        match self.switch {
            Some(Switch::Rearm) => 2.0 * self.delay,
            Some(Switch::On | Switch::Off | Switch::Event) => self.delay,
            None => 0.0,
        }
    }
}

struct Switching {
    instrument: Option<InstrumentId>,
    word: String,
    switch: Option<Switch>,
    delay: f64,
    entry: Option<EntryId>,
}

impl Work for Switching {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        match self.switch {
            Some(Switch::On) => {
                self.call(at, "event")?;
                self.call(at, "run")?;
                at.sleep(self.delay)?;
                self.must_run(at, &[1, 2])?;
                write(at, self.entry, Value::Int(1));
                Ok(())
            }
            Some(Switch::Off) => {
                at.sleep(self.delay)?;
                self.call(at, "stop")?;
                self.must_run(at, &[0])?;
                write(at, self.entry, Value::Int(0));
                Ok(())
            }
            // What an event began is nothing that is in force: a run that goes on sends none.
            Some(Switch::Event | Switch::Rearm) if at.is_restoring => Ok(()),
            Some(Switch::Event) => {
                at.sleep(self.delay)?;
                self.call(at, "event")
            }
            Some(Switch::Rearm) => {
                at.sleep(self.delay)?;
                self.call(at, "event")?;
                while self.number(at, "sequence_position")? != 1 {
                    at.sleep(BETWEEN_EVENTS)?;
                    at.go_on()?;
                    self.call(at, "event")?;
                }
                at.sleep(self.delay)
            }
            None => Err(at.fail(format!("ValueError: `{}` is no way to switch", self.word))),
        }
    }
}

impl Switching {
    /// The generator says 0 when it stands, 1 when it waits for a trigger, 2 when it runs.
    fn must_run(&self, at: &At<'_>, wanted: &[i64]) -> Result<(), Exit> {
        let state = self.number(at, "running")?;
        if wanted.contains(&state) {
            return Ok(());
        }
        let word = &self.word;
        Err(at.fail(format!(
            "ValueError: after `{word}` the generator says that its state is {state}"
        )))
    }

    fn number(&self, at: &At<'_>, parameter: &str) -> Result<i64, Exit> {
        let value = at.ask(self.instrument, &[], Ask::Get(parameter))?;
        // Python's drivers may answer with a text or a float.
        let number = value.as_i64().or_else(|| value.to_string().trim().parse().ok());
        number.ok_or_else(|| at.fail(format!("TypeError: `{parameter}` is {}, no integer", value.repr())))
    }

    fn call(&self, at: &At<'_>, method: &str) -> Result<(), Exit> {
        at.ask(self.instrument, &[], Ask::Call(method, &[])).map(drop)
    }
}
