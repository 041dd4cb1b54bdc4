//! The words between the process that performs a measurement (the child) and the one that watches it (the parent).
//! Read this first: everything that can happen to a run is a [`Command`] or an [`Event`].
//!
//! ```text
//! parent                                   child
//!   Hello{version, token}      ──────►
//!                              ◄──────     Hello{version, pid} · Ready
//!   Perform(text, options)     ──────►
//!                              ◄──────     Problems · Started · Log · Values · Progress · At …
//!   Pause / Resume / Stop      ──────►
//!                              ◄──────     Paused · Resumed · Finished · LogClosed · ValuesClosed · Ready
//!   Shutdown                   ──────►
//!                              ◄──────     Closing, then the stream ends
//! ```
//!
//! The measurement crosses as its text, never as a tree. The end of the stream is the death of its writer; nothing polls.
//!
//! The signals of the original engine have these places: a task's *pause* and *stop* are [`Command::Pause`] and
//! [`Command::Stop`], its *paused* and *resumed* are [`Event::Paused`] and [`Event::Resumed`], the *stop* of the process
//! is [`Command::Shutdown`], and the sentinels that told the listeners of the log and of the monitor that there will be
//! no more are [`Event::LogClosed`] and [`Event::ValuesClosed`]; [`Event::Closing`] is the last word of the process.

mod command;
mod event;
mod frame;
mod log_line;

pub use command::{Assume, Checks, Command, Laboratory, Observe, OnExisting, Recording, Request, Token};
pub use event::{Doing, Event, Level, Numbered, Outcome};
pub use expr::Value;
pub use frame::{FrameError, FrameReader, MAX_FRAME, append};
pub use log_line::{log_day, log_line};

/// Both sides must say the same number; a child of another version is refused in the handshake.
pub const VERSION: u16 = 3;
