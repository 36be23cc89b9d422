//! A definition as the rules see it: as written, as parsed, and every template in it with its place.

use serde_json::Value;

use super::{Finding, codes};
use crate::model::{
    definition::{
        Definition, ExpiryKind, RefreshMode, RequestParts, StepDefinition, VariableDefinition,
    },
    document::walk,
    method::{AuthMethod, Request},
    template::{Namespace, Reference, Template},
};

/// What is looked at, and what was found.
pub(super) struct Subject<'a> {
    pub(super) written: &'a Definition,
    pub(super) method: &'a AuthMethod,
    pub(super) findings: Vec<Finding>,
    /// The definition as JSON, for what a pointer leads to.
    pub(super) document: Value,
    /// Every text with holes, with its pointer.
    templates: Vec<(String, Template)>,
    /// The variables that conditions ask about.
    conditions: Vec<String>,
}

/// A request with standard parameters, as written and as parsed.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) pointer: &'static str,
    pub(super) written: RequestParts<'a>,
    pub(super) parsed: &'a Request,
}

impl<'a> Subject<'a> {
    pub(super) fn new(
        written: &'a Definition,
        inherited: &[VariableDefinition],
        method: &'a AuthMethod,
    ) -> Self {
        let mut subject = Self {
            written,
            method,
            findings: Vec::new(),
            document: serde_json::to_value(written).unwrap_or_default(),
            templates: Vec::new(),
            conditions: Vec::new(),
        };
        let inherited = serde_json::to_value(inherited).unwrap_or_default();
        let (templates, conditions) = (&mut subject.templates, &mut subject.conditions);
        let mut visit = |pointer: &str, value: &Value| match value {
            // A URL is a template too, as far as what it names goes.
            Value::String(text) if text.contains("{{") => {
                let template = Template::parse(text).ok();
                templates.extend(template.map(|template| (pointer.to_owned(), template)));
            }
            Value::Object(members)
                if pointer.ends_with("/when") || pointer.ends_with("/visible_when") =>
            {
                let variable = members.get("variable").and_then(Value::as_str);
                conditions.extend(variable.map(str::to_owned));
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => {}
        };
        walk("", &subject.document, &mut visit);
        walk("/connector_variables", &inherited, &mut visit);
        subject
    }

    /// Says something of the place `pointer`; the table of codes knows how much it matters.
    pub(super) fn say(
        &mut self,
        code: &'static str,
        pointer: impl Into<String>,
        detail: impl Into<String>,
    ) {
        let Some(known) = codes::code(code) else {
            return;
        };
        let finding = Finding {
            severity: known.severity,
            code,
            pointer: pointer.into(),
            detail: detail.into(),
            help: known.help,
        };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Every text with holes, with its pointer.
    pub(super) fn templates(&self) -> impl Iterator<Item = (&str, &Template)> {
        let templates = self.templates.iter();
        templates.map(|(pointer, template)| (pointer.as_str(), template))
    }

    /// Everything that templates name, with the pointer of each.
    pub(super) fn references(&self) -> impl Iterator<Item = (&str, &Reference)> {
        self.templates.iter().flat_map(|(pointer, template)| {
            template
                .references()
                .map(move |reference| (pointer.as_str(), reference))
        })
    }

    /// Whether any template names a key of a namespace.
    pub(super) fn names(&self, namespace: Namespace, key: &str) -> bool {
        self.names_below("", namespace, key)
    }

    /// Whether a template below `pointer` names a key of a namespace.
    pub(super) fn names_below(&self, pointer: &str, namespace: Namespace, key: &str) -> bool {
        self.references().any(|(at, reference)| {
            is_below(at, pointer) && reference.namespace == namespace && &*reference.key == key
        })
    }

    /// Whether a condition asks about a variable.
    pub(super) fn is_asked_about(&self, key: &str) -> bool {
        self.conditions.iter().any(|asked| asked == key)
    }

    /// The requests with standard parameters that can be made.
    pub(super) fn requests(&self) -> Vec<Asked<'a>> {
        let (written, method) = (self.written, self.method);
        let mut requests = vec![Asked {
            pointer: "/token",
            written: written.token.parts(),
            parsed: &method.token,
        }];
        let refreshes = method.refresh.mode != RefreshMode::None;
        requests.extend(refreshes.then(|| Asked {
            pointer: "/refresh",
            written: written.refresh.parts(),
            parsed: &method.refresh.request,
        }));
        let asked = |pointer, (written, parsed)| Asked {
            pointer,
            written,
            parsed,
        };
        let revoke = written.revoke.as_ref().map(|revoke| revoke.parts());
        let introspect = written.introspect.as_ref().map(|asked| asked.parts());
        requests.extend(
            revoke
                .zip(method.revoke.as_ref())
                .map(|both| asked("/revoke", both)),
        );
        requests.extend(
            introspect
                .zip(method.introspect.as_ref())
                .map(|both| asked("/introspect", both)),
        );
        requests
    }

    /// How the answer to the token request says when the access token ends, where it does so in a way of its own.
    pub(super) fn expiry(&self) -> Option<ExpiryKind> {
        let response = self.written.token.response.as_ref()?;
        Some(response.expiry.as_ref()?.kind)
    }

    /// All steps, with the pointer of each.
    pub(super) fn steps(&self) -> Vec<(String, &'a StepDefinition)> {
        let requests = self.requests();
        let parts = requests.iter().flat_map(|asked| {
            let (pointer, written) = (asked.pointer, asked.written);
            [
                (format!("{pointer}/before"), written.before),
                (format!("{pointer}/after"), written.after),
            ]
        });
        parts
            .chain([("/lookup".to_owned(), self.written.lookup.as_slice())])
            .flat_map(|(pointer, steps)| {
                steps
                    .iter()
                    .enumerate()
                    .map(move |(index, step)| (format!("{pointer}/{index}"), step))
            })
            .collect()
    }
}

/// Whether a pointer is another or within it.
fn is_below(pointer: &str, outer: &str) -> bool {
    pointer
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
