//! Going on with a broken run: its record becomes the state that the program is performed from.

use std::path::Path;

use measurement::{EntryId, LoopAt, Program, Resumption, Tables, TaskId, Tree, in_force};
use protocol::{Assume, Value};
use records::{OpenedFile, Position, Schema};

use crate::{data_files, recorder};

/// What a broken run left.
pub(crate) struct GoingOn {
    pub(crate) position: Position,
    /// Values of all entries, by entry of the present tree.
    pub(crate) values: Vec<Value>,
}

impl GoingOn {
    /// Reads the record of the run that `tree` is to go on with.
    ///
    /// # Errors
    /// The record cannot be read or is of another measurement, the run is complete, or data files are gone.
    pub(crate) fn read(
        record: &Path,
        tree: &Tree,
        plan: &Tables,
        default_path: &str,
        assume: Assume,
    ) -> Result<GoingOn, String> {
        let earlier = records::schema(record)
            .map_err(|error| error.to_string())?
            .run
            .default_path;
        let moved = |path: &str| moved(path, &earlier, default_path);
        let available = |file: &OpenedFile| {
            let file = OpenedFile {
                path: moved(&file.path),
                ..file.clone()
            };
            data_files::available(&file)
        };
        let mut position = Position::of(record, &available).map_err(|error| error.to_string())?;
        if position.outcome.as_deref() == Some("Completed") {
            return Err(format!(
                "the run of `{}` is complete: there is nothing to go on with",
                record.display()
            ));
        }
        let now = recorder::schema(tree, plan, position.schema.run.clone());
        if let Some(difference) = difference(&position.schema, &now) {
            return Err(format!(
                "`{}` is the record of another measurement: {difference}",
                record.display()
            ));
        }
        if !position.missing.is_empty() && !assume.new_files {
            let files: Vec<String> = position
                .missing
                .iter()
                .map(|path| format!("`{}`", path.display()))
                .collect();
            return Err(format!(
                "data files of the run are gone: {}; put them back, or begin new ones with `--assume new-files`",
                files.join(", ")
            ));
        }
        let missing = std::mem::take(&mut position.missing);
        position
            .files
            .retain(|file| !missing.contains(&file.opened.path.clone().into()));
        for file in &mut position.files {
            file.opened.path = moved(&file.opened.path);
        }
        for file in &mut position.whole {
            file.path = moved(&file.path);
        }
        let mut values = position.values.clone();
        let root = tree.database().by_path("root/default_path").map(EntryId::index);
        if let Some(slot) = root.and_then(|index| values.get_mut(index)) {
            *slot = Value::from(default_path);
        }
        Ok(GoingOn { position, values })
    }

    /// The program, performed from where the run was.
    pub(crate) fn resume(&self, program: Program, tree: &Tree) -> Program {
        let done = self.position.done.iter().map(|task| TaskId(*task)).collect();
        program.resumed(Resumption::new(tree, done, self.loops().collect()))
    }

    fn loops(&self) -> impl Iterator<Item = LoopAt> {
        self.position.loops.iter().map(|at| LoopAt {
            task: TaskId(at.task),
            rounds: at.rounds,
            values: at.values.clone().map(|values| (values.array, values.values)),
            is_left: at.is_left,
        })
    }

    /// The tasks whose settings are in force.
    pub(crate) fn in_force(&self, tree: &Tree) -> Vec<TaskId> {
        let done: Vec<TaskId> = self.position.done.iter().map(|task| TaskId(*task)).collect();
        let loops: Vec<LoopAt> = self.loops().collect();
        in_force(tree, &done, &loops, |task| {
            tree.entries_of(task).iter().any(|(_, entry)| {
                let was = self.position.initial.get(entry.index());
                let is = self.values.get(entry.index());
                was.zip(is).is_some_and(|(was, is)| was.repr() != is.repr())
            })
        })
    }

    /// What was in the background.
    pub(crate) fn works(&self) -> Vec<(TaskId, Option<Value>)> {
        let works = self.position.works.iter();
        works.map(|(task, value)| (TaskId(*task), value.clone())).collect()
    }

    /// Where the run goes on, in words.
    pub(crate) fn words(&self) -> String {
        let schema = &self.position.schema;
        let path = |task: u32| schema.tasks.get(task as usize).map_or("", |task| task.path.as_str());
        let loops: Vec<String> = self
            .position
            .loops
            .iter()
            .filter(|at| !at.is_left)
            .map(|at| match at.total {
                Some(total) => format!("`{}` after {} of {total} iterations", path(at.task), at.rounds),
                None => format!("`{}` after {} iterations", path(at.task), at.rounds),
            })
            .collect();
        let rows: u64 = self.position.rows.iter().sum();
        let place = if loops.is_empty() {
            match self.position.done.last() {
                Some(task) => format!("after `{}`", path(*task)),
                None => "from the beginning".to_owned(),
            }
        } else {
            loops.join(", ")
        };
        format!("The run goes on {place}; {rows} rows are on record")
    }
}

/// A path of the folder that the data had, in the folder that they have now.
fn moved(path: &str, earlier: &str, now: &str) -> String {
    match Path::new(path).strip_prefix(earlier) {
        Ok(rest) if !earlier.is_empty() => Path::new(now).join(rest).display().to_string(),
        Ok(_) | Err(_) => path.to_owned(),
    }
}

/// What makes the record that of another tree.
fn difference(then: &Schema, now: &Schema) -> Option<String> {
    let paths = |schema: &Schema| -> Vec<String> { schema.tasks.iter().map(|task| task.path.clone()).collect() };
    if paths(then) != paths(now) {
        return Some("its tasks are others".to_owned());
    }
    if then.entries != now.entries {
        return Some("its entries are others".to_owned());
    }
    (then.tasks != now.tasks || then.tables != now.tables)
        .then(|| "this version of the program keeps its record in another way".to_owned())
}
