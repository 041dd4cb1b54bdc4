//! What a check asks of this machine: whether a folder is fit to write to, and the day.

use std::path::Path;

use jiff::Zoned;
use measurement::Surroundings;
use rustix::fs::{Access, access};

/// The folders of this machine.
#[derive(Debug, Default)]
pub(crate) struct Folders {
    /// The folder that a run makes if there is none.
    pub(crate) made: Option<String>,
}

impl Surroundings for Folders {
    fn folder(&self, path: &str) -> Result<(), String> {
        let folder = Path::new(path);
        match folder.metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if self.made.as_deref() == Some(path) {
                    Ok(())
                } else {
                    Err("there is no such folder".to_owned())
                }
            }
            Err(error) => Err(error.to_string()),
            Ok(found) if !found.is_dir() => Err("it is a file, not a folder".to_owned()),
            Ok(_) => access(folder, Access::WRITE_OK | Access::EXEC_OK)
                .map_err(|error| format!("no file can be written there: {error}")),
        }
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
