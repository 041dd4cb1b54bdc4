//! What can be wrong with a record.

use std::{fmt, io, path::PathBuf};

/// Why a record cannot be written, read or gone on with.
#[derive(Debug)]
pub enum RecordError {
    /// The operating system refused `what`.
    Io {
        what: &'static str,
        path: PathBuf,
        error: io::Error,
    },
    /// The file is something else.
    NotARecord(PathBuf),
    /// Another version of the program wrote it.
    OtherFormat { path: PathBuf, format: u32 },
    /// Not even its beginning is whole.
    NoBeginning(PathBuf),
    /// Another process is writing it.
    InUse(PathBuf),
    /// It holds something that cannot be.
    Senseless { path: PathBuf, offset: u64, what: String },
    /// The measurement is larger than the format allows.
    TooLarge(&'static str),
}

impl RecordError {
    /// Whether there is no room left to write.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, RecordError::Io { error, .. } if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordError::Io { what, path, error } => write!(f, "cannot {what} `{}`: {error}", path.display()),
            RecordError::NotARecord(path) => write!(f, "`{}` is no record of a run", path.display()),
            RecordError::OtherFormat { path, format } => write!(
                f,
                "`{}` was written in format {format} of another version of this program; this one knows format {}",
                path.display(),
                crate::schema::FORMAT
            ),
            RecordError::NoBeginning(path) => write!(
                f,
                "`{}` has no whole beginning: the run ended before anything was on record",
                path.display()
            ),
            RecordError::InUse(path) => {
                write!(
                    f,
                    "`{}` is being written by a run that is still going on",
                    path.display()
                )
            }
            RecordError::Senseless { path, offset, what } => {
                write!(f, "`{}` makes no sense at byte {offset}: {what}", path.display())
            }
            RecordError::TooLarge(what) => write!(f, "the measurement has too many {what} for a record"),
        }
    }
}

impl std::error::Error for RecordError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            RecordError::Io { error, .. } => Some(error),
            RecordError::NotARecord(_)
            | RecordError::OtherFormat { .. }
            | RecordError::NoBeginning(_)
            | RecordError::InUse(_)
            | RecordError::Senseless { .. }
            | RecordError::TooLarge(_) => None,
        }
    }
}
