//! Pictures of runs. They are left in the folder for temporary files of the target directory, to be looked at.

use std::path::{Path, PathBuf};

use records::{Axis, Choice, Column, Complex64, Data, Dataset, Existing, Facts, Figure, Table, draw};

fn column(path: &str, data: Data, unit: Option<&str>) -> Column {
    Column {
        name: path.rsplit('/').next().expect("a name").to_owned(),
        path: path.to_owned(),
        cell: Vec::new(),
        data,
        unit: unit.map(str::to_owned),
    }
}

fn axis(path: &str, index: Vec<u32>, value: Vec<f64>, unit: Option<&str>) -> Axis {
    Axis {
        path: path.to_owned(),
        total: None,
        index,
        value: Some(column(&format!("{path}_value"), Data::Float(value), unit)),
    }
}

/// Two loops, the last round of which is not complete.
fn maps(outer: u32, inner: u32, rows: usize) -> Dataset {
    let points: Vec<(u32, u32)> = (0..outer)
        .flat_map(|x| (0..inner).map(move |y| (x, y)))
        .take(rows)
        .collect();
    let field = |x: u32| f64::from(x) / f64::from(outer) * 0.2;
    let frequency = |y: u32| 4e9 + f64::from(y) / f64::from(inner) * 2e9;
    let amplitude = |(x, y): &(u32, u32)| {
        let detuning = (frequency(*y) - 5e9 - 4e9 * field(*x)) / 1e8;
        Complex64::new(1.0, 0.0) / Complex64::new(1.0, detuning) * 1e-6
    };
    let table = Table {
        path: "root/field/sweep".to_owned(),
        axes: vec![
            axis(
                "root/field",
                points.iter().map(|(x, _)| *x).collect(),
                points.iter().map(|(x, _)| field(*x)).collect(),
                Some("T"),
            ),
            axis(
                "root/field/sweep",
                points.iter().map(|(_, y)| *y).collect(),
                points.iter().map(|(_, y)| frequency(*y)).collect(),
                Some("Hz"),
            ),
        ],
        columns: vec![
            column(
                "root/field/sweep/s21",
                Data::Complex(points.iter().map(amplitude).collect()),
                Some("V"),
            ),
            column(
                "root/field/sweep/note",
                Data::Text(vec![String::new(); points.len()]),
                None,
            ),
            column(
                "root/field/sweep/power",
                Data::Float(points.iter().map(|at| amplitude(at).norm_sqr()).collect()),
                Some("W"),
            ),
        ],
        times_us: (0..points.len() as i64).map(|at| at * 1000).collect(),
    };
    let facts = Facts {
        name: "resonance".to_owned(),
        id: "004".to_owned(),
        items: Vec::new(),
    };
    Dataset::of(&[table], &facts)
}

fn curves(points: u32) -> Dataset {
    let value = |at: u32| f64::from(at) / f64::from(points) * 6.3;
    let of = |f: fn(f64) -> f64| {
        Data::Float(
            (0..points)
                .map(|at| if at == points / 3 { f64::NAN } else { f(value(at)) })
                .collect(),
        )
    };
    let table = Table {
        path: "root/bias".to_owned(),
        axes: vec![axis(
            "root/bias",
            (0..points).collect(),
            (0..points).map(value).collect(),
            Some("V"),
        )],
        columns: vec![
            column("root/bias/f_sin", of(f64::sin), Some("A")),
            column("root/bias/f_cos", of(f64::cos), Some("A")),
            // What never changes is not worth a picture by itself.
            column("root/bias/settle_time", of(|_| 0.1), Some("s")),
        ],
        times_us: (0..i64::from(points)).map(|at| at * 1_000_000).collect(),
    };
    Dataset::of(
        &[table],
        &Facts {
            name: "curves".to_owned(),
            id: "001".to_owned(),
            items: Vec::new(),
        },
    )
}

fn choice(x: Option<&str>, y: &[&str], z: Option<&str>) -> Choice {
    let y = y.iter().map(|name| (*name).to_owned()).collect();
    Choice {
        x: x.map(str::to_owned),
        y,
        z: z.map(str::to_owned),
    }
}

/// Draws as PNG and SVG, and says what the picture is of: `x | y | lines or cells`.
fn check(name: &str, dataset: &Dataset, choice: &Choice, expected: &str) {
    let figure = Figure::of(dataset, choice).expect("it can be drawn");
    let told = match &figure {
        Figure::Lines(lines) => {
            let each: Vec<String> = lines
                .lines
                .iter()
                .map(|line| format!("{} {}", line.label, line.points.len()))
                .collect();
            format!("{} | {} | {}", lines.x_label, lines.y_label, each.join(", "))
        }
        Figure::Map(map) => format!(
            "{} | {} | {} {}×{}, {}",
            map.x_label,
            map.y_label,
            map.z_label,
            map.x.len(),
            map.y.len(),
            map.title
        ),
    };
    assert_eq!(told, expected);
    let path = |ending: &str| Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.{ending}"));
    let written = |path: PathBuf| {
        draw(&figure, &path, Existing::Overwrite).expect("room for a picture");
        std::fs::read(path).expect("a picture")
    };
    let (png, svg) = (written(path("png")), written(path("svg")));
    let mut reader = png::Decoder::new(std::io::Cursor::new(&png))
        .read_info()
        .expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    reader.next_frame(&mut pixels).expect("pixels");
    let coloured = pixels
        .chunks(3)
        .filter(|pixel| pixel[0].abs_diff(pixel[2]) > 30)
        .count();
    assert!(coloured > 500, "only {coloured} coloured pixels");
    let svg = String::from_utf8(svg).expect("text");
    let label = told.split(" (").next().expect("a name");
    assert!(
        svg.starts_with("<svg") && svg.contains(label),
        "{label} is not in the picture"
    );
}

#[test]
fn a_run_of_two_loops_is_a_map_by_itself() {
    check(
        "map",
        &maps(40, 60, 2000),
        &Choice::default(),
        "sweep_value (Hz) | field_value (T) | power (W) 60×34, resonance_004",
    );
    check(
        "map-of-phase",
        &maps(40, 60, 2400),
        &choice(Some("field_value"), &[], Some("phase(s21)")),
        "field_value (T) | sweep_value (Hz) | phase s21 (rad) 40×60, resonance_004",
    );
    check(
        "map-large",
        &maps(1200, 700, 840_000),
        &Choice::default(),
        "sweep_value (Hz) | field_value (T) | power (W) 700×1200, resonance_004",
    );
}

#[test]
fn a_run_of_one_loop_is_a_line_by_itself_and_several_lines_have_a_legend() {
    check(
        "line",
        &curves(50),
        &Choice::default(),
        "bias_value (V) | f_cos (A) | f_cos (A) 50",
    );
    check(
        "lines",
        &curves(100_000),
        &choice(None, &["f_sin", "root/bias/f_cos"], None),
        "bias_value (V) | f_sin (A), f_cos (A) | f_sin (A) 100000, f_cos (A) 100000",
    );
    check(
        "circle",
        &curves(50),
        &choice(Some("f_sin"), &["f_cos"], None),
        "f_sin (A) | f_cos (A) | f_cos (A) 50",
    );
    check(
        "over-time",
        &curves(50),
        &choice(Some("bias_time"), &["f_cos"], None),
        "bias_time (s) | f_cos (A) | f_cos (A) 50",
    );
}

#[test]
fn a_variable_of_two_loops_can_be_a_family_of_lines() {
    check(
        "family",
        &maps(3, 60, 180),
        &choice(None, &["s21"], None),
        "sweep_value (Hz) | |s21| (V) | field_value = 0 T 60, field_value = 0.0666667 T 60, field_value = 0.133333 T 60",
    );
    check(
        "argand",
        &maps(1, 60, 60),
        &choice(Some("re(s21)"), &["im(s21)"], None),
        "re s21 (V) | im s21 (V) | field_value = 0 T 60",
    );
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let dataset = maps(3, 4, 12);
    let refused = |choice: &Choice| {
        Figure::of(&dataset, choice)
            .expect_err("it cannot be drawn")
            .to_string()
    };
    assert_eq!(
        refused(&choice(None, &["s12"], None)),
        "no variable `s12`; there are `field_value`, `sweep_value`, `sweep_time`, `s21`, `note`, `power`"
    );
    assert_eq!(
        refused(&choice(None, &["note"], None)),
        "`note` holds texts, which have no place on an axis"
    );
    assert_eq!(
        refused(&choice(None, &["sin(s21)"], None)),
        "`sin` is no part of a number; `re`, `im`, `abs` and `phase` are"
    );
    assert_eq!(
        refused(&choice(Some("power"), &[], Some("s21"))),
        "`power` is no dimension of `s21`, which has `field_value`, `sweep_value`"
    );
    let nothing = Dataset::of(&[], &Facts::default());
    assert_eq!(
        Figure::of(&nothing, &Choice::default())
            .expect_err("nothing")
            .to_string(),
        "there is no number in any loop"
    );
}

#[test]
fn extreme_numbers_are_drawn_without_harm() {
    for values in [[f64::MAX, f64::MIN], [0.0, 5e-324], [f64::INFINITY, 1.0], [1.0, 1.0]] {
        let table = Table {
            path: "root/l".to_owned(),
            axes: vec![axis("root/l", vec![0, 1], vec![0.0, f64::MAX], None)],
            columns: vec![column("root/l/f", Data::Float(values.to_vec()), None)],
            times_us: vec![0, 1],
        };
        let figure =
            Figure::of(&Dataset::of(&[table], &Facts::default()), &Choice::default()).expect("it can be drawn");
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("extreme.png");
        draw(&figure, &path, Existing::Overwrite).expect("room for a picture");
    }
}
