//! Files and folders that appear whole or not at all: written beside their place under another name, made durable, renamed.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use super::{Existing, ExportError};

/// Refuses a path that is taken, unless it may be overwritten.
pub(super) fn refuse(path: &Path, existing: Existing) -> Result<(), ExportError> {
    match existing {
        Existing::Refuse if path.symlink_metadata().is_ok() => Err(ExportError::Exists(path.to_owned())),
        Existing::Refuse | Existing::Overwrite => Ok(()),
    }
}

/// Writes a file.
pub(crate) fn file(
    path: &Path,
    existing: Existing,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), ExportError> {
    refuse(path, existing)?;
    let aside = name_aside(path);
    let written = File::create(&aside).and_then(|file| {
        let mut out = BufWriter::with_capacity(1 << 18, file);
        write(&mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    });
    let done = written
        .map_err(|source| ExportError::Io {
            path: path.to_owned(),
            source,
        })
        .and_then(|()| into_place(&aside, path, existing));
    if done.is_err() {
        fs::remove_file(&aside).ok(); // What could not be finished is of no use to anybody.
    }
    done
}

/// Writes a folder.
pub(super) fn folder(
    path: &Path,
    existing: Existing,
    write: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), ExportError> {
    refuse(path, existing)?;
    let aside = name_aside(path);
    let done = fs::create_dir(&aside)
        .and_then(|()| write(&aside))
        .map_err(|source| ExportError::Io {
            path: path.to_owned(),
            source,
        })
        .and_then(|()| into_place(&aside, path, existing));
    if done.is_err() {
        fs::remove_dir_all(&aside).ok(); // What could not be finished is of no use to anybody.
    }
    done
}

/// A file inside a folder that is not in its place yet.
pub(super) fn part(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn into_place(aside: &Path, path: &Path, existing: Existing) -> Result<(), ExportError> {
    refuse(path, existing)?;
    let io = |source| ExportError::Io {
        path: path.to_owned(),
        source,
    };
    if path.is_dir() {
        // A folder takes the place of an empty one only.
        let old = name_aside(&path.with_extension("old"));
        fs::rename(path, &old).map_err(io)?;
        if let Err(error) = fs::rename(aside, path) {
            fs::rename(&old, path).ok(); // The error that is reported says more than this one could.
            return Err(io(error));
        }
        return fs::remove_dir_all(&old).map_err(io);
    }
    if aside.is_dir() && path.is_file() {
        fs::remove_file(path).map_err(io)?;
    }
    fs::rename(aside, path).map_err(io)
}

fn name_aside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}
