//! The tables: their names, and their schemas for where no template makes them.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    error::{BuildError, ProvideErrorMetadata},
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
        Projection, ProjectionType, ScalarAttributeType, TableStatus, TimeToLiveSpecification,
    },
};
use latchkey_core::port::StoreError;

use crate::write::{incomplete, unavailable};

/// The names of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNames {
    /// Connectors, their auth methods, and settings.
    pub connectors: String,
    /// Instances.
    pub instances: String,
    /// Token hosts, of all tenants.
    pub hosts: String,
    /// Authorisations and connect sessions.
    pub authorisations: String,
    /// API keys.
    pub api_keys: String,
}

impl TableNames {
    /// Names that begin with `prefix`.
    #[must_use]
    pub fn with_prefix(prefix: &str) -> Self {
        Self {
            connectors: format!("{prefix}Connectors"),
            instances: format!("{prefix}Instances"),
            hosts: format!("{prefix}Hosts"),
            authorisations: format!("{prefix}Authorisations"),
            api_keys: format!("{prefix}ApiKeys"),
        }
    }
}

/// The index of instances that want attention.
pub(crate) const DUE: &str = "due";
/// The index of API keys by whom they are bound to.
pub(crate) const OWNER: &str = "owner";
/// The attribute by which DynamoDB cleans up, in seconds since 1970.
pub(crate) const EXPIRES: &str = "expires";

/// Makes the tables that are not there, and waits until all can be used. For an emulator: in AWS the
/// template makes them.
///
/// # Errors
/// [`StoreError`] if the store can't answer.
pub async fn create_missing(client: &Client, names: &TableNames) -> Result<(), StoreError> {
    for schema in schemas(names) {
        create(client, &schema).await?;
        await_active(client, schema.name).await?;
        if schema.expires {
            expire(client, schema.name).await?;
        }
    }
    Ok(())
}

/// A key attribute: its name, and its type.
type Key = (&'static str, ScalarAttributeType);

struct Schema<'a> {
    name: &'a str,
    hash: Key,
    range: Option<Key>,
    index: Option<Index>,
    expires: bool,
}

struct Index {
    name: &'static str,
    hash: Key,
    range: Key,
    projection: ProjectionType,
}

fn schemas(names: &TableNames) -> [Schema<'_>; 5] {
    use ScalarAttributeType::{N, S};
    [
        Schema {
            name: &names.connectors,
            hash: ("pk", S),
            range: Some(("sk", S)),
            index: None,
            expires: false,
        },
        Schema {
            name: &names.instances,
            hash: ("tenant", S),
            range: Some(("instance", S)),
            index: Some(Index {
                name: DUE,
                hash: ("due_shard", N),
                range: ("due_at", N),
                projection: ProjectionType::KeysOnly,
            }),
            expires: false,
        },
        Schema {
            name: &names.hosts,
            hash: ("host", S),
            range: None,
            index: None,
            expires: true,
        },
        Schema {
            name: &names.authorisations,
            hash: ("id", S),
            range: None,
            index: None,
            expires: true,
        },
        Schema {
            name: &names.api_keys,
            hash: ("digest", S),
            range: None,
            index: Some(Index {
                name: OWNER,
                hash: ("owner", S),
                range: ("id", S),
                projection: ProjectionType::All,
            }),
            expires: false,
        },
    ]
}

async fn create(client: &Client, schema: &Schema<'_>) -> Result<(), StoreError> {
    let mut keys = vec![schema.hash.clone()];
    keys.extend(schema.range.clone());
    let index = schema.index.as_ref();
    keys.extend(
        index
            .iter()
            .flat_map(|index| [index.hash.clone(), index.range.clone()]),
    );
    let definitions: Result<Vec<_>, _> = keys.into_iter().map(definition).collect();
    let request = client
        .create_table()
        .table_name(schema.name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(
            key_schema(&schema.hash, schema.range.as_ref()).map_err(|error| incomplete(&error))?,
        ))
        .set_attribute_definitions(Some(definitions.map_err(|error| incomplete(&error))?))
        .set_global_secondary_indexes(
            index
                .map(|index| secondary(index).map(|index| vec![index]))
                .transpose()
                .map_err(|error| incomplete(&error))?,
        );
    match request.send().await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some("ResourceInUseException") => Ok(()),
        Err(error) => Err(unavailable(&error)),
    }
}

fn definition((name, kind): Key) -> Result<AttributeDefinition, BuildError> {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(kind)
        .build()
}

fn key_schema(hash: &Key, range: Option<&Key>) -> Result<Vec<KeySchemaElement>, BuildError> {
    let element = |(name, _): &Key, kind| {
        KeySchemaElement::builder()
            .attribute_name(*name)
            .key_type(kind)
            .build()
    };
    let hash = std::iter::once(element(hash, KeyType::Hash));
    hash.chain(range.map(|range| element(range, KeyType::Range)))
        .collect()
}

fn secondary(index: &Index) -> Result<GlobalSecondaryIndex, BuildError> {
    let projection = Projection::builder().projection_type(index.projection.clone());
    GlobalSecondaryIndex::builder()
        .index_name(index.name)
        .set_key_schema(Some(key_schema(&index.hash, Some(&index.range))?))
        .projection(projection.build())
        .build()
}

/// How often a new table is looked at, and how long is waited in between.
const LOOKS: u32 = 100;
const BETWEEN: Duration = Duration::from_millis(100);

async fn await_active(client: &Client, name: &str) -> Result<(), StoreError> {
    for _ in 0..LOOKS {
        let answer = client.describe_table().table_name(name).send().await;
        let table = answer.map_err(|error| unavailable(&error))?.table;
        if table.is_some_and(|table| table.table_status == Some(TableStatus::Active)) {
            return Ok(());
        }
        tokio::time::sleep(BETWEEN).await;
    }
    Err(StoreError::Unavailable(
        "a new table does not become active".to_owned(),
    ))
}

async fn expire(client: &Client, name: &str) -> Result<(), StoreError> {
    let specification = TimeToLiveSpecification::builder()
        .attribute_name(EXPIRES)
        .enabled(true)
        .build()
        .map_err(|error| incomplete(&error))?;
    let request = client
        .update_time_to_live()
        .table_name(name)
        .time_to_live_specification(specification);
    match request.send().await {
        Ok(_) => Ok(()),
        // It has been switched on before.
        Err(error) if error.code() == Some("ValidationException") => Ok(()),
        Err(error) => Err(unavailable(&error)),
    }
}
