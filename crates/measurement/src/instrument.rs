//! Instruments as a measurement sees them: which one a task selects, and what it asks of it.
//!
//! A parameter (`voltage`) is set and read, a method is called; both by names that all drivers of a kind of instrument share.
//! Deliberately absent: addresses, drivers and bytes, which are the business of whoever performs.

use std::fmt;

use expr::Value;

/// An instrument of a tree: its position in [`crate::Tree::instruments`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstrumentId(pub u32);

impl InstrumentId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a task's `selected_instrument` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Selected {
    /// The profile, which knows the address: `Yoko`.
    pub profile: String,
    /// `exopy_hqc_legacy.Legacy.YokogawaGS200`, a model of `measurand drivers`, or `python:module.Class`.
    pub driver: String,
    /// Which of the profile's connections: `VisaGPIB`; empty for its only one.
    pub connection: String,
    /// Which of the profile's settings; empty for none.
    pub settings: String,
}

impl fmt::Display for Selected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({})", self.profile, self.driver)
    }
}

/// Where in the instrument: `channel` is 2.
pub type Where<'a> = &'a [(&'a str, Value)];

/// What a task asks of an instrument.
#[derive(Clone, Copy, Debug)]
pub enum Ask<'a> {
    /// The value of a parameter.
    Get(&'a str),
    /// To give a parameter a value.
    Set(&'a str, &'a Value),
    /// To do something, which may return a value.
    Call(&'a str, &'a [Value]),
    /// To send a command as it is.
    Write(&'a str),
    /// To send a question as it is; the answer is a text.
    Query(&'a str),
}

impl fmt::Display for Ask<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ask::Get(parameter) => write!(f, "get {parameter}"),
            Ask::Set(parameter, value) => write!(f, "set {parameter} {value}"),
            Ask::Call(method, arguments) => {
                write!(f, "call {method}")?;
                arguments.iter().try_for_each(|argument| write!(f, " {argument}"))
            }
            Ask::Write(command) => write!(f, "write {command}"),
            Ask::Query(question) => write!(f, "query {question}"),
        }
    }
}

/// Why an instrument did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// The run is being stopped.
    Stopped,
    /// In words that name the instrument.
    Failed(String),
}
