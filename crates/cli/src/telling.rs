//! What is said of a run in lines that stay: its log, its states, its problems, and at the end what came of it.
//!
//! The plain output is these lines; the live display lets them scroll away above itself.

use std::{path::Path, time::Duration};

use protocol::{Level, Outcome};
use supervisor::{Report, RunEvent, What};

use crate::{
    quantity::{duration, time_of_day},
    terminal::{Paint, harmless},
};

/// The lines of an event that stays on the screen, each with its end; nothing for the others.
pub(crate) fn lines(event: &RunEvent, paint: Paint) -> Option<String> {
    let time = paint.faint(&time_of_day(event.time_us));
    let text = match &event.what {
        What::Log { level, target, message } => {
            let (level, words): (&str, fn(Paint, &str) -> String) = match level {
                Level::Debug => ("debug: ", Paint::faint),
                Level::Info => ("", |_, words| words.to_owned()),
                Level::Warning => ("warning: ", Paint::warning),
                Level::Error => ("error: ", Paint::error),
                // What a task writes to its standard error, which may be nothing bad at all.
                Level::Critical if target == "stderr" => ("stderr: ", Paint::warning),
                Level::Critical => ("critical: ", Paint::error),
            };
            let mut message = message.trim_end().lines();
            let mut text = words(
                paint,
                &format!("{level}{}", harmless(message.next().unwrap_or_default())),
            );
            for line in message {
                text.push_str("\n          ");
                text.push_str(&words(paint, &harmless(line)));
            }
            text
        }
        What::State(state) => paint.emphasis(state.name()),
        What::Run { .. }
        | What::Value { .. }
        | What::Progress { .. }
        | What::Problem { .. }
        | What::Finished { .. } => {
            return None;
        }
    };
    Some(format!("{time}  {text}\n"))
}

/// Letters of a value in the summary; the values themselves are where the measurement writes them.
const LONGEST_VALUE: usize = 160;

/// What came of a run. `values` are the lines of its monitor.
pub(crate) fn summary(
    name: &str,
    report: &Report,
    took: Duration,
    values: &[(String, String)],
    paint: Paint,
) -> String {
    let mut text = String::new();
    let width = values.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, words) in values {
        let words: Vec<&str> = words.split_whitespace().collect();
        let words: String = harmless(&words.join(" ")).chars().take(LONGEST_VALUE).collect();
        text.push_str(&format!(
            "  {}  {words}\n",
            paint.faint(&format!("{:width$}", harmless(name)))
        ));
    }
    let (words, preposition) = match report.outcome {
        Outcome::Completed => (paint.good("Completed"), "in"),
        Outcome::Failed => (paint.error("Failed"), "after"),
        Outcome::Interrupted => (paint.warning("Interrupted"), "after"),
        Outcome::Skipped => (paint.error("Skipped"), "after"),
    };
    let took = duration(took.as_secs_f64());
    text.push_str(&format!(
        "{}: {words} {preposition} {took}\n",
        paint.strong(&harmless(name))
    ));
    for (path, error) in &report.errors {
        text.push_str(&format!("  {}: ", paint.error(&harmless(path))));
        let mut lines = error.trim_end().lines();
        text.push_str(&harmless(lines.next().unwrap_or_default()));
        for line in lines {
            text.push_str("\n      ");
            text.push_str(&harmless(line));
        }
        text.push('\n');
    }
    let files = [
        ("record", &report.record),
        ("log", &report.log_file),
        ("measurement", &report.saved_file),
    ];
    for (what, path) in files {
        if let Some(path) = path {
            text.push_str(&written(what, path, paint));
        }
    }
    if let (Some(record), false) = (&report.record, report.outcome == Outcome::Completed) {
        let record = harmless(&record.display().to_string());
        text.push_str(&format!(
            "  {} measurand resume {record}\n",
            paint.faint("to go on:         ")
        ));
    }
    text
}

/// `wrote log          data/rabi_001-main2026-11-22_0.log`
pub(crate) fn written(what: &str, path: &Path, paint: Paint) -> String {
    format!(
        "  {} {}\n",
        paint.faint(&format!("wrote {what:12}")),
        harmless(&path.display().to_string())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(what: What, expected: Option<&str>) {
        let event = RunEvent {
            seq: 1,
            time_us: 0,
            what,
        };
        let text = lines(&event, Paint::Plain);
        // The hour depends on where the test runs.
        assert_eq!(text.as_deref().map(|text| &text[8..]), expected);
    }

    #[test]
    fn log_lines_say_their_level_only_when_it_matters_and_keep_their_lines_together() {
        let log = |level, target: &str, message: &str| What::Log {
            level,
            target: target.to_owned(),
            message: message.to_owned(),
        };
        check(log(Level::Info, "root/log", "T = 4 K"), Some("  T = 4 K\n"));
        check(
            log(Level::Error, "root/log", "it failed:\n  why\n"),
            Some("  error: it failed:\n            why\n"),
        );
        check(
            log(Level::Critical, "stderr", "a\x1b[2Jb"),
            Some("  stderr: a\u{fffd}[2Jb\n"),
        );
        check(
            What::Progress {
                task: "root/l".to_owned(),
                index: 1,
                total: None,
            },
            None,
        );
    }
}
