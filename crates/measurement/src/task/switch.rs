//! The tasks that bring an instrument into one of a few states: outputs on and off, volts or amperes, pulse modulation.
//!
//! What is to be is an expression in Exopy, so that `On` has to be written `'On'` and the defaults of its own tasks do not
//! pass its checks. Here the bare words are understood too, in any case, with quotes or without; `1` and `0` are on and
//! off. Whatever else an expression gives is refused: Exopy takes it for off.

use expr::Value;

use super::{
    Field, Fields, Interfaced, Kind, Resume, Shape, Task, Text,
    instrument::{SELECTED, Target, write},
    rf_channel::{Channel, OUTPUT_ANAPICO, OUTPUT_SYNTH_HD},
};
use crate::{
    check::{Check, Expect, Prepare},
    instrument::{Ask, InstrumentId},
    names::EntryId,
    program::{At, Exit, Work},
};

pub(crate) static DC_FUNCTION: Kind = Kind {
    id: "exopy_hqc_legacy.SetDCFunctionTask",
    summary: "Makes a DC source one of voltage or of current.",
    fields: &[SELECTED, switch("VOLT", "expression, or a bare word; `VOLT` or `CURR`")],
    entries: &[("function", "`VOLT` or `CURR`")],
    shape: Shape::Setter,
    waits: None,
    pool: None,
    resume: Resume::Restore,
    build: |fields| Box::new(Switch::new(fields, &FUNCTION)),
};

pub(crate) static DC_OUTPUT: Kind = Kind {
    id: "exopy_hqc_legacy.SetDCOutputTask",
    summary: "Switches the output of a DC source on or off.",
    fields: &[SELECTED, switch("OFF", "expression, or a bare word; on or off")],
    entries: &[("output", "`ON` or `OFF`")],
    shape: Shape::Setter,
    waits: None,
    pool: None,
    resume: Resume::Restore,
    build: |fields| Box::new(Switch::new(fields, &SOURCE)),
};

pub(crate) static RF_OUTPUT: Kind = Kind {
    id: "exopy_hqc_legacy.SetRFOnOffTask",
    summary: "Switches the output of an RF source on or off.",
    fields: &[SELECTED, switch("Off", "expression, or a bare word; on or off")],
    entries: &[("output", "1 or 0")],
    shape: Shape::Setter,
    waits: None,
    pool: None,
    resume: Resume::Restore,
    build: |fields| Box::new(Switch::new(fields, &RF)),
};

pub(crate) static PULSE_MODULATION: Kind = Kind {
    id: "exopy_hqc_legacy.SetPulseModulationTask",
    summary: "Switches the pulse modulation of an RF source on or off.",
    fields: &[SELECTED, switch("Off", "expression, or a bare word; on or off")],
    entries: &[("pm_state", "1 or 0")],
    shape: Shape::Setter,
    waits: None,
    pool: None,
    resume: Resume::Restore,
    build: |fields| Box::new(Switch::new(fields, &PULSES)),
};

const fn switch(default: &'static str, doc: &'static str) -> Field {
    Field {
        name: "switch",
        default,
        doc,
    }
}

/// What differs between the tasks.
#[derive(Debug)]
struct Switched {
    kind: &'static Kind,
    parameter: &'static str,
    entry: &'static str,
    default: &'static str,
    states: &'static [State],
    /// Whether the entry has the state's number, else its word.
    in_numbers: bool,
}

/// One of the states.
#[derive(Debug)]
struct State {
    word: &'static str,
    number: Option<i64>,
}

const ON_OFF: &[State] = &[
    State {
        word: "ON",
        number: Some(1),
    },
    State {
        word: "OFF",
        number: Some(0),
    },
];

const VOLT_CURR: &[State] = &[
    State {
        word: "VOLT",
        number: None,
    },
    State {
        word: "CURR",
        number: None,
    },
];

static FUNCTION: Switched = Switched {
    kind: &DC_FUNCTION,
    parameter: "function",
    entry: "function",
    default: "VOLT",
    states: VOLT_CURR,
    in_numbers: false,
};

static SOURCE: Switched = Switched {
    kind: &DC_OUTPUT,
    parameter: "output",
    entry: "output",
    default: "OFF",
    states: ON_OFF,
    in_numbers: false,
};

static RF: Switched = Switched {
    kind: &RF_OUTPUT,
    parameter: "output",
    entry: "output",
    default: "Off",
    states: ON_OFF,
    in_numbers: true,
};

static PULSES: Switched = Switched {
    kind: &PULSE_MODULATION,
    parameter: "pulse_modulation",
    entry: "pm_state",
    default: "Off",
    states: ON_OFF,
    in_numbers: true,
};

impl Switched {
    /// The state of this name, in any case.
    fn named(&self, name: &str) -> Option<usize> {
        self.states
            .iter()
            .position(|state| state.word.eq_ignore_ascii_case(name.trim()))
    }

    /// The state that a value means.
    fn meant(&self, value: &Value) -> Option<usize> {
        match value.as_str() {
            Some(word) => self.named(word),
            None => {
                let number = value.as_f64().filter(|_| value.is_real())?;
                #[expect(clippy::cast_precision_loss, reason = "the numbers of states are small")]
                let is_it = |state: &State| state.number.is_some_and(|own| own as f64 == number);
                self.states.iter().position(is_it)
            }
        }
    }

    fn entry_of(&self, state: usize) -> Value {
        match self.states[state] {
            State {
                number: Some(number), ..
            } if self.in_numbers => Value::Int(number),
            State { word, .. } => Value::from(word),
        }
    }

    fn refusal(&self, value: &Value) -> String {
        let words: Vec<&str> = self.states.iter().map(|state| state.word).collect();
        format!("{} is none of the states {}", value.repr(), words.join(" and "))
    }
}

#[derive(Debug)]
struct Switch {
    switched: &'static Switched,
    switch: Text,
    channel: Interfaced<Channel>,
}

impl Switch {
    fn new(fields: &mut Fields<'_>, switched: &'static Switched) -> Self {
        let anapico: fn(&mut Fields<'_>) -> Channel = Channel::anapico;
        let known = [(&OUTPUT_ANAPICO, anapico), (&OUTPUT_SYNTH_HD, Channel::synth_hd)];
        Self {
            switched,
            switch: fields.text("switch", switched.default),
            channel: fields.interface_of(switched.kind.id, &known),
        }
    }

    /// The state that the file says in a bare word.
    fn word(&self) -> Option<usize> {
        self.switched.named(&self.switch.text)
    }
}

impl Task for Switch {
    fn kind(&self) -> Option<&'static Kind> {
        Some(self.switched.kind)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        let state = self.switched.named(self.switched.default).unwrap_or(0);
        vec![(self.switched.entry.to_owned(), self.switched.entry_of(state))]
    }

    fn check(&self, check: &mut Check<'_>) {
        check.instrument(&[self.switched.parameter]);
        if let Some(state) = self.word() {
            // In a loop a default is not worth a warning.
            if !check.is_embedded() {
                check.set(self.switched.entry, self.switched.entry_of(state));
            }
            return;
        }
        let Some(value) = Target::check_as(check, "switch", &self.switch, Expect::Anything) else {
            return;
        };
        match self.switched.meant(&value) {
            Some(state) => check.set(self.switched.entry, self.switched.entry_of(state)),
            None => {
                let refusal = format!("`switch`: {}", self.switched.refusal(&value));
                check.error_at("switch", refusal, &self.switch, None);
            }
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        let wire = |state: &State| Value::from(state.word);
        let bare = self.word().filter(|_| !prepare.is_embedded());
        Box::new(Switching {
            switched: self.switched,
            instrument: prepare.instrument(),
            wanted: match bare {
                Some(state) => Wanted::State(state),
                None => Wanted::Value(Target::prepare(prepare, "switch", &self.switch)),
            },
            words: self.switched.states.iter().map(wire).collect(),
            place: self.channel.known().map_or_else(Vec::new, Channel::place),
            entry: prepare.entry(self.switched.entry),
        })
    }
}

struct Switching {
    switched: &'static Switched,
    instrument: Option<InstrumentId>,
    wanted: Wanted,
    /// What the states are called by drivers.
    words: Vec<Value>,
    place: Vec<(&'static str, Value)>,
    entry: Option<EntryId>,
}

enum Wanted {
    State(usize),
    Value(Target),
}

impl Work for Switching {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let state = match &self.wanted {
            Wanted::State(state) => *state,
            Wanted::Value(target) => {
                let value = target.value(at)?;
                let state = self.switched.meant(&value);
                state.ok_or_else(|| at.fail(format!("ValueError: {}", self.switched.refusal(&value))))?
            }
        };
        let set = Ask::Set(self.switched.parameter, &self.words[state]);
        at.ask(self.instrument, &self.place, set)?;
        write(at, self.entry, self.switched.entry_of(state));
        Ok(())
    }
}
