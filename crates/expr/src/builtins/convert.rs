//! Types that are called to convert: `float('1e3')`, `int(2.5)`, `list('abc')`.

use std::sync::Arc;

use num_complex::Complex64;

use crate::numpy::{Arguments, Function};
use crate::parameters::{index, numpys, one, parameters, real, type_error, value_error};
use crate::{Dict, Error, Range, Scalar, Set, Slice, Value};
use crate::{distinct, floats, integers, limits};

pub(super) fn types(name: &str) -> Option<Function> {
    let function: Function = match name {
        "float" => float,
        "int" => int,
        "complex" => complex,
        "bool" => |arguments| {
            let [value] = parameters("bool", arguments, [""], 0)?;
            Ok(Value::Bool(value.unwrap_or_default().truthy()?))
        },
        "str" => |arguments| {
            let [value, encoding, _errors] = parameters("str", arguments, ["object", "encoding", "errors"], 0)?;
            match (value, encoding) {
                (Some(Value::Bytes(bytes)), Some(_)) => {
                    let text = String::from_utf8(bytes.to_vec());
                    text.map(Value::from)
                        .map_err(|_| value_error("'utf-8' codec can't decode these bytes"))
                }
                (Some(value), None) => {
                    limits::written(&value)?;
                    if let Value::BigInt(big) = &value {
                        return integers::to_text(big).map(Value::from);
                    }
                    Ok(Value::str(value.to_string()))
                }
                (Some(_), Some(_)) => Err(type_error("decoding to str: need a bytes-like object")),
                (None, _) => Ok(Value::str("")),
            }
        },
        "bytes" => bytes,
        "list" => |arguments| items("list", arguments).map(Value::list),
        "tuple" => |arguments| items("tuple", arguments).map(Value::tuple),
        "set" => |arguments| {
            let items = distinct::distinct(items("set", arguments)?)?;
            Ok(Value::Set(Arc::new(Set { items })))
        },
        "dict" => dict,
        "range" => range,
        "slice" => slice,
        _ => return None,
    };
    Some(function)
}

fn float(arguments: Arguments) -> Result<Value, Error> {
    if let Some(result) = numpys("float", &arguments) {
        return result;
    }
    let [value] = parameters("float", arguments, [""], 0)?;
    let value = value.unwrap_or(Value::Int(0));
    if let Some(text) = value.as_str() {
        return floats::parse(text).map(Value::Float).ok_or_else(|| {
            value_error(format!(
                "could not convert string to float: {}",
                Value::str(text).repr()
            ))
        });
    }
    if let Value::Bytes(bytes) = &value {
        let number = std::str::from_utf8(bytes).ok().and_then(floats::parse);
        return number
            .map(Value::Float)
            .ok_or_else(|| value_error("could not convert string to float"));
    }
    let not_a_number = |error: Error| match value.is_real() {
        true => error,
        false => type_error(format!(
            "float() argument must be a string or a real number, not '{}'",
            value.type_name()
        )),
    };
    real(&value).map(Value::Float).map_err(not_a_number)
}

fn int(arguments: Arguments) -> Result<Value, Error> {
    if arguments.positional.len() == 1
        && let Some(result) = numpys("int", &arguments)
    {
        return result;
    }
    let [value, base] = parameters("int", arguments, ["", "base"], 0)?;
    let text = match &value {
        Some(Value::Bytes(bytes)) => std::str::from_utf8(bytes).ok().map(str::to_owned),
        Some(value) => value.as_str().map(str::to_owned),
        None => None,
    };
    match (value, base, text) {
        (_, None, Some(text)) => integers::parse(&text, 10),
        (_, Some(base), Some(text)) => match u32::try_from(index(&base)?) {
            Ok(base) if base == 0 || (2..=36).contains(&base) => integers::parse(&text, base),
            _ => Err(value_error("int() base must be >= 2 and <= 36, or 0")),
        },
        (None, None, None) => Ok(Value::Int(0)),
        (None, Some(_), None) => Err(type_error("int() missing string argument")),
        (Some(_), Some(base), None) if index(&base).is_ok_and(|base| base != 0 && !(2..=36).contains(&base)) => {
            Err(value_error("int() base must be >= 2 and <= 36, or 0"))
        }
        (Some(_), Some(_), None) => Err(type_error("int() can't convert non-string with explicit base")),
        (Some(Value::Float(number) | Value::Scalar(Scalar::Float(number))), None, None) => {
            integers::from_f64(number).map(Value::int)
        }
        (Some(value), None, None) => match integers::integer(&value) {
            Some(number) => Ok(Value::int(number.into_owned())),
            None => {
                let kind = value.type_name();
                let message =
                    format!("int() argument must be a string, a bytes-like object or a real number, not '{kind}'");
                Err(type_error(message))
            }
        },
    }
}

fn complex(arguments: Arguments) -> Result<Value, Error> {
    if arguments.positional.len() == 1
        && let Some(result) = numpys("complex", &arguments)
    {
        return result;
    }
    let [re, im] = parameters("complex", arguments, ["real", "imag"], 0)?;
    if let Some(text) = re.as_ref().and_then(Value::as_str) {
        if im.is_some() {
            return Err(type_error("complex() can't take second arg if first is a string"));
        }
        let number = parse_complex(text).ok_or_else(|| value_error("complex() arg is a malformed string"))?;
        return Ok(Value::Complex(number));
    }
    let part = |value: Option<Value>, which: &str| match value {
        None => Ok(None),
        Some(Value::Complex(number) | Value::Scalar(Scalar::Complex(number))) => Ok(Some((number, true))),
        Some(value) if value.as_str().is_none() => real(&value)
            .map(|re| Some((Complex64::new(re, 0.0), false)))
            .map_err(|error| match value.is_real() {
                true => error,
                false => type_error(format!(
                    "complex() {which} argument must be a number, not '{}'",
                    value.type_name()
                )),
            }),
        Some(_) => Err(type_error("complex() second arg can't be a string")),
    };
    let (re, im) = (part(re, "first")?, part(im, "second")?);
    let Some((im, im_is_complex)) = im else {
        return Ok(Value::Complex(re.map_or(Complex64::ZERO, |(number, _)| number)));
    };
    let (re, re_is_complex) = re.unwrap_or((Complex64::ZERO, false));
    // `a + b*1j` by parts; a real part that was not given adds no zero, which would lose a sign.
    let real = if im_is_complex { re.re - im.im } else { re.re };
    let imaginary = if re_is_complex { im.re + re.im } else { im.re };
    Ok(Value::Complex(Complex64::new(real, imaginary)))
}

/// `1+2j`, `-j`, `(3-0j)`.
fn parse_complex(text: &str) -> Option<Complex64> {
    let text = text.trim();
    let text = match text.strip_prefix('(') {
        Some(inner) => inner.strip_suffix(')')?.trim(),
        None => text,
    };
    let Some(body) = text.strip_suffix(['j', 'J']) else {
        let plain = !text.is_empty() && text == text.trim();
        return plain
            .then(|| floats::parse(text))
            .flatten()
            .map(|re| Complex64::new(re, 0.0));
    };
    // The sign that splits the parts is the last one that is not an exponent's.
    let bytes = body.as_bytes();
    let split = (0..bytes.len())
        .rev()
        .find(|at| matches!(bytes[*at], b'+' | b'-') && (*at == 0 || !matches!(bytes[at - 1], b'e' | b'E')))
        .unwrap_or(0);
    let (re, im) = body.split_at(split);
    let im = match im {
        "" | "+" => 1.0,
        "-" => -1.0,
        text if text == text.trim() => floats::parse(text)?,
        _ => return None,
    };
    let re = match re {
        "" => 0.0,
        text if text == text.trim() => floats::parse(text)?,
        _ => return None,
    };
    Some(Complex64::new(re, im))
}

fn items(name: &str, arguments: Arguments) -> Result<Vec<Value>, Error> {
    let [value] = parameters(name, arguments, [""], 0)?;
    match value {
        Some(value) => value.items(),
        None => Ok(Vec::new()),
    }
}

fn bytes(arguments: Arguments) -> Result<Value, Error> {
    let [value, encoding] = parameters("bytes", arguments, ["source", "encoding"], 0)?;
    Ok(Value::Bytes(match (value, encoding) {
        (None, _) => Vec::new().into(),
        (Some(Value::Bytes(bytes)), None) => bytes,
        (Some(Value::Str(text)), Some(_)) => text.as_bytes().into(),
        (Some(Value::Str(_)), None) => return Err(type_error("string argument without an encoding")),
        (Some(count), None) if count.is_integral() => {
            let count = usize::try_from(index(&count)?).map_err(|_| value_error("negative count"))?;
            limits::elements(count)?;
            vec![0; count].into()
        }
        (Some(value), _) => {
            let byte =
                |item: &Value| u8::try_from(index(item)?).map_err(|_| value_error("bytes must be in range(0, 256)"));
            value
                .items()?
                .iter()
                .map(byte)
                .collect::<Result<Vec<u8>, Error>>()?
                .into()
        }
    }))
}

fn dict(arguments: Arguments) -> Result<Value, Error> {
    let Arguments { positional, keywords } = arguments;
    if positional.len() > 1 {
        return Err(type_error(format!(
            "dict expected at most 1 argument, got {}",
            positional.len()
        )));
    }
    let mut pairs = Vec::new();
    match positional.into_iter().next() {
        Some(Value::Dict(dict)) => pairs.extend(dict.items.iter().cloned()),
        Some(items) => {
            for (place, item) in items.items()?.into_iter().enumerate() {
                let pair = item.items().map_err(|_| {
                    type_error(format!(
                        "cannot convert dictionary update sequence element #{place} to a sequence"
                    ))
                })?;
                let length = pair.len();
                let [key, value] = <[Value; 2]>::try_from(pair).map_err(|_| {
                    let what = format!("dictionary update sequence element #{place}");
                    value_error(format!("{what} has length {length}; 2 is required"))
                })?;
                pairs.push((key, value));
            }
        }
        None => {}
    }
    pairs.extend(keywords.into_iter().map(|(name, value)| (Value::Str(name), value)));
    limits::elements(pairs.len())?;
    Ok(Value::Dict(Arc::new(Dict {
        items: distinct::keyed(pairs)?,
    })))
}

fn range(arguments: Arguments) -> Result<Value, Error> {
    let [first, second, step] = parameters("range", arguments, ["", "", ""], 1)?;
    let first = index(&first.unwrap_or_default())?;
    let (start, stop) = match second {
        Some(stop) => (first, index(&stop)?),
        None => (0, first),
    };
    let step = match step {
        Some(step) => index(&step)?,
        None => 1,
    };
    if step == 0 {
        return Err(value_error("range() arg 3 must not be zero"));
    }
    Ok(Value::Range(Arc::new(Range { start, stop, step })))
}

fn slice(arguments: Arguments) -> Result<Value, Error> {
    let count = arguments.positional.len();
    if count == 1 {
        let stop = one("slice", arguments)?;
        return Ok(Value::Slice(Arc::new(Slice {
            start: Value::None,
            stop,
            step: Value::None,
        })));
    }
    let [start, stop, step] = parameters("slice", arguments, ["", "", ""], 2)?;
    let part = Option::unwrap_or_default;
    Ok(Value::Slice(Arc::new(Slice {
        start: part(start),
        stop: part(stop),
        step: part(step),
    })))
}
