//! Writing a record: frames appended to a file that is mapped into memory.
//!
//! A row is with the operating system when [`Writer::row`] returns: the memory is the page cache, so that whatever
//! becomes of this process, the row stays. Only the power can take it, and at most what was not synced yet. Space is
//! reserved in steps ahead of the rows and given back at the end; a full disk is an error of the step.

use std::{
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use expr::Value;
use rustix::{
    fs::{FlockOperation, flock},
    time::{ClockId, clock_gettime},
};

use crate::{
    error::RecordError,
    frame::{self, HEAD, Kind, MAGIC, MAX_ARGUMENT},
    layout::{Cell, Fitting, Layout},
    packed::{self, Packed},
    parts::{Begin, FAR, FileAt, FileContent, Late, LoopValues, OpenedFile, Patch, RoundValues, pack},
    platform::{Window, reserve},
    position::Position,
    schema::{Mark, Schema},
};

/// The first step of reserved space; a short run should not take megabytes.
const FIRST_STEP: u64 = 64 * 1024;

/// The largest. Larger ones make no row faster and take memory.
const LAST_STEP: u64 = 4 * 1024 * 1024;

/// Windows begin at multiples of this: of every page size there is.
const PAGE: u64 = 64 * 1024;

/// The time of rows is written when this much of it passed.
const TIME_STEP_US: i64 = 10_000;

/// A record that is being written.
pub struct Writer {
    path: PathBuf,
    file: File,
    window: Option<Window>,
    /// Where the next frame goes.
    cursor: u64,
    /// The size of the next window.
    step: u64,
    schema: Schema,
    tables: Vec<TableState>,
    /// How far each data file was on record, and the table whose rows say so.
    files: Vec<OpenFile>,
    buffer: Vec<u8>,
    time_us: i64,
}

#[derive(Default)]
struct TableState {
    fitting: Fitting,
    /// Rows of this table so far.
    rows: u64,
    round: Option<LoopValues>,
}

struct OpenFile {
    task: u32,
    at: FileAt,
    /// The table whose rows tell how far it is.
    table: Option<usize>,
}

/// How an iteration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowEnd {
    /// The loop goes on.
    GoesOn,
    /// The loop was left by a break.
    Left,
}

impl Writer {
    /// Makes the first unused one of `<stem>.record`, `<stem>-1.record` … in `folder`.
    ///
    /// # Errors
    /// It cannot be made, or the disk is full.
    pub fn create(folder: &Path, stem: &str, schema: Schema, values: &[Value]) -> Result<Writer, RecordError> {
        if schema.tasks.len().max(schema.tables.len()) as u64 > u64::from(MAX_ARGUMENT) {
            return Err(RecordError::TooLarge("tasks"));
        }
        let (file, path) = create_unused(folder, stem)?;
        let mut writer = Writer::over(file, path, schema)?;
        let begun = writer.begin_file(values);
        if begun.is_err() {
            // Without a beginning it is of no use to anybody.
            std::fs::remove_file(&writer.path).ok();
        }
        begun.map(|()| writer)
    }

    fn begin_file(&mut self, values: &[Value]) -> Result<(), RecordError> {
        self.room(MAGIC.len())?;
        if let Some(window) = &mut self.window {
            window.store(0, &MAGIC);
        }
        self.cursor = MAGIC.len() as u64;
        let schema = serde_json::to_vec(&self.schema).unwrap_or_default();
        self.append(Kind::Schema, 0, &schema)?;
        self.append_value(Kind::Values, 0, &packed::all(values))
    }

    /// Goes on with a record whose run broke, behind the last that is valid of it.
    ///
    /// # Errors
    /// Another process writes it, or it cannot be written.
    pub fn go_on(path: &Path, position: &Position) -> Result<Writer, RecordError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(|error| io_error("open", path, error))?;
        lock(&file, path)?;
        file.set_len(position.offset)
            .map_err(|error| io_error("cut", path, error))?;
        let mut writer = Writer::over(file, path.to_owned(), position.schema.clone())?;
        writer.cursor = position.offset;
        for (state, rows) in writer.tables.iter_mut().zip(&position.rows) {
            state.rows = *rows;
        }
        // What was cut off said that these exist.
        for mark in &position.marks_to_repeat {
            writer.mark(mark)?;
        }
        for file in &position.files_to_repeat {
            writer.append_value(Kind::File, file.task, file)?;
        }
        for file in &position.files {
            let table = writer.table_of_file(file.opened.task);
            writer.files.push(OpenFile {
                task: file.opened.task,
                at: file.at,
                table,
            });
        }
        Ok(writer)
    }

    fn over(file: File, path: PathBuf, schema: Schema) -> Result<Writer, RecordError> {
        lock(&file, &path)?;
        let tables = schema.tables.iter().map(|_| TableState::default()).collect();
        Ok(Writer {
            path,
            file,
            window: None,
            cursor: 0,
            step: FIRST_STEP,
            schema,
            tables,
            files: Vec::new(),
            buffer: Vec::new(),
            time_us: 0,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes written.
    pub fn len(&self) -> u64 {
        self.cursor
    }

    pub fn is_empty(&self) -> bool {
        self.cursor == 0
    }

    /// Rows of a table so far, those of earlier rounds included.
    pub fn rows(&self, table: usize) -> u64 {
        self.tables[table].rows
    }

    /// The file, to sync it to the disk from another thread.
    ///
    /// # Errors
    /// There are no more descriptors.
    pub fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// A round of a loop begins.
    ///
    /// # Errors
    /// The record cannot be written.
    pub fn begin(&mut self, table: usize, total: Option<u64>, values: Option<LoopValues>) -> Result<(), RecordError> {
        self.tick()?;
        let values = values.map(|values| match &self.tables[table].round {
            Some(before) if before.equals(&values) => RoundValues::Same,
            Some(_) | None => {
                self.tables[table].round = Some(values.clone());
                RoundValues::New(values)
            }
        });
        self.append_value(Kind::Begin, table as u32, &Begin { total, values })
    }

    /// An iteration of a loop is complete; `values` are those of all entries, `file_at` says how far the data file of a
    /// task is.
    ///
    /// # Errors
    /// The record cannot be written.
    pub fn row(
        &mut self,
        table: usize,
        values: &[Value],
        end: RowEnd,
        file_at: &dyn Fn(u32) -> FileAt,
    ) -> Result<(), RecordError> {
        self.tick()?;
        let mut buffer = std::mem::take(&mut self.buffer);
        let done = self.row_into(&mut buffer, table, values, end, file_at);
        self.buffer = buffer;
        done
    }

    #[inline]
    fn row_into(
        &mut self,
        buffer: &mut Vec<u8>,
        table: usize,
        values: &[Value],
        end: RowEnd,
        file_at: &dyn Fn(u32) -> FileAt,
    ) -> Result<(), RecordError> {
        let varies = loop {
            if self.tables[table].fitting.layout.is_none() {
                self.lay_out(table, values)?;
            }
            buffer.clear();
            let columns = &self.schema.tables[table].columns;
            let Some(layout) = &self.tables[table].fitting.layout else {
                continue;
            };
            let mut varies = false;
            let mut fits = true;
            for (cell, entry) in layout.cells.iter().zip(columns) {
                if *cell == Cell::Any {
                    varies = true;
                } else if !cell.put(&values[*entry as usize], buffer) {
                    fits = false;
                    break;
                }
            }
            if fits {
                break varies;
            }
            self.lay_out(table, values)?;
        };
        for position in 0..self.files_of(table).len() {
            let task = self.files_of(table)[position];
            let to = file_at(task);
            let step = match self.files.iter_mut().find(|file| file.task == task) {
                Some(file) => pack(std::mem::replace(&mut file.at, to), to),
                None => None,
            };
            if step.is_none() {
                self.append_value(Kind::FileAt, task, &to)?;
            }
            buffer.extend_from_slice(&step.unwrap_or(FAR).to_le_bytes());
        }
        if varies {
            buffer.splice(..0, [u8::from(end == RowEnd::Left)]);
            if let Some(layout) = &self.tables[table].fitting.layout {
                for (cell, entry) in layout.cells.iter().zip(&self.schema.tables[table].columns) {
                    if *cell == Cell::Any {
                        let value = Packed::bytes(&values[*entry as usize]);
                        buffer.extend_from_slice(&(value.len() as u32).to_le_bytes());
                        buffer.extend_from_slice(&value);
                    }
                }
            }
            self.append(Kind::LongRow, table as u32, buffer)?;
        } else {
            let kind = match end {
                RowEnd::GoesOn => Kind::Row,
                RowEnd::Left => Kind::LastRow,
            };
            self.append(kind, table as u32, buffer)?;
        }
        self.tables[table].rows += 1;
        Ok(())
    }

    fn files_of(&self, table: usize) -> &[u32] {
        self.tables[table]
            .fitting
            .layout
            .as_ref()
            .map_or(&[], |layout| &layout.files)
    }

    #[cold]
    fn lay_out(&mut self, table: usize, values: &[Value]) -> Result<(), RecordError> {
        let files: Vec<u32> = self
            .files
            .iter()
            .filter(|file| file.table == Some(table))
            .map(|file| file.task)
            .collect();
        let columns = &self.schema.tables[table].columns;
        let values = columns.iter().map(|entry| &values[*entry as usize]);
        let layout: Layout = self.tables[table].fitting.fit(values, files).clone();
        self.append_value(Kind::Layout, table as u32, &layout)
    }

    /// A task outside the innermost loops is complete, with the values of its entries.
    ///
    /// # Errors
    /// The record cannot be written.
    pub fn done(
        &mut self,
        task: u32,
        values: &[(u32, &Value)],
        file_at: &dyn Fn(u32) -> FileAt,
    ) -> Result<(), RecordError> {
        self.tick()?;
        self.tell_file(task, file_at)?;
        let values: Vec<(u32, Packed)> = values
            .iter()
            .map(|(entry, value)| (*entry, Packed((*value).clone())))
            .collect();
        self.append_value(Kind::Done, task, &values)
    }

    /// A task's work was started in the background.
    ///
    /// # Errors
    /// The record cannot be written.
    pub fn started(&mut self, task: u32, value: Option<&Value>) -> Result<(), RecordError> {
        self.append_value(Kind::Started, task, &value.cloned().map(Packed))
    }

    /// A task's work in the background is complete.
    ///
    /// # Errors
    /// The record cannot be written.
    pub fn finished(&mut self, task: u32, file_at: &dyn Fn(u32) -> FileAt) -> Result<(), RecordError> {
        self.tick()?;
        let own: Vec<u32> = self
            .files
            .iter()
            .filter(|file| file.table.is_none() && self.schema.tasks[file.task as usize].works_in == task)
            .map(|file| file.task)
            .collect();
        for file in own {
            self.tell_file(file, file_at)?;
        }
        self.append_value(Kind::Finished, task, &())
    }

    /// Says how far a task's data file is, if it got further.
    fn tell_file(&mut self, task: u32, file_at: &dyn Fn(u32) -> FileAt) -> Result<(), RecordError> {
        let Some(file) = self.files.iter_mut().find(|file| file.task == task) else {
            return Ok(());
        };
        let to = file_at(task);
        if file.at == to {
            return Ok(());
        }
        file.at = to;
        self.append_value(Kind::FileAt, task, &to)
    }

    /// The background work `task` wrote an entry for the iteration that will be, or is, row `row` of `table`.
    ///
    /// # Errors
    /// The record cannot be written.
    pub fn late(&mut self, task: u32, entry: u32, table: usize, row: u64, value: Value) -> Result<(), RecordError> {
        let late = Late {
            entry,
            table: table as u32,
            row,
            value,
        };
        self.append_value(Kind::Late, task, &late)
    }

    /// A row of the array with fields that an entry holds was set by work in the background of `task`, or by the run (0).
    ///
    /// # Errors
    /// The record cannot be written.
    pub fn patch(&mut self, task: u32, entry: u32, row: u64, numbers: &[f64]) -> Result<(), RecordError> {
        let patch = Patch {
            entry,
            row,
            numbers: numbers.to_vec(),
        };
        self.append_value(Kind::Patch, task, &patch)
    }

    /// A task is about to open a data file; what it had open is closed. `at` is how far the file is once it is there.
    ///
    /// # Errors
    /// The record cannot be written.
    pub fn file_opened(&mut self, file: &OpenedFile, at: FileAt) -> Result<(), RecordError> {
        self.append_value(Kind::File, file.task, file)?;
        if file.content == FileContent::Whole {
            return Ok(());
        }
        let table = self.table_of_file(file.task);
        if let Some(table) = table {
            // Its rows have one thing more to say.
            self.tables[table].fitting.layout = self.tables[table]
                .fitting
                .layout
                .take()
                .filter(|layout| layout.files.contains(&file.task));
        }
        self.files.retain(|known| known.task != file.task);
        self.files.push(OpenFile {
            task: file.task,
            at,
            table,
        });
        Ok(())
    }

    /// The innermost loop whose rows tell how far the file of this task is: it is performed in the same thread.
    fn table_of_file(&self, task: u32) -> Option<usize> {
        let task = &self.schema.tasks[task as usize];
        let table = &self.schema.tables[task.table as usize];
        let same_thread = self.schema.tasks[table.task as usize].works_in == task.works_in;
        (table.is_innermost && same_thread && task.table != 0).then_some(task.table as usize)
    }

    /// Something happened to the run.
    ///
    /// # Errors
    /// The record cannot be written.
    pub fn mark(&mut self, mark: &Mark) -> Result<(), RecordError> {
        let text = serde_json::to_vec(mark).unwrap_or_default();
        self.append(Kind::Mark, 0, &text)
    }

    /// The values of all entries as the run ended, on record or not; those that loops went through stand at their begin.
    ///
    /// # Errors
    /// The record cannot be written.
    pub fn last_values(&mut self, values: &[Value]) -> Result<(), RecordError> {
        let of_loops: Vec<u32> = self
            .schema
            .tables
            .iter()
            .filter_map(|table| table.entries.loop_values)
            .collect();
        let values = (0..).zip(values).filter(|(entry, _)| !of_loops.contains(entry));
        let values: Vec<(u32, Packed)> = values.map(|(entry, value)| (entry, Packed(value.clone()))).collect();
        self.append_value(Kind::Last, 0, &values)
    }

    /// Gives back the space that was reserved and not used; more can be written.
    pub fn trim(&mut self) {
        self.window = None;
        // What is reserved beyond is zeros, which say nothing: it does no harm either.
        self.file.set_len(self.cursor).ok();
    }

    /// Writes the time if a while has passed.
    #[inline]
    fn tick(&mut self) -> Result<(), RecordError> {
        let now = clock_gettime(ClockId::RealtimeCoarse);
        let now_us = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
        if now_us - self.time_us < TIME_STEP_US && now_us >= self.time_us {
            return Ok(());
        }
        self.time_us = now_us;
        self.append(Kind::Time, 0, &now_us.to_le_bytes())
    }

    fn append_value<T: serde::Serialize + ?Sized>(
        &mut self,
        kind: Kind,
        argument: u32,
        value: &T,
    ) -> Result<(), RecordError> {
        let payload = postcard::to_stdvec(value).map_err(|error| RecordError::Senseless {
            path: self.path.clone(),
            offset: self.cursor,
            what: error.to_string(),
        })?;
        self.append(kind, argument, &payload)
    }

    /// Appends a frame. The head is stored last: without it there is no frame.
    #[inline]
    fn append(&mut self, kind: Kind, argument: u32, payload: &[u8]) -> Result<(), RecordError> {
        let length = (payload.len() as u32).to_le_bytes();
        let prefix: &[u8] = if kind.has_known_length() { &[] } else { &length };
        if u32::try_from(payload.len()).is_err() {
            return Err(RecordError::TooLarge("bytes in one value"));
        }
        let size = HEAD + prefix.len() + payload.len();
        self.room(size)?;
        let at = self.cursor;
        if let Some(window) = &mut self.window {
            let head = frame::head(kind, argument, at, payload);
            window.store(at + HEAD as u64, prefix);
            window.store(at + (HEAD + prefix.len()) as u64, payload);
            window.store(at, &head);
        }
        self.cursor = at + size as u64;
        Ok(())
    }

    /// Makes sure that `size` bytes from the cursor are mapped.
    #[inline]
    fn room(&mut self, size: usize) -> Result<(), RecordError> {
        let end = self.cursor + size as u64;
        match &mut self.window {
            Some(window) if end <= window.warm_end() => Ok(()),
            Some(window) if end <= window.end() => {
                window.warm_up();
                Ok(())
            }
            Some(_) | None => self.slide(size as u64),
        }
    }

    #[cold]
    fn slide(&mut self, size: u64) -> Result<(), RecordError> {
        let start = self.cursor / PAGE * PAGE;
        let needed = self.cursor - start + size;
        let len = needed.max(self.step).next_multiple_of(PAGE);
        // A nearly full disk may have room for this frame though not for a whole step.
        let reserved = reserve(&self.file, start, len).map(|()| len).or_else(|error| {
            let len = needed.next_multiple_of(PAGE);
            reserve(&self.file, start, len).map(|()| len).map_err(|_| error)
        });
        let len = reserved.map_err(|error| io_error("write", &self.path, error))?;
        let window =
            Window::open(&self.file, start, len as usize).map_err(|error| io_error("map", &self.path, error))?;
        self.window = Some(window);
        self.step = (self.step * 2).min(LAST_STEP);
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.trim();
    }
}

fn io_error(what: &'static str, path: &Path, error: io::Error) -> RecordError {
    RecordError::Io {
        what,
        path: path.to_owned(),
        error,
    }
}

fn create_unused(folder: &Path, stem: &str) -> Result<(File, PathBuf), RecordError> {
    let mut number = 0_u32;
    loop {
        let name = match number {
            0 => format!("{stem}.record"),
            number => format!("{stem}-{number}.record"),
        };
        let path = folder.join(name);
        match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(io_error("make", &path, error)),
        }
    }
}

/// As long as the file is open nobody else may write it; readers do not ask.
fn lock(file: &File, path: &Path) -> Result<(), RecordError> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(RecordError::InUse(path.to_owned())),
        // A file system without locks: two runs at once on one record are then the user's care.
        Err(_) => Ok(()),
    }
}
