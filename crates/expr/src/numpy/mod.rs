//! numpy's side of the values: arrays, scalars and record arrays; the functions, methods and attributes people use in formulas.
//!
//! The language (`eval`) asks here whenever an operand is a numpy value, or a name starts with `np.`; nothing here knows
//! of syntax. Reference: numpy 2.

use crate::error::ErrorKind;
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

/// What stands behind a name after `np.`.
pub(crate) enum Name {
    Constant(Value),
    Function(Function),
}

/// Whether the value is numpy's: an operator that meets one asks here.
pub(crate) fn is_numpy(value: &Value) -> bool {
    matches!(value, Value::Scalar(_) | Value::Array(_) | Value::Record(_))
}

/// `left op right`, at least one of them numpy's.
pub(crate) fn binary(op: BinaryOp, left: &Value, right: &Value) -> Result<Value, Error> {
    let _ = (left, right);
    Err(Error::new(ErrorKind::NotSupported, format!("`{op:?}` on arrays")))
}

pub(crate) fn unary(op: UnaryOp, value: &Value) -> Result<Value, Error> {
    let _ = value;
    Err(Error::new(ErrorKind::NotSupported, format!("`{op:?}` on arrays")))
}

/// `left op right` element by element: an array of bool, or a `np.bool`.
pub(crate) fn compare(op: CompareOp, left: &Value, right: &Value) -> Result<Value, Error> {
    let _ = (left, right);
    Err(Error::new(ErrorKind::NotSupported, format!("`{op:?}` on arrays")))
}

/// What `np.<path>` is; the path may hold dots: `linalg.norm`.
pub(crate) fn name(path: &str) -> Option<Name> {
    match path {
        "pi" => Some(Name::Constant(Value::Float(std::f64::consts::PI))),
        _ => None,
    }
}

/// The method of a numpy value; it is called with the object as first argument.
pub(crate) fn method(object: &Value, name: &str) -> Option<Function> {
    let _ = (object, name);
    None
}

/// The attribute of a numpy value.
pub(crate) fn attribute(object: &Value, name: &str) -> Option<Result<Value, Error>> {
    let _ = (object, name);
    None
}

/// `object[index]`.
pub(crate) fn subscript(object: &Value, index: &Value) -> Result<Value, Error> {
    let _ = (object, index);
    Err(Error::new(ErrorKind::NotSupported, "subscripts of arrays"))
}

/// `str(value)` as numpy words it.
pub(crate) fn str(value: &Value) -> String {
    format!("{value:?}")
}

/// `repr(value)` as numpy words it.
pub(crate) fn repr(value: &Value) -> String {
    format!("{value:?}")
}

/// What `for x in value` meets.
pub(crate) fn iterate(value: &Value) -> Result<Vec<Value>, Error> {
    let _ = value;
    Err(Error::new(ErrorKind::NotSupported, "iteration over arrays"))
}

/// `bool(value)`.
pub(crate) fn truthy(value: &Value) -> Result<bool, Error> {
    let _ = value;
    Err(Error::new(ErrorKind::NotSupported, "truth of arrays"))
}

/// `item in container`.
pub(crate) fn contains(container: &Value, item: &Value) -> Result<bool, Error> {
    let _ = (container, item);
    Err(Error::new(ErrorKind::NotSupported, "`in` on arrays"))
}

/// Python's builtin `name` where its first argument is numpy's; `None` where the language does it.
pub(crate) fn builtin(name: &str, arguments: &Arguments) -> Option<Result<Value, Error>> {
    let _ = (name, arguments);
    None
}
