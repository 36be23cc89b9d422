//! The index of instances that want attention. Only they are in it.

use async_trait::async_trait;
use jiff::Timestamp;
use latchkey_core::port::{DueInstance, DueInstances, Page, PageAsk, StoreError, Window};

use super::{DynamoInstances, item::read_key};
use crate::{
    cursor,
    item::{Reader, number},
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
            .map(|cursor| cursor::due_after(shard, cursor))
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
            Some(last) if has_more => Some(cursor::of_due(Reader(last))?),
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
