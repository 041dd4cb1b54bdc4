//! Driver file → [`Driver`], with every problem that the text has.
//!
//! Two passes: what each table says, then what the tables say of each other (names in commands, limits that depend on
//! signals, values of the safe state, examples). Deliberately absent: defaults for commands; what a file does not say, the
//! driver does not do.

use std::ops::Range;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::problem::nearest;
use super::section::{Item, Problems, Section, kind, value};
use super::signal::Signal;
use super::value::Value;
use super::{Action, Argument, AskErrors, Connection, Driver, ErrorQuery, Link, Names, Problem, Step, Wait};

mod signal;

/// Names of signals and where they stand, for the second pass.
type Places = Vec<Range<usize>>;

pub(super) fn driver(text: &str) -> Result<Driver, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut problems = Problems::default();
    for error in errors {
        problems.add(error.span().unwrap_or(0..0), error.message().trim());
    }
    if !problems.0.is_empty() {
        return Err(problems.0);
    }
    let root = Section::new(table.get_ref(), "the driver", 0..0);
    let known = [
        "id", "aliases", "title", "doc", "source", "link", "argument", "signal", "action", "initial", "safe",
    ];
    root.knows(&known, &mut problems);
    let mut required = |key: &str| {
        let text = root.text(key, &mut problems);
        if root.item(key).is_none() {
            problems.add(0..0, format!("the driver needs `{key}`"));
        }
        text.unwrap_or_default()
    };
    let (id, title) = (required("id"), required("title"));
    let doc = root.text("doc", &mut problems).unwrap_or_default();
    let source = root.text("source", &mut problems).unwrap_or_default();
    let (link, prefix) = link(&root, &mut problems);
    let arguments = each(&root, "argument", &mut problems, argument);
    let (signals, places) = {
        let mut places = Places::new();
        let signals = each(&root, "signal", &mut problems, |name, section, problems| {
            places.push(section.place.clone());
            signal::signal(name, section, &prefix, problems)
        });
        (signals, places)
    };
    let actions = each(&root, "action", &mut problems, |name, section, problems| {
        action(name, section, &prefix, problems)
    });
    let mut driver = Driver {
        id,
        aliases: root.texts("aliases", &mut problems).unwrap_or_default(),
        title,
        doc,
        source,
        link,
        arguments,
        signals,
        actions,
        initial: Vec::new(),
        safe: Vec::new(),
    };
    relate(&driver, &places, &mut problems);
    driver.initial = steps(&root, "initial", &driver, &mut problems);
    driver.safe = steps(&root, "safe", &driver, &mut problems);
    if problems.0.is_empty() {
        return Ok(driver);
    }
    problems.0.sort_by_key(|problem| problem.place.start);
    Err(problems.0)
}

/// All tables `[key.name]`, in the order of the file.
fn each<'a, T>(
    root: &Section<'a>,
    key: &str,
    problems: &mut Problems,
    mut read: impl FnMut(&str, &Section<'a>, &mut Problems) -> T,
) -> Vec<T> {
    let Some(tables) = root.item(key).and_then(|item| Section::of(item, key, problems)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (name, place, item) in tables.entries() {
        if !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            problems.add(place, format!("`{name}` is not a name: letters, digits and `_` are"));
        }
        if let Some(section) = Section::of(item, name, problems) {
            found.push(read(name, &section, problems));
        }
    }
    found
}

fn link(root: &Section<'_>, problems: &mut Problems) -> (Link, String) {
    let mut link = Link {
        connections: Vec::new(),
        read_end: "\n".to_owned(),
        write_end: "\n".to_owned(),
        timeout: Duration::from_secs(2),
        gap: Duration::ZERO,
        open: Vec::new(),
        close: Vec::new(),
        idn: Vec::new(),
        error: None,
    };
    let Some(section) = root.item("link").and_then(|item| Section::of(item, "link", problems)) else {
        return (link, String::new());
    };
    let known = [
        "gpib",
        "usb",
        "vxi11",
        "hislip",
        "socket",
        "serial",
        "end",
        "read_end",
        "write_end",
        "timeout",
        "gap",
        "open",
        "close",
        "idn",
        "error",
        "prefix",
    ];
    section.knows(&known, problems);
    link.connections = connections(&section, problems);
    let end = section.text("end", problems);
    let ends = |key: &str, otherwise: String, problems: &mut Problems| {
        section.text(key, problems).or_else(|| end.clone()).unwrap_or(otherwise)
    };
    link.read_end = ends("read_end", link.read_end, problems);
    link.write_end = ends("write_end", link.write_end, problems);
    link.timeout = section.duration("timeout", problems).unwrap_or(link.timeout);
    link.gap = section.duration("gap", problems).unwrap_or(link.gap);
    link.open = section.texts("open", problems).unwrap_or_default();
    link.close = section.texts("close", problems).unwrap_or_default();
    link.idn = section.texts("idn", problems).unwrap_or_default();
    link.error = section
        .item("error")
        .and_then(|item| Section::of(item, "error", problems))
        .and_then(|section| error_query(&section, problems));
    (link, section.text("prefix", problems).unwrap_or_default())
}

fn connections(link: &Section<'_>, problems: &mut Problems) -> Vec<Connection> {
    let mut found = Vec::new();
    for (name, _, item) in link.entries() {
        let option = match name {
            "gpib" | "usb" | "vxi11" | "hislip" => None,
            "socket" => Some("port"),
            "serial" => Some("baud"),
            _ => continue,
        };
        let Some(section) = Section::of(item, name, problems) else {
            continue;
        };
        let known: &[&str] = option.as_slice();
        section.knows(known, problems);
        found.push(match name {
            "gpib" => Connection::Gpib,
            "usb" => Connection::Usb,
            "vxi11" => Connection::Vxi11,
            "hislip" => Connection::Hislip,
            "socket" => {
                let port = section.integer("port", 1..=65535, problems);
                Connection::Socket {
                    port: port.and_then(|port| u16::try_from(port).ok()),
                }
            }
            _ => {
                let baud = section.integer("baud", 1..=i64::from(u32::MAX), problems);
                Connection::Serial {
                    baud: baud.and_then(|baud| u32::try_from(baud).ok()),
                }
            }
        });
    }
    found
}

fn error_query(section: &Section<'_>, problems: &mut Problems) -> Option<ErrorQuery> {
    section.knows(&["query", "ok", "when"], problems);
    let words = [
        ("never", AskErrors::Never),
        ("set", AskErrors::AfterSet),
        ("always", AskErrors::Always),
    ];
    let query = section.text("query", problems);
    if query.is_none() {
        problems.add(section.place.clone(), "`error` needs `query`");
    }
    Some(ErrorQuery {
        query: query?,
        ok: section
            .item("ok")
            .and_then(|item| value(item, problems))
            .unwrap_or(Value::Int(0)),
        when: section.word("when", &words, problems).unwrap_or(AskErrors::AfterSet),
    })
}

fn argument(name: &str, section: &Section<'_>, problems: &mut Problems) -> Argument {
    section.knows(&["doc", "default", "choices"], problems);
    Argument {
        name: name.to_owned(),
        doc: section.text("doc", problems).unwrap_or_default(),
        default: section.item("default").and_then(|item| value(item, problems)),
        choices: section.values("choices", problems).unwrap_or_default(),
    }
}

fn action(name: &str, section: &Section<'_>, prefix: &str, problems: &mut Problems) -> Action {
    section.knows(&["doc", "send", "wait"], problems);
    if section.item("send").is_none() {
        problems.add(section.place.clone(), format!("the action `{name}` needs `send`"));
    }
    let send = section.templates("send", prefix, problems).unwrap_or_default();
    if send.iter().any(|template| template.places() > 0) {
        problems.add(
            section.place_of("send"),
            format!("the action `{name}` has no value: name what stands there"),
        );
    }
    Action {
        name: name.to_owned(),
        doc: section.text("doc", problems).unwrap_or_default(),
        send,
        wait: section
            .item("wait")
            .and_then(|item| Section::of(item, "wait", problems))
            .and_then(|section| wait(&section, problems)),
    }
}

fn wait(section: &Section<'_>, problems: &mut Problems) -> Option<Wait> {
    section.knows(&["query", "until", "every", "timeout"], problems);
    let query = section.text("query", problems);
    let until = section.item("until").and_then(|item| value(item, problems));
    if query.is_none() || until.is_none() {
        problems.add(section.place.clone(), "`wait` needs `query` and `until`");
    }
    Some(Wait {
        query: query?,
        until: until?,
        every: section.duration("every", problems).unwrap_or(Duration::from_millis(50)),
        timeout: section.duration("timeout", problems).unwrap_or(Duration::from_secs(10)),
    })
}

/// `safe = [{ set = "output", to = "off" }, { act = "abort" }]`
fn steps(root: &Section<'_>, key: &str, driver: &Driver, problems: &mut Problems) -> Vec<Step> {
    let mut steps = Vec::new();
    for item in root.items(key).unwrap_or_default() {
        let Some(section) = Section::of(item, key, problems) else {
            continue;
        };
        section.knows(&["set", "to", "act"], problems);
        let to = section.item("to").and_then(|item| value(item, problems));
        match (section.text("set", problems), to, section.text("act", problems)) {
            (Some(signal), Some(value), None) => {
                match driver.signal(&signal) {
                    Some(found) => check_step(found, &value, &section, problems),
                    None => {
                        let names = driver.signals.iter().map(|signal| signal.name.as_str());
                        unknown(section.place_of("set"), "signal", &signal, names, problems);
                    }
                }
                steps.push(Step::Set { signal, value });
            }
            (None, None, Some(action)) => {
                if driver.action(&action).is_none() {
                    let names = driver.actions.iter().map(|action| action.name.as_str());
                    unknown(section.place_of("act"), "action", &action, names, problems);
                }
                steps.push(Step::Act { action });
            }
            _ => problems.add(
                item.span(),
                format!("a step of `{key}` is `{{ set = …, to = … }}` or `{{ act = … }}`"),
            ),
        }
    }
    steps
}

/// A value that depends on the state cannot be judged here; all others can.
fn check_step(signal: &Signal, value: &Value, section: &Section<'_>, problems: &mut Problems) {
    if signal.set_needs().next().is_some() {
        return;
    }
    if let Err(refusal) = signal.commands(value, &Names::new()) {
        problems.add(section.place_of("to"), refusal.to_string());
    }
}

/// Every name in a command, a limit or a condition is a signal or an argument.
fn relate(driver: &Driver, places: &[Range<usize>], problems: &mut Problems) {
    let known: Vec<&str> = driver
        .signals
        .iter()
        .map(|signal| signal.name.as_str())
        .chain(driver.arguments.iter().map(|argument| argument.name.as_str()))
        .collect();
    for (signal, place) in driver.signals.iter().zip(places) {
        let conditions = signal.requires.iter().map(|(name, _)| name.as_str());
        let needs = signal.query_needs().chain(signal.set_needs()).chain(conditions);
        for name in needs.filter(|name| !known.contains(name)) {
            unknown(
                place.clone(),
                "signal or argument",
                name,
                known.iter().copied(),
                problems,
            );
        }
    }
    for action in &driver.actions {
        let names = action.send.iter().flat_map(super::template::Template::names);
        for name in names.filter(|name| !known.contains(name)) {
            unknown(0..0, "signal or argument", name, known.iter().copied(), problems);
        }
    }
}

fn unknown<'n>(
    place: Range<usize>,
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'n str>,
    problems: &mut Problems,
) {
    let hint = nearest(name, known).map(|near| format!("did you mean `{near}`?"));
    problems.hinted(place, format!("there is no {what} `{name}`"), hint);
}

/// Pairs of a table (`{ on = 1 }`) or of a list (`[[0.1, "A"], [1, "B"]]`).
fn pairs(key: &str, item: Item<'_>, problems: &mut Problems) -> Vec<(Value, Value)> {
    match item.get_ref() {
        DeValue::Table(table) => {
            let section = Section::new(table, key, item.span());
            let read = |(name, _, item): (&str, Range<usize>, Item<'_>)| {
                let name = match name {
                    "true" => Value::Bool(true),
                    "false" => Value::Bool(false),
                    _ => Value::Text(name.to_owned()),
                };
                value(item, problems).map(|wire| (name, wire))
            };
            section.entries().into_iter().filter_map(read).collect()
        }
        DeValue::Array(items) => {
            let mut found = Vec::new();
            for item in items {
                match value(item, problems) {
                    Some(Value::List(pair)) => match <[Value; 2]>::try_from(pair) {
                        Ok([value, wire]) => found.push((value, wire)),
                        Err(_) => problems.add(
                            item.span(),
                            format!("`{key}` has pairs: a value and its name on the wire"),
                        ),
                    },
                    Some(_) => problems.add(
                        item.span(),
                        format!("`{key}` has pairs: a value and its name on the wire"),
                    ),
                    None => {}
                }
            }
            found
        }
        other => {
            problems.add(
                item.span(),
                format!("`{key}` must be a table or a list of pairs, not {}", kind(other)),
            );
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests;
