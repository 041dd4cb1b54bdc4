//! Magnet supplies: a current in the leads that moves with its rate to its target, and a field that stays when the switch of
//! the magnet is cold.
//!
//! Oxford counts in T and T/min, Cryomagnetics sets its rate in A/s: this magnet makes 0.1 T with an ampere. The driver's
//! own signals are what is set and read; here they move. Deliberately absent: quenches, and the time that a switch takes.

use std::time::Duration;

use super::super::{
    behaviour::Reply,
    mirror::{Quirk, defaults},
    state::{Raw, State},
};

/// A supply with its magnet.
pub(super) struct Magnet {
    maker: Maker,
    /// When it was looked at last; None before the first time.
    last: Option<Duration>,
    /// In the leads, in the instrument's unit.
    output: f64,
    in_magnet: f64,
}

#[derive(Clone, Copy)]
enum Maker {
    Oxford,
    Cryomagnetics,
}

/// Where the leads go, and how fast in the instrument's unit per second.
struct Move {
    target: f64,
    per_second: f64,
}

const TESLA_PER_AMPERE: f64 = 0.1;

impl Magnet {
    pub(super) fn oxford() -> Self {
        Self::new(Maker::Oxford)
    }

    pub(super) fn cryomagnetics() -> Self {
        Self::new(Maker::Cryomagnetics)
    }

    fn new(maker: Maker) -> Self {
        Self {
            maker,
            last: None,
            output: 0.0,
            in_magnet: 0.0,
        }
    }

    /// At zero, at rest, the switch cold.
    fn begin(&self, state: &mut State) {
        let names = defaults(state);
        let (heater, activity) = match self.maker {
            Maker::Oxford => ("OFF", "0"),
            Maker::Cryomagnetics => ("0", "PAUSE"),
        };
        state.hold("target_field", &names, Raw::Number(0.0));
        state.hold("heater", &names, Raw::Text(heater.to_owned()));
        state.hold("activity", &names, Raw::Text(activity.to_owned()));
        // Their first values are those of the driver's examples.
        state.number("field_rate", &names);
        state.number("fast_rate", &names);
    }

    fn movement(&self, state: &mut State) -> Option<Move> {
        let names = defaults(state);
        let activity = state.text("activity", &names).to_ascii_uppercase();
        let target = state.number("target_field", &names);
        match self.maker {
            Maker::Oxford => {
                let per_second = state.number("field_rate", &names) / 60.0;
                let target = match activity.as_str() {
                    "1" => target,
                    "2" => 0.0,
                    _ => return None,
                };
                Some(Move { target, per_second })
            }
            Maker::Cryomagnetics => {
                let rate = if activity.contains("FAST") {
                    "fast_rate"
                } else {
                    "field_rate"
                };
                // The 4G counts in kG.
                let is_in_kilogauss = state.driver().id.ends_with("4g");
                let unit = if is_in_kilogauss { 10.0 } else { 1.0 };
                let per_second = state.number(rate, &names) * TESLA_PER_AMPERE * unit;
                let target = match activity.split_whitespace().next() {
                    Some("UP") => target,
                    Some("ZERO") => 0.0,
                    _ => return None,
                };
                Some(Move { target, per_second })
            }
        }
    }

    fn advance(&mut self, state: &mut State, seconds: f64) -> bool {
        let Some(Move { target, per_second }) = self.movement(state) else {
            return false;
        };
        let step = per_second.abs() * seconds;
        let distance = target - self.output;
        let arrives = distance.abs() <= step;
        self.output = if arrives {
            target
        } else {
            self.output + step.copysign(distance)
        };
        !arrives
    }
}

impl Quirk for Magnet {
    fn hear(&mut self, _: &str, state: &mut State, now: Duration) -> Option<Reply> {
        let last = match self.last.replace(now) {
            Some(last) => last,
            None => {
                self.begin(state);
                now
            }
        };
        let is_moving = self.advance(state, now.saturating_sub(last).as_secs_f64());
        let names = defaults(state);
        let is_warm = matches!(state.text("heater", &names).as_str(), "ON" | "1");
        if is_warm {
            self.in_magnet = self.output;
        }
        // What nobody can measure is not answered: the supplies have about five digits.
        let digits = |field: f64| Raw::Number((field * 1e5).round() / 1e5 + 0.0);
        state.hold("output_field", &names, digits(self.output));
        state.hold("persistent_field", &names, digits(self.in_magnet));
        if let Maker::Oxford = self.maker {
            let activity = state.text("activity", &names);
            let control = state.number("control", &names);
            let mode = state.number("mode", &names);
            let status = format!(
                "X00A{activity}C{control}H{}M{}{}P03",
                u8::from(is_warm),
                if mode >= 8.0 { 1 } else { 0 },
                u8::from(is_moving),
            );
            state.hold("status", &names, Raw::Text(status));
        }
        None
    }
}
