//! Conversations with instruments made from the drivers that come with this crate.

use std::time::Duration;

use super::Mirror;
use crate::{
    driver::library,
    simulate::{behaviour::Behaviour, models},
};

/// What is said in turn, `-` for silence.
fn check(driver: &str, conversation: &[(&str, &str)]) {
    let driver = library::find(driver).expect("it comes with this crate");
    let quirk = models::of(&driver);
    let mut mirror = Mirror::new(driver, quirk, 0);
    for (message, expected) in conversation {
        let answers = mirror.hear(message.as_bytes(), Duration::ZERO);
        let answers: Vec<String> = answers
            .iter()
            .map(|answer| String::from_utf8_lossy(answer).into_owned())
            .collect();
        let said = if answers.is_empty() {
            "-".to_owned()
        } else {
            answers.join(" | ")
        };
        assert_eq!(said, *expected, "{message}");
    }
}

#[test]
fn what_is_set_is_read_back_as_the_driver_expects_it() {
    check(
        "yokogawa.gs200",
        &[
            ("*IDN?", "YOKOGAWA,GS200,0,simulated"),
            ("*CLS", "-"),
            (":SOURce:LEVel?", "+0.0000E+00"),
            (":SOURce:LEVel 4.5", "-"),
            ("SOUR:LEV?", "+4.5000E+00"),
            (":SOURce:LEVel -0.123456789", "-"),
            (":SOURce:LEVel?", "-1.23456789E-01"),
            (":SOURce:RANGe 100E-3", "-"),
            (":SOURce:RANGe?", "100E-3"),
            (":OUTPUT?", "0"),
            (":OUTPUT ON", "-"),
            ("OUTP?", "1"),
            (":OUTP 0;:OUTP?", "0"),
            (":SOURce:FUNCtion CURR", "-"),
            ("SOURce:FUNCtion?", "CURR"),
            (":SOURce:FUNCtion HEAT", "-"),
            ("SYST:ERR?", "-224,\"Illegal parameter value\""),
            ("VOLTS?", "-"),
            ("SYST:ERR?;SYST:ERR?", "-113,\"Undefined header\";+0,\"No error\""),
            ("*ESR?;*OPC;*ESR?;*OPC?", "48;1;1"),
        ],
    );
}

#[test]
fn units_scale_and_channels_have_their_own_state() {
    check(
        "rohde_schwarz.smb100a",
        &[
            ("FREQ 4.5GHz", "-"),
            ("FREQ?", "4500000000"),
            ("FREQ 12.5kHz", "-"),
            ("FREQ?", "12500"),
            ("SOURce:PULM:SOURce EXT", "-"),
            ("SOURce:PULM:STATE?", "1"),
            ("SOURce:PULM:STATE OFF", "-"),
            ("SOURce:PULM:STATE?", "0"),
        ],
    );
    check(
        "tektronix.awg5014",
        &[
            ("SOURce1:VOLTage 0.5", "-"),
            ("SOURce2:VOLTage 2", "-"),
            ("SOURce1:VOLTage?;:SOURce2:VOLTage?", "0.5;2.0"),
            ("OUTP3:STAT ON", "-"),
            ("OUTP3:STAT?", "1"),
        ],
    );
    check(
        "bilt.bn100",
        &[
            ("i2;c1;Volt 1.25", "-"),
            ("i2;c1;trig:input:init", "-"),
            ("i2;c2;Volt -3", "-"),
            ("i2;c1;Volt?", "1.25"),
            ("i2;c2;Volt?", "-3.00"),
            ("i2;OUTP1", "-"),
            ("i2;OUTP?", "1"),
        ],
    );
}

#[test]
fn commands_that_differ_in_case_alone_are_told_apart() {
    check(
        "windfreak.synthhd",
        &[
            ("C0", "-"),
            ("f4500.5000", "-"),
            ("f?", "4500.5000"),
            ("W-10.0000", "-"),
            ("C1", "-"),
            ("f100.0000", "-"),
            ("f?", "100.0000"),
            ("C0", "-"),
            ("f?", "4500.5000"),
            ("E1r1", "-"),
            ("E?", "1"),
            ("C?", "0"),
        ],
    );
}
