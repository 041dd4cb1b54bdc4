//! Text → [`Value`]. Python's expression syntax with Python's and numpy's results, compiled once and evaluated often.
//!
//! A formula can compute and nothing else: there is no import, no file, no attribute that reaches an interpreter, and no
//! unbounded memory or time ([`limits`]). Deliberately absent: statements, assignment, f-strings, and everything that
//! touches the world. The reference is CPython 3.11 with numpy 2; a differential test runs both.

mod error;
mod numpy;
mod value;

pub use error::{Error, ErrorKind, Span};
pub use value::{Array, Dict, Range, RecordArray, Scalar, Set, Slice, Value};
