//! Refreshing one instance without losing its connection (`refresh.md`).
//!
//! # Why
//! A refresh token may be usable once. Whoever uses it and loses the answer has lost the user's
//! connection, and only the user can mend it.
//!
//! # How it works
//! Everything the request needs is opened first. Then one conditional write takes the lease and
//! proves that the store can take the answer. The request is sent once. Its answer is sealed
//! without waiting for anything and committed with a second conditional write, ordered by epoch. If
//! the instance has moved on meanwhile, the item says what to do. Steps that follow come after.

mod admit;
mod breakers;
mod call;
mod follow;
mod hand_over;
mod health;
mod keep;
mod prepare;
mod refuse;
mod slots;
mod spares;

pub use self::{
    breakers::Breakers,
    slots::{Slot, Slots},
};
pub use crate::model::limits::{CALL, LEASE, SKEW};

use std::{borrow::Cow, time::Duration};

use jiff::{SignedDuration, Timestamp};

use self::prepare::{Found, Prepared};
use super::{Deployment, announce::Announce, journal::Journals, keeping::Again, retry};
use crate::{
    model::{
        failure::{Failure, FailureCode},
        grant::{StoredGrant, Tokens},
        host::Host,
        instance::Instance,
        limits::Limits,
        pause::Pause,
    },
    port::{
        Clock, Counted, Egress, Entropy, Healths, Leased, Leases, Methods, Metrics, NewLease,
        Queue, StoreError, Vault, VaultError,
    },
    protocol::refusal::TokenFailure,
};

/// What became of a refresh.
#[derive(Debug)]
pub enum Refreshed {
    /// There is a new grant.
    Renewed(Box<StoredGrant>, Box<Tokens>),
    /// Somebody else is at it, or has just been: look again.
    Moved,
    /// The worker has as many calls under way at this host as it may; nothing was done.
    Busy(Host),
    /// The host or the auth method is not to be asked now; nothing was done.
    Paused(Pause),
    /// It failed; the instance keeps what it has.
    Failed {
        /// What went wrong.
        failure: Failure,
        /// How long nobody tries again.
        wait: Duration,
    },
    /// Only a new consent helps.
    Ended(Failure),
    /// The instance is gone.
    Gone,
}

/// Why a refresh could not be tried.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault did not open or seal.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl RefreshError {
    /// Whether the same may work later.
    fn passes(&self) -> bool {
        match self {
            Self::Store(StoreError::Unavailable(_)) | Self::Vault(VaultError::Unavailable) => true,
            Self::Store(StoreError::Corrupt(_))
            | Self::Vault(VaultError::Missing | VaultError::UnknownKey | VaultError::Refused) => {
                false
            }
        }
    }
}

/// What the flow needs.
#[derive(Clone, Copy)]
pub struct Refresh<'a> {
    /// Instances.
    pub instances: &'a dyn Leases,
    /// Auth methods.
    pub methods: &'a dyn Methods,
    /// The vault.
    pub vault: &'a dyn Vault,
    /// The way out.
    pub egress: &'a dyn Egress,
    /// The breakers of token hosts.
    pub breakers: &'a Breakers,
    /// The health of auth methods.
    pub healths: &'a dyn Healths,
    /// Telling others.
    pub announce: Announce<'a>,
    /// What operators watch.
    pub metrics: &'a dyn Metrics,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Randomness.
    pub entropy: &'a dyn Entropy,
    /// The queue of the workers, if there is one.
    pub queue: Option<&'a dyn Queue>,
    /// Where we run.
    pub deployment: &'a Deployment,
    /// The slots of the worker that this is, if it makes calls for many.
    pub slots: Option<&'a Slots>,
}

impl std::fmt::Debug for Refresh<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Refresh")
    }
}

/// What a caller has for a refresh.
#[derive(Debug, Default)]
pub struct Within<'a> {
    /// A slot of the host's.
    pub slot: Option<Slot<'a>>,
    /// When the invocation ends; if it is not known nothing is asked again after an answer was lost.
    pub ends: Option<Timestamp>,
}

/// A lease that is held, and what it was taken over.
struct Held<'a> {
    /// The instance as it was before the lease.
    instance: Cow<'a, Instance>,
    grant: &'a StoredGrant,
    nonce: String,
    /// When it was asked for.
    since: Timestamp,
    limits: Limits,
    /// How long the instance's access tokens live.
    lifetime: SignedDuration,
}

impl Held<'_> {
    fn epoch(&self) -> u64 {
        self.instance.epoch + 1
    }
}

impl Refresh<'_> {
    /// Refreshes an instance whose grant is active or suspect, as just read.
    ///
    /// # Errors
    /// [`RefreshError`] if it could not be tried, or its outcome could not be kept.
    pub async fn refresh(&self, instance: &Instance) -> Result<Refreshed, RefreshError> {
        self.refresh_in(instance, Within::default()).await
    }

    /// The same, with what the caller has for it.
    ///
    /// # Errors
    /// [`RefreshError`] if it could not be tried, or its outcome could not be kept.
    pub async fn refresh_in(
        &self,
        instance: &Instance,
        within: Within<'_>,
    ) -> Result<Refreshed, RefreshError> {
        let refreshed = self.attempt(instance, within).await?;
        match &refreshed {
            Refreshed::Renewed(..) => self.metrics.count(Counted::Refreshed),
            Refreshed::Failed { failure, .. } => {
                self.metrics.count(Counted::Failed(failure.code.blame()));
            }
            Refreshed::Ended(_) => self.metrics.count(Counted::ReconnectRequired),
            Refreshed::Moved | Refreshed::Busy(_) | Refreshed::Paused(_) | Refreshed::Gone => {}
        }
        Ok(refreshed)
    }

    async fn attempt(
        &self,
        instance: &Instance,
        within: Within<'_>,
    ) -> Result<Refreshed, RefreshError> {
        let Some(grant) = instance.usable_grant() else {
            return Ok(Refreshed::Moved);
        };
        let Within { mut slot, ends } = within;
        let found = self.found(instance).await?;
        if let Some(found) = &found
            && self.held_off(instance, found.rotation()).await?
        {
            return Ok(Refreshed::Moved);
        }
        // Who is not to be asked now costs no secret.
        let named = match &found {
            Some(found) if !instance.has_unread() => {
                let named = self.named_host(found, instance);
                if named.is_some()
                    && let Some(refused) = self.admitted(found, named.as_ref(), &mut slot).await?
                {
                    return Ok(refused);
                }
                named
            }
            Some(_) | None => None,
        };
        // Keys are warm and secrets open before the lease: nothing waits on them later.
        self.vault.warm().await?;
        let Some(grant) = self.tidy(instance, grant, Again::Yes).await else {
            return Ok(Refreshed::Moved);
        };
        let grant = &*grant;
        let Some(found) = found else {
            return Box::pin(self.impossible(instance, grant)).await;
        };
        let prepared = self.opened(instance, grant, found).await?;
        if instance.has_unread() && Box::pin(self.read_again(instance, grant, &prepared)).await? {
            return Ok(Refreshed::Moved);
        }
        if named.is_none() || named != prepared.host {
            // One for another host is of no use.
            slot = slot.filter(|_| named.is_none());
            let (found, host) = (&prepared.found, prepared.host.as_ref());
            if let Some(refused) = self.admitted(found, host, &mut slot).await? {
                return Ok(refused);
            }
        }
        let (rotation, limits) = (prepared.rotation(), prepared.found.limits());
        self.insure(&instance.key, rotation, limits).await;
        let held = match self.leased(instance, grant, limits).await? {
            Ok(held) => held,
            Err(refused) => return Ok(refused),
        };
        let refreshed = self.call(held, &prepared, ends).await?;
        self.remind(&instance.key, rotation, &refreshed).await;
        Ok(refreshed)
    }

    /// Remembers that no request can be made: the auth method is gone, or can't be read.
    async fn impossible(
        &self,
        instance: &Instance,
        grant: &StoredGrant,
    ) -> Result<Refreshed, RefreshError> {
        let failure = TokenFailure::new(FailureCode::RequestImpossible, false);
        match self.leased(instance, grant, Limits::default()).await? {
            Ok(held) => self.failed(&held, None, failure).await,
            Err(refused) => Ok(refused),
        }
    }

    /// Takes the lease; or says what became of the refresh.
    async fn leased<'h>(
        &self,
        instance: &'h Instance,
        grant: &'h StoredGrant,
        limits: Limits,
    ) -> Result<Result<Held<'h>, Refreshed>, RefreshError> {
        let now = self.clock.now();
        let nonce = self.entropy.secret().expose().clone();
        let lease = NewLease {
            key: &instance.key,
            epoch: instance.epoch,
            base: grant.epoch,
            nonce: &nonce,
            now,
            lapsed_before: later(now, SKEW, -1),
            until: later(now, limits.lease(), 1),
        };
        Ok(match self.instances.lease(lease).await? {
            Leased::Refused(None) => Err(Refreshed::Gone),
            Leased::Refused(Some(_)) => Err(Refreshed::Moved),
            Leased::Held => Ok(Held {
                instance: Cow::Borrowed(instance),
                grant,
                nonce,
                since: now,
                limits,
                lifetime: instance.schedule_with(grant).lifetime(),
            }),
        })
    }

    /// Gives a lease back under which nothing was sent that is in doubt.
    async fn freed(&self, held: &Held<'_>) -> Result<(), StoreError> {
        let Instance { key, last_send, .. } = &*held.instance;
        let free = || self.instances.free(key, &held.nonce, *last_send);
        retry::insist(self.clock, free).await
    }

    /// Sees the journal of an instance's grant through; `None` if the instance has moved on.
    async fn tidy<'g>(
        &self,
        instance: &Instance,
        grant: &'g StoredGrant,
        again: Again,
    ) -> Option<Cow<'g, StoredGrant>> {
        let (instances, vault) = (self.instances, self.vault);
        let journals = Journals { instances, vault };
        journals
            .tidy(&instance.key, instance.incarnation, grant, again)
            .await
    }
}

pub(in crate::flow) fn later(start: Timestamp, span: Duration, sign: i32) -> Timestamp {
    let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::ZERO) * sign;
    start.saturating_add(span).unwrap_or(start)
}
