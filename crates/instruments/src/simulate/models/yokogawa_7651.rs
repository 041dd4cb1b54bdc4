//! A Yokogawa 7651: its level, function and range in the lines that it answers all at once.

use std::time::Duration;

use super::super::{behaviour::Reply, figure::Figure, mirror::Quirk, state::State};
use crate::driver::number;

pub(super) struct Yokogawa7651 {
    level: f64,
    /// `1` for volts, `5` for amperes.
    function: char,
    range: char,
}

impl Default for Yokogawa7651 {
    fn default() -> Self {
        Self {
            level: 0.0,
            function: '1',
            range: '4',
        }
    }
}

impl Yokogawa7651 {
    fn level(&self) -> String {
        let figure = Figure::Exponent {
            plus: true,
            decimals: 5,
            letter: 'E',
            digits: 1,
            plus_in_exponent: true,
        };
        figure.write(self.level)
    }
}

impl Quirk for Yokogawa7651 {
    fn hear(&mut self, command: &str, _: &mut State, _: Duration) -> Option<Reply> {
        match command {
            "OD" => {
                let unit = if self.function == '1' { 'V' } else { 'A' };
                return Some(Reply::Text(format!("NDC{unit}{}", self.level())));
            }
            "OS" => {
                let set = format!("F{}R{}S{}E", self.function, self.range, self.level());
                let lines = ["MDL7651REV1.05", set.as_str(), "PI1.0SW1.0M0", "LV12LA120", "END"];
                return Some(Reply::Lines(lines.map(|line| line.as_bytes().to_vec()).to_vec()));
            }
            _ => {}
        }
        let body = command.strip_suffix('E')?;
        if let Some(level) = body.strip_prefix('S').and_then(number::parse) {
            self.level = level;
            return Some(Reply::Silence);
        }
        let mut letters = body.strip_prefix('F')?.chars();
        self.function = letters.next().filter(|function| matches!(function, '1' | '5'))?;
        if letters.next() == Some('R') {
            self.range = letters.next()?;
        }
        // It begins at zero in its new function.
        self.level = 0.0;
        Some(Reply::Silence)
    }
}
