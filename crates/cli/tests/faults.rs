//! What can go wrong around a run: the process that performs dies in every way, the parent dies, the disk is full or not
//! there, files are broken, everything is too large. Outcome, exit status, message and what is on disk.

mod station;

use std::{fs, io::Write, process::Stdio, thread};

use station::{Station, await_death, is_alive, signal};

const SLEEP: &str = "
    [[children_0]]
        task_id = exopy.FormulaTask
        name = before
        formulas = \"[('v', '6*7')]\"
    [[children_1]]
        task_id = exopy.LogTask
        name = greeting
        message = going to sleep
    [[children_2]]
        task_id = exopy.SleepTask
        name = nap
        time = 3600
";

/// A loop that never rests: formulas, and a record now and then.
const BUSY: &str = "
    [[children_0]]
        task_id = exopy.LogTask
        name = greeting
        message = working
    [[children_1]]
        task_id = exopy.WhileTask
        name = w
        condition = True
        [[[children_0]]]
            task_id = exopy.FormulaTask
            name = f
            formulas = \"[('v', '{w_index}**2')]\"
";

/// A performing process that dies of a signal: what the run says, and what is left.
fn dies(children: &str, greeting: &str, name: &str, expected: &str) {
    let station = Station::new();
    let values = station.path().join("values.json");
    let file = station.measurement("m", children);
    let mut run = station.start(&file, &["--values-out", values.to_str().expect("a plain path")]);
    run.until_log(greeting);
    signal(run.performer(), name);
    let run = run.finish();
    assert_eq!(run.code, Some(1), "{}", run.errors);
    assert_eq!(run.outcome(), "Failed");
    assert!(run.error("engine").contains(expected), "{}", run.finished);
    assert!(station.log().contains(greeting), "{}", station.log());
    let values = fs::read_to_string(values).expect("the values that came are written");
    assert!(values.contains("\"root/meas_name\""), "{values}");
}

#[test]
fn a_process_that_is_killed_while_it_sleeps_is_named_with_its_signal() {
    dies(SLEEP, "going to sleep", "KILL", "SIGKILL");
}

#[test]
fn a_process_that_is_killed_while_it_works_is_named_with_its_signal() {
    dies(BUSY, "working", "KILL", "SIGKILL");
}

#[test]
fn a_process_that_crashes_is_named_with_its_signal() {
    dies(SLEEP, "going to sleep", "SEGV", "SIGSEGV");
    dies(BUSY, "working", "ABRT", "SIGABRT");
}

#[test]
fn a_process_that_dies_while_it_is_paused_is_noticed() {
    let station = Station::new();
    let mut run = station.start(&station.measurement("m", SLEEP), &[]);
    run.until_log("going to sleep");
    let paused = station.run(&["pause"]);
    assert!(paused.status.success(), "{}", String::from_utf8_lossy(&paused.stderr));
    run.until_state("Paused");
    signal(run.performer(), "KILL");
    let run = run.finish();
    assert_eq!((run.code, run.outcome()), (Some(1), "Failed"));
    assert!(run.error("engine").contains("SIGKILL"), "{}", run.finished);
}

#[test]
fn the_next_measurement_gets_a_fresh_process() {
    let station = Station::new();
    let first = station.measurement("first", SLEEP);
    let second = station.measurement(
        "second",
        "
    [[children_0]]
        task_id = exopy.LogTask
        name = greeting
        message = alive
",
    );
    let mut run = station.start(&first, &[second.to_str().expect("a plain path")]);
    run.until_log("going to sleep");
    signal(run.performer(), "KILL");
    run.until_log("alive");
    let run = run.finish();
    assert_eq!(run.code, Some(1), "the worst of both");
    assert_eq!(run.outcome(), "Completed");
}

#[test]
fn a_process_that_runs_out_of_memory_dies_alone() {
    let station = Station::new();
    let file = station.measurement(
        "m",
        "
    [[children_0]]
        task_id = exopy.LogTask
        name = greeting
        message = working
    [[children_1]]
        task_id = exopy.SleepTask
        name = nap
        time = 0.2
    [[children_2]]
        task_id = exopy.LoopTask
        name = loop
        [[[interface]]]
            interface_id = exopy.LoopTask:exopy.IterableLoopInterface
            iterable = \"[1, 9*10**6]\"
        [[[children_0]]]
            task_id = exopy.FormulaTask
            name = f
            formulas = '''[('a', 'np.full({loop_value}, 0.5)'), ('b', '{f_a} + 1'), ('c', '{f_a} + 2'), ('d', '{f_a} + 3'), ('e', '{f_a} + 4')]'''
",
    );
    // After the check, which sees the first value of the loop, so that the tasks themselves meet the limit.
    let mut run = station.start(&file, &[]);
    run.until_log("working");
    let limit = std::process::Command::new("prlimit")
        .args(["--pid", &run.performer().to_string(), "--as=400000000"])
        .status()
        .expect("prlimit is there");
    assert!(limit.success());
    let run = run.finish();
    assert_eq!((run.code, run.outcome()), (Some(1), "Failed"), "{}", run.errors);
    assert!(run.error("engine").contains("SIGABRT"), "{}", run.finished);
    assert!(
        run.error("engine").contains("memory allocation"),
        "its last words: {}",
        run.finished
    );
}

#[test]
fn a_flood_on_standard_output_costs_no_memory_and_loses_no_line() {
    const LINES: usize = 200_000;
    let station = Station::new();
    let mut run = station.start(&station.measurement("m", SLEEP), &[]);
    run.until_log("going to sleep");
    let pid = run.performer();
    let parent = run.child.id();
    let flood = thread::spawn(move || {
        let mut pipe = fs::OpenOptions::new()
            .write(true)
            .open(format!("/proc/{pid}/fd/1"))
            .expect("its pipe");
        let text = format!("{}\n", "x".repeat(99));
        for _ in 0..LINES {
            pipe.write_all(text.as_bytes()).expect("it is read");
        }
        pipe.write_all(b"the last line\n").expect("it is read");
    });
    run.until_log("the last line");
    flood.join().expect("all was written");
    let status = fs::read_to_string(format!("/proc/{parent}/status")).expect("it runs");
    let peak: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok())
        .expect("a peak");
    assert!(peak < 64 * 1024, "the parent took {peak} kB");
    station.run(&["stop"]);
    let run = run.finish();
    assert_eq!(run.outcome(), "Interrupted");
    let printed = run.events.iter().filter(|event| event["target"] == "stdout").count();
    assert_eq!(printed, LINES + 1);
    assert_eq!(
        station.log().lines().filter(|line| line.ends_with("xxx")).count(),
        LINES,
        "all of it is in the log file"
    );
}

#[test]
fn no_record_of_many_is_lost() {
    let station = Station::new();
    let file = station.measurement(
        "m",
        "
    [[children_0]]
        task_id = exopy.LoopTask
        name = l
        [[[interface]]]
            interface_id = exopy.LoopTask:exopy.IterableLoopInterface
            iterable = range(200000)
        [[[children_0]]]
            task_id = exopy.LogTask
            name = say
            message = point {l_index}
",
    );
    let run = station.start(&file, &[]).finish();
    assert_eq!(run.outcome(), "Completed", "{}", run.errors);
    let messages = |text: &str| text.to_owned();
    let sent: Vec<String> = run
        .events
        .iter()
        .filter(|event| event["type"] == "log" && event["target"] == "root/l/say")
        .filter_map(|event| event["message"].as_str().map(messages))
        .collect();
    let wanted: Vec<String> = (1..=200_000).map(|i| format!("point {i}")).collect();
    assert!(sent == wanted, "{} records came", sent.len());
    let log = station.log();
    let kept: Vec<&str> = log
        .lines()
        .filter_map(|line| line.split(" | ").nth(2))
        .filter(|text| text.starts_with("point"))
        .collect();
    assert!(kept == wanted, "{} records are kept", kept.len());
}

#[test]
fn large_values_pass() {
    let station = Station::new();
    let values = station.path().join("values.json");
    let file = station.measurement(
        "m",
        "
    [[children_0]]
        task_id = exopy.FormulaTask
        name = f
        formulas = '''[('a', 'np.full(6250000, 0.5j)'), ('n', 'len({f_a})')]'''
",
    );
    let run = station
        .start(
            &file,
            &[
                "--observe",
                "root/f_n",
                "--values-out",
                values.to_str().expect("a plain path"),
            ],
        )
        .finish();
    assert_eq!(run.outcome(), "Completed", "{}", run.errors);
    assert!(fs::metadata(values).expect("written").len() > 100_000_000);
}

#[test]
fn when_the_parent_is_killed_the_process_stops_and_ends() {
    let station = Station::new();
    let mut run = station.start(&station.measurement("m", SLEEP), &[]);
    run.until_log("going to sleep");
    let performer = run.performer();
    run.child.kill().expect("it runs");
    await_death(performer);
    assert!(station.log().contains("| INFO | Interrupted"), "{}", station.log());
}

#[test]
fn a_hung_process_is_killed_all_the_same() {
    let station = Station::new();
    let mut run = station.start(&station.measurement("m", SLEEP), &[]);
    run.until_log("going to sleep");
    let performer = run.performer();
    signal(performer, "STOP");
    let killed = station.run(&["kill"]);
    assert!(killed.status.success(), "{}", String::from_utf8_lossy(&killed.stderr));
    let run = run.finish();
    assert_eq!((run.code, run.outcome()), (Some(4), "Interrupted"), "{}", run.finished);
    assert!(!is_alive(performer));
}

/// As many trials as the environment asks for; a handful otherwise.
#[test]
fn no_kill_hangs() {
    let trials: u32 = std::env::var("MEASURAND_KILL_TRIALS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20);
    let station = Station::new();
    let busy = station.measurement("busy", BUSY);
    for trial in 0..trials {
        let mut run = station.start(&busy, &["--observe", "root/**"]);
        run.until_log("working");
        // Not at the same moment each time.
        for _ in 0..trial % 7 {
            run.until("a value", |event| event["type"] == "value");
        }
        signal(run.performer(), "KILL");
        let run = run.finish();
        assert_eq!((run.code, run.outcome()), (Some(1), "Failed"), "trial {trial}");
    }
}

#[test]
fn files_that_cannot_be_read_are_refused_with_the_reason() {
    let station = Station::new();
    let check = |name: &str, content: Option<&[u8]>, expected: &str| {
        let path = station.path().join(name);
        if let Some(content) = content {
            fs::write(&path, content).expect("the folder can be written to");
        }
        let output = station.run(&["run", path.to_str().expect("a plain path")]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {errors}");
        assert!(errors.contains(expected), "{name}: {errors}");
        assert!(errors.len() < 20_000, "{name}: {} bytes of errors", errors.len());
    };
    check("nowhere.meas.ini", None, "nowhere.meas.ini");
    check("", None, "is a folder");
    let garbage: Vec<u8> = (0..100_000_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    check("garbage.meas.ini", Some(&garbage), "UTF-8");
    let lines: Vec<u8> = "neither key nor section\n".repeat(500_000).into_bytes();
    check("long.meas.ini", Some(&lines), "error");
    let mut deep = String::from("[root_task]\n    task_id = exopy.ComplexTask\n");
    for depth in 2..10_002 {
        deep.push_str(&format!("{}children_0{}\n", "[".repeat(depth), "]".repeat(depth)));
    }
    check("deep.meas.ini", Some(deep.as_bytes()), "deep");
    check("other.meas.ini", Some(b"a = b\n"), "root_task");
}

#[test]
fn a_large_file_is_performed() {
    let station = Station::new();
    let mut children = String::new();
    for i in 0..20_000 {
        children.push_str(&format!(
            "    [[children_{i}]]\n        task_id = exopy.FormulaTask\n        name = f{i}\n        formulas = \"[('v', '{i} + 1'), ('text', '\\\"{}\\\"')]\"\n",
            "x".repeat(400)
        ));
    }
    let file = station.measurement("m", &children);
    assert!(fs::metadata(&file).expect("written").len() > 10_000_000);
    let run = station.start(&file, &["--observe", "root/f19999_v"]).finish();
    assert_eq!(run.outcome(), "Completed", "{}", run.errors);
}

#[test]
fn a_folder_that_cannot_be_written_to_is_a_problem_of_the_check() {
    let station = Station::new();
    let file = station.measurement("m", SLEEP);
    let text = fs::read_to_string(&file).expect("just written");
    let check = |path: &str, expected: &str| {
        let text = text.replace(station.path().to_str().expect("a plain path"), path);
        fs::write(&file, text).expect("the folder can be written to");
        let output = station.run(&["run", file.to_str().expect("a plain path")]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{path}: {errors}");
        assert!(errors.contains(expected), "{path}: {errors}");
    };
    check("/nowhere/at/all", "no such folder");
    check("/dev/null", "not a folder");
    check("", "default_path");
}

#[test]
fn a_folder_on_a_disk_for_reading_only_is_a_problem_of_the_check() {
    let station = Station::new();
    let Some((code, said)) = on_a_disk("ro", &station, &station.measurement("m", SLEEP)) else {
        return;
    };
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("Read-only file system"), "{said}");
}

#[test]
fn a_full_disk_fails_the_run_before_it_begins_and_is_named() {
    let station = Station::new();
    let file = station.measurement("m", &format!("    # {}\n{SLEEP}", "x".repeat(100_000)));
    let Some((code, said)) = on_a_disk("size=16k", &station, &file) else {
        return;
    };
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("No space left"), "{said}");
}

/// Runs a file with a disk of its own as folder, mounted with these options in a namespace that nobody else sees.
fn on_a_disk(options: &str, station: &Station, file: &std::path::Path) -> Option<(Option<i32>, String)> {
    let folder = station.path().join("disk");
    fs::create_dir_all(&folder).expect("the folder can be written to");
    let script = "mount -t tmpfs -o \"$OPTIONS\" tmpfs \"$FOLDER\" || exit 77; exec \"$PROGRAM\" run \"$FILE\" --default-path \"$FOLDER\" --plain";
    let output = std::process::Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", script])
        .env("XDG_RUNTIME_DIR", station.path())
        .env("XDG_DATA_HOME", station.path().join("home"))
        .env("OPTIONS", options)
        .env("FOLDER", &folder)
        .env("PROGRAM", env!("CARGO_BIN_EXE_measurand"))
        .env("FILE", file)
        .stdin(Stdio::null())
        .output()
        .expect("unshare is there");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if output.status.code() == Some(77) || said.contains("unshare") {
        println!("skipped: no disk can be mounted here: {said}");
        return None;
    }
    Some((output.status.code(), said))
}

#[test]
fn two_runs_of_one_name_at_once_keep_their_files_apart() {
    let station = Station::new();
    let file = station.measurement("m", SLEEP);
    let mut one = station.start(&file, &[]);
    one.until_log("going to sleep");
    let mut two = station.start(&file, &[]);
    two.until_log("going to sleep");
    let several = station.run(&["stop"]);
    assert_eq!(several.status.code(), Some(2), "of several runs one has to be named");
    for run in [&one, &two] {
        let stopped = station.run(&["stop", &run.child.id().to_string()]);
        assert!(stopped.status.success(), "{}", String::from_utf8_lossy(&stopped.stderr));
    }
    assert_eq!((one.finish().code, two.finish().code), (Some(4), Some(4)));
    assert_eq!(station.files(".log").len(), 2);
    assert_eq!(station.files(".meas.ini").len(), 1, "it is the same measurement");
}
