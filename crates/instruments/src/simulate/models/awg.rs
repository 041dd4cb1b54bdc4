//! Waveform generators: the list of waveforms, whether it runs, and where in its sequence it is.
//!
//! An event goes to the next element. Deliberately absent: what the waveforms contain; they are taken by their length.

use std::{collections::BTreeMap, time::Duration};

use super::{
    super::{
        behaviour::Reply,
        mirror::{Quirk, defaults},
        state::{Raw, State},
    },
    header::Header,
};

#[derive(Default)]
pub(super) struct Awg {
    /// Length by name.
    waveforms: BTreeMap<String, usize>,
    is_running: bool,
    /// From 1 on.
    position: i64,
    /// What is set of elements, by the command that sets it.
    elements: BTreeMap<String, String>,
}

impl Quirk for Awg {
    fn hear(&mut self, command: &str, state: &mut State, _: Duration) -> Option<Reply> {
        let header = Header::parse(command);
        let names = defaults(state);
        Some(match (header.words().as_slice(), header.asks) {
            (["WLIS", "WAV", "NEW"], false) => {
                let length = header.argument(1).parse().unwrap_or(0);
                self.waveforms.insert(header.argument(0).to_owned(), length);
                Reply::Silence
            }
            (["WLIS", "WAV", "DEL"], false) => match header.argument(0) {
                all if all.eq_ignore_ascii_case("ALL") => {
                    self.waveforms.clear();
                    Reply::Silence
                }
                // A driver deletes before it makes, whether there is one or not.
                name => {
                    self.waveforms.remove(name);
                    Reply::Silence
                }
            },
            (["WLIS", "WAV", "DATA"], false) => match self.waveforms.contains_key(header.argument(0)) {
                true => Reply::Silence,
                false => Reply::Error(-224, "Illegal parameter value"),
            },
            (["WLIS", "WAV", "LENG"], true) => {
                Reply::Text(self.waveforms.get(header.argument(0)).unwrap_or(&0).to_string())
            }
            (["WLIS", "SIZE"], true) => Reply::Text(self.waveforms.len().to_string()),
            (["WLIS", "NAME"], true) => {
                let at = header.argument(0).parse().unwrap_or(0);
                Reply::Text(format!(
                    "\"{}\"",
                    self.waveforms.keys().nth(at).map_or("", String::as_str)
                ))
            }
            (["AWGC", "RUN"] | ["AWGC", "RUN", "IMM"], false) => {
                (self.is_running, self.position) = (true, 1);
                Reply::Silence
            }
            (["AWGC", "STOP"] | ["AWGC", "STOP", "IMM"], false) => {
                self.is_running = false;
                Reply::Silence
            }
            (["AWGC", "RST"] | ["AWGC", "RSTA"], true) => {
                // Without a sequence a trigger has nothing to wait for.
                Reply::text(if self.is_running { "2" } else { "0" })
            }
            (["AWGC", "SEQ", "POS"], true) => Reply::Text(self.position.max(1).to_string()),
            (["EVEN"] | ["EVEN", "IMM"], false) => {
                #[expect(clippy::cast_possible_truncation, reason = "sequences are short")]
                let length = (state.number("sequence_length", &names) as i64).max(1);
                self.position = self.position.max(1) % length + 1;
                Reply::Silence
            }
            (["SEQ", "JUMP", "IMM"], _) => {
                self.position = header.argument(0).parse().unwrap_or(1);
                match header.asks {
                    true => Reply::Text(self.position.to_string()),
                    false => Reply::Silence,
                }
            }
            (["SEQ", "ELEM", ..], asks) => {
                let key = command
                    .split([' ', '?'])
                    .next()
                    .unwrap_or_default()
                    .to_ascii_uppercase();
                if asks {
                    return Some(Reply::Text(
                        self.elements.get(&key).cloned().unwrap_or_else(|| "0".to_owned()),
                    ));
                }
                self.elements.insert(key, header.arguments.join(","));
                Reply::Silence
            }
            (["MMEM", ..], false) => Reply::Silence,
            (["AWGC" | "AWGCONTROL", "SRES" | "SREST"], false) => Reply::Silence,
            (["TRIG", "SEQ", "TIM"] | ["TRIG", "TIM"], true) => {
                Reply::Text(self.elements.get("TIMER").cloned().unwrap_or_else(|| "0.1".to_owned()))
            }
            (["TRIG", "SEQ", "TIM"] | ["TRIG", "TIM"], false) => {
                self.elements.insert("TIMER".to_owned(), header.argument(0).to_owned());
                Reply::Silence
            }
            (["TRIG", "SEQ", "SOUR"] | ["TRIG", "SOUR"], true) => {
                Reply::Text(self.elements.get("SOURCE").cloned().unwrap_or_else(|| "EXT".to_owned()))
            }
            (["TRIG", "SEQ", "SOUR"] | ["TRIG", "SOUR"], false) => {
                self.elements.insert("SOURCE".to_owned(), header.argument(0).to_owned());
                Reply::Silence
            }
            (["SEQ", "LENG"], false) => {
                self.position = 1;
                let length = header.argument(0).parse().unwrap_or(0.0);
                state.hold("sequence_length", &names, Raw::Number(length));
                Reply::Silence
            }
            _ => return None,
        })
    }
}
