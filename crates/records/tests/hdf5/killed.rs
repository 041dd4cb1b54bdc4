//! Files whose writer is killed: no row is lost, and what goes on has the bytes of what was never disturbed.

use std::{
    env, fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use records::hdf5::Live;
use tempfile::TempDir;

use crate::{Row, fill, mixed, python, run};

/// Not a test by itself: the process that the next one kills.
#[test]
fn writer_that_is_killed() {
    let Ok(path) = env::var("RECORDS_TEST_WRITES_TO") else {
        return;
    };
    let mut live = Live::create(Path::new(&path), &mixed()).expect("created");
    let mut row = Row::new();
    // 10000 is all that there is room for.
    while live.rows() < 10_000 {
        row.append(&mut live).expect("there is room");
        // Whoever reads this knows that the row was acknowledged.
        std::io::stderr()
            .write_all(&live.rows().to_le_bytes())
            .expect("the parent listens");
    }
}

#[test]
fn a_killed_writer_loses_no_row_and_goes_on_as_if_nothing_had_been() {
    const TOTAL: u64 = 6000;
    let folder = TempDir::new().expect("a folder");
    let undisturbed = folder.path().join("undisturbed.h5");
    let mut live = Live::create(&undisturbed, &mixed()).expect("created");
    fill(&mut live, TOTAL);
    live.finish().expect("finished");
    let expected = fs::read(&undisturbed).expect("read");

    let mut killed: Vec<(PathBuf, u64)> = Vec::new();
    let mut random = 12345u64;
    let mut below = |limit: u64| {
        random = random
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (random >> 33) % limit
    };
    for number in 0..25 {
        let path = folder.path().join(format!("killed-{number}.h5"));
        let after = 1 + below(if number % 2 == 0 { 100 } else { TOTAL });
        killed.push((path.clone(), kill_after(&path, after)));
    }

    if let Some(python) = python("h5py") {
        let script = "
for path in sys.argv[1:]:
    with h5py.File(path, 'r') as f:
        n = int(f.attrs['count_calls'])
        check_mixed(f, n)
        print(n)";
        let paths: Vec<&Path> = killed.iter().map(|(path, _)| path.as_path()).collect();
        let read = run(&python, script, &paths);
        for (rows, (path, acknowledged)) in read.lines().zip(&killed) {
            let rows: u64 = rows.parse().expect("a number");
            assert!(
                rows >= *acknowledged,
                "{} has {rows} rows, {acknowledged} were acknowledged",
                path.display()
            );
        }
    }
    for (path, acknowledged) in killed {
        let kept = below(acknowledged.min(TOTAL) + 1);
        let mut live = Live::reopen(&path, &mixed(), kept).expect("reopened");
        assert_eq!(live.rows(), kept);
        fill(&mut live, TOTAL);
        live.finish().expect("finished");
        assert!(
            fs::read(&path).expect("read") == expected,
            "{acknowledged} rows, cut to {kept}: other bytes"
        );
    }
}

/// Starts this test program as the writer, kills it some time after it acknowledged so many rows, and returns how many
/// it acknowledged.
fn kill_after(path: &Path, rows: u64) -> u64 {
    let mut writer = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "killed::writer_that_is_killed", "--nocapture"])
        .env("RECORDS_TEST_WRITES_TO", path)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut told = writer.stderr.take().expect("piped");
    let mut bytes = vec![0; rows as usize * 8];
    told.read_exact(&mut bytes).expect("so many rows");
    writer.kill().expect("killed");
    told.read_to_end(&mut bytes).expect("the rest");
    writer.wait().expect("dead");
    let last = bytes.chunks_exact(8).last().expect("at least one");
    u64::from_le_bytes(last.try_into().expect("eight"))
}

#[test]
fn a_file_cut_anywhere_has_the_bytes_of_one_that_never_was_longer() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("cut.h5");
    let mut live = Live::create(&path, &mixed()).expect("created");
    fill(&mut live, 1300);
    drop(live);
    // Backwards, so that one file serves for all; chunks of the traces end every nine rows, their leaves every 576.
    for rows in (0..1300)
        .rev()
        .filter(|rows| rows % 64 < 2 || (570..590).contains(rows))
    {
        let fresh = folder.path().join(format!("{rows}.h5"));
        let mut live = Live::create(&fresh, &mixed()).expect("created");
        fill(&mut live, rows);
        drop(live);
        drop(Live::reopen(&path, &mixed(), rows).expect("reopened"));
        assert!(
            fs::read(&path).expect("read") == fs::read(&fresh).expect("read"),
            "cut to {rows} rows"
        );
        fs::remove_file(fresh).expect("removed");
    }
}
