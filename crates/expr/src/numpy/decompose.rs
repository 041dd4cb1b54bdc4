//! Systems of equations and singular values: `np.linalg.solve`, `inv`, `det`, `svd`, `lstsq`.
//!
//! Plain methods for the small matrices of formulas: elimination with pivots, and Jacobi's rotations from one side. They
//! agree with LAPACK to rounding; singular vectors may differ by a sign. Deliberately absent: stacks of matrices.

use std::sync::Arc;

use num_complex::Complex64;

use super::array::value_error;
use super::call::Call;
use super::kind::Kind;
use super::reduce::Number;
use super::{Function, grid, linalg};
use crate::error::ErrorKind;
use crate::{Array, Error, Value, limits};

/// The function called `np.<name>`.
pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name.strip_prefix("linalg.")? {
        "det" => |arguments| {
            let call = Call::bind("det", arguments, "a!")?;
            let (array, n) = square(&*call.array("a")?)?;
            Ok(if array.kind() == Kind::Complex {
                Array::of_complexes(&[], vec![determinant(array.complexes().into_owned(), n)])
            } else {
                Array::of_floats(&[], vec![determinant(array.floats().into_owned(), n)])
            }
            .into_value())
        },
        "inv" => |arguments| {
            let call = Call::bind("inv", arguments, "a!")?;
            let (array, n) = square(&*call.array("a")?)?;
            inverse(&array, n).map(Array::into_array_value)
        },
        "solve" => |arguments| {
            let call = Call::bind("solve", arguments, "a! b!")?;
            let (array, n) = square(&*call.array("a")?)?;
            let right = call.array("b")?;
            if right.dims().first() != Some(&n) || right.dims().len() > 2 {
                return Err(value_error(format!(
                    "solve: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature (m,m),(m)->(m) (size {} is different from {n})",
                    right.dims().first().copied().unwrap_or(0)
                )));
            }
            solved(&array, n, &right).map(Array::into_array_value)
        },
        "matrix_power" => |arguments| {
            let call = Call::bind("matrix_power", arguments, "a! n!")?;
            let array = call.array("a")?;
            let n = square(&array)?.1;
            matrix_power(&array, n, call.int("n")?.unwrap_or(1))
        },
        "svd" => |arguments| {
            let call = Call::bind("svd", arguments, "a! full_matrices compute_uv hermitian")?;
            let array = matrix(&*call.array("a")?)?;
            let svd = Svd::of(&array)?;
            let values = Array::of_floats(&[svd.values.len()], svd.values.clone()).into_array_value();
            if call.given("compute_uv").is_some() && !call.flag("compute_uv")? {
                return Ok(values);
            }
            let full = call.stated("full_matrices").map_or(Ok(true), Value::truthy)?;
            if full && array.dims()[0] != array.dims()[1] {
                return Err(Error::new(
                    ErrorKind::NotSupported,
                    "`svd` with full matrices; say `full_matrices=False`",
                ));
            }
            let (rows, columns) = (array.dims()[0], array.dims()[1]);
            let count = svd.values.len();
            let left = Array::of_floats(&[rows, count], svd.left).into_array_value();
            let right = Array::of_floats(&[count, columns], svd.right).into_array_value();
            Ok(Value::Tuple(Arc::new(vec![left, values, right])))
        },
        "svdvals" => |arguments| {
            let call = Call::bind("svdvals", arguments, "x!")?;
            let values = singular_values(&*call.array("x")?)?;
            Ok(Array::of_floats(&[values.len()], values).into_array_value())
        },
        "matrix_rank" => |arguments| {
            let call = Call::bind("matrix_rank", arguments, "A! tol")?;
            let array = matrix(&*call.array("A")?)?;
            let values = singular_values(&array)?;
            let largest = values.first().copied().unwrap_or(0.0);
            let side = array.dims().iter().copied().max().unwrap_or(0) as f64;
            let tolerance = call.float("tol")?.unwrap_or(largest * side * f64::EPSILON);
            Ok(Value::Scalar(crate::Scalar::Int(
                values.iter().filter(|value| **value > tolerance).count() as i64,
            )))
        },
        "cond" => |arguments| {
            let call = Call::bind("cond", arguments, "x! p")?;
            call.refuse(&["p"])?;
            let values = singular_values(&*call.array("x")?)?;
            let (first, last) = (
                values.first().copied().unwrap_or(0.0),
                values.last().copied().unwrap_or(0.0),
            );
            Ok(Array::of_floats(&[], vec![first / last]).into_value())
        },
        "pinv" => |arguments| {
            let call = Call::bind("pinv", arguments, "a! rcond")?;
            let array = matrix(&*call.array("a")?)?;
            let cut = call.float("rcond")?.unwrap_or(1e-15);
            pseudo_inverse(&array, cut).map(Array::into_array_value)
        },
        "lstsq" => |arguments| {
            let call = Call::bind("lstsq", arguments, "a! b! rcond")?;
            let (array, right) = (matrix(&*call.array("a")?)?, call.array("b")?);
            least_squares(&array, &right, call.float("rcond")?)
        },
        "cholesky" => |arguments| {
            let call = Call::bind("cholesky", arguments, "a! * upper")?;
            call.refuse(&["upper"])?;
            let (array, n) = square(&*call.array("a")?)?;
            cholesky(&array, n).map(Array::into_array_value)
        },
        _ => return None,
    })
}

pub(super) fn linalg_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::LinAlgError, message)
}

/// A matrix of floats.
fn matrix(array: &Array) -> Result<Array, Error> {
    if array.dims().len() != 2 {
        if array.dims().len() > 2 {
            return Err(Error::new(ErrorKind::NotSupported, "`np.linalg` on stacks of matrices"));
        }
        return Err(linalg_error(format!(
            "{}-dimensional array given. Array must be at least two-dimensional",
            array.dims().len()
        )));
    }
    match array.kind() {
        Kind::Complex => Err(Error::new(
            ErrorKind::NotSupported,
            "singular values of complex matrices",
        )),
        Kind::Str => Err(super::array::type_error("array type <U1 is unsupported in linalg")),
        Kind::Bool | Kind::Int | Kind::Float => array.cast(Kind::Float),
    }
}

/// A square matrix of floats or complex numbers, and its side.
pub(super) fn square(array: &Array) -> Result<(Array, usize), Error> {
    match *array.dims() {
        [rows, columns] if rows == columns => {
            // Elimination takes about n³/3 steps.
            limits::work(rows.saturating_mul(rows).saturating_mul(rows) / 3)?;
            let kind = array.kind().max(Kind::Float);
            if kind == Kind::Str {
                return Err(super::array::type_error("array type <U1 is unsupported in linalg"));
            }
            Ok((array.cast(kind)?, rows))
        }
        [_, _] => Err(linalg_error("Last 2 dimensions of the array must be square")),
        [] | [_] => Err(linalg_error(format!(
            "{}-dimensional array given. Array must be at least two-dimensional",
            array.dims().len()
        ))),
        _ => Err(Error::new(ErrorKind::NotSupported, "`np.linalg` on stacks of matrices")),
    }
}

/// Numbers that elimination works on.
trait Field: Number + PartialEq {
    fn minus(self, other: Self) -> Self;
    fn over(self, other: Self) -> Self;
    fn size(self) -> f64;
}

impl Field for f64 {
    fn minus(self, other: f64) -> f64 {
        self - other
    }
    fn over(self, other: f64) -> f64 {
        self / other
    }
    fn size(self) -> f64 {
        self.abs()
    }
}

impl Field for Complex64 {
    fn minus(self, other: Complex64) -> Complex64 {
        self - other
    }
    fn over(self, other: Complex64) -> Complex64 {
        super::arithmetic::complex_quotient(self, other)
    }
    fn size(self) -> f64 {
        self.re.abs() + self.im.abs()
    }
}

/// The matrix in place as lower and upper triangle, with the rows' order and whether it is odd.
fn eliminated<T: Field>(a: &mut [T], n: usize) -> (Vec<usize>, bool) {
    let mut order: Vec<usize> = (0..n).collect();
    let mut odd = false;
    for k in 0..n {
        let mut pivot = k;
        for row in k + 1..n {
            if a[row * n + k].size() > a[pivot * n + k].size() {
                pivot = row;
            }
        }
        if pivot != k {
            (0..n).for_each(|column| a.swap(k * n + column, pivot * n + column));
            order.swap(k, pivot);
            odd = !odd;
        }
        let diagonal = a[k * n + k];
        if diagonal == T::ZERO {
            continue;
        }
        for row in k + 1..n {
            let factor = a[row * n + k].over(diagonal);
            a[row * n + k] = factor;
            for column in k + 1..n {
                a[row * n + column] = a[row * n + column].minus(factor.times(a[k * n + column]));
            }
        }
    }
    (order, odd)
}

fn determinant<T: Field>(mut a: Vec<T>, n: usize) -> T {
    let (_, odd) = eliminated(&mut a, n);
    let product = (0..n).fold(T::ONE, |product, k| product.times(a[k * n + k]));
    if odd { T::ZERO.minus(product) } else { product }
}

/// Solves for `columns` right sides at once.
fn solve_all<T: Field>(mut a: Vec<T>, n: usize, b: &[T], columns: usize) -> Result<Vec<T>, Error> {
    let (order, _) = eliminated(&mut a, n);
    if (0..n).any(|k| a[k * n + k] == T::ZERO) {
        return Err(linalg_error("Singular matrix"));
    }
    let mut x: Vec<T> = order
        .iter()
        .flat_map(|row| b[row * columns..(row + 1) * columns].to_vec())
        .collect();
    for column in 0..columns {
        for row in 0..n {
            for k in 0..row {
                x[row * columns + column] =
                    x[row * columns + column].minus(a[row * n + k].times(x[k * columns + column]));
            }
        }
        for row in (0..n).rev() {
            for k in row + 1..n {
                x[row * columns + column] =
                    x[row * columns + column].minus(a[row * n + k].times(x[k * columns + column]));
            }
            x[row * columns + column] = x[row * columns + column].over(a[row * n + row]);
        }
    }
    Ok(x)
}

fn solved(array: &Array, n: usize, right: &Array) -> Result<Array, Error> {
    let columns = if right.dims().len() == 1 { 1 } else { right.dims()[1] };
    if array.kind() == Kind::Complex || right.kind() == Kind::Complex {
        let x = solve_all(array.complexes().into_owned(), n, &right.complexes(), columns)?;
        return Ok(Array::of_complexes(right.dims(), x));
    }
    let x = solve_all(array.floats().into_owned(), n, &right.floats(), columns)?;
    Ok(Array::of_floats(right.dims(), x))
}

fn inverse(array: &Array, n: usize) -> Result<Array, Error> {
    let identity = (0..n * n).map(|i| f64::from(u8::from(i / n == i % n))).collect();
    solved(array, n, &Array::of_floats(&[n, n], identity))
}

fn matrix_power(array: &Array, n: usize, exponent: i64) -> Result<Value, Error> {
    if exponent.unsigned_abs() > 100_000 {
        return Err(Error::new(ErrorKind::LimitError, "a matrix to a power beyond 100000"));
    }
    let identity = Array::of_ints(&[n, n], (0..n * n).map(|i| i64::from(i / n == i % n)).collect());
    if exponent == 0 {
        return Ok(identity.cast(array.kind())?.into_array_value());
    }
    let mut base = if exponent < 0 {
        inverse(&square(array)?.0, n)?
    } else {
        array.clone()
    };
    let mut left = exponent.unsigned_abs();
    let mut result: Option<Array> = None;
    while left > 0 {
        if left & 1 == 1 {
            result = Some(match result {
                Some(result) => linalg::matmul(&result, &base)?,
                None => base.clone(),
            });
        }
        left >>= 1;
        if left > 0 {
            base = linalg::matmul(&base, &base)?;
        }
    }
    Ok(result.unwrap_or(base).into_array_value())
}

/// A matrix as `left · diag(values) · right`, values falling.
pub(super) struct Svd {
    pub(super) left: Vec<f64>,
    pub(super) values: Vec<f64>,
    pub(super) right: Vec<f64>,
}

impl Svd {
    /// Jacobi from one side: columns are rotated until they are orthogonal.
    pub(super) fn of(array: &Array) -> Result<Svd, Error> {
        let (rows, columns) = (array.dims()[0], array.dims()[1]);
        if rows < columns {
            let turned = Svd::of(&grid::transposed(array, &[1, 0]))?;
            let count = turned.values.len();
            let flip = |data: &[f64], rows: usize, columns: usize| -> Vec<f64> {
                (0..rows * columns)
                    .map(|i| data[(i % rows) * columns + i / rows])
                    .collect()
            };
            return Ok(Svd {
                left: flip(&turned.right, count, rows),
                right: flip(&turned.left, columns, count),
                values: turned.values,
            });
        }
        let mut a = array.floats().into_owned();
        if a.iter().any(|x| !x.is_finite()) {
            return Err(linalg_error("SVD did not converge"));
        }
        let n = columns;
        let mut v: Vec<f64> = (0..n * n).map(|i| f64::from(u8::from(i / n == i % n))).collect();
        for _ in 0..60 {
            limits::work(rows * n * n)?;
            let mut turned = false;
            for p in 0..n {
                for q in p + 1..n {
                    turned |= orthogonalised(&mut a, &mut v, rows, n, p, q);
                }
            }
            if !turned {
                break;
            }
        }
        let norms: Vec<f64> = (0..n)
            .map(|j| (0..rows).map(|i| a[i * n + j] * a[i * n + j]).sum::<f64>().sqrt())
            .collect();
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|l, r| norms[*r].total_cmp(&norms[*l]));
        let left = (0..rows * n)
            .map(|i| {
                let j = order[i % n];
                if norms[j] > 0.0 {
                    a[(i / n) * n + j] / norms[j]
                } else {
                    0.0
                }
            })
            .collect();
        let right = (0..n * n).map(|i| v[(i % n) * n + order[i / n]]).collect();
        Ok(Svd {
            left,
            values: order.iter().map(|j| norms[*j]).collect(),
            right,
        })
    }
}

fn orthogonalised(a: &mut [f64], v: &mut [f64], rows: usize, n: usize, p: usize, q: usize) -> bool {
    let (mut alpha, mut beta, mut gamma) = (0.0, 0.0, 0.0);
    for i in 0..rows {
        alpha += a[i * n + p] * a[i * n + p];
        beta += a[i * n + q] * a[i * n + q];
        gamma += a[i * n + p] * a[i * n + q];
    }
    if gamma.abs() <= 1e-16 * (alpha * beta).sqrt() {
        return false;
    }
    let zeta = (beta - alpha) / (2.0 * gamma);
    let t = zeta.signum() / (zeta.abs() + zeta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = c * t;
    let turn = |data: &mut [f64], rows: usize| {
        for i in 0..rows {
            let (x, y) = (data[i * n + p], data[i * n + q]);
            data[i * n + p] = c * x - s * y;
            data[i * n + q] = s * x + c * y;
        }
    };
    turn(a, rows);
    turn(v, n);
    true
}

/// The singular values, falling.
pub(super) fn singular_values(array: &Array) -> Result<Vec<f64>, Error> {
    Ok(Svd::of(&matrix(array)?)?.values)
}

fn pseudo_inverse(array: &Array, cut: f64) -> Result<Array, Error> {
    let svd = Svd::of(array)?;
    let (rows, columns) = (array.dims()[0], array.dims()[1]);
    let count = svd.values.len();
    let least = cut * svd.values.first().copied().unwrap_or(0.0);
    let at = |i: usize| {
        let (row, column) = (i / rows, i % rows);
        (0..count)
            .filter(|k| svd.values[*k] > least)
            .map(|k| svd.right[k * columns + row] / svd.values[k] * svd.left[column * count + k])
            .sum()
    };
    Ok(Array::of_floats(
        &[columns, rows],
        (0..rows * columns).map(at).collect(),
    ))
}

/// The solution that is nearest, with its rank and the singular values.
pub(super) fn nearest(array: &Array, right: &Array, cut: f64) -> Result<(Array, usize, Vec<f64>), Error> {
    let solution = linalg::matmul(&pseudo_inverse(array, cut)?, right)?;
    let values = Svd::of(array)?.values;
    let least = cut * values.first().copied().unwrap_or(0.0);
    Ok((solution, values.iter().filter(|value| **value > least).count(), values))
}

fn least_squares(array: &Array, right: &Array, rcond: Option<f64>) -> Result<Value, Error> {
    let (rows, columns) = (array.dims()[0], array.dims()[1]);
    if right.dims().first() != Some(&rows) || right.dims().len() > 2 {
        return Err(linalg_error("Incompatible dimensions"));
    }
    let cut = rcond.unwrap_or(f64::EPSILON * rows.max(columns) as f64);
    let (solution, rank, values) = nearest(array, &right.cast(Kind::Float)?, cut)?;
    let residuals = if rank == columns && rows > columns {
        let found = linalg::matmul(array, &solution)?;
        let away = super::operators::arithmetic(&super::arithmetic::SUBTRACT, &right.cast(Kind::Float)?, &found)?;
        let squares = Array::of_floats(away.dims(), away.floats().iter().map(|x| x * x).collect());
        let sums = super::reduce::folded(&squares, Some(&[0]), false, super::reduce::Fold::Sum)?;
        sums.with_dims(&[sums.count()])
    } else {
        Array::of_floats(&[0], Vec::new())
    };
    Ok(Value::tuple(vec![
        solution.into_array_value(),
        residuals.into_array_value(),
        Value::Scalar(crate::Scalar::Int(rank as i64)),
        Array::of_floats(&[values.len()], values).into_array_value(),
    ]))
}

fn cholesky(array: &Array, n: usize) -> Result<Array, Error> {
    if array.kind() == Kind::Complex {
        return Err(Error::new(ErrorKind::NotSupported, "`cholesky` of complex matrices"));
    }
    let a = array.floats();
    let mut l = vec![0.0; n * n];
    for row in 0..n {
        for column in 0..=row {
            let sum = (0..column).fold(a[row * n + column], |sum, k| sum - l[row * n + k] * l[column * n + k]);
            if row == column {
                if sum.is_nan() || sum <= 0.0 {
                    return Err(linalg_error("Matrix is not positive definite"));
                }
                l[row * n + row] = sum.sqrt();
            } else {
                l[row * n + column] = sum / l[column * n + column];
            }
        }
    }
    Ok(Array::of_floats(&[n, n], l))
}
