//! What an operator sees and does.

use async_trait::async_trait;
use jiff::Timestamp;
use latchkey_core::{
    model::instance::Instance,
    port::{Due, Overview, Page, PageAsk, StoreError},
};

use super::{
    DynamoInstances,
    item::{ACTIVE, SUSPECT, due, key},
};
use crate::{
    expression::Expression,
    item::{number, second_after, text, time},
    write::Written,
};

#[async_trait]
impl Overview for DynamoInstances {
    async fn troubled(
        &self,
        now: Timestamp,
        overdue: Timestamp,
        page: &PageAsk,
    ) -> Result<Page<Instance>, StoreError> {
        let filter = Expression::new()
            // Pending events are items of the table too, and have no status.
            .when("#status IN (:active, :suspect)")
            .when(
                "#status = :suspect OR #failures > :none OR #attempts > :none \
                 OR #lease_until < :now OR attribute_exists(#spares) \
                 OR attribute_exists(#journal) OR #due_at < :overdue",
            )
            .value("active", text(ACTIVE))
            .value("suspect", text(SUSPECT))
            .value("none", number(0))
            .value("now", time(now))
            .value("overdue", number(second_after(overdue)));
        self.scanned(&filter, page).await
    }

    async fn hasten(&self, seen: &Instance, new_due: Due) -> Result<bool, StoreError> {
        let expression = Expression::new()
            .when("#status IN (:active, :suspect)")
            .when("#epoch = :seen_epoch AND #incarnation = :seen_incarnation")
            .value("active", text(ACTIVE))
            .value("suspect", text(SUSPECT))
            .value("seen_epoch", number(seen.epoch))
            .value("seen_incarnation", number(seen.incarnation))
            .remove(&["not_before"])
            .set_all(due(Some(new_due)));
        let written = self.table.update(key(&seen.key), &expression).await?;
        Ok(matches!(written, Written::Done(_)))
    }
}
