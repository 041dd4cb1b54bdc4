//! Numbers on the wire: IEEE 488.2 blocks and arrays, written out or binary, in both directions.
//!
//! A block is `#`, how many digits follow, the length in these digits, and that many bytes (`#15hello`); or `#0` and bytes
//! up to the end of the message. The content of a received block is borrowed from the answer, never copied. A word of the
//! instrument's may stand in front (`CURVE #15hello`): the block begins at the first `#` with a digit behind it.
//!
//! Deliberately absent: scaling and offsets, which belong to the instrument that says them; and reading blocks from a
//! link, which is [`crate::link`]'s, by the length that [`header`] gives.

use std::{error::Error, fmt};

/// Longest word in front of a block; a block that has not begun after that never will.
const LONGEST_LEAD: usize = 256;

/// A number of an array, as it lies on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    /// Beyond 2^53 not every value has its own f64.
    I64,
    /// Beyond 2^53 not every value has its own f64.
    U64,
    F32,
    F64,
}

/// Which byte of a number comes first: `FORM:BORD NORM` is big, `SWAP` is little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    Big,
    Little,
}

/// Where a block's content lies in the bytes that carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// The content is `length` bytes from `start`.
    Definite { start: usize, length: usize },
    /// The content goes from `start` to the end of the message.
    Indefinite { start: usize },
}

/// Why bytes are no block, or no array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum BlockError {
    /// What begins with these bytes contains no `#` with a digit behind it.
    NoBlock { begins: String },
    /// What should be the length is not: these bytes.
    BadLength { digits: String },
    /// The content ends early.
    Short { expected: usize, received: usize },
    /// The content is no whole number of elements.
    Uneven { length: usize, number: Number },
    /// An element of a written array is no number.
    NotANumber { index: usize, text: String },
    /// A value that the wire's type cannot carry.
    OutOfRange { index: usize, value: f64, number: Number },
}

impl fmt::Display for BlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BlockError::NoBlock { begins } => write!(f, "`{begins}` begins no block: a block is like `#15hello`"),
            BlockError::BadLength { digits } => write!(f, "`{digits}` is no length of a block"),
            BlockError::Short { expected, received } => {
                write!(f, "the block ends after {received} of its {expected} bytes")
            }
            BlockError::Uneven { length, number } => {
                write!(f, "{length} bytes are no whole number of {number:?} values")
            }
            BlockError::NotANumber { index, text } => write!(f, "value {index} of the array, `{text}`, is no number"),
            BlockError::OutOfRange { index, value, number } => {
                write!(f, "value {index} of the array, `{value}`, does not fit into {number:?}")
            }
        }
    }
}

impl Error for BlockError {}

/// The content of the block in a received answer, without header and termination.
///
/// # Errors
/// There is no block, or it ends early.
pub fn content(answer: &[u8]) -> Result<&[u8], BlockError> {
    match header(answer)? {
        None => Err(BlockError::NoBlock { begins: begin(answer) }),
        Some(Header::Indefinite { start }) => {
            let content = &answer[start..];
            Ok(content.strip_suffix(b"\n").unwrap_or(content))
        }
        Some(Header::Definite { start, length }) => {
            let rest = &answer[start..];
            rest.get(..length).ok_or(BlockError::Short {
                expected: length,
                received: rest.len(),
            })
        }
    }
}

/// What the bytes so far say about where the block's content lies; None as long as too few are there.
///
/// # Errors
/// They begin no block.
pub fn header(bytes: &[u8]) -> Result<Option<Header>, BlockError> {
    let mut from = 0;
    let at = loop {
        let Some(found) = memchr::memchr(b'#', &bytes[from..bytes.len().min(LONGEST_LEAD)]) else {
            return match bytes.len() < LONGEST_LEAD {
                true => Ok(None),
                false => Err(BlockError::NoBlock { begins: begin(bytes) }),
            };
        };
        match bytes.get(from + found + 1) {
            Some(b'0'..=b'9') => break from + found,
            Some(_) => from += found + 1,
            None => return Ok(None),
        }
    };
    let digits = usize::from(bytes[at + 1] - b'0');
    let start = at + 2 + digits;
    if digits == 0 {
        return Ok(Some(Header::Indefinite { start }));
    }
    let Some(text) = bytes.get(at + 2..start) else {
        return Ok(None);
    };
    let bad = || BlockError::BadLength {
        digits: String::from_utf8_lossy(text).into_owned(),
    };
    if !text.iter().all(u8::is_ascii_digit) {
        return Err(bad());
    }
    let length = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    Ok(Some(Header::Definite {
        start,
        length: length.ok_or_else(bad)?,
    }))
}

/// A definite block behind the command that takes it: `b"DATA "` and `b"hello"` make `DATA #15hello`. Content beyond
/// 999,999,999 bytes, whose length needs more digits than the header has, is sent as an indefinite block.
pub fn encode(command: &[u8], content: &[u8]) -> Vec<u8> {
    let length = content.len().to_string();
    let mut message = Vec::with_capacity(command.len() + 11 + content.len());
    message.extend_from_slice(command);
    match length.len() {
        digits @ 1..=9 => message.extend_from_slice(format!("#{digits}{length}").as_bytes()),
        _ => message.extend_from_slice(b"#0"),
    }
    message.extend_from_slice(content);
    message
}

impl Number {
    /// Bytes of one number.
    pub fn size(self) -> usize {
        match self {
            Number::I8 | Number::U8 => 1,
            Number::I16 | Number::U16 => 2,
            Number::I32 | Number::U32 | Number::F32 => 4,
            Number::I64 | Number::U64 | Number::F64 => 8,
        }
    }
}

/// One conversion for each type and order, so that the loops inside are simple enough for the compiler's vectors.
macro_rules! for_number {
    ($number:expr, $order:expr, $action:ident) => {
        match ($number, $order) {
            (Number::I8, _) => $action!(i8, from_le_bytes, to_le_bytes),
            (Number::U8, _) => $action!(u8, from_le_bytes, to_le_bytes),
            (Number::I16, ByteOrder::Big) => $action!(i16, from_be_bytes, to_be_bytes),
            (Number::I16, ByteOrder::Little) => $action!(i16, from_le_bytes, to_le_bytes),
            (Number::U16, ByteOrder::Big) => $action!(u16, from_be_bytes, to_be_bytes),
            (Number::U16, ByteOrder::Little) => $action!(u16, from_le_bytes, to_le_bytes),
            (Number::I32, ByteOrder::Big) => $action!(i32, from_be_bytes, to_be_bytes),
            (Number::I32, ByteOrder::Little) => $action!(i32, from_le_bytes, to_le_bytes),
            (Number::U32, ByteOrder::Big) => $action!(u32, from_be_bytes, to_be_bytes),
            (Number::U32, ByteOrder::Little) => $action!(u32, from_le_bytes, to_le_bytes),
            (Number::I64, ByteOrder::Big) => $action!(i64, from_be_bytes, to_be_bytes),
            (Number::I64, ByteOrder::Little) => $action!(i64, from_le_bytes, to_le_bytes),
            (Number::U64, ByteOrder::Big) => $action!(u64, from_be_bytes, to_be_bytes),
            (Number::U64, ByteOrder::Little) => $action!(u64, from_le_bytes, to_le_bytes),
            (Number::F32, ByteOrder::Big) => $action!(f32, from_be_bytes, to_be_bytes),
            (Number::F32, ByteOrder::Little) => $action!(f32, from_le_bytes, to_le_bytes),
            (Number::F64, ByteOrder::Big) => $action!(f64, from_be_bytes, to_be_bytes),
            (Number::F64, ByteOrder::Little) => $action!(f64, from_le_bytes, to_le_bytes),
        }
    };
}

/// The numbers that binary content is.
///
/// # Errors
/// The content is no whole number of them.
pub fn decode(content: &[u8], number: Number, order: ByteOrder) -> Result<Vec<f64>, BlockError> {
    if !content.len().is_multiple_of(number.size()) {
        return Err(BlockError::Uneven {
            length: content.len(),
            number,
        });
    }
    macro_rules! read {
        ($kind:ty, $from:ident, $to:ident) => {{
            let (elements, _) = content.as_chunks::<{ size_of::<$kind>() }>();
            #[allow(clippy::cast_lossless, reason = "one line for all types")]
            elements.iter().map(|bytes| <$kind>::$from(*bytes) as f64).collect()
        }};
    }
    Ok(for_number!(number, order, read))
}

/// Numbers as binary content. Whole numbers are rounded to the nearest.
///
/// # Errors
/// A value, or what is no number, does not fit into the type.
pub fn encode_numbers(values: &[f64], number: Number, order: ByteOrder) -> Result<Vec<u8>, BlockError> {
    let mut content = Vec::with_capacity(values.len() * number.size());
    macro_rules! write {
        ($kind:ident, $from:ident, $to:ident) => {
            for (index, value) in values.iter().enumerate() {
                let fit = fits::$kind(*value);
                let element = fit.ok_or(BlockError::OutOfRange {
                    index,
                    value: *value,
                    number,
                })?;
                content.extend_from_slice(&element.$to());
            }
        };
    }
    for_number!(number, order, write);
    Ok(content)
}

/// A value as each type of the wire, if it fits.
mod fits {
    macro_rules! whole {
        ($($kind:ident)*) => {$(
            pub(super) fn $kind(value: f64) -> Option<$kind> {
                let rounded = value.round_ties_even();
                // The largest integer itself may be no f64, the next power of two always is.
                let end = ($kind::MAX / 2 + 1) as f64 * 2.0;
                (rounded >= $kind::MIN as f64 && rounded < end).then_some(rounded as $kind)
            }
        )*};
    }
    whole!(i8 u8 i16 u16 i32 u32 i64 u64);

    pub(super) fn f32(value: f64) -> Option<f32> {
        let single = value as f32;
        (single.is_finite() || !value.is_finite()).then_some(single)
    }

    pub(super) fn f64(value: f64) -> Option<f64> {
        Some(value)
    }
}

/// The numbers of a written array, `1.5,-2E-3,NAN`; blanks and line ends around each are ignored, no text is no number.
///
/// # Errors
/// An element is no number.
pub fn parse_numbers(text: &[u8], separator: u8) -> Result<Vec<f64>, BlockError> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut values = Vec::with_capacity(text.len() / 8 + 1);
    let mut rest = text;
    loop {
        let end = memchr::memchr(separator, rest);
        let element = end.map_or(rest, |end| &rest[..end]).trim_ascii();
        values.push(written_number(element).ok_or_else(|| BlockError::NotANumber {
            index: values.len(),
            text: begin(element),
        })?);
        match end {
            Some(end) => rest = &rest[end + 1..],
            None => return Ok(values),
        }
    }
}

fn written_number(text: &[u8]) -> Option<f64> {
    match text.eq_ignore_ascii_case(b"NINF") {
        true => Some(f64::NEG_INFINITY), // SCPI's word for it.
        false => std::str::from_utf8(text).ok()?.parse().ok(),
    }
}

/// Numbers written out, each with as many digits as it needs to be read back the same.
pub fn write_numbers(values: &[f64], separator: char) -> String {
    let mut text = String::with_capacity(values.len() * 12);
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            text.push(separator);
        }
        match (value.abs(), value.is_nan()) {
            (_, true) => text.push_str("NAN"),
            (f64::INFINITY, _) => text.push_str(if *value > 0.0 { "INF" } else { "NINF" }),
            (size, _) if size != 0.0 && !(1e-5..1e15).contains(&size) => text.push_str(&format!("{value:E}")),
            (_, _) => text.push_str(&value.to_string()),
        }
    }
    text
}

fn begin(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(40)];
    shown.escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_both_kinds_are_read_with_what_stands_around_them() {
        let check = |answer: &[u8], expected: &[u8]| assert_eq!(content(answer), Ok(expected), "{answer:?}");
        check(b"#15hello", b"hello");
        check(b"#15hello\n", b"hello");
        check(b"#3005he\nlo\r\n", b"he\nlo");
        check(b"#10\n", b"");
        check(b"#0hello\n", b"hello");
        check(b"#0hello", b"hello");
        check(b"CURVE #12ab", b"ab");
        check(b"C1:WF DAT1,#9000000002#1", b"#1");
        check(b"#H #12ab", b"ab");
    }

    #[test]
    fn what_is_no_block_is_said() {
        let check = |answer: &[u8], expected: &str| {
            assert_eq!(content(answer).expect_err("no block").to_string(), expected);
        };
        check(b"#15hel", "the block ends after 3 of its 5 bytes");
        check(b"#2x5hello", "`x5` is no length of a block");
        check(b"1.5\n", "`1.5\\n` begins no block: a block is like `#15hello`");
        check(b"", "`` begins no block: a block is like `#15hello`");
        check(b"#9", "`#9` begins no block: a block is like `#15hello`");
        assert!(header(&[b'x'; LONGEST_LEAD]).is_err());
        assert_eq!(header(b"#212"), Ok(Some(Header::Definite { start: 4, length: 12 })));
        assert_eq!(header(b"#21"), Ok(None));
    }

    #[test]
    fn a_block_follows_its_command() {
        assert_eq!(encode(b"DATA ", b"hello"), b"DATA #15hello");
        assert_eq!(encode(b"", &[7; 12]), [b"#212".as_slice(), &[7; 12]].concat());
    }

    #[test]
    fn every_type_in_both_orders_comes_back() {
        use ByteOrder::{Big, Little};
        use Number::{F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
        for number in [I8, U8, I16, U16, I32, U32, I64, U64, F32, F64] {
            for order in [Big, Little] {
                let values = [0.0, 1.0, 100.0, 127.0];
                let bytes = encode_numbers(&values, number, order).expect("they fit");
                assert_eq!(bytes.len(), values.len() * number.size());
                assert_eq!(decode(&bytes, number, order).as_deref(), Ok(values.as_slice()));
            }
        }
        assert_eq!(decode(&[0x3f, 0xc0, 0, 0], F32, Big), Ok(vec![1.5]));
        assert_eq!(decode(&[0, 0, 0xc0, 0x3f], F32, Little), Ok(vec![1.5]));
        assert_eq!(decode(&[0xff, 0xfe], I16, Big), Ok(vec![-2.0]));
        assert_eq!(
            decode(&[1, 2, 3], I16, Big).expect_err("uneven").to_string(),
            "3 bytes are no whole number of I16 values"
        );
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused() {
        let fits = |value, number| encode_numbers(&[value], number, ByteOrder::Big).is_ok();
        assert!(fits(127.4, Number::I8) && !fits(127.6, Number::I8) && !fits(-129.0, Number::I8));
        assert!(fits(255.0, Number::U8) && !fits(-1.0, Number::U8) && !fits(256.0, Number::U8));
        assert!(!fits(9.3e18, Number::I64) && fits(1.8e19, Number::U64) && !fits(1.9e19, Number::U64));
        assert!(!fits(f64::NAN, Number::I32) && fits(f64::NAN, Number::F32) && !fits(1e300, Number::F32));
        assert_eq!(
            encode_numbers(&[1.0, 300.0], Number::U8, ByteOrder::Big)
                .expect_err("too large")
                .to_string(),
            "value 1 of the array, `300`, does not fit into U8"
        );
    }

    #[test]
    fn written_arrays_are_read_and_written() {
        assert_eq!(
            parse_numbers(b" +1.50E+03, -2,\t3 \r\n", b','),
            Ok(vec![1500.0, -2.0, 3.0])
        );
        assert_eq!(parse_numbers(b"\n", b','), Ok(vec![]));
        assert_eq!(
            parse_numbers(b"1,x,3", b',').expect_err("x").to_string(),
            "value 1 of the array, `x`, is no number"
        );
        assert!(parse_numbers(b"1,,3", b',').is_err());
        let values = [0.0, -1.5, 1e-9, 6.02e23, 0.1, f64::INFINITY, f64::NEG_INFINITY];
        assert_eq!(write_numbers(&values, ','), "0,-1.5,1E-9,6.02E23,0.1,INF,NINF");
        assert_eq!(
            parse_numbers(write_numbers(&values, ';').as_bytes(), b';'),
            Ok(values.to_vec())
        );
    }
}
