//! What of a run goes on record: a table for each loop, and how finely it is known what is done.
//!
//! An entry belongs to the table of the innermost loop around its task. The iterations of a loop without loops inside are
//! the points of a run: each is on record as a whole or not at all. Outside of them every task is on record when it is
//! complete.

use crate::{
    names::EntryId,
    tree::{TaskId, Tree},
};

/// The tables of a measurement.
#[derive(Clone, Debug)]
pub struct Tables {
    /// The root's, then one for each loop in the order of the file.
    pub tables: Vec<TablePlan>,
    /// By task.
    pub tasks: Vec<TaskPlan>,
    /// Entries whose rows go on record one by one, instead of the entry with each point.
    pub by_row: Vec<EntryId>,
}

/// The table of a loop, or of the root.
#[derive(Clone, Debug)]
pub struct TablePlan {
    pub task: TaskId,
    /// The table of the loop around it.
    pub parent: Option<usize>,
    /// Entries with a value in each row.
    pub columns: Vec<EntryId>,
    /// The loop's own entries, which follow from the iteration.
    pub point_number: Option<EntryId>,
    pub index: Option<EntryId>,
    pub value: Option<EntryId>,
    pub loop_values: Option<EntryId>,
    /// Whether no loop is inside it.
    pub is_innermost: bool,
    /// Whether the loop has values.
    pub has_values: bool,
}

/// A task as the record sees it.
#[derive(Clone, Debug)]
pub struct TaskPlan {
    /// The table of the innermost loop around it; of a loop, the one around it too.
    pub table: usize,
    /// The table of a loop itself.
    pub own_table: Option<usize>,
    /// The task whose background it is performed in: itself if it has a pool; the root for the run itself.
    pub works_in: TaskId,
    /// The background that it is called from.
    pub called_in: TaskId,
    /// Whether it is on record when it is complete, not only with the iteration around it.
    pub is_marked: bool,
    /// The entries whose values go on record with it then.
    pub entries: Vec<EntryId>,
}

impl Tables {
    pub fn of(tree: &Tree) -> Tables {
        let mut tables = vec![TablePlan {
            task: TaskId::ROOT,
            parent: None,
            columns: Vec::new(),
            point_number: None,
            index: None,
            value: None,
            loop_values: None,
            is_innermost: false,
            has_values: false,
        }];
        let mut tasks: Vec<Option<TaskPlan>> = vec![None; tree.nodes().len()];
        let mut by_row = Vec::new();
        // Parents come before what is below them.
        for (_, task) in tree.walk() {
            let mut plan = plan(tree, task, &tasks, &mut tables);
            let kind = tree.node(task).kind();
            let grows = |name: &str| kind.is_some_and(|kind| kind.writes_by_row(name));
            for (name, entry) in tree.entries_of(task) {
                if grows(&name) {
                    plan.entries.retain(|own| *own != entry);
                    tables[plan.table].columns.retain(|column| *column != entry);
                    by_row.push(entry);
                }
            }
            tasks[task.index()] = Some(plan);
        }
        let mut tasks: Vec<TaskPlan> = tasks.into_iter().flatten().collect();
        for table in 1..tables.len() {
            let is_parent = tables.iter().any(|other| other.parent == Some(table));
            tables[table].is_innermost = !is_parent;
        }
        for plan in &mut tasks {
            plan.is_marked = !tables[plan.table].is_innermost;
        }
        Tables { tables, tasks, by_row }
    }
}

fn plan(tree: &Tree, task: TaskId, tasks: &[Option<TaskPlan>], tables: &mut Vec<TablePlan>) -> TaskPlan {
    let node = tree.node(task);
    let parent = node.parent.and_then(|parent| tasks[parent.index()].as_ref());
    let table = parent.map_or(0, |parent| parent.own_table.unwrap_or(parent.table));
    let called_in = parent.map_or(TaskId::ROOT, |parent| parent.works_in);
    let works_in = if node.pool.is_some() { task } else { called_in };
    let mut entries = tree.entries_of(task);
    if node.parent.is_none() {
        // The run's own facts.
        entries.clear();
    }
    let find = |name: &str| entries.iter().find(|(own, _)| own == name).map(|(_, entry)| *entry);
    let mut own_table = None;
    if let Some(kind) = node.kind().filter(|kind| kind.is_loop()) {
        let plan = TablePlan {
            task,
            parent: Some(table),
            columns: Vec::new(),
            point_number: find("point_number"),
            index: find("index"),
            value: find("value"),
            loop_values: find("loop_values"),
            is_innermost: true,
            has_values: kind.has_values(),
        };
        own_table = Some(tables.len());
        // The time of an iteration belongs to the iteration; the rest follows from its number.
        let timed: Vec<EntryId> = find("elapsed_time").into_iter().collect();
        entries.retain(|(name, _)| matches!(name.as_str(), "point_number" | "index" | "value" | "elapsed_time"));
        tables.push(TablePlan { columns: timed, ..plan });
    } else {
        tables[table].columns.extend(entries.iter().map(|(_, entry)| *entry));
    }
    TaskPlan {
        table,
        own_table,
        works_in,
        called_in,
        is_marked: true,
        entries: entries.into_iter().map(|(_, entry)| entry).collect(),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Measurement, Overrides};

    use super::*;

    #[test]
    fn a_loop_has_a_table_of_what_its_tasks_write_and_not_of_the_loops_inside() {
        let text = "\
name = m
id = 1
[root_task]
    task_id = exopy.ComplexTask
    default_path = /
    [[children_0]]
        task_id = exopy.LoopTask
        name = outer
        [[[interface]]]
            interface_id = exopy.LoopTask:exopy.LinspaceLoopInterface
        [[[children_0]]]
            task_id = exopy.FormulaTask
            name = f
            formulas = \"[('a', '1')]\"
        [[[children_1]]]
            task_id = exopy.LoopTask
            name = inner
            [[[[interface]]]]
                interface_id = exopy.LoopTask:exopy.LinspaceLoopInterface
            [[[[children_0]]]]
                task_id = exopy.FormulaTask
                name = g
                formulas = \"[('b', '1')]\"
                parallel = \"{'activated': True, 'pool': 'p'}\"
";
        let measurement = Measurement::read(text.as_bytes(), "m", &Overrides::default()).expect("it can be read");
        let tree = &measurement.tree;
        let plan = Tables::of(tree);
        let shown: Vec<String> = plan
            .tables
            .iter()
            .map(|table| {
                let columns: Vec<&str> = table
                    .columns
                    .iter()
                    .map(|entry| tree.database().entry(*entry).path.as_str())
                    .collect();
                format!(
                    "{} {:?} {} {}",
                    tree.node(table.task).path,
                    table.parent,
                    table.is_innermost,
                    columns.join(" ")
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "root None false ",
                "root/outer Some(0) false root/outer/f_a",
                "root/outer/inner Some(1) true root/outer/inner/g_b"
            ]
        );
        let tasks: Vec<String> = plan
            .tasks
            .iter()
            .map(|task| {
                format!(
                    "{} {} {} {}",
                    task.table, task.is_marked, task.works_in.0, task.called_in.0
                )
            })
            .collect();
        assert_eq!(
            tasks,
            ["0 true 0 0", "0 true 0 0", "1 true 0 0", "1 true 0 0", "2 false 4 0"]
        );
    }
}
