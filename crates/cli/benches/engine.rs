//! How fast the engine is, beside Exopy in the same run: `cargo bench -p measurand`.
//!
//! Loops are timed inside the performing process, between two log records, as Exopy's are between two stamps. Exopy runs
//! when `EXOPY_PYTHON` names an interpreter that can import it and its bench stands in `../shared/peers`; otherwise its
//! column is empty and no ratio is printed. Every figure is the median of several runs.

#[path = "../tests/station/performer.rs"]
mod performer;

use std::{
    collections::HashMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command as Process, Stdio},
    time::{Duration, Instant},
};

use performer::{Performer, request};
use protocol::{Command, Event, Observe, Value};

const RUNS: usize = 5;

fn main() {
    // `cargo bench` and `cargo test --benches` pass flags; only the first word that is none selects.
    let wanted = env::args().skip(1).find(|argument| !argument.starts_with('-'));
    if env::args().any(|argument| argument == "--test") {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    type Bench = fn(&Path);
    let benches: [(&str, Bench); 6] = [
        ("loops", loops),
        ("monitor", monitor),
        ("startup", startup),
        ("latency", latency),
        ("memory", memory),
        ("growth", growth),
    ];
    for (name, bench) in benches {
        if wanted.as_ref().is_none_or(|wanted| name.contains(wanted.as_str())) {
            println!("\n{name}");
            bench(folder);
        }
    }
}

/// A measurement with these children between two log records.
fn measurement(folder: &Path, children: &str) -> String {
    format!(
        "name = bench\nid = 1\n[root_task]\n    task_id = exopy.ComplexTask\n    default_path = {}\n    [[children_0]]\n        task_id = exopy.LogTask\n        name = begin\n        message = begin\n{children}    [[children_2]]\n        task_id = exopy.LogTask\n        name = end\n        message = end\n",
        folder.display()
    )
}

/// A task that does nothing.
const NOTHING: &str = "[[children_1]]\ntask_id = exopy.ComplexTask\nname = nothing\n";

fn linspace(depth: usize, section: &str, name: &str, points: usize) -> String {
    let open = "[".repeat(depth);
    let close = "]".repeat(depth);
    format!(
        "{open}{section}{close}\ntask_id = exopy.LoopTask\nname = {name}\n[{open}interface{close}]\ninterface_id = exopy.LoopTask:exopy.LinspaceLoopInterface\nstart = 0\nstop = {}\nstep = 1\n",
        points - 1
    )
}

fn formula(depth: usize, section: &str, name: &str, formulas: &str) -> String {
    let (open, close) = ("[".repeat(depth), "]".repeat(depth));
    format!("{open}{section}{close}\ntask_id = exopy.FormulaTask\nname = {name}\nformulas = \"{formulas}\"\n")
}

fn empty(points: usize) -> String {
    linspace(2, "children_1", "loop", points)
}

fn two_formulas(points: usize) -> String {
    empty(points)
        + &formula(
            3,
            "children_0",
            "f",
            "[('a', '{loop_value}**2 + 1'), ('b', 'np.sin({loop_value})')]",
        )
}

fn nested(side: usize) -> String {
    linspace(2, "children_1", "outer", side)
        + &linspace(3, "children_0", "inner", side)
        + &formula(4, "children_0", "f", "[('a', '{outer_value}*{inner_value} + 1')]")
        + "[[[[children_1]]]]\ntask_id = exopy.ConditionalTask\nname = c\ncondition = {f_a} > 1000\n"
}

fn while_loop(points: usize) -> String {
    format!("[[children_1]]\ntask_id = exopy.WhileTask\nname = w\ncondition = {{w_index}} <= {points}\n")
}

fn log(points: usize) -> String {
    empty(points)
        + "[[[children_0]]]\ntask_id = exopy.LogTask\nname = log\nmessage = point {loop_index} value {loop_value}\n"
}

/// Seconds between the two records of a measurement, with what came in between.
fn timed(performer: &mut Performer, wanted: protocol::Request, mut see: impl FnMut(&Event)) -> f64 {
    performer.say(&Command::Perform(Box::new(wanted)));
    let mut times = Vec::new();
    loop {
        let event = performer.next().expect("the process lives");
        see(&event);
        let time = performer.seen.pop().expect("it was just seen").time_us;
        match event {
            Event::Log { message, .. } if message == "begin" || message == "end" => times.push(time),
            Event::Finished { outcome, errors, .. } => assert_eq!(outcome, protocol::Outcome::Completed, "{errors:?}"),
            Event::Problems(problems) => panic!("{problems:?}"),
            Event::Ready => break,
            _ => (),
        }
    }
    (times[1] - times[0]) as f64 / 1e6
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() as f64 * part).ceil() as usize).clamp(1, values.len()) - 1]
}

fn seconds(folder: &Path, children: &str, change: impl Fn(&mut protocol::Request)) -> f64 {
    let mut performer = Performer::start(folder);
    let run = |performer: &mut Performer| {
        let mut wanted = request(&measurement(folder, children));
        change(&mut wanted);
        timed(performer, wanted, |_| ())
    };
    let median = median((0..RUNS).map(|_| run(&mut performer)).collect());
    clean(folder);
    median
}

/// Log files of a million records would fill the disk.
fn clean(folder: &Path) {
    for entry in fs::read_dir(folder).expect("the folder").flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "log") {
            fs::remove_file(entry.path()).ok();
        }
    }
}

/// Exopy's bench, if it can run here: its figures by case.
fn exopy(bench: &str, arguments: &[&str]) -> HashMap<String, serde_json::Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/peers/exopy/exopy_bench.py");
    let (Some(python), true) = (env::var_os("EXOPY_PYTHON").map(PathBuf::from), script.is_file()) else {
        println!("  (Exopy: EXOPY_PYTHON is not set or its bench is not here; no ratios)");
        return HashMap::new();
    };
    let logs = tempfile::tempdir().expect("a temporary folder");
    let output = Process::new(python)
        .arg(script)
        .arg(bench)
        .args(arguments)
        .env("QT_QPA_PLATFORM", "offscreen")
        .env("BENCH_LOGS", logs.path())
        .stderr(Stdio::null())
        .output();
    let text = output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    lines
        .filter_map(|line| Some((line["case"].as_str()?.to_owned(), line)))
        .collect()
}

fn loops(folder: &Path) {
    // On a busy machine its own wait for silence would not end.
    let theirs = exopy("loops", &["--runs", "3", "--quiet", "0", "--noise", "1"]);
    let cases: [(&str, &str, usize, String); 5] = [
        ("empty loop", "LOOP-EMPTY", 2_000_000, empty(2_000_000)),
        ("loop, two formulas", "LOOP-FORMULA", 1_000_000, two_formulas(1_000_000)),
        ("nested, formula and condition", "NESTED", 1_000_000, nested(1000)),
        ("while", "WHILE", 1_000_000, while_loop(1_000_000)),
        ("log record", "LOOP-LOG", 500_000, log(500_000)),
    ];
    println!("  {:<32} {:>10} {:>10} {:>8}", "", "ns/point", "Exopy", "ratio");
    for (name, case, points, children) in cases {
        let ours = seconds(folder, &children, |_| ()) / points as f64 * 1e9;
        let theirs = theirs
            .get(case)
            .and_then(|line| line["us_per_point"].as_f64())
            .map(|us| us * 1000.0);
        let (exopy, ratio) = theirs.map_or((String::new(), String::new()), |theirs| {
            (format!("{theirs:.0}"), format!("{:.0}", theirs / ours))
        });
        println!("  {name:<32} {ours:>10.1} {exopy:>10} {ratio:>8}");
    }
}

fn monitor(folder: &Path) {
    let points = 1_000_000;
    let children = two_formulas(points);
    let plain = seconds(folder, &children, |_| ());
    let observed = seconds(folder, &children, |wanted| wanted.observe = Observe::All);
    println!(
        "  all observed: {:+.1} % ({:.0} to {:.0} ns/point)",
        (observed / plain - 1.0) * 100.0,
        plain * 1e3,
        observed * 1e3
    );

    let mut performer = Performer::start(folder);
    let mut lags = Vec::new();
    for _ in 0..RUNS {
        let mut wanted = request(&measurement(folder, &children));
        wanted.observe = Observe::All;
        performer.say(&Command::Perform(Box::new(wanted)));
        let (mut entry, mut end, mut last) = (None, 0, 0);
        loop {
            let event = performer.next().expect("the process lives");
            let time = performer.seen.pop().expect("just seen").time_us;
            match event {
                Event::Started { entries, .. } => entry = entries.iter().position(|path| path == "root/loop_index"),
                Event::Values(values)
                    if values
                        .iter()
                        .any(|(id, value)| Some(*id as usize) == entry && *value == Value::Int(points as i64)) =>
                {
                    last = now_us();
                }
                Event::Log { message, .. } if message == "end" => end = time,
                Event::Ready => break,
                _ => (),
            }
        }
        lags.push((last - end) as f64 / 1000.0);
    }
    println!(
        "  last value with the parent {:.1} ms after the loop's end",
        median(lags)
    );

    let mut rates = Vec::new();
    for _ in 0..RUNS {
        let mut wanted = request(&measurement(folder, &children));
        wanted.observe = Observe::All;
        wanted.lossless = true;
        let mut updates = 0_usize;
        let took = timed(&mut performer, wanted, |event| {
            if let Event::Values(values) = event {
                updates += values.len();
            }
        });
        rates.push(updates as f64 / took);
    }
    println!("  lossless: {:.2} million updates/s delivered", median(rates) / 1e6);
    clean(folder);
}

fn startup(folder: &Path) {
    let file = folder.join("startup.ini");
    fs::write(&file, measurement(folder, NOTHING)).expect("the folder can be written to");
    let mut cold = Vec::new();
    for _ in 0..20 {
        let began = now_us();
        let output = Process::new(env!("CARGO_BIN_EXE_measurand"))
            .arg("run")
            .arg(&file)
            .args(["--events", "-"])
            .env("XDG_RUNTIME_DIR", folder)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .expect("the program starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text
            .lines()
            .find(|line| line.contains("\"begin\""))
            .expect("the first task's record");
        let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let time: jiff::Timestamp = event["time"].as_str().expect("a time").parse().expect("a time");
        cold.push((time.as_microsecond() - began) as f64 / 1000.0);
    }
    println!("  command to first task, cold: {:.1} ms", median(cold));

    let mut performer = Performer::start(folder);
    let mut warm = Vec::new();
    for _ in 0..200 {
        let began = now_us();
        performer.perform(&measurement(folder, NOTHING));
        loop {
            match performer.next().expect("the process lives") {
                Event::Log { message, .. } if message == "begin" => {
                    warm.push((performer.seen.last().expect("just seen").time_us - began) as f64 / 1000.0);
                }
                Event::Ready => break,
                _ => (),
            }
        }
    }
    println!("  measurement to first task, warm: {:.3} ms", median(warm));
    clean(folder);
}

fn latency(folder: &Path) {
    let mut performer = Performer::start(folder);
    let (mut pause, mut resume, mut stop, mut stop_sleep) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    // No single step of it takes long: not a loop whose ten million values are made at once.
    let busy = measurement(folder, &nested(3000));
    let began = |performer: &mut Performer| {
        performer.until(
            "the first record",
            |event| matches!(event, Event::Log { message, .. } if message == "begin"),
        );
    };
    let ms = |since: Instant| since.elapsed().as_secs_f64() * 1000.0;
    for _ in 0..20 {
        performer.perform(&busy);
        began(&mut performer);
        for _ in 0..10 {
            let since = Instant::now();
            performer.say(&Command::Pause);
            performer.until("paused", |event| matches!(event, Event::Paused));
            pause.push(ms(since));
            let since = Instant::now();
            performer.say(&Command::Resume);
            performer.until("resumed", |event| matches!(event, Event::Resumed));
            resume.push(ms(since));
        }
        let since = Instant::now();
        performer.say(&Command::Stop);
        performer.until("the end", |event| matches!(event, Event::Finished { .. }));
        stop.push(ms(since));
        performer.until("ready", |event| matches!(event, Event::Ready));
        performer.seen.clear();
    }
    let sleeping = measurement(
        folder,
        "[[children_1]]\ntask_id = exopy.SleepTask\nname = nap\ntime = 3600\n",
    );
    for _ in 0..20 {
        performer.perform(&sleeping);
        began(&mut performer);
        let since = Instant::now();
        performer.say(&Command::Stop);
        performer.until("the end", |event| matches!(event, Event::Finished { .. }));
        stop_sleep.push(ms(since));
        performer.until("ready", |event| matches!(event, Event::Ready));
    }
    let mut death = Vec::new();
    for _ in 0..20 {
        performer.perform(&sleeping);
        began(&mut performer);
        let since = Instant::now();
        performer.child.kill().expect("it runs");
        while performer.next().is_some() {}
        death.push(ms(since));
        performer = Performer::start(folder);
    }
    println!("  {:<28} {:>9} {:>9}", "ms", "median", "p95");
    for (name, mut values) in [
        ("pause", pause),
        ("resume", resume),
        ("stop of a working task", stop),
        ("stop of a sleeping task", stop_sleep),
        ("death of the process known", death),
    ] {
        println!(
            "  {name:<28} {:>9.3} {:>9.3}",
            percentile(&mut values, 0.5),
            percentile(&mut values, 0.95)
        );
    }

    let file = folder.join("sleep.ini");
    fs::write(&file, &sleeping).expect("the folder can be written to");
    let mut kills = Vec::new();
    for _ in 0..10 {
        kills.push(kill_of_a_sleeper(folder, &file));
    }
    println!(
        "  {:<28} {:>9.3} {:>9.3}",
        "kill, command to end of run",
        percentile(&mut kills, 0.5),
        percentile(&mut kills, 0.95)
    );
    clean(folder);
}

/// Milliseconds from starting `measurand kill` to the end of the run, both processes' own start and end included.
fn kill_of_a_sleeper(folder: &Path, file: &Path) -> f64 {
    use std::io::{BufRead, BufReader};
    let program = || {
        let mut program = Process::new(env!("CARGO_BIN_EXE_measurand"));
        program
            .env("XDG_RUNTIME_DIR", folder)
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        program
    };
    let mut run = program()
        .arg("run")
        .arg(file)
        .args(["--events", "-"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(run.stdout.take().expect("piped"))
        .lines()
        .map_while(Result::ok);
    lines.find(|line| line.contains("\"begin\"")).expect("it begins");
    let since = Instant::now();
    program().arg("kill").stdout(Stdio::null()).status().expect("it starts");
    lines.find(|line| line.contains("\"finished\"")).expect("it ends");
    let took = since.elapsed().as_secs_f64() * 1000.0;
    run.wait().expect("it ends");
    took
}

fn memory(folder: &Path) {
    println!("  {:>10} {:>14}", "points", "peak, MB");
    for side in [10, 100, 1000, 3000] {
        let mut performer = Performer::start(folder);
        timed(&mut performer, request(&measurement(folder, &nested(side))), |_| ());
        println!("  {:>10} {:>14.1}", side * side, peak(performer.child.id()));
    }
}

/// Peak of resident memory, in MB.
fn peak(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok())
        .unwrap_or(f64::NAN)
        / 1024.0
}

fn growth(folder: &Path) {
    println!("  {:<26} {:>10} {:>12}", "two formulas", "points", "ns/point");
    for points in [1_000, 10_000, 100_000, 1_000_000, 10_000_000] {
        let each = seconds(folder, &two_formulas(points), |_| ()) / points as f64 * 1e9;
        println!("  {:<26} {points:>10} {each:>12.1}", "");
    }
    println!("  {:<26} {:>10} {:>12}", "100,000 points, depth", "levels", "ns/point");
    for levels in [1, 10, 50] {
        let mut children = String::new();
        for level in 0..levels {
            let section = if level == 0 { "children_1" } else { "children_0" };
            children += &linspace(
                level + 2,
                section,
                &format!("l{level}"),
                if level + 1 == levels { 100_000 } else { 1 },
            );
        }
        children += &formula(levels + 2, "children_0", "f", "[('a', '{l0_value} + 1')]");
        println!(
            "  {:<26} {levels:>10} {:>12.1}",
            "",
            seconds(folder, &children, |_| ()) / 1e5 * 1e9
        );
    }
    println!(
        "  {:<26} {:>10} {:>12} {:>14}",
        "tasks in a loop of 100", "tasks", "ns/task", "start, ms"
    );
    for tasks in [10, 100, 1_000, 10_000] {
        let mut children = empty(100);
        for task in 0..tasks {
            children += &formula(
                3,
                &format!("children_{task}"),
                &format!("f{task}"),
                "[('a', '{loop_value} + 1')]",
            );
        }
        let each = seconds(folder, &children, |_| ()) / 100.0 / f64::from(tasks) * 1e9;
        let mut performer = Performer::start(folder);
        let began = Instant::now();
        performer.perform(&measurement(folder, &children));
        performer.until("the start", |event| matches!(event, Event::Started { .. }));
        let start = began.elapsed().as_secs_f64() * 1000.0;
        performer.until("the end", |event| matches!(event, Event::Ready));
        println!("  {:<26} {tasks:>10} {each:>12.1} {start:>14.2}", "");
    }
    println!("  {:<26} {:>10} {:>12}", "observed entries", "entries", "ns/update");
    for entries in [1, 10, 100, 1_000] {
        let mut children = empty(1_000_000 / entries);
        for entry in 0..entries {
            children += &formula(
                3,
                &format!("children_{entry}"),
                &format!("f{entry}"),
                "[('a', '{loop_value} + 1')]",
            );
        }
        let each = seconds(folder, &children, |wanted| wanted.observe = Observe::All) / 1e6 * 1e9;
        println!("  {:<26} {entries:>10} {each:>12.1}", "");
    }
}

fn now_us() -> i64 {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    now.as_micros() as i64
}
