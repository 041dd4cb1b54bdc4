//! Calls to an instrument written in Python, its death and its return: `cargo bench -p instruments --bench python`.
//!
//! Plain and without a harness: the best and the middle round of each are the figures. `MEASURAND_PYTHON` is the
//! interpreter; the array needs its numpy.

use std::{
    io::{Read, Write},
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Instant,
};

use instruments::{
    Interrupter,
    device::Device,
    driver::Value,
    python::{Hosts, Object, Options},
};

const ROUNDS: usize = 15;
const CALLS: u32 = 5000;
const POINTS: usize = 1_000_000;

fn main() {
    let python = std::env::var_os("MEASURAND_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let options = Options {
        python,
        folders: vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/modules")],
        ..Options::default()
    };
    let hosts = Hosts::new(Arc::new(|_, _| ()));
    let open = |name: &str| Object::open(name, "plain.Source", &options, &hosts, Interrupter::default());
    let mut source = open("bench").expect("it opens");

    let mut echo = Echo::start(&options.python);
    let per_call = |mut call: Box<dyn FnMut() + '_>| {
        rounds(|| {
            let begin = Instant::now();
            (0..CALLS).for_each(|_| call());
            begin.elapsed().as_secs_f64() / f64::from(CALLS)
        })
    };
    report("echo by bare Python", per_call(Box::new(|| echo.call())), 1e6, "us");
    let get = per_call(Box::new(|| {
        assert_eq!(source.get("temperature", &[]), Ok(Value::Float(4.2)));
    }));
    report("get of a float", get, 1e6, "us");
    let set = per_call(Box::new(|| {
        source.set("count", &Value::Float(0.5), &[]).expect("it is set");
    }));
    report("set of a float", set, 1e6, "us");
    let arguments = [Value::Float(1.0), Value::Float(2.0)];
    let call = per_call(Box::new(|| {
        assert_eq!(source.call("add", &arguments, &[]), Ok(Value::Float(3.0)));
    }));
    report("call with two floats", call, 1e6, "us");

    let zeros = Value::Text(format!("np.zeros({POINTS})"));
    if source.call("numpy", std::slice::from_ref(&zeros), &[]).is_ok() {
        source
            .set("array", &Value::Floats(vec![0.5; POINTS]), &[])
            .expect_err("it has no such name");
        source
            .set("count", &Value::Floats(vec![0.5; POINTS]), &[])
            .expect("it is set");
        let array = rounds(|| {
            let begin = Instant::now();
            let Ok(Value::Floats(numbers)) = source.get("count", &[]) else {
                panic!("no array");
            };
            assert_eq!(numbers.len(), POINTS);
            begin.elapsed().as_secs_f64()
        });
        report("array of 1,000,000 floats", array, 1e3, "ms");
    } else {
        println!("{:30} skipped: no numpy", "array of 1,000,000 floats");
    }

    // From the last statement of the process to the error, and from there to the value of the object made anew.
    let (mut seen, mut back) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let clock = Instant::now();
        source.call("end", &[Value::Int(1)], &[]).expect_err("it ends");
        seen.push(clock.elapsed().as_secs_f64());
        let clock = Instant::now();
        source.get("temperature", &[]).expect("it is back");
        back.push(clock.elapsed().as_secs_f64());
    }
    report("its crash is seen", middle(seen), 1e3, "ms");
    report("it is back", middle(back), 1e3, "ms");
}

/// What no call can be faster than: Python that sends back what it receives.
struct Echo {
    socket: UnixStream,
    child: Child,
}

impl Echo {
    fn start(python: &Path) -> Self {
        let (socket, theirs) = UnixStream::pair().expect("a pair of sockets");
        let lines = "import os\nwhile True:\n    os.write(0, os.read(0, 4096))\n";
        let mut command = Command::new(python);
        command
            .args(["-c", lines])
            .stdin(OwnedFd::from(theirs))
            .stderr(Stdio::null());
        let child = command.spawn().expect("an interpreter");
        Self { socket, child }
    }

    /// As many bytes as a float takes with its head.
    fn call(&mut self) {
        let mut bytes = [0; 15];
        self.socket.write_all(&bytes).expect("it listens");
        self.socket.read_exact(&mut bytes).expect("it answers");
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.child.kill().ok(); // It may have ended by itself.
        self.child.wait().ok();
    }
}

/// The best and the middle of some rounds, in seconds.
fn rounds(round: impl FnMut() -> f64) -> (f64, f64) {
    middle(std::iter::repeat_with(round).take(ROUNDS).collect())
}

fn middle(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[0], times[times.len() / 2])
}

fn report(what: &str, (best, middle): (f64, f64), scale: f64, unit: &str) {
    println!(
        "{what:30} best {:8.2} {unit}   middle {:8.2} {unit}",
        best * scale,
        middle * scale
    );
}
