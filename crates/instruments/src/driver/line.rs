//! A session as the wire of a driver: its answers and pauses end when the operator interrupts.

use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

use super::instrument::Wire;
use crate::{Extent, Interrupter, Session, SessionError};

/// How pauses are made: true when the whole time passed, false when the operator ended it.
pub type Pause = std::sync::Arc<dyn Fn(Duration) -> bool + Send + Sync>;

/// An open instrument and what interrupts it.
pub struct Line {
    session: Session,
    pause: Pause,
    /// The shortest time between two messages.
    gap: Duration,
    last: Option<Instant>,
}

/// Why nothing more goes over the line.
#[derive(Debug)]
pub enum LineError {
    Session(SessionError),
    /// A pause was ended by the operator.
    Interrupted,
    /// What another wire than a session has to say.
    Other(String),
}

impl Line {
    /// The interrupter is the one that the session was opened with.
    pub fn new(session: Session, interrupter: Interrupter) -> Self {
        let pause = move |time| interrupter.wait(time);
        Self::with_pause(session, std::sync::Arc::new(pause))
    }

    /// With pauses of another making: those of a run can be held as well as ended.
    pub fn with_pause(session: Session, pause: Pause) -> Self {
        Self {
            session,
            pause,
            gap: Duration::ZERO,
            last: None,
        }
    }

    /// With so much time between two messages at least, for instruments that lose what comes too fast.
    #[must_use]
    pub fn with_gap(self, gap: Duration) -> Self {
        Self { gap, ..self }
    }

    fn keep_gap(&mut self) {
        if self.gap.is_zero() {
            return;
        }
        if let Some(rest) = self.last.and_then(|last| self.gap.checked_sub(last.elapsed())) {
            std::thread::sleep(rest);
        }
        self.last = Some(Instant::now());
    }

    pub fn session(&mut self) -> &mut Session {
        &mut self.session
    }
}

impl Wire for Line {
    type Error = LineError;

    fn write(&mut self, message: &str) -> Result<(), LineError> {
        self.keep_gap();
        self.session.write(message).map_err(LineError::Session)
    }

    fn read(&mut self) -> Result<Vec<u8>, LineError> {
        self.session.read().map(String::into_bytes).map_err(LineError::Session)
    }

    fn query(&mut self, commands: &[String], question: &str, extent: Extent) -> Result<Vec<u8>, LineError> {
        if let Extent::Message = extent
            && (self.gap.is_zero() || commands.is_empty())
        {
            self.keep_gap();
            let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
            let answer = self.session.set_and_query(&commands, question);
            return answer.map(String::into_bytes).map_err(LineError::Session);
        }
        commands.iter().try_for_each(|command| self.write(command))?;
        self.keep_gap();
        let answer = self.session.query_bytes(question, extent);
        answer.map(<[u8]>::to_vec).map_err(LineError::Session)
    }

    fn pause(&mut self, time: Duration) -> Result<(), LineError> {
        if (self.pause)(time) {
            Ok(())
        } else {
            Err(LineError::Interrupted)
        }
    }
}

impl LineError {
    /// Whether the operator ended it.
    pub fn is_interrupted(&self) -> bool {
        match self {
            Self::Session(error) => error.is_interrupted(),
            Self::Interrupted => true,
            Self::Other(_) => false,
        }
    }
}

impl<E> Wire for Box<dyn Wire<Error = E> + Send> {
    type Error = E;

    fn write(&mut self, message: &str) -> Result<(), E> {
        (**self).write(message)
    }

    fn read(&mut self) -> Result<Vec<u8>, E> {
        (**self).read()
    }

    fn query(&mut self, commands: &[String], question: &str, extent: Extent) -> Result<Vec<u8>, E> {
        (**self).query(commands, question, extent)
    }

    fn pause(&mut self, time: Duration) -> Result<(), E> {
        (**self).pause(time)
    }
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(error) => write!(f, "{error}"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::Other(words) => f.write_str(words),
        }
    }
}

impl Error for LineError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Session(error) => error.source(),
            Self::Interrupted | Self::Other(_) => None,
        }
    }
}
