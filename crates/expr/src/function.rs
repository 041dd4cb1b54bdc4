//! Functions as values: builtins, methods bound to their object, lambdas, and types, which are called to convert.
//!
//! A function lives as long as an evaluation. One that is kept in an entry and carried to another process arrives as its
//! name alone and cannot be called there.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::eval::Lambda;
use crate::numpy::{self, Arguments};
use crate::{Error, ErrorKind, Value};

/// Something that can be called: `np.sin`, `float`, `'abc'.upper`, `lambda x: x + 1`.
#[derive(Clone)]
pub struct Function(Arc<Callable>);

pub(crate) enum Callable {
    /// A function under its full name: `sin`, `np.sin`, `cm.sqrt`.
    Native {
        name: Arc<str>,
        call: numpy::Function,
    },
    /// A type, which is also a function: `float`, `np.float64`.
    Type {
        name: Arc<str>,
        call: numpy::Function,
    },
    /// A method with the object that it was taken from.
    Bound {
        object: Value,
        name: Arc<str>,
        call: numpy::Function,
    },
    Lambda(Lambda),
    /// What crossed to another process.
    Gone {
        name: Arc<str>,
    },
}

impl Function {
    pub(crate) fn native(name: &str, call: numpy::Function) -> Self {
        Self(Arc::new(Callable::Native {
            name: name.into(),
            call,
        }))
    }

    pub(crate) fn of_type(name: &str, call: numpy::Function) -> Self {
        Self(Arc::new(Callable::Type {
            name: name.into(),
            call,
        }))
    }

    pub(crate) fn bound(object: Value, name: &str, call: numpy::Function) -> Self {
        Self(Arc::new(Callable::Bound {
            object,
            name: name.into(),
            call,
        }))
    }

    pub(crate) fn lambda(lambda: Lambda) -> Self {
        Self(Arc::new(Callable::Lambda(lambda)))
    }

    /// The name as a formula writes it: `float`, `np.float64`, `upper`; `<lambda>` for a lambda.
    pub fn name(&self) -> &str {
        match &*self.0 {
            Callable::Native { name, .. }
            | Callable::Type { name, .. }
            | Callable::Bound { name, .. }
            | Callable::Gone { name } => name,
            Callable::Lambda(_) => "<lambda>",
        }
    }

    pub(crate) fn is_type(&self) -> bool {
        matches!(&*self.0, Callable::Type { .. })
    }

    /// Python's name of the class of this function.
    pub(crate) fn type_name(&self) -> &'static str {
        match &*self.0 {
            Callable::Type { .. } => "type",
            Callable::Lambda(_) => "function",
            Callable::Native { name, .. } if name.starts_with("np.") => "function",
            Callable::Native { .. } | Callable::Bound { .. } | Callable::Gone { .. } => "builtin_function_or_method",
        }
    }

    /// The values that live as long as the function.
    pub(crate) fn held(&self) -> impl Iterator<Item = &Value> {
        let (object, lambda) = match &*self.0 {
            Callable::Bound { object, .. } => (Some(object), None),
            Callable::Lambda(lambda) => (None, Some(lambda)),
            Callable::Native { .. } | Callable::Type { .. } | Callable::Gone { .. } => (None, None),
        };
        object.into_iter().chain(lambda.into_iter().flat_map(Lambda::held))
    }

    pub(crate) fn call(&self, mut arguments: Arguments) -> Result<Value, Error> {
        match &*self.0 {
            Callable::Native { call, .. } | Callable::Type { call, .. } => call(arguments),
            Callable::Bound { object, call, .. } => {
                arguments.positional.insert(0, object.clone());
                call(arguments)
            }
            Callable::Lambda(lambda) => lambda.call(arguments),
            Callable::Gone { name } => Err(Error::new(
                ErrorKind::TypeError,
                format!("`{name}` came from another process and cannot be called"),
            )),
        }
    }

    /// Python's `repr`, without an address.
    pub(crate) fn repr(&self) -> String {
        let name = self.name();
        match &*self.0 {
            Callable::Type { .. } => match name.strip_prefix("np.") {
                Some(short) => format!("<class 'numpy.{short}'>"),
                None => format!("<class '{name}'>"),
            },
            Callable::Lambda(_) => format!("<function {name}>"),
            Callable::Native { .. } | Callable::Gone { .. } => format!("<built-in function {name}>"),
            Callable::Bound { object, .. } => format!("<built-in method {name} of {} object>", object.type_name()),
        }
    }
}

/// Calls any value; one that is no function is a `TypeError`.
pub(crate) fn call_value(function: &Value, arguments: Arguments) -> Result<Value, Error> {
    match function {
        Value::Function(function) => function.call(arguments),
        other => Err(Error::new(
            ErrorKind::TypeError,
            format!("'{}' object is not callable", other.type_name()),
        )),
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        match (&*self.0, &*other.0) {
            (Callable::Native { name: a, .. }, Callable::Native { name: b, .. })
            | (Callable::Type { name: a, .. }, Callable::Type { name: b, .. }) => a == b,
            _ => Arc::ptr_eq(&self.0, &other.0),
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repr())
    }
}

impl Serialize for Function {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Function {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Ok(Self(Arc::new(Callable::Gone { name: name.into() })))
    }
}
