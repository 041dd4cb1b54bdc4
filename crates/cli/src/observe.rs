//! `--observe`: which entries' values are sent.

use glob::{MatchOptions, Pattern};
use measurement::Measurement;
use protocol::Observe;

use crate::complaint::Complaint;

/// A star stays in its level; two of them go below.
const ONE_LEVEL: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// The entries that match one of `globs`, and the globs that match none; without globs, what the file's monitor shows.
pub(crate) fn observed<'g>(
    measurement: &Measurement,
    globs: &'g [String],
) -> Result<(Observe, Vec<&'g str>), Complaint> {
    let entries = measurement.tree.database().entries();
    if globs.is_empty() {
        let shown = measurement.monitor.observed();
        return Ok((
            Observe::Only(shown.iter().map(|entry| entries[entry.index()].path.clone()).collect()),
            Vec::new(),
        ));
    }
    let mut wanted = vec![false; entries.len()];
    let mut idle = Vec::new();
    for text in globs {
        let pattern = Pattern::new(text).map_err(|error| {
            Complaint::new(format!("`--observe {text}` is no pattern"))
                .because(&error)
                .hint("`root/**` matches every entry")
        })?;
        let mut matches = 0;
        for (entry, wanted) in entries.iter().zip(&mut wanted) {
            // An entry may be called by its own name even if that holds letters with a meaning in patterns.
            if entry.path == *text || pattern.matches_with(&entry.path, ONE_LEVEL) {
                *wanted = true;
                matches += 1;
            }
        }
        if matches == 0 {
            idle.push(text.as_str());
        }
    }
    if wanted.iter().all(|wanted| *wanted) {
        return Ok((Observe::All, idle));
    }
    let paths = entries
        .iter()
        .zip(&wanted)
        .filter(|(_, wanted)| **wanted)
        .map(|(entry, _)| entry.path.clone());
    Ok((Observe::Only(paths.collect()), idle))
}

#[cfg(test)]
mod tests {
    use measurement::Overrides;

    use super::*;

    fn check(globs: &[&str], expected: &[&str], expected_idle: &[&str]) {
        let text = "[root_task]\n[[children_0]]\ntask_id = exopy.ComplexTask\nname = a\n\
                    [[[children_0]]]\ntask_id = exopy.SleepTask\nname = s[1]\ntime = 0\n\
                    [[children_1]]\ntask_id = exopy.SleepTask\nname = t\ntime = 0\n";
        let measurement = Measurement::read(text.as_bytes(), "m", &Overrides::default()).expect("a measurement");
        let globs: Vec<String> = globs.iter().map(|glob| (*glob).to_owned()).collect();
        let (observe, idle) = observed(&measurement, &globs).expect("patterns");
        let expected: Vec<String> = expected.iter().map(|path| (*path).to_owned()).collect();
        assert_eq!(observe, Observe::Only(expected));
        assert_eq!(idle, expected_idle);
    }

    #[test]
    fn a_star_stays_in_its_level_and_two_go_below() {
        check(&["root/*_time"], &["root/meas_time", "root/t_time"], &[]);
        check(&["root/a/**"], &["root/a/s[1]_time"], &[]);
        check(&["root/a/s[1]_time", "root/x*"], &["root/a/s[1]_time"], &["root/x*"]);
    }
}
