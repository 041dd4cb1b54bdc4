//! A checked tree made ready to perform: formulas compiled, references resolved to slots, and nothing left to look up.
//!
//! Every task becomes a [`Step`]: whether it may be stopped, what it waits for, where it runs, and its [`Work`]. A task is
//! performed as in Exopy: checkpoint, then wait for pools, then its work, here or in the background of its pool. A
//! stopping run does not unwind: every task that may be stopped returns at once, and one marked `stoppable = False`
//! (to bring a source back to zero, say) is still performed.

use std::{fmt, time::Duration};

use expr::{Formula, Template, Value};

use crate::{
    bench::{Bench, Pools, Signal},
    instrument::{Ask, InstrumentId, Unanswered, Where},
    names::EntryId,
    resumption::{LoopAt, Resumption},
    tree::TaskId,
};

/// Why a task did not simply return.
#[derive(Debug)]
pub(crate) enum Exit {
    /// Leave the loop around.
    Break,
    /// Go on with the next iteration of the loop around.
    Continue,
    /// The run is being stopped: the task returns as it is.
    Stopped,
    Failed(Box<Failure>),
}

/// What a task raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Path of the task: `root/loop/f`.
    pub task: String,
    /// The field and its text, when one is to blame.
    pub field: Option<(String, String)>,
    /// `ZeroDivisionError: division by zero`
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        write!(f, "\n  in `{}`", self.task)?;
        if let Some((field, text)) = &self.field {
            write!(f, ", {field} = {text}")?;
        }
        Ok(())
    }
}

/// What a task does.
pub(crate) trait Work: Send + Sync {
    fn perform(&self, at: &At<'_>) -> Result<(), Exit>;
}

pub(crate) struct Step {
    pub(crate) path: String,
    pub(crate) stoppable: bool,
    pub(crate) wait: Option<Pools>,
    pub(crate) pool: Option<String>,
    /// Whether it goes on record when it is complete.
    pub(crate) is_marked: bool,
    /// The entry that holds what it set, for a task whose setting is made again when a run goes on.
    pub(crate) restores: Option<EntryId>,
    pub(crate) work: Box<dyn Work>,
}

/// A tree, ready to perform; steps are numbered as the tasks of the tree.
pub struct Program {
    pub(crate) steps: Vec<Step>,
    resumption: Resumption,
}

impl Program {
    pub(crate) fn new(steps: Vec<Step>) -> Self {
        Self {
            steps,
            resumption: Resumption::default(),
        }
    }

    /// The same program, to be performed from where it was broken off.
    #[must_use]
    pub fn resumed(self, resumption: Resumption) -> Self {
        Self { resumption, ..self }
    }

    /// The pool in whose background a task is performed.
    pub fn pool(&self, task: TaskId) -> Option<&str> {
        self.steps[task.index()].pool.as_deref()
    }

    /// Performs the whole measurement.
    ///
    /// # Errors
    /// What the first task that failed in this thread raised.
    pub fn perform(&self, bench: &dyn Bench) -> Result<(), Box<Failure>> {
        self.perform_work(TaskId::ROOT, None, bench)
    }

    /// Performs the work of one task in the thread that calls: what [`Bench::start`] asked for.
    ///
    /// # Errors
    /// What a task raised.
    pub fn perform_work(&self, task: TaskId, value: Option<&Value>, bench: &dyn Bench) -> Result<(), Box<Failure>> {
        let run = Run { program: self, bench };
        match run.program.steps[task.index()].work.perform(&At {
            run: &run,
            task,
            value,
            is_restoring: false,
        }) {
            Ok(()) | Err(Exit::Break | Exit::Continue | Exit::Stopped) => Ok(()),
            Err(Exit::Failed(failure)) => Err(failure),
        }
    }

    /// Sets again what a task had set when the run broke off: see [`crate::Resume::Restore`].
    ///
    /// # Errors
    /// The instrument does not take it.
    pub fn restore(&self, task: TaskId, bench: &dyn Bench) -> Result<(), Box<Failure>> {
        let run = Run { program: self, bench };
        let step = &self.steps[task.index()];
        let Some(entry) = step.restores else { return Ok(()) };
        let mut value = [Value::None];
        bench.read(&[entry], &mut value);
        let restored = step.work.perform(&At {
            run: &run,
            task,
            value: Some(&value[0]),
            is_restoring: true,
        });
        match restored {
            Ok(()) | Err(Exit::Break | Exit::Continue | Exit::Stopped) => Ok(()),
            Err(Exit::Failed(failure)) => Err(failure),
        }
    }

    /// Whether a stop ends this task.
    pub fn is_stoppable(&self, task: TaskId) -> bool {
        self.steps[task.index()].stoppable
    }

    /// Path of a task: `root/loop/f`.
    pub fn path(&self, task: TaskId) -> &str {
        &self.steps[task.index()].path
    }
}

/// A program on a bench.
pub(crate) struct Run<'a> {
    program: &'a Program,
    pub(crate) bench: &'a dyn Bench,
}

impl Run<'_> {
    fn perform(&self, task: TaskId, value: Option<&Value>) -> Result<(), Exit> {
        let step = &self.program.steps[task.index()];
        if self.program.resumption.takes_done(task) {
            return Ok(());
        }
        if step.stoppable {
            if self.bench.checkpoint(task) == Signal::Stop {
                return Ok(());
            }
        } else {
            self.bench.passes(task);
        }
        let failed = |message| {
            Exit::Failed(Box::new(Failure {
                task: step.path.clone(),
                field: None,
                message,
            }))
        };
        if let Some(pools) = &step.wait {
            self.bench.wait(task, pools).map_err(failed)?;
        }
        match &step.pool {
            None => match step.work.perform(&At {
                run: self,
                task,
                value,
                is_restoring: false,
            }) {
                Err(Exit::Stopped) => return Ok(()),
                done => done?,
            },
            Some(pool) => self.bench.start(task, pool, value).map_err(failed)?,
        }
        if step.is_marked {
            self.bench.record_done(task).map_err(failed)?;
        }
        Ok(())
    }
}

/// A task at its place in the run, while it is performed.
pub(crate) struct At<'a> {
    pub(crate) run: &'a Run<'a>,
    pub(crate) task: TaskId,
    /// The value of the loop that this task is embedded in, or what it set before the run broke off.
    pub(crate) value: Option<&'a Value>,
    /// Whether the value is that of its own first entry: what it set before the run broke off.
    pub(crate) is_restoring: bool,
}

impl At<'_> {
    pub(crate) fn bench(&self) -> &dyn Bench {
        self.run.bench
    }

    pub(crate) fn stoppable(&self) -> bool {
        self.step().stoppable
    }

    pub(crate) fn perform(&self, task: TaskId, value: Option<&Value>) -> Result<(), Exit> {
        self.run.perform(task, value)
    }

    pub(crate) fn perform_all(&self, tasks: &[TaskId]) -> Result<(), Exit> {
        tasks.iter().try_for_each(|task| self.run.perform(*task, None))
    }

    pub(crate) fn write(&self, entry: EntryId, value: Value) {
        self.run.bench.write(entry, value);
    }

    /// The value of a formula with the entries as they are now.
    #[inline]
    pub(crate) fn evaluate(&self, compiled: &Compiled) -> Result<Value, Exit> {
        match &compiled.formula {
            Ok(formula) => self
                .with_values(&compiled.entries, |values| formula.eval(values))
                .map_err(|error| self.fail_in(&compiled.field, formula.text(), error.to_string())),
            Err((text, message)) => Err(self.fail_in(&compiled.field, text, message.clone())),
        }
    }

    pub(crate) fn format(&self, compiled: &CompiledTemplate) -> Result<String, Exit> {
        match &compiled.template {
            Ok(template) => Ok(self.with_values(&compiled.entries, |values| template.format(values))),
            Err((text, message)) => Err(self.fail_in(&compiled.field, text, message.clone())),
        }
    }

    /// Python's truth of a formula's value.
    #[inline]
    pub(crate) fn is_true(&self, compiled: &Compiled) -> Result<bool, Exit> {
        let value = self.evaluate(compiled)?;
        if let Value::Bool(truth) = value {
            return Ok(truth);
        }
        let text = || compiled.formula.as_ref().map_or("", Formula::text);
        value
            .truthy()
            .map_err(|error| self.fail_in(&compiled.field, text(), error.to_string()))
    }

    /// Asks something of the task's instrument.
    pub(crate) fn ask(&self, instrument: Option<InstrumentId>, at: Where<'_>, ask: Ask<'_>) -> Result<Value, Exit> {
        let Some(instrument) = instrument else {
            return Err(self.fail("no instrument is selected"));
        };
        match self.bench().ask(self.task, instrument, at, ask) {
            Ok(value) => Ok(value),
            Err(Unanswered::Stopped) => Err(Exit::Stopped),
            Err(Unanswered::Failed(message)) => Err(self.fail(message)),
        }
    }

    /// Whether to do more, after a pause if there is one; a stop ends the task.
    pub(crate) fn go_on(&self) -> Result<(), Exit> {
        if self.stoppable() && self.bench().checkpoint(self.task) == Signal::Stop {
            return Err(Exit::Stopped);
        }
        Ok(())
    }

    /// The number that a value is; anything else fails the task.
    pub(crate) fn number(&self, value: &Value) -> Result<f64, Exit> {
        let number = value.as_f64().filter(|_| value.is_real());
        number.ok_or_else(|| self.fail(format!("TypeError: {} is no real number", value.repr())))
    }

    /// Waits; a stop ends the task.
    pub(crate) fn sleep(&self, seconds: f64) -> Result<(), Exit> {
        let time = Duration::try_from_secs_f64(seconds.max(0.0))
            .map_err(|_| self.fail(format!("ValueError: cannot wait for {seconds} s")))?;
        if time.is_zero() {
            return Ok(());
        }
        if !self.stoppable() {
            self.bench().sleep_through(self.task, time);
            return Ok(());
        }
        match self.bench().sleep(self.task, time) {
            Signal::Go => Ok(()),
            Signal::Stop => Err(Exit::Stopped),
        }
    }

    /// Where this loop goes on, if the run was broken off in it.
    pub(crate) fn resumed_loop(&self) -> Option<LoopAt> {
        self.run.program.resumption.take_loop(self.task)
    }

    /// Whether the run was broken off inside this task.
    pub(crate) fn resumes_inside(&self) -> bool {
        self.run.program.resumption.takes_entered(self.task)
    }

    /// An iteration of this loop is complete.
    pub(crate) fn record_iteration(&self, is_left: bool) -> Result<(), Exit> {
        let recorded = self.bench().record_iteration(self.task, is_left);
        recorded.map_err(|message| self.fail(message))
    }

    /// Performs the rounds of a loop, announced before and after.
    pub(crate) fn in_loop(&self, total: Option<u64>, rounds: impl FnOnce() -> Result<(), Exit>) -> Result<(), Exit> {
        self.bench().loop_begins(self.task, total);
        let result = rounds();
        self.bench().loop_ends(self.task);
        result
    }

    pub(crate) fn fail(&self, message: impl Into<String>) -> Exit {
        Exit::Failed(Box::new(Failure {
            task: self.step().path.clone(),
            field: None,
            message: message.into(),
        }))
    }

    #[cold]
    fn fail_in(&self, field: &str, text: &str, message: String) -> Exit {
        let field = Some((field.to_owned(), text.to_owned()));
        Exit::Failed(Box::new(Failure {
            task: self.step().path.clone(),
            field,
            message,
        }))
    }

    fn step(&self) -> &Step {
        &self.run.program.steps[self.task.index()]
    }

    /// Few entries, which is nearly always, are read into the stack.
    #[inline]
    fn with_values<T>(&self, entries: &[EntryId], use_them: impl FnOnce(&[Value]) -> T) -> T {
        const FEW: usize = 4;
        if entries.len() <= FEW {
            let mut values = [const { Value::None }; FEW];
            let values = &mut values[..entries.len()];
            if !entries.is_empty() {
                self.run.bench.read(entries, values);
            }
            use_them(values)
        } else {
            let mut values = vec![Value::None; entries.len()];
            self.run.bench.read(entries, &mut values);
            use_them(&values)
        }
    }
}

/// A formula with its references resolved; one that cannot be compiled fails when it is reached, not before, because a
/// run may be asked for in spite of its checks.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) field: String,
    /// The formula, or its text and what is wrong with it.
    pub(crate) formula: Result<Formula, (String, String)>,
    pub(crate) entries: Vec<EntryId>,
}

/// A text with references, compiled likewise.
#[derive(Debug)]
pub(crate) struct CompiledTemplate {
    pub(crate) field: String,
    pub(crate) template: Result<Template, (String, String)>,
    pub(crate) entries: Vec<EntryId>,
}
