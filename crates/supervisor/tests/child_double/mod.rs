//! A child that does what the text of its measurement says, for the tests of the engine.

use std::{
    env, fs,
    io::{self, Write},
    os::{
        fd::AsFd,
        unix::net::{UnixListener, UnixStream},
    },
    process, thread,
    time::Duration,
};

use measurement::Problem;
use protocol::{Command, Doing, Event, FrameReader, Level, Numbered, Outcome, VERSION, Value, append};

/// What a child says, with numbers.
struct Voice {
    stream: UnixStream,
    seq: u64,
}

impl Voice {
    fn say(&mut self, event: Event) {
        self.seq += 1;
        let time_us = std::time::UNIX_EPOCH.elapsed().expect("a clock").as_micros() as i64;
        let mut frame = Vec::new();
        append(
            &mut frame,
            &Numbered {
                seq: self.seq,
                time_us,
                event,
            },
        )
        .expect("short");
        self.stream.write_all(&frame).expect("the parent listens");
    }

    fn finish(&mut self, outcome: Outcome, values: Vec<(u32, Value)>) {
        self.say(Event::Finished {
            outcome,
            errors: vec![],
            values,
            points: 0,
        });
        self.say(Event::LogClosed);
        self.say(Event::ValuesClosed);
        self.say(Event::Ready);
    }
}

#[test]
#[ignore = "it is the child of the other tests"]
fn child() {
    let Ok(token) = env::var("MEASURAND_TOKEN") else { return };
    let listener = UnixListener::from(io::stdin().as_fd().try_clone_to_owned().expect("stdin"));
    let (stream, _) = listener.accept().expect("a parent");
    let mut commands = FrameReader::new(stream.try_clone().expect("a stream"));
    let mut voice = Voice { stream, seq: 0 };
    let Ok(Some(Command::Hello {
        version: VERSION,
        token: theirs,
    })) = commands.read()
    else {
        process::exit(99)
    };
    assert_eq!(theirs.map(|byte| format!("{byte:02x}")).concat(), token);
    voice.say(Event::Hello {
        version: VERSION,
        pid: process::id(),
        refused: None,
    });
    voice.say(Event::Ready);
    while let Ok(Some(command)) = commands.read() {
        match command {
            Command::Perform(request) => {
                let (text, log) = request.text.split_once('\n').expect("two lines");
                play(text, log, &mut voice, &mut commands);
            }
            Command::Shutdown => break,
            _ => (),
        }
    }
    process::exit(0);
}

fn play(text: &str, log: &str, voice: &mut Voice, commands: &mut FrameReader<UnixStream>) {
    fs::File::options()
        .append(true)
        .create(true)
        .open(log)
        .expect("a log file");
    voice.say(Event::Problems(vec![
        Problem::warning("root/a", "known"),
        Problem::warning("root/a", "new"),
    ]));
    voice.say(Event::Started {
        entries: vec!["root/x".into(), "root/y".into()],
        values: vec![(0, Value::Int(1))],
        log_file: log.to_owned(),
        saved_file: format!("{log}.meas.ini"),
        record: None,
    });
    let (word, number) = text.split_once(' ').unwrap_or((text, "0"));
    match word {
        "complete" => {
            println!("printed by the child");
            voice.say(Event::Log {
                level: Level::Info,
                target: "root/log".into(),
                message: "point".into(),
            });
            voice.say(Event::Progress {
                task: "root/loop".into(),
                index: 1,
                total: Some(1),
            });
            voice.say(Event::Values(vec![(0, Value::Int(7)), (1, Value::Int(3))]));
            voice.say(Event::At {
                task: "root/loop".into(),
                doing: Doing::Working,
                millis: 100,
            });
            voice.finish(Outcome::Completed, vec![(0, Value::Int(8))]);
        }
        "pid" => voice.finish(Outcome::Completed, vec![(0, Value::Int(i64::from(process::id())))]),
        "abort" => {
            voice.say(Event::Values(vec![(1, Value::Int(2))]));
            io::stderr().write_all(b"last words").expect("a pipe");
            process::abort();
        }
        "nonsense" => {
            voice.stream.write_all(&[0xff; 100]).expect("the parent listens");
            thread::sleep(Duration::from_secs(1000));
        }
        "close" => {
            voice.stream.shutdown(std::net::Shutdown::Both).expect("a stream");
            thread::sleep(Duration::from_secs(1000));
        }
        "daemon" => {
            process::Command::new("setsid")
                .args(["sleep", "5"])
                .spawn()
                .expect("setsid");
            process::exit(3);
        }
        "deaf" => thread::sleep(Duration::from_secs(1000)),
        "flood" => {
            let mut out = io::BufWriter::new(io::stdout());
            for i in 0..number.parse::<u64>().expect("a number") {
                writeln!(out, "printed line {i} which goes on and on").expect("a pipe");
            }
            drop(out);
            voice.finish(Outcome::Completed, vec![]);
        }
        "sleep" => loop {
            match commands.read().expect("a parent") {
                Some(Command::AskedBy(_)) => (),
                Some(Command::Pause) => voice.say(Event::Paused),
                Some(Command::Resume) => voice.say(Event::Resumed),
                Some(Command::Stop) => return voice.finish(Outcome::Interrupted, vec![]),
                _ => process::exit(0),
            }
        },
        _ => panic!("{word} is nothing to play"),
    }
}
