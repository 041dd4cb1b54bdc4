//! Who exports an entry, and how far: access exceptions were kept by the tasks that an entry leaves, and are kept by the
//! task that writes it today.
//!
//! An old complex task lists the entries that its parent may see. To bring one up three levels, three tasks inside each
//! other list it. Names of tasks and of entries may hold `_`, so `a_b_c` is split by looking for a task of that name.

use std::collections::HashMap;

use super::{Note, literal};
use crate::file::{Scalar, Section};

/// By the path of section names of the exporting task: its entries and their levels.
pub(super) type Exceptions = HashMap<Vec<String>, Vec<(String, usize)>>;

/// What a loop itself writes; all else that bears its name is written by the task embedded in it.
const OF_LOOPS: [&str; 5] = ["index", "point_number", "value", "elapsed_time", "loop_values"];

/// Finds the exporters of all exceptions below `section`; what has none is noted.
pub(super) fn exceptions(section: &Section, notes: &mut Vec<Note>) -> Exceptions {
    let mut finder = Finder {
        around: Vec::new(),
        found: HashMap::new(),
        notes,
    };
    finder.search(section, &mut Vec::new());
    finder.found
}

struct Finder<'a> {
    /// What the tasks around the current one list, from the root on.
    around: Vec<Vec<String>>,
    found: Exceptions,
    notes: &'a mut Vec<Note>,
}

impl Finder<'_> {
    fn search(&mut self, section: &Section, path: &mut Vec<String>) {
        let listed = section.get("access_exs");
        let names = listed.map_or_else(Vec::new, listed_names);
        for name in &names {
            let passed_on = self.around.iter().rev().take_while(|list| list.contains(name)).count();
            match exporter(section, name) {
                Some((steps, entry)) => {
                    let exporter = path
                        .iter()
                        .cloned()
                        .chain(steps.iter().map(|step| (*step).to_owned()))
                        .collect();
                    // A loop that lists nothing itself is a level that its embedded task has to climb too.
                    let level = steps.len() + passed_on;
                    self.found.entry(exporter).or_default().push((entry.to_owned(), level));
                }
                None if section
                    .sections()
                    .any(|child| child.get("access_exs").is_some_and(|l| listed_names(l).contains(name))) => {}
                None => {
                    let span = listed.map_or_else(Default::default, |listed| listed.span);
                    let message = format!("no task here writes `{name}`: its access exception is dropped");
                    self.notes.push(Note { message, span });
                }
            }
        }
        self.around.push(names);
        for child in section.sections() {
            path.push(child.name().to_owned());
            self.search(child, path);
            path.pop();
        }
        self.around.pop();
    }
}

fn listed_names(listed: &Scalar) -> Vec<String> {
    if listed.value.trim_start().starts_with('[') {
        literal::strings(&listed.value)
    } else {
        Vec::new()
    }
}

/// The sections that lead from a complex task to the task in its node that writes `name`, and the entry's own name.
fn exporter<'a>(section: &'a Section, name: &'a str) -> Option<(Vec<&'a str>, &'a str)> {
    let entry_of = |task: &Section| {
        let owner = task.value("task_name").or(task.value("name"))?;
        name.strip_prefix(owner)?.strip_prefix('_')
    };
    // The shortest entry belongs to the longest of the names that fit.
    let (child, entry) = section
        .sections()
        .filter_map(|child| Some((child, entry_of(child)?)))
        .min_by_key(|(_, entry)| entry.len())?;
    let listed = |task: &Section| {
        task.get("access_exs")
            .is_some_and(|list| listed_names(list).iter().any(|l| l == name))
    };
    if child.name() != "task" && !OF_LOOPS.contains(&entry) && child.section("task").is_some() {
        // Where the loop lists the entry too, it has been or will be found from there.
        return if listed(child) {
            None
        } else {
            Some((vec![child.name(), "task"], entry))
        };
    }
    Some((vec![child.name()], entry))
}
