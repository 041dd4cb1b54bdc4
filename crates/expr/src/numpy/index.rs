//! `array[…]`: ints, slices, `...`, `None`, integer arrays and boolean masks, together as numpy combines them.

use std::borrow::Cow;
use std::sync::Arc;

use super::array::{count_of, shape_text, type_error, value_error};
use super::grid;
use super::kind::{Kind, index_of};
use super::operand::array_of;
use super::print::is_row;
use crate::error::ErrorKind;
use crate::{Array, Error, RecordArray, Scalar, Slice, Value};

/// `object[index]` of a numpy value.
pub(crate) fn subscript(object: &Value, index: &Value) -> Result<Value, Error> {
    match object {
        Value::Array(array) => of_array(array, index),
        Value::Record(record) => of_record(record, index),
        Value::Scalar(Scalar::Str(text)) => of_text(text, index),
        Value::Scalar(scalar) => match index {
            Value::Tuple(items) if items.is_empty() => Ok(object.clone()),
            Value::Ellipsis | Value::None => of_array(&Array::of_scalar(scalar), index),
            _ => Err(index_error("invalid index to scalar variable.")),
        },
        other => Err(type_error(format!(
            "'{}' object is not subscriptable",
            other.type_name()
        ))),
    }
}

/// The first and the last `count` along each axis that is longer than both: what a summary shows.
pub(super) fn edges(array: &Array, count: usize) -> Array {
    let positions: Vec<Vec<usize>> = array
        .dims()
        .iter()
        .map(|dim| {
            if *dim > 2 * count {
                (0..count).chain(dim - count..*dim).collect()
            } else {
                (0..*dim).collect()
            }
        })
        .collect();
    grid::select(array, &positions).unwrap_or_else(|_| array.clone())
}

/// The positions of a slice along an axis of `length`.
pub(super) fn slice_positions(slice: &Slice, length: usize) -> Result<Vec<usize>, Error> {
    let bound = |value: &Value| match value {
        Value::None => Ok(None),
        Value::BigInt(number) => Ok(Some(if number.sign() == num_bigint::Sign::Minus {
            i64::MIN
        } else {
            i64::MAX
        })),
        other => index_of(other)
            .map(Some)
            .map_err(|_| type_error("slice indices must be integers or None or have an __index__ method")),
    };
    let length = length as i64;
    let step = bound(&slice.step)?.unwrap_or(1);
    if step == 0 {
        return Err(value_error("slice step cannot be zero"));
    }
    let (lowest, highest) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let clamp = |asked: Option<i64>, otherwise: i64| match asked {
        None => otherwise,
        Some(asked) => (if asked < 0 { asked.saturating_add(length) } else { asked }).clamp(lowest, highest),
    };
    let start = clamp(bound(&slice.start)?, if step > 0 { lowest } else { highest });
    let stop = clamp(bound(&slice.stop)?, if step > 0 { highest } else { lowest });
    let mut positions = Vec::new();
    let mut at = start;
    while (step > 0 && at < stop) || (step < 0 && at > stop) {
        positions.push(at as usize);
        at = at.saturating_add(step);
    }
    Ok(positions)
}

fn index_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::IndexError, message)
}

/// An index counted from the front.
pub(super) fn place(index: i64, length: usize, axis: usize) -> Result<usize, Error> {
    let from_front = if index < 0 {
        index.checked_add(length as i64)
    } else {
        Some(index)
    };
    from_front
        .and_then(|at| usize::try_from(at).ok())
        .filter(|at| *at < length)
        .ok_or_else(|| {
            index_error(format!(
                "index {index} is out of bounds for axis {axis} with size {length}"
            ))
        })
}

/// What one item of an index does to the array.
enum Item<'a> {
    At(i64),
    Slice(&'a Slice),
    NewAxis,
    Rest,
    Many(Cow<'a, Array>),
    Mask(Cow<'a, Array>),
}

impl Item<'_> {
    /// How many axes of the array the item uses up.
    fn axes(&self) -> usize {
        match self {
            Item::At(_) | Item::Slice(_) | Item::Many(_) => 1,
            Item::NewAxis | Item::Rest => 0,
            Item::Mask(mask) => mask.dims().len(),
        }
    }
}

fn item_of(value: &Value) -> Result<Item<'_>, Error> {
    const REFUSED: &str = "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer or boolean arrays are valid indices";
    Ok(match value {
        Value::Int(_) | Value::BigInt(_) | Value::Scalar(Scalar::Int(_)) => Item::At(index_of(value)?),
        Value::Slice(slice) => Item::Slice(slice),
        Value::None => Item::NewAxis,
        Value::Ellipsis => Item::Rest,
        Value::Bool(_)
        | Value::Scalar(Scalar::Bool(_))
        | Value::List(_)
        | Value::Tuple(_)
        | Value::Range(_)
        | Value::Array(_) => {
            let array = array_of(value).map_err(|error| match error.kind {
                ErrorKind::NotSupported => index_error(REFUSED),
                _ => error,
            })?;
            match array.kind() {
                Kind::Bool => Item::Mask(array),
                Kind::Int => Item::Many(array),
                // `x[[]]`: a list without elements would be floats.
                _ if array.count() == 0 && !matches!(value, Value::Array(_)) => {
                    Item::Many(Cow::Owned(array.cast(Kind::Int)?))
                }
                _ if matches!(value, Value::Array(_)) => {
                    return Err(index_error(
                        "arrays used as indices must be of integer (or boolean) type",
                    ));
                }
                _ => return Err(index_error(REFUSED)),
            }
        }
        _ => return Err(index_error(REFUSED)),
    })
}

/// What is taken along one axis of the array, after all items are understood.
enum Along {
    /// One position; the axis disappears.
    One(usize),
    Several(Vec<usize>),
    /// Positions in a shape of their own, broadcast with the other such.
    Fancy(Vec<usize>, Vec<usize>),
}

/// The selection axis by axis, with the axes that the index adds.
struct Selection {
    dims: Vec<usize>,
    along: Vec<Along>,
    /// The item that each came from: fancy ones stand together if their items do.
    item: Vec<usize>,
    /// The axis of the array itself, which messages name.
    axis: usize,
}

fn of_array(array: &Array, index: &Value) -> Result<Value, Error> {
    let items: Vec<Item<'_>> = match index {
        Value::Tuple(items) => items.iter().map(item_of).collect::<Result<_, _>>()?,
        one => vec![item_of(one)?],
    };
    if let [Item::At(at)] = items[..]
        && array.dims().len() == 1
    {
        return Ok(Value::Scalar(array.element(place(at, array.dims()[0], 0)?)));
    }
    let selection = understand(array.dims(), &items)?;
    let has_rest = items.iter().any(|item| matches!(item, Item::Rest));
    let fancy = selection.along.iter().any(|along| matches!(along, Along::Fancy(..)));
    let result = if fancy {
        take_fancy(array, selection)?
    } else {
        take_plain(array, selection)?
    };
    Ok(if result.dims().is_empty() && has_rest {
        result.into_array_value()
    } else {
        result.into_value()
    })
}

fn understand(dims: &[usize], items: &[Item<'_>]) -> Result<Selection, Error> {
    let used: usize = items.iter().map(Item::axes).sum();
    if used > dims.len() {
        return Err(index_error(format!(
            "too many indices for array: array is {}-dimensional, but {used} were indexed",
            dims.len()
        )));
    }
    if items.iter().filter(|item| matches!(item, Item::Rest)).count() > 1 {
        return Err(index_error("an index can only have a single ellipsis ('...')"));
    }
    let mut selection = Selection {
        dims: Vec::new(),
        along: Vec::new(),
        item: Vec::new(),
        axis: 0,
    };
    let everything = |length: usize| Along::Several((0..length).collect());
    for (number, item) in items.iter().enumerate() {
        let axis = selection.axis;
        match item {
            Item::At(at) => selection.old(dims, number, Along::One(place(*at, dims[axis], axis)?)),
            Item::Slice(slice) => {
                selection.old(dims, number, Along::Several(slice_positions(slice, dims[axis])?));
            }
            Item::NewAxis => selection.new_axis(number, everything(1)),
            Item::Rest => {
                for axis in axis..axis + dims.len() - used {
                    selection.old(dims, number, everything(dims[axis]));
                }
            }
            Item::Many(array) => {
                let at = array
                    .ints()
                    .iter()
                    .map(|at| place(*at, dims[axis], axis))
                    .collect::<Result<_, _>>()?;
                selection.old(dims, number, Along::Fancy(array.dims().to_vec(), at));
            }
            Item::Mask(mask) if mask.dims().is_empty() => {
                let at = if mask.bools()[0] { vec![0] } else { Vec::new() };
                selection.new_axis(number, Along::Fancy(vec![at.len()], at));
            }
            Item::Mask(mask) => {
                for (offset, length) in mask.dims().iter().enumerate() {
                    let axis = axis + offset;
                    if *length != dims[axis] {
                        return Err(index_error(format!(
                            "boolean index did not match indexed array along axis {axis}; size of axis is {} but size of corresponding boolean axis is {length}",
                            dims[axis]
                        )));
                    }
                }
                for at in true_places(mask) {
                    selection.old(dims, number, Along::Fancy(vec![at.len()], at));
                }
            }
        }
    }
    for axis in selection.axis..dims.len() {
        selection.old(dims, items.len(), everything(dims[axis]));
    }
    Ok(selection)
}

impl Selection {
    fn old(&mut self, dims: &[usize], item: usize, along: Along) {
        self.dims.push(dims[self.axis]);
        self.along.push(along);
        self.item.push(item);
        self.axis += 1;
    }

    fn new_axis(&mut self, item: usize, along: Along) {
        self.dims.push(1);
        self.along.push(along);
        self.item.push(item);
    }
}

/// Along each axis, where a mask is true.
pub(super) fn true_places(mask: &Array) -> Vec<Vec<usize>> {
    let strides = grid::strides(mask.dims());
    let flat: Vec<usize> = mask
        .bools()
        .iter()
        .enumerate()
        .filter(|(_, flag)| **flag)
        .map(|(i, _)| i)
        .collect();
    strides
        .iter()
        .zip(mask.dims())
        .map(|(stride, dim)| flat.iter().map(|i| i / stride % dim).collect())
        .collect()
}

fn take_plain(array: &Array, selection: Selection) -> Result<Array, Error> {
    let strides = grid::strides(&selection.dims);
    let mut dims = Vec::new();
    let mut offsets = Vec::new();
    for (along, stride) in selection.along.into_iter().zip(strides) {
        match along {
            Along::One(at) => offsets.push(vec![at * stride]),
            Along::Several(list) | Along::Fancy(_, list) => {
                dims.push(list.len());
                offsets.push(list.into_iter().map(|at| at * stride).collect());
            }
        }
    }
    count_of(&dims)?;
    Ok(array.gather(&dims, &grid::sums(&offsets)))
}

fn take_fancy(array: &Array, selection: Selection) -> Result<Array, Error> {
    let strides = grid::strides(&selection.dims);
    let shapes: Vec<&[usize]> = selection
        .along
        .iter()
        .filter_map(|along| {
            if let Along::Fancy(dims, _) = along {
                Some(dims.as_slice())
            } else {
                None
            }
        })
        .collect();
    let shared = grid::broadcast(&shapes).map_err(|_| {
        let texts: Vec<String> = shapes.iter().map(|dims| shape_text(dims)).collect();
        index_error(format!(
            "shape mismatch: indexing arrays could not be broadcast together with shapes {} ",
            texts.join(" ")
        ))
    })?;
    let mut together = vec![0; count_of(&shared)?];
    let mut dims = Vec::new();
    let mut offsets: Vec<Vec<usize>> = Vec::new();
    let mut first = None;
    let mut fancy_items = Vec::new();
    for ((along, stride), item) in selection.along.iter().zip(strides).zip(&selection.item) {
        match along {
            Along::Several(list) => {
                dims.push(list.len());
                offsets.push(list.iter().map(|at| at * stride).collect());
            }
            Along::One(at) => {
                first.get_or_insert(offsets.len());
                fancy_items.push(*item);
                together.iter_mut().for_each(|offset| *offset += at * stride);
            }
            Along::Fancy(shape, list) => {
                first.get_or_insert(offsets.len());
                fancy_items.push(*item);
                let places = grid::stretched_indices(shape, &shared);
                for (offset, place) in together.iter_mut().zip(places) {
                    *offset += list[place] * stride;
                }
            }
        }
    }
    let adjacent = fancy_items.windows(2).all(|pair| pair[1] - pair[0] <= 1);
    let at = if adjacent { first.unwrap_or(0) } else { 0 };
    offsets.insert(at, together);
    dims.splice(at..at, shared);
    count_of(&dims)?;
    Ok(array.gather(&dims, &grid::sums(&offsets)))
}

fn of_record(record: &RecordArray, index: &Value) -> Result<Value, Error> {
    let field = |name: &str| {
        record
            .fields
            .iter()
            .find(|(field, _)| &**field == name)
            .ok_or_else(|| value_error(format!("no field of name {name}")))
    };
    match index {
        Value::Str(name) | Value::Scalar(Scalar::Str(name)) => {
            let (_, column) = field(name)?;
            return Ok(column.clone().into_value());
        }
        Value::List(names) if !names.is_empty() && names.iter().all(|name| matches!(name, Value::Str(_))) => {
            let chosen = names.iter().filter_map(Value::as_str).map(|name| field(name).cloned());
            let fields = chosen.collect::<Result<Vec<_>, _>>()?;
            return Ok(Value::Record(Arc::new(RecordArray { fields })));
        }
        _ => {}
    }
    if is_row(record) {
        let at = index_of(index)?;
        let count = record.fields.len();
        let at = place(at, count, 0).map_err(|_| index_error(format!("invalid index ({at})")))?;
        return Ok(Value::Scalar(record.fields[at].1.element(0)));
    }
    let mut fields = Vec::new();
    for (name, column) in &record.fields {
        let array = match of_array(column, index)? {
            Value::Array(array) => Arc::unwrap_or_clone(array),
            Value::Scalar(scalar) => Array::of_scalar(&scalar),
            _ => return Err(index_error("invalid index of a record array")),
        };
        if array.dims().len() > 1 {
            return Err(Error::new(
                ErrorKind::NotSupported,
                "record arrays of more than one dimension",
            ));
        }
        fields.push((Arc::clone(name), array));
    }
    Ok(Value::Record(Arc::new(RecordArray { fields })))
}

fn of_text(text: &str, index: &Value) -> Result<Value, Error> {
    let characters: Vec<char> = text.chars().collect();
    let picked: String = match index {
        Value::Slice(slice) => slice_positions(slice, characters.len())?
            .into_iter()
            .map(|i| characters[i])
            .collect(),
        other => {
            let at = index_of(other)
                .map_err(|_| type_error(format!("string indices must be integers, not '{}'", other.type_name())))?;
            let at = place(at, characters.len(), 0).map_err(|_| index_error("string index out of range"))?;
            characters[at].to_string()
        }
    };
    Ok(Value::Str(Arc::from(picked)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numpy::Arguments;
    use crate::numpy::{method, print};

    /// `np.array([(1., 2), (3.5, -4), (0.25, 10)], dtype=[('v', 'f8'), ('n', 'i8')])`, which no formula can make.
    fn records() -> Value {
        let fields = vec![
            (Arc::from("v"), Array::of_floats(&[3], vec![1.0, 3.5, 0.25])),
            (Arc::from("n"), Array::of_ints(&[3], vec![2, -4, 10])),
        ];
        Value::Record(Arc::new(RecordArray { fields }))
    }

    fn check(index: Value, expected: &str) {
        assert_eq!(
            print::repr(&subscript(&records(), &index).expect("the index is right")),
            expected
        );
    }

    #[test]
    fn record_arrays_print_as_in_numpy() {
        let expected = "array([(1.  ,  2), (3.5 , -4), (0.25, 10)],\n      dtype=[('v', '<f8'), ('n', '<i8')])";
        assert_eq!(print::repr(&records()), expected);
        assert_eq!(print::str(&records()), "[(1.  ,  2) (3.5 , -4) (0.25, 10)]");
    }

    #[test]
    fn record_arrays_give_fields_rows_and_parts() {
        check(Value::str("v"), "array([1.  , 3.5 , 0.25])");
        check(Value::Int(0), "np.void((1.0, 2), dtype=[('v', '<f8'), ('n', '<i8')])");
        let rest = Slice {
            start: Value::Int(1),
            stop: Value::None,
            step: Value::None,
        };
        check(
            Value::Slice(Arc::new(rest)),
            "array([(3.5 , -4), (0.25, 10)], dtype=[('v', '<f8'), ('n', '<i8')])",
        );
        check(
            Value::list(vec![Value::str("n")]),
            "array([( 2,), (-4,), (10,)], dtype=[('n', '<i8')])",
        );
        check(
            Array::of_bools(&[3], vec![false, true, false]).into(),
            "array([(3.5, -4)], dtype=[('v', '<f8'), ('n', '<i8')])",
        );
    }

    #[test]
    fn a_row_of_a_record_array_has_its_fields() {
        let row = subscript(&records(), &Value::Int(-1)).expect("there is a last row");
        assert_eq!(print::str(&row), "(0.25, 10)");
        let field = subscript(&row, &Value::str("v")).expect("the row has the field");
        assert_eq!(print::repr(&field), "np.float64(0.25)");
        let second = subscript(&row, &Value::Int(1)).expect("the row has two fields");
        assert_eq!(print::repr(&second), "np.int64(10)");
    }

    #[test]
    fn wrong_fields_and_rows_are_named() {
        let error = |index: Value| {
            subscript(&records(), &index)
                .expect_err("the index is wrong")
                .to_string()
        };
        assert_eq!(error(Value::str("q")), "ValueError: no field of name q");
        assert_eq!(
            error(Value::Int(5)),
            "IndexError: index 5 is out of bounds for axis 0 with size 3"
        );
    }

    #[test]
    fn records_become_tuples() {
        let to_list = method(&records(), "tolist").expect("record arrays have it");
        let list = to_list(Arguments {
            positional: vec![records()],
            keywords: Vec::new(),
        })
        .expect("they become lists");
        assert_eq!(list.repr(), "[(1.0, 2), (3.5, -4), (0.25, 10)]");
    }
}
