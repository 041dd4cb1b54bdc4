//! A socket to one object in a process of Python: one request, then one reply, within its time.
//!
//! The kernel bounds the waiting (time-outs of the socket) and an [`Interrupter`] shuts the socket down, so that a call costs
//! two system calls. A request that was not taken whole was not performed; any other is never sent again.

use std::{
    fmt,
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    os::{fd::OwnedFd, unix::net::UnixStream},
    sync::Arc,
    time::Duration,
};

use super::{
    frame::{self, Frame, Opaque, Reply},
    host::Host,
};
use crate::{Interrupter, driver::Value, interrupter::Watch};

/// Enough for most replies at once.
const ROOM: usize = 4096;
/// A frame beyond this is no data of an instrument.
const LARGEST: usize = 1 << 31;
/// Beyond this, the memory of a reply is given back.
const KEPT: usize = 64 << 20;

/// What a task asks in between is answered by this.
pub(crate) type Answering<'a> = &'a mut dyn FnMut(&str, Vec<Value>) -> Result<Value, String>;

pub(crate) struct Lane {
    socket: UnixStream,
    host: Arc<Host>,
    name: String,
    timeout: Option<Duration>,
    room: Vec<u8>,
    pub(crate) opaque: Opaque,
    _watch: Watch,
}

/// Why there is no reply.
#[derive(Debug)]
pub(crate) enum Broken {
    /// Nothing was performed.
    NotSent,
    Interrupted,
    /// It took longer than this.
    TooLate(Duration),
    /// How the process ended.
    Ended(String),
    /// Its end of the lane is closed, but it lives.
    Closed,
    Garbled(frame::Garbled),
}

impl Lane {
    pub(crate) fn new(host: &Arc<Host>, name: &str, interrupter: &Interrupter) -> io::Result<Self> {
        let socket = host.lane(name)?;
        // Shutting down works on sockets of any kind.
        let watched = TcpStream::from(OwnedFd::from(socket.try_clone()?));
        Ok(Self {
            socket,
            host: Arc::clone(host),
            name: name.to_owned(),
            timeout: None,
            room: vec![0; ROOM],
            opaque: Opaque::new(),
            _watch: interrupter.watch(watched),
        })
    }

    /// Whether the process behind it is there.
    pub(crate) fn is_alive(&self) -> bool {
        !self.host.has_ended()
    }

    /// Bounds the waiting for what comes next: each answer, whatever was asked in between.
    pub(crate) fn set_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        if self.timeout != timeout {
            self.socket.set_read_timeout(timeout)?;
            self.socket.set_write_timeout(timeout)?;
            self.timeout = timeout;
        }
        Ok(())
    }

    /// Sends a request and returns its reply. Whatever breaks it, the lane is of no use afterwards.
    pub(crate) fn exchange(
        &mut self,
        request: &mut Frame,
        interrupter: &Interrupter,
        answering: Answering<'_>,
    ) -> Result<Reply, Broken> {
        let mut is_request = true;
        loop {
            let bytes = request.finish().map_err(Broken::Garbled)?;
            if let Err(error) = self.socket.write_all(bytes) {
                return Err(match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => self.too_late(),
                    _ if interrupter.is_interrupted() => Broken::Interrupted,
                    _ if is_request => Broken::NotSent,
                    _ => self.gone(interrupter),
                });
            }
            let size = self.receive(interrupter)?;
            let reply = frame::reply(&self.room[4..size], &mut self.opaque);
            match reply.map_err(|garbled| self.garbled(garbled))? {
                Reply::Asked { verb, arguments } => request.answer(&answering(&verb, arguments)),
                other => return Ok(other),
            }
            is_request = false;
        }
    }

    /// Sends the last request and waits for a reply, whatever it is.
    pub(crate) fn tell(&mut self, request: &mut Frame, patience: Duration) {
        if let Ok(bytes) = request.finish() {
            // If it is gone or silent, so is its object.
            let told = self
                .set_timeout(Some(patience))
                .and_then(|()| self.socket.write_all(bytes));
            told.and_then(|()| self.socket.read(&mut self.room)).ok();
        }
    }

    /// Receives a frame; its size with the length before it.
    fn receive(&mut self, interrupter: &Interrupter) -> Result<usize, Broken> {
        if self.room.len() > KEPT {
            self.room = vec![0; ROOM];
        }
        let (mut have, mut need) = (0, 4);
        while have < need {
            match self.socket.read(&mut self.room[have..]) {
                Ok(0) => return Err(self.gone(interrupter)),
                Ok(count) => have += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Err(self.too_late());
                }
                Err(_) => return Err(self.gone(interrupter)),
            }
            if need == 4 && have >= 4 {
                let size = self.room[..4].try_into().expect("four bytes are four bytes");
                need = 4 + u32::from_be_bytes(size) as usize;
                if need > LARGEST {
                    return Err(self.garbled(frame::Garbled("a length beyond 2 GB")));
                }
                if need > self.room.len() {
                    self.room.resize(need, 0);
                }
            }
        }
        if have == need {
            Ok(need)
        } else {
            Err(self.garbled(frame::Garbled("more than one reply")))
        }
    }

    fn too_late(&self) -> Broken {
        let timeout = self.timeout.unwrap_or_default();
        self.host
            .kill(&format!("a call of `{}` took longer than {timeout:?}", self.name));
        Broken::TooLate(timeout)
    }

    fn garbled(&self, garbled: frame::Garbled) -> Broken {
        self.host.kill(&format!("an answer of `{}` was garbled", self.name));
        Broken::Garbled(garbled)
    }

    /// The socket has ended: who ended it?
    fn gone(&self, interrupter: &Interrupter) -> Broken {
        if interrupter.is_interrupted() {
            self.host.kill(&format!("a call of `{}` was interrupted", self.name));
            return Broken::Interrupted;
        }
        match self.host.end() {
            Some(how) => Broken::Ended(how),
            None => {
                self.host
                    .kill(&format!("`{}` closed its connection to the program", self.name));
                Broken::Closed
            }
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.socket.shutdown(Shutdown::Both).ok(); // It may be gone already.
        self.host.leave(&self.name);
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent => f.write_str("its Python process is gone, and was gone before it was asked"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::TooLate(timeout) => write!(
                f,
                "no answer within {timeout:?}; its Python process was ended, and starts anew when it is used again"
            ),
            Self::Ended(how) => write!(f, "its Python process is gone: {how}"),
            Self::Closed => f.write_str("its Python code closed the connection to the program; its process was ended"),
            Self::Garbled(garbled) => write!(f, "{garbled}; its Python process was ended"),
        }
    }
}
