//! Second pass: reads keys of the right type, skips the rest (`validate` has already said what is wrong with it).

use std::sync::Arc;

use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};
use twin_model::{Span, Status, Timestamp, Value};

use super::diag::{Diagnostics, Location};
use super::spec::{TableSpec, Ty};
use super::validate::{self, SourceText};

/// A text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: Arc<str>,
    pub(crate) at: Location,
}

impl Word {
    pub(crate) fn new(text: &str, at: &Location) -> Self {
        Self { text: text.into(), at: at.clone() }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

/// Where the data's first instant is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    /// Times stay as recorded.
    Recorded,
    /// The first instant becomes the moment at which the source starts.
    Now,
    /// The first instant becomes this one.
    Instant(Timestamp),
}

/// A key of a table, known or not.
pub(crate) struct Entry<'a> {
    pub(crate) key: &'a str,
    pub(crate) known: Option<Ty>,
    pub(crate) is_table: bool,
    pub(crate) at: Location,
    value: &'a Spanned<DeValue<'a>>,
}

/// One table with its description; getters answer `None` for absent keys and wrong types alike.
#[derive(Clone, Copy)]
pub(crate) struct Section<'a> {
    source: &'a SourceText<'a>,
    spec: &'static TableSpec,
    table: &'a DeTable<'a>,
    offset: usize,
}

#[cfg(test)]
thread_local! {
    /// Which keys the loader asked for, so that a test can compare them with `spec`.
    pub(crate) static ASKED: std::cell::RefCell<std::collections::BTreeSet<(&'static str, String)>> =
        const { std::cell::RefCell::new(std::collections::BTreeSet::new()) };
}

impl<'a> Section<'a> {
    pub(crate) fn new(source: &'a SourceText<'a>, spec: &'static TableSpec, table: &'a DeTable<'a>, offset: usize) -> Self {
        Self { source, spec, table, offset }
    }

    /// Where the table starts.
    pub(crate) fn at(&self) -> Location {
        self.source.at(self.offset)
    }

    fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        debug_assert!(self.spec.key(key).is_some(), "{} has no key {key}", self.spec.name);
        #[cfg(test)]
        ASKED.with_borrow_mut(|asked| asked.insert((self.spec.name, key.to_owned())));
        self.table.get(key)
    }

    /// Whether the key is there, whatever it holds.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Keys of the table that are known and none of these, sorted.
    pub(crate) fn keys_beside(&self, these: &[&str]) -> Vec<&'static str> {
        let there = self.spec.keys.iter().filter(|key| !these.contains(&key.name) && self.table.get(key.name).is_some());
        there.map(|key| key.name).collect()
    }

    /// What the table is called.
    pub(crate) fn name(&self) -> &'static str {
        self.spec.name
    }

    /// The keys that it may have.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.spec.keys.iter().map(|key| key.name)
    }

    /// The keys that the table under one of its keys may have.
    pub(crate) fn names_of(&self, key: &str) -> impl Iterator<Item = &'static str> + use<> {
        let spec = match self.spec.key(key).map(|key| key.ty) {
            Some(Ty::Table(spec) | Ty::ColumnOr(spec)) => Some(spec),
            _ => None,
        };
        spec.into_iter().flat_map(|spec| spec.keys.iter().map(|key| key.name))
    }

    /// Keys that it must have and does not.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &'static str> {
        self.spec.keys.iter().filter(|key| key.required && self.table.get(key.name).is_none()).map(|key| key.name)
    }

    /// Every key that it has, known or not.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'a>> {
        let (source, spec) = (self.source, self.spec);
        self.table.iter().map(move |(key, value)| Entry {
            key: key.get_ref().as_ref(),
            known: spec.key(key.get_ref().as_ref()).map(|key| key.ty),
            is_table: value.get_ref().is_table(),
            at: source.at(key.span().start),
            value,
        })
    }

    /// Adds what is wrong with the type of a known key's value.
    pub(crate) fn judge(&self, entry: &Entry<'_>, out: &mut Diagnostics) {
        if let Some(ty) = entry.known {
            validate::value(self.source, ty, entry.value, entry.key, out);
        }
    }

    /// Where the key's value stands; the table's place if it is absent.
    pub(crate) fn at_key(&self, key: &str) -> Location {
        self.value(key).map_or_else(|| self.at(), |value| self.source.at(value.span().start))
    }

    pub(crate) fn word(&self, key: &str) -> Option<Word> {
        let value = self.value(key)?;
        let text = value.get_ref().as_str()?;
        let wants_id = matches!(self.spec.key(key).map(|key| key.ty), Some(Ty::Id));
        (!wants_id || validate::is_id(text)).then(|| Word::new(text, &self.source.at(value.span().start)))
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        Some(self.value(key)?.get_ref().as_str()?.to_owned())
    }

    /// A word out of the key's choice.
    pub(crate) fn choice(&self, key: &str) -> Option<&'static str> {
        let Some(Ty::Choice(words)) = self.spec.key(key).map(|key| key.ty) else { return None };
        let text = self.value(key)?.get_ref().as_str()?;
        words.iter().copied().find(|word| *word == text)
    }

    pub(crate) fn status(&self, key: &str) -> Option<Status> {
        Status::parse(self.choice(key)?)
    }

    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        validate::number(self.value(key)?.get_ref())
    }

    pub(crate) fn integer(&self, key: &str) -> Option<i64> {
        validate::integer(self.value(key)?.get_ref())
    }

    pub(crate) fn bool(&self, key: &str) -> Option<bool> {
        self.value(key)?.get_ref().as_bool()
    }

    pub(crate) fn duration(&self, key: &str) -> Option<Span> {
        self.value(key)?.get_ref().as_str()?.parse().ok().filter(|span: &Span| !span.is_negative())
    }

    pub(crate) fn instant(&self, key: &str) -> Option<Timestamp> {
        validate::instant(self.value(key)?.get_ref())
    }

    pub(crate) fn start(&self, key: &str) -> Option<StartAt> {
        let value = self.value(key)?.get_ref();
        match value.as_str() {
            Some("recorded") => Some(StartAt::Recorded),
            Some("now") => Some(StartAt::Now),
            _ => validate::instant(value).map(StartAt::Instant),
        }
    }

    pub(crate) fn range(&self, key: &str) -> Option<(f64, f64)> {
        let [low, high] = validate::numbers::<2>(self.value(key)?.get_ref())?;
        (low <= high).then_some((low, high))
    }

    pub(crate) fn vec3(&self, key: &str) -> Option<[f64; 3]> {
        validate::numbers::<3>(self.value(key)?.get_ref())
    }

    pub(crate) fn scale(&self, key: &str) -> Option<[f64; 3]> {
        let value = self.value(key)?.get_ref();
        let scale = validate::number(value).map(|n| [n; 3]).or_else(|| validate::numbers::<3>(value))?;
        scale.iter().all(|n| *n != 0.0).then_some(scale)
    }

    pub(crate) fn scalar(&self, key: &str) -> Option<Value> {
        scalar(self.value(key)?.get_ref())
    }

    /// The raw value where its type has a reader of its own (columns, priorities).
    pub(crate) fn raw(&self, key: &str) -> Option<&'a DeValue<'a>> {
        Some(self.value(key)?.get_ref())
    }

    /// The texts of a text or a list of texts.
    pub(crate) fn words(&self, key: &str) -> Vec<Word> {
        self.value(key).map(|value| words(self.source, value)).unwrap_or_default()
    }

    pub(crate) fn table(&self, key: &str) -> Option<Section<'a>> {
        let Some(Ty::Table(spec) | Ty::Bind(spec) | Ty::ColumnOr(spec)) = self.spec.key(key).map(|key| key.ty) else {
            return None;
        };
        let value = self.value(key)?;
        Some(Self::new(self.source, spec, value.get_ref().as_table()?, value.span().start))
    }

    pub(crate) fn tables(&self, key: &str) -> Vec<Section<'a>> {
        let Some(Ty::Tables(spec) | Ty::Bind(spec)) = self.spec.key(key).map(|key| key.ty) else { return Vec::new() };
        let items = self.value(key).and_then(|value| value.get_ref().as_array());
        let table =
            |item: &'a Spanned<DeValue<'a>>| Some(Self::new(self.source, spec, item.get_ref().as_table()?, item.span().start));
        items.into_iter().flat_map(|items| items.iter().filter_map(table)).collect()
    }

    /// The entries of a table with keys of one's own, each with its texts; sorted by key.
    pub(crate) fn map(&self, key: &str) -> Vec<(Word, Vec<Word>)> {
        let Some(table) = self.value(key).and_then(|value| value.get_ref().as_table()) else { return Vec::new() };
        let entry = |(key, value): (&'a Spanned<std::borrow::Cow<'a, str>>, &'a Spanned<DeValue<'a>>)| {
            (Word::new(key.get_ref(), &self.source.at(key.span().start)), words(self.source, value))
        };
        // Sorted here, because the order of the table depends on a feature that any crate may switch on.
        let mut entries: Vec<(Word, Vec<Word>)> = table.iter().map(entry).collect();
        entries.sort_by(|a, b| a.0.text.cmp(&b.0.text));
        entries
    }

    /// The entries of a table with keys of one's own, each with a text, number or switch; sorted by key.
    pub(crate) fn scalars(&self, key: &str) -> Vec<(String, Value)> {
        let table = self.value(key).and_then(|value| value.get_ref().as_table());
        let entries = table.into_iter().flat_map(|table| table.iter());
        let mut pairs: Vec<(String, Value)> =
            entries.filter_map(|(key, value)| Some((key.get_ref().to_string(), scalar(value.get_ref())?))).collect();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        pairs
    }
}

fn words(source: &SourceText<'_>, value: &Spanned<DeValue<'_>>) -> Vec<Word> {
    let word = |value: &Spanned<DeValue<'_>>| Some(Word::new(value.get_ref().as_str()?, &source.at(value.span().start)));
    match value.get_ref() {
        DeValue::Array(items) => items.iter().filter_map(word).collect(),
        _ => word(value).into_iter().collect(),
    }
}

fn scalar(value: &DeValue<'_>) -> Option<Value> {
    match value {
        DeValue::String(text) => Some(Value::text(text)),
        DeValue::Boolean(b) => Some(Value::Bool(*b)),
        DeValue::Integer(_) => validate::integer(value).map(Value::Int),
        DeValue::Float(_) => validate::number(value).map(Value::Float),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}
