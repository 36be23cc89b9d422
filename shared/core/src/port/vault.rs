//! Sealing what is precious.

use async_trait::async_trait;

use super::Secrets;
use crate::model::{
    Secret,
    sealed::{Place, Sealed},
};

/// Why a value could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The keys could not be reached; the same call may work later.
    #[error("the vault's keys can't be reached")]
    Unavailable,
    /// The secrets manager does not have the version, or does not show it yet.
    #[error("the secrets manager does not have the version")]
    Missing,
    /// The value was sealed with a key that is not in the keyring.
    #[error("the key that sealed this value is not in the keyring")]
    UnknownKey,
    /// The value is damaged, or belongs to another place.
    #[error("the value does not open here")]
    Refused,
}

/// Puts values into the vault.
#[async_trait]
pub trait Seal: Send + Sync {
    /// Gets ready, so that [`Seal::seal`] need not wait. Called before a lease is taken.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] if the keys can't be reached.
    async fn warm(&self) -> Result<(), VaultError>;

    /// Seals a value for its place. Never waits: nothing may come between a provider's answer and
    /// the write that keeps it.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] if the vault is not warm.
    fn seal(&self, place: &Place, value: &Secret<Vec<u8>>) -> Result<Sealed, VaultError>;

    /// Whether a value is sealed with the key that seals now. If the vault is not warm, or nothing can be said, it is not.
    fn is_current(&self, sealed: &Sealed) -> bool;
}

/// Takes values out of the vault as well.
#[async_trait]
pub trait Vault: Seal {
    /// Opens what was sealed for this very place.
    ///
    /// # Errors
    /// [`VaultError`] says why it does not open.
    async fn open(&self, place: &Place, sealed: &Sealed) -> Result<Secret<Vec<u8>>, VaultError>;

    /// The secrets manager that refresh tokens and auth methods' secrets belong in; `None` if they are sealed into the
    /// items.
    fn secrets(&self) -> Option<&dyn Secrets>;

    /// The secrets manager that some of them may be in: the same, or the one that the deployment is leaving.
    fn archive(&self) -> Option<&dyn Secrets> {
        self.secrets()
    }
}
