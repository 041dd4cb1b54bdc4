//! A run as a picture: which of its variables over which, and as lines or as a map.
//!
//! What is drawn is decided here, for the terminal as well; [`draw`] makes a PNG or SVG of it. Deliberately absent: styles,
//! several panels, fits. Who wants more has the data one export away.

mod chart;
mod colour;
mod scale;

use std::fmt;

pub use chart::draw;
pub use colour::viridis;
pub use scale::Scale;

use crate::{
    dataset::{Dataset, MISSING, Role, Variable},
    table::Data,
};

/// More lines than these in one picture cannot be told apart.
const LINES: usize = 24;

/// What somebody wants to see: names of variables, of which complex ones may be `re(x)`, `im(x)`, `abs(x)`, `phase(x)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    pub x: Option<String>,
    pub y: Vec<String>,
    pub z: Option<String>,
}

/// A picture, ready to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Figure {
    Lines(Lines),
    Map(Map),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Lines {
    pub title: String,
    pub x_label: String,
    pub y_label: String,
    /// Whether the lines are one variable at rising values of another.
    pub is_family: bool,
    pub lines: Vec<Line>,
}

/// Points in the order in which they were measured; NaN where none was.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub label: String,
    pub points: Vec<(f64, f64)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    pub title: String,
    pub x_label: String,
    pub y_label: String,
    pub z_label: String,
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    /// For each `y` a row of `x`.
    pub z: Vec<f64>,
}

/// Why there is nothing to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlotError {
    /// No variable has this name; these there are.
    Unknown { name: String, known: Vec<String> },
    /// It cannot be drawn so.
    Unfit(String),
    /// There is no number in any loop.
    NoNumbers,
}

impl Figure {
    /// What was chosen; where nothing was, the last scalar of the innermost loop over its loop, of two loops as a map.
    ///
    /// # Errors
    /// A name is unknown, or what it names cannot be drawn.
    pub fn of(dataset: &Dataset, choice: &Choice) -> Result<Figure, PlotError> {
        if let Some(z) = &choice.z {
            return map(dataset, &Chosen::named(dataset, z)?, choice);
        }
        if choice.y.is_empty() {
            let chosen = Chosen::by_itself(dataset).ok_or(PlotError::NoNumbers)?;
            let is_map = choice.x.is_none() && chosen.variable.dimensions.len() > 1;
            return if is_map {
                map(dataset, &chosen, choice)
            } else {
                lines(dataset, &[chosen], choice)
            };
        }
        let chosen: Result<Vec<Chosen<'_>>, PlotError> =
            choice.y.iter().map(|name| Chosen::named(dataset, name)).collect();
        lines(dataset, &chosen?, choice)
    }
}

/// A variable as real numbers.
struct Chosen<'a> {
    variable: &'a Variable,
    label: String,
    numbers: Vec<f64>,
}

impl<'a> Chosen<'a> {
    fn named(dataset: &'a Dataset, text: &str) -> Result<Chosen<'a>, PlotError> {
        let call = text.trim().strip_suffix(')').and_then(|text| text.split_once('('));
        let (part, name) = call.map_or((None, text.trim()), |(part, name)| (Some(part.trim()), name.trim()));
        let by_path = |variable: &&Variable| variable.path() == Some(name);
        let variable = dataset
            .variable(name)
            .or_else(|| dataset.variables.iter().find(by_path));
        let variable = variable.ok_or_else(|| PlotError::Unknown {
            name: name.to_owned(),
            known: dataset.variables.iter().map(|variable| variable.name.clone()).collect(),
        })?;
        let part = match part {
            None => None,
            Some(part) => Some(Part::named(part).ok_or_else(|| {
                PlotError::Unfit(format!(
                    "`{part}` is no part of a number; `re`, `im`, `abs` and `phase` are"
                ))
            })?),
        };
        Chosen::of(variable, part)
            .ok_or_else(|| PlotError::Unfit(format!("`{name}` holds texts, which have no place on an axis")))
    }

    /// The last scalar of the innermost loop, else the last array of it; what never changes only if nothing else is there.
    fn by_itself(dataset: &'a Dataset) -> Option<Chosen<'a>> {
        let is_over_something =
            |variable: &&Variable| variable.role == Role::Measured && !variable.dimensions.is_empty();
        let measured = dataset.variables.iter().filter(is_over_something);
        // Dimensions of cells are of no loop.
        let loops = |variable: &Variable| variable.dimensions.iter().filter(|at| dataset.is_loop(**at)).count();
        let worth = |chosen: &Chosen<'_>| {
            let own = loops(chosen.variable);
            (own, chosen.changes(), own == chosen.variable.dimensions.len())
        };
        measured
            .filter_map(|variable| Chosen::of(variable, None))
            .max_by_key(worth)
    }

    fn changes(&self) -> bool {
        let mut finite = self.numbers.iter().filter(|number| number.is_finite());
        let first = finite.next();
        finite.any(|number| Some(number) != first)
    }

    /// Nothing of texts.
    fn of(variable: &'a Variable, part: Option<Part>) -> Option<Chosen<'a>> {
        let numbers: Vec<f64> = match &variable.data {
            Data::Bool(data) => data.iter().map(|value| f64::from(u8::from(*value))).collect(),
            Data::Int(data) => data
                .iter()
                .map(|value| if *value == MISSING { f64::NAN } else { *value as f64 })
                .collect(),
            Data::Float(data) => data.clone(),
            Data::Complex(data) => {
                let part = part.unwrap_or(Part::Abs);
                data.iter().map(|value| part.of(*value)).collect()
            }
            Data::Text(_) => return None,
        };
        let is_complex = matches!(variable.data, Data::Complex(_));
        let (mut label, mut unit) = (variable.name.clone(), variable.unit().map(str::to_owned));
        let mut numbers = numbers;
        if variable.is_time() {
            let first = numbers.iter().copied().fold(f64::INFINITY, f64::min);
            numbers.iter_mut().for_each(|time| *time = (*time - first) / 1e6);
            unit = Some("s".to_owned());
        } else if let (true, part) = (is_complex, part.unwrap_or(Part::Abs)) {
            label = part.label(&label);
            if part == Part::Phase {
                unit = Some("rad".to_owned());
            }
        } else if let Some(part) = part {
            label = part.label(&label);
            numbers.iter_mut().for_each(|value| *value = part.of((*value).into()));
        }
        let label = unit.map_or(label.clone(), |unit| format!("{label} ({unit})"));
        Some(Chosen {
            variable,
            label,
            numbers,
        })
    }
}

/// A part of a complex number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Re,
    Im,
    Abs,
    Phase,
}

impl Part {
    fn named(name: &str) -> Option<Part> {
        match name {
            "re" | "real" => Some(Part::Re),
            "im" | "imag" => Some(Part::Im),
            "abs" => Some(Part::Abs),
            "phase" | "angle" => Some(Part::Phase),
            _ => None,
        }
    }

    fn of(self, value: num_complex::Complex64) -> f64 {
        match self {
            Part::Re => value.re,
            Part::Im => value.im,
            Part::Abs => value.norm(),
            Part::Phase => value.arg(),
        }
    }

    fn label(self, name: &str) -> String {
        match self {
            Part::Re => format!("re {name}"),
            Part::Im => format!("im {name}"),
            Part::Abs => format!("|{name}|"),
            Part::Phase => format!("phase {name}"),
        }
    }
}

/// The numbers along a dimension: its coordinate, of a flat table its innermost loop's value, else 0, 1, 2 …
fn along(dataset: &Dataset, dimension: usize) -> (String, Vec<f64>) {
    let own = &dataset.dimensions[dimension];
    let over = |variable: &&Variable| variable.dimensions == [dimension] && !variable.is_time();
    let coordinates = dataset
        .variables
        .iter()
        .filter(|variable| variable.role != Role::Measured)
        .filter(over);
    let coordinates: Vec<Chosen<'_>> = coordinates.filter_map(|variable| Chosen::of(variable, None)).collect();
    let best = coordinates
        .iter()
        .find(|chosen| chosen.variable.role == Role::Dimension)
        .or(coordinates.last());
    match best {
        Some(chosen) => (chosen.label.clone(), chosen.numbers.clone()),
        None => (own.name.clone(), (0..own.length).map(|at| at as f64).collect()),
    }
}

/// `field_value = 0.5 T`, of the label `field_value (T)`.
fn at_value(label: &str, value: f64) -> String {
    let value = Scale::number(value);
    match label.strip_suffix(')').and_then(|label| label.rsplit_once(" (")) {
        Some((name, unit)) => format!("{name} = {value} {unit}"),
        None => format!("{label} = {value}"),
    }
}

/// `cool_down_001`.
fn title(dataset: &Dataset) -> String {
    let fact = |wanted: &str| {
        dataset
            .attributes
            .iter()
            .find(|(name, _)| name == wanted)
            .map_or("", |(_, text)| text)
    };
    match fact("id") {
        "" => fact("name").to_owned(),
        id => format!("{}_{id}", fact("name")),
    }
}

fn map(dataset: &Dataset, z: &Chosen<'_>, choice: &Choice) -> Result<Figure, PlotError> {
    let dimensions = &z.variable.dimensions;
    let [.., outer, inner] = dimensions.as_slice() else {
        return Err(PlotError::Unfit(format!(
            "`{}` is no map: it has fewer than two dimensions",
            z.variable.name
        )));
    };
    let named = |wanted: &String| {
        let found = dimensions
            .iter()
            .find(|at| dataset.dimensions[**at].name == *wanted)
            .copied();
        found.ok_or_else(|| {
            let names: Vec<String> = dataset
                .dimension_names(z.variable)
                .map(|name| format!("`{name}`"))
                .collect();
            PlotError::Unfit(format!(
                "`{wanted}` is no dimension of `{}`, which has {}",
                z.variable.name,
                names.join(", ")
            ))
        })
    };
    let (x, y) = (
        choice.x.as_ref().map(named).transpose()?,
        choice.y.first().map(named).transpose()?,
    );
    let (x, y) = match (x, y) {
        (Some(x), Some(y)) if x == y => return Err(PlotError::Unfit("x and y are the same dimension".to_owned())),
        (Some(x), Some(y)) => (x, y),
        (Some(x), None) => (x, if x == *inner { *outer } else { *inner }),
        (None, Some(y)) => (if y == *inner { *outer } else { *inner }, y),
        (None, None) => (*inner, *outer),
    };
    let mut title = title(dataset);
    let shape = dataset.shape(z.variable);
    let stride = |at: usize| shape[at + 1..].iter().product::<usize>();
    let (mut x_stride, mut y_stride, mut first) = (0, 0, 0);
    for (at, dimension) in dimensions.iter().enumerate() {
        if *dimension == x {
            x_stride = stride(at);
        } else if *dimension == y {
            y_stride = stride(at);
        } else if let Some(last) = shape[at].checked_sub(1) {
            // Of what is around the map the last is shown.
            let (label, values) = along(dataset, *dimension);
            title.push_str(&format!(", {}", at_value(&label, values[last])));
            first += last * stride(at);
        }
    }
    let ((x_label, xs), (y_label, ys)) = (along(dataset, x), along(dataset, y));
    let row = |y: usize| (0..xs.len()).map(move |x| first + y * y_stride + x * x_stride);
    let places = (0..ys.len()).flat_map(row);
    let values: Vec<f64> = places.map(|place| z.numbers[place]).collect();
    let is_drawable = values.iter().any(|value| value.is_finite());
    if !is_drawable {
        return Err(PlotError::Unfit(format!(
            "`{}` holds no finite number",
            z.variable.name
        )));
    }
    Ok(Figure::Map(Map {
        title,
        x_label,
        y_label,
        z_label: z.label.clone(),
        x: xs,
        y: ys,
        z: values,
    }))
}

fn lines(dataset: &Dataset, chosen: &[Chosen<'_>], choice: &Choice) -> Result<Figure, PlotError> {
    let x = choice.x.as_ref().map(|name| Chosen::named(dataset, name)).transpose()?;
    let mut lines = Vec::new();
    let mut x_label = String::new();
    let mut is_family = false;
    for y in chosen {
        let direction = direction(y, x.as_ref())?;
        let (label, xs) = match &x {
            Some(x) => (x.label.clone(), spread(dataset, x, y)),
            None => {
                let (label, values) = along(dataset, y.variable.dimensions[direction]);
                let (length, inner) = (values.len(), inner_points(dataset, y, direction));
                (
                    label,
                    (0..y.numbers.len())
                        .map(|at| values[at / inner % length.max(1)])
                        .collect(),
                )
            }
        };
        if x_label.is_empty() {
            x_label = label;
        } else if x_label != label {
            return Err(PlotError::Unfit(format!(
                "`{x_label}` and `{label}` cannot be one axis: draw them one by one"
            )));
        }
        let family = family(dataset, y, direction);
        is_family |= family.len() > 1;
        let several = family.len() > LINES;
        // Evenly from all, the first and the last among them.
        let shown = if several { LINES } else { family.len() };
        for number in 0..shown {
            let at = if several {
                number * (family.len() - 1) / (shown - 1)
            } else {
                number
            };
            let (values, places) = &family[at];
            let label = match (values.as_str(), chosen.len()) {
                ("", _) => y.label.clone(),
                (values, 1) => values.to_owned(),
                (values, _) => format!("{}, {values}", y.variable.name),
            };
            let points = places.iter().map(|place| (xs[*place], y.numbers[*place])).collect();
            lines.push(Line { label, points });
        }
    }
    let is_drawable = |line: &Line| line.points.iter().any(|(x, y)| x.is_finite() && y.is_finite());
    if !lines.iter().any(is_drawable) {
        return Err(PlotError::Unfit(format!(
            "`{}` holds no finite number",
            chosen[0].variable.name
        )));
    }
    let y_label = match chosen {
        [only] => only.label.clone(),
        several => several
            .iter()
            .map(|chosen| chosen.label.as_str())
            .collect::<Vec<_>>()
            .join(", "),
    };
    let is_family = is_family && chosen.len() == 1;
    Ok(Figure::Lines(Lines {
        title: title(dataset),
        x_label,
        y_label,
        is_family,
        lines,
    }))
}

/// Which of the dimensions of `y` the lines run along: the one of `x`, else the innermost.
fn direction(y: &Chosen<'_>, x: Option<&Chosen<'_>>) -> Result<usize, PlotError> {
    let own = &y.variable.dimensions;
    let last = own.len().checked_sub(1);
    let unfit = || PlotError::Unfit(format!("`{}` is a single value", y.variable.name));
    let Some(x) = x else {
        return last.ok_or_else(unfit);
    };
    let found = x
        .variable
        .dimensions
        .last()
        .and_then(|at| own.iter().position(|own| own == at));
    let all_shared = x.variable.dimensions.iter().all(|at| own.contains(at));
    found.filter(|_| all_shared).ok_or_else(|| {
        PlotError::Unfit(format!(
            "`{}` is not measured over what `{}` is",
            y.variable.name, x.variable.name
        ))
    })
}

/// Points of the dimensions inside one.
fn inner_points(dataset: &Dataset, y: &Chosen<'_>, direction: usize) -> usize {
    dataset.shape(y.variable)[direction + 1..]
        .iter()
        .product::<usize>()
        .max(1)
}

/// The numbers of `x`, repeated over the dimensions that only `y` has.
fn spread(dataset: &Dataset, x: &Chosen<'_>, y: &Chosen<'_>) -> Vec<f64> {
    let (lengths, own) = (dataset.shape(y.variable), dataset.shape(x.variable));
    let stride = |dimension: &usize| {
        let place = x.variable.dimensions.iter().position(|own| own == dimension);
        place.map_or(0, |place| own[place + 1..].iter().product::<usize>())
    };
    let strides: Vec<usize> = y.variable.dimensions.iter().map(stride).collect();
    let place = |at: usize| {
        let (mut rest, mut place) = (at, 0);
        for (length, stride) in lengths.iter().zip(&strides).rev() {
            place += rest % length * stride;
            rest /= length;
        }
        place
    };
    (0..y.numbers.len()).map(|at| x.numbers[place(at)]).collect()
}

/// The lines of `y` along a dimension: for each point of its other dimensions their values, and the places of its numbers.
fn family(dataset: &Dataset, y: &Chosen<'_>, direction: usize) -> Vec<(String, Vec<usize>)> {
    let shape = dataset.shape(y.variable);
    let inner = inner_points(dataset, y, direction);
    let outer: usize = shape[..direction].iter().product();
    let others: Vec<(String, Vec<f64>)> = y.variable.dimensions.iter().map(|at| along(dataset, *at)).collect();
    let mut family = Vec::new();
    for first in (0..outer).flat_map(|outer| (0..inner).map(move |within| (outer, within))) {
        let start = first.0 * shape[direction] * inner + first.1;
        let mut words = Vec::new();
        let mut rest = start;
        for (at, length) in shape.iter().enumerate().rev() {
            if at != direction {
                words.push(at_value(&others[at].0, others[at].1[rest % length]));
            }
            rest /= length;
        }
        words.reverse();
        family.push((
            words.join(", "),
            (0..shape[direction]).map(|step| start + step * inner).collect(),
        ));
    }
    family
}

impl fmt::Display for PlotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlotError::Unknown { name, known } => {
                let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "no variable `{name}`; there are {}", known.join(", "))
            }
            PlotError::Unfit(why) => f.write_str(why),
            PlotError::NoNumbers => f.write_str("there is no number in any loop"),
        }
    }
}

impl std::error::Error for PlotError {}
