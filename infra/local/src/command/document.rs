//! A document that describes an auth method: as it is saved, as the API answers it, or a definition alone.

use latchkey_auth_methods::{Draft, PreviewBody};
use latchkey_core::model::definition::VariableDefinition;
use latchkey_import::from_yaml;
use latchkey_web::Problem;
use serde_json::{Map, Value, json};

/// What a file has.
#[derive(Debug)]
pub(super) struct Document {
    /// What the API would be sent.
    body: Value,
    /// What the file has before the pointers of `body`.
    pub(super) prefix: &'static str,
    /// The connector's variables, where the file has them.
    pub(super) connector: Vec<VariableDefinition>,
}

impl Document {
    /// Reads YAML or JSON.
    ///
    /// # Errors
    /// Why it is neither.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let document = from_yaml(text).map_err(|error| error.to_string())?;
        let Value::Object(mut members) = document else {
            return Err("there is no definition in it, nor is it one".to_owned());
        };
        if !members.contains_key("definition") {
            return Ok(Self {
                body: json!({ "definition": members }),
                prefix: "/definition",
                connector: Vec::new(),
            });
        }
        let connector = members.remove("connector_variables").unwrap_or_default();
        Ok(Self {
            connector: serde_json::from_value(connector).unwrap_or_default(),
            body: Value::Object(saved(members)),
            prefix: "",
        })
    }

    /// The draft that it is.
    ///
    /// # Errors
    /// The problem that the API would answer with.
    pub(super) fn draft(&self) -> Result<Draft, Problem> {
        Draft::read(self.body.clone())
    }

    /// The definition, with what a preview needs beside it.
    ///
    /// # Errors
    /// The problem that the API would answer with.
    pub(super) fn preview(
        &self,
        values: &Map<String, Value>,
        callback: &Map<String, Value>,
        response: Option<&str>,
    ) -> Result<PreviewBody, Problem> {
        PreviewBody::read(json!({
            "definition": self.body.get("definition"),
            "values": values,
            "callback": callback,
            "response": response,
        }))
    }

    /// The values that stand beside the definition.
    pub(super) fn values(&self) -> Map<String, Value> {
        let values = self.body.get("values").and_then(Value::as_object);
        values.cloned().unwrap_or_default()
    }

    /// A pointer of the API's as one into the file.
    pub(super) fn pointer<'a>(&self, pointer: &'a str) -> &'a str {
        pointer.strip_prefix(self.prefix).unwrap_or(pointer)
    }
}

/// An auth method that the API has answered, as it was sent: what only the service knows is left out.
fn saved(mut members: Map<String, Value>) -> Map<String, Value> {
    if members.contains_key("id") && members.contains_key("version") {
        members.retain(|name, _| name == "definition");
    }
    members
}
