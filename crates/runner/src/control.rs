//! Pause, resume and stop, as the threads of a run see them, and who waits for whom.
//!
//! Asking costs a load; only when something is wanted does a thread take the lock. All waiting of a run is on one
//! condition: a sleep, a pause and a wait for a pool end as soon as the word that ends them has come.

use std::{
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use measurement::{Pools, Signal, TaskId};

use crate::live_bench::lock;

const PAUSE: u8 = 1;
const STOP: u8 = 2;

pub(crate) struct Control {
    wanted: AtomicU8,
    /// How much work is in the background, for those who only need to know that there is none.
    in_background: AtomicUsize,
    state: Mutex<State>,
    changed: Condvar,
    /// Who asked last, in the parent's words; apart from the state, because it is read while that is held.
    asker: Mutex<String>,
    last_resort: Mutex<Option<Box<dyn Fn() + Send>>>,
    /// So many times shorter are all waits.
    speed: u32,
}

#[derive(Default)]
struct State {
    /// Work in the background of pools.
    background: Vec<Background>,
    /// Threads of the run that stand still because of a pause, in a checkpoint or a sleep.
    held: usize,
    /// Threads that wait for others to end, and what they wait for.
    waiting: Vec<Waiting>,
    /// Whether the parent was told that everything is held.
    paused: bool,
    /// Whether the stop came from the operator, or a failing task.
    stopped_by: Option<StoppedBy>,
    is_over: bool,
}

struct Background {
    task: TaskId,
    pool: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Waiting {
    /// The end of a task's own earlier work.
    Task(TaskId),
    /// The end of all work in these pools but that which the waiting thread is part of.
    InPools(Pools, Vec<TaskId>),
    /// The end of everything.
    Everything,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoppedBy {
    Operator,
    /// The parent is gone, and nobody watches.
    Orphaned,
    Failure,
}

/// What became of the threads while they were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    AllHeld,
    Released,
}

impl Control {
    /// `speed` is by how much waits are shortened: 1 for not at all.
    pub(crate) fn new(speed: u32) -> Self {
        Self {
            speed: speed.max(1),
            wanted: AtomicU8::new(0),
            in_background: AtomicUsize::new(0),
            state: Mutex::default(),
            changed: Condvar::new(),
            asker: Mutex::default(),
            last_resort: Mutex::default(),
        }
    }

    /// Wants a pause; whether all threads are held already is said through `held` by the last of them.
    pub(crate) fn pause(&self) {
        let _state = self.state();
        self.wanted.fetch_or(PAUSE, Ordering::SeqCst);
        self.changed.notify_all();
    }

    pub(crate) fn resume(&self) {
        let _state = self.state();
        self.wanted.fetch_and(!PAUSE, Ordering::SeqCst);
        self.changed.notify_all();
    }

    pub(crate) fn stop(&self, by: StoppedBy) {
        let mut state = self.state();
        state.stopped_by.get_or_insert(by);
        self.wanted.fetch_or(STOP, Ordering::SeqCst);
        self.changed.notify_all();
    }

    pub(crate) fn stopped_by(&self) -> Option<StoppedBy> {
        self.state().stopped_by
    }

    /// Who asks what comes next.
    pub(crate) fn name_asker(&self, by: String) {
        lock(&self.asker).clone_from(&by);
    }

    /// Who asked last.
    pub(crate) fn asked_by(&self) -> String {
        lock(&self.asker).clone()
    }

    /// Whether nothing is wanted: then every checkpoint says to go on.
    #[inline]
    pub(crate) fn is_calm(&self) -> bool {
        self.wanted.load(Ordering::Relaxed) == 0
    }

    /// Whether to go on, after a pause if one is wanted. `say` tells the parent that all is held, or goes on again.
    #[cold]
    pub(crate) fn hold(&self, say: &dyn Fn(Hold)) -> Signal {
        let mut state = self.state();
        if !self.wants(PAUSE) || self.wants(STOP) {
            return self.signal();
        }
        state.held += 1;
        while self.wants(PAUSE) && !self.wants(STOP) {
            state.say_if_held(say);
            state = self.wait_for_change(state);
        }
        state.held -= 1;
        state.say_if_released(say);
        drop(state);
        self.changed.notify_all();
        self.signal()
    }

    /// Sleeps for a time that pauses do not count towards.
    pub(crate) fn sleep(&self, time: Duration, say: &dyn Fn(Hold)) -> Signal {
        let mut left = time / self.speed;
        loop {
            let began = Instant::now();
            let mut state = self.state();
            while self.wanted.load(Ordering::SeqCst) == 0 {
                let Some(rest) = left.checked_sub(began.elapsed()).filter(|rest| !rest.is_zero()) else {
                    return Signal::Go;
                };
                let waited = self.changed.wait_timeout(state, rest);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            drop(state);
            left = left.saturating_sub(began.elapsed());
            if self.hold(say) == Signal::Stop {
                return Signal::Stop;
            }
        }
    }

    /// Whether the run is being stopped.
    pub(crate) fn is_stopping(&self) -> bool {
        self.wants(STOP)
    }

    /// Waits for a stop; false when the run is over without one.
    pub(crate) fn wait_for_stop(&self) -> bool {
        let mut state = self.state();
        while !self.wants(STOP) && !state.is_over {
            state = self.wait_for_change(state);
        }
        !state.is_over
    }

    /// The run is over: nobody need wait for a stop any more.
    pub(crate) fn end_run(&self) {
        self.state().is_over = true;
        self.changed.notify_all();
    }

    /// What is done for the instruments if a task does not let go after the end of the parent.
    pub(crate) fn set_last_resort(&self, act: impl Fn() + Send + 'static) {
        *lock(&self.last_resort) = Some(Box::new(act));
    }

    /// Does it.
    pub(crate) fn take_last_resort(&self) {
        if let Some(act) = lock(&self.last_resort).take() {
            act();
        }
    }

    /// A time that nothing ends, as long as it is in this run.
    pub(crate) fn shortened(&self, time: Duration) -> Duration {
        time / self.speed
    }

    /// Puts work of `task` on the list of its pool, after the task's own earlier work has ended.
    pub(crate) fn begin(&self, task: TaskId, pool: &str, say: &dyn Fn(Hold)) -> Result<(), String> {
        let mut state = self.wait_until_free(Waiting::Task(task), say)?;
        state.background.push(Background {
            task,
            pool: pool.to_owned(),
        });
        self.in_background.store(state.background.len(), Ordering::Release);
        Ok(())
    }

    /// Takes it off again.
    pub(crate) fn end(&self, task: TaskId, say: &dyn Fn(Hold)) {
        let mut state = self.state();
        state.background.retain(|work| work.task != task);
        self.in_background.store(state.background.len(), Ordering::Release);
        if self.wants(PAUSE) {
            state.say_if_held(say);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Whether there is nothing to wait for.
    #[inline]
    pub(crate) fn is_nothing_in_background(&self) -> bool {
        self.in_background.load(Ordering::Acquire) == 0
    }

    /// Waits until no other thread works in `pools`; `own` are the tasks whose work the asking thread is part of.
    pub(crate) fn wait(&self, pools: &Pools, own: &[TaskId], say: &dyn Fn(Hold)) -> Result<(), String> {
        self.wait_until_free(Waiting::InPools(pools.clone(), own.to_vec()), say)
            .map(drop)
    }

    /// Waits until nothing works in the background any more; those who wait for one another for ever were told so.
    pub(crate) fn wait_for_all(&self, say: &dyn Fn(Hold)) {
        while self.wait_until_free(Waiting::Everything, say).is_err() {}
    }

    fn wait_until_free(&self, what: Waiting, say: &dyn Fn(Hold)) -> Result<MutexGuard<'_, State>, String> {
        let mut state = self.state();
        while state.is_busy(&what) {
            state.waiting.push(what.clone());
            let stuck = state.is_stuck();
            if !stuck {
                if self.wants(PAUSE) {
                    state.say_if_held(say);
                }
                state = self.wait_for_change(state);
            }
            if let Some(position) = state.waiting.iter().position(|waiting| *waiting == what) {
                state.waiting.swap_remove(position);
            }
            if stuck {
                let tasks = state.background.len();
                return Err(format!(
                    "this would never end: all {tasks} tasks in the background wait for one another"
                ));
            }
        }
        Ok(state)
    }

    fn wait_for_change<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn wants(&self, what: u8) -> bool {
        self.wanted.load(Ordering::SeqCst) & what != 0
    }

    fn signal(&self) -> Signal {
        if self.wants(STOP) { Signal::Stop } else { Signal::Go }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_busy(&self, what: &Waiting) -> bool {
        self.background.iter().any(|work| match what {
            Waiting::Task(task) => work.task == *task,
            Waiting::InPools(pools, own) => pools.contains(&work.pool) && !own.contains(&work.task),
            Waiting::Everything => true,
        })
    }

    /// Whether every thread waits for another: nobody is left to end anything.
    fn is_stuck(&self) -> bool {
        self.waiting.len() == self.threads() && self.waiting.iter().all(|what| self.is_busy(what))
    }

    /// The main thread and those of the pools.
    fn threads(&self) -> usize {
        1 + self.background.len()
    }

    fn say_if_held(&mut self, say: &dyn Fn(Hold)) {
        if !self.paused && self.held > 0 && self.held + self.waiting.len() == self.threads() {
            self.paused = true;
            say(Hold::AllHeld);
        }
    }

    fn say_if_released(&mut self, say: &dyn Fn(Hold)) {
        if self.paused {
            self.paused = false;
            say(Hold::Released);
        }
    }
}
