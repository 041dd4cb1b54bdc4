//! A table as columns that a spreadsheet or a data frame has: the loops' indices and values, the time, what was measured.
//!
//! Complex numbers, which neither CSV nor Parquet knows, are two columns: `x_re` and `x_im`.

use std::collections::HashSet;

use crate::{
    names,
    table::{Column, Data, Table},
};

/// A column with a name that is unique in its table.
pub(super) struct Flat<'a> {
    pub(super) name: String,
    /// Shape of a cell; empty for a scalar.
    pub(super) cell: &'a [usize],
    pub(super) elements: Elements<'a>,
    pub(super) unit: Option<&'a str>,
}

/// The elements of a column, all rows' cells one after the other.
#[derive(Clone, Copy)]
pub(super) enum Elements<'a> {
    Index(&'a [u32]),
    TimeUs(&'a [i64]),
    Bool(&'a [bool]),
    Int(&'a [i64]),
    Float(&'a [f64]),
    Re(&'a [num_complex::Complex64]),
    Im(&'a [num_complex::Complex64]),
    Text(&'a [String]),
}

/// A column before it has its name.
struct Draft<'a> {
    short: String,
    path: String,
    cell: &'a [usize],
    elements: Elements<'a>,
    unit: Option<&'a str>,
}

/// The columns of a table: coordinates first.
pub(super) fn columns(table: &Table) -> Vec<Flat<'_>> {
    let mut drafts = Vec::new();
    let mut own = HashSet::new();
    for axis in &table.axes {
        drafts.push(Draft {
            short: format!("{}_index", axis.name()),
            path: format!("{}_index", axis.path),
            cell: &[],
            elements: Elements::Index(&axis.index),
            unit: None,
        });
        if let Some(value) = &axis.value {
            own.insert(value.path.as_str());
            push(
                &mut drafts,
                value,
                format!("{}_value", axis.name()),
                format!("{}_value", axis.path),
            );
        }
    }
    drafts.push(Draft {
        short: format!("{}_time", table.name()),
        path: format!("{}_time", table.path),
        cell: &[],
        elements: Elements::TimeUs(&table.times_us),
        unit: None,
    });
    for column in table
        .columns
        .iter()
        .filter(|column| !own.contains(column.path.as_str()))
    {
        push(&mut drafts, column, column.name.clone(), column.path.clone());
    }
    let wanted: Vec<(&str, &str)> = drafts
        .iter()
        .map(|draft| (draft.short.as_str(), draft.path.as_str()))
        .collect();
    let names = names::unique(&wanted, &mut HashSet::new());
    drafts
        .into_iter()
        .zip(names)
        .map(|(draft, name)| Flat {
            name,
            cell: draft.cell,
            elements: draft.elements,
            unit: draft.unit,
        })
        .collect()
}

fn push<'a>(drafts: &mut Vec<Draft<'a>>, column: &'a Column, short: String, path: String) {
    let mut draft = |suffix: &str, elements: Elements<'a>| {
        drafts.push(Draft {
            short: format!("{short}{suffix}"),
            path: format!("{path}{suffix}"),
            cell: &column.cell,
            elements,
            unit: column.unit.as_deref(),
        });
    };
    match &column.data {
        Data::Bool(data) => draft("", Elements::Bool(data)),
        Data::Int(data) => draft("", Elements::Int(data)),
        Data::Float(data) => draft("", Elements::Float(data)),
        Data::Complex(data) => {
            draft("_re", Elements::Re(data));
            draft("_im", Elements::Im(data));
        }
        Data::Text(data) => draft("", Elements::Text(data)),
    }
}
