//! `PNAGetTraces` and `ZNBGetTraces`: what the display of a network analyser shows.
//!
//! Both fill `sweep_data` with a dict of arrays. Of a PNA these are the traces that the task lists, `1,1;1,3` for the first and
//! the third of channel 1, under these names: `Freq (GHz)`, `<measure> real`, `imag`, `abs` and `phase` (unwrapped), with the
//! electrical delay of the trace taken into account. Of a ZNB these are all, under the names of their measures: `Freq (GHz)`
//! and `<measure> data`, which is complex where a curve in the plane is shown. Along a power the first field is `Power (dBm)`,
//! and there is no delay.
//!
//! Unless `already_measured` says so, each channel that is listed averages anew, as often as it is set to. Exopy averaged
//! channel 1 when channel 21 was listed too, and waited inside one question until it ran out of time.

use std::{f64::consts::PI, sync::Arc};

use expr::{Dict, Value};

use super::{
    Field, Fields, Kind, Resume, Shape, Task, Text,
    instrument::{SELECTED, write},
    pna::{CHANNEL, Channel},
    pna_record::{array, complex, floats, geomspace, linspace, points, record, specimen},
};
use crate::{
    check::{Check, Prepare},
    instrument::{Ask, InstrumentId},
    names::EntryId,
    program::{At, Exit, Work},
};

pub(crate) static PNA: Kind = Kind {
    id: "exopy_hqc_legacy.PNAGetTraces",
    summary: "Reads traces that a network analyser shows, measured anew or as they are.",
    fields: &[
        SELECTED,
        Field {
            name: "tracelist",
            default: "1,1",
            doc: "channel and trace of each: `1,1;1,3`",
        },
        Field {
            name: "already_measured",
            default: "False",
            doc: "whether they are read as they are",
        },
    ],
    entries: ENTRIES,
    shape: Shape::Leaf,
    waits: None,
    pool: None,
    resume: Resume::Redo,
    build: |fields| Box::new(Listed::new(fields)),
};

pub(crate) static ZNB: Kind = Kind {
    id: "exopy_hqc_legacy.ZNBGetTraces",
    summary: "Reads all traces of a Rohde & Schwarz network analyser as they are.",
    fields: &[SELECTED, CHANNEL],
    entries: ENTRIES,
    shape: Shape::Leaf,
    waits: None,
    pool: None,
    resume: Resume::Redo,
    build: |_| Box::new(All),
};

const ENTRIES: &[(&str, &str)] = &[("sweep_data", "a dict of arrays, one for each trace")];

#[derive(Debug)]
struct Listed {
    text: Text,
    is_measured: bool,
}

/// A trace as it is listed, its channel and its number.
struct Trace {
    name: String,
    channel: i64,
    number: i64,
}

impl Listed {
    fn new(fields: &mut Fields<'_>) -> Self {
        Self {
            text: fields.text("tracelist", "1,1"),
            is_measured: fields.flag("already_measured", false),
        }
    }

    /// The traces, or the first of the list that is none.
    fn traces(&self) -> Result<Vec<Trace>, String> {
        let trace = |name: &str| {
            let (channel, number) = name.split_once(',')?;
            Some(Trace {
                name: name.to_owned(),
                channel: channel.trim().parse().ok()?,
                number: number.trim().parse().ok()?,
            })
        };
        let names = self.text.text.split(';');
        names.map(|name| trace(name).ok_or_else(|| name.to_owned())).collect()
    }
}

impl Task for Listed {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&PNA)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![("sweep_data".to_owned(), dict(Vec::new()))]
    }

    fn check(&self, check: &mut Check<'_>) {
        check.instrument(match self.is_measured {
            true => &["trace"],
            false => &["trace", "prepare_average", "average_once", "is_done", "sweep_time"],
        });
        match self.traces() {
            Ok(traces) => {
                let specimen = || specimen([FREQUENCY.to_owned()].into_iter());
                let items = traces.into_iter().map(|trace| (trace.name, specimen()));
                check.set("sweep_data", dict(items.collect()));
            }
            Err(name) => {
                let message = format!("`{name}` is no channel and trace: `1,1;1,3` are two of them");
                check.error_at("tracelist", message, &self.text, None);
            }
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Reading {
            instrument: prepare.instrument(),
            traces: self.traces(),
            is_measured: self.is_measured,
            entry: prepare.entry("sweep_data"),
        })
    }
}

struct Reading {
    instrument: Option<InstrumentId>,
    traces: Result<Vec<Trace>, String>,
    is_measured: bool,
    entry: Option<EntryId>,
}

impl Work for Reading {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let traces = self.traces.as_ref();
        let traces = traces.map_err(|name| at.fail(format!("ValueError: `{name}` is no channel and trace")))?;
        if !self.is_measured {
            let mut channels: Vec<i64> = traces.iter().map(|trace| trace.channel).collect();
            channels.sort_unstable();
            channels.dedup();
            for number in channels {
                average(at, &Channel::new(self.instrument, number))?;
            }
        }
        let mut read = Vec::with_capacity(traces.len());
        for trace in traces {
            let channel = Channel::new(self.instrument, trace.channel);
            read.push((trace.name.clone(), one(at, &channel, trace.number)?));
        }
        write(at, self.entry, dict(read));
        Ok(())
    }
}

fn average(at: &At<'_>, channel: &Channel) -> Result<(), Exit> {
    // Whoever set it up before has to do so again.
    channel.takes_over(at);
    let count = channel.call(at, "prepare_average", &[])?;
    let count = points(at, &count)?;
    let seconds = channel.get(at, "sweep_time")?;
    let seconds = at.number(&seconds)?;
    for _ in 0..count {
        at.go_on()?;
        channel.call(at, "average_once", &[])?;
        channel.wait(at, seconds)?;
    }
    Ok(())
}

/// One trace with all that it is made of.
fn one(at: &At<'_>, channel: &Channel, number: i64) -> Result<Value, Exit> {
    let trace = channel.call(at, "trace", &[Value::Int(number)])?;
    let parts = trace.iterate().unwrap_or_default();
    let [name, axis, data, delay] = parts.as_slice() else {
        return Err(at.fail(format!("ValueError: {} is no trace", trace.repr())));
    };
    let (axis_name, axis) = axis_of(at, axis)?;
    let delay = if axis_name == FREQUENCY { at.number(delay)? } else { 0.0 };
    let data = complex(at, data)?;
    if data.len() != axis.len() {
        let (received, points) = (data.len(), axis.len());
        return Err(at.fail(format!(
            "ValueError: the analyser returned {received} values of `{name}` for {points} points"
        )));
    }
    let turned: Vec<(f64, f64)> = data
        .iter()
        .zip(&axis)
        .map(|((re, im), frequency)| {
            let (sin, cos) = (2.0 * PI * frequency * delay).sin_cos();
            (re * cos - im * sin, re * sin + im * cos)
        })
        .collect();
    let of = |part: fn(&(f64, f64)) -> f64| turned.iter().map(part).collect::<Vec<f64>>();
    let phase = unwrapped(&of(|(re, im)| im.atan2(*re)));
    Ok(record(vec![
        (axis_name.to_owned(), floats(axis)),
        (format!("{name} real"), floats(of(|(re, _)| *re))),
        (format!("{name} imag"), floats(of(|(_, im)| *im))),
        (format!("{name} abs"), floats(of(|(re, im)| re.hypot(*im)))),
        (format!("{name} phase"), floats(phase)),
    ]))
}

const FREQUENCY: &str = "Freq (GHz)";

/// The name and the values of an axis as a driver gives it: `[type, start, stop, points]`, in Hz or dBm.
fn axis_of(at: &At<'_>, axis: &Value) -> Result<(&'static str, Vec<f64>), Exit> {
    let parts = axis.iterate().unwrap_or_default();
    let [kind, start, stop, count] = parts.as_slice() else {
        return Err(at.fail(format!("ValueError: {} is no axis", axis.repr())));
    };
    let (start, stop, count) = (at.number(start)?, at.number(stop)?, points(at, count)?);
    match kind.as_str() {
        Some("LIN") => Ok((FREQUENCY, linspace(start * 1e-9, stop * 1e-9, count))),
        Some("LOG") => Ok((FREQUENCY, geomspace(start * 1e-9, stop * 1e-9, count))),
        Some("POW") => Ok(("Power (dBm)", linspace(start, stop, count))),
        _ => Err(at.fail(format!(
            "ValueError: the analyser sweeps {kind}, which has no axis that is known here"
        ))),
    }
}

/// As `np.unwrap`: without jumps of more than half a turn.
fn unwrapped(phase: &[f64]) -> Vec<f64> {
    let mut turns = 0.0;
    let mut last = None;
    let mut smooth = |value: f64| {
        if let Some(last) = last {
            let jump: f64 = value - last;
            let mut within = (jump + PI).rem_euclid(2.0 * PI) - PI;
            if within == -PI && jump > 0.0 {
                within = PI;
            }
            if jump.abs() >= PI {
                turns += within - jump;
            }
        }
        last = Some(value);
        value + turns
    };
    phase.iter().map(|value| smooth(*value)).collect()
}

fn dict(items: Vec<(String, Value)>) -> Value {
    let items = items.into_iter().map(|(name, value)| (Value::from(name), value));
    Value::Dict(Arc::new(Dict { items: items.collect() }))
}

#[derive(Debug)]
struct All;

impl Task for All {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&ZNB)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![("sweep_data".to_owned(), dict(Vec::new()))]
    }

    fn check(&self, check: &mut Check<'_>) {
        check.instrument(&["channels", "measures", "axis", "read_formatted"]);
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(ReadingAll {
            instrument: prepare.instrument(),
            entry: prepare.entry("sweep_data"),
        })
    }
}

struct ReadingAll {
    instrument: Option<InstrumentId>,
    entry: Option<EntryId>,
}

impl Work for ReadingAll {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let items = |value: &Value| value.iterate().map_err(|error| at.fail(error.to_string()));
        let channels = at.ask(self.instrument, &[], Ask::Get("channels"))?;
        let mut read = Vec::new();
        for number in items(&channels)? {
            let number = at.number(&number)? as i64;
            let channel = Channel::new(self.instrument, number);
            let measures = items(&channel.call(at, "measures", &[])?)?;
            if measures.is_empty() {
                continue;
            }
            let (axis_name, axis) = axis_of(at, &channel.call(at, "axis", &[Value::from("")])?)?;
            for measure in measures {
                let name = std::slice::from_ref(&measure);
                let mut data = array(at, &channel.call(at, "read_formatted", name)?)?;
                if data.size() == 2 * axis.len() {
                    // A curve in the plane: its points are complex numbers.
                    data = array(at, &channel.call(at, "read_raw", name)?)?;
                }
                if data.size() != axis.len() {
                    let (received, points) = (data.size(), axis.len());
                    return Err(at.fail(format!(
                        "ValueError: the analyser returned {received} values of `{measure}` for {points} points"
                    )));
                }
                let fields = vec![
                    (axis_name.to_owned(), floats(axis.clone())),
                    (format!("{measure} data"), data),
                ];
                read.push((measure.to_string(), record(fields)));
            }
        }
        write(at, self.entry, dict(read));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::unwrapped;

    #[test]
    fn phases_have_no_jumps() {
        // The values of numpy.
        let smooth = unwrapped(&[0.0, 3.0, 6.5, -3.0]);
        let expected = [0.0, 3.0, 0.216_814_692_820_413_3, 3.283_185_307_179_586];
        for (value, expected) in smooth.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-12, "{smooth:?}");
        }
    }
}
