//! An open instrument as a measurement uses it, whatever drives it: a driver file, code of its model, or Python.
//!
//! A parameter is set and read, a method is called; both have names. What depends on a channel says which by `at`. Values
//! that this crate has no kind for do not exist for instruments.
//!
//! Deliberately absent: who may use it when, and what a measurement does with it.

mod driven;

use std::{collections::BTreeMap, fmt, sync::Arc};

pub use driven::{AnyWire, Driven, has, undisturbed};

use crate::driver::{Driver, Value};

/// Where in the instrument: `channel` is 2.
pub type At<'a> = &'a [(&'a str, Value)];

/// An open instrument.
pub trait Device: Send {
    /// Whether it has a parameter or a method of this name.
    fn has(&self, name: &str) -> bool;

    /// Reads a parameter.
    ///
    /// # Errors
    /// There is none of this name, it does not answer, or what it answers means nothing.
    fn get(&mut self, parameter: &str, at: At<'_>) -> Result<Value, DeviceError>;

    /// Sets a parameter, by its ramp where the driver has one.
    ///
    /// # Errors
    /// There is none of this name, the value is refused, or the instrument did not take it.
    fn set(&mut self, parameter: &str, value: &Value, at: At<'_>) -> Result<(), DeviceError>;

    /// Calls a method.
    ///
    /// # Errors
    /// There is none of this name, or it fails.
    fn call(&mut self, method: &str, arguments: &[Value], at: At<'_>) -> Result<Value, DeviceError>;

    /// Sends a command as it is.
    ///
    /// # Errors
    /// It cannot be sent, or there is no such thing as a command.
    fn write(&mut self, command: &str) -> Result<(), DeviceError>;

    /// Sends a question as it is and returns the answer.
    ///
    /// # Errors
    /// It cannot be sent, or there is no answer in time.
    fn query(&mut self, question: &str) -> Result<String, DeviceError>;

    /// What it said when it was asked who it is; nothing if it was not asked.
    fn identity(&self) -> Option<&str>;

    /// Forgets what it was known to be set to: somebody may have turned a knob.
    fn forget(&mut self);

    /// Whether there is a safe state to bring it to.
    fn has_safe_state(&self) -> bool;

    /// Brings the declared safe state about as far as possible; what could not be done.
    fn make_safe(&mut self) -> Vec<DeviceError>;

    /// Says good-bye.
    ///
    /// # Errors
    /// It cannot be said; the connection is closed all the same when the device is dropped.
    fn close(&mut self) -> Result<(), DeviceError>;
}

/// Why an instrument did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceError {
    /// Names the instrument, and where it matters address, command and answer.
    pub message: String,
    pub reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The operator ended it.
    Interrupted,
    /// Nothing was sent: there is no such parameter, or it cannot have this value.
    Refused,
    /// The connection, the process or the instrument is gone.
    Lost,
    /// All else.
    Failed,
}

impl DeviceError {
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            reason,
        }
    }
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DeviceError {}

/// How an instrument is reached, as a profile of Exopy says it: a connection with its fields, all of them texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// `VisaTCPIP`
    pub kind: String,
    pub fields: BTreeMap<String, String>,
}

/// What is known of one instrument of a laboratory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    pub name: String,
    /// `Yokogawa.GS200`
    pub model: String,
    /// `python:module.Class`, a model of `measurand drivers`, or empty: then the measurement says which.
    pub driver: String,
    pub connections: Vec<Connection>,
    /// By user id: the fields of each.
    pub settings: Vec<(String, BTreeMap<String, String>)>,
    /// The other fields at the top.
    pub fields: BTreeMap<String, String>,
}

/// What drives an instrument.
#[derive(Clone, Debug)]
pub enum DrivenBy {
    File(Arc<Driver>),
    /// `module.Class`
    Python(String),
}
