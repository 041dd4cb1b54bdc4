//! The arrays with named fields that analysers fill: an axis as numpy's `linspace` makes it, and what was measured along it.
//!
//! Numbers come from an instrument as an array or as a list; complex ones as an array. Deliberately absent: units of the
//! fields, which are part of their names as Exopy gives them.

use std::sync::Arc;

use expr::{Array, RecordArray, Value};
use ndarray::ArrayD;

use crate::program::{At, Exit};

/// `points` values from `start` to `stop`, as `np.linspace` computes them.
pub(super) fn linspace(start: f64, stop: f64, points: usize) -> Vec<f64> {
    let intervals = (points.max(2) - 1) as f64;
    let span = stop - start;
    let step = span / intervals;
    let value = |index: usize| match index {
        last if last + 1 == points && points > 1 => stop,
        index if step == 0.0 => index as f64 / intervals * span + start,
        index => index as f64 * step + start,
    };
    (0..points).map(value).collect()
}

/// Values with a constant ratio between neighbours; both ends are positive.
pub(super) fn geomspace(start: f64, stop: f64, points: usize) -> Vec<f64> {
    let mut values: Vec<f64> = linspace(start.log10(), stop.log10(), points)
        .into_iter()
        .map(|exponent| 10.0_f64.powf(exponent))
        .collect();
    if let [first, .., last] = values.as_mut_slice() {
        (*first, *last) = (start, stop);
    }
    values
}

/// Fields of one length, in order.
pub(super) fn record(fields: Vec<(String, Array)>) -> Value {
    let fields = fields.into_iter().map(|(name, data)| (Arc::from(name), data));
    Value::from(RecordArray {
        fields: fields.collect(),
    })
}

pub(super) fn floats(numbers: Vec<f64>) -> Array {
    Array::Float(ArrayD::from_shape_vec(vec![numbers.len()], numbers).expect("the shape is that of the data"))
}

/// A record as a check leaves it: two rows of 0 and 1.
pub(super) fn specimen(names: impl Iterator<Item = String>) -> Value {
    record(names.map(|name| (name, floats(vec![0.0, 1.0]))).collect())
}

/// The array that an instrument returned, which must have one dimension.
pub(super) fn array(at: &At<'_>, value: &Value) -> Result<Array, Exit> {
    match value {
        Value::Array(array) if array.shape().len() == 1 => Ok((**array).clone()),
        Value::List(_) | Value::Tuple(_) => {
            let items = value.iterate().map_err(|error| at.fail(error.to_string()))?;
            let numbers: Result<Vec<f64>, Exit> = items.iter().map(|item| at.number(item)).collect();
            Ok(floats(numbers?))
        }
        other => Err(at.fail(format!(
            "TypeError: the instrument's data are {}, no array",
            other.kind()
        ))),
    }
}

/// Real and imaginary parts of the complex numbers that an instrument returned.
pub(super) fn complex(at: &At<'_>, value: &Value) -> Result<Vec<(f64, f64)>, Exit> {
    match array(at, value)? {
        Array::Complex(data) => Ok(data.iter().map(|number| (number.re, number.im)).collect()),
        Array::Float(data) => Ok(data.iter().map(|number| (*number, 0.0)).collect()),
        other => Err(at.fail(format!(
            "TypeError: the instrument's data are {}, not complex",
            other.dtype()
        ))),
    }
}

/// A count of points that a task computed.
pub(super) fn points(at: &At<'_>, value: &Value) -> Result<usize, Exit> {
    let number = at.number(value)?;
    if number.fract() == 0.0 && (1.0..=MOST_POINTS).contains(&number) {
        Ok(number as usize)
    } else {
        Err(at.fail(format!("ValueError: {value} is no number of points")))
    }
}

/// No analyser has more.
const MOST_POINTS: f64 = 1e7;

#[cfg(test)]
mod tests {
    use super::{geomspace, linspace};

    #[test]
    fn axes_are_those_of_numpy() {
        assert_eq!(
            linspace(0.0, 1.0, 4),
            [0.0, 0.333_333_333_333_333_3, 0.666_666_666_666_666_6, 1.0]
        );
        assert_eq!(linspace(2.0, 5.0, 1), [2.0]);
        assert_eq!(linspace(3.0, 3.0, 3), [3.0, 3.0, 3.0]);
        assert!(linspace(0.0, 1.0, 0).is_empty());
        assert_eq!(geomspace(1.0, 1000.0, 4), [1.0, 10.0, 100.0, 1000.0]);
    }
}
