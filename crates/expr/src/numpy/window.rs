//! Windows for spectra: Hann, Hamming, Blackman, Bartlett, Kaiser.

use std::f64::consts::PI;

use super::Function;
use super::array::count_of;
use super::call::Call;
use crate::{Array, Error, Value, limits};

/// The function called `np.<name>`.
pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name {
        "hanning" => |arguments| {
            window(&Call::bind("hanning", arguments, "M!")?, |n, m| {
                0.5 + 0.5 * (PI * n / (m - 1.0)).cos()
            })
        },
        "hamming" => |arguments| {
            window(&Call::bind("hamming", arguments, "M!")?, |n, m| {
                0.54 + 0.46 * (PI * n / (m - 1.0)).cos()
            })
        },
        "blackman" => |arguments| {
            window(&Call::bind("blackman", arguments, "M!")?, |n, m| {
                0.42 + 0.5 * (PI * n / (m - 1.0)).cos() + 0.08 * (2.0 * PI * n / (m - 1.0)).cos()
            })
        },
        "bartlett" => |arguments| {
            window(&Call::bind("bartlett", arguments, "M!")?, |n, m| {
                if n <= 0.0 {
                    1.0 + n / (m - 1.0)
                } else {
                    1.0 - n / (m - 1.0)
                }
            })
        },
        "kaiser" => kaiser,
        "i0" => |arguments| {
            let call = Call::bind("i0", arguments, "x!")?;
            let array = call.array("x")?;
            Ok(Array::of_floats(array.dims(), array.floats().iter().map(|x| bessel_i0(*x)).collect()).into_value())
        },
        _ => return None,
    })
}

/// A window of `M` points; the formula gets the odd numbers from `1 - M` to `M - 1`, and `M`.
fn window(call: &Call, formula: fn(f64, f64) -> f64) -> Result<Value, Error> {
    let count = call.float("M")?.unwrap_or(0.0);
    if count.is_nan() || count < 1.0 {
        return Ok(Array::of_floats(&[0], Vec::new()).into_array_value());
    }
    if count == 1.0 {
        return Ok(Array::of_floats(&[1], vec![1.0]).into_array_value());
    }
    let length = count_of(&[count.ceil().min(1e18) as usize])?;
    limits::elements(length)?;
    let data = (0..length)
        .map(|i| formula(1.0 - count + 2.0 * i as f64, count))
        .collect();
    Ok(Array::of_floats(&[length], data).into_array_value())
}

fn kaiser(arguments: super::Arguments) -> Result<Value, Error> {
    let call = Call::bind("kaiser", arguments, "M! beta!")?;
    let (count, beta) = (call.float("M")?.unwrap_or(0.0), call.float("beta")?.unwrap_or(0.0));
    if count == 1.0 {
        return Ok(Array::of_floats(&[1], vec![1.0]).into_array_value());
    }
    let length = count_of(&[count.ceil().clamp(0.0, 1e18) as usize])?;
    limits::elements(length)?;
    let alpha = (count - 1.0) / 2.0;
    let at = |i: usize| {
        let x = (i as f64 - alpha) / alpha;
        bessel_i0(beta * (1.0 - x * x).max(0.0).sqrt()) / bessel_i0(beta)
    };
    Ok(Array::of_floats(&[length], (0..length).map(at).collect()).into_array_value())
}

/// The modified Bessel function of order 0 by its series; all terms are positive, so nothing is lost.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    if !quarter.is_finite() {
        return quarter;
    }
    let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-18 && k < 2000.0 {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}
