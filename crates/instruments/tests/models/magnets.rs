//! Supplies of magnets: fields and rates in each one's own units, heaters, and what is refused.

use instruments::device::Device;
use instruments::driver::Value;

use super::{played, text};

const IPS: &str = "exopy_hqc_legacy.Legacy.IPS12010";
const CS4: &str = "exopy_hqc_legacy.Legacy.CS4";
const C4G: &str = "exopy_hqc_legacy.Legacy.C4G";

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
