//! The five kinds of element an array can have, and the names that people write for them after `dtype=`.
//!
//! numpy has widths within a kind; here each kind has the one that numpy makes by itself on a 64-bit machine. A width that
//! is asked for and is not that one is refused by name: a float32 that prints as a float64 would be a silent difference.

use crate::error::ErrorKind;
use crate::{Array, Error, Scalar, Value};

/// In the order of promotion: the larger of two kinds holds both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Bool,
    Int,
    Float,
    Complex,
    Str,
}

/// A dtype as it is asked for: for text, the width may be given (`U5`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dtype {
    pub(super) kind: Kind,
    pub(super) width: Option<usize>,
}

impl Kind {
    /// `str(dtype)`; text has its width in the name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Bool => "bool",
            Kind::Int => "int64",
            Kind::Float => "float64",
            Kind::Complex => "complex128",
            Kind::Str => "str",
        }
    }

    /// The class of `type(array.dtype)`.
    pub(super) fn class(self) -> &'static str {
        match self {
            Kind::Bool => "BoolDType",
            Kind::Int => "Int64DType",
            Kind::Float => "Float64DType",
            Kind::Complex => "Complex128DType",
            Kind::Str => "StrDType",
        }
    }

    pub(super) fn item_size(self) -> usize {
        match self {
            Kind::Bool => 1,
            Kind::Int | Kind::Float => 8,
            Kind::Complex => 16,
            Kind::Str => 4,
        }
    }
}

impl From<Kind> for Dtype {
    fn from(kind: Kind) -> Self {
        Dtype { kind, width: None }
    }
}

/// `str(array.dtype)`.
pub(super) fn dtype_text(array: &Array) -> String {
    match array {
        Array::Str { width, .. } => format!("<U{width}"),
        _ => array.kind().name().to_owned(),
    }
}

/// The dtype that `text` names: `float64`, `float`, `f8`, `<i8`, `U5`.
pub(super) fn parse_dtype(text: &str) -> Result<Dtype, Error> {
    let bare = text.trim_start_matches(['<', '=', '|']);
    let kind = match bare {
        "bool" | "bool_" | "?" | "b1" => Kind::Bool,
        "int" | "int64" | "int_" | "i8" | "l" | "q" | "p" | "i" if bare != "i" => Kind::Int,
        "intp" | "longlong" | "long" => Kind::Int,
        "float" | "float64" | "f8" | "d" | "double" => Kind::Float,
        "complex" | "complex128" | "c16" | "D" | "cdouble" => Kind::Complex,
        "str" | "str_" | "U" => Kind::Str,
        _ => {
            if let Some(width) = bare.strip_prefix('U').and_then(|digits| digits.parse::<usize>().ok()) {
                return Ok(Dtype {
                    kind: Kind::Str,
                    width: Some(width).filter(|width| *width > 0),
                });
            }
            const ELSEWHERE: [&str; 36] = [
                "float32",
                "float16",
                "float128",
                "half",
                "single",
                "longdouble",
                "f",
                "f4",
                "f2",
                "e",
                "g",
                "int8",
                "int16",
                "int32",
                "i1",
                "i2",
                "i4",
                "i",
                "b",
                "h",
                "uint8",
                "uint16",
                "uint32",
                "uint64",
                "uint",
                "u1",
                "u2",
                "u4",
                "u8",
                "complex64",
                "c8",
                "F",
                "object",
                "O",
                "S",
                "bytes",
            ];
            if ELSEWHERE.contains(&bare) || bare.starts_with("datetime64") || bare.starts_with("timedelta64") {
                return Err(unsupported_dtype(bare));
            }
            return Err(Error::new(
                ErrorKind::TypeError,
                format!("data type '{text}' not understood"),
            ));
        }
    };
    Ok(kind.into())
}

/// Python has it, we do not: an array of another kind of element.
pub(super) fn unsupported_dtype(name: &str) -> Error {
    Error::new(
        ErrorKind::NotSupported,
        format!("arrays of dtype `{name}`; there are bool, int64, float64, complex128 and str"),
    )
}

/// The kind that numpy gives to a single value; `None` where it would be an object or a sequence.
pub(super) fn kind_of(value: &Value) -> Option<Kind> {
    match value {
        Value::Bool(_) | Value::Scalar(Scalar::Bool(_)) => Some(Kind::Bool),
        Value::Int(_) | Value::Scalar(Scalar::Int(_)) => Some(Kind::Int),
        Value::Float(_) | Value::Scalar(Scalar::Float(_)) => Some(Kind::Float),
        Value::Complex(_) | Value::Scalar(Scalar::Complex(_)) => Some(Kind::Complex),
        Value::Str(_) | Value::Scalar(Scalar::Str(_)) => Some(Kind::Str),
        _ => None,
    }
}

/// An index or a size: an int of any kind, not a float.
pub(super) fn index_of(value: &Value) -> Result<i64, Error> {
    match value {
        Value::Int(number) | Value::Scalar(Scalar::Int(number)) => Ok(*number),
        Value::Bool(flag) => Ok(i64::from(*flag)),
        Value::BigInt(_) => Err(Error::new(
            ErrorKind::OverflowError,
            "Python int too large to convert to C long",
        )),
        Value::Array(array) if array.dims().is_empty() && array.kind() == Kind::Int => Ok(array.ints()[0]),
        Value::Array(_) => Err(Error::new(
            ErrorKind::TypeError,
            "only integer scalar arrays can be converted to a scalar index",
        )),
        other => Err(Error::new(
            ErrorKind::TypeError,
            format!("'{}' object cannot be interpreted as an integer", other.type_name()),
        )),
    }
}
