//! `measurand run`: checks measurements and performs them, each in turn in one child process.
//!
//! What is wrong with a file goes to standard error; what happens goes to the display. Whatever the outcome, the events
//! are complete and the values are written.

mod manner;

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use measurement::{Measurement, Overrides, Problem, Severity, Source, Stage, refused};
use protocol::{Assume, Checks, OnExisting, Outcome, Recording, Request};
use runner::Laboratory;
use supervisor::{ControlServer, Engine, Facts, Job, Report, Update, View, What};

pub(crate) use self::manner::Manner;
use self::manner::{Assumption, Existing};
use crate::{
    args::Changes,
    complaint::Complaint,
    display::Display,
    events::EventStream,
    exit::Exit,
    interruption::Interruption,
    laboratory::Simulated,
    observe::observed,
    quantity::counted,
    registry::Listed,
    resumable::{Broken, LastRun, last_run},
    snippet,
    source::{Loaded, with_modules},
    surroundings::{Folders, day_and_time},
    telling,
    terminal::{Stream, harmless},
    values::Values,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Measurements, or templates of tasks, performed in this order
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    changes: Changes,
    /// Go on where the last run of the file broke off, if it did; begin a new run if there was none
    #[arg(long, conflicts_with = "no_record")]
    resume: bool,
    /// Do not keep the record of the run: it can neither be exported nor resumed
    #[arg(long)]
    no_record: bool,
    #[command(flatten)]
    manner: Manner,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Complaint> {
    args.refuse_conflicts()?;
    let mut session = Session::open(&args.manner, args.changes.overrides())?;
    let mut exit = Exit::Completed;
    for (at, path) in args.files.iter().enumerate() {
        if session.interruption.has_come() {
            let left = counted(args.files.len() - at, "file");
            Stream::Error.write(&format!("interrupted: {left} not performed\n"));
            exit = exit.max(Exit::Interrupted);
            break;
        }
        let keeping = match (args.no_record, args.resume) {
            (true, _) => Keeping::Nothing,
            (false, false) => Keeping::New,
            (false, true) => Keeping::Last,
        };
        exit = exit.max(session.file(path, keeping));
    }
    session.close(exit)
}

/// Goes on with the run of a record.
pub(crate) fn go_on(record: &Path, manner: &Manner) -> Result<Exit, Complaint> {
    let broken = Broken::open(record)?;
    let mut session = Session::open(manner, broken.overrides())?;
    let exit = session.go_on(&broken)?;
    session.close(exit)
}

impl Args {
    fn refuse_conflicts(&self) -> Result<(), Complaint> {
        if self.manner.values_out.is_some() && self.files.len() > 1 {
            let complaint = Complaint::new("`--values-out` takes the values of one measurement, and here are several");
            return Err(complaint.hint("run the files one by one"));
        }
        for (option, output) in [
            ("--events", &self.manner.events),
            ("--values-out", &self.manner.values_out),
        ] {
            let same = |file: &&PathBuf| output.as_ref().is_some_and(|output| is_same_file(output, file));
            if let Some(file) = self.files.iter().find(same) {
                return Err(Complaint::new(format!(
                    "`{option}` would replace the measurement `{}`",
                    file.display()
                )));
            }
        }
        Ok(())
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// All that the measurements of one command have in common.
struct Session<'a> {
    manner: &'a Manner,
    overrides: Overrides,
    setup: protocol::Laboratory,
    engine: Engine,
    events: Option<EventStream>,
    interruption: Interruption,
}

/// A laboratory, and what serves its simulated instruments as long as it lives.
struct Setup {
    of_run: protocol::Laboratory,
    _simulated: Option<Simulated>,
}

/// Which record a run is kept in.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Keeping {
    Nothing,
    New,
    /// That of the last run, if it broke off.
    Last,
    /// This one.
    GoOn(PathBuf),
}

impl<'a> Session<'a> {
    fn open(manner: &'a Manner, overrides: Overrides) -> Result<Session<'a>, Complaint> {
        let setup = manner.reach.laboratory()?;
        let program =
            std::env::current_exe().map_err(|error| Complaint::new("cannot find this program").because(&error))?;
        let events = manner.events.as_deref().map(EventStream::open).transpose()?;
        let engine = Engine::new(program);
        let interruption = Interruption::listen(engine.operator(), events.as_ref().map(EventStream::give_up))?;
        Ok(Session {
            manner,
            overrides,
            setup,
            engine,
            events,
            interruption,
        })
    }

    fn go_on(&mut self, broken: &Broken) -> Result<Exit, Complaint> {
        let loaded = broken.load(&self.overrides, &self.setup);
        Ok(self.loaded(&loaded, Keeping::GoOn(broken.record.clone())))
    }

    fn file(&mut self, path: &Path, keeping: Keeping) -> Exit {
        let loaded = match Loaded::open(path, &self.overrides, &self.setup) {
            Ok(loaded) => loaded,
            Err(complaint) => {
                complaint.print();
                let label = path.display().to_string();
                let facts = Facts {
                    name: label.clone(),
                    id: String::new(),
                    file: label,
                    default_path: String::new(),
                };
                self.say_skipped(facts, &[(Problem::error(Stage::Read, "", complaint.line()), None)]);
                self.write_values(&Values::none());
                return Exit::Unusable;
            }
        };
        let keeping = match (keeping, loaded.built()) {
            (Keeping::Last, Some(measurement)) => match last_run(measurement) {
                Ok(LastRun::None) => Keeping::New,
                Ok(LastRun::Broken(record)) => Keeping::GoOn(record),
                Ok(LastRun::Complete(record)) => {
                    let record = harmless(&record.display().to_string());
                    Stream::Error.write(&format!(
                        "{}: the last run is complete, there is nothing to go on with: {record}\n",
                        loaded.label
                    ));
                    return Exit::Completed;
                }
                Err(complaint) => {
                    complaint.print();
                    return Exit::Unusable;
                }
            },
            (keeping, _) => keeping,
        };
        self.loaded(&loaded, keeping)
    }

    /// The laboratory that a measurement is performed in: the user's, or one in software.
    fn laboratory_of(&self, loaded: &Loaded) -> Result<Setup, Complaint> {
        let mut setup = Setup {
            of_run: with_modules(&self.setup, Path::new(&loaded.label)),
            _simulated: None,
        };
        if let (true, Some(measurement)) = (self.manner.simulate, loaded.built()) {
            let laboratory = Laboratory::open(&self.setup);
            let simulated = Simulated::start(
                &laboratory,
                measurement.tree.instruments(),
                self.manner.transcript.as_deref(),
                self.manner.speed.unwrap_or(1),
            )?;
            // What the user says of one instrument holds for it.
            setup.of_run.addresses.splice(0..0, simulated.addresses());
            setup._simulated = Some(simulated);
        }
        Ok(setup)
    }

    fn loaded(&mut self, loaded: &Loaded, keeping: Keeping) -> Exit {
        let setup = match self.laboratory_of(loaded) {
            Ok(setup) => setup,
            Err(complaint) => {
                complaint.print();
                return Exit::Unusable;
            }
        };
        let checked = match Checked::of(loaded, &self.overrides, self.manner, &setup.of_run) {
            Ok(mut checked) => {
                if matches!(keeping, Keeping::GoOn(_)) {
                    // The warnings were said when the run began; that its own files exist is none.
                    checked.problems.retain(Problem::is_error);
                }
                checked
            }
            Err(complaint) => {
                complaint.print();
                return Exit::Unusable;
            }
        };
        checked.print(loaded);
        match loaded.built() {
            Some(measurement) if !refused(&checked.problems) => {
                self.perform(loaded, measurement, checked, keeping, setup.of_run.clone())
            }
            built => {
                self.say_skipped(facts(loaded), &placed(&checked.problems, loaded));
                self.write_values(&checked.values);
                let errors = checked.problems.iter().filter(|problem| problem.is_error()).count();
                let errors = counted(errors, "error");
                let (exit, verdict) = match built {
                    Some(_) => (Exit::Refused, "refused by the checks"),
                    None => (Exit::Unusable, "cannot be performed"),
                };
                Stream::Error.write(&format!(
                    "{}: {verdict}: {errors}; nothing was performed\n",
                    loaded.label
                ));
                exit
            }
        }
    }

    fn perform(
        &mut self,
        loaded: &Loaded,
        measurement: &Measurement,
        mut checked: Checked,
        keeping: Keeping,
        laboratory: protocol::Laboratory,
    ) -> Exit {
        let (observe, idle) = match observed(measurement, &self.manner.observe) {
            Ok(observed) => observed,
            Err(complaint) => {
                complaint.print();
                return Exit::Unusable;
            }
        };
        for glob in idle {
            Stream::Error.write(&format!(
                "warning: `--observe {glob}` matches no entry of `{}`\n",
                loaded.label
            ));
        }
        let request = Request {
            text: measurement.text().to_owned(),
            date: checked.date.clone(),
            time: checked.time.clone(),
            checks: if self.manner.skip_checks {
                Checks::Skip
            } else {
                Checks::Run
            },
            observe,
            lossless: self.manner.lossless,
            all_values: self.manner.values_out.is_some(),
            on_existing: match self.manner.on_existing {
                Existing::Rename => OnExisting::Rename,
                Existing::Refuse => OnExisting::Refuse,
                Existing::Overwrite => OnExisting::Overwrite,
            },
            recording: match keeping {
                Keeping::Nothing => Recording::Off,
                Keeping::New | Keeping::Last => Recording::New,
                Keeping::GoOn(record) => Recording::GoOn {
                    record: record.display().to_string(),
                    assume: Assume {
                        new_files: self.manner.assume.contains(&Assumption::NewFiles),
                    },
                },
            },
            flush_ms: self.manner.flush_interval,
            file: loaded.label.clone(),
            laboratory,
            speed: self.manner.speed.unwrap_or(1),
        };
        let facts = facts(loaded);
        let job = Job {
            request,
            facts: facts.clone(),
            problems: placed(&checked.problems, loaded),
            pre_hooks: measurement.pre_hooks.clone(),
            post_hooks: measurement.post_hooks.clone(),
        };
        let stream = self.stream();
        let began = Instant::now();
        let (report, view) = self.perform_job(job, facts, stream, measurement);
        let paint = stream.paint();
        for problem in report.problems.iter().filter(|problem| !checked.has(problem)) {
            // The places of the child's own check are those of the text that was sent, not of the file.
            let problem = Problem {
                place: None,
                ..problem.clone()
            };
            stream.write(&snippet::text(&problem, "", &loaded.label, stream));
        }
        let values = shown_values(measurement, &view);
        let mut summary = telling::summary(&measurement.stem(), &report, began.elapsed(), &values, paint);
        checked.values.update(report.values);
        if let Some(path) = self.write_values(&checked.values) {
            summary.push_str(&telling::written("values", path, paint));
        }
        stream.write(&summary);
        match report.outcome {
            Outcome::Completed => Exit::Completed,
            Outcome::Failed => Exit::Failed,
            Outcome::Interrupted => Exit::Interrupted,
            Outcome::Skipped => Exit::Refused,
        }
    }

    fn perform_job(&mut self, job: Job, facts: Facts, stream: Stream, measurement: &Measurement) -> (Report, View) {
        let Session {
            manner,
            engine,
            events,
            interruption,
            ..
        } = self;
        let plain = manner.plain || manner.events_on_output() && Stream::Output.is_terminal();
        let mut display = if plain {
            Display::plain(stream)
        } else {
            Display::best(stream, measurement, interruption.clone())
        };
        // Without it the run goes on; only other terminals cannot talk to it.
        let control = ControlServer::start(engine.operator(), &facts);
        if let Err(error) = &control {
            Complaint::new("`measurand pause|resume|stop|kill` cannot reach this run")
                .because(error)
                .print();
        }
        let mut listed = None;
        let report = engine.perform(job, &mut |update| {
            if let Update::Started { files, .. } = &update
                && let Some(record) = &files.record
            {
                listed = Some(Listed::begin(&facts, record));
            }
            if let Update::Event(event) = &update {
                if let Some(events) = events {
                    events.push(event);
                }
                // What came between two measurements reached nobody.
                if matches!(event.what, What::Run { .. }) && interruption.has_come() {
                    interruption.operator().stop();
                }
            }
            display.fold(&update);
        });
        drop(control);
        if let Some(listed) = listed {
            listed.end(report.points.map(|points| (report.outcome.name(), points)));
        }
        (report, display.close())
    }

    /// The events of a measurement that is not performed.
    fn say_skipped(&self, facts: Facts, problems: &[(Problem, Option<usize>)]) {
        let Some(events) = &self.events else { return };
        let mut whats = vec![What::Run {
            name: facts.name,
            id: facts.id,
            file: facts.file,
            default_path: facts.default_path,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
        }];
        whats.extend(problems.iter().map(|(problem, line)| What::Problem {
            severity: problem.severity,
            path: problem.path.clone(),
            message: problem.message.clone(),
            line: *line,
        }));
        let errors = problems.iter().filter(|(problem, _)| problem.is_error());
        let errors = errors
            .map(|(problem, _)| (problem.path.clone(), problem.message.clone()))
            .collect();
        whats.push(What::Finished {
            outcome: Outcome::Skipped,
            errors,
        });
        let time_us = jiff::Timestamp::now().as_microsecond();
        for (seq, what) in (1..).zip(whats) {
            events.push(&supervisor::RunEvent { seq, time_us, what });
        }
    }

    /// The file that the values were written to.
    fn write_values(&self, values: &Values) -> Option<&Path> {
        let path = self.manner.values_out.as_deref()?;
        match values.write(path) {
            Ok(()) => Some(path),
            Err(error) => {
                Complaint::of_file("write the values to", path, &error).print();
                None
            }
        }
    }

    fn stream(&self) -> Stream {
        if self.manner.events_on_output() {
            Stream::Error
        } else {
            Stream::Output
        }
    }

    fn close(self, exit: Exit) -> Result<Exit, Complaint> {
        self.engine.shutdown();
        match (self.events.map(EventStream::close), &self.manner.events) {
            (Some(Err(error)), Some(path)) => {
                Complaint::of_file("write all events to", path, &error).print();
                Ok(exit.max(Exit::Failed))
            }
            (Some(_) | None, _) => Ok(exit),
        }
    }
}

/// What the parent's own check found, with the entries as it left them.
struct Checked {
    problems: Vec<Problem>,
    values: Values,
    date: String,
    time: String,
}

impl Checked {
    fn of(
        loaded: &Loaded,
        overrides: &Overrides,
        manner: &Manner,
        setup: &protocol::Laboratory,
    ) -> Result<Checked, Complaint> {
        let (date, time) = day_and_time();
        let mut problems = loaded.problems.clone();
        let Some(measurement) = &loaded.measurement else {
            return Ok(Checked {
                problems,
                values: Values::none(),
                date,
                time,
            });
        };
        if let Some(folder) = overrides.default_path.as_deref().filter(|_| measurement.is_built()) {
            std::fs::create_dir_all(folder)
                .map_err(|error| Complaint::of_file("make the folder", Path::new(folder), &error))?;
        }
        let folders = Folders {
            made: None,
            laboratory: Laboratory::open(setup),
            missing: Severity::Error,
        };
        let checked = measurement.tree.check(&measurement.facts(&date, &time), &folders);
        let values = Values::of_check(&measurement.tree, &checked.values);
        problems.extend(checked.problems);
        if manner.skip_checks {
            for problem in problems.iter_mut().filter(|problem| problem.stage == Stage::Check) {
                problem.severity = Severity::Warning;
            }
        }
        Ok(Checked {
            problems,
            values,
            date,
            time,
        })
    }

    /// Errors first, warnings after them.
    fn print(&self, loaded: &Loaded) {
        let (errors, warnings): (Vec<_>, Vec<_>) = self.problems.iter().partition(|problem| problem.is_error());
        for problem in errors.into_iter().chain(warnings) {
            Stream::Error.write(&format!(
                "{}\n",
                snippet::text(problem, loaded, &loaded.label, Stream::Error)
            ));
        }
    }

    fn has(&self, problem: &Problem) -> bool {
        self.problems
            .iter()
            .any(|known| known.path == problem.path && known.message == problem.message)
    }
}

fn facts(loaded: &Loaded) -> Facts {
    let file = loaded.label.clone();
    match &loaded.measurement {
        Some(measurement) => Facts {
            name: measurement.name.clone(),
            id: measurement.id.clone(),
            file,
            default_path: measurement.default_path.clone(),
        },
        None => Facts {
            name: file.clone(),
            id: String::new(),
            file,
            default_path: String::new(),
        },
    }
}

/// The problems with their lines.
fn placed(problems: &[Problem], loaded: &Loaded) -> Vec<(Problem, Option<usize>)> {
    problems
        .iter()
        .map(|problem| (problem.clone(), loaded.line_col(problem).map(|(line, _)| line)))
        .collect()
}

/// The lines of the file's monitor as the run left them.
fn shown_values(measurement: &Measurement, view: &View) -> Vec<(String, String)> {
    let database = measurement.tree.database();
    if view.entries.is_empty() {
        // Nothing was performed: there is nothing to show.
        return Vec::new();
    }
    let words = |shown: &measurement::Shown| shown.words(|entry| view.value_of(&database.entry(entry).path));
    measurement
        .monitor
        .shown()
        .iter()
        .map(|shown| (shown.name.clone(), words(shown)))
        .collect()
}
