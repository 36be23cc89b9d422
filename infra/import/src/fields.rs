//! Reading an object field by field: what nobody took is reported at the end, so nothing is forgotten.

use serde_json::{Map, Value};

use crate::Unsaid;

/// What a definition doesn't say, as it is gathered.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Unsaid>);

impl Report {
    /// Adds a remark, once.
    pub(crate) fn note(&mut self, at: impl Into<String>, why: impl Into<String>) {
        let unsaid = Unsaid {
            at: at.into(),
            why: why.into(),
        };
        if !self.0.contains(&unsaid) {
            self.0.push(unsaid);
        }
    }

    pub(crate) fn into_unsaid(self) -> Vec<Unsaid> {
        self.0
    }
}

/// An object of the source, and where it stands in it.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    at: String,
    left: Map<String, Value>,
}

impl Fields {
    pub(crate) fn new(at: impl Into<String>, left: Map<String, Value>) -> Self {
        Self {
            at: at.into(),
            left,
        }
    }

    /// The object in a value; anything else is reported.
    pub(crate) fn of(at: impl Into<String>, value: Value, report: &mut Report) -> Option<Self> {
        let at = at.into();
        if let Value::Object(left) = value {
            return Some(Self { at, left });
        }
        report.note(at, "an object was expected");
        None
    }

    /// The path of one of its members.
    pub(crate) fn at(&self, key: &str) -> String {
        if self.at.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.at)
        }
    }

    /// Takes a member; `null` is as good as absent.
    pub(crate) fn take(&mut self, key: &str) -> Option<Value> {
        self.left.shift_remove(key).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&mut self, key: &str, report: &mut Report) -> Option<String> {
        let text = text_of(&self.take(key)?);
        self.expect(key, text, "a text was expected", report)
    }

    pub(crate) fn flag(&mut self, key: &str, report: &mut Report) -> Option<bool> {
        let flag = match self.take(key)? {
            Value::Bool(flag) => Some(flag),
            Value::String(text) => text.parse().ok(),
            Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
        };
        self.expect(key, flag, "true or false was expected", report)
    }

    pub(crate) fn number(&mut self, key: &str, report: &mut Report) -> Option<u64> {
        let number = match self.take(key)? {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        self.expect(key, number, "a whole number was expected", report)
    }

    /// A list of texts, or a single one.
    pub(crate) fn texts(&mut self, key: &str, report: &mut Report) -> Option<Vec<String>> {
        let texts = match self.take(key)? {
            Value::Array(items) => items.iter().map(text_of).collect(),
            value @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_)) => text_of(&value).map(|text| vec![text]),
        };
        self.expect(key, texts, "a list of texts was expected", report)
    }

    /// An object within it; an empty one if there is none.
    pub(crate) fn fields(&mut self, key: &str, report: &mut Report) -> Self {
        let at = self.at(key);
        self.take(key)
            .and_then(|value| Self::of(at, value, report))
            .unwrap_or_default()
    }

    /// The names of those that nobody has taken yet.
    pub(crate) fn names(&self) -> Vec<String> {
        self.left.keys().cloned().collect()
    }

    /// Whether one of the members has a text in it, as a whole word.
    pub(crate) fn mentions(&self, keys: &[&str], text: &str) -> bool {
        let ends = |rest: &str| {
            !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || "_-.".contains(next))
        };
        let has = |value: &Value| value.to_string().split(text).skip(1).any(ends);
        keys.iter().filter_map(|key| self.left.get(*key)).any(has)
    }

    /// What nobody has taken, with the path of each.
    pub(crate) fn rest(self) -> Vec<(String, String, Value)> {
        let at = |key: &String| {
            if self.at.is_empty() {
                key.clone()
            } else {
                format!("{}.{key}", self.at)
            }
        };
        self.left
            .into_iter()
            .map(|(key, value)| (at(&key), key, value))
            .collect()
    }

    /// Reports what nobody has taken, for the reason that the table has for its key.
    pub(crate) fn report_rest(self, whys: &[(&str, &str)], report: &mut Report) {
        for (at, key, value) in self.rest() {
            let why = whys
                .iter()
                .find(|(known, _)| *known == key)
                .map_or(UNKNOWN, |(_, why)| *why);
            if !value.is_null() {
                report.note(at, why);
            }
        }
    }

    fn expect<T>(&self, key: &str, found: Option<T>, why: &str, report: &mut Report) -> Option<T> {
        if found.is_none() {
            report.note(self.at(key), why);
        }
        found
    }
}

const UNKNOWN: &str = "the meaning of this field isn't known here";

/// A text, number or truth value as text.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        Fields::of("top", value, &mut Report::default()).unwrap()
    }

    #[test]
    fn what_nobody_took_is_reported() {
        let mut fields = fields(json!({"a": "1", "b": {}, "c": null, "d": 2}));
        let mut report = Report::default();
        assert_eq!(fields.text("a", &mut report), Some("1".into()));
        fields.report_rest(&[("b", "because")], &mut report);
        let unsaid: Vec<_> = report
            .into_unsaid()
            .into_iter()
            .map(|unsaid| (unsaid.at, unsaid.why))
            .collect();
        assert_eq!(
            unsaid,
            [
                ("top.b".into(), "because".into()),
                ("top.d".into(), UNKNOWN.to_owned())
            ]
        );
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_reported() {
        let mut fields = fields(
            json!({"text": [], "flag": "perhaps", "number": -1, "texts": [[]], "object": "x"}),
        );
        let mut report = Report::default();
        assert_eq!(fields.text("text", &mut report), None);
        assert_eq!(fields.flag("flag", &mut report), None);
        assert_eq!(fields.number("number", &mut report), None);
        assert_eq!(fields.texts("texts", &mut report), None);
        assert!(fields.fields("object", &mut report).rest().is_empty());
        assert_eq!(report.into_unsaid().len(), 5);
    }

    #[test]
    fn texts_of_other_kinds_are_understood() {
        let mut fields =
            fields(json!({"flag": "true", "number": "15", "one": "a", "text": 7, "bool": false}));
        let mut report = Report::default();
        assert_eq!(fields.flag("flag", &mut report), Some(true));
        assert_eq!(fields.number("number", &mut report), Some(15));
        assert_eq!(fields.texts("one", &mut report), Some(vec!["a".into()]));
        assert_eq!(fields.text("text", &mut report), Some("7".into()));
        assert_eq!(fields.text("bool", &mut report), Some("false".into()));
        assert_eq!(report.into_unsaid(), []);
    }
}
