//! Functions that put arrays together and take them apart: concatenate, stack, insert, delete, split, tile, repeat.

use std::borrow::Cow;
use std::sync::Arc;

use super::array::{count_of, shape_text, type_error, value_error};
use super::call::{Call, shape_of};
use super::kind::{Kind, index_of};
use super::operand::{array_of, items_of};
use super::shape::swapped;
use super::{Arguments, Function, grid, index};
use crate::error::ErrorKind;
use crate::{Array, Error, Value, limits};

/// The function called `np.<name>`.
pub(super) fn function(name: &str) -> Option<Function> {
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
