//! Frames: what a record is made of, one behind the other.
//!
//! ```text
//! file    = magic (8 bytes) frame* zeros
//! frame   = kind (1) argument (3) check (4) payload
//! payload = length (4) bytes        of every kind but Row and LastRow, whose length follows from the layout of their table
//! ```
//!
//! Numbers are little-endian. The check is 32 bits of the XXH3 hash of the payload, seeded with the place and the head, so
//! that zeros, old bytes and half a frame are never taken for a frame: a record ends where the first frame does not check.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The first bytes of every record.
pub(crate) const MAGIC: [u8; 8] = *b"MSRDrec\x01";

/// Bytes before the payload.
pub(crate) const HEAD: usize = 8;

/// Largest argument.
pub(crate) const MAX_ARGUMENT: u32 = 0xFF_FFFF;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Kind {
    /// JSON [`crate::schema::Schema`].
    Schema = 1,
    /// Values of all entries at the beginning.
    Values = 2,
    /// Argument: table. How its rows are laid out from here on.
    Layout = 3,
    /// Argument: table. A round of the loop begins.
    Begin = 4,
    /// Argument: table. An iteration is complete.
    Row = 5,
    /// Argument: table. An iteration is complete, and the loop was left with it.
    LastRow = 6,
    /// Argument: table. A row with parts whose length varies.
    LongRow = 7,
    /// Argument: task. A task is complete; the values of its entries.
    Done = 8,
    /// Argument: task. Its work was started in the background.
    Started = 9,
    /// Argument: task. Its work in the background is complete.
    Finished = 10,
    /// Argument: task. Its work in the background wrote an entry that belongs to an iteration which may be over.
    Late = 11,
    /// Argument: task in whose thread it was. A row of an array with fields was set.
    Patch = 12,
    /// Argument: task. It is about to open a data file.
    File = 13,
    /// Argument: task. How far its data file is written.
    FileAt = 14,
    /// The time, when a row is complete.
    Time = 15,
    /// JSON [`crate::schema::Mark`].
    Mark = 16,
    /// The values of all entries at the end, whatever is on record.
    Last = 17,
}

impl Kind {
    pub(crate) fn of(byte: u8) -> Option<Kind> {
        use Kind::{
            Begin, Done, File, FileAt, Finished, Last, LastRow, Late, Layout, LongRow, Mark, Patch, Row, Schema,
            Started, Time, Values,
        };
        [
            Schema, Values, Layout, Begin, Row, LastRow, LongRow, Done, Started, Finished, Late, Patch, File, FileAt,
            Time, Mark, Last,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
    }

    /// Whether the length of the payload follows from the layout of the table.
    pub(crate) fn has_known_length(self) -> bool {
        matches!(self, Kind::Row | Kind::LastRow)
    }
}

/// The head of a frame at `offset` with this payload.
#[inline]
pub(crate) fn head(kind: Kind, argument: u32, offset: u64, payload: &[u8]) -> [u8; HEAD] {
    let word = kind as u32 | argument << 8;
    let mut head = [0; HEAD];
    head[..4].copy_from_slice(&word.to_le_bytes());
    head[4..].copy_from_slice(&check(word, offset, payload).to_le_bytes());
    head
}

/// The check of a frame whose first four bytes are `word`.
#[inline]
pub(crate) fn check(word: u32, offset: u64, payload: &[u8]) -> u32 {
    xxh3_64_with_seed(payload, offset << 32 ^ offset ^ u64::from(word).rotate_left(16)) as u32
}
