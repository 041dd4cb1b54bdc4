//! The numbers of any HDF5 file: of the oldest format and of the newest, compressed or not, finished or being written.
//!
//! The format is read by the crate `hdf5-reader`, through plain reads: a map of a file that somebody cuts would end
//! this process. What is here makes the few kinds of numbers of all that HDF5 can express.

use std::{collections::BTreeSet, fmt, path::Path, sync::Arc};

use hdf5_reader::{ByteOrder, Dataset, Datatype, FileStorage, Hdf5File, OpenOptions, group::Group};
use num_complex::Complex64;

use super::{Attribute, number::half_value};

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    /// Datasets of numbers by their paths, groups inside each other.
    pub datasets: Vec<(String, Array)>,
    /// Paths of the datasets that hold something else: texts, records, references.
    pub others: Vec<String>,
    /// Attributes of the file, those that are no numbers, truths or texts excepted.
    pub attributes: Vec<(String, Attribute)>,
}

/// An array in C order.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Empty for a scalar.
    pub shape: Vec<usize>,
    pub numbers: Numbers,
}

/// Elements of an array.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    Int(Vec<i64>),
    /// Floats of any size, and unsigned integers that are too large for an int64.
    Float(Vec<f64>),
    Complex(Vec<Complex64>),
    Bool(Vec<bool>),
}

/// Why a file cannot be read: in whole or, if it names one, because of a dataset.
#[derive(Debug)]
pub struct Unreadable {
    dataset: Option<String>,
    source: hdf5_reader::error::Error,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.dataset {
            Some(path) => write!(f, "cannot read the dataset `{path}`"),
            None => f.write_str("cannot read it as HDF5"),
        }
    }
}

impl std::error::Error for Unreadable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Reads all datasets of numbers.
///
/// # Errors
/// It is not there, is no HDF5 file, is damaged, or uses what is not understood: virtual datasets, unknown filters.
pub fn read(path: &Path) -> Result<Contents, Unreadable> {
    let whole = |source| Unreadable { dataset: None, source };
    let storage = FileStorage::open(path).map_err(whole)?;
    let file = Hdf5File::from_storage_with_options(Arc::new(storage), OpenOptions::default()).map_err(whole)?;
    let root = file.root_group().map_err(whole)?;
    let mut contents = Contents {
        attributes: root.attributes().map_err(whole)?.iter().filter_map(attribute).collect(),
        ..Contents::default()
    };
    // A link may lead back to a group around it.
    let mut seen = BTreeSet::from([root.address()]);
    walk(&root, "", &mut seen, &mut contents)?;
    Ok(contents)
}

fn walk(group: &Group, prefix: &str, seen: &mut BTreeSet<u64>, contents: &mut Contents) -> Result<(), Unreadable> {
    let (groups, datasets) = group.members().map_err(|source| Unreadable { dataset: None, source })?;
    for dataset in datasets {
        let path = format!("{prefix}{}", dataset.name());
        let failed = |source| Unreadable {
            dataset: Some(path.clone()),
            source,
        };
        match Form::of(dataset.dtype()) {
            Some(form) => {
                let numbers = read_numbers(&dataset, form).map_err(failed)?;
                let shape = dataset.shape().iter().map(|dim| *dim as usize).collect();
                contents.datasets.push((path, Array { shape, numbers }));
            }
            None => contents.others.push(path),
        }
    }
    for group in groups {
        if seen.insert(group.address()) {
            walk(&group, &format!("{prefix}{}/", group.name()), seen, contents)?;
        }
    }
    Ok(())
}

/// How the bytes of an element make a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Int {
        size: usize,
        signed: bool,
        order: ByteOrder,
    },
    Float {
        size: usize,
        order: ByteOrder,
    },
    /// Two floats of this size.
    Complex {
        size: usize,
        order: ByteOrder,
    },
    Bool,
}

impl Form {
    fn of(datatype: &Datatype) -> Option<Self> {
        match datatype {
            Datatype::FixedPoint {
                size,
                signed,
                byte_order,
            } if matches!(size, 1 | 2 | 4 | 8) => Some(Form::Int {
                size: usize::from(*size),
                signed: *signed,
                order: *byte_order,
            }),
            Datatype::FloatingPoint { size, byte_order } if matches!(size, 2 | 4 | 8) => Some(Form::Float {
                size: usize::from(*size),
                order: *byte_order,
            }),
            Datatype::Compound { size, fields } => match &fields[..] {
                [r, i] if r.name == "r" && i.name == "i" && r.byte_offset == 0 => {
                    let (form, other) = (Form::of(&r.datatype)?, Form::of(&i.datatype)?);
                    let Form::Float { size: half, order } = form else {
                        return None;
                    };
                    let packed = i.byte_offset as usize == half && *size as usize == 2 * half;
                    (form == other && packed).then_some(Form::Complex { size: half, order })
                }
                _ => None,
            },
            Datatype::Enum { base, members } => {
                let truths = members.len() == 2 && members[0].name == "FALSE" && members[1].name == "TRUE";
                let byte = matches!(**base, Datatype::FixedPoint { size: 1, .. });
                (truths && byte).then_some(Form::Bool)
            }
            _ => None,
        }
    }

    fn numbers(self, bytes: &[u8]) -> Numbers {
        match self {
            Form::Int {
                size: 8,
                signed: false,
                order,
            } => {
                let numbers: Vec<u64> = words(bytes, 8, order).collect();
                match numbers.iter().map(|number| i64::try_from(*number)).collect() {
                    Ok(numbers) => Numbers::Int(numbers),
                    Err(_) => Numbers::Float(numbers.iter().map(|number| *number as f64).collect()),
                }
            }
            Form::Int { size, signed, order } => {
                // Moved to the upper end and back, which repeats the sign.
                let unused = 64 - 8 * size as u32;
                let int = |word: u64| {
                    if signed {
                        (word << unused) as i64 >> unused
                    } else {
                        word as i64
                    }
                };
                Numbers::Int(words(bytes, size, order).map(int).collect())
            }
            Form::Float { size, order } => Numbers::Float(floats(bytes, size, order).collect()),
            Form::Complex { size, order } => {
                let parts: Vec<f64> = floats(bytes, size, order).collect();
                Numbers::Complex(
                    parts
                        .chunks_exact(2)
                        .map(|pair| Complex64::new(pair[0], pair[1]))
                        .collect(),
                )
            }
            Form::Bool => Numbers::Bool(bytes.iter().map(|byte| *byte != 0).collect()),
        }
    }
}

fn words(bytes: &[u8], size: usize, order: ByteOrder) -> impl Iterator<Item = u64> {
    bytes.chunks_exact(size).map(move |element| {
        let mut word = [0; 8];
        match order {
            ByteOrder::LittleEndian => word[..size].copy_from_slice(element),
            ByteOrder::BigEndian => element
                .iter()
                .rev()
                .zip(&mut word)
                .for_each(|(byte, into)| *into = *byte),
        }
        u64::from_le_bytes(word)
    })
}

fn floats(bytes: &[u8], size: usize, order: ByteOrder) -> impl Iterator<Item = f64> {
    words(bytes, size, order).map(move |word| match size {
        2 => half_value(word as u16),
        4 => f64::from(f32::from_bits(word as u32)),
        _ => f64::from_bits(word),
    })
}

fn read_numbers(dataset: &Dataset, form: Form) -> Result<Numbers, hdf5_reader::error::Error> {
    Ok(form.numbers(&dataset.read_raw_bytes()?))
}

/// An attribute that is a single number or truth, a text, or a list of texts.
fn attribute(attribute: &hdf5_reader::Attribute) -> Option<(String, Attribute)> {
    let scalar = attribute.shape.is_empty();
    let value = match &attribute.datatype {
        Datatype::String { .. } | Datatype::VarLen { .. } if scalar => Attribute::Text(attribute.read_string().ok()?),
        Datatype::String { .. } | Datatype::VarLen { .. } => Attribute::Texts(attribute.read_strings().ok()?),
        datatype if scalar => match Form::of(datatype)?.numbers(&attribute.raw_data) {
            Numbers::Int(numbers) => Attribute::Int(*numbers.first()?),
            Numbers::Float(numbers) => Attribute::Float(*numbers.first()?),
            Numbers::Bool(truths) => Attribute::Bool(*truths.first()?),
            Numbers::Complex(_) => return None,
        },
        _ => return None,
    };
    Some((attribute.name.clone(), value))
}
