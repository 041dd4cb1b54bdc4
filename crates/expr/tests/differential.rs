//! The same expressions through this crate and through CPython with numpy: value, kind, `str` and `repr` must agree, or the
//! class of the error.
//!
//! `tests/expressions/*.txt` hold one expression a line; `#!entry name = expression` gives the file a reference,
//! `#!definitions` makes braces dicts and sets, `#` begins a comment. A seeded generator adds some thousands. Floats must be
//! equal to the last bit, except that what `np` and `cm` compute may differ by 1e-12: numpy brings its own sine, whose last
//! bit depends on the machine.
//!
//! The interpreter is `MEASURAND_PYTHON`, else `.venv/bin/python` of the workspace, else `python3`; without numpy there
//! is nothing to compare with and the test says so.

#[path = "differential/generator.rs"]
mod generator;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use expr::{Braces, Dict, Error, ErrorKind, Formula, Value};

/// Relative difference that is allowed where numpy's own functions are involved.
const TOLERANCE: f64 = 1e-12;

struct Corpus {
    name: String,
    braces: Braces,
    entries: Vec<(String, String)>,
    expressions: Vec<String>,
}

impl Corpus {
    fn parse(name: String, text: &str) -> Corpus {
        let mut corpus = Corpus {
            name,
            braces: Braces::References,
            entries: Vec::new(),
            expressions: Vec::new(),
        };
        for line in text.lines() {
            if let Some(entry) = line.strip_prefix("#!entry ") {
                let (name, value) = entry
                    .split_once(" = ")
                    .expect("an entry is written `name = expression`");
                corpus.entries.push((name.to_owned(), value.to_owned()));
            } else if line.trim() == "#!definitions" {
                corpus.braces = Braces::Displays;
            } else if !line.starts_with('#') && !line.trim().is_empty() {
                corpus.expressions.push(line.to_owned());
            }
        }
        corpus
    }

    /// Our side: each expression with what it gives.
    fn evaluate(&self) -> Vec<Result<Value, Error>> {
        let definition = |text: &String| Formula::parse(text, Braces::Displays).and_then(|formula| formula.eval(&[]));
        let entries: Vec<(&str, Value)> = self
            .entries
            .iter()
            .map(|(name, text)| {
                (
                    &**name,
                    definition(text).unwrap_or_else(|error| panic!("{}: {text}: {error}", self.name)),
                )
            })
            .collect();
        let one = |text: &String| {
            let formula = Formula::parse(text, self.braces)?;
            let value = |name: &str| {
                entries
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| value.clone())
            };
            let values: Option<Vec<Value>> = formula
                .references()
                .iter()
                .map(|reference| value(&reference.name))
                .collect();
            formula.eval(&values.unwrap_or_else(|| panic!("{}: {text}: an entry is not defined", self.name)))
        };
        self.expressions.iter().map(one).collect()
    }

    fn request(&self) -> String {
        let text = |text: &str| Value::str(text).to_json();
        let entries: Vec<String> = self
            .entries
            .iter()
            .map(|(name, value)| format!("{}:{}", text(name), text(value)))
            .collect();
        let mut request = format!("{{\"entries\":{{{}}}}}\n", entries.join(","));
        for expression in &self.expressions {
            request.push_str(&format!("{{\"expression\":{}}}\n", text(expression)));
        }
        request
    }
}

fn python() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let candidates = [
        std::env::var_os("MEASURAND_PYTHON").map(PathBuf::from),
        Some(workspace.join(".venv/bin/python")),
        Some("python3".into()),
    ];
    candidates.into_iter().flatten().find(|python| {
        let probe = Command::new(python)
            .args(["-c", "import numpy"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        probe.is_ok_and(|status| status.success())
    })
}

fn ask(python: &Path, request: String) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .env("PYTHONIOENCODING", "utf-8")
        .spawn()
        .expect("the interpreter has just answered");
    let mut stdin = child.stdin.take().expect("it was asked to be piped");
    let writer = std::thread::spawn(move || stdin.write_all(request.as_bytes()));
    let output = child
        .wait_with_output()
        .expect("the interpreter ends when its input does");
    writer
        .join()
        .expect("the writer does not panic")
        .expect("the interpreter reads its input");
    assert!(output.status.success(), "the reference failed");
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    text.lines()
        .map(|line| Value::from_json(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn field<'a>(answer: &'a Value, name: &str) -> Option<&'a Value> {
    let Value::Dict(dict) = answer else { return None };
    let Dict { items } = &**dict;
    items
        .iter()
        .find(|(key, _)| *key == Value::str(name))
        .map(|(_, value)| value)
}

/// What differs, in words.
fn difference(expression: &str, ours: &Result<Value, Error>, theirs: &Value) -> Option<String> {
    let text = |name: &str| field(theirs, name).map(Value::to_string).unwrap_or_default();
    let (value, expected_error) = match (ours, field(theirs, "error")) {
        (Ok(value), None) => (value, None),
        (Err(error), Some(_)) if format!("{:?}", error.kind) == text("error") => return None,
        (Err(error), None) => return Some(format!("{error}, expected {} {}", text("kind"), text("repr"))),
        (Ok(value), Some(expected)) => (value, Some(expected)),
        (Err(error), Some(expected)) => return Some(format!("{error}, expected {expected}: {}", text("message"))),
    };
    if let Some(expected) = expected_error {
        return Some(format!(
            "{} {}, expected {expected}: {}",
            value.kind(),
            value.repr(),
            text("message")
        ));
    }
    if field(theirs, "callable").is_some() {
        return None;
    }
    if value.kind() != text("kind") {
        return Some(format!(
            "{} {}, expected {} {}",
            value.kind(),
            value.repr(),
            text("kind"),
            text("repr")
        ));
    }
    // Both sides read from JSON: lists for arrays and tuples.
    let read = |text: &str| Value::from_json(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let (ours, expected) = (read(&value.to_json()), read(&text("value")));
    if !close(&ours, &expected, 0.0) {
        let tolerant = expression.contains("np.") || expression.contains("cm.") || value.kind().starts_with("numpy.");
        let same = tolerant && close(&ours, &expected, TOLERANCE);
        return (!same).then(|| format!("{}, expected {}", value.repr(), text("repr")));
    }
    if value.to_string() != text("str") && !has_set(value) {
        return Some(format!("str is {:?}, expected {:?}", value.to_string(), text("str")));
    }
    if value.repr() != text("repr") && !has_set(value) {
        return Some(format!("repr is {:?}, expected {:?}", value.repr(), text("repr")));
    }
    None
}

/// A set prints in an order of its own.
fn has_set(value: &Value) -> bool {
    match value {
        Value::Set(_) => true,
        Value::List(items) | Value::Tuple(items) => items.iter().any(has_set),
        Value::Dict(dict) => dict.items.iter().any(|(_, value)| has_set(value)),
        _ => false,
    }
}

fn close(a: &Value, b: &Value, tolerance: f64) -> bool {
    let near = |a: f64, b: f64| {
        a.to_bits() == b.to_bits()
            || a.is_nan() && b.is_nan()
            || tolerance > 0.0 && (a == b || (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1e-3))
    };
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => near(*a, *b),
        (Value::Complex(a), Value::Complex(b)) => {
            let size = a.norm().max(1e-3);
            near(a.re, b.re) && near(a.im, b.im) || tolerance > 0.0 && (a - b).norm() <= tolerance * size
        }
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| close(a, b, tolerance))
        }
        (Value::Dict(a), Value::Dict(b)) => {
            let pairs = a.items.iter().zip(&b.items);
            a.items.len() == b.items.len()
                && pairs
                    .into_iter()
                    .all(|((k, a), (l, b))| k == l && close(a, b, tolerance))
        }
        _ => a.kind() == b.kind() && a == b,
    }
}

#[test]
fn expressions_give_what_python_gives() {
    let Some(python) = python() else {
        println!("skipped: no Python with numpy (set MEASURAND_PYTHON, or make .venv with numpy in the workspace)");
        return;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expressions");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the corpora are beside this test")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    let mut corpora: Vec<Corpus> = files
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Corpus::parse(name, &std::fs::read_to_string(path).expect("a corpus is text"))
        })
        .collect();
    corpora.push(Corpus::parse("generated".to_owned(), &generator::corpus()));

    let answers = ask(&python, corpora.iter().map(Corpus::request).collect());
    let mut theirs = answers.iter();
    let (mut count, mut differences) = (0, Vec::new());
    for corpus in &corpora {
        for (expression, ours) in corpus.expressions.iter().zip(corpus.evaluate()) {
            count += 1;
            let answer = theirs.next().expect("one answer for each expression");
            if let Some(difference) = difference(expression, &ours, answer) {
                differences.push(format!("{}: {expression}\n    {difference}", corpus.name));
            }
        }
    }
    let version = Command::new(&python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference.py"))
        .arg("--version")
        .output();
    let version = version
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default();
    println!("{count} expressions against {version}");
    assert!(
        differences.is_empty(),
        "{} of {count} differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
    assert!(count >= 4000, "only {count} expressions were compared");
}

#[test]
fn what_is_not_available_says_so() {
    let kind = |text: &str| match Formula::parse(text, Braces::References) {
        Ok(formula) => formula.problems().first().map(|problem| problem.kind),
        Err(error) => Some(error.kind),
    };
    assert_eq!(kind("open('f')"), Some(ErrorKind::NotSupported));
    assert_eq!(kind("().__class__"), Some(ErrorKind::NotSupported));
    assert_eq!(kind("f'{x}'"), Some(ErrorKind::SyntaxError));
    assert_eq!(kind("(x := 5)"), Some(ErrorKind::SyntaxError));
    assert_eq!(kind("print(1)"), Some(ErrorKind::NotSupported));
    assert_eq!(kind("(1).foo"), Some(ErrorKind::NotSupported));
    assert_eq!(kind("np.no_such_function(1)"), Some(ErrorKind::NotSupported));
    assert_eq!(kind("unknown + 1"), Some(ErrorKind::NameError));
}
