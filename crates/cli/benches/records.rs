//! What the record of a run costs, and what of a run survives its death: `cargo bench -p measurand --bench records`.
//!
//! The sweep is the one of the peers' programs: set, read a Gaussian, compute, a million times. Cases that are compared are
//! performed in turns, so that a machine that is busy for a while is busy for all of them; every figure is the median of
//! several runs, with the load of the machine before.

#[path = "records/loss.rs"]
mod loss;
#[path = "records/peers.rs"]
mod peers;
#[path = "../tests/station/performer.rs"]
mod performer;

use std::{env, fs, path::Path, time::Instant};

use expr::Value;
use performer::{Performer, request};
use protocol::{Command, Event, OnExisting, Outcome, Recording, Request};
use records::{FileAt, LoopEntries, RowEnd, RunFacts, Schema, TableFacts, TaskFacts, Writer};

const RUNS: usize = 7;

fn main() {
    // `cargo bench` and `cargo test --benches` pass flags; only the first word that is none selects.
    let wanted = env::args().skip(1).find(|argument| !argument.starts_with('-'));
    if env::args().any(|argument| argument == "--test") {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    type Bench = fn(&Path);
    let benches: [(&str, Bench); 7] = [
        ("sweep", sweep),
        ("row", row),
        ("bytes", bytes),
        ("memory", memory),
        ("loss", loss::loss),
        ("peers", peers::peers),
        ("memory-full", memory_full),
    ];
    for (name, bench) in benches {
        // What takes minutes is only done when it is asked for by its name.
        if wanted.as_ref().map_or(name != "memory-full", |wanted| name == wanted) {
            println!("\n{name} (load {})", load());
            bench(folder.path());
        }
    }
}

fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// A measurement with these children between two log records.
fn measurement(folder: &Path, children: &str) -> String {
    format!(
        "name = bench\nid = 1\n[root_task]\ntask_id = exopy.ComplexTask\ndefault_path = {}\n[[children_0]]\ntask_id = exopy.LogTask\nname = begin\nmessage = begin\n{children}[[children_2]]\ntask_id = exopy.LogTask\nname = end\nmessage = end\n",
        folder.display()
    )
}

fn linspace(depth: usize, section: &str, name: &str, points: usize) -> String {
    let (open, close) = ("[".repeat(depth), "]".repeat(depth));
    format!(
        "{open}{section}{close}\ntask_id = exopy.LoopTask\nname = {name}\n[{open}interface{close}]\ninterface_id = exopy.LoopTask:exopy.LinspaceLoopInterface\nstart = 0\nstop = 1\nstep = {:?}\n",
        1.0 / (points - 1) as f64
    )
}

fn formula(depth: usize, section: &str, name: &str, formulas: &str) -> String {
    let (open, close) = ("[".repeat(depth), "]".repeat(depth));
    format!("{open}{section}{close}\ntask_id = exopy.FormulaTask\nname = {name}\nformulas = \"{formulas}\"\n")
}

/// One task that sets, one that reads and one that computes, in the loop around them.
fn physics(depth: usize, around: &str) -> String {
    let set = format!("[('x', '{{{around}_value}}')]");
    formula(depth, "children_0", "set", &set)
        + &formula(
            depth,
            "children_1",
            "get",
            "[('y', 'np.exp(-(({set_x} - 0.5)**2)/0.02)')]",
        )
        + &formula(depth, "children_2", "math", "[('z', '2*{get_y} + 1')]")
}

fn one_dimension(points: usize) -> String {
    linspace(2, "children_1", "loop", points) + &physics(3, "loop")
}

const SAVED: &str = "saved_values = \"[('x', '{set_x}'), ('y', '{get_y}'), ('z', '{math_z}')]\"\n";

fn text_file(section: &str) -> String {
    format!(
        "[[[{section}]]]\ntask_id = exopy_hqc_legacy.SaveTask\nname = text\nfolder = {{default_path}}\nfilename = bench.dat\n{SAVED}"
    )
}

fn hdf5_file(section: &str) -> String {
    format!(
        "[[[{section}]]]\ntask_id = exopy_hqc_legacy.SaveFileHDF5Task\nname = hdf\nfolder = {{default_path}}\nfilename = bench.h5\ndatatype = float64\n{SAVED}"
    )
}

/// How long a run took.
struct Took {
    /// Between its two log records, in the performing process.
    tasks_secs: f64,
    /// From the request until all files are closed.
    whole_secs: f64,
    /// Of all threads of the performing process, its kernel's work for it included: what a busy machine disturbs least.
    cpu_secs: f64,
    /// Bytes of the record.
    bytes: u64,
}

fn wanted(folder: &Path, children: &str, recording: Recording) -> Request {
    let mut wanted = request(&measurement(folder, children));
    wanted.recording = recording;
    wanted.on_existing = OnExisting::Overwrite;
    wanted
}

/// Performs a measurement and removes its files.
fn perform(performer: &mut Performer, folder: &Path, children: &str, recording: Recording) -> Took {
    let (began, cpu_before) = (Instant::now(), cpu_secs(performer.child.id()));
    performer.say(&Command::Perform(Box::new(wanted(folder, children, recording))));
    let (mut times, mut whole_secs, mut bytes) = (Vec::new(), 0.0, 0);
    let mut record_path = None;
    loop {
        let event = performer.next().expect("the process lives");
        let time = performer.seen.pop().expect("it was just seen").time_us;
        match event {
            Event::Started { record, .. } => record_path = record,
            Event::Log { message, .. } if message == "begin" || message == "end" => times.push(time),
            Event::Finished { outcome, errors, .. } => {
                assert_eq!(outcome, Outcome::Completed, "{errors:?}");
                whole_secs = began.elapsed().as_secs_f64();
            }
            Event::Problems(problems) => panic!("{problems:?}"),
            Event::Ready => break,
            _ => (),
        }
    }
    if let Some(path) = record_path {
        bytes = fs::metadata(path).expect("a finished record").len();
    }
    clean(folder);
    Took {
        tasks_secs: (times[1] - times[0]) as f64 / 1e6,
        whole_secs,
        cpu_secs: cpu_secs(performer.child.id()) - cpu_before,
        bytes,
    }
}

/// Processor time of a process so far, to a hundredth of a second.
fn cpu_secs(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Behind the name, which may hold anything: in user mode and in the kernel, in Linux's units for its users.
    let behind = stat.rsplit(')').next().unwrap_or_default();
    let ticks = behind.split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Processor time of this thread so far, in nanoseconds.
fn own_cpu_ns() -> f64 {
    // Told when the thread is next scheduled.
    std::thread::yield_now();
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ')
        .next()
        .and_then(|ns| ns.parse().ok())
        .unwrap_or(f64::NAN)
}

/// Files of millions of points would fill the disk, and names that are taken cost a look.
fn clean(folder: &Path) {
    for entry in fs::read_dir(folder).expect("the folder").flatten() {
        if entry.file_name() != "socket" {
            fs::remove_file(entry.path()).ok();
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A measurement that is compared with others.
struct Case {
    name: &'static str,
    children: String,
    recording: Recording,
}

impl Case {
    fn new(name: &'static str, recording: Recording, children: String) -> Case {
        Case {
            name,
            children,
            recording,
        }
    }
}

/// What a user can choose to keep of a sweep.
fn sweeps(points: usize) -> [Case; 4] {
    let plain = one_dimension(points);
    let text = plain.clone() + &text_file("children_3");
    let hdf5 = plain.clone() + &hdf5_file("children_3");
    [
        Case::new("no record", Recording::Off, plain.clone()),
        Case::new("record", Recording::New, plain),
        Case::new("record and text file", Recording::New, text),
        Case::new("record and HDF5 file", Recording::New, hdf5),
    ]
}

/// The cases in turns, each several times.
fn in_turns(folder: &Path, cases: &[Case]) -> Vec<Vec<Took>> {
    let mut performer = Performer::start(folder);
    let mut taken: Vec<Vec<Took>> = cases.iter().map(|_| Vec::new()).collect();
    for _ in 0..RUNS {
        for (case, taken) in cases.iter().zip(&mut taken) {
            taken.push(perform(&mut performer, folder, &case.children, case.recording.clone()));
        }
    }
    taken
}

fn tasks_secs(taken: &[Took]) -> Vec<f64> {
    taken.iter().map(|took| took.tasks_secs).collect()
}

fn cpu_of(taken: &[Took]) -> Vec<f64> {
    taken.iter().map(|took| took.cpu_secs).collect()
}

fn sweep(folder: &Path) {
    const POINTS: usize = 1_000_000;
    println!(
        "  {:<24} {:>12} {:>12} {:>12} {:>10} {:>14}",
        "points/s", "median", "slowest", "fastest", "ns/point", "CPU ns/point"
    );
    let cases = sweeps(POINTS);
    for (case, taken) in cases.iter().zip(in_turns(folder, &cases)) {
        let mut secs = tasks_secs(&taken);
        secs.sort_by(f64::total_cmp);
        let rate = |secs: f64| POINTS as f64 / secs;
        let middle = median(secs.clone());
        println!(
            "  {:<24} {:>12.0} {:>12.0} {:>12.0} {:>10.0} {:>14.0}",
            case.name,
            rate(middle),
            rate(secs[RUNS - 1]),
            rate(secs[0]),
            middle / POINTS as f64 * 1e9,
            median(cpu_of(&taken)) / POINTS as f64 * 1e9
        );
    }
}

fn row(folder: &Path) {
    const POINTS: usize = 1_000_000;
    let formulas: Vec<String> = (0..8)
        .map(|number| format!("('a{number}', '{{loop_value}} + {number}')"))
        .collect();
    let eight = linspace(2, "children_1", "loop", POINTS)
        + &formula(3, "children_0", "f", &format!("[{}]", formulas.join(", ")));
    let cases = [
        Case::new("off", Recording::Off, eight.clone()),
        Case::new("on", Recording::New, eight),
    ];
    let taken = in_turns(folder, &cases);
    let ns = |secs: Vec<f64>| median(secs) / POINTS as f64 * 1e9;
    // Of neighbours in time, whose machine was the same.
    let added = |off: Vec<f64>, on: Vec<f64>| ns(off.iter().zip(&on).map(|(off, on)| on - off).collect());
    let (off, on) = (&taken[0], &taken[1]);
    println!("  {:<34} {:>8} {:>8}", "ns", "", "CPU");
    let line = |name: &str, time: f64, cpu: f64| println!("  {name:<34} {time:>8.0} {cpu:>8.0}");
    line("loop with 8 formulas, no record", ns(tasks_secs(off)), ns(cpu_of(off)));
    line("loop with 8 formulas, record", ns(tasks_secs(on)), ns(cpu_of(on)));
    let time = added(tasks_secs(off), tasks_secs(on));
    line("the record of a row of 8 numbers", time, added(cpu_of(off), cpu_of(on)));
    let (time, cpu) = (0..RUNS).map(|_| bare_row(folder, POINTS)).unzip();
    line("`Writer::row` of 8 numbers", median(time), median(cpu));
}

/// Nanoseconds that a row takes which nobody computes, and those of the processor.
fn bare_row(folder: &Path, rows: usize) -> (f64, f64) {
    const COLUMNS: u32 = 8;
    let task = |path: &str, parent, table| TaskFacts {
        path: path.to_owned(),
        parent,
        works_in: 0,
        called_in: 0,
        table,
    };
    let table = |task, parent, columns| TableFacts {
        task,
        parent,
        columns,
        entries: LoopEntries::default(),
        is_innermost: parent.is_some(),
        has_values: false,
    };
    let schema = Schema {
        format: records::FORMAT,
        run: RunFacts::default(),
        tasks: vec![task("root", None, 0), task("root/loop", Some(0), 1)],
        entries: (0..COLUMNS).map(|number| format!("root/loop/f_a{number}")).collect(),
        units: Vec::new(),
        tables: vec![table(0, None, Vec::new()), table(1, Some(0), (0..COLUMNS).collect())],
    };
    let mut values: Vec<Value> = (0..COLUMNS).map(|number| Value::Float(number.into())).collect();
    let mut writer = Writer::create(folder, "bare", schema, &values).expect("a new record");
    writer.begin(1, None, None).expect("a beginning");
    let (began, cpu_before) = (Instant::now(), own_cpu_ns());
    for number in 0..rows {
        values[0] = Value::Float(number as f64);
        let done = writer.row(1, &values, RowEnd::GoesOn, &|_| FileAt::default());
        done.expect("a row");
    }
    let took = began.elapsed().as_nanos() as f64;
    let cpu = own_cpu_ns() - cpu_before;
    assert_eq!(writer.rows(1), rows as u64);
    drop(writer);
    clean(folder);
    (took / rows as f64, cpu / rows as f64)
}

fn bytes(folder: &Path) {
    let line = |points: usize| one_dimension(points);
    let map = |side: usize| {
        linspace(2, "children_1", "outer", side) + &linspace(3, "children_0", "inner", side) + &physics(4, "inner")
    };
    let traces = linspace(2, "children_1", "loop", 10_000)
        + &formula(
            3,
            "children_0",
            "f",
            "[('y', '{loop_value}'), ('trace', 'np.linspace(0, {f_y}, 101)')]",
        );
    // Index and value of each loop around a point, and the entries, each eight bytes.
    let cases = [
        ("line of 1,000, 3 entries", 1_000, 2 + 3, line(1_000)),
        ("line of 1,000,000, 3 entries", 1_000_000, 2 + 3, line(1_000_000)),
        ("map of 1,000 x 1,000, 3 entries", 1_000_000, 2 * 2 + 3, map(1_000)),
        ("line of 10,000, number and trace", 10_000, 2 + 1 + 101, traces),
    ];
    println!("  {:<34} {:>12} {:>12} {:>8}", "bytes/point", "record", "raw", "ratio");
    let mut performer = Performer::start(folder);
    for (name, points, numbers, children) in cases {
        let took = perform(&mut performer, folder, &children, Recording::New);
        let (each, raw) = (took.bytes as f64 / points as f64, f64::from(numbers * 8));
        println!("  {name:<34} {each:>12.1} {raw:>12.0} {:>8.2}", each / raw);
    }
}

fn memory(folder: &Path) {
    peaks(folder, &[(1_000, 1_000), (10_000, 1_000)]);
}

fn memory_full(folder: &Path) {
    peaks(folder, &[(1_000, 1_000), (10_000, 1_000), (10_000, 10_000)]);
}

fn peaks(folder: &Path, sides: &[(usize, usize)]) {
    println!(
        "  {:>12} {:>14} {:>18} {:>12}",
        "rows", "peak, MB", "no record, MB", "seconds"
    );
    for (outer, inner) in sides {
        let children = linspace(2, "children_1", "outer", *outer)
            + &linspace(3, "children_0", "inner", *inner)
            + &formula(4, "children_0", "f", "[('a', '{outer_value}*{inner_value} + 1')]");
        let peak_of = |recording| {
            let mut performer = Performer::start(folder);
            // A hundred million rows take longer between two events than any test may.
            performer.stream.set_read_timeout(None).expect("no time limit");
            let took = perform(&mut performer, folder, &children, recording);
            (peak(performer.child.id()), took.tasks_secs)
        };
        let (recorded, took) = peak_of(Recording::New);
        let (plain, _) = peak_of(Recording::Off);
        println!("  {:>12} {recorded:>14.1} {plain:>18.1} {took:>12.1}", outer * inner);
    }
}

/// Peak of resident memory, in MB; pages of mapped files are counted in.
fn peak(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok())
        .unwrap_or(f64::NAN)
        / 1024.0
}
