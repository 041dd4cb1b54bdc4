//! The words of an HDF5 file: object headers and the messages in them.
//!
//! After the "HDF5 File Format Specification, version 3.0", sections III (superblock) and IV (object headers), in the
//! bytes that libhdf5 writes when it is not asked for anything newer.

/// The address of what does not exist.
pub(crate) const UNDEFINED: u64 = u64::MAX;

/// Dimensions that a dataset has at most, in the library.
pub(crate) const MAX_RANK: usize = 32;

/// Where the superblock keeps the end of the file.
pub(crate) const END_OF_FILE: usize = 40;

/// Bytes of the superblock.
pub(crate) const SUPERBLOCK: usize = 96;

/// The first bytes of a file whose root group has its header at `root`.
pub(crate) fn superblock(root: u64, end: u64) -> Vec<u8> {
    let mut bytes = b"\x89HDF\r\n\x1a\n".to_vec();
    // Versions of superblock, free space, root; of shared headers; 8 bytes for an address and for a length.
    bytes.extend([0, 0, 0, 0, 0, 8, 8, 0]);
    // Entries of a symbol table and of a tree node: the defaults of the library, halved as the format wants it.
    bytes.extend([4, 0, super::tree::HALF as u8, 0, 0, 0, 0, 0]);
    for address in [0, UNDEFINED, end, UNDEFINED] {
        bytes.extend(address.to_le_bytes());
    }
    // The root: no name, its header, nothing cached about it.
    for number in [0, root, 0, 0, 0] {
        bytes.extend(number.to_le_bytes());
    }
    debug_assert_eq!(bytes.len(), SUPERBLOCK);
    bytes
}

/// The header of a group or dataset while it is put together.
pub(crate) struct Header {
    bytes: Vec<u8>,
    messages: u16,
}

/// Bytes of a header before its first message.
const PREFIX: usize = 16;

/// A message's length is kept in two bytes and is a multiple of eight.
const MESSAGE_LIMIT: usize = 65528;

impl Header {
    pub(crate) fn new() -> Self {
        Self {
            bytes: vec![0; PREFIX],
            messages: 0,
        }
    }

    /// Adds a message and returns where its content begins in the header; nothing if it is too long for one.
    pub(crate) fn add(&mut self, kind: Message, content: &[u8]) -> Option<usize> {
        let len = content.len().next_multiple_of(8);
        if len > MESSAGE_LIMIT {
            return None;
        }
        self.messages = self.messages.checked_add(1)?;
        self.bytes.extend((kind as u16).to_le_bytes());
        self.bytes.extend((len as u16).to_le_bytes());
        // A datatype and a fill value do not change: so does the library say.
        let constant = matches!(kind, Message::Datatype | Message::FillValue);
        self.bytes.extend([u8::from(constant), 0, 0, 0]);
        let start = self.bytes.len();
        self.bytes.extend(content);
        self.bytes.resize(start + len, 0);
        Some(start)
    }

    /// Adds the messages of another one; nothing if there are too many then.
    pub(crate) fn join(&mut self, other: Header) -> Option<()> {
        self.messages = self.messages.checked_add(other.messages)?;
        self.bytes.extend(&other.bytes[PREFIX..]);
        Some(())
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        let len = (self.bytes.len() - PREFIX) as u32;
        self.bytes[0] = 1;
        self.bytes[2..4].copy_from_slice(&self.messages.to_le_bytes());
        self.bytes[4..8].copy_from_slice(&1u32.to_le_bytes());
        self.bytes[8..12].copy_from_slice(&len.to_le_bytes());
        self.bytes
    }
}

/// The kinds of messages, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Dataspace = 0x01,
    LinkInfo = 0x02,
    Datatype = 0x03,
    FillValue = 0x05,
    Link = 0x06,
    DataLayout = 0x08,
    FilterPipeline = 0x0b,
    Attribute = 0x0c,
}

/// What the elements of a dataset or an attribute are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Int64,
    Float16,
    Float32,
    Float64,
    /// `FALSE` and `TRUE` in a byte, as h5py knows them.
    Bool,
    /// `r` and `i`, as h5py knows them.
    Complex128,
    /// UTF-8 of any length, kept in a global heap.
    Text,
    /// ASCII of this many bytes, the last of them zero.
    Ascii(u32),
    /// Lists of any length of references to objects, kept in a global heap.
    References,
    /// Which axis of which object a dimension scale belongs to.
    ScaleUse,
}

/// Bytes of a length, an address and a number: what stands for something in a global heap.
pub(crate) const IN_HEAP: usize = 16;

impl Kind {
    pub(crate) fn size(self) -> usize {
        match self {
            Kind::Bool => 1,
            Kind::Float16 => 2,
            Kind::Float32 => 4,
            Kind::Int64 | Kind::Float64 => 8,
            Kind::Complex128 | Kind::ScaleUse => 16,
            Kind::Text | Kind::References => IN_HEAP,
            Kind::Ascii(len) => len as usize,
        }
    }

    /// The datatype message.
    pub(crate) fn message(self) -> Vec<u8> {
        let size = (self.size() as u32).to_le_bytes();
        let (class, properties): ([u8; 4], Vec<u8>) = match self {
            Kind::Int64 => ([0x10, 8, 0, 0], vec![0, 0, 64, 0]),
            // Bit offset, precision, place and size of the exponent, of the mantissa, bias.
            Kind::Float16 => ([0x11, 0x20, 15, 0], vec![0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0]),
            Kind::Float32 => ([0x11, 0x20, 31, 0], vec![0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0]),
            Kind::Float64 => ([0x11, 0x20, 63, 0], vec![0, 0, 64, 0, 52, 11, 0, 52, 0xff, 3, 0, 0]),
            Kind::Bool => {
                let mut names = vec![0x10, 8, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0];
                names.extend(b"FALSE\0\0\0TRUE\0\0\0\0\x00\x01");
                ([0x18, 2, 0, 0], names)
            }
            Kind::Complex128 => (
                [0x16, 2, 0, 0],
                [member(b"r", 0, Kind::Float64), member(b"i", 8, Kind::Float64)].concat(),
            ),
            Kind::Text => ([0x19, 1, 1, 0], vec![0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0]),
            Kind::Ascii(_) => ([0x13, 0, 0, 0], Vec::new()),
            Kind::References => ([0x19, 0, 0, 0], REFERENCE.to_vec()),
            Kind::ScaleUse => {
                let dataset = member_of(b"dataset", 0, &REFERENCE);
                let axis = member_of(b"dimension", 8, &[0x10, 8, 0, 0, 4, 0, 0, 0, 0, 0, 32, 0]);
                ([0x16, 2, 0, 0], [dataset, axis].concat())
            }
        };
        [&class[..], &size, &properties].concat()
    }
}

/// The datatype of a reference to an object: its address.
const REFERENCE: [u8; 8] = [0x17, 0, 0, 0, 8, 0, 0, 0];

/// A member of a compound.
fn member(name: &[u8], offset: u32, kind: Kind) -> Vec<u8> {
    member_of(name, offset, &kind.message())
}

fn member_of(name: &[u8], offset: u32, datatype: &[u8]) -> Vec<u8> {
    let mut bytes = ended(name);
    pad(&mut bytes);
    bytes.extend(offset.to_le_bytes());
    // It is not an array: no dimensions, no permutation, nothing in the four of them.
    bytes.extend([0; 28]);
    bytes.extend(datatype);
    bytes
}

/// The dataspace message. Dimensions begin at its eighth byte. A growing one has no limit in its first dimension.
pub(crate) fn dataspace(dims: &[u64], grows: bool) -> Vec<u8> {
    let mut bytes = vec![1, dims.len() as u8, u8::from(grows), 0, 0, 0, 0, 0];
    bytes.extend(dims.iter().flat_map(|dim| dim.to_le_bytes()));
    if grows {
        bytes.extend(UNDEFINED.to_le_bytes());
        bytes.extend(dims[1..].iter().flat_map(|dim| dim.to_le_bytes()));
    }
    bytes
}

/// Zero, and for chunks space only when they are written.
pub(crate) fn fill_value(chunked: bool) -> [u8; 8] {
    [2, if chunked { 3 } else { 2 }, 2, 1, 0, 0, 0, 0]
}

/// Where the data of a dataset is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// In one piece of so many bytes.
    Whole(u64),
    /// In chunks of this shape and element size, found by a tree.
    Chunked { chunk: Vec<u64>, element: u64 },
}

impl Storage {
    /// The data layout message without the address, and where the address stands in it.
    pub(crate) fn message(&self) -> (Vec<u8>, usize) {
        match self {
            Storage::Whole(len) => {
                let mut bytes = vec![3, 1];
                bytes.extend(UNDEFINED.to_le_bytes());
                bytes.extend(len.to_le_bytes());
                (bytes, 2)
            }
            Storage::Chunked { chunk, element } => {
                let mut bytes = vec![3, 2, chunk.len() as u8 + 1];
                bytes.extend(UNDEFINED.to_le_bytes());
                for dim in chunk.iter().chain([element]) {
                    bytes.extend((*dim as u32).to_le_bytes());
                }
                (bytes, 3)
            }
        }
    }
}

/// The filter pipeline of a compressed dataset: deflate at `level`, which a chunk may do without.
pub(crate) fn deflate(level: u32) -> Vec<u8> {
    let mut bytes = vec![1, 1, 0, 0, 0, 0, 0, 0];
    bytes.extend([1, 0, 8, 0, 1, 0, 1, 0]);
    bytes.extend(b"deflate\0");
    bytes.extend(level.to_le_bytes());
    bytes.extend([0; 4]);
    bytes
}

/// An attribute message and where its data begins in it. `dims` is nothing for a scalar.
pub(crate) fn attribute(name: &str, kind: Kind, dims: &[u64], data: &[u8]) -> Option<(Vec<u8>, usize)> {
    let name_bytes = ended(name.as_bytes());
    let (datatype, space) = (kind.message(), dataspace(dims, false));
    // Only the third version says that a name is UTF-8, and only the first one keeps the data aligned.
    let ascii = name.is_ascii();
    let mut bytes = vec![if ascii { 1 } else { 3 }, 0];
    for part in [name_bytes.len(), datatype.len(), space.len()] {
        bytes.extend(u16::try_from(part).ok()?.to_le_bytes());
    }
    if !ascii {
        bytes.push(1);
    }
    for part in [&name_bytes, &datatype, &space] {
        bytes.extend(part);
        if ascii {
            pad(&mut bytes);
        }
    }
    let start = bytes.len();
    bytes.extend(data);
    Some((bytes, start))
}

/// Says that a group remembers the order in which its `links` links were made.
pub(crate) fn link_info(links: u64) -> Vec<u8> {
    let mut bytes = vec![0, 3];
    for number in [links, UNDEFINED, UNDEFINED, UNDEFINED] {
        bytes.extend(number.to_le_bytes());
    }
    bytes
}

/// A link of a group, the `order`th one, to the object whose header is at `address`.
pub(crate) fn link(name: &str, order: u64, address: u64) -> Vec<u8> {
    // Two bytes for the length of the name; with order and character set.
    let mut bytes = vec![1, 0b1_0101];
    bytes.extend(order.to_le_bytes());
    bytes.push(u8::from(!name.is_ascii()));
    // A name too long for this is too long for the message, which is then refused.
    bytes.extend((name.len() as u16).to_le_bytes());
    bytes.extend(name.as_bytes());
    bytes.extend(address.to_le_bytes());
    bytes
}

fn ended(name: &[u8]) -> Vec<u8> {
    [name, &[0]].concat()
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(8), 0);
}
