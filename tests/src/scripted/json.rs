//! Dotted paths in JSON, and scalars as texts.

use serde_json::{Map, Value};

/// What is at a path; nothing and `null` are the same.
pub(super) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let mut here = value;
    for part in path.split('.') {
        here = match here.as_array() {
            Some(list) => list.get(part.parse::<usize>().ok()?)?,
            None => here.get(part)?,
        };
    }
    (!here.is_null()).then_some(here)
}

/// Puts a value at a path, unless something is there already.
pub(super) fn put(value: &mut Value, path: &str, new: Value) {
    let mut here = value;
    for part in path.split('.') {
        match part.parse::<usize>() {
            Ok(index) if here.is_array() || here.is_null() => {
                if here.is_null() {
                    *here = Value::Array(Vec::new());
                }
                let list = here.as_array_mut().expect("a list");
                while list.len() <= index {
                    list.push(Value::Null);
                }
                here = &mut list[index];
            }
            Ok(_) | Err(_) => {
                if !here.is_object() {
                    *here = Value::Object(Map::new());
                }
                let members = here.as_object_mut().expect("an object");
                here = members.entry(part.to_owned()).or_insert(Value::Null);
            }
        }
    }
    if here.is_null() {
        *here = new;
    }
}

/// A scalar as text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value.as_str() {
        Some(text) => Some(text.to_owned()),
        None if value.is_number() || value.is_boolean() => Some(value.to_string()),
        None => None,
    }
}

/// A member of an object as text.
pub(super) fn member(value: &Value, key: &str) -> Option<String> {
    text(value.get(key)?)
}

/// A member that is a text or a list of texts, as a list.
pub(super) fn texts(value: &Value, key: &str) -> Vec<String> {
    let found = value.get(key).unwrap_or(&Value::Null);
    match found.as_array() {
        Some(list) => list.iter().filter_map(text).collect(),
        None => text(found).into_iter().collect(),
    }
}

/// A member that is a list.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    let list = value.get(key).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

/// The members of an object within an object, in order.
pub(super) fn members<'a>(
    value: &'a Value,
    key: &str,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let members = value.get(key).and_then(Value::as_object);
    members.into_iter().flatten()
}

/// The first of several values that is given.
pub(super) fn given<'a>(values: impl IntoIterator<Item = Option<&'a Value>>) -> Option<&'a Value> {
    let mut values = values.into_iter().flatten();
    values.find(|value| !value.is_null())
}

/// Every text in a value, with those in the values below it.
pub(super) fn every_text(value: &Value, found: &mut Vec<String>) {
    if let Some(text) = value.as_str() {
        found.push(text.to_owned());
    }
    for below in value.as_array().into_iter().flatten() {
        every_text(below, found);
    }
    for (_, below) in value.as_object().into_iter().flatten() {
        every_text(below, found);
    }
}
