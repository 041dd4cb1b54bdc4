//! `measurand outline`: the tree of a measurement with what can be known without performing it.
//!
//! It is shown for files that cannot be performed too: what is not known here is named once, with how often it occurs.

use std::{collections::BTreeMap, path::PathBuf};

use measurement::{Checked, Measurement, Outline, OutlineLine, Pools, Severity, TaskId};
use runner::Laboratory;
use serde_json::{Value as Json, json};

use crate::{
    args::Changes,
    complaint::Complaint,
    exit::Exit,
    quantity::{counted, duration, grouped},
    snippet,
    source::Loaded,
    surroundings::{Folders, day_and_time},
    terminal::{Paint, Stream, harmless},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A measurement, or the template of a task; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Also show which entries each task can refer to
    #[arg(short, long)]
    visible: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    changes: Changes,
}

pub(crate) fn outline(args: &Args) -> Result<Exit, Complaint> {
    let loaded = Loaded::open(&args.file, &args.changes.overrides(), &protocol::Laboratory::default())?;
    let Some(measurement) = &loaded.measurement else {
        for problem in &loaded.problems {
            Stream::Error.write(&format!(
                "{}\n",
                snippet::text(problem, &loaded, &loaded.label, Stream::Error)
            ));
        }
        return Ok(Exit::Unusable);
    };
    let (date, time) = day_and_time();
    let folders = Folders {
        made: args.changes.default_path.clone(),
        laboratory: Laboratory::default(),
        // An outline needs no instrument.
        missing: Severity::Warning,
    };
    let checked = measurement.tree.check(&measurement.facts(&date, &time), &folders);
    let drawing = Drawing::of(measurement, &loaded.label, &checked, &folders);
    if args.json {
        Stream::Output.write(&format!("{:#}\n", drawing.json()));
        return Ok(Exit::Completed);
    }
    let names = if args.visible { Names::OwnAndVisible } else { Names::Own };
    Stream::Output.write(&drawing.text(Style {
        paint: Stream::Output.paint(),
        names,
    }));
    let problems = loaded
        .problems
        .iter()
        .chain(&checked.problems)
        .filter(|problem| problem.is_error())
        .count();
    if problems > 0 {
        let errors = counted(problems, "error");
        Stream::Error.write(&format!(
            "{errors}: `measurand check {}` shows all\n",
            args.file.display()
        ));
    }
    Ok(Exit::Completed)
}

/// How a tree is drawn.
#[derive(Clone, Copy)]
struct Style {
    paint: Paint,
    names: Names,
}

/// Which entries are named under a task.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Own,
    OwnAndVisible,
}

/// What stands before the lines of a task.
struct Lead<'a> {
    /// Before its name.
    branch: &'a str,
    /// Before its further lines and its children.
    under: &'a str,
    role: &'a str,
}

struct Drawing<'a> {
    measurement: &'a Measurement,
    label: &'a str,
    outline: Outline,
    /// The place of a task's line in the outline.
    line_of: BTreeMap<TaskId, usize>,
    /// Whether anything is performed in the background, so that waiting means something.
    has_pools: bool,
}

impl<'a> Drawing<'a> {
    fn of(measurement: &'a Measurement, label: &'a str, checked: &Checked, folders: &Folders) -> Self {
        let outline = Outline::of(&measurement.tree, checked, folders);
        let line_of = outline
            .lines
            .iter()
            .enumerate()
            .map(|(at, line)| (line.task, at))
            .collect();
        let has_pools = measurement.tree.nodes().iter().any(|node| node.pool.is_some());
        Self {
            measurement,
            label,
            outline,
            line_of,
            has_pools,
        }
    }

    fn text(&self, style: Style) -> String {
        let paint = style.paint;
        let name = format!("{} {}", self.measurement.name, self.measurement.id);
        let mut text = format!("{} · {}\n", paint.strong(&harmless(name.trim())), harmless(self.label));
        text.push_str(&format!(
            "default_path {}\n\n",
            harmless(&self.measurement.default_path)
        ));
        self.draw(
            &mut text,
            style,
            TaskId::ROOT,
            &Lead {
                branch: "",
                under: "",
                role: "",
            },
        );
        let unknown = self.unknown();
        if !unknown.is_empty() {
            text.push_str(&format!(
                "\n{}\n",
                paint.warning("Not known here, so this measurement cannot be performed:")
            ));
            for (id, count) in unknown {
                text.push_str(&format!("  {} ({})\n", harmless(id), counted(count, "task")));
            }
        }
        text.push_str(&format!("\n{}\n", self.summary()));
        text
    }

    /// A task, then all below it.
    fn draw(&self, text: &mut String, style: Style, task: TaskId, lead: &Lead<'_>) {
        let Style { paint, names } = style;
        let Lead { branch, under, role } = lead;
        let node = self.measurement.tree.node(task);
        let Some(line) = self.line_of.get(&task).and_then(|at| self.outline.lines.get(*at)) else {
            return;
        };
        let id = harmless(&node.id);
        let id = if node.kind().is_some() {
            paint.faint(&id)
        } else {
            paint.error(&format!("{id} (not known here)"))
        };
        text.push_str(&format!(
            "{}{role}{}  {id}",
            paint.faint(branch),
            paint.strong(&harmless(&node.name))
        ));
        for fact in self.facts(line) {
            text.push_str(&format!(" · {}", harmless(&fact)));
        }
        text.push('\n');

        let children: Vec<TaskId> = node.embedded.into_iter().chain(node.children.iter().copied()).collect();
        let bar = if children.is_empty() { "   " } else { "│  " };
        let own: Vec<&str> = line
            .entries
            .iter()
            .map(|path| path.rsplit('/').next().unwrap_or(path))
            .collect();
        if !own.is_empty() {
            let names = harmless(&own.join(", "));
            text.push_str(&format!(
                "{}{}\n",
                paint.faint(&format!("{under}{bar}")),
                paint.emphasis(&names)
            ));
        }
        if names == Names::OwnAndVisible {
            let names = format!("sees {}", harmless(&self.visible(line).join(", ")));
            text.push_str(&format!(
                "{}{}\n",
                paint.faint(&format!("{under}{bar}")),
                paint.faint(&names)
            ));
        }
        for (i, child) in children.iter().enumerate() {
            let is_last = i + 1 == children.len();
            let (branch, further) = if is_last {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            let role = if node.embedded == Some(*child) { "sets " } else { "" };
            let (branch, further) = (format!("{under}{branch}"), format!("{under}{further}"));
            self.draw(
                text,
                style,
                *child,
                &Lead {
                    branch: &branch,
                    under: &further,
                    role,
                },
            );
        }
    }

    /// What a task sees; the root's own entries, which all see, only where they belong.
    fn visible<'l>(&self, line: &'l OutlineLine) -> Vec<&'l str> {
        let roots = self.measurement.tree.entries_of(TaskId::ROOT);
        let is_root = line.task == TaskId::ROOT;
        let names = line.visible.iter().map(String::as_str);
        names
            .filter(|name| is_root || !roots.iter().any(|(root, _)| root == name))
            .collect()
    }

    fn facts(&self, line: &OutlineLine) -> Vec<String> {
        let node = self.measurement.tree.node(line.task);
        let mut facts = Vec::new();
        let loops = node
            .kind()
            .is_some_and(|kind| matches!(kind.id, "exopy.LoopTask" | "exopy.WhileTask"));
        match line.rounds {
            Some(1.0) if loops => facts.push("1 point".to_owned()),
            Some(rounds) if loops => facts.push(format!("{} points", grouped(rounds))),
            None => facts.push("nobody knows how often".to_owned()),
            Some(_) => (),
        }
        if let Some(pool) = &node.pool {
            facts.push(format!("in the background, pool `{pool}`"));
        }
        if self.has_pools
            && let Some(wait) = &node.wait
        {
            facts.push(waits(wait));
        }
        if !node.stoppable {
            facts.push("cannot be stopped".to_owned());
        }
        for (entry, levels) in &node.access_exceptions {
            facts.push(format!("shows `{entry}` {} up", counted(*levels, "level")));
        }
        facts
    }

    /// Ids that are not known here, each once.
    fn unknown(&self) -> BTreeMap<&str, usize> {
        let mut unknown = BTreeMap::new();
        for node in self
            .measurement
            .tree
            .nodes()
            .iter()
            .filter(|node| node.kind().is_none())
        {
            *unknown.entry(node.id.as_str()).or_insert(0) += 1;
        }
        unknown
    }

    fn summary(&self) -> String {
        let tree = &self.measurement.tree;
        let mut parts = vec![
            counted(tree.nodes().len() - 1, "task"),
            counted(tree.database().entries().len(), "entry"),
        ];
        parts.push(match self.outline.points {
            Some(1.0) => "1 point".to_owned(),
            Some(points) => format!("{} points", grouped(points)),
            None => "nobody knows how many points".to_owned(),
        });
        match self.outline.seconds {
            Some(0.0) => (),
            Some(seconds) => parts.push(format!("takes at least {}", duration(seconds))),
            None => parts.push("nobody knows how long".to_owned()),
        }
        parts.join(" · ")
    }

    fn json(&self) -> Json {
        let tree = &self.measurement.tree;
        let task = |line: &OutlineLine| {
            let node = tree.node(line.task);
            let exceptions: Vec<Json> = node
                .access_exceptions
                .iter()
                .map(|(entry, levels)| json!([entry, levels]))
                .collect();
            let is_embedded = node
                .parent
                .is_some_and(|parent| tree.node(parent).embedded == Some(line.task));
            json!({"depth": line.depth, "path": node.path, "name": node.name, "id": node.id,
                "known": node.kind().is_some(), "embedded": is_embedded, "rounds": line.rounds, "entries": line.entries,
                "visible": line.visible, "pool": node.pool, "wait": node.wait.as_ref().map(waits),
                "stoppable": node.stoppable, "access_exceptions": exceptions})
        };
        json!({"file": self.label, "name": self.measurement.name, "id": self.measurement.id,
            "default_path": self.measurement.default_path, "tasks": self.outline.lines.iter().map(task).collect::<Vec<_>>(),
            "unknown": self.unknown(), "points": self.outline.points, "seconds": self.outline.seconds})
    }
}

fn waits(pools: &Pools) -> String {
    let named = |pools: &[String]| {
        pools
            .iter()
            .map(|pool| format!("`{pool}`"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    match pools {
        Pools::All => "waits for all pools".to_owned(),
        Pools::Only(pools) => format!("waits for {}", named(pools)),
        Pools::AllBut(pools) => format!("waits for all pools but {}", named(pools)),
    }
}
