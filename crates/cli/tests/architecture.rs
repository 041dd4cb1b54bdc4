//! The rules of ARCHITECTURE.md that a compiler does not keep: which crate may know which, and that every file says what it is.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What each crate may depend on among ours.
const ARROWS: &[(&str, &[&str])] = &[
    ("expr", &[]),
    ("instruments", &[]),
    ("measurement", &["expr"]),
    ("protocol", &["expr", "measurement"]),
    ("records", &["expr"]),
    ("runner", &["expr", "instruments", "measurement", "protocol", "records"]),
    ("supervisor", &["measurement", "protocol", "records"]),
    (
        "cli",
        &[
            "expr",
            "instruments",
            "measurement",
            "protocol",
            "records",
            "runner",
            "supervisor",
        ],
    ),
];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn no_crate_knows_another_that_it_must_not_know() {
    for entry in fs::read_dir(crates()).expect("the crates").flatten() {
        let name = entry.file_name().into_string().expect("plain names");
        let (_, allowed) = ARROWS
            .iter()
            .find(|(own, _)| *own == name)
            .unwrap_or_else(|| panic!("no arrows for {name}"));
        let manifest = fs::read_to_string(entry.path().join("Cargo.toml")).expect("a manifest");
        let section = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let section = section.split("\n[").next().unwrap_or_default();
        for line in section.lines() {
            let dependency = line.split([' ', '.', '=']).next().unwrap_or_default();
            let ours = ARROWS.iter().any(|(own, _)| *own == dependency);
            assert!(
                !ours || allowed.contains(&dependency),
                "{name} must not depend on {dependency}"
            );
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    let mut open = vec![crates()];
    let mut seen = 0;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                fs::read_dir(&path)
                    .expect("it can be listed")
                    .flatten()
                    .map(|entry| entry.path()),
            );
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("text");
            assert!(
                text.starts_with("//!"),
                "{} does not begin with its `//!`",
                path.display()
            );
            seen += 1;
        }
    }
    assert!(seen > 50, "only {seen} files were found");
}

#[test]
fn pure_crates_touch_no_file_socket_thread_or_clock() {
    for name in ["expr", "measurement"] {
        let mut open = vec![crates().join(name).join("src")];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(
                    fs::read_dir(&path)
                        .expect("it can be listed")
                        .flatten()
                        .map(|entry| entry.path()),
                );
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for forbidden in [
                "std::fs",
                "std::net",
                "std::thread::spawn",
                "Instant::now",
                "SystemTime::now",
                "std::process",
            ] {
                assert!(!code.contains(forbidden), "{} uses {forbidden}", path.display());
            }
        }
    }
}
