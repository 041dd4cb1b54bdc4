//! How a value, a key or a section's name is written so that it reads back: the reference's choice of quotes first.
//!
//! The reference does not protect everything (`a=b` as a key, a triple quote inside one). Each form is therefore read back
//! before it is used, and where the reference's own form would come back as something else, the next one is taken.
//! Deliberately absent: escapes; the dialect has none, so a few texts have no form at all ([`can_hold`]).

use super::line;
use super::read::triple;

/// Whether some form of this value reads back as itself. The exceptions hold both kinds of triple quotes in the wrong
/// places, or a carriage return before a line feed.
pub fn can_hold(value: &str) -> bool {
    value_forms(value).into_iter().any(|form| reads_back(&form, value))
}

/// The value as it stands behind `=`; without a form that reads back ([`can_hold`]) the reference's.
pub(super) fn value(value: &str) -> String {
    let forms = value_forms(value);
    let fitting = forms.iter().position(|form| reads_back(form, value)).unwrap_or(0);
    forms.into_iter().nth(fitting).expect("there are always several forms")
}

/// The line of a key and its value, without indentation; a key may need quotes because of what its value holds.
pub(super) fn pair(key: &str, value: &str) -> String {
    let value = self::value(value);
    format!("{} = {value}", self::key(key, &value))
}

/// Whether a line or lines without indentation, a comment behind them perhaps, are read as this key and value: a bracket
/// in the comment may make a header of them, a quote and a comma there a list.
pub(super) fn is_pair(text: &str, key: &str, value: &str) -> bool {
    let Some(pair) = line::pair(text).filter(|_| line::header(text).is_none()) else {
        return false;
    };
    let behind = &text[pair.value..];
    let reads_back = match triple_quote(behind) {
        Some(quote) => triple(behind, quote).is_ok_and(|found| found.value == value),
        None => line::value(behind).is_ok_and(|plain| &behind[plain.content] == value),
    };
    reads_back && line::unquoted(&text[pair.key]) == key
}

/// The key as it stands before `=`, if this form of a value follows.
pub(super) fn key(key: &str, value: &str) -> String {
    let value = value.split('\n').next().unwrap_or(value);
    first_fitting(key, |form| {
        let line = format!("{form} = {value}");
        line::header(&line).is_none()
            && !form.starts_with('#')
            // As the first character of a file it would be taken for a byte order mark.
            && !form.starts_with('\u{feff}')
            && line::pair(&line)
                .is_some_and(|pair| line::unquoted(&line[pair.key]) == key && &line[pair.value..] == value)
    })
}

/// The name as it stands between the brackets of this depth: `[[]` is a section `[`, and `[[[[]]]` is none.
pub(super) fn section_name(name: &str, depth: usize) -> String {
    first_fitting(name, |form| {
        let line = format!("{}{form}{}", "[".repeat(depth), "]".repeat(depth));
        line::header(&line)
            .is_some_and(|h| (h.opened, h.closed) == (depth, depth) && line::unquoted(&line[h.name]) == name)
    })
}

fn first_fitting(text: &str, fits: impl Fn(&str) -> bool) -> String {
    let preferred = single_line(text);
    if fits(&preferred) {
        return preferred;
    }
    let other = [format!("\"{text}\""), format!("'{text}'"), text.to_owned()];
    other.into_iter().find(|form| fits(form)).unwrap_or(preferred)
}

/// All forms of a value, the reference's first.
fn value_forms(value: &str) -> [String; 6] {
    let single_triple = format!("'''{value}'''");
    let double_triple = format!("\"\"\"{value}\"\"\"");
    let preferred = if value.contains('\n') || (value.contains('\'') && value.contains('"')) {
        if value.contains("\"\"\"") {
            double_triple.clone()
        } else {
            single_triple.clone()
        }
    } else {
        single_line(value)
    };
    // The reference's preference is inverted to what protects: it takes `"""` exactly if the value holds `"""`.
    [
        preferred,
        single_triple,
        double_triple,
        format!("\"{value}\""),
        format!("'{value}'"),
        value.to_owned(),
    ]
}

/// The reference's form on one line.
fn single_line(text: &str) -> String {
    let edge = |c: Option<char>| c.is_none_or(|c| " \r\n\x0b\t'\"".contains(c));
    let bare = !edge(text.chars().next()) && !edge(text.chars().next_back()) && !text.contains([',', '#']);
    match (bare, text.contains('"')) {
        (true, _) => text.to_owned(),
        (false, true) => format!("'{text}'"),
        (false, false) => format!("\"{text}\""),
    }
}

fn reads_back(form: &str, value: &str) -> bool {
    let first_line = form.split('\n').next().unwrap_or(form);
    if form != form.trim_start_matches(line::is_space) || first_line.len() < form.len() && triple_quote(form).is_none()
    {
        return false;
    }
    match triple_quote(form) {
        Some(quote) => triple(form, quote).is_ok_and(|found| found.value == value && found.end == form.len()),
        None => {
            !form.ends_with('\r') && line::value(form).is_ok_and(|p| p.comment.is_none() && &form[p.content] == value)
        }
    }
}

/// The triple quote that a value begins with.
pub(super) fn triple_quote(text: &str) -> Option<&'static str> {
    ["'''", "\"\"\""].into_iter().find(|quote| text.starts_with(quote))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(value(text), expected, "{text}");
        assert!(can_hold(text), "{text}");
    }

    #[test]
    fn values_are_quoted_as_the_reference_does() {
        check("", "\"\"");
        check("a b", "a b");
        check("{'activated': True}", "{'activated': True}");
        check(
            "{'activated': True, 'wait': ['instr']}",
            "\"{'activated': True, 'wait': ['instr']}\"",
        );
        check("say \"x\"", "'say \"x\"'");
        check("it's", "it's");
        check("it's \"x\"", "'''it's \"x\"'''");
        check("C:\\Users\\a b", "C:\\Users\\a b");
        check("a\nb", "'''a\nb'''");
        check("a#b", "\"a#b\"");
        check(" a", "\" a\"");
    }

    #[test]
    fn a_form_that_would_not_read_back_is_not_used() {
        check("a\nb ''' c", "'''a\nb ''' c'''");
        check("a ''' b\nc", "\"\"\"a ''' b\nc\"\"\"");
        assert!(!can_hold("''' \"\"\"\na ''' \"\"\"\n"));
        assert_eq!(key("a=b", "1"), "\"a=b\"");
        assert_eq!(key("# a", "1"), "\"# a\"");
        assert_eq!(key("\u{feff}a", "1"), "\"\u{feff}a\"");
        assert_eq!(key("[ a", "1"), "[ a");
        assert_eq!(key("[ a", "'] # b'"), "\"[ a\"");
        assert_eq!(section_name("a]", 1), "\"a]\"");
        assert_eq!(section_name("[", 1), "[");
        assert_eq!(section_name("[", 3), "\"[\"");
    }
}
