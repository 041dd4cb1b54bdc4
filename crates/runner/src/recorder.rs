//! The record of the run that is performed: what tasks did becomes frames, and the disk keeps up with them.
//!
//! Rows are with the operating system when the loop goes on. A thread syncs them to the disk, with the data files, each
//! flush interval; the loop does not wait for it.

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use measurement::{EntryId, RoundValues, Tables, TaskId, Tree};
use protocol::Value;
use records::{
    FORMAT, FileAt, LoopEntries, LoopValues, Mark, OpenedFile, RecordError, RowEnd, RunFacts, Schema, TableFacts,
    TaskFacts, What, Writer,
};

use crate::{live_bench::lock, outbox::now_us, store::Store};

/// The record of a run, and what of the run goes where in it.
pub(crate) struct Recorder {
    writer: Mutex<Writer>,
    plan: Tables,
    /// How far each task's data file is; by task.
    files: Vec<FileCell>,
}

#[derive(Default)]
struct FileCell {
    bytes: AtomicU64,
    rows: AtomicU64,
}

/// Work in the background: the task, and the iteration that it was started in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) task: TaskId,
    table: usize,
    row: u64,
}

impl Recorder {
    pub(crate) fn new(writer: Writer, plan: Tables) -> Self {
        let files = plan.tasks.iter().map(|_| FileCell::default()).collect();
        Self {
            writer: Mutex::new(writer),
            plan,
            files,
        }
    }

    pub(crate) fn path(&self) -> String {
        lock(&self.writer).path().display().to_string()
    }

    pub(crate) fn round(
        &self,
        task: TaskId,
        total: Option<u64>,
        values: Option<RoundValues<'_>>,
    ) -> Result<(), String> {
        let Some(table) = self.plan.tasks[task.index()].own_table else {
            return Ok(());
        };
        let values = values.map(|round| LoopValues {
            array: round.array.clone(),
            values: round.values.cloned(),
        });
        lock(&self.writer).begin(table, total, values).map_err(words)
    }

    #[inline]
    pub(crate) fn iteration(&self, task: TaskId, is_left: bool, store: &Store) -> Result<(), String> {
        let Some(table) = self.plan.tasks[task.index()].own_table else {
            return Ok(());
        };
        let end = if is_left { RowEnd::Left } else { RowEnd::GoesOn };
        let mut writer = lock(&self.writer);
        store
            .with_all(|values| writer.row(table, values, end, &|task| self.file_at(task)))
            .map_err(words)
    }

    pub(crate) fn done(&self, task: TaskId, store: &Store) -> Result<(), String> {
        let entries = &self.plan.tasks[task.index()].entries;
        let values: Vec<(u32, Value)> = entries.iter().map(|entry| (entry.0, store.get(*entry))).collect();
        let values: Vec<(u32, &Value)> = values.iter().map(|(entry, value)| (*entry, value)).collect();
        lock(&self.writer)
            .done(task.0, &values, &|task| self.file_at(task))
            .map_err(words)
    }

    /// Work is started in the background.
    pub(crate) fn started(&self, task: TaskId, value: Option<&Value>) -> Result<Origin, String> {
        let mut writer = lock(&self.writer);
        writer.started(task.0, value).map_err(words)?;
        Ok(self.origin_of(task, &writer))
    }

    /// Where work belongs that goes on in the background of a resumed run.
    pub(crate) fn origin(&self, task: TaskId) -> Origin {
        self.origin_of(task, &lock(&self.writer))
    }

    fn origin_of(&self, task: TaskId, writer: &Writer) -> Origin {
        let table = self.plan.tasks[task.index()].table;
        Origin {
            task,
            table,
            row: writer.rows(table),
        }
    }

    pub(crate) fn finished(&self, task: TaskId) -> Result<(), String> {
        lock(&self.writer)
            .finished(task.0, &|task| self.file_at(task))
            .map_err(words)
    }

    /// Work in the background wrote an entry. What belongs to a loop of its own is in the rows of that.
    pub(crate) fn late(&self, origin: Origin, entry: EntryId, value: Value) -> Result<(), String> {
        if !self.plan.tables[origin.table].columns.contains(&entry) {
            return Ok(());
        }
        lock(&self.writer)
            .late(origin.task.0, entry.0, origin.table, origin.row, value)
            .map_err(words)
    }

    /// Whether this entry goes on record row by row: then the array that the rows are in must be there before them.
    #[inline]
    pub(crate) fn is_by_row(&self, entry: EntryId) -> bool {
        !self.plan.by_row.is_empty() && self.plan.by_row.contains(&entry)
    }

    /// The array of an entry that goes on record row by row, written in the background of `thread`, or by the run.
    pub(crate) fn whole(&self, thread: TaskId, entry: EntryId, value: Value) -> Result<(), String> {
        lock(&self.writer).late(thread.0, entry.0, 0, 0, value).map_err(words)
    }

    /// A row of an array with fields was set by `task`.
    pub(crate) fn patch(&self, thread: TaskId, entry: EntryId, row: usize, numbers: &[f64]) -> Result<(), String> {
        lock(&self.writer)
            .patch(thread.0, entry.0, row as u64, numbers)
            .map_err(words)
    }

    /// A task is about to open a data file.
    pub(crate) fn file_opened(&self, file: &OpenedFile, at: FileAt) -> Result<(), String> {
        self.set_file_at(TaskId(file.task), at);
        lock(&self.writer).file_opened(file, at).map_err(words)
    }

    /// How far a task's data file is now.
    pub(crate) fn set_file_at(&self, task: TaskId, at: FileAt) {
        let cell = &self.files[task.index()];
        cell.bytes.store(at.bytes, Ordering::Release);
        cell.rows.store(at.rows, Ordering::Release);
    }

    /// The data file of a task got further.
    pub(crate) fn file_grew(&self, task: TaskId, bytes: u64, rows: u64) {
        let cell = &self.files[task.index()];
        cell.bytes.fetch_add(bytes, Ordering::AcqRel);
        cell.rows.fetch_add(rows, Ordering::AcqRel);
    }

    fn file_at(&self, task: u32) -> FileAt {
        let cell = &self.files[task as usize];
        FileAt {
            bytes: cell.bytes.load(Ordering::Acquire),
            rows: cell.rows.load(Ordering::Acquire),
        }
    }

    /// Something happened; that it cannot be written is found by the next row.
    pub(crate) fn mark(&self, what: What) {
        let mark = Mark {
            time_us: now_us(),
            what,
        };
        lock(&self.writer).mark(&mark).ok();
    }

    /// The last words: how the run ended, and the values of all entries, on record or not.
    pub(crate) fn end(&self, outcome: &str, errors: &[(String, String)], store: &Store) -> Result<(), String> {
        let mut writer = lock(&self.writer);
        store.with_all(|values| writer.last_values(values)).map_err(words)?;
        let mark = Mark {
            time_us: now_us(),
            what: What::Ended {
                outcome: outcome.to_owned(),
                errors: errors.to_vec(),
            },
        };
        writer.mark(&mark).map_err(words)?;
        writer.trim();
        Ok(())
    }

    /// Rows of the innermost loops.
    pub(crate) fn points(&self) -> u64 {
        let writer = lock(&self.writer);
        let innermost = self
            .plan
            .tables
            .iter()
            .enumerate()
            .filter(|(_, table)| table.is_innermost);
        innermost.map(|(number, _)| writer.rows(number)).sum()
    }

    fn len(&self) -> u64 {
        lock(&self.writer).len()
    }

    fn sync(&self) -> std::io::Result<()> {
        // A file of its own, so that rows are written while the disk works.
        let file = lock(&self.writer).file()?;
        file.sync_data()
    }
}

/// How every error of a record that is being written begins.
pub(crate) const UNWRITABLE: &str = "the record of the run cannot be written";

fn words(error: RecordError) -> String {
    let hint = if error.is_disk_full() {
        "; make room, and `measurand resume` goes on where the run was"
    } else {
        ""
    };
    format!("{UNWRITABLE}: {error}{hint}")
}

/// What a record says about this measurement.
pub(crate) fn schema(tree: &Tree, plan: &Tables, run: RunFacts) -> Schema {
    let entry = |entry: EntryId| entry.0;
    let tasks = plan.tasks.iter().zip(tree.nodes()).map(|(task, node)| TaskFacts {
        path: node.path.clone(),
        parent: node.parent.map(|parent| parent.0),
        works_in: task.works_in.0,
        called_in: task.called_in.0,
        table: task.table as u32,
    });
    let tables = plan.tables.iter().map(|table| TableFacts {
        task: table.task.0,
        parent: table.parent.map(|parent| parent as u32),
        columns: table.columns.iter().copied().map(entry).collect(),
        entries: LoopEntries {
            point_number: table.point_number.map(entry),
            index: table.index.map(entry),
            value: table.value.map(entry),
            loop_values: table.loop_values.map(entry),
        },
        is_innermost: table.is_innermost,
        has_values: table.has_values,
    });
    Schema {
        format: FORMAT,
        run,
        tasks: tasks.collect(),
        entries: tree
            .database()
            .entries()
            .iter()
            .map(|entry| entry.path.clone())
            .collect(),
        units: units(tree),
        tables: tables.collect(),
    }
}

/// The units of entries, as far as their kinds know them.
fn units(tree: &Tree) -> Vec<(u32, String)> {
    let of_task = |number: usize| {
        let task = TaskId(number as u32);
        let kind = tree.node(task).kind();
        tree.entries_of(task)
            .into_iter()
            .filter_map(move |(name, entry)| Some((entry.0, kind?.unit(&name)?.to_owned())))
    };
    (0..tree.nodes().len()).flat_map(of_task).collect()
}

/// Syncs the record and the data files to the disk now and then, until it is dropped.
pub(crate) struct Flusher {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Flusher {
    /// `sync_files` syncs the data files.
    pub(crate) fn start(
        recorder: Arc<Recorder>,
        interval: Duration,
        sync_files: impl Fn() + Send + 'static,
    ) -> std::io::Result<Flusher> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let own = stop.clone();
        let body = move || {
            let mut synced = 0;
            loop {
                let guard = own.0.lock().unwrap_or_else(PoisonError::into_inner);
                let waited = own.1.wait_timeout_while(guard, interval, |stop| !*stop);
                let is_end = *waited.unwrap_or_else(PoisonError::into_inner).0;
                let len = recorder.len();
                if len != synced {
                    // First the files: the record never knows more of them than the disk has, but for what comes now.
                    sync_files();
                    // What cannot be synced is with the operating system all the same; it tries by itself.
                    recorder.sync().ok();
                    synced = len;
                }
                if is_end {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("flush".to_owned()).spawn(body)?;
        Ok(Flusher {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        *self.stop.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.1.notify_all();
        if let Some(thread) = self.thread.take() {
            // It cannot panic without ending the process.
            thread.join().ok();
        }
    }
}
