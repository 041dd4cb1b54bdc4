//! Reading a task's fields from its section, with the place of each text kept for the problems found later.

use expr::{Span, Value};

use super::InterfaceKind;
use crate::{
    bench::Pools,
    file::{Scalar, Section},
    instrument::Selected,
    problem::{Problem, Stage},
    python::{Catalog, PythonClass},
};

/// A text of the file that will be evaluated or formatted, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) text: String,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// The default of a field that the file does not have.
    Nowhere,
    /// The text stands in the file letter by letter, from this byte on.
    Verbatim(usize),
    /// The text is written with escapes somewhere inside this span.
    Within(Span),
}

impl Text {
    /// A text that stands in no file.
    pub(crate) fn of_nowhere(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            place: Place::Nowhere,
        }
    }

    fn of(text: &str, span: Span, source: &str) -> Self {
        Self::after("", text, span, source)
    }

    /// The text that stands inside `span` behind `name`.
    fn after(name: &str, text: &str, span: Span, source: &str) -> Self {
        let raw = source.get(span.start..span.end).unwrap_or_default();
        let behind = raw.find(name).map_or(0, |offset| offset + name.len());
        let place = match raw[behind..].find(text) {
            Some(offset) if !text.is_empty() => Place::Verbatim(span.start + behind + offset),
            Some(_) | None => Place::Within(span),
        };
        Self {
            text: text.to_owned(),
            place,
        }
    }

    /// Where a part of this text stands in the file.
    pub(crate) fn place(&self, part: Option<Span>) -> Option<Span> {
        match (self.place, part) {
            (Place::Nowhere, _) => None,
            (Place::Within(span), _) => Some(span),
            (Place::Verbatim(start), Some(part)) => Some(Span {
                start: start + part.start,
                end: start + part.end,
            }),
            (Place::Verbatim(start), None) => Some(Span {
                start,
                end: start + self.text.len(),
            }),
        }
    }
}

/// The interface of a task, as far as it can be read.
#[derive(Debug)]
pub(crate) enum Interfaced<T> {
    Known(T),
    /// There is one, and it is none that the task could have: a problem of the file.
    Unknown,
    Absent,
}

/// An interface that a task may have, and how it is read.
type KnownInterface<'k, T> = (&'k InterfaceKind, fn(&mut Fields<'_>) -> T);

impl<T> Interfaced<T> {
    pub(crate) fn known(&self) -> Option<&T> {
        match self {
            Interfaced::Known(interface) => Some(interface),
            Interfaced::Unknown | Interfaced::Absent => None,
        }
    }
}

/// The fields of one task or interface.
pub(crate) struct Fields<'a> {
    section: &'a Section,
    source: &'a str,
    path: &'a str,
    catalog: &'a dyn Catalog,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(
        section: &'a Section,
        source: &'a str,
        path: &'a str,
        catalog: &'a dyn Catalog,
        problems: &'a mut Vec<Problem>,
    ) -> Self {
        Self {
            section,
            source,
            path,
            catalog,
            problems,
        }
    }

    /// The text of a field, to be evaluated or formatted.
    pub(crate) fn text(&mut self, key: &str, default: &str) -> Text {
        match self.section.get(key) {
            Some(scalar) => Text::of(&scalar.value, scalar.span, self.source),
            None => Text {
                text: default.to_owned(),
                place: Place::Nowhere,
            },
        }
    }

    pub(crate) fn flag(&mut self, key: &str, default: bool) -> bool {
        let Some(scalar) = self.section.get(key) else {
            return default;
        };
        match expr::parse_literal(&scalar.value) {
            Ok(Value::Bool(flag)) => flag,
            Ok(_) | Err(_) => {
                let scalar = scalar.clone();
                self.refuse(key, &scalar, "should be True or False".to_owned());
                default
            }
        }
    }

    /// A field that is one of a few words; what is none of them is a problem, and the first is taken.
    pub(crate) fn choice(&mut self, key: &str, words: &[&'static str]) -> &'static str {
        let Some(scalar) = self.section.get(key) else {
            return words[0];
        };
        if let Some(word) = words.iter().find(|word| **word == scalar.value) {
            return word;
        }
        let scalar = scalar.clone();
        let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        self.refuse(
            key,
            &scalar,
            format!("should be one of {}, not `{}`", quoted.join(", "), scalar.value),
        );
        words[0]
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, key: &str) -> Vec<String> {
        let Some(scalar) = self.section.get(key).cloned() else {
            return Vec::new();
        };
        match self.literal(key, &scalar) {
            Some(Value::List(items) | Value::Tuple(items))
                if items.iter().all(|item| matches!(item, Value::Str(_))) =>
            {
                items.iter().map(Value::to_string).collect()
            }
            Some(other) => {
                self.refuse(key, &scalar, format!("should be a list of texts, not {}", other.repr()));
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// A list of `(label, expression)` pairs: what a task saves. Labels are texts with references.
    pub(crate) fn labelled(&mut self, key: &str) -> Vec<(Text, Text)> {
        let pairs = self.pairs(key);
        let Some(scalar) = self.section.get(key) else {
            return Vec::new();
        };
        let raw = self.source.get(scalar.span.start..scalar.span.end).unwrap_or_default();
        let label = |name: String| {
            let quoted = [format!("'{name}'"), format!("\"{name}\"")];
            let found = quoted.iter().find_map(|quoted| raw.find(quoted.as_str()));
            let place = found.map_or(Place::Within(scalar.span), |at| {
                Place::Verbatim(scalar.span.start + at + 1)
            });
            Text { text: name, place }
        };
        pairs.into_iter().map(|(name, text)| (label(name), text)).collect()
    }

    /// A list of `(name, text)` pairs: definitions, formulas.
    pub(crate) fn pairs(&mut self, key: &str) -> Vec<(String, Text)> {
        let Some(scalar) = self.section.get(key).cloned() else {
            return Vec::new();
        };
        let Some(literal) = self.literal(key, &scalar) else {
            return Vec::new();
        };
        let items = match literal {
            Value::List(items) | Value::Tuple(items) => items.to_vec(),
            Value::Dict(dict) => {
                let pair = |(name, text): &(Value, Value)| Value::tuple(vec![name.clone(), text.clone()]);
                dict.items.iter().map(pair).collect()
            }
            _ => {
                self.refuse(key, &scalar, "should be a list of (name, expression) pairs".to_owned());
                return Vec::new();
            }
        };
        let mut pairs: Vec<(String, Text)> = Vec::with_capacity(items.len());
        for item in &items {
            let pair = match item {
                Value::Tuple(pair) | Value::List(pair) => pair.as_slice(),
                _ => &[],
            };
            let (name, text) = match pair {
                [Value::Str(name), Value::Str(text)] => (name, text),
                [Value::Str(name), other] => {
                    let message = format!("`{name}` should be an expression in quotes, not {}", other.repr());
                    let problem = Problem::error(Stage::Check, format!("{}-{name}", self.path), message)
                        .hint(format!("write `('{name}', '{}')`", other.repr()));
                    self.problems.push(problem.at(scalar.span));
                    continue;
                }
                _ => {
                    self.refuse(
                        key,
                        &scalar,
                        format!("should hold (name, expression) pairs of texts, not {}", item.repr()),
                    );
                    continue;
                }
            };
            // With its quotes, so that a name that is part of another is not found there.
            let quoted = Value::Str(name.clone()).repr();
            let text = Text::after(&quoted, text, scalar.span, self.source);
            match pairs.iter_mut().find(|(known, _)| **known == **name) {
                // An ordered dict keeps the first place and the last value.
                Some(known) => known.1 = text,
                None => pairs.push((name.to_string(), text)),
            }
        }
        pairs
    }

    /// The `[interface]` section with its id, if there is one.
    fn interface(&mut self) -> Option<(Scalar, Fields<'_>)> {
        let section = self.section.section("interface")?;
        let Some(id) = section.get("interface_id").cloned() else {
            let problem = Problem::error(
                Stage::Build,
                format!("{}-interface", self.path),
                "`[interface]` has no `interface_id`",
            );
            self.problems
                .push(crate::tree::place(problem, crate::tree::header(section)));
            return None;
        };
        Some((
            id,
            Fields {
                section,
                source: self.source,
                path: self.path,
                catalog: self.catalog,
                problems: self.problems,
            },
        ))
    }

    /// Reads the interface of a task of `kind`: what is in `[interface]`, and which of the known it is.
    pub(crate) fn interface_of<T>(&mut self, task: &str, known: &[KnownInterface<'_, T>]) -> Interfaced<T> {
        let Some((id, mut fields)) = self.interface() else {
            return Interfaced::Absent;
        };
        let kind = super::interface_kind(&id.value);
        let found = known
            .iter()
            .find(|(known, _)| kind.is_some_and(|kind| kind.id == known.id));
        if let Some((_, build)) = found {
            return Interfaced::Known(build(&mut fields));
        }
        let ids: Vec<String> = known.iter().map(|(kind, _)| format!("`{task}:{}`", kind.id)).collect();
        self.unknown_interface(&id, &ids.iter().map(String::as_str).collect::<Vec<_>>());
        Interfaced::Unknown
    }

    fn unknown_interface(&mut self, id: &Scalar, candidates: &[&str]) {
        let problem = Problem::error(
            Stage::Build,
            format!("{}-interface", self.path),
            format!("unknown interface `{}`", id.value),
        )
        .hint(format!("the interfaces of this task are {}", candidates.join(", ")))
        .at(id.span);
        self.problems.push(problem);
    }

    /// `parallel = {'activated': True, 'pool': 'name'}`
    pub(crate) fn pool(&mut self, default: Option<&str>) -> Option<String> {
        let Some(scalar) = self.section.get("parallel").cloned() else {
            return default.map(str::to_owned);
        };
        let items = self.dict("parallel", &scalar)?;
        if !truthy(&items, "activated") {
            return None;
        }
        match item(&items, "pool") {
            Some(Value::Str(pool)) if !pool.is_empty() => Some(pool.to_string()),
            Some(_) | None => None,
        }
    }

    /// `wait = {'activated': True, 'wait': ['pool'], 'no_wait': ['pool']}`
    pub(crate) fn wait(&mut self, default: Option<&[&str]>) -> Option<Pools> {
        let Some(scalar) = self.section.get("wait").cloned() else {
            return default.map(|pools| match pools {
                [] => Pools::All,
                pools => Pools::Only(pools.iter().map(|pool| (*pool).to_owned()).collect()),
            });
        };
        let items = self.dict("wait", &scalar)?;
        if !truthy(&items, "activated") {
            return None;
        }
        let mut names = |key: &str| -> Vec<String> {
            match item(&items, key) {
                Some(Value::List(pools) | Value::Tuple(pools)) => pools.iter().map(Value::to_string).collect(),
                None | Some(Value::None) => Vec::new(),
                Some(other) => {
                    let message = format!("should have a list of pools as `{key}`, not {}", other.repr());
                    self.refuse("wait", &scalar, message);
                    Vec::new()
                }
            }
        };
        let only = names("wait");
        let all_but = names("no_wait");
        Some(match (only.is_empty(), all_but.is_empty()) {
            (false, _) => Pools::Only(only),
            (true, false) => Pools::AllBut(all_but),
            (true, true) => Pools::All,
        })
    }

    /// The class of a task that is written in Python, its fields, and what it says of itself.
    pub(crate) fn python_class(&mut self) -> (String, Vec<(String, String)>, PythonClass) {
        let id = self.section.get("task_id").cloned();
        let class = id
            .as_ref()
            .and_then(|id| id.value.strip_prefix(super::python_task::PREFIX));
        let class = class.unwrap_or_default().to_owned();
        let fields: Vec<(String, String)> = self
            .section
            .scalars()
            .filter(|(key, _)| !["task_id", "dep_type", "name"].contains(key))
            .map(|(key, scalar)| (key.to_owned(), scalar.value.clone()))
            .collect();
        match self.catalog.describe(&class, &fields) {
            Ok(described) => (class, fields, described),
            Err(message) => {
                let problem = Problem::error(Stage::Build, self.path, message);
                self.problems.push(crate::tree::place(problem, id.map(|id| id.span)));
                (class, fields, PythonClass::default())
            }
        }
    }

    /// `selected_instrument = ('profile', 'driver', 'connection', 'settings')`
    pub(crate) fn instrument(&mut self) -> Option<Selected> {
        let scalar = self.section.get("selected_instrument").cloned()?;
        let literal = self.literal("selected_instrument", &scalar)?;
        let parts = match &literal {
            Value::Tuple(parts) | Value::List(parts) => parts.as_slice(),
            _ => &[],
        };
        let text = |part: &Value| match part {
            Value::Str(text) => Some(text.to_string()),
            Value::None => Some(String::new()),
            _ => None,
        };
        let texts: Option<Vec<String>> = parts.iter().map(text).collect();
        let Some(Ok([profile, driver, connection, settings])) = texts.map(<[String; 4]>::try_from) else {
            let message = format!(
                "should be ('profile', 'driver', 'connection', 'settings'), not {}",
                literal.repr()
            );
            self.refuse("selected_instrument", &scalar, message);
            return None;
        };
        (!profile.is_empty()).then_some(Selected {
            profile,
            driver,
            connection,
            settings,
        })
    }

    /// A number that the file has as a literal.
    pub(crate) fn number(&mut self, key: &str, default: f64) -> f64 {
        let Some(scalar) = self.section.get(key).cloned() else {
            return default;
        };
        match self.literal(key, &scalar) {
            Some(value) if value.is_real() => value.as_f64().unwrap_or(default),
            Some(other) => {
                self.refuse(key, &scalar, format!("should be a number, not {}", other.repr()));
                default
            }
            None => default,
        }
    }

    /// Any Python literal; nothing where the file does not have the field.
    pub(crate) fn value(&mut self, key: &str) -> Option<Value> {
        let scalar = self.section.get(key).cloned()?;
        self.literal(key, &scalar)
    }

    /// `access_exs = {'entry': levels}`
    pub(crate) fn access_exceptions(&mut self) -> Vec<(String, usize)> {
        let Some(scalar) = self.section.get("access_exs").cloned() else {
            return Vec::new();
        };
        let Some(items) = self.dict("access_exs", &scalar) else {
            return Vec::new();
        };
        let mut exceptions = Vec::new();
        for (entry, levels) in &items {
            match levels.as_i64().and_then(|levels| usize::try_from(levels).ok()) {
                Some(levels) => exceptions.push((entry.to_string(), levels)),
                None => self.refuse(
                    "access_exs",
                    &scalar,
                    format!("should give `{entry}` a number of levels, not {}", levels.repr()),
                ),
            }
        }
        exceptions
    }

    fn dict(&mut self, key: &str, scalar: &Scalar) -> Option<Vec<(Value, Value)>> {
        match self.literal(key, scalar)? {
            Value::Dict(dict) => Some(dict.items.clone()),
            // Old files have empty lists here.
            Value::List(list) if list.is_empty() => Some(Vec::new()),
            other => {
                self.refuse(key, scalar, format!("should be a dict, not {}", other.kind()));
                None
            }
        }
    }

    fn literal(&mut self, key: &str, scalar: &Scalar) -> Option<Value> {
        match expr::parse_literal(&scalar.value) {
            Ok(value) => Some(value),
            Err(error) => {
                let place = Text::of(&scalar.value, scalar.span, self.source).place(error.span);
                let problem = Problem::error(
                    Stage::Build,
                    format!("{}-{key}", self.path),
                    format!("`{key}` is no Python literal: {}", error.message),
                );
                self.problems.push(crate::tree::place(problem, place));
                None
            }
        }
    }

    fn refuse(&mut self, key: &str, scalar: &Scalar, message: String) {
        let problem = Problem::error(
            Stage::Build,
            format!("{}-{key}", self.path),
            format!("`{key}` {message}"),
        );
        self.problems.push(problem.at(scalar.span));
    }
}

fn item<'v>(items: &'v [(Value, Value)], key: &str) -> Option<&'v Value> {
    items
        .iter()
        .find(|(name, _)| matches!(name, Value::Str(name) if **name == *key))
        .map(|(_, value)| value)
}

fn truthy(items: &[(Value, Value)], key: &str) -> bool {
    item(items, key).is_some_and(|value| value.truthy().unwrap_or(false))
}
