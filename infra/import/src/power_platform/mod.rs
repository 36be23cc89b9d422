//! The `apiProperties.json` of a Power Platform connector.

mod connection;
mod requests;
mod settings;
mod template;

use serde_json::{Map, Value};

use crate::{
    ImportError, Imported,
    document::{skipped, skipped_after},
    fields::{Fields, Report},
};

const SETTING: &str = "oauthsetting";

pub(crate) fn looks_like(document: &Value) -> bool {
    let properties = document.get("properties").unwrap_or(document);
    ["connectionParameters", "connectionParameterSets"]
        .iter()
        .any(|key| properties.get(key).is_some_and(Value::is_object))
}

/// Reads the OAuth settings of a connector: one entry for each.
pub(crate) fn import(text: &str) -> Result<Vec<Imported>, ImportError> {
    let document: Value = serde_json::from_str(text)?;
    let (at, properties) = match document.get("properties") {
        Some(properties) => ("properties", properties),
        None => ("", &document),
    };
    let properties = properties
        .as_object()
        .ok_or_else(|| ImportError::shape("properties", "an object was expected"))?;
    let sets = sets(at, properties)?;
    Ok(sets
        .into_iter()
        .flat_map(|set| entries(&set, at, properties))
        .collect())
}

/// What a person is asked for, all at once.
struct Set {
    at: String,
    /// Its name, where there is a choice of sets.
    name: Option<String>,
    parameters: Map<String, Value>,
}

fn sets(at: &str, properties: &Map<String, Value>) -> Result<Vec<Set>, ImportError> {
    let top = Fields::new(at, Map::new());
    let mut found = Vec::new();
    if let Some(parameters) = properties
        .get("connectionParameters")
        .filter(|parameters| !parameters.is_null())
    {
        found.push(set(top.at("connectionParameters"), None, Some(parameters))?);
    }
    let choices = properties
        .get("connectionParameterSets")
        .and_then(|sets| sets.get("values"));
    for (index, choice) in choices
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
    {
        let at = top.at(&format!(
            "connectionParameterSets.values.{index}.parameters"
        ));
        let name = choice
            .get("name")
            .and_then(Value::as_str)
            .map(str::to_owned);
        found.push(set(at, name, choice.get("parameters"))?);
    }
    if found.is_empty() {
        return Err(ImportError::shape(
            top.at("connectionParameters"),
            "there are none",
        ));
    }
    Ok(found)
}

fn set(at: String, name: Option<String>, parameters: Option<&Value>) -> Result<Set, ImportError> {
    match parameters.and_then(Value::as_object) {
        Some(parameters) => Ok(Set {
            at,
            name,
            parameters: parameters.clone(),
        }),
        None => Err(ImportError::shape(at, "an object was expected")),
    }
}

fn entries(set: &Set, at: &str, properties: &Map<String, Value>) -> Vec<Imported> {
    let keys: Vec<&String> = set
        .parameters
        .iter()
        .filter(|(_, value)| is_setting(value))
        .map(|(key, _)| key)
        .collect();
    if keys.is_empty() {
        let name = set
            .name
            .as_deref()
            .or_else(|| display_name(properties))
            .unwrap_or("connection");
        return vec![skipped(
            name,
            &set.at,
            "there is no parameter of type oauthSetting",
        )];
    }
    keys.into_iter()
        .map(|key| entry(set, key, at, properties))
        .collect()
}

fn entry(set: &Set, key: &str, at: &str, properties: &Map<String, Value>) -> Imported {
    let mut report = Report::default();
    let mut others = Fields::new(at, properties.clone());
    for taken in [
        "connectionParameters",
        "connectionParameterSets",
        "displayName",
    ] {
        others.take(taken);
    }
    let mut settings = settings::Draft::new(set, key, display_name(properties), &mut report);
    let skipped_why = settings.read(&mut report);
    if let Some((at, why)) = skipped_why {
        return skipped_after(&settings.file_name(), at, why, report);
    }
    others.report_rest(UNSAYABLE, &mut report);
    settings.finish(report)
}

fn is_setting(parameter: &Value) -> bool {
    let kind = parameter
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    kind.eq_ignore_ascii_case(SETTING) || parameter.get("oAuthSettings").is_some()
}

fn display_name(properties: &Map<String, Value>) -> Option<&str> {
    properties
        .get("displayName")
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty())
}

const UNSAYABLE: &[(&str, &str)] = &[
    ("iconBrandColor", "how a connector looks"),
    ("iconUri", "how a connector looks"),
    ("description", "a definition has no description"),
    ("capabilities", "what a connector can do"),
    ("publisher", "who made the connector"),
    ("stackOwner", "who made the connector"),
    ("tier", "how a connector is sold"),
    (
        "policyTemplateInstances",
        "what the platform does to requests that it passes on",
    ),
    (
        "scriptOperations",
        "code that the platform runs on requests",
    ),
    ("apiDefinitions", "what the API can do"),
    ("backendService", "what the API can do"),
];
