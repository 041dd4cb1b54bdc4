//! The process that performs measurements, spoken to over its socket as a parent does: every sentence of what it is for.

mod station;

use std::{fs, io::Read, path::Path};

use protocol::{Command, Event, Level, Observe, Outcome, VERSION, Value};
use station::{
    Station, await_death, is_alive,
    performer::{Performer, TOKEN, request},
};

fn measurement(folder: &Path, children: &str) -> String {
    format!(
        "name = m\nid = 1\n[root_task]\n    task_id = exopy.ComplexTask\n    default_path = {}\n{children}",
        folder.display()
    )
}

const HELLO: &str = "
    [[children_0]]
        task_id = exopy.LogTask
        name = greeting
        message = hello {meas_name}
";

const SLEEP: &str = "
    [[children_0]]
        task_id = exopy.LogTask
        name = greeting
        message = going to sleep
    [[children_1]]
        task_id = exopy.SleepTask
        name = nap
        time = 3600
    [[children_2]]
        task_id = exopy.LogTask
        name = awake
        message = slept
";

#[test]
fn it_sends_log_records_and_keeps_them_in_a_file_of_the_measurement() {
    let station = Station::new();
    let mut performer = Performer::start(station.path());
    performer.perform(&measurement(station.path(), HELLO));
    let started = performer.until("the start", |event| matches!(event, Event::Started { .. }));
    let Event::Started {
        log_file, saved_file, ..
    } = started
    else {
        unreachable!("only the start was wanted")
    };
    let record = performer.until("a record", |event| matches!(event, Event::Log { .. }));
    let Event::Log { level, target, message } = record else {
        unreachable!("only a record was wanted")
    };
    assert_eq!(
        (level, target.as_str(), message.as_str()),
        (Level::Info, "root/greeting", "hello m")
    );
    assert_eq!(performer.outcome().0, Outcome::Completed);

    let name = Path::new(&log_file)
        .file_name()
        .and_then(|name| name.to_str())
        .expect("a name");
    assert!(name.starts_with("m_1-main20") && name.ends_with("_0.log"), "{name}");
    let log = fs::read_to_string(&log_file).expect("the log file");
    let line = log
        .lines()
        .find(|line| line.ends_with("hello m"))
        .expect("the record is in it");
    let shape: String = line.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00 00:00:00,000 | INFO | hello m");
    assert!(saved_file.ends_with("m_1.meas.ini"), "{saved_file}");
    assert_eq!(
        fs::read_to_string(&saved_file).expect("the copy"),
        measurement(station.path(), HELLO)
    );
}

#[test]
fn it_waits_for_one_measurement_after_the_other() {
    let station = Station::new();
    let mut performer = Performer::start(station.path());
    for _ in 0..3 {
        performer.perform(&measurement(station.path(), HELLO));
        assert_eq!(performer.outcome().0, Outcome::Completed);
        performer.until("ready", |event| matches!(event, Event::Ready));
    }
    assert_eq!(station.files(".log").len(), 3);
    let numbers: Vec<u64> = performer.seen.iter().map(|event| event.seq).collect();
    assert_eq!(
        numbers,
        (1..=numbers.len() as u64).collect::<Vec<_>>(),
        "events are numbered without a gap"
    );
}

#[test]
fn it_rebuilds_the_measurement_from_its_text_and_checks_it_before_anything_is_performed() {
    let station = Station::new();
    let mut performer = Performer::start(station.path());
    performer.perform(&measurement(station.path(), &HELLO.replace("{meas_name}", "{nobody}")));
    let problems = performer.until("problems", |event| matches!(event, Event::Problems(_)));
    let Event::Problems(problems) = problems else {
        unreachable!("only problems were wanted")
    };
    assert_eq!(
        problems.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(),
        ["root/greeting-message"]
    );
    assert_eq!(performer.outcome().0, Outcome::Skipped);
    assert_eq!(station.files(".log"), Vec::<String>::new());

    performer.until("ready", |event| matches!(event, Event::Ready));
    performer.perform("binary \u{0} garbage");
    assert_eq!(performer.outcome().0, Outcome::Skipped);
    performer.until("ready", |event| matches!(event, Event::Ready));
    performer.perform(&measurement(station.path(), HELLO));
    assert_eq!(
        performer.outcome().0,
        Outcome::Completed,
        "what was refused leaves no trace"
    );
}

#[test]
fn it_sends_the_values_of_observed_entries_and_of_no_others() {
    let station = Station::new();
    let mut performer = Performer::start(station.path());
    let text = measurement(
        station.path(),
        "
    [[children_0]]
        task_id = exopy.LoopTask
        name = l
        [[[interface]]]
            interface_id = exopy.LoopTask:exopy.IterableLoopInterface
            iterable = range(1000)
        [[[children_0]]]
            task_id = exopy.FormulaTask
            name = f
            formulas = \"[('square', '{l_value}**2')]\"
",
    );
    let mut wanted = request(&text);
    wanted.observe = Observe::Only(vec!["root/l/f_square".to_owned()]);
    performer.say(&Command::Perform(Box::new(wanted.clone())));
    performer.until("the last word", |event| matches!(event, Event::ValuesClosed));
    let squares = |performer: &Performer| -> Vec<Value> {
        let values = performer.seen.iter().filter_map(|numbered| match &numbered.event {
            Event::Values(values) => Some(values.clone()),
            _ => None,
        });
        values.flatten().map(|(_, value)| value).collect()
    };
    let last = squares(&performer).pop().expect("at least the last value");
    assert_eq!(last.repr(), "998001");

    performer.until("ready", |event| matches!(event, Event::Ready));
    performer.seen.clear();
    wanted.lossless = true;
    performer.say(&Command::Perform(Box::new(wanted)));
    performer.until("the last word", |event| matches!(event, Event::ValuesClosed));
    let all: Vec<String> = squares(&performer).iter().map(Value::repr).collect();
    assert_eq!(
        all,
        (0..1000).map(|i| (i * i).to_string()).collect::<Vec<_>>(),
        "every update in order"
    );
}

#[test]
fn it_pauses_resumes_and_stops_a_sleeping_task_at_once() {
    let station = Station::new();
    let mut performer = Performer::start(station.path());
    performer.perform(&measurement(station.path(), SLEEP));
    performer.until("the record", |event| matches!(event, Event::Log { .. }));
    performer.say(&Command::Pause);
    performer.until("paused", |event| matches!(event, Event::Paused));
    performer.say(&Command::Resume);
    performer.until("resumed", |event| matches!(event, Event::Resumed));
    performer.say(&Command::Pause);
    performer.until("paused", |event| matches!(event, Event::Paused));
    performer.say(&Command::Stop);
    assert_eq!(performer.outcome(), (Outcome::Interrupted, Vec::new()));
    let slept = performer
        .seen
        .iter()
        .any(|numbered| matches!(&numbered.event, Event::Log { message, .. } if message == "slept"));
    assert!(!slept, "a stopped run performs no further task");
}

#[test]
fn asked_to_end_it_tells_the_listeners_and_closes_its_pipe() {
    let station = Station::new();
    let mut performer = Performer::start(station.path());
    performer.perform(&measurement(station.path(), SLEEP));
    performer.until("the record", |event| matches!(event, Event::Log { .. }));
    performer.say(&Command::Shutdown);
    assert_eq!(performer.outcome().0, Outcome::Interrupted);
    performer.until("the sentinel of the log", |event| matches!(event, Event::LogClosed));
    performer.until("the sentinel of the monitor", |event| {
        matches!(event, Event::ValuesClosed)
    });
    performer.until("the last word", |event| matches!(event, Event::Closing));
    assert!(performer.next().is_none(), "the stream ends after the last word");
    assert!(performer.child.wait().expect("it ends").success());
}

#[test]
fn when_its_parent_is_gone_it_stops_as_if_asked_to_and_ends() {
    let station = Station::new();
    let mut performer = Performer::start(station.path());
    performer.perform(&measurement(station.path(), SLEEP));
    performer.until("the record", |event| matches!(event, Event::Log { .. }));
    let pid = performer.child.id() as i32;
    assert!(is_alive(pid));
    performer
        .stream
        .shutdown(std::net::Shutdown::Both)
        .expect("it was open");
    await_death(pid);
    assert!(station.log().contains("| INFO | Interrupted"), "{}", station.log());
}

#[test]
fn a_wrong_token_another_version_and_another_first_word_are_refused() {
    let station = Station::new();
    for (word, why) in [
        (
            Command::Hello {
                version: VERSION,
                token: [0; 16],
            },
            "token",
        ),
        (
            Command::Hello {
                version: VERSION + 1,
                token: TOKEN,
            },
            "version",
        ),
        (Command::Stop, "first word"),
    ] {
        let mut performer = Performer::connect(station.path());
        performer.say(&word);
        let hello = performer.until("an answer", |event| matches!(event, Event::Hello { .. }));
        let Event::Hello {
            refused: Some(refused), ..
        } = hello
        else {
            panic!("{word:?} was accepted")
        };
        assert!(refused.contains(why), "{refused}");
        performer.until("the last word", |event| matches!(event, Event::Closing));
        performer.child.wait().expect("it ends");
    }
}

#[test]
fn started_by_hand_it_says_how_it_is_meant_to_be_started() {
    let station = Station::new();
    let output = station.run(&["__runner"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("it is started by `measurand`, not by hand"), "{text}");
}

#[test]
fn what_it_prints_goes_to_its_pipes_and_never_into_the_protocol() {
    let station = Station::new();
    let mut performer = Performer::start(station.path());
    let pid = performer.child.id();
    // As a library in the process would: through its standard output.
    fs::write(format!("/proc/{pid}/fd/1"), "from a library\n").expect("its pipe can be written to");
    performer.perform(&measurement(station.path(), HELLO));
    assert_eq!(performer.outcome().0, Outcome::Completed);
    performer.say(&Command::Shutdown);
    performer.until("the last word", |event| matches!(event, Event::Closing));
    let mut printed = String::new();
    performer
        .child
        .stdout
        .take()
        .expect("it is piped")
        .read_to_string(&mut printed)
        .expect("text");
    assert_eq!(printed, "from a library\n");
}
