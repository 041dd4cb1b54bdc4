//! What a formula may cost: elements, work, depth, the size of an integer. Past a limit an evaluation ends with a `LimitError`.
//!
//! An evaluation cannot be interrupted from outside, so these numbers keep the longest one near a few seconds and below
//! a gigabyte. The meter belongs to the thread: numpy's functions and callbacks count on it without carrying it along.
//! There is no clock here: the same formula ends at the same place on every machine.

use std::cell::Cell;

use crate::{Error, ErrorKind, Value};

/// Elements that one value, and all values of one evaluation together, may have.
pub(crate) const MAX_ELEMENTS: usize = 10_000_000;
/// Nesting of a text, in steps of which a bracket takes two. An unoptimised build needs 10 kB of stack for a step, and a
/// thread has 2 MB.
pub(crate) const MAX_TEXT_DEPTH: u32 = 128;
/// Depth of a formula's tree: a chain `1 + 1 + …` is as deep as it is long. Unoptimised, a level takes 4 kB of stack.
pub(crate) const MAX_TREE_DEPTH: u32 = 200;
/// Lists within lists that a result may have; printing, comparing and dropping them recurse.
pub(crate) const MAX_NESTING: usize = 250;
/// Bits of an integer.
pub(crate) const MAX_INT_BITS: u64 = 1_000_000;
/// Levels of lambdas that call each other: their trees one below the other.
const MAX_CALL_DEPTH: u32 = 200;
/// Levels that the call itself takes.
const CALL_DEPTH: u32 = 6;
/// Steps of an evaluation; a step is about 20–100 ns.
const MAX_STEPS: u64 = 30_000_000;

struct Meter {
    steps: Cell<u64>,
    elements: Cell<usize>,
    calls: Cell<u32>,
}

thread_local! {
    static METER: Meter = const { Meter { steps: Cell::new(0), elements: Cell::new(0), calls: Cell::new(0) } };
}

/// An evaluation begins: it has used nothing yet.
pub(crate) fn begin() {
    METER.with(|meter| {
        meter.steps.set(0);
        meter.elements.set(0);
        meter.calls.set(0);
    });
}

/// Counts `steps` of work.
pub(crate) fn work(steps: usize) -> Result<(), Error> {
    METER.with(|meter| {
        let total = meter.steps.get().saturating_add(steps as u64);
        meter.steps.set(total);
        if total > MAX_STEPS {
            Err(exceeded(format!("more than {MAX_STEPS} steps")))
        } else {
            Ok(())
        }
    })
}

/// Counts `count` elements that are about to be created: call it before allocating.
pub(crate) fn elements(count: usize) -> Result<(), Error> {
    METER.with(|meter| {
        let total = meter.elements.get().saturating_add(count);
        if total > MAX_ELEMENTS {
            return Err(exceeded(format!("more than {MAX_ELEMENTS} elements")));
        }
        meter.elements.set(total);
        Ok(())
    })
}

/// One lambda within another; the guard gives the level back.
pub(crate) struct Call {
    depth: u32,
}

impl Call {
    /// Begins a lambda whose tree is `depth` deep.
    pub(crate) fn enter(depth: u32) -> Result<Call, Error> {
        let depth = depth + CALL_DEPTH;
        METER.with(|meter| {
            let total = meter.calls.get() + depth;
            if total > MAX_CALL_DEPTH {
                return Err(exceeded("functions that call each other too deep".to_owned()));
            }
            meter.calls.set(total);
            Ok(Call { depth })
        })
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        METER.with(|meter| meter.calls.set(meter.calls.get().saturating_sub(self.depth)));
    }
}

/// Refuses an integer of `bits` bits when that is too many: call it before computing.
pub(crate) fn int_bits(bits: u64) -> Result<(), Error> {
    if bits > MAX_INT_BITS {
        return Err(exceeded(format!("an integer of more than {MAX_INT_BITS} bits")));
    }
    // Multiplying and printing grow faster than the number of words; this keeps loops over them short.
    work(usize::try_from(bits / 64).unwrap_or(usize::MAX))
}

pub(crate) fn exceeded(what: String) -> Error {
    Error::new(ErrorKind::LimitError, format!("a formula's limit: {what}"))
}

/// Refuses a value whose lists lie too deep within lists: a formula that wraps its own last result makes them.
pub(crate) fn nesting(value: &Value) -> Result<(), Error> {
    let mut level = vec![value];
    for _ in 0..MAX_NESTING {
        let mut next = Vec::new();
        for value in level {
            let inner =
                |value: &&Value| matches!(value, Value::List(_) | Value::Tuple(_) | Value::Dict(_) | Value::Set(_));
            match value {
                Value::List(items) | Value::Tuple(items) => next.extend(items.iter().filter(inner)),
                Value::Dict(dict) => next.extend(dict.items.iter().flat_map(|(k, v)| [k, v]).filter(inner)),
                Value::Set(set) => next.extend(set.items.iter().filter(inner)),
                _ => {}
            }
        }
        if next.is_empty() {
            return Ok(());
        }
        level = next;
    }
    Err(exceeded(format!("values nested more than {MAX_NESTING} deep")))
}
