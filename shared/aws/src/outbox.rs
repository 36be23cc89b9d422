//! The outbox in DynamoDB: an item for each pending event, beside the instances and in their index.
//!
//! A write that tells something is a transaction of two items; all others stay what they are.

use async_trait::async_trait;
use jiff::Timestamp;
use latchkey_core::{
    model::{
        event::{Event, EventKey},
        id::InstanceId,
    },
    port::{EVENT_SHARDS, GRACE, Outbox, Page, PageAsk, SHARDS, StoreError},
};

use crate::{
    cursor,
    expression::Expression,
    item::{Item, Reader, item, json, number, second_after, text},
    table::{List, Table},
    tables::DUE,
    write::{Part, Transacted, Written},
};

/// Where a tenant's instances begin among its items: its events come before.
pub(crate) const AFTER_EVENTS: &str = InstanceId::PREFIX;

/// Pending events in DynamoDB.
#[derive(Clone)]
pub struct DynamoOutbox(pub(crate) Table);

impl std::fmt::Debug for DynamoOutbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DynamoOutbox")
    }
}

impl DynamoOutbox {
    /// Changes an item of a table, and leaves events pending with it: both or neither.
    pub(crate) async fn change(
        &self,
        table: &Table,
        changed: Item,
        expression: &Expression,
        events: &[Event],
    ) -> Result<Written, StoreError> {
        if events.is_empty() {
            return table.update(changed, expression).await;
        }
        let mut parts = vec![table.update_part(changed, expression)?];
        for event in events {
            parts.push(self.0.put_part(pending(event))?);
        }
        Ok(match table.transact(parts).await? {
            Transacted::Done => Written::Done(Item::new()),
            Transacted::Refused(parts) => match parts.into_iter().next() {
                Some(Part::Refused(now)) => Written::Refused(now),
                // Nothing is asked of the events, so it is the change that did not hold.
                Some(Part::Held) | None => Written::Refused(None),
            },
        })
    }
}

#[async_trait]
impl Outbox for DynamoOutbox {
    async fn overdue(
        &self,
        shard: u8,
        now: Timestamp,
        page: &PageAsk,
    ) -> Result<Page<EventKey>, StoreError> {
        let list = List {
            index: Some(DUE),
            hash: ("due_shard", number(SHARDS + shard)),
            range: "due_at",
        };
        let after = page
            .after
            .as_deref()
            .map(|cursor| cursor::due_after(SHARDS + shard, cursor));
        let after = after.transpose()?;
        let seconds = (i64::MIN, now.as_millisecond().div_euclid(1000));
        let (items, has_more) = self.0.between(&list, seconds, after, page.limit).await?;
        let next = match items.last() {
            Some(last) if has_more => Some(cursor::of_due(Reader(last))?),
            Some(_) | None => None,
        };
        let keys = items.iter().map(|item| read_key(Reader(item)));
        Ok(Page {
            items: keys.collect::<Result<_, _>>()?,
            next,
        })
    }

    async fn find(&self, wanted: &EventKey) -> Result<Option<Event>, StoreError> {
        let found = self.0.get(key(wanted)).await?;
        let event = |item: Item| Reader(&item).format_1()?.json("event");
        found.map(event).transpose()
    }

    async fn forget(&self, published: &EventKey) -> Result<(), StoreError> {
        match self.0.delete(key(published), &Expression::new()).await? {
            Written::Done(_) | Written::Refused(_) => Ok(()),
        }
    }
}

fn key(key: &EventKey) -> Item {
    item([
        ("tenant", text(key.tenant.as_str())),
        ("instance", text(key.id.as_str())),
    ])
}

fn read_key(item: Reader<'_>) -> Result<EventKey, StoreError> {
    Ok(EventKey {
        tenant: item.parsed("tenant")?,
        id: item.parsed("instance")?,
    })
}

fn pending(event: &Event) -> Item {
    let overdue_at = event.time.saturating_add(GRACE).unwrap_or(Timestamp::MAX);
    let mut pending = key(&event.key());
    pending.extend(item([
        ("v", number(1)),
        ("event", json(event)),
        (
            "due_shard",
            number(SHARDS + event.id.spread() % EVENT_SHARDS),
        ),
        ("due_at", number(second_after(overdue_at))),
    ]));
    pending
}
