//! Files that grow: what h5py finds in them at any moment, and their last form.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use records::hdf5::{Cells, Dataset, Element, Error, Layout, Live, Numbers, Rows, read};
use tempfile::TempDir;

use crate::{dataset, fill, find, mixed, python, run, start};

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
                    .inspect(|_| _ = looks.fetch_add(1, Ordering::Relaxed))
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
