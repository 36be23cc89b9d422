//! Refusals and failures: one refusal ends nothing, and what passes is tried again.

use std::time::Duration;

use tracing::{info, warn};

use super::{Held, Prepared, Refresh, RefreshError, Refreshed, later};
use crate::{
    flow::{
        announce::end,
        journal::{self, Again},
        retry, seal,
    },
    model::{
        failure::FailureCode,
        grant::{StoredGrant, Tokens},
        instance::{Instance, State},
        refresh_tokens::RefreshTokens,
        rotation::Rotation,
        spare::{Spare, SpareAnswer, without_spare},
    },
    port::{Commit, Condemn, Due, Fail, Spares},
    protocol::refusal::TokenFailure,
};

/// How long a refused grant is left alone before it is asked for again (`refresh.md`: 15 min).
const SUSPICION: Duration = Duration::from_mins(15);

impl Refresh<'_> {
    /// The provider refuses the refresh token. A spare takes its place; if there is none, the grant
    /// is suspect, and a second refusal ends it.
    pub(super) async fn refused(
        &self,
        held: &Held<'_>,
        prepared: &Prepared,
        failure: TokenFailure,
    ) -> Result<Refreshed, RefreshError> {
        if let Some(spare) = newest_spare(held.instance) {
            return self.promote(held, spare).await;
        }
        let failure = truly(held, prepared.rotation, failure);
        let wait = failure.retry_after.unwrap_or_default().max(SUSPICION);
        let cause = failure.at(self.clock.now());
        if self.is_mass(held, prepared, &cause).await {
            return self.remember(held, failure, wait, None).await;
        }
        let is_confirmed = matches!(held.instance.state, State::Suspect { .. });
        if !is_confirmed || has_unread(held) {
            let refused = (held.instance.incarnation, held.grant.epoch);
            return self.remember(held, failure, wait, Some(refused)).await;
        }
        let events = end(held.instance, held.epoch(), &cause);
        let condemn = Condemn {
            key: &held.instance.key,
            incarnation: held.instance.incarnation,
            base: held.grant.epoch,
            held: Some((&held.nonce, &held.instance.spares)),
            cause: &cause,
            events: &events,
        };
        if !self.instances.condemn(condemn).await? {
            return Ok(Refreshed::Moved);
        }
        self.announce.announce(&events).await;
        info!(instance = %held.instance.key.id, code = ?cause.code, words = cause.words.as_deref(), "reconnect required");
        Ok(Refreshed::Ended(cause))
    }

    async fn promote(
        &self,
        held: &Held<'_>,
        spare: &StoredGrant,
    ) -> Result<Refreshed, RefreshError> {
        let instance = held.instance;
        let spare = &self.journalled(held, spare).await?;
        let commit = Commit {
            key: &instance.key,
            incarnation: instance.incarnation,
            base: held.grant.epoch,
            grant: spare,
            events: &[],
            due: Some(Due::of(&instance.key, self.clock.now())),
        };
        let kept = without_spare(&instance.spares, spare.epoch);
        let spares = Spares {
            seen: &instance.spares,
            kept: &kept,
        };
        let write = || self.instances.promote(commit.clone(), spares, &held.nonce);
        retry::insist(self.clock, write).await?;
        info!(instance = %instance.key.id, epoch = spare.epoch, "grant refused; a spare takes its place");
        self.tidy(instance, spare, Again::No).await;
        Ok(Refreshed::Moved)
    }

    /// A spare as it becomes the grant: the version that holds its refresh tokens may be an old one,
    /// which is cleaned up some day, so they are written again.
    async fn journalled(
        &self,
        held: &Held<'_>,
        spare: &StoredGrant,
    ) -> Result<StoredGrant, RefreshError> {
        let key = &held.instance.key;
        let RefreshTokens::Version(version) = &spare.refresh_tokens else {
            return Ok(spare.clone());
        };
        let text = journal::read(self.vault, self.clock, key, version).await?;
        let current = held.grant.refresh_tokens.version();
        Ok(StoredGrant {
            refresh_tokens: seal::journal(self.vault, key, spare.epoch, &text, current)?,
            ..spare.clone()
        })
    }

    /// The refresh failed in a way that passes.
    pub(super) async fn failed(
        &self,
        held: &Held<'_>,
        prepared: Option<&Prepared>,
        mut failure: TokenFailure,
    ) -> Result<Refreshed, RefreshError> {
        if let (Some(prepared), Some(raw)) = (prepared, failure.raw.take()) {
            self.keep_raw(held, prepared.version, &raw).await?;
        }
        let rotation = prepared.map_or(Rotation::Unknown, |prepared| prepared.rotation);
        let doubt = failure.in_doubt.then_some(rotation);
        let again = retry::Again {
            code: failure.code,
            failures: held.instance.failures,
            doubt,
            asked: failure.retry_after,
            lifetime: held.instance.schedule_with(held.grant).lifetime(),
        };
        let wait = again.wait(self.entropy);
        let cause = failure.at(self.clock.now());
        let remembered = self.remember(held, failure, wait, None).await;
        if let Some(prepared) = prepared {
            self.find_faulty(prepared, &cause).await;
        }
        remembered
    }

    async fn remember(
        &self,
        held: &Held<'_>,
        failure: TokenFailure,
        wait: Duration,
        suspect: Option<(u64, u64)>,
    ) -> Result<Refreshed, RefreshError> {
        let now = self.clock.now();
        let not_before = later(now, wait, 1);
        let in_doubt = failure.in_doubt;
        let failure = failure.at(now);
        let fail = Fail {
            key: &held.instance.key,
            nonce: &held.nonce,
            failure: &failure,
            not_before,
            in_doubt,
            suspect,
            due: Due::of(&held.instance.key, not_before),
        };
        retry::insist(self.clock, || self.instances.fail(fail.clone())).await?;
        warn!(instance = %held.instance.key.id, code = ?failure.code, words = failure.words.as_deref(), "refresh failed");
        Ok(Refreshed::Failed { failure, wait })
    }

    /// Revokes tokens that nobody will use, as far as the provider lets us.
    pub(super) async fn give_back(&self, held: &Held<'_>, prepared: &Prepared, tokens: &Tokens) {
        if let Some(request) = &prepared.method.revoke
            && let Err(failure) = self.client(prepared).revoke(request, tokens).await
        {
            warn!(instance = %held.instance.key.id, code = ?failure.code, "unused grant not revoked");
        }
    }
}

/// The newest spare that can be used at once.
fn newest_spare(instance: &Instance) -> Option<&StoredGrant> {
    instance.spares.iter().rev().find_map(Spare::grant)
}

/// Whether an answer that nobody could read may hold what replaced the refused token. Then the
/// builder has to act, and no user is asked to reconnect for it.
fn has_unread(held: &Held<'_>) -> bool {
    let mut spares = held.instance.spares.iter();
    spares.any(|spare| {
        spare.epoch > held.grant.epoch && matches!(spare.answer, SpareAnswer::Raw { .. })
    })
}

/// Whether asking once more could end the connection: an answer that nobody could read yet has
/// replaced the token.
pub(super) fn may_be_spent(held: &Held<'_>, rotation: Rotation) -> bool {
    let is_reusable = matches!(rotation, Rotation::None | Rotation::UntilUsed);
    has_unread(held) && !is_reusable
}

/// A refusal as what it is: if an earlier request's fate is unknown, its answer may have been what
/// replaced the token.
fn truly(held: &Held<'_>, rotation: Rotation, failure: TokenFailure) -> TokenFailure {
    let is_lost = held.instance.attempts > 0 && may_have_rotated(rotation);
    let Some(at) = held.instance.last_send.filter(|_| is_lost) else {
        return failure;
    };
    let words = failure.words.unwrap_or_default();
    TokenFailure {
        code: FailureCode::GrantLost,
        words: Some(format!("{words} (an answer was lost at {at:.0})")),
        ..failure
    }
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
