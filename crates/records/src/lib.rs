//! The record of a run: rows, facts and positions on disk as they are measured, and back for everybody's tools.
//!
//! ```text
//! Writer ─► frames in one file ─► Position   where a broken run goes on
//!                              └► Reading    facts and tables ─► Dataset ─► csv, hdf5, netcdf, zarr, parquet, plots
//! ```
//!
//! The file is append-only: nothing that is written is changed, so that a kill at any moment leaves a valid record and
//! a reader needs no lock. Deliberately absent: tasks and benches; a task here is a number with a path.

mod error;
mod frame;
mod layout;
mod packed;
mod parts;
mod platform;
mod schema;
mod writer;

mod position;
mod row;
mod scan;
mod threads;

mod column;
mod read;
mod table;

mod dataset;
mod export;
pub mod hdf5;
mod index;
mod names;
mod plot;

pub use dataset::{Attribute, Dataset, Dimension, MISSING, Role, Variable};
pub use error::RecordError;
pub use export::{Existing, ExportError, Format, export};
pub use index::{Filter, Index, IndexError, Run};
pub use num_complex::Complex64;
pub use parts::{FileAt, FileContent, LoopValues, OpenedFile};
pub use plot::{Choice, Figure, Line, Lines, Map, PlotError, Scale, draw, viridis};
pub use position::{Available, FileState, LoopAt, Position};
pub use read::{Reading, State, outcome, read, schema};
pub use schema::{FORMAT, LoopEntries, Mark, RunFacts, Schema, TableFacts, TaskFacts, What};
pub use table::{Axis, Column, Data, Facts, Table};
pub use writer::{RowEnd, Writer};
