//! Yokogawa's sources: what they are asked as if they were meters, and what the 7651 is set to.
//!
//! A source measures nothing: its voltage is the level that it is set to. A GS200 that has to be one of the other function
//! for that becomes it; Exopy's driver allows that at level 0 with the output off only, LaBEQ's always. LaBEQ's resistance
//! is what its driver makes of that: one level divided by the other.

use super::{Bare, Fault, Model};
use crate::{
    Extent,
    driver::{Failure, Garbled, Refusal, Value, Wire},
};

/// A GS200, by the name that its driver has for what is sourced.
pub(super) struct Gs200 {
    function: &'static str,
}

impl Gs200 {
    pub(super) fn of_exopy() -> Self {
        Self { function: "function" }
    }

    pub(super) fn of_labeq() -> Self {
        Self {
            function: "source_function",
        }
    }

    fn level(&self, on: &mut Bare, function: &str, parameter: &str) -> Result<Value, Fault> {
        let function = Value::Text(function.to_owned());
        if on.get(self.function)? != function {
            on.set(self.function, &function)?;
        }
        on.get(parameter)
    }

    fn resistance(&self, on: &mut Bare) -> Result<Value, Fault> {
        let volts = self.level(on, "VOLT", "voltage")?.number().unwrap_or(f64::NAN);
        let amperes = self.level(on, "CURR", "current")?.number().unwrap_or(f64::NAN);
        let ohms = if amperes == 0.0 { f64::INFINITY } else { volts / amperes };
        Ok(Value::Float(ohms))
    }

    fn resistance_4w(&self, on: &mut Bare) -> Result<Value, Fault> {
        let sense = |on: &mut Bare, state: &str| on.set("remote_sense", &Value::Text(state.to_owned()));
        sense(on, "ON")?;
        let ohms = self.resistance(on);
        sense(on, "OFF")?;
        ohms
    }
}

impl Model for Gs200 {
    fn methods(&self) -> &'static [&'static str] {
        match self.function {
            "function" => &["voltage_dc", "current_dc"],
            _ => &["voltage_dc", "current_dc", "resistance", "resistance_4w"],
        }
    }

    fn get(&mut self, on: &mut Bare, parameter: &str) -> Option<Result<Value, Fault>> {
        if !self.methods().contains(&parameter) {
            return None;
        }
        Some(match parameter {
            "voltage_dc" => self.level(on, "VOLT", "voltage"),
            "current_dc" => self.level(on, "CURR", "current"),
            "resistance" => self.resistance(on),
            _ => self.resistance_4w(on),
        })
    }
}

/// A 7651.
pub(super) struct Yokogawa7651;

impl Model for Yokogawa7651 {
    fn methods(&self) -> &'static [&'static str] {
        &["function", "voltage_dc", "current_dc"]
    }

    fn get(&mut self, on: &mut Bare, parameter: &str) -> Option<Result<Value, Fault>> {
        match parameter {
            "function" => Some(function(on).map(|function| Value::Text(function.to_owned()))),
            "voltage_dc" => Some(level_of(on, "VOLT", "voltage")),
            "current_dc" => Some(level_of(on, "CURR", "current")),
            _ => None,
        }
    }

    fn set(&mut self, on: &mut Bare, parameter: &str, value: &Value) -> Option<Result<(), Fault>> {
        (parameter == "function").then(|| set_function(on, value))
    }
}

/// The fourth character of its output data: `NDCV+1.50000E+0`.
fn function(on: &mut Bare) -> Result<&'static str, Fault> {
    let answer = on.wire().query(&[], "OD", Extent::Message).map_err(Failure::Wire)?;
    match answer.get(3) {
        Some(b'V') => Ok("VOLT"),
        Some(b'A') => Ok("CURR"),
        Some(_) | None => Err(Failure::Garbled(Garbled {
            signal: "function".to_owned(),
            expected: "output data such as NDCV+1.50000E+0".to_owned(),
            received: String::from_utf8_lossy(&answer).trim().to_owned(),
        })),
    }
}

/// Unlike a GS200's its function is not changed for that: nothing keeps it from jumping.
fn level_of(on: &mut Bare, needed: &str, parameter: &str) -> Result<Value, Fault> {
    let found = function(on)?;
    if found == needed {
        return on.get(parameter);
    }
    Err(Failure::Garbled(Garbled {
        signal: format!("{parameter}_dc"),
        expected: format!("a source of `{needed}`"),
        received: found.to_owned(),
    }))
}

fn set_function(on: &mut Bare, value: &Value) -> Result<(), Fault> {
    let wanted = match value {
        Value::Text(text) if text.eq_ignore_ascii_case("VOLT") => "VOLT",
        Value::Text(text) if text.eq_ignore_ascii_case("CURR") => "CURR",
        _ => {
            return Err(Failure::Refused(Refusal::Value {
                signal: "function".to_owned(),
                reason: format!("`{value}` is not one of `VOLT`, `CURR`"),
            }));
        }
    };
    let command = match wanted {
        "VOLT" => format!("F1{}E", range(on)?),
        _ => "F5E".to_owned(),
    };
    on.wire().write(&command).map_err(Failure::Wire)?;
    let read = function(on)?;
    if read == wanted {
        return Ok(());
    }
    Err(Failure::NotTaken {
        signal: "function".to_owned(),
        set: value.clone(),
        read: Value::Text(read.to_owned()),
    })
}

/// The range stands in the second of the five lines of its settings: `F1R4S+0.00000E+0E+0`.
fn range(on: &mut Bare) -> Result<String, Fault> {
    const LINES: usize = 5;
    on.wire().write("OS").map_err(Failure::Wire)?;
    let mut lines = Vec::new();
    for _ in 0..LINES {
        lines.push(on.wire().read().map_err(Failure::Wire)?);
    }
    let line = String::from_utf8_lossy(&lines[1]).into_owned();
    let range = line.get(2..4).filter(|range| range.starts_with('R'));
    range.map(str::to_owned).ok_or_else(|| {
        Failure::Garbled(Garbled {
            signal: "function".to_owned(),
            expected: "settings with a range such as F1R4".to_owned(),
            received: line,
        })
    })
}
