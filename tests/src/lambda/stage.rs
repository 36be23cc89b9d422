//! What a function is run over: a store, a Secrets Manager and a token endpoint, each behind a host of its own, whose calls
//! and connections are counted.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use latchkey_aws::{SecretsSettings, StoreSettings};
use latchkey_core::model::{id::InstanceKey, instance::Instance};
use latchkey_emulators::moto;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Front, Fronts, event};
use crate::{fleet::Fleet, granting::Provider, proxy::Proxy, visitor::Visitor, world::World};

/// For how many seconds the access token of an instance is good that needs no refresh.
const FRESH: i64 = 3000;
/// Where people go on to.
const RETURN_URL: &str = "https://app.example/done";
/// What an authorise URL of a fleet begins with.
const AUTHORISE: &str = "https://fleet.example/";

/// A stage with nothing on it.
#[derive(Debug)]
pub struct Stage {
    /// A Latchkey over the same store, to set things up by.
    pub world: World,
    /// The token endpoint.
    pub provider: Provider,
    store: Service,
    secrets: Service,
    directory: TempDir,
    fronts: Fronts,
    keyring: String,
}

/// A service of AWS: what is asked of it is seen, over TLS.
#[derive(Debug)]
struct Service {
    proxy: Proxy,
    front: Front,
    told: AtomicUsize,
}

impl Service {
    async fn before(upstream: &str, fronts: &Fronts) -> Self {
        let proxy = Proxy::before(upstream.trim_end_matches('/')).await;
        let front = fronts.before(&proxy.url).await;
        Self {
            proxy,
            front,
            told: AtomicUsize::new(0),
        }
    }

    /// The operations that it was asked for since this was asked last.
    fn asked(&self) -> Vec<String> {
        let all = self.proxy.operations();
        let told = self.told.swap(all.len(), Ordering::SeqCst);
        all.into_iter().skip(told).collect()
    }
}

impl Stage {
    /// Sets one up.
    pub async fn set() -> Self {
        let world = World::start().await;
        let settings = json!({ "return_urls": [RETURN_URL] });
        let kept = world
            .api
            .send(Method::PUT, "/v1/settings", Some(&settings))
            .await;
        let _ = kept.ok();
        let directory = TempDir::new().expect("a directory");
        let fronts = Fronts::new(directory.path());
        Self {
            store: Service::before(world.server.store_url.as_str(), &fronts).await,
            secrets: Service::before(moto(), &fronts).await,
            provider: Provider::taking(Duration::ZERO).await,
            keyring: keyring(&world).await,
            directory,
            fronts,
            world,
        }
    }

    /// Where files may be written.
    #[must_use]
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// The environment that the template gives to every function, with the stage's own endpoints.
    #[must_use]
    pub fn environment(&self, vault: &str) -> Vec<(String, String)> {
        let mut environment = super::deployed(&self.world);
        let own = [
            ("AWS_CA_BUNDLE", self.fronts.bundle()),
            ("AWS_ENDPOINT_URL_DYNAMODB", &self.store.front.url),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &self.secrets.front.url),
            ("LATCHKEY_KEYRING_SECRET", &self.keyring),
            ("LATCHKEY_VAULT", vault),
            ("LATCHKEY_SECRET_PREFIX", &self.keyring),
        ];
        environment.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
        environment
    }

    /// The arguments by which `latchkey vault` works on the stage.
    #[must_use]
    pub fn vault_arguments(&self) -> Vec<String> {
        [
            ("--store", self.world.server.store_url.as_str()),
            ("--keyring-secret", &self.keyring),
            ("--secret-prefix", &self.keyring),
            ("--secrets-url", moto()),
        ]
        .iter()
        .flat_map(|(name, value)| [(*name).to_owned(), (*value).to_owned()])
        .collect()
    }

    /// Whether the secret of an instance is there, and not going to be deleted.
    pub async fn has_secret(&self, instance: &InstanceKey) -> bool {
        let settings = secrets();
        let aws = aws(&self.world);
        let name = format!("{}/{}", self.keyring, Instance::secret_name(instance));
        let found = settings.client(&aws).describe_secret().secret_id(name);
        let found = found.send().await;
        found.is_ok_and(|secret| secret.deleted_date.is_none())
    }

    /// The file of the certificate that the stage's endpoints have.
    #[must_use]
    pub fn bundle(&self) -> &str {
        self.fronts.bundle()
    }

    /// An auth method whose token endpoint is the stage's.
    pub async fn fleet(&self) -> Fleet<'_> {
        let first = Fleet::at(&self.world, "fleet.example").await;
        let url = &self.provider.token_url;
        first.beside("measured", url, json!("single_use")).await
    }

    /// What has been asked of AWS since this was asked last, counted.
    #[must_use]
    pub fn asked(&self) -> BTreeMap<String, usize> {
        let mut counted = BTreeMap::new();
        for operation in [&self.store, &self.secrets]
            .iter()
            .flat_map(|service| service.asked())
        {
            *counted.entry(operation).or_default() += 1;
        }
        counted
    }

    /// How many connections have been made to the store, and to the Secrets Manager.
    #[must_use]
    pub fn connections(&self) -> (usize, usize) {
        let count = |service: &Service| service.front.connections();
        (count(&self.store), count(&self.secrets))
    }

    /// What a function is asked most often, so that it has to do it: an event.
    pub async fn usual(&self, fleet: &Fleet<'_>, function: &str) -> Value {
        match function {
            "auth-methods" => {
                let connector = &fleet.method().connector;
                event::request("GET", &format!("/v1/connectors/{connector}"), None)
            }
            "authorise" => {
                let instance = fleet.overdue(-FRESH).await.id;
                let path = format!("/v1/instances/{instance}/authorisations");
                event::request("POST", &path, Some(&json!({ "return_url": RETURN_URL })))
            }
            "authorizer" => event::question(self.world.server.api_key.expose()),
            "callback" => self.back(fleet).await,
            "credentials" => {
                let instance = fleet.overdue(-FRESH).await.id;
                event::request("GET", &format!("/v1/instances/{instance}/credential"), None)
            }
            _ => event::batch(&[fleet.overdue(60).await.id.to_string()]),
        }
    }

    /// The event by which somebody comes back to the callback who has just consented to a new instance.
    async fn back(&self, fleet: &Fleet<'_>) -> Value {
        let method = fleet.method();
        let connector = method.connector.to_string();
        let api = &self.world.api;
        let (_, link) = api.session(&connector, &method.id.to_string()).await;
        let mut visitor = Visitor::default().stopping_before(AUTHORISE);
        let page = visitor.open(&link).await;
        let page = visitor.submit(&page, &[]).await;
        let state = crate::parameter(&page.url, "state").expect("a state");
        let callback = self.world.callback_url();
        let cookies = visitor.cookies(&callback.parse().expect("a URL"));
        let path = format!("/oauth/authenticate?state={state}&code=code");
        let mut event = event::request("GET", &path, None);
        event["cookies"] = json!([cookies.expect("a cookie")]);
        event
    }
}

/// Whether a function has done what it was asked.
#[must_use]
pub fn is_success(answer: &Value) -> bool {
    let status = answer["statusCode"].as_u64();
    status.is_none_or(|status| (200..400).contains(&status))
        && answer["isAuthorized"] != false
        && answer["refreshed"].as_u64() != Some(0)
        && answer["batchItemFailures"]
            .as_array()
            .is_none_or(Vec::is_empty)
}

/// The secret with the world's keyring: its name.
async fn keyring(world: &World) -> String {
    let text = std::fs::read_to_string(world.server.directory().join("keyring.json"));
    let name = format!("stage-{}-{}", std::process::id(), world.port());
    let made = secrets().client(&aws(world)).create_secret().name(&name);
    let made = made.secret_string(text.expect("a keyring")).send().await;
    made.expect("it is made");
    name
}

fn secrets() -> SecretsSettings {
    SecretsSettings {
        endpoint: Some(moto().parse().expect("a URL")),
        prefix: String::new(),
        recovery_days: SecretsSettings::RECOVERY_DAYS,
        is_leaving: false,
    }
}

/// The region that the functions are in.
fn aws(world: &World) -> StoreSettings {
    StoreSettings {
        region: "us-east-1".to_owned(),
        ..StoreSettings::local(world.server.store_url.clone())
    }
}
