//! The headers of USBTMC's bulk transfers (USB Test and Measurement Class 1.0, tables 1 to 9; subclass USB488, table 2).
//!
//! ```text
//! kind, tag, !tag, 0, | size or what it needs (8 bytes) | payload | zeros up to a multiple of 4
//! ```

use super::super::Fault;

pub(super) const HEADER: usize = 12;

const MESSAGE: u8 = 1;
const ANSWER: u8 = 2;
const TRIGGER: u8 = 128;
const END: u8 = 1;

/// Numbers transfers; 0 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag(u8);

impl Tag {
    pub(super) const FIRST: Self = Self(1);

    pub(super) fn next(self) -> Self {
        Self(self.0.checked_add(1).unwrap_or(1))
    }

    pub(super) fn number(self) -> u8 {
        self.0
    }
}

/// Whether a message goes on in the next transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Some,
    Last,
}

/// A piece of a message.
pub(super) fn message(tag: Tag, payload: &[u8], part: Part) -> Vec<u8> {
    let end = match part {
        Part::Some => 0,
        Part::Last => END,
    };
    let mut frame = header(MESSAGE, tag, payload.len(), end);
    frame.extend_from_slice(payload);
    frame.resize(frame.len().next_multiple_of(4), 0);
    frame
}

/// Asks for a piece of the answer.
pub(super) fn request(tag: Tag, most: usize) -> Vec<u8> {
    header(ANSWER, tag, most, 0)
}

pub(super) fn trigger(tag: Tag) -> Vec<u8> {
    header(TRIGGER, tag, 0, 0)
}

fn header(kind: u8, tag: Tag, size: usize, attributes: u8) -> Vec<u8> {
    let size = u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes();
    let [a, b, c, d] = size;
    vec![kind, tag.0, !tag.0, 0, a, b, c, d, attributes, 0, 0, 0]
}

/// The size of a piece of an answer, and whether it is the last.
pub(super) fn answer(frame: &[u8], tag: Tag) -> Result<(usize, Part), Fault> {
    let wrong = |what: String| Err(Fault::Protocol(what));
    let Some(&[kind, number, inverse, _, a, b, c, d, attributes, ..]) = frame.first_chunk::<HEADER>() else {
        return wrong(format!("a transfer of {} bytes has no header", frame.len()));
    };
    if kind != ANSWER || inverse != !number {
        return wrong(format!("a transfer of kind {kind} is no answer"));
    }
    if number != tag.0 {
        return wrong(format!("the answer has the tag {number}, not {}", tag.0));
    }
    let part = if attributes & END == 0 { Part::Some } else { Part::Last };
    Ok((u32::from_le_bytes([a, b, c, d]) as usize, part))
}

#[cfg(test)]
mod tests {
    use super::{Part, Tag, answer, message, request, trigger};

    #[test]
    fn transfers_are_as_the_specification_shows_them() {
        let tag = Tag::FIRST.next();
        assert_eq!(
            message(tag, b"*IDN?", Part::Last),
            b"\x01\x02\xfd\x00\x05\x00\x00\x00\x01\x00\x00\x00*IDN?\x00\x00\x00"
        );
        assert_eq!(
            message(tag, b"abcd", Part::Some),
            b"\x01\x02\xfd\x00\x04\x00\x00\x00\x00\x00\x00\x00abcd"
        );
        assert_eq!(
            request(tag, 0x1234),
            b"\x02\x02\xfd\x00\x34\x12\x00\x00\x00\x00\x00\x00"
        );
        assert_eq!(trigger(tag), b"\x80\x02\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00");
        assert_eq!(Tag(255).next(), Tag(1));
    }

    #[test]
    fn answers_of_other_transfers_are_refused() {
        let check = |frame: &[u8], expected: Result<(usize, Part), &str>| {
            let found = answer(frame, Tag(2)).map_err(|fault| fault.to_string());
            assert_eq!(
                found,
                expected.map_err(|words| format!("the other side speaks otherwise: {words}"))
            );
        };
        check(b"\x02\x02\xfd\x00\x05\x00\x00\x00\x01\x00\x00\x00", Ok((5, Part::Last)));
        check(b"\x02\x02\xfd\x00\x05\x00\x00\x00\x00\x00\x00\x00", Ok((5, Part::Some)));
        check(
            b"\x02\x03\xfc\x00\x05\x00\x00\x00\x01\x00\x00\x00",
            Err("the answer has the tag 3, not 2"),
        );
        check(
            b"\x01\x02\xfd\x00\x05\x00\x00\x00\x01\x00\x00\x00",
            Err("a transfer of kind 1 is no answer"),
        );
        check(b"\x02\x02", Err("a transfer of 2 bytes has no header"));
    }
}
