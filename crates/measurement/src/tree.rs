//! The tree of tasks that a file describes, and the scopes of its entries.
//!
//! Building never stops at the first problem: whatever cannot be built leaves a task in its place that says so, so that
//! the rest of the file is looked at too and the outline shows everything. Tasks are kept in the order of the file and
//! named by their number.

use std::collections::BTreeMap;

use expr::{Span, Value};

use crate::{
    bench::Pools,
    file::Section,
    instrument::{InstrumentId, Selected},
    names::{Database, EntryId, ScopeId},
    problem::{Problem, Stage, nearest},
    python::Catalog,
    task::{self, Fields, Foreign, Kind, Shape, Task},
};

/// A task's number in its tree; also that of its step when it is performed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub u32);

impl TaskId {
    /// The root task.
    pub const ROOT: TaskId = TaskId(0);

    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A task in its place.
#[derive(Debug)]
pub struct Node {
    /// `exopy.LoopTask`, as the file says.
    pub id: String,
    pub name: String,
    /// `root/loop/f`; of the root: `root`.
    pub path: String,
    pub parent: Option<TaskId>,
    /// The task that gets the loop's value before the children are performed.
    pub embedded: Option<TaskId>,
    pub children: Vec<TaskId>,
    /// The scope that this task's entries live in, and where its look-ups start.
    pub scope: ScopeId,
    pub stoppable: bool,
    /// The pool in whose background this task is performed.
    pub pool: Option<String>,
    /// What this task waits for.
    pub wait: Option<Pools>,
    /// Entries made visible further up, with the number of levels.
    pub access_exceptions: Vec<(String, usize)>,
    /// Where the task stands in the file: its header, or the first key of a template.
    pub place: Option<Span>,
    /// The instrument that it uses.
    pub instrument: Option<InstrumentId>,
    pub(crate) task: Box<dyn Task>,
}

impl Node {
    /// The path that problems of this task are keyed by.
    pub fn error_path(&self) -> &str {
        if self.parent.is_none() { "root/Root" } else { &self.path }
    }

    /// What kind of task this is; nothing for a task that is not known here.
    pub fn kind(&self) -> Option<&'static Kind> {
        self.task.kind()
    }
}

/// A measurement's tasks and the layout of their entries.
#[derive(Debug)]
pub struct Tree {
    nodes: Vec<Node>,
    database: Database,
    instruments: Vec<Selected>,
}

/// The root's own entries, in the order in which Exopy lists them.
pub(crate) const ROOT_ENTRIES: [&str; 5] = ["default_path", "meas_name", "meas_id", "meas_date", "meas_time"];

impl Tree {
    /// Builds the tree of a root section: `[root_task]`, or the top of a template, which may be any task.
    pub(crate) fn build(
        section: &Section,
        source: &str,
        is_template: bool,
        catalog: &dyn Catalog,
    ) -> (Tree, Vec<Problem>) {
        let mut builder = Builder {
            source,
            catalog,
            tree: Tree {
                nodes: Vec::new(),
                database: Database::new(),
                instruments: Vec::new(),
            },
            problems: Vec::new(),
            foreign: BTreeMap::new(),
        };
        for name in ROOT_ENTRIES {
            builder.tree.database.add(Database::ROOT, name, Value::from(""));
        }
        builder.root(section, is_template);
        builder.report_foreign();
        builder.report_duplicates();
        (builder.tree, builder.problems)
    }

    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub fn node(&self, task: TaskId) -> &Node {
        &self.nodes[task.index()]
    }

    /// The instruments that its tasks use, each once, in the order in which they are first met.
    pub fn instruments(&self) -> &[Selected] {
        &self.instruments
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Whether a task gets the value of the loop that it stands in.
    pub(crate) fn is_embedded(&self, task: TaskId) -> bool {
        let parent = self.node(task).parent;
        parent.is_some_and(|parent| self.node(parent).embedded == Some(task))
    }

    fn instrument(&mut self, selected: Selected) -> InstrumentId {
        let known = self.instruments.iter().position(|known| *known == selected);
        let position = known.unwrap_or_else(|| {
            self.instruments.push(selected);
            self.instruments.len() - 1
        });
        InstrumentId(u32::try_from(position).expect("fewer instruments than tasks"))
    }

    /// Tasks in the order of the file, with their depth; the root has depth 0.
    pub fn walk(&self) -> Vec<(usize, TaskId)> {
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut open = vec![(0, TaskId::ROOT)];
        while let Some((depth, id)) = open.pop() {
            order.push((depth, id));
            let node = self.node(id);
            open.extend(node.children.iter().rev().map(|child| (depth + 1, *child)));
            open.extend(node.embedded.map(|task| (depth + 1, task)));
        }
        order
    }

    /// The scope that the children of a task stand in; its own for a task without children.
    pub fn inner_scope(&self, task: TaskId) -> ScopeId {
        let node = self.node(task);
        node.children
            .first()
            .copied()
            .or(node.embedded)
            .map_or(node.scope, |child| self.node(child).scope)
    }

    /// The entries of one task, by their short names.
    pub fn entries_of(&self, task: TaskId) -> Vec<(String, EntryId)> {
        let node = self.node(task);
        if node.parent.is_none() {
            return ROOT_ENTRIES
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), self.database.own(Database::ROOT, name)?)))
                .collect();
        }
        let entries = node.task.entries(node.embedded.is_some());
        entries
            .into_iter()
            .filter_map(|(name, _)| {
                let id = self.database.own(node.scope, &format!("{}_{name}", node.name))?;
                Some((name, id))
            })
            .collect()
    }
}

struct Builder<'a> {
    source: &'a str,
    catalog: &'a dyn Catalog,
    tree: Tree,
    problems: Vec<Problem>,
    /// Ids that are not known here: how many tasks, and where the first stands.
    foreign: BTreeMap<String, (usize, Option<Span>)>,
}

/// Where a task is about to be put.
struct Spot {
    parent: TaskId,
    scope: ScopeId,
    /// The name that an embedded task has from its loop.
    name: Option<String>,
}

impl Builder<'_> {
    fn root(&mut self, section: &Section, is_template: bool) {
        let id = section
            .get("task_id")
            .map_or_else(|| "exopy.ComplexTask".to_owned(), |id| id.value.clone());
        // Whatever id a measurement's root has, it is the root.
        let is_root = !is_template || task::kind(&id).is_some_and(Kind::is_root_like);
        let mut fields = Fields::new(section, self.source, "root/Root", self.catalog, &mut self.problems);
        let task = task::root(&mut fields);
        self.tree.nodes.push(Node {
            id,
            name: "Root".to_owned(),
            path: "root".to_owned(),
            parent: None,
            embedded: None,
            children: Vec::new(),
            scope: Database::ROOT,
            stoppable: true,
            pool: None,
            wait: None,
            access_exceptions: Vec::new(),
            place: header(section),
            instrument: None,
            task,
        });
        if is_root {
            self.children(section, TaskId::ROOT, Database::ROOT);
        } else {
            // The template of a single task: the root around it is ours.
            let spot = Spot {
                parent: TaskId::ROOT,
                scope: Database::ROOT,
                name: None,
            };
            if let Some(child) = self.task(section, spot) {
                self.tree.nodes[0].children.push(child);
            }
        }
    }

    fn task(&mut self, section: &Section, spot: Spot) -> Option<TaskId> {
        let scope_path = self.tree.database.scope_path(spot.scope).to_owned();
        let Some(id) = section.get("task_id") else {
            let problem = Problem::error(
                Stage::Build,
                format!("{scope_path}/{}", section.name()),
                format!("section `{}` has no `task_id`, so it is no task", section.name()),
            );
            self.problems.push(place(problem, header(section)));
            return None;
        };
        let name = spot
            .name
            .clone()
            .or_else(|| section.get("name").map(|name| name.value.clone()))
            .unwrap_or_default();
        let path = format!("{scope_path}/{name}");
        self.look_at_name(section, &name, &path);

        let kind = task::kind(&id.value);
        let mut fields = Fields::new(section, self.source, &path, self.catalog, &mut self.problems);
        let task: Box<dyn Task> = match kind {
            Some(kind) => (kind.build)(&mut fields),
            None => {
                let seen = self.foreign.entry(id.value.clone()).or_insert((0, Some(id.span)));
                seen.0 += 1;
                Box::new(Foreign)
            }
        };
        let stoppable = fields.flag("stoppable", true);
        let pool = fields.pool(kind.and_then(|kind| kind.pool));
        let wait = fields.wait(kind.and_then(|kind| kind.waits));
        let access_exceptions = fields.access_exceptions();
        let selected = kind.and_then(|_| fields.instrument());
        let instrument = selected.map(|selected| self.tree.instrument(selected));
        let node = Node {
            id: id.value.clone(),
            name,
            path,
            parent: Some(spot.parent),
            embedded: None,
            children: Vec::new(),
            scope: spot.scope,
            stoppable,
            pool,
            wait,
            access_exceptions,
            place: header(section),
            instrument,
            task,
        };
        let number = TaskId(u32::try_from(self.tree.nodes.len()).expect("fewer than 2^32 tasks fit in memory"));
        self.tree.nodes.push(node);

        let embedded = section.section("task").filter(|_| kind.is_some_and(Kind::embeds));
        self.entries(number, embedded.is_some());
        if kind.is_none_or(|kind| kind.has_children()) {
            let name = self.tree.node(number).name.clone();
            let inner = self.tree.database.open(spot.scope, &name);
            if let Some(embedded) = embedded {
                let spot = Spot {
                    parent: number,
                    scope: inner,
                    name: Some(name),
                };
                let task = self.task(embedded, spot);
                self.tree.nodes[number.index()].embedded = task;
                self.look_at_embedded(task);
            }
            self.children(section, number, inner);
        }
        Some(number)
    }

    fn look_at_name(&mut self, section: &Section, name: &str, path: &str) {
        let problem = if name.contains('/') {
            Problem::error(
                Stage::Build,
                path,
                format!("a task cannot be named `{name}`: `/` parts the names in a path"),
            )
            .hint("leave out the `/`")
        } else if name.contains(['{', '}']) {
            Problem::warning(
                format!("{path}-name"),
                format!("no formula can refer to the entries of a task named `{name}`"),
            )
            .hint("leave out the braces")
        } else if name.is_empty() {
            Problem::warning(
                format!("{path}-name"),
                format!("the task in section `{}` has no name", section.name()),
            )
            .hint("give it a `name`: its entries are called after it")
        } else {
            return;
        };
        self.problems.push(place(
            problem,
            section.get("name").map(|name| name.span).or(header(section)),
        ));
    }

    fn entries(&mut self, number: TaskId, embeds: bool) {
        let node = &self.tree.nodes[number.index()];
        for (entry, default) in node.task.entries(embeds) {
            let name = format!("{}_{entry}", node.name);
            if self.tree.database.own(node.scope, &name).is_some() {
                let message = format!("another task has an entry `{name}` too: the last one to write it wins");
                let problem =
                    Problem::warning(format!("{}-{entry}", node.path), message).hint("rename one of the tasks");
                self.problems.push(place(problem, node.place));
            }
            self.tree.database.add(node.scope, &name, default);
        }
        for (entry, levels) in node.access_exceptions.clone() {
            let node = &self.tree.nodes[number.index()];
            let name = format!("{}_{entry}", node.name);
            match self.tree.database.own(node.scope, &name) {
                Some(id) => self.tree.database.except(node.scope, levels, &name, id),
                None if node.kind().is_none() => (),
                None => {
                    let own: Vec<String> = node.task.entries(embeds).into_iter().map(|(name, _)| name).collect();
                    let path = format!("{}-access_exs", node.path);
                    let message = format!("`access_exs` names `{entry}`, which is no entry of this task");
                    // Exopy never looks at the exceptions of a task without entries.
                    let problem = if own.is_empty() {
                        Problem::warning(path, message).hint("this task has no entries; empty its `access_exs`")
                    } else {
                        Problem::error(Stage::Check, path, message).hint(format!("its entries are {}", quoted(&own)))
                    };
                    self.problems.push(place(problem, node.place));
                }
            }
        }
    }

    fn children(&mut self, section: &Section, parent: TaskId, scope: ScopeId) {
        let mut numbers: Vec<(u64, &Section)> = Vec::new();
        for child in section.sections() {
            if let Some(number) = child
                .name()
                .strip_prefix("children_")
                .and_then(|digits| digits.parse().ok())
            {
                numbers.push((number, child));
            }
        }
        for (key, scalar) in section.scalars().filter(|(key, _)| key.starts_with("children_")) {
            let path = self.tree.node(parent).error_path();
            let problem = Problem::error(Stage::Build, path, format!("`{key}` should be a section, not a value"));
            self.problems.push(problem.at(scalar.span));
        }
        numbers.sort_by_key(|(number, _)| *number);
        for (expected, (number, child)) in numbers.iter().enumerate() {
            if *number != expected as u64 {
                let problem = Problem::error(
                    Stage::Build,
                    self.tree.node(parent).error_path(),
                    format!("there is no `children_{expected}` before `{}`", child.name()),
                )
                .hint("number the children from 0 without gaps; Exopy would silently drop the rest");
                self.problems.push(place(problem, header(child)));
                break;
            }
        }
        for (_, child) in numbers {
            if let Some(task) = self.task(
                child,
                Spot {
                    parent,
                    scope,
                    name: None,
                },
            ) {
                self.tree.nodes[parent.index()].children.push(task);
            }
        }
    }

    fn look_at_embedded(&mut self, task: Option<TaskId>) {
        let Some(node) = task.map(|task| self.tree.node(task)) else {
            return;
        };
        if node
            .kind()
            .is_some_and(|kind| kind.id != "exopy.LogTask" && kind.shape == Shape::Leaf)
        {
            let message = format!("`{}` takes no value: the values of the loop are not used", node.id);
            let problem = Problem::warning(format!("{}-task", node.path), message)
                .hint("make it the loop's first child and refer to the loop's value in it");
            self.problems.push(place(problem, node.place));
        }
        if node.kind().is_some_and(Kind::has_children) {
            let message = format!("`{}` has children and cannot be the embedded task of a loop", node.id);
            let problem = Problem::error(Stage::Build, node.path.clone(), message)
                .hint("make it the loop's first child and use the loop's value in it");
            self.problems.push(place(problem, node.place));
        }
    }

    /// Each id that is not known here once, with how many tasks have it.
    fn report_foreign(&mut self) {
        for (id, (count, span)) in std::mem::take(&mut self.foreign) {
            let tasks = if count == 1 {
                "1 task".to_owned()
            } else {
                format!("{count} tasks")
            };
            let problem = match task::package_not_built(&id) {
                Some(package) => Problem::error(
                    Stage::Build,
                    "",
                    format!("`{id}` ({tasks}): the tasks of `{package}` cannot be performed by this version yet"),
                ),
                None => {
                    let problem = Problem::error(Stage::Build, "", format!("unknown task `{id}` ({tasks})"));
                    match nearest(&id, task::TASKS.iter().map(|kind| kind.id)) {
                        Some(near) => problem.hint(format!("did you mean `{near}`?")),
                        None => problem.hint("`measurand tasks` lists the tasks there are"),
                    }
                }
            };
            self.problems.push(place(problem, span));
        }
    }

    /// Exopy lets tasks of one name in one scope share their entries, and the last writer wins.
    fn report_duplicates(&mut self) {
        let mut first: BTreeMap<(u32, &str), &Node> = BTreeMap::new();
        let mut found = Vec::new();
        for node in self.tree.nodes.iter().skip(1).filter(|node| !node.name.is_empty()) {
            match first.entry((node.scope.0, node.name.as_str())) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(node);
                }
                std::collections::btree_map::Entry::Occupied(_) => {
                    let message = format!(
                        "another task in `{}` is named `{}` too",
                        self.tree.database.scope_path(node.scope),
                        node.name
                    );
                    let problem = Problem::error(Stage::Check, format!("{}-name", node.path), message)
                        .hint("give one of them another name: they would write each other's entries");
                    found.push(place(problem, node.place));
                }
            }
        }
        self.problems.extend(found);
    }
}

pub(crate) fn place(problem: Problem, span: Option<Span>) -> Problem {
    match span {
        Some(span) => problem.at(span),
        None => problem,
    }
}

fn quoted(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Where a section's name stands; nothing for the top of a file.
pub(crate) fn header(section: &Section) -> Option<Span> {
    Some(section.span()).filter(|span| span.end > span.start)
}
