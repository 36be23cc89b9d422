//! Versions of secrets in a secrets manager.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::id::{InstanceKey, MethodKey};

/// The id of a version.
///
/// It follows from what the version holds, so that a write that is repeated is the same write.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SecretVersion(Box<str>);

/// The name space of our versions (RFC 9562 §5.5).
const SPACE: Uuid = Uuid::from_u128(0x6f0c_8f7e_52a4_4d3b_9a8e_21d4_7c10_be55);

impl SecretVersion {
    /// The version that holds the refresh tokens that `epoch` brought under a consent. If one of that
    /// id is there with another value, as after a backup was put back, `attempt` tells them apart.
    #[must_use]
    pub fn of(key: &InstanceKey, incarnation: u64, epoch: u64, attempt: u32) -> Self {
        Self::named(&format!(
            "{}\n{}\n{incarnation}\n{epoch}\n{attempt}",
            key.tenant, key.id
        ))
    }

    /// The version that holds the secrets that an auth method has in one of its own versions.
    #[must_use]
    pub fn of_method(key: &MethodKey, version: u64, attempt: u32) -> Self {
        Self::named(&format!("{}\n{}\n{version}\n{attempt}", key.tenant, key.id))
    }

    fn named(name: &str) -> Self {
        Self(Uuid::new_v5(&SPACE, name.as_bytes()).to_string().into())
    }

    /// A version as it was stored.
    #[must_use]
    pub fn stored(id: &str) -> Self {
        Self(id.into())
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_follows_from_instance_consent_and_epoch() {
        let key = |tenant: &str| InstanceKey {
            tenant: tenant.parse().unwrap(),
            id: "ins_01890000000000000000000000000000".parse().unwrap(),
        };
        let first = SecretVersion::of(&key("acme"), 1, 2, 0);
        assert_eq!(first, SecretVersion::of(&key("acme"), 1, 2, 0));
        assert_eq!(first.as_str().len(), 36);
        for other in [
            SecretVersion::of(&key("acme"), 2, 1, 0),
            SecretVersion::of(&key("acme"), 1, 3, 0),
            SecretVersion::of(&key("acme"), 1, 2, 1),
            SecretVersion::of(&key("acma"), 1, 2, 0),
        ] {
            assert_ne!(first, other);
        }
    }
}
