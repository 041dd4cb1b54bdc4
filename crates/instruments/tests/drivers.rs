//! Every driver file that ships, held to one contract.
//!
//! It parses without a problem, comes with the program, says where its facts are from, and each of its signals shows by an
//! example what is written for a value and what an answer means; every way that a signal has must be shown.

use std::path::Path;

use instruments::driver::library::{self, LIBRARY};
use instruments::driver::{Driver, Names, Signal, Step};

#[test]
fn every_driver_that_ships_keeps_the_contract() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("drivers");
    let mut complaints = Vec::new();
    let mut ids = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder of drivers is there") {
        let path = entry.expect("it can be listed").path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let text = std::fs::read_to_string(&path).expect("a driver file is text");
        if !LIBRARY.contains(&text.as_str()) {
            complaints.push(format!("{name}: not in the library"));
        }
        match Driver::parse(&text) {
            Ok(driver) => {
                let of_file = |complaint: String| format!("{name}: {complaint}");
                complaints.extend(broken(&driver).into_iter().map(of_file));
                ids.push(driver.id.clone());
                ids.extend(driver.aliases);
            }
            Err(problems) => {
                for problem in problems {
                    let (line, column) = problem.line_and_column(&text);
                    complaints.push(format!("{name}:{line}:{column}: {problem}"));
                }
            }
        }
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "ids are unique");
    assert!(count >= LIBRARY.len(), "the folder has drivers");
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn broken(driver: &Driver) -> Vec<String> {
    let mut found = Vec::new();
    // Names are looked up without reading whole files: they stand in the first two lines.
    for name in driver.aliases.iter().chain([&driver.id]) {
        if library::find(name).is_none_or(|found| found.id != driver.id) {
            found.push(format!("is not found by its name `{name}`"));
        }
    }
    if driver.source.is_empty() {
        found.push("does not say where its facts are from".to_owned());
    }
    if driver.link.connections.is_empty() {
        found.push("has no connection".to_owned());
    }
    for signal in &driver.signals {
        found.extend(
            unshown(signal, driver)
                .into_iter()
                .map(|words| format!("`{}` {words}", signal.name)),
        );
    }
    for step in driver.safe.iter().chain(&driver.initial) {
        if let Step::Set { signal, .. } = step
            && driver.signal(signal).is_none_or(|signal| !signal.can_set())
        {
            found.push(format!("`{signal}` of a step cannot be set"));
        }
    }
    found
}

/// Which of its ways a signal does not show, and where an example is not a round trip.
fn unshown(signal: &Signal, driver: &Driver) -> Vec<&'static str> {
    let mut found = Vec::new();
    let shows_set = signal.examples.iter().any(|example| !example.write.is_empty());
    // A frequency that is set in one unit and read in another shows only one of both.
    let shows_get = signal.examples.iter().any(|example| example.read.is_some());
    if signal.can_set() && !shows_set {
        found.push("shows no set");
    }
    if signal.can_get() && !shows_get && !reads_otherwise(signal) {
        found.push("shows no get");
    }
    let arguments = || {
        driver
            .arguments
            .iter()
            .filter_map(|a| Some((a.name.clone(), a.default.clone()?)))
    };
    for example in &signal.examples {
        let names: Names = arguments().chain(example.names.clone()).collect();
        if signal.can_get() && signal.query(&names).is_err() {
            found.push("cannot be asked with the names of its example");
        }
        if signal.shows(example).is_err() {
            found.push("does not do what its example says");
        }
    }
    found
}

/// What the specification says nothing of: the unit of an answer.
fn reads_otherwise(signal: &Signal) -> bool {
    signal.doc.contains("set in")
}
