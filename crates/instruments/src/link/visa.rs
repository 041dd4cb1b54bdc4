//! Instruments behind an installed VISA library: GPIB cards, and whatever else the makers of libraries reach.
//!
//! ```text
//! VisaLink ── orders ─► thread: one session of the library, one call at a time
//!          ◄─ results ─
//! ```
//!
//! The calls of the library block and cannot be ended from outside. So they are made in a thread of their own; whoever waits
//! for one can be interrupted at any time, and leaves the thread behind, which closes its session when its call returns.
//!
//! Deliberately absent: the library itself, and anything of its makers in the build: it is looked for when it is wanted.

use std::{
    ffi::{CString, OsStr, OsString},
    io,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

use super::{
    Deadline, Extent, Fault, Link, LinkError, LinkSettings, milliseconds,
    platform::{Handle, Status, Visa},
};
use crate::{Interrupter, Resource};

/// Where libraries are on this system, by the names that their makers give them.
#[cfg(windows)]
const NAMES: &[&str] = &["visa64.dll", "visa32.dll"];
#[cfg(target_os = "macos")]
const NAMES: &[&str] = &[
    "/Library/Frameworks/VISA.framework/VISA",
    "/Library/Frameworks/RsVisa.framework/RsVisa",
];
#[cfg(not(any(windows, target_os = "macos")))]
const NAMES: &[&str] = &["libvisa.so", "libvisa.so.0", "librsvisa.so", "libiovisa.so"];

/// Names another library, before all others.
const VARIABLE: &str = "MEASURAND_VISA";

/// How often the wish to interrupt is looked for.
const SLICE: Duration = Duration::from_millis(20);

/// How much longer than the library's own time-out its return is waited for.
const GRACE: Duration = Duration::from_millis(500);

/// Of the specification's table of attributes and events (VPP-4.3, appendix).
mod number {
    pub(super) const TIMEOUT: u32 = 0x3FFF_001A;
    pub(super) const CHARACTER_ENDS: u32 = 0x3FFF_0038;
    pub(super) const SERVICE_REQUEST: u32 = 0x3FFF_200B;
    /// A read that filled its room: there is more.
    pub(super) const FULL: i32 = 0x3FFF_0006;
}

/// An instrument behind a VISA library.
#[derive(Debug)]
pub(crate) struct VisaLink {
    orders: Sender<Order>,
    results: Receiver<Done>,
    interrupter: Interrupter,
    timeout: Duration,
    write_termination: Vec<u8>,
    read_termination: Vec<u8>,
    answer_limit: usize,
    /// A call was left behind: its result would be taken for that of the next.
    broken: bool,
}

/// One call, with its time-out.
#[derive(Debug)]
enum Order {
    Write(Vec<u8>, Duration),
    Read { most: usize, timeout: Duration },
    Clear,
    StatusByte,
    Trigger,
    Lock(Duration),
    Unlock,
    AwaitService(Duration),
}

/// What came of a call.
#[derive(Debug)]
struct Done {
    bytes: Vec<u8>,
    outcome: Result<Reach, Fault>,
}

/// How far a read went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    End,
    Room,
}

impl VisaLink {
    pub(crate) fn open(resource: &Resource, settings: &LinkSettings, interrupter: &Interrupter) -> Result<Self, Fault> {
        let visa = library(settings.visa_library.as_deref().map(std::path::Path::as_os_str))?;
        let (orders, taken) = mpsc::channel();
        let (done, results) = mpsc::channel();
        let (name, patience) = (resource.to_string(), settings.open_timeout);
        thread::Builder::new()
            .name("visa".to_owned())
            .spawn(move || serve(&visa, &name, patience, &taken, &done))
            .map_err(Fault::Io)?;
        let mut link = Self {
            orders,
            results,
            interrupter: interrupter.clone(),
            timeout: settings.timeout,
            write_termination: settings.write_termination.clone().unwrap_or_default(),
            read_termination: settings.read_termination().to_vec(),
            answer_limit: settings.answer_limit,
            broken: false,
        };
        link.result(patience)?.outcome?;
        Ok(link)
    }

    fn call(&mut self, order: Order, patience: Duration) -> Result<Done, Fault> {
        if self.broken || self.orders.send(order).is_err() {
            return Err(Fault::Closed);
        }
        self.result(patience)
    }

    /// The result of the call under way.
    fn result(&mut self, patience: Duration) -> Result<Done, Fault> {
        let deadline = Deadline::after(patience.saturating_add(GRACE));
        loop {
            let left = if self.interrupter.is_interrupted() {
                Err(Fault::Interrupted)
            } else {
                deadline.left().map_err(|_| Fault::TimedOut(patience))
            };
            let slice = match left {
                Ok(left) => left.min(SLICE),
                Err(fault) => {
                    self.broken = true;
                    return Err(fault);
                }
            };
            match self.results.recv_timeout(slice) {
                Ok(done) => return Ok(done),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Fault::Closed),
            }
        }
    }

    fn simple(&mut self, order: Order, patience: Duration) -> Result<Vec<u8>, LinkError> {
        let done = self.call(order, patience)?;
        done.outcome?;
        Ok(done.bytes)
    }

    fn read_answer(&mut self, extent: Extent, answer: &mut Vec<u8>) -> Result<(), Fault> {
        /// Room for most answers, which is made anew for each; what is longer comes in larger pieces.
        const FIRST: usize = 1 << 14;
        const PIECE: usize = 1 << 20;
        let deadline = Deadline::after(self.timeout);
        loop {
            if answer.len() > self.answer_limit {
                return Err(Fault::TooLong(self.answer_limit));
            }
            let room = if answer.is_empty() { FIRST } else { PIECE };
            let most = match extent {
                Extent::Bytes(count) => count.saturating_sub(answer.len()).min(room),
                Extent::Message | Extent::Block | Extent::BareBlock => room,
            };
            if most == 0 {
                return Ok(());
            }
            let timeout = deadline.left()?;
            let done = self.call(Order::Read { most, timeout }, timeout)?;
            answer.extend_from_slice(&done.bytes);
            let reach = done.outcome.map_err(|fault| match fault {
                // The whole call has a time-out, of which its pieces know only what was left.
                Fault::TimedOut(_) => Fault::TimedOut(self.timeout),
                other => other,
            })?;
            match (reach, extent) {
                (Reach::End, Extent::Bytes(count)) if answer.len() < count => {
                    return Err(Fault::Protocol(format!("its answer ends before {count} bytes")));
                }
                (Reach::End, _) => return Ok(()),
                (Reach::Room, _) if done.bytes.is_empty() => {
                    return Err(Fault::Protocol("it sends pieces of nothing".to_owned()));
                }
                (Reach::Room, _) => {}
            }
        }
    }
}

impl Link for VisaLink {
    fn write(&mut self, messages: &[&[u8]]) -> Result<(), LinkError> {
        for message in messages {
            let bytes = [message, self.write_termination.as_slice()].concat();
            let order = Order::Write(bytes, self.timeout);
            self.simple(order, self.timeout)?;
        }
        Ok(())
    }

    fn read(&mut self, extent: Extent, answer: &mut Vec<u8>) -> Result<(), LinkError> {
        answer.clear();
        let read = self.read_answer(extent, answer);
        read.map_err(|fault| fault.having(answer))?;
        if extent == Extent::Message && answer.ends_with(&self.read_termination) {
            answer.truncate(answer.len() - self.read_termination.len());
        }
        Ok(())
    }

    fn clear(&mut self) -> Result<(), LinkError> {
        self.simple(Order::Clear, self.timeout).map(drop)
    }

    fn status_byte(&mut self) -> Result<u8, LinkError> {
        let bytes = self.simple(Order::StatusByte, self.timeout)?;
        Ok(bytes.first().copied().unwrap_or_default())
    }

    fn trigger(&mut self) -> Result<(), LinkError> {
        self.simple(Order::Trigger, self.timeout).map(drop)
    }

    fn lock(&mut self, patience: Duration) -> Result<(), LinkError> {
        self.simple(Order::Lock(patience), patience).map(drop)
    }

    fn unlock(&mut self) -> Result<(), LinkError> {
        self.simple(Order::Unlock, self.timeout).map(drop)
    }

    fn wait_for_service_request(&mut self, patience: Duration) -> Result<u8, LinkError> {
        self.simple(Order::AwaitService(patience), patience)?;
        self.status_byte()
    }

    fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }
}

/// The library, loaded once; all links share it.
fn library(wanted: Option<&OsStr>) -> Result<Arc<Visa>, Fault> {
    static LOADED: Mutex<Vec<(OsString, Arc<Visa>)>> = Mutex::new(Vec::new());
    let named = wanted.map(OsStr::to_owned).or_else(|| std::env::var_os(VARIABLE));
    let names: Vec<OsString> = match named {
        Some(name) => vec![name],
        None => NAMES.iter().map(OsString::from).collect(),
    };
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, visa)) = loaded.iter().find(|(name, _)| names.contains(name)) {
        return Ok(Arc::clone(visa));
    }
    for name in &names {
        if let Ok(visa) = Visa::load(name) {
            let visa = Arc::new(visa);
            loaded.push((name.clone(), Arc::clone(&visa)));
            return Ok(visa);
        }
    }
    let names: Vec<String> = names.iter().map(|name| format!("`{}`", name.display())).collect();
    let words = format!(
        "no VISA library is installed (looked for {}). Install one, name it by `{VARIABLE}`, or reach the bus by a Prologix adapter",
        names.join(", ")
    );
    Err(Fault::Connect(io::Error::new(io::ErrorKind::NotFound, words)))
}

/// The thread: one session, until nobody orders any more.
fn serve(visa: &Visa, resource: &str, patience: Duration, orders: &Receiver<Order>, done: &Sender<Done>) {
    let opened = Session::open(visa, resource, patience);
    let outcome = match &opened {
        Ok(_) => Ok(Reach::End),
        Err(words) => Err(Fault::Connect(io::Error::other(words.clone()))),
    };
    // Nobody may be waiting any more: then nobody orders anything either.
    done.send(Done {
        bytes: Vec::new(),
        outcome,
    })
    .ok();
    let Ok(mut session) = opened else { return };
    while let Ok(order) = orders.recv() {
        let mut bytes = Vec::new();
        let outcome = session.perform(order, &mut bytes);
        if done.send(Done { bytes, outcome }).is_err() {
            return;
        }
    }
}

/// An open session of the library; closed when dropped.
struct Session<'v> {
    visa: &'v Visa,
    manager: Handle,
    handle: Handle,
    /// What the library was told last.
    timeout: Option<Duration>,
    hears_service_requests: bool,
}

impl<'v> Session<'v> {
    fn open(visa: &'v Visa, resource: &str, patience: Duration) -> Result<Self, String> {
        let name = CString::new(resource).map_err(|_| "its name has a NUL in it".to_owned())?;
        let (status, manager) = visa.open_manager();
        if status < 0 {
            return Err(words(visa, manager, status));
        }
        let (status, handle) = visa.open(manager, &name, milliseconds(patience));
        if status < 0 {
            let words = words(visa, manager, status);
            visa.close(manager);
            return Err(words);
        }
        // Messages end with END; a line feed within a block is a byte as any other.
        visa.set_attribute(handle, number::CHARACTER_ENDS, 0);
        Ok(Self {
            visa,
            manager,
            handle,
            timeout: None,
            hears_service_requests: false,
        })
    }

    fn perform(&mut self, order: Order, bytes: &mut Vec<u8>) -> Result<Reach, Fault> {
        let (visa, handle) = (self.visa, self.handle);
        match order {
            Order::Write(message, timeout) => self.write(&message, timeout),
            Order::Read { most, timeout } => {
                self.limit(timeout)?;
                bytes.resize(most, 0);
                let (status, count) = visa.read(handle, bytes);
                bytes.truncate(count);
                self.checked(status, timeout)?;
                Ok(if status == number::FULL {
                    Reach::Room
                } else {
                    Reach::End
                })
            }
            Order::Clear => self.checked(visa.clear(handle), Duration::ZERO),
            Order::StatusByte => {
                let (status, byte) = visa.status_byte(handle);
                bytes.push(byte);
                self.checked(status, self.timeout.unwrap_or_default())
            }
            Order::Trigger => self.checked(visa.trigger(handle), self.timeout.unwrap_or_default()),
            Order::Lock(patience) => match visa.lock(handle, milliseconds(patience)) {
                status if Meaning::of(status) == Meaning::TimedOut => Err(Fault::Locked),
                status => self.checked(status, patience),
            },
            Order::Unlock => self.checked(visa.unlock(handle), Duration::ZERO),
            Order::AwaitService(patience) => {
                if !self.hears_service_requests {
                    self.checked(visa.enable_event(handle, number::SERVICE_REQUEST), Duration::ZERO)?;
                    self.hears_service_requests = true;
                }
                let status = visa.wait_on_event(handle, number::SERVICE_REQUEST, milliseconds(patience));
                self.checked(status, patience)
            }
        }
    }

    fn write(&mut self, message: &[u8], timeout: Duration) -> Result<Reach, Fault> {
        self.limit(timeout)?;
        let mut sent = 0;
        while sent < message.len() {
            let (status, count) = self.visa.write(self.handle, &message[sent..]);
            self.checked(status, timeout)?;
            if count == 0 {
                return Err(Fault::Protocol("the VISA library takes no bytes".to_owned()));
            }
            sent += count;
        }
        Ok(Reach::End)
    }

    /// Tells the library the time-out, unless it is that already.
    fn limit(&mut self, timeout: Duration) -> Result<(), Fault> {
        if self.timeout != Some(timeout) {
            // 0 would be at once, and the largest number for ever.
            let limit = milliseconds(timeout).clamp(1, u32::MAX - 1);
            let status = self.visa.set_attribute(self.handle, number::TIMEOUT, limit as usize);
            self.checked(status, timeout)?;
            self.timeout = Some(timeout);
        }
        Ok(())
    }

    fn checked(&self, status: Status, timeout: Duration) -> Result<Reach, Fault> {
        match Meaning::of(status) {
            Meaning::Done => Ok(Reach::End),
            Meaning::TimedOut => Err(Fault::TimedOut(timeout)),
            Meaning::Locked => Err(Fault::Locked),
            Meaning::Lost => Err(Fault::Closed),
            Meaning::Unsupported => Err(Fault::Unsupported("this operation, says the VISA library")),
            Meaning::Refused => Err(Fault::Refused(words(self.visa, self.handle, status))),
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.visa.close(self.handle);
        self.visa.close(self.manager);
    }
}

/// What a status means for a link (VPP-4.3, appendix of completion and error codes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Done,
    TimedOut,
    Locked,
    Lost,
    Unsupported,
    Refused,
}

impl Meaning {
    fn of(status: Status) -> Self {
        match status.cast_unsigned() {
            _ if status >= 0 => Self::Done,
            0xBFFF_0015 => Self::TimedOut,
            0xBFFF_000F => Self::Locked,
            0xBFFF_00A6 | 0xBFFF_000E => Self::Lost,
            0xBFFF_0067 | 0xBFFF_0026 => Self::Unsupported,
            _ => Self::Refused,
        }
    }
}

fn words(visa: &Visa, handle: Handle, status: Status) -> String {
    let number = format!("VISA error 0x{:08X}", status.cast_unsigned());
    match visa.describe(handle, status).trim() {
        "" => number,
        said => format!("{said} ({number})"),
    }
}

#[cfg(test)]
mod tests {
    use super::Meaning;

    #[test]
    fn statuses_mean_what_the_specification_says() {
        let check = |status: u32, meaning| assert_eq!(Meaning::of(status.cast_signed()), meaning, "{status:08X}");
        check(0, Meaning::Done);
        check(0x3FFF_0006, Meaning::Done);
        check(0xBFFF_0015, Meaning::TimedOut);
        check(0xBFFF_000F, Meaning::Locked);
        check(0xBFFF_0011, Meaning::Refused);
    }
}
