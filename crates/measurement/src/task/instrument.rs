//! What the tasks that use an instrument have in common: the field that selects it, and the value that they set.

use expr::Value;

use super::{Field, Text};
use crate::{
    check::{Check, Expect, Prepare},
    instrument::{Ask, InstrumentId, Where},
    names::EntryId,
    program::{At, Compiled, Exit},
};

/// The field of every task that uses an instrument.
pub(crate) const SELECTED: Field = Field {
    name: "selected_instrument",
    default: "('', '', '', '')",
    doc: "profile, driver, connection and settings of the instrument",
};

/// The seconds that most tasks wait before they read.
pub(crate) const WAIT_TIME: Field = Field {
    name: "wait_time",
    default: "0.0",
    doc: "seconds to wait before",
};

/// The pool of the sources, for which the tasks that read wait.
pub(crate) const SOURCES: &[&str] = &["instr"];

/// A source must be one of volts (`VOLT`), or of amperes (`CURR`); that is asked when somebody else had it.
pub(crate) fn needs_function(
    at: &At<'_>,
    instrument: Option<InstrumentId>,
    place: Where<'_>,
    needed: &str,
) -> Result<(), Exit> {
    let Some(id) = instrument else {
        return Ok(());
    };
    if !at.bench().takes_over(at.task, id) || !at.bench().instrument_has(id, "function") {
        return Ok(());
    }
    let function = at.ask(instrument, place, Ask::Get("function"))?;
    if function.as_str() == Some(needed) {
        return Ok(());
    }
    Err(at.fail(format!(
        "ValueError: the instrument's function is `{function}`, and this task needs `{needed}`"
    )))
}

/// Makes a source one of volts (`VOLT`) or of amperes (`CURR`), where it can be both and is the other.
pub(crate) fn make_function(at: &At<'_>, instrument: Option<InstrumentId>, function: &'static str) -> Result<(), Exit> {
    if !instrument.is_some_and(|id| at.bench().instrument_has(id, "function")) {
        return Ok(());
    }
    let now = at.ask(instrument, &[], Ask::Get("function"))?;
    if now.as_str() != Some(function) {
        at.ask(instrument, &[], Ask::Set("function", &Value::from(function)))?;
    }
    Ok(())
}

/// The first of some names that the task's instrument has, else the last, which a check then misses.
pub(crate) fn first_known<'n>(check: &Check<'_>, names: &[&'n str]) -> &'n str {
    let has = |name: &&&str| check.instrument_has(name);
    names.iter().find(has).or(names.last()).copied().unwrap_or_default()
}

/// Writes an entry that a task has.
pub(crate) fn write(at: &At<'_>, entry: Option<EntryId>, value: Value) {
    if let Some(entry) = entry {
        at.write(entry, value);
    }
}

/// The value that a task sets: of its expression, or of the loop that it is embedded in.
#[derive(Debug)]
pub(crate) struct Target {
    /// Nothing when the loop says.
    formula: Option<Compiled>,
}

impl Target {
    /// The value of the expression, which must be a number; nothing when the loop says what is set, or it is wrong.
    pub(crate) fn check(check: &mut Check<'_>, field: &str, text: &Text) -> Option<Value> {
        Self::check_as(check, field, text, Expect::Real)
    }

    /// The same for values of any kind.
    pub(crate) fn check_as(check: &mut Check<'_>, field: &str, text: &Text, expect: Expect) -> Option<Value> {
        if !check.is_embedded() {
            return check.evaluate(field, text, expect);
        }
        if !text.text.trim().is_empty() {
            let message = format!("`{field}` is not used: the loop around says what is set");
            check.warning_at(field, message, text);
        }
        None
    }

    pub(crate) fn prepare(prepare: &Prepare<'_>, field: &str, text: &Text) -> Self {
        let formula = (!prepare.is_embedded()).then(|| prepare.formula(field, text));
        Self { formula }
    }

    pub(crate) fn value(&self, at: &At<'_>) -> Result<Value, Exit> {
        match (&self.formula, at.value) {
            (_, Some(value)) => Ok(value.clone()),
            (Some(formula), None) => at.evaluate(formula),
            (None, None) => Err(at.fail("the loop around gave no value")),
        }
    }
}
