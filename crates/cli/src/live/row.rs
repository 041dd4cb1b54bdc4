//! One row of the live display: pieces of text, each with a look, and never wider than the terminal.
//!
//! Widths are columns of the terminal, not letters: wide letters take two, combining marks none.

use unicode_width::UnicodeWidthChar;

use crate::terminal::{Paint, harmless};

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    Faint,
    Strong,
    Emphasis,
    Good,
    Warning,
    Error,
    /// Black on this colour of the terminal's eight.
    Badge(u8),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pieces: Vec<(Look, String)>,
}

impl Row {
    pub(super) fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub(super) fn with(mut self, look: Look, text: &str) -> Self {
        self.push(look, text);
        self
    }

    pub(super) fn push(&mut self, look: Look, text: &str) {
        if !text.is_empty() {
            self.pieces.push((look, harmless(text)));
        }
    }

    pub(super) fn columns(&self) -> usize {
        self.pieces.iter().map(|(_, text)| columns(text)).sum()
    }

    /// Blanks up to this column.
    #[must_use]
    pub(super) fn pad(mut self, column: usize) -> Self {
        let missing = column.saturating_sub(self.columns());
        self.push(Look::Plain, &" ".repeat(missing));
        self
    }

    /// The row in at most `width` columns; what is cut off ends with `…`.
    pub(super) fn text(&self, width: usize, paint: Paint) -> String {
        let is_cut = self.columns() > width;
        let mut left = if is_cut { width.saturating_sub(1) } else { width };
        let mut text = String::new();
        for (look, piece) in &self.pieces {
            let kept = beginning(piece, left);
            left -= columns(kept);
            text.push_str(&match look {
                Look::Plain => kept.to_owned(),
                Look::Faint => paint.faint(kept),
                Look::Strong => paint.strong(kept),
                Look::Emphasis => paint.emphasis(kept),
                Look::Good => paint.good(kept),
                Look::Warning => paint.warning(kept),
                Look::Error => paint.error(kept),
                Look::Badge(colour) => paint.coloured_ground(*colour, kept),
            });
            if kept.len() < piece.len() {
                break;
            }
        }
        if is_cut && width > 0 {
            text.push('…');
        }
        text
    }
}

/// Columns that a text without control characters takes.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// As much of a text as fits into `width` columns.
fn beginning(text: &str, width: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, c)| {
        used += c.width().unwrap_or(0);
        used > width
    });
    end.map_or(text, |(end, _)| &text[..end])
}

/// The beginning of a text that fits into `width` columns, with `…` for what does not.
pub(super) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    match width.checked_sub(1) {
        Some(kept) => format!("{}…", beginning(text, kept)),
        None => String::new(),
    }
}

/// The end of a text that fits: of a path, the end says more.
pub(super) fn cut_front(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut kept: Vec<char> = Vec::new();
    let mut used = 1;
    for c in text.chars().rev() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(c);
    }
    let start = if width > 0 { "…" } else { "" };
    start.chars().chain(kept.into_iter().rev()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_never_wider_than_it_may_be() {
        let row = Row::new()
            .with(Look::Strong, "Ramsey")
            .with(Look::Plain, " 電圧 e\u{301}tude");
        for width in 0..30 {
            let text = row.text(width, Paint::Plain);
            assert!(columns(&text) <= width, "{text} in {width}");
        }
        assert_eq!(row.text(9, Paint::Plain), "Ramsey …");
        assert_eq!(row.text(10, Paint::Plain), "Ramsey 電…");
        assert_eq!(row.text(80, Paint::Plain), "Ramsey 電圧 e\u{301}tude");
    }

    #[test]
    fn a_path_keeps_its_end() {
        assert_eq!(cut_front("root/loop/task", 6), "…/task");
        assert_eq!(cut_front("root", 4), "root");
        assert_eq!(cut_front("root", 0), "");
    }

    #[test]
    fn what_would_move_the_cursor_is_shown_instead() {
        assert_eq!(
            Row::new().with(Look::Plain, "a\x1b[2J\tb").text(80, Paint::Plain),
            "a\u{fffd}[2J b"
        );
    }
}
