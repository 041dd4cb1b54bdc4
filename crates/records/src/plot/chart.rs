//! Pictures as files: PNG for a notebook, SVG for a paper.
//!
//! The letters come with the program, so that a picture looks the same on a machine without fonts.

use std::{path::Path, sync::Once};

use plotters::{
    coord::{
        Shift,
        ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter},
    },
    prelude::*,
    style::{FontStyle, register_font},
};

use super::{Figure, Line, Lines, Map, Scale, colour};
use crate::export::{Existing, ExportError, aside};

/// In pixels.
const SIZE: (u32, u32) = (1200, 800);
const FONT: &str = "sans-serif";
const TITLE: i32 = 26;
const LABEL: i32 = 24;
const TICK: i32 = 20;
/// A line of more points is drawn by its extremes.
const POINTS: usize = 4000;
/// A line of not more points shows each of them.
const MARKED: usize = 60;
/// A PNG of a map of more rows or columns is drawn by the means of neighbours: there are no more pixels.
const CELLS: usize = 500;
/// An SVG has a rectangle for each cell, which viewers take their time for.
const CELLS_OF_SVG: usize = 150;

type Area<'a, B> = DrawingArea<B, Shift>;
type Drawn<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// Draws a picture into a file: PNG, or SVG if its name ends so.
///
/// # Errors
/// The name ends otherwise, the file exists, or cannot be written.
pub fn draw(figure: &Figure, path: &Path, existing: Existing) -> Result<(), ExportError> {
    static LETTERS: Once = Once::new();
    LETTERS.call_once(|| {
        // A font that cannot be read leaves a picture without letters.
        register_font(FONT, FontStyle::Normal, dejavu::sans::regular()).ok();
    });
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let failed = |error: &dyn std::error::Error| ExportError::Unfit(format!("the picture cannot be drawn: {error}"));
    let bytes = match ending.as_str() {
        "svg" => {
            let mut text = String::new();
            picture(figure, CELLS_OF_SVG, SVGBackend::with_string(&mut text, SIZE)).map_err(|error| failed(&error))?;
            text.into_bytes()
        }
        "png" => {
            let mut pixels = vec![255; (SIZE.0 * SIZE.1 * 3) as usize];
            picture(figure, CELLS, BitMapBackend::with_buffer(&mut pixels, SIZE)).map_err(|error| failed(&error))?;
            png(&pixels).map_err(|error| failed(&error))?
        }
        _ => {
            return Err(ExportError::Unfit(format!(
                "`{}` is no picture: its name should end with .png or .svg",
                path.display()
            )));
        }
    };
    aside::file(path, existing, |out| out.write_all(&bytes))
}

fn png(pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIZE.0, SIZE.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header()?.write_image_data(pixels)?;
    Ok(bytes)
}

fn picture<B: DrawingBackend>(figure: &Figure, cells: usize, backend: B) -> Drawn<B> {
    let area = backend.into_drawing_area();
    area.fill(&WHITE)?;
    let title = match figure {
        Figure::Lines(lines) => &lines.title,
        Figure::Map(map) => &map.title,
    };
    let area = area.titled(title, (FONT, TITLE))?;
    match figure {
        Figure::Lines(figure) => lines(figure, &area)?,
        Figure::Map(figure) => map(&coarser(figure, cells), &area)?,
    }
    area.present()
}

fn lines<B: DrawingBackend>(figure: &Lines, area: &Area<'_, B>) -> Drawn<B> {
    let all = || {
        figure
            .lines
            .iter()
            .flat_map(|line| &line.points)
            .filter(|(x, y)| x.is_finite() && y.is_finite())
    };
    let x = Scale::of(all().map(|(x, _)| *x), 8).with_margin(0.02, 8);
    let y = Scale::of(all().map(|(_, y)| *y), 6).with_margin(0.05, 6);
    let many = figure.lines.len();
    let longest = figure
        .lines
        .iter()
        .map(|line| line.label.chars().count())
        .max()
        .unwrap_or(0);
    // Letters are about 11 pixels wide. Beside the lines the legend hides none of them.
    let beside = if many > 1 {
        (40 + 11 * longest as u32).min(SIZE.0 / 2)
    } else {
        0
    };
    let (left, legend) = area.split_horizontally(SIZE.0 - beside);
    let mut chart = ChartBuilder::on(&left)
        .margin(12)
        .margin_right(30)
        .x_label_area_size(70)
        .y_label_area_size(110)
        .build_cartesian_2d(ticked(&x), ticked(&y))?;
    let mut mesh = chart.configure_mesh();
    mesh.x_desc(x.label(&figure.x_label))
        .y_desc(y.label(&figure.y_label))
        .axis_desc_style((FONT, LABEL))
        .label_style((FONT, TICK))
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .draw()?;
    drop(mesh);
    for (number, line) in figure.lines.iter().enumerate() {
        let [red, green, blue] = match figure.is_family {
            // The brightest yellow is faint on white.
            true => colour::viridis(0.9 * number as f64 / (many - 1).max(1) as f64),
            false => colour::of_line(number),
        };
        let colour = RGBColor(red, green, blue);
        for run in runs(line) {
            chart.draw_series(LineSeries::new(fewer(run), colour.stroke_width(3)))?;
            if run.len() <= MARKED {
                chart.draw_series(run.iter().map(|point| Circle::new(*point, 5, colour.filled())))?;
            }
        }
        if many > 1 {
            // From top to bottom, each beside a stroke of its colour.
            let (y, right) = (24 + number as i32 * 28, &legend);
            right.draw(&PathElement::new([(0, y + 10), (26, y + 10)], colour.stroke_width(4)))?;
            right.draw(&Text::new(line.label.clone(), (34, y), (FONT, TICK)))?;
        }
    }
    Ok(())
}

/// The stretches of a line without a gap.
fn runs(line: &Line) -> impl Iterator<Item = &[(f64, f64)]> {
    let is_gap = |(x, y): &(f64, f64)| !x.is_finite() || !y.is_finite();
    line.points.split(is_gap).filter(|run| !run.is_empty())
}

/// The points that a picture can show: of neighbours beyond its pixels the lowest and the highest, in their order.
fn fewer(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= POINTS {
        return points.to_vec();
    }
    let extremes = |neighbours: &[(f64, f64)]| {
        let by_height = |one: &&(f64, f64), other: &&(f64, f64)| one.1.total_cmp(&other.1);
        let place = |point: &(f64, f64)| neighbours.iter().position(|other| std::ptr::eq(other, point));
        let (low, high) = (neighbours.iter().min_by(by_height), neighbours.iter().max_by(by_height));
        let mut places: Vec<usize> = low.into_iter().chain(high).filter_map(place).collect();
        places.sort_unstable();
        places.into_iter().map(|place| neighbours[place]).collect::<Vec<_>>()
    };
    points
        .chunks(points.len().div_ceil(POINTS / 2))
        .flat_map(extremes)
        .collect()
}

fn map<B: DrawingBackend>(figure: &Map, area: &Area<'_, B>) -> Drawn<B> {
    let z = Scale::of(figure.z.iter().copied(), 6);
    let (x_edges, y_edges) = (edges(&figure.x), edges(&figure.y));
    let (x, y) = (
        Scale::of(x_edges.iter().copied(), 8),
        Scale::of(y_edges.iter().copied(), 6),
    );
    let (width, _) = area.dim_in_pixel();
    let (left, right) = area.split_horizontally(width - 190);
    let mut chart = ChartBuilder::on(&left)
        .margin(12)
        .x_label_area_size(70)
        .y_label_area_size(110)
        .build_cartesian_2d(ticked(&x), ticked(&y))?;
    chart
        .configure_mesh()
        .disable_mesh()
        .x_desc(x.label(&figure.x_label))
        .y_desc(y.label(&figure.y_label))
        .axis_desc_style((FONT, LABEL))
        .label_style((FONT, TICK))
        .draw()?;
    let columns = figure.x.len();
    let cells = figure.z.iter().enumerate().filter(|(_, value)| value.is_finite());
    chart.draw_series(cells.map(|(at, value)| {
        let (row, column) = (at / columns, at % columns);
        let from = (x_edges[column], y_edges[row]);
        let to = (x_edges[column + 1], y_edges[row + 1]);
        Rectangle::new([from, to], shade(&z, *value).filled())
    }))?;
    let mut bar = ChartBuilder::on(&right)
        .margin(12)
        .margin_bottom(82)
        .margin_left(0)
        .right_y_label_area_size(130)
        .build_cartesian_2d(0.0..1.0, ticked(&z))?;
    let part = (z.high - z.low) / 256.0;
    bar.draw_series((0..256).map(|at| {
        let low = z.low + f64::from(at) * part;
        Rectangle::new([(0.0, low), (1.0, low + part)], shade(&z, low).filled())
    }))?;
    bar.configure_mesh()
        .disable_mesh()
        .disable_x_axis()
        .y_desc(z.label(&figure.z_label))
        .axis_desc_style((FONT, LABEL))
        .label_style((FONT, TICK))
        .draw()
}

fn shade(z: &Scale, value: f64) -> RGBColor {
    let [red, green, blue] = colour::viridis((value - z.low) / (z.high - z.low));
    RGBColor(red, green, blue)
}

/// An axis of a picture, with the ticks of a scale and as the scale writes them.
struct Ticked(Scale);

impl Ranged for Ticked {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        // What is far outside, at the ends of what floats can hold, is not drawn pixel by pixel.
        let share = ((value - self.0.low) / (self.0.high - self.0.low)).clamp(-1.0, 2.0);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.0.ticks.clone()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.0.low..self.0.high
    }
}

impl ValueFormatter<f64> for Ticked {
    fn format_ext(&self, value: &f64) -> String {
        self.0.tick(*value)
    }
}

fn ticked(scale: &Scale) -> Ticked {
    Ticked(scale.clone())
}

/// The edges of cells around points: midway between neighbours.
fn edges(points: &[f64]) -> Vec<f64> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return vec![0.0, 1.0];
    };
    let (Some(second), Some(before)) = (points.get(1), points.len().checked_sub(2).map(|at| points[at])) else {
        return vec![first - 0.5, last + 0.5];
    };
    let inner = points.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0);
    let begin = first - (second - first) / 2.0;
    let end = last + (last - before) / 2.0;
    std::iter::once(begin).chain(inner).chain([end]).collect()
}

/// A map of not more rows and columns of cells, each the mean of what is finite of its neighbours.
fn coarser(figure: &Map, cells: usize) -> Map {
    let (columns, rows) = (figure.x.len(), figure.y.len());
    let (across, down) = (columns.div_ceil(cells), rows.div_ceil(cells));
    if across <= 1 && down <= 1 {
        return figure.clone();
    }
    let mean = |numbers: &mut dyn Iterator<Item = f64>| {
        let (sum, many) = numbers
            .filter(|number| number.is_finite())
            .fold((0.0, 0.0), |(sum, many), number| (sum + number, many + 1.0));
        sum / many
    };
    let means = |points: &[f64], by: usize| {
        points
            .chunks(by)
            .map(|some| mean(&mut some.iter().copied()))
            .collect::<Vec<f64>>()
    };
    let (x, y) = (means(&figure.x, across), means(&figure.y, down));
    let cell = |row: usize, column: usize| {
        let rows = row * down..rows.min((row + 1) * down);
        let columns_of = move || column * across..columns.min((column + 1) * across);
        mean(
            &mut rows
                .flat_map(|row| columns_of().map(move |column| row * columns + column))
                .map(|at| figure.z[at]),
        )
    };
    let z = (0..y.len()).flat_map(|row| (0..x.len()).map(move |column| (row, column)));
    let z = z.map(|(row, column)| cell(row, column)).collect();
    Map {
        x,
        y,
        z,
        ..figure.clone()
    }
}
