//! Instances in DynamoDB: each step of the refresh protocol is one conditional update.

mod consents;
mod deletions;
mod due;
mod item;
mod leases;
mod overview;
mod pointing;
mod rehousing;
mod spares;
mod upkeep;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use latchkey_core::{
    model::{
        event::Event,
        id::{InstanceKey, TenantId},
        instance::{Instance, State},
    },
    port::{Creation, Instances, Page, PageAsk, ReadInstances, StoreError},
};

use self::item::{key, new_item, read};
use crate::{
    cursor,
    expression::Expression,
    item::{Reader, text},
    methods,
    outbox::{AFTER_EVENTS, DynamoOutbox},
    table::{List, Table},
    write::{Part, Transacted, Written},
};

/// Instances in DynamoDB.
#[derive(Clone)]
pub struct DynamoInstances {
    table: Table,
    connectors: Table,
    outbox: DynamoOutbox,
}

impl DynamoInstances {
    /// Instances in `table`, counted at their auth methods in `connectors`.
    pub(crate) fn new(table: Table, connectors: Table) -> Self {
        Self {
            outbox: DynamoOutbox(table.clone()),
            table,
            connectors,
        }
    }

    /// Changes an instance, and leaves what is to be told of it in the outbox: both or neither.
    async fn change(
        &self,
        changed: &InstanceKey,
        expression: Expression,
        events: &[Event],
    ) -> Result<Written, StoreError> {
        let told_ended = events.iter().find_map(|event| event.kind.tells_end());
        let expression = match told_ended {
            Some(true) => expression.set("told_ended", AttributeValue::Bool(true)),
            Some(false) => expression.remove(&["told_ended"]),
            None => expression,
        };
        self.outbox
            .change(&self.table, key(changed), &expression, events)
            .await
    }

    /// A page of the instances that a filter holds for, found by reading the whole table.
    async fn scanned(
        &self,
        filter: &Expression,
        page: &PageAsk,
    ) -> Result<Page<Instance>, StoreError> {
        let after = page.after.as_deref().map(cursor::item_after).transpose()?;
        let (items, last) = self.table.scan(filter, after, page.limit).await?;
        let instances = items.iter().map(|item| read(Reader(item)));
        Ok(Page {
            items: instances.collect::<Result<_, _>>()?,
            next: last
                .map(|last| cursor::of_item(Reader(&last)))
                .transpose()?,
        })
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
        let page = PageAsk {
            after: Some(
                page.after
                    .clone()
                    .unwrap_or_else(|| AFTER_EVENTS.to_owned()),
            ),
            limit: page.limit,
        };
        let rows = self.table.page(&list, &page).await?;
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
