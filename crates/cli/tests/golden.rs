//! Measurements that Exopy performed: ours end with the same values of the same kinds, log the same lines, make the same
//! updates in the same order, and the checks blame the same fields, but for the differences that are on purpose.

mod station;

use std::{fs, path::Path};

use expr::Value;
use serde_json::Value as Json;
use station::{Station, shared};

/// Fields that Exopy blames and we do not, by design.
const NOT_BLAMED: &[(&str, &str, &str)] = &[(
    "e6_break_outside_loop",
    "root/l/k/b2-parent",
    "a break acts on the loop around it, however deep it stands",
)];

#[test]
fn performed_measurements_are_those_of_exopy() {
    let Some(folder) = cases() else { return };
    let mut seen = 0;
    for (name, expected) in expectations(&folder, |name| !name.starts_with('e')) {
        for form in ["meas", "task"] {
            let file = folder.join(format!("{name}.{form}.ini"));
            if file.is_file() {
                performed_as_by_exopy(&folder, &name, &file, &expected, form);
                seen += 1;
            }
        }
    }
    assert!(seen > 0, "no case in {}", folder.display());
}

#[test]
fn refused_measurements_are_those_of_exopy() {
    let Some(folder) = cases() else { return };
    let mut seen = 0;
    for (name, expected) in expectations(&folder, |name| name.starts_with('e')) {
        refused_as_by_exopy(&name, &folder.join(format!("{name}.meas.ini")), &expected);
        seen += 1;
    }
    assert!(seen > 0, "no case in {}", folder.display());
}

/// The cases that came with the project, or more of them in a folder that the environment names.
fn cases() -> Option<std::path::PathBuf> {
    match std::env::var_os("MEASURAND_GOLDEN") {
        Some(folder) => Some(folder.into()),
        None => shared("golden"),
    }
}

fn expectations(folder: &Path, wanted: impl Fn(&str) -> bool) -> Vec<(String, Json)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("its entries too").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
            .to_owned();
        if let Some(case) = name.strip_suffix(".expected.json").filter(|case| wanted(case)) {
            let text = fs::read_to_string(&path).expect("it can be read");
            found.push((case.to_owned(), serde_json::from_str(&text).expect("it is JSON")));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn performed_as_by_exopy(folder: &Path, name: &str, file: &Path, expected: &Json, form: &str) {
    let station = Station::new();
    let values_out = station.path().join("values.json");
    let run = station.start(
        file,
        &[
            "--default-path",
            station.path().to_str().expect("a plain path"),
            "--lossless",
            "--observe",
            "root/**",
            "--values-out",
            values_out.to_str().expect("a plain path"),
            "--name",
            name,
            "--id",
            "001",
        ],
    );
    let finished = run.finish();
    let context = format!("{name} ({form})");

    let succeeded = expected["perform"]["result"] == true;
    assert_eq!(
        finished.code,
        Some(if succeeded { 0 } else { 1 }),
        "{context}: {}\n{}",
        finished.finished,
        finished.errors
    );
    let keys = |errors: &Json| {
        errors
            .as_object()
            .map(|errors| errors.keys().cloned().collect::<Vec<_>>())
            .unwrap_or_default()
    };
    assert_eq!(
        keys(&finished.finished["errors"]),
        keys(&expected["perform"]["errors"]),
        "{context}"
    );

    let logged: Vec<&str> = finished
        .events
        .iter()
        .filter(|event| {
            event["type"] == "log"
                && event["target"]
                    .as_str()
                    .is_some_and(|target| target.starts_with("root"))
        })
        .filter_map(|event| event["message"].as_str())
        .collect();
    let mut expected_log: Vec<&str> = expected["log"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Json::as_str)
        .collect();
    let mut logged_too = logged.clone();
    if expected["parallel"] == true {
        expected_log.sort_unstable();
        logged_too.sort_unstable();
    }
    assert_eq!(logged_too, expected_log, "{context}: log");

    let raw = fs::read_to_string(&values_out).expect("the values were written");
    let volatile: Vec<&str> = expected["volatile"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Json::as_str)
        .collect();
    same_values(
        &context,
        &raw,
        &fs::read_to_string(folder.join(format!("{name}.expected.json"))).expect("read before"),
        &volatile,
    );

    let trace = folder.join(format!("{name}.trace.jsonl"));
    if let Ok(trace) = fs::read_to_string(&trace) {
        same_updates(&context, &finished.events, &trace, &volatile);
    }
}

/// The database by path, as values that keep `1` and `1.0` apart.
fn same_values(context: &str, ours: &str, expected: &str, volatile: &[&str]) {
    let ours = pairs(&Value::from_json(ours).expect("our JSON is read by us"));
    let whole = pairs(&Value::from_json(expected).expect("JSON"));
    let database = whole.iter().find(|(key, _)| key == "database").expect("a database");
    let expected = pairs(&database.1);
    let names = |pairs: &[(String, Value)]| {
        let mut names: Vec<String> = pairs.iter().map(|(name, _)| name.clone()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&ours), names(&expected), "{context}: entries");
    for (name, value) in &expected {
        if volatile.contains(&name.as_str()) || name == "root/default_path" {
            continue;
        }
        let found = &ours.iter().find(|(ours, _)| ours == name).expect("compared above").1;
        assert!(
            same(found, value),
            "{context}: {name} is {} and not {}",
            found.repr(),
            value.repr()
        );
    }
}

fn same_updates(context: &str, events: &[Json], trace: &str, volatile: &[&str]) {
    let updates: Vec<&Json> = events.iter().filter(|event| event["type"] == "value").collect();
    for (number, line) in trace.lines().enumerate() {
        let expected: Json = serde_json::from_str(line).expect("JSON");
        let Some(update) = updates.get(number) else {
            panic!("{context}: update {number} is missing: {line}")
        };
        let path = expected[0].as_str().expect("a path");
        assert_eq!(update["entry"], path, "{context}: update {number}");
        if volatile.contains(&path) {
            continue;
        }
        let value = |json: &Json| Value::from_json(&json.to_string()).expect("JSON");
        let (found, wanted) = (value(&update["value"]), value(&expected[1]));
        assert!(
            same(&found, &wanted),
            "{context}: update {number} of {path} is {} and not {}",
            found.repr(),
            wanted.repr()
        );
    }
    assert_eq!(updates.len(), trace.lines().count(), "{context}: number of updates");
}

fn pairs(value: &Value) -> Vec<(String, Value)> {
    match value {
        Value::Dict(dict) => dict
            .items
            .iter()
            .map(|(key, value)| (key.to_string(), value.clone()))
            .collect(),
        other => panic!("an object, not {}", other.kind()),
    }
}

/// Equal, of the same kind, floats to a relative 1e-12.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => {
            a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-12 * a.abs().max(b.abs())
        }
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b)),
        (Value::Dict(a), Value::Dict(b)) => {
            a.items.len() == b.items.len()
                && a.items
                    .iter()
                    .zip(&b.items)
                    .all(|(a, b)| same(&a.0, &b.0) && same(&a.1, &b.1))
        }
        _ => a.kind() == b.kind() && a.repr() == b.repr(),
    }
}

fn refused_as_by_exopy(name: &str, file: &Path, expected: &Json) {
    let station = Station::new();
    let default_path = station.path().to_str().expect("a plain path");
    let run = station.start(file, &["--default-path", default_path]).finish();
    if expected["load"]["ok"] == false {
        assert_eq!(run.code, Some(2), "{name}: {}", run.errors);
        return;
    }
    let blamed: Vec<&str> = run
        .events
        .iter()
        .filter(|event| event["type"] == "problem" && event["severity"] == "error")
        .filter_map(|event| event["path"].as_str())
        .collect();
    let wanted = expected["check"]["errors"].as_object().expect("an object");
    let wanted: Vec<&str> = wanted
        .keys()
        .map(String::as_str)
        .filter(|path| {
            !NOT_BLAMED
                .iter()
                .any(|(case, spared, _)| *case == name && spared == path)
        })
        .collect();
    let mut blamed: Vec<&str> = blamed;
    blamed.sort_unstable();
    blamed.dedup();
    let mut wanted = wanted;
    wanted.sort_unstable();
    assert_eq!(blamed, wanted, "{name}");
    assert_eq!(
        run.code,
        Some(if expected["check"]["result"] == true { 0 } else { 3 }),
        "{name}"
    );
}
