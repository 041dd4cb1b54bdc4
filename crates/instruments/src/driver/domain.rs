//! Which values a signal takes, and what they are called on the wire.
//!
//! Limits may depend on the state of the instrument (the level on the range, the range on the mode): a [`Bound`] then names
//! another signal, and whoever performs the driver makes its value known first. Deliberately absent: formulas.

use super::template::Names;
use super::value::Value;

/// The values that a signal takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// Whatever the type allows.
    Any,
    /// Numbers between bounds, and perhaps some words (`MAX`).
    Range {
        bounds: Bounds,
        words: Vec<Value>,
        beyond: Beyond,
    },
    /// Some values, called on the wire as here.
    Choices { values: Vec<Value>, beyond: Beyond },
    /// Some values and their names on the wire.
    Map { pairs: Vec<(Value, Value)>, beyond: Beyond },
    /// Some values, of which the wire sees the position, counted from `first`.
    Index {
        values: Vec<Value>,
        first: i64,
        beyond: Beyond,
    },
}

/// What happens to a value outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Beyond {
    /// It is refused, nothing is sent.
    #[default]
    Refuse,
    /// The nearest bound is set instead.
    Clamp,
    /// Of choices, the next larger is set instead, or the largest.
    Next,
}

/// The limits of a number; each may be absent.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Bounds {
    pub min: Option<Bound>,
    pub max: Option<Bound>,
    /// Of the size, whatever the sign.
    pub max_abs: Option<Bound>,
    /// Values are multiples of this.
    pub step: Option<f64>,
}

/// One limit, or another number that may depend on the state.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    Fixed(Value),
    /// `times` the value of another signal.
    Times {
        signal: String,
        times: f64,
    },
    /// By the value of another signal.
    Cases {
        signal: String,
        cases: Vec<(Value, f64)>,
    },
}

impl Bound {
    /// The signal on which the limit depends.
    pub(crate) fn signal(&self) -> Option<&str> {
        match self {
            Self::Fixed(_) => None,
            Self::Times { signal, .. } | Self::Cases { signal, .. } => Some(signal),
        }
    }

    pub(crate) fn value(&self, names: &Names) -> Result<Value, String> {
        let known = |signal: &str| {
            let unknown = || format!("it depends on `{signal}`, which is not known");
            names.get(signal).ok_or_else(unknown)
        };
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::Times { signal, times } => match known(signal)?.number() {
                Some(number) => Ok(Value::Float(times * number)),
                None => Err(format!("it depends on `{signal}`, which is not a number")),
            },
            Self::Cases { signal, cases } => {
                let now = known(signal)?;
                let case = cases.iter().find(|(value, _)| value.same(now));
                case.map(|(_, bound)| Value::Float(*bound))
                    .ok_or_else(|| format!("the driver says nothing of `{signal}` at `{now}`"))
            }
        }
    }
}

impl Bounds {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Bound> {
        [&self.min, &self.max, &self.max_abs].into_iter().flatten()
    }

    fn held(&self, value: &Value, number: f64, names: &Names, beyond: Beyond) -> Result<Value, String> {
        let bound = |bound: &Option<Bound>| bound.as_ref().map(|bound| bound.value(names)).transpose();
        let negative = |value: Value| value.number().map(|number| Value::Float(-number));
        let largest = bound(&self.max_abs)?;
        let lows = [bound(&self.min)?, largest.clone().and_then(negative)];
        let highs = [bound(&self.max)?, largest];
        let outside = |limit: &Value, is_low: bool| match limit.number() {
            Some(limit) if is_low => number < limit,
            Some(limit) => number > limit,
            None => false,
        };
        let low = lows.into_iter().flatten().find(|low| outside(low, true));
        let high = highs.into_iter().flatten().find(|high| outside(high, false));
        match (low.or(high.clone()), beyond) {
            (Some(limit), Beyond::Clamp | Beyond::Next) => Ok(limit),
            (Some(limit), Beyond::Refuse) => {
                let (side, word) = if high.is_some() {
                    ("above", "at most")
                } else {
                    ("below", "at least")
                };
                Err(format!("`{value}` is {side} its limit, {word} `{limit}`"))
            }
            (None, _) => match self.step {
                Some(step) if !is_multiple(number, step) => Err(format!("`{value}` is not a multiple of `{step}`")),
                _ => Ok(value.clone()),
            },
        }
    }
}

/// Whether a decimal number is a multiple of a decimal step, whatever their binary neighbours are.
fn is_multiple(number: f64, step: f64) -> bool {
    let steps = number / step;
    // Decimal fractions are off by some units of the last of 53 bits.
    (steps - steps.round()).abs() <= 1e-9 * steps.abs().max(1.0)
}

impl Domain {
    /// What the wire sees for `value`; a refusal is words without the name of the signal.
    pub(crate) fn to_wire(&self, value: &Value, names: &Names) -> Result<Value, String> {
        match self {
            Self::Any => finite(value).map(|()| value.clone()),
            Self::Range { bounds, words, beyond } => match value.number() {
                Some(number) => {
                    finite(value)?;
                    bounds.held(value, number, names, *beyond)
                }
                None if words.iter().any(|word| word.same(value)) => Ok(value.clone()),
                None => Err(format!(
                    "`{value}` is {}, not a number{}",
                    value.kind(),
                    or_one_of(words)
                )),
            },
            Self::Choices { values, beyond } => {
                choose(values, value, *beyond).map(|at| match (beyond, &values[at]) {
                    // As it was written: `1` and `1.0` are the same choice, but not the same text.
                    (Beyond::Refuse, _) => value.clone(),
                    (Beyond::Clamp | Beyond::Next, chosen) => chosen.clone(),
                })
            }
            Self::Map { pairs, beyond } => {
                let values: Vec<Value> = pairs.iter().map(|(value, _)| value.clone()).collect();
                choose(&values, value, *beyond).map(|at| pairs[at].1.clone())
            }
            Self::Index { values, first, beyond } => {
                let at = choose(values, value, *beyond)?;
                i64::try_from(at)
                    .map(|at| Value::Int(first + at))
                    .map_err(|_| "its position is too large".to_owned())
            }
        }
    }

    /// The value whose name on the wire is `text`; none where the wire's text is the value itself.
    pub(crate) fn of_wire(&self, text: &str) -> Result<Option<Value>, String> {
        match self {
            Self::Any | Self::Range { .. } | Self::Choices { .. } => Ok(None),
            Self::Map { pairs, .. } => {
                let pair = pairs.iter().find(|(_, wire)| is_text_of(wire, text));
                let unknown = || one_of(pairs.iter().map(|(_, wire)| wire));
                pair.map(|(value, _)| Some(value.clone())).ok_or_else(unknown)
            }
            Self::Index { values, first, .. } => {
                #[expect(clippy::cast_precision_loss, reason = "positions are small")]
                let at = super::number::parse(text).map(|number| number - *first as f64);
                let found = values
                    .iter()
                    .enumerate()
                    .find(|(position, _)| at.is_some_and(|at| is_position(at, *position)));
                let unknown = || format!("a number from {first} on, of {} choices", values.len());
                found.map(|(_, value)| Some(value.clone())).ok_or_else(unknown)
            }
        }
    }

    /// Signals that must be known before a value is checked.
    pub(crate) fn signals(&self) -> impl Iterator<Item = &str> {
        let bounds = match self {
            Self::Range { bounds, .. } => Some(bounds),
            Self::Any | Self::Choices { .. } | Self::Map { .. } | Self::Index { .. } => None,
        };
        bounds.into_iter().flat_map(Bounds::all).filter_map(Bound::signal)
    }
}

fn is_position(at: f64, position: usize) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "positions are small")]
    let position = position as f64;
    at.trunc() == position
}

/// Whether `text` is how an instrument may write `wire`: a number by value, a word exactly.
fn is_text_of(wire: &Value, text: &str) -> bool {
    match (wire, wire.number()) {
        (Value::Text(word), _) => word == text || word.trim() == text.trim(),
        (_, Some(number)) => super::number::parse(text) == Some(number),
        (_, None) => false,
    }
}

fn finite(value: &Value) -> Result<(), String> {
    match value {
        Value::Float(number) if !number.is_finite() => Err(format!("`{value}` cannot be set")),
        _ => Ok(()),
    }
}

fn choose(values: &[Value], value: &Value, beyond: Beyond) -> Result<usize, String> {
    if let Some(at) = values.iter().position(|choice| choice.same(value)) {
        return Ok(at);
    }
    let refused = || format!("`{value}` is not {}", one_of(values.iter()));
    let number = match beyond {
        Beyond::Refuse => None,
        Beyond::Clamp | Beyond::Next => value.number(),
    };
    let number = number.ok_or_else(refused)?;
    let numbers = || {
        let numbered = |(at, choice): (usize, &Value)| choice.number().map(|choice| (at, choice));
        values.iter().enumerate().filter_map(numbered)
    };
    let next = numbers()
        .filter(|(_, choice)| *choice >= number)
        .min_by(|(_, a), (_, b)| a.total_cmp(b));
    let last = numbers().max_by(|(_, a), (_, b)| a.total_cmp(b));
    next.or(last).map(|(at, _)| at).ok_or_else(refused)
}

/// More choices than this are not read by anybody.
const SHOWN: usize = 12;

fn one_of<'v>(values: impl Iterator<Item = &'v Value>) -> String {
    let all: Vec<String> = values.map(|value| format!("`{value}`")).collect();
    let more = if all.len() > SHOWN { ", …" } else { "" };
    format!("one of {}{more}", all[..all.len().min(SHOWN)].join(", "))
}

fn or_one_of(words: &[Value]) -> String {
    if words.is_empty() {
        String::new()
    } else {
        format!(" or {}", one_of(words.iter()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Beyond, Bound, Bounds, Domain};
    use crate::driver::{Names, Value};

    fn wire(domain: &Domain, value: f64) -> String {
        let names = Names::from([
            ("range".to_owned(), Value::Float(10.0)),
            ("mode".to_owned(), Value::Text("current".into())),
        ]);
        match domain.to_wire(&Value::Float(value), &names) {
            Ok(value) => value.to_string(),
            Err(words) => format!("! {words}"),
        }
    }

    #[test]
    fn limits_follow_the_state_of_the_instrument() {
        let within = |max_abs: Bound, beyond: Beyond| Domain::Range {
            bounds: Bounds {
                max_abs: Some(max_abs),
                ..Bounds::default()
            },
            words: Vec::new(),
            beyond,
        };
        let times = |signal: &str| Bound::Times {
            signal: signal.to_owned(),
            times: 1.2,
        };
        let check = |domain: &Domain, value: f64, expected: &str| assert_eq!(wire(domain, value), expected);
        check(&within(times("range"), Beyond::Refuse), -12.0, "-12.0");
        check(
            &within(times("range"), Beyond::Refuse),
            12.5,
            "! `12.5` is above its limit, at most `12.0`",
        );
        check(&within(times("range"), Beyond::Clamp), -99.0, "-12.0");
        check(
            &within(times("level"), Beyond::Refuse),
            1.0,
            "! it depends on `level`, which is not known",
        );
        let cases = Bound::Cases {
            signal: "mode".to_owned(),
            cases: vec![(Value::Text("current".into()), 0.2)],
        };
        check(
            &within(cases, Beyond::Refuse),
            0.3,
            "! `0.3` is above its limit, at most `0.2`",
        );
        check(&Domain::Any, f64::NAN, "! `nan` cannot be set");
    }

    #[test]
    fn the_next_choice_is_taken_where_that_is_asked() {
        let index = |beyond| Domain::Index {
            values: vec![Value::Float(0.1), Value::Int(1), Value::Int(10)],
            first: 1,
            beyond,
        };
        let check = |beyond, value: f64, expected: &str| assert_eq!(wire(&index(beyond), value), expected);
        check(Beyond::Next, 0.5, "2");
        check(Beyond::Next, 99.0, "3");
        check(Beyond::Refuse, 0.5, "! `0.5` is not one of `0.1`, `1`, `10`");
        assert_eq!(index(Beyond::Refuse).of_wire("3.0"), Ok(Some(Value::Int(10))));
        assert_eq!(
            index(Beyond::Refuse).of_wire("4"),
            Err("a number from 1 on, of 3 choices".to_owned())
        );
    }
}
