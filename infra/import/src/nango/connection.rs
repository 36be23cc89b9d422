//! `connection_config` and the values that are captured on the way, as variables.

use serde_json::Value;

use super::Draft;
use crate::{
    fields::{Fields, Report},
    pattern,
    variables::Giver,
};

impl Draft {
    pub(super) fn connection_variables(&mut self) {
        let mut captured = Vec::new();
        for (list, giver) in [
            ("redirect_uri_metadata", Giver::Callback),
            ("token_response_metadata", Giver::Token),
            ("refresh_token_response_metadata", Giver::Token),
        ] {
            let names = self.entry.texts(list, &mut self.report).unwrap_or_default();
            captured.extend(
                names
                    .into_iter()
                    .filter(|name| self.comes_in_time(list, name))
                    .map(|name| (name, giver)),
            );
        }
        for (list, giver) in [
            ("integration_config", Giver::Builder),
            ("connection_config", Giver::User),
        ] {
            for (name, fields) in self.in_order(list) {
                let captor = captured.iter().find(|(captured, _)| *captured == name);
                self.declare(&name, fields, giver, captor.map(|(_, captor)| *captor));
            }
        }
        for (name, giver) in captured {
            if self.variables.by_name(&name).is_none() {
                self.declare(&name, Fields::default(), giver, Some(giver));
            }
        }
    }

    /// What the authorise request needs can't be captured after it.
    fn comes_in_time(&mut self, list: &str, name: &str) -> bool {
        let needed = self.entry.mentions(
            &["authorization_url", "authorization_params"],
            &format!("onfig.{name}"),
        );
        if needed {
            let why =
                format!("{name:?} is needed before it can be captured; people are asked for it");
            self.report.note(list, why);
        }
        !needed
    }

    fn in_order(&mut self, list: &str) -> Vec<(String, Fields)> {
        let config = self.entry.fields(list, &mut self.report);
        let mut ordered: Vec<(u64, String, Fields)> = Vec::new();
        for (at, name, value) in config.rest() {
            if let Some(mut fields) = Fields::of(at, value, &mut self.report) {
                let place = fields.number("order", &mut self.report).unwrap_or(u64::MAX);
                ordered.push((place, name, fields));
            }
        }
        ordered.sort_by_key(|(place, ..)| *place);
        ordered
            .into_iter()
            .map(|(_, name, fields)| (name, fields))
            .collect()
    }

    fn declare(&mut self, name: &str, mut fields: Fields, asked: Giver, captor: Option<Giver>) {
        let giver = captor.unwrap_or_else(|| self.giver(&mut fields, asked));
        fields.take("automated");
        let default = self.default(&mut fields);
        let has_default = default.is_some();
        let kind = self.kind(&mut fields);
        let patterns = self.patterns(&mut fields);
        let shown = self.visible_when(&mut fields);
        let report = &mut self.report;
        let optional = fields.flag("optional", report).unwrap_or_default();
        let hidden = fields.flag("hidden", report).unwrap_or_default();
        // What is hidden and has a value is a constant of the provider.
        let giver = if hidden && has_default && giver == Giver::User {
            Giver::Builder
        } else {
            giver
        };
        let variable = self.variables.declare(name, giver);
        let is_elsewhere = giver.captures() && variable.key != name;
        variable.optional = optional || default.as_deref() == Some("");
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        let mut set = |field: &str, value: Option<Value>| {
            if let Some(value) = value {
                variable.set(field, value);
            }
        };
        set("label", said(fields.text("title", report)).map(Value::from));
        set("help", help(&mut fields, report).map(Value::from));
        set("path", is_elsewhere.then(|| name.into()));
        set("default", said(default).map(Value::from));
        for (field, value) in kind.into_iter().chain(patterns).chain(shown) {
            set(field, Some(value));
        }
        set(
            "prefix",
            said(fields.text("prefix", report)).map(Value::from),
        );
        set(
            "suffix",
            said(fields.text("suffix", report)).map(Value::from),
        );
        set(
            "advanced",
            (hidden && giver == Giver::User).then(|| true.into()),
        );
        fields.report_rest(UNSAYABLE, report);
    }

    /// What the source's own code finds out can only be asked for.
    fn giver(&mut self, fields: &mut Fields, asked: Giver) -> Giver {
        if fields
            .flag("automated", &mut self.report)
            .unwrap_or_default()
        {
            let why = "the source's own code finds it out; people are asked for it here, unless a lookup is written";
            self.report.note(fields.at("automated"), why);
        }
        asked
    }

    fn default(&mut self, fields: &mut Fields) -> Option<String> {
        let named = ["default_value", "default"].into_iter();
        let (key, text) = named
            .filter_map(|key| Some((key, fields.text(key, &mut self.report)?)))
            .next()?;
        if text.is_empty() {
            Some(text)
        } else {
            self.template(&fields.at(key), &text)
        }
    }

    /// The type, and what the format says beside it.
    fn kind(&mut self, fields: &mut Fields) -> Vec<(&'static str, Value)> {
        let report = &mut self.report;
        if let Some(kind) = fields.text("type", report).filter(|kind| kind != "string") {
            report.note(fields.at("type"), format!("{kind:?} is read as a text"));
        }
        let choices = fields.texts("enum", report);
        let format = fields.text("format", report);
        if fields.flag("secret", report).unwrap_or_default() {
            return vec![("type", "secret".into())];
        }
        if let Some(choices) = choices {
            return vec![("type", "choice".into()), ("choices", choices.into())];
        }
        match format.as_deref() {
            None => vec![],
            Some("hostname") => vec![("type", "hostname".into())],
            Some("uri" | "url") => vec![("type", "url".into())],
            Some("uuid") => vec![(
                "pattern",
                "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}".into(),
            )],
            Some("email") => vec![("pattern", "[^@ ]+@[^@ ]+".into())],
            Some(format) => {
                report.note(
                    fields.at("format"),
                    format!("the format {format:?} isn't known here"),
                );
                vec![]
            }
        }
    }

    fn patterns(&mut self, fields: &mut Fields) -> Vec<(&'static str, Value)> {
        let Some(source) = fields.text("pattern", &mut self.report) else {
            return vec![];
        };
        let patterns = pattern::convert(&source).unwrap_or_else(|why| {
            self.report
                .note(fields.at("pattern"), format!("{source}: {why}"));
            pattern::Patterns::default()
        });
        let named = [
            ("pattern", patterns.pattern),
            ("not_pattern", patterns.not_pattern),
        ];
        named
            .into_iter()
            .filter_map(|(field, pattern)| Some((field, pattern?.into())))
            .collect()
    }

    fn visible_when(&mut self, fields: &mut Fields) -> Option<(&'static str, Value)> {
        let mut condition = fields.fields("visible_when", &mut self.report);
        let names = ["field", "key", "name", "variable", "property"];
        let name = names
            .iter()
            .find_map(|name| condition.text(name, &mut self.report));
        let values = ["equals", "is", "value"]
            .iter()
            .find_map(|field| condition.texts(field, &mut self.report));
        condition.report_rest(&[], &mut self.report);
        let (name, values) = name.zip(values)?;
        let Some(key) = self
            .variables
            .by_name(&name)
            .map(|variable| variable.key.clone())
        else {
            self.report.note(
                fields.at("visible_when"),
                format!("{name:?} doesn't come earlier"),
            );
            return None;
        };
        Some((
            "visible_when",
            serde_json::json!({ "variable": key, "is": values }),
        ))
    }
}

/// The description, and an example if there is one.
fn help(fields: &mut Fields, report: &mut Report) -> Option<String> {
    let description = fields
        .text("description", report)
        .filter(|text| !text.is_empty());
    let example = fields
        .text("example", report)
        .filter(|text| !text.is_empty());
    match (description, example) {
        (Some(description), Some(example)) => Some(format!(
            "{}. For example {example}",
            description.trim_end_matches('.')
        )),
        (None, Some(example)) => Some(format!("For example {example}")),
        (description, None) => description,
    }
}

const UNSAYABLE: &[(&str, &str)] = &[
    ("doc_section", "a variable has no link of its own"),
    ("warnings", "a variable has no warnings"),
];
