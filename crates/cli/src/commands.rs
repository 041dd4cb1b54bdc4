//! The commands, one file each: its arguments, and what it does with them. To add one, copy `completions.rs` and name it
//! in `args.rs` and `main.rs`.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod control;
pub(crate) mod convert;
pub(crate) mod drivers;
pub(crate) mod export;
pub(crate) mod instruments;
pub(crate) mod man;
pub(crate) mod outline;
pub(crate) mod plot;
pub(crate) mod resume;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod show;
pub(crate) mod simulate;
pub(crate) mod tasks;
