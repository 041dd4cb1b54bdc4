//! The command line as its users see it: what each command prints, writes and returns.

mod station;

use std::{
    fs,
    path::Path,
    process::{Output, Stdio},
};

use serde_json::Value as Json;

use station::Station;

const LOOP: &str = "    [[children_0]]
        task_id = exopy.LoopTask
        name = bias
        [[[interface]]]
            interface_id = exopy.LoopTask:exopy.LinspaceLoopInterface
            start = 0
            stop = 1
            step = 0.5
        [[[children_0]]]
            task_id = exopy.FormulaTask
            name = f
            formulas = \"[('square', '{bias_value}**2')]\"
    [[children_1]]
        task_id = exopy.LogTask
        name = say
        message = {bias_point_number} points";

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn events(text: &str) -> Vec<Json> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect("one JSON object a line"))
        .collect()
}

/// Its type, with what else is the same in every run.
fn brief(event: &Json) -> String {
    match event["type"].as_str().unwrap_or_default() {
        "state" => format!("state {}", event["state"].as_str().unwrap_or_default()),
        "log" => format!(
            "log {} {}",
            event["target"].as_str().unwrap_or_default(),
            event["message"]
        ),
        "value" => format!(
            "value {} {}",
            event["entry"].as_str().unwrap_or_default(),
            event["value"]
        ),
        "problem" => format!(
            "problem {} {}",
            event["path"].as_str().unwrap_or_default(),
            event["line"]
        ),
        "finished" => format!(
            "finished {} {}",
            event["outcome"].as_str().unwrap_or_default(),
            event["errors"]
        ),
        kind => kind.to_owned(),
    }
}

#[test]
fn check_shows_every_problem_with_its_line_a_caret_and_the_way_out() {
    let station = Station::new();
    let file = station.measurement(
        "bad",
        "    [[children_0]]\n        task_id = exopy.FormulaTask\n        name = f\n        formulas = \"[('a', '1 +* 2'), ('b', '{f_c}')]\"
    [[children_1]]\n        task_id = exopy.SleepTask\n        name = s\n        time = -1",
    );
    let output = station.run(&["check", "bad.ini"]);
    assert_eq!(
        err(&output),
        "error: root/f-a: `a`: SyntaxError: invalid syntax: `*` is not expected here
 --> bad.ini:9:32
  |
9 |         formulas = \"[('a', '1 +* 2'), ('b', '{f_c}')]\"
  |                                ^

error: root/f-b: there is no entry `f_c`
 --> bad.ini:9:46
  |
9 |         formulas = \"[('a', '1 +* 2'), ('b', '{f_c}')]\"
  |                                              ^^^^^
  |
  = help: did you mean `{f_a}`?

error: root/s: the sleep time is negative: -1 s
  --> bad.ini:13:16
   |
13 |         time = -1
   |                ^^

"
    );
    assert_eq!(out(&output), "bad.ini: refused: 3 errors\n");
    assert_eq!(output.status.code(), Some(3));

    let output = station.run(&["check", "--json", file.to_str().expect("a plain path")]);
    let found: Json = serde_json::from_str(&out(&output)).expect("one JSON object");
    assert_eq!(found["ok"], false);
    assert_eq!(found["problems"][2]["path"], "root/s");
    assert_eq!(found["problems"][2]["line"], 13);
    assert_eq!(found["problems"][2]["column"], 16);
    assert_eq!(found["problems"][2]["severity"], "error");
    assert_eq!(found["problems"][2]["stage"], "check");
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn check_says_ok_with_the_size_of_the_measurement() {
    let station = Station::new();
    station.measurement("good", LOOP);
    let output = station.run(&["check", "good.ini"]);
    assert_eq!(
        (out(&output).as_str(), err(&output).as_str()),
        ("good.ini: ok (3 tasks, 11 entries, about 3 points)\n", "")
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn what_cannot_be_read_is_told_apart_and_the_highest_status_counts() {
    let station = Station::new();
    station.measurement("good", LOOP);
    fs::write(station.path().join("binary.ini"), [0, 159, 146, 150]).expect("the folder can be written to");
    fs::write(station.path().join("other.ini"), "[a]\nb = 1\n").expect("the folder can be written to");
    fs::write(station.path().join("comma.ini"), "[root_task]\ndefault_path = a, b\n").expect("it can be written");
    let output = station.run(&[
        "check",
        "good.ini",
        "nowhere.ini",
        ".",
        "binary.ini",
        "other.ini",
        "comma.ini",
    ]);
    assert_eq!(
        err(&output),
        "error: cannot read `nowhere.ini`: No such file or directory (os error 2)
error: `.` is a folder, not a file
  help: name the file in it, ending in `.meas.ini` most likely
error: this is no text file: byte 1 (0x9f) is not UTF-8
--> binary.ini

error: there is no `[root_task]` in this file, so it is no measurement
--> other.ini
 = help: a measurement has a section `[root_task]`; a template of a task begins with its `task_id`

error: the value of `default_path` has a comma outside quotes: quote the value
 --> comma.ini:2:17
  |
2 | default_path = a, b
  |                 ^
  |
  = help: default_path = \"a, b\"

"
    );
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(station.run(&["check"]).status.code(), Some(2));
    assert_eq!(station.run(&["measure"]).status.code(), Some(2));
}

#[test]
fn outline_draws_the_tree_and_names_what_is_not_known() {
    let station = Station::new();
    let children =
        format!("{LOOP}\n    [[children_2]]\n        task_id = exopy_hqc_legacy.DemodSPTask\n        name = save");
    station.measurement("tree", &children);
    let output = station.run(&["outline", "tree.ini"]);
    let text = out(&output).replace(&station.path().display().to_string(), "HERE");
    assert_eq!(
        text,
        "tree 001 · tree.ini
default_path HERE

Root  exopy.ComplexTask
│  default_path, meas_name, meas_id, meas_date, meas_time
├─ bias  exopy.LoopTask · 3 points
│  │  bias_point_number, bias_index, bias_value, bias_loop_values
│  └─ f  exopy.FormulaTask
│        f_square
├─ say  exopy.LogTask
│     say_message
└─ save  exopy_hqc_legacy.DemodSPTask (not known here)

Not known here, so this measurement cannot be performed:
  exopy_hqc_legacy.DemodSPTask (1 task)

4 tasks · 11 entries · 3 points
"
    );
    assert_eq!(output.status.code(), Some(0));
    let output = station.run(&["outline", "tree.ini", "--visible"]);
    assert!(out(&output).contains(
        "│        sees bias_index, bias_loop_values, bias_point_number, bias_value, f_square, say_message\n"
    ));
    let output = station.run(&["outline", "tree.ini", "--json"]);
    let outline: Json = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(outline["points"], 3.0);
    assert_eq!(outline["tasks"][2]["path"], "root/bias/f");
    assert_eq!(outline["tasks"][2]["entries"][0], "root/bias/f_square");
    assert_eq!(outline["unknown"]["exopy_hqc_legacy.DemodSPTask"], 1);
}

#[test]
fn tasks_are_documented_and_an_unknown_one_is_guessed() {
    let station = Station::new();
    assert_eq!(
        out(&station.run(&["tasks", "SleepTask"])),
        "exopy.SleepTask
    Sleeps; a stop ends it at once, a pause holds what is left.
  fields
    time  expression; seconds, not negative
  entries
    <name>_time  the time slept, in seconds
  resumed
    performed again if the run broke off in it
"
    );
    let output = station.run(&["tasks", "exopy.SlepTask"]);
    assert!(
        err(&output).contains("did you mean `exopy.SleepTask`?"),
        "{}",
        err(&output)
    );
    assert_eq!(output.status.code(), Some(2));
    let all: Json = serde_json::from_str(&out(&station.run(&["tasks", "--json"]))).expect("JSON");
    assert!(
        all["tasks"]
            .as_array()
            .is_some_and(|tasks| tasks.iter().any(|task| task["id"] == "exopy.LoopTask"))
    );
}

#[test]
fn convert_rewrites_an_old_file_once_and_for_all_and_replaces_nothing_unasked() {
    let station = Station::new();
    let old = examples().join("old_hqcmeas.ini");
    let old = old.to_str().expect("a plain path");
    let output = station.run(&["convert", old, "new.ini"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let new = fs::read_to_string(station.path().join("new.ini")).expect("it was written");
    assert!(
        new.contains("task_id = exopy.LoopTask") && !new.contains("task_class"),
        "{new}"
    );
    assert_eq!(out(&station.run(&["convert", "new.ini", "-"])), new);

    let output = station.run(&["convert", old, "new.ini"]);
    assert_eq!(err(&output), "error: `new.ini` exists\n  help: `--force` replaces it\n");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        station.run(&["convert", "--force", old, "new.ini"]).status.code(),
        Some(0)
    );
    let output = station.run(&["convert", "--force", "new.ini", "./new.ini"]);
    assert_eq!(
        err(&output),
        "error: `./new.ini` is the file to read\n  help: name another file to write\n"
    );
    assert_eq!(
        fs::read_to_string(station.path().join("new.ini")).expect("it is there"),
        new
    );
}

#[test]
fn a_run_says_its_events_and_leaves_its_values() {
    let station = Station::new();
    station.measurement("good", LOOP);
    let arguments = [
        "run",
        "good.ini",
        "--events",
        "-",
        "--lossless",
        "--observe",
        "root/bias/*",
        "--values-out",
        "v.json",
    ];
    let output = station.run(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let events = events(&out(&output));
    assert!(events.iter().enumerate().all(|(i, event)| event["seq"] == i + 1));
    // With `--values-out` the other entries' latest values come too, for the case that the child dies.
    let is_other = |event: &Json| {
        event["entry"]
            .as_str()
            .is_some_and(|entry| !entry.starts_with("root/bias/"))
    };
    let kept = events
        .iter()
        .filter(|event| event["type"] != "progress" && !is_other(event));
    let briefs: Vec<String> = kept.map(brief).collect();
    assert_eq!(
        briefs,
        [
            "run",
            "state Ready",
            "state Running",
            "value root/bias/f_square 0.0",
            "value root/bias/f_square 0.25",
            "value root/bias/f_square 1.0",
            "log root/say \"3 points\"",
            "finished Completed {}",
        ]
    );
    let values: Json = serde_json::from_str(&read(&station, "v.json")).expect("JSON");
    assert_eq!(values["root/bias_loop_values"], serde_json::json!([0.0, 0.5, 1.0]));
    assert_eq!(values["root/bias/f_square"], 1.0);
    assert_eq!(values.as_object().map(serde_json::Map::len), Some(11));
    // The display gave way to the events.
    assert!(err(&output).contains("good_001: Completed in "), "{}", err(&output));
}

#[test]
fn a_plain_run_says_states_log_values_and_what_was_written() {
    let station = Station::new();
    station.measurement("good", LOOP);
    let output = station.run(&["run", "good.ini"]);
    let text = out(&output).replace(&station.path().display().to_string(), "HERE");
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.split_once("  ").map_or(line, |(_, rest)| rest))
        .collect();
    assert_eq!(lines[..3], ["Ready", "Running", "3 points"]);
    assert!(lines.contains(&"f_square          1.0"), "{text}");
    assert!(lines.contains(&"bias_progress     3/3"), "{text}");
    assert!(
        text.contains("good_001: Completed in ") && text.contains("  wrote log          HERE/good_001-main"),
        "{text}"
    );
    assert!(
        text.ends_with("  wrote measurement  HERE/good_001.meas.ini\n"),
        "{text}"
    );
    assert_eq!(err(&output), "");
}

#[test]
fn a_refused_measurement_performs_nothing_and_still_says_events_and_values() {
    let station = Station::new();
    station.measurement(
        "bad",
        "    [[children_0]]\n        task_id = exopy.SleepTask\n        name = s\n        time = -1",
    );
    let output = station.run(&["run", "bad.ini", "--events", "e.jsonl", "--values-out", "v.json"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        err(&output).ends_with("bad.ini: refused by the checks: 1 error; nothing was performed\n"),
        "{}",
        err(&output)
    );
    let briefs: Vec<String> = events(&read(&station, "e.jsonl")).iter().map(brief).collect();
    assert_eq!(
        briefs,
        [
            "run",
            "problem root/s 9",
            "finished Skipped {\"root/s\":\"the sleep time is negative: -1 s\"}"
        ]
    );
    let values: Json = serde_json::from_str(&read(&station, "v.json")).expect("JSON");
    assert_eq!(values["root/s_time"], -1);
    assert!(!station.path().join("bad_001.meas.ini").exists());

    let output = station.run(&["run", "bad.ini", "--skip-checks"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        err(&output).starts_with("warning: root/s: the sleep time is negative"),
        "{}",
        err(&output)
    );
    assert!(out(&output).contains("bad_001: Failed after "), "{}", out(&output));
}

#[test]
fn several_files_are_performed_in_turn_and_the_highest_status_counts() {
    let station = Station::new();
    station.measurement("one", LOOP);
    station.measurement("two", "    [[children_0]]\n        task_id = exopy.FormulaTask\n        name = f\n        formulas = \"[('a', '1/{f_a} if {f_a} != 1 else 1/0')]\"");
    station.measurement("three", LOOP);
    let output = station.run(&["run", "one.ini", "nowhere.ini", "three.ini"]);
    let text = out(&output);
    assert!(
        text.contains("one_001: Completed") && text.contains("three_001: Completed"),
        "{text}"
    );
    assert_eq!(output.status.code(), Some(2));
    let output = station.run(&["run", "one.ini", "three.ini", "--values-out", "v.json"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn definitions_name_id_and_folder_come_from_the_command_line() {
    let station = Station::new();
    let file = examples().join("definitions.meas.ini");
    let file = file.to_str().expect("a plain path");
    let changes = [
        "-D",
        "sweep_points=3",
        "-D",
        "sweep_span = 2.0",
        "--name",
        "scan",
        "--id",
        "7",
        "--default-path",
        "a/b",
    ];
    let output = station.run(&[&["run", file, "--values-out", "v.json"], &changes[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let values: Json = serde_json::from_str(&read(&station, "v.json")).expect("JSON");
    assert_eq!(values["root/bias_loop_values"], serde_json::json!([3.2, 4.2, 5.2]));
    assert_eq!(
        (&values["root/meas_name"], &values["root/meas_id"]),
        (&Json::from("scan"), &Json::from("7"))
    );
    assert!(station.path().join("a/b/scan_7.meas.ini").exists());

    let output = station.run(&["run", file, "-D", "sweep_pints=3", "--default-path", "a/b"]);
    assert!(
        err(&output).contains("no definition or formula has the entry `sweep_pints`"),
        "{}",
        err(&output)
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn all_examples_are_performed() {
    let station = Station::new();
    let mut files: Vec<String> = fs::read_dir(examples())
        .expect("the examples")
        .map(|entry| entry.expect("an example").path().display().to_string())
        .filter(|path| path.ends_with(".ini"))
        .collect();
    files.sort();
    assert!(files.len() >= 7, "{files:?}");
    let arguments: Vec<&str> = files.iter().map(String::as_str).collect();
    let output = station.run(&[&["run", "--simulate", "--default-path", "data"], &arguments[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
    assert_eq!(err(&output), "");
    assert_eq!(out(&output).matches(": Completed in ").count(), files.len());
    // The two ramps of 0.3 s and 0.6 s ran side by side, and the hooks and the definitions did their part.
    for words in [
        "both are there: -0.5 V, 1.2 T",
        "the map is complete: 11 lines",
        "hooks is about to run",
        "hooks: Completed, the log is in ",
        "11 points around 4.2, the last one 0.03846",
        "step 4: x = 1.41421568",
        "Vg = 1.0 V: 12.5 nA",
    ] {
        assert!(out(&output).contains(words), "{words}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let station = Station::new();
    station.measurement("good", LOOP);
    for arguments in [
        &["tasks"][..],
        &["man"],
        &["completions", "bash"],
        &["run", "good.ini", "--events", "-"],
    ] {
        let mut child = station
            .command()
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert!(!err(&output).contains("panicked"), "{}", err(&output));
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn without_a_run_there_is_nothing_to_pause() {
    let station = Station::new();
    let output = station.run(&["pause"]);
    assert_eq!(err(&output), "error: cannot pause a run: nothing runs\n");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn another_terminal_stops_a_run() {
    let station = Station::new();
    let file = station.measurement(
        "long",
        "    [[children_0]]\n        task_id = exopy.SleepTask\n        name = s\n        time = 600",
    );
    let mut run = station.start(&file, &[]);
    run.until_state("Running");
    let output = station.run(&["stop", "other"]);
    assert!(
        err(&output).starts_with("error: no run is called `other`; these run:\n  "),
        "{}",
        err(&output)
    );
    assert_eq!(output.status.code(), Some(2));
    let output = station.run(&["stop", "long_001"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let ended = run.finish();
    assert_eq!(ended.code, Some(4));
}

fn examples() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn read(station: &Station, file: &str) -> String {
    fs::read_to_string(station.path().join(file)).expect("the run wrote it")
}
