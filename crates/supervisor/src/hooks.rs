//! Hooks as they run: a command in a shell, with the run's facts in its environment.
//!
//! | variable | |
//! |---|---|
//! | `MEASURAND_HOOK` | `pre` or `post` |
//! | `MEASURAND_NAME`, `MEASURAND_ID` | of the measurement |
//! | `MEASURAND_FILE` | its file |
//! | `MEASURAND_DEFAULT_PATH` | its folder |
//! | `MEASURAND_LOG_FILE`, `MEASURAND_MEASUREMENT_FILE` | the run's log and saved measurement, empty before there are any |
//! | `MEASURAND_OUTCOME`, `MEASURAND_ERRORS` | post hooks only: `Completed`, `Failed`, `Interrupted` or `Skipped`; `path: text` lines |
//! | `MEASURAND_PID` | the supervising process, as `measurand stop` takes it |
//!
//! What it prints is logged. It fails when its status is not 0, or when it takes too long and is ended with its group;
//! what it left in the background by itself lives on.

use std::{
    path::Path,
    process::{self, Command, Stdio},
    time::Instant,
};

use measurement::Hook;

use crate::{
    ending::Ending,
    inbox::Sender,
    process::{End, News, Process, ProcessId},
    run::HookKind,
};

/// What a hook may want to know.
#[derive(Debug)]
pub(crate) struct HookFacts<'a> {
    pub(crate) kind: HookKind,
    pub(crate) name: &'a str,
    pub(crate) id: &'a str,
    pub(crate) file: &'a str,
    pub(crate) default_path: &'a str,
    pub(crate) log_file: Option<&'a Path>,
    pub(crate) saved_file: Option<&'a Path>,
    pub(crate) ending: Option<&'a Ending>,
}

/// A hook that runs.
#[derive(Debug)]
pub(crate) struct RunningHook {
    process: Process,
    /// What its output is logged as.
    target: String,
    fate: Fate,
    heard_at: Instant,
}

#[derive(Debug)]
enum Fate {
    Runs {
        until: Instant,
        timeout_secs: f64,
    },
    /// It was killed; with the reason.
    Killed(String),
}

/// Bytes of a variable: an environment has limits, and a hook that cannot start helps nobody.
const LONGEST: usize = 32 * 1024;

impl RunningHook {
    /// Starts a hook.
    ///
    /// # Errors
    /// Its shell cannot be started.
    pub(crate) fn start(hook: &Hook, facts: &HookFacts<'_>, id: ProcessId, sender: &Sender) -> Result<Self, String> {
        let mut command = Command::new("/bin/sh");
        command
            .arg("-c")
            .arg(&hook.command)
            .stdin(Stdio::null())
            .env_remove("MEASURAND_TOKEN");
        for (key, value) in facts.variables() {
            command.env(format!("MEASURAND_{key}"), fitting(value));
        }
        let process = Process::start(id, command, sender).map_err(|error| format!("cannot be started: {error}"))?;
        let now = Instant::now();
        let fate = match now.checked_add(hook.timeout) {
            Some(until) => Fate::Runs {
                until,
                timeout_secs: hook.timeout.as_secs_f64(),
            },
            // Longer than the clock counts is no limit; a century stands for it.
            None => Fate::Runs {
                until: now + std::time::Duration::from_secs(3_153_600_000),
                timeout_secs: f64::INFINITY,
            },
        };
        Ok(Self {
            process,
            target: hook.id.clone(),
            fate,
            heard_at: now,
        })
    }

    pub(crate) fn id(&self) -> ProcessId {
        self.process.id()
    }

    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    pub(crate) fn hear(&mut self, news: &News, now: Instant) {
        self.heard_at = now;
        self.process.hear(news, now);
    }

    pub(crate) fn end(&mut self, why: &str) {
        self.process.kill();
        self.fate = Fate::Killed(why.to_owned());
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match (self.process.lingers_until(), &self.fate) {
            (Some(until), _) => Some(until),
            (None, Fate::Runs { until, .. }) => Some(*until),
            (None, Fate::Killed(_)) => None,
        }
    }

    /// Looks whether it is over, and how it ended, and ends it if it is time.
    pub(crate) fn look(&mut self, now: Instant) -> Option<Result<(), String>> {
        let is_due = self.deadline().is_some_and(|deadline| now >= deadline);
        let Some(end) = self.process.end() else {
            if let (true, Fate::Runs { timeout_secs, .. }) = (is_due, &self.fate) {
                let why = format!("took longer than {timeout_secs} s and was ended");
                self.end(&why);
            }
            return None;
        };
        if self.process.has_open_pipes() && !is_due {
            return None;
        }
        Some(match (&self.fate, end) {
            (Fate::Killed(why), _) => Err(why.clone()),
            (Fate::Runs { .. }, End::Exited(0)) => Ok(()),
            (Fate::Runs { .. }, end) => match self.process.last_words() {
                words if words.is_empty() => Err(end.to_string()),
                words => Err(format!("{end}: {words}")),
            },
        })
    }
}

impl HookFacts<'_> {
    fn variables(&self) -> Vec<(&'static str, String)> {
        let path = |path: Option<&Path>| path.map(|path| path.display().to_string()).unwrap_or_default();
        let kind = match self.kind {
            HookKind::Pre => "pre",
            HookKind::Post => "post",
        };
        let mut variables = vec![
            ("HOOK", kind.to_owned()),
            ("NAME", self.name.to_owned()),
            ("ID", self.id.to_owned()),
            ("FILE", self.file.to_owned()),
            ("DEFAULT_PATH", self.default_path.to_owned()),
            ("LOG_FILE", path(self.log_file)),
            ("MEASUREMENT_FILE", path(self.saved_file)),
            ("PID", process::id().to_string()),
        ];
        if let Some(ending) = self.ending {
            let errors: Vec<String> = ending
                .errors
                .iter()
                .map(|(path, text)| format!("{path}: {text}"))
                .collect();
            variables.push(("OUTCOME", ending.outcome.name().to_owned()));
            variables.push(("ERRORS", errors.join("\n")));
        }
        variables
    }
}

fn fitting(mut value: String) -> String {
    if value.len() > LONGEST {
        value.truncate(value.floor_char_boundary(LONGEST));
    }
    // An environment cannot hold it.
    value.replace('\0', "\u{fffd}")
}
