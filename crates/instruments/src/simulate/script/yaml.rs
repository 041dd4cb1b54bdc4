//! YAML as pyvisa-sim reads it: maps, lists, and texts, whatever a text looks like (`1.0` is not a number yet).

use std::collections::HashMap;

use saphyr_parser::{Event, Parser};

/// A file, or a part of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Text(String),
    List(Vec<Node>),
    /// In the order of the file; of two equal keys the later counts.
    Map(Vec<(String, Node)>),
}

/// What of a file was begun and has not ended.
enum Open {
    List(usize, Vec<Node>),
    Map(usize, Vec<(String, Node)>, Option<String>),
}

/// A file nests no deeper; one that does is no device.
const DEEPEST: usize = 64;

/// Parts that stand for others may not make a file longer than this many times.
const LARGEST: usize = 1 << 20;

/// The first document of a file.
///
/// # Errors
/// The words say where it is no YAML.
pub(super) fn parse(text: &str) -> Result<Node, String> {
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: HashMap<usize, Node> = HashMap::new();
    let mut size = 0;
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, _) = event.map_err(|error| {
            let place = error.marker();
            format!("line {}, column {}: {}", place.line(), place.col() + 1, error.info())
        })?;
        let (anchor, node) = match event {
            Event::Scalar(text, _, anchor, _) => (anchor, Node::Text(text.into_owned())),
            Event::Alias(anchor) => {
                let known = anchors.get(&anchor).cloned();
                let node = known.ok_or("an alias stands within what it stands for")?;
                size += node.size();
                (0, node)
            }
            Event::SequenceStart(anchor, _) => {
                open.push(Open::List(anchor, Vec::new()));
                continue;
            }
            Event::MappingStart(anchor, _) => {
                open.push(Open::Map(anchor, Vec::new(), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(anchor, nodes)) => (anchor, Node::List(nodes)),
                Some(Open::Map(anchor, entries, _)) => (anchor, Node::Map(entries)),
                None => continue,
            },
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                continue;
            }
        };
        if open.len() > DEEPEST || size > LARGEST {
            return Err("it is nested too deeply".to_owned());
        }
        if anchor != 0 {
            anchors.insert(anchor, node.clone());
        }
        match open.last_mut() {
            None => return Ok(node),
            Some(Open::List(_, nodes)) => nodes.push(node),
            Some(Open::Map(_, entries, key)) => match (key.take(), node) {
                (Some(key), node) => {
                    entries.retain(|(known, _)| *known != key);
                    entries.push((key, node));
                }
                (None, Node::Text(text)) => *key = Some(text),
                (None, Node::List(_) | Node::Map(_)) => return Err("a key is no text".to_owned()),
            },
        }
    }
    Err("it is empty".to_owned())
}

impl Node {
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let entry = self.entries().iter().find(|(known, _)| known == key);
        entry.map(|(_, node)| node)
    }

    /// Those of a map; nothing else has any.
    pub(super) fn entries(&self) -> &[(String, Node)] {
        match self {
            Self::Map(entries) => entries,
            Self::Text(_) | Self::List(_) => &[],
        }
    }

    /// Those of a list; nothing else has any.
    pub(super) fn items(&self) -> &[Node] {
        match self {
            Self::List(items) => items,
            Self::Text(_) | Self::Map(_) => &[],
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::List(_) | Self::Map(_) => None,
        }
    }

    fn size(&self) -> usize {
        1 + match self {
            Self::Text(_) => 0,
            Self::List(items) => items.iter().map(Self::size).sum(),
            Self::Map(entries) => entries.iter().map(|(_, node)| node.size()).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_file_is_maps_lists_and_texts() {
        let node = parse("a: &x\n  - 1.0\n  - on\nb: *x\nc: \"q\\n\"\n").expect("YAML");
        let texts = |key: &str| {
            let items = node.get(key).map(|node| node.items().to_vec()).unwrap_or_default();
            items
                .iter()
                .filter_map(|item| item.text().map(str::to_owned))
                .collect::<Vec<_>>()
        };
        assert_eq!(texts("a"), ["1.0", "on"]);
        assert_eq!(texts("a"), texts("b"));
        assert_eq!(node.get("c").and_then(|node| node.text()), Some("q\n"));
    }

    #[test]
    fn what_is_no_yaml_is_refused_with_its_place() {
        let check = |text: &str, expected: &str| {
            let error = parse(text).expect_err("no YAML");
            assert!(error.starts_with(expected), "{error}");
        };
        check("", "it is empty");
        check("a: [1,\nb: 2", "line ");
        check(&"[".repeat(100), "");
    }
}
