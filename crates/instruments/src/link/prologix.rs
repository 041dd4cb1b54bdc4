//! Instruments on a GPIB bus behind a Prologix adapter (GPIB-ETHERNET and GPIB-USB manuals; AR488 does the same).
//!
//! An adapter takes messages for the bus, and lines that begin with `++` for itself. One adapter serves all instruments of
//! its bus, and takes one connection: the links to them share it, each call having it alone. END on the bus becomes a byte
//! that no text contains, so that answers end where the instrument ends them; in binary answers it counts only behind the
//! length that their block or the caller says.
//!
//! A call that fails leaves the adapter's connection for a new one: a late answer would be taken for that of the next
//! question. Deliberately absent: several controllers on a bus, and locks.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    Deadline, Extent, Fault, Link, LinkError, LinkSettings, SerialSettings, Wire, milliseconds, serial::SerialWire,
    tcp::TcpWire,
};
use crate::{
    Interrupter, Resource,
    block::{Header, header},
};

/// What the adapter puts behind an answer that ends with END.
const MARK: u8 = 0xff;

/// The longest time-out that an adapter has for a byte from the bus.
const LONGEST_PATIENCE: Duration = Duration::from_secs(3);

/// How often the wish to interrupt is looked for: the connection is others' too, and cannot be shut down.
const SLICE: Duration = Duration::from_millis(20);

/// How often the status byte is looked at for a service request.
const GLANCE: Duration = Duration::from_millis(5);

/// The adapters that make GPIB buses, by the numbers of the buses. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Boards {
    boards: Arc<Mutex<BTreeMap<u16, Board>>>,
}

#[derive(Debug)]
struct Board {
    adapter: Resource,
    open: Option<Arc<Mutex<Adapter>>>,
}

impl Boards {
    /// Says that an adapter makes the bus of its number: `PRLGX-TCPIP1::host::1234::INTFC` makes `GPIB1`.
    ///
    /// # Errors
    /// The resource is no adapter; it is given back.
    pub fn declare(&self, adapter: Resource) -> Result<(), Resource> {
        let (Resource::PrologixTcp { board, .. } | Resource::PrologixSerial { board, .. }) = adapter else {
            return Err(adapter);
        };
        lock(&self.boards).insert(board, Board { adapter, open: None });
        Ok(())
    }

    /// Whether an adapter makes this bus.
    pub(crate) fn has(&self, number: u16) -> bool {
        lock(&self.boards).contains_key(&number)
    }

    /// The adapter of a bus, opened if it is not, or not any more.
    fn adapter(&self, number: u16, settings: &LinkSettings) -> Result<Arc<Mutex<Adapter>>, Fault> {
        let mut boards = lock(&self.boards);
        let none = "a GPIB bus of this number: declare the Prologix adapter that makes it";
        let board = boards.get_mut(&number).ok_or(Fault::Unsupported(none))?;
        if let Some(adapter) = &board.open
            && !lock(adapter).broken
        {
            return Ok(adapter.clone());
        }
        // The old connection goes first: an adapter takes one.
        board.open = None;
        let adapter = Adapter::open(&board.adapter, settings.open_timeout, &settings.serial)?;
        Ok(board.open.insert(Arc::new(Mutex::new(adapter))).clone())
    }
}

/// An instrument on a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) primary: u8,
    /// From 0 on, as in resource names.
    pub(crate) secondary: Option<u8>,
}

/// An open adapter.
struct Adapter {
    wire: Box<dyn Wire>,
    /// Whom it addresses.
    address: Option<Address>,
    /// Its own time-out, in milliseconds.
    patience: Option<u32>,
    broken: bool,
}

impl std::fmt::Debug for Adapter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Adapter")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Adapter {
    fn open(resource: &Resource, timeout: Duration, serial: &SerialSettings) -> Result<Self, Fault> {
        let deadline = Deadline::after(timeout);
        // Its links look for their own interrupts; nobody else's may end the connection.
        let nobody = Interrupter::default();
        let wire: Box<dyn Wire> = match resource {
            Resource::PrologixTcp { host, port, .. } => Box::new(TcpWire::connect(host, *port, deadline, &nobody)?),
            Resource::PrologixSerial { line, .. } => Box::new(SerialWire::open(line, serial, &nobody)?),
            _ => return Err(Fault::Unsupported("a Prologix adapter of this kind")),
        };
        let mut adapter = Self {
            wire,
            address: None,
            patience: None,
            broken: false,
        };
        adapter.wire.discard()?;
        // Settings are for now, not for its memory; messages go out as they are, with END; END comes back as MARK.
        let settings =
            format!("++savecfg 0\n++mode 1\n++auto 0\n++eoi 1\n++eos 3\n++eot_enable 1\n++eot_char {MARK}\n++ver\n");
        adapter.wire.send(settings.as_bytes(), deadline)?;
        adapter.line(deadline, &nobody)?;
        Ok(adapter)
    }

    /// Adds what addresses an instrument, if another was addressed before.
    fn select(&mut self, address: Address, outgoing: &mut Vec<u8>) {
        /// Secondary addresses on the bus begin here.
        const FIRST_SECONDARY: u8 = 96;
        if self.address == Some(address) {
            return;
        }
        outgoing.extend_from_slice(format!("++addr {}", address.primary).as_bytes());
        if let Some(secondary) = address.secondary {
            outgoing.extend_from_slice(format!(" {}", FIRST_SECONDARY + secondary).as_bytes());
        }
        outgoing.push(b'\n');
        self.address = Some(address);
    }

    fn receive(&mut self, into: &mut Vec<u8>, deadline: Deadline, interrupter: &Interrupter) -> Result<(), Fault> {
        into.reserve(4096);
        loop {
            if interrupter.is_interrupted() {
                return Err(Fault::Interrupted);
            }
            let slice = Deadline::after(deadline.left()?.min(SLICE));
            match self.wire.receive(into, slice) {
                Err(Fault::TimedOut(_)) => {}
                done => return done,
            }
        }
    }

    /// What the adapter itself answers.
    fn line(&mut self, deadline: Deadline, interrupter: &Interrupter) -> Result<String, Fault> {
        let mut line = Vec::new();
        while !line.ends_with(b"\n") {
            self.receive(&mut line, deadline, interrupter)?;
        }
        Ok(String::from_utf8_lossy(&line).trim().to_owned())
    }
}

pub(crate) struct PrologixLink {
    adapter: Arc<Mutex<Adapter>>,
    address: Address,
    interrupter: Interrupter,
    timeout: Duration,
    write_termination: Vec<u8>,
    read_termination: Vec<u8>,
    answer_limit: usize,
    /// What is left of an answer of which only some bytes were wanted.
    pending: Vec<u8>,
}

impl PrologixLink {
    pub(crate) fn open(
        board: u16,
        address: Address,
        settings: &LinkSettings,
        interrupter: &Interrupter,
    ) -> Result<Self, LinkError> {
        Ok(Self {
            adapter: settings.boards.adapter(board, settings)?,
            address,
            interrupter: interrupter.clone(),
            timeout: settings.timeout,
            write_termination: settings.write_termination.clone().unwrap_or_else(|| b"\n".to_vec()),
            read_termination: settings.read_termination().to_vec(),
            answer_limit: settings.answer_limit,
            pending: Vec::new(),
        })
    }

    /// Does something with the adapter alone, addressing the instrument.
    fn having<T>(&self, action: impl FnOnce(&mut Adapter, Vec<u8>) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut adapter = lock(&self.adapter);
        if adapter.broken {
            return Err(Fault::Closed);
        }
        let mut outgoing = Vec::new();
        adapter.select(self.address, &mut outgoing);
        let done = action(&mut adapter, outgoing);
        adapter.broken = done.is_err();
        done
    }

    fn command(&self, command: &str) -> Result<(), Fault> {
        self.having(|adapter, mut outgoing| {
            outgoing.extend_from_slice(command.as_bytes());
            adapter.wire.send(&outgoing, Deadline::after(self.timeout))
        })
    }

    /// Asks the adapter for an answer from the bus, up to its END.
    fn fetch(&self, extent: Extent, answer: &mut Vec<u8>) -> Result<(), Fault> {
        /// How much longer than its own time-out an adapter is waited for.
        const GRACE: Duration = Duration::from_millis(200);
        let patience = self.timeout.clamp(Duration::from_millis(1), LONGEST_PATIENCE);
        self.having(|adapter, mut outgoing| {
            let deadline = Deadline::after(self.timeout);
            if adapter.patience != Some(milliseconds(patience)) {
                adapter.patience = Some(milliseconds(patience));
                outgoing.extend_from_slice(format!("++read_tmo_ms {}\n", milliseconds(patience)).as_bytes());
            }
            outgoing.extend_from_slice(b"++read eoi\n");
            adapter.wire.send(&outgoing, deadline)?;
            let mut asked = Instant::now();
            let mut searched = 0;
            loop {
                if let Some(from) = self.mark_from(extent, answer)? {
                    let from = from.max(searched);
                    if let Some(found) = answer.get(from..).and_then(|rest| memchr::memchr(MARK, rest)) {
                        answer.truncate(from + found);
                        return Ok(());
                    }
                    searched = answer.len();
                }
                if answer.len() > self.answer_limit {
                    return Err(Fault::TooLong(self.answer_limit));
                }
                let slice = Deadline::after(deadline.left()?.min(patience + GRACE));
                match adapter.receive(answer, slice, &self.interrupter) {
                    // An adapter that gave up says nothing; the instrument may yet answer.
                    Err(Fault::TimedOut(_)) if answer.is_empty() && asked.elapsed() >= patience => {
                        adapter.wire.send(b"++read eoi\n", deadline)?;
                        asked = Instant::now();
                    }
                    Err(Fault::TimedOut(_)) => drop(deadline.left()?),
                    done => done?,
                }
            }
        })
    }

    /// Where the mark may stand at the earliest, once that is known.
    fn mark_from(&self, extent: Extent, answer: &[u8]) -> Result<Option<usize>, Fault> {
        match extent {
            Extent::Message => Ok(Some(0)),
            Extent::Bytes(count) => Ok(Some(count)),
            Extent::Block | Extent::BareBlock => Ok(match header(answer).map_err(Fault::Block)? {
                Some(Header::Definite { start, length }) => Some(start + length),
                Some(Header::Indefinite { start }) => Some(start),
                None => None,
            }),
        }
    }
}

impl Link for PrologixLink {
    fn write(&mut self, messages: &[&[u8]]) -> Result<(), LinkError> {
        const ESCAPE: u8 = 27;
        Ok(self.having(|adapter, mut outgoing| {
            for message in messages {
                for byte in message.iter().chain(&self.write_termination) {
                    if matches!(*byte, b'\r' | b'\n' | b'+' | ESCAPE) {
                        outgoing.push(ESCAPE);
                    }
                    outgoing.push(*byte);
                }
                outgoing.push(b'\n');
            }
            adapter.wire.send(&outgoing, Deadline::after(self.timeout))
        })?)
    }

    fn read(&mut self, extent: Extent, answer: &mut Vec<u8>) -> Result<(), LinkError> {
        answer.clear();
        answer.append(&mut self.pending);
        if answer.is_empty() {
            let fetched = self.fetch(extent, answer);
            fetched.map_err(|fault| fault.having(answer))?;
        }
        match extent {
            Extent::Message if answer.ends_with(&self.read_termination) => {
                answer.truncate(answer.len() - self.read_termination.len());
            }
            Extent::Bytes(count) if answer.len() < count => {
                let early = format!("its answer ends before {count} bytes");
                return Err(Fault::Protocol(early).having(answer));
            }
            Extent::Bytes(count) => self.pending = answer.split_off(count),
            Extent::Message | Extent::Block | Extent::BareBlock => {}
        }
        Ok(())
    }

    fn clear(&mut self) -> Result<(), LinkError> {
        self.pending.clear();
        Ok(self.command("++clr\n")?)
    }

    fn status_byte(&mut self) -> Result<u8, LinkError> {
        let answer = self.having(|adapter, mut outgoing| {
            let deadline = Deadline::after(self.timeout);
            outgoing.extend_from_slice(b"++spoll\n");
            adapter.wire.send(&outgoing, deadline)?;
            adapter.line(deadline, &self.interrupter)
        })?;
        let status = answer.parse();
        Ok(status.map_err(|_| Fault::Protocol(format!("`{answer}` is no status byte")))?)
    }

    fn trigger(&mut self) -> Result<(), LinkError> {
        Ok(self.command("++trg\n")?)
    }

    fn wait_for_service_request(&mut self, patience: Duration) -> Result<u8, LinkError> {
        const REQUESTED: u8 = 0x40;
        let deadline = Deadline::after(patience);
        loop {
            let status = self.status_byte()?;
            if status & REQUESTED != 0 {
                return Ok(status);
            }
            if !self.interrupter.wait(deadline.left()?.min(GLANCE)) {
                return Err(Fault::Interrupted.into());
            }
        }
    }

    fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one; an adapter of which a call was cut short is broken, and says so.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
