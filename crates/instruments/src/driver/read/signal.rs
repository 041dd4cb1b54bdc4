//! One table `[signal.name]` → [`Signal`].
//!
//! Its examples are held to the engine at once: an example that is not what the signal does is a problem of the file.

use toml::de::DeValue;

use super::super::answer::{Answer, Field, Split};
use super::super::domain::{Beyond, Bound, Bounds, Domain};
use super::super::section::{Item, Problems, Section, kind, template, value};
use super::super::signal::{Conversion, Element, Example, Kind, Ramp, Setting, Shape, Signal, Tolerance, Transform};
use super::super::template::{Names, Template};
use super::super::value::Value;
use crate::block::{ByteOrder, Number};

/// All that a signal's table may say.
const KEYS: [&str; 34] = [
    "doc",
    "unit",
    "type",
    "get",
    "set",
    "min",
    "max",
    "max_abs",
    "step",
    "words",
    "choices",
    "map",
    "index",
    "first",
    "beyond",
    "prefix",
    "suffix",
    "skip",
    "unquote",
    "split",
    "split_most",
    "bit",
    "overload",
    "fields",
    "scale",
    "offset",
    "read_scale",
    "transform",
    "verify",
    "ramp",
    "requires",
    "acknowledge",
    "settle",
    "block",
];

pub(super) fn signal(name: &str, section: &Section<'_>, prefix: &str, problems: &mut Problems) -> Signal {
    let known: Vec<&str> = KEYS.into_iter().chain(["example"]).collect();
    section.knows(&known, problems);
    let set = setting(section, prefix, problems);
    let mut domain = domain(section, problems);
    if let (Setting::Cases(cases), Domain::Any) = (&set, &domain) {
        let values = cases.iter().map(|(value, _)| value.clone()).collect();
        domain = Domain::Choices {
            values,
            beyond: Beyond::Refuse,
        };
    }
    let signal = Signal {
        name: name.to_owned(),
        doc: section.text("doc", problems).unwrap_or_default(),
        unit: section.text("unit", problems),
        kind: kind_of(section, problems),
        domain,
        get: section
            .item("get")
            .and_then(|item| template("get", item, prefix, problems)),
        set,
        answer: answer(section, problems),
        conversion: conversion(section, problems),
        read_scale: section
            .item("read_scale")
            .and_then(|item| bound("read_scale", item, problems)),
        verify: tolerance(section, problems),
        ramp: ramp(section, problems),
        requires: section
            .item("requires")
            .map(|item| super::pairs("requires", item, problems))
            .map_or_else(Vec::new, |pairs| {
                pairs
                    .into_iter()
                    .map(|(signal, value)| (signal.to_string(), value))
                    .collect()
            }),
        acknowledge: section
            .item("acknowledge")
            .and_then(|_| section.texts("acknowledge", problems)),
        settle: section.duration("settle", problems),
        examples: examples(section, problems),
    };
    judge(&signal, section, problems);
    signal
}

/// What the keys say of each other.
fn judge(signal: &Signal, section: &Section<'_>, problems: &mut Problems) {
    let name = &signal.name;
    if section.item("get").is_none() && section.item("set").is_none() {
        problems.add(section.place.clone(), format!("`{name}` needs `get` or `set`"));
    }
    if signal.get.as_ref().is_some_and(|get| get.places() > 0) {
        problems.add(
            section.place_of("get"),
            "`get` has a place for a value, but there is none to write",
        );
    }
    if let Setting::Commands(commands) = &signal.set
        && !commands.is_empty()
        && commands.iter().all(|command| command.places() == 0)
    {
        problems.add(
            section.place_of("set"),
            "`set` has no place for the value, such as `{}`; an action has none",
        );
    }
    let needs = [("verify", "get"), ("verify", "set"), ("ramp", "get"), ("ramp", "set")];
    for (key, needed) in needs {
        if section.item(key).is_some() && section.item(needed).is_none() {
            problems.add(section.place_of(key), format!("`{key}` needs `{needed}`"));
        }
    }
    for example in &signal.examples {
        if let Err(words) = signal.shows(example) {
            problems.add(section.place_of("example"), words);
        }
    }
}

fn setting(section: &Section<'_>, prefix: &str, problems: &mut Problems) -> Setting {
    let Some(item) = section.item("set") else {
        return Setting::Never;
    };
    if !matches!(item.get_ref(), DeValue::Table(_)) {
        return Setting::Commands(section.templates("set", prefix, problems).unwrap_or_default());
    }
    let Some(cases) = Section::of(item, "set", problems) else {
        return Setting::Never;
    };
    let mut found: Vec<(Value, Vec<Template>)> = Vec::new();
    for (case, _, _) in cases.entries() {
        let commands = cases.templates(case, prefix, problems).unwrap_or_default();
        found.push((word(case), commands));
    }
    Setting::Cases(found)
}

fn word(text: &str) -> Value {
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => Value::Text(text.to_owned()),
    }
}

fn kind_of(section: &Section<'_>, problems: &mut Problems) -> Kind {
    let of = |element| Kind {
        element,
        shape: Shape::Scalar,
    };
    let list_of = |element| Kind {
        element,
        shape: Shape::List,
    };
    let words = [
        ("float", of(Element::Float)),
        ("int", of(Element::Int)),
        ("bool", of(Element::Bool)),
        ("text", of(Element::Text)),
        ("float or text", of(Element::FloatOrText)),
        ("float[]", list_of(Element::Float)),
        ("int[]", list_of(Element::Int)),
        ("bool[]", list_of(Element::Bool)),
        ("text[]", list_of(Element::Text)),
    ];
    let named = section.word("type", &words, problems);
    // A name on the wire says what the value is; without one, instruments speak in numbers.
    named.unwrap_or(of(Element::Float))
}

fn domain(section: &Section<'_>, problems: &mut Problems) -> Domain {
    let kinds: Vec<&str> = ["choices", "map", "index"]
        .into_iter()
        .filter(|key| section.item(key).is_some())
        .collect();
    let beyond_words = [
        ("refuse", Beyond::Refuse),
        ("clamp", Beyond::Clamp),
        ("next", Beyond::Next),
    ];
    let beyond = section.word("beyond", &beyond_words, problems).unwrap_or_default();
    if let [first, second, ..] = kinds[..] {
        problems.add(
            section.place_of(second),
            format!("`{second}` and `{first}` exclude each other"),
        );
    }
    if section.item("choices").is_some() {
        let values = section.values("choices", problems).unwrap_or_default();
        return Domain::Choices { values, beyond };
    }
    if let Some(item) = section.item("map") {
        return Domain::Map {
            pairs: super::pairs("map", item, problems),
            beyond,
        };
    }
    if section.item("index").is_some() {
        return Domain::Index {
            values: section.values("index", problems).unwrap_or_default(),
            first: section.integer("first", -1000..=1000, problems).unwrap_or(0),
            beyond,
        };
    }
    let bound = |key: &str, problems: &mut Problems| section.item(key).and_then(|item| bound(key, item, problems));
    let bounds = Bounds {
        min: bound("min", problems),
        max: bound("max", problems),
        max_abs: bound("max_abs", problems),
        step: section.number("step", problems),
    };
    if let (Some(Bound::Fixed(low)), Some(Bound::Fixed(high))) = (&bounds.min, &bounds.max)
        && low.number() > high.number()
    {
        problems.add(section.place_of("min"), "`min` is above `max`");
    }
    if bounds.step.is_some_and(|step| step <= 0.0) {
        problems.add(section.place_of("step"), "`step` must be above 0");
    }
    let words = section.values("words", problems).unwrap_or_default();
    if bounds == Bounds::default() && words.is_empty() {
        Domain::Any
    } else {
        Domain::Range { bounds, words, beyond }
    }
}

/// `10`, `{ times = 1.2, of = "range" }` or `{ by = "mode", voltage = 30, current = 0.2 }`
fn bound(key: &str, item: Item<'_>, problems: &mut Problems) -> Option<Bound> {
    let DeValue::Table(table) = item.get_ref() else {
        let value = value(item, problems)?;
        if value.number().is_some_and(|number| !number.is_nan()) {
            return Some(Bound::Fixed(value));
        }
        problems.add(
            item.span(),
            format!("`{key}` must be a number or a table, not {}", kind(item.get_ref())),
        );
        return None;
    };
    let section = Section::new(table, key, item.span());
    if let Some(signal) = section.text("of", problems) {
        section.knows(&["of", "times"], problems);
        let times = section.number("times", problems).unwrap_or(1.0);
        return Some(Bound::Times { signal, times });
    }
    let Some(signal) = section.text("by", problems) else {
        problems.add(
            item.span(),
            format!("`{key}` depends on a signal: `of = …` with `times`, or `by = …` with its values"),
        );
        return None;
    };
    let mut cases = Vec::new();
    for (case, _, _) in section.entries().into_iter().filter(|(case, _, _)| *case != "by") {
        if let Some(limit) = section.number(case, problems) {
            cases.push((word(case), limit));
        }
    }
    Some(Bound::Cases { signal, cases })
}

fn answer(section: &Section<'_>, problems: &mut Problems) -> Answer {
    let small = |key: &str, most: i64, problems: &mut Problems| {
        let integer = section.integer(key, 0..=most, problems)?;
        usize::try_from(integer).ok()
    };
    let split = section.text("split", problems).filter(|separator| {
        if separator.is_empty() {
            problems.add(section.place_of("split"), "`split` must not be empty");
        }
        !separator.is_empty()
    });
    let most = small("split_most", 10_000, problems);
    Answer {
        prefix: section.text("prefix", problems).unwrap_or_default(),
        suffix: section.text("suffix", problems).unwrap_or_default(),
        skip: small("skip", 1000, problems).unwrap_or(0),
        unquote: section.truth("unquote", problems).unwrap_or(false),
        split: split.map(|separator| Split { separator, most }),
        bit: small("bit", 62, problems).and_then(|bit| u8::try_from(bit).ok()),
        overload: {
            let values = section.values("overload", problems).unwrap_or_default();
            values.iter().filter_map(Value::number).collect()
        },
        fields: fields(section, problems),
        block: block(section, problems),
    }
}

/// `f32le`, `i16be`, `u8` …
fn block(section: &Section<'_>, problems: &mut Problems) -> Option<(Number, ByteOrder)> {
    let numbers = [
        ("i8", Number::I8),
        ("u8", Number::U8),
        ("i16", Number::I16),
        ("u16", Number::U16),
        ("i32", Number::I32),
        ("u32", Number::U32),
        ("i64", Number::I64),
        ("u64", Number::U64),
        ("f32", Number::F32),
        ("f64", Number::F64),
    ];
    let text = section.text("block", problems)?;
    let (name, order) = match (text.strip_suffix("le"), text.strip_suffix("be")) {
        (Some(name), _) => (name, ByteOrder::Little),
        (_, Some(name)) => (name, ByteOrder::Big),
        (None, None) => (text.as_str(), ByteOrder::Little),
    };
    let has_order = name.len() < text.len();
    let found = numbers
        .iter()
        .find(|(known, number)| *known == name && (has_order || number.size() == 1));
    if found.is_none() {
        let words = format!("`block` is a number and its byte order, such as `f32le` or `i16be`, not `{text}`");
        problems.add(section.place_of("block"), words);
    }
    found.map(|(_, number)| (*number, order))
}

fn fields(section: &Section<'_>, problems: &mut Problems) -> Vec<Field> {
    let mut found = Vec::new();
    for item in section.items("fields").unwrap_or_default() {
        let Some(field) = Section::of(item, "fields", problems) else {
            continue;
        };
        field.knows(&["name", "unit"], problems);
        match field.text("name", problems) {
            Some(name) => found.push(Field {
                name,
                unit: field.text("unit", problems),
            }),
            None => problems.add(item.span(), "a field needs `name`"),
        }
    }
    if !found.is_empty() && section.item("split").is_none() {
        problems.add(section.place_of("fields"), "`fields` needs `split`");
    }
    found
}

fn conversion(section: &Section<'_>, problems: &mut Problems) -> Conversion {
    let words = [("reciprocal", Transform::Reciprocal), ("decibel", Transform::Decibel)];
    let scale = section.number("scale", problems).unwrap_or(1.0);
    if scale == 0.0 {
        problems.add(section.place_of("scale"), "`scale` must not be 0");
    }
    Conversion {
        scale,
        offset: section.number("offset", problems).unwrap_or(0.0),
        transform: section
            .word("transform", &words, problems)
            .unwrap_or(Transform::Identity),
    }
}

fn tolerance(section: &Section<'_>, problems: &mut Problems) -> Option<Tolerance> {
    let section = section
        .item("verify")
        .and_then(|item| Section::of(item, "verify", problems))?;
    section.knows(&["tolerance", "relative"], problems);
    match (
        section.number("tolerance", problems),
        section.number("relative", problems),
    ) {
        (Some(most), None) => Some(Tolerance::Absolute(most)),
        (None, Some(most)) => Some(Tolerance::Relative(most)),
        _ => {
            problems.add(
                section.place.clone(),
                "`verify` needs `tolerance` (in units) or `relative`",
            );
            None
        }
    }
}

fn ramp(section: &Section<'_>, problems: &mut Problems) -> Option<Ramp> {
    let section = section
        .item("ramp")
        .and_then(|item| Section::of(item, "ramp", problems))?;
    section.knows(&["rate", "step"], problems);
    match (section.number("rate", problems), section.number("step", problems)) {
        (Some(rate), Some(step)) if rate > 0.0 && step > 0.0 => Some(Ramp { rate, step }),
        _ => {
            problems.add(
                section.place.clone(),
                "`ramp` needs `rate` (units per second) and `step` (units), both above 0",
            );
            None
        }
    }
}

fn examples(section: &Section<'_>, problems: &mut Problems) -> Vec<Example> {
    let mut found = Vec::new();
    for item in section.items("example").unwrap_or_default() {
        let Some(example) = Section::of(item, "example", problems) else {
            continue;
        };
        example.knows(&["value", "write", "read", "with"], problems);
        let names = match example.item("with") {
            Some(item) => super::pairs("with", item, problems),
            None => Vec::new(),
        };
        let Some(value) = example.item("value").and_then(|item| value(item, problems)) else {
            problems.add(item.span(), "an example needs `value`");
            continue;
        };
        found.push(Example {
            value,
            write: example.texts("write", problems).unwrap_or_default(),
            read: example.text("read", problems),
            names: names
                .into_iter()
                .map(|(name, value)| (name.to_string(), value))
                .collect::<Names>(),
        });
    }
    found
}
