//! Measurements of laboratories, as they are, with simulated instruments: each runs, and says to its instruments what Exopy's
//! drivers would have said.
//!
//! The commands are those that the drivers of Exopy can send, by the list that was made of their sources; what was added
//! since (other packages' meters) is named here. Maps that would take minutes are stopped after a while.

mod station;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use station::{DEADLINE, Station};

/// Tasks whose instruments are no instruments of messages: cards in a computer, and pulses, which are not built yet.
const OUT_OF_SCOPE: [&str; 4] = [
    "exopy_hqc_legacy.DemodSPTask",
    "exopy_qm.",
    "exopy_hqc_legacy.SetAWGParametersTask",
    "exopy_pulses.",
];

/// How long a map may go on before it is stopped.
const LONG_ENOUGH: Duration = Duration::from_millis(700);

/// What the appendix of Exopy's drivers does not list: the status of a magnet, what analysers are told in other ways, and the
/// drivers of other packages.
const BESIDES: [&str; 20] = [
    "X",
    "*IDN?",
    ":SOURce:LEV?",
    "MEAS:VOLT:DC?",
    "MEAS:VOLT:AC?",
    "MEAS:CURR:DC?",
    "MEAS:CURR:AC?",
    "MEAS:RES?",
    "MEAS:FRES?",
    "meas:mean?",
    "PROG:SLOP {}",
    "PROG:INT {}",
    "SOUR:FUNC {}",
    "SOUR:FUNC?",
    "SOUR:LEV {}",
    "SOUR:RANG {}",
    "SENS:REM {}",
    "SENS:VOLT:DC:RANG {}",
    "CALCulate{}:DATA? {}",
    "CALCulate{}:PARameter:DEFine:EXTended '{}','{}'",
];

/// How a measurement ended.
struct Ended {
    file: String,
    code: Option<i32>,
    words: String,
    transcript: String,
}

fn perform(station: &Station, file: &Path) -> Ended {
    let name = file.file_name().expect("a file").to_string_lossy().into_owned();
    let folder = station.path().join(&name);
    fs::create_dir_all(&folder).expect("room for its data");
    let transcript = folder.join("transcript.txt");
    let log = fs::File::create(folder.join("words.txt")).expect("room");
    let mut child = station
        .command()
        .arg("run")
        .arg(file)
        .args(["--simulate", "--speed", "100000", "--plain", "--default-path"])
        .arg(&folder)
        .arg("--transcript")
        .arg(&transcript)
        .env("XDG_RUNTIME_DIR", &folder)
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("the program starts");
    let began = Instant::now();
    let mut stopped = false;
    let status = loop {
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            break status;
        }
        if began.elapsed() > LONG_ENOUGH && !stopped {
            station::signal(i32::try_from(child.id()).expect("a process"), "INT");
            stopped = true;
        }
        assert!(began.elapsed() < DEADLINE, "{name} does not stop");
        thread::sleep(Duration::from_millis(10));
    };
    Ended {
        file: name,
        code: status.code(),
        words: fs::read_to_string(folder.join("words.txt")).unwrap_or_default(),
        transcript: fs::read_to_string(&transcript).unwrap_or_default(),
    }
}

#[test]
fn every_measurement_of_a_laboratory_runs_with_simulated_instruments() {
    let Some(real) = station::shared("real") else { return };
    let known = commands(&real.join("../spec/exopy.md"));
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in ["measurements", "hqcmeas"] {
        let entries = fs::read_dir(real.join(folder)).expect("the files");
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    files.sort();
    assert!(files.len() > 50, "{}", files.len());
    let station = Station::new();
    let (left, ended) = (Mutex::new(files), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let next = left.lock().expect("nobody panics").pop();
                    let Some(file) = next else { break };
                    let one = perform(&station, &file);
                    ended.lock().expect("nobody panics").push(one);
                }
            });
        }
    });
    let mut performed = 0;
    let mut strange = BTreeSet::new();
    for one in ended.into_inner().expect("nobody panics") {
        let Ended {
            file,
            code,
            words,
            transcript,
        } = one;
        match code {
            // To the end, or as far as there was time for.
            Some(0 | 4) => performed += 1,
            Some(2) if OUT_OF_SCOPE.iter().any(|task| words.contains(task)) => continue,
            Some(3) if words.contains("is a path of Windows") => continue,
            code => panic!("{file} ends with {code:?}:\n{words}"),
        }
        assert!(!transcript.is_empty(), "{file} says nothing to its instruments");
        for line in transcript.lines() {
            let Some((_, command)) = line.split_once(" < ") else {
                continue;
            };
            let command = command.replace("\\\"", "\"").replace("\\'", "'");
            if !known.iter().any(|pattern| fits(pattern, &command)) {
                strange.insert(format!("{file}: {command}"));
            }
        }
    }
    assert!(performed > 30, "only {performed} were performed");
    assert!(
        strange.is_empty(),
        "commands that Exopy's drivers do not know: {strange:#?}"
    );
    println!("{performed} measurements were performed");
}

/// The commands of Exopy's drivers, with `{}` for what is filled in.
fn commands(spec: &Path) -> Vec<String> {
    let text = fs::read_to_string(spec).expect("the list of commands");
    let appendix = text.split("## Appendix B").nth(1).expect("it has one");
    let mut found: Vec<String> = BESIDES.iter().map(|command| (*command).to_owned()).collect();
    for line in appendix.lines() {
        let words = line.trim_start();
        if !["prop ", "set ", "def "].iter().any(|begin| words.starts_with(begin)) {
            continue;
        }
        for part in line.split([';', ')']).flat_map(|part| part.split(" ; ")) {
            let command = part.trim().trim_start_matches(['>', '?']).trim();
            let quoted = |quote: char| command.strip_prefix(quote)?.strip_suffix(quote);
            if let Some(command) = quoted('\'').or_else(|| quoted('"')) {
                found.push(command.to_owned());
            }
        }
    }
    found.retain(|command| command.replace("{}", "").chars().any(char::is_alphanumeric) || command.starts_with('*'));
    assert!(found.len() > 200, "only {} commands were found", found.len());
    found
}

/// Whether a command is one of a pattern; where hardly anything is fixed (`S{}`) only a number may be filled in.
fn fits(pattern: &str, command: &str) -> bool {
    let parts: Vec<&str> = pattern.split("{}").collect();
    let fixed: usize = parts.iter().map(|part| part.len()).sum();
    let Some(mut rest) = command.strip_prefix(parts[0]) else {
        return false;
    };
    for (number, part) in parts.iter().enumerate().skip(1) {
        let is_last = number + 1 == parts.len();
        let at = if is_last {
            rest.len()
                .checked_sub(part.len())
                .filter(|at| rest.is_char_boundary(*at) && &rest[*at..] == *part)
        } else {
            rest.find(part)
        };
        let Some(at) = at else { return false };
        let is_number = |text: &str| text.parse::<f64>().is_ok();
        if fixed < 3 && !is_number(&rest[..at]) {
            return false;
        }
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

#[test]
fn patterns_take_what_they_stand_for() {
    assert!(fits(
        "SENS{}:FREQuency:CENTer {}",
        "SENS1:FREQuency:CENTer 5000000000.0"
    ));
    assert!(fits("*CLS", "*CLS"));
    assert!(fits("J{}", "J0.5"));
    assert!(!fits("S{}", "SENS1:FREQuency:CENTer?"));
    assert!(!fits("*CLS", "*CLS?"));
}
