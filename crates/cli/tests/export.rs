//! What users do with the record of a run: they show it, draw it, export it, and find it again.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use expr::Value;
use records::{
    FORMAT, FileAt, LoopEntries, LoopValues, Mark, RowEnd, RunFacts, Schema, TableFacts, TaskFacts, What, Writer,
};
use serde_json::Value as Json;
use tempfile::TempDir;

/// A folder with records, in which commands are run; their list of runs is in it too.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Desk {
        Desk {
            folder: TempDir::new().expect("a folder"),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.path())
            .env("XDG_DATA_HOME", self.path().join("share"))
            .env("TZ", "UTC")
            .env_remove("NO_COLOR");
        command
    }

    fn measurand(&self, arguments: &[&str]) -> Output {
        let program = env!("CARGO_BIN_EXE_measurand");
        self.command(program).args(arguments).output().expect("the program")
    }

    /// What it prints; it must succeed.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.measurand(arguments);
        let (said, complained) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {complained}");
        said.replace(&self.path().to_string_lossy().into_owned(), "DESK")
    }

    /// What it complains; it must say that it is no use.
    fn complains(&self, arguments: &[&str]) -> String {
        let output = self.measurand(arguments);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
        text(&output.stderr).replace(&self.path().to_string_lossy().into_owned(), "DESK")
    }

    /// Runs lines of Python, if there is an interpreter with what they import.
    fn python(&self, script: &str) {
        let Some(interpreter) = std::env::var_os("MEASURAND_PYTHON") else {
            println!("skipped: no `MEASURAND_PYTHON`");
            return;
        };
        let output = self
            .command(interpreter)
            .args(["-c", script])
            .output()
            .expect("an interpreter");
        let complained = text(&output.stderr);
        if complained.contains("ModuleNotFoundError") {
            println!("skipped: {complained}");
            return;
        }
        assert!(output.status.success(), "{script}\n{complained}");
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const STARTED_US: i64 = 1_790_000_000_000_000;

/// A loop `field` around a loop `sweep` that measures a number and a trace.
fn schema(name: &str, id: &str, started_us: i64) -> Schema {
    let task = |path: &str, parent, table| TaskFacts {
        path: path.to_owned(),
        parent,
        works_in: 0,
        called_in: 0,
        table,
    };
    let own = |first: u32| LoopEntries {
        point_number: Some(first),
        index: Some(first + 1),
        value: Some(first + 2),
        loop_values: None,
    };
    let table = |task, parent, columns, entries, is_innermost| TableFacts {
        task,
        parent,
        columns,
        entries,
        is_innermost,
        has_values: true,
    };
    let entries = [
        "root/field/sweep/m_voltage",
        "root/field/sweep/m_trace",
        "root/field_point_number",
        "root/field_index",
        "root/field_value",
        "root/field/sweep_point_number",
        "root/field/sweep_index",
        "root/field/sweep_value",
    ];
    Schema {
        format: FORMAT,
        run: RunFacts {
            name: name.to_owned(),
            id: id.to_owned(),
            host: "cryostat".to_owned(),
            file: "map.meas.ini".to_owned(),
            text: "name = map".to_owned(),
            started_us,
            ..RunFacts::default()
        },
        tasks: vec![
            task("root", None, 0),
            task("root/field", Some(0), 0),
            task("root/field/sweep", Some(1), 1),
            task("root/field/sweep/m", Some(2), 2),
        ],
        entries: entries.map(str::to_owned).to_vec(),
        units: vec![(0, "V".to_owned()), (4, "T".to_owned())],
        tables: vec![
            table(0, None, Vec::new(), LoopEntries::default(), false),
            table(1, Some(0), Vec::new(), own(2), false),
            table(2, Some(1), vec![0, 1], own(5), true),
        ],
    }
}

/// Writes the rows of a run of 2 × 3 points, as many as given. While the writer is kept the run goes on.
fn begin(folder: &Path, name: &str, id: &str, rows: usize) -> Writer {
    let nothing_open = |_: u32| FileAt::default();
    let floats = |values: &[f64]| {
        Some(LoopValues {
            array: Value::from(values.to_vec()),
            values: None,
        })
    };
    let mut values = vec![Value::Int(0); 8];
    let started_us = STARTED_US + i64::from(id.parse::<u32>().expect("ids here are numbers")) * 60_000_000;
    let mut writer =
        Writer::create(folder, &format!("{name}_{id}"), schema(name, id, started_us), &values).expect("room");
    writer.begin(1, Some(2), floats(&[0.0, 0.5])).expect("room");
    for field in 0..2 {
        writer.begin(2, Some(3), floats(&[1.0, 2.0, 3.0])).expect("room");
        for sweep in (0..3).filter(|sweep| field * 3 + sweep < rows) {
            let voltage = (field * 3 + sweep) as f64;
            values[0] = Value::Float(voltage * 0.25);
            values[1] = Value::from(vec![voltage, -voltage]);
            writer.row(2, &values, RowEnd::GoesOn, &nothing_open).expect("room");
        }
        if field * 3 + 3 <= rows {
            writer.done(2, &[], &nothing_open).expect("room");
            writer.row(1, &values, RowEnd::GoesOn, &nothing_open).expect("room");
        }
    }
    writer
}

/// A run that ended a second and a half after it started.
fn completed(folder: &Path, name: &str, id: &str) -> PathBuf {
    let mut writer = begin(folder, name, id, 6);
    let started_us = STARTED_US + i64::from(id.parse::<u32>().expect("ids here are numbers")) * 60_000_000;
    let what = What::Ended {
        outcome: "Completed".to_owned(),
        errors: Vec::new(),
    };
    writer
        .mark(&Mark {
            time_us: started_us + 1_500_000,
            what,
        })
        .expect("room");
    writer.path().to_owned()
}

#[test]
fn a_run_is_listed_shown_and_found_by_its_name() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path().join("data/deep")).expect("room");
    completed(&desk.path().join("data"), "map", "001");
    completed(&desk.path().join("data/deep"), "map", "002");
    fs::write(desk.path().join("data/other.record"), "no record").expect("room");
    assert_eq!(
        desk.says(&["runs"]),
        "no runs are known; `measurand runs FOLDER` finds the records of a folder\n"
    );
    let listed = "start                run      outcome    points  duration  path\n\
                  2026-09-21 14:15:20  map_002  Completed       6     1.5 s  data/deep/map_002.record\n\
                  2026-09-21 14:14:20  map_001  Completed       6     1.5 s  data/map_001.record\n";
    let output = desk.measurand(&["runs", "data"]);
    assert!(
        text(&output.stderr).contains("other.record` is no record of a run"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(desk.says(&["runs"]), listed);
    assert_eq!(
        desk.says(&["runs", "--limit", "1", "--name", "MAP_001"])
            .lines()
            .count(),
        2
    );
    let json: Json = serde_json::from_str(&desk.says(&["runs", "--json"])).expect("JSON");
    assert_eq!(json[1]["rows"], 6);

    for (named, id) in [
        ("map", "002"),
        ("last", "002"),
        ("map_001", "001"),
        ("data/map_001.record", "001"),
    ] {
        let json: Json = serde_json::from_str(&desk.says(&["show", named, "--json"])).expect("JSON");
        assert_eq!(json["id"], id, "{named}");
    }
    assert_eq!(
        desk.complains(&["show", "map_00"]),
        "error: `map_00` is the beginning of several runs: `map_002`, `map_001`\n"
    );
    assert_eq!(
        desk.complains(&["show", "mop_001"]),
        "error: no run `mop_001` is known, nor is one in the current folder\n  help: did you mean `map_002`, `map_001`?\n"
    );
    fs::remove_file(desk.path().join("data/deep/map_002.record")).expect("it was there");
    assert!(!desk.says(&["runs"]).contains("map_002"), "what is gone is forgotten");
}

#[test]
fn a_run_is_shown_with_its_facts_tables_and_a_sketch() {
    let desk = Desk::new();
    completed(desk.path(), "map", "001");
    let shown = desk.says(&["show", "map"]);
    let head: String = shown
        .lines()
        .take_while(|line| !line.starts_with("field_value"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(
        head,
        "map_001  Completed
  start     2026-09-21 14:14:20
  end       2026-09-21 14:14:21
  duration  1.5 s
  record    map_001.record
  host      cryostat
  file      map.meas.ini

root  1 row × 0 columns

root/field  2 rows × 0 columns
  field_value  float  0 … 0.5 T

root/field/sweep  6 rows × 2 columns: 2 in field, 3 in sweep
  field_value  float     0 … 0.5 T
  sweep_value  float     1 … 3
  m_voltage    float     0 … 1.25 V
  m_trace      float[2]  -5 … 5

"
    );
    assert!(shown.ends_with("  m_voltage (V): 0 ·░▒▓█ 1.25\n"), "{shown}");
    let lines = desk.says(&["show", "map", "--y", "m_voltage"]);
    assert!(
        lines.ends_with("  ── field_value = 0 T\n  ── field_value = 0.5 T\n"),
        "{lines}"
    );
    assert!(!shown.contains('\u{1b}'), "no colours where there is no terminal");
}

#[test]
fn a_run_can_be_looked_at_while_it_goes_on_and_after_it_broke() {
    let desk = Desk::new();
    let writer = begin(desk.path(), "map", "003", 4);
    let state = || {
        let json: Json = serde_json::from_str(&desk.says(&["show", "map", "--json"])).expect("JSON");
        format!(
            "{} {} {}",
            json["state"], json["tables"][2]["rows"], json["tables"][2]["columns"][0]["highest"]
        )
    };
    assert_eq!(state(), "\"Running\" 4 0.75");
    assert!(desk.says(&["runs", "."]).contains("map_003  Running       4         -"));
    desk.says(&["export", "map", "--to", "netcdf"]);
    desk.python(
        "import xarray\nd = xarray.open_dataset('map_003.nc')\n\
         assert d.m_voltage.values[1, 0] == .75 and d.m_voltage.isnull().sum() == 2 and d.m_trace.shape == (2, 3, 2)",
    );
    drop(writer);
    assert_eq!(state(), "\"Broken\" 4 0.75");
    assert!(desk.says(&["runs"]).contains("map_003  Broken        4         -"));
}

#[test]
fn an_export_says_what_it_wrote_and_how_to_open_it_and_overwrites_nothing() {
    let desk = Desk::new();
    completed(desk.path(), "map", "001");
    assert_eq!(
        desk.says(&["export", "map", "--to", "csv"]),
        "wrote map_001.csv\n6 rows; in Python: pandas.read_csv(\"map_001.csv\")\n"
    );
    assert_eq!(
        desk.complains(&["export", "map", "--to", "csv"]),
        "error: cannot export `map_001.record`: `map_001.csv` exists already\n  help: --overwrite replaces it, -o FILE writes \
         elsewhere\n"
    );
    desk.says(&["export", "map", "--to", "csv", "--overwrite"]);
    assert_eq!(
        desk.complains(&["export", "map", "-o", "a.xyz"]),
        "error: `a.xyz` does not say which format is wanted\n  help: name it: --to csv, hdf5, netcdf, zarr or parquet\n"
    );
    // The line that is printed is run.
    for format in ["csv", "hdf5", "netcdf", "zarr", "parquet"] {
        let said = desk.says(&["export", "map", "--to", format, "--overwrite"]);
        let line = said
            .lines()
            .last()
            .and_then(|line| line.split("in Python: ").nth(1))
            .expect("a line of Python");
        let module = line.split('.').next().expect("a module");
        desk.python(&format!(
            "import {module}\nd = {line}\nassert 'm_voltage' in d and d['m_voltage'][0] is not None"
        ));
    }
    let ending = desk.says(&["export", "map", "-o", "b.parquet"]);
    assert!(ending.starts_with("wrote b.parquet\n"), "{ending}");
}

#[test]
fn a_run_is_drawn_into_a_file() {
    let desk = Desk::new();
    completed(desk.path(), "map", "001");
    assert_eq!(desk.says(&["plot", "map"]), "wrote map_001.png\n");
    assert!(
        desk.complains(&["plot", "map"])
            .contains("`map_001.png` exists already")
    );
    desk.says(&["plot", "map", "--y", "m_voltage", "-o", "lines.svg"]);
    let svg = fs::read_to_string(desk.path().join("lines.svg")).expect("a picture");
    for label in ["field_value = 0.5 T", "m_voltage (V)", "sweep_value", "map_001"] {
        assert!(svg.contains(label), "{label} is not in the picture");
    }
    assert_eq!(
        desk.complains(&["plot", "map", "--z", "m_current"]),
        "error: cannot draw `map_001.record`: no variable `m_current`; there are `field_value`, `sweep_value`, `root_time`, \
         `field_time`, `sweep_time`, `m_voltage`, `m_trace`\n  help: `measurand show map` lists what there is\n"
    );
    assert!(
        desk.complains(&["plot", "map", "-o", "a.gif"])
            .contains("should end with .png or .svg")
    );
}
