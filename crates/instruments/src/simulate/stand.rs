//! One simulated instrument with all that its connections share: what it is, its faults, its transcript.
//!
//! A message becomes a [`Deed`]: what a connection is to do. The instrument hears one message at a time; waiting happens
//! outside, so that one client's delay holds up nobody.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    behaviour::{Behaviour, Ends},
    mishap::{Armed, Mishap, What},
    random::Random,
    transcript::{Direction, Transcript},
};

pub(super) struct Stand {
    pub(super) name: String,
    pub(super) ends: Ends,
    transcript: Transcript,
    pace: Pace,
    began: Instant,
    inside: Mutex<Inside>,
    /// Told when it ends or when it is gone.
    changed: Condvar,
}

struct Inside {
    behaviour: Box<dyn Behaviour>,
    mishaps: Vec<Armed>,
    random: Random,
    gone_until: Option<Instant>,
    has_ended: bool,
}

/// How fast an instrument is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Of each answer.
    pub(super) delay: Duration,
    /// How many times faster than others its time passes.
    pub(super) speed: f64,
}

impl Pace {
    /// Its own time.
    fn of(self, time: Duration) -> Duration {
        Duration::try_from_secs_f64(time.as_secs_f64() * self.speed).unwrap_or(time)
    }
}

/// What a connection does after a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Deed {
    pub(super) delay: Duration,
    /// Answers without their ends.
    pub(super) answers: Vec<Vec<u8>>,
    pub(super) then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    GoOn,
    /// The connection is closed behind so many bytes of the last answer, where a number is given.
    Close(Option<usize>),
    /// Bytes are sent until nobody takes them.
    Flood,
}

impl Stand {
    pub(super) fn new(
        name: String,
        behaviour: Box<dyn Behaviour>,
        mishaps: Vec<Mishap>,
        pace: Pace,
        transcript: Transcript,
    ) -> Self {
        Self {
            name,
            ends: behaviour.ends(),
            transcript,
            pace,
            began: Instant::now(),
            inside: Mutex::new(Inside {
                behaviour,
                mishaps: mishaps.into_iter().map(Armed::new).collect(),
                random: Random::new(1),
                gone_until: None,
                has_ended: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// Takes a message without its end.
    pub(super) fn hear(&self, message: &[u8]) -> Deed {
        let now = self.began.elapsed();
        self.transcript.note(&self.name, Direction::In, message);
        let mut inside = self.inside();
        let inside = &mut *inside;
        let struck: Vec<What> = inside
            .mishaps
            .iter_mut()
            .filter_map(|armed| armed.strikes(message, now).then(|| armed.mishap.what.clone()))
            .collect();
        let off = struck
            .iter()
            .map(|what| if let What::Off(by) = what { *by } else { 0.0 })
            .sum();
        inside.behaviour.mislead(off);
        let mut deed = Deed {
            delay: self.pace.delay,
            answers: inside.behaviour.hear(message, self.pace.of(now)),
            then: Then::GoOn,
        };
        for what in struck {
            match what {
                What::Silent => deed.answers.clear(),
                What::Late(time) => deed.delay += time,
                What::Garbage => {
                    for answer in &mut deed.answers {
                        // No byte of a line's end: it is one answer, only of nothing.
                        answer.fill_with(|| inside.random.byte() | 0x80);
                    }
                }
                What::Close => {
                    deed.answers.clear();
                    deed.then = Then::Close(None);
                }
                What::Cut(count) => {
                    let half = |answer: &Vec<u8>| count.unwrap_or(answer.len() / 2);
                    deed.then = Then::Close(deed.answers.last().map(half));
                }
                What::Flood => {
                    deed.answers.clear();
                    deed.then = Then::Flood;
                }
                What::Gone(time) => {
                    deed.answers.clear();
                    deed.then = Then::Close(None);
                    inside.gone_until = Some(Instant::now() + time);
                    self.changed.notify_all();
                }
                What::Error { code, text } => inside.behaviour.complain(code, &text),
                What::Off(_) => {}
            }
        }
        if deed.answers.is_empty() {
            deed.delay = Duration::ZERO;
        }
        for answer in &deed.answers {
            self.transcript.note(&self.name, Direction::Out, answer);
        }
        deed
    }

    pub(super) fn status_byte(&self, has_answer: bool) -> u8 {
        self.inside().behaviour.status_byte(has_answer)
    }

    pub(super) fn strike(&self, mishap: Mishap) {
        self.inside().mishaps.push(Armed::new(mishap));
    }

    /// No fault any more.
    pub(super) fn mend(&self) {
        self.inside().mishaps.clear();
    }

    /// Until when it takes no connections.
    pub(super) fn gone_until(&self) -> Option<Instant> {
        self.inside().gone_until.filter(|until| *until > Instant::now())
    }

    pub(super) fn has_ended(&self) -> bool {
        self.inside().has_ended
    }

    pub(super) fn end(&self) {
        self.inside().has_ended = true;
        self.changed.notify_all();
    }

    /// Waits, unless it ends meanwhile; whether the whole time passed.
    pub(super) fn wait(&self, time: Duration) -> bool {
        if time.is_zero() {
            return true;
        }
        let inside = self.inside();
        let waited = self
            .changed
            .wait_timeout_while(inside, time, |inside| !inside.has_ended);
        !waited.unwrap_or_else(PoisonError::into_inner).0.has_ended
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // Half a change of a simulated instrument harms nobody.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
