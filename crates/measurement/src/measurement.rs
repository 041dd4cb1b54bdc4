//! A measurement as a file holds it: its name and id, the tree of tasks, what its monitor shows, and its hooks.
//!
//! Three forms are read: `*.meas.ini`, the template of a task (`*.task.ini`, its top is the task), and the files of
//! HQCMeas (`task_class`), which are brought to today's form first. Whatever is not understood is kept.

use expr::{Span, Value};

use crate::{
    file::{File, FileError, Section, can_hold, line_col},
    hook::Hook,
    hqcmeas::{self, Note},
    monitor::TextMonitor,
    problem::{Problem, Stage, nearest},
    python::{Catalog, NoPython},
    tree::Tree,
};

/// What a file's measurement is changed in before it is performed.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub name: Option<String>,
    pub id: Option<String>,
    pub default_path: Option<String>,
    /// Entries of definitions and formulas with the expressions to put in.
    pub expressions: Vec<(String, String)>,
}

/// A measurement that was read.
#[derive(Debug)]
pub struct Measurement {
    pub name: String,
    pub id: String,
    /// `default_path` as the file or an override has it; may be empty.
    pub default_path: String,
    pub tree: Tree,
    pub monitor: TextMonitor,
    pub pre_hooks: Vec<Hook>,
    pub post_hooks: Vec<Hook>,
    /// Why it cannot be performed as it is, and what was noticed in reading.
    pub problems: Vec<Problem>,
    source: String,
    text: String,
}

/// A text that problems point into.
pub trait Source {
    fn source(&self) -> &str;

    /// Line and column, from 1, of a problem's place.
    fn line_col(&self, problem: &Problem) -> Option<(usize, usize)> {
        problem.place.map(|(start, _)| line_col(self.source(), start))
    }
}

impl Source for str {
    fn source(&self) -> &str {
        self
    }
}

impl Measurement {
    /// Reads a file without tasks in Python; see [`Measurement::read_with`].
    ///
    /// # Errors
    /// All that keeps the text from being read.
    pub fn read(bytes: &[u8], stem: &str, overrides: &Overrides) -> Result<Measurement, Vec<Problem>> {
        Self::read_with(bytes, stem, overrides, &NoPython)
    }

    /// Reads a file. `stem` is the name of a measurement whose file has none: a template's file name. The catalog is asked
    /// for what classes of Python are.
    ///
    /// # Errors
    /// All that keeps the text from being read; that no tree can be built of it is in `problems`.
    pub fn read_with(
        bytes: &[u8],
        stem: &str,
        overrides: &Overrides,
        catalog: &dyn Catalog,
    ) -> Result<Measurement, Vec<Problem>> {
        let file = File::from_bytes(bytes).map_err(|errors| errors.into_iter().map(unreadable).collect::<Vec<_>>())?;
        let source = file.text().to_owned();
        let (mut file, notes) = if hqcmeas::is_old(&file) {
            let (file, notes) = hqcmeas::modernise(&file);
            (file, notes)
        } else {
            (file, Vec::new())
        };
        if file.root().section("root_task").is_none() && file.root().get("task_id").is_none() {
            let problem = if is_profile(file.root()) {
                Problem::error(
                    Stage::Read,
                    "",
                    "this is the profile of an instrument, not a measurement",
                )
            } else {
                let message = "there is no `[root_task]` in this file, so it is no measurement";
                Problem::error(Stage::Read, "", message)
                    .hint("a measurement has a section `[root_task]`; a template of a task begins with its `task_id`")
            };
            return Err(vec![problem]);
        }

        let is_template = file.root().section("root_task").is_none();
        let mut problems: Vec<Problem> = notes.into_iter().map(noticed).collect();
        problems.extend(apply(&mut file, overrides, is_template));
        let text = if is_template {
            wrapped(&file, stem, overrides)
        } else {
            file.to_text()
        };

        let top = file.root();
        let root = top.section("root_task").unwrap_or(top);
        let (tree, found) = Tree::build(root, &source, is_template, catalog);
        problems.extend(found);
        let value = |key: &str| top.value(key).unwrap_or_default().to_owned();
        let name = match &overrides.name {
            Some(name) if is_template => name.clone(),
            None if is_template || top.get("name").is_none() => stem.to_owned(),
            Some(_) | None => value("name"),
        };
        let id = if is_template {
            overrides.id.clone().unwrap_or_default()
        } else {
            value("id")
        };
        let mut hooks = |kind: &str| {
            top.section(kind)
                .map(|section| Hook::read_all(section, &mut problems))
                .unwrap_or_default()
        };
        let (pre_hooks, post_hooks) = (hooks("pre_hooks"), hooks("post_hooks"));
        for (key, text) in [("name", &name), ("id", &id)] {
            if text.contains(['/', '\\', '\0']) {
                let message = format!("the measurement's {key} is `{text}`: files are named after it");
                let problem = Problem::error(Stage::Build, "", message).hint("leave out `/` and `\\`");
                problems.push(crate::tree::place(problem, top.get(key).map(|scalar| scalar.span)));
            }
        }
        let monitor = TextMonitor::read(top.section("monitors"), &tree, &mut problems);
        Ok(Measurement {
            name,
            id,
            default_path: root.value("default_path").unwrap_or_default().to_owned(),
            tree,
            monitor,
            pre_hooks,
            post_hooks,
            problems,
            source,
            text,
        })
    }

    /// The measurement's text with its overrides: what crosses the wall and is saved beside the data.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// `<name>_<id>`, the beginning of the names of its files.
    pub fn stem(&self) -> String {
        format!("{}_{}", self.name, self.id)
    }

    /// Whether the file could be built.
    pub fn is_built(&self) -> bool {
        !self
            .problems
            .iter()
            .any(|problem| problem.is_error() && problem.stage != Stage::Check)
    }

    /// The facts that the root's entries hold: `date` as `YYYY-MM-DD`, `time` as `HH-MM-SS`.
    pub fn facts(&self, date: &str, time: &str) -> Vec<(&'static str, Value)> {
        vec![
            ("default_path", Value::from(self.default_path.as_str())),
            ("meas_name", Value::from(self.name.as_str())),
            ("meas_id", Value::from(self.id.as_str())),
            ("meas_date", Value::from(date)),
            ("meas_time", Value::from(time)),
        ]
    }
}

impl Source for Measurement {
    /// The text as it was read, which problems point into.
    fn source(&self) -> &str {
        &self.source
    }
}

fn unreadable(error: FileError) -> Problem {
    let problem = Problem::error(Stage::Read, "", error.message).at(error.span);
    match error.hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

fn noticed(note: Note) -> Problem {
    let problem = Problem::warning("", note.message);
    if note.span == Span::default() {
        problem
    } else {
        problem.at(note.span)
    }
}

/// Whether the file says how to reach an instrument, in today's form or in that of HQCMeas.
fn is_profile(top: &Section) -> bool {
    top.section("connections").is_some() || top.get("driver").is_some() || top.get("driver_type").is_some()
}

/// Writes the overrides into the file; what cannot be applied is a problem.
fn apply(file: &mut File, overrides: &Overrides, is_template: bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    let top = file.root_mut();
    let mut set = |section: &mut Section, key: &str, value: &Option<String>| {
        let Some(value) = value else { return };
        if can_hold(value) {
            section.set(key, value);
        } else {
            problems.push(Problem::error(
                Stage::Build,
                "",
                format!("`{key}` cannot be written to a file: {value:?}"),
            ));
        }
    };
    if !is_template {
        set(top, "name", &overrides.name);
        set(top, "id", &overrides.id);
    }
    let root = if is_template {
        top
    } else {
        top.section_mut("root_task").expect("looked for before")
    };
    set(root, "default_path", &overrides.default_path);

    for (entry, expression) in &overrides.expressions {
        let wanted = entry.strip_prefix("root/").map_or_else(|| entry.clone(), str::to_owned);
        let whole_path = entry.starts_with("root/");
        let mut found = 0;
        let mut known = Vec::new();
        replace(root, "", &mut |scope, task, pairs, key| {
            let path = format!("{scope}{task}_{key}");
            let fits = if whole_path {
                path == wanted
            } else {
                path.rsplit('/').next() == Some(wanted.as_str())
            };
            if fits {
                found += 1;
                *pairs = expression.clone();
            }
            known.push(if whole_path {
                format!("root/{path}")
            } else {
                format!("{task}_{key}")
            });
        });
        match found {
            1 => (),
            0 => problems.push(
                Problem::error(
                    Stage::Build,
                    "",
                    format!("`-D {entry}={expression}`: no definition or formula has the entry `{entry}`"),
                )
                .hint(match nearest(entry, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "`measurand outline` shows the entries there are".to_owned(),
                }),
            ),
            several => problems.push(
                Problem::error(
                    Stage::Build,
                    "",
                    format!("`-D {entry}={expression}`: {several} tasks have an entry `{entry}`"),
                )
                .hint("say which by its whole path, `root/loop/task_name` say"),
            ),
        }
    }
    problems
}

/// Calls `change` with every definition and formula: the scope as `A/B/`, the task's name, the expression, its name.
fn replace(section: &mut Section, scope: &str, change: &mut impl FnMut(&str, &str, &mut String, &str)) {
    let name = section.value("name").unwrap_or_default().to_owned();
    for key in ["definitions", "formulas"] {
        let Some(Ok(Value::List(items))) = section.value(key).map(expr::parse_literal) else {
            continue;
        };
        let mut changed = false;
        let mut pairs = Vec::with_capacity(items.len());
        for item in items.iter() {
            let pair = match item {
                Value::Tuple(pair) | Value::List(pair) => pair.as_slice(),
                _ => &[],
            };
            if let [Value::Str(entry), Value::Str(text)] = pair {
                let mut text = text.to_string();
                let before = text.clone();
                change(scope, &name, &mut text, entry);
                changed |= text != before;
                pairs.push(Value::tuple(vec![Value::from(&**entry), Value::from(text.as_str())]));
            } else {
                pairs.push(item.clone());
            }
        }
        if changed {
            let text = Value::list(pairs).repr();
            section.set(key, &text);
        }
    }
    let is_root = section.name() == "root_task" || section.depth() == 0;
    let inner = if is_root {
        String::new()
    } else {
        format!("{scope}{name}/")
    };
    for child in section.sections_mut() {
        if child.name() == "task" || child.name().starts_with("children_") {
            replace(child, &inner, change);
        }
    }
}

/// A measurement around a template, so that it can be sent and saved as one.
fn wrapped(template: &File, stem: &str, overrides: &Overrides) -> String {
    let mut file = File::new();
    let top = file.root_mut();
    top.set("name", overrides.name.as_deref().unwrap_or(stem));
    top.set("id", overrides.id.as_deref().unwrap_or_default());
    let root = top.add_section("root_task");
    let source = template.root();
    let is_root = matches!(source.value("task_id").map(crate::task::kind), Some(Some(kind)) if kind.is_root_like())
        || source.value("task_id").is_none();
    if is_root {
        copy(source, root);
    } else {
        root.set("dep_type", "exopy.task");
        root.set("task_id", "exopy.ComplexTask");
        root.set("default_path", source.value("default_path").unwrap_or_default());
        copy(source, root.add_section("children_0"));
    }
    for section in ["monitors", "pre_hooks", "post_hooks"] {
        top.add_section(section);
    }
    file.to_canonical_text()
}

fn copy(from: &Section, to: &mut Section) {
    for (key, scalar) in from.scalars() {
        to.set(key, &scalar.value);
    }
    for section in from.sections() {
        copy(section, to.add_section(section.name()));
    }
}
