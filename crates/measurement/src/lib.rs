//! A measurement: file → tree → checked → performed on a [`Bench`]. Pure: no file, socket, thread or clock in here.
//!
//! Everything a task may touch is the trait [`Bench`]; the process that runs tasks has a real one, the outline and the
//! tests have a dry one.

mod file;
mod hqcmeas;
