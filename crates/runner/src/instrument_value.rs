//! Values of a measurement as instruments take them, and back.
//!
//! Measurements have Python's values, instruments few kinds. What an instrument has no kind for goes as its text, which is
//! what Exopy's drivers would have written into the command.

use expr::Scalar;
use instruments::driver::{self, Elements};
use ndarray::{ArrayD, IxDyn};
use num_complex::Complex64;
use protocol::Value;

/// A value for an instrument.
pub(crate) fn to_device(value: &Value) -> driver::Value {
    match value {
        Value::None => driver::Value::None,
        Value::Bool(truth) | Value::Scalar(Scalar::Bool(truth)) => driver::Value::Bool(*truth),
        Value::Int(number) | Value::Scalar(Scalar::Int(number)) => driver::Value::Int(*number),
        Value::Float(number) | Value::Scalar(Scalar::Float(number)) => driver::Value::Float(*number),
        Value::Complex(number) | Value::Scalar(Scalar::Complex(number)) => driver::Value::Complex(number.re, number.im),
        Value::Str(text) | Value::Scalar(Scalar::Str(text)) => driver::Value::Text(text.to_string()),
        Value::List(items) | Value::Tuple(items) => driver::Value::List(items.iter().map(to_device).collect()),
        Value::Array(array) => of_array(array),
        other => driver::Value::Text(other.to_string()),
    }
}

fn of_array(array: &expr::Array) -> driver::Value {
    let (shape, elements) = match array {
        expr::Array::Bool(data) => (data.shape(), Elements::Bool(data.iter().copied().collect())),
        expr::Array::Int(data) => (data.shape(), Elements::Int(data.iter().copied().collect())),
        expr::Array::Float(data) => (data.shape(), Elements::Float(data.iter().copied().collect())),
        expr::Array::Complex(data) => (
            data.shape(),
            Elements::Complex(data.iter().map(|number| (number.re, number.im)).collect()),
        ),
        expr::Array::Str { data, .. } => {
            let texts = data.iter().map(|text| driver::Value::Text(text.to_string()));
            return driver::Value::List(texts.collect());
        }
    };
    driver::Value::Array(Box::new(driver::Array {
        shape: shape.to_vec(),
        elements,
    }))
}

/// A value that an instrument returned.
pub(crate) fn of_device(value: driver::Value) -> Value {
    match value {
        driver::Value::None => Value::None,
        driver::Value::Bool(truth) => Value::Bool(truth),
        driver::Value::Int(number) => Value::Int(number),
        driver::Value::Float(number) => Value::Float(number),
        driver::Value::Complex(re, im) => Value::Complex(Complex64::new(re, im)),
        driver::Value::Text(text) => Value::from(text),
        driver::Value::List(items) => Value::list(items.into_iter().map(of_device).collect()),
        driver::Value::Floats(numbers) => Value::from(numbers),
        driver::Value::Array(array) => array_of(*array),
    }
}

/// An array with as many elements as its shape says; one that has not is a list of those it has.
fn array_of(array: driver::Array) -> Value {
    let shape = IxDyn(&array.shape);
    match array.elements {
        Elements::Bool(data) => shaped(shape, data, expr::Array::Bool, Value::from),
        Elements::Int(data) => shaped(shape, data, expr::Array::Int, Value::from),
        Elements::Float(data) => shaped(shape, data, expr::Array::Float, Value::from),
        Elements::Complex(data) => {
            let data = data.into_iter().map(|(re, im)| Complex64::new(re, im)).collect();
            shaped(shape, data, expr::Array::Complex, Value::from)
        }
    }
}

fn shaped<T: Clone>(
    shape: IxDyn,
    data: Vec<T>,
    array: fn(ArrayD<T>) -> expr::Array,
    flat: fn(Vec<T>) -> Value,
) -> Value {
    match ArrayD::from_shape_vec(shape, data.clone()) {
        Ok(shaped) => Value::from(array(shaped)),
        Err(_) => flat(data),
    }
}

#[cfg(test)]
mod tests {
    use instruments::driver;
    use protocol::Value;

    use super::{of_device, to_device};

    #[test]
    fn values_come_back_as_they_went() {
        let values = [
            Value::None,
            Value::Bool(true),
            Value::Int(-3),
            Value::Float(0.1),
            Value::from("MAX"),
            Value::from(vec![1.5, 2.5]),
            Value::list(vec![Value::Int(1), Value::from("x")]),
        ];
        for value in values {
            assert_eq!(of_device(to_device(&value)).repr(), value.repr());
        }
        let short = driver::Array {
            shape: vec![2, 2],
            elements: driver::Elements::Float(vec![1.0]),
        };
        assert_eq!(of_device(driver::Value::Array(Box::new(short))).repr(), "array([1.])");
    }
}
