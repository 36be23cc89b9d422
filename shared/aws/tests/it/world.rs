//! A store of one's own, and things to put into it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use latchkey_aws::{
    AwsCredentials, Client, Connections, DynamoApiKeys, DynamoConnectors, DynamoMethods,
    DynamoSessions, DynamoSettings, Store, StoreSettings, TableNames, create_missing,
};
use latchkey_core::{
    model::{
        connector::Connector,
        definition::{RefreshPolicy, VariableDefinition},
        failure::{Failure, FailureCode},
        grant::StoredGrant,
        health::MethodHealth,
        id::{ConnectorId, InstanceId, InstanceKey, MethodId, MethodKey, TenantId},
        instance::{Instance, StoredValues},
        method::{MethodValues, StoredMethod},
        refresh_tokens::RefreshTokens,
        sealed::Sealed,
        terms::Terms,
        variable::defaults,
    },
    port::{
        Authorisations, BeginAuthorisations, Change, Clock, Commit, CommitLate, Connect, Connected,
        Connectors as _, Consents, Creation, Deletions, Due, DueInstances, EditMethods as _, Hosts,
        Instances, Leased, Leases, NewLease, Outbox, Overview, PageAsk,
    },
};
use latchkey_simulation::{line::Direct, store::MemoryStore};

/// The variable that names the endpoint of another store than dynoxide.
pub(crate) const STORE: &str = "LATCHKEY_TEST_DYNAMODB";

/// What [`STORE`] says for the store in memory that simulations use. Connectors and auth methods have
/// no counterpart there, and are kept in dynoxide.
pub(crate) const MEMORY: &str = "memory";

/// An item as stored.
pub(crate) type Raw = std::collections::HashMap<String, AttributeValue>;

/// All that is done to instances.
pub(crate) trait AllInstances:
    Instances + Leases + Consents + Deletions + DueInstances + Overview
{
}

impl<T: Instances + Leases + Consents + Deletions + DueInstances + Overview> AllInstances for T {}

/// All that is done to authorisations.
pub(crate) trait AllAuthorisations: BeginAuthorisations + Authorisations {}

impl<T: BeginAuthorisations + Authorisations> AllAuthorisations for T {}

/// The adapters that are tested: each of the ports that the store in memory has as well as such.
#[derive(Clone)]
pub(crate) struct Adapters {
    pub(crate) connectors: Arc<DynamoConnectors>,
    pub(crate) methods: Arc<DynamoMethods>,
    pub(crate) instances: Arc<dyn AllInstances>,
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) hosts: Arc<dyn Hosts>,
    pub(crate) authorisations: Arc<dyn AllAuthorisations>,
    pub(crate) sessions: Arc<DynamoSessions>,
    pub(crate) settings: Arc<DynamoSettings>,
    pub(crate) api_keys: Arc<DynamoApiKeys>,
}

impl Adapters {
    pub(crate) fn new(store: Store, memory: Option<&MemoryStore>) -> Self {
        let adapters = Self {
            connectors: store.connectors,
            methods: store.methods,
            instances: store.instances,
            outbox: store.outbox,
            hosts: store.hosts,
            authorisations: store.authorisations,
            sessions: store.sessions,
            settings: store.settings,
            api_keys: store.api_keys,
        };
        match memory.cloned().map(Arc::new) {
            None => adapters,
            Some(memory) => Self {
                instances: memory.clone(),
                outbox: memory.clone(),
                hosts: memory.clone(),
                authorisations: memory,
                ..adapters
            },
        }
    }
}

/// A store of one's own.
pub(crate) struct World {
    pub(crate) store: Adapters,
    /// The store in memory, if it is the one that is tested.
    memory: Option<MemoryStore>,
    pub(crate) client: Client,
    pub(crate) tables: TableNames,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) endpoint: String,
}

impl World {
    /// A new store: dynoxide in this process, or at the endpoint that is named.
    pub(crate) async fn new() -> Self {
        let endpoint = match named_endpoint() {
            Some(endpoint) if endpoint != MEMORY => endpoint,
            Some(_) | None => dynoxide().await,
        };
        let is_memory = named_endpoint().as_deref() == Some(MEMORY);
        let memory = is_memory.then(|| MemoryStore::new(Arc::new(Direct::default())));
        let settings = StoreSettings {
            region: "eu-central-1".to_owned(),
            endpoint: Some(endpoint.parse().unwrap()),
            credentials: AwsCredentials {
                access_key_id: "test".to_owned(),
                secret_access_key: "test".into(),
                session_token: None,
            },
            tables: TableNames::with_prefix(&format!("T{}-{}-", std::process::id(), next())),
            connections: Connections::default(),
        };
        let (client, tables) = (settings.client(), settings.tables);
        create_missing(&client, &tables).await.unwrap();
        let clock = Arc::new(HandClock::new(at(0)));
        let store = Store::with_client(&client, &tables, clock.clone());
        Self {
            store: Adapters::new(store, memory.as_ref()),
            memory,
            client,
            tables,
            clock,
            endpoint,
        }
    }

    /// A connector that is there.
    pub(crate) async fn connector(&self) -> Connector {
        let connector = connector(&tenant());
        self.store.connectors.create(&connector).await.unwrap();
        connector
    }

    /// An auth method that is there, with its connector.
    pub(crate) async fn method(&self) -> StoredMethod {
        let method = method(&self.connector().await);
        let created = self.store.methods.create(&method).await.unwrap();
        assert_eq!(created, Change::Done);
        if let Some(memory) = &self.memory {
            memory.put_method(method.clone());
        }
        method
    }

    /// A pending instance that is there, with its method.
    pub(crate) async fn pending(&self) -> Instance {
        self.pending_of(&self.method().await.key).await
    }

    /// A pending instance of this method that is there.
    pub(crate) async fn pending_of(&self, method: &MethodKey) -> Instance {
        let instance = instance(method);
        let created = self.store.instances.create(&instance).await.unwrap();
        assert_eq!(created, Creation::Done);
        instance
    }

    /// A connected instance that is there: its first consent, its first epoch.
    pub(crate) async fn connected(&self) -> Instance {
        let pending = self.pending().await;
        self.connect(&pending).await
    }

    /// Connects an instance.
    pub(crate) async fn connect(&self, instance: &Instance) -> Instance {
        let connect = Connect {
            events: &[],
            key: &instance.key,
            epoch: instance.epoch,
            incarnation: instance.incarnation,
            grant: &grant(instance.epoch + 1),
            values: &values(),
            due: Some(due(0, 600)),
        };
        let connected = self.store.instances.connect(connect).await.unwrap();
        assert!(matches!(connected, Connected::Done), "{connected:?}");
        self.instance(&instance.key).await
    }

    /// An instance that is there.
    pub(crate) async fn instance(&self, key: &InstanceKey) -> Instance {
        self.store.instances.find(key).await.unwrap().unwrap()
    }

    /// The number of instances that a method counts.
    pub(crate) async fn counted(&self, key: &MethodKey) -> u64 {
        let method = match &self.memory {
            Some(memory) => memory.look_at_method(key),
            None => self.store.methods.load(key).await.unwrap(),
        };
        method.unwrap().instances
    }

    /// An instance as it is stored.
    pub(crate) async fn raw_instance(&self, key: &InstanceKey) -> Raw {
        let request = self
            .client
            .get_item()
            .table_name(&self.tables.instances)
            .key("tenant", AttributeValue::S(key.tenant.to_string()))
            .key("instance", AttributeValue::S(key.id.to_string()));
        request.send().await.unwrap().item.unwrap()
    }

    /// An authorisation or a session as it is stored.
    pub(crate) async fn raw_authorisation(&self, id: String) -> Raw {
        let request = self
            .client
            .get_item()
            .table_name(&self.tables.authorisations)
            .key("id", AttributeValue::S(id));
        request.send().await.unwrap().item.unwrap()
    }
}

/// How many race: fewer where the store is an emulator that takes longer over many than our client waits.
pub(crate) fn racers() -> usize {
    named_endpoint().map_or(64, |_| 8)
}

/// Calls once for each racer at the same time.
pub(crate) async fn race<T, F, Fut>(call: F) -> Vec<T>
where
    T: Send + 'static,
    F: Fn(usize) -> Fut,
    Fut: Future<Output = T> + Send + 'static,
{
    let tasks: tokio::task::JoinSet<T> = (0..racers()).map(call).collect();
    tasks.join_all().await
}

/// A clock that is moved by hand.
pub(crate) struct HandClock(Mutex<Timestamp>);

impl HandClock {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    pub(crate) fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap() = now;
    }
}

#[async_trait]
impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, _: Duration) {}
}

/// So many seconds after some time.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_123 + second * 1000).unwrap()
}

pub(crate) fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

pub(crate) fn connector(tenant: &TenantId) -> Connector {
    Connector {
        tenant: tenant.clone(),
        id: ConnectorId::new(at(0), &unique()),
        version: 1,
        name: "Shop é".to_owned(),
        variables: variables(),
        created_at: at(1),
        updated_at: at(2),
    }
}

pub(crate) fn method(connector: &Connector) -> StoredMethod {
    let definition = r#"{"name": "GitHub", "token": {"url": "https://p.example/{{account}}"}}"#;
    StoredMethod {
        key: MethodKey {
            tenant: connector.tenant.clone(),
            connector: connector.id.clone(),
            id: MethodId::new(at(0), &unique()),
        },
        version: 1,
        definition: serde_json::from_str(definition).unwrap(),
        inherited: variables(),
        discovered: BTreeMap::from([("/token/url".to_owned(), "https://p.example".into())]),
        values: MethodValues {
            plain: BTreeMap::from([
                ("client_id".to_owned(), "a?&+%:/=é".to_owned()),
                ("scope".to_owned(), String::new()),
            ]),
            sealed: BTreeMap::from([("client_secret".to_owned(), sealed(9))]),
            apart: None,
        },
        instances: 0,
        health: MethodHealth::default(),
        created_at: at(1),
        updated_at: at(2),
    }
}

pub(crate) fn instance(method: &MethodKey) -> Instance {
    let key = InstanceKey {
        tenant: method.tenant.clone(),
        id: InstanceId::new(at(0), &unique()),
    };
    let (connector, id) = (method.connector.clone(), method.id.clone());
    Instance::pending(key, connector, id, "Ada's shop".to_owned(), at(1))
}

/// A lease asked for at second 100.
pub(crate) fn lease<'a>(instance: &'a Instance, nonce: &'a str) -> NewLease<'a> {
    NewLease {
        key: &instance.key,
        epoch: instance.epoch,
        base: instance.grant().map_or(0, |grant| grant.epoch),
        nonce,
        now: at(100),
        lapsed_before: at(98),
        until: at(130),
    }
}

/// A commit that comes late, of a lease that is held no more.
pub(crate) fn late(commit: Commit<'_>) -> CommitLate<'_> {
    CommitLate {
        commit,
        in_doubt: true,
        lease: None,
    }
}

pub(crate) async fn hold(world: &World, instance: &Instance, nonce: &str) -> Instance {
    let leased = world.store.instances.lease(lease(instance, nonce)).await;
    let leased = leased.unwrap();
    assert!(matches!(leased, Leased::Held), "{leased:?}");
    world.instance(&instance.key).await
}

/// A connected instance that is leased as `mine`.
pub(crate) async fn leased(world: &World) -> Instance {
    hold(world, &world.connected().await, "mine").await
}

/// A grant; its tokens tell its epoch.
pub(crate) fn grant(epoch: u64) -> StoredGrant {
    StoredGrant {
        epoch,
        parent: epoch.checked_sub(1),
        answered_under: epoch.checked_sub(2),
        tokens: sealed(u8::try_from(epoch).unwrap()),
        refresh_tokens: RefreshTokens::Inside,
        refreshable: true,
        terms: Terms {
            policy: RefreshPolicy::KeepAlive,
            consented_at: Some(at(3)),
            refresh_from: Some(at(40)),
            refresh_ends_at: Some(at(9000)),
            use_by: Some(at(8000)),
            connection_ends_at: Some(at(9999)),
            warn_at: Some(at(9000)),
        },
        expires_at: Some(at(3600)),
        scopes: vec!["read".to_owned(), "write:é".to_owned()],
        received_at: at(5),
    }
}

pub(crate) fn values() -> StoredValues {
    StoredValues {
        plain: BTreeMap::from([("account".to_owned(), "ada".to_owned())]),
        sealed: BTreeMap::from([("pin".to_owned(), sealed(7))]),
    }
}

pub(crate) fn sealed(byte: u8) -> Sealed {
    Sealed::new(vec![byte; 40])
}

pub(crate) fn failure() -> Failure {
    Failure {
        at: at(50),
        code: FailureCode::GrantRefused,
        words: Some("invalid_grant: \"gone\"".to_owned()),
    }
}

pub(crate) fn due(shard: u8, second: i64) -> Due {
    Due {
        shard,
        at: at(second),
    }
}

pub(crate) fn page(after: Option<String>, limit: u16) -> PageAsk {
    PageAsk { after, limit }
}

fn variables() -> Vec<VariableDefinition> {
    defaults().into_iter().take(3).collect()
}

/// Ten bytes that no other thing has; later ones are greater.
pub(crate) fn unique() -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&next().to_be_bytes());
    bytes
}

fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

async fn dynoxide() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let database = dynoxide::Database::memory().unwrap();
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    format!("http://{address}")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one thing that may be set for these tests"
)]
fn named_endpoint() -> Option<String> {
    std::env::var(STORE).ok()
}
