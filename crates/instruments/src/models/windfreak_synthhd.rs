//! A SynthHD: frequencies go to it in megahertz, and after each set it must be calibrated and locked.
//!
//! Its output has two halves, which must agree: the synthesiser and the amplifier behind it.

use super::{Bare, Fault, Model};
use crate::driver::{Failure, Garbled, Refusal, Value};

pub(super) struct SynthHd;

/// Megahertz that are one of each unit.
const UNITS: [(&str, f64); 4] = [("GHz", 1e3), ("MHz", 1.0), ("kHz", 1e-3), ("Hz", 1e-6)];

impl Model for SynthHd {
    fn get(&mut self, on: &mut Bare, parameter: &str) -> Option<Result<Value, Fault>> {
        (parameter == "output").then(|| output(on))
    }

    fn set(&mut self, on: &mut Bare, parameter: &str, value: &Value) -> Option<Result<(), Fault>> {
        match parameter {
            "frequency" => Some(set_frequency(on, value)),
            "power" => Some(on.set("power", value).and_then(|()| check(on))),
            "output" => Some(on.set("output", value).and_then(|()| check(on))),
            _ => None,
        }
    }
}

fn set_frequency(on: &mut Bare, value: &Value) -> Result<(), Fault> {
    let unit = on.known("unit").map(Value::to_string).unwrap_or_default();
    let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let megahertz = value.number().zip(factor).map(|(number, factor)| number * factor);
    let Some(megahertz) = megahertz else {
        return Err(Failure::Refused(Refusal::Value {
            signal: "frequency".to_owned(),
            reason: format!("`{value}` {unit} is no frequency"),
        }));
    };
    on.set("frequency_mhz", &Value::Float(megahertz))?;
    check(on)
}

fn output(on: &mut Bare) -> Result<Value, Fault> {
    let synthesiser = on.get("output")?;
    let amplifier = on.get("amplifier")?;
    if synthesiser == amplifier {
        return Ok(synthesiser);
    }
    Err(Failure::Garbled(Garbled {
        signal: "output".to_owned(),
        expected: "both halves of the output on, or both off".to_owned(),
        received: format!("{synthesiser} and {amplifier}"),
    }))
}

/// Whether what was set is what it does.
fn check(on: &mut Bare) -> Result<(), Fault> {
    must_be(on, "is_calibrated")?;
    if output(on)? == Value::Text("ON".to_owned()) {
        must_be(on, "is_locked")?;
    }
    Ok(())
}

fn must_be(on: &mut Bare, signal: &str) -> Result<(), Fault> {
    if on.get(signal)? == Value::Bool(true) {
        return Ok(());
    }
    Err(Failure::Garbled(Garbled {
        signal: signal.to_owned(),
        expected: "a generator that is".to_owned(),
        received: "one that is not".to_owned(),
    }))
}
