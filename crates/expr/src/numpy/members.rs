//! Attributes and methods of numpy values: `x.shape`, `x.T`, `x.mean(axis=0)`.
//!
//! Most methods are the function of the same name with the object as first argument. Methods that change their object are
//! refused: a value never changes.

use std::sync::Arc;

use super::array::{to_python, type_error};
use super::call::{Call, signed_shape_of};
use super::create::to_list;
use super::join::flat;
use super::kind::{Kind, dtype_text};
use super::operand::array_of;
use super::print::{is_row, record_dtype};
use super::shape::{reshaped, shape_value, transposed};
use super::{Arguments, Function, function, index};
use crate::error::ErrorKind;
use crate::{Array, Error, RecordArray, Scalar, Value};

/// The attribute of a numpy value; `None` where it has no such attribute.
pub(crate) fn attribute(object: &Value, name: &str) -> Option<Result<Value, Error>> {
    match object {
        Value::Record(record) => record_attribute(record, name).map(Ok),
        Value::Array(_) | Value::Scalar(_) => {
            let array = array_of(object).ok()?;
            array_attribute(object, &array, name).map(Ok)
        }
        _ => None,
    }
}

fn int(count: usize) -> Value {
    Value::Int(count as i64)
}

fn array_attribute(object: &Value, array: &Array, name: &str) -> Option<Value> {
    let wrapped = |array: Array| match object {
        Value::Array(_) => array.into_array_value(),
        _ => array.into_value(),
    };
    let item_size = array.kind().item_size()
        * if array.kind() == Kind::Str {
            array.text_width()
        } else {
            1
        };
    Some(match name {
        "shape" => shape_value(array),
        "size" => int(array.count()),
        "ndim" => int(array.dims().len()),
        "T" | "mT" => wrapped(transposed(array, None).ok()?),
        "real" => wrapped(real(array)),
        "imag" => wrapped(imaginary(array)),
        "dtype" => Value::str(dtype_text(array)),
        "itemsize" => int(item_size),
        "nbytes" => int(item_size * array.count()),
        "flat" => flat(array).into_array_value(),
        "strides" => {
            let strides = super::grid::strides(array.dims());
            Value::tuple(strides.iter().map(|stride| int(stride * item_size)).collect())
        }
        _ => return None,
    })
}

fn record_attribute(record: &RecordArray, name: &str) -> Option<Value> {
    let rows = record.fields.first().map_or(0, |(_, column)| column.count());
    Some(match name {
        "dtype" => Value::str(record_dtype(record)),
        "shape" if is_row(record) => Value::tuple(Vec::new()),
        "shape" => Value::tuple(vec![int(rows)]),
        "ndim" => int(usize::from(!is_row(record))),
        "size" => int(rows),
        _ => return None,
    })
}

/// `array.real`.
pub(super) fn real(array: &Array) -> Array {
    match array {
        Array::Complex(data) => Array::of_floats(array.dims(), data.iter().map(|z| z.re).collect()),
        other => other.clone(),
    }
}

/// `array.imag`.
pub(super) fn imaginary(array: &Array) -> Array {
    match array {
        Array::Complex(data) => Array::of_floats(array.dims(), data.iter().map(|z| z.im).collect()),
        other => Array::full(other.dims(), &Array::zero(other.kind())).unwrap_or_else(|_| other.clone()),
    }
}

/// The method of a numpy value; it is called with the object as first argument.
pub(crate) fn method(object: &Value, name: &str) -> Option<Function> {
    match object {
        Value::Record(_) => record_method(name),
        Value::Array(array) => array_method(name).or_else(|| number_method(array.kind(), name)),
        // The rest of what text can do is Python's own.
        Value::Scalar(Scalar::Str(_)) => match name {
            "item" | "tolist" | "astype" => array_method(name),
            _ => None,
        },
        Value::Scalar(scalar) => scalar_method(scalar, name)
            .or_else(|| array_method(name))
            .or_else(|| number_method(super::loops::scalar_kind(scalar), name)),
        _ => None,
    }
}

/// Methods that are the function of the same name.
fn number_method(kind: Kind, name: &str) -> Option<Function> {
    const SAME: [&str; 28] = [
        "all",
        "any",
        "argmax",
        "argmin",
        "argsort",
        "clip",
        "conj",
        "conjugate",
        "cumprod",
        "cumsum",
        "diagonal",
        "dot",
        "max",
        "mean",
        "min",
        "nonzero",
        "prod",
        "ravel",
        "repeat",
        "round",
        "searchsorted",
        "squeeze",
        "std",
        "sum",
        "swapaxes",
        "take",
        "trace",
        "var",
    ];
    if kind == Kind::Str && matches!(name, "conj" | "conjugate") {
        return None;
    }
    if name == "compress" {
        return Some(|mut arguments| {
            if arguments.positional.len() >= 2 {
                arguments.positional.swap(0, 1);
            }
            super::choice::compress(arguments)
        });
    }
    SAME.contains(&name).then(|| function(name)).flatten()
}

fn array_method(name: &str) -> Option<Function> {
    Some(match name {
        "reshape" => |mut arguments| {
            let array = array_of(&arguments.positional.remove(0))?.into_owned();
            let fortran = match arguments.keywords.iter().find(|(name, _)| &**name == "order") {
                Some((_, order)) => order.as_str() == Some("F"),
                None => false,
            };
            let shape = spread_ints(arguments.positional)?;
            reshaped(&array, &shape, fortran).map(Array::into_array_value)
        },
        "transpose" => |mut arguments| {
            let array = array_of(&arguments.positional.remove(0))?.into_owned();
            let order = match &arguments.positional[..] {
                [] | [Value::None] => None,
                _ => Some(spread_ints(arguments.positional)?),
            };
            transposed(&array, order.as_deref()).map(Array::into_array_value)
        },
        "flatten" => |arguments| {
            let call = Call::bind("flatten", arguments, "a! order")?;
            let fortran = call.text("order")? == Some("F");
            reshaped(&*call.array("a")?, &[-1], fortran).map(Array::into_array_value)
        },
        "astype" => |arguments| {
            let call = Call::bind("astype", arguments, "a! dtype! order casting subok copy")?;
            let dtype = super::call::dtype_of(call.value("dtype"))?;
            let cast = call.array("a")?.cast(dtype)?;
            Ok(if matches!(call.value("a"), Value::Array(_)) {
                cast.into_array_value()
            } else {
                cast.into_value()
            })
        },
        "tolist" => |arguments| {
            let call = Call::bind("tolist", arguments, "a!")?;
            Ok(to_list(&*call.array("a")?))
        },
        "item" => item,
        "copy" | "__copy__" => |arguments| Ok(Call::bind("copy", arguments, "a! order")?.value("a").clone()),
        "sort" | "fill" | "put" | "resize" | "partition" | "setfield" | "setflags" => |_| {
            Err(Error::new(
                ErrorKind::NotSupported,
                "methods that change an array; a formula makes new ones (`np.sort(x)`, `np.full_like(x, 0)`)",
            ))
        },
        _ => return None,
    })
}

/// `x.reshape(2, 3)` and `x.reshape((2, 3))` are the same.
fn spread_ints(values: Vec<Value>) -> Result<Vec<i64>, Error> {
    match &values[..] {
        [] => Err(type_error("reshape() takes at least 1 argument (0 given)")),
        [one] => signed_shape_of(one),
        _ => signed_shape_of(&Value::tuple(values)),
    }
}

fn item(arguments: Arguments) -> Result<Value, Error> {
    let Some((object, index)) = arguments.positional.split_first() else {
        return Err(type_error("item() needs an object"));
    };
    let array = array_of(object)?;
    let element = match index {
        [] if array.count() == 1 => array.element(0),
        [] => {
            return Err(super::array::value_error(
                "can only convert an array of size 1 to a Python scalar",
            ));
        }
        [Value::Tuple(_)] => return element_at(object, &index[0]),
        [at] => array.element(index::place(super::kind::index_of(at)?, array.count(), 0)?),
        more => return element_at(object, &Value::tuple(more.to_vec())),
    };
    Ok(to_python(&element))
}

fn element_at(object: &Value, index: &Value) -> Result<Value, Error> {
    match index::subscript(object, index)? {
        Value::Scalar(scalar) => Ok(to_python(&scalar)),
        _ => Err(super::array::value_error("incorrect number of indices for array")),
    }
}

fn scalar_method(scalar: &Scalar, name: &str) -> Option<Function> {
    match (scalar, name) {
        (Scalar::Float(_), "is_integer") => Some(|arguments| {
            let call = Call::bind("is_integer", arguments, "a!")?;
            let x = call.array("a")?.floats()[0];
            Ok(Value::Bool(x.is_finite() && x.fract() == 0.0))
        }),
        (Scalar::Int(_), "is_integer") => Some(|_| Ok(Value::Bool(true))),
        (Scalar::Int(_), "bit_count") => Some(|arguments| {
            let call = Call::bind("bit_count", arguments, "a!")?;
            Ok(Value::Int(i64::from(
                call.array("a")?.ints()[0].unsigned_abs().count_ones(),
            )))
        }),
        _ => None,
    }
}

fn record_method(name: &str) -> Option<Function> {
    Some(match name {
        "copy" => |arguments| Ok(Call::bind("copy", arguments, "a! order")?.value("a").clone()),
        "tolist" | "item" => |arguments| {
            let call = Call::bind("tolist", arguments, "a!")?;
            let Value::Record(record) = call.value("a") else {
                return Err(type_error("a record array is meant"));
            };
            let count = record.fields.first().map_or(0, |(_, column)| column.count());
            let row = |i: usize| {
                Value::tuple(
                    record
                        .fields
                        .iter()
                        .map(|(_, column)| to_python(&column.element(i)))
                        .collect(),
                )
            };
            Ok(if is_row(record) {
                row(0)
            } else {
                Value::List(Arc::new((0..count).map(row).collect()))
            })
        },
        // A random generator is a row of its own kind.
        _ => return super::random::method(name),
    })
}
