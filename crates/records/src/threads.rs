//! In what order frames count, when several threads of a run wrote them.
//!
//! What a thread did counts when it is complete: with the iteration of its innermost loop, or with its task. Work that
//! was started in the background inside an iteration counts only once that iteration does: else it would be done again
//! with it. So frames wait here until what they belong to is complete; what never was, never counts.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

use crate::{frame::Kind, layout::Layout, scan::Frame, schema::Schema};

/// Frames that wait.
#[derive(Default)]
pub(crate) struct Threads {
    /// Of the iteration or task under way, by thread.
    pending: HashMap<u32, Vec<Kept>>,
    /// Complete, but of work whose start does not count yet.
    held: HashMap<u32, Vec<Kept>>,
    /// Work in the background that counts.
    confirmed: HashSet<u32>,
}

/// A frame that was kept.
pub(crate) struct Kept {
    kind: Kind,
    argument: u32,
    payload: Vec<u8>,
    layout: Option<Rc<Layout>>,
    end: u64,
}

impl Kept {
    fn of(frame: &Frame<'_>) -> Self {
        Self {
            kind: frame.kind,
            argument: frame.argument,
            payload: frame.payload.to_vec(),
            layout: frame.layout.cloned(),
            end: frame.end,
        }
    }

    fn frame(&self) -> Frame<'_> {
        Frame {
            kind: self.kind,
            argument: self.argument,
            payload: &self.payload,
            layout: self.layout.as_ref(),
            end: self.end,
        }
    }
}

/// The run itself.
const MAIN: u32 = 0;

impl Threads {
    /// Gives the frames that count from here on to `count`, in order; says whether there were any.
    pub(crate) fn hear(&mut self, schema: &Schema, frame: &Frame<'_>, count: &mut dyn FnMut(&Frame<'_>)) -> bool {
        let Some((thread, completes)) = thread_of(schema, frame) else {
            count(frame);
            return true;
        };
        if !completes {
            self.pending.entry(thread).or_default().push(Kept::of(frame));
            return false;
        }
        if thread == MAIN && self.pending.is_empty() {
            count(frame);
            return true;
        }
        let mut complete = self.pending.remove(&thread).unwrap_or_default();
        complete.push(Kept::of(frame));
        if thread != MAIN && !self.confirmed.contains(&thread) {
            self.held.entry(thread).or_default().extend(complete);
            return false;
        }
        self.count_all(complete, count);
        true
    }

    fn count_all(&mut self, complete: Vec<Kept>, count: &mut dyn FnMut(&Frame<'_>)) {
        // A stack, so that what was held comes right behind its start.
        let mut waiting: Vec<Kept> = complete.into_iter().rev().collect();
        while let Some(kept) = waiting.pop() {
            count(&kept.frame());
            match kept.kind {
                Kind::Started => {
                    self.confirmed.insert(kept.argument);
                    waiting.extend(self.held.remove(&kept.argument).unwrap_or_default().into_iter().rev());
                }
                Kind::Finished => {
                    self.confirmed.remove(&kept.argument);
                }
                Kind::Schema
                | Kind::Values
                | Kind::Layout
                | Kind::Begin
                | Kind::Row
                | Kind::LastRow
                | Kind::LongRow
                | Kind::Done
                | Kind::Late
                | Kind::Patch
                | Kind::File
                | Kind::FileAt
                | Kind::Time
                | Kind::Mark
                | Kind::Last => (),
            }
        }
    }

    /// Another process went on: what did not count by then never will.
    pub(crate) fn forget(&mut self) {
        self.pending.clear();
        self.held.clear();
    }

    /// Counts what is complete although what started it is not: to show it, not to go on from it.
    pub(crate) fn count_held(&mut self, count: &mut dyn FnMut(&Frame<'_>)) {
        for held in std::mem::take(&mut self.held).into_values() {
            self.count_all(held, count);
        }
    }
}

/// The thread that a frame is of, and whether it completes what that thread did; nothing for frames that count at once.
fn thread_of(schema: &Schema, frame: &Frame<'_>) -> Option<(u32, bool)> {
    let argument = frame.argument;
    let task = |task: u32| schema.tasks.get(task as usize);
    match frame.kind {
        Kind::Row | Kind::LastRow | Kind::LongRow | Kind::Begin => {
            let table = schema.tables.get(argument as usize);
            let thread = table
                .and_then(|table| task(table.task))
                .map_or(MAIN, |task| task.works_in);
            Some((thread, true))
        }
        Kind::Done => Some((task(argument).map_or(MAIN, |task| task.called_in), true)),
        Kind::Finished => Some((argument, true)),
        Kind::Started => Some((task(argument).map_or(MAIN, |task| task.called_in), false)),
        Kind::Late | Kind::Patch => Some((argument, false)),
        Kind::FileAt => Some((task(argument).map_or(MAIN, |task| task.works_in), false)),
        Kind::Schema | Kind::Values | Kind::Layout | Kind::File | Kind::Time | Kind::Mark | Kind::Last => None,
    }
}
