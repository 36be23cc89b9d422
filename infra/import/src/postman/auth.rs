//! One set of OAuth 2 settings as a definition.

use serde_json::{Value, json};

use super::variables::Names;
use crate::{
    Imported,
    document::{Document, skipped, skipped_after},
    fields::{Fields, Report},
    guard,
};

pub(super) struct Draft<'c> {
    pub(super) settings: Fields,
    pub(super) names: Names<'c>,
    pub(super) urls: Vec<String>,
    pub(super) document: Document,
    pub(super) report: Report,
}

pub(super) fn read(mut settings: Fields, title: &str, collection: &Value) -> Imported {
    let mut report = Report::default();
    let grant = settings
        .text("grant_type", &mut report)
        .unwrap_or_else(|| "authorization_code".to_owned());
    let at = settings.at("grant_type");
    let with_pkce = match grant.as_str() {
        "authorization_code" => false,
        "authorization_code_with_pkce" => true,
        _ => {
            return skipped(
                title,
                at,
                format!("{grant:?} is no authorisation-code flow"),
            );
        }
    };
    let draft = Draft {
        settings,
        names: Names::new(collection),
        urls: Vec::new(),
        document: Document::default(),
        report,
    };
    draft.finish(title, with_pkce)
}

impl Draft<'_> {
    fn finish(mut self, title: &str, with_pkce: bool) -> Imported {
        self.document.put(&["name"], title);
        for (key, request) in URLS {
            let url = self.template(key);
            self.urls.extend(url.clone());
            self.document.put_some(&[request, "url"], url);
        }
        if self.urls.len() < 2
            || !self.document.has(&["authorise", "url"])
            || !self.document.has(&["token", "url"])
        {
            let at = self.settings.at("authUrl, accessTokenUrl");
            return skipped_after(title, at, "a flow needs both", self.report);
        }
        self.check_urls();
        self.pkce(with_pkce);
        self.client();
        self.scopes();
        self.extra_parameters();
        self.usage();
        guard::hosts(&mut self.names.variables, &self.urls, &mut self.report);
        guard::secrets(&mut self.document, &self.names.variables, &mut self.report);
        self.names.variables.write(&mut self.document);
        self.settings.report_rest(UNSAYABLE, &mut self.report);
        self.document.finish(title, self.report)
    }

    fn text(&mut self, key: &str) -> Option<String> {
        self.settings
            .text(key, &mut self.report)
            .filter(|text| !text.is_empty())
    }

    pub(super) fn template(&mut self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        self.names
            .template(&text, &self.settings.at(key), &mut self.report)
    }

    fn check_urls(&mut self) {
        for url in &self.urls {
            if url.contains("://") || url.starts_with("{{") {
                continue;
            }
            self.report.note(
                self.settings.at("authUrl, accessTokenUrl"),
                format!("{url:?} has no scheme"),
            );
        }
    }

    fn pkce(&mut self, with_pkce: bool) {
        let algorithm = self.text("challengeAlgorithm");
        match (with_pkce, algorithm.as_deref()) {
            (false, _) => self.document.put(&["authorise", "pkce"], "none"),
            (true, None | Some("S256")) => {}
            (true, Some("plain")) => self.document.put(&["authorise", "pkce"], "plain"),
            (true, Some(other)) => {
                self.report.note(
                    self.settings.at("challengeAlgorithm"),
                    format!("{other:?} isn't known here; S256 is used"),
                );
            }
        }
    }

    fn client(&mut self) {
        match self.text("client_authentication").as_deref() {
            None | Some("header") => {}
            Some("body") => self.document.put(&["client", "authentication"], "body"),
            Some(other) => {
                self.report.note(
                    self.settings.at("client_authentication"),
                    format!("{other:?} isn't known here; taken as header"),
                );
            }
        }
        for (key, why) in [
            (
                "clientId",
                "a client belongs to whoever registered it; it was left out",
            ),
            (
                "clientSecret",
                "a secret is never imported; it was left out",
            ),
        ] {
            if self.text(key).is_some() {
                self.report.note(self.settings.at(key), why);
            }
        }
    }

    fn scopes(&mut self) {
        let Some(text) = self.template("scope") else {
            return;
        };
        let separator = if text.contains(' ') || !text.contains(',') {
            ' '
        } else {
            ','
        };
        let scopes = split_scopes(&text, separator);
        self.document.put(
            &["authorise", "scopes"],
            [vec!["{{scope}}".to_owned()], scopes].concat(),
        );
        if separator == ',' {
            self.document.put(&["authorise", "scope_separator"], ",");
        }
    }

    /// Where the token goes, and what stands before it.
    fn usage(&mut self) {
        let prefix = self.settings.text("headerPrefix", &mut self.report);
        match self.text("addTokenTo").as_deref() {
            Some("queryParams") => self.document.put(
                &["use", "query"],
                json!({ "access_token": "{{token.access_token}}" }),
            ),
            None | Some("header") => {
                let Some(prefix) = prefix.filter(|prefix| prefix.trim() != "Bearer") else {
                    return;
                };
                let prefix = prefix.trim();
                let space = if prefix.is_empty() { "" } else { " " };
                if prefix.contains("{{") {
                    self.report.note(
                        self.settings.at("headerPrefix"),
                        "a prefix with a variable in it can't be said",
                    );
                    return;
                }
                let header = format!("{prefix}{space}{{{{token.access_token}}}}");
                self.document
                    .put(&["use", "headers", "Authorization"], header);
            }
            Some(other) => self.report.note(
                self.settings.at("addTokenTo"),
                format!("{other:?} isn't known here; taken as header"),
            ),
        }
    }
}

const URLS: [(&str, &str); 3] = [
    ("authUrl", "authorise"),
    ("accessTokenUrl", "token"),
    ("refreshTokenUrl", "refresh"),
];

/// Cuts at the separator, except within a template.
fn split_scopes(text: &str, separator: char) -> Vec<String> {
    let mut depth = 0_usize;
    let mut parts = vec![String::new()];
    for letter in text.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if letter == separator && depth == 0 {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(letter);
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
        .into_iter()
        .map(|part| part.trim().to_owned())
        .collect()
}

const UNSAYABLE: &[(&str, &str)] = &[
    ("tokenName", "tokens have no names"),
    ("tokenType", "it follows from the answer"),
    ("accessToken", "a secret is never imported; it was left out"),
    (
        "refreshToken",
        "a secret is never imported; it was left out",
    ),
    ("idToken", "a secret is never imported; it was left out"),
    ("password", "a secret is never imported; it was left out"),
    ("username", "it belongs to another grant"),
    ("redirect_uri", "the callback URL is this service's own"),
    ("redirectUri", "the callback URL is this service's own"),
    ("callbackUrl", "the callback URL is this service's own"),
    ("state", "the state is made anew for each authorisation"),
    (
        "code_verifier",
        "the verifier is made anew for each authorisation",
    ),
    ("useBrowser", "people authorise in a browser anyway"),
    (
        "authorize_using_browser",
        "people authorise in a browser anyway",
    ),
    ("autoRefreshToken", "tokens are renewed anyway"),
    ("tokenUrl", "which URL it is isn't known here"),
    ("expires_in", "it belongs to a token, not to a flow"),
    ("timestamp", "it belongs to a token, not to a flow"),
    (
        "customParams",
        "parameters of an older kind, whose request isn't said",
    ),
];
