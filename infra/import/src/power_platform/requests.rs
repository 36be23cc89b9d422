//! The templates of URLs, query strings and bodies as requests.

use serde_json::Value;

use super::{settings::Draft, template::VERIFIER};
use crate::{
    fields::Report,
    parameters::{self, Parameter},
};

const AUTHORISE: [(&str, &str); 5] = [
    ("response_type", "code"),
    ("client_id", "{{client.id}}"),
    ("redirect_uri", "{{flow.redirect_uri}}"),
    ("scope", "{{flow.scope}}"),
    ("state", "{{flow.state}}"),
];
const TOKEN: [(&str, &str); 3] = [
    ("grant_type", "authorization_code"),
    ("code", "{{callback.code}}"),
    ("redirect_uri", "{{flow.redirect_uri}}"),
];
const REFRESH: [(&str, &str); 2] = [
    ("grant_type", "refresh_token"),
    ("refresh_token", "{{token.refresh_token}}"),
];
const CHALLENGE: [(&str, &str); 2] = [
    ("code_challenge", "{{flow.code_challenge}}"),
    ("code_challenge_method", "S256"),
];

impl Draft {
    /// The templates say all that is sent; what they don't name isn't.
    pub(super) fn generic(&mut self, report: &mut Report) -> Result<(), String> {
        self.authorise(report)?;
        let client = self.request("token", &TOKEN, report)?;
        self.document
            .put(&["client", "authentication"], client.unwrap_or("body"));
        let renewing = self.request("refresh", &REFRESH, report)?;
        if renewing.is_some_and(|own| own != client.unwrap_or("body")) {
            self.document
                .put_some(&["refresh", "authentication"], renewing);
        }
        self.scopes(report);
        Ok(())
    }

    fn authorise(&mut self, report: &mut Report) -> Result<(), String> {
        let query = self
            .custom
            .text("authorizationurlquerystringtemplate", report);
        // What stands before the question mark belongs to the path.
        let (path, query) = match query.as_deref().and_then(|query| query.split_once('?')) {
            Some((path, rest)) => (path.to_owned(), Some(rest.to_owned())),
            None => (String::new(), query),
        };
        let url = self
            .url("authorization", &path, report)
            .ok_or("there is no authorise URL that can be said")?;
        self.document.put(&["authorise", "url"], url);
        let found = query
            .map(|query| self.parameters("authorizationurlquerystringtemplate", &query, report));
        let challenged = found
            .iter()
            .flatten()
            .any(|(_, value)| value == CHALLENGE[0].1);
        if !challenged {
            self.document.put(&["authorise", "pkce"], "none");
        }
        let Some(found) = found.filter(|found| !found.is_empty()) else {
            return Ok(());
        };
        let built_in: Vec<_> = AUTHORISE
            .into_iter()
            .chain(CHALLENGE.into_iter().filter(|_| challenged))
            .collect();
        let stateless = !found.iter().any(|(_, value)| value == "{{flow.state}}");
        if stateless {
            report.note(
                self.custom.at("authorizationUrlQueryStringTemplate"),
                "it sends no {State}; it is sent all the same",
            );
        }
        let built_in: Vec<_> = built_in
            .into_iter()
            .filter(|(name, _)| !(stateless && *name == "state"))
            .collect();
        parameters::write(
            &mut self.document,
            &["authorise", "query"],
            &found,
            &built_in,
        );
        Ok(())
    }

    fn url(&mut self, request: &str, path: &str, report: &mut Report) -> Option<String> {
        let template = self.custom.text(&format!("{request}urltemplate"), report);
        let plain = self.custom.text(&format!("{request}url"), report);
        let url = self.names.template(&(template.or(plain)? + path));
        let url = url
            .map_err(|why| report.note(self.custom.at(&format!("{request}UrlTemplate")), why))
            .ok()?;
        self.urls.push(url.clone());
        Some(url)
    }

    /// Writes a request, and says how the client is authenticated by what its templates name.
    fn request(
        &mut self,
        name: &str,
        built_in: &[(&str, &str)],
        report: &mut Report,
    ) -> Result<Option<&'static str>, String> {
        match self.url(name, "", report) {
            // The authorise URL comes first, the token URL second.
            Some(url) if name == "token" || self.urls.get(1) != Some(&url) => {
                self.document.put(&[name, "url"], url);
            }
            None if name == "token" => {
                return Err("there is no token URL that can be said".to_owned());
            }
            _ => {}
        }
        let mut read = |key: String| {
            let text = self.custom.text(&key, report).unwrap_or_default();
            self.parameters(&key, &text, report)
        };
        let (mut query, mut body) = (
            read(format!("{name}urlquerystringtemplate")),
            read(format!("{name}bodytemplate")),
        );
        if body.is_empty() && query.is_empty() {
            return Ok(None);
        }
        let place = if body.is_empty() {
            &mut query
        } else {
            &mut body
        };
        let client = take_client(place);
        place.retain(|(_, value)| value != VERIFIER);
        let (built_in, part) = (
            built_in.to_vec(),
            if body.is_empty() { "query" } else { "body" },
        );
        if body.is_empty() {
            self.document.put(&[name, "parameters_in"], "query");
            parameters::write(&mut self.document, &[name, part], &query, &built_in);
        } else {
            parameters::write(&mut self.document, &[name, part], &body, &built_in);
            parameters::write(&mut self.document, &[name, "query"], &query, &[]);
        }
        Ok(Some(client))
    }

    fn parameters(&mut self, key: &str, text: &str, report: &mut Report) -> Vec<Parameter> {
        let at = self.custom.at(key);
        if serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object()) {
            report.note(at, "a body in JSON can't be taken apart");
            return vec![];
        }
        let mut found = Vec::new();
        for (name, value) in parameters::split(text) {
            match self.names.template(&value) {
                Ok(value) if value == VERIFIER && name != "code_verifier" => {
                    report.note(&at, "the verifier can be sent as code_verifier only");
                }
                Ok(value) => found.push((name, value)),
                Err(why) => report.note(&at, format!("{name}: {why}")),
            }
        }
        found
    }
}

/// Takes the client's usual parameters out, and names the way of authentication that sends them.
fn take_client(found: &mut Vec<Parameter>) -> &'static str {
    let has = |name: &str, value: &str| {
        found
            .iter()
            .any(|(own, template)| own == name && template == value)
    };
    let authentication = match (
        has("client_id", "{{client.id}}"),
        has("client_secret", "{{client.secret}}"),
    ) {
        (true, true) => "body",
        (true, false)
            if !found
                .iter()
                .any(|(_, value)| value.contains("client.secret")) =>
        {
            "none"
        }
        _ => "custom",
    };
    if authentication != "custom" {
        found.retain(|(name, _)| name != "client_id" && name != "client_secret");
    }
    authentication
}
