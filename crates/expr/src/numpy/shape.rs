//! Functions that rearrange elements without computing with them: reshape, transpose, flip, roll.

use std::sync::Arc;

use super::array::{count_of, shape_text, value_error};
use super::call::{Call, axis_of, shape_of, signed_shape_of};
use super::join::flat;
use super::operand::items_of;
use super::{Arguments, Function, grid};
use crate::error::ErrorKind;
use crate::{Array, Error, Value, limits};

/// The function called `np.<name>`.
pub(super) fn function(name: &str) -> Option<Function> {
    arranging(name).or_else(|| turning(name)).or_else(|| measuring(name))
}

fn arranging(name: &str) -> Option<Function> {
    Some(match name {
        "reshape" => |arguments| {
            let call = Call::bind("reshape", arguments, "a! shape! order * copy")?;
            reshaped(
                &*call.array("a")?,
                &signed_shape_of(call.value("shape"))?,
                fortran(&call)?,
            )
            .map(Array::into_array_value)
        },
        "ravel" => |arguments| {
            let call = Call::bind("ravel", arguments, "a! order")?;
            reshaped(&*call.array("a")?, &[-1], fortran(&call)?).map(Array::into_array_value)
        },
        "transpose" | "permute_dims" => |arguments| {
            let call = Call::bind("transpose", arguments, "a! axes")?;
            let array = call.array("a")?;
            let order = call.given("axes").map(signed_shape_of).transpose()?;
            transposed(&array, order.as_deref()).map(Array::into_array_value)
        },
        "matrix_transpose" => |arguments| {
            let call = Call::bind("matrix_transpose", arguments, "x!")?;
            let array = call.array("x")?;
            let count = array.dims().len();
            if count < 2 {
                return Err(value_error(format!(
                    "Input array must be at least 2-dimensional, but it is {count}"
                )));
            }
            swapped(&array, count - 2, count - 1).map(Array::into_array_value)
        },
        "swapaxes" => |arguments| {
            let call = Call::bind("swapaxes", arguments, "a! axis1! axis2!")?;
            let array = call.array("a")?;
            let count = array.dims().len();
            swapped(
                &array,
                axis_of(call.value("axis1"), count)?,
                axis_of(call.value("axis2"), count)?,
            )
            .map(Array::into_array_value)
        },
        "moveaxis" => moveaxis,
        "squeeze" => |arguments| {
            let call = Call::bind("squeeze", arguments, "a! axis")?;
            let array = call.array("a")?;
            let axes = call.axes("axis", array.dims().len())?;
            if axes.iter().flatten().any(|axis| array.dims()[*axis] != 1) {
                return Err(value_error(
                    "cannot select an axis to squeeze out which has size not equal to one",
                ));
            }
            let gone = |axis: usize| {
                axes.as_ref()
                    .map_or(array.dims()[axis] == 1, |axes| axes.contains(&axis))
            };
            let dims: Vec<usize> = (0..array.dims().len())
                .filter(|axis| !gone(*axis))
                .map(|axis| array.dims()[axis])
                .collect();
            Ok(array.with_dims(&dims).into_array_value())
        },
        "expand_dims" => |arguments| {
            let call = Call::bind("expand_dims", arguments, "a! axis!")?;
            let array = call.array("a")?;
            let added = items_of(call.value("axis")).map_or(1, |items| items.len());
            let total = array.dims().len() + added;
            let axes = call.axes_listed("axis", total)?.unwrap_or_default();
            let mut old = array.dims().iter();
            let dims: Vec<usize> = (0..total)
                .map(|axis| {
                    if axes.contains(&axis) {
                        1
                    } else {
                        old.next().copied().unwrap_or(1)
                    }
                })
                .collect();
            Ok(array.with_dims(&dims).into_array_value())
        },
        "broadcast_to" => |arguments| {
            let call = Call::bind("broadcast_to", arguments, "array! shape! subok")?;
            let array = call.array("array")?;
            let dims = shape_of(call.value("shape"))?;
            limits::elements(count_of(&dims)?)?;
            if grid::broadcast(&[array.dims(), &dims]).ok().as_ref() != Some(&dims) {
                return Err(value_error(format!(
                    "operands could not be broadcast together with remapped shapes [original->remapped]: {}  and requested shape {}",
                    shape_text(array.dims()),
                    shape_text(&dims)
                )));
            }
            Ok(grid::stretched(&array, &dims).into_array_value())
        },
        "atleast_1d" => |arguments| {
            at_least("atleast_1d", arguments, |dims| {
                if dims.is_empty() { vec![1] } else { dims.to_vec() }
            })
        },
        "atleast_2d" => |arguments| {
            at_least("atleast_2d", arguments, |dims| match dims {
                [] => vec![1, 1],
                [one] => vec![1, *one],
                more => more.to_vec(),
            })
        },
        "atleast_3d" => |arguments| {
            at_least("atleast_3d", arguments, |dims| match dims {
                [] => vec![1, 1, 1],
                [one] => vec![1, *one, 1],
                [rows, columns] => vec![*rows, *columns, 1],
                more => more.to_vec(),
            })
        },
        _ => return None,
    })
}

/// Whether Fortran's order is asked for.
fn fortran(call: &Call) -> Result<bool, Error> {
    match call.text("order")? {
        None | Some("C" | "K" | "A") => Ok(false),
        Some("F") => Ok(true),
        Some(other) => Err(value_error(format!(
            "order must be one of 'C', 'F', 'A', or 'K' (got '{other}')"
        ))),
    }
}

/// The elements in another shape, of which one length may be -1.
pub(super) fn reshaped(array: &Array, shape: &[i64], fortran: bool) -> Result<Array, Error> {
    let unknown = shape.iter().filter(|dim| **dim < 0).count();
    if unknown > 1 {
        return Err(value_error("can only specify one unknown dimension"));
    }
    let known: i128 = shape
        .iter()
        .filter(|dim| **dim >= 0)
        .map(|dim| i128::from(*dim))
        .try_fold(1_i128, i128::checked_mul)
        .unwrap_or(i128::MAX);
    let count = array.count() as i128;
    let fits = if unknown == 1 {
        known > 0 && count % known == 0
    } else {
        known == count
    };
    if !fits {
        let texts: Vec<String> = shape
            .iter()
            .map(|dim| {
                if *dim < 0 {
                    "newaxis".to_owned()
                } else {
                    dim.to_string()
                }
            })
            .collect();
        let text = if let [one] = &texts[..] {
            format!("({one},)")
        } else {
            format!("({})", texts.join(","))
        };
        return Err(value_error(format!(
            "cannot reshape array of size {count} into shape {text}"
        )));
    }
    let dims: Vec<usize> = shape
        .iter()
        .map(|dim| usize::try_from(*dim).unwrap_or((count / known.max(1)) as usize))
        .collect();
    count_of(&dims)?;
    if fortran {
        let back: Vec<usize> = (0..array.dims().len()).rev().collect();
        let reversed: Vec<usize> = dims.iter().rev().copied().collect();
        let order: Vec<usize> = (0..dims.len()).rev().collect();
        return Ok(grid::transposed(
            &grid::transposed(array, &back).with_dims(&reversed),
            &order,
        ));
    }
    Ok(array.with_dims(&dims))
}

/// The axes in the given order, or all turned round.
pub(super) fn transposed(array: &Array, order: Option<&[i64]>) -> Result<Array, Error> {
    let count = array.dims().len();
    let Some(order) = order else {
        return Ok(grid::transposed(array, &(0..count).rev().collect::<Vec<_>>()));
    };
    if order.len() != count {
        return Err(value_error("axes don't match array"));
    }
    let order = order
        .iter()
        .map(|axis| axis_of(&Value::Int(*axis), count))
        .collect::<Result<Vec<_>, _>>()?;
    if (1..count).any(|i| order[..i].contains(&order[i])) {
        return Err(value_error("repeated axis in transpose"));
    }
    Ok(grid::transposed(array, &order))
}

pub(super) fn swapped(array: &Array, one: usize, other: usize) -> Result<Array, Error> {
    let mut order: Vec<usize> = (0..array.dims().len()).collect();
    order.swap(one, other);
    Ok(grid::transposed(array, &order))
}

fn moveaxis(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("moveaxis", arguments, "a! source! destination!")?;
    let array = call.array("a")?;
    let count = array.dims().len();
    let from = call.axes_listed("source", count)?.unwrap_or_default();
    let to = call.axes_listed("destination", count)?.unwrap_or_default();
    if from.len() != to.len() {
        return Err(value_error(
            "`source` and `destination` arguments must have the same number of elements",
        ));
    }
    let mut order: Vec<usize> = (0..count).filter(|axis| !from.contains(axis)).collect();
    let mut pairs: Vec<(usize, usize)> = to.into_iter().zip(from).collect();
    pairs.sort_unstable();
    for (place, axis) in pairs {
        order.insert(place.min(order.len()), axis);
    }
    Ok(grid::transposed(&array, &order).into_array_value())
}

fn at_least(name: &'static str, arguments: Arguments, dims: fn(&[usize]) -> Vec<usize>) -> Result<Value, Error> {
    if let [_, _, ..] = arguments.positional[..] {
        return Err(Error::new(
            ErrorKind::NotSupported,
            format!("`{name}` of several arrays at once"),
        ));
    }
    let call = Call::bind(name, arguments, "a!")?;
    let array = call.array("a")?;
    Ok(array.with_dims(&dims(array.dims())).into_array_value())
}

fn turning(name: &str) -> Option<Function> {
    Some(match name {
        "flip" => |arguments| {
            let call = Call::bind("flip", arguments, "m! axis")?;
            let array = call.array("m")?;
            let axes = call.axes("axis", array.dims().len())?;
            flipped(&array, |axis| axes.as_ref().is_none_or(|axes| axes.contains(&axis))).map(Array::into_array_value)
        },
        "fliplr" => |arguments| {
            let call = Call::bind("fliplr", arguments, "m!")?;
            let array = call.array("m")?;
            if array.dims().len() < 2 {
                return Err(value_error("Input must be >= 2-d."));
            }
            flipped(&array, |axis| axis == 1).map(Array::into_array_value)
        },
        "flipud" => |arguments| {
            let call = Call::bind("flipud", arguments, "m!")?;
            let array = call.array("m")?;
            if array.dims().is_empty() {
                return Err(value_error("Input must be >= 1-d."));
            }
            flipped(&array, |axis| axis == 0).map(Array::into_array_value)
        },
        "roll" => roll,
        "rot90" => |arguments| {
            let call = Call::bind("rot90", arguments, "m! k * axes")?;
            call.refuse(&["axes"])?;
            let array = call.array("m")?;
            if array.dims().len() < 2 {
                return Err(value_error("Axes=(0, 1) out of range for array of ndim=1."));
            }
            let turned = match call.int("k")?.unwrap_or(1).rem_euclid(4) {
                0 => array.into_owned(),
                1 => swapped(&flipped(&array, |axis| axis == 1)?, 0, 1)?,
                2 => flipped(&array, |axis| axis < 2)?,
                _ => flipped(&swapped(&array, 0, 1)?, |axis| axis == 1)?,
            };
            Ok(turned.into_array_value())
        },
        "diagonal" => |arguments| {
            let call = Call::bind("diagonal", arguments, "a! offset axis1 axis2")?;
            let array = call.array("a")?;
            let count = array.dims().len();
            if count < 2 {
                return Err(value_error("diag requires an array of at least two dimensions"));
            }
            let one = call.axis("axis1", count)?.unwrap_or(0);
            let other = call.axis("axis2", count)?.unwrap_or(1);
            diagonal(&array, call.int("offset")?.unwrap_or(0), one, other).map(Array::into_array_value)
        },
        _ => return None,
    })
}

fn flipped(array: &Array, turned: impl Fn(usize) -> bool) -> Result<Array, Error> {
    let along = |(axis, dim): (usize, &usize)| {
        if turned(axis) {
            (0..*dim).rev().collect()
        } else {
            (0..*dim).collect()
        }
    };
    grid::select(array, &array.dims().iter().enumerate().map(along).collect::<Vec<_>>())
}

/// The diagonal of two axes, as a new last axis.
pub(super) fn diagonal(array: &Array, offset: i64, one: usize, other: usize) -> Result<Array, Error> {
    if one == other {
        return Err(value_error("axis1 and axis2 cannot be the same"));
    }
    let mut order: Vec<usize> = (0..array.dims().len())
        .filter(|axis| *axis != one && *axis != other)
        .collect();
    order.extend([one, other]);
    let moved = grid::transposed(array, &order);
    let dims = moved.dims();
    let (rows, columns) = (dims[dims.len() - 2], dims[dims.len() - 1]);
    let away = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
    let (row, column) = if offset >= 0 { (0, away) } else { (away, 0) };
    let length = rows.saturating_sub(row).min(columns.saturating_sub(column));
    let mut result = dims[..dims.len() - 2].to_vec();
    let outer: usize = result.iter().product();
    result.push(length);
    let indices: Vec<usize> = (0..outer)
        .flat_map(|block| (0..length).map(move |i| block * rows * columns + (row + i) * columns + column + i))
        .collect();
    Ok(moved.gather(&result, &indices))
}

fn roll(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("roll", arguments, "a! shift! axis")?;
    let array = call.array("a")?;
    let shifts = signed_shape_of(call.value("shift"))?;
    let turned = |length: usize, shift: i64| -> Vec<usize> {
        let by = shift.rem_euclid(length.max(1) as i64) as usize;
        (0..length).map(|i| (i + length - by) % length).collect()
    };
    let Some(axes) = call.axes("axis", array.dims().len())? else {
        let line = flat(&array);
        let shift = shifts.iter().fold(0, |sum: i64, shift| sum.wrapping_add(*shift));
        let rolled = grid::select_axis(&line, 0, turned(line.count(), shift))?;
        return Ok(rolled.with_dims(array.dims()).into_array_value());
    };
    let mut result = array.into_owned();
    for i in 0..axes.len().max(shifts.len()) {
        let pick = |length: usize| if length == 1 { 0 } else { i };
        let (Some(axis), Some(shift)) = (axes.get(pick(axes.len())), shifts.get(pick(shifts.len()))) else {
            return Err(value_error("'shift' and 'axis' should be scalars or 1D sequences"));
        };
        result = grid::select_axis(&result, *axis, turned(result.dims()[*axis], *shift))?;
    }
    Ok(result.into_array_value())
}

fn measuring(name: &str) -> Option<Function> {
    Some(match name {
        "shape" => |arguments| {
            let call = Call::bind("shape", arguments, "a!")?;
            Ok(shape_value(&*call.array("a")?))
        },
        "ndim" => |arguments| {
            let call = Call::bind("ndim", arguments, "a!")?;
            Ok(Value::Int(call.array("a")?.dims().len() as i64))
        },
        "size" => |arguments| {
            let call = Call::bind("size", arguments, "a! axis")?;
            let array = call.array("a")?;
            Ok(Value::Int(match call.axis("axis", array.dims().len())? {
                Some(axis) => array.dims()[axis],
                None => array.count(),
            } as i64))
        },
        _ => return None,
    })
}

/// `array.shape`.
pub(super) fn shape_value(array: &Array) -> Value {
    Value::Tuple(Arc::new(
        array.dims().iter().map(|dim| Value::Int(*dim as i64)).collect(),
    ))
}
