//! Methods of lists, tuples, ranges, dicts, sets and slices.

use std::sync::Arc;

use crate::numpy::{Arguments, BinaryOp, Function};
use crate::parameters::{index, one, parameters, type_error, value_error};
use crate::subscript;
use crate::{Dict, Error, ErrorKind, Set, Value};
use crate::{compare, distinct, limits, operators};

pub(super) fn sequence_method(name: &str) -> Option<Function> {
    let function: Function = match name {
        "index" => position,
        "count" => |arguments| {
            let [sequence, item] = two("count", arguments)?;
            let count = sequence
                .items()?
                .iter()
                .filter(|other| compare::same_or_equal(other, &item))
                .count();
            Ok(Value::Int(count as i64))
        },
        _ => return None,
    };
    Some(function)
}

pub(super) fn list_method(name: &str) -> Option<Function> {
    if name == "copy" {
        return Some(|arguments| one("copy", arguments));
    }
    sequence_method(name)
}

fn two(name: &str, arguments: Arguments) -> Result<[Value; 2], Error> {
    let [first, second] = parameters(name, arguments, ["", ""], 2)?;
    Ok([first.unwrap_or_default(), second.unwrap_or_default()])
}

fn position(arguments: Arguments) -> Result<Value, Error> {
    let [sequence, item, start, stop] = parameters("index", arguments, [""; 4], 2)?;
    let (sequence, item) = (sequence.unwrap_or_default(), item.unwrap_or_default());
    let items = sequence.items()?;
    let length = items.len();
    let bound = |value: Option<Value>, default: usize| -> Result<usize, Error> {
        let Some(value) = value else { return Ok(default) };
        let place = index(&value)?;
        let place = if place < 0 {
            place.saturating_add_unsigned(length as u64).max(0)
        } else {
            place
        };
        Ok(usize::try_from(place).unwrap_or(0).min(length))
    };
    let (start, stop) = (bound(start, 0)?, bound(stop, length)?);
    let found = (start..stop).find(|place| compare::same_or_equal(&items[*place], &item));
    if found.is_none() {
        limits::written(&item)?;
    }
    match found {
        Some(place) => Ok(Value::Int(place as i64)),
        None => Err(value_error(match &sequence {
            Value::Tuple(_) => "tuple.index(x): x not in tuple".to_owned(),
            _ => format!("{} is not in {}", item.repr(), sequence.type_name()),
        })),
    }
}

fn dict_of(value: Value) -> Result<Arc<Dict>, Error> {
    match value {
        Value::Dict(dict) => Ok(dict),
        other => Err(type_error(format!(
            "a 'dict' object is required, not '{}'",
            other.type_name()
        ))),
    }
}

pub(super) fn dict_method(name: &str) -> Option<Function> {
    let function: Function = match name {
        "get" => |arguments| {
            let [dict, key, default] = parameters("get", arguments, ["", "", ""], 2)?;
            let (dict, key) = (dict_of(dict.unwrap_or_default())?, key.unwrap_or_default());
            distinct::hash(&key)?;
            let found = dict.items.iter().find(|(other, _)| compare::equal(other, &key));
            Ok(found.map_or(default.unwrap_or_default(), |(_, value)| value.clone()))
        },
        "keys" => |arguments| one("keys", arguments)?.items().map(Value::list),
        "values" => |arguments| {
            let dict = dict_of(one("values", arguments)?)?;
            limits::elements(dict.items.len())?;
            Ok(Value::list(dict.items.iter().map(|(_, value)| value.clone()).collect()))
        },
        "items" => |arguments| {
            let dict = dict_of(one("items", arguments)?)?;
            limits::elements(dict.items.len() * 3)?;
            let pairs = dict
                .items
                .iter()
                .map(|(key, value)| Value::tuple(vec![key.clone(), value.clone()]));
            Ok(Value::list(pairs.collect()))
        },
        "copy" => |arguments| one("copy", arguments),
        _ => return None,
    };
    Some(function)
}

pub(super) fn dict_type_method(name: &str) -> Option<Function> {
    if name == "fromkeys" {
        return Some(|arguments| {
            let [keys, value] = parameters("fromkeys", arguments, ["", ""], 1)?;
            let value = value.unwrap_or_default();
            let keys = keys.unwrap_or_default().items()?;
            let items = distinct::keyed(keys.into_iter().map(|key| (key, value.clone())).collect())?;
            Ok(Value::Dict(Arc::new(Dict { items })))
        });
    }
    dict_method(name)
}

pub(super) fn set_method(name: &str) -> Option<Function> {
    let function: Function = match name {
        "union" => |arguments| combine(arguments, BinaryOp::BitOr),
        "intersection" => |arguments| combine(arguments, BinaryOp::BitAnd),
        "difference" => |arguments| combine(arguments, BinaryOp::Sub),
        "symmetric_difference" => |arguments| combine(arguments, BinaryOp::BitXor),
        "issubset" => |arguments| {
            let [set, other] = two("issubset", arguments)?;
            within(&set, &other)
        },
        "issuperset" => |arguments| {
            let [set, other] = two("issuperset", arguments)?;
            within(&other, &set)
        },
        "isdisjoint" => |arguments| {
            let [set, other] = two("isdisjoint", arguments)?;
            let common = operators::binary(BinaryOp::BitAnd, &set, &as_set(&other)?)?;
            Ok(Value::Bool(!common.truthy()?))
        },
        "copy" => |arguments| one("copy", arguments),
        _ => return None,
    };
    Some(function)
}

fn as_set(value: &Value) -> Result<Value, Error> {
    if let Value::Set(_) = value {
        return Ok(value.clone());
    }
    Ok(Value::Set(Arc::new(Set {
        items: distinct::distinct(value.items()?)?,
    })))
}

fn combine(arguments: Arguments, operator: BinaryOp) -> Result<Value, Error> {
    if !arguments.keywords.is_empty() {
        return Err(type_error("methods of a set take no keyword arguments"));
    }
    let mut values = arguments.positional.into_iter();
    let mut result = values.next().unwrap_or_default();
    for other in values {
        result = operators::binary(operator, &result, &as_set(&other)?)?;
    }
    Ok(result)
}

fn within(inner: &Value, outer: &Value) -> Result<Value, Error> {
    let rest = operators::binary(BinaryOp::Sub, &as_set(inner)?, &as_set(outer)?)?;
    Ok(Value::Bool(!rest.truthy()?))
}

pub(super) fn slice_indices(arguments: Arguments) -> Result<Value, Error> {
    let [slice, length] = two("indices", arguments)?;
    let Value::Slice(slice) = slice else {
        return Err(type_error("a 'slice' object is required"));
    };
    let length = usize::try_from(index(&length)?)
        .map_err(|_| Error::new(ErrorKind::ValueError, "length should not be negative"))?;
    let places = subscript::places(&slice, length)?;
    Ok(Value::tuple(vec![
        Value::Int(places.start),
        Value::Int(places.stop),
        Value::Int(places.step),
    ]))
}
