//! One line of the dialect: what is a `[section]`, what is a `key = value`, where a value ends and its comment begins.
//!
//! The reference is a set of regular expressions that backtrack, so `["a]"]`, `"a=b" = 1` or `'it's'` have a meaning there
//! although no grammar says so. Here the same choices are made by scanning, in time that grows with the line only. All
//! places are bytes of the given text. Deliberately absent: what spans lines (triple quotes) and what spans sections.

use std::ops::Range;

/// A `[[name]] # comment` line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) opened: usize,
    pub(super) closed: usize,
    /// The name with its quotes, if it has some.
    pub(super) name: Range<usize>,
    /// Where the `#` of its comment is.
    pub(super) comment: Option<usize>,
}

/// A `key = value` line, as far as the `=` decides it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// The key with its quotes, if it has some.
    pub(super) key: Range<usize>,
    /// Where the value begins: behind the blanks that follow `=`.
    pub(super) value: usize,
}

/// A value that stands on one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plain {
    /// With its quotes.
    pub(super) raw: Range<usize>,
    /// Without.
    pub(super) content: Range<usize>,
    pub(super) comment: Option<usize>,
}

/// Why the text behind `=` is no single value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A comma outside quotes at this byte: the reference reads a list.
    Comma(usize),
    /// The quote at the beginning is never closed.
    Unterminated,
    /// Something that is no comment follows the closing quote, at this byte.
    Trailing(usize),
}

/// Python's `str.isspace`, which counts four control characters that Unicode's `White_Space` does not.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// The name or key without the quotes around it.
pub(super) fn unquoted(raw: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| raw.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(raw)
}

/// Reads a section's header. `[[]` is one: a section `[`, since brackets may belong to the name.
pub(super) fn header(line: &str) -> Option<Header> {
    let mut at = skip_space(line, 0);
    let mut opened = 0;
    let mut last = at;
    while line[at..].starts_with('[') {
        opened += 1;
        last = at;
        at = skip_space(line, at + 1);
    }
    if opened == 0 {
        return None;
    }
    let complete = |opened, start| {
        let (name, (closed, comment)) = name_and_tail(line, start)?;
        Some(Header {
            opened,
            closed,
            name,
            comment,
        })
    };
    // A bracket given back to the name can help once; a second one would meet the same rest of the line.
    complete(opened, at).or_else(|| if opened > 1 { complete(opened - 1, last) } else { None })
}

/// Reads `key =`, or `None` where there is no such thing.
pub(super) fn pair(line: &str) -> Option<Pair> {
    let start = skip_space(line, 0);
    let first = line[start..].chars().next()?;
    let found = match first {
        '"' | '\'' => quoted_key(line, start, first),
        '=' => None,
        _ => bare_key(line, start, first),
    };
    // The reference gives the last blank of the indentation to a key that is impossible without: `  = 1` has the key ` `.
    found.or_else(|| {
        let blank = line[..start].chars().next_back()?;
        bare_key(line, start - blank.len_utf8(), blank)
    })
}

/// Reads the value at the beginning of `text`, which goes to the end of the line and does not begin with a triple quote.
pub(super) fn value(text: &str) -> Result<Plain, Fault> {
    match text.chars().next() {
        None => Ok(Plain {
            raw: 0..0,
            content: 0..0,
            comment: None,
        }),
        Some('#') => Ok(Plain {
            raw: 0..0,
            content: 0..0,
            comment: Some(0),
        }),
        Some(',') => Err(Fault::Comma(0)),
        Some(quote @ ('"' | '\'')) => quoted_value(text, quote),
        Some(first) => {
            let stop = text[first.len_utf8()..]
                .find([',', '#'])
                .map(|at| at + first.len_utf8());
            let comment = match stop {
                Some(at) if text[at..].starts_with(',') => return Err(Fault::Comma(at)),
                other => other,
            };
            let end = text[..comment.unwrap_or(text.len())].trim_end_matches(is_space).len();
            Ok(Plain {
                raw: 0..end,
                content: 0..end,
                comment,
            })
        }
    }
}

/// Where the first `quote` is, from `from` on, that nothing but a comment follows; and where that comment begins.
pub(super) fn closing(text: &str, from: usize, quote: &str) -> Option<(usize, Option<usize>)> {
    let mut at = from;
    while let Some(found) = text.get(at..)?.find(quote) {
        let close = at + found;
        if let Some(comment) = only_comment(text, close + quote.len()) {
            return Some((close, comment));
        }
        at = close + 1;
    }
    None
}

fn skip_space(text: &str, from: usize) -> usize {
    text.len() - text[from..].trim_start_matches(is_space).len()
}

/// `Some(place of the #)` if nothing but blanks and a comment follows, `None` if something does.
#[expect(
    clippy::option_option,
    reason = "whether it matches, and whether the match has a comment"
)]
fn only_comment(text: &str, from: usize) -> Option<Option<usize>> {
    let at = skip_space(text, from);
    match text[at..].chars().next() {
        None => Some(None),
        Some('#') => Some(Some(at)),
        Some(_) => None,
    }
}

type Tail = (usize, Option<usize>);

fn name_and_tail(line: &str, start: usize) -> Option<(Range<usize>, Tail)> {
    let first = line[start..].chars().next()?;
    if first == '"' || first == '\'' {
        // The name has one character at least that is no blank, be it the quote itself.
        let inside = skip_space(line, start + 1);
        let from = inside + line[inside..].chars().next()?.len_utf8();
        return line[from..].match_indices(first).find_map(|(at, _)| {
            let end = from + at + 1;
            Some((start..end, tail(line, end)?))
        });
    }
    let mut at = start + first.len_utf8();
    while let Some(found) = line[at..].find(|c: char| c == ']' || is_space(c)) {
        let end = at + found;
        if let Some(tail) = tail(line, end) {
            return Some((start..end, tail));
        }
        at = line.len() - line[end..].trim_start_matches(|c: char| c == ']' || is_space(c)).len();
    }
    None
}

/// The closing brackets and the comment behind a section's name.
fn tail(line: &str, from: usize) -> Option<Tail> {
    let rest = line[from..].trim_start_matches(|c: char| c == ']' || is_space(c));
    let end = line.len() - rest.len();
    let closed = line[from..end].bytes().filter(|&b| b == b']').count();
    let comment = rest.starts_with('#').then_some(end);
    (closed > 0 && (rest.is_empty() || comment.is_some())).then_some((closed, comment))
}

fn quoted_key(line: &str, start: usize, quote: char) -> Option<Pair> {
    let from = start + 1;
    line[from..].match_indices(quote).find_map(|(at, _)| {
        let end = from + at + 1;
        let equals = skip_space(line, end);
        line[equals..].starts_with('=').then(|| Pair {
            key: start..end,
            value: skip_space(line, equals + 1),
        })
    })
}

fn bare_key(line: &str, start: usize, first: char) -> Option<Pair> {
    let from = start + first.len_utf8();
    let equals = from + line[from..].find('=')?;
    let end = from + line[from..equals].trim_end_matches(is_space).len();
    Some(Pair {
        key: start..end,
        value: skip_space(line, equals + 1),
    })
}

fn quoted_value(text: &str, quote: char) -> Result<Plain, Fault> {
    let mut scalar = None;
    let mut comma = None;
    let mut trailing = None;
    for (at, _) in text[1..].match_indices(quote) {
        let end = at + 2;
        let next = skip_space(text, end);
        match text[next..].chars().next() {
            None => _ = scalar.get_or_insert((end, None)),
            Some('#') => _ = scalar.get_or_insert((end, Some(next))),
            Some(',') => _ = comma.get_or_insert(next),
            Some(_) => _ = trailing.get_or_insert(next),
        }
    }
    match (scalar, comma) {
        (Some(_), Some(comma)) if is_list(text, quote) => Err(Fault::Comma(comma)),
        (Some((end, comment)), _) => Ok(Plain {
            raw: 0..end,
            content: 1..end - 1,
            comment,
        }),
        (None, Some(comma)) => Err(Fault::Comma(comma)),
        (None, None) => Err(trailing.map_or(Fault::Unterminated, Fault::Trailing)),
    }
}

/// What comes next in a text that is read from its end; a comma says whether what follows it can be the rest of a list.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    End,
    Hash,
    Comma { list_follows: bool },
    Other,
}

/// Whether `text`, which begins with `quote` and could be one value, can be read as a list as well; then it is one there.
///
/// One pass from the end: at each place it is known whether the rest of a list could begin there, and for both quotes
/// whether one that is opened here could be closed by any that follows.
fn is_list(text: &str, quote: char) -> bool {
    const QUOTES: [char; 2] = ['"', '\''];
    let mut next_visible = Next::End;
    let mut next_stop = Next::End;
    let mut closable = [false, false];
    let mut closable_before_comma = [false, false];
    let mut list_follows = true;
    for (at, c) in text.char_indices().rev() {
        let kind = QUOTES.iter().position(|&q| q == c);
        if at == 0 {
            break;
        }
        let ends_behind = matches!(next_visible, Next::End | Next::Hash);
        let blank = is_space(c);
        let begins_rest = match (kind, c) {
            (Some(kind), _) => closable[kind],
            (None, ',') => false,
            (None, '#') => true,
            (None, _) if blank => ends_behind || next_stop == (Next::Comma { list_follows: true }),
            (None, _) => next_stop != (Next::Comma { list_follows: false }),
        };
        if let Some(kind) = kind {
            let before_comma = next_visible == (Next::Comma { list_follows: true });
            closable_before_comma[kind] |= before_comma;
            closable[kind] |= before_comma || ends_behind;
        }
        let here = match c {
            ',' => Next::Comma { list_follows },
            '#' => Next::Hash,
            _ => Next::Other,
        };
        if here != Next::Other {
            next_stop = here;
        }
        if !blank {
            next_visible = here;
        }
        list_follows = begins_rest || (blank && list_follows);
    }
    QUOTES
        .iter()
        .position(|&q| q == quote)
        .is_some_and(|kind| closable_before_comma[kind])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_header(line: &str, expected: Option<(usize, usize, &str)>) {
        let found = header(line).map(|h| (h.opened, h.closed, unquoted(&line[h.name]).to_owned()));
        assert_eq!(found, expected.map(|(o, c, n)| (o, c, n.to_owned())), "{line}");
    }

    #[test]
    fn brackets_quotes_and_comments_around_a_section_name() {
        check_header("[a]", Some((1, 1, "a")));
        check_header("  [[ a b ]] # note ]", Some((2, 2, "a b")));
        check_header("[\"a]\"]", Some((1, 1, "a]")));
        check_header("['it's']", Some((1, 1, "it's")));
        check_header("[a # b]", Some((1, 1, "a # b")));
        check_header("[[]", Some((1, 1, "[")));
        check_header("[]", None);
        check_header("[\"\"]", None);
        check_header("[a] x", None);
        check_header("[[a]", Some((2, 1, "a")));
    }

    fn check_pair(line: &str, expected: Option<(&str, &str)>) {
        let found = pair(line).map(|p| (unquoted(&line[p.key]).to_owned(), line[p.value..].to_owned()));
        assert_eq!(found, expected.map(|(k, v)| (k.to_owned(), v.to_owned())), "{line}");
    }

    #[test]
    fn keys_end_at_the_first_equals_sign_outside_quotes() {
        check_pair("a = 1", Some(("a", "1")));
        check_pair("  a b=c = d ", Some(("a b", "c = d ")));
        check_pair("\"a=b\" = 1", Some(("a=b", "1")));
        check_pair("'' =", Some(("", "")));
        check_pair("  = 1", Some((" ", "1")));
        check_pair("  \"a = 1", Some((" \"a", "1")));
        check_pair("\"a = 1", None);
        check_pair("= 1", None);
        check_pair("a : 1", None);
    }

    fn check_value(text: &str, expected: Result<&str, Fault>) {
        assert_eq!(
            value(text).map(|plain| text[plain.content].to_owned()),
            expected.map(str::to_owned),
            "{text}"
        );
    }

    #[test]
    fn a_value_ends_at_its_comment_and_may_not_hold_a_bare_comma() {
        check_value("", Ok(""));
        check_value("# c, d", Ok(""));
        check_value("a#c, d", Ok("a"));
        check_value("it's ", Ok("it's"));
        check_value("'it's' # c", Ok("it's"));
        check_value("\"a, b\" # c, d", Ok("a, b"));
        check_value("a, b", Err(Fault::Comma(1)));
        check_value("'a', 'b'", Err(Fault::Comma(3)));
        check_value("\"a\" # \"b\", c", Err(Fault::Comma(9)));
        check_value("\"a\" b", Err(Fault::Trailing(4)));
        check_value("\"a", Err(Fault::Unterminated));
        check_value("{'a': True}", Ok("{'a': True}"));
    }
}
