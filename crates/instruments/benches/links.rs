//! Queries over loopback beside a bare socket that does the same: `cargo bench -p instruments`.
//!
//! Plain and without a harness: bare socket and session take turns, and the best round of each is the figure, which
//! neighbours on the machine disturb least.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Instant,
};

use instruments::block::{ByteOrder, Number};
use instruments::{Interrupter, LinkSettings, NumberFormat, Resource, Session, block};

const ROUNDS: usize = 15;
const QUERIES: u32 = 3000;
const BLOCKS: u32 = 60;
const POINTS: usize = 100_000;

/// Answers `1.0` to whatever ends with `?`, and a block of 800 kB to `CURV?`.
fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        let values: Vec<f64> = (0..POINTS).map(|i| i as f64).collect();
        let content = block::encode_numbers(&values, Number::F64, ByteOrder::Little).expect("they fit");
        let mut curve = block::encode(b"", &content);
        curve.push(b'\n');
        for mut stream in listener.incoming().flatten() {
            let curve = curve.clone();
            thread::spawn(move || {
                stream.set_nodelay(true).expect("a socket");
                let mut chunk = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut chunk) {
                    if chunk[..count].starts_with(b"CURV?") {
                        stream.write_all(&curve).expect("a client");
                    } else if chunk[..count].ends_with(b"?\n") {
                        stream.write_all(b"1.0\n").expect("a client");
                    }
                }
            });
        }
    });
    port
}

/// The best round of each of two, in microseconds a call.
fn compare(calls: u32, mut bare: impl FnMut(), mut session: impl FnMut()) -> (f64, f64) {
    let (mut best_bare, mut best_session) = (f64::INFINITY, f64::INFINITY);
    let round = |call: &mut dyn FnMut()| {
        let begin = Instant::now();
        for _ in 0..calls {
            call();
        }
        begin.elapsed().as_secs_f64() * 1e6 / f64::from(calls)
    };
    for _ in 0..ROUNDS {
        best_bare = best_bare.min(round(&mut bare));
        best_session = best_session.min(round(&mut session));
    }
    (best_bare, best_session)
}

fn report(what: &str, (bare, session): (f64, f64)) {
    let more = (session / bare - 1.0) * 100.0;
    println!("{what:30} bare {bare:9.2} us   session {session:9.2} us   {more:+6.1} %");
}

fn main() {
    let port = serve();
    let mut bare = TcpStream::connect(("127.0.0.1", port)).expect("the server");
    bare.set_nodelay(true).expect("a socket");
    let resource: Resource = format!("TCPIP::127.0.0.1::{port}::SOCKET").parse().expect("a resource");
    let settings = LinkSettings::default();
    let mut session = Session::open("bench", resource, settings, Interrupter::default()).expect("it opens");

    let mut chunk = vec![0; 4096];
    let query = compare(
        QUERIES,
        || {
            bare.write_all(b"VOLT?\n").expect("the server");
            assert_eq!(bare.read(&mut chunk).expect("an answer"), 4);
        },
        || assert_eq!(session.query("VOLT?").expect("an answer").len(), 3),
    );
    report("query", query);

    let joined = compare(
        QUERIES,
        || {
            bare.write_all(b"VOLT 1.0\nVOLT?\n").expect("the server");
            assert_eq!(bare.read(&mut chunk).expect("an answer"), 4);
        },
        || {
            assert_eq!(
                session.set_and_query(&["VOLT 1.0"], "VOLT?").expect("an answer").len(),
                3
            )
        },
    );
    report("set then query, joined", joined);

    let mut curve = vec![0; POINTS * 8 + 9];
    let block = compare(
        BLOCKS,
        || {
            bare.write_all(b"CURV?\n").expect("the server");
            bare.read_exact(&mut curve).expect("a block");
        },
        || assert_eq!(session.query_block("CURV?").expect("a block").len(), POINTS * 8),
    );
    report("block of 800 kB", block);

    let format = NumberFormat::Binary {
        number: Number::F64,
        order: ByteOrder::Little,
    };
    let numbers = compare(
        BLOCKS,
        || {
            bare.write_all(b"CURV?\n").expect("the server");
            bare.read_exact(&mut curve).expect("a block");
        },
        || assert_eq!(session.query_numbers("CURV?", format).expect("numbers").len(), POINTS),
    );
    report("block of 800 kB as numbers", numbers);
}
