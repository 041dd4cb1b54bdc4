//! libFuzzer's door to [`formula::check`]: an expression and its value.

#![no_main]

#[path = "../checks/formula.rs"]
mod formula;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| formula::check(bytes));
