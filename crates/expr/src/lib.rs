//! Text → [`Value`]. Python's expression syntax with Python's and numpy's results, compiled once and evaluated often.
//!
//! A formula can compute and nothing else: there is no import, no file, no attribute that reaches an interpreter, and no
//! unbounded memory or time (`limits.rs`). Deliberately absent: statements, assignment, f-strings, and everything that
//! touches the world. The reference is CPython 3.11 with numpy 2; a differential test runs both.
//!
//! ```text
//! text ─lexer→ tokens ─parser→ syntax ─compile→ nodes ─eval→ value
//!                                        │                 └─ operators, compare, subscript, attributes, numpy
//!                                        └─ builtins: what names are
//! ```

mod formula;
mod literal;
mod template;

mod compile;
mod eval;
mod lexer;
mod limits;
mod loops;
mod parser;
mod syntax;

mod attributes;
mod builtins;
mod compare;
mod function;
mod methods;
mod operators;
mod parameters;
mod subscript;

mod complex;
mod distinct;
mod error;
mod floats;
mod integers;
mod json;
mod numpy;
mod received;
mod text;
mod value;

pub use error::{Error, ErrorKind, Span};
pub use formula::{Formula, Reference};
pub use function::Function;
pub use lexer::Braces;
pub use literal::parse_literal;
pub use template::Template;
pub use value::{Array, Dict, Range, RecordArray, Scalar, Set, Slice, Value};
