//! The tree of an expression as it is written: names are still text, scopes are not resolved.
//!
//! A node knows its depth, so that a tree that is too deep is refused while it is built and nothing that walks one later
//! can overflow the stack.

use std::sync::Arc;

use crate::limits::{self, MAX_TREE_DEPTH};
use crate::numpy::{BinaryOp, CompareOp, UnaryOp};
use crate::{Error, Span, Value};

#[derive(Debug)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) span: Span,
    pub(crate) depth: u32,
}

#[derive(Debug)]
pub(crate) enum ExprKind {
    Constant(Value),
    Name(Arc<str>),
    /// The slot of a reference.
    Entry(usize),
    Unary(UnaryOp, Box<Expr>),
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    /// `and` or `or` of two or more.
    Bool(BoolOp, Vec<Expr>),
    Not(Box<Expr>),
    Conditional {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
    Lambda {
        parameters: Vec<Parameter>,
        body: Box<Expr>,
    },
    Call {
        function: Box<Expr>,
        arguments: Vec<Argument>,
    },
    Attribute(Box<Expr>, Arc<str>),
    Subscript(Box<Expr>, Box<Expr>),
    Slice([Option<Box<Expr>>; 3]),
    Tuple(Vec<Expr>),
    List(Vec<Expr>),
    Set(Vec<Expr>),
    /// `None` as key is `**mapping`.
    Dict(Vec<(Option<Expr>, Expr)>),
    Comprehension {
        kind: ComprehensionKind,
        key: Option<Box<Expr>>,
        element: Box<Expr>,
        clauses: Vec<Clause>,
    },
    /// `*iterable` in a display, a call or a subscript.
    Starred(Box<Expr>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Values(CompareOp),
    In,
    NotIn,
    Is,
    IsNot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BoolOp {
    And,
    Or,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ComprehensionKind {
    List,
    Set,
    Dict,
    /// A list here: there are no lazy values.
    Generator,
}

/// `for target in iterable if condition…`
#[derive(Debug)]
pub(crate) struct Clause {
    pub(crate) target: Target,
    pub(crate) iterable: Expr,
    pub(crate) conditions: Vec<Expr>,
}

#[derive(Debug)]
pub(crate) enum Target {
    Name(Arc<str>),
    /// At most one element is starred.
    Tuple {
        before: Vec<Target>,
        starred: Option<Box<Target>>,
        after: Vec<Target>,
    },
}

#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: Arc<str>,
    pub(crate) kind: ParameterKind,
    pub(crate) default: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParameterKind {
    Plain,
    KeywordOnly,
    /// `*args`
    Rest,
    /// `**kwargs`
    Keywords,
}

#[derive(Debug)]
pub(crate) enum Argument {
    Positional(Expr),
    Starred(Expr),
    Keyword(Arc<str>, Expr),
    DoubleStarred(Expr),
}

impl Expr {
    /// A node over children of at most `depth`; a `LimitError` when the tree gets too deep.
    pub(crate) fn over(kind: ExprKind, span: Span, depth: u32) -> Result<Expr, Error> {
        let depth = depth.saturating_add(1);
        if depth > MAX_TREE_DEPTH {
            return Err(limits::exceeded(format!("operators more than {MAX_TREE_DEPTH} deep")).at(span));
        }
        Ok(Expr { kind, span, depth })
    }

    pub(crate) fn leaf(kind: ExprKind, span: Span) -> Expr {
        Expr { kind, span, depth: 1 }
    }
}

/// The deepest of `items`.
pub(crate) fn deepest<'e>(items: impl IntoIterator<Item = &'e Expr>) -> u32 {
    items.into_iter().map(|item| item.depth).max().unwrap_or(0)
}
