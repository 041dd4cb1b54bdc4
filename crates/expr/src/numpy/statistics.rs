//! Means, variances and weighted averages, along axes or over all.
//!
//! Each is made of numpy's own sums and divisions, in its order, so that they agree to the last digit.

use num_complex::Complex64;

use super::array::{type_error, value_error};
use super::call::Call;
use super::kind::Kind;
use super::reduce::{Fold, folded, without_nans};
use super::{Arguments, Function, grid};
use crate::{Array, Error, Value};

/// The function called `np.<name>`.
pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name {
        "mean" => |arguments| mean("mean", arguments, false),
        "nanmean" => |arguments| mean("nanmean", arguments, true),
        "average" => average,
        "std" => |arguments| spread("std", arguments, true, false),
        "var" => |arguments| spread("var", arguments, false, false),
        "nanstd" => |arguments| spread("nanstd", arguments, true, true),
        "nanvar" => |arguments| spread("nanvar", arguments, false, true),
        _ => return None,
    })
}

/// The squares of deviations, nothing where the number itself was NaN: what an infinity made NaN stays.
fn without_nans_of(squares: &Array, numbers: &Array) -> Array {
    let data = squares.floats();
    let keep = |(x, z): (&f64, &Complex64)| if z.re.is_nan() || z.im.is_nan() { 0.0 } else { *x };
    Array::of_floats(
        squares.dims(),
        data.iter().zip(numbers.complexes().iter()).map(keep).collect(),
    )
}

/// Floats stay complex if they are; everything else is a float from here on.
fn inexact(array: &Array) -> Result<Array, Error> {
    match array.kind() {
        Kind::Complex => Ok(array.clone()),
        Kind::Bool | Kind::Int | Kind::Float => array.cast(Kind::Float),
        Kind::Str => folded(array, None, false, Fold::Sum),
    }
}

/// A sum divided by counts, elementwise.
fn divided(sum: &Array, counts: impl Fn(usize) -> f64) -> Array {
    match sum {
        Array::Complex(data) => {
            let quotient =
                |(i, z): (usize, &Complex64)| super::arithmetic::complex_quotient(*z, Complex64::new(counts(i), 0.0));
            Array::of_complexes(sum.dims(), data.iter().enumerate().map(quotient).collect())
        }
        other => Array::of_floats(
            sum.dims(),
            other.floats().iter().enumerate().map(|(i, x)| x / counts(i)).collect(),
        ),
    }
}

/// How many elements of each group count, NaNs left out if they are skipped.
fn counted(array: &Array, axes: Option<&[usize]>, skip_nans: bool) -> Result<Vec<i64>, Error> {
    if !skip_nans {
        let reduced = |axis: &usize| axes.is_none_or(|axes| axes.contains(axis));
        let (mut group, mut groups) = (1, 1);
        for (axis, dim) in array.dims().iter().enumerate() {
            *(if reduced(&axis) { &mut group } else { &mut groups }) *= *dim;
        }
        return Ok(vec![group as i64; groups]);
    }
    let flags = match array {
        Array::Float(data) => data.iter().map(|x| !x.is_nan()).collect(),
        Array::Complex(data) => data.iter().map(|z| !z.re.is_nan() && !z.im.is_nan()).collect(),
        other => vec![true; other.count()],
    };
    Ok(folded(&Array::of_bools(array.dims(), flags), axes, true, Fold::Sum)?
        .ints()
        .into_owned())
}

/// The mean over axes; the reduced axes stay with length one if `keep`.
pub(super) fn mean_of(array: &Array, axes: Option<&[usize]>, keep: bool, skip_nans: bool) -> Result<Array, Error> {
    let floats = inexact(array)?;
    let counts = counted(&floats, axes, skip_nans)?;
    let clean = if skip_nans { without_nans(&floats, 0.0) } else { floats };
    Ok(divided(&folded(&clean, axes, keep, Fold::Sum)?, |i| counts[i] as f64))
}

fn mean(name: &'static str, arguments: Arguments, skip_nans: bool) -> Result<Value, Error> {
    let call = Call::bind(name, arguments, "a! axis dtype out keepdims * where")?;
    call.refuse(&["where"])?;
    let array = call.array("a")?;
    let array = match call.dtype("dtype")? {
        Some(dtype) if dtype.kind >= Kind::Float => std::borrow::Cow::Owned(array.cast(dtype.kind)?),
        Some(_) => return Err(call.unsupported("dtype")),
        None => array,
    };
    let axes = call.axes("axis", array.dims().len())?;
    mean_of(&array, axes.as_deref(), call.flag("keepdims")?, skip_nans).map(Array::into_value)
}

fn spread(name: &'static str, arguments: Arguments, root: bool, skip_nans: bool) -> Result<Value, Error> {
    let call = Call::bind(
        name,
        arguments,
        "a! axis dtype out ddof keepdims * where mean correction",
    )?;
    call.refuse(&["where", "mean", "dtype"])?;
    let array = inexact(&*call.array("a")?)?;
    let axes = call.axes("axis", array.dims().len())?;
    let axes = axes.as_deref();
    let ddof = call.float("ddof")?.or(call.float("correction")?).unwrap_or(0.0);
    let counts = counted(&array, axes, skip_nans)?;
    let centre = mean_of(&array, axes, true, skip_nans)?;
    let away = super::arithmetic::SUBTRACT.apply(&array, &centre)?;
    let squares = match &away {
        Array::Complex(data) => Array::of_floats(away.dims(), data.iter().map(|z| z.re * z.re + z.im * z.im).collect()),
        other => Array::of_floats(away.dims(), other.floats().iter().map(|x| x * x).collect()),
    };
    let squares = if skip_nans {
        without_nans_of(&squares, &array)
    } else {
        squares
    };
    let sum = folded(&squares, axes, call.flag("keepdims")?, Fold::Sum)?;
    let variance = divided(&sum, |i| {
        let freedom = counts[i] as f64 - ddof;
        // numpy counts no less than nothing, except where NaNs were skipped: then it has no answer.
        if freedom > 0.0 {
            freedom
        } else if skip_nans {
            f64::NAN
        } else {
            0.0
        }
    });
    let result = if root {
        Array::of_floats(variance.dims(), variance.floats().iter().map(|x| x.sqrt()).collect())
    } else {
        variance
    };
    Ok(result.into_value())
}

fn average(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("average", arguments, "a! axis weights returned * keepdims")?;
    let array = call.array("a")?;
    let axes = call.axes("axis", array.dims().len())?;
    let keep = call.flag("keepdims")?;
    let Some(weights) = call.array_given("weights")? else {
        let mean = mean_of(&array, axes.as_deref(), keep, false)?;
        if call.flag("returned")? {
            return Err(call.unsupported("returned"));
        }
        return Ok(mean.into_value());
    };
    let weights = if weights.dims() == array.dims() {
        weights.into_owned()
    } else {
        let Some([axis]) = axes.as_deref() else {
            return Err(type_error(
                "Axis must be specified when shapes of a and weights differ.",
            ));
        };
        if weights.dims() != [array.dims()[*axis]] {
            return Err(value_error(
                "Shape of weights must be consistent with shape of a along specified axis.",
            ));
        }
        let mut dims = vec![1; array.dims().len()];
        dims[*axis] = weights.count();
        grid::stretched(&weights.with_dims(&dims), array.dims())
    };
    let weights = if weights.kind() < Kind::Float {
        weights.cast(Kind::Float)?
    } else {
        weights
    };
    let scale = folded(&weights, axes.as_deref(), keep, Fold::Sum)?;
    if scale.bools().contains(&false) {
        return Err(Error::new(
            crate::ErrorKind::ZeroDivisionError,
            "Weights sum to zero, can't be normalized",
        ));
    }
    let products = super::arithmetic::MULTIPLY.apply(&array, &weights)?;
    let sum = folded(&products, axes.as_deref(), keep, Fold::Sum)?;
    let mean = super::arithmetic::DIVIDE.apply(&sum, &scale)?.into_value();
    if call.flag("returned")? {
        return Ok(Value::Tuple(std::sync::Arc::new(vec![mean, scale.into_value()])));
    }
    Ok(mean)
}
