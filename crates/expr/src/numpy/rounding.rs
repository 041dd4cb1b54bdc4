//! Rounding, clipping, and other repairs of numbers: `round`, `clip`, `nan_to_num`, parts and angles of complex numbers.
//!
//! numpy rounds to digits by multiplying, rounding to even and dividing; Python's own `round` of a float is exact instead.

use std::f64::consts::PI;

use num_complex::Complex64;

use super::arithmetic::{MAXIMUM, MINIMUM};
use super::array::{type_error, value_error};
use super::call::Call;
use super::kind::{Kind, unsupported_dtype};
use super::members::{imaginary, real};
use super::operators::{arithmetic, compare_arrays};
use super::{Arguments, CompareOp, Function};
use crate::{Array, Error, Value};

/// The function called `np.<name>`.
pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name {
        "round" | "around" => |arguments| {
            let call = Call::bind("round", arguments, "a! decimals out")?;
            rounded(&*call.array("a")?, call.int("decimals")?.unwrap_or(0)).map(Array::into_value)
        },
        "clip" => clip,
        "nan_to_num" => nan_to_num,
        "real" => |arguments| {
            let call = Call::bind("real", arguments, "val!")?;
            Ok(match call.value("val") {
                Value::Complex(z) => Value::Float(z.re),
                number @ (Value::Int(_) | Value::Float(_)) => number.clone(),
                Value::Bool(flag) => Value::Int(i64::from(*flag)),
                other => as_given(other, real(&*call.array("val")?)),
            })
        },
        "imag" => |arguments| {
            let call = Call::bind("imag", arguments, "val!")?;
            Ok(match call.value("val") {
                Value::Complex(z) => Value::Float(z.im),
                Value::Int(_) | Value::Bool(_) => Value::Int(0),
                Value::Float(_) => Value::Float(0.0),
                other => as_given(other, imaginary(&*call.array("val")?)),
            })
        },
        "angle" => angle,
        "isreal" => |arguments| match arguments.positional.first() {
            Some(Value::Int(_) | Value::Bool(_) | Value::Float(_)) => Ok(Value::Bool(true)),
            Some(Value::Complex(z)) => Ok(Value::Bool(z.im == 0.0)),
            _ => parts("isreal", arguments, |z| z.im == 0.0),
        },
        "iscomplex" => |arguments| parts("iscomplex", arguments, |z| z.im != 0.0),
        "iscomplexobj" => |arguments| {
            Ok(Value::Bool(
                Call::bind("iscomplexobj", arguments, "x!")?.array("x")?.kind() == Kind::Complex,
            ))
        },
        "isrealobj" => |arguments| {
            Ok(Value::Bool(
                Call::bind("isrealobj", arguments, "x!")?.array("x")?.kind() != Kind::Complex,
            ))
        },
        "sinc" => sinc,
        "unwrap" => unwrap,
        "isclose" => |arguments| {
            let call = Call::bind("isclose", arguments, CLOSE)?;
            isclose(&call).map(Array::into_value)
        },
        "allclose" => |arguments| {
            let call = Call::bind("allclose", arguments, CLOSE)?;
            Ok(Value::Bool(!isclose(&call)?.bools().contains(&false)))
        },
        "array_equal" => |arguments| {
            let call = Call::bind("array_equal", arguments, "a1! a2! equal_nan")?;
            let (l, r) = (call.array("a1")?, call.array("a2")?);
            if l.dims() != r.dims() {
                return Ok(Value::Bool(false));
            }
            let mut equal = compare_arrays(CompareOp::Eq, &l, &r)?.bools().into_owned();
            if call.flag("equal_nan")? && l.kind() == Kind::Float && r.kind() == Kind::Float {
                let nans = l
                    .floats()
                    .iter()
                    .zip(r.floats().iter())
                    .map(|(l, r)| l.is_nan() && r.is_nan())
                    .collect::<Vec<_>>();
                equal.iter_mut().zip(nans).for_each(|(equal, nan)| *equal |= nan);
            }
            Ok(Value::Bool(!equal.contains(&false)))
        },
        "array_equiv" => |arguments| {
            let call = Call::bind("array_equiv", arguments, "a1! a2!")?;
            let (l, r) = (call.array("a1")?, call.array("a2")?);
            Ok(Value::Bool(
                compare_arrays(CompareOp::Eq, &l, &r).is_ok_and(|equal| !equal.bools().contains(&false)),
            ))
        },
        _ => return None,
    })
}

/// A scalar of a scalar; an array of anything else, also without dimensions.
fn as_given(value: &Value, array: Array) -> Value {
    if matches!(value, Value::Scalar(_)) {
        array.into_value()
    } else {
        array.into_array_value()
    }
}

const CLOSE: &str = "a! b! rtol atol equal_nan";

/// `np.round(array, decimals)`.
pub(super) fn rounded(array: &Array, decimals: i64) -> Result<Array, Error> {
    let places = decimals.unsigned_abs().min(400) as i32;
    let scale = if places <= 22 {
        10_f64.powi(places)
    } else {
        10_f64.powf(f64::from(places))
    };
    let round = |x: f64| match decimals {
        0 => x.round_ties_even(),
        1.. => (x * scale).round_ties_even() / scale,
        _ => (x / scale).round_ties_even() * scale,
    };
    let dims = array.dims();
    Ok(match array {
        Array::Bool(_) => return Err(unsupported_dtype("float16")),
        Array::Int(_) if decimals >= 0 => array.clone(),
        Array::Int(data) => Array::of_ints(
            dims,
            data.iter().map(|x| super::array::truncated(round(*x as f64))).collect(),
        ),
        Array::Float(data) => Array::of_floats(dims, data.iter().map(|x| round(*x)).collect()),
        Array::Complex(data) => Array::of_complexes(
            dims,
            data.iter().map(|z| Complex64::new(round(z.re), round(z.im))).collect(),
        ),
        Array::Str { .. } => return Err(super::loops::unsupported_input("rint")),
    })
}

fn clip(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("clip", arguments, "a! a_min a_max out * min max where dtype casting")?;
    let low = call.given("a_min").or(call.given("min"));
    let high = call.given("a_max").or(call.given("max"));
    let mut result = call.array("a")?.into_owned();
    if let Some(low) = low {
        result = arithmetic(&MAXIMUM, &result, &*super::operand::array_of(low)?)?;
    }
    if let Some(high) = high {
        result = arithmetic(&MINIMUM, &result, &*super::operand::array_of(high)?)?;
    }
    Ok(result.into_value())
}

fn nan_to_num(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("nan_to_num", arguments, "x! copy nan posinf neginf")?;
    let nan = call.float("nan")?.unwrap_or(0.0);
    let high = call.float("posinf")?.unwrap_or(f64::MAX);
    let low = call.float("neginf")?.unwrap_or(f64::MIN);
    let mend = |x: f64| {
        if x.is_nan() {
            nan
        } else if x == f64::INFINITY {
            high
        } else if x == f64::NEG_INFINITY {
            low
        } else {
            x
        }
    };
    let array = call.array("x")?;
    Ok(match &*array {
        Array::Float(data) => Array::of_floats(array.dims(), data.iter().map(|x| mend(*x)).collect()),
        Array::Complex(data) => Array::of_complexes(
            array.dims(),
            data.iter().map(|z| Complex64::new(mend(z.re), mend(z.im))).collect(),
        ),
        other => other.clone(),
    }
    .into_value())
}

fn angle(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("angle", arguments, "z! deg")?;
    let array = call.array("z")?;
    let scale = if call.flag("deg")? { 180.0 / PI } else { 1.0 };
    let data = match &*array {
        Array::Complex(data) => data.iter().map(|z| z.im.atan2(z.re) * scale).collect(),
        Array::Str { .. } => return Err(super::loops::unsupported_input("arctan2")),
        other => other.floats().iter().map(|x| 0.0_f64.atan2(*x) * scale).collect(),
    };
    Ok(Array::of_floats(array.dims(), data).into_value())
}

fn parts(name: &'static str, arguments: Arguments, test: fn(&Complex64) -> bool) -> Result<Value, Error> {
    let call = Call::bind(name, arguments, "x!")?;
    let array = call.array("x")?;
    Ok(Array::of_bools(array.dims(), array.complexes().iter().map(test).collect()).into_value())
}

fn sinc(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("sinc", arguments, "x!")?;
    let array = call.array("x")?;
    let one = |x: f64| {
        let y = PI * if x == 0.0 { 1.0e-20 } else { x };
        y.sin() / y
    };
    match array.kind() {
        Kind::Int | Kind::Float | Kind::Bool => {
            Ok(Array::of_floats(array.dims(), array.floats().iter().map(|x| one(*x)).collect()).into_value())
        }
        Kind::Complex | Kind::Str => Err(super::loops::unsupported_input("sinc")),
    }
}

/// Jumps of more than half a period are taken back.
fn unwrap(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("unwrap", arguments, "p! discont axis * period")?;
    let period = call.float("period")?.unwrap_or(2.0 * PI);
    let discont = call.float("discont")?.unwrap_or(period / 2.0);
    let array = call.array("p")?;
    if array.kind() > Kind::Float || array.dims().is_empty() {
        return Err(value_error("diff requires input that is at least one dimensional"));
    }
    // Of ints, with a whole period that has a middle, numpy makes ints.
    let whole =
        array.kind() <= Kind::Int && matches!(call.given("period"), Some(Value::Int(period)) if period % 2 == 0);
    let array = array.cast(Kind::Float)?;
    let axis = call.axis("axis", array.dims().len())?.unwrap_or(array.dims().len() - 1);
    let moved = super::grid::axis_last(&array, axis);
    let row = moved.dims().last().copied().unwrap_or(1).max(1);
    let data = moved.floats();
    let mut out = Vec::with_capacity(data.len());
    for line in data.chunks(row) {
        let mut correction = 0.0;
        for (i, x) in line.iter().enumerate() {
            if i > 0 {
                let jump = x - line[i - 1];
                let mut inside = super::arithmetic::float_remainder(jump + period / 2.0, period) - period / 2.0;
                if inside == -period / 2.0 && jump > 0.0 {
                    inside = period / 2.0;
                }
                correction += if jump.abs() < discont { 0.0 } else { inside - jump };
            }
            out.push(x + correction);
        }
    }
    let unwrapped = super::grid::axis_back(&Array::of_floats(moved.dims(), out), axis);
    Ok(if whole { unwrapped.cast(Kind::Int)? } else { unwrapped }.into_value())
}

fn isclose(call: &Call) -> Result<Array, Error> {
    let (l, r) = (call.array("a")?, call.array("b")?);
    if l.kind() == Kind::Str || r.kind() == Kind::Str {
        return Err(type_error(
            "ufunc 'isfinite' not supported for the input types, and the inputs could not be safely coerced to any supported types according to the casting rule ''safe''",
        ));
    }
    let rtol = call.float("rtol")?.unwrap_or(1e-5);
    let atol = call.float("atol")?.unwrap_or(1e-8);
    let nan_equal = call.flag("equal_nan")?;
    let shared = super::loops::Shared::of(&l, &r)?;
    let close = |a: Complex64, b: Complex64| {
        let nan = |z: Complex64| z.re.is_nan() || z.im.is_nan();
        let finite = b.re.is_finite() && b.im.is_finite();
        let (away, size) = if a.im == 0.0 && b.im == 0.0 {
            ((a.re - b.re).abs(), b.re.abs())
        } else {
            ((a - b).norm(), b.norm())
        };
        (finite && away <= atol + rtol * size) || a == b || (nan_equal && nan(a) && nan(b))
    };
    let data = shared.pairs(&l.complexes(), &r.complexes()).map(close);
    Ok(Array::of_bools(&shared.dims, data))
}
