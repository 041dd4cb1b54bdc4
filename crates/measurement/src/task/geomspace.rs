//! `exopy.GeomspaceLoopInterface`: values at equal ratios from start to stop.
//!
//! Exopy rounds each value to the digits that start and stop show, which may move or merge points: the check says so.

use std::sync::LazyLock;

use expr::{Formula, Value};

use super::{
    Field, Fields, InterfaceKind, Text,
    linspace::{digits, evaluate, floats, formula},
    loop_task::{Interface, LoopValues, Values},
};
use crate::{
    check::{Check, Expect, Prepare},
    program::{At, Compiled, Exit},
};

pub(crate) static KIND: InterfaceKind = InterfaceKind {
    id: "exopy.GeomspaceLoopInterface",
    of: "exopy.LoopTask",
    summary: "Values at equal ratios from start to stop.",
    fields: &[
        Field {
            name: "start",
            default: "1.0",
            doc: "expression; the first value, not zero",
        },
        Field {
            name: "stop",
            default: "100.0",
            doc: "expression; the last value, of the sign of the first",
        },
        Field {
            name: "num",
            default: "10",
            doc: "expression; the number of values",
        },
    ],
};

#[derive(Debug)]
struct Geomspace {
    start: Text,
    stop: Text,
    num: Text,
}

pub(crate) fn build(fields: &mut Fields<'_>) -> Box<dyn Interface> {
    Box::new(Geomspace {
        start: fields.text("start", "1.0"),
        stop: fields.text("stop", "100.0"),
        num: fields.text("num", "10"),
    })
}

impl Interface for Geomspace {
    fn check(&self, check: &mut Check<'_>) {
        let start = check.evaluate("start", &self.start, Expect::Real);
        let stop = check.evaluate("stop", &self.stop, Expect::Real);
        let num = check.evaluate("num", &self.num, Expect::Integral);
        let (Some(start), Some(stop), Some(num)) = (start, stop, num) else {
            return;
        };
        match values(&start, &stop, &num) {
            Ok((exact, rounded)) => {
                let points = rounded.iterate().unwrap_or_default();
                if let Some(first) = points.first() {
                    check.set("value", first.clone());
                }
                check.set("point_number", Value::Int(points.len() as i64));
                check.set("loop_values", rounded);
                self.warn_of_rounding(check, &exact.iterate().unwrap_or_default(), &points);
            }
            Err(message) => {
                check.error_at(
                    "geomspace",
                    format!("the values of the loop cannot be computed: {message}"),
                    &self.start,
                    None,
                );
            }
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Values> {
        Box::new(Spaced {
            start: prepare.formula("start", &self.start),
            stop: prepare.formula("stop", &self.stop),
            num: prepare.formula("num", &self.num),
        })
    }
}

impl Geomspace {
    fn warn_of_rounding(&self, check: &mut Check<'_>, exact: &[Value], rounded: &[Value]) {
        let exact: Vec<f64> = exact.iter().filter_map(Value::as_f64).collect();
        let rounded: Vec<f64> = rounded.iter().filter_map(Value::as_f64).collect();
        let merged = rounded
            .windows(2)
            .zip(exact.windows(2))
            .any(|(r, e)| r[0] == r[1] && e[0] != e[1]);
        // A point that is off by more than a thousandth is seen to be off.
        let moved = rounded
            .iter()
            .zip(&exact)
            .find(|(r, e)| (*r - *e).abs() > e.abs() * 1e-3);
        let message = match (merged, moved) {
            (true, _) => "rounding to the digits of `start` and `stop` makes several values the same".to_owned(),
            (false, Some((r, e))) => format!("rounding to the digits of `start` and `stop` moves {e} to {r}"),
            (false, None) => return,
        };
        check.warning_at("geomspace", message, &self.start).hint = Some(
            "Exopy does the same; write `start` or `stop` with more digits, 1.001 say, for exact ratios".to_owned(),
        );
    }
}

struct Spaced {
    start: Compiled,
    stop: Compiled,
    num: Compiled,
}

impl Values for Spaced {
    fn values(&self, at: &At<'_>) -> Result<LoopValues, Exit> {
        let start = at.evaluate(&self.start)?;
        let stop = at.evaluate(&self.stop)?;
        let num = at.evaluate(&self.num)?;
        let (_, rounded) = values(&start, &stop, &num).map_err(|message| at.fail(message))?;
        floats(rounded).map_err(|message| at.fail(message))
    }
}

static EXACT: LazyLock<Formula> = LazyLock::new(|| formula("np.geomspace({start}, {stop}, {num})"));
static ROUNDED: LazyLock<Formula> = LazyLock::new(|| formula("np.round({values}, {digits})"));

/// The values before and after Exopy's rounding.
fn values(start: &Value, stop: &Value, num: &Value) -> Result<(Value, Value), String> {
    let digits = Value::Int(digits(start)?.max(digits(stop)?));
    let exact = evaluate(&EXACT, &[("start", start), ("stop", stop), ("num", num)])?;
    let rounded = evaluate(&ROUNDED, &[("values", &exact), ("digits", &digits)])?;
    Ok((exact, rounded))
}
