//! No text and no value makes an evaluation panic, overflow the stack, or run away.

use std::time::{Duration, Instant};

use expr::{Braces, ErrorKind, Formula, Template, Value, parse_literal};

fn error_of(text: &str) -> Option<ErrorKind> {
    match Formula::parse(text, Braces::References) {
        Ok(formula) => formula.eval(&[]).err().map(|error| error.kind),
        Err(error) => Some(error.kind),
    }
}

#[test]
fn text_that_is_nested_too_deep_is_refused() {
    const DEPTH: usize = 100_000;
    let around = |open: &str, close: &str| format!("{}1{}", open.repeat(DEPTH), close.repeat(DEPTH));
    for text in [
        around("(", ")"),
        around("[", "]"),
        around("-", ""),
        around("not ", ""),
        around("1 ** ", ""),
        around("1 + ", ""),
        around("1 + (", ")"),
        around("1 if 1 else ", ""),
        around("lambda: ", ""),
        around("abs(", ")"),
        around("", ".real"),
        around("", "[0]"),
        around("", "()"),
        around("[0 for x in ", "]"),
        around("(lambda x=", ": 1)"),
        around("*", ""),
        format!("[0 {}]", "for x in [1] ".repeat(DEPTH)),
        format!("[0 for {}x{} in 1]", "(".repeat(DEPTH), ")".repeat(DEPTH)),
        "(".repeat(DEPTH),
        "[(".repeat(DEPTH),
        "{".repeat(DEPTH),
    ] {
        let head: String = text.chars().take(30).collect();
        assert!(
            matches!(error_of(&text), Some(ErrorKind::LimitError | ErrorKind::SyntaxError)),
            "`{head}…`: {:?}",
            error_of(&text)
        );
        assert!(Formula::parse(&text, Braces::Displays).is_err() || error_of(&text).is_some());
        assert!(parse_literal(&text).is_err(), "`{head}…`");
    }
    assert!(Value::from_json(&"[".repeat(DEPTH)).is_err());
    // Long is not deep.
    assert_eq!(error_of(&format!("[{}]", "1, ".repeat(DEPTH / 10))), None);
    assert_eq!(error_of(&format!("{}1", "1 and ".repeat(DEPTH / 10))), None);
    assert_eq!(
        error_of(
            &"(".repeat(50)
                .replace('(', "(1 + ")
                .chars()
                .chain("1".chars())
                .chain(")".repeat(50).chars())
                .collect::<String>()
        ),
        None
    );
}

#[test]
fn what_would_take_forever_or_all_memory_is_refused_soon() {
    for text in [
        "10 ** 10 ** 10",
        "2 ** 2 ** 40",
        "1 << 10 ** 9",
        "'a' * 10 ** 9",
        "[0] * 10 ** 9",
        "list(range(10 ** 9))",
        "[[y for y in range(10 ** 4)] for x in range(10 ** 4)]",
        "(lambda f: f(f))(lambda f: f(f))",
        "(lambda f: f(f) + f(f))(lambda f: f(f) + f(f))",
        "[sorted(list(range(10000))) for x in range(10 ** 5)]",
        "[3 ** 100000 for x in range(10 ** 6)]",
        "'%1000000000d' % 1",
        "format(1, '1000000000')",
        "format(1.5, '.1000000000f')",
        "'x'.center(10 ** 9)",
        "'a,'.join(['x' * 10 ** 6] * 10 ** 3)",
        "('a' * 10 ** 6).replace('a', 'b' * 10 ** 6)",
        "pow(7 ** 300000, 7 ** 300000, 11 ** 200000)",
        "bytes(10 ** 10)",
        "[lambda: x for x in range(10 ** 8)]",
        "'\\t'.expandtabs(10 ** 9)",
        "set([(x, x) for x in range(10 ** 7)])",
        "np.zeros(10 ** 9)",
        "np.zeros((10 ** 5, 10 ** 5))",
        "np.arange(10 ** 12)",
    ] {
        let begin = Instant::now();
        let error = error_of(text);
        let took = begin.elapsed();
        assert!(
            matches!(error, Some(ErrorKind::LimitError | ErrorKind::ValueError)),
            "{text}: {error:?}"
        );
        // Unoptimised code is ten times slower, and the machine may be busy.
        assert!(took < Duration::from_secs(60), "{text} took {took:?}");
    }
}

#[test]
fn a_formula_that_wraps_its_own_result_ends() {
    for text in [
        "[{self}]",
        "[{self}, {self}]",
        "slice({self})",
        "[{self}].count",
        "lambda: {self}",
        "dict(a={self})",
    ] {
        let formula = Formula::parse(text, Braces::References).unwrap();
        let mut value = Value::None;
        let error = (0..1000).find_map(|_| match formula.eval(std::slice::from_ref(&value)) {
            Ok(next) => {
                value = next;
                None
            }
            Err(error) => Some(error.kind),
        });
        assert_eq!(error, Some(ErrorKind::LimitError), "{text}");
    }
}

#[test]
fn what_is_small_in_memory_and_endless_in_words_is_refused() {
    const DOUBLED: &str = "(lambda f: f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(1)))))))))))))))))))))))))))))))\
                           (lambda x: (x, x))";
    for text in [
        "D",
        "str(D)",
        "'%r' % [D]",
        "'X{}'.format(D)",
        "D == D",
        "D < D",
        "set([D])",
        "np.array(D)",
        "dict(a=1)[D]",
        "['a' * 10 ** 6] * 10 ** 5",
        "str(['a' * 10 ** 6] * 10 ** 5)",
        "[np.zeros(10 ** 6)] * 10 ** 5",
    ] {
        let text = text.replace('D', DOUBLED);
        let begin = Instant::now();
        let result = Formula::parse(&text, Braces::Displays).and_then(|formula| formula.eval(&[]));
        let error = result.expect_err(&text).kind;
        assert!(
            !matches!(error, ErrorKind::SyntaxError | ErrorKind::NameError),
            "{text}: {error:?}"
        );
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "{text} took {:?}",
            begin.elapsed()
        );
    }
}

#[test]
fn no_soup_of_tokens_panics() {
    const TOKENS: &[&str] = &[
        "1",
        "0",
        "-1",
        "2.5",
        "1e308",
        "1j",
        "'a'",
        "b'x'",
        "'%s'",
        "''",
        "[",
        "]",
        "(",
        ")",
        ",",
        ":",
        ".",
        "+",
        "-",
        "*",
        "**",
        "/",
        "//",
        "%",
        "@",
        "<<",
        ">>",
        "&",
        "|",
        "^",
        "~",
        "<",
        "==",
        "!=",
        "is",
        "in",
        "not",
        "and",
        "or",
        "if",
        "else",
        "for",
        "x",
        "y",
        "lambda",
        "=",
        "{a}",
        "{b c}",
        "{",
        "}",
        "...",
        "None",
        "True",
        "abs",
        "round",
        "len",
        "sum",
        "range",
        "list",
        "str",
        "int",
        "float",
        "format",
        "sorted",
        "min",
        "map",
        "np.array",
        "np.linspace",
        "np.sum",
        "np.float64",
        "cm.sqrt",
        "sqrt",
        "Pi",
        ".real",
        ".split()",
        ".format",
        "[0]",
        "[::-1]",
        "(1, 2)",
        "[1, 2, 3]",
        "range(3)",
        "dict(a=1)",
        "set([1])",
        "\\",
        "'",
        "#",
        "9223372036854775807",
        "-9223372036854775808",
        "2**70",
        "é",
        "日",
        "\n",
        "\t",
        "10**400",
        "float('nan')",
        "slice(None)",
        "[x for x in ",
        "divmod",
        "pow",
        "1_0",
        "0x1f",
        "**k",
        "*a",
        " ",
        "1.",
        "'\\x4",
        "\u{0}",
        "lambda x:",
        "zip",
        "enumerate",
    ];
    let entries = [
        Value::Float(1.5),
        Value::from(vec![1.0, 2.0]),
        Value::str("é日"),
        Value::None,
    ];
    let mut state = 0x1234_5678_9abc_def1_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    let mut evaluated = 0;
    for _ in 0..30_000 {
        let length = 1 + next() % 12;
        let text: String = (0..length)
            .map(|_| TOKENS[next() % TOKENS.len()])
            .collect::<Vec<_>>()
            .join(if next() % 2 == 0 { " " } else { "" });
        for braces in [Braces::References, Braces::Displays] {
            if let Ok(formula) = Formula::parse(&text, braces) {
                let values: Vec<Value> = formula
                    .references()
                    .iter()
                    .map(|_| entries[next() % entries.len()].clone())
                    .collect();
                if let Ok(value) = formula.eval(&values) {
                    evaluated += 1;
                    let (shown, json) = (value.repr() + &value.to_string() + &value.kind(), value.to_json());
                    assert!(!shown.is_empty());
                    assert!(Value::from_json(&json).is_ok(), "{text}: {json}");
                }
            }
        }
        let template = Template::parse(&text).unwrap();
        assert!(template.references().is_empty() || !template.is_constant());
        parse_literal(&text).ok();
    }
    assert!(evaluated > 1000, "only {evaluated} of the texts had a value");
}

#[test]
fn every_operator_takes_every_pair_of_values() {
    let values = [
        "None",
        "True",
        "0",
        "-1",
        "2**70",
        "-2**63",
        "9223372036854775807",
        "0.0",
        "-0.0",
        "float('nan')",
        "float('inf')",
        "5e-324",
        "1e308",
        "1j",
        "'a'",
        "''",
        "'%d'",
        "b'a'",
        "[]",
        "[1, 'a']",
        "()",
        "(1,)",
        "dict()",
        "set([1])",
        "range(3)",
        "slice(1)",
        "...",
        "len",
        "float",
        "np.float64(0)",
        "np.int64(-9223372036854775808)",
        "np.bool_(True)",
        "np.complex128(1j)",
        "np.str_('a')",
        "np.array([1, 2])",
        "np.array([[1.5]])",
        "np.array('a')",
        "np.array([])",
        "np.array(['a', 'b'])",
        "np.array([True])",
        "np.array(1j)",
    ];
    let value = |text: &str| {
        Formula::parse(text, Braces::Displays)
            .unwrap()
            .eval(&[])
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    };
    let values: Vec<Value> = values.iter().map(|text| value(text)).collect();
    let shapes = [
        "{a} + {b}",
        "{a} - {b}",
        "{a} * {b}",
        "{a} / {b}",
        "{a} // {b}",
        "{a} % {b}",
        "{a} ** {b}",
        "{a} @ {b}",
        "{a} & {b}",
        "{a} | {b}",
        "{a} ^ {b}",
        "{a} << {b}",
        "{a} >> {b}",
        "{a} < {b}",
        "{a} == {b}",
        "{a} in {b}",
        "{a} is {b}",
        "{a} and {b}",
        "{a}[{b}]",
        "{a}[{b}:{a}]",
        "{a}({b})",
        "divmod({a}, {b})",
        "round({a}, {b})",
        "pow({a}, {b})",
        "min({a}, {b})",
        "range({a}, {b})",
        "int({a}, {b})",
        "isinstance({a}, {b})",
        "list({a})",
        "sorted({a})",
        "sum({a}, {b})",
        "format({a}, {b})",
        "str({a}) + repr({b})",
        "dict({a})",
        "[*{a}]",
        "[x for x in {a}]",
        "[x for x, y in {a}]",
        "len({a})",
        "abs({a})",
        "-{a}",
        "~{a}",
        "not {a}",
        "float({a})",
        "complex({a}, {b})",
        "hex({a})",
        "chr({a})",
        "sqrt({a})",
        "cm.sqrt({a})",
        "zip({a}, {b})",
        "map({a}, {b})",
        "{a} < {b} < {a}",
        "{a} if {b} else 1",
        "slice({a}, {b}).indices(3)",
        "set({a})",
        "bytes({a})",
        "'%5.1f' % {a}",
        "type({a}) == type({b})",
        "np.array({a})",
        "np.sum({a})",
    ];
    let mut results = 0;
    for shape in shapes {
        let formula = Formula::parse(shape, Braces::References).unwrap();
        for a in &values {
            for b in &values {
                let entries = [a.clone(), b.clone()];
                if let Ok(value) = formula.eval(&entries[..formula.references().len()]) {
                    results += usize::from(!value.to_json().is_empty() && !value.repr().is_empty());
                }
            }
        }
    }
    assert!(results > 10_000, "only {results} had a value");
}
