//! Performing one measurement: from its text to the last word about it.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use instruments::python::Hosts;
use measurement::{
    EntryId, Failure, InstrumentId, Kind, Measurement, Overrides, Problem, Severity, Signal, Tables, TaskId, Tree,
    Unanswered, refused,
};
use protocol::{Checks, Event, Level, Observe, Outcome, Recording, Request, Value};
use records::{RecordError, RunFacts, What, Writer};

use crate::{
    control::{Control, StoppedBy},
    data_files::DataFiles,
    disk::{Site, save_measurement},
    going_on::GoingOn,
    laboratory::Laboratory,
    live_bench::{Kept, LiveBench, STACK, Shared, lock},
    log_file::LogFile,
    outbox::{Outbox, now_us},
    python_tasks::PythonTasks,
    rack::{Opened, Rack, Sleep},
    recorder::{self, Flusher, Recorder},
    spy::Spy,
    store::{Store, Watch},
};

/// How a measurement ended, for [`Event::Finished`].
struct Ending {
    outcome: Outcome,
    errors: Vec<(String, String)>,
    values: Vec<(u32, Value)>,
    points: u64,
}

impl Ending {
    fn not_begun(outcome: Outcome, error: impl Into<String>) -> Self {
        Self {
            outcome,
            errors: vec![("engine".to_owned(), error.into())],
            values: Vec::new(),
            points: 0,
        }
    }
}

/// Performs a measurement and says all about it, up to the sentinels.
pub(crate) fn perform(request: &Request, control: &Arc<Control>, outbox: &Arc<Outbox>) {
    let Ending {
        outcome,
        errors,
        values,
        points,
    } = begin(request, control, outbox);
    outbox.say(Event::Finished {
        outcome,
        errors,
        values,
        points,
    });
    outbox.say(Event::LogClosed);
    outbox.say(Event::ValuesClosed);
}

fn begin(request: &Request, control: &Arc<Control>, outbox: &Arc<Outbox>) -> Ending {
    let catalog = PythonTasks::for_reading(&request.laboratory);
    let measurement =
        match Measurement::read_with(request.text.as_bytes(), "measurement", &Overrides::default(), &catalog) {
            Ok(measurement) => measurement,
            Err(problems) => return refuse(outbox, problems),
        };
    if !measurement.is_built() {
        return refuse(outbox, measurement.problems);
    }
    let facts = measurement.facts(&request.date, &request.time);
    let tree = &measurement.tree;
    let laboratory = Laboratory::open(&request.laboratory);
    let site = Site {
        laboratory: &laboratory,
        missing: Severity::Error,
        python: Some(&catalog),
    };
    let (values, problems_left) = match request.checks {
        Checks::Skip => (tree.define(&facts, &site), measurement.problems.clone()),
        Checks::Run => {
            let checked = tree.check(&facts, &site);
            let mut problems = measurement.problems.clone();
            problems.extend(checked.problems);
            if matches!(request.recording, Recording::GoOn { .. }) {
                // The warnings were said when the run began; that its own files exist is none.
                problems.retain(Problem::is_error);
            }
            if refused(&problems) {
                return refuse(outbox, problems);
            }
            (checked.values, problems)
        }
    };

    let plan = Tables::of(tree);
    let going_on = match read_record(request, &measurement, &plan) {
        Ok(going_on) => going_on,
        Err(message) => return Ending::not_begun(Outcome::Failed, message),
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

    let begun = match begin_record(request, &measurement, &plan, going_on, (values, problems_left)) {
        Ok(begun) => begun,
        Err(message) => return Ending::not_begun(Outcome::Failed, message),
    };
    let files = DataFiles::new(request.on_existing);
    if let Some(going_on) = &begun.going_on {
        let position = &going_on.position;
        let resumed = if position.is_closing {
            files.resume_closing(&position.files);
            Ok(())
        } else {
            files.resume(&position.files, &position.whole)
        };
        if let Err(message) = resumed {
            return Ending::not_begun(Outcome::Failed, format!("the run cannot go on: {message}"));
        }
    }
    let mut program = tree.prepare();
    if let Some(going_on) = &begun.going_on {
        program = going_on.resume(program, tree);
    }

    let entries = tree.database().entries();
    let watch = watched(tree, request);
    let log_file = log.path().display().to_string();
    let store = Store::new(begun.values, watch);
    let recorder = begun.recorder.map(Arc::new);
    let rack = Arc::new(Rack::new(tree.instruments(), control.clone()));
    let kept = Kept { log, files, recorder };
    let shared = Shared::new(program, store, outbox.clone(), kept, rack, &request.laboratory);
    outbox.say(Event::Started {
        entries: entries.iter().map(|entry| entry.path.clone()).collect(),
        values: shared.store.snapshot(!request.all_values),
        log_file,
        saved_file: saved.display().to_string(),
        record: shared.recorder.as_ref().map(|recorder| recorder.path()),
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
    let (mut works, mut in_force) = (Vec::new(), Vec::new());
    if let Some(going_on) = &begun.going_on {
        if let Some(cut) = &going_on.position.cut {
            shared.record(Level::Warning, "measurand", cut);
        }
        shared.record(Level::Info, "measurand", &going_on.words());
        works = going_on.works();
        in_force = going_on.in_force(tree);
    }
    if !open_instruments(&shared, &laboratory, tree) {
        return conclude(&shared, request);
    }
    let flush = Duration::from_millis(u64::from(request.flush_ms.max(1)));
    match run(&shared, loop_indices(tree), works, in_force, flush) {
        Ok(()) => conclude(&shared, request),
        Err(error) => Ending::not_begun(
            Outcome::Failed,
            format!("no thread can be had for the measurement: {error}"),
        ),
    }
}

/// Opens all instruments of a tree, before anything is performed; says whether the run can begin.
fn open_instruments(shared: &Arc<Shared>, laboratory: &Laboratory, tree: &Tree) -> bool {
    let rack = &shared.rack;
    if rack.is_empty() {
        return true;
    }
    let own = Arc::downgrade(shared);
    let sleep: Sleep = Arc::new(move |time| {
        let Some(shared) = own.upgrade() else { return false };
        shared.control.sleep(time, &|hold| shared.say(hold)) == Signal::Go
    });
    let last_resort = rack.clone();
    shared.control.set_last_resort(move || last_resort.make_safe_if_free());
    let mut to_make_safe = Vec::new();
    for (position, selected) in tree.instruments().iter().enumerate() {
        let instrument = InstrumentId(position as u32);
        match rack.open(instrument, laboratory, selected, &shared.hosts, sleep.clone()) {
            Ok(opened) => {
                if opened.has_safe_state {
                    to_make_safe.push(opened.name.clone());
                    shared.outbox.say(Event::Opened(to_make_safe.clone()));
                }
                let identity = opened
                    .identity
                    .as_ref()
                    .map(|words| format!(": {words}"))
                    .unwrap_or_default();
                let Opened {
                    name, driver, address, ..
                } = &opened;
                shared.record(
                    Level::Info,
                    "measurand",
                    &format!("Opened {name} ({driver}) at {address}{identity}"),
                );
                if let Some(recorder) = &shared.recorder {
                    recorder.mark(What::Instrument {
                        name: opened.name,
                        driver: opened.driver,
                        address: opened.address,
                        identity: opened.identity,
                    });
                }
            }
            Err(Unanswered::Stopped) => return false,
            Err(Unanswered::Failed(message)) => {
                let user = tree.nodes().iter().find(|node| node.instrument == Some(instrument));
                shared.fail(Failure {
                    task: user.map_or_else(String::new, |node| node.path.clone()),
                    field: None,
                    message,
                });
                return false;
            }
        }
    }
    true
}

/// Closes all instruments, after their safe states if the run did not end as it should.
fn release_instruments(shared: &Shared, is_bad: bool) {
    if shared.rack.is_empty() {
        return;
    }
    let mut problems = Vec::new();
    if is_bad {
        problems = shared.rack.make_safe();
        for problem in &problems {
            shared.record(Level::Critical, "measurand", &format!("no safe state: {problem}"));
        }
    }
    for problem in shared.rack.close() {
        // What is lost already was said once.
        if problems.is_empty() {
            shared.record(Level::Warning, "measurand", &problem);
        }
    }
    shared.outbox.say(Event::Released);
}

/// Brings instruments to their safe states that a process had open which died; what could not be done.
pub(crate) fn make_safe(request: &Request, instruments: &[String]) -> Vec<String> {
    let catalog = PythonTasks::for_reading(&request.laboratory);
    let Ok(measurement) =
        Measurement::read_with(request.text.as_bytes(), "measurement", &Overrides::default(), &catalog)
    else {
        return vec!["the measurement cannot be read".to_owned()];
    };
    let laboratory = Laboratory::open(&request.laboratory);
    let tree = &measurement.tree;
    let control = Arc::new(Control::new(request.speed));
    let rack = Rack::new(tree.instruments(), control);
    let hosts = Hosts::new(Arc::new(|name: &str, line: &str| eprintln!("{name}: {line}")));
    let undisturbed: Sleep = Arc::new(|time| {
        std::thread::sleep(time);
        true
    });
    let mut problems = Vec::new();
    for (position, selected) in tree.instruments().iter().enumerate() {
        if instruments.contains(&selected.profile) {
            let instrument = InstrumentId(position as u32);
            let opened = rack.open(instrument, &laboratory, selected, &hosts, undisturbed.clone());
            if let Err(Unanswered::Failed(message)) = opened {
                problems.push(message);
            }
        }
    }
    problems.extend(rack.make_safe());
    problems.extend(rack.close());
    problems
}

/// How long a task in Python may go on after a stop.
const PYTHON_GRACE: Duration = Duration::from_secs(2);

/// What a run begins with.
struct Begun {
    recorder: Option<Recorder>,
    values: Vec<Value>,
    going_on: Option<GoingOn>,
}

/// Reads the record that the run goes on with, if it does.
fn read_record(request: &Request, measurement: &Measurement, plan: &Tables) -> Result<Option<GoingOn>, String> {
    match &request.recording {
        Recording::Off | Recording::New => Ok(None),
        Recording::GoOn { record, assume } => {
            let default_path = &measurement.default_path;
            GoingOn::read(Path::new(record), &measurement.tree, plan, default_path, *assume).map(Some)
        }
    }
}

/// Makes the record of the run, or opens the one that it goes on with. `checked` are the values of all entries and what
/// the checks left to say.
fn begin_record(
    request: &Request,
    measurement: &Measurement,
    plan: &Tables,
    going_on: Option<GoingOn>,
    checked: (Vec<Value>, Vec<Problem>),
) -> Result<Begun, String> {
    let (values, problems) = checked;
    let cannot = |error: RecordError| format!("the record of the run cannot be kept: {error}");
    let folder = Path::new(&measurement.default_path);
    let (writer, values) = match (&request.recording, &going_on) {
        (Recording::Off, _) => {
            return Ok(Begun {
                recorder: None,
                values,
                going_on: None,
            });
        }
        (Recording::GoOn { record, .. }, Some(going_on)) => {
            let writer = Writer::go_on(Path::new(record), &going_on.position).map_err(cannot)?;
            (writer, going_on.values.clone())
        }
        (Recording::New | Recording::GoOn { .. }, _) => {
            let run = run_facts(request, measurement, problems);
            let schema = recorder::schema(&measurement.tree, plan, run);
            let writer = Writer::create(folder, &measurement.stem(), schema, &values).map_err(cannot)?;
            (writer, values)
        }
    };
    let recorder = Recorder::new(writer, plan.clone());
    if let Some(going_on) = &going_on {
        for file in &going_on.position.files {
            recorder.set_file_at(TaskId(file.opened.task), file.at);
        }
        let now = run_facts(request, measurement, Vec::new());
        recorder.mark(What::Resumed {
            host: now.host,
            user: now.user,
            version: now.version,
            cut: going_on.position.cut.clone(),
        });
    }
    Ok(Begun {
        recorder: Some(recorder),
        values,
        going_on,
    })
}

fn run_facts(request: &Request, measurement: &Measurement, problems: Vec<Problem>) -> RunFacts {
    let user = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    RunFacts {
        name: measurement.name.clone(),
        id: measurement.id.clone(),
        file: request.file.clone(),
        text: request.text.clone(),
        default_path: measurement.default_path.clone(),
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        user: user.unwrap_or_else(|| format!("user {}", rustix::process::getuid().as_raw())),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_us: now_us(),
        remarks: problems
            .into_iter()
            .map(|problem| format!("{}: {}", problem.path, problem.message))
            .collect(),
    }
}

fn refuse(outbox: &Outbox, problems: Vec<Problem>) -> Ending {
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    outbox.say(Event::Problems(problems));
    Ending::not_begun(Outcome::Skipped, format!("refused by the checks: {errors} errors"))
}

/// Performs the tasks in a thread of its own, because deep trees need deep stacks.
fn run(
    shared: &Arc<Shared>,
    indices: HashMap<TaskId, EntryId>,
    works: Vec<(TaskId, Option<Value>)>,
    in_force: Vec<TaskId>,
    flush: Duration,
) -> std::io::Result<()> {
    let spy = Spy::start(shared, indices)?;
    let _flusher = match &shared.recorder {
        Some(recorder) => {
            let files = shared.clone();
            Some(Flusher::start(recorder.clone(), flush, move || files.files.sync_all())?)
        }
        None => None,
    };
    let (rack, control, python) = (shared.rack.clone(), shared.control.clone(), shared.python.clone());
    std::thread::Builder::new()
        .name("instruments".to_owned())
        .spawn(move || {
            rack.cut_after_stop();
            if control.is_stopping() {
                // Long enough to look at `stopping`, and to come to an end.
                std::thread::sleep(PYTHON_GRACE);
                python.interrupt();
            }
        })?;
    let own = shared.clone();
    let body = move || LiveBench::new(&own, Vec::new(), None).perform(&works, &in_force);
    let thread = std::thread::Builder::new()
        .name("measurement".to_owned())
        .stack_size(STACK)
        .spawn(body);
    if let Ok(thread) = thread {
        // A task that panics takes the whole process with it: the join cannot fail while we are here.
        thread.join().ok();
        shared.control.end_run();
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
    {
        let mut log = lock(&shared.log);
        log.flush();
        if let Some(broken) = log.broken() {
            errors.push(("engine".to_owned(), format!("the log file is not complete: {broken}")));
        }
    }
    let stopped_by = shared.control.stopped_by();
    let is_bad = !errors.is_empty() || matches!(stopped_by, Some(StoppedBy::Failure | StoppedBy::Orphaned));
    release_instruments(shared, is_bad);
    let outcome = |errors: &[(String, String)]| match (errors.is_empty(), stopped_by) {
        (false, _) | (true, Some(StoppedBy::Failure)) => Outcome::Failed,
        (true, Some(StoppedBy::Operator | StoppedBy::Orphaned)) => Outcome::Interrupted,
        (true, None) => Outcome::Completed,
    };
    if outcome(&errors) == Outcome::Completed || shared.recorder.is_none() {
        if let Some(recorder) = &shared.recorder {
            // A closed HDF5 file cannot be gone on with, and need not be: from here on only closing is left.
            recorder.mark(What::Closing);
        }
        let unclosed = shared.files.close_all();
        errors.extend(unclosed.into_iter().map(|problem| ("engine".to_owned(), problem)));
    } else {
        shared.files.leave_all();
    }
    end_record(shared, outcome(&errors), &mut errors);
    let outcome = outcome(&errors);
    let mut log = lock(&shared.log);
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
        points: shared.recorder.as_ref().map_or(0, |recorder| recorder.points()),
    }
}

/// Puts the end of the run on record.
fn end_record(shared: &Shared, outcome: Outcome, errors: &mut Vec<(String, String)>) {
    let Some(recorder) = &shared.recorder else { return };
    if outcome == Outcome::Interrupted {
        let by = shared.control.asked_by();
        recorder.mark(What::StopAsked { by });
    }
    if let Err(message) = recorder.end(outcome.name(), errors, &shared.store)
        && !errors.iter().any(|(_, text)| text.contains(recorder::UNWRITABLE))
    {
        errors.push(("engine".to_owned(), message));
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
    let is_loop = |task: &TaskId| tree.node(*task).kind().is_some_and(Kind::is_loop);
    (0..tree.nodes().len())
        .map(|number| TaskId(number as u32))
        .filter(is_loop)
        .filter_map(index)
        .collect()
}
