//! Builtins that look at a value: `type`, `isinstance`, `callable`, `repr`, `format`.

use crate::function::Function as FunctionValue;
use crate::numpy::{Arguments, Function};
use crate::parameters::{one, parameters, type_error};
use crate::text::{self, format_spec};
use crate::{Error, Value};
use crate::{builtins, limits};

pub(super) fn function(name: &str) -> Option<Function> {
    let function: Function = match name {
        "repr" => |arguments| {
            let value = one("repr", arguments)?;
            limits::written(&value)?;
            Ok(Value::str(value.repr()))
        },
        "ascii" => |arguments| {
            let value = one("ascii", arguments)?;
            limits::written(&value)?;
            Ok(Value::str(text::ascii(&value.repr())))
        },
        "format" => |arguments| {
            let [value, spec] = parameters("format", arguments, ["", ""], 1)?;
            let spec = spec.unwrap_or_else(|| Value::str(""));
            let Some(spec) = spec.as_str() else {
                return Err(type_error(format!(
                    "format() argument 2 must be str, not {}",
                    spec.type_name()
                )));
            };
            format_spec::format(&value.unwrap_or_default(), spec).map(Value::from)
        },
        "isinstance" => is_instance,
        "callable" => |arguments| Ok(Value::Bool(matches!(one("callable", arguments)?, Value::Function(_)))),
        _ => return None,
    };
    Some(function)
}

pub(super) fn types(name: &str) -> Option<Function> {
    match name {
        "type" => Some(type_of),
        _ => None,
    }
}

fn type_of(arguments: Arguments) -> Result<Value, Error> {
    let value = one("type", arguments)?;
    let name = class_name(&value);
    let found = match name.strip_prefix("np.") {
        Some(_) => builtins::module_name(&name),
        None => builtins::name(&name),
    };
    match found {
        Some(Ok(found)) => Ok(found),
        _ => Ok(Value::Function(FunctionValue::of_type(&name, move |_| {
            Err(type_error("this type cannot be called"))
        }))),
    }
}

/// The name under which a formula writes the class of a value.
fn class_name(value: &Value) -> String {
    let name = value.type_name();
    match name.strip_prefix("numpy.") {
        Some("bool") => "np.bool".to_owned(),
        Some(short) => format!("np.{short}"),
        None => name.to_owned(),
    }
}

fn is_instance(arguments: Arguments) -> Result<Value, Error> {
    let [value, classes] = parameters("isinstance", arguments, ["", ""], 2)?;
    let (value, classes) = (value.unwrap_or_default(), classes.unwrap_or_default());
    let classes = match &classes {
        Value::Tuple(classes) => classes.to_vec(),
        class => vec![class.clone()],
    };
    let name = class_name(&value);
    for class in classes {
        match &class {
            Value::Function(class) if class.is_type() => {
                let wanted = match class.name() {
                    "np.bool_" => "np.bool",
                    "np.double" => "np.float64",
                    "np.int_" | "np.intp" => "np.int64",
                    other => other,
                };
                let inherits = matches!(
                    (&*name, wanted),
                    ("bool", "int")
                        | ("np.float64", "float")
                        | ("np.complex128", "complex")
                        | ("np.str_", "str")
                        | ("np.recarray", "np.ndarray")
                );
                if name == wanted || inherits {
                    return Ok(Value::Bool(true));
                }
            }
            _ => {
                return Err(type_error(
                    "isinstance() arg 2 must be a type, a tuple of types, or a union",
                ));
            }
        }
    }
    Ok(Value::Bool(false))
}
