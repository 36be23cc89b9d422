//! What an operator sees and does: all instances, of all tenants.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    instances::{Due, ReadInstances},
    store::{Page, PageAsk, StoreError},
};
use crate::model::instance::Instance;

/// Looks over all instances, and hastens one.
#[async_trait]
pub trait Overview: ReadInstances {
    /// Instances that may be in trouble, in no order: suspect, failing, with requests whose fate is
    /// unknown, with spares, with a lease that has lapsed by `now`, or due since before `overdue`. Reads
    /// all there are, so many at a time, and answers with those; a page may be empty.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn troubled(
        &self,
        now: Timestamp,
        overdue: Timestamp,
        page: &PageAsk,
    ) -> Result<Page<Instance>, StoreError>;

    /// Lets an active or suspect instance be refreshed now, if it is as seen: it need not wait, and is
    /// due. Says whether it was as seen.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn hasten(&self, seen: &Instance, due: Due) -> Result<bool, StoreError>;
}
