//! Instruments made from each driver that comes with this crate, over each protocol, driven by the same driver.

use std::{sync::Arc, time::Duration};

use instruments::{
    Interrupter, LinkSettings, Resource, Session,
    device::{Device, Driven, undisturbed},
    driver::{Driver, Value, library},
    simulate::{Laboratory, Mishap, Noise, Protocol, Simulated, Transcript},
};

fn found(id: &str) -> Arc<Driver> {
    Arc::new(library::find(id).expect("it comes with this crate"))
}

fn laboratory(instruments: &[Simulated]) -> Laboratory {
    Laboratory::start(instruments, &Transcript::none()).expect("loopback")
}

fn resource(laboratory: &Laboratory, name: &str) -> Resource {
    let address = laboratory.address(name).expect("it is simulated");
    address.parse().expect("a resource")
}

fn driven(laboratory: &Laboratory, name: &str, driver: &Arc<Driver>) -> Driven {
    let resource = resource(laboratory, name);
    let opened = Driven::open(
        name,
        Arc::clone(driver),
        resource,
        // Of the magnets.
        &[("magnet_conversion".to_owned(), "0.1".to_owned())],
        instruments::Boards::default(),
        Interrupter::default(),
        undisturbed(),
    );
    opened.expect("it opens")
}

fn session(laboratory: &Laboratory, name: &str) -> Session {
    let settings = LinkSettings {
        timeout: Duration::from_secs(10),
        ..LinkSettings::default()
    };
    Session::open(name, resource(laboratory, name), settings, Interrupter::default()).expect("it opens")
}

#[test]
fn each_driver_reads_from_its_simulation_what_it_sets() {
    let mut wrong = Vec::new();
    for text in library::LIBRARY {
        let driver = Arc::new(Driver::parse(text).expect("it is right"));
        let transcript = Transcript::kept();
        let instruments = [Simulated::new("it", Arc::clone(&driver))];
        let laboratory = Laboratory::start(&instruments, &transcript).expect("loopback");
        let mut it = driven(&laboratory, "it", &driver);
        // The measures that the examples select.
        for command in ["CALC1:PAR:DEF:EXT 'Ch1:S21','S21'", "CALC1:PAR:SDEF 'Ch1_S21','S21'"] {
            if driver.signal("selected_measure").is_some() {
                // The other make's is none.
                it.write(command).and_then(|()| it.write("*CLS")).expect("it is sent");
            }
        }
        for signal in &driver.signals {
            for example in &signal.examples {
                let at: Vec<(&str, Value)> = example
                    .names
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.clone()))
                    .collect();
                let mut at_of_signal = at.clone();
                at_of_signal.retain(|(name, _)| driver.arguments.iter().any(|argument| argument.name == *name));
                // What it requires is brought about first, as a user would; twice, since one may require another.
                for _ in 0..2 {
                    for (other, value) in &signal.requires {
                        it.set(other, value, &[]).ok();
                    }
                }
                if signal.can_set()
                    && let Err(error) = it.set(&signal.name, &example.value, &at_of_signal)
                {
                    wrong.push(format!("{}: {error}", driver.id));
                }
                if !signal.can_get() {
                    continue;
                }
                match it.get(&signal.name, &at_of_signal) {
                    Ok(value) if !signal.can_set() || value.same(&example.value) => {}
                    // What is set in nanoseconds is read in seconds there.
                    Ok(_) if example.read.is_none() => {}
                    Ok(value) => wrong.push(format!(
                        "{}: `{}` was set to `{}` and reads `{value}`",
                        driver.id, signal.name, example.value
                    )),
                    Err(error) => wrong.push(format!("{}: {error}", driver.id)),
                }
            }
        }
        for action in &driver.actions {
            if let Err(error) = it.call(&action.name, &[], &[]) {
                wrong.push(format!("{}: {error}", driver.id));
            }
        }
        // Nothing of all that was unknown to the instrument.
        if let Ok(error) = it.query("SYST:ERR?")
            && !error.contains("0,")
        {
            let said = transcript.heard_by("it").join(" · ");
            wrong.push(format!("{}: {error} after {said}", driver.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_instrument_is_the_same_over_each_protocol() {
    let driver = found("yokogawa.gs200");
    for protocol in [Protocol::Socket, Protocol::Vxi11, Protocol::Hislip] {
        let instrument = Simulated {
            protocol,
            ..Simulated::new("source", Arc::clone(&driver))
        };
        let laboratory = laboratory(&[instrument]);
        let mut source = driven(&laboratory, "source", &driver);
        source.set("voltage", &Value::Float(1.25), &[]).expect("it takes it");
        assert_eq!(source.get("voltage", &[]), Ok(Value::Float(1.25)), "{protocol:?}");
        // Another client sees the same instrument.
        let mut other = session(&laboratory, "source");
        assert_eq!(other.query(":SOURce:LEVel?").expect("an answer"), "+1.2500E+00");
        other.write("nonsense").expect("it is sent");
        let errors = other.errors().expect("a queue");
        assert_eq!((errors.len(), errors[0].code), (1, -113), "{protocol:?}");
        assert_eq!(other.identify().expect("its identity").model, "GS200");
        if protocol != Protocol::Socket {
            other.write("*SRE 4").expect("it is sent");
            other.write("nonsense").expect("it is sent");
            assert_eq!(other.query("*OPC?").expect("an answer"), "1");
            assert_eq!(other.status_byte().expect("a status byte") & 0x44, 0x44, "{protocol:?}");
            other.clear().expect("it is confirmed");
            other.lock(Duration::ZERO).expect("free");
            let mut third = session(&laboratory, "source");
            third.lock(Duration::from_millis(5)).expect_err("taken");
            other.unlock().expect("held");
            third.lock(Duration::from_millis(5)).expect("free again");
            other.trigger().expect("taken");
        }
    }
}

#[test]
fn everything_said_is_in_the_transcript() {
    let transcript = Transcript::kept();
    let driver = found("rohde_schwarz.smb100a");
    let instruments = [Simulated::new("rf", Arc::clone(&driver))];
    let laboratory = Laboratory::start(&instruments, &transcript).expect("loopback");
    let mut rf = driven(&laboratory, "rf", &driver);
    rf.set(
        "frequency",
        &Value::Float(4.5),
        &[("unit", Value::Text("GHz".to_owned()))],
    )
    .expect("it takes it");
    assert_eq!(transcript.heard_by("rf"), ["FREQ 4.5GHz", "FREQ?"]);
    let lines: Vec<String> = transcript
        .entries()
        .iter()
        .map(|entry| entry.to_string()[11..].to_owned())
        .collect();
    assert_eq!(lines, ["rf < FREQ 4.5GHz", "rf < FREQ?", "rf > 4500000000"]);
}

#[test]
fn noise_comes_again_with_its_seed() {
    let driver = found("keithley.2000");
    let noisy = |seed: u64| Simulated {
        noise: vec![Noise {
            signal: None,
            sigma: 1e-3,
        }],
        seed,
        ..Simulated::new("meter", Arc::clone(&driver))
    };
    let readings = |seed: u64| -> Vec<f64> {
        let laboratory = laboratory(&[noisy(seed)]);
        let mut meter = driven(&laboratory, "meter", &driver);
        let mut read = || meter.get("voltage_dc", &[]).ok().and_then(|value| value.number());
        (0..50).map(|_| read().expect("a number")).collect()
    };
    let first = readings(1);
    assert_eq!(first, readings(1));
    assert_ne!(first, readings(2));
    let mean = first.iter().sum::<f64>() / 50.0;
    assert!((mean - 1.2345e-3).abs() < 1e-3, "{mean}");
    let wrong = Simulated {
        noise: vec![Noise {
            signal: Some("heat".to_owned()),
            sigma: 1.0,
        }],
        ..Simulated::new("meter", driver)
    };
    let refused = Laboratory::start(&[wrong], &Transcript::none())
        .err()
        .expect("no such signal");
    assert_eq!(refused.to_string(), "`meter` has no signal `heat`");
}

#[test]
fn a_mishap_can_be_ended() {
    let laboratory = laboratory(&[Simulated::new("source", found("yokogawa.gs200"))]);
    let mut source = session(&laboratory, "source");
    source.set_tries(1);
    source.set_timeout(Duration::from_millis(50));
    let silent: Mishap = "silent".parse().expect("a mishap");
    laboratory.strike("source", silent.clone()).expect("it is there");
    source.query("*IDN?").expect_err("no answer");
    laboratory.mend("source").expect("it is there");
    source.set_timeout(Duration::from_secs(10));
    source.query("*IDN?").expect("an answer");
    laboratory.strike("nobody", silent).expect_err("nobody is there");
}

#[test]
fn a_field_moves_as_fast_as_its_supply_is_told() {
    let driver = found("oxford.ips120_10");
    let supply = Simulated {
        speed: 1000.0,
        ..Simulated::new("magnet", Arc::clone(&driver))
    };
    let laboratory = laboratory(&[supply]);
    let mut magnet = driven(&laboratory, "magnet", &driver);
    magnet
        .set("heater", &Value::Text("ON".to_owned()), &[])
        .expect("it takes it");
    let sweep = [Value::Float(0.2), Value::Float(1.0)];
    let seconds = magnet.call("sweep_to_field", &sweep, &[]).expect("it begins");
    // It moves already while it is asked.
    assert!(seconds.number().is_some_and(|seconds| seconds <= 12.0), "{seconds}");
    let began = std::time::Instant::now();
    while magnet.call("is_at_field", &[], &[]) != Ok(Value::Bool(true)) {
        assert!(began.elapsed() < Duration::from_secs(60), "it never arrives");
    }
    assert_eq!(magnet.call("magnet_is_at", &sweep[..1], &[]), Ok(Value::Bool(true)));
}

#[test]
fn an_analyser_is_set_up_triggered_and_read() {
    let text = |text: &str| Value::Text(text.to_owned());
    let measure = |parameter: &str, format: &str| Value::List(vec![text(parameter), text(format)]);
    for id in ["keysight.pna", "rohde_schwarz.znb20", "rohde_schwarz.zva24"] {
        let driver = found(id);
        let laboratory = laboratory(&[Simulated::new("vna", Arc::clone(&driver))]);
        let mut vna = driven(&laboratory, "vna", &driver);
        let at = [("channel", Value::Int(2))];
        let mut call = |method: &str, arguments: &[Value]| match vna.call(method, arguments, &at) {
            Ok(value) => value,
            Err(error) => panic!("{id}: `{method}`: {error}"),
        };
        call("take_control", &[text("sweep")]);
        let measures = Value::List(vec![measure("S21", "MLIN"), measure("S11", "")]);
        call("prepare_measures", &[Value::Int(100), Value::Int(1), measures.clone()]);
        let sweep = [
            text("FREQUENCY"),
            Value::Float(4.999e9),
            Value::Float(5.001e9),
            Value::Int(201),
        ];
        call("prepare_sweep", &sweep);
        call("trigger", &[]);
        while call("is_done", &[]) != Value::Bool(true) {}
        let Value::Floats(sizes) = call("read_formatted", &[measure("S21", "MLIN")]) else {
            panic!("{id}: no numbers");
        };
        let largest = sizes.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        assert_eq!((sizes.len(), largest.map(|(at, _)| at)), (201, Some(100)), "{id}");
        assert!((sizes[100] - 1.0).abs() < 1e-6, "{id}");
        let Value::Array(reflected) = call("read_raw", &[measure("S11", "")]) else {
            panic!("{id}: no complex numbers");
        };
        assert_eq!(reflected.shape, [201], "{id}");
        // Set up the same again, and at a point.
        call("prepare_measures", &[Value::Int(100), Value::Int(1), measures.clone()]);
        call("take_control", &[text("point")]);
        call("prepare_point", &[Value::Int(30), Value::Int(1), measures]);
        let Value::Floats(sizes) = call("read_formatted", &[measure("S21", "MLIN")]) else {
            panic!("{id}: no number");
        };
        assert_eq!(sizes.len(), 1, "{id}");
        assert!(vna.call("trace", &[Value::Int(2)], &[]).is_ok(), "{id}");
        let errors = vna.query("SYST:ERR?").expect("an answer");
        assert_eq!(errors, "+0,\"No error\"", "{id}");
    }
}

#[test]
fn what_was_set_by_hand_is_there_in_the_beginning() {
    let source = Simulated {
        initial: vec![("function".to_owned(), Value::Text("CURR".to_owned()))],
        ..Simulated::new("source", found("yokogawa.gs200"))
    };
    let running = laboratory(std::slice::from_ref(&source));
    assert_eq!(
        session(&running, "source").query("SOUR:FUNC?").expect("an answer"),
        "CURR"
    );
    let wrong = Simulated {
        initial: vec![("function".to_owned(), Value::Text("HEAT".to_owned()))],
        ..source
    };
    let refused = Laboratory::start(&[wrong], &Transcript::none())
        .err()
        .expect("no such value");
    assert_eq!(refused.to_string(), "`function` of `source` cannot be `HEAT`");
}
