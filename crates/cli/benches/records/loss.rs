//! Points that are lost when the performing process is killed: in the record, in a text file and in an HDF5 file.
//!
//! One run writes all three. A point is only found if it is right, and all points before it. What h5py reads is asked of
//! the interpreter `MEASURAND_PYTHON`; without one, HDF5 files are not judged.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command as Process,
};

use protocol::{Command, Event, Observe, Recording, Value};
use records::Data;

use super::{hdf5_file, one_dimension, performer::Performer, text_file, wanted};

/// How often a run is killed.
pub(super) const KILLS: usize = 30;

/// Points of a sweep, more than are measured before any kill.
const POINTS: usize = 2_000_000;

pub(super) fn loss(folder: &Path) {
    let losses = lost_at_kills(folder);
    println!(
        "  {:<14} {:>8} {:>24} {:>22} {:>12}",
        "at SIGKILL", "kills", "lost of what was told", "lost of what was done", "unreadable"
    );
    for loss in &losses {
        println!(
            "  {:<14} {:>8} {:>24} {:>22} {:>12}",
            loss.format, loss.judged, loss.of_told, loss.of_done, loss.unreadable
        );
    }
    if losses.len() < 3 {
        println!("  HDF5 file      not measured: `MEASURAND_PYTHON` names no interpreter that imports h5py");
    }
}

/// The most points that any kill took from one kind of file.
pub(super) struct Loss {
    format: &'static str,
    judged: usize,
    /// Points whose end the parent knew of.
    pub(super) of_told: u64,
    /// Points that all three files should have: those whose line, the last thing a point does, is whole in the text file,
    /// or that another of the files has.
    pub(super) of_done: u64,
    unreadable: usize,
}

/// Kills sweeps that write a record, a text file and an HDF5 file, each after another number of points.
pub(super) fn lost_at_kills(folder: &Path) -> Vec<Loss> {
    let children = one_dimension(POINTS) + &hdf5_file("children_3") + &text_file("children_4");
    let mut moment: u64 = 0x2545_F491_4F6C_DD1D;
    let mut told = Vec::new();
    for kill in 0..KILLS {
        moment ^= moment << 13;
        moment ^= moment >> 7;
        moment ^= moment << 17;
        let own = folder.join(format!("kill{kill}"));
        fs::create_dir(&own).expect("a folder for the run");
        told.push((killed(&own, &children, 1 + moment % 100_000), own));
    }
    let hdf5 = rows_of_hdf5(told.iter().map(|(_, own)| own.join("bench.h5")));
    let mut losses = ["record", "text file", "HDF5 file"].map(|format| Loss {
        format,
        judged: 0,
        of_told: 0,
        of_done: 0,
        unreadable: 0,
    });
    for (kill, (told, own)) in told.iter().enumerate() {
        let kept = [
            rows_of_record(&own.join("bench_1.record")),
            rows_of_text(&own.join("bench.dat")),
            hdf5.as_ref().and_then(|rows| rows[kill]),
        ];
        // The point that was under way may be in one file and not yet in another.
        let done = kept.iter().flatten().max().map_or(0, |most| most.saturating_sub(1));
        for (loss, kept) in losses.iter_mut().zip(kept) {
            loss.judged += 1;
            loss.unreadable += usize::from(kept.is_none());
            let lost = |of: u64| of.saturating_sub(kept.unwrap_or(0));
            loss.of_told = loss.of_told.max(lost(*told));
            loss.of_done = loss.of_done.max(lost(done));
        }
        fs::remove_dir_all(own).ok();
    }
    let judged = if hdf5.is_some() { 3 } else { 2 };
    losses.into_iter().take(judged).collect()
}

/// Kills a run after so many updates of its loop's index; gives the number of points it told to be complete.
fn killed(folder: &Path, children: &str, updates: u64) -> u64 {
    let mut performer = Performer::start(folder);
    let mut wanted = wanted(folder, children, Recording::New);
    wanted.observe = Observe::Only(vec!["root/loop_index".to_owned()]);
    wanted.lossless = true;
    performer.say(&Command::Perform(Box::new(wanted)));
    let (mut seen, mut index) = (0, 0);
    while seen < updates {
        let event = performer.next().expect("the process lives");
        performer.seen.clear();
        match event {
            Event::Values(values) => {
                for (_, value) in values {
                    if let Value::Int(number) = value {
                        (seen, index) = (seen + 1, number as u64);
                    }
                }
            }
            Event::Problems(problems) => panic!("{problems:?}"),
            Event::Finished { outcome, errors, .. } => panic!("the run ended: {outcome:?} {errors:?}"),
            _ => (),
        }
    }
    performer.child.kill().expect("it runs");
    performer.child.wait().expect("it runs");
    // An index is announced when the point before it is complete.
    index.saturating_sub(1)
}

/// What the sweep of the kills sets at its point `number`, from 0.
fn is_x(x: f64, number: usize) -> bool {
    (x - number as f64 / (POINTS - 1) as f64).abs() < 1e-9
}

/// Rows of a record that are right, up to the first that is not.
fn rows_of_record(path: &Path) -> Option<u64> {
    let reading = records::read(path).ok()?;
    let Some(table) = reading.tables.iter().find(|table| table.path == "root/loop") else {
        return Some(0);
    };
    let column = table.columns.iter().find(|column| column.name == "set_x")?;
    let Data::Float(data) = &column.data else {
        return (table.is_empty()).then_some(0);
    };
    let right = data.iter().enumerate().take_while(|(number, x)| is_x(**x, *number));
    Some(right.count() as u64)
}

/// Lines of numbers that are whole and right.
fn rows_of_text(path: &Path) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let numbers = lines.filter_map(|line| {
        let numbers: Vec<f64> = line.split('\t').filter_map(|part| part.trim().parse().ok()).collect();
        (numbers.len() == 3).then(|| numbers[0])
    });
    Some(numbers.enumerate().take_while(|(number, x)| is_x(*x, *number)).count() as u64)
}

/// Rows that h5py reads from each file and that are right; nothing for a file that it cannot read.
fn rows_of_hdf5(paths: impl Iterator<Item = PathBuf>) -> Option<Vec<Option<u64>>> {
    const SCRIPT: &str = "\
import sys, h5py, numpy as np
last = int(sys.argv[1])
for path in sys.argv[2:]:
    try:
        with h5py.File(path, 'r') as f:
            x, y, z = (f[name][...] for name in 'xyz')
            n = min(map(len, (x, y, z)))
            x, y, z = x[:n], y[:n], z[:n]
            right = (abs(x - np.arange(n)/last) < 1e-9) & (abs(z - 2*y - 1) < 1e-12)
            print(n if right.all() else int(right.argmin()))
    except OSError:
        print('unreadable')
";
    let output = Process::new(env::var_os("MEASURAND_PYTHON")?)
        .args(["-c", SCRIPT, &(POINTS - 1).to_string()])
        .args(paths)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    if complained.contains("ModuleNotFoundError") {
        return None;
    }
    assert!(output.status.success(), "{complained}");
    Some(text.lines().map(|line| line.parse().ok()).collect())
}
