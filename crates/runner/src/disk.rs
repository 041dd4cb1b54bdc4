//! The folder of a run: whether it can be written to, and the copy of the measurement in it.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use measurement::Surroundings;
use protocol::OnExisting;

/// The disk as checks ask about it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Surroundings for Disk {
    fn folder(&self, path: &str) -> Result<(), String> {
        let metadata = fs::metadata(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "there is no such folder".to_owned(),
            _ => error.to_string(),
        })?;
        if !metadata.is_dir() {
            return Err("it is a file, not a folder".to_owned());
        }
        rustix::fs::access(path, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)
            .map_err(|error| format!("no file can be written there: {}", io::Error::from(error)))
    }
}

/// Saves the text of a measurement as `<stem>.meas.ini` and says where.
///
/// # Errors
/// It cannot be written, or exists and should not be touched.
pub(crate) fn save_measurement(folder: &Path, stem: &str, text: &str, on_existing: OnExisting) -> io::Result<PathBuf> {
    let mut number = 0;
    loop {
        let name = if number == 0 {
            format!("{stem}.meas.ini")
        } else {
            format!("{stem}-{number}.meas.ini")
        };
        let path = folder.join(name);
        match create(&path, text) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Err(_) => (),
        }
        // The copy of an earlier run of the same measurement, or the very file that is run.
        if fs::read(&path).is_ok_and(|existing| existing == text.as_bytes()) {
            return Ok(path);
        }
        match on_existing {
            OnExisting::Rename => number += 1,
            OnExisting::Refuse => {
                return Err(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    format!("{} exists", path.display()),
                ));
            }
            OnExisting::Overwrite => {
                write_aside(&path, text)?;
                return Ok(path);
            }
        }
    }
}

fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let written = file.write_all(text.as_bytes());
    if written.is_err() {
        // Half a copy would be taken for a whole one.
        fs::remove_file(path).ok();
    }
    written.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// The old file stays whole until the new one is.
fn write_aside(path: &Path, text: &str) -> io::Result<()> {
    let aside = path.with_extension(format!("ini.{}", std::process::id()));
    create(&aside, text)?;
    fs::rename(&aside, path)
}
