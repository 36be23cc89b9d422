//! The client, as it is written (RFC 6749 §2).

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The client that the provider knows us as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClientDefinition {
    /// The client id.
    pub id: String,
    /// The client secret.
    pub secret: String,
    /// How the client shows who it is.
    pub authentication: ClientAuthentication,
    /// How id and secret are written in the Basic header.
    #[serde(skip_serializing_if = "is_default")]
    pub basic_encoding: BasicEncoding,
    /// The JWT that a client signs, for the ways of authentication that need one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assertion: Option<AssertionDefinition>,
}

impl Default for ClientDefinition {
    fn default() -> Self {
        Self {
            id: "{{client_id}}".to_owned(),
            secret: "{{client_secret}}".to_owned(),
            authentication: ClientAuthentication::default(),
            basic_encoding: BasicEncoding::default(),
            assertion: None,
        }
    }
}

/// How the client shows who it is (RFC 6749 §2.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// The HTTP Basic header.
    #[default]
    Basic,
    /// `client_id` and `client_secret` in the body.
    Body,
    /// Both.
    BasicAndBody,
    /// A public client: `client_id` in the body and no secret.
    None,
    /// The secret in a Bearer header.
    Bearer,
    /// A JWT signed with a private key (RFC 7523 §2.2).
    PrivateKeyJwt,
    /// A JWT signed with the client secret (RFC 7523 §2.2).
    ClientSecretJwt,
    /// `client_secret` in the body is itself a signed JWT.
    SecretJwt,
    /// Nothing is sent: parameters and headers say it.
    Custom,
}

impl ClientAuthentication {
    /// Whether the client has a secret to give.
    #[must_use]
    pub fn has_secret(self) -> bool {
        match self {
            Self::Basic
            | Self::Body
            | Self::BasicAndBody
            | Self::Bearer
            | Self::ClientSecretJwt
            | Self::Custom => true,
            Self::None | Self::PrivateKeyJwt | Self::SecretJwt => false,
        }
    }

    /// Whether a JWT is signed.
    #[must_use]
    pub fn signs(self) -> bool {
        match self {
            Self::PrivateKeyJwt | Self::ClientSecretJwt | Self::SecretJwt => true,
            Self::Basic
            | Self::Body
            | Self::BasicAndBody
            | Self::None
            | Self::Bearer
            | Self::Custom => false,
        }
    }
}

/// How id and secret are written in the Basic header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BasicEncoding {
    /// Form-encoded first (RFC 6749 §2.3.1).
    #[default]
    Form,
    /// As they are (RFC 7617).
    Raw,
}

/// A JWT that the client signs to show who it is (RFC 7523 §3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssertionDefinition {
    /// How it is signed.
    pub algorithm: SigningAlgorithm,
    /// The private key; the client secret if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The id of the key, for the header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The issuer; the client id if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The subject; the client id if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The audience; the URL of the request if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// How many seconds it holds: 300 unless it says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_seconds: Option<u32>,
    /// Further members of the header.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub header: IndexMap<String, String>,
    /// Further claims.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub claims: IndexMap<String, String>,
}

/// How a JWT is signed (RFC 7518 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum SigningAlgorithm {
    /// RSA, PKCS #1 v1.5, SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// RSA, PSS, SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// ECDSA on P-256, SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// HMAC, SHA-256.
    #[serde(rename = "HS256")]
    Hs256,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
