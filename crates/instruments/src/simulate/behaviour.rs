//! What a simulated instrument is to those who talk to it: messages in, answers out, whatever it is made from.

use std::time::Duration;

/// A simulated instrument without its connections.
pub(super) trait Behaviour: Send {
    /// What ends a message to it and an answer of its; either may be empty.
    fn ends(&self) -> Ends;

    /// Takes a message without its end, so long after the beginning; what it answers, without ends.
    fn hear(&mut self, message: &[u8], now: Duration) -> Vec<Vec<u8>>;

    /// The status byte; `has_answer` says whether an answer waits to be read.
    fn status_byte(&self, has_answer: bool) -> u8;

    /// An error for its queue.
    fn complain(&mut self, code: i32, message: &str);

    /// From now on, numbers that are set come back wrong by this; 0 ends it.
    fn mislead(&mut self, by: f64);
}

/// What ends messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) of_messages: Vec<u8>,
    pub(super) of_answers: Vec<u8>,
}

/// What comes of one command.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reply {
    /// It is taken.
    Silence,
    Text(String),
    Bytes(Vec<u8>),
    /// Several answers.
    Lines(Vec<Vec<u8>>),
    /// It is known, but not taken: an error for the queue.
    Error(i32, &'static str),
}

impl Reply {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}
