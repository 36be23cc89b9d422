//! The store: a DynamoDB engine in this process, with one data file.

use std::{net::Ipv4Addr, sync::Arc};

use dynoxide::Database;
use latchkey_aws::{Store, StoreSettings, create_missing};
use latchkey_core::port::Clock;
use tokio::{net::TcpListener, task::JoinHandle};
use url::Url;

use crate::{start_error::StartError, state::StateDirectory};

/// The data file.
const FILE: &str = "latchkey.db";

/// The engine, as it serves; it ends with this value.
#[derive(Debug)]
pub(crate) struct Engine {
    /// Where it serves.
    pub(crate) url: Url,
    task: JoinHandle<()>,
}

impl Engine {
    /// Ends the engine, and waits until its port is free again.
    pub(crate) async fn stop(&mut self) {
        self.task.abort();
        // An aborted task has nothing to report.
        (&mut self.task).await.unwrap_or_default();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts the engine on loopback.
pub(crate) async fn start(directory: &StateDirectory, port: u16) -> Result<Engine, StartError> {
    let path = directory.reserve(FILE).map_err(StartError::Directory)?;
    let path = path.to_str().ok_or(StartError::DirectoryName)?;
    let database = Database::new(path).map_err(|error| StartError::DataFile(error.to_string()))?;
    let (listener, url) = listen(port, "--store-port").await?;
    let task = tokio::spawn(dynoxide::server::serve_on(listener, database));
    Ok(Engine { url, task })
}

/// The ports on the engine, its tables made.
pub(crate) async fn connect(engine: &Url, clock: Arc<dyn Clock>) -> Result<Store, StartError> {
    let settings = StoreSettings::local(engine.clone());
    let client = settings.client();
    create_missing(&client, &settings.tables).await?;
    Ok(Store::with_client(&client, &settings.tables, clock))
}

/// Listens on loopback, and says which flag names the port if it is taken.
pub(crate) async fn listen(
    port: u16,
    flag: &'static str,
) -> Result<(TcpListener, Url), StartError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|source| StartError::Port { port, flag, source })?;
    let address =
        listener
            .local_addr()
            .map_err(|source| StartError::Port { port, flag, source })?;
    let url = Url::parse(&format!("http://{address}")).map_err(|_| StartError::DirectoryName)?;
    Ok((listener, url))
}
