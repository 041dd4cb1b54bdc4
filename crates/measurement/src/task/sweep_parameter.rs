//! `measurand.SweepParameterTask`: a parameter goes through values, and others of the same instrument are read at each.
//!
//! The entry is one array with a field for the parameter and one for each that is read. A stop ends the sweep after any
//! point; the array then has the points so far, as it has when something fails.

use expr::{Array, RecordArray, Value};
use ndarray::{ArrayD, IxDyn};

use super::{
    Field, Fields, Kind, Resume, Shape, Task, Text,
    instrument::{SELECTED, SOURCES, write},
    place::{CompiledPlace, PARAMETER, PLACE, Place, check_named},
};
use crate::{
    check::{Check, Expect, Prepare},
    instrument::{Ask, InstrumentId, Where},
    names::EntryId,
    program::{At, Compiled, Exit, Work},
};

pub(crate) static KIND: Kind = Kind {
    id: "measurand.SweepParameterTask",
    summary: "Takes a parameter of any instrument through values and reads others at each of them.",
    fields: &[
        SELECTED,
        PARAMETER,
        Field {
            name: "start",
            default: "0.0",
            doc: "expression; the first value",
        },
        Field {
            name: "stop",
            default: "1.0",
            doc: "expression; the last value",
        },
        Field {
            name: "points",
            default: "11",
            doc: "expression; how many values, at equal distances",
        },
        Field {
            name: "delay",
            default: "0.0",
            doc: "seconds between setting a value and reading",
        },
        Field {
            name: "parameters",
            default: "[]",
            doc: "list of the names of what is read",
        },
        PLACE,
    ],
    entries: &[("data", "an array with a field for each parameter")],
    shape: Shape::Leaf,
    waits: Some(SOURCES),
    pool: None,
    resume: Resume::Redo,
    build: |fields| Box::new(SweepParameter::new(fields)),
};

/// More points than this are a slip: they would fill the memory with one array.
const MOST_POINTS: i64 = 10_000_000;

#[derive(Debug)]
struct SweepParameter {
    parameter: Text,
    start: Text,
    stop: Text,
    points: Text,
    delay_secs: f64,
    parameters: Vec<String>,
    place: Place,
}

impl SweepParameter {
    fn new(fields: &mut Fields<'_>) -> Self {
        Self {
            parameter: fields.text("parameter", ""),
            start: fields.text("start", "0.0"),
            stop: fields.text("stop", "1.0"),
            points: fields.text("points", "11"),
            delay_secs: fields.number("delay", 0.0),
            parameters: fields.texts("parameters"),
            place: Place::read(fields),
        }
    }

    /// The fields of the array; what is set and read, too, has two.
    fn labels(&self) -> Vec<String> {
        let set = self.parameter.text.trim();
        let read = self.parameters.iter().map(|name| {
            if name == set {
                format!("{name}_read")
            } else {
                name.clone()
            }
        });
        std::iter::once(set.to_owned()).chain(read).collect()
    }
}

impl Task for SweepParameter {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        let columns = vec![vec![0.0, 1.0]; self.parameters.len() + 1];
        vec![("data".to_owned(), table(&self.labels(), columns))]
    }

    fn check(&self, check: &mut Check<'_>) {
        check_named(check, "parameter", &self.parameter);
        let parameters: Vec<&str> = self.parameters.iter().map(String::as_str).collect();
        if !parameters.is_empty() {
            check.instrument(&parameters);
        }
        let labels = self.labels();
        let is_twice = |(at, name): &(usize, &String)| labels[..*at].contains(name);
        if let Some((_, name)) = labels.iter().enumerate().find(is_twice) {
            check.error("-parameters", format!("`{name}` is there twice"));
        }
        self.place.check(check);
        check.evaluate("start", &self.start, Expect::Real);
        check.evaluate("stop", &self.stop, Expect::Real);
        if let Some(points) = check.evaluate("points", &self.points, Expect::Integral)
            && count(&points).is_none()
        {
            let message = format!("`points` should be from 1 to {MOST_POINTS}, not {}", points.repr());
            check.error_at("points", message, &self.points, None);
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Sweeping {
            parameter: self.parameter.text.trim().to_owned(),
            parameters: self.parameters.clone(),
            labels: self.labels(),
            instrument: prepare.instrument(),
            start: prepare.formula("start", &self.start),
            stop: prepare.formula("stop", &self.stop),
            points: prepare.formula("points", &self.points),
            delay_secs: self.delay_secs,
            place: self.place.prepare(prepare),
            entry: prepare.entry("data"),
        })
    }

    fn seconds(&self, check: &mut Check<'_>) -> f64 {
        let points = check.evaluate("points", &self.points, Expect::Integral);
        let points = points.and_then(|points| points.as_f64()).unwrap_or(0.0);
        points.max(0.0) * self.delay_secs.max(0.0)
    }
}

struct Sweeping {
    parameter: String,
    parameters: Vec<String>,
    labels: Vec<String>,
    instrument: Option<InstrumentId>,
    start: Compiled,
    stop: Compiled,
    points: Compiled,
    delay_secs: f64,
    place: CompiledPlace,
    entry: Option<EntryId>,
}

impl Work for Sweeping {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let place = self.place.values(at)?;
        let number = |formula| at.evaluate(formula).and_then(|value| at.number(&value));
        let (start, stop) = (number(&self.start)?, number(&self.stop)?);
        let points = at.evaluate(&self.points)?;
        let Some(points) = count(&points) else {
            let message = format!(
                "ValueError: `points` should be from 1 to {MOST_POINTS}, not {}",
                points.repr()
            );
            return Err(at.fail(message));
        };
        let mut columns = vec![Vec::new(); self.labels.len()];
        let swept = (0..points).try_for_each(|point| {
            at.go_on()?;
            let row = self.point(at, &place, between(start, stop, point, points))?;
            columns
                .iter_mut()
                .zip(row)
                .for_each(|(column, number)| column.push(number));
            Ok(())
        });
        write(at, self.entry, table(&self.labels, columns));
        swept
    }
}

impl Sweeping {
    /// What was set, and what was read there.
    fn point(&self, at: &At<'_>, place: Where<'_>, value: f64) -> Result<Vec<f64>, Exit> {
        at.ask(self.instrument, place, Ask::Set(&self.parameter, &Value::Float(value)))?;
        at.sleep(self.delay_secs)?;
        let mut row = vec![value];
        for parameter in &self.parameters {
            let read = at.ask(self.instrument, place, Ask::Get(parameter))?;
            row.push(at.number(&read)?);
        }
        Ok(row)
    }
}

/// As `numpy.linspace` has it: the last value is `stop` itself.
#[expect(clippy::cast_precision_loss, reason = "points are few")]
fn between(start: f64, stop: f64, point: i64, points: i64) -> f64 {
    if points > 1 && point == points - 1 {
        return stop;
    }
    start + (stop - start) / (points - 1).max(1) as f64 * point as f64
}

fn count(points: &Value) -> Option<i64> {
    points.as_i64().filter(|points| (1..=MOST_POINTS).contains(points))
}

fn table(labels: &[String], columns: Vec<Vec<f64>>) -> Value {
    let column = |(label, values): (&String, Vec<f64>)| {
        let data = ArrayD::from_shape_vec(IxDyn(&[values.len()]), values).expect("a line is as long as its values");
        (label.as_str().into(), Array::Float(data))
    };
    Value::from(RecordArray {
        fields: labels.iter().zip(columns).map(column).collect(),
    })
}
