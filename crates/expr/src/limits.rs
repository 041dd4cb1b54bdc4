//! What a formula may cost: elements, work, depth, the size of an integer. Past a limit an evaluation ends with a `LimitError`.
//!
//! An evaluation cannot be interrupted from outside, so these numbers keep the longest one near a few seconds and below
//! a gigabyte. The meter belongs to the thread: numpy's functions and callbacks count on it without carrying it along.
//! There is no clock here: the same formula ends at the same place on every machine.

use std::cell::Cell;

use crate::{Array, Error, ErrorKind, Value};

/// Elements that one value, and all values of one evaluation together, may have.
pub(crate) const MAX_ELEMENTS: usize = 10_000_000;
/// Nesting of a text, in steps of which a bracket takes two. An unoptimised build needs 10 kB of stack for a step, and a
/// thread has 2 MB.
pub(crate) const MAX_TEXT_DEPTH: u32 = 128;
/// Depth of a formula's tree: a chain `1 + 1 + …` is as deep as it is long. Unoptimised, a level takes 4 kB of stack.
pub(crate) const MAX_TREE_DEPTH: u32 = 200;
/// Lists within lists that a result may have; printing, comparing and dropping them recurse.
pub(crate) const MAX_NESTING: usize = 250;
/// Rows of an array without elements: they cost nothing until they are written out or gone through.
const MAX_EMPTY_ROWS: usize = 100_000;
/// Bits of an integer.
pub(crate) const MAX_INT_BITS: u64 = 1_000_000;
/// Levels of lambdas that call each other: their trees one below the other.
const MAX_CALL_DEPTH: u32 = 200;
/// Levels that the call itself takes.
const CALL_DEPTH: u32 = 6;
/// Steps of an evaluation; a step is about 20–100 ns.
const MAX_STEPS: u64 = 30_000_000;

struct Meter {
    /// Whether an evaluation is under way.
    evaluating: Cell<bool>,
    steps: Cell<u64>,
    elements: Cell<usize>,
    calls: Cell<u32>,
}

thread_local! {
    static METER: Meter = const { Meter { evaluating: Cell::new(false), steps: Cell::new(0), elements: Cell::new(0), calls: Cell::new(0) } };
}

/// An evaluation begins: it has used nothing yet.
pub(crate) fn begin() {
    METER.with(|meter| {
        meter.steps.set(0);
        meter.elements.set(0);
        meter.calls.set(0);
    });
}

/// An evaluation under way; the guard ends it.
pub(crate) struct Evaluation;

impl Evaluation {
    pub(crate) fn begin() -> Evaluation {
        begin();
        METER.with(|meter| meter.evaluating.set(true));
        Evaluation
    }
}

impl Drop for Evaluation {
    fn drop(&mut self) {
        METER.with(|meter| meter.evaluating.set(false));
    }
}

/// Counts one part of what can give no error, like `==`, as the few steps that it takes, and says whether to go on. An
/// evaluation that went beyond its limit ends with an error at its next step, whatever was answered instead.
pub(crate) fn may_go_on() -> bool {
    !METER.with(|meter| meter.evaluating.get()) || work(3).is_ok()
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

/// Refuses a result whose lists lie too deep within lists, or that is too long when it is written out: a formula that
/// wraps its own last result makes them, as `[{l}, {l}]` does, which doubles each time without taking memory.
pub(crate) fn result(value: &Value) -> Result<(), Error> {
    let mut size = 0;
    measure(value, 0, 2 * MAX_ELEMENTS, &mut size)
}

/// Counts the elements of a text that shows all of a value: call it before writing.
pub(crate) fn written(value: &Value) -> Result<(), Error> {
    let mut size = 0;
    measure(value, 0, MAX_ELEMENTS, &mut size)?;
    elements(size)
}

/// Whether an array that has no elements has few enough rows; any other is limited by its elements.
pub(crate) fn has_few_empty_rows(array: &Array) -> bool {
    let count = |count: usize, length: &usize| count.checked_mul((*length).max(1));
    array.size() > 0
        || array
            .shape()
            .iter()
            .try_fold(1, count)
            .is_some_and(|count| count <= MAX_EMPTY_ROWS)
}

/// Adds up what a value holds, as often as it holds it.
fn measure(value: &Value, depth: usize, limit: usize, size: &mut usize) -> Result<(), Error> {
    let own = match value {
        Value::Str(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Array(array) => array.size(),
        Value::Record(record) => record.len().saturating_mul(record.fields.len()),
        Value::BigInt(big) => usize::try_from(big.bits() / 64).unwrap_or(usize::MAX),
        _ => 0,
    };
    *size = size.saturating_add(own).saturating_add(1);
    if *size > limit {
        return Err(exceeded(format!(
            "a value of more than {limit} elements, those within elements counted"
        )));
    }
    if matches!(value, Value::Array(array) if !has_few_empty_rows(array)) {
        return Err(exceeded(format!("more than {MAX_EMPTY_ROWS} rows without elements")));
    }
    if depth > MAX_NESTING {
        return Err(exceeded(format!("values nested more than {MAX_NESTING} deep")));
    }
    let mut inner = |value: &Value| measure(value, depth + 1, limit, size);
    match value {
        Value::List(items) | Value::Tuple(items) => items.iter().try_for_each(inner),
        Value::Set(set) => set.items.iter().try_for_each(inner),
        Value::Dict(dict) => dict.items.iter().try_for_each(|(key, value)| {
            inner(key)?;
            inner(value)
        }),
        Value::Slice(slice) => [&slice.start, &slice.stop, &slice.step].into_iter().try_for_each(inner),
        Value::Function(function) => function.held().try_for_each(inner),
        _ => Ok(()),
    }
}
