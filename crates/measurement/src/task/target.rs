//! Where a file goes: the fields `folder` and `filename` of the tasks that save and load.
//!
//! They are joined as paths. A folder that is not absolute is below `default_path`: where else a process happens to stand
//! says nothing to those who read the file. Missing folders are made, but a check refuses those outside of
//! `default_path`: a slip in an absolute path should not grow a tree of folders somewhere.

use std::path::{Path, PathBuf};

use expr::Value;

use super::{Field, Fields, Text};
use crate::{
    check::{Check, Prepare},
    names::EntryId,
    program::{At, CompiledTemplate, Exit},
};

/// Where a file of a task goes.
#[derive(Debug)]
pub(crate) struct Target {
    folder: Text,
    pub(crate) filename: Text,
    making: Making,
}

/// Which missing folders a check lets pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Making {
    /// Those below `default_path`.
    Below,
    Any,
}

/// The field `folder` of a task that saves.
pub(crate) const FOLDER: Field = Field {
    name: "folder",
    default: "{default_path}",
    doc: "text; the folder of the file; made if it is missing below `default_path`",
};

/// The field `filename` of a task that saves.
pub(crate) const FILENAME: Field = Field {
    name: "filename",
    default: "",
    doc: "text; the name of the file, with its extension",
};

impl Target {
    pub(crate) fn read(fields: &mut Fields<'_>, folder: &str, making: Making) -> Self {
        Self {
            folder: fields.text("folder", folder),
            filename: fields.text("filename", ""),
            making,
        }
    }

    /// Whether a file can be written there; a warning if there is one.
    pub(crate) fn check(&self, check: &mut Check<'_>) {
        let Some(path) = self.path(check) else { return };
        let folder = Path::new(&path).parent().unwrap_or(Path::new("")).to_string_lossy();
        let is_below = Path::new(&*folder).starts_with(check.default_path());
        let fit = if is_below || self.making == Making::Any {
            check.surroundings.folder_or_made(&folder)
        } else {
            check.surroundings.folder(&folder)
        };
        if let Err(why) = fit {
            let problem = check.error_at("folder", format!("`{folder}`: {why}"), &self.folder, None);
            problem.hint = Some("make the folder, or save below `{default_path}`".to_owned());
        }
        if check.surroundings.is_file(&path) {
            let message = format!("`{path}` exists: it is kept, and the new file gets another name");
            check.warning_at("file", message, &self.filename).hint =
                Some("`--on-existing overwrite` replaces it, `--on-existing refuse` makes the task fail".to_owned());
        }
    }

    /// The path with the entries as they are in the check; nothing if it cannot be had, which is reported.
    pub(crate) fn path(&self, check: &mut Check<'_>) -> Option<String> {
        let folder = check.format("folder", &self.folder);
        let filename = check.format("filename", &self.filename)?;
        let default_path = check.default_path();
        if default_path.is_empty() {
            // The root says so.
            return None;
        }
        match join(&default_path, &folder?, &filename) {
            Ok(path) => Some(path),
            Err(why) => {
                let (field, text) = if filename.is_empty() {
                    ("filename", &self.filename)
                } else {
                    ("folder", &self.folder)
                };
                check.error_at(field, why, text, None);
                None
            }
        }
    }

    pub(crate) fn prepare(&self, prepare: &Prepare<'_>) -> CompiledTarget {
        self.prepare_named(prepare, &self.filename)
    }

    /// With another file name than the file's.
    pub(crate) fn prepare_named(&self, prepare: &Prepare<'_>, filename: &Text) -> CompiledTarget {
        CompiledTarget {
            folder: prepare.template("folder", &self.folder),
            filename: prepare.template("filename", filename),
            default_path: prepare.default_path(),
        }
    }
}

/// Where a file goes, made ready.
pub(crate) struct CompiledTarget {
    folder: CompiledTemplate,
    filename: CompiledTemplate,
    default_path: Option<EntryId>,
}

impl CompiledTarget {
    pub(crate) fn filename(&self, at: &At<'_>) -> Result<String, Exit> {
        at.format(&self.filename)
    }

    /// The path with the entries as they are now.
    pub(crate) fn path(&self, at: &At<'_>) -> Result<String, Exit> {
        let folder = at.format(&self.folder)?;
        let filename = self.filename(at)?;
        let mut default_path = [Value::None];
        if let Some(entry) = self.default_path {
            at.bench().read(&[entry], &mut default_path);
        }
        let [default_path] = default_path;
        join(default_path.as_str().unwrap_or_default(), &folder, &filename).map_err(|why| at.fail(why))
    }
}

fn join(default_path: &str, folder: &str, filename: &str) -> Result<String, String> {
    if filename.is_empty() {
        return Err("the file has no name".to_owned());
    }
    for part in [folder, filename] {
        if cfg!(unix) && is_of_windows(part) {
            return Err(format!("`{part}` is a path of Windows, which means nothing here"));
        }
    }
    // A folder of the text `{default_path}/run` is below it already, also where `default_path` is relative.
    let is_below = !default_path.is_empty() && Path::new(folder).starts_with(default_path);
    let path: PathBuf = if is_below {
        [folder, filename].iter().collect()
    } else {
        [default_path, folder, filename].iter().collect()
    };
    Ok(path.to_string_lossy().into_owned())
}

fn is_of_windows(path: &str) -> bool {
    let mut start = path.chars();
    let drive = start.next().is_some_and(|letter| letter.is_ascii_alphabetic());
    (drive && start.next() == Some(':') && matches!(start.next(), Some('\\' | '/'))) || path.starts_with(r"\\")
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn paths_are_joined_below_the_default_path() {
        let join = |folder, name| join("/data", folder, name);
        assert_eq!(join("/data", "a.dat").as_deref(), Ok("/data/a.dat"));
        assert_eq!(join("run/1", "a.dat").as_deref(), Ok("/data/run/1/a.dat"));
        assert_eq!(join("", "a.dat").as_deref(), Ok("/data/a.dat"));
        assert_eq!(join("/data", "/other/a.dat").as_deref(), Ok("/other/a.dat"));
        assert_eq!(super::join("data", "data", "a.dat").as_deref(), Ok("data/a.dat"));
        assert_eq!(super::join("data", "data/1", "a.dat").as_deref(), Ok("data/1/a.dat"));
        assert_eq!(super::join("data", "run", "a.dat").as_deref(), Ok("data/run/a.dat"));
        assert!(join("/data", "").is_err());
        assert!(join(r"D:\Mesures", "a.dat").is_err());
    }
}
