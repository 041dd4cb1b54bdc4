//! What goes into a run and what comes out of it: all that can happen, all that can be done.

use std::time::Duration;

use protocol::Command;

use crate::{ending::Ending, event::RunState, verb::Verb};

/// Whether a hook runs before or after the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HookKind {
    Pre,
    Post,
}

/// What can happen to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    Begin,
    Asked(Verb),
    HookEnded(Result<(), String>),
    /// The child waits for a measurement.
    ChildReady,
    Started,
    Paused,
    Resumed,
    Finished(Ending),
    /// Nothing of the finished measurement is still to come.
    Closed,
    /// The child does not obey a command.
    Refused {
        command: String,
        why: String,
    },
    /// With the words for how it went.
    ChildGone(String),
    /// The same, and it had died before it took the measurement up.
    ChildUnheard(String),
    /// The time of the last [`Order::Wake`] has come.
    Deadline,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Say(RunState),
    RunHook(HookKind, usize),
    /// The running hook is ended; that it has is an input as usual.
    EndHook,
    /// A child is needed; that it waits is an input.
    NeedChild,
    Perform,
    Send(Command),
    Terminate,
    KillGroup,
    /// A deadline at this time, instead of any before.
    Wake(Duration),
    /// The child is not to be used for another run.
    Discard,
    Conclude(Ending),
}
