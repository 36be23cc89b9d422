//! Events that are kept until they are published.
//!
//! Whoever changes what an event tells of leaves the event here with the same write, publishes it, and
//! forgets it. If it dies in between, a sweep publishes the event: so none is lost, and one may be
//! published twice.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::store::{Page, PageAsk, StoreError};
use crate::model::event::{Event, EventKey};

/// How many shards the index of pending events has, apart from those of instances.
pub const EVENT_SHARDS: u8 = 4;

/// How long who has left an event has to publish it before a sweep does.
pub const GRACE: Duration = Duration::from_secs(10);

/// Pending events, of all tenants.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// The keys of a shard's events that happened longer than [`GRACE`] before `now`, the oldest
    /// first. Eventually consistent.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn overdue(
        &self,
        shard: u8,
        now: Timestamp,
        page: &PageAsk,
    ) -> Result<Page<EventKey>, StoreError>;

    /// The event, if it is still pending; strongly consistent.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer, or the event is of a kind that only a later version
    /// knows.
    async fn find(&self, key: &EventKey) -> Result<Option<Event>, StoreError>;

    /// Forgets an event that is published. May be repeated.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer; the event is published once more then.
    async fn forget(&self, key: &EventKey) -> Result<(), StoreError>;
}
