//! The steps that follow a refresh.
//!
//! Nothing is awaited between the provider's answer and its commit. So the tokens are committed first,
//! and the commit takes the lease of the next epoch with it. Under that the steps are made, and what
//! they bring is committed as a grant of its own. Whatever becomes of them, the tokens are kept; until
//! they are done, the access token counts as stale.

use std::borrow::Cow;

use jiff::Timestamp;
use tracing::{info, warn};

use super::{Held, Prepared, Refresh, RefreshError, Refreshed, keep::commit, later};
use crate::{
    flow::{
        exchange::Rest,
        keeping::Again,
        retry,
        seal::{seal_after, seal_for},
    },
    model::{
        grant::{Grant, StoredGrant},
        instance::{Instance, State},
    },
    port::Committed,
    protocol::refusal::TokenFailure,
};

/// A lease that was taken with a commit.
pub(super) struct Next {
    pub(super) nonce: String,
    pub(super) since: Timestamp,
}

/// A grant that was committed, and what is left to do.
pub(super) struct Unfinished {
    pub(super) stored: StoredGrant,
    pub(super) grant: Grant,
    pub(super) rest: Box<Rest>,
}

impl Refresh<'_> {
    /// Makes the steps that follow a refresh whose grant has just been committed.
    pub(super) async fn follow(
        &self,
        held: &Held<'_>,
        prepared: &Prepared,
        unfinished: Unfinished,
        next: Next,
    ) -> Result<Refreshed, RefreshError> {
        let Unfinished {
            stored,
            grant,
            rest,
        } = unfinished;
        let (before, limits) = (held.grant, held.limits);
        let held = Held {
            instance: Cow::Owned(Instance {
                epoch: stored.epoch,
                attempts: 0,
                state: State::Active(stored.clone()),
                ..held.instance.clone().into_owned()
            }),
            grant: &stored,
            nonce: next.nonce,
            since: next.since,
            limits,
            lifetime: held.lifetime,
        };
        let client = self.client(prepared);
        let until = later(held.since, limits.call(), 1);
        let following = client.follow(rest, &prepared.tokens, &before.scopes, Some(before), until);
        match following.await {
            Ok(whole) => self.finish(&held, prepared, &grant, whole).await,
            Err(failure) => {
                warn!(instance = %held.instance.key.id, "a step after the refresh failed");
                // The refresh itself is beyond doubt.
                let failure = TokenFailure {
                    in_doubt: false,
                    raw: None,
                    ..failure
                };
                self.failed(&held, Some(prepared), failure).await
            }
        }
    }

    /// Commits what the steps have made of a grant. If anything has moved since, it is dropped, unless
    /// it has another refresh token: as a spare its token would be one that somebody may have used.
    async fn finish(
        &self,
        held: &Held<'_>,
        prepared: &Prepared,
        first: &Grant,
        whole: Grant,
    ) -> Result<Refreshed, RefreshError> {
        let (instance, key, epoch) = (&*held.instance, &held.instance.key, held.epoch());
        let stored = seal_after(self.vault, key, epoch, &whole, (held.grant, &first.tokens))?;
        let events = self.renewal(instance, &stored);
        let commit = commit(instance, held.grant.epoch, &stored, &events);
        let committed = retry::insist(self.clock, || self.instances.commit(commit.clone())).await;
        if let Ok(Committed::Done) = committed {
            self.announce.announce(&events).await;
            self.tidy(instance, &stored, Again::No).await;
            self.find_well(&prepared.found).await;
            return Ok(Refreshed::Renewed(Box::new(stored), Box::new(whole.tokens)));
        }
        let has_another =
            whole.tokens.refresh_text().expose() != first.tokens.refresh_text().expose();
        if has_another {
            let version = held.grant.refresh_tokens.version();
            let late = StoredGrant {
                parent: Some(held.grant.epoch),
                ..seal_for(self.vault, key, epoch, &whole, version)?
            };
            return Box::pin(self.keep_elsewhere(held, prepared, late, whole, committed)).await;
        }
        info!(instance = %key.id, "what followed the refresh comes too late");
        match committed {
            Ok(_) => {
                self.freed(held).await?;
                Ok(Refreshed::Moved)
            }
            // It works, though it is not kept.
            Err(_) => Ok(Refreshed::Renewed(Box::new(stored), Box::new(whole.tokens))),
        }
    }
}
