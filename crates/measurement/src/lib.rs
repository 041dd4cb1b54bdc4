//! A measurement: file → tree → checked → performed on a [`Bench`]. Pure: no file, socket, thread or clock in here.
//!
//! Everything a task may touch is the trait [`Bench`]; the process that runs tasks has a real one, the outline and the
//! tests have a dry one ([`DryBench`]).

mod bench;
mod check;
mod dry_run;
pub mod file;
mod hook;
mod hqcmeas;
mod instrument;
mod measurement;
mod monitor;
mod names;
mod problem;
mod program;
mod python;
mod resumption;
mod tables;
mod task;
mod tree;

pub use bench::{Attribute, Bench, DataFile, Dataset, Datasets, Element, Hdf5, Pools, RoundValues, Rows, Signal};
pub use check::{Checked, Surroundings, refused};
pub use dry_run::{DryBench, DryFile, DryRun, Outline, OutlineLine};
pub use hook::Hook;
pub use hqcmeas::{Note, is_old, modernise};
pub use instrument::{Ask, InstrumentId, Selected, Unanswered, Where};
pub use measurement::{Measurement, Overrides, Source};
pub use monitor::{Shown, TextMonitor};
pub use names::{Database, Entry, EntryId, ScopeId};
pub use problem::{Problem, Severity, Stage};
pub use program::{Failure, Program};
pub use python::{Catalog, NoPython, PythonCall, PythonClass, PythonSide};
pub use resumption::{LoopAt, Resumption, in_force};
pub use tables::{TablePlan, Tables, TaskPlan};
pub use task::{Field, INTERFACES, InterfaceKind, Kind, Resume, Shape, TASKS, interface_kind, kind};
pub use tree::{Node, TaskId, Tree};
