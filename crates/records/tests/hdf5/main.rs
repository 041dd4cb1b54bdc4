//! HDF5 files against the programs that people read them with: h5py, xarray and netCDF4, in the interpreter that
//! `MEASURAND_PYTHON` names.
//!
//! Without it, or where it has no h5py, these tests say `skipped` and what they would have needed; what needs no Python
//! is tested all the same.

mod growing;
mod killed;
mod whole;

use std::{
    env,
    path::Path,
    process::{Child, Command, Stdio},
};

use records::hdf5::{Attribute, Cells, Contents, Dataset, Element, Error, Layout, Live, Numbers, Rows};

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

fn find(contents: &Contents, path: &str) -> (Vec<usize>, Numbers) {
    let found = contents.datasets.iter().find(|(name, _)| name == path);
    let (_, array) = found.unwrap_or_else(|| panic!("no `{path}`"));
    (array.shape.clone(), array.numbers.clone())
}
