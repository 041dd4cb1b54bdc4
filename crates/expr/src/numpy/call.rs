//! The arguments of one call, found by name: `np.sum(a, axis=0)` and `np.sum(a, 0)` are the same call.
//!
//! A signature is a text: names in order, `!` behind those that must be given, `*` before those that can only be named.
//! `out=` is refused in all of them: a value never changes.

use std::borrow::Cow;

use super::array::{type_error, value_error};
use super::kind::{Dtype, index_of, parse_dtype};
use super::operand::{array_of, float_of};
use super::{Arguments, Kind};
use crate::error::ErrorKind;
use crate::{Array, Error, Scalar, Value};

pub(super) struct Call {
    function: &'static str,
    names: Vec<&'static str>,
    values: Vec<Option<Value>>,
}

impl Call {
    pub(super) fn bind(function: &'static str, arguments: Arguments, signature: &'static str) -> Result<Call, Error> {
        let mut names = Vec::new();
        let mut required = 0;
        let mut positional = usize::MAX;
        for word in signature.split(' ') {
            if word == "*" {
                positional = names.len();
                continue;
            }
            let name = word.trim_end_matches('!');
            names.push(name);
            if name.len() < word.len() {
                required = names.len();
            }
        }
        let most = positional.min(names.len());
        let given = arguments.positional.len();
        if given > most {
            let range = if required == most {
                most.to_string()
            } else {
                format!("from {required} to {most}")
            };
            let plural = if most == 1 { "" } else { "s" };
            return Err(type_error(format!(
                "{function}() takes {range} positional argument{plural} but {given} were given"
            )));
        }
        let mut values: Vec<Option<Value>> = arguments.positional.into_iter().map(Some).collect();
        values.resize(names.len(), None);
        for (keyword, value) in arguments.keywords {
            let Some(place) = names.iter().position(|name| *name == &*keyword) else {
                return Err(type_error(format!(
                    "{function}() got an unexpected keyword argument '{keyword}'"
                )));
            };
            if values[place].is_some() {
                return Err(type_error(format!(
                    "{function}() got multiple values for argument '{keyword}'"
                )));
            }
            values[place] = Some(value);
        }
        let missing: Vec<&str> = names
            .iter()
            .zip(&values)
            .take(required)
            .filter(|(_, value)| value.is_none())
            .map(|(name, _)| *name)
            .collect();
        if let Some(first) = missing.first() {
            let count = missing.len();
            return Err(type_error(if count == 1 {
                format!("{function}() missing 1 required positional argument: '{first}'")
            } else {
                let (last, rest) = missing.split_last().expect("there is a first");
                let rest: Vec<String> = rest.iter().map(|name| format!("'{name}'")).collect();
                let comma = if rest.len() > 1 { "," } else { "" };
                format!(
                    "{function}() missing {count} required positional arguments: {}{comma} and '{last}'",
                    rest.join(", ")
                )
            }));
        }
        let call = Call {
            function,
            names,
            values,
        };
        if call.names.contains(&"out") && call.given("out").is_some() {
            return Err(call.unsupported("out"));
        }
        Ok(call)
    }

    /// Python has this argument, we do not.
    pub(super) fn unsupported(&self, name: &str) -> Error {
        Error::new(ErrorKind::NotSupported, format!("`{name}=` of `{}`", self.function))
    }

    /// Refuses an argument that was given.
    pub(super) fn refuse(&self, names: &[&str]) -> Result<(), Error> {
        match names.iter().find(|name| self.given(name).is_some()) {
            Some(name) => Err(self.unsupported(name)),
            None => Ok(()),
        }
    }

    /// The argument, also where it is `None`.
    pub(super) fn stated(&self, name: &str) -> Option<&Value> {
        let place = self
            .names
            .iter()
            .position(|known| *known == name)
            .expect("the signature has the name");
        self.values[place].as_ref()
    }

    /// The argument, unless it was omitted or `None`.
    pub(super) fn given(&self, name: &str) -> Option<&Value> {
        self.stated(name).filter(|value| !matches!(value, Value::None))
    }

    /// An argument that the signature requires.
    pub(super) fn value(&self, name: &str) -> &Value {
        self.stated(name).expect("the signature requires it")
    }

    pub(super) fn array(&self, name: &str) -> Result<Cow<'_, Array>, Error> {
        array_of(self.value(name))
    }

    pub(super) fn array_given(&self, name: &str) -> Result<Option<Cow<'_, Array>>, Error> {
        self.given(name).map(array_of).transpose()
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Error> {
        self.given(name).map_or(Ok(false), Value::truthy)
    }

    pub(super) fn int(&self, name: &str) -> Result<Option<i64>, Error> {
        self.given(name).map(index_of).transpose()
    }

    pub(super) fn float(&self, name: &str) -> Result<Option<f64>, Error> {
        self.given(name).map(float_of).transpose()
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Error> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::Str(text) | Value::Scalar(Scalar::Str(text))) => Ok(Some(text)),
            Some(other) => Err(type_error(format!(
                "{}() `{name}` must be str, not {}",
                self.function,
                other.type_name()
            ))),
        }
    }

    pub(super) fn dtype(&self, name: &str) -> Result<Option<Dtype>, Error> {
        self.given(name).map(dtype_of).transpose()
    }

    /// One axis, counted from the front.
    pub(super) fn axis(&self, name: &str, dimensions: usize) -> Result<Option<usize>, Error> {
        self.given(name).map(|value| axis_of(value, dimensions)).transpose()
    }

    /// One axis or several, also in a list.
    pub(super) fn axes_listed(&self, name: &str, dimensions: usize) -> Result<Option<Vec<usize>>, Error> {
        match self.given(name) {
            Some(Value::List(items)) => items
                .iter()
                .map(|item| axis_of(item, dimensions))
                .collect::<Result<_, _>>()
                .map(Some),
            _ => self.axes(name, dimensions),
        }
    }

    /// One axis, several, or (`None`) all.
    pub(super) fn axes(&self, name: &str, dimensions: usize) -> Result<Option<Vec<usize>>, Error> {
        let Some(value) = self.given(name) else { return Ok(None) };
        let Value::Tuple(items) = value else {
            return axis_of(value, dimensions).map(|axis| Some(vec![axis]));
        };
        let axes = items
            .iter()
            .map(|item| axis_of(item, dimensions))
            .collect::<Result<Vec<_>, _>>()?;
        if (1..axes.len()).any(|i| axes[..i].contains(&axes[i])) {
            return Err(value_error("duplicate value in 'axis'"));
        }
        Ok(Some(axes))
    }
}

/// An axis from a value, counted from the front.
pub(super) fn axis_of(value: &Value, dimensions: usize) -> Result<usize, Error> {
    let asked = index_of(value)?;
    let count = dimensions as i64;
    if asked < -count || asked >= count {
        // numpy's AxisError is an IndexError too.
        return Err(value_error(format!(
            "axis {asked} is out of bounds for array of dimension {dimensions}"
        )));
    }
    Ok(asked.rem_euclid(count) as usize)
}

/// The dtype that a value names: a text, `float`, `np.float64`, the dtype of an array.
pub(super) fn dtype_of(value: &Value) -> Result<Dtype, Error> {
    match value {
        Value::Str(text) | Value::Scalar(Scalar::Str(text)) => parse_dtype(text),
        Value::Function(function) => parse_dtype(function.name().trim_start_matches("np.")),
        Value::None => Ok(Kind::Float.into()),
        other => Err(type_error(format!(
            "Cannot interpret a value of type '{}' as a data type",
            other.type_name()
        ))),
    }
}

/// A size or a shape: one int or a sequence of them.
pub(super) fn shape_of(value: &Value) -> Result<Vec<usize>, Error> {
    signed_shape_of(value)?
        .into_iter()
        .map(|dim| usize::try_from(dim).map_err(|_| value_error("negative dimensions are not allowed")))
        .collect()
}

/// A shape that may hold -1, as `reshape` takes it.
pub(super) fn signed_shape_of(value: &Value) -> Result<Vec<i64>, Error> {
    match value {
        Value::List(items) | Value::Tuple(items) => items.iter().map(index_of).collect(),
        Value::Array(array) if array.dims().len() == 1 && array.kind() == Kind::Int => Ok(array.ints().into_owned()),
        Value::Float(number) => Err(type_error(format!(
            "expected a sequence of integers or a single integer, got '{}'",
            super::print::float_text(*number)
        ))),
        other => Ok(vec![index_of(other)?]),
    }
}
