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
    /// What is set of elements and of the trigger, by the command that sets it.
    settings: BTreeMap<String, String>,
}

impl Quirk for Awg {
    fn hear(&mut self, command: &str, state: &mut State, _: Duration) -> Option<Reply> {
        let header = Header::parse(command);
        let words = header.words();
        Some(match (words.as_slice(), header.asks) {
            (["WLIS", rest @ ..], _) => return self.waveform(rest, &header),
            (["SEQ", rest @ ..], _) => return self.sequence(rest, &header, command, state),
            (["AWGC", "RUN"] | ["AWGC", "RUN", "IMM"], false) => {
                (self.is_running, self.position) = (true, 1);
                Reply::Silence
            }
            (["AWGC", "STOP"] | ["AWGC", "STOP", "IMM"], false) => {
                self.is_running = false;
                Reply::Silence
            }
            // Without a sequence a trigger has nothing to wait for.
            (["AWGC", "RST" | "RSTA"], true) => Reply::text(if self.is_running { "2" } else { "0" }),
            (["AWGC", "SEQ", "POS"], true) => Reply::Text(self.position.max(1).to_string()),
            (["EVEN"] | ["EVEN", "IMM"], false) => {
                #[expect(clippy::cast_possible_truncation, reason = "sequences are short")]
                let length = (state.number("sequence_length", &defaults(state)) as i64).max(1);
                self.position = self.position.max(1) % length + 1;
                Reply::Silence
            }
            (["TRIG", "SEQ", "TIM"] | ["TRIG", "TIM"], _) => self.remembered("TIMER", "0.1", &header),
            (["TRIG", "SEQ", "SOUR"] | ["TRIG", "SOUR"], _) => self.remembered("SOURCE", "EXT", &header),
            (["MMEM", ..] | ["AWGC", "SRES"], false) => Reply::Silence,
            _ => return None,
        })
    }
}

impl Awg {
    /// The commands on the list, behind `WLIS`.
    fn waveform(&mut self, words: &[&str], header: &Header) -> Option<Reply> {
        let name = header.argument(0);
        Some(match (words, header.asks) {
            (["WAV", "NEW"], false) => {
                let length = header.argument(1).parse().unwrap_or(0);
                self.waveforms.insert(name.to_owned(), length);
                Reply::Silence
            }
            // A driver deletes before it makes, whether there is one or not.
            (["WAV", "DEL"], false) => {
                let is_meant = |known: &str| name.eq_ignore_ascii_case("ALL") || known == name;
                self.waveforms.retain(|known, _| !is_meant(known));
                Reply::Silence
            }
            (["WAV", "DATA"], false) if self.waveforms.contains_key(name) => Reply::Silence,
            (["WAV", "DATA"], false) => Reply::Error(-224, "Illegal parameter value"),
            (["WAV", "LENG"], true) => Reply::Text(self.waveforms.get(name).unwrap_or(&0).to_string()),
            (["SIZE"], true) => Reply::Text(self.waveforms.len().to_string()),
            (["NAME"], true) => {
                let at = name.parse().unwrap_or(0);
                let name = self.waveforms.keys().nth(at).map_or("", String::as_str);
                Reply::Text(format!("\"{name}\""))
            }
            _ => return None,
        })
    }

    /// The commands on the sequence, behind `SEQ`.
    fn sequence(&mut self, words: &[&str], header: &Header, command: &str, state: &mut State) -> Option<Reply> {
        Some(match (words, header.asks) {
            (["LENG"], false) => {
                self.position = 1;
                let length = header.argument(0).parse().unwrap_or(0.0);
                state.hold("sequence_length", &defaults(state), Raw::Number(length));
                Reply::Silence
            }
            (["JUMP", "IMM"], asks) => {
                self.position = header.argument(0).parse().unwrap_or(1);
                if asks {
                    Reply::Text(self.position.to_string())
                } else {
                    Reply::Silence
                }
            }
            (["ELEM", ..], _) => {
                let key = command
                    .split([' ', '?'])
                    .next()
                    .unwrap_or_default()
                    .to_ascii_uppercase();
                self.remembered(&key, "0", header)
            }
            _ => return None,
        })
    }

    /// What was set by a command, and before that something.
    fn remembered(&mut self, key: &str, before: &str, header: &Header) -> Reply {
        if header.asks {
            return Reply::text(self.settings.get(key).map_or(before, String::as_str));
        }
        self.settings.insert(key.to_owned(), header.arguments.join(","));
        Reply::Silence
    }
}
