//! Keysight's PSG: a phase is read back after it was set, and a full turn more or less is the same.
//!
//! Exopy takes half a turn for the same, too, which it is not.

use std::f64::consts::TAU;

use super::{Bare, Fault, Model};
use crate::driver::{Failure, Value};

pub(super) struct Psg;

/// How near a phase must come back, in the unit that it is set in: Exopy's.
const TOLERANCE: f64 = 1e-3;

impl Model for Psg {
    fn set(&mut self, on: &mut Bare, parameter: &str, value: &Value) -> Option<Result<(), Fault>> {
        (parameter == "phase").then(|| set_phase(on, value))
    }
}

fn set_phase(on: &mut Bare, value: &Value) -> Result<(), Fault> {
    on.set("phase", value)?;
    let is_in_degrees = matches!(on.known("phase_unit"), Some(Value::Text(unit)) if unit == "DEG");
    let turn = if is_in_degrees { 360.0 } else { TAU };
    let read = on.get("phase")?;
    let apart = value.number().zip(read.number()).map(|(set, read)| {
        let apart = (set - read).rem_euclid(turn);
        apart.min(turn - apart)
    });
    if apart.is_some_and(|apart| apart <= TOLERANCE) {
        return Ok(());
    }
    Err(Failure::NotTaken {
        signal: "phase".to_owned(),
        set: value.clone(),
        read,
    })
}
