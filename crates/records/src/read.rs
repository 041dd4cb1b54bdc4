//! A record as tables and facts, while its run goes on as well as afterwards.

use std::{collections::HashMap, path::Path};

use expr::Value;

use crate::{
    column::ColumnBuilder,
    error::RecordError,
    frame::Kind,
    packed::{Packed, unpacked},
    parts::{Begin, Late, LoopValues, Patch, RoundValues},
    row::Row,
    scan::{Frame, Scanner},
    schema::{Mark, RunFacts, Schema, What},
    table::{Axis, Facts, Table},
    threads::Threads,
};

/// What a record holds.
#[derive(Clone, Debug)]
pub struct Reading {
    pub facts: Facts,
    /// The root's, then one for each loop that was begun.
    pub tables: Vec<Table>,
    pub state: State,
    pub schema: Schema,
    /// What happened to the run, in order.
    pub marks: Vec<Mark>,
    /// Data files that tasks wrote.
    pub files: Vec<String>,
    /// Words about what is not as it should be: a torn end, say.
    pub remarks: Vec<String>,
}

/// Whether a run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A process is writing the record.
    Running,
    /// The run ended in an orderly way: completed, failed or stopped.
    Ended,
    /// Its process died; the run can go on.
    Broken,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::Running => "Running",
            State::Ended => "Ended",
            State::Broken => "Broken",
        }
    }
}

/// Reads a record, as far as it is valid.
///
/// # Errors
/// It cannot be read, or is no record.
pub fn read(path: &Path) -> Result<Reading, RecordError> {
    let mut scanner = Scanner::open(path)?;
    let is_running = scanner.is_being_written();
    let schema = scanner.schema.clone();
    let mut gathered = Gathered::new(&schema);
    let mut threads = Threads::default();
    while let Some(frame) = scanner.next()? {
        threads.hear(&schema, &frame, &mut |frame| gathered.count(frame));
        if frame.kind == Kind::Mark && gathered.marks.last().is_some_and(Mark::is_resumption) {
            threads.forget();
        }
    }
    threads.count_held(&mut |frame| gathered.count(frame));
    let torn = scanner.torn()?;
    Ok(gathered.finish(is_running, torn))
}

/// What a record says about its measurement, without reading the rest.
///
/// # Errors
/// It cannot be read, or is no record.
pub fn schema(path: &Path) -> Result<Schema, RecordError> {
    Ok((*Scanner::open(path)?.schema).clone())
}

/// What a run was about, whether it is over, and its outcome if it ended in an orderly way: the ends of a record, without
/// its rows.
///
/// # Errors
/// It cannot be read, or is no record.
pub fn outcome(path: &Path) -> Result<(RunFacts, State, Option<String>), RecordError> {
    let mut scanner = Scanner::open(path)?;
    let is_running = scanner.is_being_written();
    let run = scanner.schema.run.clone();
    let mut outcome = None;
    while let Some(frame) = scanner.next()? {
        if frame.kind != Kind::Mark {
            continue;
        }
        match serde_json::from_slice::<Mark>(frame.payload).map(|mark| mark.what) {
            Ok(What::Ended { outcome: ended, .. }) => outcome = Some(ended),
            Ok(What::Resumed { .. }) => outcome = None,
            Ok(_) | Err(_) => (),
        }
    }
    let state = match (is_running, &outcome) {
        (true, _) => State::Running,
        (false, Some(_)) => State::Ended,
        (false, None) => State::Broken,
    };
    Ok((run, state, outcome))
}

struct Gathered<'s> {
    schema: &'s Schema,
    tables: Vec<Gathering>,
    /// By entry, as on record.
    values: Vec<Value>,
    late: HashMap<(usize, u64), Vec<(u32, Value)>>,
    marks: Vec<Mark>,
    files: Vec<String>,
    time_us: i64,
}

#[derive(Default)]
struct Gathering {
    columns: Vec<ColumnBuilder>,
    /// For each loop around.
    indices: Vec<Vec<u32>>,
    loop_values: Vec<ColumnBuilder>,
    times_us: Vec<i64>,
    round: Option<LoopValues>,
    /// Complete iterations of the present round.
    rounds: u32,
    total: Option<u64>,
    is_begun: bool,
}

impl<'s> Gathered<'s> {
    fn new(schema: &'s Schema) -> Self {
        let tables = schema.tables.iter().enumerate().map(|(number, table)| {
            let depth = chain(schema, number).len();
            Gathering {
                columns: vec![ColumnBuilder::default(); table.columns.len()],
                indices: vec![Vec::new(); depth],
                loop_values: vec![ColumnBuilder::default(); depth],
                ..Gathering::default()
            }
        });
        Self {
            schema,
            tables: tables.collect(),
            values: Vec::new(),
            late: HashMap::new(),
            marks: Vec::new(),
            files: Vec::new(),
            time_us: schema.run.started_us,
        }
    }

    fn count(&mut self, frame: &Frame<'_>) {
        let table = frame.argument as usize;
        match frame.kind {
            Kind::Values => self.values = unpacked(part(frame).unwrap_or_default()),
            Kind::Begin => {
                if let (Some(begin), Some(gathering)) = (part::<Begin>(frame), self.tables.get_mut(table)) {
                    gathering.begin(begin);
                }
            }
            Kind::Row | Kind::LastRow | Kind::LongRow => self.row(table, frame),
            Kind::Done => {
                for (entry, Packed(value)) in part::<Vec<(u32, Packed)>>(frame).unwrap_or_default() {
                    self.set(entry, value);
                }
            }
            Kind::Late => {
                if let Some(late) = part::<Late>(frame) {
                    self.set(late.entry, late.value.clone());
                    self.late_value(late);
                }
            }
            Kind::Patch => {
                if let Some(patch) = part::<Patch>(frame)
                    && let Some(value) = self.values.get_mut(patch.entry as usize)
                {
                    value.set_row(patch.row as usize, &patch.numbers).ok();
                }
            }
            Kind::File => {
                if let Some(file) = part::<crate::parts::OpenedFile>(frame)
                    && !self.files.contains(&file.path)
                {
                    self.files.push(file.path);
                }
            }
            Kind::Time => {
                if let Ok(bytes) = frame.payload.try_into() {
                    self.time_us = i64::from_le_bytes(bytes);
                }
            }
            Kind::Mark => {
                if let Ok(mark) = serde_json::from_slice(frame.payload) {
                    self.marks.push(mark);
                }
            }
            Kind::Last => {
                for (entry, Packed(value)) in part::<Vec<(u32, Packed)>>(frame).unwrap_or_default() {
                    self.set(entry, value);
                }
            }
            Kind::Schema | Kind::Layout | Kind::Started | Kind::Finished | Kind::FileAt => (),
        }
    }

    fn row(&mut self, table: usize, frame: &Frame<'_>) {
        let (Some(row), Some(facts)) = (Row::of(frame), self.schema.tables.get(table)) else {
            return;
        };
        for (position, around) in chain(self.schema, table).into_iter().enumerate() {
            let index = self.tables[around].rounds;
            let value = self.tables[around]
                .round
                .as_ref()
                .and_then(|round| round.value(index as usize));
            self.tables[table].indices[position].push(index);
            self.tables[table].loop_values[position].push(&value.unwrap_or_default());
        }
        let number = self.tables[table].times_us.len() as u64;
        let late = self.late.remove(&(table, number)).unwrap_or_default();
        let gathering = &mut self.tables[table];
        for ((column, entry), value) in gathering.columns.iter_mut().zip(&facts.columns).zip(row.values()) {
            let value = value.unwrap_or_default();
            let late = late.iter().rev().find(|(late, _)| late == entry);
            column.push(late.map_or(&value, |(_, value)| value));
            if let Some(slot) = self.values.get_mut(*entry as usize) {
                *slot = value;
            }
        }
        gathering.times_us.push(self.time_us);
        gathering.rounds += 1;
    }

    fn late_value(&mut self, late: Late) {
        let table = late.table as usize;
        let Some(facts) = self.schema.tables.get(table) else {
            return;
        };
        let Some(position) = facts.columns.iter().position(|entry| *entry == late.entry) else {
            return;
        };
        let gathering = &mut self.tables[table];
        if late.row < gathering.times_us.len() as u64 {
            gathering.columns[position].replace(late.row as usize, &late.value);
        } else {
            self.late
                .entry((table, late.row))
                .or_default()
                .push((late.entry, late.value));
        }
    }

    fn set(&mut self, entry: u32, value: Value) {
        if let Some(slot) = self.values.get_mut(entry as usize) {
            *slot = value;
        }
    }

    fn finish(mut self, is_running: bool, torn: u64) -> Reading {
        self.root_row();
        let ended = self.marks.iter().rev().find_map(|mark| match &mark.what {
            What::Ended { .. } => Some(true),
            What::Resumed { .. } => Some(false),
            What::Instrument { .. }
            | What::Paused { .. }
            | What::WentOn { .. }
            | What::StopAsked { .. }
            | What::Closing => None,
        });
        let state = match (is_running, ended) {
            (true, _) => State::Running,
            (false, Some(true)) => State::Ended,
            (false, Some(false) | None) => State::Broken,
        };
        let mut remarks = Vec::new();
        if torn > 0 && !is_running {
            remarks.push(format!(
                "the record ends with {torn} bytes of a point that was not complete; they are left out"
            ));
        }
        let facts = self.facts(state);
        let schema = self.schema;
        let tables = std::mem::take(&mut self.tables);
        let totals: Vec<Option<u64>> = tables.iter().map(|table| table.total).collect();
        let tables = tables
            .into_iter()
            .enumerate()
            .filter(|(number, gathering)| *number == 0 || gathering.is_begun)
            .map(|(number, gathering)| gathering.finish(schema, number, &totals))
            .collect();
        Reading {
            facts,
            tables,
            state,
            schema: schema.clone(),
            marks: self.marks,
            files: self.files,
            remarks,
        }
    }

    /// The root is performed once: its row is what its entries hold.
    fn root_row(&mut self) {
        let Some(facts) = self.schema.tables.first() else {
            return;
        };
        for (position, entry) in facts.columns.iter().enumerate() {
            if let Some(value) = self.values.get(*entry as usize) {
                self.tables[0].columns[position].push(value);
            }
        }
        self.tables[0].times_us.push(self.time_us);
    }

    fn facts(&self, state: State) -> Facts {
        let run = &self.schema.run;
        let mut items = vec![("start".to_owned(), iso(run.started_us))];
        let mut end = None;
        let mut outcome = state.name().to_owned();
        let mut happened = Vec::new();
        for mark in &self.marks {
            let at = iso(mark.time_us);
            match &mark.what {
                What::Instrument {
                    name,
                    driver,
                    address,
                    identity,
                } => {
                    let identity = identity.as_ref().map(|words| format!("; {words}")).unwrap_or_default();
                    happened.push(("instrument", format!("{name}: {driver} at {address}{identity}")));
                }
                What::Paused { by } => happened.push(("pause", format!("{at} by {by}"))),
                What::WentOn { by } => happened.push(("went_on", format!("{at} by {by}"))),
                What::StopAsked { by } => happened.push(("stop", format!("{at} by {by}"))),
                What::Resumed {
                    host,
                    user,
                    version,
                    cut,
                } => {
                    let cut = cut.as_ref().map(|cut| format!("; {cut}")).unwrap_or_default();
                    happened.push(("resumed", format!("{at} on {host} by {user}, version {version}{cut}")));
                    end = None;
                }
                What::Closing => (),
                What::Ended { outcome: ended, errors } => {
                    end = Some(at);
                    if state == State::Ended {
                        outcome.clone_from(ended);
                    }
                    happened.extend(errors.iter().map(|(key, text)| ("error", format!("{key}: {text}"))));
                }
            }
        }
        items.extend(end.map(|end| ("end".to_owned(), end)));
        items.push(("outcome".to_owned(), outcome));
        items.push(("host".to_owned(), run.host.clone()));
        items.push(("user".to_owned(), run.user.clone()));
        items.push(("measurand_version".to_owned(), run.version.clone()));
        items.push(("file".to_owned(), run.file.clone()));
        items.push(("default_path".to_owned(), run.default_path.clone()));
        items.extend(run.remarks.iter().map(|remark| ("remark".to_owned(), remark.clone())));
        items.extend(happened.into_iter().map(|(key, text)| (key.to_owned(), text)));
        items.extend(self.files.iter().map(|file| ("data_file".to_owned(), file.clone())));
        items.push(("measurement".to_owned(), run.text.clone()));
        Facts {
            name: run.name.clone(),
            id: run.id.clone(),
            items,
        }
    }
}

impl Gathering {
    fn begin(&mut self, begin: Begin) {
        self.is_begun = true;
        self.rounds = 0;
        self.total = self.total.max(begin.total);
        match begin.values {
            Some(RoundValues::New(values)) => self.round = Some(values),
            Some(RoundValues::Same) => (),
            None => self.round = None,
        }
    }

    fn finish(self, schema: &Schema, number: usize, totals: &[Option<u64>]) -> Table {
        let facts = &schema.tables[number];
        let path = |task: u32| {
            schema
                .tasks
                .get(task as usize)
                .map(|task| task.path.clone())
                .unwrap_or_default()
        };
        let entry = |entry: u32| schema.entries.get(entry as usize).map_or("", String::as_str);
        let unit = |wanted: u32| {
            let unit = schema.units.iter().find(|(entry, _)| *entry == wanted);
            unit.map(|(_, unit)| unit.as_str())
        };
        let axes = chain(schema, number)
            .into_iter()
            .zip(self.indices)
            .zip(self.loop_values);
        let axes = axes.map(|((around, index), values)| {
            let facts = &schema.tables[around];
            let task = path(facts.task);
            let value_unit = facts.entries.value.and_then(unit);
            let column = values.finish(&format!("{task}_value"), value_unit).into_iter().next();
            Axis {
                path: task,
                total: totals[around],
                index,
                value: column.filter(|_| facts.has_values),
            }
        });
        let columns = self.columns.into_iter().zip(&facts.columns);
        Table {
            path: path(facts.task),
            axes: axes.collect(),
            columns: columns
                .flat_map(|(column, id)| column.finish(entry(*id), unit(*id)))
                .collect(),
            times_us: self.times_us,
        }
    }
}

/// The loops around the rows of a table, the outermost first, its own last; none for the root.
fn chain(schema: &Schema, number: usize) -> Vec<usize> {
    let mut chain = Vec::new();
    let mut here = Some(number);
    while let Some(table) = here {
        let Some(facts) = schema.tables.get(table) else { break };
        if facts.parent.is_some() {
            chain.push(table);
        }
        here = facts.parent.map(|parent| parent as usize);
    }
    chain.reverse();
    chain
}

fn part<'a, T: serde::Deserialize<'a>>(frame: &Frame<'a>) -> Option<T> {
    postcard::from_bytes(frame.payload).ok()
}

/// `2026-11-22T10:00:00.123456Z`
pub(crate) fn iso(time_us: i64) -> String {
    jiff::Timestamp::from_microsecond(time_us).map_or_else(|_| time_us.to_string(), |time| time.to_string())
}
