//! The real files of HQCMeas: each becomes one of today, and no task, no expression and no instrument is lost.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use measurement::file::{File, Section};
use measurement::{is_old, modernise};

/// What a file says: how many tasks, which values refer to entries, which instruments by profile.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    tasks: usize,
    references: BTreeMap<String, usize>,
    profiles: BTreeMap<String, usize>,
}

#[test]
fn every_real_file_of_hqcmeas_becomes_one_of_today() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/real");
    let old: Vec<(PathBuf, File)> = ["hqcmeas", "templates"]
        .iter()
        .flat_map(|part| std::fs::read_dir(folder.join(part)).into_iter().flatten().flatten())
        .map(|entry| {
            (
                entry.path(),
                File::from_bytes(&std::fs::read(entry.path()).unwrap()).unwrap(),
            )
        })
        .filter(|(_, file)| is_old(file))
        .collect();
    if old.is_empty() {
        println!("skipped: no old files in {}", folder.display());
        return;
    }
    let (mut tasks, mut notes_total) = (0, 0);
    for (path, file) in &old {
        let (new, notes) = modernise(file);
        let text = new.to_canonical_text();
        let again = File::parse(&text).unwrap_or_else(|errors| panic!("{}: {errors:?}", path.display()));
        assert_eq!(
            File::parse(&new.to_text()).unwrap().to_canonical_text(),
            text,
            "{}",
            path.display()
        );
        assert!(!is_old(&again) && !text.contains("_class = "), "{}", path.display());
        let (mut before, mut after) = (Said::default(), Said::default());
        listen(root_task(file), &mut before);
        listen(root_task(&again), &mut after);
        assert_eq!(before, after, "{}", path.display());
        for note in &notes {
            assert!(
                note.message.contains("is connected: its connection is left empty"),
                "{}: {note:?}",
                path.display()
            );
            assert!(file.line_col(note.span.start).0 > 1 && note.span.end <= file.text().len());
        }
        tasks += after.tasks;
        notes_total += notes.len();
    }
    println!("{} files, {tasks} tasks, {notes_total} notes", old.len());
}

fn root_task(file: &File) -> &Section {
    file.root().section("root_task").unwrap_or(file.root())
}

fn listen(section: &Section, said: &mut Said) {
    said.tasks += usize::from(section.get("task_class").or(section.get("task_id")).is_some());
    for (key, scalar) in section.scalars() {
        let value = &scalar.value;
        if key == "selected_profile" {
            *said.profiles.entry(value.clone()).or_default() += 1;
        } else if key == "selected_instrument" {
            let profile = value.split('\'').nth(1).expect("it begins with the profile");
            *said.profiles.entry(profile.to_owned()).or_default() += 1;
        } else if value.contains('{') && !["parallel", "wait", "access_exs"].contains(&key) && !key.ends_with("_vars") {
            let renamed = [("_Bfield}", "_field}"), ("_ChA_", "_Ch1_"), ("_ChB_", "_Ch2_")];
            let today = renamed
                .iter()
                .fold(value.clone(), |value, (old, new)| value.replace(old, new));
            *said.references.entry(today).or_default() += 1;
        }
    }
    section.sections().for_each(|child| listen(child, said));
}
