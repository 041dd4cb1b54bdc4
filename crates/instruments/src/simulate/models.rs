//! What a driver does not say of its model: one file a kind of instrument.

use super::mirror::Quirk;
use crate::driver::Driver;

/// The code for the model of a driver, if it has some.
pub(super) fn of(driver: &Driver) -> Option<Box<dyn Quirk>> {
    let _ = driver;
    None
}
