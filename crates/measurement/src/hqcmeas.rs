//! Files of HQCMeas, the program that became Exopy, and of Exopy's first year, rewritten in today's form.
//!
//! The new file is the old one with changes, so that a problem found in it points at the line that the user wrote. Where
//! an old file does not say what a new one must, the choice is noted. Deliberately absent: what old values mean
//! (`switch = Off` stays; whoever reads a switch reads that), and old profiles of instruments.
//!
//! ```text
//! classes  which class is which id       access   who exports which entry       literal  Python's lists and dicts
//! ```

mod access;
mod classes;
mod literal;

use std::collections::{BTreeSet, HashMap};

use expr::Span;

use self::access::Exceptions;
use self::classes::Id;
use crate::file::{File, Section};

/// Something that was decided, guessed or dropped on the way; `span` is of the old text, empty where it has no place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub message: String,
    pub span: Span,
}

/// Whether a file is in an old form: tasks are given by `task_class`, or ids begin with `ecpy`.
pub fn is_old(file: &File) -> bool {
    fn mentions(section: &Section) -> bool {
        section
            .scalars()
            .any(|(key, scalar)| key == "task_class" || is_id(key) && scalar.value.starts_with("ecpy"))
            || section.sections().any(mentions)
    }
    let root = file.root();
    // Old monitors are old even without a task.
    mentions(root) || root.get("monitors").is_some() && root.section("root_task").is_some()
}

/// Rewrites an old file. The new one keeps the text of the old one and the spans in it.
pub fn modernise(file: &File) -> (File, Vec<Note>) {
    let mut new = file.clone();
    let mut notes = Vec::new();
    let root = new.root_mut();
    rename_ecpy(root);
    let top = root.section("root_task").unwrap_or(root);
    let exceptions = access::exceptions(top, &mut notes);
    let mut entries = HashMap::new();
    renamed_entries(top, &mut entries);
    let mut rewriter = Rewriter {
        notes,
        exceptions,
        profiles: BTreeSet::new(),
        path: Vec::new(),
    };
    match root.section_mut("root_task") {
        Some(task) => {
            // The root is called Root, whatever a file says.
            task.remove("task_name");
            rewriter.task(task);
            rename_references(task, &entries);
            rewriter.measurement(root, &entries);
        }
        None => {
            rewriter.task(root);
            rename_references(root, &entries);
        }
    }
    (new, rewriter.notes)
}

/// Keys whose values are ids.
fn is_id(key: &str) -> bool {
    key == "dep_type" || key == "selected_instrument" || key.ends_with("_id")
}

fn rename_ecpy(root: &mut Section) {
    let today = |id: &str| id.replace("ecpy.", "exopy.").replace("ecpy_", "exopy_");
    root.replace_values(&mut |key, value| is_id(key).then(|| today(value)));
    for tools in ["monitors", "pre_hooks", "post_hooks"] {
        let Some(section) = root.section_mut(tools) else {
            continue;
        };
        let names: Vec<String> = section.sections().map(|tool| tool.name().to_owned()).collect();
        for name in names.iter().filter(|name| name.starts_with("ecpy")) {
            section.rename_section(name, &today(name));
        }
    }
}

/// All entries, with the name of their task, that are called otherwise today.
fn renamed_entries(section: &Section, found: &mut HashMap<String, String>) {
    if let (Some(class), Some(name)) = (section.value("task_class"), section.value("task_name")) {
        found.extend(
            classes::renamed_entries(class).map(|(old, new)| (format!("{name}_{old}"), format!("{name}_{new}"))),
        );
    }
    section.sections().for_each(|child| renamed_entries(child, found));
}

fn rename_references(section: &mut Section, entries: &HashMap<String, String>) {
    section.replace_values(&mut |_, value| {
        let mut pieces = value.split('{');
        let mut out = pieces.next()?.to_owned();
        for piece in pieces {
            let (name, rest) = piece.split_at(piece.find('}').unwrap_or(0));
            out.push('{');
            out.push_str(entries.get(name).map_or(name, String::as_str));
            out.push_str(rest);
        }
        Some(out)
    });
}

struct Rewriter {
    notes: Vec<Note>,
    exceptions: Exceptions,
    /// Of which profile and driver it was said that their connection is unknown.
    profiles: BTreeSet<(String, String)>,
    /// The sections of the old file, below the root task, that lead to the current one.
    path: Vec<String>,
}

impl Rewriter {
    fn task(&mut self, section: &mut Section) {
        let blame = section
            .get("task_class")
            .map_or_else(|| section.span(), |class| class.span);
        let class = section.value("task_class").unwrap_or_default().to_owned();
        let own_id = self.component(section, "task_class", "task_id", "exopy.task", "exopy_hqc_legacy");
        if !section.rename("task_name", "name") {
            section.remove("task_name");
        }
        for (old, new) in classes::renamed_fields(&class) {
            section.rename(old, new);
        }
        for key in ["definitions", "formulas", "saved_values", "sequence_vars"] {
            dict_to_pairs(section, key);
        }
        if class == "SaveFileHDF5Task" {
            match section.value("compression") {
                Some("True") => section.set("compression", "gzip"),
                Some("False") => section.set("compression", "None"),
                _ => {}
            }
        }
        self.instrument(section);
        self.access(section, blame);
        self.children(section, &own_id, blame);
        section.order_scalars(&[
            "dep_type",
            "task_id",
            "name",
            "stoppable",
            "parallel",
            "wait",
            "access_exs",
            "selected_instrument",
        ]);
        section.order_sections(|name| match name {
            "interface" => (0, 0),
            "task" => (2, 0),
            child => (
                1,
                child
                    .strip_prefix("children_")
                    .and_then(|n| n.parse().ok())
                    .unwrap_or(usize::MAX),
            ),
        });
    }

    /// Gives a section today's id instead of its class, and says what kind of thing it is.
    fn component(&mut self, section: &mut Section, class: &str, id: &str, kind: &str, package: &str) -> String {
        if let Some(old) = section.get(class) {
            let (old, span) = (old.value.clone(), old.span);
            let new = self.decided(classes::id(&old, package), "class", &old, span);
            section.rename(class, id);
            section.set(id, &new);
            if section.get("dep_type").is_none() {
                section.insert(0, "dep_type", kind, span);
            }
        }
        section.value(id).unwrap_or_default().to_owned()
    }

    fn decided(&mut self, id: Id, what: &str, old: &str, span: Span) -> String {
        match id {
            Id::Known(id) => id,
            Id::Guessed(id) => {
                let message = format!("the {what} `{old}` has no successor that is known here: taken for `{id}`");
                self.notes.push(Note { message, span });
                id
            }
        }
    }

    fn instrument(&mut self, section: &mut Section) {
        let Some(profile) = section.get("selected_profile") else {
            section.remove("selected_driver");
            return;
        };
        let (profile, span) = (profile.value.clone(), profile.span);
        let (model, driver_span) = section
            .remove("selected_driver")
            .map_or_else(|| (String::new(), span), |old| (old.value, old.span));
        if profile.is_empty() && model.is_empty() {
            section.remove("selected_profile");
            return;
        }
        let first = self.profiles.insert((profile.clone(), model.clone()));
        let driver = match classes::driver(&model) {
            // Said once for an instrument, not for each task that uses it.
            id @ Id::Guessed(_) if first => self.decided(id, "driver", &model, driver_span),
            Id::Known(id) | Id::Guessed(id) => id,
        };
        if first {
            let message = format!("old files do not say how `{profile}` is connected: its connection is left empty");
            self.notes.push(Note { message, span });
        }
        section.rename("selected_profile", "selected_instrument");
        let choice = format!("({}, {}, '', None)", literal::repr(&profile), literal::repr(&driver));
        section.set("selected_instrument", &choice);
    }

    fn access(&mut self, section: &mut Section, blame: Span) {
        let renamed: HashMap<&str, &str> = ["ApplyMagFieldTask", "MeasMagFieldTask", "DemodSPTask"]
            .into_iter()
            .filter(|class| {
                section
                    .value("task_id")
                    .is_some_and(|id| id.ends_with(&format!(".{class}")))
            })
            .flat_map(classes::renamed_entries)
            .collect();
        let exported = self.exceptions.remove(&self.path).unwrap_or_default();
        let items: Vec<String> = exported
            .iter()
            .map(|(entry, level)| {
                let entry = renamed.get(entry.as_str()).copied().unwrap_or(entry);
                format!("{}: {level}", literal::repr(entry))
            })
            .collect();
        let is_list = section
            .value("access_exs")
            .is_some_and(|value| value.trim_start().starts_with('['));
        if is_list {
            section.set("access_exs", "{}");
        }
        if !items.is_empty() {
            let dict = format!("{{{}}}", items.join(", "));
            match section.get("access_exs") {
                Some(_) => section.set("access_exs", &dict),
                None => section.insert(0, "access_exs", &dict, blame),
            }
        }
    }

    fn children(&mut self, section: &mut Section, own_id: &str, blame: Span) {
        let names: Vec<String> = section.sections().map(|child| child.name().to_owned()).collect();
        let numbered = |name: &str| {
            name.strip_prefix("children_task_")
                .and_then(|n| n.parse::<usize>().ok())
        };
        let given = |name: &str| name.strip_prefix("children_").and_then(|n| n.parse::<usize>().ok());
        let numbers = names.iter().filter_map(|name| numbered(name).or(given(name)));
        let mut free = numbers.max().map_or(0, |highest| highest.saturating_add(1));
        for name in &names {
            self.path.push(name.clone());
            let child = section.section_mut(name).expect("it was just listed");
            let is_task = child.get("task_class").is_some() || child.get("task_id").is_some();
            if child.get("interface_class").is_some() && !is_task {
                self.interface(section, name, own_id);
            } else if is_task {
                self.task(child);
                // The oldest files name a child's section after the child.
                let kept = name == "task" || given(name).is_some();
                let renamed = numbered(name).is_some_and(|n| section.rename_section(name, &format!("children_{n}")));
                if !kept && !renamed {
                    section.rename_section(name, &format!("children_{free}"));
                    free += 1;
                }
            } else if name == "sequence" {
                self.pulses(child);
            }
            self.path.pop();
        }
        self.oldest_loop(section, own_id, blame);
    }

    fn interface(&mut self, section: &mut Section, name: &str, own_id: &str) {
        let interface = section.section_mut(name).expect("its caller has it");
        let class = interface.value("interface_class").unwrap_or_default().to_owned();
        let span = interface
            .get("interface_class")
            .map_or_else(|| interface.span(), |class| class.span);
        if class.ends_with("TransferInterface") {
            // What was the interface's is the context's of the sequence today.
            let fields = section.remove_section(name);
            let context = section
                .section_mut("sequence")
                .and_then(|sequence| sequence.section_mut("context"));
            match (fields, context) {
                (Some(fields), Some(context)) => {
                    for (key, scalar) in fields.scalars().filter(|(key, _)| *key != "interface_class") {
                        context.insert(usize::MAX, key, &scalar.value, scalar.span);
                    }
                }
                _ => {
                    let message = format!("`{class}` has no sequence that would take its fields: they are dropped");
                    self.notes.push(Note { message, span });
                }
            }
            return;
        }
        let package = own_id.split('.').next().unwrap_or_default();
        let id = self.component(
            interface,
            "interface_class",
            "interface_id",
            "exopy.tasks.interface",
            package,
        );
        if !id.contains(':') {
            interface.set("interface_id", &format!("{own_id}:{id}"));
        }
        interface.order_scalars(&["dep_type", "interface_id"]);
    }

    /// Loops had their start, stop and step themselves before there were interfaces.
    fn oldest_loop(&mut self, section: &mut Section, own_id: &str, blame: Span) {
        if own_id != "exopy.LoopTask" || section.section("interface").is_some() {
            return;
        }
        let fields = ["start", "stop", "step"].map(|field| (field, section.remove(&format!("task_{field}"))));
        if fields.iter().all(|(_, value)| value.is_none()) {
            return;
        }
        let interface = section.add_section("interface");
        interface.insert(0, "dep_type", "exopy.tasks.interface", blame);
        interface.insert(1, "interface_id", "exopy.LoopTask:exopy.LinspaceLoopInterface", blame);
        for (field, scalar) in fields.into_iter().filter_map(|(field, value)| Some((field, value?))) {
            interface.insert(usize::MAX, field, &scalar.value, scalar.span);
        }
    }

    /// A sequence of pulses and all that is in it.
    fn pulses(&mut self, section: &mut Section) {
        let kinds = [
            ("item_class", "item_id", "exopy.pulses.item"),
            ("shape_class", "shape_id", "exopy.pulses.shape"),
            ("context_class", "context_id", "exopy.pulses.context"),
        ];
        for (class, id, kind) in kinds {
            self.component(section, class, id, kind, "exopy_pulses");
        }
        for key in ["external_vars", "local_vars"] {
            dict_to_pairs(section, key);
        }
        if section.name() == "modulation" && section.get("modulation_id").is_none() {
            let span = section.span();
            section.insert(0, "dep_type", "exopy.pulses.modulation", span);
            section.insert(1, "modulation_id", "exopy_pulses.Modulation", span);
        }
        section.sections_mut().for_each(|child| self.pulses(child));
    }

    /// What is around the root task.
    fn measurement(&mut self, root: &mut Section, entries: &HashMap<String, String>) {
        for key in ["checks", "headers", "monitors"] {
            let Some(old) = root.remove(key) else { continue };
            if key != "monitors" && !literal::strings(&old.value).is_empty() {
                let message = format!("`{key}` has no successor: {} is dropped", old.value);
                self.notes.push(Note {
                    message,
                    span: old.span,
                });
            }
        }
        let name = root.get("name").map_or_else(Span::default, |name| name.span);
        if root.get("id").is_none() {
            // The first id that Exopy gives.
            root.insert(usize::MAX, "id", "001", name);
        }
        root.order_scalars(&["name", "id"]);
        let old_monitors: Vec<String> = root
            .sections()
            .map(|section| section.name().to_owned())
            .filter(|name| {
                name.strip_prefix("monitor_")
                    .is_some_and(|n| n.parse::<usize>().is_ok())
            })
            .collect();
        for name in old_monitors {
            let Some(monitor) = root.remove_section(&name) else {
                continue;
            };
            self.monitor(root.add_section("monitors"), &monitor, entries);
        }
        root.add_section("monitors");
        root.add_section("pre_hooks").add_section("exopy.internal_checks");
        root.add_section("post_hooks");
        root.order_sections(|name| {
            ["root_task", "monitors", "pre_hooks", "post_hooks"]
                .iter()
                .position(|&known| known == name)
                .unwrap_or(4)
        });
    }

    fn monitor(&mut self, monitors: &mut Section, old: &Section, entries: &HashMap<String, String>) {
        let id = old.value("id").unwrap_or_default();
        if !id.ends_with("text_monitor") {
            let span = old.get("id").map_or_else(|| old.span(), |id| id.span);
            self.notes.push(Note {
                message: format!("the monitor `{id}` has no successor: it is dropped"),
                span,
            });
            return;
        }
        let new = monitors.add_section("exopy.text_monitor");
        for (n, rule) in ["Measurement entries", "Loop progress", "Instrument ids"]
            .into_iter()
            .enumerate()
        {
            new.insert(usize::MAX, &format!("rule_{n}"), rule, old.span());
        }
        for key in ["displayed", "undisplayed", "hidden"] {
            let listed = old.get(key);
            let mut paths = listed.map_or_else(Vec::new, |list| literal::strings(&list.value));
            for path in &mut paths {
                let (task, entry) = path.rsplit_once('/').unwrap_or(("", path));
                if let Some(new) = entries.get(entry) {
                    *path = format!("{task}/{new}");
                }
            }
            if key == "undisplayed" {
                // Entries of the root that there were not; they would all be displayed.
                let later = ["meas_name", "meas_id", "meas_date", "meas_time"].map(|entry| format!("root/{entry}"));
                paths.extend(
                    later
                        .into_iter()
                        .filter(|path| !paths.contains(path))
                        .collect::<Vec<_>>(),
                );
            }
            new.insert(
                usize::MAX,
                key,
                &literal::repr_list(&paths),
                listed.map_or_else(|| old.span(), |list| list.span),
            );
        }
        // The rules of every old measurement were these; anyone's own had no name today.
        let known = ["Loop progress", "Measurement entries", "Measure entries"];
        for rule in old.sections().filter(|section| section.name().starts_with("rule_")) {
            let name = rule.value("name").unwrap_or_default();
            if !known.contains(&name) {
                let message = format!("the rule `{name}` of the monitor is replaced by today's");
                self.notes.push(Note {
                    message,
                    span: rule.span(),
                });
            }
        }
        for custom in old.sections().filter(|section| section.name().starts_with("custom_")) {
            let copy = new.add_section(custom.name());
            for (key, scalar) in custom.scalars() {
                copy.insert(usize::MAX, key, &scalar.value, scalar.span);
            }
        }
    }
}

/// Ordered members were dicts once.
fn dict_to_pairs(section: &mut Section, key: &str) {
    if let Some(pairs) = section.value(key).and_then(literal::pairs_of_dict) {
        section.set(key, &pairs);
    }
}

#[cfg(test)]
mod tests;
