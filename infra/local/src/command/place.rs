//! Where the store is.

use clap::Args;
use latchkey_aws::{StoreSettings, TableNames, variable};
use url::Url;

use crate::command::CommandError;

/// Where the store is.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// The URL of a local server's store, as it says when it starts. Without it, the store is DynamoDB
    /// in AWS, with region and credentials from the environment (`AWS_REGION`, `AWS_ACCESS_KEY_ID`, …).
    #[arg(long, global = true, value_name = "URL")]
    store: Option<Url>,

    /// What the tables' names begin with, unless `LATCHKEY_TABLE_…` name them.
    #[arg(long, global = true, default_value = "Latchkey", value_name = "PREFIX")]
    tables: String,
}

impl Place {
    pub(super) fn settings(&self) -> Result<StoreSettings, CommandError> {
        let tables = TableNames::with_prefix(&self.tables);
        if let Some(url) = &self.store {
            return Ok(StoreSettings {
                // An emulator of another service may know AWS's regions alone.
                region: variable("AWS_REGION").unwrap_or_else(|| "us-east-1".to_owned()),
                tables,
                ..StoreSettings::local(url.clone())
            });
        }
        let lookup = |name: &str| {
            variable(name).or_else(|| match name {
                "LATCHKEY_TABLE_CONNECTORS" => Some(tables.connectors.clone()),
                "LATCHKEY_TABLE_INSTANCES" => Some(tables.instances.clone()),
                "LATCHKEY_TABLE_HOSTS" => Some(tables.hosts.clone()),
                "LATCHKEY_TABLE_AUTHORISATIONS" => Some(tables.authorisations.clone()),
                "LATCHKEY_TABLE_API_KEYS" => Some(tables.api_keys.clone()),
                _ => None,
            })
        };
        StoreSettings::from_lookup(&lookup).map_err(CommandError::Where)
    }
}
