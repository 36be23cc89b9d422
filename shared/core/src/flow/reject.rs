//! Hearing that the provider has rejected an access token.
//!
//! # Why
//! Some providers don't say how long an access token lives, and any may end one early. Whoever uses it
//! is the first to know. But an answer with the wrong status is no proof, and a refresh may cost a token
//! that is usable once: a caller that rejects in a loop must not have one refreshed in a loop.

use jiff::{SignedDuration, Timestamp};
use tracing::info;

use super::{
    refresh::Refresh,
    vend::{VendError, active},
    warn::due,
};
use crate::{
    model::{
        credential_id::CredentialId,
        failure::{Failure, FailureCode},
        grant::StoredGrant,
        id::InstanceKey,
        instance::Instance,
        upkeep::{Rejections, Upkeep},
    },
    port::{Note, Noted, Noting},
};

/// How long after a rejection the next confirms that a token which can't be refreshed has ended.
const CONFIRMED: SignedDuration = SignedDuration::from_mins(15);

/// A rejection confirms none that is longer ago.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24);

/// What came of a rejection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejected {
    /// The token counts as stale: the next credential has another.
    Stale,
    /// The instance had another token already.
    Superseded,
    /// Too soon after the last one: the token stays until then.
    HeldBack {
        /// Until when.
        until: Timestamp,
    },
}

impl Refresh<'_> {
    /// Hears that the provider has rejected the access token of a credential.
    ///
    /// Where nothing says how long access tokens live, the time that it had lived is remembered: two
    /// that agree make the next be refreshed earlier.
    ///
    /// # Errors
    /// [`VendError::ReconnectRequired`] if there is nothing to refresh with. The instance is given up only
    /// when the rejection is repeated a quarter of an hour later.
    pub async fn reject(
        &self,
        key: &InstanceKey,
        credential: &CredentialId,
    ) -> Result<Rejected, VendError> {
        let mut found = self.instances.find(key).await?;
        loop {
            let instance = found.ok_or(VendError::Gone)?;
            let grant = active(&instance)?;
            if *credential != CredentialId::of(key, grant.epoch) {
                return Ok(Rejected::Superseded);
            }
            let now = self.clock.now();
            let seen = &instance.upkeep.rejections;
            if !grant.refreshable {
                return Err(self.reject_last(&instance, grant, now).await?);
            }
            if seen.epoch == Some(grant.epoch) {
                return Ok(Rejected::Stale);
            }
            // Nor is anything gained where the provider refuses a refresh.
            let held = seen.held_until().max(grant.terms.refresh_from);
            if let Some(until) = held.filter(|until| now < *until) {
                return Ok(Rejected::HeldBack { until });
            }
            let lived = now.duration_since(grant.received_at);
            let lived = grant.expires_at.is_none().then_some(lived);
            match self
                .note_rejection(&instance, grant, seen.with(grant.epoch, now, lived))
                .await?
            {
                Noted::Done => {
                    info!(instance = %key.id, epoch = grant.epoch, "access token rejected");
                    return Ok(Rejected::Stale);
                }
                Noted::Moved(now) => found = now.map(|now| *now),
            }
        }
    }

    async fn note_rejection(
        &self,
        instance: &Instance,
        grant: &StoredGrant,
        kept: Rejections,
    ) -> Result<Noted, VendError> {
        let mut then = instance.clone();
        then.upkeep = Upkeep {
            rejections: kept,
            ..then.upkeep
        };
        let note = Note {
            key: &instance.key,
            incarnation: instance.incarnation,
            epoch: grant.epoch,
            due: due(&then, grant),
            what: Noting::Rejected {
                seen: &instance.upkeep.rejections,
                kept: &then.upkeep.rejections,
            },
        };
        Ok(self.instances.note(note).await?)
    }

    /// The token that was rejected is the last one. One rejection ends nothing: the caller is told, and
    /// a second one, later, is believed.
    async fn reject_last(
        &self,
        instance: &Instance,
        grant: &StoredGrant,
        now: Timestamp,
    ) -> Result<VendError, VendError> {
        let code = FailureCode::TokenRejected;
        let seen = &instance.upkeep.rejections;
        let before = seen.at.filter(|_| seen.epoch == Some(grant.epoch));
        let passed = before.map(|at| now.duration_since(at));
        if passed.is_none_or(|passed| passed >= FORGOTTEN) {
            let kept = seen.with(grant.epoch, now, None);
            self.note_rejection(instance, grant, kept).await?;
        } else if passed.is_some_and(|passed| passed >= CONFIRMED) {
            info!(instance = %instance.key.id, "access token rejected twice; reconnect required");
            return Ok(self.ended(instance, grant, code).await?);
        }
        let cause = Failure {
            at: now,
            code,
            words: None,
        };
        Ok(VendError::ReconnectRequired(cause))
    }
}
