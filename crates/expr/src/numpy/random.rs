//! Random numbers: names under `np.random`.

use super::Function;

/// The function called `np.<name>`.
pub(super) fn function(_name: &str) -> Option<Function> {
    None
}
