//! Classes of PyMeasure and QCoDeS as they are installed, through the script and into driver files.
//!
//! `MEASURAND_PYTHON` names an interpreter that has the libraries; what it lacks is skipped with a word.

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use instruments::driver::convert::{Class, SCRIPT};
use instruments::driver::{Driver, Names, Value};

/// What the script says of a class; nothing where the library is not installed.
fn told(class: &str, answers: &[&str]) -> Option<Class> {
    let python = std::env::var_os("MEASURAND_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let mut child = Command::new(python)
        .arg("-")
        .arg(class)
        .args(answers)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| println!("skipped: {error}"))
        .ok()?;
    let mut input = child.stdin.take().expect("it was asked for");
    input.write_all(SCRIPT.as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("ModuleNotFoundError") {
        println!("skipped: {class} is not installed");
        return None;
    }
    assert!(output.status.success(), "{class}: {said}");
    Some(Class::parse(&String::from_utf8_lossy(&output.stdout)).expect("what it says is understood"))
}

/// The driver of a class, of whose properties at least so many are signals.
fn converted(class: &str, least: usize, answers: &[&str]) -> Option<Driver> {
    let (file, count) = told(class, answers)?.driver_file();
    assert!(count >= least, "{class} has {count} signals:\n{file}");
    let driver = Driver::parse(&file).unwrap_or_else(|problems| panic!("{class}: {problems:?} in\n{file}"));
    assert_eq!(driver.signals.len(), count, "{class}");
    // Each has been held to what the library itself did.
    let shown = driver.signals.iter().filter(|signal| !signal.examples.is_empty());
    assert!(shown.count() * 10 > count * 9, "{class} shows too little:\n{file}");
    Some(driver)
}

#[test]
fn classes_of_pymeasure_become_drivers() {
    for (class, least) in [
        ("keithley.Keithley2400", 50),
        ("keithley.KeithleyDMM6500", 70),
        ("srs.SR860", 60),
        ("agilent.Agilent33500", 40),
        ("keysight.KeysightE36312A", 5),
        ("lakeshore.LakeShore421", 25),
        ("kepco.KepcoBOP3612", 5),
        ("tdk.TDK_Gen80_65", 15),
    ] {
        converted(&format!("pymeasure.instruments.{class}"), least, &[]);
    }
}

#[test]
fn classes_of_qcodes_become_drivers() {
    for (class, least) in [
        ("yokogawa.YokogawaGS200", 10),
        ("stanford_research.SR865A", 40),
        ("rohde_schwarz.RohdeSchwarzSGS100A", 25),
        ("Keysight.Keysight34465A", 12),
        ("Keithley.Keithley6500", 12),
    ] {
        converted(&format!("qcodes.instrument_drivers.{class}"), least, &[]);
    }
}

#[test]
fn channels_become_an_argument() {
    let Some(driver) = converted("pymeasure.instruments.keysight.KeysightE36312A", 5, &[]) else {
        return;
    };
    let voltage = driver.signal("voltage_setpoint").expect("it is data");
    let second = Names::from([("ch".to_owned(), Value::Int(2))]);
    assert_eq!(
        voltage.commands(&Value::Float(1.5), &second),
        Ok(vec!["VOLT 1.5, (@2)".to_owned()])
    );
}
