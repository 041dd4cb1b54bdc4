//! A measurement file as text: the dialect of Python's ConfigObj, in which Exopy writes, read without losing a byte.
//!
//! Who measures edits these files by hand and keeps them under version control, so a file that is read and written is the
//! same file, comments and line ends included, and a changed value changes its line only. The reference is ConfigObj
//! 5.0.9; we differ where it surprises: `%(name)s` is text, and an unquoted comma is an error instead of a list.
//! Deliberately absent: the meaning of any key ([`crate`] has that elsewhere), and files as such; text comes in and goes out.
//!
//! ```text
//! line   one line: header, key, value       read   lines → sections, errors
//! quote  how a value is written             write  sections → text
//! ```

mod line;
mod quote;
mod read;
mod section;
mod write;

use std::fmt;

use expr::Span;

pub use quote::can_hold;
pub use section::{Scalar, Section};

/// The text of a file and what it holds.
#[derive(Clone, Debug, Default)]
pub struct File {
    text: String,
    root: Section,
    /// From the first key or section to the end of the last one; before and behind are comments.
    body: Span,
}

/// Something in a file that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    pub message: String,
    /// Bytes of the text.
    pub span: Span,
    /// What to do about it; often the corrected line.
    pub hint: Option<String>,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FileError {}

impl File {
    /// A file without a line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a text; its errors are all of them, in the order of the text (beyond 50 they are only counted).
    pub fn parse(text: &str) -> Result<Self, Vec<FileError>> {
        let read::Read { root, body } = read::read(text)?;
        Ok(Self {
            text: text.to_owned(),
            root,
            body,
        })
    }

    /// Reads the bytes of a file, which must be UTF-8, with or without a byte order mark.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Vec<FileError>> {
        match str::from_utf8(bytes) {
            Ok(text) => Self::parse(text),
            Err(error) => Err(vec![not_utf8(bytes, error.valid_up_to())]),
        }
    }

    pub fn root(&self) -> &Section {
        &self.root
    }

    pub fn root_mut(&mut self) -> &mut Section {
        &mut self.root
    }

    /// The text as it was read; spans are bytes of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text with what was changed since, and nothing else, different.
    pub fn to_text(&self) -> String {
        write::faithful(self)
    }

    /// The text as Exopy writes it: four blanks a level, `\n`, its quoting, no byte order mark.
    pub fn to_canonical_text(&self) -> String {
        write::canonical(self)
    }

    /// The lines before the first key or section, without their `#`; the documentation of a template.
    pub fn initial_comment(&self) -> Vec<String> {
        let head = self.text[..self.body.start].trim_start_matches('\u{feff}');
        let bare = |line: &str| {
            let line = line.trim();
            let line = line.strip_prefix('#').unwrap_or(line);
            line.strip_prefix(' ').unwrap_or(line).to_owned()
        };
        head.lines().map(bare).collect()
    }

    /// See [`line_col`].
    pub fn line_col(&self, offset: usize) -> (usize, usize) {
        line_col(&self.text, offset)
    }
}

/// The line and the column of a byte of a text, both from 1, columns in characters.
pub fn line_col(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(offset)];
    let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before[start..].trim_start_matches('\u{feff}').chars().count() + 1;
    (line, column)
}

fn not_utf8(bytes: &[u8], at: usize) -> FileError {
    let span = Span { start: at, end: at + 1 };
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    if utf16 {
        let hint = Some("save it as UTF-8".to_owned());
        return FileError {
            message: "the file is UTF-16, not UTF-8".to_owned(),
            span,
            hint,
        };
    }
    // Text in an old encoding has no zero bytes; pictures, archives and data files do.
    if bytes.contains(&0) {
        let message = format!("this is no text file: byte {at} (0x{:02x}) is not UTF-8", bytes[at]);
        return FileError {
            message,
            span,
            hint: None,
        };
    }
    let line = bytes[..at].iter().filter(|&&b| b == b'\n').count() + 1;
    let message = format!(
        "byte {at}, in line {line}, is 0x{:02x}: the file is not UTF-8",
        bytes[at]
    );
    FileError {
        message,
        span,
        hint: Some("save it as UTF-8, or replace this character".to_owned()),
    }
}

#[cfg(test)]
mod tests;
