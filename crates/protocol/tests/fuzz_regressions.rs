//! Every input that once was a finding of the fuzz targets, and every seed, through the same checks on every machine.
//!
//! The checks and the inputs are those of the folder `fuzz`; its README says how inputs are found. A test thread has the
//! 2 MB of stack that a thread of a run has.

use std::{fs, path::Path, sync::Arc};

use protocol::{
    Checks, Command, Doing, Event, Level, Numbered, Observe, OnExisting, Outcome, Recording, Request, Value, append,
};

#[path = "../../../fuzz/checks/file.rs"]
mod file;
#[path = "../../../fuzz/checks/formula.rs"]
mod formula;
#[path = "../../../fuzz/checks/frame.rs"]
mod frame;
#[path = "../../../fuzz/checks/measurement.rs"]
mod measured;

fn fuzz() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// Runs all inputs of a target; libtest says which check failed, the line before it on which input.
fn run(target: &str, check: fn(&[u8])) {
    let mut seen = 0;
    for kind in ["regressions", "corpus"] {
        let Ok(folder) = fs::read_dir(fuzz().join(kind).join(target)) else {
            continue;
        };
        for path in folder.flatten().map(|entry| entry.path()) {
            println!("{}", path.display());
            check(&fs::read(&path).expect("an input can be read"));
            seen += 1;
        }
    }
    assert!(seen > 5, "there are only {seen} inputs for `{target}`");
}

#[test]
fn files_are_read_or_refused() {
    run("file", file::check);
}

#[test]
fn measurements_are_performed_or_refused() {
    run("measurement", measured::check);
}

#[test]
fn formulas_have_a_value_or_an_error() {
    run("formula", formula::check);
}

#[test]
fn frames_are_messages_or_errors() {
    run("frame", frame::check);
}

/// The seeds of the frames are what is said today: a change of the protocol shows here as one of files.
/// `MEASURAND_BLESS=1` writes them anew.
#[test]
fn the_seeds_of_frames_are_of_this_protocol() {
    for (name, bytes) in frames() {
        let path = fuzz().join("corpus/frame").join(name);
        if std::env::var_os("MEASURAND_BLESS").is_some() {
            fs::write(&path, &bytes).expect("a seed can be written");
        }
        assert!(
            fs::read(&path).is_ok_and(|seed| seed == bytes),
            "`{name}` differs: MEASURAND_BLESS=1 writes it anew"
        );
    }
}

fn frames() -> Vec<(&'static str, Vec<u8>)> {
    let request = Request {
        text: "name = m\n[root_task]\ntask_id = exopy.ComplexTask\n".to_owned(),
        date: "2026-11-22".to_owned(),
        time: "10-00-00".to_owned(),
        checks: Checks::Run,
        observe: Observe::Only(vec!["root/a".to_owned()]),
        lossless: true,
        all_values: false,
        on_existing: OnExisting::Rename,
        recording: Recording::Off,
        flush_ms: 1000,
        laboratory: protocol::Laboratory::default(),
        speed: 1,
        file: String::new(),
    };
    let commands = [
        Command::Hello {
            version: protocol::VERSION,
            token: [7; 16],
        },
        Command::Perform(Box::new(request)),
        Command::Pause,
        Command::Resume,
        Command::Stop,
        Command::Shutdown,
    ];
    let texts = [
        "None",
        "True",
        "-7",
        "2**70",
        "1.5",
        "1-2j",
        "'é'",
        "b'\\x00'",
        "[1, [2, (3,)]]",
        "{'a': 1}",
        "{1, 2}",
        "range(0, 9, 2)",
        "slice(1, None)",
        "...",
        "np.float64(1)",
        "np.bool_(0)",
        "np.str_('x')",
        "np.arange(6).reshape(2, 3)",
        "np.array(['a', 'bc'])",
        "np.array([1j, 2])",
        "np.zeros((0, 3))",
        "np.array([True])",
        "'a'.upper",
    ];
    let values = (0..).zip(texts.map(|text| {
        let formula = expr::Formula::parse(text, expr::Braces::Displays).expect("it is well formed");
        formula.eval(&[]).expect("it has a value")
    }));
    let column = |name: &str| match Value::from(vec![1.0, 2.0]) {
        Value::Array(array) => (Arc::from(name), (*array).clone()),
        other => panic!("{other:?} is no array"),
    };
    let record = Value::from(expr::RecordArray {
        fields: vec![column("a"), column("b")],
    });
    let problem = measurement::Problem::warning("root/a", "odd").hint("even");
    let events = [
        Event::Hello {
            version: protocol::VERSION,
            pid: 7,
            refused: Some("no".to_owned()),
        },
        Event::Ready,
        Event::Problems(vec![problem]),
        Event::Started {
            entries: vec!["root/a".to_owned()],
            values: vec![(0, Value::None)],
            log_file: "l.log".to_owned(),
            saved_file: "m.ini".to_owned(),
            record: None,
        },
        Event::Log {
            level: Level::Info,
            target: "t".to_owned(),
            message: "said".to_owned(),
        },
        Event::Progress {
            task: "root/a".to_owned(),
            index: 3,
            total: Some(11),
        },
        Event::At {
            task: "root/a".to_owned(),
            doing: Doing::Waiting,
            millis: 1200,
        },
        Event::Finished {
            outcome: Outcome::Failed,
            errors: vec![("root/a".to_owned(), "ValueError: x".to_owned())],
            values: vec![(0, record)],
            points: 3,
        },
        Event::LogFile("l_1.log".to_owned()),
        Event::Refused {
            command: "Perform".to_owned(),
            why: "busy".to_owned(),
        },
        Event::Closing,
    ];
    let mut frames = vec![
        ("commands", Vec::new()),
        ("events", Vec::new()),
        ("values", Vec::new()),
        ("mixed", Vec::new()),
    ];
    for command in &commands {
        append(&mut frames[0].1, command).expect("it is short");
    }
    let numbered = |seq, event| Numbered {
        seq,
        time_us: 1_795_000_000_000_000,
        event,
    };
    for (seq, event) in (1..).zip(events) {
        append(&mut frames[1].1, &numbered(seq, event)).expect("it is short");
    }
    let values: Vec<_> = values.collect();
    append(&mut frames[3].1, &numbered(1, Event::Values(values.clone()))).expect("it is short");
    for (position, value) in values {
        append(
            &mut frames[2].1,
            &numbered(position.into(), Event::Values(vec![(position, value)])),
        )
        .expect("it is short");
    }
    frames.push(("torn", frames[1].1[..40].to_vec()));
    frames.push(("too_long", vec![0xff; 12]));
    frames
}
