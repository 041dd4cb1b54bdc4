//! Why a command cannot go on, and the one place where such errors are printed: with their causes, and with a hint where
//! one is known. Problems of measurements are no complaints; see [`crate::snippet`].

use std::{error::Error, path::Path};

use crate::terminal::Stream;

/// An error of a command, in words for the user.
#[derive(Debug)]
pub(crate) struct Complaint {
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
}

impl Complaint {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            causes: Vec::new(),
            hint: None,
        }
    }

    /// What was to be done with a file, and why it could not be.
    pub(crate) fn of_file(verb: &str, path: &Path, error: &dyn Error) -> Self {
        Self::new(format!("cannot {verb} `{}`", path.display())).because(error)
    }

    /// Adds an error with all that it goes back to.
    #[must_use]
    pub(crate) fn because(mut self, error: &dyn Error) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            self.causes.push(error.to_string());
            cause = error.source();
        }
        self
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The message with its causes in one line, for JSON.
    pub(crate) fn line(&self) -> String {
        let mut line = self.message.clone();
        for cause in &self.causes {
            line.push_str(": ");
            line.push_str(cause);
        }
        line
    }

    pub(crate) fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub(crate) fn text(&self, stream: Stream) -> String {
        let paint = stream.paint();
        let mut text = format!("{}: {}", paint.error("error"), self.line());
        if let Some(hint) = &self.hint {
            text.push_str(&format!("\n  {}: {hint}", paint.emphasis("help")));
        }
        text.push('\n');
        text
    }

    /// Says it on standard error.
    pub(crate) fn print(&self) {
        Stream::Error.write(&self.text(Stream::Error));
    }
}
