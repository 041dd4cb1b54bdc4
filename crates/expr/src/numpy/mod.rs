//! numpy's side of the values: arrays, scalars and record arrays; the functions, methods and attributes people use in formulas.
//!
//! The language (`eval`) asks here whenever an operand is a numpy value, or a name starts with `np.`; nothing here knows
//! of syntax. Reference: numpy 2.

use crate::{Error, Value};

/// Python's binary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Mod,
    Pow,
    MatMul,
    BitAnd,
    BitOr,
    BitXor,
    LeftShift,
    RightShift,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnaryOp {
    Neg,
    Pos,
    Invert,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CompareOp {
    Eq,
    NotEq,
    Less,
    LessEq,
    Greater,
    GreaterEq,
}

/// The arguments of a call, evaluated.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    pub(crate) positional: Vec<Value>,
    pub(crate) keywords: Vec<(std::sync::Arc<str>, Value)>,
}

/// A function behind a name: `np.sin`, or a method, which gets its object as first argument.
pub(crate) type Function = fn(Arguments) -> Result<Value, Error>;
