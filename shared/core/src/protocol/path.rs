//! Finding a value in an answer: `access_token`, `data.access_token`, `tokens.0.value`.

use serde_json::Value;

/// The value at a dotted path. A key that holds dots itself is found by its whole name first.
#[must_use]
pub fn find<'a>(answer: &'a Value, path: &str) -> Option<&'a Value> {
    if let Some(value) = answer.get(path) {
        return Some(value);
    }
    path.split('.').try_fold(answer, |value, name| match value {
        Value::Object(members) => members.get(name),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    })
}

/// The text at a path; numbers count as text.
#[must_use]
pub fn text(answer: &Value, path: &str) -> Option<String> {
    match find(answer, path)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dotted_paths_lead_into_objects_and_lists() {
        let answer =
            json!({"a": "1", "data": {"token": "2", "list": [{"t": 3}]}, "x.y": "4", "n": null});
        for (path, found) in [
            ("a", Some("1")),
            ("data.token", Some("2")),
            ("data.list.0.t", Some("3")),
            ("x.y", Some("4")),
            ("data", None),
            ("data.none", None),
            ("n", None),
            ("", None),
        ] {
            assert_eq!(text(&answer, path).as_deref(), found, "{path}");
        }
    }
}
