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
//! the instance has moved on meanwhile, the item says what to do.

mod admit;
mod breakers;
mod hand_over;
mod health;
mod keep;
mod refuse;
mod slots;

pub use self::{
    breakers::Breakers,
    slots::{Slot, Slots},
};

use std::{borrow::Cow, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use super::{
    Deployment,
    announce::Announce,
    exchange::{Client, Source},
    journal::{Again, Journals},
    open::{Whose, known_values, open_tokens},
    retry,
};
use crate::{
    model::{
        failure::{Failure, FailureCode},
        grant::{StoredGrant, Tokens},
        health::MethodHealth,
        host::Host,
        id::MethodKey,
        instance::Instance,
        method::AuthMethod,
        pause::Pause,
        rotation::Rotation,
        values::KnownValues,
    },
    port::{
        Clock, Egress, Entropy, Healths, Leased, Leases, Methods, NewLease, Queue, StoreError,
        Vault, VaultError,
    },
    protocol::refusal::TokenFailure,
};

/// How long a lease holds.
pub const LEASE: Duration = Duration::from_secs(30);
/// The hard limit of a call. Once the bytes are out it is never given up before.
pub const CALL: Duration = Duration::from_secs(20);
/// How long a commit may take, repetitions included.
const COMMIT: Duration = Duration::from_secs(5);
/// How much clocks may differ.
pub const SKEW: Duration = Duration::from_secs(2);

// The lease outlives the call: a safety rule, so it does not compile otherwise.
const _: () = assert!(CALL.as_secs() + COMMIT.as_secs() + SKEW.as_secs() < LEASE.as_secs());

/// How old a lease may be when the request is sent: what is left then holds for call, commit and skew.
const SLACK: Duration =
    Duration::from_secs(LEASE.as_secs() - CALL.as_secs() - COMMIT.as_secs() - SKEW.as_secs());

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

/// A lease that is held, and what it was taken over.
struct Held<'a> {
    instance: &'a Instance,
    grant: &'a StoredGrant,
    nonce: String,
    /// When it was asked for.
    since: Timestamp,
}

impl Held<'_> {
    fn epoch(&self) -> u64 {
        self.instance.epoch + 1
    }
}

/// All that a refresh request needs, opened.
struct Prepared {
    /// What names the auth method.
    key: MethodKey,
    /// Which version of it this is.
    version: u64,
    /// How it was when it was read.
    health: MethodHealth,
    method: AuthMethod,
    rotation: Rotation,
    values: KnownValues,
    tokens: Tokens,
    /// The host that is asked.
    host: Option<Host>,
}

impl Refresh<'_> {
    /// Refreshes an instance whose grant is active or suspect, as just read.
    ///
    /// # Errors
    /// [`RefreshError`] if it could not be tried, or its outcome could not be kept.
    pub async fn refresh(&self, instance: &Instance) -> Result<Refreshed, RefreshError> {
        self.refresh_in(instance, None).await
    }

    /// The same, in a slot of its host's if the caller has one for it.
    ///
    /// # Errors
    /// [`RefreshError`] if it could not be tried, or its outcome could not be kept.
    pub async fn refresh_in(
        &self,
        instance: &Instance,
        slot: Option<Slot<'_>>,
    ) -> Result<Refreshed, RefreshError> {
        let Some(grant) = instance.usable_grant() else {
            return Ok(Refreshed::Moved);
        };
        // Keys are warm and secrets open before the lease: nothing waits on them later.
        self.vault.warm().await?;
        let Some(grant) = self.tidy(instance, grant, Again::Yes).await else {
            return Ok(Refreshed::Moved);
        };
        let grant = &*grant;
        let prepared = self.prepared(instance, grant).await?;
        if let Some(prepared) = &prepared
            && self.read_again(instance, grant, prepared).await?
        {
            return Ok(Refreshed::Moved);
        }
        let host = prepared.as_ref().and_then(|prepared| prepared.host.clone());
        let _slot = match (self.slots, host) {
            (Some(slots), Some(host)) if slot.is_none() => match slots.take(&host) {
                Some(slot) => Some(slot),
                None => return Ok(Refreshed::Busy(host)),
            },
            (Some(_), _) | (None, _) => slot,
        };
        if let Some(prepared) = &prepared
            && let Some(pause) = self.paused(prepared).await?
        {
            return Ok(Refreshed::Paused(pause));
        }
        let rotation = prepared.as_ref().map(|prepared| prepared.rotation);
        self.insure(&instance.key, rotation).await;
        let now = self.clock.now();
        let nonce = self.entropy.secret().expose().clone();
        let lease = NewLease {
            key: &instance.key,
            epoch: instance.epoch,
            base: grant.epoch,
            nonce: &nonce,
            now,
            lapsed_before: later(now, SKEW, -1),
            until: later(now, LEASE, 1),
        };
        match self.instances.lease(lease).await? {
            Leased::Refused(None) => return Ok(Refreshed::Gone),
            Leased::Refused(Some(_)) => return Ok(Refreshed::Moved),
            Leased::Held => {}
        }
        let held = Held {
            instance,
            grant,
            nonce,
            since: now,
        };
        let Some(prepared) = prepared else {
            let failure = TokenFailure::new(FailureCode::RequestImpossible, false);
            return self.failed(&held, None, failure).await;
        };
        let refreshed = self.call(&held, &prepared).await?;
        self.remind(&instance.key, rotation, &refreshed).await;
        Ok(refreshed)
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

    /// Sends the request and keeps what comes of it.
    async fn call(&self, held: &Held<'_>, prepared: &Prepared) -> Result<Refreshed, RefreshError> {
        if refuse::may_be_spent(held, prepared.rotation) {
            let failure = TokenFailure::new(FailureCode::AnswerUnreadable, false);
            return self.failed(held, Some(prepared), failure).await;
        }
        let client = self.client(prepared);
        let asked_at = self.clock.now();
        if !is_long_enough(held.since, asked_at) {
            return self.slept(held).await;
        }
        let outcome = client
            .refresh(
                &prepared.tokens,
                &held.grant.scopes,
                Some(held.grant),
                Source::Provider(CALL),
            )
            .await;
        let took = self.clock.now().duration_since(asked_at);
        if took > SignedDuration::try_from(prepared.method.timeout).unwrap_or(SignedDuration::MAX) {
            let (instance, took_ms) = (
                &held.instance.key.id,
                i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
            );
            warn!(%instance, took_ms, "refresh slower than the method's timeout");
        }
        let failure = outcome.as_ref().err().map(|failure| failure.code);
        let refreshed = match outcome {
            Ok(grant) => self.keep(held, prepared, grant).await,
            Err(failure) if failure.code == FailureCode::GrantRefused => {
                self.refused(held, prepared, failure).await
            }
            Err(failure) => self.failed(held, Some(prepared), failure).await,
        };
        if let Some(host) = &prepared.host {
            let now = self.clock.now();
            self.breakers.hear(host, now, failure, self.entropy).await;
        }
        refreshed
    }

    /// Gives up a lease that may lapse before the answer is kept: whoever holds it was frozen, or the
    /// store took long to say that it was taken.
    async fn slept(&self, held: &Held<'_>) -> Result<Refreshed, RefreshError> {
        let key = &held.instance.key;
        warn!(instance = %key.id, "lease too old to send a refresh under");
        retry::insist(self.clock, || self.instances.free(key, &held.nonce)).await?;
        Ok(Refreshed::Moved)
    }

    /// All that the request needs; `None` if the method is gone or its definition can't be read.
    async fn prepared(
        &self,
        instance: &Instance,
        grant: &StoredGrant,
    ) -> Result<Option<Prepared>, RefreshError> {
        let Some(stored) = self.methods.find(&instance.method_key()).await? else {
            return Ok(None);
        };
        let Ok(method) = stored.parse() else {
            return Ok(None);
        };
        let (key, values) = (&instance.key, &instance.values);
        let tokens = open_tokens(self.vault, self.clock, key, grant).await?;
        let values = known_values(
            self.vault,
            &stored,
            &method,
            Whose {
                instance: key,
                values,
                captured: &tokens.captured,
            },
            self.deployment.callback_url(),
        )
        .await?;
        let host = self.client_of(&method, &values).refresh_host(&tokens);
        Ok(Some(Prepared {
            key: stored.key.clone(),
            version: stored.version,
            health: stored.health.clone(),
            rotation: stored.definition.refresh.rotation,
            method,
            values,
            tokens,
            host,
        }))
    }

    fn client<'s>(&'s self, prepared: &'s Prepared) -> Client<'s> {
        self.client_of(&prepared.method, &prepared.values)
    }

    fn client_of<'s>(&'s self, method: &'s AuthMethod, values: &'s KnownValues) -> Client<'s> {
        Client {
            egress: self.egress,
            clock: self.clock,
            entropy: self.entropy,
            method,
            values,
            callback_url: self.deployment.callback_url(),
        }
    }
}

pub(super) fn later(start: Timestamp, span: Duration, sign: i32) -> Timestamp {
    let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::ZERO) * sign;
    start.saturating_add(span).unwrap_or(start)
}

/// Whether what is left of a lease holds until the answer is kept, however long it takes.
fn is_long_enough(since: Timestamp, now: Timestamp) -> bool {
    now <= later(since, SLACK, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sent_under_a_lease_that_may_lapse_before_the_answer_is_kept() {
        let since = Timestamp::UNIX_EPOCH;
        let at = |millis| later(since, Duration::from_millis(millis), 1);
        for (millis, is_sent) in [(0, true), (3000, true), (3001, false), (60_000, false)] {
            assert_eq!(is_long_enough(since, at(millis)), is_sent, "{millis}");
        }
        assert_eq!(at(3000) + CALL + COMMIT + SKEW, since + LEASE);
    }
}
