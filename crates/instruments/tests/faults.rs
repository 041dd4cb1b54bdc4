//! What goes wrong with an instrument, seen from a session and from a driver: how it ends, what is said, and that it ends.
//!
//! Each message names the instrument, its address, the command, and what was received. Times are bounds against hanging,
//! far above what anything takes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use instruments::{
    Extent, Interrupter, LinkSettings, Resource, Session,
    device::{Device, DeviceError, Driven, Reason, undisturbed},
    driver::{Driver, Value, library},
    simulate::{Laboratory, Protocol, Simulated, Transcript},
};

const PROTOCOLS: [Protocol; 3] = [Protocol::Socket, Protocol::Vxi11, Protocol::Hislip];

/// Longer than this nothing takes, however busy the machine.
const FOREVER: Duration = Duration::from_secs(60);

/// A source with a time-out of 300 ms, and a fault.
fn laboratory(protocol: Protocol, fault: &str) -> (Arc<Driver>, Laboratory) {
    laboratory_of("yokogawa.gs200", protocol, fault)
}

fn laboratory_of(driver: &str, protocol: Protocol, fault: &str) -> (Arc<Driver>, Laboratory) {
    let mut driver = library::find(driver).expect("it comes with this crate");
    driver.link.timeout = Duration::from_millis(300);
    let driver = Arc::new(driver);
    let source = Simulated {
        protocol,
        mishaps: vec![fault.parse().expect("a fault")],
        ..Simulated::new("source", Arc::clone(&driver))
    };
    let laboratory = Laboratory::start(&[source], &Transcript::none()).expect("loopback");
    (driver, laboratory)
}

fn resource(laboratory: &Laboratory) -> Resource {
    let address = laboratory.address("source").expect("it is simulated");
    address.parse().expect("a resource")
}

fn open(driver: &Arc<Driver>, laboratory: &Laboratory, interrupter: &Interrupter) -> Result<Driven, DeviceError> {
    let (driver, resource) = (Arc::clone(driver), resource(laboratory));
    Driven::open(
        "source",
        driver,
        resource,
        &[],
        instruments::Boards::default(),
        interrupter.clone(),
        undisturbed(),
    )
}

fn session(laboratory: &Laboratory) -> Session {
    let settings = LinkSettings {
        timeout: Duration::from_millis(300),
        answer_limit: 1 << 20,
        ..LinkSettings::default()
    };
    Session::open("source", resource(laboratory), settings, Interrupter::default()).expect("it opens")
}

/// What a set of the level comes to over each protocol, with `{}` for the address.
fn check(fault: &str, reason: Reason, expected: &[&str]) {
    for protocol in PROTOCOLS {
        let (driver, laboratory) = laboratory(protocol, fault);
        let mut source = open(&driver, &laboratory, &Interrupter::default()).expect("it opens");
        let began = Instant::now();
        let error = source.set("voltage", &Value::Float(1.5), &[]).expect_err(fault);
        assert!(began.elapsed() < FOREVER, "{fault} over {protocol:?}");
        assert_eq!(error.reason, reason, "{fault} over {protocol:?}: {error}");
        let address = resource(&laboratory).to_string();
        for part in expected {
            let part = part.replace("{}", &address);
            assert!(error.message.contains(&part), "{fault} over {protocol:?}: {error}");
        }
    }
}

#[test]
fn silence_is_told_with_what_was_asked() {
    check(
        "silent on LEV?",
        Reason::Lost,
        &["`source` at `{}` failed at `:SOURce:LEVel?` in 3 tries: timed out after 300ms"],
    );
}

#[test]
fn an_instrument_that_is_silent_for_a_moment_is_asked_again() {
    for protocol in PROTOCOLS {
        let (driver, laboratory) = laboratory(protocol, "silent on LEV? for 2");
        let mut source = open(&driver, &laboratory, &Interrupter::default()).expect("it opens");
        source
            .set("voltage", &Value::Float(1.5), &[])
            .expect("at the third try");
    }
}

#[test]
fn a_late_answer_is_not_taken_for_the_next() {
    for protocol in PROTOCOLS {
        let (_driver, laboratory) = laboratory(protocol, "late 500ms on LEV? at 1");
        let mut source = session(&laboratory);
        source.set_tries(1);
        source.query(":SOURce:LEVel?").expect_err("it is late");
        assert_eq!(source.query(":OUTPUT?").expect("an answer"), "0", "{protocol:?}");
        assert_eq!(
            source.query(":SOURce:LEVel?").expect("an answer"),
            "+0.0000E+00",
            "{protocol:?}"
        );
    }
}

#[test]
fn garbage_is_shown_as_it_was_received() {
    check(
        "garbage on LEV?",
        Reason::Failed,
        &["`source`: `voltage`: expected a number, received"],
    );
}

#[test]
fn a_connection_that_closes_is_opened_again_three_times() {
    check(
        "close on LEV?",
        Reason::Lost,
        &["`source` at `{}` failed at `:SOURce:LEVel?` in 3 tries: "],
    );
    for protocol in PROTOCOLS {
        let (driver, laboratory) = laboratory(protocol, "close on LEV? for 2");
        let mut source = open(&driver, &laboratory, &Interrupter::default()).expect("it opens");
        source
            .set("voltage", &Value::Float(1.5), &[])
            .expect("at the third try");
    }
}

#[test]
fn a_flood_ends_at_the_limit_of_answers() {
    for protocol in PROTOCOLS {
        let (_driver, laboratory) = laboratory(protocol, "flood on LEV?");
        let mut source = session(&laboratory);
        source.set_tries(1);
        let began = Instant::now();
        let error = source.query(":SOURce:LEVel?").expect_err("no end");
        assert!(began.elapsed() < FOREVER, "{protocol:?}");
        assert_eq!(error.command.as_deref(), Some(":SOURce:LEVel?"), "{protocol:?}");
        if protocol == Protocol::Socket {
            assert!(error.cause.to_string().contains("1048576"), "{}", error.cause);
        }
    }
}

#[test]
fn an_instrument_that_disappears_is_found_when_it_comes_back() {
    for protocol in PROTOCOLS {
        let (driver, laboratory) = laboratory(protocol, "gone 200ms on LEV? for 1");
        let mut source = open(&driver, &laboratory, &Interrupter::default()).expect("it opens");
        let value = Value::Float(1.5);
        let began = Instant::now();
        let mut failures = 0;
        while let Err(error) = source.set("voltage", &value, &[]) {
            failures += 1;
            assert_eq!(error.reason, Reason::Lost, "{protocol:?}: {error}");
            assert!(error.message.starts_with("`source` at `TCPIP0::127.0.0.1"), "{error}");
            assert!(began.elapsed() < FOREVER, "{protocol:?}");
        }
        assert_eq!(
            source.get("voltage", &[]),
            Ok(value),
            "{protocol:?} after {failures} failures"
        );
    }
}

#[test]
fn nobody_there_is_said_with_the_address() {
    let (driver, laboratory) = laboratory(Protocol::Socket, "silent");
    let address = resource(&laboratory);
    drop(laboratory);
    let settings = LinkSettings::default();
    let error = Session::open("source", address.clone(), settings, Interrupter::default()).err();
    let error = error.expect("nobody listens");
    assert_eq!(
        error.to_string(),
        format!("`source` at `{address}` could not be opened in 3 tries")
    );
    assert!(
        error.cause.to_string().starts_with("no connection: "),
        "{}",
        error.cause
    );
    drop(driver);
}

#[test]
fn a_block_that_is_cut_says_how_far_it_came() {
    for protocol in PROTOCOLS {
        let (_driver, laboratory) = laboratory_of("keysight.pna", protocol, "cut 100 on CALC");
        let mut analyser = session(&laboratory);
        analyser.set_tries(1);
        analyser.write("FORMAT:DATA REAL,+64").expect("it is sent");
        let error = analyser
            .query_block("CALCulate1:DATA? SDATA")
            .expect_err("half a block");
        assert_eq!(error.command.as_deref(), Some("CALCulate1:DATA? SDATA"), "{protocol:?}");
        let cause = error.cause.to_string();
        assert!(cause.contains("100") || cause.contains("#4"), "{protocol:?}: {cause}");
        // Nothing of it is left on the connection that is opened then.
        assert_eq!(
            analyser.query("FORMAT:DATA?").expect("an answer"),
            "REAL,+64",
            "{protocol:?}"
        );
        let bytes = analyser.query_bytes("*IDN?", Extent::Message).expect("an answer");
        assert!(bytes.starts_with(b"KEYSIGHT,PNA"), "{protocol:?}");
    }
}

#[test]
fn errors_of_the_instrument_are_in_its_queue() {
    let (_driver, laboratory) = laboratory(Protocol::Socket, "error '-222,Data out of range' on LEV at 1");
    let mut source = session(&laboratory);
    source.write(":SOURce:LEVel 99").expect("it is sent");
    let errors = source.errors().expect("a queue");
    assert_eq!(errors.len(), 1);
    assert_eq!(
        (errors[0].code, errors[0].message.as_str()),
        (-222, "Data out of range")
    );
    assert_eq!(source.event_status().expect("a register"), 16);
}

#[test]
fn a_value_that_comes_back_wrong_is_said_with_both() {
    check(
        "off 0.25 on LEV",
        Reason::Failed,
        &["`source`: `voltage` was set to `1.5`, but the instrument says `1.75`"],
    );
}

#[test]
fn a_ramp_that_breaks_off_leaves_the_source_where_it_is() {
    let text = library::LIBRARY
        .iter()
        .find(|text| text.contains("id = \"yokogawa.gs200\""));
    let text = text.expect("it comes with this crate");
    // The same source, told to go in steps.
    let stepped = text.replacen(
        "[signal.voltage]\n",
        "[signal.voltage]\nramp = { rate = 100.0, step = 0.1 }\n",
        1,
    );
    let mut driver = Driver::parse(&stepped).expect("it is right");
    driver.link.timeout = Duration::from_millis(300);
    let driver = Arc::new(driver);
    // The fourth step is not taken, nor anything after it.
    let source = Simulated {
        mishaps: vec!["close on 'LEVel 0.4'".parse().expect("a fault")],
        ..Simulated::new("source", Arc::clone(&driver))
    };
    let transcript = Transcript::kept();
    let laboratory = Laboratory::start(&[source], &transcript).expect("loopback");
    let mut source = open(&driver, &laboratory, &Interrupter::default()).expect("it opens");
    // A command that nobody answers is only missed at the next; it is the connection that is lost.
    let set = source.set("voltage", &Value::Float(1.0), &[]);
    let steps: Vec<String> = transcript
        .heard_by("source")
        .into_iter()
        .filter(|message| message.starts_with(":SOURce:LEVel "))
        .collect();
    assert_eq!(
        steps[..4],
        [
            ":SOURce:LEVel 0.1",
            ":SOURce:LEVel 0.2",
            ":SOURce:LEVel 0.3",
            ":SOURce:LEVel 0.4"
        ]
        .map(str::to_owned)[..]
    );
    match set {
        Ok(()) => assert_eq!(source.get("voltage", &[]), Ok(Value::Float(1.0))),
        Err(error) => assert_eq!(error.reason, Reason::Lost, "{error}"),
    }
}

#[test]
fn an_operator_ends_the_wait_for_a_silent_instrument() {
    for protocol in PROTOCOLS {
        let mut driver = library::find("yokogawa.gs200").expect("it comes with this crate");
        driver.link.timeout = FOREVER;
        let driver = Arc::new(driver);
        let source = Simulated {
            protocol,
            mishaps: vec!["silent on LEV?".parse().expect("a fault")],
            ..Simulated::new("source", Arc::clone(&driver))
        };
        let transcript = Transcript::kept();
        let laboratory = Laboratory::start(&[source], &transcript).expect("loopback");
        let interrupter = Interrupter::default();
        let mut source = open(&driver, &laboratory, &interrupter).expect("it opens");
        let began = Instant::now();
        let reading = std::thread::spawn(move || source.get("voltage", &[]));
        while !transcript
            .heard_by("source")
            .iter()
            .any(|message| message.contains("LEV"))
        {
            std::thread::yield_now();
            assert!(began.elapsed() < FOREVER);
        }
        interrupter.interrupt();
        let error = reading.join().expect("no panic").expect_err("interrupted");
        assert_eq!(error.reason, Reason::Interrupted, "{protocol:?}: {error}");
        assert!(began.elapsed() < FOREVER, "{protocol:?}");
    }
}
