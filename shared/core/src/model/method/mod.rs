//! Auth methods: as kept, and as parsed.

mod found;
mod parse;
mod place;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use http::{HeaderName, Method};
use jiff::Timestamp;

use super::{
    definition::{
        Alphabet, AnswerCondition, AnswerFormat, BasicEncoding, BodyFormat, ClientAuthentication,
        Condition, Definition, DigestAlgorithm, DigestEncoding, Encoding, ErrorCodes, ExpiryKind,
        JsonKind, KeepRefreshToken, Origin, ParameterOrder, ParameterPlace, Pkce, RefreshMode,
        SigningAlgorithm, Start, StateCarrier, VariableDefinition,
    },
    fault::Faults,
    grant::Tokens,
    health::MethodHealth,
    id::MethodKey,
    rotation::Rotation,
    sealed::{Place, PlaceKind, Sealed},
    secret_version::SecretVersion,
    template::{Namespace, Template},
    terms::Rules,
    url_template::UrlTemplate,
    variable::Variable,
};

pub use self::found::FoundMethod;

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
    /// What the provider's metadata has filled in, by JSON Pointer into the definition.
    pub discovered: BTreeMap<String, serde_json::Value>,
    /// The builder's own values of its variables.
    pub values: MethodValues,
    /// How many instances use it.
    pub instances: u64,
    /// How it is; builders' changes leave it alone.
    pub health: MethodHealth,
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
    /// Secrets, each sealed. Where one is in the secrets manager as well, this one counts.
    pub sealed: BTreeMap<String, Sealed>,
    /// Secrets in the secrets manager, if any are there.
    pub apart: Option<Apart>,
}

/// Secrets of an auth method that are in the secrets manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apart {
    /// The version of the method's secret that holds them.
    pub version: SecretVersion,
    /// The variables whose values they are; the version may hold others, which are no more.
    pub names: BTreeSet<String>,
}

impl MethodValues {
    /// Whether `key` has a value.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.plain.contains_key(key) || self.has_secret(key)
    }

    /// Whether `key` has a value that is never read back.
    #[must_use]
    pub fn has_secret(&self, key: &str) -> bool {
        let apart = self.apart.as_ref();
        self.sealed.contains_key(key) || apart.is_some_and(|apart| apart.names.contains(key))
    }

    /// The variables that have a value that is never read back.
    pub fn secret_names(&self) -> BTreeSet<&str> {
        let apart = self.apart.iter().flat_map(|apart| &apart.names);
        self.sealed
            .keys()
            .chain(apart)
            .map(String::as_str)
            .collect()
    }

    /// Keeps those secrets that `is_kept` names.
    pub fn retain_secrets(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.sealed.retain(|key, _| is_kept(key));
        if let Some(apart) = &mut self.apart {
            apart.names.retain(|key| is_kept(key));
            if apart.names.is_empty() {
                self.apart = None;
            }
        }
    }
}

impl StoredMethod {
    /// The name of its secret in the secrets manager. It holds the connector as well, so that whoever deletes a method
    /// by another connector deletes nothing.
    #[must_use]
    pub fn secret_name(key: &MethodKey) -> String {
        format!("{}/{}/{}", key.tenant, key.connector, key.id)
    }

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
    /// Where the provider's metadata is.
    pub discovery: Option<UrlTemplate>,
    /// All variables: the connector's first, then its own in order.
    pub variables: Vec<Variable>,
    /// The client.
    pub client: Client,
    /// The callback URL.
    pub redirect_uri: Template,
    /// The authorise request.
    pub authorise: Authorise,
    /// How the provider sends people back.
    pub callback: Callback,
    /// The token request.
    pub token: Request,
    /// The re-authenticate request; its URL is the token URL where the definition gives none.
    pub refresh: Refresh,
    /// The revocation request.
    pub revoke: Option<Request>,
    /// The introspection request.
    pub introspect: Option<Request>,
    /// Requests made after connecting.
    pub lookup: Vec<Step>,
    /// What a caller puts on its own requests.
    pub credential: Use,
}

/// The client.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its id.
    pub id: Template,
    /// Its secret; none where it has none to give.
    pub secret: Option<Template>,
    /// How id and secret are written in the Basic header.
    pub basic_encoding: BasicEncoding,
    /// The JWT that it signs.
    pub assertion: Option<Assertion>,
}

/// A JWT that the client signs (RFC 7523 §3).
#[derive(Debug, Clone)]
pub struct Assertion {
    /// How it is signed.
    pub algorithm: SigningAlgorithm,
    /// The private key; the client secret if there is none.
    pub key: Option<Template>,
    /// The id of the key.
    pub key_id: Option<Template>,
    /// The issuer; the client id if there is none.
    pub issuer: Option<Template>,
    /// The subject; the client id if there is none.
    pub subject: Option<Template>,
    /// The audience; the URL of the request if there is none.
    pub audience: Option<Template>,
    /// How long it holds.
    pub lifetime: Duration,
    /// Further members of the header.
    pub header: Vec<(Box<str>, Template)>,
    /// Further claims.
    pub claims: Vec<(Box<str>, Template)>,
}

/// The authorise request.
#[derive(Debug, Clone)]
pub struct Authorise {
    /// Where people begin.
    pub start: Start,
    /// The authorise URLs; none until given.
    pub urls: Vec<UrlTemplate>,
    /// Parameters added to the standard ones, or in their place.
    pub query: Overlay,
    /// The scopes to ask for.
    pub scopes: Vec<Template>,
    /// What stands between scopes.
    pub scope_separator: Box<str>,
    /// Further lists of scopes.
    pub scope_lists: Vec<ScopeList>,
    /// PKCE.
    pub pkce: Pkce,
    /// How many characters the verifier has.
    pub verifier_length: usize,
    /// The length of the state.
    pub state_length: Template,
    /// The characters of the state.
    pub state_alphabet: Alphabet,
    /// Where the state is carried.
    pub state_carrier: StateCarrier,
    /// The issuer that the provider must name.
    pub issuer: Option<Box<str>>,
    /// The order of the parameters.
    pub order: ParameterOrder,
    /// How the query is written.
    pub encoding: Encoding,
    /// Appended last.
    pub fragment: Option<Template>,
}

/// A further list of scopes.
#[derive(Debug, Clone)]
pub struct ScopeList {
    /// The name of its parameter.
    pub parameter: Box<str>,
    /// The scopes to ask for.
    pub scopes: Vec<Template>,
    /// What stands between them.
    pub separator: Box<str>,
}

/// How the provider sends people back.
#[derive(Debug, Clone)]
pub struct Callback {
    /// The name of the parameter with the code.
    pub code: Box<str>,
    /// The name of the parameter with the state.
    pub state: Box<str>,
    /// The name of the parameter with the error code.
    pub error: Box<str>,
    /// Whether consent brings a code.
    pub code_required: bool,
    /// A keyed digest that is checked.
    pub verify: Option<Verify>,
}

/// A keyed digest over the parameters of a callback.
#[derive(Debug, Clone)]
pub struct Verify {
    /// The digest.
    pub algorithm: DigestAlgorithm,
    /// The key.
    pub key: Template,
    /// The parameter that carries it.
    pub parameter: Box<str>,
    /// The parameters that it doesn't cover.
    pub except: Vec<String>,
    /// How it is written.
    pub encoding: DigestEncoding,
}

/// A request to one of the provider's endpoints.
#[derive(Debug, Clone)]
pub struct Request {
    /// The HTTP method.
    pub method: Method,
    /// The URLs; none until given.
    pub urls: Vec<UrlTemplate>,
    /// How the client shows who it is.
    pub authentication: ClientAuthentication,
    /// Headers added.
    pub headers: Vec<(HeaderName, Option<Parameter>)>,
    /// Query parameters added.
    pub query: Overlay,
    /// Body parameters added to the standard ones, or in their place.
    pub body: Overlay,
    /// How the body is written.
    pub format: BodyFormat,
    /// Where the standard parameters go.
    pub parameters_in: ParameterPlace,
    /// How the answer is read.
    pub response: Response,
    /// Requests made first.
    pub before: Vec<Step>,
    /// Requests made afterwards.
    pub after: Vec<Step>,
}

impl Request {
    /// Whether it sends a refresh token because the definition says so.
    #[must_use]
    pub fn names_refresh_token(&self) -> bool {
        let headers = self.headers.iter().filter_map(|(_, value)| value.as_ref());
        let parameters = self.query.iter().chain(&self.body);
        let values = headers.chain(parameters.filter_map(|(_, value)| value.as_ref()));
        values
            .flat_map(|parameter| parameter.value.references())
            .chain(self.urls.iter().flat_map(UrlTemplate::references))
            .any(|reference| {
                reference.namespace == Namespace::Token && &*reference.key == "refresh_token"
            })
    }
}

/// The re-authenticate request.
#[derive(Debug, Clone)]
pub struct Refresh {
    /// The request.
    pub request: Request,
    /// What is given for a new access token.
    pub mode: RefreshMode,
    /// What becomes of a refresh token once it is used.
    pub rotation: Rotation,
    /// Whether the refresh token stays.
    pub keep_refresh_token: KeepRefreshToken,
    /// Whether the access token stays where the answer brings none.
    pub keep_access_token: bool,
    /// What it says of the terms of grants.
    pub rules: Rules,
}

impl Refresh {
    /// Whether there is something to ask with for a new access token.
    #[must_use]
    pub fn is_possible(&self, tokens: &Tokens) -> bool {
        match self.mode {
            RefreshMode::RefreshToken => tokens.has_refresh_token(),
            RefreshMode::AccessToken | RefreshMode::ClientCredentials | RefreshMode::Resign => true,
            RefreshMode::None => false,
        }
    }
}

/// A request with no parameter but those that it says.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name.
    pub id: Box<str>,
    /// Made only if this holds.
    pub when: Option<Condition>,
    /// The request.
    pub request: Request,
    /// Whether its answer brings tokens.
    pub brings_tokens: bool,
}

/// How an answer is read.
#[derive(Debug, Clone)]
pub struct Response {
    /// How the body is written.
    pub format: AnswerFormat,
    /// The statuses of a success; any 2xx if there are none.
    pub statuses: Vec<u16>,
    /// What makes an answer an error.
    pub error_when: Vec<AnswerCondition>,
    /// The error code, where it isn't at the usual places.
    pub error_code: Vec<Template>,
    /// The error in words, where it isn't at the usual places.
    pub error_description: Vec<Template>,
    /// The provider's own error codes.
    pub errors: ErrorCodes,
    /// What the paths below are relative to.
    pub root: Option<Box<str>>,
    /// The tokens of the answer itself.
    pub tokens: TokenPaths,
    /// When the refresh token ends.
    pub refresh_expiry: Option<Expiry>,
    /// What stands between granted scopes.
    pub scope_separator: Box<str>,
    /// How long an access token lives where the answer doesn't say.
    pub lifetime: Option<Duration>,
    /// Further token sets.
    pub sets: Vec<(Box<str>, TokenPaths)>,
}

/// Where the tokens of one set are.
#[derive(Debug, Clone, Default)]
pub struct TokenPaths {
    /// The access token.
    pub access_token: Vec<Template>,
    /// The refresh token.
    pub refresh_token: Vec<Template>,
    /// The ID token.
    pub id_token: Vec<Template>,
    /// How the access token is used.
    pub token_type: Vec<Template>,
    /// The granted scopes.
    pub scope: Vec<Template>,
    /// When the access token ends: the first that says so.
    pub expiry: Vec<Expiry>,
}

/// Where the end of a token is, and how it is said.
#[derive(Debug, Clone)]
pub struct Expiry {
    /// How it is said.
    pub kind: ExpiryKind,
    /// Where.
    pub path: Option<Template>,
    /// How long, if that is always the same.
    pub fixed: Option<Duration>,
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
    /// Where the provider's API is.
    pub base_url: Option<UrlTemplate>,
    /// The statuses that mean that the access token has ended.
    pub expired_statuses: Vec<u16>,
    /// Further texts that a caller needs.
    pub values: Vec<(Box<str>, Template)>,
}

/// Parameters laid over standard ones: one replaces or adds, `None` removes.
pub type Overlay = Vec<(Box<str>, Option<Parameter>)>;

/// The value of a parameter.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// The template.
    pub value: Template,
    /// Sent only if this holds.
    pub when: Option<Condition>,
    /// Left out if the text is empty or a value of it is missing.
    pub omit_if_empty: bool,
    /// How it is written; as the rest of the request if not given.
    pub encode: Option<Encoding>,
    /// Splits the text here.
    pub repeat: Option<Box<str>>,
    /// What it is in a JSON body.
    pub kind: JsonKind,
}

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
            (
                "/definition/authorise/url",
                self.authorise.urls.is_empty() && self.authorise.start == Start::Us,
            ),
            ("/definition/token/url", self.token.urls.is_empty()),
        ];
        let urls = urls
            .iter()
            .filter(|(_, lacking)| *lacking)
            .map(|(pointer, _)| (*pointer).to_owned());
        let variables = self
            .variables
            .iter()
            .filter(|variable| variable.from == Origin::Builder && variable.required)
            .filter(|variable| variable.map.is_none())
            .filter(|variable| variable.default.is_none() && !values.has(&variable.key))
            .map(|variable| format!("/values/{}", variable.key));
        urls.chain(variables).collect()
    }
}
