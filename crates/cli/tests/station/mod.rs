//! What the tests of the whole program share: a folder of their own, the program, and its events as they come.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of this")]

pub mod performer;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value as Json;

/// Longer than anything here may take on a busy machine; a test that reaches it has found a hang.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// The material that stands beside the checkout on some machines.
pub fn shared(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared")
        .join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: {} is not here", path.display());
    None
}

/// A folder for one test, gone with it.
pub struct Station {
    folder: tempfile::TempDir,
}

impl Station {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a measurement whose root has these children, `[[children_0]]` and so on.
    pub fn measurement(&self, name: &str, children: &str) -> PathBuf {
        let text = format!(
            "name = {name}\nid = 001\n[root_task]\n    task_id = exopy.ComplexTask\n    default_path = {}\n{children}\n",
            self.path().display()
        );
        let path = self.path().join(format!("{name}.ini"));
        fs::write(&path, text).expect("the folder can be written to");
        path
    }

    /// The program, with a runtime folder of its own.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_measurand"));
        let runtime = self.path().join("runtime");
        fs::create_dir_all(&runtime).expect("the folder can be written to");
        command
            .env("XDG_RUNTIME_DIR", runtime)
            .env("XDG_DATA_HOME", self.path().join("home"))
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            .current_dir(self.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().expect("the program starts")
    }

    /// Starts `measurand run` with its events coming here.
    pub fn start(&self, file: &Path, arguments: &[&str]) -> Run {
        // Into a file: a pipe that nobody reads would hold the program when it is full.
        let errors = tempfile::NamedTempFile::new().expect("a temporary file");
        let mut child = self
            .command()
            .arg("run")
            .arg(file)
            .args(["--events", "-"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(errors.reopen().expect("it was just made"))
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("it is piped"));
        Run {
            child,
            lines,
            errors,
            events: Vec::new(),
        }
    }

    /// Names of the files in the folder that end like this, sorted.
    pub fn files(&self, ending: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path()).expect("the folder is there");
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(ending)).collect();
        names.sort();
        names
    }

    /// The text of the only log file.
    pub fn log(&self) -> String {
        let files = self.files(".log");
        assert_eq!(files.len(), 1, "one log file, not {files:?}");
        fs::read_to_string(self.path().join(&files[0])).expect("it can be read")
    }
}

/// A run under way.
pub struct Run {
    pub child: Child,
    lines: BufReader<ChildStdout>,
    errors: tempfile::NamedTempFile,
    pub events: Vec<Json>,
}

impl Run {
    /// The next event; nothing at the end.
    pub fn next(&mut self) -> Option<Json> {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("events are text");
        if line.is_empty() {
            return None;
        }
        let event: Json = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line}"));
        self.events.push(event.clone());
        Some(event)
    }

    /// The next event for which this is true.
    pub fn until(&mut self, what: &str, wanted: impl Fn(&Json) -> bool) -> Json {
        let began = Instant::now();
        while let Some(event) = self.next() {
            if wanted(&event) {
                return event;
            }
            assert!(began.elapsed() < DEADLINE, "no {what} in {:?}", self.events);
        }
        panic!("the events ended without {what}: {:?}\n{}", self.events, self.errors());
    }

    pub fn until_state(&mut self, state: &str) -> Json {
        self.until(state, |event| event["type"] == "state" && event["state"] == state)
    }

    pub fn until_log(&mut self, message: &str) -> Json {
        self.until(message, |event| event["type"] == "log" && event["message"] == message)
    }

    /// The process that performs, as the `run` event says.
    pub fn performer(&self) -> i32 {
        let run = self
            .events
            .iter()
            .find(|event| event["type"] == "run")
            .expect("a run event came first");
        run["pid"].as_i64().expect("it has a pid") as i32
    }

    /// Reads the rest, and the exit status.
    pub fn finish(mut self) -> Finished {
        while self.next().is_some() {}
        let errors = self.errors();
        let status = self.child.wait().expect("it can be waited for");
        let finished = self.events.iter().rfind(|event| event["type"] == "finished").cloned();
        Finished {
            code: status.code(),
            events: std::mem::take(&mut self.events),
            finished: finished.unwrap_or(Json::Null),
            errors,
        }
    }

    fn errors(&self) -> String {
        fs::read_to_string(self.errors.path()).unwrap_or_default()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A run that ended.
pub struct Finished {
    pub code: Option<i32>,
    pub events: Vec<Json>,
    /// The last `finished` event.
    pub finished: Json,
    /// What was on standard error.
    pub errors: String,
}

impl Finished {
    pub fn outcome(&self) -> &str {
        self.finished["outcome"].as_str().unwrap_or("none")
    }

    pub fn error(&self, key: &str) -> &str {
        self.finished["errors"][key].as_str().unwrap_or("")
    }
}

/// Sends a signal by the name that `kill` knows.
pub fn signal(pid: i32, name: &str) {
    let status = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(pid.to_string())
        .status()
        .expect("kill is there");
    assert!(status.success(), "kill -{name} {pid}");
}

/// Whether a process is there, zombies not counted.
pub fn is_alive(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .trim_start()
            .starts_with('Z')
    })
}

/// Waits until a process is gone.
pub fn await_death(pid: i32) {
    let began = Instant::now();
    while is_alive(pid) {
        assert!(began.elapsed() < DEADLINE, "process {pid} does not end");
        std::thread::yield_now();
    }
}
