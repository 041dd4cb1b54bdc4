//! Products of vectors and matrices: `@`, `dot`, `inner`, `outer`, `kron`, norms and traces.

use super::arithmetic::{ADD, MULTIPLY};
use super::array::{count_of, shape_text, type_error, value_error};
use super::call::Call;
use super::elementwise::magnitude;
use super::join::flat;
use super::kind::Kind;
use super::operators::arithmetic;
use super::reduce::{Fold, Number, Reduction, folded};
use super::shape::diagonal;
use super::{Arguments, Function, decompose, grid};
use crate::{Array, Error, Value, limits};

/// The function called `np.<name>`.
pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name {
        "matmul" => |arguments| {
            let call = Call::bind("matmul", arguments, "x1! x2! out")?;
            matmul(&*call.array("x1")?, &*call.array("x2")?).map(Array::into_value)
        },
        "dot" => |arguments| {
            let call = Call::bind("dot", arguments, "a! b! out")?;
            dot(&*call.array("a")?, &*call.array("b")?).map(Array::into_value)
        },
        "vdot" => |arguments| {
            let call = Call::bind("vdot", arguments, "a! b!")?;
            let (a, b) = (flat(&*call.array("a")?), flat(&*call.array("b")?));
            let a = match &a {
                Array::Complex(data) => Array::of_complexes(a.dims(), data.iter().map(|z| z.conj()).collect()),
                _ => a,
            };
            dot(&a, &b).map(Array::into_value)
        },
        "inner" => |arguments| {
            let call = Call::bind("inner", arguments, "a! b!")?;
            let (a, b) = (call.array("a")?, call.array("b")?);
            if a.dims().is_empty() || b.dims().is_empty() {
                return arithmetic(&MULTIPLY, &a, &b).map(Array::into_value);
            }
            if a.dims().last() != b.dims().last() {
                return Err(not_aligned(&a, &b, a.dims().len() - 1, b.dims().len() - 1));
            }
            summed_products(&a, &b).map(Array::into_value)
        },
        "outer" => |arguments| {
            let call = Call::bind("outer", arguments, "a! b! out")?;
            outer(&flat(&*call.array("a")?), &flat(&*call.array("b")?)).map(Array::into_array_value)
        },
        "add.outer" => |arguments| outer_by(arguments, &ADD),
        "multiply.outer" => |arguments| outer_by(arguments, &MULTIPLY),
        "subtract.outer" => |arguments| outer_by(arguments, &super::arithmetic::SUBTRACT),
        "kron" => |arguments| {
            let call = Call::bind("kron", arguments, "a! b!")?;
            kron(&*call.array("a")?, &*call.array("b")?).map(Array::into_array_value)
        },
        "trace" | "linalg.trace" => |arguments| {
            let call = Call::bind("trace", arguments, "a! offset axis1 axis2 dtype out")?;
            let array = call.array("a")?;
            let count = array.dims().len();
            if count < 2 {
                return Err(value_error("diag requires an array of at least two dimensions"));
            }
            let one = call.axis("axis1", count)?.unwrap_or(0);
            let other = call.axis("axis2", count)?.unwrap_or(1);
            let line = diagonal(&array, call.int("offset")?.unwrap_or(0), one, other)?;
            folded(&line, Some(&[line.dims().len() - 1]), false, Fold::Sum).map(Array::into_value)
        },
        "linalg.norm" => norm,
        _ => return None,
    })
}

fn not_aligned(a: &Array, b: &Array, of_a: usize, of_b: usize) -> Error {
    value_error(format!(
        "shapes {} and {} not aligned: {} (dim {of_a}) != {} (dim {of_b})",
        shape_text(a.dims()),
        shape_text(b.dims()),
        a.dims()[of_a],
        b.dims()[of_b]
    ))
}

/// Every row of `a` with every row of `b`, rows being the last axes.
fn summed_products(a: &Array, b: &Array) -> Result<Array, Error> {
    fn products<T: Number>(a: &[T], b: &[T], length: usize, rows: usize, columns: usize) -> Vec<T> {
        let row = |data: &[T], i: usize| data[i * length..(i + 1) * length].to_vec();
        let mut out = Vec::with_capacity(rows * columns);
        for i in 0..rows {
            let left = row(a, i);
            for j in 0..columns {
                let right = &b[j * length..(j + 1) * length];
                out.push(
                    left.iter()
                        .zip(right)
                        .fold(T::ZERO, |sum, (l, r)| sum.plus(l.times(*r))),
                );
            }
        }
        out
    }
    let (Some((length, outer_a)), Some((_, outer_b))) = (a.dims().split_last(), b.dims().split_last()) else {
        return Err(value_error("a product of rows needs rows"));
    };
    let dims = [outer_a, outer_b].concat();
    let (rows, columns) = (outer_a.iter().product::<usize>(), outer_b.iter().product::<usize>());
    limits::elements(count_of(&dims)?)?;
    limits::work(rows.saturating_mul(columns).saturating_mul(*length) / 4)?;
    Ok(match a.kind().max(b.kind()) {
        Kind::Bool => {
            let counts = products(&a.ints(), &b.ints(), *length, rows, columns);
            Array::of_bools(&dims, counts.into_iter().map(|count| count != 0).collect())
        }
        Kind::Int => Array::of_ints(&dims, products(&a.ints(), &b.ints(), *length, rows, columns)),
        Kind::Float => Array::of_floats(&dims, products(&a.floats(), &b.floats(), *length, rows, columns)),
        Kind::Complex => Array::of_complexes(&dims, products(&a.complexes(), &b.complexes(), *length, rows, columns)),
        Kind::Str => {
            return Err(type_error(
                "ufunc 'matmul' did not contain a loop with signature matching types (dtype('<U1'), dtype('<U1')) -> None",
            ));
        }
    })
}

/// `a @ b`; stacks of matrices are broadcast.
pub(super) fn matmul(a: &Array, b: &Array) -> Result<Array, Error> {
    for (number, array) in [a, b].into_iter().enumerate() {
        if array.dims().is_empty() {
            return Err(value_error(format!(
                "matmul: Input operand {number} does not have enough dimensions (has 0, gufunc core with signature (n?,k),(k,m?)->(n?,m?) requires 1)"
            )));
        }
    }
    let (long_a, long_b) = (a.dims().len(), b.dims().len());
    let inner_axis = if long_b == 1 { 0 } else { long_b - 2 };
    let (inner_a, inner_b) = (a.dims()[long_a - 1], b.dims()[inner_axis]);
    if inner_a != inner_b {
        return Err(value_error(format!(
            "matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature (n?,k),(k,m?)->(n?,m?) (size {inner_b} is different from {inner_a})"
        )));
    }
    // With rows of the second operand in the last axis, every product is one of rows.
    let b = if long_b == 1 {
        b.clone()
    } else {
        grid::axis_last(b, inner_axis)
    };
    if long_a <= 2 && long_b <= 2 {
        return summed_products(a, &b);
    }
    let matrix = |array: &Array| {
        if array.dims().len() == 1 {
            array.with_dims(&[1, array.dims()[0]])
        } else {
            array.clone()
        }
    };
    let (left, right) = (matrix(a), matrix(&b));
    let core = |array: &Array| array.dims()[array.dims().len() - 2..].to_vec();
    let stack = |array: &Array| array.dims()[..array.dims().len() - 2].to_vec();
    let stacks = grid::broadcast(&[&stack(&left), &stack(&right)])?;
    let (left, right) = (
        grid::stretched(&left, &[&stacks[..], &core(&left)].concat()),
        grid::stretched(&right, &[&stacks[..], &core(&right)].concat()),
    );
    let size = |array: &Array| core(array).iter().product::<usize>();
    let block = |array: &Array, i: usize| {
        array.gather(
            &core(array),
            &(i * size(array)..(i + 1) * size(array)).collect::<Vec<_>>(),
        )
    };
    let count: usize = stacks.iter().product();
    let blocks = (0..count)
        .map(|i| summed_products(&block(&left, i), &block(&right, i)).map(|block| flat(&block)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut dims = stacks;
    if long_a > 1 {
        dims.push(core(&left)[0]);
    }
    if long_b > 1 {
        dims.push(core(&right)[0]);
    }
    if blocks.is_empty() {
        return Array::full(&dims, &Array::zero(a.kind().max(b.kind())));
    }
    Ok(super::join::concatenated(&blocks.iter().collect::<Vec<_>>(), 0)?.with_dims(&dims))
}

fn dot(a: &Array, b: &Array) -> Result<Array, Error> {
    if a.dims().is_empty() || b.dims().is_empty() {
        return arithmetic(&MULTIPLY, a, b);
    }
    let of_a = a.dims().len() - 1;
    let of_b = if b.dims().len() == 1 { 0 } else { b.dims().len() - 2 };
    if a.dims()[of_a] != b.dims()[of_b] {
        return Err(not_aligned(a, b, of_a, of_b));
    }
    summed_products(a, &grid::axis_last(b, of_b))
}

/// Every element of one line with every element of another.
pub(super) fn outer(a: &Array, b: &Array) -> Result<Array, Error> {
    limits::elements(count_of(&[a.count(), b.count()])?)?;
    arithmetic(&MULTIPLY, &a.with_dims(&[a.count(), 1]), b)
}

fn outer_by(arguments: Arguments, ufunc: &'static super::loops::Ufunc) -> Result<Value, Error> {
    let call = Call::bind("outer", arguments, "A! B!")?;
    let (a, b) = (call.array("A")?, call.array("B")?);
    let dims = [a.dims(), &vec![1; b.dims().len()][..]].concat();
    limits::elements(count_of(&[a.count(), b.count()])?)?;
    arithmetic(ufunc, &a.with_dims(&dims), &b).map(Array::into_value)
}

fn kron(a: &Array, b: &Array) -> Result<Array, Error> {
    let count = a.dims().len().max(b.dims().len());
    let padded = |array: &Array| [&vec![1; count - array.dims().len()][..], array.dims()].concat();
    let (of_a, of_b) = (padded(a), padded(b));
    let spread_a: Vec<usize> = of_a.iter().flat_map(|dim| [*dim, 1]).collect();
    let spread_b: Vec<usize> = of_b.iter().flat_map(|dim| [1, *dim]).collect();
    let dims: Vec<usize> = of_a.iter().zip(&of_b).map(|(l, r)| l.saturating_mul(*r)).collect();
    limits::elements(count_of(&dims)?)?;
    Ok(arithmetic(&MULTIPLY, &a.with_dims(&spread_a), &b.with_dims(&spread_b))?.with_dims(&dims))
}

/// Which norm is asked for.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    Default,
    Frobenius,
    Nuclear,
    Number(f64),
}

fn norm(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("norm", arguments, "x! ord axis keepdims")?;
    let array = call.array("x")?;
    let array = if array.kind() < Kind::Float {
        array.cast(Kind::Float)?
    } else {
        array.into_owned()
    };
    let order = match call.given("ord") {
        None => Order::Default,
        Some(value) => match value.as_str() {
            Some("fro") => Order::Frobenius,
            Some("nuc") => Order::Nuclear,
            Some(_) => return Err(value_error("Invalid norm order for matrices.")),
            None => Order::Number(super::operand::float_of(value)?),
        },
    };
    let keep = call.flag("keepdims")?;
    let given = call.axes("axis", array.dims().len())?;
    if given.is_none() && order == Order::Default {
        // Over all elements numpy takes the product of the line with itself.
        let line = flat(&array);
        let sizes = match &line {
            Array::Complex(data) => {
                data.iter().map(|z| z.re * z.re).sum::<f64>() + data.iter().map(|z| z.im * z.im).sum::<f64>()
            }
            other => other.floats().iter().map(|x| x * x).sum::<f64>(),
        };
        let dims = if keep { vec![1; array.dims().len()] } else { Vec::new() };
        return Ok(Array::of_floats(&dims, vec![sizes.sqrt()]).into_value());
    }
    let axes = given.unwrap_or_else(|| (0..array.dims().len()).collect());
    let sizes = magnitude(&array)?;
    match axes[..] {
        [axis] => vector_norm(&sizes, axis, keep, order).map(Array::into_value),
        [rows, columns] => matrix_norm(&array, &sizes, rows, columns, keep, order).map(Array::into_value),
        _ => Err(value_error("Improper number of dimensions to norm.")),
    }
}

fn vector_norm(sizes: &Array, axis: usize, keep: bool, order: Order) -> Result<Array, Error> {
    let axes = Some(&[axis][..]);
    let power = match order {
        Order::Default => 2.0,
        Order::Number(power) => power,
        Order::Frobenius | Order::Nuclear => {
            return Err(value_error(format!(
                "Invalid norm order '{}' for vectors",
                if order == Order::Frobenius { "fro" } else { "nuc" }
            )));
        }
    };
    if power == f64::INFINITY {
        return folded(sizes, axes, keep, Fold::Max);
    }
    if power == f64::NEG_INFINITY {
        return folded(sizes, axes, keep, Fold::Min);
    }
    let map = |array: &Array, f: &dyn Fn(f64) -> f64| {
        Array::of_floats(array.dims(), array.floats().iter().map(|x| f(*x)).collect())
    };
    if power == 0.0 {
        let flags = map(sizes, &|x| f64::from(u8::from(x != 0.0)));
        return folded(&flags, axes, keep, Fold::Sum);
    }
    if power == 1.0 {
        return folded(sizes, axes, keep, Fold::Sum);
    }
    if power == 2.0 {
        let sum = folded(&map(sizes, &|x| x * x), axes, keep, Fold::Sum)?;
        return Ok(map(&sum, &f64::sqrt));
    }
    let sum = folded(&map(sizes, &|x| x.powf(power)), axes, keep, Fold::Sum)?;
    Ok(map(&sum, &|x| x.powf(1.0 / power)))
}

fn matrix_norm(
    array: &Array,
    sizes: &Array,
    rows: usize,
    columns: usize,
    keep: bool,
    order: Order,
) -> Result<Array, Error> {
    if rows == columns {
        return Err(value_error("Duplicate axes given."));
    }
    let sums = |axis: usize, fold: Fold| -> Result<Array, Error> {
        let other = if axis == rows { columns } else { rows };
        folded(
            &folded(sizes, Some(&[axis]), true, Fold::Sum)?,
            Some(&[axis, other]),
            keep,
            fold,
        )
    };
    match order {
        Order::Default | Order::Frobenius => {
            let squares = Array::of_floats(sizes.dims(), sizes.floats().iter().map(|x| x * x).collect());
            let sum = folded(&squares, Some(&[rows, columns]), keep, Fold::Sum)?;
            Ok(Array::of_floats(
                sum.dims(),
                sum.floats().iter().map(|x| x.sqrt()).collect(),
            ))
        }
        Order::Number(1.0) => sums(rows, Fold::Max),
        Order::Number(-1.0) => sums(rows, Fold::Min),
        Order::Number(f64::INFINITY) => sums(columns, Fold::Max),
        Order::Number(f64::NEG_INFINITY) => sums(columns, Fold::Min),
        Order::Number(2.0 | -2.0) | Order::Nuclear => {
            if array.dims().len() != 2 {
                return Err(Error::new(
                    crate::ErrorKind::NotSupported,
                    "this norm of a stack of matrices",
                ));
            }
            let values = decompose::singular_values(array)?;
            let value = match order {
                Order::Nuclear => values.iter().sum(),
                Order::Number(2.0) => values.first().copied().unwrap_or(0.0),
                _ => values.last().copied().unwrap_or(0.0),
            };
            let reduction = Reduction::of(array, Some(&[rows, columns]), keep);
            Ok(Array::of_floats(&reduction.dims, vec![value]))
        }
        Order::Number(_) => Err(value_error("Invalid norm order for matrices.")),
    }
}
