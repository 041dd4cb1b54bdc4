//! A lock-in that sends its status after each answer, asked or not: all is well.

use std::time::Duration;

use super::super::{behaviour::Reply, mirror::Quirk, state::State};

pub(super) struct StatusUnasked;

impl Quirk for StatusUnasked {
    fn hear(&mut self, _: &str, _: &mut State, _: Duration) -> Option<Reply> {
        None
    }

    fn follows(&self) -> Option<Vec<u8>> {
        const COMMAND_COMPLETE: u8 = 1;
        Some(vec![COMMAND_COMPLETE])
    }
}
