//! The journal: refresh tokens on their way from the item into the secrets manager (`refresh.md`).
//!
//! # Why
//! Two stores can't be written at once. The item is written first, with the refresh tokens sealed into
//! it, and from then on nothing is lost. Then they go to the secrets manager; then the item points there
//! and forgets them. Whoever finds a journal repeats all that: each step is the same if it is made
//! again, and what has been overtaken meanwhile is refused.

use std::borrow::Cow;

use async_trait::async_trait;
use tracing::warn;

use super::{
    keeping::{self, Again, Holder, KeepError},
    open::open_text,
};
use crate::{
    model::{
        Secret,
        grant::StoredGrant,
        id::InstanceKey,
        instance::{Instance, State},
        refresh_tokens::{Journal, RefreshTokens},
        secret_version::SecretVersion,
    },
    port::{Clock, Point, PointInstances, Secrets, StoreError, Vault, VaultError},
};

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
    ) -> Result<Option<SecretVersion>, KeepError> {
        let place = Instance::refresh_place(key, journal.epoch);
        let value = open_text(self.vault, &place, &journal.sealed).await?;
        let holder = Held {
            instances: self.instances,
            key,
            incarnation,
            journal,
        };
        keeping::keep(secrets, &holder, &value, again).await
    }
}

/// An instance that has a journal.
struct Held<'a> {
    instances: &'a dyn PointInstances,
    key: &'a InstanceKey,
    incarnation: u64,
    journal: &'a Journal,
}

#[async_trait]
impl Holder for Held<'_> {
    fn name(&self) -> String {
        Instance::secret_name(self.key)
    }

    fn version(&self, attempt: u32) -> SecretVersion {
        SecretVersion::of(self.key, self.incarnation, self.journal.epoch, attempt)
    }

    fn instead_of(&self) -> Option<&SecretVersion> {
        self.journal.instead_of.as_ref()
    }

    async fn point(&self, version: &SecretVersion) -> Result<bool, StoreError> {
        let point = Point {
            key: self.key,
            incarnation: self.incarnation,
            epoch: self.journal.epoch,
            version,
        };
        self.instances.point(point).await
    }

    /// Whoever deleted it may have been done before the secret was made.
    async fn is_over(&self) -> Result<bool, StoreError> {
        let now = self.instances.find(self.key).await?;
        let is_over = |now: &Instance| matches!(now.state, State::Deleted { .. });
        Ok(now.as_ref().is_none_or(is_over))
    }

    async fn is_there(&self) -> Result<bool, StoreError> {
        let now = self.instances.find(self.key).await?;
        Ok(now.is_some_and(|now| {
            let has = |grant: &StoredGrant| match &grant.refresh_tokens {
                RefreshTokens::Journal(now) => now.epoch == self.journal.epoch,
                RefreshTokens::Inside | RefreshTokens::Version(_) => false,
            };
            now.incarnation == self.incarnation
                && !matches!(now.state, State::Deleted { .. })
                && now.grant().is_some_and(has)
        }))
    }
}

/// The refresh tokens in a version.
pub(super) async fn read(
    vault: &dyn Vault,
    clock: &dyn Clock,
    key: &InstanceKey,
    version: &SecretVersion,
) -> Result<Secret, VaultError> {
    let name = Instance::secret_name(key);
    keeping::read(vault, clock, (&name, version), keeping::Asked::Rarely).await
}
