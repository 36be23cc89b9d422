//! The journal: refresh tokens on their way from the item into the secrets manager (`refresh.md`).
//!
//! # Why
//! Two stores can't be written at once. The item is written first, with the refresh tokens sealed into
//! it, and from then on nothing is lost. Then they go to the secrets manager; then the item points there
//! and forgets them. Whoever finds a journal repeats all that: each step is the same if it is made
//! again, and what has been overtaken meanwhile is refused.

use std::{borrow::Cow, time::Duration};

use tracing::warn;

use super::open::open_text;
use crate::{
    model::{
        Secret,
        grant::StoredGrant,
        id::InstanceKey,
        instance::{Instance, State},
        refresh_tokens::{Journal, RefreshTokens},
        secret_version::SecretVersion,
    },
    port::{
        Clock, Kept, NewVersion, Point, PointInstances, Secrets, SecretsError, StoreError, Vault,
        VaultError,
    },
};

/// How often a version is tried to be kept whose mark or id is not as thought.
const ROUNDS: u32 = 4;
/// How long is waited before each further look for a version that is not there yet.
const LOOKS: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(150),
    Duration::from_millis(400),
];

/// Why a journal could not be seen through.
#[derive(Debug, thiserror::Error)]
enum JournalError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error("the secret does not hold still")]
    Contended,
}

/// Whether somebody may have begun with a journal before.
#[derive(Debug, Clone, Copy)]
pub(super) enum Again {
    /// It was found.
    Yes,
    /// It was written just now.
    No,
}

/// What it takes to see a journal through.
#[derive(Clone, Copy)]
pub(super) struct Journals<'a> {
    pub(super) instances: &'a dyn PointInstances,
    pub(super) vault: &'a dyn Vault,
}

impl Journals<'_> {
    /// Sees a grant's journal through, if it has one: the grant as it is then, or `None` if the
    /// instance has moved on.
    ///
    /// That it could not be done is told in the log alone: the journal serves as well, and whoever
    /// leases next tries again.
    pub(super) async fn tidy<'g>(
        &self,
        key: &InstanceKey,
        incarnation: u64,
        grant: &'g StoredGrant,
        again: Again,
    ) -> Option<Cow<'g, StoredGrant>> {
        let (Some(secrets), RefreshTokens::Journal(journal)) =
            (self.vault.secrets(), &grant.refresh_tokens)
        else {
            return Some(Cow::Borrowed(grant));
        };
        match self
            .see_through(secrets, (key, incarnation), journal, again)
            .await
        {
            Ok(Some(version)) => Some(Cow::Owned(StoredGrant {
                refresh_tokens: RefreshTokens::Version(version),
                ..grant.clone()
            })),
            Ok(None) => None,
            Err(error) => {
                warn!(instance = %key.id, %error, "journal left for the next lease");
                Some(Cow::Borrowed(grant))
            }
        }
    }

    /// Puts what the journal holds into the secrets manager and has the item point there. The version;
    /// `None` if the instance has moved on.
    async fn see_through(
        &self,
        secrets: &dyn Secrets,
        (key, incarnation): (&InstanceKey, u64),
        journal: &Journal,
        again: Again,
    ) -> Result<Option<SecretVersion>, JournalError> {
        let name = Instance::secret_name(key);
        let place = Instance::refresh_place(key, journal.epoch);
        let value = open_text(self.vault, &place, &journal.sealed).await?;
        let mut instead_of = journal.instead_of.clone();
        let mut attempt = 0;
        for round in 0..ROUNDS {
            let version = SecretVersion::of(key, incarnation, journal.epoch, attempt);
            let new = NewVersion {
                name: &name,
                version: &version,
                value: &value,
                instead_of: instead_of.as_ref(),
                again: round > 0 || matches!(again, Again::Yes),
            };
            let kept = secrets.keep(new).await;
            if let Ok(Kept::Done) = kept {
                let point = Point {
                    key,
                    incarnation,
                    epoch: journal.epoch,
                    version: &version,
                };
                let is_pointed = self.instances.point(point).await?;
                if !is_pointed {
                    self.clean_up(secrets, key).await?;
                }
                return Ok(is_pointed.then_some(version));
            }
            // Somebody else has been at the secret. Nobody who was overtaken insists.
            if !self.is_there(key, incarnation, journal).await? {
                self.clean_up(secrets, key).await?;
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
        Err(JournalError::Contended)
    }

    /// Deletes the secret of an instance that was deleted meanwhile: whoever deleted it may have been
    /// done before the secret was made, and nobody else looks after it any more.
    async fn clean_up(&self, secrets: &dyn Secrets, key: &InstanceKey) -> Result<(), JournalError> {
        let now = self.instances.find(key).await?;
        let is_over = |now: &Instance| matches!(now.state, State::Deleted { .. });
        if now.as_ref().is_none_or(is_over) {
            secrets.delete(&Instance::secret_name(key)).await?;
        }
        Ok(())
    }

    /// Whether the instance still has this journal.
    async fn is_there(
        &self,
        key: &InstanceKey,
        incarnation: u64,
        journal: &Journal,
    ) -> Result<bool, StoreError> {
        let now = self.instances.find(key).await?;
        Ok(now.is_some_and(|now| {
            let has = |grant: &StoredGrant| match &grant.refresh_tokens {
                RefreshTokens::Journal(now) => now.epoch == journal.epoch,
                RefreshTokens::Inside | RefreshTokens::Version(_) => false,
            };
            now.incarnation == incarnation
                && !matches!(now.state, State::Deleted { .. })
                && now.grant().is_some_and(has)
        }))
    }
}

/// The text of a version, which is there but may not be seen yet.
pub(super) async fn read(
    vault: &dyn Vault,
    clock: &dyn Clock,
    key: &InstanceKey,
    version: &SecretVersion,
) -> Result<Secret, VaultError> {
    let secrets = vault.secrets().ok_or(VaultError::Unavailable)?;
    let name = Instance::secret_name(key);
    let mut pauses = LOOKS.into_iter();
    loop {
        let (why, error) = match secrets.read(&name, version).await {
            Ok(Some(text)) => return Ok(text),
            Ok(None) => ("version not found".to_owned(), VaultError::Missing),
            Err(SecretsError::Deleted) => {
                // Somebody has done that by hand: we delete no secret before its tokens are forgotten.
                let why = match secrets.restore(&name).await {
                    Ok(()) => "was going to be deleted; restored".to_owned(),
                    Err(error) => error.to_string(),
                };
                (why, VaultError::Unavailable)
            }
            Err(error @ SecretsError::Unavailable(_)) => {
                warn!(instance = %key.id, %error, "refresh tokens not read");
                return Err(VaultError::Unavailable);
            }
        };
        warn!(instance = %key.id, %version, why, "refresh tokens not read");
        let Some(pause) = pauses.next() else {
            return Err(error);
        };
        clock.sleep(pause).await;
    }
}
