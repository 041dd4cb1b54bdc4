//! An axis: where it begins and ends, where its ticks are, and how they are written.

/// The range of an axis, with round ticks.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    pub low: f64,
    pub high: f64,
    pub ticks: Vec<f64>,
    /// Ticks are written in units of 10 to this power.
    pub power: i32,
    digits: usize,
}

impl Scale {
    /// The scale of all finite numbers, with about so many ticks; 0 to 1 if there is none.
    pub fn of(numbers: impl Iterator<Item = f64>, ticks: usize) -> Scale {
        let finite = numbers.filter(|number| number.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), number| {
            (low.min(number), high.max(number))
        });
        let (low, high) = match (low, high) {
            (low, high) if low > high => (0.0, 1.0),
            // A single value stands in the middle.
            (low, high) if low == high => {
                let half = if low == 0.0 { 1.0 } else { low.abs() * 0.05 };
                (low - half, high + half)
            }
            range => range,
        };
        // Numbers near the ends of what floats can hold have no room for a margin.
        let (low, high) = (low.max(-1e300), high.min(1e300));
        Scale::between(low, high.max(low + low.abs() * 1e-12), ticks)
    }

    fn between(low: f64, high: f64, ticks: usize) -> Scale {
        let step = step(high - low, ticks);
        // A tick at the very end is one, however the division is rounded.
        let first = (low / step - 1e-9).ceil();
        let many = ((high / step + 1e-9).floor() - first).clamp(0.0, 100.0) as usize;
        let ticks: Vec<f64> = (0..=many)
            .map(|tick| (first + tick as f64) * step)
            .filter(|tick| tick.is_finite())
            .collect();
        let most = low.abs().max(high.abs());
        let magnitude = if most > 0.0 { most.log10().floor() as i32 } else { 0 };
        let power = if (-2..5).contains(&magnitude) {
            0
        } else {
            magnitude.div_euclid(3) * 3
        };
        let digits = (f64::from(power) - step.log10() - 1e-9).ceil().clamp(0.0, 12.0) as usize;
        Scale {
            low,
            high,
            ticks,
            power,
            digits,
        }
    }

    /// The same with some room around the numbers.
    #[must_use]
    pub fn with_margin(self, share: f64, ticks: usize) -> Scale {
        let margin = (self.high - self.low) * share;
        Scale::between(self.low - margin, self.high + margin, ticks)
    }

    /// A tick as it is written beside the axis.
    pub fn tick(&self, value: f64) -> String {
        let text = format!("{:.*}", self.digits, value / 10_f64.powi(self.power));
        // Nobody writes a negative zero.
        match text.strip_prefix('-') {
            Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
            Some(rest) => format!("−{rest}"),
            None => text,
        }
    }

    /// A label with the power of ten that its ticks leave out: `f_a (10⁻⁹ V)`.
    pub fn label(&self, label: &str) -> String {
        if self.power == 0 {
            return label.to_owned();
        }
        let raised: String = self.power.to_string().chars().map(raised).collect();
        match label.strip_suffix(')').and_then(|label| label.rsplit_once(" (")) {
            Some((name, unit)) => format!("{name} (10{raised} {unit})"),
            None => format!("{label} (10{raised})"),
        }
    }

    /// A number by itself, to six digits: `0.5`, `1.25e-9`.
    pub fn number(value: f64) -> String {
        let size = value.abs();
        if value == 0.0 || (1e-4..1e6).contains(&size) {
            let digits = (5 - size.max(1e-4).log10().floor() as i32).clamp(0, 9) as usize;
            let text = format!("{value:.digits$}");
            if !text.contains('.') {
                return text;
            }
            return text.trim_end_matches('0').trim_end_matches('.').to_owned();
        }
        let text = format!("{value:.5e}");
        match text.split_once('e') {
            Some((digits, power)) if digits.contains('.') => {
                format!("{}e{power}", digits.trim_end_matches('0').trim_end_matches('.'))
            }
            _ => text,
        }
    }
}

/// 1, 2 or 5 times a power of ten, so that a range has about so many steps.
fn step(range: f64, ticks: usize) -> f64 {
    let rough = range / ticks.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = match rough / power {
        few if few < 1.5 => power,
        few if few < 3.5 => 2.0 * power,
        few if few < 7.5 => 5.0 * power,
        _ => 10.0 * power,
    };
    // The range of numbers so small or alike that they have no steps.
    if step.is_finite() && step > 0.0 {
        step
    } else {
        f64::MIN_POSITIVE
    }
}

fn raised(c: char) -> char {
    match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '0' | '4'..='9' => char::from_u32(0x2070 + c as u32 - 0x30).unwrap_or(c),
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(low: f64, high: f64, expected: &str) {
        let scale = Scale::of([low, f64::NAN, high].into_iter(), 5);
        let ticks: Vec<String> = scale.ticks.iter().map(|tick| scale.tick(*tick)).collect();
        assert_eq!(format!("{} {}", scale.label("f (V)"), ticks.join(" ")), expected);
    }

    #[test]
    fn ticks_are_round_and_short() {
        check(0.0, 1.0, "f (V) 0.0 0.2 0.4 0.6 0.8 1.0");
        check(-1.0, 1.0, "f (V) −1.0 −0.5 0.0 0.5 1.0");
        check(0.0, 5e9, "f (10⁹ V) 0 1 2 3 4 5");
        check(1e-9, 5e-9, "f (10⁻⁹ V) 1 2 3 4 5");
        check(0.0, 99.0, "f (V) 0 20 40 60 80");
        check(3.0, 3.0, "f (V) 2.85 2.90 2.95 3.00 3.05 3.10 3.15");
        check(f64::NAN, f64::NAN, "f (V) 0.0 0.2 0.4 0.6 0.8 1.0");
    }

    #[test]
    fn extreme_numbers_are_scaled_too() {
        for (low, high) in [
            (-f64::MAX, f64::MAX),
            (0.0, 5e-324),
            (1.0, 1.0 + f64::EPSILON),
            (1e300, 1e300),
        ] {
            let scale = Scale::of([low, high].into_iter(), 5);
            assert!(scale.low < scale.high || low == 0.0, "{scale:?}");
            assert!(scale.ticks.len() <= 101);
        }
    }

    #[test]
    fn numbers_by_themselves_are_short() {
        for (value, expected) in [
            (0.5, "0.5"),
            (0.0, "0"),
            (1234.5, "1234.5"),
            (1.25e-9, "1.25e-9"),
            (-3.0, "-3"),
            (1e9, "1e9"),
            (100000.0, "100000"),
        ] {
            assert_eq!(Scale::number(value), expected);
        }
    }
}
