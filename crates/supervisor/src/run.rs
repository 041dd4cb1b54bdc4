//! A run as a pure state machine: what was asked or happened goes in, what is to be done comes out.
//!
//! ```text
//! Ready ─► PreHook… ─► Starting ─► Handed ─► Running ◄─► Pausing ─► Paused ─► Resuming ─► Running
//!              │           │          │         │            (stop from any of them)
//!              │           │          └─────────┴──► Stopping ─► Closing ─► PostHook… ─► Ended
//!              └───────────┴── stop, failure ─────────────────────────────────▲
//! kill, from anywhere: Killing(ask ─► terminate ─► kill) ─► Closing ─► Ended, without hooks
//! ```
//!
//! Everything that decides is here and nothing that acts: no clock, thread or process. A repeated request is ignored, an
//! impossible one is refused with words. The child's word beats what was asked of it.

mod step;

use std::time::Duration;

use protocol::{Command, Outcome};

pub(crate) use crate::run::step::{HookKind, Input, Order};
use crate::{
    ending::{Ending, engine_error, killed, killed_before},
    event::RunState,
    ladder::Rung,
    verb::{Refusal, Verb},
};

/// What was asked before the measurement could obey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    GoOn,
    Pause,
    Stop,
    Kill,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Ready,
    PreHook {
        index: usize,
        wish: Wish,
    },
    /// The child is not ready yet.
    Starting {
        wish: Wish,
    },
    /// The child has the measurement and has not begun.
    Handed {
        wish: Wish,
    },
    Running,
    Pausing,
    Paused,
    /// A pause that is asked now waits for the child to go on, so that each gets its answer.
    Resuming {
        wish: Wish,
    },
    Stopping,
    Killing {
        rung: Rung,
        until: Duration,
    },
    /// The measurement ended; its last records come.
    Closing {
        ending: Ending,
        until: Duration,
        killed: bool,
    },
    PostHook {
        index: usize,
        ending: Ending,
        killed: bool,
    },
    Ended,
}

/// How long the last records of a finished measurement may take.
const CLOSING: Duration = Duration::from_secs(2);

/// One execution of a measurement.
#[derive(Debug)]
pub(crate) struct Run {
    /// Ids of the hooks, in their order.
    pre: Vec<String>,
    post: Vec<String>,
    state: State,
}

type Orders = Vec<Order>;

impl Run {
    pub(crate) fn new(pre: Vec<String>, post: Vec<String>) -> Self {
        Self {
            pre,
            post,
            state: State::Ready,
        }
    }

    /// What follows from something that happened at `now`, counted from the run's beginning.
    pub(crate) fn step(&mut self, input: Input, now: Duration) -> Result<Orders, Refusal> {
        match input {
            Input::Begin => match self.state {
                State::Ready => Ok(self.pre_hook(0, Wish::GoOn, vec![Order::Say(RunState::Ready)])),
                _ => Err(self.unexpected("begin")),
            },
            Input::Asked(Verb::Pause) => self.pause(),
            Input::Asked(Verb::Resume) => self.resume(),
            Input::Asked(Verb::Stop) => self.stop(),
            Input::Asked(Verb::Kill) => self.kill(now),
            Input::HookEnded(result) => self.hook_ended(result),
            Input::ChildReady => match self.state {
                State::Starting { wish } => {
                    let mut orders = vec![Order::Perform];
                    if wish == Wish::Pause {
                        // Obeyed before the first task.
                        orders.push(Order::Send(Command::Pause));
                    }
                    Ok(self.go(State::Handed { wish }, orders))
                }
                _ => Ok(vec![]),
            },
            Input::Started => self.started(),
            Input::Paused => match self.state {
                State::Running | State::Pausing => Ok(self.go(State::Paused, vec![Order::Say(RunState::Paused)])),
                // What was asked since is on its way.
                State::Paused | State::Resuming { .. } | State::Stopping | State::Killing { .. } => Ok(vec![]),
                _ => Err(self.unexpected("Paused")),
            },
            Input::Resumed => match self.state {
                State::Resuming { wish: Wish::Pause } => {
                    let orders = vec![
                        Order::Say(RunState::Running),
                        Order::Say(RunState::Pausing),
                        Order::Send(Command::Pause),
                    ];
                    Ok(self.go(State::Pausing, orders))
                }
                State::Paused | State::Resuming { .. } => {
                    Ok(self.go(State::Running, vec![Order::Say(RunState::Running)]))
                }
                State::Running | State::Pausing | State::Stopping | State::Killing { .. } => Ok(vec![]),
                _ => Err(self.unexpected("Resumed")),
            },
            Input::Finished(ending) => self.finished(ending, now),
            Input::Closed => match self.take() {
                State::Closing { ending, killed, .. } => Ok(self.closed(ending, killed, vec![])),
                other => {
                    self.state = other;
                    Ok(vec![])
                }
            },
            Input::Refused { command, why } => self.refused(&command, why, now),
            Input::ChildGone(how) => self.child_gone(how),
            Input::ChildUnheard(how) => match self.state {
                // Another one, which is new: so this cannot go on for ever.
                State::Handed { wish } => Ok(self.go(State::Starting { wish }, vec![Order::NeedChild])),
                _ => self.child_gone(how),
            },
            Input::Deadline => self.deadline(now),
        }
    }

    fn pause(&mut self) -> Result<Orders, Refusal> {
        let why = match &mut self.state {
            State::Ready => "it has not begun",
            State::PreHook { wish, .. } | State::Starting { wish } | State::Resuming { wish } => match wish {
                Wish::GoOn | Wish::Pause => {
                    *wish = Wish::Pause;
                    return Ok(vec![]);
                }
                Wish::Stop | Wish::Kill => BEING_STOPPED,
            },
            State::Handed { wish } => {
                let orders = if *wish == Wish::Pause {
                    vec![]
                } else {
                    vec![Order::Send(Command::Pause)]
                };
                *wish = Wish::Pause;
                return Ok(orders);
            }
            State::Running => {
                let orders = vec![Order::Say(RunState::Pausing), Order::Send(Command::Pause)];
                return Ok(self.go(State::Pausing, orders));
            }
            State::Pausing | State::Paused => return Ok(vec![]),
            State::Stopping => BEING_STOPPED,
            State::Killing { .. } => BEING_KILLED,
            State::Closing { .. } | State::PostHook { .. } | State::Ended => HAS_ENDED,
        };
        Err(Refusal::Impossible { verb: Verb::Pause, why })
    }

    fn resume(&mut self) -> Result<Orders, Refusal> {
        let why = match &mut self.state {
            State::Ready => "it has not begun",
            State::PreHook { wish, .. } | State::Starting { wish } => match wish {
                Wish::Pause => {
                    *wish = Wish::GoOn;
                    return Ok(vec![]);
                }
                Wish::GoOn => "it is not paused",
                Wish::Stop | Wish::Kill => BEING_STOPPED,
            },
            State::Handed { wish } => match wish {
                Wish::Pause => {
                    *wish = Wish::GoOn;
                    return Ok(vec![Order::Send(Command::Resume)]);
                }
                Wish::GoOn | Wish::Stop | Wish::Kill => "it is not paused",
            },
            // What was never held does not say that it goes on; if all was held just now, that is said, and its end.
            State::Pausing => {
                let orders = vec![Order::Send(Command::Resume), Order::Say(RunState::Running)];
                return Ok(self.go(State::Running, orders));
            }
            State::Paused => {
                let orders = vec![Order::Say(RunState::Resuming), Order::Send(Command::Resume)];
                return Ok(self.go(State::Resuming { wish: Wish::GoOn }, orders));
            }
            State::Resuming { wish } => {
                *wish = Wish::GoOn;
                return Ok(vec![]);
            }
            State::Running => "it is not paused",
            State::Stopping => BEING_STOPPED,
            State::Killing { .. } => BEING_KILLED,
            State::Closing { .. } | State::PostHook { .. } | State::Ended => HAS_ENDED,
        };
        Err(Refusal::Impossible {
            verb: Verb::Resume,
            why,
        })
    }

    fn stop(&mut self) -> Result<Orders, Refusal> {
        let why = match &mut self.state {
            State::Ready | State::Ended => HAS_ENDED,
            State::PreHook { wish, .. } => match wish {
                Wish::GoOn | Wish::Pause => {
                    *wish = Wish::Stop;
                    return Ok(vec![Order::Say(RunState::Stopping), Order::EndHook]);
                }
                Wish::Stop | Wish::Kill => return Ok(vec![]),
            },
            State::Starting { .. } => {
                let ending = Ending {
                    outcome: Outcome::Interrupted,
                    errors: vec![],
                };
                return Ok(self.post_hook(0, ending, vec![Order::Say(RunState::Stopping)]));
            }
            State::Handed { .. } | State::Running | State::Pausing | State::Paused | State::Resuming { .. } => {
                let orders = vec![Order::Say(RunState::Stopping), Order::Send(Command::Stop)];
                return Ok(self.go(State::Stopping, orders));
            }
            State::Stopping | State::Killing { .. } | State::Closing { .. } => return Ok(vec![]),
            State::PostHook { .. } => "the measurement has ended and its post hooks run; `kill` ends them",
        };
        Err(Refusal::Impossible { verb: Verb::Stop, why })
    }

    fn kill(&mut self, now: Duration) -> Result<Orders, Refusal> {
        match &mut self.state {
            State::Ready | State::Ended => Err(Refusal::Impossible {
                verb: Verb::Kill,
                why: HAS_ENDED,
            }),
            State::PreHook { wish, .. } => {
                *wish = Wish::Kill;
                Ok(vec![Order::Say(RunState::Stopping), Order::EndHook])
            }
            State::Starting { .. } => {
                let orders = vec![Order::Say(RunState::Stopping), Order::Discard];
                Ok(self.conclude(killed_before(), orders))
            }
            State::Handed { .. } | State::Running | State::Pausing | State::Paused | State::Resuming { .. } => {
                Ok(self.begin_to_kill(now, vec![Order::Say(RunState::Stopping), Order::Send(Command::Stop)]))
            }
            // It was asked already, and has the patience of the first rung from now on.
            State::Stopping => Ok(self.begin_to_kill(now, vec![])),
            State::Killing { rung, .. } => {
                let rung = *rung;
                Ok(self.climb(rung, now))
            }
            State::Closing { killed, .. } if !*killed => {
                *killed = true;
                Ok(vec![])
            }
            State::Closing { .. } => self.deadline(Duration::MAX),
            State::PostHook { killed, .. } => {
                *killed = true;
                Ok(vec![Order::EndHook])
            }
        }
    }

    fn begin_to_kill(&mut self, now: Duration, mut orders: Orders) -> Orders {
        let until = now + Rung::Ask.patience();
        orders.push(Order::Wake(until));
        self.go(State::Killing { rung: Rung::Ask, until }, orders)
    }

    fn climb(&mut self, from: Rung, now: Duration) -> Orders {
        let Some(rung) = from.next() else {
            let how = "killed by the operator, but its process does not die: it hangs inside the operating system";
            let ending = Ending {
                outcome: Outcome::Interrupted,
                errors: vec![engine_error(how)],
            };
            return self.conclude(ending, vec![Order::Discard]);
        };
        let until = now + rung.patience();
        let order = if rung == Rung::Kill {
            Order::KillGroup
        } else {
            Order::Terminate
        };
        self.go(State::Killing { rung, until }, vec![order, Order::Wake(until)])
    }

    fn hook_ended(&mut self, result: Result<(), String>) -> Result<Orders, Refusal> {
        match self.take() {
            State::PreHook { wish: Wish::Stop, .. } => Ok(self.post_hook(
                0,
                Ending {
                    outcome: Outcome::Interrupted,
                    errors: vec![],
                },
                vec![],
            )),
            State::PreHook { wish: Wish::Kill, .. } => Ok(self.conclude(killed_before(), vec![])),
            State::PreHook { index, wish } => match result {
                Ok(()) => Ok(self.pre_hook(index + 1, wish, vec![])),
                Err(why) => {
                    let errors = vec![(format!("pre-hook {}", self.pre[index]), why)];
                    Ok(self.post_hook(
                        0,
                        Ending {
                            outcome: Outcome::Failed,
                            errors,
                        },
                        vec![],
                    ))
                }
            },
            State::PostHook {
                index,
                mut ending,
                killed,
            } => {
                if let Err(why) = result {
                    ending.errors.push((format!("post-hook {}", self.post[index]), why));
                    if ending.outcome == Outcome::Completed {
                        ending.outcome = Outcome::Failed;
                    }
                }
                if killed {
                    ending.outcome = Outcome::Interrupted;
                    ending
                        .errors
                        .push(engine_error("killed by the operator while its post hooks ran"));
                    return Ok(self.conclude(ending, vec![]));
                }
                Ok(self.post_hook(index + 1, ending, vec![]))
            }
            other => {
                self.state = other;
                Err(self.unexpected("end of a hook"))
            }
        }
    }

    fn started(&mut self) -> Result<Orders, Refusal> {
        match self.state {
            State::Handed { wish: Wish::Pause } => {
                // It was told so already.
                let orders = vec![Order::Say(RunState::Running), Order::Say(RunState::Pausing)];
                Ok(self.go(State::Pausing, orders))
            }
            State::Handed { .. } => Ok(self.go(State::Running, vec![Order::Say(RunState::Running)])),
            State::Stopping | State::Killing { .. } => Ok(vec![]),
            _ => Err(self.unexpected("Started")),
        }
    }

    fn finished(&mut self, ending: Ending, now: Duration) -> Result<Orders, Refusal> {
        match self.state {
            State::Killing { rung, until } => {
                let ending = killed(rung, ending.errors, None);
                Ok(self.go(
                    State::Closing {
                        ending,
                        until,
                        killed: true,
                    },
                    vec![],
                ))
            }
            State::Handed { .. }
            | State::Running
            | State::Pausing
            | State::Paused
            | State::Resuming { .. }
            | State::Stopping => {
                let until = now + CLOSING;
                Ok(self.go(
                    State::Closing {
                        ending,
                        until,
                        killed: false,
                    },
                    vec![Order::Wake(until)],
                ))
            }
            _ => Err(self.unexpected("Finished")),
        }
    }

    fn closed(&mut self, ending: Ending, was_killed: bool, mut orders: Orders) -> Orders {
        if !was_killed {
            return self.post_hook(0, ending, orders);
        }
        if !orders.contains(&Order::Discard) {
            orders.push(Order::Discard);
        }
        let has_words = ending.errors.iter().any(|(key, _)| key == "engine");
        let ending = if has_words {
            ending
        } else {
            killed(Rung::Ask, ending.errors, None)
        };
        self.conclude(ending, orders)
    }

    fn refused(&mut self, command: &str, why: String, now: Duration) -> Result<Orders, Refusal> {
        match self.state {
            State::Handed { .. } | State::Stopping if command == "Perform" => {
                let errors = vec![engine_error(format!("the child refused to perform: {why}"))];
                let orders = vec![Order::Discard];
                Ok(self.post_hook(
                    0,
                    Ending {
                        outcome: Outcome::Failed,
                        errors,
                    },
                    orders,
                ))
            }
            State::Killing { rung, .. } if command == "Perform" => Ok(self.climb(rung, now)),
            _ => Ok(vec![]),
        }
    }

    fn child_gone(&mut self, how: String) -> Result<Orders, Refusal> {
        match self.take() {
            State::Killing { rung, .. } => Ok(self.conclude(killed(rung, vec![], Some(&how)), vec![])),
            State::Starting { .. }
            | State::Handed { .. }
            | State::Running
            | State::Pausing
            | State::Paused
            | State::Resuming { .. }
            | State::Stopping => {
                let ending = Ending {
                    outcome: Outcome::Failed,
                    errors: vec![engine_error(how)],
                };
                Ok(self.post_hook(0, ending, vec![]))
            }
            // The measurement had ended and released everything: its outcome stands.
            State::Closing { ending, killed, .. } => Ok(self.closed(ending, killed, vec![])),
            // A child is not needed while hooks run; another one is started when it is.
            other @ (State::Ready | State::PreHook { .. } | State::PostHook { .. } | State::Ended) => {
                self.state = other;
                Ok(vec![])
            }
        }
    }

    fn deadline(&mut self, now: Duration) -> Result<Orders, Refusal> {
        match self.take() {
            State::Killing { rung, until } if now >= until => Ok(self.climb(rung, now)),
            // The child keeps its last records to itself, or cannot send them.
            State::Closing { ending, until, killed } if now >= until => {
                Ok(self.closed(ending, killed, vec![Order::Discard]))
            }
            other => {
                self.state = other;
                Ok(vec![])
            }
        }
    }

    fn pre_hook(&mut self, index: usize, wish: Wish, mut orders: Orders) -> Orders {
        if index < self.pre.len() {
            orders.push(Order::RunHook(HookKind::Pre, index));
            self.go(State::PreHook { index, wish }, orders)
        } else {
            orders.push(Order::NeedChild);
            self.go(State::Starting { wish }, orders)
        }
    }

    fn post_hook(&mut self, index: usize, ending: Ending, mut orders: Orders) -> Orders {
        if index < self.post.len() {
            orders.push(Order::RunHook(HookKind::Post, index));
            self.go(
                State::PostHook {
                    index,
                    ending,
                    killed: false,
                },
                orders,
            )
        } else {
            self.conclude(ending, orders)
        }
    }

    fn conclude(&mut self, ending: Ending, mut orders: Orders) -> Orders {
        orders.push(Order::Conclude(ending));
        self.go(State::Ended, orders)
    }

    fn go(&mut self, state: State, orders: Orders) -> Orders {
        self.state = state;
        orders
    }

    fn take(&mut self) -> State {
        std::mem::replace(&mut self.state, State::Ended)
    }

    fn unexpected(&self, event: &'static str) -> Refusal {
        Refusal::Unexpected {
            event,
            state: self.state.name(),
        }
    }

    /// What is known of the ending while post hooks run, for their environment.
    pub(crate) fn ending(&self) -> Option<&Ending> {
        match &self.state {
            State::PostHook { ending, .. } => Some(ending),
            _ => None,
        }
    }
}

impl State {
    fn name(&self) -> &'static str {
        match self {
            State::Ready => "Ready",
            State::PreHook { .. } => "PreHook",
            State::Starting { .. } => "Starting",
            State::Handed { .. } => "Handed",
            State::Running => "Running",
            State::Pausing => "Pausing",
            State::Paused => "Paused",
            State::Resuming { .. } => "Resuming",
            State::Stopping => "Stopping",
            State::Killing { .. } => "Killing",
            State::Closing { .. } => "Closing",
            State::PostHook { .. } => "PostHook",
            State::Ended => "Ended",
        }
    }
}

const BEING_STOPPED: &str = "it is being stopped";
const BEING_KILLED: &str = "it is being killed";
const HAS_ENDED: &str = "the measurement has ended";

#[cfg(test)]
mod tests;
