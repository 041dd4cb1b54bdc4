//! What happened in one run, said once and in order: events get their numbers here and go to the viewer.
//!
//! It also keeps what the report at the end needs, the last value of every entry say, so that a child that dies takes
//! nothing along that it had told.

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use protocol::{Doing, Level, Observe, Value};

use crate::{
    event::{RunEvent, RunFiles, Update, What},
    run_log::RunLog,
};

pub(crate) struct Chronicle<'v> {
    viewer: &'v mut dyn FnMut(Update),
    seq: u64,
    entries: Arc<[Arc<str>]>,
    /// What viewers asked to see; other values come only to be kept.
    observe: Observe,
    /// By entry, once they are known.
    observed: Vec<bool>,
    /// Last values by entry, when the report is to have them.
    last: Option<Vec<Option<Value>>>,
    log: RunLog,
    files: RunFiles,
}

/// Microseconds since 1970-01-01 UTC.
pub(crate) fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Whose word in the log the engine's own is.
const ENGINE: &str = "engine";

impl<'v> Chronicle<'v> {
    pub(crate) fn keeping_values(viewer: &'v mut dyn FnMut(Update), observe: Observe) -> Self {
        Self {
            last: Some(Vec::new()),
            ..Self::new(viewer, observe)
        }
    }

    pub(crate) fn new(viewer: &'v mut dyn FnMut(Update), observe: Observe) -> Self {
        Self {
            viewer,
            seq: 0,
            entries: Arc::new([]),
            observe,
            observed: Vec::new(),
            last: None,
            log: RunLog::default(),
            files: RunFiles::default(),
        }
    }

    /// Something the parent knows by itself, now.
    pub(crate) fn say(&mut self, what: What) {
        self.event(now_us(), what);
    }

    /// Something that happened at its own time.
    pub(crate) fn event(&mut self, time_us: i64, what: What) {
        self.seq += 1;
        (self.viewer)(Update::Event(RunEvent {
            seq: self.seq,
            time_us,
            what,
        }));
    }

    pub(crate) fn started(&mut self, entries: Vec<String>, values: Vec<(u32, Value)>, files: RunFiles) {
        self.entries = entries.into_iter().map(Arc::from).collect();
        self.observed = match &self.observe {
            Observe::All => vec![true; self.entries.len()],
            Observe::Only(paths) => {
                let wanted: HashSet<&str> = paths.iter().map(String::as_str).collect();
                self.entries.iter().map(|entry| wanted.contains(&**entry)).collect()
            }
        };
        let values: Vec<_> = values
            .into_iter()
            .filter(|(entry, _)| (*entry as usize) < self.entries.len())
            .collect();
        if let Some(last) = &mut self.last {
            *last = vec![None; self.entries.len()];
            for (entry, value) in &values {
                last[*entry as usize] = Some(value.clone());
            }
        }
        self.files = files.clone();
        let log_file = files.log_file.clone();
        (self.viewer)(Update::Started {
            entries: Arc::clone(&self.entries),
            values,
            files,
        });
        self.open(log_file);
    }

    pub(crate) fn log_file(&mut self, path: String) {
        let path = PathBuf::from(path);
        (self.viewer)(Update::LogFile(path.clone()));
        self.open(path);
    }

    fn open(&mut self, path: PathBuf) {
        if let Err(error) = self.log.open(path) {
            self.unwritable(&error);
        }
    }

    /// Updates of entries; says how many of them name no entry.
    pub(crate) fn values(&mut self, time_us: i64, values: Vec<(u32, Value)>) -> usize {
        let mut strange = 0;
        for (id, value) in values {
            let Some(entry) = self.entries.get(id as usize) else {
                strange += 1;
                continue;
            };
            let entry = Arc::clone(entry);
            if let Some(slot) = self.last.as_mut().and_then(|last| last.get_mut(id as usize)) {
                *slot = Some(value.clone());
            }
            if self.observed[id as usize] {
                self.event(time_us, What::Value { entry, value });
            }
        }
        strange
    }

    /// The values that everything ended with; not said, only kept.
    pub(crate) fn final_values(&mut self, values: Vec<(u32, Value)>) {
        let Some(last) = &mut self.last else { return };
        for (id, value) in values {
            if let Some(slot) = last.get_mut(id as usize) {
                *slot = Some(value);
            }
        }
    }

    pub(crate) fn at(&mut self, task: String, doing: Doing, millis: u64) {
        (self.viewer)(Update::At { task, doing, millis });
    }

    /// Lines that a process printed.
    pub(crate) fn printed(&mut self, level: Level, target: &str, text: &str) {
        for line in text.lines() {
            self.log(level, target, line);
        }
        self.write_log();
    }

    /// A word of the engine itself, which is in the log file too.
    pub(crate) fn note(&mut self, level: Level, message: &str) {
        self.log(level, ENGINE, message);
        self.write_log();
    }

    fn log(&mut self, level: Level, target: &str, message: &str) {
        let time_us = now_us();
        self.log.add(time_us, level, message);
        let what = What::Log {
            level,
            target: target.to_owned(),
            message: message.to_owned(),
        };
        self.event(time_us, what);
    }

    fn write_log(&mut self) {
        if let Err(error) = self.log.write() {
            self.unwritable(&error);
        }
    }

    fn unwritable(&mut self, error: &std::io::Error) {
        let path = self
            .log
            .path()
            .map(|path| path.display().to_string())
            .unwrap_or_default();
        let message = format!("what is printed is not in the log file `{path}`: {error}");
        self.say(What::Log {
            level: Level::Warning,
            target: ENGINE.to_owned(),
            message,
        });
    }

    pub(crate) fn log_path(&self) -> Option<&PathBuf> {
        self.log.path()
    }

    pub(crate) fn saved_path(&self) -> Option<&PathBuf> {
        Some(&self.files.saved_file).filter(|path| !path.as_os_str().is_empty())
    }

    pub(crate) fn record(&self) -> Option<&PathBuf> {
        self.files.record.as_ref()
    }

    /// The last value of every entry that has one, if they were kept.
    pub(crate) fn take_values(&mut self) -> Vec<(Arc<str>, Value)> {
        let last = self.last.take().unwrap_or_default();
        self.entries
            .iter()
            .zip(last)
            .filter_map(|(entry, value)| Some((Arc::clone(entry), value?)))
            .collect()
    }
}
