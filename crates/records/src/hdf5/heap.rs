//! The global heap: where texts and lists of any length are kept.
//!
//! It is written once with the head of a file. Objects are put one after another into collections, each of which is a
//! piece of the file.

/// What the library makes at least, and reads at once.
const SMALLEST: usize = 4096;

/// A collection is closed when it has this size: one more object would not make it better.
const FULL: usize = 64 * 1024;

/// Bytes before the first object of a collection, and before the content of an object.
const PREFIX: usize = 16;

/// The collections of a file, which stand one after another from `base`.
pub(crate) struct Heap {
    base: u64,
    bytes: Vec<u8>,
    /// Where the open collection begins, and how many objects it has.
    open: Option<(usize, u16)>,
}

impl Heap {
    pub(crate) fn new(base: u64) -> Self {
        Self {
            base,
            bytes: Vec::new(),
            open: None,
        }
    }

    /// Keeps `content` and returns what stands for it: its length in elements, where it is, and its number there.
    pub(crate) fn put(&mut self, content: &[u8], elements: usize) -> [u8; super::message::IN_HEAP] {
        let mut place = [0; super::message::IN_HEAP];
        // Nothing needs no room: a null address with length zero.
        if content.is_empty() {
            return place;
        }
        let (start, number) = self.next();
        self.bytes.extend(number.to_le_bytes());
        self.bytes.extend([0; 6]);
        self.bytes.extend((content.len() as u64).to_le_bytes());
        self.bytes.extend(content);
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);

        place[..4].copy_from_slice(&(elements as u32).to_le_bytes());
        place[4..12].copy_from_slice(&(self.base + start as u64).to_le_bytes());
        place[12..].copy_from_slice(&u32::from(number).to_le_bytes());
        place
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.close();
        self.bytes
    }

    /// The open collection and the number of its next object.
    fn next(&mut self) -> (usize, u16) {
        if let Some((start, count)) = self.open
            && (self.bytes.len() - start >= FULL || count == u16::MAX)
        {
            self.close();
        }
        let (start, count) = match self.open {
            Some((start, count)) => (start, count + 1),
            None => {
                let start = self.bytes.len();
                self.bytes.extend(b"GCOL\x01\0\0\0");
                // Its length is known when it is closed.
                self.bytes.extend([0; 8]);
                (start, 1)
            }
        };
        self.open = Some((start, count));
        (start, count)
    }

    /// Ends the open collection with its free space, which is the object of number 0.
    fn close(&mut self) {
        let Some((start, _)) = self.open.take() else { return };
        let used = self.bytes.len() - start;
        let len = (used + PREFIX).next_multiple_of(SMALLEST);
        self.bytes[start + 8..start + 16].copy_from_slice(&(len as u64).to_le_bytes());
        self.bytes.extend([0; 8]);
        self.bytes.extend(((len - used) as u64).to_le_bytes());
        self.bytes.resize(start + len, 0);
    }
}
