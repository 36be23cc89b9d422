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

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use super::{
    Deployment,
    exchange::Client,
    open::{Whose, known_values},
    retry,
};
use crate::{
    model::{
        failure::{Failure, FailureCode},
        grant::{Grant, StoredGrant, Tokens},
        instance::{Instance, State},
        method::AuthMethod,
        rotation::Rotation,
        values::KnownValues,
    },
    port::{
        Clock, Commit, Committed, Condemn, Due, Egress, Entropy, Fail, Leased, Leases, Methods,
        NewLease, StoreError, Vault, VaultError, shard,
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

/// What became of a refresh.
#[derive(Debug)]
pub enum Refreshed {
    /// There is a new grant.
    Renewed(Box<StoredGrant>, Box<Tokens>),
    /// Somebody else is at it, or has just been: look again.
    Moved,
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
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Randomness.
    pub entropy: &'a dyn Entropy,
    /// Where we run.
    pub deployment: &'a Deployment,
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
}

impl Held<'_> {
    fn epoch(&self) -> u64 {
        self.instance.epoch + 1
    }
}

/// All that a refresh request needs, opened.
struct Prepared {
    method: AuthMethod,
    values: KnownValues,
    tokens: Tokens,
}

impl Refresh<'_> {
    /// Refreshes an active instance, as just read.
    ///
    /// # Errors
    /// [`RefreshError`] if it could not be tried, or its outcome could not be kept.
    pub async fn refresh(&self, instance: &Instance) -> Result<Refreshed, RefreshError> {
        let State::Active(grant) = &instance.state else {
            return Ok(Refreshed::Moved);
        };
        // Keys are warm and secrets open before the lease: nothing waits on them later.
        self.vault.warm().await?;
        let prepared = self.prepared(instance, grant).await?;
        let now = self.clock.now();
        let nonce = self.entropy.secret().expose().clone();
        let lease = NewLease {
            key: &instance.key,
            epoch: instance.epoch,
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
        };
        let Some(prepared) = prepared else {
            return self
                .failed(
                    &held,
                    TokenFailure::new(FailureCode::RequestImpossible, false),
                )
                .await;
        };
        self.call(&held, &prepared).await
    }

    /// Sends the request and keeps what comes of it.
    async fn call(&self, held: &Held<'_>, prepared: &Prepared) -> Result<Refreshed, RefreshError> {
        let client = self.client(prepared);
        let asked_at = self.clock.now();
        let outcome = client
            .refresh(&prepared.tokens, &held.grant.scopes, CALL)
            .await;
        let took = self.clock.now().duration_since(asked_at);
        if took > SignedDuration::try_from(prepared.method.timeout).unwrap_or(SignedDuration::MAX) {
            let (instance, took_ms) = (
                &held.instance.key.id,
                i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
            );
            warn!(%instance, took_ms, "refresh slower than the method's timeout");
        }
        match outcome {
            Ok(grant) => self.keep(held, prepared, grant).await,
            Err(failure) if failure.code == FailureCode::GrantRefused => {
                self.refused(held, failure).await
            }
            Err(failure) => self.failed(held, failure).await,
        }
    }

    /// Seals and commits a grant. Nothing is awaited between the answer and the commit.
    async fn keep(
        &self,
        held: &Held<'_>,
        prepared: &Prepared,
        grant: Grant,
    ) -> Result<Refreshed, RefreshError> {
        let key = &held.instance.key;
        let plaintext = grant
            .tokens
            .to_plaintext()
            .map_err(|_| VaultError::Refused)?;
        let stored = StoredGrant {
            epoch: held.epoch(),
            tokens: self
                .vault
                .seal(&Instance::tokens_place(key, held.epoch()), &plaintext)?,
            refreshable: grant.refreshable,
            expires_at: grant.expires_at,
            refresh_from: grant.refresh_from,
            refresh_ends_at: grant.refresh_ends_at,
            scopes: grant.scopes,
            received_at: grant.received_at,
        };
        let commit = Commit {
            key,
            incarnation: held.instance.incarnation,
            base: held.grant.epoch,
            grant: &stored,
            due: due(held.instance, &stored),
        };
        let mut committed =
            retry::insist(self.clock, || self.instances.commit(commit.clone())).await?;
        loop {
            let now = match committed {
                Committed::Done => {
                    return Ok(Refreshed::Renewed(Box::new(stored), Box::new(grant.tokens)));
                }
                Committed::Moved(None) => None,
                Committed::Moved(Some(now)) => {
                    Some(now).filter(|now| is_same_consent(held.instance, now))
                }
            };
            let Some(current) = now.as_deref().and_then(Instance::grant) else {
                // Deleted or reconnected: nobody will use these tokens.
                self.give_back(held, prepared, &grant.tokens).await;
                return Ok(Refreshed::Moved);
            };
            if current.epoch >= stored.epoch {
                // Our own write, or a newer one.
                return Ok(Refreshed::Moved);
            }
            // Late, but the newest: the provider is not fenced, so this may be the only live token.
            let late = Commit {
                base: current.epoch,
                ..commit.clone()
            };
            committed =
                retry::insist(self.clock, || self.instances.commit_late(late.clone())).await?;
        }
    }

    /// The provider refuses the refresh token.
    async fn refused(
        &self,
        held: &Held<'_>,
        failure: TokenFailure,
    ) -> Result<Refreshed, RefreshError> {
        // If an earlier request's fate is unknown, its answer may have been what replaced the token.
        let lost = held.instance.attempts > 0 && may_have_rotated(self.rotation(held).await?);
        let lost_at = held.instance.last_send.filter(|_| lost);
        let words = match (failure.words, lost_at) {
            (words, None) => words,
            (words, Some(at)) => Some(format!(
                "{} (an answer was lost at {at:.0})",
                words.unwrap_or_default()
            )),
        };
        let code = if lost {
            FailureCode::GrantLost
        } else {
            FailureCode::GrantRefused
        };
        let cause = Failure {
            at: self.clock.now(),
            code,
            words,
        };
        let condemn = Condemn {
            key: &held.instance.key,
            incarnation: held.instance.incarnation,
            base: held.grant.epoch,
            nonce: Some(&held.nonce),
            cause: &cause,
        };
        self.instances.condemn(condemn).await?;
        info!(instance = %held.instance.key.id, code = ?cause.code, words = cause.words.as_deref(), "reconnect required");
        Ok(Refreshed::Ended(cause))
    }

    async fn rotation(&self, held: &Held<'_>) -> Result<Rotation, RefreshError> {
        let stored = self.methods.find(&held.instance.method_key()).await?;
        Ok(stored
            .map(|stored| stored.definition.refresh.rotation)
            .unwrap_or_default())
    }

    /// The refresh failed in a way that passes.
    async fn failed(
        &self,
        held: &Held<'_>,
        failure: TokenFailure,
    ) -> Result<Refreshed, RefreshError> {
        let TokenFailure {
            code,
            in_doubt,
            words,
            retry_after,
        } = failure;
        let now = self.clock.now();
        let wait = retry::wait(
            code,
            held.instance.failures,
            in_doubt,
            retry_after,
            self.entropy,
        );
        let not_before = later(now, wait, 1);
        let failure = Failure {
            at: now,
            code,
            words,
        };
        let fail = Fail {
            key: &held.instance.key,
            nonce: &held.nonce,
            failure: &failure,
            not_before,
            in_doubt,
            due: Due {
                shard: shard(Instance::spread_of(&held.instance.key)),
                at: not_before,
            },
        };
        retry::insist(self.clock, || self.instances.fail(fail.clone())).await?;
        warn!(instance = %held.instance.key.id, ?code, words = failure.words.as_deref(), "refresh failed");
        Ok(Refreshed::Failed { failure, wait })
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
        let place = Instance::tokens_place(key, grant.epoch);
        let tokens = Tokens::from_plaintext(&self.vault.open(&place, &grant.tokens).await?)
            .map_err(|_| VaultError::Refused)?;
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
        Ok(Some(Prepared {
            method,
            values,
            tokens,
        }))
    }

    fn client<'s>(&'s self, prepared: &'s Prepared) -> Client<'s> {
        Client {
            egress: self.egress,
            clock: self.clock,
            entropy: self.entropy,
            method: &prepared.method,
            values: &prepared.values,
            callback_url: self.deployment.callback_url(),
        }
    }

    /// Revokes tokens that nobody will use, as far as the provider lets us.
    async fn give_back(&self, held: &Held<'_>, prepared: &Prepared, tokens: &Tokens) {
        if let Some(request) = &prepared.method.revoke
            && let Err(failure) = self.client(prepared).revoke(request, tokens).await
        {
            warn!(instance = %held.instance.key.id, code = ?failure.code, "unused grant not revoked");
        }
    }
}

/// When an instance with this grant wants attention next.
pub(super) fn due(instance: &Instance, grant: &StoredGrant) -> Option<Due> {
    let spread = Instance::spread_of(&instance.key);
    grant.due_at(spread).map(|at| Due {
        shard: shard(spread),
        at,
    })
}

/// Whether a used refresh token may have been replaced by one whose coming we missed.
fn may_have_rotated(rotation: Rotation) -> bool {
    match rotation {
        Rotation::None => false,
        Rotation::UntilUsed | Rotation::Grace { .. } | Rotation::SingleUse | Rotation::Unknown => {
            true
        }
    }
}

fn is_same_consent(then: &Instance, now: &Instance) -> bool {
    now.incarnation == then.incarnation && !matches!(now.state, State::Deleted { .. })
}

fn later(start: Timestamp, span: Duration, sign: i32) -> Timestamp {
    let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::ZERO) * sign;
    start.saturating_add(span).unwrap_or(start)
}
