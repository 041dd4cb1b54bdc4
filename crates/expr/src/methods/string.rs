//! Methods of texts and bytes.

use crate::limits;
use crate::numpy::{Arguments, Function};
use crate::parameters::{index, one, parameters, type_error, value_error};
use crate::text;
use crate::{Error, ErrorKind, Value};

/// The method `name` of a str.
pub(super) fn method(name: &str) -> Option<Function> {
    let function: Function = match name {
        "upper" => |a| change("upper", a, str::to_uppercase),
        "lower" => |a| change("lower", a, str::to_lowercase),
        "casefold" => |a| change("casefold", a, |text| text.to_lowercase().replace('ß', "ss")),
        "capitalize" => |a| change("capitalize", a, capitalize),
        "title" => |a| change("title", a, title),
        "swapcase" => |a| change("swapcase", a, swap_case),
        "strip" => |a| strip("strip", a, true, true),
        "lstrip" => |a| strip("lstrip", a, true, false),
        "rstrip" => |a| strip("rstrip", a, false, true),
        "split" => |a| split("split", a, false),
        "rsplit" => |a| split("rsplit", a, true),
        "splitlines" => split_lines,
        "join" => join,
        "replace" => replace,
        "find" => |a| search("find", a, false),
        "rfind" => |a| search("rfind", a, true),
        "index" => |a| found(search("index", a, false)?),
        "rindex" => |a| found(search("rindex", a, true)?),
        "count" => count,
        "startswith" => |a| affix("startswith", a, |text, part| text.starts_with(part)),
        "endswith" => |a| affix("endswith", a, |text, part| text.ends_with(part)),
        "removeprefix" => |a| {
            two("removeprefix", a, |text, part| {
                text.strip_prefix(part).unwrap_or(text).into()
            })
        },
        "removesuffix" => |a| {
            two("removesuffix", a, |text, part| {
                text.strip_suffix(part).unwrap_or(text).into()
            })
        },
        "partition" => |a| partition("partition", a, false),
        "rpartition" => |a| partition("rpartition", a, true),
        "center" => |a| pad("center", a),
        "ljust" => |a| pad("ljust", a),
        "rjust" => |a| pad("rjust", a),
        "zfill" => zero_fill,
        "expandtabs" => expand_tabs,
        "format" => format,
        "encode" => encode,
        "isdigit" | "isnumeric" => |a| all("isdigit", a, char::is_numeric),
        "isdecimal" => |a| all("isdecimal", a, |c| c.is_ascii_digit()),
        "isalpha" => |a| all("isalpha", a, char::is_alphabetic),
        "isalnum" => |a| all("isalnum", a, char::is_alphanumeric),
        "isspace" => |a| all("isspace", a, |c| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)),
        "isascii" => |a| Ok(Value::Bool(this("isascii", a)?.is_ascii())),
        "isprintable" => |a| Ok(Value::Bool(this("isprintable", a)?.chars().all(text::is_printable))),
        "isupper" => |a| cased("isupper", a, char::is_uppercase, char::is_lowercase),
        "islower" => |a| cased("islower", a, char::is_lowercase, char::is_uppercase),
        "istitle" => |a| {
            let text = this("istitle", a)?;
            Ok(Value::Bool(
                title(&text) == *text && text.chars().any(char::is_alphabetic),
            ))
        },
        "isidentifier" => |a| {
            let text = this("isidentifier", a)?;
            let starts = text.starts_with(|c: char| c == '_' || c.is_alphabetic());
            Ok(Value::Bool(
                starts && text.chars().all(|c| c == '_' || c.is_alphanumeric()),
            ))
        },
        _ => return None,
    };
    Some(function)
}

fn text_of(function: &str, value: &Value) -> Result<String, Error> {
    match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(type_error(format!(
            "{function}() argument must be str, not {}",
            value.type_name()
        ))),
    }
}

/// The text of a method that takes nothing else.
pub(super) fn this(function: &str, arguments: Arguments) -> Result<String, Error> {
    text_of(function, &one(function, arguments)?)
}

fn change(function: &str, arguments: Arguments, change: fn(&str) -> String) -> Result<Value, Error> {
    Ok(Value::str(change(&this(function, arguments)?)))
}

fn two(function: &str, arguments: Arguments, change: fn(&str, &str) -> String) -> Result<Value, Error> {
    let [text, part] = parameters(function, arguments, ["", ""], 2)?;
    let (text, part) = (
        text_of(function, &text.unwrap_or_default())?,
        text_of(function, &part.unwrap_or_default())?,
    );
    Ok(Value::str(change(&text, &part)))
}

fn capitalize(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first
            .to_uppercase()
            .chain(characters.as_str().to_lowercase().chars())
            .collect(),
        None => String::new(),
    }
}

fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic() && (c.is_lowercase() || c.is_uppercase());
    }
    out
}

fn swap_case(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_lowercase() {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
    }
    out
}

fn strip(function: &str, arguments: Arguments, left: bool, right: bool) -> Result<Value, Error> {
    let [text, characters] = parameters(function, arguments, ["", ""], 1)?;
    let text = text_of(function, &text.unwrap_or_default())?;
    let characters = match characters {
        None | Some(Value::None) => None,
        Some(characters) => Some(text_of(function, &characters)?),
    };
    let unwanted = |c: char| match &characters {
        None => c.is_whitespace() || ('\x1c'..='\x1f').contains(&c),
        Some(characters) => characters.contains(c),
    };
    let mut kept = &*text;
    if left {
        kept = kept.trim_start_matches(unwanted);
    }
    if right {
        kept = kept.trim_end_matches(unwanted);
    }
    Ok(Value::str(kept))
}

fn split(function: &str, arguments: Arguments, from_right: bool) -> Result<Value, Error> {
    let [text, separator, most] = parameters(function, arguments, ["", "sep", "maxsplit"], 1)?;
    let text = text_of(function, &text.unwrap_or_default())?;
    let most = match most {
        Some(most) => usize::try_from(index(&most)?).ok(),
        None => None,
    };
    let pieces = most.map_or(usize::MAX, |most| most.saturating_add(1));
    limits::work(text.len() / 8)?;
    let parts: Vec<Value> = match separator {
        None | Some(Value::None) if from_right => {
            let mut parts: Vec<Value> = Vec::new();
            let mut rest = text.trim_end();
            while !rest.is_empty() {
                match rest.rfind(char::is_whitespace) {
                    Some(at) if parts.len() + 1 < pieces => {
                        let start = at + rest[at..].chars().next().map_or(1, char::len_utf8);
                        parts.push(Value::str(&rest[start..]));
                        rest = rest[..at].trim_end();
                    }
                    _ => {
                        parts.push(Value::str(if parts.len() + 1 < pieces {
                            rest.trim_start()
                        } else {
                            rest
                        }));
                        rest = "";
                    }
                }
            }
            parts.reverse();
            parts
        }
        None | Some(Value::None) => {
            let mut parts: Vec<Value> = Vec::new();
            let mut rest = text.trim_start();
            while !rest.is_empty() {
                match rest.find(char::is_whitespace) {
                    Some(at) if parts.len() + 1 < pieces => {
                        parts.push(Value::str(&rest[..at]));
                        rest = rest[at..].trim_start();
                    }
                    _ => {
                        parts.push(Value::str(rest));
                        rest = "";
                    }
                }
            }
            parts
        }
        Some(separator) => {
            let separator = text_of(function, &separator)?;
            if separator.is_empty() {
                return Err(value_error("empty separator"));
            }
            if from_right {
                let mut parts: Vec<Value> = text.rsplitn(pieces, &*separator).map(Value::from).collect();
                parts.reverse();
                parts
            } else {
                text.splitn(pieces, &*separator).map(Value::from).collect()
            }
        }
    };
    limits::elements(parts.len())?;
    Ok(Value::list(parts))
}

fn split_lines(arguments: Arguments) -> Result<Value, Error> {
    let [text, keep] = parameters("splitlines", arguments, ["", "keepends"], 1)?;
    let text = text_of("splitlines", &text.unwrap_or_default())?;
    let keep = keep.unwrap_or_default().truthy()?;
    let is_end = |c: char| {
        matches!(
            c,
            '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let mut lines = Vec::new();
    let mut rest = &*text;
    while let Some(at) = rest.find(is_end) {
        let end = if rest[at..].starts_with("\r\n") {
            2
        } else {
            rest[at..].chars().next().map_or(1, char::len_utf8)
        };
        lines.push(Value::str(&rest[..if keep { at + end } else { at }]));
        rest = &rest[at + end..];
    }
    if !rest.is_empty() {
        lines.push(Value::str(rest));
    }
    limits::elements(lines.len())?;
    Ok(Value::list(lines))
}

fn join(arguments: Arguments) -> Result<Value, Error> {
    let [separator, parts] = parameters("join", arguments, ["", ""], 2)?;
    let separator = text_of("join", &separator.unwrap_or_default())?;
    let parts = parts.unwrap_or_default();
    if !parts.is_iterable() {
        return Err(type_error("can only join an iterable"));
    }
    let mut joined = String::new();
    for (place, part) in parts.items()?.iter().enumerate() {
        let Some(part) = part.as_str() else {
            let message = format!(
                "sequence item {place}: expected str instance, {} found",
                part.type_name()
            );
            return Err(type_error(message));
        };
        limits::elements(separator.len() + part.len())?;
        if place > 0 {
            joined.push_str(&separator);
        }
        joined.push_str(part);
    }
    Ok(Value::str(joined))
}

fn replace(arguments: Arguments) -> Result<Value, Error> {
    let [text, old, new, count] = parameters("replace", arguments, ["", "", "", ""], 3)?;
    let text = text_of("replace", &text.unwrap_or_default())?;
    let (old, new) = (
        text_of("replace", &old.unwrap_or_default())?,
        text_of("replace", &new.unwrap_or_default())?,
    );
    let count = match count {
        Some(count) => usize::try_from(index(&count)?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    let times = if old.is_empty() {
        text.chars().count() + 1
    } else {
        text.matches(&*old).count()
    };
    limits::elements(text.len().saturating_add(times.min(count).saturating_mul(new.len())))?;
    Ok(Value::str(text.replacen(&*old, &new, count)))
}

/// The part of the text that `start` and `stop` leave, the number of characters before it, and what is looked for.
fn searched(function: &str, arguments: Arguments) -> Result<Option<(String, usize, Value)>, Error> {
    let [text, part, start, stop] = parameters(function, arguments, ["", "", "", ""], 2)?;
    let text = text_of(function, &text.unwrap_or_default())?;
    let part = part.unwrap_or_default();
    if start.is_none() && stop.is_none() {
        return Ok(Some((text, 0, part)));
    }
    let characters: Vec<char> = text.chars().collect();
    let length = characters.len();
    let bound = |value: Option<Value>, default: usize| -> Result<usize, Error> {
        match value {
            None | Some(Value::None) => Ok(default),
            Some(value) => {
                let place = index(&value)?;
                let place = if place < 0 {
                    place.saturating_add_unsigned(length as u64).max(0)
                } else {
                    place
                };
                Ok(usize::try_from(place).unwrap_or(0))
            }
        }
    };
    let (start, stop) = (bound(start, 0)?, bound(stop, length)?.min(length));
    if start > stop {
        return Ok(None);
    }
    Ok(Some((characters[start..stop].iter().collect(), start, part)))
}

fn search(function: &str, arguments: Arguments, from_right: bool) -> Result<Value, Error> {
    let Some((text, before, part)) = searched(function, arguments)? else {
        return Ok(Value::Int(-1));
    };
    let part = text_of(function, &part)?;
    let found = if from_right {
        text.rfind(&*part)
    } else {
        text.find(&*part)
    };
    Ok(Value::Int(
        found.map_or(-1, |at| (before + text[..at].chars().count()) as i64),
    ))
}

fn found(place: Value) -> Result<Value, Error> {
    match place {
        Value::Int(-1) => Err(value_error("substring not found")),
        place => Ok(place),
    }
}

fn count(arguments: Arguments) -> Result<Value, Error> {
    let Some((text, _, part)) = searched("count", arguments)? else {
        return Ok(Value::Int(0));
    };
    let part = text_of("count", &part)?;
    let count = if part.is_empty() {
        text.chars().count() + 1
    } else {
        text.matches(&*part).count()
    };
    Ok(Value::Int(count as i64))
}

fn affix(function: &str, arguments: Arguments, holds: fn(&str, &str) -> bool) -> Result<Value, Error> {
    let Some((text, _, parts)) = searched(function, arguments)? else {
        return Ok(Value::Bool(false));
    };
    let parts = match &parts {
        Value::Tuple(parts) => parts.to_vec(),
        part => vec![part.clone()],
    };
    for part in parts {
        let Some(part) = part.as_str() else {
            let message = format!(
                "{function} first arg must be str or a tuple of str, not {}",
                part.type_name()
            );
            return Err(type_error(message));
        };
        if holds(&text, part) {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn partition(function: &str, arguments: Arguments, from_right: bool) -> Result<Value, Error> {
    let [text, separator] = parameters(function, arguments, ["", ""], 2)?;
    let text = text_of(function, &text.unwrap_or_default())?;
    let separator = text_of(function, &separator.unwrap_or_default())?;
    if separator.is_empty() {
        return Err(value_error("empty separator"));
    }
    let found = if from_right {
        text.rsplit_once(&*separator)
    } else {
        text.split_once(&*separator)
    };
    let parts = match found {
        Some((before, after)) => [before, &separator, after],
        None if from_right => ["", "", &text],
        None => [&text, "", ""],
    };
    Ok(Value::tuple(parts.map(Value::from).into()))
}

fn pad(function: &str, arguments: Arguments) -> Result<Value, Error> {
    let [text, width, fill] = parameters(function, arguments, ["", "", ""], 2)?;
    let text = text_of(function, &text.unwrap_or_default())?;
    let width = usize::try_from(index(&width.unwrap_or_default())?).unwrap_or(0);
    let fill = match fill {
        None => " ".to_owned(),
        Some(fill) => text_of(function, &fill)?,
    };
    if fill.chars().count() != 1 {
        return Err(type_error("The fill character must be exactly one character long"));
    }
    limits::elements(width)?;
    let missing = width.saturating_sub(text.chars().count());
    let left = match function {
        "ljust" => 0,
        "rjust" => missing,
        // CPython puts the odd one to the left only where the width is odd too.
        _ => missing / 2 + (missing & width & 1),
    };
    Ok(Value::str(format!(
        "{}{text}{}",
        fill.repeat(left),
        fill.repeat(missing - left)
    )))
}

fn zero_fill(arguments: Arguments) -> Result<Value, Error> {
    let [text, width] = parameters("zfill", arguments, ["", ""], 2)?;
    let text = text_of("zfill", &text.unwrap_or_default())?;
    let width = usize::try_from(index(&width.unwrap_or_default())?).unwrap_or(0);
    limits::elements(width)?;
    let zeros = "0".repeat(width.saturating_sub(text.chars().count()));
    let sign = usize::from(text.starts_with(['+', '-']));
    Ok(Value::str(format!("{}{zeros}{}", &text[..sign], &text[sign..])))
}

fn expand_tabs(arguments: Arguments) -> Result<Value, Error> {
    let [text, size] = parameters("expandtabs", arguments, ["", "tabsize"], 1)?;
    let text = text_of("expandtabs", &text.unwrap_or_default())?;
    let size = match size {
        Some(size) => usize::try_from(index(&size)?).unwrap_or(0),
        None => 8,
    };
    let mut out = String::new();
    let mut column = 0;
    for c in text.chars() {
        if c == '\t' {
            let blanks = if size == 0 { 0 } else { size - column % size };
            limits::elements(blanks)?;
            out.extend(std::iter::repeat_n(' ', blanks));
            column += blanks;
        } else {
            out.push(c);
            column = if c == '\n' || c == '\r' { 0 } else { column + 1 };
        }
    }
    Ok(Value::str(out))
}

fn format(mut arguments: Arguments) -> Result<Value, Error> {
    if arguments.positional.is_empty() {
        return Err(type_error("unbound method str.format() needs an argument"));
    }
    let text = text_of("format", &arguments.positional.remove(0))?;
    text::replacement::format(&text, &arguments).map(Value::from)
}

fn encode(arguments: Arguments) -> Result<Value, Error> {
    let [text, encoding, _errors] = parameters("encode", arguments, ["", "encoding", "errors"], 1)?;
    let text = text_of("encode", &text.unwrap_or_default())?;
    let within = |limit: u32| text.chars().all(|c| u32::from(c) <= limit);
    match encoding_name(encoding)?.as_str() {
        "utf8" => Ok(Value::Bytes(text.as_bytes().into())),
        "ascii" if within(127) => Ok(Value::Bytes(text.as_bytes().into())),
        "latin1" if within(255) => Ok(Value::Bytes(text.chars().map(|c| c as u8).collect())),
        other => Err(value_error(format!("'{other}' codec can't encode all characters"))),
    }
}

pub(super) fn encoding_name(encoding: Option<Value>) -> Result<String, Error> {
    let Some(encoding) = encoding else {
        return Ok("utf8".to_owned());
    };
    let name = text_of("encode", &encoding)?;
    let plain = name.to_ascii_lowercase().replace(['-', '_'], "");
    match &*plain {
        "utf8" | "ascii" | "latin1" => Ok(plain),
        "usascii" => Ok("ascii".to_owned()),
        "iso88591" | "l1" => Ok("latin1".to_owned()),
        _ => Err(Error::new(ErrorKind::NotSupported, format!("the encoding `{name}`"))),
    }
}

fn all(function: &str, arguments: Arguments, holds: fn(char) -> bool) -> Result<Value, Error> {
    let text = this(function, arguments)?;
    Ok(Value::Bool(!text.is_empty() && text.chars().all(holds)))
}

fn cased(
    function: &str,
    arguments: Arguments,
    wanted: fn(char) -> bool,
    other: fn(char) -> bool,
) -> Result<Value, Error> {
    let text = this(function, arguments)?;
    Ok(Value::Bool(text.chars().any(wanted) && !text.chars().any(other)))
}
