//! Columns of one kind, from values of any.
//!
//! Numbers of different kinds become the wider one; arrays of different shapes are filled up to the largest with what is
//! missing there; an array with fields becomes a column for each field. What is none of these becomes text.

use expr::{Array, RecordArray, Scalar, Value};
use num_complex::Complex64;

use crate::table::{Column, Data};

/// Gathers the values of one entry, a row at a time.
#[derive(Clone, Debug, Default)]
pub(crate) struct ColumnBuilder {
    plain: Cells,
    /// Arrays with fields: a column for each, with as many rows.
    fields: Vec<(String, Cells)>,
    rows: usize,
}

impl ColumnBuilder {
    pub(crate) fn push(&mut self, value: &Value) {
        self.put(self.rows, value);
        self.rows += 1;
    }

    /// Replaces the value of a row that is there.
    pub(crate) fn replace(&mut self, row: usize, value: &Value) {
        if row < self.rows {
            self.put(row, value);
        }
    }

    fn put(&mut self, row: usize, value: &Value) {
        if let Value::Record(record) = value {
            self.put_fields(row, record);
        } else {
            self.plain.put(row, value);
        }
    }

    fn put_fields(&mut self, row: usize, record: &RecordArray) {
        for (name, field) in &record.fields {
            let position = match self.fields.iter().position(|(known, _)| **known == **name) {
                Some(position) => position,
                None => {
                    self.fields.push((name.to_string(), Cells::default()));
                    self.fields.len() - 1
                }
            };
            self.fields[position].1.put_array(row, field);
        }
    }

    /// The columns of the entry with this path.
    pub(crate) fn finish(self, path: &str, unit: Option<&str>) -> Vec<Column> {
        let rows = self.rows;
        let name = path.rsplit('/').next().unwrap_or(path);
        let column = |suffix: &str, cells: Cells| {
            let (cell, data) = cells.finish(rows);
            Column {
                name: format!("{name}{suffix}"),
                path: format!("{path}{suffix}"),
                cell,
                data,
                unit: unit.map(str::to_owned),
            }
        };
        let mut columns = Vec::new();
        if !self.fields.is_empty() {
            columns.extend(
                self.fields
                    .into_iter()
                    .map(|(field, cells)| column(&format!(".{field}"), cells)),
            );
        } else {
            columns.push(column("", self.plain));
        }
        columns
    }
}

/// Cells one behind the other; each row says where its own is.
#[derive(Clone, Debug)]
struct Cells {
    data: Data,
    /// Of each row: where its elements begin, and the shape. Absent while every cell is a scalar in its place.
    places: Option<Vec<Place>>,
}

#[derive(Clone, Debug, Default)]
struct Place {
    start: usize,
    shape: Vec<usize>,
    is_missing: bool,
}

impl Default for Cells {
    fn default() -> Self {
        Self {
            data: Data::Bool(Vec::new()),
            places: None,
        }
    }
}

impl Cells {
    fn put(&mut self, row: usize, value: &Value) {
        match value {
            Value::Array(array) => self.put_array(row, array),
            Value::List(items) | Value::Tuple(items) => match numbers(items) {
                Some(array) => self.put_array(row, &array),
                None => self.put_scalar(row, value),
            },
            _ => self.put_scalar(row, value),
        }
    }

    fn put_scalar(&mut self, row: usize, value: &Value) {
        if matches!(value, Value::None) {
            let place = Place {
                start: self.data.len(),
                shape: Vec::new(),
                is_missing: true,
            };
            self.put_place(row, place);
            return;
        }
        let in_line = self.places.is_none() && row == self.data.len();
        if !in_line {
            let place = Place {
                start: self.data.len(),
                ..Place::default()
            };
            self.put_place(row, place);
        }
        self.data.push(value);
    }

    fn put_array(&mut self, row: usize, array: &Array) {
        let place = Place {
            start: self.data.len(),
            shape: array.shape().to_vec(),
            is_missing: false,
        };
        self.put_place(row, place);
        match array {
            Array::Bool(array) => array.iter().for_each(|item| self.data.push(&Value::Bool(*item))),
            Array::Int(array) => array.iter().for_each(|item| self.data.push(&Value::Int(*item))),
            Array::Float(array) => match &mut self.data {
                Data::Float(data) => data.extend(array.iter().copied()),
                data => array.iter().for_each(|item| data.push(&Value::Float(*item))),
            },
            Array::Complex(array) => array.iter().for_each(|item| self.data.push(&Value::Complex(*item))),
            Array::Str { data, .. } => data.iter().for_each(|item| self.data.push(&Value::Str(item.clone()))),
        }
    }

    fn put_place(&mut self, row: usize, place: Place) {
        let filled = self.data.len();
        let places = self.places.get_or_insert_with(|| {
            let scalar = |start| Place {
                start,
                ..Place::default()
            };
            (0..filled).map(scalar).collect()
        });
        while places.len() < row {
            places.push(Place {
                is_missing: true,
                ..Place::default()
            });
        }
        match places.get_mut(row) {
            Some(old) => *old = place,
            None => places.push(place),
        }
    }

    fn finish(self, rows: usize) -> (Vec<usize>, Data) {
        let Some(mut places) = self.places else {
            let mut data = self.data;
            let missing = rows - data.len();
            (0..missing).for_each(|_| data = std::mem::replace(&mut data, Data::Bool(Vec::new())).with_missing());
            return (Vec::new(), data);
        };
        places.resize(
            rows,
            Place {
                is_missing: true,
                ..Place::default()
            },
        );
        let depth = places.iter().map(|place| place.shape.len()).max().unwrap_or(0);
        let mut cell = vec![1; depth];
        for place in &places {
            for (axis, length) in aligned(&place.shape, depth).iter().enumerate() {
                cell[axis] = cell[axis].max(*length);
            }
        }
        if places.iter().all(|place| place.is_missing || place.shape.contains(&0)) && depth > 0 {
            // Nothing but empty arrays.
            return (vec![0; depth], Data::Float(Vec::new()));
        }
        let size: usize = cell.iter().product();
        let in_order = places
            .iter()
            .enumerate()
            .all(|(row, place)| !place.is_missing && place.start == row * size && aligned(&place.shape, depth) == cell);
        if in_order && self.data.len() == rows * size {
            return (cell, self.data);
        }
        let mut order: Vec<Option<usize>> = vec![None; rows * size];
        for (row, place) in places.iter().enumerate().filter(|(_, place)| !place.is_missing) {
            let shape = aligned(&place.shape, depth);
            for element in 0..shape.iter().product::<usize>() {
                let (mut rest, mut target, mut stride) = (element, 0, 1);
                for axis in (0..depth).rev() {
                    target += rest % shape[axis] * stride;
                    rest /= shape[axis];
                    stride *= cell[axis];
                }
                order[row * size + target] = Some(place.start + element);
            }
        }
        (cell, self.data.reordered(&order))
    }
}

/// A shape with ones before it.
fn aligned(shape: &[usize], depth: usize) -> Vec<usize> {
    let mut aligned = vec![1; depth - shape.len()];
    aligned.extend_from_slice(shape);
    aligned
}

/// A list of numbers as an array.
fn numbers(items: &[Value]) -> Option<Array> {
    if items.is_empty() || items.len() > 1_000_000 {
        return None;
    }
    let floats: Option<Vec<f64>> = items
        .iter()
        .map(|item| item.as_f64().filter(|_| item.is_real()))
        .collect();
    let data = ndarray::ArrayD::from_shape_vec(ndarray::IxDyn(&[items.len()]), floats?).ok()?;
    Some(Array::Float(data))
}

impl Data {
    fn push(&mut self, value: &Value) {
        match (&mut *self, value) {
            (Data::Float(data), Value::Float(number) | Value::Scalar(Scalar::Float(number))) => data.push(*number),
            (Data::Int(data), Value::Int(number) | Value::Scalar(Scalar::Int(number))) => data.push(*number),
            (Data::Bool(data), Value::Bool(truth) | Value::Scalar(Scalar::Bool(truth))) => data.push(*truth),
            (Data::Complex(data), Value::Complex(number) | Value::Scalar(Scalar::Complex(number))) => {
                data.push(*number)
            }
            (Data::Text(data), value) => data.push(value.to_string()),
            (Data::Float(data), Value::Int(number) | Value::Scalar(Scalar::Int(number))) => data.push(*number as f64),
            _ => {
                *self = std::mem::replace(self, Data::Bool(Vec::new())).widened(value);
                self.push_wide(value);
            }
        }
    }

    fn push_wide(&mut self, value: &Value) {
        match self {
            Data::Bool(data) => data.push(value.truthy().unwrap_or(false)),
            Data::Int(data) => data.push(value.as_i64().unwrap_or_default()),
            Data::Float(data) => data.push(value.as_f64().unwrap_or(f64::NAN)),
            Data::Complex(data) => data.push(complex(value)),
            Data::Text(data) => data.push(value.to_string()),
        }
    }

    /// The same in the narrowest kind that holds it and `value`.
    fn widened(self, value: &Value) -> Data {
        /// In the order of width.
        fn width(value: &Value) -> u8 {
            match value {
                Value::Bool(_) | Value::Scalar(Scalar::Bool(_)) => 0,
                Value::Int(_) | Value::Scalar(Scalar::Int(_)) => 1,
                Value::Float(_) | Value::Scalar(Scalar::Float(_)) => 2,
                Value::Complex(_) | Value::Scalar(Scalar::Complex(_)) => 3,
                _ => 4,
            }
        }
        let own = match &self {
            Data::Bool(_) => 0,
            Data::Int(_) => 1,
            Data::Float(_) => 2,
            Data::Complex(_) => 3,
            Data::Text(_) => 4,
        };
        let mut data = self;
        let wanted = width(value);
        while (match &data {
            Data::Bool(_) => 0,
            Data::Int(_) => 1,
            Data::Float(_) => 2,
            Data::Complex(_) => 3,
            Data::Text(_) => 4,
        }) < wanted.max(own)
        {
            if wanted == 4 {
                return data.into_text();
            }
            data = match data {
                Data::Bool(data) => Data::Int(data.into_iter().map(i64::from).collect()),
                Data::Int(data) => Data::Float(data.into_iter().map(|number| number as f64).collect()),
                Data::Float(data) => Data::Complex(data.into_iter().map(Complex64::from).collect()),
                Data::Complex(_) | Data::Text(_) => data.into_text(),
            };
        }
        data
    }

    fn into_text(self) -> Data {
        let text = |value: Value| value.to_string();
        Data::Text(match self {
            Data::Bool(data) => data.into_iter().map(|item| text(Value::Bool(item))).collect(),
            Data::Int(data) => data.into_iter().map(|item| text(Value::Int(item))).collect(),
            Data::Float(data) => data.into_iter().map(|item| text(Value::Float(item))).collect(),
            Data::Complex(data) => data.into_iter().map(|item| text(Value::Complex(item))).collect(),
            Data::Text(data) => data,
        })
    }

    /// With one element more, which is missing.
    fn with_missing(self) -> Data {
        let rows: Vec<Option<usize>> = (0..self.len()).map(Some).chain([None]).collect();
        self.reordered(&rows)
    }

    /// The elements at these places; integers and truths with missing ones become floats, which have a NaN.
    pub(crate) fn reordered(self, order: &[Option<usize>]) -> Data {
        let nan = Complex64::new(f64::NAN, f64::NAN);
        let is_missing = order.iter().any(Option::is_none);
        match self {
            Data::Bool(data) if is_missing => Data::Int(data.into_iter().map(i64::from).collect()).reordered(order),
            Data::Int(data) if is_missing => {
                Data::Float(data.into_iter().map(|number| number as f64).collect()).reordered(order)
            }
            Data::Bool(data) => Data::Bool(order.iter().flatten().map(|at| data[*at]).collect()),
            Data::Int(data) => Data::Int(order.iter().flatten().map(|at| data[*at]).collect()),
            Data::Float(data) => Data::Float(order.iter().map(|at| at.map_or(f64::NAN, |at| data[at])).collect()),
            Data::Complex(data) => Data::Complex(order.iter().map(|at| at.map_or(nan, |at| data[at])).collect()),
            Data::Text(data) => Data::Text(
                order
                    .iter()
                    .map(|at| at.map_or_else(String::new, |at| data[at].clone()))
                    .collect(),
            ),
        }
    }
}

fn complex(value: &Value) -> Complex64 {
    match value {
        Value::Complex(number) | Value::Scalar(Scalar::Complex(number)) => *number,
        _ => Complex64::from(value.as_f64().unwrap_or(f64::NAN)),
    }
}
