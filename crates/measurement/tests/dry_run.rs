//! On a dry bench, measurements give the updates and the final values that Exopy gave, and the checks blame the same fields.
//!
//! The cases stand beside the checkout on some machines; `MEASURAND_GOLDEN` names another folder of them.

use std::{fs, path::PathBuf};

use expr::Value;
use measurement::{DryBench, Measurement, Overrides, Surroundings, refused};

struct AnyFolder;

impl Surroundings for AnyFolder {
    fn folder(&self, path: &str) -> Result<(), String> {
        if path.starts_with("/tmp") {
            Ok(())
        } else {
            Err("there is no such folder".to_owned())
        }
    }

    fn folder_or_made(&self, path: &str) -> Result<(), String> {
        self.folder(path)
    }

    fn is_file(&self, _path: &str) -> bool {
        false
    }

    fn beginning(&self, _path: &str) -> Option<Vec<u8>> {
        None
    }

    fn datasets(&self, _path: &str) -> Option<Vec<String>> {
        None
    }
}

fn cases() -> Vec<(String, Value, PathBuf)> {
    let folder = std::env::var_os("MEASURAND_GOLDEN").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/golden")),
        PathBuf::from,
    );
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("skipped: {} is not here", folder.display());
        return Vec::new();
    };
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(case) = name.strip_suffix(".expected.json") {
            let expected = Value::from_json(&fs::read_to_string(&path).expect("it can be read")).expect("JSON");
            found.push((case.to_owned(), expected, folder.join(format!("{case}.meas.ini"))));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn field<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    match object {
        Value::Dict(dict) => dict
            .items
            .iter()
            .find(|(key, _)| key.to_string() == name)
            .map(|(_, value)| value),
        _ => None,
    }
}

fn keys(object: Option<&Value>) -> Vec<String> {
    let mut keys = match object {
        Some(Value::Dict(dict)) => dict.items.iter().map(|(key, _)| key.to_string()).collect(),
        _ => Vec::new(),
    };
    keys.sort();
    keys
}

fn texts(list: Option<&Value>) -> Vec<String> {
    list.and_then(|list| list.iterate().ok())
        .unwrap_or_default()
        .iter()
        .map(Value::to_string)
        .collect()
}

/// As JSON, which forgets numpy's kinds but keeps `1` and `1.0` apart; floats to a relative 1e-12.
fn same(a: &Value, b: &Value) -> bool {
    let plain = |value: &Value| Value::from_json(&value.to_json()).expect("our JSON is read by us");
    fn alike(a: &Value, b: &Value) -> bool {
        match (a, b) {
            (Value::Float(a), Value::Float(b)) => {
                a == b || (a - b).abs() <= 1e-12 * a.abs().max(b.abs()) || (a.is_nan() && b.is_nan())
            }
            (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| alike(a, b)),
            _ => a.repr() == b.repr(),
        }
    }
    alike(&plain(a), &plain(b))
}

#[test]
fn cases_of_exopy() {
    let mut wrong = Vec::new();
    for (case, expected, file) in cases() {
        let differs = field(&expected, "differs").map(Value::to_string);
        let mut complain = |text: String| {
            wrong.push(format!(
                "{case}: {text}{}",
                differs.as_ref().map_or(String::new(), |d| format!("   [differs: {d}]"))
            ))
        };
        let loads = field(&expected, "load")
            .and_then(|load| field(load, "ok"))
            .is_none_or(|ok| ok.truthy().unwrap_or(true));
        let measurement = Measurement::read(&fs::read(&file).expect("it can be read"), &case, &Overrides::default());
        let measurement = match measurement {
            Ok(measurement) if measurement.is_built() => measurement,
            Ok(measurement) => {
                if loads {
                    complain(format!("not built: {:?}", measurement.problems));
                }
                continue;
            }
            Err(problems) => {
                if loads {
                    complain(format!("not read: {problems:?}"));
                }
                continue;
            }
        };
        if !loads {
            complain("was built".to_owned());
            continue;
        }
        let facts = measurement.facts("2026-11-22", "10-00-00");
        let checked = measurement.tree.check(&facts, &AnyFolder);
        let mut problems = measurement.problems.clone();
        problems.extend(checked.problems.clone());
        let mut blamed: Vec<String> = problems
            .iter()
            .filter(|p| p.is_error())
            .map(|p| p.path.clone())
            .collect();
        blamed.sort();
        blamed.dedup();
        let check = field(&expected, "check");
        if blamed != keys(check.and_then(|check| field(check, "errors"))) {
            complain(format!(
                "blamed {blamed:?}, Exopy {:?}: {:?}",
                keys(check.and_then(|check| field(check, "errors"))),
                problems
            ));
        }
        let Some(perform) = field(&expected, "perform") else {
            continue;
        };
        let skip = field(&expected, "skip_checks").is_some_and(|skip| skip.truthy().unwrap_or(false));
        if refused(&problems) && !skip {
            continue;
        }
        let values = if skip {
            measurement.tree.define(&facts, &AnyFolder)
        } else {
            checked.values
        };
        let program = measurement.tree.prepare();
        let bench = DryBench::new(&program, values, 1_000_000);
        let failed = program.perform(&bench).err();
        let run = bench.finish();
        let succeeded = field(perform, "result").is_some_and(|result| result.truthy().unwrap_or(false));
        if succeeded != (failed.is_none() && run.failures.is_empty()) {
            complain(format!(
                "performed {failed:?} {:?}, Exopy {succeeded} {:?}",
                run.failures,
                keys(field(perform, "errors"))
            ));
        }
        let is_parallel = field(&expected, "parallel").is_some_and(|flag| flag.truthy().unwrap_or(false));
        let volatile = texts(field(&expected, "volatile"));
        let (mut log, mut theirs) = (run.log.clone(), texts(field(&expected, "log")));
        if is_parallel {
            log.sort();
            theirs.sort();
        }
        if log != theirs {
            complain(format!("log {log:?}, Exopy {theirs:?}"));
        }
        let entries = measurement.tree.database().entries();
        for (index, entry) in entries.iter().enumerate() {
            match field(field(&expected, "database").expect("a database"), &entry.path) {
                _ if volatile.contains(&entry.path) => (),
                Some(theirs) if same(&run.values[index], theirs) => (),
                Some(theirs) => complain(format!(
                    "{} = {}, Exopy {}",
                    entry.path,
                    run.values[index].repr(),
                    theirs.repr()
                )),
                None => complain(format!("{} is an entry", entry.path)),
            }
            let kind = field(field(&expected, "types").expect("types"), &entry.path)
                .map(Value::to_string)
                .unwrap_or_default();
            if run.values[index].kind() != kind {
                complain(format!(
                    "{} is of kind {}, Exopy {kind}",
                    entry.path,
                    run.values[index].kind()
                ));
            }
        }
        if let Ok(trace) = fs::read_to_string(file.with_file_name(format!("{case}.trace.jsonl"))) {
            for (number, line) in trace.lines().enumerate() {
                let update = Value::from_json(line).expect("JSON").iterate().expect("a pair");
                let ours = run
                    .updates
                    .get(number)
                    .map(|(id, value)| (entries[id.index()].path.clone(), value.clone()));
                let fits = ours.as_ref().is_some_and(|(path, value)| {
                    *path == update[0].to_string() && (volatile.contains(path) || same(value, &update[1]))
                });
                if !fits {
                    complain(format!("update {number} is {ours:?}, Exopy {line}"));
                    break;
                }
            }
            if run.updates.len() != trace.lines().count() {
                complain(format!(
                    "{} updates, Exopy {}",
                    run.updates.len(),
                    trace.lines().count()
                ));
            }
        }
    }
    // e6 has a break deep inside its loop, which acts on it here.
    wrong.retain(|text| {
        !(text.starts_with("e6_break_outside_loop") && text.contains("blamed [\"root/b-parent\", \"root/c-parent\"]"))
    });
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}
