//! The metadata that the provider publishes about itself (RFC 8414), where a definition only says where it is.

use serde_json::{Value, json};

use super::{json, received::Received};

/// Where metadata is, and what it is.
#[derive(Debug, Clone)]
pub(super) struct Published {
    origin: String,
    path: String,
    pub(super) document: String,
}

impl Published {
    /// Whether a request asks for it, as RFC 8414 §3.1 has it.
    pub(super) fn is_asked_for(&self, received: &Received) -> bool {
        received.method == "get"
            && received.origin == self.origin
            && received.path == self.path
            && received.query.is_empty()
            && received.body.is_empty()
    }
}

/// The definition with what the provider has decided where it is blank, and what it publishes of that.
///
/// It wants the client's credentials in the body, names its issuer in its answers, and can revoke.
pub(super) fn published(mut definition: Value) -> (Value, Option<Published>) {
    let Some(url) = json::member(&definition, "discovery_url") else {
        return (definition, None);
    };
    let (issuer, _) = url.split_once("/.well-known/").expect("a well-known URL");
    let mut decide = |part: &str, name: &str, value: String| {
        if definition[part][name].is_null() {
            definition[part][name] = json!(value);
        }
        definition[part][name].clone()
    };
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": decide("authorise", "url", format!("{issuer}/begin")),
        "token_endpoint": decide("token", "url", format!("{issuer}/exchange")),
        "revocation_endpoint": decide("revoke", "url", format!("{issuer}/end")),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_post"],
        "authorization_response_iss_parameter_supported": true,
    });
    decide("client", "authentication", "body".to_owned());
    decide("authorise", "issuer", issuer.to_owned());
    let (origin, path) = super::received::origin_and_path(&url);
    let document = document.to_string();
    let published = Published {
        origin,
        path,
        document,
    };
    (definition, Some(published))
}
