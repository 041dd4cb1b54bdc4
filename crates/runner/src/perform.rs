//! Performing one measurement: from its text to the last word about it.

use std::{collections::HashMap, path::Path, sync::Arc};

use measurement::{EntryId, Measurement, Overrides, Problem, TaskId, Tree, refused};
use protocol::{Checks, Event, Level, Observe, Outcome, Request, Value};

use crate::{
    control::{Control, StoppedBy},
    data_files::DataFiles,
    disk::{Disk, save_measurement},
    live_bench::{LiveBench, STACK, Shared, lock},
    log_file::LogFile,
    outbox::{Outbox, now_us},
    spy::Spy,
    store::{Store, Watch},
};

/// How a measurement ended, for [`Event::Finished`].
struct Ending {
    outcome: Outcome,
    errors: Vec<(String, String)>,
    values: Vec<(u32, Value)>,
}

impl Ending {
    fn not_begun(outcome: Outcome, error: impl Into<String>) -> Self {
        Self {
            outcome,
            errors: vec![("engine".to_owned(), error.into())],
            values: Vec::new(),
        }
    }
}

/// Performs a measurement and says all about it, up to the sentinels.
pub(crate) fn perform(request: &Request, control: &Arc<Control>, outbox: &Arc<Outbox>) {
    let Ending {
        outcome,
        errors,
        values,
    } = begin(request, control, outbox);
    outbox.say(Event::Finished {
        outcome,
        errors,
        values,
    });
    outbox.say(Event::LogClosed);
    outbox.say(Event::ValuesClosed);
}

fn begin(request: &Request, control: &Arc<Control>, outbox: &Arc<Outbox>) -> Ending {
    let measurement = match Measurement::read(request.text.as_bytes(), "measurement", &Overrides::default()) {
        Ok(measurement) => measurement,
        Err(problems) => return refuse(outbox, problems),
    };
    if !measurement.is_built() {
        return refuse(outbox, measurement.problems);
    }
    let facts = measurement.facts(&request.date, &request.time);
    let tree = &measurement.tree;
    let values = match request.checks {
        Checks::Skip => tree.define(&facts, &Disk),
        Checks::Run => {
            let checked = tree.check(&facts, &Disk);
            let mut problems = measurement.problems.clone();
            problems.extend(checked.problems);
            if refused(&problems) {
                return refuse(outbox, problems);
            }
            checked.values
        }
    };

    let folder = Path::new(&measurement.default_path);
    let stem = measurement.stem();
    let log = match LogFile::create(folder, &stem, now_us()) {
        Ok(log) => log,
        Err(error) => {
            let message = format!("no log file can be made in `{}`: {error}", measurement.default_path);
            return Ending::not_begun(Outcome::Failed, message);
        }
    };
    let saved = match save_measurement(folder, &stem, measurement.text(), request.on_existing) {
        Ok(path) => path,
        Err(error) => {
            let message = format!("the measurement cannot be saved beside its data: {error}");
            return Ending::not_begun(Outcome::Failed, message);
        }
    };

    let entries = tree.database().entries();
    let watch = watched(tree, request);
    let log_file = log.path().display().to_string();
    let store = Store::new(values, watch);
    let shared = Shared::new(
        tree.prepare(),
        store,
        control.clone(),
        outbox.clone(),
        log,
        DataFiles::new(request.on_existing),
    );
    outbox.say(Event::Started {
        entries: entries.iter().map(|entry| entry.path.clone()).collect(),
        values: shared.store.snapshot(!request.all_values),
        log_file,
        saved_file: saved.display().to_string(),
    });
    lock(&shared.log).record(
        now_us(),
        Level::Info,
        match request.checks {
            Checks::Run => "Check successful",
            Checks::Skip => "Tests skipped",
        },
    );
    let usual = folder.join(format!("{stem}.meas.ini"));
    if saved != usual {
        let message = format!(
            "the measurement is saved as {}: {} exists",
            saved.display(),
            usual.display()
        );
        shared.record(Level::Warning, "measurand", &message);
    }
    match run(&shared, loop_indices(tree)) {
        Ok(()) => conclude(&shared, request),
        Err(error) => Ending::not_begun(
            Outcome::Failed,
            format!("no thread can be had for the measurement: {error}"),
        ),
    }
}

fn refuse(outbox: &Outbox, problems: Vec<Problem>) -> Ending {
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    outbox.say(Event::Problems(problems));
    Ending::not_begun(Outcome::Skipped, format!("refused by the checks: {errors} errors"))
}

/// Performs the tasks in a thread of its own, because deep trees need deep stacks.
fn run(shared: &Arc<Shared>, indices: HashMap<TaskId, EntryId>) -> std::io::Result<()> {
    let spy = Spy::start(shared, indices)?;
    let own = shared.clone();
    let body = move || LiveBench::new(&own, Vec::new()).perform();
    let thread = std::thread::Builder::new()
        .name("measurement".to_owned())
        .stack_size(STACK)
        .spawn(body);
    if let Ok(thread) = thread {
        // A task that panics takes the whole process with it: the join cannot fail while we are here.
        thread.join().ok();
        shared.dismiss();
        spy.finish();
        return Ok(());
    }
    spy.finish();
    thread.map(drop)
}

fn conclude(shared: &Shared, request: &Request) -> Ending {
    let failures = std::mem::take(&mut *lock(&shared.failures));
    let mut errors: Vec<(String, String)> = Vec::new();
    if !failures.is_empty() {
        let text = failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        errors.push(("unhandled".to_owned(), text));
    }
    let mut log = lock(&shared.log);
    log.flush();
    if let Some(broken) = log.broken() {
        errors.push(("engine".to_owned(), format!("the log file is not complete: {broken}")));
    }
    let outcome = match (errors.is_empty(), shared.control.stopped_by()) {
        (false, _) | (true, Some(StoppedBy::Failure)) => Outcome::Failed,
        (true, Some(StoppedBy::Operator)) => Outcome::Interrupted,
        (true, None) => Outcome::Completed,
    };
    log.record(now_us(), Level::Info, outcome.name());
    log.flush();
    let values = if request.all_values {
        shared.store.snapshot(false)
    } else {
        Vec::new()
    };
    Ending {
        outcome,
        errors,
        values,
    }
}

/// How the updates of each entry are wanted.
fn watched(tree: &Tree, request: &Request) -> Vec<Watch> {
    let how = if request.lossless { Watch::Every } else { Watch::Latest };
    // All values are wanted at the end; sending them as they change keeps them if this process dies.
    let rest = if request.all_values {
        Watch::Latest
    } else {
        Watch::Unwatched
    };
    match &request.observe {
        Observe::All => vec![how; tree.database().entries().len()],
        Observe::Only(paths) => {
            let mut watch = vec![rest; tree.database().entries().len()];
            for entry in paths.iter().filter_map(|path| tree.database().by_path(path)) {
                watch[entry.index()] = how;
            }
            watch
        }
    }
}

/// The entries that hold the iterations of loops.
fn loop_indices(tree: &Tree) -> HashMap<TaskId, EntryId> {
    let index = |task: TaskId| {
        tree.entries_of(task)
            .into_iter()
            .find(|(name, _)| name == "index")
            .map(|(_, entry)| (task, entry))
    };
    let is_loop = |task: &TaskId| {
        tree.node(*task)
            .kind()
            .is_some_and(|kind| matches!(kind.id, "exopy.LoopTask" | "exopy.WhileTask"))
    };
    (0..tree.nodes().len())
        .map(|number| TaskId(number as u32))
        .filter(is_loop)
        .filter_map(index)
        .collect()
}
