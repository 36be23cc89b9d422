//! The authorise request of an entry.

use serde_json::{Value, json};

use super::Draft;
use crate::{fields::Fields, template::wrap};

/// Parameters of the authorise request, and what stands in them.
const AUTHORISE: [(&str, &str); 7] = [
    ("response_type", "code"),
    ("client_id", "{{client.id}}"),
    ("redirect_uri", "{{flow.redirect_uri}}"),
    ("scope", "{{flow.scope}}"),
    ("state", "{{flow.state}}"),
    ("code_challenge", "{{flow.code_challenge}}"),
    ("code_challenge_method", "S256"),
];

impl Draft {
    pub(super) fn authorise(&mut self) {
        self.authorise_url();
        let separator = self
            .entry
            .text("scope_separator", &mut self.report)
            .filter(|separator| separator != " ");
        self.document
            .put_some(&["authorise", "scope_separator"], separator);
        if let Some(scopes) = self
            .entry
            .texts("default_scopes", &mut self.report)
            .filter(|scopes| !scopes.is_empty())
        {
            let scopes: Vec<String> = std::iter::once("{{scope}}".to_owned())
                .chain(self.literals("default_scopes", scopes))
                .collect();
            self.document.put(&["authorise", "scopes"], scopes);
        }
        if self
            .entry
            .flag("disable_pkce", &mut self.report)
            .unwrap_or_default()
        {
            self.document.put(&["authorise", "pkce"], "none");
        }
        let parameters = self.entry.fields("authorization_params", &mut self.report);
        self.parameters(
            parameters,
            &["authorise", "query"],
            ("response_type", "code"),
            false,
        );
        self.replacements();
        if self
            .entry
            .flag("authorization_url_skip_empty", &mut self.report)
            .unwrap_or_default()
        {
            self.document.each_text(
                &["authorise", "query"],
                |value| json!({ "value": value, "omit_if_empty": true }),
            );
            self.document.put(
                &["authorise", "query", "scope"],
                json!({ "value": "{{flow.scope}}", "omit_if_empty": true }),
            );
        }
        let code = self
            .entry
            .text("authorization_code_param_in_callback", &mut self.report);
        self.document
            .put_some(&["callback", "code"], code.filter(|code| code != "code"));
        self.other_authorise();
    }

    fn literals(&mut self, at: &str, texts: Vec<String>) -> Vec<String> {
        texts
            .into_iter()
            .filter_map(|text| self.template(at, &text))
            .collect()
    }

    fn authorise_url(&mut self) {
        let Some(text) = self.entry.text("authorization_url", &mut self.report) else {
            return;
        };
        let mut urls = self.url("authorization_url", &text);
        if let Some(fragment) = self
            .entry
            .text("authorization_url_fragment", &mut self.report)
        {
            for url in &mut urls {
                *url = with_fragment(url, &fragment);
            }
        }
        self.document.put_texts(&["authorise", "url"], urls);
    }

    /// The source writes the finished URL anew: a parameter's name, or a parameter with its value.
    fn replacements(&mut self) {
        for (at, from, to) in self
            .entry
            .fields("authorization_url_replacements", &mut self.report)
            .rest()
        {
            let to = to.as_str().map(|to| to.trim_end_matches('='));
            let built_in = AUTHORISE
                .iter()
                .find(|(name, _)| *name == from.trim_matches(['=', '&', '?']));
            match (built_in, to) {
                (Some((name, _)), Some("")) => self
                    .document
                    .put(&["authorise", "query", name], Value::Null),
                (Some((name, template)), Some(to)) if is_name(to) => {
                    self.document
                        .put(&["authorise", "query", name], Value::Null);
                    self.document.put(&["authorise", "query", to], *template);
                }
                _ => self.report.note(
                    at,
                    "only the name of a parameter of the RFCs can be replaced",
                ),
            }
        }
    }

    /// `auth: {response_type: …}`, an older writing.
    fn other_authorise(&mut self) {
        let mut older = self.entry.fields("auth", &mut self.report);
        if let Some(kind) = older
            .text("response_type", &mut self.report)
            .filter(|kind| kind != "code")
        {
            self.document
                .put(&["authorise", "query", "response_type"], kind);
        }
        older.report_rest(&[], &mut self.report);
    }

    /// Writes parameters; the RFC's own with its usual value is there already.
    pub(super) fn parameters(
        &mut self,
        parameters: Fields,
        path: &[&str],
        usual: (&str, &str),
        json: bool,
    ) {
        for (at, name, value) in parameters.rest() {
            let is_usual = usual.0 == name && value.as_str() == Some(usual.1);
            if is_usual || value.is_null() {
                continue;
            }
            if let Some(value) = self.parameter(&at, &value, json) {
                self.document.put(&[path, &[name.as_str()]].concat(), value);
            }
        }
    }

    /// Values that the source doesn't escape. Here only the scopes can be left as they are.
    pub(super) fn skip_encode(&mut self) {
        for list in ["authorization_url_skip_encode", "token_url_skip_encode"] {
            for name in self.entry.texts(list, &mut self.report).unwrap_or_default() {
                if list.starts_with("authorization") && ["scope", "scopes"].contains(&name.as_str())
                {
                    let raw = json!({ "value": "{{flow.scope}}", "encode": "raw" });
                    self.document.put(&["authorise", "query", "scope"], raw);
                    continue;
                }
                let key = self
                    .variables
                    .by_name(&name)
                    .map(|variable| wrap(&variable.key));
                if !key.is_some_and(|key| self.urls.iter().any(|url| url.starts_with(&key))) {
                    self.report.note(
                        list,
                        format!("the value of {name:?} is escaped here where it stands"),
                    );
                }
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    text.chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "_-.[]".contains(letter))
}

/// A route of the provider's page, which the parameters follow.
fn with_fragment(url: &str, fragment: &str) -> String {
    let path = url.split_once("://").map_or(url, |(_, rest)| rest);
    let slash = if path.contains('/') { "" } else { "/" };
    format!("{url}{slash}#{}", fragment.trim_start_matches('#'))
}
