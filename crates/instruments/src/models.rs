//! What driver files cannot express: one file a model.
//!
//! A model adds methods to a driver: several commands with a decision between them, answers that are several arrays,
//! conversions that a table has no word for. It may also take a parameter of the driver file upon itself, where reading or
//! setting takes more than the commands of the file. What data can say stays in the driver file.

mod bilt_bn100;
mod cryomagnetics;
mod keithley_2000;
mod keysight_psg;
mod oxford_ips120;
mod signal_recovery;
mod vna;
mod windfreak_synthhd;
mod yokogawa;

use self::{
    bilt_bn100::Bilt,
    cryomagnetics::Cryomagnetics,
    keithley_2000::Keithley2000,
    keysight_psg::Psg,
    oxford_ips120::Ips120,
    signal_recovery::SignalRecovery,
    vna::Vna,
    windfreak_synthhd::SynthHd,
    yokogawa::{Gs200, Yokogawa7651},
};
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
    /// Names of the methods that it adds to the driver's actions, and of parameters that the driver's signals do not have.
    fn methods(&self) -> &'static [&'static str] {
        &[]
    }

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
    fn call(&mut self, on: &mut Bare, method: &str, arguments: &[Value]) -> Result<Value, Fault> {
        let _ = arguments;
        let unknown = || {
            let (what, name) = ("method", method.to_owned());
            Err(Failure::Unknown { what, name })
        };
        self.get(on, method).unwrap_or_else(unknown)
    }
}

/// The code of the model with this driver, if it has some; `settings` are those of the profile.
///
/// # Errors
/// A setting that it needs is missing, or is none.
pub(crate) fn of(driver: &str, settings: &[(String, String)]) -> Result<Option<Box<dyn Model>>, String> {
    Ok(Some(match driver {
        "bilt.bn100" => Box::new(Bilt::new()),
        "cryomagnetics.4g" => Box::new(Cryomagnetics::g4(settings)?),
        "cryomagnetics.cs4" => Box::new(Cryomagnetics::cs4(settings)?),
        "keithley.2000" => Box::new(Keithley2000),
        "keysight.psg" => Box::new(Psg),
        "keysight.pna" => Box::new(Vna::keysight()),
        "oxford.ips120_10" => Box::new(Ips120::new(settings)?),
        "rohde_schwarz.znb20" => Box::new(Vna::znb20()),
        "rohde_schwarz.zva24" => Box::new(Vna::zva24()),
        "signal_recovery.7265" => Box::new(SignalRecovery::Asked),
        "signal_recovery.7270" => Box::new(SignalRecovery::Unasked),
        "windfreak.synthhd" => Box::new(SynthHd),
        "yokogawa.7651" => Box::new(Yokogawa7651),
        "yokogawa.gs200" => Box::new(Gs200::of_exopy()),
        "yokogawa.gs200_labeq" => Box::new(Gs200::of_labeq()),
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
    number
        .map(Some)
        .map_err(|_| format!("the setting `{name}` is no number: `{text}`"))
}
