//! Parquet: a file of columns, as pandas, polars, DuckDB and Spark read it.
//!
//! Plain pages of required columns, uncompressed; a cell of an array is a list, of arrays of more dimensions a list of
//! lists. Facts are the file's key-value metadata, units too: `f_a.units`. Field numbers are those of `parquet.thrift`
//! (apache/parquet-format 2.11). The crate `parquet` would do this and much more, for 67 seconds of a clean build.

mod thrift;

use std::io::{self, Write};

use thrift::Struct;

use super::flat::{Elements, Flat, columns};
use crate::{
    dataset::attributes_of,
    table::{Facts, Table},
};

const MAGIC: &[u8] = b"PAR1";
/// Readers take a group of rows at once.
const ROWS_OF_A_GROUP: usize = 1 << 17;
/// Bytes of a page, about, as other writers choose.
const PAGE: usize = 1 << 20;

const REQUIRED: i32 = 0;
const REPEATED: i32 = 2;
const PLAIN: i32 = 0;
const RLE: i32 = 3;

pub(super) fn write(table: &Table, facts: &Facts, out: &mut dyn Write) -> io::Result<()> {
    let columns = columns(table);
    out.write_all(MAGIC)?;
    let mut offset = MAGIC.len();
    let mut groups = Vec::new();
    for first in (0..table.len()).step_by(ROWS_OF_A_GROUP) {
        let rows = first..table.len().min(first + ROWS_OF_A_GROUP);
        let mut chunks = Vec::new();
        for column in &columns {
            let chunk = write_chunk(column, rows.clone(), out)?;
            chunks.push((offset, chunk));
            offset += chunks.last().map_or(0, |(_, chunk)| chunk.bytes);
        }
        groups.push(group(&columns, &chunks, rows.len()));
    }
    let footer = footer(&columns, facts, table.len(), &groups);
    out.write_all(&footer)?;
    out.write_all(&(footer.len() as u32).to_le_bytes())?;
    out.write_all(MAGIC)
}

/// What was written of a column for a group of rows.
struct Chunk {
    values: usize,
    bytes: usize,
}

fn write_chunk(column: &Flat<'_>, rows: std::ops::Range<usize>, out: &mut dyn Write) -> io::Result<Chunk> {
    let cell = column.cell.iter().product::<usize>();
    let rows_of_a_page = (PAGE / (8 * cell.max(1))).max(1);
    let mut chunk = Chunk { values: 0, bytes: 0 };
    for first in rows.clone().step_by(rows_of_a_page) {
        let rows = first..rows.end.min(first + rows_of_a_page);
        let mut page = Vec::new();
        let values = push_levels(&mut page, column.cell, rows.len());
        push_values(&mut page, column.elements, rows.start * cell..rows.end * cell);
        let mut of_data = Struct::new();
        of_data
            .int(1, values as i64)
            .int(2, i64::from(PLAIN))
            .int(3, i64::from(RLE))
            .int(4, i64::from(RLE));
        let mut header = Struct::new();
        header
            .int(1, 0)
            .int(2, page.len() as i64)
            .int(3, page.len() as i64)
            .inner(5, of_data);
        let header = header.end();
        out.write_all(&header)?;
        out.write_all(&page)?;
        chunk.values += values;
        chunk.bytes += header.len() + page.len();
    }
    Ok(chunk)
}

/// Where lists begin, for so many cells: a repetition level and a definition level for each element. Lists are as long as
/// the shape says, so that the levels of all cells are the same. Returns how many there are; of a scalar none are written.
fn push_levels(page: &mut Vec<u8>, cell: &[usize], rows: usize) -> usize {
    // What is inside an empty list has no levels.
    let filled = cell.iter().position(|length| *length == 0).unwrap_or(cell.len());
    let outer = &cell[..filled];
    let values = outer.iter().product::<usize>();
    if cell.is_empty() {
        return rows;
    }
    let repetition = |element: usize| {
        let starts = |level: &usize| element.is_multiple_of(outer[*level..].iter().product());
        (0..filled).find(starts).unwrap_or(filled)
    };
    let levels: Vec<usize> = (0..values).map(repetition).collect();
    let all = || (0..rows).flat_map(|_| levels.iter().copied());
    push_runs(page, all());
    push_runs(page, std::iter::repeat_n(filled, rows * values));
    rows * values
}

/// Levels as runs of equal ones, with the length of it all before them. One byte holds a level of up to 255 dimensions.
fn push_runs(page: &mut Vec<u8>, levels: impl Iterator<Item = usize>) {
    let mut runs = Vec::new();
    let mut levels = levels.peekable();
    while let Some(level) = levels.next() {
        let mut length = 1_u64;
        while levels.next_if_eq(&level).is_some() {
            length += 1;
        }
        thrift::push_varint(&mut runs, length << 1);
        runs.push(level as u8);
    }
    page.extend((runs.len() as u32).to_le_bytes());
    page.extend(runs);
}

fn push_values(page: &mut Vec<u8>, elements: Elements<'_>, range: std::ops::Range<usize>) {
    match elements {
        Elements::Index(data) => page.extend(data[range].iter().flat_map(|value| i64::from(*value).to_le_bytes())),
        Elements::TimeUs(data) | Elements::Int(data) => {
            page.extend(data[range].iter().flat_map(|value| value.to_le_bytes()));
        }
        Elements::Float(data) => page.extend(data[range].iter().flat_map(|value| value.to_le_bytes())),
        Elements::Re(data) => page.extend(data[range].iter().flat_map(|value| value.re.to_le_bytes())),
        Elements::Im(data) => page.extend(data[range].iter().flat_map(|value| value.im.to_le_bytes())),
        Elements::Bool(data) => {
            let bits = |eight: &[bool]| eight.iter().rev().fold(0, |bits, bit| bits << 1 | u8::from(*bit));
            page.extend(data[range].chunks(8).map(bits));
        }
        Elements::Text(data) => {
            for text in &data[range] {
                page.extend((text.len() as u32).to_le_bytes());
                page.extend(text.as_bytes());
            }
        }
    }
}

/// `Type` of parquet.thrift.
fn physical(elements: Elements<'_>) -> i64 {
    match elements {
        Elements::Bool(_) => 0,
        Elements::Index(_) | Elements::TimeUs(_) | Elements::Int(_) => 2,
        Elements::Float(_) | Elements::Re(_) | Elements::Im(_) => 5,
        Elements::Text(_) => 6,
    }
}

fn group(columns: &[Flat<'_>], chunks: &[(usize, Chunk)], rows: usize) -> Struct {
    let described = columns.iter().zip(chunks).map(|(column, (offset, chunk))| {
        let path = std::iter::once(column.name.as_str()).chain(column.cell.iter().flat_map(|_| ["list", "element"]));
        let mut of_data = Struct::new();
        of_data
            .int(1, physical(column.elements))
            .ints(2, &[PLAIN, RLE])
            .texts(3, path)
            .int(4, 0)
            .long(5, chunk.values as i64)
            .long(6, chunk.bytes as i64)
            .long(7, chunk.bytes as i64)
            .long(9, *offset as i64);
        let mut described = Struct::new();
        described.long(2, *offset as i64).inner(3, of_data);
        described
    });
    let bytes: usize = chunks.iter().map(|(_, chunk)| chunk.bytes).sum();
    let mut group = Struct::new();
    group.structs(1, described).long(2, bytes as i64).long(3, rows as i64);
    group
}

fn footer(columns: &[Flat<'_>], facts: &Facts, rows: usize, groups: &[Struct]) -> Vec<u8> {
    let mut root = Struct::new();
    root.text(4, "schema").int(5, columns.len() as i64);
    let mut schema = vec![root];
    for column in columns {
        push_schema(&mut schema, column);
    }
    let units = columns
        .iter()
        .filter_map(|column| Some((format!("{}.units", column.name), column.unit?.to_owned())));
    let facts = attributes_of(facts).into_iter();
    let pairs = facts.chain(units).map(|(key, value)| {
        let mut pair = Struct::new();
        pair.text(1, &key).text(2, &value);
        pair
    });
    let mut file = Struct::new();
    file.int(1, 1)
        .structs(2, schema.into_iter())
        .long(3, rows as i64)
        .structs(4, groups.iter().cloned())
        .structs(5, pairs)
        .text(6, concat!("measurand version ", env!("CARGO_PKG_VERSION")));
    file.end()
}

/// A column, around each dimension of its cells a list.
fn push_schema(schema: &mut Vec<Struct>, column: &Flat<'_>) {
    let mut name = column.name.as_str();
    for _ in column.cell {
        let mut list = Struct::new();
        let mut kind = Struct::new();
        kind.inner(3, Struct::new());
        list.int(3, i64::from(REQUIRED))
            .text(4, name)
            .int(5, 1)
            .int(6, 3)
            .inner(10, kind);
        let mut repeated = Struct::new();
        repeated.int(3, i64::from(REPEATED)).text(4, "list").int(5, 1);
        schema.extend([list, repeated]);
        name = "element";
    }
    let mut leaf = Struct::new();
    leaf.int(1, physical(column.elements))
        .int(3, i64::from(REQUIRED))
        .text(4, name);
    match column.elements {
        Elements::Text(_) => {
            let mut kind = Struct::new();
            kind.inner(1, Struct::new());
            leaf.int(6, 0).inner(10, kind);
        }
        Elements::TimeUs(_) => {
            let (mut unit, mut time, mut kind) = (Struct::new(), Struct::new(), Struct::new());
            unit.inner(2, Struct::new());
            time.truth(1).inner(2, unit);
            kind.inner(8, time);
            leaf.int(6, 10).inner(10, kind);
        }
        Elements::Index(_)
        | Elements::Bool(_)
        | Elements::Int(_)
        | Elements::Float(_)
        | Elements::Re(_)
        | Elements::Im(_) => {}
    }
    schema.push(leaf);
}
