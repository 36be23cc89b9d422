//! What names the tokens that a credential was made of.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::id::{InstanceKey, id_text};

/// Names the tokens that a credential was made of, so that a caller can say which of them was rejected.
/// It says nothing of the tokens themselves, and follows from the instance and the epoch.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "crd_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e")]
pub struct CredentialId(Box<str>);

id_text!(CredentialId, "crd_", "credential");

impl CredentialId {
    /// The name of the tokens that `epoch` produced.
    #[must_use]
    pub fn of(key: &InstanceKey, epoch: u64) -> Self {
        let digest: [u8; 32] = Sha256::digest(format!("{}/{}/{epoch}", key.tenant, key.id)).into();
        let mut first = [0; 16];
        first
            .iter_mut()
            .zip(digest)
            .for_each(|(to, from)| *to = from);
        Self::of_bytes(first)
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
