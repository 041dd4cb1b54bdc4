//! Instruments and tasks written in Python, through the process that they live in.
//!
//! `modules/` has them. What needs a library is skipped with a word where `MEASURAND_PYTHON` has it not; all else needs an
//! interpreter only.

mod faults;
mod libraries;
mod objects;
mod tasks;

use std::{
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex},
};

use instruments::{
    Interrupter,
    device::DeviceError,
    driver::Value,
    python::{Hosts, Log, Object, Options},
};

/// Processes, and what was printed in them.
struct Bench {
    hosts: Hosts,
    printed: Arc<Mutex<Vec<String>>>,
    interrupter: Interrupter,
}

impl Bench {
    fn new() -> Self {
        let printed = Arc::new(Mutex::new(Vec::new()));
        let log: Log = {
            let printed = Arc::clone(&printed);
            Arc::new(move |who, line| printed.lock().expect("no panic").push(format!("{who}: {line}")))
        };
        Self {
            hosts: Hosts::new(log),
            printed,
            interrupter: Interrupter::default(),
        }
    }

    fn open(&self, name: &str, class: &str, options: &Options) -> Result<Object, DeviceError> {
        Object::open(name, class, options, &self.hosts, self.interrupter.clone())
    }

    /// The instrument of `modules/plain.py`.
    fn source(&self) -> Object {
        self.open("vi", "plain.Source", &options()).expect("it opens")
    }

    /// Waits until a line is printed that has these words.
    fn wait_for(&self, words: &str) -> String {
        let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
        loop {
            let printed = self.printed.lock().expect("no panic").clone();
            if let Some(line) = printed.iter().find(|line| line.contains(words)) {
                return line.clone();
            }
            assert!(std::time::Instant::now() < end, "`{words}` is not in {printed:?}");
            std::thread::yield_now();
        }
    }
}

fn python() -> PathBuf {
    std::env::var_os("MEASURAND_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from)
}

fn options() -> Options {
    Options {
        python: python(),
        folders: vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/python/modules")],
        ..Options::default()
    }
}

/// Whether the interpreter has this module; says so if not.
fn has_module(module: &str) -> bool {
    let import = format!("import {module}");
    let output = Command::new(python()).args(["-c", &import]).output();
    let has = output.is_ok_and(|output| output.status.success());
    if !has {
        eprintln!("skipped: `{}` has no module `{module}`", python().display());
    }
    has
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
