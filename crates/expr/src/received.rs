//! Values that come from another process, looked at before they are believed.
//!
//! A frame may hold anything: lists in lists until the stack ends, a range that never steps, columns of different lengths.
//! What no evaluation can make is refused while it is read, so that nothing that uses a value needs to ask.

use std::cell::Cell;
use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::ToPrimitive;
use serde::de::{Deserialize, Deserializer, Error as _};

use crate::limits::{self, MAX_INT_BITS, MAX_NESTING};
use crate::{Array, Range, RecordArray};

/// numpy's own limit of dimensions.
const MAX_DIMENSIONS: usize = 64;

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// One value within another; the guard gives the level back.
struct Level;

impl Level {
    fn enter() -> Option<Level> {
        DEPTH.with(|depth| {
            let here = depth.get() + 1;
            (here <= MAX_NESTING + 1).then(|| {
                depth.set(here);
                Level
            })
        })
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        DEPTH.with(|depth| depth.set(depth.get() - 1));
    }
}

/// A value that holds values.
pub(crate) fn nested<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Arc<T>, D::Error> {
    let _level = Level::enter().ok_or_else(|| D::Error::custom("a value is nested too deep"))?;
    T::deserialize(deserializer).map(Arc::new)
}

/// What is computed may be somewhat larger than the limit, which is asked before.
pub(crate) fn big<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<BigInt>, D::Error> {
    let number = BigInt::deserialize(deserializer)?;
    if number.to_i64().is_some() || number.bits() > 2 * MAX_INT_BITS {
        return Err(D::Error::custom("a large integer is too small or too large"));
    }
    Ok(Arc::new(number))
}

pub(crate) fn range<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Range>, D::Error> {
    let range = Range::deserialize(deserializer)?;
    if range.step == 0 {
        return Err(D::Error::custom("a range has the step 0"));
    }
    Ok(Arc::new(range))
}

pub(crate) fn array<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Array>, D::Error> {
    let array = Array::deserialize(deserializer)?;
    if !is_sound(&array) {
        return Err(D::Error::custom("an array is none"));
    }
    Ok(Arc::new(array))
}

pub(crate) fn record<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<RecordArray>, D::Error> {
    let record = RecordArray::deserialize(deserializer)?;
    // One row of a record array has columns without dimensions.
    let shape = record.fields.first().map_or(&[][..], |(_, column)| column.shape());
    let fits = |array: &Array| array.shape() == shape && shape.len() <= 1 && is_sound(array);
    if record.fields.iter().all(|(_, array)| fits(array)) {
        Ok(Arc::new(record))
    } else {
        Err(D::Error::custom("the columns of a record array differ"))
    }
}

fn is_sound(array: &Array) -> bool {
    let is_wide_enough = match array {
        Array::Str { width, data } => *width > 0 && data.iter().all(|text| text.chars().count() <= *width),
        Array::Bool(_) | Array::Int(_) | Array::Float(_) | Array::Complex(_) => true,
    };
    array.shape().len() <= MAX_DIMENSIONS && limits::has_few_empty_rows(array) && is_wide_enough
}
