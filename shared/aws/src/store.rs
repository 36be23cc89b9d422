//! All adapters of one client.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use jiff::SignedDuration;
use latchkey_core::port::Clock;

use crate::{
    DynamoApiKeys, DynamoAuthorisations, DynamoConnectors, DynamoHosts, DynamoInstances,
    DynamoMethods, DynamoOutbox, DynamoSessions, DynamoSettings, StoreSettings, TableNames,
    table::Table,
};

/// How old an auth method, or a tenant's settings, may be that are used.
pub const MAX_AGE: SignedDuration = SignedDuration::from_secs(10);

/// All that is kept in DynamoDB.
#[derive(Debug, Clone)]
pub struct Store {
    /// Connectors.
    pub connectors: Arc<DynamoConnectors>,
    /// Auth methods.
    pub methods: Arc<DynamoMethods>,
    /// Instances.
    pub instances: Arc<DynamoInstances>,
    /// Pending events.
    pub outbox: Arc<DynamoOutbox>,
    /// Token hosts.
    pub hosts: Arc<DynamoHosts>,
    /// Authorisations.
    pub authorisations: Arc<DynamoAuthorisations>,
    /// Connect sessions.
    pub sessions: Arc<DynamoSessions>,
    /// Settings.
    pub settings: Arc<DynamoSettings>,
    /// API keys.
    pub api_keys: Arc<DynamoApiKeys>,
}

impl Store {
    /// The store that the settings name. Nothing is sent before the first call.
    #[must_use]
    pub fn new(settings: &StoreSettings, clock: Arc<dyn Clock>) -> Self {
        Self::with_client(&settings.client(), &settings.tables, clock)
    }

    /// The store behind a client.
    #[must_use]
    pub fn with_client(client: &Client, tables: &TableNames, clock: Arc<dyn Clock>) -> Self {
        let table = |name| Table::new(client, name);
        let (connectors, instances) = (table(&tables.connectors), table(&tables.instances));
        let authorisations = table(&tables.authorisations);
        let outbox = DynamoOutbox(instances.clone());
        let methods = DynamoMethods::new(
            connectors.clone(),
            outbox.clone(),
            Arc::clone(&clock),
            MAX_AGE,
        );
        let settings = DynamoSettings::new(connectors.clone(), clock, MAX_AGE);
        Self {
            methods: Arc::new(methods),
            outbox: Arc::new(outbox),
            instances: Arc::new(DynamoInstances::new(instances, connectors.clone())),
            settings: Arc::new(settings),
            connectors: Arc::new(DynamoConnectors(connectors)),
            sessions: Arc::new(DynamoSessions(authorisations.clone())),
            authorisations: Arc::new(DynamoAuthorisations(authorisations)),
            hosts: Arc::new(DynamoHosts(table(&tables.hosts))),
            api_keys: Arc::new(DynamoApiKeys(table(&tables.api_keys))),
        }
    }
}
