//! An auth method as it is written: the document that builders send, store and export.
//!
//! It is plain data. What it means, and whether it means anything, is decided when it is parsed into
//! an [`AuthMethod`](super::method::AuthMethod).

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rotation::Rotation;

/// Parameters by name, in order: a template for the value, or `null` to leave a built-in one out.
pub type Parameters = IndexMap<String, Option<String>>;

/// One way to authenticate with a connector, as data.
///
/// Every text that is sent to the provider is a template: `{{key}}` stands for the variable `key`,
/// `{{client.id}}`, `{{client.secret}}`, `{{flow.…}}`, `{{callback.code}}` and `{{token.…}}` for
/// what the flow itself brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The name that people see.
    #[schema(example = "GitHub")]
    pub name: String,
    /// The kind of authentication.
    #[serde(rename = "type", default)]
    pub kind: MethodType,
    /// How many seconds an authentication request may take: 1 to 20.
    ///
    /// For the exchange of a code it is the limit. A refresh is reported as slow beyond it, but not
    /// given up before the service's own limit: an answer lost may be a connection lost.
    #[serde(default = "default_timeout")]
    pub timeout_seconds: u32,
    /// A link to the provider's documentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation_url: Option<String>,
    /// Keys of the connector's variables that this method uses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connector_variables: Vec<String>,
    /// The auth variables, in the order in which a user is asked for them.
    ///
    /// The eleven default variables are always there; leaving one out keeps it as it is by default.
    #[serde(default)]
    pub variables: Vec<VariableDefinition>,
    /// The client that the provider knows us as.
    #[serde(default)]
    pub client: ClientDefinition,
    /// The callback URL (redirect URI, RFC 6749 §3.1.2).
    #[serde(default = "default_redirect_uri")]
    pub redirect_uri: String,
    /// The authorise request: where the user is sent to consent.
    #[serde(default)]
    pub authorise: AuthoriseDefinition,
    /// The token request: the authorisation code for tokens.
    #[serde(default)]
    pub token: TokenDefinition,
    /// The re-authenticate request: a refresh token for tokens.
    #[serde(default)]
    pub refresh: RefreshDefinition,
    /// The revocation request (RFC 7009), where the provider has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke: Option<RevokeDefinition>,
    /// What a caller puts on its own requests to the provider.
    #[serde(rename = "use", default)]
    pub credential: UseDefinition,
}

/// The kinds of authentication.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MethodType {
    /// OAuth 2, authorisation code (RFC 6749 §4.1).
    #[default]
    #[serde(rename = "oauth2_authorization_code")]
    Oauth2AuthorizationCode,
}

/// A variable: a named value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VariableDefinition {
    /// The name that templates use.
    #[schema(example = "account")]
    pub key: String,
    /// The name that people see; the key if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A sentence that helps a person to find the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What kind of value it is.
    #[serde(rename = "type", default)]
    pub kind: VariableType,
    /// Who gives the value.
    #[serde(default)]
    pub from: Origin,
    /// The value where nobody gives one: a template over earlier variables. Not for secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Whether there must be a value.
    #[serde(default = "yes")]
    pub required: bool,
    /// The values to choose from, for the type `choice`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// A regular expression that the whole value must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Whether the connect page keeps it out of sight until asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub advanced: bool,
}

/// The types of a variable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VariableType {
    /// Any text.
    #[default]
    Text,
    /// A text that is written and never read back.
    Secret,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// One of `choices`.
    Choice,
    /// Host labels, without scheme or path.
    Hostname,
    /// An absolute `https` URL.
    Url,
}

/// Where the value of a variable comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Fixed by the builder; users never see it.
    #[default]
    Builder,
    /// Asked of the user; a default may be changed.
    User,
    /// Brought by the provider to the callback.
    Callback,
}

/// The client (RFC 6749 §2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClientDefinition {
    /// The client id.
    pub id: String,
    /// The client secret.
    pub secret: String,
    /// How the client shows who it is.
    pub authentication: ClientAuthentication,
}

impl Default for ClientDefinition {
    fn default() -> Self {
        Self {
            id: "{{client_id}}".to_owned(),
            secret: "{{client_secret}}".to_owned(),
            authentication: ClientAuthentication::default(),
        }
    }
}

/// How the client shows who it is (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// The HTTP Basic header, id and secret form-encoded.
    #[default]
    Basic,
    /// `client_id` and `client_secret` in the body.
    Body,
    /// A public client: `client_id` in the body and no secret.
    None,
}

/// The authorise request (RFC 6749 §4.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthoriseDefinition {
    /// The authorise URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://oauth.myapp.com/authorize/{{account}}")]
    pub url: Option<String>,
    /// Parameters added to the standard ones, or in their place.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, Option<String>>)]
    pub query: Parameters,
    /// The scopes to ask for; a text with several counts as several.
    pub scopes: Vec<String>,
    /// What stands between scopes.
    pub scope_separator: String,
    /// Proof Key for Code Exchange (RFC 7636).
    pub pkce: Pkce,
    /// The state parameter.
    pub state: StateDefinition,
    /// The issuer that the provider names in its answer (RFC 9207); checked if given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

impl Default for AuthoriseDefinition {
    fn default() -> Self {
        Self {
            url: None,
            query: Parameters::new(),
            scopes: vec!["{{scope}}".to_owned()],
            scope_separator: " ".to_owned(),
            pkce: Pkce::default(),
            state: StateDefinition::default(),
            issuer: None,
        }
    }
}

/// Proof Key for Code Exchange (RFC 7636).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Pkce {
    /// With the SHA-256 challenge.
    #[default]
    S256,
    /// Off, for providers that refuse it.
    #[serde(rename = "none")]
    None,
}

/// The state parameter (RFC 6749 §10.12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StateDefinition {
    /// How many letters and digits it has: 15 to 128; fewer than 22 only beside PKCE.
    pub length: String,
}

impl Default for StateDefinition {
    fn default() -> Self {
        Self {
            length: "{{state_length}}".to_owned(),
        }
    }
}

/// The token request (RFC 6749 §4.1.3).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TokenDefinition {
    /// The token URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://oauth.myapp.com/token/{{account}}")]
    pub url: Option<String>,
    /// Headers added.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, Option<String>>)]
    pub headers: Parameters,
    /// Query parameters added to the URL.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, Option<String>>)]
    pub query: Parameters,
    /// Body parameters added to the standard ones, or in their place.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, Option<String>>)]
    pub body: Parameters,
    /// How the body is written.
    pub body_format: BodyFormat,
    /// How the answer is read.
    pub response: ResponseDefinition,
    /// How many seconds an access token lives where the answer doesn't say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime_seconds: Option<u64>,
}

/// The re-authenticate request (RFC 6749 §6).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RefreshDefinition {
    /// The re-authenticate URL; the token URL if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://oauth.myapp.com/refresh-token/{{account}}")]
    pub url: Option<String>,
    /// Headers added; those of the token request if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<std::collections::BTreeMap<String, Option<String>>>)]
    pub headers: Option<Parameters>,
    /// Query parameters added to the URL.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, Option<String>>)]
    pub query: Parameters,
    /// Body parameters added to the standard ones, or in their place.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, Option<String>>)]
    pub body: Parameters,
    /// How the body is written; as for the token request if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_format: Option<BodyFormat>,
    /// How the answer is read; as for the token request if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<ResponseDefinition>,
    /// What becomes of a refresh token once it is used.
    pub rotation: Rotation,
}

/// The revocation request (RFC 7009 §2.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeDefinition {
    /// The revocation URL.
    pub url: String,
    /// Headers added; those of the token request if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<std::collections::BTreeMap<String, Option<String>>>)]
    pub headers: Option<Parameters>,
    /// Query parameters added to the URL.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, Option<String>>)]
    pub query: Parameters,
    /// Body parameters added to the standard ones, or in their place.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, Option<String>>)]
    pub body: Parameters,
    /// How the body is written; as for the token request if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_format: Option<BodyFormat>,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BodyFormat {
    /// `application/x-www-form-urlencoded`, the standard.
    #[default]
    Form,
    /// `application/json`.
    Json,
}

/// Where things are in an answer: dotted paths, such as `data.access_token`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ResponseDefinition {
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
    /// The seconds that the access token lives.
    pub expires_in: String,
    /// The granted scopes.
    pub scope: String,
    /// What stands between granted scopes; what stands between those asked for if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope_separator: Option<String>,
}

impl Default for ResponseDefinition {
    fn default() -> Self {
        Self {
            access_token: "{{response_authentication_token_key}}".to_owned(),
            refresh_token: "{{response_refresh_token_key}}".to_owned(),
            expires_in: "expires_in".to_owned(),
            scope: "scope".to_owned(),
            scope_separator: None,
        }
    }
}

/// What a credential looks like on a caller's request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UseDefinition {
    /// Headers.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub headers: IndexMap<String, String>,
    /// Query parameters.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub query: IndexMap<String, String>,
    /// Body parameters.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub body: IndexMap<String, String>,
}

impl Default for UseDefinition {
    /// The Bearer header (RFC 6750 §2.1).
    fn default() -> Self {
        let bearer = (
            "Authorization".to_owned(),
            "Bearer {{token.access_token}}".to_owned(),
        );
        Self {
            headers: IndexMap::from([bearer]),
            query: IndexMap::new(),
            body: IndexMap::new(),
        }
    }
}

fn default_timeout() -> u32 {
    20
}

fn default_redirect_uri() -> String {
    "{{callback_url}}".to_owned()
}

fn yes() -> bool {
    true
}
