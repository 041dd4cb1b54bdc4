//! No point is lost and none is doubled: runs that were killed at any moment, again and again, end as one that never was.

mod station;

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use records::{Reading, State, Table};
use station::{Station, await_death, signal};

/// Formulas, an array column, a text file and an HDF5 file over two loops; a millisecond a point.
const MAP: &str = "\
    [[children_0]]
        task_id = exopy.DefinitionTask
        name = d
        definitions = \"[('gain', '3')]\"
    [[children_1]]
        task_id = exopy.LoopTask
        name = outer
        [[[interface]]]
            interface_id = exopy.LoopTask:exopy.LinspaceLoopInterface
            start = 0
            stop = 1
            step = 0.05
        [[[children_0]]]
            task_id = exopy.FormulaTask
            name = f
            formulas = \"[('offset', '{outer_value}*{d_gain}')]\"
        [[[children_1]]]
            task_id = exopy.LoopTask
            name = inner
            [[[[interface]]]]
                interface_id = exopy.LoopTask:exopy.LinspaceLoopInterface
                start = 0
                stop = 1
                step = 0.01
            [[[[children_0]]]]
                task_id = exopy.FormulaTask
                name = g
                formulas = \"[('y', '{inner_value} + {f_offset}'), ('z', '{g_y}*1j'), ('trace', 'np.linspace(0, {g_y}, 5)')]\"
            [[[[children_1]]]]
                task_id = exopy_hqc_legacy.SaveTask
                name = text
                filename = map.dat
                header = a header
                saved_values = \"[('x', '{inner_value}'), ('y', '{g_y}')]\"
            [[[[children_2]]]]
                task_id = exopy_hqc_legacy.SaveFileHDF5Task
                name = hdf
                filename = map.h5
                datatype = float64
                compression = gzip
                calls_estimation = 1
                saved_values = \"[('x', '{inner_value}'), ('trace', '{g_trace}')]\"
            [[[[children_3]]]]
                task_id = exopy.SleepTask
                name = pause
                time = 0.001
        [[[children_2]]]
            task_id = exopy_hqc_legacy.SaveFileTask
            name = lines
            filename = lines.dat
            saved_values = \"[('offset', '{f_offset}'), ('last', '{inner_value}')]\"
";

/// How often the long tests kill, unless the environment says more.
fn kills(usual: usize) -> usize {
    std::env::var("MEASURAND_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(usual)
}

/// Moments that look random and are the same in every run of the test.
struct Moments(u64);

impl Moments {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// What must be the same: the record without its times, and the saved files to the last byte.
fn outcome(folder: &Path) -> (Vec<Table>, Vec<(String, Vec<u8>)>) {
    let reading = read(&folder.join("m_001.record"));
    assert_eq!(reading.state, State::Ended, "{:?}", reading.facts);
    let mut tables = reading.tables;
    for table in &mut tables {
        table.times_us.fill(0);
        // Where files are is another place in another folder.
        table.columns.retain(|column| !column.name.ends_with("_file"));
        if table.path == "root" {
            // Folders, days and times of the run.
            table.columns.clear();
        }
    }
    let files = ["map.dat", "map.h5", "lines.dat"]
        .into_iter()
        .filter(|name| folder.join(name).exists());
    let files = files.map(|name| (name.to_owned(), fs::read(folder.join(name)).expect("it can be read")));
    (tables, files.collect())
}

/// The columns one by one, so that a difference can be read.
fn same(one: &[Table], other: &[Table]) {
    for (one, other) in one.iter().zip(other) {
        assert_eq!(one.axes, other.axes, "{}", one.path);
        for (one, other) in one.columns.iter().zip(&other.columns) {
            assert_eq!(one, other);
        }
    }
    assert!(one == other);
}

fn read(record: &Path) -> Reading {
    records::read(record).unwrap_or_else(|error| panic!("{error}"))
}

fn undisturbed(children: &str) -> (Vec<Table>, Vec<(String, Vec<u8>)>) {
    let station = Station::new();
    let file = station.measurement("m", children);
    let done = station.start(&file, &[]).finish();
    assert_eq!(done.outcome(), "Completed", "{}", done.errors);
    outcome(station.path())
}

/// Whom to kill.
#[derive(Clone, Copy, Debug)]
enum Victim {
    Child,
    Parent,
}

/// Kills runs of a file until one ends; says how often that was.
fn kill_again_and_again(station: &Station, file: &Path, most: usize, seed: u64, victim: Victim) -> usize {
    let mut moments = Moments(seed);
    for killed in 0.. {
        let mut run = station.start(file, &["--resume", "--lossless", "--observe", "root/outer/inner_index"]);
        // After as many updates as chance will have it, nothing at all included.
        let wanted = if killed < most { moments.below(24) } else { u64::MAX };
        let mut seen = 0;
        let mut is_over = false;
        while seen < wanted {
            match run.next() {
                Some(event) if event["type"] == "value" => seen += 1,
                Some(event) if event["type"] == "finished" => {
                    is_over = true;
                    break;
                }
                Some(event) if wanted == 0 && event["type"] == "run" => break,
                Some(_) => (),
                None => {
                    // The last kill came after the end of the run, before anybody heard of it.
                    let done = run.finish();
                    assert!(done.errors.contains("the last run is complete"), "{}", done.errors);
                    return killed;
                }
            }
        }
        if is_over {
            let done = run.finish();
            assert_eq!(done.outcome(), "Completed", "{} {:?}", done.errors, done.finished);
            return killed;
        }
        if run.events.is_empty() {
            run.next();
        }
        let child = run.performer();
        match victim {
            Victim::Child => {
                signal(child, "KILL");
                run.finish();
            }
            Victim::Parent => {
                run.child.kill().expect("it is there");
                run.child.wait().expect("it is there");
                await_death(child);
            }
        }
    }
    unreachable!("the loop ends with the run")
}

#[test]
fn a_map_whose_process_is_killed_200_times_ends_like_an_undisturbed_one() {
    let long = MAP
        .replace("step = 0.05", "step = 0.0125")
        .replace("time = 0.001", "time = 0.0005");
    let expected = undisturbed(&long);
    assert_eq!(expected.0.iter().map(Table::len).max(), Some(81 * 101));
    let station = Station::new();
    let file = station.measurement("m", &long);
    let killed = kill_again_and_again(&station, &file, kills(200), 0x2545_F491_4F6C_DD1D, Victim::Child);
    println!("{killed} kills");
    assert!(
        killed >= kills(200) * 3 / 4,
        "only {killed} kills: the run is too short for this machine"
    );
    let ended = outcome(station.path());
    same(&ended.0, &expected.0);
    assert!(ended.1 == expected.1, "the saved files differ after {killed} kills");
    let reading = read(&station.path().join("m_001.record"));
    let resumed = reading.facts.items.iter().filter(|(key, _)| key == "resumed").count();
    assert!(resumed > 0, "the record says where the run was broken");
}

#[test]
fn a_map_whose_parent_is_killed_again_and_again_ends_like_an_undisturbed_one() {
    let expected = undisturbed(MAP);
    let station = Station::new();
    let file = station.measurement("m", MAP);
    let killed = kill_again_and_again(&station, &file, kills(200) / 8, 0x9E37_79B9_7F4A_7C15, Victim::Parent);
    assert!(killed > 0);
    let ended = outcome(station.path());
    same(&ended.0, &expected.0);
    assert!(ended.1 == expected.1, "the saved files differ after {killed} kills");
}

/// Tasks in the background of the points, and conditions, a while loop and breaks around them.
const TANGLED: &str = "\
    [[children_0]]
        task_id = exopy.FormulaTask
        name = start
        formulas = \"[('count', '0')]\"
    [[children_1]]
        task_id = exopy.WhileTask
        name = again
        condition = {again_index} < 6
        [[[children_0]]]
            task_id = exopy.ConditionalTask
            name = odd
            condition = {again_index} % 2 == 1
            [[[[children_0]]]]
                task_id = exopy.FormulaTask
                name = seen
                formulas = \"[('square', '{again_index}**2')]\"
            [[[[children_1]]]]
                task_id = exopy.LoopTask
                name = outer
                [[[[[interface]]]]]
                    interface_id = exopy.LoopTask:exopy.IterableLoopInterface
                    iterable = \"['a', 'b', 3.5]\"
                [[[[[children_0]]]]]
                    task_id = exopy.LoopTask
                    name = inner
                    [[[[[[interface]]]]]]
                        interface_id = exopy.LoopTask:exopy.IterableLoopInterface
                        iterable = \"range(100, 140)\"
                    [[[[[[children_0]]]]]]
                        task_id = exopy.FormulaTask
                        name = g
                        formulas = \"[('y', '{inner_value} + {seen_square}'), ('text', 'str({outer_value}) + str({inner_value})')]\"
                    [[[[[[children_1]]]]]]
                        task_id = exopy.FormulaTask
                        name = late
                        formulas = \"[('y', '{g_y}*2')]\"
                        parallel = \"{'activated': True, 'pool': 'p'}\"
                    [[[[[[children_2]]]]]]
                        task_id = exopy_hqc_legacy.SaveTask
                        name = text
                        filename = map.dat
                        saving_target = File and array
                        array_size = 500
                        saved_values = \"[('x', '{inner_value}'), ('y', '{g_y}')]\"
                    [[[[[[children_5]]]]]]
                        task_id = exopy.FormulaTask
                        name = so_far
                        formulas = '''[('x', \"np.nansum({text_array}['x'])\")]'''
                    [[[[[[children_3]]]]]]
                        task_id = exopy.SleepTask
                        name = pause
                        time = 0.001
                    [[[[[[children_4]]]]]]
                        task_id = exopy.ConditionalTask
                        name = enough
                        condition = {inner_index} == 20 and {again_index} > 1
                        [[[[[[[children_0]]]]]]]
                            task_id = exopy.BreakTask
                            name = leave
                            condition = True
        [[[children_1]]]
            task_id = exopy_hqc_legacy.SaveFileTask
            name = lines
            filename = lines.dat
            saved_values = \"[('i', '{again_index}')]\"
";

#[test]
fn conditions_breaks_and_background_work_go_on_where_they_were() {
    let expected = undisturbed(TANGLED);
    let station = Station::new();
    let file = station.measurement("m", TANGLED);
    let mut moments = Moments(0xD1B5_4A32_D192_ED03);
    let mut killed = 0;
    loop {
        let mut run = station.start(
            &file,
            &["--resume", "--lossless", "--observe", "root/again/odd/outer/inner/g_y"],
        );
        let wanted = 1 + moments.below(60);
        let mut seen = 0;
        let mut is_over = false;
        while seen < wanted && !is_over {
            let event = run.next().expect("a run says how it ends");
            seen += u64::from(event["type"] == "value");
            is_over = event["type"] == "finished";
        }
        if is_over {
            let done = run.finish();
            assert_eq!(done.outcome(), "Completed", "{} {:?}", done.errors, done.finished);
            break;
        }
        signal(run.performer(), "KILL");
        run.finish();
        killed += 1;
    }
    assert!(killed > 3, "{killed}");
    let ended = outcome(station.path());
    same(&ended.0, &expected.0);
    assert!(ended.1 == expected.1, "the saved files differ after {killed} kills");
}

#[test]
fn a_run_that_the_operator_stopped_goes_on_by_the_name_of_its_record() {
    let expected = undisturbed(MAP);
    let station = Station::new();
    let file = station.measurement("m", MAP);
    let mut run = station.start(&file, &["--observe", "root/outer_index"]);
    run.until("the third line", |event| {
        event["type"] == "value" && event["value"] == 3
    });
    assert!(station.run(&["pause"]).status.success());
    run.until_state("Paused");
    assert!(station.run(&["stop"]).status.success());
    let stopped = run.finish();
    assert_eq!((stopped.code, stopped.outcome()), (Some(4), "Interrupted"));
    let record = station.path().join("m_001.record");
    let facts = read(&record).facts.items;
    let said = |key: &str| {
        facts
            .iter()
            .find(|(own, _)| own == key)
            .map(|(_, text)| text.clone())
            .unwrap_or_default()
    };
    assert!(said("pause").contains("`measurand pause`"), "{}", said("pause"));
    assert!(said("stop").contains("`measurand stop`"), "{}", said("stop"));

    // On another machine: the folder is elsewhere.
    let moved = station.path().join("elsewhere");
    fs::create_dir(&moved).expect("the folder can be written to");
    for name in ["m_001.record", "map.dat", "map.h5", "lines.dat"] {
        fs::rename(station.path().join(name), moved.join(name)).expect("they can be moved");
    }
    let resumed = station.run(&["resume", "elsewhere/m_001.record", "--plain"]);
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&resumed.stdout),
        String::from_utf8_lossy(&resumed.stderr)
    );
    assert_eq!(resumed.status.code(), Some(0), "{said}");
    let ended = outcome(&moved);
    same(&ended.0, &expected.0);
    assert!(ended.1 == expected.1, "the saved files differ");
    let again = station.run(&["resume", "elsewhere/m_001.record"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("is complete: there is nothing to go on with"));
}

#[test]
fn a_measurement_that_changed_is_refused_with_the_difference() {
    let station = Station::new();
    let file = station.measurement("m", MAP);
    let mut run = station.start(&file, &["--observe", "root/outer_index"]);
    run.until("a point", |event| event["type"] == "value" && event["value"] == 2);
    signal(run.performer(), "KILL");
    run.finish();
    let changed = MAP.replace("('gain', '3')", "('gain', '4')");
    let file = station.measurement("m", &changed);
    let refused = station.run(&["run", &file.display().to_string(), "--resume"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(
        said.contains("- ") && said.contains("+ ") && said.contains("('gain', '4')"),
        "{said}"
    );
    // Without `--resume` it begins anew, and overwrites nothing.
    let done = station.start(&file, &[]).finish();
    assert_eq!(done.outcome(), "Completed", "{}", done.errors);
    assert_eq!(station.files(".record"), ["m_001-1.record", "m_001.record"]);
    assert_eq!(
        station.files(".dat"),
        ["lines-1.dat", "lines.dat", "map-1.dat", "map.dat"]
    );
}

#[test]
fn what_a_power_cut_left_of_record_and_files_goes_on_together() {
    let quick = MAP.replace("time = 0.001", "time = 0.0002");
    let expected = undisturbed(&quick);
    // How much less there is of the record and of the text file: in any order, as pages reach the disk.
    for (less_record, less_text) in [(0, 37), (1500, 0), (400, 700), (0, 0)] {
        let station = Station::new();
        let file = station.measurement("m", &quick);
        let mut run = station.start(&file, &["--observe", "root/outer_index"]);
        run.until("a point", |event| event["type"] == "value" && event["value"] == 4);
        signal(run.performer(), "KILL");
        run.finish();
        let record = station.path().join("m_001.record");
        let mut bytes = fs::read(&record).expect("it can be read");
        let end = bytes
            .iter()
            .rposition(|byte| *byte != 0)
            .expect("something was written");
        bytes[end - less_record..].fill(0);
        fs::write(&record, bytes).expect("it can be written");
        let text = station.path().join("map.dat");
        let length = fs::metadata(&text).expect("it is there").len();
        let shortened = fs::OpenOptions::new().write(true).open(&text).expect("it is there");
        shortened.set_len(length - less_text).expect("it can be cut");
        let done = station.start(&file, &["--resume"]).finish();
        assert_eq!(done.outcome(), "Completed", "{} {:?}", done.errors, done.finished);
        let ended = outcome(station.path());
        same(&ended.0, &expected.0);
        assert!(
            ended.1 == expected.1,
            "the saved files differ: {less_record}, {less_text}"
        );
    }
}

#[test]
fn a_data_file_that_is_gone_is_asked_about() {
    let station = Station::new();
    let file = station.measurement("m", MAP);
    let mut run = station.start(&file, &["--observe", "root/outer_index"]);
    run.until("a point", |event| event["type"] == "value" && event["value"] == 2);
    signal(run.performer(), "KILL");
    run.finish();
    fs::remove_file(station.path().join("map.dat")).expect("it is there");
    let file = file.display().to_string();
    let refused = station.run(&["run", &file, "--resume", "--plain"]);
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(
        said.contains("map.dat") && said.contains("--assume new-files"),
        "{said}"
    );
    let done = station.run(&["run", &file, "--resume", "--plain", "--assume", "new-files"]);
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stdout));
    let reading = read(&station.path().join("m_001.record"));
    assert_eq!(reading.tables.iter().map(Table::len).max(), Some(21 * 101));
}

#[test]
fn a_run_on_a_disk_that_fills_up_goes_on_when_there_is_room() {
    let station = Station::new();
    let big = MAP
        .replace("np.linspace(0, {g_y}, 5)", "np.linspace(0, {g_y}, 200)")
        .replace("time = 0.001", "time = 0");
    let expected = undisturbed(&big);
    let file = station.measurement("m", &big);
    let disk = station.path().join("disk");
    fs::create_dir(&disk).expect("the folder can be written to");
    // A disk of 1 MB, on which the run fails, and the same disk grown.
    let script = "mount -t tmpfs -o size=1m tmpfs \"$DISK\" || exit 77
        \"$PROGRAM\" run \"$FILE\" --default-path \"$DISK\" --plain && exit 78
        \"$PROGRAM\" run \"$FILE\" --default-path \"$DISK\" --plain --resume && exit 79
        mount -o remount,size=64m \"$DISK\" || exit 77
        \"$PROGRAM\" run \"$FILE\" --default-path \"$DISK\" --plain --resume || exit 80
        cp \"$DISK\"/m_001.record \"$DISK\"/*.dat \"$DISK\"/*.h5 \"$OUT\"";
    let out = station.path().join("out");
    fs::create_dir(&out).expect("the folder can be written to");
    let output = Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", script])
        .env("XDG_RUNTIME_DIR", station.path())
        .env("XDG_DATA_HOME", station.path().join("home"))
        .env("DISK", &disk)
        .env("OUT", &out)
        .env("PROGRAM", env!("CARGO_BIN_EXE_measurand"))
        .env("FILE", &file)
        .stdin(Stdio::null())
        .process_group(0)
        .output()
        .expect("unshare is there");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if output.status.code() == Some(77) || said.contains("unshare") {
        println!("skipped: no disk can be mounted here: {said}");
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("No space left on device"), "{said}");
    let ended = outcome(&out);
    same(&ended.0, &expected.0);
    assert!(ended.1 == expected.1, "the saved files differ");
}

#[test]
fn without_a_record_nothing_is_kept_and_nothing_can_go_on() {
    let station = Station::new();
    let file = station.measurement("m", MAP);
    let done = station.start(&file, &["--no-record"]).finish();
    assert_eq!(done.outcome(), "Completed", "{}", done.errors);
    assert_eq!(station.files(".record"), Vec::<String>::new());
    let file: PathBuf = file;
    let begun = station.start(&file, &["--resume"]).finish();
    assert_eq!(
        begun.outcome(),
        "Completed",
        "there was nothing to go on with: it began"
    );
    let again = station.run(&["run", &file.display().to_string(), "--resume"]);
    assert_eq!(again.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&again.stderr).contains("the last run is complete"));
}
