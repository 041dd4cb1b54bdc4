//! Differences, slopes, areas, interpolation and convolution of sampled curves.

use std::borrow::Cow;
use std::sync::Arc;

use num_complex::Complex64;

use super::arithmetic::{ADD, DIVIDE, MULTIPLY, SUBTRACT};
use super::array::{type_error, value_error};
use super::call::{Call, axis_of};
use super::join::{concatenated, flat};
use super::kind::{Kind, index_of};
use super::operand::array_of;
use super::operators::{arithmetic, compare_arrays};
use super::reduce::{Fold, folded};
use super::{Arguments, CompareOp, Function, grid};
use crate::{Array, Error, Value, limits};

/// The function called `np.<name>`.
pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name {
        "diff" => |arguments| {
            let call = Call::bind("diff", arguments, "a! n axis prepend append")?;
            let mut array = call.array("a")?.into_owned();
            if array.dims().is_empty() {
                return Err(value_error("diff requires input that is at least one dimensional"));
            }
            let axis = call.axis("axis", array.dims().len())?.unwrap_or(array.dims().len() - 1);
            let times = call.int("n")?.unwrap_or(1);
            if times < 0 {
                return Err(value_error(format!("order must be non-negative but got {times}")));
            }
            if let Some(before) = call.array_given("prepend")? {
                array = concatenated(&[&edge(&before, &array, axis), &array], axis)?;
            }
            if let Some(after) = call.array_given("append")? {
                array = concatenated(&[&array, &edge(&after, &array, axis)], axis)?;
            }
            for _ in 0..times {
                if array.dims()[axis] == 0 {
                    break;
                }
                array = differences(&array, axis)?;
            }
            Ok(array.into_array_value())
        },
        "ediff1d" => |arguments| {
            let call = Call::bind("ediff1d", arguments, "ary! to_end to_begin")?;
            call.refuse(&["to_end", "to_begin"])?;
            differences(&flat(&*call.array("ary")?), 0).map(Array::into_array_value)
        },
        "gradient" => gradient,
        "trapezoid" => |arguments| {
            let call = Call::bind("trapezoid", arguments, "y! x dx axis")?;
            let y = call.array("y")?;
            if y.dims().is_empty() {
                return Err(value_error("axis -1 is out of bounds for array of dimension 0"));
            }
            let axis = call.axis("axis", y.dims().len())?.unwrap_or(y.dims().len() - 1);
            let step = match call.array_given("x")? {
                Some(x) if x.dims().len() == 1 => {
                    let mut dims = vec![1; y.dims().len()];
                    let step = differences(&x, 0)?;
                    dims[axis] = step.count();
                    step.with_dims(&dims)
                }
                Some(x) if x.dims().is_empty() => {
                    return Err(value_error("diff requires input that is at least one dimensional"));
                }
                Some(x) if axis >= x.dims().len() => {
                    let count = x.dims().len();
                    return Err(value_error(format!(
                        "axis {axis} is out of bounds for array of dimension {count}"
                    )));
                }
                Some(x) => differences(&x, axis)?,
                None => call
                    .array_given("dx")?
                    .map_or(Array::of_floats(&[], vec![1.0]), Cow::into_owned),
            };
            let sums = arithmetic(&ADD, &part(&y, axis, 1, 0)?, &part(&y, axis, 0, 1)?)?;
            let areas = arithmetic(&DIVIDE, &arithmetic(&MULTIPLY, &step, &sums)?, &number(2.0))?;
            folded(&areas, Some(&[axis]), false, Fold::Sum).map(Array::into_value)
        },
        "interp" => interp,
        "convolve" => |arguments| {
            let call = Call::bind("convolve", arguments, "a! v! mode")?;
            let mode = call.text("mode")?.unwrap_or("full").to_owned();
            let (a, v) = (line(&call, "a")?, line(&call, "v")?);
            if a.count() == 0 || v.count() == 0 {
                return Err(value_error(format!(
                    "{} cannot be empty",
                    if a.count() == 0 { "a" } else { "v" }
                )));
            }
            // The longer one stands still.
            let (a, v) = if v.count() > a.count() { (v, a) } else { (a, v) };
            sliding(&a, &v, &mode).map(Array::into_array_value)
        },
        "correlate" => |arguments| {
            let call = Call::bind("correlate", arguments, "a! v! mode")?;
            let mode = call.text("mode")?.unwrap_or("valid").to_owned();
            let (a, v) = (line(&call, "a")?, line(&call, "v")?);
            if a.count() == 0 || v.count() == 0 {
                return Err(value_error(format!(
                    "{} array argument cannot be empty",
                    if a.count() == 0 { "first" } else { "second" }
                )));
            }
            let v = match &v {
                Array::Complex(data) => Array::of_complexes(v.dims(), data.iter().map(|z| z.conj()).collect()),
                _ => v,
            };
            let turned = |array: &Array| grid::select_axis(array, 0, (0..array.count()).rev().collect());
            let result = if v.count() > a.count() {
                turned(&sliding(&v, &turned(&a)?, &mode)?)?
            } else {
                sliding(&a, &turned(&v)?, &mode)?
            };
            Ok(result.into_array_value())
        },
        "cross" => cross,
        _ => return None,
    })
}

fn number(x: f64) -> Array {
    Array::of_floats(&[], vec![x])
}

/// The array without `front` elements at the front and `back` at the back of an axis.
pub(super) fn part(array: &Array, axis: usize, front: usize, back: usize) -> Result<Array, Error> {
    let length = array.dims()[axis];
    grid::select_axis(
        array,
        axis,
        (front.min(length)..length.saturating_sub(back).max(front.min(length))).collect(),
    )
}

fn differences(array: &Array, axis: usize) -> Result<Array, Error> {
    let (later, earlier) = (part(array, axis, 1, 0)?, part(array, axis, 0, 1)?);
    match array.kind() {
        Kind::Bool => compare_arrays(CompareOp::NotEq, &later, &earlier),
        _ => arithmetic(&SUBTRACT, &later, &earlier),
    }
}

/// What is put before or after: a number fills a slice.
fn edge(value: &Array, array: &Array, axis: usize) -> Array {
    if value.dims().is_empty() {
        let mut dims = array.dims().to_vec();
        dims[axis] = 1;
        return grid::stretched(value, &dims);
    }
    value.clone()
}

fn line(call: &Call, name: &str) -> Result<Array, Error> {
    let array = call.array(name)?;
    if array.dims().len() > 1 {
        return Err(value_error("object too deep for desired array"));
    }
    Ok(flat(&array))
}

fn gradient(mut arguments: Arguments) -> Result<Value, Error> {
    let spacings = if arguments.positional.len() > 1 {
        arguments.positional.split_off(1)
    } else {
        Vec::new()
    };
    let call = Call::bind("gradient", arguments, "f! * axis edge_order")?;
    let f = call.array("f")?;
    let f = if f.kind() < Kind::Float {
        f.cast(Kind::Float)?
    } else {
        f.into_owned()
    };
    let edge_order = call.int("edge_order")?.unwrap_or(1);
    if edge_order > 2 {
        return Err(value_error("'edge_order' greater than 2 not supported"));
    }
    let axes = call
        .axes("axis", f.dims().len())?
        .unwrap_or_else(|| (0..f.dims().len()).collect());
    let spacing = |i: usize| -> Result<Array, Error> {
        let value = match spacings.len() {
            0 => return Ok(number(1.0)),
            1 if array_of(&spacings[0])?.dims().is_empty() => &spacings[0],
            count if count == axes.len() => &spacings[i],
            _ => return Err(type_error("invalid number of arguments")),
        };
        let distances = array_of(value)?.cast(Kind::Float)?;
        match distances.dims() {
            [] => Ok(distances),
            [length] if *length == f.dims()[axes[i]] => {
                let steps = differences(&distances, 0)?;
                let data = steps.floats();
                Ok(match data.first() {
                    Some(first) if data.iter().all(|step| step == first) => number(*first),
                    _ => Array::of_floats(steps.dims(), data.to_vec()),
                })
            }
            [_] => Err(value_error(
                "when 1d, distances must match the length of the corresponding dimension",
            )),
            _ => Err(value_error("distances must be either scalars or 1d")),
        }
    };
    let mut slopes = Vec::new();
    for (i, axis) in axes.iter().enumerate() {
        if (f.dims()[*axis] as i64) < edge_order + 1 {
            return Err(value_error(
                "Shape of array too small to calculate a numerical gradient, at least (edge_order + 1) elements are required.",
            ));
        }
        let moved = grid::axis_last(&f, *axis);
        let length = f.dims()[*axis];
        let step = spacing(i)?;
        let steps = step.floats();
        let slope = match &moved {
            Array::Complex(_) => {
                let data = moved.complexes();
                let rows = data.chunks(length).flat_map(|row| slope_row(row, &steps, edge_order));
                Array::of_complexes(moved.dims(), rows.collect())
            }
            other => {
                let data = other.floats();
                let rows = data.chunks(length).flat_map(|row| slope_row(row, &steps, edge_order));
                Array::of_floats(moved.dims(), rows.collect())
            }
        };
        slopes.push(grid::axis_back(&slope, *axis).into_array_value());
    }
    Ok(if slopes.len() == 1 {
        slopes.remove(0)
    } else {
        Value::Tuple(Arc::new(slopes))
    })
}

/// What a slope is computed of: floats and complex numbers.
trait Sample: Copy + std::ops::Add<Output = Self> + std::ops::Sub<Output = Self> {
    fn scaled(self, factor: f64) -> Self;
    fn over(self, divisor: f64) -> Self;
}

impl Sample for f64 {
    fn scaled(self, factor: f64) -> f64 {
        factor * self
    }
    fn over(self, divisor: f64) -> f64 {
        self / divisor
    }
}

impl Sample for Complex64 {
    fn scaled(self, factor: f64) -> Complex64 {
        self * factor
    }
    fn over(self, divisor: f64) -> Complex64 {
        self / divisor
    }
}

/// Central differences inside, one-sided ones at the ends; one step for all, or one between each two samples.
fn slope_row<T: Sample>(row: &[T], steps: &[f64], edge_order: i64) -> Vec<T> {
    let last = row.len() - 1;
    let uniform = steps.len() == 1 && row.len() != 2;
    let step = |i: usize| if steps.len() == 1 { steps[0] } else { steps[i] };
    let inner = |i: usize| {
        if uniform {
            return (row[i + 1] - row[i - 1]).over(2.0 * steps[0]);
        }
        let (before, after) = (step(i - 1), step(i));
        let a = -after / (before * (before + after));
        let b = (after - before) / (before * after);
        let c = before / (after * (before + after));
        row[i - 1].scaled(a) + row[i].scaled(b) + row[i + 1].scaled(c)
    };
    let ends = |first: usize, second: usize, third: usize, near: f64, far: f64, sign: f64| {
        if uniform {
            return row[first].scaled(sign * -1.5 / near)
                + row[second].scaled(sign * 2.0 / near)
                + row[third].scaled(sign * -0.5 / near);
        }
        let a = -(2.0 * near + far) / (near * (near + far));
        let b = (near + far) / (near * far);
        let c = -near / (far * (near + far));
        row[first].scaled(sign * a) + row[second].scaled(sign * b) + row[third].scaled(sign * c)
    };
    let at = |i: usize| {
        if i == 0 {
            if edge_order < 2 {
                (row[1] - row[0]).over(step(0))
            } else {
                ends(0, 1, 2, step(0), step(1.min(steps.len() - 1)), 1.0)
            }
        } else if i == last {
            if edge_order < 2 {
                (row[last] - row[last - 1]).over(step(last - 1))
            } else if uniform {
                row[last - 2].scaled(0.5 / steps[0])
                    + row[last - 1].scaled(-2.0 / steps[0])
                    + row[last].scaled(1.5 / steps[0])
            } else {
                let (far, near) = (step(last - 2), step(last - 1));
                let a = near / (far * (far + near));
                let b = -(near + far) / (far * near);
                let c = (2.0 * near + far) / (near * (far + near));
                row[last - 2].scaled(a) + row[last - 1].scaled(b) + row[last].scaled(c)
            }
        } else {
            inner(i)
        }
    };
    (0..row.len()).map(at).collect()
}

fn interp(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("interp", arguments, "x! xp! fp! left right period")?;
    call.refuse(&["period"])?;
    let (x, xp, fp) = (call.array("x")?, call.array("xp")?, call.array("fp")?);
    if xp.dims().len() != 1 || fp.dims().len() != 1 {
        return Err(value_error("object too deep for desired array"));
    }
    if xp.count() == 0 {
        return Err(value_error("array of sample points is empty"));
    }
    if xp.count() != fp.count() {
        return Err(value_error("fp and xp are not of the same length."));
    }
    if x.kind() > Kind::Float || xp.kind() > Kind::Float || fp.kind() == Kind::Str {
        return Err(type_error(
            "Cannot cast array data to dtype('float64') according to the rule 'safe'",
        ));
    }
    let known = xp.floats();
    if let Array::Complex(values) = &*fp {
        let end = |name: &str, other: Complex64| match call.array_given(name) {
            Ok(Some(value)) => value.complexes()[0],
            _ => other,
        };
        let values: Vec<Complex64> = values.iter().copied().collect();
        let (left, right) = (end("left", values[0]), end("right", values[values.len() - 1]));
        let (re, im): (Vec<f64>, Vec<f64>) = values.iter().map(|z| (z.re, z.im)).unzip();
        let at = |x: &f64| {
            let re = interpolated(*x, &known, &re, left.re, right.re);
            Complex64::new(re, interpolated(*x, &known, &im, left.im, right.im))
        };
        return Ok(Array::of_complexes(x.dims(), x.floats().iter().map(at).collect()).into_value());
    }
    let values = fp.floats();
    let left = call.float("left")?.unwrap_or(values[0]);
    let right = call.float("right")?.unwrap_or(values[values.len() - 1]);
    let at = |x: &f64| interpolated(*x, &known, &values, left, right);
    Ok(Array::of_floats(x.dims(), x.floats().iter().map(at).collect()).into_value())
}

fn interpolated(x: f64, xp: &[f64], fp: &[f64], left: f64, right: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    let last = xp.len() - 1;
    if x > xp[last] {
        return right;
    }
    if x < xp[0] {
        return left;
    }
    let j = xp.partition_point(|known| *known <= x).saturating_sub(1);
    if j == last || xp[j] == x {
        return fp[j];
    }
    let slope = (fp[j + 1] - fp[j]) / (xp[j + 1] - xp[j]);
    let from_left = slope * (x - xp[j]) + fp[j];
    if !from_left.is_nan() {
        return from_left;
    }
    let from_right = slope * (x - xp[j + 1]) + fp[j + 1];
    if from_right.is_nan() && fp[j] == fp[j + 1] {
        fp[j]
    } else {
        from_right
    }
}

/// Each sum of products where `v`, turned round, lies on `a`, which is not shorter.
fn sliding(a: &Array, v: &Array, mode: &str) -> Result<Array, Error> {
    let (long, short) = (a.count(), v.count());
    let (start, length) = match mode {
        "full" => (0, long + short - 1),
        "same" => ((short - 1) / 2, long),
        "valid" => (short - 1, long - short + 1),
        other => {
            return Err(value_error(format!(
                "mode must be one of 'valid', 'same', or 'full' (got '{other}')"
            )));
        }
    };
    limits::work(length.saturating_mul(short))?;
    fn sums<T: super::reduce::Number>(a: &[T], v: &[T], start: usize, length: usize) -> Vec<T> {
        let at = |n: usize| {
            let low = n.saturating_sub(v.len() - 1);
            (low..=n.min(a.len() - 1)).fold(T::ZERO, |sum, i| sum.plus(a[i].times(v[n - i])))
        };
        (start..start + length).map(at).collect()
    }
    Ok(match a.kind().max(v.kind()) {
        Kind::Bool => {
            let counts = sums(&a.ints(), &v.ints(), start, length);
            Array::of_bools(&[length], counts.into_iter().map(|count| count != 0).collect())
        }
        Kind::Int => Array::of_ints(&[length], sums(&a.ints(), &v.ints(), start, length)),
        Kind::Float => Array::of_floats(&[length], sums(&a.floats(), &v.floats(), start, length)),
        Kind::Complex => Array::of_complexes(&[length], sums(&a.complexes(), &v.complexes(), start, length)),
        Kind::Str => return Err(type_error("data type must provide an itemsize")),
    })
}

fn cross(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("cross", arguments, "a! b! axisa axisb axisc axis")?;
    let (a, b) = (call.array("a")?, call.array("b")?);
    if a.dims().is_empty() || b.dims().is_empty() {
        return Err(value_error("At least one array has zero dimension"));
    }
    let axis_in = |array: &Array, name: &str| -> Result<usize, Error> {
        let value = call.given("axis").or(call.given(name));
        value.map_or(Ok(array.dims().len() - 1), |value| {
            index_of(value)?;
            axis_of(value, array.dims().len())
        })
    };
    let (a, b) = (
        grid::axis_last(&a, axis_in(&a, "axisa")?),
        grid::axis_last(&b, axis_in(&b, "axisb")?),
    );
    if a.dims().last() != Some(&3) || b.dims().last() != Some(&3) {
        return Err(value_error(
            "Both input arrays must be (arrays of) 3-dimensional vectors, but they are not",
        ));
    }
    let component = |array: &Array, i: usize| -> Result<Array, Error> {
        let last = array.dims().len() - 1;
        let picked = grid::select_axis(array, last, vec![i])?;
        Ok(picked.with_dims(&picked.dims()[..last]))
    };
    let mut parts = Vec::new();
    for (i, j) in [(1, 2), (2, 0), (0, 1)] {
        let one = arithmetic(&MULTIPLY, &component(&a, i)?, &component(&b, j)?)?;
        let other = arithmetic(&MULTIPLY, &component(&a, j)?, &component(&b, i)?)?;
        let difference = arithmetic(&SUBTRACT, &one, &other)?;
        let dims = [difference.dims(), &[1]].concat();
        parts.push(difference.with_dims(&dims));
    }
    let axis = parts[0].dims().len() - 1;
    concatenated(&parts.iter().collect::<Vec<_>>(), axis).map(Array::into_array_value)
}
