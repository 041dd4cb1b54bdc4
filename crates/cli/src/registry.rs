//! The list of runs, kept while they are performed: a run is listed when it starts and again when it ends.
//!
//! The list is a convenience, the records are the truth: that it cannot be written is a warning, and nothing waits for it.

use std::{
    path::{Path, PathBuf},
    thread::JoinHandle,
};

use records::{Index, IndexError, Run};
use supervisor::Facts;

use crate::complaint::Complaint;

/// A run on its way through the list.
pub(crate) struct Listed {
    run: Run,
    /// Writes the run down as running, away from the loop that hears events.
    begun: Option<JoinHandle<Result<(), IndexError>>>,
}

impl Listed {
    /// Lists a run that starts.
    pub(crate) fn begin(facts: &Facts, record: &Path) -> Listed {
        let run = Run {
            path: absolute(record),
            name: facts.name.clone(),
            id: facts.id.clone(),
            started_us: jiff::Timestamp::now().as_microsecond(),
            ended_us: None,
            outcome: "Running".to_owned(),
            rows: 0,
        };
        let own = run.clone();
        let write = move || {
            let index = Index::of_user()?;
            // A run that goes on started when it started.
            let started_us = index.get(&own.path)?.map_or(own.started_us, |run| run.started_us);
            index.add_or_update(&Run { started_us, ..own })
        };
        let begun = std::thread::Builder::new().name("list".to_owned()).spawn(write).ok();
        Listed { run, begun }
    }

    /// Lists how it ended, with as many points as are on record; nothing if its process did not live to say so.
    pub(crate) fn end(self, ended: Option<(&str, u64)>) {
        let begun = self.begun.map_or(Ok(()), |begun| begun.join().unwrap_or(Ok(())));
        let write = || {
            begun?;
            let index = Index::of_user()?;
            let started_us = index
                .get(&self.run.path)?
                .map_or(self.run.started_us, |run| run.started_us);
            let (ended_us, outcome, rows) = match ended {
                Some((outcome, points)) => (Some(jiff::Timestamp::now().as_microsecond()), outcome, points),
                None => (None, "Broken", 0),
            };
            index.add_or_update(&Run {
                started_us,
                ended_us,
                outcome: outcome.to_owned(),
                rows,
                ..self.run
            })
        };
        if let Err(error) = write() {
            let complaint = Complaint::new("the run is not in the list of runs; its record is complete");
            complaint.because(&error).print();
        }
    }
}

fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
