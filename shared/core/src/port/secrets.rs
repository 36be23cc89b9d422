//! A secrets manager: what operators trust with refresh tokens, beside the items.

use async_trait::async_trait;

use crate::model::{Secret, secret_version::SecretVersion};

/// A version that is to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewVersion<'a> {
    /// The secret's name.
    pub name: &'a str,
    /// The version. Whoever keeps it again means the same value.
    pub version: &'a SecretVersion,
    /// The value.
    pub value: &'a Secret,
    /// The version that is the current one, as far as the caller knows.
    pub instead_of: Option<&'a SecretVersion>,
    /// Whether somebody may have come some way with it before: then what is there is looked at first,
    /// for a secret is not to be written more than needed.
    pub again: bool,
}

/// What became of a version that was to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It is there, and the current one.
    Done,
    /// It is there, but another than the caller thinks is the current one: this.
    Elsewhere(SecretVersion),
    /// A version of this id is there with another value: somebody's past was put back.
    Taken,
}

/// Why a secrets manager did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// It could not be reached, throttled us, or refused us; the same call may work later.
    ///
    /// A change that ends so may have been made.
    #[error("the secrets manager did not answer: {0}")]
    Unavailable(String),
    /// The secret is going to be deleted: nothing can be read or kept unless it is restored.
    #[error("the secret is going to be deleted")]
    Deleted,
}

/// Keeps secrets in versions.
///
/// The current version is marked for people and other programs, and so that it is never cleaned up.
/// We read versions by their id alone: the mark lags.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// Keeps a version and makes it the current one: makes the secret if there is none, puts the
    /// version beside the current one, and moves the mark if it is where the caller says.
    ///
    /// Each step is the same if it is made again, by whomever, so all of it may be repeated after any
    /// error or crash.
    ///
    /// # Errors
    /// [`SecretsError`]; how far it came is not known.
    async fn keep(&self, new: NewVersion<'_>) -> Result<Kept, SecretsError>;

    /// The value of a version; `None` if it is not there, or not there yet.
    ///
    /// # Errors
    /// [`SecretsError`] if it can't be read.
    async fn read(
        &self,
        name: &str,
        version: &SecretVersion,
    ) -> Result<Option<Secret>, SecretsError>;

    /// The same for a value that is asked for all the time, as an auth method's secrets are. A version never changes,
    /// so one that was read may be remembered.
    ///
    /// # Errors
    /// [`SecretsError`] if it can't be read.
    async fn recall(
        &self,
        name: &str,
        version: &SecretVersion,
    ) -> Result<Option<Secret>, SecretsError> {
        self.read(name, version).await
    }

    /// Takes back that a secret is going to be deleted.
    ///
    /// # Errors
    /// [`SecretsError`] if it could not be done.
    async fn restore(&self, name: &str) -> Result<(), SecretsError>;

    /// Deletes a secret, which may be restored for some days. There may be none, or it may be going
    /// to be deleted already.
    ///
    /// # Errors
    /// [`SecretsError::Unavailable`] if it could not be done.
    async fn delete(&self, name: &str) -> Result<(), SecretsError>;
}
