//! Places of elements: strides, broadcasting, and the flat indices of a selection along each axis.

use super::array::{count_of, shape_text, value_error};
use crate::limits;
use crate::{Array, Error};

/// How far apart neighbours along each axis lie, in C order.
pub(super) fn strides(dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for axis in (1..dims.len()).rev() {
        strides[axis - 1] = strides[axis] * dims[axis];
    }
    strides
}

/// All sums of one offset from each list, the last list running fastest.
pub(super) fn sums(lists: &[Vec<usize>]) -> Vec<usize> {
    let mut flat = vec![0];
    for list in lists {
        flat = flat
            .iter()
            .flat_map(|base| list.iter().map(move |offset| base + offset))
            .collect();
    }
    flat
}

/// The array made of the given positions along each axis.
pub(super) fn select(array: &Array, positions: &[Vec<usize>]) -> Result<Array, Error> {
    let dims: Vec<usize> = positions.iter().map(Vec::len).collect();
    limits::work(count_of(&dims)?)?;
    let strides = strides(array.dims());
    let offsets: Vec<Vec<usize>> = positions
        .iter()
        .zip(strides)
        .map(|(list, stride)| list.iter().map(|position| position * stride).collect())
        .collect();
    Ok(array.gather(&dims, &sums(&offsets)))
}

/// The given positions along one axis, everything along the others.
pub(super) fn select_axis(array: &Array, axis: usize, positions: Vec<usize>) -> Result<Array, Error> {
    let mut all: Vec<Vec<usize>> = array.dims().iter().map(|dim| (0..*dim).collect()).collect();
    all[axis] = positions;
    select(array, &all)
}

/// The axes in another order.
pub(super) fn transposed(array: &Array, order: &[usize]) -> Array {
    let strides = strides(array.dims());
    let dims: Vec<usize> = order.iter().map(|axis| array.dims()[*axis]).collect();
    let offsets: Vec<Vec<usize>> = order
        .iter()
        .map(|axis| (0..array.dims()[*axis]).map(|i| i * strides[*axis]).collect())
        .collect();
    array.gather(&dims, &sums(&offsets))
}

/// The axis moved to the end.
pub(super) fn axis_last(array: &Array, axis: usize) -> Array {
    let mut order: Vec<usize> = (0..array.dims().len()).filter(|other| *other != axis).collect();
    order.push(axis);
    transposed(array, &order)
}

/// The last axis moved to `axis`: what [`axis_last`] did, undone.
pub(super) fn axis_back(array: &Array, axis: usize) -> Array {
    let last = array.dims().len() - 1;
    let mut order: Vec<usize> = (0..last).collect();
    order.insert(axis, last);
    transposed(array, &order)
}

/// The shape that operands of several shapes have together.
pub(super) fn broadcast(shapes: &[&[usize]]) -> Result<Vec<usize>, Error> {
    let dimensions = shapes.iter().map(|dims| dims.len()).max().unwrap_or(0);
    let mut result = vec![1; dimensions];
    for dims in shapes {
        let offset = dimensions - dims.len();
        for (place, dim) in result[offset..].iter_mut().zip(dims.iter()) {
            if *place == 1 {
                *place = *dim;
            } else if *dim != 1 && *dim != *place {
                let texts: Vec<String> = shapes.iter().map(|dims| shape_text(dims)).collect();
                return Err(value_error(format!(
                    "operands could not be broadcast together with shapes {} ",
                    texts.join(" ")
                )));
            }
        }
    }
    count_of(&result)?;
    Ok(result)
}

/// For each element of the shape `to`, the flat index of the element of `from` that stands there.
pub(super) fn stretched_indices(from: &[usize], to: &[usize]) -> Vec<usize> {
    let strides = strides(from);
    let missing = to.len() - from.len();
    let offsets: Vec<Vec<usize>> = to
        .iter()
        .enumerate()
        .map(|(axis, dim)| {
            let stride = if axis < missing || from[axis - missing] == 1 {
                0
            } else {
                strides[axis - missing]
            };
            (0..*dim).map(|i| i * stride).collect()
        })
        .collect();
    sums(&offsets)
}

/// The array repeated along its axes of length one until it has the shape.
pub(super) fn stretched(array: &Array, to: &[usize]) -> Array {
    if array.dims() == to {
        array.clone()
    } else {
        array.gather(to, &stretched_indices(array.dims(), to))
    }
}
