//! What the keys of the live display mean: a pure decision, so that no run is killed by a slip of the finger.

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Pause,
    Resume,
    Stop,
    Kill,
    /// Ctrl-C: stop, and the second time kill.
    Interrupt,
}

/// What a terminal sends for Ctrl-C when it does not make a signal of it.
const CTRL_C: u8 = 3;

/// What was pressed before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Keys {
    #[default]
    Usual,
    /// `k` was pressed and nothing since.
    AskedToKill,
}

impl Keys {
    /// `is_held` says whether the run is paused or about to be.
    pub(super) fn press(&mut self, key: u8, is_held: bool) -> Option<Act> {
        let asked = std::mem::take(self) == Keys::AskedToKill;
        match key {
            CTRL_C => Some(Act::Interrupt),
            b'k' | b'K' if asked => Some(Act::Kill),
            // Any other key is the answer no, and nothing else.
            _ if asked => None,
            b'k' | b'K' => {
                *self = Keys::AskedToKill;
                None
            }
            b'p' | b'P' => Some(if is_held { Act::Resume } else { Act::Pause }),
            b's' | b'S' => Some(Act::Stop),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(keys: &mut Keys, letter: char) -> Option<Act> {
        keys.press(letter as u8, false)
    }

    #[test]
    fn killing_takes_two_presses_and_anything_between_is_a_no() {
        let mut keys = Keys::default();
        assert_eq!(press(&mut keys, 'k'), None);
        assert_eq!(press(&mut keys, 'k'), Some(Act::Kill));
        assert_eq!(press(&mut keys, 'k'), None);
        assert_eq!(press(&mut keys, 's'), None);
        assert_eq!(press(&mut keys, 'k'), None);
        assert_eq!(keys, Keys::AskedToKill);
    }

    #[test]
    fn one_key_pauses_and_resumes() {
        let mut keys = Keys::default();
        assert_eq!(keys.press(b'p', false), Some(Act::Pause));
        assert_eq!(keys.press(b'p', true), Some(Act::Resume));
        assert_eq!(press(&mut keys, 's'), Some(Act::Stop));
        assert_eq!(press(&mut keys, 'x'), None);
    }

    #[test]
    fn ctrl_c_interrupts_even_while_it_asks() {
        let mut keys = Keys::AskedToKill;
        assert_eq!(keys.press(CTRL_C, false), Some(Act::Interrupt));
        assert_eq!(keys, Keys::Usual);
    }
}
