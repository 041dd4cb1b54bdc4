//! What a file keeps, what an edit changes, and how errors read. What is accepted at all is held against the reference by
//! `tests/configobj.rs`.

use super::*;

fn parsed(text: &str) -> File {
    File::parse(text).unwrap_or_else(|errors| panic!("{text:?}: {errors:?}"))
}

fn check_errors(text: &str, expected: &[&str]) {
    let errors = File::parse(text).expect_err("the text has errors");
    let words: Vec<String> = errors
        .iter()
        .map(|error| {
            let (line, column) = line_col(text, error.span.start);
            let hint = error
                .hint
                .as_ref()
                .map_or_else(String::new, |hint| format!(" | {hint}"));
            format!("{line}:{column} {}{hint}", error.message)
        })
        .collect();
    assert_eq!(words, expected, "{text}");
}

#[test]
fn errors_say_where_and_what_to_write() {
    check_errors(
        "a = np.arange(6).reshape(2,3) # note\nb = 1\n",
        &["1:27 the value of `a` has a comma outside quotes: quote the value | a = \"np.arange(6).reshape(2,3)\""],
    );
    check_errors(
        "[s]\n    wait = {'activated': True, 'wait': ['instr']}\n",
        &[
            "2:30 the value of `wait` has a comma outside quotes: quote the value | \
           wait = \"{'activated': True, 'wait': ['instr']}\"",
        ],
    );
    check_errors(
        "k : 1\n",
        &["1:1 the line is neither `key = value` nor `[section]` | k = 1"],
    );
    check_errors(
        "k = \"a\n",
        &["1:5 the value of `k` begins with \" and is not closed in its line | close it with \""],
    );
    check_errors(
        "k = 'a' b\n",
        &["1:9 the value of `k` has text behind its closing quote | k = \"'a' b\""],
    );
    check_errors(
        "[a]\n[[[c]]]\nx = 1\n[a]\n",
        &[
            "2:4 section `c` has depth 3, but the section around it has depth 1 | a section here can have 2 brackets at most",
            "4:2 section `a` is given twice in the file | it is in line 1 already: remove or rename one of them",
        ],
    );
    check_errors("[[a]\nx = 1\n", &["1:3 section `a` has 2 `[` but 1 `]` | [a]"]);
    check_errors(
        "[[a]]\n",
        &[
            "1:3 section `a` has depth 2, but the section around it has depth 0 | a section here can have 1 bracket at most",
        ],
    );
    check_errors(
        "x = '''a\nb\n",
        &[
            "1:5 the value of `x` begins with ''' and is not closed in the rest of the file | close it with '''",
            "2:1 the line is neither `key = value` nor `[section]`",
        ],
    );
}

#[test]
fn what_was_not_changed_is_written_as_it_was() {
    for text in [
        "",
        "\n",
        "# only a comment",
        "\u{feff}# doc\r\na   =  'x'  # c\r\n\r\n[s]   # t\r\n\tb=1\r\n# end",
        "a = '''x\r\ny''' # c\n  [ s ]\n      k=\n\n\n",
    ] {
        assert_eq!(parsed(text).to_text(), text);
    }
}

#[test]
fn a_change_changes_its_line_only() {
    let mut file = parsed("# doc\na = 1 # one\nb =\n  [s]  # t\n      x = 'y'\n[t]\n# end");
    file.root_mut().set("a", "1, 2");
    file.root_mut().set("b", "two");
    file.root_mut().set("c", "new");
    let section = file.root_mut().section_mut("s").unwrap();
    section.set("x", "y");
    assert!(section.rename("x", "z"));
    section.set("n", "it's \"n\"");
    section.add_section("inner").set("k", "");
    assert!(file.root_mut().rename_section("t", "u]"));
    assert_eq!(
        file.to_text(),
        "# doc\na = \"1, 2\" # one\nb = two\nc = new\n  [s]  # t\n      z = 'y'\n    n = '''it's \"n\"'''\n    [[inner]]\n        \
         k = \"\"\n[\"u]\"]\n# end"
    );
    assert!(file.root_mut().remove_section("s").is_some());
    assert!(file.root_mut().remove("b").is_some());
    assert_eq!(file.to_text(), "# doc\na = \"1, 2\" # one\nc = new\n[\"u]\"]\n# end");
}

#[test]
fn a_line_added_behind_an_unfinished_one_begins_its_own() {
    let mut file = parsed("a = 1");
    file.root_mut().set("b", "2");
    assert_eq!(file.to_text(), "a = 1\nb = 2\n");
    let mut file = File::new();
    file.root_mut().add_section("s").set("a", "1");
    assert_eq!(file.to_text(), "[s]\n    a = 1\n");
    assert_eq!(file.to_canonical_text(), file.to_text());
}

#[test]
fn spans_point_at_what_is_between_the_quotes() {
    let text = "\u{feff}# µ\n'k' = \"a, {b}\"  # c\n[ \"s\" ]\n";
    let file = parsed(text);
    let scalar = file.root().get("k").unwrap();
    assert_eq!(&text[scalar.span.start..scalar.span.end], "a, {b}");
    assert_eq!(&text[scalar.key_span.start..scalar.key_span.end], "k");
    let section = file.root().section("s").unwrap();
    assert_eq!(&text[section.span().start..section.span().end], "s");
    assert_eq!(file.line_col(scalar.span.start), (2, 8));
    assert_eq!(file.line_col(0), (1, 1));
    assert_eq!(file.line_col(usize::MAX), (4, 1));
    assert_eq!(file.initial_comment(), ["µ"]);
}

#[test]
fn bytes_that_are_no_text_give_one_error() {
    let message = |bytes: &[u8]| {
        let errors = File::from_bytes(bytes).expect_err("these are no text");
        assert_eq!(errors.len(), 1);
        errors[0].message.clone()
    };
    assert_eq!(
        message(b"a = 1\nb = \xb5V\n"),
        "byte 10, in line 2, is 0xb5: the file is not UTF-8"
    );
    assert_eq!(
        message(b"\x89HDF\r\n\x1a\n\0\0\0"),
        "this is no text file: byte 0 (0x89) is not UTF-8"
    );
    assert_eq!(message(b"\xff\xfea\0"), "the file is UTF-16, not UTF-8");
    let prose = "No such file.\n".repeat(1000);
    assert_eq!(
        message(prose.as_bytes()),
        "this is no measurement file: no line of it is `key = value` or `[section]`"
    );
}

#[test]
fn many_errors_are_counted_and_not_all_listed() {
    let errors = File::parse(&format!("a = 1\n{}", "bad\n".repeat(1000))).expect_err("there are errors");
    assert_eq!(errors.len(), 51);
    assert_eq!(errors[50].message, "and 950 more errors below");
}

#[test]
fn sections_as_deep_as_a_file_can_say_overflow_nothing() {
    let deep = |levels: usize| -> String {
        (1..=levels)
            .map(|n| format!("{}s{}\nk = 1\n", "[".repeat(n), "]".repeat(n)))
            .collect()
    };
    assert_eq!(parsed(&deep(200)).to_text(), deep(200));
    check_errors(
        &deep(2000),
        &["401:202 section `s` is below more than 200 levels of sections"],
    );
    // Brackets alone are no header, and take no more time for being many.
    assert!(File::parse(&"[".repeat(1_000_000)).is_err());
}
