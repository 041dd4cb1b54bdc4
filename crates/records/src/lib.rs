//! The record of a run: rows, facts and positions on disk as they are measured, and back for everybody's tools.

pub mod hdf5;
mod table;

pub use num_complex::Complex64;
pub use table::{Axis, Column, Data, Facts, Table};
