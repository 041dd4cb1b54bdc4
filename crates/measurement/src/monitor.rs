//! The text monitor of a measurement's file: which entries are shown, and in which words.
//!
//! As in Exopy, every database entry is shown under its own name; rules then move entries out of sight or replace several
//! by one (`Loop_progress = 3/11`); custom entries have a format of their own; and the lists `displayed`,
//! `undisplayed` and `hidden` of the file have the last word. Formats are Python's `str.format`, except that an entry's
//! path may hold any character.

use std::{collections::HashMap, sync::LazyLock};

use expr::{Braces, Formula, Value};

use crate::{
    file::Section,
    names::EntryId,
    problem::Problem,
    tree::{Tree, header, place},
};

/// One shown line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub name: String,
    /// `root/loop_progress`
    pub path: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The value of an entry, with a Python format spec.
    Value(EntryId, String),
}

/// What a measurement's monitor shows.
#[derive(Clone, Debug, Default)]
pub struct TextMonitor {
    shown: Vec<Shown>,
}

enum Rule {
    Reject {
        suffixes: Vec<String>,
    },
    Format {
        suffixes: Vec<String>,
        formatting: String,
        new_suffix: String,
        hide: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shelf {
    Displayed,
    Undisplayed,
    Hidden,
}

/// An entry of the monitor before its format is taken apart.
struct Draft {
    name: String,
    path: String,
    formatting: String,
    depends_on: Vec<String>,
    shelf: Shelf,
}

impl TextMonitor {
    pub(crate) fn read(monitors: Option<&Section>, tree: &Tree, problems: &mut Vec<Problem>) -> TextMonitor {
        let mut state = None;
        for monitor in monitors.into_iter().flat_map(Section::sections) {
            match monitor.name() {
                "exopy.text_monitor" | "ecpy.text_monitor" => state = Some(monitor),
                id => {
                    let problem =
                        Problem::warning("", format!("the monitor `{id}` is not known here and shows nothing"));
                    problems.push(place(problem, header(monitor)));
                }
            }
        }
        let rules = state.map_or_else(default_rules, |state| read_rules(state, problems));
        let customs = state.map(|state| read_customs(state, problems)).unwrap_or_default();
        let mut drafts = apply_rules(tree, &rules);
        drafts.extend(customs);
        if let Some(state) = state {
            shelve(state, &mut drafts, problems);
        }
        let shown = drafts
            .into_iter()
            .filter(|draft| draft.shelf == Shelf::Displayed)
            .filter_map(|draft| draft.shown(tree));
        TextMonitor { shown: shown.collect() }
    }

    pub fn shown(&self) -> &[Shown] {
        &self.shown
    }

    /// Entries that the shown lines need.
    pub fn observed(&self) -> Vec<EntryId> {
        let mut entries: Vec<EntryId> = self.shown.iter().flat_map(Shown::entries).collect();
        entries.sort_unstable();
        entries.dedup();
        entries
    }
}

impl Shown {
    pub fn entries(&self) -> impl Iterator<Item = EntryId> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Value(entry, _) => Some(*entry),
        })
    }

    /// The line's words with these values; entries without a value yet show `…`.
    pub fn words<'v>(&self, value: impl Fn(EntryId) -> Option<&'v Value>) -> String {
        let mut words = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => words.push_str(text),
                Piece::Value(entry, spec) => match value(*entry) {
                    None => words.push('…'),
                    Some(value) if spec.is_empty() => words.push_str(&value.to_string()),
                    Some(value) => words.push_str(&formatted(value, spec)),
                },
            }
        }
        words
    }
}

/// As Python's `format(value, spec)`; a spec that does not fit the value is left out.
fn formatted(value: &Value, spec: &str) -> String {
    static FORMAT: LazyLock<Formula> =
        LazyLock::new(|| Formula::parse("format({value}, {spec})", Braces::References).expect("it is well formed"));
    FORMAT
        .eval(&[value.clone(), Value::from(spec)])
        .unwrap_or_else(|_| value.clone())
        .to_string()
}

impl Draft {
    /// Nothing when an entry that it depends on does not exist.
    fn shown(self, tree: &Tree) -> Option<Shown> {
        let mut known: Vec<(&str, EntryId)> = Vec::new();
        for path in &self.depends_on {
            known.push((path, tree.database().by_path(path)?));
        }
        // The longest path first, as one may begin with another.
        known.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        let pieces = take_apart(&self.formatting, &known);
        Some(Shown {
            name: self.name,
            path: self.path,
            pieces,
        })
    }
}

fn take_apart(formatting: &str, known: &[(&str, EntryId)]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = formatting;
    while let Some(character) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
            text.push(character);
            rest = after;
            continue;
        }
        let reference = rest.strip_prefix('{').and_then(|inside| {
            known.iter().find_map(|(path, entry)| {
                let after = inside.strip_prefix(path)?;
                let (spec, after) = match after.strip_prefix(':') {
                    Some(spec) => spec.split_once('}')?,
                    None => ("", after.strip_prefix('}')?),
                };
                Some((*entry, spec.to_owned(), after))
            })
        });
        match reference {
            Some((entry, spec, after)) => {
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                pieces.push(Piece::Value(entry, spec));
                rest = after;
            }
            None => {
                text.push(character);
                rest = &rest[character.len_utf8()..];
            }
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    pieces
}

/// The rules that Exopy declares, by their ids.
fn declared(id: &str) -> Option<Rule> {
    let texts = |suffixes: &[&str]| suffixes.iter().map(|suffix| (*suffix).to_owned()).collect();
    match id {
        "Measurement entries" => Some(Rule::Reject {
            suffixes: texts(&["meas_name", "meas_id", "meas_date", "default_path"]),
        }),
        "Instrument ids" => Some(Rule::Reject {
            suffixes: texts(&["instrument"]),
        }),
        "Loop progress" => Some(Rule::Format {
            suffixes: texts(&["index", "point_number"]),
            formatting: "{index}/{point_number}".to_owned(),
            new_suffix: "progress".to_owned(),
            hide: true,
        }),
        _ => None,
    }
}

fn default_rules() -> Vec<Rule> {
    ["Measurement entries", "Loop progress", "Instrument ids"]
        .into_iter()
        .filter_map(declared)
        .collect()
}

fn read_rules(state: &Section, problems: &mut Vec<Problem>) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (key, scalar) in state.scalars().filter(|(key, _)| key.starts_with("rule_")) {
        match declared(&scalar.value) {
            Some(rule) => rules.push(rule),
            None => {
                let message = format!(
                    "`{key}`: the rule `{}` is not known here and is not applied",
                    scalar.value
                );
                problems.push(Problem::warning("", message).at(scalar.span));
            }
        }
    }
    for section in state.sections().filter(|section| section.name().starts_with("rule_")) {
        let suffixes = section.value("suffixes").map(texts_of).unwrap_or_default();
        let class = section.value("class_id").unwrap_or_default();
        if class.ends_with("RejectRule") {
            rules.push(Rule::Reject { suffixes });
        } else if class.ends_with("FormatRule") {
            rules.push(Rule::Format {
                suffixes,
                formatting: section.value("new_entry_formatting").unwrap_or_default().to_owned(),
                new_suffix: section.value("new_entry_suffix").unwrap_or_default().to_owned(),
                hide: section.value("hide_entries") != Some("False"),
            });
        } else {
            let message = format!(
                "the rule in `{}` is of the kind `{class}`, which is not known here",
                section.name()
            );
            problems.push(place(Problem::warning("", message), header(section)));
        }
    }
    rules
}

fn read_customs(state: &Section, problems: &mut Vec<Problem>) -> Vec<Draft> {
    let mut customs = Vec::new();
    for section in state.sections().filter(|section| section.name().starts_with("custom_")) {
        let name = section.value("name").unwrap_or_default().to_owned();
        match section.value("formatting") {
            Some(formatting) => customs.push(Draft {
                path: section.value("path").unwrap_or(&name).to_owned(),
                name,
                formatting: formatting.to_owned(),
                depends_on: section.value("depend_on").map(texts_of).unwrap_or_default(),
                shelf: Shelf::Displayed,
            }),
            None => {
                let message = format!(
                    "the custom entry in `{}` has no `formatting` and is not shown",
                    section.name()
                );
                problems.push(place(Problem::warning("", message), header(section)));
            }
        }
    }
    customs
}

/// Every entry of the database in turn, with the rules applied as each comes.
fn apply_rules(tree: &Tree, rules: &[Rule]) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut position: HashMap<String, usize> = HashMap::new();
    for entry in tree.database().entries() {
        let path = entry.path.as_str();
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        position.insert(path.to_owned(), drafts.len());
        drafts.push(Draft {
            name: name.to_owned(),
            path: path.to_owned(),
            formatting: format!("{{{path}}}"),
            depends_on: vec![path.to_owned()],
            shelf: Shelf::Displayed,
        });
        for rule in rules {
            match rule {
                Rule::Reject { suffixes } => {
                    if suffixes.iter().any(|suffix| path.ends_with(suffix.as_str())) {
                        set_shelf(&mut drafts, &position, path, Shelf::Undisplayed);
                    }
                }
                Rule::Format {
                    suffixes,
                    formatting,
                    new_suffix,
                    hide,
                } => {
                    let Some(suffix) = suffixes.iter().find(|suffix| path.ends_with(suffix.as_str())) else {
                        continue;
                    };
                    let prefix = format!("{folder}/{}", name.replace(&format!("_{suffix}"), "_"));
                    let parts: Vec<String> = suffixes.iter().map(|suffix| format!("{prefix}{suffix}")).collect();
                    if !parts.iter().all(|part| position.contains_key(part)) {
                        continue;
                    }
                    let new_name = format!("{}_{new_suffix}", name.replace(&format!("_{suffix}"), ""));
                    let new_formatting = renamed(formatting, suffixes, &parts);
                    if *hide {
                        for part in &parts {
                            set_shelf(&mut drafts, &position, part, Shelf::Hidden);
                        }
                    }
                    drafts.push(Draft {
                        path: format!("{folder}/{new_name}"),
                        name: new_name,
                        formatting: new_formatting,
                        depends_on: parts,
                        shelf: Shelf::Displayed,
                    });
                }
            }
        }
    }
    drafts
}

/// The format with each `{suffix` made `{part`; in one pass, as parts may hold braces themselves.
fn renamed(formatting: &str, suffixes: &[String], parts: &[String]) -> String {
    let mut pieces = formatting.split('{');
    let mut new = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        new.push('{');
        let found = suffixes
            .iter()
            .zip(parts)
            .find_map(|(suffix, part)| Some((part, piece.strip_prefix(suffix.as_str())?)));
        match found {
            Some((part, rest)) => {
                new.push_str(part);
                new.push_str(rest);
            }
            None => new.push_str(piece),
        }
    }
    new
}

fn set_shelf(drafts: &mut [Draft], position: &HashMap<String, usize>, path: &str, shelf: Shelf) {
    if let Some(draft) = position.get(path).and_then(|position| drafts.get_mut(*position))
        && draft.shelf == Shelf::Displayed
    {
        draft.shelf = shelf;
    }
}

/// The file's own lists have the last word, and `displayed` also gives the order.
fn shelve(state: &Section, drafts: &mut [Draft], problems: &mut Vec<Problem>) {
    let mut wanted: HashMap<String, (Shelf, usize)> = HashMap::new();
    for (key, shelf) in [
        ("displayed", Shelf::Displayed),
        ("undisplayed", Shelf::Undisplayed),
        ("hidden", Shelf::Hidden),
    ] {
        let Some(scalar) = state.get(key) else { continue };
        if expr::parse_literal(&scalar.value).is_err() {
            let problem = Problem::warning(
                "",
                format!("`{key}` of the monitor is no list of entries and is not used"),
            );
            problems.push(problem.at(scalar.span));
        }
        for (position, path) in texts_of(&scalar.value).into_iter().enumerate() {
            wanted.entry(path).or_insert((shelf, position));
        }
    }
    for draft in drafts.iter_mut() {
        if let Some((shelf, _)) = wanted.get(&draft.path) {
            draft.shelf = *shelf;
        }
    }
    drafts.sort_by_key(|draft| wanted.get(&draft.path).map_or(usize::MAX, |(_, position)| *position));
}

fn texts_of(literal: &str) -> Vec<String> {
    match expr::parse_literal(literal) {
        Ok(Value::List(items) | Value::Tuple(items)) => items.iter().map(Value::to_string).collect(),
        Ok(_) | Err(_) => Vec::new(),
    }
}
