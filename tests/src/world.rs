//! A whole Latchkey in this process, on a port of its own, with a clock that the test moves.

use std::{path::PathBuf, sync::Arc};

use latchkey_aws::{OsEntropy, Store, StoreSettings};
use latchkey_core::{
    flow::authenticate::new_key,
    model::api_key::Scope,
    port::{Clock, EditApiKeys as _},
};
use latchkey_local::{Options, Server, Switch};
use tempfile::TempDir;

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
}

impl World {
    /// Starts one with nothing in it.
    pub async fn start() -> Self {
        Self::start_in(TempDir::new().expect("a directory"), 0, 0).await
    }

    /// Starts one over what another has left, on the same port, with the clock so many seconds ahead.
    pub async fn start_in(directory: TempDir, port: u16, ahead: i64) -> Self {
        let clock = Arc::new(ShiftedClock::ahead(ahead));
        let shared: Arc<dyn Clock> = Arc::<ShiftedClock>::clone(&clock);
        let server = Server::start(&options(directory.path().into(), port), shared).await.expect("it starts");
        let api = Api::new(server.url.as_str(), Some(server.api_key.expose()));
        Self { server, clock, api, directory }
    }

    /// Ends it and starts it again over what it has left.
    pub async fn restart(self) -> Self {
        let (port, ahead) = (self.port(), self.clock.shift());
        let Self { server, directory, .. } = self;
        server.stop().await;
        Self::start_in(directory, port, ahead).await
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
        let (key, secret) = new_key(&OsEntropy, now, "operator".to_owned(), None, Scope::ALL, None);
        self.store().api_keys.put(&key).await.expect("the key is kept");
        secret.expose().clone()
    }

    /// Its store, to be looked into.
    #[must_use]
    pub fn store(&self) -> Store {
        let clock: Arc<dyn Clock> = Arc::<ShiftedClock>::clone(&self.clock);
        Store::new(&StoreSettings::local(self.server.store_url.clone()), clock)
    }

    /// Sweeps once.
    pub async fn sweep(&self) -> latchkey_core::flow::sweep::Report {
        self.server.sweep().await.expect("it sweeps")
    }
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
        base_url: None,
        log: "info".to_owned(),
        openapi: false,
    }
}
