//! Moving what is precious: under the key that seals now, and into the vault where it belongs now.
//!
//! # Why
//! A key that may have been seen must go, and a deployment may outgrow its vault, or want to be rid of its costs. What is
//! written anyway goes where it belongs; this goes through the rest, while everybody works.
//!
//! # How it works
//! Ciphertext under another key is one conditional write: the epoch says where it belongs, and stays. Refresh tokens go to
//! the other vault as a refresh brings new ones there, under a lease and an epoch of their own, so that nobody who has read
//! the old place commits it again; the item has them first. What somebody works at, or whose last request's fate is
//! unknown, is left; it may be asked again. A secret is deleted when its item no longer needs it, and can be restored for
//! some days.

use std::{fmt, time::Duration};

use super::{
    journal::Journals,
    keeping::Again,
    method_secrets::{MethodSecrets, open_secrets},
    open::bytes,
    refresh::{SKEW, later},
    retry,
    seal::{seal_anew, seal_whole},
};
use crate::{
    flow::open::open_tokens,
    model::{
        Secret,
        grant::StoredGrant,
        id::InstanceKey,
        instance::{Instance, State},
        method::{MethodValues, StoredMethod},
        refresh_tokens::{Journal, RefreshTokens},
        sealed::{Place, Sealed},
        spare::{Spare, SpareAnswer},
    },
    port::{
        Change, Clock, Commit, Committed, Due, Entropy, Leased, NewLease, RehouseInstances,
        RehouseMethods, SecretsError, StoreError, Vault, VaultError,
    },
};

/// How long a move may hold a lease.
const LEASE: Duration = Duration::from_secs(30);

/// What is to be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// What is sealed with another key than the one that seals now.
    OtherKeys,
    /// That, and refresh tokens and auth methods' secrets that are in the other vault.
    OtherVault,
}

/// What became of an instance or an auth method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rehoused {
    /// It was where it belongs.
    InPlace,
    /// It is there now.
    Moved,
    /// Somebody works at it, or has just changed it, or a refresh of it must be settled first. Later it can be moved.
    Left,
}

/// Why something could not be moved.
#[derive(Debug, thiserror::Error)]
pub enum RehouseError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault did not open or seal.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The secrets manager did not answer.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
}

/// What the flow needs.
#[derive(Clone, Copy)]
pub struct Rehouse<'a> {
    /// Instances.
    pub instances: &'a dyn RehouseInstances,
    /// Auth methods.
    pub methods: &'a dyn RehouseMethods,
    /// The vault as it is to be, with the other one to be read.
    pub vault: &'a dyn Vault,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Randomness.
    pub entropy: &'a dyn Entropy,
}

impl fmt::Debug for Rehouse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rehouse")
    }
}

impl Rehouse<'_> {
    /// Moves what an instance has, as just read. One that is deleted goes by itself, with all it has.
    ///
    /// # Errors
    /// [`RehouseError`] if something did not answer, or does not open. It may be tried again.
    pub async fn instance(&self, seen: &Instance, what: What) -> Result<Rehoused, RehouseError> {
        if matches!(seen.state, State::Deleted { .. }) {
            return Ok(Rehoused::InPlace);
        }
        self.vault.warm().await?;
        let now = self.resealed(seen).await?;
        let is_resealed = match &now {
            Some(now) if !self.instances.reseal(seen, now).await? => return Ok(Rehoused::Left),
            now => now.is_some(),
        };
        let now = now.as_ref().unwrap_or(seen);
        let moved = match what {
            What::OtherKeys => Rehoused::InPlace,
            What::OtherVault => self.settle_in(now).await?,
        };
        Ok(match moved {
            Rehoused::InPlace if is_resealed => Rehoused::Moved,
            Rehoused::InPlace | Rehoused::Moved | Rehoused::Left => moved,
        })
    }

    /// Moves the secrets of an auth method, as just read.
    ///
    /// # Errors
    /// As [`Rehouse::instance`].
    pub async fn method(&self, seen: &StoredMethod, what: What) -> Result<Rehoused, RehouseError> {
        self.vault.warm().await?;
        let mut next = seen.clone();
        let mut is_changed = false;
        for (name, sealed) in &mut next.values.sealed {
            is_changed |= self
                .renew(&StoredMethod::value_place(&seen.key, name), sealed)
                .await?;
        }
        let leaves = what == What::OtherVault && self.vault.secrets().is_none();
        if leaves && seen.values.apart.is_some() {
            next.values = self.inside(seen).await?;
            is_changed = true;
        }
        if is_changed {
            next.version += 1;
            if self.methods.move_secrets(seen, &next).await? != Change::Done {
                return Ok(Rehoused::Left);
            }
        }
        if leaves {
            self.forget(&StoredMethod::secret_name(&seen.key)).await?;
        } else if what == What::OtherVault && !next.values.sealed.is_empty() {
            let secrets = MethodSecrets {
                methods: self.methods,
                vault: self.vault,
                clock: self.clock,
            };
            let next = secrets.tidy(None, next).await;
            return Ok(match next.values.sealed.is_empty() {
                true => Rehoused::Moved,
                false => Rehoused::Left,
            });
        }
        Ok(match is_changed {
            true => Rehoused::Moved,
            false => Rehoused::InPlace,
        })
    }

    /// All secrets of an auth method, sealed.
    async fn inside(&self, method: &StoredMethod) -> Result<MethodValues, RehouseError> {
        let all = open_secrets(self.vault, self.clock, method).await?;
        let sealed = all.iter().map(|(name, secret)| {
            let place = StoredMethod::value_place(&method.key, name);
            Ok((name.clone(), self.vault.seal(&place, &bytes(secret))?))
        });
        Ok(MethodValues {
            plain: method.values.plain.clone(),
            sealed: sealed.collect::<Result<_, VaultError>>()?,
            apart: None,
        })
    }

    /// The instance with everything under the key that seals now; `None` if that is so.
    async fn resealed(&self, seen: &Instance) -> Result<Option<Instance>, RehouseError> {
        let key = &seen.key;
        let mut next = seen.clone();
        let mut is_changed = false;
        for (name, sealed) in &mut next.values.sealed {
            is_changed |= self
                .renew(&Instance::value_place(key, name), sealed)
                .await?;
        }
        if let Some(grant) = next.grant_mut() {
            is_changed |= self.renew_grant(key, grant).await?;
        }
        for Spare { epoch, answer, .. } in &mut next.spares {
            is_changed |= match answer {
                SpareAnswer::Grant(grant) => self.renew_grant(key, grant).await?,
                SpareAnswer::Raw { sealed, .. } => {
                    self.renew(&Instance::answer_place(key, *epoch), sealed)
                        .await?
                }
            };
        }
        Ok(is_changed.then_some(next))
    }

    async fn renew_grant(
        &self,
        key: &InstanceKey,
        grant: &mut StoredGrant,
    ) -> Result<bool, RehouseError> {
        let place = Instance::tokens_place(key, grant.epoch);
        let is_changed = self.renew(&place, &mut grant.tokens).await?;
        let RefreshTokens::Journal(Journal { epoch, sealed, .. }) = &mut grant.refresh_tokens
        else {
            return Ok(is_changed);
        };
        let place = Instance::refresh_place(key, *epoch);
        Ok(self.renew(&place, sealed).await? || is_changed)
    }

    /// Seals a value anew if it is sealed with another key. Says whether it was.
    async fn renew(&self, place: &Place, sealed: &mut Sealed) -> Result<bool, RehouseError> {
        if self.vault.is_current(sealed) {
            return Ok(false);
        }
        let opened: Secret<Vec<u8>> = self.vault.open(place, sealed).await?;
        *sealed = self.vault.seal(place, &opened)?;
        Ok(true)
    }

    /// Moves refresh tokens to the vault where they belong.
    async fn settle_in(&self, now: &Instance) -> Result<Rehoused, RehouseError> {
        let moved = match &now.state {
            State::Pending | State::Deleted { .. } => Rehoused::InPlace,
            State::ReconnectRequired { grant, .. } => self.let_lie(now, grant).await?,
            State::Suspect { grant, .. } if self.is_misplaced(grant) => Rehoused::Left,
            State::Active(grant) if self.is_misplaced(grant) => self.bring(now, grant).await?,
            State::Active(_) | State::Suspect { .. } => Rehoused::InPlace,
        };
        if moved == Rehoused::Left || self.vault.secrets().is_some() || now.incarnation == 0 {
            return Ok(moved);
        }
        let needs = |spare: &Spare| spare.grant().is_some_and(|grant| self.is_misplaced(grant));
        if now.spares.iter().any(needs) {
            return Ok(Rehoused::Left);
        }
        self.forget(&Instance::secret_name(&now.key)).await?;
        Ok(moved)
    }

    fn is_misplaced(&self, grant: &StoredGrant) -> bool {
        match grant.refresh_tokens {
            RefreshTokens::Inside => self.vault.secrets().is_some() && grant.refreshable,
            RefreshTokens::Journal(_) => true,
            RefreshTokens::Version(_) => self.vault.secrets().is_none(),
        }
    }

    /// Moves the grant of an instance that nobody refreshes: out of the secrets manager, and never into it.
    async fn let_lie(&self, now: &Instance, grant: &StoredGrant) -> Result<Rehoused, RehouseError> {
        if self.vault.secrets().is_some() || !self.is_misplaced(grant) {
            return Ok(Rehoused::InPlace);
        }
        let tokens = open_tokens(self.vault, self.clock, &now.key, grant).await?;
        let mut next = now.clone();
        if let Some(there) = next.grant_mut() {
            *there = seal_whole(self.vault, &now.key, grant, &tokens)?;
        }
        Ok(match self.instances.reseal(now, &next).await? {
            true => Rehoused::Moved,
            false => Rehoused::Left,
        })
    }

    /// Moves the grant of an instance that is refreshed, under a lease.
    async fn bring(&self, now: &Instance, grant: &StoredGrant) -> Result<Rehoused, RehouseError> {
        let journals = Journals {
            instances: self.instances,
            vault: self.vault,
        };
        if let (Some(_), RefreshTokens::Journal(_)) = (self.vault.secrets(), &grant.refresh_tokens)
        {
            let tidied = journals
                .tidy(&now.key, now.incarnation, grant, Again::Yes)
                .await;
            return Ok(match tidied {
                Some(grant) if !self.is_misplaced(&grant) => Rehoused::Moved,
                Some(_) | None => Rehoused::Left,
            });
        }
        if now.attempts > 0 || now.failures > 0 {
            // A commit would forget what is known of the last request.
            return Ok(Rehoused::Left);
        }
        let epoch = now.epoch + 1;
        let version = grant.refresh_tokens.version();
        let moved = seal_anew(self.vault, self.clock, &now.key, (grant, epoch), version).await?;
        let moved = StoredGrant {
            parent: Some(grant.epoch),
            ..moved
        };
        let (at, nonce) = (self.clock.now(), self.entropy.secret().expose().clone());
        let lease = NewLease {
            key: &now.key,
            epoch: now.epoch,
            base: grant.epoch,
            nonce: &nonce,
            now: at,
            lapsed_before: later(at, SKEW, -1),
            until: later(at, LEASE, 1),
        };
        let Leased::Held = self.instances.lease(lease).await? else {
            return Ok(Rehoused::Left);
        };
        let commit = Commit {
            key: &now.key,
            incarnation: now.incarnation,
            base: grant.epoch,
            grant: &moved,
            spares: None,
            events: &[],
            due: Due::next(&now.key, &now.schedule_with(&moved)),
            next: None,
        };
        let committed = retry::insist(self.clock, || self.instances.commit(commit.clone())).await?;
        if !matches!(committed, Committed::Done) {
            return Ok(Rehoused::Left);
        }
        let tidied = journals
            .tidy(&now.key, now.incarnation, &moved, Again::No)
            .await;
        Ok(match tidied {
            Some(grant) if !self.is_misplaced(&grant) => Rehoused::Moved,
            Some(_) | None => Rehoused::Left,
        })
    }

    /// Deletes a secret that no item needs any more.
    async fn forget(&self, name: &str) -> Result<(), RehouseError> {
        match self.vault.archive() {
            Some(secrets) => Ok(secrets.delete(name).await?),
            None => Ok(()),
        }
    }
}
