//! Instances: made, read, connected, pointed at the secrets manager, deleted.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use latchkey_core::{
    model::{
        event::Event,
        id::{InstanceKey, TenantId},
        instance::{Instance, State, StoredValues},
        refresh_tokens::RefreshTokens,
    },
    port::{
        Connect, Connected, Consents, Creation, Deletions, Due, Instances, Page, PageAsk, Point,
        PointInstances, ReadInstances, StoreError,
    },
};

use super::{
    MemoryStore,
    tables::{Placing, Row, Tables, kept, kept_grant},
};
use crate::line::Call;

#[async_trait]
impl ReadInstances for MemoryStore {
    async fn find(&self, key: &InstanceKey) -> Result<Option<Instance>, StoreError> {
        self.call(Call::ReadInstance, |tables| tables.instance(key))
            .await
    }
}

#[async_trait]
impl Instances for MemoryStore {
    async fn create(&self, instance: &Instance) -> Result<Creation, StoreError> {
        self.call(Call::WriteInstance, |tables| {
            // The id is new: what is there is an earlier try.
            if tables.rows.contains_key(&instance.key) {
                return Creation::Done;
            }
            let Some(method) = tables.methods.get_mut(&instance.method_key()) else {
                return Creation::MethodGone;
            };
            Arc::make_mut(method).instances += 1;
            tables.put(instance.clone(), None);
            Creation::Done
        })
        .await
    }

    async fn list(&self, tenant: &TenantId, page: &PageAsk) -> Result<Page<Instance>, StoreError> {
        self.call(Call::ReadInstance, |tables| {
            let after = page.after.as_deref().unwrap_or_default();
            let mut rows = tables
                .rows
                .range(..)
                .filter(|(key, _)| key.tenant == *tenant && key.id.as_str() > after);
            let read: Vec<_> = rows.by_ref().take(usize::from(page.limit)).collect();
            let next = rows.next().and_then(|_| read.last());
            Page {
                next: next.map(|(key, _)| key.id.to_string()),
                items: read
                    .iter()
                    .map(|(_, row)| row.instance.clone())
                    .filter(|instance| !is_deleted(instance))
                    .collect(),
            }
        })
        .await
    }
}

#[async_trait]
impl PointInstances for MemoryStore {
    async fn point(&self, point: Point<'_>) -> Result<bool, StoreError> {
        self.call(Call::WriteInstance, |tables| {
            let holds = |now: &Instance| {
                let journal = now.grant().and_then(|grant| grant.refresh_tokens.journal());
                !is_deleted(now)
                    && now.incarnation == point.incarnation
                    && journal.is_some_and(|journal| journal.epoch == point.epoch)
            };
            let is_done = tables.change(point.key, &[], holds, |row| {
                let version = RefreshTokens::Version(point.version.clone());
                match &mut row.instance.state {
                    State::Active(grant)
                    | State::Suspect { grant, .. }
                    | State::ReconnectRequired { grant, .. } => grant.refresh_tokens = version,
                    State::Pending | State::Deleted { .. } => {}
                }
                Placing::Same
            });
            // An earlier try, or somebody who was at the same journal.
            let is_there = |row: &Row| {
                let grant = row.instance.grant();
                grant.is_some_and(|grant| {
                    grant.refresh_tokens == RefreshTokens::Version(point.version.clone())
                })
            };
            is_done || tables.rows.get(point.key).is_some_and(is_there)
        })
        .await
    }
}

#[async_trait]
impl Consents for MemoryStore {
    async fn connect(&self, connect: Connect<'_>) -> Result<Connected, StoreError> {
        self.call(Call::WriteInstance, |tables| tables.connect(&connect))
            .await
    }
}

#[async_trait]
impl Deletions for MemoryStore {
    async fn mark(
        &self,
        key: &InstanceKey,
        now: Timestamp,
        due: Due,
        events: &[Event],
    ) -> Result<Option<Instance>, StoreError> {
        self.call(Call::WriteInstance, |tables| {
            let holds = |instance: &Instance| !is_deleted(instance);
            tables.change(key, events, holds, |row| {
                let grant = row.instance.grant().cloned();
                row.instance.state = State::Deleted {
                    grant,
                    at: kept(now),
                };
                Placing::At(Some(due))
            });
            tables.instance(key)
        })
        .await
    }

    async fn forget(&self, instance: &Instance) -> Result<(), StoreError> {
        self.call(Call::WriteInstance, |tables| tables.forget_tokens(instance))
            .await
    }

    async fn purge(&self, key: &InstanceKey) -> Result<(), StoreError> {
        self.call(Call::WriteInstance, |tables| {
            let is_over = |row: &Row| is_deleted(&row.instance) && !row.counted;
            if tables.rows.get(key).is_some_and(is_over) {
                tables.remove(key);
            }
        })
        .await
    }
}

impl Tables {
    fn connect(&mut self, connect: &Connect<'_>) -> Connected {
        let holds = |now: &Instance| {
            !is_deleted(now) && now.epoch == connect.epoch && now.incarnation == connect.incarnation
        };
        let is_done = self.change(connect.key, connect.events, holds, |row| {
            let now = &mut row.instance;
            *now = Instance {
                values: connect.values.clone(),
                incarnation: connect.incarnation + 1,
                epoch: connect.grant.epoch,
                lease: None,
                attempts: 0,
                last_send: None,
                not_before: None,
                failures: 0,
                last_failure: None,
                spares: Vec::new(),
                state: State::Active(kept_grant(connect.grant)),
                ..now.clone()
            };
            Placing::At(connect.due)
        });
        if is_done {
            return Connected::Done;
        }
        match self.instance(connect.key) {
            Some(now) if !is_deleted(&now) => Connected::Moved(Box::new(now)),
            Some(_) | None => Connected::Gone,
        }
    }

    fn forget_tokens(&mut self, instance: &Instance) {
        let Some(row) = self.rows.get(&instance.key) else {
            return;
        };
        if !is_deleted(&row.instance) || !row.counted {
            return;
        }
        if let Some(method) = self.methods.get_mut(&instance.method_key()) {
            let method = Arc::make_mut(method);
            method.instances = method.instances.saturating_sub(1);
        }
        self.change(&instance.key, &[], is_deleted, |row| {
            row.counted = false;
            let now = &mut row.instance;
            if let State::Deleted { grant, .. } = &mut now.state {
                *grant = None;
            }
            now.values = StoredValues::default();
            now.spares = Vec::new();
            now.last_failure = None;
            Placing::Same
        });
    }
}

fn is_deleted(instance: &Instance) -> bool {
    matches!(instance.state, State::Deleted { .. })
}
