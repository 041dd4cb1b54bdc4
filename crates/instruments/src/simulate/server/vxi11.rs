//! VXI-11 of an instrument (VXIbus Consortium, revision 1.0): the core channel, on a port of its own.
//!
//! Deliberately absent: the portmapper, since loopback has one port 111 and a laboratory many instruments; the abort and
//! the interrupt channel.

use std::{
    collections::{BTreeMap, VecDeque},
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use super::{
    super::stand::{Stand, Then},
    LONGEST_MESSAGE, flood,
    lock::Lock,
    socket::split,
};

const CORE: u32 = 0x0006_07AF;
/// The longest piece of a message that is taken.
const LONGEST_WRITE: u32 = 1 << 20;
/// A call is not longer: a piece, and what stands around it.
const LONGEST_CALL: usize = (1 << 20) + 4096;

/// Errors by their numbers (table B.2).
mod error {
    pub(super) const NONE: u32 = 0;
    pub(super) const INVALID_LINK: u32 = 4;
    pub(super) const UNSUPPORTED: u32 = 8;
    pub(super) const LOCKED: u32 = 11;
    pub(super) const NOT_LOCKED: u32 = 12;
    pub(super) const TIMED_OUT: u32 = 15;
}

/// One client.
struct Client<'s> {
    stand: &'s Stand,
    lock: &'s Lock,
    links: BTreeMap<u32, Link>,
}

#[derive(Default)]
struct Link {
    message: Vec<u8>,
    answers: VecDeque<Answer>,
}

struct Answer {
    bytes: Vec<u8>,
    due: Instant,
    /// It is cut: behind it the connection is closed.
    is_last: bool,
}

/// What a call leads to.
enum Outcome {
    Results(Vec<u8>),
    NoSuchProcedure,
    Close,
    Flood,
}

/// Serves a client until it is gone.
pub(super) fn serve(mut stream: &TcpStream, stand: &Stand, lock: &Lock) {
    let mut client = Client {
        stand,
        lock,
        links: BTreeMap::new(),
    };
    while let Some(call) = record(stream) {
        let Some((transaction, program, procedure, arguments)) = header(&call) else {
            break;
        };
        let outcome = match program {
            CORE => client
                .perform(procedure, Arguments(arguments))
                .unwrap_or(Outcome::Close),
            _ => Outcome::NoSuchProcedure,
        };
        let (accepted, results) = match outcome {
            Outcome::Results(results) => (0, results),
            Outcome::NoSuchProcedure => (3, Vec::new()),
            Outcome::Close => break,
            Outcome::Flood => {
                flood(stream, stand);
                break;
            }
        };
        // A reply to it, accepted, without a verifier.
        let mut reply = words(&[transaction, 1, 0, 0, 0, accepted]);
        reply.extend_from_slice(&results);
        let length = u32::try_from(reply.len()).unwrap_or(u32::MAX) | 1 << 31;
        if stream
            .write_all(&[&length.to_be_bytes(), reply.as_slice()].concat())
            .is_err()
        {
            break;
        }
    }
    for link in client.links.keys() {
        lock.release(*link);
    }
}

impl Client<'_> {
    /// None where the arguments make no sense.
    fn perform(&mut self, procedure: u32, mut arguments: Arguments<'_>) -> Option<Outcome> {
        if procedure == 10 {
            return self.create_link(arguments).map(Outcome::Results);
        }
        if !(11..=23).contains(&procedure) {
            return Some(match procedure {
                25 | 26 => Outcome::Results(words(&[error::UNSUPPORTED])),
                _ => Outcome::NoSuchProcedure,
            });
        }
        let number = arguments.word()?;
        if !self.links.contains_key(&number) {
            return Some(Outcome::Results(words(&[error::INVALID_LINK, 0, 0])));
        }
        Some(Outcome::Results(match procedure {
            11 => return self.write(number, arguments),
            12 => return self.read(number, arguments),
            13 => {
                let has_answer = self.links.get(&number).is_some_and(|link| !link.answers.is_empty());
                words(&[error::NONE, u32::from(self.stand.status_byte(has_answer))])
            }
            14 => {
                self.stand.hear(b"*TRG");
                words(&[error::NONE])
            }
            15 => {
                self.links.insert(number, Link::default());
                words(&[error::NONE])
            }
            18 => {
                let (_, patience) = (arguments.word()?, arguments.time()?);
                let is_taken = self.lock.take(number, patience, self.stand);
                words(&[if is_taken { error::NONE } else { error::LOCKED }])
            }
            19 => words(&[if self.lock.release(number) {
                error::NONE
            } else {
                error::NOT_LOCKED
            }]),
            23 => {
                self.links.remove(&number);
                self.lock.release(number);
                words(&[error::NONE])
            }
            // Remote, local, service requests: taken, without effect.
            16 | 17 | 20 => words(&[error::NONE]),
            _ => words(&[error::UNSUPPORTED, 0]),
        }))
    }

    fn create_link(&mut self, mut arguments: Arguments<'_>) -> Option<Vec<u8>> {
        let (_, locks, patience) = (arguments.word()?, arguments.word()?, arguments.time()?);
        arguments.bytes()?; // Whatever it is called, there is one instrument here.
        let number = self.lock.client();
        if locks != 0 && !self.lock.take(number, patience, self.stand) {
            return Some(words(&[error::LOCKED, 0, 0, 0]));
        }
        self.links.insert(number, Link::default());
        Some(words(&[error::NONE, number, 0, LONGEST_WRITE]))
    }

    fn write(&mut self, number: u32, mut arguments: Arguments<'_>) -> Option<Outcome> {
        const END: u32 = 8;
        let (_, patience, flags) = (arguments.word()?, arguments.time()?, arguments.word()?);
        let data = arguments.bytes()?;
        if self.lock.keeps_out(number, patience, self.stand) {
            return Some(Outcome::Results(words(&[error::LOCKED, 0])));
        }
        let link = self.links.get_mut(&number)?;
        link.message.extend_from_slice(data);
        if link.message.len() > LONGEST_MESSAGE {
            return None;
        }
        if flags & END != 0 {
            let message = std::mem::take(&mut link.message);
            for message in split(&message, &self.stand.ends.of_messages) {
                let deed = self.stand.hear(message);
                let (due, last) = (Instant::now() + deed.delay, deed.answers.len());
                let cut = match deed.then {
                    Then::GoOn => None,
                    Then::Close(cut @ Some(_)) => cut,
                    Then::Close(None) => return Some(Outcome::Close),
                    Then::Flood => return Some(Outcome::Flood),
                };
                for (at, mut bytes) in deed.answers.into_iter().enumerate() {
                    let is_last = cut.is_some() && at + 1 == last;
                    match cut {
                        Some(count) if is_last => bytes.truncate(count),
                        _ => bytes.extend_from_slice(&self.stand.ends.of_answers),
                    }
                    link.answers.push_back(Answer { bytes, due, is_last });
                }
            }
        }
        let taken = u32::try_from(data.len()).ok()?;
        Some(Outcome::Results(words(&[error::NONE, taken])))
    }

    fn read(&mut self, number: u32, mut arguments: Arguments<'_>) -> Option<Outcome> {
        const TERMINATED: u32 = 128;
        const FULL: u32 = 1;
        const CHARACTER: u32 = 2;
        const ENDED: u32 = 4;
        let (wanted, patience) = (arguments.word()? as usize, arguments.time()?);
        let (_, flags, character) = (arguments.word()?, arguments.word()?, arguments.word()?);
        let link = self.links.get_mut(&number)?;
        let time_left = match link.answers.front() {
            Some(answer) => answer.due.saturating_duration_since(Instant::now()),
            None => Duration::MAX,
        };
        if !self.stand.wait(time_left.min(patience)) {
            return None;
        }
        let Some(answer) = link.answers.front_mut().filter(|_| time_left <= patience) else {
            return Some(Outcome::Results(words(&[error::TIMED_OUT, 0, 0])));
        };
        if answer.is_last && answer.bytes.is_empty() {
            return Some(Outcome::Close);
        }
        let mut count = wanted.min(answer.bytes.len());
        let mut reason = if count == wanted { FULL } else { 0 };
        if flags & TERMINATED != 0 {
            let character = character.to_be_bytes()[3];
            if let Some(at) = memchr::memchr(character, &answer.bytes[..count]) {
                (count, reason) = (at + 1, CHARACTER);
            }
        }
        let rest = answer.bytes.split_off(count);
        let piece = std::mem::replace(&mut answer.bytes, rest);
        if answer.bytes.is_empty() && !answer.is_last {
            reason |= ENDED;
            link.answers.pop_front();
        }
        let mut results = words(&[error::NONE, reason, u32::try_from(piece.len()).ok()?]);
        results.extend_from_slice(&piece);
        results.resize(results.len().next_multiple_of(4), 0);
        Some(Outcome::Results(results))
    }
}

/// The arguments of a call, taken one by one.
struct Arguments<'c>(&'c [u8]);

impl<'c> Arguments<'c> {
    fn word(&mut self) -> Option<u32> {
        let (word, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*word))
    }

    fn time(&mut self) -> Option<Duration> {
        self.word()
            .map(|milliseconds| Duration::from_millis(u64::from(milliseconds)))
    }

    fn bytes(&mut self) -> Option<&'c [u8]> {
        let length = self.word()? as usize;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest.get(length.next_multiple_of(4) - length..).unwrap_or_default();
        Some(bytes)
    }
}

/// Transaction, program, procedure and arguments of a call.
fn header(call: &[u8]) -> Option<(u32, u32, u32, &[u8])> {
    let mut rest = Arguments(call);
    let (transaction, kind, _, program) = (rest.word()?, rest.word()?, rest.word()?, rest.word()?);
    let (_, procedure) = (rest.word()?, rest.word()?);
    // Who calls, and a proof of it: nobody asks.
    for _ in 0..2 {
        rest.word()?;
        rest.bytes()?;
    }
    (kind == 0).then_some((transaction, program, procedure, rest.0))
}

/// One record, of as many fragments as it has.
fn record(mut stream: &TcpStream) -> Option<Vec<u8>> {
    let mut record = Vec::new();
    loop {
        let mut mark = [0; 4];
        stream.read_exact(&mut mark).ok()?;
        let mark = u32::from_be_bytes(mark);
        let length = (mark & !(1 << 31)) as usize;
        if record.len() + length > LONGEST_CALL {
            return None;
        }
        let start = record.len();
        record.resize(start + length, 0);
        stream.read_exact(&mut record[start..]).ok()?;
        if mark >> 31 == 1 {
            return Some(record);
        }
    }
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}
