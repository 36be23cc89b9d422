//! The sealed vault: ciphertext lives in the items themselves.
//!
//! # How it works
//! AES-256-GCM with a fresh random nonce of 96 bits (NIST SP 800-38D §8.2.2, good for 2³² messages a
//! key), and the [`Place`] as associated data, so that a ciphertext moved to another row does not open.
//! The layout is: one byte for the format, one for the length of the key's id, that id, the nonce,
//! then ciphertext and tag.

use std::sync::Arc;

use async_trait::async_trait;
use latchkey_core::{
    model::{
        Secret,
        sealed::{Place, Sealed},
    },
    port::{Entropy, Seal, Secrets, Vault, VaultError},
};
use ring::aead::{Aad, NONCE_LEN, Nonce};
use zeroize::Zeroizing;

use crate::keys::Keys;

const FORMAT: u8 = 1;

/// A vault whose keys are in the process once they are needed, and whose ciphertext is in the items.
pub struct SealedVault {
    keys: Keys,
    entropy: Arc<dyn Entropy>,
    secrets: Option<Arc<dyn Secrets>>,
    /// Whether what is in the secrets manager is only read.
    is_leaving: bool,
}

impl SealedVault {
    /// A vault with these keys.
    #[must_use]
    pub fn new(keys: impl Into<Keys>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            keys: keys.into(),
            entropy,
            secrets: None,
            is_leaving: false,
        }
    }

    /// The same, with refresh tokens in a secrets manager. All else stays sealed into the items.
    #[must_use]
    pub fn with_secrets(self, secrets: Option<Arc<dyn Secrets>>) -> Self {
        Self { secrets, ..self }
    }

    /// The same, leaving its secrets manager, or not: all that is new is sealed into the items, and what is there is read.
    #[must_use]
    pub fn leaving(self, is_leaving: bool) -> Self {
        Self { is_leaving, ..self }
    }
}

impl std::fmt::Debug for SealedVault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealedVault(..)")
    }
}

#[async_trait]
impl Seal for SealedVault {
    async fn warm(&self) -> Result<(), VaultError> {
        self.keys.warm().await
    }

    fn seal(&self, place: &Place, value: &Secret<Vec<u8>>) -> Result<Sealed, VaultError> {
        let keyring = self.keys.keyring().ok_or(VaultError::Unavailable)?;
        let (id, key) = keyring.current().ok_or(VaultError::UnknownKey)?;
        let length = u8::try_from(id.len()).map_err(|_| VaultError::Refused)?;
        let mut nonce = [0; NONCE_LEN];
        self.entropy.fill(&mut nonce);
        // Encrypted in place: with room for the tag, no copy of the value is left behind.
        let mut body = Zeroizing::new(Vec::with_capacity(value.expose().len() + TAG));
        body.extend_from_slice(value.expose());
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(place.associated_data()),
            &mut *body,
        )
        .map_err(|_| VaultError::Refused)?;
        let mut bytes = vec![FORMAT, length];
        bytes.extend_from_slice(id.as_bytes());
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&body);
        Ok(Sealed::new(bytes))
    }

    fn is_current(&self, sealed: &Sealed) -> bool {
        let keyring = self.keys.keyring();
        let current = keyring.as_ref().and_then(|keyring| keyring.current());
        let parts = Parts::split(sealed.as_bytes());
        current
            .zip(parts)
            .is_some_and(|((id, _), parts)| id == parts.key)
    }
}

#[async_trait]
impl Vault for SealedVault {
    async fn open(&self, place: &Place, sealed: &Sealed) -> Result<Secret<Vec<u8>>, VaultError> {
        let parts = Parts::split(sealed.as_bytes()).ok_or(VaultError::Refused)?;
        let key = self.keys.find(parts.key).await?;
        let mut body = Zeroizing::new(parts.body.to_vec());
        let opened = key
            .open_in_place(
                Nonce::assume_unique_for_key(parts.nonce),
                Aad::from(place.associated_data()),
                &mut body,
            )
            .map_err(|_| VaultError::Refused)?;
        Ok(Secret::new(opened.to_vec()))
    }

    fn secrets(&self) -> Option<&dyn Secrets> {
        self.archive().filter(|_| !self.is_leaving)
    }

    fn archive(&self) -> Option<&dyn Secrets> {
        self.secrets.as_deref()
    }
}

const TAG: usize = 16;

/// The parts of a sealed value.
struct Parts<'a> {
    key: &'a str,
    nonce: [u8; NONCE_LEN],
    body: &'a [u8],
}

impl<'a> Parts<'a> {
    fn split(bytes: &'a [u8]) -> Option<Self> {
        let (&[format, length], rest) = bytes.split_first_chunk()?;
        if format != FORMAT {
            return None;
        }
        let (key, rest) = rest.split_at_checked(usize::from(length))?;
        let (nonce, body) = rest.split_first_chunk()?;
        Some(Self {
            key: std::str::from_utf8(key).ok()?,
            nonce: *nonce,
            body,
        })
    }
}
