//! `measurand check`: all problems of each file, without performing anything.

use std::path::PathBuf;

use measurement::{Measurement, Outline, Problem, Severity, refused};
use runner::Laboratory;
use serde_json::json;

use crate::{
    args::Changes,
    complaint::Complaint,
    exit::Exit,
    laboratory::Reach,
    quantity::{counted, grouped},
    snippet,
    source::Loaded,
    surroundings::{Folders, day_and_time},
    terminal::Stream,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Measurements, or templates of tasks; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One JSON object a line and file, with its problems
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    changes: Changes,
    #[command(flatten)]
    reach: Reach,
}

pub(crate) fn check(args: &Args) -> Result<Exit, Complaint> {
    let setup = args.reach.laboratory()?;
    let mut exit = Exit::Completed;
    for path in &args.files {
        let one = match Loaded::open(path, &args.changes.overrides(), &setup) {
            Ok(loaded) => {
                let found = Found::of(&loaded, &args.changes, &setup);
                if args.json {
                    found.print_json(&loaded)
                } else {
                    found.print(&loaded)
                }
                found.exit
            }
            Err(complaint) if args.json => {
                let problem = json!({"severity": "error", "path": "", "message": complaint.line(), "line": null,
                    "column": null, "hint": complaint.hint_text(), "stage": "read"});
                let file = json!({"file": path.display().to_string(), "ok": false, "problems": [problem]});
                Stream::Output.write(&format!("{file}\n"));
                Exit::Unusable
            }
            Err(complaint) => {
                complaint.print();
                Exit::Unusable
            }
        };
        exit = exit.max(one);
    }
    Ok(exit)
}

/// What is to be said of one file.
struct Found {
    problems: Vec<Problem>,
    exit: Exit,
    tasks: usize,
    entries: usize,
    points: Option<f64>,
}

impl Found {
    fn of(loaded: &Loaded, changes: &Changes, setup: &protocol::Laboratory) -> Found {
        let mut found = Found {
            problems: loaded.problems.clone(),
            exit: Exit::Unusable,
            tasks: 0,
            entries: 0,
            points: None,
        };
        let Some(measurement) = &loaded.measurement else {
            return found;
        };
        found.look(measurement, changes, setup);
        found
    }

    fn look(&mut self, measurement: &Measurement, changes: &Changes, setup: &protocol::Laboratory) {
        let (date, time) = day_and_time();
        let folders = Folders {
            made: changes.default_path.clone(),
            laboratory: Laboratory::open(setup),
            // A file can be looked at where its instruments are not.
            missing: Severity::Warning,
        };
        let checked = measurement.tree.check(&measurement.facts(&date, &time), &folders);
        self.points = Outline::of(&measurement.tree, &checked, &folders).points;
        // The root is no task of the user's.
        self.tasks = measurement.tree.nodes().len() - 1;
        self.entries = measurement.tree.database().entries().len();
        self.problems.extend(checked.problems);
        self.exit = match (measurement.is_built(), refused(&self.problems)) {
            (false, _) => Exit::Unusable,
            (true, true) => Exit::Refused,
            (true, false) => Exit::Completed,
        };
    }

    fn print(&self, loaded: &Loaded) {
        let problems: Vec<String> = self
            .problems
            .iter()
            .map(|problem| snippet::text(problem, loaded, &loaded.label, Stream::Error))
            .collect();
        if !problems.is_empty() {
            Stream::Error.write(&format!("{}\n", problems.join("\n")));
        }
        let paint = Stream::Output.paint();
        let label = &loaded.label;
        let line = match (self.exit, self.numbers()) {
            (Exit::Completed, None) => format!("{label}: {} ({})\n", paint.good("ok"), self.size()),
            (Exit::Completed, Some(warnings)) => {
                format!("{label}: {}, {warnings} ({})\n", paint.good("ok"), self.size())
            }
            (Exit::Refused, Some(numbers)) => format!("{label}: {}: {numbers}\n", paint.error("refused")),
            (_, numbers) => {
                format!(
                    "{label}: {}: {}\n",
                    paint.error("cannot be performed"),
                    numbers.unwrap_or_default()
                )
            }
        };
        Stream::Output.write(&line);
    }

    fn print_json(&self, loaded: &Loaded) {
        let problems: Vec<_> = self
            .problems
            .iter()
            .map(|problem| snippet::json(problem, loaded))
            .collect();
        let file = json!({"file": loaded.label, "ok": self.exit == Exit::Completed, "tasks": self.tasks,
            "entries": self.entries, "points": self.points, "problems": problems});
        Stream::Output.write(&format!("{file}\n"));
    }

    /// `2 errors, 1 warning`; nothing when there is none.
    fn numbers(&self) -> Option<String> {
        let errors = self.problems.iter().filter(|problem| problem.is_error()).count();
        let warnings = self.problems.len() - errors;
        match (errors, warnings) {
            (0, 0) => None,
            (0, warnings) => Some(counted(warnings, "warning")),
            (errors, 0) => Some(counted(errors, "error")),
            (errors, warnings) => Some(format!(
                "{}, {}",
                counted(errors, "error"),
                counted(warnings, "warning")
            )),
        }
    }

    /// `12 tasks, 34 entries, about 1 234 points`
    fn size(&self) -> String {
        let points = match self.points {
            Some(0.0) => String::new(),
            Some(1.0) => ", 1 point".to_owned(),
            Some(points) => format!(", about {} points", grouped(points)),
            None => ", nobody knows how many points".to_owned(),
        };
        let entries = match self.entries {
            1 => "1 entry".to_owned(),
            entries => counted(entries, "entry"),
        };
        format!("{}, {entries}{points}", counted(self.tasks, "task"))
    }
}
