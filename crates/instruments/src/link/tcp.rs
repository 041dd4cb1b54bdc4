//! A TCP connection with deadlines.
//!
//! Waiting is the socket's own time-out, set only when it differs much from what is left, so that a query costs one `send`
//! and one `recv` as on a bare socket. Received bytes go straight into a vector's spare capacity: nothing is zeroed or
//! copied. Small messages are sent at once (TCP_NODELAY): with Nagle's algorithm a command followed by a query waits 44 ms.

use std::{
    io::{self, Write},
    net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::{
    buffer::spare_capacity,
    io::Errno,
    net::{RecvFlags, recv},
};

use super::{Deadline, Fault, Wire};
use crate::interrupter::{Interrupter, Watch};

pub(crate) struct TcpWire {
    stream: TcpStream,
    interrupter: Interrupter,
    reading: Duration,
    writing: Duration,
    _watch: Watch,
}

impl TcpWire {
    pub(crate) fn connect(host: &str, port: u16, deadline: Deadline, interrupter: &Interrupter) -> Result<Self, Fault> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, format!("`{host}` has no address"));
        for address in resolve(host, port, deadline)? {
            match TcpStream::connect_timeout(&address, deadline.left()?) {
                Ok(stream) => return Self::of(stream, interrupter),
                Err(error) => last = error,
            }
        }
        match last.kind() {
            io::ErrorKind::TimedOut => Err(Fault::TimedOut(deadline.timeout)),
            _ => Err(Fault::Connect(last)),
        }
    }

    fn of(stream: TcpStream, interrupter: &Interrupter) -> Result<Self, Fault> {
        stream.set_nodelay(true).map_err(Fault::Io)?;
        let watch = interrupter.watch(stream.try_clone().map_err(Fault::Io)?);
        Ok(Self {
            stream,
            interrupter: interrupter.clone(),
            reading: Duration::ZERO,
            writing: Duration::ZERO,
            _watch: watch,
        })
    }

    /// What a failed system call means; None if it is to be tried again.
    fn fault(&self, error: &io::Error) -> Option<Fault> {
        match error.kind() {
            _ if self.interrupter.is_interrupted() => Some(Fault::Interrupted),
            io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => None,
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
                Some(Fault::Closed)
            }
            kind => Some(Fault::Io(
                error
                    .raw_os_error()
                    .map_or_else(|| kind.into(), io::Error::from_raw_os_error),
            )),
        }
    }
}

impl Wire for TcpWire {
    fn send(&mut self, mut bytes: &[u8], deadline: Deadline) -> Result<(), Fault> {
        // Deadlines are made just before something is sent: asking the clock again would be 3 % of a query.
        let mut left = deadline.timeout;
        while !bytes.is_empty() {
            if differs(self.writing, left) {
                self.stream.set_write_timeout(Some(settable(left))).map_err(Fault::Io)?;
                self.writing = left;
            }
            match self.stream.write(bytes) {
                Ok(0) => return Err(Fault::Closed),
                Ok(sent) if sent == bytes.len() => break,
                Ok(sent) => bytes = &bytes[sent..],
                Err(error) => self.fault(&error).map_or(Ok(()), Err)?,
            }
            left = deadline.left()?;
        }
        Ok(())
    }

    fn receive(&mut self, into: &mut Vec<u8>, deadline: Deadline) -> Result<(), Fault> {
        loop {
            let left = deadline.left()?;
            if differs(self.reading, left) {
                self.stream.set_read_timeout(Some(settable(left))).map_err(Fault::Io)?;
                self.reading = left;
            }
            match recv(&self.stream, spare_capacity(into), RecvFlags::empty()) {
                Ok((_, 0)) if self.interrupter.is_interrupted() => return Err(Fault::Interrupted),
                Ok((_, 0)) => return Err(Fault::Closed),
                Ok(_) => return Ok(()),
                Err(error) => self.fault(&error.into()).map_or(Ok(()), Err)?,
            }
        }
    }

    fn discard(&mut self) -> Result<(), Fault> {
        /// An instrument that floods is not emptied.
        const ROUNDS: usize = 1000;
        let mut dropped = Vec::with_capacity(1 << 16);
        for _ in 0..ROUNDS {
            dropped.clear();
            match recv(&self.stream, spare_capacity(&mut dropped), RecvFlags::DONTWAIT) {
                Ok((_, 0)) => return Err(Fault::Closed),
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(Fault::Io(error.into())),
            }
        }
        Err(Fault::Protocol("it never stops sending".to_owned()))
    }
}

/// Whether the socket's time-out is an eighth off: less is not worth a system call.
fn differs(set: Duration, left: Duration) -> bool {
    set.abs_diff(left) > left / 8
}

/// Nothing would mean for ever.
fn settable(left: Duration) -> Duration {
    left.max(Duration::from_millis(1))
}

/// The addresses of a host. Looking up a name has no time-out of its own, hence the thread, which ends on its own.
fn resolve(host: &str, port: u16, deadline: Deadline) -> Result<Vec<SocketAddr>, Fault> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (sender, receiver) = mpsc::channel();
    let host = host.to_owned();
    thread::Builder::new()
        .name("name of an instrument".to_owned())
        .spawn(move || {
            let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
            sender.send(found).ok(); // Nobody waits any longer.
        })
        .map_err(Fault::Io)?;
    match receiver.recv_timeout(deadline.left()?) {
        Ok(found) => found.map_err(Fault::Connect),
        Err(_) => Err(Fault::TimedOut(deadline.timeout)),
    }
}
