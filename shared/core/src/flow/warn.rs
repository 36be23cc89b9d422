//! Warning of a connection's end, in time for its user to consent again.

use jiff::Timestamp;

use super::refresh::Refresh;
use crate::{
    model::{
        event::{Event, EventKind},
        grant::StoredGrant,
        instance::Instance,
    },
    port::{Due, Note, Noting, StoreError, Warn},
};

impl Refresh<'_> {
    /// Warns of the connection's end if it is time, once for each consent; whether it has.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer; the next sweep is the retry.
    pub(super) async fn warn(
        &self,
        instance: &Instance,
        grant: &StoredGrant,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let schedule = instance.schedule_with(grant);
        let is_time = schedule.warn_at().is_some_and(|at| at <= now);
        let Some(ends_at) = grant.terms.connection_ends_at.filter(|_| is_time) else {
            return Ok(false);
        };
        // Whatever is refreshed meanwhile, the consent is the same.
        let events = [Event::of(instance, 0, now, EventKind::Expiring { ends_at })];
        let mut then = instance.clone();
        then.upkeep.warned = Some(instance.incarnation);
        let warn = Warn {
            key: &instance.key,
            incarnation: instance.incarnation,
            base: grant.epoch,
            events: &events,
            due: due(&then, grant),
        };
        let is_warned = self.instances.warn(warn).await?;
        if is_warned {
            self.announce.announce(&events).await;
        }
        Ok(is_warned)
    }

    /// Puts right when an instance is due that wants nothing now.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    pub(super) async fn not_due(
        &self,
        instance: &Instance,
        grant: &StoredGrant,
    ) -> Result<(), StoreError> {
        let note = Note {
            key: &instance.key,
            incarnation: instance.incarnation,
            epoch: grant.epoch,
            due: due(instance, grant),
            what: Noting::NotDue {
                now: self.clock.now(),
            },
        };
        // If it has moved on, so has what it wants.
        self.instances.note(note).await.map(drop)
    }
}

/// When an instance is due, which may have to wait.
pub(super) fn due(instance: &Instance, grant: &StoredGrant) -> Option<Due> {
    let due = instance.schedule_with(grant).due_at()?;
    let waits = instance.not_before.unwrap_or(Timestamp::MIN);
    Some(Due::of(&instance.key, due.max(waits)))
}
