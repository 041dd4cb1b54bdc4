//! Sessions over VXI-11, against a server on loopback that is written from the standard for these tests alone.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Duration,
};

use instruments::{
    Extent, Fault, Interrupter, LinkSettings, Resource, Session, SessionError, SessionFault, block, discover,
};

const LONG: Duration = Duration::from_secs(20);
/// The longest piece of a message that the server takes.
const PIECE: u32 = 64;

/// What the server saw: the procedure, and its arguments in words for the test.
type Seen = (u32, String);

fn serve() -> (Resource, Receiver<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let (sender, seen) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let sender = sender.clone();
            thread::spawn(move || Server::default().serve(stream, &sender));
        }
    });
    let name = format!("TCPIP::127.0.0.1::inst0,{port}::INSTR");
    (name.parse().expect("a resource"), seen)
}

#[derive(Default)]
struct Server {
    message: Vec<u8>,
    answer: Vec<u8>,
    status_reads: u32,
}

impl Server {
    fn serve(mut self, mut stream: TcpStream, seen: &Sender<Seen>) {
        stream.set_nodelay(true).expect("a socket");
        while let Some(call) = record(&mut stream) {
            let (transaction, procedure) = (word(&call, 0), word(&call, 5));
            // Behind the header: six words, and two empty pairs for credentials and verifier.
            let arguments = &call[40..];
            let Some(results) = self.perform(procedure, arguments, seen) else {
                continue;
            };
            let mut reply = Vec::new();
            for number in [transaction, 1, 0, 0, 0, 0] {
                reply.extend_from_slice(&number.to_be_bytes());
            }
            reply.extend_from_slice(&results);
            // A late reply to an earlier call, then this one in two fragments.
            let mut stale = reply.clone();
            stale[..4].copy_from_slice(&(transaction.wrapping_sub(1)).to_be_bytes());
            let (first, second) = reply.split_at(10);
            for (part, last) in [(stale.as_slice(), 1 << 31), (first, 0), (second, 1 << 31)] {
                let mark = part.len() as u32 | last;
                stream.write_all(&[&mark.to_be_bytes(), part].concat()).ok();
            }
        }
    }

    fn perform(&mut self, procedure: u32, arguments: &[u8], seen: &Sender<Seen>) -> Option<Vec<u8>> {
        let mut results = vec![0; 4];
        let mut said = String::new();
        match procedure {
            10 => {
                said = text(arguments, 3);
                let error = if said == "inst0" { 0 } else { 3 };
                results = words(&[error, 7, 0, PIECE]);
            }
            11 => {
                let data = bytes(arguments, 4);
                assert!(data.len() <= PIECE as usize && word(arguments, 0) == 7);
                said = String::from_utf8_lossy(&data).into_owned();
                // It takes less than it is offered.
                let taken = data.len().min(40);
                self.message.extend_from_slice(&data[..taken]);
                if taken == data.len() && word(arguments, 3) & 8 != 0 {
                    self.execute();
                }
                results.extend_from_slice(&(taken as u32).to_be_bytes());
            }
            12 if self.answer.is_empty() => results = words(&[15, 0, 0]),
            12 => {
                let wanted = (word(arguments, 1) as usize).min(1000);
                let rest = self.answer.split_off(wanted.min(self.answer.len()));
                let piece = std::mem::replace(&mut self.answer, rest);
                let reason = if self.answer.is_empty() { 4 } else { 1 };
                results = words(&[0, reason, piece.len() as u32]);
                results.extend_from_slice(&piece);
                results.resize(results.len().next_multiple_of(4), 0);
            }
            13 => {
                self.status_reads += 1;
                let status = if self.status_reads >= 3 { 0x50 } else { 0x10 };
                results.extend_from_slice(&u32::to_be_bytes(status));
            }
            14 => results = words(&[8]),
            15 => self.answer.clear(),
            18 => results = words(&[11]),
            19 => results = words(&[12]),
            _ => {}
        }
        seen.send((procedure, said)).ok();
        Some(results)
    }

    fn execute(&mut self) {
        let message = std::mem::take(&mut self.message);
        match message.as_slice() {
            b"*IDN?" => self.answer = b"MAKER,MODEL,1,2\n".to_vec(),
            b"CURV?" => self.answer = [block::encode(b"", &[b'\n'; 2500]), b"\n".to_vec()].concat(),
            message if message.ends_with(b"?") => self.answer = [message, b"\n"].concat(),
            _ => {}
        }
    }
}

fn record(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut mark = [0; 4];
    stream.read_exact(&mut mark).ok()?;
    let mut record = vec![0; (u32::from_be_bytes(mark) & !(1 << 31)) as usize];
    stream.read_exact(&mut record).ok()?;
    Some(record)
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn word(bytes: &[u8], index: usize) -> u32 {
    u32::from_be_bytes(bytes[index * 4..index * 4 + 4].try_into().expect("four bytes"))
}

fn bytes(arguments: &[u8], index: usize) -> Vec<u8> {
    let start = index * 4 + 4;
    arguments[start..start + word(arguments, index) as usize].to_vec()
}

fn text(arguments: &[u8], index: usize) -> String {
    String::from_utf8(bytes(arguments, index)).expect("text")
}

fn session(resource: Resource) -> Session {
    let settings = LinkSettings {
        timeout: LONG,
        open_timeout: LONG,
        ..LinkSettings::default()
    };
    Session::open("scope", resource, settings, Interrupter::default()).expect("it opens")
}

fn fault(error: SessionError) -> Fault {
    match *error.cause {
        SessionFault::Link(error) => error.fault,
        other => panic!("{other}"),
    }
}

#[test]
fn messages_go_out_in_pieces_and_answers_come_in_pieces() {
    let (resource, seen) = serve();
    let mut scope = session(resource);
    assert_eq!(seen.recv().expect("a link"), (10, "inst0".to_owned()));
    assert_eq!(scope.identify().expect("its identity").model, "MODEL");
    let long = format!("{}?", "x".repeat(300));
    assert_eq!(scope.query(&long).expect("the same"), long);
    assert_eq!(scope.query_block("CURV?").expect("a block"), [b'\n'; 2500]);
    assert_eq!(
        scope.query_bytes("abcdef?", Extent::Bytes(3)).expect("three bytes"),
        b"abc"
    );
    assert_eq!(scope.read().expect("the rest"), "def?");
    assert_eq!(scope.set_and_query(&["VOLT 1"], "VOLT?").expect("an answer"), "VOLT?");
    assert_eq!(scope.reopened(), 0);
    drop(scope);
    assert_eq!(
        seen.iter().find(|(procedure, _)| *procedure == 23),
        Some((23, String::new()))
    );
}

#[test]
fn control_goes_past_the_messages() {
    let (resource, _seen) = serve();
    let mut scope = session(resource);
    assert_eq!(scope.status_byte().expect("a status byte"), 0x10);
    assert_eq!(scope.wait_for_service_request(LONG).expect("a request"), 0x50);
    scope.write("stale?").expect("it is sent");
    scope.clear().expect("it is confirmed");
    assert_eq!(scope.query("fresh?").expect("an answer"), "fresh?");
    assert!(matches!(
        fault(scope.lock(Duration::ZERO).expect_err("taken")),
        Fault::Locked
    ));
    assert!(matches!(
        fault(scope.unlock().expect_err("not held")),
        Fault::Refused(_)
    ));
    scope.trigger().expect("by *TRG, since its server has no trigger");
}

#[test]
fn what_the_instrument_refuses_is_said_in_its_words() {
    let (resource, _seen) = serve();
    let mut scope = session(resource.clone());
    let error = scope.read().expect_err("nothing was asked");
    assert_eq!(error.cause.to_string(), "timed out after 20s; nothing was received");
    let Resource::Vxi11 { port: Some(port), .. } = resource else {
        panic!("{resource}");
    };
    let other = format!("TCPIP::127.0.0.1::inst7,{port}::INSTR")
        .parse()
        .expect("a resource");
    let settings = LinkSettings::default();
    let error = Session::open("scope", other, settings, Interrupter::default())
        .err()
        .expect("another device");
    assert_eq!(error.cause.to_string(), "refused: device not accessible");
}

#[test]
fn a_server_that_speaks_otherwise_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            stream.write_all(b"SSH-2.0-OpenSSH\r\n").ok();
            stream.read_to_end(&mut Vec::new()).ok();
        }
    });
    let resource = format!("TCPIP::127.0.0.1::inst0,{port}::INSTR")
        .parse()
        .expect("a resource");
    let opened = Session::open("scope", resource, LinkSettings::default(), Interrupter::default());
    assert!(matches!(fault(opened.err().expect("no VXI-11")), Fault::Protocol(_)));
}

#[test]
fn instruments_on_the_network_are_found() {
    let portmapper = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address: SocketAddr = portmapper.local_addr().expect("its address");
    let answering = thread::spawn(move || {
        let mut call = [0; 512];
        let (length, from) = portmapper.recv_from(&mut call).expect("a question");
        let question: Vec<u32> = (0..length / 4).map(|index| word(&call, index)).collect();
        assert_eq!(question[1..6], [0, 2, 100_000, 2, 3]);
        assert_eq!(question[10..], [0x0607AF, 1, 6, 0]);
        portmapper.send_to(b"noise", from).expect("the client");
        portmapper
            .send_to(&words(&[question[0], 1, 0, 0, 0, 0, 1024]), from)
            .expect("the client");
    });
    let found = discover(&[address], Duration::from_millis(300)).expect("a socket");
    answering.join().expect("the question is right");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [address.ip()]);
}
