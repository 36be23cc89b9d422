//! The server: everything wired together.

use std::{io, sync::Arc};

use jiff::Timestamp;
use latchkey_aws::{Keyring, OsEntropy, SealedVault, Store};
use latchkey_core::{
    flow::{Deployment, Mode, authenticate::new_key},
    model::{Secret, api_key::Scope, id::TenantId},
    port::{Clock, EditApiKeys as _, Egress, Entropy, Secrets, StoreError},
};
use latchkey_egress::{EgressSettings, ReqwestEgress};
use latchkey_refresher::EventError;
use latchkey_web::{caller::Keys, lambda::Authentication, log::Requests};
use tokio::task::JoinHandle;
use url::Url;

use crate::{
    Options, Switch,
    functions::{self, Functions, Shared},
    gateway,
    queue::{LocalQueue, Worker},
    schedule::Schedule,
    secrets,
    start_error::StartError,
    state::StateDirectory,
    store::{self, Engine},
};

/// The tenant that everything on a laptop belongs to, unless another is named.
const TENANT: &str = "local";
const KEYRING: &str = "keyring.json";
const API_KEY: &str = "api-key";

/// A server that runs; it ends with this value.
#[derive(Debug)]
pub struct Server {
    /// Where it is reached from this machine.
    pub url: Url,
    /// Where the store is reached.
    pub store_url: Url,
    /// The tenant's API key, with every scope.
    pub api_key: Secret,
    pub(crate) tenant: TenantId,
    pub(crate) functions: Functions,
    pub(crate) directory: StateDirectory,
    task: JoinHandle<()>,
    schedule: Option<Schedule>,
    worker: Option<Worker>,
    engine: Engine,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Starts a server.
    ///
    /// # Errors
    /// [`StartError`] says what is in the way, and which flag helps.
    pub async fn start(options: &Options, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let egress = EgressSettings::of(Mode::Local);
        let egress =
            ReqwestEgress::new(egress).map_err(|error| StartError::Egress(error.to_string()))?;
        Self::start_over(options, clock, Arc::new(egress)).await
    }

    /// The same with a way out of the caller's.
    ///
    /// # Errors
    /// [`StartError`] says what is in the way, and which flag helps.
    pub async fn start_over(
        options: &Options,
        clock: Arc<dyn Clock>,
        egress: Arc<dyn Egress>,
    ) -> Result<Self, StartError> {
        let directory = StateDirectory::open(&options.directory).map_err(StartError::Directory)?;
        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
        let (listener, url) = store::listen(options.port, "--port").await?;
        let engine = store::start(&directory, options.store_port).await?;
        let store = store::connect(&engine.url, Arc::clone(&clock)).await?;
        let vault = SealedVault::new(keyring(&directory, &*entropy)?, Arc::clone(&entropy));
        let secrets = options.secrets_url.as_ref();
        let secrets = secrets.map(|url| -> Arc<dyn Secrets> { Arc::new(secrets::secrets(url)) });
        let vault = Arc::new(vault.with_secrets(secrets));
        let deployment = Deployment::new(options.base_url.as_ref().unwrap_or(&url))
            .telling_refreshes(options.refreshed_events == Switch::On)
            .warning_days_before(options.warning_days);
        let queue = Arc::new(LocalQueue::new(Arc::clone(&clock)));
        let shared = Shared {
            vault,
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            egress,
            queue: Arc::<LocalQueue>::clone(&queue),
            deployment,
        };
        let functions = functions::wire(&store, &shared, options.refresher());

        let tenant = tenant();
        let api_key = api_key(&directory, &store, &*entropy, &*clock, &tenant).await?;
        let keys = Keys {
            keys: Arc::<latchkey_aws::DynamoApiKeys>::clone(&store.api_keys),
            clock: Arc::clone(&clock),
        };
        let log = Requests { clock, entropy };
        let router = gateway::router(&functions, Authentication::Keys(keys), log);
        let task = tokio::spawn(async move {
            // Serving ends only when the listener does, and that with the process.
            axum::serve(listener, router).await.unwrap_or_default();
        });
        let schedule = options
            .every()
            .map(|period| Schedule::start(functions.refresher.clone(), period));
        let worker = Worker::start(functions.refresher.clone(), queue);
        Ok(Self {
            url,
            store_url: engine.url.clone(),
            api_key,
            tenant,
            functions,
            directory,
            task,
            schedule,
            worker: Some(worker),
            engine,
        })
    }

    /// Sweeps once, and works itself what is due.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    pub async fn sweep(&self) -> Result<latchkey_core::flow::sweep::Report, StoreError> {
        latchkey_refresher::sweep(&self.functions.refresher, None).await
    }

    /// Answers an event as the `refresher` function does.
    ///
    /// # Errors
    /// [`EventError`] if nothing was done.
    pub async fn answer(
        &self,
        event: serde_json::Value,
        deadline: Option<Timestamp>,
    ) -> Result<serde_json::Value, EventError> {
        latchkey_refresher::handle(&self.functions.refresher, event, deadline).await
    }

    /// Ends the server, and waits until its port and its data file are free again.
    pub async fn stop(mut self) {
        self.schedule = None;
        self.worker = None;
        self.task.abort();
        // An aborted task has nothing to report.
        (&mut self.task).await.unwrap_or_default();
        self.engine.stop().await;
    }

    /// Where its files are.
    #[must_use]
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }
}

fn tenant() -> TenantId {
    #[expect(
        clippy::expect_used,
        reason = "the constant is the name of a tenant, as a test shows"
    )]
    TENANT.parse().expect("a tenant's name")
}

/// The keyring in its file, mode 0600; made at the first start.
fn keyring(directory: &StateDirectory, entropy: &dyn Entropy) -> Result<Keyring, StartError> {
    let failed = |error: io::Error| StartError::KeyFile(error.to_string());
    let text = match directory.read(KEYRING).map_err(failed)? {
        Some(text) => Secret::new(text),
        None => {
            let text = Keyring::generate(entropy).to_text();
            directory.write(KEYRING, text.expose()).map_err(failed)?;
            text
        }
    };
    Keyring::parse(&text).map_err(|error| StartError::KeyFile(error.to_string()))
}

/// The tenant's API key; made at the first start, and kept in a file of mode 0600 so that the
/// newcomer is told it again.
async fn api_key(
    directory: &StateDirectory,
    store: &Store,
    entropy: &dyn Entropy,
    clock: &dyn Clock,
    tenant: &TenantId,
) -> Result<Secret, StartError> {
    if let Some(text) = directory.read(API_KEY).map_err(StartError::Directory)? {
        return Ok(Secret::from(text.trim()));
    }
    let (key, secret) = new_key(
        entropy,
        clock.now(),
        "first key".to_owned(),
        Some(tenant.clone()),
        Scope::ALL,
        None,
    );
    store.api_keys.put(&key).await?;
    directory
        .write(API_KEY, secret.expose())
        .map_err(StartError::Directory)?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_local_tenant_has_a_good_name() {
        assert_eq!(super::tenant().as_str(), super::TENANT);
    }
}
