//! libFuzzer's door to [`file::check`]: the text of a measurement file.

#![no_main]

#[path = "../checks/file.rs"]
mod file;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| file::check(bytes));
