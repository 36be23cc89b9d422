//! An auth method as it is written: the document that builders send, store and export.
//!
//! It is plain data. What it means, and whether it means anything, is decided when it is parsed into
//! an [`AuthMethod`](super::method::AuthMethod). Its reference is the README of `shared/presets`.

mod authorise;
mod choice;
mod client;
mod credential;
mod entry;
mod parameter;
mod request;
mod response;
mod scalar;
mod schema;
mod variable;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use authorise::{
    Alphabet, AuthoriseDefinition, CallbackDefinition, DigestAlgorithm, DigestEncoding,
    ParameterOrder, Pkce, ScopeList, Start, StateCarrier, StateDefinition, VerifyDefinition,
};
pub use client::{
    AssertionDefinition, BasicEncoding, ClientAuthentication, ClientDefinition, SigningAlgorithm,
};
pub use credential::UseDefinition;
pub use entry::Entry;
pub use parameter::{Condition, Encoding, JsonKind, Parameter, Parameters};
pub use request::{
    BodyFormat, IntrospectDefinition, KeepRefreshToken, ParameterPlace, RefreshDefinition,
    RefreshMode, RefreshPolicy, RequestMethod, RequestParts, RevokeDefinition, StepDefinition,
    TokenDefinition,
};
pub use response::{
    AnswerCondition, AnswerFormat, ErrorCodes, ExpiryDefinition, ExpiryKind, ResponseDefinition,
    TokenSetDefinition,
};
pub use scalar::{Scalar, Texts};
pub use schema::json_schema;
pub use variable::{
    Choice, MapDefinition, Normalisation, Origin, VariableDefinition, VariableType,
};

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
    /// Where the provider's metadata is (RFC 8414, `OpenID` Connect Discovery 1.0). Saving reads it, and fills in what
    /// the definition leaves blank: URLs, client authentication, PKCE, the issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://login.myapp.com/.well-known/openid-configuration")]
    pub discovery_url: Option<String>,
    /// The preset to start from. What is said beside it is laid over it, member by member; saving
    /// writes out the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "github")]
    pub preset: Option<String>,
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
    /// How the provider sends people back.
    #[serde(default)]
    pub callback: CallbackDefinition,
    /// The token request: the authorisation code for tokens.
    #[serde(default)]
    pub token: TokenDefinition,
    /// The re-authenticate request: a refresh token for tokens.
    #[serde(default)]
    pub refresh: RefreshDefinition,
    /// The revocation request (RFC 7009), where the provider has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke: Option<RevokeDefinition>,
    /// The introspection request (RFC 7662), where the provider has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspect: Option<IntrospectDefinition>,
    /// Requests made after connecting, for what a credential needs beside tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lookup: Vec<StepDefinition>,
    /// What a caller puts on its own requests to the provider.
    #[serde(rename = "use", default)]
    pub credential: UseDefinition,
}

impl Definition {
    /// Those of a connector's variables that it uses.
    #[must_use]
    pub fn inherited(&self, connector: &[VariableDefinition]) -> Vec<VariableDefinition> {
        let used =
            |variable: &&VariableDefinition| self.connector_variables.contains(&variable.key);
        connector.iter().filter(used).cloned().collect()
    }
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

fn default_timeout() -> u32 {
    20
}

fn default_redirect_uri() -> String {
    "{{callback_url}}".to_owned()
}
