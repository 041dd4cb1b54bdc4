//! Values inside frames. An array of numbers is its bytes as they are in memory, so that a large one costs a copy and not a
//! conversion of each element; any other value is written as it crosses the wall between the processes.

use expr::Value;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::layout::Cell;

/// A value on its way into a frame or out of one.
#[derive(Clone, Debug)]
pub(crate) struct Packed(pub(crate) Value);

/// How the bytes of a value begin.
const ARRAY: u8 = 1;
const OTHER: u8 = 0;

impl Packed {
    /// The bytes of a value.
    pub(crate) fn bytes(value: &Value) -> Vec<u8> {
        let cell = Cell::of(value);
        if !cell.is_array() {
            let begun = vec![OTHER];
            // Nothing that a value is made of cannot be written.
            return postcard::to_extend(value, begun).unwrap_or_default();
        }
        let mut bytes = postcard::to_extend(&cell, vec![ARRAY]).unwrap_or_default();
        bytes.reserve(cell.size());
        cell.put(value, &mut bytes);
        bytes
    }

    /// The value of these bytes.
    pub(crate) fn value(bytes: &[u8]) -> Option<Value> {
        match bytes.split_first()? {
            (&OTHER, rest) => postcard::from_bytes(rest).ok(),
            (&ARRAY, rest) => {
                let (cell, rest) = postcard::take_from_bytes::<Cell>(rest).ok()?;
                if !cell.is_array() || cell.size() != rest.len() {
                    return None;
                }
                cell.get(rest)
            }
            (_, _) => None,
        }
    }
}

impl Serialize for Packed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&Packed::bytes(&self.0))
    }
}

impl<'de> Deserialize<'de> for Packed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = <&'de [u8]>::deserialize(deserializer)?;
        Packed::value(bytes)
            .map(Packed)
            .ok_or_else(|| de::Error::custom("no value"))
    }
}

/// For fields that hold a value.
pub(crate) mod field {
    use super::{Deserialize, Deserializer, Packed, Serialize, Serializer, Value};

    pub(crate) fn serialize<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
        Packed(value.clone()).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        Packed::deserialize(deserializer).map(|packed| packed.0)
    }
}

/// All of a list of values.
pub(crate) fn all(values: &[Value]) -> Vec<Packed> {
    values.iter().cloned().map(Packed).collect()
}

/// The values of a packed list.
pub(crate) fn unpacked(values: Vec<Packed>) -> Vec<Value> {
    values.into_iter().map(|packed| packed.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_were() {
        for text in ["1", "1.5", "'text'", "[1, 'a', None]", "(1+2j)", "{'a': [1.0]}", "True"] {
            let value = expr::parse_literal(text).expect("a literal");
            let back = Packed::value(&Packed::bytes(&value)).expect("a value");
            assert_eq!(back.repr(), value.repr());
        }
        for value in [
            Value::from(vec![1.0, f64::NAN, -0.0]),
            Value::from(vec![1_i64, -2]),
            Value::from(vec![true, false]),
            Value::from(vec![num_complex::Complex64::new(1.0, -2.0)]),
            Value::from(Vec::<f64>::new()),
        ] {
            let back = Packed::value(&Packed::bytes(&value)).expect("a value");
            assert_eq!((back.repr(), back.kind()), (value.repr(), value.kind()));
        }
    }

    #[test]
    fn other_bytes_are_no_value() {
        assert!(Packed::value(&[]).is_none());
        assert!(Packed::value(&[7]).is_none());
        let mut short = Packed::bytes(&Value::from(vec![1.0, 2.0]));
        short.pop();
        assert!(Packed::value(&short).is_none());
    }
}
