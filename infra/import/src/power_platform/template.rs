//! `{Name}` in the templates of the platform; capitals don't count.

use indexmap::IndexMap;

use crate::{
    template::{parts, render, wrap},
    variables::Variables,
};

/// The verifier is no source of templates: only the parameter that is there already holds it.
pub(super) const VERIFIER: &str = "{{flow.code_verifier}}";

const SOURCES: &[(&str, &str)] = &[
    ("clientid", "client.id"),
    ("clientsecret", "client.secret"),
    ("redirecturl", "flow.redirect_uri"),
    ("redirecturi", "flow.redirect_uri"),
    ("scopes", "flow.scope"),
    ("scope", "flow.scope"),
    ("state", "flow.state"),
    ("code", "callback.code"),
    ("codechallenge", "flow.code_challenge"),
    ("codeverifier", "flow.code_verifier"),
    ("refreshtoken", "token.refresh_token"),
    ("accesstoken", "token.access_token"),
];

/// What the names in templates stand for.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Constants of the connector, by their name in small letters.
    pub(super) constants: IndexMap<String, String>,
    /// Names in small letters whose value depends on another parameter, or is a secret.
    pub(super) refused: IndexMap<String, &'static str>,
    /// Those that a template has named.
    pub(super) used: Vec<String>,
    pub(super) variables: Variables,
}

impl Names {
    pub(super) fn template(&mut self, text: &str) -> Result<String, String> {
        let parts = parts(text, "{", "}")?;
        render(&parts, |name| self.name(name))
    }

    fn name(&mut self, name: &str) -> Result<String, String> {
        let small = name.to_ascii_lowercase();
        if let Some(why) = self.refused.get(&small) {
            return Err(format!("{{{name}}}: {why}"));
        }
        if let Some(value) = self.constants.get(&small) {
            self.used.push(small);
            return if value.contains(['{', '}']) {
                Err(format!("{{{name}}} is a template itself"))
            } else {
                Ok(value.clone())
            };
        }
        if let Some((_, source)) = SOURCES.iter().find(|(known, _)| *known == small) {
            return Ok(wrap(source));
        }
        let key = self
            .variables
            .refer(&small, true)
            .ok_or_else(|| format!("{{{name}}} is declared nowhere"))?;
        Ok(wrap(&key))
    }
}
