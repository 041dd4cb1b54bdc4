//! What tells the parent, while tasks are at work, how far they are: a thread that looks now and then.
//!
//! It takes the latest values of the observed entries, the iterations of the running loops, and where a thread is that
//! has not moved for a while. The tasks do not wait for it.

use std::{
    collections::HashMap,
    sync::{Arc, Condvar, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use measurement::{EntryId, TaskId};
use protocol::{Doing, Event, Value};

use crate::{
    live_bench::{Shared, lock},
    place::Place,
};

/// Values are sent this often: quicker than anybody reads.
const PERIOD: Duration = Duration::from_millis(20);

/// Every so many periods, the loops are looked at.
const PROGRESS: u32 = 2;

/// Who has not moved for this long is named, and again each time it has passed.
const LONG: Duration = Duration::from_secs(1);

pub(crate) struct Spy {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: JoinHandle<()>,
}

struct Look {
    shared: Arc<Shared>,
    /// The entry with the iteration of each loop.
    indices: HashMap<TaskId, EntryId>,
    said: HashMap<TaskId, (i64, Option<u64>)>,
    still: Vec<Still>,
}

/// A thread that did not move when it was looked at last.
struct Still {
    place: Arc<Place>,
    steps: u32,
    since: Instant,
    said: Duration,
}

impl Spy {
    /// `indices` are the entries with the iterations of all loops.
    pub(crate) fn start(shared: &Arc<Shared>, indices: HashMap<TaskId, EntryId>) -> std::io::Result<Self> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let watched = stop.clone();
        let mut look = Look {
            shared: shared.clone(),
            indices,
            said: HashMap::new(),
            still: Vec::new(),
        };
        let body = move || {
            let (stop, changed) = &*watched;
            for period in 1_u32.. {
                let waited = changed.wait_timeout_while(lock(stop), PERIOD, |stop| !*stop);
                let stopped = *waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
                look.shared.store.send(&look.shared.outbox);
                if stopped {
                    look.progress(|_| true);
                    return;
                }
                if period.is_multiple_of(PROGRESS) {
                    look.progress(|running| running);
                    look.who_stands_still();
                }
            }
        };
        let thread = std::thread::Builder::new().name("spy".to_owned()).spawn(body)?;
        Ok(Self { stop, thread })
    }

    /// Sends the last values, and ends.
    pub(crate) fn finish(self) {
        *lock(&self.stop.0) = true;
        self.stop.1.notify_all();
        // A spy that panicked took the process with it; there is nothing to learn from the join.
        self.thread.join().ok();
    }
}

impl Look {
    fn progress(&mut self, wanted: impl Fn(bool) -> bool) {
        let loops = lock(&self.shared.loops).clone();
        for running in loops.into_iter().filter(|running| wanted(running.is_running)) {
            let Some(entry) = self.indices.get(&running.task) else {
                continue;
            };
            let Value::Int(index) = self.shared.store.get(*entry) else {
                continue;
            };
            let news = (index, running.total);
            if self.said.insert(running.task, news) != Some(news) {
                let task = self.shared.program.path(running.task).to_owned();
                self.shared.outbox.say(Event::Progress {
                    task,
                    index: index.unsigned_abs(),
                    total: running.total,
                });
            }
        }
    }

    fn who_stands_still(&mut self) {
        let places = lock(&self.shared.places).clone();
        self.still
            .retain(|still| places.iter().any(|place| Arc::ptr_eq(place, &still.place)));
        for place in places {
            let (task, steps, doing) = place.read();
            let position = self
                .still
                .iter()
                .position(|still| Arc::ptr_eq(&still.place, &place))
                .unwrap_or_else(|| {
                    self.still.push(Still {
                        place: place.clone(),
                        steps,
                        since: Instant::now(),
                        said: Duration::ZERO,
                    });
                    self.still.len() - 1
                });
            let still = &mut self.still[position];
            if still.steps != steps {
                *still = Still {
                    place,
                    steps,
                    since: Instant::now(),
                    said: Duration::ZERO,
                };
                continue;
            }
            let time = still.since.elapsed();
            // A thread that waits is not at fault, the one that it waits for is; one that is held was asked to.
            let is_named = matches!(doing, Doing::Working | Doing::Sleeping);
            if time >= still.said + LONG && is_named {
                still.said = time;
                let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
                let task = self.shared.program.path(task).to_owned();
                self.shared.outbox.say(Event::At { task, doing, millis });
            }
        }
    }
}
