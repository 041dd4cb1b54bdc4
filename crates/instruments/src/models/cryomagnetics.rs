//! Cryomagnetics' CS4 and 4G: fields in tesla and rates in T/min, whatever the instrument counts in.
//!
//! The methods are those of every magnet here (`oxford_ips120`). The instrument sweeps amperes per second, so that the profile
//! must say how many tesla an ampere makes. It always sweeps up to the upper limit, which may lie below the present field.
//! The 4G counts in kG.

use std::time::Duration;

use super::{Bare, Fault, Model, setting};
use crate::driver::{Failure, Refusal, Value, Wire};

/// Fluctuations of the output, in tesla: Exopy's.
const FLUCTUATIONS: f64 = 5e-4;

/// The instrument does not begin to sweep unless it paused before, and not at once: so long before and after.
const BREATH: Duration = Duration::from_secs(1);

/// A CS4 or a 4G.
pub(super) struct Cryomagnetics {
    fluctuations: f64,
    /// T/A
    conversion: Option<f64>,
    counts_in: CountsIn,
}

/// The unit of its fields.
#[derive(Clone, Copy)]
enum CountsIn {
    Tesla,
    Kilogauss,
}

impl Cryomagnetics {
    /// # Errors
    /// A setting is no number, or none that makes sense.
    pub(super) fn cs4(settings: &[(String, String)]) -> Result<Self, String> {
        Self::new(settings, CountsIn::Tesla)
    }

    /// # Errors
    /// Likewise.
    pub(super) fn g4(settings: &[(String, String)]) -> Result<Self, String> {
        Self::new(settings, CountsIn::Kilogauss)
    }

    fn new(settings: &[(String, String)], counts_in: CountsIn) -> Result<Self, String> {
        let conversion = setting(settings, "magnet_conversion")?;
        if let Some(conversion) = conversion.filter(|conversion| !(conversion.is_normal() && *conversion > 0.0)) {
            return Err(format!(
                "the setting `magnet_conversion` is {conversion}: no magnet makes so many T/A"
            ));
        }
        Ok(Self {
            fluctuations: setting(settings, "output_fluctuations")?.unwrap_or(FLUCTUATIONS),
            conversion,
            counts_in,
        })
    }
}

impl Model for Cryomagnetics {
    fn methods(&self) -> &'static [&'static str] {
        &["sweep_to_field", "is_at_field", "magnet_is_at"]
    }

    /// Not in the middle of a measurement: a rate will be needed.
    fn open(&mut self, _: &mut Bare) -> Result<(), Fault> {
        self.per_ampere_second().map(drop)
    }

    fn get(&mut self, on: &mut Bare, parameter: &str) -> Option<Result<Value, Fault>> {
        match parameter {
            "field_rate" | "fast_rate" => Some(self.rate(on, parameter).map(Value::Float)),
            "output_field" | "persistent_field" | "target_field" => Some(self.field(on, parameter).map(Value::Float)),
            _ => None,
        }
    }

    fn set(&mut self, on: &mut Bare, parameter: &str, value: &Value) -> Option<Result<(), Fault>> {
        match parameter {
            "field_rate" | "fast_rate" => Some(self.set_rate(on, parameter, value)),
            "target_field" => Some(self.set_target(on, value)),
            "activity" => set_activity(on, value),
            _ => None,
        }
    }

    fn call(&mut self, on: &mut Bare, method: &str, arguments: &[Value]) -> Result<Value, Fault> {
        match (method, arguments) {
            ("sweep_to_field", [field]) => self.sweep(on, field, None),
            ("sweep_to_field", [field, Value::None]) => self.sweep(on, field, None),
            ("sweep_to_field", [field, rate]) => self.sweep(on, field, Some(rate)),
            ("is_at_field", []) => {
                let distance = self.field(on, "output_field")? - self.field(on, "target_field")?;
                Ok(Value::Bool(distance.abs() < self.fluctuations))
            }
            ("magnet_is_at", [field]) => {
                let field = number("magnet_is_at", field)?;
                let distance = self.field(on, "persistent_field")? - field;
                Ok(Value::Bool(distance.abs() <= self.fluctuations))
            }
            _ => Err(refused(method, "these are none of its arguments")),
        }
    }
}

impl Cryomagnetics {
    fn sweep(&self, on: &mut Bare, field: &Value, rate: Option<&Value>) -> Result<Value, Fault> {
        let target = number("sweep_to_field", field)?;
        if let Some(rate) = rate {
            self.set_rate(on, "field_rate", rate)?;
        }
        let (speed, rate) = if is_on(on)? {
            ("UP SLOW", self.rate(on, "field_rate")?)
        } else {
            ("UP FAST", self.rate(on, "fast_rate")?)
        };
        if rate <= 0.0 {
            return Err(refused("field_rate", "at 0 T/min no field is ever reached"));
        }
        self.set_target(on, field)?;
        on.wire().pause(BREATH).map_err(Failure::Wire)?;
        on.set("activity", &Value::Text("PAUSE".to_owned()))?;
        on.wire().pause(BREATH).map_err(Failure::Wire)?;
        on.set("activity", &Value::Text(speed.to_owned()))?;
        let distance = self.field(on, "output_field")? - target;
        Ok(Value::Float(60.0 * distance.abs() / rate))
    }

    fn rate(&self, on: &mut Bare, parameter: &str) -> Result<f64, Fault> {
        Ok(read(on, parameter)? * self.per_ampere_second()?)
    }

    fn set_rate(&self, on: &mut Bare, parameter: &str, rate: &Value) -> Result<(), Fault> {
        let amperes = number(parameter, rate)? / self.per_ampere_second()?;
        on.set(parameter, &Value::Float(amperes))
    }

    /// In tesla.
    fn field(&self, on: &mut Bare, parameter: &str) -> Result<f64, Fault> {
        let field = read(on, parameter)?;
        Ok(match self.counts_in {
            CountsIn::Tesla => field,
            CountsIn::Kilogauss => field / 10.0,
        })
    }

    fn set_target(&self, on: &mut Bare, field: &Value) -> Result<(), Fault> {
        let target = match self.counts_in {
            CountsIn::Tesla => field.clone(),
            CountsIn::Kilogauss => Value::Float(number("target_field", field)? * 10.0),
        };
        on.set("target_field", &target)
    }

    /// T/min in one A/s.
    fn per_ampere_second(&self) -> Result<f64, Fault> {
        let needed = "the settings of the profile must say it, in T/A: a rate depends on the magnet";
        let conversion = self.conversion.ok_or_else(|| refused("magnet_conversion", needed))?;
        Ok(60.0 * conversion)
    }
}

/// The words of measurements; those of the instrument go to it as they are.
fn set_activity(on: &mut Bare, value: &Value) -> Option<Result<(), Fault>> {
    let words = match value {
        Value::Text(word) if word == "Hold" => Ok("PAUSE"),
        Value::Text(word) if word == "To set point" => is_on(on).map(|is_on| if is_on { "UP SLOW" } else { "UP FAST" }),
        _ => return None,
    };
    Some(words.and_then(|words| on.set("activity", &Value::Text(words.to_owned()))))
}

fn is_on(on: &mut Bare) -> Result<bool, Fault> {
    Ok(on.get("heater")? == Value::Text("ON".to_owned()))
}

fn read(on: &mut Bare, parameter: &str) -> Result<f64, Fault> {
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
