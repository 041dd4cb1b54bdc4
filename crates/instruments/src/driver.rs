//! Drivers as data: one TOML file a model says which commands set and read what; nothing is compiled.
//!
//! ```text
//! file ─section, read→ Driver ─┬─ Signal: value → commands, answer → value (pure)
//!      └→ Vec<Problem>         ├─ Instrument: performs them on a Wire, ramps, verifies, waits
//!                              └─ document: what users read
//! PyMeasure's declarations ─convert→ file
//! ```
//!
//! Deliberately absent: formulas and loops. Behaviour that data cannot express belongs in a Rust file of its model.

mod problem;
mod section;
pub(crate) mod template;
mod value;

pub(crate) mod answer;
mod domain;
pub(crate) mod number;
pub(crate) mod signal;

mod read;

mod instrument;
mod line;

mod document;

pub mod convert;
pub mod library;

use std::time::Duration;

use template::Template;

pub use answer::{Answer, Field, Split};
pub use domain::{Beyond, Bound, Bounds, Domain};
pub use instrument::{Failure, Instrument, Wire};
pub use line::{Line, LineError, Pause};
pub use problem::Problem;
pub use signal::{Element, Example, Garbled, Kind, Ramp, Refusal, Shape, Signal, Tolerance};
pub use template::Names;
pub use value::{Array, Elements, Value};

/// One model.
#[derive(Clone, Debug, PartialEq)]
pub struct Driver {
    /// `maker.model`
    pub id: String,
    /// What other programs call it: the ids of Exopy's profiles.
    pub aliases: Vec<String>,
    pub title: String,
    pub doc: String,
    /// Where the facts come from.
    pub source: String,
    pub link: Link,
    /// Names in commands that a user gives: the channel, the window; with their defaults.
    pub arguments: Vec<Argument>,
    pub signals: Vec<Signal>,
    pub actions: Vec<Action>,
    /// Done after the connection is open.
    pub initial: Vec<Step>,
    /// Done when a measurement ends badly.
    pub safe: Vec<Step>,
}

/// How the instrument is reached and spoken to.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    pub connections: Vec<Connection>,
    /// What ends a message in either direction.
    pub read_end: String,
    pub write_end: String,
    pub timeout: Duration,
    /// The shortest time between two messages.
    pub gap: Duration,
    pub open: Vec<String>,
    pub close: Vec<String>,
    /// The answer to `*IDN?`, with `*` for anything; the driver fits where one of these does.
    pub idn: Vec<String>,
    pub error: Option<ErrorQuery>,
}

/// One way to reach an instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    Gpib,
    Usb,
    Vxi11,
    Hislip,
    Socket { port: Option<u16> },
    Serial { baud: Option<u32> },
}

/// How an instrument is asked for its errors.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorQuery {
    pub query: String,
    /// The first part of the answer when there is none.
    pub ok: Value,
    pub when: AskErrors,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskErrors {
    Never,
    AfterSet,
    Always,
}

/// A name in commands that is neither the value nor another signal.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    pub name: String,
    pub doc: String,
    pub default: Option<Value>,
    /// All that it can be; anything where this is empty.
    pub choices: Vec<Value>,
}

/// Something that an instrument does.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    pub name: String,
    pub doc: String,
    pub(crate) send: Vec<Template>,
    pub wait: Option<Wait>,
}

/// Asking until an answer comes.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    pub query: String,
    pub until: Value,
    pub every: Duration,
    pub timeout: Duration,
}

/// One step to the initial or the safe state.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Through its ramp where the signal has one.
    Set {
        signal: String,
        value: Value,
    },
    Act {
        action: String,
    },
}

impl Driver {
    /// Reads a driver file and checks it.
    ///
    /// # Errors
    /// All problems of the text.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        read::driver(text)
    }

    pub fn signal(&self, name: &str) -> Option<&Signal> {
        self.signals.iter().find(|signal| signal.name == name)
    }

    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions.iter().find(|action| action.name == name)
    }
}
