//! Lock-ins of Signal Recovery: each reading is followed by the status, whose first bit says that the command was done.
//!
//! The 7265 is asked for it, the 7270 sends it by itself after each answer. Exopy looks at the bit and takes it for set
//! whatever it is.

use super::{Bare, Fault, Model};
use crate::driver::{Failure, Garbled, Value, Wire};

pub(super) enum SignalRecovery {
    Asked,
    /// It sends the status by itself.
    Unasked,
}

impl SignalRecovery {
    fn read(&self, on: &mut Bare, parameter: &str) -> Result<Value, Fault> {
        let value = on.get(parameter)?;
        let (is_complete, received) = match self {
            SignalRecovery::Asked => {
                let read = on.get("is_complete")?;
                (read == Value::Bool(true), "one that does not".to_owned())
            }
            SignalRecovery::Unasked => {
                let status = on.wire().read().map_err(Failure::Wire)?;
                let first = status.first().copied().unwrap_or(0);
                (first & 1 == 1, format!("status {first}"))
            }
        };
        if is_complete {
            return Ok(value);
        }
        Err(Failure::Garbled(Garbled {
            signal: parameter.to_owned(),
            expected: "a status that says that the command is complete".to_owned(),
            received,
        }))
    }
}

impl Model for SignalRecovery {
    fn get(&mut self, on: &mut Bare, parameter: &str) -> Option<Result<Value, Fault>> {
        let is_reading = parameter != "is_complete" && on.driver().signal(parameter).is_some();
        is_reading.then(|| self.read(on, parameter))
    }
}
