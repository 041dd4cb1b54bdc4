//! Oxford's IPS120-10: fields in the magnet and in the leads, and the way from one to another.
//!
//! The methods are those of every magnet here. `sweep_to_field(field, rate)` begins to go there and says how many seconds it
//! takes; without a rate it goes as fast as it was last told to. `is_at_field()` says whether it is there, and
//! `magnet_is_at(field)` whether the magnet is, whatever flows through the leads. Waiting is a task's business, so that it can
//! be stopped.
//!
//! The heater and the activity stand as digits in the status, `X00A0C3H1M10P03`.

use super::{Bare, Fault, Model, setting};
use crate::driver::{Failure, Garbled, Refusal, Value};

/// Fluctuations of the output, in tesla: Exopy's.
const FLUCTUATIONS: f64 = 2e-4;

/// An IPS120-10.
pub(super) struct Ips120 {
    fluctuations: f64,
}

/// Where in the status a digit stands.
#[derive(Clone, Copy)]
enum Digit {
    Activity = 4,
    Heater = 8,
    /// 0 at rest.
    Sweep = 11,
}

impl Ips120 {
    /// # Errors
    /// A setting is no number.
    pub(super) fn new(settings: &[(String, String)]) -> Result<Self, String> {
        Ok(Self {
            fluctuations: setting(settings, "output_fluctuations")?.unwrap_or(FLUCTUATIONS),
        })
    }
}

impl Model for Ips120 {
    fn methods(&self) -> &'static [&'static str] {
        &["sweep_to_field", "is_at_field", "magnet_is_at"]
    }

    fn get(&mut self, on: &mut Bare, parameter: &str) -> Option<Result<Value, Fault>> {
        match parameter {
            "heater" => Some(heater(on)),
            "activity" => Some(activity(on)),
            _ => None,
        }
    }

    fn call(&mut self, on: &mut Bare, method: &str, arguments: &[Value]) -> Result<Value, Fault> {
        match (method, arguments) {
            ("sweep_to_field", [field]) => sweep(on, field, None),
            ("sweep_to_field", [field, Value::None]) => sweep(on, field, None),
            ("sweep_to_field", [field, rate]) => sweep(on, field, Some(rate)),
            ("is_at_field", []) => {
                if digit(on, Digit::Sweep)? != '0' {
                    return Ok(Value::Bool(false));
                }
                let distance = tesla(on, "output_field")? - tesla(on, "target_field")?;
                Ok(Value::Bool(distance.abs() < self.fluctuations))
            }
            ("magnet_is_at", [field]) => {
                let field = number("magnet_is_at", field)?;
                let distance = tesla(on, "persistent_field")? - field;
                Ok(Value::Bool(distance.abs() <= self.fluctuations))
            }
            _ => Err(refused(method, "these are none of its arguments")),
        }
    }
}

fn sweep(on: &mut Bare, field: &Value, rate: Option<&Value>) -> Result<Value, Fault> {
    let target = number("sweep_to_field", field)?;
    if let Some(rate) = rate {
        on.set("field_rate", rate)?;
    }
    let rate = tesla(on, "field_rate")?;
    if rate <= 0.0 {
        return Err(refused("field_rate", "at 0 T/min no field is ever reached"));
    }
    on.set("target_field", field)?;
    on.set("activity", &Value::Text("To set point".to_owned()))?;
    let distance = tesla(on, "output_field")? - target;
    Ok(Value::Float(60.0 * distance.abs() / rate))
}

fn heater(on: &mut Bare) -> Result<Value, Fault> {
    let word = match digit(on, Digit::Heater)? {
        '0' | '2' => "OFF",
        '1' => "ON",
        '5' => return Err(refused("heater", "the instrument says that it has a fault")),
        _ => return Err(refused("heater", "the instrument says that there is no switch")),
    };
    Ok(Value::Text(word.to_owned()))
}

fn activity(on: &mut Bare) -> Result<Value, Fault> {
    let word = match digit(on, Digit::Activity)? {
        '0' => "Hold",
        '1' => "To set point",
        '2' => "To zero",
        _ => "Clamp",
    };
    Ok(Value::Text(word.to_owned()))
}

fn digit(on: &mut Bare, digit: Digit) -> Result<char, Fault> {
    let status = on.get("status")?.to_string();
    let found = status.chars().nth(digit as usize).filter(char::is_ascii_digit);
    found.ok_or_else(|| {
        Failure::Garbled(Garbled {
            signal: "status".to_owned(),
            expected: "a status such as X00A0C3H1M10P03".to_owned(),
            received: status,
        })
    })
}

fn tesla(on: &mut Bare, parameter: &str) -> Result<f64, Fault> {
    let value = on.get(parameter)?;
    number(parameter, &value)
}

fn number(of: &str, value: &Value) -> Result<f64, Fault> {
    value
        .number()
        .ok_or_else(|| refused(of, &format!("`{value}` is no number")))
}

fn refused(signal: &str, reason: &str) -> Fault {
    Failure::Refused(Refusal::Value {
        signal: signal.to_owned(),
        reason: reason.to_owned(),
    })
}
