//! `labeq_exopy.SetRampTaskYoko`: a source goes to a level within a time.
//!
//! LaBEQ ramps in a process that nobody waits for or can stop, or else programs the instrument's slope and sets the
//! level, which then jumps: the slope is for programs. Here both ramp step by step, a stop ends them where they are, and
//! the task ends when the ramp does; it goes on in the background if the file gives it a pool. Files from before there
//! was a goal set the slope only, and still do.

use expr::Value;

use super::{
    Field, Fields, Kind, Resume, Shape, Task, Text,
    instrument::{SELECTED, make_function, write},
};
use crate::{
    check::{Check, Expect, Prepare},
    instrument::{Ask, InstrumentId},
    names::EntryId,
    program::{At, Compiled, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "labeq_exopy.SetRampTaskYoko",
    summary: "Makes a Yokogawa GS200 a source of volts or amperes and takes its level to another within a time.",
    fields: FIELDS,
    entries: &[("set_ramp", "the level set, or without a goal the slope")],
    shape: Shape::Leaf,
    waits: None,
    pool: None,
    resume: Resume::Restore,
    build: |fields| Box::new(SetRamp::new(fields, &KIND, "set_ramp")),
};

pub(crate) static EARLIER: Kind = Kind {
    id: "labeq_exopy.RampTask",
    summary: "Sets the slope of a Yokogawa GS200: `SetRampTaskYoko` as it was called at first.",
    fields: FIELDS,
    entries: &[("ramp", "the level set, or without a goal the slope")],
    shape: Shape::Leaf,
    waits: None,
    pool: None,
    resume: Resume::Restore,
    build: |fields| Box::new(SetRamp::new(fields, &EARLIER, "ramp")),
};

const FIELDS: &[Field] = &[
    SELECTED,
    Field {
        name: "func_v",
        default: "Voltage",
        doc: "`Voltage` or `Current`",
    },
    Field {
        name: "default_v",
        default: "True",
        doc: "`True` or `False`, for LaBEQ's form; both ramp alike",
    },
    Field {
        name: "ramp_v",
        default: "",
        doc: "expression; seconds from here to there",
    },
    Field {
        name: "goal_v",
        default: "",
        doc: "expression; volts or amperes; without it only the slope of programs is set",
    },
];

/// Seconds between two steps: LaBEQ's.
const STEP_SECS: f64 = 0.05;

#[derive(Debug)]
struct SetRamp {
    kind: &'static Kind,
    entry: &'static str,
    source: &'static Source,
    seconds: Text,
    goal: Option<Text>,
}

/// What is ramped.
#[derive(Debug)]
struct Source {
    function: &'static str,
    parameter: &'static str,
}

static VOLTAGE: Source = Source {
    function: "VOLT",
    parameter: "voltage",
};

static CURRENT: Source = Source {
    function: "CURR",
    parameter: "current",
};

impl SetRamp {
    fn new(fields: &mut Fields<'_>, kind: &'static Kind, entry: &'static str) -> Self {
        let goal = fields.text("goal_v", "");
        Self {
            kind,
            entry,
            source: match fields.choice("func_v", &["Voltage", "Current"]) {
                "Current" => &CURRENT,
                _ => &VOLTAGE,
            },
            seconds: fields.text("ramp_v", ""),
            goal: (!goal.text.trim().is_empty()).then_some(goal),
        }
    }
}

impl Task for SetRamp {
    fn kind(&self) -> Option<&'static Kind> {
        Some(self.kind)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![(self.entry.to_owned(), Value::Float(1.0))]
    }

    fn check(&self, check: &mut Check<'_>) {
        check.instrument(&[self.goal.as_ref().map_or("slope", |_| self.source.parameter)]);
        let seconds = check.evaluate("ramp_v", &self.seconds, Expect::Real);
        let goal = match &self.goal {
            Some(goal) => check.evaluate("goal_v", goal, Expect::Real),
            None => seconds,
        };
        if let Some(value) = goal {
            check.set(self.entry, value);
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        let goal = self.goal.as_ref().map(|goal| prepare.formula("goal_v", goal));
        Box::new(Ramping {
            source: self.source,
            instrument: prepare.instrument(),
            seconds: prepare.formula("ramp_v", &self.seconds),
            goal,
            entry: prepare.entry(self.entry),
        })
    }
}

struct Ramping {
    source: &'static Source,
    instrument: Option<InstrumentId>,
    seconds: Compiled,
    goal: Option<Compiled>,
    entry: Option<EntryId>,
}

impl Work for Ramping {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        make_function(at, self.instrument, self.source.function)?;
        let seconds = at.evaluate(&self.seconds)?;
        let Some(goal) = &self.goal else {
            at.ask(self.instrument, &[], Ask::Set("slope", &seconds))?;
            write(at, self.entry, seconds);
            return Ok(());
        };
        let goal = at.evaluate(goal)?;
        self.go(at, at.number(&goal)?, at.number(&seconds)?)?;
        self.set(at, &goal)?;
        write(at, self.entry, goal);
        Ok(())
    }
}

impl Ramping {
    /// Goes as the time goes, until it is over; the entry has the last level if it is not.
    fn go(&self, at: &At<'_>, goal: f64, seconds: f64) -> Result<(), Exit> {
        let from = at.ask(self.instrument, &[], Ask::Get(self.source.parameter))?;
        let from = at.number(&from)?;
        let began = at.bench().now();
        let mut last = from;
        let gone = loop {
            if let Err(exit) = at.sleep(STEP_SECS.min(seconds)).and_then(|()| at.go_on()) {
                break Err(exit);
            }
            let passed = at.bench().now().saturating_sub(began).as_secs_f64();
            if passed >= seconds {
                break Ok(());
            }
            last = from + (goal - from) * (passed / seconds);
            if let Err(exit) = self.set(at, &Value::Float(last)) {
                break Err(exit);
            }
        };
        gone.inspect_err(|_| write(at, self.entry, Value::Float(last)))
    }

    fn set(&self, at: &At<'_>, value: &Value) -> Result<(), Exit> {
        at.ask(self.instrument, &[], Ask::Set(self.source.parameter, value))
            .map(drop)
    }
}
