//! Where entries live and who sees them: the scopes of a measurement.
//!
//! Every task with children opens a scope (a node) of its name inside the scope it stands in. An entry of a task is kept
//! in the scope that the task stands in, as `<task>_<entry>`; the root's own entries have no prefix. A look-up starts in
//! the scope of the one who asks: its entries, then what access exceptions made visible there, then the scope around it,
//! up to the root. The nearest wins.
//!
//! The layout is made once; afterwards an entry is a number, and names are for people.

use std::collections::HashMap;

use expr::Value;

/// An entry's number: its slot in every table of values of this measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(pub u32);

impl EntryId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScopeId(pub(crate) u32);

/// An entry of the database.
#[derive(Clone, Debug)]
pub struct Entry {
    /// `root/loop/f_a`.
    pub path: String,
    /// What it holds before anything was checked or performed.
    pub default: Value,
}

#[derive(Debug)]
struct Scope {
    path: String,
    parent: Option<ScopeId>,
    entries: HashMap<String, EntryId>,
    exceptions: HashMap<String, EntryId>,
}

/// The layout of a measurement's entries.
#[derive(Debug)]
pub struct Database {
    scopes: Vec<Scope>,
    entries: Vec<Entry>,
    by_path: HashMap<String, EntryId>,
}

impl Database {
    /// The scope of the root.
    pub const ROOT: ScopeId = ScopeId(0);

    pub(crate) fn new() -> Self {
        let root = Scope {
            path: "root".to_owned(),
            parent: None,
            entries: HashMap::new(),
            exceptions: HashMap::new(),
        };
        Self {
            scopes: vec![root],
            entries: Vec::new(),
            by_path: HashMap::new(),
        }
    }

    /// Opens the scope `name` inside `parent`. Two tasks of one name open two scopes with the same path: a problem that
    /// the tree reports, not one that loses entries here.
    pub(crate) fn open(&mut self, parent: ScopeId, name: &str) -> ScopeId {
        let path = format!("{}/{name}", self.scope(parent).path);
        let id = ScopeId(u32::try_from(self.scopes.len()).expect("fewer than 2^32 tasks fit in memory"));
        self.scopes.push(Scope {
            path,
            parent: Some(parent),
            entries: HashMap::new(),
            exceptions: HashMap::new(),
        });
        id
    }

    /// Adds an entry, or returns the one of that name that is there already.
    pub(crate) fn add(&mut self, scope: ScopeId, name: &str, default: Value) -> EntryId {
        if let Some(existing) = self.scope(scope).entries.get(name) {
            return *existing;
        }
        let id = EntryId(u32::try_from(self.entries.len()).expect("fewer than 2^32 entries fit in memory"));
        let path = format!("{}/{name}", self.scope(scope).path);
        // Of two scopes with one path the later is the one that the path names, as the last writer wins in Exopy.
        self.by_path.insert(path.clone(), id);
        self.entries.push(Entry { path, default });
        self.scopes[scope.0 as usize].entries.insert(name.to_owned(), id);
        id
    }

    /// Makes `entry` visible as `name` in the scope `levels` above `scope`, or in the root when there are fewer.
    pub(crate) fn except(&mut self, scope: ScopeId, levels: usize, name: &str, entry: EntryId) {
        let mut target = scope;
        for _ in 0..levels {
            match self.scope(target).parent {
                Some(parent) => target = parent,
                None => break,
            }
        }
        self.scopes[target.0 as usize].exceptions.insert(name.to_owned(), entry);
    }

    /// The entry of exactly this scope.
    pub(crate) fn own(&self, scope: ScopeId, name: &str) -> Option<EntryId> {
        self.scope(scope).entries.get(name).copied()
    }

    /// The entry that `name` means for one who stands in `scope`.
    pub fn resolve(&self, scope: ScopeId, name: &str) -> Option<EntryId> {
        let mut here = Some(scope);
        while let Some(id) = here {
            let scope = self.scope(id);
            if let Some(entry) = scope.entries.get(name).or_else(|| scope.exceptions.get(name)) {
                return Some(*entry);
            }
            here = scope.parent;
        }
        None
    }

    /// Every name that can be used in `scope`, sorted.
    pub fn visible(&self, scope: ScopeId) -> Vec<&str> {
        let mut names = Vec::new();
        let mut here = Some(scope);
        while let Some(id) = here {
            let scope = self.scope(id);
            names.extend(scope.entries.keys().chain(scope.exceptions.keys()).map(String::as_str));
            here = scope.parent;
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// All entries; the index is the [`EntryId`].
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub fn entry(&self, id: EntryId) -> &Entry {
        &self.entries[id.index()]
    }

    /// The entry with this full path.
    pub fn by_path(&self, path: &str) -> Option<EntryId> {
        self.by_path.get(path).copied()
    }

    pub fn scope_path(&self, scope: ScopeId) -> &str {
        &self.scope(scope).path
    }

    fn scope(&self, id: ScopeId) -> &Scope {
        &self.scopes[id.0 as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_scope_wins_and_exceptions_come_after_a_scopes_own_entries() {
        let mut database = Database::new();
        let outer = database.open(Database::ROOT, "A");
        let inner = database.open(outer, "B");
        let far = database.add(Database::ROOT, "x_v", Value::Int(1));
        let near = database.add(outer, "x_v", Value::Int(2));
        let deep = database.add(inner, "d_v", Value::Int(3));
        assert_eq!(database.resolve(inner, "x_v"), Some(near));
        assert_eq!(database.resolve(Database::ROOT, "x_v"), Some(far));
        assert_eq!(database.resolve(outer, "d_v"), None);
        database.except(inner, 1, "d_v", deep);
        assert_eq!(database.resolve(outer, "d_v"), Some(deep));
        assert_eq!(database.resolve(Database::ROOT, "d_v"), None);
        database.except(inner, 9, "d_v", deep);
        assert_eq!(database.resolve(Database::ROOT, "d_v"), Some(deep));
        assert_eq!(database.entry(deep).path, "root/A/B/d_v");
    }
}
