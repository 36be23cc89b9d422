//! The one client, and all that it must not do.

use std::sync::Arc;

use reqwest::{Client, ClientBuilder, redirect, retry};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::{resolver::GuardedResolver, settings::EgressSettings};

/// Why the egress could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// rustls refused its configuration.
    #[error("failed to configure TLS")]
    Tls(#[source] rustls::Error),
    /// reqwest refused its configuration.
    #[error("failed to build the HTTP client")]
    Client(#[source] reqwest::Error),
}

/// Builds the client.
///
/// # Retries
/// A request of which a byte may have been written is never sent again, and this is why:
///
/// - reqwest would repeat a request after a refusal that it takes for harmless. [`retry::never`]
///   turns that off; besides, our body can't be cloned, which is what it repeats with.
/// - hyper-util's pool repeats a request (`retry_canceled_requests`, on by default, out of reach
///   through reqwest) if a kept connection turns out to be closed. It needs the request back for
///   that, and hyper gives it back only as long as it still lies in the channel to the
///   connection's task, that is, before its head is encoded. Once it is taken out an error comes
///   without it, and is final. Such a repeat is wanted: no byte went anywhere, and without it
///   every connection that a server closed between two refreshes would cost one.
/// - HTTP/2, which lets a server hand back requests that were written, is off.
pub(crate) fn build(
    settings: EgressSettings,
    tls: ClientConfig,
    resolver: GuardedResolver,
) -> Result<Client, SetUpError> {
    new_builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .dns_resolver(resolver)
        .connect_timeout(settings.connect_limit)
        .pool_idle_timeout(settings.idle_limit)
        .pool_max_idle_per_host(MOST_IDLE_PER_HOST)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .referer(false)
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd()
        .user_agent(USER_AGENT)
        .build()
        .map_err(SetUpError::Client)
}

/// TLS 1.2 and 1.3 on ring, with Mozilla's roots as `webpki-roots` has them.
///
/// The crypto provider is named here rather than installed for the process, so that no other
/// crate's choice can change it.
pub(crate) fn tls(roots: RootCertStore) -> Result<ClientConfig, SetUpError> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(SetUpError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The roots that decide whom to trust; the machine's own are not read.
pub(crate) fn public_roots() -> RootCertStore {
    RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that builds a client"
)]
fn new_builder() -> ClientBuilder {
    ClientBuilder::new()
}

/// Bounds the sockets that a burst leaves behind until the idle limit takes them.
const MOST_IDLE_PER_HOST: usize = 64;

/// Some providers refuse requests that don't say who sends them; a definition may say otherwise.
const USER_AGENT: &str = concat!("latchkey/", env!("CARGO_PKG_VERSION"));
