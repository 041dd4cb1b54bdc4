//! Fourier transforms of any length (`np.fft`), by rustfft.

use num_complex::Complex64;
use rustfft::{FftDirection, FftPlanner};

use super::array::{count_of, type_error, value_error};
use super::call::Call;
use super::kind::Kind;
use super::{Arguments, Function, grid};
use crate::{Array, Error, Value, limits};

/// The function called `np.<name>`.
pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name.strip_prefix("fft.")? {
        "fft" => |arguments| one("fft", arguments, Transform::Complex(FftDirection::Forward)),
        "ifft" => |arguments| one("ifft", arguments, Transform::Complex(FftDirection::Inverse)),
        "rfft" => |arguments| one("rfft", arguments, Transform::RealForward),
        "irfft" => |arguments| one("irfft", arguments, Transform::RealInverse),
        "fft2" => |arguments| several("fft2", arguments, FftDirection::Forward, 2),
        "ifft2" => |arguments| several("ifft2", arguments, FftDirection::Inverse, 2),
        "fftn" => |arguments| several("fftn", arguments, FftDirection::Forward, usize::MAX),
        "ifftn" => |arguments| several("ifftn", arguments, FftDirection::Inverse, usize::MAX),
        "fftfreq" => |arguments| {
            let call = Call::bind("fftfreq", arguments, "n! d * device")?;
            frequencies(&call, |n| (0..n - n / 2).chain(-(n / 2)..0).collect())
        },
        "rfftfreq" => |arguments| {
            let call = Call::bind("rfftfreq", arguments, "n! d * device")?;
            frequencies(&call, |n| (0..=n / 2).collect())
        },
        "fftshift" => |arguments| shifted("fftshift", arguments, |length| length / 2),
        "ifftshift" => |arguments| shifted("ifftshift", arguments, |length| length.div_ceil(2)),
        _ => return None,
    })
}

#[derive(Clone, Copy)]
enum Transform {
    Complex(FftDirection),
    RealForward,
    RealInverse,
}

/// What the result is divided by, for a transform of `n` points.
fn scale(call: &Call, inverse: bool, n: usize) -> Result<f64, Error> {
    let n = n as f64;
    Ok(match (call.text("norm")?, inverse) {
        (None | Some("backward"), true) | (Some("forward"), false) => 1.0 / n,
        (None | Some("backward"), false) | (Some("forward"), true) => 1.0,
        (Some("ortho"), _) => 1.0 / n.sqrt(),
        (Some(other), _) => {
            return Err(value_error(format!(
                "Invalid norm value {other}; should be \"backward\",\"ortho\" or \"forward\"."
            )));
        }
    })
}

fn one(name: &'static str, arguments: Arguments, transform: Transform) -> Result<Value, Error> {
    let call = Call::bind(name, arguments, "a! n axis norm out")?;
    let array = call.array("a")?;
    if array.dims().is_empty() {
        return Err(value_error("axis -1 is out of bounds for array of dimension 0"));
    }
    if array.kind() == Kind::Str || (matches!(transform, Transform::RealForward) && array.kind() == Kind::Complex) {
        return Err(type_error(format!(
            "ufunc '{name}' did not contain a loop with signature matching types {}",
            super::kind::dtype_text(&array)
        )));
    }
    let axis = call.axis("axis", array.dims().len())?.unwrap_or(array.dims().len() - 1);
    let length = array.dims()[axis];
    let asked = call.int("n")?;
    let points = match (asked, transform) {
        (Some(points), _) => usize::try_from(points).unwrap_or(0),
        (None, Transform::RealInverse) => 2 * length.saturating_sub(1),
        (None, _) => length,
    };
    if points < 1 {
        let shown = asked.unwrap_or(points as i64);
        return Err(value_error(format!(
            "Invalid number of FFT data points ({shown}) specified."
        )));
    }
    let inverse = matches!(
        transform,
        Transform::Complex(FftDirection::Inverse) | Transform::RealInverse
    );
    let factor = scale(&call, inverse, points)?;
    transformed(&array, axis, points, transform, factor).map(Array::into_array_value)
}

/// The transform along one axis, which is cut or filled with zeros to `points`.
fn transformed(array: &Array, axis: usize, points: usize, transform: Transform, factor: f64) -> Result<Array, Error> {
    let moved = grid::axis_last(array, axis);
    let length = array.dims()[axis];
    let mut dims = moved.dims().to_vec();
    let last = dims.len() - 1;
    dims[last] = points;
    limits::elements(count_of(&dims)?)?;
    limits::work(count_of(&dims)?.saturating_mul(2))?;
    let direction = match transform {
        Transform::Complex(direction) => direction,
        Transform::RealForward => FftDirection::Forward,
        Transform::RealInverse => FftDirection::Inverse,
    };
    let plan = FftPlanner::new().plan_fft(points, direction);
    let kept = match transform {
        Transform::RealForward => points / 2 + 1,
        Transform::Complex(_) | Transform::RealInverse => points,
    };
    let rows: usize = dims[..last].iter().product();
    let data = moved.complexes();
    let mut out = Vec::with_capacity(rows * kept);
    for row in 0..rows {
        let source = &data[row * length..(row + 1) * length];
        let mut line: Vec<Complex64> = source
            .iter()
            .copied()
            .chain(std::iter::repeat(Complex64::ZERO))
            .take(points)
            .collect();
        if let Transform::RealInverse = transform {
            // The upper half is the mirror of the lower; the ends are real.
            line[points / 2 + 1..].fill(Complex64::ZERO);
            line[0].im = 0.0;
            for i in 1..points.div_ceil(2) {
                line[points - i] = line[i].conj();
            }
            if points.is_multiple_of(2) {
                line[points / 2].im = 0.0;
            }
        }
        plan.process(&mut line);
        out.extend(line.into_iter().take(kept).map(|z| z * factor));
    }
    dims[last] = kept;
    let result = match transform {
        Transform::RealInverse => Array::of_floats(&dims, out.into_iter().map(|z| z.re).collect()),
        Transform::Complex(_) | Transform::RealForward => Array::of_complexes(&dims, out),
    };
    Ok(grid::axis_back(&result, axis))
}

fn several(name: &'static str, arguments: Arguments, direction: FftDirection, most: usize) -> Result<Value, Error> {
    let call = Call::bind(name, arguments, "a! s axes norm out")?;
    call.refuse(&["s"])?;
    let mut array = call.array("a")?.into_owned();
    if array.kind() == Kind::Str {
        return Err(type_error(format!(
            "ufunc '{name}' did not contain a loop with signature matching types"
        )));
    }
    let count = array.dims().len();
    if count < 2 && most == 2 {
        return Err(value_error("axes exceeds dimensionality of input"));
    }
    let axes = call
        .axes("axes", count)?
        .unwrap_or_else(|| (count.saturating_sub(most)..count).collect());
    for axis in axes.into_iter().rev() {
        let points = array.dims()[axis];
        if points < 1 {
            return Err(value_error("Invalid number of FFT data points (0) specified."));
        }
        let factor = scale(&call, direction == FftDirection::Inverse, points)?;
        array = transformed(&array, axis, points, Transform::Complex(direction), factor)?;
    }
    Ok(array.into_array_value())
}

fn frequencies(call: &Call, places: fn(i64) -> Vec<i64>) -> Result<Value, Error> {
    let n = super::kind::index_of(call.value("n")).map_err(|_| value_error("n should be an integer"))?;
    let d = call.float("d")?.unwrap_or(1.0);
    if n == 0 {
        return Err(Error::new(
            crate::ErrorKind::ZeroDivisionError,
            "float division by zero",
        ));
    }
    let count = usize::try_from(n).map_err(|_| value_error("negative dimensions are not allowed"))?;
    limits::elements(count_of(&[count])?)?;
    let step = 1.0 / (n as f64 * d);
    let data: Vec<f64> = places(n).into_iter().map(|i| i as f64 * step).collect();
    Ok(Array::of_floats(&[data.len()], data).into_array_value())
}

fn shifted(name: &'static str, arguments: Arguments, by: fn(usize) -> usize) -> Result<Value, Error> {
    let call = Call::bind(name, arguments, "x! axes")?;
    let mut array = call.array("x")?.into_owned();
    let axes = call
        .axes("axes", array.dims().len())?
        .unwrap_or_else(|| (0..array.dims().len()).collect());
    for axis in axes {
        let length = array.dims()[axis];
        let places = (0..length).map(|i| (i + length - by(length)) % length.max(1)).collect();
        array = grid::select_axis(&array, axis, places)?;
    }
    Ok(array.into_array_value())
}
