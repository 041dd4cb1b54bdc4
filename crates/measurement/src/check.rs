//! Checking a tree, and making it ready: the two passes over all tasks before anything is performed.
//!
//! A check evaluates every text with the entries as they are so far, in the order of the file, and leaves what it found
//! in the entries: a definition gets its value here. It gathers problems and never stops at one.

use std::collections::HashMap;

use expr::{Braces, Error, ErrorKind, Formula, Reference, Template, Value};

use crate::{
    instrument::{InstrumentId, Selected},
    names::EntryId,
    problem::{Problem, Severity, Stage, nearest},
    program::{Compiled, CompiledTemplate, Program, Step},
    python::{PythonCall, PythonSide},
    tables::Tables,
    task::{LoopAround, Resume, Text},
    tree::{Node, TaskId, Tree, place},
};

/// What a check may ask of the world: whether a file can be written, and what one that is there begins with.
pub trait Surroundings {
    /// # Errors
    /// Why no file can be written in `path`.
    fn folder(&self, path: &str) -> Result<(), String>;

    /// The same for a folder that is made, with those around it, if it is missing.
    ///
    /// # Errors
    /// Why no file could be written in `path`.
    fn folder_or_made(&self, path: &str) -> Result<(), String>;

    /// Whether there is a file at `path`.
    fn is_file(&self, path: &str) -> bool;

    /// What a file begins with: as much as one wants to look at in a check. Nothing if it cannot be read.
    fn beginning(&self, path: &str) -> Option<Vec<u8>>;

    /// Why an instrument could not be opened, as far as can be known without trying.
    fn instrument_problem(&self, instrument: &Selected) -> Option<(Severity, String)> {
        let _ = instrument;
        None
    }

    /// Lets a task that is written in Python check itself, where there is Python.
    ///
    /// # Errors
    /// What it raised.
    fn check_python(&self, call: &PythonCall<'_>, side: &mut dyn PythonSide) -> Result<(), String> {
        let _ = (call, side);
        Ok(())
    }

    /// Whether an instrument has a parameter or a method of this name, as far as can be known without opening it.
    fn instrument_has(&self, instrument: &Selected, name: &str) -> bool {
        let _ = (instrument, name);
        true
    }

    /// The paths of the datasets in an HDF5 file; nothing if it cannot be read.
    fn datasets(&self, path: &str) -> Option<Vec<String>>;
}

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    Anything,
    /// Python's `numbers.Real`.
    Real,
    /// Python's `numbers.Integral`.
    Integral,
    Iterable,
    /// A numpy array, with named fields or without.
    Array,
}

/// Entries after a check, and what it found.
#[derive(Debug)]
pub struct Checked {
    /// By [`EntryId`].
    pub values: Vec<Value>,
    pub problems: Vec<Problem>,
}

impl Tree {
    /// Checks every task. `facts` are the values of the root's own entries (`meas_name` …).
    pub fn check(&self, facts: &[(&str, Value)], surroundings: &dyn Surroundings) -> Checked {
        let mut check = Check::new(self, facts, surroundings);
        check.task(TaskId::ROOT);
        check.deadlocks();
        Checked {
            values: check.values,
            problems: check.problems,
        }
    }

    /// The values that entries have when the checks are skipped: definitions are evaluated all the same.
    pub fn define(&self, facts: &[(&str, Value)], surroundings: &dyn Surroundings) -> Vec<Value> {
        let mut check = Check::new(self, facts, surroundings);
        for (index, node) in self.nodes().iter().enumerate() {
            if node.kind().is_some_and(|kind| kind.id == "exopy.DefinitionTask") {
                check.current = TaskId(u32::try_from(index).expect("numbers of tasks fit"));
                node.task.check(&mut check);
            }
        }
        check.values
    }

    /// Compiles every formula and resolves every reference.
    pub fn prepare(&self) -> Program {
        let plan = Tables::of(self);
        let steps = self.nodes().iter().enumerate().map(|(index, node)| {
            let task = TaskId(u32::try_from(index).expect("numbers of tasks fit"));
            Step {
                path: node.path.clone(),
                stoppable: node.stoppable,
                wait: node.wait.clone(),
                pool: node.pool.clone(),
                is_marked: plan.tasks[index].is_marked,
                restores: restored_entry(self, task, node),
                work: node.task.prepare(&mut Prepare { tree: self, task }),
            }
        });
        Program::new(steps.collect())
    }
}

/// A check under way.
pub(crate) struct Check<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) surroundings: &'a dyn Surroundings,
    values: Vec<Value>,
    problems: Vec<Problem>,
    pub(crate) current: TaskId,
}

impl<'a> Check<'a> {
    pub(crate) fn new(tree: &'a Tree, facts: &[(&str, Value)], surroundings: &'a dyn Surroundings) -> Self {
        let values = tree
            .database()
            .entries()
            .iter()
            .map(|entry| entry.default.clone())
            .collect();
        let mut check = Self {
            tree,
            surroundings,
            values,
            problems: Vec::new(),
            current: TaskId::ROOT,
        };
        for (name, value) in facts {
            if let Some(entry) = tree.database().own(crate::names::Database::ROOT, name) {
                check.values[entry.index()] = value.clone();
            }
        }
        check
    }

    /// With the values that an earlier check left.
    pub(crate) fn resume(tree: &'a Tree, values: Vec<Value>, surroundings: &'a dyn Surroundings) -> Self {
        Self {
            tree,
            surroundings,
            values,
            problems: Vec::new(),
            current: TaskId::ROOT,
        }
    }

    fn task(&mut self, task: TaskId) {
        self.current = task;
        let node = self.tree.node(task);
        node.task.check(self);
        if !node.task.checks_children() {
            return;
        }
        for child in node.embedded.iter().chain(&node.children) {
            self.task(*child);
        }
    }

    pub(crate) fn node(&self) -> &'a Node {
        self.tree.node(self.current)
    }

    /// The value of a text, if it has one of the right kind; every problem of it is reported under `field`.
    pub(crate) fn evaluate(&mut self, field: &str, text: &Text, expect: Expect) -> Option<Value> {
        let value = self.value(field, text, Braces::References)?;
        let (fits, wanted) = match expect {
            Expect::Anything => (true, ""),
            Expect::Real => (value.is_real(), "a real number"),
            Expect::Integral => (value.is_integral(), "a whole number"),
            Expect::Iterable => (value.is_iterable(), "something to iterate over"),
            Expect::Array => (matches!(value, Value::Array(_) | Value::Record(_)), "an array"),
        };
        if !fits {
            let message = format!("`{field}` should be {wanted}, not {} ({})", value.repr(), value.kind());
            self.error_at(field, message, text, None);
            return None;
        }
        Some(value)
    }

    /// Looks at the task's instrument: whether there is one, can be reached as far as can be said, and has all of `names`.
    pub(crate) fn instrument(&mut self, names: &[&str]) {
        let Some(instrument) = self.node().instrument else {
            let hint = "write `selected_instrument = \"('profile', 'driver', 'connection', None)\"`";
            self.error("-instrument", "no instrument is selected").hint = Some(hint.to_owned());
            return;
        };
        let selected = &self.tree.instruments()[instrument.index()];
        if let Some((severity, message)) = self.surroundings.instrument_problem(selected) {
            self.error("-instrument", message).severity = severity;
        } else if let Some(name) = names
            .iter()
            .find(|name| !self.surroundings.instrument_has(selected, name))
        {
            self.error("-instrument", format!("the driver of {selected} has no `{name}`"));
        }
    }

    /// Whether the task's instrument has a parameter, or nobody can say.
    pub(crate) fn instrument_has(&self, name: &str) -> bool {
        let selected = self
            .node()
            .instrument
            .map(|instrument| &self.tree.instruments()[instrument.index()]);
        selected.is_none_or(|selected| self.surroundings.instrument_has(selected, name))
    }

    /// Whether the task that is checked is embedded in a loop, whose value it gets.
    pub(crate) fn is_embedded(&self) -> bool {
        self.tree.is_embedded(self.current)
    }

    /// The value of a definition: braces are Python's here, and there are no references.
    pub(crate) fn define(&mut self, field: &str, text: &Text) -> Option<Value> {
        self.value(field, text, Braces::Displays)
    }

    fn value(&mut self, field: &str, text: &Text, braces: Braces) -> Option<Value> {
        let formula = match Formula::parse(&text.text, braces) {
            Ok(formula) => formula,
            Err(error) => {
                self.report(field, text, &error);
                return None;
            }
        };
        let values = self.references(field, text, formula.references());
        for problem in formula.problems() {
            self.report(field, text, problem);
        }
        let values = values?;
        if !formula.problems().is_empty() {
            return None;
        }
        match formula.eval(&values) {
            Ok(value) => Some(value),
            Err(error) => {
                self.report(field, text, &error);
                None
            }
        }
    }

    pub(crate) fn format(&mut self, field: &str, text: &Text) -> Option<String> {
        match Template::parse(&text.text) {
            Ok(template) => {
                let values = self.references(field, text, template.references())?;
                Some(template.format(&values))
            }
            Err(error) => {
                self.report(field, text, &error);
                None
            }
        }
    }

    /// The values of references; nothing when one of them means no entry, which is reported unless a task that is not
    /// known here may have it.
    fn references(&mut self, field: &str, text: &Text, references: &[Reference]) -> Option<Vec<Value>> {
        let mut values = Some(Vec::with_capacity(references.len()));
        for reference in references {
            match self.tree.database().resolve(self.node().scope, &reference.name) {
                Some(entry) => {
                    if let Some(values) = &mut values {
                        values.push(self.values[entry.index()].clone());
                    }
                }
                None => {
                    values = None;
                    if !self.may_be_foreign(&reference.name) {
                        self.unknown(field, text, reference);
                    }
                }
            }
        }
        values
    }

    /// Reports what `look` finds under another field than the one that the messages name.
    pub(crate) fn under<T>(&mut self, field: &str, look: impl FnOnce(&mut Self) -> T) -> T {
        let from = self.problems.len();
        let result = look(self);
        let path = format!("{}-{field}", self.node().error_path());
        for problem in &mut self.problems[from..] {
            problem.path.clone_from(&path);
        }
        result
    }

    /// Where the files of the measurement go.
    pub(crate) fn default_path(&self) -> String {
        let entry = self.tree.database().own(crate::names::Database::ROOT, "default_path");
        entry.map_or_else(String::new, |entry| self.values[entry.index()].to_string())
    }

    fn may_be_foreign(&self, name: &str) -> bool {
        self.tree.nodes().iter().any(|node| {
            node.kind().is_none()
                && name
                    .strip_prefix(node.name.as_str())
                    .is_some_and(|rest| rest.starts_with('_'))
        })
    }

    fn unknown(&mut self, field: &str, text: &Text, reference: &Reference) {
        let node = self.node();
        let database = self.tree.database();
        let message = format!("there is no entry `{}`", reference.name);
        // Looking for what was meant takes long in a large measurement; nobody reads a hundred hints.
        if self.problems.len() > 100 {
            self.error_at(field, message, text, Some(reference.span));
            return;
        }
        if reference.name.contains([':', ',', '\'', '"']) {
            self.error_at(field, message, text, Some(reference.span)).hint =
                Some("braces refer to entries here: write `dict(a=1)` for a dict and `set([1])` for a set".to_owned());
            return;
        }
        let elsewhere = database
            .entries()
            .iter()
            .find(|entry| entry.path.rsplit('/').next() == Some(&reference.name));
        let hint = match (elsewhere, nearest(&reference.name, database.visible(node.scope))) {
            (Some(entry), _) => format!(
                "`{}` cannot be seen from here: give its task an access exception",
                entry.path
            ),
            (None, Some(near)) => format!("did you mean `{{{near}}}`?"),
            (None, None) => format!("`measurand outline` shows what `{}` can see", node.path),
        };
        self.error_at(field, message, text, Some(reference.span)).hint = Some(hint);
    }

    fn report(&mut self, field: &str, text: &Text, error: &Error) {
        let message = match error.kind {
            ErrorKind::LimitError | ErrorKind::NotSupported => format!("`{field}`: {}", error.message),
            _ => format!("`{field}`: {error}"),
        };
        self.error_at(field, message, text, error.span);
    }

    /// Reports an error of a field, placed at its text.
    pub(crate) fn error_at(
        &mut self,
        field: &str,
        message: impl Into<String>,
        text: &Text,
        part: Option<expr::Span>,
    ) -> &mut Problem {
        let problem = Problem::error(Stage::Check, format!("{}-{field}", self.node().error_path()), message);
        self.push(place(problem, text.place(part)))
    }

    pub(crate) fn warning_at(&mut self, field: &str, message: impl Into<String>, text: &Text) -> &mut Problem {
        let problem = Problem::warning(format!("{}-{field}", self.node().error_path()), message);
        self.push(place(problem, text.place(None)))
    }

    /// Reports an error of the task as a whole; `suffix` is what Exopy adds to its path, `-parent` say.
    pub(crate) fn error(&mut self, suffix: &str, message: impl Into<String>) -> &mut Problem {
        let problem = Problem::error(Stage::Check, format!("{}{suffix}", self.node().error_path()), message);
        self.push(place(problem, self.node().place))
    }

    fn push(&mut self, problem: Problem) -> &mut Problem {
        self.problems.push(problem);
        self.problems.last_mut().expect("one was just pushed")
    }

    /// Sets an entry of the task being checked.
    pub(crate) fn set(&mut self, entry: &str, value: Value) {
        if let Some(id) = own_entry(self.tree, self.current, entry) {
            self.values[id.index()] = value;
        }
    }

    /// The value of an entry of the task being checked.
    pub(crate) fn get(&self, entry: &str) -> Option<&Value> {
        own_entry(self.tree, self.current, entry).map(|id| &self.values[id.index()])
    }

    /// A warning for tasks in a pool's background that wait for one another's pools: they may wait for ever.
    fn deadlocks(&mut self) {
        let mut waiting: Vec<(&str, &Node)> = Vec::new();
        for (index, node) in self.tree.nodes().iter().enumerate() {
            if node.wait.is_some()
                && let Some(pool) = self
                    .tree
                    .background(TaskId(u32::try_from(index).expect("numbers of tasks fit")))
            {
                waiting.push((pool, node));
            }
        }
        for (position, (pool, node)) in waiting.iter().enumerate() {
            let wait = node.wait.as_ref().expect("only waiting tasks were gathered");
            let rival = waiting[..position].iter().find(|(other_pool, other)| {
                other_pool != pool
                    && wait.contains(other_pool)
                    && other.wait.as_ref().is_some_and(|wait| wait.contains(pool))
            });
            if let Some((other_pool, other)) = rival {
                let message = format!(
                    "this task of pool `{pool}` waits for pool `{other_pool}`, whose task `{}` waits for `{pool}`: neither may ever go on",
                    other.path
                );
                let problem = Problem::warning(format!("{}-wait", node.path), message)
                    .hint("give one of them `wait = {'activated': False}`");
                self.problems.push(place(problem, node.place));
            }
        }
    }
}

impl Tree {
    /// The pool in whose background a task runs: its own, or that of the nearest task around it that has one.
    fn background(&self, task: TaskId) -> Option<&str> {
        let mut here = Some(task);
        // The task's own pool starts its work after it has waited, in the thread around it.
        let mut skip_own = true;
        while let Some(id) = here {
            let node = self.node(id);
            if !skip_own && let Some(pool) = &node.pool {
                return Some(pool);
            }
            skip_own = false;
            here = node.parent;
        }
        None
    }
}

/// Making a task ready.
pub(crate) struct Prepare<'a> {
    tree: &'a Tree,
    task: TaskId,
}

impl Prepare<'_> {
    pub(crate) fn id(&self) -> &str {
        &self.tree.node(self.task).id
    }

    pub(crate) fn children(&self) -> Vec<TaskId> {
        self.tree.node(self.task).children.clone()
    }

    pub(crate) fn embedded(&self) -> Option<TaskId> {
        self.tree.node(self.task).embedded
    }

    /// The entry of the root that says where files go.
    pub(crate) fn default_path(&self) -> Option<EntryId> {
        self.tree.database().own(crate::names::Database::ROOT, "default_path")
    }

    /// The loops with values around this task, the outermost first.
    pub(crate) fn loops_around(&self) -> Vec<LoopAround> {
        let mut loops = Vec::new();
        let mut here = self.tree.node(self.task).parent;
        while let Some(task) = here {
            let node = self.tree.node(task);
            let entry = |name| own_entry(self.tree, task, name);
            if node.kind().is_some_and(|kind| kind.id == "exopy.LoopTask")
                && let (Some(point_number), Some(loop_values)) = (entry("point_number"), entry("loop_values"))
            {
                loops.push(LoopAround {
                    name: node.name.clone(),
                    point_number,
                    loop_values,
                });
            }
            here = node.parent;
        }
        loops.reverse();
        loops
    }

    /// The instrument of this task.
    pub(crate) fn instrument(&self) -> Option<InstrumentId> {
        self.tree.node(self.task).instrument
    }

    /// Whether this task is embedded in a loop, whose value it gets.
    pub(crate) fn is_embedded(&self) -> bool {
        self.tree.is_embedded(self.task)
    }

    /// All entries that this task can see, by the names that it can use for them.
    pub(crate) fn visible(&self) -> HashMap<String, EntryId> {
        let (database, scope) = (self.tree.database(), self.tree.node(self.task).scope);
        let entry = |name: &str| Some((name.to_owned(), database.resolve(scope, name)?));
        database.visible(scope).into_iter().filter_map(entry).collect()
    }

    /// An entry of this task.
    pub(crate) fn entry(&self, entry: &str) -> Option<EntryId> {
        own_entry(self.tree, self.task, entry)
    }

    pub(crate) fn formula(&self, field: &str, text: &Text) -> Compiled {
        let parsed = Formula::parse(&text.text, Braces::References).map_err(|error| error.to_string());
        let (formula, entries) = self.resolved(parsed, Formula::references, text);
        Compiled {
            field: field.to_owned(),
            formula,
            entries,
        }
    }

    pub(crate) fn template(&self, field: &str, text: &Text) -> CompiledTemplate {
        let parsed = Template::parse(&text.text).map_err(|error| error.to_string());
        let (template, entries) = self.resolved(parsed, Template::references, text);
        CompiledTemplate {
            field: field.to_owned(),
            template,
            entries,
        }
    }

    fn resolved<T>(
        &self,
        parsed: Result<T, String>,
        references: fn(&T) -> &[Reference],
        text: &Text,
    ) -> (Result<T, (String, String)>, Vec<EntryId>) {
        let fail = |message| (Err((text.text.clone(), message)), Vec::new());
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(message) => return fail(message),
        };
        let scope = self.tree.node(self.task).scope;
        let mut entries = Vec::new();
        for reference in references(&parsed) {
            match self.tree.database().resolve(scope, &reference.name) {
                Some(entry) => entries.push(entry),
                None => return fail(format!("KeyError: there is no entry `{}`", reference.name)),
            }
        }
        (Ok(parsed), entries)
    }
}

/// The first entry of a task whose setting is made again when a run goes on.
fn restored_entry(tree: &Tree, task: TaskId, node: &Node) -> Option<EntryId> {
    let kind = node.kind().filter(|kind| kind.resume == Resume::Restore)?;
    let (entry, _) = kind.entries.first()?;
    own_entry(tree, task, entry)
}

fn own_entry(tree: &Tree, task: TaskId, entry: &str) -> Option<EntryId> {
    let node = tree.node(task);
    if node.parent.is_none() {
        return tree.database().own(node.scope, entry);
    }
    tree.database().own(node.scope, &format!("{}_{entry}", node.name))
}

/// Whether any of the problems forbids to perform.
pub fn refused(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.severity == Severity::Error)
}
