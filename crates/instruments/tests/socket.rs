//! Sessions over plain TCP connections, against servers on loopback that answer well, slowly, in pieces, wrongly or never.
//!
//! The servers are threads of the test; nothing sleeps: a silent server waits for the end of its connection, and the only
//! time that passes is the time-out of the call that is tested.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use instruments::{
    Extent, Fault, Interrupter, LinkSettings, NumberFormat, Resource, Session, SessionError, SessionFault,
    block::{self, ByteOrder, Number},
};

/// Serves each connection in turn: its number, counted from 0, and what is to be done with it.
fn serve(mut each: impl FnMut(usize, TcpStream) + Send + 'static) -> Resource {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            each(number, stream);
        }
    });
    format!("TCPIP::127.0.0.1::{port}::SOCKET").parse().expect("a resource")
}

/// The next line that a client sends, None at the end.
fn line(stream: &mut TcpStream) -> Option<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        match stream.read(&mut byte) {
            Ok(1) if byte[0] == b'\n' => return Some(String::from_utf8(line).expect("text")),
            Ok(1) => line.push(byte[0]),
            Ok(_) | Err(_) => return None,
        }
    }
}

/// Until the client goes away.
fn be_silent(stream: &mut TcpStream) {
    while line(stream).is_some() {}
}

fn session(resource: Resource, timeout: Duration) -> Session {
    let settings = LinkSettings {
        timeout,
        ..LinkSettings::default()
    };
    Session::open("meter", resource, settings, Interrupter::default()).expect("it opens")
}

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(60);

fn fault(error: SessionError) -> Fault {
    match *error.cause {
        SessionFault::Link(error) => error.fault,
        other => panic!("{other}"),
    }
}

#[test]
fn an_instrument_is_asked_for_everything_that_all_know() {
    let resource = serve(|_, mut stream| {
        let mut errors = vec![
            "+0,\"No error\"",
            "-113,\"Undefined header\"",
            "-222,\"Data, out of range\"",
        ];
        while let Some(line) = line(&mut stream) {
            let answer = match line.as_str() {
                "*IDN?" => "KEYSIGHT,34465A,MY1, A.02,03\r",
                "*OPC?" => "+1",
                "*ESR?" => "32",
                "*STB?" => "96",
                "SYST:ERR?" => errors.pop().unwrap_or("0"),
                "CURV?" => "1.5,-2e-3, 3",
                _ => continue,
            };
            writeln!(stream, "{answer}").expect("a client");
        }
    });
    let mut meter = session(resource, LONG);
    let identity = meter.identify().expect("its identity");
    assert_eq!(
        (identity.model.as_str(), identity.firmware.as_str()),
        ("34465A", "A.02,03")
    );
    meter.wait_until_complete().expect("it is done");
    assert_eq!(meter.event_status().expect("a number"), 32);
    assert_eq!(meter.status_byte().expect("by a question"), 96);
    meter.trigger().expect("by a command");
    let errors = meter.errors().expect("its errors");
    assert_eq!(errors.iter().map(|error| error.code).collect::<Vec<_>>(), [-222, -113]);
    assert_eq!(errors[0].message, "Data, out of range");
    let numbers = meter.query_numbers("CURV?", NumberFormat::Ascii { separator: b',' });
    assert_eq!(numbers.expect("numbers"), [1.5, -0.002, 3.0]);
    let refused = meter.lock(LONG).expect_err("a plain connection has no locks");
    assert!(matches!(fault(refused), Fault::Unsupported("locks")));
    assert_eq!(meter.reopened(), 0);
}

#[test]
fn commands_and_the_question_after_them_arrive_together() {
    let (sender, arrived) = mpsc::channel();
    let resource = serve(move |_, mut stream| {
        let mut chunk = [0; 1024];
        let count = stream.read(&mut chunk).expect("a message");
        sender.send(chunk[..count].to_vec()).expect("the test");
        stream.write_all(b"1.0\n").expect("a client");
    });
    let mut source = session(resource, LONG);
    assert_eq!(
        source
            .set_and_query(&["VOLT 1", "OUTP ON"], "VOLT?")
            .expect("an answer"),
        "1.0"
    );
    assert_eq!(arrived.recv().expect("one chunk"), b"VOLT 1\nOUTP ON\nVOLT?\n");
}

#[test]
fn answers_in_pieces_and_two_at_once_are_told_apart() {
    let resource = serve(|_, mut stream| {
        stream.set_nodelay(true).expect("a socket");
        while let Some(line) = line(&mut stream) {
            let answer = if line == "A?;B?" {
                "first\nsecond\n"
            } else {
                "0.12345678\r\n"
            };
            for byte in answer.as_bytes() {
                stream.write_all(&[*byte]).expect("a client");
            }
        }
    });
    let mut meter = session(resource, LONG);
    assert_eq!(meter.query("A?").expect("an answer"), "0.12345678");
    assert_eq!(meter.query("A?;B?").expect("the first"), "first");
    assert_eq!(meter.read().expect("the second"), "second");
    assert_eq!(meter.query("A?").expect("an answer"), "0.12345678");
}

#[test]
fn blocks_are_read_by_their_length() {
    let values: Vec<f64> = (0..100_000).map(|i| f64::from(i % 1000) - 500.0).collect();
    let sent = values.clone();
    let resource = serve(move |_, mut stream| {
        while let Some(line) = line(&mut stream) {
            let content = block::encode_numbers(&sent, Number::F64, ByteOrder::Little).expect("they fit");
            let mut message = block::encode(b"", &content);
            match line.as_str() {
                "CURV?" => message.extend_from_slice(b"\r\n"),
                "BARE?" => {}
                "RAW?" => message = vec![b'\n'; 10],
                _ => message = b"#9999999999".to_vec(),
            }
            stream.write_all(&message).ok();
        }
    });
    let mut scope = session(resource, LONG);
    let format = NumberFormat::Binary {
        number: Number::F64,
        order: ByteOrder::Little,
    };
    for _ in 0..3 {
        assert_eq!(scope.query_numbers("CURV?", format).expect("numbers"), values);
    }
    assert_eq!(
        scope.query_bytes("BARE?", Extent::BareBlock).expect("a block").len(),
        800_008
    );
    assert_eq!(
        scope.query_bytes("RAW?", Extent::Bytes(10)).expect("bytes"),
        [b'\n'; 10]
    );
    let error = scope.query_block("HUGE?").expect_err("too long");
    assert!(matches!(fault(error), Fault::TooLong(_)));
}

#[test]
fn silence_ends_with_what_was_received() {
    let resource = serve(|_, mut stream| {
        line(&mut stream);
        stream.write_all(b"1.2").expect("a client");
        be_silent(&mut stream);
    });
    let mut meter = session(resource.clone(), SHORT);
    let begin = Instant::now();
    let error = meter.query("READ?").expect_err("no answer");
    assert!(begin.elapsed() >= 3 * SHORT, "three tries: {:?}", begin.elapsed());
    assert_eq!(
        error.to_string(),
        format!("`meter` at `{resource}` failed at `READ?` in 3 tries")
    );
    assert_eq!(
        error.cause.to_string(),
        "timed out after 60ms; what was received is `1.2`"
    );
    meter.set_tries(1);
    let begin = Instant::now();
    let error = meter.query("READ?").expect_err("no answer");
    assert!(begin.elapsed() < LONG && error.tries == 1);
}

#[test]
fn an_answer_that_drips_does_not_last_longer_than_the_time_out() {
    let resource = serve(|_, mut stream| {
        stream.set_nodelay(true).expect("a socket");
        let pause = Duration::from_millis(5);
        stream.set_read_timeout(Some(pause)).expect("a socket");
        let mut byte = [0];
        // Each read that times out is a pause between two drops.
        while stream.read(&mut byte).map_or(true, |count| count > 0) && stream.write_all(b"9").is_ok() {}
    });
    let mut meter = session(resource, SHORT);
    meter.set_tries(1);
    let begin = Instant::now();
    let error = meter.query("READ?").expect_err("no end");
    assert!(matches!(fault(error), Fault::TimedOut(_)));
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
}

#[test]
fn a_lost_connection_is_opened_again() {
    let resource = serve(|number, mut stream| {
        for _ in 0..2 {
            let Some(_) = line(&mut stream) else { return };
            if number == 1 {
                stream.write_all(b"half").expect("a client");
                return;
            }
            writeln!(stream, "{number}").expect("a client");
        }
    });
    let mut meter = session(resource, LONG);
    assert_eq!(meter.query("A?").expect("an answer"), "0");
    assert_eq!(meter.query("A?").expect("an answer"), "0");
    assert_eq!(meter.query("A?").expect("from the third connection"), "2");
    assert_eq!(meter.reopened(), 2);
}

#[test]
fn an_instrument_that_is_gone_is_said_to_be() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let resource: Resource = format!("TCPIP::127.0.0.1::{port}::SOCKET").parse().expect("a resource");
    let mut meter = session(resource.clone(), LONG);
    let (stream, _) = listener.accept().expect("the session");
    drop((stream, listener));
    let error = meter.query("READ?").expect_err("nobody");
    assert_eq!(
        error.to_string(),
        format!("`meter` at `{resource}` failed at `READ?` in 3 tries")
    );
    assert!(matches!(fault(error), Fault::Connect(_)));
    let opened = Session::open(
        "meter",
        resource.clone(),
        LinkSettings::default(),
        Interrupter::default(),
    );
    let error = opened.err().expect("nobody");
    assert_eq!(
        error.to_string(),
        format!("`meter` at `{resource}` could not be opened in 3 tries")
    );
}

#[test]
fn a_flood_ends_at_the_limit() {
    let resource = serve(|_, mut stream| while stream.write_all(&[b'x'; 4096]).is_ok() {});
    let settings = LinkSettings {
        timeout: LONG,
        answer_limit: 100_000,
        ..LinkSettings::default()
    };
    let mut meter = Session::open("meter", resource, settings, Interrupter::default()).expect("it opens");
    meter.set_tries(1);
    let error = meter.query("READ?").expect_err("no end");
    assert!(matches!(fault(error), Fault::TooLong(100_000)));
}

#[test]
fn garbage_is_no_panic() {
    let answers: [&[u8]; 4] = [b"\xff\xfe\x00\n", b"\n", b"#5abcde\n", b"#\n"];
    for answer in answers {
        let resource = serve(move |_, mut stream| {
            while line(&mut stream).is_some() {
                stream.write_all(answer).ok();
            }
        });
        let mut meter = session(resource, SHORT);
        meter.set_tries(1);
        assert!(meter.event_status().is_err());
        assert!(meter.query_block("CURV?").is_err());
        let numbers = meter.query_numbers("CURV?", NumberFormat::Ascii { separator: b',' });
        assert_eq!(numbers.is_ok(), answer == b"\n");
        assert!(meter.identify().is_ok(), "any text is an identity");
    }
}

#[test]
fn another_thread_ends_a_call_at_once() {
    let (sender, asked) = mpsc::channel();
    let resource = serve(move |number, mut stream| {
        while let Some(line) = line(&mut stream) {
            sender.send(line).expect("the test");
            if number > 0 {
                stream.write_all(b"back\n").expect("a client");
            }
        }
    });
    let interrupter = Interrupter::default();
    let settings = LinkSettings {
        timeout: LONG,
        ..LinkSettings::default()
    };
    let mut meter = Session::open("meter", resource, settings, interrupter.clone()).expect("it opens");
    let begin = Instant::now();
    let waiting = thread::spawn(move || (meter.query("READ?"), meter));
    assert_eq!(asked.recv().expect("the question"), "READ?");
    interrupter.interrupt();
    let (read, mut meter) = waiting.join().expect("no panic");
    let error = read.expect_err("interrupted");
    assert!(error.is_interrupted() && error.tries == 1);
    assert!(begin.elapsed() < LONG / 2);
    assert!(meter.query("READ?").expect_err("still interrupted").is_interrupted());
    interrupter.rearm();
    assert_eq!(meter.query("READ?").expect("on a new connection"), "back");
}

#[test]
fn clearing_drops_what_was_not_read() {
    let resource = serve(|_, mut stream| {
        while let Some(line) = line(&mut stream) {
            stream
                .write_all(format!("{line}\n{line}, again\n").as_bytes())
                .expect("a client");
        }
    });
    let mut meter = session(resource, LONG);
    assert_eq!(meter.query("stale").expect("the first answer"), "stale");
    meter.clear().expect("the other is dropped");
    assert_eq!(meter.query("fresh").expect("an answer"), "fresh");
}
