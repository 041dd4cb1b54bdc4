//! Where a broken run goes on: the fold of its record into values, finished tasks and running loops.

use std::path::{Path, PathBuf};

use expr::Value;

use crate::{
    error::RecordError,
    frame::Kind,
    packed::{Packed, unpacked},
    parts::{Begin, FAR, FileAt, FileContent, Late, LoopValues, OpenedFile, Patch, RoundValues, unpack},
    row::Row,
    scan::{Frame, Scanner},
    schema::{Mark, Schema, What},
    threads::Threads,
};

/// Where a run is, as its record says.
#[derive(Clone, Debug, Default)]
pub struct Position {
    pub schema: Schema,
    /// The record is valid up to here; what is behind does not count.
    pub offset: u64,
    /// Of all entries.
    pub values: Vec<Value>,
    /// The same before anything was performed.
    pub initial: Vec<Value>,
    /// Rows of each table.
    pub rows: Vec<u64>,
    /// Tasks that are complete, of those whose loops or parents are not.
    pub done: Vec<u32>,
    /// Loops under way.
    pub loops: Vec<LoopAt>,
    /// Work in the background that was started and is not complete, with the value of the loop that its task is in.
    pub works: Vec<(u32, Option<Value>)>,
    /// Data files that tasks have open.
    pub files: Vec<FileState>,
    /// Files that are written as a whole.
    pub whole: Vec<OpenedFile>,
    /// The outcome of a run that ended in an orderly way.
    pub outcome: Option<String>,
    /// Whether every task is complete and data files were being closed: some may be closed already.
    pub is_closing: bool,
    /// Words about what is behind `offset`, if anything is.
    pub cut: Option<String>,
    /// Data files on record that are not where they were.
    pub missing: Vec<PathBuf>,
    pub(crate) marks_to_repeat: Vec<Mark>,
    pub(crate) files_to_repeat: Vec<OpenedFile>,
}

/// A loop under way.
#[derive(Clone, Debug)]
pub struct LoopAt {
    pub task: u32,
    /// Complete iterations of its present round.
    pub rounds: u64,
    pub total: Option<u64>,
    /// Nothing for a loop without values.
    pub values: Option<LoopValues>,
    /// Whether it was left by a break with the last of them.
    pub is_left: bool,
}

/// A data file as it is on record.
#[derive(Clone, Debug)]
pub struct FileState {
    pub opened: OpenedFile,
    pub at: FileAt,
}

/// What the disk has of a data file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Available {
    /// There is no such file.
    Missing,
    /// This much; after a power cut a file may have less than the record says.
    UpTo(FileAt),
}

impl Position {
    /// Reads a record up to where its run can go on: the last complete point that the data files have too.
    ///
    /// # Errors
    /// It cannot be read, is no record, or is being written.
    pub fn of(path: &Path, available: &dyn Fn(&OpenedFile) -> Available) -> Result<Position, RecordError> {
        match fold(path, available, u64::MAX)? {
            Folded::Whole(position) => Ok(*position),
            Folded::FileIsShort { file, offset } => {
                let Folded::Whole(mut position) = fold(path, &|_| Available::Missing, offset)? else {
                    return Err(RecordError::NoBeginning(path.to_owned()));
                };
                position.missing.clear();
                position.cut = Some(format!(
                    "`{file}` has less than the record: both go on where the file ends, and what is behind is measured again"
                ));
                Ok(*position)
            }
        }
    }
}

enum Folded {
    Whole(Box<Position>),
    /// The last that record and file have in common ends at `offset` of the record.
    FileIsShort {
        file: String,
        offset: u64,
    },
}

/// Folds a record up to `until`.
fn fold(path: &Path, available: &dyn Fn(&OpenedFile) -> Available, until: u64) -> Result<Folded, RecordError> {
    let mut scanner = Scanner::open(path)?;
    if scanner.is_being_written() {
        return Err(RecordError::InUse(path.to_owned()));
    }
    let schema = scanner.schema.clone();
    let mut fold = Fold {
        position: Position {
            schema: (*schema).clone(),
            rows: vec![0; schema.tables.len()],
            ..Position::default()
        },
        begun: vec![None; schema.tables.len()],
        last_rows: vec![None; schema.tables.len()],
        dirty: Vec::new(),
        available,
        limits: Vec::new(),
        short: None,
    };
    let mut threads = Threads::default();
    let mut has_values = false;
    while let Some(frame) = scanner.next()? {
        // Files that were made stay made, and what happened has happened.
        if frame.end > until && !matches!(frame.kind, Kind::File | Kind::Mark) {
            continue;
        }
        let (end, kind) = (frame.end, frame.kind);
        let counts = threads.hear(&schema, &frame, &mut |frame| fold.count(frame));
        if let Some(file) = fold.short {
            let offset = fold.position.offset;
            return Ok(Folded::FileIsShort { file, offset });
        }
        has_values |= kind == Kind::Values;
        match kind {
            // These count at once, but nothing is complete with them; another process that went on makes it so.
            Kind::Mark | Kind::File | Kind::Time | Kind::Layout | Kind::Last => {
                let is_resumption = fold.position.marks_to_repeat.last().is_some_and(Mark::is_resumption);
                if is_resumption {
                    threads.forget();
                    fold.keep(end);
                }
            }
            _ if counts => fold.keep(end),
            _ => (),
        }
    }
    if !has_values {
        return Err(RecordError::NoBeginning(path.to_owned()));
    }
    let mut position = fold.finish();
    position.cut = match scanner.torn()? {
        0 => None,
        bytes => Some(format!(
            "{bytes} bytes of a point that was not complete were cut off the record"
        )),
    };
    Ok(Folded::Whole(Box::new(position)))
}

struct Fold<'a> {
    position: Position,
    begun: Vec<Option<LoopValues>>,
    /// The payload of the last row of each table that was not made values yet.
    last_rows: Vec<Option<LastRow>>,
    /// Tables with such a row, the oldest first.
    dirty: Vec<usize>,
    available: &'a dyn Fn(&OpenedFile) -> Available,
    /// What the disk has of the open files.
    limits: Vec<(u32, FileAt)>,
    /// A file that is shorter than the record says.
    short: Option<String>,
}

#[derive(Clone)]
struct LastRow {
    kind: Kind,
    payload: Vec<u8>,
    layout: std::rc::Rc<crate::layout::Layout>,
}

impl Fold<'_> {
    /// Everything up to `end` counts.
    fn keep(&mut self, end: u64) {
        self.position.offset = end;
        self.position.marks_to_repeat.clear();
        self.position.files_to_repeat.clear();
    }

    fn count(&mut self, frame: &Frame<'_>) {
        let argument = frame.argument;
        match frame.kind {
            Kind::Values => {
                self.position.values = unpacked(read(frame).unwrap_or_default());
                self.position.initial.clone_from(&self.position.values);
            }
            Kind::Row | Kind::LastRow | Kind::LongRow => self.row(argument as usize, frame),
            Kind::Begin => {
                if let Some(begin) = read::<Begin>(frame) {
                    self.begin(argument as usize, begin);
                }
            }
            Kind::Done => {
                self.settle();
                self.clear_below(argument);
                self.position.done.push(argument);
                for (entry, Packed(value)) in read::<Vec<(u32, Packed)>>(frame).unwrap_or_default() {
                    self.set(entry, value);
                }
            }
            Kind::Started => {
                self.clear_below(argument);
                let value = read::<Option<Packed>>(frame).flatten().map(|packed| packed.0);
                self.position.works.push((argument, value));
            }
            Kind::Finished => {
                self.clear_inside(argument);
                self.position.works.retain(|(task, _)| *task != argument);
            }
            Kind::Late => {
                if let Some(late) = read::<Late>(frame) {
                    self.settle();
                    self.set(late.entry, late.value);
                }
            }
            Kind::Patch => {
                if let Some(patch) = read::<Patch>(frame)
                    && let Some(value) = self.position.values.get_mut(patch.entry as usize)
                {
                    // An array that is no more has no rows to set.
                    value.set_row(patch.row as usize, &patch.numbers).ok();
                }
            }
            Kind::File => {
                if let Some(opened) = read::<OpenedFile>(frame) {
                    self.file(opened);
                }
            }
            Kind::FileAt => {
                if let Some(at) = read::<FileAt>(frame) {
                    self.file_at(argument, at);
                }
            }
            Kind::Mark => {
                if let Ok(mark) = serde_json::from_slice::<Mark>(frame.payload) {
                    match &mark.what {
                        What::Ended { outcome, .. } => self.position.outcome = Some(outcome.clone()),
                        What::Resumed { .. } => self.position.outcome = None,
                        What::Closing => self.position.is_closing = true,
                        What::Instrument { .. }
                        | What::Paused { .. }
                        | What::WentOn { .. }
                        | What::StopAsked { .. } => (),
                    }
                    self.position.marks_to_repeat.push(mark);
                }
            }
            Kind::Schema | Kind::Layout | Kind::Time | Kind::Last => (),
        }
    }

    fn begin(&mut self, table: usize, begin: Begin) {
        self.settle();
        let Some(facts) = self.position.schema.tables.get(table) else {
            return;
        };
        let (task, entries) = (facts.task, facts.entries);
        self.clear_below(task);
        match begin.values {
            Some(RoundValues::New(values)) => self.begun[table] = Some(values),
            Some(RoundValues::Same) => (),
            None => self.begun[table] = None,
        }
        let values = self.begun[table].clone();
        if let (Some(entry), Some(total)) = (entries.point_number, begin.total) {
            self.set(entry, Value::Int(total as i64));
        }
        if let (Some(entry), Some(values)) = (entries.loop_values, &values) {
            self.set(entry, values.array.clone());
        }
        self.position.loops.push(LoopAt {
            task,
            rounds: 0,
            total: begin.total,
            values,
            is_left: false,
        });
    }

    fn row(&mut self, table: usize, frame: &Frame<'_>) {
        let Some(row) = Row::of(frame) else { return };
        let Some(facts) = self.position.schema.tables.get(table) else {
            return;
        };
        let (task, is_innermost) = (facts.task, facts.is_innermost);
        let steps: Vec<(u32, FileAt)> = row
            .steps()
            .filter(|(_, step)| *step != FAR)
            .filter_map(|(task, step)| {
                let file = self.position.files.iter().find(|file| file.opened.task == task)?;
                Some((task, unpack(step, file.at)))
            })
            .collect();
        for (task, at) in steps {
            self.file_at(task, at);
        }
        if self.short.is_some() {
            return;
        }
        if !is_innermost {
            self.clear_inside(task);
        }
        if let Some(state) = self.position.loops.iter_mut().rev().find(|state| state.task == task) {
            state.rounds += 1;
            state.is_left = row.is_left;
        }
        self.position.rows[table] += 1;
        let (Some(layout), payload) = (frame.layout, frame.payload) else {
            return;
        };
        match &mut self.last_rows[table] {
            Some(last) => {
                last.kind = frame.kind;
                last.layout.clone_from(layout);
                last.payload.clear();
                last.payload.extend_from_slice(payload);
            }
            none @ None => {
                *none = Some(LastRow {
                    kind: frame.kind,
                    payload: payload.to_vec(),
                    layout: layout.clone(),
                });
                self.dirty.push(table);
            }
        }
    }

    /// Makes values of the last rows.
    fn settle(&mut self) {
        for table in std::mem::take(&mut self.dirty) {
            let Some(last) = self.last_rows[table].take() else {
                continue;
            };
            let frame = Frame {
                kind: last.kind,
                argument: table as u32,
                payload: &last.payload,
                layout: Some(&last.layout),
                end: 0,
            };
            let Some(row) = Row::of(&frame) else { continue };
            let columns = self.position.schema.tables[table].columns.clone();
            for (entry, value) in columns.into_iter().zip(row.values()) {
                if let Some(value) = value {
                    self.set(entry, value);
                }
            }
        }
    }

    fn set(&mut self, entry: u32, value: Value) {
        if let Some(slot) = self.position.values.get_mut(entry as usize) {
            *slot = value;
        }
    }

    fn file(&mut self, opened: OpenedFile) {
        self.position.files_to_repeat.push(opened.clone());
        let at = match &opened.content {
            FileContent::Whole => {
                self.position
                    .whole
                    .retain(|known| known.task != opened.task || known.asked != opened.asked);
                self.position.whole.push(opened);
                return;
            }
            FileContent::Text { header } => FileAt {
                bytes: header.len() as u64,
                rows: 0,
            },
            FileContent::Hdf5 { .. } => FileAt::default(),
        };
        let task = opened.task;
        self.limits.retain(|(known, _)| *known != task);
        match (self.available)(&opened) {
            Available::UpTo(limit) => self.limits.push((task, limit)),
            Available::Missing => (),
        }
        self.position.files.retain(|file| file.opened.task != task);
        self.position.files.push(FileState { opened, at });
    }

    fn file_at(&mut self, task: u32, at: FileAt) {
        let limit = self.limits.iter().find(|(known, _)| *known == task);
        let Some(file) = self.position.files.iter_mut().find(|file| file.opened.task == task) else {
            return;
        };
        if limit.is_some_and(|(_, limit)| at.bytes > limit.bytes || at.rows > limit.rows) {
            self.short = Some(file.opened.path.clone());
            return;
        }
        file.at = at;
    }

    /// What was done of this task and inside it no longer matters.
    fn clear_below(&mut self, task: u32) {
        self.position.done.retain(|done| *done != task);
        self.position.loops.retain(|state| state.task != task);
        self.clear_inside(task);
    }

    /// The same, but for the task itself.
    fn clear_inside(&mut self, task: u32) {
        if self.position.done.is_empty() && self.position.loops.len() < 2 {
            return;
        }
        let tasks = &self.position.schema.tasks;
        let is_inside = |other: u32| {
            let mut here = tasks.get(other as usize).and_then(|task| task.parent);
            while let Some(parent) = here {
                if parent == task {
                    return true;
                }
                here = tasks.get(parent as usize).and_then(|task| task.parent);
            }
            false
        };
        self.position.done.retain(|done| !is_inside(*done));
        self.position.loops.retain(|state| !is_inside(state.task));
    }

    fn finish(mut self) -> Position {
        self.settle();
        let mut own = Vec::new();
        for state in &self.position.loops {
            let tables = &self.position.schema.tables;
            let Some(table) = tables
                .iter()
                .find(|table| table.task == state.task && table.parent.is_some())
            else {
                continue;
            };
            if state.rounds == 0 {
                continue;
            }
            own.extend(
                table
                    .entries
                    .index
                    .map(|entry| (entry, Value::Int(state.rounds as i64))),
            );
            let value = state
                .values
                .as_ref()
                .and_then(|values| values.value(state.rounds as usize - 1));
            own.extend(table.entries.value.zip(value));
        }
        for (entry, value) in own {
            self.set(entry, value);
        }
        let available = self.available;
        let is_missing = |file: &FileState| {
            let begun = match &file.opened.content {
                FileContent::Text { header } => file.at.bytes > header.len() as u64 || file.at.rows > 0,
                FileContent::Hdf5 { .. } | FileContent::Whole => file.at.rows > 0,
            };
            begun && available(&file.opened) == Available::Missing
        };
        let missing: Vec<PathBuf> = self
            .position
            .files
            .iter()
            .filter(|file| is_missing(file))
            .map(|file| PathBuf::from(&file.opened.path))
            .collect();
        self.position.missing = missing;
        self.position
    }
}

fn read<'a, T: serde::Deserialize<'a>>(frame: &Frame<'a>) -> Option<T> {
    postcard::from_bytes(frame.payload).ok()
}
