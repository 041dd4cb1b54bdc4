//! What PyMeasure's own tests expect on the wire, through our engine.
//!
//! Every vector's declaration is converted into a driver file, the file is read as a user's would be, and the same bytes are
//! written and the same value is read. The vectors are material beside the checkout, or the file that `PYMEASURE_VECTORS`
//! names; without them nothing is tested, and the test says so.

use std::path::{Path, PathBuf};

use instruments::driver::convert::{Declaration, driver_file};
use instruments::driver::{Driver, Names, Value};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    cls: String,
    prop: String,
    ch: Option<serde_json::Value>,
    decl: Declaration,
    op: String,
    value: serde_json::Value,
    write: String,
    read: Option<String>,
}

#[test]
fn pymeasures_own_vectors_give_the_same_bytes_and_values() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/instruments/pymeasure_vectors.jsonl");
    let path = std::env::var_os("PYMEASURE_VECTORS").map_or(beside, PathBuf::from);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is absent", path.display());
        return;
    };
    let mut failures = Vec::new();
    let mut count = 0;
    for line in text.lines() {
        let vector: Vector = serde_json::from_str(line).expect("a vector is one JSON line");
        count += 1;
        if let Err(words) = held(&vector) {
            failures.push(format!(
                "{}.{} {} {}: {words}",
                vector.cls, vector.prop, vector.op, vector.value
            ));
        }
    }
    println!("{} of {count} vectors pass", count - failures.len());
    assert!(count > 0, "there are vectors");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn held(vector: &Vector) -> Result<(), String> {
    let file = driver_file(&vector.cls, &[(&vector.prop, &vector.decl)])?;
    let driver = Driver::parse(&file).map_err(|problems| format!("{problems:?} in\n{file}"))?;
    let signal = driver.signal(&vector.prop).ok_or("its signal is missing")?;
    let mut names = Names::new();
    if let Some(channel) = &vector.ch {
        // Most call it `ch`; a trace or a marker has a name of its own.
        for argument in &driver.arguments {
            names.insert(argument.name.clone(), value_of(channel));
        }
    }
    let value = value_of(&vector.value);
    if vector.op == "set" {
        let written = signal.commands(&value, &names).map_err(|e| e.to_string())?;
        return same(&written.concat(), &vector.write);
    }
    let query = signal.query(&names).map_err(|e| e.to_string())?;
    same(&query, &vector.write)?;
    let answer = vector.read.as_ref().ok_or("a get has no answer")?;
    let read = signal.value(answer.as_bytes(), &names).map_err(|e| e.to_string())?;
    if read.same(&value) {
        Ok(())
    } else {
        Err(format!("read {read:?}, expected {value:?}"))
    }
}

fn same(written: &str, expected: &str) -> Result<(), String> {
    if written == expected {
        Ok(())
    } else {
        Err(format!("wrote {written:?}, expected {expected:?}"))
    }
}

fn value_of(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(integer) => Value::Int(integer),
            None => Value::Float(number.as_f64().expect("JSON's numbers are doubles")),
        },
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(value_of).collect()),
        other => panic!("no vector has the value {other}"),
    }
}
