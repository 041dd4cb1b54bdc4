//! `exopy.LoopTask`: children once for each value of an interface.
//!
//! The interface says which values; the loop writes them one by one, or hands them to its embedded task. Everything per
//! point is in [`Rounds::perform`], the hottest place of the program: two writes, a checkpoint, and the children.

use std::fmt;

use expr::{Array, Range, Scalar, Value};

use super::{Field, Fields, InterfaceKind, Interfaced, Kind, Resume, Shape, Task, geomspace, iterable, linspace};
use crate::{
    bench::{RoundValues, Signal},
    check::{Check, Prepare},
    names::EntryId,
    program::{At, Exit, Work},
    resumption::LoopAt,
    tree::TaskId,
};

pub(crate) static KIND: Kind = Kind {
    id: "exopy.LoopTask",
    summary: "Performs its children once for each value of its interface.",
    fields: &[Field {
        name: "timing",
        default: "False",
        doc: "whether to measure the time of each iteration",
    }],
    entries: &[
        ("point_number", "number of values"),
        ("index", "number of the iteration, from 1"),
        (
            "value",
            "the value of the iteration; absent when a task is embedded, which gets the value instead",
        ),
        ("loop_values", "array of all values"),
        ("elapsed_time", "seconds that the iteration took, with `timing`"),
    ],
    shape: Shape::Loop,
    waits: None,
    pool: None,
    resume: Resume::Redo,
    build: |fields| Box::new(Loop::new(fields)),
};

/// What says which values a loop goes through.
pub(crate) trait Interface: fmt::Debug + Send + Sync {
    /// Checks the fields and sets the loop's entries to what they will be at its beginning.
    fn check(&self, check: &mut Check<'_>);

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Values>;
}

/// Reads an interface from its fields.
type BuildInterface = fn(&mut Fields<'_>) -> Box<dyn Interface>;

/// The values of a loop when it begins.
pub(crate) trait Values: Send + Sync {
    fn values(&self, at: &At<'_>) -> Result<LoopValues, Exit>;
}

/// The values of one performance of a loop.
pub(crate) struct LoopValues {
    pub(crate) values: Sequence,
    /// `np.array` of them: the entry `loop_values`.
    pub(crate) array: Value,
    /// Whether the interface writes `loop_values` itself, before the loop does: an update that viewers see.
    pub(crate) announced: bool,
}

/// Values to go through, made one at a time where they can be.
pub(crate) enum Sequence {
    Floats(std::sync::Arc<Array>),
    Range(std::sync::Arc<Range>, usize),
    Listed(Vec<Value>),
}

impl Sequence {
    /// The values of a round that the run was broken off in.
    fn of_record(at: &LoopAt) -> Self {
        match &at.values {
            Some((_, Some(Value::Range(range)))) => {
                let length = Value::Range(range.clone()).len().unwrap_or(0);
                Sequence::Range(range.clone(), length)
            }
            Some((_, Some(Value::List(values)))) => Sequence::Listed(values.to_vec()),
            Some((Value::Array(array), _)) => Sequence::Floats(array.clone()),
            Some(_) | None => Sequence::Listed(Vec::new()),
        }
    }

    /// The values as one value, where the array of the loop does not hold them as they are.
    fn to_record(&self) -> Option<Value> {
        match self {
            Sequence::Floats(_) => None,
            Sequence::Range(range, _) => Some(Value::Range(range.clone())),
            Sequence::Listed(values) => Some(Value::list(values.clone())),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Sequence::Floats(array) => match &**array {
                Array::Float(array) => array.len(),
                Array::Bool(_) | Array::Int(_) | Array::Complex(_) | Array::Str { .. } => 0,
            },
            Sequence::Range(_, length) => *length,
            Sequence::Listed(values) => values.len(),
        }
    }
}

#[derive(Debug)]
struct Loop {
    timing: bool,
    interface: Interfaced<Box<dyn Interface>>,
}

impl Loop {
    fn new(fields: &mut Fields<'_>) -> Self {
        let timing = fields.flag("timing", false);
        let known: [(&InterfaceKind, BuildInterface); 3] = [
            (&linspace::KIND, linspace::build),
            (&geomspace::KIND, geomspace::build),
            (&iterable::KIND, iterable::build),
        ];
        let interface = fields.interface_of(KIND.id, &known);
        Self { timing, interface }
    }
}

impl Task for Loop {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&KIND)
    }

    fn entries(&self, embeds: bool) -> Vec<(String, Value)> {
        let mut entries = vec![
            ("point_number".to_owned(), Value::Int(11)),
            ("index".to_owned(), Value::Int(1)),
        ];
        if !embeds {
            entries.push(("value".to_owned(), Value::Int(0)));
        }
        // np.linspace(0, 1, 11), as `LoopTask` declares it.
        let values: Vec<f64> = (0..11)
            .map(|i| f64::from(i) * 0.1)
            .map(|v| if v > 0.95 { 1.0 } else { v })
            .collect();
        entries.push(("loop_values".to_owned(), Value::from(values)));
        if self.timing {
            entries.push(("elapsed_time".to_owned(), Value::Float(1.0)));
        }
        entries
    }

    fn check(&self, check: &mut Check<'_>) {
        match &self.interface {
            Interfaced::Known(interface) => interface.check(check),
            Interfaced::Unknown => (),
            Interfaced::Absent => {
                check
                    .error("-interface", "the loop has no interface, so it has no values")
                    .hint = Some(
                    "add a section `[interface]` with `interface_id = exopy.LoopTask:exopy.LinspaceLoopInterface`"
                        .to_owned(),
                );
            }
        }
    }

    fn checks_children(&self) -> bool {
        !matches!(self.interface, Interfaced::Absent)
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Rounds {
            source: self.interface.known().map(|interface| interface.prepare(prepare)),
            point_number: prepare.entry("point_number"),
            index: prepare.entry("index"),
            value: prepare.entry("value"),
            loop_values: prepare.entry("loop_values"),
            elapsed_time: prepare.entry("elapsed_time"),
            embedded: prepare.embedded(),
            children: prepare.children(),
        })
    }

    fn rounds(&self, check: &mut Check<'_>) -> Option<f64> {
        check.get("point_number").and_then(Value::as_f64)
    }
}

struct Rounds {
    source: Option<Box<dyn Values>>,
    point_number: Option<EntryId>,
    index: Option<EntryId>,
    value: Option<EntryId>,
    loop_values: Option<EntryId>,
    elapsed_time: Option<EntryId>,
    embedded: Option<TaskId>,
    children: Vec<TaskId>,
}

impl Work for Rounds {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let Some(source) = &self.source else {
            return Err(at.fail("the loop has no interface, so it has no values"));
        };
        let (values, first) = match at.resumed_loop() {
            Some(resumed) if resumed.is_left => return Ok(()),
            Some(resumed) => (Sequence::of_record(&resumed), resumed.rounds as usize),
            None => (self.begin(at, source.values(at)?)?, 0),
        };
        let total = values.len();
        at.in_loop(Some(total as u64), || match &values {
            Sequence::Floats(array) => match &**array {
                Array::Float(array) => {
                    let values = array.iter().skip(first);
                    self.rounds(at, first, values.map(|value| Value::Scalar(Scalar::Float(*value))))
                }
                Array::Bool(_) | Array::Int(_) | Array::Complex(_) | Array::Str { .. } => Ok(()),
            },
            Sequence::Range(range, length) => {
                // In i128, so that the step beyond the last value cannot overflow.
                let value = |i| i128::from(range.start) + i128::from(range.step) * i as i128;
                self.rounds(
                    at,
                    first,
                    (first..*length).map(|i| Value::Int(i64::try_from(value(i)).unwrap_or(range.stop))),
                )
            }
            Sequence::Listed(values) => self.rounds(at, first, values.iter().skip(first).cloned()),
        })
    }
}

impl Rounds {
    /// Says which values the round has, to viewers and to the record.
    fn begin(&self, at: &At<'_>, begun: LoopValues) -> Result<Sequence, Exit> {
        let LoopValues {
            values,
            array,
            announced,
        } = begun;
        let total = values.len();
        if announced {
            write(at, self.loop_values, array.clone());
        }
        write(at, self.point_number, Value::Int(total as i64));
        let own = values.to_record();
        let round = RoundValues {
            array: &array,
            values: own.as_ref(),
        };
        let recorded = at.bench().record_round(at.task, Some(total as u64), Some(round));
        recorded.map_err(|message| at.fail(message))?;
        write(at, self.loop_values, array);
        Ok(values)
    }

    fn rounds(&self, at: &At<'_>, first: usize, values: impl Iterator<Item = Value>) -> Result<(), Exit> {
        for (round, value) in (first as i64 + 1..).zip(values) {
            if at.bench().checkpoint(at.task) == Signal::Stop {
                return Ok(());
            }
            match (self.index, self.value) {
                (Some(index), Some(entry)) => at
                    .bench()
                    .write_both((index, Value::Int(round)), (entry, value.clone())),
                (index, _) => write(at, index, Value::Int(round)),
            }
            let began = self.elapsed_time.map(|_| at.bench().now());
            if let Some(task) = self.embedded {
                at.perform(task, Some(&value))?;
            }
            let result = at.perform_all(&self.children);
            if let Err(exit @ (Exit::Failed(_) | Exit::Stopped)) = result {
                return Err(exit);
            }
            if let Some(began) = began {
                write(
                    at,
                    self.elapsed_time,
                    Value::Float((at.bench().now() - began).as_secs_f64()),
                );
            }
            let is_left = matches!(result, Err(Exit::Break));
            at.record_iteration(is_left)?;
            if is_left {
                break;
            }
        }
        Ok(())
    }
}

#[inline]
fn write(at: &At<'_>, entry: Option<EntryId>, value: Value) {
    if let Some(entry) = entry {
        at.write(entry, value);
    }
}
