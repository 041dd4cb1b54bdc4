//! Network analysers: measures, windows with their traces, and data of something that resonates at 5 GHz.
//!
//! Both makes are one instrument here; they differ in the words of their catalogues. What is set of a sweep is the driver's.
//! A sweep takes no time: whoever asks for its end is told. Deliberately absent: calibration, markers, segments.

use std::{collections::BTreeMap, f64::consts::TAU, time::Duration};

use super::{
    super::{
        behaviour::Reply,
        mirror::{Quirk, defaults, with},
        state::{Raw, State},
    },
    header::Header,
};
use crate::block::{self, ByteOrder, Number};

/// Channels of a simulated analyser.
const CHANNELS: i64 = 32;

/// An analyser.
pub(super) struct Vna {
    make: Make,
    /// By channel.
    measures: BTreeMap<i64, Vec<Measure>>,
    selected: BTreeMap<i64, String>,
    /// By window: the name of the measure of each trace.
    windows: BTreeMap<i64, BTreeMap<i64, String>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Make {
    Keysight,
    RohdeSchwarz,
}

struct Measure {
    name: String,
    parameter: String,
    format: String,
    /// The number of its trace, from 1 on.
    trace: i64,
}

/// Where it resonates, in Hz, and how sharply.
const RESONANCE: f64 = 5e9;
const QUALITY: f64 = 1e4;
/// Of the cables, in s.
const DELAY: f64 = 40e-9;

impl Vna {
    pub(super) fn keysight() -> Self {
        Self::new(Make::Keysight, "CH1_S11_1", "S11")
    }

    pub(super) fn rohde_schwarz() -> Self {
        Self::new(Make::RohdeSchwarz, "Trc1", "S21")
    }

    /// As it is switched on: one measure, on the first channel.
    fn new(make: Make, name: &str, parameter: &str) -> Self {
        let measure = Measure {
            name: name.to_owned(),
            parameter: parameter.to_owned(),
            format: "MLOG".to_owned(),
            trace: 1,
        };
        // More channels than anybody makes on a front panel: measurements expect theirs to be there.
        let mut measures: BTreeMap<i64, Vec<Measure>> = (1..=CHANNELS).map(|channel| (channel, Vec::new())).collect();
        measures.insert(1, vec![measure]);
        Self {
            make,
            measures,
            selected: BTreeMap::from([(1, name.to_owned())]),
            windows: BTreeMap::from([(1, BTreeMap::from([(1, name.to_owned())]))]),
        }
    }

    fn selected(&mut self, channel: i64) -> Option<&mut Measure> {
        let name = self.selected.get(&channel)?;
        self.measures
            .get_mut(&channel)?
            .iter_mut()
            .find(|measure| measure.name == *name)
    }

    fn define(&mut self, channel: i64, name: &str, parameter: &str) -> Reply {
        let traces = self.measures.values().flatten().map(|measure| measure.trace);
        let trace = traces.max().unwrap_or(0) + 1;
        if self.measures.values().flatten().any(|measure| measure.name == name) || name.is_empty() {
            return Reply::Error(-224, "Illegal parameter value");
        }
        self.measures.entry(channel).or_default().push(Measure {
            name: name.to_owned(),
            parameter: parameter.to_owned(),
            format: "MLOG".to_owned(),
            trace,
        });
        // The newest is the active one.
        if self.make == Make::RohdeSchwarz {
            self.selected.insert(channel, name.to_owned());
        }
        Reply::Silence
    }

    fn delete(&mut self, channel: i64, name: Option<&str>) -> Reply {
        let Some(measures) = self.measures.get_mut(&channel) else {
            return Reply::Error(-224, "Illegal parameter value");
        };
        let before = measures.len();
        let goes = |known: &str| name.is_none_or(|name| name == known);
        let gone: Vec<String> = measures
            .iter()
            .map(|measure| measure.name.clone())
            .filter(|known| goes(known))
            .collect();
        measures.retain(|measure| !gone.contains(&measure.name));
        for traces in self.windows.values_mut() {
            traces.retain(|_, known| !gone.contains(known));
        }
        if self
            .selected
            .get(&channel)
            .is_some_and(|selected| gone.contains(selected))
        {
            self.selected.remove(&channel);
        }
        match name {
            Some(_) if before == measures.len() => Reply::Error(-224, "Illegal parameter value"),
            _ => Reply::Silence,
        }
    }

    fn select(&mut self, channel: i64, is_it: impl Fn(&Measure) -> bool) -> Reply {
        let measures = self.measures.get(&channel).map(Vec::as_slice).unwrap_or_default();
        match measures.iter().find(|measure| is_it(measure)) {
            Some(measure) => {
                self.selected.insert(channel, measure.name.clone());
                Reply::Silence
            }
            None => Reply::Error(-224, "Illegal parameter value"),
        }
    }

    /// The commands on measures of a channel, behind `CALC:PAR`.
    fn parameter(&mut self, channel: i64, words: &[&str], header: &Header) -> Option<Reply> {
        Some(match (words, header.asks) {
            (["DEF", "EXT"] | ["SDEF"] | ["DEF"], false) => {
                self.define(channel, header.argument(0), header.argument(1))
            }
            (["DEL"], false) => self.delete(channel, Some(header.argument(0))),
            (["DEL", "ALL"], false) => self.delete(channel, None),
            (["DEL", "CALL"], false) => self.delete(channel, None),
            (["SEL"], false) => self.select(channel, |measure| measure.name == header.argument(0)),
            (["SEL"], true) => self.quoted(self.selected.get(&channel).map_or("", String::as_str)),
            (["MNUM"], false) => {
                let number = header.argument(0).parse().unwrap_or(0);
                self.select(channel, |measure| measure.trace == number)
            }
            (["MNUM"], true) => Reply::Text(self.selected(channel).map_or(0, |measure| measure.trace).to_string()),
            (["CAT", ..], true) => {
                let measures = self.measures.get(&channel).map(Vec::as_slice).unwrap_or_default();
                let pairs: Vec<String> = measures
                    .iter()
                    .map(|known| format!("{},{}", known.name, known.parameter))
                    .collect();
                match (pairs.is_empty(), self.make) {
                    (true, Make::Keysight) => self.quoted("NO CATALOG"),
                    _ => self.quoted(&pairs.join(",")),
                }
            }
            _ => return None,
        })
    }

    /// The commands on windows, behind `DISP:WIND`.
    fn window(&mut self, window: i64, words: &[&str], header: &Header) -> Option<Reply> {
        let trace = header.numbers.get(2).copied().unwrap_or(1);
        Some(match (words, header.asks) {
            ([] | ["STAT"], false) => {
                match header.argument(0).to_ascii_uppercase().as_str() {
                    "OFF" | "0" => drop(self.windows.remove(&window)),
                    _ => drop(self.windows.entry(window).or_default()),
                }
                Reply::Silence
            }
            (["TRAC", "FEED" | "EFE"], false) => {
                let name = header.argument(0);
                let is_known = self.measures.values().flatten().any(|measure| measure.name == name);
                match self.windows.get_mut(&window).filter(|_| is_known) {
                    Some(traces) => {
                        traces.insert(trace, name.to_owned());
                        Reply::Silence
                    }
                    None => Reply::Error(-224, "Illegal parameter value"),
                }
            }
            (["TRAC", "DEL"], false) => {
                if let Some(traces) = self.windows.get_mut(&window) {
                    traces.remove(&trace);
                }
                Reply::Silence
            }
            (["CAT"] | ["TRAC", "CAT"], true) => {
                let traces = self.windows.get(&window);
                let listed = traces.into_iter().flatten().map(|(number, name)| match self.make {
                    Make::Keysight => number.to_string(),
                    Make::RohdeSchwarz => format!("{number},{name}"),
                });
                let listed: Vec<String> = listed.collect();
                match listed.is_empty() {
                    true if self.make == Make::Keysight => self.quoted("EMPTY"),
                    _ => self.quoted(&listed.join(",")),
                }
            }
            _ => return None,
        })
    }

    /// Numbers with a name behind each, where the make names them.
    fn catalogue(&self, numbers: impl Iterator<Item = i64>, name: &str) -> Reply {
        let listed: Vec<String> = numbers
            .map(|number| match self.make {
                Make::Keysight => number.to_string(),
                Make::RohdeSchwarz => format!("{number},{name}{number}"),
            })
            .collect();
        self.quoted(&listed.join(","))
    }

    fn quoted(&self, text: &str) -> Reply {
        Reply::Text(match self.make {
            Make::Keysight => format!("\"{text}\""),
            Make::RohdeSchwarz => format!("'{text}'"),
        })
    }

    fn data(&mut self, channel: i64, what: &str, state: &mut State) -> Reply {
        let Some(measure) = self.selected(channel) else {
            return Reply::Error(-221, "Settings conflict");
        };
        let (parameter, format) = (measure.parameter.clone(), measure.format.clone());
        let points = sweep(channel, &parameter, state);
        let numbers: Vec<f64> = if what.eq_ignore_ascii_case("SDATA") {
            points.iter().flat_map(|(re, im)| [*re, *im]).collect()
        } else {
            points.iter().flat_map(|point| formatted(*point, &format)).collect()
        };
        let names = defaults(state);
        let format = state.text("data_format", &names).to_ascii_uppercase();
        let order = match state
            .text("byte_order", &names)
            .to_ascii_uppercase()
            .starts_with("SWAP")
        {
            true => ByteOrder::Little,
            false => ByteOrder::Big,
        };
        let number = match (format.contains("32"), format.contains("64")) {
            (true, _) => Number::F32,
            (false, true) => Number::F64,
            (false, false) => return Reply::Text(block::write_numbers(&numbers, ',')),
        };
        match block::encode_numbers(&numbers, number, order) {
            Ok(content) => Reply::Bytes(block::encode(b"", &content)),
            Err(_) => Reply::Error(-230, "Data corrupt or stale"),
        }
    }
}

impl Quirk for Vna {
    fn more(&self) -> &'static str {
        match self.make {
            Make::Keysight => "",
            Make::RohdeSchwarz => MORE,
        }
    }

    fn hear(&mut self, command: &str, state: &mut State, _: Duration) -> Option<Reply> {
        let header = Header::parse(command);
        let first = header.numbers.first().copied().unwrap_or(1);
        let words = header.words();
        Some(match (words.as_slice(), header.asks) {
            (["CALC", "PAR", rest @ ..], _) => return self.parameter(first, rest, &header),
            (["DISP", "WIND", rest @ ..], _) => {
                let window = header.numbers.get(1).copied().unwrap_or(1);
                return self.window(window, rest, &header);
            }
            (["CALC", "FORM"], false) => match self.selected(first) {
                Some(measure) => {
                    measure.format = header.argument(0).to_ascii_uppercase();
                    Reply::Silence
                }
                None => Reply::Error(-221, "Settings conflict"),
            },
            (["CALC", "FORM"], true) => Reply::Text(self.selected(first)?.format.clone()),
            (["CALC", "DATA"], true) => self.data(first, header.argument(0), state),
            (["SYST", "CHAN", "CAT"] | ["CONF", "CHAN", "CAT"], true) => {
                self.catalogue(self.measures.keys().copied(), "Ch")
            }
            (["SYST", "WIND", "CAT"] | ["DISP", "CAT"], true) => self.catalogue(self.windows.keys().copied(), "Win"),
            (["CONF", "TRAC", "CAT"], true) => {
                let traces = self
                    .measures
                    .values()
                    .flatten()
                    .map(|known| format!("{},{}", known.trace, known.name));
                let traces: Vec<String> = traces.collect();
                self.quoted(&traces.join(","))
            }
            (["FORM", "BORD"], false) => {
                let names = defaults(state);
                state.hold("byte_order", &names, Raw::Text(header.argument(0).to_ascii_uppercase()));
                Reply::Silence
            }
            // Groups of sweeps end at once.
            (["SENS", "SWE", "MODE"], false) if header.argument(0).to_ascii_uppercase().starts_with("GRO") => {
                let names = with(&defaults(state), "channel", first);
                state.hold("sweep_mode", &names, Raw::Text("HOLD".to_owned()));
                Reply::Silence
            }
            (["INIT"] | ["INIT", "IMM" | "CONT"], false) => Reply::Silence,
            _ => return None,
        })
    }
}

/// What each point of a sweep is, as real and imaginary part.
fn sweep(channel: i64, parameter: &str, state: &mut State) -> Vec<(f64, f64)> {
    let names = with(&defaults(state), "channel", channel);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let points = state.number("sweep_points", &names).clamp(1.0, 1e6) as usize;
    let centre = state.number("frequency", &names);
    let is_of_power = state.text("sweep_type", &names).to_ascii_uppercase().starts_with("POW");
    let (start, stop) = match (points, is_of_power) {
        (1, _) | (_, true) => (centre, centre),
        (_, false) => (
            state.number("start_frequency", &names),
            state.number("stop_frequency", &names),
        ),
    };
    let sigma = state.noise_of_readings();
    let frequency = |at: usize| match points {
        1 => start,
        _ => start + (stop - start) * at as f64 / (points - 1) as f64,
    };
    (0..points)
        .map(|at| {
            let (re, im) = response(frequency(at), parameter);
            (
                re + sigma * state.random().normal(),
                im + sigma * state.random().normal(),
            )
        })
        .collect()
}

/// Through a resonator and its cables; what is reflected is what does not go through.
fn response(frequency: f64, parameter: &str) -> (f64, f64) {
    let detuning = 2.0 * QUALITY * (frequency - RESONANCE) / RESONANCE;
    let size = 1.0 / (1.0 + detuning * detuning);
    let (re, im) = (size, -detuning * size);
    let goes_through = !matches!(parameter.as_bytes(), [b'S', to, from] if to == from);
    let (re, im) = if goes_through { (re, im) } else { (1.0 - re, -im) };
    let (sin, cos) = (-TAU * DELAY * frequency).sin_cos();
    (re * cos - im * sin, re * sin + im * cos)
}

fn formatted((re, im): (f64, f64), format: &str) -> Vec<f64> {
    let size = re.hypot(im);
    match format {
        "REAL" => vec![re],
        "IMAG" => vec![im],
        "PHAS" | "PHASE" | "UPH" | "UPHASE" => vec![im.atan2(re).to_degrees()],
        "MLIN" | "MLINEAR" => vec![size],
        "SWR" => vec![(1.0 + size) / (1.0 - size)],
        "POL" | "POLAR" | "SMIT" | "SMITH" => vec![re, im],
        _ => vec![20.0 * size.max(1e-10).log10()],
    }
}

const MORE: &str = r#"
id = "more.vna"
title = "What network analysers of Rohde & Schwarz have more"

[link]

[argument.channel]
default = 1

[signal.trigger_scope]
type = "text"
get = "INITiate{channel}:SCOPe?"
set = "INITiate{channel}:SCOPe {}"
example = { value = "ALL", write = "INITiate1:SCOPe ALL", read = "ALL", with = { channel = 1 } }

[signal.byte_order]
type = "text"
get = "FORMat:BORDer?"
example = { value = "SWAP", read = "SWAP" }
"#;
