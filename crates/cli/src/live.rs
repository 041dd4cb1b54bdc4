//! The live display: a panel at the bottom of the terminal while the log scrolls away above it.
//!
//! The run's thread only folds updates and leaves lines; a thread of its own draws at most fifteen times a second and
//! listens to the keys, so that a slow terminal slows nothing but itself.
//!
//! ```text
//! keys    what a key means         row     text that fits
//! panel   view → rows              screen  rows → terminal      tty  the keyboard
//! ```

mod keys;
mod panel;
mod row;
mod screen;
mod tty;

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use measurement::Measurement;
use supervisor::{RunState, Update, View, What};

use self::{
    keys::{Act, Keys},
    panel::Panel,
    screen::Screen,
    tty::{Input, Tty},
};
use crate::{
    interruption::Interruption,
    plain::Backlog,
    telling,
    terminal::{Paint, Stream},
};

/// A run on the screen.
pub(crate) struct Live {
    shared: Arc<Shared>,
    painter: Option<JoinHandle<()>>,
    paint: Paint,
}

#[derive(Default)]
struct Shared {
    scene: Mutex<Scene>,
    closing: Condvar,
}

/// What is to be drawn.
#[derive(Default)]
struct Scene {
    view: View,
    backlog: Backlog,
    is_closing: bool,
}

/// Fifteen frames a second: as fast as numbers can be read, and little for a slow line.
const FRAME: Duration = Duration::from_millis(66);

impl Live {
    /// # Errors
    /// There is no keyboard, or no thread to be had.
    pub(crate) fn open(stream: Stream, measurement: &Measurement, interruption: Interruption) -> io::Result<Live> {
        let shared = Arc::new(Shared::default());
        let painter = Painter {
            tty: Tty::open()?,
            screen: Screen::open(stream),
            panel: Panel::new(measurement),
            keys: Keys::default(),
            is_gone: false,
            interruption,
        };
        let own = Arc::clone(&shared);
        let painter = std::thread::Builder::new()
            .name("display".to_owned())
            .spawn(move || painter.paint(&own))?;
        Ok(Live {
            shared,
            painter: Some(painter),
            paint: stream.paint(),
        })
    }

    pub(crate) fn fold(&mut self, update: &Update) {
        let mut scene = self.shared.lock();
        scene.view.fold(update);
        let Update::Event(event) = update else { return };
        // The state stands in the panel.
        if !matches!(event.what, What::State(_))
            && let Some(lines) = telling::lines(event, self.paint)
        {
            scene.backlog.push(lines);
        }
    }

    /// Draws what is left, gives the terminal back and returns what the run looked like at its end.
    pub(crate) fn close(mut self) -> View {
        self.end();
        std::mem::take(&mut self.shared.lock().view)
    }

    fn end(&mut self) {
        self.shared.lock().is_closing = true;
        self.shared.closing.notify_all();
        if let Some(painter) = self.painter.take() {
            painter.join().ok(); // A painter that panicked has said so, and its screen is restored.
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Scene> {
        self.scene.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Painter {
    tty: Tty,
    screen: Screen,
    panel: Panel,
    keys: Keys,
    /// A terminal that was hung up is left alone.
    is_gone: bool,
    interruption: Interruption,
}

impl Painter {
    fn paint(mut self, shared: &Shared) {
        loop {
            let mut scene = shared.lock();
            let above = scene.backlog.take(self.screen.paint());
            let state = scene.view.state;
            let rows = self.panel.rows(&scene.view, self.keys, now_us(), self.screen.size());
            let is_closing = scene.is_closing;
            drop(scene);
            if !self.is_gone {
                self.screen.draw(&above, &rows);
            }
            if is_closing {
                return;
            }
            self.wait(shared, state);
        }
    }

    /// Until the next frame is due, or a key was pressed.
    fn wait(&mut self, shared: &Shared, state: Option<RunState>) {
        if self.is_gone {
            let mut scene = shared.lock();
            while !scene.is_closing {
                scene = shared.closing.wait(scene).unwrap_or_else(PoisonError::into_inner);
            }
            return;
        }
        match self.tty.wait(FRAME) {
            Input::Nothing => (),
            Input::Gone => self.is_gone = true,
            // The arrow keys and their like send an escape and letters that mean nothing here.
            Input::Keys(keys) if keys.starts_with(b"\x1b") => self.press(b'\x1b', state),
            Input::Keys(keys) => keys.into_iter().for_each(|key| self.press(key, state)),
        }
    }

    fn press(&mut self, key: u8, state: Option<RunState>) {
        let is_held = matches!(state, Some(RunState::Pausing | RunState::Paused));
        let operator = self.interruption.operator().named("a key in the terminal");
        match self.keys.press(key, is_held) {
            Some(Act::Pause) => operator.pause(),
            Some(Act::Resume) => operator.resume(),
            Some(Act::Stop) => operator.stop(),
            Some(Act::Kill) => operator.kill(),
            Some(Act::Interrupt) => self.interruption.interrupt(),
            None => (),
        }
    }
}

fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
