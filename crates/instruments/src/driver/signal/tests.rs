//! What answers mean, one line each: the keys of a signal, the answer, the value.

use crate::driver::{Driver, Names, Value};

fn read(keys: &str, answer: &[u8]) -> Result<Value, String> {
    let file = format!("id = \"a.b\"\ntitle = \"B\"\n[signal.a]\nget = \"A?\"\n{keys}");
    let driver = Driver::parse(&file).map_err(|problems| problems[0].to_string())?;
    let names = Names::from([("unit".to_owned(), Value::Text("GHz".to_owned()))]);
    driver.signals[0]
        .value(answer, &names)
        .map_err(|garbled| garbled.to_string())
}

#[test]
fn an_answer_is_what_the_keys_say() {
    let check = |keys: &str, answer: &str, expected: Value| {
        assert_eq!(read(keys, answer.as_bytes()), Ok(expected), "{keys} {answer}");
    };
    let text = |text: &str| Value::Text(text.to_owned());
    check("", "+1.5E-03\n", Value::Float(1.5e-3));
    check("scale = 1e-9", "4.5E9", Value::Float(4.5));
    check(
        "read_scale = { by = \"unit\", GHz = 1e-9 }\n[argument.unit]",
        "4.5E9",
        Value::Float(4.5),
    );
    check("transform = \"reciprocal\"", "4", Value::Float(0.25));
    check("transform = \"decibel\"", "20", Value::Float(100.0));
    check("type = \"int\"", "+3.000E+00", Value::Int(3));
    check("type = \"bool\"", "ON", Value::Bool(true));
    check("type = \"float or text\"", "MAX", text("MAX"));
    check("prefix = \"FREQ \"\nsuffix = \" HZ\"", "FREQ 50 HZ", Value::Float(50.0));
    check("skip = 4", "NDCV+1.00000E+0", Value::Float(1.0));
    check("bit = 3", "8", Value::Bool(true));
    check("bit = 3\nmap = { on = 1, off = 0 }", "7", text("off"));
    check("map = { on = 1, off = \"OFF\" }", "1.0", text("on"));
    check("split = \",\"", "1,2", Value::Floats(vec![1.0, 2.0]));
    check("split = \",\"\ntype = \"float[]\"", "1", Value::Floats(vec![1.0]));
    check(
        "split = \",\"\ntype = \"text\"\nunquote = true",
        "\"a\",\"b\"",
        Value::List(vec![text("a"), text("b")]),
    );
    check(
        "split = \";\"\nsplit_most = 1\ntype = \"text\"",
        "a;b;c",
        Value::List(vec![text("a"), text("b;c")]),
    );
    check(
        "block = \"i16be\"\nscale = 0.5",
        "#14\0\u{1}\0\u{2}\n",
        Value::Floats(vec![0.5, 1.0]),
    );
    let overload = read("overload = [9.9e37]", b"+9.90000000E+37");
    assert!(
        matches!(overload, Ok(Value::Float(number)) if number.is_nan()),
        "{overload:?}"
    );
}

#[test]
fn an_answer_that_means_nothing_is_said() {
    let check = |keys: &str, answer: &[u8], expected: &str| assert_eq!(read(keys, answer), Err(expected.to_owned()));
    check("", b"", "`a`: expected a number, received \"\"");
    check("", b"1,2", "`a`: expected a number, received \"1,2\"");
    check("type = \"int\"", b"1.5", "`a`: expected an integer, received \"1.5\"");
    check("map = { on = 1 }", b"2", "`a`: expected one of `1`, received \"2\"");
    check(
        "prefix = \"V\"",
        b"W 3",
        "`a`: expected an answer that begins with `V`, received \"W 3\"",
    );
    check(
        "skip = 4",
        b"abc",
        "`a`: expected more than 4 characters, received \"abc\"",
    );
    check(
        "split = \",\"\nfields = [{ name = \"x\" }, { name = \"y\" }]",
        b"1",
        "`a`: expected 2 values, received \"1\"",
    );
    check("", b"\xb0C", "`a`: expected a number, received \"\u{b0}C\"");
    check(
        "block = \"f64le\"",
        b"#3",
        "`a`: expected a block of numbers (`#3` begins no block: a block is like `#15hello`), received \"#3\"",
    );
}
