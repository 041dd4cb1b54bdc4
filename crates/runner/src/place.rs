//! Where a thread of a run is, for those who watch: a store when it moves, and no lock.

use std::sync::atomic::{AtomicU32, Ordering};

use measurement::TaskId;
use protocol::Doing;

/// Where a thread is, for those who watch. Written often, read seldom.
#[derive(Default)]
pub(crate) struct Place {
    task: AtomicU32,
    steps: AtomicU32,
    doing: AtomicU32,
}

impl Place {
    #[inline]
    pub(crate) fn at(&self, task: TaskId) {
        self.task.store(task.0, Ordering::Relaxed);
        self.steps
            .store(self.steps.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    pub(crate) fn during<T>(&self, task: TaskId, doing: Doing, act: impl FnOnce() -> T) -> T {
        self.at(task);
        self.doing.store(doing as u32, Ordering::Relaxed);
        let result = act();
        self.doing.store(Doing::Working as u32, Ordering::Relaxed);
        result
    }

    /// The task, a count that changes whenever the thread moves, and what it does.
    pub(crate) fn read(&self) -> (TaskId, u32, Doing) {
        let doing = [Doing::Working, Doing::Sleeping, Doing::Waiting, Doing::Held]
            .into_iter()
            .find(|doing| *doing as u32 == self.doing.load(Ordering::Relaxed));
        let task = TaskId(self.task.load(Ordering::Relaxed));
        (
            task,
            self.steps.load(Ordering::Relaxed),
            doing.unwrap_or(Doing::Working),
        )
    }
}
