//! What instruments cost a measurement, beside a bare socket and beside the clients of other programs, on one server:
//! `cargo bench -p measurand --bench instruments`.
//!
//! Whoever is compared takes turns with the others, and the best round of each counts, which neighbours on the machine
//! disturb least. `MEASURAND_PEER_PYTHON_QCODES` and `MEASURAND_PEER_PYTHON_PYMEASURE` are interpreters that can import
//! these (and PyVISA-py); a peer that cannot run is said to be not measured.

#[path = "../tests/station/performer.rs"]
mod performer;

use std::{
    env,
    fs::{self, OpenOptions},
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command as Program, Stdio},
    thread,
    time::{Duration, Instant},
};

use instruments::{
    Interrupter, LinkSettings, NumberFormat, Resource, Session, block,
    block::{ByteOrder, Number},
};
use performer::{Performer, request};
use protocol::{Command, Event, OnExisting, Outcome, Recording};

const ROUNDS: usize = 7;
const QUERIES: usize = 3000;
const BLOCKS: usize = 40;
const POINTS: usize = 2000;
/// Numbers in a block: 800 kB.
const BLOCK: usize = 100_000;

fn main() {
    if env::args().any(|argument| argument == "--test") {
        return;
    }
    if let Some(delay) = env::args().skip_while(|argument| argument != SERVE).nth(1) {
        let delay = delay.parse().expect("microseconds");
        println!("{}", listen(Duration::from_micros(delay)));
        loop {
            thread::park();
        }
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    clients();
    sweep(folder.path());
    pools(folder.path());
}

/// What the program is started with to be an instrument.
const SERVE: &str = "serve-an-instrument";

/// An instrument in a process of its own, as instruments are to everybody who is compared.
struct Instrument {
    process: Child,
    port: u16,
}

impl Drop for Instrument {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn serve(delay: Duration) -> Instrument {
    let mut process = Program::new(env::current_exe().expect("this program"))
        .args([SERVE, &delay.as_micros().to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut port = String::new();
    let output = process.stdout.take().expect("it is piped");
    BufReader::new(output).read_line(&mut port).expect("its port");
    let port = port.trim().parse().expect("a port");
    Instrument { process, port }
}

/// A voltage source and meter that keeps its level and answers after `delay`.
fn listen(delay: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        let numbers: Vec<f64> = (0..BLOCK).map(|number| number as f64).collect();
        let content = block::encode_numbers(&numbers, Number::F64, ByteOrder::Little).expect("they fit");
        let mut curve = block::encode(b"", &content);
        curve.push(b'\n');
        for stream in listener.incoming().flatten() {
            let curve = curve.clone();
            thread::spawn(move || answer(stream, delay, &curve));
        }
    });
    port
}

fn answer(mut stream: TcpStream, delay: Duration, curve: &[u8]) {
    stream.set_nodelay(true).expect("a socket");
    let mut level = b"0.0\n".to_vec();
    let (mut chunk, mut received) = ([0; 4096], Vec::new());
    while let Ok(count @ 1..) = stream.read(&mut chunk) {
        received.extend_from_slice(&chunk[..count]);
        while let Some(end) = received.iter().position(|byte| *byte == b'\n') {
            let message: Vec<u8> = received.drain(..=end).collect();
            let reply: &[u8] = if let Some(value) = message.strip_prefix(b":SOURce:LEVel ") {
                level = value.to_vec();
                continue;
            } else if message.starts_with(b"CURV?") {
                curve
            } else if message.starts_with(b"SOURce:FUNC") {
                b"VOLT\n"
            } else if message.ends_with(b"?\n") {
                &level
            } else {
                continue;
            };
            if !delay.is_zero() {
                thread::sleep(delay);
            }
            if stream.write_all(reply).is_err() {
                return;
            }
        }
    }
}

/// A bare socket, as somebody would write it who knows sockets.
struct Bare {
    stream: TcpStream,
    chunk: Vec<u8>,
}

impl Bare {
    fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server");
        stream.set_nodelay(true).expect("a socket");
        Self {
            stream,
            chunk: vec![0; 4096],
        }
    }

    fn query(&mut self, message: &[u8]) -> usize {
        self.stream.write_all(message).expect("the server");
        self.stream.read(&mut self.chunk).expect("an answer")
    }
}

/// Microseconds a call: the best of some rounds of each, in turns.
fn best(calls: usize, cases: &mut [&mut dyn FnMut()]) -> Vec<f64> {
    let mut best = vec![f64::INFINITY; cases.len()];
    for _ in 0..ROUNDS {
        for (case, best) in cases.iter_mut().zip(&mut best) {
            let began = Instant::now();
            (0..calls).for_each(|_| case());
            *best = best.min(began.elapsed().as_secs_f64() * 1e6 / calls as f64);
        }
    }
    best
}

/// Queries, set and query, and a block: bare socket, session, and the clients of Python on the same server.
fn clients() {
    let instrument = serve(Duration::ZERO);
    let port = instrument.port;
    let mut bare = Bare::connect(port);
    let mut blocks = Bare::connect(port);
    let resource: Resource = format!("TCPIP::127.0.0.1::{port}::SOCKET").parse().expect("a resource");
    let open = || {
        let settings = LinkSettings::default();
        Session::open("bench", resource.clone(), settings, Interrupter::default()).expect("it opens")
    };
    let (mut one, mut two, mut three) = (open(), open(), open());
    let query = best(
        QUERIES,
        &mut [&mut || assert_eq!(bare.query(b"VOLT?\n"), 4), &mut || {
            assert_eq!(one.query("VOLT?").expect("an answer"), "0.0")
        }],
    );
    let set = best(
        QUERIES,
        &mut [
            &mut || assert_eq!(bare.query(b":SOURce:LEVel 1.0\n:SOURce:LEVel?\n"), 4),
            &mut || {
                let answer = two.set_and_query(&[":SOURce:LEVel 1.0"], ":SOURce:LEVel?");
                assert_eq!(answer.expect("an answer"), "1.0");
            },
        ],
    );
    let format = NumberFormat::Binary {
        number: Number::F64,
        order: ByteOrder::Little,
    };
    let mut curve = vec![0; BLOCK * 8 + 9];
    let block = best(
        BLOCKS,
        &mut [
            &mut || {
                blocks.stream.write_all(b"CURV?\n").expect("the server");
                blocks.stream.read_exact(&mut curve).expect("a block");
            },
            &mut || assert_eq!(three.query_numbers("CURV?", format).expect("numbers").len(), BLOCK),
        ],
    );
    println!("microseconds a call over loopback (load {})", load());
    println!("{:28}{:>12}{:>16}{:>16}", "", "query", "set + query", "800 kB block");
    let line = |name: &str, figures: [f64; 3]| {
        println!("{name:28}{:>12.1}{:>16.1}{:>16.1}", figures[0], figures[1], figures[2]);
    };
    line("bare socket (Rust)", [query[0], set[0], block[0]]);
    line("Measurand", [query[1], set[1], block[1]]);
    for (peer, variable) in [
        ("PyVISA-py", "QCODES"),
        ("QCoDeS", "QCODES"),
        ("PyMeasure", "PYMEASURE"),
    ] {
        match of_peer(peer, variable, port) {
            Ok(figures) => {
                line(peer, figures);
                println!(
                    "{:28}{:>11.1}x{:>15.0}x{:>15.1}x",
                    "  Measurand is faster by",
                    figures[0] / query[1],
                    figures[1] / set[1],
                    figures[2] / block[1]
                );
            }
            Err(why) => println!("{peer:28}not measured: {why}"),
        }
    }
}

/// What a peer's client takes for the same, measured by its own interpreter.
fn of_peer(peer: &str, variable: &str, port: u16) -> Result<[f64; 3], String> {
    let variable = format!("MEASURAND_PEER_PYTHON_{variable}");
    let python = env::var(&variable).map_err(|_| format!("{variable} is not set"))?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instruments/peers.py");
    let output = Program::new(python)
        .arg(script)
        .args([peer, &port.to_string()])
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(words.lines().last().unwrap_or("it failed").to_owned());
    }
    let words = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<f64> = words.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    figures.try_into().map_err(|_| format!("its figures are {words:?}"))
}

/// A loop that sets, reads and saves, beside the same queries on a bare socket.
fn sweep(folder: &Path) {
    let instrument = serve(Duration::ZERO);
    let port = instrument.port;
    let selected = "selected_instrument = \"('Vg', 'yokogawa.gs200', '', None)\"\n";
    let children = format!(
        "[[children_1]]\ntask_id = exopy.LoopTask\nname = L\n[[[interface]]]\ninterface_id = \
         exopy.LoopTask:exopy.LinspaceLoopInterface\nstart = 0.5\nstop = 1.5\nstep = {:?}\n[[[task]]]\ntask_id = \
         exopy_hqc_legacy.SetDCVoltageTask\nparallel = {{}}\n{selected}[[[children_0]]]\ntask_id = \
         exopy_hqc_legacy.GetDCVoltageTask\nname = g\n{selected}[[[children_1]]]\ntask_id = \
         exopy_hqc_legacy.SaveTask\nname = s\nfilename = s.dat\nsaved_values = \"[('x', '{{L_voltage}}'), ('y', \
         '{{g_voltage}}')]\"\n",
        1.0 / (POINTS - 1) as f64
    );
    let mut performer = Performer::start(folder);
    let (mut raw, mut whole) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        raw = raw.min(raw_sweep(port, folder));
        whole = whole.min(perform(&mut performer, folder, &children, &[("Vg", port)]));
    }
    println!(
        "\nset, read, save: {POINTS} points with five queries each (load {})",
        load()
    );
    println!(
        "  bare socket and a file   {:8.2} us a point",
        raw * 1e6 / POINTS as f64
    );
    println!(
        "  Measurand, with record   {:8.2} us a point, {:+.1} %",
        whole * 1e6 / POINTS as f64,
        (whole / raw - 1.0) * 100.0
    );
}

/// The same queries and a line of a file a point, without Measurand.
fn raw_sweep(port: u16, folder: &Path) -> f64 {
    let mut bare = Bare::connect(port);
    let path = folder.join("raw.dat");
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .expect("a file");
    let began = Instant::now();
    for point in 0..POINTS {
        let value = 0.5 + point as f64 / (POINTS - 1) as f64;
        // Two tasks share the source, so each asks what it sources, as in Exopy.
        bare.query(b"SOURce:FUNCtion?\n");
        bare.query(b":SOURce:LEVel?\n");
        bare.query(format!(":SOURce:LEVel {value}\n:SOURce:LEVel?\n").as_bytes());
        bare.query(b"SOURce:FUNCtion?\n");
        let count = bare.query(b":SOURce:LEVel?\n");
        let answer = String::from_utf8_lossy(&bare.chunk[..count]);
        let level: f64 = answer.trim().parse().expect("a number");
        file.write_all(format!("{value}\t{level}\n").as_bytes())
            .expect("written");
    }
    let took = began.elapsed().as_secs_f64();
    fs::remove_file(path).expect("it was made");
    took
}

/// Four instruments that take a millisecond to answer, one after the other and in pools.
fn pools(folder: &Path) {
    let served: Vec<Instrument> = (0..4).map(|_| serve(Duration::from_millis(1))).collect();
    let names = ["a", "b", "c", "d"];
    let ports = served.iter().map(|instrument| instrument.port);
    let instruments: Vec<(&str, u16)> = names.iter().copied().zip(ports).collect();
    let reads = |pool: bool| -> String {
        let read = |(at, name): (usize, &&str)| {
            let parallel = if pool {
                format!("parallel = \"{{'activated': True, 'pool': 'p{name}'}}\"\n")
            } else {
                String::new()
            };
            format!(
                "[[[children_{at}]]]\ntask_id = exopy_hqc_legacy.GetDCVoltageTask\nname = {name}\nselected_instrument = \
                 \"('{name}', 'yokogawa.gs200', '', None)\"\n{parallel}"
            )
        };
        let reads: String = names.iter().enumerate().map(read).collect();
        format!(
            "[[children_1]]\ntask_id = exopy.LoopTask\nname = L\n[[[interface]]]\ninterface_id = \
             exopy.LoopTask:exopy.IterableLoopInterface\niterable = range(200)\n{reads}[[[children_4]]]\ntask_id = \
             exopy.FormulaTask\nname = f\nwait = \"{{'activated': True}}\"\nformulas = \"[('s', '{{a_voltage}} + {{d_voltage}}')]\"\n"
        )
    };
    let mut performer = Performer::start(folder);
    let one_by_one = perform(&mut performer, folder, &reads(false), &instruments) * 1e3 / 200.0;
    let at_once = perform(&mut performer, folder, &reads(true), &instruments) * 1e3 / 200.0;
    println!("\nfour instruments of 1 ms (load {})", load());
    println!("  one after the other  {one_by_one:6.2} ms a point");
    println!("  in four pools        {at_once:6.2} ms a point");
}

/// Seconds between the two log records of a measurement with these children.
fn perform(performer: &mut Performer, folder: &Path, children: &str, instruments: &[(&str, u16)]) -> f64 {
    let mut wanted = request(&format!(
        "name = bench\nid = 1\n[root_task]\ntask_id = exopy.ComplexTask\ndefault_path = {}\n[[children_0]]\ntask_id = \
         exopy.LogTask\nname = begin\nmessage = begin\n{children}[[children_2]]\ntask_id = exopy.LogTask\nname = \
         end\nmessage = end\nwait = \"{{'activated': True}}\"\n",
        folder.display()
    ));
    wanted.recording = Recording::New;
    wanted.on_existing = OnExisting::Overwrite;
    let address = |(name, port): &(&str, u16)| ((*name).to_owned(), format!("TCPIP::127.0.0.1::{port}::SOCKET"));
    wanted.laboratory.addresses = instruments.iter().map(address).collect();
    performer.say(&Command::Perform(Box::new(wanted)));
    let mut times = Vec::new();
    loop {
        let event = performer.next().expect("the process lives");
        let time = performer.seen.pop().expect("it was just seen").time_us;
        match event {
            Event::Log { message, .. } if message == "begin" || message == "end" => times.push(time),
            Event::Finished { outcome, errors, .. } => assert_eq!(outcome, Outcome::Completed, "{errors:?}"),
            Event::Problems(problems) => assert!(problems.iter().all(|problem| !problem.is_error()), "{problems:?}"),
            Event::Ready => break,
            _ => (),
        }
    }
    for entry in fs::read_dir(folder).expect("the folder").flatten() {
        fs::remove_file(entry.path()).ok(); // What a run leaves is in the way of the next only by its size.
    }
    (times[1] - times[0]) as f64 / 1e6
}

fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}
