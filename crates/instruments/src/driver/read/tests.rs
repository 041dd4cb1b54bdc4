//! Driver files that are wrong, and what is said of them: line, column, words, way out.

use crate::driver::Driver;

/// All problems of a file that begins with its id and title, as `line:column: words (way out)`.
fn problems(text: &str) -> String {
    let text = format!("id = \"a.b\"\ntitle = \"B\"\n{text}");
    match Driver::parse(&text) {
        Ok(_) => "none".to_owned(),
        Err(problems) => {
            let said = problems.iter().map(|problem| {
                let (line, column) = problem.line_and_column(&text);
                format!("{line}:{column}: {problem}")
            });
            said.collect::<Vec<_>>().join("\n")
        }
    }
}

#[test]
fn every_problem_has_its_place_and_a_way_out() {
    let check = |text: &str, expected: &str| assert_eq!(problems(text), expected, "{text}");
    check("[signal.level]\nget = \"L?\"", "none");
    check(
        "[signal.level]\nget = \"L?\"\nmaximum = 3\nunits = \"V\"",
        "5:1: `level` has no key `maximum` (known are doc, unit, type, get, set, min, max, max_abs, step, words, choices, map, \
         index, first, beyond, prefix, suffix, skip, unquote, split, split_most, bit, overload, fields, scale, offset, read_scale, \
         transform, verify, ramp, requires, acknowledge, settle, block, example)\n\
         6:1: `level` has no key `units` (did you mean `unit`?)",
    );
    check(
        "signals = 3",
        "3:1: `the driver` has no key `signals` (did you mean `signal`?)",
    );
    check("[signal.level]", "3:1: `level` needs `get` or `set`");
    check(
        "[signal.level]\nset = \"L {:q}\"",
        "4:7: `set`: no format `q`; there are s, d, f, e, g, x, o, b (`%%` is a percent sign)",
    );
    check(
        "[signal.level]\nset = \"ON\"",
        "4:7: `set` has no place for the value, such as `{}`; an action has none",
    );
    check(
        "[signal.level]\nget = \"L {levle}?\"\n[signal.level2]\nget = \"L?\"",
        "3:1: there is no signal or argument `levle` (did you mean `level`?)",
    );
    check(
        "[signal.a]\nget = \"L?\"\ntype = \"flot\"",
        "5:8: `type` is not `flot` (did you mean `float`?)",
    );
    check(
        "[signal.a]\nget = \"L?\"\nmin = 3\nmax = \"x\"",
        "6:7: `max` must be a number or a table, not text",
    );
    check(
        "[signal.a]\nget = \"L?\"\nmin = 3\nmax = 2",
        "5:7: `min` is above `max`",
    );
    check(
        "[signal.a]\nget = \"L?\"\nsettle = \"3\"",
        "5:10: `settle` must be a time such as `100 ms` or `2 s`, not `3`",
    );
    check(
        "[signal.a]\nget = \"L?\"\nverify = { tolerance = 1 }",
        "5:10: `verify` needs `set`",
    );
    check(
        "safe = [{ set = \"a\", to = 5 }]\n[signal.a]\nset = \"L {}\"\nmax = 3",
        "3:27: `a`: `5` is above its limit, at most `3`",
    );
    check(
        "safe = [{ set = \"b\", to = 5 }]\n[signal.a]\nset = \"L {}\"",
        "3:17: there is no signal `b` (did you mean `a`?)",
    );
    check(
        "[signal.a]\nset = \"L {:.1f}\"\nexample = { value = 1, write = \"L 1\" }",
        "5:11: `a` at `1` writes [\"L 1.0\"], not [\"L 1\"]",
    );
    check(
        "[link]\nerror = { ok = 0 }\ntimeout = 3",
        "4:9: `error` needs `query`\n5:11: `timeout` of `link` must be text, not an integer",
    );
}

#[test]
fn text_that_is_no_toml_is_a_problem_and_nothing_more() {
    for text in ["[", "a = = b", "[signal]\na", "\u{0}", "a = \"", "[a]\n[a]", "é = 1\n]"] {
        assert_ne!(problems(text), "none", "{text:?}");
    }
    assert_eq!(
        Driver::parse("").expect_err("an empty file is no driver").len(),
        2,
        "the id and the title are missing"
    );
}
