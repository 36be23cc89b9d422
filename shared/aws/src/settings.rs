//! Settings in DynamoDB, in the table of connectors.

use async_trait::async_trait;
use latchkey_core::{
    model::{connector::Settings, id::TenantId},
    port::{EditSettings, ReadSettings, StoreError},
};

use crate::{
    expression::Expression,
    item::{Item, Reader, item, number, text, texts},
    table::Table,
    write::Written,
};

/// Settings in DynamoDB.
#[derive(Clone)]
pub struct DynamoSettings(pub(crate) Table);

impl std::fmt::Debug for DynamoSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DynamoSettings")
    }
}

#[async_trait]
impl ReadSettings for DynamoSettings {
    async fn settings(&self, tenant: &TenantId) -> Result<Settings, StoreError> {
        let Some(item) = self.0.get(item_key(tenant)).await? else {
            return Ok(Settings::default());
        };
        let item = Reader(&item).format_1()?;
        Ok(Settings {
            return_urls: item.texts("return_urls")?,
        })
    }
}

#[async_trait]
impl EditSettings for DynamoSettings {
    async fn put(&self, tenant: &TenantId, settings: &Settings) -> Result<(), StoreError> {
        let mut item = item_key(tenant);
        item.insert("v".to_owned(), number(1));
        item.insert("return_urls".to_owned(), texts(&settings.return_urls));
        match self.0.put(item, &Expression::new()).await? {
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
