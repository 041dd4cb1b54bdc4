//! The arguments of a builtin by name: what was given in order and what was named, or Python's error.

use crate::numpy::{self, Arguments};
use crate::{Error, ErrorKind, Value};

pub(crate) fn type_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::TypeError, message)
}

pub(crate) fn value_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::ValueError, message)
}

/// The arguments of `function` in the order of `names`, of which the first `required` must be there. A name that is empty
/// can only be given by its place.
pub(crate) fn parameters<const N: usize>(
    function: &str,
    arguments: Arguments,
    names: [&str; N],
    required: usize,
) -> Result<[Option<Value>; N], Error> {
    let mut values = [const { None }; N];
    let given = arguments.positional.len();
    if given > N {
        let at_most = if required == N { "exactly" } else { "at most" };
        return Err(type_error(format!(
            "{function}() takes {at_most} {N} arguments ({given} given)"
        )));
    }
    for (place, value) in values.iter_mut().zip(arguments.positional) {
        *place = Some(value);
    }
    for (name, value) in arguments.keywords {
        let Some(place) = names.iter().position(|known| !known.is_empty() && **known == *name) else {
            return Err(type_error(format!(
                "{function}() got an unexpected keyword argument '{name}'"
            )));
        };
        if values[place].is_some() {
            return Err(type_error(format!(
                "{function}() got multiple values for argument '{name}'"
            )));
        }
        values[place] = Some(value);
    }
    if let Some(missing) = values.iter().take(required).position(Option::is_none) {
        return Err(type_error(format!(
            "{function}() missing required argument {}",
            missing + 1
        )));
    }
    Ok(values)
}

/// The one argument of `function`.
pub(crate) fn one(function: &str, arguments: Arguments) -> Result<Value, Error> {
    let [value] = parameters(function, arguments, [""], 1)?;
    Ok(value.unwrap_or_default())
}

/// What numpy makes of the builtin `name` when the first argument is its own.
pub(crate) fn numpys(name: &str, arguments: &Arguments) -> Option<Result<Value, Error>> {
    match arguments.positional.first() {
        Some(first) if numpy::is_numpy(first) => numpy::builtin(name, arguments),
        _ => None,
    }
}

/// An integer that an operator of places needs: `__index__`.
pub(crate) fn index(value: &Value) -> Result<i64, Error> {
    if !value.is_integral() {
        let message = format!("'{}' object cannot be interpreted as an integer", value.type_name());
        return Err(type_error(message));
    }
    value
        .as_i64()
        .ok_or_else(|| Error::new(ErrorKind::OverflowError, "Python int too large to convert to C ssize_t"))
}

/// A float, or Python's complaint.
pub(crate) fn real(value: &Value) -> Result<f64, Error> {
    match value {
        Value::Float(number) => Ok(*number),
        Value::BigInt(big) => crate::integers::to_float(big),
        Value::Array(_) | Value::Scalar(crate::Scalar::Complex(_)) => {
            let arguments = Arguments {
                positional: vec![value.clone()],
                keywords: Vec::new(),
            };
            let converted = numpys("float", &arguments).unwrap_or_else(|| Err(not_real(value)))?;
            converted.as_f64().ok_or_else(|| not_real(value))
        }
        other => other.as_f64().ok_or_else(|| not_real(value)),
    }
}

fn not_real(value: &Value) -> Error {
    type_error(format!("must be real number, not {}", value.type_name()))
}
