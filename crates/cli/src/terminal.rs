//! The two streams a command speaks on: whether they are terminals, how wide, whether in colours, and writing to them.
//!
//! A reader that goes away (`measurand tasks | head`) is no error and no panic. Deliberately absent: the live display,
//! which owns the terminal while a measurement runs.

use std::io::{self, IsTerminal, Write};

use rustix::termios::{tcgetpgrp, tcgetwinsize};

/// Standard output or standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Output,
    Error,
}

/// Whether words are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    Plain,
    Coloured,
}

/// Columns of a text that goes to a file or a pipe: wide enough for any path, narrow enough to read.
const WIDTH_OF_A_FILE: usize = 140;

impl Stream {
    pub(crate) fn is_terminal(self) -> bool {
        match self {
            Stream::Output => io::stdout().is_terminal(),
            Stream::Error => io::stderr().is_terminal(),
        }
    }

    /// Colours on a terminal, unless `NO_COLOR` is set or the terminal is dumb.
    pub(crate) fn paint(self) -> Paint {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if self.is_terminal() && !refused && !dumb {
            Paint::Coloured
        } else {
            Paint::Plain
        }
    }

    /// Whether it is a terminal with a movable cursor that this process may draw on: a background job may not.
    pub(crate) fn can_be_drawn_on(self) -> bool {
        let group = match self {
            Stream::Output => tcgetpgrp(io::stdout()),
            Stream::Error => tcgetpgrp(io::stderr()),
        };
        let in_foreground = group.is_ok_and(|group| group == rustix::process::getpgrp());
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        self.is_terminal() && in_foreground && !dumb
    }

    pub(crate) fn width(self) -> usize {
        self.size().map_or(WIDTH_OF_A_FILE, |(columns, _)| columns.max(20))
    }

    /// Columns and rows of a terminal that says so.
    pub(crate) fn size(self) -> Option<(usize, usize)> {
        let size = match self {
            Stream::Output => tcgetwinsize(io::stdout()),
            Stream::Error => tcgetwinsize(io::stderr()),
        };
        let size = size.ok().filter(|size| size.ws_col > 0 && size.ws_row > 0)?;
        Some((usize::from(size.ws_col), usize::from(size.ws_row)))
    }

    pub(crate) fn write(self, text: &str) {
        self.try_write(text).ok(); // Nobody is left to be told that nobody reads.
    }

    /// # Errors
    /// The stream is closed, or what it leads to is full.
    pub(crate) fn try_write(self, text: &str) -> io::Result<()> {
        match self {
            Stream::Output => {
                let mut stream = io::stdout().lock();
                stream.write_all(text.as_bytes())?;
                stream.flush()
            }
            Stream::Error => io::stderr().lock().write_all(text.as_bytes()),
        }
    }
}

impl Paint {
    pub(crate) fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(crate) fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    pub(crate) fn error(self, text: &str) -> String {
        self.with("1;31", text)
    }

    pub(crate) fn warning(self, text: &str) -> String {
        self.with("33", text)
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    pub(crate) fn emphasis(self, text: &str) -> String {
        self.with("36", text)
    }

    /// Black on one of the terminal's eight colours.
    pub(crate) fn coloured_ground(self, colour: u8, text: &str) -> String {
        self.with(&format!("1;30;4{}", colour % 8), text)
    }

    /// In any colour, on a ground of another, or the nearest of 256 where the terminal does not claim to have more.
    pub(crate) fn rgb(self, colour: [u8; 3], ground: Option<[u8; 3]>, text: &str) -> String {
        if self == Paint::Plain {
            return text.to_owned();
        }
        let claimed = std::env::var("COLORTERM").is_ok_and(|claim| matches!(claim.as_str(), "truecolor" | "24bit"));
        let code = |[red, green, blue]: [u8; 3]| {
            // A cube of six steps a colour begins at 16.
            let step = |part: u8| (u16::from(part) * 5 + 127) / 255;
            match claimed {
                true => format!("2;{red};{green};{blue}"),
                false => format!("5;{}", 16 + 36 * step(red) + 6 * step(green) + step(blue)),
            }
        };
        let ground = ground.map(|ground| format!(";48;{}", code(ground))).unwrap_or_default();
        self.with(&format!("38;{}{ground}", code(colour)), text)
    }

    fn with(self, code: &str, text: &str) -> String {
        match self {
            Paint::Plain => text.to_owned(),
            Paint::Coloured if text.is_empty() => String::new(),
            Paint::Coloured => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }
}

/// A text of somebody else's on one line of a terminal: what would move the cursor or change its colour is shown instead.
pub(crate) fn harmless(text: &str) -> String {
    let letter = |c: char| match c {
        '\t' | '\n' | '\r' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.chars().map(letter).collect()
}
