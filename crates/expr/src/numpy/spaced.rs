//! Evenly spaced values: `arange`, `linspace`, `logspace`, `geomspace`.
//!
//! Each element is computed as numpy does, to the last digit: loops of measurements are made of them.

use std::sync::Arc;

use num_complex::Complex64;

use super::arithmetic::{ADD, DIVIDE, MULTIPLY, POWER, SUBTRACT};
use super::array::{count_of, type_error, value_error};
use super::call::Call;
use super::create::cast_to;
use super::kind::{Dtype, Kind};
use super::operand::{array_of, as_complex, as_float, as_int, scalar_of};
use super::operators::arithmetic;
use super::{Arguments, Function, grid};
use crate::error::ErrorKind;
use crate::{Array, Error, Scalar, Value, limits};

/// The function called `np.<name>`.
pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name {
        "arange" => arange,
        "linspace" => |arguments| {
            let call = Call::bind(
                "linspace",
                arguments,
                "start! stop! num endpoint retstep dtype axis * device",
            )?;
            call.refuse(&["axis"])?;
            linspace(&call)
        },
        "logspace" => logspace,
        "geomspace" => geomspace,
        _ => return None,
    })
}

fn arange(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("arange", arguments, "start stop step dtype * device like")?;
    let number = |value: &Value| match scalar_of(value) {
        Some(Scalar::Str(_)) => Err(type_error(
            "arange() not supported for inputs with DType <class 'numpy.dtypes.StrDType'>.",
        )),
        Some(scalar) => Ok(scalar),
        None => match &*array_of(value)? {
            array if array.dims().is_empty() => Ok(array.element(0)),
            _ => Err(type_error(
                "only 0-dimensional arrays can be converted to Python scalars",
            )),
        },
    };
    let (start, stop) = match (call.given("start"), call.given("stop")) {
        (Some(stop), None) | (None, Some(stop)) => (Scalar::Int(0), number(stop)?),
        (Some(start), Some(stop)) => (number(start)?, number(stop)?),
        (None, None) => return Err(type_error("arange() requires stop to be specified.")),
    };
    let step = call.given("step").map_or(Ok(Scalar::Int(1)), number)?;
    let dtype = call.dtype("dtype")?;
    let kind = [&start, &stop, &step]
        .into_iter()
        .map(super::loops::scalar_kind)
        .max()
        .unwrap_or(Kind::Int)
        .max(Kind::Int);
    let kind = dtype.map_or(kind, |dtype| dtype.kind.max(kind.min(Kind::Float)));
    if let (Some(Dtype { kind: Kind::Int, .. }), Kind::Float) = (dtype, kind) {
        // numpy writes the first two as ints and goes on by their difference, which may be nothing.
        let count = steps((as_float(&stop) - as_float(&start)) / as_float(&step))?;
        let first = as_int(&start);
        let apart = super::array::truncated(as_float(&start) + as_float(&step)).wrapping_sub(first);
        let data = (0..count as i64)
            .map(|i| first.wrapping_add(apart.wrapping_mul(i)))
            .collect();
        return Ok(Array::of_ints(&[count], data).into_array_value());
    }
    let array = match kind {
        Kind::Bool | Kind::Int => int_range(as_int(&start), as_int(&stop), as_int(&step))?,
        Kind::Float | Kind::Str => float_range(as_float(&start), as_float(&stop), as_float(&step))?,
        Kind::Complex => complex_range(as_complex(&start), as_complex(&stop), as_complex(&step))?,
    };
    cast_to(&array, dtype)
}

fn int_range(start: i64, stop: i64, step: i64) -> Result<Array, Error> {
    if step == 0 {
        return Err(Error::new(ErrorKind::ZeroDivisionError, "division by zero"));
    }
    let (start, stop, step) = (i128::from(start), i128::from(stop), i128::from(step));
    let span = stop - start;
    let count = if (span < 0) == (step < 0) {
        (span.abs() + step.abs() - 1) / step.abs()
    } else {
        0
    };
    let count = count_of(&[usize::try_from(count).unwrap_or(usize::MAX)])?;
    limits::elements(count)?;
    Ok(Array::of_ints(
        &[count],
        (0..count).map(|i| (start + i as i128 * step) as i64).collect(),
    ))
}

/// How many steps lie in a span, as numpy rounds it.
fn steps(span: f64) -> Result<usize, Error> {
    if span.is_nan() {
        return Err(value_error("arange: cannot compute length"));
    }
    let count = span.ceil().max(0.0);
    let count = if count > 1e18 { usize::MAX } else { count as usize };
    let count = count_of(&[count])?;
    limits::elements(count)?;
    Ok(count)
}

fn float_range(start: f64, stop: f64, step: f64) -> Result<Array, Error> {
    if step == 0.0 {
        return Err(Error::new(ErrorKind::ZeroDivisionError, "division by zero"));
    }
    let count = steps((stop - start) / step)?;
    // numpy writes the first two and goes on by their difference.
    let apart = (start + step) - start;
    let at = |i: usize| match i {
        0 => start,
        1 => start + step,
        _ => start + i as f64 * apart,
    };
    Ok(Array::of_floats(&[count], (0..count).map(at).collect()))
}

fn complex_range(start: Complex64, stop: Complex64, step: Complex64) -> Result<Array, Error> {
    let span = super::arithmetic::complex_quotient(stop - start, step);
    let count = steps(span.re.min(span.im))?;
    let data = (0..count)
        .map(|i| start + Complex64::new(i as f64, 0.0) * step)
        .collect();
    Ok(Array::of_complexes(&[count], data))
}

/// A count of points.
fn points(call: &Call) -> Result<usize, Error> {
    let num = match call.given("num") {
        None => 50,
        Some(Value::Float(_) | Value::Scalar(Scalar::Float(_))) => {
            return Err(type_error("'float' object cannot be interpreted as an integer"));
        }
        Some(_) => call.int("num")?.unwrap_or(50),
    };
    let count =
        usize::try_from(num).map_err(|_| value_error(format!("Number of samples, {num}, must be non-negative.")))?;
    count_of(&[count])
}

fn endpoint(call: &Call) -> Result<bool, Error> {
    call.stated("endpoint").map_or(Ok(true), Value::truthy)
}

/// Evenly spaced values and the step between them.
fn spaced(start: &Array, stop: &Array, num: usize, endpoint: bool) -> Result<(Array, Array), Error> {
    let one = Array::of_floats(&[], vec![1.0]);
    let start = arithmetic(&MULTIPLY, start, &one)?;
    let stop = arithmetic(&MULTIPLY, stop, &one)?;
    let delta = arithmetic(&SUBTRACT, &stop, &start)?;
    let mut column = vec![1; delta.dims().len() + 1];
    column[0] = num;
    let dims = [&[num], delta.dims()].concat();
    limits::elements(count_of(&dims)?)?;
    let count = if endpoint { num.saturating_sub(1) } else { num };
    let index = Array::of_floats(&column, (0..num).map(|i| i as f64).collect());
    let (values, step) = if count > 0 {
        let count = Array::of_floats(&[], vec![count as f64]);
        let step = arithmetic(&DIVIDE, &delta, &count)?;
        let values = if step.bools().contains(&false) {
            arithmetic(&MULTIPLY, &arithmetic(&DIVIDE, &index, &count)?, &delta)?
        } else {
            arithmetic(&MULTIPLY, &index, &step)?
        };
        (values, step)
    } else {
        (
            arithmetic(&MULTIPLY, &index, &delta)?,
            Array::of_floats(&[], vec![f64::NAN]),
        )
    };
    let values = arithmetic(&ADD, &values, &start)?;
    let values = if endpoint && num > 1 {
        with_row(&values, num - 1, &stop)?
    } else {
        values
    };
    Ok((values, step))
}

/// The array with row `row` replaced.
fn with_row(array: &Array, row: usize, new: &Array) -> Result<Array, Error> {
    let size = array.count() / array.dims().first().copied().unwrap_or(1).max(1);
    let new = grid::stretched(new, &array.dims()[1..]);
    let all = super::join::concatenated(&[&array.with_dims(&[array.count()]), &new.with_dims(&[new.count()])], 0)?;
    let old = array.count();
    let pick = (0..old).map(|i| if i / size.max(1) == row { old + i % size } else { i });
    Ok(all.gather(array.dims(), &pick.collect::<Vec<_>>()))
}

fn spaced_cast(array: &Array, dtype: Option<Dtype>) -> Result<Value, Error> {
    match dtype {
        Some(Dtype { kind: Kind::Int, .. }) => {
            let floors = array
                .floats()
                .iter()
                .map(|x| super::array::truncated(x.floor()))
                .collect();
            Ok(Array::of_ints(array.dims(), floors).into_array_value())
        }
        dtype => cast_to(array, dtype),
    }
}

fn linspace(call: &Call) -> Result<Value, Error> {
    let num = points(call)?;
    let (values, step) = spaced(&*call.array("start")?, &*call.array("stop")?, num, endpoint(call)?)?;
    let values = spaced_cast(&values, call.dtype("dtype")?)?;
    if call.flag("retstep")? {
        return Ok(Value::Tuple(Arc::new(vec![values, step.into_value()])));
    }
    Ok(values)
}

fn logspace(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("logspace", arguments, "start! stop! num endpoint base dtype axis")?;
    call.refuse(&["axis"])?;
    let num = points(&call)?;
    let (exponents, _) = spaced(&*call.array("start")?, &*call.array("stop")?, num, endpoint(&call)?)?;
    let base = match call.array_given("base")? {
        Some(base) => base.into_owned(),
        None => Array::of_floats(&[], vec![10.0]),
    };
    cast_to(&arithmetic(&POWER, &base, &exponents)?, call.dtype("dtype")?)
}

fn geomspace(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("geomspace", arguments, "start! stop! num endpoint dtype axis")?;
    call.refuse(&["axis"])?;
    let (start, stop) = (call.array("start")?, call.array("stop")?);
    if start.bools().contains(&false) || stop.bools().contains(&false) {
        return Err(value_error("Geometric sequence cannot include zero"));
    }
    if !start.dims().is_empty() || !stop.dims().is_empty() {
        return Err(Error::new(ErrorKind::NotSupported, "`geomspace` between arrays"));
    }
    let (num, endpoint) = (points(&call)?, endpoint(&call)?);
    if start.kind().max(stop.kind()) == Kind::Complex {
        return geomspace_complex(start.complexes()[0], stop.complexes()[0], num, endpoint);
    }
    let (start, stop) = (start.floats()[0], stop.floats()[0]);
    let sign = start.signum();
    let (from, to) = (start / sign, stop / sign);
    let logarithm = |x: f64| Array::of_floats(&[], vec![x.log10()]);
    let (exponents, _) = spaced(&logarithm(from), &logarithm(to), num, endpoint)?;
    let mut data: Vec<f64> = exponents
        .floats()
        .iter()
        .map(|x| super::arithmetic::float_power(10.0, *x))
        .collect();
    if let Some(first) = data.first_mut() {
        *first = from;
    }
    if let (Some(last), true) = (data.last_mut(), endpoint && num > 1) {
        *last = to;
    }
    let array = Array::of_floats(&[num], data.into_iter().map(|x| x * sign).collect());
    cast_to(&array, call.dtype("dtype")?)
}

fn geomspace_complex(start: Complex64, stop: Complex64, num: usize, endpoint: bool) -> Result<Value, Error> {
    let sign = start / start.norm();
    let (from, to) = (start / sign, stop / sign);
    let logarithm = |z: Complex64| Array::of_complexes(&[], vec![z.ln() / std::f64::consts::LN_10]);
    let (exponents, _) = spaced(&logarithm(from), &logarithm(to), num, endpoint)?;
    let mut data: Vec<Complex64> = exponents
        .complexes()
        .iter()
        .map(|z| super::elementwise::complex_exp(*z * std::f64::consts::LN_10))
        .collect();
    if let Some(first) = data.first_mut() {
        *first = from;
    }
    if let (Some(last), true) = (data.last_mut(), endpoint && num > 1) {
        *last = to;
    }
    Ok(Array::of_complexes(&[num], data.into_iter().map(|z| z * sign).collect()).into_array_value())
}
