//! Functions that make arrays of values, of one value, and with a pattern.

use std::sync::Arc;

use num_complex::Complex64;

use super::array::{count_of, parse_float, to_python, type_error, value_error};
use super::call::{Call, shape_of};
use super::grid;
use super::kind::{Dtype, Kind};
use super::operand::{array_of, as_complex, checked, scalar_of, texts_of};
use super::{Arguments, Function, print};
use crate::error::ErrorKind;
use crate::{Array, Error, Scalar, Value, limits};

/// The function called `np.<name>`.
pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name {
        "array" => |arguments| {
            made(Call::bind(
                "array",
                arguments,
                "object! dtype * copy order subok ndmin like",
            )?)
        },
        "asarray" | "asanyarray" | "ascontiguousarray" => |arguments| {
            made(Call::bind(
                "asarray",
                arguments,
                "object! dtype order * device copy like ndmin",
            )?)
        },
        "zeros" => |arguments| filled("zeros", arguments, Scalar::Float(0.0)),
        "ones" => |arguments| filled("ones", arguments, Scalar::Float(1.0)),
        // Memory that nobody has written: zeros are as good as anything, and the same every time.
        "empty" => |arguments| filled("empty", arguments, Scalar::Float(0.0)),
        "full" => full,
        "zeros_like" => |arguments| like("zeros_like", arguments, 0),
        "ones_like" => |arguments| like("ones_like", arguments, 1),
        "empty_like" => |arguments| like("empty_like", arguments, 0),
        "full_like" => full_like,
        "eye" => |arguments| eye(&Call::bind("eye", arguments, "N! M k dtype order * device like")?),
        "identity" => |arguments| eye(&Call::bind("identity", arguments, "N! dtype * like M k")?),
        "diag" => diag,
        "diagflat" => |arguments| {
            let call = Call::bind("diagflat", arguments, "v! k")?;
            let array = call.array("v")?;
            spread_diagonal(&array.with_dims(&[array.count()]), call.int("k")?.unwrap_or(0))
        },
        "tri" => |arguments| {
            let call = Call::bind("tri", arguments, "N! M k dtype * like")?;
            let rows = dimension(call.int("N")?.unwrap_or(0))?;
            let columns = call.int("M")?.map_or(Ok(rows), dimension)?;
            let k = call.int("k")?.unwrap_or(0);
            let data = matrix(rows, columns, |row, column| f64::from(u8::from(column - row <= k)))?;
            cast_to(&Array::of_floats(&[rows, columns], data), call.dtype("dtype")?)
        },
        "tril" => |arguments| triangle(&Call::bind("tril", arguments, "m! k")?, |offset, k| offset <= k),
        "triu" => |arguments| triangle(&Call::bind("triu", arguments, "m! k")?, |offset, k| offset >= k),
        "meshgrid" => meshgrid,
        "indices" => |arguments| {
            let call = Call::bind("indices", arguments, "dimensions! dtype sparse")?;
            call.refuse(&["sparse"])?;
            let dims = shape_of(call.value("dimensions"))?;
            let count = count_of(&dims)?;
            limits::elements(count_of(&[&[dims.len()], &dims[..]].concat())?)?;
            let strides = grid::strides(&dims);
            let mut data = Vec::new();
            for (stride, dim) in strides.iter().zip(&dims) {
                data.extend((0..count).map(|i| (i / stride % dim) as i64));
            }
            Ok(Array::of_ints(&[&[dims.len()], &dims[..]].concat(), data).into_array_value())
        },
        "fromiter" => |arguments| {
            let call = Call::bind("fromiter", arguments, "iter! dtype! count * like")?;
            let items = call.value("iter").iterate()?;
            let array = array_of(&Value::list(items))?.into_owned();
            cast_to(&array, call.dtype("dtype")?)
        },
        "float64" | "double" => |arguments| converted("float64", arguments, Kind::Float),
        "int64" | "int_" | "intp" | "longlong" | "long" => |arguments| converted("int64", arguments, Kind::Int),
        "complex128" | "cdouble" => |arguments| converted("complex128", arguments, Kind::Complex),
        "bool_" | "bool" => |arguments| converted("bool", arguments, Kind::Bool),
        "str_" => |arguments| converted("str_", arguments, Kind::Str),
        "dtype" => |arguments| {
            let call = Call::bind("dtype", arguments, "dtype! align copy")?;
            let dtype = super::call::dtype_of(call.value("dtype"))?;
            Ok(Value::str(match (dtype.kind, dtype.width) {
                (Kind::Str, width) => format!("<U{}", width.unwrap_or(0)),
                (kind, _) => kind.name().to_owned(),
            }))
        },
        _ => return None,
    })
}

pub(super) fn cast_to(array: &Array, dtype: Option<Dtype>) -> Result<Value, Error> {
    Ok(match dtype {
        Some(dtype) => array.cast(dtype)?.into_array_value(),
        None => array.clone().into_array_value(),
    })
}

fn made(call: Call) -> Result<Value, Error> {
    let object = call.value("object");
    let dtype = call.dtype("dtype")?;
    if let (Value::Record(_), None) = (object, dtype) {
        return Ok(object.clone());
    }
    let array = call.array("object")?;
    limits::elements(array.count())?;
    let array = match dtype {
        // Texts made of values are as wide as the longest; those of an array keep the room that its kind can need.
        Some(dtype) if dtype.kind == Kind::Str && !matches!(object, Value::Array(_)) => {
            let texts = texts_of(object)?;
            if dtype.width.is_some() {
                texts.cast(dtype)?
            } else {
                texts
            }
        }
        Some(dtype) => {
            checked(object, dtype.kind)?;
            array.cast(dtype)?
        }
        None => array.into_owned(),
    };
    let least = usize::try_from(call.int("ndmin")?.unwrap_or(0))
        .unwrap_or(0)
        .min(super::array::MOST_DIMENSIONS);
    let missing = least.saturating_sub(array.dims().len());
    let dims = [vec![1; missing], array.dims().to_vec()].concat();
    Ok(array.with_dims(&dims).into_array_value())
}

/// A new array of one value, counted.
fn of_value(dims: &[usize], value: &Scalar, dtype: Option<Dtype>) -> Result<Value, Error> {
    limits::elements(count_of(dims)?)?;
    let value = match dtype {
        Some(dtype) => Array::of_scalar(value).cast(dtype)?.element(0),
        None => value.clone(),
    };
    Ok(Array::full(dims, &value)?.into_array_value())
}

fn filled(name: &'static str, arguments: Arguments, value: Scalar) -> Result<Value, Error> {
    if arguments.positional.is_empty() && !arguments.keywords.iter().any(|(name, _)| &**name == "shape") {
        return Err(type_error(format!(
            "{name}() missing required argument 'shape' (pos 0)"
        )));
    }
    let call = Call::bind(name, arguments, "shape! dtype order * device like")?;
    let dtype = call.dtype("dtype")?;
    let empty_text = matches!(dtype, Some(Dtype { kind: Kind::Str, .. })) && name != "ones";
    let value = if empty_text { Array::zero(Kind::Str) } else { value };
    let one_text = matches!(dtype, Some(Dtype { kind: Kind::Str, .. })) && name == "ones";
    let value = if one_text { Scalar::Int(1) } else { value };
    of_value(&shape_of(call.value("shape"))?, &value, dtype)
}

fn full(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("full", arguments, "shape! fill_value! dtype order * device like")?;
    let dims = shape_of(call.value("shape"))?;
    spread_value(&dims, &*call.array("fill_value")?, call.dtype("dtype")?)
}

fn spread_value(dims: &[usize], value: &Array, dtype: Option<Dtype>) -> Result<Value, Error> {
    limits::elements(count_of(dims)?)?;
    if grid::broadcast(&[value.dims(), dims]).ok().as_deref() != Some(dims) {
        return Err(value_error(format!(
            "could not broadcast input array from shape {} into shape {}",
            super::array::shape_text(value.dims()),
            super::array::shape_text(dims)
        )));
    }
    cast_to(&grid::stretched(value, dims), dtype)
}

fn like(name: &'static str, arguments: Arguments, number: i64) -> Result<Value, Error> {
    let call = Call::bind(name, arguments, "a! dtype order subok shape * device")?;
    let array = call.array("a")?;
    let dims = call
        .given("shape")
        .map_or_else(|| Ok(array.dims().to_vec()), shape_of)?;
    let kind = call.dtype("dtype")?.map_or(array.kind(), |dtype| dtype.kind);
    if kind == Kind::Str {
        let text = if number == 0 { "" } else { "1" };
        let filled = vec![Arc::from(text); count_of(&dims)?];
        return Ok(Array::of_texts_of_width(&dims, filled, array.text_width()).into_array_value());
    }
    of_value(&dims, &Scalar::Int(number), Some(kind.into()))
}

fn full_like(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind(
        "full_like",
        arguments,
        "a! fill_value! dtype order subok shape * device",
    )?;
    let array = call.array("a")?;
    let dims = call
        .given("shape")
        .map_or_else(|| Ok(array.dims().to_vec()), shape_of)?;
    let dtype = call.dtype("dtype")?.unwrap_or(array.kind().into());
    spread_value(&dims, &*call.array("fill_value")?, Some(dtype))
}

fn dimension(count: i64) -> Result<usize, Error> {
    usize::try_from(count).map_err(|_| value_error("negative dimensions are not allowed"))
}

fn matrix<T>(rows: usize, columns: usize, at: impl Fn(i64, i64) -> T) -> Result<Vec<T>, Error> {
    limits::elements(count_of(&[rows, columns])?)?;
    Ok((0..rows * columns)
        .map(|i| at((i / columns) as i64, (i % columns) as i64))
        .collect())
}

fn eye(call: &Call) -> Result<Value, Error> {
    let rows = dimension(call.int("N")?.unwrap_or(0))?;
    let columns = call.int("M")?.map_or(Ok(rows), dimension)?;
    let k = call.int("k")?.unwrap_or(0);
    let data = matrix(rows, columns, |row, column| {
        f64::from(u8::from(column.saturating_sub(row) == k))
    })?;
    cast_to(&Array::of_floats(&[rows, columns], data), call.dtype("dtype")?)
}

fn diag(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("diag", arguments, "v! k")?;
    let array = call.array("v")?;
    let k = call.int("k")?.unwrap_or(0);
    match array.dims() {
        [_] => spread_diagonal(&array, k),
        [_, _] => Ok(super::shape::diagonal(&array, k, 0, 1)?.into_array_value()),
        _ => Err(value_error("Input must be 1- or 2-d.")),
    }
}

fn spread_diagonal(array: &Array, k: i64) -> Result<Value, Error> {
    let length = array.count();
    let away = usize::try_from(k.unsigned_abs()).unwrap_or(usize::MAX);
    let size = length.saturating_add(away);
    // One more element stands behind the others: the zero between them.
    let zero = Array::full(&[1], &Array::zero(array.kind()))?;
    let all = super::join::concatenated(&[array, &zero], 0)?;
    let indices = matrix(size, size, |row, column| {
        let at = if k >= 0 { row } else { column };
        if column - row == k { at as usize } else { length }
    })?;
    Ok(all.gather(&[size, size], &indices).into_array_value())
}

fn triangle(call: &Call, kept: fn(i64, i64) -> bool) -> Result<Value, Error> {
    let array = call.array("m")?;
    let k = call.int("k")?.unwrap_or(0);
    let array = match array.dims() {
        [] => return Err(type_error("`m` has no dimensions")),
        [columns] => grid::stretched(&array, &[*columns, *columns]),
        _ => array.into_owned(),
    };
    let dims = array.dims();
    let (rows, columns) = (dims[dims.len() - 2], dims[dims.len() - 1]);
    let zero = Array::full(&[1], &Array::zero(array.kind()))?;
    let count = array.count();
    let all = super::join::concatenated(&[&array.with_dims(&[count]), &zero], 0)?;
    let place = |i: usize| {
        let (row, column) = (i / columns.max(1) % rows.max(1), i % columns.max(1));
        if kept(column as i64 - row as i64, k) { i } else { count }
    };
    Ok(all
        .gather(dims, &(0..count).map(place).collect::<Vec<_>>())
        .into_array_value())
}

fn meshgrid(arguments: Arguments) -> Result<Value, Error> {
    let mut matrix_order = false;
    for (name, value) in &arguments.keywords {
        match (&**name, value.as_str()) {
            ("indexing", Some("ij")) => matrix_order = true,
            ("indexing", Some("xy")) => {}
            ("indexing", _) => return Err(value_error("Valid values for `indexing` are 'xy' and 'ij'.")),
            ("copy", _) => {}
            ("sparse", _) if !value.truthy()? => {}
            ("sparse", _) => return Err(Error::new(ErrorKind::NotSupported, "`sparse=` of `meshgrid`")),
            (other, _) => {
                return Err(type_error(format!(
                    "meshgrid() got an unexpected keyword argument '{other}'"
                )));
            }
        }
    }
    let axes = arguments
        .positional
        .iter()
        .map(array_of)
        .collect::<Result<Vec<_>, _>>()?;
    let mut dims: Vec<usize> = axes.iter().map(|axis| axis.count()).collect();
    let swapped = !matrix_order && dims.len() > 1;
    if swapped {
        dims.swap(0, 1);
    }
    limits::elements(count_of(&dims)?.saturating_mul(axes.len()))?;
    let grids = axes.iter().enumerate().map(|(number, axis)| {
        let place = if swapped && number < 2 { 1 - number } else { number };
        let mut own = vec![1; dims.len()];
        own[place] = axis.count();
        grid::stretched(&axis.with_dims(&own), &dims).into_array_value()
    });
    Ok(Value::Tuple(Arc::new(grids.collect())))
}

/// `np.float64(value)` and its like: scalars of scalars, arrays of sequences.
fn converted(name: &'static str, arguments: Arguments, kind: Kind) -> Result<Value, Error> {
    if kind == Kind::Complex && arguments.positional.len() == 2 {
        let part = |i: usize| match scalar_of(&arguments.positional[i]) {
            Some(scalar @ (Scalar::Bool(_) | Scalar::Int(_) | Scalar::Float(_) | Scalar::Complex(_))) => {
                Ok(as_complex(&scalar))
            }
            _ => Err(type_error("complex() arguments must be numbers")),
        };
        return Ok(Value::Scalar(Scalar::Complex(
            part(0)? + Complex64::new(0.0, 1.0) * part(1)?,
        )));
    }
    let call = Call::bind(name, arguments, "x")?;
    match call.stated("x") {
        None => Ok(Value::Scalar(Array::zero(kind))),
        Some(Value::None) if kind == Kind::Float => Ok(Value::Scalar(Scalar::Float(f64::NAN))),
        Some(Value::None) if kind == Kind::Bool => Ok(Value::Scalar(Scalar::Bool(false))),
        Some(Value::None) if kind == Kind::Str => Ok(Value::Scalar(Scalar::Str(Arc::from("None")))),
        Some(Value::None) => Err(type_error(
            "int() argument must be a string, a bytes-like object or a real number, not 'NoneType'",
        )),
        Some(Value::BigInt(number)) => match kind {
            Kind::Float => super::array::big_to_float(number).map(|x| Value::Scalar(Scalar::Float(x))),
            Kind::Bool => Ok(Value::Scalar(Scalar::Bool(true))),
            Kind::Complex => {
                super::array::big_to_float(number).map(|x| Value::Scalar(Scalar::Complex(Complex64::new(x, 0.0))))
            }
            Kind::Str => Ok(Value::Scalar(Scalar::Str(Arc::from(number.to_string())))),
            Kind::Int => Err(Error::new(
                ErrorKind::OverflowError,
                "Python int too large to convert to C long",
            )),
        },
        Some(value) => match scalar_of(value) {
            Some(scalar) => convert_scalar(&scalar, kind).map(Value::Scalar),
            None => Ok(array_of(value)?.cast(kind)?.into_value()),
        },
    }
}

fn convert_scalar(scalar: &Scalar, kind: Kind) -> Result<Scalar, Error> {
    Ok(match (scalar, kind) {
        (Scalar::Str(text), Kind::Float) => Scalar::Float(
            parse_float(text)
                .ok_or_else(|| value_error(format!("could not convert string to float: {}", print::quoted(text))))?,
        ),
        (Scalar::Float(x), Kind::Int) if x.is_nan() => return Err(value_error("cannot convert float NaN to integer")),
        (Scalar::Float(x), Kind::Int) if x.is_infinite() => {
            return Err(Error::new(
                ErrorKind::OverflowError,
                "cannot convert float infinity to integer",
            ));
        }
        (Scalar::Float(x), Kind::Int) if x.abs() >= 9.3e18 => {
            return Err(Error::new(
                ErrorKind::OverflowError,
                "Python int too large to convert to C long",
            ));
        }
        (Scalar::Complex(_), Kind::Int) => {
            return Err(type_error(
                "int() argument must be a string, a bytes-like object or a real number, not 'complex'",
            ));
        }
        (_, Kind::Str) => Scalar::Str(Arc::from(print::scalar_str(scalar))),
        _ => Array::of_scalar(scalar).cast(kind)?.element(0),
    })
}

/// A numpy scalar or an array as Python's numbers and lists.
pub(super) fn to_list(array: &Array) -> Value {
    fn block(elements: &[Scalar], dims: &[usize]) -> Value {
        let Some((first, rest)) = dims.split_first() else {
            return to_python(&elements[0]);
        };
        let size: usize = rest.iter().product();
        let at = |i: usize| block(&elements[i * size..(i + 1) * size], rest);
        Value::List(Arc::new((0..*first).map(at).collect()))
    }
    block(&array.elements(), array.dims())
}
