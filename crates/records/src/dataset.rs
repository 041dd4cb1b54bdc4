//! A run as one n-dimensional dataset: a dimension for each loop, with the loop's values as its coordinates.
//!
//! This is what HDF5, netCDF, Zarr and plots are made from. Not every loop can be a dimension:
//!
//! ```text
//! a LoopTask    is one, `<name>_value`, if its value at iteration i is the same in all its rounds
//! a WhileTask   is one, `<name>_index`, if all its rounds have the same number of iterations
//! anything else makes the tables inside it flat: one dimension `<name>_row`, indices and values beside it
//! ```
//!
//! What was not measured (the run is not over, a loop was left early) is NaN, `_FillValue` among integers and empty among
//! texts. Deliberately absent: units of time, calendars, and anything else that a reader of one format only would want.

mod grid;

use std::collections::{HashMap, HashSet};

use grid::{Regular, Shape, regular_loops, spread};

use crate::{
    names,
    table::{Axis, Data, Facts, Table},
};

/// Stands for an integer that was not measured; the variable says so as its `_FillValue`.
pub const MISSING: i64 = i64::MIN;

/// Variables over shared dimensions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dataset {
    pub dimensions: Vec<Dimension>,
    /// Coordinates before what was measured; names are unique.
    pub variables: Vec<Variable>,
    /// The facts of the run.
    pub attributes: Vec<(String, String)>,
}

/// A direction in which variables extend.
#[derive(Clone, Debug, PartialEq)]
pub struct Dimension {
    pub name: String,
    pub length: usize,
}

/// Numbers or texts over some dimensions.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    pub name: String,
    /// Places in [`Dataset::dimensions`], the outermost first; none for a single value.
    pub dimensions: Vec<usize>,
    /// In C order.
    pub data: Data,
    pub role: Role,
    pub attributes: Vec<(&'static str, Attribute)>,
}

/// What a variable is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The coordinate of the dimension that has its name.
    Dimension,
    /// Another coordinate: when a row was measured, the loop values of a flat table.
    Coordinate,
    /// What tasks measured.
    Measured,
}

/// What is said of a variable.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    Text(String),
    Int(i64),
}

impl Dataset {
    /// The dataset of a run's tables. A table without rows has no variables.
    pub fn of(tables: &[Table], facts: &Facts) -> Dataset {
        let tables: Vec<&Table> = tables.iter().filter(|table| !table.is_empty()).collect();
        let regular = regular_loops(&tables);
        let shapes: Vec<Shape> = tables.iter().map(|table| Shape::of(table, &regular)).collect();
        let (mut drafted, mut drafts) = (HashSet::new(), Vec::new());
        for (table, shape) in tables.iter().zip(&shapes) {
            draft_table(table, shape, &regular, &mut drafted, &mut drafts);
        }
        assemble(drafts, facts)
    }

    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|variable| variable.name == name)
    }

    /// Lengths of the variable's dimensions.
    pub fn shape(&self, variable: &Variable) -> Vec<usize> {
        variable
            .dimensions
            .iter()
            .map(|at| self.dimensions[*at].length)
            .collect()
    }

    /// Names of the variable's dimensions.
    pub fn dimension_names<'a>(&'a self, variable: &'a Variable) -> impl Iterator<Item = &'a str> {
        variable.dimensions.iter().map(|at| self.dimensions[*at].name.as_str())
    }

    /// Whether the dimension is of a loop, or of the rows of a flat table, and not of the cells of an array.
    pub fn is_loop(&self, dimension: usize) -> bool {
        let is_of = |variable: &&Variable| variable.role != Role::Measured && variable.dimensions.contains(&dimension);
        self.variables
            .iter()
            .find(is_of)
            .is_some_and(|variable| variable.dimensions.len() == 1 || variable.is_time())
    }

    /// The coordinates beside its dimensions that belong to a variable, as CF's attribute `coordinates` lists them. A name
    /// with a space in it cannot be listed.
    pub fn coordinates_of(&self, variable: &Variable) -> Option<String> {
        let names: Vec<&str> = self
            .variables
            .iter()
            .filter(|other| variable.role == Role::Measured && other.role == Role::Coordinate)
            .filter(|other| !other.dimensions.is_empty() || variable.dimensions.is_empty())
            .filter(|other| other.dimensions.iter().all(|at| variable.dimensions.contains(at)))
            .map(|other| other.name.as_str())
            .filter(|name| !name.contains(char::is_whitespace))
            .collect();
        (!names.is_empty()).then(|| names.join(" "))
    }
}

impl Variable {
    pub fn unit(&self) -> Option<&str> {
        self.text("units")
    }

    /// Full path of the entry or loop that it is of.
    pub fn path(&self) -> Option<&str> {
        self.text("long_name")
    }

    /// Whether it says when something was measured, in microseconds since 1970.
    pub fn is_time(&self) -> bool {
        self.text("calendar").is_some()
    }

    fn text(&self, wanted: &str) -> Option<&str> {
        self.attributes.iter().find_map(|(name, value)| match value {
            Attribute::Text(text) if *name == wanted => Some(text.as_str()),
            Attribute::Text(_) | Attribute::Int(_) => None,
        })
    }
}

/// A variable whose name, and whose dimensions' names, are not yet known to be unique.
struct Draft {
    short: String,
    long: String,
    dimensions: Vec<Wanted>,
    data: Data,
    role: Role,
    attributes: Vec<(&'static str, Attribute)>,
}

/// A dimension as a draft names it.
#[derive(Clone)]
enum Wanted {
    /// Of a loop or of a flat table: by path, which is the same in every draft that has it.
    Shared { short: String, long: String, length: usize },
    /// One of the variable's own, for the elements of its cells.
    Own { length: usize },
}

/// Drafts the variables of a table, and of its loops those that are not drafted yet.
fn draft_table(
    table: &Table,
    shape: &Shape,
    regular: &HashMap<String, Regular>,
    drafted: &mut HashSet<String>,
    drafts: &mut Vec<Draft>,
) {
    let name = table.name();
    let around: Vec<Wanted> = match shape {
        Shape::Flat => {
            let short = format!("{name}_row");
            let long = format!("{}_row", table.path);
            vec![Wanted::Shared {
                short,
                long,
                length: table.len(),
            }]
        }
        Shape::Grid { .. } => table
            .axes
            .iter()
            .filter_map(|axis| Some(dimension_of(axis, regular.get(&axis.path)?)))
            .collect(),
    };
    match shape {
        Shape::Grid { .. } => {
            for axis in &table.axes {
                if let (true, Some(regular)) = (drafted.insert(axis.path.clone()), regular.get(&axis.path)) {
                    draft_axis(axis, regular, drafts);
                }
            }
        }
        Shape::Flat => {
            for axis in &table.axes {
                let index = Data::Int(axis.index.iter().map(|index| i64::from(*index)).collect());
                let column = |suffix: &str, data: Data, cell: &[usize], unit: Option<String>| Draft {
                    short: format!("{}_{suffix}", axis.name()),
                    long: format!("{}/{}_{suffix}", table.path, axis.name()),
                    dimensions: with_cell(&around, cell),
                    data,
                    role: Role::Coordinate,
                    attributes: attributes(&axis.path, unit, false),
                };
                drafts.push(column("index", index, &[], None));
                if let Some(value) = &axis.value {
                    drafts.push(column("value", value.data.clone(), &value.cell, value.unit.clone()));
                }
            }
        }
    }
    let (times, _) = spread(&Data::Int(table.times_us.clone()), 1, shape);
    let has_gaps = matches!(shape, Shape::Grid { places: Some(_), .. });
    let mut said = attributes(&table.path, Some("microseconds since 1970-01-01".to_owned()), has_gaps);
    said.push(("calendar", Attribute::Text("proleptic_gregorian".to_owned())));
    drafts.push(Draft {
        short: format!("{name}_time"),
        long: format!("{}/{name}_time", table.path),
        dimensions: around.clone(),
        data: times,
        role: Role::Coordinate,
        attributes: said,
    });
    // What a loop writes of itself is its coordinate.
    let own: HashSet<&str> = table
        .axes
        .iter()
        .filter_map(|axis| Some(axis.value.as_ref()?.path.as_str()))
        .collect();
    for column in table
        .columns
        .iter()
        .filter(|column| !own.contains(column.path.as_str()))
    {
        let cell = column.cell.iter().product();
        let (data, has_gaps) = spread(&column.data, cell, shape);
        drafts.push(Draft {
            short: column.name.clone(),
            long: column.path.clone(),
            dimensions: with_cell(&around, &column.cell),
            data,
            role: Role::Measured,
            attributes: attributes(&column.path, column.unit.clone(), has_gaps),
        });
    }
}

/// `root/outer/inner_value`, of a `WhileTask` `root/outer/inner_index`.
fn draft_path(axis: &Axis) -> String {
    let suffix = if axis.value.is_some() { "value" } else { "index" };
    format!("{}_{suffix}", axis.path)
}

/// The dimension of a regular loop. Values that are arrays cannot be the coordinate of a dimension.
fn dimension_of(axis: &Axis, regular: &Regular) -> Wanted {
    let is_coordinate = regular.value.as_ref().is_some_and(|value| value.cell.is_empty());
    let suffix = if is_coordinate { "value" } else { "index" };
    Wanted::Shared {
        short: format!("{}_{suffix}", axis.name()),
        long: format!("{}_{suffix}", axis.path),
        length: regular.length,
    }
}

fn draft_axis(axis: &Axis, regular: &Regular, drafts: &mut Vec<Draft>) {
    let dimension = dimension_of(axis, regular);
    let around = std::slice::from_ref(&dimension);
    let (cell, data, unit, role) = match &regular.value {
        Some(value) if value.cell.is_empty() => (&[][..], value.data.clone(), value.unit.clone(), Role::Dimension),
        Some(value) => (
            &value.cell[..],
            value.data.clone(),
            value.unit.clone(),
            Role::Coordinate,
        ),
        None => {
            let index = (0..regular.length as i64).collect();
            (&[][..], Data::Int(index), None, Role::Dimension)
        }
    };
    let long = draft_path(axis);
    let short = long.rsplit('/').next().unwrap_or(&long).to_owned();
    let has_gaps = matches!(&data, Data::Int(data) if data.contains(&MISSING));
    drafts.push(Draft {
        short,
        long,
        dimensions: with_cell(around, cell),
        data,
        role,
        attributes: attributes(&axis.path, unit, has_gaps),
    });
}

fn with_cell(around: &[Wanted], cell: &[usize]) -> Vec<Wanted> {
    let own = cell.iter().map(|length| Wanted::Own { length: *length });
    around.iter().cloned().chain(own).collect()
}

fn attributes(path: &str, unit: Option<String>, has_gaps: bool) -> Vec<(&'static str, Attribute)> {
    let mut attributes = vec![("long_name", Attribute::Text(path.to_owned()))];
    if let Some(unit) = unit {
        attributes.push(("units", Attribute::Text(unit)));
    }
    if has_gaps {
        attributes.push(("_FillValue", Attribute::Int(MISSING)));
    }
    attributes
}

/// Gives every variable and dimension its name: the coordinates of dimensions first, so that they keep their short ones.
fn assemble(drafts: Vec<Draft>, facts: &Facts) -> Dataset {
    let mut shared: Vec<(String, String, usize)> = Vec::new();
    for draft in &drafts {
        for wanted in &draft.dimensions {
            if let Wanted::Shared { short, long, length } = wanted
                && !shared.iter().any(|(_, known, _)| known == long)
            {
                shared.push((short.clone(), long.clone(), *length));
            }
        }
    }
    let mut taken = HashSet::new();
    let wanted: Vec<(&str, &str)> = shared
        .iter()
        .map(|(short, long, _)| (short.as_str(), long.as_str()))
        .collect();
    let dimension_names = names::unique(&wanted, &mut taken);
    let others: Vec<&Draft> = drafts.iter().filter(|draft| draft.role != Role::Dimension).collect();
    let wanted: Vec<(&str, &str)> = others
        .iter()
        .map(|draft| (draft.short.as_str(), draft.long.as_str()))
        .collect();
    let mut other_names = names::unique(&wanted, &mut taken).into_iter();

    let mut dimensions: Vec<Dimension> = Vec::new();
    for (name, (_, _, length)) in dimension_names.iter().zip(&shared) {
        dimensions.push(Dimension {
            name: name.clone(),
            length: *length,
        });
    }
    let mut variables = Vec::new();
    for draft in drafts {
        let place_of = |long: &str| shared.iter().position(|(_, known, _)| known == long);
        let name = match draft.role {
            Role::Dimension => place_of(&draft.long).map(|at| dimension_names[at].clone()),
            Role::Coordinate | Role::Measured => other_names.next(),
        };
        let name = name.expect("a name was made for each");
        let mut places = Vec::new();
        for wanted in draft.dimensions {
            places.push(match wanted {
                Wanted::Shared { long, .. } => place_of(&long).expect("it was gathered above"),
                Wanted::Own { length } => {
                    let number = places.len() - own_start(&places, &shared);
                    let wanted = format!("{name}_dim{number}");
                    let unique = names::unique(&[(&wanted, &wanted)], &mut taken);
                    dimensions.extend(unique.into_iter().map(|name| Dimension { name, length }));
                    dimensions.len() - 1
                }
            });
        }
        variables.push(Variable {
            name,
            dimensions: places,
            data: draft.data,
            role: draft.role,
            attributes: draft.attributes,
        });
    }
    variables.sort_by_key(|variable| match variable.role {
        Role::Dimension => 0,
        Role::Coordinate => 1,
        Role::Measured => 2,
    });
    let attributes = attributes_of(facts);
    Dataset {
        dimensions,
        variables,
        attributes,
    }
}

/// The facts as attributes: of what there are several, such as data files, a line each.
pub(crate) fn attributes_of(facts: &Facts) -> Vec<(String, String)> {
    let mut attributes = vec![
        ("name".to_owned(), facts.name.clone()),
        ("id".to_owned(), facts.id.clone()),
    ];
    for (name, text) in &facts.items {
        match attributes.iter_mut().find(|(known, _)| known == name) {
            Some((_, several)) => {
                several.push('\n');
                several.push_str(text);
            }
            None => attributes.push((name.clone(), text.clone())),
        }
    }
    attributes
}

/// How many of the dimensions so far are shared ones.
fn own_start(places: &[usize], shared: &[(String, String, usize)]) -> usize {
    places.iter().filter(|place| **place < shared.len()).count()
}

#[cfg(test)]
mod tests;
