//! What driver files cannot express: one file a model.
//!
//! A model adds methods to a driver: several commands with a decision between them, answers that are several arrays,
//! conversions that a table has no word for. It may also take a parameter of the driver file upon itself, where reading or
//! setting takes more than the commands of the file. What data can say stays in the driver file.

mod cryomagnetics;
mod oxford_ips120;
mod vna;

use self::{cryomagnetics::Cryomagnetics, oxford_ips120::Ips120, vna::Vna};
use crate::{
    device::AnyWire,
    driver::{Failure, Instrument, LineError, Value},
};

/// An instrument that a model's code works on.
pub(crate) type Bare = Instrument<AnyWire>;

/// Why a method of a model failed.
pub(crate) type Fault = Failure<LineError>;

/// The code of one model.
pub(crate) trait Model: Send {
    /// Names of the methods that it adds to the driver's actions.
    fn methods(&self) -> &'static [&'static str];

    /// After the connection is open and the driver's first commands are sent.
    fn open(&mut self, on: &mut Bare) -> Result<(), Fault> {
        let _ = on;
        Ok(())
    }

    /// What the driver's argument is when a task says this: a channel by its number.
    fn argument(&mut self, on: &mut Bare, name: &str, value: &Value) -> Result<Value, Fault> {
        let _ = (on, name);
        Ok(value.clone())
    }

    /// Reads a parameter that takes more than the question of the driver file; nothing for all others.
    fn get(&mut self, on: &mut Bare, parameter: &str) -> Option<Result<Value, Fault>> {
        let _ = (on, parameter);
        None
    }

    /// Sets a parameter that takes more than the commands of the driver file; nothing for all others.
    fn set(&mut self, on: &mut Bare, parameter: &str, value: &Value) -> Option<Result<(), Fault>> {
        let _ = (on, parameter, value);
        None
    }

    /// Calls one of [`Self::methods`].
    fn call(&mut self, on: &mut Bare, method: &str, arguments: &[Value]) -> Result<Value, Fault>;
}

/// The code of the model with this driver, if it has some; `settings` are those of the profile.
///
/// # Errors
/// A setting that it needs is missing, or is none.
pub(crate) fn of(driver: &str, settings: &[(String, String)]) -> Result<Option<Box<dyn Model>>, String> {
    Ok(Some(match driver {
        "cryomagnetics.4g" => Box::new(Cryomagnetics::g4(settings)?),
        "cryomagnetics.cs4" => Box::new(Cryomagnetics::cs4(settings)?),
        "keysight.pna" => Box::new(Vna::keysight()),
        "oxford.ips120_10" => Box::new(Ips120::new(settings)?),
        "rohde_schwarz.znb20" => Box::new(Vna::znb20()),
        "rohde_schwarz.zva24" => Box::new(Vna::zva24()),
        _ => return Ok(None),
    }))
}

/// A number among the settings of a profile.
///
/// # Errors
/// It is none.
fn setting(settings: &[(String, String)], name: &str) -> Result<Option<f64>, String> {
    let Some((_, text)) = settings.iter().find(|(known, _)| known == name) else {
        return Ok(None);
    };
    let number = text.trim().trim_matches(['\'', '"']).parse();
    number.map(Some).map_err(|_| format!("the setting `{name}` is no number: `{text}`"))
}
