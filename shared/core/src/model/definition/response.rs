//! How an answer is read, as it is written.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::scalar::{Scalar, Texts};

/// Where things are in an answer: dotted paths, such as `data.access_token`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ResponseDefinition {
    /// How the body is written.
    #[serde(skip_serializing_if = "is_default")]
    pub format: AnswerFormat,
    /// The statuses of a success; any 2xx if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<u16>,
    /// What makes an answer an error, whatever its status.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub error_when: Vec<AnswerCondition>,
    /// The error code.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub error_code: Texts,
    /// The error in words.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub error_description: Texts,
    /// The provider's own error codes, by who must act.
    #[serde(skip_serializing_if = "is_default")]
    pub errors: ErrorCodes,
    /// What the paths to tokens, scope and expiry are relative to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// The access token.
    pub access_token: Texts,
    /// The refresh token.
    pub refresh_token: Texts,
    /// The ID token (OpenID Connect Core §3.1.3.3).
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub id_token: Texts,
    /// How the access token is used.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub token_type: Texts,
    /// The granted scopes.
    pub scope: Texts,
    /// What stands between granted scopes; what stands between those asked for if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope_separator: Option<String>,
    /// The seconds that the access token lives.
    pub expires_in: Texts,
    /// When the access token ends, in place of `expires_in`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry: Option<ExpiryDefinition>,
    /// When the refresh token ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_expiry: Option<ExpiryDefinition>,
    /// Further token sets.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, TokenSetDefinition>)]
    pub tokens: IndexMap<String, TokenSetDefinition>,
}

impl Default for ResponseDefinition {
    fn default() -> Self {
        Self {
            format: AnswerFormat::default(),
            statuses: Vec::new(),
            error_when: Vec::new(),
            error_code: Texts::default(),
            error_description: Texts::default(),
            errors: ErrorCodes::default(),
            root: None,
            access_token: Texts::one("{{response_authentication_token_key}}"),
            refresh_token: Texts::one("{{response_refresh_token_key}}"),
            id_token: Texts::default(),
            token_type: Texts::default(),
            scope: Texts::one("scope"),
            scope_separator: None,
            expires_in: Texts::one("expires_in"),
            expiry: None,
            refresh_expiry: None,
            tokens: IndexMap::new(),
        }
    }
}

/// How the body of an answer is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnswerFormat {
    /// Told by looking at it, since content types are often wrong.
    #[default]
    Auto,
    /// JSON.
    Json,
    /// A form.
    Form,
}

/// A condition on an answer. With neither list it asks that there be a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerCondition {
    /// A path.
    pub path: String,
    /// The value is one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<Scalar>,
    /// There is a value, and it is none of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub is_not: Vec<Scalar>,
}

/// A provider's own error codes, by who must act.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorCodes {
    /// The user's grant is gone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub user: Vec<Scalar>,
    /// The definition or its values are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub builder: Vec<Scalar>,
    /// The provider is unwell or wants patience.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub provider: Vec<Scalar>,
}

/// When a token ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpiryDefinition {
    /// How it is said.
    pub kind: ExpiryKind,
    /// Where it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How many seconds, for `fixed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
}

/// How the end of a token is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExpiryKind {
    /// Seconds from now.
    Seconds,
    /// Minutes from now.
    Minutes,
    /// Milliseconds from now.
    Milliseconds,
    /// A Unix time in seconds.
    Unix,
    /// A Unix time in milliseconds.
    UnixMilliseconds,
    /// A date and time (ISO 8601).
    Iso8601,
    /// Days, hours and minutes from now, as `D:HH:MM`.
    Duration,
    /// The claim `exp` of a JWT (RFC 7519 §4.1.4): of the access token, or of the one at `path`.
    Jwt,
    /// Told by its size and form.
    Auto,
    /// Always the same number of seconds.
    Fixed,
    /// It doesn't end.
    Never,
    /// The introspection request says it (RFC 7662).
    Introspect,
}

/// A further set of tokens in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenSetDefinition {
    /// The access token.
    pub access_token: Texts,
    /// The refresh token.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub refresh_token: Texts,
    /// How the access token is used.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub token_type: Texts,
    /// The granted scopes.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub scope: Texts,
    /// The seconds that the access token lives.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub expires_in: Texts,
    /// When the access token ends, in place of `expires_in`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<ExpiryDefinition>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
