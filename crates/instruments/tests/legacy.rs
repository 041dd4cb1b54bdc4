//! What the drivers of Exopy's instruments send, held to Exopy's own commands.
//!
//! Each transcript is a list of what is asked of a driver, with what goes over the wire below it: `>` is sent, `?` is
//! asked and answered. Where Exopy reads back by another spelling of the same question (`POWER?` for `:POWER?`) the one of
//! the parameter stands here; where its driver was wrong, the comment says what is right.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use instruments::{
    Extent,
    device::{AnyWire, Device, Driven},
    driver::{LineError, Value, Wire, library},
};

/// What is yet to come over the wire: what is sent, and the answer.
type Script = Arc<Mutex<VecDeque<(String, Option<String>)>>>;

struct Scripted(Script);

impl Scripted {
    fn next(&self, sent: &str) -> Result<Option<String>, LineError> {
        match self.0.lock().expect("one thread").pop_front() {
            Some((expected, answer)) if expected == sent => Ok(answer),
            Some((expected, _)) => Err(LineError::Other(format!("sent `{sent}`, not `{expected}`"))),
            None => Err(LineError::Other(format!("sent `{sent}`, not nothing"))),
        }
    }
}

impl Wire for Scripted {
    type Error = LineError;

    fn write(&mut self, message: &str) -> Result<(), LineError> {
        match self.next(message)? {
            None => Ok(()),
            Some(_) => Err(LineError::Other(format!("nobody asked for the answer to `{message}`"))),
        }
    }

    fn read(&mut self) -> Result<Vec<u8>, LineError> {
        Ok(self.next("")?.unwrap_or_default().into_bytes())
    }

    fn query(&mut self, commands: &[String], question: &str, _extent: Extent) -> Result<Vec<u8>, LineError> {
        commands.iter().try_for_each(|command| self.write(command))?;
        let answer = self.next(question)?;
        answer
            .map(String::into_bytes)
            .ok_or_else(|| LineError::Other(format!("`{question}` has no answer")))
    }

    fn pause(&mut self, _time: Duration) -> Result<(), LineError> {
        Ok(())
    }
}

/// Plays a transcript: `open`, `get voltage at channel=(2, 1) = 1.5`, `set unit=GHz frequency 4.5`.
fn check(driver: &str, transcript: &str) {
    let driver = Arc::new(library::find(driver).expect("it comes with the library"));
    let script = Script::default();
    let mut driven: Option<Driven> = None;
    let lines: Vec<&str> = transcript
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let is_wire = |line: &str| line.starts_with(['>', '?', '<']);
    let mut at = 0;
    while at < lines.len() {
        let asked = lines[at];
        let wire = lines[at + 1..].iter().take_while(|line| is_wire(line));
        script
            .lock()
            .expect("one thread")
            .extend(wire.clone().map(|line| spoken(line)));
        at += 1 + wire.count();
        let found = match (asked, &mut driven) {
            ("open", none) => {
                let wire: AnyWire = Box::new(Scripted(Arc::clone(&script)));
                let opened = Driven::on("it", Arc::clone(&driver), wire, &[]);
                *none = Some(opened.unwrap_or_else(|error| panic!("{error}")));
                "open".to_owned()
            }
            (_, Some(driven)) => perform(driven, asked),
            (_, None) => panic!("a transcript begins with `open`"),
        };
        assert_eq!(found, asked);
        let rest = std::mem::take(&mut *script.lock().expect("one thread"));
        assert!(rest.is_empty(), "{asked}: not sent: {rest:?}");
    }
}

/// `> command`, `? question = answer`, `< answer that comes by itself`
fn spoken(line: &str) -> (String, Option<String>) {
    let (kind, rest) = line.split_at(1);
    let rest = rest.trim_start();
    match (kind, rest.split_once(" = ")) {
        ("?", Some((question, answer))) => (question.to_owned(), Some(answer.to_owned())),
        ("<", _) => (
            String::new(),
            Some(rest.replace("\\u0001", "\u{1}").replace("\\u0000", "\0")),
        ),
        _ => (rest.to_owned(), None),
    }
}

/// What was asked, as the transcript says it, with what came of it.
fn perform(driven: &mut Driven, asked: &str) -> String {
    let (asked, refused) = match asked.split_once(" ! ") {
        Some((asked, _)) => (asked, true),
        None => (asked, false),
    };
    let (head, value) = asked.split_once(" = ").expect("what is asked has ` = `");
    let mut words = head.split_whitespace();
    let (verb, parameter) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let place: Vec<(&str, Value)> = words
        .map(|word| word.split_once('=').expect("a place is `name=value`"))
        .map(|(name, value)| (name, read(value)))
        .collect();
    let done = match verb {
        "get" => driven.get(parameter, &place),
        _ => driven.set(parameter, &read(value), &place).map(|()| read(value)),
    };
    match done {
        Ok(value) => format!("{head} = {value}"),
        Err(error) if refused => format!("{head} = {value} ! {error}"),
        Err(error) => panic!("{asked}: {error}"),
    }
}

/// `4`, `4.5`, `(2,1)`, `ON`
fn read(text: &str) -> Value {
    if let Some(inside) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return Value::List(inside.split(',').map(read).collect());
    }
    let int = text.parse().map(Value::Int).ok();
    let float = || text.parse().map(Value::Float).ok();
    int.or_else(float).unwrap_or_else(|| Value::Text(text.to_owned()))
}

#[test]
fn yokogawa_gs200() {
    check(
        "exopy_hqc_legacy.Legacy.YokogawaGS200",
        r#"
        open
            > *CLS
        get voltage = 4.5
            ? :SOURce:LEVel? = +4.5000E+00
        set voltage = 4.5
            > :SOURce:LEVel 4.5
            ? :SOURce:LEVel? = +4.5000E+00
        set voltage = 1e-05
            > :SOURce:LEVel 1e-05
            ? :SOURce:LEVel? = +0.0100E-03
        set voltage = 4.5 ! `it`: `voltage` was set to `4.5`, but the instrument says `4.4`
            > :SOURce:LEVel 4.5
            ? :SOURce:LEVel? = 4.4
        set current = -0.01
            > :SOURce:LEVel -0.01
            ? :SOURce:LEVel? = -10.0000E-03
        get voltage_range = 10 V
            ? :SOURce:RANGe? = 10E+0
        set current_range = 200 mA
            > :SOURce:RANGe 200E-3
            ? :SOURce:RANGe? = 200E-3
        set output = ON
            ? :SOURce:LEVel? = 0.0000E+00
            > :OUTPUT ON
            ? :OUTPUT? = 1
        set output = OFF ! `it`: `output` can only be set while `voltage` is `0`; it is `0.5`
            ? :SOURce:LEVel? = 0.5
        set function = CURR
            ? :SOURce:LEVel? = 0.0
            ? :OUTPUT? = 0
            > :SOURce:FUNCtion CURR
            ? SOURce:FUNCtion? = CURR
        set function = VOLT ! `it`: `function` can only be set while `output` is `OFF`; it is `ON`
            ? :SOURce:LEVel? = 0.0
            ? :OUTPUT? = 1
        get voltage_dc = 0.0
            ? SOURce:FUNCtion? = CURR
            ? :SOURce:LEVel? = 0.0
            ? :OUTPUT? = 0
            > :SOURce:FUNCtion VOLT
            ? SOURce:FUNCtion? = VOLT
            ? :SOURce:LEVel? = 0.0
        get voltage_dc = 1.5
            ? SOURce:FUNCtion? = VOLT
            ? :SOURce:LEVel? = 1.5
        "#,
    );
}

#[test]
fn yokogawa_gs200_of_labeq() {
    check(
        "labeq_exopy.Legacy.YokogawaGS200",
        r#"
        open
            > *CLS
        set current = 0.051
            > SOUR:FUNC CURR
            > SOUR:LEV 0.051
            ? :SOURce:LEV? = +51.000E-3
        get voltage_dc = 1.5
            ? SOUR:FUNC? = CURR
            > SOUR:FUNC VOLT
            ? :SOURce:LEV? = 1.5
        get resistance_4w = 30.0
            > SENS:REM 1
            ? SOUR:FUNC? = VOLT
            ? :SOURce:LEV? = 1.5
            ? SOUR:FUNC? = VOLT
            > SOUR:FUNC CURR
            ? :SOURce:LEV? = 0.05
            > SENS:REM 0
        set voltage_range = MAX
            > SOUR:FUNC VOLT
            > SOUR:RANG MAX
        set voltage_limit = 5
            > SOUR:PROT:VOLT 5
        set slope = 3600
            > PROG:SLOP 3600
        "#,
    );
}

#[test]
fn yokogawa_7651() {
    check(
        "exopy_hqc_legacy.Legacy.Yokogawa7651",
        r#"
        open
        get voltage = 1.5
            ? OD = NDCV+1.50000E+0
        set voltage = 1.5
            > S+1.500000E+00E
            ? OD = NDCV+1.50000E+0
        set current = -0.01
            > S-1.000000E-02E
            ? OD = NDCA-10.0000E-3
        get output = ON
            ? OC = STS1=16
        set output = OFF
            > O0E
            ? OC = STS1=0
        get function = CURR
            ? OD = NDCA-10.0000E-3
        set function = CURR
            > F5E
            ? OD = NDCA+0.00000E+0
        set function = VOLT
            > OS
            < MDL7651REV1.05
            < F5R4S+0.00000E+0E+0
            < PI1.0SW1.0M1
            < LV30LA120
            < END
            > F1R4E
            ? OD = NDCV+0.00000E+0
        get voltage_dc = 0.0 ! `it`: `voltage_dc`: expected a source of `VOLT`, received "CURR"
            ? OD = NDCA+0.00000E+0
        "#,
    );
}

#[test]
fn bilt_bn100() {
    // Slot 2 stands first in the rack's answer: Exopy would take the type of the module in the second place for it.
    check(
        "exopy_hqc_legacy.Legacy.TinyBilt",
        r#"
        open
        get voltage channel=(2,1) = 1.25
            ? I:L? = 2,2141;5,2101
            ? i2;c1;Volt? = 1.25
        set voltage channel=(2,1) = 1.25
            > i2;c1;Volt 1.25
            > i2;c1;trig:input:init
            ? i2;c1;Volt? = 1.25000
        set voltage channel=(5,1) = -0.5
            > i5;Volt -0.5
            > i5;trig:input:init
            ? i5;Volt? = -0.50000
        set output channel=(5,1) = ON
            > i5;OUTP1
            ? i5;OUTP? = 1
        set voltage_range channel=(5,1) = 12
            ? i5;OUTP? = 0
            > i5;volt:rang 12
            ? i5;volt:rang? = 12
        set max_voltage channel=(2,4) = 5
            > i2;c4;volt:sat:pos 5
            ? i2;c4;volt:sat:pos? = 5
        get voltage channel=(3,1) = 0 ! `it`: `channel`: there is no module in slot 3; there is 2141 in slot 2, 2101 in slot 5
        get voltage channel=(5,2) = 0 ! `it`: `channel`: the module in slot 5 has no channel 2
        "#,
    );
}

#[test]
fn agilent_34410a() {
    check(
        "exopy_hqc_legacy.Legacy.Agilent34410A",
        r#"
        open
        get voltage_dc = 1.25
            ? MEASure:VOLTage:DC? DEF,DEF = +1.25000000E+00
        get voltage_ac = 1.25
            ? MEASure:VOLTage:AC? DEF,DEF = +1.25000000E+00
        get current_dc = 0.00125
            ? MEASure:CURRent:DC? DEF,DEF = +1.25000000E-03
        get current_ac = 0.00125
            ? MEASure:CURRent:AC? DEF,DEF = +1.25000000E-03
        get resistance range=1000 = 50.5
            ? MEASure:RESistance? 1000,DEF = +5.05000000E+01
        "#,
    );
}

#[test]
fn keithley_2000() {
    // The function is asked once, and set when it is another; Exopy sets it again the first time in any case.
    check(
        "exopy_hqc_legacy.Legacy.Keithley2000",
        r#"
        open
        get voltage_dc = 0.0012345
            ? FUNCtion? = "VOLT:DC"
            ? FETCh? = +1.2345E-03
        get voltage_dc = 0.5
            ? FETCh? = +5.0000E-01
        get resistance = 50.0
            > FUNCtion "RES"
            ? FUNCtion? = "RES"
            ? FETCh? = +5.0000E+01
        get resistance = 50.0
            ? FETCh? = +5.0000E+01
        "#,
    );
}

#[test]
fn agilent_psg() {
    check(
        "exopy_hqc_legacy.Legacy.AgilentPSG",
        r#"
        open
        set frequency unit=GHz = 4.5
            > :FREQuency:FIXed 4.5GHz
            ? :FREQuency:FIXed? = +4.5000000000000E+09
        set frequency unit=kHz = 5123456.789123
            > :FREQuency:FIXed 5123456.789123kHz
            ? :FREQuency:FIXed? = +5.1234567891230E+09
        get frequency unit=MHz = 4500.0
            ? :FREQuency:FIXed? = +4.5000000000000E+09
        set frequency unit=Hz = 4500000000.0 ! `it`: `frequency` was set to `4500000000.0`, but the instrument says `4400000000.0`
            > :FREQuency:FIXed 4500000000.0Hz
            ? :FREQuency:FIXed? = +4.4000000000000E+09
        set power = -10
            > :POWER -10DBM
            ? :POWER? = -1.00000000E+001
        set output = ON
            > :OUTPUT ON
            ? :OUTPUT? = 1
        set output = OFF
            > :OUTPUT OFF
            ? :OUTPUT? = 0
        get output = OFF
            ? :OUTPUT? = 0
        set phase phase_unit=RAD = 0.5
            > :PHAS 0.5RAD
            ? :PHASe? = +5.00000000E-01
        set phase phase_unit=DEG = 270
            > :PHAS 270DEG
            ? :PHASe? = -1.57079633E+00
        set phase phase_unit=DEG = 180 ! `it`: `phase` was set to `180`, but the instrument says `0.0`
            > :PHAS 180DEG
            ? :PHASe? = 0.0
        "#,
    );
}

#[test]
fn rohde_schwarz_smb100a() {
    check(
        "exopy_hqc_legacy.Legacy.RohdeSchwarzSMB100A",
        r#"
        open
        set frequency unit=GHz = 4.1000000000000005
            > FREQ 4.1000000000000005GHz
            ? FREQ? = 4100000000
        set frequency unit=kHz = 10.5
            > FREQ 10.5kHz
            ? FREQ? = 10500
        set power = -10.5
            > POWER -10.5
            ? POWER? = -10.5
        set output = ON
            > :OUTPUT ON
            ? :OUTP? = 1
        set pulse_modulation = ON
            > SOURce:PULM:SOURce EXT
            > SOURce:PULM:POLarity NORMal
            > SOURce:PULM:TRIGger:EXTernal:IMPedance G50
            > SOURce:PULM:STATE ON
            ? SOURce:PULM:STATE? = 1
        get pulse_modulation = OFF
            ? SOURce:PULM:STATE? = 0
        "#,
    );
}

#[test]
fn anapico() {
    check(
        "exopy_hqc_legacy.Legacy.Anapico",
        r#"
        open
            > SYST:COMM:VXI:RTMO 0
        set frequency unit=MHz = 4500
            > FREQ 4500MHz
            ? FREQ? = 4500000000
        set power = -10.5
            > POWER -10.5
            ? POWER? = -10.50005
        set output = OFF
            > :OUTPUT OFF
            ? :OUTP? = 0
        "#,
    );
}

#[test]
fn anapico_with_several_channels() {
    // The channel is selected each time: what was selected last is not known to nobody else.
    check(
        "exopy_hqc_legacy.Legacy.AnapicoMulti",
        r#"
        open
            > SYST:COMM:VXI:RTMO 0
        set power channel=2 = 3
            > SOURce:SEL 2
            ? SOURce:SEL? = 2
            > POWER 3
            ? POWER? = 3.00
        set frequency channel=2 unit=GHz = 4.5
            > SOURce:SEL 2
            ? SOURce:SEL? = 2
            > FREQ 4.5GHz
            ? FREQ? = 4500000000
        set output channel=3 = ON ! `it`: `channel` was set to `3`, but the instrument says `2`
            > SOURce:SEL 3
            ? SOURce:SEL? = 2
        "#,
    );
}

#[test]
fn anritsu_mg3694() {
    check(
        "exopy_hqc_legacy.Legacy.AnritsuMG3694",
        r#"
        open
            > DSPL 4
            > EBW3
            > LO0
            > LOG
            > TR1
            > PS1
            > DS1
            > AT1
            > IL1
        set frequency unit=GHz = 4.5
            > FREQ 4.5GHz
            ? FREQ? = 4500000000
        get frequency unit=kHz = 4500000.0
            ? FREQ? = 4500000000
        set power = -10.5
            > POW -10.5
            ? :POW? = -10.5
        set output = ON
            > OUTP 1
            ? OUTP? = 1
        "#,
    );
}

#[test]
fn windfreak_synth_hd() {
    check(
        "exopy_hqc_legacy.Legacy.SynthHD",
        r#"
        open
        set frequency channel=1 unit=GHz = 4.5005
            > C1
            ? C? = 1
            > f4500.5000
            ? f? = 4500.5000
            ? V = 1
            ? E? = 1
            ? r? = 1
            ? p = 1
        get frequency unit=MHz = 4500.5
            ? f? = 4500.5000
        set power = -10.5
            > W-10.5000
            ? W? = -10.5000
            ? V = 1
            ? E? = 0
            ? r? = 0
        set output = ON ! `it`: `is_locked`: expected a generator that is, received "one that is not"
            > E1r1
            ? E? = 1
            ? V = 1
            ? E? = 1
            ? r? = 1
            ? p = 0
        "#,
    );
}

#[test]
fn signal_recovery_7265() {
    check(
        "exopy_hqc_legacy.Legacy.LockInSR7265",
        r#"
        open
        get x = 0.0015
            ? X. = +1.5E-03
            ? ST = 1
        get xy = 0.0015,-2.5e-06
            ? XY. = +1.5E-03,-2.5E-06
            ? ST = 17
        get amplitude_and_phase = 0.0015,-12.5
            ? MP. = +1.5E-03,-12.5E+00
            ? ST = 1
        get phase = -12.5 ! `it`: `phase`: expected a status that says that the command is complete, received "one that does not"
            ? PHA. = -12.5E+00
            ? ST = 2
        "#,
    );
}

#[test]
fn signal_recovery_7270() {
    check(
        "exopy_hqc_legacy.Legacy.LockInSR7270",
        r#"
        open
        get y = -2.5e-06
            ? Y. = -2.5E-06
            < \u0001
        get amplitude = 0.0015 ! `it`: `amplitude`: expected a status that says that the command is complete, received "status 0"
            ? MAG. = +1.5E-03
            < \u0000
        "#,
    );
}

#[test]
fn srs_sr830() {
    check(
        "exopy_hqc_legacy.Legacy.LockInSR830",
        r#"
        open
            > OUTX1
        get x = 0.0015
            ? OUTP?1 = 0.0015
        get y = -2.5e-06
            ? OUTP?2 = -2.5e-06
        get amplitude = 0.0015
            ? OUTP?3 = 0.0015
        get phase = -12.5
            ? OUTP?4 = -12.5
        get xy = 0.0015,-2.5e-06
            ? SNAP?1,2 = 0.0015,-2.5e-06
        get amplitude_and_phase = 0.0015,-12.5
            ? SNAP?3,4 = 0.0015,-12.5
        "#,
    );
}
