//! As much of ONC remote procedure calls (RFC 5531) and their data (XDR, RFC 4506) as VXI-11 needs: calls over TCP without
//! credentials, and the portmapper's question for a port (RFC 1833).

use super::super::{Deadline, Fault, Wire, counted::Counted, tcp::TcpWire};

pub(crate) const PORTMAPPER_PORT: u16 = 111;
const PORTMAPPER: Program = Program {
    number: 100_000,
    version: 2,
};
const GET_PORT: u32 = 3;
const OVER_TCP: u32 = 6;

/// A program that a server offers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    pub(crate) number: u32,
    pub(crate) version: u32,
}

/// A connection to one program.
pub(crate) struct Rpc {
    connection: Counted,
    program: Program,
    transaction: u32,
    outgoing: Vec<u8>,
    reply: Vec<u8>,
    reply_limit: usize,
}

impl Rpc {
    pub(crate) fn new(wire: TcpWire, program: Program, reply_limit: usize) -> Self {
        Self {
            connection: Counted::new(wire),
            program,
            // Replies to a connection before this one cannot arrive here, so that any beginning will do.
            transaction: 0,
            outgoing: Vec::new(),
            reply: Vec::new(),
            reply_limit,
        }
    }

    /// Calls a procedure and lends its results. Replies to earlier calls, which were given up, are dropped.
    pub(crate) fn call(
        &mut self,
        procedure: u32,
        arguments: impl FnOnce(&mut Arguments<'_>),
        deadline: Deadline,
    ) -> Result<Results<'_>, Fault> {
        self.transaction = self.transaction.wrapping_add(1);
        self.outgoing.clear();
        self.outgoing.extend_from_slice(&[0; 4]);
        call_header(&mut self.outgoing, self.transaction, self.program, procedure);
        arguments(&mut Arguments(&mut self.outgoing));
        let length = u32::try_from(self.outgoing.len() - 4).map_err(|_| Fault::Unsupported("messages of gigabytes"))?;
        self.outgoing[..4].copy_from_slice(&(length | LAST_FRAGMENT).to_be_bytes());
        self.connection.wire.send(&self.outgoing, deadline)?;
        loop {
            self.receive(deadline)?;
            let transaction = Results(&self.reply).number()?;
            if transaction == self.transaction {
                break;
            }
        }
        results(&self.reply)
    }

    /// The next record, which may come in fragments.
    fn receive(&mut self, deadline: Deadline) -> Result<(), Fault> {
        self.reply.clear();
        loop {
            let mark = u32::from_be_bytes(self.connection.header(deadline)?);
            let length = (mark & !LAST_FRAGMENT) as usize;
            if self.reply.len() + length > self.reply_limit {
                return Err(Fault::Protocol(format!("a reply of {length} bytes was announced")));
            }
            self.connection.append(length, &mut self.reply, deadline)?;
            if mark & LAST_FRAGMENT != 0 {
                return Ok(());
            }
        }
    }
}

const LAST_FRAGMENT: u32 = 1 << 31;

/// Asks the portmapper at a connection for the port of a program.
pub(crate) fn port_of(wire: TcpWire, program: Program, deadline: Deadline) -> Result<u16, Fault> {
    let mut portmapper = Rpc::new(wire, PORTMAPPER, 1024);
    let mut results = portmapper.call(GET_PORT, |arguments| port_question(arguments, program), deadline)?;
    match u16::try_from(results.number()?) {
        Ok(port) if port != 0 => Ok(port),
        Ok(_) | Err(_) => Err(Fault::Refused("the portmapper knows no VXI-11 server there".to_owned())),
    }
}

/// The portmapper's question as a datagram, for broadcasts.
pub(crate) fn port_datagram(transaction: u32, program: Program) -> Vec<u8> {
    let mut datagram = Vec::new();
    call_header(&mut datagram, transaction, PORTMAPPER, GET_PORT);
    port_question(&mut Arguments(&mut datagram), program);
    datagram
}

/// The port that a datagram answers, if it answers this transaction with one.
pub(crate) fn port_in_datagram(datagram: &[u8], transaction: u32) -> Option<u16> {
    if Results(datagram).number().ok()? != transaction {
        return None;
    }
    let port = results(datagram).ok()?.number().ok()?;
    u16::try_from(port).ok().filter(|port| *port != 0)
}

fn call_header(into: &mut Vec<u8>, transaction: u32, program: Program, procedure: u32) {
    const CALL: u32 = 0;
    const RPC_VERSION: u32 = 2;
    let mut arguments = Arguments(into);
    for word in [
        transaction,
        CALL,
        RPC_VERSION,
        program.number,
        program.version,
        procedure,
    ] {
        arguments.number(word);
    }
    for word in [0; 4] {
        arguments.number(word); // No credentials, no verifier: each a kind 0 of no bytes.
    }
}

fn port_question(arguments: &mut Arguments<'_>, program: Program) {
    for word in [program.number, program.version, OVER_TCP, 0] {
        arguments.number(word);
    }
}

/// What a reply has behind its header.
fn results(reply: &[u8]) -> Result<Results<'_>, Fault> {
    const REPLY: u32 = 1;
    const ACCEPTED: u32 = 0;
    let mut words = Results(reply);
    words.number()?;
    if words.number()? != REPLY {
        return Err(Fault::Protocol("a call came instead of a reply".to_owned()));
    }
    if words.number()? != ACCEPTED {
        return Err(Fault::Refused("the server denies calls without credentials".to_owned()));
    }
    words.number()?;
    words.bytes()?;
    match words.number()? {
        0 => Ok(words),
        1 => Err(Fault::Refused("the server does not have this program".to_owned())),
        2 => Err(Fault::Refused(
            "the server has other versions of this program".to_owned(),
        )),
        3 => Err(Fault::Unsupported("this procedure, says its server")),
        4 => Err(Fault::Refused("the server cannot read the arguments".to_owned())),
        other => Err(Fault::Refused(format!("the server failed with status {other}"))),
    }
}

/// Data on its way out.
pub(crate) struct Arguments<'a>(&'a mut Vec<u8>);

impl Arguments<'_> {
    pub(crate) fn number(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        // Whatever is longer than 32 bits is refused with the whole record.
        self.number(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.0.extend_from_slice(bytes);
        self.0.extend_from_slice(&[0; 3][..padding(bytes.len())]);
    }
}

/// Data on its way in.
pub(crate) struct Results<'a>(&'a [u8]);

impl<'a> Results<'a> {
    pub(crate) fn number(&mut self) -> Result<u32, Fault> {
        let (number, rest) = self.0.split_first_chunk().ok_or_else(too_short)?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*number))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.number()? as usize;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or_else(too_short)?;
        self.0 = rest.get(padding(length)..).unwrap_or_default();
        Ok(bytes)
    }
}

fn too_short() -> Fault {
    Fault::Protocol("a reply ends early".to_owned())
}

fn padding(length: usize) -> usize {
    length.wrapping_neg() % 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_padded_to_words() {
        for length in 0..9 {
            let (mut data, bytes) = (Vec::new(), vec![7; length]);
            let mut arguments = Arguments(&mut data);
            arguments.bytes(&bytes);
            arguments.number(5);
            assert_eq!(data.len() % 4, 0);
            let mut results = Results(&data);
            assert_eq!(results.bytes().expect("bytes"), bytes);
            assert_eq!(results.number().expect("a number"), 5);
            assert!(results.number().is_err());
        }
    }

    #[test]
    fn a_reply_that_is_none_is_refused() {
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
        for reply in [
            words(&[]),
            words(&[1, 0]),
            words(&[1, 1, 1]),
            words(&[1, 1, 0, 0, 99]),
            words(&[1, 1, 0, 0, 0, 1]),
            words(&[1, 1, 0, 0, 0, 9]),
        ] {
            assert!(results(&reply).is_err(), "{reply:?}");
        }
        let good = words(&[1, 1, 0, 0, 0, 0, 1024]);
        assert_eq!(port_in_datagram(&good, 1), Some(1024));
        assert_eq!(port_in_datagram(&good, 2), None);
        assert_eq!(port_in_datagram(&words(&[1, 1, 0, 0, 0, 0, 0]), 1), None);
    }
}
