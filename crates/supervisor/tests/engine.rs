//! The engine with children that behave and that do not. The child is this very binary, started again through a script
//! as the ignored test `child_double::child`; what it does is the text of the measurement.

mod child_double;

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process,
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use measurement::{Hook, Problem};
use protocol::{Checks, Observe, OnExisting, Outcome, Recording, Request, Value};
use supervisor::{Engine, EngineState, Facts, Job, Operator, Report, Update, Verb, What};

/// A folder of one test, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = env::temp_dir().join(format!("measurand-engine-{name}-{}", process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("readable").to_owned()
    }

    /// A program that is these lines of a shell.
    fn program(&self, lines: &str) -> PathBuf {
        let path = self.0.join("program");
        fs::write(&path, format!("#!/bin/sh\n{lines}\n")).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
        path
    }

    /// The child below.
    fn child(&self) -> PathBuf {
        let this = env::current_exe().expect("a path");
        self.program(&format!(
            "exec '{}' --exact child_double::child --ignored --nocapture",
            this.display()
        ))
    }

    fn job(&self, text: &str) -> Job {
        Job {
            request: Request {
                text: format!("{text}\n{}", self.path("run.log")),
                date: "2026-11-22".into(),
                time: "10-00-00".into(),
                checks: Checks::Run,
                observe: Observe::All,
                lossless: true,
                all_values: true,
                on_existing: OnExisting::Rename,
                recording: Recording::Off,
                flush_ms: 1000,
                laboratory: protocol::Laboratory::default(),
                speed: 1,
                file: String::new(),
            },
            facts: Facts {
                name: "Rabi".into(),
                id: "001".into(),
                file: "rabi.meas.ini".into(),
                default_path: self.path(""),
            },
            problems: vec![],
            pre_hooks: vec![],
            post_hooks: vec![],
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn hook(command: &str) -> Hook {
    Hook {
        id: "measurand.command".into(),
        command: command.into(),
        timeout: Duration::from_secs(20),
    }
}

/// Performs in a thread of its own, so that a test can hear the run and ask it.
struct Performing {
    operator: Operator,
    states: Receiver<&'static str>,
    thread: thread::JoinHandle<(Engine, Report, Instant)>,
}

impl Performing {
    fn start(mut engine: Engine, job: Job) -> Performing {
        let operator = engine.operator();
        let (sender, states) = channel();
        let thread = thread::spawn(move || {
            let report = engine.perform(job, &mut |update| {
                if let Update::Event(event) = update
                    && let What::State(state) = event.what
                {
                    sender.send(state.name()).expect("the test listens");
                }
            });
            (engine, report, Instant::now())
        });
        Performing {
            operator,
            states,
            thread,
        }
    }

    /// Waits until the run is in a state; what it was in before is skipped.
    fn until_state(&self, name: &str) {
        while self
            .states
            .recv_timeout(Duration::from_secs(20))
            .expect("it is said in time")
            != name
        {}
    }

    fn end(self) -> (Engine, Report, Instant) {
        self.thread.join().expect("no panic")
    }
}

/// What is said, one short line each, without what the test harness of the child prints.
fn story(updates: &[Update]) -> Vec<String> {
    let mut lines = Vec::new();
    for update in updates {
        lines.push(match update {
            Update::Started { entries, values, .. } => {
                format!("started {} entries, {} values", entries.len(), values.len())
            }
            Update::At { task, .. } => format!("at {task}"),
            Update::LogFile(_) => "log file".to_owned(),
            Update::Event(event) => match &event.what {
                What::Log { target, message, .. } if target == "stdout" && !message.starts_with("printed") => continue,
                What::Log { target, level, message } => format!("{} {target}: {message}", level.name()),
                What::State(state) => state.name().to_owned(),
                What::Run { name, .. } => format!("run {name}"),
                What::Value { entry, .. } => format!("value {entry}"),
                What::Progress { task, index, .. } => format!("progress {task} {index}"),
                What::Problem { message, .. } => format!("problem {message}"),
                What::Finished { outcome, errors } => format!("{} {errors:?}", outcome.name()),
            },
        });
    }
    lines
}

fn perform(engine: &mut Engine, job: Job) -> (Report, Vec<Update>) {
    let mut updates = Vec::new();
    let report = engine.perform(job, &mut |update| updates.push(update));
    (report, updates)
}

fn json(value: &Value) -> String {
    let mut out = String::new();
    value.write_json(&mut out);
    out
}

fn values(report: &Report) -> Vec<(String, String)> {
    report
        .values
        .iter()
        .map(|(entry, value)| (entry.to_string(), json(value)))
        .collect()
}

fn engine_error(report: &Report) -> &str {
    report
        .errors
        .iter()
        .find(|(key, _)| key == "engine")
        .map_or("", |(_, text)| text)
}

#[test]
fn a_run_is_told_in_order_and_the_child_is_kept() {
    let folder = Folder::new("complete");
    let mut engine = Engine::new(folder.child());
    assert_eq!(engine.state(), EngineState::Stopped);
    engine.warm().expect("a child");
    assert_eq!(engine.state(), EngineState::Waiting);
    let mut job = folder.job("complete");
    job.problems = vec![(Problem::warning("root/a", "known"), Some(3))];
    job.pre_hooks = vec![hook(
        "echo before; printf %s \"$MEASURAND_HOOK $MEASURAND_NAME $MEASURAND_OUTCOME\"",
    )];
    job.post_hooks = vec![hook(
        "echo $MEASURAND_HOOK $MEASURAND_OUTCOME; cat $MEASURAND_LOG_FILE | tail -n 1 >&2",
    )];
    let (report, updates) = perform(&mut engine, job.clone());
    let said = story(&updates);
    let after = said.iter().position(|line| line == "problem new").expect("told");
    assert_eq!(said[..3], ["run Rabi", "problem known", "Ready"],);
    assert!(
        said.contains(&"INFO measurand.command: pre Rabi ".to_owned()),
        "{said:?}"
    );
    let rest: Vec<&str> = said[after + 1..]
        .iter()
        .map(String::as_str)
        .filter(|line| !line.starts_with("INFO stdout"))
        .collect();
    assert_eq!(
        rest[..8],
        [
            "started 2 entries, 1 values",
            "Running",
            "INFO root/log: point",
            "progress root/loop 1",
            "value root/x",
            "value root/y",
            "at root/loop",
            "INFO measurand.command: post Completed"
        ]
    );
    assert_eq!(rest[9..], ["Completed []"]);
    assert_eq!(report.outcome, Outcome::Completed);
    assert_eq!(
        values(&report),
        [("root/x".into(), "8".into()), ("root/y".into(), "3".into())]
    );
    assert_eq!(report.problems.len(), 2);
    let log = fs::read_to_string(report.log_file.expect("there is one")).expect("readable");
    assert!(log.contains(" | INFO | printed by the child\n"), "{log}");
    let seqs = updates.iter().filter_map(|update| match update {
        Update::Event(event) => Some(event.seq),
        _ => None,
    });
    assert!(
        seqs.eq(1..=updates
            .iter()
            .filter(|update| matches!(update, Update::Event(_)))
            .count() as u64)
    );

    let (again, _) = perform(&mut engine, job);
    assert_eq!(again.outcome, Outcome::Completed);
    assert_eq!(engine.state(), EngineState::Waiting);
    engine.shutdown();
}

#[test]
fn a_child_that_aborts_is_known_at_once_its_values_are_kept_and_another_takes_over() {
    let folder = Folder::new("abort");
    let mut engine = Engine::new(folder.child());
    for _ in 0..3 {
        let mut job = folder.job("abort");
        job.post_hooks = vec![hook(&format!(
            "printf %s \"$MEASURAND_OUTCOME\" > {}",
            folder.path("hook")
        ))];
        let (report, updates) = perform(&mut engine, job);
        assert_eq!(report.outcome, Outcome::Failed);
        let error = engine_error(&report);
        let expected = "the process that performs the measurement died: killed by SIGABRT; the last lines of its standard error:\nlast words";
        assert_eq!(error, expected);
        assert_eq!(
            values(&report),
            [("root/x".into(), "1".into()), ("root/y".into(), "2".into())]
        );
        assert!(story(&updates).contains(&"CRITICAL stderr: last words".to_owned()));
        assert_eq!(fs::read_to_string(folder.path("hook")).expect("the hook ran"), "Failed");
        let log = fs::read_to_string(folder.path("run.log")).expect("readable");
        assert!(log.contains(" | CRITICAL | last words\n"), "{log}");
        assert_eq!(engine.state(), EngineState::Stopped);
    }
    let (report, _) = perform(&mut engine, folder.job("complete"));
    assert_eq!(report.outcome, Outcome::Completed);
}

#[test]
fn a_child_that_was_killed_while_it_waited_is_replaced() {
    let folder = Folder::new("idle");
    let mut engine = Engine::new(folder.child());
    engine.warm().expect("a child");
    for _ in 0..20 {
        let (report, updates) = perform(&mut engine, folder.job("pid"));
        assert_eq!(
            report.outcome,
            Outcome::Completed,
            "{:?} {:?}",
            report.errors,
            story(&updates)
        );
        let pid = values(&report)[0].1.clone();
        assert!(
            process::Command::new("kill")
                .args(["-9", &pid])
                .status()
                .expect("kill")
                .success()
        );
    }
}

#[test]
fn a_program_that_is_no_child_is_named_with_its_last_words() {
    let folder = Folder::new("handshake");
    let cases = [
        (
            "exit 0",
            "the process that performs the measurement died: exited with status 0",
        ),
        (
            "echo not this >&2; echo sorry >&2; exit 7",
            "the process that performs the measurement died: exited with status 7; the last lines of its standard error:\nnot this\nsorry",
        ),
        (
            "head -c 300000 /dev/urandom; kill -SEGV $$",
            "the process that performs the measurement died: killed by SIGSEGV",
        ),
    ];
    for (program, expected) in cases {
        let mut engine = Engine::new(folder.program(program));
        assert_eq!(engine.warm().expect_err("no child").to_string(), expected);
        let (report, _) = perform(&mut engine, folder.job("complete"));
        assert_eq!((report.outcome, engine_error(&report)), (Outcome::Failed, expected));
    }
    let mut engine = Engine::new("/no/such/program".into());
    let error = engine.warm().expect_err("no program").to_string();
    assert!(
        error.starts_with("`/no/such/program` cannot be started: No such file"),
        "{error}"
    );
}

#[test]
fn a_program_that_never_answers_can_be_killed() {
    let folder = Folder::new("mute");
    let run = Performing::start(Engine::new(folder.program("exec sleep 1000")), folder.job("complete"));
    run.until_state("Ready");
    let asked = Instant::now();
    run.operator.kill();
    let (_, report, ended) = run.end();
    assert_eq!(report.outcome, Outcome::Interrupted);
    assert!(ended - asked < Duration::from_secs(1));
}

#[test]
fn a_child_that_talks_nonsense_is_ended() {
    let folder = Folder::new("nonsense");
    let mut engine = Engine::new(folder.child());
    let (report, _) = perform(&mut engine, folder.job("nonsense"));
    let expected = "the process that performs the measurement failed: what it says is not understood: a message of 4294967295 bytes is longer than any may be (killed by SIGTERM)";
    assert_eq!((report.outcome, engine_error(&report)), (Outcome::Failed, expected));
}

#[test]
fn a_child_that_closes_its_stream_and_lives_on_is_ended() {
    let folder = Folder::new("close");
    let mut engine = Engine::new(folder.child());
    let began = Instant::now();
    let (report, _) = perform(&mut engine, folder.job("close"));
    let expected = "the process that performs the measurement died: killed by SIGTERM";
    assert_eq!((report.outcome, engine_error(&report)), (Outcome::Failed, expected));
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn what_the_child_started_keeps_nobody_waiting() {
    let folder = Folder::new("grandchild");
    let mut engine = Engine::new(folder.child());
    let (report, updates) = perform(&mut engine, folder.job("daemon"));
    assert_eq!(
        engine_error(&report),
        "the process that performs the measurement died: exited with status 3"
    );
    let times: Vec<i64> = updates
        .iter()
        .filter_map(|update| match update {
            Update::Event(event) => Some(event.time_us),
            _ => None,
        })
        .collect();
    assert!(times[times.len() - 1] - times[times.len() - 3] < 2_000_000);
}

#[test]
fn a_run_is_paused_resumed_and_stopped_by_its_operator() {
    let folder = Folder::new("stop");
    let run = Performing::start(Engine::new(folder.child()), folder.job("sleep"));
    run.until_state("Running");
    run.operator.pause();
    run.until_state("Paused");
    assert_eq!(run.operator.state(), EngineState::Paused);
    assert_eq!(run.operator.ask(Verb::Pause), Ok(()));
    assert_eq!(run.operator.ask(Verb::Resume), Ok(()));
    run.until_state("Resuming");
    run.until_state("Running");
    assert_eq!(
        run.operator.ask(Verb::Resume).expect_err("it runs").to_string(),
        "cannot resume: it is not paused"
    );
    let operator = run.operator.clone();
    run.operator.stop();
    let (mut engine, report, _) = run.end();
    assert_eq!((report.outcome, report.errors), (Outcome::Interrupted, vec![]));
    assert_eq!(
        operator.ask(Verb::Stop).expect_err("it is over").to_string(),
        "no measurement is performed"
    );
    // A late request does not reach the next run.
    operator.stop();
    let (report, _) = perform(&mut engine, folder.job("complete"));
    assert_eq!(report.outcome, Outcome::Completed);
}

#[test]
fn a_kill_climbs_as_far_as_it_must() {
    let cases = [
        ("sleep", "", "killed by the operator: it ended when asked", 0),
        (
            "deaf",
            "",
            "killed by the operator: it did not end when asked, its process was terminated: the process that performs the measurement died: killed by SIGTERM",
            300,
        ),
        (
            "deaf",
            "trap '' TERM",
            "killed by the operator: it ended neither when asked nor when terminated, its process was killed: the process that performs the measurement died: killed by SIGKILL",
            800,
        ),
    ];
    for (text, trap, expected, millis) in cases {
        let folder = Folder::new(text);
        let child = fs::read_to_string(folder.child()).expect("readable");
        let program = folder.program(&child.replace("#!/bin/sh", trap));
        let mut job = folder.job(text);
        job.post_hooks = vec![hook(&format!("touch {}", folder.path("hook")))];
        let run = Performing::start(Engine::new(program), job);
        run.until_state("Running");
        let asked = Instant::now();
        run.operator.kill();
        let (mut engine, report, ended) = run.end();
        assert_eq!(
            (report.outcome, engine_error(&report)),
            (Outcome::Interrupted, expected)
        );
        assert!(
            !fs::exists(folder.path("hook")).expect("readable"),
            "no hook runs after a kill"
        );
        let took = ended - asked;
        assert!(
            took >= Duration::from_millis(millis) && took < Duration::from_millis(millis + 1000),
            "{took:?}"
        );
        let (report, _) = perform(&mut engine, folder.job("complete"));
        assert_eq!(report.outcome, Outcome::Completed);
    }
}

#[test]
fn a_flood_of_output_is_logged_to_the_last_line_and_can_be_killed() {
    let folder = Folder::new("flood");
    let mut engine = Engine::new(folder.child());
    let mut lines = 0;
    let report = engine.perform(folder.job("flood 200000"), &mut |update| {
        if let Update::Event(event) = update
            && let What::Log { target, message, .. } = event.what
            && target == "stdout"
            && message.starts_with("printed")
        {
            lines += 1;
        }
    });
    assert_eq!((report.outcome, lines), (Outcome::Completed, 200_000));
    let log = fs::read_to_string(folder.path("run.log")).expect("readable");
    assert_eq!(
        log.lines().filter(|line| line.contains("| INFO | printed")).count(),
        200_000
    );

    let run = Performing::start(engine, folder.job("flood 1000000000"));
    run.until_state("Running");
    let asked = Instant::now();
    run.operator.kill();
    let (_, report, ended) = run.end();
    assert_eq!(report.outcome, Outcome::Interrupted);
    assert!(ended - asked < Duration::from_secs(3), "{:?}", ended - asked);
}

#[test]
fn hooks_fail_with_their_words_and_hang_no_longer_than_they_may() {
    let folder = Folder::new("hooks");
    let mut engine = Engine::new(folder.child());
    let mut job = folder.job("complete");
    job.pre_hooks = vec![hook("echo no field >&2; exit 4")];
    let (report, updates) = perform(&mut engine, job);
    let expected = (
        "pre-hook measurand.command".to_owned(),
        "exited with status 4: no field".to_owned(),
    );
    assert_eq!((report.outcome, report.errors), (Outcome::Failed, vec![expected]));
    assert!(story(&updates).contains(&"WARNING measurand.command: no field".to_owned()));
    assert!(!story(&updates).contains(&"Running".to_owned()));

    let mut job = folder.job("complete");
    job.post_hooks = vec![Hook {
        timeout: Duration::from_millis(200),
        ..hook("sleep 1000 & sleep 1000")
    }];
    let (report, _) = perform(&mut engine, job);
    let expected = (
        "post-hook measurand.command".to_owned(),
        "took longer than 0.2 s and was ended".to_owned(),
    );
    assert_eq!((report.outcome, report.errors), (Outcome::Failed, vec![expected]));

    let mut job = folder.job("complete");
    job.post_hooks = vec![hook("sleep 1000 & echo done")];
    let (report, _) = perform(&mut engine, job);
    assert_eq!(
        report.outcome,
        Outcome::Completed,
        "what a hook leaves in the background is its own affair"
    );

    let mut job = folder.job("complete");
    job.pre_hooks = vec![hook("sleep 1000")];
    let run = Performing::start(engine, job);
    run.until_state("Ready");
    run.operator.stop();
    let (_, report, _) = run.end();
    assert_eq!((report.outcome, report.errors), (Outcome::Interrupted, vec![]));
}
