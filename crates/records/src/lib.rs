//! The record of a run: rows, facts and positions on disk as they are measured, and back for everybody's tools.

mod dataset;
pub mod hdf5;
mod names;
mod table;

pub use dataset::{Attribute, Dataset, Dimension, MISSING, Role, Variable};
pub use num_complex::Complex64;
pub use table::{Axis, Column, Data, Facts, Table};
