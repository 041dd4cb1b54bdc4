//! `PNASinglePointMeasureTask`, and what all tasks of network analysers share: their measures, and waiting for a sweep.
//!
//! When another task, or nobody, used the analyser before, all its channels are held and the channel is set up: a sweep of one
//! point at the present frequency and power. From 5 Hz of bandwidth on the point is measured without end and the task waits for
//! one; below, each is triggered and waited for. Exopy kept in mind who used each channel; here it is the analyser, so that a
//! channel may be set up once more than needed, and keeps its measures all the same.
//!
//! Without a format a measure is complex: its entry is `S21` and holds a complex number. Exopy declared that entry and wrote
//! another, so that no raw measure ran.

use expr::{Array, Value};

use super::{
    Field, Fields, Kind, Resume, Shape, Task,
    instrument::{SELECTED, SOURCES, write},
    pna_record::array,
};
use crate::{
    check::{Check, Prepare},
    instrument::{Ask, InstrumentId, Where},
    names::EntryId,
    program::{At, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy_hqc_legacy.PNASinglePointMeasureTask",
    summary: "Measures parameters of a network analyser at its present frequency and power.",
    fields: &[SELECTED, CHANNEL, MEASURES, IF_BANDWIDTH, WINDOW],
    entries: &[(
        "…",
        "`S21_MLIN` for each measure, or the complex number `S21` where it has no format",
    )],
    shape: Shape::Leaf,
    waits: Some(SOURCES),
    pool: None,
    resume: Resume::Redo,
    build: |fields| Box::new(SinglePoint::new(fields)),
};

pub(super) const CHANNEL: Field = Field {
    name: "channel",
    default: "1",
    doc: "one that the analyser has",
};

pub(super) const MEASURES: Field = Field {
    name: "measures",
    default: "[]",
    doc: "(parameter, format) pairs: `[('S21', 'MLIN'), ('S21', 'PHAS')]`; an empty format for complex numbers",
};

pub(super) const IF_BANDWIDTH: Field = Field {
    name: "if_bandwidth",
    default: "2",
    doc: "hertz",
};

pub(super) const WINDOW: Field = Field {
    name: "window",
    default: "1",
    doc: "where the measures are shown",
};

/// From this bandwidth on, in Hz, a point is measured without end; below, it is triggered.
const SWEEPS_WITHOUT_END: f64 = 5.0;

/// What a task of an analyser works with.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub(super) instrument: Option<InstrumentId>,
    number: [(&'static str, Value); 1],
}

impl Channel {
    pub(super) fn new(instrument: Option<InstrumentId>, number: i64) -> Self {
        Self {
            instrument,
            number: [("channel", Value::Int(number))],
        }
    }

    fn place(&self) -> Where<'_> {
        &self.number
    }

    pub(super) fn get(&self, at: &At<'_>, parameter: &str) -> Result<Value, Exit> {
        at.ask(self.instrument, self.place(), Ask::Get(parameter))
    }

    pub(super) fn call(&self, at: &At<'_>, method: &str, arguments: &[Value]) -> Result<Value, Exit> {
        at.ask(self.instrument, self.place(), Ask::Call(method, arguments))
    }

    /// Says whether the analyser was somebody else's, or nobody's.
    pub(super) fn takes_over(&self, at: &At<'_>) -> bool {
        self.instrument
            .is_some_and(|instrument| at.bench().takes_over(at.task, instrument))
    }

    /// Waits for the end of what was triggered, which is expected to take so many seconds.
    pub(super) fn wait(&self, at: &At<'_>, seconds: f64) -> Result<(), Exit> {
        at.sleep(seconds)?;
        let pause = (0.1 * seconds).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        let latest = 10.0 * seconds + GRACE;
        let mut waited = 0.0;
        loop {
            let is_done = self.call(at, "is_done", &[])?;
            if is_done.truthy().map_err(|error| at.fail(error.to_string()))? {
                return Ok(());
            }
            if waited > latest {
                let taken = seconds + waited;
                return Err(at.fail(format!(
                    "TimeoutError: the sweep was to take {seconds} s and did not end in {taken:.0} s"
                )));
            }
            at.sleep(pause)?;
            at.go_on()?;
            waited += pause;
        }
    }

    /// The data of a measure: numbers, complex ones where it has no format.
    pub(super) fn read(&self, at: &At<'_>, measure: &Measure) -> Result<Array, Exit> {
        let method = if measure.format.is_empty() {
            "read_raw"
        } else {
            "read_formatted"
        };
        let data = self.call(at, method, &[measure.value()])?;
        array(at, &data)
    }
}

/// Seconds between two looks at a sweep that is late.
const SHORTEST_PAUSE: f64 = 0.01;
const LONGEST_PAUSE: f64 = 1.0;

/// So many seconds more than ten times what it should a sweep may take.
const GRACE: f64 = 60.0;

/// A parameter in a format.
#[derive(Clone, Debug)]
pub(super) struct Measure {
    pub(super) parameter: String,
    pub(super) format: String,
}

impl Measure {
    /// `S21_MLIN`, or `S21`: the entry, or the field of an array.
    pub(super) fn name(&self) -> String {
        if self.format.is_empty() {
            self.parameter.clone()
        } else {
            format!("{}_{}", self.parameter, self.format)
        }
    }

    pub(super) fn value(&self) -> Value {
        let (parameter, format) = (self.parameter.as_str(), self.format.as_str());
        Value::list(vec![Value::from(parameter), Value::from(format)])
    }
}

/// The field `measures`; nothing where it is no list of pairs.
#[derive(Clone, Debug)]
pub(super) struct Measures(Option<Vec<Measure>>);

impl Measures {
    pub(super) fn of(fields: &mut Fields<'_>) -> Self {
        let Some(value) = fields.value("measures") else {
            return Self(Some(Vec::new()));
        };
        let pair = |item: &Value| match item {
            Value::List(pair) | Value::Tuple(pair) => match pair.as_slice() {
                [parameter, format] => Some(Measure {
                    parameter: parameter.as_str()?.to_owned(),
                    format: format.as_str()?.to_owned(),
                }),
                _ => None,
            },
            _ => None,
        };
        Self(match &value {
            Value::List(items) | Value::Tuple(items) => items.iter().map(pair).collect(),
            _ => None,
        })
    }

    pub(super) fn list(&self) -> &[Measure] {
        self.0.as_deref().unwrap_or_default()
    }

    pub(super) fn value(&self) -> Value {
        Value::list(self.list().iter().map(Measure::value).collect())
    }

    pub(super) fn check(&self, check: &mut Check<'_>) {
        if self.0.is_none() {
            let message = "`measures` should be a list of (parameter, format) pairs: `[('S21', 'MLIN')]`";
            check.error("-measures", message);
        }
        for (index, measure) in self.list().iter().enumerate() {
            let parameter = &measure.parameter;
            let is_known = match parameter.as_bytes() {
                [b'S', to, from, ..] => (b'1'..=b'4').contains(to) && (b'1'..=b'4').contains(from),
                _ => false,
            };
            if !is_known {
                let message = format!("`{parameter}` is no parameter: `S21` is one, with ports from 1 to 4");
                check.error(&format!("_Meas_{index}"), message);
            }
        }
    }
}

#[derive(Debug)]
struct SinglePoint {
    channel: i64,
    measures: Measures,
    bandwidth: f64,
    window: i64,
}

impl SinglePoint {
    fn new(fields: &mut Fields<'_>) -> Self {
        Self {
            channel: whole(fields, "channel", 1),
            measures: Measures::of(fields),
            bandwidth: fields.number("if_bandwidth", 2.0),
            window: whole(fields, "window", 1),
        }
    }
}

impl Task for SinglePoint {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        let mut entries: Vec<(String, Value)> = Vec::new();
        for measure in self.measures.list() {
            let name = measure.name();
            if entries.iter().any(|(known, _)| *known == name) {
                continue;
            }
            let value = match measure.format.as_str() {
                "" => expr::parse_literal("1+1j").expect("a complex number"),
                _ => Value::Float(1.0),
            };
            entries.push((name, value));
        }
        entries
    }

    fn check(&self, check: &mut Check<'_>) {
        check.instrument(&["take_control", "prepare_point", "is_done", "read_formatted"]);
        self.measures.check(check);
        if self.bandwidth <= 0.0 {
            let message = format!("`if_bandwidth` is {}: it should be more than 0", self.bandwidth);
            check.error("-if_bandwidth", message);
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        let measures = self.measures.list().iter();
        Box::new(Point {
            channel: Channel::new(prepare.instrument(), self.channel),
            bandwidth: self.bandwidth,
            window: self.window,
            all: self.measures.value(),
            measures: measures
                .map(|measure| (measure.clone(), prepare.entry(&measure.name())))
                .collect(),
        })
    }

    fn seconds(&self, _check: &mut Check<'_>) -> f64 {
        if self.bandwidth > 0.0 {
            self.bandwidth.recip()
        } else {
            0.0
        }
    }
}

struct Point {
    channel: Channel,
    bandwidth: f64,
    window: i64,
    all: Value,
    measures: Vec<(Measure, Option<EntryId>)>,
}

impl Work for Point {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let is_triggered = self.bandwidth < SWEEPS_WITHOUT_END;
        let seconds = self.bandwidth.recip();
        if self.channel.takes_over(at) {
            let kind = Value::from(if is_triggered { "sweep" } else { "point" });
            self.channel.call(at, "take_control", &[kind])?;
            let arguments = [number(self.bandwidth), Value::Int(self.window), self.all.clone()];
            self.channel.call(at, "prepare_point", &arguments)?;
        }
        if is_triggered {
            self.channel.call(at, "trigger", &[])?;
            self.channel.wait(at, seconds)?;
        } else {
            at.sleep(seconds)?;
        }
        for (measure, entry) in &self.measures {
            let data = self.channel.read(at, measure)?;
            let first = match &data {
                Array::Float(data) => data.first().copied().map(Value::from),
                Array::Complex(data) => data.first().copied().map(Value::from),
                Array::Int(data) => data.first().copied().map(Value::from),
                Array::Bool(_) | Array::Str { .. } => None,
            };
            let first =
                first.ok_or_else(|| at.fail(format!("ValueError: there are no data of `{}`", measure.name())))?;
            write(at, *entry, first);
        }
        Ok(())
    }
}

/// A number as Python wrote it into the file: `10`, not `10.0`.
pub(super) fn number(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        Value::Int(number as i64)
    } else {
        Value::Float(number)
    }
}

/// A field that holds an integer.
pub(super) fn whole(fields: &mut Fields<'_>, key: &str, default: i64) -> i64 {
    fields.number(key, default as f64) as i64
}
