//! An instrument driven by a driver file, and by the code of its model where it has some.

use std::{error::Error, fmt::Write as _, sync::Arc, time::Duration};

use super::{At, Device, DeviceError, Reason};
use crate::{
    Boards, Extent, Interrupter, LinkSettings, Resource, Session,
    driver::{Connection, Driver, Failure, Instrument, Line, LineError, Pause, Signal, Value, Wire},
    models::{self, Model},
};

/// A wire of any make.
pub type AnyWire = Box<dyn Wire<Error = LineError> + Send>;

/// An open instrument of a driver file.
pub struct Driven {
    name: String,
    instrument: Instrument<AnyWire>,
    model: Option<Box<dyn Model>>,
    identity: Option<String>,
}

impl Driven {
    /// Opens an instrument, whose name is for messages. `settings` are those of its profile, by name.
    ///
    /// # Errors
    /// It cannot be reached, or its first commands fail.
    pub fn open(
        name: &str,
        driver: Arc<Driver>,
        resource: Resource,
        settings: &[(String, String)],
        boards: Boards,
        interrupter: Interrupter,
        pause: Pause,
    ) -> Result<Self, DeviceError> {
        let link = LinkSettings {
            boards,
            ..link_settings(&driver, &resource)
        };
        let opened = Session::open(name, resource, link, interrupter);
        let session = opened.map_err(|error| {
            let reason = if error.is_interrupted() {
                Reason::Interrupted
            } else {
                Reason::Lost
            };
            DeviceError::new(reason, whole(&error))
        })?;
        let line = Line::with_pause(session, pause).with_gap(driver.link.gap);
        Self::on(name, driver, Box::new(line), settings)
    }

    /// Begins with an instrument on any wire.
    ///
    /// # Errors
    /// Its first commands fail.
    pub fn on(
        name: &str,
        driver: Arc<Driver>,
        wire: AnyWire,
        settings: &[(String, String)],
    ) -> Result<Self, DeviceError> {
        let model = models::of(&driver.id, settings)
            .map_err(|message| DeviceError::new(Reason::Refused, format!("`{name}`: {message}")))?;
        let is_asked = !driver.link.idn.is_empty();
        let mut driven = Self {
            name: name.to_owned(),
            instrument: Instrument::new(driver, wire),
            model,
            identity: None,
        };
        if is_asked {
            // Who does not say who it is may still measure.
            driven.identity = driven.query("*IDN?").ok();
        }
        let opened = driven.instrument.open();
        opened.map_err(|failure| driven.error(&failure))?;
        if let Some(model) = &mut driven.model {
            let opened = model.open(&mut driven.instrument);
            opened.map_err(|failure| driven.error(&failure))?;
        }
        Ok(driven)
    }

    fn give(&mut self, at: At<'_>) -> Result<(), DeviceError> {
        for (argument, value) in at {
            let given = self.give_one(argument, value);
            given.map_err(|failure| self.error(&failure))?;
        }
        Ok(())
    }

    /// Where the driver has no such argument but a signal, that is set: an instrument whose commands mean the selected
    /// channel has it selected each time, because somebody else may have selected another.
    fn give_one(&mut self, argument: &str, value: &Value) -> Result<(), Failure<LineError>> {
        let value = match &mut self.model {
            Some(model) => model.argument(&mut self.instrument, argument, value)?,
            None => value.clone(),
        };
        let driver = self.instrument.driver();
        let is_argument = driver.arguments.iter().any(|known| known.name == argument);
        if is_argument || !driver.signal(argument).is_some_and(Signal::can_set) {
            return self.instrument.give(argument, value);
        }
        if self.instrument.known(argument).is_none_or(|known| !known.same(&value)) {
            self.instrument.forget();
        }
        self.instrument.set(argument, &value)
    }

    fn error(&self, failure: &Failure<LineError>) -> DeviceError {
        let reason = match failure {
            Failure::Wire(error) if error.is_interrupted() => Reason::Interrupted,
            Failure::Wire(_) => Reason::Lost,
            Failure::Refused(_) | Failure::Unknown { .. } | Failure::Requires { .. } => Reason::Refused,
            Failure::Garbled(_)
            | Failure::NotTaken { .. }
            | Failure::NotAcknowledged { .. }
            | Failure::Complaint { .. }
            | Failure::TooLate { .. } => Reason::Failed,
        };
        let message = match failure {
            // A session names the instrument itself.
            Failure::Wire(error @ LineError::Session(_)) => whole(error),
            _ => format!("`{}`: {}", self.name, whole(failure)),
        };
        DeviceError { message, reason }
    }
}

impl Device for Driven {
    fn has(&self, name: &str) -> bool {
        let driver = self.instrument.driver();
        let model = self.model.as_deref();
        driver.signal(name).is_some()
            || driver.action(name).is_some()
            || model.is_some_and(|model| model.methods().contains(&name))
    }

    fn get(&mut self, parameter: &str, at: At<'_>) -> Result<Value, DeviceError> {
        self.give(at)?;
        let model = self.model.as_mut();
        let read = match model.and_then(|model| model.get(&mut self.instrument, parameter)) {
            Some(read) => read,
            None => self.instrument.get(parameter),
        };
        read.map_err(|failure| self.error(&failure))
    }

    fn set(&mut self, parameter: &str, value: &Value, at: At<'_>) -> Result<(), DeviceError> {
        self.give(at)?;
        let model = self.model.as_mut();
        let set = match model.and_then(|model| model.set(&mut self.instrument, parameter, value)) {
            Some(set) => set,
            None => self.instrument.set(parameter, value),
        };
        set.map_err(|failure| self.error(&failure))
    }

    fn call(&mut self, method: &str, arguments: &[Value], at: At<'_>) -> Result<Value, DeviceError> {
        self.give(at)?;
        let model = self.model.as_mut();
        let called = match model.filter(|model| model.methods().contains(&method)) {
            Some(model) => model.call(&mut self.instrument, method, arguments),
            None => self.instrument.act(method).map(|()| Value::None),
        };
        called.map_err(|failure| self.error(&failure))
    }

    fn write(&mut self, command: &str) -> Result<(), DeviceError> {
        let written = self.instrument.wire().write(command);
        written.map_err(|error| self.error(&Failure::Wire(error)))
    }

    fn query(&mut self, question: &str) -> Result<String, DeviceError> {
        let answer = self.instrument.wire().query(&[], question, Extent::Message);
        let answer = answer.map_err(|error| self.error(&Failure::Wire(error)))?;
        Ok(String::from_utf8_lossy(answer.trim_ascii()).into_owned())
    }

    fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    fn forget(&mut self) {
        self.instrument.forget();
    }

    fn has_safe_state(&self) -> bool {
        !self.instrument.driver().safe.is_empty()
    }

    fn make_safe(&mut self) -> Vec<DeviceError> {
        let failures = self.instrument.make_safe();
        failures.iter().map(|failure| self.error(failure)).collect()
    }

    fn close(&mut self) -> Result<(), DeviceError> {
        let closed = self.instrument.close();
        closed.map_err(|failure| self.error(&failure))
    }
}

/// Whether the instruments of a driver have a parameter or a method of this name.
pub fn has(driver: &Driver, name: &str) -> bool {
    let has_method =
        || models::of(&driver.id, &[]).is_ok_and(|model| model.is_some_and(|model| model.methods().contains(&name)));
    driver.signal(name).is_some() || driver.action(name).is_some() || has_method()
}

/// How the link of a driver behaves.
pub(crate) fn link_settings(driver: &Driver, resource: &Resource) -> LinkSettings {
    let mut settings = LinkSettings {
        timeout: driver.link.timeout,
        ..LinkSettings::default()
    };
    let has_end = matches!(
        resource,
        Resource::Vxi11 { .. } | Resource::Hislip { .. } | Resource::Usb { .. }
    );
    // Where messages end by themselves, a line feed more is sent only if the driver says so.
    if !has_end || driver.link.write_end != "\n" {
        settings.write_termination = Some(driver.link.write_end.clone().into_bytes());
    }
    settings.read_termination = Some(driver.link.read_end.clone().into_bytes());
    let baud = driver.link.connections.iter().find_map(|connection| match connection {
        Connection::Serial { baud } => *baud,
        Connection::Gpib | Connection::Usb | Connection::Vxi11 | Connection::Hislip | Connection::Socket { .. } => None,
    });
    if let Some(baud) = baud {
        settings.serial.baud = baud;
    }
    settings
}

/// A pause that nothing ends: for instruments by hand.
pub fn undisturbed() -> Pause {
    Arc::new(|time: Duration| {
        std::thread::sleep(time);
        true
    })
}

/// An error with its causes.
fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.ends_with(&words) {
            // Writing to a text cannot fail.
            write!(text, ": {words}").ok();
        }
        cause = error.source();
    }
    text
}
