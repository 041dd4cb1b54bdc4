//! HDF5 and netCDF-4, which is HDF5 with rules: every dimension is a scale, and there are no truths.
//!
//! Complex numbers are compounds of `r` and `i` in both, as h5py and h5netcdf read and write them; netCDF proper has none.

use std::{io, path::Path};

use super::{Existing, ExportError, Format};
use crate::{
    dataset::{Attribute, Dataset, Variable},
    hdf5,
    table::Data,
};

pub(super) fn write(dataset: &Dataset, format: Format, path: &Path, existing: Existing) -> Result<(), ExportError> {
    // Numbers that stand for truths are kept here while they are written.
    let truths: Vec<Vec<i64>> = dataset
        .variables
        .iter()
        .map(|variable| truths(variable, format))
        .collect();
    let variables = dataset.variables.iter().zip(&truths);
    let file = hdf5::File {
        variables: variables
            .map(|(variable, truths)| described(dataset, variable, truths, format))
            .collect(),
        attributes: dataset
            .attributes
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
    };
    let kept = match existing {
        Existing::Refuse => hdf5::Existing::Keep,
        Existing::Overwrite => hdf5::Existing::Replace,
    };
    super::aside::refuse(path, existing)?;
    hdf5::write(path, &file, kept).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => ExportError::Exists(path.to_owned()),
        io::ErrorKind::InvalidInput => ExportError::Unfit(source.to_string()),
        _ => ExportError::Io {
            path: path.to_owned(),
            source,
        },
    })
}

/// What xarray takes for truths: 0 and 1, and a word about it.
fn truths(variable: &Variable, format: Format) -> Vec<i64> {
    match (&variable.data, format) {
        (Data::Bool(data), Format::Netcdf) => data.iter().map(|value| i64::from(*value)).collect(),
        _ => Vec::new(),
    }
}

fn described<'a>(
    dataset: &'a Dataset,
    variable: &'a Variable,
    truths: &'a [i64],
    format: Format,
) -> hdf5::Variable<'a> {
    let mut attributes: Vec<(String, hdf5::Attribute)> = Vec::new();
    for (name, value) in &variable.attributes {
        let value = match value {
            Attribute::Text(value) => text(value),
            Attribute::Int(value) => hdf5::Attribute::Int(*value),
        };
        attributes.push(((*name).to_owned(), value));
    }
    if let Some(coordinates) = dataset.coordinates_of(variable) {
        attributes.push(("coordinates".to_owned(), text(&coordinates)));
    }
    let data = match (&variable.data, format) {
        (Data::Bool(_), Format::Netcdf) => {
            attributes.push(("dtype".to_owned(), text("bool")));
            hdf5::Data::Int(truths)
        }
        (Data::Bool(data), _) => hdf5::Data::Bool(data),
        (Data::Int(data), _) => hdf5::Data::Int(data),
        (Data::Float(data), _) => hdf5::Data::Float(data),
        (Data::Complex(data), _) => hdf5::Data::Complex(data),
        (Data::Text(data), _) => hdf5::Data::Text(data),
    };
    hdf5::Variable {
        path: variable.name.clone(),
        shape: dataset.shape(variable),
        data,
        dimensions: dataset.dimension_names(variable).map(str::to_owned).collect(),
        attributes,
    }
}

fn text(text: &str) -> hdf5::Attribute {
    hdf5::Attribute::Text(text.to_owned())
}
