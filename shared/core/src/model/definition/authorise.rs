//! The authorise request and the callback, as they are written (RFC 6749 §4.1.1, §4.1.2).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    parameter::{Encoding, Parameters},
    scalar::{Scalar, Texts},
};

/// The authorise request (RFC 6749 §4.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthoriseDefinition {
    /// Where people begin.
    #[serde(skip_serializing_if = "is_default")]
    pub start: Start,
    /// The authorise URL, or several: the first whose values are all there.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    #[schema(example = "https://oauth.myapp.com/authorize/{{account}}")]
    pub url: Texts,
    /// Parameters added to the standard ones, or in their place.
    #[serde(skip_serializing_if = "Parameters::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, super::Parameter>)]
    pub query: Parameters,
    /// The scopes to ask for; a text with several counts as several.
    pub scopes: Vec<String>,
    /// What stands between scopes.
    pub scope_separator: String,
    /// Further lists of scopes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scope_lists: Vec<ScopeList>,
    /// Proof Key for Code Exchange (RFC 7636).
    pub pkce: Pkce,
    /// How many characters the verifier has: 43 to 128 (RFC 7636 §4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verifier_length: Option<usize>,
    /// The state parameter.
    pub state: StateDefinition,
    /// The issuer that the provider names in its answer (RFC 9207); checked if given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The order of the parameters.
    #[serde(skip_serializing_if = "is_default")]
    pub parameter_order: ParameterOrder,
    /// How the query is written.
    #[serde(skip_serializing_if = "is_default")]
    pub encoding: Encoding,
    /// Appended last, without `#`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fragment: Option<String>,
    /// Secret variables that may be seen in the authorise URL.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reveals: Vec<String>,
}

impl Default for AuthoriseDefinition {
    fn default() -> Self {
        Self {
            start: Start::default(),
            url: Texts::default(),
            query: Parameters::new(),
            scopes: vec!["{{scope}}".to_owned()],
            scope_separator: " ".to_owned(),
            scope_lists: Vec::new(),
            pkce: Pkce::default(),
            verifier_length: None,
            state: StateDefinition::default(),
            issuer: None,
            parameter_order: ParameterOrder::default(),
            encoding: Encoding::default(),
            fragment: None,
            reveals: Vec::new(),
        }
    }
}

/// Where people begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// Here: on the connect page, or by an authorisation that the platform begins.
    #[default]
    Us,
    /// At the provider too: they install an application there, and come back with a code that nobody asked for. The
    /// platform hands it in (`POST /v1/instances/{instance}/answer`). PKCE is off, since the code is bound to no challenge.
    Provider,
}

/// A further list of scopes, in a parameter of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeList {
    /// The name of the parameter.
    pub parameter: String,
    /// The scopes to ask for; with none, the parameter is left out.
    pub scopes: Vec<String>,
    /// What stands between them; as between the others if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
}

/// Proof Key for Code Exchange (RFC 7636).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Pkce {
    /// With the SHA-256 challenge.
    #[default]
    S256,
    /// With the SHA-256 challenge in hexadecimal digits, as one provider wants it.
    #[serde(rename = "S256_hex")]
    S256Hex,
    /// With the verifier itself as the challenge.
    #[serde(rename = "plain")]
    Plain,
    /// Off, for providers that refuse it.
    #[serde(rename = "none")]
    None,
}

/// The state parameter (RFC 6749 §10.12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StateDefinition {
    /// How many characters it has: 15 to 128; with fewer than 128 random bits only beside PKCE.
    pub length: Scalar,
    /// Which characters it has.
    #[serde(skip_serializing_if = "is_default")]
    pub alphabet: Alphabet,
    /// Where it is carried.
    #[serde(skip_serializing_if = "is_default")]
    pub carrier: StateCarrier,
}

impl Default for StateDefinition {
    fn default() -> Self {
        Self {
            length: "{{state_length}}".into(),
            alphabet: Alphabet::default(),
            carrier: StateCarrier::default(),
        }
    }
}

/// Which characters a state has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Alphabet {
    /// Letters and digits.
    #[default]
    Alphanumeric,
    /// Small hexadecimal digits.
    Hex,
    /// Decimal digits.
    Digits,
}

/// Where the state is carried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StateCarrier {
    /// A parameter of the authorise URL.
    #[default]
    Query,
    /// A parameter of the redirect URI, for providers that return no state of their own.
    RedirectUri,
    /// The browser's cookie alone, for providers that return nothing but their own parameters. People connect on the
    /// connect page only, one connection at a time.
    Cookie,
}

/// The order of parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParameterOrder {
    /// The standard ones, then the others as declared.
    #[default]
    Declared,
    /// By name.
    Sorted,
}

/// How the provider sends people back (RFC 6749 §4.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CallbackDefinition {
    /// The name of the parameter with the code.
    pub code: String,
    /// The name of the parameter with the state.
    pub state: String,
    /// The name of the parameter with the error code.
    pub error: String,
    /// Whether consent brings a code.
    pub code_required: bool,
    /// A keyed digest over the other parameters, which is checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<VerifyDefinition>,
}

impl Default for CallbackDefinition {
    fn default() -> Self {
        Self {
            code: "code".to_owned(),
            state: "state".to_owned(),
            error: "error".to_owned(),
            code_required: true,
            verify: None,
        }
    }
}

/// A keyed digest over the parameters of a callback, sorted, as `name=value&…` (RFC 2104).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyDefinition {
    /// The digest.
    #[serde(default)]
    pub algorithm: DigestAlgorithm,
    /// The key.
    pub key: String,
    /// The parameter that carries it.
    pub parameter: String,
    /// The parameters that it doesn't cover.
    #[serde(default)]
    pub except: Vec<String>,
    /// How it is written.
    #[serde(default)]
    pub encoding: DigestEncoding,
}

/// A digest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DigestAlgorithm {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-1, for old providers.
    Sha1,
    /// SHA-512.
    Sha512,
}

/// How a digest is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DigestEncoding {
    /// Hexadecimal digits, of either case.
    #[default]
    Hex,
    /// Base64 (RFC 4648 §4).
    Base64,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
