//! Numbers as people read them: counts with their noun, durations, times of day.

use std::time::Duration;

/// `1 task`, `12 tasks`, `1 234 entries`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    let plural = match noun.strip_suffix('y') {
        _ if number == 1 => noun.to_owned(),
        Some(stem) => format!("{stem}ies"),
        None => format!("{noun}s"),
    };
    format!("{} {plural}", grouped(number as f64))
}

/// Whole numbers in groups of three: `12 345`; beyond 10¹⁵ in powers of ten.
pub(crate) fn grouped(number: f64) -> String {
    if !number.is_finite() || number.abs() >= 1e15 {
        return format!("{number:.1e}");
    }
    let digits = format!("{number:.0}");
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// A time as long as a measurement may take: `0.35 s`, `12 s`, `2 min 05 s`, `3 h 20 min`, `4 d 02 h`.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds > 3e10 {
        return "longer than anybody waits".to_owned();
    }
    if seconds < 0.001 && seconds > 0.0 {
        return "less than 1 ms".to_owned();
    }
    if seconds < 0.9995 {
        return format!("{:.0} ms", seconds * 1000.0);
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        3600..86400 => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {:02} h", whole / 86400, whole % 86400 / 3600),
    }
}

/// A clock that counts up: `0:05`, `12:34`, `3:12:34`.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// The local time of day of a moment given in microseconds since 1970: `10:00:00`.
pub(crate) fn time_of_day(time_us: i64) -> String {
    match jiff::Timestamp::from_microsecond(time_us) {
        Ok(moment) => moment
            .to_zoned(jiff::tz::TimeZone::system())
            .strftime("%H:%M:%S")
            .to_string(),
        Err(_) => "--:--:--".to_owned(),
    }
}

/// The local day and time of a moment given in microseconds since 1970: `2026-11-22 10:00:00`.
pub(crate) fn local_time(time_us: i64) -> String {
    match jiff::Timestamp::from_microsecond(time_us) {
        Ok(moment) => moment
            .to_zoned(jiff::tz::TimeZone::system())
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string(),
        Err(_) => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_durations_read_as_people_write_them() {
        assert_eq!(counted(1, "entry"), "1 entry");
        assert_eq!(counted(1234, "entry"), "1 234 entries");
        assert_eq!(counted(0, "task"), "0 tasks");
        assert_eq!(grouped(-123_456.0), "-123 456");
        assert_eq!(grouped(1e20), "1.0e20");
        for (seconds, words) in [
            (0.0, "0 ms"),
            (0.000_2, "less than 1 ms"),
            (0.35, "350 ms"),
            (0.9999, "1.0 s"),
            (12.4, "12 s"),
            (59.7, "1 min 00 s"),
            (125.0, "2 min 05 s"),
            (12_000.0, "3 h 20 min"),
            (352_800.0, "4 d 02 h"),
            (f64::INFINITY, "longer than anybody waits"),
        ] {
            assert_eq!(duration(seconds), words, "{seconds}");
        }
        assert_eq!(clock(Duration::from_secs(11_554)), "3:12:34");
    }
}
