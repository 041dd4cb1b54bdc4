//! libFuzzer's door to [`measurement::check`]: a measurement, from its bytes to its last task.

#![no_main]

#[path = "../checks/measurement.rs"]
mod measurement;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| measurement::check(bytes));
