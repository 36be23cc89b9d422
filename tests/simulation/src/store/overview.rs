//! What an operator sees and does.

use std::ops::Bound;

use async_trait::async_trait;
use jiff::Timestamp;
use latchkey_core::{
    model::instance::{Instance, State},
    port::{Due, Overview, Page, PageAsk, StoreError},
};

use super::{
    MemoryStore,
    tables::{Placing, Row, is_usable, second_after},
};
use crate::line::Call;

#[async_trait]
impl Overview for MemoryStore {
    async fn troubled(
        &self,
        now: Timestamp,
        overdue: Timestamp,
        page: &PageAsk,
    ) -> Result<Page<Instance>, StoreError> {
        self.call(Call::ReadInstance, |tables| {
            let after = page.after.as_deref().and_then(super::upkeep::parse_key);
            let from = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
            let mut rows = tables.rows.range((from, Bound::Unbounded));
            let read: Vec<_> = rows.by_ref().take(usize::from(page.limit)).collect();
            let next = rows.next().and_then(|_| read.last());
            Page {
                next: next.map(|(key, _)| format!("{}#{}", key.tenant, key.id)),
                items: read
                    .iter()
                    .filter(|(_, row)| is_troubled(row, now, overdue))
                    .map(|(_, row)| row.instance.clone())
                    .collect(),
            }
        })
        .await
    }

    async fn hasten(&self, seen: &Instance, due: Due) -> Result<bool, StoreError> {
        self.call(Call::WriteInstance, |tables| {
            let holds = |now: &Instance| {
                is_usable(now) && now.epoch == seen.epoch && now.incarnation == seen.incarnation
            };
            tables.change(&seen.key, &[], holds, |row| {
                row.instance.not_before = None;
                Placing::At(Some(due))
            })
        })
        .await
    }
}

fn is_troubled(row: &Row, now: Timestamp, overdue: Timestamp) -> bool {
    let instance = &row.instance;
    let grant = instance.usable_grant();
    let has_journal = grant.is_some_and(|grant| grant.refresh_tokens.journal().is_some());
    let lease = instance.lease.as_ref();
    grant.is_some()
        && (matches!(instance.state, State::Suspect { .. })
            || instance.failures > 0
            || instance.attempts > 0
            || lease.is_some_and(|lease| lease.until < now)
            || !instance.spares.is_empty()
            || has_journal
            || row
                .due
                .is_some_and(|(_, second)| second < second_after(overdue)))
}
