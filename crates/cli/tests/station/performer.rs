//! A performing process and our end of its socket: what a parent does, for tests and benches.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of this")]

use std::{
    fs,
    io::Write,
    os::{
        fd::OwnedFd,
        unix::net::{UnixListener, UnixStream},
    },
    path::Path,
    process::{Child, Command as Process, Stdio},
    time::Duration,
};

use protocol::{
    Checks, Command, Event, FrameReader, Numbered, Observe, OnExisting, Outcome, Recording, Request, VERSION,
};

/// Longer than anything here may take on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

pub const TOKEN: [u8; 16] = [0xab; 16];

/// A performing process and our end of its socket.
pub struct Performer {
    pub child: Child,
    pub stream: UnixStream,
    events: FrameReader<UnixStream>,
    pub seen: Vec<Numbered>,
}

impl Performer {
    /// Starts the process and greets it.
    pub fn start(folder: &Path) -> Self {
        let mut performer = Self::connect(folder);
        performer.say(&Command::Hello {
            version: VERSION,
            token: TOKEN,
        });
        performer.until("hello", |event| matches!(event, Event::Hello { refused: None, .. }));
        performer.until("ready", |event| matches!(event, Event::Ready));
        performer
    }

    /// Starts the process and says nothing yet.
    pub fn connect(folder: &Path) -> Self {
        let path = folder.join("socket");
        fs::remove_file(&path).ok();
        let listener = UnixListener::bind(&path).expect("a socket in a folder of ours");
        let child = Process::new(env!("CARGO_BIN_EXE_measurand"))
            .arg("__runner")
            .env(runner::TOKEN_VARIABLE, "ab".repeat(16))
            .stdin(OwnedFd::from(listener))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stream = UnixStream::connect(&path).expect("it listens");
        stream
            .set_read_timeout(Some(DEADLINE))
            .expect("a time limit can be set");
        let events = FrameReader::new(stream.try_clone().expect("a second handle"));
        Self {
            child,
            stream,
            events,
            seen: Vec::new(),
        }
    }

    pub fn say(&mut self, command: &Command) {
        let mut frame = Vec::new();
        protocol::append(&mut frame, command).expect("short enough");
        self.stream.write_all(&frame).expect("it reads");
    }

    pub fn next(&mut self) -> Option<Event> {
        let numbered: Numbered = self.events.read().expect("frames, in time")?;
        self.seen.push(numbered.clone());
        Some(numbered.event)
    }

    pub fn until(&mut self, what: &str, wanted: impl Fn(&Event) -> bool) -> Event {
        while let Some(event) = self.next() {
            if wanted(&event) {
                return event;
            }
        }
        panic!("no {what} in {:?}", self.seen);
    }

    pub fn perform(&mut self, text: &str) {
        self.say(&Command::Perform(Box::new(request(text))));
    }

    pub fn outcome(&mut self) -> (Outcome, Vec<(String, String)>) {
        match self.until("the end", |event| matches!(event, Event::Finished { .. })) {
            Event::Finished { outcome, errors, .. } => (outcome, errors),
            _ => unreachable!("only the end was wanted"),
        }
    }
}

impl Drop for Performer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A request as simple as can be.
pub fn request(text: &str) -> Request {
    Request {
        text: text.to_owned(),
        date: "2026-11-22".to_owned(),
        time: "10-00-00".to_owned(),
        checks: Checks::Run,
        observe: Observe::Only(Vec::new()),
        lossless: false,
        all_values: false,
        on_existing: OnExisting::Rename,
        recording: Recording::Off,
        flush_ms: 1000,
        laboratory: protocol::Laboratory::default(),
        speed: 1,
        file: String::new(),
    }
}
