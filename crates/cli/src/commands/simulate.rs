//! `measurand simulate`: instruments in software, on loopback, until Ctrl-C. For trying a measurement or a driver file before
//! any instrument is at hand.
//!
//! Standard output has a line for each instrument and nothing else, so that a script can read where they are. Deliberately
//! absent: running a measurement against them, which is `measurand run --simulate`.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ::instruments::{
    device::DrivenBy,
    driver::{Driver, Value},
    simulate::{self, Mishap, Noise, Protocol, Script, Simulated, Transcript},
};
use measurement::Overrides;
use runner::Laboratory;
use serde_json::json;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use super::drivers;
use crate::{
    complaint::Complaint,
    exit::Exit,
    laboratory::Reach,
    quantity::counted,
    source::{self, Loaded},
    terminal::{Stream, harmless},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Faults are written WHAT [VALUE] [on TEXT] [at N | after N | after TIME] [for N | for TIME], with WHAT one of
  silent · late TIME · garbage · close · cut [BYTES] · flood · gone TIME · error CODE,\"TEXT\" · off NUMBER
as in --fault 'yoko: silent after 10', --fault 'close on :SOUR:LEV at 3', --fault 'gone 2s after 5s'.")]
pub(crate) struct Args {
    /// A model by its id or alias, a driver file (.toml), a device file of pyvisa-sim (.yaml), or a measurement (.ini) with all
    /// its instruments; NAME= names it
    #[arg(value_name = "[NAME=]DRIVER|FILE", required = true)]
    instruments: Vec<String>,
    /// The port of the first instrument; the others have those that follow [default: any]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Speak VXI-11 instead of bare TCP
    #[arg(long, conflicts_with = "hislip")]
    vxi11: bool,
    /// Speak HiSLIP instead of bare TCP
    #[arg(long)]
    hislip: bool,
    /// What an instrument is set to in the beginning, as in yoko:function=CURR (repeatable)
    #[arg(long, value_name = "[NAME:]SIGNAL=VALUE", value_parser = initial)]
    set: Vec<Initial>,
    /// The standard deviation of all that is only read, or of one signal (repeatable)
    #[arg(long, value_name = "[SIGNAL=]SIGMA", value_parser = noise)]
    noise: Vec<Noise>,
    /// How long each answer takes
    #[arg(long, value_name = "SECONDS", default_value = "0", hide_default_value = true, value_parser = seconds)]
    delay: Duration,
    /// How many times faster than in a laboratory fields and ramps of the instruments move
    #[arg(long, value_name = "TIMES", default_value_t = 1.0, hide_default_value = true, value_parser = speed)]
    speed: f64,
    /// The same noise comes again with the same seed
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    seed: u64,
    /// What goes wrong, with the instrument's name in front where there are several (repeatable)
    #[arg(long, value_name = "[NAME:] FAULT", value_parser = fault)]
    fault: Vec<(Option<String>, Mishap)>,
    /// Every message goes there; `-` is standard error
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Say where the instruments are as one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

/// What somebody set by hand before.
#[derive(Clone, Debug)]
struct Initial {
    /// None: of all.
    name: Option<String>,
    signal: String,
    value: Value,
}

pub(crate) fn simulate(args: &Args) -> Result<Exit, Complaint> {
    let mut instruments: Vec<Simulated> = Vec::new();
    for what in &args.instruments {
        for mut instrument in made(what, &args.reach)? {
            instrument.name = unused(&instrument.name, &instruments);
            instruments.push(instrument);
        }
    }
    for (at, instrument) in instruments.iter_mut().enumerate() {
        let others = u16::try_from(at).unwrap_or(u16::MAX);
        instrument.port = if args.port == 0 {
            0
        } else {
            args.port.saturating_add(others)
        };
        instrument.protocol = args.protocol();
        instrument.delay = args.delay;
        instrument.speed = args.speed;
        instrument.seed = args.seed.wrapping_add(at as u64);
        instrument.noise.clone_from(&args.noise);
    }
    for (name, mishap) in &args.fault {
        for instrument in meant(&mut instruments, name.as_deref())? {
            instrument.mishaps.push(mishap.clone());
        }
    }
    for Initial { name, signal, value } in &args.set {
        for instrument in meant(&mut instruments, name.as_deref())? {
            instrument.initial.push((signal.clone(), value.clone()));
        }
    }
    let listening = || Signals::new([SIGINT, SIGTERM, SIGHUP]);
    let mut signals = listening().map_err(|error| Complaint::new("cannot listen to signals").because(&error))?;
    let transcript = transcript(args.log.as_deref())?;
    let laboratory = simulate::Laboratory::start(&instruments, &transcript)
        .map_err(|error| Complaint::new("the instruments cannot be simulated").because(&error))?;
    tell(args, &laboratory, &instruments);
    // Whatever ends it ends it well: nothing is lost.
    signals.forever().next();
    drop(laboratory);
    Ok(Exit::Completed)
}

impl Args {
    fn protocol(&self) -> Protocol {
        match (self.vxi11, self.hislip) {
            (true, _) => Protocol::Vxi11,
            (false, true) => Protocol::Hislip,
            (false, false) => Protocol::Socket,
        }
    }
}

/// The instruments that one word of the command line means.
fn made(what: &str, reach: &Reach) -> Result<Vec<Simulated>, Complaint> {
    // A path may have an equals sign, but names no folder in front of it.
    let (name, what) = match what.split_once('=') {
        Some((name, what)) if !name.is_empty() && !name.contains(['/', '\\']) => (Some(name), what),
        Some(_) | None => (None, what),
    };
    let path = Path::new(what);
    let ends_in = |endings: &[&str]| {
        path.extension()
            .is_some_and(|end| endings.iter().any(|known| end == *known))
    };
    if ends_in(&["yaml", "yml"]) {
        return scripts(name, path);
    }
    if ends_in(&["ini"]) {
        return measured(path, reach);
    }
    let is_file = ends_in(&["toml"]);
    let driver = if is_file {
        let bytes = source::bytes(path)?;
        let text = String::from_utf8(bytes).map_err(|error| Complaint::of_file("read", path, &error))?;
        Driver::parse(&text).map_err(|problems| {
            let complaint = Complaint::new(format!(
                "`{}` has {}",
                harmless(what),
                counted(problems.len(), "problem")
            ));
            complaint.hint(format!(
                "`measurand drivers {}` shows each with its place",
                harmless(what)
            ))
        })?
    } else {
        let complaint = || Complaint::new(format!("no driver `{}` is known here", harmless(what)));
        drivers::found(what).ok_or_else(|| {
            complaint().hint("`measurand drivers` shows all; a file ends in `.toml`, `.yaml` or `.ini`")
        })?
    };
    let called = if is_file { driver.id.as_str() } else { what };
    let model = called.rsplit('.').next().unwrap_or(called).to_owned();
    let name = name.map_or(model, str::to_owned);
    Ok(vec![Simulated::new(name, Arc::new(driver))])
}

/// The instruments that a measurement selects.
fn measured(path: &Path, reach: &Reach) -> Result<Vec<Simulated>, Complaint> {
    let setup = reach.laboratory()?;
    let laboratory = Laboratory::open(&setup);
    let loaded = Loaded::open(path, &Overrides::default(), &setup)?;
    let Some(measurement) = loaded.built() else {
        let complaint = Complaint::new(format!("`{}` cannot be built", path.display()));
        return Err(complaint.hint(format!("`measurand check {}` says why", path.display())));
    };
    let mut instruments: Vec<Simulated> = Vec::new();
    for selected in measurement.tree.instruments() {
        if instruments.iter().any(|instrument| instrument.name == selected.profile) {
            continue;
        }
        // One that cannot be simulated keeps nobody from trying the others.
        let reason = match laboratory.driver(selected) {
            Ok(DrivenBy::File(driver)) => {
                instruments.push(Simulated::new(&selected.profile, driver));
                continue;
            }
            Ok(DrivenBy::Python(class)) => format!("`{class}` drives it"),
            Err(reason) => reason,
        };
        let line = format!("`{}` is not simulated: {reason}", selected.profile);
        Stream::Error.write(&format!("{}\n", harmless(&line)));
    }
    if instruments.is_empty() {
        return Err(Complaint::new(format!("`{}` uses no instruments", path.display())));
    }
    Ok(instruments)
}

/// All devices of a file of pyvisa-sim that have a resource.
fn scripts(name: Option<&str>, path: &Path) -> Result<Vec<Simulated>, Complaint> {
    let scripts = Script::read(path).map_err(|error| Complaint::of_file("simulate", path, &error))?;
    let stem = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    let named = |script: Script| {
        let name = name.map_or_else(|| stem.clone(), str::to_owned);
        Simulated::from_script(name, script)
    };
    Ok(scripts.into_iter().map(named).collect())
}

/// The name, with a number behind it where another instrument has it.
fn unused(name: &str, instruments: &[Simulated]) -> String {
    let is_used = |name: &str| instruments.iter().any(|instrument| instrument.name == name);
    if !is_used(name) {
        return name.to_owned();
    }
    let mut numbered = (2..).map(|number: u32| format!("{name}{number}"));
    numbered.find(|name| !is_used(name)).unwrap_or_else(|| name.to_owned())
}

/// The instrument of a name, or all without one.
fn meant<'i>(instruments: &'i mut [Simulated], name: Option<&str>) -> Result<Vec<&'i mut Simulated>, Complaint> {
    let names: Vec<String> = instruments.iter().map(|known| format!("`{}`", known.name)).collect();
    let is_meant = |instrument: &&mut Simulated| name.is_none_or(|name| name == instrument.name);
    let found: Vec<&mut Simulated> = instruments.iter_mut().filter(is_meant).collect();
    if found.is_empty() {
        let wanted = harmless(name.unwrap_or_default());
        let complaint = Complaint::new(format!("no instrument `{wanted}` is simulated"));
        return Err(complaint.hint(format!("there are {}", names.join(", "))));
    }
    Ok(found)
}

fn transcript(log: Option<&Path>) -> Result<Transcript, Complaint> {
    match log {
        None => Ok(Transcript::none()),
        Some(path) if path == Path::new("-") => Ok(Transcript::told(|entry| {
            Stream::Error.write(&format!("{}\n", harmless(&entry.to_string())))
        })),
        Some(path) => {
            let file = File::create(path).map_err(|error| Complaint::of_file("write", path, &error))?;
            let file = Mutex::new(file);
            Ok(Transcript::told(move |entry| {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                // A full disk is no reason to leave a client without its answer.
                writeln!(file, "{entry}").ok();
            }))
        }
    }
}

fn tell(args: &Args, laboratory: &simulate::Laboratory, instruments: &[Simulated]) {
    let width = instruments
        .iter()
        .map(|instrument| instrument.name.len())
        .max()
        .unwrap_or(0);
    let paint = Stream::Output.paint();
    for ((name, address), instrument) in laboratory.addresses().zip(instruments) {
        let line = if args.json {
            json!({ "name": name, "resource": address, "model": instrument.title() }).to_string()
        } else {
            let padded = format!("{name:width$}");
            format!(
                "{}  {address}  {}",
                paint.strong(&padded),
                paint.faint(&harmless(instrument.title()))
            )
        };
        Stream::Output.write(&format!("{line}\n"));
    }
    if Stream::Error.is_terminal() && !args.json {
        let paint = Stream::Error.paint();
        let first = laboratory
            .addresses()
            .next()
            .map(|(_, address)| address)
            .unwrap_or_default();
        let words = format!(
            "Ctrl-C ends {}. Try: measurand instruments query {first} '*IDN?'\n",
            match instruments {
                [_] => "it",
                _ => "them",
            }
        );
        Stream::Error.write(&paint.faint(&words));
    }
}

fn noise(text: &str) -> Result<Noise, String> {
    let (signal, sigma) = match text.split_once('=') {
        Some((signal, sigma)) => (Some(signal.trim().to_owned()), sigma),
        None => (None, text),
    };
    let sigma: Option<f64> = sigma.trim().parse().ok();
    let sigma = sigma.filter(|sigma| sigma.is_finite() && *sigma >= 0.0);
    let sigma = sigma.ok_or("it should be a number, or a signal with a number, as in `voltage_dc=1e-6`")?;
    Ok(Noise { signal, sigma })
}

fn initial(text: &str) -> Result<Initial, String> {
    let wrong = || "it should be SIGNAL=VALUE, as in `function=CURR` or `yoko:function=CURR`".to_owned();
    let (signal, value) = text.split_once('=').ok_or_else(wrong)?;
    let (name, signal) = match signal.split_once(':') {
        Some((name, signal)) => (Some(name.trim().to_owned()), signal),
        None => (None, signal),
    };
    let value = value.trim();
    let value = match (value.parse(), value.parse()) {
        (Ok(integer), _) => Value::Int(integer),
        (Err(_), Ok(float)) => Value::Float(float),
        (Err(_), Err(_)) => Value::Text(value.to_owned()),
    };
    let signal = signal.trim().to_owned();
    if signal.is_empty() {
        Err(wrong())
    } else {
        Ok(Initial { name, signal, value })
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "it should be a number of seconds, as in `0.02`".to_owned())
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text
        .parse()
        .ok()
        .filter(|speed: &f64| speed.is_finite() && *speed > 0.0 && *speed <= 1e6);
    speed.ok_or_else(|| "it should be a number above 0, as in `100`".to_owned())
}

/// `yoko: silent after 10`, or without a name.
fn fault(text: &str) -> Result<(Option<String>, Mishap), String> {
    let (name, fault) = match text.split_once(':') {
        // `close on :SOUR:LEV` has no name in front.
        Some((name, fault)) if !name.trim().contains(char::is_whitespace) => (Some(name.trim().to_owned()), fault),
        Some(_) | None => (None, text),
    };
    let mishap: Mishap = fault
        .parse()
        .map_err(|error: ::instruments::simulate::MishapError| error.to_string())?;
    Ok((name, mishap))
}

#[cfg(test)]
mod tests {
    use super::{Reach, fault, initial, made, noise, seconds, unused};

    #[test]
    fn an_instrument_is_called_as_it_is_told_or_as_its_model() {
        let name = |what: &str| {
            made(what, &Reach::default())
                .map(|made| made[0].name.clone())
                .map_err(|complaint| complaint.line())
        };
        assert_eq!(name("yoko=GS200"), Ok("yoko".to_owned()));
        assert_eq!(name("yokogawa.gs200"), Ok("gs200".to_owned()));
        assert_eq!(name("Keithley2000"), Ok("Keithley2000".to_owned()));
        assert_eq!(name("gs2000"), Err("no driver `gs2000` is known here".to_owned()));
        let both = made("gs200", &Reach::default()).expect("a driver");
        assert_eq!(unused("gs200", &both), "gs2002");
    }

    #[test]
    fn noise_delay_and_faults_are_read() {
        assert_eq!(
            noise("x=0.5").map(|noise| (noise.signal, noise.sigma)),
            Ok((Some("x".to_owned()), 0.5))
        );
        assert!(
            initial("x").is_err()
                && initial("=1").is_err()
                && noise("x").is_err()
                && noise("-1").is_err()
                && seconds("x").is_err()
        );
        assert_eq!(fault("yoko: silent").map(|(name, _)| name), Ok(Some("yoko".to_owned())));
        assert_eq!(fault("close on :SOUR:LEV").map(|(name, _)| name), Ok(None));
        assert!(fault("yoko: sleepy").is_err());
    }
}
