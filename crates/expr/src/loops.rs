//! Comprehensions and how they run: loops that collect, and the names that they set.

use std::sync::Arc;

use crate::eval::{Frame, Node};
use crate::syntax::ComprehensionKind;
use crate::{Dict, Error, ErrorKind, Set, Span, Value};
use crate::{distinct, limits};

#[derive(Debug)]
pub(crate) struct Comprehension {
    pub(crate) kind: ComprehensionKind,
    pub(crate) key: Option<Node>,
    pub(crate) element: Node,
    pub(crate) clauses: Vec<Loop>,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) target: Slots,
    pub(crate) iterable: Node,
    pub(crate) conditions: Vec<Node>,
    /// Nodes that run for each element.
    pub(crate) cost: usize,
    pub(crate) span: Span,
}

/// Where a loop puts its elements.
#[derive(Debug)]
pub(crate) enum Slots {
    One(usize),
    Many {
        before: Vec<Slots>,
        starred: Option<Box<Slots>>,
        after: Vec<Slots>,
    },
}

/// What a comprehension has made so far.
#[derive(Default)]
struct Collected {
    elements: Vec<Value>,
    pairs: Vec<(Value, Value)>,
}

impl Comprehension {
    #[inline(never)]
    pub(crate) fn eval(&self, frame: &mut Frame<'_>) -> Result<Value, Error> {
        let mut collected = Collected::default();
        self.run(0, &mut collected, frame)?;
        Ok(match self.kind {
            ComprehensionKind::List | ComprehensionKind::Generator => Value::list(collected.elements),
            ComprehensionKind::Set => {
                let items = distinct::distinct(collected.elements).map_err(|error| error.at(self.span))?;
                Value::Set(Arc::new(Set { items }))
            }
            ComprehensionKind::Dict => {
                let items = distinct::keyed(collected.pairs).map_err(|error| error.at(self.span))?;
                Value::Dict(Arc::new(Dict { items }))
            }
        })
    }

    fn run(&self, depth: usize, collected: &mut Collected, frame: &mut Frame<'_>) -> Result<(), Error> {
        let Some(clause) = self.clauses.get(depth) else {
            limits::elements(1)?;
            let key = match &self.key {
                Some(key) => Some(key.eval(frame)?),
                None => None,
            };
            let element = self.element.eval(frame)?;
            match key {
                Some(key) => collected.pairs.push((key, element)),
                None => collected.elements.push(element),
            }
            return Ok(());
        };
        let iterable = clause.iterable.eval(frame)?;
        match &iterable {
            // As long as it is not made, a range may be of any length.
            Value::Range(range) => {
                for number in range.iter() {
                    self.step(clause, Value::Int(number), depth, collected, frame)?;
                }
            }
            Value::List(items) | Value::Tuple(items) => {
                for item in items.iter() {
                    self.step(clause, item.clone(), depth, collected, frame)?;
                }
            }
            other => {
                for item in other.items().map_err(|error| error.at(clause.span))? {
                    self.step(clause, item, depth, collected, frame)?;
                }
            }
        }
        Ok(())
    }

    fn step(
        &self,
        clause: &Loop,
        item: Value,
        depth: usize,
        collected: &mut Collected,
        frame: &mut Frame<'_>,
    ) -> Result<(), Error> {
        limits::work(clause.cost)?;
        clause
            .target
            .assign(item, &mut frame.locals)
            .map_err(|error| error.at(clause.span))?;
        for condition in &clause.conditions {
            if !condition.eval(frame)?.truthy()? {
                return Ok(());
            }
        }
        self.run(depth + 1, collected, frame)
    }
}

impl Slots {
    fn assign(&self, value: Value, locals: &mut [Value]) -> Result<(), Error> {
        let (before, starred, after) = match self {
            Slots::One(slot) => {
                locals[*slot] = value;
                return Ok(());
            }
            Slots::Many { before, starred, after } => (before, starred, after),
        };
        if !value.is_iterable() {
            let message = format!("cannot unpack non-iterable {} object", value.type_name());
            return Err(Error::new(ErrorKind::TypeError, message));
        }
        let mut items = value.items()?;
        let wanted = before.len() + after.len();
        if items.len() < wanted {
            let message = format!("not enough values to unpack (expected {wanted}, got {})", items.len());
            return Err(Error::new(ErrorKind::ValueError, message));
        }
        if items.len() > wanted && starred.is_none() {
            return Err(Error::new(
                ErrorKind::ValueError,
                format!("too many values to unpack (expected {wanted})"),
            ));
        }
        let tail = items.split_off(items.len() - after.len());
        let middle = items.split_off(before.len());
        for (slots, item) in before.iter().zip(items).chain(after.iter().zip(tail)) {
            slots.assign(item, locals)?;
        }
        match starred {
            Some(slots) => slots.assign(Value::list(middle), locals),
            None => Ok(()),
        }
    }
}
