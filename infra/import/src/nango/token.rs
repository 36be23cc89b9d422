//! The token request of an entry, and how its tokens are renewed.

use serde_json::{Map, Value, json};

use super::Draft;
use crate::fields::Fields;

/// The source renews a token a quarter of an hour early; less means that the provider refuses earlier ones.
const USUAL_BUFFER_SECONDS: u64 = 900;

impl Draft {
    pub(super) fn token(&mut self) {
        let urls = match self.entry.take("token_url") {
            Some(Value::Object(by_mode)) => self.token_url_by_mode(by_mode),
            Some(url) => url.as_str().map(|url| self.url("token_url", url)),
            None => None,
        };
        if urls.is_none() {
            self.report
                .note("token_url", "no URL for this kind of flow");
        }
        self.document
            .put_texts(&["token", "url"], urls.unwrap_or_default());
        let format = self.entry.text("body_format", &mut self.report);
        self.body_format(format.as_deref());
        let json = format.as_deref() == Some("json");
        let parameters = self.entry.take("token_params").unwrap_or_default();
        let renewing = self.entry.take("refresh_params");
        // Without parameters of its own, a refresh gets those of the token request; never its grant.
        let inherited = renewing.unwrap_or_else(|| without_grant(&parameters));
        for (request, at, parameters, grant) in [
            ("token", "token_params", parameters, "authorization_code"),
            ("refresh", "refresh_params", inherited, "refresh_token"),
        ] {
            if parameters.is_null() {
                continue;
            }
            if let Some(fields) = Fields::of(at, parameters, &mut self.report) {
                self.parameters(fields, &[request, "body"], ("grant_type", grant), json);
            }
        }
        self.response();
    }

    fn token_url_by_mode(&mut self, by_mode: Map<String, Value>) -> Option<Vec<String>> {
        let mut fields = Fields::new("token_url", by_mode);
        let text = fields.text("OAUTH2", &mut self.report);
        for (at, _, _) in fields.rest() {
            self.report
                .note(at, "it belongs to another kind of credentials");
        }
        Some(self.url("token_url.OAUTH2", &text?))
    }

    fn body_format(&mut self, format: Option<&str>) {
        match format {
            None | Some("form") => {}
            Some("json") => {
                self.document.put(&["token", "body_format"], "json");
                self.document.put(&["refresh", "body_format"], "json");
            }
            Some("query") => {
                self.document.put(&["token", "parameters_in"], "query");
                self.document.put(&["refresh", "parameters_in"], "query");
            }
            Some(other) => self.report.note(
                "body_format",
                format!("{other:?} can't be said; a form is sent"),
            ),
        }
    }

    fn response(&mut self) {
        if let Some(path) = self
            .entry
            .text("alternate_access_token_response_path", &mut self.report)
        {
            self.document.put(
                &["token", "response", "access_token"],
                json!(["access_token", path]),
            );
        }
        match self
            .entry
            .text("expires_in_unit", &mut self.report)
            .as_deref()
        {
            None | Some("seconds") => {}
            Some(unit @ ("milliseconds" | "minutes")) => {
                self.document.put(
                    &["token", "response", "expiry"],
                    json!({ "kind": unit, "path": "expires_in" }),
                );
            }
            Some(unit) => self
                .report
                .note("expires_in_unit", format!("{unit:?} isn't known here")),
        }
        let milliseconds = self
            .entry
            .number("token_expires_in_ms", &mut self.report)
            .map(|life| life / 1000);
        let seconds = self.entry.number("expires_in", &mut self.report);
        self.document
            .put_some(&["token", "lifetime_seconds"], milliseconds.or(seconds));
    }

    pub(super) fn refresh(&mut self) {
        if let Some(text) = self.entry.text("refresh_url", &mut self.report) {
            let urls = self.url("refresh_url", &text);
            self.document.put_texts(&["refresh", "url"], urls);
        }
        for margin in ["token_expiration_buffer", "refresh_margin"] {
            match self.entry.number(margin, &mut self.report) {
                None => {}
                Some(seconds @ 1..USUAL_BUFFER_SECONDS) => {
                    self.document.put(&["refresh", "last_seconds"], seconds)
                }
                Some(_) => self.report.note(
                    margin,
                    "how early the source renews; when to renew isn't a definition's to say",
                ),
            }
        }
    }
}

fn without_grant(parameters: &Value) -> Value {
    let mut parameters = parameters.clone();
    if let Value::Object(members) = &mut parameters {
        members.shift_remove("grant_type");
    }
    parameters
}
