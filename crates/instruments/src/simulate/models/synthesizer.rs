//! A SynthHD, whose output has two halves: generator (`E`) and amplifier (`r`), set at once and asked one by one.

use std::time::Duration;

use super::super::{
    behaviour::Reply,
    mirror::{Quirk, defaults},
    state::{Raw, State},
};

pub(super) struct TwoHalves;

impl Quirk for TwoHalves {
    fn hear(&mut self, command: &str, state: &mut State, _: Duration) -> Option<Reply> {
        let half = match command {
            "E1r1" => "1",
            "E0r0" => "0",
            // As long as nobody said anything, both are what the first is.
            "r?" => {
                let names = defaults(state);
                let output = state.text("output", &names);
                state.hold("amplifier", &names, Raw::Text(output));
                return None;
            }
            _ => return None,
        };
        let names = defaults(state);
        state.hold("amplifier", &names, Raw::Text(half.to_owned()));
        None
    }
}
