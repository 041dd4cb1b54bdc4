//! Sections → text, in two ways: as it was with only the changes changed, or as the reference writes it.

use expr::Span;

use super::line::is_space;
use super::section::{Place, Scalar, Section};
use super::{File, quote};

/// One level of sections, as the reference indents.
const INDENT: &str = "    ";

/// The text as it was read; lines differ only where something was changed.
pub(super) fn faithful(file: &File) -> String {
    let text = &file.text;
    let newline = if text.find('\n').is_some_and(|at| text[..at].ends_with('\r')) {
        "\r\n"
    } else {
        "\n"
    };
    let mut writer = Faithful {
        text,
        newline,
        out: String::with_capacity(text.len() + 64),
    };
    writer.out.push_str(&text[..file.body.start]);
    writer.section(&file.root);
    let rest = &text[file.body.end..];
    if !rest.is_empty() {
        writer.end_line();
    }
    writer.out.push_str(rest);
    writer.out
}

struct Faithful<'a> {
    text: &'a str,
    newline: &'a str,
    out: String,
}

impl Faithful<'_> {
    fn section(&mut self, section: &Section) {
        for (key, scalar) in &section.scalars {
            self.scalar(section.depth, key, scalar);
        }
        for child in &section.sections {
            self.header(child);
            self.section(child);
        }
    }

    fn scalar(&mut self, depth: usize, key: &str, scalar: &Scalar) {
        let Some(place) = scalar.place else {
            return self.new_line(depth, &quote::pair(key, &scalar.value));
        };
        self.end_line();
        self.copy(place.above);
        self.copy(Span {
            start: place.lines.start,
            end: place.name.start,
        });
        match scalar.renamed {
            true => self.out.push_str(&quote::key(key, &quote::value(&scalar.value))),
            false => self.copy(place.name),
        }
        self.copy(Span {
            start: place.name.end,
            end: place.raw.start,
        });
        match scalar.changed {
            true => {
                // A value that was empty may have no blank around it.
                let blank = |c: Option<char>| c.is_some_and(is_space);
                if !blank(self.out.chars().next_back()) {
                    self.out.push(' ');
                }
                self.out.push_str(&quote::value(&scalar.value));
                if place.comment.is_some_and(|comment| comment.start == place.raw.end) {
                    self.out.push(' ');
                }
            }
            false => self.copy(place.raw),
        }
        self.copy(Span {
            start: place.raw.end,
            end: place.lines.end,
        });
    }

    fn header(&mut self, section: &Section) {
        let Some(place) = section.place else {
            let (open, close) = ("[".repeat(section.depth), "]".repeat(section.depth));
            return self.new_line(
                section.depth - 1,
                &format!("{open}{}{close}", quote::section_name(&section.name, section.depth)),
            );
        };
        self.end_line();
        self.copy(place.above);
        self.copy(Span {
            start: place.lines.start,
            end: place.name.start,
        });
        match section.renamed {
            true => self.out.push_str(&quote::section_name(&section.name, section.depth)),
            false => self.copy(place.name),
        }
        self.copy(Span {
            start: place.name.end,
            end: place.lines.end,
        });
    }

    fn copy(&mut self, span: Span) {
        self.out.push_str(&self.text[span.start..span.end]);
    }

    fn new_line(&mut self, depth: usize, line: &str) {
        self.end_line();
        self.out.push_str(&INDENT.repeat(depth));
        self.out.push_str(line);
        self.out.push_str(self.newline);
    }

    /// The last line of a file may lack its end; what follows it now must not share its line.
    fn end_line(&mut self) {
        if !(self.out.is_empty() || self.out == "\u{feff}" || self.out.ends_with('\n')) {
            self.out.push_str(self.newline);
        }
    }
}

/// The text as the reference writes it: indented by depth, values quoted anew, comments kept where they were.
pub(super) fn canonical(file: &File) -> String {
    let mut writer = Canonical {
        text: &file.text,
        lines: Vec::new(),
    };
    let head = file.text[..file.body.start].trim_start_matches('\u{feff}');
    writer.lines.extend(lines(head).map(str::to_owned));
    writer.section(&file.root);
    writer
        .lines
        .extend(lines(&file.text[file.body.end..]).map(str::to_owned));
    let mut out = writer.lines.join("\n");
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

struct Canonical<'a> {
    text: &'a str,
    lines: Vec<String>,
}

impl Canonical<'_> {
    fn section(&mut self, section: &Section) {
        let indent = INDENT.repeat(section.depth);
        for (key, scalar) in &section.scalars {
            self.above(&indent, scalar.place);
            let comment = self.comment(scalar.place);
            let pair = quote::pair(key, &scalar.value);
            let line = format!("{pair}{comment}");
            if comment.is_empty() || quote::is_pair(&line, key, &scalar.value) {
                self.lines.push(format!("{indent}{line}"));
            } else {
                // Where the comment would change what is read, it stands above.
                self.lines
                    .push(format!("{indent}{}", comment.trim_start_matches(is_space)));
                self.lines.push(format!("{indent}{pair}"));
            }
        }
        for child in &section.sections {
            self.above(&indent, child.place);
            let comment = self.comment(child.place);
            let (open, close) = ("[".repeat(child.depth), "]".repeat(child.depth));
            self.lines.push(format!(
                "{indent}{open}{}{close}{comment}",
                quote::section_name(&child.name, child.depth)
            ));
            self.section(child);
        }
    }

    fn above(&mut self, indent: &str, place: Option<Place>) {
        let above = place.map_or("", |place| &self.text[place.above.start..place.above.end]);
        for line in lines(above) {
            self.lines
                .push(format!("{indent}{}", line.trim_start_matches(is_space)));
        }
    }

    fn comment(&self, place: Option<Place>) -> String {
        let comment = place.and_then(|place| place.comment);
        comment.map_or_else(String::new, |span| {
            format!("{INDENT}{}", &self.text[span.start..span.end])
        })
    }
}

/// Lines without their ends.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n')
        .map(|line| line.trim_end_matches(['\r', '\n']))
}
