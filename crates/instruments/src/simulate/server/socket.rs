//! Messages over a bare TCP connection, told apart by what ends them; the bytes of a block end nothing.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use super::{
    super::stand::{Deed, Stand, Then},
    LONGEST_MESSAGE, flood,
};
use crate::block::{self, Header};

/// Serves a client until it is gone.
pub(super) fn serve(mut stream: &TcpStream, stand: &Stand) {
    let mut received = Vec::new();
    let mut piece = vec![0; 1 << 16];
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        received.extend_from_slice(&piece[..count]);
        let mut from = 0;
        while let Some((message, length)) = message(&received[from..], &stand.ends.of_messages) {
            let deed = stand.hear(message);
            from += length;
            if !act(stream, stand, &deed) {
                return;
            }
        }
        received.drain(..from);
        if received.len() > LONGEST_MESSAGE {
            return;
        }
    }
}

/// The messages in what came as one.
pub(super) fn split<'r>(received: &'r [u8], end: &[u8]) -> Vec<&'r [u8]> {
    let mut messages = Vec::new();
    let mut rest = received;
    while let Some((message, length)) = message(rest, end) {
        messages.push(message);
        rest = &rest[length..];
    }
    messages.extend(Some(bare(rest)).filter(|rest| !rest.is_empty()));
    messages
}

/// The first message, without its end, and how many bytes it takes with it; none as long as it is not there whole.
fn message<'r>(received: &'r [u8], end: &[u8]) -> Option<(&'r [u8], usize)> {
    if received.is_empty() {
        return None;
    }
    if end.is_empty() {
        // What comes together belongs together; nothing else tells.
        return Some((received, received.len()));
    }
    let mut from = 0;
    loop {
        let at = from + memchr::memmem::find(&received[from..], end)?;
        match block_behind(&received[..at], from) {
            // The end is a byte of a block: it is looked for behind that.
            Some(start) => match block::header(&received[start..]) {
                Ok(Some(Header::Definite { start: content, length })) if start + content + length > at => {
                    from = start + content + length;
                    if received.len() < from {
                        return None;
                    }
                }
                _ => return Some((bare(&received[..at]), at + end.len())),
            },
            None => return Some((bare(&received[..at]), at + end.len())),
        }
    }
}

/// Where a block begins, `#` with a digit behind a blank or a comma.
fn block_behind(message: &[u8], from: usize) -> Option<usize> {
    let begins = |at: usize| {
        matches!(message.get(at + 1), Some(b'1'..=b'9')) && at > 0 && matches!(message[at - 1], b' ' | b',')
    };
    memchr::memchr_iter(b'#', &message[from..])
        .map(|at| from + at)
        .find(|at| begins(*at))
}

/// Clients may end lines with a carriage return more.
fn bare(message: &[u8]) -> &[u8] {
    message.strip_suffix(b"\r").unwrap_or(message)
}

/// Whether the connection goes on.
fn act(mut stream: &TcpStream, stand: &Stand, deed: &Deed) -> bool {
    if !stand.wait(deed.delay) {
        return false;
    }
    let mut bytes = Vec::new();
    for (at, answer) in deed.answers.iter().enumerate() {
        match deed.then {
            Then::Close(Some(count)) if at + 1 == deed.answers.len() => {
                bytes.extend_from_slice(&answer[..count.min(answer.len())]);
            }
            Then::Close(_) | Then::GoOn | Then::Flood => {
                bytes.extend_from_slice(answer);
                bytes.extend_from_slice(&stand.ends.of_answers);
            }
        }
    }
    if deed.then == Then::Flood {
        flood(stream, stand);
        return false;
    }
    let is_sent = bytes.is_empty() || stream.write_all(&bytes).is_ok();
    is_sent && deed.then == Then::GoOn
}

#[cfg(test)]
mod tests {
    use super::message;

    #[test]
    fn messages_end_where_they_should() {
        let check = |received: &[u8], expected: Option<(&[u8], usize)>| {
            assert_eq!(message(received, b"\n"), expected, "{}", received.escape_ascii());
        };
        check(b"*IDN?\r\nX?", Some((b"*IDN?", 7)));
        check(b"*IDN", None);
        check(b"DATA #13a\nb\nX", Some((b"DATA #13a\nb", 12)));
        check(b"DATA #15a\nb", None);
        check(b"TEXT \"#1\"\n", Some((b"TEXT \"#1\"", 10)));
        assert_eq!(message(b"f?", b""), Some((b"f?".as_slice(), 2)));
    }
}
