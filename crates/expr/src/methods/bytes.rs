//! Methods of bytes.

use super::string::{encoding_name, this};
use crate::limits;
use crate::numpy::{Arguments, Function};
use crate::parameters::{one, parameters, type_error, value_error};
use crate::{Error, Value};

/// The method `name` of bytes.
pub(super) fn method(name: &str) -> Option<Function> {
    let function: Function = match name {
        "decode" => |arguments| {
            let [bytes, encoding, _errors] = parameters("decode", arguments, ["", "encoding", "errors"], 1)?;
            let bytes = bytes_of(bytes.unwrap_or_default())?;
            let encoding = encoding_name(encoding)?;
            let text = match &*encoding {
                "latin1" => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
                "ascii" if !bytes.is_ascii() => None,
                _ => String::from_utf8(bytes).ok(),
            };
            text.map(Value::from)
                .ok_or_else(|| value_error(format!("'{encoding}' codec can't decode these bytes")))
        },
        "hex" => |arguments| {
            let bytes = bytes_of(one("hex", arguments)?)?;
            limits::elements(bytes.len() * 2)?;
            Ok(Value::str(
                bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            ))
        },
        "upper" => |arguments| {
            Ok(Value::Bytes(
                bytes_of(one("upper", arguments)?)?.to_ascii_uppercase().into(),
            ))
        },
        "lower" => |arguments| {
            Ok(Value::Bytes(
                bytes_of(one("lower", arguments)?)?.to_ascii_lowercase().into(),
            ))
        },
        "startswith" => |arguments| bytes_affix("startswith", arguments, |bytes, part| bytes.starts_with(part)),
        "endswith" => |arguments| bytes_affix("endswith", arguments, |bytes, part| bytes.ends_with(part)),
        "find" => |arguments| {
            let [bytes, part] = parameters("find", arguments, ["", ""], 2)?;
            let (bytes, part) = (
                bytes_of(bytes.unwrap_or_default())?,
                bytes_of(part.unwrap_or_default())?,
            );
            let found = if part.is_empty() {
                Some(0)
            } else {
                bytes.windows(part.len()).position(|at| at == part)
            };
            Ok(Value::Int(found.map_or(-1, |at| at as i64)))
        },
        _ => return None,
    };
    Some(function)
}

pub(super) fn type_method(name: &str) -> Option<Function> {
    if name == "fromhex" {
        return Some(|arguments| {
            let digits: Vec<u8> = this("fromhex", arguments)?
                .bytes()
                .filter(|byte| !byte.is_ascii_whitespace())
                .collect();
            let invalid = || value_error("non-hexadecimal number found in fromhex() arg");
            if !digits.len().is_multiple_of(2) {
                return Err(invalid());
            }
            let byte = |pair: &[u8]| {
                let text = std::str::from_utf8(pair).ok().filter(|text| !text.starts_with('+'));
                text.and_then(|text| u8::from_str_radix(text, 16).ok())
                    .ok_or_else(invalid)
            };
            Ok(Value::Bytes(digits.chunks(2).map(byte).collect::<Result<_, _>>()?))
        });
    }
    method(name)
}

fn bytes_of(value: Value) -> Result<Vec<u8>, Error> {
    match value {
        Value::Bytes(bytes) => Ok(bytes.to_vec()),
        other => Err(type_error(format!(
            "a bytes-like object is required, not '{}'",
            other.type_name()
        ))),
    }
}

fn bytes_affix(function: &str, arguments: Arguments, holds: fn(&[u8], &[u8]) -> bool) -> Result<Value, Error> {
    let [bytes, part] = parameters(function, arguments, ["", ""], 2)?;
    Ok(Value::Bool(holds(
        &bytes_of(bytes.unwrap_or_default())?,
        &bytes_of(part.unwrap_or_default())?,
    )))
}
