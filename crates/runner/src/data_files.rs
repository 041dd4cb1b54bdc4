//! The data files that tasks of a run write: text and HDF5, opened at their first use and closed with the run.
//!
//! Nothing that exists is overwritten unless asked: a file whose name is taken is called `stem-1.ext`. A task that writes
//! the same whole file again replaces it; two tasks never share a file. What is appended is with the operating system
//! when the call returns, in one write: a kill leaves whole lines. A file is announced before it is made, so that the
//! record knows of it whatever happens in between.
//!
//! Deliberately absent: buffers, and locks on files: who reads one while it is written sees whole lines.

mod layout;

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use measurement::{DataFile, Datasets, Hdf5, TaskId};
use protocol::{OnExisting, Value};
use records::{
    Available, FileAt, FileContent, FileState, OpenedFile,
    hdf5::{self, Layout, Live},
};

use self::layout::{Numbers, layout};

/// The data files of one run.
pub(crate) struct DataFiles {
    on_existing: OnExisting,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: HashMap<TaskId, Arc<Mutex<Open>>>,
    /// Paths that tasks of this run write to, or wrote to.
    claimed: HashMap<PathBuf, TaskId>,
    /// By task and path: what it writes whole, and where.
    whole: HashMap<(TaskId, String), PathBuf>,
    /// Whole files that were written since the last time all was synced.
    unsynced: Vec<PathBuf>,
}

struct Open {
    path: PathBuf,
    rows: u64,
    notes: Value,
    writer: Writer,
    is_synced: bool,
}

enum Writer {
    Text { file: File, bytes: u64 },
    Hdf5(Box<Live>),
    Closed,
}

/// Told where a file will be, what it begins with and how far it is written once it is there; only then is it made. So
/// the record knows every file of the run, whenever the process dies.
pub(crate) type Announce<'a> = &'a dyn Fn(&str, FileContent, FileAt) -> Result<(), String>;

/// A file, and words for the log when it is not where the task wanted it.
pub(crate) type Made<T> = Result<(T, Option<String>), String>;

/// A path that nobody else in this run writes to.
struct Place {
    path: PathBuf,
    note: Option<String>,
    existing: Existing,
}

/// What is to become of a file that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Existing {
    /// There is none.
    Kept,
    Replaced,
}

impl DataFiles {
    pub(crate) fn new(on_existing: OnExisting) -> Self {
        Self {
            on_existing,
            state: Mutex::default(),
        }
    }

    /// Opens again what a broken run had open, cut back to what is on record: a text file to its length (its header is
    /// written if the process died before that), an HDF5 file to its rows. `whole` are files that this run may replace.
    pub(crate) fn resume(&self, files: &[FileState], whole: &[OpenedFile]) -> Result<(), String> {
        for file in whole {
            let (task, path) = (TaskId(file.task), PathBuf::from(&file.path));
            let mut state = self.state();
            state.claimed.insert(path.clone(), task);
            state.whole.insert((task, file.asked.clone()), path);
        }
        for FileState { opened, at } in files {
            let path = PathBuf::from(&opened.path);
            let writer = match &opened.content {
                FileContent::Text { header } => self.reopen_text(&path, header, at.bytes)?,
                FileContent::Hdf5 { layout } => self.reopen_hdf5(&path, layout, at.rows)?,
                FileContent::Whole => continue,
            };
            let task = TaskId(opened.task);
            self.state().claimed.insert(path.clone(), task);
            self.insert(task, path, at.rows, opened.notes.clone(), writer);
        }
        Ok(())
    }

    /// Opens again what a run had open that died while it closed its files. One that cannot be opened is closed already:
    /// the record says that all its rows were written.
    pub(crate) fn resume_closing(&self, files: &[FileState]) {
        for file in files {
            self.resume(std::slice::from_ref(file), &[]).ok();
        }
    }

    pub(crate) fn open_file(&self, task: TaskId) -> Option<DataFile> {
        let open = self.opened(task)?;
        let open = lock(&open);
        Some(DataFile {
            path: open.path.display().to_string(),
            rows: open.rows,
            notes: open.notes.clone(),
        })
    }

    /// Announces `FileContent::Text` with the header, and its length as the bytes written.
    pub(crate) fn create_text(
        &self,
        task: TaskId,
        path: &str,
        header: &[u8],
        notes: Value,
        announce: Announce<'_>,
    ) -> Made<DataFile> {
        let content = FileContent::Text {
            header: header.to_vec(),
        };
        let at = FileAt {
            bytes: header.len() as u64,
            rows: 0,
        };
        self.create(task, path, notes, (content, at), announce, |place| {
            let file = match place.existing {
                Existing::Kept => write_new(&place.path, header),
                Existing::Replaced => write_aside(&place.path, header),
            }?;
            Ok(Writer::Text { file, bytes: at.bytes })
        })
    }

    pub(crate) fn append_text(&self, task: TaskId, text: &[u8], rows: u64) -> Result<(), String> {
        let open = self.opened(task).ok_or("the task has no file open")?;
        let mut open = lock(&open);
        let Open {
            writer: Writer::Text { file, bytes },
            path,
            ..
        } = &mut *open
        else {
            return Err(format!("`{}` is no text file", open.path.display()));
        };
        if let Err(error) = file.write_all_at(text, *bytes) {
            // Half a line would be taken for a whole one; if it cannot be cut off, the disk is beyond help.
            file.set_len(*bytes).ok();
            return Err(unwritable(path, &error));
        }
        *bytes += text.len() as u64;
        open.rows += rows;
        open.is_synced = false;
        Ok(())
    }

    /// Announces `FileContent::Hdf5` with `records::hdf5::Layout` in postcard, and nothing written.
    pub(crate) fn create_hdf5(
        &self,
        task: TaskId,
        path: &str,
        file: &Hdf5,
        notes: Value,
        announce: Announce<'_>,
    ) -> Made<DataFile> {
        let layout = layout(file)?;
        let bytes = postcard::to_stdvec(&layout).map_err(|error| error.to_string())?;
        let content = FileContent::Hdf5 { layout: bytes };
        self.create(task, path, notes, (content, FileAt::default()), announce, |place| {
            if place.existing == Existing::Replaced {
                fs::remove_file(&place.path)?;
            }
            Live::create(&place.path, &layout).map(|live| Writer::Hdf5(Box::new(live)))
        })
    }

    pub(crate) fn append_hdf5(&self, task: TaskId, values: &[Value]) -> Result<(), String> {
        let open = self.opened(task).ok_or("the task has no file open")?;
        let mut open = lock(&open);
        let Writer::Hdf5(live) = &mut open.writer else {
            return Err(format!("`{}` is no HDF5 file", open.path.display()));
        };
        let mut numbers = Vec::with_capacity(values.len());
        for value in values {
            let found = Numbers::of(value);
            numbers.push(found.ok_or_else(|| format!("TypeError: {} is no number", value.repr()))?);
        }
        let cells: Vec<_> = numbers.iter().map(Numbers::cells).collect();
        live.append(&cells).map_err(|error| with_cause(&error))?;
        open.rows += 1;
        open.is_synced = false;
        Ok(())
    }

    pub(crate) fn close(&self, task: TaskId) -> Result<(), String> {
        let open = self.state().open.remove(&task);
        let Some(open) = open else { return Ok(()) };
        lock(&open).close()
    }

    /// Lets everything go as it is, for a run that may go on: an HDF5 file that is closed cannot be opened again.
    pub(crate) fn leave_all(&self) {
        self.sync_all();
        self.state().open.clear();
    }

    /// Closes everything, at the end of the run; what went wrong, by path.
    pub(crate) fn close_all(&self) -> Vec<String> {
        let tasks: Vec<TaskId> = self.state().open.keys().copied().collect();
        tasks.into_iter().filter_map(|task| self.close(task).err()).collect()
    }

    /// Announces `FileContent::Whole` when this task writes to this path for the first time.
    pub(crate) fn write_whole(&self, task: TaskId, path: &str, content: &[u8], announce: Announce<'_>) -> Made<String> {
        let asked = (task, path.to_owned());
        let known = self.state().whole.get(&asked).cloned();
        let (path, note) = match known {
            Some(path) => {
                write_aside(&path, content).map_err(|error| unwritable(&path, &error))?;
                (path, None)
            }
            None => {
                let place = self.place(task, Path::new(path), |place| {
                    announce(&place.path.display().to_string(), FileContent::Whole, FileAt::default())?;
                    match place.existing {
                        Existing::Kept => Ok(write_new(&place.path, content).map(drop)),
                        Existing::Replaced => Ok(write_aside(&place.path, content).map(drop)),
                    }
                })?;
                let (place, ()) = place;
                self.state().whole.insert(asked, place.path.clone());
                (place.path, place.note)
            }
        };
        let made = path.display().to_string();
        self.state().unsynced.push(path);
        Ok((made, note))
    }

    pub(crate) fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        fs::read(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => format!("FileNotFoundError: there is no file `{path}`"),
            _ => format!("OSError: `{path}` cannot be read: {error}"),
        })
    }

    pub(crate) fn read_hdf5(&self, path: &str) -> Result<(Datasets, Option<i64>), String> {
        let contents = hdf5::read(Path::new(path)).map_err(|error| format!("`{path}`: {}", with_cause(&error)))?;
        Ok(layout::values(contents))
    }

    /// Syncs what was written since the last time to the disk.
    pub(crate) fn sync_all(&self) {
        let (open, whole) = {
            let mut state = self.state();
            let open: Vec<_> = state.open.values().cloned().collect();
            (open, std::mem::take(&mut state.unsynced))
        };
        for open in open {
            let mut open = lock(&open);
            if !open.is_synced {
                open.is_synced = open.sync().is_ok();
            }
        }
        for path in whole {
            // One that is gone needs no sync; one that cannot be synced will be as safe as the disk is.
            File::open(path).and_then(|file| file.sync_data()).ok();
        }
    }

    fn create(
        &self,
        task: TaskId,
        path: &str,
        notes: Value,
        (content, at): (FileContent, FileAt),
        announce: Announce<'_>,
        make: impl Fn(&Place) -> io::Result<Writer>,
    ) -> Made<DataFile> {
        self.close(task)?;
        let (place, writer) = self.place(task, Path::new(path), |place| {
            announce(&place.path.display().to_string(), content.clone(), at)?;
            Ok(make(place))
        })?;
        self.insert(task, place.path.clone(), 0, notes.clone(), writer);
        let file = DataFile {
            path: place.path.display().to_string(),
            rows: 0,
            notes,
        };
        Ok((file, place.note))
    }

    /// Finds a path and makes what belongs there; again with the next when somebody else was faster.
    fn place<T>(
        &self,
        task: TaskId,
        asked: &Path,
        make: impl Fn(&Place) -> Result<io::Result<T>, String>,
    ) -> Result<(Place, T), String> {
        if let Some(folder) = asked.parent() {
            fs::create_dir_all(folder)
                .map_err(|error| format!("the folder `{}` cannot be made: {error}", folder.display()))?;
        }
        loop {
            let (place, before) = self.claim(task, asked)?;
            let why = match make(&place) {
                Ok(Ok(made)) => return Ok((place, made)),
                Ok(Err(error)) if error.kind() == io::ErrorKind::AlreadyExists => None,
                Ok(Err(error)) => Some(unwritable(&place.path, &error)),
                Err(why) => Some(why),
            };
            let mut state = self.state();
            match before {
                Some(owner) => state.claimed.insert(place.path, owner),
                None => state.claimed.remove(&place.path),
            };
            if let Some(why) = why {
                return Err(why);
            }
        }
    }

    /// Takes the path that was asked for, or one beside it; also who had it before.
    fn claim(&self, task: TaskId, asked: &Path) -> Result<(Place, Option<TaskId>), String> {
        let mut state = self.state();
        let mut number = 0;
        loop {
            let path = if number == 0 {
                asked.to_owned()
            } else {
                beside(asked, number)
            };
            let owner = state.claimed.get(&path).copied();
            let is_others = owner.is_some_and(|owner| owner != task);
            let exists = fs::symlink_metadata(&path).is_ok();
            let existing = match (exists, self.on_existing) {
                (false, _) if !is_others => Existing::Kept,
                (true, OnExisting::Overwrite) if !is_others && path.is_file() => Existing::Replaced,
                (_, OnExisting::Refuse) => {
                    return Err(format!("`{}` exists, and nothing may be overwritten", path.display()));
                }
                (_, OnExisting::Rename | OnExisting::Overwrite) => {
                    number += 1;
                    continue;
                }
            };
            let note = (number > 0).then(|| {
                let why = match state.claimed.get(asked) {
                    Some(owner) if *owner != task => "is another task's",
                    Some(_) | None => "exists",
                };
                format!("{} {why}: what is saved goes to {}", asked.display(), path.display())
            });
            state.claimed.insert(path.clone(), task);
            return Ok((Place { path, note, existing }, owner));
        }
    }

    fn reopen_text(&self, path: &Path, header: &[u8], bytes: u64) -> Result<Writer, String> {
        let failed = |error: io::Error| unwritable(path, &error);
        let begun = bytes > header.len() as u64;
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !begun => {
                write_new(path, header).map_err(failed)?
            }
            Err(error) => return Err(failed(error)),
        };
        let mut beginning = vec![0; header.len()];
        let is_ours = file.read_exact_at(&mut beginning, 0).is_ok() && beginning == header;
        let length = file.metadata().map_err(failed)?.len();
        let file = match (is_ours, begun) {
            (true, _) if length >= bytes => file,
            // The process died before it replaced what it was allowed to.
            (false, false) if self.on_existing == OnExisting::Overwrite => write_aside(path, header).map_err(failed)?,
            (true | false, _) => {
                return Err(format!(
                    "`{}` is not the file that was being written, or lost its end",
                    path.display()
                ));
            }
        };
        let bytes = bytes.max(header.len() as u64);
        file.set_len(bytes).map_err(failed)?;
        Ok(Writer::Text { file, bytes })
    }

    fn reopen_hdf5(&self, path: &Path, layout: &[u8], rows: u64) -> Result<Writer, String> {
        let layout: Layout = postcard::from_bytes(layout)
            .map_err(|error| format!("the layout of `{}` on record cannot be read: {error}", path.display()))?;
        let failed = |error: io::Error| format!("`{}` cannot be written again: {error}", path.display());
        let live = match Live::reopen(path, &layout, rows) {
            Err(error) if rows == 0 && error.kind() == io::ErrorKind::NotFound => Live::create(path, &layout),
            // The process died before it replaced what it was allowed to.
            Err(_) if rows == 0 && self.on_existing == OnExisting::Overwrite => {
                fs::remove_file(path).map_err(failed)?;
                Live::create(path, &layout)
            }
            other => other,
        };
        live.map(|live| Writer::Hdf5(Box::new(live))).map_err(failed)
    }

    fn insert(&self, task: TaskId, path: PathBuf, rows: u64, notes: Value, writer: Writer) {
        let open = Open {
            path,
            rows,
            notes,
            writer,
            is_synced: false,
        };
        self.state().open.insert(task, Arc::new(Mutex::new(open)));
    }

    fn opened(&self, task: TaskId) -> Option<Arc<Mutex<Open>>> {
        self.state().open.get(&task).cloned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for DataFiles {
    /// Files are finished even if nobody asked; who wants to know what went wrong asks before.
    fn drop(&mut self) {
        self.close_all();
    }
}

impl Open {
    fn sync(&self) -> io::Result<()> {
        match &self.writer {
            Writer::Text { file, .. } => file.sync_data(),
            Writer::Hdf5(live) => live.sync(),
            Writer::Closed => Ok(()),
        }
    }

    fn close(&mut self) -> Result<(), String> {
        match std::mem::replace(&mut self.writer, Writer::Closed) {
            Writer::Text { .. } | Writer::Closed => Ok(()),
            Writer::Hdf5(live) => live.finish().map_err(|error| unwritable(&self.path, &error)),
        }
    }
}

/// What the disk has of a file on record; of an HDF5 file the rows, of a text file the bytes, the other of both without limit.
pub(crate) fn available(file: &OpenedFile) -> Available {
    let Ok(metadata) = fs::metadata(&file.path) else {
        return Available::Missing;
    };
    let without_limit = FileAt {
        bytes: u64::MAX,
        rows: u64::MAX,
    };
    match &file.content {
        FileContent::Text { .. } => Available::UpTo(FileAt {
            bytes: metadata.len(),
            ..without_limit
        }),
        FileContent::Hdf5 { .. } => {
            let calls = hdf5::read(Path::new(&file.path))
                .ok()
                .and_then(|contents| layout::calls(&contents));
            Available::UpTo(FileAt {
                rows: calls.and_then(|calls| u64::try_from(calls).ok()).unwrap_or(0),
                ..without_limit
            })
        }
        FileContent::Whole => Available::UpTo(without_limit),
    }
}

/// `stem-1.ext` for `stem.ext`.
fn beside(path: &Path, number: u32) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path
        .extension()
        .map(|extension| format!(".{}", extension.to_string_lossy()));
    path.with_file_name(format!("{stem}-{number}{}", extension.unwrap_or_default()))
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
    let written = file.write_all_at(content, 0);
    if written.is_err() {
        // Half a file would be taken for a whole one.
        fs::remove_file(path).ok();
    }
    written.map(|()| file)
}

/// The old file stays whole until the new one is.
fn write_aside(path: &Path, content: &[u8]) -> io::Result<File> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&aside)?;
    let written = file.write_all_at(content, 0).and_then(|()| fs::rename(&aside, path));
    if written.is_err() {
        fs::remove_file(&aside).ok();
    }
    written.map(|()| file)
}

fn unwritable(path: &Path, error: &io::Error) -> String {
    format!("OSError: `{}` cannot be written: {error}", path.display())
}

fn with_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("OSError: {error}: {cause}"),
        None => format!("ValueError: {error}"),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
