//! Instances in DynamoDB: each step of the refresh protocol is one conditional update.

mod consents;
mod deletions;
mod due;
mod item;
mod leases;
mod spares;

use async_trait::async_trait;
use latchkey_core::{
    model::{
        id::{InstanceKey, TenantId},
        instance::{Instance, State},
    },
    port::{Creation, Instances, Page, PageAsk, ReadInstances, StoreError},
};

use self::item::{key, new_item, read};
use crate::{
    expression::Expression,
    item::{Reader, text},
    methods,
    table::{List, Table},
    write::{Part, Transacted},
};

/// Instances in DynamoDB.
#[derive(Clone)]
pub struct DynamoInstances {
    table: Table,
    connectors: Table,
}

impl DynamoInstances {
    /// Instances in `table`, counted at their auth methods in `connectors`.
    pub(crate) fn new(table: Table, connectors: Table) -> Self {
        Self { table, connectors }
    }
}

impl std::fmt::Debug for DynamoInstances {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DynamoInstances")
    }
}

#[async_trait]
impl ReadInstances for DynamoInstances {
    async fn find(&self, wanted: &InstanceKey) -> Result<Option<Instance>, StoreError> {
        let found = self.table.get(key(wanted)).await?;
        found.map(|item| read(Reader(&item))).transpose()
    }
}

#[async_trait]
impl Instances for DynamoInstances {
    async fn create(&self, instance: &Instance) -> Result<Creation, StoreError> {
        let counted = Expression::new()
            .when("attribute_exists(#pk)")
            .add("instances", 1);
        let method = methods::item_key(&instance.method_key());
        let parts = vec![
            self.table
                .update_part(key(&instance.key), &new_item(instance))?,
            self.connectors.update_part(method, &counted)?,
        ];
        Ok(match self.table.transact(parts).await? {
            Transacted::Done => Creation::Done,
            Transacted::Refused(parts) => match parts.first() {
                // The id is new: what is there is an earlier try of ours.
                Some(Part::Refused(_)) => Creation::Done,
                Some(Part::Held) | None => Creation::MethodGone,
            },
        })
    }

    async fn list(&self, tenant: &TenantId, page: &PageAsk) -> Result<Page<Instance>, StoreError> {
        let list = List {
            index: None,
            hash: ("tenant", text(tenant.as_str())),
            range: "instance",
        };
        let rows = self.table.page(&list, page).await?;
        let mut items = Vec::with_capacity(rows.items.len());
        for item in &rows.items {
            let instance = read(Reader(item))?;
            if !matches!(instance.state, State::Deleted { .. }) {
                items.push(instance);
            }
        }
        Ok(Page {
            items,
            next: rows.next,
        })
    }
}
