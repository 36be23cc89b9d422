//! Filling the blanks of a definition.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Metadata;

/// Fills what a definition leaves blank, and gives what it has filled in, by JSON Pointer.
///
/// What the definition says itself stays. `before` is what an earlier filling has put in: where that still stands as it
/// was, nobody has said it, so it is blank again and follows the metadata.
pub fn fill(
    definition: &mut Value,
    metadata: &Metadata,
    before: &BTreeMap<String, Value>,
) -> BTreeMap<String, Value> {
    for (pointer, value) in before {
        if definition.pointer(pointer) == Some(value) {
            clear(definition, pointer);
        }
    }
    let mut filled = BTreeMap::new();
    for (pointer, value) in metadata.members() {
        // An assertion belongs to the way to authenticate that it was found with.
        let depends =
            pointer == "/client/assertion" && !filled.contains_key("/client/authentication");
        if !depends && is_blank(definition.pointer(pointer)) && put(definition, pointer, &value) {
            filled.insert(pointer.to_owned(), value);
        }
    }
    if filled.contains_key("/client/assertion")
        && let Some(variable) = metadata.variable()
    {
        declare(definition, variable);
    }
    filled
}

fn is_blank(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Bool(_) | Value::Number(_) | Value::Object(_)) => false,
    }
}

/// Sets a member, and makes the objects on the way; `false` if something else is in the way.
fn put(definition: &mut Value, pointer: &str, value: &Value) -> bool {
    let mut place = definition;
    for segment in pointer.split('/').skip(1) {
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        let Value::Object(members) = place else {
            return false;
        };
        place = members.entry(segment).or_insert(Value::Null);
    }
    *place = value.clone();
    true
}

/// Takes a member out, and the objects that it leaves empty.
fn clear(definition: &mut Value, pointer: &str) {
    let mut pointer = pointer;
    while let Some((parent, name)) = pointer.rsplit_once('/') {
        let Some(Value::Object(members)) = definition.pointer_mut(parent) else {
            return;
        };
        members.shift_remove(name);
        if !members.is_empty() {
            return;
        }
        pointer = parent;
    }
}

fn declare(definition: &mut Value, variable: Value) {
    let Value::Object(members) = definition else {
        return;
    };
    let declared = members.entry("variables").or_insert(Value::Null);
    if declared.is_null() {
        *declared = Value::Array(Vec::new());
    }
    let Value::Array(declared) = declared else {
        return;
    };
    let same = |present: &Value| present.get("key") == variable.get("key");
    if !declared.iter().any(same) {
        declared.push(variable);
    }
}
