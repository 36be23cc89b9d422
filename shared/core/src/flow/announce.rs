//! Announcing: events are published once what they tell is kept.
//!
//! # How it works
//! The write that changes an instance leaves the event in the outbox, both or neither. Whoever has made
//! the write publishes the event and forgets it. What a process that died has left is published by the
//! next sweep. An event may so be published twice, with the same id, and is never lost.

use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tracing::warn;

use crate::{
    model::{
        event::{Event, EventKey, EventKind},
        failure::Failure,
        instance::Instance,
    },
    port::{Clock, EVENT_SHARDS, Events, Outbox, PageAsk, StoreError},
};

/// How many events are published at once.
const AT_ONCE: usize = 16;
const PAGE: u16 = 100;
/// Publishing and forgetting an event ends within this time.
const LONGEST: SignedDuration = SignedDuration::from_secs(10);

/// What the flow needs.
#[derive(Clone, Copy)]
pub struct Announce<'a> {
    /// What is not published yet.
    pub outbox: &'a dyn Outbox,
    /// Where events go.
    pub events: &'a dyn Events,
    /// The clock.
    pub clock: &'a dyn Clock,
}

impl std::fmt::Debug for Announce<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Announce")
    }
}

/// What became of the events that others have left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Published.
    pub published: u64,
    /// Left for the next sweep.
    pub left: u64,
}

impl Announce<'_> {
    /// Publishes events that were left in the outbox with the write that they tell of. What can't be
    /// published now is published by a sweep.
    pub async fn announce(&self, events: &[Event]) {
        for event in events {
            self.tell(event).await;
        }
    }

    /// Publishes what others have left. Nothing is begun that could not end before `deadline`.
    ///
    /// # Errors
    /// [`StoreError`] if the index can't be read; the next sweep is the retry.
    pub async fn catch_up(&self, deadline: Option<Timestamp>) -> Result<Told, StoreError> {
        let mut all = Told::default();
        for shard in 0..EVENT_SHARDS {
            let mut page = PageAsk {
                after: None,
                limit: PAGE,
            };
            loop {
                let found = self.outbox.overdue(shard, self.clock.now(), &page).await?;
                let told = self.tell_left(found.items, deadline).await;
                all.published += told.published;
                all.left += told.left;
                page.after = found.next;
                // If nothing of a page was taken, more of the same would not be either.
                if page.after.is_none() || told.published == 0 {
                    break;
                }
            }
        }
        Ok(all)
    }

    async fn tell_left(&self, keys: Vec<EventKey>, deadline: Option<Timestamp>) -> Told {
        let told = stream::iter(keys)
            .map(|key| async move {
                let left = deadline.map(|deadline| deadline.duration_since(self.clock.now()));
                if left.is_some_and(|left| left < LONGEST) {
                    return false;
                }
                match self.outbox.find(&key).await {
                    Ok(Some(event)) => self.tell(&event).await,
                    // Somebody has published it meanwhile.
                    Ok(None) => true,
                    Err(error) => {
                        warn!(event = %key.id, %error, "event not read");
                        false
                    }
                }
            })
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<_>>()
            .await;
        let published = told.iter().filter(|published| **published).count();
        Told {
            published: u64::try_from(published).unwrap_or(u64::MAX),
            left: u64::try_from(told.len() - published).unwrap_or(u64::MAX),
        }
    }

    /// Publishes an event and forgets it. Says whether it was published.
    async fn tell(&self, event: &Event) -> bool {
        if let Err(error) = self.events.publish(event).await {
            warn!(event = %event.id, kind = event.kind.name(), %error, "event not published");
            return false;
        }
        if let Err(error) = self.outbox.forget(&event.key()).await {
            warn!(event = %event.id, kind = event.kind.name(), %error, "event may be published again");
        }
        true
    }
}

/// What is to be told of a grant that has ended: nothing, if it was told before and the instance has
/// not recovered since.
pub(super) fn end(instance: &Instance, epoch: u64, cause: &Failure) -> Vec<Event> {
    let told = EventKind::ReconnectRequired {
        failure: cause.clone(),
    };
    let event = Event::of(instance, epoch, cause.at, told);
    (!instance.told_ended)
        .then_some(event)
        .into_iter()
        .collect()
}
