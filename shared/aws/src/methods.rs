//! Auth methods in DynamoDB, in the table of their connectors.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use latchkey_core::{
    model::{
        event::Event,
        health::MethodHealth,
        id::{ConnectorId, MethodId, MethodKey, TenantId},
        method::{Apart, FoundMethod, MethodValues, StoredMethod},
        secret_version::SecretVersion,
    },
    port::{
        Change, Clock, EditMethods, Healths, MOST_METHODS, Methods, Page, PageAsk, RehouseMethods,
        Removal, StoreError, Turned,
    },
};

use crate::{
    connectors::{connector_key, method_item_key, method_list},
    expression::Expression,
    item::{Item, Reader, item, json, number, sealed_map, text, text_map, texts, time},
    outbox::DynamoOutbox,
    remembered::Remembered,
    table::Table,
    write::{Part, Transacted, Written},
};

/// Auth methods in DynamoDB. Those in use are remembered for a while.
pub struct DynamoMethods {
    table: Table,
    outbox: DynamoOutbox,
    remembered: Remembered<MethodKey, FoundMethod>,
}

impl std::fmt::Debug for DynamoMethods {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DynamoMethods")
    }
}

#[async_trait]
impl Methods for DynamoMethods {
    async fn find(&self, key: &MethodKey) -> Result<Option<FoundMethod>, StoreError> {
        if let Some(method) = self.remembered.recall(key) {
            return Ok(Some(method));
        }
        let asked_at = self.remembered.now();
        let found = self.load(key).await?;
        let found = found.map(FoundMethod::from);
        if let Some(method) = &found {
            self.remembered
                .remember(asked_at, key.clone(), method.clone());
        }
        Ok(found)
    }
}

#[async_trait]
impl EditMethods for DynamoMethods {
    async fn load(&self, key: &MethodKey) -> Result<Option<StoredMethod>, StoreError> {
        let found = self.table.get(item_key(key)).await?;
        found
            .map(|item| read(&key.tenant, &key.connector, Reader(&item)))
            .transpose()
    }

    async fn list(
        &self,
        tenant: &TenantId,
        connector: &ConnectorId,
        page: &PageAsk,
    ) -> Result<Page<StoredMethod>, StoreError> {
        let rows = self
            .table
            .page(&method_list(tenant, connector), page)
            .await?;
        let items = rows
            .items
            .iter()
            .map(|item| read(tenant, connector, Reader(item)));
        Ok(Page {
            items: items.collect::<Result<_, _>>()?,
            next: rows.next,
        })
    }

    async fn create(&self, method: &StoredMethod) -> Result<Change, StoreError> {
        self.remembered.forget(&method.key);
        let key = &method.key;
        let counted = Expression::new()
            .when("attribute_exists(#pk) AND #methods < :most")
            .value("most", number(MOST_METHODS))
            .add("methods", 1)
            .add("revision", 1);
        let added = changes(method)
            .when("attribute_not_exists(#pk)")
            .set("v", number(1))
            .set("created_at", time(method.created_at))
            .set("instances", number(0));
        let parts = vec![
            self.table
                .update_part(connector_key(&key.tenant, &key.connector), &counted)?,
            self.table.update_part(item_key(key), &added)?,
        ];
        Ok(match self.table.transact(parts).await? {
            Transacted::Done => Change::Done,
            Transacted::Refused(parts) => match parts.first() {
                Some(Part::Refused(None)) => Change::Gone,
                Some(Part::Refused(Some(_)) | Part::Held) | None => Change::Lost,
            },
        })
    }

    async fn update(&self, method: &StoredMethod) -> Result<Change, StoreError> {
        let expression = changes(method);
        let conditional = expression
            .clone()
            .when("#version = :before")
            .value("before", number(method.version.saturating_sub(1)));
        let written = self.table.update(item_key(&method.key), &conditional).await;
        self.remembered.forget(&method.key);
        Ok(match written? {
            Written::Done(_) => Change::Done,
            Written::Refused(None) => Change::Gone,
            Written::Refused(Some(now)) if expression.is_applied_to(&now) => Change::Done,
            Written::Refused(Some(_)) => Change::Lost,
        })
    }

    async fn move_secrets(
        &self,
        seen: &StoredMethod,
        next: &StoredMethod,
    ) -> Result<Change, StoreError> {
        let moved = Expression::new()
            .set("version", number(next.version))
            .set("sealed", sealed_map(&next.values.sealed))
            .set_all(apart(next));
        let conditional = match &seen.values.apart {
            Some(apart) => moved
                .clone()
                .when("#secret_version = :seen_apart")
                .value("seen_apart", text(apart.version.as_str())),
            None => moved.clone().when("attribute_not_exists(#secret_version)"),
        };
        let conditional = conditional
            .when("#version = :before AND #sealed = :seen")
            .value("before", number(seen.version))
            .value("seen", sealed_map(&seen.values.sealed));
        let written = self.table.update(item_key(&seen.key), &conditional).await;
        self.remembered.forget(&seen.key);
        Ok(match written? {
            Written::Done(_) => Change::Done,
            Written::Refused(None) => Change::Gone,
            Written::Refused(Some(now)) => {
                let now = read(&seen.key.tenant, &seen.key.connector, Reader(&now))?;
                let (now, next) = ((now.version, now.values), (next.version, &next.values));
                let is_moved =
                    (now.0, &now.1.sealed, &now.1.apart) == (next.0, &next.1.sealed, &next.1.apart);
                if is_moved { Change::Done } else { Change::Lost }
            }
        })
    }

    async fn delete(&self, key: &MethodKey, version: Option<u64>) -> Result<Removal, StoreError> {
        let mut unused = Expression::new()
            .when("attribute_exists(#pk) AND #instances = :none")
            .value("none", number(0));
        if let Some(version) = version {
            unused = unused
                .when("#version = :version")
                .value("version", number(version));
        }
        let counted = Expression::new()
            .when("attribute_exists(#pk)")
            .add("methods", -1)
            .add("revision", 1);
        let parts = vec![
            self.table.delete_part(item_key(key), &unused)?,
            self.table
                .update_part(connector_key(&key.tenant, &key.connector), &counted)?,
        ];
        let transacted = self.table.transact(parts).await;
        self.remembered.forget(key);
        match transacted? {
            Transacted::Done => Ok(Removal::Done),
            Transacted::Refused(parts) => match parts.first() {
                Some(Part::Refused(Some(now))) => refusal(Reader(now), version),
                Some(Part::Refused(None) | Part::Held) | None => Ok(Removal::Gone),
            },
        }
    }
}

#[async_trait]
impl RehouseMethods for DynamoMethods {
    async fn every(&self, page: &PageAsk) -> Result<Page<StoredMethod>, StoreError> {
        // Connectors and settings are items of the table too.
        let filter = Expression::new()
            .when("begins_with(#sk, :of_methods)")
            .value("of_methods", text(MethodId::PREFIX));
        let after = page.after.as_deref().map(place_after).transpose()?;
        let (items, last) = self.table.scan(&filter, after, page.limit).await?;
        let methods = items.iter().map(|item| read_any(Reader(item)));
        Ok(Page {
            items: methods.collect::<Result<_, _>>()?,
            next: last.map(|last| place_of(Reader(&last))).transpose()?,
        })
    }
}

/// Where an item is, as text.
fn place_of(item: Reader<'_>) -> Result<String, StoreError> {
    Ok(format!("{}#{}", item.text("pk")?, item.text("sk")?))
}

/// The key that [`place_of`] has told.
fn place_after(cursor: &str) -> Result<Item, StoreError> {
    let (pk, sk) = cursor
        .rsplit_once('#')
        .ok_or(StoreError::Corrupt("cursor"))?;
    Ok(item([("pk", text(pk)), ("sk", text(sk))]))
}

/// Reads an auth method of whichever tenant and connector.
fn read_any(item: Reader<'_>) -> Result<StoredMethod, StoreError> {
    let (tenant, connector) = item
        .text("pk")?
        .split_once('#')
        .ok_or(StoreError::Corrupt("pk"))?;
    let corrupt = |_| StoreError::Corrupt("pk");
    let tenant = tenant.parse().map_err(corrupt)?;
    read(&tenant, &connector.parse().map_err(corrupt)?, item)
}

#[async_trait]
impl Healths for DynamoMethods {
    async fn look(&self, key: &MethodKey) -> Result<Option<StoredMethod>, StoreError> {
        self.load(key).await
    }

    async fn turn(
        &self,
        key: &MethodKey,
        seen: &MethodHealth,
        next: &MethodHealth,
        events: &[Event],
    ) -> Result<Turned<Option<Box<StoredMethod>>>, StoreError> {
        let expression = if seen.mark.is_empty() {
            Expression::new().when("attribute_exists(#pk) AND attribute_not_exists(#health_mark)")
        } else {
            Expression::new()
                .when("#health_mark = :seen")
                .value("seen", text(&seen.mark))
        };
        let expression = expression
            .set("health_mark", text(&next.mark))
            .set("health", json(next));
        let written = self
            .outbox
            .change(&self.table, item_key(key), &expression, events)
            .await;
        self.remembered.forget(key);
        Ok(match written? {
            Written::Done(_) => Turned::Done,
            Written::Refused(None) => Turned::Lost(None),
            Written::Refused(Some(now)) => match read(&key.tenant, &key.connector, Reader(&now))? {
                now if now.health.mark == next.mark => Turned::Done,
                now => Turned::Lost(Some(Box::new(now))),
            },
        })
    }
}

impl DynamoMethods {
    /// Auth methods, remembered for `max_age` at most; what is to be told of them goes to `outbox`.
    pub(crate) fn new(
        table: Table,
        outbox: DynamoOutbox,
        clock: Arc<dyn Clock>,
        max_age: SignedDuration,
    ) -> Self {
        Self {
            table,
            outbox,
            remembered: Remembered::new(clock, max_age),
        }
    }
}

/// The key of an auth method.
pub(crate) fn item_key(key: &MethodKey) -> Item {
    method_item_key(&key.tenant, &key.connector, key.id.as_str())
}

/// What every version of an auth method writes; `instances` is not among it.
fn changes(method: &StoredMethod) -> Expression {
    Expression::new()
        .set("version", number(method.version))
        .set("definition", json(&method.definition))
        .set("inherited", json(&method.inherited))
        .set("discovered", json(&method.discovered))
        .set("values", text_map(&method.values.plain))
        .set("sealed", sealed_map(&method.values.sealed))
        .set_all(apart(method))
        .set("updated_at", time(method.updated_at))
}

/// Where in the secrets manager secrets of an auth method are, if any are there.
fn apart(method: &StoredMethod) -> [(&'static str, Option<AttributeValue>); 2] {
    let apart = method.values.apart.as_ref();
    let names = |apart: &Apart| texts(&apart.names.iter().cloned().collect::<Vec<_>>());
    [
        (
            "secret_version",
            apart.map(|apart| text(apart.version.as_str())),
        ),
        ("secret_names", apart.map(names)),
    ]
}

/// Why an auth method was not removed.
fn refusal(now: Reader<'_>, version: Option<u64>) -> Result<Removal, StoreError> {
    let stored = now.number::<u64>("version")?;
    if version.is_some_and(|version| version != stored) {
        return Ok(Removal::Lost);
    }
    Ok(match now.number("instances")? {
        0 => Removal::Lost,
        instances => Removal::InUse(instances),
    })
}

fn read(
    tenant: &TenantId,
    connector: &ConnectorId,
    item: Reader<'_>,
) -> Result<StoredMethod, StoreError> {
    let item = item.format_1()?;
    Ok(StoredMethod {
        key: MethodKey {
            tenant: tenant.clone(),
            connector: connector.clone(),
            id: item.parsed("sk")?,
        },
        version: item.number("version")?,
        definition: item.json("definition")?,
        inherited: item.json("inherited")?,
        discovered: item.json_if("discovered")?.unwrap_or_default(),
        values: MethodValues {
            plain: item.text_map("values")?,
            sealed: item.sealed_map("sealed")?,
            apart: match item.text_if("secret_version")? {
                Some(version) => Some(Apart {
                    version: SecretVersion::stored(version),
                    names: item.texts("secret_names")?.into_iter().collect(),
                }),
                None => None,
            },
        },
        instances: item.number("instances")?,
        health: item.json_if("health")?.unwrap_or_default(),
        created_at: item.time("created_at")?,
        updated_at: item.time("updated_at")?,
    })
}
