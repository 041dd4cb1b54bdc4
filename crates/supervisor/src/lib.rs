//! The parent: starts the child, tells it what to perform, follows the run, and survives the child's death.
//!
//! ```text
//! operator ─ verbs ──┐
//! child ─── events ──┼─► inbox ─► the loop of one run ─► numbered events ─► viewers
//! pipes ─── lines  ──┤              │        ▲
//! hooks ─── ends   ──┘              ▼        │
//!                                 Run::step (pure): what may happen when, and what follows
//! ```
//!
//! One thread owns all state, the one that called [`Engine::perform`]; everything else sends into its inbox. What
//! happened is said once, as an [`Update`]; whatever shows a run is a fold over those ([`View`]). No instrument can be
//! opened from here, and nothing here knows what a task is.

mod child;
mod chronicle;
mod control;
mod ending;
mod engine;
mod event;
mod hooks;
mod inbox;
mod ladder;
mod operator;
mod performance;
mod pipe;
mod platform;
mod process;
mod run;
mod run_log;
mod runtime_dir;
mod verb;
mod view;

pub use control::{ControlError, ControlServer, RunningRun, list, send};
pub use engine::{Engine, EngineError, Facts, Job, Report};
pub use event::{EngineState, RunEvent, RunFiles, RunState, Update, What};
pub use operator::Operator;
pub use verb::{Refusal, Verb};
pub use view::{At, LogLine, LoopView, View};
