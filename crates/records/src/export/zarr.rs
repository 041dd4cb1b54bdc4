//! Zarr: a folder with a folder for each variable, in which chunks are plain bytes and the rest is JSON.
//!
//! Version 2 of the format, which every library reads, with consolidated metadata: it has complex numbers, and texts without
//! a warning. The crate `zarrs` would do this and much more, for 170 seconds of a clean build; what is needed is below.
//!
//! Deliberately absent: compression, which would need C libraries to be what others expect.

use std::{fs, io, path::Path};

use serde_json::{Map, Value as Json, json};

use super::{Existing, ExportError, aside};
use crate::{
    dataset::{Attribute, Dataset, Variable},
    table::Data,
};

/// Bytes of a chunk, about: large enough that a disk does not seek, small enough to be read for a part of the data.
const CHUNK: usize = 8 << 20;

pub(super) fn write(dataset: &Dataset, path: &Path, existing: Existing) -> Result<(), ExportError> {
    aside::folder(path, existing, |folder| write_into(dataset, folder))
}

fn write_into(dataset: &Dataset, folder: &Path) -> io::Result<()> {
    let mut all = Map::new();
    let facts: Map<String, Json> = dataset
        .attributes
        .iter()
        .map(|(name, text)| (name.clone(), json!(text)))
        .collect();
    let mut say = |name: String, json: Json| {
        let written = aside::part(&folder.join(&name), format!("{json:#}\n").as_bytes());
        all.insert(name, json);
        written
    };
    say(".zgroup".to_owned(), json!({"zarr_format": 2}))?;
    say(".zattrs".to_owned(), Json::Object(facts))?;
    for variable in &dataset.variables {
        let shape = dataset.shape(variable);
        let chunks = chunks(&shape, &variable.data);
        fs::create_dir(folder.join(&variable.name))?;
        say(format!("{}/.zarray", variable.name), array(variable, &shape, &chunks))?;
        say(format!("{}/.zattrs", variable.name), attributes(dataset, variable))?;
        write_chunks(&folder.join(&variable.name), &variable.data, &shape, &chunks)?;
    }
    let consolidated = json!({"zarr_consolidated_format": 1, "metadata": all});
    aside::part(&folder.join(".zmetadata"), format!("{consolidated:#}\n").as_bytes())
}

fn array(variable: &Variable, shape: &[usize], chunks: &[usize]) -> Json {
    let (dtype, filters) = match &variable.data {
        Data::Bool(_) => ("|b1", Json::Null),
        Data::Int(_) => ("<i8", Json::Null),
        Data::Float(_) => ("<f8", Json::Null),
        Data::Complex(_) => ("<c16", Json::Null),
        Data::Text(_) => ("|O", json!([{"id": "vlen-utf8"}])),
    };
    // xarray takes this for the value of what is missing.
    let fill = variable.attributes.iter().find_map(|(name, value)| match value {
        Attribute::Int(value) if *name == "_FillValue" => Some(*value),
        Attribute::Int(_) | Attribute::Text(_) => None,
    });
    json!({"zarr_format": 2, "shape": shape, "chunks": chunks, "dtype": dtype, "filters": filters, "compressor": null,
        "fill_value": fill, "order": "C"})
}

fn attributes(dataset: &Dataset, variable: &Variable) -> Json {
    let mut attributes = Map::new();
    let dimensions: Vec<&str> = dataset.dimension_names(variable).collect();
    attributes.insert("_ARRAY_DIMENSIONS".to_owned(), json!(dimensions));
    for (name, value) in variable.attributes.iter().filter(|(name, _)| *name != "_FillValue") {
        let value = match value {
            Attribute::Text(text) => json!(text),
            Attribute::Int(value) => json!(value),
        };
        attributes.insert((*name).to_owned(), value);
    }
    if let Some(coordinates) = dataset.coordinates_of(variable) {
        attributes.insert("coordinates".to_owned(), json!(coordinates));
    }
    Json::Object(attributes)
}

/// Whole slices of the outermost dimension. Zarr wants no length of zero.
fn chunks(shape: &[usize], data: &Data) -> Vec<usize> {
    let element = match data {
        Data::Bool(_) => 1,
        Data::Int(_) | Data::Float(_) => 8,
        Data::Complex(_) | Data::Text(_) => 16,
    };
    let slice = shape.iter().skip(1).product::<usize>() * element;
    let mut chunks: Vec<usize> = shape.iter().map(|length| (*length).max(1)).collect();
    if let Some(first) = chunks.first_mut() {
        *first = (*first).min((CHUNK / slice.max(1)).max(1));
    }
    chunks
}

fn write_chunks(folder: &Path, data: &Data, shape: &[usize], chunks: &[usize]) -> io::Result<()> {
    let (Some(length), Some(chunk)) = (shape.first(), chunks.first()) else {
        return aside::part(&folder.join("0"), &bytes(data, 0..1, 1));
    };
    let slice = shape[1..].iter().product::<usize>();
    if slice == 0 {
        return Ok(());
    }
    let inner = ".0".repeat(shape.len() - 1);
    for (number, first) in (0..*length).step_by(*chunk).enumerate() {
        let last = (first + chunk).min(*length);
        let bytes = bytes(data, first * slice..last * slice, chunk * slice);
        aside::part(&folder.join(format!("{number}{inner}")), &bytes)?;
    }
    Ok(())
}

/// Some elements as a chunk of so many: the last one is filled up.
fn bytes(data: &Data, elements: std::ops::Range<usize>, full: usize) -> Vec<u8> {
    let absent = full - elements.len();
    let mut bytes: Vec<u8> = match data {
        Data::Bool(data) => data[elements].iter().map(|value| u8::from(*value)).collect(),
        Data::Int(data) => data[elements].iter().flat_map(|value| value.to_le_bytes()).collect(),
        Data::Float(data) => data[elements].iter().flat_map(|value| value.to_le_bytes()).collect(),
        Data::Complex(data) => {
            let parts = data[elements].iter().flat_map(|value| [value.re, value.im]);
            parts.flat_map(f64::to_le_bytes).collect()
        }
        Data::Text(data) => {
            let mut bytes = (full as u32).to_le_bytes().to_vec();
            for text in &data[elements] {
                bytes.extend((text.len() as u32).to_le_bytes());
                bytes.extend(text.as_bytes());
            }
            bytes
        }
    };
    let element = match data {
        Data::Bool(_) => 1,
        Data::Text(_) => 4, // The length of an empty text.
        Data::Int(_) | Data::Float(_) => 8,
        Data::Complex(_) => 16,
    };
    bytes.resize(bytes.len() + absent * element, 0);
    bytes
}
