//! The folder of a run: whether it can be written to, and the copy of the measurement in it.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use instruments::device::DrivenBy;
use measurement::{PythonCall, PythonSide, Selected, Severity, Surroundings};
use protocol::OnExisting;

use crate::{laboratory::Laboratory, python_tasks::PythonTasks};

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

    fn folder_or_made(&self, path: &str) -> Result<(), String> {
        let there = Path::new(path)
            .ancestors()
            .find(|ancestor| fs::symlink_metadata(ancestor).is_ok())
            .unwrap_or(Path::new("."));
        self.folder(&there.to_string_lossy())
            .map_err(|why| match there == Path::new(path) {
                true => why,
                false => format!("it cannot be made in `{}`: {why}", there.display()),
            })
    }

    fn is_file(&self, path: &str) -> bool {
        fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_dir())
    }

    fn beginning(&self, path: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        fs::File::open(path)
            .ok()?
            .take(BEGINNING)
            .read_to_end(&mut bytes)
            .ok()?;
        Some(bytes)
    }

    fn datasets(&self, path: &str) -> Option<Vec<String>> {
        let contents = records::hdf5::read(Path::new(path)).ok()?;
        Some(contents.datasets.into_iter().map(|(path, _)| path).collect())
    }
}

/// A disk and a laboratory, as checks ask about them.
#[derive(Clone, Copy)]
pub struct Site<'l> {
    pub laboratory: &'l Laboratory,
    /// How bad it is that an instrument cannot be reached: looking at a file needs no instrument.
    pub missing: Severity,
    /// Where tasks in Python check themselves; nothing where they are not asked.
    pub python: Option<&'l PythonTasks>,
}

impl Surroundings for Site<'_> {
    fn folder(&self, path: &str) -> Result<(), String> {
        Disk.folder(path)
    }

    fn folder_or_made(&self, path: &str) -> Result<(), String> {
        Disk.folder_or_made(path)
    }

    fn is_file(&self, path: &str) -> bool {
        Disk.is_file(path)
    }

    fn beginning(&self, path: &str) -> Option<Vec<u8>> {
        Disk.beginning(path)
    }

    fn datasets(&self, path: &str) -> Option<Vec<String>> {
        Disk.datasets(path)
    }

    fn instrument_problem(&self, instrument: &Selected) -> Option<(Severity, String)> {
        if let Err(message) = self.laboratory.driver(instrument) {
            return Some((Severity::Error, message));
        }
        let found = self.laboratory.find(instrument);
        found.err().map(|message| (self.missing, message))
    }

    fn check_python(&self, call: &PythonCall<'_>, side: &mut dyn PythonSide) -> Result<(), String> {
        self.python.map_or(Ok(()), |python| python.check(call, side))
    }

    fn instrument_has(&self, instrument: &Selected, name: &str) -> bool {
        match self.laboratory.driver(instrument) {
            Ok(DrivenBy::File(driver)) => instruments::device::has(&driver, name),
            // What a class of Python's has is known when there is an object of it.
            Ok(DrivenBy::Python(_)) | Err(_) => true,
        }
    }
}

/// What a check looks at of a file: names of columns are there.
const BEGINNING: u64 = 1 << 16;

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
