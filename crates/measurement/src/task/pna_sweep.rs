//! `PNASweepTask`: parameters along a frequency or a power, as an array with a field for each.
//!
//! The entry `sweep_data` has the fields `Frequency` (Hz), `Power` (dBm) or, where `sweep_type` is empty and what the analyser
//! is set to is swept, one without a name, then `S21_MLIN` and so on. A measure without a format is a field of complex numbers
//! that is called by its parameter alone, `S21`, as Exopy's documentation has it (its code called it `S21_`).
//!
//! Start, stop and points that are empty stay what they are on the analyser; Exopy took a power for gigahertz there.

use expr::Value;

use super::{
    Field, Fields, Kind, Resume, Shape, Task, Text,
    instrument::{SELECTED, SOURCES, write},
    pna::{CHANNEL, Channel, IF_BANDWIDTH, MEASURES, Measure, Measures, WINDOW, number, whole},
    pna_record::{floats, linspace, points, record, specimen},
};
use crate::{
    check::{Check, Expect, Prepare},
    names::EntryId,
    program::{At, Compiled, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy_hqc_legacy.PNASweepTask",
    summary: "Measures parameters of a network analyser along a frequency or a power.",
    fields: &[
        SELECTED,
        CHANNEL,
        Field {
            name: "start",
            default: "",
            doc: "expression; Hz or dBm; empty for the analyser's own",
        },
        Field {
            name: "stop",
            default: "",
            doc: "expression; Hz or dBm; empty for the analyser's own",
        },
        Field {
            name: "points",
            default: "",
            doc: "expression; empty for the analyser's own",
        },
        Field {
            name: "sweep_type",
            default: "",
            doc: "`Frequency`, `Power`, or empty for what the analyser is set to",
        },
        MEASURES,
        IF_BANDWIDTH,
        WINDOW,
    ],
    entries: &[(
        "sweep_data",
        "an array with the fields `Frequency` or `Power`, `S21_MLIN` …",
    )],
    shape: Shape::Leaf,
    waits: Some(SOURCES),
    pool: None,
    resume: Resume::Redo,
    build: |fields| Box::new(Sweep::new(fields)),
};

#[derive(Debug)]
struct Sweep {
    channel: i64,
    start: Text,
    stop: Text,
    points: Text,
    kind: &'static str,
    measures: Measures,
    bandwidth: f64,
    window: i64,
}

impl Sweep {
    fn new(fields: &mut Fields<'_>) -> Self {
        Self {
            channel: whole(fields, "channel", 1),
            start: fields.text("start", ""),
            stop: fields.text("stop", ""),
            points: fields.text("points", ""),
            kind: fields.choice("sweep_type", &["", "Frequency", "Power"]),
            measures: Measures::of(fields),
            bandwidth: fields.number("if_bandwidth", 2.0),
            window: whole(fields, "window", 1),
        }
    }

    fn texts(&self) -> [(&'static str, &Text); 3] {
        [("start", &self.start), ("stop", &self.stop), ("points", &self.points)]
    }
}

impl Task for Sweep {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![("sweep_data".to_owned(), Value::from(vec![0]))]
    }

    fn check(&self, check: &mut Check<'_>) {
        check.instrument(&[
            "take_control",
            "prepare_measures",
            "prepare_sweep",
            "is_done",
            "read_formatted",
        ]);
        self.measures.check(check);
        for (field, text) in self.texts().into_iter().filter(|(_, text)| !text.text.is_empty()) {
            check.evaluate(field, text, Expect::Real);
        }
        let names = self.measures.list().iter().map(Measure::name);
        let data = specimen(std::iter::once(self.kind.to_owned()).chain(names));
        check.set("sweep_data", data);
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        let formula = |(field, text): (&str, &Text)| (!text.text.is_empty()).then(|| prepare.formula(field, text));
        let [start, stop, points] = self.texts().map(formula);
        Box::new(Sweeping {
            channel: Channel::new(prepare.instrument(), self.channel),
            start,
            stop,
            points,
            kind: self.kind,
            all: self.measures.value(),
            measures: self.measures.list().to_vec(),
            bandwidth: self.bandwidth,
            window: self.window,
            entry: prepare.entry("sweep_data"),
        })
    }
}

struct Sweeping {
    channel: Channel,
    start: Option<Compiled>,
    stop: Option<Compiled>,
    points: Option<Compiled>,
    kind: &'static str,
    all: Value,
    measures: Vec<Measure>,
    bandwidth: f64,
    window: i64,
    entry: Option<EntryId>,
}

/// What is swept.
struct Span {
    /// `FREQUENCY` or `POWER`
    kind: Value,
    start: Value,
    stop: Value,
    points: usize,
}

impl Work for Sweeping {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        if self.channel.takes_over(at) {
            self.channel.call(at, "take_control", &[Value::from("sweep")])?;
            let arguments = [number(self.bandwidth), Value::Int(self.window), self.all.clone()];
            self.channel.call(at, "prepare_measures", &arguments)?;
        }
        let span = self.span(at)?;
        let (start, stop) = (at.number(&span.start)?, at.number(&span.stop)?);
        let points = Value::Int(i64::try_from(span.points).unwrap_or(i64::MAX));
        let arguments = [span.kind, plain(&span.start), plain(&span.stop), points];
        self.channel.call(at, "prepare_sweep", &arguments)?;
        let seconds = self.channel.get(at, "sweep_time")?;
        let seconds = at.number(&seconds)?;
        self.channel.call(at, "trigger", &[])?;
        self.channel.wait(at, seconds)?;
        let mut fields = vec![(self.kind.to_owned(), floats(linspace(start, stop, span.points)))];
        for measure in &self.measures {
            let data = self.channel.read(at, measure)?;
            if data.size() != span.points {
                let (name, received, points) = (measure.name(), data.size(), span.points);
                return Err(at.fail(format!(
                    "ValueError: the analyser returned {received} values of `{name}` for {points} points"
                )));
            }
            fields.push((measure.name(), data));
        }
        write(at, self.entry, record(fields));
        Ok(())
    }
}

impl Sweeping {
    fn span(&self, at: &At<'_>) -> Result<Span, Exit> {
        let value = |formula: &Option<Compiled>| formula.as_ref().map(|formula| at.evaluate(formula)).transpose();
        let kind = self.kind.to_ascii_uppercase();
        let (start, stop, number) = (value(&self.start)?, value(&self.stop)?, value(&self.points)?);
        if let (false, Some(start), Some(stop), Some(number)) = (kind.is_empty(), &start, &stop, &number) {
            return Ok(Span {
                kind: Value::from(kind),
                start: start.clone(),
                stop: stop.clone(),
                points: points(at, number)?,
            });
        }
        let axis = self.channel.call(at, "axis", &[Value::from(kind.as_str())])?;
        let parts = axis.iterate().unwrap_or_default();
        let [present, from, to, count] = parts.as_slice() else {
            return Err(at.fail(format!("ValueError: {} is no axis", axis.repr())));
        };
        let present = match present.as_str() {
            Some("LIN") => "FREQUENCY",
            Some("POW") => "POWER",
            _ => {
                return Err(at.fail(format!(
                    "ValueError: the analyser sweeps {present}: choose a `sweep_type`"
                )));
            }
        };
        Ok(Span {
            kind: Value::from(present),
            start: start.unwrap_or_else(|| from.clone()),
            stop: stop.unwrap_or_else(|| to.clone()),
            points: points(at, number.as_ref().unwrap_or(count))?,
        })
    }
}

/// A number of Python: what numpy computed has no other digits.
fn plain(value: &Value) -> Value {
    match value.as_i64() {
        Some(integer) => Value::Int(integer),
        None => value.as_f64().map_or_else(|| value.clone(), Value::Float),
    }
}
