//! `measurand runs`: the runs there were, the newest first.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use records::{Filter, Index, Run};
use serde_json::{Value as Json, json};
use unicode_width::UnicodeWidthStr;

use crate::{
    complaint::Complaint,
    exit::Exit,
    quantity::{duration, grouped, local_time},
    records_of::{near, records_in},
    terminal::{Paint, Stream, harmless},
};

/// Folders inside a folder that are looked into.
const DEPTH: usize = 8;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folders whose records are added to the list, with all folders inside; then only their runs are shown
    #[arg(value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// Only runs whose name_id contains this
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Not more than these
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn runs(args: &Args) -> Result<Exit, Complaint> {
    let failed = |error: records::IndexError| Complaint::new("cannot list the runs").because(&error);
    let index = Index::of_user().map_err(failed)?;
    let mut found = HashSet::new();
    for folder in &args.folders {
        if !folder.is_dir() {
            return Err(Complaint::new(format!("there is no folder `{}`", folder.display())));
        }
        scan(folder, DEPTH, &mut |path| {
            if let Some(run) = read(path) {
                found.insert(run.path.clone());
                index.add_or_update(&run).map_err(failed)?;
            }
            Ok(())
        })?;
    }
    index.forget_missing().map_err(failed)?;
    let filter = Filter {
        name: args.name.clone(),
        limit: if args.folders.is_empty() { args.limit } else { None },
    };
    let mut runs = index.list(&filter).map_err(failed)?;
    if !args.folders.is_empty() {
        runs.retain(|run| found.contains(&run.path));
        runs.truncate(args.limit.unwrap_or(usize::MAX));
    }
    for run in runs.iter_mut().filter(|run| !run.is_over()) {
        // Its process may have died since, or measured on.
        if let Some(now) = run.path.is_file().then(|| read(&run.path)).flatten() {
            index.add_or_update(&now).map_err(failed)?;
            *run = now;
        }
    }
    let text = if args.json {
        format!("{:#}\n", runs.iter().map(json).collect::<Json>())
    } else {
        table(&runs, Stream::Output.paint())
    };
    Stream::Output.write(&text);
    Ok(Exit::Completed)
}

/// The run of a record; one that cannot be read is named on standard error.
fn read(path: &Path) -> Option<Run> {
    match records::read(path) {
        Ok(reading) => Some(Run::of(path, &reading)),
        Err(error) => {
            let paint = Stream::Error.paint();
            Stream::Error.write(&format!("{}: {error}\n", paint.warning("warning")));
            None
        }
    }
}

/// Says each record of the folder and of the folders inside, links excepted: they may lead in a circle.
fn scan(folder: &Path, depth: usize, say: &mut impl FnMut(&Path) -> Result<(), Complaint>) -> Result<(), Complaint> {
    for path in records_in(folder) {
        say(&path)?;
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let inside = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    if let Some(depth) = depth.checked_sub(1) {
        for entry in inside {
            scan(&entry.path(), depth, say)?;
        }
    }
    Ok(())
}

fn json(run: &Run) -> Json {
    json!({"path": run.path, "name": run.name, "id": run.id, "started_us": run.started_us, "ended_us": run.ended_us,
        "outcome": run.outcome, "rows": run.rows})
}

fn table(runs: &[Run], paint: Paint) -> String {
    if runs.is_empty() {
        return "no runs are known; `measurand runs FOLDER` finds the records of a folder\n".to_owned();
    }
    let rows: Vec<[String; 5]> = runs
        .iter()
        .map(|run| {
            let seconds = run.ended_us.map(|end| (end - run.started_us).max(0) as f64 / 1e6);
            [
                local_time(run.started_us),
                harmless(&run.stem()),
                run.outcome.clone(),
                grouped(run.rows as f64),
                seconds.map_or("-".to_owned(), duration),
            ]
        })
        .collect();
    let heads = ["start", "run", "outcome", "points", "duration"];
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].width())
            .max()
            .unwrap_or(0)
            .max(heads[column].width())
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |cells: &[&str]| -> String {
        let cells = cells.iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, width))| {
            let gap = " ".repeat(width.saturating_sub(cell.width()));
            // Counts and durations stand at the right.
            if column < 3 {
                format!("{cell}{gap}")
            } else {
                format!("{gap}{cell}")
            }
        });
        cells.collect::<Vec<String>>().join("  ")
    };
    let mut text = format!("{}\n", paint.strong(&format!("{}  path", line(&heads))));
    for (run, row) in runs.iter().zip(&rows) {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        let told = line(&cells);
        let told = match run.outcome.as_str() {
            "Failed" | "Broken" => paint.error(&told),
            "Running" => paint.good(&told),
            _ => told,
        };
        text.push_str(&format!(
            "{told}  {}\n",
            paint.faint(&harmless(&near(&run.path).to_string_lossy()))
        ));
    }
    text
}
