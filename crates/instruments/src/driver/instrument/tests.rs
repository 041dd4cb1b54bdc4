//! Instruments performed on transcripts: what is asked, answered and waited for, line by line.

use std::time::Duration;

use super::{Failure, Instrument, Wire};
use crate::Extent;
use crate::driver::{Driver, Value};

/// `> sent`, `< answered`, `. waited`; whatever else happens is a failure.
struct Transcript {
    lines: Vec<String>,
    at: usize,
}

impl Transcript {
    fn next(&mut self, happened: &str) -> Result<(), String> {
        let expected = self.lines.get(self.at).cloned().unwrap_or_default();
        self.at += 1;
        if happened == expected {
            Ok(())
        } else {
            Err(format!("`{happened}` instead of `{expected}`"))
        }
    }
}

impl Wire for Transcript {
    type Error = String;

    fn write(&mut self, message: &str) -> Result<(), String> {
        self.next(&format!("> {message}"))
    }

    fn read(&mut self) -> Result<Vec<u8>, String> {
        let line = self.lines.get(self.at).cloned().unwrap_or_default();
        self.at += 1;
        let answer = line.strip_prefix("< ").ok_or(format!("a read instead of `{line}`"))?;
        Ok(answer.as_bytes().to_vec())
    }

    fn query(&mut self, commands: &[String], question: &str, _: Extent) -> Result<Vec<u8>, String> {
        commands.iter().try_for_each(|command| self.write(command))?;
        self.write(question)?;
        self.read()
    }

    fn pause(&mut self, time: Duration) -> Result<(), String> {
        if self.lines.get(self.at).is_some_and(|line| line == "! stop") {
            self.at += 1;
            return Err("interrupted".to_owned());
        }
        self.next(&format!(". {time:?}"))
    }
}

const SOURCE: &str = r#"
id = "test.source"
title = "Source"
safe = [{ set = "level", to = 0.0 }, { act = "beep" }, { set = "output", to = "off" }]

[link]
open = ["*CLS"]
error = { query = "ERR?", ok = 0, when = "set" }

[argument.ch]
default = 1
choices = [1, 2]

[signal.output]
get = "OUT{ch}?"
set = "OUT{ch} {}"
map = { off = 0, on = 1 }
requires = { level = 0 }

[signal.range]
get = "RANG{ch}?"
set = "RANG{ch} {}"

[signal.level]
get = "LEV{ch}?"
set = "LEV{ch} {:g}"
max_abs = { times = 1.2, of = "range" }
ramp = { rate = 0.5, step = 0.25 }
verify = { tolerance = 1e-6 }

[signal.mode]
set = "MODE {}"
type = "text"
acknowledge = ["OK"]
settle = "20 ms"

[action.beep]
send = "BEEP"
wait = { query = "BUSY?", until = 0, every = "10 ms", timeout = "15 ms" }
"#;

/// Does something with the source while `transcript` is played; the outcome in words.
fn played(transcript: &str, does: impl FnOnce(&mut Instrument<Transcript>) -> Result<(), Failure<String>>) -> String {
    let driver = Driver::parse(SOURCE).expect("the driver of this test has no problem");
    let lines: Vec<String> = transcript
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    let mut instrument = Instrument::new(std::sync::Arc::new(driver), Transcript { lines, at: 0 });
    let outcome = does(&mut instrument).map_or_else(|failure| failure.to_string(), |()| "done".to_owned());
    let wire = instrument.wire();
    match wire.lines.get(wire.at) {
        Some(left) => format!("{outcome}; left: {left}"),
        None => outcome,
    }
}

#[test]
fn a_ramp_goes_step_by_step_and_is_verified_at_its_end() {
    let transcript = "
        > RANG1?
        < 1.0
        > LEV1?
        < 0.0
        . 500ms
        > LEV1 0.25
        . 500ms
        > LEV1 0.5
        > LEV1?
        < 0.5
        > ERR?
        < 0,\"No error\"";
    assert_eq!(
        played(transcript, |source| source.set("level", &Value::Float(0.5))),
        "done"
    );
}

#[test]
fn a_ramp_that_is_interrupted_stops_where_it_is() {
    let transcript = "
        > RANG1?
        < 1.0
        > LEV1?
        < 0.0
        . 500ms
        > LEV1 0.25
        ! stop";
    assert_eq!(
        played(transcript, |source| source.set("level", &Value::Float(1.0))),
        "interrupted"
    );
}

#[test]
fn what_is_refused_is_never_sent() {
    let check = |transcript: &str, signal: &str, value: Value, expected: &str| {
        assert_eq!(played(transcript, |source| source.set(signal, &value)), expected);
    };
    let limit = "> RANG1?\n< 1.0";
    check(
        limit,
        "level",
        Value::Float(1.5),
        "`level`: `1.5` is above its limit, at most `1.2`",
    );
    let level = "> LEV1?\n< 0.25";
    let text = |text: &str| Value::Text(text.to_owned());
    check(
        level,
        "output",
        text("on"),
        "`output` can only be set while `level` is `0`; it is `0.25`",
    );
    check(
        "> LEV1?\n< 0",
        "output",
        text("of"),
        "`output`: `of` is not one of `off`, `on`",
    );
    check("", "levle", Value::Int(1), "the driver has no signal `levle`");
}

#[test]
fn what_the_instrument_did_not_take_is_said() {
    let check = |transcript: &str, signal: &str, value: Value, expected: &str| {
        assert_eq!(played(transcript, |source| source.set(signal, &value)), expected);
    };
    let ramp = "> RANG1?\n< 1.0\n> LEV1?\n< 0\n. 200ms\n> LEV1 0.1\n> LEV1?\n";
    let level = || Value::Float(0.1);
    check(
        &format!("{ramp}< 0.2"),
        "level",
        level(),
        "`level` was set to `0.1`, but the instrument says `0.2`",
    );
    check(
        &format!("{ramp}< OVER"),
        "level",
        level(),
        "`level`: expected a number, received \"OVER\"",
    );
    let complaint = "after `RANG1 3` the instrument says \"-222,Data out of range\"";
    check(
        "> RANG1 3\n> ERR?\n< -222,Data out of range",
        "range",
        Value::Int(3),
        complaint,
    );
    let mode = || Value::Text("fast".to_owned());
    check("> MODE fast\n< OK\n. 20ms\n> ERR?\n< 0", "mode", mode(), "done");
    check(
        "> MODE fast\n< ?",
        "mode",
        mode(),
        "`mode` was not taken: the answer is \"?\"",
    );
}

#[test]
fn another_channel_has_other_values() {
    let transcript = "> RANG1?\n< 1.0\n> RANG2?\n< 10.0";
    let outcome = played(transcript, |source| {
        source.get("range")?;
        source.give("ch", Value::Int(2))?;
        assert_eq!(source.get("range")?, Value::Float(10.0));
        source.give("ch", Value::Int(3))
    });
    assert_eq!(outcome, "`ch`: `3` is none of its values");
}

#[test]
fn the_safe_state_is_brought_about_as_far_as_possible() {
    let transcript = "
        > RANG1?
        < 1.0
        > LEV1?
        < 0.1
        . 200ms
        > LEV1 0
        > LEV1?
        < 0
        > ERR?
        < 0
        > BEEP
        > BUSY?
        < 1
        . 10ms
        > BUSY?
        < 1
        . 10ms
        > BUSY?
        < 1
        > LEV1?
        < 0
        > OUT1 0
        > ERR?
        < 0";
    let outcome = played(transcript, |source| {
        source.make_safe().into_iter().next().map_or(Ok(()), Err)
    });
    assert_eq!(outcome, "`beep` did not end in time: the last answer is \"1\"");
}
