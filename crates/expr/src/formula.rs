//! A formula: text that is compiled once and evaluated with the values of the entries that it names.

use crate::compile::{self, Compiled};
use crate::eval::{Frame, Node};
use crate::lexer::Braces;
use crate::limits;
use crate::parser;
use crate::{Error, Span, Value};

/// An entry that a text names, verbatim: blanks and dots belong to the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub name: String,
    /// Its first appearance, braces included.
    pub span: Span,
}

/// A compiled expression. It can be shared between threads; each evaluation has its own limits.
#[derive(Debug)]
pub struct Formula {
    text: String,
    references: Vec<Reference>,
    problems: Vec<Error>,
    node: Node,
    locals: usize,
}

impl Formula {
    /// Compiles `text`. Only what is no expression at all is an error here; see [`Formula::problems`] for the rest.
    pub fn parse(text: &str, braces: Braces) -> Result<Formula, Error> {
        limits::begin();
        let parser::Parsed { expression, references } = parser::parse(text, braces)?;
        let Compiled { node, locals, problems } = compile::compile(&expression);
        Ok(Formula {
            text: text.to_owned(),
            references,
            problems,
            node,
            locals,
        })
    }

    /// The distinct names in order of first appearance; the index is the slot of [`Formula::eval`].
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// What is found without evaluating: unknown names, functions and attributes that are not supported.
    pub fn problems(&self) -> &[Error] {
        &self.problems
    }

    /// The value, given that of each reference in the order of [`Formula::references`].
    pub fn eval(&self, entries: &[Value]) -> Result<Value, Error> {
        let _evaluation = limits::Evaluation::begin();
        let mut frame = Frame {
            entries,
            locals: vec![Value::None; self.locals],
        };
        let value = self.node.eval(&mut frame)?;
        limits::work(0)?;
        let is_composed = matches!(
            value,
            Value::List(_)
                | Value::Tuple(_)
                | Value::Dict(_)
                | Value::Set(_)
                | Value::Slice(_)
                | Value::Function(_)
                | Value::Array(_)
        );
        if is_composed && !matches!(self.node, Node::Entry(_)) {
            limits::result(&value)?;
        }
        Ok(value)
    }

    /// The text as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }
}
