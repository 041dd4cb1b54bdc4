//! `--values-out`: the final value of every entry as one JSON object, by entry path.
//!
//! Written aside and renamed, so that whoever waits for the file has it whole. Entries that no value came for, because
//! the child died or nothing was performed, have the value that the check left.

use std::{collections::BTreeMap, io, path::Path, sync::Arc};

use measurement::Tree;
use protocol::Value;

/// Final values by entry path.
pub(crate) struct Values(BTreeMap<Arc<str>, Value>);

impl Values {
    /// Those that a check left, by entry.
    pub(crate) fn of_check(tree: &Tree, values: &[Value]) -> Values {
        let paths = tree
            .database()
            .entries()
            .iter()
            .map(|entry| Arc::from(entry.path.as_str()));
        Values(paths.zip(values.iter().cloned()).collect())
    }

    /// Of a file that is no measurement.
    pub(crate) fn none() -> Values {
        Values(BTreeMap::new())
    }

    pub(crate) fn update(&mut self, values: Vec<(Arc<str>, Value)>) {
        self.0.extend(values);
    }

    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = String::from("{");
        for (i, (entry, value)) in self.0.iter().enumerate() {
            text.push_str(if i == 0 { "\n" } else { ",\n" });
            text.push_str(&serde_json::Value::from(&**entry).to_string());
            text.push_str(": ");
            value.write_json(&mut text);
        }
        text.push_str("\n}\n");
        // A pipe or a device cannot be renamed over.
        if path.metadata().is_ok_and(|found| !found.is_file()) {
            return std::fs::write(path, text);
        }
        let aside = path.with_added_extension(format!("{}.part", std::process::id()));
        std::fs::write(&aside, text)
            .and_then(|()| std::fs::rename(&aside, path))
            .inspect_err(|_| {
                std::fs::remove_file(&aside).ok(); // It may not be there at all.
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_one_object_and_replace_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("values.json");
        std::fs::write(&path, "old").expect("a file");
        let mut values = Values::none();
        values.update(vec![
            (Arc::from("root/a \"b\""), Value::Int(3)),
            (Arc::from("root/a"), Value::from("x")),
        ]);
        values.write(&path).expect("room on the disk");
        let text = std::fs::read_to_string(&path).expect("the file");
        assert_eq!(text, "{\n\"root/a\": \"x\",\n\"root/a \\\"b\\\"\": 3\n}\n");
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 1);
    }
}
