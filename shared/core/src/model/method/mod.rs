//! Auth methods: as kept, and as parsed.

mod parse;
mod place;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use http::HeaderName;
use jiff::Timestamp;

use super::{
    definition::{BodyFormat, ClientAuthentication, Definition, Origin, Pkce, VariableDefinition},
    fault::Faults,
    id::MethodKey,
    rotation::Rotation,
    sealed::{Place, PlaceKind, Sealed},
    template::Template,
    url_template::UrlTemplate,
    variable::Variable,
};

/// An auth method as it is kept.
#[derive(Debug, Clone)]
pub struct StoredMethod {
    /// What names it.
    pub key: MethodKey,
    /// Counts its changes, from 1.
    pub version: u64,
    /// What the builder wrote.
    pub definition: Definition,
    /// The connector's variables that it uses, copied when it was saved.
    pub inherited: Vec<VariableDefinition>,
    /// The builder's own values of its variables.
    pub values: MethodValues,
    /// How many instances use it.
    pub instances: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The builder's own values of an auth method's variables.
#[derive(Debug, Clone, Default)]
pub struct MethodValues {
    /// Those that may be read back.
    pub plain: BTreeMap<String, String>,
    /// Secrets, each sealed.
    pub sealed: BTreeMap<String, Sealed>,
}

impl MethodValues {
    /// Whether `key` has a value.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.plain.contains_key(key) || self.sealed.contains_key(key)
    }
}

impl StoredMethod {
    /// Where the sealed value of the variable `variable` belongs.
    #[must_use]
    pub fn value_place(key: &MethodKey, variable: &str) -> Place {
        let id = format!("{}/{variable}", key.id);
        Place {
            tenant: key.tenant.clone(),
            kind: PlaceKind::Method,
            id,
            version: 0,
        }
    }

    /// What the method means.
    ///
    /// # Errors
    /// The faults of the definition; there are none in one that was saved by this version.
    pub fn parse(&self) -> Result<AuthMethod, Faults> {
        AuthMethod::parse(&self.definition, &self.inherited)
    }
}

/// An auth method as parsed: every template is one, every name exists.
#[derive(Debug, Clone)]
pub struct AuthMethod {
    /// The name that people see.
    pub name: Box<str>,
    /// The limit of an authentication request.
    pub timeout: Duration,
    /// All variables: the connector's first, then its own in order.
    pub variables: Vec<Variable>,
    /// The client.
    pub client: Client,
    /// The callback URL.
    pub redirect_uri: Template,
    /// The authorise request.
    pub authorise: Authorise,
    /// The token request.
    pub token: TokenRequest,
    /// The re-authenticate request; its URL is the token URL where the definition gives none.
    pub refresh: TokenRequest,
    /// What becomes of a refresh token once it is used.
    pub rotation: Rotation,
    /// The revocation request.
    pub revoke: Option<Request>,
    /// What a caller puts on its own requests.
    pub credential: Use,
}

/// The client.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its id.
    pub id: Template,
    /// Its secret; none for a public client.
    pub secret: Option<Template>,
    /// How it shows who it is.
    pub authentication: ClientAuthentication,
}

/// The authorise request.
#[derive(Debug, Clone)]
pub struct Authorise {
    /// The authorise URL, once given.
    pub url: Option<UrlTemplate>,
    /// Parameters added to the standard ones, or in their place.
    pub query: Overlay,
    /// The scopes to ask for.
    pub scopes: Vec<Template>,
    /// What stands between scopes.
    pub scope_separator: Box<str>,
    /// PKCE.
    pub pkce: Pkce,
    /// The length of the state.
    pub state_length: Template,
    /// The issuer that the provider must name.
    pub issuer: Option<Box<str>>,
}

/// A request to a token or revocation endpoint.
#[derive(Debug, Clone)]
pub struct Request {
    /// The URL, once given.
    pub url: Option<UrlTemplate>,
    /// Headers added.
    pub headers: Vec<(HeaderName, Template)>,
    /// Query parameters added.
    pub query: Overlay,
    /// Body parameters added to the standard ones, or in their place.
    pub body: Overlay,
    /// How the body is written.
    pub format: BodyFormat,
}

/// A request whose answer brings tokens.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// The request.
    pub request: Request,
    /// Where things are in the answer.
    pub response: Response,
}

/// Where things are in an answer that brings tokens.
#[derive(Debug, Clone)]
pub struct Response {
    /// The access token.
    pub access_token: Template,
    /// The refresh token.
    pub refresh_token: Template,
    /// The seconds that the access token lives.
    pub expires_in: Template,
    /// The granted scopes.
    pub scope: Template,
    /// What stands between granted scopes.
    pub scope_separator: Box<str>,
    /// How long an access token lives where the answer doesn't say.
    pub lifetime: Option<Duration>,
}

/// What a caller puts on its own requests.
#[derive(Debug, Clone)]
pub struct Use {
    /// Headers.
    pub headers: Vec<(HeaderName, Template)>,
    /// Query parameters.
    pub query: Vec<(Box<str>, Template)>,
    /// Body parameters.
    pub body: Vec<(Box<str>, Template)>,
}

/// Parameters laid over standard ones: a template replaces or adds, `None` removes.
pub type Overlay = Vec<(Box<str>, Option<Template>)>;

impl AuthMethod {
    /// Parses what a builder wrote, with the connector's variables that it uses.
    ///
    /// # Errors
    /// Every fault, with pointers relative to the definition.
    pub fn parse(written: &Definition, inherited: &[VariableDefinition]) -> Result<Self, Faults> {
        parse::method(written, inherited)
    }

    /// The variable `key`.
    #[must_use]
    pub fn variable(&self, key: &str) -> Option<&Variable> {
        self.variables.iter().find(|variable| &*variable.key == key)
    }

    /// What must still be given before anyone can be authorised, as JSON Pointers into the auth method.
    #[must_use]
    pub fn lacks(&self, values: &MethodValues) -> Vec<String> {
        let urls = [
            ("/definition/authorise/url", self.authorise.url.is_none()),
            ("/definition/token/url", self.token.request.url.is_none()),
        ];
        let urls = urls
            .iter()
            .filter(|(_, lacking)| *lacking)
            .map(|(pointer, _)| (*pointer).to_owned());
        let variables = self
            .variables
            .iter()
            .filter(|variable| variable.from == Origin::Builder && variable.required)
            .filter(|variable| variable.default.is_none() && !values.has(&variable.key))
            .map(|variable| format!("/values/{}", variable.key));
        urls.chain(variables).collect()
    }
}
