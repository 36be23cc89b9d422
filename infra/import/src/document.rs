//! A definition while it is put together.

use serde_json::{Map, Value};

use crate::{Imported, fields::Report, name, order};

/// A definition while it is put together, member by member, in any order.
#[derive(Debug, Default)]
pub(crate) struct Document(Map<String, Value>);

impl Document {
    /// Sets the member at a path, and makes the objects on the way.
    pub(crate) fn put(&mut self, path: &[&str], value: impl Into<Value>) {
        let Some((last, way)) = path.split_last() else {
            return;
        };
        let mut place = &mut self.0;
        for step in way {
            let next = place
                .entry((*step).to_owned())
                .or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(next) = next else { return };
            place = next;
        }
        place.insert((*last).to_owned(), value.into());
    }

    /// As [`Self::put`], if there is a value.
    pub(crate) fn put_some(&mut self, path: &[&str], value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(path, value);
        }
    }

    /// Sets one text, or a list if there are several; nothing if there is none.
    pub(crate) fn put_texts(&mut self, path: &[&str], mut texts: Vec<String>) {
        match texts.len() {
            0 => {}
            1 => self.put_some(path, texts.pop()),
            _ => self.put(path, texts),
        }
    }

    /// Whether there is a member at a path.
    pub(crate) fn has(&self, path: &[&str]) -> bool {
        let Some((first, rest)) = path.split_first() else {
            return false;
        };
        rest.iter()
            .try_fold(self.0.get(*first), |value, step| Some(value?.get(*step)))
            .flatten()
            .is_some()
    }

    /// A member as JSON, to look for what it names.
    pub(crate) fn text_of(&self, member: &str) -> String {
        self.0.get(member).map(Value::to_string).unwrap_or_default()
    }

    /// Writes every text of an object anew.
    pub(crate) fn each_text(&mut self, path: &[&str], write: impl Fn(&str) -> Value) {
        let mut place = Some(&mut self.0);
        for step in path {
            place = place
                .and_then(|members| members.get_mut(*step))
                .and_then(Value::as_object_mut);
        }
        for value in place.into_iter().flat_map(Map::values_mut) {
            if let Some(written) = value.as_str().map(&write) {
                *value = written;
            }
        }
    }

    /// The finished entry.
    pub(crate) fn finish(self, name: &str, report: Report) -> Imported {
        Imported {
            name: name::kebab(name),
            definition: order::arrange(&Value::Object(self.0)),
            unsaid: report.into_unsaid(),
        }
    }
}

/// An entry that is no authorisation-code flow.
pub(crate) fn skipped(name: &str, at: impl Into<String>, why: impl Into<String>) -> Imported {
    skipped_after(name, at, why, Report::default())
}

/// An entry that turned out to be none, with what was found until then.
pub(crate) fn skipped_after(
    name: &str,
    at: impl Into<String>,
    why: impl Into<String>,
    report: Report,
) -> Imported {
    let mut first = Report::default();
    first.note(at, why);
    let unsaid = first.into_unsaid().into_iter().chain(report.into_unsaid());
    Imported {
        name: name::kebab(name),
        definition: Value::Null,
        unsaid: unsaid.collect(),
    }
}
