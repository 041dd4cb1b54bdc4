//! A laboratory in software: instruments on loopback that answer as their drivers expect.
//!
//! ```text
//! driver file ─► mirror ─┐
//! code of a model ───────┤
//! pyvisa-sim file ─► script ─► behaviour ─► stand (faults, delay, transcript) ─► server: TCP, VXI-11, HiSLIP
//! ```
//!
//! Nothing else of a measurement changes: it opens these addresses instead of those of its profiles. What is simulated is
//! the conversation, and of physics as much as drivers wait for: ramps, sweeps, noise. Deliberately absent: samples.

mod behaviour;
mod figure;
mod mirror;
mod mishap;
mod models;
mod pattern;
mod random;
mod script;
mod server;
mod stand;
mod state;
mod status;
mod transcript;

use std::{error::Error, fmt, io, sync::Arc, time::Duration};

use self::{
    behaviour::Behaviour,
    mirror::Mirror,
    server::Server,
    stand::{Pace, Stand},
};
use crate::driver::{Driver, Value};

pub use mishap::{From, Lasts, Mishap, MishapError, What};
pub use script::{Script, ScriptError};
pub use server::Protocol;
pub use transcript::{Direction, Entry, Transcript};

/// An instrument that is to be simulated.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// What it is called, in messages and by those who ask for its address.
    pub name: String,
    pub from: Made,
    pub protocol: Protocol,
    /// Any that is free where it is 0.
    pub port: u16,
    /// How long it takes to answer.
    pub delay: Duration,
    /// How many times faster than in a laboratory what it does by itself goes: fields that move to their targets.
    pub speed: f64,
    /// What somebody set by hand before: signals and their values.
    pub initial: Vec<(String, Value)>,
    pub noise: Vec<Noise>,
    /// The same noise comes with the same seed.
    pub seed: u64,
    pub mishaps: Vec<Mishap>,
}

/// What an instrument is made from.
#[derive(Clone, Debug)]
pub enum Made {
    Driver(Arc<Driver>),
    Script(Box<Script>),
}

/// Normal noise on numbers that are read, in their unit on the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Noise {
    /// None: of all that is only read.
    pub signal: Option<String>,
    pub sigma: f64,
}

/// Simulated instruments that run until this is dropped.
pub struct Laboratory {
    stands: Vec<(Arc<Stand>, Server, Protocol)>,
}

/// Why an instrument cannot be simulated.
#[derive(Debug)]
pub enum SimulationError {
    Listen {
        instrument: String,
        port: u16,
        cause: io::Error,
    },
    NoSignal {
        instrument: String,
        signal: String,
    },
    /// A signal cannot begin at this value, or there is no such signal.
    NotTaken {
        instrument: String,
        signal: String,
        value: String,
    },
    /// There is no instrument of this name.
    Nobody {
        instrument: String,
    },
}

impl Simulated {
    /// An instrument made from its driver, on any port, without noise or delay.
    pub fn new(name: impl Into<String>, driver: Arc<Driver>) -> Self {
        Self::of(name.into(), Made::Driver(driver))
    }

    /// A device of pyvisa-sim, likewise.
    pub fn from_script(name: impl Into<String>, script: Script) -> Self {
        Self::of(name.into(), Made::Script(Box::new(script)))
    }

    /// What it is, for people.
    pub fn title(&self) -> &str {
        match &self.from {
            Made::Driver(driver) => &driver.title,
            Made::Script(script) => &script.name,
        }
    }

    fn of(name: String, from: Made) -> Self {
        Self {
            name,
            from,
            protocol: Protocol::Socket,
            port: 0,
            delay: Duration::ZERO,
            speed: 1.0,
            initial: Vec::new(),
            noise: Vec::new(),
            seed: 0,
            mishaps: Vec::new(),
        }
    }

    fn behaviour(&self) -> Result<Box<dyn Behaviour>, SimulationError> {
        match &self.from {
            Made::Driver(driver) => {
                let quirk = models::of(driver);
                let mut mirror = Mirror::new(Driver::clone(driver), quirk, self.seed);
                for (signal, value) in &self.initial {
                    if !mirror.state().begin_at(signal, value) {
                        return Err(SimulationError::NotTaken {
                            instrument: self.name.clone(),
                            signal: signal.clone(),
                            value: value.to_string(),
                        });
                    }
                }
                for noise in &self.noise {
                    match &noise.signal {
                        None => mirror.state().set_noise_of_readings(noise.sigma),
                        Some(signal) if mirror.state().set_noise(signal, noise.sigma) => {}
                        Some(signal) => {
                            return Err(SimulationError::NoSignal {
                                instrument: self.name.clone(),
                                signal: signal.clone(),
                            });
                        }
                    }
                }
                Ok(Box::new(mirror))
            }
            Made::Script(script) => {
                let mut device = script.device.clone();
                device.random = random::Random::new(self.seed);
                Ok(Box::new(device))
            }
        }
    }
}

impl Laboratory {
    /// Begins to serve instruments on loopback.
    ///
    /// # Errors
    /// A port is taken, or noise is asked for on a signal that is none.
    pub fn start(instruments: &[Simulated], transcript: &Transcript) -> Result<Self, SimulationError> {
        let mut stands = Vec::new();
        for instrument in instruments {
            let stand = Arc::new(Stand::new(
                instrument.name.clone(),
                instrument.behaviour()?,
                instrument.mishaps.clone(),
                Pace {
                    delay: instrument.delay,
                    speed: instrument.speed,
                },
                transcript.clone(),
            ));
            let server = Server::start(Arc::clone(&stand), instrument.protocol, instrument.port);
            let server = server.map_err(|cause| SimulationError::Listen {
                instrument: instrument.name.clone(),
                port: instrument.port,
                cause,
            })?;
            stands.push((stand, server, instrument.protocol));
        }
        Ok(Self { stands })
    }

    /// Name and VISA resource of each instrument, in the order in which they were given.
    pub fn addresses(&self) -> impl Iterator<Item = (&str, String)> {
        let address = |(_, server, protocol): &(Arc<Stand>, Server, Protocol)| protocol.resource(server.port());
        self.stands
            .iter()
            .map(move |known| (known.0.name.as_str(), address(known)))
    }

    /// Where an instrument is.
    pub fn address(&self, instrument: &str) -> Option<String> {
        self.addresses()
            .find(|(name, _)| *name == instrument)
            .map(|(_, address)| address)
    }

    /// Lets something go wrong from now on, beside what does already.
    ///
    /// # Errors
    /// There is no such instrument.
    pub fn strike(&self, instrument: &str, mishap: Mishap) -> Result<(), SimulationError> {
        self.stand(instrument)?.strike(mishap);
        Ok(())
    }

    /// Ends all that goes wrong with an instrument.
    ///
    /// # Errors
    /// There is no such instrument.
    pub fn mend(&self, instrument: &str) -> Result<(), SimulationError> {
        self.stand(instrument)?.mend();
        Ok(())
    }

    fn stand(&self, instrument: &str) -> Result<&Stand, SimulationError> {
        let found = self.stands.iter().find(|(stand, ..)| stand.name == instrument);
        found
            .map(|(stand, ..)| stand.as_ref())
            .ok_or_else(|| SimulationError::Nobody {
                instrument: instrument.to_owned(),
            })
    }
}

impl fmt::Display for SimulationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { instrument, port, .. } => write!(f, "`{instrument}` cannot be served on port {port}"),
            Self::NoSignal { instrument, signal } => write!(f, "`{instrument}` has no signal `{signal}`"),
            Self::NotTaken {
                instrument,
                signal,
                value,
            } => write!(f, "`{signal}` of `{instrument}` cannot be `{value}`"),
            Self::Nobody { instrument } => write!(f, "no instrument `{instrument}` is simulated here"),
        }
    }
}

impl Error for SimulationError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Listen { cause, .. } => Some(cause),
            Self::NoSignal { .. } | Self::NotTaken { .. } | Self::Nobody { .. } => None,
        }
    }
}
