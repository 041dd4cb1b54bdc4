//! Names that every formula knows: Python's builtins, Exopy's math functions, `Pi`, `cm` and `np`.

mod cmath;
mod convert;
mod inspect;
mod math;
mod number;
mod sequence;

use crate::eval::FloatResult;
use crate::function::Function;
use crate::numpy;
use crate::{Error, ErrorKind, Value};

/// What a bare name is; an error where Python knows it and a formula does not.
pub(crate) fn name(name: &str) -> Option<Result<Value, Error>> {
    if let Some(call) = convert::types(name).or_else(|| inspect::types(name)) {
        return Some(Ok(Value::Function(Function::of_type(name, call))));
    }
    let call = math::function(name)
        .or_else(|| number::function(name))
        .or_else(|| sequence::function(name))
        .or_else(|| inspect::function(name));
    if let Some(call) = call {
        return Some(Ok(Value::Function(Function::native(name, call))));
    }
    match name {
        "Pi" => Some(Ok(Value::Float(std::f64::consts::PI))),
        "Ellipsis" => Some(Ok(Value::Ellipsis)),
        "np" | "cm" => {
            let message = format!("`{name}` alone: a formula uses what is in it, as in `{name}.sqrt(2)`");
            Some(Err(Error::new(ErrorKind::NotSupported, message)))
        }
        _ if REFUSED.contains(&name) => Some(Err(Error::new(
            ErrorKind::NotSupported,
            format!("`{name}` is not available in a formula"),
        ))),
        _ => None,
    }
}

/// What `np.…` and `cm.…` are; none for paths that begin otherwise.
pub(crate) fn module_name(path: &str) -> Option<Result<Value, Error>> {
    let (module, rest) = path.split_once('.')?;
    let found = match module {
        "np" => numpy::name(rest).map(|found| match found {
            numpy::Name::Constant(value) => value,
            numpy::Name::Function(call) if is_numpy_type(rest) => Value::Function(Function::of_type(path, call)),
            numpy::Name::Function(call) => Value::Function(Function::native(path, call)),
        }),
        "cm" => cmath::constant(rest)
            .or_else(|| cmath::function(rest).map(|call| Value::Function(Function::native(path, call)))),
        _ => return None,
    };
    Some(found.ok_or_else(|| Error::new(ErrorKind::NotSupported, format!("`{path}` is not supported"))))
}

fn is_numpy_type(name: &str) -> bool {
    matches!(
        name,
        "float64" | "int64" | "complex128" | "bool" | "bool_" | "str_" | "ndarray" | "double" | "int_" | "intp"
    )
}

/// A function from float to float.
pub(crate) type FloatFunction = fn(f64) -> f64;

/// The short way for functions of one float.
pub(crate) fn float_function(name: &str) -> Option<(FloatFunction, FloatResult)> {
    if let Some(compute) = math::float_function(name) {
        return Some((compute, FloatResult::Python));
    }
    let compute: FloatFunction = match name.strip_prefix("np.")? {
        "sin" => f64::sin,
        "cos" => f64::cos,
        "tan" => f64::tan,
        "arcsin" => f64::asin,
        "arccos" => f64::acos,
        "arctan" => f64::atan,
        "sinh" => f64::sinh,
        "cosh" => f64::cosh,
        "tanh" => f64::tanh,
        "exp" => f64::exp,
        "log" => f64::ln,
        "log10" => f64::log10,
        "log2" => f64::log2,
        "sqrt" => f64::sqrt,
        "abs" | "absolute" => f64::abs,
        "square" => |number| number * number,
        _ => return None,
    };
    Some((compute, FloatResult::Numpy))
}

/// Python's builtins that a formula does not have: they reach the interpreter or the world, or make lazy values.
const REFUSED: [&str; 33] = [
    "__import__",
    "aiter",
    "anext",
    "breakpoint",
    "bytearray",
    "classmethod",
    "compile",
    "copyright",
    "credits",
    "delattr",
    "dir",
    "eval",
    "exec",
    "exit",
    "frozenset",
    "getattr",
    "globals",
    "hasattr",
    "hash",
    "help",
    "id",
    "input",
    "issubclass",
    "locals",
    "memoryview",
    "object",
    "open",
    "print",
    "property",
    "quit",
    "setattr",
    "super",
    "vars",
];
