//! Runs that can go on: the record of a broken run, found by its measurement or named, and what its file has become since.

use std::{
    fs,
    path::{Path, PathBuf},
};

use measurement::{Measurement, Overrides};
use records::{RecordError, RunFacts, State};
use similar::{ChangeTag, TextDiff};

use crate::{
    complaint::Complaint,
    source::Loaded,
    terminal::{Stream, harmless},
};

/// The last run of a measurement.
pub(crate) enum LastRun {
    /// There is no record of any.
    None,
    Broken(PathBuf),
    Complete(PathBuf),
}

/// The last run of this measurement whose record is in its `default_path`.
pub(crate) fn last_run(measurement: &Measurement) -> Result<LastRun, Complaint> {
    let folder = Path::new(&measurement.default_path);
    let stem = measurement.stem();
    let Some(record) = last_record(folder, &stem) else {
        return Ok(LastRun::None);
    };
    let reading = match records::outcome(&record) {
        Ok(outcome) => outcome,
        // Its run ended before anything was on record: there is nothing to lose.
        Err(RecordError::NoBeginning(_)) => return Ok(LastRun::None),
        Err(error) => return Err(unreadable(&record, &error)),
    };
    let (run, state, outcome) = reading;
    if state == State::Running {
        return Err(Complaint::new(format!(
            "the run of `{}` is still going on",
            record.display()
        )));
    }
    if state == State::Ended && outcome.as_deref() == Some("Completed") {
        return Ok(LastRun::Complete(record));
    }
    if run.text != measurement.text() {
        let difference = difference(&run.text, measurement.text());
        return Err(Complaint::new(format!(
            "the measurement changed since its run broke off: it cannot go on\n{difference}"
        ))
        .hint(format!(
            "`measurand resume {}` goes on as it began; `measurand run` without `--resume` begins anew",
            record.display()
        )));
    }
    Ok(LastRun::Broken(record))
}

/// The record with the highest number of `stem.record`, `stem-1.record` ….
fn last_record(folder: &Path, stem: &str) -> Option<PathBuf> {
    let number = |path: &Path| -> Option<u32> {
        let name = path
            .file_name()?
            .to_str()?
            .strip_suffix(".record")?
            .strip_prefix(stem)?;
        if name.is_empty() {
            Some(0)
        } else {
            name.strip_prefix('-')?.parse().ok()
        }
    };
    let entries = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    entries
        .filter_map(|path| Some((number(&path)?, path)))
        .max()
        .map(|(_, path)| path)
}

/// A run to go on with.
pub(crate) struct Broken {
    pub(crate) record: PathBuf,
    run: RunFacts,
}

impl Broken {
    pub(crate) fn open(record: &Path) -> Result<Broken, Complaint> {
        let (run, state, outcome) = records::outcome(record).map_err(|error| unreadable(record, &error))?;
        match (state, outcome.as_deref()) {
            (State::Running, _) => Err(Complaint::new(format!(
                "the run of `{}` is still going on",
                record.display()
            ))),
            (State::Ended, Some("Completed")) => Err(Complaint::new(format!(
                "the run of `{}` is complete: there is nothing to go on with",
                record.display()
            ))
            .hint(format!("`measurand run {}` begins a new one", run.file))),
            (State::Ended | State::Broken, _) => {
                let broken = Broken {
                    record: record.to_owned(),
                    run,
                };
                broken.mention_changes();
                Ok(broken)
            }
        }
    }

    /// What must be replaced in its measurement: the folder, if the record was carried to another.
    pub(crate) fn overrides(&self) -> Overrides {
        let here = self
            .record
            .canonicalize()
            .ok()
            .and_then(|path| Some(path.parent()?.to_owned()));
        let then = Path::new(&self.run.default_path).canonicalize().ok();
        let default_path = match (here, then) {
            (Some(here), then) if then.as_ref() != Some(&here) => Some(here.display().to_string()),
            (_, _) => None,
        };
        Overrides {
            default_path,
            ..Overrides::default()
        }
    }

    pub(crate) fn load(&self, overrides: &Overrides, setup: &protocol::Laboratory) -> Loaded {
        Loaded::of_text(&self.run.file, &self.run.text, overrides, setup)
    }

    /// A file that was edited since is not what goes on, which should not surprise anybody.
    fn mention_changes(&self) {
        let now = Loaded::open(
            Path::new(&self.run.file),
            &Overrides::default(),
            &protocol::Laboratory::default(),
        );
        let Some(now) = now.ok().and_then(|loaded| loaded.measurement) else {
            return;
        };
        let then = Measurement::read(self.run.text.as_bytes(), &self.run.name, &Overrides::default());
        let then = then
            .map(|measurement| measurement.text().to_owned())
            .unwrap_or_default();
        // `--default-path`, `--name` and `--id` are no changes of the file.
        let comparable = |text: &str| -> String {
            let lines = text.lines().filter(|line| {
                !line.trim_start().starts_with("default_path")
                    && !line.starts_with("name =")
                    && !line.starts_with("id =")
            });
            lines.collect::<Vec<_>>().join("\n")
        };
        if comparable(now.text()) != comparable(&then) {
            Stream::Error.write(&format!(
                "warning: `{}` changed since, or the run had a `-D`; it goes on as it began\n",
                harmless(&self.run.file)
            ));
        }
    }
}

fn unreadable(record: &Path, error: &RecordError) -> Complaint {
    let complaint = Complaint::new(format!("cannot go on with `{}`", record.display())).because(error);
    let is_measurement = record.extension().is_some_and(|extension| extension == "ini");
    if !is_measurement || !matches!(error, RecordError::NotARecord(_)) {
        return complaint;
    }
    complaint.hint(format!(
        "`measurand run {} --resume` goes on with the last run of a measurement",
        record.display()
    ))
}

/// The lines that differ, as `diff` shows them.
fn difference(then: &str, now: &str) -> String {
    let diff = TextDiff::from_lines(then, now);
    let mut text = String::new();
    for change in diff.iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => continue,
        };
        text.push_str(&format!("  {sign} {}\n", harmless(change.value().trim_end())));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_shows_the_lines_that_changed() {
        assert_eq!(difference("a\nb\nc\n", "a\nB\nc\n"), "  - b\n  + B\n");
    }

    #[test]
    fn the_last_record_has_the_highest_number() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in [
            "m_1.record",
            "m_1-2.record",
            "m_1-10.record",
            "m_12.record",
            "m_1-x.record",
        ] {
            fs::write(folder.path().join(name), "").expect("it can be written");
        }
        assert_eq!(
            last_record(folder.path(), "m_1"),
            Some(folder.path().join("m_1-10.record"))
        );
        assert_eq!(last_record(folder.path(), "other"), None);
    }
}
