//! Short names that are unique: the last part of a path, and as much of the path before it as is needed.

use std::collections::{HashMap, HashSet};

/// A name for each pair of a short name and the path that it is the last part of, none of which was taken before; all are
/// taken afterwards. Parts of a path are joined with `.`; the root, which is around everything, is not named.
///
/// `s_value` of `root/x/s_value` and of `root/y/s_value` become `x.s_value` and `y.s_value`.
pub(crate) fn unique(wanted: &[(&str, &str)], taken: &mut HashSet<String>) -> Vec<String> {
    let parts: Vec<Vec<&str>> = wanted
        .iter()
        .map(|(short, path)| {
            let around = path.strip_suffix(short).unwrap_or("").trim_end_matches('/');
            let around = around.strip_prefix("root").unwrap_or(around);
            let mut parts: Vec<&str> = around.split('/').filter(|part| !part.is_empty()).collect();
            parts.push(short);
            parts
        })
        .collect();
    let mut names: Vec<Option<String>> = vec![None; wanted.len()];
    let deepest = parts.iter().map(Vec::len).max().unwrap_or(0);
    for depth in 1..=deepest {
        let at_depth = |parts: &Vec<&str>| parts[parts.len().saturating_sub(depth)..].join(".").replace('/', ".");
        let open: Vec<usize> = (0..wanted.len()).filter(|at| names[*at].is_none()).collect();
        let mut count: HashMap<String, usize> = HashMap::new();
        for at in &open {
            *count.entry(at_depth(&parts[*at])).or_default() += 1;
        }
        // Who has no more parts goes first: the others can still grow.
        let (final_ones, growing): (Vec<usize>, Vec<usize>) = open.iter().partition(|at| parts[**at].len() <= depth);
        for at in final_ones {
            let name = at_depth(&parts[at]);
            let numbered = (2..).map(|number| format!("{name}-{number}"));
            let free = std::iter::once(name.clone())
                .chain(numbered)
                .find(|name| !taken.contains(name));
            let free = free.expect("numbers do not end");
            taken.insert(free.clone());
            names[at] = Some(free);
        }
        for at in growing {
            let name = at_depth(&parts[at]);
            if count[&name] == 1 && taken.insert(name.clone()) {
                names[at] = Some(name);
            }
        }
    }
    names
        .into_iter()
        .map(|name| name.expect("at its full depth each has one"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(paths: &[&str], expected: &[&str]) {
        let wanted: Vec<(&str, &str)> = paths
            .iter()
            .map(|path| (path.rsplit('/').next().expect("a last part"), *path))
            .collect();
        assert_eq!(unique(&wanted, &mut HashSet::from(["taken".to_owned()])), expected);
    }

    #[test]
    fn names_have_as_much_of_their_path_as_is_needed() {
        check(&["root/x/s", "root/x/t"], &["s", "t"]);
        check(&["root/x/s", "root/y/s"], &["x.s", "y.s"]);
        check(&["root/s", "root/y/s"], &["s", "y.s"]);
        check(&["root/a/x/s", "root/b/x/s", "root/x/s"], &["a.x.s", "b.x.s", "x.s"]);
        check(&["root/a/taken", "root/taken"], &["a.taken", "taken-2"]);
        check(&["root/s", "root/s"], &["s", "s-2"]);
    }
}
