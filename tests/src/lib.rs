//! What whole-service stories are told with: a Latchkey in this process, real authorisation servers
//! that others wrote, a person with a browser, and a proxy that watches and interferes.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that can't go on fails where it stands"
)]

use std::{net::Ipv4Addr, sync::Arc};

pub mod api;
pub mod chromium;
pub mod clock;
pub mod fleet;
pub mod granting;
pub mod hostile;
pub mod jar;
pub mod lambda;
pub mod process;
pub mod proxy;
pub mod refresher;
pub mod routed;
pub mod scripted;
pub mod server;
pub mod shop;
pub mod stream;
pub mod visitor;
pub mod worker;
pub mod world;

/// An HTTP client that follows nothing, as callers and browsers of the tests use.
#[must_use]
pub fn http_client() -> reqwest::Client {
    // reqwest has no provider of its own here; a second installation changes nothing.
    drop(rustls::crypto::ring::default_provider().install_default());
    #[expect(clippy::disallowed_methods, reason = "tests are not the product")]
    let builder = reqwest::Client::builder();
    builder
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .dns_resolver(Arc::new(Localhost))
        .build()
        .expect("a client")
}

/// Every name below `localhost` is this machine (RFC 6761 §6.3), as browsers have it.
struct Localhost;

impl reqwest::dns::Resolve for Localhost {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let is_here = name.as_str() == "localhost" || name.as_str().ends_with(".localhost");
        Box::pin(async move {
            if !is_here {
                return Err(format!("{} is not on this machine", name.as_str()).into());
            }
            let here: reqwest::dns::Addrs =
                Box::new(std::iter::once((Ipv4Addr::LOCALHOST, 0).into()));
            Ok(here)
        })
    }
}

/// A parameter of a URL's query.
#[must_use]
pub fn parameter(url: &url::Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
