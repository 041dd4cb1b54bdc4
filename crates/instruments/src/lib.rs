//! Links to laboratory instruments, usable alone: no crate of this project is known here.
//!
//! ```text
//! Resource ─► Session ─► Link ─► instrument
//! a VISA name │          └ write, read, clear, status byte, lock, service request; each within its time-out
//!             └ *IDN?, *OPC?, SYST:ERR?, arrays (block); opened again when lost
//! ```
//!
//! An [`Interrupter`] ends any call from another thread.

mod resource;

pub mod block;
pub mod device;
pub mod driver;
mod interrupter;
mod link;
mod models;
pub mod python;
mod session;
pub mod simulate;

pub use block::BlockError;
pub use interrupter::Interrupter;
pub use link::{
    Boards, DataBits, Extent, Fault, FlowControl, Link, LinkError, LinkSettings, Parity, SerialSettings, StopBits,
    discover, open, serial_lines,
};
pub use resource::{HISLIP_PORT, PROLOGIX_PORT, Resource, ResourceError, SerialLine};
pub use session::{Identity, InstrumentError, NumberFormat, Session, SessionError, SessionFault};
