//! Instruments behind a Prologix adapter, which a thread of the test plays; and a serial line, whose other end is the test.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Sender},
    thread,
    time::Duration,
};

use instruments::{Boards, Fault, Interrupter, LinkSettings, Resource, Session, SessionFault, block};

const LONG: Duration = Duration::from_secs(20);

/// Plays the adapter of a bus on which every instrument echoes questions with its address. Tells what it was told itself.
fn adapter() -> (LinkSettings, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let (sender, told) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            play(stream, &sender);
        }
    });
    let boards = Boards::default();
    let name = format!("PRLGX-TCPIP0::127.0.0.1::{port}::INTFC");
    boards.declare(name.parse().expect("a resource")).expect("an adapter");
    let settings = LinkSettings {
        timeout: LONG,
        open_timeout: LONG,
        boards,
        ..LinkSettings::default()
    };
    (settings, told)
}

fn play(mut stream: TcpStream, told: &Sender<String>) {
    let (mut address, mut answers) = (String::new(), BTreeMap::new());
    while let Some((line, escaped)) = line(&mut stream) {
        let text = String::from_utf8_lossy(&line).into_owned();
        if escaped || !text.starts_with("++") {
            let message = line.strip_suffix(b"\n").expect("a termination");
            if message == b"CURV?" {
                let curve = [block::encode(b"", &[0xff, b'\n', 0, 0xff]), b"\n".to_vec()].concat();
                answers.insert(address.clone(), curve);
            } else if message.ends_with(b"?") {
                let answer = [address.as_bytes(), b" ", message, b"\n"].concat();
                answers.insert(address.clone(), answer);
            }
            continue;
        }
        match text.as_str() {
            "++ver" => stream
                .write_all(b"Prologix GPIB-ETHERNET Controller version 1.6\r\n")
                .expect("a client"),
            "++spoll" => stream.write_all(b"80\r\n").expect("a client"),
            "++clr" => drop(answers.remove(&address)),
            "++read eoi" => {
                if let Some(answer) = answers.remove(&address) {
                    stream.write_all(&answer).expect("a client");
                    stream.write_all(&[0xff]).expect("a client");
                }
            }
            _ => {}
        }
        if let Some(number) = text.strip_prefix("++addr ") {
            address = number.to_owned();
        }
        told.send(text).ok();
    }
}

/// The next line, without escapes, and whether it had any.
fn line(stream: &mut TcpStream) -> Option<(Vec<u8>, bool)> {
    let (mut line, mut escaped) = (Vec::new(), false);
    let mut next = || {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok().map(|()| byte[0])
    };
    loop {
        match next()? {
            27 => {
                line.push(next()?);
                escaped = true;
            }
            b'\n' => return Some((line, escaped)),
            byte => line.push(byte),
        }
    }
}

fn open(name: &str, settings: &LinkSettings) -> Session {
    let resource = name.parse().expect("a resource");
    Session::open(name, resource, settings.clone(), Interrupter::default()).expect("it opens")
}

#[test]
fn instruments_of_one_bus_share_its_adapter() {
    let (settings, told) = adapter();
    let mut source = open("GPIB0::9::INSTR", &settings);
    let mut meter = open("GPIB::16::3", &settings);
    assert_eq!(source.query("VOLT?").expect("an answer"), "9 VOLT?");
    assert_eq!(meter.query("READ?").expect("an answer"), "16 99 READ?");
    assert_eq!(meter.query("++a\r\x1b?").expect("escaped"), "16 99 ++a\r\x1b?");
    assert_eq!(source.query_block("CURV?").expect("a block"), [0xff, b'\n', 0, 0xff]);
    assert_eq!(source.status_byte().expect("a status byte"), 80);
    assert_eq!(meter.wait_for_service_request(LONG).expect("a request"), 80);
    meter.trigger().expect("it is sent");
    source.write("stale?").expect("it is sent");
    source.clear().expect("it is sent");
    assert_eq!(source.query("fresh?").expect("an answer"), "9 fresh?");
    assert_eq!(source.reopened() + meter.reopened(), 0);
    let told: Vec<String> = told.try_iter().collect();
    assert_eq!(
        told.iter().filter(|line| *line == "++mode 1").count(),
        1,
        "one connection"
    );
    assert!(told.contains(&"++trg".to_owned()) && told.contains(&"++read_tmo_ms 3000".to_owned()));
}

#[test]
fn silence_on_the_bus_ends_with_a_new_connection() {
    let (settings, told) = adapter();
    let mut source = open("GPIB0::9::INSTR", &settings);
    let mut meter = open("GPIB0::16::INSTR", &settings);
    meter.set_timeout(Duration::from_millis(60));
    meter.set_tries(1);
    let error = meter.read().expect_err("nothing was asked");
    assert_eq!(error.cause.to_string(), "timed out after 60ms; nothing was received");
    assert_eq!(source.query("VOLT?").expect("on a new connection"), "9 VOLT?");
    assert_eq!(told.try_iter().filter(|line| line == "++mode 1").count(), 2);
}

#[test]
fn an_interrupt_ends_the_call_of_one_instrument() {
    let (settings, told) = adapter();
    let interrupter = Interrupter::default();
    let resource: Resource = "GPIB0::9::INSTR".parse().expect("a resource");
    let mut source = Session::open("source", resource, settings, interrupter.clone()).expect("it opens");
    let waiting = thread::spawn(move || source.read());
    told.iter().find(|line| line == "++read eoi").expect("the question");
    interrupter.interrupt();
    assert!(
        waiting
            .join()
            .expect("no panic")
            .expect_err("interrupted")
            .is_interrupted()
    );
}

#[test]
fn a_bus_without_an_adapter_is_said_to_be_none() {
    let resource: Resource = "GPIB2::9::INSTR".parse().expect("a resource");
    let settings = LinkSettings {
        visa_library: Some("/nonexistent/libvisa.so".into()),
        ..LinkSettings::default()
    };
    let error = Session::open("source", resource.clone(), settings, Interrupter::default());
    let error = error.err().expect("neither an adapter nor a library");
    let SessionFault::Link(cause) = *error.cause else {
        panic!("a fault of the link");
    };
    assert!(matches!(cause.fault, Fault::Connect(_)));
    assert_eq!(Boards::default().declare(resource.clone()), Err(resource));
}

#[cfg(unix)]
#[test]
fn a_serial_line_is_asked_and_interrupted() {
    use serialport::{SerialPort, TTYPort};

    let (mut other_end, line) = TTYPort::pair().expect("a pseudo-terminal");
    other_end.set_timeout(LONG).expect("a terminal");
    let name = format!("ASRL{}::INSTR", line.name().expect("a path"));
    drop(line); // It holds the line alone.
    let resource: Resource = name.parse().expect("a resource");
    let settings = LinkSettings {
        timeout: LONG,
        ..LinkSettings::default()
    };
    let interrupter = Interrupter::default();
    let mut source = Session::open("source", resource, settings, interrupter.clone()).expect("it opens");
    let (sender, asked) = mpsc::channel();
    thread::spawn(move || {
        let mut byte = [0];
        let mut message = Vec::new();
        while other_end.read_exact(&mut byte).is_ok() {
            message.push(byte[0]);
            if byte[0] == b'\n' {
                if message == b"VOLT?\n" {
                    other_end.write_all(b"1.").expect("the line");
                    other_end.write_all(b"5\r\n").expect("the line");
                }
                sender.send(std::mem::take(&mut message)).expect("the test");
            }
        }
    });
    assert_eq!(source.set_and_query(&["VOLT 1.5"], "VOLT?").expect("an answer"), "1.5");
    assert_eq!(asked.recv().expect("the command"), b"VOLT 1.5\n");
    assert_eq!(asked.recv().expect("the question"), b"VOLT?\n");
    let waiting = thread::spawn(move || source.query("CURR?"));
    assert_eq!(asked.recv().expect("the question"), b"CURR?\n");
    interrupter.interrupt();
    assert!(
        waiting
            .join()
            .expect("no panic")
            .expect_err("interrupted")
            .is_interrupted()
    );
}
