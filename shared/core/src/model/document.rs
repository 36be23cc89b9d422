//! Walks over a definition as JSON.

use serde_json::Value;

use super::fault::pointer_segment;

/// Visits a value and all within it, each with its JSON Pointer (RFC 6901).
pub(crate) fn walk(pointer: &str, value: &Value, visit: &mut impl FnMut(&str, &Value)) {
    visit(pointer, value);
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(&format!("{pointer}/{index}"), item, visit);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let pointer = format!("{pointer}/{}", pointer_segment(name));
                walk(&pointer, member, visit);
            }
        }
    }
}
