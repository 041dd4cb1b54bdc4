//! What other crates build on: references, templates, literals, JSON, and the words of errors.

use expr::{Braces, ErrorKind, Formula, Scalar, Template, Value, parse_literal};

fn evaluate(text: &str) -> Value {
    let formula = Formula::parse(text, Braces::Displays).unwrap_or_else(|error| panic!("{text}: {error}"));
    formula.eval(&[]).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn references_are_verbatim_and_in_order_of_appearance() {
    let formula = Formula::parse(
        "{1st Cav-Scan.x} + {b} * {1st Cav-Scan.x} + [v for v in {µ}][0]",
        Braces::References,
    )
    .unwrap();
    let names: Vec<&str> = formula.references().iter().map(|reference| &*reference.name).collect();
    assert_eq!(names, ["1st Cav-Scan.x", "b", "µ"]);
    let span = formula.references()[1].span;
    assert_eq!(&formula.text()[span.start..span.end], "{b}");
    let value = formula
        .eval(&[Value::Int(2), Value::Float(0.5), Value::list(vec![Value::Int(1)])])
        .unwrap();
    assert_eq!(
        (value.kind(), value.to_string()),
        ("float".to_owned(), "4.0".to_owned())
    );
    assert_eq!(formula.eval(&[]).unwrap_err().kind, ErrorKind::NameError);
}

#[test]
fn problems_are_found_without_evaluating_and_placed() {
    let text = "foo({a}) + np.sin(x) + np.nothing(1) + {a}.frobnicate + [x for x in {a}][0]";
    let formula = Formula::parse(text, Braces::References).unwrap();
    let problems: Vec<(ErrorKind, &str)> = formula
        .problems()
        .iter()
        .map(|problem| {
            let span = problem.span.unwrap();
            (problem.kind, &text[span.start..span.end])
        })
        .collect();
    assert_eq!(
        problems,
        [
            (ErrorKind::NameError, "foo"),
            (ErrorKind::NameError, "x"),
            (ErrorKind::NotSupported, "np.nothing"),
            (ErrorKind::NotSupported, "{a}.frobnicate"),
        ]
    );
}

#[test]
fn errors_read_as_the_last_line_of_a_traceback_and_know_their_place() {
    let check = |text: &str, expected: &str, place: &str| {
        let error = match Formula::parse(text, Braces::References) {
            Ok(formula) => formula.eval(&[Value::Float(0.0)]).unwrap_err(),
            Err(error) => error,
        };
        let span = error.span.unwrap();
        assert_eq!(
            (error.to_string().as_str(), &text[span.start..span.end]),
            (expected, place),
            "{text}"
        );
    };
    check("1 + 1/{x}", "ZeroDivisionError: float division by zero", "1/{x}");
    check("sqrt(-1) + 1", "ValueError: math domain error", "sqrt(-1)");
    check(
        "'a' + 1",
        "TypeError: can only concatenate str (not \"int\") to str",
        "'a' + 1",
    );
    check("[1, 2][5]", "IndexError: list index out of range", "[1, 2][5]");
    check("1 +* 2", "SyntaxError: invalid syntax: `*` is not expected here", "*");
    check("sin(0.5", "SyntaxError: `(` was never closed", "(");
    check("foo(3)", "NameError: name 'foo' is not defined", "foo");
    check(
        "int('x')",
        "ValueError: invalid literal for int() with base 10: 'x'",
        "int('x')",
    );
}

#[test]
fn a_template_is_split_at_braces_and_nothing_else() {
    let format = |text: &str, entries: &[Value]| {
        let template = Template::parse(text).unwrap();
        let names: Vec<String> = template
            .references()
            .iter()
            .map(|reference| reference.name.clone())
            .collect();
        (names.join("|"), template.format(entries))
    };
    let check = |text: &str, entries: &[Value], names: &str, expected: &str| {
        assert_eq!(format(text, entries), (names.to_owned(), expected.to_owned()), "{text}");
    };
    check(
        "20150305_{Avg index}.dat",
        &[Value::Int(3)],
        "Avg index",
        "20150305_3.dat",
    );
    check(
        "{a}{b}{a}",
        &[Value::Float(1e-5), Value::str("é")],
        "a|b",
        "1e-05é1e-05",
    );
    check("no reference } here", &[], "", "no reference } here");
    check("{x:>5}", &[Value::Bool(true)], "x:>5", "True");
    check("v={v} V", &[Value::Scalar(Scalar::Float(0.1))], "v", "v=0.1 V");
    let template = Template::parse("µ{v}").unwrap();
    let span = template.references()[0].span;
    assert_eq!(&template.text()[span.start..span.end], "{v}");
    assert!(!template.is_constant() && Template::parse("}").unwrap().is_constant());
}

#[test]
fn literals_are_values_and_nothing_that_is_called() {
    let check = |text: &str, expected: &str| {
        let found = parse_literal(text).map_or_else(|error| format!("{:?}", error.kind), |value| value.repr());
        assert_eq!(found, expected, "{text}");
    };
    check("[('n', '3'), ('amp', u'0.5'),]", "[('n', '3'), ('amp', '0.5')]");
    check(
        "{'a': (1, -2.5, 1+2j), b'x': {1}}",
        "{'a': (1, -2.5, (1+2j)), b'x': {1}}",
    );
    check("'implicit' \" concatenation\"", "'implicit concatenation'");
    check("  None", "None");
    check("{}", "{}");
    check("set()", "set()");
    check("-1", "-1");
    check("1 + 1", "ValueError");
    check("2 ** 3", "ValueError");
    check("name", "ValueError");
    check("f(1)", "ValueError");
    check("[1", "SyntaxError");
    check("", "SyntaxError");
}

#[test]
fn json_is_tagged_where_json_has_no_word_for_it() {
    let check = |text: &str, json: &str| {
        let value = evaluate(text);
        assert_eq!(value.to_json(), json, "{text}");
        let back = Value::from_json(json).unwrap();
        assert_eq!(back.to_json(), json, "{text}");
    };
    check(
        "[1, 2.0, 1e-5, 1e16, -0.0, True, None, 2**70]",
        "[1,2.0,1e-05,1e+16,-0.0,true,null,1180591620717411303424]",
    );
    check("(1, 'a\"\\n\\\\é')", "[1,\"a\\\"\\n\\\\é\"]");
    check("float('nan')", "{\"__float__\":\"nan\"}");
    check("[float('-inf')]", "[{\"__float__\":\"-inf\"}]");
    check("1+2j", "{\"__complex__\":[1.0,2.0]}");
    check("complex('nan')", "{\"__complex__\":[{\"__float__\":\"nan\"},0.0]}");
    check("{'a': 1, 2: [3]}", "{\"__dict__\":[[\"a\",1],[2,[3]]]}");
    check("{3, 1, 2, 10}", "{\"__set__\":[1,10,2,3]}");
    check("range(3)", "{\"__range__\":[0,3,1]}");
    check("b'ab'", "{\"__bytes__\":[97,98]}");
    check("np.array([[1, 2], [3, 4]])", "[[1,2],[3,4]]");
    check("np.array([0.5, np.inf])", "[0.5,{\"__float__\":\"inf\"}]");
    check("np.float64(2)", "2.0");
    check("np.array(3)", "3");
    for text in [
        "",
        "[",
        "[1,",
        "{\"a\"}",
        "\"",
        "\"\\u12\"",
        "nul",
        "1 2",
        "-",
        "{\"a\":1,}",
    ] {
        assert_eq!(
            Value::from_json(text).map_err(|error| error.kind),
            Err(ErrorKind::ValueError),
            "{text}"
        );
    }
}

#[test]
fn kinds_are_named_with_their_shape() {
    let check = |text: &str, kind: &str, real: bool, integral: bool| {
        let value = evaluate(text);
        assert_eq!(
            (value.kind().as_str(), value.is_real(), value.is_integral()),
            (kind, real, integral),
            "{text}"
        );
    };
    check("True", "bool", true, true);
    check("2**70", "int", true, true);
    check("1.5", "float", true, false);
    check("1j", "complex", false, false);
    check("None", "NoneType", false, false);
    check("np.float64(1)", "numpy.float64", true, false);
    check("np.int64(1)", "numpy.int64", true, true);
    check("np.bool_(1)", "numpy.bool", false, false);
    check("np.zeros((2, 3))", "numpy.ndarray[float64][2, 3]", false, false);
    check("np.array(['a', 'bcd'])", "numpy.ndarray[<U3][2]", false, false);
    check("np.array(1)", "numpy.ndarray[int64][]", false, false);
    check("len", "builtin_function_or_method", false, false);
}

#[test]
fn equality_is_pythons() {
    let equal = |a: &str, b: &str| evaluate(a) == evaluate(b);
    assert!(equal("1", "1.0") && equal("True", "np.float64(1)") && equal("1+0j", "1"));
    assert!(!equal("2**53 + 1", "2.0**53") && !equal("float('nan')", "float('nan')"));
    assert!(equal("[1, (2, 'a')]", "[1.0, (2, 'a')]") && !equal("[1]", "(1,)"));
    assert!(equal("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1.0}") && equal("{1, 2}", "{2, 1}"));
    assert!(equal("np.array([1, 2])", "np.array([1.0, 2.0])") && !equal("np.array([1, 2])", "np.array([1, 3])"));
    assert!(!equal("np.array([1, 2])", "np.array([[1, 2]])") && !equal("'1'", "1"));
}

#[test]
fn a_formula_is_shared_between_threads() {
    let formula = Formula::parse("sum(x * {a} for x in range(1000))", Braces::References).unwrap();
    std::thread::scope(|scope| {
        for a in 0..4_i64 {
            let formula = &formula;
            scope.spawn(move || assert_eq!(formula.eval(&[Value::Int(a)]).unwrap(), Value::Int(499_500 * a)));
        }
    });
}

#[test]
fn a_value_is_three_words() {
    assert_eq!(size_of::<Value>(), 24);
}
