//! Every message in and out of every simulated instrument, in the order in which they happened.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// What was said; copies share it.
#[derive(Clone)]
pub struct Transcript {
    began: Instant,
    kept: Option<Arc<Mutex<Vec<Entry>>>>,
    told: Option<Teller>,
}

type Teller = Arc<dyn Fn(&Entry) + Send + Sync>;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Since the beginning.
    pub time: Duration,
    pub instrument: String,
    pub direction: Direction,
    /// Without its end.
    pub message: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the instrument.
    In,
    /// From it.
    Out,
}

impl Transcript {
    /// Nothing is kept.
    pub fn none() -> Self {
        Self {
            began: Instant::now(),
            kept: None,
            told: None,
        }
    }

    /// Everything is kept, for tests: it grows.
    pub fn kept() -> Self {
        Self {
            kept: Some(Arc::default()),
            ..Self::none()
        }
    }

    /// Somebody is told of each message.
    pub fn told(to: impl Fn(&Entry) + Send + Sync + 'static) -> Self {
        Self {
            told: Some(Arc::new(to)),
            ..Self::none()
        }
    }

    /// What was said so far.
    pub fn entries(&self) -> Vec<Entry> {
        match &self.kept {
            Some(kept) => kept.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            None => Vec::new(),
        }
    }

    /// What an instrument was told so far, as text.
    pub fn heard_by(&self, instrument: &str) -> Vec<String> {
        let entries = self.entries().into_iter();
        let of_it = entries.filter(|entry| entry.direction == Direction::In && entry.instrument == instrument);
        of_it
            .map(|entry| String::from_utf8_lossy(&entry.message).into_owned())
            .collect()
    }

    pub(super) fn note(&self, instrument: &str, direction: Direction, message: &[u8]) {
        if self.kept.is_none() && self.told.is_none() {
            return;
        }
        let entry = Entry {
            time: self.began.elapsed(),
            instrument: instrument.to_owned(),
            direction,
            message: message.to_vec(),
        };
        if let Some(told) = &self.told {
            told(&entry);
        }
        if let Some(kept) = &self.kept {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
        }
    }
}

/// A line: seconds, instrument, `<` what it is told or `>` what it answers, and what of the message can be read.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Blocks go on for megabytes.
        const SHOWN: usize = 200;
        let arrow = match self.direction {
            Direction::In => '<',
            Direction::Out => '>',
        };
        let message = &self.message;
        let shown = message[..message.len().min(SHOWN)].escape_ascii().to_string();
        let shown = shown.replace("\\\"", "\"").replace("\\'", "'");
        write!(
            f,
            "{:10.4} {} {arrow} {shown}",
            self.time.as_secs_f64(),
            self.instrument
        )?;
        match message.len() {
            length if length > SHOWN => write!(f, "… ({length} bytes)"),
            _ => Ok(()),
        }
    }
}
