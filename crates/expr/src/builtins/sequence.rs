//! Builtins on sequences. What Python computes lazily is a list here.

use crate::compare;
use crate::eval::weight;
use crate::function::call_value;
use crate::limits;
use crate::numpy::{Arguments, BinaryOp, CompareOp, Function};
use crate::operators;
use crate::parameters::{index, numpys, one, parameters, type_error, value_error};
use crate::{Error, Value};

pub(super) fn function(name: &str) -> Option<Function> {
    let function: Function = match name {
        "len" => |arguments| {
            Ok(Value::Int(
                i64::try_from(one("len", arguments)?.len()?).unwrap_or(i64::MAX),
            ))
        },
        "min" => |arguments| extreme("min", arguments, CompareOp::Less),
        "max" => |arguments| extreme("max", arguments, CompareOp::Greater),
        "sum" => sum,
        "sorted" => sorted,
        "reversed" => |arguments| {
            let value = one("reversed", arguments)?;
            if matches!(value, Value::Set(_)) {
                return Err(type_error("'set' object is not reversible"));
            }
            let mut items = value.items()?;
            items.reverse();
            Ok(Value::list(items))
        },
        "enumerate" => enumerate,
        "zip" => zip,
        "map" => map,
        "filter" => filter,
        "any" => |arguments| quantify("any", arguments, true),
        "all" => |arguments| quantify("all", arguments, false),
        "iter" => |arguments| one("iter", arguments)?.items().map(Value::list),
        "next" => next,
        _ => return None,
    };
    Some(function)
}

fn call_one(function: &Value, argument: Value) -> Result<Value, Error> {
    limits::work(1 + weight(&argument))?;
    call_value(
        function,
        Arguments {
            positional: vec![argument],
            keywords: Vec::new(),
        },
    )
}

/// The value by which `item` is ordered.
fn key_of(key: Option<&Value>, item: &Value) -> Result<Value, Error> {
    match key {
        None | Some(Value::None) => Ok(item.clone()),
        Some(key) => call_one(key, item.clone()),
    }
}

/// Takes the keyword `name` out of the arguments.
fn take(arguments: &mut Arguments, name: &str) -> Option<Value> {
    let place = arguments.keywords.iter().position(|(keyword, _)| **keyword == *name)?;
    Some(arguments.keywords.remove(place).1)
}

fn extreme(name: &str, mut arguments: Arguments, better: CompareOp) -> Result<Value, Error> {
    if arguments.positional.len() == 1
        && let Some(result) = numpys(name, &arguments)
    {
        return result;
    }
    let (key, default) = (take(&mut arguments, "key"), take(&mut arguments, "default"));
    if let Some((other, _)) = arguments.keywords.first() {
        return Err(type_error(format!(
            "'{other}' is an invalid keyword argument for {name}()"
        )));
    }
    let mut positional = arguments.positional;
    let items = match positional.len() {
        0 => return Err(type_error(format!("{name} expected at least 1 argument, got 0"))),
        1 => positional.remove(0).items()?,
        _ if default.is_some() => {
            let message = format!("Cannot specify a default for {name}() with multiple positional arguments");
            return Err(type_error(message));
        }
        _ => positional,
    };
    let mut best: Option<(Value, Value)> = None;
    for item in items {
        let rank = key_of(key.as_ref(), &item)?;
        let wins = match &best {
            None => true,
            Some((leader, _)) => compare::compare_values(better, &rank, leader)?.truthy()?,
        };
        if wins {
            best = Some((rank, item));
        }
    }
    match (best, default) {
        (Some((_, item)), _) => Ok(item),
        (None, Some(default)) => Ok(default),
        (None, None) => Err(value_error(format!("{name}() arg is an empty sequence"))),
    }
}

fn sum(arguments: Arguments) -> Result<Value, Error> {
    if let Some(result) = numpys("sum", &arguments) {
        return result;
    }
    let [items, start] = parameters("sum", arguments, ["", "start"], 1)?;
    let mut total = start.unwrap_or(Value::Int(0));
    if let Value::Str(_) = total {
        return Err(type_error("sum() can't sum strings [use ''.join(seq) instead]"));
    }
    let items = items.unwrap_or_default();
    if let Value::Range(range) = &items {
        for number in range.iter() {
            limits::work(1)?;
            total = operators::binary(BinaryOp::Add, &total, &Value::Int(number))?;
        }
        return Ok(total);
    }
    for item in items.items()? {
        total = operators::binary(BinaryOp::Add, &total, &item)?;
    }
    Ok(total)
}

fn sorted(mut arguments: Arguments) -> Result<Value, Error> {
    let (key, reverse) = (take(&mut arguments, "key"), take(&mut arguments, "reverse"));
    let reverse = match reverse {
        Some(reverse) => reverse.truthy()?,
        None => false,
    };
    let mut items = one("sorted", arguments)?.items()?;
    if reverse {
        // Reversed before and after: equal elements keep their order.
        items.reverse();
    }
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        keyed.push((key_of(key.as_ref(), &item)?, item));
    }
    let mut sorted: Vec<Value> = compare::sort(keyed)?.into_iter().map(|(_, item)| item).collect();
    if reverse {
        sorted.reverse();
    }
    Ok(Value::list(sorted))
}

fn enumerate(arguments: Arguments) -> Result<Value, Error> {
    let [items, start] = parameters("enumerate", arguments, ["iterable", "start"], 1)?;
    let start = match start {
        Some(start) => index(&start)?,
        None => 0,
    };
    let items = items.unwrap_or_default().items()?;
    limits::elements(items.len() * 2)?;
    let number = |place: usize| Value::Int(start.saturating_add_unsigned(place as u64));
    let pairs = items
        .into_iter()
        .enumerate()
        .map(|(place, item)| Value::tuple(vec![number(place), item]));
    Ok(Value::list(pairs.collect()))
}

fn columns(values: Vec<Value>) -> Result<Vec<Vec<Value>>, Error> {
    values.iter().map(Value::items).collect()
}

fn zip(mut arguments: Arguments) -> Result<Value, Error> {
    let strict = match take(&mut arguments, "strict") {
        Some(strict) => strict.truthy()?,
        None => false,
    };
    if !arguments.keywords.is_empty() {
        return Err(type_error("zip() takes no keyword arguments but strict"));
    }
    let columns = columns(arguments.positional)?;
    let length = columns.iter().map(Vec::len).min().unwrap_or(0);
    if strict && columns.iter().any(|column| column.len() != length) {
        return Err(value_error("zip() arguments have different lengths"));
    }
    Ok(Value::list(
        rows(columns, length)?.into_iter().map(Value::tuple).collect(),
    ))
}

fn rows(columns: Vec<Vec<Value>>, length: usize) -> Result<Vec<Vec<Value>>, Error> {
    limits::elements(length.saturating_mul(columns.len() + 1))?;
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    Ok((0..length)
        .map(|_| columns.iter_mut().filter_map(Iterator::next).collect())
        .collect())
}

fn map(arguments: Arguments) -> Result<Value, Error> {
    if !arguments.keywords.is_empty() {
        return Err(type_error("map() takes no keyword arguments"));
    }
    let mut positional = arguments.positional;
    if positional.len() < 2 {
        return Err(type_error("map() must have at least two arguments."));
    }
    let function = positional.remove(0);
    let columns = columns(positional)?;
    let length = columns.iter().map(Vec::len).min().unwrap_or(0);
    let mut results = Vec::with_capacity(length);
    for row in rows(columns, length)? {
        limits::work(1 + row.iter().map(weight).sum::<usize>())?;
        results.push(call_value(
            &function,
            Arguments {
                positional: row,
                keywords: Vec::new(),
            },
        )?);
    }
    Ok(Value::list(results))
}

fn filter(arguments: Arguments) -> Result<Value, Error> {
    let [function, items] = parameters("filter", arguments, ["", ""], 2)?;
    let function = function.unwrap_or_default();
    let mut kept = Vec::new();
    for item in items.unwrap_or_default().items()? {
        let keep = match &function {
            Value::None => item.truthy()?,
            function => call_one(function, item.clone())?.truthy()?,
        };
        if keep {
            kept.push(item);
        }
    }
    Ok(Value::list(kept))
}

/// `any` looks for a true element, `all` for a false one.
fn quantify(name: &str, arguments: Arguments, wanted: bool) -> Result<Value, Error> {
    for item in one(name, arguments)?.items()? {
        if item.truthy()? == wanted {
            return Ok(Value::Bool(wanted));
        }
    }
    Ok(Value::Bool(!wanted))
}

/// The first element: of a generator, the only one that a formula can ask for.
fn next(arguments: Arguments) -> Result<Value, Error> {
    let [items, default] = parameters("next", arguments, ["", ""], 1)?;
    let first = items.unwrap_or_default().items()?.into_iter().next();
    first
        .or(default)
        .ok_or_else(|| value_error("next() of an empty sequence"))
}
