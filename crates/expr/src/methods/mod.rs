//! Methods of Python's values, found by the kind of the object and the name.
//!
//! A method is a function whose first argument is the object. Those that change their object are absent: a value never
//! changes, and on a value that nobody else holds Python would show nothing but `None`.

mod bytes;
mod collection;
mod number;
mod string;

use crate::numpy::Function;
use crate::{Scalar, Value};

/// The method `name` of `object`.
pub(crate) fn method(object: &Value, name: &str) -> Option<Function> {
    match object {
        Value::Str(_) | Value::Scalar(Scalar::Str(_)) => string::method(name),
        Value::Bytes(_) => bytes::method(name),
        Value::List(_) => collection::list_method(name),
        Value::Tuple(_) | Value::Range(_) => collection::sequence_method(name),
        Value::Dict(_) => collection::dict_method(name),
        Value::Set(_) => collection::set_method(name),
        Value::Bool(_) | Value::Int(_) | Value::BigInt(_) => number::int_method(name),
        Value::Scalar(Scalar::Int(_)) if name == "bit_count" => number::int_method(name),
        Value::Float(_) | Value::Scalar(Scalar::Float(_)) => number::float_method(name),
        Value::Complex(_) => number::complex_method(name),
        Value::Slice(_) if name == "indices" => Some(collection::slice_indices),
        Value::None | Value::Slice(_) | Value::Ellipsis | Value::Scalar(_) | Value::Array(_) | Value::Record(_) => None,
        Value::Function(_) => None,
    }
}

/// `str.upper`, `dict.fromkeys`: what a type has.
pub(crate) fn of_type(type_name: &str, name: &str) -> Option<Function> {
    match type_name {
        "str" => string::method(name),
        "bytes" => bytes::type_method(name),
        "list" => collection::list_method(name),
        "tuple" | "range" => collection::sequence_method(name),
        "dict" => collection::dict_type_method(name),
        "set" => collection::set_method(name),
        "int" | "bool" => number::int_method(name),
        "float" => number::float_type_method(name),
        "complex" => number::complex_method(name),
        _ => None,
    }
}

/// Whether any value has a method of this name.
pub(crate) fn known(name: &str) -> bool {
    ["str", "bytes", "list", "dict", "set", "int", "float", "complex"]
        .iter()
        .any(|kind| of_type(kind, name).is_some())
        || bytes::method(name).is_some()
        || name == "indices"
}
