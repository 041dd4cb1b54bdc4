//! Models that are more than their driver files: what each method says on the wire, to the letter, and what it makes of answers.
//!
//! A transcript has `> sent`, `< answered` and `. waited`; `<f32 big 1 2` is a block of numbers. Whatever else happens, and
//! whatever is left over, is a failure. The commands are those of Exopy's drivers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use instruments::Extent;
use instruments::block::{self, ByteOrder, Number};
use instruments::device::{At, Device, Driven};
use instruments::driver::{Array, Elements, LineError, Value, Wire, library};

/// Plays its lines, the first one first.
struct Transcript {
    lines: Vec<String>,
    at: Arc<Mutex<usize>>,
}

impl Transcript {
    fn next(&self) -> String {
        let mut at = self.at.lock().expect("one thread");
        *at += 1;
        self.lines.get(*at - 1).cloned().unwrap_or_else(|| "the end".to_owned())
    }

    fn expect(&self, happened: &str) -> Result<(), LineError> {
        let expected = self.next();
        if happened == expected {
            Ok(())
        } else {
            Err(LineError::Other(format!("`{happened}` instead of `{expected}`")))
        }
    }
}

impl Wire for Transcript {
    type Error = LineError;

    fn write(&mut self, message: &str) -> Result<(), LineError> {
        self.expect(&format!("> {message}"))
    }

    fn read(&mut self) -> Result<Vec<u8>, LineError> {
        let line = self.next();
        if let Some(answer) = line.strip_prefix("< ") {
            return Ok(answer.as_bytes().to_vec());
        }
        let numbers = line.strip_prefix('<').map(|line| line.split(' ').collect::<Vec<_>>());
        let Some([kind, order, numbers @ ..]) = numbers.as_deref() else {
            return Err(LineError::Other(format!("a read instead of `{line}`")));
        };
        let kind = if *kind == "f32" { Number::F32 } else { Number::F64 };
        let order = if *order == "big" {
            ByteOrder::Big
        } else {
            ByteOrder::Little
        };
        let numbers: Vec<f64> = numbers.iter().map(|number| number.parse().expect("a number")).collect();
        let content = block::encode_numbers(&numbers, kind, order).expect("it fits");
        let length = content.len().to_string();
        Ok([format!("#{}{length}", length.len()).as_bytes(), &content, b"\n"].concat())
    }

    fn query(&mut self, commands: &[String], question: &str, _: Extent) -> Result<Vec<u8>, LineError> {
        commands.iter().try_for_each(|command| self.write(command))?;
        self.write(question)?;
        self.read()
    }

    fn pause(&mut self, time: Duration) -> Result<(), LineError> {
        self.expect(&format!(". {time:?}"))
    }
}

/// Opens an instrument and does something with it while the transcript is played; what came of it in words.
fn played(
    driver: &str,
    settings: &[(&str, &str)],
    transcript: &str,
    does: impl FnOnce(&mut Driven) -> Result<Value, instruments::device::DeviceError>,
) -> String {
    let lines = transcript.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    let at = Arc::new(Mutex::new(0));
    let wire = Transcript {
        lines: lines.clone(),
        at: at.clone(),
    };
    let driver = library::find(driver).expect("it comes with the crate");
    let settings: Vec<_> = settings
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    let done = Driven::on("x", Arc::new(driver), Box::new(wire), &settings).and_then(|mut device| does(&mut device));
    let words = done.map_or_else(|error| error.message, |value| shown(&value));
    match lines.get(*at.lock().expect("one thread")) {
        Some(left) => format!("{words}; left: {left}"),
        None => words,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::List(values) => format!("[{}]", values.iter().map(shown).collect::<Vec<_>>().join(" | ")),
        Value::Array(array) => match &**array {
            Array {
                elements: Elements::Complex(numbers),
                ..
            } => format!("{numbers:?}"),
            other => format!("{other:?}"),
        },
        other => other.to_string(),
    }
}

fn text(word: &str) -> Value {
    Value::Text(word.to_owned())
}

fn measures(of: &[(&str, &str)]) -> Value {
    let pair = |(parameter, format): &(&str, &str)| Value::List(vec![text(parameter), text(format)]);
    Value::List(of.iter().map(pair).collect())
}

fn at_channel(channel: &Value) -> [(&'static str, Value); 1] {
    [("channel", channel.clone())]
}

/// Calls one method of a network analyser on its channel 2.
fn called(driver: &str, method: &str, arguments: &[Value], transcript: &str) -> String {
    let place = at_channel(&Value::Int(2));
    let transcript = if driver.ends_with("ZVA24") {
        transcript.to_owned()
    } else {
        format!("> *CLS\n{transcript}")
    };
    played(driver, &[], &transcript, |device| {
        device.call(method, arguments, &place as At<'_>)
    })
}

const PNA: &str = "exopy_hqc_legacy.Legacy.AgilentPNA";
const ZNB: &str = "exopy_hqc_legacy.Legacy.ZNB20";
const ZVA: &str = "exopy_hqc_legacy.Legacy.ZVA24";
const IPS: &str = "exopy_hqc_legacy.Legacy.IPS12010";
const CS4: &str = "exopy_hqc_legacy.Legacy.CS4";
const C4G: &str = "exopy_hqc_legacy.Legacy.C4G";

#[test]
fn a_pna_is_taken_over_with_all_channels_held() {
    let transcript = "
        > SYSTem:CHANnels:CATalog?
        < \"1,2\"
        > SENSe1:SWEep:MODE HOLD
        > SENSe2:SWEep:MODE HOLD
        > SENSe1:SWEep:MODE?
        < HOLD
        > SENSe2:SWEep:MODE?
        < HOLD
        > TRIGger:SEQuence:SCOPe CURRent
        > TRIGger:SEQuence:SCOPe?
        < CURR
        > TRIGger:SEQuence:SOURce MANual
        > TRIGger:SEQuence:SOURce?
        < MAN";
    assert_eq!(called(PNA, "take_control", &[text("sweep")], transcript), "None");
    let other = "
        > SYSTem:CHANnels:CATalog?
        < \"1\"";
    assert_eq!(
        called(PNA, "take_control", &[text("sweep")], other),
        "`x`: `channel`: the instrument has no channel 2: make one on its front panel"
    );
    let busy = "
        > SYSTem:CHANnels:CATalog?
        < \"2\"
        > SENSe2:SWEep:MODE HOLD
        > SENSe2:SWEep:MODE?
        < CONT";
    assert_eq!(
        called(PNA, "take_control", &[text("point")], busy),
        "`x`: `sweep_mode` was set to `HOLD`, but the instrument says `CONT`"
    );
}

#[test]
fn a_znb_is_taken_over_in_its_own_words() {
    let transcript = "
        > CONFigure:CHANnel:CATalog?
        < '1,Ch1,2,Ch2'
        > INITiate1:CONTinuous OFF
        > INITiate2:CONTinuous OFF
        > INITiate1:SCOPe SINGle
        > INITiate1:SCOPe?
        < SING
        > TRIGger:SEQuence:SOURce IMM
        > TRIGger:SEQuence:SOURce?
        < IMM";
    assert_eq!(called(ZNB, "take_control", &[text("sweep")], transcript), "None");
}

#[test]
fn a_point_keeps_frequency_and_power_and_makes_missing_measures() {
    let arguments = [Value::Int(10), Value::Int(3), measures(&[("S21", "PHAS"), ("S11", "")])];
    let transcript = "
        > SENSe2:BANDwidth 10
        > SENSe2:BANDwidth?
        < +1.0E+001
        > SENS2:FREQuency:CENTer?
        < +6.75000000000E+009
        > SOUR2:POWer1:AMPL?
        < -2.0E+001
        > SENSe2:SWEep:TYPE LIN
        > SENSe2:SWEep:TYPE?
        < LIN
        > SENSe2:SWEep:POINts 1
        > SENSe2:SWEep:POINts?
        < +1
        > SENS2:FREQuency:CENTer 6750000000.0
        > SENS2:FREQuency:CENTer?
        < +6.75000000000E+009
        > SOUR2:POWer1:AMPL -20.0
        > SOUR2:POWer1:AMPL?
        < -2.0E+001
        > CALCulate2:PARameter:CATalog:EXTended?
        < \"Ch2:S21:MLIN,S21\"
        > CALCulate2:PARameter:DELete 'Ch2:S21:MLIN'
        > CALCulate2:PARameter:CATalog:EXTended?
        < \"NO CATALOG\"
        > CALCulate2:PARameter:DEFine:EXTended 'Ch2:S21:PHAS','S21'
        > CALCulate2:PARameter:CATalog:EXTended?
        < \"Ch2:S21:PHAS,S21\"
        > CALC2:PARameter:SELect 'Ch2:S21:PHAS'
        > CALC2:PARameter:SELect?
        < \"Ch2:S21:PHAS\"
        > CALCulate2:FORMat PHAS
        > CALCulate2:FORMat?
        < PHAS
        > SYSTem:WINDows:CATalog?
        < \"1,3\"
        > DISPlay:WINDow3:CATalog?
        < \"1,2\"
        > DISPlay:WINDow3:TRACe1:DELete
        > DISPlay:WINDow3:TRACe2:DELete
        > DISPlay:WINDow3:CATalog?
        < \"EMPTY\"
        > SYSTem:WINDows:CATalog?
        < \"1,3\"
        > DISPlay:WINDow3:TRACe1:FEED 'Ch2:S21:PHAS'
        > DISPlay:WINDow3:CATalog?
        < \"1\"
        > CALCulate2:PARameter:DEFine:EXTended 'Ch2:S11','S11'
        > CALCulate2:PARameter:CATalog:EXTended?
        < \"Ch2:S21:PHAS,S21,Ch2:S11,S11\"
        > CALC2:PARameter:SELect 'Ch2:S11'
        > CALC2:PARameter:SELect?
        < \"Ch2:S11\"
        > CALCulate2:FORMat MLIN
        > CALCulate2:FORMat?
        < MLIN
        > SYSTem:WINDows:CATalog?
        < \"1,3\"
        > DISPlay:WINDow3:TRACe2:FEED 'Ch2:S11'
        > DISPlay:WINDow3:CATalog?
        < \"1,2\"
        > SENSe2:SWEep:MODE CONTinuous
        > SENSe2:SWEep:MODE?
        < CONT";
    assert_eq!(called(PNA, "prepare_point", &arguments, transcript), "None");
}

#[test]
fn measures_that_a_channel_has_are_kept() {
    let arguments = [
        Value::Int(0),
        Value::Int(1),
        measures(&[("S21", "MLIN"), ("S21", "PHAS")]),
    ];
    let transcript = "
        > CALCulate2:PARameter:CATalog:EXTended?
        < \"Ch2:S21:PHAS,S21,Ch2:S21:MLIN,S21\"
        > FORMAT:DATA REAL,+32
        > FORMAT:DATA?
        < REAL,+32";
    assert_eq!(called(PNA, "prepare_measures", &arguments, transcript), "None");
}

#[test]
fn measures_of_a_znb_have_names_without_colons_and_traces_of_their_own() {
    let arguments = [Value::Int(1000), Value::Int(1), measures(&[("S21", "")])];
    let transcript = "
        > SENSe2:BANDwidth 1000
        > SENSe2:BANDwidth?
        < 1000
        > CALCulate2:PARameter:CATalog:SENDed?
        < ''
        > CALCulate2:PARameter:CATalog:SENDed?
        < ''
        > CALCulate2:PARameter:SDEFine 'Ch2_S21','S21'
        > CALCulate2:PARameter:CATalog:SENDed?
        < 'Ch2_S21,S21'
        > CALC2:PARameter:SELect 'Ch2_S21'
        > CALC2:PARameter:SELect?
        < 'Ch2_S21'
        > CALCulate2:FORMat POL
        > CALCulate2:FORMat?
        < POL
        > DISPlay:CATalog?
        < '2,Win2'
        > DISPlay:CATalog?
        < '2,Win2'
        > DISPlay:WINDow1 ON
        > DISPlay:WINDow1:TRACe1:EFEed 'Ch2_S21'
        > DISPlay:WINDow1:TRACe1:CATalog?
        < '1,Ch2_S21'
        > FORMAT:DATA REAL,32
        > FORMAT:DATA?
        < REAL,32";
    assert_eq!(called(ZNB, "prepare_measures", &arguments, transcript), "None");
    let arguments = [Value::Int(0), Value::Int(1), measures(&[("S21", "MLIN")])];
    let transcript = "
        > CALCulate2:PARameter:CATalog?
        < 'Ch2_S21_MLIN,S21'
        > FORMAT:DATA REAL,32
        > FORMAT:DATA?
        < REAL,32";
    assert_eq!(called(ZVA, "prepare_measures", &arguments, transcript), "None");
}

#[test]
fn sweeps_are_of_frequency_or_power() {
    let arguments = [
        text("FREQUENCY"),
        Value::Float(6.7e9),
        Value::Float(6.79e9),
        Value::Int(401),
    ];
    let transcript = "
        > SENSe2:SWEep:TYPE LIN
        > SENSe2:SWEep:TYPE?
        < LIN
        > SENSe2:SWEep:POINts 401
        > SENSe2:SWEep:POINts?
        < +401
        > SENSe2:FREQuency:STARt 6700000000.0
        > SENSe2:FREQuency:STOP 6790000000.0";
    assert_eq!(called(PNA, "prepare_sweep", &arguments, transcript), "None");
    let arguments = [text("POWER"), Value::Int(-30), Value::Int(0), Value::Int(31)];
    let transcript = "
        > SENSe2:SWEep:TYPE POW
        > SENSe2:SWEep:TYPE?
        < POW
        > SENSe2:SWEep:POINts 31
        > SENSe2:SWEep:POINts?
        < 31
        > SOURce2:POWer:STARt -30
        > SOURce2:POWer:STOP 0";
    assert_eq!(called(ZNB, "prepare_sweep", &arguments, transcript), "None");
    let transcript = "
        > SENSe2:SWEep:Type?
        < LIN
        > SENSe2:SWEep:POINts?
        < +201
        > SENSe2:FREQuency:STARt?
        < +1.0E+009
        > SENSe2:FREQuency:STOP?
        < +2.0E+009";
    let axis = "[LIN | 1000000000.0 | 2000000000.0 | 201]";
    assert_eq!(called(PNA, "axis", &[text("")], transcript), axis);
}

#[test]
fn the_end_of_a_sweep_is_a_bit_of_the_event_register_or_an_answer() {
    let fired = |device: &mut Driven| device.call("trigger", &[], &at_channel(&Value::Int(2)));
    let done = |device: &mut Driven| device.call("is_done", &[], &at_channel(&Value::Int(2)));
    let transcript = "
        > *CLS
        > INITiate2:IMMediate
        > *OPC
        > *ESR?
        < +32
        > *ESR?
        < +1";
    let outcome = played(PNA, &[], transcript, |device| {
        fired(device)?;
        let not_yet = done(device)?;
        Ok(Value::List(vec![not_yet, done(device)?]))
    });
    assert_eq!(outcome, "[False | True]");
    let transcript = "
        > *CLS
        > INITiate2:IMMediate
        > *OPC
        > *OPC?
        < 1";
    let outcome = played(ZNB, &[], transcript, |device| {
        fired(device)?;
        done(device)
    });
    assert_eq!(outcome, "True");
}

/// Reads a measure in a format of its data, in a byte order.
fn read(driver: &str, method: &str, name: &Value, format: &str, order: &str, data: &str) -> String {
    let (sent, kind) = match driver {
        PNA => ("Ch2:S21:MLIN", "\"Ch2:S21:MLIN\""),
        _ => ("Ch2_S21_MLIN", "'Ch2_S21_MLIN'"),
    };
    let what = if method == "read_raw" { "SDATA" } else { "FDATA" };
    let transcript = format!(
        "> CALC2:PARameter:SELect '{sent}'
         > CALC2:PARameter:SELect?
         < {kind}
         > FORMat:BORDer?
         < {order}
         > FORMAT:DATA?
         < {format}
         > CALCulate2:DATA? {what}
         {data}"
    );
    called(driver, method, std::slice::from_ref(name), &transcript)
}

#[test]
fn data_are_read_in_every_format_and_byte_order() {
    let of_task = Value::List(vec![text("S21"), text("MLIN")]);
    let check = |driver: &str, format: &str, order: &str, data: &str| {
        let read = read(driver, "read_formatted", &of_task, format, order, data);
        assert_eq!(read, "0.5,-0.25", "{driver} {format} {order}");
    };
    check(PNA, "REAL,+32", "SWAP", "<f32 little 0.5 -0.25");
    check(PNA, "REAL,+32", "NORM", "<f32 big 0.5 -0.25");
    check(PNA, "REAL,+64", "SWAP", "<f64 little 0.5 -0.25");
    check(PNA, "REAL,+64", "NORM", "<f64 big 0.5 -0.25");
    check(PNA, "ASC,+0", "NORM", "< +5.0E-001,-2.5E-001");
    check(ZNB, "REAL,32", "SWAP", "<f32 little 0.5 -0.25");
    check(ZNB, "REAL,64", "SWAP", "<f64 little 0.5 -0.25");
    check(ZNB, "ASC,0", "SWAP", "< 0.5,-0.25");
    check(ZVA, "REAL,64", "NORM", "<f64 big 0.5 -0.25");
}

#[test]
fn raw_data_are_complex_and_data_that_are_none_are_named() {
    let name = text("Ch2:S21:MLIN");
    let numbers = "<f32 little 0.5 -0.25 1 2";
    let raw = |data: &str| read(PNA, "read_raw", &name, "REAL,+32", "SWAP", data);
    assert_eq!(raw(numbers), "[(0.5, -0.25), (1.0, 2.0)]");
    assert_eq!(
        raw("<f32 little 0.5 -0.25 1"),
        "`x`: `SDATA`: expected real and imaginary parts, received \"3 numbers\""
    );
    assert_eq!(
        raw("< ERROR"),
        "`x`: `CALCulate2:DATA? SDATA`: expected numbers in the format REAL,+32 (`ERROR` begins no block: a block is \
         like `#15hello`), received \"ERROR\""
    );
    assert_eq!(
        read(PNA, "read_raw", &name, "ASC,+0", "SWAP", "< 1,x"),
        "`x`: `CALCulate2:DATA? SDATA`: expected numbers in the format ASC,+0 (value 1 of the array, `x`, is no number), \
         received \"1,x\""
    );
}

#[test]
fn traces_on_the_display_come_with_axis_and_delay() {
    let transcript = "
        > CALC2:PAR:MNUM 3
        > CALC2:PAR:MNUM?
        < 3
        > CALC2:PARameter:SELect?
        < \"Tr3\"
        > SENSe2:SWEep:Type?
        < LIN
        > SENSe2:SWEep:POINts?
        < 2
        > SENSe2:FREQuency:STARt?
        < 1E9
        > SENSe2:FREQuency:STOP?
        < 2E9
        > CALC2:PARameter:SELect 'Tr3'
        > CALC2:PARameter:SELect?
        < \"Tr3\"
        > FORMat:BORDer?
        < SWAP
        > FORMAT:DATA?
        < ASC,+0
        > CALCulate2:DATA? SDATA
        < 1,0,0,1
        > CALC2:CORR:EDEL:TIME?
        < +3.55E-008";
    assert_eq!(
        called(PNA, "trace", &[Value::Int(3)], transcript),
        "[Tr3 | [LIN | 1000000000.0 | 2000000000.0 | 2] | [(1.0, 0.0), (0.0, 1.0)] | 35.5]"
    );
    let transcript = "
        > CALC2:PAR:MNUM 3
        > CALC2:PAR:MNUM?
        < 1";
    assert_eq!(
        called(PNA, "trace", &[Value::Int(3)], transcript),
        "`x`: `trace_number`: channel 2 has no trace 3"
    );
}

#[test]
fn averages_begin_anew_and_take_a_sweep_at_a_time() {
    let transcript = "
        > TRIGger:SEQuence:SOURce IMMediate
        > TRIGger:SEQuence:SOURce?
        < IMM
        > SENSe2:SWEep:MODE HOLD
        > SENSe2:SWEep:MODE?
        < HOLD
        > SENS:AVER:CLE
        > SENSe2:AVERage:STATe 1
        > SENSe2:AVERage:COUNt?
        < +4";
    assert_eq!(called(PNA, "prepare_average", &[], transcript), "4");
    let transcript = "
        > sense2:sweep:mode gro
        > *OPC";
    assert_eq!(called(PNA, "average_once", &[], transcript), "None");
    assert_eq!(called(ZNB, "average_once", &[], "> INITiate2:IMMediate"), "None");
}

#[test]
fn what_a_znb_has_is_listed() {
    let transcript = "
        > *CLS
        > CONFigure:CHANnel:CATalog?
        < '1,Ch1,4,Second'
        > CALCulate4:PARameter:CATalog:SENDed?
        < 'Trc1,S21,Trc2,S11'";
    let outcome = played(ZNB, &[], transcript, |device| {
        let channels = device.get("channels", &[])?;
        let measures = device.call("measures", &[], &at_channel(&Value::Int(4)))?;
        Ok(Value::List(vec![channels, measures]))
    });
    assert_eq!(outcome, "[[1 | 4] | [Trc1 | Trc2]]");
}

/// What an IPS is told when it is opened.
const IPS_OPENED: &str = "
    > C3
    < C
    > Q4
    > M9
    < M";

#[test]
fn an_ips_goes_to_a_field_and_says_how_long_it_takes() {
    let transcript = format!(
        "{IPS_OPENED}
        > T0.5
        < T
        > R9
        < R+0.5000
        > J1.5
        < J
        > A1
        < A
        > R7
        < R+0.5000
        > X
        < X00A1C3H1M11P03
        > X
        < X00A0C3H1M10P03
        > R7
        < R+1.4999
        > R8
        < R+1.5000
        > R18
        < R+1.4900"
    );
    let outcome = played(IPS, &[], &transcript, |device| {
        let seconds = device.call("sweep_to_field", &[Value::Float(1.5), Value::Float(0.5)], &[])?;
        let early = device.call("is_at_field", &[], &[])?;
        let late = device.call("is_at_field", &[], &[])?;
        let magnet = device.call("magnet_is_at", &[Value::Float(1.5)], &[])?;
        Ok(Value::List(vec![seconds, early, late, magnet]))
    });
    assert_eq!(outcome, "[120.0 | False | True | False]");
}

#[test]
fn an_ips_without_a_rate_goes_with_the_one_it_has_and_fluctuates_as_said() {
    let transcript = format!(
        "{IPS_OPENED}
        > R9
        < R+1.0000
        > J0
        < J
        > A1
        < A
        > R7
        < R-0.5000
        > R18
        < R+0.0900"
    );
    let outcome = played(IPS, &[("output_fluctuations", "0.1")], &transcript, |device| {
        let seconds = device.call("sweep_to_field", &[Value::Int(0), Value::None], &[])?;
        let magnet = device.call("magnet_is_at", &[Value::Int(0)], &[])?;
        Ok(Value::List(vec![seconds, magnet]))
    });
    assert_eq!(outcome, "[30.0 | True]");
}

#[test]
fn the_heater_of_an_ips_is_a_digit_and_what_it_refuses_is_said() {
    let transcript = format!(
        "{IPS_OPENED}
        > X
        < X00A0C3H0M10P03
        > H1
        < H
        . 1s
        > X
        < X00A0C3H1M10P03
        > A0
        < A
        > J9
        < ?J9
        "
    );
    let outcome = played(IPS, &[], &transcript, |device| {
        assert_eq!(device.get("heater", &[])?, text("OFF"));
        device.set("heater", &text("ON"), &[])?;
        assert_eq!(device.get("heater", &[])?, text("ON"));
        device.set("activity", &text("Hold"), &[])?;
        device.set("target_field", &Value::Int(9), &[])?;
        Ok(Value::None)
    });
    assert_eq!(outcome, "`x`: `target_field` was not taken: the answer is \"?J9\"");
    let faulty = |digit: char| {
        let transcript = format!("{IPS_OPENED}\n> X\n< X00A0C3H{digit}M10P03");
        played(IPS, &[], &transcript, |device| device.get("heater", &[]))
    };
    assert_eq!(faulty('5'), "`x`: `heater`: the instrument says that it has a fault");
    assert_eq!(
        faulty('8'),
        "`x`: `heater`: the instrument says that there is no switch"
    );
    let cut = format!("{IPS_OPENED}\n> X\n< X00A0");
    assert_eq!(
        played(IPS, &[], &cut, |device| device.get("heater", &[])),
        "`x`: `status`: expected a status such as X00A0C3H1M10P03, received \"X00A0\""
    );
}

/// What a CS4 is told when it is opened.
const CS4_OPENED: &str = "
    > UNITS T
    > RANGE 0 100;
    > LLIM -7";

#[test]
fn a_cs4_counts_in_amperes_per_second() {
    let transcript = format!(
        "{CS4_OPENED}
        > RATE 0 0.125
        > PSHTR?
        < 1
        > RATE? 0
        < 0.125
        > ULIM 1.5
        . 1s
        > SWEEP PAUSE
        . 1s
        > SWEEP UP SLOW
        > IOUT?
        < 1.125T
        > IOUT?
        < 1.4998T
        > ULIM?
        < 1.500T
        > IMAG?
        < 1.490 T"
    );
    let outcome = played(CS4, &[("magnet_conversion", "0.1")], &transcript, |device| {
        let seconds = device.call("sweep_to_field", &[Value::Float(1.5), Value::Float(0.75)], &[])?;
        let there = device.call("is_at_field", &[], &[])?;
        let magnet = device.call("magnet_is_at", &[Value::Float(1.5)], &[])?;
        Ok(Value::List(vec![seconds, there, magnet]))
    });
    assert_eq!(outcome, "[30.0 | True | False]");
}

#[test]
fn a_cs4_goes_fast_while_its_switch_is_closed() {
    let transcript = format!(
        "{CS4_OPENED}
        > PSHTR?
        < 0
        > RATE? 3
        < 0.5
        > ULIM 0
        . 1s
        > SWEEP PAUSE
        . 1s
        > SWEEP UP FAST
        > IOUT?
        < 3T
        > PSHTR On
        . 1s
        > RATE 0 0.125
        > PSHTR?
        < 1
        > SWEEP UP SLOW
        > SWEEP PAUSE
        > RATE? 0
        < 0.125"
    );
    let outcome = played(CS4, &[("magnet_conversion", "0.1")], &transcript, |device| {
        let seconds = device.call("sweep_to_field", &[Value::Int(0), Value::None], &[])?;
        device.set("heater", &text("ON"), &[])?;
        device.set("field_rate", &Value::Float(0.75), &[])?;
        device.set("activity", &text("To set point"), &[])?;
        device.call("hold", &[], &[])?;
        let rate = device.get("field_rate", &[])?;
        Ok(Value::List(vec![seconds, rate]))
    });
    assert_eq!(outcome, "[60.0 | 0.75]");
}

#[test]
fn a_4g_counts_in_kilogauss() {
    let transcript = "
        > UNITS T
        > RANGE 0 100;
        > LLIM -7
        > LLIM -70
        > RATE 0 0.125;
        > PSHTR?
        < 0
        > RATE? 5
        < 0.5
        > ULIM 3.0;
        . 1s
        > SWEEP PAUSE
        . 1s
        > SWEEP UP FAST
        > IOUT?
        < 0.000kG
        > IMAG?
        < 3.000 kG
        > ULIM?
        < 3.000kG";
    let outcome = played(C4G, &[("magnet_conversion", "0.1")], transcript, |device| {
        let seconds = device.call("sweep_to_field", &[Value::Float(0.3), Value::Float(0.75)], &[])?;
        let field = device.get("persistent_field", &[])?;
        Ok(Value::List(vec![seconds, field, device.get("target_field", &[])?]))
    });
    assert_eq!(outcome, "[6.0 | 0.3 | 0.3]");
}

#[test]
fn a_cs4_must_know_its_magnet_before_anything_is_measured() {
    let opened = |settings: &[(&str, &str)], transcript: &str| played(CS4, settings, transcript, |_| Ok(Value::None));
    assert_eq!(
        opened(&[], CS4_OPENED),
        "`x`: `magnet_conversion`: the settings of the profile must say it, in T/A: a rate depends on the magnet"
    );
    assert_eq!(
        opened(&[("magnet_conversion", "a lot")], ""),
        "`x`: the setting `magnet_conversion` is no number: `a lot`"
    );
    assert_eq!(
        opened(&[("magnet_conversion", "0")], ""),
        "`x`: the setting `magnet_conversion` is 0: no magnet makes so many T/A"
    );
}

#[test]
fn a_field_is_never_waited_for_at_no_rate() {
    let transcript = format!("{IPS_OPENED}\n> R9\n< R+0.0000");
    let outcome = played(IPS, &[], &transcript, |device| {
        device.call("sweep_to_field", &[Value::Int(1)], &[])
    });
    assert_eq!(outcome, "`x`: `field_rate`: at 0 T/min no field is ever reached");
}

#[test]
fn methods_are_known_and_their_arguments_looked_at() {
    let outcome = played(PNA, &[], "> *CLS", |device| {
        assert!(device.has("prepare_sweep") && device.has("frequency") && !device.has("dance"));
        device.call("prepare_sweep", &[Value::Int(1)], &[])
    });
    assert_eq!(outcome, "`x`: `prepare_sweep`: these are none of its arguments");
}

#[test]
fn a_spectrum_analyser_sweeps_and_says_when_it_has() {
    let opened = "
        > ROSC:SOURCE EXT
        > ROSC:OUTP ON
        > FORM:DATA ASCii
        > FORM:BORD NORMAL";
    let transcript = format!(
        "{opened}
        > inst:sel?
        < SA
        > FORM:DATA ASCii
        > :ABORT
        > :INIT:CONT OFF
        > :INIT
        > *OPC
        > SWEEP:TIME?
        < 0.1
        > *ESR?
        < 1
        > trace? trace2
        < -80.5,-81.25"
    );
    let outcome = played("exopy_hqc_legacy.Legacy.AgilentPSA", &[], &transcript, |device| {
        let mode = device.get("mode", &[])?;
        device.call("sweep", &[], &[])?;
        let time = device.get("sweep_time", &[])?;
        let status = device.get("event_status", &[])?;
        let data = device.get("data", &[("trace", Value::Int(2))])?;
        Ok(Value::List(vec![mode, time, status, data]))
    });
    assert_eq!(outcome, "[SA | 0.1 | 1 | -80.5,-81.25]");
}

#[test]
fn a_waveform_generator_runs_stops_and_steps() {
    let transcript = "
        > EVENt:IMM
        > AWGC:RUN:IMM
        > AWGC:RST?
        < 2
        > AWGC:SEQ:POS?
        < 1
        > AWGC:STOP:IMM
        > AWGC:RST?
        < 0";
    let outcome = played("exopy_hqc_legacy.Legacy.AWG", &[], transcript, |device| {
        device.call("event", &[], &[])?;
        device.call("run", &[], &[])?;
        let running = device.get("running", &[])?;
        let position = device.get("sequence_position", &[])?;
        device.call("stop", &[], &[])?;
        Ok(Value::List(vec![running, position, device.get("running", &[])?]))
    });
    assert_eq!(outcome, "[2 | 1 | 0]");
}
