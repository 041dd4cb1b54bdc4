//! What is wrong with a measurement, with its place in the file and the way out.
//!
//! Reading, building and checking never stop at the first problem: they gather a `Vec<Problem>`. How a problem looks on
//! a screen is decided elsewhere; here it is only said.

use expr::Span;
use serde::{Deserialize, Serialize};

/// Whether a measurement can be performed in spite of the problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Severity {
    Error,
    Warning,
}

/// Which door the problem was found at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// The text is not a file of ours.
    Read,
    /// The text was read, but no tree can be made of it.
    Build,
    /// There is a tree, but it would not do what it says.
    Check,
}

/// One problem of a measurement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub severity: Severity,
    pub stage: Stage,
    /// Path of the task and its field, as in Exopy: `root/loop/f-a`; empty when no task is to blame.
    pub path: String,
    pub message: String,
    /// Bytes of the file's text, when the problem has a place there.
    pub place: Option<(usize, usize)>,
    pub hint: Option<String>,
}

impl Problem {
    pub fn error(stage: Stage, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            stage,
            path: path.into(),
            message: message.into(),
            place: None,
            hint: None,
        }
    }

    pub fn warning(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(Stage::Check, path, message)
        }
    }

    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.place = Some((span.start, span.end));
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// The candidate nearest to what was written, if any is near enough to be what was meant.
pub(crate) fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Three slips of the finger; a short name leaves less room.
    let limit = (written.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(written, candidate, limit), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance without regard to case; anything beyond `limit` is just `limit + 1`.
fn distance(a: &str, b: &str, limit: usize) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().collect();
    let b: Vec<char> = b.to_lowercase().chars().collect();
    if a.len().abs_diff(b.len()) > limit {
        return limit + 1;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_name_is_offered_only_when_it_is_near() {
        let names = ["exopy.SleepTask", "exopy.LogTask"];
        assert_eq!(nearest("exopy.SlepTask", names), Some("exopy.SleepTask"));
        assert_eq!(nearest("exopy.TeleportTask", names), None);
        assert_eq!(nearest("", names), None);
    }
}
