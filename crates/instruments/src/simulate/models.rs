//! What a driver does not say of its model: one file a kind of instrument.

mod awg;
mod header;
mod lock_in;
mod magnet;
mod spectrum;
mod synthesizer;
mod vna;
mod yokogawa_7651;

use super::mirror::Quirk;
use crate::driver::Driver;

/// The code for the model of a driver, if it has some.
pub(super) fn of(driver: &Driver) -> Option<Box<dyn Quirk>> {
    Some(match driver.id.as_str() {
        "cryomagnetics.4g" | "cryomagnetics.cs4" => Box::new(magnet::Magnet::cryomagnetics()),
        "keysight.pna" => Box::new(vna::Vna::keysight()),
        "keysight.psa" | "keysight.pxa" => Box::new(spectrum::Spectrum::default()),
        "oxford.ips120_10" => Box::new(magnet::Magnet::oxford()),
        "rohde_schwarz.znb20" | "rohde_schwarz.zva24" => Box::new(vna::Vna::rohde_schwarz()),
        "signal_recovery.7270" => Box::new(lock_in::StatusUnasked),
        "tektronix.awg5014" => Box::new(awg::Awg::default()),
        "windfreak.synthhd" => Box::new(synthesizer::TwoHalves),
        "yokogawa.7651" => Box::new(yokogawa_7651::Yokogawa7651::default()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
