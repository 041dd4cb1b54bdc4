//! A driver as users read it: how it is reached, what can be set and read, within which limits.
//!
//! The text is made of the same data that performs the driver, so it cannot say anything else. Deliberately absent: colours
//! and widths of screens, which are the command line's.

use std::fmt::Write;

use super::domain::{Bound, Bounds, Domain};
use super::signal::{Element, Shape, Signal, Tolerance};
use super::value::Value;
use super::{Connection, Driver, Step};

impl Driver {
    /// The documentation: a head, then a table each of arguments, signals and actions.
    pub fn document(&self) -> String {
        let mut text = format!("{}\n    {}\n", self.id, self.title);
        let mut say = |line: &str| {
            if !line.is_empty() {
                text.push_str(&format!("    {line}\n"));
            }
        };
        say(&self.doc);
        let listed = |what: &str, items: &[String]| match items {
            [] => String::new(),
            _ => format!("{what} {}", items.join(", ")),
        };
        say(&listed("also", &self.aliases));
        let connections: Vec<String> = self.link.connections.iter().map(connection).collect();
        say(&listed("reached by", &connections));
        say(&listed("at first", &quoted(&self.link.open)));
        let initial: Vec<String> = self.initial.iter().map(step).collect();
        say(&listed("then", &initial));
        let safe: Vec<String> = self.safe.iter().map(step).collect();
        say(&listed("safe:", &safe));
        if !self.source.is_empty() {
            say(&format!("from {}", self.source));
        }
        let arguments = self.arguments.iter().map(|argument| {
            let default = argument.default.as_ref().map(|value| format!("`{value}` unless given"));
            let choices = (!argument.choices.is_empty()).then(|| values(&argument.choices));
            (
                argument.name.clone(),
                parts([default, choices, Some(argument.doc.clone())]),
            )
        });
        table(&mut text, "arguments", arguments.collect());
        table(&mut text, "signals", self.signals.iter().map(row).collect());
        let actions = self
            .actions
            .iter()
            .map(|action| (action.name.clone(), action.doc.clone()));
        table(&mut text, "actions", actions.collect());
        text
    }
}

fn table(text: &mut String, title: &str, rows: Vec<(String, String)>) {
    if rows.is_empty() {
        return;
    }
    text.push_str(&format!("  {title}\n"));
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, says) in rows {
        let line = format!("    {name:width$}  {says}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

fn row(signal: &Signal) -> (String, String) {
    let way = match (signal.can_set(), signal.can_get()) {
        (true, true) => "set, read",
        (true, false) => "set",
        (false, _) => "read",
    };
    let kind = match (signal.kind.element, signal.kind.shape) {
        (Element::Float, Shape::Scalar) => None,
        (Element::Int, Shape::Scalar) => Some("integer"),
        (Element::Bool, Shape::Scalar) => Some("true or false"),
        (Element::Text, Shape::Scalar) => Some("text"),
        (Element::FloatOrText, Shape::Scalar) => Some("number or text"),
        (_, Shape::List) => Some("list"),
    };
    let fields = signal.answer.fields.iter().map(|field| match &field.unit {
        Some(unit) => format!("{} [{unit}]", field.name),
        None => field.name.clone(),
    });
    let fields: Vec<String> = fields.collect();
    let requires = signal
        .requires
        .iter()
        .map(|(other, value)| format!("while {other} is `{value}`"));
    let verify = signal.verify.map(|tolerance| match tolerance {
        Tolerance::Absolute(0.0) => "read back".to_owned(),
        Tolerance::Absolute(most) => format!("read back within {most:e}"),
        Tolerance::Relative(most) => format!("read back within {most:e} of it"),
    });
    let says = parts([
        Some(way.to_owned()),
        signal.unit.clone().map(|unit| format!("[{unit}]")),
        kind.map(str::to_owned),
        (!fields.is_empty()).then(|| fields.join(", ")),
        domain(&signal.domain),
        Some(requires.collect::<Vec<_>>().join(", ")),
        signal
            .ramp
            .map(|ramp| format!("ramped by {} per second", Value::Float(ramp.rate))),
        verify,
        Some(signal.doc.clone()),
    ]);
    (signal.name.clone(), says)
}

fn domain(domain: &Domain) -> Option<String> {
    match domain {
        Domain::Any => None,
        Domain::Choices { values: choices, .. } | Domain::Index { values: choices, .. } => Some(values(choices)),
        Domain::Map { pairs, .. } => {
            let choices: Vec<Value> = pairs.iter().map(|(value, _)| value.clone()).collect();
            Some(values(&choices))
        }
        Domain::Range { bounds, words, .. } => {
            let limits = limits(bounds);
            let words = (!words.is_empty()).then(|| format!("or {}", values(words)));
            Some(parts([(!limits.is_empty()).then_some(limits), words]))
        }
    }
}

fn limits(bounds: &Bounds) -> String {
    let mut text = String::new();
    let named = [
        ("at least", &bounds.min),
        ("at most", &bounds.max),
        ("in size at most", &bounds.max_abs),
    ];
    for (words, bound) in named {
        let Some(bound) = bound else { continue };
        if !text.is_empty() {
            text.push_str(", ");
        }
        let limit = match bound {
            Bound::Fixed(value) => value.to_string(),
            Bound::Times { signal, times } => format!("{} × {signal}", Value::Float(*times)),
            Bound::Cases { signal, cases } => {
                let cases: Vec<String> = cases
                    .iter()
                    .map(|(value, limit)| format!("{} at `{value}`", Value::Float(*limit)))
                    .collect();
                format!("{} of {signal}", cases.join(" or "))
            }
        };
        write!(text, "{words} {limit}").ok(); // A string has room.
    }
    text
}

fn connection(connection: &Connection) -> String {
    match connection {
        Connection::Gpib => "GPIB".to_owned(),
        Connection::Usb => "USB".to_owned(),
        Connection::Vxi11 => "VXI-11".to_owned(),
        Connection::Hislip => "HiSLIP".to_owned(),
        Connection::Socket { port: Some(port) } => format!("socket (port {port})"),
        Connection::Socket { port: None } => "socket".to_owned(),
        Connection::Serial { baud: Some(baud) } => format!("serial line ({baud} baud)"),
        Connection::Serial { baud: None } => "serial line".to_owned(),
    }
}

fn step(step: &Step) -> String {
    match step {
        Step::Set { signal, value } => format!("{signal} to `{value}`"),
        Step::Act { action } => action.clone(),
    }
}

fn values(values: &[Value]) -> String {
    quoted(values).join(" ")
}

fn quoted<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(|item| format!("`{}`", item.to_string())).collect()
}

fn parts<const N: usize>(parts: [Option<String>; N]) -> String {
    let said: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    said.join("; ")
}

#[cfg(test)]
mod tests {
    use crate::driver::library;

    #[test]
    fn a_driver_says_what_it_can() {
        let driver = library::find("exopy_hqc_legacy.Legacy.YokogawaGS200").expect("it comes with the library");
        let expected = "\
yokogawa.gs200
    Yokogawa GS200 DC voltage and current source
    It has no safe state: a source that jumps to zero destroys what hangs on it. A level that is read is the one that is set.
    also exopy_hqc_legacy.Legacy.YokogawaGS200
    reached by GPIB, USB, VXI-11
    at first `*CLS`
    from the commands of Exopy's driver `YokogawaGS200`
  signals
    voltage        set, read; [V]; read back within 1e-9; level of the source while its function is VOLT
    current        set, read; [A]; read back within 1e-6; level of the source while its function is CURR
    voltage_range  set, read; `10 mV` `100 mV` `1 V` `10 V` `30 V`; read back; full scale while the function is VOLT
    current_range  set, read; `1 mA` `10 mA` `100 mA` `200 mA`; read back; full scale while the function is CURR
    function       set, read; text; `VOLT` `CURR`; while voltage is `0`, while output is `OFF`; read back; what is sourced
    output         set, read; `ON` `OFF`; while voltage is `0`; read back
";
        assert_eq!(driver.document(), expected);
    }
}
