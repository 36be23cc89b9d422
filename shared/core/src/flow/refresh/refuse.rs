//! Refusals and failures: one refusal ends nothing, and what passes is tried again.

use std::time::Duration;

use tracing::{info, warn};

use super::{Held, Prepared, Refresh, RefreshError, Refreshed, keep::spare_of, later};
use crate::{
    flow::{announce::end, keeping::Again, retry, seal},
    model::{
        failure::{Failure, FailureCode},
        grant::{StoredGrant, Tokens},
        id::InstanceKey,
        instance::{Instance, State},
        rotation::Rotation,
        spare::{Spare, SpareAnswer, with_spare, without_spare},
    },
    port::{Commit, Condemn, Due, Fail, Promote, Spares},
    protocol::refusal::TokenFailure,
};

/// How long a refused grant is left alone before it is asked for again (`refresh.md`: 15 min).
const SUSPICION: Duration = Duration::from_mins(15);

impl Refresh<'_> {
    /// The provider refuses the refresh token. A spare takes its place; if there is none, the grant
    /// is suspect, and a second refusal ends it, unless a spare is left that was refused once itself.
    pub(super) async fn refused(
        &self,
        held: &Held<'_>,
        prepared: &Prepared,
        failure: TokenFailure,
    ) -> Result<Refreshed, RefreshError> {
        let Some(held) = self.readable(held).await? else {
            self.freed(held).await?;
            return Ok(Refreshed::Moved);
        };
        let held = &held;
        if let Some(spare) = newest_spare(&held.instance, false) {
            return self.promote(held, prepared, spare, None).await;
        }
        let failure = truly(held, prepared.rotation(), failure);
        let wait = failure.retry_after.unwrap_or_default().max(SUSPICION);
        let cause = failure.at(self.clock.now());
        if self.is_mass(held, &prepared.found, &cause).await {
            return self.remember(held, failure, wait, None).await;
        }
        let is_confirmed = matches!(held.instance.state, State::Suspect { .. });
        let again = newest_spare(&held.instance, true);
        if !is_confirmed || (again.is_none() && has_unread(held)) {
            let refused = (held.instance.incarnation, held.grant.epoch);
            return self.remember(held, failure, wait, Some(refused)).await;
        }
        if let Some(spare) = again {
            return self
                .promote(held, prepared, spare, Some((&cause, wait)))
                .await;
        }
        let events = end(&held.instance, held.epoch(), &cause);
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

    /// Puts a spare in the place of what is refused. What is refused for the first time stays as a
    /// spare: one refusal ends nothing. The epoch is the lease's, so that nobody takes what is refused for
    /// newer. Who asks with it next knows if that has been done before. `suspect` is why and how long it
    /// waits, if the spare has been refused once itself.
    async fn promote(
        &self,
        held: &Held<'_>,
        prepared: &Prepared,
        (spare, in_doubt): (&StoredGrant, bool),
        suspect: Option<(&Failure, Duration)>,
    ) -> Result<Refreshed, RefreshError> {
        let (instance, key) = (&*held.instance, &held.instance.key);
        let version = held.grant.refresh_tokens.version();
        let anew = (spare, held.epoch());
        let promoted = seal::seal_anew(self.vault, self.clock, key, anew, version).await?;
        let mut kept = without_spare(&instance.spares, spare.epoch);
        if matches!(instance.state, State::Active(_)) {
            let refused = seal::seal_whole(self.vault, key, held.grant, &prepared.tokens)?;
            let refused = Spare {
                is_refused: true,
                ..spare_of(instance, refused)
            };
            kept = with_spare(&kept, refused);
        }
        let now = self.clock.now();
        let suspect = suspect.map(|(cause, wait)| (cause, later(now, wait, 1)));
        let commit = Commit {
            key,
            incarnation: instance.incarnation,
            base: held.grant.epoch,
            grant: &promoted,
            spares: Some(Spares {
                seen: &instance.spares,
                kept: &kept,
            }),
            events: &[],
            due: Some(Due::of(
                key,
                suspect.map_or(now, |(_, not_before)| not_before),
            )),
            next: None,
        };
        let promote = Promote {
            commit,
            nonce: &held.nonce,
            in_doubt,
            suspect,
        };
        retry::insist(self.clock, || self.instances.promote(promote.clone())).await?;
        info!(instance = %key.id, epoch = spare.epoch, "grant refused; a spare takes its place");
        self.tidy(instance, &promoted, Again::No).await;
        Ok(Refreshed::Moved)
    }

    /// The refresh failed in a way that passes.
    pub(super) async fn failed(
        &self,
        held: &Held<'_>,
        prepared: Option<&Prepared>,
        mut failure: TokenFailure,
    ) -> Result<Refreshed, RefreshError> {
        if let (Some(prepared), Some(raw)) = (prepared, failure.raw.take()) {
            self.keep_raw(held, prepared, &raw).await?;
        }
        let rotation = prepared.map_or(Rotation::Unknown, |prepared| prepared.rotation());
        let doubt = failure.in_doubt.then_some(rotation);
        let again = retry::Again {
            code: failure.code,
            failures: held.instance.failures,
            doubt,
            asked: failure.retry_after,
            lifetime: held.lifetime,
        };
        let wait = again.wait(self.entropy);
        let cause = failure.at(self.clock.now());
        let remembered = self.remember(held, failure, wait, None).await;
        if let Some(prepared) = prepared {
            self.find_faulty(&prepared.found, &cause).await;
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
            last_send: held.instance.last_send,
            suspect,
            due: Due::of(&held.instance.key, not_before),
        };
        retry::insist(self.clock, || self.instances.fail(fail.clone())).await?;
        warn!(instance = %held.instance.key.id, code = ?failure.code, words = failure.words.as_deref(), "refresh failed");
        Ok(Refreshed::Failed { failure, wait })
    }

    /// Revokes tokens that nobody will use, as far as the provider lets us.
    pub(super) async fn give_back(&self, key: &InstanceKey, prepared: &Prepared, tokens: &Tokens) {
        if let Some(request) = &prepared.found.method.revoke
            && let Err(failure) = self.client(prepared).revoke(request, tokens).await
        {
            warn!(instance = %key.id, code = ?failure.code, "unused grant not revoked");
        }
    }
}

/// The newest spare that can be used at once, of those that have been refused once, or have not; and whether
/// it is in doubt.
fn newest_spare(instance: &Instance, is_refused: bool) -> Option<(&StoredGrant, bool)> {
    let spares = instance.spares.iter().rev();
    let mut alike = spares.filter(|spare| spare.is_refused == is_refused);
    alike.find_map(|spare| Some((spare.grant()?, spare.in_doubt)))
}

/// Whether an answer that nobody could read may hold what replaced the refused token. Then the
/// builder has to act, and no user is asked to reconnect for it. A spare that took another's place has a
/// newer epoch than its tokens, so that any may be it.
fn has_unread(held: &Held<'_>) -> bool {
    let since = held.grant.parent.map_or(0, |_| held.grant.epoch);
    let mut spares = held.instance.spares.iter();
    spares.any(|spare| spare.epoch > since && matches!(spare.answer, SpareAnswer::Raw { .. }))
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
    // Of several, it is not known whose answer was the one that mattered.
    let before = match (held.instance.attempts, held.grant.answered_under) {
        (1, None) => "",
        // A spare that took another's place brought the doubt with it.
        _ => " or before",
    };
    TokenFailure {
        code: FailureCode::GrantLost,
        words: Some(format!("{words} (an answer was lost at {at:.0}{before})")),
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
