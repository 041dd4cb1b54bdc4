//! Network analysers: channels taken over, measures made, sweeps, data in every format.

use instruments::device::{At, Device, Driven};
use instruments::driver::Value;

use super::{played, text};

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

pub(crate) const PNA: &str = "exopy_hqc_legacy.Legacy.AgilentPNA";
const ZNB: &str = "exopy_hqc_legacy.Legacy.ZNB20";
const ZVA: &str = "exopy_hqc_legacy.Legacy.ZVA24";

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
