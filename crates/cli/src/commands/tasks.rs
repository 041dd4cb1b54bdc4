//! `measurand tasks`: the documentation of every task and interface, made from the tables that also build them.

use measurement::{Field, INTERFACES, InterfaceKind, Kind, Resume, Shape, TASKS, interface_kind, kind};
use serde_json::{Value as Json, json};

use crate::{
    complaint::Complaint,
    exit::Exit,
    terminal::{Paint, Stream},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this task or interface, by its id; the package and the last word may be left out
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn tasks(args: &Args) -> Result<Exit, Complaint> {
    let (tasks, interfaces) = chosen(args.id.as_deref())?;
    let paint = Stream::Output.paint();
    let text = if args.json {
        let tasks: Vec<Json> = tasks.iter().map(|kind| task_json(kind)).collect();
        let interfaces: Vec<Json> = interfaces.iter().map(|kind| interface_json(kind)).collect();
        format!("{:#}\n", json!({"tasks": tasks, "interfaces": interfaces}))
    } else {
        let texts = tasks.iter().map(|kind| task_text(kind, paint));
        texts
            .chain(interfaces.iter().map(|kind| interface_text(kind, paint)))
            .collect::<Vec<_>>()
            .join("\n")
    };
    Stream::Output.write(&text);
    Ok(Exit::Completed)
}

type Chosen = (Vec<&'static Kind>, Vec<&'static InterfaceKind>);

fn chosen(id: Option<&str>) -> Result<Chosen, Complaint> {
    let Some(id) = id else {
        return Ok((TASKS.to_vec(), INTERFACES.to_vec()));
    };
    // `exopy.SleepTask`, `SleepTask` or `Sleep`.
    let means = |known: &str| {
        let name = known.rsplit('.').next().unwrap_or(known);
        [known, name].contains(&id)
            || [format!("{id}Task"), format!("{id}Interface")]
                .iter()
                .any(|id| id == name)
    };
    if let Some(kind) = kind(id).or_else(|| TASKS.iter().copied().find(|kind| means(kind.id))) {
        // With a task come the interfaces that complete it.
        let completes = |interface: &&InterfaceKind| interface.of == kind.id;
        return Ok((vec![kind], INTERFACES.iter().copied().filter(completes).collect()));
    }
    if let Some(kind) = interface_kind(id).or_else(|| INTERFACES.iter().copied().find(|kind| means(kind.id))) {
        return Ok((Vec::new(), vec![kind]));
    }
    let ids = TASKS
        .iter()
        .map(|kind| kind.id)
        .chain(INTERFACES.iter().map(|kind| kind.id));
    let complaint = Complaint::new(format!("no task or interface `{id}` is known here"));
    Err(match nearest(id, ids) {
        Some(near) => complaint.hint(format!("did you mean `{near}`? `measurand tasks` shows all")),
        None => complaint.hint("`measurand tasks` shows all"),
    })
}

/// The id that shares the most pairs of letters with what was written, if that is at least half of them.
fn nearest(written: &str, ids: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let pairs = |text: &str| -> Vec<(char, char)> {
        let name = text.rsplit('.').next().unwrap_or(text);
        let text: Vec<char> = name.to_lowercase().chars().collect();
        text.windows(2).map(|pair| (pair[0], pair[1])).collect()
    };
    let wanted = pairs(written);
    ids.map(|id| {
        let offered = pairs(id);
        let common = wanted.iter().filter(|pair| offered.contains(pair)).count();
        (2 * common * 100 / (wanted.len() + offered.len()).max(1), id)
    })
    .filter(|(likeness, _)| *likeness >= 50)
    .max_by_key(|(likeness, _)| *likeness)
    .map(|(_, id)| id)
}

fn task_text(kind: &Kind, paint: Paint) -> String {
    let mut text = format!("{}\n    {}\n", paint.strong(kind.id), kind.summary);
    let below = match kind.shape {
        Shape::Leaf => None,
        Shape::Setter => Some("nothing; as a loop's `[[task]]` it takes the loop's value"),
        Shape::Children => Some("tasks: `[[children_0]]` …"),
        Shape::Loop => Some("an `[interface]`, tasks `[[children_0]]` …, and `[[task]]`, which gets the loop's value"),
    };
    if let Some(below) = below {
        text.push_str(&format!("  {}\n    {below}\n", paint.emphasis("holds")));
    }
    push_fields(&mut text, kind.fields, paint);
    if !kind.entries.is_empty() {
        text.push_str(&format!("  {}\n", paint.emphasis("entries")));
        push_columns(
            &mut text,
            kind.entries
                .iter()
                .map(|(name, doc)| (format!("<name>_{name}"), (*doc).to_owned())),
        );
    }
    let waits = kind.waits.map(|pools| match pools {
        [] => "waits for all pools".to_owned(),
        pools => {
            let pools: Vec<String> = pools.iter().map(|pool| format!("`{pool}`")).collect();
            format!("waits for pool {}", pools.join(", "))
        }
    });
    let manners = match (waits, kind.pool) {
        (None, None) => String::new(),
        (Some(waits), None) => format!("{waits} unless the file says otherwise"),
        (None, Some(pool)) => {
            format!("is performed in the background, in pool `{pool}`, unless the file says otherwise")
        }
        (Some(waits), Some(pool)) => {
            format!("{waits} and is performed in pool `{pool}`, unless the file says otherwise")
        }
    };
    if !manners.is_empty() {
        text.push_str(&format!("  {}\n    {manners}\n", paint.emphasis("pools")));
    }
    let resumed = match kind.resume {
        Resume::Redo => "performed again if the run broke off in it",
        Resume::Skip => "not performed again: it did its work before the run",
        Resume::Restore => "what it set is set again, before the first new point",
    };
    text.push_str(&format!("  {}\n    {resumed}\n", paint.emphasis("resumed")));
    text
}

fn interface_text(kind: &InterfaceKind, paint: Paint) -> String {
    let mut text = format!("{}  of {}\n    {}\n", paint.strong(kind.id), kind.of, kind.summary);
    push_fields(&mut text, kind.fields, paint);
    text
}

fn push_fields(text: &mut String, fields: &[Field], paint: Paint) {
    if fields.is_empty() {
        return;
    }
    text.push_str(&format!("  {}\n", paint.emphasis("fields")));
    let field = |field: &Field| match field.default {
        "" => (field.name.to_owned(), field.doc.to_owned()),
        default => (format!("{} = {default}", field.name), field.doc.to_owned()),
    };
    push_columns(text, fields.iter().map(field));
}

fn push_columns(text: &mut String, rows: impl Iterator<Item = (String, String)>) {
    let rows: Vec<(String, String)> = rows.collect();
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, doc) in rows {
        text.push_str(&format!("    {name:width$}  {doc}\n"));
    }
}

fn fields_json(fields: &[Field]) -> Json {
    let field = |field: &Field| json!({"name": field.name, "default": field.default, "doc": field.doc});
    fields.iter().map(field).collect()
}

fn task_json(kind: &Kind) -> Json {
    let shape = match kind.shape {
        Shape::Leaf => "leaf",
        Shape::Setter => "setter",
        Shape::Children => "children",
        Shape::Loop => "loop",
    };
    let entries: Vec<Json> = kind
        .entries
        .iter()
        .map(|(name, doc)| json!({"name": name, "doc": doc}))
        .collect();
    let resumed = match kind.resume {
        Resume::Redo => "redo",
        Resume::Skip => "skip",
        Resume::Restore => "restore",
    };
    json!({"id": kind.id, "summary": kind.summary, "fields": fields_json(kind.fields), "entries": entries,
        "shape": shape, "waits": kind.waits, "pool": kind.pool, "resumed": resumed})
}

fn interface_json(kind: &InterfaceKind) -> Json {
    json!({"id": kind.id, "of": kind.of, "summary": kind.summary, "fields": fields_json(kind.fields)})
}
