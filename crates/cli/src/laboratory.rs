//! Where this laboratory's instruments are: what the command line says, and before it the user's configuration.
//!
//! ```toml
//! # ~/.config/measurand/config.toml
//! profiles = ["/home/lab/profiles"]
//! drivers = ["/home/lab/drivers"]
//! via = ["PRLGX-TCPIP0::192.168.0.20::1234::INTFC"]
//! python = "/home/lab/venv"
//! ```
//!
//! Without either, profiles are looked for in `profiles` and driver files in `drivers` beside that file.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use instruments::{Resource, device::DrivenBy, simulate};
use measurement::Selected;
use runner::Laboratory;
use serde::Deserialize;

use crate::complaint::Complaint;

/// What the command line says of instruments.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Reach {
    /// A folder of instrument profiles (`NAME.instr.ini`), before those of the configuration (repeatable)
    #[arg(long, value_name = "DIR", help_heading = "Instruments")]
    pub(crate) profiles: Vec<PathBuf>,
    /// A folder of driver files (`*.toml`) that come before those of this program (repeatable)
    #[arg(long, value_name = "DIR", help_heading = "Instruments")]
    pub(crate) drivers: Vec<PathBuf>,
    /// The address of an instrument, instead of its profile's: `Vg1=TCPIP::10.0.0.7::5025::SOCKET` (repeatable)
    #[arg(long, value_name = "NAME=ADDRESS", value_parser = address, help_heading = "Instruments")]
    pub(crate) address: Vec<(String, String)>,
    /// The Prologix adapter that makes a GPIB bus, as in PRLGX-TCPIP0::192.168.0.20::1234::INTFC (repeatable)
    #[arg(long, value_name = "ADAPTER", value_parser = adapter, help_heading = "Instruments")]
    pub(crate) via: Vec<Resource>,
    /// The interpreter, or the virtual environment, of drivers and tasks in Python that name none
    #[arg(long, value_name = "PATH", help_heading = "Instruments")]
    pub(crate) python: Option<PathBuf>,
}

/// The configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    profiles: Vec<PathBuf>,
    drivers: Vec<PathBuf>,
    via: Vec<String>,
    python: Option<PathBuf>,
}

impl Reach {
    /// All that is said, the command line first.
    ///
    /// # Errors
    /// The configuration cannot be read, or a folder of the command line is none.
    pub(crate) fn laboratory(&self) -> Result<protocol::Laboratory, Complaint> {
        for folder in self.profiles.iter().chain(&self.drivers) {
            if !folder.is_dir() {
                return Err(Complaint::new(format!("`{}` is no folder", folder.display())));
            }
        }
        let place = config_folder();
        let config = match &place {
            Some(place) => Config::read(&place.join("config.toml"))?,
            None => Config::default(),
        };
        let beside = |name: &str| {
            place
                .as_ref()
                .map(|place| place.join(name))
                .filter(|folder| folder.is_dir())
        };
        let folders = |own: &[PathBuf], configured: &[PathBuf], name: &str| {
            let all = own.iter().chain(configured).cloned().chain(beside(name));
            all.map(|folder| absolute(&folder)).collect()
        };
        for text in &config.via {
            adapter(text).map_err(|problem| Complaint::new(format!("`via` of the configuration: {problem}")))?;
        }
        Ok(protocol::Laboratory {
            adapters: self
                .via
                .iter()
                .map(ToString::to_string)
                .chain(config.via.clone())
                .collect(),
            profiles: folders(&self.profiles, &config.profiles, "profiles"),
            drivers: folders(&self.drivers, &config.drivers, "drivers"),
            addresses: self.address.clone(),
            modules: Vec::new(),
            python: self
                .python
                .as_ref()
                .or(config.python.as_ref())
                .map(|python| interpreter(python)),
        })
    }
}

impl Config {
    fn read(path: &Path) -> Result<Self, Complaint> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Complaint::of_file("read", path, &error)),
        };
        toml::from_str(&text).map_err(|error| Complaint::of_file("read", path, &error))
    }
}

/// The instruments of a measurement in software, as long as this lives.
pub(crate) struct Simulated {
    laboratory: simulate::Laboratory,
}

impl Simulated {
    /// Serves the instruments that a measurement selects, each made from its driver.
    ///
    /// # Errors
    /// One of them has no driver file, or cannot be served.
    ///
    /// All that is said goes to `transcript`, a line a message: `<` what the instrument is told, `>` what it answers.
    pub(crate) fn start(
        known: &Laboratory,
        instruments: &[Selected],
        transcript: Option<&Path>,
        speed: u32,
    ) -> Result<Self, Complaint> {
        let mut simulated: Vec<simulate::Simulated> = Vec::new();
        for selected in instruments {
            if simulated.iter().any(|instrument| instrument.name == selected.profile) {
                continue;
            }
            match known.driver(selected).map_err(Complaint::new)? {
                DrivenBy::File(driver) => {
                    let mut instrument = simulate::Simulated::new(&selected.profile, driver);
                    instrument.speed = f64::from(speed);
                    simulated.push(instrument);
                }
                DrivenBy::Python(class) => {
                    let complaint = format!("`{}` cannot be simulated: `{class}` drives it", selected.profile);
                    return Err(Complaint::new(complaint)
                        .hint("give the driver a simulator of its own, in its profile, and leave out `--simulate`"));
                }
            }
        }
        let transcript = match transcript {
            None => simulate::Transcript::none(),
            Some(path) => {
                let file = std::fs::File::create(path).map_err(|error| Complaint::of_file("write", path, &error))?;
                simulate::Transcript::told(move |entry| {
                    let arrow = match entry.direction {
                        simulate::Direction::In => '<',
                        simulate::Direction::Out => '>',
                    };
                    let line = format!("{} {arrow} {}\n", entry.instrument, entry.message.escape_ascii());
                    // A transcript that cannot be written is no reason to end the measurement.
                    (&file).write_all(line.as_bytes()).ok();
                })
            }
        };
        let laboratory = simulate::Laboratory::start(&simulated, &transcript)
            .map_err(|error| Complaint::new("the instruments cannot be simulated").because(&error))?;
        Ok(Self { laboratory })
    }

    /// Where each of them is.
    pub(crate) fn addresses(&self) -> Vec<(String, String)> {
        let addresses = self.laboratory.addresses();
        addresses.map(|(name, address)| (name.to_owned(), address)).collect()
    }
}

/// Where the user's configuration is: `$XDG_CONFIG_HOME/measurand`, or `~/.config/measurand`.
pub(crate) fn config_folder() -> Option<PathBuf> {
    let given = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base = given("XDG_CONFIG_HOME").or_else(|| given("HOME").map(|home| home.join(".config")))?;
    Some(base.join("measurand"))
}

/// A bare name is looked for where programs are.
fn interpreter(python: &Path) -> String {
    if python.components().count() == 1 && !python.is_dir() {
        python.display().to_string()
    } else {
        absolute(python)
    }
}

/// The process that performs may work in another folder.
fn absolute(path: &Path) -> String {
    std::path::absolute(path)
        .as_deref()
        .unwrap_or(path)
        .display()
        .to_string()
}

fn adapter(text: &str) -> Result<Resource, String> {
    let resource: Resource = text.parse().map_err(|error| format!("{error}"))?;
    match resource {
        Resource::PrologixTcp { .. } | Resource::PrologixSerial { .. } => Ok(resource),
        _ => Err("it should be an adapter, as in `PRLGX-TCPIP0::192.168.0.20::1234::INTFC`".to_owned()),
    }
}

fn address(text: &str) -> Result<(String, String), String> {
    let Some((name, address)) = text.split_once('=') else {
        return Err("it should be NAME=ADDRESS, as in `Vg1=TCPIP::10.0.0.7::5025::SOCKET`".to_owned());
    };
    let resource: Resource = address.trim().parse().map_err(|error| format!("{error}"))?;
    Ok((name.trim().to_owned(), resource.to_string()))
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_belongs_to_a_name() {
        let given = address("Vg1 = TCPIP::10.0.0.7::5025::SOCKET");
        assert_eq!(
            given,
            Ok(("Vg1".to_owned(), "TCPIP0::10.0.0.7::5025::SOCKET".to_owned()))
        );
        assert!(address("TCPIP::10.0.0.7::5025::SOCKET").is_err());
        assert!(address("Vg1=10.0.0.7").is_err());
    }
}
