//! The other connection parameters: what people are asked for.

use serde_json::{Map, Value, json};

use super::template::Names;
use crate::{
    fields::{Fields, Report, text_of},
    variables::Giver,
};

/// Declares the parameters beside the OAuth setting as variables.
pub(super) fn declare(
    names: &mut Names,
    at: &str,
    setting: &str,
    parameters: &Map<String, Value>,
    report: &mut Report,
) {
    for (key, value) in parameters
        .iter()
        .filter(|(key, value)| *key != setting && !super::is_setting(value))
    {
        let name = key.strip_prefix(&format!("{setting}:")).unwrap_or(key);
        let at = format!("{at}.{key}");
        if ["clientid", "clientsecret"].contains(&name.to_ascii_lowercase().as_str()) {
            report.note(at, "the client is asked for anyway");
        } else if let Some(fields) = Fields::of(at, value.clone(), report) {
            declare_one(names, name, fields, report);
        }
    }
}

fn declare_one(names: &mut Names, name: &str, mut fields: Fields, report: &mut Report) {
    let kind = fields.text("type", report).unwrap_or_default();
    let mut shown = fields.fields("uiDefinition", report);
    let mut limits = shown.fields("constraints", report);
    let kind = match kind.to_ascii_lowercase().as_str() {
        "" | "string" => None,
        "securestring" => Some("secret"),
        "int" | "integer" | "number" => Some("number"),
        "bool" | "boolean" => Some("boolean"),
        _ => {
            return report.note(
                fields.at("type"),
                format!("a parameter of type {kind:?} can't be said"),
            );
        }
    };
    let choices = choices(&mut fields, &mut limits);
    let variable = names.variables.declare(name, Giver::User);
    let small = name.to_ascii_lowercase();
    let required = limits.flag("required", report);
    variable.optional = required == Some(false);
    let label = shown
        .text("displayName", report)
        .or_else(|| Some(name.to_owned()));
    let help = shown.text("description", report);
    let tooltip = shown.text("tooltip", report);
    if help.is_some()
        && tooltip
            .as_ref()
            .is_some_and(|tooltip| Some(tooltip) != help.as_ref())
    {
        report.note(shown.at("tooltip"), "a variable has one help text");
    }
    let default = fields
        .text("defaultValue", report)
        .or_else(|| limits.text("default", report));
    let hidden = limits.flag("hidden", report).filter(|hidden| *hidden);
    let kind = if choices.is_some() {
        Some("choice")
    } else {
        kind
    };
    for (field, value) in [
        ("label", label.map(Value::from)),
        ("help", help.or(tooltip).map(Value::from)),
        ("type", kind.map(Value::from)),
        (
            "default",
            default
                .filter(|default| !default.contains("{{"))
                .map(Value::from),
        ),
        ("choices", choices),
        ("advanced", hidden.map(Value::from)),
    ] {
        if let Some(value) = value {
            variable.set(field, value);
        }
    }
    names.variables.rename(name, &small);
    for fields in [fields, shown, limits] {
        fields.report_rest(UNSAYABLE, report);
    }
}

/// `allowedValues`, as texts or with what people read.
fn choices(fields: &mut Fields, limits: &mut Fields) -> Option<Value> {
    let values = fields
        .take("allowedValues")
        .or_else(|| limits.take("allowedValues"))?;
    let choice = |item: &Value| match item
        .get("value")
        .and_then(text_of)
        .or_else(|| text_of(item))
    {
        Some(value) => match item
            .get("text")
            .or_else(|| item.get("displayName"))
            .and_then(Value::as_str)
        {
            Some(label) => Some(json!({ "value": value, "label": label })),
            None => Some(Value::from(value)),
        },
        None => None,
    };
    let choices: Vec<Value> = values
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(choice)
        .collect();
    (!choices.is_empty()).then(|| choices.into())
}

const UNSAYABLE: &[(&str, &str)] = &[
    ("tabIndex", "variables come in the order of the document"),
    ("clearText", "how a field looks follows from its type"),
    ("schema", "it says again what the field's type says"),
    ("location", "where the platform shows the field"),
    ("capability", "it belongs to the platform"),
];
