//! Text → sections: line after line, with a stack of the sections that are open.
//!
//! All errors of a file are found at once. After one, reading goes on as the writer most likely meant it, so that one
//! mistake is one error: a section in a wrong place still takes the keys below it. What is accepted is what the
//! reference accepts, except for lists, and for sections deeper than any tree of tasks is.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use expr::Span;

use super::line::{self, Fault, Header, Pair};
use super::section::{Place, Scalar, Section};
use super::{FileError, quote};

/// What was read: the root, where it begins behind the initial comment, and where it ends before the final one.
pub(super) struct Read {
    pub(super) root: Section,
    pub(super) body: Span,
}

/// Deeper sections are refused: trees are walked by recursion, and real ones have fewer than ten levels.
const MAX_DEPTH: usize = 200;

/// So many errors are worth reading; a file with more is another kind of file.
const MAX_ERRORS: usize = 50;

const NEITHER: &str = "the line is neither `key = value` nor `[section]`";

pub(super) fn read(text: &str) -> Result<Read, Vec<FileError>> {
    let mut reader = Reader {
        text,
        open: vec![Open::default()],
        errors: Vec::new(),
        found: 0,
        understood: 0,
        line: 0,
        too_deep: false,
    };
    let mut at = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let mut above = None;
    let mut body = None;
    let mut body_end = 0;
    while at < text.len() {
        let here = line_at(text, at);
        reader.line += 1;
        let visible = here.trim_matches(line::is_space);
        if visible.is_empty() || visible.starts_with('#') {
            above.get_or_insert(at);
            at = next_line(text, at);
            continue;
        }
        let start = *body.get_or_insert(at);
        let place = Unplaced {
            above: above.take().unwrap_or(at).max(start),
            start: at,
        };
        at = reader.entry(here, place);
        body_end = at;
    }
    let start = body.unwrap_or(text.len());
    reader.finish(Span {
        start,
        end: body_end.max(start),
    })
}

/// A value in triple quotes, read from the text that begins with it.
pub(super) struct Triple {
    pub(super) value: String,
    /// Behind its closing quotes.
    pub(super) end: usize,
    comment: Option<Span>,
    /// Where the next line begins.
    next: usize,
}

/// Reads a value that `text` begins with, in triple quotes, over as many lines as it takes.
pub(super) fn triple(text: &str, quote: &str) -> Result<Triple, Fault> {
    let opened = quote.len();
    let mut at = 0;
    let mut from = opened;
    let mut value = String::new();
    while at < text.len() {
        let here = line_at(text, at);
        if let Some(found) = here[from..].find(quote) {
            let (close, comment) =
                line::closing(here, from, quote).ok_or(Fault::Trailing(at + from + found + opened))?;
            value.push_str(&here[from..close]);
            let comment = comment.map(|start| Span {
                start: at + start,
                end: at + here.len(),
            });
            return Ok(Triple {
                value,
                end: at + close + opened,
                comment,
                next: next_line(text, at),
            });
        }
        value.push_str(&here[from..]);
        value.push('\n');
        at = next_line(text, at);
        from = 0;
    }
    Err(Fault::Unterminated)
}

/// The line at `at` without its end, whichever carriage returns that has.
pub(super) fn line_at(text: &str, at: usize) -> &str {
    text[at..next_line(text, at)].trim_end_matches(['\r', '\n'])
}

fn next_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end + 1)
}

struct Reader<'a> {
    text: &'a str,
    /// The root and the sections inside each other that lead to the current line.
    open: Vec<Open>,
    errors: Vec<FileError>,
    /// How many errors there are, those beyond [`MAX_ERRORS`] included.
    found: usize,
    /// How many lines had a meaning.
    understood: usize,
    /// The current line's number.
    line: usize,
    /// Whether a section was deeper than [`MAX_DEPTH`].
    too_deep: bool,
}

#[derive(Default)]
struct Open {
    section: Section,
    /// Which names are taken in it, and in which line.
    names: HashMap<String, usize>,
}

struct Unplaced {
    above: usize,
    start: usize,
}

impl Reader<'_> {
    /// Reads a line that is neither blank nor a comment; the next one begins where the answer says.
    fn entry(&mut self, here: &str, place: Unplaced) -> usize {
        if let Some(header) = line::header(here) {
            self.understood += 1;
            self.header(here, &header, &place);
        } else if let Some(pair) = line::pair(here) {
            self.understood += 1;
            return self.pair(here, &pair, &place);
        } else {
            self.neither(here, place.start);
        }
        next_line(self.text, place.start)
    }

    fn header(&mut self, here: &str, header: &Header, place: &Unplaced) {
        let raw = offset(&header.name, place.start);
        let name = line::unquoted(&here[header.name.clone()]).to_owned();
        let name_span = inside(raw, name.len());
        let deepest = self.open.last().map_or(0, |top| top.section.depth) + 1;
        let agree = header.opened == header.closed;
        // Where the brackets disagree, either number may be the one that was meant; a fitting one spares a second error.
        let meant = if agree {
            header.opened
        } else {
            header.opened.min(deepest)
        };
        if !agree {
            let fixed = format!(
                "{}{}{}",
                "[".repeat(meant),
                shown(&here[header.name.clone()]),
                "]".repeat(meant)
            );
            let message = format!(
                "section `{}` has {} `[` but {} `]`",
                shown(&name),
                header.opened,
                header.closed
            );
            self.error(message, raw, Some(fixed));
        }
        let too_deep = meant > MAX_DEPTH;
        if too_deep && !self.too_deep {
            // Said once: all that is inside is as deep.
            self.too_deep = true;
            let message = format!(
                "section `{}` is below more than {MAX_DEPTH} levels of sections",
                shown(&name)
            );
            self.error(message, raw, None);
        }
        let depth = meant.min(MAX_DEPTH);
        while self
            .open
            .last()
            .is_some_and(|top| top.section.depth >= depth && top.section.depth > 0)
        {
            self.close();
        }
        let above = self.open.last().map_or(0, |top| top.section.depth);
        if depth > above + 1 {
            let name = shown(&name);
            let message = format!("section `{name}` has depth {depth}, but the section around it has depth {above}");
            let brackets = if above == 0 {
                "1 bracket".to_owned()
            } else {
                format!("{} brackets", above + 1)
            };
            let hint = format!("a section here can have {brackets} at most");
            self.error(message, raw, Some(hint));
        } else if !too_deep {
            self.take_name(&name, name_span, "section");
        }
        let comment = header.comment.map(|at| Span {
            start: place.start + at,
            end: place.start + here.len(),
        });
        let section = Section {
            depth,
            name_span,
            place: Some(self.placed(place, next_line(self.text, place.start), raw, raw, comment)),
            name,
            ..Section::default()
        };
        self.open.push(Open {
            section,
            names: HashMap::new(),
        });
    }

    fn pair(&mut self, here: &str, pair: &Pair, place: &Unplaced) -> usize {
        let after = next_line(self.text, place.start);
        let value_start = place.start + pair.value;
        let text = &here[pair.value..];
        let read = match quote::triple_quote(text) {
            Some(quotes) => triple(&self.text[value_start..], quotes).map(|found| {
                let comment = found.comment.map(|c| Span {
                    start: c.start + value_start,
                    end: c.end + value_start,
                });
                let raw = Span {
                    start: value_start,
                    end: value_start + found.end,
                };
                let span = Span {
                    start: raw.start + quotes.len(),
                    end: raw.end - quotes.len(),
                };
                (found.value, raw, span, comment, value_start + found.next)
            }),
            None => line::value(text).map(|plain| {
                let comment = plain.comment.map(|c| Span {
                    start: value_start + c,
                    end: place.start + here.len(),
                });
                let value = text[plain.content.clone()].to_owned();
                (
                    value,
                    offset(&plain.raw, value_start),
                    offset(&plain.content, value_start),
                    comment,
                    after,
                )
            }),
        };
        let raw_key = offset(&pair.key, place.start);
        let key = line::unquoted(&here[pair.key.clone()]).to_owned();
        let key_span = inside(raw_key, key.len());
        match read {
            Err(fault) => {
                self.fault(here, pair, value_start, &key, &fault);
                // The key is there, whatever its value was to be: another one of this name is a duplicate.
                self.take_name(&key, key_span, "key");
                after
            }
            Ok((value, raw, span, comment, next)) => {
                self.take_name(&key, key_span, "key");
                self.line += self.text[after..next].bytes().filter(|&b| b == b'\n').count();
                let place = Some(self.placed(place, next, raw_key, raw, comment));
                let scalar = Scalar {
                    value,
                    span,
                    key_span,
                    place,
                    changed: false,
                    renamed: false,
                };
                let top = self.open.last_mut().expect("the root is never closed before the end");
                top.section.scalars.push((key, scalar));
                next
            }
        }
    }

    fn placed(&self, place: &Unplaced, end: usize, name: Span, raw: Span, comment: Option<Span>) -> Place {
        let above = Span {
            start: place.above,
            end: place.start,
        };
        Place {
            above,
            lines: Span {
                start: place.start,
                end,
            },
            name,
            raw,
            comment,
        }
    }

    fn take_name(&mut self, name: &str, span: Span, kind: &str) {
        let line = self.line;
        let top = self.open.last_mut().expect("the root is never closed before the end");
        match top.names.entry(name.to_owned()) {
            Entry::Vacant(free) => _ = free.insert(line),
            Entry::Occupied(taken) => {
                let first = *taken.get();
                let place = match top.section.depth {
                    0 => "the file".to_owned(),
                    _ => format!("section `{}`", shown(&top.section.name)),
                };
                let hint = format!("it is in line {first} already: remove or rename one of them");
                self.error(
                    format!("{kind} `{}` is given twice in {place}", shown(name)),
                    span,
                    Some(hint),
                );
            }
        }
    }

    fn fault(&mut self, here: &str, pair: &Pair, value_start: usize, key: &str, fault: &Fault) {
        if self.only_counted() {
            return;
        }
        let at = |byte: usize, length: usize| Span {
            start: value_start + byte,
            end: value_start + byte + length,
        };
        let text = here[pair.value..].trim_end_matches(line::is_space);
        let fixed = corrected(&here[pair.key.clone()], without_comment(text));
        let key = shown(key);
        match *fault {
            Fault::Comma(comma) => {
                let message = format!("the value of `{key}` has a comma outside quotes: quote the value");
                self.error(message, at(comma, 1), fixed);
            }
            Fault::Unterminated => {
                let triple = quote::triple_quote(text);
                let quotes = triple.unwrap_or(&text[..1]);
                let missing = if triple.is_some() {
                    "in the rest of the file"
                } else {
                    "in its line"
                };
                let message = format!("the value of `{key}` begins with {quotes} and is not closed {missing}");
                self.error(message, at(0, quotes.len()), Some(format!("close it with {quotes}")));
            }
            Fault::Trailing(byte) => {
                let start = value_start + byte;
                let rest = line_at(self.text, start).trim_end_matches(line::is_space);
                let message = format!("the value of `{key}` has text behind its closing quote");
                let hint = if quote::triple_quote(text).is_none() {
                    fixed
                } else {
                    None
                };
                self.error(
                    message,
                    Span {
                        start,
                        end: start + rest.len().max(1),
                    },
                    hint,
                );
            }
        }
    }

    fn neither(&mut self, here: &str, start: usize) {
        if self.only_counted() {
            return;
        }
        let begin = here.len() - here.trim_start_matches(line::is_space).len();
        let visible = here.trim_matches(line::is_space);
        let span = Span {
            start: start + begin,
            end: start + begin + visible.len(),
        };
        let (message, hint) = match visible.split_once(':') {
            _ if visible.starts_with('[') => ("a section's name is not closed by `]`", None),
            Some((key, value)) => (NEITHER, corrected(key.trim(), value.trim())),
            None => (NEITHER, None),
        };
        self.error(message.to_owned(), span, hint);
    }

    /// Whether one more error would only be counted; then its words need not be found.
    fn only_counted(&mut self) -> bool {
        let full = self.errors.len() >= MAX_ERRORS;
        self.found += usize::from(full);
        full
    }

    fn error(&mut self, message: String, span: Span, hint: Option<String>) {
        self.found += 1;
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(FileError { message, span, hint });
        }
    }

    /// Closes the innermost section.
    fn close(&mut self) {
        let closed = self.open.pop().expect("sections are closed that were opened");
        if let Some(top) = self.open.last_mut() {
            top.section.sections.push(closed.section);
        }
    }

    fn finish(mut self, body: Span) -> Result<Read, Vec<FileError>> {
        if self.errors.is_empty() {
            while self.open.len() > 1 {
                self.close();
            }
            let root = self
                .open
                .pop()
                .expect("the root is never closed before the end")
                .section;
            return Ok(Read { root, body });
        }
        if self.understood == 0 && self.found > 1 {
            let message = "this is no measurement file: no line of it is `key = value` or `[section]`".to_owned();
            return Err(vec![FileError {
                span: self.errors[0].span,
                message,
                hint: None,
            }]);
        }
        self.errors.sort_by_key(|error| error.span.start);
        if let (true, Some(last)) = (self.found > self.errors.len(), self.errors.last()) {
            let message = format!("and {} more errors below", self.found - self.errors.len());
            self.errors.push(FileError {
                message,
                span: last.span,
                hint: None,
            });
        }
        Err(self.errors)
    }
}

/// A name as messages show it: one that is no name, but half a file, is cut.
fn shown(name: &str) -> String {
    const LONGEST: usize = 60;
    match name.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &name[..at]),
        None => name.to_owned(),
    }
}

/// The corrected line, unless that is too long to read.
fn corrected(key: &str, value: &str) -> Option<String> {
    const LONGEST: usize = 1000;
    (key.len() + value.len() <= LONGEST).then(|| format!("{key} = {}", quote::value(value)))
}

/// The text as far as its comment, if a `#` in it looks like one.
fn without_comment(text: &str) -> &str {
    text.split_once(" #").map_or(text, |(value, _)| value.trim_end())
}

fn offset(range: &std::ops::Range<usize>, by: usize) -> Span {
    Span {
        start: range.start + by,
        end: range.end + by,
    }
}

/// The part of a span that is between quotes of one byte each, if what is inside is shorter by those.
fn inside(raw: Span, length: usize) -> Span {
    let quotes = (raw.end - raw.start - length) / 2;
    Span {
        start: raw.start + quotes,
        end: raw.end - quotes,
    }
}
