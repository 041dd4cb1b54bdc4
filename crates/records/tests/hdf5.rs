//! HDF5 files against the programs that people read them with: h5py, xarray and netCDF4, in the interpreter that
//! `MEASURAND_PYTHON` names.
//!
//! Without it, or where it has no h5py, these tests say `skipped` and what they would have needed; what needs no Python
//! is tested all the same.

use std::{
    collections::BTreeSet,
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

use records::hdf5::{
    Attribute, Cells, Contents, Data, Dataset, Element, Error, Existing, File, Layout, Live, Numbers, Rows, Variable,
    read, write,
};
use tempfile::TempDir;

/// What a Python process needs before the script of a test: the modules, and what every row of [`mixed`] holds.
const PRELUDE: &str = "
import json, os, sys
import h5py, numpy as np

def check_mixed(f, n):
    '''The first n rows of the datasets are right; there may be more.'''
    with np.errstate(over='ignore'):
        x = np.arange(n) * 0.1
        assert (f['x'][:n] == x).all()
        assert (f['count'][:n] == np.arange(n)).all() and f['count'].dtype == np.int64
        assert (f['data/trace'][:n] == (x[:, None, None] + np.arange(900).reshape(2, 450)).astype('f4')).all()
        assert (f['data/half'][:n] == (x * 1000).astype('f2')).all() and f['data/half'].dtype == np.float16
        within = f['data/within'][()].reshape(-1, 3)
        assert (within[:n] == np.stack([x, -x, x * x], axis=1)).all()
        assert (within[n + 1:] == 0).all()
        assert f['parameters/gate'][()] == 1.5 and f['parameters/steps'][()].tolist() == [1, 2, 3]
";

/// The interpreter, or nothing after a word about what is missing.
fn python(modules: &str) -> Option<String> {
    let Ok(python) = env::var("MEASURAND_PYTHON") else {
        println!("skipped: MEASURAND_PYTHON names no interpreter with {modules}");
        return None;
    };
    let found = Command::new(&python)
        .args(["-c", &format!("import {modules}")])
        .stderr(Stdio::null())
        .status();
    if !found.is_ok_and(|status| status.success()) {
        println!("skipped: `{python}` cannot import {modules}");
        return None;
    }
    Some(python)
}

fn start(python: &str, script: &str, args: &[&Path]) -> Child {
    let script = format!("{PRELUDE}\n{script}");
    let mut command = Command::new(python);
    command
        .arg("-c")
        .arg(script)
        .args(args)
        .stdout(Stdio::piped())
        .stdin(Stdio::null());
    command.spawn().expect("the interpreter starts")
}

/// What the script prints; the test fails where it fails.
fn run(python: &str, script: &str, args: &[&Path]) -> String {
    let output = start(python, script, args).wait_with_output().expect("it ends");
    assert!(output.status.success(), "the script failed");
    String::from_utf8(output.stdout).expect("text")
}

fn dataset(path: &str, element: Element, cell: &[usize], rows: Rows) -> Dataset {
    Dataset {
        path: path.into(),
        element,
        cell: cell.to_vec(),
        rows,
        gzip: false,
    }
}

fn text(text: &str) -> Attribute {
    Attribute::Text(text.into())
}

/// Every way to fill a dataset and every element, in groups.
fn mixed() -> Layout {
    let gate = Rows::Constant(Element::Float64.bytes(Cells::Float(&[1.5])));
    let steps = Rows::Constant(Element::Int64.bytes(Cells::Int(&[1, 2, 3])));
    Layout {
        datasets: vec![
            dataset("x", Element::Float64, &[], Rows::Appended),
            dataset("count", Element::Int64, &[], Rows::Appended),
            dataset("parameters/gate", Element::Float64, &[], gate),
            dataset("parameters/steps", Element::Int64, &[3], steps),
            dataset("data/trace", Element::Float32, &[2, 450], Rows::Appended),
            dataset("data/half", Element::Float16, &[], Rows::Appended),
            dataset("data/within", Element::Float64, &[3], Rows::Within(vec![50, 200])),
        ],
        attributes: vec![
            ("header".into(), text("Grüße\n")),
            ("reshape_loop".into(), Attribute::Bool(true)),
            (
                "ordered_keys".into(),
                Attribute::Texts(vec!["V".into(), "".into(), "µ".into()]),
            ),
            ("size".into(), Attribute::Int(-3)),
            ("température".into(), Attribute::Float(0.25)),
        ],
        squeeze: false,
    }
}

/// What a row of [`mixed`] needs, made once and changed for each row.
struct Row {
    trace: Vec<f64>,
}

impl Row {
    fn new() -> Self {
        Self { trace: vec![0.0; 900] }
    }

    fn append(&mut self, live: &mut Live) -> Result<(), Error> {
        let number = live.rows();
        let x = number as f64 * 0.1;
        self.trace
            .iter_mut()
            .enumerate()
            .for_each(|(at, value)| *value = x + at as f64);
        live.append(&[
            Cells::Float(&[x]),
            Cells::Int(&[number as i64]),
            Cells::Float(&self.trace),
            Cells::Float(&[x * 1000.0]),
            Cells::Float(&[x, -x, x * x]),
        ])
    }
}

fn fill(live: &mut Live, rows: u64) {
    let mut row = Row::new();
    while live.rows() < rows {
        row.append(live).expect("there is room");
    }
}

#[test]
fn h5py_reads_a_file_that_is_being_written() {
    let Some(python) = python("h5py") else { return };
    let folder = TempDir::new().expect("a folder");
    for rows in [0, 1, 37, 4097] {
        let path = folder.path().join(format!("{rows}.h5"));
        let mut live = Live::create(&path, &mixed()).expect("created");
        fill(&mut live, rows);
        let script = "
for how in ({}, {'swmr': True}, {'locking': False}):
    with h5py.File(sys.argv[1], 'r', **how) as f:
        n = int(f.attrs['count_calls'])
        check_mixed(f, n)
        shapes = {}
        f.visititems(lambda name, o: shapes.__setitem__(name, (o.shape, o.maxshape)) if hasattr(o, 'shape') else None)
        attributes = {k: (type(v).__name__, v.tolist() if hasattr(v, 'tolist') else v) for k, v in f.attrs.items()}
print(list(f) if f else '', shapes, attributes, sep='\\n')";
        let shown = run(&python, script, &[&path]);
        let n = rows;
        let expected = format!(
            "\n{{'count': (({n},), (None,)), 'data/half': (({n},), (None,)), \
             'data/trace': (({n}, 2, 450), (None, 2, 450)), \
             'data/within': ((50, 200, 3), (50, 200, 3)), 'parameters/gate': ((), ()), \
             'parameters/steps': ((3,), (3,)), 'x': (({n},), (None,))}}\n\
             {{'count_calls': ('int64', {n}), 'header': ('str', 'Grüße\\n'), \
             'ordered_keys': ('ndarray', ['V', '', 'µ']), 'reshape_loop': ('bool', True), 'size': ('int64', -3), \
             'température': ('float64', 0.25)}}\n"
        );
        assert_eq!(shown, expected);
        live.finish().expect("finished");
        run(
            &python,
            "with h5py.File(sys.argv[1], 'r') as f: check_mixed(f, int(f.attrs['count_calls']))",
            &[&path],
        );
    }
}

#[test]
fn readers_find_whole_rows_at_any_moment() {
    let Some(python) = python("h5py") else { return };
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("growing.h5");
    let names = ["a", "b", "c"];
    let datasets = names
        .map(|name| dataset(name, Element::Float64, &[], Rows::Appended))
        .to_vec();
    let layout = Layout {
        datasets,
        ..Layout::default()
    };
    let mut live = Live::create(&path, &layout).expect("created");
    // Two open it again and again, the third refreshes what it has open.
    let script = "
def check(series, n):
    last = max(0, n - 20000)
    for s in series:
        values = s[last:]
        assert len(values) >= n - last, (s.name, len(values), n)
        assert (values == np.arange(last, last + len(values))).all(), s.name
    print(n, flush=True)

if sys.argv[2] == 'follows':
    with h5py.File(sys.argv[1], 'r', swmr=True) as f:
        series = [f[name] for name in 'abc']
        for k in range(100):
            # The one that is asked first is the shortest.
            for s in reversed(series):
                s.refresh()
            check(series, len(series[2]))
else:
    lock = {} if sys.argv[2] == 'locks' else {'locking': False}
    for k in range(100):
        with h5py.File(sys.argv[1], 'r', swmr=bool(k % 2), **lock) as f:
            check([f[name] for name in 'abc'], int(f.attrs['count_calls']))";
    let looks = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let readers = ["locks", "does not lock", "follows"].map(|lock| {
            let mut reader = start(&python, script, &[&path, Path::new(lock)]);
            let lines = BufReader::new(reader.stdout.take().expect("piped")).lines();
            let looks = &looks;
            scope.spawn(move || {
                let lengths: BTreeSet<String> = lines
                    .map_while(Result::ok)
                    .inspect(|_| drop(looks.fetch_add(1, Ordering::Relaxed)))
                    .collect();
                (reader.wait().expect("it ends").success(), lengths.len())
            })
        });
        while readers.iter().any(|reader| !reader.is_finished()) {
            // So many rows for each look are written while it looks, and the file does not outgrow a slow reader.
            if live.rows() > 20_000 * (looks.load(Ordering::Relaxed) + 1) {
                std::thread::yield_now();
                continue;
            }
            let number = [live.rows() as f64];
            live.append(&[Cells::Float(&number); 3]).expect("appended");
        }
        for reader in readers {
            let (good, lengths) = reader.join().expect("no panic");
            assert!(good, "the reader met what is not valid, before {} rows", live.rows());
            assert!(lengths > 10, "it saw {lengths} lengths of the file, which is no test");
        }
    });
}

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
        .args(["--exact", "writer_that_is_killed", "--nocapture"])
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

#[test]
fn compressed_and_squeezed_files_have_their_form_when_they_are_finished() {
    let Some(python) = python("h5py") else { return };
    let folder = TempDir::new().expect("a folder");
    let mut compressed = mixed();
    compressed.datasets.iter_mut().for_each(|dataset| dataset.gzip = true);
    let squeezed = Layout {
        squeeze: true,
        ..mixed()
    };
    let both = Layout {
        squeeze: true,
        ..compressed.clone()
    };
    for (layout, rows, expected) in [
        (
            &compressed,
            3000,
            "(3000,) (None,) gzip (3000, 2, 450) gzip (50, 200, 3) gzip () None",
        ),
        (
            &compressed,
            0,
            "(0,) (None,) gzip (0, 2, 450) gzip (50, 200, 3) gzip () None",
        ),
        (&squeezed, 1, "() () None (2, 450) None (50, 200, 3) None () None"),
        (
            &squeezed,
            2,
            "(2,) (None,) None (2, 2, 450) None (50, 200, 3) None () None",
        ),
        (
            &squeezed,
            0,
            "(0,) (None,) None (0, 2, 450) None (50, 200, 3) None () None",
        ),
        (&both, 1, "() () None (2, 450) None (50, 200, 3) gzip () None"),
    ] {
        let path = folder.path().join("file.h5");
        let mut live = Live::create(&path, layout).expect("created");
        fill(&mut live, rows);
        live.finish().expect("finished");
        let script = "
with h5py.File(sys.argv[1], 'r') as f:
    n = int(f.attrs['count_calls'])
    x, t, w, c = f['x'], f['data/trace'], f['data/within'], f['parameters/gate']
    if x.shape:
        check_mixed(f, n)
    else:
        assert x[()] == 0 and (t[()] == np.arange(900).reshape(2, 450)).all() and (w[()] == 0).all()
    print(x.shape, x.maxshape, x.compression, t.shape, t.compression, w.shape, w.compression, c.shape, c.compression)";
        assert_eq!(run(&python, script, &[&path]).trim(), expected);
        if rows == 3000 {
            let len = fs::metadata(&path).expect("there").len();
            assert!(len < 5_000_000, "{len} bytes of 11 MB are left");
        }
        // Nothing stays beside it.
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1);
        fs::remove_file(&path).expect("removed");
    }
}

#[test]
fn numbers_become_what_numpy_makes_of_them() {
    let Some(python) = python("h5py") else { return };
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("numbers.h5");
    let elements = [
        ("int", Element::Int64),
        ("f2", Element::Float16),
        ("f4", Element::Float32),
        ("f8", Element::Float64),
    ];
    let sets = elements.map(|(name, element)| dataset(name, element, &[], Rows::Appended));
    let layout = Layout {
        datasets: sets.to_vec(),
        ..Layout::default()
    };
    let mut live = Live::create(&path, &layout).expect("created");
    for number in 0..20_000 {
        // Over the whole range of a float16 and beyond it, both signs.
        let value = (f64::from(number) * 0.7 - 7000.3).powi(3) * 1e-7;
        live.append(&[Cells::Float(&[value]); 4]).expect("appended");
    }
    live.finish().expect("finished");
    let script = "
with h5py.File(sys.argv[1], 'r') as f:
    x = f['f8'][()]
    with np.errstate(over='ignore'):
        for name in ('int', 'f2', 'f4'):
            assert (f[name][()] == x.astype(name)).all(), name
    print(len(set(f['f2'][()].tolist())) > 5000)";
    assert_eq!(run(&python, script, &[&path]), "True\n");
}

#[test]
fn a_dataset_outside_all_loops_is_a_scalar() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("scalar.h5");
    let datasets = vec![
        dataset("one", Element::Float64, &[], Rows::Within(Vec::new())),
        Dataset {
            gzip: true,
            ..dataset("three", Element::Int64, &[3], Rows::Within(Vec::new()))
        },
    ];
    let layout = Layout {
        datasets,
        ..Layout::default()
    };
    let check = |one: f64, three: [i64; 3]| {
        let contents = read(&path).expect("read");
        assert_eq!(find(&contents, "one"), (vec![], Numbers::Float(vec![one])));
        assert_eq!(find(&contents, "three"), (vec![3], Numbers::Int(three.to_vec())));
    };
    let mut live = Live::create(&path, &layout).expect("created");
    check(0.0, [0; 3]);
    live.append(&[Cells::Float(&[2.5]), Cells::Int(&[1, 2, 3])])
        .expect("appended");
    check(2.5, [1, 2, 3]);
    assert!(matches!(
        live.append(&[Cells::Float(&[2.5]), Cells::Int(&[1, 2, 3])]),
        Err(Error::Full { rows: 1, .. })
    ));
    drop(Live::reopen(&path, &layout, 0).expect("cut"));
    check(0.0, [0; 3]);
    let mut live = Live::reopen(&path, &layout, 0).expect("opened");
    live.append(&[Cells::Float(&[-1.5]), Cells::Int(&[4, 5, 6])])
        .expect("appended");
    live.finish().expect("finished");
    check(-1.5, [4, 5, 6]);
    if let Some(python) = python("h5py") {
        let script = "
with h5py.File(sys.argv[1], 'r') as f:
    print(f['one'][()], f['one'].shape, f['three'][()], f['three'].compression)";
        assert_eq!(run(&python, script, &[&path]), "-1.5 () [4 5 6] gzip\n");
    }
}

#[test]
fn rows_that_do_not_fit_are_refused_and_change_nothing() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("small.h5");
    let layout = Layout {
        datasets: vec![
            dataset("x", Element::Float64, &[], Rows::Appended),
            dataset("map", Element::Float64, &[2], Rows::Within(vec![1, 2])),
        ],
        ..Layout::default()
    };
    let mut live = Live::create(&path, &layout).expect("created");
    let pair: &[f64] = &[1.0, 2.0];
    let one: &[f64] = &[1.0];
    let refuse = |live: &mut Live, row: &[&[f64]], expected: &str| {
        let before = fs::read(&path).expect("read");
        let row: Vec<Cells<'_>> = row.iter().map(|cells| Cells::Float(cells)).collect();
        assert_eq!(live.append(&row).expect_err("refused").to_string(), expected);
        assert!(fs::read(&path).expect("read") == before, "{expected}: the file changed");
    };
    refuse(&mut live, &[one], "the file has 2 datasets, the row 1 values");
    refuse(&mut live, &[one, one], "a row of `map` has 2 elements, the value has 1");
    for _ in 0..2 {
        live.append(&[Cells::Float(one), Cells::Float(pair)]).expect("appended");
    }
    refuse(&mut live, &[one, pair], "`map` has room for 2 rows");
    assert_eq!(live.rows(), 2);

    let kept = fs::read(&path).expect("read");
    let error = Live::create(&path, &layout).expect_err("it is there");
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    let error = Live::reopen(&path, &layout, 3).expect_err("too many");
    assert!(
        error.to_string().ends_with("has 2 rows, where 3 were written"),
        "{error}"
    );
    let error = Live::reopen(&path, &mixed(), 1).expect_err("another layout");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    assert!(fs::read(&path).expect("read") == kept, "the file changed");

    for (datasets, expected) in [
        (vec!["a", "a"], "`a` is there twice"),
        (vec!["a", "a/b"], "`a/b` is below a dataset"),
        (vec!["a//b"], "`a//b` is no path of a dataset"),
    ] {
        let datasets = datasets
            .iter()
            .map(|path| dataset(path, Element::Int64, &[], Rows::Appended))
            .collect();
        let layout = Layout {
            datasets,
            ..Layout::default()
        };
        let error = Live::create(&folder.path().join("other.h5"), &layout).expect_err("refused");
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1);
}

/// A sweep with coordinates, a dimension without one, a group and every kind of data.
fn write_sweep(path: &Path) {
    let gate = [0.0, 0.5, 1.0];
    let current: Vec<f64> = (0..12).map(f64::from).collect();
    let counts: Vec<i64> = (0..3).collect();
    let (truths, names) = (
        [true, false, true],
        ["low".to_owned(), "".to_owned(), "höher".to_owned()],
    );
    let complex: Vec<records::Complex64> = (0..12)
        .map(|k| records::Complex64::new(f64::from(k), -f64::from(k)))
        .collect();
    let variable = |path: &str, shape: &[usize], data, dimensions: &[&str]| Variable {
        path: path.to_owned(),
        shape: shape.to_vec(),
        data,
        dimensions: dimensions.iter().map(|name| (*name).to_owned()).collect(),
        attributes: Vec::new(),
    };
    let mut variables = vec![
        variable("gate", &[3], Data::Float(&gate), &["gate"]),
        variable("current", &[3, 4], Data::Float(&current), &["gate", "sample"]),
        variable("count", &[3], Data::Int(&counts), &["gate"]),
        variable("name", &[3], Data::Text(&names), &["gate"]),
        variable("temperature", &[], Data::Float(&gate[1..2]), &[]),
        variable("none", &[0, 2], Data::Float(&[]), &[]),
        variable("raw/s21", &[3, 4], Data::Complex(&complex), &["gate", "sample"]),
        variable("raw/good", &[3], Data::Bool(&truths), &["gate"]),
    ];
    variables[0].attributes = vec![
        ("units".into(), text("V")),
        ("offset".into(), Attribute::Float(0.5)),
        ("n".into(), Attribute::Int(2)),
    ];
    variables[1].attributes = vec![("long_name".into(), text("Strömung"))];
    let attributes = vec![("title".into(), text("a sweep")), ("ok".into(), Attribute::Bool(true))];
    write(path, &File { variables, attributes }, Existing::Keep).expect("written");
}

#[test]
fn xarray_finds_the_dimensions_of_a_written_file() {
    let Some(python) = python("h5py, xarray, h5netcdf, netCDF4") else {
        return;
    };
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("sweep.nc");
    write_sweep(&path);
    let script = "
import xarray
for engine in ('h5netcdf', 'netcdf4'):
    with xarray.open_dataset(sys.argv[1], engine=engine) as d:
        assert d.title == 'a sweep'
        assert d.current.dims == ('gate', 'sample') and dict(d.sizes)['sample'] == 4, d
        assert (d.current.values == np.arange(12.).reshape(3, 4)).all()
        assert 'gate' in d.coords and d.gate.values.tolist() == [0, 0.5, 1] and 'sample' not in d.coords
        assert d.gate.units == 'V' and d.gate.offset == 0.5 and d.gate.n == 2
        assert d.current.long_name == 'Strömung'
        assert d['count'].dtype == np.int64 and d['name'].values.tolist() == ['low', '', 'höher']
        assert d.temperature.values == 0.5
        assert d.current.sel(gate=0.5).values.tolist() == [4, 5, 6, 7]
with xarray.open_dataset(sys.argv[1], engine='h5netcdf', group='raw') as d:
    assert d.s21.dims == ('gate', 'sample') and (d.s21.values == np.arange(12).reshape(3, 4) * (1 - 1j)).all()
    assert d.good.values.tolist() == [True, False, True]
with h5py.File(sys.argv[1], 'r') as f:
    assert type(f.attrs['title']) is str and f.attrs['ok'] is np.True_
    assert list(f) == ['gate', 'current', 'count', 'name', 'temperature', 'none', 'raw', 'sample'], list(f)
    assert [dim[0].name for dim in f['current'].dims] == ['/gate', '/sample']
    assert f['raw/s21'].dtype == np.complex128 and f['raw/good'].dtype == bool and f['none'].shape == (0, 2)
    assert f['name'].asstr()[()].tolist() == ['low', '', 'höher']
    assert h5py.h5ds.is_scale(f['gate'].id) and h5py.h5ds.get_scale_name(f['gate'].id) == b'gate'";
    run(&python, script, &[&path]);
}

#[test]
fn a_written_file_is_read_back() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("sweep.nc");
    write_sweep(&path);
    let contents = read(&path).expect("read");
    let shape = |contents: &Contents, path: &str| find(contents, path).0;
    assert_eq!(contents.others, ["name"]);
    assert_eq!(
        contents.attributes,
        [("title".into(), text("a sweep")), ("ok".into(), Attribute::Bool(true))]
    );
    assert_eq!(find(&contents, "gate"), (vec![3], Numbers::Float(vec![0.0, 0.5, 1.0])));
    assert_eq!(find(&contents, "temperature"), (vec![], Numbers::Float(vec![0.5])));
    assert_eq!(
        find(&contents, "raw/good"),
        (vec![3], Numbers::Bool(vec![true, false, true]))
    );
    assert_eq!(
        (shape(&contents, "raw/s21"), shape(&contents, "none")),
        (vec![3, 4], vec![0, 2])
    );

    let before = fs::read(&path).expect("read");
    let error = write(&path, &File::default(), Existing::Keep).expect_err("it is there");
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    assert!(fs::read(&path).expect("read") == before);
    write(&path, &File::default(), Existing::Replace).expect("replaced");
    assert_eq!(read(&path).expect("read"), Contents::default());
}

fn find(contents: &Contents, path: &str) -> (Vec<usize>, Numbers) {
    let found = contents.datasets.iter().find(|(name, _)| name == path);
    let (_, array) = found.unwrap_or_else(|| panic!("no `{path}`"));
    (array.shape.clone(), array.numbers.clone())
}

#[test]
fn a_file_is_read_while_it_grows_and_when_it_is_compressed() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("growing.h5");
    let mut layout = mixed();
    layout.datasets.iter_mut().for_each(|dataset| dataset.gzip = true);
    let mut live = Live::create(&path, &layout).expect("created");
    fill(&mut live, 700);
    let growing = read(&path).expect("read");
    live.finish().expect("finished");
    let finished = read(&path).expect("read");
    assert_eq!(growing, finished);
    assert_eq!(growing.attributes[0], ("count_calls".into(), Attribute::Int(700)));
    let x = (0..700).map(|number| f64::from(number) * 0.1).collect();
    assert_eq!(find(&growing, "x"), (vec![700], Numbers::Float(x)));
    let (shape, Numbers::Float(trace)) = find(&growing, "data/trace") else {
        panic!("no floats")
    };
    assert_eq!(
        (shape, trace.len(), trace[900]),
        (vec![700, 2, 450], 630_000, f64::from(0.1f32))
    );
    let (_, Numbers::Float(within)) = find(&growing, "data/within") else {
        panic!("no floats")
    };
    assert_eq!((within[2099] > 0.0, within[2100]), (true, 0.0));
}

#[test]
fn files_of_h5py_are_read_whatever_their_format() {
    let Some(python) = python("h5py") else { return };
    let folder = TempDir::new().expect("a folder");
    let script = "
def fill(f):
    f.attrs['count_calls'] = 3; f.attrs['header'] = 'Grüße'; f.attrs['ok'] = True; f.attrs['k'] = 2.5
    f.attrs['fixed'] = np.bytes_('abc'); f.attrs['list'] = ['a', 'b']
    f['int'] = np.arange(5); f['scalar'] = 2.5; f['i4'] = np.arange(-3, 3, dtype='i4').reshape(2, 3)
    f['u1'] = np.array([0, 255], dtype='u1'); f['big'] = np.arange(3, dtype='>f8')
    f['u8'] = np.array([7], dtype='u8'); f['huge'] = np.array([2**63], dtype='u8')
    f['half'] = np.array([0.5, -2, 6e-8, np.inf], dtype='f2'); f['f4'] = np.array([0.5, 3], dtype='f4')
    f['complex'] = np.array([1 + 2j, 3 - 1j]); f['c8'] = np.array([1 + 2j], dtype='c8')
    f['bool'] = np.array([True, False]); f['text'] = ['a', 'b']; f['empty'] = np.zeros((0, 3))
    g = f.create_group('data/deep')
    g.create_dataset('zip', data=np.arange(3000.).reshape(1000, 3), chunks=(7, 3), compression='gzip', shuffle=True,
                     fletcher32=True, maxshape=(None, 3))
    g.create_dataset('part', (5,), maxshape=(None,), dtype='f8', chunks=(2,), fillvalue=9)[:3] = [1, 2, 3]
    g.create_dataset('plane', (4, 4), maxshape=(None, None), dtype='f4', chunks=(2, 2), compression='gzip')[:3, :2] = 7
    f.create_dataset('fixed', data=np.arange(40, dtype='f2').reshape(8, 5), chunks=(3, 2), compression='gzip')
    g['record'] = np.zeros(3, dtype=[('a', 'f8'), ('n', 'i4')])
    g['again'] = f['data']
for path, libver in zip(sys.argv[1:], ('earliest', 'v108', 'v110', 'latest')):
    with h5py.File(path, 'w', libver=libver) as f:
        fill(f)
f = h5py.File(sys.argv[5], 'w', libver='latest')
fill(f)
d = f.create_dataset('grown', (1,), maxshape=(None,), dtype='f8', chunks=(1,))
f.swmr_mode = True
for k in range(300):
    d.resize((k + 1,)); d[k] = k; f.attrs['count_calls'] = k + 1
    f.flush()
os._exit(0)";
    let paths = ["earliest", "v108", "v110", "latest", "swmr"].map(|name| folder.path().join(format!("{name}.h5")));
    run(&python, script, &paths.each_ref().map(PathBuf::as_path));
    for path in &paths {
        let contents = read(path).unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
        let float = |numbers: &[f64]| Numbers::Float(numbers.to_vec());
        let int = |numbers: &[i64]| Numbers::Int(numbers.to_vec());
        let swmr = path.ends_with("swmr.h5");
        for (dataset, shape, numbers) in [
            ("int", vec![5], int(&[0, 1, 2, 3, 4])),
            ("scalar", vec![], float(&[2.5])),
            ("i4", vec![2, 3], int(&[-3, -2, -1, 0, 1, 2])),
            ("u1", vec![2], int(&[0, 255])),
            ("big", vec![3], float(&[0.0, 1.0, 2.0])),
            ("u8", vec![1], int(&[7])),
            ("huge", vec![1], float(&[9.223372036854775808e18])),
            ("half", vec![4], float(&[0.5, -2.0, 2f64.powi(-24), f64::INFINITY])),
            ("f4", vec![2], float(&[0.5, 3.0])),
            ("bool", vec![2], Numbers::Bool(vec![true, false])),
            ("empty", vec![0, 3], float(&[])),
            ("data/deep/part", vec![5], float(&[1.0, 2.0, 3.0, 9.0, 9.0])),
            (
                "data/deep/plane",
                vec![4, 4],
                float(&[7., 7., 0., 0., 7., 7., 0., 0., 7., 7., 0., 0., 0., 0., 0., 0.]),
            ),
            (
                "data/deep/zip",
                vec![1000, 3],
                Numbers::Float((0..3000).map(f64::from).collect()),
            ),
            ("fixed", vec![8, 5], Numbers::Float((0..40).map(f64::from).collect())),
        ] {
            assert_eq!(
                find(&contents, dataset),
                (shape, numbers),
                "{} {dataset}",
                path.display()
            );
        }
        let Numbers::Complex(complex) = find(&contents, "complex").1 else {
            panic!("not complex")
        };
        assert_eq!((complex[1].re, complex[1].im), (3.0, -1.0));
        if swmr {
            let grown = (0..300).map(f64::from).collect();
            assert_eq!(find(&contents, "grown"), (vec![300], Numbers::Float(grown)));
        }
        let mut others = contents.others.clone();
        others.sort();
        assert_eq!(others, ["data/deep/record", "text"]);
        let mut attributes = contents.attributes.clone();
        attributes.sort_by(|a, b| a.0.cmp(&b.0));
        let expected = [
            ("count_calls".to_owned(), Attribute::Int(if swmr { 300 } else { 3 })),
            ("fixed".to_owned(), text("abc")),
            ("header".to_owned(), text("Grüße")),
            ("k".to_owned(), Attribute::Float(2.5)),
            ("list".to_owned(), Attribute::Texts(vec!["a".into(), "b".into()])),
            ("ok".to_owned(), Attribute::Bool(true)),
        ];
        assert_eq!(attributes, expected, "{}", path.display());
    }
}

#[test]
fn what_is_no_hdf5_file_is_an_error_and_no_panic() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("broken.h5");
    let mut live = Live::create(&path, &mixed()).expect("created");
    fill(&mut live, 20);
    live.finish().expect("finished");
    let good = fs::read(&path).expect("read");
    for (what, bytes) in [
        ("empty", &[][..]),
        ("text", b"V\tI\n1\t2\n"),
        ("cut", &good[..good.len() / 2]),
    ] {
        fs::write(&path, bytes).expect("written");
        assert!(read(&path).is_err(), "{what}");
        assert!(Live::reopen(&path, &mixed(), 1).is_err(), "{what}");
    }
    assert!(read(&folder.path().join("nowhere")).is_err());
}
