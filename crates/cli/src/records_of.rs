//! The record that is meant by what somebody typed: a path, `name_id`, a name, `last`, or the beginning of one of these.
//!
//! Looked for among the runs of this user's index and the records of the current folder, the newest first. Deliberately
//! absent: reading the records; their names suffice.

use std::{
    cmp::Reverse,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use records::{Filter, Index, Reading, Run};

use crate::{complaint::Complaint, terminal::Stream};

/// As many near matches are named.
const NEAR: usize = 5;

/// A record that may be meant.
#[derive(Clone, Debug)]
struct Candidate {
    path: PathBuf,
    stem: String,
    /// Where it is known without a look into the record.
    name: Option<String>,
    started_us: i64,
}

/// The path of the record of a run.
///
/// # Errors
/// There is no such run, or there are several; the complaint says what there is.
pub(crate) fn resolve_run(text: &str) -> Result<PathBuf, Complaint> {
    let path = Path::new(text);
    if path.is_file() {
        return Ok(path.to_owned());
    }
    if text.ends_with(".record") || text.contains(std::path::MAIN_SEPARATOR) {
        return Err(Complaint::new(format!("there is no record `{text}`"))
            .hint("`measurand runs` lists the runs that are known"));
    }
    choose(text, candidates()).map(|path| near(&path))
}

/// The path as seen from the current folder, if it is in there.
pub(crate) fn near(path: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    let inside = here.and_then(|here| path.strip_prefix(here).ok());
    inside.unwrap_or(path).to_owned()
}

/// What a record holds; what is not as it should be is said on standard error.
///
/// # Errors
/// It cannot be read.
pub(crate) fn read_run(path: &Path) -> Result<Reading, Complaint> {
    let reading = records::read(path).map_err(|error| Complaint::new("cannot read the record").because(&error))?;
    for remark in &reading.remarks {
        let paint = Stream::Error.paint();
        Stream::Error.write(&format!(
            "{}: `{}`: {remark}\n",
            paint.warning("warning"),
            path.display()
        ));
    }
    Ok(reading)
}

/// All records that can be named, the newest first.
fn candidates() -> Vec<Candidate> {
    // Without an index there are still the records of the folder.
    let known = Index::of_user()
        .and_then(|index| index.list(&Filter::default()))
        .unwrap_or_default();
    let known = known
        .into_iter()
        .filter(|run| run.path.is_file())
        .map(|run: Run| Candidate {
            stem: run.stem(),
            path: run.path,
            name: Some(run.name),
            started_us: run.started_us,
        });
    let mut candidates: Vec<Candidate> = known.collect();
    for path in records_in(Path::new(".")) {
        let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
        if !candidates.iter().any(|known| known.path == absolute) {
            candidates.push(Candidate {
                stem: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
                name: None,
                started_us: modified_us(&path),
                path,
            });
        }
    }
    candidates.sort_by_key(|candidate| Reverse(candidate.started_us));
    candidates
}

/// The records of a folder, in no order; none of one that cannot be listed.
pub(crate) fn records_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "record") && path.is_file())
        .map(|path| path.strip_prefix("./").map(Path::to_owned).unwrap_or(path))
        .collect()
}

fn modified_us(path: &Path) -> i64 {
    let modified = path.metadata().and_then(|about| about.modified()).ok();
    let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn choose(text: &str, candidates: Vec<Candidate>) -> Result<PathBuf, Complaint> {
    if candidates.is_empty() {
        return Err(Complaint::new(format!(
            "no run `{text}`: no run is known, and the current folder has no record"
        ))
        .hint("`measurand runs FOLDER` finds the records of a folder"));
    }
    let is_named = |candidate: &&Candidate| {
        let id = candidate
            .stem
            .strip_prefix(text)
            .and_then(|rest| rest.strip_prefix('_'));
        // `cool_down_001` is more likely no run of `cool`.
        let begins = id.is_some_and(|id| !id.contains('_'));
        candidate.name.as_deref().map_or(begins, |name| name == text)
    };
    let by_stem = candidates.iter().find(|candidate| candidate.stem == text);
    let found = match text {
        "last" => candidates.first(),
        _ => by_stem.or_else(|| candidates.iter().find(is_named)),
    };
    if let Some(found) = found {
        return Ok(found.path.clone());
    }
    let beginning: Vec<&Candidate> = candidates
        .iter()
        .filter(|candidate| candidate.stem.starts_with(text))
        .collect();
    let mut stems: Vec<&str> = beginning.iter().map(|candidate| candidate.stem.as_str()).collect();
    stems.dedup();
    match (beginning.as_slice(), stems.as_slice()) {
        ([only, ..], [_]) => Ok(only.path.clone()),
        ([_, ..], _) => Err(Complaint::new(format!(
            "`{text}` is the beginning of several runs: {}",
            list(&stems)
        ))),
        ([], _) => {
            let complaint = Complaint::new(format!("no run `{text}` is known, nor is one in the current folder"));
            let near = nearest(text, &candidates);
            Err(match near.as_slice() {
                [] => complaint.hint("`measurand runs` lists the runs that are known"),
                near => complaint.hint(format!("did you mean {}?", list(near))),
            })
        }
    }
}

/// `a`, `b`, …
fn list(stems: &[&str]) -> String {
    let named: Vec<String> = stems.iter().take(NEAR).map(|stem| format!("`{stem}`")).collect();
    let more = if stems.len() > NEAR { ", …" } else { "" };
    named.join(", ") + more
}

/// The stems that have half of the text's pairs of letters.
fn nearest<'a>(text: &str, candidates: &'a [Candidate]) -> Vec<&'a str> {
    let pairs = |text: &str| -> Vec<(char, char)> {
        let letters: Vec<char> = text.to_lowercase().chars().collect();
        letters.windows(2).map(|pair| (pair[0], pair[1])).collect()
    };
    let wanted = pairs(text);
    let mut near: Vec<&str> = Vec::new();
    for candidate in candidates {
        let offered = pairs(&candidate.stem);
        let common = wanted.iter().filter(|pair| offered.contains(pair)).count();
        let is_near = 2 * common >= wanted.len() && common > 0;
        if is_near && !near.contains(&candidate.stem.as_str()) {
            near.push(&candidate.stem);
        }
    }
    near
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let candidate = |(at, stem): (i64, &&str)| Candidate {
            path: PathBuf::from(format!("/d/{stem}.record")),
            stem: (*stem).to_owned(),
            name: None,
            started_us: -at,
        };
        let stems = ["cool_down_002", "cool_001-1", "cool_001", "warm_007"];
        let chosen = choose(text, (0..).zip(&stems).map(candidate).collect());
        let chosen =
            chosen.map_err(|complaint| format!("{} | {}", complaint.line(), complaint.hint_text().unwrap_or_default()));
        let expected = expected.map(|stem| PathBuf::from(format!("/d/{stem}.record")));
        assert_eq!(chosen, expected.map_err(str::to_owned));
    }

    #[test]
    fn a_run_is_named_by_what_tells_it_from_the_others() {
        check("last", Ok("cool_down_002"));
        check("cool_001", Ok("cool_001"));
        check("cool_001-1", Ok("cool_001-1"));
        check("cool", Ok("cool_001-1"));
        check("cool_down", Ok("cool_down_002"));
        check("warm", Ok("warm_007"));
        check("war", Ok("warm_007"));
        check("cool_d", Ok("cool_down_002"));
        check(
            "coo",
            Err("`coo` is the beginning of several runs: `cool_down_002`, `cool_001-1`, `cool_001` | "),
        );
        check(
            "wram_007",
            Err("no run `wram_007` is known, nor is one in the current folder | did you mean `warm_007`?"),
        );
        check(
            "x",
            Err(
                "no run `x` is known, nor is one in the current folder | `measurand runs` lists the runs that are known",
            ),
        );
    }
}
