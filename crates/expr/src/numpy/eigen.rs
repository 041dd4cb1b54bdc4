//! Eigenvalues: of symmetric matrices by Jacobi's rotations, with their vectors; of others by the QR steps of Francis.
//!
//! They agree with LAPACK to rounding; a vector may differ by its sign, as it may between two LAPACKs. Deliberately
//! absent: the vectors of matrices that are not symmetric.

use num_complex::Complex64;

use super::Function;
use super::call::Call;
use super::decompose::{linalg_error, square};
use super::kind::Kind;
use crate::error::ErrorKind;
use crate::{Array, Error, Value, limits};

/// The function called `np.<name>`.
pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name.strip_prefix("linalg.")? {
        "eigvals" => |arguments| {
            let call = Call::bind("eigvals", arguments, "a!")?;
            let (array, n) = square(&*call.array("a")?)?;
            if array.kind() == Kind::Complex {
                return Err(Error::new(
                    ErrorKind::NotSupported,
                    "eigenvalues of complex matrices that are not Hermitian",
                ));
            }
            eigenvalues(&array.floats(), n).map(Array::into_array_value)
        },
        "eigvalsh" => |arguments| {
            let call = Call::bind("eigvalsh", arguments, "a! UPLO")?;
            let (array, n) = square(&*call.array("a")?)?;
            let (values, _) = symmetric(&array, n)?;
            Ok(Array::of_floats(&[n], values).into_array_value())
        },
        "eigh" => |arguments| {
            let call = Call::bind("eigh", arguments, "a! UPLO")?;
            let (array, n) = square(&*call.array("a")?)?;
            if array.kind() == Kind::Complex {
                return Err(Error::new(ErrorKind::NotSupported, "eigenvectors of complex matrices"));
            }
            let (values, vectors) = symmetric(&array, n)?;
            let vectors = Array::of_floats(&[n, n], vectors).into_array_value();
            Ok(Value::tuple(vec![
                Array::of_floats(&[n], values).into_array_value(),
                vectors,
            ]))
        },
        _ => return None,
    })
}

/// Eigenvalues in rising order and eigenvectors as columns, of the lower triangle.
fn symmetric(array: &Array, n: usize) -> Result<(Vec<f64>, Vec<f64>), Error> {
    if array.kind() == Kind::Complex {
        // A Hermitian matrix is a real one of twice the size, with every eigenvalue twice.
        let z = array.complexes();
        let at = |row: usize, column: usize| {
            if row >= column {
                z[row * n + column]
            } else {
                z[column * n + row].conj()
            }
        };
        let side = 2 * n;
        let data = (0..side * side)
            .map(|i| {
                let (row, column) = (i / side, i % side);
                let value = at(row % n, column % n);
                match (row < n, column < n) {
                    (true, true) | (false, false) => value.re,
                    (true, false) => -value.im,
                    (false, true) => value.im,
                }
            })
            .collect();
        let (values, _) = symmetric(&Array::of_floats(&[side, side], data), side)?;
        return Ok((values.into_iter().step_by(2).collect(), Vec::new()));
    }
    let source = array.floats();
    let mut a: Vec<f64> = (0..n * n)
        .map(|i| {
            if i / n >= i % n {
                source[i]
            } else {
                source[(i % n) * n + i / n]
            }
        })
        .collect();
    let mut vectors: Vec<f64> = (0..n * n).map(|i| f64::from(u8::from(i / n == i % n))).collect();
    if a.iter().any(|x| !x.is_finite()) {
        return Err(linalg_error("Eigenvalues did not converge"));
    }
    for _ in 0..60 {
        limits::work(n * n * n)?;
        let off: f64 = (0..n * n).filter(|i| i / n != i % n).map(|i| a[i] * a[i]).sum();
        let all: f64 = a.iter().map(|x| x * x).sum();
        if off <= all * 1e-34 {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut vectors, n, p, q);
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|l, r| a[l * n + l].total_cmp(&a[r * n + r]));
    let values = order.iter().map(|i| a[i * n + i]).collect();
    let columns = (0..n * n).map(|i| vectors[(i / n) * n + order[i % n]]).collect();
    Ok((values, columns))
}

/// One of Jacobi's rotations: the element at `(p, q)` becomes zero.
fn rotate(a: &mut [f64], vectors: &mut [f64], n: usize, p: usize, q: usize) {
    if a[p * n + q] == 0.0 {
        return;
    }
    let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * a[p * n + q]);
    let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    for k in 0..n {
        let (kp, kq) = (a[k * n + p], a[k * n + q]);
        a[k * n + p] = c * kp - s * kq;
        a[k * n + q] = s * kp + c * kq;
    }
    for k in 0..n {
        let (pk, qk) = (a[p * n + k], a[q * n + k]);
        a[p * n + k] = c * pk - s * qk;
        a[q * n + k] = s * pk + c * qk;
        let (kp, kq) = (vectors[k * n + p], vectors[k * n + q]);
        vectors[k * n + p] = c * kp - s * kq;
        vectors[k * n + q] = s * kp + c * kq;
    }
}

/// The eigenvalues of any real matrix: real if all are.
pub(super) fn eigenvalues(source: &[f64], n: usize) -> Result<Array, Error> {
    let mut a = source.to_vec();
    if a.iter().any(|x| !x.is_finite()) {
        return Err(linalg_error("Array must not contain infs or NaNs"));
    }
    to_hessenberg(&mut a, n);
    let values = francis(&mut a, n)?;
    Ok(if values.iter().all(|z| z.im == 0.0) {
        Array::of_floats(&[n], values.iter().map(|z| z.re).collect())
    } else {
        Array::of_complexes(&[n], values)
    })
}

fn to_hessenberg(a: &mut [f64], n: usize) {
    for m in 1..n.saturating_sub(1) {
        let mut pivot = m;
        for row in m..n {
            if a[row * n + m - 1].abs() > a[pivot * n + m - 1].abs() {
                pivot = row;
            }
        }
        let x = a[pivot * n + m - 1];
        if pivot != m {
            (m - 1..n).for_each(|column| a.swap(pivot * n + column, m * n + column));
            (0..n).for_each(|row| a.swap(row * n + pivot, row * n + m));
        }
        if x == 0.0 {
            continue;
        }
        for row in m + 1..n {
            let factor = a[row * n + m - 1] / x;
            if factor == 0.0 {
                continue;
            }
            a[row * n + m - 1] = 0.0;
            for column in m..n {
                a[row * n + column] -= factor * a[m * n + column];
            }
            for k in 0..n {
                a[k * n + m] += factor * a[k * n + row];
            }
        }
    }
}

/// Double QR steps on a Hessenberg matrix until every eigenvalue stands on the diagonal or in a block of two.
fn francis(a: &mut [f64], n: usize) -> Result<Vec<Complex64>, Error> {
    let mut values = vec![Complex64::ZERO; n];
    let mut end = n;
    let mut shift = 0.0;
    let mut steps = 0;
    while end > 0 {
        let last = end - 1;
        let small = (1..end)
            .rev()
            .find(|l| {
                let size = a[(l - 1) * n + l - 1].abs() + a[l * n + l].abs();
                a[l * n + l - 1].abs() <= f64::EPSILON * size
            })
            .unwrap_or(0);
        let x = a[last * n + last];
        if small == last {
            values[last] = Complex64::new(x + shift, 0.0);
            end -= 1;
            steps = 0;
            continue;
        }
        let y = a[(last - 1) * n + last - 1];
        let w = a[last * n + last - 1] * a[(last - 1) * n + last];
        if small + 1 == last {
            let p = 0.5 * (y - x);
            let q = p * p + w;
            let z = q.abs().sqrt();
            let x = x + shift;
            if q >= 0.0 {
                let z = p + z.copysign(if p == 0.0 { 1.0 } else { p });
                values[last - 1] = Complex64::new(x + z, 0.0);
                values[last] = Complex64::new(if z == 0.0 { x } else { x - w / z }, 0.0);
            } else {
                values[last - 1] = Complex64::new(x + p, z);
                values[last] = Complex64::new(x + p, -z);
            }
            end -= 2;
            steps = 0;
            continue;
        }
        if steps >= 60 {
            return Err(linalg_error("Eigenvalues did not converge"));
        }
        limits::work(n * n)?;
        let (mut x, mut y, mut w) = (x, y, w);
        if steps == 10 || steps == 20 {
            // A step out of the ordinary where the ordinary ones go round in circles.
            shift += x;
            (0..end).for_each(|i| a[i * n + i] -= x);
            let s = a[last * n + last - 1].abs() + a[(last - 1) * n + last - 2].abs();
            x = 0.75 * s;
            y = x;
            w = -0.4375 * s * s;
        }
        steps += 1;
        double_step(a, n, small, last, (x, y, w));
    }
    Ok(values)
}

fn double_step(a: &mut [f64], n: usize, small: usize, last: usize, (x, y, w): (f64, f64, f64)) {
    let (mut p, mut q, mut r);
    let mut m = last - 2;
    loop {
        let z = a[m * n + m];
        let (dx, dy) = (x - z, y - z);
        p = (dx * dy - w) / a[(m + 1) * n + m] + a[m * n + m + 1];
        q = a[(m + 1) * n + m + 1] - z - dx - dy;
        r = a[(m + 2) * n + m + 1];
        let s = p.abs() + q.abs() + r.abs();
        p /= s;
        q /= s;
        r /= s;
        if m == small {
            break;
        }
        let u = a[m * n + m - 1].abs() * (q.abs() + r.abs());
        let v = p.abs() * (a[(m - 1) * n + m - 1].abs() + z.abs() + a[(m + 1) * n + m + 1].abs());
        if u <= f64::EPSILON * v {
            break;
        }
        m -= 1;
    }
    for i in m + 2..=last {
        a[i * n + i - 2] = 0.0;
        if i > m + 2 {
            a[i * n + i - 3] = 0.0;
        }
    }
    let mut x = 0.0;
    for k in m..last {
        if k != m {
            p = a[k * n + k - 1];
            q = a[(k + 1) * n + k - 1];
            r = if k + 1 < last { a[(k + 2) * n + k - 1] } else { 0.0 };
            x = p.abs() + q.abs() + r.abs();
            if x != 0.0 {
                p /= x;
                q /= x;
                r /= x;
            }
        }
        let s = (p * p + q * q + r * r).sqrt().copysign(p);
        if s == 0.0 {
            continue;
        }
        if k == m {
            if small != m {
                a[k * n + k - 1] = -a[k * n + k - 1];
            }
        } else {
            a[k * n + k - 1] = -s * x;
        }
        p += s;
        x = p / s;
        let y = q / s;
        let z = r / s;
        q /= p;
        r /= p;
        for j in k..=last {
            let mut sum = a[k * n + j] + q * a[(k + 1) * n + j];
            if k + 1 < last {
                sum += r * a[(k + 2) * n + j];
                a[(k + 2) * n + j] -= sum * z;
            }
            a[(k + 1) * n + j] -= sum * y;
            a[k * n + j] -= sum * x;
        }
        for i in small..=last.min(k + 3) {
            let mut sum = x * a[i * n + k] + y * a[i * n + k + 1];
            if k + 1 < last {
                sum += z * a[i * n + k + 2];
                a[i * n + k + 2] -= sum * r;
            }
            a[i * n + k + 1] -= sum * q;
            a[i * n + k] -= sum;
        }
    }
}
