//! What is exported is what was measured: read back by the libraries that people use.
//!
//! Their interpreter is `MEASURAND_PYTHON`; without it the tests say `skipped: …`.

use std::{path::Path, process::Command};

use records::{Axis, Column, Complex64, Data, Existing, ExportError, Facts, Format, Table, export};
use tempfile::TempDir;

fn column(path: &str, cell: &[usize], data: Data, unit: Option<&str>) -> Column {
    Column {
        name: path.rsplit('/').next().expect("a name").to_owned(),
        path: path.to_owned(),
        cell: cell.to_vec(),
        data,
        unit: unit.map(str::to_owned),
    }
}

fn axis(path: &str, index: Vec<u32>, value: Option<Data>, unit: Option<&str>) -> Axis {
    Axis {
        path: path.to_owned(),
        total: None,
        index,
        value: value.map(|value| column(&format!("{path}_value"), &[], value, unit)),
    }
}

fn table(path: &str, axes: Vec<Axis>, columns: Vec<Column>) -> Table {
    let rows = axes.first().map_or(1, |axis| axis.index.len()) as i64;
    let times_us = (0..rows).map(|row| 1_790_000_000_000_001 + row * 1_000_000).collect();
    Table {
        path: path.to_owned(),
        axes,
        columns,
        times_us,
    }
}

fn facts() -> Facts {
    let items = [
        ("outcome", "Completed"),
        ("host", "µ"),
        ("data_file", "a.dat"),
        ("data_file", "b.dat"),
    ];
    let mut items: Vec<(String, String)> = items.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec();
    // Measurements can be long.
    items.push(("measurement".to_owned(), "name = a\n".repeat(30_000)));
    Facts {
        name: "cool \"down\"".to_owned(),
        id: "001".to_owned(),
        items,
    }
}

/// Every kind of data under two loops, a table of the outer loop, and single values.
fn everything(rows: usize) -> Vec<Table> {
    let outer: Vec<u32> = (0..6).map(|row| row / 3).take(rows).collect();
    let inner: Vec<u32> = (0..6).map(|row| row % 3).take(rows).collect();
    let volts = outer.iter().map(|at| f64::from(*at) * 0.5).collect();
    let steps = inner.iter().map(|at| i64::from(*at) * 10).collect();
    let all = || 0..rows;
    let columns = vec![
        column(
            "root/x/y/f_a",
            &[],
            Data::Float(all().map(|row| row as f64 / 3.0).collect()),
            Some("V"),
        ),
        column(
            "root/x/y/n",
            &[],
            Data::Int(all().map(|row| row as i64 + (1 << 60)).collect()),
            None,
        ),
        column(
            "root/x/y/b",
            &[],
            Data::Bool(all().map(|row| row % 2 == 0).collect()),
            None,
        ),
        column(
            "root/x/y/z",
            &[],
            Data::Complex(all().map(|row| Complex64::new(row as f64, -0.5)).collect()),
            None,
        ),
        column(
            "root/x/y/t",
            &[],
            Data::Text(all().map(|row| format!("a, \"{row}\" µ")).collect()),
            None,
        ),
        column(
            "root/x/y/trace",
            &[4],
            Data::Float((0..rows * 4).map(|at| at as f64).collect()),
            Some("dB"),
        ),
        column(
            "root/x/y/image",
            &[2, 2],
            Data::Int((0..rows as i64 * 4).collect()),
            None,
        ),
        column(
            "root/x/y/zs",
            &[2],
            Data::Complex((0..rows * 2).map(|at| Complex64::new(1.0, at as f64)).collect()),
            None,
        ),
    ];
    vec![
        table(
            "root",
            vec![],
            vec![column("root/f_start", &[], Data::Float(vec![1.5]), None)],
        ),
        table(
            "root/x",
            vec![axis("root/x", vec![0, 1], Some(Data::Float(vec![0.0, 0.5])), Some("V"))],
            vec![column("root/x/m", &[], Data::Int(vec![7, 8]), None)],
        ),
        table(
            "root/x/y",
            vec![
                axis("root/x", outer, Some(Data::Float(volts)), Some("V")),
                axis("root/x/y", inner, Some(Data::Int(steps)), None),
            ],
            columns,
        ),
    ]
}

/// Exports, then runs lines of Python in the folder; the export is `run.<extension>` there.
fn check(tables: &[Table], format: Format, python: &str) {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join(format!("run.{}", format.extension()));
    let written = export(tables, &facts(), format, &path, Existing::Refuse).expect("it can be exported");
    assert_eq!(written[0], path);
    let Some(interpreter) = std::env::var_os("MEASURAND_PYTHON") else {
        println!("skipped: no `MEASURAND_PYTHON`");
        return;
    };
    let script = format!("import warnings\nwarnings.simplefilter('error')\nimport numpy as np\nnan = np.nan\n{python}");
    let output = Command::new(interpreter)
        .args(["-c", &script])
        .current_dir(folder.path())
        .output()
        .expect("an interpreter");
    let text = String::from_utf8_lossy(&output.stderr);
    if text.contains("ModuleNotFoundError") {
        println!("skipped: {text}");
        return;
    }
    assert!(output.status.success(), "{text}");
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// What xarray must find in [`everything`], whatever the format.
const EVERYTHING: &str = r#"
assert dict(d.sizes) == dict(x_value=2, y_value=3, trace_dim0=4, image_dim0=2, image_dim1=2, zs_dim0=2), d.sizes
assert d.attrs['name'] == 'cool "down"' and d.attrs['id'] == '001' and d.attrs['host'] == 'µ', d.attrs
assert d.attrs['data_file'] == 'a.dat\nb.dat' and d.attrs['measurement'] == 'name = a\n' * 30_000
assert d.f_a.dims == ('x_value', 'y_value') and d.f_a.dtype == 'f8'
assert (d.f_a.values == np.arange(6).reshape(2, 3) / 3).all()
assert d.f_a.attrs['units'] == 'V' and d.f_a.attrs['long_name'] == 'root/x/y/f_a', d.f_a.attrs
assert (d.n.values == np.arange(6).reshape(2, 3) + 2**60).all() and d.n.dtype == 'i8'
assert d.b.dtype == bool and d.b.values.ravel().tolist() == [True, False] * 3, d.b
assert d.t.values.ravel().tolist() == [f'a, "{i}" µ' for i in range(6)], d.t
assert (d.trace.values == np.arange(24).reshape(2, 3, 4)).all() and d.trace.attrs['units'] == 'dB'
assert (d.image.values == np.arange(24).reshape(2, 3, 2, 2)).all()
assert d.x_value.values.tolist() == [0, .5] and d.y_value.values.tolist() == [0, 10, 20] and d.y_value.dtype == 'i8'
assert d.sel(x_value=.5, y_value=20).f_a == 5 / 3
assert d.m.dims == ('x_value',) and d.m.values.tolist() == [7, 8]
assert d.f_start.shape == () and d.f_start == 1.5
assert d.y_time.dtype.kind == 'M' and d.y_time.values[1, 2] == np.datetime64(1_790_000_005_000_001, 'us'), d.y_time
assert 'y_time' in d.f_a.coords and 'x_time' in d.f_a.coords
"#;

const COMPLEX: &str = r#"
assert d.z.dtype == 'c16' and (d.z.values.ravel() == np.arange(6) - .5j).all(), d.z
assert (d.zs.values.ravel() == 1 + 1j * np.arange(12)).all()
"#;

/// What xarray must find where the run ended in the second round.
const UNFINISHED: &str = r#"
assert dict(d.sizes)['x_value'] == 2 and dict(d.sizes)['y_value'] == 3
assert np.isnan(d.f_a.values[1, 1:]).all() and (d.f_a.values[1, 0] == 1) and np.isnan(d.trace.values[1, 2]).all()
assert d.n.values[1, 0] == 2.**60 and np.isnan(d.n.values[1, 1:]).all(), d.n
assert d.b.values[1, 0] == 0 and np.isnan(d.b.values[1, 2])
assert d.t.values[1, 2] == '' and d.t.values[1, 0] == 'a, "3" µ'
assert np.isnat(d.y_time.values[1, 2]) and not np.isnat(d.y_time.values[1, 0])
"#;

fn xarray(opening: &str, expected: &[&str]) -> String {
    format!("import xarray\nd = xarray.{opening}\n{}", expected.concat())
}

#[test]
fn zarr_is_read_by_xarray_and_zarr() {
    let opening = "open_zarr('run.zarr')";
    check(&everything(6), Format::Zarr, &xarray(opening, &[EVERYTHING, COMPLEX]));
    let complex = "assert np.isnan(d.z.values[1, 1]) and d.z.values[1, 0] == 3 - .5j";
    check(&everything(4), Format::Zarr, &xarray(opening, &[UNFINISHED, complex]));
    check(
        &everything(6),
        Format::Zarr,
        "import zarr\ng = zarr.open_group('run.zarr', mode='r')\n\
         assert g['z'][1, 2] == 5 - .5j and g['t'][0, 1] == 'a, \"1\" µ' and g['b'][0, 1] == False\n\
         assert g['n'][1, 2] == 2**60 + 5 and g['f_start'][()] == 1.5 and g.attrs['host'] == 'µ'",
    );
}

#[test]
fn netcdf_is_read_by_xarray_with_both_its_engines() {
    let opening = "open_dataset('run.nc', engine='h5netcdf')";
    check(&everything(6), Format::Netcdf, &xarray(opening, &[EVERYTHING, COMPLEX]));
    let complex = "assert np.isnan(d.z.values[1, 1]) and d.z.values[1, 0] == 3 - .5j";
    check(&everything(4), Format::Netcdf, &xarray(opening, &[UNFINISHED, complex]));
    let opening = "open_dataset('run.nc', engine='netcdf4')";
    let real: Vec<Table> = everything(6)
        .into_iter()
        .map(|mut table| {
            table.columns.retain(|column| !matches!(column.data, Data::Complex(_)));
            table
        })
        .collect();
    check(
        &real,
        Format::Netcdf,
        &xarray(opening, &[&EVERYTHING.replace(", zs_dim0=2", "")]),
    );
}

/// A `WhileTask` in a loop, a loop whose values change from round to round, and two loops of one name.
fn odd_loops() -> Vec<Table> {
    let floats = |values: &[f64]| Data::Float(values.to_vec());
    let trace = Data::Float(vec![1.0, 2.0, f64::NAN, 4.0, 5.0, 6.0]);
    vec![
        table(
            "root/a/w",
            vec![
                axis("root/a", vec![0, 0, 1, 1], Some(floats(&[1.0, 1.0, 2.0, 2.0])), None),
                axis("root/a/w", vec![0, 1, 0, 1], None, None),
            ],
            vec![column("root/a/w/f", &[], floats(&[1.0, 2.0, 3.0, 4.0]), None)],
        ),
        table(
            "root/b/s",
            vec![
                axis(
                    "root/b",
                    vec![0, 0, 1],
                    Some(Data::Text(["x", "x", "y"].map(str::to_owned).to_vec())),
                    None,
                ),
                axis("root/b/s", vec![0, 1, 0], Some(floats(&[1.0, 2.0, 5.0])), Some("V")),
            ],
            vec![column("root/b/s/f", &[], floats(&[5.0, 6.0, 7.0]), None)],
        ),
        table(
            "root/c/s",
            vec![axis("root/c/s", vec![0, 1], Some(floats(&[0.0, 1.0])), None)],
            vec![column("root/c/s/trace", &[3], trace, None)],
        ),
    ]
}

#[test]
fn loops_that_are_no_grid_are_exported_too() {
    let expected = r#"
assert d['w.f'].dims == ('a_value', 'w_index') and d['w.f'].values.tolist() == [[1, 2], [3, 4]], d
assert d.w_index.values.tolist() == [0, 1]
f = d['s.f']
assert f.dims == ('s_row',) and f.values.tolist() == [5, 6, 7] and f.coords['b_value'].values.tolist() == ['x', 'x', 'y'], f
assert f.coords['s.s_value'].values.tolist() == [1, 2, 5], f
assert d.trace.dims == ('s_value', 'trace_dim0') and np.isnan(d.trace.values[0, 2]) and d.trace.values[1].tolist() == [4, 5, 6]
"#;
    for (format, opening) in [
        (Format::Zarr, "open_zarr('run.zarr')"),
        (Format::Netcdf, "open_dataset('run.nc', engine='h5netcdf')"),
        (Format::Netcdf, "open_dataset('run.nc', engine='netcdf4')"),
    ] {
        check(&odd_loops(), format, &xarray(opening, &[expected]));
    }
    check(
        &odd_loops(),
        Format::Csv,
        "import pandas\nassert pandas.read_csv('run.csv').f.tolist() == [1, 2, 3, 4]\n\
         assert pandas.read_csv('run.b.s.csv').b_value.tolist() == ['x', 'x', 'y']\n\
         assert pandas.read_csv('run.c.s.csv').trace[0] == '[1.0, 2.0, NaN]'",
    );
}

#[test]
fn hdf5_is_read_by_h5py() {
    check(
        &everything(6),
        Format::Hdf5,
        r#"
import h5py
f = h5py.File('run.h5')
assert f.attrs['name'] == 'cool "down"' and f.attrs['host'] == 'µ'
assert f['f_a'].shape == (2, 3) and f['f_a'][1, 2] == 5 / 3 and f['f_a'].attrs['units'] == 'V'
assert f['z'].dtype == 'c16' and f['z'][1, 2] == 5 - .5j and f['b'].dtype == bool and f['b'][0].tolist() == [True, False, True]
assert f['t'].asstr()[1, 0] == 'a, "3" µ' and f['n'][1, 2] == 2**60 + 5 and f['f_start'][()] == 1.5
assert f['f_a'].dims[0][0].name == '/x_value' and f['f_a'].dims[1][0][()].tolist() == [0, 10, 20]
assert f['image'].shape == (2, 3, 2, 2) and f['image'][1, 2].tolist() == [[20, 21], [22, 23]]
"#,
    );
}

#[test]
fn large_variables_are_zarr_in_chunks() {
    let rows = 300_001;
    let own = axis("root/x", (0..rows).collect(), None, None);
    let data = Data::Float((0..rows * 5).map(f64::from).collect());
    check(
        &[table("root/x", vec![own], vec![column("root/x/t", &[5], data, None)])],
        Format::Zarr,
        "import xarray, os\nd = xarray.open_zarr('run.zarr')\nassert d.t.shape == (300001, 5)\n\
         assert (d.t.values.ravel() == np.arange(300001 * 5)).all()\nassert len(os.listdir('run.zarr/t')) == 4",
    );
}

#[test]
fn csv_is_read_by_pandas_polars_and_numpy() {
    check(
        &everything(6),
        Format::Csv,
        r#"
import json, pandas, polars
d = pandas.read_csv('run.csv', parse_dates=['y_time'], converters={name: json.loads for name in ('trace', 'image', 'zs_im')})
assert list(d) == ['x_index', 'x_value', 'y_index', 'y_value', 'y_time', 'f_a', 'n', 'b', 'z_re', 'z_im', 't', 'trace', 'image', 'zs_re', 'zs_im'], list(d)
assert (d.f_a == np.arange(6) / 3).all() and (d.n == np.arange(6) + 2**60).all() and d.b.tolist() == [True, False] * 3
assert (d.z_re + 1j * d.z_im == np.arange(6) - .5j).all() and d.t[3] == 'a, "3" µ'
assert (np.array(d.trace.tolist()) == np.arange(24).reshape(6, 4)).all() and d.image[1] == [[4, 5], [6, 7]] and d.zs_im[5] == [10, 11]
assert d.y_time[5].value // 1000 == 1_790_000_005_000_001, d.y_time
g = d.pivot(index='x_value', columns='y_value', values='f_a')
assert g.shape == (2, 3) and g.loc[.5, 20] == 5 / 3
assert pandas.read_csv('run.x.csv').m.tolist() == [7, 8] and pandas.read_csv('run.root.csv').f_start[0] == 1.5
p = polars.read_csv('run.csv')
assert p['f_a'].to_list() == d.f_a.tolist() and p['b'].dtype == polars.Boolean, p['b']
n = np.genfromtxt('run.x.csv', delimiter=',', names=True, dtype=None, encoding='utf-8')
assert n['m'].tolist() == [7, 8]
"#,
    );
    let values = vec![1.0, f64::NAN, f64::INFINITY, -1e-300, 1e300, 0.1];
    let own = axis("root/x", (0..6).collect(), None, None);
    check(
        &[table(
            "root/x",
            vec![own],
            vec![column("root/x/f", &[], Data::Float(values), None)],
        )],
        Format::Csv,
        "import pandas, polars\nexpected = [1, nan, np.inf, -1e-300, 1e300, .1]\n\
         np.testing.assert_array_equal(pandas.read_csv('run.csv').f, expected)\n\
         np.testing.assert_array_equal(polars.read_csv('run.csv')['f'].to_numpy(), expected)\n\
         np.testing.assert_array_equal(np.loadtxt('run.csv', delimiter=',', skiprows=1, usecols=2), expected)",
    );
}

#[test]
fn parquet_is_read_by_pyarrow_pandas_and_polars() {
    check(
        &everything(6),
        Format::Parquet,
        r#"
import pandas, polars, pyarrow.parquet as pq
d = pandas.read_parquet('run.parquet')
assert (d.f_a == np.arange(6) / 3).all() and (d.n == np.arange(6) + 2**60).all() and d.b.tolist() == [True, False] * 3
assert (d.z_re + 1j * d.z_im == np.arange(6) - .5j).all() and d.t[3] == 'a, "3" µ'
assert (np.stack(d.trace) == np.arange(24).reshape(6, 4)).all() and d.zs_im[5].tolist() == [10, 11]
assert d.y_time[5] == pandas.Timestamp(1_790_000_005_000_001, unit='us', tz='UTC'), d.y_time
p = polars.read_parquet('run.parquet')
assert p['f_a'].to_list() == d.f_a.tolist() and p['b'].dtype == polars.Boolean and p['t'].dtype == polars.String
assert p['image'].to_list()[1] == [[4, 5], [6, 7]] and p['trace'].to_list()[5] == [20, 21, 22, 23]
assert str(p['y_time'].dtype) == "Datetime(time_unit='us', time_zone='UTC')"
a = pq.read_table('run.parquet')
assert a.schema.metadata[b'name'] == b'cool "down"' and a.schema.metadata[b'f_a.units'] == b'V'
assert str(a.schema.field('trace').type) == 'list<element: double not null>' and not a.schema.field('f_a').nullable
a.validate(full=True)
assert a['image'].to_pylist()[2] == [[8, 9], [10, 11]]
assert pandas.read_parquet('run.x.parquet').m.tolist() == [7, 8]
"#,
    );
    let rows = 300_001;
    let own = axis("root/x", (0..rows).collect(), None, None);
    let columns = vec![
        column(
            "root/x/t",
            &[5],
            Data::Float((0..rows * 5).map(f64::from).collect()),
            None,
        ),
        column("root/x/none", &[2, 0], Data::Int(Vec::new()), None),
        column(
            "root/x/b",
            &[],
            Data::Bool((0..rows).map(|row| row % 3 == 0).collect()),
            None,
        ),
        column(
            "root/x/s",
            &[],
            Data::Text((0..rows).map(|row| row.to_string()).collect()),
            None,
        ),
    ];
    check(
        &[table("root/x", vec![own], columns)],
        Format::Parquet,
        "import polars, pyarrow.parquet as pq\na = pq.read_table('run.parquet')\na.validate(full=True)\n\
         assert pq.ParquetFile('run.parquet').num_row_groups == 3\n\
         assert (a['t'].combine_chunks().flatten().to_numpy() == np.arange(300001 * 5)).all()\n\
         assert a['none'].to_pylist()[300000] == [[], []]\n\
         p = polars.read_parquet('run.parquet')\n\
         assert (p['b'].to_numpy() == (np.arange(300001) % 3 == 0)).all() and p['s'].to_list()[-1] == '300000'\n\
         assert p['t'].to_list()[-1][-1] == 300001 * 5 - 1 and p['none'].to_list()[7] == [[], []]",
    );
}

#[test]
fn what_exists_is_kept_unless_it_may_be_overwritten() {
    for format in Format::ALL {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("run.out");
        let to = |existing| export(&everything(6), &facts(), format, &path, existing);
        to(Existing::Refuse).expect("nothing is there");
        let before = names_in(folder.path());
        let again = to(Existing::Refuse);
        assert!(
            matches!(&again, Err(ExportError::Exists(there)) if *there == path),
            "{again:?}"
        );
        to(Existing::Overwrite).expect("it may");
        assert_eq!(names_in(folder.path()), before, "nothing is left over");
    }
}

#[test]
fn a_run_without_rows_exports_nothing() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("run.csv");
    let nothing = export(&[Table::default()], &facts(), Format::Csv, &path, Existing::Refuse);
    assert!(matches!(nothing, Err(ExportError::NothingMeasured)), "{nothing:?}");
    assert!(!path.exists());
}
