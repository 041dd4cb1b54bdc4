//! The few Python literals that an old file's bookkeeping is written in: lists of texts, dicts, and texts themselves.

use expr::Value;

/// The texts of `['a', u'b']`; other elements are passed over.
pub(super) fn strings(list: &str) -> Vec<String> {
    let items = match expr::parse_literal(list) {
        Ok(Value::List(items) | Value::Tuple(items)) => items,
        Ok(_) | Err(_) => return Vec::new(),
    };
    items
        .iter()
        .filter(|item| matches!(item, Value::Str(_)))
        .map(Value::to_string)
        .collect()
}

/// `{'a': 1, 'b': 'x'}` as `[('a', 1), ('b', 'x')]`, the form in which ordered members are saved today.
pub(super) fn pairs_of_dict(dict: &str) -> Option<String> {
    let Ok(Value::Dict(dict)) = expr::parse_literal(dict) else {
        return None;
    };
    let pairs = dict
        .items
        .iter()
        .map(|(key, value)| Value::tuple(vec![key.clone(), value.clone()]));
    Some(Value::list(pairs.collect()).repr())
}

/// A text as Python writes it.
pub(super) fn repr(text: &str) -> String {
    Value::from(text).repr()
}

/// A list of texts as Python writes it.
pub(super) fn repr_list(texts: &[String]) -> String {
    Value::list(texts.iter().map(|text| Value::from(text.as_str())).collect()).repr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_dicts_keep_their_texts() {
        assert_eq!(strings("['root/a', u'it\\'s', \"b, c\"]"), ["root/a", "it's", "b, c"]);
        assert_eq!(repr_list(&["a".to_owned(), "it's".to_owned()]), "['a', \"it's\"]");
        let pairs = "[('Freq', '{Alferov_value}'), ('a, b', {2: 3})]";
        assert_eq!(
            pairs_of_dict("{'Freq': u'{Alferov_value}', 'a, b': {2: 3}}").as_deref(),
            Some(pairs)
        );
        assert_eq!(pairs_of_dict("{}").as_deref(), Some("[]"));
        assert_eq!(pairs_of_dict("[('a', 1)]"), None);
    }
}
