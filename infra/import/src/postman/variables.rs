//! `{{name}}` in a collection, as variables of whoever makes the connector.

use serde_json::Value;

use crate::{
    fields::{Report, text_of},
    template::{parts, render, wrap},
    variables::{Giver, Variables},
};

/// The collection's variables, of which those become ours that a template names.
pub(super) struct Names<'c> {
    collection: &'c Value,
    pub(super) variables: Variables,
}

impl<'c> Names<'c> {
    pub(super) fn new(collection: &'c Value) -> Self {
        Self {
            collection,
            variables: Variables::default(),
        }
    }

    pub(super) fn template(&mut self, text: &str, at: &str, report: &mut Report) -> Option<String> {
        let parts = parts(text, "{{", "}}")
            .map_err(|why| report.note(at, why))
            .ok()?;
        let rendered = render(&parts, |name| self.name(name, report));
        rendered.map_err(|why| report.note(at, why)).ok()
    }

    fn name(&mut self, name: &str, report: &mut Report) -> Result<String, String> {
        if name.starts_with('$') {
            let generated = GENERATED.iter().find(|(known, _)| *known == name);
            return generated
                .map(|(_, source)| wrap(source))
                .ok_or_else(|| format!("{{{{{name}}}}} has no counterpart here"));
        }
        if name.is_empty() {
            return Err("a variable in it has no name".to_owned());
        }
        if self.variables.by_name(name).is_none() {
            self.declare(name, report);
        }
        self.variables
            .refer(name, true)
            .map(|key| wrap(&key))
            .ok_or_else(|| name.to_owned())
    }

    fn declare(&mut self, name: &str, report: &mut Report) {
        let variable = self.variables.declare(name, Giver::Builder);
        variable.set("label", name);
        let named = |item: &&Value| {
            item.get("key")
                .or_else(|| item.get("id"))
                .and_then(Value::as_str)
                == Some(name)
        };
        let items = self.collection.get("variable").and_then(Value::as_array);
        let item = items.into_iter().flatten().find(named);
        let is_off = item
            .and_then(|item| item.get("disabled"))
            .and_then(Value::as_bool)
            == Some(true);
        let value = item
            .filter(|_| !is_off)
            .and_then(|item| item.get("value"))
            .and_then(text_of)
            .filter(|value| !value.is_empty());
        let at = format!("variable.{name}");
        if is_secret(name)
            || item
                .and_then(|item| item.get("type"))
                .and_then(Value::as_str)
                == Some("secret")
        {
            variable.set("type", "secret");
            if value.is_some() {
                report.note(at, "a secret is never imported; its value was left out");
            }
        } else if let Some(value) = value {
            if value.contains("{{") {
                report.note(at, "its value is a template itself, and was left out");
            } else {
                variable.set("default", value);
            }
        }
    }
}

/// Whether a name sounds like that of a secret.
fn is_secret(name: &str) -> bool {
    let small = name.to_ascii_lowercase();
    [
        "secret", "password", "passwd", "token", "apikey", "api_key", "api-key", "private",
    ]
    .iter()
    .any(|word| small.contains(word) && !small.contains("url") && !small.contains("host"))
}

const GENERATED: &[(&str, &str)] = &[
    ("$guid", "uuid()"),
    ("$randomUUID", "uuid()"),
    ("$timestamp", "now('unix')"),
    ("$isoTimestamp", "now('iso8601')"),
    ("$randomAlphaNumeric", "random(1)"),
];
