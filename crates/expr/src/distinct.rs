//! Elements of sets and keys of dicts: what can be one, and which of them are the same.
//!
//! Sets and dicts keep their order of insertion and no table; building one and the operators between sets make a table for
//! the moment, so that they take time in proportion to the elements.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use num_traits::ToPrimitive;

use crate::compare::equal;
use crate::{Error, ErrorKind, Scalar, Value};
use crate::{integers, limits};

/// Equal values have equal hashes: `1`, `1.0`, `True` and `np.int64(1)`.
pub(crate) fn hash(value: &Value) -> Result<u64, Error> {
    let mut hasher = DefaultHasher::new();
    feed(value, &mut hasher)?;
    Ok(hasher.finish())
}

fn feed(value: &Value, hasher: &mut DefaultHasher) -> Result<(), Error> {
    limits::work(1)?;
    match value {
        Value::None => 0u8.hash(hasher),
        Value::Ellipsis => 1u8.hash(hasher),
        Value::Bool(_) | Value::Int(_) | Value::Scalar(Scalar::Bool(_) | Scalar::Int(_)) => {
            let number = match value {
                Value::Scalar(Scalar::Bool(b)) => i64::from(*b),
                other => other.as_i64().unwrap_or(0),
            };
            number.hash(hasher);
        }
        Value::BigInt(big) => big.hash(hasher),
        Value::Float(number) | Value::Scalar(Scalar::Float(number)) => feed_float(*number, hasher),
        Value::Complex(number) | Value::Scalar(Scalar::Complex(number)) => {
            feed_float(number.re, hasher);
            if number.im != 0.0 {
                feed_float(number.im, hasher);
            }
        }
        Value::Str(text) | Value::Scalar(Scalar::Str(text)) => text.hash(hasher),
        Value::Bytes(bytes) => bytes.hash(hasher),
        Value::Tuple(items) => {
            items.len().hash(hasher);
            for item in items.iter() {
                feed(item, hasher)?;
            }
        }
        Value::Range(range) => range.len().hash(hasher),
        Value::Function(function) => function.name().hash(hasher),
        Value::List(_) | Value::Dict(_) | Value::Set(_) | Value::Slice(_) | Value::Array(_) | Value::Record(_) => {
            return Err(Error::new(
                ErrorKind::TypeError,
                format!("unhashable type: '{}'", value.type_name()),
            ));
        }
    }
    Ok(())
}

fn feed_float(number: f64, hasher: &mut DefaultHasher) {
    if number == number.trunc()
        && let Ok(whole) = integers::from_f64(number)
    {
        match whole.to_i64() {
            Some(small) => small.hash(hasher),
            None => whole.hash(hasher),
        }
    } else {
        number.to_bits().hash(hasher);
    }
}

/// Places of elements by their hash.
#[derive(Default)]
struct Index {
    /// The last place that has the hash.
    last: HashMap<u64, usize>,
    /// For each place, the one before it that has the same hash.
    before: Vec<Option<usize>>,
}

impl Index {
    fn with_capacity(count: usize) -> Index {
        Index {
            last: HashMap::with_capacity(count),
            before: Vec::with_capacity(count),
        }
    }

    /// The place with this hash that holds what is looked for.
    fn find(&self, hash: u64, holds: impl Fn(usize) -> bool) -> Option<usize> {
        let mut place = self.last.get(&hash).copied();
        while let Some(found) = place {
            if holds(found) {
                return Some(found);
            }
            place = self.before[found];
        }
        None
    }

    /// The next place has this hash.
    fn push(&mut self, hash: u64) {
        let place = self.before.len();
        self.before.push(self.last.insert(hash, place));
    }
}

/// The elements of a set that another set has, or has not.
pub(crate) fn common(items: &[Value], other: &[Value], wanted: bool) -> Result<Vec<Value>, Error> {
    let mut index = Index::with_capacity(other.len());
    for item in other {
        index.push(hash(item)?);
    }
    let mut kept = Vec::new();
    for item in items {
        let found = index.find(hash(item)?, |place| equal(&other[place], item));
        if found.is_some() == wanted {
            kept.push(item.clone());
        }
    }
    Ok(kept)
}

/// The elements without those that repeat an earlier one.
pub(crate) fn distinct(items: Vec<Value>) -> Result<Vec<Value>, Error> {
    limits::work(items.len() * 8)?;
    let mut index = Index::with_capacity(items.len());
    let mut kept: Vec<Value> = Vec::with_capacity(items.len());
    for item in items {
        let hash = hash(&item)?;
        if index.find(hash, |place| equal(&kept[place], &item)).is_none() {
            index.push(hash);
            kept.push(item);
        }
    }
    Ok(kept)
}

/// The pairs of a dict: a key that comes again keeps its place and takes the new value.
pub(crate) fn keyed(pairs: Vec<(Value, Value)>) -> Result<Vec<(Value, Value)>, Error> {
    limits::work(pairs.len() * 8)?;
    let mut index = Index::with_capacity(pairs.len());
    let mut kept: Vec<(Value, Value)> = Vec::with_capacity(pairs.len());
    for (key, value) in pairs {
        let hash = hash(&key)?;
        match index.find(hash, |place| equal(&kept[place].0, &key)) {
            Some(place) => kept[place].1 = value,
            None => {
                index.push(hash);
                kept.push((key, value));
            }
        }
    }
    Ok(kept)
}
