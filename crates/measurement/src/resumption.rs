//! Where a program goes on that was broken off: what is done, and where its loops are.
//!
//! A task that is done is passed over, once; a loop that was under way begins behind its last complete iteration; what
//! was entered (a branch, the body of a loop) is entered again without asking its condition a second time. When all this
//! is used up the program runs as any other, and asking costs one comparison.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use expr::Value;

use crate::{
    task::{Kind, Resume},
    tree::{TaskId, Tree},
};

/// A loop that was under way.
#[derive(Clone, Debug)]
pub struct LoopAt {
    pub task: TaskId,
    /// Complete iterations.
    pub rounds: u64,
    /// The array of its values, and the values themselves where the array does not hold them; nothing for a loop
    /// without values.
    pub values: Option<(Value, Option<Value>)>,
    /// Whether it was left with the last iteration.
    pub is_left: bool,
}

/// Where to go on.
#[derive(Debug, Default)]
pub struct Resumption {
    state: Mutex<State>,
    left: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    done: HashSet<TaskId>,
    loops: HashMap<TaskId, LoopAt>,
    entered: HashSet<TaskId>,
}

impl Resumption {
    pub fn new(tree: &Tree, done: Vec<TaskId>, loops: Vec<LoopAt>) -> Resumption {
        let mut state = State::default();
        for task in done.iter().copied().chain(loops.iter().map(|at| at.task)) {
            let mut here = tree.node(task).parent;
            while let Some(parent) = here {
                let node = tree.node(parent);
                if node.kind().is_some_and(Kind::has_condition) {
                    state.entered.insert(parent);
                }
                here = node.parent;
            }
        }
        state.done.extend(done);
        state.loops.extend(loops.into_iter().map(|at| (at.task, at)));
        let left = state.len();
        Resumption {
            state: Mutex::new(state),
            left: AtomicUsize::new(left),
        }
    }

    /// Whether this task is done; asking uses it up.
    pub(crate) fn takes_done(&self, task: TaskId) -> bool {
        self.take(|state| state.done.remove(&task))
    }

    /// Whether something inside this task was done; asking uses it up.
    pub(crate) fn takes_entered(&self, task: TaskId) -> bool {
        self.take(|state| state.entered.remove(&task))
    }

    /// Where this loop was; asking uses it up.
    pub(crate) fn take_loop(&self, task: TaskId) -> Option<LoopAt> {
        self.take(|state| state.loops.remove(&task))
    }

    #[inline]
    fn take<T: Default>(&self, take: impl FnOnce(&mut State) -> T) -> T {
        if self.left.load(Ordering::Relaxed) == 0 {
            return T::default();
        }
        let mut state = self.state();
        let taken = take(&mut state);
        self.left.store(state.len(), Ordering::Relaxed);
        taken
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tasks whose settings are in force where a run goes on, in the order in which they were last performed. A task below a
/// condition counts only if it was performed for sure: `has_set` says whether its entries are not as they were before the run.
pub fn in_force(tree: &Tree, done: &[TaskId], loops: &[LoopAt], has_set: impl Fn(TaskId) -> bool) -> Vec<TaskId> {
    let parents = |task: TaskId| std::iter::successors(Some(task), |task| tree.node(*task).parent);
    let sets = |task: &TaskId| {
        let node = tree.node(*task);
        node.instrument.is_some() && node.kind().is_some_and(|kind| kind.resume == Resume::Restore)
    };
    let is_sure = |task: TaskId| {
        let is_conditional = |above: TaskId| tree.node(above).kind().is_some_and(Kind::has_condition);
        !parents(task).any(is_conditional) || has_set(task)
    };
    let is_done = |task: TaskId| parents(task).any(|above| done.contains(&above));
    let was_performed = |task: TaskId| {
        let under_way = |above: TaskId| loops.iter().any(|at| at.task == above && at.rounds > 0);
        parents(task).skip(1).any(under_way)
    };
    let all: Vec<TaskId> = tree.walk().into_iter().map(|(_, task)| task).filter(sets).collect();
    let earlier = all.iter().filter(|task| !is_done(**task) && was_performed(**task));
    let now = all.iter().filter(|task| is_done(**task));
    earlier.chain(now).copied().filter(|task| is_sure(*task)).collect()
}

impl State {
    fn len(&self) -> usize {
        self.done.len() + self.loops.len() + self.entered.len()
    }
}
