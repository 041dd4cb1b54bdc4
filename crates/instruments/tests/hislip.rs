//! Sessions over HiSLIP, against a server on loopback that is written from the standard for these tests alone.

use std::{
    collections::VecDeque,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Duration,
};

use instruments::{Extent, Fault, Interrupter, LinkSettings, Resource, Session, SessionError, SessionFault, block};

const LONG: Duration = Duration::from_secs(20);
/// The longest payload that the server takes.
const LONGEST: u64 = 64;

/// A message without its payload's length.
#[derive(Clone, Debug, PartialEq)]
struct Message {
    kind: u8,
    control: u8,
    parameter: u32,
    payload: Vec<u8>,
}

fn receive(stream: &mut TcpStream) -> Option<Message> {
    let mut header = [0; 16];
    stream.read_exact(&mut header).ok()?;
    assert_eq!(&header[..2], b"HS");
    let mut payload = vec![0; u64::from_be_bytes(header[8..].try_into().expect("eight bytes")) as usize];
    stream.read_exact(&mut payload).ok()?;
    Some(Message {
        kind: header[2],
        control: header[3],
        parameter: u32::from_be_bytes(header[4..8].try_into().expect("four bytes")),
        payload,
    })
}

fn send(stream: &mut TcpStream, kind: u8, control: u8, parameter: u32, payload: &[u8]) {
    let mut message = b"HS".to_vec();
    message.extend_from_slice(&[kind, control]);
    message.extend_from_slice(&parameter.to_be_bytes());
    message.extend_from_slice(&(payload.len() as u64).to_be_bytes());
    message.extend_from_slice(payload);
    stream.write_all(&message).ok();
}

/// A server of one client at a time; what it received on the synchronous connection, and a door to its other one.
fn serve() -> (Resource, Receiver<Message>, Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let (sender, seen) = mpsc::channel();
    let (door, control) = mpsc::channel();
    thread::spawn(move || {
        while let Ok((mut messages, _)) = listener.accept() {
            let hello = receive(&mut messages).expect("Initialize");
            assert_eq!(
                (hello.kind, hello.parameter >> 16, hello.payload.as_slice()),
                (0, 0x0100, b"hislip0".as_slice())
            );
            send(&mut messages, 1, 0, 0x0100_0000 | 5, &[]);
            let (mut control, _) = listener.accept().expect("the second connection");
            let hello = receive(&mut control).expect("AsyncInitialize");
            assert_eq!((hello.kind, hello.parameter), (17, 5));
            send(&mut control, 18, 0, 0, &[]);
            assert_eq!(receive(&mut control).expect("the size").kind, 15);
            send(&mut control, 16, 0, 0, &LONGEST.to_be_bytes());
            door.send(control.try_clone().expect("a socket")).ok();
            thread::spawn(move || serve_control(control));
            serve_messages(messages, &sender);
        }
    });
    let name = format!("TCPIP::127.0.0.1::hislip0,{port}::INSTR");
    (name.parse().expect("a resource"), seen, control)
}

fn serve_control(mut control: TcpStream) {
    let mut locked = false;
    while let Some(request) = receive(&mut control) {
        match (request.kind, request.control) {
            // Status; before it, a service request that came by.
            (21, _) => {
                send(&mut control, 20, 0x60, 0, &[]);
                send(&mut control, 22, 0x10, 0, &[]);
            }
            (19, _) => send(&mut control, 23, 0, 0, &[]),
            (4, 1) => {
                send(&mut control, 5, u8::from(!locked), 0, &[]);
                locked = true;
            }
            (4, _) => {
                send(&mut control, 5, if locked { 1 } else { 3 }, 0, &[]);
                locked = false;
            }
            _ => {}
        }
    }
}

fn serve_messages(mut messages: TcpStream, seen: &Sender<Message>) {
    let mut whole = Vec::new();
    let mut given_up = VecDeque::new();
    while let Some(message) = receive(&mut messages) {
        seen.send(message.clone()).ok();
        assert!(message.payload.len() as u64 <= LONGEST);
        match message.kind {
            8 => send(&mut messages, 9, 0, 0, &[]),
            6 => whole.extend_from_slice(&message.payload),
            7 => {
                whole.extend_from_slice(&message.payload);
                let said = std::mem::take(&mut whole);
                match said.as_slice() {
                    b"LATE?" => given_up.push_back(message.parameter),
                    b"CURV?" => {
                        let answer = [block::encode(b"", &[b'\n'; 200_000]), b"\n".to_vec()].concat();
                        let (first, second) = answer.split_at(70_000);
                        send(&mut messages, 6, 0, message.parameter, first);
                        send(&mut messages, 7, 0, message.parameter, second);
                    }
                    b"FATAL?" => send(&mut messages, 2, 3, 0, b"too much"),
                    said if said.ends_with(b"?") => {
                        // An answer to what was asked before comes first.
                        if let Some(number) = given_up.pop_front() {
                            send(&mut messages, 7, 0, number, b"late\n");
                        }
                        send(&mut messages, 7, 0, message.parameter, &[said, b"\n"].concat());
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

fn session(resource: Resource, timeout: Duration) -> Session {
    let settings = LinkSettings {
        timeout,
        open_timeout: LONG,
        ..LinkSettings::default()
    };
    Session::open("pna", resource, settings, Interrupter::default()).expect("it opens")
}

fn fault(error: SessionError) -> Fault {
    match *error.cause {
        SessionFault::Link(error) => error.fault,
        other => panic!("{other}"),
    }
}

#[test]
fn messages_are_numbered_and_cut_to_size() {
    let (resource, seen, _control) = serve();
    let mut pna = session(resource, LONG);
    assert_eq!(pna.query("*IDN?").expect("an answer"), "*IDN?");
    let long = format!("{}?", "x".repeat(150));
    assert_eq!(pna.query(&long).expect("the same"), long);
    assert_eq!(pna.set_and_query(&["VOLT 1"], "VOLT?").expect("an answer"), "VOLT?");
    let kinds: Vec<(u8, u8, u32)> = seen
        .try_iter()
        .map(|message| (message.kind, message.control, message.parameter & 0xff))
        .collect();
    let expected = [(7, 0, 0), (6, 1, 2), (6, 0, 4), (7, 0, 6), (7, 1, 8), (7, 0, 10)];
    assert_eq!(kinds, expected, "kind, whether an answer was delivered before, number");
    assert_eq!(pna.query_block("CURV?").expect("a block"), [b'\n'; 200_000]);
    assert_eq!(
        pna.query_bytes("abcdef?", Extent::Bytes(3)).expect("three bytes"),
        b"abc"
    );
    assert_eq!(pna.read().expect("the rest"), "def?");
    assert_eq!(pna.reopened(), 0);
}

#[test]
fn late_answers_are_not_taken_for_others() {
    let (resource, _seen, _control) = serve();
    let mut pna = session(resource, LONG);
    pna.write("LATE?").expect("it is sent");
    assert_eq!(pna.query("NOW?").expect("the right one"), "NOW?");
    pna.set_tries(1);
    pna.set_timeout(Duration::from_millis(60));
    let error = pna.query("LATE?").expect_err("nothing comes");
    assert_eq!(error.cause.to_string(), "timed out after 60ms; nothing was received");
}

#[test]
fn control_goes_past_the_messages() {
    let (resource, seen, control) = serve();
    let mut pna = session(resource, LONG);
    assert_eq!(pna.status_byte().expect("a status byte"), 0x10);
    assert_eq!(pna.wait_for_service_request(LONG).expect("it came before"), 0x60);
    let mut control = control.recv().expect("the other connection");
    let waiting = thread::spawn(move || (pna.wait_for_service_request(LONG), pna));
    send(&mut control, 20, 0x41, 0, &[]);
    let (request, mut pna) = waiting.join().expect("no panic");
    assert_eq!(request.expect("a request"), 0x41);
    pna.write("stale?").expect("it is sent");
    pna.clear().expect("it is confirmed");
    assert_eq!(pna.query("fresh?").expect("an answer"), "fresh?");
    pna.lock(LONG).expect("free");
    assert!(matches!(
        fault(pna.lock(Duration::ZERO).expect_err("taken")),
        Fault::Locked
    ));
    pna.unlock().expect("held");
    assert!(matches!(fault(pna.unlock().expect_err("not held")), Fault::Refused(_)));
    pna.trigger().expect("it is sent");
    assert_eq!(pna.query("after?").expect("an answer"), "after?");
    assert!(seen.try_iter().any(|message| message.kind == 12));
}

#[test]
fn a_fatal_error_is_said_in_the_words_of_the_server() {
    let (resource, _seen, _control) = serve();
    let mut pna = session(resource, LONG);
    pna.set_tries(1);
    let error = pna.query("FATAL?").expect_err("refused");
    assert_eq!(
        error.cause.to_string(),
        "the other side speaks otherwise: fatal error 3 of HiSLIP, `too much`"
    );
    assert_eq!(pna.query("again?").expect("on a new connection"), "again?");
}

#[test]
fn an_interrupt_ends_a_call_on_either_connection() {
    let (resource, seen, _control) = serve();
    let interrupter = Interrupter::default();
    let settings = LinkSettings {
        timeout: LONG,
        ..LinkSettings::default()
    };
    let mut pna = Session::open("pna", resource, settings, interrupter.clone()).expect("it opens");
    let waiting = thread::spawn(move || (pna.query("LATE?"), pna));
    assert_eq!(seen.recv().expect("the question").payload, b"LATE?");
    interrupter.interrupt();
    let (asked, mut pna) = waiting.join().expect("no panic");
    assert!(asked.expect_err("interrupted").is_interrupted());
    interrupter.rearm();
    assert_eq!(pna.query("now?").expect("an answer"), "now?");
    let waiting = thread::spawn(move || pna.wait_for_service_request(LONG));
    interrupter.interrupt();
    let waited = waiting.join().expect("no panic");
    assert!(waited.expect_err("interrupted").is_interrupted());
}
