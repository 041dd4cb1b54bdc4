//! What goes wrong in an expression, named as Python names it, with the place in the text.

use std::fmt;

/// Bytes `start..end` of the expression's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

/// Python's exception classes that an expression can raise, and our own for what a formula may not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    SyntaxError,
    NameError,
    TypeError,
    ValueError,
    ZeroDivisionError,
    OverflowError,
    IndexError,
    KeyError,
    AttributeError,
    /// `numpy.linalg.LinAlgError`.
    LinAlgError,
    /// Too many elements, too deep, or too long: a formula's limits.
    LimitError,
    /// Python has it, we do not.
    NotSupported,
}

/// An error of an expression; `Display` reads as the last line of a Python traceback: `ZeroDivisionError: division by zero`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub kind: ErrorKind,
    pub message: String,
    /// Where in the text, when known.
    pub span: Option<Span>,
}

impl Error {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            span: None,
        }
    }

    /// The same error, placed; a place that is already known is more precise and stays.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span.get_or_insert(span);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.message)
    }
}

impl std::error::Error for Error {}
