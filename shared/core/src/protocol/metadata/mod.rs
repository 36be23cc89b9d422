//! The metadata of an authorisation server (RFC 8414 §2, `OpenID` Connect Discovery 1.0 §3), and what a definition says
//! of it.

mod fill;
mod issuer;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};
use url::Url;

pub use fill::fill;

/// Ways to authenticate a client, the ones that need least first.
const METHODS: [(&str, &str); 5] = [
    ("client_secret_basic", "basic"),
    ("client_secret_post", "body"),
    ("private_key_jwt", "private_key_jwt"),
    ("client_secret_jwt", "client_secret_jwt"),
    ("none", "none"),
];

/// The endpoints that a definition has a place for, and the place.
const ENDPOINTS: [(&str, &str); 4] = [
    ("authorization_endpoint", "/authorise/url"),
    ("token_endpoint", "/token/url"),
    ("revocation_endpoint", "/revoke/url"),
    ("introspection_endpoint", "/introspect/url"),
];

/// The metadata of an authorisation server. Nothing of it is believed but what [`Self::check`] lets pass.
#[derive(Debug, Clone, Default)]
pub struct Metadata(Map<String, Value>);

/// Why metadata can't be used; names the member, and never quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The URL that it is read from has no well-known part.
    #[error("the URL of metadata has '/.well-known/' and a name in its path (RFC 8414 §3.1)")]
    NotWellKnown,
    /// It is the metadata of somebody else.
    #[error("its issuer is not the one that the URL belongs to (RFC 8414 §3.3)")]
    Issuer,
    /// An endpoint is no URL that a request may go to.
    #[error("its {0} is no https URL, or carries what it must not")]
    Endpoint(&'static str),
}

impl Metadata {
    /// The metadata with these members.
    #[must_use]
    pub fn new(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// Checks that it is what `url` promises: of its issuer, with endpoints that are no less safe than itself.
    ///
    /// # Errors
    /// [`Unusable`] says what is wrong.
    pub fn check(&self, url: &Url) -> Result<(), Unusable> {
        let named = self.text("issuer").unwrap_or_default();
        let issuer = issuer::of(url).ok_or(Unusable::NotWellKnown)?;
        if !issuer::is_same(named, &issuer) {
            return Err(Unusable::Issuer);
        }
        for (name, _) in ENDPOINTS {
            let scheme =
                |endpoint: Url| endpoint.scheme() == "https" || endpoint.scheme() == url.scheme();
            let wrong = self.0.get(name).is_some_and(|value| {
                let parsed = value.as_str().and_then(endpoint);
                !value.is_null() && !parsed.is_some_and(scheme)
            });
            if wrong {
                return Err(Unusable::Endpoint(name));
            }
        }
        Ok(())
    }

    /// What a definition says of it: JSON Pointers into the definition, and what stands there.
    #[must_use]
    pub fn members(&self) -> Vec<(&'static str, Value)> {
        let mut members = Vec::new();
        let mut say = |pointer, value: Option<Value>| {
            members.extend(value.map(|value| (pointer, value)));
        };
        let link = self.text("service_documentation");
        say(
            "/documentation_url",
            link.filter(|text| is_endpoint(text)).map(Into::into),
        );
        for (name, pointer) in ENDPOINTS {
            let url = self.text(name).filter(|text| is_endpoint(text));
            say(pointer, url.map(Into::into));
        }
        say("/client/authentication", self.client().map(Into::into));
        say("/client/assertion", self.assertion());
        say("/authorise/pkce", self.pkce().map(Into::into));
        say(
            "/authorise/query/response_mode",
            self.response_mode().map(Into::into),
        );
        say("/authorise/issuer", self.issuer().map(Into::into));
        say(
            "/revoke/authentication",
            self.apart("revocation_endpoint").map(Into::into),
        );
        say(
            "/introspect/authentication",
            self.apart("introspection_endpoint").map(Into::into),
        );
        members
    }

    /// The variable that the members name, where they name one that a definition hasn't by itself.
    #[must_use]
    pub fn variable(&self) -> Option<Value> {
        let named = self.client() == Some("private_key_jwt");
        named.then(|| json!({ "key": "private_key", "label": "Private key", "type": "pem" }))
    }

    /// How the client shows who it is at the token endpoint; Basic if nothing is said (RFC 8414 §2).
    fn client(&self) -> Option<&'static str> {
        match self.texts("token_endpoint_auth_methods_supported") {
            None => Some("basic"),
            Some(offered) => chosen(&offered),
        }
    }

    /// How it does so at another endpoint, where that is another way.
    fn apart(&self, endpoint: &str) -> Option<&'static str> {
        self.text(endpoint)?;
        let offered = self.texts(&format!("{endpoint}_auth_methods_supported"))?;
        // An assertion is the client's, not a request's.
        chosen(&offered).filter(|own| Some(*own) != self.client() && !own.ends_with("_jwt"))
    }

    fn assertion(&self) -> Option<Value> {
        let offered = self.texts("token_endpoint_auth_signing_alg_values_supported");
        let offered = offered.unwrap_or_default();
        let known = ["RS256", "ES256", "PS256"];
        let algorithm = known.into_iter().find(|own| offered.contains(own));
        match self.client()? {
            "private_key_jwt" => Some(json!({
                "algorithm": algorithm.unwrap_or("RS256"),
                "key": "{{private_key}}",
            })),
            "client_secret_jwt" => Some(json!({ "algorithm": "HS256" })),
            _ => None,
        }
    }

    fn pkce(&self) -> Option<&'static str> {
        let offered = self.texts("code_challenge_methods_supported")?;
        ["S256", "plain"]
            .into_iter()
            .find(|own| offered.contains(own))
    }

    /// A form, where the query isn't among the ways to answer.
    fn response_mode(&self) -> Option<&'static str> {
        let offered = self.texts("response_modes_supported")?;
        let form = !offered.contains(&"query") && offered.contains(&"form_post");
        form.then_some("form_post")
    }

    /// The issuer, where answers name it (RFC 9207 §3).
    fn issuer(&self) -> Option<&str> {
        let named = self.0.get("authorization_response_iss_parameter_supported");
        let issuer = self.text("issuer").filter(|text| is_endpoint(text));
        issuer.filter(|_| named.and_then(Value::as_bool) == Some(true))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    fn texts(&self, name: &str) -> Option<Vec<&str>> {
        let items = self.0.get(name)?.as_array()?;
        Some(items.iter().filter_map(Value::as_str).collect())
    }
}

/// The first way to authenticate that both sides know.
fn chosen(offered: &[&str]) -> Option<&'static str> {
    let known = METHODS.iter().find(|(theirs, _)| offered.contains(theirs));
    known.map(|(_, ours)| *ours)
}

/// Whether a text is a URL that can stand in a definition as it is: with a host, and nothing that is a template there.
#[must_use]
pub fn is_endpoint(text: &str) -> bool {
    endpoint(text).is_some()
}

fn endpoint(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = !text.contains(['{', '}', ' ', '\\']) && url.fragment().is_none();
    let named = url.username().is_empty() && url.password().is_none() && url.has_host();
    (plain && named && matches!(url.scheme(), "https" | "http")).then_some(url)
}
