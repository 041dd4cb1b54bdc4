//! What the parent adds to the run's log file: what the child printed, its last words, what hooks said.
//!
//! The file is the child's, which opens and names it; here it is only ever appended to, in whole lines. What is said
//! before the file is known waits for it, up to a limit.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::PathBuf,
};

use protocol::{Level, log_line};

/// The log file of a run, as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct RunLog {
    path: Option<PathBuf>,
    file: Option<File>,
    /// Lines not written yet.
    waiting: Vec<u8>,
}

/// Bytes that may wait for a file; later lines are in the events only.
const PATIENCE: usize = 256 * 1024;

impl RunLog {
    pub(crate) fn path(&self) -> Option<&PathBuf> {
        self.path.as_ref()
    }

    /// From now on lines go to this file.
    ///
    /// # Errors
    /// It cannot be written to; lines are then in the events only.
    pub(crate) fn open(&mut self, path: PathBuf) -> io::Result<()> {
        // Lines of before belong to the file of before.
        let written = self.write();
        let file = OpenOptions::new().append(true).create(true).open(&path);
        self.path = Some(path);
        self.file = None;
        self.file = Some(file?);
        written.and_then(|()| self.write())
    }

    pub(crate) fn add(&mut self, time_us: i64, level: Level, message: &str) {
        if self.file.is_some() || self.waiting.len() < PATIENCE {
            log_line(&mut self.waiting, time_us, level, message);
        }
    }

    /// Writes what was added.
    ///
    /// # Errors
    /// The file cannot be written to; it is not tried again.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        if self.waiting.is_empty() {
            return Ok(());
        }
        let written = file.write_all(&self.waiting);
        self.waiting.clear();
        if written.is_err() {
            self.file = None;
        }
        written
    }
}
