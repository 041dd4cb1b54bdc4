//! The bottom of the terminal: a few rows that are drawn again and again, with lines that scroll away above them.
//!
//! The terminal's own scrollback keeps every line; nothing is drawn on the alternate screen. A frame is one write. After
//! a resize the old rows have been wrapped anew by the terminal, so what they take now is counted from their widths.
//! Dropping a screen takes the rows away and shows the cursor again.

use super::row::Row;
use crate::terminal::{Paint, Stream};

/// A terminal with rows at its bottom.
pub(super) struct Screen {
    stream: Stream,
    paint: Paint,
    /// Columns of the rows that stand on the screen.
    drawn: Vec<usize>,
    /// What the last frame wrote, so that an equal one is not written.
    last: String,
}

const HIDE_CURSOR: &str = "\x1b[?25l";
const SHOW_CURSOR: &str = "\x1b[?25h";
/// A terminal that knows these shows a frame at once; others ignore them.
const BEGIN_FRAME: &str = "\x1b[?2026h";
const END_FRAME: &str = "\x1b[?2026l";

impl Screen {
    pub(super) fn open(stream: Stream) -> Screen {
        stream.write(HIDE_CURSOR);
        Screen {
            stream,
            paint: stream.paint(),
            drawn: Vec::new(),
            last: String::new(),
        }
    }

    pub(super) fn paint(&self) -> Paint {
        self.paint
    }

    /// Columns and rows; a terminal that does not say has the usual ones.
    pub(super) fn size(&self) -> (usize, usize) {
        self.stream.size().unwrap_or((80, 24))
    }

    /// Lets `above` scroll away and draws `rows` below; rows that the terminal has no room for are left out.
    pub(super) fn draw(&mut self, above: &str, rows: &[Row]) {
        let (width, height) = self.size();
        // The last line stays free, so that nothing scrolls that should not.
        let rows = &rows[..rows.len().min(height.saturating_sub(1))];
        let texts: Vec<String> = rows.iter().map(|row| row.text(width, self.paint)).collect();
        let frame = format!("{width} {}", texts.join("\n"));
        if above.is_empty() && frame == self.last {
            return;
        }
        self.last = frame;

        let mut out = String::from(BEGIN_FRAME);
        out.push_str(&self.back_to_the_top(width));
        for line in above.lines() {
            out.push_str(line);
            out.push_str("\x1b[K\r\n");
        }
        for (i, text) in texts.iter().enumerate() {
            if i > 0 {
                out.push_str("\r\n");
            }
            out.push_str(text);
            // Behind a full row the cursor stands on its last letter, which must stay.
            if rows[i].columns() < width {
                out.push_str("\x1b[K");
            }
        }
        out.push_str("\x1b[J");
        out.push_str(END_FRAME);
        self.drawn = rows.iter().map(|row| row.columns().min(width)).collect();
        self.stream.write(&out);
    }

    /// To the beginning of the first row that was drawn.
    fn back_to_the_top(&self, width: usize) -> String {
        let lines: usize = self
            .drawn
            .iter()
            .map(|columns| columns.div_ceil(width.max(1)).max(1))
            .sum();
        match lines {
            0 | 1 => "\r".to_owned(),
            lines => format!("\r\x1b[{}A", lines - 1),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let (width, _) = self.size();
        let mut out = self.back_to_the_top(width);
        out.push_str("\x1b[J");
        out.push_str(SHOW_CURSOR);
        self.stream.write(&out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_resize_the_wrapped_rows_are_counted() {
        let screen = |drawn| Screen {
            stream: Stream::Error,
            paint: Paint::Plain,
            drawn,
            last: String::new(),
        };
        let narrow = std::mem::ManuallyDrop::new(screen(vec![10, 0, 25]));
        assert_eq!(narrow.back_to_the_top(80), "\r\x1b[2A");
        assert_eq!(narrow.back_to_the_top(10), "\r\x1b[4A");
        assert_eq!(narrow.back_to_the_top(0), "\r\x1b[35A");
        assert_eq!(
            std::mem::ManuallyDrop::new(screen(Vec::new())).back_to_the_top(80),
            "\r"
        );
    }
}
