//! The drivers that ship against what PyMeasure's own tests expect on the wire of the same instruments.
//!
//! A driver that says in `source` from which class of PyMeasure it is has other names and other words for some values; the
//! bytes are the same. Each vector whose question or command a driver has must read the same value, or be written from it.
//! The vectors are material beside the checkout; without it nothing is tested, and the test says so.

use std::path::Path;

use instruments::driver::library::LIBRARY;
use instruments::driver::{Driver, Names, Signal, Value};
use serde_json::Value as Json;

#[test]
fn drivers_made_from_classes_keep_the_vectors_of_those() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/instruments/pymeasure_vectors.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is absent", path.display());
        return;
    };
    let drivers: Vec<Driver> = LIBRARY.iter().filter_map(|text| Driver::parse(text).ok()).collect();
    let (mut held, mut wrong) = (0, Vec::new());
    for line in text.lines() {
        let vector: Json = serde_json::from_str(line).expect("a vector is one JSON line");
        let class = vector["cls"].as_str().unwrap_or_default().trim_end_matches("Channel");
        let of_class = |driver: &&Driver| {
            let named = driver.source.split(|c: char| !c.is_alphanumeric() && c != '_');
            driver.source.contains("PyMeasure") && named.into_iter().any(|word| word == class)
        };
        for driver in drivers.iter().filter(of_class) {
            let names = names(driver, &vector["ch"]);
            for signal in &driver.signals {
                match held_by(signal, &vector, &names) {
                    None => {}
                    Some(Ok(())) => held += 1,
                    Some(Err(words)) => wrong.push(format!("{} {}: {words}", driver.id, signal.name)),
                }
            }
        }
    }
    println!("{held} vectors are held by drivers that ship");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(held > 100, "only {held} vectors are of drivers that ship");
}

/// All arguments: the channel of the vector, else their defaults.
fn names(driver: &Driver, channel: &Json) -> Names {
    let given = |argument: &instruments::driver::Argument| {
        let channel = (argument.name == "channel" && !channel.is_null()).then(|| value_of(channel));
        Some((argument.name.clone(), channel.or_else(|| argument.default.clone())?))
    };
    driver.arguments.iter().filter_map(given).collect()
}

/// Whether a signal does what the vector says; nothing where the vector is of another signal.
fn held_by(signal: &Signal, vector: &Json, names: &Names) -> Option<Result<(), String>> {
    let wanted = value_of(&vector["value"]);
    let written = vector["write"].as_str()?;
    if vector["op"] == "get" {
        if signal.query(names).ok()? != written {
            return None;
        }
        let read = signal.value(vector["read"].as_str()?.as_bytes(), names);
        return Some(match read {
            Ok(value) if is_meant(&value, &wanted) => Ok(()),
            other => Err(format!("{} reads {other:?}, not {wanted:?}", vector["read"])),
        });
    }
    let mut commands = values_meaning(&wanted).filter_map(|value| signal.commands(&value, names).ok());
    commands.any(|commands| commands.concat() == written).then_some(Ok(()))
}

/// `ON` is true.
fn is_meant(ours: &Value, theirs: &Value) -> bool {
    values_meaning(theirs).any(|value| ours.same(&value))
}

fn values_meaning(theirs: &Value) -> impl Iterator<Item = Value> {
    let word = match theirs {
        Value::Bool(true) => Some("ON"),
        Value::Bool(false) => Some("OFF"),
        _ => None,
    };
    std::iter::once(theirs.clone()).chain(word.map(|word| Value::Text(word.to_owned())))
}

fn value_of(json: &Json) -> Value {
    match json {
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Value::Int(integer),
            None => Value::Float(number.as_f64().expect("JSON's numbers are doubles")),
        },
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(value_of).collect()),
        Json::Null | Json::Object(_) => Value::None,
    }
}
