//! Text with `{entry}` in it: labels, file names, messages. Exopy's splitting, which knows no escape and no format.

use std::fmt::Write;

use crate::formula::Reference;
use crate::{Error, Span, Value};

/// A text whose references are replaced by what Python's `str` makes of their values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    references: Vec<Reference>,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    /// The slot of a reference.
    Entry(usize),
}

impl Template {
    /// Splits at `{`, then each part at `}`: every second part is a name. A text without `{` is itself, `}` or not.
    pub fn parse(text: &str) -> Result<Template, Error> {
        let mut template = Template {
            text: text.to_owned(),
            references: Vec::new(),
            pieces: Vec::new(),
        };
        if !text.contains('{') {
            template.pieces.push(Piece::Literal(text.to_owned()));
            return Ok(template);
        }
        let mut start = 0;
        for (index, part) in text.split(['{', '}']).enumerate() {
            if index % 2 == 0 {
                template.pieces.push(Piece::Literal(part.to_owned()));
            } else {
                let end = (start + part.len() + 1).min(text.len());
                template.name(part, Span { start: start - 1, end });
            }
            start += part.len() + 1;
        }
        Ok(template)
    }

    fn name(&mut self, name: &str, span: Span) {
        let slot = self
            .references
            .iter()
            .position(|reference| reference.name == name)
            .unwrap_or_else(|| {
                self.references.push(Reference {
                    name: name.to_owned(),
                    span,
                });
                self.references.len() - 1
            });
        self.pieces.push(Piece::Entry(slot));
    }

    /// The distinct names in order of first appearance; the index is the slot of [`Template::format`].
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// The text, given the value of each reference; one that is missing leaves nothing.
    pub fn format(&self, entries: &[Value]) -> String {
        let mut text = String::with_capacity(self.text.len() + 16 * self.references.len());
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Entry(slot) => {
                    if let Some(value) = entries.get(*slot) {
                        write!(text, "{value}").expect("a String takes any text");
                    }
                }
            }
        }
        text
    }

    /// Whether the text names no entry.
    pub fn is_constant(&self) -> bool {
        self.references.is_empty()
    }

    /// The text as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }
}
