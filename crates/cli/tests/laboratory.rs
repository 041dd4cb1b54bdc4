//! Measurements with instruments, simulated ones: what they are told, what happens to them when a run is stopped, fails or
//! dies, and when they misbehave themselves.

mod station;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use instruments::{
    driver::library,
    simulate::{Laboratory, Mishap, Simulated, Transcript},
};
use station::{Run, Station, await_death, signal};

/// Two instruments on loopback: a voltage source without a safe state and a generator whose output is switched off.
struct Bench {
    laboratory: Laboratory,
    transcript: Transcript,
    station: Station,
}

const YOKOGAWA: &str = "exopy_hqc_legacy.Legacy.YokogawaGS200";
const GENERATOR: &str = "exopy_hqc_legacy.Legacy.AgilentPSG";

impl Bench {
    fn new() -> Self {
        let simulated = |name: &str, driver: &str| {
            let driver = library::find(driver).expect("it comes with the program");
            Simulated::new(name, Arc::new(driver))
        };
        let transcript = Transcript::kept();
        let instruments = [simulated("Vg", YOKOGAWA), simulated("RF", GENERATOR)];
        let laboratory = Laboratory::start(&instruments, &transcript).expect("there are free ports");
        Self {
            laboratory,
            transcript,
            station: Station::new(),
        }
    }

    fn addresses(&self) -> Vec<String> {
        let addresses = self.laboratory.addresses();
        addresses
            .flat_map(|(name, address)| ["--address".to_owned(), format!("{name}={address}")])
            .collect()
    }

    /// Starts a measurement of these tasks; `@Vg` and `@RF` stand for the selection of an instrument.
    fn start(&self, tasks: &str) -> Run {
        self.start_with(&self.file(tasks), &[])
    }

    fn file(&self, tasks: &str) -> PathBuf {
        let selection =
            |name: &str, driver: &str| format!("selected_instrument = \"('{name}', '{driver}', '', None)\"");
        let tasks = tasks
            .replace("@Vg", &selection("Vg", YOKOGAWA))
            .replace("@RF", &selection("RF", GENERATOR));
        self.station.measurement("m", &tasks)
    }

    fn start_with(&self, file: &std::path::Path, arguments: &[&str]) -> Run {
        let addresses = self.addresses();
        let mut all: Vec<&str> = addresses.iter().map(String::as_str).collect();
        all.extend(arguments);
        self.station.start(file, &all)
    }

    /// The levels that the voltage source was told.
    fn levels(&self) -> Vec<f64> {
        let heard = self.transcript.heard_by("Vg");
        let levels = heard
            .iter()
            .filter_map(|command| command.strip_prefix(":SOURce:LEVel "));
        levels.map(|level| level.parse().expect("a number")).collect()
    }

    /// Waits until an instrument is told this.
    fn await_command(&self, instrument: &str, command: &str) {
        let began = Instant::now();
        while !self
            .transcript
            .heard_by(instrument)
            .iter()
            .any(|heard| heard == command)
        {
            assert!(
                began.elapsed() < station::DEADLINE,
                "`{instrument}` never hears {command}: {:?}",
                self.transcript.heard_by(instrument)
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// A ramp of 100 steps of 10 ms, and the generator switched on before it.
const RAMP: &str = "\
    [[children_0]]
        task_id = exopy_hqc_legacy.SetRFOnOffTask
        name = on
        switch = On
        @RF
    [[children_1]]
        task_id = exopy_hqc_legacy.SetDCVoltageTask
        name = ramp
        target_value = 1.0
        back_step = 0.01
        delay = 0.01
        @Vg
";

#[test]
fn a_run_says_to_its_instruments_what_exopy_would() {
    let bench = Bench::new();
    let finished = bench
        .start(&RAMP.replace("back_step = 0.01", "back_step = 0.4"))
        .finish();
    assert_eq!(finished.code, Some(0), "{}", finished.errors);
    assert_eq!(bench.transcript.heard_by("RF"), [":OUTPUT ON", ":OUTPUT?"]);
    let expected = [
        "*CLS",
        "SOURce:FUNCtion?",
        ":SOURce:LEVel?",
        ":SOURce:LEVel 0.4",
        ":SOURce:LEVel?",
        ":SOURce:LEVel 0.8",
        ":SOURce:LEVel?",
        ":SOURce:LEVel 1.0",
        ":SOURce:LEVel?",
    ];
    assert_eq!(bench.transcript.heard_by("Vg"), expected);
    let log = bench.station.log();
    assert!(
        log.contains("Opened Vg (yokogawa.gs200) at TCPIP0::127.0.0.1::"),
        "{log}"
    );
}

#[test]
fn a_ramp_is_stopped_where_it_is_and_nothing_is_switched_off() {
    let bench = Bench::new();
    let run = bench.start(RAMP);
    bench.await_command("Vg", ":SOURce:LEVel 0.2");
    let stopped = bench.station.run(&["stop"]);
    assert!(stopped.status.success());
    let finished = run.finish();
    assert_eq!(
        (finished.code, finished.outcome()),
        (Some(4), "Interrupted"),
        "{}",
        finished.errors
    );
    let last = *bench.levels().last().expect("some were set");
    assert!(last < 0.9, "the ramp went on to {last}");
    // An operator who stops a run has a reason, and may want to look.
    assert!(!bench.transcript.heard_by("RF").contains(&":OUTPUT OFF".to_owned()));
}

#[test]
fn a_paused_ramp_goes_on_from_where_it_was() {
    let bench = Bench::new();
    let mut run = bench.start(RAMP);
    bench.await_command("Vg", ":SOURce:LEVel 0.2");
    assert!(bench.station.run(&["pause"]).status.success());
    run.until_state("Paused");
    let paused_at = bench.levels();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(bench.levels(), paused_at, "nothing moves in a pause");
    assert!(bench.station.run(&["resume"]).status.success());
    let finished = run.finish();
    assert_eq!(finished.code, Some(0), "{}", finished.errors);
    let levels = bench.levels();
    // 0.99 and a hundredth are a little less than 1 to a computer: Exopy takes one step more, and so do we.
    assert_eq!(levels.len(), 101, "{levels:?}");
    assert!(levels.is_sorted());
}

#[test]
fn instruments_of_a_run_that_fails_are_brought_to_their_safe_states() {
    let bench = Bench::new();
    let fails = format!(
        "{RAMP}    [[children_2]]\n        task_id = exopy.FormulaTask\n        name = f\n        \
         wait = \"{{'activated': True}}\"\n        formulas = \"[('x', '1/(1 - {{ramp_voltage}})')]\"\n"
    );
    let file = bench.file(&fails.replace("back_step = 0.01", "back_step = 0.0"));
    // The check computes with the same number and would find it.
    let finished = bench.start_with(&file, &["--skip-checks"]).finish();
    assert_eq!(finished.outcome(), "Failed");
    assert!(
        finished.error("unhandled").contains("ZeroDivisionError"),
        "{}",
        finished.finished
    );
    let heard = bench.transcript.heard_by("RF");
    assert_eq!(heard, [":OUTPUT ON", ":OUTPUT?", ":OUTPUT OFF", ":OUTPUT?"]);
}

#[test]
fn instruments_of_a_killed_process_are_brought_to_their_safe_states_by_the_next() {
    let bench = Bench::new();
    let mut run = bench.start(RAMP);
    run.until_state("Running");
    bench.await_command("Vg", ":SOURce:LEVel 0.2");
    signal(run.performer(), "KILL");
    let finished = run.finish();
    assert_eq!(finished.outcome(), "Failed");
    assert!(finished.error("engine").contains("SIGKILL"), "{}", finished.finished);
    let heard = bench.transcript.heard_by("RF");
    assert_eq!(heard, [":OUTPUT ON", ":OUTPUT?", ":OUTPUT OFF", ":OUTPUT?"]);
    let log = bench.station.log();
    assert!(log.contains("RF: in their safe states"), "{log}");
    let killed_at = *bench.levels().last().expect("some were set");
    assert!(
        killed_at < 0.9,
        "a level without a safe state stays where it was, not {killed_at}"
    );
}

#[test]
fn instruments_of_an_orphan_are_brought_to_their_safe_states() {
    let bench = Bench::new();
    let mut run = bench.start(RAMP);
    run.until_state("Running");
    let performer = run.performer();
    bench.await_command("Vg", ":SOURce:LEVel 0.2");
    run.child.kill().expect("it is there");
    await_death(performer);
    let heard = bench.transcript.heard_by("RF");
    assert_eq!(heard, [":OUTPUT ON", ":OUTPUT?", ":OUTPUT OFF", ":OUTPUT?"]);
}

/// A loop inside a loop: the outer one sets the voltage, the inner one the frequency.
const MAP: &str = "\
    [[children_0]]
        task_id = exopy_hqc_legacy.SetRFPowerTask
        name = p
        power = -12.5
        @RF
    [[children_1]]
        task_id = exopy.LoopTask
        name = L
        [[[interface]]]
            interface_id = exopy.LoopTask:exopy.LinspaceLoopInterface
            start = 0.0
            stop = 1.0
            step = 0.5
        [[[task]]]
            task_id = exopy_hqc_legacy.SetDCVoltageTask
            target_value = ''
            back_step = 0.25
            parallel = \"{'activated': False}\"
            @Vg
        [[[children_0]]]
            task_id = exopy.LoopTask
            name = M
            [[[[interface]]]]
                interface_id = exopy.LoopTask:exopy.LinspaceLoopInterface
                start = 1.0
                stop = 2.0
                step = 0.1
            [[[[task]]]]
                task_id = exopy_hqc_legacy.SetRFFrequencyTask
                frequency = ''
                unit = GHz
                @RF
            [[[[children_0]]]]
                task_id = exopy.SleepTask
                name = s
                time = 0.02
";

#[test]
fn a_run_that_goes_on_sets_its_instruments_again_first() {
    let bench = Bench::new();
    let file = bench.file(MAP);
    let mut run = bench.start_with(&file, &[]);
    run.until_state("Running");
    bench.await_command("Vg", ":SOURce:LEVel 0.5");
    // In the second round of the outer loop, after some points.
    let told = || {
        bench
            .transcript
            .heard_by("RF")
            .iter()
            .filter(|command| command.contains(":FREQuency:FIXed 1.3GHz"))
            .count()
    };
    let began = Instant::now();
    while told() < 2 {
        assert!(began.elapsed() < station::DEADLINE);
        std::thread::sleep(Duration::from_millis(1));
    }
    signal(run.performer(), "KILL");
    run.finish();
    // Somebody switched everything off in the meantime.
    let fresh = Bench {
        station: bench.station,
        ..Bench::new()
    };
    let mut arguments = vec!["resume".to_owned(), "m_001".to_owned()];
    arguments.extend(fresh.addresses());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = fresh.station.run(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let heard = fresh.transcript.heard_by("RF");
    let first: Vec<&str> = heard
        .iter()
        .filter(|told| !told.ends_with('?'))
        .take(2)
        .map(String::as_str)
        .collect();
    assert!(first.contains(&":POWER -12.5DBM"), "{heard:?}");
    assert!(
        first.iter().any(|told| told.starts_with(":FREQuency:FIXed 1.")),
        "{heard:?}"
    );
    let levels = fresh.levels();
    assert_eq!(levels[..2], [0.25, 0.5], "in the steps of the task: {levels:?}");
    assert_eq!(levels.last(), Some(&1.0));
}

/// What happens to a measurement whose voltage source does this when it is asked for its tenth level.
fn with_mishap(mishap: &str) -> (station::Finished, Bench) {
    let bench = Bench::new();
    let mishap: Mishap = mishap.parse().unwrap_or_else(|error| panic!("{error}"));
    bench.laboratory.strike("Vg", mishap).expect("it is there");
    let saves = format!(
        "{}    [[children_2]]\n        task_id = exopy_hqc_legacy.SaveTask\n        name = s\n        filename = s.dat\n        \
         saved_values = \"[('v', '{{ramp_voltage}}')]\"\n",
        RAMP.replace("delay = 0.01", "delay = 0.001")
    );
    let finished = bench.start(&saves).finish();
    (finished, bench)
}

#[test]
fn an_instrument_that_goes_silent_fails_the_run_in_words_that_name_it() {
    let (finished, bench) = with_mishap("silent on :SOURce:LEVel? after 10");
    assert_eq!((finished.code, finished.outcome()), (Some(1), "Failed"));
    let error = finished.error("unhandled");
    for words in [
        "`Vg` at `TCPIP0::127.0.0.1::",
        ":SOURce:LEVel?",
        "in 3 tries",
        "in `root/ramp`",
    ] {
        assert!(error.contains(words), "no {words} in {error}");
    }
    let heard = bench.transcript.heard_by("RF");
    assert_eq!(heard.last().map(String::as_str), Some(":OUTPUT?"), "{heard:?}");
    assert!(
        heard.contains(&":OUTPUT OFF".to_owned()),
        "the generator is switched off: {heard:?}"
    );
}

#[test]
fn an_instrument_that_drops_the_line_is_reached_again_and_nothing_is_lost() {
    for mishap in [
        "close on :SOURce:LEVel? at 10 for 1",
        "cut 3 on :SOURce:LEVel? at 10 for 1",
        "gone 300ms on :SOURce:LEVel? at 10 for 1",
    ] {
        let (finished, bench) = with_mishap(mishap);
        assert_eq!(
            finished.code,
            Some(0),
            "{mishap}: {}\n{}",
            finished.finished,
            finished.errors
        );
        assert_eq!(bench.levels().last(), Some(&1.0), "{mishap}");
        let saved = fs::read_to_string(bench.station.path().join("s.dat")).expect("it was saved");
        assert_eq!(saved, "v\n1.0\n", "{mishap}");
    }
}

#[test]
fn an_instrument_that_answers_nonsense_or_another_value_fails_the_run() {
    for (mishap, words) in [
        ("garbage on :SOURce:LEVel? at 10 for 3", "`voltage`"),
        ("off 0.5 after 10", "`voltage` was set to"),
    ] {
        let (finished, _) = with_mishap(mishap);
        assert_eq!(finished.outcome(), "Failed", "{mishap}: {}", finished.finished);
        let error = finished.error("unhandled");
        assert!(error.contains("`Vg`") && error.contains(words), "{mishap}: {error}");
    }
}

#[test]
fn an_instrument_that_floods_ends_no_memory() {
    let (finished, _) = with_mishap("flood on :SOURce:LEVel? after 10");
    assert_eq!(finished.outcome(), "Failed", "{}", finished.finished);
    assert!(finished.error("unhandled").contains("`Vg` at"), "{}", finished.finished);
}

#[test]
fn an_instrument_that_is_not_there_is_said_before_anything_is_done() {
    let bench = Bench::new();
    let file = bench.file(RAMP);
    // The second of two is nowhere: the first is closed again.
    let address = bench.laboratory.address("RF").expect("it is served");
    let run = bench.station.start(
        &file,
        &[
            "--address",
            &format!("RF={address}"),
            "--address",
            "Vg=TCPIP::127.0.0.1::9::SOCKET",
        ],
    );
    let finished = run.finish();
    assert_eq!(finished.outcome(), "Failed");
    let error = finished.error("unhandled");
    assert!(
        error.contains("`Vg` at `TCPIP0::127.0.0.1::9::SOCKET` could not be opened"),
        "{error}"
    );
    let file = bench.file(RAMP);
    let finished = bench.station.start(&file, &[]).finish();
    assert_eq!(finished.code, Some(3), "nothing says where the instruments are");
    assert!(finished.errors.contains("--address RF=…"), "{}", finished.errors);
}

/// A device file of pyvisa-sim that speaks the source's language.
const DEVICE: &str = r#"spec: "1.1"
devices:
  source:
    eom:
      TCPIP SOCKET:
        q: "\n"
        r: "\n"
    error: ERROR
    dialogues:
      - q: "*CLS"
      - q: "SOURce:FUNCtion?"
        r: "VOLT"
    properties:
      level:
        default: 0.0
        getter:
          q: ":SOURce:LEVel?"
          r: "{:+.6E}"
        setter:
          q: ":SOURce:LEVel {}"
        specs:
          type: float
resources:
  TCPIP0::localhost::5025::SOCKET:
    device: source
"#;

#[test]
fn a_measurement_speaks_with_a_simulator_of_others() {
    let Some(server) = station::shared("instruments").map(|folder| folder.join("simserver.py")) else {
        return;
    };
    let python = std::env::var("MEASURAND_PYTHON").unwrap_or_default();
    let has_it = Command::new(&python).args(["-c", "import pyvisa_sim"]).status();
    if !has_it.is_ok_and(|status| status.success()) {
        println!("skipped: MEASURAND_PYTHON names no Python with pyvisa_sim");
        return;
    }
    let station = Station::new();
    let device = station.path().join("source.yaml");
    fs::write(&device, DEVICE).expect("room");
    let log = station.path().join("served.txt");
    let mut serving = Command::new(python)
        .arg(server)
        .arg(&device)
        .arg("--log")
        .stdout(Stdio::piped())
        .stderr(fs::File::create(&log).expect("room"))
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    let output = serving.stdout.take().expect("it is piped");
    BufReader::new(output).read_line(&mut line).expect("where it serves");
    let served: serde_json::Value = serde_json::from_str(&line).expect("one object");
    let address = served["instruments"][0]["visa"]
        .as_str()
        .expect("an address")
        .to_owned();
    let selection = format!("selected_instrument = \"('Vg', '{YOKOGAWA}', '', None)\"");
    let tasks = RAMP
        .replace("@Vg", &selection)
        .replace("back_step = 0.01", "back_step = 0.4");
    // The ramp alone: the generator is served by nobody.
    let ramp = tasks.split("    [[children_1]]").nth(1).expect("the second task");
    let file = station.measurement("m", &format!("    [[children_0]]{ramp}"));
    let finished = station.start(&file, &["--address", &format!("Vg={address}")]).finish();
    serving.kill().expect("it is there");
    serving.wait().expect("it can be waited for");
    assert_eq!(finished.code, Some(0), "{}", finished.errors);
    let heard: Vec<String> = fs::read_to_string(log)
        .expect("what it heard")
        .lines()
        .filter_map(|line| Some(line.split_once(" < b'")?.1.trim_end_matches('\'').to_owned()))
        .collect();
    let expected = [
        "*CLS",
        "SOURce:FUNCtion?",
        ":SOURce:LEVel?",
        ":SOURce:LEVel 0.4",
        ":SOURce:LEVel?",
        ":SOURce:LEVel 0.8",
        ":SOURce:LEVel?",
        ":SOURce:LEVel 1.0",
        ":SOURce:LEVel?",
    ];
    assert_eq!(heard, expected);
}
