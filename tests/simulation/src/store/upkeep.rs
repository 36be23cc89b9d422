//! What is noted of instances, and the index of those that are due.

use std::ops::Bound;

use async_trait::async_trait;
use jiff::Timestamp;
use latchkey_core::{
    model::{id::InstanceKey, instance::Instance},
    port::{
        DueInstance, DueInstances, Note, NoteUpkeep, Noted, Noting, Page, PageAsk, StoreError,
        Window,
    },
};

use super::{
    MemoryStore,
    tables::{Placing, Tables, is_unmoved, is_usable, kept},
};
use crate::line::Call;

#[async_trait]
impl NoteUpkeep for MemoryStore {
    async fn note(&self, note: Note<'_>) -> Result<Noted, StoreError> {
        self.call(Call::WriteInstance, |tables| tables.note(&note))
            .await
    }
}

impl Tables {
    fn note(&mut self, note: &Note<'_>) -> Noted {
        let due_at = self.rows.get(note.key).and_then(|row| row.due);
        let holds = |now: &Instance| {
            is_usable(now)
                && is_unmoved(now, note.incarnation, note.epoch)
                && match note.what {
                    Noting::Used { .. } => true,
                    Noting::Rejected { seen, .. } => now.upkeep.rejections == *seen,
                    Noting::NotDue { now } => {
                        let second = now.as_millisecond().div_euclid(1000);
                        due_at.is_some_and(|(_, due_at)| due_at <= second)
                    }
                }
        };
        let is_done = self.change(note.key, &[], holds, |row| {
            let upkeep = &mut row.instance.upkeep;
            match note.what {
                Noting::Used { at } => upkeep.used_at = Some(kept(at)),
                Noting::Rejected { kept, .. } => upkeep.rejections = kept.clone(),
                Noting::NotDue { .. } => {}
            }
            Placing::At(note.due)
        });
        if is_done {
            return Noted::Done;
        }
        let now = self.instance(note.key);
        let is_ours = |now: &Instance| match note.what {
            Noting::Rejected { kept, .. } => now.upkeep.rejections == *kept,
            Noting::Used { .. } | Noting::NotDue { .. } => false,
        };
        match now.as_ref().is_some_and(is_ours) {
            true => Noted::Done,
            false => Noted::Moved(now.map(Box::new)),
        }
    }
}

#[async_trait]
impl DueInstances for MemoryStore {
    async fn due(
        &self,
        shard: u8,
        window: Window,
        page: &PageAsk,
    ) -> Result<Page<DueInstance>, StoreError> {
        let after = match page.after.as_deref().map(parse) {
            None => None,
            Some(Some(after)) => Some(after),
            Some(None) => return Err(StoreError::Corrupt("cursor")),
        };
        self.call(Call::QueryDue, |tables| {
            let second = |at: Timestamp| at.as_millisecond().div_euclid(1000);
            let least = window.after.map_or(i64::MIN, |after| second(after) + 1);
            let most = second(window.until);
            let from = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
            let shard = tables.due.get(usize::from(shard));
            let mut due = shard
                .into_iter()
                .flat_map(|shard| shard.range::<(i64, InstanceKey), _>((from, Bound::Unbounded)))
                .skip_while(|entry| entry.0 < least)
                .take_while(|entry| entry.0 <= most);
            let read: Vec<_> = due.by_ref().take(usize::from(page.limit)).collect();
            let next = due.next().and_then(|_| read.last());
            Page {
                next: next.map(|(second, key)| format!("{second}#{}#{}", key.tenant, key.id)),
                items: read
                    .into_iter()
                    .map(|(second, key)| DueInstance {
                        key: key.clone(),
                        since: Timestamp::from_second(*second).unwrap_or(Timestamp::MAX),
                    })
                    .collect(),
            }
        })
        .await
    }
}

fn parse(cursor: &str) -> Option<(i64, InstanceKey)> {
    let (second, key) = cursor.split_once('#')?;
    Some((second.parse().ok()?, parse_key(key)?))
}

/// The key that a cursor names.
pub(super) fn parse_key(cursor: &str) -> Option<InstanceKey> {
    let (tenant, id) = cursor.split_once('#')?;
    Some(InstanceKey {
        tenant: tenant.parse().ok()?,
        id: id.parse().ok()?,
    })
}
