//! The JSON Schema of a definition, for editors.

use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

use super::Definition;

const REFERENCE: &str = "#/components/schemas/";

/// The JSON Schema (2020-12) of a definition, made from the types themselves.
///
/// OpenAPI 3.1 describes types in that very dialect; only the places that references name differ.
#[must_use]
pub fn json_schema() -> Value {
    let mut parts = Vec::new();
    Definition::schemas(&mut parts);
    let mut defs: Map<String, Value> = parts
        .into_iter()
        .map(|(name, schema)| (name, placed(json!(schema))))
        .collect();
    defs.sort_keys();
    let mut schema = placed(json!(Definition::schema()));
    if let Some(members) = schema.as_object_mut() {
        let dialect = "https://json-schema.org/draft/2020-12/schema";
        members.insert("$schema".to_owned(), json!(dialect));
        members.insert("title".to_owned(), json!("An OAuth 2 provider, as data"));
        members.insert("$defs".to_owned(), Value::Object(defs));
        members.sort_keys();
    }
    schema
}

/// The same schema with its references where a schema alone has them.
fn placed(schema: Value) -> Value {
    match schema {
        Value::String(text) => match text.strip_prefix(REFERENCE) {
            Some(name) => Value::String(format!("#/$defs/{name}")),
            None => Value::String(text),
        },
        Value::Array(items) => items.into_iter().map(placed).collect(),
        Value::Object(members) => {
            let members = members.into_iter();
            Value::Object(members.map(|(name, value)| (name, placed(value))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => schema,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references(schema: &Value, found: &mut Vec<String>) {
        match schema {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    found.push(reference.clone());
                }
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn everything_that_the_schema_refers_to_is_in_it() {
        let schema = json_schema();
        let mut found = Vec::new();
        references(&schema, &mut found);
        assert!(found.len() > 20, "{found:?}");
        for reference in found {
            let name = reference.strip_prefix("#/$defs/").unwrap();
            assert!(schema["$defs"].get(name).is_some(), "{reference}");
        }
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["required"], json!(["name"]));
    }
}
