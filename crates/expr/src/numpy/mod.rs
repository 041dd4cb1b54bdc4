//! numpy's side of the values: arrays, scalars and record arrays; the functions, methods and attributes people use in formulas.
//!
//! The language (`eval`) asks here whenever an operand is a numpy value, or a name starts with `np.`; nothing here knows
//! of syntax. Reference: numpy 2.
//!
//! The modules stand in groups: what the language asks; functions that make, arrange and compute arrays; linear algebra;
//! and what all of them are made of, from `array` (elements in C order) to `loops` (promotion and broadcasting).
//! Deliberately absent: other widths than numpy's own (float32, int8…), arrays of objects, views, `out=`, warnings.

mod index;
mod members;
mod operators;
mod print;
mod protocol;

mod create;
mod random;
mod spaced;
mod window;

mod choice;
mod join;
mod shape;
mod sort;

mod calculus;
mod elementwise;
mod fft;
mod poly;
mod reduce;
mod rounding;
mod statistics;

mod decompose;
mod eigen;
mod linalg;

mod arithmetic;
mod array;
mod call;
mod grid;
mod kind;
mod loops;
mod operand;

use kind::Kind;

use crate::{Error, Value};

pub(crate) use index::subscript;
pub(crate) use members::{attribute, method};
pub(crate) use operators::{binary, compare, unary};
pub(crate) use print::{repr, str};
pub(crate) use protocol::{builtin, contains, iterate, truthy};

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

/// What stands behind a name after `np.`.
pub(crate) enum Name {
    Constant(Value),
    Function(Function),
}

/// Whether the value is numpy's: an operator that meets one asks here.
#[inline]
pub(crate) fn is_numpy(value: &Value) -> bool {
    matches!(value, Value::Scalar(_) | Value::Array(_) | Value::Record(_))
}

/// What `np.<path>` is; the path may hold dots: `linalg.norm`.
pub(crate) fn name(path: &str) -> Option<Name> {
    let constant = match path {
        "pi" => Value::Float(std::f64::consts::PI),
        "e" => Value::Float(std::f64::consts::E),
        "euler_gamma" => Value::Float(0.577_215_664_901_532_9),
        "inf" => Value::Float(f64::INFINITY),
        "nan" => Value::Float(f64::NAN),
        "newaxis" => Value::None,
        "True_" => Value::Scalar(crate::Scalar::Bool(true)),
        "False_" => Value::Scalar(crate::Scalar::Bool(false)),
        _ => return function(path).map(Name::Function),
    };
    Some(Name::Constant(constant))
}

fn function(path: &str) -> Option<Function> {
    const TABLES: [fn(&str) -> Option<Function>; 19] = [
        elementwise::function,
        reduce::function,
        statistics::function,
        create::function,
        spaced::function,
        shape::function,
        join::function,
        rounding::function,
        choice::function,
        sort::function,
        calculus::function,
        linalg::function,
        decompose::function,
        eigen::function,
        poly::function,
        fft::function,
        window::function,
        random::function,
        protocol::function,
    ];
    TABLES.iter().find_map(|table| table(path))
}
