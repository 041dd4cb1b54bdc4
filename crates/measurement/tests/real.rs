//! Files that laboratories wrote: every measurement and template is read and outlined, whatever tasks are in it, and
//! each kind of task that is not performed here is named once, with how many there are.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use measurement::{Measurement, Outline, Overrides, Stage, Surroundings};

struct AnyFolder;

impl Surroundings for AnyFolder {
    fn folder(&self, _path: &str) -> Result<(), String> {
        Ok(())
    }

    fn folder_or_made(&self, path: &str) -> Result<(), String> {
        self.folder(path)
    }

    fn is_file(&self, _path: &str) -> bool {
        false
    }

    fn beginning(&self, _path: &str) -> Option<Vec<u8>> {
        None
    }

    fn datasets(&self, _path: &str) -> Option<Vec<String>> {
        None
    }
}

/// The files of one folder; none, with a word, where they are not here.
fn files(folder: &str) -> Vec<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/real")
        .join(folder);
    let Ok(entries) = fs::read_dir(&path) else {
        println!("skipped: {} is not here", path.display());
        return Vec::new();
    };
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ini| ini == "ini"))
        .collect()
}

fn read(path: &Path) -> Result<Measurement, String> {
    let bytes = fs::read(path).expect("it can be read");
    Measurement::read(&bytes, "real", &Overrides::default()).map_err(|problems| {
        problems
            .into_iter()
            .map(|problem| problem.message)
            .collect::<Vec<_>>()
            .join("; ")
    })
}

#[test]
fn every_measurement_of_a_laboratory_is_read_and_outlined() {
    for path in files("measurements").into_iter().chain(files("hqcmeas")) {
        let measurement = read(&path).unwrap_or_else(|problems| panic!("{}: {problems}", path.display()));
        let tree = &measurement.tree;
        assert!(tree.nodes().len() > 1, "{} has no task", path.display());
        let checked = tree.check(&measurement.facts("2026-11-22", "10-00-00"), &AnyFolder);
        let outline = Outline::of(tree, &checked, &AnyFolder);
        assert_eq!(outline.lines.len(), tree.nodes().len(), "{}", path.display());

        let mut unknown: BTreeMap<&str, usize> = BTreeMap::new();
        for node in tree.nodes().iter().filter(|node| node.kind().is_none()) {
            *unknown.entry(&node.id).or_default() += 1;
        }
        for (id, count) in unknown {
            let named = |message: &str| message.contains(&format!("`{id}` ({count} task"));
            let times = measurement
                .problems
                .iter()
                .filter(|problem| named(&problem.message))
                .count();
            assert_eq!(
                times,
                1,
                "{}: {id} is to be named once with its {count}",
                path.display()
            );
        }
        let strange: Vec<_> = measurement
            .problems
            .iter()
            .filter(|problem| problem.is_error() && problem.stage == Stage::Read)
            .collect();
        assert!(strange.is_empty(), "{}: {strange:?}", path.display());
    }
}

#[test]
fn a_profile_of_an_instrument_is_called_one() {
    for path in files("profiles") {
        let problems = read(&path).expect_err("a profile is no measurement");
        assert!(
            problems.contains("profile of an instrument"),
            "{}: {problems}",
            path.display()
        );
    }
}
