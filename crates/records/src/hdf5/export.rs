//! A file written whole, which xarray and everything that reads netCDF-4 finds its dimensions in.
//!
//! A dimension is a dataset that is a *scale*, one for each length that datasets share; it holds the coordinate if
//! there is one. Which scales belong to a dataset stands in its attribute `DIMENSION_LIST`, and the way back in the
//! `REFERENCE_LIST` of the scale, as "HDF5 Dimension Scale Specification" and netCDF-4 want it.
//!
//! Complex numbers are compounds of `r` and `i` and truths an enumeration, as in h5py; netCDF's own library has neither
//! kind and shows them as records and small integers.

use std::{
    collections::HashMap,
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::Path,
};

use num_complex::Complex64;

use super::{
    Attribute,
    aside::Aside,
    head::{Content, Counted, Head, Object},
    message::{END_OF_FILE, IN_HEAP, Kind, MAX_RANK, Storage},
    plan::Space,
};

/// What a file shall hold.
#[derive(Clone, Debug, Default)]
pub struct File<'a> {
    pub variables: Vec<Variable<'a>>,
    pub attributes: Vec<(String, Attribute)>,
}

/// A dataset of such a file.
#[derive(Clone, Debug)]
pub struct Variable<'a> {
    /// `data/current`: groups and name.
    pub path: String,
    /// Empty for a scalar.
    pub shape: Vec<usize>,
    /// In C order.
    pub data: Data<'a>,
    /// For each dimension of the shape the path of its scale; empty if it has none. A scale that is a variable too is
    /// the coordinate and has one dimension, itself; what is no variable is a dimension without coordinate. For netCDF
    /// it must be in the group of the variable or in one around it.
    pub dimensions: Vec<String>,
    pub attributes: Vec<(String, Attribute)>,
}

/// Elements of a dataset.
#[derive(Clone, Copy, Debug)]
pub enum Data<'a> {
    Float(&'a [f64]),
    Int(&'a [i64]),
    Bool(&'a [bool]),
    Complex(&'a [Complex64]),
    Text(&'a [String]),
}

/// What happens to a file that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    Keep,
    Replace,
}

/// Writes a file, which appears whole; it is on the disk when this returns.
///
/// # Errors
/// There is something at `path` and it shall be kept; it cannot be written; a path is there twice or no path; data or
/// dimensions do not fit a shape (`InvalidInput`, with words that name the variable).
pub fn write(path: &Path, file: &File<'_>, existing: Existing) -> io::Result<()> {
    let mut objects = Vec::new();
    for variable in &file.variables {
        variable.check()?;
        objects.push(variable.object());
    }
    add_scales(&mut objects, &file.variables)?;
    let mut head = Head::new(&objects, &file.attributes, Counted::No)?;

    let mut space = Space { end: 0 };
    space.take(head.bytes.len() as u64);
    let mut places = Vec::new();
    for (variable, mark) in file.variables.iter().zip(&head.marks) {
        let bytes = variable.data.len() * variable.data.kind().size();
        // What has no bytes has no place.
        if bytes > 0 {
            let address = space.take(bytes as u64);
            places.push((address, variable.data, mark.clone()));
        }
    }
    for (address, _, mark) in &places {
        head.bytes[mark.address..mark.address + 8].copy_from_slice(&address.to_le_bytes());
    }
    head.bytes[END_OF_FILE..END_OF_FILE + 8].copy_from_slice(&space.end.to_le_bytes());

    let aside = Aside::create(path)?;
    let to = aside.file()?;
    let mut writer = BufWriter::with_capacity(256 * 1024, &to);
    writer.write_all(&head.bytes)?;
    for (address, data, mark) in &places {
        writer.seek(SeekFrom::Start(*address))?;
        data.write(&mark.texts, &mut writer)?;
    }
    writer.flush()?;
    drop(writer);
    to.set_len(space.end)?;
    to.sync_all()?;
    match existing {
        Existing::Keep => aside.appear(),
        Existing::Replace => aside.replace(),
    }
}

impl Variable<'_> {
    fn check(&self) -> io::Result<()> {
        let elements = self
            .shape
            .iter()
            .try_fold(1usize, |product, dim| product.checked_mul(*dim));
        if elements != Some(self.data.len()) {
            let (shape, given) = (&self.shape, self.data.len());
            return Err(refused(format!(
                "`{}` has the shape {shape:?} and {given} elements",
                self.path
            )));
        }
        if self.shape.len() > MAX_RANK {
            return Err(refused(format!("`{}` has more than {MAX_RANK} dimensions", self.path)));
        }
        if !self.dimensions.is_empty() && self.dimensions.len() != self.shape.len() {
            let (shape, given) = (&self.shape, self.dimensions.len());
            return Err(refused(format!(
                "`{}` has the shape {shape:?} and {given} named dimensions",
                self.path
            )));
        }
        Ok(())
    }

    fn object(&self) -> Object<'_> {
        let kind = self.data.kind();
        Object {
            path: &self.path,
            kind,
            dims: self.shape.iter().map(|dim| *dim as u64).collect(),
            grows: false,
            storage: Storage::Whole((self.data.len() * kind.size()) as u64),
            deflate: false,
            attributes: self
                .attributes
                .iter()
                .map(|(name, value)| (name.clone(), Content::Given(value)))
                .collect(),
            texts: match self.data {
                Data::Text(texts) => texts,
                Data::Float(_) | Data::Int(_) | Data::Bool(_) | Data::Complex(_) => &[],
            },
        }
    }
}

impl Data<'_> {
    pub fn len(&self) -> usize {
        match self {
            Data::Float(numbers) => numbers.len(),
            Data::Int(numbers) => numbers.len(),
            Data::Bool(truths) => truths.len(),
            Data::Complex(numbers) => numbers.len(),
            Data::Text(texts) => texts.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn kind(&self) -> Kind {
        match self {
            Data::Float(_) => Kind::Float64,
            Data::Int(_) => Kind::Int64,
            Data::Bool(_) => Kind::Bool,
            Data::Complex(_) => Kind::Complex128,
            Data::Text(_) => Kind::Text,
        }
    }

    /// Texts are in the heap already; `texts` says where.
    fn write(&self, texts: &[u8], to: &mut impl Write) -> io::Result<()> {
        match self {
            Data::Float(numbers) => numbers
                .iter()
                .try_for_each(|number| to.write_all(&number.to_le_bytes())),
            Data::Int(numbers) => numbers
                .iter()
                .try_for_each(|number| to.write_all(&number.to_le_bytes())),
            Data::Bool(truths) => truths.iter().try_for_each(|truth| to.write_all(&[u8::from(*truth)])),
            Data::Complex(numbers) => numbers.iter().try_for_each(|number| {
                to.write_all(&number.re.to_le_bytes())?;
                to.write_all(&number.im.to_le_bytes())
            }),
            Data::Text(_) => {
                debug_assert_eq!(texts.len(), self.len() * IN_HEAP);
                to.write_all(texts)
            }
        }
    }
}

/// Makes scales of the datasets that dimensions name, and adds those that are no variables behind them.
fn add_scales<'a>(objects: &mut Vec<Object<'a>>, variables: &'a [Variable<'_>]) -> io::Result<()> {
    let mut numbers: HashMap<&str, usize> = variables
        .iter()
        .enumerate()
        .map(|(number, variable)| (variable.path.as_str(), number))
        .collect();
    // For each scale what it belongs to, in the order in which they are met.
    let mut scales: Vec<(usize, Vec<(usize, u32)>)> = Vec::new();
    for (number, variable) in variables.iter().enumerate() {
        let mut list = Vec::new();
        for (axis, (name, len)) in variable.dimensions.iter().zip(&variable.shape).enumerate() {
            let scale = *numbers.entry(name).or_insert_with(|| {
                objects.push(empty_scale(name, *len as u64));
                objects.len() - 1
            });
            if objects[scale].dims != [*len as u64] {
                let dims = &objects[scale].dims;
                let path = &variable.path;
                return Err(refused(format!(
                    "`{path}` is {len} long where its dimension `{name}` is {dims:?}"
                )));
            }
            let at = scales.iter().position(|(known, _)| *known == scale).unwrap_or_else(|| {
                scales.push((scale, Vec::new()));
                scales.len() - 1
            });
            // A coordinate is its own scale, which is not said.
            if scale != number {
                scales[at].1.push((number, axis as u32));
                list.push(vec![scale]);
            }
        }
        if !list.is_empty() {
            objects[number]
                .attributes
                .push(("DIMENSION_LIST".to_owned(), Content::Scales(list)));
        }
    }
    for (scale, uses) in scales {
        let object = &mut objects[scale];
        let name = match scale < variables.len() {
            true => object.path.rsplit('/').next().unwrap_or(object.path).to_owned(),
            // The words by which netCDF knows that there is no coordinate.
            false => format!(
                "This is a netCDF dimension but not a netCDF variable.{:10}",
                object.dims[0]
            ),
        };
        object
            .attributes
            .push(("CLASS".to_owned(), Content::Ascii("DIMENSION_SCALE".to_owned())));
        object.attributes.push(("NAME".to_owned(), Content::Ascii(name)));
        if !uses.is_empty() {
            object
                .attributes
                .push(("REFERENCE_LIST".to_owned(), Content::Uses(uses)));
        }
    }
    Ok(())
}

/// A dimension without coordinate: it has a length and no data.
fn empty_scale(path: &str, len: u64) -> Object<'_> {
    Object {
        path,
        kind: Kind::Float32,
        dims: vec![len],
        grows: false,
        storage: Storage::Whole(len * Kind::Float32.size() as u64),
        deflate: false,
        attributes: Vec::new(),
        texts: &[],
    }
}

fn refused(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
