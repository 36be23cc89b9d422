//! Journals are forgotten once what they hold is in the secrets manager.

use async_trait::async_trait;
use latchkey_core::port::{Point, PointInstances, StoreError};

use super::{
    DynamoInstances,
    item::{DELETED, key},
};
use crate::{
    expression::Expression,
    grant::{JOURNAL, JOURNAL_EPOCH, VERSION},
    item::{Reader, number, text},
    write::Written,
};

#[async_trait]
impl PointInstances for DynamoInstances {
    async fn point(&self, point: Point<'_>) -> Result<bool, StoreError> {
        let expression = Expression::new()
            .when("#status <> :deleted AND #incarnation = :incarnation AND #journal_epoch = :epoch")
            .value("deleted", text(DELETED))
            .value("incarnation", number(point.incarnation))
            .value("epoch", number(point.epoch))
            .set(VERSION, text(point.version.as_str()))
            .remove(&[JOURNAL, JOURNAL_EPOCH]);
        match self.table.update(key(point.key), &expression).await? {
            Written::Done(_) => Ok(true),
            Written::Refused(None) => Ok(false),
            Written::Refused(Some(now)) => {
                // An earlier try of ours, or of somebody who was at the same journal.
                let now = Reader(&now);
                let is_there = now.text_if(VERSION)? == Some(point.version.as_str());
                Ok(is_there && !now.has(JOURNAL))
            }
        }
    }
}
