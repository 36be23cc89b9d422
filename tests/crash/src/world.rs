//! What outlives a process: the store, the secrets manager, the queue, and the provider.

use std::{path::PathBuf, sync::Arc};

use dynoxide::Database;
use jiff::Timestamp;
use latchkey_aws::{Keyring, OsEntropy, StoreSettings, create_missing};
use latchkey_core::{
    model::{
        grant::{StoredGrant, Tokens},
        id::InstanceKey,
        instance::Instance,
        refresh_tokens::RefreshTokens,
    },
    port::{ReadInstances as _, Vault as _},
};
use latchkey_emulators::secrets::{Contents, Secrets};
use latchkey_model::{provider::Policy, vault::VaultKind};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use url::Url;

use crate::{
    job::Job,
    outside::Outside,
    ports::{Clients, Place, Ports},
    process::Order,
    provider::{Known, Provider},
    watch::{Ended, Left, Watch},
};

/// Which provider, and which vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Configuration {
    /// What the provider does with used refresh tokens.
    pub policy: Policy,
    /// Where refresh tokens are kept.
    pub vault: VaultKind,
}

impl Configuration {
    /// All ten.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let each = |vault| {
            Policy::ALL
                .into_iter()
                .map(move |policy| Self { policy, vault })
        };
        VaultKind::ALL.into_iter().flat_map(each).collect()
    }
}

impl std::fmt::Display for Configuration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let policy = format!("{:?}", self.policy);
        let vault = format!("{:?}", self.vault);
        write!(f, "{policy:<12} {vault:<14}")
    }
}

/// What outlives a process.
pub struct World {
    /// Which provider, and which vault.
    pub configuration: Configuration,
    /// The provider.
    pub provider: Provider,
    /// Whoever watches processes.
    pub watch: Arc<Watch>,
    program: String,
    database: Database,
    place: Place,
    clients: Clients,
    secrets: Secrets,
    directory: TempDir,
    saved: std::cell::Cell<usize>,
    store_task: JoinHandle<()>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("World").field(&self.configuration).finish()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.store_task.abort();
    }
}

/// A world as it was at some time.
#[derive(Debug)]
pub struct Saved {
    file: PathBuf,
    known: Known,
    contents: Contents,
    left: Left,
}

impl Drop for Saved {
    fn drop(&mut self) {
        // The directory goes as a whole if this fails.
        std::fs::remove_file(&self.file).unwrap_or_default();
    }
}

impl World {
    /// Starts one with nothing in it. `program` is the program whose processes are killed.
    pub async fn start(configuration: Configuration, program: &str) -> Self {
        let database = Database::memory().expect("a database");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let served = database.clone();
        let store_task = tokio::spawn(dynoxide::server::serve_on(listener, served));
        let store: Url = format!("http://{address}").parse().expect("a URL");
        let settings = StoreSettings::local(store.clone());
        let made = create_missing(&settings.client(), &settings.tables).await;
        made.expect("tables");

        let watch = Arc::<Watch>::default();
        let watched = Arc::clone(&watch);
        let secrets = Secrets::start(Arc::new(move |operation, moment| {
            watched.reach_secrets(operation, moment)
        }))
        .await;
        let is_apart = configuration.vault == VaultKind::SecretsManager;
        let place = Place {
            store,
            secrets: is_apart.then(|| secrets.url.parse().expect("a URL")),
            keyring: Keyring::generate(&OsEntropy).to_text().expose().clone(),
        };
        Self {
            provider: Provider::start(configuration.policy, Arc::clone(&watch)).await,
            configuration,
            watch,
            program: program.to_owned(),
            database,
            clients: Clients::of(&place),
            place,
            secrets,
            directory: TempDir::new().expect("a directory"),
            saved: std::cell::Cell::default(),
            store_task,
        }
    }

    /// The world as it is now.
    #[must_use]
    pub fn save(&self) -> Saved {
        let number = self.saved.get();
        self.saved.set(number + 1);
        let file = self.directory.path().join(number.to_string());
        let path = file.to_str().expect("a path");
        self.database.vacuum_into(path).expect("it is copied");
        Saved {
            file,
            known: self.provider.known().clone(),
            contents: self.secrets.contents(),
            left: self.watch.left(),
        }
    }

    /// Makes the world what it was.
    pub fn restore(&self, saved: &Saved) {
        let path = saved.file.to_str().expect("a path");
        self.database.restore_from(path).expect("it is put back");
        *self.provider.known() = saved.known.clone();
        self.secrets.restore(saved.contents.clone());
        self.watch.restore(saved.left.clone());
    }

    /// Has a process do something, and kills it at the point of this number.
    pub async fn process(&self, now: Timestamp, job: &Job, dies_at: Option<usize>) -> Ended {
        self.provider.known().set_now(now);
        let order = Order {
            place: self.place.clone(),
            now,
            job: job.clone(),
        };
        self.watch.run(&self.program, &order, dies_at).await
    }

    /// Has somebody new do something whom nobody kills.
    pub async fn unharmed(&self, now: Timestamp, job: &Job) -> String {
        job.run(&self.ports(now)).await
    }

    /// The ports of somebody new whom nobody kills.
    #[must_use]
    pub fn ports(&self, now: Timestamp) -> Ports {
        self.provider.known().set_now(now);
        self.watch.begin(now);
        let outside: Arc<dyn Outside> = Arc::<Watch>::clone(&self.watch);
        Ports::new(&self.clients, now, &outside)
    }

    /// Whether the secrets manager holds a secret of an instance's that is not going to be deleted.
    #[must_use]
    pub fn has_secret(&self, key: &InstanceKey) -> bool {
        self.secrets.contents().has(&Instance::secret_name(key))
    }

    /// An instance as the store has it.
    pub async fn find(&self, key: &InstanceKey) -> Option<Instance> {
        let ports = self.ports(Timestamp::UNIX_EPOCH);
        ports.store.instances.find(key).await.expect("the store")
    }

    /// The refresh tokens of an instance that are in our hands: of its grant, and of its spares. A grant
    /// that can't be opened is an error.
    ///
    /// # Errors
    /// What can't be opened.
    pub async fn held(&self, instance: &Instance) -> Result<Vec<String>, String> {
        let ports = self.ports(Timestamp::UNIX_EPOCH);
        let spares = instance.spares.iter().filter_map(|spare| spare.grant());
        let mut held = Vec::new();
        for grant in instance.grant().into_iter().chain(spares) {
            let token = open(&ports, &instance.key, grant).await;
            held.extend(token.map_err(|why| format!("epoch {}: {why}", grant.epoch))?);
        }
        Ok(held)
    }
}

/// The refresh token of a grant, wherever it is.
async fn open(
    ports: &Ports,
    key: &InstanceKey,
    grant: &StoredGrant,
) -> Result<Option<String>, String> {
    let place = Instance::tokens_place(key, grant.epoch);
    let opened = ports.vault.open(&place, &grant.tokens).await;
    let opened = opened.map_err(|error| error.to_string())?;
    let tokens = Tokens::from_plaintext(&opened).map_err(|error| error.to_string())?;
    let text = match &grant.refresh_tokens {
        RefreshTokens::Inside => None,
        RefreshTokens::Journal(journal) => {
            let place = Instance::refresh_place(key, journal.epoch);
            let opened = ports.vault.open(&place, &journal.sealed).await;
            let opened = opened.map_err(|error| error.to_string())?;
            Some(String::from_utf8(opened.expose().clone()).map_err(|error| error.to_string())?)
        }
        RefreshTokens::Version(version) => {
            let secrets = ports.vault.secrets().ok_or("no secrets manager")?;
            let read = secrets.read(&Instance::secret_name(key), version).await;
            let read = read.map_err(|error| error.to_string())?;
            Some(read.ok_or("no such version")?.expose().clone())
        }
    };
    let tokens = match text {
        None => tokens,
        Some(text) => tokens
            .with_refresh_tokens(&text.into())
            .map_err(|error| error.to_string())?,
    };
    let token = tokens.main.refresh_token;
    Ok(token.map(|token| token.expose().clone()))
}
