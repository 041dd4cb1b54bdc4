//! Models that are more than their driver files: what each method says on the wire, to the letter, and what it makes of answers.
//!
//! A transcript has `> sent`, `< answered` and `. waited`; `<f32 big 1 2` is a block of numbers. Whatever else happens, and
//! whatever is left over, is a failure. The commands are those of Exopy's drivers.

mod analysers;
mod magnets;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use instruments::Extent;
use instruments::block::{self, ByteOrder, Number};
use instruments::device::{Device, Driven};
use instruments::driver::{Array, Elements, LineError, Value, Wire, library};

use analysers::PNA;

/// Plays its lines, the first one first.
struct Transcript {
    lines: Vec<String>,
    at: Arc<Mutex<usize>>,
}

impl Transcript {
    fn next(&self) -> String {
        let mut at = self.at.lock().expect("one thread");
        *at += 1;
        self.lines.get(*at - 1).cloned().unwrap_or_else(|| "the end".to_owned())
    }

    fn expect(&self, happened: &str) -> Result<(), LineError> {
        let expected = self.next();
        if happened == expected {
            Ok(())
        } else {
            Err(LineError::Other(format!("`{happened}` instead of `{expected}`")))
        }
    }
}

impl Wire for Transcript {
    type Error = LineError;

    fn write(&mut self, message: &str) -> Result<(), LineError> {
        self.expect(&format!("> {message}"))
    }

    fn read(&mut self) -> Result<Vec<u8>, LineError> {
        let line = self.next();
        if let Some(answer) = line.strip_prefix("< ") {
            return Ok(answer.as_bytes().to_vec());
        }
        let numbers = line.strip_prefix('<').map(|line| line.split(' ').collect::<Vec<_>>());
        let Some([kind, order, numbers @ ..]) = numbers.as_deref() else {
            return Err(LineError::Other(format!("a read instead of `{line}`")));
        };
        let kind = if *kind == "f32" { Number::F32 } else { Number::F64 };
        let order = if *order == "big" {
            ByteOrder::Big
        } else {
            ByteOrder::Little
        };
        let numbers: Vec<f64> = numbers.iter().map(|number| number.parse().expect("a number")).collect();
        let content = block::encode_numbers(&numbers, kind, order).expect("it fits");
        let length = content.len().to_string();
        Ok([format!("#{}{length}", length.len()).as_bytes(), &content, b"\n"].concat())
    }

    fn query(&mut self, commands: &[String], question: &str, _: Extent) -> Result<Vec<u8>, LineError> {
        commands.iter().try_for_each(|command| self.write(command))?;
        self.write(question)?;
        self.read()
    }

    fn pause(&mut self, time: Duration) -> Result<(), LineError> {
        self.expect(&format!(". {time:?}"))
    }
}

/// Opens an instrument and does something with it while the transcript is played; what came of it in words.
fn played(
    driver: &str,
    settings: &[(&str, &str)],
    transcript: &str,
    does: impl FnOnce(&mut Driven) -> Result<Value, instruments::device::DeviceError>,
) -> String {
    let lines = transcript.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    let at = Arc::new(Mutex::new(0));
    let wire = Transcript {
        lines: lines.clone(),
        at: at.clone(),
    };
    let driver = library::find(driver).expect("it comes with the crate");
    let settings: Vec<_> = settings
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    let done = Driven::on("x", Arc::new(driver), Box::new(wire), &settings).and_then(|mut device| does(&mut device));
    let words = done.map_or_else(|error| error.message, |value| shown(&value));
    match lines.get(*at.lock().expect("one thread")) {
        Some(left) => format!("{words}; left: {left}"),
        None => words,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::List(values) => format!("[{}]", values.iter().map(shown).collect::<Vec<_>>().join(" | ")),
        Value::Array(array) => match &**array {
            Array {
                elements: Elements::Complex(numbers),
                ..
            } => format!("{numbers:?}"),
            other => format!("{other:?}"),
        },
        other => other.to_string(),
    }
}

fn text(word: &str) -> Value {
    Value::Text(word.to_owned())
}

#[test]
fn methods_are_known_and_their_arguments_looked_at() {
    let outcome = played(PNA, &[], "> *CLS", |device| {
        assert!(device.has("prepare_sweep") && device.has("frequency") && !device.has("dance"));
        device.call("prepare_sweep", &[Value::Int(1)], &[])
    });
    assert_eq!(outcome, "`x`: `prepare_sweep`: these are none of its arguments");
}

#[test]
fn a_spectrum_analyser_sweeps_and_says_when_it_has() {
    let opened = "
        > ROSC:SOURCE EXT
        > ROSC:OUTP ON
        > FORM:DATA ASCii
        > FORM:BORD NORMAL";
    let transcript = format!(
        "{opened}
        > inst:sel?
        < SA
        > FORM:DATA ASCii
        > :ABORT
        > :INIT:CONT OFF
        > :INIT
        > *OPC
        > SWEEP:TIME?
        < 0.1
        > *ESR?
        < 1
        > trace? trace2
        < -80.5,-81.25"
    );
    let outcome = played("exopy_hqc_legacy.Legacy.AgilentPSA", &[], &transcript, |device| {
        let mode = device.get("mode", &[])?;
        device.call("sweep", &[], &[])?;
        let time = device.get("sweep_time", &[])?;
        let status = device.get("event_status", &[])?;
        let data = device.get("data", &[("trace", Value::Int(2))])?;
        Ok(Value::List(vec![mode, time, status, data]))
    });
    assert_eq!(outcome, "[SA | 0.1 | 1 | -80.5,-81.25]");
}

#[test]
fn a_waveform_generator_runs_stops_and_steps() {
    let transcript = "
        > EVENt:IMM
        > AWGC:RUN:IMM
        > AWGC:RST?
        < 2
        > AWGC:SEQ:POS?
        < 1
        > AWGC:STOP:IMM
        > AWGC:RST?
        < 0";
    let outcome = played("exopy_hqc_legacy.Legacy.AWG", &[], transcript, |device| {
        device.call("event", &[], &[])?;
        device.call("run", &[], &[])?;
        let running = device.get("running", &[])?;
        let position = device.get("sequence_position", &[])?;
        device.call("stop", &[], &[])?;
        Ok(Value::List(vec![running, position, device.get("running", &[])?]))
    });
    assert_eq!(outcome, "[2 | 1 | 0]");
}
