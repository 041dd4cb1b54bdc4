//! A session as the wire of a driver: its answers and pauses end when the operator interrupts.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::instrument::Wire;
use crate::{Extent, Interrupter, Session, SessionError};

/// An open instrument and what interrupts it.
pub struct Line {
    session: Session,
    interrupter: Interrupter,
}

/// Why nothing more goes over the line.
#[derive(Debug)]
pub enum LineError {
    Session(SessionError),
    /// A pause was ended by the operator.
    Interrupted,
}

impl Line {
    /// The interrupter is the one that the session was opened with.
    pub fn new(session: Session, interrupter: Interrupter) -> Self {
        Self { session, interrupter }
    }

    pub fn session(&mut self) -> &mut Session {
        &mut self.session
    }
}

impl Wire for Line {
    type Error = LineError;

    fn write(&mut self, message: &str) -> Result<(), LineError> {
        self.session.write(message).map_err(LineError::Session)
    }

    fn read(&mut self) -> Result<Vec<u8>, LineError> {
        self.session.read().map(String::into_bytes).map_err(LineError::Session)
    }

    fn query(&mut self, commands: &[String], question: &str, extent: Extent) -> Result<Vec<u8>, LineError> {
        if let Extent::Message = extent {
            let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
            let answer = self.session.set_and_query(&commands, question);
            return answer.map(String::into_bytes).map_err(LineError::Session);
        }
        commands.iter().try_for_each(|command| self.write(command))?;
        let answer = self.session.query_bytes(question, extent);
        answer.map(<[u8]>::to_vec).map_err(LineError::Session)
    }

    fn pause(&mut self, time: Duration) -> Result<(), LineError> {
        if self.interrupter.wait(time) {
            Ok(())
        } else {
            Err(LineError::Interrupted)
        }
    }
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(error) => write!(f, "{error}"),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl Error for LineError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Session(error) => error.source(),
            Self::Interrupted => None,
        }
    }
}
