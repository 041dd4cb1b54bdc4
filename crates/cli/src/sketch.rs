//! A picture of a run in letters: lines as dots of Braille, maps as blocks, for a look without leaving the terminal.
//!
//! Where no colours are shown a map is drawn in shades. Deliberately absent: anything that moves.

use std::fmt::Write;

use records::{Figure, Lines, Map, Scale, viridis};

use crate::terminal::{Paint, harmless};

/// Rows of a sketch.
const HEIGHT: usize = 16;
/// Columns of a sketch that is not for a terminal, and the most on a wide one.
const WIDEST: usize = 100;
/// Dots of a letter of Braille by column and row.
const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
/// Of a map without colours, from little to much.
const SHADES: [char; 5] = ['·', '░', '▒', '▓', '█'];

/// The picture, not wider than so many columns.
pub(crate) fn sketch(figure: &Figure, width: usize, paint: Paint) -> String {
    let width = width.clamp(40, WIDEST);
    match figure {
        Figure::Lines(lines) => sketch_lines(lines, width, paint),
        Figure::Map(map) => sketch_map(map, width, paint),
    }
}

fn sketch_lines(figure: &Lines, width: usize, paint: Paint) -> String {
    let all = || {
        figure
            .lines
            .iter()
            .flat_map(|line| &line.points)
            .filter(|(x, y)| x.is_finite() && y.is_finite())
    };
    let x = Scale::of(all().map(|(x, _)| *x), 5);
    let y = Scale::of(all().map(|(_, y)| *y), 4);
    let frame = Frame::new(x, y, width);
    let mut canvas = Canvas::new(frame.columns, HEIGHT);
    for (number, line) in figure.lines.iter().enumerate() {
        let mut before: Option<(f64, f64)> = None;
        for (at_x, at_y) in &line.points {
            let here = (at_x.is_finite() && at_y.is_finite()).then(|| {
                let across = share(&frame.x, *at_x) * (canvas.columns * 2 - 1) as f64;
                let down = (1.0 - share(&frame.y, *at_y)) * (HEIGHT * 4 - 1) as f64;
                (across, down)
            });
            if let Some(here) = here {
                canvas.stroke(before.unwrap_or(here), here, number);
            }
            before = here;
        }
    }
    let many = figure.lines.len();
    let colour = |number: usize| match figure.is_family {
        true => viridis(0.15 + 0.85 * number as f64 / (many - 1).max(1) as f64),
        false => LINES[number % LINES.len()],
    };
    let mut text = format!("{}\n", paint.strong(&harmless(&frame.y.label(&figure.y_label))));
    for row in 0..HEIGHT {
        let _ = write!(text, "{}", frame.left(row));
        for column in 0..canvas.columns {
            let (dots, number) = canvas.cells[row * canvas.columns + column];
            let letter = char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ');
            match dots {
                0 => text.push(' '),
                _ => text.push_str(&paint.rgb(colour(number), None, &letter.to_string())),
            }
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    text.push_str(&frame.below(&figure.x_label, paint));
    if many > 1 {
        for (number, line) in figure.lines.iter().enumerate() {
            let _ = writeln!(
                text,
                "  {} {}",
                paint.rgb(colour(number), None, "──"),
                harmless(&line.label)
            );
        }
    }
    text
}

/// As [`records::draw`] has them, brighter: terminals are dark as often as not.
const LINES: [[u8; 3]; 6] = [
    [86, 180, 233],
    [230, 120, 30],
    [0, 178, 130],
    [220, 130, 180],
    [230, 159, 0],
    [150, 150, 150],
];

fn sketch_map(figure: &Map, width: usize, paint: Paint) -> String {
    let z = Scale::of(figure.z.iter().copied(), 4);
    let frame = Frame::new(
        Scale::of(figure.x.iter().copied(), 5),
        Scale::of(figure.y.iter().copied(), 4),
        width,
    );
    // Half a letter is a cell where there are colours: it is about as wide as high.
    let rows = match paint {
        Paint::Coloured => HEIGHT * 2,
        Paint::Plain => HEIGHT,
    };
    let (x_cells, y_cells) = (
        nearest(&figure.x, &frame.x, frame.columns),
        nearest(&figure.y, &frame.y, rows),
    );
    let value = |row: usize, column: usize| {
        let at = y_cells[rows - 1 - row].zip(x_cells[column]);
        at.map(|(y, x)| figure.z[y * figure.x.len() + x])
            .filter(|value| value.is_finite())
    };
    let mut text = format!("{}\n", paint.strong(&harmless(&frame.y.label(&figure.y_label))));
    for row in 0..HEIGHT {
        text.push_str(&frame.left(row));
        for column in 0..frame.columns {
            match paint {
                Paint::Plain => text.push(value(row, column).map_or(' ', |value| {
                    SHADES[((share(&z, value) * SHADES.len() as f64) as usize).min(SHADES.len() - 1)]
                })),
                Paint::Coloured => {
                    let colour = |value: f64| viridis(share(&z, value));
                    let (above, below) = (
                        value(row * 2, column).map(colour),
                        value(row * 2 + 1, column).map(colour),
                    );
                    match (above, below) {
                        (None, None) => text.push(' '),
                        (Some(above), below) => text.push_str(&paint.rgb(above, below, "▀")),
                        (None, Some(below)) => text.push_str(&paint.rgb(below, None, "▄")),
                    }
                }
            }
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    text.push_str(&frame.below(&figure.x_label, paint));
    let ramp: String = match paint {
        Paint::Plain => SHADES.iter().collect(),
        Paint::Coloured => (0..20)
            .map(|at| paint.rgb(viridis(f64::from(at) / 19.0), None, "█"))
            .collect(),
    };
    let _ = writeln!(
        text,
        "  {}: {} {ramp} {}",
        harmless(&figure.z_label),
        Scale::number(z.low),
        Scale::number(z.high)
    );
    text
}

/// For each cell of a scale the point that is nearest to its middle.
fn nearest(points: &[f64], scale: &Scale, cells: usize) -> Vec<Option<usize>> {
    let middle = |cell: usize| scale.low + (scale.high - scale.low) * (cell as f64 + 0.5) / cells as f64;
    let nearest_to = |middle: f64| {
        let distance = |at: &usize| (points[*at] - middle).abs();
        (0..points.len())
            .filter(|at| points[*at].is_finite())
            .min_by(|one, other| distance(one).total_cmp(&distance(other)))
    };
    (0..cells).map(|cell| nearest_to(middle(cell))).collect()
}

fn share(scale: &Scale, value: f64) -> f64 {
    ((value - scale.low) / (scale.high - scale.low)).clamp(0.0, 1.0)
}

/// The axes around a sketch.
struct Frame {
    x: Scale,
    y: Scale,
    /// Columns of what is inside.
    columns: usize,
    /// What stands left of each row.
    marks: Vec<String>,
    left: usize,
}

impl Frame {
    fn new(x: Scale, y: Scale, width: usize) -> Frame {
        let mut marks = vec![String::new(); HEIGHT];
        for tick in &y.ticks {
            let row = ((1.0 - share(&y, *tick)) * (HEIGHT - 1) as f64).round() as usize;
            marks[row] = y.tick(*tick);
        }
        let left = marks.iter().map(|mark| mark.chars().count()).max().unwrap_or(0);
        Frame {
            x,
            y,
            columns: width.saturating_sub(left + 2).max(10),
            marks,
            left,
        }
    }

    fn left(&self, row: usize) -> String {
        let mark = &self.marks[row];
        format!(
            "{}{mark} {}",
            " ".repeat(self.left - mark.chars().count()),
            if mark.is_empty() { '│' } else { '┤' }
        )
    }

    /// The horizontal axis: a line, its ticks, its label.
    fn below(&self, label: &str, paint: Paint) -> String {
        let mut line: Vec<char> = vec!['─'; self.columns];
        let mut numbers: Vec<char> = vec![' '; self.columns + self.left + 2];
        for tick in &self.x.ticks {
            let column = (share(&self.x, *tick) * (self.columns - 1) as f64).round() as usize;
            line[column] = '┬';
            let text: Vec<char> = self.x.tick(*tick).chars().collect();
            let most = numbers.len().saturating_sub(text.len());
            let start = (column + self.left + 2).saturating_sub(text.len() / 2).min(most);
            // A number that would touch another is left out.
            let around = start.saturating_sub(1)..(start + text.len() + 1).min(numbers.len());
            if numbers[around].iter().all(|c| *c == ' ') {
                numbers[start..start + text.len()].copy_from_slice(&text);
            }
        }
        let numbers: String = numbers.into_iter().collect();
        let label = harmless(&self.x.label(label));
        let indent = (self.left + 2 + self.columns).saturating_sub(label.chars().count());
        format!(
            "{} └{}\n{}\n{}{}\n",
            " ".repeat(self.left),
            line.into_iter().collect::<String>(),
            numbers.trim_end(),
            " ".repeat(indent),
            paint.strong(&label)
        )
    }
}

/// Dots, and of each letter the line that drew in it last.
struct Canvas {
    columns: usize,
    cells: Vec<(u8, usize)>,
}

impl Canvas {
    fn new(columns: usize, rows: usize) -> Canvas {
        Canvas {
            columns,
            cells: vec![(0, 0); columns * rows],
        }
    }

    /// A straight stroke between two places, counted in dots.
    fn stroke(&mut self, from: (f64, f64), to: (f64, f64), line: usize) {
        let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil().max(1.0) as usize;
        for step in 0..=steps {
            let part = step as f64 / steps as f64;
            let across = (from.0 + (to.0 - from.0) * part).round() as usize;
            let down = (from.1 + (to.1 - from.1) * part).round() as usize;
            if let Some(cell) = self.cells.get_mut(down / 4 * self.columns + across / 2) {
                *cell = (cell.0 | DOTS[across % 2][down % 4], line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use records::Line;

    use super::*;

    #[test]
    fn a_line_is_drawn_in_dots_with_its_axes() {
        let points = (0..=10).map(|at| (f64::from(at), f64::from(at * at))).collect();
        let figure = Figure::Lines(Lines {
            title: "t".to_owned(),
            x_label: "x (V)".to_owned(),
            y_label: "y (A)".to_owned(),
            is_family: false,
            lines: vec![Line {
                label: "y".to_owned(),
                points,
            }],
        });
        assert_eq!(
            sketch(&figure, 44, Paint::Plain),
            "y (A)
100 ┤                                     ⢀⠎
    │                                    ⢠⠃
    │                                   ⡰⠁
 80 ┤                                 ⢀⠜
    │                                ⡠⠊
    │                               ⡔⠁
 60 ┤                             ⡠⠊
    │                           ⢠⠊
    │                         ⢀⠔⠁
 40 ┤                       ⢀⡠⠃
    │                     ⢀⠔⠁
    │                   ⢠⠔⠁
 20 ┤                 ⡠⠒⠁
    │             ⢀⡠⠒⠉
    │         ⣀⡠⠔⠊⠁
  0 ┤⣀⣀⣀⡠⠤⠤⠒⠊⠉
    └┬───────┬──────┬───────┬──────┬───────┬
     0       2      4       6      8      10
                                       x (V)
"
        );
    }

    #[test]
    fn a_map_without_colours_is_drawn_in_shades() {
        let figure = Figure::Map(Map {
            title: "t".to_owned(),
            x_label: "x".to_owned(),
            y_label: "y".to_owned(),
            z_label: "z (V)".to_owned(),
            x: vec![0.0, 1.0],
            y: vec![0.0, 1.0],
            z: vec![0.0, 0.5, 1.0, f64::NAN],
        });
        let text = sketch(&figure, 40, Paint::Plain);
        let shaded = |row: usize| {
            text.lines()
                .nth(row)
                .expect("a row")
                .split(['│', '┤'])
                .nth(1)
                .expect("a frame")
                .to_owned()
        };
        assert_eq!(shaded(1), "█".repeat(18));
        assert_eq!(shaded(16), "·".repeat(18) + &"▒".repeat(17));
        assert!(text.ends_with("  z (V): 0 ·░▒▓█ 1\n"), "{text}");
    }

    #[test]
    fn what_is_odd_is_drawn_without_harm() {
        for values in [
            vec![],
            vec![f64::NAN],
            vec![1.0],
            vec![f64::MAX, f64::MIN],
            vec![f64::INFINITY, 0.0],
        ] {
            let points = values.iter().map(|value| (*value, *value)).collect();
            let line = Line {
                label: String::new(),
                points,
            };
            let (title, x_label, y_label) = (String::new(), "\u{1b}[2J".to_owned(), String::new());
            let figure = Figure::Lines(Lines {
                title,
                x_label,
                y_label,
                is_family: true,
                lines: vec![line],
            });
            let text = sketch(&figure, 0, Paint::Plain);
            assert!(!text.contains('\u{1b}') && text.lines().count() >= HEIGHT, "{text}");
        }
    }
}
