//! The files that a run leaves, byte for byte: what tasks save, where it goes when its name is taken, and what a check
//! leaves behind, which is nothing.

mod station;

use std::{fs, path::Path};

use station::{Finished, Station};

/// A loop over 0, 0.3 … 0.9, a formula with many kinds of values, and a task that saves.
fn sweep(save: &str) -> String {
    format!(
        "    [[children_0]]
        task_id = exopy.LoopTask
        name = L
        [[[interface]]]
            interface_id = exopy.LoopTask:exopy.LinspaceLoopInterface
            start = 0
            stop = 0.9
            step = 0.3
        [[[children_0]]]
            task_id = exopy.FormulaTask
            name = F
            formulas = \"[('square', 'round({{L_value}}**2, 2)'), ('z', '{{L_value}} + 1j'), ('big', '{{L_value}} > 0.5'), ('tiny', '{{L_index}}*1e-06')]\"
        [[[children_1]]]
{}",
        save
    )
}

const LINES: &str = "task_id = exopy_hqc_legacy.SaveFileTask
    name = S
    filename = {meas_name}.dat
    header = '''line 1
T = {L_point_number}, x'''
    saved_values = \"[('V', '{L_value}'), ('i', '{L_index}'), ('a', '{F_square}'), ('b', '{F_z}'), ('d', '{F_big}'), ('e', '{F_tiny}')]\"";

const LINES_OF_EXOPY: &str = "# line 1\n# T = 4, x\nV\ti\ta\tb\td\te\n\
    0.0\t1\t0.0\t1j\tFalse\t1e-06\n\
    0.3\t2\t0.09\t(0.3+1j)\tFalse\t2e-06\n\
    0.6\t3\t0.36\t(0.6+1j)\tTrue\t3e-06\n\
    0.9\t4\t0.81\t(0.9+1j)\tTrue\t4e-06\n";

fn run(station: &Station, file: &Path, arguments: &[&str]) -> Finished {
    station.start(file, arguments).finish()
}

#[track_caller]
fn read(station: &Station, name: &str) -> String {
    let path = station.path().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn lines_are_those_of_exopy() {
    let station = Station::new();
    let file = station.measurement("M", &sweep(LINES));
    let finished = run(&station, &file, &[]);
    assert_eq!(finished.code, Some(0), "{}", finished.errors);
    assert_eq!(read(&station, "M.dat"), LINES_OF_EXOPY);
}

#[test]
fn a_second_run_overwrites_nothing_and_says_where_its_data_are() {
    let station = Station::new();
    let file = station.measurement("M", &sweep(LINES));
    fs::write(station.path().join("M.dat"), "precious").expect("a file");
    let finished = run(&station, &file, &[]);
    assert_eq!(finished.code, Some(0), "{}", finished.errors);
    assert_eq!(read(&station, "M.dat"), "precious");
    assert_eq!(read(&station, "M-1.dat"), LINES_OF_EXOPY);
    let said = |event: &&serde_json::Value| {
        event["type"] == "log" && event["message"].as_str().is_some_and(|text| text.ends_with("/M-1.dat"))
    };
    assert_eq!(finished.events.iter().filter(said).count(), 1);

    let refused = run(&station, &file, &["--on-existing", "refuse"]);
    assert_eq!(refused.code, Some(1), "{}", refused.errors);
    assert_eq!(read(&station, "M.dat"), "precious");

    let replaced = run(&station, &file, &["--on-existing", "overwrite"]);
    assert_eq!(replaced.code, Some(0), "{}", replaced.errors);
    assert_eq!(read(&station, "M.dat"), LINES_OF_EXOPY);
}

#[test]
fn a_check_makes_no_file_and_a_run_makes_folders() {
    let station = Station::new();
    let save = LINES.replace("name = S", "name = S\nfolder = {default_path}/today/warm");
    let file = station.measurement("M", &sweep(&save));
    let checked = station.run(&["check", file.to_str().expect("a plain path")]);
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    assert!(!station.path().join("today").exists(), "a check makes nothing");
    let finished = run(&station, &file, &[]);
    assert_eq!(finished.code, Some(0), "{}", finished.errors);
    assert_eq!(read(&station, "today/warm/M.dat"), LINES_OF_EXOPY);
}

#[test]
fn a_table_is_filled_while_a_file_goes_on() {
    let station = Station::new();
    let save = "task_id = exopy_hqc_legacy.SaveTask
        name = T
        saving_target = File and array
        filename = M.dat
        array_size = 3
        saved_values = \"[('V', '{L_value}'), ('i', '{L_index}')]\"
        [[[children_2]]]
        task_id = exopy_hqc_legacy.SaveArrayTask
        name = A
        folder = {default_path}/tables
        filename = {L_index}.dat
        header = so far
        target_array = {T_array}";
    let file = station.measurement("M", &sweep(save));
    let finished = run(&station, &file, &[]);
    assert_eq!(finished.code, Some(0), "{}", finished.errors);
    assert_eq!(read(&station, "M.dat"), "V\ti\n0.0\t1\n0.3\t2\n0.6\t3\n0.9\t4\n");
    assert_eq!(
        read(&station, "tables/2.dat"),
        "# so far\nV\ti\n\
         0.000000000000000000e+00\t1.000000000000000000e+00\n\
         2.999999999999999889e-01\t2.000000000000000000e+00\n\
         nan\tnan\n"
    );
    assert_eq!(read(&station, "tables/4.dat").matches("nan").count(), 4);
}

#[test]
fn what_was_saved_in_hdf5_is_loaded() {
    let station = Station::new();
    let save = "task_id = exopy_hqc_legacy.SaveFileHDF5Task
        name = S
        filename = M.h5
        datatype = float64
        saved_values = \"[('V', '{L_value}'), ('w', 'np.array([1j, {L_index}])')]\"
        [[[children_2]]]
        task_id = exopy_hqc_legacy.LoadArrayTask
        name = H
        filename = M.h5
        selected_format = H5PY
            [[[[interface]]]]
            interface_id = exopy_hqc_legacy.LoadArrayTask:exopy_hqc_legacy.H5PYLoadInterface";
    let file = station.measurement("M", &sweep(save));
    let values = station.path().join("values.json");
    let finished = run(
        &station,
        &file,
        &["--values-out", values.to_str().expect("a plain path")],
    );
    assert_eq!(finished.code, Some(0), "{}", finished.errors);
    let values: serde_json::Value = serde_json::from_str(&read(&station, "values.json")).expect("JSON");
    let loaded = values["root/L/H_array"].to_string();
    assert_eq!(
        loaded,
        "{\"__dict__\":[[\"V\",[0.0,0.3,0.6,0.9]],[\"w_re\",[[0.0,1.0],[0.0,2.0],[0.0,3.0],[0.0,4.0]]],\
         [\"w_im\",[[1.0,0.0],[1.0,0.0],[1.0,0.0],[1.0,0.0]]]]}"
    );
}

#[test]
fn an_old_measurement_saves_as_it_did() {
    let station = Station::new();
    let text = format!(
        "monitors = 1
checks = []
headers = []
name = Old
[root_task]
    default_path = {}
    task_class = ComplexTask
    task_name = Root
    [[children_task_0]]
        task_class = LoopTask
        task_name = L
        timing = False
        [[[children_task_0]]]
            task_class = SaveTask
            task_name = Save
            saving_target = File
            folder = {{default_path}}
            filename = old.dat
            header = '''T = 130mK

P = 0'''
            array_size = \"\"
            saved_values = \"[(u'i', '{{L_index}}'), (u'twice', '{{L_index}}*2')]\"
            wait = {{'activated': True}}
        [[[interface]]]
            interface_class = LinspaceLoopInterface
            start = 1
            stop = 2
            step = 1
",
        station.path().display()
    );
    let file = station.path().join("old.ini");
    fs::write(&file, text).expect("the folder can be written to");
    let finished = run(&station, &file, &[]);
    assert_eq!(finished.code, Some(0), "{}", finished.errors);
    assert_eq!(
        read(&station, "old.dat"),
        "# T = 130mK\n# \n# P = 0\ni\ttwice\n1\t2\n2\t4\n"
    );
}

#[test]
fn a_killed_run_goes_on_in_its_files() {
    let tasks = "    [[children_0]]
        task_id = exopy.LoopTask
        name = L
        [[[interface]]]
            interface_id = exopy.LoopTask:exopy.IterableLoopInterface
            iterable = range(60)
        [[[children_0]]]
            task_id = exopy_hqc_legacy.SaveTask
            name = S
            saving_target = File and array
            array_size = 25
            filename = s.dat
            header = h
            saved_values = \"[('i', '{L_value}'), ('x', '{L_value}/7')]\"
        [[[children_1]]]
            task_id = exopy_hqc_legacy.SaveFileTask
            name = F
            filename = f{L_value}.dat
            saved_values = \"[('z', 'np.arange(3)*1j + {L_value}')]\"
        [[[children_2]]]
            task_id = exopy_hqc_legacy.SaveFileHDF5Task
            name = H
            filename = h.h5
            datatype = float64
            saved_values = \"[('i', '{L_value}'), ('w', 'np.arange(3)*{L_value}')]\"
        [[[children_3]]]
            task_id = exopy.LogTask
            name = Say
            message = at {L_value}
        [[[children_4]]]
            task_id = exopy.SleepTask
            name = W
            time = 0.005
    [[children_1]]
        task_id = exopy_hqc_legacy.SaveArrayTask
        name = A
        filename = a.npy
        mode = Binary file
        target_array = np.arange({L_index})";
    let undisturbed = Station::new();
    let finished = run(&undisturbed, &undisturbed.measurement("M", tasks), &[]);
    assert_eq!(finished.code, Some(0), "{}", finished.errors);

    let station = Station::new();
    let mut killed = station.start(&station.measurement("M", tasks), &[]);
    killed.until_log("at 30");
    station::signal(killed.performer(), "KILL");
    assert_eq!(killed.finish().code, Some(1));
    let record = station.path().join("M_001.record");
    let resumed = station.run(&["resume", record.to_str().expect("a plain path")]);
    assert_eq!(resumed.status.code(), Some(0), "{resumed:?}");

    let mut names: Vec<String> = ["s.dat", "h.h5", "a.npy"].map(str::to_owned).into();
    names.extend((0..60).map(|value| format!("f{value}.dat")));
    for name in &names {
        let bytes = |station: &Station| fs::read(station.path().join(name)).ok();
        assert!(bytes(&undisturbed).is_some(), "{name} was not written");
        assert!(bytes(&station) == bytes(&undisturbed), "{name} is another after a kill");
    }
    let count = |station: &Station| fs::read_dir(station.path()).expect("the folder").count();
    assert_eq!(count(&station), count(&undisturbed) + 1, "only a second log is new");
}
