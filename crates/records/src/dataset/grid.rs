//! Which loops are regular, so that they can be dimensions, and where in the grid of these dimensions a row lies.

use std::collections::HashMap;

use num_complex::Complex64;

use super::MISSING;
use crate::table::{Axis, Column, Data, Table};

/// A grid of more points than this is refused if it is mostly empty…
const LARGE_GRID: usize = 1 << 20;
/// … which is: not one in so many was measured.
const EMPTIEST_GRID: usize = 16;

/// A loop that can be a dimension: its extent and, for a `LoopTask`, its values.
pub(super) struct Regular {
    pub(super) length: usize,
    pub(super) value: Option<Column>,
}

/// The regular loops by path.
pub(super) fn regular_loops(tables: &[&Table]) -> HashMap<String, Regular> {
    let mut paths: Vec<&str> = Vec::new();
    for axis in tables.iter().flat_map(|table| &table.axes) {
        if !paths.contains(&axis.path.as_str()) {
            paths.push(&axis.path);
        }
    }
    let regular = |path: &str| {
        let axes = tables
            .iter()
            .flat_map(|table| {
                table
                    .axes
                    .iter()
                    .enumerate()
                    .map(move |(depth, axis)| (*table, depth, axis))
            })
            .filter(|(_, _, axis)| axis.path == path);
        let axes: Vec<(&Table, usize, &Axis)> = axes.collect();
        let length = axes
            .iter()
            .flat_map(|(_, _, axis)| &axis.index)
            .max()
            .map_or(0, |most| *most as usize + 1);
        let has_value = axes.iter().any(|(_, _, axis)| axis.value.is_some());
        if has_value {
            let value = common_values(&axes, length)?;
            Some(Regular {
                length,
                value: Some(value),
            })
        } else {
            let same = axes
                .iter()
                .all(|(table, depth, _)| rounds_are_equally_long(table, *depth, length));
            same.then_some(Regular { length, value: None })
        }
    };
    paths
        .into_iter()
        .filter_map(|path| Some((path.to_owned(), regular(path)?)))
        .collect()
}

/// The value of each iteration, if it is the same in all rounds and tables.
fn common_values(axes: &[(&Table, usize, &Axis)], length: usize) -> Option<Column> {
    let mut common: Option<Column> = None;
    let mut known = vec![false; length];
    for (_, _, axis) in axes {
        let value = axis.value.as_ref()?;
        let cell = value.cell.iter().product::<usize>();
        let common = common.get_or_insert_with(|| Column {
            data: missing_like(&value.data, length * cell),
            ..value.clone()
        });
        if common.cell != value.cell {
            return None;
        }
        for (row, index) in axis.index.iter().enumerate() {
            let index = *index as usize;
            if known[index] {
                if !same_cells(&common.data, index, &value.data, row, cell) {
                    return None;
                }
            } else {
                copy_cell(&mut common.data, index, &value.data, row, cell)?;
                known[index] = true;
            }
        }
    }
    common
}

/// Whether every round of the loop at this depth has `length` iterations. The last round may still be under way.
fn rounds_are_equally_long(table: &Table, depth: usize, length: usize) -> bool {
    let mut longest = 0;
    let mut round: Vec<u32> = Vec::new();
    let mut lengths = Vec::new();
    for row in 0..table.len() {
        let around: Vec<u32> = table.axes[..depth].iter().map(|axis| axis.index[row]).collect();
        if row > 0 && around != round {
            lengths.push(longest);
            longest = 0;
        }
        round = around;
        longest = longest.max(table.axes[depth].index[row] as usize + 1);
    }
    lengths.iter().all(|own| *own == length)
}

/// How the rows of a table lie in the dataset.
pub(super) enum Shape {
    /// A dimension for each loop, and the place of each row; `None` where the rows fill the grid in order.
    Grid {
        lengths: Vec<usize>,
        places: Option<Vec<usize>>,
    },
    Flat,
}

impl Shape {
    pub(super) fn of(table: &Table, regular: &HashMap<String, Regular>) -> Shape {
        let lengths = table
            .axes
            .iter()
            .map(|axis| regular.get(&axis.path).map(|regular| regular.length));
        let Some(lengths) = lengths.collect::<Option<Vec<usize>>>() else {
            return Shape::Flat;
        };
        let points = lengths
            .iter()
            .try_fold(1_usize, |points, length| points.checked_mul(*length));
        let Some(points) = points.filter(|points| *points <= LARGE_GRID || points / EMPTIEST_GRID <= table.len())
        else {
            return Shape::Flat;
        };
        let place = |row: usize| {
            let axes = table.axes.iter().zip(&lengths);
            axes.fold(0, |place, (axis, length)| place * length + axis.index[row] as usize)
        };
        let places: Vec<usize> = (0..table.len()).map(place).collect();
        if places.iter().enumerate().all(|(row, place)| row == *place) && places.len() == points {
            return Shape::Grid { lengths, places: None };
        }
        let mut taken = vec![false; points];
        for place in &places {
            // Two rows at one point: something around them repeats that is no loop of the table.
            if std::mem::replace(&mut taken[*place], true) {
                return Shape::Flat;
            }
        }
        Shape::Grid {
            lengths,
            places: Some(places),
        }
    }
}

/// The cells at their places in the grid, and whether integers stand for nothing among them.
pub(super) fn spread(data: &Data, cell: usize, shape: &Shape) -> (Data, bool) {
    let Shape::Grid {
        lengths,
        places: Some(places),
    } = shape
    else {
        return (data.clone(), false);
    };
    let points = lengths.iter().product::<usize>();
    // A bool that was not measured is neither; 0, 1 and `_FillValue` are.
    let as_numbers = match data {
        Data::Bool(data) => Some(Data::Int(data.iter().map(|value| i64::from(*value)).collect())),
        Data::Int(_) | Data::Float(_) | Data::Complex(_) | Data::Text(_) => None,
    };
    let data = as_numbers.as_ref().unwrap_or(data);
    let mut grid = missing_like(data, points * cell);
    for (row, place) in places.iter().enumerate() {
        copy_cell(&mut grid, *place, data, row, cell);
    }
    let has_gaps = places.len() < points && matches!(grid, Data::Int(_));
    (grid, has_gaps)
}

fn missing_like(data: &Data, elements: usize) -> Data {
    match data {
        Data::Bool(_) => Data::Bool(vec![false; elements]),
        Data::Int(_) => Data::Int(vec![MISSING; elements]),
        Data::Float(_) => Data::Float(vec![f64::NAN; elements]),
        Data::Complex(_) => Data::Complex(vec![Complex64::new(f64::NAN, f64::NAN); elements]),
        Data::Text(_) => Data::Text(vec![String::new(); elements]),
    }
}

/// Nothing if the two hold different kinds of elements.
fn copy_cell(to: &mut Data, place: usize, from: &Data, row: usize, cell: usize) -> Option<()> {
    fn copy<T: Clone>(to: &mut [T], place: usize, from: &[T], row: usize, cell: usize) {
        to[place * cell..][..cell].clone_from_slice(&from[row * cell..][..cell]);
    }
    match (to, from) {
        (Data::Bool(to), Data::Bool(from)) => copy(to, place, from, row, cell),
        (Data::Int(to), Data::Int(from)) => copy(to, place, from, row, cell),
        (Data::Float(to), Data::Float(from)) => copy(to, place, from, row, cell),
        (Data::Complex(to), Data::Complex(from)) => copy(to, place, from, row, cell),
        (Data::Text(to), Data::Text(from)) => copy(to, place, from, row, cell),
        _ => return None,
    }
    Some(())
}

fn same_cells(one: &Data, place: usize, other: &Data, row: usize, cell: usize) -> bool {
    fn same<T>(one: &[T], place: usize, other: &[T], row: usize, cell: usize, equal: impl Fn(&T, &T) -> bool) -> bool {
        let pairs = one[place * cell..][..cell].iter().zip(&other[row * cell..][..cell]);
        pairs.into_iter().all(|(one, other)| equal(one, other))
    }
    let floats = |one: &f64, other: &f64| one == other || (one.is_nan() && other.is_nan());
    match (one, other) {
        (Data::Bool(one), Data::Bool(other)) => same(one, place, other, row, cell, PartialEq::eq),
        (Data::Int(one), Data::Int(other)) => same(one, place, other, row, cell, PartialEq::eq),
        (Data::Float(one), Data::Float(other)) => same(one, place, other, row, cell, floats),
        (Data::Complex(one), Data::Complex(other)) => same(one, place, other, row, cell, PartialEq::eq),
        (Data::Text(one), Data::Text(other)) => same(one, place, other, row, cell, PartialEq::eq),
        _ => false,
    }
}
