//! `object.name`: attributes of numbers, methods of texts and containers, and what numpy's values have.
//!
//! A closed list: there is no attribute that leads from a value to the interpreter, and none that begins with `_`.

use ndarray::{ArrayD, IxDyn};

use crate::function::Function;
use crate::methods;
use crate::numpy;
use crate::{Array, Error, ErrorKind, RecordArray, Scalar, Value};

/// `object.name`, a method bound to its object.
pub(crate) fn attribute(object: &Value, name: &str) -> Result<Value, Error> {
    if numpy::is_numpy(object)
        && let Some(found) = numpy::attribute(object, name)
    {
        return found;
    }
    if let Some(value) = plain(object, name) {
        return Ok(value);
    }
    if let Some(call) = method(object, name) {
        return Ok(Value::Function(Function::bound(object.clone(), name, call)));
    }
    if let Value::Function(function) = object
        && function.is_type()
        && let Some(call) = methods::of_type(function.name(), name)
    {
        return Ok(Value::Function(Function::native(name, call)));
    }
    let owner = match object {
        Value::Function(function) if function.is_type() => format!("type object '{}'", function.name()),
        other => format!("'{}' object", other.type_name()),
    };
    Err(Error::new(
        ErrorKind::AttributeError,
        format!("{owner} has no attribute '{name}'"),
    ))
}

/// The method `name` of `object`; it is called with the object as first argument.
pub(crate) fn method(object: &Value, name: &str) -> Option<numpy::Function> {
    if numpy::is_numpy(object)
        && let Some(found) = numpy::method(object, name)
    {
        return Some(found);
    }
    methods::method(object, name)
}

fn plain(object: &Value, name: &str) -> Option<Value> {
    Some(match (object, name) {
        (Value::Bool(b), "real" | "numerator") => Value::Int(i64::from(*b)),
        (Value::Int(_) | Value::BigInt(_) | Value::Float(_), "real") => object.clone(),
        (Value::Int(_) | Value::BigInt(_), "numerator") => object.clone(),
        (Value::Bool(_) | Value::Int(_) | Value::BigInt(_), "imag") => Value::Int(0),
        (Value::Bool(_) | Value::Int(_) | Value::BigInt(_), "denominator") => Value::Int(1),
        (Value::Float(_), "imag") => Value::Float(0.0),
        (Value::Complex(number), "real") => Value::Float(number.re),
        (Value::Complex(number), "imag") => Value::Float(number.im),
        (Value::Range(range), "start") => Value::Int(range.start),
        (Value::Range(range), "stop") => Value::Int(range.stop),
        (Value::Range(range), "step") => Value::Int(range.step),
        (Value::Slice(slice), "start") => slice.start.clone(),
        (Value::Slice(slice), "stop") => slice.stop.clone(),
        (Value::Slice(slice), "step") => slice.step.clone(),
        _ => return None,
    })
}

/// Why no value can have the attribute, as far as its name tells.
pub(crate) fn refused(name: &str) -> Option<Error> {
    if name.starts_with('_') {
        let message = format!("`{name}`: attributes that begin with `_` are not available in a formula");
        return Some(Error::new(ErrorKind::NotSupported, message));
    }
    if methods::known(name) || specimens().iter().any(|object| attribute(object, name).is_ok()) {
        return None;
    }
    Some(Error::new(
        ErrorKind::NotSupported,
        format!("no value of a formula has an attribute `{name}`"),
    ))
}

/// One value of each kind: what none of them has, no value has.
fn specimens() -> [Value; 12] {
    let float = Array::Float(ArrayD::zeros(IxDyn(&[1])));
    let complex = Array::Complex(ArrayD::zeros(IxDyn(&[1])));
    let text = Array::Str {
        width: 1,
        data: ArrayD::from_elem(IxDyn(&[1]), "a".into()),
    };
    [
        Value::Int(1),
        Value::Float(1.0),
        Value::Complex(num_complex::Complex64::new(1.0, 1.0)),
        Value::Range(
            crate::Range {
                start: 0,
                stop: 1,
                step: 1,
            }
            .into(),
        ),
        Value::Slice(
            crate::Slice {
                start: Value::None,
                stop: Value::None,
                step: Value::None,
            }
            .into(),
        ),
        Value::Scalar(Scalar::Int(1)),
        Value::Scalar(Scalar::Float(1.0)),
        RecordArray {
            fields: vec![("a".into(), float.clone())],
        }
        .into(),
        float.into(),
        Array::Int(ArrayD::zeros(IxDyn(&[1]))).into(),
        complex.into(),
        text.into(),
    ]
}
