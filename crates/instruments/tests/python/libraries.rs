//! Drivers of PyMeasure, QCoDeS, ophyd, InstrumentKit and PyVISA: values and what went over the wire.
//!
//! Those of PyMeasure have a protocol, in which each command must come in its turn; those of QCoDeS are on the simulators
//! that come with it.

use instruments::{
    device::Device,
    driver::Value,
    python::{Object, Options},
};

use super::{Bench, has_module, options, text};

/// One use of an instrument.
enum Step {
    Get(&'static str, Value),
    Set(&'static str, Value),
    Call(&'static str, Vec<Value>, Value),
    /// A channel, a name and its value.
    At(&'static str, &'static str, Value),
}

use Step::{At, Call, Get, Set};

fn perform(device: &mut Object, name: &str, steps: Vec<Step>) {
    for step in steps {
        match step {
            Get(parameter, value) => assert_eq!(device.get(parameter, &[]), Ok(value), "{name} {parameter}"),
            Set(parameter, value) => assert_eq!(device.set(parameter, &value, &[]), Ok(()), "{name} {parameter}"),
            Call(method, arguments, value) => {
                assert_eq!(device.call(method, &arguments, &[]), Ok(value), "{name} {method}");
            }
            At(channel, parameter, value) => {
                let at = [("channel", text(channel))];
                assert_eq!(device.get(parameter, &at), Ok(value), "{name} {parameter}");
            }
        }
    }
}

fn made(bench: &Bench, factory: &str, arguments: String) -> Object {
    let options = Options { arguments, ..options() };
    let opened = bench.open("vi", &format!("protocols.{factory}"), &options);
    opened.unwrap_or_else(|error| panic!("{}: {error}", options.arguments))
}

/// A driver of PyMeasure with its whole protocol: commands and answers.
fn pymeasure(bench: &Bench, class: &str, protocol: &[(&str, &str)], steps: Vec<Step>) {
    let pair = |(command, answer): &(&str, &str)| match *answer {
        "" => format!("({command:?}, None)"),
        answer => format!("({command:?}, {answer:?})"),
    };
    let pairs: Vec<String> = protocol.iter().map(pair).collect();
    let arguments = format!("({class:?}, [{}])", pairs.join(", "));
    let mut device = made(bench, "pymeasure", arguments);
    perform(&mut device, class, steps);
    assert_eq!(
        device.call("left", &[], &[]),
        Ok(Value::Int(0)),
        "{class}: the protocol has more"
    );
}

/// A driver of QCoDeS on its simulator, and what it sends.
fn qcodes(bench: &Bench, class: &str, simulator: &str, steps: Vec<Step>, traffic: &[&str]) {
    let mut device = made(bench, "qcodes", format!("({class:?}, {simulator})"));
    perform(&mut device, class, steps);
    let traffic: Vec<Value> = traffic.iter().map(|command| text(command)).collect();
    assert_eq!(device.call("traffic", &[], &[]), Ok(Value::List(traffic)), "{class}");
    device.close().expect("it closes");
}

fn float(number: f64) -> Value {
    Value::Float(number)
}

#[test]
fn drivers_of_pymeasure_on_their_protocols() {
    if !has_module("pymeasure") {
        return;
    }
    let bench = Bench::new();
    pymeasure(
        &bench,
        "yokogawa.Yokogawa7651",
        &[
            ("H0;E", ""),
            ("O1;E", ""),
            ("S0.25;E", ""),
            ("OD;E", "+0.250000E+0"),
            ("R5;E", ""),
            ("O0;E", ""),
        ],
        vec![
            Call("enable_source", vec![], Value::None),
            Set("source_voltage", float(0.25)),
            Get("source_voltage", float(0.25)),
            Set("source_voltage_range", float(10.0)),
            Call("disable_source", vec![], Value::None),
        ],
    );
    pymeasure(
        &bench,
        "keithley.Keithley2000",
        &[
            (":CONF:VOLT:DC", ""),
            (":CONF?", "\"VOLT:DC\""),
            (":SENS:VOLT:NPLC 5", ""),
            (":READ?", "+1.25E-3"),
            (":SYST:BEEP:STAT 0", ""),
        ],
        vec![
            Set("mode", text("voltage")),
            Get("mode", text("voltage")),
            Set("voltage_nplc", Value::Int(5)),
            Get("voltage", float(1.25e-3)),
            Set("beep_state", text("disabled")),
        ],
    );
    pymeasure(
        &bench,
        "srs.SR830",
        &[
            ("SLVL0.100", ""),
            ("FREQ1.70000e+01", ""),
            ("OFLT8", ""),
            ("OFLT?", "8"),
            ("OUTP?1", "1.5e-6"),
            ("SNAP? 1,2", "1.5e-6,-2e-7"),
        ],
        vec![
            Set("sine_voltage", float(0.1)),
            Set("frequency", float(17.0)),
            Set("time_constant", float(0.1)),
            Get("time_constant", float(0.1)),
            Get("x", float(1.5e-6)),
            Call(
                "snap",
                vec![text("x"), text("y")],
                Value::List(vec![float(1.5e-6), float(-2e-7)]),
            ),
        ],
    );
    pymeasure(
        &bench,
        "agilent.Agilent34410A",
        &[("MEAS:VOLT:DC? DEF,DEF", "+3.0E-1"), ("MEAS:RES? DEF,DEF", "9.9E+37")],
        vec![Get("voltage_dc", float(0.3)), Get("resistance", float(9.9e37))],
    );
    pymeasure(
        &bench,
        "anritsu.AnritsuMG3692C",
        &[
            (":FREQUENCY 5.000000e+09 Hz;", ""),
            (":POWER -10 dBm;", ""),
            (":OUTPUT ON;", ""),
            (":OUTPUT?", "1"),
            (":OUTPUT OFF;", ""),
        ],
        vec![
            Set("frequency", float(5e9)),
            Set("power", float(-10.0)),
            Set("output", Value::Bool(true)),
            Get("output", Value::Bool(true)),
            Call("disable", vec![], Value::None),
        ],
    );
    pymeasure(
        &bench,
        "lakeshore.LakeShore331",
        &[
            ("KRDG? A", "+4.2010E+0"),
            ("KRDG? B", "+77.0E+0"),
            ("SETP 1,5.000000", ""),
            ("SETP? 1", "+5.0000E+0"),
            ("RANGE 2,1", ""),
        ],
        vec![
            Get("input_A.kelvin", float(4.201)),
            Get("channels['B'].kelvin", float(77.0)),
            Set("output_1.setpoint", float(5.0)),
            At("1", "setpoint", float(5.0)),
            Set("output_2.range", text("low")),
        ],
    );
    pymeasure(
        &bench,
        "signalrecovery.DSP7265",
        &[("OA. 0.5", ""), ("OA.", "5.0E-1"), ("X.", "1.0E-6"), ("DAC. 3 1.5", "")],
        vec![
            Set("voltage", float(0.5)),
            Get("voltage", float(0.5)),
            Get("x", float(1e-6)),
            Set("dac3", float(1.5)),
        ],
    );
    pymeasure(
        &bench,
        "hp.HP33120A",
        &[
            ("SOUR:VOLT:UNIT VPP", ""),
            ("SOUR:FUNC:SHAP SQU", ""),
            ("SOUR:FREQ 1000", ""),
            ("SOUR:FREQ?", "+1.000000E+03"),
            ("SOUR:VOLT:OFFS 0.1", ""),
        ],
        vec![
            Set("shape", text("square")),
            Set("frequency", float(1e3)),
            Get("frequency", float(1e3)),
            Set("offset", float(0.1)),
        ],
    );
    pymeasure(
        &bench,
        "keithley.Keithley2400",
        &[
            (":FORMAT:ELEMENTS VOLTAGE, CURRENT, RESISTANCE, TIME, STATUS", ""),
            (":SOURCE:FUNCTION VOLT", ""),
            (":SOURCE:VOLTAGE 0.5", ""),
            (":SOURCE:VOLTAGE?", "0.5"),
            ("OUTPUT 1", ""),
            ("OUTPUT?", "1"),
        ],
        vec![
            Set("source_mode", text("voltage")),
            Set("source_voltage", float(0.5)),
            Get("source_voltage", float(0.5)),
            Set("source_enabled", Value::Bool(true)),
            Get("source_enabled", Value::Bool(true)),
        ],
    );
}

#[test]
fn drivers_of_qcodes_on_its_simulators() {
    if !has_module("qcodes") || !has_module("pyvisa_sim") {
        return;
    }
    let bench = Bench::new();
    qcodes(
        &bench,
        "yokogawa.YokogawaGS200",
        "'Yokogawa_GS200.yaml'",
        vec![
            Get("source_mode", text("VOLT")),
            Set("output", text("on")),
            Get("output", text("on")),
        ],
        &[":SOUR:FUNC?", "OUTPUT 1", "OUTPUT?"],
    );
    qcodes(
        &bench,
        "Lakeshore.LakeshoreModel336",
        "'lakeshore_model336.yaml', 'GPIB::2::INSTR'",
        vec![
            Get("A.temperature", float(100.0)),
            At("B", "sensor_name", text("my name is boring")),
            Set("B.sensor_name", text("the cold one of both")),
            Get("channels[1].sensor_name", text("the cold one of both")),
        ],
        &["KRDG? A", "INNAME? B", "INNAME B,\"the cold one of both\"", "INNAME? B"],
    );
    qcodes(
        &bench,
        "Keysight.Keysight34465A",
        "'Keysight_34465A.yaml'",
        vec![Get("NPLC", float(10.0)), Get("volt", float(10.0))],
        &["SENSe:FUNCtion?", "SENSe:VOLT:NPLC?", "SAMPle:COUNt?", "READ?"],
    );
    qcodes(
        &bench,
        "rohde_schwarz.RohdeSchwarzSGS100A",
        "'RSSGS100A.yaml'",
        vec![
            Set("frequency", float(5e9)),
            Get("frequency", float(5e9)),
            Set("status", Value::Bool(true)),
            Get("status", Value::Bool(true)),
        ],
        &["SOUR:FREQ 5000000000.00", "SOUR:FREQ?", ":OUTP:STAT 1", ":OUTP:STAT?"],
    );
    qcodes(
        &bench,
        "weinschel.Weinschel8320",
        "'Weinschel_8320.yaml'",
        vec![Set("attenuation", Value::Int(10)), Get("attenuation", float(10.0))],
        &["ATTN ALL 10", "ATTN? 1"],
    );
    qcodes(
        &bench,
        "Keithley.Keithley2450",
        "'Keithley_2450.yaml', 'GPIB::2::INSTR'",
        vec![
            Get("source_function", text("current")),
            Set("output_enabled", Value::Bool(true)),
            Get("output_enabled", Value::Bool(true)),
        ],
        &[":SOUR:FUNC?", ":OUTP 1", ":OUTP?"],
    );
}

#[test]
fn what_qcodes_declares_is_described() {
    if !has_module("qcodes") || !has_module("pyvisa_sim") {
        return;
    }
    let bench = Bench::new();
    let keywords = "{'pyvisa_sim_file': 'Yokogawa_GS200.yaml'}";
    let options = Options {
        address: "GPIB::1::INSTR".to_owned(),
        keywords: keywords.to_owned(),
        ..options()
    };
    // Its name, which QCoDeS insists on, is that of the instrument.
    let class = "qcodes.instrument_drivers.yokogawa.YokogawaGS200";
    let mut device = bench.open("gs-1", class, &options).expect("it opens");
    assert_eq!(device.get("name", &[]), Ok(text("gs_1")));
    assert!(device.has("output") && device.has("program.interval") && !device.has("outpt"));
    let described = device.describe().expect("it says");
    let voltage = described.iter().find(|one| one.name == "voltage").expect("it has one");
    assert_eq!((voltage.kind.as_str(), voltage.unit.as_str()), ("parameter", "V"));
    assert!(described.iter().any(|one| one.name == "program.interval"));
    assert_eq!(
        device.query("*IDN?"),
        Ok("QCoDeS Yokogawa Mock,GS200,xxxxxxxx,MOCKFW".to_owned())
    );
    let error = device.set("output", &text("perhaps"), &[]).unwrap_err();
    assert!(
        error.message.contains("perhaps") && error.message.contains("Error"),
        "{}",
        error.message
    );
}

#[test]
fn ophyd_waits_for_what_it_sets() {
    if !has_module("ophyd") {
        return;
    }
    let bench = Bench::new();
    let axis = Options {
        keywords: "{'name': 'x', 'delay': 0.01}".to_owned(),
        ..options()
    };
    let mut axis = bench.open("x", "ophyd.sim.SynAxis", &axis).expect("it opens");
    axis.set("position", &float(2.5), &[]).expect("it is set");
    assert_eq!(axis.get("position", &[]), Ok(float(2.5)));
    let moved = axis.call("set", &[float(3.5)], &[]);
    assert_eq!(moved, Ok(Value::None));
    assert_eq!(axis.get("readback", &[]), Ok(float(3.5)));
    let signal = Options {
        keywords: "{'name': 's', 'value': 1.0}".to_owned(),
        ..options()
    };
    let mut signal = bench.open("s", "ophyd.Signal", &signal).expect("it opens");
    assert_eq!(signal.call("get", &[], &[]), Ok(float(1.0)));
    signal.set("value", &float(3.0), &[]).expect("it is set");
    assert_eq!(signal.get("value", &[]), Ok(float(3.0)));
}

#[test]
fn instrument_kit_keeps_its_units() {
    if !has_module("instruments") {
        return;
    }
    let bench = Bench::new();
    let arguments = "('hp.HP6624a', ['+1.5', '+2.5'])".to_owned();
    let mut supply = made(&bench, "instrument_kit", arguments);
    assert_eq!(supply.get("channel[0].voltage", &[]), Ok(float(1.5)));
    supply.set("channel[0].voltage", &float(2.0), &[]).expect("it is set");
    assert_eq!(supply.get("channel[1].voltage", &[]), Ok(float(2.5)));
    let sent = ["VSET? 1", "VSET 1,2.0", "VSET? 2"].map(text).to_vec();
    assert_eq!(supply.call("sent", &[], &[]), Ok(Value::List(sent)));
}

#[test]
fn a_resource_of_pyvisa_is_queried() {
    if !has_module("pyvisa_sim") {
        return;
    }
    let bench = Bench::new();
    let devices = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/modules/devices.yaml");
    let options = Options {
        address: "GPIB::1::INSTR".to_owned(),
        keywords: format!(
            "{{'visa_library': '{}@sim', 'read_termination': '\\n', 'write_termination': '\\n'}}",
            devices.display()
        ),
        ..options()
    };
    let mut device = bench.open("vi", "pyvisa", &options).expect("it opens");
    device.write("VOLT 1.50").expect("it is sent");
    assert_eq!(device.query("VOLT?"), Ok("1.50".to_owned()));
    device.set("timeout", &Value::Int(500), &[]).expect("it is set");
    assert_eq!(device.get("timeout", &[]), Ok(Value::Int(500)));
    device.close().expect("it closes");
}
