//! What runs before and after a measurement: the sections `[pre_hooks]` and `[post_hooks]` of its file.
//!
//! `exopy.internal_checks` is what every run does anyway, `exopy.autoclose` asks a program to end that we are not:
//! both are accepted. `measurand.command` runs a command with the run's facts in its environment. An unknown hook is an
//! error: what should be prepared before a run, or put in order after it, is not left out in silence.

use std::time::Duration;

use crate::{
    file::Section,
    problem::{Problem, Stage},
    tree::{header, place},
};

/// A hook of a measurement that has something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Words of the section's name: `measurand.command`, or `measurand.command mail` when there are several.
    pub id: String,
    /// A line for the shell.
    pub command: String,
    /// How long it may take.
    pub timeout: Duration,
}

/// A hook that takes longer than this is ended, unless its section says `timeout`.
const TIMEOUT: Duration = Duration::from_secs(60);

impl Hook {
    pub(crate) fn read_all(section: &Section, problems: &mut Vec<Problem>) -> Vec<Hook> {
        let mut hooks = Vec::new();
        for hook in section.sections() {
            let id = hook.name();
            match id.split_whitespace().next().unwrap_or_default() {
                "exopy.internal_checks" | "ecpy.internal_checks" | "exopy.autoclose" => (),
                "measurand.command" => hooks.extend(Hook::read(hook, problems)),
                _ => {
                    let problem = Problem::error(Stage::Build, "", format!("the hook `{id}` is not known here"))
                        .hint("take its section out of the file to perform the measurement without it");
                    problems.push(place(problem, header(hook)));
                }
            }
        }
        hooks
    }

    fn read(section: &Section, problems: &mut Vec<Problem>) -> Option<Hook> {
        let id = section.name().to_owned();
        let Some(command) = section.value("command").filter(|command| !command.trim().is_empty()) else {
            let problem = Problem::error(Stage::Build, "", format!("the hook `{id}` has no `command`"))
                .hint("write `command = ` and a line for the shell");
            problems.push(place(problem, header(section)));
            return None;
        };
        let timeout = match section.get("timeout") {
            None => TIMEOUT,
            Some(scalar) => match scalar.value.trim().parse::<f64>().map(Duration::try_from_secs_f64) {
                Ok(Ok(timeout)) => timeout,
                Ok(Err(_)) | Err(_) => {
                    let message = format!("`timeout` of the hook `{id}` should be a number of seconds");
                    problems.push(Problem::error(Stage::Build, "", message).at(scalar.span));
                    TIMEOUT
                }
            },
        };
        Some(Hook {
            id,
            command: command.to_owned(),
            timeout,
        })
    }
}
