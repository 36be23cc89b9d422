//! Maps of provider templates, as in Nango's `providers.yaml`.

mod alias;
mod authorise;
mod client;
mod connection;
mod expression;
mod proxy;
mod token;
mod values;

use serde_json::{Map, Value};

use crate::{
    ImportError, Imported,
    document::{Document, skipped},
    fields::{Fields, Report, text_of},
    guard,
    variables::Variables,
    yaml,
};

const GRANTS: [&str; 1] = ["OAUTH2"];

/// Reads a map of templates.
pub(crate) fn import(text: &str) -> Result<Vec<Imported>, ImportError> {
    let Value::Object(entries) = yaml::parse(text)? else {
        return Err(ImportError::shape(
            "the document",
            "a map of providers was expected",
        ));
    };
    Ok(entries
        .keys()
        .map(|name| provider(name, &entries))
        .collect())
}

pub(crate) fn looks_like(document: &Value) -> bool {
    let is_template = |entry: &Value| {
        entry
            .get("auth_mode")
            .or_else(|| entry.get("alias"))
            .is_some_and(Value::is_string)
    };
    document
        .as_object()
        .is_some_and(|entries| entries.values().any(is_template))
}

fn provider(name: &str, entries: &Map<String, Value>) -> Imported {
    let mut entry = match alias::resolve(name, entries) {
        Ok(entry) => entry,
        Err(why) => return skipped(name, "alias", why),
    };
    let mode = entry
        .shift_remove("auth_mode")
        .as_ref()
        .and_then(text_of)
        .unwrap_or_default();
    if !GRANTS.contains(&mode.as_str()) {
        return skipped(
            name,
            "auth_mode",
            format!("{mode:?} is no authorisation-code flow"),
        );
    }
    if !entry.contains_key("authorization_url") || !entry.contains_key("token_url") {
        return skipped(name, "authorization_url, token_url", "a flow needs both");
    }
    Draft::new(entry).finish(name)
}

/// A definition while it is put together out of an entry.
struct Draft {
    entry: Fields,
    variables: Variables,
    /// Every URL that is called, to see which variables reach a host.
    urls: Vec<String>,
    document: Document,
    report: Report,
}

impl Draft {
    fn new(entry: Map<String, Value>) -> Self {
        Self {
            entry: Fields::new("", entry),
            variables: Variables::default(),
            urls: Vec::new(),
            document: Document::default(),
            report: Report::default(),
        }
    }

    fn finish(mut self, name: &str) -> Imported {
        self.head(name);
        self.connection_variables();
        self.client();
        self.authorise();
        self.token();
        self.refresh();
        self.proxy();
        self.skip_encode();
        guard::hosts(&mut self.variables, &self.urls, &mut self.report);
        guard::secrets(&mut self.document, &self.variables, &mut self.report);
        self.variables.write(&mut self.document);
        self.entry.report_rest(UNSAYABLE, &mut self.report);
        self.document.finish(name, self.report)
    }

    fn head(&mut self, name: &str) {
        let label = self.entry.text("display_name", &mut self.report);
        self.document
            .put(&["name"], label.unwrap_or_else(|| name.to_owned()));
        if let Some(docs) = self.entry.text("docs", &mut self.report) {
            if docs.starts_with("https://") || docs.starts_with("http://") {
                self.document.put(&["documentation_url"], docs);
            } else {
                self.report.note("docs", "it is no URL");
            }
        }
    }
}

/// Fields that a definition has no place for.
const UNSAYABLE: &[(&str, &str)] = &[
    ("categories", "a definition belongs to no category"),
    ("docs_connect", "a definition has one link to documentation"),
    (
        "setup_guide_url",
        "a definition has one link to documentation",
    ),
    (
        "installation",
        "a flow that starts at the provider can't be said",
    ),
    (
        "post_connection_script",
        "code of the source, run after connecting; say what it finds out as a lookup",
    ),
    (
        "pre_connection_deletion_script",
        "code of the source, run before a connection is deleted; a revoke request may do instead",
    ),
    (
        "credentials_verification_script",
        "code of the source that tries the credentials",
    ),
    ("webhook_routing_script", "webhooks are no part of a flow"),
    (
        "webhook_user_defined_secret",
        "webhooks are no part of a flow",
    ),
    (
        "webhook_response_metadata",
        "webhooks are no part of a flow",
    ),
    (
        "webhook_signature_enforced",
        "webhooks are no part of a flow",
    ),
    (
        "webhook_allowed_query_params",
        "webhooks are no part of a flow",
    ),
    (
        "authorization_code_param_in_webhook",
        "a code that comes by webhook can't be received",
    ),
    (
        "require_client_certificate",
        "TLS with a client certificate can't be said",
    ),
    (
        "credentials",
        "what people type in place of a flow; a flow has no use for it",
    ),
    (
        "connection_configuration",
        "it names values that the source keeps, and not where they come from",
    ),
    (
        "authorization_url_encode",
        "how the source escapes URLs; here escaping follows from where a value stands",
    ),
    (
        "token_url_encode",
        "how the source escapes URLs; here escaping follows from where a value stands",
    ),
    (
        "decode_url",
        "how the source escapes URLs; here escaping follows from where a value stands",
    ),
    ("request_url", "it belongs to OAuth 1"),
    ("request_params", "it belongs to OAuth 1"),
    ("request_http_method", "it belongs to OAuth 1"),
    ("signature_method", "it belongs to OAuth 1"),
    ("access_token_url", "it belongs to OAuth 1"),
    ("token_http_method", "it belongs to OAuth 1"),
    ("signature", "it belongs to another kind of credentials"),
    ("token", "it belongs to another kind of credentials"),
    ("token_headers", "it belongs to another kind of credentials"),
    (
        "token_response",
        "it belongs to another kind of credentials",
    ),
    (
        "additional_steps",
        "it belongs to another kind of credentials",
    ),
    (
        "proxy_header_authorization",
        "it belongs to another kind of credentials",
    ),
    ("registration_url", "clients aren't registered by a flow"),
    ("registration_params", "clients aren't registered by a flow"),
    ("client_registration", "clients aren't registered by a flow"),
];
