//! Functions that choose elements by conditions and places: `where`, `select`, `take`, `nonzero`, `piecewise`.

use std::sync::Arc;

use super::array::{type_error, value_error};
use super::call::Call;
use super::index::{place, true_places};
use super::join::{concatenated, flat, sequence};
use super::kind::Kind;
use super::operand::{array_of, items_of};
use super::{Arguments, Function, grid};
use crate::error::ErrorKind;
use crate::function::call_value;
use crate::{Array, Error, Value, limits};

/// The function called `np.<name>`.
pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name {
        "where" => where_,
        "select" => select,
        "choose" => |arguments| {
            let call = Call::bind("choose", arguments, "a! choices! out mode")?;
            call.refuse(&["mode"])?;
            let index = call.array("a")?;
            if index.kind() > Kind::Int {
                return Err(type_error(
                    "Cannot cast array data from dtype('float64') to dtype('int64') according to the rule 'safe'",
                ));
            }
            let choices = sequence(call.value("choices"))?;
            if index
                .ints()
                .iter()
                .any(|i| usize::try_from(*i).ok().is_none_or(|i| i >= choices.len()))
            {
                return Err(value_error("invalid entry in choice array"));
            }
            let pick: Vec<Array> = (0..choices.len() as i64)
                .map(|number| Array::of_bools(index.dims(), index.ints().iter().map(|i| *i == number).collect()))
                .collect();
            let Some(default) = choices.first() else {
                return Err(value_error("invalid entry in choice array"));
            };
            chosen(&pick, &choices, default).map(Array::into_value)
        },
        "nonzero" => |arguments| {
            let call = Call::bind("nonzero", arguments, "a!")?;
            nonzero(&*call.array("a")?)
        },
        "argwhere" => |arguments| {
            let call = Call::bind("argwhere", arguments, "a!")?;
            let array = call.array("a")?;
            let places = true_places(&array);
            let count = places
                .first()
                .map_or(usize::from(array.bools().contains(&true)), Vec::len);
            let data = (0..count)
                .flat_map(|i| places.iter().map(move |axis| axis[i] as i64))
                .collect();
            Ok(Array::of_ints(&[count, array.dims().len()], data).into_array_value())
        },
        "flatnonzero" => |arguments| {
            let call = Call::bind("flatnonzero", arguments, "a!")?;
            let places = true_at(&call.array("a")?.bools());
            Ok(Array::of_ints(&[places.len()], places.into_iter().map(|i| i as i64).collect()).into_array_value())
        },
        "extract" => |arguments| {
            let call = Call::bind("extract", arguments, "condition! arr!")?;
            let (condition, array) = (call.array("condition")?, call.array("arr")?);
            let places: Vec<usize> = true_at(&condition.bools())
                .into_iter()
                .filter(|i| *i < array.count())
                .collect();
            grid::select_axis(&flat(&array), 0, places).map(Array::into_array_value)
        },
        "compress" => compress,
        "take" => take,
        "take_along_axis" => |arguments| {
            let call = Call::bind("take_along_axis", arguments, "arr! indices! axis")?;
            let (array, indices) = (call.array("arr")?, call.array("indices")?);
            if array.dims().is_empty() || array.dims().len() != indices.dims().len() {
                return Err(value_error(
                    "`indices` and `arr` must have the same number of dimensions",
                ));
            }
            if indices.kind() != Kind::Int {
                return Err(Error::new(ErrorKind::IndexError, "`indices` must be an integer array"));
            }
            let axis = call
                .axis("axis", array.dims().len())?
                .unwrap_or(array.dims().len().saturating_sub(1));
            let (array, indices) = (grid::axis_last(&array, axis), grid::axis_last(&indices, axis));
            if array.dims().len() != indices.dims().len()
                || array.dims().split_last().map(|x| x.1) != indices.dims().split_last().map(|x| x.1)
            {
                return Err(value_error(
                    "`indices` and `arr` must have the same number of dimensions",
                ));
            }
            let (long, short) = (
                array.dims()[array.dims().len() - 1],
                indices.dims()[indices.dims().len() - 1],
            );
            let at = |(i, at): (usize, &i64)| place(*at, long, axis).map(|at| i / short.max(1) * long + at);
            let places = indices
                .ints()
                .iter()
                .enumerate()
                .map(at)
                .collect::<Result<Vec<_>, _>>()?;
            Ok(grid::axis_back(&array.gather(indices.dims(), &places), axis).into_array_value())
        },
        "piecewise" => piecewise,
        "vectorize" => |arguments| {
            let call = Call::bind("vectorize", arguments, "pyfunc! otypes doc excluded cache signature")?;
            call.refuse(&["otypes", "excluded", "signature"])?;
            Ok(Value::Function(crate::function::Function::bound(
                call.value("pyfunc").clone(),
                "vectorize",
                vectorized,
            )))
        },
        "apply_along_axis" => apply_along_axis,
        _ => return None,
    })
}

fn true_at(flags: &[bool]) -> Vec<usize> {
    flags
        .iter()
        .enumerate()
        .filter(|(_, flag)| **flag)
        .map(|(i, _)| i)
        .collect()
}

fn nonzero(array: &Array) -> Result<Value, Error> {
    if array.dims().is_empty() {
        return Err(value_error(
            "Calling nonzero on 0d arrays is not allowed. Use np.atleast_1d(scalar).nonzero() instead. If the context of this error is of the form `arr[nonzero(cond)]`, just use `arr[cond]`.",
        ));
    }
    let axis = |places: Vec<usize>| {
        Array::of_ints(&[places.len()], places.into_iter().map(|i| i as i64).collect()).into_array_value()
    };
    Ok(Value::Tuple(Arc::new(
        true_places(array).into_iter().map(axis).collect(),
    )))
}

fn where_(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("where", arguments, "condition! x y")?;
    let condition = call.array("condition")?;
    let (Some(yes), Some(no)) = (call.stated("x"), call.stated("y")) else {
        if call.stated("x").is_some() || call.stated("y").is_some() {
            return Err(value_error("either both or neither of x and y should be given"));
        }
        return nonzero(&condition);
    };
    let (yes, no) = (array_of(yes)?.into_owned(), array_of(no)?.into_owned());
    let dims = grid::broadcast(&[condition.dims(), yes.dims(), no.dims()])?;
    let flags = Array::of_bools(condition.dims(), condition.bools().into_owned());
    let result = chosen(&[grid::stretched(&flags, &dims)], &[yes], &no)?;
    Ok(result.into_array_value())
}

/// For each place, the element of the first choice whose condition holds there, otherwise of the default.
fn chosen(conditions: &[Array], choices: &[Array], default: &Array) -> Result<Array, Error> {
    let shapes: Vec<&[usize]> = conditions
        .iter()
        .chain(choices)
        .chain([default])
        .map(Array::dims)
        .collect();
    let dims = grid::broadcast(&shapes)?;
    let count: usize = dims.iter().product();
    limits::work(count.saturating_mul(shapes.len()))?;
    let lines: Vec<Array> = choices
        .iter()
        .chain([default])
        .map(|choice| flat(&grid::stretched(choice, &dims)))
        .collect();
    let all = concatenated(&lines.iter().collect::<Vec<_>>(), 0)?;
    let mut places: Vec<usize> = (0..count).map(|i| choices.len() * count + i).collect();
    for (number, condition) in conditions.iter().enumerate().rev() {
        let condition = grid::stretched(condition, &dims);
        for (i, flag) in condition.bools().iter().enumerate() {
            if *flag {
                places[i] = number * count + i;
            }
        }
    }
    Ok(all.gather(&dims, &places))
}

fn select(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("select", arguments, "condlist! choicelist! default")?;
    let conditions = sequence(call.value("condlist"))?;
    let choices = sequence(call.value("choicelist"))?;
    if conditions.len() != choices.len() {
        return Err(value_error("list of cases must be same length as list of conditions"));
    }
    if conditions.is_empty() {
        return Err(value_error("select with an empty condition list is not possible"));
    }
    if let Some(number) = conditions.iter().position(|condition| condition.kind() != Kind::Bool) {
        return Err(type_error(format!(
            "invalid entry {number} in condlist: should be boolean ndarray"
        )));
    }
    let default = match call.array_given("default")? {
        Some(default) => default.into_owned(),
        None => Array::of_ints(&[], vec![0]),
    };
    chosen(&conditions, &choices, &default).map(Array::into_array_value)
}

/// `np.compress(condition, array, axis)`.
pub(super) fn compress(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("compress", arguments, "condition! a! axis out")?;
    let array = call.array("a")?;
    let axis = call.axis("axis", array.dims().len())?;
    let array = if axis.is_none() {
        flat(&array)
    } else {
        array.into_owned()
    };
    let axis = axis.unwrap_or(0);
    let places = true_at(&call.array("condition")?.bools());
    if let Some(far) = places.iter().find(|i| **i >= array.dims()[axis]) {
        return Err(Error::new(
            ErrorKind::IndexError,
            format!(
                "index {far} is out of bounds for axis {axis} with size {}",
                array.dims()[axis]
            ),
        ));
    }
    grid::select_axis(&array, axis, places).map(Array::into_array_value)
}

fn take(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("take", arguments, "a! indices! axis out mode")?;
    let (array, indices) = (call.array("a")?, call.array("indices")?);
    if indices.kind() > Kind::Int && indices.count() > 0 {
        return Err(type_error(
            "Cannot cast array data from dtype('float64') to dtype('int64') according to the rule 'safe'",
        ));
    }
    let axis = call.axis("axis", array.dims().len())?;
    let array = if axis.is_none() {
        flat(&array)
    } else {
        array.into_owned()
    };
    let axis = axis.unwrap_or(0);
    let length = array.dims()[axis];
    let mode = call.text("mode")?.unwrap_or("raise").to_owned();
    let at = |at: &i64| match mode.as_str() {
        "wrap" if length > 0 => Ok(at.rem_euclid(length as i64) as usize),
        "clip" if length > 0 => Ok((*at).clamp(0, length as i64 - 1) as usize),
        _ => place(*at, length, axis),
    };
    let places = indices.ints().iter().map(at).collect::<Result<Vec<_>, _>>()?;
    let mut dims = array.dims().to_vec();
    dims.splice(axis..=axis, indices.dims().iter().copied());
    Ok(grid::select_axis(&array, axis, places)?.with_dims(&dims).into_value())
}

fn piecewise(mut arguments: Arguments) -> Result<Value, Error> {
    let extra = if arguments.positional.len() > 3 {
        arguments.positional.split_off(3)
    } else {
        Vec::new()
    };
    let call = Call::bind("piecewise", arguments, "x! condlist! funclist!")?;
    let x = call.array("x")?.into_owned();
    let conditions = match items_of(call.value("condlist")) {
        Some(items)
            if items
                .first()
                .is_some_and(|item| super::operand::scalar_of(item).is_none()) =>
        {
            sequence(call.value("condlist"))?
        }
        _ if call.array("condlist")?.dims().len() > 1 => sequence(call.value("condlist"))?,
        _ => vec![call.array("condlist")?.into_owned()],
    };
    let Some(functions) = items_of(call.value("funclist")) else {
        return Err(type_error("`funclist` must be a list"));
    };
    let count = conditions.len();
    if functions.len() != count && functions.len() != count + 1 {
        return Err(value_error(format!(
            "with {count} condition(s), either {count} or {} functions are expected",
            count + 1
        )));
    }
    let mut result = Array::full(x.dims(), &Array::zero(x.kind()))?;
    let mut taken = vec![false; x.count()];
    for (number, function) in functions.iter().enumerate() {
        let flags = match conditions.get(number) {
            Some(condition) => grid::stretched(condition, &grid::broadcast(&[condition.dims(), x.dims()])?)
                .bools()
                .into_owned(),
            None => taken.iter().map(|flag| !flag).collect(),
        };
        let places = true_at(&flags);
        places.iter().for_each(|i| taken[*i] = true);
        let part = x.gather(&[places.len()], &places);
        let values = match function {
            Value::Function(_) => {
                let mut positional = vec![part.into_array_value()];
                positional.extend(extra.iter().cloned());
                call_value(
                    function,
                    Arguments {
                        positional,
                        keywords: Vec::new(),
                    },
                )?
            }
            constant => constant.clone(),
        };
        let values = grid::stretched(&array_of(&values)?.cast(x.kind())?, &[places.len()]);
        let count = result.count();
        let all = concatenated(&[&flat(&result), &values], 0)?;
        let mut order: Vec<usize> = (0..count).collect();
        places
            .iter()
            .enumerate()
            .for_each(|(i, place)| order[*place] = count + i);
        result = all.gather(x.dims(), &order);
    }
    Ok(result.into_array_value())
}

/// A function of single elements, called for each place of its arguments together; the first result chooses the kind.
fn vectorized(arguments: Arguments) -> Result<Value, Error> {
    let (Some((function, operands)), []) = (arguments.positional.split_first(), &arguments.keywords[..]) else {
        return Err(Error::new(
            ErrorKind::NotSupported,
            "named arguments of a vectorized function",
        ));
    };
    let arrays = operands.iter().map(array_of).collect::<Result<Vec<_>, _>>()?;
    let dims = grid::broadcast(&arrays.iter().map(|array| array.dims()).collect::<Vec<_>>())?;
    let columns: Vec<Array> = arrays.iter().map(|array| grid::stretched(array, &dims)).collect();
    let count: usize = dims.iter().product();
    if count == 0 {
        return Err(value_error(
            "cannot call `vectorize` on size 0 inputs unless `otypes` is set",
        ));
    }
    limits::elements(count)?;
    let mut results = Vec::with_capacity(count);
    for i in 0..count {
        limits::work(1)?;
        let positional = columns.iter().map(|column| Value::Scalar(column.element(i))).collect();
        results.push(call_value(
            function,
            Arguments {
                positional,
                keywords: Vec::new(),
            },
        )?);
    }
    let kind = array_of(&results[0])?.kind();
    let all = Value::list(results);
    let array = array_of(&all)?;
    if array.dims() != [count] {
        return Err(value_error("setting an array element with a sequence."));
    }
    Ok(array.cast(kind)?.with_dims(&dims).into_array_value())
}

fn apply_along_axis(mut arguments: Arguments) -> Result<Value, Error> {
    let extra = if arguments.positional.len() > 3 {
        arguments.positional.split_off(3)
    } else {
        Vec::new()
    };
    let call = Call::bind("apply_along_axis", arguments, "func1d! axis! arr!")?;
    let array = call.array("arr")?;
    let axis = super::call::axis_of(call.value("axis"), array.dims().len())?;
    let moved = grid::axis_last(&array, axis);
    let (outer, length) = match moved.dims().split_last() {
        Some((length, outer)) => (outer.to_vec(), *length),
        None => {
            return Err(value_error(
                "Cannot apply_along_axis when any iteration dimensions are 0",
            ));
        }
    };
    let count: usize = outer.iter().product();
    if count == 0 {
        return Err(value_error(
            "Cannot apply_along_axis when any iteration dimensions are 0",
        ));
    }
    let mut rows = Vec::new();
    for row in 0..count {
        let line = moved.gather(&[length], &(row * length..(row + 1) * length).collect::<Vec<_>>());
        let mut positional = vec![line.into_array_value()];
        positional.extend(extra.iter().cloned());
        let result = call_value(
            call.value("func1d"),
            Arguments {
                positional,
                keywords: Vec::new(),
            },
        )?;
        rows.push(array_of(&result)?.into_owned());
    }
    let inner = rows.first().map_or(Vec::new(), |row| row.dims().to_vec());
    if rows.iter().any(|row| row.dims() != inner.as_slice()) {
        return Err(value_error(
            "could not broadcast the results of apply_along_axis together",
        ));
    }
    let lines: Vec<Array> = rows.iter().map(flat).collect();
    let all = concatenated(&lines.iter().collect::<Vec<_>>(), 0)?.with_dims(&[&outer[..], &inner[..]].concat());
    // The axes of each result stand where the axis was.
    let mut order: Vec<usize> = (0..outer.len()).collect();
    order.splice(axis..axis, outer.len()..outer.len() + inner.len());
    Ok(grid::transposed(&all, &order).into_value())
}
