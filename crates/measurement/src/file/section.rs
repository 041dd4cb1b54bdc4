//! What a file holds: sections within sections, each with its scalars in order, and where each of them was written.
//!
//! In this dialect a section's scalars always stand before its sub-sections, so two lists keep the order. Look-up goes
//! through the list: sections are short, and what is done to them once needs no index. Deliberately absent: types of values;
//! everything is text here.

use expr::Span;

/// A section; the root of a file is one too, with depth 0 and no name.
#[derive(Clone, Debug, Default)]
pub struct Section {
    pub(super) name: String,
    pub(super) depth: usize,
    pub(super) name_span: Span,
    pub(super) place: Option<Place>,
    pub(super) renamed: bool,
    pub(super) scalars: Vec<(String, Scalar)>,
    pub(super) sections: Vec<Section>,
}

/// One value, as text without its quotes.
#[derive(Clone, Debug)]
pub struct Scalar {
    pub value: String,
    /// Of the value in the file's text, without its quotes: byte `i` of a value on one line is byte `span.start + i` there.
    pub span: Span,
    /// Of the key, without its quotes.
    pub key_span: Span,
    pub(super) place: Option<Place>,
    pub(super) changed: bool,
    pub(super) renamed: bool,
}

/// The part of the text that belongs to one scalar or one section's header; all parts together are the whole text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The blank lines and comments before it.
    pub(super) above: Span,
    /// Its line or lines, with the end of the line.
    pub(super) lines: Span,
    /// The key or the section's name, with quotes.
    pub(super) name: Span,
    /// The value with quotes; empty for a section.
    pub(super) raw: Span,
    /// The comment behind it, from its `#` on.
    pub(super) comment: Option<Span>,
}

impl Section {
    /// Its name without quotes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many brackets are around its name.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Where its name stands in the file's text, without brackets and quotes.
    pub fn span(&self) -> Span {
        self.name_span
    }

    pub fn get(&self, key: &str) -> Option<&Scalar> {
        self.scalars
            .iter()
            .find(|(own, _)| own == key)
            .map(|(_, scalar)| scalar)
    }

    /// The text of a value.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.get(key).map(|scalar| scalar.value.as_str())
    }

    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    pub fn section_mut(&mut self, name: &str) -> Option<&mut Section> {
        self.sections.iter_mut().find(|section| section.name == name)
    }

    /// Keys and their values, in order.
    pub fn scalars(&self) -> impl Iterator<Item = (&str, &Scalar)> {
        self.scalars.iter().map(|(key, scalar)| (key.as_str(), scalar))
    }

    /// Its sub-sections, in order.
    pub fn sections(&self) -> impl Iterator<Item = &Section> {
        self.sections.iter()
    }

    pub fn sections_mut(&mut self) -> impl Iterator<Item = &mut Section> {
        self.sections.iter_mut()
    }

    /// Gives a key this value; a new key comes after the last one. See [`super::can_hold`] for what cannot be written.
    pub fn set(&mut self, key: &str, value: &str) {
        match self.scalars.iter_mut().find(|(own, _)| own == key) {
            Some((_, scalar)) if scalar.value == value => {}
            Some((_, scalar)) => {
                value.clone_into(&mut scalar.value);
                scalar.changed = true;
            }
            None => self.insert(self.scalars.len(), key, value, Span::default()),
        }
    }

    /// Takes the key away, with the comments above it.
    pub fn remove(&mut self, key: &str) -> Option<Scalar> {
        let at = self.scalars.iter().position(|(own, _)| own == key)?;
        Some(self.scalars.remove(at).1)
    }

    /// Gives the scalar another key in its place; says whether it could: it needs the old key and no use of the new one.
    pub fn rename(&mut self, key: &str, new: &str) -> bool {
        if self.has(new) {
            return false;
        }
        let Some((own, scalar)) = self.scalars.iter_mut().find(|(own, _)| own == key) else {
            return false;
        };
        new.clone_into(own);
        scalar.renamed = true;
        true
    }

    /// The sub-section of this name, made as the last one if there is none.
    pub fn add_section(&mut self, name: &str) -> &mut Section {
        let at = self
            .sections
            .iter()
            .position(|section| section.name == name)
            .unwrap_or_else(|| {
                self.sections.push(Section {
                    name: name.to_owned(),
                    depth: self.depth + 1,
                    ..Section::default()
                });
                self.sections.len() - 1
            });
        &mut self.sections[at]
    }

    /// Takes the section away with all that is in it.
    pub fn remove_section(&mut self, name: &str) -> Option<Section> {
        let at = self.sections.iter().position(|section| section.name == name)?;
        Some(self.sections.remove(at))
    }

    /// Gives the section another name in its place; says whether it could, as [`Section::rename`].
    pub fn rename_section(&mut self, name: &str, new: &str) -> bool {
        if self.has(new) {
            return false;
        }
        let Some(section) = self.section_mut(name) else {
            return false;
        };
        new.clone_into(&mut section.name);
        section.renamed = true;
        true
    }

    /// A new scalar at a place in the order that is blamed on `blame`, where what it says was written otherwise.
    pub(crate) fn insert(&mut self, at: usize, key: &str, value: &str, blame: Span) {
        let scalar = Scalar {
            value: value.to_owned(),
            span: blame,
            key_span: blame,
            place: None,
            changed: false,
            renamed: false,
        };
        self.scalars
            .insert(at.min(self.scalars.len()), (key.to_owned(), scalar));
    }

    /// Puts these keys first, in this order; the others keep theirs.
    pub(crate) fn order_scalars(&mut self, first: &[&str]) {
        let rank = |key: &str| first.iter().position(|&wanted| wanted == key).unwrap_or(first.len());
        self.scalars.sort_by_key(|(key, _)| rank(key));
    }

    /// Sorts the sub-sections by what `rank` says of their names; those of equal rank keep their order.
    pub(crate) fn order_sections<K: Ord>(&mut self, rank: impl Fn(&str) -> K) {
        self.sections.sort_by_key(|section| rank(&section.name));
    }

    /// Gives each value in here and below a new text where `new` has one for this key and value.
    pub(crate) fn replace_values(&mut self, new: &mut impl FnMut(&str, &str) -> Option<String>) {
        for (key, scalar) in &mut self.scalars {
            if let Some(value) = new(key, &scalar.value) {
                scalar.changed |= value != scalar.value;
                scalar.value = value;
            }
        }
        self.sections.iter_mut().for_each(|section| section.replace_values(new));
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some() || self.section(name).is_some()
    }
}
