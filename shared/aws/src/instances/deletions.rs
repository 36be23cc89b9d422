//! Deletion in three steps: marked, forgotten, purged.

use async_trait::async_trait;
use jiff::Timestamp;
use latchkey_core::{
    model::{event::Event, id::InstanceKey, instance::Instance},
    port::{Deletions, Due, ReadInstances as _, StoreError},
};

use super::{
    DynamoInstances,
    item::{DELETED, due, key, read},
};
use crate::{
    expression::Expression,
    item::{Reader, number, text, time},
    methods,
    write::{Part, Transacted, Written},
};

#[async_trait]
impl Deletions for DynamoInstances {
    async fn mark(
        &self,
        marked: &InstanceKey,
        now: Timestamp,
        looked_after: Due,
        events: &[Event],
    ) -> Result<Option<Instance>, StoreError> {
        let expression = Expression::new()
            .when("attribute_exists(#tenant) AND #status <> :deleted")
            .value("deleted", text(DELETED))
            .set_to("status", ":deleted")
            .set("deleted_at", time(now))
            .set_all(due(Some(looked_after)));
        match self.change(marked, expression, events).await? {
            // A transaction returns nothing of what it has written.
            Written::Done(_) => self.find(marked).await,
            Written::Refused(Some(item)) => read(Reader(&item)).map(Some),
            Written::Refused(None) => Ok(None),
        }
    }

    async fn forget(&self, instance: &Instance) -> Result<(), StoreError> {
        let method = methods::item_key(&instance.method_key());
        let counted_out = Expression::new()
            .when("#instances > :none")
            .value("none", number(0))
            .add("instances", -1);
        let parts = vec![
            self.table.update_part(key(&instance.key), &forgetting())?,
            self.connectors.update_part(method, &counted_out)?,
        ];
        let Transacted::Refused(parts) = self.table.transact(parts).await? else {
            return Ok(());
        };
        match parts.first() {
            // It is forgotten already, or was never marked.
            Some(Part::Refused(_)) | None => Ok(()),
            // The auth method is gone, and there is nothing left to count.
            Some(Part::Held) => self.forget_uncounted(&instance.key).await,
        }
    }

    async fn purge(&self, purged: &InstanceKey) -> Result<(), StoreError> {
        let forgotten = Expression::new()
            .when("#status = :deleted AND attribute_not_exists(#counted)")
            .value("deleted", text(DELETED));
        match self.table.delete(key(purged), &forgotten).await? {
            Written::Done(_) | Written::Refused(_) => Ok(()),
        }
    }
}

impl DynamoInstances {
    async fn forget_uncounted(&self, forgotten: &InstanceKey) -> Result<(), StoreError> {
        match self.table.update(key(forgotten), &forgetting()).await? {
            Written::Done(_) | Written::Refused(_) => Ok(()),
        }
    }
}

/// What forgets a marked instance, once.
fn forgetting() -> Expression {
    Expression::new()
        .when("#status = :deleted AND attribute_exists(#counted)")
        .value("deleted", text(DELETED))
        .remove(&["counted", "tokens", "committed_epoch", "refreshable"])
        .remove(&[
            "parent_epoch",
            "journal",
            "journal_epoch",
            "refresh_version",
        ])
        .remove(&["expires_at", "terms", "received_at", "scopes"])
        .remove(&["spares", "values", "sealed_values", "last_failure", "cause"])
}
