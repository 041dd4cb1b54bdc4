//! The keyboard of the terminal: single keys without echo, waited for with a deadline that is also the frame's.
//!
//! Only what the display needs is changed in the terminal, output stays as it was, and all is put back when this is
//! dropped or anything panics. A terminal that is hung up is told apart from one that is silent.

use std::{
    fs::File,
    io::{self, IsTerminal},
    os::fd::{AsFd, OwnedFd},
    sync::{Mutex, Once, PoisonError},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr},
};

/// A terminal whose keys come one by one.
pub(super) struct Tty {
    keyboard: OwnedFd,
}

/// What came from the keyboard.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// The time is over.
    Nothing,
    Keys(Vec<u8>),
    /// There is no keyboard any more.
    Gone,
}

/// The terminal as it was, while it is changed.
static USUAL: Mutex<Option<(OwnedFd, Termios)>> = Mutex::new(None);

impl Tty {
    /// # Errors
    /// There is no terminal to read from.
    pub(super) fn open() -> io::Result<Tty> {
        let keyboard: OwnedFd = if io::stdin().is_terminal() {
            io::stdin().as_fd().try_clone_to_owned()?
        } else {
            File::open("/dev/tty")?.into()
        };
        let usual = tcgetattr(&keyboard)?;
        let mut changed = usual.clone();
        // Ctrl-C is a key like the others, and Ctrl-S does not stop the display.
        changed
            .local_modes
            .remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN);
        changed.input_modes.remove(InputModes::IXON);
        changed.special_codes[SpecialCodeIndex::VMIN] = 1;
        changed.special_codes[SpecialCodeIndex::VTIME] = 0;
        restore_on_panic();
        *USUAL.lock().unwrap_or_else(PoisonError::into_inner) = Some((keyboard.try_clone()?, usual));
        tcsetattr(&keyboard, OptionalActions::Now, &changed)?;
        Ok(Tty { keyboard })
    }

    /// Waits for keys, but not longer than this.
    pub(super) fn wait(&self, time: Duration) -> Input {
        let mut polled = [PollFd::new(&self.keyboard, PollFlags::IN)];
        let time = Timespec {
            tv_sec: 0,
            tv_nsec: i64::from(time.subsec_nanos()),
        };
        match poll(&mut polled, Some(&time)) {
            Ok(0) | Err(Errno::INTR) => return Input::Nothing,
            Ok(_) if polled[0].revents().contains(PollFlags::IN) => (),
            Ok(_) | Err(_) => return Input::Gone,
        }
        let mut keys = [0; 64];
        match rustix::io::read(&self.keyboard, &mut keys) {
            Err(Errno::INTR | Errno::AGAIN) => Input::Nothing,
            Ok(0) | Err(_) => Input::Gone,
            Ok(count) => Input::Keys(keys[..count].to_vec()),
        }
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    let usual = match USUAL.try_lock() {
        Ok(mut usual) => usual.take(),
        // Whoever holds it restores it.
        Err(_) => return,
    };
    if let Some((keyboard, usual)) = usual {
        tcsetattr(&keyboard, OptionalActions::Now, &usual).ok(); // The terminal may be gone.
    }
}

fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            usual(panic);
        }));
    });
}
