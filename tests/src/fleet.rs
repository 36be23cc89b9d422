//! Many connected instances at once, put into the store without a browser, and providers that stand
//! behind host names.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use hyper::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use latchkey_aws::{Keyring, OsEntropy, SealedVault, Store};
use latchkey_core::{
    model::{
        Secret,
        definition::RefreshPolicy,
        grant::{StoredGrant, TokenSet, Tokens},
        id::{InstanceId, InstanceKey, MethodKey},
        instance::{Instance, StoredValues},
        refresh_tokens::RefreshTokens,
        sealed::Sealed,
        terms::Terms,
    },
    port::{
        Clock as _, Connect, Consents as _, Due, Egress, Entropy, Instances as _,
        ReadInstances as _, Seal as _, SendError, WireAnswer, WireRequest,
    },
};
use serde_json::{Value, json};
use tokio::sync::{Notify, Semaphore};

use crate::world::World;

/// The refresh token that every instance has at first.
pub const REFRESH_TOKEN: &str = "first-refresh-token";
/// The secret of every client.
pub const CLIENT_SECRET: &str = "fleet-client-secret";

/// Instances of one auth method.
pub struct Fleet<'w> {
    world: &'w World,
    store: Store,
    vault: Arc<SealedVault>,
    method: MethodKey,
}

impl std::fmt::Debug for Fleet<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fleet")
    }
}

impl<'w> Fleet<'w> {
    /// An auth method whose tokens come from this host, and no instance yet.
    pub async fn at(world: &'w World, host: &str) -> Self {
        Self::rotating(world, host, json!("unknown")).await
    }

    /// The same, with what the provider does with used refresh tokens.
    pub async fn rotating(world: &'w World, host: &str, rotation: Value) -> Self {
        Self::refreshing(world, host, json!({ "rotation": rotation })).await
    }

    /// The same, with all that its definition says of a refresh.
    pub async fn refreshing(world: &'w World, host: &str, refresh: Value) -> Self {
        let keyring = std::fs::read_to_string(world.server.directory().join("keyring.json"));
        let keyring = Keyring::parse(&Secret::new(keyring.expect("a keyring")));
        let vault = SealedVault::new(keyring.expect("a keyring"), Arc::new(OsEntropy));
        Self {
            store: world.store(),
            vault: Arc::new(vault),
            method: define(world, host, &format!("https://{host}/token"), refresh).await,
            world,
        }
    }

    /// An auth method of another connector, whose tokens come from a URL, and no instance of it.
    pub async fn beside(&self, name: &str, token_url: &str, rotation: Value) -> Self {
        Self {
            store: self.store.clone(),
            vault: Arc::clone(&self.vault),
            method: define(self.world, name, token_url, json!({ "rotation": rotation })).await,
            world: self.world,
        }
    }

    /// The auth method.
    #[must_use]
    pub fn method(&self) -> &MethodKey {
        &self.method
    }

    /// A connected instance whose access token lives an hour and ended so many seconds ago.
    pub async fn overdue(&self, seconds: i64) -> InstanceKey {
        let now = self.world.clock.now();
        let ended = now - SignedDuration::from_secs(seconds);
        let key = InstanceKey {
            tenant: self.method.tenant.clone(),
            id: InstanceId::new(now, &(&OsEntropy as &dyn Entropy).id()),
        };
        let instance = pending(&key, &self.method, now);
        let grant = self.grant(&key, ended).await;
        let made = self.store.instances.create(&instance).await;
        made.expect("it is made");
        let connect = Connect {
            key: &key,
            epoch: 0,
            incarnation: 0,
            grant: &grant,
            values: &StoredValues::default(),
            events: &[],
            due: Some(Due::of(&key, ended)),
        };
        let connected = self.store.instances.connect(connect).await;
        connected.expect("it is connected");
        key
    }

    /// The tokens that an instance of the fleet was connected with, as they were sealed.
    pub async fn first_tokens(&self, key: &InstanceKey) -> Sealed {
        self.grant(key, self.world.clock.now()).await.tokens
    }

    async fn grant(&self, key: &InstanceKey, ends: Timestamp) -> StoredGrant {
        let tokens = Tokens {
            main: TokenSet {
                access_token: "first-access-token".into(),
                refresh_token: Some(REFRESH_TOKEN.into()),
                id_token: None,
                token_type: "bearer".to_owned(),
                expires_at: Some(ends),
            },
            sets: BTreeMap::new(),
            captured: BTreeMap::new(),
        };
        let plaintext = tokens.to_plaintext().expect("a text");
        self.vault.warm().await.expect("it is warm");
        let sealed = self
            .vault
            .seal(&Instance::tokens_place(key, 1), &plaintext)
            .expect("it is sealed");
        StoredGrant {
            epoch: 1,
            parent: None,
            answered_under: None,
            tokens: sealed,
            refresh_tokens: RefreshTokens::Inside,
            refreshable: true,
            expires_at: Some(ends),
            terms: Terms {
                policy: RefreshPolicy::AlwaysEager,
                ..Terms::default()
            },
            scopes: Vec::new(),
            received_at: ends - SignedDuration::from_secs(3600),
        }
    }

    /// The instance as it is now.
    pub async fn find(&self, key: &InstanceKey) -> Instance {
        let found = self.store.instances.find(key).await.expect("the store");
        found.expect("an instance")
    }
}

/// Saves a connector and its auth method.
async fn define(world: &World, name: &str, token_url: &str, refresh: Value) -> MethodKey {
    let connector = world.api.connector(name).await;
    let definition = json!({
        "refresh": refresh,
        "name": name,
        "authorise": { "url": "https://fleet.example/authorise" },
        "token": { "url": token_url },
    });
    let values = json!({ "client_id": "id", "client_secret": CLIENT_SECRET });
    let body = json!({ "definition": definition, "values": values });
    let method = world.api.method(&connector, &body).await;
    MethodKey {
        tenant: "local".parse().expect("a tenant"),
        connector: connector.parse().expect("an id"),
        id: method.parse().expect("an id"),
    }
}

fn pending(key: &InstanceKey, method: &MethodKey, now: Timestamp) -> Instance {
    let (connector, id) = (method.connector.clone(), method.id.clone());
    Instance::pending(key.clone(), connector, id, "One of many".to_owned(), now)
}

/// Providers behind host names. All answer at once but the one that hangs until it is let go.
#[derive(Debug)]
pub struct Hosts {
    hanging: String,
    hold: Semaphore,
    held: AtomicUsize,
    seen: Mutex<BTreeMap<String, usize>>,
    answered: Notify,
    asked: Notify,
}

impl Hosts {
    /// All of them, with one that hangs.
    #[must_use]
    pub fn with_hanging(hanging: &str) -> Arc<Self> {
        Arc::new(Self {
            hanging: hanging.to_owned(),
            hold: Semaphore::new(0),
            held: AtomicUsize::new(0),
            seen: Mutex::default(),
            answered: Notify::new(),
            asked: Notify::new(),
        })
    }

    /// How many requests the one that hangs has got.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }

    /// Waits until the one that hangs has got so many requests.
    pub async fn has_been_asked(&self, count: usize) {
        while self.held() < count {
            self.asked.notified().await;
        }
    }

    /// Waits until a host has answered so many requests.
    pub async fn has_answered(&self, host: &str, count: usize) {
        while self.count(host) < count {
            self.answered.notified().await;
        }
    }

    fn count(&self, host: &str) -> usize {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(host).copied().unwrap_or_default()
    }

    /// Lets the one that hangs answer from now on.
    pub fn let_go(&self) {
        self.hold.close();
    }
}

#[async_trait]
impl Egress for Hosts {
    async fn send(&self, request: WireRequest) -> Result<WireAnswer, SendError> {
        let host = request.url.host_str().unwrap_or_default().to_owned();
        if host == self.hanging {
            self.held.fetch_add(1, Ordering::SeqCst);
            self.asked.notify_one();
            // Closed is let go.
            drop(self.hold.acquire().await);
        }
        *self
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(host)
            .or_default() += 1;
        self.answered.notify_one();
        Ok(granted())
    }
}

/// What a provider answers that grants a refresh.
#[must_use]
pub fn granted() -> WireAnswer {
    let body = json!({
        "access_token": "next-access-token",
        "refresh_token": "next-refresh-token",
        "token_type": "bearer",
        "expires_in": 3600,
    });
    WireAnswer {
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        body: Secret::new(body.to_string().into_bytes()),
        round_trip: Duration::from_millis(1),
    }
}
