//! The few Python literals that an old file's bookkeeping is written in: lists of texts, dicts, and texts themselves.

/// The texts of `['a', u'b']`; other elements are passed over.
pub(super) fn strings(list: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut chars = list.chars();
    while let Some(quote) = chars.next() {
        if quote != '\'' && quote != '"' {
            continue;
        }
        let mut text = String::new();
        while let Some(c) = chars.next() {
            match c {
                '\\' => text.extend(chars.next()),
                c if c == quote => break,
                c => text.push(c),
            }
        }
        found.push(text);
    }
    found
}

/// `{'a': 1, 'b': 'x'}` as `[('a', 1), ('b', 'x')]`, the form in which ordered members are saved today.
pub(super) fn pairs_of_dict(dict: &str) -> Option<String> {
    let inside = dict.trim().strip_prefix('{')?.strip_suffix('}')?;
    let pairs: Option<Vec<String>> = split(inside, ',')
        .into_iter()
        .filter(|item| !item.trim().is_empty())
        .map(|item| match split(item, ':')[..] {
            [key, value] => Some(format!("({}, {})", key.trim(), value.trim())),
            _ => None,
        })
        .collect();
    Some(format!("[{}]", pairs?.join(", ")))
}

/// A text as Python writes it.
pub(super) fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c == quote => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// A list of texts as Python writes it.
pub(super) fn repr_list(texts: &[String]) -> String {
    let items: Vec<String> = texts.iter().map(|text| repr(text)).collect();
    format!("[{}]", items.join(", "))
}

/// Splits where `at` is outside of quotes and brackets.
fn split(text: &str, at: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut quote, mut escaped) = (0, 0_usize, None, false);
    for (index, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[' | '(' | '{') => depth += 1,
            (None, ']' | ')' | '}') => depth = depth.saturating_sub(1),
            (None, c) if c == at && depth == 0 => {
                parts.push(&text[start..index]);
                start = index + c.len_utf8();
            }
            (None, _) => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_dicts_keep_their_texts() {
        assert_eq!(strings("['root/a', u'it\\'s', \"b, c\"]"), ["root/a", "it's", "b, c"]);
        assert_eq!(repr_list(&["a".to_owned(), "it's".to_owned()]), "['a', \"it's\"]");
        let pairs = "[('Freq', '{Alferov_value}'), ('a, b', f(1, {2: 3}))]";
        assert_eq!(
            pairs_of_dict("{'Freq': '{Alferov_value}', 'a, b': f(1, {2: 3})}").as_deref(),
            Some(pairs)
        );
        assert_eq!(pairs_of_dict("{}").as_deref(), Some("[]"));
        assert_eq!(pairs_of_dict("[('a', 1)]"), None);
    }
}
