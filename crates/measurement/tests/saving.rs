//! What the tasks that save and load do on a dry bench. The files are, byte for byte, those that Exopy wrote with the same
//! values, but where its ways of losing data are not ours.

use std::collections::BTreeMap;

use expr::Value;
use measurement::{
    Bench, DataFile, DryBench, DryFile, DryRun, Element, Measurement, Overrides, Problem, Rows, Surroundings, TaskId,
};

/// A disk with one folder, `/data`, and these files.
struct Disk(BTreeMap<String, DryFile>);

impl Surroundings for Disk {
    fn folder(&self, path: &str) -> Result<(), String> {
        if path == "/data" {
            Ok(())
        } else {
            Err("there is no such folder".to_owned())
        }
    }

    fn folder_or_made(&self, path: &str) -> Result<(), String> {
        if path.starts_with("/data") {
            Ok(())
        } else {
            Err("it cannot be made".to_owned())
        }
    }

    fn is_file(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    fn beginning(&self, path: &str) -> Option<Vec<u8>> {
        self.0.get(path).map(|file| file.text().into_bytes())
    }

    fn datasets(&self, path: &str) -> Option<Vec<String>> {
        match self.0.get(path)? {
            DryFile::Hdf5(file, _) => Some(file.datasets.iter().map(|dataset| dataset.path.clone()).collect()),
            DryFile::Bytes(_) => None,
        }
    }
}

/// A measurement of these tasks; `@Save` stands for the id of a task of the package, `¶` parts fields.
fn measurement(tasks: &str) -> Measurement {
    let mut text =
        String::from("name = M\nid = 1\n[root_task]\n    task_id = exopy.ComplexTask\n    default_path = /data\n");
    for line in tasks.lines().map(str::trim).filter(|line| !line.is_empty()) {
        text.push_str(&line.replace('@', "task_id = exopy_hqc_legacy.").replace(" ¶ ", "\n"));
        text.push('\n');
    }
    let measurement = Measurement::read(text.as_bytes(), "m", &Overrides::default())
        .unwrap_or_else(|problems| panic!("{problems:?}\n{text}"));
    assert!(measurement.is_built(), "{:?}\n{text}", measurement.problems);
    measurement
}

fn problems(tasks: &str, disk: &Disk) -> Vec<Problem> {
    let measurement = measurement(tasks);
    let facts = measurement.facts("2026-11-22", "10-00-00");
    let mut problems = measurement.problems.clone();
    problems.extend(measurement.tree.check(&facts, disk).problems);
    problems
}

/// Performs on a bench with files; what went wrong, if anything did.
fn perform(tasks: &str, files: &[(&str, &str)]) -> (DryRun, Option<String>) {
    let files: BTreeMap<String, DryFile> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), DryFile::Bytes(text.as_bytes().to_vec())))
        .collect();
    let measurement = measurement(tasks);
    let disk = Disk(files.clone());
    let checked = measurement
        .tree
        .check(&measurement.facts("2026-11-22", "10-00-00"), &disk);
    let program = measurement.tree.prepare();
    let bench = DryBench::new(&program, checked.values, 1000).with_files(files);
    let failed = program.perform(&bench).err().map(|failure| failure.message);
    (bench.finish(), failed)
}

#[track_caller]
fn check(tasks: &str, expected: &[(&str, &str)]) {
    let (run, failed) = perform(tasks, &[]);
    assert_eq!(failed, None);
    let files: Vec<(&str, String)> = run
        .files
        .iter()
        .map(|(path, file)| (path.as_str(), file.text()))
        .collect();
    let expected: Vec<(&str, String)> = expected
        .iter()
        .map(|(path, text)| (*path, (*text).to_owned()))
        .collect();
    assert_eq!(files, expected);
}

fn value(run: &DryRun, tasks: &str, entry: &str) -> Value {
    let measurement = measurement(tasks);
    let id = measurement
        .tree
        .database()
        .by_path(entry)
        .unwrap_or_else(|| panic!("no entry {entry}"));
    run.values[id.index()].clone()
}

/// A loop over 0…4 around the tasks `children_0` ….
const LOOP: &str = "[[children_0]] ¶ task_id = exopy.LoopTask ¶ name = L
    [[[interface]]] ¶ interface_id = exopy.IterableLoopInterface ¶ iterable = range(5)";

#[test]
fn a_line_is_pythons_text_of_each_value() {
    let values = r#"saved_values = "[('V', '0.3'), ('i', '1'), ('t', 'True'), ('c', '0.3+1j'), ('s', '\"x\"'), ('e', '1e-05'), ('n', 'None'), ('l', '[1, 2.0]')]""#;
    check(
        &format!(
            "[[children_0]] ¶ @SaveTask ¶ name = S ¶ filename = f.dat ¶ header = '''line 1\nN = {{meas_name}}, x''' ¶ {values}"
        ),
        &[(
            "/data/f.dat",
            "# line 1\n# N = M, x\nV\ti\tt\tc\ts\te\tn\tl\n0.3\t1\tTrue\t(0.3+1j)\tx\t1e-05\tNone\t[1, 2.0]\n",
        )],
    );
}

#[test]
fn a_full_file_goes_on_unless_its_name_is_another() {
    let save = |name: &str| {
        format!(
            "{LOOP}\n[[[children_0]]] ¶ @SaveTask ¶ name = S ¶ filename = {name} ¶ array_size = 2 ¶ saved_values = \"[('a', '{{L_value}}')]\""
        )
    };
    check(&save("f.dat"), &[("/data/f.dat", "a\n0\n1\n2\n3\n4\n")]);
    check(
        &save("f{L_value}.dat"),
        &[
            ("/data/f0.dat", "a\n0\n1\n"),
            ("/data/f2.dat", "a\n2\n3\n"),
            ("/data/f4.dat", "a\n4\n"),
        ],
    );
}

#[test]
fn a_table_is_filled_row_by_row() {
    let tasks = format!(
        "{LOOP}\n[[[children_0]]] ¶ @SaveTask ¶ name = S ¶ saving_target = File and array ¶ filename = f.dat ¶ array_size = 3 ¶ saved_values = \"[('a', '{{L_value}}'), ('b', '{{L_value}}**2')]\""
    );
    let (run, failed) = perform(&tasks, &[]);
    assert_eq!(failed, None);
    assert_eq!(run.files["/data/f.dat"].text(), "a\tb\n0\t0\n1\t1\n2\t4\n3\t9\n4\t16\n");
    let table = value(&run, &tasks, "root/L/S_array");
    assert_eq!(table.to_string(), "[( 3.,  9.) ( 4., 16.) (nan, nan)]");
}

/// What a run leaves when it is broken off is enough for the next to go on.
#[track_caller]
fn check_going_on(tasks: &str, then: &str, path: &str, expected: &str) {
    let (broken, failed) = perform(tasks, &[]);
    assert_eq!(failed, None);
    let later = measurement(then);
    let program = later.tree.prepare();
    let mut bench = DryBench::new(&program, broken.values, 1000).with_files(broken.files);
    for (task, file) in broken.open {
        bench = bench.with_open(task, file);
    }
    program.perform(&bench).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(bench.finish().files[path].text(), expected);
}

#[test]
fn a_run_that_goes_on_appends() {
    let save = |points: &str, fields: &str| {
        format!(
            "[[children_0]] ¶ task_id = exopy.LoopTask ¶ name = L
        [[[interface]]] ¶ interface_id = exopy.IterableLoopInterface ¶ iterable = {points}
        [[[children_0]]] ¶ {fields}"
        )
    };
    let fields = "@SaveTask ¶ name = S ¶ saving_target = File and array ¶ filename = f.dat ¶ array_size = 4 ¶ saved_values = \"[('a', '{L_value}')]\"";
    let (one, two) = (save("\"[0, 1, 2]\"", fields), save("\"[3, 4]\"", fields));
    check_going_on(&one, &two, "/data/f.dat", "a\n0\n1\n2\n3\n4\n");

    let fields =
        "@SaveTask ¶ name = S ¶ saving_target = Array ¶ array_size = 4 ¶ saved_values = \"[('a', '{L_value}')]\"
        [[[children_1]]] ¶ @SaveArrayTask ¶ name = A ¶ filename = a.dat ¶ target_array = {S_array}['a'][:3]";
    let (one, two) = (save("\"[0, 1]\"", fields), save("\"[2]\"", fields));
    let lines = "0.000000000000000000e+00\n1.000000000000000000e+00\n2.000000000000000000e+00\n";
    check_going_on(&one, &two, "/data/a-1.dat", lines);

    let fields =
        "@SaveFileTask ¶ name = S ¶ filename = f.dat ¶ saved_values = \"[('z', 'np.array([1j, {L_value}])')]\"";
    let (one, two) = (save("\"[2]\"", fields), save("\"[3]\"", fields));
    let number = |digit: &str| format!("{digit}.000000000000000000e+00");
    let line = |re: &str, im: &str| format!("{}\t{}\n", number(re), number(im));
    let expected = [
        "z_re\tz_im\n".into(),
        line("0", "1"),
        line("2", "0"),
        line("0", "1"),
        line("3", "0"),
    ]
    .concat();
    check_going_on(&one, &two, "/data/f.dat", &expected);
}

#[test]
fn arrays_are_blocks_of_lines() {
    let save = |values: &str| {
        format!("[[children_0]] ¶ @SaveTask ¶ name = T ¶ saving_target = Array ¶ array_size = 2 ¶ saved_values = \"[('V', '0.3'), ('a', '2')]\"
        [[children_1]] ¶ @SaveTask ¶ name = T2 ¶ saving_target = Array ¶ array_size = 2 ¶ saved_values = \"[('V', '0.3'), ('a', '2')]\"
        [[children_2]] ¶ @SaveFileTask ¶ name = S ¶ filename = f.dat ¶ saved_values = \"[{values}]\"")
    };
    check(
        &save("('k', '2'), ('r', '{T_array}'), ('z', 'np.array([1, 5])')"),
        &[(
            "/data/f.dat",
            "k\tr_V\tr_a\tz\n\
             2.000000000000000000e+00\t2.999999999999999889e-01\t2.000000000000000000e+00\t1.000000000000000000e+00\n\
             2.000000000000000000e+00\tnan\tnan\t5.000000000000000000e+00\n",
        )],
    );
    check(
        &save("('k', '2'), ('l', 'np.array([7, 8])'), ('m', 'np.arange(4.).reshape(2, 2)')"),
        &[(
            "/data/f.dat",
            "k\tl\tm\n\
             2.000000000000000000e+00\t7.000000000000000000e+00\t0.000000000000000000e+00\n\
             2.000000000000000000e+00\t7.000000000000000000e+00\t1.000000000000000000e+00\n\
             2.000000000000000000e+00\t8.000000000000000000e+00\t2.000000000000000000e+00\n\
             2.000000000000000000e+00\t8.000000000000000000e+00\t3.000000000000000000e+00\n",
        )],
    );
    for (values, why) in [
        (
            "('a', '\\\"x\\\"'), ('z', 'np.array([1])')",
            "TypeError: `a` cannot be saved beside an array: 'x' is no number",
        ),
        (
            "('a', 'np.arange(3)'), ('z', 'np.array([1])')",
            "ValueError: `a` has 3 items and `z` 1: arrays of one file must be of one length",
        ),
        (
            "('a', 'np.zeros((1, 1, 1))')",
            "ValueError: `a` has 3 dimensions: a text file can hold two; save it in an HDF5 file",
        ),
        (
            "('a', 'np.arange(3)'), ('m', 'np.zeros((2, 2))')",
            "ValueError: `a` has 3 items and `m` 2 rows: there should be an item for each row",
        ),
    ] {
        let (_, failed) = perform(&save(values), &[]);
        assert_eq!(failed.as_deref(), Some(why), "{values}");
    }
}

#[test]
fn a_new_name_is_a_new_file_and_nothing_is_overwritten() {
    let tasks = format!("{LOOP}\n[[[children_0]]] ¶ @SaveFileTask ¶ name = S ¶ filename = f{{L_value}}.dat ¶ header = n ¶ saved_values = \"[('a', '{{L_value}}')]\"")
        .replace("range(5)", "\"[0, 0, 1, 0]\"");
    check(
        &tasks,
        &[
            ("/data/f0-1.dat", "# n\na\n0\n"),
            ("/data/f0.dat", "# n\na\n0\n0\n"),
            ("/data/f1.dat", "# n\na\n1\n"),
        ],
    );
}

#[test]
fn an_array_has_a_file_of_its_own() {
    let save = |array: &str, fields: &str| {
        format!(
            "[[children_0]] ¶ @SaveArrayTask ¶ name = A ¶ folder = {{default_path}}/sub ¶ filename = a.dat ¶ target_array = \"{array}\" ¶ {fields}"
        )
    };
    check(
        &save("np.array([[1+2j, .5-1j]])", "header = '''x\ny'''"),
        &[(
            "/data/sub/a.dat",
            "# x\n# y\n (1.000000000000000000e+00+2.000000000000000000e+00j)\t (5.000000000000000000e-01-1.000000000000000000e+00j)\n",
        )],
    );
    check(
        &save("np.array([.1, np.nan, np.inf, -np.inf])", "mode = Text file"),
        &[("/data/sub/a.dat", "1.000000000000000056e-01\nnan\ninf\n-inf\n")],
    );
    let header = |text: &str| {
        format!("\u{93}NUMPY\u{1}\0v\0{text:117}\n")
            .chars()
            .map(|c| c as u8)
            .collect::<Vec<u8>>()
    };
    for (array, text, data) in [
        (
            "np.array([.1, 2.])",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }",
            &b"\x9a\x99\x99\x99\x99\x99\xb9?\0\0\0\0\0\0\0@"[..],
        ),
        (
            "np.array([[True], [False]])",
            "{'descr': '|b1', 'fortran_order': False, 'shape': (2, 1), }",
            b"\x01\0",
        ),
        (
            "np.array(['ab', 'é'])",
            "{'descr': '<U2', 'fortran_order': False, 'shape': (2,), }",
            b"a\0\0\0b\0\0\0\xe9\0\0\0\0\0\0\0",
        ),
    ] {
        let (run, failed) = perform(&save(array, "mode = Binary file"), &[]);
        assert_eq!(failed, None);
        let Some(DryFile::Bytes(bytes)) = run.files.get("/data/sub/a.npy") else {
            panic!("{:?}", run.files.keys());
        };
        assert_eq!(*bytes, [header(text).as_slice(), data].concat(), "{array}");
    }
}

#[test]
fn a_table_is_loaded_and_searched() {
    let file = ("/data/cal.dat", "# T = 4\nFreq\tS21 (dB)\n1\t-3\n2\t-1\n3\t-2\n");
    let tasks = "[[children_0]] ¶ @LoadArrayTask ¶ name = cal ¶ filename = cal.dat ¶ selected_format = CSV
        [[[interface]]] ¶ interface_id = exopy_hqc_legacy.LoadArrayTask:exopy_hqc_legacy.CSVLoadInterface ¶ names = True
        [[children_1]] ¶ @ArrayExtremaTask ¶ name = ext ¶ target_array = {cal_array} ¶ column_name = S21_dB ¶ mode = Max & min
        [[children_2]] ¶ @ArrayFindValueTask ¶ name = find ¶ target_array = {cal_array} ¶ column_name = Freq ¶ value = 1+2";
    let (run, failed) = perform(tasks, &[file]);
    assert_eq!(failed, None);
    for (entry, expected) in [
        ("ext_max_ind", "np.int64(1)"),
        ("ext_max_value", "np.float64(-1.0)"),
        ("ext_min_ind", "np.int64(0)"),
        ("ext_min_value", "np.float64(-3.0)"),
        ("find_index", "np.int64(2)"),
    ] {
        assert_eq!(value(&run, tasks, &format!("root/{entry}")).repr(), expected, "{entry}");
    }
    let (_, failed) = perform(&tasks.replace("1+2", "9"), &[file]);
    assert!(failed.is_some_and(|why| why.starts_with("ValueError: 9 is not in the array")));
    let (_, failed) = perform(&tasks.replace("cal.dat", "no.dat"), &[file]);
    assert_eq!(failed.as_deref(), Some("there is no file `/data/no.dat`"));

    let disk = Disk([(file.0.to_owned(), DryFile::Bytes(file.1.into()))].into());
    assert_eq!(problems(tasks, &disk), []);
    let found = problems(&tasks.replace("S21_dB", "S12"), &disk);
    assert_eq!(found[0].path, "root/ext");
    assert_eq!(
        found[0].message,
        "the array has no field `S12`, its fields are `Freq`, `S21_dB`"
    );
}

#[test]
fn an_hdf5_file_has_a_dataset_for_each_plain_value() {
    let tasks = format!(
        "{LOOP}\n[[[children_0]]] ¶ @SaveFileHDF5Task ¶ name = S ¶ filename = f.h5 ¶ header = T = 4 ¶ datatype = float64 ¶ compression = gzip ¶ saved_values = \"[('V', '{{L_value}}'), ('z', 'np.array([1j, 2])')]\""
    );
    let (run, failed) = perform(&tasks, &[]);
    assert_eq!(failed, None);
    let Some(DryFile::Hdf5(file, rows)) = run.files.get("/data/f.h5") else {
        panic!("{:?}", run.files.keys());
    };
    let shapes: Vec<_> = file
        .datasets
        .iter()
        .map(|set| (set.path.as_str(), set.cell.clone(), set.gzip))
        .collect();
    assert_eq!(
        shapes,
        [("V", vec![], true), ("z_re", vec![2], true), ("z_im", vec![2], true)]
    );
    assert!(file.squeeze && file.datasets.iter().all(|set| matches!(set.rows, Rows::Appended)));
    let attributes: Vec<String> = file.attributes.iter().map(|pair| format!("{pair:?}")).collect();
    assert_eq!(
        attributes,
        [
            "(\"header\", Text(\"T = 4\"))",
            "(\"reshape_loop\", Bool(false))",
            "(\"ordered_keys\", Text(\"['V', 'z_re', 'z_im']\"))",
        ]
    );
    assert_eq!(rows.len(), 5);
    assert_eq!(
        Value::list(rows[4].clone()).repr(),
        "[4, array([0., 2.]), array([1., 0.])]"
    );
}

#[test]
fn a_smart_file_has_a_dimension_for_each_loop() {
    let tasks = "[[children_0]] ¶ task_id = exopy.LoopTask ¶ name = freq
        [[[interface]]] ¶ interface_id = exopy.LinspaceLoopInterface ¶ start = 0 ¶ stop = 2 ¶ step = 1
        [[[children_0]]] ¶ task_id = exopy.ComplexTask ¶ name = C
        [[[[children_0]]]] ¶ task_id = exopy.LoopTask ¶ name = B
        [[[[[interface]]]]] ¶ interface_id = exopy.IterableLoopInterface ¶ iterable = range(2)
        [[[[[children_0]]]]] ¶ task_id = exopy_qcircuits.SmartSaveTask ¶ name = S ¶ filename = f.h5 ¶ datatype = float32 ¶ saved_values = \"[('I', '{B_value}'), ('trace', 'np.arange({B_value} + 2)')]\" ¶ saved_parameters = \"[('freq', '{freq_loop_values}*2 + 1'), ('T', '0.02')]\"";
    let (run, failed) = perform(tasks, &[]);
    assert_eq!(failed, None);
    let Some(DryFile::Hdf5(file, rows)) = run.files.get("/data/f.h5") else {
        panic!("{:?}", run.files.keys());
    };
    let sets: Vec<String> = file
        .datasets
        .iter()
        .map(|set| match &set.rows {
            Rows::Within(dims) => format!("{} {:?} {dims:?} {:?}", set.path, set.element, set.cell),
            Rows::Constant(value) => format!("{} {:?} {}", set.path, set.element, value),
            Rows::Appended => format!("{} appended", set.path),
        })
        .collect();
    assert_eq!(
        sets,
        [
            "parameters/freq Float64 [1. 3. 5.]",
            "parameters/B Int64 [0 1]",
            "parameters/T Float64 0.02",
            "data/I Float32 [3, 2] []",
            "data/trace Float32 [3, 2] [2]",
        ]
    );
    assert_eq!(file.datasets[3].element, Element::Float32);
    assert_eq!(rows.len(), 6);
    assert_eq!(rows[1][1].to_string(), "[0. 1.]");
    assert_eq!(
        run.log.len(),
        1,
        "an array that does not fit is said once: {:?}",
        run.log
    );
}

#[test]
fn checks_look_at_paths_labels_and_values() {
    let disk = Disk([("/data/old.dat".to_owned(), DryFile::Bytes(Vec::new()))].into());
    let found = |fields: &str| -> Vec<String> {
        let tasks = format!("[[children_0]] ¶ @SaveFileTask ¶ name = S ¶ {fields}");
        let words = |problem: &Problem| format!("{} {}", problem.path, problem.message);
        problems(&tasks, &disk).iter().map(words).collect()
    };
    assert_eq!(
        found("folder = {default_path}/new/er ¶ filename = f.dat"),
        Vec::<String>::new()
    );
    assert_eq!(
        found("folder = /elsewhere ¶ filename = f.dat"),
        ["root/S-folder `/elsewhere`: there is no such folder"]
    );
    assert_eq!(
        found("folder = D:\\Data ¶ filename = f.dat"),
        ["root/S-folder `D:\\Data` is a path of Windows, which means nothing here"]
    );
    assert_eq!(
        found("filename = old.dat"),
        ["root/S-file `/data/old.dat` exists: it is kept, and the new file gets another name"]
    );
    assert_eq!(found("filename = ''"), ["root/S-filename the file has no name"]);
    assert_eq!(
        found("filename = f ¶ saved_values = \"[('a', '1/0'), ('M', '1'), ('{meas_name}', '2'), ('s', 'x')]\""),
        [
            "root/S-entry_0 `a`: ZeroDivisionError: division by zero",
            "root/S-label_2 two labels are `M`: all labels must be different",
            "root/S-entry_3 `s`: NameError: name 'x' is not defined",
        ]
    );
    assert_eq!(
        found("filename = f ¶ saved_values = \"{'a': '1', 'b': '[1]'}\""),
        Vec::<String>::new(),
        "a dict is a list of pairs"
    );
}

#[test]
fn ids_of_the_earlier_name_are_understood() {
    for id in ["ecpy_hqc_legacy.SaveTask", "ecpy_hqc_legacy.LoadArrayTask"] {
        assert!(measurement::kind(id).is_some(), "{id}");
    }
    let foreign = "name = M\n[root_task]\ntask_id = exopy.ComplexTask\n[[children_0]]\ntask_id = exopy_hqc_legacy.DemodSPTask\nname = P\n";
    let read = Measurement::read(foreign.as_bytes(), "m", &Overrides::default()).expect("it can be read");
    assert!(read.problems.iter().any(|problem| {
        problem
            .message
            .contains("the tasks of `exopy_hqc_legacy` cannot be performed by this version yet")
    }));
}

#[test]
fn a_bench_knows_what_a_task_has_open() {
    let measurement = measurement("");
    let program = measurement.tree.prepare();
    let file = DataFile {
        path: "/data/a".to_owned(),
        rows: 3,
        notes: Value::Int(1),
    };
    let bench = DryBench::new(&program, Vec::new(), 1).with_open(TaskId(1), file);
    assert_eq!(bench.data_file(TaskId(1)).map(|file| file.rows), Some(3));
    bench.close_file(TaskId(1)).expect("it is closed");
    assert!(bench.data_file(TaskId(1)).is_none());
}
