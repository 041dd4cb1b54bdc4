//! Device files of pyvisa-sim: what pyvisa-sim answers is what our server answers, and our links read what its server sends.
//!
//! The interpreter is `MEASURAND_PYTHON`, with pyvisa-sim and the packages that have device files; the vectors are material
//! beside the checkout. Without them nothing is tested, and the tests say so.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use instruments::{
    Interrupter, LinkSettings, Session,
    simulate::{Laboratory, Script, Simulated, Transcript},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    file: String,
    resource: String,
    q: String,
    r: String,
}

/// One resource of one file, and what pyvisa-sim answers there.
#[derive(Deserialize)]
struct Expected {
    file: String,
    #[serde(default)]
    index: usize,
    #[serde(default)]
    said: Vec<(String, Vec<String>)>,
    refused: Option<String>,
}

/// What stands beside the checkout, or nothing with a word why.
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/instruments")
        .join(name);
    if !path.exists() {
        println!("skipped: {} is absent", path.display());
        return None;
    }
    Some(path)
}

/// An interpreter with these modules, or nothing with a word why.
fn python(modules: &[&str]) -> Option<PathBuf> {
    let Some(interpreter) = std::env::var_os("MEASURAND_PYTHON").map(PathBuf::from) else {
        println!("skipped: no `MEASURAND_PYTHON`");
        return None;
    };
    let has_all = "import sys; from importlib.util import find_spec; sys.exit(not all(map(find_spec, sys.argv[1:])))";
    let found = Command::new(&interpreter).args(["-c", has_all]).args(modules).status();
    if !found.is_ok_and(|status| status.success()) {
        println!("skipped: {} lacks one of {}", interpreter.display(), modules.join(", "));
        return None;
    }
    Some(interpreter)
}

const MODULES: [&str; 3] = ["pyvisa_sim", "qcodes", "qcodes_contrib_drivers"];

fn vectors(path: &Path) -> Vec<Vector> {
    let text = std::fs::read_to_string(path).expect("it is there");
    let vectors = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a vector is one JSON line"));
    vectors.collect()
}

fn session(resource: &str, read_end: &[u8], write_end: &[u8]) -> Session {
    let settings = LinkSettings {
        timeout: Duration::from_secs(20),
        read_termination: Some(read_end.to_vec()),
        write_termination: Some(write_end.to_vec()),
        ..LinkSettings::default()
    };
    let resource = resource.parse().expect("a resource");
    Session::open("sim", resource, settings, Interrupter::default()).expect("it opens")
}

/// A process that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// What the server says of itself in its first line.
#[derive(Deserialize)]
struct Served {
    instruments: Vec<ServedInstrument>,
}

#[derive(Deserialize)]
struct ServedInstrument {
    visa: String,
    eom_in: String,
    eom_out: String,
}

/// Where pyvisa-sim's packages are.
fn packages(interpreter: &Path) -> PathBuf {
    let code =
        "import pathlib, importlib.util as u; print(pathlib.Path(u.find_spec('pyvisa_sim').origin).parent.parent)";
    let output = Command::new(interpreter)
        .args(["-c", code])
        .output()
        .expect("an interpreter");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

/// The position of each resource in its file, so that a name may be written in any way.
fn positions(root: &Path, vectors: &[Vector]) -> BTreeMap<(String, String), usize> {
    let mut positions = BTreeMap::new();
    for vector in vectors {
        let key = (vector.file.clone(), vector.resource.clone());
        positions.entry(key).or_insert_with(|| {
            let scripts = Script::read(&root.join(&vector.file)).expect("a file of pyvisa-sim");
            let same = |script: &Script| plain(&script.resource) == plain(&vector.resource);
            scripts.iter().position(same).expect("its resource")
        });
    }
    positions
}

/// `GPIB::1::INSTR` and `GPIB0::1::INSTR` are one.
fn plain(resource: &str) -> String {
    resource
        .replace("GPIB0:", "GPIB:")
        .replace("TCPIP0:", "TCPIP:")
        .replace("USB0:", "USB:")
        .replace("::INSTR", "")
}

#[test]
fn our_links_read_every_vector_from_pyvisa_sim() {
    let (Some(path), Some(server)) = (shared("simulator_vectors.jsonl"), shared("simserver.py")) else {
        return;
    };
    let Some(interpreter) = python(&MODULES) else {
        return;
    };
    let vectors = vectors(&path);
    let root = packages(&interpreter);
    let positions = positions(&root, &vectors);
    let specs = positions
        .iter()
        .map(|((file, _), at)| format!("{}@{at}", root.join(file).display()));
    let mut child = Command::new(&interpreter)
        .arg(server)
        .args(specs)
        .stdout(Stdio::piped())
        .spawn()
        .expect("an interpreter");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("a pipe");
    let _server = Server(child);
    BufReader::new(stdout).read_line(&mut line).expect("where it serves");
    let served: Served = serde_json::from_str(&line).expect("one JSON line");
    let latin1 = |text: &str| {
        text.chars()
            .map(|c| u8::try_from(c).expect("a byte"))
            .collect::<Vec<u8>>()
    };
    let mut sessions: BTreeMap<_, _> = positions
        .keys()
        .zip(&served.instruments)
        .map(|(key, it)| {
            (
                key.clone(),
                session(&it.visa, &latin1(&it.eom_out), &latin1(&it.eom_in)),
            )
        })
        .collect();
    hold(&vectors, &mut sessions);
}

#[test]
fn our_server_answers_every_vector() {
    let Some(path) = shared("simulator_vectors.jsonl") else {
        return;
    };
    let Some(interpreter) = python(&MODULES) else {
        return;
    };
    let vectors = vectors(&path);
    let root = packages(&interpreter);
    let positions = positions(&root, &vectors);
    let mut laboratories = Vec::new();
    let mut sessions = BTreeMap::new();
    for (key, at) in &positions {
        let script = Script::read(&root.join(&key.0)).expect("it is there").swap_remove(*at);
        let (write_end, read_end) = script.ends();
        let laboratory = Laboratory::start(&[Simulated::from_script("sim", script.clone())], &Transcript::none());
        let laboratory = laboratory.expect("loopback");
        let address = laboratory.address("sim").expect("it is simulated");
        sessions.insert(key.clone(), session(&address, read_end, write_end));
        laboratories.push(laboratory);
    }
    hold(&vectors, &mut sessions);
}

fn hold(vectors: &[Vector], sessions: &mut BTreeMap<(String, String), Session>) {
    let mut wrong = Vec::new();
    for vector in vectors {
        let session = sessions
            .get_mut(&(vector.file.clone(), vector.resource.clone()))
            .expect("it is served");
        match session.query(&vector.q) {
            Ok(answer) if answer == vector.r.trim() => {}
            Ok(answer) => wrong.push(format!("{} {}: `{answer}`, not `{}`", vector.file, vector.q, vector.r)),
            Err(error) => wrong.push(format!("{} {}: {error}: {}", vector.file, vector.q, error.cause)),
        }
    }
    println!("{} of {} vectors pass", vectors.len() - wrong.len(), vectors.len());
    assert!(!vectors.is_empty(), "there are vectors");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn our_server_answers_what_pyvisa_sim_answers() {
    let Some(interpreter) = python(&["pyvisa_sim", "yaml"]) else {
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/simulate_expected.py");
    let output = Command::new(interpreter).arg(script).output().expect("an interpreter");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (mut count, mut wrong) = (0, Vec::new());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let expected: Expected = serde_json::from_str(line).expect("one JSON line");
        let scripts = Script::read(Path::new(&expected.file));
        let (Ok(mut scripts), None) = (scripts, &expected.refused) else {
            wrong.push(format!("{}: it is read here or there only", expected.file));
            continue;
        };
        let script = scripts.swap_remove(expected.index);
        let (write_end, read_end) = script.ends();
        let laboratory = Laboratory::start(&[Simulated::from_script("sim", script.clone())], &Transcript::none());
        let laboratory = laboratory.expect("loopback");
        let mut session = session(
            &laboratory.address("sim").expect("it is simulated"),
            read_end,
            write_end,
        );
        for (message, answers) in &expected.said {
            count += 1;
            // An answer with an end of answers within is two.
            let end = String::from_utf8_lossy(read_end).into_owned();
            let answers: Vec<&str> = answers.iter().flat_map(|answer| answer.split(&end)).collect();
            session.write(message).expect("it is sent");
            let found: Result<Vec<String>, _> = answers.iter().map(|_| session.read()).collect();
            let found = found.map_err(|error| format!("{error}: {}", error.cause));
            let is_same = |(ours, theirs): (&String, &&str)| ours == theirs.trim() || is_random(theirs);
            match found {
                Ok(found) if found.iter().zip(&answers).all(is_same) => {}
                other => wrong.push(format!("{} {message}: {other:?}, not {answers:?}", expected.file)),
            }
        }
        // Nothing was said beyond that: the next answer is that of the next question.
        session.set_timeout(Duration::from_millis(5));
        session.set_tries(1);
        if let Ok(more) = session.read() {
            wrong.push(format!("{}: `{more}` is more than expected", expected.file));
        }
    }
    println!("{} of {count} conversations pass", count - wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 0, "there are files");
}

/// Whether pyvisa-sim threw dice: numbers with two decimals, of which its own file has some.
fn is_random(answer: &str) -> bool {
    let is_number = |part: &str| {
        part.trim()
            .split_once('.')
            .is_some_and(|(_, decimals)| decimals.len() == 2)
    };
    answer.split(',').all(is_number)
}
