//! Files in real folders: what is overwritten, what gets another name, what a kill leaves.

use super::*;

use measurement::{Dataset, Element, Rows};
use tempfile::TempDir;

const ONE: TaskId = TaskId(1);
const TWO: TaskId = TaskId(2);

struct Bench {
    folder: TempDir,
    files: DataFiles,
    announced: Mutex<Vec<OpenedFile>>,
}

impl Bench {
    fn new(on_existing: OnExisting) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            files: DataFiles::new(on_existing),
            announced: Mutex::default(),
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("the folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn create(&self, task: TaskId, name: &str, header: &str) -> Result<Option<String>, String> {
        let path = self.path(name);
        let announce = |made: &str, content, _at| {
            assert!(
                self.files.on_existing == OnExisting::Overwrite || !Path::new(made).exists(),
                "announced before it is made"
            );
            lock(&self.announced).push(OpenedFile {
                task: task.0,
                asked: path.clone(),
                path: made.to_owned(),
                content,
                notes: Value::Int(7),
            });
            Ok(())
        };
        let made = self
            .files
            .create_text(task, &path, header.as_bytes(), Value::Int(7), &announce);
        made.map(|(_, note)| note)
    }

    fn whole(&self, task: TaskId, name: &str, content: &str) -> Result<String, String> {
        let announce = |_: &str, _, _| Ok(());
        let made = self
            .files
            .write_whole(task, &self.path(name), content.as_bytes(), &announce);
        made.map(|(path, _)| path.rsplit('/').next().unwrap_or_default().to_owned())
    }
}

#[test]
fn nothing_that_exists_is_overwritten() {
    let bench = Bench::new(OnExisting::Rename);
    fs::write(bench.path("a.dat"), "theirs").expect("a file");
    let note = bench
        .create(ONE, "a.dat", "x\n")
        .expect("it is made")
        .expect("it is said");
    assert!(
        note.contains("/a.dat exists: what is saved goes to ") && note.ends_with("/a-1.dat"),
        "{note}"
    );
    bench.files.append_text(ONE, b"1\n", 1).expect("a line");
    assert_eq!(
        (bench.text("a.dat"), bench.text("a-1.dat")),
        ("theirs".into(), "x\n1\n".into())
    );

    let note = bench
        .create(TWO, "a-1.dat", "y\n")
        .expect("it is made")
        .expect("it is said");
    assert!(note.contains("is another task's"), "{note}");
    assert_eq!(bench.text("a-1-1.dat"), "y\n");
    let file = bench.files.open_file(ONE).expect("it is open");
    assert_eq!((file.path, file.rows), (bench.path("a-1.dat"), 1));
}

#[test]
fn what_exists_is_a_failure_if_asked() {
    let bench = Bench::new(OnExisting::Refuse);
    fs::write(bench.path("a.dat"), "theirs").expect("a file");
    let why = bench.create(ONE, "a.dat", "x\n").expect_err("it exists");
    assert!(why.ends_with("a.dat` exists, and nothing may be overwritten"), "{why}");
    assert_eq!(bench.text("a.dat"), "theirs");
}

#[test]
fn what_exists_is_overwritten_if_asked_but_not_what_another_task_writes() {
    let bench = Bench::new(OnExisting::Overwrite);
    fs::write(bench.path("a.dat"), "theirs, and longer").expect("a file");
    assert_eq!(bench.create(ONE, "a.dat", "x\n"), Ok(None));
    bench.files.append_text(ONE, b"1\n", 1).expect("a line");
    assert!(bench.create(TWO, "a.dat", "y\n").expect("it is made").is_some());
    assert_eq!(
        (bench.text("a.dat"), bench.text("a-1.dat")),
        ("x\n1\n".into(), "y\n".into())
    );
    assert_eq!(bench.names(), ["a-1.dat", "a.dat"]);
}

#[test]
fn a_whole_file_is_replaced_by_its_own_task_only() {
    let bench = Bench::new(OnExisting::Rename);
    fs::write(bench.path("a.npy"), "theirs").expect("a file");
    assert_eq!(bench.whole(ONE, "a.npy", "1").as_deref(), Ok("a-1.npy"));
    assert_eq!(bench.whole(ONE, "a.npy", "22").as_deref(), Ok("a-1.npy"));
    assert_eq!(bench.whole(TWO, "a.npy", "3").as_deref(), Ok("a-2.npy"));
    assert_eq!(bench.whole(ONE, "deep/er/b", "4").as_deref(), Ok("b"));
    let texts = ["a.npy", "a-1.npy", "a-2.npy", "deep/er/b"].map(|name| bench.text(name));
    assert_eq!(texts, ["theirs", "22", "3", "4"]);
    bench.files.sync_all();
}

#[test]
fn a_broken_run_goes_on_where_its_record_ends() {
    let bench = Bench::new(OnExisting::Rename);
    bench.create(ONE, "a.dat", "x\n").expect("it is made");
    for line in ["1\n", "2\n", "3"] {
        bench.files.append_text(ONE, line.as_bytes(), 1).expect("a line");
    }
    let opened = lock(&bench.announced)[0].clone();
    assert_eq!(
        available(&opened),
        Available::UpTo(FileAt {
            bytes: 7,
            rows: u64::MAX
        })
    );

    let on_record = FileState {
        opened: opened.clone(),
        at: FileAt { bytes: 4, rows: 1 },
    };
    let files = DataFiles::new(OnExisting::Rename);
    files.resume(&[on_record], &[]).expect("it goes on");
    let file = files.open_file(ONE).expect("it is open");
    assert_eq!((file.rows, file.notes.as_i64()), (1, Some(7)));
    files.append_text(ONE, b"two\n", 1).expect("a line");
    assert_eq!(bench.text("a.dat"), "x\n1\ntwo\n");

    // The process died between the announcement and the file.
    fs::remove_file(bench.path("a.dat")).expect("it is there");
    assert_eq!(available(&opened), Available::Missing);
    let begun = FileState {
        opened: opened.clone(),
        at: FileAt { bytes: 2, rows: 0 },
    };
    DataFiles::new(OnExisting::Rename)
        .resume(&[begun], &[])
        .expect("it goes on");
    assert_eq!(bench.text("a.dat"), "x\n");

    fs::write(bench.path("a.dat"), "another file").expect("a file");
    let at = FileAt { bytes: 4, rows: 1 };
    let why = DataFiles::new(OnExisting::Rename).resume(&[FileState { opened, at }], &[]);
    assert!(why.expect_err("it is another").contains("is not the file"));
}

#[test]
fn rows_of_an_hdf5_file_survive() {
    let bench = Bench::new(OnExisting::Rename);
    let dataset = |path: &str, cell: Vec<usize>, rows| Dataset {
        path: path.to_owned(),
        element: Element::Float64,
        cell,
        rows,
        gzip: false,
    };
    let layout = Hdf5 {
        datasets: vec![
            dataset("x", vec![], Rows::Appended),
            dataset("y", vec![2], Rows::Appended),
            dataset("p", vec![], Rows::Constant(Value::Float(0.5))),
        ],
        attributes: Vec::new(),
        squeeze: true,
    };
    let opened = Mutex::new(Vec::new());
    let announce = |path: &str, content, at| {
        lock(&opened).push((path.to_owned(), content, at));
        Ok(())
    };
    let path = bench.path("a.h5");
    bench
        .files
        .create_hdf5(ONE, &path, &layout, Value::None, &announce)
        .expect("it is made");
    let row = |x: i64| [Value::Int(x), Value::from(vec![0.5, x as f64])];
    for x in 0..3 {
        bench.files.append_hdf5(ONE, &row(x)).expect("a row");
    }
    let why = bench.files.append_hdf5(ONE, &[Value::Int(1), Value::from("a")]);
    assert!(why.expect_err("a text").contains("is no number"));
    let (path, content, _) = lock(&opened).remove(0);
    let (datasets, calls) = bench
        .files
        .read_hdf5(&path)
        .expect("it can be read while it is written");
    let words: Vec<String> = datasets.iter().map(|(path, value)| format!("{path} {value}")).collect();
    assert_eq!(calls, Some(3));
    assert_eq!(
        words,
        ["x [0. 1. 2.]", "y [[0.5 0. ]\n [0.5 1. ]\n [0.5 2. ]]", "p 0.5"]
    );
    drop(bench.files);
    let finished = fs::read(&path).expect("the file");

    // Another run writes the same with a break.
    fs::remove_file(&path).expect("it is there");
    let files = DataFiles::new(OnExisting::Rename);
    let made = |files: &DataFiles| files.create_hdf5(ONE, &path, &layout, Value::None, &|_, _, _| Ok(()));
    made(&files).expect("it is made");
    files.append_hdf5(ONE, &row(0)).expect("a row");
    files.append_hdf5(ONE, &row(9)).expect("a row that is not on record");
    std::mem::forget(files);
    let files = DataFiles::new(OnExisting::Rename);
    let at = FileAt { bytes: 0, rows: 1 };
    let opened = OpenedFile {
        task: ONE.0,
        asked: path.clone(),
        path: path.clone(),
        content,
        notes: Value::None,
    };
    let rows = FileAt {
        bytes: u64::MAX,
        rows: 2,
    };
    assert_eq!(available(&opened), Available::UpTo(rows));
    files.resume(&[FileState { opened, at }], &[]).expect("it goes on");
    for x in 1..3 {
        files.append_hdf5(ONE, &row(x)).expect("a row");
    }
    assert_eq!(files.close_all(), Vec::<String>::new());
    assert_eq!(fs::read(&path).expect("the file"), finished);
}
