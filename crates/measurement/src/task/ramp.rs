//! Going from one value to another in steps, which a stop ends after any of them.
//!
//! A step is followed by a pause, the last one by nothing: whoever ramps sets the target itself. Deliberately absent: what
//! is set, and ramps that an instrument does by itself.

use crate::program::{At, Exit};

/// Steps of one size with a pause between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ramp {
    /// The size of a step; 0 for a single one.
    pub(crate) step: f64,
    /// Seconds between two steps.
    pub(crate) delay: f64,
    /// Decimals that values on the way are rounded to, so that errors do not add up; nothing for none.
    pub(crate) decimals: Option<usize>,
}

impl Ramp {
    /// Sets one value after the other until `to` is no more than a step away; says where that is, also when it fails.
    pub(crate) fn approach(
        &self,
        at: &At<'_>,
        from: f64,
        to: f64,
        mut set: impl FnMut(f64) -> Result<(), Exit>,
    ) -> Result<f64, (f64, Exit)> {
        let step = self.step.abs().copysign(to - from);
        let mut last = from;
        if step == 0.0 {
            return Ok(last);
        }
        while (to - last).abs() > step.abs() {
            if last != from {
                at.sleep(self.delay).map_err(|exit| (last, exit))?;
            }
            at.go_on().map_err(|exit| (last, exit))?;
            let next = self.rounded(last + step);
            // Infinities and values that are no numbers never come near.
            if next == last || !next.is_finite() {
                let message = format!("ValueError: steps of {step} are too small: the value does not change");
                return Err((last, at.fail(message)));
            }
            set(next).map_err(|exit| (last, exit))?;
            last = next;
        }
        Ok(last)
    }

    /// As Python's `round` does it: by the decimal digits of the number.
    fn rounded(&self, value: f64) -> f64 {
        match self.decimals {
            Some(decimals) => format!("{value:.decimals$}").parse().unwrap_or(value),
            None => value,
        }
    }
}
