//! What happened in a run, as viewers learn it: numbered, appended, replayable.
//!
//! The JSON of an event is a format that others read (`--events`): it is written by hand, because a lossless run says
//! more than a million of them a second, and a golden test below holds it. Updates that only a display needs (where the
//! run is, which files it writes) have no number and are not part of that format.

use std::{cell::RefCell, fmt::Write, path::PathBuf, sync::Arc};

use measurement::Severity;
use protocol::{Doing, Level, Outcome, Value};

/// One thing that happened, with its number from 1 in its run.
#[derive(Clone, Debug)]
pub struct RunEvent {
    pub seq: u64,
    /// Microseconds since 1970-01-01 UTC.
    pub time_us: i64,
    pub what: What,
}

/// What can happen in a run.
#[derive(Clone, Debug)]
pub enum What {
    /// The first event of every run. `pid` is the process that supervises it.
    Run {
        name: String,
        id: String,
        file: String,
        default_path: String,
        version: String,
        pid: u32,
    },
    State(RunState),
    Log {
        level: Level,
        target: String,
        message: String,
    },
    Value {
        entry: Arc<str>,
        value: Value,
    },
    /// Iteration `index` of a running loop, of `total` if anybody knows.
    Progress {
        task: String,
        index: u64,
        total: Option<u64>,
    },
    Problem {
        severity: Severity,
        path: String,
        message: String,
        /// Line of the measurement's file, from 1.
        line: Option<usize>,
    },
    /// The last event of every run; errors are keyed by task path, `unhandled`, `engine` or the hook.
    Finished {
        outcome: Outcome,
        errors: Vec<(String, String)>,
    },
}

/// Where the files of a run are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFiles {
    pub log_file: PathBuf,
    /// The copy of the measurement.
    pub saved_file: PathBuf,
    /// The record, if one is kept.
    pub record: Option<PathBuf>,
}

/// What viewers get. Only [`Update::Event`] is part of the record of a run.
#[derive(Clone, Debug)]
pub enum Update {
    Event(RunEvent),
    /// The first task may start: all entries, and the observed values before anything ran, by position in `entries`.
    Started {
        entries: Arc<[Arc<str>]>,
        values: Vec<(u32, Value)>,
        files: RunFiles,
    },
    /// A thread of the run has been at the same task for a while.
    At {
        task: String,
        doing: Doing,
        millis: u64,
    },
    /// The log goes on in another file.
    LogFile(PathBuf),
}

/// States of a run before its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    Ready,
    Running,
    Pausing,
    Paused,
    Resuming,
    Stopping,
}

impl RunState {
    pub fn name(self) -> &'static str {
        match self {
            RunState::Ready => "Ready",
            RunState::Running => "Running",
            RunState::Pausing => "Pausing",
            RunState::Paused => "Paused",
            RunState::Resuming => "Resuming",
            RunState::Stopping => "Stopping",
        }
    }
}

/// States of the engine: those of its run, and those between runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineState {
    /// There is no child.
    Stopped,
    /// The child waits for a measurement.
    Waiting,
    Running,
    Pausing,
    Paused,
    Resuming,
    Stopping,
    ShuttingDown,
}

impl EngineState {
    /// In the order of their numbers.
    pub(crate) const ALL: [EngineState; 8] = [
        EngineState::Stopped,
        EngineState::Waiting,
        EngineState::Running,
        EngineState::Pausing,
        EngineState::Paused,
        EngineState::Resuming,
        EngineState::Stopping,
        EngineState::ShuttingDown,
    ];

    pub fn name(self) -> &'static str {
        match self {
            EngineState::Stopped => "Stopped",
            EngineState::Waiting => "Waiting",
            EngineState::Running => "Running",
            EngineState::Pausing => "Pausing",
            EngineState::Paused => "Paused",
            EngineState::Resuming => "Resuming",
            EngineState::Stopping => "Stopping",
            EngineState::ShuttingDown => "ShuttingDown",
        }
    }
}

impl From<RunState> for EngineState {
    fn from(state: RunState) -> Self {
        match state {
            // Preparing a run, its hooks included, is work of the engine.
            RunState::Ready | RunState::Running => EngineState::Running,
            RunState::Pausing => EngineState::Pausing,
            RunState::Paused => EngineState::Paused,
            RunState::Resuming => EngineState::Resuming,
            RunState::Stopping => EngineState::Stopping,
        }
    }
}

impl RunEvent {
    /// Appends the event as one JSON object, without an end of line.
    pub fn write_json(&self, out: &mut String) {
        out.push_str("{\"seq\":");
        write_unsigned(out, self.seq);
        out.push_str(",\"time\":\"");
        write_time(out, self.time_us);
        out.push_str("\",\"type\":\"");
        match &self.what {
            What::Run {
                name,
                id,
                file,
                default_path,
                version,
                pid,
            } => {
                out.push_str("run\"");
                for (key, text) in [
                    ("name", name),
                    ("id", id),
                    ("file", file),
                    ("default_path", default_path),
                    ("version", version),
                ] {
                    field(out, key);
                    write_text(out, text);
                }
                field(out, "pid");
                write_unsigned(out, u64::from(*pid));
            }
            What::State(state) => {
                out.push_str("state\",\"state\":\"");
                out.push_str(state.name());
                out.push('"');
            }
            What::Log { level, target, message } => {
                out.push_str("log\",\"level\":\"");
                out.push_str(level.name());
                out.push_str("\",\"target\":");
                write_text(out, target);
                out.push_str(",\"message\":");
                write_text(out, message);
            }
            What::Value { entry, value } => {
                out.push_str("value\",\"entry\":");
                write_text(out, entry);
                out.push_str(",\"value\":");
                value.write_json(out);
            }
            What::Progress { task, index, total } => {
                out.push_str("progress\",\"task\":");
                write_text(out, task);
                out.push_str(",\"index\":");
                write_unsigned(out, *index);
                out.push_str(",\"total\":");
                write_count(out, *total);
            }
            What::Problem {
                severity,
                path,
                message,
                line,
            } => {
                out.push_str("problem\",\"severity\":");
                out.push_str(match severity {
                    Severity::Error => "\"error\"",
                    Severity::Warning => "\"warning\"",
                });
                out.push_str(",\"path\":");
                write_text(out, path);
                out.push_str(",\"message\":");
                write_text(out, message);
                out.push_str(",\"line\":");
                write_count(out, line.map(|line| line as u64));
            }
            What::Finished { outcome, errors } => {
                out.push_str("finished\",\"outcome\":\"");
                out.push_str(outcome.name());
                out.push_str("\",\"errors\":{");
                for (i, (path, text)) in errors.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write_text(out, path);
                    out.push(':');
                    write_text(out, text);
                }
                out.push('}');
            }
        }
        out.push('}');
    }
}

fn field(out: &mut String, key: &str) {
    out.push_str(",\"");
    out.push_str(key);
    out.push_str("\":");
}

fn write_count(out: &mut String, count: Option<u64>) {
    match count {
        Some(count) => write_unsigned(out, count),
        None => out.push_str("null"),
    }
}

fn write_unsigned(out: &mut String, number: u64) {
    write!(out, "{number}").expect("a String takes everything");
}

/// A JSON string; stretches that need no escape are copied whole.
fn write_text(out: &mut String, text: &str) {
    out.push('"');
    let mut copied = 0;
    for (i, byte) in text.bytes().enumerate() {
        // Only ASCII is escaped, so `i` is always the beginning of a character.
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[copied..i]);
        copied = i + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ => write!(out, "\\u{byte:04x}").expect("a String takes everything"),
        }
    }
    out.push_str(&text[copied..]);
    out.push('"');
}

thread_local! {
    // Thousands of events fall into one second: its text, up to the dot, is made once.
    static SECOND: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
}

/// `2026-11-22T10:00:00.123456Z`.
fn write_time(out: &mut String, time_us: i64) {
    let second = time_us.div_euclid(1_000_000);
    SECOND.with_borrow_mut(|(last, text)| {
        if *last != second {
            *last = second;
            text.clear();
            let (year, month, day) = civil(second.div_euclid(86_400));
            let of_day = second.rem_euclid(86_400);
            let (hour, minute) = (of_day / 3600, of_day / 60 % 60);
            write!(
                text,
                "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}.",
                of_day % 60
            )
            .expect("a String takes everything");
        }
        out.push_str(text);
    });
    let micros = time_us.rem_euclid(1_000_000);
    for unit in [100_000, 10_000, 1000, 100, 10, 1] {
        out.push(char::from(b'0' + (micros / unit % 10) as u8));
    }
    out.push('Z');
}

/// Year, month and day of a day counted from 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    // Eras of 400 years that begin on the first of March: the leap day is the last day of its year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22T10:00:00.123456Z.
    const TIME: i64 = 1_795_341_600_123_456;

    #[test]
    fn every_kind_of_event_has_its_json() {
        let cases = [
            (
                What::Run {
                    name: "Rabi".into(),
                    id: "001".into(),
                    file: "a \"b\".meas.ini".into(),
                    default_path: "/data".into(),
                    version: "0.1.0".into(),
                    pid: 7,
                },
                r#""run","name":"Rabi","id":"001","file":"a \"b\".meas.ini","default_path":"/data","version":"0.1.0","pid":7}"#,
            ),
            (What::State(RunState::Running), r#""state","state":"Running"}"#),
            (
                What::Log {
                    level: Level::Info,
                    target: "root/log".into(),
                    message: "T = 4\tK\n\\ é \u{1}".into(),
                },
                r#""log","level":"INFO","target":"root/log","message":"T = 4\tK\n\\ é \u0001"}"#,
            ),
            (
                What::Value {
                    entry: "root/loop_value".into(),
                    value: Value::Int(3),
                },
                r#""value","entry":"root/loop_value","value":3}"#,
            ),
            (
                What::Progress {
                    task: "root/loop".into(),
                    index: 3,
                    total: Some(10),
                },
                r#""progress","task":"root/loop","index":3,"total":10}"#,
            ),
            (
                What::Progress {
                    task: "root/while".into(),
                    index: 3,
                    total: None,
                },
                r#""progress","task":"root/while","index":3,"total":null}"#,
            ),
            (
                What::Problem {
                    severity: Severity::Warning,
                    path: "root/loop".into(),
                    message: "misses `stop`".into(),
                    line: Some(12),
                },
                r#""problem","severity":"warning","path":"root/loop","message":"misses `stop`","line":12}"#,
            ),
            (
                What::Finished {
                    outcome: Outcome::Failed,
                    errors: vec![("engine".into(), "killed".into()), ("unhandled".into(), "oh".into())],
                },
                r#""finished","outcome":"Failed","errors":{"engine":"killed","unhandled":"oh"}}"#,
            ),
        ];
        for (i, (what, expected)) in cases.into_iter().enumerate() {
            let mut json = String::new();
            RunEvent {
                seq: i as u64 + 1,
                time_us: TIME,
                what,
            }
            .write_json(&mut json);
            let head = format!(r#"{{"seq":{},"time":"2026-11-22T10:00:00.123456Z","type":"#, i + 1);
            assert_eq!(json, head + expected);
            serde_json::from_str::<serde_json::Value>(&json).expect("it is JSON");
        }
    }

    #[test]
    fn times_of_any_year_are_spelled() {
        for (time_us, expected) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (951_782_400_000_001, "2000-02-29T00:00:00.000001Z"),
            (4_107_542_399_000_000, "2100-02-28T23:59:59.000000Z"),
        ] {
            let mut text = String::new();
            write_time(&mut text, time_us);
            assert_eq!(text, expected);
        }
    }
}
