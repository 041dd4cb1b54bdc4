//! Files that are written whole, and files of all formats that are read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use records::hdf5::{Attribute, Contents, Data, Existing, File, Live, Numbers, Variable, read, write};
use tempfile::TempDir;

use crate::{fill, find, mixed, python, run, text};

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
with xarray.open_dataset(sys.argv[1], engine='netcdf4', group='raw') as d:
    # netCDF itself has no complex numbers and truths: records of two and small integers.
    assert (d.s21.values['r'] == np.arange(12).reshape(3, 4)).all() and (d.s21.values['i'] == -d.s21.values['r']).all()
    assert d.good.values.tolist() == [1, 0, 1]
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
            ("huge", vec![1], float(&[2f64.powi(63)])),
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
