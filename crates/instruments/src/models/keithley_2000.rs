//! A Keithley 2000: what is read is of the function that it has, which is set before unless it is known to have it.
//!
//! Exopy compares what the instrument says with its quotes to the name without, so that it sends the function each time
//! until it has set it by itself. Here it is asked once, and what it says is understood.

use super::{Bare, Fault, Model};
use crate::driver::Value;

pub(super) struct Keithley2000;

/// Parameters and their functions.
const FUNCTIONS: [(&str, &str); 6] = [
    ("voltage_dc", "VOLT:DC"),
    ("voltage_ac", "VOLT:AC"),
    ("current_dc", "CURR:DC"),
    ("current_ac", "CURR:AC"),
    ("resistance", "RES"),
    ("resistance_4w", "FRES"),
];

impl Model for Keithley2000 {
    fn get(&mut self, on: &mut Bare, parameter: &str) -> Option<Result<Value, Fault>> {
        let (_, function) = FUNCTIONS.iter().find(|(name, _)| *name == parameter)?;
        Some(read(on, parameter, function))
    }
}

fn read(on: &mut Bare, parameter: &str, function: &str) -> Result<Value, Fault> {
    let is_it = |known: &Value| matches!(known, Value::Text(text) if text == function);
    let has_it = match on.known("function") {
        Some(known) => is_it(known),
        None => is_it(&on.get("function")?),
    };
    if !has_it {
        on.set("function", &Value::Text(function.to_owned()))?;
    }
    on.get(parameter)
}
