//! The log file of a run: `<default_path>/<name>_<id>-main<day>_<n>.log`, a new one at midnight.
//!
//! A record reaches the operating system at once, unless the last one did a moment ago: then it waits for the others of
//! its burst, a millisecond at most. So a killed process loses no record of a calm run, and a burst costs no system call
//! a record.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use protocol::{Level, log_day, log_line};

/// Records that follow one another faster than this are written together.
const BURST_US: i64 = 50;

/// A burst is written in pieces of this size.
const PIECE: usize = 64 * 1024;

pub(crate) struct LogFile {
    folder: PathBuf,
    stem: String,
    day: String,
    /// When the day must be looked at again.
    next_look_us: i64,
    file: File,
    path: PathBuf,
    buffer: Vec<u8>,
    written_us: i64,
    /// The first error; afterwards records are only sent, not kept in the file.
    broken: Option<String>,
}

impl LogFile {
    /// Opens the first unused file of today.
    pub(crate) fn create(folder: &Path, stem: &str, now_us: i64) -> io::Result<Self> {
        let day = log_day(now_us);
        let (file, path) = create_unused(folder, stem, &day)?;
        Ok(Self {
            folder: folder.to_owned(),
            stem: stem.to_owned(),
            day,
            next_look_us: next_second(now_us),
            file,
            path,
            buffer: Vec::new(),
            written_us: 0,
            broken: None,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a record; the path of the new file if a new day began with it.
    pub(crate) fn record(&mut self, time_us: i64, level: Level, message: &str) -> Option<PathBuf> {
        let new = if time_us >= self.next_look_us {
            self.look_at_the_day(time_us)
        } else {
            None
        };
        if self.broken.is_none() {
            log_line(&mut self.buffer, time_us, level, message);
            if time_us - self.written_us > BURST_US || self.buffer.len() > PIECE {
                self.written_us = time_us;
                self.flush();
            }
        }
        new
    }

    /// Hands everything to the operating system.
    pub(crate) fn flush(&mut self) {
        if self.buffer.is_empty() || self.broken.is_some() {
            return;
        }
        if let Err(error) = self.file.write_all(&self.buffer) {
            self.broken = Some(format!("{}: {error}", self.path.display()));
        }
        self.buffer.clear();
    }

    /// Why records are missing from the file.
    pub(crate) fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    fn look_at_the_day(&mut self, time_us: i64) -> Option<PathBuf> {
        self.next_look_us = next_second(time_us);
        let day = log_day(time_us);
        if day == self.day {
            return None;
        }
        self.flush();
        match create_unused(&self.folder, &self.stem, &day) {
            Ok((file, path)) => {
                self.file = file;
                self.path.clone_from(&path);
                self.day = day;
                Some(path)
            }
            Err(_) => {
                // Yesterday's file is better than none; the next second tries again.
                None
            }
        }
    }
}

fn next_second(time_us: i64) -> i64 {
    (time_us.div_euclid(1_000_000) + 1) * 1_000_000
}

fn create_unused(folder: &Path, stem: &str, day: &str) -> io::Result<(File, PathBuf)> {
    let mut number = 0_u32;
    loop {
        let path = folder.join(format!("{stem}-main{day}_{number}.log"));
        // Two runs of one name at once each get their own file; the parent appends to it too.
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}
