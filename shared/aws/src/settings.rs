//! Settings in DynamoDB, in the table of connectors.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use latchkey_core::{
    model::{connector::Settings, id::TenantId},
    port::{Clock, EditSettings, ReadSettings, StoreError},
};

use crate::{
    expression::Expression,
    item::{Item, Reader, item, number, text, texts},
    remembered::Remembered,
    table::Table,
    write::Written,
};

/// Settings in DynamoDB. Those in use are remembered for a while.
pub struct DynamoSettings {
    table: Table,
    remembered: Remembered<TenantId, Settings>,
}

impl DynamoSettings {
    /// Settings, remembered for `max_age` at most.
    pub(crate) fn new(table: Table, clock: Arc<dyn Clock>, max_age: SignedDuration) -> Self {
        Self {
            table,
            remembered: Remembered::new(clock, max_age),
        }
    }
}

impl std::fmt::Debug for DynamoSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DynamoSettings")
    }
}

#[async_trait]
impl ReadSettings for DynamoSettings {
    async fn settings(&self, tenant: &TenantId) -> Result<Settings, StoreError> {
        let asked_at = self.remembered.now();
        let settings = match self.table.get(item_key(tenant)).await? {
            None => Settings::default(),
            Some(item) => Settings {
                return_urls: Reader(&item).format_1()?.texts("return_urls")?,
            },
        };
        self.remembered
            .remember(asked_at, tenant.clone(), settings.clone());
        Ok(settings)
    }

    fn recent(&self, tenant: &TenantId) -> Option<Settings> {
        self.remembered.recall(tenant)
    }
}

#[async_trait]
impl EditSettings for DynamoSettings {
    async fn put(&self, tenant: &TenantId, settings: &Settings) -> Result<(), StoreError> {
        let mut item = item_key(tenant);
        item.insert("v".to_owned(), number(1));
        item.insert("return_urls".to_owned(), texts(&settings.return_urls));
        let written = self.table.put(item, &Expression::new()).await;
        self.remembered.forget(tenant);
        match written? {
            Written::Done(_) | Written::Refused(_) => Ok(()),
        }
    }
}

fn item_key(tenant: &TenantId) -> Item {
    item([
        ("pk", text(format!("{tenant}#settings"))),
        ("sk", text("settings")),
    ])
}
