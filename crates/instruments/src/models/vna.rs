//! Network analysers: channels that are set up for measures, sweeps, and their data, in the words of either make.
//!
//! A measure of a task, `S21` in the format `MLIN`, has a name on the instrument that says all of it, `Ch1:S21:MLIN`: measures
//! that a channel already has are kept, with the scales that somebody gave them. What waits for a sweep is not here: a task
//! triggers, waits in a way that can be stopped, asks [`is_done`](Vna::call) and reads.
//!
//! | method | arguments | what it does |
//! | --- | --- | --- |
//! | `take_control` | `point` or `sweep` | all channels are held, triggers are for one channel, and from where they come |
//! | `prepare_point` | bandwidth, window, measures | a sweep of one point at the present frequency and power |
//! | `prepare_measures` | bandwidth, window, measures | the measures of a sweep; bandwidth 0 leaves it |
//! | `prepare_sweep` | type, start, stop, points | `FREQUENCY` in Hz, or `POWER` in dBm |
//! | `axis` | type, or an empty text | what is swept, as `[type, start, stop, points]` |
//! | `is_done` | | whether what was triggered has ended |
//! | `read_formatted`, `read_raw` | name of a measure | numbers, or complex numbers |
//! | `trace` | number of a trace | `[name, axis, complex numbers, electrical delay in ns]` |
//! | `measures` | | the names of those that exist |
//! | `prepare_average` | | the average begins anew; how many sweeps it takes |
//! | `average_once` | | one sweep of them |
//!
//! Measures are `[parameter, format]`, with an empty format for complex numbers; the name of one that is read may be given so too.
//!
//! Deliberately absent: the marks and scales of the display.

mod data;
mod dialect;

use self::{
    data::{complex, read, read_complex},
    dialect::{Catalogue, Dialect, Done, KEYSIGHT, Lists, Word, ZNB20, ZVA24},
};
use super::{Bare, Fault, Model};
use crate::{
    Extent,
    driver::{Failure, Garbled, Refusal, Value, Wire, answer::unquoted, number},
};

/// A network analyser.
pub(super) struct Vna {
    dialect: &'static Dialect,
}

impl Vna {
    pub(super) fn keysight() -> Self {
        Self { dialect: &KEYSIGHT }
    }

    pub(super) fn znb20() -> Self {
        Self { dialect: &ZNB20 }
    }

    pub(super) fn zva24() -> Self {
        Self { dialect: &ZVA24 }
    }
}

/// A measure as a task names it: `S21` and `MLIN`, or no format for complex numbers.
struct Measure {
    parameter: String,
    format: String,
}

impl Model for Vna {
    fn methods(&self) -> &'static [&'static str] {
        &[
            "take_control",
            "prepare_point",
            "prepare_measures",
            "prepare_sweep",
            "axis",
            "is_done",
            "read_formatted",
            "read_raw",
            "trace",
            "measures",
            "prepare_average",
            "average_once",
        ]
    }

    fn get(&mut self, on: &mut Bare, parameter: &str) -> Option<Result<Value, Fault>> {
        // The driver file of each make reads its channels in its own way; a task reads them in one.
        (parameter == "channels").then(|| {
            let channels = self.list(on, &self.dialect.channels, 0)?;
            Ok(Value::List(channels.into_iter().map(Value::Int).collect()))
        })
    }

    fn call(&mut self, on: &mut Bare, method: &str, arguments: &[Value]) -> Result<Value, Fault> {
        match (method, arguments) {
            ("take_control", [Value::Text(what)]) => self.take_control(on, what),
            ("prepare_point", [bandwidth, Value::Int(window), Value::List(measures)]) => {
                self.prepare_point(on, bandwidth, *window, &of_task(measures)?)
            }
            ("prepare_measures", [bandwidth, Value::Int(window), Value::List(measures)]) => {
                self.prepare_measures(on, bandwidth, *window, &of_task(measures)?)
            }
            ("prepare_sweep", [Value::Text(what), start, stop, Value::Int(points)]) => {
                prepare_sweep(on, what, start, stop, *points)
            }
            ("axis", [Value::Text(what)]) => axis(on, what),
            ("is_done", []) => self.is_done(on),
            ("read_formatted", [name]) => {
                let name = self.name_of(on, name)?;
                read(on, &name, "FDATA").map(Value::Floats)
            }
            ("read_raw", [name]) => {
                let name = self.name_of(on, name)?;
                read_complex(on, &name).map(complex)
            }
            ("trace", [Value::Int(number)]) => trace(on, *number),
            ("measures", []) => {
                let names = self.measures(on)?;
                Ok(Value::List(names.into_iter().map(Value::Text).collect()))
            }
            ("prepare_average", []) => self.prepare_average(on),
            ("average_once", []) => {
                let command = self.fill(on, self.dialect.average);
                send(on, &command)?;
                if let Done::EventStatus(_) = self.dialect.done {
                    send(on, "*OPC")?;
                }
                Ok(Value::None)
            }
            _ => Err(refused(method, "these are none of its arguments".to_owned())),
        }
    }
}

impl Vna {
    fn take_control(&self, on: &mut Bare, what: &str) -> Result<Value, Fault> {
        let source = match what {
            "point" => self.dialect.sources[0],
            "sweep" => self.dialect.sources[1],
            _ => return Err(refused("take_control", format!("`{what}` is neither point nor sweep"))),
        };
        let channels = self.list(on, &self.dialect.channels, 0)?;
        let own = channel(on);
        if !channels.iter().any(|known| known.to_string() == own) {
            let reason = format!("the instrument has no channel {own}: make one on its front panel");
            return Err(refused("channel", reason));
        }
        for known in &channels {
            send(on, &in_channel(self.dialect.hold, &known.to_string()))?;
        }
        if !self.dialect.is_held.is_empty() {
            for known in &channels {
                let question = in_channel(self.dialect.is_held, &known.to_string());
                let answer = ask(on, &[], &question)?;
                is_word("sweep_mode", "HOLD", &answer)?;
            }
        }
        let first = channels.first().map_or_else(|| own.clone(), ToString::to_string);
        let scope = &self.dialect.scope;
        set_word(on, "trigger_scope", scope, &first)?;
        let source = Word {
            set: "TRIGger:SEQuence:SOURce {}",
            get: "TRIGger:SEQuence:SOURce?",
            word: source,
        };
        set_word(on, "trigger_source", &source, &own)?;
        Ok(Value::None)
    }

    fn prepare_point(
        &self,
        on: &mut Bare,
        bandwidth: &Value,
        window: i64,
        measures: &[Measure],
    ) -> Result<Value, Fault> {
        on.set("if_bandwidth", bandwidth)?;
        // What a sweep leaves behind would be the frequency and the power of the point.
        let frequency = on.get("frequency")?;
        let power = on.get("power")?;
        set_type(on, "LIN")?;
        on.set("sweep_points", &Value::Int(1))?;
        on.set("frequency", &frequency)?;
        on.set("power", &power)?;
        self.have_measures(on, window, measures)?;
        if bandwidth
            .number()
            .is_some_and(|bandwidth| bandwidth >= SWEEPS_WITHOUT_END)
        {
            let own = channel(on);
            set_word(on, "sweep_mode", &self.dialect.sweep_on, &own)?;
        }
        Ok(Value::None)
    }

    fn prepare_measures(
        &self,
        on: &mut Bare,
        bandwidth: &Value,
        window: i64,
        measures: &[Measure],
    ) -> Result<Value, Fault> {
        if bandwidth.number().is_some_and(|bandwidth| bandwidth > 0.0) {
            on.set("if_bandwidth", bandwidth)?;
        }
        self.have_measures(on, window, measures)?;
        let binary = Value::Text(self.dialect.binary.to_owned());
        if on.known("data_format").is_none_or(|known| *known != binary) {
            on.set("data_format", &binary)?;
        }
        Ok(Value::None)
    }

    /// Makes the measures of a channel anew, unless it has these and no others.
    fn have_measures(&self, on: &mut Bare, window: i64, measures: &[Measure]) -> Result<(), Fault> {
        let own = channel(on);
        let wanted: Vec<String> = measures.iter().map(|measure| self.name(&own, measure)).collect();
        let present = self.measures(on)?;
        if wanted.len() == present.len() && wanted.iter().all(|name| present.contains(name)) {
            return Ok(());
        }
        for name in &present {
            let command = self.fill(on, self.dialect.delete).replace("{name}", name);
            send(on, &command)?;
        }
        // One of them may have been the selected one.
        on.forget();
        if !self.measures(on)?.is_empty() {
            return Err(refused("measures", format!("those of channel {own} cannot be deleted")));
        }
        for (index, (measure, name)) in measures.iter().zip(&wanted).enumerate() {
            self.create(on, measure, name)?;
            if index == 0 && self.windows(on)?.contains(&window) {
                self.clear(on, window)?;
            }
            self.show(on, name, window, index + 1)?;
        }
        Ok(())
    }

    fn create(&self, on: &mut Bare, measure: &Measure, name: &str) -> Result<(), Fault> {
        let command = self.fill(on, self.dialect.create);
        let command = command
            .replace("{name}", name)
            .replace("{parameter}", &measure.parameter);
        send(on, &command)?;
        if !self.measures(on)?.iter().any(|known| known == name) {
            return Err(refused("measures", format!("`{name}` was not made")));
        }
        let format = if measure.format.is_empty() {
            self.dialect.raw_format
        } else {
            &measure.format
        };
        on.set("selected_measure", &Value::Text(name.to_owned()))?;
        let format = Word {
            set: "CALCulate{c}:FORMat {}",
            get: "CALCulate{c}:FORMat?",
            word: format,
        };
        let own = channel(on);
        set_word(on, "format", &format, &own)
    }

    fn clear(&self, on: &mut Bare, window: i64) -> Result<(), Fault> {
        for trace in self.list(on, &self.dialect.traces, window)? {
            send(on, &format!("DISPlay:WINDow{window}:TRACe{trace}:DELete"))?;
        }
        if self.list(on, &self.dialect.traces, window)?.is_empty() {
            Ok(())
        } else {
            Err(refused(
                "window",
                format!("the traces of window {window} cannot be deleted"),
            ))
        }
    }

    fn show(&self, on: &mut Bare, name: &str, window: i64, trace: usize) -> Result<(), Fault> {
        if !self.windows(on)?.contains(&window) {
            send(on, &format!("DISPlay:WINDow{window} ON"))?;
        }
        let place = |text: &str| {
            text.replace("{w}", &window.to_string())
                .replace("{t}", &trace.to_string())
        };
        let command = place(self.dialect.feed).replace("{name}", name);
        let answer = ask(on, &[command], &place(self.dialect.fed))?;
        let shown = match self.dialect.traces.lists {
            Lists::Numbers => answer.split(',').any(|known| known.trim() == trace.to_string()),
            Lists::NumbersAndNames => answer.contains(name),
        };
        if shown {
            Ok(())
        } else {
            Err(refused("window", format!("`{name}` is not shown in window {window}")))
        }
    }

    fn windows(&self, on: &mut Bare) -> Result<Vec<i64>, Fault> {
        self.list(on, &self.dialect.windows, 0)
    }

    /// The names of the measures of the channel.
    fn measures(&self, on: &mut Bare) -> Result<Vec<String>, Fault> {
        let question = self.fill(on, self.dialect.measures);
        let answer = ask(on, &[], &question)?;
        if answer == self.dialect.no_measures {
            return Ok(Vec::new());
        }
        Ok(answer
            .split(',')
            .step_by(2)
            .map(|name| name.trim().to_owned())
            .collect())
    }

    fn list(&self, on: &mut Bare, catalogue: &Catalogue, window: i64) -> Result<Vec<i64>, Fault> {
        let question = catalogue.question.replace("{w}", &window.to_string());
        let answer = ask(on, &[], &question)?;
        if answer.is_empty() || answer.contains("EMPTY") {
            return Ok(Vec::new());
        }
        let step = match catalogue.lists {
            Lists::Numbers => 1,
            Lists::NumbersAndNames => 2,
        };
        let numbers = answer.split(',').step_by(step).map(|number| number.trim().parse());
        let numbers: Result<Vec<i64>, _> = numbers.collect();
        numbers.map_err(|_| garbled(&question, "a list of numbers", &answer))
    }

    fn is_done(&self, on: &mut Bare) -> Result<Value, Fault> {
        let (question, mask) = match self.dialect.done {
            Done::EventStatus(question) | Done::Completed(question) => (question, 1),
        };
        let answer = ask(on, &[], question)?;
        let register = number::parse(&answer).ok_or_else(|| garbled(question, "an integer", &answer))?;
        #[expect(clippy::cast_possible_truncation, reason = "a register of 8 bits")]
        Ok(Value::Bool(register as i64 & mask != 0))
    }

    fn prepare_average(&self, on: &mut Bare) -> Result<Value, Fault> {
        let own = channel(on);
        let source = Word {
            set: "TRIGger:SEQuence:SOURce {}",
            get: "TRIGger:SEQuence:SOURce?",
            word: self.dialect.sources[0],
        };
        set_word(on, "trigger_source", &source, &own)?;
        let hold = self.fill(on, self.dialect.hold);
        match self.dialect.is_held {
            "" => send(on, &hold)?,
            question => {
                let answer = ask(on, &[hold], &in_channel(question, &own))?;
                is_word("sweep_mode", "HOLD", &answer)?;
            }
        }
        on.act("clear_averaging")?;
        on.set("average_state", &Value::Text("ON".to_owned()))?;
        on.get("average_count")
    }

    /// The name of a measure on the instrument.
    fn name(&self, channel: &str, measure: &Measure) -> String {
        let joint = self.dialect.joint;
        let Measure { parameter, format } = measure;
        if format.is_empty() {
            format!("Ch{channel}{joint}{parameter}")
        } else {
            format!("Ch{channel}{joint}{parameter}{joint}{format}")
        }
    }

    /// The name that a task means: a measure's, or one that is on the instrument already.
    fn name_of(&self, on: &Bare, given: &Value) -> Result<String, Fault> {
        match given {
            Value::Text(name) => Ok(name.clone()),
            Value::List(_) => Ok(self.name(&channel(on), &measure(given)?)),
            other => Err(refused("measures", format!("`{other}` names none"))),
        }
    }

    fn fill(&self, on: &Bare, template: &str) -> String {
        in_channel(template, &channel(on))
    }
}

/// From this bandwidth on, in Hz, a point is measured again and again; below, it is asked for.
const SWEEPS_WITHOUT_END: f64 = 5.0;

fn of_task(measures: &[Value]) -> Result<Vec<Measure>, Fault> {
    measures.iter().map(measure).collect()
}

fn measure(given: &Value) -> Result<Measure, Fault> {
    match given {
        Value::List(parts) => match parts.as_slice() {
            [Value::Text(parameter), Value::Text(format)] => Ok(Measure {
                parameter: parameter.clone(),
                format: format.clone(),
            }),
            _ => Err(refused("measures", format!("`{given}` is no parameter with a format"))),
        },
        _ => Err(refused("measures", format!("`{given}` is no parameter with a format"))),
    }
}

fn prepare_sweep(on: &mut Bare, what: &str, start: &Value, stop: &Value, points: i64) -> Result<Value, Fault> {
    let (kind, from, to) = match what {
        "FREQUENCY" => ("LIN", "start_frequency", "stop_frequency"),
        "POWER" => ("POW", "start_power", "stop_power"),
        _ => {
            return Err(refused(
                "sweep_type",
                format!("`{what}` is neither FREQUENCY nor POWER"),
            ));
        }
    };
    set_type(on, kind)?;
    on.set("sweep_points", &Value::Int(points))?;
    on.set(from, start)?;
    on.set(to, stop)?;
    Ok(Value::None)
}

fn axis(on: &mut Bare, what: &str) -> Result<Value, Fault> {
    let kind = match what {
        "" => match on.get("sweep_type")? {
            Value::Text(kind) => kind.to_ascii_uppercase(),
            other => return Err(refused("sweep_type", format!("`{other}` is none"))),
        },
        "FREQUENCY" => "LIN".to_owned(),
        "POWER" => "POW".to_owned(),
        other => {
            return Err(refused(
                "sweep_type",
                format!("`{other}` is neither FREQUENCY nor POWER"),
            ));
        }
    };
    let points = on.get("sweep_points")?;
    let (from, to) = match kind.get(..3) {
        Some("POW") => ("start_power", "stop_power"),
        Some("LIN" | "LOG") => ("start_frequency", "stop_frequency"),
        _ => {
            return Err(refused(
                "sweep_type",
                format!("`{kind}` has no axis that is known here"),
            ));
        }
    };
    let (start, stop) = (on.get(from)?, on.get(to)?);
    let kind = kind.get(..3).unwrap_or_default().to_owned();
    Ok(Value::List(vec![Value::Text(kind), start, stop, points]))
}

/// A trace that is on the display, with all that one needs to show it elsewhere.
fn trace(on: &mut Bare, number: i64) -> Result<Value, Fault> {
    let set = on.set("trace_number", &Value::Int(number));
    if let Err(Failure::NotTaken { .. }) = set {
        let own = channel(on);
        return Err(refused("trace_number", format!("channel {own} has no trace {number}")));
    }
    set?;
    let name = on.get("selected_measure")?;
    let axis = axis(on, "")?;
    let data = read_complex(on, &name.to_string())?;
    let delay = on.get("electrical_delay")?;
    let delay = delay
        .number()
        .ok_or_else(|| garbled("electrical_delay", "a number", &delay.to_string()))?;
    Ok(Value::List(vec![name, axis, complex(data), Value::Float(delay * 1e9)]))
}

fn set_type(on: &mut Bare, kind: &'static str) -> Result<(), Fault> {
    let own = channel(on);
    let word = Word {
        set: "SENSe{c}:SWEep:TYPE {}",
        get: "SENSe{c}:SWEep:TYPE?",
        word: kind,
    };
    set_word(on, "sweep_type", &word, &own)
}

/// Sets a word and looks whether it was taken, where that can be asked.
fn set_word(on: &mut Bare, parameter: &str, word: &Word<'_>, channel: &str) -> Result<(), Fault> {
    let command = in_channel(word.set, channel).replace("{}", word.word);
    if word.get.is_empty() {
        return send(on, &command);
    }
    let answer = ask(on, &[command], &in_channel(word.get, channel))?;
    is_word(parameter, word.word, &answer)
}

/// Instruments answer with the short form of a word: `CURR` for `CURRent`.
fn is_word(parameter: &str, word: &str, answer: &str) -> Result<(), Fault> {
    let begins = word
        .get(..answer.len())
        .is_some_and(|begin| begin.eq_ignore_ascii_case(answer));
    if begins && !answer.is_empty() {
        return Ok(());
    }
    Err(Failure::NotTaken {
        signal: parameter.to_owned(),
        set: Value::Text(word.to_owned()),
        read: Value::Text(answer.to_owned()),
    })
}

fn channel(on: &Bare) -> String {
    on.known("channel").map_or_else(|| "1".to_owned(), ToString::to_string)
}

fn in_channel(template: &str, channel: &str) -> String {
    template.replace("{c}", channel)
}

fn send(on: &mut Bare, command: &str) -> Result<(), Fault> {
    on.wire().write(command).map_err(Failure::Wire)
}

/// The answer without its quotes.
fn ask(on: &mut Bare, commands: &[String], question: &str) -> Result<String, Fault> {
    let answer = on
        .wire()
        .query(commands, question, Extent::Message)
        .map_err(Failure::Wire)?;
    Ok(unquoted(&String::from_utf8_lossy(&answer)).trim().to_owned())
}

fn refused(signal: &str, reason: String) -> Fault {
    Failure::Refused(Refusal::Value {
        signal: signal.to_owned(),
        reason,
    })
}

fn garbled(signal: &str, expected: &str, received: &str) -> Fault {
    Failure::Garbled(Garbled {
        signal: signal.to_owned(),
        expected: expected.to_owned(),
        received: received.to_owned(),
    })
}
