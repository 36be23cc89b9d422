//! API keys, and the principals that they make.

use std::{collections::BTreeSet, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    authorisation::Digest,
    id::{KeyId, TenantId},
};

/// What a key may be used for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
pub enum Scope {
    /// Read connectors, auth methods and settings.
    #[serde(rename = "definitions:read")]
    DefinitionsRead,
    /// Change connectors, auth methods and settings.
    #[serde(rename = "definitions:write")]
    DefinitionsWrite,
    /// Read instances and their health.
    #[serde(rename = "instances:read")]
    InstancesRead,
    /// Make, connect and delete instances.
    #[serde(rename = "instances:write")]
    InstancesWrite,
    /// Get credentials.
    #[serde(rename = "credentials:read")]
    CredentialsRead,
    /// Make and revoke API keys.
    #[serde(rename = "keys:write")]
    KeysWrite,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 6] = [
        Self::DefinitionsRead,
        Self::DefinitionsWrite,
        Self::InstancesRead,
        Self::InstancesWrite,
        Self::CredentialsRead,
        Self::KeysWrite,
    ];

    /// The scope as written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DefinitionsRead => "definitions:read",
            Self::DefinitionsWrite => "definitions:write",
            Self::InstancesRead => "instances:read",
            Self::InstancesWrite => "instances:write",
            Self::CredentialsRead => "credentials:read",
            Self::KeysWrite => "keys:write",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An API key as kept: what it may do, and the digest by which it is found.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// Its id, which is not the key.
    pub id: KeyId,
    /// The digest of the key.
    pub digest: Digest,
    /// The tenant that it is bound to; the operator's is bound to none.
    pub tenant: Option<TenantId>,
    /// The name that people see.
    pub name: String,
    /// What it may be used for.
    pub scopes: BTreeSet<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// Who is asking: what an API key, or another authorizer, makes of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Which key, for logs.
    pub key: String,
    /// The tenant that it is bound to; the operator is bound to none.
    pub tenant: Option<TenantId>,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
}
