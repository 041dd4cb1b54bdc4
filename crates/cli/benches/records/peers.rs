//! The same sweep in other programs, in the same run: their own benches, started by their own interpreters.
//!
//! `MEASURAND_PEERS` is the folder of the benches, `MEASURAND_PEER_PYTHON_<NAME>` an interpreter that can import the peer.
//! The benches write beside themselves, so they are copied. A peer that cannot run is said to be not measured; nothing is
//! taken from elsewhere for it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{
    in_turns,
    loss::{KILLS, lost_at_kills},
    median, sweeps,
};

/// Points of our sweep, and of the peers' that do not say otherwise.
const POINTS: usize = 10_000;

struct Peer {
    name: &'static str,
    /// The last part of the variable with its interpreter.
    variable: &'static str,
    program: &'static str,
    /// The file with its figures, as the program names it.
    figures: &'static str,
    /// Ways to keep data.
    modes: &'static [&'static str],
    /// Points of a sweep: fewer where they would take minutes.
    points: usize,
}

const PEERS: [Peer; 5] = [
    Peer {
        name: "bare Python, text file",
        variable: "RAW",
        program: "raw_bench.py",
        figures: "raw_throughput.json",
        modes: &["buffered", "flush"],
        points: POINTS,
    },
    Peer {
        name: "PyMeasure",
        variable: "PYMEASURE",
        program: "pymeasure_bench.py",
        figures: "pymeasure_throughput.json",
        modes: &["worker", "worker_progress", "console"],
        points: POINTS,
    },
    Peer {
        name: "Quantify",
        variable: "QUANTIFY",
        program: "quantify_bench.py",
        figures: "quantify_throughput.json",
        modes: &["mc_iter"],
        points: POINTS,
    },
    Peer {
        name: "QCoDeS",
        variable: "QCODES",
        program: "qcodes_bench.py",
        figures: "qcodes_throughput.json",
        modes: &["datasaver", "datasaver_bg", "do1d"],
        points: POINTS,
    },
    Peer {
        name: "Bluesky",
        variable: "BLUESKY",
        program: "bluesky_bench.py",
        figures: "bluesky.json",
        modes: &["scan_jsonl", "scan_jsonl_flush"],
        points: 1_000,
    },
];

pub(super) fn peers(folder: &Path) {
    let cases = sweeps(POINTS);
    let taken = in_turns(folder, &cases);
    let losses = lost_at_kills(folder);
    println!("  from the start of a run until its data are closed; {POINTS} points where nothing else is said");
    println!(
        "  {:<44} {:>12} {:>8} {:>24}",
        "", "points/s", "ratio", "lost at SIGKILL, most"
    );
    let mut recorded = f64::NAN;
    for (position, (case, taken)) in cases.iter().zip(taken).enumerate() {
        let rate = POINTS as f64 / median(taken.iter().map(|took| took.whole_secs).collect());
        let lost = match position {
            0 => "all: nothing is kept".to_owned(),
            position => losses.get(position - 1).map_or_else(
                || "not measured".to_owned(),
                |loss| format!("{} in {KILLS} kills", loss.of_done.max(loss.of_told)),
            ),
        };
        let name = format!("Measurand, {}", case.name);
        println!("  {name:<44} {rate:>12.0} {:>8} {lost:>24}", "");
        if case.name == "record" {
            recorded = rate;
        }
    }
    let Some(programs) = env::var_os("MEASURAND_PEERS").map(PathBuf::from) else {
        println!("  peers: not measured: `MEASURAND_PEERS` names no folder with their benches");
        return;
    };
    let own = folder.join("peers");
    copy(&programs, &own);
    for peer in &PEERS {
        if let Err(why) = measure(peer, &own, recorded) {
            println!("  {:<44} not measured: {why}", peer.name);
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the temporary folder");
    for entry in fs::read_dir(from).into_iter().flatten().flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "py") {
            fs::copy(entry.path(), to.join(entry.file_name())).expect("a file that can be read");
        }
    }
}

/// Runs a peer's bench and prints its lines.
fn measure(peer: &Peer, folder: &Path, recorded: f64) -> Result<(), String> {
    let variable = format!("MEASURAND_PEER_PYTHON_{}", peer.variable);
    let interpreter = env::var_os(&variable).ok_or_else(|| format!("`{variable}` is not set"))?;
    let output = Command::new(interpreter)
        .arg(folder.join(peer.program))
        .args(["--what", "throughput,kill", "--runs", "3"])
        .args(["--ns", &peer.points.to_string(), "--modes", &peer.modes.join(",")])
        .env("QT_QPA_PLATFORM", "offscreen")
        .env("MPLBACKEND", "Agg")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let text = fs::read_to_string(folder.join("out").join(peer.figures)).unwrap_or_default();
    let rows: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap_or_default();
    if rows.is_empty() {
        let complained = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = complained.trim_end().lines().last().unwrap_or("it said nothing");
        return Err(last.to_owned());
    }
    for row in rows {
        let mode = row["mode"].as_str().unwrap_or_default().to_owned();
        let name = match peer.points {
            POINTS => format!("{}, {mode}", peer.name),
            points => format!("{}, {mode}, {points} points", peer.name),
        };
        match row["pps"].as_f64() {
            Some(rate) => {
                let lost = lost(&said, &mode).unwrap_or_else(|| "not measured".to_owned());
                println!("  {name:<44} {rate:>12.0} {:>8.1} {lost:>24}", recorded / rate);
            }
            None => println!(
                "  {name:<44} not measured: {}",
                row["error"].as_str().unwrap_or("no figure")
            ),
        }
    }
    Ok(())
}

/// What a peer's bench says of its kills:
/// `x_bench.py kill MODE  n=10 handed [...]  lost min/median/max (0, 1, 2) unreadable 0 notes [...]`.
fn lost(said: &str, mode: &str) -> Option<String> {
    let line = said.lines().find(|line| {
        let mut words = line.split_whitespace().skip(1);
        words.next() == Some("kill") && words.next() == Some(mode)
    })?;
    let kills = line.split("n=").nth(1)?.split_whitespace().next()?;
    let (figures, rest) = line.split("lost min/median/max ").nth(1)?.split_once(" unreadable ")?;
    let most = figures.trim_matches(['(', ')', ' ']).rsplit(", ").next()?;
    let unreadable = match rest.split_whitespace().next()? {
        "0" => String::new(),
        number => format!(", {number} unreadable"),
    };
    Some(format!("{most} in {kills} kills{unreadable}"))
}
