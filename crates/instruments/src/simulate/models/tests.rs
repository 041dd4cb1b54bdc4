//! Conversations with instruments that have code of their own.

use std::time::Duration;

use crate::{
    driver::library,
    simulate::{behaviour::Behaviour, mirror::Mirror, models},
};

/// Seconds since the beginning, what is said then, and the answer; `-` for silence.
fn check(driver: &str, conversation: &[(u64, &str, &str)]) {
    let driver = library::find(driver).expect("it comes with this crate");
    let quirk = models::of(&driver);
    assert!(quirk.is_some(), "{} has no code", driver.id);
    let mut mirror = Mirror::new(driver, quirk, 0);
    for (time, message, expected) in conversation {
        let answers = mirror.hear(message.as_bytes(), Duration::from_secs(*time));
        let answers: Vec<String> = answers.iter().map(|answer| answer.escape_ascii().to_string()).collect();
        let said = if answers.is_empty() {
            "-".to_owned()
        } else {
            answers.join(" | ")
        };
        let said = said.replace("\\\"", "\"").replace("\\'", "'");
        assert_eq!(said, *expected, "{message}");
    }
}

#[test]
fn what_models_have_more_is_a_driver_file_of_its_own() {
    for text in library::LIBRARY {
        let driver = crate::driver::Driver::parse(text).expect("it is right");
        let more = models::of(&driver).map_or("", |quirk| quirk.more());
        if let Err(problems) = crate::driver::Driver::parse(more) {
            assert!(more.is_empty(), "{}: {problems:?}", driver.id);
        }
    }
}

#[test]
fn a_field_moves_with_its_rate_and_stays_when_the_switch_is_cold() {
    check(
        "oxford.ips120_10",
        &[
            (0, "C3", "C"),
            (0, "Q4", "-"),
            (0, "M9", "M"),
            (0, "X", "X00A0C3H0M10P03"),
            (0, "R7", "R+0.0000"),
            (0, "H1", "H"),
            (0, "T0.6", "T"),
            (0, "J0.5", "J"),
            (0, "R8", "R+0.5000"),
            (0, "A1", "A"),
            (10, "R7", "R+0.1000"),
            (10, "X", "X00A1C3H1M11P03"),
            (20, "A0", "A"),
            (90, "R7", "R+0.2000"),
            (90, "A1", "A"),
            (200, "R18", "R+0.5000"),
            (200, "X", "X00A1C3H1M10P03"),
            (200, "H0", "H"),
            (200, "A2", "A"),
            (300, "R7", "R+0.0000"),
            (300, "R18", "R+0.5000"),
        ],
    );
    check(
        "cryomagnetics.cs4",
        &[
            (0, "UNITS T", "-"),
            (0, "PSHTR?", "0"),
            (0, "PSHTR On", "-"),
            (0, "RATE 0 0.1", "-"),
            (0, "ULIM 0.5", "-"),
            (0, "SWEEP UP SLOW", "-"),
            (10, "IOUT?", "0.1000T"),
            (10, "SWEEP PAUSE", "-"),
            (20, "IMAG?", "0.1000T"),
            (20, "SWEEP?", "PAUSE"),
        ],
    );
}

#[test]
fn measures_are_made_shown_and_read() {
    let numbers: Vec<String> = (1..=32).map(|channel| channel.to_string()).collect();
    let of_keysight = format!("\"{}\"", numbers.join(","));
    let names: Vec<String> = (1..=32).map(|channel| format!("{channel},Ch{channel}")).collect();
    let of_rohde_schwarz = format!("'{}'", names.join(","));
    check(
        "keysight.pna",
        &[
            (0, "SYSTem:CHANnels:CATalog?", &of_keysight),
            (0, "CALCulate1:PARameter:CATalog:EXTended?", "\"CH1_S11_1,S11\""),
            (0, "CALCulate1:PARameter:DELete 'CH1_S11_1'", "-"),
            (0, "CALCulate1:PARameter:CATalog:EXTended?", "\"NO CATALOG\""),
            (0, "DISPlay:WINDow1:CATalog?", "\"EMPTY\""),
            (0, "CALCulate1:PARameter:DEFine:EXTended 'Ch1:S21:MLIN','S21'", "-"),
            (0, "CALC1:PARameter:SELect 'Ch1:S21:MLIN'", "-"),
            (0, "CALC1:PARameter:SELect?", "\"Ch1:S21:MLIN\""),
            (0, "CALCulate1:FORMat MLIN", "-"),
            (0, "DISPlay:WINDow2 ON", "-"),
            (0, "DISPlay:WINDow2:TRACe1:FEED 'Ch1:S21:MLIN'", "-"),
            (0, "DISPlay:WINDow2:CATalog?", "\"1\""),
            (0, "SENSe1:SWEep:POINts 1", "-"),
            (0, "SENS1:FREQuency:CENTer 5000000000.0", "-"),
            (0, "FORMAT:DATA ASC", "-"),
            (0, "CALCulate1:DATA? FDATA", "1"),
            (0, "FORMAT:DATA REAL,+64", "-"),
            (0, "CALC1:DATA? FDATA", "#18\\x00\\x00\\x00\\x00\\x00\\x00\\xf0?"),
            (0, "FORM:BORD NORM", "-"),
            (0, "FORMAT:DATA REAL,+32", "-"),
            (0, "CALC1:DATA? FDATA", "#14?\\x80\\x00\\x00"),
            (0, "CALC1:PARameter:SELect 'nothing'", "-"),
            (0, "*OPC", "-"),
            (0, "*ESR?", "17"),
        ],
    );
    check(
        "rohde_schwarz.znb20",
        &[
            (0, "CONFigure:CHANnel:CATalog?", &of_rohde_schwarz),
            (0, "CALCulate1:PARameter:CATalog:SENDed?", "'Trc1,S21'"),
            (0, "INITiate1:SCOPe SINGle", "-"),
            (0, "INITiate1:SCOPe?", "SINGle"),
            (0, "DISPlay:WINDow1:TRACe:CATalog?", "'1,Trc1'"),
            (0, "INITiate1:CONTinuous ON", "-"),
            (0, "SYST:ERR?", "+0,\"No error\""),
        ],
    );
}

#[test]
fn waveforms_are_listed_and_run() {
    check(
        "tektronix.awg5014",
        &[
            (0, "WLIST:WAVEFORM:DELETE 'pulse'", "-"),
            (0, "WLIST:WAVEFORM:NEW 'pulse' , 4, INTeger", "-"),
            (0, "WLIS:WAV:DATA 'pulse',0,4,#18;\"?abcde", "-"),
            (0, "WLIST:SIZE?", "1"),
            (0, "AWGC:RST?", "0"),
            (0, "AWGC:RUN:IMM", "-"),
            (0, "AWGC:RST?", "2"),
            (0, "SEQuence:LENGth 2", "-"),
            (0, "EVENt:IMM", "-"),
            (0, "AWGC:SEQ:POS?", "2"),
            (0, "EVENt:IMM;:AWGC:SEQ:POS?", "1"),
            (0, "WLIST:WAVEFORM:DELETE ALL", "-"),
            (0, "WLIST:SIZE?", "0"),
            (0, "SYST:ERR?", "+0,\"No error\""),
        ],
    );
}

#[test]
fn a_source_says_its_settings_in_lines() {
    check(
        "yokogawa.7651",
        &[
            (0, "OD", "NDCV+0.00000E+0"),
            (0, "S+1.500000E+00E", "-"),
            (0, "OD", "NDCV+1.50000E+0"),
            (0, "O1E", "-"),
            (0, "OC", "STS1=16"),
            (0, "O0E", "-"),
            (0, "OC", "STS1=0"),
            (0, "F5E", "-"),
            (0, "OD", "NDCA+0.00000E+0"),
            (
                0,
                "OS",
                "MDL7651REV1.05 | F5R4S+0.00000E+0E | PI1.0SW1.0M0 | LV12LA120 | END",
            ),
        ],
    );
    check("signal_recovery.7270", &[(0, "X.", "+1.5E-03 | \\x01")]);
}
