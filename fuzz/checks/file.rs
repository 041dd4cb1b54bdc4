//! What must hold of any bytes that are read as a measurement file: an error has a place in them, and what is read can
//! be written again, as it was and as Exopy would write it.

use measurement::file::{File, Section};

/// # Panics
/// Something does not hold.
pub(crate) fn check(bytes: &[u8]) {
    let file = match File::from_bytes(bytes) {
        Ok(file) => file,
        Err(errors) => {
            assert!(!errors.is_empty(), "a file is refused without a reason");
            for error in errors {
                let span = error.span;
                assert!(
                    span.start <= span.end && span.end <= bytes.len(),
                    "{error:?} lies outside of the file"
                );
                if let Ok(text) = str::from_utf8(bytes) {
                    assert!(text.get(span.start..span.end).is_some(), "{error:?} cuts a character");
                }
            }
            return;
        }
    };
    let text = str::from_utf8(bytes).expect("only UTF-8 is read");
    assert_eq!(file.to_text(), text, "the text changed by being read and written");
    for line in file.initial_comment() {
        assert!(!line.contains('\n'), "a line of the comment at the top is several");
    }
    places(file.root(), text);

    let canonical = file.to_canonical_text();
    let again = match File::parse(&canonical) {
        Ok(again) => again,
        Err(errors) => panic!("the canonical text cannot be read: {errors:?}\n{canonical}"),
    };
    same(file.root(), again.root());
    // ConfigObj, whose form this is, drops one of several empty lines at the end each time.
    let twice = again.to_canonical_text();
    assert_eq!(
        twice.trim_end(),
        canonical.trim_end(),
        "the canonical text of a canonical text differs"
    );
}

/// Every span is a part of the text.
fn places(section: &Section, text: &str) {
    for (key, scalar) in section.scalars() {
        for span in [scalar.span, scalar.key_span] {
            assert!(
                text.get(span.start..span.end).is_some(),
                "`{key}` has no place at {span:?}"
            );
        }
    }
    let span = section.span();
    assert!(
        text.get(span.start..span.end).is_some(),
        "`{}` has no place at {span:?}",
        section.name()
    );
    section.sections().for_each(|section| places(section, text));
}

fn same(a: &Section, b: &Section) {
    assert_eq!((a.name(), a.depth()), (b.name(), b.depth()));
    let scalars = |section: &Section| {
        section
            .scalars()
            .map(|(key, scalar)| (key.to_owned(), scalar.value.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(scalars(a), scalars(b), "values of `{}` differ", a.name());
    assert_eq!(
        a.sections().count(),
        b.sections().count(),
        "sections of `{}` differ",
        a.name()
    );
    a.sections().zip(b.sections()).for_each(|(a, b)| same(a, b));
}
