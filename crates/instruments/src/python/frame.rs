//! Requests and replies between the program and a process of Python: a length, then msgpack.
//!
//! Arrays and lists of floats cross as their bytes, little end first. The other side is `python/measurand_values.py`; the
//! numbers of requests and replies are also in `python/measurand_host.py`.

use std::fmt;

use rmp::{Marker, decode, encode};

use crate::{
    device::At,
    driver::{Array, Elements, Value},
};

/// What the program asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Verb {
    Open,
    Get,
    Set,
    Call,
    Has,
    Describe,
    Write,
    Query,
    Close,
    Check,
    Perform,
}

/// What Python says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reply {
    Done(Value),
    Raised {
        kind: String,
        words: String,
        /// `file:line in function`, outermost first.
        places: Vec<String>,
    },
    Refused(String),
    /// A task asks the program, and waits for [`answer`].
    Asked {
        verb: String,
        arguments: Vec<Value>,
    },
}

/// A reply that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Garbled(pub(crate) &'static str);

impl fmt::Display for Garbled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its answer is garbled: {}", self.0)
    }
}

impl std::error::Error for Garbled {}

// Our own kinds, as msgpack's extension types.
const ARRAY: i8 = 1;
const OPAQUE: i8 = 2;
const COMPLEX: i8 = 3;
const FLOATS: i8 = 4;

/// Deeper lists than this are nobody's data; bounds the recursion.
const DEEPEST: usize = 64;

/// A frame that is being written; its memory is used again.
#[derive(Default)]
pub(crate) struct Frame {
    bytes: Vec<u8>,
}

impl Frame {
    /// Begins a request with this many arguments.
    pub(crate) fn begin(&mut self, verb: Verb, arguments: u32) -> &mut Self {
        self.start();
        self.list(arguments + 1).int(verb as i64)
    }

    /// The answer to what a task asked.
    pub(crate) fn answer(&mut self, answer: &Result<Value, String>) {
        self.start();
        self.list(2);
        match answer {
            Ok(value) => self.value(&Value::Bool(true)).value(value),
            Err(words) => self.value(&Value::Bool(false)).text(words),
        };
    }

    /// The whole frame with its length.
    pub(crate) fn finish(&mut self) -> Result<&[u8], Garbled> {
        let size = u32::try_from(self.bytes.len() - 4).map_err(|_| Garbled("a request of 4 GB"))?;
        self.bytes[..4].copy_from_slice(&size.to_be_bytes());
        Ok(&self.bytes)
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        encode::write_str(&mut self.bytes, text).expect(MEMORY);
        self
    }

    pub(crate) fn list(&mut self, size: u32) -> &mut Self {
        encode::write_array_len(&mut self.bytes, size).expect(MEMORY);
        self
    }

    pub(crate) fn map(&mut self, size: u32) -> &mut Self {
        encode::write_map_len(&mut self.bytes, size).expect(MEMORY);
        self
    }

    pub(crate) fn int(&mut self, integer: i64) -> &mut Self {
        encode::write_sint(&mut self.bytes, integer).expect(MEMORY);
        self
    }

    pub(crate) fn at(&mut self, at: At<'_>) -> &mut Self {
        if at.is_empty() {
            return self.value(&Value::None);
        }
        self.map(count(at.len()));
        for (name, value) in at {
            self.text(name).value(value);
        }
        self
    }

    pub(crate) fn values(&mut self, values: &[Value]) -> &mut Self {
        self.list(count(values.len()));
        for value in values {
            self.value(value);
        }
        self
    }

    pub(crate) fn value(&mut self, value: &Value) -> &mut Self {
        match value {
            Value::None => encode::write_nil(&mut self.bytes).expect(MEMORY),
            Value::Bool(truth) => encode::write_bool(&mut self.bytes, *truth).expect(MEMORY),
            Value::Int(integer) => return self.int(*integer),
            Value::Float(float) => encode::write_f64(&mut self.bytes, *float).expect(MEMORY),
            Value::Text(text) => return self.text(text),
            Value::List(values) => return self.values(values),
            Value::Complex(real, imaginary) => {
                self.extension(COMPLEX, 16);
                self.bytes.extend_from_slice(&real.to_le_bytes());
                self.bytes.extend_from_slice(&imaginary.to_le_bytes());
            }
            Value::Floats(numbers) => {
                self.array(b'f', 8, &[numbers.len()], numbers.len());
                self.numbers(numbers.iter().map(|number| number.to_le_bytes()));
            }
            Value::Array(array) => self.whole_array(array),
        }
        self
    }

    fn whole_array(&mut self, array: &Array) {
        match &array.elements {
            Elements::Bool(truths) => {
                self.array(b'b', 1, &array.shape, truths.len());
                self.numbers(truths.iter().map(|truth| [u8::from(*truth)]));
            }
            Elements::Int(integers) => {
                self.array(b'i', 8, &array.shape, integers.len());
                self.numbers(integers.iter().map(|integer| integer.to_le_bytes()));
            }
            Elements::Float(numbers) => {
                self.array(b'f', 8, &array.shape, numbers.len());
                self.numbers(numbers.iter().map(|number| number.to_le_bytes()));
            }
            Elements::Complex(numbers) => {
                self.array(b'c', 16, &array.shape, numbers.len());
                let parts = numbers.iter().flat_map(|(real, imaginary)| [real, imaginary]);
                self.numbers(parts.map(|part| part.to_le_bytes()));
            }
        }
    }

    fn array(&mut self, kind: u8, item_size: u8, shape: &[usize], size: usize) {
        let dimensions = u8::try_from(shape.len()).unwrap_or(u8::MAX);
        let head = 4 + 8 * usize::from(dimensions);
        self.extension(ARRAY, head + size * usize::from(item_size));
        self.bytes.extend_from_slice(&[kind, item_size, dimensions, 0]);
        for extent in shape.iter().take(usize::from(dimensions)) {
            self.bytes.extend_from_slice(&(*extent as u64).to_le_bytes());
        }
    }

    fn numbers<const SIZE: usize>(&mut self, numbers: impl Iterator<Item = [u8; SIZE]>) {
        for number in numbers {
            self.bytes.extend_from_slice(&number);
        }
    }

    fn extension(&mut self, kind: i8, size: usize) {
        encode::write_ext_meta(&mut self.bytes, count(size), kind).expect(MEMORY);
    }

    fn start(&mut self) {
        self.bytes.clear();
        self.bytes.extend_from_slice(&[0; 4]);
    }
}

const MEMORY: &str = "writing to memory cannot fail";

/// What has no like on our side and came as its words: the names of such types.
pub(crate) type Opaque = Vec<String>;

/// Reads a reply without its length.
pub(crate) fn reply(frame: &[u8], opaque: &mut Opaque) -> Result<Reply, Garbled> {
    let mut rest = frame;
    let size = decode::read_array_len(&mut rest).map_err(|_| Garbled("no list"))?;
    let kind: i64 = decode::read_int(&mut rest).map_err(|_| Garbled("no kind"))?;
    let mut reader = Reader { rest, opaque };
    let reply = match (kind, size) {
        (0, 2) => Reply::Done(reader.value(0)?),
        (1, 4) => Reply::Raised {
            kind: reader.text()?,
            words: reader.text()?,
            places: reader.list()?.iter().map(words).collect(),
        },
        (2, 2) => Reply::Refused(reader.text()?),
        (3, 3) => Reply::Asked {
            verb: reader.text()?,
            arguments: reader.list()?,
        },
        _ => return Err(Garbled("an unknown kind")),
    };
    if reader.rest.is_empty() {
        Ok(reply)
    } else {
        Err(Garbled("more than one reply"))
    }
}

struct Reader<'a, 'b> {
    rest: &'a [u8],
    opaque: &'b mut Opaque,
}

impl<'a> Reader<'a, '_> {
    fn value(&mut self, depth: usize) -> Result<Value, Garbled> {
        if depth > DEEPEST {
            return Err(Garbled("lists in lists in lists"));
        }
        let first = *self.rest.first().ok_or(Garbled("it ends too early"))?;
        let rest = &mut self.rest;
        match Marker::from_u8(first) {
            Marker::Null => {
                *rest = &rest[1..];
                Ok(Value::None)
            }
            Marker::True | Marker::False => decode::read_bool(rest).map(Value::Bool).map_err(|_| NUMBER),
            Marker::F64 => decode::read_f64(rest).map(Value::Float).map_err(|_| NUMBER),
            Marker::FixPos(_) | Marker::U8 | Marker::U16 | Marker::U32 => {
                decode::read_int(rest).map(Value::Int).map_err(|_| NUMBER)
            }
            Marker::FixNeg(_) | Marker::I8 | Marker::I16 | Marker::I32 | Marker::I64 => {
                decode::read_int(rest).map(Value::Int).map_err(|_| NUMBER)
            }
            // Only what no `i64` can be comes as such.
            #[expect(clippy::cast_precision_loss, reason = "there is no larger integer")]
            Marker::U64 => decode::read_u64(rest)
                .map(|integer| Value::Float(integer as f64))
                .map_err(|_| NUMBER),
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                let size = decode::read_str_len(rest).map_err(|_| Garbled("a text"))?;
                let content = self.bytes(size as usize)?;
                Ok(Value::Text(String::from_utf8_lossy(content).into_owned()))
            }
            Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => {
                let size = decode::read_array_len(rest).map_err(|_| Garbled("a list"))?;
                // Each value has a byte at least: a false length asks for no memory.
                let mut values = Vec::with_capacity((size as usize).min(self.rest.len()));
                for _ in 0..size {
                    values.push(self.value(depth + 1)?);
                }
                Ok(Value::List(values))
            }
            Marker::FixExt16 | Marker::Ext8 | Marker::Ext16 | Marker::Ext32 => {
                let meta = decode::read_ext_meta(rest).map_err(|_| Garbled("a value of our own"))?;
                let content = self.bytes(meta.size as usize)?;
                self.own(meta.typeid, content)
            }
            _ => Err(Garbled("an unknown kind of value")),
        }
    }

    fn own(&mut self, kind: i8, content: &[u8]) -> Result<Value, Garbled> {
        match kind {
            ARRAY => array(content),
            FLOATS => Ok(Value::List(floats(content).map(Value::Float).collect())),
            COMPLEX => match pairs(content).next() {
                Some((real, imaginary)) => Ok(Value::Complex(real, imaginary)),
                None => Err(NUMBER),
            },
            OPAQUE => {
                let text = String::from_utf8_lossy(content);
                let (kind, words) = text.split_once('\n').ok_or(Garbled("no type"))?;
                self.opaque.push(kind.to_owned());
                Ok(Value::Text(words.to_owned()))
            }
            _ => Err(Garbled("an unknown kind of our own")),
        }
    }

    fn bytes(&mut self, size: usize) -> Result<&'a [u8], Garbled> {
        let split = self.rest.split_at_checked(size);
        let (content, rest) = split.ok_or(Garbled("it ends too early"))?;
        self.rest = rest;
        Ok(content)
    }

    fn text(&mut self) -> Result<String, Garbled> {
        match self.value(0)? {
            Value::Text(text) => Ok(text),
            _ => Err(Garbled("no text")),
        }
    }

    fn list(&mut self) -> Result<Vec<Value>, Garbled> {
        match self.value(0)? {
            Value::List(values) => Ok(values),
            _ => Err(Garbled("no list")),
        }
    }
}

const NUMBER: Garbled = Garbled("a number");

/// An array of any type of numbers: a row of floats as such, all else with its shape.
fn array(content: &[u8]) -> Result<Value, Garbled> {
    let (head, rest) = content.split_at_checked(4).ok_or(Garbled("an array"))?;
    let (kind, item_size, dimensions) = (head[0], usize::from(head[1]), usize::from(head[2]));
    let (extents, numbers) = rest.split_at_checked(8 * dimensions).ok_or(Garbled("an array"))?;
    let extents = extents.chunks_exact(8).map(|bytes| u64::from_le_bytes(fixed(bytes)));
    let shape: Option<Vec<usize>> = extents.map(|extent| usize::try_from(extent).ok()).collect();
    let shape = shape.ok_or(Garbled("an array"))?;
    let size = shape
        .iter()
        .try_fold(item_size, |size, extent| size.checked_mul(*extent));
    if size != Some(numbers.len()) {
        return Err(Garbled("an array of another size than its shape"));
    }
    let elements = match (kind, item_size) {
        (b'f', 8) => Elements::Float(floats(numbers).collect()),
        (b'f', 4) => Elements::Float(items(numbers, |bytes| f64::from(f32::from_le_bytes(bytes)))),
        (b'c', 16) => Elements::Complex(pairs(numbers).collect()),
        (b'c', 8) => Elements::Complex(items(numbers, |bytes: [u8; 8]| {
            let part = |at: usize| f64::from(f32::from_le_bytes(fixed(&bytes[at..at + 4])));
            (part(0), part(4))
        })),
        (b'b', 1) => Elements::Bool(numbers.iter().map(|byte| *byte != 0).collect()),
        (b'i', 1) => Elements::Int(items(numbers, |bytes| i64::from(i8::from_le_bytes(bytes)))),
        (b'i', 2) => Elements::Int(items(numbers, |bytes| i64::from(i16::from_le_bytes(bytes)))),
        (b'i', 4) => Elements::Int(items(numbers, |bytes| i64::from(i32::from_le_bytes(bytes)))),
        (b'i' | b'u', 8) => Elements::Int(items(numbers, i64::from_le_bytes)),
        (b'u', 1) => Elements::Int(items(numbers, |bytes| i64::from(u8::from_le_bytes(bytes)))),
        (b'u', 2) => Elements::Int(items(numbers, |bytes| i64::from(u16::from_le_bytes(bytes)))),
        (b'u', 4) => Elements::Int(items(numbers, |bytes| i64::from(u32::from_le_bytes(bytes)))),
        _ => return Err(Garbled("an array of an unknown type")),
    };
    Ok(match (elements, shape.len()) {
        (Elements::Float(numbers), 1) => Value::Floats(numbers),
        (elements, _) => Value::Array(Box::new(Array { shape, elements })),
    })
}

fn items<T, const SIZE: usize>(content: &[u8], item: impl Fn([u8; SIZE]) -> T) -> Vec<T> {
    content.chunks_exact(SIZE).map(|bytes| item(fixed(bytes))).collect()
}

fn floats(content: &[u8]) -> impl Iterator<Item = f64> {
    content.chunks_exact(8).map(|bytes| f64::from_le_bytes(fixed(bytes)))
}

fn pairs(content: &[u8]) -> impl Iterator<Item = (f64, f64)> {
    let part = |bytes: &[u8]| f64::from_le_bytes(fixed(bytes));
    content
        .chunks_exact(16)
        .map(move |bytes| (part(&bytes[..8]), part(&bytes[8..])))
}

fn fixed<const SIZE: usize>(bytes: &[u8]) -> [u8; SIZE] {
    bytes.try_into().expect("it was cut to this size")
}

fn words(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => other.to_string(),
    }
}

fn count(size: usize) -> u32 {
    // A frame beyond this is refused when it is finished.
    u32::try_from(size).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Python would answer with this value.
    fn there_and_back(value: &Value) -> Value {
        let mut frame = Frame::default();
        frame.start();
        frame.list(2).int(0).value(value);
        let bytes = frame.finish().expect("it is short");
        match reply(&bytes[4..], &mut Opaque::new()).expect("a reply") {
            Reply::Done(value) => value,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_come_back_as_they_went() {
        let array = |shape: &[usize], elements| {
            let shape = shape.to_vec();
            Value::Array(Box::new(Array { shape, elements }))
        };
        for value in [
            Value::None,
            Value::Bool(true),
            Value::Int(0),
            Value::Int(-33),
            Value::Float(-0.1),
            Value::Text("°".repeat(40)),
            Value::List(vec![Value::Int(1), Value::List(vec![Value::Text(String::new())])]),
            Value::Floats(vec![1.0, f64::INFINITY]),
            Value::Floats(Vec::new()),
            Value::Complex(1.0, -2.0),
            array(&[2, 1], Elements::Bool(vec![true, false])),
            array(&[1, 2], Elements::Float(vec![1.0, 2.0])),
            array(&[1], Elements::Complex(vec![(1.0, 2.0)])),
            array(&[], Elements::Int(vec![i64::MIN])),
        ] {
            assert_eq!(there_and_back(&value), value);
        }
    }

    #[test]
    fn a_reply_cut_short_is_garbled_at_any_place() {
        let mut frame = Frame::default();
        frame.start();
        let values = [
            Value::Floats(vec![1.0; 3]),
            Value::Text("abc".into()),
            Value::Complex(1.0, 2.0),
        ];
        frame.list(2).int(0).values(&values);
        let bytes = frame.finish().expect("it is short")[4..].to_vec();
        for end in 0..bytes.len() {
            assert!(reply(&bytes[..end], &mut Opaque::new()).is_err(), "{end}");
        }
    }

    #[test]
    fn no_bytes_make_a_panic_or_ask_for_memory() {
        let mut state = 1u64;
        for _ in 0..20_000 {
            let bytes: Vec<u8> = (0..40)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (state >> 56) as u8
                })
                .collect();
            let mut framed = vec![0x92, 0];
            framed.extend_from_slice(&bytes);
            reply(&framed, &mut Opaque::new()).ok(); // That it returns is what is asked.
        }
        assert!(reply(&[0x92, 0, 0xdd, 0xff, 0xff, 0xff, 0xff], &mut Opaque::new()).is_err());
    }
}
