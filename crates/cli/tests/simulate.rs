//! `measurand simulate` as a user has it: where the instruments are, what they answer, and how it ends.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

/// A running simulation.
struct Simulation {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Simulation {
    fn start(words: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_measurand"))
            .arg("simulate")
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a line");
        line
    }

    /// The address in the next line, and what stands around it.
    fn address(&mut self) -> (String, String, String) {
        let line = self.line();
        let (name, rest) = line.trim_end().split_once(' ').expect("a name");
        let (address, title) = rest.trim_start().split_once("  ").expect("an address");
        (name.to_owned(), address.to_owned(), title.to_owned())
    }

    /// Ctrl-C; the status and what was said on standard error.
    fn end(mut self) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status().expect("a signal");
        assert!(sent.success());
        let mut said = String::new();
        let mut stderr = self.child.stderr.take().expect("a pipe");
        stderr.read_to_string(&mut said).expect("text");
        (self.child.wait().expect("it ends").code(), said)
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn measurand(words: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_measurand")).args(words).output();
    output.expect("it starts")
}

fn query(address: &str, commands: &[&str]) -> String {
    let output = measurand(&[&["instruments", "query", address], commands].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    String::from_utf8_lossy(&output.stdout).into_owned() + &said
}

#[test]
fn each_instrument_has_a_line_and_answers_there() {
    for (protocol, ending) in [("", "::SOCKET"), ("--vxi11", "::INSTR"), ("--hislip", "::INSTR")] {
        let words = ["yoko=gs200", "Keithley2000", "gs200"];
        let protocol: Vec<&str> = Some(protocol)
            .filter(|protocol| !protocol.is_empty())
            .into_iter()
            .collect();
        let mut simulation = Simulation::start(&[&words, protocol.as_slice()].concat());
        let (name, yoko, title) = simulation.address();
        assert_eq!(
            (name.as_str(), title.as_str()),
            ("yoko", "Yokogawa GS200 DC voltage and current source")
        );
        assert!(
            yoko.starts_with("TCPIP0::127.0.0.1::") && yoko.ends_with(ending),
            "{yoko}"
        );
        assert_eq!(simulation.address().0, "Keithley2000");
        let (name, other, _) = simulation.address();
        assert_eq!(name, "gs200");
        let said = query(
            &yoko,
            &[":SOUR:LEV 1.5", "*IDN?", ":SOUR:LEV?", "nonsense", "SYST:ERR?"],
        );
        assert_eq!(
            said,
            "YOKOGAWA,GS200,0,simulated\n+1.5000E+00\n-113,\"Undefined header\"\n"
        );
        assert_eq!(query(&other, &[":SOUR:LEV?"]), "+0.0000E+00\n");
        assert_eq!(simulation.end(), (Some(0), String::new()));
    }
}

#[test]
fn faults_noise_and_log_are_as_they_were_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("said.log");
    let log_word = log.to_str().expect("a path");
    let words = ["yoko=gs200", "meter=keithley2000", "--json", "--log", log_word];
    let more = [
        "--set",
        "yoko:function=CURR",
        "--fault",
        "yoko: silent on LEV? at 1",
        "--noise",
        "1e-3",
        "--seed",
        "7",
    ];
    let mut simulation = Simulation::start(&[words.as_slice(), more.as_slice()].concat());
    let address = |line: &str| {
        let json: serde_json::Value = serde_json::from_str(line).expect("JSON");
        json["resource"].as_str().expect("an address").to_owned()
    };
    let (yoko, meter) = (address(&simulation.line()), address(&simulation.line()));
    let said = query(&yoko, &[":OUTP?", ":SOUR:LEV?"]);
    assert!(
        said.starts_with("0\nerror: `instrument` at `TCPIP0::127.0.0.1"),
        "{said}"
    );
    assert_eq!(query(&yoko, &[":SOUR:LEV?", ":SOUR:FUNC?"]), "+0.0000E+00\nCURR\n");
    let readings = query(&meter, &["FETCh?", "FETCh?"]);
    let readings: Vec<&str> = readings.lines().collect();
    assert!(readings.len() == 2 && readings[0] != readings[1], "{readings:?}");
    simulation.end();
    let said = std::fs::read_to_string(&log).expect("it was written");
    let said: Vec<&str> = said.lines().filter_map(|line| line.get(11..)).collect();
    assert_eq!(said[..3], ["yoko < :OUTP?", "yoko > 0", "yoko < :SOUR:LEV?"]);
}

#[test]
fn driver_files_device_files_and_measurements_are_simulated() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    write(
        "lamp.toml",
        "id = \"own.lamp\"\ntitle = \"A lamp\"\n[link]\nsocket = {}\n[signal.light]\nget = \"LIGHT?\"\nset = \"LIGHT {}\"\n",
    );
    write(
        "device.yaml",
        "spec: \"1.0\"\ndevices:\n  box:\n    error: ERROR\n    dialogues:\n      - q: \"?IDN\"\n        r: \"a box\"\n\
         resources:\n  ASRL1::INSTR:\n    device: box\n",
    );
    let mut simulation = Simulation::start(&[&path("lamp.toml"), &path("device.yaml")]);
    let (name, lamp, _) = simulation.address();
    assert_eq!(name, "lamp");
    assert_eq!(query(&lamp, &["LIGHT 3.5", "LIGHT?"]), "3.5\n");
    let (name, device, title) = simulation.address();
    assert_eq!((name.as_str(), title.as_str()), ("device", "box"));
    assert_eq!(query(&device, &["--always-read", "?IDN"]), "a box\n");
    simulation.end();

    let real = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/real/measurements");
    let Ok(files) = std::fs::read_dir(&real) else {
        println!("skipped: {} is absent", real.display());
        return;
    };
    let uses = |path: &Path| std::fs::read_to_string(path).is_ok_and(|text| text.contains("Legacy.YokogawaGS200"));
    let file = files
        .flatten()
        .map(|file| file.path())
        .find(|path| uses(path))
        .expect("one of them does");
    let mut simulation = Simulation::start(&[file.to_str().expect("a path")]);
    let (_, address, title) = simulation.address();
    assert!(address.starts_with("TCPIP0::127.0.0.1::") && !title.is_empty());
    simulation.end();
}

#[test]
fn what_cannot_be_simulated_is_said() {
    let check = |words: &[&str], expected: &str| {
        let output = measurand(&[&["simulate"], words].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(expected), "{said}");
        assert_eq!(output.status.code(), Some(2));
    };
    check(&["gs2000"], "no driver `gs2000` is known here");
    check(&["gs200", "--fault", "x: silent"], "no instrument `x` is simulated");
    check(
        &["gs200", "--fault", "sleepy"],
        "`sleepy` is no fault: there are silent, late TIME",
    );
    check(&["gs200", "--noise", "heat=1"], "`gs200` has no signal `heat`");
    check(
        &["gs200", "--set", "function=HEAT"],
        "`function` of `gs200` cannot be `HEAT`",
    );
    check(&["no/such/file.toml"], "no/such/file.toml");
    check(&[], "required");
}
