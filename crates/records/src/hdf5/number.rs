//! Numbers into the bytes of a dataset, as numpy's `astype` converts them.

use super::Element;

/// The numbers of one row of one dataset, in C order; a scalar is a slice of one.
#[derive(Clone, Copy, Debug)]
pub enum Cells<'a> {
    Float(&'a [f64]),
    Int(&'a [i64]),
}

impl Cells<'_> {
    pub fn len(&self) -> usize {
        match self {
            Cells::Float(numbers) => numbers.len(),
            Cells::Int(numbers) => numbers.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Element {
    /// Numbers as a dataset of this element keeps them.
    pub fn bytes(self, cells: Cells<'_>) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(cells.len() * self.size());
        self.put(cells, &mut bytes);
        bytes
    }

    /// Bytes of one number.
    pub fn size(self) -> usize {
        match self {
            Element::Float16 => 2,
            Element::Float32 => 4,
            Element::Int64 | Element::Float64 => 8,
        }
    }

    pub(crate) fn put(self, cells: Cells<'_>, into: &mut Vec<u8>) {
        match (self, cells) {
            (Element::Int64, Cells::Int(numbers)) => extend(into, numbers, |n| n.to_le_bytes()),
            (Element::Int64, Cells::Float(numbers)) => extend(into, numbers, |n| truncated(n).to_le_bytes()),
            (Element::Float64, Cells::Int(numbers)) => extend(into, numbers, |n| (n as f64).to_le_bytes()),
            (Element::Float64, Cells::Float(numbers)) => extend(into, numbers, |n| n.to_le_bytes()),
            (Element::Float32, Cells::Int(numbers)) => extend(into, numbers, |n| (n as f32).to_le_bytes()),
            (Element::Float32, Cells::Float(numbers)) => extend(into, numbers, |n| (n as f32).to_le_bytes()),
            (Element::Float16, Cells::Int(numbers)) => extend(into, numbers, |n| half(n as f64).to_le_bytes()),
            (Element::Float16, Cells::Float(numbers)) => extend(into, numbers, |n| half(n).to_le_bytes()),
        }
    }
}

#[inline]
fn extend<T: Copy, const N: usize>(into: &mut Vec<u8>, numbers: &[T], bytes: impl Fn(T) -> [u8; N]) {
    for number in numbers {
        into.extend_from_slice(&bytes(*number));
    }
}

/// Towards zero; what an int64 cannot hold, NaN included, becomes the smallest one, which is what processors make of it
/// and numpy hands on.
fn truncated(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&number) {
        number as i64
    } else {
        i64::MIN
    }
}

/// The nearest float16, ties to the even one.
fn half(number: f64) -> u16 {
    let bits = number.to_bits();
    let sign = (bits >> 48) as u16 & 0x8000;
    let magnitude = number.abs();
    if magnitude.is_nan() {
        return sign | 0x7e00;
    }
    // Halfway between the largest float16 and the one that would follow.
    if magnitude >= 65520.0 {
        return sign | 0x7c00;
    }
    let exponent = ((bits >> 52) & 0x7ff) as i32 - 1023;
    // The last place of a float16 of this size; below 2⁻¹⁴ all have the same one.
    let place = exponent.max(-14) - 10;
    // Exact: the product is a power of two away, and the largest is below 2¹¹.
    let places = (magnitude * 2f64.powi(-place)).round_ties_even() as u16;
    // A carry into the next power of two, or out of the subnormal ones, is the right next number.
    let base = if exponent < -14 {
        0
    } else {
        ((exponent + 14) as u16) << 10
    };
    sign | (base + places)
}

/// What a float16 means.
pub(crate) fn half_value(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => mantissa * 2f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (mantissa + 1024.0) * 2f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { magnitude } else { -magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_the_nearest() {
        for (number, expected) in [
            (0.0, 0x0000),
            (-0.0, 0x8000),
            (1.0, 0x3c00),
            (-2.0, 0xc000),
            (65504.0, 0x7bff),
            (65519.99, 0x7bff),
            (65520.0, 0x7c00),
            (f64::NEG_INFINITY, 0xfc00),
            (2f64.powi(-14), 0x0400),
            (2f64.powi(-24), 0x0001),
            (2f64.powi(-25), 0x0000),
            (2f64.powi(-25) * 1.0000001, 0x0001),
            (1.0 + 2f64.powi(-11), 0x3c00),
            (1.0 + 2f64.powi(-11) + 2f64.powi(-40), 0x3c01),
            (1.0 + 3.0 * 2f64.powi(-11), 0x3c02),
            (0.1, 0x2e66),
            (1e-300, 0x0000),
        ] {
            assert_eq!(half(number), expected, "{number:e}");
        }
        assert_eq!(half(f64::NAN) & 0x7fff, 0x7e00);
    }

    #[test]
    fn every_half_comes_back() {
        for bits in 0..=u16::MAX {
            let value = half_value(bits);
            if !value.is_nan() {
                assert_eq!(half(value), bits, "{value:e}");
            }
        }
    }

    #[test]
    fn ints_are_cut_towards_zero() {
        for (number, expected) in [
            (1.9, 1),
            (-1.9, -1),
            (f64::NAN, i64::MIN),
            (1e300, i64::MIN),
            (-9.3e18, i64::MIN),
            (4e18, 4e18 as i64),
        ] {
            assert_eq!(
                Element::Int64.bytes(Cells::Float(&[number])),
                i64::to_le_bytes(expected),
                "{number:e}"
            );
        }
    }
}
