//! `PSAGetTrace` and `PSASetParam`: spectrum analysers, in the mode SA.
//!
//! A trace is measured anew, averaged as often as the analyser is set to, and waited for in a way that can be stopped. It has
//! the fields `Frequency` (GHz) and one whose name Exopy took from a table of another mode (`descriptor` for trace 1, `0`,
//! `(I,Q) vs time` and `log(mag) vs freq` for the others); files refer to these names, so that they are kept. `psa_config` says
//! how the analyser was set.
//!
//! `PSASetParam` could not be used in Exopy: its field for the end of the span had two names, it asked another class for its
//! check, and compared gigahertz with hertz there.

use expr::Value;

use super::{
    Field, Fields, Kind, Resume, Shape, Task, Text,
    instrument::{SELECTED, write},
    pna::whole,
    pna_record::{array, floats, linspace, points, record},
};
use crate::{
    check::{Check, Expect, Prepare},
    instrument::{Ask, InstrumentId, Where},
    names::EntryId,
    program::{At, Compiled, Exit, Work},
};

pub(crate) static GET_TRACE: Kind = Kind {
    id: "exopy_hqc_legacy.PSAGetTrace",
    summary: "Measures a trace of a spectrum analyser.",
    fields: &[
        SELECTED,
        Field {
            name: "trace",
            default: "1",
            doc: "from 1 to 4",
        },
        Field {
            name: "mode",
            default: "SA",
            doc: "`SA`, the only one",
        },
    ],
    entries: &[
        (
            "trace_data",
            "an array with the fields `Frequency`, in GHz, and the trace",
        ),
        ("psa_config", "how the analyser is set, in words"),
    ],
    shape: Shape::Leaf,
    waits: None,
    pool: None,
    resume: Resume::Redo,
    build: |fields| Box::new(GetTrace::new(fields)),
};

pub(crate) static SET_PARAM: Kind = Kind {
    id: "exopy_hqc_legacy.PSASetParam",
    summary: "Sets span, bandwidths and average of a spectrum analyser; what is empty stays.",
    fields: &[
        SELECTED,
        Field {
            name: "trace",
            default: "1",
            doc: "not used",
        },
        Field {
            name: "mode",
            default: "Start/Stop",
            doc: "`Start/Stop` or `Center/Span`: which two of the frequencies count",
        },
        START,
        END,
        CENTER,
        SPAN,
        Field {
            name: "average_nb",
            default: "",
            doc: "expression; from 1 to 8192",
        },
        Field {
            name: "resolution_bandwidth",
            default: "",
            doc: "expression; from 1 Hz to 8 MHz, in hertz",
        },
        Field {
            name: "video_bandwidth",
            default: "",
            doc: "expression; from 1 Hz to 50 MHz, in hertz",
        },
    ],
    entries: &[("psa_config", "how the analyser is set, in words")],
    shape: Shape::Leaf,
    waits: None,
    pool: None,
    resume: Resume::Restore,
    build: |fields| Box::new(SetParam::new(fields)),
};

const START: Field = Field {
    name: "start_freq",
    default: "",
    doc: "expression; gigahertz",
};

const END: Field = Field {
    name: "end_freq",
    default: "",
    doc: "expression; gigahertz",
};

const CENTER: Field = Field {
    name: "center_freq",
    default: "",
    doc: "expression; gigahertz",
};

const SPAN: Field = Field {
    name: "span_freq",
    default: "",
    doc: "expression; gigahertz",
};

/// What Exopy calls the data of each trace.
const TRACES: [&str; 4] = ["descriptor", "0", "(I,Q) vs time", "log(mag) vs freq"];

/// What `psa_config` needs.
const CONFIGURATION: [&str; 8] = [
    "start_frequency",
    "stop_frequency",
    "span",
    "center_frequency",
    "average_count",
    "rbw",
    "vbw",
    "sweep_points",
];

#[derive(Debug)]
struct GetTrace {
    trace: i64,
}

impl GetTrace {
    fn new(fields: &mut Fields<'_>) -> Self {
        fields.choice("mode", &["SA"]);
        Self {
            trace: whole(fields, "trace", 1),
        }
    }

    fn name(&self) -> Option<&'static str> {
        let index = usize::try_from(self.trace.checked_sub(1)?).ok()?;
        TRACES.get(index).copied()
    }
}

impl Task for GetTrace {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&GET_TRACE)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![
            ("trace_data".to_owned(), Value::from(vec![1.0])),
            ("psa_config".to_owned(), Value::from("")),
        ]
    }

    fn check(&self, check: &mut Check<'_>) {
        check.instrument(&["mode", "sweep", "event_status", "data", "rbw", "vbw"]);
        match self.name() {
            Some(name) => {
                let axis = || floats(vec![0.0, 1.0]);
                let fields = vec![("Frequency".to_owned(), axis()), (name.to_owned(), axis())];
                check.set("trace_data", record(fields));
            }
            None => {
                let message = format!("`trace` is {}: an analyser has the traces 1 to 4", self.trace);
                check.error("-trace", message);
            }
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Tracing {
            analyser: Analyser(prepare.instrument()),
            trace: self.trace,
            name: self.name(),
            data: prepare.entry("trace_data"),
            configuration: prepare.entry("psa_config"),
        })
    }
}

/// A spectrum analyser in use.
struct Analyser(Option<InstrumentId>);

impl Analyser {
    fn get(&self, at: &At<'_>, parameter: &str) -> Result<Value, Exit> {
        at.ask(self.0, &[], Ask::Get(parameter))
    }

    fn number(&self, at: &At<'_>, parameter: &str) -> Result<f64, Exit> {
        let value = self.get(at, parameter)?;
        at.number(&value)
    }

    /// The other modes have other traces, and no span.
    fn must_be_sa(&self, at: &At<'_>) -> Result<(), Exit> {
        let mode = self.get(at, "mode")?;
        if mode.as_str() == Some("SA") {
            return Ok(());
        }
        Err(at.fail(format!(
            "ValueError: the analyser is in the mode {mode}, and this task needs SA"
        )))
    }

    /// As Exopy writes it, line ends included.
    fn configuration(&self, at: &At<'_>) -> Result<Value, Exit> {
        let mut values = Vec::with_capacity(CONFIGURATION.len());
        for parameter in CONFIGURATION {
            values.push(self.get(at, parameter)?);
        }
        let [start, stop, span, center, average, resolution, video, points] = values.as_slice() else {
            return Err(at.fail("there are as many values as parameters"));
        };
        Ok(Value::from(format!(
            "Start freq {start}, Stop freq {stop}, Span freq {span},\nCenter freq {center}, Average number {average}, \
             Resolution\nBandwidth {resolution}, Video Bandwidth {video}, Number of points\n{points}, Mode Spectrum Analyzer"
        )))
    }
}

struct Tracing {
    analyser: Analyser,
    trace: i64,
    name: Option<&'static str>,
    data: Option<EntryId>,
    configuration: Option<EntryId>,
}

impl Work for Tracing {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        let Some(name) = self.name else {
            return Err(at.fail(format!("ValueError: there is no trace {}", self.trace)));
        };
        self.analyser.must_be_sa(at)?;
        write(at, self.configuration, self.analyser.configuration(at)?);
        self.sweep(at)?;
        let trace = [("trace", Value::Int(self.trace))];
        let place: Where<'_> = &trace;
        let data = at.ask(self.analyser.0, place, Ask::Get("data"))?;
        let data = array(at, &data)?;
        let start = self.analyser.number(at, "start_frequency")?;
        let stop = self.analyser.number(at, "stop_frequency")?;
        let count = self.analyser.get(at, "sweep_points")?;
        let axis = linspace(start, stop, points(at, &count)?);
        if data.size() != axis.len() {
            let (received, points) = (data.size(), axis.len());
            return Err(at.fail(format!(
                "ValueError: the analyser returned {received} values for {points} points"
            )));
        }
        let fields = vec![("Frequency".to_owned(), floats(axis)), (name.to_owned(), data)];
        write(at, self.data, record(fields));
        Ok(())
    }
}

impl Tracing {
    fn sweep(&self, at: &At<'_>) -> Result<(), Exit> {
        // What ended before is not what begins now.
        self.analyser.get(at, "event_status")?;
        at.ask(self.analyser.0, &[], Ask::Call("sweep", &[]))?;
        let once = self.analyser.number(at, "sweep_time")?;
        let is_averaged = self.analyser.get(at, "average_state")?;
        let count = if is_averaged.as_str() == Some("ON") {
            self.analyser.number(at, "average_count")?
        } else {
            1.0
        };
        at.sleep(once)?;
        let pause = (0.1 * once).clamp(0.01, 1.0);
        let latest = 10.0 * once * count + 60.0;
        let mut waited = 0.0;
        loop {
            let status = self.analyser.get(at, "event_status")?;
            if status.as_i64().is_some_and(|status| status & 1 == 1) {
                return Ok(());
            }
            if waited > latest {
                return Err(at.fail(format!("TimeoutError: the sweep did not end in {latest:.0} s")));
            }
            at.sleep(pause)?;
            at.go_on()?;
            waited += pause;
        }
    }
}

/// A field that is set unless it is empty.
#[derive(Debug)]
struct Setting {
    field: &'static str,
    text: Text,
    parameter: &'static str,
    expect: Expect,
    least: f64,
    most: f64,
}

#[derive(Debug)]
struct SetParam {
    settings: Vec<Setting>,
}

/// Beyond this no analyser goes, in GHz: Exopy's bound.
const MOST_GIGAHERTZ: f64 = 26.5;

impl SetParam {
    fn new(fields: &mut Fields<'_>) -> Self {
        let mode = fields.choice("mode", &["Start/Stop", "Center/Span"]);
        let mut setting = |field, parameter, expect, least, most| Setting {
            field,
            text: fields.text(field, ""),
            parameter,
            expect,
            least,
            most,
        };
        let mut frequency =
            |field, parameter, least: f64| setting(field, parameter, Expect::Real, least, MOST_GIGAHERTZ);
        // The first one is set again at the end, because the other's old value may have been in its way.
        let mut settings = match mode {
            "Start/Stop" => vec![
                frequency("start_freq", "start_frequency", 3e-9),
                frequency("end_freq", "stop_frequency", 3e-9),
                frequency("start_freq", "start_frequency", 3e-9),
            ],
            _ => vec![
                frequency("center_freq", "center_frequency", 3e-9),
                frequency("span_freq", "span", 0.0),
                frequency("center_freq", "center_frequency", 3e-9),
            ],
        };
        settings.push(setting("average_nb", "average_count", Expect::Integral, 1.0, 8192.0));
        settings.push(setting("resolution_bandwidth", "rbw", Expect::Real, 1.0, 8e6));
        settings.push(setting("video_bandwidth", "vbw", Expect::Real, 1.0, 5e7));
        settings.retain(|setting| !setting.text.text.trim().is_empty());
        Self { settings }
    }
}

impl Task for SetParam {
    fn kind(&self) -> Option<&'static Kind> {
        Some(&SET_PARAM)
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        vec![("psa_config".to_owned(), Value::from(""))]
    }

    fn check(&self, check: &mut Check<'_>) {
        check.instrument(&["mode", "start_frequency", "span", "rbw", "vbw"]);
        for (index, setting) in self.settings.iter().enumerate() {
            if self.settings[..index]
                .iter()
                .any(|earlier| earlier.field == setting.field)
            {
                continue;
            }
            let value = check.evaluate(setting.field, &setting.text, setting.expect);
            if let Some(number) = value.as_ref().and_then(Value::as_f64)
                && !(setting.least..=setting.most).contains(&number)
            {
                let Setting { field, least, most, .. } = setting;
                let message = format!("`{field}` is {number}: it should be from {least} to {most}");
                check.error_at(field, message, &setting.text, None);
            }
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        let setting = |setting: &Setting| (setting.parameter, prepare.formula(setting.field, &setting.text));
        Box::new(Setup {
            analyser: Analyser(prepare.instrument()),
            settings: self.settings.iter().map(setting).collect(),
            entry: prepare.entry("psa_config"),
        })
    }
}

struct Setup {
    analyser: Analyser,
    settings: Vec<(&'static str, Compiled)>,
    entry: Option<EntryId>,
}

impl Work for Setup {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit> {
        self.analyser.must_be_sa(at)?;
        for (parameter, formula) in &self.settings {
            let value = at.evaluate(formula)?;
            at.number(&value)?;
            at.ask(self.analyser.0, &[], Ask::Set(parameter, &value))?;
        }
        write(at, self.entry, self.analyser.configuration(at)?);
        Ok(())
    }
}
