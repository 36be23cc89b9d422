//! What names the tokens that a credential was made of.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::id::{IdError, InstanceKey};

/// Names the tokens that a credential was made of, so that a caller can say which of them was rejected.
/// It says nothing of the tokens themselves, and follows from the instance and the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "crd_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e")]
pub struct CredentialId(Box<str>);

impl CredentialId {
    const PREFIX: &'static str = "crd_";

    /// The name of the tokens that `epoch` produced.
    #[must_use]
    pub fn of(key: &InstanceKey, epoch: u64) -> Self {
        let digest = Sha256::digest(format!("{}/{}/{epoch}", key.tenant, key.id));
        let digits = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
        Self(format!("{}{}", Self::PREFIX, digits.collect::<String>()).into())
    }
}

impl FromStr for CredentialId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let hex = text.strip_prefix(Self::PREFIX);
        let is_hex = |hex: &str| hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if hex.is_some_and(|hex| hex.len() == 32 && is_hex(hex)) {
            Ok(Self(text.into()))
        } else {
            Err(IdError::of("credential"))
        }
    }
}

impl TryFrom<String> for CredentialId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<CredentialId> for String {
    fn from(id: CredentialId) -> Self {
        id.0.into()
    }
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_the_tokens_of_one_epoch_of_one_instance() {
        let key = |tenant: &str| InstanceKey {
            tenant: tenant.parse().unwrap(),
            id: "ins_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e".parse().unwrap(),
        };
        let id = CredentialId::of(&key("acme"), 3);
        assert_eq!(id.to_string().parse(), Ok(id.clone()));
        assert_ne!(id, CredentialId::of(&key("acme"), 4));
        assert_ne!(id, CredentialId::of(&key("emca"), 3));
        for text in ["", "crd_", "crd_12", "ins_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e"] {
            assert!(text.parse::<CredentialId>().is_err(), "{text}");
        }
    }
}
