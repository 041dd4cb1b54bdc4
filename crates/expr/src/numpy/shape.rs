//! Functions that rearrange elements without computing with them: reshape, transpose, join, split, repeat, roll.

use std::borrow::Cow;
use std::sync::Arc;

use super::array::{count_of, shape_text, type_error, value_error};
use super::call::{Call, axis_of, shape_of, signed_shape_of};
use super::kind::{Kind, index_of};
use super::operand::{array_of, items_of};
use super::{Arguments, Function, grid, index};
use crate::error::ErrorKind;
use crate::{Array, Error, Value, limits};

/// The function called `np.<name>`.
pub(super) fn function(name: &str) -> Option<Function> {
    arranging(name)
        .or_else(|| joining(name))
        .or_else(|| turning(name))
        .or_else(|| measuring(name))
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

fn swapped(array: &Array, one: usize, other: usize) -> Result<Array, Error> {
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

fn joining(name: &str) -> Option<Function> {
    Some(match name {
        "concatenate" | "concat" => |arguments| {
            let call = Call::bind("concatenate", arguments, "arrays! axis out * dtype casting")?;
            call.refuse(&["dtype"])?;
            let arrays = sequence(call.value("arrays"))?;
            let flat = matches!(call.stated("axis"), Some(Value::None));
            let arrays: Vec<Array> = arrays
                .iter()
                .map(|array| {
                    if flat {
                        array.with_dims(&[array.count()])
                    } else {
                        array.clone()
                    }
                })
                .collect();
            let dimensions = arrays.first().map_or(1, |array| array.dims().len());
            if arrays.iter().any(|array| array.dims().is_empty()) {
                return Err(value_error("zero-dimensional arrays cannot be concatenated"));
            }
            let axis = if flat {
                0
            } else {
                call.axis("axis", dimensions)?.unwrap_or(0)
            };
            concatenated(&arrays.iter().collect::<Vec<_>>(), axis).map(Array::into_array_value)
        },
        "stack" => |arguments| {
            let call = Call::bind("stack", arguments, "arrays! axis out * dtype casting")?;
            let arrays = sequence(call.value("arrays"))?;
            let Some(first) = arrays.first() else {
                return Err(value_error("need at least one array to stack"));
            };
            if arrays.iter().any(|array| array.dims() != first.dims()) {
                return Err(value_error("all input arrays must have the same shape"));
            }
            let axis = call.axis("axis", first.dims().len() + 1)?.unwrap_or(0);
            let mut dims = first.dims().to_vec();
            dims.insert(axis, 1);
            joined(&arrays, |_| dims.clone(), axis)
        },
        "vstack" | "row_stack" => |arguments| {
            let arrays = sequence(Call::bind("vstack", arguments, "tup! * dtype casting")?.value("tup"))?;
            joined(
                &arrays,
                |dims| {
                    if dims.len() < 2 {
                        vec![1, dims.first().copied().unwrap_or(1)]
                    } else {
                        dims.to_vec()
                    }
                },
                0,
            )
        },
        "hstack" => |arguments| {
            let arrays = sequence(Call::bind("hstack", arguments, "tup! * dtype casting")?.value("tup"))?;
            let axis = usize::from(arrays.first().is_some_and(|array| array.dims().len() > 1));
            joined(
                &arrays,
                |dims| if dims.is_empty() { vec![1] } else { dims.to_vec() },
                axis,
            )
        },
        "dstack" => |arguments| {
            let arrays = sequence(Call::bind("dstack", arguments, "tup!")?.value("tup"))?;
            joined(
                &arrays,
                |dims| match dims {
                    [] => vec![1, 1, 1],
                    [one] => vec![1, *one, 1],
                    [rows, columns] => vec![*rows, *columns, 1],
                    more => more.to_vec(),
                },
                2,
            )
        },
        "column_stack" => |arguments| {
            let arrays = sequence(Call::bind("column_stack", arguments, "tup!")?.value("tup"))?;
            joined(
                &arrays,
                |dims| {
                    if dims.len() < 2 {
                        vec![dims.first().copied().unwrap_or(1), 1]
                    } else {
                        dims.to_vec()
                    }
                },
                1,
            )
        },
        "append" => |arguments| {
            let call = Call::bind("append", arguments, "arr! values! axis")?;
            let (array, values) = (call.array("arr")?, call.array("values")?);
            match call.axis("axis", array.dims().len())? {
                Some(axis) => concatenated(&[&array, &values], axis),
                None => concatenated(&[&flat(&array), &flat(&values)], 0),
            }
            .map(Array::into_array_value)
        },
        "insert" => insert,
        "delete" => delete,
        "split" => |arguments| split(&Call::bind("split", arguments, "ary! parts! axis")?, None, true),
        "array_split" => |arguments| split(&Call::bind("array_split", arguments, "ary! parts! axis")?, None, false),
        "vsplit" => |arguments| split(&Call::bind("vsplit", arguments, "ary! parts! * axis")?, Some(0), true),
        "hsplit" => |arguments| split(&Call::bind("hsplit", arguments, "ary! parts! * axis")?, Some(1), true),
        "tile" => tile,
        "repeat" => repeat,
        _ => return None,
    })
}

pub(super) fn flat(array: &Array) -> Array {
    array.with_dims(&[array.count()])
}

/// The arrays of a sequence of arrays.
pub(super) fn sequence(value: &Value) -> Result<Vec<Array>, Error> {
    if let Some(items) = items_of(value) {
        return items.iter().map(|item| array_of(item).map(Cow::into_owned)).collect();
    }
    match value {
        Value::Array(_) => super::iterate(value)?
            .iter()
            .map(|item| array_of(item).map(Cow::into_owned))
            .collect(),
        other => Err(type_error(format!(
            "The first input argument needs to be a sequence, not '{}'",
            other.type_name()
        ))),
    }
}

fn joined(arrays: &[Array], dims: impl Fn(&[usize]) -> Vec<usize>, axis: usize) -> Result<Value, Error> {
    let arrays: Vec<Array> = arrays
        .iter()
        .map(|array| array.with_dims(&dims(array.dims())))
        .collect();
    concatenated(&arrays.iter().collect::<Vec<_>>(), axis).map(Array::into_array_value)
}

/// Arrays one after another along an axis, of the kind that holds them all.
pub(super) fn concatenated(arrays: &[&Array], axis: usize) -> Result<Array, Error> {
    let Some(first) = arrays.first() else {
        return Err(value_error("need at least one array to concatenate"));
    };
    for (number, array) in arrays.iter().enumerate() {
        let (dims, expected) = (array.dims(), first.dims());
        if dims.len() != expected.len() {
            return Err(value_error(format!(
                "all the input arrays must have same number of dimensions, but the array at index 0 has {} dimension(s) and the array at index {number} has {} dimension(s)",
                expected.len(),
                dims.len()
            )));
        }
        if let Some(other) = (0..dims.len()).find(|other| *other != axis && dims[*other] != expected[*other]) {
            return Err(value_error(format!(
                "all the input array dimensions except for the concatenation axis must match exactly, but along dimension {other}, the array at index 0 has size {} and the array at index {number} has size {}",
                expected[other], dims[other]
            )));
        }
    }
    if axis >= first.dims().len() {
        return Err(value_error(format!(
            "axis {axis} is out of bounds for array of dimension {}",
            first.dims().len()
        )));
    }
    let mut dims = first.dims().to_vec();
    dims[axis] = arrays.iter().map(|array| array.dims()[axis]).sum();
    limits::work(count_of(&dims)?)?;
    let outer: usize = dims[..axis].iter().product();
    fn interleaved<T: Clone>(outer: usize, parts: &[Cow<'_, [T]>]) -> Vec<T> {
        let mut out = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        for row in 0..outer {
            for part in parts {
                let size = part.len() / outer;
                out.extend_from_slice(&part[row * size..(row + 1) * size]);
            }
        }
        out
    }
    let kind = arrays.iter().map(|array| array.kind()).max().unwrap_or(Kind::Float);
    Ok(match kind {
        Kind::Bool => Array::of_bools(
            &dims,
            interleaved(outer, &arrays.iter().map(|a| a.bools()).collect::<Vec<_>>()),
        ),
        Kind::Int => Array::of_ints(
            &dims,
            interleaved(outer, &arrays.iter().map(|a| a.ints()).collect::<Vec<_>>()),
        ),
        Kind::Float => Array::of_floats(
            &dims,
            interleaved(outer, &arrays.iter().map(|a| a.floats()).collect::<Vec<_>>()),
        ),
        Kind::Complex => Array::of_complexes(
            &dims,
            interleaved(outer, &arrays.iter().map(|a| a.complexes()).collect::<Vec<_>>()),
        ),
        Kind::Str => {
            let width = arrays.iter().map(|array| array.text_width()).max().unwrap_or(1);
            let texts = interleaved(outer, &arrays.iter().map(|a| a.texts()).collect::<Vec<_>>());
            Array::of_texts_of_width(&dims, texts, width)
        }
    })
}

/// Positions before which something is inserted, or that are deleted, counted from the front.
fn positions(value: &Value, length: usize, axis: usize) -> Result<Vec<usize>, Error> {
    if let Value::Slice(slice) = value {
        return index::slice_positions(slice, length);
    }
    let array = array_of(value)?;
    if array.kind() == Kind::Bool && !array.dims().is_empty() {
        return Ok(array
            .bools()
            .iter()
            .enumerate()
            .filter(|(_, flag)| **flag)
            .map(|(i, _)| i)
            .collect());
    }
    if array.kind() > Kind::Int && array.count() > 0 {
        return Err(Error::new(
            ErrorKind::IndexError,
            "arrays used as indices must be of integer (or boolean) type",
        ));
    }
    array.ints().iter().map(|at| index::place(*at, length, axis)).collect()
}

fn insert(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("insert", arguments, "arr! obj! values! axis")?;
    let array = call.array("arr")?;
    let axis = call.axis("axis", array.dims().len())?;
    let array = if axis.is_none() {
        Cow::Owned(flat(&array))
    } else {
        array
    };
    let axis = axis.unwrap_or(0);
    let length = array.dims()[axis];
    let single = call.array("obj")?.dims().is_empty();
    // A place may be the end itself.
    let places = match call.value("obj") {
        Value::Slice(slice) => index::slice_positions(slice, length)?,
        other => {
            let at = |at: &i64| {
                let from_front = if *at < 0 { at + length as i64 } else { *at };
                usize::try_from(from_front)
                    .ok()
                    .filter(|at| *at <= length)
                    .ok_or_else(|| {
                        Error::new(
                            ErrorKind::IndexError,
                            format!("index {at} is out of bounds for axis {axis} with size {length}"),
                        )
                    })
            };
            array_of(other)?.ints().iter().map(at).collect::<Result<Vec<_>, _>>()?
        }
    };
    let values = call.array("values")?.cast(array.kind())?;
    let mut dims = array.dims().to_vec();
    let values = if single && places.len() == 1 {
        // Along the axis the values bring their own length.
        let mut own = values.dims().to_vec();
        while own.len() < dims.len() {
            own.insert(0, 1);
        }
        let values = values.with_dims(&own);
        let values = if axis > 0 && call.array("values")?.dims().len() < dims.len() && values.dims()[axis] != 1 {
            swapped(&values, 0, axis)?
        } else {
            values
        };
        dims[axis] = values.dims().get(axis).copied().unwrap_or(1);
        values
    } else {
        dims[axis] = places.len();
        values
    };
    if grid::broadcast(&[values.dims(), &dims]).ok().as_ref() != Some(&dims) {
        return Err(value_error(format!(
            "shape mismatch: value array of shape {} could not be broadcast to indexing result of shape {}",
            shape_text(values.dims()),
            shape_text(&dims)
        )));
    }
    let values = grid::stretched(&values, &dims);
    let all = concatenated(&[&array, &values], axis)?;
    let mut order: Vec<(usize, usize, usize)> = (0..length).map(|i| (i, 1, i)).collect();
    let place = |i: usize| if single { places[0] } else { places[i] };
    order.extend((0..dims[axis]).map(|i| (place(i), 0, length + i)));
    order.sort_by_key(|(at, after, _)| (*at, *after));
    grid::select_axis(&all, axis, order.into_iter().map(|(_, _, from)| from).collect()).map(Array::into_array_value)
}

fn delete(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("delete", arguments, "arr! obj! axis")?;
    let array = call.array("arr")?;
    let axis = call.axis("axis", array.dims().len())?;
    let array = if axis.is_none() {
        Cow::Owned(flat(&array))
    } else {
        array
    };
    let axis = axis.unwrap_or(0);
    let length = array.dims()[axis];
    let gone = positions(call.value("obj"), length, axis)?;
    let mut kept = vec![true; length];
    for at in gone {
        if let Some(flag) = kept.get_mut(at) {
            *flag = false;
        }
    }
    grid::select_axis(&array, axis, (0..length).filter(|i| kept[*i]).collect()).map(Array::into_array_value)
}

fn split(call: &Call, axis: Option<usize>, equal: bool) -> Result<Value, Error> {
    let array = call.array("ary")?;
    let axis = match axis {
        Some(1) if array.dims().len() == 1 => 0,
        Some(axis) => axis,
        None => call.axis("axis", array.dims().len())?.unwrap_or(0),
    };
    let Some(length) = array.dims().get(axis).copied() else {
        return Err(value_error(
            "array split does not work on an array of so few dimensions",
        ));
    };
    let bounds: Vec<usize> = match call.value("parts") {
        many @ (Value::List(_) | Value::Tuple(_) | Value::Array(_)) => {
            let bound = |at: &i64| {
                if *at < 0 {
                    (at + length as i64).max(0) as usize
                } else {
                    (*at as usize).min(length)
                }
            };
            let inner = array_of(many)?;
            [0].into_iter()
                .chain(inner.ints().iter().map(bound))
                .chain([length])
                .collect()
        }
        one => {
            let parts = usize::try_from(index_of(one)?).ok().filter(|parts| *parts > 0);
            let parts = parts.ok_or_else(|| value_error("number sections must be larger than 0."))?;
            if equal && length % parts != 0 {
                return Err(value_error("array split does not result in an equal division"));
            }
            limits::elements(parts)?;
            let (each, more) = (length / parts, length % parts);
            (0..=parts).map(|i| i * each + i.min(more)).collect()
        }
    };
    let part =
        |pair: &[usize]| grid::select_axis(&array, axis, (pair[0]..pair[1]).collect()).map(Array::into_array_value);
    Ok(Value::List(Arc::new(
        bounds.windows(2).map(part).collect::<Result<_, _>>()?,
    )))
}

fn tile(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("tile", arguments, "A! reps!")?;
    let array = call.array("A")?;
    let times = shape_of(call.value("reps"))?;
    let count = array.dims().len().max(times.len());
    let padded = |list: &[usize]| [vec![1; count - list.len()], list.to_vec()].concat();
    let (dims, times) = (padded(array.dims()), padded(&times));
    let result = dims
        .iter()
        .zip(&times)
        .map(|(dim, times)| dim.saturating_mul(*times))
        .collect::<Vec<_>>();
    limits::elements(count_of(&result)?)?;
    let positions: Vec<Vec<usize>> = dims
        .iter()
        .zip(&result)
        .map(|(dim, length)| (0..*length).map(|i| i % dim.max(&1)).collect())
        .collect();
    grid::select(&array.with_dims(&dims), &positions).map(Array::into_array_value)
}

fn repeat(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("repeat", arguments, "a! repeats! axis")?;
    let array = call.array("a")?;
    let axis = call.axis("axis", array.dims().len())?;
    let array = if axis.is_none() {
        Cow::Owned(flat(&array))
    } else {
        array
    };
    let axis = axis.unwrap_or(0);
    let length = array.dims()[axis];
    let repeats = call.array("repeats")?;
    if repeats.kind() > Kind::Int {
        return Err(type_error(
            "Cannot cast array data from dtype('float64') to dtype('int64') according to the rule 'safe'",
        ));
    }
    let times = repeats.ints();
    if times.iter().any(|times| *times < 0) {
        return Err(value_error("repeats may not contain negative values."));
    }
    if times.len() != 1 && times.len() != length {
        return Err(value_error(format!(
            "operands could not be broadcast together with shape {} {}",
            shape_text(&[length]),
            shape_text(repeats.dims())
        )));
    }
    let each = |i: usize| times[if times.len() == 1 { 0 } else { i }] as usize;
    let mut dims = array.dims().to_vec();
    dims[axis] = (0..length).fold(0, |sum: usize, i| sum.saturating_add(each(i)));
    limits::elements(count_of(&dims)?)?;
    let positions = (0..length).flat_map(|i| std::iter::repeat_n(i, each(i))).collect();
    grid::select_axis(&array, axis, positions).map(Array::into_array_value)
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
