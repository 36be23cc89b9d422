//! The sweep: everything that is due, of all tenants.
//!
//! It takes no input but the clock, may run twice at once, and does not retry inside: the next tick
//! is the retry. What it does not come to stays due.

use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tracing::warn;

use super::{
    delete::Delete,
    refresh::{LEASE, Refresh, RefreshError, Refreshed},
};
use crate::{
    model::{
        failure::FailureCode,
        grant::StoredGrant,
        id::InstanceKey,
        instance::{Instance, State},
    },
    port::{DueInstances, PageAsk, SHARDS, StoreError},
};

/// How many instances are worked at once.
const AT_ONCE: usize = 16;
const PAGE: u16 = 100;

/// What a sweep did: its log line and its metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Instances found due.
    pub due: u64,
    /// Refreshed.
    pub refreshed: u64,
    /// Failed in a way that passes.
    pub failed: u64,
    /// Found to need a new consent.
    pub reconnect_required: u64,
    /// Whose user was warned that the connection will end.
    pub warned: u64,
    /// Deleted ones seen through.
    pub deleted: u64,
    /// Left alone: somebody else was at them, or they were not due after all.
    pub left: u64,
    /// Not worked because the store or the vault did not answer.
    pub errors: u64,
    /// Whether time ran out before everything was worked.
    pub unfinished: bool,
}

/// What the flow needs.
#[derive(Clone, Copy)]
pub struct Sweep<'a> {
    /// The index of due instances.
    pub due: &'a dyn DueInstances,
    /// Refreshing.
    pub refresh: Refresh<'a>,
    /// Seeing deletions through.
    pub delete: Delete<'a>,
}

impl std::fmt::Debug for Sweep<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sweep")
    }
}

enum Attended {
    Refreshed,
    Failed,
    ReconnectRequired,
    Warned,
    Deleted,
    Left,
}

impl Sweep<'_> {
    /// Works what is due now. No work is begun that could not end before `deadline`.
    ///
    /// # Errors
    /// [`StoreError`] if the index can't be read.
    pub async fn sweep(&self, deadline: Option<Timestamp>) -> Result<Report, StoreError> {
        let now = self.refresh.clock.now();
        let mut report = Report::default();
        for shard in 0..SHARDS {
            let mut page = PageAsk {
                after: None,
                limit: PAGE,
            };
            loop {
                let found = self.due.due(shard, now, &page).await?;
                self.work(found.items, deadline, &mut report).await;
                page.after = found.next;
                if page.after.is_none() || report.unfinished {
                    break;
                }
            }
        }
        Ok(report)
    }

    /// Works a page, some at once, so that a provider that hangs does not hold up the others on it.
    async fn work(&self, keys: Vec<InstanceKey>, deadline: Option<Timestamp>, report: &mut Report) {
        let attended = stream::iter(keys)
            .map(|key| async move {
                if deadline.is_some_and(|deadline| self.is_too_late(deadline)) {
                    return (key, None);
                }
                let outcome = self.attend(&key).await;
                (key, Some(outcome))
            })
            .buffer_unordered(AT_ONCE);
        let mut attended = std::pin::pin!(attended);
        while let Some((key, outcome)) = attended.next().await {
            report.due += 1;
            match outcome {
                None => report.unfinished = true,
                Some(Ok(Attended::Refreshed)) => report.refreshed += 1,
                Some(Ok(Attended::Failed)) => report.failed += 1,
                Some(Ok(Attended::ReconnectRequired)) => report.reconnect_required += 1,
                Some(Ok(Attended::Deleted)) => report.deleted += 1,
                Some(Ok(Attended::Warned)) => report.warned += 1,
                Some(Ok(Attended::Left)) => report.left += 1,
                Some(Err(error)) => {
                    report.errors += 1;
                    warn!(instance = %key.id, %error, "instance not worked");
                }
            }
        }
    }

    fn is_too_late(&self, deadline: Timestamp) -> bool {
        let needed = SignedDuration::try_from(LEASE).unwrap_or(SignedDuration::MAX);
        deadline.duration_since(self.refresh.clock.now()) < needed
    }

    /// Does for one instance what it wants, if it still wants it.
    async fn attend(&self, key: &InstanceKey) -> Result<Attended, RefreshError> {
        let Some(instance) = self.refresh.instances.find(key).await? else {
            return Ok(Attended::Left);
        };
        match &instance.state {
            State::Pending | State::ReconnectRequired { .. } => Ok(Attended::Left),
            State::Deleted { .. } => {
                self.delete.finish(&instance).await?;
                Ok(Attended::Deleted)
            }
            State::Active(grant) | State::Suspect { grant, .. } => {
                self.attend_to(&instance, grant).await
            }
        }
    }

    /// Does for a connected instance what it wants, if it still wants it: one thing at a time.
    async fn attend_to(
        &self,
        instance: &Instance,
        grant: &StoredGrant,
    ) -> Result<Attended, RefreshError> {
        let now = self.refresh.clock.now();
        if self.refresh.warn(instance, grant).await? {
            return Ok(Attended::Warned);
        }
        let schedule = instance.schedule_with(grant);
        if !grant.refreshable && !schedule.is_alive(now) {
            let code = FailureCode::NotRefreshable;
            self.refresh.ended(instance, grant, code).await?;
            return Ok(Attended::ReconnectRequired);
        }
        if !grant.refreshable || !self.wants_refresh(instance) {
            if !self.waits(instance) {
                self.refresh.not_due(instance, grant).await?;
            }
            return Ok(Attended::Left);
        }
        Ok(match self.refresh.refresh(instance).await? {
            Refreshed::Renewed(..) => Attended::Refreshed,
            Refreshed::Failed { .. } => Attended::Failed,
            Refreshed::Ended(_) => Attended::ReconnectRequired,
            Refreshed::Paused(pause) => {
                self.refresh.postpone(instance, &pause).await?;
                Attended::Left
            }
            Refreshed::Moved | Refreshed::Busy(_) | Refreshed::Gone => Attended::Left,
        })
    }

    /// Whether somebody is refreshing it, or nobody may yet.
    fn waits(&self, instance: &Instance) -> bool {
        let now = self.refresh.clock.now();
        let is_leased = instance
            .lease
            .as_ref()
            .is_some_and(|lease| now < lease.until);
        let must_wait = instance
            .not_before
            .is_some_and(|not_before| now < not_before);
        is_leased || must_wait
    }

    /// The index may lag behind the item: the item decides.
    fn wants_refresh(&self, instance: &Instance) -> bool {
        let now = self.refresh.clock.now();
        let due = instance
            .schedule()
            .and_then(|schedule| schedule.refresh_at());
        !self.waits(instance) && due.is_some_and(|due| due <= now)
    }
}
