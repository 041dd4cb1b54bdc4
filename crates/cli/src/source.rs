//! A file on its way in: its bytes, how it is called on the screen, and what could be read in it.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use measurement::{Measurement, Overrides, Problem, Source};
use runner::PythonTasks;

use crate::complaint::Complaint;

/// No measurement is longer; who names a data file by mistake is told so instead of waiting.
const LONGEST: u64 = 64 << 20;

/// The bytes of a file, or of standard input for `-`.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Complaint> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes)
    } else {
        if path.is_dir() {
            let hint = "name the file in it, ending in `.meas.ini` most likely";
            return Err(Complaint::new(format!("`{}` is a folder, not a file", path.display())).hint(hint));
        }
        File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
    };
    match read {
        Err(error) => Err(Complaint::of_file("read", path, &error)),
        Ok(_) if bytes.len() as u64 > LONGEST => Err(Complaint::new(format!(
            "`{}` is longer than 64 MB, so it is no measurement",
            path.display()
        ))),
        Ok(_) => Ok(bytes),
    }
}

/// The name of a measurement whose file has none: `rabi` of `rabi.task.ini`.
fn stem(path: &Path) -> String {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let known = [".meas.ini", ".task.ini", ".ini"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending));
    match known.unwrap_or(&name) {
        "" | "-" => "measurement".to_owned(),
        stem => stem.to_owned(),
    }
}

/// Modules of Python are looked for beside the measurement first.
pub(crate) fn with_modules(setup: &protocol::Laboratory, file: &Path) -> protocol::Laboratory {
    let mut setup = setup.clone();
    let folder = std::path::absolute(file)
        .ok()
        .and_then(|file| Some(file.parent()?.display().to_string()));
    setup.modules.extend(folder);
    setup
}

/// A file that was looked at.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// How the file is called: its path as it was given.
    pub(crate) label: String,
    /// Nothing if the text is no measurement.
    pub(crate) measurement: Option<Measurement>,
    /// What reading and building found.
    pub(crate) problems: Vec<Problem>,
    /// The text of a file that is no measurement, for its carets.
    text: String,
}

impl Loaded {
    /// `setup` says where the tasks of Python are that the file may have.
    pub(crate) fn open(path: &Path, overrides: &Overrides, setup: &protocol::Laboratory) -> Result<Loaded, Complaint> {
        let bytes = bytes(path)?;
        let setup = with_modules(setup, path);
        let label = if path == Path::new("-") {
            "standard input".to_owned()
        } else {
            path.display().to_string()
        };
        Ok(Loaded::of_bytes(label, &stem(path), bytes, overrides, &setup))
    }

    /// A measurement whose text is kept elsewhere; `label` is what it is called.
    pub(crate) fn of_text(label: &str, text: &str, overrides: &Overrides, setup: &protocol::Laboratory) -> Loaded {
        Loaded::of_bytes(
            label.to_owned(),
            &stem(Path::new(label)),
            text.as_bytes().to_vec(),
            overrides,
            &with_modules(setup, Path::new(label)),
        )
    }

    fn of_bytes(
        label: String,
        stem: &str,
        bytes: Vec<u8>,
        overrides: &Overrides,
        setup: &protocol::Laboratory,
    ) -> Loaded {
        let mut loaded = Loaded {
            label,
            measurement: None,
            problems: Vec::new(),
            text: String::new(),
        };
        match Measurement::read_with(&bytes, stem, overrides, &PythonTasks::for_reading(setup)) {
            Ok(measurement) => {
                loaded.problems.clone_from(&measurement.problems);
                loaded.measurement = Some(measurement);
            }
            Err(problems) => {
                loaded.problems = problems;
                // Places in bytes that are no text would be wrong in what could be shown of them.
                loaded.text = String::from_utf8(bytes).unwrap_or_default();
            }
        }
        loaded
    }

    /// The measurement, if it can be performed.
    pub(crate) fn built(&self) -> Option<&Measurement> {
        self.measurement.as_ref().filter(|measurement| measurement.is_built())
    }
}

impl Source for Loaded {
    fn source(&self) -> &str {
        self.measurement.as_ref().map_or(&self.text, Source::source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_without_a_name_is_called_as_its_file() {
        assert_eq!(stem(Path::new("a/rabi.task.ini")), "rabi");
        assert_eq!(stem(Path::new("x.y.meas.ini")), "x.y");
        assert_eq!(stem(Path::new("notes")), "notes");
        assert_eq!(stem(Path::new("-")), "measurement");
    }
}
