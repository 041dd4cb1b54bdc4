//! What a check asks of this machine: whether a folder is fit to write to, and the day.

use std::path::Path;

use jiff::Zoned;
use measurement::{Selected, Severity, Surroundings};
use runner::{Disk, Laboratory, Site};

/// The folders of this machine.
#[derive(Debug)]
pub(crate) struct Folders {
    /// The folder that a run makes if there is none.
    pub(crate) made: Option<String>,
    pub(crate) laboratory: Laboratory,
    /// How bad it is that an instrument cannot be reached.
    pub(crate) missing: Severity,
}

impl Folders {
    fn site(&self) -> Site<'_> {
        Site {
            laboratory: &self.laboratory,
            missing: self.missing,
            // They check themselves in the process that performs.
            python: None,
        }
    }
}

impl Surroundings for Folders {
    fn folder(&self, path: &str) -> Result<(), String> {
        let will_be_made = self.made.as_deref() == Some(path) && !Path::new(path).exists();
        if will_be_made { Ok(()) } else { Disk.folder(path) }
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
        self.site().instrument_problem(instrument)
    }

    fn instrument_has(&self, instrument: &Selected, name: &str) -> bool {
        self.site().instrument_has(instrument, name)
    }
}

/// The local day and time as measurements have them: `YYYY-MM-DD` and `HH-MM-SS`.
pub(crate) fn day_and_time() -> (String, String) {
    let now = Zoned::now();
    (
        now.strftime("%Y-%m-%d").to_string(),
        now.strftime("%H-%M-%S").to_string(),
    )
}
