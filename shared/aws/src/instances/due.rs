//! The index of instances that want attention. Only they are in it.

use async_trait::async_trait;
use jiff::Timestamp;
use latchkey_core::{
    model::id::InstanceKey,
    port::{DueInstance, DueInstances, Page, PageAsk, StoreError, Window},
};

use super::{
    DynamoInstances,
    item::{key, read_key},
};
use crate::{
    item::{Item, Reader, number},
    table::List,
    tables::DUE,
};

#[async_trait]
impl DueInstances for DynamoInstances {
    async fn due(
        &self,
        shard: u8,
        window: Window,
        page: &PageAsk,
    ) -> Result<Page<DueInstance>, StoreError> {
        let list = List {
            index: Some(DUE),
            hash: ("due_shard", number(shard)),
            range: "due_at",
        };
        let after = page
            .after
            .as_deref()
            .map(|cursor| start_after(shard, cursor))
            .transpose()?;
        let second = |at: Timestamp| at.as_millisecond().div_euclid(1000);
        let least = window.after.map_or(i64::MIN, |after| second(after) + 1);
        let seconds = (least, second(window.until));
        if seconds.0 > seconds.1 {
            return Ok(Page {
                items: Vec::new(),
                next: None,
            });
        }
        let (items, has_more) = self
            .table
            .between(&list, seconds, after, page.limit)
            .await?;
        let found = items.iter().map(|item| read_due(Reader(item)));
        let next = match items.last() {
            Some(last) if has_more => Some(cursor(Reader(last))?),
            Some(_) | None => None,
        };
        Ok(Page {
            items: found.collect::<Result<_, _>>()?,
            next,
        })
    }
}

fn read_due(item: Reader<'_>) -> Result<DueInstance, StoreError> {
    let second = item.number("due_at")?;
    Ok(DueInstance {
        key: read_key(item)?,
        since: Timestamp::from_second(second).map_err(|_| StoreError::Corrupt("due_at"))?,
    })
}

/// Where the next page begins: many instances may be due in one second, so the key goes with it.
fn cursor(item: Reader<'_>) -> Result<String, StoreError> {
    let due_at: i64 = item.number("due_at")?;
    let key = read_key(item)?;
    Ok(format!("{due_at}#{}#{}", key.tenant, key.id))
}

fn start_after(shard: u8, cursor: &str) -> Result<Item, StoreError> {
    let mut start = parse(cursor).ok_or(StoreError::Corrupt("cursor"))?;
    start.insert("due_shard".to_owned(), number(shard));
    Ok(start)
}

fn parse(cursor: &str) -> Option<Item> {
    let mut parts = cursor.splitn(3, '#');
    let due_at: i64 = parts.next()?.parse().ok()?;
    let mut start = key(&InstanceKey {
        tenant: parts.next()?.parse().ok()?,
        id: parts.next()?.parse().ok()?,
    });
    start.insert("due_at".to_owned(), number(due_at));
    Some(start)
}
