//! The real bench: entries, clock, threads, log and control of a run in this process.
//!
//! Every thread of a run has a bench of its own over what they share, so that it can be said where each of them is.

use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use instruments::python::Hosts;
use measurement::{
    Ask, Bench, DataFile, EntryId, Failure, Hdf5, InstrumentId, Pools, Program, PythonCall, PythonSide, RoundValues,
    Signal, TaskId, Unanswered, Where,
};
use protocol::{Doing, Event, Level, Value};
use records::{FileAt, FileContent, OpenedFile, What};

use crate::{
    control::{Control, Hold, StoppedBy},
    data_files::DataFiles,
    log_file::LogFile,
    outbox::{Outbox, now_us},
    place::Place,
    python_tasks::PythonTasks,
    rack::Rack,
    recorder::{Origin, Recorder},
    store::Store,
};

/// Deep trees need deep stacks; only what is used costs memory.
pub(crate) const STACK: usize = 64 * 1024 * 1024;

/// What the threads of a run share.
pub(crate) struct Shared {
    pub(crate) program: Program,
    pub(crate) store: Store,
    pub(crate) control: Arc<Control>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) log: Mutex<LogFile>,
    pub(crate) files: DataFiles,
    /// Nothing when no record is kept.
    pub(crate) recorder: Option<Arc<Recorder>>,
    pub(crate) rack: Arc<Rack>,
    /// Processes of drivers in Python.
    pub(crate) hosts: Hosts,
    pub(crate) python: Arc<PythonTasks>,
    pub(crate) loops: Mutex<Vec<RunningLoop>>,
    pub(crate) places: Mutex<Vec<Arc<Place>>>,
    pub(crate) failures: Mutex<Vec<Failure>>,
    /// Threads of pools that have nothing to do.
    idle: Mutex<Vec<mpsc::Sender<Work>>>,
    began: Instant,
}

/// What a run writes.
pub(crate) struct Kept {
    pub(crate) log: LogFile,
    pub(crate) files: DataFiles,
    pub(crate) recorder: Option<Arc<Recorder>>,
}

/// A loop that is, or was, performed.
#[derive(Clone, Copy)]
pub(crate) struct RunningLoop {
    pub(crate) task: TaskId,
    pub(crate) total: Option<u64>,
    pub(crate) is_running: bool,
}

/// Work handed to a thread of a pool, with the way to hand it more.
struct Work {
    task: TaskId,
    value: Option<Value>,
    lineage: Vec<TaskId>,
    origin: Option<Origin>,
    more: mpsc::Sender<Work>,
}

/// A thread's view of the run.
pub(crate) struct LiveBench {
    shared: Arc<Shared>,
    place: Arc<Place>,
    /// The tasks in the background whose work this thread is part of.
    lineage: Vec<TaskId>,
    /// Of work in the background: where its values belong on record.
    origin: Option<Origin>,
    /// Whether a task of this thread was told to stop: what is under way is then never complete.
    is_cut: AtomicBool,
}

impl Shared {
    pub(crate) fn new(
        program: Program,
        store: Store,
        outbox: Arc<Outbox>,
        kept: Kept,
        rack: Arc<Rack>,
        setup: &protocol::Laboratory,
    ) -> Arc<Self> {
        // What Python prints is logged as what tasks print.
        let printing = |shared: &Weak<Self>| {
            let shared = shared.clone();
            Hosts::new(Arc::new(move |name: &str, line: &str| {
                if let Some(shared) = shared.upgrade() {
                    shared.record(Level::Info, name, line);
                }
            }))
        };
        Arc::new_cyclic(|own| Self {
            hosts: printing(own),
            python: Arc::new(PythonTasks::new(setup, printing(own))),
            program,
            store,
            control: rack.control().clone(),
            outbox,
            log: Mutex::new(kept.log),
            files: kept.files,
            recorder: kept.recorder,
            rack,
            loops: Mutex::default(),
            places: Mutex::default(),
            failures: Mutex::default(),
            idle: Mutex::default(),
            began: Instant::now(),
        })
    }

    /// Writes a record to the log file and tells the parent.
    pub(crate) fn record(&self, level: Level, target: &str, message: &str) {
        let now = now_us();
        let new_file = lock(&self.log).record(now, level, message);
        // What happened before comes before.
        self.store.send_updates(&self.outbox);
        if let Some(path) = new_file {
            self.outbox.say_at(now, Event::LogFile(path.display().to_string()));
        }
        self.outbox.say_at(
            now,
            Event::Log {
                level,
                target: target.to_owned(),
                message: message.to_owned(),
            },
        );
    }

    pub(crate) fn fail(&self, failure: Failure) {
        self.record(
            Level::Error,
            "measurand",
            &format!("The following error was not handled:\n{failure}"),
        );
        lock(&self.failures).push(failure);
        self.control.stop(StoppedBy::Failure);
    }

    /// Says that all tasks are held, or go on.
    pub(crate) fn say(&self, hold: Hold) {
        if let Some(recorder) = &self.recorder {
            let by = self.control.asked_by();
            recorder.mark(match hold {
                Hold::AllHeld => What::Paused { by },
                Hold::Released => What::WentOn { by },
            });
        }
        if hold == Hold::Released {
            // Whoever paused may have turned a knob.
            self.rack.forget();
        }
        // Who looks at a paused run sees the values it paused with.
        self.store.send(&self.outbox);
        self.outbox.say(match hold {
            Hold::AllHeld => Event::Paused,
            Hold::Released => Event::Resumed,
        });
    }

    /// Ends the threads that wait for work.
    pub(crate) fn dismiss(&self) {
        lock(&self.idle).clear();
    }
}

impl LiveBench {
    pub(crate) fn new(shared: &Arc<Shared>, lineage: Vec<TaskId>, origin: Option<Origin>) -> Self {
        let place = Arc::new(Place::default());
        lock(&shared.places).push(place.clone());
        Self {
            shared: shared.clone(),
            place,
            lineage,
            origin,
            is_cut: AtomicBool::new(false),
        }
    }

    /// Performs the whole program, and waits for all that runs in the background. `works` was in the background when the
    /// run was broken off: it is started first.
    ///
    /// `in_force` are the tasks whose settings an earlier process had made: they are made again before anything else.
    pub(crate) fn perform(&self, works: &[(TaskId, Option<Value>)], in_force: &[TaskId]) {
        for task in in_force {
            let path = self.shared.program.path(*task);
            self.shared.record(
                Level::Info,
                "measurand",
                &format!("Setting again what `{path}` had set"),
            );
            if let Err(failure) = self.shared.program.restore(*task, self) {
                self.shared.fail(*failure);
                return;
            }
        }
        for (task, value) in works {
            let pool = self.shared.program.pool(*task).unwrap_or_default();
            let started = self.start_work(*task, pool, value.as_ref(), |recorder| Ok(recorder.origin(*task)));
            if let Err(message) = started {
                let task = self.shared.program.path(*task).to_owned();
                self.shared.fail(Failure {
                    task,
                    field: None,
                    message,
                });
            }
        }
        if let Err(failure) = self.shared.program.perform(self) {
            self.shared.fail(*failure);
        }
        self.shared.control.wait_for_all(&|hold| self.say(hold));
    }

    fn work(&self, work: &Work) {
        if let Err(failure) = self.shared.program.perform_work(work.task, work.value.as_ref(), self) {
            self.shared.fail(*failure);
        } else if let Some(recorder) = self.recorder() {
            recorder.finished(work.task).unwrap_or_else(|message| {
                let task = self.shared.program.path(work.task).to_owned();
                self.shared.fail(Failure {
                    task,
                    field: None,
                    message,
                });
            });
        }
        self.shared.control.end(work.task, &|hold| self.say(hold));
    }

    /// Performs work in the background; `record` puts its start on record.
    fn start_work(
        &self,
        task: TaskId,
        pool: &str,
        value: Option<&Value>,
        record: impl FnOnce(&Recorder) -> Result<Origin, String>,
    ) -> Result<(), String> {
        let begun = self.place.during(task, Doing::Waiting, || {
            self.shared.control.begin(task, pool, &|hold| self.say(hold))
        });
        begun?;
        let recorded = self.shared.recorder.as_deref().map(record).transpose();
        let origin = recorded.inspect_err(|_| self.shared.control.end(task, &|hold| self.say(hold)))?;
        let mut lineage = self.lineage.clone();
        lineage.push(task);
        let value = value.cloned();
        let idle = lock(&self.shared.idle).pop();
        let more = match idle {
            Some(idle) => idle,
            None => {
                let (more, inbox) = mpsc::channel();
                self.spawn(inbox).map_err(|error| {
                    self.shared.control.end(task, &|hold| self.say(hold));
                    format!("no thread can be had for pool `{pool}`: {error}")
                })?;
                more
            }
        };
        let work = Work {
            task,
            value,
            lineage,
            origin,
            more: more.clone(),
        };
        more.send(work).map_err(|_| {
            self.shared.control.end(task, &|hold| self.say(hold));
            format!("the thread of pool `{pool}` is gone")
        })
    }

    /// The record, as long as what this thread does is complete.
    #[inline]
    fn recorder(&self) -> Option<&Recorder> {
        let recorder = self.shared.recorder.as_deref()?;
        (!self.is_cut.load(Ordering::Relaxed)).then_some(recorder)
    }

    fn heed(&self, signal: Signal) -> Signal {
        if signal == Signal::Stop {
            self.is_cut.store(true, Ordering::Relaxed);
        }
        signal
    }

    /// The task whose work this thread does: the root for the run itself.
    fn thread(&self) -> TaskId {
        self.lineage.last().copied().unwrap_or(TaskId::ROOT)
    }

    /// Puts a data file on record before it is made.
    fn announce(
        &self,
        task: TaskId,
        asked: &str,
        notes: &Value,
    ) -> impl Fn(&str, FileContent, FileAt) -> Result<(), String> {
        move |path, content, at| match &self.shared.recorder {
            None => Ok(()),
            Some(recorder) => {
                let opened = OpenedFile {
                    task: task.0,
                    asked: asked.to_owned(),
                    path: path.to_owned(),
                    content,
                    notes: notes.clone(),
                };
                recorder.file_opened(&opened, at)
            }
        }
    }

    /// Says in the log where a file went, if that is not where the task wanted it.
    fn noted<T>(&self, task: TaskId, (made, note): (T, Option<String>)) -> T {
        if let Some(note) = note {
            self.shared
                .record(Level::Warning, self.shared.program.path(task), &note);
        }
        made
    }

    fn say(&self, hold: Hold) {
        self.shared.say(hold);
    }

    /// A thread that does this work, and then more as long as it is given some.
    fn spawn(&self, inbox: mpsc::Receiver<Work>) -> std::io::Result<()> {
        let shared = self.shared.clone();
        let body = move || {
            // Its sender is with whoever may give it work: the idle list. Dismissed from there, it ends.
            while let Ok(work) = inbox.recv() {
                let bench = LiveBench::new(&shared, work.lineage.clone(), work.origin);
                bench.work(&work);
                lock(&shared.places).retain(|place| !Arc::ptr_eq(place, &bench.place));
                lock(&shared.idle).push(work.more);
            }
        };
        std::thread::Builder::new()
            .name("pool".to_owned())
            .stack_size(STACK)
            .spawn(body)
            .map(drop)
    }
}

impl Bench for LiveBench {
    #[inline]
    fn read(&self, entries: &[EntryId], into: &mut [Value]) {
        self.shared.store.read(entries, into);
    }

    #[inline]
    fn write(&self, entry: EntryId, value: Value) {
        // A record that cannot be written is found by the next row, which can say so.
        if let Some(recorder) = &self.shared.recorder {
            if recorder.is_by_row(entry) {
                recorder.whole(self.thread(), entry, value.clone()).ok();
            } else if let Some(origin) = self.origin {
                recorder.late(origin, entry, value.clone()).ok();
            }
        }
        self.shared.store.write(entry, value, &self.shared.outbox);
    }

    #[inline]
    fn write_both(&self, first: (EntryId, Value), second: (EntryId, Value)) {
        self.shared.store.write_both(first, second, &self.shared.outbox);
    }

    #[inline]
    fn checkpoint(&self, task: TaskId) -> Signal {
        self.place.at(task);
        if self.shared.control.is_calm() {
            return Signal::Go;
        }
        let signal = self
            .place
            .during(task, Doing::Held, || self.shared.control.hold(&|hold| self.say(hold)));
        self.heed(signal)
    }

    fn passes(&self, task: TaskId) {
        self.place.at(task);
    }

    fn sleep(&self, task: TaskId, time: Duration) -> Signal {
        let signal = self.place.during(task, Doing::Sleeping, || {
            self.shared.control.sleep(time, &|hold| self.say(hold))
        });
        self.heed(signal)
    }

    fn sleep_through(&self, task: TaskId, time: Duration) {
        self.place.during(task, Doing::Sleeping, || {
            std::thread::sleep(self.shared.control.shortened(time));
        });
    }

    fn start(&self, task: TaskId, pool: &str, value: Option<&Value>) -> Result<(), String> {
        self.start_work(task, pool, value, |recorder| recorder.started(task, value))
    }

    #[inline]
    fn wait(&self, task: TaskId, pools: &Pools) -> Result<(), String> {
        if self.shared.control.is_nothing_in_background() {
            return Ok(());
        }
        self.place.during(task, Doing::Waiting, || {
            self.shared.control.wait(pools, &self.lineage, &|hold| self.say(hold))
        })
    }

    fn write_row(&self, entry: EntryId, row: usize, numbers: &[f64]) -> Result<(), String> {
        self.shared.store.write_row(entry, row, numbers, &self.shared.outbox)?;
        match &self.shared.recorder {
            Some(recorder) => recorder.patch(self.thread(), entry, row, numbers),
            None => Ok(()),
        }
    }

    fn data_file(&self, task: TaskId) -> Option<DataFile> {
        self.shared.files.open_file(task)
    }

    fn create_text(&self, task: TaskId, path: &str, header: &[u8], notes: Value) -> Result<DataFile, String> {
        let announce = self.announce(task, path, &notes);
        let made = self
            .shared
            .files
            .create_text(task, path, header, notes.clone(), &announce)?;
        Ok(self.noted(task, made))
    }

    fn append_text(&self, task: TaskId, text: &[u8], rows: u64) -> Result<(), String> {
        self.shared.files.append_text(task, text, rows)?;
        if let Some(recorder) = &self.shared.recorder {
            recorder.file_grew(task, text.len() as u64, rows);
        }
        Ok(())
    }

    fn create_hdf5(&self, task: TaskId, path: &str, file: &Hdf5, notes: Value) -> Result<DataFile, String> {
        let announce = self.announce(task, path, &notes);
        let made = self
            .shared
            .files
            .create_hdf5(task, path, file, notes.clone(), &announce)?;
        Ok(self.noted(task, made))
    }

    fn append_hdf5(&self, task: TaskId, values: &[Value]) -> Result<(), String> {
        self.shared.files.append_hdf5(task, values)?;
        if let Some(recorder) = &self.shared.recorder {
            recorder.file_grew(task, 0, 1);
        }
        Ok(())
    }

    fn close_file(&self, task: TaskId) -> Result<(), String> {
        self.shared.files.close(task)
    }

    fn write_file(&self, task: TaskId, path: &str, content: &[u8]) -> Result<String, String> {
        let announce = self.announce(task, path, &Value::None);
        let made = self.shared.files.write_whole(task, path, content, &announce)?;
        Ok(self.noted(task, made))
    }

    fn read_file(&self, path: &str) -> Result<Vec<u8>, String> {
        self.shared.files.read(path)
    }

    fn read_hdf5(&self, path: &str) -> Result<(Vec<(String, Value)>, Option<i64>), String> {
        self.shared.files.read_hdf5(path)
    }

    fn ask(&self, task: TaskId, instrument: InstrumentId, at: Where<'_>, ask: Ask<'_>) -> Result<Value, Unanswered> {
        let stoppable = self.shared.program.is_stoppable(task);
        let answer = self.shared.rack.ask(instrument, stoppable, at, ask);
        if matches!(answer, Err(Unanswered::Stopped)) {
            self.is_cut.store(true, Ordering::Relaxed);
        }
        answer
    }

    fn ask_through(
        &self,
        _task: TaskId,
        instrument: InstrumentId,
        at: Where<'_>,
        ask: Ask<'_>,
    ) -> Result<Value, Unanswered> {
        self.shared.rack.ask(instrument, false, at, ask)
    }

    fn perform_python(&self, task: TaskId, call: &PythonCall<'_>, side: &mut dyn PythonSide) -> Result<(), Unanswered> {
        let path = self.shared.program.path(task);
        let stoppable = self.shared.program.is_stoppable(task);
        let performed = self.shared.python.perform(task, path, stoppable, call, side);
        match performed {
            // It was ended with its process, or let itself be told by `stopping`.
            Err(_) if self.shared.control.is_stopping() && stoppable => {
                self.is_cut.store(true, Ordering::Relaxed);
                Err(Unanswered::Stopped)
            }
            performed => performed,
        }
    }

    fn instrument_has(&self, instrument: InstrumentId, name: &str) -> bool {
        self.shared.rack.has(instrument, name)
    }

    fn takes_over(&self, task: TaskId, instrument: InstrumentId) -> bool {
        self.shared.rack.takes_over(task, instrument)
    }

    fn log(&self, task: TaskId, message: &str) {
        self.shared.record(Level::Info, self.shared.program.path(task), message);
    }

    fn now(&self) -> Duration {
        self.shared.began.elapsed()
    }

    fn loop_begins(&self, task: TaskId, total: Option<u64>) {
        let running = RunningLoop {
            task,
            total,
            is_running: true,
        };
        let mut loops = lock(&self.shared.loops);
        match loops.iter_mut().find(|known| known.task == task) {
            Some(known) => *known = running,
            None => loops.push(running),
        }
    }

    fn record_round(&self, task: TaskId, total: Option<u64>, values: Option<RoundValues<'_>>) -> Result<(), String> {
        self.recorder()
            .map_or(Ok(()), |recorder| recorder.round(task, total, values))
    }

    #[inline]
    fn record_iteration(&self, task: TaskId, is_left: bool) -> Result<(), String> {
        match self.recorder() {
            Some(recorder) => recorder.iteration(task, is_left, &self.shared.store),
            None => Ok(()),
        }
    }

    fn record_done(&self, task: TaskId) -> Result<(), String> {
        self.recorder()
            .map_or(Ok(()), |recorder| recorder.done(task, &self.shared.store))
    }

    fn loop_ends(&self, task: TaskId) {
        if let Some(known) = lock(&self.shared.loops).iter_mut().find(|known| known.task == task) {
            known.is_running = false;
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
