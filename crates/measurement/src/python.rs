//! Tasks written in Python, as a measurement sees them: what a class says of itself, and what it may ask while it is
//! performed. Where Python runs is the business of whoever reads and performs measurements.

use std::time::Duration;

use expr::Value;

use crate::{
    bench::Signal,
    instrument::{Ask, Where},
};

/// Where tasks written in Python can be asked what they are.
pub trait Catalog {
    /// What a class says of itself: `class` is `module.Task`, `fields` are those of the file.
    ///
    /// # Errors
    /// There is no such class, or no Python.
    fn describe(&self, class: &str, fields: &[(String, String)]) -> Result<PythonClass, String>;
}

/// No Python: every task written in it is a problem of its file.
#[derive(Clone, Copy, Debug)]
pub struct NoPython;

impl Catalog for NoPython {
    fn describe(&self, class: &str, _fields: &[(String, String)]) -> Result<PythonClass, String> {
        Err(format!("`{class}` is written in Python, and there is none here"))
    }
}

/// What a class of Python says of itself.
#[derive(Clone, Debug, Default)]
pub struct PythonClass {
    pub doc: String,
    /// Short names with the values before anything ran.
    pub entries: Vec<(String, Value)>,
    pub needs_instrument: bool,
}

/// A task of Python to be checked or performed.
#[derive(Clone, Copy, Debug)]
pub struct PythonCall<'a> {
    /// `module.Task`
    pub class: &'a str,
    /// Texts as the file has them.
    pub fields: &'a [(String, String)],
    /// The value of the loop that it is embedded in.
    pub value: Option<&'a Value>,
}

/// What a task of Python may ask while it is checked or performed. The words of errors are raised in its code.
pub trait PythonSide {
    /// The value of a formula.
    ///
    /// # Errors
    /// It has none.
    fn evaluate(&mut self, formula: &str) -> Result<Value, String>;

    /// A text with its references replaced.
    ///
    /// # Errors
    /// One of them means nothing.
    fn format(&mut self, text: &str) -> Result<String, String>;

    /// The value of an entry that the task can see.
    ///
    /// # Errors
    /// There is none of this name.
    fn read(&mut self, name: &str) -> Result<Value, String>;

    /// Sets an entry of the task.
    ///
    /// # Errors
    /// It has none of this name.
    fn write(&mut self, entry: &str, value: Value) -> Result<(), String>;

    fn log(&mut self, text: &str);

    fn sleep(&mut self, time: Duration) -> Signal;

    fn checkpoint(&mut self) -> Signal;

    /// Asks something of the task's instrument.
    ///
    /// # Errors
    /// There is none, or it does not do it.
    fn ask(&mut self, at: Where<'_>, ask: Ask<'_>) -> Result<Value, String>;

    /// What is wrong with the task, or doubtful.
    fn problem(&mut self, is_error: bool, message: &str);
}
