//! Thrift's compact protocol, as far as the metadata of a Parquet file needs it: structs of integers, texts, lists and
//! structs, fields in rising order.

const TRUE: u8 = 1;
const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// A struct as it is written, field by field.
#[derive(Clone)]
pub(super) struct Struct {
    bytes: Vec<u8>,
    last: u8,
}

impl Struct {
    pub(super) fn new() -> Struct {
        Struct {
            bytes: Vec::new(),
            last: 0,
        }
    }

    /// An `i32`, which `parquet.thrift` has for enums, sizes of pages and counts of columns.
    pub(super) fn int(&mut self, field: u8, value: i64) -> &mut Struct {
        self.field(field, I32);
        push_zigzag(&mut self.bytes, value);
        self
    }

    /// An `i64`.
    pub(super) fn long(&mut self, field: u8, value: i64) -> &mut Struct {
        self.field(field, I64);
        push_zigzag(&mut self.bytes, value);
        self
    }

    pub(super) fn truth(&mut self, field: u8) -> &mut Struct {
        self.field(field, TRUE);
        self
    }

    pub(super) fn text(&mut self, field: u8, text: &str) -> &mut Struct {
        self.field(field, BINARY);
        push_text(&mut self.bytes, text);
        self
    }

    pub(super) fn inner(&mut self, field: u8, inner: Struct) -> &mut Struct {
        self.field(field, STRUCT);
        self.bytes.extend(inner.end());
        self
    }

    pub(super) fn ints(&mut self, field: u8, values: &[i32]) -> &mut Struct {
        self.list(field, I32, values.len());
        for value in values {
            push_zigzag(&mut self.bytes, i64::from(*value));
        }
        self
    }

    pub(super) fn texts<'a>(&mut self, field: u8, texts: impl Iterator<Item = &'a str>) -> &mut Struct {
        let texts: Vec<&str> = texts.collect();
        self.list(field, BINARY, texts.len());
        for text in texts {
            push_text(&mut self.bytes, text);
        }
        self
    }

    pub(super) fn structs(&mut self, field: u8, structs: impl Iterator<Item = Struct>) -> &mut Struct {
        let structs: Vec<Struct> = structs.collect();
        self.list(field, STRUCT, structs.len());
        for inner in structs {
            self.bytes.extend(inner.end());
        }
        self
    }

    pub(super) fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }

    /// Fields are told by the distance to the one before, which is small.
    fn field(&mut self, field: u8, kind: u8) {
        self.bytes.push((field - self.last) << 4 | kind);
        self.last = field;
    }

    fn list(&mut self, field: u8, kind: u8, length: usize) {
        self.field(field, LIST);
        if length < 15 {
            self.bytes.push((length as u8) << 4 | kind);
        } else {
            self.bytes.push(0xf0 | kind);
            push_varint(&mut self.bytes, length as u64);
        }
    }
}

/// Seven bits a byte, the lowest first.
pub(super) fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Small numbers of either sign are short.
fn push_zigzag(bytes: &mut Vec<u8>, value: i64) {
    push_varint(bytes, (value << 1 ^ value >> 63) as u64);
}

fn push_text(bytes: &mut Vec<u8>, text: &str) {
    push_varint(bytes, text.len() as u64);
    bytes.extend(text.as_bytes());
}
