//! Spectrum analysers: a trace with a line in the middle of the span, over a floor of noise; and the set-up of modes that
//! drivers switch through.
//!
//! The floor is there with and without `--noise`: no analyser has none. Deliberately absent: bandwidths that matter.

use std::time::Duration;

use super::{
    super::{
        behaviour::Reply,
        mirror::{Quirk, defaults},
        state::{Raw, State},
    },
    header::Header,
};
use crate::block;

#[derive(Default)]
pub(super) struct Spectrum {
    /// What `CONF:…` chose.
    configured: Option<String>,
}

/// dBm
const FLOOR: f64 = -80.0;
const LINE: f64 = -20.0;

impl Spectrum {
    /// Power by point.
    fn trace(state: &mut State) -> Vec<f64> {
        let names = defaults(state);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let points = state.number("sweep_points", &names).clamp(1.0, 1e6) as usize;
        let middle = (points / 2) as f64;
        // A fiftieth of the span wide.
        let width = points as f64 / 50.0 + 1.0;
        let power = |at: usize, noise: f64| {
            let line = LINE - 3.0 * ((at as f64 - middle) / width).powi(2);
            line.max(FLOOR) + noise
        };
        (0..points).map(|at| power(at, state.random().normal())).collect()
    }
}

impl Quirk for Spectrum {
    fn more(&self) -> &'static str {
        MORE
    }

    fn hear(&mut self, command: &str, state: &mut State, _: Duration) -> Option<Reply> {
        let header = Header::parse(command);
        let written = |numbers: &[f64]| Reply::Text(block::write_numbers(numbers, ','));
        Some(match (header.words().as_slice(), header.asks) {
            // The power in the middle, and what else a spectrum says of itself.
            (["FETC", "SPEC"], true) if header.numbers[1] == 1 => written(&[LINE, 0.0, 601.0, 1e6, 1e3]),
            (["FETC", "SPEC" | "WAV"], true) | (["TRAC"] | ["TRAC", "DATA"], true) => written(&Self::trace(state)),
            (["CONF"], true) => Reply::Text(self.configured.clone().unwrap_or_else(|| "SAN".to_owned())),
            (["CONF", what], false) => {
                self.configured = Some((*what).to_owned());
                Reply::Silence
            }
            (["INST"] | ["INST", "SEL"], false) => {
                let names = defaults(state);
                state.hold("mode", &names, Raw::Text(header.argument(0).to_owned()));
                self.configured = None;
                Reply::Silence
            }
            (["ABOR"] | ["INIT"] | ["INIT", _] | ["FORM", ..] | ["ROSC", ..], false)
            | (["SENS", "SPEC" | "WAV", "AVER" | "IFP" | "ADC", ..], false) => Reply::Silence,
            _ => return None,
        })
    }
}

const MORE: &str = r#"
id = "more.spectrum"
title = "What spectrum analysers have beside the mode SA"

[link]

[signal.spectrum_span]
get = "SENS:SPEC:FREQ:SPAN?"
set = "SENS:SPEC:FREQ:SPAN {} GHz"
read_scale = 1e-9
example = { value = 0.5, write = "SENS:SPEC:FREQ:SPAN 0.5 GHz", read = "5E8" }

[signal.spectrum_bandwidth]
get = "SENS:SPEC:BWIDTH?"
set = "SENS:SPEC:BWIDTH {}"
example = { value = 1000, write = "SENS:SPEC:BWIDTH 1000", read = "1000" }

[signal.waveform_bandwidth]
get = "SENS:WAV:BWIDTH?"
set = "SENS:WAV:BWIDTH {}"
example = { value = 1000, write = "SENS:WAV:BWIDTH 1000", read = "1000" }

[signal.waveform_time]
get = "SENS:WAV:SWEEP:TIME?"
set = "SENS:WAV:SWEEP:TIME {}"
example = { value = 0.01, write = "SENS:WAV:SWEEP:TIME 0.01", read = "0.01" }
"#;
