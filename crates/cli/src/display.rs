//! How a run is shown: live at the bottom of a terminal, or as plain lines anywhere else.

use measurement::Measurement;
use supervisor::{Update, View};

use crate::{interruption::Interruption, live::Live, plain::Plain, terminal::Stream};

/// What shows a run.
pub(crate) enum Display {
    Plain(Box<Plain>),
    Live(Live),
}

impl Display {
    pub(crate) fn plain(stream: Stream) -> Display {
        Display::Plain(Box::new(Plain::open(stream)))
    }

    /// Live where the stream is a terminal that can do it, else plain.
    pub(crate) fn best(stream: Stream, measurement: &Measurement, interruption: Interruption) -> Display {
        if !stream.can_be_drawn_on() {
            return Display::plain(stream);
        }
        match Live::open(stream, measurement, interruption) {
            Ok(live) => Display::Live(live),
            Err(_) => Display::plain(stream), // A terminal without raw mode still takes lines.
        }
    }

    pub(crate) fn fold(&mut self, update: &Update) {
        match self {
            Display::Plain(plain) => plain.fold(update),
            Display::Live(live) => live.fold(update),
        }
    }

    /// Gives the terminal back and returns what the run looked like at its end.
    pub(crate) fn close(self) -> View {
        match self {
            Display::Plain(plain) => plain.close(),
            Display::Live(live) => live.close(),
        }
    }
}
