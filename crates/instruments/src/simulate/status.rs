//! What all instruments of IEEE 488.2 and SCPI answer: who they are, their registers, their queue of errors.
//!
//! Everything here is complete as soon as it is told: `*OPC?` is 1. Deliberately absent: enabling of single events beyond
//! what makes the status byte.

use std::collections::VecDeque;

use super::{behaviour::Reply, pattern::canonical};
use crate::driver::ErrorQuery;

/// The registers and the queue of one instrument.
pub(super) struct Status {
    identity: String,
    events: u8,
    events_enabled: u8,
    requests_enabled: u8,
    errors: VecDeque<(i32, String)>,
    /// How the driver asks for errors, and what says that there are none.
    asked: Option<(String, String)>,
}

/// SCPI's queues are about as long; the last entry says that there were more.
const LONGEST_QUEUE: usize = 32;

const OPERATION_COMPLETE: u8 = 1;

impl Status {
    pub(super) fn new(identity: String, error: Option<&ErrorQuery>) -> Self {
        let asked = error.map(|error| (canonical(&error.query), error.ok.to_string()));
        Self {
            identity,
            events: 0,
            events_enabled: 0,
            requests_enabled: 0,
            errors: VecDeque::new(),
            asked,
        }
    }

    /// The answer, if this is a command of everybody's.
    pub(super) fn hear(&mut self, command: &str) -> Option<Reply> {
        let command = canonical(command);
        if let Some((query, none)) = &self.asked
            && *query == command
        {
            let none = if none.parse::<f64>().is_ok() {
                format!("{none},\"No error\"")
            } else {
                none.clone()
            };
            return Some(Reply::Text(self.next_error().unwrap_or(none)));
        }
        let (word, argument) = command.split_once(' ').unwrap_or((&command, ""));
        let mut register = |register: fn(&mut Self) -> &mut u8| match argument.parse() {
            Ok(value) => {
                *register(self) = value;
                Reply::Silence
            }
            Err(_) => Reply::Error(-104, "Data type error"),
        };
        Some(match word {
            "*IDN?" => Reply::text(&self.identity),
            "*OPC?" | "*WAI?" => Reply::text("1"),
            "*OPC" => {
                self.events |= OPERATION_COMPLETE;
                Reply::Silence
            }
            "*WAI" | "*TRG" => Reply::Silence,
            "*TST?" => Reply::text("0"),
            "*ESR?" => Reply::Text(std::mem::take(&mut self.events).to_string()),
            "*ESE?" => Reply::Text(self.events_enabled.to_string()),
            "*SRE?" => Reply::Text(self.requests_enabled.to_string()),
            "*ESE" => register(|status| &mut status.events_enabled),
            "*SRE" => register(|status| &mut status.requests_enabled),
            "*STB?" => Reply::Text(self.byte(false).to_string()),
            "*CLS" => {
                self.events = 0;
                self.errors.clear();
                Reply::Silence
            }
            "SYST:ERR?" | "SYST:ERR:NEXT?" => {
                Reply::Text(self.next_error().unwrap_or_else(|| "+0,\"No error\"".to_owned()))
            }
            "SYST:ERR:COUN?" => Reply::Text(self.errors.len().to_string()),
            "SYST:VERS?" => Reply::text("1999.0"),
            _ => return None,
        })
    }

    pub(super) fn complain(&mut self, code: i32, message: &str) {
        self.events |= match code {
            -199..=-100 => 0x20,
            -299..=-200 => 0x10,
            -499..=-400 => 0x04,
            _ => 0x08,
        };
        match self.errors.len() {
            LONGEST_QUEUE.. => {}
            length if length + 1 == LONGEST_QUEUE => self.errors.push_back((-350, "Queue overflow".to_owned())),
            _ => self.errors.push_back((code, message.to_owned())),
        }
    }

    pub(super) fn byte(&self, has_answer: bool) -> u8 {
        let mut byte = 0;
        if !self.errors.is_empty() {
            byte |= 0x04;
        }
        if has_answer {
            byte |= 0x10;
        }
        if self.events & self.events_enabled != 0 {
            byte |= 0x20;
        }
        if byte & self.requests_enabled != 0 {
            byte |= 0x40;
        }
        byte
    }

    fn next_error(&mut self) -> Option<String> {
        let (code, message) = self.errors.pop_front()?;
        Some(format!("{code},\"{message}\""))
    }
}

#[cfg(test)]
mod tests {
    use super::Status;
    use crate::simulate::behaviour::Reply;

    #[test]
    fn errors_are_queued_and_show_in_the_registers() {
        let mut status = Status::new("MAKER,MODEL,1,2".to_owned(), None);
        let mut check = |command: &str, expected: &str| {
            let reply = match status.hear(command) {
                Some(Reply::Text(text)) => text,
                Some(Reply::Silence) => String::new(),
                Some(other) => format!("{other:?}"),
                None => "unknown".to_owned(),
            };
            assert_eq!(reply, expected, "{command}");
            if command == "*ESE 32" {
                status.complain(-113, "Undefined header");
            }
        };
        check("*IDN?", "MAKER,MODEL,1,2");
        check(":SYSTem:ERRor?", "+0,\"No error\"");
        check("*ESE 32", "");
        check("*STB?", "36");
        check("*SRE x", "Error(-104, \"Data type error\")");
        check("syst:err?", "-113,\"Undefined header\"");
        check("*ESR?", "32");
        check("*OPC", "");
        check("*ESR?", "1");
        check("VOLT?", "unknown");
    }
}
