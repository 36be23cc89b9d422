//! A whole Latchkey in this process, on a port of its own, with a clock that the test moves.

use std::{path::PathBuf, sync::Arc};

use latchkey_aws::{Keyring, OsEntropy, SealedVault, SecretsManager, Store, StoreSettings};
use latchkey_core::{
    flow::authenticate::new_key,
    model::{
        Secret, api_key::Scope, grant::Tokens, id::InstanceKey, instance::Instance,
        refresh_tokens::RefreshTokens,
    },
    port::{
        Clock, EditApiKeys as _, Egress, Entropy as _, ReadInstances as _, Secrets as _, Vault as _,
    },
};
use latchkey_local::{Options, Server, StartError, Sweeping, Switch};
use tempfile::TempDir;
use url::Url;

use crate::{api::Api, clock::ShiftedClock};

/// A whole Latchkey.
#[derive(Debug)]
pub struct World {
    /// The server.
    pub server: Server,
    /// Its clock.
    pub clock: Arc<ShiftedClock>,
    /// A caller with the first API key.
    pub api: Api,
    directory: TempDir,
    secrets_url: Option<Url>,
}

impl World {
    /// Starts one with nothing in it.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// Starts one with nothing in it, with refresh tokens in Secrets Manager, if its URL is given.
    pub async fn start_with(secrets_url: Option<Url>) -> Self {
        let directory = TempDir::new().expect("a directory");
        loop {
            match serve(&directory, port(), 0, secrets_url.clone()).await {
                Ok((server, clock)) => return Self::new(server, clock, directory, secrets_url),
                // Another test has it: another port will do.
                Err(StartError::Port { .. }) => {}
                Err(error) => panic!("it does not start: {error}"),
            }
        }
    }

    /// Starts one with nothing in it, with options of the test's.
    pub async fn start_as(change: impl FnOnce(&mut Options)) -> Self {
        let directory = TempDir::new().expect("a directory");
        let clock = Arc::new(ShiftedClock::default());
        let shared: Arc<dyn Clock> = Arc::<ShiftedClock>::clone(&clock);
        let mut options = options(directory.path().into(), 0);
        change(&mut options);
        let server = Server::start(&options, shared).await;
        Self::new(server.expect("it starts"), clock, directory, None)
    }

    /// Starts one with nothing in it, and a way out of the test's.
    pub async fn start_over(egress: Arc<dyn Egress>) -> Self {
        Self::start_working(egress, 64).await
    }

    /// The same with so many refreshes at once at most.
    pub async fn start_working(egress: Arc<dyn Egress>, in_flight: u16) -> Self {
        let directory = TempDir::new().expect("a directory");
        let clock = Arc::new(ShiftedClock::default());
        let shared: Arc<dyn Clock> = Arc::<ShiftedClock>::clone(&clock);
        let options = Options {
            in_flight: in_flight.try_into().expect("not zero"),
            ..options(directory.path().into(), 0)
        };
        let server = Server::start_over(&options, shared, egress).await;
        Self::new(server.expect("it starts"), clock, directory, None)
    }

    /// Starts one over what another has left, with the clock so many seconds ahead.
    pub async fn start_in(left: Left, ahead: i64) -> Self {
        let Left {
            directory,
            port,
            secrets_url,
            ..
        } = left;
        let served = serve(&directory, port, ahead, secrets_url.clone()).await;
        let (server, clock) = served.expect("it starts");
        Self::new(server, clock, directory, secrets_url)
    }

    fn new(
        server: Server,
        clock: Arc<ShiftedClock>,
        directory: TempDir,
        secrets_url: Option<Url>,
    ) -> Self {
        let api = Api::new(server.url.as_str(), Some(server.api_key.expose()));
        Self {
            server,
            clock,
            api,
            directory,
            secrets_url,
        }
    }

    /// Ends it.
    pub async fn stop(self) -> Left {
        let port = self.port();
        let Self {
            server,
            directory,
            api,
            secrets_url,
            ..
        } = self;
        server.stop().await;
        Left {
            directory,
            port,
            api,
            secrets_url,
        }
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.url.port().expect("a port")
    }

    /// Where it is reached, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        self.server.url.as_str().trim_end_matches('/')
    }

    /// Its callback URL.
    #[must_use]
    pub fn callback_url(&self) -> String {
        format!("{}/oauth/authenticate", self.url())
    }

    /// An API key that is bound to no tenant, as the first one of a deployment is.
    pub async fn operator_key(&self) -> String {
        let now = self.clock.now();
        let (key, secret) = new_key(
            &OsEntropy,
            now,
            "operator".to_owned(),
            None,
            Scope::ALL,
            None,
        );
        self.store()
            .api_keys
            .put(&key)
            .await
            .expect("the key is kept");
        secret.expose().clone()
    }

    /// Its store, to be looked into.
    #[must_use]
    pub fn store(&self) -> Store {
        let clock: Arc<dyn Clock> = Arc::<ShiftedClock>::clone(&self.clock);
        Store::new(&StoreSettings::local(self.server.store_url.clone()), clock)
    }

    /// Everything that its store holds, as text.
    pub async fn dump(&self) -> String {
        let settings = StoreSettings::local(self.server.store_url.clone());
        let client = settings.client();
        let tables = settings.tables;
        let mut text = String::new();
        for table in [
            tables.connectors,
            tables.instances,
            tables.hosts,
            tables.authorisations,
            tables.api_keys,
        ] {
            let scan = client
                .scan()
                .table_name(table)
                .consistent_read(true)
                .send()
                .await
                .expect("a scan");
            for item in scan.items() {
                text.push_str(&format!("{item:?}\n"));
            }
        }
        text
    }

    /// Whether anything is left of an instance.
    pub async fn keeps(&self, instance: &str) -> bool {
        self.store()
            .instances
            .find(&key(instance))
            .await
            .expect("the store")
            .is_some()
    }

    /// An instance as the store has it.
    pub async fn instance(&self, instance: &str) -> Instance {
        let found = self.store().instances.find(&key(instance)).await;
        found.expect("the store").expect("an instance")
    }

    /// Where the refresh tokens of an instance are.
    pub async fn refresh_tokens(&self, instance: &str) -> RefreshTokens {
        let found = self.instance(instance).await;
        found.grant().expect("a grant").refresh_tokens.clone()
    }

    /// The secrets manager that refresh tokens are in.
    #[must_use]
    pub fn secrets(&self) -> SecretsManager {
        self.secrets_if_any().expect("a secrets manager")
    }

    /// The same, if they are in one.
    #[must_use]
    pub fn secrets_if_any(&self) -> Option<SecretsManager> {
        self.secrets_url.as_ref().map(latchkey_local::secrets)
    }

    /// The refresh token of an instance, which no API gives away: opened with the key file, or read
    /// from the secrets manager.
    pub async fn refresh_token(&self, instance: &str) -> String {
        let key = key(instance);
        let found = self.instance(instance).await;
        let grant = found.grant().expect("a grant");
        let keyring = std::fs::read_to_string(self.server.directory().join("keyring.json"))
            .expect("a keyring");
        let keyring = Keyring::parse(&Secret::new(keyring)).expect("a keyring");
        let vault = SealedVault::new(keyring, Arc::new(OsEntropy));
        let opened = vault
            .open(&Instance::tokens_place(&key, grant.epoch), &grant.tokens)
            .await
            .expect("it opens");
        let mut tokens = Tokens::from_plaintext(&opened).expect("tokens");
        if let RefreshTokens::Version(version) = &grant.refresh_tokens {
            let name = Instance::secret_name(&key);
            let text = self.secrets().read(&name, version).await;
            let text = text.expect("the secrets manager").expect("a version");
            tokens = tokens.with_refresh_tokens(&text).expect("refresh tokens");
        }
        tokens
            .main
            .refresh_token
            .expect("a refresh token")
            .expose()
            .clone()
    }

    /// Sweeps once.
    pub async fn sweep(&self) -> latchkey_core::flow::sweep::Report {
        self.server.sweep().await.expect("it sweeps")
    }
}

/// A port that the system gives to nobody by itself: it is still free when a server that was killed
/// starts again.
fn port() -> u16 {
    let mut bytes = [0; 2];
    OsEntropy.fill(&mut bytes);
    20_000 + u16::from_le_bytes(bytes) % 12_000
}

/// What a Latchkey has left that was ended.
#[derive(Debug)]
pub struct Left {
    /// Its files.
    pub directory: TempDir,
    /// Its port.
    pub port: u16,
    /// The caller who goes on calling it.
    pub api: Api,
    /// Its secrets manager, if it has one.
    pub secrets_url: Option<Url>,
}

async fn serve(
    directory: &TempDir,
    port: u16,
    ahead: i64,
    secrets_url: Option<Url>,
) -> Result<(Server, Arc<ShiftedClock>), StartError> {
    let clock = Arc::new(ShiftedClock::ahead(ahead));
    let shared: Arc<dyn Clock> = Arc::<ShiftedClock>::clone(&clock);
    let options = Options {
        secrets_url,
        ..options(directory.path().into(), port)
    };
    let server = Server::start(&options, shared).await?;
    Ok((server, clock))
}

/// Options for a server that does nothing by itself.
#[must_use]
pub fn options(directory: PathBuf, port: u16) -> Options {
    Options {
        directory,
        port,
        provider_port: 0,
        store_port: 0,
        demo: Switch::Off,
        schedule: 0,
        refreshed_events: Switch::Off,
        warning_days: latchkey_core::flow::WARNING_DAYS,
        sweep: Sweeping::Queue,
        in_flight: std::num::NonZeroU16::new(64).expect("not zero"),
        base_url: None,
        secrets_url: None,
        log: "info".to_owned(),
        openapi: false,
        schema: false,
    }
}

fn key(instance: &str) -> InstanceKey {
    InstanceKey {
        tenant: "local".parse().expect("a tenant"),
        id: instance.parse().expect("an id"),
    }
}
