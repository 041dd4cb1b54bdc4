//! A Bilt rack: a channel is a module and a number, and what its commands begin with depends on the module.
//!
//! The rack is asked for its modules when the first channel is named. Exopy looks a module's type up by its slot's place in
//! the answer, which is another's where a slot is empty; here each answer counts for its own slot.

use super::{Bare, Fault, Model};
use crate::driver::{Failure, Refusal, Value};

/// A rack.
pub(super) struct Bilt {
    /// Slot and type of each module, once asked.
    modules: Option<Vec<(i64, i64)>>,
}

/// The types of modules that are known, with the number of their channels.
const TYPES: [(i64, i64); 2] = [(2141, 4), (2101, 1)];

impl Bilt {
    pub(super) fn new() -> Self {
        Self { modules: None }
    }

    /// What the commands of a channel begin with.
    fn prefix(&mut self, on: &mut Bare, slot: i64, number: i64) -> Result<String, Fault> {
        let modules = match self.modules.take() {
            Some(modules) => modules,
            None => modules(&on.get("modules")?.to_string())?,
        };
        let of_slot = modules.iter().find(|(known, _)| *known == slot).map(|(_, kind)| *kind);
        let known: Vec<String> = modules
            .iter()
            .map(|(slot, kind)| format!("{kind} in slot {slot}"))
            .collect();
        self.modules = Some(modules);
        let Some(kind) = of_slot else {
            let known = known.join(", ");
            return Err(refused(format!("there is no module in slot {slot}; there is {known}")));
        };
        let count = TYPES.iter().find(|(known, _)| *known == kind).map(|(_, count)| *count);
        match count {
            None => Err(refused(format!("nothing is known of modules of type {kind}"))),
            Some(count) if !(1..=count).contains(&number) => {
                Err(refused(format!("the module in slot {slot} has no channel {number}")))
            }
            Some(1) => Ok(format!("i{slot};")),
            Some(_) => Ok(format!("i{slot};c{number};")),
        }
    }
}

impl Model for Bilt {
    fn argument(&mut self, on: &mut Bare, name: &str, value: &Value) -> Result<Value, Fault> {
        match (name, value) {
            ("channel", Value::List(parts)) => {
                let [Value::Int(slot), Value::Int(number)] = parts[..] else {
                    return Err(refused(format!("`{value}` is no channel: a module and a number are")));
                };
                self.prefix(on, slot, number).map(Value::Text)
            }
            _ => Ok(value.clone()),
        }
    }
}

/// `1,2101;2,2141`
fn modules(answer: &str) -> Result<Vec<(i64, i64)>, Fault> {
    let module = |text: &str| {
        let (slot, kind) = text.split_once(',')?;
        Some((slot.trim().parse().ok()?, kind.trim().parse().ok()?))
    };
    let parts = answer.split(';').filter(|part| !part.trim().is_empty());
    let modules: Option<Vec<(i64, i64)>> = parts.map(module).collect();
    modules.ok_or_else(|| refused(format!("the rack's list of modules is not understood: `{answer}`")))
}

fn refused(reason: String) -> Fault {
    Failure::Refused(Refusal::Value {
        signal: "channel".to_owned(),
        reason,
    })
}
