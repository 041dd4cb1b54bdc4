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
        Field {
            name: "start",
            default: "0.0",
            doc: "expression; the first value",
        },
        Field {
            name: "stop",
            default: "1.0",
            doc: "expression; the last value, if the step divides the span",
        },
        Field {
            name: "step",
            default: "0.1",
            doc: "expression; the distance of values, its sign does not matter",
        },
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
        let (Some(start), Some(stop), Some(step)) = (start, stop, step) else {
            return;
        };
        check.set("value", start.clone());
        match Plan::new(&start, &stop, &step) {
            Ok(plan) => {
                check.set("point_number", Value::Int(plan.number as i64));
                self.warn_of_the_end(check, &plan, &stop, &step);
            }
            Err((what, message)) => {
                check.error_at(
                    what,
                    format!("the values of the loop cannot be computed: {message}"),
                    &self.step,
                    None,
                );
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
    fn warn_of_the_end(&self, check: &mut Check<'_>, plan: &Plan, stop: &Value, step: &Value) {
        let (Some(wanted), Some(step)) = (stop.as_f64(), step.as_f64()) else {
            return;
        };
        let last = plan.value(plan.number - 1);
        if (last - wanted).abs() > step.abs() * 1e-6 {
            let passes = (last > wanted) == (last > plan.start);
            let how = if passes { "goes beyond" } else { "ends before" };
            let last = Value::Float(last);
            let message = format!(
                "the loop {how} `stop` = {stop}: its last value is {last}, because the step does not divide the span"
            );
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
        let plan = Plan::new(&start, &stop, &step).map_err(|(_, message)| at.fail(message))?;
        let values: Vec<f64> = (0..plan.number).map(|i| plan.value(i)).collect();
        floats(Value::from(values)).map_err(|message| at.fail(message))
    }
}

/// A loop over a float array that its interface announces.
pub(crate) fn floats(array: Value) -> Result<LoopValues, String> {
    match &array {
        Value::Array(values) => Ok(LoopValues {
            values: Sequence::Floats(values.clone()),
            array,
            announced: true,
        }),
        other => Err(format!(
            "TypeError: the values of a loop should be an array, not {}",
            other.kind()
        )),
    }
}

/// A loop of more points than this is a slip: its values alone would take a gigabyte.
const MOST_POINTS: i64 = 100_000_000;

/// Evenly spaced values, each made when it is asked for.
struct Plan {
    start: f64,
    /// Where Exopy ends: near the `stop` of the file.
    stop: f64,
    number: usize,
    /// Ten to the power of the digits that the values are rounded to.
    scale: f64,
}

impl Plan {
    /// Exopy's values: as many as the rounded quotient says, each rounded to the digits that start, stop and step show.
    ///
    /// # Errors
    /// What failed, as Exopy's check names it (`points`, `arange`), and why.
    fn new(start: &Value, stop: &Value, step: &Value) -> Result<Self, (&'static str, String)> {
        let points = |message| ("points", message);
        let step = evaluate(&ARITHMETIC.step, &[("start", start), ("stop", stop), ("step", step)]).map_err(points)?;
        let names = [("start", start), ("stop", stop), ("step", &step)];
        let number = evaluate(&ARITHMETIC.number, &names).map_err(points)?;
        let mut most = 0;
        for value in [start, stop, &step] {
            most = digits(value).map_err(points)?.max(most);
        }
        let names = [
            ("start", start),
            ("number", &number),
            ("step", &step),
            ("digits", &Value::Int(most)),
        ];
        let stop = evaluate(&ARITHMETIC.stop, &names).map_err(points)?;
        let number = match number.as_i64() {
            Some(points @ 1..=MOST_POINTS) => points as usize,
            _ => return Err(("arange", format!("{number} points are too many: nest two loops"))),
        };
        let float = |value: &Value| {
            value
                .as_f64()
                .ok_or(("arange", format!("TypeError: {value} is no real number")))
        };
        // Correctly rounded, as Python's `float(10**digits)`.
        let scale = format!("1e{most}").parse().unwrap_or(f64::INFINITY);
        Ok(Self {
            start: float(start)?,
            stop: float(&stop)?,
            number,
            scale,
        })
    }

    /// `np.round(np.linspace(start, stop, number), digits)[i]`
    fn value(&self, i: usize) -> f64 {
        let intervals = (self.number.max(2) - 1) as f64;
        let span = self.stop - self.start;
        let step = span / intervals;
        let exact = if i + 1 == self.number && self.number > 1 {
            self.stop
        } else if step == 0.0 {
            i as f64 / intervals * span + self.start
        } else {
            i as f64 * step + self.start
        };
        (exact * self.scale).round_ties_even() / self.scale
    }
}

struct Arithmetic {
    step: Formula,
    number: Formula,
    stop: Formula,
}

static ARITHMETIC: LazyLock<Arithmetic> = LazyLock::new(|| Arithmetic {
    step: formula("-abs({step}) if {start} > {stop} else abs({step})"),
    number: formula("int(round(abs(({stop} - {start})/{step}))) + 1"),
    stop: formula("round({start} + ({number} - 1)*{step}, {digits})"),
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
        let text = match Plan::new(&number(start), &number(stop), &number(step)) {
            Ok(plan) => (0..plan.number)
                .map(|i| Value::Float(plan.value(i)).to_string())
                .collect::<Vec<_>>()
                .join(" "),
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
        for (text, expected) in [
            ("0.1", 1),
            ("10", 0),
            ("1e16", 16),
            ("1e-05", 5),
            ("1.5e-7", 8),
            ("1e15", 1),
        ] {
            assert_eq!(
                digits(&formula(text).eval(&[]).expect("a number")),
                Ok(expected),
                "{text}"
            );
        }
    }
}
