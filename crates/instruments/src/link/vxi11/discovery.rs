//! Who speaks VXI-11 on the network: the portmapper's question as a broadcast.

use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use super::{
    CORE,
    rpc::{PORTMAPPER_PORT, port_datagram, port_in_datagram},
};

/// The hosts whose portmapper knows a VXI-11 server, after waiting for all the patience. Asked are these addresses, which
/// may be those of a whole network; none means the local one.
///
/// # Errors
/// Nobody can be asked at all.
pub fn discover(asked: &[SocketAddr], patience: Duration) -> io::Result<BTreeSet<IpAddr>> {
    let everybody = [SocketAddr::from((Ipv4Addr::BROADCAST, PORTMAPPER_PORT))];
    let asked = if asked.is_empty() { &everybody } else { asked };
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.set_broadcast(true)?;
    let transaction = std::process::id();
    let question = port_datagram(transaction, CORE);
    for address in asked {
        socket.send_to(&question, address)?;
    }
    let end = Instant::now() + patience;
    let mut found = BTreeSet::new();
    let mut datagram = [0; 512];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(found);
        }
        socket.set_read_timeout(Some(left))?;
        match socket.recv_from(&mut datagram) {
            Ok((length, from)) => {
                if port_in_datagram(&datagram[..length], transaction).is_some() {
                    found.insert(from.ip());
                }
            }
            Err(error) if is_passing(error.kind()) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The patience is over, or somebody who was asked has nobody listening.
fn is_passing(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::WouldBlock
            | io::ErrorKind::TimedOut
            | io::ErrorKind::Interrupted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}
