//! `exopy.LinspaceLoopInterface`: evenly spaced values from start to stop.
//!
//! The values are Exopy's to the last digit, with its surprises: the number of values is rounded half to even, so that a
//! step that does not divide the span makes the loop end before or beyond `stop`, which the check says. To be sure of
//! that, the arithmetic is written in the language that Exopy does it in.

use std::sync::LazyLock;

use expr::{Braces, Formula, Value};

use super::{
    Field, Fields, InterfaceKind, Text,
    loop_task::{Interface, LoopValues, Sequence, Values},
};
use crate::{
    check::{Check, Expect, Prepare},
    program::{At, Compiled, Exit},
};

pub(crate) static KIND: InterfaceKind = InterfaceKind {
    id: "exopy.LinspaceLoopInterface",
    of: "exopy.LoopTask",
    summary: "Evenly spaced values from start to stop.",
    fields: &[
        Field { name: "start", default: "0.0", doc: "expression; the first value" },
        Field { name: "stop", default: "1.0", doc: "expression; the last value, if the step divides the span" },
        Field { name: "step", default: "0.1", doc: "expression; the distance of values, its sign does not matter" },
    ],
};

#[derive(Debug)]
struct Linspace {
    start: Text,
    stop: Text,
    step: Text,
}

pub(crate) fn build(fields: &mut Fields<'_>) -> Box<dyn Interface> {
    Box::new(Linspace {
        start: fields.text("start", "0.0"),
        stop: fields.text("stop", "1.0"),
        step: fields.text("step", "0.1"),
    })
}

impl Interface for Linspace {
    fn check(&self, check: &mut Check<'_>) {
        let start = check.evaluate("start", &self.start, Expect::Real);
        let stop = check.evaluate("stop", &self.stop, Expect::Real);
        let step = check.evaluate("step", &self.step, Expect::Real);
        let (Some(start), Some(stop), Some(step)) = (start, stop, step) else { return };
        check.set("value", start.clone());
        match values(&start, &stop, &step) {
            Ok(values) => {
                check.set("point_number", Value::Int(values.len().unwrap_or(0) as i64));
                self.warn_of_the_end(check, &values, &stop, &step);
            }
            Err((what, message)) => {
                check.error_at(what, format!("the values of the loop cannot be computed: {message}"), &self.step, None);
            }
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Values> {
        Box::new(Spaced {
            start: prepare.formula("start", &self.start),
            stop: prepare.formula("stop", &self.stop),
            step: prepare.formula("step", &self.step),
        })
    }
}

impl Linspace {
    fn warn_of_the_end(&self, check: &mut Check<'_>, values: &Value, stop: &Value, step: &Value) {
        let last = values.iterate().ok().and_then(|values| values.last().and_then(Value::as_f64));
        let (Some(last), Some(wanted), Some(step)) = (last, stop.as_f64(), step.as_f64()) else { return };
        if (last - wanted).abs() > step.abs() * 1e-6 {
            let passes = (last > wanted) == (last > check.get("value").and_then(Value::as_f64).unwrap_or(last));
            let how = if passes { "goes beyond" } else { "ends before" };
            let message = format!("the loop {how} `stop` = {stop}: its last value is {last}, because the step does not divide the span");
            check.warning_at("stop", message, &self.stop).hint =
                Some("Exopy does the same; choose a step that divides the span to end on `stop`".to_owned());
        }
    }
}

struct Spaced {
    start: Compiled,
    stop: Compiled,
    step: Compiled,
}

impl Values for Spaced {
    fn values(&self, at: &At<'_>) -> Result<LoopValues, Exit> {
        let start = at.evaluate(&self.start)?;
        let stop = at.evaluate(&self.stop)?;
        let step = at.evaluate(&self.step)?;
        let array = values(&start, &stop, &step).map_err(|(_, message)| at.fail(message))?;
        floats(array).map_err(|message| at.fail(message))
    }
}

/// A loop over a float array that its interface announces.
pub(crate) fn floats(array: Value) -> Result<LoopValues, String> {
    match &array {
        Value::Array(values) => Ok(LoopValues { values: Sequence::Floats(values.clone()), array, announced: true }),
        other => Err(format!("TypeError: the values of a loop should be an array, not {}", other.kind())),
    }
}

struct Arithmetic {
    step: Formula,
    number: Formula,
    stop: Formula,
    values: Formula,
}

static ARITHMETIC: LazyLock<Arithmetic> = LazyLock::new(|| Arithmetic {
    step: formula("-abs({step}) if {start} > {stop} else abs({step})"),
    number: formula("int(round(abs(({stop} - {start})/{step}))) + 1"),
    stop: formula("round({start} + ({number} - 1)*{step}, {digits})"),
    values: formula("np.round(np.linspace({start}, {stop}, {number}), {digits})"),
});

pub(crate) fn formula(text: &str) -> Formula {
    Formula::parse(text, Braces::References).expect("the interfaces' own formulas are well formed")
}

/// The values with the names that a formula refers to.
pub(crate) fn evaluate(formula: &Formula, names: &[(&str, &Value)]) -> Result<Value, String> {
    let values: Vec<Value> = formula
        .references()
        .iter()
        .map(|reference| {
            let named = names.iter().find(|(name, _)| *name == reference.name);
            named.map_or(Value::None, |(_, value)| (*value).clone())
        })
        .collect();
    formula.eval(&values).map_err(|error| error.to_string())
}

/// Exopy's values: as many as the rounded quotient says, each rounded to the digits that start, stop and step show.
///
/// # Errors
/// What failed, as Exopy's check names it (`points`, `arange`), and why.
fn values(start: &Value, stop: &Value, step: &Value) -> Result<Value, (&'static str, String)> {
    let points = |message| ("points", message);
    let step = evaluate(&ARITHMETIC.step, &[("start", start), ("stop", stop), ("step", step)]).map_err(points)?;
    let names = [("start", start), ("stop", stop), ("step", &step)];
    let number = evaluate(&ARITHMETIC.number, &names).map_err(points)?;
    let mut most = 0;
    for value in [start, stop, &step] {
        most = digits(value).map_err(points)?.max(most);
    }
    let most = Value::Int(most);
    let names = [("start", start), ("number", &number), ("step", &step), ("digits", &most)];
    let stop = evaluate(&ARITHMETIC.stop, &names).map_err(points)?;
    let names = [("start", start), ("stop", &stop), ("number", &number), ("digits", &most)];
    evaluate(&ARITHMETIC.values, &names).map_err(|message| ("arange", message))
}

/// `abs(Decimal(str(value)).as_tuple().exponent)`: the digits behind the point that a number shows.
pub(crate) fn digits(value: &Value) -> Result<i64, String> {
    let text = value.to_string();
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()),
        None => (text.as_str(), Some(0)),
    };
    let behind = mantissa.split_once('.').map_or("", |(_, behind)| behind);
    let whole = mantissa.trim_start_matches(['-', '+']).replace('.', "");
    match exponent {
        Some(exponent) if !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok((exponent - behind.len() as i64).abs())
        }
        Some(_) | None => Err(format!("ValueError: {text} is no finite number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(start: &str, stop: &str, step: &str, expected: &str) {
        let number = |text: &str| formula(text).eval(&[]).expect("a number");
        let found = values(&number(start), &number(stop), &number(step));
        let text = match found {
            Ok(values) => values.iterate().expect("an array").iter().map(Value::to_string).collect::<Vec<_>>().join(" "),
            Err((_, message)) => message,
        };
        assert_eq!(text, expected, "({start}, {stop}, {step})");
    }

    #[test]
    fn values_are_those_of_exopy() {
        check("0", "1", "0.3", "0.0 0.3 0.6 0.9");
        check("1", "0", "0.3", "1.0 0.7 0.4 0.1");
        check("0", "10", "4", "0.0 4.0 8.0");
        check("0", "1", "0.6", "0.0 0.6 1.2");
        check("0", "1", "1.5", "0.0 1.5");
        check("0", "0", "1", "0.0");
        check("0", "1", "1/3", "0.0 0.3333333333333333 0.6666666666666666 1.0");
        check("0", "1", "0", "ZeroDivisionError: division by zero");
    }

    #[test]
    fn digits_are_counted_as_decimal_counts_them() {
        for (text, expected) in [("0.1", 1), ("10", 0), ("1e16", 16), ("1e-05", 5), ("1.5e-7", 8), ("1e15", 1)] {
            assert_eq!(digits(&formula(text).eval(&[]).expect("a number")), Ok(expected), "{text}");
        }
    }
}
