//! Entries that start from another one.

use serde_json::{Map, Value};

/// The entry laid over the one that it names as its alias, and so on.
pub(super) fn resolve(
    name: &str,
    entries: &Map<String, Value>,
) -> Result<Map<String, Value>, String> {
    let mut chain = vec![name];
    let mut merged = own(name, entries)?;
    while let Some(base) = merged.shift_remove("alias").filter(|base| !base.is_null()) {
        let base = base.as_str().ok_or("the name of an entry was expected")?;
        let (base, entry) = entries
            .get_key_value(base)
            .ok_or_else(|| format!("there is no entry {base:?}"))?;
        if chain.contains(&base.as_str()) {
            return Err(format!("{base:?} leads back to itself"));
        }
        chain.push(base);
        merged = over(entry, merged)?;
    }
    Ok(merged)
}

fn own(name: &str, entries: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    entries
        .get(name)
        .and_then(Value::as_object)
        .cloned()
        .ok_or_else(|| "an entry must be a map".to_owned())
}

fn over(base: &Value, own: Map<String, Value>) -> Result<Map<String, Value>, String> {
    let mut merged = base
        .as_object()
        .cloned()
        .ok_or("the entry that it names must be a map")?;
    // The next alias is the base's, as the entry's own has been followed.
    merge(&mut merged, own);
    Ok(merged)
}

fn merge(base: &mut Map<String, Value>, own: Map<String, Value>) {
    for (key, value) in own {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => merge(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_lies_over_its_alias() {
        let entries = json!({
            "base": {"a": 1, "deep": {"x": 1, "y": 1}, "list": [1, 2]},
            "middle": {"alias": "base", "deep": {"y": 2}},
            "top": {"alias": "middle", "list": [3], "b": 2},
        });
        let resolved = resolve("top", entries.as_object().unwrap()).unwrap();
        assert_eq!(
            Value::Object(resolved),
            json!({"a": 1, "deep": {"x": 1, "y": 2}, "list": [3], "b": 2})
        );
    }

    #[test]
    fn an_alias_that_leads_nowhere_is_refused() {
        let entries = json!({
            "circle": {"alias": "round"}, "round": {"alias": "circle"}, "self": {"alias": "self"},
            "nobody": {"alias": "none"}, "number": {"alias": 1}, "text": "x", "onto": {"alias": "text"},
        });
        for name in [
            "circle", "round", "self", "nobody", "number", "text", "onto",
        ] {
            assert!(
                resolve(name, entries.as_object().unwrap()).is_err(),
                "{name}"
            );
        }
    }
}
