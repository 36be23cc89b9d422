//! Auth methods and their health, token hosts, and events that are not published yet.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use latchkey_core::{
    model::{
        breaker::Breaker,
        event::{Event, EventKey},
        health::MethodHealth,
        host::Host,
        id::MethodKey,
        method::{FoundMethod, StoredMethod},
    },
    port::{Healths, Hosts, Methods, Outbox, Page, PageAsk, StoreError, Turned},
};

use super::MemoryStore;
use crate::line::Call;

#[async_trait]
impl Methods for MemoryStore {
    async fn find(&self, key: &MethodKey) -> Result<Option<FoundMethod>, StoreError> {
        self.call(Call::ReadMethod, |tables| {
            tables.methods.get(key).cloned().map(FoundMethod::from)
        })
        .await
    }
}

#[async_trait]
impl Healths for MemoryStore {
    async fn look(&self, key: &MethodKey) -> Result<Option<StoredMethod>, StoreError> {
        self.call(Call::ReadMethod, |tables| {
            tables.methods.get(key).map(|method| (**method).clone())
        })
        .await
    }

    async fn turn(
        &self,
        key: &MethodKey,
        seen: &MethodHealth,
        next: &MethodHealth,
        events: &[Event],
    ) -> Result<Turned<Option<Box<StoredMethod>>>, StoreError> {
        self.call(Call::WriteHealth, |tables| {
            let Some(method) = tables.methods.get_mut(key) else {
                return Turned::Lost(None);
            };
            if method.health.mark != seen.mark {
                return match method.health.mark == next.mark {
                    true => Turned::Done,
                    false => Turned::Lost(Some(Box::new((**method).clone()))),
                };
            }
            Arc::make_mut(method).health = next.clone();
            for event in events {
                tables.leave(event);
            }
            Turned::Done
        })
        .await
    }
}

#[async_trait]
impl Hosts for MemoryStore {
    async fn breaker(&self, host: &Host) -> Result<Option<Breaker>, StoreError> {
        self.call(Call::ReadHost, |tables| tables.hosts.get(host).cloned())
            .await
    }

    async fn turn(
        &self,
        host: &Host,
        seen: Option<&Breaker>,
        next: &Breaker,
    ) -> Result<Turned<Option<Breaker>>, StoreError> {
        self.call(Call::WriteHost, |tables| {
            let now = tables.hosts.get(host);
            if now.map(|now| &now.mark) == seen.map(|seen| &seen.mark) {
                tables.hosts.insert(host.clone(), next.clone());
                return Turned::Done;
            }
            match now {
                Some(now) if now.mark == next.mark => Turned::Done,
                now => Turned::Lost(now.cloned()),
            }
        })
        .await
    }

    async fn close(&self, host: &Host, seen: &Breaker) -> Result<bool, StoreError> {
        self.call(Call::WriteHost, |tables| {
            let now = tables.hosts.get(host);
            let is_seen = now.is_some_and(|now| now.mark == seen.mark);
            if is_seen {
                tables.hosts.remove(host);
            }
            is_seen
        })
        .await
    }
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn overdue(
        &self,
        shard: u8,
        now: Timestamp,
        page: &PageAsk,
    ) -> Result<Page<EventKey>, StoreError> {
        self.call(Call::QueryEvents, |tables| {
            let most = now.as_millisecond().div_euclid(1000);
            let after = page.after.as_deref().unwrap_or_default();
            let cursor =
                |(second, key): &(i64, EventKey)| format!("{second}#{}#{}", key.tenant, key.id);
            let mut due = tables
                .overdue
                .get(usize::from(shard))
                .into_iter()
                .flatten()
                .take_while(|(second, _)| *second <= most);
            if !after.is_empty() {
                due.by_ref().find(|entry| cursor(entry) == after);
            }
            let read: Vec<_> = due.by_ref().take(usize::from(page.limit)).collect();
            Page {
                next: due.next().and_then(|_| Some(cursor(read.last()?))),
                items: read.into_iter().map(|(_, key)| key.clone()).collect(),
            }
        })
        .await
    }

    async fn find(&self, key: &EventKey) -> Result<Option<Event>, StoreError> {
        self.call(Call::Event, |tables| tables.events.get(key).cloned())
            .await
    }

    async fn forget(&self, key: &EventKey) -> Result<(), StoreError> {
        self.call(Call::Event, |tables| tables.forget(key)).await
    }
}
