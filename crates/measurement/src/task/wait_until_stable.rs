//! `measurand.WaitUntilStableTask`: waits until a parameter stays where it is, or where it should be.
//!
//! It is stable when all that was read during `time` is within `tolerance` of the target; where there is none, when what
//! was read is no farther apart than `tolerance`. Whoever waits for ever has no measurement: after `timeout` the task
//! fails, or goes on if it is told to. A stop ends it at once.

use std::{collections::VecDeque, time::Duration};

use expr::Value;

use super::{
    Field, Fields, Kind, Resume, Shape, Task, Text,
    instrument::{SELECTED, SOURCES, write},
    place::{CompiledPlace, PARAMETER, PLACE, Place, check_named},
};
use crate::{
    check::{Check, Expect, Prepare},
    instrument::{Ask, InstrumentId},
    names::EntryId,
    program::{At, Compiled, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "measurand.WaitUntilStableTask",
    summary: "Waits until a parameter of any instrument is stable.",
    fields: &[
        SELECTED,
        PARAMETER,
        PLACE,
        Field {
            name: "target",
            default: "",
            doc: "expression; where the parameter should be; empty for anywhere",
        },
        Field {
            name: "tolerance",
            default: "0.0",
            doc: "expression; how far it may be from there, or its values from one another",
        },
        Field {
            name: "time",
            default: "1.0",
            doc: "seconds for which it has to be so",
        },
        Field {
            name: "interval",
            default: "0.1",
            doc: "seconds between two readings",
        },
        Field {
            name: "timeout",
            default: "60.0",
            doc: "seconds after which nobody waits any more",
        },
        Field {
            name: "on_timeout",
            default: "Fail",
            doc: "`Fail`, or `Continue` with the next task",
        },
    ],
    entries: &[
        ("value", "what was read last"),
        ("elapsed", "how long it was waited, in seconds"),
    ],
    shape: Shape::Leaf,
    waits: Some(SOURCES),
    pool: None,
    resume: Resume::Redo,
    build: |fields| Box::new(WaitUntilStable::new(fields)),
};

/// An instrument is not asked more often than this, in seconds.
const SHORTEST: f64 = 1e-3;

#[derive(Debug)]
struct WaitUntilStable {
    parameter: Text,
    place: Place,
    target: Option<Text>,
    tolerance: Text,
    patience: Patience,
}

/// How long it has to be stable, and how long is waited for it; all in seconds.
#[derive(Clone, Copy, Debug)]
struct Patience {
    time: f64,
    interval: f64,
    timeout: f64,
    fails: bool,
}

impl WaitUntilStable {
    fn new(fields: &mut Fields<'_>) -> Self {
        let target = fields.text("target", "");
        Self {
            parameter: fields.text("parameter", ""),
            place: Place::read(fields),
            target: (!target.text.trim().is_empty()).then_some(target),
            tolerance: fields.text("tolerance", "0.0"),
            patience: Patience {
                time: fields.number("time", 1.0),
                interval: fields.number("interval", 0.1).max(SHORTEST),
                timeout: fields.number("timeout", 60.0),
                fails: fields.choice("on_timeout", &["Fail", "Continue"]) == "Fail",
            },
        }
    }
}

impl Task for WaitUntilStable {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        let entry = |name: &str| (name.to_owned(), Value::Float(1.0));
        vec![entry("value"), entry("elapsed")]
    }

    fn check(&self, check: &mut Check<'_>) {
        check_named(check, "parameter", &self.parameter);
        self.place.check(check);
        if let Some(target) = &self.target
            && let Some(value) = check.evaluate("target", target, Expect::Real)
        {
            check.set("value", value);
        }
        let tolerance = check.evaluate("tolerance", &self.tolerance, Expect::Real);
        if tolerance
            .and_then(|value| value.as_f64())
            .is_some_and(|most| most < 0.0)
        {
            check.error_at("tolerance", "`tolerance` is negative", &self.tolerance, None);
        }
        let Patience { time, timeout, .. } = self.patience;
        if time > timeout {
            let message = format!("it cannot be stable for {time} s before `timeout` ({timeout} s) is over");
            check.error("-timeout", message);
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        let target = self.target.as_ref().map(|target| prepare.formula("target", target));
        Box::new(Waiting {
            parameter: self.parameter.text.trim().to_owned(),
            instrument: prepare.instrument(),
            place: self.place.prepare(prepare),
            target,
            tolerance: prepare.formula("tolerance", &self.tolerance),
            patience: self.patience,
            value: prepare.entry("value"),
            elapsed: prepare.entry("elapsed"),
        })
    }

    fn seconds(&self, _check: &mut Check<'_>) -> f64 {
        self.patience.time.max(0.0)
    }
}

struct Waiting {
    parameter: String,
    instrument: Option<InstrumentId>,
    place: CompiledPlace,
    target: Option<Compiled>,
    tolerance: Compiled,
    patience: Patience,
    value: Option<EntryId>,
    elapsed: Option<EntryId>,
}

impl Work for Waiting {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let place = self.place.values(at)?;
        let number = |formula| at.evaluate(formula).and_then(|value| at.number(&value));
        let target = self.target.as_ref().map(number).transpose()?;
        let mut readings = Readings::new(target, number(&self.tolerance)?);
        let began = at.bench().now();
        loop {
            at.go_on()?;
            let value = at.ask(self.instrument, &place, Ask::Get(&self.parameter))?;
            let number = at.number(&value)?;
            let now = at.bench().now().saturating_sub(began);
            write(at, self.value, value);
            write(at, self.elapsed, Value::Float(now.as_secs_f64()));
            if readings
                .stable_for(number, now)
                .is_some_and(|time| time >= self.patience.time)
            {
                return Ok(());
            }
            let Patience { timeout, fails, .. } = self.patience;
            if now.as_secs_f64() >= timeout {
                if !fails {
                    return Ok(());
                }
                let name = &self.parameter;
                let message = format!("TimeoutError: `{name}` is not stable after {timeout} s; it is {number}");
                return Err(at.fail(message));
            }
            at.sleep(self.patience.interval)?;
        }
    }
}

/// The readings that are near enough, back to the first one that is.
struct Readings {
    target: Option<f64>,
    tolerance: f64,
    count: u64,
    /// Number and time of each.
    since: VecDeque<(u64, Duration)>,
    /// The least and the largest of them and of those that come to be it when the earlier ones are left out.
    low: VecDeque<(u64, f64)>,
    high: VecDeque<(u64, f64)>,
}

impl Readings {
    fn new(target: Option<f64>, tolerance: f64) -> Self {
        Self {
            target,
            tolerance,
            count: 0,
            since: VecDeque::new(),
            low: VecDeque::new(),
            high: VecDeque::new(),
        }
    }

    /// Takes another reading; says for how many seconds all were near enough.
    fn stable_for(&mut self, value: f64, now: Duration) -> Option<f64> {
        self.count += 1;
        let is_near = match self.target {
            Some(target) => (value - target).abs() <= self.tolerance,
            None => !value.is_nan(),
        };
        if !is_near {
            self.since.clear();
            self.low.clear();
            self.high.clear();
            return None;
        }
        self.since.push_back((self.count, now));
        if self.target.is_none() {
            self.keep_together(value);
        }
        let (_, first) = self.since.front()?;
        Some(now.saturating_sub(*first).as_secs_f64())
    }

    /// Leaves the earliest readings out until all are near one another.
    fn keep_together(&mut self, value: f64) {
        while self.low.back().is_some_and(|(_, low)| *low >= value) {
            self.low.pop_back();
        }
        self.low.push_back((self.count, value));
        while self.high.back().is_some_and(|(_, high)| *high <= value) {
            self.high.pop_back();
        }
        self.high.push_back((self.count, value));
        while let (Some((_, low)), Some((_, high))) = (self.low.front(), self.high.front())
            && high - low > self.tolerance
        {
            let Some((left, _)) = self.since.pop_front() else {
                return;
            };
            for extreme in [&mut self.low, &mut self.high] {
                if extreme.front().is_some_and(|(number, _)| *number <= left) {
                    extreme.pop_front();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Readings;

    fn check(target: Option<f64>, tolerance: f64, values: &[f64], expected: &[Option<f64>]) {
        let mut readings = Readings::new(target, tolerance);
        let seconds = (0..).map(Duration::from_secs);
        let found = values
            .iter()
            .zip(seconds)
            .map(|(value, now)| readings.stable_for(*value, now));
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn stable_is_what_stays_near_its_target() {
        let expected = [None, Some(0.0), Some(1.0), None, Some(0.0), None];
        check(Some(1.0), 0.1, &[0.0, 1.0, 1.05, 1.2, 0.95, f64::NAN], &expected);
    }

    #[test]
    fn without_a_target_stable_is_what_stays_together() {
        let expected = [Some(0.0), Some(0.0), Some(1.0), Some(2.0), Some(0.0), Some(0.0), None];
        check(None, 1.0, &[0.0, 5.0, 5.5, 4.5, 6.0, 9.0, f64::NAN], &expected);
    }
}
