//! What goes from an item into the secrets manager, and comes back from there.
//!
//! The item has it first, sealed. Then it goes to the secrets manager, and then the item points there
//! and forgets it. Each step is the same if it is made again, and what has been overtaken is refused.

use std::time::Duration;

use async_trait::async_trait;
use tracing::warn;

use crate::{
    model::{Secret, secret_version::SecretVersion},
    port::{Clock, Kept, NewVersion, Secrets, SecretsError, StoreError, Vault, VaultError},
};

/// How often a version is tried to be kept whose mark or id is not as thought.
const ROUNDS: u32 = 4;
/// How long is waited before each further look for a version that is not there yet.
const LOOKS: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(150),
    Duration::from_millis(400),
];

/// Why something did not get into the secrets manager.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error("the secret does not hold still")]
    Contended,
}

/// Whether somebody may have begun before.
#[derive(Debug, Clone, Copy)]
pub(super) enum Again {
    /// It was found.
    Yes,
    /// It was written just now.
    No,
}

/// The item that something is in that is to go to the secrets manager.
#[async_trait]
pub(super) trait Holder: Sync {
    /// The secret's name.
    fn name(&self) -> String;

    /// The version that is to hold it.
    fn version(&self, attempt: u32) -> SecretVersion;

    /// The version that it takes the place of.
    fn instead_of(&self) -> Option<&SecretVersion>;

    /// Points at the version; whether the item points there.
    async fn point(&self, version: &SecretVersion) -> Result<bool, StoreError>;

    /// Whether the item is still as it was.
    async fn is_there(&self) -> Result<bool, StoreError>;

    /// Whether the item is gone for good, and nobody else looks after the secret any more.
    async fn is_over(&self) -> Result<bool, StoreError>;
}

/// Keeps a value and has the item point there. The version; `None` if the item has moved on.
pub(super) async fn keep(
    secrets: &dyn Secrets,
    holder: &dyn Holder,
    value: &Secret,
    again: Again,
) -> Result<Option<SecretVersion>, KeepError> {
    let name = holder.name();
    let mut instead_of = holder.instead_of().cloned();
    let mut attempt = 0;
    for round in 0..ROUNDS {
        let version = holder.version(attempt);
        let new = NewVersion {
            name: &name,
            version: &version,
            value,
            instead_of: instead_of.as_ref(),
            again: round > 0 || matches!(again, Again::Yes),
        };
        let kept = secrets.keep(new).await;
        if let Ok(Kept::Done) = kept {
            let is_pointed = holder.point(&version).await?;
            if !is_pointed {
                clean_up(secrets, holder).await?;
            }
            return Ok(is_pointed.then_some(version));
        }
        // Somebody else has been at the secret. Nobody who was overtaken insists.
        if !holder.is_there().await? {
            clean_up(secrets, holder).await?;
            return Ok(None);
        }
        match kept {
            Ok(Kept::Elsewhere(current)) => instead_of = Some(current),
            Ok(Kept::Taken) => attempt += 1,
            Err(SecretsError::Deleted) => secrets.restore(&name).await?,
            Err(error @ SecretsError::Unavailable(_)) => return Err(error.into()),
            Ok(Kept::Done) => {}
        }
    }
    Err(KeepError::Contended)
}

/// Deletes the secret of what was deleted meanwhile.
async fn clean_up(secrets: &dyn Secrets, holder: &dyn Holder) -> Result<(), KeepError> {
    if holder.is_over().await? {
        secrets.delete(&holder.name()).await?;
    }
    Ok(())
}

/// How often a value is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Once for each version, more or less.
    Rarely,
    /// All the time: it is remembered.
    Often,
}

/// The text of a version, which is there but may not be seen yet.
pub(super) async fn read(
    vault: &dyn Vault,
    clock: &dyn Clock,
    (name, version): (&str, &SecretVersion),
    asked: Asked,
) -> Result<Secret, VaultError> {
    let secrets = vault.archive().ok_or(VaultError::Unavailable)?;
    let mut pauses = LOOKS.into_iter();
    loop {
        let read = match asked {
            Asked::Rarely => secrets.read(name, version).await,
            Asked::Often => secrets.recall(name, version).await,
        };
        let (why, error) = match read {
            Ok(Some(text)) => return Ok(text),
            Ok(None) => ("version not found".to_owned(), VaultError::Missing),
            Err(SecretsError::Deleted) => {
                // Somebody has done that by hand: we delete no secret before its tokens are forgotten.
                let why = match secrets.restore(name).await {
                    Ok(()) => "was going to be deleted; restored".to_owned(),
                    Err(error) => error.to_string(),
                };
                (why, VaultError::Unavailable)
            }
            Err(error @ SecretsError::Unavailable(_)) => {
                warn!(secret = name, %error, "not read");
                return Err(VaultError::Unavailable);
            }
        };
        warn!(secret = name, %version, why, "not read");
        let Some(pause) = pauses.next() else {
            return Err(error);
        };
        clock.sleep(pause).await;
    }
}
