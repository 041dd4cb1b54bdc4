//! Objects of Python as instruments: names, values, channels, making and closing.

use instruments::{
    device::{Connection, Device, Profile, Reason},
    driver::{Array, Elements, Value},
    python::Options,
};

use super::{Bench, has_module, options, text};

#[test]
fn attributes_and_properties_are_read_and_set() {
    let bench = Bench::new();
    let mut source = bench.source();
    source.set("voltage", &Value::Float(1.5), &[]).expect("it is set");
    assert_eq!(source.get("voltage", &[]), Ok(Value::Float(1.5)));
    source.set("gain", &Value::Int(3), &[]).expect("it is set");
    assert_eq!(source.get("gain", &[]), Ok(Value::Int(3)));
    assert_eq!(source.get("temperature", &[]), Ok(Value::Float(4.2)));
    let refused = source.set("temperature", &Value::Float(1.0), &[]).unwrap_err();
    assert_eq!(
        (refused.reason, refused.message.as_str()),
        (Reason::Refused, "`vi`: `temperature` is read only")
    );
}

#[test]
fn methods_are_parameters_and_can_be_called() {
    let bench = Bench::new();
    let mut source = bench.source();
    assert_eq!(source.get("current", &[]), Ok(Value::Float(1e-3)));
    assert_eq!(source.get("get_current", &[]), Ok(Value::Float(1e-3)));
    source.set("current", &Value::Float(2e-3), &[]).expect("it is set");
    let log = Value::List(vec![Value::List(vec![text("current"), Value::Float(2e-3)])]);
    assert_eq!(source.get("log", &[]), Ok(log));
    assert_eq!(source.call("add", &[Value::Int(2)], &[]), Ok(Value::Int(3)));
    assert_eq!(
        source.call("add", &[Value::Int(2), Value::Float(0.5)], &[]),
        Ok(Value::Float(2.5))
    );
    let factor = [("factor", Value::Int(10))];
    assert_eq!(source.call("add", &[Value::Int(2)], &factor), Ok(Value::Int(30)));
    let no_method = source.call("voltage", &[], &[]).unwrap_err();
    assert_eq!(no_method.message, "`vi`: `voltage` is no method");
}

#[test]
fn names_are_dotted_and_indexed() {
    let bench = Bench::new();
    let mut source = bench.source();
    for (name, value) in [
        ("ch2.voltage", 0.2),
        ("channels[1].voltage", 0.1),
        ("channels[-1].voltage", 0.2),
        ("channels[1].limits[1]", 1.0),
        ("outputs['A'].voltage", 0.7),
        ("outputs[A].voltage", 0.7),
    ] {
        assert_eq!(source.get(name, &[]), Ok(Value::Float(value)), "{name}");
        source.set(name, &Value::Float(5.0), &[]).expect(name);
        assert_eq!(source.get(name, &[]), Ok(Value::Float(5.0)), "{name}");
        source.set(name, &Value::Float(value), &[]).expect(name);
    }
    for (name, message) in [
        ("volage", "`vi`: `Source` has no `volage`; did you mean `voltage`?"),
        ("ch2.volage", "`vi`: `Channel` has no `volage`; did you mean `voltage`?"),
        ("ch2..voltage", "`vi`: `ch2..voltage` is no name"),
        ("channels[1", "`vi`: `channels[1` has a bracket that is not closed"),
        ("", "`vi`: an empty name is no name"),
        ("a b", "`vi`: `a b` is no name"),
    ] {
        let error = source.get(name, &[]).unwrap_err();
        assert_eq!((error.reason, error.message.as_str()), (Reason::Refused, message));
    }
    assert!(source.has("voltage") && source.has("ch2.voltage") && source.has("current") && source.has("outputs[A]"));
    assert!(!source.has("volage") && !source.has("ch5.voltage") && !source.has("[") && !source.has(""));
}

#[test]
fn a_channel_is_found_by_its_number() {
    let bench = Bench::new();
    let mut source = bench.source();
    let at = |value: Value| [("channel", value)];
    assert_eq!(source.get("voltage", &at(Value::Int(1))), Ok(Value::Float(0.1)));
    assert_eq!(
        source.get("ch{channel}.voltage", &at(Value::Int(2))),
        Ok(Value::Float(0.2))
    );
    let output = [("output", text("A"))];
    assert_eq!(source.get("voltage", &output), Ok(Value::Float(0.7)));
    let error = source.get("voltage", &[("window", Value::Int(1))]).unwrap_err();
    assert_eq!(error.message, "`vi`: there is no window `1`");
}

#[test]
fn values_cross_as_what_they_are() {
    let bench = Bench::new();
    let mut source = bench.source();
    let row = |values: &[i64]| {
        let elements = Elements::Int(values.to_vec());
        Value::Array(Box::new(Array {
            shape: vec![values.len()],
            elements,
        }))
    };
    for (name, value) in [
        ("none", Value::None),
        ("true", Value::Bool(true)),
        ("unsigned", Value::Float(9_223_372_036_854_775_808.0)),
        ("long", Value::Int(123_456_789_012)),
        ("text", text("±é\\ud800")),
        ("bytes", text("1.5\n")),
        ("tuple", Value::List(vec![Value::Int(1), text("a"), Value::None])),
        ("floats", Value::List(vec![Value::Float(0.5); 40])),
        ("complex", Value::Complex(1.0, -2.0)),
        ("array", Value::Floats(vec![1.0, 2.0])),
        ("shorts", row(&[1, -2])),
        ("fraction", Value::Float(0.25)),
        ("dict", text("{'a': 1}")),
        ("binary", text("b'\\xff\\x00'")),
        ("big", text("1208925819614629174706176")),
    ] {
        assert_eq!(source.call("value", &[text(name)], &[]), Ok(value), "{name}");
    }
    bench.wait_for("vi: a `dict` has no like outside Python: it becomes the text of its `repr`");
    let Ok(Value::List(mixed)) = source.call("value", &[text("mixed")], &[]) else {
        panic!("no list");
    };
    assert_eq!((mixed.len(), &mixed[40]), (41, &Value::Int(1)));
    for (value, kind) in [
        (Value::None, "NoneType"),
        (Value::Bool(false), "bool"),
        (Value::Int(-70_000), "int"),
        (Value::Float(f64::MAX), "float"),
        (Value::Complex(0.0, 1.0), "complex"),
        (text(&"é".repeat(300)), "str"),
        (Value::List(vec![Value::Int(200); 70_000]), "list"),
    ] {
        assert_eq!(
            source.call("echo", std::slice::from_ref(&value), &[]),
            Ok(value),
            "{kind}"
        );
        assert_eq!(source.get("kind", &[]), Ok(text(kind)));
    }
    // Without numpy, an array is a list there.
    assert_eq!(source.get("has_numpy", &[]), Ok(Value::Bool(false)));
    let list = Value::List(vec![Value::Float(1.0), Value::Float(2.0)]);
    assert_eq!(source.call("echo", &[Value::Floats(vec![1.0, 2.0])], &[]), Ok(list));
}

#[test]
fn arrays_of_numpy_cross_as_their_bytes() {
    if !has_module("numpy") {
        return;
    }
    let bench = Bench::new();
    let mut source = bench.source();
    let array = |shape: &[usize], elements| {
        let shape = shape.to_vec();
        Value::Array(Box::new(Array { shape, elements }))
    };
    for (code, value) in [
        ("np.float64(1.5)", Value::Float(1.5)),
        ("np.float32(0.5)", Value::Float(0.5)),
        ("np.longdouble(2)", Value::Float(2.0)),
        ("np.int16(-3)", Value::Int(-3)),
        ("np.bool_(True)", Value::Bool(true)),
        ("np.str_('a')", text("a")),
        ("np.complex64(1j)", Value::Complex(0.0, 1.0)),
        ("np.array(2.5)", Value::Float(2.5)),
        ("np.arange(3.0)", Value::Floats(vec![0.0, 1.0, 2.0])),
        ("np.arange(6.0)[::-2]", Value::Floats(vec![5.0, 3.0, 1.0])),
        ("np.arange(3, dtype='>f8')", Value::Floats(vec![0.0, 1.0, 2.0])),
        ("np.arange(2, dtype=np.float16)", Value::Floats(vec![0.0, 1.0])),
        ("np.arange(2, dtype=np.float32)", Value::Floats(vec![0.0, 1.0])),
        (
            "np.array([1<<63, 0], dtype='u8')",
            Value::Floats(vec![9_223_372_036_854_775_808.0, 0.0]),
        ),
        (
            "np.array([[1, 2]], dtype='u2').T",
            array(&[2, 1], Elements::Int(vec![1, 2])),
        ),
        (
            "np.array([1-2j], dtype='c8')",
            array(&[1], Elements::Complex(vec![(1.0, -2.0)])),
        ),
        (
            "np.array([True, False])",
            array(&[2], Elements::Bool(vec![true, false])),
        ),
        ("np.zeros((0, 3))", array(&[0, 3], Elements::Float(Vec::new()))),
        ("np.array(['a', 'b'])", Value::List(vec![text("a"), text("b")])),
    ] {
        assert_eq!(source.call("numpy", &[text(code)], &[]), Ok(value), "{code}");
    }
    // Now somebody has imported numpy: arrays are its arrays.
    for value in [
        Value::Floats(vec![1.0; 100_000]),
        array(&[2, 2], Elements::Int(vec![1, 2, 3, 4])),
        array(&[2], Elements::Complex(vec![(1.0, 2.0); 2])),
        array(&[3], Elements::Bool(vec![true, false, true])),
    ] {
        assert_eq!(source.call("echo", std::slice::from_ref(&value), &[]), Ok(value));
        assert_eq!(source.get("kind", &[]), Ok(text("ndarray")));
    }
}

#[test]
fn a_member_of_an_enumeration_is_its_name() {
    let bench = Bench::new();
    let mut source = bench.source();
    assert_eq!(source.get("range", &[]), Ok(text("LOW")));
    source.set("range", &text("HIGH"), &[]).expect("by its name");
    assert_eq!(source.get("range", &[]), Ok(text("HIGH")));
    source.set("range", &text("L"), &[]).expect("by its value");
    assert_eq!(source.get("range", &[]), Ok(text("LOW")));
    let error = source.set("range", &text("MIDDLE"), &[]).unwrap_err();
    assert_eq!(error.message, "`vi`: `MIDDLE` is none of LOW, HIGH");
}

#[test]
fn commands_are_sent_as_they_are() {
    let bench = Bench::new();
    let mut source = bench.source();
    source.write("VOLT 1").expect("it has `write`");
    assert_eq!(source.query("VOLT?"), Ok("VOLT 1".to_owned()));
    assert_eq!(source.get("log", &[]), Ok(Value::List(vec![text("VOLT 1")])));
}

#[test]
fn an_object_is_made_as_its_profile_says() {
    let profile = |fields: &[(&str, &str)]| {
        let pairs = fields
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let python = super::python().display().to_string();
        let folder = options().folders[0].display().to_string();
        let more = [("python".to_owned(), python), ("path".to_owned(), folder)];
        let profile = Profile {
            connections: vec![Connection {
                kind: "Python".to_owned(),
                fields: pairs.chain(more).collect(),
            }],
            ..Profile::default()
        };
        Options::from_profile(&profile)
    };
    let bench = Bench::new();
    let made = |fields: &[(&str, &str)]| bench.open("vi", "plain.Source", &profile(fields).expect("it is right"));
    let mut source = made(&[("address", "TCPIP::a::INSTR"), ("kwargs", "{'limit': 2}")]).expect("it opens");
    assert_eq!(source.get("address", &[]), Ok(text("TCPIP::a::INSTR")));
    assert_eq!(source.get("limit", &[]), Ok(Value::Int(2)));
    let mut source = made(&[("args", "('b',)"), ("safe", "off")]).expect("it opens");
    assert_eq!(source.get("address", &[]), Ok(text("b")));
    source.set("voltage", &Value::Float(1.0), &[]).expect("it is set");
    assert!(source.has_safe_state());
    assert_eq!(source.make_safe(), []);
    assert_eq!(source.get("voltage", &[]), Ok(Value::Float(0.0)));

    let numbered = profile(&[("args", "(5,)")]).expect("it is right");
    let mut source = bench
        .open("n", "plain.numbered", &numbered)
        .expect("a function makes it");
    assert_eq!(source.get("count", &[]), Ok(Value::Int(5)));

    let error = made(&[("args", "open('x')")]).err().expect("no literal");
    assert_eq!(error.message, "`vi`: `open('x')` is not a literal of Python");
    assert_eq!(
        profile(&[("isolated", "maybe")]),
        Err("`isolated` is `maybe`, neither `True` nor `False`".to_owned())
    );
    assert_eq!(
        profile(&[("timeout", "-1")]),
        Err("`timeout` is `-1`, no number of seconds".to_owned())
    );
    assert_eq!(
        profile(&[("timeout", "2.5")]).expect("it is right").timeout.as_millis(),
        2500
    );
}

#[test]
fn what_is_not_there_is_named() {
    let bench = Bench::new();
    for (class, message) in [
        ("plain.Sauce", "`vi`: `plain` has no `Sauce`; did you mean `Source`?"),
        ("plan.Source", "`vi`: there is no module `plan` in "),
        ("Source", "`vi`: there is no module `Source` in "),
    ] {
        let error = bench.open("vi", class, &options()).err().expect("it is not there");
        assert_eq!(error.reason, Reason::Refused);
        assert!(error.message.starts_with(message), "{}", error.message);
    }
    let nowhere = Options {
        python: "/nowhere/python".into(),
        ..options()
    };
    let error = bench
        .open("vi", "plain.Source", &nowhere)
        .err()
        .expect("it is not there");
    let message = "`vi`: Python (`/nowhere/python`) cannot be started: No such file or directory";
    assert!(error.message.starts_with(message), "{}", error.message);
}

#[test]
fn it_says_what_it_has() {
    let bench = Bench::new();
    let mut source = bench.source();
    let described = source.describe().expect("it says");
    let of = |name: &str| {
        let found = described.iter().find(|one| one.name == name);
        found.map(|one| (one.kind.as_str(), one.doc.as_str()))
    };
    assert_eq!(
        of("voltage"),
        Some(("parameter", "The voltage between its clamps, in volts."))
    );
    assert_eq!(of("temperature"), Some(("reading", "")));
    assert_eq!(of("gain"), Some(("parameter", "")));
    assert_eq!(of("add"), Some(("method", "")));
    assert_eq!(of("_voltage"), None);
}

#[test]
fn instruments_of_one_environment_share_a_process_and_have_threads_of_their_own() {
    let bench = Bench::new();
    let isolated = Options {
        isolated: true,
        ..options()
    };
    let mut a = bench.source();
    let mut b = bench.open("b", "plain.Source", &options()).expect("it opens");
    let mut alone = bench.open("c", "plain.Source", &isolated).expect("it opens");
    assert_eq!(a.get("process", &[]), b.get("process", &[]));
    assert_ne!(a.get("process", &[]), alone.get("process", &[]));
    assert_ne!(a.get("thread_id", &[]), b.get("thread_id", &[]));
    assert_eq!(alone.get("thread_is_main", &[]), Ok(Value::Bool(true)));
    // One may take its time; the other is not disturbed.
    let slow = std::thread::spawn(move || a.call("hang", &[], &[]).unwrap_err());
    for _ in 0..100 {
        assert_eq!(b.get("temperature", &[]), Ok(Value::Float(4.2)));
    }
    bench.interrupter.interrupt();
    assert_eq!(slow.join().expect("no panic").reason, Reason::Interrupted);
}

#[test]
fn instruments_are_read_side_by_side() {
    let bench = Bench::new();
    let mut a = bench.source();
    let mut b = bench.open("b", "plain.Source", &options()).expect("it opens");
    let first = std::thread::spawn(move || a.call("meet", &[], &[]));
    let second = b.call("meet", &[], &[]);
    let both = [first.join().expect("no panic"), second];
    assert!(
        both.contains(&Ok(Value::Int(0))) && both.contains(&Ok(Value::Int(1))),
        "{both:?}"
    );
}

#[test]
fn what_is_no_python_is_said_to_be_none() {
    let bench = Bench::new();
    for (python, words) in [
        ("/bin/true", "it ended with status 0"),
        ("/bin/false", "it ended with status 1"),
    ] {
        let none = Options {
            python: python.into(),
            ..options()
        };
        let error = bench.open("vi", "plain.Source", &none).err().expect("it is none");
        assert_eq!(error.reason, Reason::Lost);
        assert!(error.message.contains(words), "{}", error.message);
    }
}

#[test]
fn closing_calls_its_method_and_dropping_too() {
    let bench = Bench::new();
    let mut source = bench.source();
    source.close().expect("it closes");
    bench.wait_for("closed");
    let silent = Options {
        close: "off".to_owned(),
        ..options()
    };
    let mut other = bench.open("b", "plain.Source", &silent).expect("it opens");
    let process = other.get("process", &[]);
    let mut watching = bench.open("d", "plain.Source", &options()).expect("it opens");
    assert_eq!(watching.get("process", &[]), process);
    drop(bench.source());
    drop(other);
    assert_eq!(watching.get("process", &[]), process);
}
