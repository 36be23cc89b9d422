//! Ciphertext, and the place that it belongs to.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::id::TenantId;

/// A sealed value: ciphertext with what is needed to open it, the key excepted. As JSON it is text in
/// base64 (RFC 4648 §4).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// Takes what a vault has sealed.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes as stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<String> for Sealed {
    type Error = base64::DecodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        STANDARD.decode(text).map(Self)
    }
}

impl From<Sealed> for String {
    fn from(sealed: Sealed) -> Self {
        STANDARD.encode(sealed.0)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// Where a sealed value belongs. It opens nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Whose it is.
    pub tenant: TenantId,
    /// What kind of thing it is part of.
    pub kind: PlaceKind,
    /// The id of that thing, and which part of it.
    pub id: String,
    /// Which version of that part; 0 where there is but one.
    pub version: u64,
}

/// The kinds of things that hold sealed values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceKind {
    /// A value of an auth method.
    Method,
    /// An instance's values.
    InstanceValues,
    /// An instance's tokens.
    Tokens,
    /// An instance's refresh tokens, on their way to the secrets manager.
    RefreshTokens,
    /// A provider's answer that could not be read yet.
    Answer,
    /// Something of an authorisation under way.
    Authorisation,
}

impl Place {
    /// The place as the bytes that are authenticated with the ciphertext (associated data).
    #[must_use]
    pub fn associated_data(&self) -> Vec<u8> {
        let kind = match self.kind {
            PlaceKind::Method => "method",
            PlaceKind::InstanceValues => "values",
            PlaceKind::Tokens => "tokens",
            PlaceKind::RefreshTokens => "refresh-tokens",
            PlaceKind::Answer => "answer",
            PlaceKind::Authorisation => "authorisation",
        };
        // None of the parts can hold a line break, so no two places share their bytes.
        format!("{}\n{kind}\n{}\n{}", self.tenant, self.id, self.version).into_bytes()
    }
}
