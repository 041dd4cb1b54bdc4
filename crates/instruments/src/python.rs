//! Any driver and any task written in Python, in a process of its own.
//!
//! ```text
//! Object (a Device) ─┐            one process an environment for all instruments, one for all tasks
//! Task ──────────────┴─ Lane ═══════► a thread with one object ─► PyMeasure, QCoDeS, ophyd, own classes
//!                         │ Hosts: started when needed, and again when it died
//!                         └ frame: msgpack, arrays as their bytes
//! prints ─► log ─► the program's log
//! ```
//!
//! Python is not linked in: one program then works with any interpreter and any environment, and what Python code can do
//! to a process it does to its own. The end of a socket is the end of the process behind it. The files beside the sources
//! (`python/`) are the other side; they need the standard library only.
//!
//! A call whose time is up, or that the operator ends, ends the process: code that holds on to a lock or to an instrument
//! cannot be stopped otherwise. What else lived there is made anew at its next use. Nothing is ever sent twice.
//!
//! Deliberately absent: installing Python packages, and talking to an interpreter that is already running.

mod frame;
mod host;
mod lane;
mod log;

mod object;
mod options;
mod task;

pub use host::Hosts;
pub use log::Log;
pub use object::{Described, Object, open};
pub use options::Options;
pub use task::{Ask, Field, Severity, Task, TaskClass, TaskSide};
