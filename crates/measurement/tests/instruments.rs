//! What the tasks that use instruments ask of them, on a dry bench; the order is Exopy's.

mod laboratory;

use expr::Value;
use laboratory::Laboratory;
use measurement::{DryBench, DryRun, EntryId, Measurement, Overrides};

/// The selection of the instrument `Vg1`, the only one.
const SELECTED: &str = "selected_instrument = \"('Vg1', 'some.Driver', 'VisaGPIB', None)\"";

/// A measurement of these tasks; `@SetRFPowerTask` stands for the id of a task of `exopy_hqc_legacy` with its instrument, and
/// so does `@measurand.SetParameterTask` with its package; `¶` parts fields.
fn measurement(tasks: &str) -> Measurement {
    let mut text = String::from("name = M\nid = 1\n[root_task]\ntask_id = exopy.ComplexTask\ndefault_path = /data\n");
    for line in tasks.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let line = match line.split_once('@') {
            Some((before, id)) => {
                let has_package = id.split(' ').next().is_some_and(|id| id.contains('.'));
                let package = if has_package { "" } else { "exopy_hqc_legacy." };
                format!("{before}{SELECTED} ¶ task_id = {package}{id}")
            }
            None => line.to_owned(),
        };
        text.push_str(&line.replace(" ¶ ", "\n"));
        text.push('\n');
    }
    let measurement = Measurement::read(text.as_bytes(), "m", &Overrides::default())
        .unwrap_or_else(|problems| panic!("{problems:?}\n{text}"));
    assert!(measurement.is_built(), "{:?}\n{text}", measurement.problems);
    measurement
}

/// What came of a run.
struct Outcome {
    run: DryRun,
    /// Every update in order: `t_voltage = 1.5`.
    written: Vec<String>,
}

/// Performs the tasks with these answers of the instrument.
fn perform(tasks: &str, answers: &[(&str, &[Value])]) -> DryRun {
    outcome(tasks, answers, 10_000).run
}

/// Likewise, until a checkpoint too many.
fn outcome(tasks: &str, answers: &[(&str, &[Value])], checkpoints: usize) -> Outcome {
    let measurement = measurement(tasks);
    let checked = measurement.tree.check(&[], &Laboratory);
    let problems: Vec<_> = checked.problems.iter().filter(|problem| problem.is_error()).collect();
    assert!(problems.is_empty(), "{problems:?}");
    let program = measurement.tree.prepare();
    let bench = answers.iter().fold(
        DryBench::new(&program, checked.values, checkpoints),
        |bench, (question, answers)| bench.with_answers(question, answers.iter().cloned()),
    );
    program.perform(&bench).unwrap_or_else(|failure| panic!("{failure}"));
    let run = bench.finish();
    let entry = |id: &EntryId| {
        let path = &measurement.tree.database().entry(*id).path;
        path.rsplit('/').next().unwrap_or_default().to_owned()
    };
    let written = run
        .updates
        .iter()
        .map(|(id, value)| format!("{} = {}", entry(id), value.repr()));
    let written = written.collect();
    Outcome { run, written }
}

/// The message of the failure that the tasks end with.
fn failure(tasks: &str, answers: &[(&str, &[Value])]) -> String {
    let measurement = measurement(tasks);
    let checked = measurement.tree.check(&[], &Laboratory);
    let program = measurement.tree.prepare();
    let bench = answers.iter().fold(
        DryBench::new(&program, checked.values, 10_000),
        |bench, (question, answers)| bench.with_answers(question, answers.iter().cloned()),
    );
    let failure = program.perform(&bench).expect_err("they fail");
    failure.message
}

/// The complaints of a check.
fn complaints(tasks: &str) -> Vec<String> {
    let checked = measurement(tasks).tree.check(&[], &Laboratory);
    checked.problems.iter().map(|problem| problem.message.clone()).collect()
}

#[test]
fn a_source_goes_in_steps() {
    let run = perform(
        "[[children_0]] ¶ @SetDCVoltageTask ¶ name = g ¶ target_value = 1.0 ¶ back_step = 0.4 ¶ parallel = {}",
        &[("0: get function", &[Value::from("VOLT")])],
    );
    let expected = [
        "0: get function",
        "0: get voltage",
        "0: set voltage 0.4",
        "0: set voltage 0.8",
        "0: set voltage 1.0",
    ];
    assert_eq!(run.asked, expected);
    assert_eq!(run.time.as_secs_f64(), 0.01, "nothing is waited before the last step");
}

#[test]
fn a_source_in_a_loop_takes_the_values_of_the_loop() {
    let run = perform(
        "[[children_0]] ¶ task_id = exopy.LoopTask ¶ name = L
         [[[interface]]] ¶ interface_id = exopy.LoopTask:exopy.IterableLoopInterface ¶ iterable = '[1, 2.5]'
         [[[task]]] ¶ @SetDCVoltageTask ¶ target_value = ''
         [[[[interface]]]] ¶ channel = '(2, 1)'
         interface_id = exopy_hqc_legacy.SetDCVoltageTask:exopy_hqc_legacy.MultiChannelVoltageSourceInterface",
        &[],
    );
    let expected = [
        "0: get voltage at channel=(2, 1)",
        "0: set voltage 1 at channel=(2, 1)",
        "0: get voltage at channel=(2, 1)",
        "0: set voltage 2.5 at channel=(2, 1)",
    ];
    assert_eq!(run.asked, expected);
}

#[test]
fn an_rf_source_is_set_in_the_unit_of_the_task() {
    let tasks = "[[children_0]] ¶ @SetRFFrequencyTask ¶ name = f ¶ frequency = 4.5 ¶ auto_start = True
         [[children_1]] ¶ @SetRFFrequencyTask ¶ name = k ¶ frequency = 1/3 ¶ unit = kHz
         [[children_2]] ¶ @SetRFPowerTask ¶ name = p ¶ power = -10
         [[children_3]] ¶ @SetRFPhaseTask ¶ name = a ¶ phase = 90 ¶ unit = Rad";
    let Outcome { run, written } = outcome(tasks, &[], 100);
    let expected = [
        "0: set output ON at unit=GHz",
        "0: set frequency 4.5 at unit=GHz",
        "0: set frequency 0.3333333333333333 at unit=kHz",
        "0: set power -10",
        "0: set phase 90 at phase_unit=RAD",
    ];
    assert_eq!(run.asked, expected);
    let expected = [
        "f_frequency = 4.5",
        "k_frequency = 0.3333333333333333",
        "p_power = -10",
        "a_phase = 90",
    ];
    assert_eq!(written, expected);
}

#[test]
fn channels_of_rf_sources_take_the_values_of_the_loop() {
    let check = |task: &str, interface: &str, expected: &[&str]| {
        let tasks = format!(
            "[[children_0]] ¶ task_id = exopy.LoopTask ¶ name = L
             [[[interface]]] ¶ interface_id = exopy.LoopTask:exopy.IterableLoopInterface ¶ iterable = '[1, 2.5]'
             [[[task]]] ¶ {task}
             [[[[interface]]]] ¶ {interface}"
        );
        let answers: &[(&str, &[Value])] = &[("0: get output", &[Value::from("OFF")])];
        assert_eq!(perform(&tasks, answers).asked, expected);
    };
    check(
        "@SetRFFrequencyTask ¶ unit = MHz",
        "channel = 2 ¶ interface_id = exopy_hqc_legacy.SetRFFrequencyTask:exopy_hqc_legacy.AnapicoSetChannelInterface",
        &[
            "0: set frequency 1 at channel=2 at unit=MHz",
            "0: set frequency 2.5 at channel=2 at unit=MHz",
        ],
    );
    check(
        "@SetRFPowerTask",
        "interface_id = exopy_hqc_legacy.SetRFPowerTask:exopy_hqc_legacy.SynthHDsetChannelInterface",
        &["0: set power 1 at channel=0", "0: set power 2.5 at channel=0"],
    );
    check(
        "@SetRFFrequencyTask ¶ unit = MHz",
        "channel = 20 ¶ interface_id = exopy_hqc_legacy.SetRFFrequencyTask:exopy_hqc_legacy.PNASetRFFrequencyInterface",
        &[
            "0: set frequency 1000000.0 at channel=20",
            "0: set frequency 2500000.0 at channel=20",
        ],
    );
    check(
        "@SetRFPowerTask ¶ auto_start = True",
        "port = 2 ¶ interface_id = exopy_hqc_legacy.SetRFPowerTask:exopy_hqc_legacy.PNASetRFPowerInterface",
        &[
            "0: set power 1 at channel=1 at port=2",
            "0: set output ON at channel=1 at port=2",
            "0: set power 2.5 at channel=1 at port=2",
            "0: set output ON at channel=1 at port=2",
        ],
    );
}

#[test]
fn switches_understand_bare_words_and_expressions() {
    let check = |task: &str, switch: &str, asked: &str, written: &str| {
        let outcome = outcome(&format!("[[children_0]] ¶ @{task} ¶ name = s ¶ {switch}"), &[], 100);
        assert_eq!(outcome.run.asked, [asked]);
        assert_eq!(outcome.written, [written]);
    };
    check("SetRFOnOffTask", "switch = Off", "0: set output OFF", "s_output = 0");
    check("SetRFOnOffTask", "switch = On", "0: set output ON", "s_output = 1");
    check("SetRFOnOffTask", "switch = 1", "0: set output ON", "s_output = 1");
    check(
        "SetRFOnOffTask",
        "switch = \"'On'\"",
        "0: set output ON",
        "s_output = 1",
    );
    check("SetRFOnOffTask", "switch = 2 > 3", "0: set output OFF", "s_output = 0");
    check(
        "SetPulseModulationTask",
        "stoppable = True",
        "0: set pulse_modulation OFF",
        "s_pm_state = 0",
    );
    check("SetDCOutputTask", "switch = ON", "0: set output ON", "s_output = 'ON'");
    check(
        "SetDCOutputTask",
        "stoppable = True",
        "0: set output OFF",
        "s_output = 'OFF'",
    );
    check(
        "SetDCFunctionTask",
        "stoppable = True",
        "0: set function VOLT",
        "s_function = 'VOLT'",
    );
    check(
        "SetDCFunctionTask",
        "switch = \"'CURR'\"",
        "0: set function CURR",
        "s_function = 'CURR'",
    );

    let refused = |switch: &str| {
        complaints(&format!(
            "[[children_0]] ¶ @SetRFOnOffTask ¶ name = s ¶ switch = {switch}"
        ))
    };
    assert_eq!(refused("2"), ["`switch`: 2 is none of the states ON and OFF"]);
    assert_eq!(refused("Onn"), ["`switch`: NameError: name 'Onn' is not defined"]);
}

#[test]
fn meters_and_lock_ins_are_read_after_a_wait() {
    let tasks = "[[children_0]] ¶ @MeasDCVoltageTask ¶ name = m ¶ wait_time = 0.5
         [[children_1]] ¶ @labeq_exopy.MeasDCVoltageTask ¶ name = m
         [[children_2]] ¶ @LockInMeasureTask ¶ name = l ¶ mode = Amp&Phase ¶ waiting_time = 2
         [[children_3]] ¶ @LockInMeasureTask ¶ name = l ¶ mode = Y
         [[children_4]] ¶ @GetDCVoltageTask ¶ name = g ¶ parallel = {}";
    let answers: &[(&str, &[Value])] = &[
        ("0: get voltage_dc", &[Value::Float(1.5), Value::Float(2.5)]),
        ("0: get amplitude_and_phase", &[Value::from(vec![0.25, -90.0])]),
        ("0: get y", &[Value::Float(0.125)]),
        ("0: get function", &[Value::from("VOLT")]),
        ("0: get voltage", &[Value::Int(3)]),
    ];
    let Outcome { run, written } = outcome(tasks, answers, 100);
    let expected = [
        "m_voltage = 1.5",
        "m_voltageDC = 2.5",
        "l_amplitude = 0.25",
        "l_phase = -90.0",
        "l_y = 0.125",
        "g_voltage = 3.0",
    ];
    assert_eq!(written, expected);
    assert_eq!(run.time.as_secs_f64(), 2.5);
    let message = failure(
        "[[children_0]] ¶ @GetDCVoltageTask ¶ name = g",
        &[("0: get function", &[Value::from("CURR")])],
    );
    assert_eq!(
        message,
        "ValueError: the instrument's function is `CURR`, and this task needs `VOLT`"
    );
}

#[test]
fn sources_of_labeq_become_what_they_have_to_be() {
    let tasks = "[[children_0]] ¶ @labeq_exopy.SourceDCCurrentTask ¶ name = s ¶ source_c = .05 ¶ wait_time = 1
         [[children_1]] ¶ @labeq_exopy.SetVoltageComplianceTask ¶ name = c ¶ comp_v = 5
         [[children_2]] ¶ @labeq_exopy.SetRange ¶ name = r ¶ range_val = 0.069
         [[children_3]] ¶ @labeq_exopy.SetRangeTaskYoko ¶ name = y ¶ func_v = Both ¶ set_range_val = MAX
         [[children_4]] ¶ @labeq_exopy.SetRampTaskYoko ¶ name = p ¶ func_v = Voltage ¶ ramp_v = 3600
         [[children_5]] ¶ @labeq_exopy.RampTask ¶ name = e ¶ func_v = Voltage ¶ ramp_v = 420
         [[children_6]] ¶ @labeq_exopy.MeasTwoResistanceTask ¶ name = m
         [[[interface]]] ¶ source_mode = Auto ¶ source_type = \"\"
         interface_id = labeq_exopy.MeasTwoResistanceTask:labeq_exopy.Keithley2400MeasTwoResistanceInterface";
    let functions = ["VOLT", "VOLT", "CURR", "VOLT"].map(Value::from);
    let Outcome { run, written } = outcome(
        tasks,
        &[
            ("0: get function", &functions),
            ("0: get resistance_mode", &[Value::from("MAN")]),
        ],
        100,
    );
    let expected = [
        "0: get function",
        "0: set function CURR",
        "0: set current 0.05",
        "0: set voltage_limit 5",
        "0: set voltage_range 0.069",
        "0: get function",
        "0: set voltage_range MAX",
        "0: get function",
        "0: set current_range MAX",
        "0: get function",
        "0: set slope 3600",
        "0: get function",
        "0: set slope 420",
        "0: set resistance_mode AUTO",
        "0: get resistance",
    ];
    assert_eq!(run.asked, expected);
    let expected = [
        "s_source_current_dc = 0.05",
        "c_comp_v = 5",
        "r_range_val = 0.069",
        "y_set_range_val = 'MAX'",
        "p_set_ramp = 3600",
        "e_ramp = 420",
        "m_two_resistance = 0.0",
    ];
    assert_eq!(written, expected);
}

#[test]
fn a_ramp_of_labeq_goes_as_the_time_goes() {
    let task = "[[children_0]] ¶ @labeq_exopy.SetRampTaskYoko ¶ name = p ¶ ramp_v = 0.2 ¶ goal_v = 1";
    let outcome_of = outcome(task, &[("0: get voltage", &[Value::Int(-1)])], 100);
    let expected = [
        "0: get voltage",
        "0: set voltage -0.5",
        "0: set voltage 0.0",
        "0: set voltage 0.4999999999999998",
        "0: set voltage 1",
    ];
    assert_eq!(outcome_of.run.asked, expected);
    assert_eq!(outcome_of.written, ["p_set_ramp = 1"]);
    // Stopped at the second step of the ramp, the entry says where it is.
    let stopped = outcome(task, &[("0: get voltage", &[Value::Int(-1)])], 2);
    assert_eq!(stopped.run.asked, expected[..2]);
    assert_eq!(stopped.written, ["p_set_ramp = -0.5"]);
}

#[test]
fn any_parameter_is_set_and_read() {
    let tasks = "[[children_0]] ¶ task_id = exopy.LoopTask ¶ name = L
         [[[interface]]] ¶ interface_id = exopy.LoopTask:exopy.IterableLoopInterface ¶ iterable = '[1]'
         [[[task]]] ¶ @measurand.SetParameterTask ¶ parameter = level ¶ step = 0.4 ¶ delay = 0.5 ¶ settle = 2
         at = \"{'channel': '{L_index} + 1', 'mode': '4'}\"
         [[[children_0]]] ¶ @measurand.ReadParametersTask ¶ name = r ¶ parameters = \"['x', 'y']\" ¶ labels = \"['a', 'b']\"
         [[children_1]] ¶ @measurand.SetParameterTask ¶ name = s ¶ parameter = mode ¶ value = \"'fast'\"";
    let Outcome { run, written } = outcome(tasks, &[("0: get y", &[Value::from("over")])], 100);
    let expected = [
        "0: get level at channel=2 at mode=4",
        "0: set level 0.4 at channel=2 at mode=4",
        "0: set level 0.8 at channel=2 at mode=4",
        "0: set level 1 at channel=2 at mode=4",
        "0: get x",
        "0: get y",
        "0: set mode fast",
    ];
    assert_eq!(run.asked, expected);
    assert_eq!(run.time.as_secs_f64(), 2.5);
    let own = written
        .iter()
        .filter(|line| !line.starts_with("L_") || line.starts_with("L_value = 1"))
        .cloned();
    let own: Vec<String> = own.collect();
    assert!(
        own.ends_with(&["r_a = 0.0".into(), "r_b = 'over'".into(), "s_value = 'fast'".into()]),
        "{own:?}"
    );
    assert_eq!(
        complaints("[[children_0]] ¶ @measurand.ReadParametersTask ¶ name = r ¶ parameters = \"['x', 'x']\""),
        ["two entries are called `x`"]
    );
}

#[test]
fn a_sweep_is_one_array_and_stops_at_once() {
    let task =
        "[[children_0]] ¶ @measurand.SweepParameterTask ¶ name = s ¶ parameter = v ¶ start = 1 ¶ stop = -1 ¶ points = 3
         parameters = \"['x', 'v']\" ¶ delay = 0.25";
    let answers: &[(&str, &[Value])] = &[("0: get x", &[7.0, 8.0, 9.0].map(Value::Float))];
    let whole = outcome(task, answers, 100);
    let point = |v: &str| [format!("0: set v {v}"), "0: get x".to_owned(), "0: get v".to_owned()];
    assert_eq!(whole.run.asked, [point("1.0"), point("0.0"), point("-1.0")].concat());
    assert_eq!(whole.run.time.as_secs_f64(), 0.75);
    let columns = |run: &DryRun| -> Vec<String> {
        let Some((_, Value::Record(record))) = run.updates.last() else {
            panic!("no array was written");
        };
        let column = |(name, data): &(_, expr::Array)| format!("{name}: {:?}", floats(data));
        record.fields.iter().map(column).collect()
    };
    let expected = ["v: [1.0, 0.0, -1.0]", "x: [7.0, 8.0, 9.0]", "v_read: [1.0, 0.0, -1.0]"];
    assert_eq!(columns(&whole.run), expected);
    // One checkpoint is the task's own, and each point has one.
    let stopped = outcome(task, answers, 3);
    assert_eq!(
        columns(&stopped.run),
        ["v: [1.0, 0.0]", "x: [7.0, 8.0]", "v_read: [1.0, 0.0]"]
    );
}

fn floats(data: &expr::Array) -> Vec<f64> {
    match data {
        expr::Array::Float(data) => data.iter().copied().collect(),
        other => panic!("{other:?} is no array of floats"),
    }
}

#[test]
fn commands_go_as_they_are_and_methods_are_called() {
    let tasks = "[[children_0]] ¶ task_id = exopy.DefinitionTask ¶ name = d ¶ definitions = \"[('v', '2.5')]\"
         [[children_1]] ¶ @measurand.InstrumentCommandTask ¶ name = w ¶ command = :SOUR:LEV {d_v}
         [[children_2]] ¶ @measurand.InstrumentCommandTask ¶ name = n ¶ command = :READ? ¶ expects = Number
         [[children_3]] ¶ @measurand.InstrumentCommandTask ¶ name = a ¶ command = :TRAC? ¶ expects = Numbers
         [[children_4]] ¶ @measurand.InstrumentCommandTask ¶ name = t ¶ command = *IDN? ¶ expects = Text
         [[children_5]] ¶ @measurand.CallMethodTask ¶ name = c ¶ method = go ¶ arguments = \"({d_v}, 'fast')\"
         [[children_6]] ¶ @measurand.CallMethodTask ¶ name = c ¶ method = stop";
    let answers: &[(&str, &[Value])] = &[
        ("0: query :READ?", &[Value::from("+1.5E-03")]),
        ("0: query :TRAC?", &[Value::from("1, 2.5,-3E+0")]),
        ("0: query *IDN?", &[Value::from("A,B")]),
        ("0: call go 2.5 fast", &[Value::Int(4)]),
    ];
    let Outcome { run, written } = outcome(tasks, answers, 100);
    let expected = [
        "0: write :SOUR:LEV 2.5",
        "0: query :READ?",
        "0: query :TRAC?",
        "0: query *IDN?",
        "0: call go 2.5 fast",
        "0: call stop",
    ];
    assert_eq!(run.asked, expected);
    let expected = [
        "n_answer = 0.0015",
        "a_answer = array([ 1. ,  2.5, -3. ])",
        "t_answer = 'A,B'",
        "c_result = 4",
        "c_result = None",
    ];
    assert_eq!(written, expected);
    let task = "[[children_0]] ¶ @measurand.InstrumentCommandTask ¶ name = n ¶ command = :READ? ¶ expects = Number";
    let message = failure(task, &[("0: query :READ?", &[Value::from("OVER")])]);
    assert_eq!(message, "ValueError: the answer to `:READ?` is no number: \"OVER\"");
}

#[test]
fn a_parameter_is_waited_for_until_it_is_stable() {
    let task = |more: &str| {
        format!(
            "[[children_0]] ¶ @measurand.WaitUntilStableTask ¶ name = w ¶ parameter = t ¶ tolerance = 0.1 ¶ time = 2
             interval = 1 ¶ timeout = 10 ¶ {more}"
        )
    };
    let readings = [5.0, 4.0, 4.05, 3.95, 4.0].map(Value::Float);
    let near = outcome(&task("target = 4"), &[("0: get t", &readings)], 100);
    assert_eq!(near.run.asked.len(), 4);
    assert!(
        near.written
            .ends_with(&["w_value = 3.95".into(), "w_elapsed = 3.0".into()]),
        "{:?}",
        near.written
    );
    let together = outcome(&task("target = ''"), &[("0: get t", &readings)], 100);
    assert_eq!(together.run.asked.len(), 4);

    let never = (0..20).map(f64::from).map(Value::Float).collect::<Vec<_>>();
    let message = failure(&task("target = ''"), &[("0: get t", &never)]);
    assert_eq!(message, "TimeoutError: `t` is not stable after 10 s; it is 10");
    let goes_on = outcome(&task("on_timeout = Continue"), &[("0: get t", &never)], 100);
    assert_eq!(goes_on.run.asked.len(), 11);
}

#[test]
fn a_ramp_that_is_stopped_says_where_it_is() {
    let check = |task: &str, entry: &str| {
        let answers: &[(&str, &[Value])] = &[("0: get function", &[Value::from("VOLT")])];
        let ramp = "parallel = {} ¶ name = g";
        // The first checkpoint is the task's own, the others are asked before each step.
        let stopped = outcome(&format!("[[children_0]] ¶ @{task} ¶ {ramp}"), answers, 3);
        let set: Vec<_> = stopped
            .run
            .asked
            .iter()
            .filter(|asked| asked.contains(" set "))
            .collect();
        assert_eq!(set, ["0: set voltage 0.25", "0: set voltage 0.5"]);
        assert_eq!(stopped.written, [format!("g_{entry} = 0.5")]);
    };
    check("SetDCVoltageTask ¶ target_value = 1 ¶ back_step = 0.25", "voltage");
    check(
        "measurand.SetParameterTask ¶ parameter = voltage ¶ value = 1 ¶ step = 0.25",
        "value",
    );
}
