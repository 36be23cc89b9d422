//! Connectors in DynamoDB.
//!
//! A connector counts its auth methods, and `revision` counts their coming and going: whoever
//! deletes the connector with its methods in one transaction names the revision that they saw, so
//! that no method can slip in between.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::TransactWriteItem;
use latchkey_core::{
    model::{
        connector::Connector,
        id::{ConnectorId, TenantId},
    },
    port::{Change, Connectors, Page, PageAsk, Removal, StoreError},
};

use crate::{
    expression::Expression,
    item::{Item, Reader, item, json, number, text, time},
    table::{List, Table},
    write::{Transacted, Written},
};

/// Connectors in DynamoDB.
#[derive(Clone)]
pub struct DynamoConnectors(pub(crate) Table);

impl std::fmt::Debug for DynamoConnectors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DynamoConnectors")
    }
}

#[async_trait]
impl Connectors for DynamoConnectors {
    async fn find(
        &self,
        tenant: &TenantId,
        id: &ConnectorId,
    ) -> Result<Option<Connector>, StoreError> {
        let found = self.0.get(connector_key(tenant, id)).await?;
        found.map(|item| read(tenant, Reader(&item))).transpose()
    }

    async fn list(&self, tenant: &TenantId, page: &PageAsk) -> Result<Page<Connector>, StoreError> {
        let list = List {
            index: None,
            hash: ("pk", text(partition(tenant))),
            range: "sk",
        };
        let rows = self.0.page(&list, page).await?;
        let items = rows.items.iter().map(|item| read(tenant, Reader(item)));
        Ok(Page {
            items: items.collect::<Result<_, _>>()?,
            next: rows.next,
        })
    }

    async fn create(&self, connector: &Connector) -> Result<(), StoreError> {
        let key = connector_key(&connector.tenant, &connector.id);
        let expression = changes(connector)
            .when("attribute_not_exists(#pk)")
            .set("v", number(1))
            .set("created_at", time(connector.created_at))
            .set("methods", number(0))
            .set("revision", number(0));
        match self.0.update(key, &expression).await? {
            // The id is new: what is there is an earlier try of ours.
            Written::Done(_) | Written::Refused(_) => Ok(()),
        }
    }

    async fn update(&self, connector: &Connector) -> Result<Change, StoreError> {
        let key = connector_key(&connector.tenant, &connector.id);
        let expression = changes(connector);
        let conditional = expression
            .clone()
            .when("#version = :before")
            .value("before", number(connector.version.saturating_sub(1)));
        Ok(match self.0.update(key, &conditional).await? {
            Written::Done(_) => Change::Done,
            Written::Refused(None) => Change::Gone,
            Written::Refused(Some(now)) if expression.is_applied_to(&now) => Change::Done,
            Written::Refused(Some(_)) => Change::Lost,
        })
    }

    async fn delete(
        &self,
        tenant: &TenantId,
        id: &ConnectorId,
        version: Option<u64>,
    ) -> Result<Removal, StoreError> {
        for _ in 0..TRIES {
            if let Some(removal) = self.try_delete(tenant, id, version).await? {
                return Ok(removal);
            }
        }
        Err(StoreError::Unavailable(
            "the connector would not hold still".to_owned(),
        ))
    }
}

/// How often a deletion is tried while auth methods come and go.
const TRIES: u32 = 5;

impl DynamoConnectors {
    /// Deletes a connector as it is now; `None` if it changed meanwhile.
    async fn try_delete(
        &self,
        tenant: &TenantId,
        id: &ConnectorId,
        version: Option<u64>,
    ) -> Result<Option<Removal>, StoreError> {
        let key = connector_key(tenant, id);
        let Some(connector) = self.0.get(key.clone()).await? else {
            return Ok(Some(Removal::Gone));
        };
        let connector = Reader(&connector);
        let seen: u64 = connector.number("version")?;
        if version.is_some_and(|version| version != seen) {
            return Ok(Some(Removal::Lost));
        }
        let methods = self.methods(tenant, id).await?;
        let instances = methods.iter().map(|(_, instances)| instances).sum();
        if instances > 0 {
            return Ok(Some(Removal::InUse(instances)));
        }
        let seen = Expression::new()
            .when("#version = :version AND #revision = :revision")
            .value("version", number(seen))
            .value("revision", number(connector.number::<u64>("revision")?));
        let mut parts = vec![self.0.delete_part(key, &seen)?];
        for (method, _) in methods {
            parts.push(self.unused(method)?);
        }
        Ok(match self.0.transact(parts).await? {
            Transacted::Done => Some(Removal::Done),
            Transacted::Refused(_) => None,
        })
    }

    /// The keys of all auth methods of a connector, and how many instances use each.
    async fn methods(
        &self,
        tenant: &TenantId,
        connector: &ConnectorId,
    ) -> Result<Vec<(Item, u64)>, StoreError> {
        let list = method_list(tenant, connector);
        let mut ask = PageAsk {
            after: None,
            limit: 100,
        };
        let mut methods = Vec::new();
        loop {
            let rows = self.0.page(&list, &ask).await?;
            for item in &rows.items {
                let item = Reader(item);
                let key = method_item_key(tenant, connector, item.text("sk")?);
                methods.push((key, item.number("instances")?));
            }
            ask.after = rows.next;
            if ask.after.is_none() {
                return Ok(methods);
            }
        }
    }

    /// Removes an auth method if no instance uses it.
    fn unused(&self, key: Item) -> Result<TransactWriteItem, StoreError> {
        let unused = Expression::new()
            .when("#instances = :none")
            .value("none", number(0));
        self.0.delete_part(key, &unused)
    }
}

/// Where a tenant's connectors are.
fn partition(tenant: &TenantId) -> String {
    format!("{tenant}#connectors")
}

/// The key of a connector.
pub(crate) fn connector_key(tenant: &TenantId, id: &ConnectorId) -> Item {
    item([("pk", text(partition(tenant))), ("sk", text(id.as_str()))])
}

/// The auth methods of a connector.
pub(crate) fn method_list(tenant: &TenantId, connector: &ConnectorId) -> List<'static> {
    List {
        index: None,
        hash: ("pk", text(format!("{tenant}#{connector}"))),
        range: "sk",
    }
}

/// The key of an auth method.
pub(crate) fn method_item_key(tenant: &TenantId, connector: &ConnectorId, id: &str) -> Item {
    item([
        ("pk", text(format!("{tenant}#{connector}"))),
        ("sk", text(id)),
    ])
}

/// What every version of a connector writes.
fn changes(connector: &Connector) -> Expression {
    Expression::new()
        .set("version", number(connector.version))
        .set("name", text(&connector.name))
        .set("variables", json(&connector.variables))
        .set("updated_at", time(connector.updated_at))
}

fn read(tenant: &TenantId, item: Reader<'_>) -> Result<Connector, StoreError> {
    let item = item.format_1()?;
    Ok(Connector {
        tenant: tenant.clone(),
        id: item.parsed("sk")?,
        version: item.number("version")?,
        name: item.text("name")?.to_owned(),
        variables: item.json("variables")?,
        created_at: item.time("created_at")?,
        updated_at: item.time("updated_at")?,
    })
}
