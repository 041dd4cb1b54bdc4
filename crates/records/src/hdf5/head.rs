//! The head of a file: the superblock, the headers of datasets and groups, and the heap of texts that they use.
//!
//! It is the beginning of the file, in one piece. Headers of datasets come first, that of the root group last and its
//! `count_calls` before its other attributes: what changes with every row lies close together, the number of rows
//! behind the lengths of the datasets, and one write brings all of it to the disk in the right order.

use std::io;

use super::{
    Attribute,
    heap::Heap,
    message::{self, Header, Kind, Message, SUPERBLOCK, Storage, UNDEFINED},
};

/// How much a file tries to be smaller: what h5py takes.
pub(crate) const DEFLATE_LEVEL: u32 = 4;

/// A dataset as the head describes it.
pub(crate) struct Object<'a> {
    pub(crate) path: &'a str,
    pub(crate) kind: Kind,
    pub(crate) dims: Vec<u64>,
    pub(crate) grows: bool,
    pub(crate) storage: Storage,
    pub(crate) deflate: bool,
    pub(crate) attributes: Vec<(String, Content<'a>)>,
    /// What a dataset of [`Kind::Text`] holds.
    pub(crate) texts: &'a [String],
}

/// The value of an attribute; datasets are named by their position.
pub(crate) enum Content<'a> {
    Given(&'a Attribute),
    /// ASCII of fixed length.
    Ascii(String),
    /// For each axis its scales.
    Scales(Vec<Vec<usize>>),
    /// Every dataset and axis whose scale this is.
    Uses(Vec<(usize, u32)>),
}

/// The head of a file and the places in it that are filled later.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) bytes: Vec<u8>,
    /// For each dataset, in order.
    pub(crate) marks: Vec<Mark>,
    /// Where the number of rows stands, if the file has one.
    pub(crate) count: Option<usize>,
}

/// What is changed or filled in later, by its place in the head.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mark {
    /// The dimensions, eight bytes each.
    pub(crate) dims: usize,
    /// The address of the data, or of the root of its tree.
    pub(crate) address: usize,
    /// The data of a dataset of texts.
    pub(crate) texts: Vec<u8>,
}

/// Whether the file counts its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    Yes,
    No,
}

impl Head {
    /// # Errors
    /// A path is empty, taken, or that of a group; a name is too long; there are too many attributes.
    pub(crate) fn new(
        objects: &[Object<'_>],
        attributes: &[(String, Attribute)],
        counted: Counted,
    ) -> io::Result<Self> {
        let groups = Group::tree(objects)?;
        // No length depends on an address: with all of them wrong everything already is where it will be.
        let (_, addresses) = compose(objects, attributes, counted, &groups, &Addresses::default())?;
        let (head, _) = compose(objects, attributes, counted, &groups, &addresses)?;
        Ok(head)
    }
}

#[derive(Default)]
struct Addresses {
    /// Headers of the datasets.
    objects: Vec<u64>,
    heap: u64,
}

/// The groups of a file: where each link leads to, in the order in which they are first named.
#[derive(Default)]
struct Group {
    links: Vec<(String, Target)>,
}

enum Target {
    Dataset(usize),
    Group(Group),
}

impl Group {
    fn tree(objects: &[Object<'_>]) -> io::Result<Self> {
        let mut root = Self::default();
        for (number, object) in objects.iter().enumerate() {
            let mut parts: Vec<&str> = object
                .path
                .strip_prefix('/')
                .unwrap_or(object.path)
                .split('/')
                .collect();
            if parts
                .iter()
                .any(|part| part.is_empty() || *part == "." || part.contains('\0'))
            {
                return Err(refused(format!("`{}` is no path of a dataset", object.path)));
            }
            let name = parts.pop().unwrap_or_default();
            let mut group = &mut root;
            for part in parts {
                let at = group
                    .links
                    .iter()
                    .position(|(name, _)| name == part)
                    .unwrap_or_else(|| {
                        group.links.push((part.to_owned(), Target::Group(Self::default())));
                        group.links.len() - 1
                    });
                group = match &mut group.links[at].1 {
                    Target::Group(group) => group,
                    Target::Dataset(_) => {
                        return Err(refused(format!("`{}` is below a dataset", object.path)));
                    }
                };
            }
            if group.links.iter().any(|(taken, _)| taken == name) {
                return Err(refused(format!("`{}` is there twice", object.path)));
            }
            group.links.push((name.to_owned(), Target::Dataset(number)));
        }
        Ok(root)
    }

    /// Writes the headers of the groups inside and returns the messages of this one.
    fn links(&self, bytes: &mut Vec<u8>, addresses: &[u64]) -> io::Result<Header> {
        let mut header = Header::new();
        let mut links = Vec::new();
        for (order, (name, target)) in self.links.iter().enumerate() {
            let address = match target {
                Target::Dataset(number) => addresses[*number],
                Target::Group(group) => {
                    let header = group.links(bytes, addresses)?;
                    append(bytes, &header.finish())
                }
            };
            links.push((name, message::link(name, order as u64, address)));
        }
        add(
            &mut header,
            Message::LinkInfo,
            &message::link_info(links.len() as u64),
            "links",
        )?;
        for (name, link) in links {
            add(&mut header, Message::Link, &link, name)?;
        }
        Ok(header)
    }
}

fn compose(
    objects: &[Object<'_>],
    attributes: &[(String, Attribute)],
    counted: Counted,
    groups: &Group,
    known: &Addresses,
) -> io::Result<(Head, Addresses)> {
    let mut heap = Heap::new(known.heap);
    let mut bytes = vec![0; SUPERBLOCK];
    let mut marks = Vec::new();
    let mut addresses = Addresses::default();
    for object in objects {
        let (header, mut mark) = describe(object, &known.objects, &mut heap)?;
        let at = align(&mut bytes, mark.address);
        mark.dims += at;
        mark.address += at;
        addresses.objects.push(append(&mut bytes, &header));
        marks.push(mark);
    }

    // The headers of the other groups are behind the datasets and before that of the root.
    let links = groups.links(&mut bytes, &addresses.objects)?;
    let mut root = Header::new();
    let count = match counted {
        Counted::Yes => Some(add_attribute(&mut root, "count_calls", Kind::Int64, &[], &[0; 8])?),
        Counted::No => None,
    };
    root.join(links)
        .ok_or_else(|| refused("there are too many datasets in one group".to_owned()))?;
    for (name, attribute) in attributes {
        if counted == Counted::Yes && name == "count_calls" {
            return Err(refused("the attribute `count_calls` is the number of rows".to_owned()));
        }
        put_attribute(&mut root, name, &Content::Given(attribute), &known.objects, &mut heap)?;
    }
    let root = append(&mut bytes, &root.finish());

    addresses.heap = bytes.len() as u64;
    bytes.extend(heap.finish());
    let superblock = message::superblock(root, 0);
    bytes[..SUPERBLOCK].copy_from_slice(&superblock);
    Ok((
        Head {
            bytes,
            marks,
            count: count.map(|at| at + root as usize),
        },
        addresses,
    ))
}

/// The header of a dataset; the mark counts from its beginning.
fn describe(object: &Object<'_>, known: &[u64], heap: &mut Heap) -> io::Result<(Vec<u8>, Mark)> {
    let mut header = Header::new();
    let mut mark = Mark::default();
    let add = |header: &mut Header, kind, content: &[u8]| add(header, kind, content, object.path);
    mark.dims = add(
        &mut header,
        Message::Dataspace,
        &message::dataspace(&object.dims, object.grows),
    )? + 8;
    add(&mut header, Message::Datatype, &object.kind.message())?;
    let chunked = matches!(object.storage, Storage::Chunked { .. });
    add(&mut header, Message::FillValue, &message::fill_value(chunked))?;
    let (storage, address) = object.storage.message();
    mark.address = add(&mut header, Message::DataLayout, &storage)? + address;
    if object.deflate {
        add(&mut header, Message::FilterPipeline, &message::deflate(DEFLATE_LEVEL))?;
    }
    for (name, content) in &object.attributes {
        put_attribute(&mut header, name, content, known, heap)?;
    }
    for text in object.texts {
        mark.texts.extend(heap.put(text.as_bytes(), text.len()));
    }
    Ok((header.finish(), mark))
}

fn put_attribute(
    header: &mut Header,
    name: &str,
    content: &Content<'_>,
    known: &[u64],
    heap: &mut Heap,
) -> io::Result<usize> {
    let address = |number: &usize| known.get(*number).copied().unwrap_or(UNDEFINED).to_le_bytes();
    let (kind, dims, data): (Kind, Option<usize>, Vec<u8>) = match content {
        Content::Given(Attribute::Text(text)) => (Kind::Text, None, heap.put(text.as_bytes(), text.len()).to_vec()),
        Content::Given(Attribute::Int(number)) => (Kind::Int64, None, number.to_le_bytes().to_vec()),
        Content::Given(Attribute::Float(number)) => (Kind::Float64, None, number.to_le_bytes().to_vec()),
        Content::Given(Attribute::Bool(truth)) => (Kind::Bool, None, vec![u8::from(*truth)]),
        Content::Given(Attribute::Texts(texts)) => {
            let places = texts
                .iter()
                .flat_map(|text| heap.put(text.as_bytes(), text.len()))
                .collect();
            (Kind::Text, Some(texts.len()), places)
        }
        Content::Ascii(text) => {
            let bytes = [text.as_bytes(), &[0]].concat();
            (Kind::Ascii(bytes.len() as u32), None, bytes)
        }
        Content::Scales(axes) => {
            let mut places = Vec::new();
            for scales in axes {
                let references: Vec<u8> = scales.iter().flat_map(address).collect();
                places.extend(heap.put(&references, scales.len()));
            }
            (Kind::References, Some(axes.len()), places)
        }
        Content::Uses(uses) => {
            let entry = |(dataset, axis): &(usize, u32)| [address(dataset), u64::from(*axis).to_le_bytes()].concat();
            (Kind::ScaleUse, Some(uses.len()), uses.iter().flat_map(entry).collect())
        }
    };
    let dims: Vec<u64> = dims.into_iter().map(|len| len as u64).collect();
    add_attribute(header, name, kind, &dims, &data)
}

/// Returns where the value begins in the header.
fn add_attribute(header: &mut Header, name: &str, kind: Kind, dims: &[u64], data: &[u8]) -> io::Result<usize> {
    let too_long = || refused(format!("the attribute `{name}` is too long"));
    if name.is_empty() || name.contains('\0') {
        return Err(refused(format!("`{name}` is no name of an attribute")));
    }
    let (content, start) = message::attribute(name, kind, dims, data).ok_or_else(too_long)?;
    Ok(header.add(Message::Attribute, &content).ok_or_else(too_long)? + start)
}

fn add(header: &mut Header, kind: Message, content: &[u8], name: &str) -> io::Result<usize> {
    header
        .add(kind, content)
        .ok_or_else(|| refused(format!("`{name}`: its name is too long, or there are too many")))
}

fn append(bytes: &mut Vec<u8>, header: &[u8]) -> u64 {
    let at = bytes.len() as u64;
    bytes.extend(header);
    at
}

/// Moves the end so that the eight bytes `offset` behind it are in one line of the processor's cache, which it stores
/// as one, although the format does not align them; returns the end.
fn align(bytes: &mut Vec<u8>, offset: usize) -> usize {
    const LINE: usize = 64;
    while (bytes.len() + offset) % LINE > LINE - 8 {
        bytes.extend([0; 8]);
    }
    bytes.len()
}

fn refused(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
