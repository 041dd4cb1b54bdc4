//! Network analysers, spectrum analysers and waveform generators: what their tasks ask, on a dry bench, and what they make of
//! the answers. The real files that use them, and magnets, build and pass their checks.

mod laboratory;

use std::{fs, path::Path};

use expr::Value;
use laboratory::{Laboratory, asked, errors, perform, python};
use measurement::{Measurement, Overrides};

const POINT: &str = "[[children_0]] ¶ @PNASinglePointMeasureTask ¶ name = t ¶ channel = 20 ¶ window = 3
     measures = \"[(u'S21', 'PHAS'), ('S21', '')]\"";

#[test]
fn a_wide_point_is_measured_without_end_and_set_up_once() {
    let task = format!(
        "[[children_0]] ¶ task_id = exopy.LoopTask ¶ name = L
         [[[interface]]] ¶ interface_id = exopy.LoopTask:exopy.IterableLoopInterface ¶ iterable = '[1, 2]'
         {}",
        POINT.replace("[[children_0]]", "[[[children_0]]]") + " ¶ if_bandwidth = 10"
    );
    let done = perform(
        &task,
        &[
            (
                "call read_formatted ['S21', 'PHAS'] at channel=20",
                python("np.array([12.5])"),
            ),
            ("call read_raw ['S21', ''] at channel=20", python("np.array([1+2j])")),
        ],
    );
    assert_eq!(done.outcome, Ok(()));
    let expected = [
        "call take_control point at channel=20",
        "call prepare_point 10 3 [['S21', 'PHAS'], ['S21', '']] at channel=20",
        "call read_formatted ['S21', 'PHAS'] at channel=20",
        "call read_raw ['S21', ''] at channel=20",
        "call read_formatted ['S21', 'PHAS'] at channel=20",
        "call read_raw ['S21', ''] at channel=20",
    ];
    assert_eq!(asked(&done), expected);
    assert_eq!(done.run.time.as_secs_f64(), 0.2);
}

#[test]
fn a_narrow_point_is_triggered_and_waited_for() {
    let done = perform(
        POINT,
        &[
            ("call is_done at channel=20", python("False ; False ; True")),
            ("call read_formatted ['S21', 'PHAS'] at channel=20", python("[12.5]")),
            ("call read_raw ['S21', ''] at channel=20", python("np.array([1+2j])")),
        ],
    );
    assert_eq!(done.outcome, Ok(()));
    let expected = [
        "call take_control sweep at channel=20",
        "call prepare_point 2 3 [['S21', 'PHAS'], ['S21', '']] at channel=20",
        "call trigger at channel=20",
        "call is_done at channel=20",
        "call is_done at channel=20",
        "call is_done at channel=20",
        "call read_formatted ['S21', 'PHAS'] at channel=20",
        "call read_raw ['S21', ''] at channel=20",
    ];
    assert_eq!(asked(&done), expected);
    assert_eq!(done.run.time.as_secs_f64(), 0.6);
    assert_eq!(done.entry("S21_PHAS"), "12.5");
    assert_eq!(done.entry("S21"), "(1+2j)");
}

#[test]
fn a_sweep_that_never_ends_fails() {
    let done = perform(POINT, &[("call is_done at channel=20", python("False"))]);
    let message = done.outcome.expect_err("it never ends");
    assert!(
        message.starts_with("TimeoutError: the sweep was to take 0.5 s and did not end in"),
        "{message}"
    );
}

const SWEEP: &str = "[[children_0]] ¶ @PNASweepTask ¶ name = t ¶ if_bandwidth = 50
     measures = \"[('S21', 'MLIN'), ('S11', '')]\"";

#[test]
fn a_sweep_is_an_array_with_fields() {
    let done = perform(
        &format!("{SWEEP} ¶ sweep_type = Frequency ¶ start = 6e9 ¶ stop = 6.5e9 ¶ points = 3"),
        &[
            ("get sweep_time at channel=1", python("0.3")),
            ("call is_done at channel=1", python("True")),
            (
                "call read_formatted ['S21', 'MLIN'] at channel=1",
                python("np.array([0.5, 0.25, 1.0])"),
            ),
            (
                "call read_raw ['S11', ''] at channel=1",
                python("np.array([1, 2j, -1])"),
            ),
        ],
    );
    assert_eq!(done.outcome, Ok(()));
    let expected = [
        "call take_control sweep at channel=1",
        "call prepare_measures 50 1 [['S21', 'MLIN'], ['S11', '']] at channel=1",
        "call prepare_sweep FREQUENCY 6000000000.0 6500000000.0 3 at channel=1",
        "get sweep_time at channel=1",
        "call trigger at channel=1",
        "call is_done at channel=1",
        "call read_formatted ['S21', 'MLIN'] at channel=1",
        "call read_raw ['S11', ''] at channel=1",
    ];
    assert_eq!(asked(&done), expected);
    let database = done.measurement.tree.database();
    let index = database
        .entries()
        .iter()
        .position(|entry| entry.path == "root/t_sweep_data");
    let Value::Record(record) = &done.run.values[index.expect("the entry")] else {
        panic!("no record");
    };
    let fields: Vec<String> = record
        .fields
        .iter()
        .map(|(name, data)| format!("{name}: {} {}", data.dtype(), Value::from(data.clone()).repr()))
        .collect();
    let expected = [
        "Frequency: float64 array([6.00e+09, 6.25e+09, 6.50e+09])",
        "S21_MLIN: float64 array([0.5 , 0.25, 1.  ])",
        "S11: complex128 array([ 1.+0.j,  0.+2.j, -1.+0.j])",
    ];
    assert_eq!(fields, expected);
}

#[test]
fn what_a_sweep_does_not_say_is_what_the_analyser_is_set_to() {
    let answers = |axis: &str| {
        vec![
            ("get sweep_time at channel=1", python("0.3")),
            ("call is_done at channel=1", python("True")),
            ("call axis at channel=1", python(axis)),
            ("call axis  at channel=1", python(axis)),
            ("call axis POWER at channel=1", python(axis)),
            (
                "call read_formatted ['S21', 'MLIN'] at channel=1",
                python("np.array([0.5, 0.25])"),
            ),
            ("call read_raw ['S11', ''] at channel=1", python("np.array([1, 2j])")),
        ]
    };
    let prepared = |task: &str, axis: &str| {
        let done = perform(task, &answers(axis));
        assert_eq!(done.outcome, Ok(()), "{task}");
        let found = done
            .run
            .asked
            .iter()
            .find(|asked| asked.contains("prepare_sweep"))
            .cloned();
        found.expect("a sweep is prepared")
    };
    assert_eq!(
        prepared(SWEEP, "['LIN', 1e9, 2e9, 2]"),
        "0: call prepare_sweep FREQUENCY 1000000000.0 2000000000.0 2 at channel=1"
    );
    assert_eq!(
        prepared(
            &format!("{SWEEP} ¶ sweep_type = Power ¶ start = -30"),
            "['POW', -20.0, 0.0, 2]"
        ),
        "0: call prepare_sweep POWER -30 0.0 2 at channel=1"
    );
    let done = perform(&format!("{SWEEP} ¶ points = 3"), &answers("['LIN', 1e9, 2e9, 2]"));
    let expected = "ValueError: the analyser returned 2 values of `S21_MLIN` for 3 points".to_owned();
    assert_eq!(done.outcome, Err(expected));
}

#[test]
fn traces_of_a_pna_are_averaged_and_turned_by_their_delay() {
    let done = perform(
        "[[children_0]] ¶ @PNAGetTraces ¶ name = t ¶ tracelist = '2,1;2,3'",
        &[
            ("call prepare_average at channel=2", python("2")),
            ("get sweep_time at channel=2", python("1.0")),
            ("call is_done at channel=2", python("True")),
            (
                "call trace 1 at channel=2",
                python("['Tr1', ['LIN', 1e9, 1.5e9, 2], np.array([1., 1.]), 0.5]"),
            ),
            (
                "call trace 3 at channel=2",
                python("['Tr3', ['POW', -20.0, 0.0, 2], np.array([3+4j, 0]), 0.0]"),
            ),
        ],
    );
    assert_eq!(done.outcome, Ok(()));
    let expected = [
        "call prepare_average at channel=2",
        "get sweep_time at channel=2",
        "call average_once at channel=2",
        "call is_done at channel=2",
        "call average_once at channel=2",
        "call is_done at channel=2",
        "call trace 1 at channel=2",
        "call trace 3 at channel=2",
    ];
    assert_eq!(asked(&done), expected);
    let data = done.entry("sweep_data");
    for part in [
        "'2,1': ",
        "'Freq (GHz)'",
        "'Tr1 phase'",
        "'2,3': ",
        "'Power (dBm)'",
        "'Tr3 abs'",
        "-1.",
        "(-20., 3., 4., 5., 0.92729522)",
    ] {
        assert!(data.contains(part), "`{part}` in {data}");
    }
    let task = "[[children_0]] ¶ @PNAGetTraces ¶ name = t ¶ tracelist = '1;2'";
    assert_eq!(errors(task), ["`1` is no channel and trace: `1,1;1,3` are two of them"]);
}

#[test]
fn traces_of_a_znb_are_all_that_it_shows() {
    let done = perform(
        "[[children_0]] ¶ @ZNBGetTraces ¶ name = t",
        &[
            ("get channels", python("[1, 4]")),
            ("call measures at channel=1", python("[]")),
            ("call measures at channel=4", python("['Trc1', 'Trc2']")),
            (
                "call read_formatted Trc2 at channel=4",
                python("np.array([0., 1., 0., 2., 0., 3.])"),
            ),
            ("call read_raw Trc2 at channel=4", python("np.array([1j, 2j, 3j])")),
            ("call axis  at channel=4", python("['LIN', 1e9, 2e9, 3]")),
            (
                "call read_formatted Trc1 at channel=4",
                python("np.array([1., 2., 3.])"),
            ),
        ],
    );
    assert_eq!(done.outcome, Ok(()));
    let data = done.entry("sweep_data");
    for part in [
        "'Trc1': ",
        "'Freq (GHz)'",
        "'Trc1 data'",
        "(1.5, 2.)",
        "'Trc2 data'",
        "(1.5, 0.+2.j)",
    ] {
        assert!(data.contains(part), "`{part}` in {data}");
    }
}

#[test]
fn a_trace_of_a_spectrum_analyser_is_measured_anew() {
    let done = perform(
        "[[children_0]] ¶ @PSAGetTrace ¶ name = t ¶ trace = 4",
        &[
            ("get mode", python("'SA'")),
            ("get start_frequency", python("1.0")),
            ("get stop_frequency", python("2.0")),
            ("get span", python("1.0")),
            ("get center_frequency", python("1.5")),
            ("get average_count", python("2")),
            ("get average_state", python("'ON'")),
            ("get rbw", python("1000.0")),
            ("get vbw", python("300.0")),
            ("get sweep_points", python("3")),
            ("get sweep_time", python("0.5")),
            ("get event_status", python("0 ; 0 ; 1")),
            ("get data at trace=4", python("np.array([-80.5, -81., -82.])")),
        ],
    );
    assert_eq!(done.outcome, Ok(()));
    assert_eq!(
        done.entry("psa_config"),
        "'Start freq 1.0, Stop freq 2.0, Span freq 1.0,\\nCenter freq 1.5, Average number 2, Resolution\\nBandwidth 1000.0, \
         Video Bandwidth 300.0, Number of points\\n3, Mode Spectrum Analyzer'"
    );
    let data = done.entry("trace_data");
    for part in ["'Frequency'", "'log(mag) vs freq'", "(1.5, -81. )"] {
        assert!(data.contains(part), "`{part}` in {data}");
    }
    assert_eq!(done.run.time.as_secs_f64(), 0.55);
    let wrong = perform(
        "[[children_0]] ¶ @PSAGetTrace ¶ name = t",
        &[("get mode", python("'BASIC'"))],
    );
    let message = "ValueError: the analyser is in the mode BASIC, and this task needs SA".to_owned();
    assert_eq!(wrong.outcome, Err(message));
}

#[test]
fn a_spectrum_analyser_is_set_in_an_order_that_always_works() {
    let task = "[[children_0]] ¶ @PSASetParam ¶ name = t ¶ start_freq = 1 ¶ end_freq = 2.5 ¶ center_freq = 9
         resolution_bandwidth = 1e3 ¶ average_nb = ''";
    let done = perform(task, &[("get mode", python("'SA'"))]);
    assert_eq!(done.outcome, Ok(()));
    let set: Vec<&str> = asked(&done)
        .into_iter()
        .filter(|asked| asked.starts_with("set"))
        .collect();
    let expected = [
        "set start_frequency 1",
        "set stop_frequency 2.5",
        "set start_frequency 1",
        "set rbw 1000.0",
    ];
    assert_eq!(set, expected);
    let task = "[[children_0]] ¶ @PSASetParam ¶ name = t ¶ mode = Center/Span ¶ center_freq = 30 ¶ average_nb = 2.5";
    let expected = [
        "`center_freq` is 30: it should be from 0.000000003 to 26.5",
        "`average_nb` should be a whole number, not 2.5 (float)",
    ];
    assert_eq!(errors(task), expected);
}

#[test]
fn a_waveform_generator_is_switched() {
    let check = |fields: &str, answers: &[(&str, Vec<Value>)], expected: &[&str], seconds: f64, output: &str| {
        let done = perform(&format!("[[children_0]] ¶ @RunAWGTask ¶ name = t ¶ {fields}"), answers);
        assert_eq!(done.outcome, Ok(()), "{fields}");
        assert_eq!(asked(&done), expected, "{fields}");
        assert_eq!(done.run.time.as_secs_f64(), seconds, "{fields}");
        assert_eq!(done.entry("output"), output, "{fields}");
    };
    check(
        "switch = On ¶ delay = 3",
        &[("get running", python("1"))],
        &["call event", "call run", "get running"],
        3.0,
        "1",
    );
    check(
        "switch = 0",
        &[("get running", python("0"))],
        &["call stop", "get running"],
        0.0,
        "0",
    );
    check("switch = Event ¶ delay = 0.5", &[], &["call event"], 0.5, "0");
    check(
        "switch = Rearm",
        &[("get sequence_position", python("3 ; 2 ; 1"))],
        &[
            "call event",
            "get sequence_position",
            "call event",
            "get sequence_position",
            "call event",
            "get sequence_position",
        ],
        0.02,
        "0",
    );
    let silent = perform(
        "[[children_0]] ¶ @RunAWGTask ¶ name = t ¶ switch = On",
        &[("get running", python("0"))],
    );
    let message = "ValueError: after `On` the generator says that its state is 0".to_owned();
    assert_eq!(silent.outcome, Err(message));
    let task = "[[children_0]] ¶ @RunAWGTask ¶ name = t ¶ switch = maybe";
    assert_eq!(errors(task), ["`switch` is On, Off, Event or Rearm, not `maybe`"]);
}

#[test]
fn measures_that_are_none_are_found() {
    let task = "[[children_0]] ¶ @PNASweepTask ¶ name = t ¶ measures = \"[('T21', 'MLIN'), ('S55', '')]\"";
    let expected = [
        "`T21` is no parameter: `S21` is one, with ports from 1 to 4",
        "`S55` is no parameter: `S21` is one, with ports from 1 to 4",
    ];
    assert_eq!(errors(task), expected);
    let task = "[[children_0]] ¶ @PNASinglePointMeasureTask ¶ name = t ¶ measures = 5 ¶ if_bandwidth = 0";
    let expected = [
        "`measures` should be a list of (parameter, format) pairs: `[('S21', 'MLIN')]`",
        "`if_bandwidth` is 0: it should be more than 0",
    ];
    assert_eq!(errors(task), expected);
    let task = "[[children_0]] ¶ @ApplyMagFieldTask ¶ name = t ¶ field = 'x' ¶ rate = 0";
    assert_eq!(errors(task).len(), 2);
}

#[test]
fn the_real_files_that_use_them_build_and_pass_their_checks() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/real/hqcmeas");
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("skipped: {} is not here", folder.display());
        return;
    };
    let ours = [
        "ApplyMagFieldTask",
        "MeasMagFieldTask",
        "PNASinglePointMeasureTask",
        "PNASweepTask",
        "PNAGetTraces",
        "PSAGetTrace",
        "RunAWGTask",
    ];
    let mut count = 0;
    for entry in entries.flatten() {
        let bytes = fs::read(entry.path()).expect("it can be read");
        let measurement = Measurement::read(&bytes, "real", &Overrides::default())
            .unwrap_or_else(|problems| panic!("{}: {problems:?}", entry.path().display()));
        let tree = &measurement.tree;
        let checked = tree.check(&measurement.facts("2026-11-22", "10-00-00"), &Laboratory);
        let is_ours = |id: &str| ours.iter().any(|name| id == format!("exopy_hqc_legacy.{name}"));
        for node in tree.nodes().iter().filter(|node| is_ours(&node.id)) {
            assert!(node.kind().is_some(), "{}: {}", entry.path().display(), node.id);
            assert!(node.instrument.is_some(), "{}: {}", entry.path().display(), node.path);
            count += 1;
            let begins = format!("{}-", node.error_path());
            let problems = checked.problems.iter().chain(&measurement.problems);
            let own: Vec<_> = problems
                .filter(|problem| {
                    problem.is_error() && (problem.path.starts_with(&begins) || problem.path == node.path)
                })
                .collect();
            assert!(own.is_empty(), "{}: {own:?}", entry.path().display());
        }
    }
    assert!(count >= 59, "{count} tasks");
}
