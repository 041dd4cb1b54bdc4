//! A file that is written beside its place and appears there whole.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::fs::{CWD, RenameFlags, renameat_with};

/// Makes names of this process different; those of others differ by its number.
static MADE: AtomicU64 = AtomicU64::new(0);

/// A file under another name, which goes if it never appears.
#[derive(Debug)]
pub(crate) struct Aside {
    file: File,
    path: PathBuf,
    place: PathBuf,
}

impl Aside {
    /// # Errors
    /// The folder is not there or cannot be written.
    pub(crate) fn create(place: &Path) -> io::Result<Self> {
        let name = place
            .file_name()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path of a file has no name"))?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(
            ".{}-{}",
            std::process::id(),
            MADE.fetch_add(1, Ordering::Relaxed)
        ));
        let path = place.with_file_name(hidden);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)?;
        Ok(Self {
            file,
            path,
            place: place.to_owned(),
        })
    }

    /// Another handle on it, which stays good when it has appeared.
    pub(crate) fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Gives it its name, unless something has it.
    ///
    /// # Errors
    /// Something is there.
    pub(crate) fn appear(self) -> io::Result<()> {
        use rustix::io::Errno;
        match renameat_with(CWD, &self.path, CWD, &self.place, RenameFlags::NOREPLACE) {
            // File systems that cannot do that can make a second name, which does not replace either; the first one
            // goes with `self`.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => fs::hard_link(&self.path, &self.place)?,
            done => done?,
        }
        sync_folder(&self.place)
    }

    /// Gives it its name, from whatever has it.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(crate) fn replace(self) -> io::Result<()> {
        fs::rename(&self.path, &self.place)?;
        sync_folder(&self.place)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // It has another name by now if all went well; if not, there is nobody left to tell.
        fs::remove_file(&self.path).ok();
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
