//! A line of a run's log file, as Exopy writes it: `2026-11-22 10:00:00,123 | INFO | text`, local time.
//!
//! Both processes write to that file: the child what tasks say, the parent what the child printed, even its last words.

use std::cell::RefCell;

use jiff::{Timestamp, tz::TimeZone};

use crate::Level;

/// Local time split for log files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Second {
    unix: i64,
    /// `2026-11-22 10:00:00`
    text: [u8; 19],
}

thread_local! {
    // Many records fall into one second: its text is made once.
    static LAST: RefCell<Option<Second>> = const { RefCell::new(None) };
}

/// Appends a record, with its end of line. `time_us` counts microseconds since 1970-01-01 UTC.
pub fn log_line(out: &mut Vec<u8>, time_us: i64, level: Level, message: &str) {
    out.extend_from_slice(&second(time_us.div_euclid(1_000_000)));
    let millis = time_us.rem_euclid(1_000_000) / 1000;
    let digit = |n: i64| b'0' + (n % 10) as u8;
    out.extend_from_slice(&[b',', digit(millis / 100), digit(millis / 10), digit(millis)]);
    out.extend_from_slice(b" | ");
    out.extend_from_slice(level.name().as_bytes());
    out.extend_from_slice(b" | ");
    out.extend_from_slice(message.as_bytes());
    out.push(b'\n');
}

/// The local day that log files are named after, `2026-11-22`.
pub fn log_day(time_us: i64) -> String {
    String::from_utf8_lossy(&second(time_us.div_euclid(1_000_000))[..10]).into_owned()
}

fn second(unix: i64) -> [u8; 19] {
    LAST.with_borrow_mut(|last| match last {
        Some(last) if last.unix == unix => last.text,
        _ => {
            let text = spell(unix);
            *last = Some(Second { unix, text });
            text
        }
    })
}

fn spell(unix: i64) -> [u8; 19] {
    let local = Timestamp::from_second(unix)
        .unwrap_or_default()
        .to_zoned(TimeZone::system());
    let text = local.strftime("%Y-%m-%d %H:%M:%S").to_string();
    // A year beyond 9999 would be longer; a clock that wrong may show any time.
    text.as_bytes()
        .first_chunk()
        .copied()
        .unwrap_or(*b"0000-00-00 00:00:00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_as_in_exopy() {
        let mut line = Vec::new();
        log_line(&mut line, 1_656_693_868_906_000, Level::Info, "Check successful");
        let line = String::from_utf8(line).expect("text");
        // The hour depends on where the test runs.
        assert!(line.starts_with("2022-0"), "{line}");
        assert!(line.ends_with(":28,906 | INFO | Check successful\n"), "{line}");
        assert_eq!(log_day(1_656_693_868_906_000).len(), 10);
    }
}
