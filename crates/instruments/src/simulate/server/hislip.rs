//! HiSLIP of an instrument (IVI-6.1, version 1.0): both connections of each session on one port.
//!
//! Deliberately absent: overlapped mode, service requests, shared locks, encryption.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Mutex,
    time::Duration,
};

use super::{
    super::stand::{Stand, Then},
    LONGEST_MESSAGE, flood,
    lock::Lock,
    socket::split,
};

const VERSION: u32 = 0x0100;
/// The longest payload that is taken.
const LONGEST_PAYLOAD: u64 = 1 << 24;

/// The kinds of messages, by their numbers (IVI-6.1, table 4).
mod kind {
    pub(super) const INITIALIZE: u8 = 0;
    pub(super) const INITIALIZE_RESPONSE: u8 = 1;
    pub(super) const FATAL_ERROR: u8 = 2;
    pub(super) const ERROR: u8 = 3;
    pub(super) const ASYNC_LOCK: u8 = 4;
    pub(super) const ASYNC_LOCK_RESPONSE: u8 = 5;
    pub(super) const DATA: u8 = 6;
    pub(super) const DATA_END: u8 = 7;
    pub(super) const DEVICE_CLEAR_COMPLETE: u8 = 8;
    pub(super) const DEVICE_CLEAR_ACKNOWLEDGE: u8 = 9;
    pub(super) const ASYNC_REMOTE_LOCAL_CONTROL: u8 = 10;
    pub(super) const ASYNC_REMOTE_LOCAL_RESPONSE: u8 = 11;
    pub(super) const TRIGGER: u8 = 12;
    pub(super) const ASYNC_MAXIMUM_MESSAGE_SIZE: u8 = 15;
    pub(super) const ASYNC_MAXIMUM_MESSAGE_SIZE_RESPONSE: u8 = 16;
    pub(super) const ASYNC_INITIALIZE: u8 = 17;
    pub(super) const ASYNC_INITIALIZE_RESPONSE: u8 = 18;
    pub(super) const ASYNC_DEVICE_CLEAR: u8 = 19;
    pub(super) const ASYNC_STATUS_QUERY: u8 = 21;
    pub(super) const ASYNC_STATUS_RESPONSE: u8 = 22;
    pub(super) const ASYNC_DEVICE_CLEAR_ACKNOWLEDGE: u8 = 23;
    pub(super) const ASYNC_LOCK_INFO: u8 = 24;
    pub(super) const ASYNC_LOCK_INFO_RESPONSE: u8 = 25;
}

struct Message {
    kind: u8,
    control: u8,
    parameter: u32,
    payload: Vec<u8>,
}

/// The longest message of each client, which says so on its second connection.
#[derive(Default)]
pub(super) struct Sizes(Mutex<std::collections::BTreeMap<u32, usize>>);

/// Serves one connection of a client until it is gone.
pub(super) fn serve(stream: &TcpStream, stand: &Stand, lock: &Lock, sizes: &Sizes) {
    let Some(hello) = receive(stream) else {
        return;
    };
    match hello.kind {
        kind::INITIALIZE => {
            let session = lock.client() & 0xffff;
            send(stream, kind::INITIALIZE_RESPONSE, 0, VERSION << 16 | session, &[]);
            messages(stream, stand, session, sizes);
            lock.release(session);
            sizes.forget(session);
        }
        kind::ASYNC_INITIALIZE => {
            send(stream, kind::ASYNC_INITIALIZE_RESPONSE, 0, 0, &[]);
            control(stream, stand, hello.parameter, lock, sizes);
        }
        // Fatal error 2: a connection is used before both are there.
        _ => send(stream, kind::FATAL_ERROR, 2, 0, b"it should begin with Initialize"),
    }
}

/// The synchronous connection.
fn messages(stream: &TcpStream, stand: &Stand, session: u32, sizes: &Sizes) {
    let mut whole = Vec::new();
    while let Some(message) = receive(stream) {
        match message.kind {
            kind::DATA if whole.len() > LONGEST_MESSAGE => return,
            kind::DATA => whole.extend_from_slice(&message.payload),
            kind::DATA_END => {
                whole.extend_from_slice(&message.payload);
                let said = std::mem::take(&mut whole);
                for part in split(&said, &stand.ends.of_messages) {
                    if !answer(stream, stand, part, message.parameter, sizes.of(session)) {
                        return;
                    }
                }
            }
            kind::TRIGGER => {
                stand.hear(b"*TRG");
            }
            kind::DEVICE_CLEAR_COMPLETE => {
                whole.clear();
                send(stream, kind::DEVICE_CLEAR_ACKNOWLEDGE, 0, 0, &[]);
            }
            // Error 1: what kind is that?
            _ => send(stream, kind::ERROR, 1, 0, b"unrecognised message type"),
        }
    }
}

/// Whether the connection goes on.
fn answer(stream: &TcpStream, stand: &Stand, message: &[u8], number: u32, longest: usize) -> bool {
    let deed = stand.hear(message);
    if !stand.wait(deed.delay) {
        return false;
    }
    let last = deed.answers.len();
    for (at, mut bytes) in deed.answers.into_iter().enumerate() {
        if let Then::Close(Some(count)) = deed.then
            && at + 1 == last
        {
            bytes.truncate(count);
            send(stream, kind::DATA, 0, number, &bytes);
            return false;
        }
        bytes.extend_from_slice(&stand.ends.of_answers);
        let pieces = bytes.chunks(longest);
        let count = pieces.len();
        for (at, piece) in pieces.enumerate() {
            let kind = if at + 1 == count { kind::DATA_END } else { kind::DATA };
            send(stream, kind, 0, number, piece);
        }
    }
    if deed.then == Then::Flood {
        flood(stream, stand);
    }
    deed.then == Then::GoOn
}

/// The asynchronous connection.
fn control(stream: &TcpStream, stand: &Stand, session: u32, lock: &Lock, sizes: &Sizes) {
    while let Some(request) = receive(stream) {
        let (kind, control, payload) = match request.kind {
            kind::ASYNC_MAXIMUM_MESSAGE_SIZE => {
                if let Ok(size) = request.payload.as_slice().try_into() {
                    sizes.remember(session, u64::from_be_bytes(size));
                }
                let size = LONGEST_PAYLOAD.to_be_bytes().to_vec();
                (kind::ASYNC_MAXIMUM_MESSAGE_SIZE_RESPONSE, 0, size)
            }
            kind::ASYNC_LOCK => {
                // Failed, done, or not held at all.
                let patience = Duration::from_millis(u64::from(request.parameter));
                let control = match request.control {
                    1 => u8::from(lock.take(session, patience, stand)),
                    _ if lock.release(session) => 1,
                    _ => 3,
                };
                (kind::ASYNC_LOCK_RESPONSE, control, Vec::new())
            }
            kind::ASYNC_LOCK_INFO => (kind::ASYNC_LOCK_INFO_RESPONSE, 0, Vec::new()),
            kind::ASYNC_STATUS_QUERY => (kind::ASYNC_STATUS_RESPONSE, stand.status_byte(false), Vec::new()),
            kind::ASYNC_DEVICE_CLEAR => (kind::ASYNC_DEVICE_CLEAR_ACKNOWLEDGE, 0, Vec::new()),
            kind::ASYNC_REMOTE_LOCAL_CONTROL => (kind::ASYNC_REMOTE_LOCAL_RESPONSE, 0, Vec::new()),
            _ => (kind::ERROR, 1, b"unrecognised message type".to_vec()),
        };
        send(stream, kind, control, 0, &payload);
    }
}

impl Sizes {
    fn of(&self, session: u32) -> usize {
        let sizes = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        sizes.get(&session).copied().unwrap_or(1 << 20)
    }

    fn remember(&self, session: u32, size: u64) {
        // The header belongs to it for some clients.
        let size = usize::try_from(size.clamp(64, LONGEST_PAYLOAD)).unwrap_or(64);
        let mut sizes = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        sizes.insert(session, size);
    }

    fn forget(&self, session: u32) {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .remove(&session);
    }
}

fn receive(mut stream: &TcpStream) -> Option<Message> {
    let mut header = [0; 16];
    stream.read_exact(&mut header).ok()?;
    let (lead, length) = header.split_at(8);
    let length = u64::from_be_bytes(length.try_into().ok()?);
    if &lead[..2] != b"HS" || length > LONGEST_PAYLOAD {
        return None;
    }
    let mut payload = vec![0; usize::try_from(length).ok()?];
    stream.read_exact(&mut payload).ok()?;
    Some(Message {
        kind: lead[2],
        control: lead[3],
        parameter: u32::from_be_bytes(lead[4..].try_into().ok()?),
        payload,
    })
}

/// A client that is gone is seen at the next message.
fn send(mut stream: &TcpStream, kind: u8, control: u8, parameter: u32, payload: &[u8]) {
    let mut message = b"HS".to_vec();
    message.extend_from_slice(&[kind, control]);
    message.extend_from_slice(&parameter.to_be_bytes());
    message.extend_from_slice(&(payload.len() as u64).to_be_bytes());
    message.extend_from_slice(payload);
    stream.write_all(&message).ok();
}
