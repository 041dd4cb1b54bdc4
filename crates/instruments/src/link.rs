//! A link: messages to one instrument and answers from it, whatever carries them.
//!
//! ```text
//! Link ─┬─ stream   messages by their terminations ── tcp, serial
//!       ├─ vxi11    messages by their END, remote procedure calls ── tcp
//!       ├─ hislip   messages by their END, two connections ── tcp
//!       ├─ prologix messages through an adapter to a GPIB bus ── tcp, serial
//!       ├─ usbtmc   messages by their END, in transfers of a USB device
//!       └─ visa     whatever an installed VISA library reaches: GPIB cards ── platform
//! ```
//!
//! Every call ends within its time-out, which is that of the whole call and not of each piece of an answer, or at once when
//! its [`Interrupter`] says so. What was received until then is in the error. After an error the connection is not used
//! again: a late answer would be taken for that of the next question ([`crate::Session`] opens a new one).
//!
//! Deliberately absent: retrying, which is the session's.

mod counted;
mod hislip;
mod platform;
mod prologix;
mod serial;
mod stream;
mod tcp;
mod usbtmc;
mod visa;
mod vxi11;

use std::{error::Error, fmt, io, path::PathBuf, time::Duration};

pub use prologix::Boards;
pub use serial::{DataBits, FlowControl, Parity, SerialSettings, StopBits, serial_lines};
pub use vxi11::discover;

use crate::{BlockError, Interrupter, Resource};

/// Messages to an instrument and answers from it.
pub trait Link: Send {
    /// Sends messages, each with its end, and all of them at once where the link can: a command and the question after it
    /// need not wait for each other.
    ///
    /// # Errors
    /// The connection does not take them within the time-out.
    fn write(&mut self, messages: &[&[u8]]) -> Result<(), LinkError>;

    /// Replaces `answer` by the next answer, without its termination.
    ///
    /// # Errors
    /// It is not there, or not whole, within the time-out; the error has what was received.
    fn read(&mut self, extent: Extent, answer: &mut Vec<u8>) -> Result<(), LinkError>;

    /// Device clear: empties what is under way in both directions. Of a plain connection only what was received.
    ///
    /// # Errors
    /// The instrument does not confirm it within the time-out.
    fn clear(&mut self) -> Result<(), LinkError>;

    /// The status byte, read past the messages.
    ///
    /// # Errors
    /// The link has none, or it is not there within the time-out.
    fn status_byte(&mut self) -> Result<u8, LinkError> {
        Err(Fault::Unsupported("a status byte").into())
    }

    /// Group execute trigger.
    ///
    /// # Errors
    /// The link has none, or it is not taken within the time-out.
    fn trigger(&mut self) -> Result<(), LinkError> {
        Err(Fault::Unsupported("a trigger").into())
    }

    /// Keeps other clients from the instrument; waits for them so long.
    ///
    /// # Errors
    /// The link has no locks, or another holds it all the time.
    fn lock(&mut self, _patience: Duration) -> Result<(), LinkError> {
        Err(Fault::Unsupported("locks").into())
    }

    /// Lets other clients use the instrument again.
    ///
    /// # Errors
    /// The link has no locks, or this one holds none.
    fn unlock(&mut self) -> Result<(), LinkError> {
        Err(Fault::Unsupported("locks").into())
    }

    /// Waits until the instrument asks for service and returns its status byte then.
    ///
    /// # Errors
    /// The link has no service requests, or none came in time.
    fn wait_for_service_request(&mut self, _patience: Duration) -> Result<u8, LinkError> {
        Err(Fault::Unsupported("service requests").into())
    }

    /// The time-out of later calls.
    fn set_timeout(&mut self, timeout: Duration);
}

/// Where an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// At its termination, or at the END of links that have one.
    Message,
    /// Behind the block that it carries and the termination after that. The header stays in the answer: see
    /// [`crate::block::content`].
    Block,
    /// Behind the block that it carries; nothing comes after that.
    BareBlock,
    /// After so many bytes, whatever they are.
    Bytes(usize),
}

/// How a link is opened and behaves.
#[derive(Clone, Debug)]
pub struct LinkSettings {
    /// Of each call. PyVISA's default.
    pub timeout: Duration,
    /// Of opening. Exopy's default.
    pub open_timeout: Duration,
    /// What ends a message; unless said, a line feed on streams and buses and nothing (END alone) on VXI-11 and HiSLIP.
    pub write_termination: Option<Vec<u8>>,
    /// What ends an answer; unless said, a line feed. VXI-11 and HiSLIP end with END, and this is removed if it stands there.
    pub read_termination: Option<Vec<u8>>,
    /// The longest answer: an instrument that floods is no reason to run out of memory.
    pub answer_limit: usize,
    pub serial: SerialSettings,
    /// The adapters that make GPIB buses.
    pub boards: Boards,
    /// The VISA library for buses that no adapter makes; unless said, the one that is installed.
    pub visa_library: Option<PathBuf>,
}

impl Default for LinkSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(2),
            open_timeout: Duration::from_secs(1),
            write_termination: None,
            read_termination: None,
            answer_limit: 256 << 20,
            serial: SerialSettings::default(),
            boards: Boards::default(),
            visa_library: None,
        }
    }
}

impl LinkSettings {
    fn read_termination(&self) -> &[u8] {
        self.read_termination.as_deref().unwrap_or(b"\n")
    }
}

/// Opens a link.
///
/// # Errors
/// Nobody is there, or it is something else, or this program has no such links.
pub fn open(
    resource: &Resource,
    settings: &LinkSettings,
    interrupter: &Interrupter,
) -> Result<Box<dyn Link>, LinkError> {
    let deadline = Deadline::after(settings.open_timeout);
    Ok(match resource {
        Resource::Socket { host, port, .. } => {
            let wire = tcp::TcpWire::connect(host, *port, deadline, interrupter)?;
            Box::new(stream::StreamLink::new(wire, settings))
        }
        Resource::Serial { line } => {
            let wire = serial::SerialWire::open(line, &settings.serial, interrupter)?;
            Box::new(stream::StreamLink::new(wire, settings))
        }
        Resource::Vxi11 { host, device, port, .. } => {
            Box::new(vxi11::Vxi11Link::open(host, device, *port, settings, interrupter)?)
        }
        Resource::Hislip { host, device, port, .. } => {
            Box::new(hislip::HislipLink::open(host, device, *port, settings, interrupter)?)
        }
        Resource::Gpib {
            board,
            primary,
            secondary,
        } => {
            let address = prologix::Address {
                primary: *primary,
                secondary: *secondary,
            };
            if settings.boards.has(*board) {
                Box::new(prologix::PrologixLink::open(*board, address, settings, interrupter)?)
            } else {
                Box::new(visa::VisaLink::open(resource, settings, interrupter)?)
            }
        }
        Resource::Usb {
            vendor,
            product,
            serial,
            interface,
            ..
        } => {
            let device = usbtmc::Device {
                vendor: *vendor,
                product: *product,
                serial: serial.clone(),
                interface: *interface,
            };
            Box::new(usbtmc::open(&device, settings, interrupter)?)
        }
        Resource::PrologixTcp { .. } | Resource::PrologixSerial { .. } => {
            return Err(Fault::Unsupported("messages to an adapter itself: open the GPIB address behind it").into());
        }
    })
}

/// Why a call failed, and what had been received of the answer by then.
#[derive(Debug)]
pub struct LinkError {
    pub fault: Fault,
    pub received: Vec<u8>,
}

/// Why a call failed.
#[derive(Debug)]
pub enum Fault {
    /// Nobody took the connection.
    Connect(io::Error),
    /// This long was waited.
    TimedOut(Duration),
    /// The other side closed the connection.
    Closed,
    /// An [`Interrupter`] ended the call.
    Interrupted,
    /// The system says so.
    Io(io::Error),
    /// More than this many bytes came.
    TooLong(usize),
    /// The other side does not speak as it should: what it did.
    Protocol(String),
    /// The instrument, or its server, refuses: in its words.
    Refused(String),
    /// Another client has locked the instrument.
    Locked,
    /// The answer is no block.
    Block(BlockError),
    /// The link does not have this.
    Unsupported(&'static str),
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Enough to recognise an answer by.
        const SHOWN: usize = 60;
        write!(f, "{}", self.fault)?;
        let (count, shown) = (self.received.len(), &self.received[..self.received.len().min(SHOWN)]);
        match (&self.fault, count) {
            (Fault::TimedOut(_) | Fault::Closed | Fault::Interrupted, 0) => write!(f, "; nothing was received"),
            (_, 0) => Ok(()),
            (_, 1..=SHOWN) => write!(f, "; what was received is `{}`", shown.escape_ascii()),
            (_, _) => write!(f, "; the {count} bytes received begin with `{}`", shown.escape_ascii()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Connect(error) => write!(f, "no connection: {error}"),
            Fault::TimedOut(after) => write!(f, "timed out after {after:?}"),
            Fault::Closed => write!(f, "the connection was closed from the other side"),
            Fault::Interrupted => write!(f, "interrupted"),
            Fault::Io(error) => write!(f, "{error}"),
            Fault::TooLong(limit) => write!(f, "the answer is longer than {limit} bytes"),
            Fault::Protocol(what) => write!(f, "the other side speaks otherwise: {what}"),
            Fault::Refused(words) => write!(f, "refused: {words}"),
            Fault::Locked => write!(f, "another client has locked the instrument"),
            Fault::Block(error) => write!(f, "{error}"),
            Fault::Unsupported(what) => write!(f, "this link does not have {what}"),
        }
    }
}

impl Error for LinkError {}

impl From<Fault> for LinkError {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            received: Vec::new(),
        }
    }
}

impl Fault {
    /// With what had been received.
    fn having(self, received: &[u8]) -> LinkError {
        LinkError {
            fault: self,
            received: received.to_vec(),
        }
    }
}

/// Bytes out and in, each call with its deadline.
pub(crate) trait Wire: Send {
    /// Sends all of it.
    fn send(&mut self, bytes: &[u8], deadline: Deadline) -> Result<(), Fault>;

    /// Waits for at least one byte and appends what is there, up to the spare capacity, which must not be nothing.
    fn receive(&mut self, into: &mut Vec<u8>, deadline: Deadline) -> Result<(), Fault>;

    /// Drops what has arrived.
    fn discard(&mut self) -> Result<(), Fault>;
}

/// When a call must be over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: std::time::Instant,
    timeout: Duration,
}

impl Deadline {
    fn after(timeout: Duration) -> Self {
        // A century is as good as for ever and cannot overflow.
        let timeout = timeout.min(Duration::from_secs(100 * 365 * 86_400));
        Self {
            at: std::time::Instant::now() + timeout,
            timeout,
        }
    }

    /// What is left of it.
    fn left(self) -> Result<Duration, Fault> {
        let left = self.at.saturating_duration_since(std::time::Instant::now());
        match left.is_zero() {
            true => Err(Fault::TimedOut(self.timeout)),
            false => Ok(left),
        }
    }
}

/// Time-outs of protocols are whole milliseconds in 32 bits.
fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
