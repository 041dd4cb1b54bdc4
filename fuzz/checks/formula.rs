//! What must hold of any text that is read as a formula, a template or a literal: it has a value or an error within the
//! limits, and a value can be printed, written as JSON, read back, and sent to another process.

use expr::{Braces, Error, Formula, Template, Value, parse_literal};
use protocol::{Event, FrameReader, Numbered};

/// # Panics
/// Something does not hold.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    for braces in [Braces::References, Braces::Displays] {
        let formula = match Formula::parse(text, braces) {
            Ok(formula) => formula,
            Err(error) => {
                placed(&error, text);
                continue;
            }
        };
        assert_eq!(formula.text(), text);
        for error in formula.problems() {
            placed(error, text);
        }
        let names: Vec<&str> = formula
            .references()
            .iter()
            .map(|reference| reference.name.as_str())
            .collect();
        for reference in formula.references() {
            assert!(
                text.get(reference.span.start..reference.span.end).is_some(),
                "{reference:?} has no place in the text"
            );
        }
        match formula.eval(&entries(&names)) {
            Ok(value) => printed(&value),
            Err(error) => placed(&error, text),
        }
    }
    if let Ok(template) = Template::parse(text) {
        let names: Vec<&str> = template
            .references()
            .iter()
            .map(|reference| reference.name.as_str())
            .collect();
        template.format(&entries(&names));
    }
    match parse_literal(text) {
        Ok(value) => printed(&value),
        Err(error) => placed(&error, text),
    }
    if let Ok(value) = Value::from_json(text) {
        printed(&value);
    }
}

/// Values for references, by their names as far as the seeds use them.
fn entries(names: &[&str]) -> Vec<Value> {
    let value = |text: &str| {
        let formula = Formula::parse(text, Braces::Displays).expect("it is well formed");
        formula.eval(&[]).expect("it has a value")
    };
    let others = [
        "3",
        "-0.5",
        "np.arange(4)",
        "'ab'",
        "[1, 2.5, 'x']",
        "np.float64(0.25)",
        "None",
        "{'a': 1, 2: [3]}",
    ];
    let texts = names.iter().enumerate().map(|(index, name)| match *name {
        "a" => "2",
        "x" => "1.5",
        "z" => "1 + 2j",
        "arr" => "np.array([1.0, 2.0, 4.0])",
        "mat" => "np.arange(6).reshape(2, 3)",
        "text" => "'µ-wave é 日本'",
        "big" => "2**70",
        "tup" => "(1, 'x', 2.5)",
        _ => others[index % others.len()],
    });
    texts.map(value).collect()
}

fn placed(error: &Error, text: &str) {
    assert!(!error.to_string().is_empty());
    if let Some(span) = error.span {
        assert!(
            text.get(span.start..span.end).is_some(),
            "{error:?} has no place in the text"
        );
    }
}

fn printed(value: &Value) {
    let repr = value.repr();
    assert!(
        value.kind().len() < 10_000 || repr.len() > 1000,
        "the kind of a value is no more than a few words"
    );
    let _ = value.to_string();
    if repr.len() > 1_000_000 {
        // What follows takes as long for each element; nothing new is found in the millionth one.
        return;
    }
    let _ = (
        value.truthy(),
        value.as_f64(),
        value.as_i64(),
        value.is_real(),
        value.is_iterable(),
    );

    let json = value.to_json();
    match Value::from_json(&json) {
        Ok(back) => {
            let again = back.to_json();
            let settled = Value::from_json(&again)
                .expect("what was read and written can be read")
                .to_json();
            assert_eq!(again, settled, "JSON changes each time it is read and written");
            // The fields of a record array come back as a dict, the elements of a set in another order.
            if !json.contains("__record__") && !json.contains("__set__") {
                assert_eq!(json, again, "JSON changes by being read and written");
            }
        }
        Err(error) => assert!(error.message.contains("too deep"), "{error}: {json:.1000}"),
    }

    let event = Event::Values(vec![(7, value.clone())]);
    let mut frame = Vec::new();
    protocol::append(
        &mut frame,
        &Numbered {
            seq: 1,
            time_us: 0,
            event,
        },
    )
    .expect("a value is shorter than a frame may be");
    let received = FrameReader::new(frame.as_slice())
        .read::<Numbered>()
        .expect("a value that is sent arrives");
    match received.expect("there is a frame").event {
        // Of a function only its name arrives.
        Event::Values(values) => assert!(
            values[0].1.repr() == repr || repr.contains('<'),
            "{repr:.1000} became {:?}",
            values[0].1
        ),
        other => panic!("values became {other:?}"),
    }
}
