//! Connections to simulated instruments: who listens on loopback, a thread for each client, and the end of all of them.
//!
//! A server that is dropped closes everything and has ended when the drop returns. An instrument that is gone is not
//! listened for at all: clients are refused, as by a machine that is switched off.

mod hislip;
mod lock;
mod socket;
mod vxi11;

use std::{
    io,
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::stand::Stand;

/// How an instrument is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// Bytes over TCP.
    #[default]
    Socket,
    Vxi11,
    Hislip,
}

impl Protocol {
    /// Where an instrument on this port is, as VISA names it.
    pub(super) fn resource(self, port: u16) -> String {
        match self {
            Self::Socket => format!("TCPIP0::127.0.0.1::{port}::SOCKET"),
            Self::Vxi11 => format!("TCPIP0::127.0.0.1::inst0,{port}::INSTR"),
            Self::Hislip => format!("TCPIP0::127.0.0.1::hislip0,{port}::INSTR"),
        }
    }
}

/// Somebody who listens for an instrument.
pub(super) struct Server {
    stand: Arc<Stand>,
    address: SocketAddr,
    clients: Arc<Clients>,
    listening: Option<JoinHandle<()>>,
}

/// The open connections.
#[derive(Default)]
struct Clients(Mutex<Vec<(TcpStream, JoinHandle<()>)>>);

impl Server {
    /// Listens on a port of loopback, any where it is 0.
    pub(super) fn start(stand: Arc<Stand>, protocol: Protocol, port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        let clients = Arc::<Clients>::default();
        let (shared, open) = (Arc::clone(&stand), Arc::clone(&clients));
        let listen = move || listen(listener, address, protocol, &shared, &open);
        let listening = thread::Builder::new()
            .name(format!("simulated {}", stand.name))
            .spawn(listen)?;
        Ok(Self {
            stand,
            address,
            clients,
            listening: Some(listening),
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stand.end();
        wake(self.address);
        if let Some(listening) = self.listening.take() {
            // It has nothing to say if it failed.
            listening.join().ok();
        }
        self.clients.close();
    }
}

/// Whoever waits for a client gets one.
fn wake(address: SocketAddr) {
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok();
}

fn listen(listener: TcpListener, address: SocketAddr, protocol: Protocol, stand: &Arc<Stand>, clients: &Arc<Clients>) {
    let shared = Arc::<(lock::Lock, hislip::Sizes)>::default();
    let mut listener = Some(listener);
    while let Some(open) = &listener {
        let accepted = open.accept();
        if stand.has_ended() {
            return;
        }
        if let Some(until) = stand.gone_until() {
            drop(accepted);
            drop(listener.take());
            clients.close();
            listener = again(address, until, stand);
            continue;
        }
        let Ok((stream, _)) = accepted else {
            continue;
        };
        // Answers go out when they are ready.
        stream.set_nodelay(true).ok();
        let (own, shared) = (Arc::clone(stand), Arc::clone(&shared));
        let Ok(kept) = stream.try_clone() else {
            continue;
        };
        let serve = move || {
            match protocol {
                Protocol::Socket => socket::serve(&stream, &own),
                Protocol::Vxi11 => vxi11::serve(&stream, &own, &shared.0),
                Protocol::Hislip => hislip::serve(&stream, &own, &shared.0, &shared.1),
            };
            stream.shutdown(Shutdown::Both).ok();
            if own.gone_until().is_some() {
                wake(address);
            }
        };
        if let Ok(serving) = thread::Builder::new().name("simulated client".to_owned()).spawn(serve) {
            clients.add(kept, serving);
        }
    }
}

/// Listens on the same port again when the time has come, unless all ends before.
fn again(address: SocketAddr, until: Instant, stand: &Stand) -> Option<TcpListener> {
    /// Somebody else may have the port for a moment.
    const PATIENCE: Duration = Duration::from_millis(20);
    if !stand.wait(until.saturating_duration_since(Instant::now())) {
        return None;
    }
    loop {
        match TcpListener::bind(address) {
            Ok(listener) => return Some(listener),
            Err(_) if stand.wait(PATIENCE) => {}
            Err(_) => return None,
        }
    }
}

impl Clients {
    fn add(&self, stream: TcpStream, serving: JoinHandle<()>) {
        let mut open = self.open();
        open.retain(|(_, serving)| !serving.is_finished());
        open.push((stream, serving));
    }

    fn close(&self) {
        let open = std::mem::take(&mut *self.open());
        for (stream, _) in &open {
            stream.shutdown(Shutdown::Both).ok();
        }
        for (_, serving) in open {
            serving.join().ok();
        }
    }

    fn open(&self) -> MutexGuard<'_, Vec<(TcpStream, JoinHandle<()>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who sends more without an end means no message.
const LONGEST_MESSAGE: usize = 1 << 28;

/// Bytes until nobody takes them or all ends.
fn flood(mut stream: &TcpStream, stand: &Stand) {
    let junk = [b'x'; 1 << 14];
    while !stand.has_ended() && io::Write::write_all(&mut stream, &junk).is_ok() {}
}
