//! Runs of every shape as one dataset.

use crate::table::Column;
use num_complex::Complex64;

use super::*;

fn floats(name: &str, path: &str, data: &[f64]) -> Column {
    Column {
        name: name.to_owned(),
        path: path.to_owned(),
        cell: Vec::new(),
        data: Data::Float(data.to_vec()),
        unit: None,
    }
}

fn axis(path: &str, index: &[u32], value: Option<&[f64]>) -> Axis {
    let name = path.rsplit('/').next().unwrap_or_default();
    Axis {
        path: path.to_owned(),
        total: None,
        index: index.to_vec(),
        value: value.map(|value| floats(&format!("{name}_value"), &format!("{path}_value"), value)),
    }
}

fn table(path: &str, axes: Vec<Axis>, columns: Vec<Column>) -> Table {
    let rows = axes.first().map_or(1, |axis| axis.index.len());
    let times_us = (0..rows as i64).collect();
    Table {
        path: path.to_owned(),
        axes,
        columns,
        times_us,
    }
}

/// `name(dimension=length, …) data`, a line a variable; NaN and [`MISSING`] are `-`.
fn text(tables: &[Table]) -> String {
    let dataset = Dataset::of(tables, &Facts::default());
    let mut text = String::new();
    for variable in dataset
        .variables
        .iter()
        .filter(|variable| !variable.name.ends_with("_time"))
    {
        let dimensions: Vec<String> = variable
            .dimensions
            .iter()
            .map(|at| &dataset.dimensions[*at])
            .map(|own| format!("{}={}", own.name, own.length))
            .collect();
        let data: Vec<String> = match &variable.data {
            Data::Float(data) => data.iter().map(f64::to_string).collect(),
            Data::Int(data) => data.iter().map(i64::to_string).collect(),
            Data::Bool(data) => data.iter().map(bool::to_string).collect(),
            Data::Text(data) => data.clone(),
            Data::Complex(data) => data.iter().map(Complex64::to_string).collect(),
        };
        let data = data.join(" ").replace("NaN", "-").replace(&MISSING.to_string(), "-");
        text.push_str(&format!("{}({}) {data}\n", variable.name, dimensions.join(", ")));
    }
    text
}

fn check(tables: &[Table], expected: &str) {
    assert_eq!(text(tables), expected);
}

#[test]
fn nested_loops_are_dimensions_and_what_is_not_measured_is_missing() {
    let inner = table(
        "root/x/y",
        vec![
            axis("root/x", &[0, 0, 0, 1], Some(&[0.5, 0.5, 0.5, 1.5])),
            axis("root/x/y", &[0, 1, 2, 0], Some(&[7.0, 8.0, 9.0, 7.0])),
        ],
        vec![
            floats("f_a", "root/x/y/f_a", &[1.0, 2.0, 3.0, 4.0]),
            Column {
                data: Data::Int(vec![1, 2, 3, 4]),
                ..floats("n", "root/x/y/n", &[])
            },
            Column {
                data: Data::Bool(vec![true; 4]),
                ..floats("b", "root/x/y/b", &[])
            },
        ],
    );
    let outer = table(
        "root/x",
        vec![axis("root/x", &[0], Some(&[0.5]))],
        vec![
            floats("m", "root/x/m", &[10.0]),
            floats("y_value", "root/x/y_value", &[9.0]),
        ],
    );
    let root = table(
        "root",
        vec![],
        vec![Column {
            data: Data::Text(vec!["hi".to_owned()]),
            ..floats("t", "root/t", &[])
        }],
    );
    check(
        &[root, outer, inner],
        "x_value(x_value=2) 0.5 1.5\n\
         y_value(y_value=3) 7 8 9\n\
         t() hi\n\
         m(x_value=2) 10 -\n\
         x.y_value(x_value=2) 9 -\n\
         f_a(x_value=2, y_value=3) 1 2 3 4 - -\n\
         n(x_value=2, y_value=3) 1 2 3 4 - -\n\
         b(x_value=2, y_value=3) 1 1 1 1 - -\n",
    );
}

#[test]
fn loops_whose_values_differ_from_round_to_round_make_flat_tables() {
    let inner = table(
        "root/x/y",
        vec![
            axis("root/x", &[0, 0, 1], Some(&[0.5, 0.5, 1.5])),
            axis("root/x/y", &[0, 1, 0], Some(&[7.0, 8.0, 9.0])),
        ],
        vec![floats("f", "root/x/y/f", &[1.0, 2.0, 3.0])],
    );
    let outer = table(
        "root/x",
        vec![axis("root/x", &[0, 1], Some(&[0.5, 1.5]))],
        vec![floats("f", "root/x/f", &[4.0, 5.0])],
    );
    check(
        &[outer, inner],
        "x_value(x_value=2) 0.5 1.5\n\
         x_index(y_row=3) 0 0 1\n\
         y.x_value(y_row=3) 0.5 0.5 1.5\n\
         y_index(y_row=3) 0 1 0\n\
         y_value(y_row=3) 7 8 9\n\
         x.f(x_value=2) 4 5\n\
         y.f(y_row=3) 1 2 3\n",
    );
}

#[test]
fn while_tasks_are_dimensions_if_their_rounds_are_equally_long() {
    let rounds = |outer: &[u32], inner: &[u32]| {
        let f: Vec<f64> = (0..outer.len()).map(|row| row as f64).collect();
        let axes = vec![axis("root/x", outer, None), axis("root/x/w", inner, None)];
        [table("root/x/w", axes, vec![floats("f", "root/x/w/f", &f)])]
    };
    check(
        &rounds(&[0, 0, 1, 1], &[0, 1, 0, 1]),
        "x_index(x_index=2) 0 1\nw_index(w_index=2) 0 1\nf(x_index=2, w_index=2) 0 1 2 3\n",
    );
    check(
        &rounds(&[0, 0, 1], &[0, 1, 0]),
        "x_index(x_index=2) 0 1\nw_index(w_index=2) 0 1\nf(x_index=2, w_index=2) 0 1 2 -\n",
    );
    check(
        &rounds(&[0, 1, 1], &[0, 0, 1]),
        "x_index(w_row=3) 0 1 1\nw_index(w_row=3) 0 0 1\nf(w_row=3) 0 1 2\n",
    );
}

#[test]
fn cells_of_arrays_have_dimensions_of_their_own_and_equal_names_are_told_apart() {
    let trace = |path: &str| Column {
        cell: vec![2],
        ..floats("t", path, &[1.0, 2.0, 3.0, 4.0])
    };
    let loop_in = |around: &str| {
        let path = format!("root/{around}/s");
        let own = axis(&path, &[0, 1], Some(&[0.0, 1.0]));
        table(&path, vec![own], vec![trace(&format!("{path}/t"))])
    };
    check(
        &[loop_in("a"), loop_in("b")],
        "a.s_value(a.s_value=2) 0 1\n\
         b.s_value(b.s_value=2) 0 1\n\
         a.s.t(a.s_value=2, a.s.t_dim0=2) 1 2 3 4\n\
         b.s.t(b.s_value=2, b.s.t_dim0=2) 1 2 3 4\n",
    );
}

#[test]
fn rows_that_repeat_a_point_are_kept_one_by_one() {
    check(
        &[table(
            "root/x",
            vec![axis("root/x", &[0, 0], Some(&[1.0, 1.0]))],
            vec![floats("f", "root/x/f", &[1.0, 2.0])],
        )],
        "x_index(x_row=2) 0 0\nx_value(x_row=2) 1 1\nf(x_row=2) 1 2\n",
    );
}
